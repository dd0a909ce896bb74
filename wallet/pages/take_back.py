"""Taking back, asking for deletion, how it stands, and complaining: from the entry of a share (S6).

One page says what it can and cannot do (CS-34), one press does it: no more steps than sharing took (CS-33).
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from schemas.withdrawal import Action
from service.i18n import N_
from service.pages import FormSwitch
from wallet.hosts import host_of
from wallet.ledger import Entry
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, WalletDep, the_wallet
from wallet.pages.complaint_words import complaint
from wallet.pages.history_view import row_view, titles_of
from wallet.pages.take_back_words import OTHER_WAYS_TOO, names_of, standing_view, ways_of
from wallet.pages.ways_out import to_the_authority
from wallet.taking_back import Standing, State, can_take_back, separable
from wallet.vault import UnlockedVault
from wallet.withdrawals import WAYS, NothingChosen, Withdrawals

router = APIRouter()

ACTIONS = {"take-back": Action.WITHDRAW, "ask-delete": Action.ERASE}
CHOOSE = N_("Choose at least one item, or ask for everything.")
REMINDED = N_("It is noted. The answer is still missing.")
SAID = {
    State.DONE: (N_("They say that it is deleted."), "good"),
    State.PARTLY: (N_("They say that a part of it is deleted."), "warning"),
    State.REFUSED: (N_("They said no. Their reason stands below."), "warning"),
    State.ACKNOWLEDGED: (N_("They have received it."), "good"),
    State.MARKED: (N_("It is noted. They must answer within one month."), "good"),
    State.NOT_SENT: (N_("It could not be sent. It is kept, and tried again."), "warning"),
    State.NOT_ACCEPTED: (N_("They answered with an error."), "warning"),
    State.SENT: (N_("It was sent. We do not know yet whether they have it."), "warning"),
    State.OVERDUE: (N_("The answer is still missing."), "warning"),
    State.ESCALATED: (N_("The answer is still missing."), "warning"),
}


@router.get("/history/{entry_id}/take-back")
async def take_back_page(
    request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, entry_id: str
) -> Response:
    """What it can and cannot do, and the one button."""
    return await _show(request, pages, vault, Withdrawals(wallet), entry_id, "take-back")


@router.get("/history/{entry_id}/ask-delete")
async def ask_delete_page(
    request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, entry_id: str
) -> Response:
    """The same for chosen items, or for everything."""
    return await _show(request, pages, vault, Withdrawals(wallet), entry_id, "ask-delete")


async def _show(
    request: Request,
    pages: PagesDep,
    vault: UnlockedVault,
    withdrawals: Withdrawals,
    entry_id: str,
    wish: str,
    *,
    chosen: tuple[int, ...] | None = None,
    fault: str = "",
) -> Response:
    entry, t = withdrawals.entry(vault, entry_id), pages.translator(request)
    titles = titles_of(vault)
    standing, wallet = withdrawals.standing(entry), the_wallet(request)
    if not can_take_back(entry) or standing.is_gone:
        return pages.redirect(f"/history/{entry_id}")
    means, parts = withdrawals.means(vault, entry_id), separable(entry)
    return await pages.render(
        request,
        "history/take_back.html",
        status=400 if fault else 200,
        switch=FormSwitch("wish-form", f"/history/{entry_id}/{wish}"),
        view=row_view(entry, t, now=wallet.clock(), titles=titles),
        wish=wish,
        items=list(zip(parts, names_of(entry, parts, t, unique=False, titles=titles), strict=True)),
        chosen=() if chosen is None else chosen,
        names=names_of(entry, chosen, t),
        by_wallet=means is not None and means.can_ask,
        other_ways=means is None or not means.can_ask or standing.state in OTHER_WAYS_TOO,
        other_host=_other_host(entry, means.endpoint if means is not None else ""),
        ways=ways_of(
            entry.facts,
            t,
            names=names_of(entry, chosen, t),
            day=t.date(entry.decided_at or entry.at),
            action=ACTIONS[wish],
        ),
        is_signed=bool(entry.facts.get("notice_signed")),
        fault=fault,
    )


def _other_host(entry: Entry, endpoint: str) -> str:
    """The host that is written to, when it is another one than the answer went to."""
    host = host_of(endpoint) if endpoint else ""
    return "" if host == entry.host else host


@router.post("/history/{entry_id}/take-back", dependencies=[FromOurForm])
async def take_back(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    entry_id: str,
    decision: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Take a share back, if that is what was pressed."""
    return await _decided(request, pages, vault, Withdrawals(wallet), entry_id, "take-back", decision, None)


