"""How a standing permission stands, from the events of an entry alone.

    found = permission_of(entry, now=now)
    found.wish, found.is_confirmed, found.is_over, found.checks

The person's last wish is what counts here. Whether the recipient has it is another question: what it has not confirmed
is shown as not confirmed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from schemas.receipt import BothLanguages
from schemas.standing_permission import EndReason, PermissionAction, PermissionState, RecheckOutcome, StatedPermission
from wallet.ledger import Entry, Event, EventKind, Outcome

ASKED_AFTER_END: Final = timedelta(days=30)
"""A recipient that has not confirmed the end is asked for so long after the last day."""
WISHES: Final = {
    PermissionAction.PAUSE: EventKind.PERMISSION_PAUSED,
    PermissionAction.RESUME: EventKind.PERMISSION_RESUMED,
    PermissionAction.END: EventKind.PERMISSION_ENDED,
}
_ACTIONS = {kind: action for action, kind in WISHES.items()}
_CONFIRMED_BY = {
    PermissionAction.GRANT: PermissionState.ACTIVE,
    PermissionAction.RESUME: PermissionState.ACTIVE,
    PermissionAction.PAUSE: PermissionState.PAUSED,
    PermissionAction.END: PermissionState.ENDED,
}
_FAILURES = frozenset({EventKind.PERMISSION_NOT_SENT, EventKind.PERMISSION_UNKNOWN})


@dataclass(frozen=True, slots=True)
class Granted:
    """What the person allowed with the share: until when, how often at most, what for, and of which shared items."""

    until: date
    every_days: int
    purpose: BothLanguages
    items: tuple[int, ...]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> "Granted":
        """As the decision's event holds it."""
        purpose = BothLanguages(**facts["purpose"])
        return cls(date.fromisoformat(facts["until"]), int(facts["every_days"]), purpose, tuple(facts["items"]))

    @property
    def over_at(self) -> datetime:
        """When the last day is over everywhere: at most twelve months after the share (`latest_recheck`)."""
        return datetime.combine(self.until, time(), UTC) + timedelta(days=1, hours=12)


@dataclass(frozen=True, slots=True)
class Check:
    """One check that they told of. `outcome` is None while it is under way; `told_at` is when they told of it first."""

    number: int
    at: datetime
    outcome: RecheckOutcome | None
    told_at: datetime


