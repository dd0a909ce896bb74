"""The history of a vault: everything that was asked, shared, refused, missed, failed and received.

Events are appended and never changed; an entry is what its events add up to.

    entries = entries_of(events, now=now)        # newest first
    entry.outcome, entry.recipient, entry.shared

A history holds the names of items and salted commitments to their values, never the values (CS-30). What the person
decided is written before anything is sent; if the wallet dies in between, there is no later event, and the entry says
"unknown" (durability D04).
"""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from schemas.receipt import BothLanguages


class EventKind(StrEnum):
    """What can happen."""

    ASKED = "asked"  # a request was shown to the person
    APPROVED = "approved"  # the person decided to share; written before sending
    REFUSED = "refused"  # the person decided not to share; written before telling
    FAULTY = "faulty"  # the request had a fault and could not be shown
    TELLING = "telling"  # the person wants the sender told of the fault; written before anything is sent
    TOLD = "told"  # the sender was told of the fault
    DELIVERED = "delivered"
    NOT_ACCEPTED = "not_accepted"  # it arrived, and the recipient answered with an error
    NOT_DELIVERED = "not_delivered"
    UNKNOWN = "unknown"  # sent, but no answer came
    CLOSED = "closed"  # the person left without answering
    ANSWERED = "answered"  # the request had been answered elsewhere before the person decided here
    RECEIVED = "received"  # a certificate was received
    NOT_RECEIVED = "not_received"  # a certificate could not be received
    DELETED = "deleted"  # the person deleted a certificate from the wallet; an entry of its own
    # About the wallet itself:
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    KEY_CHANGED = "key_changed"  # everything was sealed under another key
    RECOVERY_MADE = "recovery_made"  # a recovery code was made; the one before, if any, opens nothing any more
    RECOVERY_REMOVED = "recovery_removed"
    RECOVERED = "recovered"  # the recovery code opened the wallet, is spent, and the passphrase is another one
    # What comes after a share (docs/withdrawal.md):
    TAKEN_BACK = "taken_back"  # the person took the share back; written before anything is sent
    DELETION_ASKED = "deletion_asked"  # the person asked them to delete; written before anything is sent
    DELETION_NOT_SENT = "deletion_not_sent"
    DELETION_UNKNOWN = "deletion_unknown"  # sent, but no answer came, or none that can be relied on
    DELETION_NOT_ACCEPTED = "deletion_not_accepted"  # they answered with an error
    DELETION_ACKNOWLEDGED = "deletion_acknowledged"  # they have it, and say by when they answer
    DELETION_STATED = "deletion_stated"  # their signed statement came
    DELETION_ANSWERED = "deletion_answered"  # the person noted what they answered in another way
    COMPLAINED = "complained"  # the person noted that they complained to the authority
    COPY_ASKED = "copy_asked"  # the person noted that they asked for a copy of what the recipient has
    COPY_CAME = "copy_came"  # the person noted that they have got it
    OBJECTED = "objected"  # the person noted that they objected to what the recipient does with it
    OBJECTION_ANSWERED = "objection_answered"  # the person noted what the recipient answered to that
    MISSING_SEEN = "missing_seen"  # the person has seen that something they are owed has not come in time
    REPORTED = "reported"  # the person noted that they reported the request to the authority
    CONFIRMED = "confirmed"  # the recipient counter-signed the receipt
    # What becomes of a standing permission (docs/standing-permission.md); it is given with the decision itself:
    PERMISSION_PAUSED = "permission_paused"  # the person paused it; written before anything is sent
    PERMISSION_RESUMED = "permission_resumed"  # the person lets it go on; written before anything is sent
    PERMISSION_ENDED = "permission_ended"  # the person ended it; written before anything is sent
    PERMISSION_NOT_SENT = "permission_not_sent"
    PERMISSION_UNKNOWN = "permission_unknown"  # sent, but no answer came, or none that can be relied on
    PERMISSION_TOLD = "permission_told"  # their signed word of how it stands came
    CHECKED_AGAIN = "checked_again"  # they told of a check that they made
    CHECKS_SEEN = "checks_seen"  # the person has seen what they told
    # Acting for another (docs/acting-for-another.md):
    PRINCIPAL_TOLD = "principal_told"  # the wallet of whom the person acted for has been told of the act
    PRINCIPAL_NOT_TOLD = "principal_not_told"
    ACT_TOLD = "act_told"  # somebody who acts for the person told of an act; an entry of its own
    ACT_SEEN = "act_seen"  # the person has seen what they were told of it
    POWER_OVER = "power_over"  # the source said, when it was looked up, that it has ended the power of an act


