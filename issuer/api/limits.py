"""A limit on failures: who guesses too often waits, while success is never slowed down.

Counting failures only means that many wallets behind one address, or a load test, are not taken for an attack.
"""

from datetime import datetime, timedelta

from schemas.errors import TooManyRequests

_MAX_KEYS = 10_000


class FailureLimit:
    """At most `count` failures in `seconds` per key, in this process."""

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
            wait = (start + self._window - now).total_seconds()
            raise TooManyRequests("too many failed attempts", retry_after_seconds=int(wait) + 1)

    def failed(self, key: str, *, now: datetime) -> None:
        """Count a failure."""
        start, failures = self._failures.pop(key, (now, 0))
        if now >= start + self._window:
            start, failures = now, 0
        if len(self._failures) >= _MAX_KEYS:
            self._failures.pop(next(iter(self._failures)))
        self._failures[key] = (start, failures + 1)
