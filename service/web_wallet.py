"""The address of a web wallet: typed once and remembered in a cookie of this browser, and nowhere else.

It is never fetched: it only becomes the start of an ordinary link (DESIGN 4.4, "Invoking a web wallet").
"""

from typing import Final
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response

from service.i18n import N_
from service.sessions import cookie_name
from service.settings import ServiceSettings, is_loopback_host

LONGEST_ADDRESS: Final = 300
FAULT: Final = N_(
    "This is not an address of a wallet. Write it as https://, then the wallet's name, without anything after it."
)
_YEAR_SECONDS: Final = 365 * 24 * 3600


def normal_wallet(typed: str, settings: ServiceSettings) -> str:
    """A web wallet's address as it may be linked to; empty for what is none.

    https, with a path at most; plain http only to this very machine, and only while we are on it ourselves.
    """
    text = typed.strip()
    if text and "://" not in text:
        host = text.partition("/")[0].rpartition(":")[0] or text.partition("/")[0]
        text = f"{'http' if settings.is_loopback and is_loopback_host(host) else 'https'}://{text}"
    if len(text) > LONGEST_ADDRESS or not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        return ""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return ""
    is_local = parts.scheme == "http" and settings.is_loopback and is_loopback_host(parts.hostname or "")
    if not parts.hostname or not (parts.scheme == "https" or is_local):
        return ""
    if parts.username is not None or parts.query or parts.fragment:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def remembered_wallet(request: Request, settings: ServiceSettings) -> str:
    """The web wallet that was typed in this browser; empty when there is none."""
    return normal_wallet(request.cookies.get(cookie_name(settings, "wallet"), ""), settings)


def remember_wallet(response: Response, address: str, settings: ServiceSettings) -> None:
    """Remember a web wallet (as `normal_wallet` gives it) in this browser for a year."""
    response.set_cookie(
        cookie_name(settings, "wallet"),
        address,
        max_age=_YEAR_SECONDS,
        path="/",
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )
