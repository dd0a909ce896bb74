"""The passkeys of vaults: added, used, named, removed.

    ring = KeyRing(wallet)
    asked = await ring.begin(vault, passphrase)                      # what the browser's script is asked for
    passkey = ring.add(vault, answer, prf, name="Telefonen")
    vault = ring.unlock(answer, prf, name="")                        # with or without the name of the wallet
    rekeyed = await ring.remove(vault, passkey.id, passphrase, is_lost=True)

Every ceremony has a challenge of its own, made here, bound to what it is for, good for five minutes and for one use:
it is spent in the transaction that writes down what came of it. Which site and which address count comes from the
public URL, never from a request.
"""

from datetime import datetime

from sqlalchemy import Connection

from proofs.passkeys import (
    PasskeyRefused,
    UnverifiedAnswer,
    assertion_request,
    check_assertion,
    check_registration,
    read_answer,
    read_prf,
    registration_request,
)
from schemas.errors import NotFound, Refused
from service.single_use import StampedNonces, spend
from wallet.deployment import Deployment
from wallet.ledger import Event, EventKind, event_of_wallet, new_entry_id
from wallet.passkeys import (
    MOST_PASSKEYS,
    Passkey,
    PasskeyOpensNothing,
    StoredPasskey,
    at_rest,
    found_by,
    known_passkey,
    made_passkey,
    open_with_passkey,
    passkeys_named,
    prf_input,
    suitable_name,
    user_handle,
)
from wallet.rekeying import Rekeyed, Rekeying
from wallet.store.ledger import append_event
from wallet.store.passkeys import add_passkey, find_passkey, list_passkeys, remove_passkey, write_passkey
from wallet.store.people import VaultChanged, load_person, require_current, update_person
from wallet.store.tables import spent
from wallet.vault import UnlockedVault, VaultRecord, login_digest, with_profile

CHALLENGE_SECONDS = 300


class NoPRF(Refused):
    """The device has no pseudo-random function for passkeys: it could sign in, but not open anything."""

    error = "no_prf"


class TooManyPasskeys(Refused):
    """The vault has as many passkeys as it can have."""

    error = "too_many_passkeys"
    status = 409


