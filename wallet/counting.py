"""Counting how a person decides, in their own vault, when they want that (`wallet/habits.py`).

counting = Counting(wallet)
counting.start(vault)
counting.count(vault, Ending.SHARED, seconds=21.5, was_warned=False)
counting.habits(vault)
"""

from contextlib import suppress
from typing import Any

from proofs.sealing import SealBroken
from schemas.errors import TemporarilyUnavailable
from wallet.deployment import Deployment
from wallet.habits import Ending, Habits
from wallet.store.people import VaultChanged, load_person, update_person
from wallet.vault import UnlockedVault, with_profile

# Another window wrote, another process is writing, or the vault has got another key meanwhile.
_LEFT_OUT = (VaultChanged, TemporarilyUnavailable, SealBroken)


class Counting:
    """The counters in the vaults of one wallet service."""

    def __init__(self, wallet: Deployment) -> None:
        self._wallet = wallet
        self._database = wallet.database

    def habits(self, vault: UnlockedVault) -> Habits | None:
        """The numbers; None while the person does not want them."""
        kept = vault.profile.get("habits")
        return Habits.model_validate(kept) if kept else None

    def start(self, vault: UnlockedVault) -> None:
        """Count from now on, from zero. Raises `VaultChanged`."""
        self._keep(vault, Habits.begun(on=self._wallet.clock().date()).model_dump(mode="json"))

    def stop(self, vault: UnlockedVault) -> None:
        """Count no more, and forget the numbers. Raises `VaultChanged`."""
        self._keep(vault, None)
        self._database.forget_deleted()

    def count(self, vault: UnlockedVault, ending: Ending, *, seconds: float, was_warned: bool) -> None:
        """One more decision. It has been taken and kept before: a number that could not be written is left out."""
        with suppress(*_LEFT_OUT), self._database.transaction() as connection:
            record = load_person(connection, vault.person_id)
            if record is None:  # The person has left meanwhile.
                return
            with_profile(vault, record)  # Reads what is kept now: another window may have counted, or stopped.
            if (habits := self.habits(vault)) is None:
                return
            counted = habits.after(ending, seconds=seconds, was_warned=was_warned)
            changed = with_profile(vault, record, habits=counted.model_dump(mode="json"))
            update_person(connection, changed, before=record)

    def _keep(self, vault: UnlockedVault, habits: dict[str, Any] | None) -> None:
        with self._database.transaction() as connection:
            record = load_person(connection, vault.person_id)
            if record is None:
                raise VaultChanged
            update_person(connection, with_profile(vault, record, habits=habits), before=record)
