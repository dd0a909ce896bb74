"""Bounds on how often something may be tried, per process (cheap) or in the database (exact over all processes)."""

from datetime import datetime

from sqlalchemy import MetaData, Table

from service.database import Database


def rate_limits_table(metadata: MetaData) -> Table:
    """The table of counters in a service's metadata (call it in store.py)."""
    raise NotImplementedError


class RateLimit:
    """At most `count` in `seconds` per key, counted in this process; for cheap protection of hot endpoints."""

    def __init__(self, *, count: int, seconds: int) -> None: ...

    def check(self, key: str, *, now: datetime) -> None:
        """Count one; raises `TooManyRequests` with `retry_after_seconds` beyond the bound."""
        raise NotImplementedError


class StoredRateLimit:
    """At most `count` in `seconds` per key, counted in the database; for logins and typeable codes. Keys are stored as HMACs."""

    def __init__(self, database: Database, *, purpose: str, count: int, seconds: int, device_secret: bytes) -> None: ...

    async def check(self, key: str, *, now: datetime) -> None:
        """Count one; raises `TooManyRequests` beyond the bound."""
        raise NotImplementedError

    async def forget(self, key: str) -> None:
        """Start again for a key (after a success)."""
        raise NotImplementedError
