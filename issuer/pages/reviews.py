"""Certificates that wait until somebody has looked at them: what they would say, and approving or denying them.

The decision has a page of its own, and is taken once: a denial is final, and of two people who decide at the same time
the second is told.
"""

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from issuer.deferral import Review, Waiting
from issuer.pages.access import FromOurForm, IssuerDep, PagesDep, SignedIn
from issuer.pages.reports import preview
from issuer.store.deferrals import AlreadyReviewed
from schemas.errors import NotFound
from schemas.types import CREDENTIAL_TYPES
from service.i18n import N_
from service.pages import Pages

router = APIRouter(dependencies=[SignedIn])

DECISIONS = {"approve": Review.APPROVED, "deny": Review.DENIED}
_DONE = {
    Review.APPROVED: N_("The certificate was approved. The wallet gets it when it asks next."),
    Review.DENIED: N_("The certificate was denied."),
}
_DECIDED = N_("Somebody has decided about this certificate already. Nothing was changed.")


@router.get("/waiting")
async def list_waiting(request: Request, issuer: IssuerDep, pages: PagesDep) -> Response:
    """What waits, the longest waiting first."""
    waiting = await issuer.store.database.run(issuer.store.deferrals.list_waiting)
    language = pages.translator(request).language
    titles = {one.type_name: CREDENTIAL_TYPES[one.type_name].title(language) for one in waiting}
    return await pages.render(request, "waiting.html", waiting=waiting, type_titles=titles)


@router.get("/waiting/{offer_id}")
async def show(request: Request, offer_id: str, issuer: IssuerDep, pages: PagesDep) -> Response:
    """One of them, as the person and as a machine would see it."""
    store = issuer.store
    try:
        waiting = await store.database.run(store.deferrals.get_waiting, offer_id)
    except AlreadyReviewed:
        return _decided(pages)
    claims = await store.database.run(store.offers.claims, offer_id)
    credential_type = CREDENTIAL_TYPES[waiting.type_name]
    seen = preview(credential_type, claims, issuer=issuer.issuer, recipient=waiting.recipient) if claims else None
    return await pages.render(
        request,
        "waiting_one.html",
        waiting=waiting,
        type_title=credential_type.title(pages.translator(request).language),
        seen=seen,
    )


@router.get("/waiting/{offer_id}/{decision}")
async def confirm(request: Request, offer_id: str, decision: str, issuer: IssuerDep, pages: PagesDep) -> Response:
    """Before approving or denying: what it means."""
    if decision not in DECISIONS:
        raise NotFound("there is no such decision")
    try:
        waiting = await issuer.store.database.run(issuer.store.deferrals.get_waiting, offer_id)
    except AlreadyReviewed:
        return _decided(pages)
    return await _confirm_page(request, pages, waiting, decision)


@router.post("/waiting/{offer_id}/{decision}", dependencies=[FromOurForm])
async def decide(
    request: Request,
    offer_id: str,
    decision: str,
    issuer: IssuerDep,
    pages: PagesDep,
    chosen: str = Form(default="", alias="decision", max_length=20),
) -> Response:
    """Approve or deny; leave it waiting; or, without a clear choice, show the page again."""
    if decision not in DECISIONS:
        raise NotFound("there is no such decision")
    store = issuer.store
    try:
        waiting = await store.database.run(store.deferrals.get_waiting, offer_id)
        if chosen == "later":
            return pages.redirect(f"/waiting/{offer_id}")
        if chosen != decision:
            return await _confirm_page(request, pages, waiting, decision)
        if decision == "approve" and await store.database.run(store.offers.claims, offer_id) is None:
            return pages.redirect(f"/waiting/{offer_id}")
        await store.database.run(lambda: store.deferrals.review(offer_id, DECISIONS[decision], now=issuer.clock()))
    except AlreadyReviewed:
        return _decided(pages)
    return pages.redirect("/waiting", message=_DONE[DECISIONS[decision]])


def _decided(pages: Pages) -> Response:
    return pages.redirect("/waiting", message=_DECIDED, kind="warning")


async def _confirm_page(request: Request, pages: Pages, waiting: Waiting, decision: str) -> Response:
    return await pages.render(request, "waiting_confirm.html", waiting=waiting, decision=decision)
