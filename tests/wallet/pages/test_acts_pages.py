"""Acts for another on the pages of whom they were done for: the mark, the powers, ending one, the address, the file."""

import re
from datetime import UTC, datetime
from unittest.mock import AsyncMock

import anyio
import httpx2
import pytest
from starlette.testclient import TestClient

from issuer.status import Status
from proofs.act_report import ReportUnchecked
from schemas.receipt import EventType
from tests.attacks.test_acts_for_another import Principal, acted, told_agent
from tests.wallet.acting import Agent
from tests.wallet.fake_verifier import known_verifier
from tests.wallet.pages.test_acting_pages import change_powers
from tests.wallet.pages.test_share_pages import text_of
from tests.wallet.test_pages import UNKNOWN_WORDS, send
from tests.world import PASSPHRASE, World
from wallet.pages.acting_words import DONE
from wallet.powers_over_me import PowersOverMe


def browser_of_lina(world: World, language: str, *, status: int = 200) -> TestClient:
    """Lina's open wallet, after Omar has acted for her once; the recipient answered with `status`."""

    async def act() -> Principal:
        lina = await Principal.at(world)
        employer = known_verifier(world)
        employer.reply_status = status
        await acted(await told_agent(world, lina), employer)
        return lina

    browser = anyio.run(act).side.browser(language)
    page = browser.get("/unlock")
    send(browser, page, "/unlock", name="Lina", passphrase=PASSPHRASE)
    return browser


def link_of(page: httpx2.Response, id_: str) -> str:
    """Where a link leads."""
    (link,) = [one for one in re.findall(r"<a [^>]*>", page.text) if f'id="{id_}"' in one]
    return str(link.partition('href="')[2].partition('"')[0])


MARK = {"en": "Done for you by Omar Haddad", "sv": "Gjort för dig av Omar Haddad"}
AT_ONCE = {"en": "You sign in there, and it ends at once.", "sv": "Du loggar in där, och den upphör genast."}
LETTER = {"en": "I am Lina Haddad. Omar Haddad holds", "sv": "Jag är Lina Haddad. Omar Haddad har"}


@pytest.mark.parametrize("language", ["en", "sv"])
def test_what_was_done_for_you_has_a_mark_of_its_own_and_the_power_can_be_ended(world: World, language: str) -> None:
    """In the list, in the entry, on the page of powers; from there to the page of the source, or a letter."""
    browser = browser_of_lina(world, language)
    listed = browser.get("/history")
    assert MARK[language] in text_of(listed)
    entry = browser.get("/history/" + listed.text.partition('id="entry-')[2].partition('"')[0])
    assert MARK[language] in text_of(entry)
    assert 'id="acts"' in entry.text
    overview = browser.get("/acting")
    assert "Omar Haddad" in text_of(overview)
    ending = link_of(overview, "end-1")
    published = {"issuer": "https://university.example", "page": "https://university.example/powers"}

    def answering(request: httpx2.Request) -> httpx2.Response | None:
        is_asked = str(request.url) == "https://university.example/.well-known/intyga-powers"
        return httpx2.Response(200, json=published) if is_asked else None

    with world.network.answering(answering):
        page = browser.get(ending)
    assert LETTER[language] in text_of(page)
    assert AT_ONCE[language] in text_of(page)
    assert 'href="https://university.example/powers"' in page.text
    for shown in (listed, entry, overview, page):
        assert not UNKNOWN_WORDS.search(text_of(shown))
    for name in ("history.json", "history.csv", "history.pdf"):
        assert browser.get(f"/history/files/{name}").status_code == 200
    assert "Haddad" in browser.get("/history/files/history.json").text


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "It arrived, and the recipient answered with an error"),
        ("sv", "Det kom fram, och mottagaren svarade med ett fel"),
    ],
)
def test_an_answer_that_was_not_accepted_is_told_as_arrived(world: World, language: str, sentence: str) -> None:
    """Whoever it was done for must not take it for an answer that nobody got."""
    browser = browser_of_lina(world, language, status=400)
    entry = browser.get("/history/" + browser.get("/history").text.partition('id="entry-')[2].partition('"')[0])
    assert sentence in text_of(entry)


def test_whatever_can_be_told_of_an_act_has_words() -> None:
    """The form of reports names the events; a page must not stumble over one."""
    assert set(DONE) == set(EventType)


STANDS = {
    "revoked": {"en": "Ended. You learned it on", "sv": "Har upphört. Du fick veta det"},
    "last day": {"en": "Ended on 18 August 2030", "sv": "Upphörde 18 augusti 2030"},
    "suspended": {"en": "It is paused for now.", "sv": "Den är pausad just nu."},
    "no look": {
        "en": "We could not find out just now whether it still holds.",
        "sv": "Vi kunde inte ta reda på just nu om den fortfarande gäller.",
    },
}


