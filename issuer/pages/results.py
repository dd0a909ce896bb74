"""The results of a file that was kept: choosing, previewing as the person and as a machine sees it, and offering."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from issuer.context import IssuerContext
from issuer.offers import IncompleteRecords, Offer, OfferDraft, draft_offer, new_id
from issuer.pages.access import FromOurForm, IssuerDep, PagesDep, SignedIn, the_pages
from issuer.pages.reports import preview, result_line
from issuer.pages.words import OFFERS
from issuer.store.results import Result
from issuer.store.tables import SPENT
from schemas.errors import NotFound
from schemas.types import CREDENTIAL_TYPES, CredentialType
from service.i18n import N_, Translator
from service.pages import LanguageSwitch
from service.single_use import spend

router = APIRouter(dependencies=[SignedIn])

MOST_ROWS = 500
MOST_PREVIEWS = 5
_ONCE = "issuer offer form"
_ONCE_LIFETIME = timedelta(hours=8)
_NOTHING_CHOSEN = N_("Choose at least one result.")
_NO_TYPE = N_("Choose which kind of certificate to make.")
_NO_CODE_CHOICE = N_("Choose whether a code is needed.")

Line = Annotated[str, Form(max_length=200_000)]
Lines = Annotated[list[str] | None, Form()]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a member of staff chose: which results, as what, and whether with a transaction code."""

    result_ids: tuple[str, ...]
    type_name: str
    tx_code: str

    @property
    def credential_type(self) -> CredentialType | None:
        return CREDENTIAL_TYPES.get(self.type_name)

    def faults(self, t: Translator) -> list[tuple[str, str]]:
        """What is missing, as pairs of field and sentence."""
        found = []
        if not self.result_ids:
            found.append(("results", t(_NOTHING_CHOSEN)))
        if self.credential_type is None:
            found.append(("type-1", t(_NO_TYPE)))
        if self.tx_code not in ("yes", "no"):
            found.append(("tx-code-1", t(_NO_CODE_CHOICE)))
        return found


@router.get("/results/{import_id}")
async def choose(
    request: Request, import_id: str, issuer: IssuerDep, pages: PagesDep, q: str = "", choose: str = ""
) -> Response:
    """The results of one file, to choose from."""
    return await _choose_page(request, issuer, import_id, q=q, chosen=None if choose == "all" else (), errors=[])


@router.get("/results/{import_id}/{result_id}")
async def one(request: Request, import_id: str, result_id: str, issuer: IssuerDep, pages: PagesDep) -> Response:
    """One result: its elements, its previews, and the offers made from it."""
    store, t = issuer.store, pages.translator(request)
    (result,) = await store.database.run(store.results.get_results, [result_id])
    if result.import_id != import_id:
        raise NotFound("there is no such result in this import")
    offers = await store.database.run(lambda: store.offers.of_result(result_id, now=issuer.clock()))
    previews = []
    for credential_type in CREDENTIAL_TYPES.values():
        if not credential_type.completeness(result.achievement).missing_demanded:
            claims = credential_type.claims_from([result.achievement])
            seen = preview(credential_type, claims, issuer=issuer.issuer, recipient=result.achievement.learner.name)
            previews.append((credential_type, seen))
    return await pages.render(
        request,
        "result.html",
        line=result_line(result.achievement, t, result_id=result.id),
        import_id=import_id,
        previews=previews,
        offers=offers,
        offer_words=OFFERS,
    )


