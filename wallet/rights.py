"""What the person did about a share in their own hand: asked for a copy, objected, or reported. Noted, nothing sent.

    rights = Rights(wallet)
    rights.note_asked(vault, entry_id, Right.COPY, way="mail")           # GDPR article 15: they have one month
    rights.note_answered(vault, entry_id, Right.COPY, "came")
    rights.note_asked(vault, entry_id, Right.OBJECTION, way="mail")      # GDPR article 21: the same month
    rights.note_answered(vault, entry_id, Right.OBJECTION, "stopped")
    rights.note_reported(vault, entry_id)                                # ARF, RPT_DPA_05: reports stand in the history
    asked_of(entry, Right.COPY, now=now, time_zone="Europe/Stockholm")   # asked when, due when, overdue or answered

The wallet writes the letters and the person sends them: an authority has no address that a wallet could report to by
itself, and a recipient is asked by somebody who can say who they are, and why they object.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from schemas.consent import Basis
from schemas.errors import NotFound, Refused
from wallet.deployment import Deployment
from wallet.ledger import Entry, Event, EventKind, Outcome, entries_of
from wallet.store.ledger import append_event, read_history
from wallet.taking_back import can_take_back
from wallet.taking_back.standing import day_in, one_month_after
from wallet.vault import UnlockedVault

WAYS: Final = ("page", "mail", "phone")
MAY_OBJECT: Final = frozenset({Basis.LEGITIMATE_INTEREST, Basis.PUBLIC_TASK})
"""The grounds against which article 21.1 gives a right to object."""


class Right(StrEnum):
    """What the person can ask of a recipient by a letter of their own; each runs a month (GDPR article 12.3)."""

    COPY = "copy"  # article 15
    OBJECTION = "objection"  # article 21


_EVENTS: Final = {
    Right.COPY: (EventKind.COPY_ASKED, EventKind.COPY_CAME),
    Right.OBJECTION: (EventKind.OBJECTED, EventKind.OBJECTION_ANSWERED),
}
ANSWERS: Final = {Right.COPY: ("came",), Right.OBJECTION: ("stopped", "refused")}
"""What can be noted as their answer."""


class NothingToNote(Refused):
    """Nothing of this entry went to anybody, or it is not about a request that is over."""

    error = "nothing_to_note"
    status = 409


@dataclass(frozen=True, slots=True)
class Asked:
    """How the latest use of a right stands: `due_on` is the last day for an answer (GDPR article 12.3).

    `answer` is one of `ANSWERS`, "" while there is none.
    """

    asked_at: datetime
    due_on: date
    answered_at: datetime | None
    answer: str
    is_overdue: bool


class Rights:
    """Copies asked for, objections and reports made, of the vaults of one wallet service."""

    def __init__(self, wallet: Deployment) -> None:
        self._wallet = wallet
        self._database = wallet.database

    def note_asked(self, vault: UnlockedVault, entry_id: str, right: Right, *, way: str) -> None:
        """The person has written to them; asked again on the same day, it stands once.

        Raises `NotFound`, and `NothingToNote` for another way, or when there is nothing to ask them for.
        """
        if way not in WAYS:
            raise NothingToNote("this is not a way to write to them")
        now = self._wallet.clock()
        with self._database.transaction() as connection:
            entry = self._entry(connection, vault, entry_id)
            if not can_ask(entry, right):
                raise NothingToNote
            zone = self._wallet.settings.time_zone
            asked = asked_of(entry, right, now=now, time_zone=zone)
            if asked is None or asked.answered_at is not None or day_in(asked.asked_at, zone) != day_in(now, zone):
                append_event(connection, vault, Event(entry_id, _EVENTS[right][0], now, {"way": way}))

    def note_answered(self, vault: UnlockedVault, entry_id: str, right: Right, answer: str) -> None:
        """The person has got their answer. Raises `NotFound`, and `NothingToNote` when they were not asked, or when
        this is no answer."""
        now = self._wallet.clock()
        with self._database.transaction() as connection:
            found = self._entry(connection, vault, entry_id)
            asked = asked_of(found, right, now=now, time_zone=self._wallet.settings.time_zone)
            if asked is None or answer not in ANSWERS[right]:
                raise NothingToNote
            if asked.answered_at is None:
                append_event(connection, vault, Event(entry_id, _EVENTS[right][1], now, {"answer": answer}))

    def note_reported(self, vault: UnlockedVault, entry_id: str) -> None:
        """The person has reported the request; that stands once. Raises `NotFound`, `NothingToNote`."""
        with self._database.transaction() as connection:
            entry = self._entry(connection, vault, entry_id)
            if not can_report(entry):
                raise NothingToNote
            if entry.last(EventKind.REPORTED) is None:
                append_event(connection, vault, Event(entry_id, EventKind.REPORTED, self._wallet.clock()))

    def _entry(self, connection: Connection, vault: UnlockedVault, entry_id: str) -> Entry:
        for entry in entries_of(read_history(connection, vault).events, now=self._wallet.clock()):
            if entry.id == entry_id:
                return entry
        raise NotFound("There is no such entry")


def can_ask(entry: Entry, right: Right) -> bool:
    """Whether somebody has, or may have, something that they can be asked for a copy of, or that one can object to.

    One objects to what they do on a ground of their own interest or of a public task, by what they themselves stated.
    """
    return can_take_back(entry) and (right is Right.COPY or entry.facts.get("basis") in MAY_OBJECT)


def can_report(entry: Entry) -> bool:
    """Whether this is about a request, and one that the person need not decide about any more."""
    return entry.is_share and entry.outcome is not Outcome.OPEN


def asked_of(entry: Entry, right: Right, *, now: datetime, time_zone: str) -> Asked | None:
    """How the latest use of a right stands; None when there is none. An answer that came before it is none to it.

    `time_zone` is where the days of the person begin and end.
    """
    asked_kind, answered_kind = _EVENTS[right]
    place = max((n for n, event in enumerate(entry.events) if event.kind is asked_kind), default=None)
    if place is None:
        return None
    asked, after = entry.events[place], entry.events[place + 1 :]
    answered = next((event for event in after if event.kind is answered_kind), None)
    due_on = one_month_after(day_in(asked.at, time_zone))
    if answered is not None:
        # Copies of before there were objections have no answer but that they came.
        answer = str(answered.facts.get("answer", ANSWERS[right][0]))
        return Asked(asked.at, due_on, answered.at, answer, is_overdue=False)
    return Asked(asked.at, due_on, None, "", is_overdue=day_in(now, time_zone) > due_on)
