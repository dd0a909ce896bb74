"""What others owe stands on the first page until it was seen: an answer, a statement, a copy (CS-36, CS-38)."""

import pytest
from starlette.testclient import TestClient

from tests.wallet.pages.test_share_pages import text_of
from tests.wallet.pages.test_take_back_pages import shared
from tests.wallet.taking_back_world import says
from tests.wallet.test_pages import UNKNOWN_WORDS, send
from tests.world import PASSPHRASE, World

KEPT = says(200, {"state": "kept"})


def later(world: World, browser: TestClient, *, days: int) -> str:
    """The first page some days later, after the wallet was opened again."""
    world.clock.move(days=days)
    send(browser, browser.get("/"), "/unlock", name="Maja", passphrase=PASSPHRASE)
    return browser.get("/").text


def panel(page: str) -> str:
    """What stands in the panel; "" without one."""
    return page.partition('id="missing"')[2].partition("</section>")[0]


@pytest.mark.parametrize(
    ("language", "title", "since", "share"),
    [
        (
            "en",
            "1 answer is missing",
            "They should have answered by 20 December 2026.",
            "Exempelbolaget AB, shared 20 November 2026",
        ),
        (
            "sv",
            "1 svar saknas",
            "De skulle ha svarat senast den 20 december 2026.",
            "Exempelbolaget AB, delat 20 november 2026",
        ),
    ],
)
@pytest.mark.parametrize("silent", [False, True])
def test_cs36_an_overdue_answer_stands_on_the_first_page(
    world: World, language: str, title: str, since: str, share: str, silent: bool
) -> None:
    """Who, what, since when, and a link; also of those who answered with an error; not a day before."""
    browser, entry, recipient = shared(world, language)
    recipient.answer = recipient.acknowledged if silent else says(404, {"error": "not_found"})
    page = browser.get(f"/history/{entry}/take-back")
    send(browser, page, page.url.path, decision="send")
    assert panel(later(world, browser, days=30)) == ""

    found = panel(later(world, browser, days=1))

    assert title in found
    assert f'<a href="/history/{entry}">{share}</a>' in found
    assert since in found
    assert not UNKNOWN_WORDS.search(text_of(browser.get("/")))


def test_cs38_a_missing_statement_stands_on_the_first_page(world: World) -> None:
    """The last day has passed, nobody asked for anything and nobody stated anything."""
    browser, entry, recipient = shared(world)
    recipient.answer = KEPT
    assert panel(later(world, browser, days=90)) == ""

    found = panel(later(world, browser, days=1))

    assert f'href="/history/{entry}"' in found
    assert "Their last day was 18 February 2027. They have not stated that it is deleted." in found
    recipient.answer = lambda message: recipient.statement(message, reason="retention")
    assert panel(later(world, browser, days=2)) == "", "the statement came when it was asked for"


def test_what_was_seen_is_put_aside_and_what_is_owed_anew_is_told_anew(world: World) -> None:
    """Enter says nothing, a foreign form is refused; the entry and the history go on saying it."""
    browser, entry, recipient = shared(world)
    recipient.answer = KEPT
    copy = browser.get(f"/history/{entry}/copy")
    send(browser, copy, copy.url.path, decision="mail")
    assert "The copy that you asked for should have come by 20 December 2026." in panel(later(world, browser, days=31))
    home = browser.get("/")
    assert panel(send(browser, home, "/missing/seen", entry=entry, decision="").text)
    assert browser.post("/missing/seen", data={"entry": entry, "decision": "seen"}).status_code == 403

    assert panel(send(browser, home, "/missing/seen", entry=entry, decision="seen").text) == ""

    assert 'id="copy-state" data-state="overdue"' in browser.get(f"/history/{entry}").text
    assert "The copy is overdue" in text_of(browser.get("/history"))
    assert 'id="not-intact"' not in browser.get("/history").text
    send(browser, browser.get("/"), copy.url.path, decision="mail")
    assert "by 21 January 2027" in panel(later(world, browser, days=32))
    assert send(browser, browser.get("/"), "/missing/seen", entry="0" * 32, decision="seen").status_code == 404


@pytest.mark.parametrize("decision", ["complained", "deleted"])
def test_a_complaint_or_a_noted_answer_ends_it(world: World, decision: str) -> None:
    """The person has done something about it: nothing is left to remind them of."""
    browser, entry, recipient = shared(world)
    recipient.answer = says(404, {"error": "not_found"})
    page = browser.get(f"/history/{entry}/take-back")
    send(browser, page, page.url.path, decision="send")
    assert panel(later(world, browser, days=31))

    send(browser, browser.get(f"/history/{entry}"), f"/history/{entry}/note", decision=decision)

    assert panel(browser.get("/").text) == ""
