"""What others owe the person and have not given in time, until the person has seen that it is missing (CS-36, CS-38).

    for one in Missing(wallet).unseen(vault): one.entry, one.what, one.since
    Missing(wallet).put_aside(vault, [entry_id])

Seen is not settled: in the entry, in the history and in My data it stays as it is. What is owed anew later, after
another wish, is told anew.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from wallet.deployment import Deployment
from wallet.histories import Histories
from wallet.ledger import Entry, Event, EventKind
from wallet.rights import Right, asked_of
from wallet.store.ledger import append_event
from wallet.taking_back import PENDING, State, standing_of
from wallet.taking_back.standing import day_in
from wallet.vault import UnlockedVault


class Lack(StrEnum):
    """What can be missing."""

    DELETION_ANSWER = "deletion_answer"
    STATEMENT = "statement"  # their last day has passed without a word
    COPY = "copy"
    OBJECTION_ANSWER = "objection_answer"


_OF_RIGHTS: Final = {Right.COPY: Lack.COPY, Right.OBJECTION: Lack.OBJECTION_ANSWER}


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing that is missing. `since` is the last day on which it should have come."""

    entry: Entry
    what: Lack
    since: date


class Missing:
    """What is owed to the persons of one wallet service."""

    def __init__(self, wallet: Deployment) -> None:
        self._wallet = wallet

    def unseen(self, vault: UnlockedVault) -> list[Owed]:
        """What is missing and was not put aside, the longest first."""
        found = [owed for entry in Histories(self._wallet).read(vault).entries for owed in self._unseen(entry)]
        return sorted(found, key=lambda one: one.since)

    def put_aside(self, vault: UnlockedVault, entry_ids: Sequence[str]) -> None:
        """The person has seen it of these entries. Raises `NotFound`."""
        now, book = self._wallet.clock(), Histories(self._wallet).read(vault)
        seen = [entry_id for entry_id in dict.fromkeys(entry_ids) if any(self._unseen(book.entry(entry_id)))]
        with self._wallet.database.transaction() as connection:
            for entry_id in seen:
                append_event(connection, vault, Event(entry_id, EventKind.MISSING_SEEN, now))

    def _unseen(self, entry: Entry) -> Iterator[Owed]:
        seen, zone = entry.last(EventKind.MISSING_SEEN), self._wallet.settings.time_zone
        for owed in missing_of(entry, now=self._wallet.clock(), time_zone=zone):
            if seen is None or day_in(seen.at, zone) <= owed.since:
                yield owed


def missing_of(entry: Entry, *, now: datetime, time_zone: str) -> Iterator[Owed]:
    """What is missing of one share, seen or not.

    Of an answer that the person complained about they know; while one is awaited no statement is missed beside it.
    """
    standing = standing_of(entry, now=now, time_zone=time_zone)
    if standing.state is State.OVERDUE and standing.due_on is not None:
        yield Owed(entry, Lack.DELETION_ANSWER, standing.due_on)
    is_answered = standing.state in PENDING or standing.state is State.DONE
    if standing.misses_statement and not is_answered and entry.retention_until is not None:
        yield Owed(entry, Lack.STATEMENT, entry.retention_until)
    for right, lack in _OF_RIGHTS.items():
        asked = asked_of(entry, right, now=now, time_zone=time_zone)
        if asked is not None and asked.is_overdue:
            yield Owed(entry, lack, asked.due_on)