@dataclass(frozen=True, slots=True)
class PermissionStanding:
    """Where a permission stands for the person who gave it.

    `wish` is what the person wanted last, `wished_at` when; `is_answered` tells that they stated something since, and
    `is_confirmed` that they stated to do so. `told` is what the recipient stated last. `contradicts`
    tells that it no longer names a check that it named before, or names another moment for it.
    """

    granted: Granted
    wish: PermissionAction
    wished_at: datetime
    is_answered: bool
    is_confirmed: bool
    is_past: bool
    told: StatedPermission | None
    checks: tuple[Check, ...]
    seen: int
    reason: str
    contradicts: bool
    is_asked_no_more: bool

    @property
    def ended_there(self) -> EndReason | None:
        """Why it is over at the recipient, as it states; None while it does not."""
        is_ended = self.told is not None and self.told.state is PermissionState.ENDED
        return (self.told.end_reason or EndReason.BY_PERSON) if is_ended and self.told is not None else None

    @property
    def is_over(self) -> bool:
        """Whether nothing may be checked any more: by the person's wish, their statement, or since its time is over."""
        return self.wish is PermissionAction.END or self.ended_there is not None or self.is_past

    @property
    def ended_at(self) -> datetime | None:
        """When it ended before its last day was over: by the person's wish, else as they state; None when it did not.
        What they state of it is bounded by what was allowed, and by when they stated it."""
        if self.wish is PermissionAction.END:
            return self.wished_at
        if self.told is None or self.ended_there in (None, EndReason.TIME):
            return None
        ended = self.told.iat if self.told.ended_at is None else min(self.told.ended_at, self.told.iat)
        return datetime.fromtimestamp(ended, UTC) if 0 <= ended < self.granted.over_at.timestamp() else None

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing left to ask or to tell them."""
        return self.ended_there is not None or self.is_asked_no_more

    @property
    def is_granted_there(self) -> bool:
        """Whether they have stated that they have the permission."""
        return self.told is not None and self.told.state is not PermissionState.NONE

    @property
    def last(self) -> Check | None:
        """The latest check that they told of."""
        return self.checks[-1] if self.checks else None

    @property
    def next_at(self) -> datetime | None:
        """The earliest moment of the next check, as they state; None when none may be made, nor on that day."""
        told = self.told.next_at if self.told is not None else None
        may_be = not self.is_over and self.wish is not PermissionAction.PAUSE
        # Compared before it becomes a date: what was kept before it was bounded may lie beyond every calendar.
        is_within = told is not None and 0 <= told < self.granted.over_at.timestamp()
        return datetime.fromtimestamp(told, UTC) if told is not None and may_be and is_within else None

    @property
    def unseen(self) -> tuple[Check, ...]:
        """Checks that the person has not been told of, or has not put aside yet."""
        return tuple(one for one in self.checks if one.number > self.seen)


def permission_of(entry: Entry, *, now: datetime) -> PermissionStanding | None:
    """What the events of a share add up to; None when nothing was allowed with it, or nothing arrived."""
    return allowed_with(entry, now=now) if entry.outcome is Outcome.SHARED else None


def allowed_with(entry: Entry, *, now: datetime) -> PermissionStanding | None:
    """The same whether or not the share is known to have arrived; None when nothing was allowed with it.

    An end is for good. Whoever wants all of a share gone has ended its permission, also where no end was written.
    """
    facts = (entry.decided or {}).get("recheck")
    if facts is None or entry.decided_at is None:
        return None
    granted = Granted.of(facts)
    place, wish, wished_at = 0, PermissionAction.GRANT, entry.decided_at
    for number, event in enumerate(entry.events):
        if event.kind in _ACTIONS or event.wants_all_gone:
            place, wish, wished_at = number, _ACTIONS.get(event.kind, PermissionAction.END), event.at
        if wish is PermissionAction.END:
            break
    after = entry.events[place + 1 :]
    statements = [_told(event) for event in entry.events if event.kind is EventKind.PERMISSION_TOLD]
    answers = [_told(event) for event in after if event.kind is EventKind.PERMISSION_TOLD]
    told = statements[-1] if statements else None
    return PermissionStanding(
        granted=granted,
        wish=wish,
        wished_at=wished_at,
        is_answered=bool(answers),
        is_confirmed=_is_confirmed(wish, answers, told),
        is_past=now.date() > granted.until,
        told=told,
        checks=_checks(entry.events),
        seen=max((int(one.facts["number"]) for one in entry.events if one.kind is EventKind.CHECKS_SEEN), default=0),
        reason=_reason(after),
        contradicts=_contradicts(statements),
        is_asked_no_more=now.date() > granted.until + ASKED_AFTER_END,
    )


def _is_confirmed(wish: PermissionAction, answers: Sequence[StatedPermission], told: StatedPermission | None) -> bool:
    if told is not None and told.state is PermissionState.ENDED:
        return True  # What is over there needs no further word.
    return bool(answers) and answers[-1].state is _CONFIRMED_BY[wish]


def _told(event: Event) -> StatedPermission:
    return StatedPermission.model_validate(event.facts["permission"])


def _checks(events: Sequence[Event]) -> tuple[Check, ...]:
    """Every check that they ever told of, also when they leave it out later."""
    found: dict[int, Check] = {}
    for event in events:
        if event.kind is not EventKind.CHECKED_AGAIN:
            continue
        facts, outcome = event.facts, event.facts.get("outcome")
        number = int(facts["number"])
        told_at = found[number].told_at if number in found else event.at
        at = datetime.fromtimestamp(facts["at"], UTC)
        found[number] = Check(number, at, RecheckOutcome(outcome) if outcome else None, told_at)
    return tuple(found[number] for number in sorted(found))


def _reason(after: Sequence[Event]) -> str:
    """Why the last wish has not been confirmed, as far as the last try tells."""
    last = next((one for one in reversed(after) if one.kind in {*_FAILURES, EventKind.PERMISSION_TOLD}), None)
    return str(last.facts.get("reason", "")) if last is not None and last.kind in _FAILURES else ""


def _contradicts(statements: Sequence[StatedPermission]) -> bool:
    known: dict[int, float] = {}
    for one in statements:
        named = {check.number: check.at for check in one.checks}
        if any(named.get(number) != at for number, at in known.items()):
            return True
        known |= named
    return False
