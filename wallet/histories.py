"""The history as its owner handles it: looked through and checked, single entries deleted.

book = Histories(wallet).read(vault)
book.entries, book.faults, book.deletions
Histories(wallet).delete(vault, entry_id)
"""

from dataclasses import dataclass
from datetime import datetime

from schemas.errors import NotFound, Refused
from wallet.deployment import Deployment
from wallet.ledger import Entry, Event, HistoryFault, Outcome, entries_of
from wallet.over_asking import Replayed, replay
from wallet.permitting import permission_of
from wallet.store.kept_requests import delete_kept_request, list_kept_requests
from wallet.store.ledger import History, delete_events, read_history
from wallet.store.shares import delete_share
from wallet.store.take_back import delete_means
from wallet.vault import UnlockedVault


class EntryStillOpen(Refused):
    """The request in this entry still waits for an answer."""

    error = "entry_still_open"
    status = 409


class PermissionStillLasts(Refused):
    """With this entry would go the only key that can end a permission given in it."""

    error = "permission_still_lasts"
    status = 409


@dataclass(frozen=True, slots=True)
class Judged:
    """One judgement of the over-asking rules in the history, and what it comes to when it is made again."""

    entry: Entry
    event: Event
    again: Replayed


@dataclass(frozen=True, slots=True)
class Book:
    """A history: its entries, the latest first; what a check found; and when the person deleted entries."""

    entries: tuple[Entry, ...]
    faults: frozenset[HistoryFault]
    deletions: tuple[datetime, ...]

    @property
    def is_intact(self) -> bool:
        """Whether it is what was written, but for what its owner deleted."""
        return not self.faults

    def entry(self, entry_id: str) -> Entry:
        """One entry. Raises `NotFound`."""
        for entry in self.entries:
            if entry.id == entry_id:
                return entry
        raise NotFound("There is no such entry")


class Histories:
    """The histories of the vaults of one wallet service."""

    def __init__(self, wallet: Deployment) -> None:
        self._wallet = wallet
        self._database = wallet.database

    def read(self, vault: UnlockedVault) -> Book:
        """Everything, checked from the first event to the last."""
        with self._database.reading() as connection:
            history = read_history(connection, vault)
        return self._book(history)

    def entry(self, vault: UnlockedVault, entry_id: str) -> Entry:
        """One entry. Raises `NotFound`."""
        return self.read(vault).entry(entry_id)

    def judged_again(self, vault: UnlockedVault, entry_id: str = "") -> list[Judged]:
        """Everything that the over-asking rules judged, or one entry of it, judged again from the kept requests.

        Raises `NotFound` when there is no such entry.
        """
        with self._database.reading() as connection:
            book = self._book(read_history(connection, vault))
            contents = list_kept_requests(connection, vault, entry_id or None)
        entries = (book.entry(entry_id),) if entry_id else book.entries
        told = (
            (entry, event, replay(event.facts, contents.get(entry.id))) for entry in entries for event in entry.events
        )
        return [Judged(entry, event, again) for entry, event, again in told if again is not None]

    def delete(self, vault: UnlockedVault, entry_id: str) -> None:
        """Delete one entry and what is still kept of its request. Raises `NotFound`, `EntryStillOpen`,
        `PermissionStillLasts`.

        What was in it is taken out of the files as well; that something was deleted, and when, stays.
        """
        now = self._wallet.clock()
        with self._database.transaction() as connection:
            entry = self._book(read_history(connection, vault)).entry(entry_id)
            if entry.outcome is Outcome.OPEN:
                raise EntryStillOpen
            permission = permission_of(entry, now=now)
            if permission is not None and not permission.is_over:
                raise PermissionStillLasts
            delete_share(connection, vault, entry_id)
            delete_means(connection, vault, entry_id)
            delete_kept_request(connection, vault, entry_id)
            delete_events(connection, vault, entry_id, now=now)
        self._database.forget_deleted()

    def _book(self, history: History) -> Book:
        entries = entries_of(history.events, now=self._wallet.clock())
        return Book(tuple(entries), history.faults, history.deletions)
