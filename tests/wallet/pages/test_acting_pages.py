"""Acting for another on the screens: said on every one of them, with a yes of its own, in both languages (CS-42)."""

from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from starlette.testclient import TestClient

import wallet
from issuer.status import Status
from tests.wallet.acting import EITHER, LINA, OMAR, POWER, WITH_POWER, Agent, power_offer
from tests.wallet.fake_verifier import known_verifier, notice, query
from tests.wallet.pages.test_share_pages import confirm, decide, look, text_of, ticks
from tests.wallet.test_pages import UNKNOWN_WORDS, send
from tests.world import PASSPHRASE, World

BANNER = {"en": "You are acting for Lina Haddad", "sv": "Du företräder Lina Haddad"}


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


@pytest.mark.parametrize(
    ("language", "held_for", "about"), [("en", "For Lina Haddad", "About Lina"), ("sv", "För Lina Haddad", "Om Lina")]
)
def test_the_cards_say_whom_they_are_about(world: World, language: str, held_for: str, about: str) -> None:
    """A power for whom it is, and a certificate of theirs whose it is; one's own is one's own."""
    cards = text_of(browser_of_agent(world, language).get("/"))
    assert cards.count(held_for) == 1
    assert cards.count(about) == 1
    assert "Omar" not in cards


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
    then = {"en": "You acted for Lina Haddad", "sv": "Du företrädde Lina Haddad"}[language]
    for where in (f"/history/{entry}", f"/history/{entry}/receipt", f"/history/{entry}/take-back", "/history"):
        assert then in text_of(browser.get(where)), where
    assert "Omar Haddad" in text_of(browser.get(f"/history/{entry}/receipt"))


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "The power does not cover this recipient."), ("sv", "Behörigheten omfattar inte den här mottagaren.")],
)
def test_a_power_that_is_of_no_use_here_is_explained(world: World, language: str, sentence: str) -> None:
    """In one plain sentence; the person can answer for themself instead."""
    browser = browser_of_agent(world, language, covers_recipients=["school.example"])
    employer = known_verifier(world)
    first = look(browser, employer.ask(WITH_POWER, notice=notice()).link())
    page = act(browser, first, world)
    assert sentence in text_of(page)
    assert BANNER[language] in text_of(page)
    back = send(browser, page, page.url.path, use="act:")
    assert BANNER[language] not in text_of(back)


def change_powers(world: World, status: Status) -> None:
    """Their source revokes or pauses every power."""
    context = world.university.context
    issued = [one.id for one in context.store.status.list_issued(limit=100) if one.type_name == POWER.name]
    context.store.status.change(issued, status, publishing=context.publishing, now=world.clock())


ENDED = {"en": "The power has ended.", "sv": "Behörigheten har upphört."}
PAUSED = {"en": "The power is paused for now.", "sv": "Behörigheten är pausad just nu."}
UNKNOWN = {
    "en": "We could not find out whether the power still holds.",
    "sv": "Vi kunde inte ta reda på om behörigheten fortfarande gäller.",
}


@pytest.mark.parametrize("language", ["en", "sv"])
@pytest.mark.parametrize("why", ["last day", "ended seconds ago", "paused seconds ago", "no look"])
def test_no_power_is_offered_that_does_not_hold_now(world: World, language: str, why: str) -> None:
    """Also one that was ended since the last look, which is seconds old, and one that cannot be looked up: each is
    named with its sentence, has no button, and would not be taken from a form of before."""
    browser = browser_of_agent(world, language, **({"ends_on": "2026-06-30"} if why == "last day" else {}))
    employer = known_verifier(world)
    before = look(browser, employer.ask(EITHER, notice=notice()).link())
    world.clock.move(seconds=6)
    sentence = {"paused seconds ago": PAUSED, "no look": UNKNOWN}.get(why, ENDED)[language]
    if why in ("ended seconds ago", "paused seconds ago"):
        assert 'value="act:' in before.text
        change_powers(world, Status.SUSPENDED if why.startswith("paused") else Status.REVOKED)

    def page_now() -> httpx2.Response:
        return browser.get(before.url.path)

    if why == "no look":
        with world.network.cut_before("/status/1"):
            page = page_now()
    else:
        page = page_now()
    assert sentence in text_of(page)
    assert "Lina Haddad" in text_of(page)
    assert 'value="act:' not in page.text
    power = browser.get("/acting").text.partition("/certificates/")[2].partition('"')[0]
    late = send(browser, page, page.url.path, use=f"act:{power}")
    assert sentence in text_of(late)
    assert 'value="share"' not in late.text
    assert employer.forms == []


