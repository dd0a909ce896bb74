"""The deletion inbox: what people took back or want deleted, one month for each, and deciding about it."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from schemas.errors import NotFound
from schemas.withdrawal import MEDIA_TYPE, StatedItem
from service.i18n import N_, Translator
from service.pages import FormSwitch, LanguageSwitch
from verifier.deletion import InvalidRefusal, stated_exception
from verifier.exchange import Verifier
from verifier.pages.access import FromOurForm, PagesDep, SignedIn, StaffDep, VerifierDep, the_pages
from verifier.pages.deletion_view import GROUNDS, DeletionView, item_lines, view_of
from verifier.pages.live import event_stream
from verifier.store import Deletion
from verifier.store.deletion_records import AlreadyDecided

router = APIRouter(dependencies=[SignedIn])

_DECIDED = N_("This was decided already. Nothing was changed.")
_FAULTS = {
    "ground": N_("Choose the ground on which it is kept."),
    "words_sv": N_("Say in Swedish why it is kept: a sentence of at most 600 characters."),
    "words_en": N_("Say in English why it is kept: a sentence of at most 600 characters."),
    "keep": N_("Tick what must be kept. To keep nothing, delete instead."),
}
_FIELDS = {"ground": "ground-1", "keep": "keep-1", "words_sv": "words_sv", "words_en": "words_en"}


@router.get("/deletions")
async def inbox(request: Request, verifier: VerifierDep, pages: PagesDep) -> Response:
    """What waits, the first that is due at the top; and what was decided last."""
    await verifier.tidy()
    t, store = pages.translator(request), verifier.deletions.store
    return await pages.render(
        request,
        "deletions.html",
        waiting=[await _view(verifier, one, t) for one in await verifier.database.run(store.open)],
        decided=[await _view(verifier, one, t) for one in await verifier.database.run(store.decided)],
        at_once=verifier.settings.withdraw_at_once,
    )


@router.get("/deletions/events")
async def inbox_events(request: Request, verifier: VerifierDep) -> Response:
    """Says when something has changed in the inbox."""

    async def look() -> tuple[object, bool]:
        return await verifier.database.run(verifier.requests.change_counter), False

    return event_stream(request, verifier, look)


@router.get("/deletions/{deletion_id}")
async def one_deletion(request: Request, verifier: VerifierDep, pages: PagesDep, deletion_id: str) -> Response:
    """One deletion: what it is about, and what can be done."""
    one = await verifier.database.run(verifier.deletions.store.get, deletion_id)
    view = await _view(verifier, one, pages.translator(request), about=await _about(verifier, one))
    return await pages.render(request, "deletion.html", one=view)


@router.get("/deletions/{deletion_id}/statement")
async def statement(verifier: VerifierDep, deletion_id: str) -> Response:
    """The signed statement, as the person's wallet gets it."""
    one = await verifier.database.run(verifier.deletions.store.get, deletion_id)
    if not one.statement:
        raise NotFound("there is no statement")
    headers = {
        "Content-Disposition": f'attachment; filename="deletion-{one.id}.jwt"',
        "Cache-Control": "no-store",
    }
    return Response(one.statement, media_type=MEDIA_TYPE, headers=headers)


@router.get("/deletions/{deletion_id}/delete")
async def confirm_deletion(request: Request, verifier: VerifierDep, pages: PagesDep, deletion_id: str) -> Response:
    """What will go, before it goes."""
    one = await verifier.database.run(verifier.deletions.store.get, deletion_id)
    return await _confirmation(request, verifier, one)