@router.post("/history/{entry_id}/ask-delete", dependencies=[FromOurForm])
async def ask_delete(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    entry_id: str,
    decision: Annotated[str, Form(max_length=20)] = "",
    item: Annotated[list[int], Form(max_length=200)] = [],  # noqa: B006 - FastAPI copies it.
    said: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Ask to delete what is ticked; everything when all of it is. `said`: the page had said that nothing was ticked."""
    return await _decided(
        request, pages, vault, Withdrawals(wallet), entry_id, "ask-delete", decision, item, said=bool(said)
    )


async def _decided(
    request: Request,
    pages: PagesDep,
    vault: UnlockedVault,
    withdrawals: Withdrawals,
    entry_id: str,
    wish: str,
    decision: str,
    item: list[int] | None,
    *,
    said: bool = False,
) -> Response:
    if decision == "leave":
        return pages.redirect(f"/history/{entry_id}")
    entry = withdrawals.entry(vault, entry_id)
    # What the person writes or says themself is about everything unless they tick: so reads the letter on the page.
    is_all = decision == "everything" or (decision in WAYS and not item)
    chosen = None if item is None or is_all else tuple(sorted(set(item)))
    try:
        withdrawals.check(entry, chosen)
        if chosen is not None and len(chosen) == len(entry.went):
            chosen = None
        if decision in WAYS:
            standing = withdrawals.note_sent(vault, entry_id, ACTIONS[wish], chosen=chosen, way=decision)
            if standing.is_overdue:
                return pages.redirect(f"/history/{entry_id}", message=REMINDED, kind="warning")
        elif decision in ("send", "everything"):
            language = pages.language(request)
            standing = await withdrawals.wish(vault, entry_id, ACTIONS[wish], chosen=chosen, language=language)
        else:  # The Enter key, and "write it anew": nothing is decided by that.
            return await _show(request, pages, vault, withdrawals, entry_id, wish, chosen=chosen)
    except NothingChosen:
        fault = pages.translator(request)(CHOOSE) if decision or said else ""
        return await _show(request, pages, vault, withdrawals, entry_id, wish, fault=fault)
    return _back(pages, entry_id, standing)


def _back(pages: PagesDep, entry_id: str, standing: Standing) -> Response:
    message, kind = SAID.get(standing.state, ("", "good"))
    return pages.redirect(f"/history/{entry_id}", message=message, kind=kind)


@router.post("/history/{entry_id}/look", dependencies=[FromOurForm])
async def look(vault: VaultDep, wallet: WalletDep, pages: PagesDep, entry_id: str) -> Response:
    """Ask how it stands, or try again."""
    standing = await Withdrawals(wallet).look(vault, entry_id)
    if standing.state is State.NONE:
        return pages.redirect(f"/history/{entry_id}", message=N_("They have said nothing of it yet."), kind="info")
    return _back(pages, entry_id, standing)


@router.post("/history/{entry_id}/note", dependencies=[FromOurForm])
async def note(
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    entry_id: str,
    decision: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """What the person learned or did outside the wallet."""
    withdrawals = Withdrawals(wallet)
    if decision == "complained":
        withdrawals.note_complaint(vault, entry_id)
    elif decision:
        withdrawals.note_answer(vault, entry_id, decision)
    return pages.redirect(f"/history/{entry_id}", message=N_("It is noted.") if decision else "")


@router.get("/history/{entry_id}/complaint")
async def complaint_page(
    request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, entry_id: str
) -> Response:
    """A complaint to the authority, ready to send."""
    withdrawals, t = Withdrawals(wallet), pages.translator(request)
    entry = withdrawals.entry(vault, entry_id)
    standing = withdrawals.standing(entry)
    view = standing_view(entry, standing, t)
    if not view["has_letter"]:
        return pages.redirect(f"/history/{entry_id}")
    subject, body = complaint(entry, standing, t)
    return await pages.render(
        request,
        "history/complaint.html",
        view=row_view(entry, t, now=wallet.clock(), titles={}),
        standing=view,
        letter=to_the_authority(subject, body),
    )
