"""Watching: few questions to the database however many watch, and an end to how many may."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from schemas.errors import TooManyRequests
from tests.verifier.scene import Scene
from verifier.live import Streams, changes, wait_until, watch
from verifier.store import State


def test_many_who_watch_ask_the_database_a_few_times(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred open pages for a second: a handful of questions."""
    asked = 0
    counter = scene.verifier.requests.change_counter

    def counting() -> int:
        nonlocal asked
        asked += 1
        return counter()

    monkeypatch.setattr(scene.verifier.requests, "change_counter", counting)

    async def look_on() -> None:
        async for _ in changes(scene.verifier, ask_seconds=0.2, longest_seconds=1):
            pass

    async def everybody() -> None:
        await asyncio.gather(*(look_on() for _ in range(100)))

    asyncio.run(everybody())

    assert 100 <= asked <= 125  # Each asks at once, then all share.


def test_a_change_reaches_everybody(scene: Scene) -> None:
    """Also when another process wrote it."""
    made = scene.ask()

    async def follow() -> list[State]:
        states = []
        async for record in watch(scene.verifier, made.id, ask_seconds=0.05, longest_seconds=20):
            if record is not None:
                states.append(record.state)
                if len(states) == 1:
                    other = scene.second_process()
                    form = {"error": "access_denied", "state": made.transaction.state}
                    await asyncio.to_thread(scene.post, made, form, verifier=other)
        return states

    assert asyncio.run(follow()) == [State.WAITING, State.DECLINED]


def test_waiting_notices_that_time_is_over(scene: Scene) -> None:
    """Nobody writes anything when a request expires; whoever waits for it is told all the same."""
    made = scene.ask()

    async def wait() -> State:
        waiting = asyncio.create_task(
            wait_until(scene.verifier, made.id, is_enough=lambda one: one.state.is_final, seconds=20)
        )
        await asyncio.sleep(0.3)
        scene.pass_time(minutes=31)
        return (await waiting).state

    assert asyncio.run(wait()) is State.EXPIRED


def test_streams_are_bounded_and_given_back() -> None:
    """By address and in all; one that ends, or breaks off, makes room."""
    streams = Streams(of_one=2, in_all=3)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b""

    async def open_and_close() -> None:
        opened = []
        for key in ("a", "a", "b"):
            streams.check(key)
            stream = streams.counted(key, endless())
            await anext(stream)
            opened.append(stream)
        for key in ("a", "b", "c"):
            with pytest.raises(TooManyRequests):
                streams.check(key)
        for stream in opened:
            await stream.aclose()  # type: ignore[attr-defined]  # An asynchronous generator, as a response closes it.
        for key in ("a", "b", "c"):
            streams.check(key)

    asyncio.run(open_and_close())
