"""From a link to a wallet: the page that a person sees who was given a link to an offer.

The page does not open the offer: only a wallet does that. It shows the institution's name and nothing about the person.
"""

from typing import Annotated
from urllib.parse import parse_qs, quote, urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from issuer.context import IssuerContext
from issuer.offers import NoSuchOffer
from issuer.pages.access import FromOurForm, IssuerDep, PagesDep
from issuer.pages.words import OFFERS
from schemas.errors import NotFound
from schemas.issuance import offer_link
from schemas.types import CREDENTIAL_TYPES
from service import qr, web_wallet
from service.i18n import N_
from service.pages import LanguageSwitch, Pages
from service.web_wallet import FAULT, LONGEST_ADDRESS, normal_wallet, remembered_wallet

router = APIRouter()

Typed = Annotated[str, Form(max_length=4_000)]


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
    web_wallet.remember_wallet(response, origin, issuer.settings)
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
    origin = remembered_wallet(request, issuer.settings)
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
        needs_sign_in=offer is not None and offer.with_sign_in,
        app_link=link,
        wallet_link=f"{origin}/offer{query}" if origin else "",
        wallet_host=urlsplit(origin).netloc,
        typed=(wrongly_typed or "")[:LONGEST_ADDRESS] if is_wrong else origin,
        back=back,
        wallet_fault=t(FAULT) if is_wrong else "",
        qr_svg=qr.svg(link, title=t(N_("QR code of the offer"))),
    )
