"""Two real processes on one database file: an answer still counts once (V-01, D06, G-05)."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import TemporarilyUnavailable
from tests.two_processes import Barrier, in_two_processes, warm_processes
from tests.verifier.scene import START, Scene, response_code_of, settings_for
from verifier.exchange import Reply, RequestClosed, browser_binding
from verifier.requests import Kind
from verifier.store import NoSuchRequest, State

BINDING = browser_binding(b"the browser")


class Rejoined(Scene):
    """The same verifier in another process: the data directory, the list, the time."""

    def __init__(self, data: Path, token: str, list_url: str) -> None:
        self.now = START
        self.settings = settings_for(data)
        self.lists = {list_url: token}
        self.verifier = self.second_process()


def post_all(
    data: Path, token: str, list_url: str, handle: str, forms: list[dict[str, str]], barrier: Barrier, results: Any
) -> None:
    """In a process of its own: post every form, as fast as possible."""
    scene = Rejoined(data, token, list_url)
    barrier.wait(60)
    for form in forms:
        results.put(post_until_answered(scene, handle, form))


def post_until_answered(scene: Scene, handle: str, form: dict[str, str]) -> str:
    """Post again while the database is busy, as a wallet does after a 503."""
    for _ in range(500):
        try:
            return f"answered {scene.post_to(handle, form).status}"
        except RequestClosed:
            return "closed"
        except TemporarilyUnavailable:
            continue
    return "busy"


def redeem_all(data: Path, token: str, list_url: str, code: str, count: int, barrier: Barrier, results: Any) -> None:
    """In a process of its own: come back with the same code many times."""
    scene = Rejoined(data, token, list_url)
    barrier.wait(60)
    for _ in range(count):
        results.put(redeem_until_answered(scene, code))


def redeem_until_answered(scene: Scene, code: str) -> str:
    """Come back again while the database is busy."""
    for _ in range(500):
        try:
            return f"returned {scene.verifier.redeem(code, binding=BINDING)}"
        except NoSuchRequest:
            return "refused"
        except TemporarilyUnavailable:
            continue
    return "busy"


@pytest.mark.processes
def test_v01_two_processes_store_one_answer(tmp_path: Path) -> None:
    """Sixteen different valid answers in each of two processes: one is stored, the others come too late."""
    scene = Scene(tmp_path)
    made = scene.ask()
    request = scene.fetch(made)
    forms = [scene.form(request, {"vp_token": scene.vp_token(request)}) for _ in range(32)]
    shared = (tmp_path, scene.lists[scene.issuer.list_url], scene.issuer.list_url, made.transaction.handle)

    found = in_two_processes(post_all, [(*shared, forms[:16]), (*shared, forms[16:])], 32)

    assert sorted(found) == ["answered 200"] + ["closed"] * 31
    assert scene.result(made).is_accepted
    with scene.verifier.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM log WHERE event = 'answered'").scalar_one() == 1


@pytest.mark.processes
def test_d06_the_same_answer_in_two_processes_gets_one_reply(tmp_path: Path) -> None:
    """A wallet that posts again while the first post is still under way."""
    scene = Scene(tmp_path)
    made = scene.ask()
    request = scene.fetch(made)
    form = scene.form(request, {"vp_token": scene.vp_token(request)})
    shared = (tmp_path, scene.lists[scene.issuer.list_url], scene.issuer.list_url, made.transaction.handle)

    found = in_two_processes(post_all, [(*shared, [form] * 8)] * 2, 16)

    assert sorted(found) == ["answered 200"] * 16
    assert scene.result(made).state is State.ANSWERED


@pytest.mark.processes
def test_v07_two_processes_take_a_response_code_once(tmp_path: Path) -> None:
    """Single use holds over processes."""
    scene = Scene(tmp_path)
    made = scene.ask(kind=Kind.SAME_DEVICE, binding=BINDING)
    reply: Reply = scene.answer(made)
    code = response_code_of(reply)
    shared = (tmp_path, scene.lists[scene.issuer.list_url], scene.issuer.list_url, code, 8)

    found = in_two_processes(redeem_all, [shared, shared], 16)

    assert sorted(found) == ["refused"] * 15 + [f"returned {made.id}"]


def post_and_die(data: Path, token: str, list_url: str, handle: str, form: dict[str, str], *, stored: bool) -> None:
    """In a process of its own: take an answer, and be killed just before or just after it is on disk."""
    scene = Rejoined(data, token, list_url)
    record = scene.verifier.requests.record

    def record_and_die(*arguments: Any, **named: Any) -> bool:
        if stored:
            record(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)
        return False

    scene.verifier.requests.record = record_and_die  # type: ignore[method-assign]  # Where the power goes.
    scene.post_to(handle, form)


@pytest.mark.processes
@pytest.mark.parametrize("kind", [Kind.SAME_DEVICE, Kind.CROSS_DEVICE])
@pytest.mark.parametrize("stored", [True, False])
def test_d06_an_answer_survives_a_killed_process_or_can_be_given_again(
    tmp_path: Path, stored: bool, kind: Kind
) -> None:
    """The power goes before the wallet has its reply: posting the same again gives it, and the answer counts once."""
    scene = Scene(tmp_path)
    made = scene.ask(kind=kind, binding=BINDING if kind is Kind.SAME_DEVICE else "")
    request = scene.fetch(made)
    form = scene.form(request, {"vp_token": scene.vp_token(request)})
    shared = (tmp_path, scene.lists[scene.issuer.list_url], scene.issuer.list_url, made.transaction.handle, form)
    process = warm_processes().Process(target=post_and_die, args=shared, kwargs={"stored": stored})
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL

    assert (scene.result(made).state is State.OPENED) is not stored
    reply, again = scene.post(made, form), scene.post(made, form)

    assert reply == again
    assert reply.status == 200
    if kind is Kind.SAME_DEVICE:
        assert scene.verifier.redeem(response_code_of(reply), binding=BINDING) == made.id
    assert scene.result(made).is_accepted
    with scene.verifier.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM log WHERE event = 'answered'").scalar_one() == 1
        assert connection.exec_driver_sql("SELECT count(*) FROM contents").scalar_one() == 1
