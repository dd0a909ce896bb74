"""A further way into a vault beside the passphrase: the recovery code.

    code, way = await make_recovery_code(vault, device_secret=secret)      # the code is shown once and kept nowhere
    vault = await open_with_code(record, way, code, device_secret=secret, shelf=shelf)

The vault key rests wrapped a second time, under a key from the code (Argon2id with the pinned minimum, and the device
secret). What is wrapped authenticates the vault, this very code by its identifier, and the layout: it is of no use for
another vault, and parameters cannot be lowered. The vault's own profile names the code that holds, so that the row of
one that was replaced or removed opens nothing when somebody puts it back.
"""

import secrets
from dataclasses import dataclass, field

from proofs import sealing
from schemas.errors import Refused
from service.passwords import KDFParameters, derive_key
from wallet.recovery_code import SECRET_BYTES, read_code, write_code
from wallet.vault import Shelf, UnlockedVault, VaultRecord, opened

_WAY = ("recovery code", "1")


class CodeOpensNothing(Refused):
    """The name and the recovery code do not open a vault here."""

    error = "code_opens_nothing"
    status = 403


@dataclass(frozen=True, slots=True)
class RecoveryWay:
    """How the vault key rests for a recovery code; unreadable without the code and the device secret."""

    id: str
    person_id: str
    kdf: KDFParameters
    salt: bytes
    wrapped_key: bytes = field(repr=False)


async def make_recovery_code(vault: UnlockedVault, *, device_secret: bytes) -> tuple[str, RecoveryWay]:
    """A fresh code for a vault, as it is shown to the person, and what rests of it."""
    code = write_code(secrets.token_bytes(SECRET_BYTES))
    way_id, salt, kdf = secrets.token_hex(16), secrets.token_bytes(16), KDFParameters()
    key = await _key(code, salt=salt, kdf=kdf, device_secret=device_secret)
    name, version = _WAY
    wrapped = vault.wrapped(name, version, way_id, key=key)
    return code, RecoveryWay(way_id, vault.person_id, kdf, salt, wrapped)


async def open_with_code(
    record: VaultRecord, way: RecoveryWay, code: str, *, device_secret: bytes, shelf: Shelf
) -> UnlockedVault:
    """Open a vault with its recovery code. Raises `WrongCode` for a slip, `CodeOpensNothing` for another code."""
    key = await _key(code, salt=way.salt, kdf=way.kdf, device_secret=device_secret)
    name, version = _WAY
    try:
        vault = opened(record, way.wrapped_key, name, version, way.id, key=key, shelf=shelf)
    except sealing.SealBroken as exc:
        raise CodeOpensNothing from exc
    if not secrets.compare_digest(vault.recovery_id, way.id):
        raise CodeOpensNothing
    return vault


async def _key(code: str, *, salt: bytes, kdf: KDFParameters, device_secret: bytes) -> bytes:
    secret = read_code(code).hex()
    return await derive_key(f"recovery code {secret}", salt=salt, device_secret=device_secret, parameters=kdf)
