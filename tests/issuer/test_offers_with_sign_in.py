"""Offers that are fetched with a sign-in, as staff make them: by command and on the page; and an older database."""

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from issuer.store.upgrades import VERSION
from service.database import UnknownSchema
from tests.attacks.test_issuer_states import offered, state_of
from tests.issuer.desk import open_desk
from tests.issuer.fetching import Fetcher, records, running_fetcher
from tests.issuer.test_cli import RECORD

OLD = Path(__file__).parents[1] / "vectors" / "issuer-schema-2"
PROGRAM = str(Path(sys.executable).with_name("intyga-issuer"))


def run(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The installed command, in an environment that names nothing."""
    return subprocess.run(
        [PROGRAM, *arguments, "--data", str(data), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"ISSUER_PUBLIC_URL": "http://localhost:8100", "ISSUER_NAME": "Exempeluniversitetet"},
    )


@pytest.fixture
def imported(tmp_path: Path) -> tuple[Path, str]:
    """A data directory with two kept results, and the identifier of their import."""
    file = tmp_path / "results.csv"
    file.write_text(RECORD, "utf-8")
    done = run(tmp_path / "data", "import", str(file))
    assert done.returncode == 0, done.stderr
    return tmp_path / "data", json.loads(done.stdout)["import"]


@pytest.mark.processes
@pytest.mark.parametrize("by_value", [False, True])
def test_the_command_offers_kept_records_to_who_signs_in(imported: tuple[Path, str], by_value: bool) -> None:
    """The offer holds a state of its own and no code; by value it stands in the link itself."""
    data, import_id = imported
    arguments = ["offer", "--grant", "authorization-code", "--import", import_id, *(["--by-value"] if by_value else [])]
    done = run(data, *arguments)
    assert done.returncode == 0, done.stderr
    assert "ISSUER_LOGIN_ISSUER" in done.stderr, "nobody can sign in as it is now"
    one, other = json.loads(done.stdout)
    assert {one["grant"], other["grant"]} == {"authorization_code"}
    assert not {"tx_code", "typed"} & {*one, *other}
    query = [parse_qs(urlsplit(made["offer"]).query) for made in (one, other)]
    if not by_value:
        assert all(each["credential_offer_uri"][0].startswith("http://localhost:8100/offers/") for each in query)
        return
    grants = [json.loads(each["credential_offer"][0])["grants"] for each in query]
    states = {grant["authorization_code"]["issuer_state"] for grant in grants}
    assert [list(grant) for grant in grants] == [["authorization_code"]] * 2
    assert len(states) == 2
    assert all(len(state) == 43 for state in states)


@pytest.mark.processes
@pytest.mark.parametrize("wrong", [["--tx-code"], ["--from"]])
def test_the_command_refuses_what_does_not_go_together(
    imported: tuple[Path, str], tmp_path: Path, wrong: list[str]
) -> None:
    """A code beside a sign-in, and records that nobody could be matched with."""
    data, import_id = imported
    source = ["--from", str(tmp_path / "results.csv")] if wrong == ["--from"] else ["--import", import_id, *wrong]
    done = run(data, "offer", "--grant", "authorization-code", *source)
    assert done.returncode == 2
    assert not done.stdout
    assert not json.loads(run(data, "list").stdout)["offers"]


@pytest.fixture
def fetcher(tmp_path: Path) -> Iterator[Fetcher]:
    """An issuer where people sign in."""
    with running_fetcher(tmp_path, *records("DT4011")) as opened:
        yield opened


def test_an_offer_again_stays_one_with_a_sign_in(fetcher: Fetcher) -> None:
    """New codes never turn it into one that anybody collects who has the link."""
    offer = offered(fetcher)
    again = fetcher.desk.context.store.offers.offer_again(offer.id, now=fetcher.desk.clock())
    assert again.with_sign_in
    assert state_of(fetcher, again)
    page = fetcher.desk.client.get(fetcher.desk.links(again).offer_https)
    assert 'id="needs-sign-in"' in page.text


def test_a_database_of_before_is_upgraded_and_its_offers_stay_what_they_were(tmp_path: Path) -> None:
    """Version 2 knew no such offers: what it holds is collected with its code as before, and new offers can be made."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(OLD / "device-secret", data / "device-secret")
    with sqlite3.connect(data / "issuer.sqlite3") as connection:
        connection.executescript((OLD / "issuer.sql").read_text(encoding="utf-8"))
    connection.close()
    desk = open_desk(tmp_path)
    with desk.client:
        collected, still_open = desk.context.store.offers.list_offers(now=desk.clock())
        assert (collected.state.value, still_open.state.value) == ("collected", "offered")
        assert not still_open.with_sign_in
        desk.collect(still_open)
        assert desk.state_of(still_open) == "collected"
        made: Any = desk.offer()
        assert desk.collect(made)
    with sqlite3.connect(data / "issuer.sqlite3") as connection:
        versions = connection.execute("SELECT version FROM intyga_schema").fetchall()
        columns = {row[1] for row in connection.execute("PRAGMA table_info(authorizations)")}
        indexes = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    connection.close()
    assert versions == [(VERSION,)]
    assert "language" in columns
    assert {"offers_issuer_state", "offers_principal_mark", "offers_agent_mark"} <= indexes


def test_a_database_of_another_schema_is_still_refused(tmp_path: Path) -> None:
    """The step runs on the schema that it was written for, and on no other."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(OLD / "device-secret", data / "device-secret")
    with sqlite3.connect(data / "issuer.sqlite3") as connection:
        connection.executescript((OLD / "issuer.sql").read_text(encoding="utf-8"))
        connection.execute("UPDATE intyga_schema SET identity = 'another'")
    connection.close()
    with pytest.raises(UnknownSchema):
        open_desk(tmp_path)
