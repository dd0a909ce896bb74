"""Another key for a vault: everything in it is sealed anew, and what opened the former key opens nothing any more.

    rekeyed = await Rekeying(wallet).rekey(vault, passphrase, without=passkey_id, note=event)
    rekeyed.vault, rekeyed.lost_recovery_code

For the day that a device is lost, or that somebody else may have seen how the vault is opened. All of it is one
transaction: a service that is killed in the middle has changed nothing. In it

1. every item is read with the former key and sealed under the fresh one (`wallet/store/sealed_anew.py`);
2. the passphrase, which is asked for, and every passkey that stays get the fresh key: for passkeys it is sealed to
   their public halves, so that no device has to be there;
3. a recovery code cannot: it stops working, and the person is told to make another one;
4. all sessions end, and the history gets its entry.

Whoever has a copy of the database from before, and a way into it, reads what was in it then and nothing of later.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from proofs.sealing import SealBroken
from schemas.errors import Refused
from wallet.deployment import Deployment
from wallet.ledger import Event
from wallet.passkeys import at_rest, known_passkey, passkeys_named
from wallet.store.ledger import append_event
from wallet.store.passkeys import list_passkeys, remove_passkey, write_passkey
from wallet.store.people import VaultChanged, load_person, require_current, update_person
from wallet.store.recovery import remove_recovery
from wallet.store.sealed_anew import seal_everything_anew
from wallet.vault import UnlockedVault, VaultRecord, WrongPassphrase, handed_over, rewrapped


class VaultDamaged(Refused):
    """Something in the vault cannot be read, so that it cannot be sealed anew; nothing was changed."""

    error = "vault_damaged"
    status = 409


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """A vault under its fresh key, and whether a recovery code stopped working."""

    vault: UnlockedVault
    lost_recovery_code: bool


class Rekeying:
    """Changes the keys of the vaults of one wallet service."""

    def __init__(self, wallet: Deployment) -> None:
        self._wallet = wallet
        self._database = wallet.database

    async def rekey(
        self, vault: UnlockedVault, passphrase: str, *, events: Sequence[Event], without: str | None = None
    ) -> Rekeyed:
        """Give a vault a fresh key, without the passkey `without`; `events` tell it in the history.

        Raises `WrongPassphrase`, `VaultDamaged`, and `VaultChanged` when something else changed it at the same time;
        nothing was changed then.
        """
        await self._wallet.confirm(vault, passphrase)
        with self._database.reading() as connection:
            record = load_person(connection, vault.person_id)
        if record is None:
            raise WrongPassphrase
        successor = vault.successor()
        closed = await rewrapped(successor, record, passphrase, device_secret=self._wallet.device_secret)
        try:
            with self._database.transaction() as connection:
                require_current(connection, vault)
                kept = self._passkeys_anew(connection, vault, successor, record, without=without)
                had_code = remove_recovery(connection, vault.person_id)
                changed = handed_over(vault, successor, record, passkeys=kept, recovery="")
                changed = replace(changed, kdf=closed.kdf, salt=closed.salt, wrapped_key=closed.wrapped_key)
                update_person(connection, changed, before=record)
                seal_everything_anew(connection, vault, successor)
                for event in events:
                    append_event(connection, successor, event)
                self._wallet.sessions.end_all(connection, vault.person_id)
        except SealBroken as exc:
            raise VaultDamaged from exc
        self._database.forget_deleted()
        return Rekeyed(successor, had_code)

    def _passkeys_anew(
        self,
        connection: Connection,
        vault: UnlockedVault,
        successor: UnlockedVault,
        record: VaultRecord,
        *,
        without: str | None,
    ) -> list[str]:
        """Seal the fresh key to the holders of the passkeys that stay; returns which those are.

        Rows that the vault does not name, such as one that somebody put back, are taken away.
        """
        named = passkeys_named(vault, record)
        if without is not None and without not in named:
            raise VaultChanged
        kept = []
        for stored in list_passkeys(connection, vault.person_id):
            if stored.id == without or stored.id not in named:
                remove_passkey(connection, vault.person_id, stored.id)
                continue
            anew = at_rest(successor, known_passkey(vault, stored), version=stored.version + 1)
            if not write_passkey(connection, anew, before=stored):
                raise VaultChanged
            kept.append(stored.id)
        return kept
