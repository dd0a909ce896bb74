"""Asking for a copy (S6), and reporting a suspicious request (S0): what the letters say, and what the history keeps."""

import json
import re
from html import unescape
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.wallet.fake_verifier import FakeVerifier, known_verifier, notice, query
from tests.wallet.pages.sharing_browser import browser_that_shared, latest_entry
from tests.wallet.pages.test_share_pages import arrive, confirm, decide, look, person, text_of
from tests.wallet.test_ledger import VALUES
from tests.wallet.test_pages import field, send
from tests.world import PASSPHRASE, World


def draft(page: httpx2.Response) -> tuple[str, str, str]:
    """To whom the draft of an e-mail on a page goes, its subject and its text."""
    link = urlsplit(unescape(re.findall(r'href="(mailto:[^"]+)"', page.text)[0]))
    members = parse_qs(link.query)
    assert "\n" not in members["body"][0].replace("\r\n", "")
    return unquote(link.path), members["subject"][0], members["body"][0].replace("\r\n", "\n")


def report_at_s0(browser: TestClient, link: str) -> httpx2.Response:
    """Press the third button of the first screen."""
    page = arrive(browser, link)
    fields = {"link": field(page, "link"), "came_by": field(page, "came_by")}
    return send(browser, page, "/present", **fields, decision="report")


@pytest.mark.parametrize(
    ("language", "subject", "said"),
    [
        (
            "en",
            "Report of a suspicious request from employer.example",
            ("Address: employer.example", "I did not fetch the request.", "I have shared nothing with them."),
        ),
        (
            "sv",
            "Anmälan av en misstänkt förfrågan från employer.example",
            ("Adress: employer.example", "Jag hämtade inte förfrågan.", "Jag har inte delat något med dem."),
        ),
    ],
)
def test_s0_a_request_is_reported_before_anything_is_fetched(
    world: World, language: str, subject: str, said: tuple[str, ...]
) -> None:
    """It stops there, a text for the authority is ready, and the report stands in the history once it is noted."""
    browser, stranger = person(world, language=language), FakeVerifier(world)

    page = report_at_s0(browser, stranger.ask(query(["family_name"]), notice=notice()).link())

    assert world.network.asked("employer.example") == 0
    to, written, body = draft(page)
    assert (to, written) == ("imy@imy.se", subject)
    assert [sentence for sentence in said if sentence not in body] == []
    assert body in unescape(page.text)
    assert stranger.forms == []
    entry = latest_entry(browser)
    assert 'data-outcome="no_answer"' in browser.get(f"/history/{entry}").text
    noted = send(browser, page, page.url.path, decision="reported")
    assert 'data-outcome="no_answer"' in noted.text
    assert 'id="reported-on"' in noted.text
    assert f'id="entry-{entry}"' in browser.get("/history?outcome=reported").text


def test_a_report_names_what_was_asked_and_by_whom_as_far_as_it_is_known(world: World) -> None:
    """Not while it waits for an answer; after a no with names of items and the quoted purpose, and no value."""
    browser, stranger = person(world), FakeVerifier(world, "shop.example", name="Butiken AB")
    page = look(browser, stranger.ask(query(["family_name"]), notice=notice()).link())
    entry = page.url.path.rpartition("/")[2]
    assert browser.get(f"/history/{entry}/report").url.path == f"/history/{entry}"
    decide(browser, page, "refuse")

    shown = browser.get(f"/history/{entry}/report")

    _, _, body = draft(shown)
    assert "Who: It says it is Example Company Ltd; that is not confirmed." in body.splitlines()
    assert "It asked for: Family name." in body
    assert "For this, in its own words: “We check your application.”" in body
    assert [value for value in VALUES if value in body] == []


def test_a_share_can_be_reported_and_stays_a_share(world: World) -> None:
    """What it came to stays, beside it stands that it was reported, once; both filters find it."""
    browser, entry, _ = browser_that_shared(world)
    page = browser.get(f"/history/{entry}/report")
    assert "I have shared information with them." in draft(page)[2]
    assert "Who: Exempelbolaget AB" in draft(page)[2]

    for _ in range(2):
        send(browser, page, page.url.path, decision="reported")

    shown = browser.get(f"/history/{entry}")
    assert 'data-outcome="shared"' in shown.text
    assert text_of(shown).count("You reported the request,") == 1
    for outcome in ("shared", "reported"):
        assert f'id="entry-{entry}"' in browser.get(f"/history?outcome={outcome}").text
    assert f'id="entry-{entry}"' not in browser.get("/history?outcome=copy_asked").text
    assert 'id="not-intact"' not in browser.get("/history").text


def test_neither_enter_nor_a_foreign_form_notes_anything(world: World) -> None:
    """A form without a decision shows the page again; one without our token is refused."""
    browser, entry, _ = browser_that_shared(world)
    for kind, decision in (("report", "reported"), ("copy", "mail")):
        page = browser.get(f"/history/{entry}/{kind}")
        assert send(browser, page, page.url.path, decision="").url.path == page.url.path
        assert browser.post(page.url.path, data={"decision": decision}).status_code == 403
    shown = text_of(browser.get(f"/history/{entry}"))
    assert "You reported the request" not in shown
    assert "You asked for a copy" not in shown


