"""Bounds on how often something may be tried, per process (cheap) or in the database (exact over all processes).

    tokens = RateLimit(count=60, seconds=60)                   # hot endpoints, by address: a few microseconds
    tokens.check(client_address(request), now=now)

    codes = FailureLimit(count=60)                             # failures alone, by address
    codes.check(client_address(request), now=now)              # before the attempt is judged
    codes.failed(client_address(request), now=now)             # after it was refused

    logins = StoredRateLimit(database, purpose="login", count=10, seconds=600, device_secret=secret)
    await logins.check(login, now=now)                         # before the attempt is judged
    await logins.forget(login)                                 # after it succeeded

All count in fixed windows; a key's window starts with its first try.
"""

import hashlib
import hmac
import ipaddress
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, case, delete, literal
from sqlalchemy.dialects import postgresql, sqlite

from schemas.errors import TooManyRequests
from service.database import Database, UTCDateTime

if TYPE_CHECKING:
    from starlette.requests import Request

_MAXIMUM_KEYS = 10_000


def rate_limits_table(metadata: MetaData) -> Table:
    """The table of counters in a service's metadata (call it in store.py)."""
    if (there := metadata.tables.get("rate_limits")) is not None:
        return there
    return Table(
        "rate_limits",
        metadata,
        Column("key", LargeBinary, primary_key=True),
        Column("tries", Integer, nullable=False),
        Column("ends_at", UTCDateTime, nullable=False, index=True),
    )


def client_address(request: "Request") -> str:
    """The address that a request came from, as the key of a rate limit; one key for a whole IPv6 /64."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    return ":".join(f"{int(group, 16):x}" for group in address.exploded.split(":")[:4])


class RateLimit:
    """At most `count` in `seconds` per key, counted in this process; for cheap protection of hot endpoints.

    It remembers the 10,000 keys that tried last.
    """

    def __init__(self, *, count: int, seconds: int) -> None:
        self._count = count
        self._window = timedelta(seconds=seconds)
        self._tries: OrderedDict[str, tuple[int, datetime]] = OrderedDict()

    def check(self, key: str, *, now: datetime) -> None:
        """Count one; raises `TooManyRequests` with `retry_after_seconds` beyond the bound."""
        tries, ends_at = self._tries.get(key, (0, now))
        if ends_at <= now:
            tries, ends_at = 0, now + self._window
        if tries >= self._count:
            raise _too_many(ends_at - now)
        self._tries[key] = (tries + 1, ends_at)
        self._tries.move_to_end(key)
        if len(self._tries) > _MAXIMUM_KEYS:
            self._tries.popitem(last=False)


class FailureLimit:
    """At most `count` failures in `seconds` per key, in this process: who guesses waits, while success is never slowed.

    Counting failures only means that many people behind one address, as those of one wallet service, or a load test,
    are not taken for an attack. It remembers the 10,000 keys that failed last.
    """

    def __init__(self, *, count: int, seconds: int = 60) -> None:
        self._count = count
        self._window = timedelta(seconds=seconds)
        self._failures: dict[str, tuple[datetime, int]] = {}

    def is_over(self, key: str, *, now: datetime) -> bool:
        """Whether this key has failed too often in the present window."""
        start, failures = self._failures.get(key, (now, 0))
        return failures >= self._count and now < start + self._window

    def check(self, key: str, *, now: datetime) -> None:
        """Raise `TooManyRequests` when this key has failed too often in the present window."""
        if self.is_over(key, now=now):
            start = self._failures[key][0]
            raise _too_many(start + self._window - now)

    def failed(self, key: str, *, now: datetime) -> None:
        """Count a failure."""
        start, failures = self._failures.pop(key, (now, 0))
        if now >= start + self._window:
            start, failures = now, 0
        if len(self._failures) >= _MAXIMUM_KEYS:
            self._failures.pop(next(iter(self._failures)))
        self._failures[key] = (start, failures + 1)


class StoredRateLimit:
    """At most `count` in `seconds` per key, counted in the database; for logins and typeable codes.

    Keys are stored as HMACs under the device secret. Exact with several processes: counting is one atomic statement.
    """

    def __init__(self, database: Database, *, purpose: str, count: int, seconds: int, device_secret: bytes) -> None:
        self._database = database
        self._table = rate_limits_table(database.metadata)
        self._count = count
        self._window = timedelta(seconds=seconds)
        self._key = hmac.digest(device_secret, f"intyga rate limit {purpose}".encode(), hashlib.sha256)

    async def check(self, key: str, *, now: datetime) -> None:
        """Count one; raises `TooManyRequests` beyond the bound."""
        tries, ends_at = await self._database.run(self._count_one, self._digest(key), now)
        if tries > self._count:
            raise _too_many(ends_at - now)

    async def forget(self, key: str) -> None:
        """Start again for a key (after a success)."""
        await self._database.run(self._execute, delete(self._table).where(self._table.c.key == self._digest(key)))

    async def prune(self, *, now: datetime) -> int:
        """Forget windows that have ended; returns how many."""
        return await self._database.run(self._execute, delete(self._table).where(self._table.c.ends_at <= now))

    def _count_one(self, digest: bytes, now: datetime) -> tuple[int, datetime]:
        with self._database.transaction() as connection:
            columns = self._table.c
            dialect_insert: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            ended = columns.ends_at <= now
            new_end = literal(now + self._window, UTCDateTime)
            statement = (
                dialect_insert(self._table)
                .values(key=digest, tries=1, ends_at=now + self._window)
                .on_conflict_do_update(
                    index_elements=[columns.key],
                    set_={
                        "tries": case((ended, 1), else_=columns.tries + 1),
                        "ends_at": case((ended, new_end), else_=columns.ends_at),
                    },
                )
                .returning(columns.tries, columns.ends_at)
            )
            row = connection.execute(statement).one()
            return int(row.tries), row.ends_at

    def _digest(self, key: str) -> bytes:
        return hmac.digest(self._key, key.encode("utf-8", "surrogatepass"), hashlib.sha256)

    def _execute(self, statement: Any) -> int:
        with self._database.transaction() as connection:
            return int(connection.execute(statement).rowcount)


def _too_many(rest: timedelta) -> TooManyRequests:
    return TooManyRequests(retry_after_seconds=max(1, -int(-rest.total_seconds() // 1)))
