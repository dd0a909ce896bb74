"""The vault: everything that a person keeps, readable only while it is unlocked.

The rules of the game (durability.md, vault design):

* Each vault has one random key. Every item at rest is sealed under it, and each ciphertext authenticates the vault, the
  kind of the value, the item, the version of the item and of this layout: nothing can be moved, swapped or rolled back
  to another place unnoticed.
* The vault key is kept only wrapped: under a key derived from the passphrase (Argon2id, with the device secret, a file
  beside the database), under one from the recovery code where there is one (`wallet/ways_in.py`), to one from each
  passkey (`wallet/passkeys.py`), and, while a session lasts, under a key that only the browser's cookie holds.
* A vault can get another key (`wallet/rekeying.py`): everything is sealed anew, and what opened the former key does not
  open the new one.
* Login names are kept as HMACs under the device secret, and the name that is shown is sealed in the vault.

    vault, record = await create_vault("Maja", "långa ord är bra", device_secret=secret, language="sv", shelf=shelf)
    sealed = vault.seal("certificate.view", "c1", b"...")
    vault = await unlock_vault(record, "långa ord är bra", device_secret=secret, shelf=shelf)
"""

import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from hmac import new as new_hmac
from typing import Any, Protocol

from proofs import sealing, strict_json
from proofs.keys import Signer, SoftwareSigner
from schemas.errors import Refused
from service.passwords import KDFParameters, derive_key
from wallet.certificates import Copy, StoredCertificate

LAYOUT = "intyga-vault-1"
HISTORY_LAYOUT = 2
SHORTEST_PASSPHRASE = 8
LONGEST_PASSPHRASE = 1000
LONGEST_NAME = 100


class WrongPassphrase(Refused):
    """The name and the passphrase do not open a vault here."""

    error = "wrong_passphrase"
    status = 403


class UnsuitablePassphrase(Refused):
    """The passphrase is too short or too long."""

    error = "unsuitable_passphrase"


class UnsuitableName(Refused):
    """The name is empty or too long."""

    error = "unsuitable_name"


@dataclass(frozen=True, slots=True)
class VaultRecord:
    """What rests of a vault beside its items; unreadable without the passphrase and the device secret."""

    person_id: str
    login: bytes
    kdf: KDFParameters
    salt: bytes
    wrapped_key: bytes = field(repr=False)
    sealed_profile: bytes = field(repr=False)
    profile_version: int = 1


class Shelf(Protocol):
    """Where the sealed items rest; the store is one."""

    def certificates(self, vault: "UnlockedVault") -> list[StoredCertificate]:
        """All certificates of this vault, the latest received first."""
        ...


