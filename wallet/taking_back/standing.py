"""How taking back and deletion stand, from the events of an entry alone (CS-36).

    standing = standing_of(entry, now=now, time_zone="Europe/Stockholm")
    standing.state, standing.due_on, standing.is_overdue

What counts is what the statements cover, not what they call themselves: one that says "deleted" and leaves out what
was asked for is shown as leaving it out.
"""

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from schemas.withdrawal import Action, DeletionStatement, ItemReference, Reason, StatementOutcome
from service.i18n import in_zone
from wallet.ledger import Entry, Event, EventKind, Outcome


class State(StrEnum):
    """The states of a wish to take back or to have deleted; `NONE` when nothing was wished or said."""

    NONE = "none"
    SENT = "sent"  # on its way: no answer came, or none that can be relied on
    NOT_SENT = "not_sent"
    NOT_ACCEPTED = "not_accepted"
    MARKED = "marked"  # the person wrote or called
    ACKNOWLEDGED = "acknowledged"
    OVERDUE = "overdue"
    ESCALATED = "escalated"  # the person complained
    DONE = "done"
    PARTLY = "partly"
    REFUSED = "refused"


_WAITS = frozenset({State.SENT, State.NOT_ACCEPTED, State.MARKED, State.ACKNOWLEDGED})
PENDING = _WAITS | {State.OVERDUE, State.ESCALATED}
"""An answer is still owed: also by those who answered with an error, which is no answer to the person."""
_WISHES = frozenset({EventKind.TAKEN_BACK, EventKind.DELETION_ASKED})
_GONE_OUT = frozenset({Outcome.SHARED, Outcome.UNKNOWN, Outcome.NOT_ACCEPTED})
_HAS_LEFT = frozenset({EventKind.DELETION_UNKNOWN, EventKind.DELETION_ACKNOWLEDGED})
_STATES = {
    EventKind.DELETION_NOT_SENT: State.NOT_SENT,
    EventKind.DELETION_UNKNOWN: State.SENT,
    EventKind.DELETION_NOT_ACCEPTED: State.NOT_ACCEPTED,
    EventKind.DELETION_ACKNOWLEDGED: State.ACKNOWLEDGED,
}
_OF_THE_LINE = frozenset({State.SENT, State.NOT_SENT, State.NOT_ACCEPTED})
_ANSWERS = frozenset({EventKind.DELETION_STATED, EventKind.DELETION_ANSWERED})


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a share stands. `wish` is the latest wish, told from the day on which it was first made; `again` are the
    later times at which the same was asked of them while they owed an answer: those begin no new month. `due_on` is
    the last day for an answer.

    `complained_at` is when the person noted a complaint, about the missing answer or about the one that came.
    `statements` are all that came, with the moment at which each did; `not_mentioned` are the numbers of the wished
    items that they leave out. `is_gone` tells that by what they say nothing of the share is left there.
    """

    state: State = State.NONE
    wish: Event | None = None
    again: tuple[Event, ...] = ()
    due_on: date | None = None
    complained_at: datetime | None = None
    reason: str = ""
    statements: tuple[tuple[Event, DeletionStatement], ...] = ()
    not_mentioned: tuple[int, ...] = ()
    is_gone: bool = False
    misses_statement: bool = False

    @property
    def action(self) -> Action | None:
        """What the person wanted."""
        if self.wish is None:
            return None
        return Action.WITHDRAW if self.wish.kind is EventKind.TAKEN_BACK else Action.ERASE

    @property
    def chosen(self) -> tuple[int, ...] | None:
        """The numbers of the items that the wish is about; None for everything."""
        chosen = None if self.wish is None else self.wish.facts.get("chosen")
        return None if chosen is None else tuple(chosen)

    @property
    def is_by_wallet(self) -> bool:
        """Whether the wallet sent the wish itself, be it that the person wrote to them as well."""
        return any(one is not None and one.facts.get("way") == "endpoint" for one in (self.wish, *self.again))

    @property
    def can_complain(self) -> bool:
        """Whether there is something to complain of: no answer in time, or one that does not give all that was wished.
        A complaint that was made once about the same is enough."""
        if self.wish is None or self.complained_at is not None:
            return False
        return self.state in (State.OVERDUE, State.REFUSED, State.PARTLY)

    @property
    def is_overdue(self) -> bool:
        """Whether an answer is owed for longer than a month (GDPR 12(3))."""
        return self.state in (State.OVERDUE, State.ESCALATED)


def can_take_back(entry: Entry) -> bool:
    """Whether something went, or may have gone, to somebody."""
    return entry.decided is not None and entry.outcome in _GONE_OUT


def separable(entry: Entry) -> tuple[int, ...]:
    """The numbers of what went that can be asked for on its own: of what nobody can tell the recipient what is meant,
    only everything can be deleted."""
    return tuple(number for number, one in enumerate(entry.went) if number < len(entry.shared) or one.get("references"))


def standing_of(entry: Entry, *, now: datetime, time_zone: str) -> Standing:
    """What the events after a share add up to. `time_zone` is where the days of the person begin and end."""
    statements = tuple(
        (event, DeletionStatement.model_validate(event.facts["statement"]))
        for event in entry.events
        if _is_statement(event)
    )
    is_gone = _is_gone(entry, [one for _, one in statements])
    last_day, today = entry.retention_until, day_in(now, time_zone)
    misses = can_take_back(entry) and last_day is not None and last_day < today and not is_gone
    places = _wishes(entry.events)
    if not places:
        if not statements:
            return Standing(misses_statement=misses)
        state = State.DONE if is_gone else _said(statements[-1][1])
        return Standing(state, statements=statements, is_gone=is_gone, misses_statement=misses)
    wish, after = entry.events[places[0]], entry.events[places[0] + 1 :]
    told = [one for _, one in statements]
    missing = _not_mentioned(entry, wish, told)
    # A wish for everything is met by nothing less; for chosen items those are what counts. What they say they keep is
    # mentioned, and not met by that.
    chosen = wish.facts.get("chosen")
    is_covered = is_gone if chosen is None else all(_covered(entry.went[n].get("references", ()), told) for n in chosen)
    state, reason = _state(wish, after, told, is_covered=is_covered)
    due_on, complained_at = _due_on(wish, after, time_zone=time_zone), _complained_at(after, state)
    if state in _WAITS and today > due_on:
        state = State.OVERDUE if complained_at is None else State.ESCALATED
    return Standing(
        state=state,
        wish=wish,
        again=tuple(entry.events[place] for place in places[1:]),
        due_on=due_on if state in PENDING else None,
        complained_at=complained_at,
        reason=reason,
        statements=statements,
        not_mentioned=missing if statements and state not in PENDING else (),
        is_gone=is_gone,
        misses_statement=misses,
    )


def _wishes(events: Sequence[Event]) -> list[int]:
    """The places of the latest wish and of the same one before it, for as long as an answer was owed in between.

    Who reminds somebody gives them no new month by it. What had not left by then was no wish to them yet.
    """
    places = [number for number, event in enumerate(events) if event.kind in _WISHES]
    found = places[-1:]
    for place in reversed(places[:-1]):
        wish, later = events[place], events[found[0]]
        between = events[place + 1 : found[0]]
        said = [DeletionStatement.model_validate(one.facts["statement"]) for one in between if _is_statement(one)]
        is_same = wish.kind is later.kind and wish.facts.get("chosen") == later.facts.get("chosen")
        if not is_same or _state(wish, between, said, is_covered=False)[0] not in _WAITS:
            break
        found.insert(0, place)
    return found


def _is_statement(event: Event) -> bool:
    return event.kind is EventKind.DELETION_STATED


def _state(
    wish: Event, after: Sequence[Event], statements: Sequence[DeletionStatement], *, is_covered: bool
) -> tuple[State, str]:
    if statements and is_covered:
        return State.DONE, ""
    # One that was made before the wish answers another one: a replayed statement closes nothing.
    since = [one for one in statements if one.iat >= int(wish.at.timestamp()) - 300]
    if since:
        return _said(since[-1]), ""
    state, reason = _asked(wish), ""
    has_left = state is State.MARKED
    for event in after:
        if event.kind is EventKind.DELETION_ANSWERED:
            return (State.DONE if event.facts.get("answer") == "deleted" else State.REFUSED), "noted"
        has_left = has_left or event.kind in _HAS_LEFT
        if event.kind is EventKind.DELIVERED and state is State.NOT_ACCEPTED:
            state, reason = State.SENT, ""  # They did not have it yet when they said so.
        if event.kind in _WISHES and _asked(event) is State.MARKED and state is not State.ACKNOWLEDGED:
            state, reason, has_left = State.MARKED, "", True
        found = _STATES.get(event.kind)
        if found is None:
            continue
        # What they once acknowledged they have, whatever the line does to later questions.
        if state is State.ACKNOWLEDGED and found in (State.NOT_SENT, State.SENT):
            continue
        # So have those who answered it with an error.
        if state is State.NOT_ACCEPTED and found is State.NOT_SENT:
            continue
        # So they have what the person wrote or said themself.
        if state is State.MARKED and found in _OF_THE_LINE:
            continue
        if found is State.NOT_SENT and has_left:
            found = State.SENT
        state, reason = found, str(event.facts.get("reason", ""))
    return state, reason


def _asked(wish: Event) -> State:
    return State.SENT if wish.facts.get("way") == "endpoint" else State.MARKED


def _complained_at(after: Sequence[Event], state: State) -> datetime | None:
    """When the person complained of what is: of an answer that came since, they have not complained yet."""
    if state not in PENDING:
        answered = max((number for number, event in enumerate(after) if event.kind in _ANSWERS), default=-1)
        after = after[answered + 1 :]
    return next((event.at for event in reversed(after) if event.kind is EventKind.COMPLAINED), None)


def _said(statement: DeletionStatement) -> State:
    return State.REFUSED if statement.outcome is StatementOutcome.REFUSED else State.PARTLY


def _due_on(wish: Event, after: Sequence[Event], *, time_zone: str) -> date:
    """A month after the wish; sooner when they promise it sooner, never later because they say so."""
    wished_on = day_in(wish.at, time_zone)
    due = one_month_after(wished_on)
    for event in after:
        promised = event.facts.get("due_on") if event.kind is EventKind.DELETION_ACKNOWLEDGED else None
        if promised is not None:
            due = min(due, max(date.fromisoformat(promised), wished_on))
    return due


def day_in(moment: datetime, time_zone: str) -> date:
    """The day that it is somewhere at a moment: the last day of a month or of a promise ends at midnight there."""
    return in_zone(moment, ZoneInfo(time_zone)).date()


def one_month_after(day: date) -> date:
    """The day of the same number in the next month, or its last (Regulation 1182/71, article 3)."""
    year, month = divmod(day.year * 12 + day.month, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _is_gone(entry: Entry, statements: Sequence[DeletionStatement]) -> bool:
    """Whether what they say they deleted is all that went."""
    if not any(_is_whole(one) for one in statements) or _excepted(statements[-1]):
        return False
    # A certificate with chosen items may have answered a question for the certificate as a whole beside them.
    went = (*entry.shared, *(entry.decided or {}).get("came_along", ()))
    return all(_covered(one.get("references", ()), statements) for one in went)


def _is_whole(statement: DeletionStatement) -> bool:
    return statement.outcome is StatementOutcome.DELETED or statement.reason is Reason.RETENTION


def _excepted(statement: DeletionStatement) -> bool:
    return bool(statement.exceptions) or statement.outcome is not StatementOutcome.DELETED


def _not_mentioned(entry: Entry, wish: Event, statements: Sequence[DeletionStatement]) -> tuple[int, ...]:
    chosen = wish.facts.get("chosen")
    return tuple(
        number
        for number, item in enumerate(entry.went)
        if (chosen is None or number in chosen)
        and not _covered(item.get("references", ()), statements)
        and not _is_excepted(item.get("references", ()), statements)
    )


def _covered(references: Sequence[Mapping[str, Any]], statements: Iterable[DeletionStatement]) -> bool:
    stated = [item for one in statements for item in one.items]
    return all(any(covers_reference(item, ItemReference.model_validate(one)) for item in stated) for one in references)


def _is_excepted(references: Sequence[Mapping[str, Any]], statements: Sequence[DeletionStatement]) -> bool:
    kept = [item for one in statements[-1:] for exception in one.exceptions for item in exception.items]
    return any(any(covers_reference(item, ItemReference.model_validate(one)) for item in kept) for one in references)


def covers_reference(stated: ItemReference, wanted: ItemReference) -> bool:
    """Whether what is named holds what is wanted: the same path or a shorter one; None is any element."""
    if wanted.credential != stated.credential or len(stated.path) > len(wanted.path):
        return False
    return all(
        first == second or (second is None and isinstance(first, int)) or (first is None and isinstance(second, int))
        for first, second in zip(wanted.path, stated.path, strict=False)
    )
