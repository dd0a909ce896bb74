"""Watching requests as they change, for server-sent events. The log's counter is asked: several processes may write.

    streams.check(client_address(request))                         # before a stream is opened
    async for record in watch(verifier, request_id):               # at once, and after every change, until it is final
        yield server_sent_event("state", {...})

However many watch, the database is asked twice a second (`store.recent`), and there are only so many streams.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import Request

from proofs import strict_json
from schemas.errors import TooManyRequests
from service.stopping import Stopping
from verifier.exchange import Verifier
from verifier.store import RequestRecord, State

ASK_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0
LONGEST_SECONDS = 15 * 60.0
LOOK_AGAIN_SECONDS = 2.0
STREAMS_OF_ONE, STREAMS_IN_ALL = 100, 1_000


class Streams:
    """How many streams are open in this process, in all and by where they were asked from."""

    def __init__(self, *, of_one: int = STREAMS_OF_ONE, in_all: int = STREAMS_IN_ALL) -> None:
        self._of_one, self._in_all = of_one, in_all
        self._open: Counter[str] = Counter()

    def check(self, key: str) -> None:
        """Raise `TooManyRequests` when there are enough; a page then looks again every few seconds instead."""
        if self._open[key] >= self._of_one or self._open.total() >= self._in_all:
            raise TooManyRequests("there are enough streams open", retry_after_seconds=30)

    async def counted(self, key: str, events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The events of a stream, counted for as long as it is open."""
        self._open[key] += 1
        try:
            async for event in events:
                yield event
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]


async def changes(
    verifier: Verifier, *, ask_seconds: float = ASK_SECONDS, longest_seconds: float = LONGEST_SECONDS
) -> AsyncIterator[bool]:
    """True at once and whenever something changed anywhere, False as a heartbeat in between; ends after a while.

    A browser whose stream ends opens another one by itself.
    """
    recent = verifier.recent
    counter = await recent.number(at_most_seconds=0)
    yield True
    started = told = time.monotonic()
    while time.monotonic() - started < longest_seconds:
        await asyncio.sleep(ask_seconds)
        now_at = await recent.number(at_most_seconds=ask_seconds / 2)
        if now_at != counter:
            counter, told = now_at, time.monotonic()
            yield True
        elif time.monotonic() - told >= HEARTBEAT_SECONDS:
            told = time.monotonic()
            yield False


async def watch(
    verifier: Verifier,
    request_id: str,
    *,
    ask_seconds: float = ASK_SECONDS,
    longest_seconds: float = LONGEST_SECONDS,
) -> AsyncIterator[RequestRecord | None]:
    """The request at once and whenever its state changes, None as a heartbeat, until the state is final.

    Raises `NoSuchRequest`.
    """
    state: State | None = None
    async for changed in changes(verifier, ask_seconds=ask_seconds, longest_seconds=longest_seconds):
        if not changed:
            yield None
            continue
        record = await verifier.database.run(verifier.result, request_id)
        if record.state is not state:
            state = record.state
            yield record
            if state.is_final:
                return


async def wait_until(
    verifier: Verifier,
    request_id: str,
    *,
    is_enough: Callable[[RequestRecord], bool],
    seconds: float,
    stopping: Stopping | None = None,
) -> RequestRecord:
    """The request as soon as it is enough, or as it is after so many seconds, or when the service is about to stop.

    Raises `NoSuchRequest`.
    """
    recent = verifier.recent
    counter = await recent.number(at_most_seconds=0)
    record = await verifier.database.run(verifier.result, request_id)
    deadline = looked_at = time.monotonic()
    deadline += seconds
    while not is_enough(record) and time.monotonic() < deadline and not (stopping and stopping.has_begun):
        await asyncio.sleep(min(0.25, max(0.0, deadline - time.monotonic())))
        now_at = await recent.number(at_most_seconds=0.1)
        if now_at != counter or time.monotonic() - looked_at >= LOOK_AGAIN_SECONDS:  # Time alone ends requests, too.
            counter, looked_at = now_at, time.monotonic()
            record = await verifier.database.run(verifier.result, request_id)
    return record


def streams_of(request: Request) -> Streams:
    """The count of streams of this process (`app.state.streams`)."""
    streams = request.app.state.streams
    assert isinstance(streams, Streams)
    return streams


def server_sent_event(name: str, value: Any) -> bytes:
    """One event with JSON data."""
    return b"event: " + name.encode() + b"\ndata: " + strict_json.dumps(value) + b"\n\n"


HEARTBEAT = b": still here\n\n"
