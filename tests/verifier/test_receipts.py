"""Receipts that wallets hand in: kept as both signed them, shown, and gone where they name people (docs/receipt.md)."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from proofs.after_share import check_recipient_message
from proofs.trust import TrustList
from schemas.withdrawal import COUNTERSIGNATURE_TYPE
from service.http import HostRouter, OutgoingHTTP
from tests.verifier.pages.desk import PAGE, PASSWORD, post
from tests.verifier.scene import Scene, scene_of_before
from tests.verifier.test_api import Web
from tests.verifier.test_client import client_of
from tests.verifier.withdrawing import act, receipt_for, submission, take
from verifier.app import create_app
from verifier.cli import app
from verifier.countersigning import ReceiptMismatch
from verifier.exchange import MadeRequest
from verifier.store import KeptReceipt


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A verifier with an answer to come."""
    return Scene(tmp_path)


def answered(scene: Scene) -> MadeRequest:
    """A request that was answered."""
    made = scene.ask()
    assert scene.answer(made, optional=True).status == 200
    return made


def hand_in(scene: Scene, made: MadeRequest, **changed: object) -> KeptReceipt:
    """A receipt, handed in: what the wallet has then."""
    receipt = receipt_for(scene, made, **changed)
    token = asyncio.run(scene.verifier.deletions.countersign(submission(scene, made, receipt)))
    return KeptReceipt(scene.now, receipt, token)


def test_both_sides_hold_the_same(scene: Scene) -> None:
    """Byte for byte what the wallet signed and what it was given for it; nothing before, and the last one counts."""
    made = answered(scene)
    assert scene.verifier.deletions.store.receipt(made.id) is None

    for number in range(2):
        mine = hand_in(scene, made, record_id=f"r{number}")
        assert scene.verifier.deletions.store.receipt(made.id) == mine
    check_recipient_message(
        mine.countersignature,
        typ=COUNTERSIGNATURE_TYPE,
        expected_client_id=made.transaction.client_id,
        trust=TrustList(),
        now=scene.now,
    )


def test_what_does_not_fit_is_not_kept(scene: Scene) -> None:
    """A receipt that is refused leaves the one that was confirmed."""
    made = answered(scene)
    mine = hand_in(scene, made)
    wrongs: list[dict[str, Any]] = [{"items": []}, {"retention": None}, {"controller": {}}]
    for wrong in wrongs:
        with pytest.raises(ReceiptMismatch):
            hand_in(scene, made, **wrong)
    assert scene.verifier.deletions.store.receipt(made.id) == mine


def test_it_rests_sealed_and_outlives_the_values(scene: Scene) -> None:
    """It has the person's pseudonym; and it is what shows later that they agreed, also after they took it back."""
    made = answered(scene)
    mine = hand_in(scene, made, holder_pseudonym="pseudonym-of-somebody-24")
    take(scene, act(scene, made))

    assert scene.verifier.contents(made.id, viewer="test") is None
    assert scene.verifier.deletions.store.receipt(made.id) == mine
    at_rest = b"".join(file.read_bytes() for file in scene.settings.data.rglob("verifier.sqlite3*"))
    assert b"pseudonym-of-somebody-24" not in at_rest
    assert mine.receipt_jwt.encode() not in at_rest


def staff_of(scene: Scene) -> TestClient:
    """The browser of somebody who has signed in."""
    browser = TestClient(
        create_app(scene.settings, http=OutgoingHTTP(transport=HostRouter({})), clock=scene.clock),
        base_url=scene.settings.base_url,
        headers=PAGE,
    )
    code = asyncio.run(browser.app.state.accounts.setup_code(now=scene.now))  # type: ignore[attr-defined]
    post(browser, "/setup", {"setup_code": code, "login": "anna", "password": PASSWORD})
    return browser


def test_staff_download_it_where_there_is_one(scene: Scene) -> None:
    """A line on the page of the result, and the file; nothing of it without one, and nothing for others."""
    made, browser = answered(scene), staff_of(scene)
    assert 'id="receipt-kept"' not in browser.get(f"/requests/{made.id}").text
    assert browser.get(f"/requests/{made.id}/receipt").status_code == 404

    mine = hand_in(scene, made)

    assert 'id="receipt-kept"' in browser.get(f"/requests/{made.id}").text
    file = browser.get(f"/requests/{made.id}/receipt")
    assert file.headers["content-disposition"].startswith('attachment; filename="receipt-')
    assert file.json()["receipt"]["controller"]["identifier"] == made.transaction.client_id
    assert (file.json()["receipt_jwt"], file.json()["countersignature"]) == (mine.receipt_jwt, mine.countersignature)
    browser.cookies.clear()
    assert browser.get(f"/requests/{made.id}/receipt", follow_redirects=False).status_code == 303


def test_a_program_reads_those_of_its_own_requests(scene: Scene) -> None:
    """As the person has it; None before, and one answer for what is another's and what never was."""
    web = Web(scene)

    async def embed() -> None:
        async with client_of(web) as verifier:
            asked = await verifier.make_request("employer-micro-credential")
            made = scene.verifier.made(scene.verifier.result(asked.id).transaction)
            await asyncio.to_thread(scene.answer, made, optional=True)
            assert await verifier.receipt(made.id) is None
            mine = await asyncio.to_thread(hand_in, scene, made)
            found = await verifier.receipt(made.id)
            assert found is not None
            assert (found.receipt_jwt, found.countersignature) == (mine.receipt_jwt, mine.countersignature)
            assert found.document["schema"] == "urn:intyga:receipt:1"
            others = scene.ask()
            await asyncio.to_thread(scene.answer, others, optional=True)
            await asyncio.to_thread(hand_in, scene, others)
            assert await verifier.receipt(others.id) is None
            assert await verifier.receipt("never-was") is None

    asyncio.run(embed())


def test_the_command_prints_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says why there is none."""
    made = answered(scene)
    monkeypatch.setenv("VERIFIER_PUBLIC_URL", "http://localhost:8003")

    def command(*more: str) -> Result:
        return CliRunner().invoke(app, ["receipt", made.id, "--data", str(scene.settings.data), *more])

    none = command()
    assert "handed none in" in str(none.exception)
    mine = hand_in(scene, made)
    assert json.loads(command("--json").stdout)["receipt_jwt"] == mine.receipt_jwt
    until = made.transaction.retention_until.isoformat()
    assert command().stdout.splitlines()[:2] == [
        f"Handed in {scene.now.isoformat(timespec='seconds')}, signed by both",
        f"Kept until {until}",
    ]


def test_a_database_of_before_is_upgraded(tmp_path: Path) -> None:
    """Version 2 kept no receipts: all that is in it stays, and one that is handed in now is kept."""
    scene, record = scene_of_before(tmp_path, schema=2)

    assert scene.verifier.deletions.store.receipt(record.id) is None
    made = answered(scene)
    assert scene.verifier.deletions.store.receipt(made.id) is None
    assert hand_in(scene, made) == scene.verifier.deletions.store.receipt(made.id)
