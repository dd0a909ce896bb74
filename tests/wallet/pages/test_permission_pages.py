"""S7 and what leads to it, as a browser without scripts meets it: the box, the sentence, the page, the notice."""

import re

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.wallet.fake_verifier import notice
from tests.wallet.pages.test_share_pages import confirm, decide, look, person, text_of
from tests.wallet.permitting_world import Permitted
from tests.wallet.test_pages import field, send
from tests.world import PASSPHRASE, World


@pytest.fixture
def firm(world: World) -> Permitted:
    """A recipient that offers later checks."""
    return Permitted(world)


def test_cs07_the_box_stands_apart_and_is_empty(world: World, firm: Permitted) -> None:
    """Nothing is ticked; it says until when, how often, that no has no effect, and quotes the purpose."""
    browser = person(world)
    page = look(browser, firm.ask_offering())

    section = page.text.partition('id="later-checks"')[2].partition("</section>")[0]
    assert "At most once in 30 days, until" in section
    assert "Saying no has no effect on the rest." in section
    assert "We want to see that it holds all the time." in section
    assert re.search(r'<input type="checkbox" id="recheck"[^>]*>', section)
    assert " checked" not in section
    assert 'id="later-checks"' not in look(browser, firm.ask_for_two().link()).text


def test_cs07_the_confirming_page_says_it_and_only_then_it_is_allowed(world: World, firm: Permitted) -> None:
    """With the tick a sentence of its own stands above the passphrase; without it nothing of the kind."""
    browser = person(world)
    without = decide(browser, look(browser, firm.ask_offering()), "share")
    assert 'id="confirm-recheck"' not in without.text
    checks = decide(browser, look(browser, firm.ask_offering()), "share", recheck="yes")
    assert checks.url.path.endswith("/confirm/checks")
    button = re.search(r'<button [^>]*id="decide-allow"[^>]* aria-label="([^"]*)"[^>]*>([^<]*)<', checks.text)
    assert button is not None
    assert button[1].startswith(f"{button[2]}: "), "voice control finds the button by what is seen on it (WCAG 2.5.3)"
    assert "They would ask again without you, so this is confirmed by itself." in text_of(checks)
    share = checks.url.path.removesuffix("/confirm/checks")
    assert browser.get(f"{share}/confirm").url.path == checks.url.path
    wrong = send(browser, checks, checks.url.path, decision="allow", digest=field(checks, "digest"), passphrase="x")
    assert (wrong.url.path, "This is not your passphrase." in wrong.text) == (checks.url.path, True)
    again = send(browser, checks, checks.url.path, decision="")  # The Enter key.
    assert again.url.path == checks.url.path
    page = allow(browser, checks)
    assert page.url.path == f"{share}/confirm"
    assert "You also let Exempelbolaget AB check again until" in page.text
    assert firm.wishes == []

    confirm(browser, page)

    assert [one.claims["action"] for one in firm.wishes] == ["grant"]


@pytest.mark.parametrize(
    ("read", "other", "quoted", "here"),
    [
        ("sv", "en", "You read and confirmed it in another language", "We want to see"),
        ("en", "sv", "Du läste och bekräftade det på ett annat språk", "Vi vill se"),
    ],
)
def test_cs39_confirmed_in_one_language_the_other_does_not_ask_again(
    world: World, firm: Permitted, read: str, other: str, quoted: str, here: str
) -> None:
    """The page of the share quotes the words that were read, marked as in that language, and not other ones."""
    browser = person(world, language=read)
    page = allow(browser, decide(browser, look(browser, firm.ask_offering()), "share", recheck="yes"))
    assert 'id="read-in"' not in page.text

    page = browser.get(f"{page.url.path}?lang={other}")

    assert page.url.path.endswith("/confirm")
    assert f'<html lang="{other}"' in page.text
    after = page.text.partition('id="read-in"')[2].partition("<form")[0]
    assert quoted in after
    assert f'lang="{read}"' in after
    assert here not in after
    confirm(browser, page)
    assert [one.claims["action"] for one in firm.wishes] == ["grant"]