@pytest.mark.parametrize(
    ("language", "subject", "said", "noted"),
    [
        ("en", "Request for a copy, GDPR Art. 15", "under article 15 of the GDPR", "They must answer by"),
        ("sv", "Begäran om kopia, GDPR artikel 15", "enligt artikel 15 i GDPR", "De måste svara senast den"),
    ],
)
def test_s6_a_copy_is_asked_for_in_a_letter(world: World, language: str, subject: str, said: str, noted: str) -> None:
    """To their contact, with the names of what went and no value; that it was done stands in the history."""
    browser, entry, employer = browser_that_shared(world, language=language)
    assert f'href="/history/{entry}/copy"' in browser.get(f"/history/{entry}").text
    page = browser.get(f"/history/{entry}/copy")

    to, written, body = draft(page)

    assert (to, written) == ("dataskydd@employer.example", subject)
    assert said in body
    assert {"en": "- Family name", "sv": "- Efternamn"}[language] in body
    assert [value for value in VALUES if value in body] == []
    sent = len(employer.forms)
    done = send(browser, page, page.url.path, decision="mail")
    assert noted in text_of(done)
    assert len(employer.forms) == sent
    assert 'id="take-back"' in done.text
    assert 'data-outcome="shared"' in done.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("You have asked for a copy", "The copy is overdue", "The copy has come", "You asked them for a copy")),
        ("sv", ("Du har bett om en kopia", "Kopian är försenad", "Kopian har kommit", "Du bad dem om en kopia")),
    ],
)
def test_a_copy_is_overdue_after_a_month_until_it_has_come(world: World, language: str, words: tuple[str, ...]) -> None:
    """Twice on one day stands once, asked anew the month begins anew; the authority's text says what is owed."""
    asked, overdue, come, step = words
    browser, entry, _ = browser_that_shared(world, language=language)
    page = browser.get(f"/history/{entry}/copy")
    assert send(browser, page, page.url.path, decision="came").status_code == 409, "none was asked for"
    for _ in range(2):
        send(browser, page, page.url.path, decision="page")
    assert text_of(browser.get(f"/history/{entry}")).count(step) == 1
    for days, state, word in ((30, "asked", asked), (1, "overdue", overdue)):
        world.clock.move(days=days)
        unlocked = send(browser, browser.get("/"), "/unlock", name="Maja", passphrase=PASSPHRASE, wanted="/history")
        assert word in text_of(unlocked)
        assert f'data-state="{state}"' in browser.get(f"/history/{entry}").text

    shown = browser.get(f"/history/{entry}")
    assert re.search(rf'<a [^>]*id="copy-overdue" href="/history/{entry}/report"', shown.text)
    owed = {
        "en": "They should have answered by 20 December 2026.",
        "sv": "De skulle ha svarat senast den 20 december 2026.",
    }
    assert owed[language] in draft(browser.get(f"/history/{entry}/report"))[2]
    assert overdue in browser.get("/history/files/history.csv").text
    assert json.loads(browser.get("/history/files/history.json").text)["entries"][0]["copy"]["is_overdue"]
    assert f'id="entry-{entry}"' in browser.get("/history?outcome=copy_asked").text
    send(browser, shown, page.url.path, decision="mail")
    assert 'data-state="asked"' in browser.get(f"/history/{entry}").text
    done = send(browser, shown, page.url.path, decision="came")
    assert 'data-state="came"' in done.text
    assert come in text_of(done)
    assert 'id="copy-came"' not in done.text


def test_a_hostile_contact_is_no_link(world: World) -> None:
    """What is no address for mail and no page over https is shown as the text that it is."""
    employer = known_verifier(world)
    browser = person(world)
    controller = {
        "name": {"en": "Employer"},
        "contact": "a@b.example?bcc=c@d.example",
        "website": "javascript:alert(1)",
    }
    asked = employer.ask(query(["family_name"]), notice=notice(controller=controller, withdraw=None))
    page = look(browser, asked.link())
    confirm(browser, decide(browser, page, "share"))
    entry = latest_entry(browser)

    shown = browser.get(f"/history/{entry}/copy")

    assert "mailto:" not in shown.text
    assert 'href="javascript' not in shown.text
    assert "a@b.example?bcc=c@d.example" in unescape(shown.text)


def test_after_a_no_there_is_nothing_to_copy(world: World) -> None:
    """Nobody received anything: the page leads back, and a posted note is refused."""
    browser = person(world)
    page = look(browser, known_verifier(world).ask(query(["family_name"]), notice=notice()).link())
    entry = page.url.path.rpartition("/")[2]
    decide(browser, page, "refuse")

    assert browser.get(f"/history/{entry}/copy").url.path == f"/history/{entry}"
    shown = browser.get(f"/history/{entry}")
    assert 'id="ask-copy"' not in shown.text
    assert (
        send(browser, browser.get(f"/history/{entry}/report"), f"/history/{entry}/copy", decision="mail").status_code
        == 409
    )
