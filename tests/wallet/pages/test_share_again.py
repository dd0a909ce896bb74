"""The same request in two windows, a request that is fetched again, and choices that outlive both."""

import re
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from issuer.status import Status
from tests.wallet.fake_verifier import Asked, FakeVerifier, credential, notice, query, with_optional
from tests.wallet.pages.test_share_pages import OPTIONAL, confirm, decide, look, person, text_of, ticks
from tests.wallet.test_pages import collect, send
from tests.world import World


@pytest.fixture
def employer(world: World) -> FakeVerifier:
    """A verifier that the wallet trusts."""
    made = FakeVerifier(world)
    world.wallet.trust(made.trust_entry)
    return made


def two_windows(browser: TestClient, employer: FakeVerifier) -> tuple[httpx2.Response, httpx2.Response]:
    """The same request, opened twice before it is answered."""
    link = employer.ask(query(["family_name"]), notice=notice()).link()
    return look(browser, link), look(browser, link)


@pytest.mark.parametrize("answer", ["share", "refuse"])
@pytest.mark.parametrize("press", ["share", "refuse", "update", "look"])
def test_a_request_that_was_answered_in_another_window_ends_here_too(
    world: World, employer: FakeVerifier, answer: str, press: str
) -> None:
    """Whatever is pressed in the first window, it says what happened; nothing goes out and nothing stays open."""
    browser = person(world)
    first, second = two_windows(browser, employer)
    confirming = decide(browser, first, "share")
    answered = decide(browser, second, answer)
    if answer == "share":
        confirm(browser, answered)
    told = text_of(browser.get(first.url.path.replace("/share/", "/history/")))
    assert "Answered already" in told

    page = (
        browser.get(first.url.path)
        if press == "look"
        else confirm(browser, confirming)
        if press == "share"
        else decide(browser, first, press)
    )

    assert "You have answered this request already" in text_of(page)
    assert "You have answered this request already" in text_of(browser.get(first.url.path))
    assert "Nothing in the sharing history fits this." in text_of(browser.get("/history?outcome=open"))
    entry = browser.get(first.url.path.replace("/share/", "/history/"))
    assert "You had answered it in another window" in text_of(entry)
    assert len(employer.forms) == 1


def test_a_request_that_somebody_else_here_answered_ends_too(world: World, employer: FakeVerifier) -> None:
    """Two people of one wallet service: the second one learns it when they decide, and is not sent in circles."""
    link = employer.ask(query(["family_name"]), notice=notice()).link()
    maja = person(world)
    ali = world.wallet.browser("en")
    page = ali.get("/")
    send(ali, page, "/welcome", name="Ali", passphrase="fyra ord utan samband", wanted="/")
    collect(ali, world.university.offer()[1].offer)
    waiting = decide(ali, look(ali, link), "share")
    decide(maja, look(maja, link), "refuse")

    ended = confirm(ali, waiting)

    assert "This request has been answered already" in text_of(ended)
    assert "You have answered" not in text_of(ended)
    assert "Nothing in the sharing history fits this." in text_of(ali.get("/history?outcome=open"))
    assert len(employer.forms) == 1


def test_a_further_certificate_is_added_to_the_one_that_is_proposed(world: World, employer: FakeVerifier) -> None:
    """ "Show this too" keeps what stood there, also when nothing had been chosen before."""
    browser = person(world)
    collect(browser, world.university.offer()[1].offer)
    page = look(browser, employer.ask(query(["family_name"], multiple=True), notice=notice()).link())
    add = re.search(r'name="use" value="(add:[^"]*)"', page.text)
    assert add is not None

    both = send(browser, page, page.url.path, use=add[1])
    confirm(browser, decide(browser, both, "share"))

    assert "wants to see 2 things about you" in text_of(both)
    assert len(employer.answers[0]["vp_token"]["certificate"]) == 2


CONSENT = with_optional(credential(["family_name"], ["given_name"]), credential(["credits"], query_id="extra"))


def renewed(browser: TestClient, world: World, page: httpx2.Response, **ticked: Any) -> httpx2.Response:
    """Press Share when the request has ended, and fetch it anew."""
    world.clock.move(minutes=8)
    ended = decide(browser, page, "share", **ticked)
    assert "The request has ended" in text_of(ended)
    return send(browser, ended, f"{ended.url.path}/renew")


def changed(asked: Asked, **changes: Any) -> None:
    """What the recipient serves the next time under the same link."""
    asked.parameters["nonce"] = "another-nonce-0123456789abcdef"
    said = changes.pop("notice", notice(basis="consent"))
    asked.parameters["verifier_info"] = [
        asked.verifier._stated(said, asked.client_id, asked.parameters["nonce"], signed=True)
    ]
    asked.parameters.update(changes)


def test_cs28_what_was_ticked_is_kept_when_the_same_is_asked_again(world: World, employer: FakeVerifier) -> None:
    """Every tick that stood in the form is there again, also those that were never sent before it had ended."""
    browser = person(world)
    asked = employer.ask(CONSENT, notice=notice(basis="consent"))
    page = look(browser, asked.link())
    yes = re.findall(r'name="yes" value="([^"]*)"', page.text)
    changed(asked)

    again = renewed(browser, world, page, optional="1", yes=yes)

    assert ticks(again) == 1 + len(yes) == 3
    assert "What you had chosen is kept." in text_of(again)
    assert employer.forms == []


@pytest.mark.parametrize(
    "changes",
    [
        {"dcql_query": with_optional(credential(["family_name"]), credential(["birthdate"], query_id="extra"))},
        {"notice": notice(basis="consent", purpose={"en": "Something else."})},
    ],
)
def test_cs28_another_question_is_decided_afresh(world: World, employer: FakeVerifier, changes: dict[str, Any]) -> None:
    """A tick is for one question: when it changes, nothing is ticked, and the page says so."""
    browser = person(world)
    asked = employer.ask(CONSENT, notice=notice(basis="consent"))
    page = look(browser, asked.link())
    changed(asked, **changes)

    again = renewed(browser, world, page, optional="1")

    assert ticks(again) == 0
    assert "Something is different than before. Please choose again." in text_of(again)


def test_cs28_a_tick_is_for_the_certificate_beside_which_it_stood(world: World, employer: FakeVerifier) -> None:
    """It was revoked meanwhile and another one is proposed: the yes to the first is none to the second."""
    browser = person(world)
    collect(browser, world.university.offer()[1].offer)
    asked = employer.ask(CONSENT, notice=notice(basis="consent"))
    page = look(browser, asked.link())
    changed(asked)
    context = world.university.context
    issued = context.store.status.list_issued(limit=10)
    (proposed,) = [one for one in issued if one.title["en"] in text_of(page).partition("Other ways")[0]]
    other = next(one for one in issued if one.id != proposed.id)
    context.store.status.change(
        [proposed.id], Status.REVOKED, publishing=context.publishing, reason="", now=world.clock()
    )

    again = renewed(browser, world, page, optional="1")

    assert other.title["en"] in text_of(again)
    assert ticks(again) == 0
    assert "Something is different than before. Please choose again." in text_of(again)


def test_cs28_without_a_tick_there_is_nothing_to_tell(world: World, employer: FakeVerifier) -> None:
    """Nothing was chosen, so nothing is said about it."""
    browser = person(world)

    again = renewed(browser, world, look(browser, employer.ask(OPTIONAL, notice=notice()).link()))

    assert ticks(again) == 0
    assert "chosen is kept" not in text_of(again)
