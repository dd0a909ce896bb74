"""What the person did about a request in their own hand: asked for a copy, or reported it. Written down, nothing sent.

    rights = Rights(wallet)
    rights.note_copy_asked(vault, entry_id, way="mail")      # GDPR article 15: they have one month
    rights.note_copy_came(vault, entry_id)
    rights.note_reported(vault, entry_id)                    # ARF, RPT_DPA_05: reports stand in the history
    copy_of(entry, now=now)                                  # asked when, due when, and whether it is overdue

The wallet writes the letters and the person sends them: an authority has no address that a wallet could report to by
itself, and a recipient is asked for a copy by somebody who can say who they are.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from sqlalchemy import Connection

from schemas.errors import NotFound, Refused
from wallet.deployment import Deployment
from wallet.ledger import Entry, Event, EventKind, Outcome, entries_of
from wallet.store.ledger import append_event, read_history
from wallet.taking_back import can_take_back
from wallet.taking_back.standing import one_month_after
from wallet.vault import UnlockedVault

WAYS: Final = ("page", "mail", "phone")


class NothingToNote(Refused):
    """Nothing of this entry went to anybody, or it is not about a request that is over."""

    error = "nothing_to_note"
    status = 409


@dataclass(frozen=True, slots=True)
class CopyAsked:
    """How the latest wish for a copy stands: `due_on` is the last day for an answer (GDPR article 12.3)."""

    asked_at: datetime
    due_on: date
    came_at: datetime | None
    is_overdue: bool


class Rights:
    """Copies asked for and reports made, of the vaults of one wallet service."""

    def __init__(self, wallet: Deployment) -> None:
        self._wallet = wallet
        self._database = wallet.database

    def note_copy_asked(self, vault: UnlockedVault, entry_id: str, *, way: str) -> None:
        """The person has asked for a copy; asked again on the same day, it stands once.

        Raises `NotFound`, and `NothingToNote` for another way or when nothing went to anybody.
        """
        if way not in WAYS:
            raise NothingToNote("this is not a way to write to them")
        now = self._wallet.clock()
        with self._database.transaction() as connection:
            entry = self._entry(connection, vault, entry_id)
            if not can_ask_for_copy(entry):
                raise NothingToNote
            asked = copy_of(entry, now=now)
            if asked is None or asked.came_at is not None or asked.asked_at.date() != now.date():
                append_event(connection, vault, Event(entry_id, EventKind.COPY_ASKED, now, {"way": way}))

    def note_copy_came(self, vault: UnlockedVault, entry_id: str) -> None:
        """The person has got the copy. Raises `NotFound`, and `NothingToNote` when none was asked for."""
        now = self._wallet.clock()
        with self._database.transaction() as connection:
            asked = copy_of(self._entry(connection, vault, entry_id), now=now)
            if asked is None:
                raise NothingToNote
            if asked.came_at is None:
                append_event(connection, vault, Event(entry_id, EventKind.COPY_CAME, now))

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


def can_ask_for_copy(entry: Entry) -> bool:
    """Whether somebody has, or may have, something that they can be asked for a copy of."""
    return can_take_back(entry)


def can_report(entry: Entry) -> bool:
    """Whether this is about a request, and one that the person need not decide about any more."""
    return entry.is_share and entry.outcome is not Outcome.OPEN


def copy_of(entry: Entry, *, now: datetime) -> CopyAsked | None:
    """How the latest wish for a copy stands; None when there is none. A copy that came before it does not answer it."""
    place = max((n for n, event in enumerate(entry.events) if event.kind is EventKind.COPY_ASKED), default=None)
    if place is None:
        return None
    asked, after = entry.events[place], entry.events[place + 1 :]
    came = next((event.at for event in after if event.kind is EventKind.COPY_CAME), None)
    due_on = one_month_after(asked.at.astimezone(UTC).date())
    return CopyAsked(asked.at, due_on, came, came is None and now.date() > due_on)
