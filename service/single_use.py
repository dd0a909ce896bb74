"""Values that may be used once: spending is one atomic insert, correct with several processes on one database.

    spent = spent_table(IssuerRow.metadata)                # in store.py, before the tables are made
    with database.transaction() as connection:
        if not spend(connection, spent, kind="nonce", value=nonce, expires_at=nonces.expiry(nonce), now=now):
            raise InvalidNonce

Nonces carry their time and our HMAC, so that only spent ones need a row.
"""

import base64
import binascii
import functools
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import Column, Connection, LargeBinary, MetaData, String, Table, delete
from sqlalchemy.dialects import postgresql, sqlite

from service.database import UTCDateTime
from service.prepared import Prepared

_TIME_BYTES, _RANDOM_BYTES, _TAG_BYTES = 5, 21, 16
_NONCE_BYTES = _TIME_BYTES + _RANDOM_BYTES + _TAG_BYTES  # A multiple of 3, so that each nonce has exactly one text.


def spent_table(metadata: MetaData) -> Table:
    """The table of spent values: their digests, what they were, and when they may be forgotten."""
    if (there := metadata.tables.get("spent")) is not None:
        return there
    return Table(
        "spent",
        metadata,
        Column("digest", LargeBinary, primary_key=True),
        Column("kind", String, nullable=False),
        Column("expires_at", UTCDateTime, nullable=False, index=True),
        sqlite_with_rowid=False,
    )


def spend(connection: Connection, table: Table, *, kind: str, value: str, expires_at: datetime, now: datetime) -> bool:
    """Spend a value: True for the first caller, False for every later one and for a value that has expired.

    `kind` keeps values of different uses apart. `expires_at` is when the value stops being usable at all; from then
    on its row may be pruned. Only a digest is stored. Spending counts only if the caller's transaction commits.
    """
    if expires_at <= now:
        return False  # Its row may already be gone, so it cannot be told from a fresh one.
    statement = _insert_or_nothing(table, connection.dialect.name)
    digest = hashlib.sha256(f"{kind}\x00{value}".encode()).digest()
    return statement.run(connection, digest=digest, kind=kind, expires_at=expires_at) == 1


@functools.lru_cache(maxsize=16)
def _insert_or_nothing(table: Table, dialect: str) -> Prepared:
    dialect_insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return Prepared(dialect_insert(table).on_conflict_do_nothing())


def prune(connection: Connection, table: Table, *, now: datetime) -> int:
    """Forget spent values that have expired; returns how many."""
    return connection.execute(delete(table).where(table.c.expires_at <= now)).rowcount


class StampedNonces:
    """Nonces of 56 characters that carry their second, 168 random bits and our HMAC.

    `secret` is the service's own (32 bytes or more), `purpose` keeps nonces of different uses apart.
    """

    def __init__(self, secret: bytes, *, purpose: str, lifetime_seconds: int) -> None:
        if len(secret) < 32:
            raise ValueError("The secret of nonces must be at least 32 bytes.")
        self._key = hmac.digest(secret, f"intyga nonce {purpose}".encode(), hashlib.sha256)
        self.lifetime = timedelta(seconds=lifetime_seconds)

    def new(self, *, now: datetime) -> str:
        """A fresh nonce, good until `now` plus the lifetime."""
        body = int(now.timestamp()).to_bytes(_TIME_BYTES, "big") + secrets.token_bytes(_RANDOM_BYTES)
        return base64.urlsafe_b64encode(body + self._tag(body)).decode()

    def is_genuine(self, nonce: str, *, now: datetime) -> bool:
        """Whether we made this nonce and it is still within its lifetime. Says nothing about whether it is spent."""
        body = self._body(nonce)
        if body is None:
            return False
        made_at = _time(body)
        return made_at <= now < made_at + self.lifetime

    def expiry(self, nonce: str) -> datetime:
        """When a genuine nonce stops being usable. Raises `ValueError` for one that we did not make."""
        body = self._body(nonce)
        if body is None:
            raise ValueError("This nonce was not made here.")
        return _time(body) + self.lifetime

    def made_at(self, nonce: str) -> datetime:
        """When we made a genuine nonce (a key proof that carries it is as old as the nonce). Raises `ValueError`."""
        return self.expiry(nonce) - self.lifetime

    def _tag(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, hashlib.sha256)[:_TAG_BYTES]

    def _body(self, nonce: str) -> bytes | None:
        if len(nonce) * 3 != _NONCE_BYTES * 4 or not nonce.isascii():
            return None
        try:
            raw = base64.b64decode(nonce, altchars=b"-_", validate=True)
        except binascii.Error:
            return None
        if base64.urlsafe_b64encode(raw).decode() != nonce:
            return None  # Python also reads "+" and "/": a second text of the same nonce could be spent again.
        body, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
        return body if hmac.compare_digest(tag, self._tag(body)) else None


def _time(body: bytes) -> datetime:
    return datetime.fromtimestamp(int.from_bytes(body[:_TIME_BYTES], "big"), UTC)
