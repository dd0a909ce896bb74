"""How an operation is killed at each of its points, and what happens then.

For each point: the directory as it was prepared is copied; one process does the operation and dies there; another
opens the directory as after a restart, does what the service or the person does then (`resume`), and judges (`check`).
Processes are forked by a server that has imported everything, so that each costs little.
"""

import asyncio
import json
import shutil
import signal
import traceback
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.crash.points import Points, is_durable, killing
from tests.crash.stage import Stage, make_cheap
from tests.two_processes import warm_processes

SECONDS = 120
"""How long a process may take; a fault, not a measurement, when it takes longer."""

Given = dict[str, Any]
Tell = Callable[..., None]


@dataclass(frozen=True)
class Act:
    """One operation of several steps.

    `prepare` brings the stage to just before it and returns what the others need; `opens` opens services before points
    count; `do` is the operation, and tells what its user was told; `resume` is what happens after a restart; `check`
    raises `AssertionError` when an invariant is broken. What was told before the process died is in `told`.
    """

    name: str
    prepare: Callable[[Stage], Awaitable[Given]]
    do: Callable[[Stage, Given, Tell], Awaitable[None]]
    resume: Callable[[Stage, Given], Awaitable[None]]
    check: Callable[[Stage, Given, Given], Awaitable[None]]
    opens: Callable[[Stage], Any] = field(
        default=lambda stage: (stage.world.university, stage.world.wallet, stage.firm)
    )
    is_opened: bool = True
    """False where opening the stage is itself what is killed."""
    alone: tuple[str, ...] = ()
    """Services that are also killed while the others live on: those that the operation leads to, and the wallet, which
    begins it."""
    by_default: tuple[str, ...] = ()
    """Points (what stands in the trace, the first time) that are killed at in the whole suite in the place of a sample,
    which might miss them."""


def prepared(act: Act, directory: Path) -> None:
    """Bring a new directory to just before the operation."""
    _in_process(_prepare, act.name, directory)


def points_of(act: Act, before: Path, directory: Path) -> list[str]:
    """Every point of the operation, in order; nobody dies. What it comes to is judged after a kill at the last one."""
    shutil.copytree(before, directory)
    _in_process(_perform, act.name, directory, 0)
    return trace_in(directory).read_text(encoding="utf-8").splitlines()


def kill_at(act: Act, before: Path, directory: Path, point: int) -> None:
    """Die at a point (from 1), start again, and judge. Raises `AssertionError` with what was broken."""
    shutil.copytree(before, directory)
    status = _in_process(_perform, act.name, directory, point, may_die=True)
    assert status in (-signal.SIGKILL, 0), status
    _in_process(_judge, act.name, directory)
    shutil.rmtree(directory)


def chosen(act: Act, points: list[str], count: int) -> list[int]:
    """The points of an operation that are killed at by default: its own, else a sample."""
    return sorted(points.index(label) + 1 for label in act.by_default) or sample(points, count)


def sample(points: list[str], count: int) -> list[int]:
    """The points that are killed at by default: where something has just become durable, evenly chosen."""
    durable = [number for number, label in enumerate(points, 1) if is_durable(label)]
    if len(durable) <= count:
        return durable
    return sorted({durable[round(step * (len(durable) - 1) / (count - 1))] for step in range(count)})


# --- in the processes ------------------------------------------------------------------------------------------------


def find(name: str) -> Act:
    """An operation by its name, in a process that got no more than that."""
    from tests.crash.acts import ACTS

    return next(act for act in ACTS if act.name == name)


async def _prepare(act: Act, directory: Path) -> None:
    stage = Stage(directory, is_new=True)
    given = await act.prepare(stage)
    (directory / "given.json").write_text(json.dumps(given), encoding="utf-8")
    stage.close()


async def _perform(act: Act, directory: Path, die_at: int) -> None:
    stage = Stage(directory)
    if act.is_opened:
        act.opens(stage)
    with killing(Points(die_at, trace_in(directory))):
        await act.do(stage, given_in(directory), teller(directory))


async def _judge(act: Act, directory: Path) -> None:
    stage = Stage(directory)
    act.opens(stage)
    given = given_in(directory)
    await act.resume(stage, given)
    await act.check(stage, given, told_in(directory))
    stage.close()


def given_in(directory: Path) -> Given:
    """What the preparation left."""
    given: Given = json.loads((directory / "given.json").read_text(encoding="utf-8"))
    return given


def teller(directory: Path) -> Tell:
    """What writes down what the user was told, so that a kill does not take it back."""

    def tell(**facts: Any) -> None:
        with _told(directory).open("a", encoding="utf-8") as file:
            file.write(json.dumps(facts) + "\n")

    return tell


def told_in(directory: Path) -> Given:
    """What was told before the process died."""
    told: Given = {}
    if _told(directory).exists():
        for line in _told(directory).read_text(encoding="utf-8").splitlines():
            told |= json.loads(line)
    return told


def trace_in(directory: Path) -> Path:
    """The points that were passed, a line each."""
    return directory / "trace.txt"


def _told(directory: Path) -> Path:
    return directory / "told.jsonl"


def _in_process(
    work: Callable[..., Awaitable[None]], name: str, directory: Path, *arguments: int, may_die: bool = False
) -> int:
    """Do something in a process of its own; what it raises is raised here, as `AssertionError` with its traceback."""
    context = warm_processes()
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(sender, work, name, directory, *arguments))
    process.start()
    sender.close()
    process.join(SECONDS)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise AssertionError("the process did not end")
    fault = ""
    with nullcontext():
        try:
            fault = receiver.recv()
        except EOFError:
            fault = "" if may_die else f"the process ended with {process.exitcode}"
    receiver.close()
    assert not fault, fault
    return int(process.exitcode)


def _run(sender: "Connection[str, str]", work: Callable[..., Awaitable[None]], name: str, *arguments: Any) -> None:
    sender.send(reporting(work(find(name), *arguments)))


def reporting(work: Awaitable[None]) -> str:
    """Do something in a process of its own, and return the traceback of what it raised, or nothing."""
    make_cheap()
    try:
        asyncio.run(_quietly(work))
    except BaseException:  # noqa: BLE001 - Whatever it is, the test is told of it.
        return traceback.format_exc()
    return ""


async def _quietly(work: Awaitable[None]) -> None:
    await work