class UnlockedVault:
    """An open vault. Its key leaves it only wrapped."""

    def __init__(self, *, person_id: str, key: bytes, profile: Mapping[str, Any], shelf: Shelf) -> None:
        self.person_id = person_id
        self.profile = dict(profile)
        self._key = key
        self._items_key = sealing.derive_subkey(key, purpose=f"{LAYOUT}:items")
        self._shelf = shelf

    def __repr__(self) -> str:
        return f"<UnlockedVault {self.person_id}>"

    @property
    def name(self) -> str:
        """What the person calls the vault."""
        return str(self.profile["name"])

    @property
    def language(self) -> str:
        """The language that the person chose."""
        return str(self.profile["language"])

    @property
    def recovery_id(self) -> str:
        """The recovery code that opens this vault, by its identifier; empty when there is none."""
        return str(self.profile.get("recovery", ""))

    @property
    def passkey_ids(self) -> tuple[str, ...]:
        """The passkeys that open this vault, by their identifiers."""
        return tuple(self.profile.get("passkeys", ()))

    @property
    def asked_for_no_reminder(self) -> bool:
        """Whether the person does not want to be reminded that the passphrase is the only way in."""
        return bool(self.profile.get("recovery_later"))

    @property
    def history_layout(self) -> int:
        """The layout of the history that this vault has; nothing older is read in its place."""
        return int(self.profile.get("history", 1))

    def certificates(self) -> list[StoredCertificate]:
        """All certificates, the latest received first."""
        return self._shelf.certificates(self)

    def seal(self, kind: str, item_id: str, value: bytes, *, version: int = 1) -> bytes:
        """Encrypt a value so that it opens only here, as this kind of value of this item in this version.

        `kind` names the value and where it belongs ("certificate.view", "ledger.entry"); `version` is the version of
        the item for values that are written over, so that an older one put back does not open.
        """
        return sealing.seal(self._items_key, value, context=self._context(kind, item_id, version))

    def unseal(self, kind: str, item_id: str, sealed: bytes, *, version: int = 1) -> bytes:
        """Open what `seal` closed. Raises `SealBroken` when it was changed or moved."""
        return sealing.unseal(self._items_key, sealed, context=self._context(kind, item_id, version))

    def seal_json(self, kind: str, item_id: str, value: Mapping[str, Any], *, version: int = 1) -> bytes:
        """Seal a JSON object."""
        return self.seal(kind, item_id, strict_json.dumps(value), version=version)

    def unseal_json(self, kind: str, item_id: str, sealed: bytes, *, version: int = 1) -> dict[str, Any]:
        """Open a JSON object closed by `seal_json`."""
        return strict_json.loads_object(self.unseal(kind, item_id, sealed, version=version), max_bytes=20_000_000)

    def secret_for(self, purpose: str) -> bytes:
        """32 bytes that only this vault knows, for keyed digests such as commitments."""
        return sealing.derive_subkey(self._key, purpose=f"{LAYOUT}:{purpose}")

    def signer_for(self, copy: Copy) -> Signer:
        """The signer of the key that a copy is bound to."""
        return SoftwareSigner.from_private_jwk(copy.key_private_jwk)

    def wrapped_for_session(self, session_key: bytes) -> bytes:
        """The vault key, wrapped under a key that only the person's browser holds."""
        return self.wrapped("session", key=session_key)

    def wrapped(self, way: str, *more: str, key: bytes) -> bytes:
        """The vault key, wrapped for one way in: it opens only as this way of this vault, with these details."""
        return sealing.seal(key, self._key, context=_context(way, self.person_id, *more))

    def wrapped_to(self, way: str, *more: str, public_key: bytes) -> bytes:
        """As `wrapped`, to the holder of a private key, who need not be there."""
        return sealing.seal_to(public_key, self._key, context=_context(way, self.person_id, *more))

    def successor(self) -> "UnlockedVault":
        """The same vault under a fresh key, of which nothing rests yet (`handed_over`)."""
        return UnlockedVault(
            person_id=self.person_id, key=sealing.generate_key(), profile=self.profile, shelf=self._shelf
        )

    def _context(self, kind: str, item_id: str, version: int) -> bytes:
        return _context("item", self.person_id, kind, item_id, str(version))


def login_digest(name: str, *, device_secret: bytes) -> bytes:
    """The form in which a login name rests: an HMAC, the same for every way of writing the same name."""
    folded = unicodedata.normalize("NFKC", " ".join(name.split())).casefold()
    key = sealing.derive_subkey(device_secret, purpose=f"{LAYOUT}:login")
    return new_hmac(key, folded.encode(), sha256).digest()


async def create_vault(
    name: str, passphrase: str, *, device_secret: bytes, language: str, shelf: Shelf
) -> tuple[UnlockedVault, VaultRecord]:
    """Make a new vault for a person. Raises `UnsuitableName` or `UnsuitablePassphrase`."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise UnsuitableName
    person_id = secrets.token_hex(16)
    key = sealing.generate_key()
    profile = {"name": name, "language": language, "history": HISTORY_LAYOUT}
    vault = UnlockedVault(person_id=person_id, key=key, profile=profile, shelf=shelf)
    record = VaultRecord(
        person_id=person_id,
        login=login_digest(name, device_secret=device_secret),
        kdf=KDFParameters(),
        salt=b"",
        wrapped_key=b"",
        sealed_profile=vault.seal_json("profile", person_id, profile),
    )
    return vault, await rewrapped(vault, record, passphrase, device_secret=device_secret)


async def unlock_vault(record: VaultRecord, passphrase: str, *, device_secret: bytes, shelf: Shelf) -> UnlockedVault:
    """Open a vault with its passphrase. Raises `WrongPassphrase`."""
    wrapping_key = await _wrapping_key(record, passphrase, device_secret=device_secret)
    try:
        return opened(record, record.wrapped_key, "passphrase", key=wrapping_key, shelf=shelf)
    except sealing.SealBroken as exc:
        raise WrongPassphrase from exc


def unlock_from_session(record: VaultRecord, wrapped: bytes, session_key: bytes, *, shelf: Shelf) -> UnlockedVault:
    """Open a vault with the key that the person's browser holds. Raises `SealBroken` when it does not fit."""
    return opened(record, wrapped, "session", key=session_key, shelf=shelf)


