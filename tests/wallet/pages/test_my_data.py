"""My data: each item, its source, who received it and what was decided, found by a person's words."""

import re
import sqlite3
from html import unescape

import httpx2
import pytest

from tests.wallet.fake_verifier import credential, notice, query, with_optional
from tests.wallet.pages.sharing_browser import browser_that_shared, latest_entry
from tests.wallet.pages.test_share_pages import confirm, decide, look, text_of
from tests.wallet.test_pages import UNKNOWN_WORDS, make_wallet
from tests.world import World

WHOLE = "The certificate itself: its kind, its issuer and how long it holds"


def items(page: httpx2.Response) -> dict[str, str]:
    """What stands below each item on the page."""
    found = re.findall(r"<li>\s*<p><strong>(.*?)</strong>(.*?)(?=<li>\s*<p><strong>|</section>)", page.text, re.DOTALL)
    return {unescape(label): " ".join(re.sub(r"<[^>]+>", " ", unescape(rest)).split()) for label, rest in found}


def test_each_item_says_who_received_it_and_what_was_decided(world: World) -> None:
    """Shared, along with it, left out, refused, never asked for: each stands at its item, with a link."""
    browser, shared, employer = browser_that_shared(world)
    optional = with_optional(credential(["family_name"]), credential(["credits"], query_id="extra"))
    confirm(browser, decide(browser, look(browser, employer.ask(optional, notice=notice()).link()), "share"))
    decide(browser, look(browser, employer.ask(query(["birthdate"]), notice=notice()).link()), "refuse")
    refused = latest_entry(browser)

    page = browser.get("/my-data")

    found = items(page)
    assert found["Family name"].count("Exempelbolaget AB, 20 November 2026 : You shared it") == 2
    assert "Kept until 18 February 2027" in found["Family name"]
    assert found["Country"].count("It came along") == 2
    assert found["ECTS credits"].count("You left it out") == 1
    assert "You shared nothing" in found["Date of birth"]
    assert "No recipient has asked to see this yet." in found["Given name"]
    for entry in (shared, refused):
        assert f'href="/history/{entry}"' in page.text
    assert f"From {world.university.trust_entry.name}." in text_of(page)
    assert not UNKNOWN_WORDS.search(text_of(page))


@pytest.mark.parametrize(
    ("language", "whole", "shared"),
    [
        ("en", WHOLE, "You shared it"),
        ("sv", "Själva intyget: vad för slags det är, vem som utfärdat det och hur länge det gäller", "Du delade den"),
    ],
)
def test_a_certificate_that_went_without_chosen_items_counts(
    world: World, language: str, whole: str, shared: str
) -> None:
    """It stands as one thing, found by who received it, and never before it went."""
    browser, _, employer = browser_that_shared(world, language=language)
    assert whole not in items(browser.get("/my-data"))

    confirm(browser, decide(browser, look(browser, employer.ask(query(), notice=notice()).link()), "share"))

    for page in ("/my-data", "/my-data?find=exempelbol", "/my-data?show=given"):
        assert items(browser.get(page))[whole].count(shared) == 1
    assert whole not in items(browser.get("/my-data?show=kept"))


@pytest.mark.parametrize(
    ("wanted", "there", "missing"),
    [
        ("find=family", "Family name", "Given name"),
        ("find=EXEMPEL+", "Family name", "Given name"),
        ("find=sj%C3%B6berg", "Family name", "Given name"),
        ("show=given", "Family name", "Given name"),
        ("show=kept", "Given name", "Family name"),
        ("find=country&show=given", "Country", "Family name"),
    ],
)
def test_items_are_found_by_words_and_by_what_became_of_them(
    world: World, wanted: str, there: str, missing: str
) -> None:
    """A word of the item, its value, or who received it; given away or kept."""
    browser, _, _ = browser_that_shared(world)

    found = items(browser.get(f"/my-data?{wanted}"))

    assert there in found
    assert missing not in found


def test_an_empty_wallet_says_what_will_be_here(world: World) -> None:
    """What will be here, and the one thing to do now; and a search without a hit says so."""
    browser = world.wallet.browser()
    make_wallet(browser)
    assert "Nothing is kept here yet" in browser.get("/my-data").text

    other, _, _ = browser_that_shared(world, name="Otto")
    assert "Nothing you hold fits this." in other.get("/my-data?find=zzz").text
    assert "Nothing is kept here yet" in browser.get("/my-data").text, "others' data is not here"


def test_what_went_from_a_certificate_that_is_gone_is_still_told(world: World) -> None:
    """By the names that the history keeps: items, what came along, and a certificate without chosen items."""
    browser, shared, employer = browser_that_shared(world)
    confirm(browser, decide(browser, look(browser, employer.ask(query(), notice=notice()).link()), "share"))
    bare = latest_entry(browser)
    with sqlite3.connect(world.wallet.settings.data / "wallet.sqlite3") as connection:
        connection.execute("DELETE FROM certificate")
        connection.execute("DELETE FROM copy")
    connection.close()

    page = browser.get("/my-data")

    found = items(page)
    assert list(found) == [WHOLE, "Country", "Title", "Family name"]
    assert (found[WHOLE].count("You shared it"), found["Country"].count("It came along")) == (1, 2)
    assert f"From {world.university.trust_entry.name}." in text_of(page)
    assert "You no longer have this certificate here." in page.text
    assert all(f'href="/history/{entry}"' in page.text for entry in (shared, bare))
