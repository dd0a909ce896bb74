"""Watching requests as they change, for server-sent events. The log's counter is asked: several processes may write.

async for record in watch(verifier, request_id):       # at once, and after every change, until it is final
    yield server_sent_event("state", {...})
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from proofs import strict_json
from verifier.exchange import Verifier
from verifier.store import RequestRecord, State

ASK_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0
LONGEST_SECONDS = 15 * 60.0


async def changes(
    verifier: Verifier, *, ask_seconds: float = ASK_SECONDS, longest_seconds: float = LONGEST_SECONDS
) -> AsyncIterator[bool]:
    """True at once and whenever something changed anywhere, False as a heartbeat in between; ends after a while.

    A browser whose stream ends opens another one by itself.
    """
    counter = await verifier.database.run(verifier.requests.change_counter)
    yield True
    started = told = time.monotonic()
    while time.monotonic() - started < longest_seconds:
        await asyncio.sleep(ask_seconds)
        await verifier.tidy()
        now_at = await verifier.database.run(verifier.requests.change_counter)
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
    verifier: Verifier, request_id: str, *, is_enough: Callable[[RequestRecord], bool], seconds: float
) -> RequestRecord:
    """The request as soon as it is enough, or as it is after so many seconds. Raises `NoSuchRequest`."""
    record = await verifier.database.run(verifier.result, request_id)
    deadline = time.monotonic() + seconds
    while not is_enough(record) and time.monotonic() < deadline:
        await asyncio.sleep(min(0.25, max(0.0, deadline - time.monotonic())))
        record = await verifier.database.run(verifier.result, request_id)
    return record


def server_sent_event(name: str, value: Any) -> bytes:
    """One event with JSON data."""
    return b"event: " + name.encode() + b"\ndata: " + strict_json.dumps(value) + b"\n\n"


HEARTBEAT = b": still here\n\n"
