"""The number of the newest change: however many watch, the database is asked a few times a second."""

import time
from typing import Final

from service.clock import Clock
from verifier.store.requests import RequestStore

TIDY_SECONDS: Final = 5.0


class RecentChanges:
    """The counter of the log, at most a moment old; what is due is done as well, now and then."""

    def __init__(self, requests: RequestStore, *, clock: Clock) -> None:
        self._requests = requests
        self._clock = clock
        self._number = -1
        self._asked_at = self._tidied_at = 0.0

    async def number(self, *, at_most_seconds: float) -> int:
        """The number of the newest change, read within the last `at_most_seconds`."""
        now = time.monotonic()
        if self._number < 0 or now - self._asked_at >= at_most_seconds:
            self._asked_at = now
            if now - self._tidied_at >= TIDY_SECONDS:
                self._tidied_at = now
                await self._requests.database.run(self._requests.tidy, now=self._clock())
            self._number = await self._requests.database.run(self._requests.change_counter)
        return self._number
