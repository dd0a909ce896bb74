"""People at a wallet service: their vaults are made, opened, locked and changed."""

from wallet.deployment.ground import Ground
from wallet.store.certificates import DatabaseShelf
from wallet.store.ledger import begin_history
from wallet.store.ledger_layouts import chain_anew
from wallet.store.people import NameTaken, add_person, find_person, load_person, require_current, update_person
from wallet.vault import (
    HISTORY_LAYOUT,
    UnlockedVault,
    VaultRecord,
    WrongPassphrase,
    create_vault,
    login_digest,
    rewrapped,
    unlock_from_session,
    unlock_vault,
    with_profile,
)


class People(Ground):
    """The vaults of one wallet service."""

    async def create(self, name: str, passphrase: str, *, language: str) -> UnlockedVault:
        """Make a vault for a new person. Raises `NameTaken`, `UnsuitableName`, `UnsuitablePassphrase`."""
        if self._find(name) is not None:
            raise NameTaken
        vault, record = await create_vault(
            name, passphrase, device_secret=self.device_secret, language=language, shelf=self.shelf
        )
        with self.database.transaction() as connection:
            add_person(connection, record)
            begin_history(connection, vault)
        return vault

    async def unlock(self, name: str, passphrase: str) -> UnlockedVault:
        """Open a person's vault. Raises `WrongPassphrase`, after the same time whether the name is known or not."""
        record = self._find(name)
        if record is None:
            await _spend_the_same_time(passphrase, self.device_secret, self.shelf)
            raise WrongPassphrase
        vault = await unlock_vault(record, passphrase, device_secret=self.device_secret, shelf=self.shelf)
        return self.brought_over(vault)

    def brought_over(self, vault: UnlockedVault) -> UnlockedVault:
        """A vault whose history is of the present layout; one of an earlier layout is chained anew, once."""
        if vault.history_layout < HISTORY_LAYOUT:
            with self.database.transaction() as connection:
                record = load_person(connection, vault.person_id)
                if record is None:
                    raise WrongPassphrase
                with_profile(vault, record)  # Reads what the record says now: another process may have done it.
                if vault.history_layout < HISTORY_LAYOUT:
                    chain_anew(connection, vault)
                    update_person(connection, with_profile(vault, record, history=HISTORY_LAYOUT), before=record)
        return vault

    async def limit_unlocking(self, address: str, name: str) -> None:
        """Count an attempt to open a vault: 10 for a name, 60 from one address in 5 min. Raises `TooManyRequests`."""
        await self.limit_address(address)
        await self._tries_by_name.check(login_digest(name, device_secret=self.device_secret).hex(), now=self.clock())

    async def limit_address(self, address: str) -> None:
        """Count an attempt to open a vault by nobody in particular. Raises `TooManyRequests`."""
        await self._tries_by_address.check(address, now=self.clock())

    async def forget_tries(self, name: str) -> None:
        """Start counting again for a name that was opened."""
        await self._tries_by_name.forget(login_digest(name, device_secret=self.device_secret).hex())

    def has_person(self, name: str) -> bool:
        """Whether there is a vault under this name."""
        return self._find(name) is not None

    def from_session(self, person_id: str, wrapped: bytes, session_key: bytes) -> UnlockedVault | None:
        """The vault that a browser session opens; None when the vault is gone. Raises `SealBroken`."""
        record = self._load(person_id)
        if record is None:
            return None
        return self.brought_over(unlock_from_session(record, wrapped, session_key, shelf=self.shelf))

    async def confirm(self, vault: UnlockedVault, passphrase: str) -> None:
        """Check that the person who holds the vault's passphrase is here. Raises `WrongPassphrase`."""
        record = self._load(vault.person_id)
        if record is None:
            raise WrongPassphrase
        await unlock_vault(record, passphrase, device_secret=self.device_secret, shelf=self.shelf)

    async def change_passphrase(self, vault: UnlockedVault, *, old: str, new: str) -> None:
        """Wrap the vault key under another passphrase; the one wrapped before is taken out of the files as well.

        All sessions of the vault end with it.

        Raises `WrongPassphrase`, `UnsuitablePassphrase`, `VaultChanged`.
        """
        record = self._load(vault.person_id)
        if record is None:
            raise WrongPassphrase
        await unlock_vault(record, old, device_secret=self.device_secret, shelf=self.shelf)
        changed = await rewrapped(vault, record, new, device_secret=self.device_secret)
        with self.database.transaction() as connection:
            require_current(connection, vault)  # Another key than the present one must never be wrapped.
            update_person(connection, changed, before=record)
            self.sessions.end_all(connection, vault.person_id)
        self.database.forget_deleted()

    def choose_language(self, vault: UnlockedVault, language: str) -> None:
        """Remember the language that the person chose."""
        record = self._load(vault.person_id)
        assert record is not None
        changed = with_profile(vault, record, language=language)
        with self.database.transaction() as connection:
            update_person(connection, changed, before=record)

    def _find(self, name: str) -> VaultRecord | None:
        with self.database.reading() as connection:
            return find_person(connection, login_digest(name, device_secret=self.device_secret))

    def _load(self, person_id: str) -> VaultRecord | None:
        with self.database.reading() as connection:
            return load_person(connection, person_id)


async def _spend_the_same_time(passphrase: str, device_secret: bytes, shelf: DatabaseShelf) -> None:
    """Derive a key for nobody, so that the time of the answer does not tell which names exist here."""
    padded = passphrase.ljust(12)[:1000]
    await create_vault("nobody", padded, device_secret=device_secret, language="sv", shelf=shelf)