OF_PERMISSIONS = frozenset(
    {
        EventKind.PERMISSION_PAUSED,
        EventKind.PERMISSION_RESUMED,
        EventKind.PERMISSION_ENDED,
        EventKind.PERMISSION_NOT_SENT,
        EventKind.PERMISSION_UNKNOWN,
        EventKind.PERMISSION_TOLD,
        EventKind.CHECKED_AGAIN,
        EventKind.CHECKS_SEEN,
    }
)
"""What becomes of a standing permission."""
AFTER_SHARE = OF_PERMISSIONS | frozenset(
    {
        EventKind.TAKEN_BACK,
        EventKind.DELETION_ASKED,
        EventKind.DELETION_NOT_SENT,
        EventKind.DELETION_UNKNOWN,
        EventKind.DELETION_NOT_ACCEPTED,
        EventKind.DELETION_ACKNOWLEDGED,
        EventKind.DELETION_STATED,
        EventKind.DELETION_ANSWERED,
        EventKind.COMPLAINED,
        EventKind.COPY_ASKED,
        EventKind.COPY_CAME,
        EventKind.OBJECTED,
        EventKind.OBJECTION_ANSWERED,
        EventKind.MISSING_SEEN,
        EventKind.REPORTED,
        EventKind.CONFIRMED,
        EventKind.PRINCIPAL_TOLD,
        EventKind.PRINCIPAL_NOT_TOLD,
        EventKind.ACT_SEEN,
        EventKind.POWER_OVER,
    }
)
"""What comes after the answer to a request: none of it changes what the answer came to."""
LOOKED_FOR = (
    EventKind.TAKEN_BACK,
    EventKind.DELETION_ASKED,
    EventKind.COPY_ASKED,
    EventKind.OBJECTED,
    EventKind.REPORTED,
)
"""What the person did later, that one looks for in a history beside what an entry came to."""

ABOUT_WALLET = frozenset(
    {
        EventKind.PASSKEY_ADDED,
        EventKind.PASSKEY_REMOVED,
        EventKind.KEY_CHANGED,
        EventKind.RECOVERY_MADE,
        EventKind.RECOVERY_REMOVED,
        EventKind.RECOVERED,
    }
)
"""What happens to the ways into the wallet; nobody else is concerned."""


_THE_WALLET = BothLanguages(sv="Plånboken", en="The wallet")


class HistoryFault(StrEnum):
    """What the check of a history can find."""

    CUT_OFF = "cut_off"  # its end is missing
    MISSING = "missing"  # something inside it is missing, or stands in another place
    CHANGED = "changed"  # an event, or the mark of a deleted one, was changed
    NO_END = "no_end"  # the seal at its end is missing or was changed
    EARLIER = "earlier"  # something was wrong before it was last written to


