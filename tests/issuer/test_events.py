"""The events of an issuer: nothing that happened is missing from them, or it shows (D28)."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from issuer.status import Status
from tests.issuer.desk import Desk, open_desk
from tests.issuer.fetching import running_fetcher


def lived(desk: Desk) -> None:
    """An offer that is open, one that was voided, and certificates that are valid, suspended and revoked."""
    desk.offer()
    desk.context.store.offers.void(desk.offer().id, now=desk.clock())
    for status in (Status.VALID, Status.SUSPENDED, Status.REVOKED):
        offer = desk.offer()
        desk.collect(offer)
        if status is not Status.VALID:
            desk.change(offer, status)


@pytest.mark.parametrize(
    "cut",
    [
        "DELETE FROM events WHERE id = (SELECT max(id) FROM events)",
        "DELETE FROM events WHERE id > 9",
        "DELETE FROM events WHERE id = 2",
        "DELETE FROM events WHERE id = 1",
        "DELETE FROM events",
    ],
)
def test_d28_a_log_that_was_cut_is_noticed_at_the_next_start(tmp_path: Path, cut: str) -> None:
    """At its end, in the middle, at its beginning: by the numbers, and by what offers and certificates say."""
    desk = open_desk(tmp_path)
    with capture_logs() as before, desk.client:
        assert desk.context.store.events.is_whole()
        lived(desk)
        assert desk.context.store.events.is_whole()
        with desk.context.store.database.transaction() as connection:
            connection.exec_driver_sql(cut)
        assert not desk.context.store.events.is_whole()
    assert "events_not_whole" not in [line["event"] for line in before]

    again = open_desk(tmp_path)
    with capture_logs() as after, again.client:
        for _ in range(2_000):  # The check runs in a thread beside what is served.
            again.client.get(again.url("/health"))
            if any(line["event"] == "events_not_whole" for line in after):
                break
    assert "events_not_whole" in [line["event"] for line in after]


def test_d28_events_written_anew_after_a_cut_do_not_hide_it(tmp_path: Path) -> None:
    """The numbers of what was cut from the end are given again; what it said is still missing."""
    desk = open_desk(tmp_path)
    with desk.client:
        lived(desk)
        with desk.context.store.database.transaction() as connection:
            connection.exec_driver_sql("DELETE FROM events WHERE id = (SELECT max(id) FROM events)")
        desk.collect(desk.offer())
        assert not desk.context.store.events.is_whole()


def test_what_was_fetched_by_signing_in_is_recorded_too(tmp_path: Path) -> None:
    """Such a certificate was never offered; the log is whole all the same."""
    with running_fetcher(tmp_path) as fetcher:
        token = fetcher.token()["access_token"]
        assert fetcher.ask_credential(token).status_code == 200
        assert fetcher.desk.context.store.events.is_whole()
