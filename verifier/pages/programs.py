"""Programs that are told when their requests change, and what could not be delivered to them."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.i18n import N_, Translator
from verifier.pages.access import FromOurForm, PagesDep, SignedIn, VerifierDep
from verifier.pages.board import EVENTS
from verifier.store import UndeliveredMessage

router = APIRouter(dependencies=[SignedIn])

_PROBLEMS = {
    "unreachable": N_("The address could not be reached."),
    "address_refused": N_("The address leads to a place that must not be asked."),
}


@dataclass(frozen=True, slots=True)
class ProgramLine:
    """One program: what its key is called, where it is told (the host alone; an address may hold a secret)."""

    label: str
    host: str
    waiting: int
    undelivered: int


@dataclass(frozen=True, slots=True)
class UndeliveredLine:
    """One message that is not tried any more."""

    id: str
    label: str
    what: str
    at: datetime
    why: str
    request_id: str

    @classmethod
    def of(cls, one: UndeliveredMessage, t: Translator) -> "UndeliveredLine":
        """The line of a message."""
        known = _PROBLEMS.get(one.problem)
        why = t(known) if known else t(N_("The program answered with the code %(code)s."), code=one.problem)
        return cls(one.id, one.label, t(EVENTS[one.event]), one.at, why, one.request_id)


@router.get("/programs")
async def programs(request: Request, verifier: VerifierDep, pages: PagesDep) -> Response:
    """Who is told, and what did not arrive."""
    t, store = pages.translator(request), verifier.courier.store
    lines = [
        ProgramLine(one.label, urlsplit(one.url).hostname or "", one.waiting, one.undelivered)
        for one in await verifier.database.run(store.all)
    ]
    dead = [UndeliveredLine.of(one, t) for one in await verifier.database.run(store.undelivered)]
    return await pages.render(request, "programs.html", programs=lines, dead=dead)


@router.post("/programs/{message_id}/again", dependencies=[FromOurForm])
async def send_again(verifier: VerifierDep, pages: PagesDep, message_id: str) -> Response:
    """Try a message anew."""
    await verifier.database.run(lambda: verifier.courier.store.send_again(message_id, now=verifier.clock()))
    return pages.redirect("/programs", message=N_("It is being sent again."))
