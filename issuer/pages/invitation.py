"""From a link to a wallet: the page that a person sees who was given a link to an offer.

The address of a web wallet is typed once and remembered in a cookie of this browser and nowhere else. It is never
fetched: it only becomes the start of an ordinary link (DESIGN 4.4, "Invoking a web wallet"). The page does not open the
offer: only a wallet does that. It shows the institution's name and nothing about the person.
"""

from typing import Annotated
from urllib.parse import parse_qs, quote, urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from issuer.context import IssuerContext
from issuer.offers import NoSuchOffer
from issuer.pages.access import FromOurForm, IssuerDep, PagesDep
from issuer.pages.words import OFFERS
from issuer.settings import IssuerSettings
from schemas.errors import NotFound
from schemas.issuance import offer_link
from schemas.types import CREDENTIAL_TYPES
from service import qr
from service.i18n import N_
from service.pages import LanguageSwitch, Pages
from service.sessions import cookie_name
from service.settings import is_loopback_host

router = APIRouter()

Typed = Annotated[str, Form(max_length=4_000)]

YEAR_SECONDS = 365 * 24 * 3600
FAULT = N_(
    "This is not an address of a wallet. Write it as https://, then the wallet's name, without anything after it."
)


def normal_wallet(typed: str, settings: IssuerSettings) -> str:
    """A web wallet's address as it may be linked to; empty for what is none.

    https, with a path at most; plain http only to this very machine, and only while we are on it ourselves.
    """
    text = typed.strip()
    if text and "://" not in text:
        text = f"https://{text}"
    if len(text) > 300 or not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
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


@router.get("/offer")
async def invitation(request: Request, issuer: IssuerDep, pages: PagesDep, credential_offer_uri: str = "") -> Response:
    """The ways to open an offer in a wallet. An offer that is no longer open says so."""
    return await _page(request, issuer, pages, credential_offer_uri)


@router.post("/wallet-address", dependencies=[FromOurForm])
async def remember_wallet(
    request: Request, issuer: IssuerDep, pages: PagesDep, wallet_address: Typed = "", back: Typed = "/"
) -> Response:
    """Remember a web wallet in this browser, and show the page again with its link; or say what is wrong with it."""
    target = pages.safe_next(back)
    origin = normal_wallet(wallet_address, issuer.settings)
    if not origin:
        (uri,) = parse_qs(urlsplit(target).query).get("credential_offer_uri", [""])[:1]
        return await _page(request, issuer, pages, uri, wrongly_typed=wallet_address)
    response = pages.redirect(target)
    settings = issuer.settings
    response.set_cookie(
        cookie_name(settings, "wallet"),
        origin,
        max_age=YEAR_SECONDS,
        path="/",
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )
    return response


async def _page(
    request: Request, issuer: IssuerContext, pages: Pages, uri: str, *, wrongly_typed: str | None = None
) -> Response:
    """The page of one offer. What was typed and is no wallet's address stays in the field, with what is wrong."""
    prefix = issuer.settings.url("/offers/")
    reference = uri.removeprefix(prefix)
    if not uri.startswith(prefix) or not reference or "/" in reference:
        raise NotFound("this is no link to an offer of ours")
    store = issuer.store
    try:
        offer = await store.database.run(lambda: store.offers.peek_reference(reference, now=issuer.clock()))
    except NoSuchOffer:
        offer = None
    t = pages.translator(request)
    link = offer_link(uri=uri)
    origin = _remembered(request, issuer.settings)
    query = f"?credential_offer_uri={quote(uri, safe='')}"
    back = f"/offer{query}"
    is_wrong = wrongly_typed is not None
    again = LanguageSwitch("/wallet-address", {"wallet_address": wrongly_typed or "", "back": back})
    return await pages.render(
        request,
        "invitation.html",
        status=404 if offer is None else 400 if is_wrong else 200,
        switch=again if is_wrong else None,
        institution=t.pick(issuer.settings.names),
        is_open=offer is not None and offer.is_open,
        word=OFFERS[offer.state] if offer is not None else None,
        type_title=CREDENTIAL_TYPES[offer.type_name].title(t.language) if offer is not None else "",
        needs_code=offer is not None and offer.has_tx_code,
        app_link=link,
        wallet_link=f"{origin}/offer{query}" if origin else "",
        wallet_host=urlsplit(origin).netloc,
        typed=(wrongly_typed or "")[:300] if is_wrong else origin,
        back=back,
        wallet_fault=t(FAULT) if is_wrong else "",
        qr_svg=qr.svg(link, title=t(N_("QR code of the offer"))),
    )


def _remembered(request: Request, settings: IssuerSettings) -> str:
    return normal_wallet(request.cookies.get(cookie_name(settings, "wallet"), ""), settings)
