"""One service is killed at each of its points while the other two live on, with all that they hold in memory.

Two processes: in one is the service that dies, in the other live the rest, joined by `tests.crash.bridges`. The person
acts where the wallet is. What the living tell of the loss is what they tell on any day (`ProtocolError`); whatever else
they raise is a fault. Afterwards the one that died is opened anew beside those that never stopped, and what happens and
is judged then is the same as after a kill of all three (`tests.crash.acting`).
"""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Final

from schemas.errors import ProtocolError
from tests.crash.acting import (
    SECONDS,
    Act,
    find,
    given_in,
    reporting,
    teller,
    told_in,
    trace_in,
)
from tests.crash.bridges import answering, lead
from tests.crash.points import Points, killing
from tests.crash.stage import FIRM, Stage
from tests.two_processes import warm_processes

ISSUER: Final = "issuer"
WALLET: Final = "wallet"
VERIFIER: Final = "verifier"
HOSTS: Final = {
    ISSUER: ("university.example", "source.example"),
    WALLET: ("wallet.example",),
    VERIFIER: (FIRM,),
}


def points_alone(act: Act, victim: str, before: Path, directory: Path) -> list[str]:
    """Every point of one service in an operation; it is killed when all is over."""
    kill_alone(act, victim, before, directory, 0, keep=True)
    return trace_in(directory).read_text(encoding="utf-8").splitlines() if trace_in(directory).exists() else []


def kill_alone(act: Act, victim: str, before: Path, directory: Path, point: int, *, keep: bool = False) -> None:
    """Let one service die at one of its points, start it again, and judge. Raises `AssertionError`."""
    shutil.copytree(before, directory)
    with tempfile.TemporaryDirectory(prefix="alone-") as sockets:  # Their names must be short.
        # One after the other: what a service writes while it is opened must not meet another that is being opened.
        dying = _Side(_die, act.name, directory, Path(sockets), victim, point)
        living = None
        try:
            dying.expect("ready")
            living = _Side(_live, act.name, directory, Path(sockets), victim)
            living.expect("ready")
            doer = dying if victim == WALLET else living
            doer.connection.send("do")
            doer.expect("done", may_die=doer is dying)
            dying.end()
            living.connection.send("go on")
            living.expect("judged")
        finally:
            dying.end()
            if living is not None:
                living.end()
    if not keep:
        shutil.rmtree(directory)


class _Side:
    """One of the two processes, seen from the test."""

    def __init__(self, work: "Callable[..., Awaitable[None]]", name: str, *arguments: Any) -> None:
        context = warm_processes()
        self.connection, other = context.Pipe()
        self.process = context.Process(target=_run, args=(other, work, name, *arguments))
        self.process.start()
        other.close()

    def expect(self, word: str, *, may_die: bool = False) -> None:
        """Wait until it says a word; what it says instead is the fault."""
        said = "nothing in time"
        if wait([self.connection], SECONDS):
            try:
                said = self.connection.recv()
            except EOFError:
                said = word if may_die else "its process ended"
        assert said == word, said

    def end(self) -> None:
        """Kill it, if it is alive."""
        self.process.kill()
        self.process.join()
        self.connection.close()


@dataclass(frozen=True)
class _Channel:
    """What a process and the test say to each other."""

    connection: "Connection[str, str]"

    def say(self, word: str) -> None:
        self.connection.send(word)

    async def hear(self) -> str:
        return await asyncio.to_thread(self.connection.recv)


def _run(connection: "Connection[str, str]", work: Callable[..., Awaitable[None]], name: str, *arguments: Any) -> None:
    if fault := reporting(work(find(name), *arguments, _Channel(connection))):
        connection.send(fault)


async def _die(act: Act, directory: Path, sockets: Path, victim: str, point: int, test: _Channel) -> None:
    stage = Stage(directory)
    act.opens(stage)
    given = given_in(directory)
    async with answering(stage.world.network, sockets / "dying"):
        lead(stage.world.network, _others(victim), sockets / "living")
        with killing(Points(point, trace_in(directory))):
            test.say("ready")
            if victim == WALLET:
                await test.hear()
                await act.do(stage, given, teller(directory))
                test.say("done")
            await asyncio.Event().wait()


async def _live(act: Act, directory: Path, sockets: Path, victim: str, test: _Channel) -> None:
    stage = Stage(directory)
    act.opens(stage)
    given = given_in(directory)
    async with answering(stage.world.network, sockets / "living"):
        lead(stage.world.network, HOSTS[victim], sockets / "dying")
        test.say("ready")
        if victim != WALLET:
            await test.hear()
            with suppress(ProtocolError):
                await act.do(stage, given, teller(directory))
            test.say("done")
        await test.hear()
    _open_anew(stage, act, victim)
    await act.resume(stage, given)
    await act.check(stage, given, told_in(directory))
    stage.close()
    test.say("judged")


def _others(victim: str) -> list[str]:
    return [host for service, hosts in HOSTS.items() if service != victim for host in hosts]


def _open_anew(stage: Stage, act: Act, victim: str) -> None:
    """Open the service that died in the process of the others; what was open of it here has never been asked."""
    if victim == WALLET:
        stage.world.__dict__.pop("wallet")
    elif victim == VERIFIER:
        stage.__dict__.pop("firm")
    else:
        stage.world.__dict__.pop("university")
        stage.opened_source = None
        assert stage.world.university
    act.opens(stage)
