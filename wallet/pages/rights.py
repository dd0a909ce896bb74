"""Asking for a copy, objecting, reporting: letters that the person sends, and notes that they did (S0 and S6)."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from service.i18n import N_
from service.pages import Pages
from wallet.deployment import Deployment
from wallet.histories import Histories
from wallet.ledger import Entry
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, WalletDep
from wallet.pages.history_view import row_view
from wallet.pages.letters import letter_ways, report
from wallet.pages.right_words import WORDS, right_view
from wallet.pages.ways_out import to_the_authority
from wallet.rights import ANSWERS, Right, Rights, can_ask, can_report
from wallet.vault import UnlockedVault

router = APIRouter()


@router.get("/history/{entry_id}/copy")
async def copy_page(request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, entry_id: str) -> Response:
    """A letter that asks for a copy of everything they have, ready to send."""
    return await _letter_page(request, pages, wallet, Histories(wallet).entry(vault, entry_id), Right.COPY)


@router.get("/history/{entry_id}/objection")
async def objection_page(
    request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, entry_id: str
) -> Response:
    """A letter that objects to what they do on a ground of their own interest or a public task, ready to send."""
    return await _letter_page(request, pages, wallet, Histories(wallet).entry(vault, entry_id), Right.OBJECTION)


async def _letter_page(request: Request, pages: Pages, wallet: Deployment, entry: Entry, right: Right) -> Response:
    t = pages.translator(request)
    if not can_ask(entry, right):
        return pages.redirect(f"/history/{entry.id}")
    return await pages.render(
        request,
        "history/right.html",
        view=row_view(entry, t, now=wallet.clock(), titles={}),
        right=right.value,
        words=WORDS[right],
        asked_before=right_view(entry, right, t, now=wallet.clock()),
        ways=letter_ways(entry, right, t),
        is_signed=bool(entry.facts.get("notice_signed")),
    )


@router.post("/history/{entry_id}/copy", dependencies=[FromOurForm])
async def note_copy(
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    entry_id: str,
    decision: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """The person says that they have asked, or that the copy came. The Enter key says nothing."""
    return _noted(pages, Rights(wallet), vault, entry_id, Right.COPY, decision)


@router.post("/history/{entry_id}/objection", dependencies=[FromOurForm])
async def note_objection(
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    entry_id: str,
    decision: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """The person says that they have objected, or what they answered. The Enter key says nothing."""
    return _noted(pages, Rights(wallet), vault, entry_id, Right.OBJECTION, decision)


def _noted(pages: Pages, rights: Rights, vault: UnlockedVault, entry_id: str, right: Right, decision: str) -> Response:
    if not decision:
        return pages.redirect(f"/history/{entry_id}/{right.value}")
    if decision in ANSWERS[right]:
        rights.note_answered(vault, entry_id, right, decision)
        return pages.redirect(f"/history/{entry_id}", message=N_("It is noted."))
    rights.note_asked(vault, entry_id, right, way=decision)
    return pages.redirect(f"/history/{entry_id}", message=N_("It is noted. They must answer within one month."))


@router.get("/history/{entry_id}/report")
async def report_page(request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, entry_id: str) -> Response:
    """A report of a suspicious request to the authority, ready to send."""
    entry, t = Histories(wallet).entry(vault, entry_id), pages.translator(request)
    if not can_report(entry):
        return pages.redirect(f"/history/{entry_id}")
    subject, body = report(entry, t, now=wallet.clock())
    return await pages.render(
        request,
        "history/report.html",
        view=row_view(entry, t, now=wallet.clock(), titles={}),
        letter=to_the_authority(subject, body),
    )


@router.post("/history/{entry_id}/report", dependencies=[FromOurForm])
async def note_report(
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    entry_id: str,
    decision: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """The person says that they have reported it. The Enter key says nothing."""
    if decision != "reported":
        return pages.redirect(f"/history/{entry_id}/report")
    Rights(wallet).note_reported(vault, entry_id)
    return pages.redirect(f"/history/{entry_id}", message=N_("It is noted."))
