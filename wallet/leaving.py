"""Leaving: the vault is destroyed, whatever happens in the middle.

    leaving.still_kept(vault)                        # who still has something, so that the person can ask them first
    await leaving.leave(vault, passphrase)           # True: nothing is left; False: the rest goes within minutes
    leaving.finish()                                 # on a schedule and at every start: completes what was interrupted

The first step takes every wrapped key of the vault and ends its sessions, in one transaction: from then on nobody can
read anything of it. What is left is ciphertext without a key; it is deleted in the second step, and the third takes it
out of the database's log. A mark without a name stays until the third step is done, so that each step is repeated
after an interruption (durability D22).
"""

from collections.abc import Sequence
from contextlib import suppress

from schemas.errors import TemporarilyUnavailable
from wallet.deployment import Deployment
from wallet.histories import Histories
from wallet.ledger import Entry, Outcome
from wallet.permissions import Permissions
from wallet.store.leaving import delete_what_belongs_to_nobody, forget_marks, has_marks, take_keys
from wallet.taking_back import standing_of
from wallet.vault import UnlockedVault

_GONE_OUT = frozenset({Outcome.SHARED, Outcome.UNKNOWN, Outcome.NOT_ACCEPTED})


class Leaving:
    """The end of vaults of one wallet service."""

    def __init__(self, wallet: Deployment) -> None:
        self._wallet = wallet
        self._database = wallet.database

    def still_kept(self, vault: UnlockedVault) -> Sequence[Entry]:
        """The shares that somebody still has, or may have: its last day has not passed, or was never told, and they
        have not stated that all of it is deleted."""
        now = self._wallet.clock()
        return [
            entry
            for entry in Histories(self._wallet).read(vault).entries
            if entry.outcome in _GONE_OUT
            and entry.went
            and (entry.retention_until is None or entry.retention_until >= now.date())
            and not standing_of(entry, now=now).is_gone
        ]

    async def leave(self, vault: UnlockedVault, passphrase: str) -> bool:
        """Destroy the vault; whether all of it is gone by now. Raises `WrongPassphrase`."""
        await self._wallet.confirm(vault, passphrase)
        await Permissions(self._wallet).end_all(vault)  # Without their keys nobody could end them any more.
        self.take_keys(vault)
        await self._wallet.forget_tries(vault.name)
        return self.finish()

    def take_keys(self, vault: UnlockedVault) -> None:
        """The first step, after which nobody can open the vault any more: in one transaction."""
        with self._database.transaction() as connection:
            take_keys(connection, vault.person_id)
            self._wallet.sessions.end_all(connection, vault.person_id)

    def finish(self) -> bool:
        """Delete what belongs to no vault any more, also out of the log; whether nothing is left to do."""
        with suppress(TemporarilyUnavailable):  # Another process is writing: the next round does it.
            with self._database.transaction() as connection:
                deleted = delete_what_belongs_to_nobody(connection)
                is_marked = has_marks(connection)
            if not deleted and not is_marked:
                return True
            if self._database.forget_deleted():
                with self._database.transaction() as connection:
                    forget_marks(connection)
                self._database.forget_deleted()
                return True
        return False
