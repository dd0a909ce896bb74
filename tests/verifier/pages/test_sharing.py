"""The pages of the person who is asked: sharing by oneself, choosing a wallet, coming back."""

import re

from starlette.testclient import TestClient

from tests.verifier.pages.desk import Desk, Time, post
from verifier.requests import Kind, Transaction
from verifier.store import State


def started(desk: Desk, browser: TestClient) -> tuple[str, Transaction, Transaction]:
    """Begin to share; the page's path, and the transactions of link and QR code."""
    answered = post(browser, "/share/employer-micro-credential", {})
    assert answered.status_code == 303
    path = answered.headers["location"]
    some = desk.verifier.requests.list_transactions(now=desk.time())
    by_kind = {one.transaction.kind: one.transaction for one in some}
    return path, by_kind[Kind.SAME_DEVICE], by_kind[Kind.CROSS_DEVICE]


def test_a_person_shares_without_anybody_signed_in(desk: Desk) -> None:
    """Read what is asked, go to the wallet, answer, come back: no account, and no value on any page."""
    person = desk.new_browser()
    shown = person.get("/share/employer-micro-credential").text
    assert "Example Ltd wants to see 2 things about you" in shown
    assert '<span class="site-name" id="whose">Example Ltd</span>' in shown, "whose page it is stands first"
    assert "Intyga for those who ask" not in shown
    path, link, _ = started(desk, person)
    assert 'data-phase="open"' in person.get(path).text

    reply = desk.answer(link).json()
    back = person.get(reply["redirect_uri"], follow_redirects=False)

    assert back.status_code == 303
    assert back.headers["location"] == path
    page = person.get(path).text
    assert 'data-phase="received"' in page
    assert "18 February 2027" in page
    assert "Ångström" not in page
    assert desk.record(link.id).state is State.ANSWERED


def test_staff_sees_the_result_of_what_a_person_shared_by_themselves(desk: Desk) -> None:
    """It stands on the board like any other request."""
    person = desk.new_browser()
    _, link, _ = started(desk, person)
    person.get(desk.answer(link).json()["redirect_uri"])

    assert f'href="/requests/{link.id}"' in desk.browser.get("/").text
    assert "Ångström" in desk.browser.get(f"/requests/{link.id}?values=shown").text


def test_an_answer_that_comes_back_in_another_browser_does_not_count(desk: Desk) -> None:
    """Session fixation: whoever started the request must be who answers it."""
    path, link, _ = started(desk, desk.new_browser())
    uri = desk.answer(link).json()["redirect_uri"]

    victim = desk.new_browser()
    refused = victim.get(uri)

    assert refused.status_code == 400
    assert "does not belong to this browser" in refused.text
    assert desk.record(link.id).state is State.NOT_RETURNED
    assert desk.verifier.contents(link.id, viewer="") is None
    assert victim.get(path).status_code == 404


def test_the_response_code_works_once(desk: Desk) -> None:
    """Loading the page of the return again says that all is done; nothing is lost."""
    person = desk.new_browser()
    _, link, _ = started(desk, person)
    uri = desk.answer(link).json()["redirect_uri"]
    assert person.get(uri, follow_redirects=False).status_code == 303

    again = person.get(uri, follow_redirects=False)

    assert again.status_code == 400
    assert "everything is already done" in again.text
    assert desk.record(link.id).state is State.ANSWERED


def test_until_the_browser_is_back_there_is_no_result(desk: Desk, time: Time) -> None:
    """An answer of the same device waits ten minutes for its browser, and then does not count."""
    person = desk.new_browser()
    path, link, _ = started(desk, person)
    desk.answer(link)

    waiting = desk.browser.get(f"/requests/{link.id}").text
    assert 'data-state="opened"' in waiting
    assert "Ångström" not in waiting
    assert 'data-phase="open"' in person.get(path).text
    time.pass_by(minutes=11)
    assert 'data-state="failed"' in desk.browser.get(f"/requests/{link.id}").text
    assert 'data-phase="nothing"' in person.get(path).text


def test_staff_who_answers_at_this_computer_comes_back_to_the_result(desk: Desk) -> None:
    """The link of a request that staff made leads back to the page of that request."""
    made = desk.ask("employer-micro-credential")
    both = desk.verifier.requests.pair(made.transaction.pair, now=desk.time())
    link = next(one.transaction for one in both if one.id != made.id)

    back = desk.browser.get(desk.answer(link).json()["redirect_uri"], follow_redirects=False)

    assert back.headers["location"] == f"/requests/{link.id}"
    page = desk.browser.get(f"/requests/{made.id}?values=shown").text
    assert 'data-state="verified"' in page
    assert "Ångström" in page


def test_the_answer_of_another_device_reaches_the_page(desk: Desk) -> None:
    """Whoever scanned the QR code with the phone sees on the computer that the answer has arrived."""
    person = desk.new_browser()
    path, _, crossing = started(desk, person)
    assert desk.answer(crossing).json() == {}

    assert 'data-phase="received"' in person.get(path).text


def test_saying_no_leaves_nothing(desk: Desk) -> None:
    """The page says that nothing was shared."""
    person = desk.new_browser()
    path, _, crossing = started(desk, person)
    desk.decline(crossing)

    assert 'data-phase="nothing"' in person.get(path).text


def test_a_link_to_our_own_page_lets_the_person_choose_a_wallet(desk: Desk) -> None:
    """The https link of a request leads here while no wallet is known; only our own requests do."""
    made = desk.verifier.made(desk.ask("employer-micro-credential").transaction)
    person = desk.new_browser()

    page = person.get(made.https_link.removeprefix(desk.settings.base_url))

    assert page.status_code == 200
    assert "Which wallet do you use?" in page.text
    here = re.search(r'name="back" value="([^"]+)"', page.text)
    assert here is not None
    foreign = person.get("/present?client_id=x&request_uri=https%3A%2F%2Fevil.example%2Frequest%2F1")
    assert foreign.status_code == 404


def test_starting_too_often_is_stopped(desk: Desk) -> None:
    """One address cannot fill the board."""
    person = desk.new_browser()
    answers = [post(person, "/share/course-results", {}).status_code for _ in range(22)]

    assert answers[0] == 303
    assert answers[-1] == 429


def test_an_unknown_request_is_a_page_that_helps(desk: Desk) -> None:
    """A mistyped address says what to do."""
    missing = desk.new_browser().get("/share/nothing-like-this")

    assert missing.status_code == 404
    assert "There is no such request here" in missing.text
