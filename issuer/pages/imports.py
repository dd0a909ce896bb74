"""Reading a file of results: a dry run first, with every fault or with what it holds; kept only when somebody says so.

Between the two the file waits sealed under the key of the session that sent it, for an hour at most.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import APIRouter, Request, UploadFile
from fastapi.responses import Response

from issuer.context import IssuerContext
from issuer.pages.access import FromOurForm, IssuerDep, PagesDep, SignedIn, StaffDep
from issuer.pages.reports import gaps, grouped_notes, result_line
from issuer.results import ImportRefused, Limits, Results, read_results
from issuer.store.pending import NoSuchPendingFile, PendingFiles
from issuer.store.results import ImportDraft
from proofs.sealing import SealBroken, seal, unseal
from schemas.learning.notes import stored_note
from schemas.learning.texts import clean_text
from service.commands import patiently
from service.i18n import N_
from service.sessions import Session

router = APIRouter(dependencies=[SignedIn])

PAGE_ROWS = 25
MOST_NOTES = 500
"""Notes that are kept with the results of a file."""
_CONTEXT = b"issuer pending file"
_NO_FILE = N_("Choose a file.")


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A file that somebody sent and looks at."""

    name: str
    data: bytes


def today(issuer: IssuerContext) -> date:
    """The latest day that it already is somewhere: records made further east may be dated tomorrow."""
    return (issuer.clock() + timedelta(hours=14)).date()


@router.get("/import")
async def form(request: Request, pages: PagesDep) -> Response:
    """Where a file is chosen."""
    return await pages.render(request, "import.html", errors=[])


@router.post("/import", dependencies=[FromOurForm])
async def upload(
    request: Request, issuer: IssuerDep, pages: PagesDep, session: StaffDep, file: UploadFile | None = None
) -> Response:
    """Take a file and show what reading it gives. Nothing of it is kept yet."""
    data = await file.read() if file is not None else b""
    if file is None or not file.filename:
        errors = [("file", pages.translator(request)(_NO_FILE))]
        return await pages.render(request, "import.html", status=400, errors=errors)
    name = clean_text(file.filename)[-100:] or "results"
    sealed = seal(session.key_material, name.encode() + b"\n" + data, context=_CONTEXT)
    waiting = PendingFiles(issuer.store.database)
    pending_id = await issuer.store.database.run(lambda: waiting.keep(sealed, now=issuer.clock()))
    return pages.redirect(f"/import/{pending_id}")


@router.get("/import/{pending_id}")
async def dry_run(
    request: Request, pending_id: str, issuer: IssuerDep, pages: PagesDep, session: StaffDep, page: int = 0
) -> Response:
    """What the file holds, or everything that is wrong with it."""
    try:
        file = await _waiting(issuer, session, pending_id)
    except NoSuchPendingFile:
        return await pages.render(request, "import_gone.html", status=404)
    try:
        results = await _read(issuer, file)
    except ImportRefused as refusal:
        problems, count = refusal.problems, refusal.count
        return await pages.render(request, "import_refused.html", file=file, problems=problems, count=count)
    t = pages.translator(request)
    page = max(0, min(page, (len(results.records) - 1) // PAGE_ROWS))
    shown = results.records[page * PAGE_ROWS : (page + 1) * PAGE_ROWS]
    before = await issuer.store.database.run(issuer.store.results.find_file, results.sha256)
    incomplete_count, gap_lines = await asyncio.to_thread(gaps, results.records, t)
    return await pages.render(
        request,
        "import_report.html",
        file=file,
        pending_id=pending_id,
        results=results,
        lines=[result_line(record, t) for record in shown],
        notes=grouped_notes(results.warnings, t),
        incomplete_count=incomplete_count,
        gaps=gap_lines,
        page=page,
        page_count=(len(results.records) - 1) // PAGE_ROWS + 1,
        before=before,
    )


@router.post("/import/{pending_id}/keep", dependencies=[FromOurForm])
async def keep(request: Request, pending_id: str, issuer: IssuerDep, pages: PagesDep, session: StaffDep) -> Response:
    """Keep the results of a file that could be read, so that they can be offered. Pressed twice it keeps them once."""
    try:
        file = await _waiting(issuer, session, pending_id)
        results = await _read(issuer, file)
        draft = ImportDraft(
            file_name=file.name,
            file_format=results.source.value,
            file_sha256=results.sha256,
            warnings=tuple(stored_note(warning) for warning in results.warnings[:MOST_NOTES]),
            records=results.records,
        )
        store, now = issuer.store, issuer.clock()
        # Beside the loop that serves: it rests between batches, so that wallets get their turn.
        kept = await store.database.run_beside(
            store.results.save_import, draft, now=now, pending_id=pending_id, patiently=patiently, rest=time.sleep
        )
    except NoSuchPendingFile:
        return await pages.render(request, "import_gone.html", status=404)
    except ImportRefused:
        return pages.redirect(f"/import/{pending_id}")
    return pages.redirect(f"/results/{kept.id}", message=N_("The results were kept. Choose which of them to offer."))


@router.post("/import/{pending_id}/discard", dependencies=[FromOurForm])
async def discard(pending_id: str, issuer: IssuerDep, pages: PagesDep, session: StaffDep) -> Response:
    """Throw a waiting file away: one's own, and one that is gone already is no fault."""
    try:
        await _waiting(issuer, session, pending_id)
    except NoSuchPendingFile:
        return pages.redirect("/import")
    await issuer.store.database.run(PendingFiles(issuer.store.database).discard, pending_id)
    return pages.redirect("/import", message=N_("The file was thrown away. Nothing of it was kept."))


async def _waiting(issuer: IssuerContext, session: Session, pending_id: str) -> WaitingFile:
    waiting = PendingFiles(issuer.store.database)
    sealed = await issuer.store.database.run(lambda: waiting.get(pending_id, now=issuer.clock()))
    try:
        name, _, data = unseal(session.key_material, sealed, context=_CONTEXT).partition(b"\n")
    except SealBroken as exc:  # Another session sent it; whose it is is nobody's business.
        raise NoSuchPendingFile from exc
    return WaitingFile(name.decode(), data)


async def _read(issuer: IssuerContext, file: WaitingFile) -> Results:
    """Read the file beside the event loop: a large one takes a while, and wallets must not wait for it."""
    return await asyncio.to_thread(
        read_results, file.data, file.name, profile=issuer.profile, limits=Limits(), today=today(issuer)
    )
