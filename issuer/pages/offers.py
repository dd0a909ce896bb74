"""Offers: the list with its live counts, one offer with all that hands it over, making it void, offering it again."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from issuer.context import IssuerContext
from issuer.offers import CannotOfferAgain, NoSuchOffer, Offer, OfferState
from issuer.pages.access import FromOurForm, IssuerDep, PagesDep, SignedIn
from issuer.pages.live import event_stream
from issuer.pages.words import OFFERS, tallies
from schemas.learning.texts import clean_text, in_language
from schemas.types import CREDENTIAL_TYPES
from service import qr
from service.i18n import N_

router = APIRouter(dependencies=[SignedIn])

PAGE_ROWS = 50
SEARCHED = 10_000
_FINAL = (OfferState.COLLECTED,)


@router.get("/offered")
async def list_offers(
    request: Request, issuer: IssuerDep, pages: PagesDep, q: str = "", state: str = "", page: int = 0
) -> Response:
    """Every offer, newest first, by person, title and state."""
    offers = await issuer.store.database.run(
        lambda: issuer.store.offers.list_offers(now=issuer.clock(), limit=SEARCHED)
    )
    found = [offer for offer in offers if _matches(offer, q) and state in ("", offer.state.value)]
    page = max(0, min(page, (len(found) - 1) // PAGE_ROWS))
    t = pages.translator(request)
    return await pages.render(
        request,
        "offers.html",
        offers=found[page * PAGE_ROWS : (page + 1) * PAGE_ROWS],
        offer_words=OFFERS,
        tallies=tallies(offer.state for offer in offers),
        states=[("", t(N_("Any state"))), *((s.value, t(word.word)) for s, word in OFFERS.items())],
        q=q,
        state=state,
        page=page,
        has_more=(page + 1) * PAGE_ROWS < len(found),
        found_count=len(found),
        any_count=len(offers),
    )


@router.get("/offered/{offer_id}")
async def show_offer(request: Request, offer_id: str, issuer: IssuerDep, pages: PagesDep) -> Response:
    """One offer: where it stands, and while it is open how to hand it over."""
    store, now, t = issuer.store, issuer.clock(), pages.translator(request)
    offer = await store.database.run(lambda: store.offers.get(offer_id, now=now))
    links = issuer.links_of(offer) if offer.is_open else None
    title = in_language(offer.title, t.language)
    label = t(N_("QR code of the offer: %(title)s"), title=title)
    return await pages.render(
        request,
        "offer.html",
        offer=offer,
        title=title,
        type_title=CREDENTIAL_TYPES[offer.type_name].title(t.language),
        word=OFFERS[offer.state],
        links=links,
        qr_svg=qr.svg(links.offer, title=label) if links else "",
        is_final=offer.state in _FINAL,
    )


@router.get("/offered/{offer_id}/events")
async def offer_events(offer_id: str, issuer: IssuerDep) -> Response:
    """Says when this offer has moved on."""

    async def look() -> tuple[object, bool]:
        offer = await issuer.store.database.run(lambda: issuer.store.offers.get(offer_id, now=issuer.clock()))
        return (offer.state, offer.generation, offer.typeable_series), offer.state in _FINAL

    return event_stream(issuer, look)


@router.post("/offered/{offer_id}/void", dependencies=[FromOurForm])
async def void(offer_id: str, issuer: IssuerDep, pages: PagesDep) -> Response:
    """Make an offer worthless that nobody has collected."""
    return await _change(issuer, pages, offer_id, "void")


@router.post("/offered/{offer_id}/again", dependencies=[FromOurForm])
async def offer_again(offer_id: str, issuer: IssuerDep, pages: PagesDep) -> Response:
    """Give an offer new codes; whatever was handed over before is void."""
    return await _change(issuer, pages, offer_id, "again")


@router.post("/offered/{offer_id}/code", dependencies=[FromOurForm])
async def new_code(offer_id: str, issuer: IssuerDep, pages: PagesDep) -> Response:
    """A new code to type, good for another quarter of an hour."""
    return await _change(issuer, pages, offer_id, "code")


async def _change(issuer: IssuerContext, pages: PagesDep, offer_id: str, what: str) -> Response:
    store, path = issuer.store, f"/offered/{offer_id}"
    changes = {
        "void": (store.offers.void, N_("The offer is void. Nobody can collect it any more.")),
        "again": (store.offers.offer_again, N_("The offer has new codes. Those handed over before are void.")),
        "code": (store.offers.new_typeable_code, N_("There is a new code to type.")),
    }
    change, message = changes[what]
    try:
        await store.database.run(lambda: change(offer_id, now=issuer.clock()))
    except (CannotOfferAgain, NoSuchOffer):
        await store.database.run(lambda: store.offers.get(offer_id, now=issuer.clock()))
        return pages.redirect(path, message=N_("The offer has moved on, so this could not be done."), kind="warning")
    return pages.redirect(path, message=message)


def _matches(offer: Offer, q: str) -> bool:
    told = " ".join((offer.recipient, *offer.title.values())).casefold()
    return all(word in told for word in clean_text(q).casefold().split())
