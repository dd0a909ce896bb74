"""Getting back into a vault without the passphrase: making, using and removing the recovery code.

    recovery = Recovery(wallet)
    code = await recovery.make(vault, passphrase)                 # shown once, kept nowhere
    vault = await recovery.recover("Maja", code, new="nya ord")   # the passphrase is another one, the code is spent

A code that was used is spent in the transaction that sets the new passphrase and ends all sessions, so that it works
once, whoever tries at the same time.
"""

from sqlalchemy import Connection

from service.passwords import KDFParameters, derive_key
from wallet.deployment import Deployment
from wallet.ledger import EventKind, event_of_wallet
from wallet.recovery_code import new_code, read_code
from wallet.store.ledger import append_event
from wallet.store.people import VaultChanged, find_person, load_person, update_person
from wallet.store.recovery import find_recovery, put_recovery, remove_recovery
from wallet.vault import UnlockedVault, VaultRecord, login_digest, refuse_unsuitable, rewrapped, with_profile
from wallet.ways_in import CodeOpensNothing, RecoveryWay, make_recovery_code, open_with_code


class Recovery:
    """The recovery codes of the vaults of one wallet service."""

    def __init__(self, wallet: Deployment) -> None:
        self._wallet = wallet
        self._database = wallet.database

    async def make(self, vault: UnlockedVault, passphrase: str) -> str:
        """A fresh code, in place of the one before. Raises `WrongPassphrase`, `VaultChanged`."""
        await self._wallet.confirm(vault, passphrase)
        code, way = await make_recovery_code(vault, device_secret=self._wallet.device_secret)
        with self._database.transaction() as connection:
            record = _there(load_person(connection, vault.person_id))
            put_recovery(connection, way)
            update_person(connection, with_profile(vault, record, recovery=way.id), before=record)
            self._write(connection, vault, EventKind.RECOVERY_MADE)
        self._database.forget_deleted()
        return code

    async def remove(self, vault: UnlockedVault, passphrase: str) -> None:
        """Take the code away; the passphrase is the only way in then. Raises `WrongPassphrase`, `VaultChanged`."""
        await self._wallet.confirm(vault, passphrase)
        with self._database.transaction() as connection:
            record = _there(load_person(connection, vault.person_id))
            if remove_recovery(connection, vault.person_id):
                self._write(connection, vault, EventKind.RECOVERY_REMOVED)
            update_person(connection, with_profile(vault, record, recovery=""), before=record)
        self._database.forget_deleted()

    def ask_later(self, vault: UnlockedVault) -> None:
        """The person does not want to be reminded that there is only one way in."""
        with self._database.transaction() as connection:
            record = _there(load_person(connection, vault.person_id))
            update_person(connection, with_profile(vault, record, recovery_later=True), before=record)

    async def recover(self, name: str, code: str, *, new: str) -> UnlockedVault:
        """Open a vault with its code, which is spent, and give it another passphrase. All its sessions end.

        Raises `WrongCode` for a slip of the pen and `UnsuitablePassphrase`, both before anything was tried, and
        `CodeOpensNothing`, after the same time whether the name is known or not.
        """
        read_code(code)
        refuse_unsuitable(new)
        secret, shelf = self._wallet.device_secret, self._wallet.shelf
        record, way = self._find(name)
        if record is None or way is None:
            await derive_key(new_code(), salt=bytes(16), device_secret=secret, parameters=KDFParameters())
            raise CodeOpensNothing
        vault = await open_with_code(record, way, code, device_secret=secret, shelf=shelf)
        changed = await rewrapped(vault, record, new, device_secret=secret)
        with self._database.transaction() as connection:
            if not remove_recovery(connection, record.person_id, way_id=way.id):
                raise CodeOpensNothing
            update_person(connection, with_profile(vault, changed, recovery=""), before=record)
            # Whose paper was found by somebody else sees it here, once they are in again.
            self._write(connection, vault, EventKind.RECOVERED)
            self._wallet.sessions.end_all(connection, record.person_id)
        self._database.forget_deleted()
        return self._wallet.brought_over(vault)

    def _write(self, connection: Connection, vault: UnlockedVault, kind: EventKind) -> None:
        append_event(connection, vault, event_of_wallet(kind, at=self._wallet.clock()))

    def _find(self, name: str) -> tuple[VaultRecord | None, RecoveryWay | None]:
        login = login_digest(name, device_secret=self._wallet.device_secret)
        with self._database.reading() as connection:
            record = find_person(connection, login)
            return record, None if record is None else find_recovery(connection, record.person_id)


def _there(record: VaultRecord | None) -> VaultRecord:
    if record is None:
        raise VaultChanged
    return record
