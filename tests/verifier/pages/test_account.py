"""The door for staff, and what stands behind it."""

import asyncio
from pathlib import Path

import pytest

import service
import verifier
from service import staff_door
from service.i18n import broken_translations, missing_translations
from tests.verifier.pages.desk import PASSWORD, Desk, Time, post

STAFF_PAGES = ["/", "/events", "/ask", "/ask/course-results", "/log", "/requests/x", "/requests/x/events"]


@pytest.mark.parametrize("path", [*STAFF_PAGES, "/requests/x/evidence"])
def test_staff_pages_need_signing_in(desk: Desk, path: str) -> None:
    """A stranger is led to the door, and back afterwards."""
    stranger = desk.new_browser()

    answered = stranger.get(path, follow_redirects=False)

    assert answered.status_code == 303
    assert answered.headers["location"].startswith("/sign-in?next=")


def test_the_first_account_needs_the_code_from_the_terminal(tmp_path: Path, time: Time) -> None:
    """A guess does nothing; the code works once; afterwards there is no such page."""
    desk = Desk(tmp_path, time)
    fields = {"login": "eva", "password": PASSWORD}

    wrong = post(desk.browser, "/setup", {**fields, "setup_code": "AAAA-BBBB-CCCC-DDDD"})
    assert wrong.status_code == 400
    assert 'href="#setup_code"' in wrong.text
    assert PASSWORD not in wrong.text
    code = asyncio.run(desk.app.state.accounts.setup_code(now=time()))
    short = post(desk.browser, "/setup", {"login": "eva", "password": "short", "setup_code": code})
    assert 'href="#password"' in short.text
    assert post(desk.browser, "/setup", {**fields, "setup_code": code}).status_code == 303
    assert desk.browser.get("/").status_code == 200
    assert desk.new_browser().get("/setup", follow_redirects=False).headers["location"] == "/sign-in"


def test_signing_in_goes_on_to_what_was_asked_for(desk: Desk) -> None:
    """And only to our own pages."""
    fields = {"login": "anna", "password": PASSWORD}
    there = post(desk.new_browser(), "/sign-in", {**fields, "next": "/log"})
    elsewhere = post(desk.new_browser(), "/sign-in", {**fields, "next": "https://evil.example/"})

    assert there.headers["location"] == "/log"
    assert elsewhere.headers["location"] == "/"


def test_a_wrong_password_says_what_to_do_and_ten_are_enough(desk: Desk) -> None:
    """The sentence does not tell which of the two was wrong."""
    stranger = desk.new_browser()
    answers = [post(stranger, "/sign-in", {"login": "anna", "password": "guess"}) for _ in range(11)]

    assert answers[0].status_code == 403
    assert "do not belong together" in answers[0].text
    assert answers[-1].status_code == 429


def test_many_spellings_of_a_name_are_one(desk: Desk) -> None:
    """Case, spaces and width make no further tries for the same account."""
    stranger = desk.new_browser()
    spellings = ["anna", "Anna", "ANNA", " anna", "anna ", "aNNa", "annA", "ａｎｎａ", "AnnA", "ANna", "anNA"]
    answers = [post(stranger, "/sign-in", {"login": one, "password": "guess"}) for one in spellings]

    assert [answer.status_code for answer in answers] == [403] * 10 + [429]
    assert post(stranger, "/sign-in", {"login": "anna", "password": PASSWORD}).status_code == 429


def test_many_names_from_one_address_are_bounded_as_well(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One password tried on everybody."""
    monkeypatch.setattr(staff_door, "TRIES_OF_AN_ADDRESS", 4)
    stranger = desk.new_browser()
    answers = [post(stranger, "/sign-in", {"login": f"name-{n}", "password": "x" * 1001}) for n in range(5)]

    assert [answer.status_code for answer in answers] == [403] * 4 + [429]


def test_a_form_from_elsewhere_is_refused(desk: Desk) -> None:
    """Without the page's token nothing happens."""
    for path in ("/ask/course-results", "/sign-out", "/wallet-address", "/share/course-results"):
        assert desk.browser.post(path, data={"csrf": "x"}).status_code == 403
    assert desk.verifier.requests.list_transactions(now=desk.time()) == []


def test_signing_out_ends_the_session(desk: Desk) -> None:
    """The cookie is worth nothing afterwards."""
    assert post(desk.browser, "/sign-out", {}, page="/").status_code == 303

    assert desk.browser.get("/", follow_redirects=False).status_code == 303


def test_empty_pages_say_what_will_be_there(desk: Desk) -> None:
    """And name the one thing to do now."""
    assert 'id="ask-first"' in desk.browser.get("/").text
    assert 'id="ask-first"' in desk.browser.get("/log").text


def test_every_text_is_there_in_swedish() -> None:
    """No English word on a Swedish page, and no broken placeholder."""
    room, shared = Path(str(verifier.__file__)).parent, Path(str(service.__file__)).parent

    assert missing_translations(room, shared) == {}
    assert broken_translations(room) == []


@pytest.mark.parametrize("language", ["sv", "en"])
def test_no_jargon_on_any_page(desk: Desk, language: str) -> None:
    """The words of the specifications stay out of what people read."""
    made = desk.ask("employer-micro-credential")
    desk.answer(made.transaction, optional=[1])
    person = desk.new_browser()
    pages = [desk.browser.get(f"{path}?lang={language}").text for path in ("/", "/ask", "/ask/course-results", "/log")]
    pages.append(desk.browser.get(f"/requests/{made.id}?values=shown&lang={language}").text)
    pages.append(person.get(f"/share/course-results?lang={language}").text)
    for page in pages:
        words = page.partition("<main")[2].lower()
        for word in (" credential", "verifier ", " claim", "presentation", "attribute"):
            assert word not in words.replace("micro-credential", "").replace("intyga-verifier", ""), word


def test_the_stream_says_when_something_has_happened(desk: Desk) -> None:
    """An answer ends the stream of its page with `done`; no value travels in it."""
    made = desk.ask("employer-micro-credential")
    desk.answer(made.transaction)

    stream = desk.browser.get(f"/requests/{made.id}/events")

    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.text.strip() == "event: done\ndata: {}"
