"""From a link to a wallet: the buttons that open one, and the address of a web wallet, typed once.

The address is remembered in a cookie of this browser and nowhere else. It is never fetched: it only becomes the start
of an ordinary link (DESIGN 4.4, "Invoking a web wallet").
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from schemas.errors import NotFound
from schemas.presentation import RequestLink
from service import qr
from service.i18n import N_
from service.sessions import cookie_name
from service.settings import is_loopback_host
from verifier.exchange import MadeRequest
from verifier.pages.access import FromOurForm, PagesDep, VerifierDep, the_pages
from verifier.settings import VerifierSettings

router = APIRouter()

YEAR_SECONDS = 365 * 24 * 3600
FAULT = N_(
    "This is not an address of a wallet. Write it as https://, then the wallet's name, without anything after it."
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """How this browser can open a wallet with a request: a link to a web wallet (when one is known) or to an app."""

    app_link: str
    wallet_link: str
    wallet_host: str
    typed: str


@dataclass(frozen=True, slots=True)
class QRCode:
    """A QR code with what else works for another device."""

    svg: str
    link: str
    code: str
    code_until: datetime


def wallet_of(request: Request, settings: VerifierSettings) -> str:
    """The web wallet of this browser: typed once, else the one that the operator names; empty when there is none."""
    remembered = request.cookies.get(_cookie(settings), "")
    return normal_wallet(remembered, settings) or settings.wallet_url


def normal_wallet(typed: str, settings: VerifierSettings) -> str:
    """A web wallet's address as it may be linked to; empty for what is none.

    https, with a path at most; plain http only to this very machine, and only while we are on it ourselves.
    """
    text = typed.strip()
    if text and "://" not in text:
        text = f"https://{text}"
    if len(text) > 300 or not text.isascii() or not text.isprintable() or " " in text:
        return ""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return ""
    is_local = parts.scheme == "http" and settings.is_loopback and is_loopback_host(parts.hostname or "")
    if not parts.hostname or not (parts.scheme == "https" or is_local):
        return ""
    if parts.username is not None or parts.query or parts.fragment or "\\" in text:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def invitation_for(request: Request, link: RequestLink, settings: VerifierSettings, *, typed: str = "") -> Invitation:
    """The ways to open a wallet in this browser with a link."""
    wallet = wallet_of(request, settings)
    return Invitation(
        app_link=link.for_scheme(),
        wallet_link=link.for_scheme(f"{wallet}/present") if wallet else "",
        wallet_host=urlsplit(wallet).netloc,
        typed=typed or wallet,
    )


def qr_code(made: MadeRequest, *, title: str) -> QRCode:
    """The QR code of a request with its link and its code."""
    return QRCode(qr.svg(made.link, title=title), made.link, made.code, made.transaction.code_expires_at)


@router.post("/wallet-address", dependencies=[FromOurForm])
async def remember_wallet(
    request: Request,
    verifier: VerifierDep,
    pages: PagesDep,
    wallet_address: Annotated[str, Form(max_length=2_000)] = "",
    back: Annotated[str, Form(max_length=4_000)] = "/",
) -> Response:
    """Remember a web wallet in this browser, and show the page again with its link."""
    target = pages.safe_next(back)
    wallet = normal_wallet(wallet_address, verifier.settings)
    if not wallet:
        return pages.redirect(f"{target}{'&' if '?' in target else '?'}wallet=wrong")
    response = pages.redirect(target)
    response.set_cookie(
        _cookie(verifier.settings),
        wallet,
        max_age=YEAR_SECONDS,
        path="/",
        secure=verifier.settings.is_https,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/present")
async def choose_wallet(
    request: Request,
    verifier: VerifierDep,
    pages: PagesDep,
    client_id: str = "",
    request_uri: str = "",
    request_uri_method: str = "get",
    wallet: str = "",
) -> Response:
    """Where a link to one of our own requests leads when nobody has said which wallet: the person says it here."""
    if not client_id or not request_uri.startswith(verifier.settings.url("/request/")):
        raise NotFound("this is no link to a request of ours")
    link = RequestLink(client_id, request_uri, "post" if request_uri_method == "post" else "get")
    return await pages.render(
        request,
        "choose_wallet.html",
        invite=invitation_for(request, link, verifier.settings),
        back=f"/present?{link.query()}",
        organisation=verifier.settings.organisation.text(pages.language(request)),
        wallet_fault=wallet_fault(request),
    )


def wallet_fault(request: Request) -> str:
    """The sentence about a wallet's address that could not be used, or nothing."""
    return the_pages(request).translator(request)(FAULT) if request.query_params.get("wallet") == "wrong" else ""


def _cookie(settings: VerifierSettings) -> str:
    return cookie_name(settings, "wallet")