class KeyRing:
    """The passkeys of the vaults of one wallet service."""

    def __init__(self, wallet: Deployment) -> None:
        self._wallet = wallet
        self._database = wallet.database
        self._settings = wallet.settings

    @property
    def is_possible(self) -> bool:
        """Whether browsers make passkeys for this address at all: they do for names, not for numeric addresses."""
        return self._settings.has_host_name

    def passkeys(self, vault: UnlockedVault) -> list[Passkey]:
        """The passkeys that open this vault, the oldest first."""
        with self._database.reading() as connection:
            record = _there(load_person(connection, vault.person_id))
            named = passkeys_named(vault, record)
            stored = [one for one in list_passkeys(connection, vault.person_id) if one.id in named]
        return sorted((known_passkey(vault, one) for one in stored), key=lambda one: (one.added_at, one.id))

    def passkey(self, vault: UnlockedVault, passkey_id: str) -> Passkey:
        """One passkey of this vault. Raises `NotFound`."""
        for passkey in self.passkeys(vault):
            if passkey.id == passkey_id:
                return passkey
        raise NotFound("There is no such passkey")

    # --- adding --------------------------------------------------------------------------------------------------

    async def begin(self, vault: UnlockedVault, passphrase: str) -> dict[str, object]:
        """What the browser is asked for, so that a device becomes a way in; only for who has the passphrase.

        Raises `WrongPassphrase`, `TooManyPasskeys`.
        """
        await self._wallet.confirm(vault, passphrase)
        known = self.passkeys(vault)
        if len(known) >= MOST_PASSKEYS:
            raise TooManyPasskeys
        secret = self._wallet.device_secret
        return registration_request(
            rp_id=self._settings.host_name,
            rp_name="Intyga",
            user_handle=user_handle(vault.person_id, device_secret=secret),
            user_name=vault.name,
            challenge=self._adding(vault).new(now=self._wallet.clock()).encode(),
            prf_input=prf_input(device_secret=secret),
            known=[one.credential_id for one in known],
        )

    def add(self, vault: UnlockedVault, answer: str, prf: str, *, name: str) -> Passkey:
        """Keep a passkey that a device has made. Nothing is kept of one that has no pseudo-random function.

        Raises `MalformedPasskeyAnswer`, `PasskeyRefused`, `NoPRF`, `UnsuitablePasskeyName`, `PasskeyKnown`,
        `TooManyPasskeys`.
        """
        now, secret = self._wallet.clock(), self._wallet.device_secret
        unverified = read_answer(answer)
        challenges = self._adding(vault)
        registered = check_registration(
            unverified,
            expected_challenge=_ours(unverified, challenges, now=now),
            expected_origin=self._settings.origin,
            expected_rp_id=self._settings.host_name,
        )
        output = read_prf(prf)
        if output is None:
            raise NoPRF
        passkey = made_passkey(vault, registered, output, name=name, device_secret=secret, now=now)
        with self._database.transaction() as connection:
            require_current(connection, vault)
            self._spend(connection, unverified, challenges, now=now)
            record = _there(load_person(connection, vault.person_id))
            named = passkeys_named(vault, record)
            if len(named) >= MOST_PASSKEYS:
                raise TooManyPasskeys
            stored_under = found_by(passkey.credential_id, device_secret=secret)
            add_passkey(connection, at_rest(vault, passkey), found_by=stored_under)
            update_person(connection, with_profile(vault, record, passkeys=[*named, passkey.id]), before=record)
            append_event(connection, vault, _event(EventKind.PASSKEY_ADDED, passkey, now))
        return passkey

    def _adding(self, vault: UnlockedVault) -> StampedNonces:
        return self._challenges(f"passkey for {vault.person_id}")

    # --- opening -------------------------------------------------------------------------------------------------

    def ask_to_unlock(self) -> dict[str, object]:
        """What the browser is asked for, so that a passkey opens its vault; it says nothing about anybody."""
        return assertion_request(
            rp_id=self._settings.host_name,
            challenge=self._unlocking().new(now=self._wallet.clock()).encode(),
            prf_input=prf_input(device_secret=self._wallet.device_secret),
        )

    def unlock(self, answer: str, prf: str, *, name: str) -> UnlockedVault:
        """Open the vault that a passkey belongs to; with a `name`, only if it is that vault's.

        Raises `MalformedPasskeyAnswer`, and `PasskeyRefused` or `PasskeyOpensNothing`, which the page must not tell
        apart.
        """
        now, secret = self._wallet.clock(), self._wallet.device_secret
        unverified, output = read_answer(answer), read_prf(prf)
        challenges = self._unlocking()
        expected_challenge = _ours(unverified, challenges, now=now)
        stored, record = self._find(unverified)
        if output is None or (name.strip() and login_digest(name, device_secret=secret) != record.login):
            raise PasskeyOpensNothing
        if unverified.user_handle != user_handle(record.person_id, device_secret=secret):
            raise PasskeyOpensNothing
        vault, passkey = open_with_passkey(record, stored, output, device_secret=secret, shelf=self._wallet.shelf)
        # Nothing of the open vault is used before the signature holds and its challenge is spent.
        sign_count = self._check(unverified, passkey, expected_challenge)
        self._note_use(vault, stored, passkey.used(sign_count=sign_count, now=now), unverified, challenges, now=now)
        return self._wallet.brought_over(vault)

    def _find(self, unverified: UnverifiedAnswer) -> tuple[StoredPasskey, VaultRecord]:
        with self._database.reading() as connection:
            key = found_by(unverified.credential_id, device_secret=self._wallet.device_secret)
            stored = find_passkey(connection, key)
            record = None if stored is None else load_person(connection, stored.person_id)
        if stored is None or record is None:
            raise PasskeyOpensNothing
        return stored, record

    def _check(self, unverified: UnverifiedAnswer, passkey: Passkey, expected_challenge: bytes) -> int:
        return check_assertion(
            unverified,
            expected_challenge=expected_challenge,
            expected_origin=self._settings.origin,
            expected_rp_id=self._settings.host_name,
            public_key=passkey.public_key,
            sign_count=passkey.sign_count,
        )

    def _note_use(
        self,
        vault: UnlockedVault,
        stored: StoredPasskey,
        used: Passkey,
        unverified: UnverifiedAnswer,
        challenges: StampedNonces,
        *,
        now: datetime,
    ) -> None:
        """Spend the challenge, and write down count and day: of two with one answer, or one count, one gets in."""
        with self._database.transaction() as connection:
            require_current(connection, vault)
            self._spend(connection, unverified, challenges, now=now)
            if not write_passkey(connection, at_rest(vault, used, version=stored.version + 1), before=stored):
                raise PasskeyRefused

    def _unlocking(self) -> StampedNonces:
        return self._challenges("passkey unlock")

    # --- confirming ----------------------------------------------------------------------------------------------

    def ask_to_confirm(self, vault: UnlockedVault, purpose: str) -> dict[str, object]:
        """What the browser is asked for, so that a passkey of this vault signs for one `purpose` and no other."""
        return assertion_request(
            rp_id=self._settings.host_name,
            challenge=self._confirming(vault, purpose).new(now=self._wallet.clock()).encode(),
            prf_input=None,
            among=[one.credential_id for one in self.passkeys(vault)],
        )

    def confirm(self, vault: UnlockedVault, answer: str, *, purpose: str) -> None:
        """Check that a passkey of this vault signed for this purpose, just now and for the first time.

        Raises `MalformedPasskeyAnswer`, `PasskeyRefused`.
        """
        now, unverified = self._wallet.clock(), read_answer(answer)
        challenges = self._confirming(vault, purpose)
        expected_challenge = _ours(unverified, challenges, now=now)
        with self._database.reading() as connection:
            record = _there(load_person(connection, vault.person_id))
            key = found_by(unverified.credential_id, device_secret=self._wallet.device_secret)
            stored = find_passkey(connection, key)
        if stored is None or stored.person_id != vault.person_id or stored.id not in passkeys_named(vault, record):
            raise PasskeyRefused
        passkey = known_passkey(vault, stored)
        sign_count = self._check(unverified, passkey, expected_challenge)
        self._note_use(vault, stored, passkey.used(sign_count=sign_count, now=now), unverified, challenges, now=now)

    def _confirming(self, vault: UnlockedVault, purpose: str) -> StampedNonces:
        return self._challenges(f"passkey of {vault.person_id} confirms {purpose}")

    # --- keeping in order ----------------------------------------------------------------------------------------

    def rename(self, vault: UnlockedVault, passkey_id: str, name: str) -> None:
        """Call a passkey something else. Raises `NotFound`, `UnsuitablePasskeyName`, `VaultChanged`."""
        name = suitable_name(name)
        with self._database.transaction() as connection:
            require_current(connection, vault)
            for stored in list_passkeys(connection, vault.person_id):
                if stored.id == passkey_id and stored.id in vault.passkey_ids:
                    renamed = known_passkey(vault, stored).renamed(name)
                    if not write_passkey(
                        connection, at_rest(vault, renamed, version=stored.version + 1), before=stored
                    ):
                        raise VaultChanged
                    return
        raise NotFound("There is no such passkey")

    async def remove(self, vault: UnlockedVault, passkey_id: str, passphrase: str, *, is_lost: bool) -> Rekeyed:
        """Take a passkey away, and end all sessions.

        When its device is lost, the vault gets another key in the same act: a copy of the database from before is then
        worth nothing for what comes after.

        Raises `NotFound`, `WrongPassphrase`, `VaultChanged`, `VaultDamaged`.
        """
        passkey, now = self.passkey(vault, passkey_id), self._wallet.clock()
        removed = _event(EventKind.PASSKEY_REMOVED, passkey, now)
        if is_lost:
            events = (removed, Event(removed.entry_id, EventKind.KEY_CHANGED, now))
            return await Rekeying(self._wallet).rekey(vault, passphrase, events=events, without=passkey.id)
        await self._wallet.confirm(vault, passphrase)
        with self._database.transaction() as connection:
            require_current(connection, vault)
            record = _there(load_person(connection, vault.person_id))
            named = [one for one in passkeys_named(vault, record) if one != passkey.id]
            if not remove_passkey(connection, vault.person_id, passkey.id):
                raise VaultChanged
            update_person(connection, with_profile(vault, record, passkeys=named), before=record)
            append_event(connection, vault, removed)
            self._wallet.sessions.end_all(connection, vault.person_id)
        self._database.forget_deleted()
        return Rekeyed(vault, lost_recovery_code=False)

    async def change_key(self, vault: UnlockedVault, passphrase: str) -> Rekeyed:
        """Give the vault another key; every passkey stays. Raises as `Rekeying.rekey` does."""
        event = event_of_wallet(EventKind.KEY_CHANGED, at=self._wallet.clock())
        return await Rekeying(self._wallet).rekey(vault, passphrase, events=(event,))

    # --- challenges ----------------------------------------------------------------------------------------------

    def _challenges(self, purpose: str) -> StampedNonces:
        return StampedNonces(self._wallet.device_secret, purpose=purpose, lifetime_seconds=CHALLENGE_SECONDS)

    @staticmethod
    def _spend(
        connection: Connection, unverified: UnverifiedAnswer, challenges: StampedNonces, *, now: datetime
    ) -> None:
        nonce = unverified.challenge.decode("ascii")
        if not spend(connection, spent, kind="passkey", value=nonce, expires_at=challenges.expiry(nonce), now=now):
            raise PasskeyRefused


def _ours(unverified: UnverifiedAnswer, challenges: StampedNonces, *, now: datetime) -> bytes:
    """The challenge of an answer, if we made it for this purpose within the last minutes. Raises `PasskeyRefused`."""
    nonce = unverified.challenge.decode("ascii", "replace")
    if not challenges.is_genuine(nonce, now=now):
        raise PasskeyRefused
    return unverified.challenge


def _event(kind: EventKind, passkey: Passkey, now: datetime) -> Event:
    return Event(new_entry_id(), kind, now, {"who": {"sv": passkey.name, "en": passkey.name}})


def _there(record: VaultRecord | None) -> VaultRecord:
    if record is None:
        raise VaultChanged
    return record
