"""What running services do by themselves over days that pass at once: look at their logs (D28), delete on the day."""

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

import issuer.app
import verifier.app
from tests.issuer.desk import Desk as IssuerDesk
from tests.issuer.desk import open_desk
from tests.issuer.pages.registrar import Registrar
from tests.issuer.test_events import lived
from tests.leaping_loop import LeapingLoop
from tests.verifier.pages.desk import Desk, Time

DAY = 24 * 3600
HOUR = 3600


def told_over_days(app: FastAPI, cut: Callable[[], object], event: str) -> list[int]:
    """Run a service for three days and a bit; how often it has told of it one hour after the start, where something is
    cut, one hour before a day is over, and one hour after the first, second and third day."""

    async def live() -> list[int]:
        counts = []
        with capture_logs() as logs:
            async with running(app):
                for hours in (1, 22, 2, 24, 24):
                    await asyncio.sleep(hours * HOUR)
                    counts.append([line["event"] for line in logs].count(event))
                    if len(counts) == 1:
                        cut()
        assert {line["log_level"] for line in logs if line["event"] == event} <= {"error"}
        assert not [line for line in logs if "failed" in line["event"]]
        return counts

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(live())


@asynccontextmanager
async def running(app: FastAPI) -> Any:
    """The service from its start to its end, with all that it does by itself."""
    async with app.router.lifespan_context(app):
        yield


def rarely(monkeypatch: pytest.MonkeyPatch, module: Any, *names: str) -> None:
    """The other chores come once an hour, so that days pass quickly; nothing is changed about the daily one."""
    for name in names:
        assert getattr(module, name) < HOUR
        monkeypatch.setattr(module, name, HOUR)


def issuing(directory: Path, monkeypatch: pytest.MonkeyPatch) -> IssuerDesk:
    """An issuer at which something has happened, on a loop without threads."""
    desk = open_desk(directory)
    with desk.client:
        lived(desk)
    rarely(monkeypatch, issuer.app, "SWEEP_SECONDS")
    again = open_desk(directory)

    async def beside(work: Callable[..., Any], **more: Any) -> Any:
        return work(**more)

    monkeypatch.setattr(again.context.store.database, "run_beside", beside)
    return again


@pytest.mark.parametrize("cut", ["DELETE FROM events WHERE id > 9", "DELETE FROM events WHERE id = 2", ""])
def test_d28_a_running_issuer_tells_within_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: str) -> None:
    """Cut an hour after the start, it is told on the first day, and every day that nobody mends it."""
    desk = issuing(tmp_path, monkeypatch)

    def cutting() -> None:
        with desk.context.store.database.transaction() as connection:
            connection.exec_driver_sql(cut or "SELECT 1")

    counts = told_over_days(desk.client.app, cutting, "events_not_whole")  # type: ignore[arg-type]

    assert counts == ([0, 0, 1, 2, 3] if cut else [0] * 5)


def test_d28_the_staff_of_an_issuer_see_it(tmp_path: Path) -> None:
    """On their first page, after the check that found it, until one finds all of it again."""
    desk = open_desk(tmp_path)
    with desk.client:
        lived(desk)
        registrar = Registrar(desk).sign_in()
        events = desk.context.store.events
        assert 'id="events-not-whole"' not in registrar.visit("/").text
        with desk.context.store.database.transaction() as connection:
            connection.exec_driver_sql("DELETE FROM events WHERE id = 2")
        assert not events.check()
        assert 'id="events-not-whole"' in registrar.visit("/").text


def test_d28_a_running_verifier_tells_within_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of the verifier's log, also on the page that shows it."""
    desk = Desk(tmp_path, Time())
    desk.sign_in()
    desk.ask("employer-micro-credential")
    names = ("UPKEEP_SECONDS", "RECENT_LISTS_SECONDS", "WEBHOOK_SECONDS", "RECHECK_SECONDS")
    rarely(monkeypatch, verifier.app, *names)
    assert 'id="log-not-whole"' not in desk.browser.get("/log").text

    def cutting() -> None:
        with desk.verifier.database.transaction() as connection:
            connection.exec_driver_sql("DELETE FROM log WHERE number = 1")

    counts = told_over_days(desk.app, cutting, "log_not_whole")

    assert counts == [0, 0, 1, 2, 3]
    assert not desk.verifier.log_is_whole


def test_d28_a_check_that_breaks_once_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault on one day, which is told, does not end the daily look."""
    desk = issuing(tmp_path, monkeypatch)
    events, calls = desk.context.store.events, [0]

    def breaking() -> bool:
        calls[0] += 1
        if calls[0] == 1:
            raise RuntimeError
        return True

    monkeypatch.setattr(events, "check", breaking)

    async def live() -> list[str]:
        with capture_logs() as logs:
            async with running(desk.client.app):  # type: ignore[arg-type]
                await asyncio.sleep(DAY + HOUR)
        return [line["event"] for line in logs]

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        assert runner.run(live()).count("log_check_failed") == 1
    assert calls == [2]


@pytest.mark.parametrize(("days", "is_kept"), [(89, True), (91, False)])
def test_the_running_verifier_deletes_when_the_day_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, is_kept: bool
) -> None:
    """Unprompted: nobody opens a page, and no wallet asks. It is stated, too."""
    desk = Desk(tmp_path, Time())
    desk.sign_in()
    made = desk.ask("employer-micro-credential")
    desk.answer(made.transaction)
    rarely(monkeypatch, verifier.app, "UPKEEP_SECONDS", "RECENT_LISTS_SECONDS", "WEBHOOK_SECONDS", "RECHECK_SECONDS")

    async def live() -> None:
        async with running(desk.app):
            await asyncio.sleep(HOUR / 2)
            assert desk.record(made.id).has_contents
            desk.time.pass_by(days=days)
            await asyncio.sleep(HOUR)

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        runner.run(live())

    assert desk.record(made.id).has_contents is is_kept
    stated = [one.action for one in desk.verifier.deletions.store.of_request(made.id) if one.statement]
    assert stated == ([] if is_kept else ["retention"])
