"""Asking for a copy, and reporting a request: letters that the person sends, and notes that they did (S0 and S6)."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from service.i18n import N_
from wallet.histories import Histories
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, WalletDep
from wallet.pages.history_view import row_view
from wallet.pages.letters import copy_ways, report
from wallet.pages.ways_out import to_the_authority
from wallet.rights import Rights, can_ask_for_copy, can_report

router = APIRouter()


@router.get("/history/{entry_id}/copy")
async def copy_page(request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, entry_id: str) -> Response:
    """A letter that asks for a copy of everything they have, ready to send."""
    entry, t = Histories(wallet).entry(vault, entry_id), pages.translator(request)
    if not can_ask_for_copy(entry):
        return pages.redirect(f"/history/{entry_id}")
    return await pages.render(
        request,
        "history/copy.html",
        view=row_view(entry, t, now=wallet.clock(), titles={}),
        ways=copy_ways(entry, t),
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
    if not decision:
        return pages.redirect(f"/history/{entry_id}/copy")
    if decision == "came":
        Rights(wallet).note_copy_came(vault, entry_id)
        return pages.redirect(f"/history/{entry_id}", message=N_("It is noted."))
    Rights(wallet).note_copy_asked(vault, entry_id, way=decision)
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
