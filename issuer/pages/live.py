"""Pages that follow along: a stream that says that something changed; the page then looks again.

No value travels in the stream. Without scripts the page has an ordinary link to its newest state. Several processes
may write, so the number of the last event is asked for, in the database.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi.responses import StreamingResponse

from issuer.context import IssuerContext
from schemas.errors import NotFound

ASK_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0
LONGEST_SECONDS = 15 * 60.0

HEARTBEAT = b": still here\n\n"
CHANGE = b"event: change\ndata: {}\n\n"
DONE = b"event: done\ndata: {}\n\n"

Look = Callable[[], Awaitable[tuple[object, bool]]]
"""Gives what is compared between two looks, and whether nothing more will happen."""


def event_stream(issuer: IssuerContext, look: Look) -> StreamingResponse:
    """A stream of `change` events: at once and whenever `look` gives something new; `done` when it is final.

    The first is for what happened after the page was made and before it listened. The stream
    ends after a quarter of an hour; a browser then opens another one by itself.
    """
    return StreamingResponse(
        follow(issuer, look, ask_seconds=ASK_SECONDS, longest_seconds=LONGEST_SECONDS),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def follow(
    issuer: IssuerContext, look: Look, *, ask_seconds: float, longest_seconds: float
) -> AsyncIterator[bytes]:
    """The events of a stream. Ends when there is nothing to look at any more."""
    seen: object = object()  # Like no state at all, so that the first look is told.
    counter = -1
    started = told = time.monotonic()
    while time.monotonic() - started < longest_seconds:
        counter_now = await issuer.store.database.run(issuer.store.events.counter)
        if counter_now != counter or time.monotonic() - told >= HEARTBEAT_SECONDS:
            counter, told = counter_now, time.monotonic()
            try:
                state, is_done = await look()
            except NotFound:
                return
            if is_done:
                yield DONE
                return
            yield CHANGE if state != seen else HEARTBEAT
            seen = state
        await asyncio.sleep(ask_seconds)