def test_cs07_later_checks_can_be_left_out_where_they_are_confirmed(world: World, firm: Permitted) -> None:
    """Side by side with allowing them; the share goes on, and nothing else changes."""
    browser = person(world)
    checks = decide(browser, look(browser, firm.ask_offering()), "share", recheck="yes")

    page = send(browser, checks, checks.url.path, decision="without")
    assert 'id="confirm-recheck"' not in page.text
    confirm(browser, page)

    assert len(firm.forms) == 1
    assert firm.wishes == []


def allow(browser: TestClient, page: httpx2.Response) -> httpx2.Response:
    """Confirm the later checks that a page is about; returns the page that confirms the share."""
    return send(browser, page, page.url.path, decision="allow", digest=field(page, "digest"), passphrase=PASSPHRASE)


def test_s7_every_permission_with_its_end_and_two_buttons(world: World, firm: Permitted) -> None:
    """Empty before; then who, what, why, last and next check, last day; ended with one press."""
    browser = person(world)
    assert "Nobody may check again" in browser.get("/permissions").text
    confirm(browser, allow(browser, decide(browser, look(browser, firm.ask_offering()), "share", recheck="yes")))

    page = browser.get("/permissions")
    for words in ("In force", "Exempelbolaget AB", "Family name", "None, they say", "At the earliest", "Last day"):
        assert words in page.text
    entry = re.search(r'action="/permissions/([0-9a-f]+)"', page.text)
    assert entry is not None
    form = f"/permissions/{entry[1]}"
    send(browser, page, form, decision="")  # The Enter key.
    assert [one.claims["action"] for one in firm.wishes] == ["grant"]

    paused = send(browser, page, form, decision="pause")
    assert 'id="resume-1"' in paused.text
    ended = send(browser, paused, form, decision="end")

    assert "It is ended. They have confirmed it." in ended.text
    assert "What is over" in ended.text
    assert 'id="end-1"' not in ended.text
    assert [one.claims["action"] for one in firm.wishes] == ["grant", "pause", "end"]
    for path in ("/history", "/my-data"):
        assert 'id="to-permissions"' in browser.get(path).text
    page = browser.get(f"/history/{entry[1]}")
    assert "You ended the later checks" in page.text
    assert 'id="permission" data-state="over"' in page.text


def test_cs07_every_check_is_told_on_the_first_page_with_a_button_that_ends_it(world: World, firm: Permitted) -> None:
    """After the next unlock; it stays until it is put aside."""
    browser = person(world)
    confirm(browser, allow(browser, decide(browser, look(browser, firm.ask_offering()), "share", recheck="yes")))
    checks = [firm.check()]
    firm.say = lambda message: firm.state(message, checks=checks)
    world.clock.move(hours=2)
    page = browser.get("/")
    send(browser, page, "/lock")
    page = send(browser, browser.get("/unlock"), "/unlock", name="Maja", passphrase=PASSPHRASE, wanted="/")

    page = browser.get("/")
    assert "Exempelbolaget AB has checked again" in page.text
    assert "It still held" in page.text
    assert 'id="checked-end-1"' in page.text
    assert "has checked again" in browser.get("/").text

    entry = re.search(r'action="/permissions/([0-9a-f]+)"', page.text)
    assert entry is not None
    after = send(browser, page, f"/permissions/{entry[1]}", decision="seen", back="home")
    assert "has checked again" not in after.text
    assert "They checked whether it still holds" in browser.get(f"/history/{entry[1]}").text


def test_words_of_the_recipient_cannot_style_the_page(world: World, firm: Permitted) -> None:
    """The purpose of later checks is quoted and escaped, like every word of theirs."""
    browser = person(world)
    purpose = {"sv": "<script>alert(1)</script> vi ser efter", "en": "<script>alert(1)</script> we look after it"}
    page = look(browser, firm.ask_offering(purpose=purpose))
    assert "<script>alert(1)" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert notice()["retention"] == {"days": 90}


def test_a_permission_that_is_given_in_swedish_reads_swedish(world: World, firm: Permitted) -> None:
    """The page of permissions in the other language."""
    browser = person(world, language="sv")
    confirm(browser, allow(browser, decide(browser, look(browser, firm.ask_offering()), "share", recheck="yes")))
    page = browser.get("/permissions").text
    for words in ("Löpande tillåtelser", "Avsluta nu", "Pausa", "Gäller", "Sista dag"):
        assert words in page
