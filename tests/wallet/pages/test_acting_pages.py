"""Acting for another on the screens: said on every one of them, with a yes of its own, in both languages (CS-42)."""

from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from starlette.testclient import TestClient

import wallet
from tests.wallet.acting import EITHER, LINA, OMAR, WITH_POWER, Agent
from tests.wallet.fake_verifier import known_verifier, notice
from tests.wallet.pages.test_share_pages import confirm, decide, look, text_of, ticks
from tests.wallet.test_pages import UNKNOWN_WORDS, send
from tests.world import PASSPHRASE, World

BANNER = {"en": "You are acting for Lina Haddad", "sv": "Du agerar för Lina Haddad"}


def browser_of_agent(world: World, language: str, **power: Any) -> TestClient:
    """A browser with Omar's open wallet: his own registration, Lina's, and the power for her."""

    async def fill() -> None:
        await Agent.with_power(world, LINA, OMAR, **power)

    anyio.run(fill)
    browser = world.wallet.browser(language)
    page = browser.get("/unlock")
    send(browser, page, "/unlock", name="Maja", passphrase=PASSPHRASE)
    return browser


def act(browser: TestClient, page: httpx2.Response, world: World) -> httpx2.Response:
    """Press "Answer for Lina"."""
    power = page.text.partition('value="act:')[2].partition('"')[0]
    assert power
    return send(browser, page, page.url.path, use=f"act:{power}")


@pytest.mark.parametrize("language", ["en", "sv"])
def test_every_screen_says_for_whom_one_acts(world: World, language: str) -> None:
    """From the choice to the receipt; nothing of it is ticked beforehand, and without the yes nothing goes on."""
    browser, employer = browser_of_agent(world, language), known_verifier(world)
    first = look(browser, employer.ask(EITHER, notice=notice()).link())
    assert BANNER[language] not in text_of(first)
    page = act(browser, first, world)
    assert ticks(page) == 0
    assert BANNER[language] in text_of(page)
    assert "Omar Haddad" in text_of(page)
    for about_the_holder in ("things about you", "uppgifter om dig"):
        assert about_the_holder not in page.text

    held_back = decide(browser, page, "share")
    assert 'href="#acting-yes"' in held_back.text
    confirming = decide(browser, page, "share", acting="yes")
    assert confirming.url.path.endswith("/confirm")
    outcome = confirm(browser, confirming)
    assert 'data-outcome="shared"' in outcome.text
    for shown in (page, held_back, confirming, outcome):
        assert BANNER[language] in text_of(shown)
        assert not UNKNOWN_WORDS.search(text_of(shown))
    entry = outcome.url.path.split("/")[2]
    then = {"en": "You acted for Lina Haddad", "sv": "Du agerade för Lina Haddad"}[language]
    for where in (f"/history/{entry}", f"/history/{entry}/receipt", f"/history/{entry}/take-back", "/history"):
        assert then in text_of(browser.get(where)), where
    assert "Omar Haddad" in text_of(browser.get(f"/history/{entry}/receipt"))


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "The power has ended."), ("sv", "Behörigheten har upphört.")]
)
def test_a_power_that_is_of_no_use_is_explained(world: World, language: str, sentence: str) -> None:
    """In one plain sentence; the person can answer for themself instead."""
    browser, employer = browser_of_agent(world, language, ends_on="2026-06-30"), known_verifier(world)
    first = look(browser, employer.ask(WITH_POWER, notice=notice()).link())
    page = act(browser, first, world)
    assert sentence in text_of(page)
    assert BANNER[language] in text_of(page)
    back = send(browser, page, page.url.path, use="act:")
    assert BANNER[language] not in text_of(back)


def test_a_choice_that_is_not_there_changes_nothing(world: World) -> None:
    """A form with the id of somebody else's power, or of a certificate that is none."""
    browser, employer = browser_of_agent(world, "en"), known_verifier(world)
    page = look(browser, employer.ask(EITHER, notice=notice()).link())
    again = send(browser, page, page.url.path, use="act:0123456789abcdef")
    assert "Something has changed" in text_of(again)
    assert BANNER["en"] not in text_of(again)


BEFORE_THE_CHOICE = {"arrival.html", "muted.html"}
"""Screens that come before anybody can say for whom they answer."""


def test_no_screen_of_a_share_leaves_out_for_whom() -> None:
    """Every template of a share calls the line, so that a new screen cannot forget it; the others are named here."""
    folder = Path(wallet.__file__).parent / "templates" / "share"
    silent = {file.name for file in folder.glob("*.html") if "acting.now(" not in file.read_text(encoding="utf-8")}
    assert silent == BEFORE_THE_CHOICE | {"parts.html", "confirm_parts.html"}


@pytest.mark.parametrize("language", ["en", "sv"])
def test_the_screens_of_a_share_that_came_to_nothing_say_it_too(world: World, language: str) -> None:
    """Ended while reading, answered in another window, and a refusal."""
    browser, employer = browser_of_agent(world, language), known_verifier(world)

    def chosen() -> httpx2.Response:
        return act(browser, look(browser, employer.ask(WITH_POWER, notice=notice()).link()), world)

    said_no = decide(browser, chosen(), "refuse")
    assert said_no.url.path.endswith("/outcome")
    link = employer.ask(WITH_POWER, notice=notice()).link()
    first, second = act(browser, look(browser, link), world), act(browser, look(browser, link), world)
    decide(browser, first, "refuse")
    answered = browser.get(second.url.path)
    page = chosen()
    world.clock.move(minutes=6)
    expired = browser.get(page.url.path)
    assert 'id="renew"' in expired.text
    for shown in (said_no, answered, expired):
        assert BANNER[language] in text_of(shown), shown.url