class Outcome(StrEnum):
    """What an entry came to, in the words of the filters."""

    SHARED = "shared"
    UNKNOWN = "unknown"
    NOT_DELIVERED = "not_delivered"
    NOT_ACCEPTED = "not_accepted"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    ANSWERED = "answered"
    OPEN = "open"
    FAULTY = "faulty"
    RECEIVED = "received"
    NOT_RECEIVED = "not_received"
    DELETED = "deleted"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    KEY_CHANGED = "key_changed"
    RECOVERY_MADE = "recovery_made"
    RECOVERY_REMOVED = "recovery_removed"
    RECOVERED = "recovered"
    DONE_FOR_YOU = "done_for_you"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one entry. `facts` are JSON members that depend on the kind; they never hold values of claims.

    `previous` is the digest of the event before it in the vault's history, known once it has been read from there.
    """

    entry_id: str
    kind: EventKind
    at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    previous: str = ""

    @property
    def wants_all_gone(self) -> bool:
        """Whether the person took everything back with it, or asked for all of it to be deleted."""
        is_wish = self.kind in (EventKind.TAKEN_BACK, EventKind.DELETION_ASKED)
        return is_wish and self.facts.get("chosen") is None

    def as_json(self) -> dict[str, Any]:
        """The event as it rests, sealed."""
        return {"entry": self.entry_id, "kind": self.kind.value, "at": self.at.timestamp(), "facts": dict(self.facts)}

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> "Event":
        """The event as it was before `as_json`."""
        at = datetime.fromtimestamp(members["at"], UTC)
        return cls(members["entry"], EventKind(members["kind"]), at, members["facts"])


@dataclass(frozen=True, slots=True)
class Entry:
    """What a person sees as one line of their history.

    `facts` are those of the first event, `decided` those of the decision (None without one).
    """

    id: str
    events: tuple[Event, ...]
    outcome: Outcome
    facts: Mapping[str, Any]
    decided: Mapping[str, Any] | None

    @property
    def at(self) -> datetime:
        """When it began."""
        return self.events[0].at

    @property
    def decided_at(self) -> datetime | None:
        """When the person decided."""
        return next((event.at for event in self.events if event.kind in _DECISIONS), None)

    @property
    def filed_at(self) -> datetime:
        """The moment it stands under in the history: the decision's, or when it began while there is none."""
        return self.decided_at or self.at

    def last(self, kind: EventKind) -> Event | None:
        """The latest event of a kind; None when there is none."""
        return next((event for event in reversed(self.events) if event.kind is kind), None)

    @property
    def is_share(self) -> bool:
        """Whether this is about a request, and not about what the vault holds or about the wallet itself."""
        held = self.events[0].kind in (EventKind.RECEIVED, EventKind.NOT_RECEIVED, EventKind.DELETED)
        return not held and not self.is_about_wallet and self.told is None

    @property
    def is_about_wallet(self) -> bool:
        """Whether this is about how the wallet itself is opened."""
        return self.events[0].kind in ABOUT_WALLET

    @property
    def told(self) -> Mapping[str, Any] | None:
        """What somebody who acts for the person told last of this act; None for everything else."""
        if self.events[0].kind is not EventKind.ACT_TOLD:
            return None
        return next(event.facts for event in reversed(self.events) if event.kind is EventKind.ACT_TOLD)

    @property
    def who(self) -> BothLanguages:
        """Who asked, or who issued."""
        return _both(self.facts.get("who"))

    @property
    def host(self) -> str:
        """The host that asked, or that issued."""
        return str(self.facts.get("host", ""))

    @property
    def asked(self) -> tuple[BothLanguages, ...]:
        """The names of the items that were asked for."""
        return tuple(_both({one: item[one] for one in ("sv", "en")}) for item in self.facts.get("asked", ()))

    @property
    def asked_of(self) -> tuple[BothLanguages, ...]:
        """Beside each of those, what kind of certificate it was asked of; empty where its name tells it apart."""
        return tuple(_both(item.get("certificate")) for item in self.facts.get("asked", ()))

    @property
    def acting_for(self) -> Mapping[str, Any] | None:
        """For whom the person decided, when it was for somebody else: the names of both, and of the power's issuer."""
        decided: Mapping[str, Any] = next((event.facts for event in self.events if event.kind in _DECISIONS), {})
        found: Mapping[str, Any] | None = decided.get("acting_for")
        return found

    @property
    def shared(self) -> tuple[Mapping[str, Any], ...]:
        """The items that the person decided to share: name, certificate, commitment; no values."""
        return tuple((self.decided or {}).get("items", ()))

    @property
    def bare(self) -> tuple[Mapping[str, Any], ...]:
        """The certificates that went with nothing but what every share of them shows: name of the type and id."""
        chosen = {item["certificate_id"] for item in self.shared}
        return tuple(one for one in (self.decided or {}).get("came_along", ()) if one["certificate_id"] not in chosen)

    @property
    def went(self) -> tuple[Mapping[str, Any], ...]:
        """All that the person decided to share, in the order in which wishes after the share number it from 0: the
        items, then the certificates that went without any. `references` say how the recipient knows each; entries that
        are older than those of certificates have none for them."""
        return (*self.shared, *self.bare)

    @property
    def certificates(self) -> tuple[BothLanguages, ...]:
        """What kinds of certificates are concerned, by the names of their types."""
        if self.is_about_wallet:
            return ()
        if self.told is not None:
            return tuple(dict.fromkeys(_both(item["certificate"]) for item in self.told["report"]["items"]))
        if not self.is_share:
            return (_both(self.facts.get("certificate")),)
        return tuple(dict.fromkeys(_both(item["certificate"]) for item in self.went))

    @property
    def certificate_ids(self) -> tuple[str, ...]:
        """The certificates that are concerned, as the vault knows them while it holds them."""
        if not self.is_share:
            return tuple(one for one in (self.facts.get("certificate_id"),) if one)
        return tuple(dict.fromkeys(item["certificate_id"] for item in self.went))

    @property
    def retention_until(self) -> date | None:
        """Until when the recipient said it keeps what was shared."""
        written = self.facts.get("retention_until")
        return date.fromisoformat(written) if written else None

    def days_left(self, *, today: date) -> int | None:
        """How many days the recipient still keeps it, 0 on the last day; None when over, not said or not shared."""
        until = self.retention_until
        if until is None or not self.went or until < today:
            return None
        return (until - today).days


