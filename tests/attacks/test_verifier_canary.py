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
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.http import HostRouter, OutgoingHTTP
from tests.attacks.test_receipts_handed_in import SAID, items
from tests.verifier.pages.desk import COURSE, PAGE, PASSWORD, Desk, Time, post
from tests.verifier.test_acting_for_another import Guardian
from tests.verifier.withdrawing import act, receipt_for, submission, take
from verifier.app import create_app
from verifier.countersigning import ReceiptMismatch
from verifier.store import RequestRecord

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
    assert hand_in(desk, made).status_code == 200
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
    receipts = [desk.browser.get(f"/requests/{made.id}/receipt"), program.get(f"/api/requests/{made.id}/receipt")]
    assert [(one.status_code, "Family name" in one.text) for one in receipts] == [(200, True)] * 2
    pages += receipts
    pages += [desk.withdraw(made.transaction, "status"), desk.browser.get(f"/requests/{made.id}/evidence")]
    for page in pages:
        assert not any(one in page.content for one in wanted)
    assert list(temporary.rglob("*")) == []


def hand_in(desk: Desk, made: RequestRecord) -> Any:
    """The receipt of what was shared, from the wallet that shared it."""
    person: Any = SimpleNamespace(now=desk.time(), holder=desk.holder, result=lambda asked: desk.record(asked.id))
    body = submission(person, made, receipt_for(person, made))  # type: ignore[arg-type]
    wallet = TestClient(desk.app, base_url=desk.settings.base_url)
    return wallet.post("/receipts", content=body, headers={"Content-Type": "application/jwt"})


@pytest.mark.parametrize("way", ["withdraw", "erase", "retention", "one item"])
def test_a_planted_name_in_a_receipt_is_nowhere_after_deletion(tmp_path: Path, way: str) -> None:
    """Who acted for whom stands in the receipt by name: it goes as soon as one of the names is stated to be deleted,
    and nobody is given it any more."""
    guardian = Guardian(tmp_path)
    made, _ = guardian.given({"family_name": CANARY})
    app = create_app(guardian.settings, http=OutgoingHTTP(transport=HostRouter({})), clock=guardian.clock)
    browser = TestClient(app, base_url=guardian.settings.base_url, headers=PAGE)
    code = asyncio.run(app.state.accounts.setup_code(now=guardian.now))
    post(browser, "/setup", {"setup_code": code, "login": "anna", "password": PASSWORD})
    said = SAID | {"agent": f"Omar {CANARY}"}
    desk = guardian.verifier.deletions
    receipt = receipt_for(guardian, made, items=items(), acting_for=said)
    asyncio.run(desk.countersign(submission(guardian, made, receipt)))
    assert CANARY in browser.get(f"/requests/{made.id}/receipt").json()["receipt"]["acting_for"]["agent"]
    with guardian.verifier.database.reading() as connection:
        sealed = bytes(connection.exec_driver_sql("SELECT sealed FROM receipts").scalar_one())
    pieces = [sealed[start : start + 24] for start in range(1, len(sealed) - 24, 200)]
    assert holding(files(guardian.settings.data), needles(CANARY)) == set()
    assert holding(files(guardian.settings.data), pieces)

    if way == "retention":
        guardian.pass_time(days=31)
        asyncio.run(guardian.verifier.tidy())
    else:
        name = [{"credential": "power", "path": ["family_name"]}] if way == "one item" else None
        take(guardian, act(guardian, made, "withdraw" if way == "withdraw" else "erase", items=name))

    assert holding(files(guardian.settings.data), [*needles(CANARY), *pieces]) == set()
    post(browser, "/sign-in", {"login": "anna", "password": PASSWORD})
    assert browser.get(f"/requests/{made.id}/receipt").status_code == 404
    with pytest.raises(ReceiptMismatch):
        asyncio.run(desk.countersign(submission(guardian, made, receipt)))


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
