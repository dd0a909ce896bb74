"""The first page of staff: every request and where it stands, live; and the log of everything that happened."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from schemas.standing_permission import RecheckOutcome
from service.accounts import Accounts
from service.i18n import N_, Translator
from verifier.exchange import Verifier
from verifier.pages.access import PagesDep, SignedIn, VerifierDep, the_pages
from verifier.pages.live import event_stream
from verifier.pages.recheck_words import CHECKED_AGAIN
from verifier.pages.stands import Row, rows_of, tallies_of
from verifier.store import Event, LogEntry, RequestRecord
from verifier.store.log import COMMAND_LINE
from verifier.verification import Verdict, says_genuine

router = APIRouter(dependencies=[SignedIn])

PAGE_ROWS = 50
LOG_ROWS = 300

EVENTS = {
    Event.MADE: N_("The request was made"),
    Event.OPENED: N_("A wallet opened the request"),
    Event.ANSWERED: N_("An answer came"),
    Event.DECLINED: N_("The other person did not share"),
    Event.RETURNED: N_("The person came back to this site"),
    Event.NOT_RETURNED: N_("The answer did not come back to the browser that asked"),
    Event.EXPIRED: N_("The time for answering ended"),
    Event.VIEWED: N_("The values were looked at"),
    Event.DELETED: N_("The values were deleted"),
    Event.WITHDRAWN: N_("The person took back what was shared"),
    Event.ERASURE_ASKED: N_("The person's wish for deletion was noted for staff"),
    Event.DELETION_REFUSED: N_("Deletion was refused on a ground in law"),
    Event.COPY_DELETED: N_("The program that asked said that its copy is deleted"),
    Event.COUNTERSIGNED: N_("A receipt of the person was countersigned"),
    Event.PERMITTED: N_("The person lets us check again"),
    Event.PERMISSION_PAUSED: N_("The person paused the later checks"),
    Event.PERMISSION_RESUMED: N_("The person lets the later checks go on"),
    Event.PERMISSION_ENDED: N_("The permission to check again ended"),
    Event.RECHECK_BEGUN: N_("A later check began"),
    Event.RECHECKED: N_("A later check was made"),
}
_BY_SOMEBODY = frozenset({Event.VIEWED, Event.DELETED, Event.DELETION_REFUSED})
_OUTCOMES = {
    Verdict.ACCEPTED.value: N_("Every check held"),
    Verdict.REJECTED.value: N_("Something did not hold"),
    Verdict.UNDETERMINED.value: N_("Something could not be checked"),
}


@router.get("/")
async def board(
    request: Request, verifier: VerifierDep, pages: PagesDep, page: Annotated[int, Query(ge=0, le=10_000)] = 0
) -> Response:
    """Every request, newest first, fifty at a time."""
    rows, has_older = await _rows(verifier, pages.language(request), page)
    trust = await verifier.database.run(verifier.trust.trust, now=verifier.clock())
    return await pages.render(
        request,
        "board.html",
        rows=rows,
        tallies=tallies_of(rows),
        page=page,
        has_older=has_older,
        trusted=bool(trust.entries),
    )


@router.get("/events")
async def board_events(request: Request, verifier: VerifierDep) -> Response:
    """Says when something has changed on the board."""

    async def look() -> tuple[object, bool]:
        return await verifier.database.run(verifier.requests.change_counter), False

    return event_stream(request, verifier, look)


async def _rows(verifier: Verifier, language: str, page: int) -> tuple[list[Row], bool]:
    await verifier.tidy()
    # A request that was made as a link and a QR code is two transactions.
    limit = 2 * PAGE_ROWS
    records = await verifier.database.run(
        lambda: verifier.requests.list_transactions(now=verifier.clock(), limit=limit + 1, offset=page * limit)
    )
    return rows_of(records[:limit], language), len(records) > limit


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log as it is read."""

    number: int
    at: datetime
    what: str
    told: str
    request_id: str
    title: str


@router.get("/log")
async def log(request: Request, verifier: VerifierDep, pages: PagesDep) -> Response:
    """What happened, newest first. No value is in it."""
    await verifier.tidy()
    t = pages.translator(request)
    entries = await verifier.database.run(lambda: verifier.requests.log(limit=LOG_ROWS))
    ids = {entry.request_id for entry in entries}
    records = await verifier.database.run(lambda: verifier.requests.several(ids, now=verifier.clock()))
    people = await viewers(request, t)
    lines = [
        LogLine(
            entry.number,
            entry.at,
            t(EVENTS[entry.event]),
            told(entry, t, is_untold=is_untold(records.get(entry.request_id)), people=people),
            entry.request_id,
            title_of(records.get(entry.request_id), t) or entry.template_name,
        )
        for entry in entries
    ]
    return await pages.render(request, "log.html", entries=lines, is_whole=verifier.log_is_whole)


def is_untold(record: RequestRecord | None) -> bool:
    """Whether the verdict of a request is not told any more."""
    return record is not None and record.is_untold


def title_of(record: RequestRecord | None, t: Translator) -> str:
    """What people call the request, by the template that it was made from; "" for one that is not there."""
    return "" if record is None else record.transaction.question.template.title.text(t.language)


@dataclass(frozen=True, slots=True)
class Viewers:
    """Says who did something. Login names are kept as digests only (`service.accounts`): an account has a number."""

    me: str
    programs: Mapping[str, str]
    t: Translator

    def named(self, actor: str) -> str:
        """`By you`, by a program or from the command line; else by the number of the account."""
        if actor == COMMAND_LINE:
            return self.t(N_("From the command line"))
        if actor == self.me:
            return self.t(N_("By you"))
        if actor in self.programs:
            return self.t(N_("By the program “%(name)s”"), name=self.programs[actor])
        return self.t(N_("By another account, number %(number)s"), number=actor[:8])


async def viewers(request: Request, t: Translator) -> Viewers:
    """Who may stand in the log: whoever is signed in here, and the programs by the names of their keys."""
    session = await the_pages(request).session(request)
    accounts: Accounts = request.app.state.accounts
    programs = {key.id: key.label for key in await accounts.api_keys()}
    return Viewers(session.subject if session is not None else "", programs, t)


def told(entry: LogEntry, t: Translator, *, is_untold: bool = False, people: Viewers | None = None) -> str:
    """What an entry of the log adds: who looked; the outcome of an answer, unless that told a value that is deleted.
    Why somebody did not share is nobody's business."""
    if entry.event in _BY_SOMEBODY and entry.actor and people is not None:
        return people.named(entry.actor)
    tells = entry.event in (Event.ANSWERED, Event.RETURNED) and not is_untold
    text = _OUTCOMES.get(entry.outcome) if tells else None
    if tells and entry.outcome == Verdict.REJECTED.value and says_genuine(entry.detail):
        text = N_("Genuine, but not what you accept")
    if entry.event is Event.RECHECKED:
        text = CHECKED_AGAIN[RecheckOutcome(entry.outcome)].word
    return t(text) if text else ""
