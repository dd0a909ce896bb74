"""Passkeys as ways into a vault: beside the passphrase, each on a device of its own.

    passkey, wrapped = made_passkey(vault, registered, prf_output, name="Telefonen", device_secret=secret, now=now)
    vault, passkey = open_with_passkey(record, stored, prf_output, device_secret=secret, shelf=shelf)

The authenticator's pseudo-random function gives 32 bytes that only it gives, after it has verified its user. From them
and the device secret comes a private key (HKDF), and the vault key rests sealed to its public half. So the vault can
get another key while a device is far away: the new key is sealed to the same public half. Whoever had the vault open
knows the public halves alone, and opens nothing with them.

All that is known of a passkey is sealed in the vault; its row is found by an HMAC of the identifier that the
authenticator gave it. The vault's own profile names the passkeys that hold, so that the row of one that was removed
opens nothing when somebody puts it back.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from hmac import new as new_hmac
from typing import Any

from proofs import base64url, sealing
from proofs.passkeys import RegisteredPasskey
from schemas.errors import Refused
from wallet.vault import LAYOUT, Shelf, UnlockedVault, VaultRecord, opened_by_holder

_WAY = ("passkey", "1")
_VIEW = "passkey.view"
LONGEST_NAME = 60
MOST_PASSKEYS = 20


class PasskeyOpensNothing(Refused):
    """The passkey opens no vault here."""

    error = "passkey_opens_nothing"
    status = 403


class UnsuitablePasskeyName(Refused):
    """The name of a passkey is empty or too long."""

    error = "unsuitable_passkey_name"


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its vault knows it. `holder` is the public key to which the vault key is sealed."""

    id: str
    name: str
    added_at: datetime
    used_at: datetime | None
    credential_id: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    sign_count: int
    holder: bytes = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """The passkey as it rests, sealed."""
        return {
            "name": self.name,
            "added_at": int(self.added_at.timestamp()),
            "used_at": None if self.used_at is None else int(self.used_at.timestamp()),
            "credential_id": base64url.encode(self.credential_id),
            "public_key": base64url.encode(self.public_key),
            "sign_count": self.sign_count,
            "holder": base64url.encode(self.holder),
        }

    @classmethod
    def from_json(cls, passkey_id: str, members: Mapping[str, Any]) -> "Passkey":
        """The passkey as it was before `as_json`."""
        used_at = members["used_at"]
        return cls(
            id=passkey_id,
            name=members["name"],
            added_at=datetime.fromtimestamp(members["added_at"], UTC),
            used_at=None if used_at is None else datetime.fromtimestamp(used_at, UTC),
            credential_id=base64url.decode(members["credential_id"]),
            public_key=base64url.decode(members["public_key"]),
            sign_count=members["sign_count"],
            holder=base64url.decode(members["holder"]),
        )

    def used(self, *, sign_count: int, now: datetime) -> "Passkey":
        """The passkey after its authenticator has signed once more."""
        return replace(self, sign_count=sign_count, used_at=now)

    def renamed(self, name: str) -> "Passkey":
        """The passkey under another name."""
        return replace(self, name=name)


@dataclass(frozen=True, slots=True)
class StoredPasskey:
    """A passkey as it rests: the vault key sealed to its holder, and what the vault knows of it, sealed."""

    id: str
    person_id: str
    wrapped_key: bytes = field(repr=False)
    sealed_view: bytes = field(repr=False)
    version: int = 1


def found_by(credential_id: bytes, *, device_secret: bytes) -> bytes:
    """Under what a passkey is found: an HMAC of the identifier that its authenticator gave it."""
    key = sealing.derive_subkey(device_secret, purpose=f"{LAYOUT}:passkey id")
    return new_hmac(key, credential_id, sha256).digest()


def prf_input(*, device_secret: bytes) -> bytes:
    """What every authenticator is asked to compute its function of: one value for this deployment.

    It is no secret. It cannot differ by person, since a passkey is asked for before it is known whose it is.
    """
    return sealing.derive_subkey(device_secret, purpose=f"{LAYOUT}:passkey prf input")


def user_handle(person_id: str, *, device_secret: bytes) -> bytes:
    """What an authenticator keeps as whose passkey it is: opaque, one for all passkeys of a person."""
    key = sealing.derive_subkey(device_secret, purpose=f"{LAYOUT}:passkey user")
    return new_hmac(key, person_id.encode(), sha256).digest()


def made_passkey(
    vault: UnlockedVault,
    registered: RegisteredPasskey,
    prf_output: bytes,
    *,
    name: str,
    device_secret: bytes,
    now: datetime,
) -> Passkey:
    """A passkey that is to open this vault. Raises `UnsuitablePasskeyName`."""
    return Passkey(
        id=secrets.token_hex(16),
        name=suitable_name(name),
        added_at=now,
        used_at=None,
        credential_id=registered.credential_id,
        public_key=registered.public_key,
        sign_count=registered.sign_count,
        holder=sealing.inbox_public_key(_private_key(prf_output, device_secret=device_secret)),
    )


def suitable_name(name: str) -> str:
    """A name for a passkey as it is kept. Raises `UnsuitablePasskeyName`."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UnsuitablePasskeyName(f"a name of a passkey has 1 to {LONGEST_NAME} characters")
    return name


def at_rest(vault: UnlockedVault, passkey: Passkey, *, version: int = 1) -> StoredPasskey:
    """A passkey as it rests in this vault under the vault's present key."""
    way, layout = _WAY
    return StoredPasskey(
        id=passkey.id,
        person_id=vault.person_id,
        wrapped_key=vault.wrapped_to(way, layout, passkey.id, public_key=passkey.holder),
        sealed_view=vault.seal_json(_VIEW, passkey.id, passkey.as_json(), version=version),
        version=version,
    )


def known_passkey(vault: UnlockedVault, stored: StoredPasskey) -> Passkey:
    """What the vault knows of a passkey. Raises `SealBroken`."""
    return Passkey.from_json(stored.id, vault.unseal_json(_VIEW, stored.id, stored.sealed_view, version=stored.version))


def passkeys_named(vault: UnlockedVault, record: VaultRecord) -> tuple[str, ...]:
    """The passkeys that the vault's record names now, whatever it named when the vault was opened."""
    profile = vault.unseal_json("profile", record.person_id, record.sealed_profile, version=record.profile_version)
    return tuple(profile.get("passkeys", ()))


def open_with_passkey(
    record: VaultRecord, stored: StoredPasskey, prf_output: bytes, *, device_secret: bytes, shelf: Shelf
) -> tuple[UnlockedVault, Passkey]:
    """Open a vault with what a passkey's authenticator computed. Raises `PasskeyOpensNothing`.

    That the authenticator signed for this moment is not checked here: what is known of its key is inside.
    """
    way, layout = _WAY
    try:
        vault = opened_by_holder(
            record,
            stored.wrapped_key,
            way,
            layout,
            stored.id,
            private_key=_private_key(prf_output, device_secret=device_secret),
            shelf=shelf,
        )
        passkey = known_passkey(vault, stored)
    except sealing.SealBroken as exc:
        raise PasskeyOpensNothing from exc
    if passkey.id not in vault.passkey_ids:
        raise PasskeyOpensNothing
    return vault, passkey


def _private_key(prf_output: bytes, *, device_secret: bytes) -> bytes:
    return sealing.derive_subkey(prf_output, purpose=f"{LAYOUT}:passkey", salt=device_secret)
