"""Leaving, on the pages: those that still have something are asked from there, and the end is certified after it."""

import json
import re
import sqlite3
from html import unescape

import pytest
from starlette.testclient import TestClient

from proofs import jose
from proofs.certificates import unverified_leaf
from schemas.withdrawal import Action
from tests.wallet.pages.test_share_pages import confirm, decide, look, text_of
from tests.wallet.pages.test_take_back_pages import shared
from tests.wallet.taking_back_world import Recipient, says
from tests.wallet.test_pages import UNKNOWN_WORDS, send
from tests.world import PASSPHRASE, World
from wallet.leaving import CERTIFICATE_TYPE, Leaving
from wallet.store.leaving import has_marks


def two_have_it(world: World, language: str = "en") -> tuple[TestClient, Recipient, Recipient]:
    """A browser after a share with each of two recipients whose notices name an endpoint."""
    browser, _, first = shared(world, language)
    second = Recipient(world, "other.example")
    confirm(browser, decide(browser, look(browser, second.ask_for_two().link()), "share"))
    return browser, first, second


def boxes(page: str) -> dict[str, str]:
    """The boxes of those that can be asked: the entry of each, by its identifier."""
    return dict(re.findall(r'<input type="checkbox" id="(ask-\d+)" name="entry" value="([0-9a-f]+)"', page))


@pytest.mark.parametrize("language", ["en", "sv"])
def test_those_that_are_ticked_are_asked_and_the_page_tells_what_they_say(world: World, language: str) -> None:
    """Nothing is ticked beforehand, and nobody is asked without a tick. One says that it is deleted, one does not
    answer: both stand there, before the wallet goes."""
    browser, first, second = two_have_it(world, language)
    second.answer = says(503)
    page = browser.get("/settings/leave")
    assert len(boxes(page.text)) == 2
    assert " checked" not in page.text
    assert "mailto:" not in page.text, "where the wallet can ask, no draft is needed"
    send(browser, page, "/settings/leave/ask", entry=list(boxes(page.text).values()))
    told = send(browser, page, "/settings/leave/ask", decision="ask")
    assert {"en": "Tick at least one", "sv": "Kryssa för minst en"}[language] in text_of(told)
    assert first.messages == second.messages == []

    asked = send(browser, page, "/settings/leave/ask", decision="ask", entry=list(boxes(page.text).values()))

    assert asked.url.path == "/settings/leave"
    assert [one.claims["action"] for one in first.messages] == [Action.ERASE]
    assert second.messages
    gone, _, kept = asked.text.partition('id="still-kept"')
    assert 'id="gone-there"' in gone
    apart = {
        "en": ("They say that it is deleted", "They still have something"),
        "sv": ("De säger att det är raderat", "De har fortfarande något"),
    }[language]
    assert [heading for heading in re.findall(r"<h3[^>]*>(.*?)</h3>", asked.text) if heading in apart] == list(apart)
    assert {"en": "Deleted, they say", "sv": "Raderat, säger de"}[language] in text_of(asked)
    assert 'id="standing-1"' in kept, "the one that did not answer is still there, with how it stands"
    assert not UNKNOWN_WORDS.search(text_of(asked))


def test_only_those_that_are_ticked_are_asked(world: World) -> None:
    """The other one hears nothing, and an entry of nobody is nothing."""
    browser, first, second = two_have_it(world)
    page = browser.get("/settings/leave")
    newest = boxes(page.text)["ask-1"]

    asked = send(browser, page, "/settings/leave/ask", decision="ask", entry=[newest, "0" * 32])

    assert (len(first.messages), len(second.messages)) == (0, 1)
    assert list(boxes(asked.text).values()) != [newest]
    assert browser.post("/settings/leave/ask", data={"decision": "ask", "entry": newest}).status_code == 403


def leave(browser: TestClient) -> str:
    """Leave; the address that is led to."""
    page = browser.get("/settings/leave")
    gone = send(browser, page, "/settings/leave", passphrase=PASSPHRASE, understood="yes", decision="delete")
    assert gone.url.path == "/left"
    return str(gone.url)


def test_d22_the_end_is_certified_with_what_was_destroyed_and_when(world: World) -> None:
    """Signed by the wallet service, in numbers alone: nothing that the vault held, and no name."""
    browser, _, _ = shared(world)

    address = leave(browser)

    page = browser.get(address)
    assert 'id="certificate-of-leaving"' in page.text
    said = text_of(page)
    assert "Entries of the sharing history" in said
    assert not UNKNOWN_WORDS.search(said)
    assert "förstördes" in text_of(browser.get(f"{address}&lang=sv"))
    (link,) = re.findall(r'href="([^"]*/left/file[^"]*)"', page.text)
    file = browser.get(unescape(link))
    assert file.headers["content-disposition"].startswith('attachment; filename="intyga-deleted-')
    told = json.loads(file.text)
    assert told["held"]["certificates"] == 1
    assert told["keys_destroyed_at"] == told["nothing_left_at"] == world.clock().isoformat()
    leaf = unverified_leaf(jose.parse_jws(told["signed"]).header["x5c"])
    signed = jose.check_jws(told["signed"], key=leaf.public_jwk, typ=CERTIFICATE_TYPE, algorithms=["ES256"]).claims
    assert signed["held"] == told["held"]
    assert signed["iss"] == "https://wallet.example"
    assert set(signed) == {"iss", "iat", "keys_destroyed_at", "nothing_left_at", "held"}
    assert "Maja" not in file.text


def test_d22_nothing_is_certified_before_the_last_step(world: World) -> None:
    """While another process reads, something is left: the page says so, and gives the statement afterwards."""
    browser, _, _ = shared(world)
    reader = sqlite3.connect(world.wallet.settings.data / "wallet.sqlite3")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM certificate").fetchone()

    address = leave(browser)

    page = browser.get(address)
    assert 'id="look-again"' in page.text
    assert 'id="certificate-of-leaving"' not in page.text
    assert "/left?" in str(browser.get(address.replace("/left?", "/left/file?")).url), "no file either"
    with world.wallet.deployment.database.reading() as connection:
        assert has_marks(connection)
    reader.close()
    world.clock.move(minutes=1)
    (again,) = re.findall(r'id="look-again" href="([^"]+)"|href="([^"]+)"[^>]*id="look-again"', page.text)
    done = browser.get(unescape("".join(again)))
    assert 'id="certificate-of-leaving"' in done.text
    told = json.loads(browser.get(address.replace("/left?", "/left/file?")).text)
    assert told["keys_destroyed_at"] < told["nothing_left_at"]


@pytest.mark.anyio
async def test_nobody_gets_a_statement_about_a_wallet_that_is_there(world: World) -> None:
    """A notice is signed here or is none; and one about a vault that still has its keys certifies nothing."""
    vault = await world.wallet.person()
    leaving, browser = Leaving(world.wallet.deployment), world.wallet.browser()
    notice = leaving.notice(vault.person_id, leaving.held(vault))
    assert leaving.certified(notice) is None

    for other in ("", "nonsense", notice[:-4] + "AAAA", leaving.notice("x", leaving.held(vault)).rpartition(".")[0]):
        assert browser.get("/left", params={"notice": other}).url.path == "/unlock"
