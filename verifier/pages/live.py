"""Pages that follow along: a stream that says that something changed; the page then looks again.

No value travels in the stream. Without scripts the page has an ordinary link to its newest state.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi import Request
from fastapi.responses import StreamingResponse

from schemas.errors import NotFound
from service.rate_limits import client_address
from verifier.exchange import Verifier
from verifier.live import HEARTBEAT, changes, server_sent_event, streams_of

Look = Callable[[], Awaitable[tuple[object, bool]]]
"""Gives what is compared between two looks, and whether nothing more will happen."""


def event_stream(request: Request, verifier: Verifier, look: Look) -> StreamingResponse:
    """A stream of `change` events: at once and whenever `look` gives something new; `done` when it is final.

    The first is for what happened after the page was made and before it listened.
    Raises `TooManyRequests` when there are enough streams; a page then looks again every few seconds.
    """
    streams, key = streams_of(request), client_address(request)
    streams.check(key)
    return StreamingResponse(
        streams.counted(key, _events(verifier, look)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(verifier: Verifier, look: Look) -> AsyncIterator[bytes]:
    seen: object = object()  # Like no state at all, so that the first look is told.
    async for changed in changes(verifier):
        if not changed:
            yield HEARTBEAT
            continue
        try:
            state, is_done = await look()
        except NotFound:
            return
        if is_done:
            yield server_sent_event("done", {})
            return
        if state != seen:
            yield server_sent_event("change", {})
        seen = state
