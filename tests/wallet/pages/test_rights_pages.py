"""Asking for a copy (S6), and reporting a suspicious request (S0): what the letters say, and what the history keeps."""

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
from tests.world import World


def draft(page: httpx2.Response) -> tuple[str, str, str]:
    """To whom the draft of an e-mail on a page goes, its subject and its text."""
    link = urlsplit(unescape(re.findall(r'href="(mailto:[^"]+)"', page.text)[0]))
    members = parse_qs(link.query)
    return unquote(link.path), members["subject"][0], members["body"][0]


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
    """It stops there, the text is ready for the authority, and the report stands in the history as soon as it is noted."""
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
    assert 'data-outcome="reported"' in noted.text
    assert 'id="reported-on"' in noted.text
    assert f'id="entry-{entry}"' in browser.get("/history?outcome=reported").text


def test_a_report_names_what_was_asked_and_by_whom_as_far_as_it_is_known(world: World) -> None:
    """After a no: names of items and the quoted purpose, no value; a name that nobody confirmed is only said."""
    browser, stranger = person(world), FakeVerifier(world, "shop.example", name="Butiken AB")
    controller = {"name": {"en": "Shop\nWho: IMY"}, "contact": "info@shop.example"}
    asked = stranger.ask(query(["family_name"]), notice=notice(controller=controller))
    page = look(browser, asked.link())
    entry = page.url.path.rpartition("/")[2]
    assert browser.get(f"/history/{entry}/report").url.path == f"/history/{entry}"
    decide(browser, page, "refuse")

    shown = browser.get(f"/history/{entry}/report")

    _, _, body = draft(shown)
    assert "Who: It says it is Shop Who: IMY; that is not confirmed." in body.splitlines()
    assert "It asked for: Family name." in body
    assert "For this, in its own words: “We check your application.”" in body
    assert [value for value in VALUES if value in body] == []


def test_a_share_can_be_reported_and_stays_a_share(world: World) -> None:
    """What it came to stays, beside it stands that it was reported; both filters find it, and a second note adds none."""
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
def test_s6_a_copy_is_asked_for_in_a_letter(
    world: World, language: str, subject: str, said: str, noted: str
) -> None:
    """To their contact, with the names of what went and no value; what was done stands in the history with its month."""
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


def test_a_copy_is_asked_for_again_on_another_day(world: World) -> None:
    """Twice on one day stands once; the month runs from the latest."""
    browser, entry, _ = browser_that_shared(world)
    page = browser.get(f"/history/{entry}/copy")
    for _ in range(2):
        send(browser, page, page.url.path, decision="page")
    assert text_of(browser.get(f"/history/{entry}")).count("You asked them for a copy") == 1


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
    assert send(browser, browser.get(f"/history/{entry}/report"), f"/history/{entry}/copy", decision="mail").status_code == 409