@router.post("/results/{import_id}/preview", dependencies=[FromOurForm])
async def show_preview(
    request: Request,
    import_id: str,
    issuer: IssuerDep,
    pages: PagesDep,
    result: Lines = None,
    results: Line = "",
    type: Line = "",
    tx_code: Line = "",
) -> Response:
    """What would be offered to whom, before anything is offered."""
    t = pages.translator(request)
    choice = Choice(tuple(result or [one for one in results.split(",") if one]), type, tx_code)
    errors = choice.faults(t)
    drafts: list[OfferDraft] = []
    if not errors:
        try:
            drafts = await _drafts(issuer, import_id, choice)
        except IncompleteRecords as exc:
            errors = [("results", _incomplete(exc, t))]
    if errors:
        return await _choose_page(
            request, issuer, import_id, q="", chosen=choice.result_ids, errors=errors, choice=choice, status=400
        )
    credential_type = CREDENTIAL_TYPES[choice.type_name]
    fields = {"results": ",".join(choice.result_ids), "type": choice.type_name, "tx_code": choice.tx_code}
    earlier = await _latest_offers(issuer)
    return await pages.render(
        request,
        "preview.html",
        switch=LanguageSwitch(f"/results/{import_id}/preview", fields),
        import_id=import_id,
        fields=fields,
        once=new_id(),
        credential_type=credential_type,
        drafts=drafts,
        previews=[
            preview(credential_type, draft.claims, issuer=issuer.issuer, recipient=draft.recipient)
            for draft in drafts[:MOST_PREVIEWS]
        ],
        with_tx_code=choice.tx_code == "yes",
        offered_before=sum(result_id in earlier for result_id in choice.result_ids),
        lifetime_days=max(1, issuer.settings.offer_lifetime_hours // 24),
    )


@router.post("/results/{import_id}/offer", dependencies=[FromOurForm])
async def make_offers(
    request: Request,
    import_id: str,
    issuer: IssuerDep,
    pages: PagesDep,
    results: Line = "",
    type: Line = "",
    tx_code: Line = "",
    once: Line = "",
) -> Response:
    """Make the offers. The same form sent twice makes them once."""
    choice = Choice(tuple(one for one in results.split(",") if one), type, tx_code)
    if choice.faults(pages.translator(request)) or not once:
        return pages.redirect(f"/results/{import_id}")
    drafts = await _drafts(issuer, import_id, choice)
    if not await issuer.store.database.run(_first_time, issuer, once):
        return pages.redirect("/offered", message=N_("These offers were made already."), kind="info")
    made: list[Offer] = await issuer.store.database.run(lambda: issuer.store.offers.create(drafts, now=issuer.clock()))
    if len(made) == 1:
        return pages.redirect(f"/offered/{made[0].id}", message=N_("The offer was made. Hand it over."))
    return pages.redirect("/offered", message=N_("The offers were made. Hand them over."))


@router.post("/results/{import_id}/delete", dependencies=[FromOurForm])
async def delete_import(import_id: str, issuer: IssuerDep, pages: PagesDep) -> Response:
    """Erase the results of a file. Offers that were made from them stay."""
    await issuer.store.database.run(issuer.store.results.delete_import, import_id)
    return pages.redirect("/", message=N_("The results were erased. Offers made from them stay."))


def _first_time(issuer: IssuerContext, once: str) -> bool:
    now = issuer.clock()
    with issuer.store.database.transaction() as connection:
        return spend(connection, SPENT, kind=_ONCE, value=once, expires_at=now + _ONCE_LIFETIME, now=now)


async def _choose_page(
    request: Request,
    issuer: IssuerContext,
    import_id: str,
    *,
    q: str,
    chosen: Sequence[str] | None,
    errors: list[tuple[str, str]],
    choice: Choice | None = None,
    status: int = 200,
) -> Response:
    """The page with the results. `chosen` None means all of them that are shown."""
    pages = the_pages(request)
    t = pages.translator(request)
    store = issuer.store
    record = await store.database.run(store.results.get_import, import_id)
    found = await store.database.run(lambda: store.results.list_results(import_id, limit=100_000))
    matching = [result for result in found if _matches(result, q)]
    earlier = await _latest_offers(issuer)
    fields = {"results": ",".join(chosen or ()), "type": choice.type_name, "tx_code": choice.tx_code} if choice else {}
    return await pages.render(
        request,
        "results.html",
        status=status,
        switch=LanguageSwitch(f"/results/{import_id}/preview", fields) if choice else None,
        record=record,
        lines=[result_line(r.achievement, t, result_id=r.id) for r in matching[:MOST_ROWS]],
        matching_count=len(matching),
        most_rows=MOST_ROWS,
        q=q,
        chosen=[r.id for r in matching[:MOST_ROWS]] if chosen is None else list(chosen),
        errors=errors,
        wrong=dict(errors),
        choice=choice or Choice((), "", ""),
        types=list(CREDENTIAL_TYPES.values()),
        earlier=earlier,
        offer_words=OFFERS,
    )


def _matches(result: Result, q: str) -> bool:
    achievement = result.achievement
    told = " ".join((achievement.learner.name, achievement.code or "", *(achievement.title or {}).values()))
    return all(word in told.casefold() for word in q.casefold().split())


async def _latest_offers(issuer: IssuerContext) -> dict[str, Offer]:
    """The latest offer of each result that was offered."""
    offers = await issuer.store.database.run(lambda: issuer.store.offers.list_offers(now=issuer.clock(), limit=10_000))
    return {result_id: offer for offer in reversed(offers) for result_id in offer.result_ids}


async def _drafts(issuer: IssuerContext, import_id: str, choice: Choice) -> list[OfferDraft]:
    """One draft for each certificate: one per result, or one per person and awarding body for a type of many.

    Raises `IncompleteRecords` naming every result that lacks a demanded element, `NoSuchResult`.
    """
    credential_type = CREDENTIAL_TYPES[choice.type_name]
    store = issuer.store
    found = await store.database.run(store.results.get_results, choice.result_ids)
    if any(result.import_id != import_id for result in found):
        raise NotFound("there is no such result in this import")
    lacking = [(r.achievement, m) for r in found if (m := credential_type.completeness(r.achievement).missing_demanded)]
    if lacking:
        raise IncompleteRecords(credential_type, lacking)
    groups: dict[tuple[str, ...], list[Result]] = {}
    for result in found:
        achievement = result.achievement
        body = achievement.awarding_body.model_dump_json() if achievement.awarding_body else ""
        together = (achievement.learner.model_dump_json(), body)
        groups.setdefault((result.id,) if credential_type.takes == "one" else together, []).append(result)
    return [
        draft_offer(
            credential_type,
            [result.achievement for result in group],
            with_tx_code=choice.tx_code == "yes",
            result_ids=[result.id for result in group],
        )
        for group in groups.values()
    ]


def _incomplete(exc: IncompleteRecords, t: Translator) -> str:
    records = ", ".join(list(exc.missing)[:10])
    return t(
        N_(
            "These results lack something that this kind of certificate needs: %(records)s. Leave them out, or choose "
            "another kind."
        ),
        records=records,
    )
