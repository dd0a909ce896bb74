"""Where a source lets people end the powers that others hold for them: what it publishes of it, if it does.

    page = await desk_of("https://board.example", web=wallet.web)      # "" when it publishes none

See docs/acting-for-another.md, *Ending a power*.
"""

from urllib.parse import urlsplit

from proofs import strict_json
from schemas.errors import ProtocolError
from wallet.web import Web

WELL_KNOWN = "/.well-known/intyga-powers"
LARGEST = 10_000


async def desk_of(issuer: str, *, web: Web) -> str:
    """The page of this issuer; "" when there is none, when it could not be asked, and for a page anywhere else.

    `issuer` is the identifier of a trusted source, as its power names it.
    """
    parts = urlsplit(issuer)
    if parts.scheme not in ("https", "http") or not parts.netloc:
        return ""
    address = f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path.rstrip('/')}"
    try:
        reply = await web.get(address, accept="application/json", languages="sv, en", max_bytes=LARGEST)
        if reply.status != 200:
            return ""
        members = strict_json.loads_object(reply.body, max_bytes=LARGEST)
    except ProtocolError:
        return ""
    page = members.get("page")
    if members.get("issuer") != issuer or not isinstance(page, str) or not page.isascii() or not page.isprintable():
        return ""
    try:
        there = urlsplit(page)
    except ValueError:
        return ""
    is_theirs = (there.scheme, there.netloc) == (parts.scheme, parts.netloc) and " " not in page
    return page if is_theirs else ""
