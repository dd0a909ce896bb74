"""An event loop whose time is its own: where nothing is to be done, it leaps to the next timer instead of waiting.

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        runner.run(something_with_time_limits())

Time begins at 0.0 and passes in leaps alone, so that what takes three seconds takes exactly three, on every machine.
"""

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any


class _Leaping(selectors.BaseSelector):
    """The system's selector, which never waits: the time that it would have waited is added to the loop's."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.leapt = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None:
            raise AssertionError("everything waits, and no timer will ever end it")
        self.leapt += timeout
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop without threads and without waiting."""

    def __init__(self) -> None:
        self._leaping = _Leaping()
        super().__init__(self._leaping)

    def time(self) -> float:
        """The seconds that were leapt over so far."""
        return self._leaping.leapt