_DECISIONS = frozenset({EventKind.APPROVED, EventKind.REFUSED})
_OUTCOMES = {
    EventKind.DELIVERED: Outcome.SHARED,
    EventKind.NOT_ACCEPTED: Outcome.NOT_ACCEPTED,
    EventKind.NOT_DELIVERED: Outcome.NOT_DELIVERED,
    EventKind.UNKNOWN: Outcome.UNKNOWN,
    EventKind.APPROVED: Outcome.UNKNOWN,  # Nothing came after it: we do not know (D04).
}


def _both(value: Any) -> BothLanguages:
    return BothLanguages(**value) if isinstance(value, Mapping) else BothLanguages()


def event_of_wallet(kind: EventKind, *, at: datetime) -> Event:
    """An entry of its own about how the wallet itself is opened (`ABOUT_WALLET`)."""
    return Event(new_entry_id(), kind, at, {"who": _THE_WALLET.model_dump()})


def new_entry_id() -> str:
    """An identifier of an entry."""
    return secrets.token_hex(16)


def entries_of(events: Iterable[Event], *, now: datetime) -> list[Entry]:
    """What the events add up to, the latest entry first."""
    grouped: dict[str, list[Event]] = {}
    for event in events:
        grouped.setdefault(event.entry_id, []).append(event)
    entries = [_entry(entry_id, some, now=now) for entry_id, some in reversed(grouped.items())]
    # What was imported was written later than it happened.
    entries.sort(key=lambda entry: entry.filed_at, reverse=True)
    answered = {entry.facts.get("request_digest") for entry in entries if entry.decided_at is not None} - {None}
    return [_with_answer(entry, answered) for entry in entries]


def _with_answer(entry: Entry, answered: Collection[Any]) -> Entry:
    """An entry that waits for nothing any more, when the same request was answered under another one."""
    waits = entry.outcome is Outcome.OPEN or (entry.outcome is Outcome.NO_ANSWER and len(entry.events) == 1)
    if waits and entry.facts.get("request_digest") in answered:
        return replace(entry, outcome=Outcome.ANSWERED)
    return entry


def _entry(entry_id: str, events: Sequence[Event], *, now: datetime) -> Entry:
    decided = next((event.facts for event in events if event.kind is EventKind.APPROVED), None)
    return Entry(entry_id, tuple(events), _outcome(events, now=now), events[0].facts, decided)


def _outcome(events: Sequence[Event], *, now: datetime) -> Outcome:
    kinds = [event.kind for event in events]
    if EventKind.REFUSED in kinds:
        return Outcome.REFUSED  # Whether the recipient got the "no" is told inside the entry.
    if EventKind.APPROVED in kinds:
        return _OUTCOMES[next(kind for kind in reversed(kinds) if kind in _OUTCOMES)]
    for kind, outcome in (
        (EventKind.PASSKEY_ADDED, Outcome.PASSKEY_ADDED),
        (EventKind.PASSKEY_REMOVED, Outcome.PASSKEY_REMOVED),
        (EventKind.KEY_CHANGED, Outcome.KEY_CHANGED),
        (EventKind.RECOVERY_MADE, Outcome.RECOVERY_MADE),
        (EventKind.RECOVERY_REMOVED, Outcome.RECOVERY_REMOVED),
        (EventKind.RECOVERED, Outcome.RECOVERED),
        (EventKind.RECEIVED, Outcome.RECEIVED),
        (EventKind.NOT_RECEIVED, Outcome.NOT_RECEIVED),
        (EventKind.DELETED, Outcome.DELETED),
        (EventKind.ACT_TOLD, Outcome.DONE_FOR_YOU),
        (EventKind.FAULTY, Outcome.FAULTY),
        (EventKind.ANSWERED, Outcome.ANSWERED),
        (EventKind.CLOSED, Outcome.NO_ANSWER),
    ):
        if kind in kinds:
            return outcome
    # Closing the tab, waiting too long and going offline are no answer (CS-24).
    return Outcome.NO_ANSWER if now.timestamp() >= events[0].facts.get("expires_at", 0) else Outcome.OPEN
