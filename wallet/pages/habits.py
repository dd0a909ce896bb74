"""How you decide: counted only when the person wants it, and shown to nobody else (CS-43)."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from service.i18n import N_, Translator
from wallet.counting import Counting
from wallet.habits import Habits
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, WalletDep
from wallet.store.people import VaultChanged

router = APIRouter()


@router.get("/settings/habits")
async def habits_page(request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep) -> Response:
    """The numbers, or what would be counted."""
    habits = Counting(wallet).habits(vault)
    t = pages.translator(request)
    rows = _rows(habits, t) if habits else []
    times = [(_span(low, high, t), t.number(number)) for low, high, number in habits.classes] if habits else []
    since = t.date(habits.since) if habits else ""
    return await pages.render(request, "habits.html", habits=habits, since=since, rows=rows, times=times)


@router.post("/settings/habits", dependencies=[FromOurForm])
async def change_habits(
    vault: VaultDep, wallet: WalletDep, pages: PagesDep, change: Annotated[str, Form(max_length=20)] = ""
) -> Response:
    """Begin, begin again from zero, or stop and forget."""
    counting, message = Counting(wallet), ""
    try:
        if change in ("start", "again"):
            counting.start(vault)
            message = N_("Counting begins now, from zero.")
        elif change == "stop":
            counting.stop(vault)
            message = N_("Nothing is counted any more, and the numbers are deleted.")
    except VaultChanged:
        message = N_("The wallet was changed in another window at the same time. Nothing was changed here. Try again.")
        return pages.redirect("/settings/habits", message=message, kind="warning")
    return pages.redirect("/settings/habits", message=message)


def _rows(habits: Habits, t: Translator) -> list[tuple[str, str]]:
    numbers = [
        (N_("Questions you decided about"), habits.decisions),
        (N_("You shared"), habits.shared),
        (N_("You said no"), habits.refused),
        (N_("You left without answering"), habits.left),
        (N_("There was a warning"), habits.warned),
        (N_("There was a warning, and you did not share"), habits.heeded),
    ]
    return [(t(words), t.number(number)) for words, number in numbers]


def _span(low: int, high: int | None, t: Translator) -> str:
    if high is None:
        return t(N_("%(low)s seconds or longer"), low=low)
    if low == 0:
        return t(N_("Less than %(high)s seconds"), high=high)
    return t(N_("From %(low)s to %(high)s seconds"), low=low, high=high)
