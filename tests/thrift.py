"""What tests in one process need not pay for anew each time: keys from passphrases, empty databases, and the disk.

Argon2 is computed, at its full cost, once for each passphrase, salt and cost in a process; whoever asks for the same
again gets the same. So that tests do ask for the same, the salts of vaults come in one order in every test, and the
hash of a password for an account is that of the first time. A new database begins as a copy of the first empty one with
the same tables, and is then opened and checked as any that is there. Whether a commit or a file waits for the disk no
test in a process could tell: SQLite is asked for it (`tests/service/test_database.py`), and what is killed runs in
processes of its own.
"""

import functools
import hashlib
import itertools
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from argon2.low_level import hash_secret_raw

from service import database, passwords

_derived = functools.lru_cache(maxsize=10_000)(hash_secret_raw)
NO_WAITING = ("synchronous = OFF", *(one for one in database._PRAGMAS if not one.startswith("synchronous")))


class _RememberingHasher:
    """A hasher that computes each hash and each comparison once."""

    def __init__(self, real: PasswordHasher) -> None:
        self._real = real
        self.hash = functools.lru_cache(maxsize=1_000)(real.hash)
        self._matches = functools.lru_cache(maxsize=1_000)(self._compare)

    def _compare(self, hashed: str, password: bytes) -> VerificationError | None:
        try:
            self._real.verify(hashed, password)
        except VerificationError as exc:
            return exc
        return None

    def verify(self, hashed: str, password: bytes) -> bool:
        """As the real one: True, or `VerificationError`."""
        if (fault := self._matches(hashed, password)) is not None:
            raise type(fault)(*fault.args)
        return True


_hasher = _RememberingHasher(passwords._hasher())


class _SaltsInOrder:
    """`secrets`, but for salts of 16 bytes, which are the first, the second, ... of any test."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def token_bytes(self, count: int) -> bytes:
        """Bytes as they are asked for."""
        if count != 16:
            return secrets.token_bytes(count)
        return hashlib.sha256(f"salt {next(self._numbers)}".encode()).digest()[:16]

    def __getattr__(self, name: str) -> Any:
        return getattr(secrets, name)


_EMPTY: dict[tuple[str, int], bytes] = {}
"""Databases with tables and nothing else, by the fingerprint of their tables and the number of their version."""
_create = database.Database.create


def _create_as_before(self: database.Database) -> None:
    """`Database.create`, where what is made is what was made before."""
    file = Path(self.engine.url.database or "")
    if not self._is_sqlite or not file.parent.is_dir() or file.exists():
        _create(self)
        return
    known = (database.schema_identity(self.metadata), self.version)
    if known in _EMPTY:
        file.touch(mode=0o600)
        file.write_bytes(_EMPTY[known])
    _create(self)
    if known not in _EMPTY:
        with self._alone("writing") as connection:
            _EMPTY[known] = database._driver(connection).serialize()


def does_not_wait(descriptor: int) -> None:
    """`os.fsync`, of a disk that is at once done."""


@contextmanager
def thrifty() -> Iterator[None]:
    """Inside the block nothing is computed twice, and nothing waits for the disk."""
    with ExitStack() as patches:
        patches.enter_context(patch.object(passwords, "hash_secret_raw", _derived))
        patches.enter_context(patch.object(passwords, "_hasher", lambda: _hasher))
        patches.enter_context(patch.object(database, "_PRAGMAS", NO_WAITING))
        patches.enter_context(patch.object(database.Database, "create", _create_as_before))
        patches.enter_context(patch.object(os, "fsync", does_not_wait))
        patches.enter_context(patch("wallet.vault.secrets", _SaltsInOrder()))
        yield
