"""Killed while deleting, at every named point, and started again (D06, D22, D26): all or nothing, and once.

Each test lets a real process of its own die by SIGKILL on the same data directory, then looks at it afresh.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.withdrawal import Reason, StatementOutcome
from tests.two_processes import warm_processes
from tests.verifier.scene import START, Scene, settings_for
from tests.verifier.withdrawing import act, statement_of, take
from verifier.exchange import MadeRequest, Verifier
from verifier.store import Event, State
from verifier.store.requests import DUE_AT_ONCE

pytestmark = pytest.mark.processes


class Rejoined(Scene):
    """The same verifier in another process, at some moment."""

    def __init__(self, data: Path, days: float, settings: dict[str, Any]) -> None:
        self.now = START + timedelta(days=days)
        self.settings = settings_for(data, **settings)
        self.lists = {}
        self.issuer = None  # type: ignore[assignment]  # Nothing is issued here.
        self.verifier = self.second_process()


def die(*_: Any, **__: Any) -> Any:
    """Where the power goes."""
    os.kill(os.getpid(), signal.SIGKILL)


def after(count: int, work: Callable[..., Any]) -> Callable[..., Any]:
    """Work so many times, then die instead of working once more."""
    left = [count]

    def counted(*arguments: Any, **named: Any) -> Any:
        if not left[0]:
            die()
        left[0] -= 1
        return work(*arguments, **named)

    return counted


# ---------------------------------------------------------------------------------------------------------------------
# The points, each as what is changed in the verifier that will die


def before_anything_is_written(verifier: Verifier) -> None:
    """The message was checked; the share is about to be looked for."""
    verifier.deletions.store._share = die  # type: ignore[method-assign]


def after_the_values_before_the_statement(verifier: Verifier) -> None:
    """Values are deleted in the transaction, the statement is not written."""
    verifier.deletions.store._eraser._record = die  # type: ignore[method-assign]


def after_the_statement_before_the_commit(verifier: Verifier) -> None:
    """Everything is written, nothing is committed."""
    verifier.deletions.store._of_request = after(1, verifier.deletions.store._of_request)  # type: ignore[method-assign]


def after_the_commit(verifier: Verifier) -> None:
    """It is done, the log beside the database still holds the old pages, and the answer is lost."""
    verifier.database.forget_deleted = die  # type: ignore[method-assign]


def before_the_answer(verifier: Verifier) -> None:
    """It is done, the files are clean, and the answer is lost."""
    forget = verifier.database.forget_deleted

    def forget_and_die() -> bool:
        forget()
        return bool(die())

    verifier.database.forget_deleted = forget_and_die  # type: ignore[method-assign]


UNDONE = [
    before_anything_is_written,
    after_the_values_before_the_statement,
    after_the_statement_before_the_commit,
]
DONE = [after_the_commit, before_the_answer]


def dying(
    data: Path, settings: dict[str, Any], days: float, prepare: Callable[[Verifier], None], work: str, given: Any
) -> None:
    """In a process of its own: do the work until it dies."""
    scene = Rejoined(data, days, settings)
    prepare(scene.verifier)
    if work == "act":
        take(scene, given)
    elif work == "delete":
        asyncio.run(scene.verifier.deletions.delete(given, actor="anna"))
    else:
        asyncio.run(scene.verifier.tidy())


def kill(scene: Scene, prepare: Callable[[Verifier], None], work: str, given: Any, **settings: Any) -> None:
    """Let a process do it and die at the point."""
    days = (scene.now - START).total_seconds() / 86_400
    process = warm_processes().Process(target=dying, args=(scene.settings.data, settings, days, prepare, work, given))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def pieces_of(scene: Scene) -> list[bytes]:
    """Bytes of everything that is sealed: contents and wrapped keys."""
    with scene.verifier.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT sealed, wrapped_key FROM contents").all()
    return [bytes(piece)[-32:] for row in rows for piece in row]


def are_in_files(scene: Scene, pieces: list[bytes]) -> bool:
    """Whether any of them stands in any file of the data directory."""
    files = [path.read_bytes() for path in scene.settings.data.rglob("*") if path.is_file()]
    return any(piece in content for piece in pieces for content in files)


def started_again(scene: Scene) -> Verifier:
    """What a service does when it starts: tidy up, and take what was deleted out of the files."""
    verifier = scene.second_process()
    asyncio.run(verifier.tidy())
    asyncio.run(verifier.forget())
    return verifier


def count(scene: Scene, what: str) -> int:
    """How many rows there are."""
    with scene.verifier.database.reading() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {what}").scalar_one())


@pytest.fixture
def shared(scene: Scene) -> MadeRequest:
    """An answered request; its files are closed, so that another process finds them as after a restart."""
    made = scene.ask()
    scene.answer(made, optional=True)
    return made


@pytest.mark.parametrize("point", UNDONE)
def test_a_withdrawal_that_was_not_executed_can_be_sent_again(scene: Scene, shared: MadeRequest, point: Any) -> None:
    """Nothing of it stays, not even its number: the very same message does it now."""
    body = act(scene, shared)
    kill(scene, point, "act", body)
    verifier = started_again(scene)

    assert scene.result(shared).state is State.ANSWERED
    assert scene.verifier.contents(shared.id, viewer="test") is not None
    assert count(scene, "deletions") == 0

    statement = statement_of(take(scene, body, verifier=verifier), scene, shared)
    assert statement.outcome is StatementOutcome.DELETED
    assert scene.verifier.contents(shared.id, viewer="test") is None
    assert count(scene, "log WHERE event = 'deleted'") == 1


@pytest.mark.parametrize("point", DONE)
def test_a_withdrawal_whose_answer_was_lost_is_answered_again(scene: Scene, shared: MadeRequest, point: Any) -> None:
    """It was done once; asking again gives the one statement, and the files are clean after the restart."""
    pieces = pieces_of(scene)
    assert are_in_files(scene, pieces)
    kill(scene, point, "act", act(scene, shared))
    verifier = started_again(scene)

    assert not are_in_files(scene, pieces)
    first = take(scene, act(scene, shared), verifier=verifier)
    assert take(scene, act(scene, shared, "status")) == first
    assert statement_of(first, scene, shared).reason is Reason.WITHDRAWN
    assert count(scene, "deletions") == 1
    assert count(scene, "log WHERE event = 'deleted'") == 1


@pytest.mark.parametrize("point", [after_the_statement_before_the_commit, before_anything_is_written])
def test_a_wish_for_staff_is_noted_or_can_be_sent_again(tmp_path: Path, point: Any) -> None:
    """Where somebody decides: killed before it was noted, the same message notes it."""
    scene = Scene(tmp_path, withdraw_at_once=False)
    made = scene.ask()
    scene.answer(made)
    body = act(scene, made)
    kill(scene, point, "act", body, withdraw_at_once=False)
    started_again(scene)

    assert count(scene, "deletions") == 0
    assert take(scene, body).status == 202
    assert len(scene.verifier.deletions.store.open()) == 1


@pytest.mark.parametrize("point", [after_the_values_before_the_statement, *DONE])
def test_a_noted_wish_survives_and_is_done_once(tmp_path: Path, point: Any) -> None:
    """Received but not executed, or executed by staff and the answer lost."""
    scene = Scene(tmp_path, withdraw_at_once=False)
    made = scene.ask()
    scene.answer(made)
    take(scene, act(scene, made, receipt_id="r1"))
    (waiting,) = scene.verifier.deletions.store.open()
    pieces = pieces_of(scene)
    kill(scene, point, "delete", waiting.id, withdraw_at_once=False)
    verifier = started_again(scene)

    if point is after_the_values_before_the_statement:
        assert [one.id for one in verifier.deletions.store.open()] == [waiting.id]
        assert take(scene, act(scene, made, "status")).status == 202
        asyncio.run(verifier.deletions.delete(waiting.id, actor="anna"))
    statement = statement_of(take(scene, act(scene, made, "status")), scene, made)
    assert (statement.outcome, statement.receipt_id) == (StatementOutcome.DELETED, "r1")
    assert not are_in_files(scene, pieces)
    assert count(scene, "log WHERE event = 'deleted'") == 1


def in_the_middle_of_a_sweep(verifier: Verifier) -> None:
    """Some of what is due is deleted in the transaction, the rest is not."""
    eraser = verifier.requests._eraser
    eraser.erase = after(2, eraser.erase)  # type: ignore[method-assign]


def between_a_deletion_and_its_statement(verifier: Verifier) -> None:
    """The values of one are deleted, its statement is not written."""
    eraser = verifier.requests._eraser
    eraser._record = after(1, eraser._record)  # type: ignore[method-assign]


def after_the_first_round(verifier: Verifier) -> None:
    """The sweep goes in rounds; the first is committed."""
    verifier.requests.tidy = after(1, verifier.requests.tidy)  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("point", "rounds"),
    [(in_the_middle_of_a_sweep, 0), (between_a_deletion_and_its_statement, 0), (after_the_first_round, 1)],
)
def test_a_sweep_that_was_killed_goes_on(scene: Scene, point: Any, rounds: int) -> None:
    """Every answer that was due has one line in the log and one statement in the end, and no file holds any of it."""
    made = [scene.ask() for _ in range(4)]
    for one in made:
        scene.answer(one)
    pieces = pieces_of(scene)
    scene.pass_time(days=91)
    assert len(made) < DUE_AT_ONCE
    kill(scene, point, "sweep", None)
    assert count(scene, "contents") == (0 if rounds else len(made))
    assert count(scene, "deletions") == (len(made) if rounds else 0)

    verifier = started_again(scene)

    assert count(scene, "contents") == 0
    assert not are_in_files(scene, pieces)
    for one in made:
        statement = statement_of(take(scene, act(scene, one, "status"), verifier=verifier), scene, one)
        assert statement.reason is Reason.RETENTION
        log = [entry.event for entry in scene.verifier.requests.log(request_id=one.id)]
        assert log.count(Event.DELETED) == 1