def opened(record: VaultRecord, wrapped: bytes, way: str, *more: str, key: bytes, shelf: Shelf) -> UnlockedVault:
    """Open a vault by one way in, with what `wrapped` made for it. Raises `SealBroken` when it does not fit."""
    return _opened(record, sealing.unseal(key, wrapped, context=_context(way, record.person_id, *more)), shelf)


def opened_by_holder(
    record: VaultRecord, wrapped: bytes, way: str, *more: str, private_key: bytes, shelf: Shelf
) -> UnlockedVault:
    """Open a vault with what `wrapped_to` made for the holder of a private key. Raises `SealBroken`."""
    vault_key = sealing.unseal_with(private_key, wrapped, context=_context(way, record.person_id, *more))
    return _opened(record, vault_key, shelf)


def _opened(record: VaultRecord, vault_key: bytes, shelf: Shelf) -> UnlockedVault:
    items_key = sealing.derive_subkey(vault_key, purpose=f"{LAYOUT}:items")
    context = _context("item", record.person_id, "profile", record.person_id, str(record.profile_version))
    profile = strict_json.loads_object(sealing.unseal(items_key, record.sealed_profile, context=context))
    return UnlockedVault(person_id=record.person_id, key=vault_key, profile=profile, shelf=shelf)


async def rewrapped(vault: UnlockedVault, record: VaultRecord, passphrase: str, *, device_secret: bytes) -> VaultRecord:
    """The record with the vault key wrapped under a new passphrase (and a new salt and today's parameters)."""
    refuse_unsuitable(passphrase)
    fresh = replace(record, kdf=KDFParameters(), salt=secrets.token_bytes(16))
    wrapping_key = await _wrapping_key(fresh, passphrase, device_secret=device_secret)
    return replace(fresh, wrapped_key=vault.wrapped("passphrase", key=wrapping_key))


def refuse_unsuitable(passphrase: str) -> None:
    """Raise `UnsuitablePassphrase` for one that is too short or too long."""
    if not SHORTEST_PASSPHRASE <= len(passphrase) <= LONGEST_PASSPHRASE:
        raise UnsuitablePassphrase(f"a passphrase has {SHORTEST_PASSPHRASE} to {LONGEST_PASSPHRASE} characters")


def with_profile(vault: UnlockedVault, record: VaultRecord, **changes: Any) -> VaultRecord:
    """The record with other members of its profile (language, recovery, history); the vault has them from now on."""
    version = record.profile_version + 1
    # What the record says now, and not what the vault was opened with: another window may have changed it since.
    there = vault.unseal_json("profile", record.person_id, record.sealed_profile, version=record.profile_version)
    profile = {**there, **changes}
    sealed = vault.seal_json("profile", record.person_id, profile, version=version)
    vault.profile = profile
    return replace(record, sealed_profile=sealed, profile_version=version)


def handed_over(vault: UnlockedVault, successor: UnlockedVault, record: VaultRecord, **changes: Any) -> VaultRecord:
    """The record with its profile under the key of the successor; the wrapped keys in it are still the former ones."""
    changed = with_profile(vault, record, **changes)
    successor.profile = vault.profile
    version = changed.profile_version
    sealed = successor.seal_json("profile", record.person_id, vault.profile, version=version)
    return replace(changed, sealed_profile=sealed)


async def _wrapping_key(record: VaultRecord, passphrase: str, *, device_secret: bytes) -> bytes:
    return await derive_key(passphrase, salt=record.salt, device_secret=device_secret, parameters=record.kdf)


def _context(*parts: str) -> bytes:
    # Lengths keep ("ab", "c") and ("a", "bc") apart.
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in (LAYOUT, *parts))
