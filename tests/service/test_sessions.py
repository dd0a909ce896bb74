"""Sessions end by themselves, and nothing that rests lets anybody in."""

import asyncio
import base64
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.responses import Response

from service.sessions import Sessions, cookie_name
from tests.service.conftest import NOW, Sample, SampleSettings


@pytest.fixture
def sessions(sample: Sample) -> Sessions:
    return sample.sessions


def test_a_session_is_found_again_by_its_cookie(sessions: Sessions) -> None:
    cookie = asyncio.run(sessions.open("person-1", now=NOW, data=b"sealed"))

    session = asyncio.run(sessions.load(cookie, now=NOW))

    assert session is not None
    assert (session.subject, session.data, len(cookie)) == ("person-1", b"sealed", 43)
    assert session.key_material == sessions.key_material(cookie)
    assert len(session.key_material) == 32


@pytest.mark.parametrize("cookie", [None, "", "x" * 43, "x" * 42 + "=", "å" * 43, "x" * 500])
def test_other_cookies_open_nothing(sessions: Sessions, cookie: str | None) -> None:
    asyncio.run(sessions.open("person-1", now=NOW))

    assert asyncio.run(sessions.load(cookie, now=NOW)) is None


@pytest.mark.parametrize(("seconds", "there"), [(899, True), (900, False), (901, False)])
def test_a_session_ends_after_a_quarter_of_an_hour_of_rest(sessions: Sessions, seconds: int, there: bool) -> None:
    cookie = asyncio.run(sessions.open("person-1", now=NOW))

    assert (asyncio.run(sessions.load(cookie, now=NOW + timedelta(seconds=seconds))) is not None) is there


def test_being_seen_keeps_a_session_open_until_its_last_hour(sessions: Sessions) -> None:
    cookie = asyncio.run(sessions.open("person-1", now=NOW))
    day = 8 * 3600

    for passed in range(600, day, 600):
        assert asyncio.run(sessions.load(cookie, now=NOW + timedelta(seconds=passed))) is not None
    assert asyncio.run(sessions.load(cookie, now=NOW + timedelta(seconds=day - 1))) is not None
    assert asyncio.run(sessions.load(cookie, now=NOW + timedelta(seconds=day))) is None


def test_a_closed_session_is_closed(sessions: Sessions) -> None:
    cookies = [asyncio.run(sessions.open("person-1", now=NOW)) for _ in range(3)]
    first = asyncio.run(sessions.load(cookies[0], now=NOW))
    assert first is not None

    asyncio.run(sessions.close(first))
    assert [asyncio.run(sessions.load(cookie, now=NOW)) is not None for cookie in cookies] == [False, True, True]

    asyncio.run(sessions.close_all("person-1"))
    assert not any(asyncio.run(sessions.load(cookie, now=NOW)) for cookie in cookies)


def test_data_of_a_session_can_be_replaced_and_forgotten(sessions: Sessions) -> None:
    cookie = asyncio.run(sessions.open("person-1", now=NOW))
    session = asyncio.run(sessions.load(cookie, now=NOW))
    assert session is not None

    asyncio.run(sessions.set_data(session, b"new"))
    changed = asyncio.run(sessions.load(cookie, now=NOW))

    assert changed is not None
    assert changed.data == b"new"


def test_ended_sessions_are_pruned(sessions: Sessions) -> None:
    asyncio.run(sessions.open("person-1", now=NOW))

    assert asyncio.run(sessions.prune(now=NOW + timedelta(seconds=899))) == 0
    assert asyncio.run(sessions.prune(now=NOW + timedelta(seconds=900))) == 1


def test_the_database_holds_nothing_that_opens_a_session(sample: Sample, tmp_path: Path) -> None:
    cookie = asyncio.run(sample.sessions.open("person-1", now=NOW))
    with sqlite3.connect(tmp_path / "sample.sqlite3") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()

    raw = (tmp_path / "sample.sqlite3").read_bytes()

    assert cookie.encode() not in raw
    assert base64.urlsafe_b64decode(cookie + "=") not in raw
    assert sample.sessions.key_material(cookie) not in raw


@pytest.mark.parametrize(
    ("public_url", "name"),
    [
        ("", "intyga-sample-8000"),
        ("http://localhost:9001", "intyga-sample-9001"),
        ("http://127.0.0.1:9001/a", "intyga-sample-a-9001"),
        ("https://sample.example", "__Host-intyga-sample"),
        ("https://sample.example:8443/a/b", "__Host-intyga-sample-a-b"),
    ],
)
def test_the_cookie_name_keeps_services_apart(tmp_path: Path, public_url: str, name: str) -> None:
    assert cookie_name(SampleSettings(data=tmp_path, public_url=public_url)) == name


def test_the_cookie_is_for_this_host_alone(sample: Sample, tmp_path: Path) -> None:
    settings = SampleSettings(data=tmp_path, public_url="https://sample.example/prefix")
    response = Response()
    Sessions(sample.database, settings=settings).set_cookie(response, "x")

    cookie = response.headers["set-cookie"]

    assert cookie == "__Host-intyga-sample-prefix=x; HttpOnly; Path=/; SameSite=lax; Secure"