@pytest.mark.parametrize("language", ["en", "sv"])
@pytest.mark.parametrize("why", sorted(STANDS))
def test_a_power_that_was_ended_says_so_and_has_no_button(world: World, language: str, why: str) -> None:
    """Looked up at its source when the page is opened; what could not be looked up is not told as holding, and can
    still be ended."""
    browser = browser_of_lina(world, language)
    ending = link_of(browser.get("/acting"), "end-1")
    assert STANDS[why][language] not in text_of(browser.get("/acting"))
    world.clock.move(seconds=6)
    if why in ("revoked", "suspended"):
        change_powers(world, Status.REVOKED if why == "revoked" else Status.SUSPENDED)
    if why == "last day":
        world.clock.now = datetime(2030, 8, 19, 10, tzinfo=UTC)
        send(browser, browser.get("/unlock"), "/unlock", name="Lina", passphrase=PASSPHRASE)
    if why == "no look":
        with world.network.cut_before("/status/1"):
            page = browser.get("/acting")
    else:
        page = browser.get("/acting")
    assert STANDS[why][language] in text_of(page)
    assert not UNKNOWN_WORDS.search(text_of(page))
    has_ended = why in ("revoked", "last day")
    assert ('id="end-1"' in page.text) is not has_ended
    if has_ended:
        led_back = browser.get(ending)
        assert led_back.url.path == "/acting"
        assert 'id="letter"' not in led_back.text
        with world.network.cut_before("/status/1"):
            assert STANDS[why][language] in text_of(browser.get("/acting")), "what is known stays known"


SINCE = {
    "en": "1 thing was done for you since you last looked",
    "sv": "1 sak har gjorts för dig sedan du tittade senast",
}


@pytest.mark.parametrize("language", ["en", "sv"])
def test_the_first_page_tells_what_was_done_for_you_until_you_have_seen_it(world: World, language: str) -> None:
    """With a link to the list; the button alone puts it aside, and what is told later stands there again."""
    browser = browser_of_lina(world, language)
    page = browser.get("/")
    assert SINCE[language] in text_of(page)
    assert "Omar Haddad: 1" in text_of(page)
    assert not UNKNOWN_WORDS.search(text_of(page))
    listed = browser.get(link_of(page, "done-for-you-look"))
    assert MARK[language] in text_of(listed)
    assert SINCE[language] in text_of(browser.get("/"))
    for wrong in ("", "yesterday", "2026-01-01T00:00:00", "2020-01-01T00:00:00+00:00"):
        assert SINCE[language] in text_of(send(browser, page, "/acting/seen", until=wrong))
    until = page.text.partition('name="until" value="')[2].partition('"')[0]
    seen = send(browser, page, "/acting/seen", until=until)
    assert seen.url.path == "/"
    assert 'id="done-for-you"' not in seen.text
    assert 'id="done-for-you"' not in browser.get("/").text
    assert MARK[language] in text_of(browser.get("/history"))


@pytest.mark.parametrize("language", ["en", "sv"])
def test_the_first_page_tells_what_came_while_the_wallet_was_open(world: World, language: str) -> None:
    """Without another unlock and without a look at the powers."""
    lina = anyio.run(Principal.at, world)
    agent = anyio.run(told_agent, world, lina)
    browser = lina.side.browser(language)
    send(browser, browser.get("/unlock"), "/unlock", name="Lina", passphrase=PASSPHRASE)
    assert 'id="done-for-you"' not in browser.get("/").text

    anyio.run(acted, agent, known_verifier(world))

    page = browser.get("/")
    assert SINCE[language] in text_of(page)
    assert "Omar Haddad: 1" in text_of(page)


