"""Certificates that wait for a review, on the pages and from the command line; and what wallets told of theirs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from issuer.deferral import Review
from issuer.notification import WalletEvent
from issuer.pages.words import TOLD
from tests.issuer.fetching import Fetcher, running_fetcher
from tests.issuer.pages.registrar import Registrar
from tests.issuer.terminal import Run, data, run

__all__ = ["data", "run"]


@pytest.fixture
def fetcher(tmp_path: Path) -> Iterator[Fetcher]:
    """An issuer where staff look at every micro-credential first, and a wallet."""
    with running_fetcher(tmp_path, reviewed_types="micro-credential") as opened:
        yield opened


@pytest.fixture
def registrar(fetcher: Fetcher) -> Registrar:
    """Signed in there."""
    return Registrar(fetcher.desk).sign_in()


@pytest.fixture
def asked(fetcher: Fetcher) -> tuple[str, Any]:
    """A wallet has asked and waits: its token and its transaction."""
    return ask(fetcher)


def ask(fetcher: Fetcher) -> tuple[str, Any]:
    token = str(fetcher.token()["access_token"])
    answer = fetcher.ask_credential(token)
    assert answer.status_code == 202
    return token, answer.json()["transaction_id"]


def poll(fetcher: Fetcher, asked: tuple[str, Any]) -> Any:
    """The wallet asks again."""
    token, transaction = asked
    headers = {"Authorization": f"DPoP {token}", "DPoP": fetcher.dpop("/deferred_credential", token=token)}
    url = fetcher.desk.url("/deferred_credential")
    return fetcher.desk.client.post(url, json={"transaction_id": transaction}, headers=headers)


def waiting_id(fetcher: Fetcher) -> str:
    (waiting,) = fetcher.desk.context.store.deferrals.list_waiting()
    return waiting.offer_id


def test_nothing_waits(registrar: Registrar) -> None:
    """The page says what will stand there, and the overview counts."""
    registrar.desk.offer()
    assert "0 certificates wait for a review" in registrar.visit("/").words()
    assert "Nothing waits for a review" in registrar.visit("/waiting").words()


def test_a_certificate_is_looked_at_and_approved(
    fetcher: Fetcher, asked: tuple[str, Any], registrar: Registrar
) -> None:
    """From the overview to the wallet, which then gets it; nothing is decided by opening or by the Enter key."""
    assert "1 certificate waits for a review" in registrar.visit("/").words()
    offer_id = waiting_id(fetcher)
    registrar.visit("/waiting")
    assert "Elin Sjöberg" in registrar.words()
    registrar.visit(f"/waiting/{offer_id}")
    for said in ("Datasäkerhet i vården", "Computer Security for Health Care", "20 November 2026"):
        assert said in registrar.words()
    registrar.visit(registrar.link("to-approve").removeprefix("/uni"))
    assert registrar.send(f"/waiting/{offer_id}/approve").at == f"/waiting/{offer_id}/approve", "Enter decides nothing"
    registrar.press("decide-later")
    assert poll(fetcher, asked).status_code == 202
    registrar.visit(f"/waiting/{offer_id}/approve").press("decide-approve")
    assert "The certificate was approved" in registrar.words()
    assert "Nothing waits for a review" in registrar.words()
    assert poll(fetcher, asked).status_code == 200


def test_a_denial_is_final_and_told(fetcher: Fetcher, asked: tuple[str, Any], registrar: Registrar) -> None:
    """The wallet gets nothing, whatever is pressed afterwards in another window."""
    offer_id = waiting_id(fetcher)
    other = Registrar(fetcher.desk)
    other.visit(f"/waiting/{offer_id}/approve")
    registrar.visit(f"/waiting/{offer_id}/deny").press("decide-deny")
    assert "The certificate was denied" in registrar.words()
    other.press("decide-approve")
    assert "Somebody has decided about this certificate already" in other.words()
    assert poll(fetcher, asked).json()["error"] == "credential_request_denied"
    for path in (f"/waiting/{offer_id}", f"/waiting/{offer_id}/approve"):
        assert registrar.visit(path).at == "/waiting"


def test_a_decision_needs_a_login_our_form_and_its_own_word(
    fetcher: Fetcher, asked: tuple[str, Any], registrar: Registrar
) -> None:
    """Nobody else decides, no other site does, and approving is not denying."""
    offer_id = waiting_id(fetcher)
    registrar.visit(f"/waiting/{offer_id}/approve")
    registrar.send(f"/waiting/{offer_id}/approve", decision="deny")
    registrar.send(f"/waiting/{offer_id}/deny", decision="approve")
    registrar.send(f"/waiting/{offer_id}/approve", decision="approve", csrf="forged")
    for wrong in ("/waiting/nobody", f"/waiting/{offer_id}/perhaps"):
        assert registrar.visit(wrong).status == 404
    fetcher.desk.client.cookies.clear()
    refused = fetcher.desk.client.post(
        fetcher.desk.url(f"/waiting/{offer_id}/approve"), data={"decision": "approve"}, follow_redirects=False
    )
    assert refused.status_code in (303, 401, 403)
    assert waiting_id(fetcher) == offer_id


def test_what_has_been_erased_can_only_be_denied(
    fetcher: Fetcher, asked: tuple[str, Any], registrar: Registrar
) -> None:
    """Who waits for longer than contents are kept is not given an empty certificate."""
    offer_id = waiting_id(fetcher)
    with fetcher.desk.context.store.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE offers SET claims = NULL")
    registrar.visit(f"/waiting/{offer_id}")
    assert "It can only be denied" in registrar.words()
    assert "deny" in registrar.ids("to-")
    assert "approve" not in registrar.ids("to-")
    registrar.visit(f"/waiting/{offer_id}/approve").press("decide-approve")
    assert waiting_id(fetcher) == offer_id


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("event", list(WalletEvent))
def test_what_the_wallet_told_stands_on_the_page_of_the_certificate(
    fetcher: Fetcher, event: WalletEvent, language: str
) -> None:
    """In plain words of the reader's language."""
    desk = fetcher.desk
    offer = desk.offer("course-results")
    desk.collect(offer)
    if event:
        desk.context.store.grants.tell(offer.id, event, now=desk.clock())
    registrar = Registrar(desk, language=language).sign_in()
    words = registrar.visit(f"/issued/{offer.id}").words()
    assert ("What the wallet has told" in words) is (language == "en")
    assert (TOLD[event] in words) is (language == "en")
    assert event.value == "" or event.value not in words


def test_reviews_from_the_command_line(fetcher: Fetcher, asked: tuple[str, Any], run: Run) -> None:
    """`reviews list`, `approve` and `deny`, for people and for programs; what was decided stays decided."""
    data = fetcher.desk.settings.data
    (listed,) = json.loads(run("reviews", "list", "--data", data, "--json").stdout)
    assert set(listed) == {"id", "type", "title", "recipient", "since"}
    assert listed["id"] in run("reviews", "list", "--data", data).stdout
    approved = run("reviews", "approve", listed["id"], "--data", data, "--json")
    assert json.loads(approved.stdout) == {"id": listed["id"], "review": "approved"}
    assert poll(fetcher, asked).status_code == 200
    assert run("reviews", "deny", listed["id"], "--data", data, "--json").fault["error"] == "already_reviewed"
    assert run("reviews", "deny", "nobody", "--data", data, "--json").fault["error"] == "not_found"
    assert "Nothing waits" in run("reviews", "list", "--data", data).stdout
    later = ask(fetcher)
    denied = run("reviews", "deny", waiting_id(fetcher), "--data", data)
    assert (denied.status, Review.DENIED.value in denied.stdout) == (0, True)
    assert poll(fetcher, later).json()["error"] == "credential_request_denied"
