"""The first page of staff: what has been offered and where it stands, live, and the files that were read."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from issuer.pages.access import IssuerDep, PagesDep, SignedIn
from issuer.pages.live import event_stream
from issuer.pages.words import CERTIFICATES, OFFERS, tallies

router = APIRouter(dependencies=[SignedIn])

LATEST = 8
COUNTED = 10_000


@router.get("/")
async def home(request: Request, issuer: IssuerDep, pages: PagesDep) -> Response:
    """The overview."""
    store, now = issuer.store, issuer.clock()
    offers = await store.database.run(lambda: store.offers.list_offers(now=now, limit=COUNTED))
    imports = await store.database.run(lambda: store.results.list_imports(limit=LATEST))
    waiting_count = await store.database.run(store.deferrals.count_waiting)
    issued = await store.database.run(lambda: store.status.list_issued(limit=LATEST))
    return await pages.render(
        request,
        "home.html",
        offers=offers[:LATEST],
        offer_words=OFFERS,
        tallies=tallies(offer.state for offer in offers),
        imports=imports,
        issued=issued,
        waiting_count=waiting_count,
        has_reviews=bool(issuer.settings.reviewed) or waiting_count > 0,
        certificate_words=CERTIFICATES,
        is_whole=store.events.was_whole,
        has_profile=issuer.settings.profile_file is not None,
    )


@router.get("/events")
async def events(issuer: IssuerDep) -> Response:
    """Says when anything has changed: an offer, a certificate, an import."""

    async def look() -> tuple[object, bool]:
        return await issuer.store.database.run(issuer.store.events.counter), False

    return event_stream(issuer, look)
