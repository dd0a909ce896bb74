"""A planted value, looked for everywhere: not readable while it is kept, and nowhere at all after deletion.

Searched are every file below the data directory (database, write-ahead log, keys), the temporary directory, everything
that was printed or logged, and what the service still gives out afterwards. The value is looked for as it is, and as it
stands in base64url, in which certificates travel.
"""

import asyncio
import base64
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.verifier.pages.desk import COURSE, PASSWORD, Desk, Time, post

CANARY = "Kanariefågel-7f3a9c"
WAYS = ["withdraw", "erase", "retention", "staff", "one item"]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary directory of our own, so that everything in it can be looked at."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setenv("TMPDIR", str(directory))
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A desk, and a certificate whose holder has the canary as a name."""
    monkeypatch.setitem(COURSE, "family_name", CANARY)
    made = Desk(tmp_path, Time(), {"withdraw_at_once": request.node.callspec.params["way"] != "staff"})
    made.sign_in()
    yield made
    made.verifier.database.close()


def needles(text: str) -> list[bytes]:
    """The text in UTF-8, as JSON escapes it, and the inner part of its base64url at each of the three offsets."""
    raw = text.encode()
    found = [raw, text.encode("unicode_escape")]
    for offset in range(3):
        encoded = base64.urlsafe_b64encode(bytes(offset) + raw).rstrip(b"=")
        found.append(encoded[4:-2])
    return found


def files(*directories: Path) -> dict[Path, bytes]:
    """Every file below, with what is in it."""
    return {path: path.read_bytes() for one in directories for path in one.rglob("*") if path.is_file()}


def holding(contents: dict[Path, bytes], wanted: list[bytes]) -> set[str]:
    """The names of the files that hold any of it."""
    return {path.name for path, content in contents.items() if any(one in content for one in wanted)}


def sealed_pieces(desk: Desk) -> list[bytes]:
    """Pieces of everything that is sealed, all through, and of every wrapped key."""
    with desk.verifier.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT sealed, wrapped_key FROM contents").all()
    return [bytes(part)[start : start + 24] for row in rows for part in row for start in range(1, len(part) - 24, 400)]


@pytest.mark.parametrize("way", WAYS)
def test_a_planted_value_is_nowhere_after_deletion(
    desk: Desk, tmp_path: Path, temporary: Path, capfd: pytest.CaptureFixture[str], way: str
) -> None:
    """Shown, looked at, downloaded, fetched by a program; then deleted in each of the ways there are."""
    data, wanted = desk.settings.data, needles(CANARY)
    accounts = desk.app.state.accounts
    _, text = asyncio.run(accounts.new_api_key("program", now=desk.time()))
    program = TestClient(desk.app, base_url=desk.settings.base_url, headers={"Authorization": f"Bearer {text}"})
    asked = program.post("/api/requests", json={"template": "employer-micro-credential"}).json()
    made = desk.record(asked["id"])
    assert desk.answer(made.transaction, optional=[1]).status_code == 200

    # While it is kept: there for whoever may see it, and in no file.
    assert CANARY in desk.browser.get(f"/requests/{made.id}?values=shown").text
    assert CANARY in program.get(f"/api/requests/{made.id}").text
    exported = desk.browser.get(f"/requests/{made.id}/evidence").content
    assert any(one in exported for one in wanted)
    pieces = sealed_pieces(desk)
    assert len(pieces) > 6
    assert holding(files(data, temporary), wanted) == set()
    assert holding(files(data), pieces)

    delete(desk, made.transaction, way)

    kept = files(data, temporary)
    assert holding(kept, wanted) == set()
    gone = pieces if way != "one item" else pieces_of_the_first(pieces, desk)
    assert holding(kept, gone) == set()
    told = capfd.readouterr()
    assert CANARY not in told.out + told.err
    desk.browser = desk.new_browser()
    post(desk.browser, "/sign-in", {"login": "anna", "password": PASSWORD})
    paths = (f"/requests/{made.id}?values=shown", "/", "/log", "/deletions", "/retention")
    pages: list[Any] = [desk.browser.get(path) for path in paths]
    pages += [program.get(f"/api/requests/{made.id}"), program.get("/api/deletions")]
    pages += [desk.browser.get(f"/requests/{made.id}/receipt"), program.get(f"/api/requests/{made.id}/receipt")]
    pages += [desk.withdraw(made.transaction, "status"), desk.browser.get(f"/requests/{made.id}/evidence")]
    for page in pages:
        assert not any(one in page.content for one in wanted)
    assert list(temporary.rglob("*")) == []


def delete(desk: Desk, transaction: Any, way: str) -> None:
    """Delete it in one of the ways."""
    if way == "retention":
        desk.time.pass_by(days=91)
        asyncio.run(desk.verifier.tidy())
        return
    if way == "one item":
        items = [{"credential": "certificate", "path": ["family_name"]}]
        assert desk.withdraw(transaction, "erase", items=items).status_code == 200
        return
    answer = desk.withdraw(transaction, "erase" if way == "erase" else "withdraw")
    if way == "staff":
        assert answer.status_code == 202
        (waiting,) = desk.verifier.deletions.store.open()
        asyncio.run(desk.verifier.deletions.delete(waiting.id, actor="anna"))
    else:
        assert answer.status_code == 200


def pieces_of_the_first(pieces: list[bytes], desk: Desk) -> list[bytes]:
    """Those pieces that are no part of what is still kept: another presentation, which never showed the value."""
    with desk.verifier.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT sealed, wrapped_key FROM contents").all()
    left = [bytes(part) for row in rows for part in row]
    gone = [piece for piece in pieces if not any(piece in part for part in left)]
    assert len(gone) > 3
    return gone
