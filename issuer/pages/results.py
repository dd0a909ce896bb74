"""The results of a file that was kept: choosing, previewing as the person and as a machine sees it, and offering."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from issuer import bulk
from issuer.context import IssuerContext
from issuer.earlier import EarlierOffers, earlier_offers
from issuer.offers import (
    IncompleteRecords,
    OfferDraft,
    OfferedMeanwhile,
    UnsuitableRecords,
    draft_offers,
    named_record,
    new_id,
)
from issuer.pages.access import FromOurForm, IssuerDep, PagesDep, SignedIn, the_pages
from issuer.pages.reports import grouped_notes, preview, result_line
from issuer.pages.words import OFFERS
from issuer.store.results import Import, Result
from schemas.errors import NotFound
from schemas.learning.notes import told_note
from schemas.learning.texts import clean_text
from schemas.types import CREDENTIAL_TYPES, CredentialType, types_for
from service.commands import patiently
from service.i18n import N_, Translator
from service.pages import LanguageSwitch

router = APIRouter(dependencies=[SignedIn])

PAGE_ROWS = 500
"""As many as can be offered at once."""
MOST_PREVIEWS = 5
MOST_NAMED = 10
_NOTHING_CHOSEN = N_("Choose at least one result.")
_OTHER_TYPE = N_("Such a certificate is not made of these results. Choose another kind.")
_NO_TYPE = N_("Choose which kind of certificate to make.")
_OR_LEAVE_OUT = N_("Or leave these results out, or choose another kind of certificate.")
_ALREADY = N_("These offers were made already.")
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
    request: Request, import_id: str, issuer: IssuerDep, q: str = "", choose: str = "", page: int = 0
) -> Response:
    """The results of one file, to choose from."""
    chosen = None if choose == "all" else ()
    return await _choose_page(request, issuer, import_id, q=q, page=page, chosen=chosen, errors=[])


@router.get("/results/{import_id}/{result_id}")
async def one(request: Request, import_id: str, result_id: str, issuer: IssuerDep, pages: PagesDep) -> Response:
    """One result: its elements, its previews, and the offers made from it."""
    store, t = issuer.store, pages.translator(request)
    (result,) = await store.database.run(store.results.get_results, [result_id])
    if result.import_id != import_id:
        raise NotFound("there is no such result in this import")
    offers = await store.database.run(lambda: store.offers.of_result(result_id, now=issuer.clock()))
    previews = []
    record = result.record.dated(issuer.settings.day_of(issuer.clock()))
    for credential_type in types_for(record).values():
        if not credential_type.completeness(record).missing_demanded:
            claims = credential_type.claims_from([record])
            seen = preview(credential_type, claims, issuer=issuer.issuer, recipient=record.learner.name)
            previews.append((credential_type, seen))
    return await pages.render(
        request,
        "result.html",
        line=result_line(record, t, result_id=result.id),
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
    q: Line = "",
    page: int = Form(default=0),
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
            errors = [("results", sentence) for sentence in _incomplete(exc, t)]
        except UnsuitableRecords:
            errors = [("type-1", t(_OTHER_TYPE))]
    if errors:
        return await _choose_page(
            request,
            issuer,
            import_id,
            q=q,
            page=page,
            chosen=choice.result_ids,
            errors=errors,
            choice=choice,
            status=400,
        )
    return await _preview_page(request, issuer, import_id, choice, drafts, await _earlier(issuer, drafts))


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
    known: int = Form(default=0),
) -> Response:
    """Make the offers. The same form sent twice makes them once.

    `known` is how many earlier offers of the same the page told of. When there are more by now, because somebody else
    or another window has offered them meanwhile, nothing is made and the page tells of them.
    """
    choice = Choice(tuple(one for one in results.split(",") if one), type, tx_code)
    if choice.faults(pages.translator(request)) or not once:
        return pages.redirect(f"/results/{import_id}")
    drafts = await _drafts(issuer, import_id, choice)
    store, now = issuer.store, issuer.clock()
    try:
        # Beside the loop that serves: it rests between batches, so that wallets get their turn.
        made = await store.database.run_beside(
            bulk.make_offers,
            store.offers,
            drafts,
            now=now,
            patiently=patiently,
            rest=time.sleep,
            once=once,
            known=known,
        )
    except OfferedMeanwhile:
        earlier = await _earlier(issuer, drafts)
        return await _preview_page(request, issuer, import_id, choice, drafts, earlier, is_news=True, status=409)
    if not made:
        # The form was used before. Where that run did not come to its end, what is missing can be made from here.
        earlier = await _earlier(issuer, drafts)
        if all(earlier.of_draft(draft) for draft in drafts):
            return pages.redirect("/offered", message=_ALREADY, kind="info")
        return await _preview_page(request, issuer, import_id, choice, drafts, earlier, is_news=True, status=409)
    if len(made) == 1:
        return pages.redirect(f"/offered/{made[0].id}", message=N_("The offer was made. Hand it over."))
    return pages.redirect("/offered", message=N_("The offers were made. Hand them over."))


@router.post("/results/{import_id}/delete", dependencies=[FromOurForm])
async def delete_import(import_id: str, issuer: IssuerDep, pages: PagesDep) -> Response:
    """Erase the results of a file. Offers that were made from them stay."""
    await issuer.store.database.run_beside(issuer.store.results.delete_import, import_id, rest=time.sleep)
    return pages.redirect("/", message=N_("The results were erased. Offers made from them stay."))


async def _preview_page(
    request: Request,
    issuer: IssuerContext,
    import_id: str,
    choice: Choice,
    drafts: Sequence[OfferDraft],
    earlier: EarlierOffers,
    *,
    is_news: bool = False,
    status: int = 200,
) -> Response:
    """What would be offered, and what of it has been offered before. `is_news`: since the page was last shown."""
    pages = the_pages(request)
    credential_type = CREDENTIAL_TYPES[choice.type_name]
    fields = {"results": ",".join(choice.result_ids), "type": choice.type_name, "tx_code": choice.tx_code}
    repeated = [(draft, offers) for draft in drafts if (offers := earlier.of_draft(draft))]
    return await pages.render(
        request,
        "preview.html",
        status=status,
        switch=LanguageSwitch(f"/results/{import_id}/preview", fields),
        import_id=import_id,
        fields=fields,
        once=new_id(),
        known=earlier.count_of(drafts),
        is_news=is_news,
        credential_type=credential_type,
        drafts=drafts,
        previews=[
            preview(credential_type, draft.claims, issuer=issuer.issuer, recipient=draft.recipient)
            for draft in drafts[:MOST_PREVIEWS]
        ],
        with_tx_code=choice.tx_code == "yes",
        repeated=repeated[:MOST_NAMED],
        repeated_count=len(repeated),
        offer_words=OFFERS,
        lifetime_days=max(1, issuer.settings.offer_lifetime_hours // 24),
    )


async def _choose_page(
    request: Request,
    issuer: IssuerContext,
    import_id: str,
    *,
    q: str,
    page: int,
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
    found, count = await store.database.run(lambda: _search(issuer, record, q=q, page=page))
    page = max(0, min(page, (count - 1) // PAGE_ROWS))
    recipients = {result.record.learner.name for result in found}
    earlier = await store.database.run(lambda: earlier_offers(store.offers, recipients, now=issuer.clock()))
    fields = {"results": ",".join(chosen or ()), "type": choice.type_name, "tx_code": choice.tx_code} if choice else {}
    notes = [told for members in record.warnings if (told := told_note(members)) is not None]
    return await pages.render(
        request,
        "results.html",
        status=status,
        switch=LanguageSwitch(f"/results/{import_id}/preview", fields | {"q": q, "page": str(page)})
        if choice
        else None,
        record=record,
        lines=[(result_line(r.record, t, result_id=r.id), earlier.of_result(r.id, r.record)) for r in found],
        count=count,
        page=page,
        page_rows=PAGE_ROWS,
        q=q,
        chosen=[r.id for r in found] if chosen is None else list(chosen),
        errors=errors,
        wrong=_first_of_each(errors),
        choice=choice or Choice((), "", ""),
        types=list({name: one for result in found for name, one in types_for(result.record).items()}.values()),
        offer_words=OFFERS,
        notes=grouped_notes(notes, t),
    )


def _search(issuer: IssuerContext, record: Import, *, q: str, page: int) -> tuple[list[Result], int]:
    """One page of the results that match, and how many match."""
    results = issuer.store.results
    if not q.strip():
        page = max(0, min(page, (record.result_count - 1) // PAGE_ROWS))
        return results.list_results(record.id, limit=PAGE_ROWS, offset=page * PAGE_ROWS), record.result_count
    matching = [result for result in results.list_results(record.id, limit=record.result_count) if _matches(result, q)]
    page = max(0, min(page, (len(matching) - 1) // PAGE_ROWS))
    return matching[page * PAGE_ROWS : (page + 1) * PAGE_ROWS], len(matching)


def _matches(result: Result, q: str) -> bool:
    record = result.record
    told = " ".join((record.learner.name, record.code or "", *(record.title or {}).values())).casefold()
    return all(word in told for word in clean_text(q).casefold().split())


async def _earlier(issuer: IssuerContext, drafts: Sequence[OfferDraft]) -> EarlierOffers:
    store = issuer.store
    recipients = {draft.recipient for draft in drafts}
    return await store.database.run(lambda: earlier_offers(store.offers, recipients, now=issuer.clock()))


async def _drafts(issuer: IssuerContext, import_id: str, choice: Choice) -> list[OfferDraft]:
    """One draft for each certificate: one per result, or one per person and awarding body for a type of many.

    Raises `IncompleteRecords` naming every result that lacks a demanded element, `NoSuchResult`.
    """
    store = issuer.store
    found = await store.database.run(store.results.get_results, choice.result_ids)
    if any(result.import_id != import_id for result in found):
        raise NotFound("there is no such result in this import")
    today = issuer.settings.day_of(issuer.clock())
    return draft_offers(
        CREDENTIAL_TYPES[choice.type_name],
        [result.record.dated(today) for result in found],
        with_tx_code=choice.tx_code == "yes",
        result_ids=[result.id for result in found],
    )


def _incomplete(exc: IncompleteRecords, t: Translator) -> list[str]:
    """A sentence for everything that is lacking: of which results, and how it can be supplied."""
    lacking: dict[str, list[str]] = {}
    for record, codes in exc.lacking:
        for code in codes:
            lacking.setdefault(code, []).append(f"{named_record(record, t.language)}, {record.learner.name}")
    sentences = []
    for code, records in lacking.items():
        element = exc.credential_type.element(code)
        more = [t(N_("%(num)s more"), num=len(records) - MOST_NAMED)] if len(records) > MOST_NAMED else []
        told = t(
            N_("%(element)s (%(code)s) is missing for %(records)s."),
            element=element.name[t.language],
            code=code,
            records="; ".join((*records[:MOST_NAMED], *more)),
        )
        sentences.append(f"{told} {element.supply[t.language]} {t(_OR_LEAVE_OUT)}")
    return sentences


def _first_of_each(errors: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The sentences of each field, joined."""
    told: dict[str, str] = {}
    for field, sentence in errors:
        told[field] = f"{told[field]} {sentence}" if field in told else sentence
    return told