def test_the_first_page_waits_once_for_what_cannot_be_checked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is set aside then, and looked at again with the powers."""
    lina = anyio.run(Principal.at, world)
    agent = anyio.run(told_agent, world, lina)
    browser = lina.side.browser("en")
    send(browser, browser.get("/unlock"), "/unlock", name="Lina", passphrase=PASSPHRASE)
    anyio.run(acted, agent, known_verifier(world))
    looks = AsyncMock(side_effect=ReportUnchecked("no key", source="https://university.example", power_copy="p"))

    with monkeypatch.context() as patched:
        patched.setattr("wallet.acts.verify_report", looks)
        for _ in range(3):
            assert 'id="done-for-you"' not in browser.get("/").text
        assert looks.await_count == 1
    browser.get("/acting")

    assert "Omar Haddad: 1" in text_of(browser.get("/"))


def test_without_a_page_of_the_source_there_is_the_letter(world: World) -> None:
    """A source that publishes nothing, something else, or a page that is not its own."""
    browser = browser_of_lina(world, "en")
    overview = browser.get("/acting")
    ending = link_of(overview, "end-1")
    issuer = "https://university.example"
    for answer in (
        httpx2.Response(404),
        httpx2.Response(200, content=b"<html>"),
        httpx2.Response(200, json={"issuer": issuer, "page": "https://elsewhere.example/powers"}),
        httpx2.Response(200, json={"issuer": issuer, "page": "javascript:alert(1)"}),
        httpx2.Response(200, json={"issuer": "https://other.example", "page": f"{issuer}/powers"}),
    ):

        def answering(request: httpx2.Request, answer: httpx2.Response = answer) -> httpx2.Response | None:
            return answer if "intyga-powers" in str(request.url) else None

        with world.network.answering(answering):
            page = browser.get(ending)
        assert 'id="to-source"' not in page.text
        assert 'id="by-letter"' in page.text
        assert LETTER["en"] in text_of(page)
    assert browser.get("/acting/held/0123456789abcdef/end").status_code == 404


def test_the_address_is_made_shown_and_closed_by_buttons_only(world: World) -> None:
    """Enter does nothing; a closed address takes nothing, and a new one is another."""
    anyio.run(world.wallet.person)
    browser = world.wallet.browser()
    send(browser, browser.get("/unlock"), "/unlock", name="Maja", passphrase=PASSPHRASE)
    page = send(browser, browser.get("/acting"), "/acting/address")
    assert "/reports/" not in page.text
    page = send(browser, page, "/acting/address", decision="make")
    address = page.text.partition("https://wallet.example/reports/")[2][:120]
    handle = address.partition("#")[0]
    assert len(handle) == 32
    sealed = {"content-type": "application/jose"}
    outside = world.wallet.browser()
    assert outside.post(f"/reports/{handle}", content=b"x", headers=sealed).status_code == 202
    assert outside.post(f"/reports/{handle}", content=b"x").status_code == 400
    assert outside.post(f"/reports/{handle}", content=b"x" * 70_000, headers=sealed).status_code in (400, 413)
    page = send(browser, page, "/acting/address", decision="close")
    assert outside.post(f"/reports/{handle}", content=b"x", headers=sealed).status_code == 404


def test_a_file_is_shown_before_it_is_taken_in(world: World) -> None:
    """Looked at, then a tick of one's own; the second button leaves it. The agent saves it from the entry."""

    async def acts() -> str:
        agent = await Agent.with_power(world)
        return (await acted(agent, known_verifier(world))).id

    entry_id = anyio.run(acts)
    browser = world.wallet.browser()
    send(browser, browser.get("/unlock"), "/unlock", name="Maja", passphrase=PASSPHRASE)
    of_act = browser.get(f"/history/{entry_id}")
    assert 'data-state="none"' in of_act.text
    file = browser.get(f"/history/{entry_id}/act.json").content

    token = browser.get("/acting").text.partition('name="csrf" value="')[2].partition('"')[0]
    looked = browser.post("/acting/file", data={"csrf": token}, files={"file": ("act.json", file)})
    assert "Lina Haddad" in text_of(looked)
    assert "checked" not in looked.text.partition('id="about-me"')[2].partition(">")[0]
    package = looked.text.partition('name="package" value="')[2].partition('"')[0]
    held_back = send(browser, looked, "/acting/file", package=package, decision="take")
    assert 'href="#about-me"' in held_back.text
    left = send(browser, looked, "/acting/file", package=package, decision="leave")
    assert "Nothing was taken in." in text_of(left)
    taken = send(browser, looked, "/acting/file", package=package, decision="take", about_me="yes")
    assert "Done for you by Omar Haddad" in text_of(taken)
    wrong = send(browser, looked, "/acting/file", package="e30=")
    assert "This does not hold." in text_of(wrong)


def test_who_acts_can_lay_the_power_down(world: World) -> None:
    """From "Whom you act for": the power goes with its keys, and nothing can be done under it any more."""
    agent = anyio.run(Agent.with_power, world)
    browser = world.wallet.browser()
    send(browser, browser.get("/unlock"), "/unlock", name="Maja", passphrase=PASSPHRASE)
    page = browser.get("/acting")
    assert "Stop acting for Lina Haddad" in text_of(page)
    stop = link_of(page, "stop-1")
    asked = browser.get(stop)
    assert "You stop acting for Lina Haddad" in text_of(asked)
    send(browser, asked, stop, decision="delete")
    assert agent.powers == []
    assert PowersOverMe(world.wallet.deployment).all(agent.vault) == []
