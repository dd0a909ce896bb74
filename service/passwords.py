"""Passwords and passphrases: Argon2id with 64 MiB, 3 passes and 4 lanes, at most two runs at once.

Runs happen in two threads of their own, so that the event loop goes on and memory stays bounded; further callers wait.
Weaker parameters are refused wherever they come from, so that an edited database cannot downgrade a hash or a key.
"""

import asyncio
import functools
import hashlib
import hmac
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self, TypeVar

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION, hash_secret_raw

from schemas.errors import Refused

T = TypeVar("T")

MINIMUM_MEMORY_KIB, MINIMUM_PASSES, MINIMUM_LANES = 64 * 1024, 3, 4
MAXIMUM_MEMORY_KIB, MAXIMUM_PASSES, MAXIMUM_LANES = 1024 * 1024, 20, 16
RUNS_AT_ONCE = 2
MAXIMUM_PASSWORD_CHARACTERS = 1024


class WeakParameters(Refused):
    """The key derivation parameters are below the minimum that is accepted here, or beyond the maximum."""


class PasswordTooLong(Refused):
    """The password has more than 1,024 characters."""


@dataclass(frozen=True, slots=True)
class KDFParameters:
    """Cost of Argon2id: memory in KiB, passes over it, lanes. Values below the pinned minimum do not exist."""

    memory_kib: int = MINIMUM_MEMORY_KIB
    passes: int = MINIMUM_PASSES
    lanes: int = MINIMUM_LANES

    def __post_init__(self) -> None:
        if self.memory_kib < MINIMUM_MEMORY_KIB or self.passes < MINIMUM_PASSES or self.lanes < MINIMUM_LANES:
            raise WeakParameters
        if self.memory_kib > MAXIMUM_MEMORY_KIB or self.passes > MAXIMUM_PASSES or self.lanes > MAXIMUM_LANES:
            raise WeakParameters("The key derivation parameters are beyond the maximum that is accepted here.")

    def to_text(self) -> str:
        """The form that is stored beside a salt: `argon2id,65536,3,4`."""
        return f"argon2id,{self.memory_kib},{self.passes},{self.lanes}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read the stored form. Raises `WeakParameters` for anything else or anything weaker."""
        parts = text.split(",")
        if len(parts) != 4 or parts[0] != "argon2id" or not all(part.isdecimal() for part in parts[1:]):
            raise WeakParameters("The key derivation parameters are not of the known form.")
        return cls(*(int(part) for part in parts[1:]))


async def hash_password(password: str) -> str:
    """The encoded Argon2id hash of a password, with a fresh salt. Raises `PasswordTooLong`."""
    prepared = _prepared(password)
    return await _in_turn(lambda: _hasher().hash(prepared))


async def verify_password(hashed: str, password: str) -> bool:
    """Whether the password belongs to the hash. Raises `WeakParameters` when the hash is weaker than ours may be."""
    _refuse_weak(hashed)
    try:
        prepared = _prepared(password)
    except PasswordTooLong:
        return False

    def matches() -> bool:
        try:
            return _hasher().verify(hashed, prepared)
        except VerificationError:
            return False

    return await _in_turn(matches)


async def derive_key(passphrase: str, *, salt: bytes, device_secret: bytes, parameters: KDFParameters) -> bytes:
    """32 bytes from a passphrase, a salt (16 bytes or more) and the device secret (32 bytes or more).

    The passphrase is first keyed with the device secret, so that a copy of the database alone allows no guessing.
    """
    if len(salt) < 16 or len(device_secret) < 32:
        raise ValueError("The salt or the device secret is too short.")
    keyed = hmac.digest(device_secret, _prepared(passphrase), hashlib.sha256)
    return await _in_turn(
        lambda: hash_secret_raw(
            keyed,
            salt,
            time_cost=parameters.passes,
            memory_cost=parameters.memory_kib,
            parallelism=parameters.lanes,
            hash_len=32,
            type=Type.ID,
            version=ARGON2_VERSION,
        )
    )


def _prepared(password: str) -> bytes:
    """The password's bytes: composed Unicode, as keyboards differ in how they send the same letter (RFC 8265, 4.2)."""
    if len(password) > MAXIMUM_PASSWORD_CHARACTERS:
        raise PasswordTooLong
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _refuse_weak(hashed: str) -> None:
    try:
        found = extract_parameters(hashed)
    except InvalidHashError as exc:
        raise WeakParameters("The stored hash is not of the known form.") from exc
    if found.type is not Type.ID:
        raise WeakParameters("The stored hash is not Argon2id.")
    KDFParameters(memory_kib=found.memory_cost, passes=found.time_cost, lanes=found.parallelism)


async def _in_turn(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_executor(), work)


@functools.cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=RUNS_AT_ONCE, thread_name_prefix="argon2")


@functools.cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(
        time_cost=MINIMUM_PASSES, memory_cost=MINIMUM_MEMORY_KIB, parallelism=MINIMUM_LANES, hash_len=32, salt_len=16
    )
