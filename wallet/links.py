"""What a person brings: a pasted link, the text of a QR code, or a typed code, taken apart before anything is fetched.

    arrival = read_arrival("openid-credential-offer://?credential_offer_uri=https%3A%2F%2Funi.example%2Foffers%2F7")
    arrival.kind, arrival.host      # ArrivalKind.OFFER, "uni.example"

Nothing here touches the network. The host is what a page shows first: the person decides whether it may be asked.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from proofs import strict_json
from schemas.errors import ProtocolError
from schemas.issuance import parse_offer_link
from wallet.hosts import host_of

LONGEST_LINK = 60_000
_OFFER_SCHEMES = ("openid-credential-offer", "haip-vci", "https", "http")
_REQUEST_SCHEMES = ("openid4vp", "haip-vp", "eu-eaap", "eudi-openid4vp", "https", "http")
# Crockford's alphabet, and the letters that people read for its digits.
_CODE = re.compile(
    r"(?:(https?)://)?((?:[^\s/@?#]+)(?:/[^\s@?#]+)?)/([0-9A-TV-Za-tv-z]{10}|[0-9A-TV-Za-tv-z]{5}-[0-9A-TV-Za-tv-z]{5})/?"
)


class UnreadableLink(ProtocolError):
    """The text is neither an offer nor a request nor a code."""

    error = "unreadable_link"


class ArrivalKind(StrEnum):
    """What a link asks of the wallet."""

    OFFER = "offer"
    REQUEST = "request"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A link, its kind, the host that would be asked first, and where something is to be fetched.

    `fetch_url` is None when an offer came by value. `query` is the query of a request link, to be handed on unchanged.
    """

    kind: ArrivalKind
    text: str
    host: str
    fetch_url: str | None = None
    query: str = ""


def read_arrival(text: str, *, allow_loopback: bool) -> Arrival:
    """Take a link, the text of a QR code or a typed code apart.

    `allow_loopback` lets a typed code without a scheme mean http on this machine. Raises `UnreadableLink`.
    """
    text = text.strip()
    if not text or len(text) > LONGEST_LINK:
        raise UnreadableLink("the link is empty or too long")
    if any(ord(c) < 0x20 or ord(c) == 0x7F for c in text):
        raise UnreadableLink("the link holds control characters")
    try:
        parts = urlsplit(text)
        members = parse_qs(parts.query, keep_blank_values=True, max_num_fields=100)
    except ValueError as exc:
        raise UnreadableLink("the link is not a URL") from exc
    if parts.scheme.lower() in _OFFER_SCHEMES and ("credential_offer" in members or "credential_offer_uri" in members):
        return _offer(text)
    if parts.scheme.lower() in _REQUEST_SCHEMES and "client_id" in members:
        target = (members.get("request_uri") or members.get("response_uri") or [""])[0]
        return Arrival(ArrivalKind.REQUEST, text, _host(target) if target else "", target or None, parts.query)
    return _code(text, allow_loopback=allow_loopback)


def _offer(text: str) -> Arrival:
    try:
        link = parse_offer_link(text)
        if link.credential_offer_uri is not None:
            return Arrival(ArrivalKind.OFFER, text, _host(link.credential_offer_uri), link.credential_offer_uri)
        offer = strict_json.loads_object(link.credential_offer or "")
    except ProtocolError as exc:
        raise UnreadableLink("the link is not a credential offer") from exc
    return Arrival(ArrivalKind.OFFER, text, _host(offer.get("credential_issuer")))


def _code(text: str, *, allow_loopback: bool) -> Arrival:
    match = _CODE.fullmatch(text)
    if match is None:
        raise UnreadableLink("the text is neither a link to an offer or a request nor a code")
    scheme, place, code = match.groups()
    host = _host(f"https://{place}")
    if scheme is None:
        scheme = "http" if allow_loopback and _is_loopback(host) else "https"
    code = code.replace("-", "").upper().translate(str.maketrans("OIL", "011"))
    return Arrival(ArrivalKind.CODE, text, host, f"{scheme}://{place}/{code}")


def _host(url: object) -> str:
    """The host of a web address. Raises `UnreadableLink` when it is none, or names somebody before an @."""
    text = url if isinstance(url, str) else ""
    host = host_of(text)
    if not host or not text.lower().startswith(("https://", "http://")) or "@" in urlsplit(text).netloc:
        raise UnreadableLink("the link names no web address")
    return host


def _is_loopback(host: str) -> bool:
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    return name in ("localhost", "127.0.0.1", "[::1]")