@router.post("/deletions/{deletion_id}/delete", dependencies=[FromOurForm])
async def delete(
    request: Request,
    verifier: VerifierDep,
    pages: PagesDep,
    staff: StaffDep,
    deletion_id: str,
    decision: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Delete it; anything but the button shows the page again."""
    one = await verifier.database.run(verifier.deletions.store.get, deletion_id)
    if decision == "keep":
        return pages.redirect(f"/deletions/{deletion_id}")
    if decision != "delete":
        return await _confirmation(request, verifier, one)
    try:
        done = await verifier.deletions.delete(deletion_id, actor=staff.subject)
    except AlreadyDecided:
        return pages.redirect(f"/deletions/{deletion_id}", message=_DECIDED, kind="info")
    return pages.redirect(f"/deletions/{done.id}", message=N_("Deleted. The person's wallet gets the statement."))


@router.get("/deletions/{deletion_id}/refuse")
async def refusal(request: Request, verifier: VerifierDep, pages: PagesDep, deletion_id: str) -> Response:
    """The form of a refusal. Nothing in it is chosen beforehand."""
    one = await verifier.database.run(verifier.deletions.store.get, deletion_id)
    if not one.is_open:
        return pages.redirect(f"/deletions/{deletion_id}", message=_DECIDED, kind="info")
    return await _refusal(request, verifier, one, {})


@router.post("/deletions/{deletion_id}/refuse", dependencies=[FromOurForm])
async def refuse(
    request: Request,
    verifier: VerifierDep,
    pages: PagesDep,
    staff: StaffDep,
    deletion_id: str,
    ground: Annotated[str, Form(max_length=60)] = "",
    words_sv: Annotated[str, Form(max_length=2_000)] = "",
    words_en: Annotated[str, Form(max_length=2_000)] = "",
    keep: Annotated[list[str] | None, Form()] = None,
    decision: Annotated[str, Form(max_length=20)] = "",
    to_language: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Keep what is ticked, delete the rest; anything but the button shows the page again. With `to_language` it is only
    shown again, with everything that was written and ticked."""
    one = await verifier.database.run(verifier.deletions.store.get, deletion_id)
    typed = {"ground": ground, "words_sv": words_sv, "words_en": words_en, "keep": keep or []}
    if decision == "back":
        return pages.redirect(f"/deletions/{deletion_id}")
    if not one.is_open:
        return pages.redirect(f"/deletions/{deletion_id}", message=_DECIDED, kind="info")
    if decision != "refuse" or to_language:
        return await _refusal(request, verifier, one, typed)
    askable = await verifier.database.run(verifier.deletions.store.askable, deletion_id)
    try:
        exception = stated_exception(askable, ground=ground, words_sv=words_sv, words_en=words_en, keep=typed["keep"])
    except InvalidRefusal as exc:
        return await _refusal(request, verifier, one, typed, fault=exc.field)
    try:
        done = await verifier.deletions.refuse(deletion_id, [exception], actor=staff.subject)
    except AlreadyDecided:
        return pages.redirect(f"/deletions/{deletion_id}", message=_DECIDED, kind="info")
    return pages.redirect(f"/deletions/{done.id}", message=N_("Decided. The person's wallet gets your answer."))


async def _view(verifier: Verifier, one: Deletion, t: Translator, *, about: Sequence[StatedItem] = ()) -> DeletionView:
    now = verifier.clock()
    record = await verifier.database.run(lambda: verifier.requests.get(one.request_id, now=now))
    return view_of(one, record, t, days=verifier.deletions.days_left(one.due_on), about=about)


async def _about(verifier: Verifier, one: Deletion) -> tuple[StatedItem, ...]:
    """What an open deletion is about, or what one that was refused would still delete."""
    if one.is_open:
        return await verifier.database.run(verifier.deletions.store.askable, one.id)
    return ()


async def _confirmation(request: Request, verifier: Verifier, one: Deletion) -> Response:
    pages = the_pages(request)
    about = await verifier.database.run(verifier.deletions.store.askable, one.id)
    view = await _view(verifier, one, pages.translator(request), about=about)
    if not view.may_delete:
        return pages.redirect(f"/deletions/{one.id}", message=_DECIDED, kind="info")
    switch = LanguageSwitch(f"/deletions/{one.id}/delete", {})
    return await pages.render(
        request, "deletion_confirm.html", one=view, switch=switch if request.method == "POST" else None
    )


async def _refusal(
    request: Request, verifier: Verifier, one: Deletion, typed: dict[str, Any], *, fault: str = ""
) -> Response:
    pages = the_pages(request)
    t = pages.translator(request)
    about = await _about(verifier, one)
    view = await _view(verifier, one, t, about=about)
    now = verifier.clock()
    record = await verifier.database.run(lambda: verifier.requests.get(one.request_id, now=now))
    wrong = {fault: t(_FAULTS[fault])} if fault else {}
    fields = {name: typed.get(name, "") for name in ("ground", "words_sv", "words_en")}
    return await pages.render(
        request,
        "deletion_refuse.html",
        status=400 if fault else 200,
        one=view,
        about=item_lines(about, record.transaction.question.template, t),
        grounds=[(ground.value, t(text), "") for ground, text in GROUNDS.items()],
        typed=fields | {"keep": typed.get("keep", [])},
        wrong=wrong,
        kept_until=record.retention_until,
        errors=[(_FIELDS[fault], sentence) for fault, sentence in wrong.items()],
        switch=FormSwitch("refuse-form", f"/deletions/{one.id}/refuse"),
    )