FIRST = {
    "en": ("asks for what you have about somebody else", "Answer for Lina Haddad", "What is missing to answer"),
    "sv": ("frågar efter något som du har om någon annan", "Svara för Lina Haddad", "Det här saknas för att svara"),
}


@pytest.mark.parametrize("language", ["en", "sv"])
def test_where_only_a_power_helps_it_comes_first(world: World, language: str) -> None:
    """Before who asks, and before what is missing to answer for oneself; one that does not cover it stays below."""
    browser, employer = browser_of_agent(world, language), known_verifier(world)
    page = look(browser, employer.ask(WITH_POWER, notice=notice()).link())
    heading, button, missing = FIRST[language]
    assert heading in text_of(page)
    order = [page.text.index(one) for one in ('id="for-whom"', 'id="who"', 'id="lacking"')]
    assert order == sorted(order)
    assert button in text_of(page)
    assert missing in text_of(page)
    assert not UNKNOWN_WORDS.search(text_of(page))
    elsewhere = query(["diploma"], vct="urn:example:diploma")
    other = {"credentials": [*WITH_POWER["credentials"], *elsewhere["credentials"]]}
    page = look(browser, employer.ask(other, notice=notice()).link())
    assert heading not in text_of(page)
    assert page.text.index('id="who"') < page.text.index('id="for-whom"') < page.text.index('id="lacking"')


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


MINE = {
    "holds": {"en": "", "sv": ""},
    "not begun": {"en": "It begins on 1 January 2027.", "sv": "Den börjar gälla 1 januari 2027."},
    "last day": {"en": "Ended on 30 June 2026", "sv": "Upphörde 30 juni 2026"},
    "revoked": {
        "en": "Ended. You learned it on 20 November 2026.",
        "sv": "Har upphört. Du fick veta det 20 november 2026.",
    },
    "paused": {
        "en": "Paused. You learned it on 20 November 2026.",
        "sv": "Pausad. Du fick veta det 20 november 2026.",
    },
    "no look": UNKNOWN,
}
OF_THE_POWER = {"not begun": {"begins_on": "2027-01-01"}, "last day": {"ends_on": "2026-06-30"}}


@pytest.mark.parametrize("language", ["en", "sv"])
@pytest.mark.parametrize("why", sorted(MINE))
def test_the_list_of_whom_one_acts_for_says_which_power_cannot_be_used_and_since_when(
    world: World, language: str, why: str
) -> None:
    """Looked up when the page is opened, and not only when somebody asks; what is known stays known a day later."""
    browser = browser_of_agent(world, language, **OF_THE_POWER.get(why, {}))
    world.clock.move(seconds=6)
    if why in ("revoked", "paused"):
        change_powers(world, Status.REVOKED if why == "revoked" else Status.SUSPENDED)
    if why == "no look":
        with world.network.cut_before("/status/1"):
            page = browser.get("/acting")
    else:
        page = browser.get("/acting")
    assert MINE[why][language] in text_of(page)
    assert ('id="mine-over-1"' in page.text) is (why != "holds")
    assert not UNKNOWN_WORDS.search(text_of(page))
    if why in ("revoked", "paused"):
        world.clock.move(days=1)
        send(browser, browser.get("/unlock"), "/unlock", name="Maja", passphrase=PASSPHRASE)
        assert MINE[why][language] in text_of(browser.get("/acting"))


@pytest.mark.parametrize("language", ["en", "sv"])
def test_a_power_has_one_last_day_everywhere(world: World, language: str) -> None:
    """The copies of a power end with its last day in UTC, which is the next day here: nothing names that one."""

    async def fill() -> None:
        agent = await Agent.named(world)
        await world.wallet.receive(agent.vault, power_offer(world, ends_on="2027-01-14"))

    anyio.run(fill)
    browser = world.wallet.browser(language)
    send(browser, browser.get("/unlock"), "/unlock", name="Maja", passphrase=PASSPHRASE)
    employer = known_verifier(world)
    acting = browser.get("/acting")
    certificate = browser.get("/certificates/" + acting.text.partition("/certificates/")[2].partition('"')[0])
    review = look(browser, employer.ask(EITHER, notice=notice()).link())
    shown = {"en": ("14 January 2027", "15 January 2027"), "sv": ("14 januari 2027", "15 januari 2027")}[language]
    for page in (acting, certificate, review):
        assert shown[0] in text_of(page)
        assert shown[1] not in text_of(page)
    valid_until = certificate.text.partition('id="valid-until">')[2].partition("<")[0]
    assert valid_until == shown[0]
    assert "2027-01-15T00:00:00Z" in certificate.text, "for machines, the moment"
