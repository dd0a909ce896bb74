"""That a service is about to stop, for answers that would go on for ever.

    stopping = Stopping()
    await stopping.wait()            # in any number of places, each in the loop of its own request
    stopping.begin()                 # once, when the service is told to stop

An ordinary answer is finished. A stream of events has no end of its own: whoever follows it asks again by itself, and
finds the service that comes after.
"""

import asyncio


class Stopping:
    """Whether the service is about to stop."""

    def __init__(self) -> None:
        self.has_begun = False
        self._waiting: set[asyncio.Event] = set()

    async def wait(self) -> None:
        """Return when the service is about to stop."""
        if self.has_begun:
            return
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            await event.wait()
        finally:
            self._waiting.discard(event)

    def begin(self) -> None:
        """Wake everybody who waits. To be called in the loop that serves."""
        self.has_begun = True
        for event in list(self._waiting):
            event.set()
