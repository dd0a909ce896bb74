"""The history on the pages: checked, deleted from, exported."""

import csv
import io
import json
import re
import sqlite3
from datetime import timedelta
from zoneinfo import ZoneInfo

import anyio
import pytest

from issuer.offers import draft_offers
from schemas.types import CREDENTIAL_TYPES
from tests.schemas.types.records import statement
from tests.wallet.fake_verifier import credential, known_verifier, notice, query
from tests.wallet.pages.sharing_browser import browser_that_shared, latest_entry, share
from tests.wallet.pages.test_share_pages import confirm, decide, look, text_of
from tests.wallet.people import Sharer
from tests.wallet.test_ledger import VALUES
from tests.wallet.test_pages import field, send
from tests.world import PASSPHRASE, World
from wallet.receipts import check_receipt


def test_cs31_deleting_an_entry_warns_and_asks(world: World) -> None:
    """The page says what is lost, Enter deletes nothing, and the history says that something went."""
    browser, entry, _ = browser_that_shared(world)
    page = browser.get(f"/history/{entry}")
    assert f'href="/history/{entry}/delete"' in page.text

    page = browser.get(f"/history/{entry}/delete")
    assert "your evidence of what you shared, with whom and until when" in page.text
    assert "Deleting the entry does not delete it there" in page.text
    again = send(browser, page, page.url.path, decision="")
    assert again.url.path == page.url.path
    assert send(browser, page, page.url.path, decision="keep").url.path == f"/history/{entry}"
    assert browser.post(page.url.path, data={"decision": "delete"}).status_code == 403
    history = send(browser, page, page.url.path, decision="delete")

    assert "The entry is deleted" in history.text
    assert "You have deleted 1 entry from here, on 20 November 2026." in text_of(history)
    assert 'id="not-intact"' not in history.text
    assert browser.get(f"/history/{entry}").status_code == 404
    assert browser.get(f"/history/{entry}/receipt.json").status_code == 404


def test_cs31_what_waits_for_an_answer_cannot_be_deleted(world: World) -> None:
    """The page says what to do first."""
    browser, _, employer = browser_that_shared(world)
    open_one = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())
    entry = open_one.url.path.rpartition("/")[2]
    assert 'id="delete-entry"' not in browser.get(f"/history/{entry}").text

    page = send(browser, browser.get(f"/history/{entry}/delete"), f"/history/{entry}/delete", decision="delete")

    assert (page.status_code, "This request still waits for your answer" in page.text) == (409, True)


def test_d28_damage_is_told_when_the_wallet_is_opened(world: World) -> None:
    """Opening the wallet says it, and the history says what was found, in plain words."""
    browser, _, employer = browser_that_shared(world)
    share(browser, employer)
    with sqlite3.connect(world.wallet.settings.data / "wallet.sqlite3") as connection:
        connection.execute("DELETE FROM ledger WHERE sequence = (SELECT max(sequence) FROM ledger)")
    connection.close()
    locked = send(browser, browser.get("/"), "/lock")

    home = send(browser, locked, "/unlock", name="Maja", passphrase=PASSPHRASE, wanted="/")

    assert "The sharing history was changed from outside this wallet. Look at the sharing history." in text_of(home)
    history = browser.get("/history")
    assert "The end of the sharing history is missing" in history.text
    assert field(history, "csrf")


def test_the_history_as_a_table(world: World) -> None:
    """Shares, refusals and receipts stand in it; values do not, and no cell is a formula."""
    browser, entry, employer = browser_that_shared(world)
    said = notice(purpose={"sv": "=HYPERLINK(1)", "en": '=HYPERLINK("https://evil.example")'})
    page = look(browser, employer.ask(query(["birthdate"]), notice=said).link())
    decide(browser, page, "refuse")

    answer = browser.get("/history/files/history.csv")

    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["What came of it"] for row in rows] == ["Not shared", "Shared", "Received"]
    assert (rows[1]["What went"], rows[1]["Number"], rows[1]["Kept until"]) == ("Family name", entry, "2027-02-18")
    assert rows[0]["What was asked"] == "Date of birth"
    assert rows[0]["Why, in their words"].startswith("'=HYPERLINK")
    assert answer.headers["content-disposition"].endswith('intyga-sharing-history-2026-11-20.csv"')
    assert answer.headers["cache-control"] == "no-store"
    assert not [value for value in VALUES if value in answer.text]


def test_the_history_for_machines(world: World) -> None:
    """Every entry with its events and its signed receipt; names in the reader's language; no values."""
    browser, entry, _ = browser_that_shared(world, language="sv")

    answer = browser.get("/history/files/history.json")

    document = json.loads(answer.text)
    assert (document["format"], document["intact"], document["language"]) == ("urn:intyga:history:1", True, "sv")
    shared, received = document["entries"]
    assert (shared["id"], shared["shared"]) == (entry, ["Efternamn"])
    assert [event["kind"] for event in shared["events"]] == ["asked", "approved", "delivered"]
    assert check_receipt(shared["receipt_jwt"]).claims() == shared["receipt"]
    assert received["outcome"] == "received"
    assert not [value for value in VALUES if value in answer.text]


def test_there_are_no_other_files(world: World) -> None:
    """Other names give nothing, and a locked wallet gives no file."""
    browser, _, _ = browser_that_shared(world)
    for name in ("history.exe", "other.json", "history", "..%2Fwallet.sqlite3"):
        assert browser.get(f"/history/files/{name}").status_code == 404
    assert 'id="unlock"' in world.wallet.browser().get("/history/files/history.json").text


def test_cs03_a_certificate_of_which_nothing_was_chosen_is_named_and_counted(world: World) -> None:
    """Only what always comes along goes: it is one thing on every screen; what is kept names the type, no title."""
    browser, _, employer = browser_that_shared(world)
    page = look(browser, employer.ask(query(), notice=notice()).link())
    assert "wants to see 1 thing about you" in text_of(page)
    goes = "The title “Computer Security for Health Care Systems” goes with it."
    assert f"Only what always comes with it goes from this certificate. {goes}" in text_of(page)

    asked = decide(browser, page, "share")
    assert "Share 1 item with Exempelbolaget AB until" in text_of(asked)
    assert "<li>Computer Security" in asked.text
    assert "Systems, only with what always comes with it" in asked.text
    assert goes in text_of(asked)
    done = confirm(browser, asked)
    assert "1 item was delivered: Short course certificate “Computer Security" in text_of(done)
    entry = f"/history/{latest_entry(browser)}"

    for address in ("/history", entry, f"{entry}/take-back"):
        assert "Short course certificate “Computer Security" in text_of(browser.get(address)), address
    for letter in ("take-back", "copy"):
        said = browser.get(f"{entry}/{letter}").text.partition('<pre id="letter">')[2]
        assert ("- Short course certificate, the certificate itself" in said, "Computer" in said) == (True, False)
    receipt = text_of(browser.get(f"{entry}/receipt"))
    assert ("With every share of Short course certificate" in receipt, "Computer Security" in receipt) == (True, False)
    assert "Short course certificate, only with what always comes with it" in receipt
    assert "Its title went with it." in receipt


@pytest.mark.parametrize(
    ("language", "stays", "stayed", "goes"),
    [
        (
            "en",
            "The title “job_title 1” does not go with it.",
            "Its title did not go with it.",
            "Its title went with it.",
        ),
        ("sv", "Titeln ”job_title 1” följer inte med.", "Titeln följde inte med.", "Titeln följde med."),
    ],
)
@pytest.mark.parametrize("asks_title", [True, False])
def test_a_title_that_is_not_shared_is_said_to_stay(
    world: World, language: str, stays: str, stayed: str, goes: str, asks_title: bool
) -> None:
    """The person knows a certificate by a title that can be left out: each screen says whether it goes."""
    employment = CREDENTIAL_TYPES["employment"]
    employer, issuer = known_verifier(world), world.university
    drafts = draft_offers(employment, [statement(employment)], with_tx_code=False)
    (offer,) = issuer.context.store.offers.create(drafts, now=world.clock())

    async def fill() -> None:
        sharer = await Sharer.named(world)
        await world.wallet.receive(sharer.vault, issuer.context.links_of(offer).offer)

    anyio.run(fill)
    browser = world.wallet.browser(language)
    send(browser, browser.get("/unlock"), "/unlock", name="Maja", passphrase=PASSPHRASE)
    paths = [["family_name"], *([["job_title"]] if asks_title else [])]
    page = look(
        browser, employer.ask({"credentials": [credential(*paths, vct=employment.vct)]}, notice=notice()).link()
    )
    asked = decide(browser, page, "share")
    for screen in (page, asked):
        assert (stays in text_of(screen)) is not asks_title
    confirm(browser, asked)
    receipt = text_of(browser.get(f"/history/{latest_entry(browser)}/receipt"))
    assert (goes if asks_title else stayed) in receipt


@pytest.mark.parametrize(
    ("language", "said", "label"),
    [
        ("en", "Always comes along: Computer Security", "Country"),
        ("sv", "Följer alltid med: Datasäkerhet", "Land"),
    ],
)
def test_cs30_what_came_along_is_said_again_from_the_certificate(
    world: World, language: str, said: str, label: str
) -> None:
    """Of a certificate without chosen items as of others, folded away."""
    browser, first, employer = browser_that_shared(world, language=language)
    confirm(browser, decide(browser, look(browser, employer.ask(query(), notice=notice()).link()), "share"))

    for entry, name in ((first, "Sjöberg"), (latest_entry(browser), "")):
        before, _, values = browser.get(f"/history/{entry}").text.partition('id="values"')
        shown, _, after = values.partition("</details>")
        assert name in shown
        assert all(part in shown for part in (said, f"{label}:</span>"))
        assert f"{label}:</span>" not in before + after


def test_a_share_stands_under_the_day_of_the_decision(world: World) -> None:
    """Looked at one day and decided the next: the entry, its place in the list and the page for taking back say so."""
    browser, first, employer = browser_that_shared(world)
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())
    late = page.url.path.rpartition("/")[2]
    world.clock.move(minutes=2)
    share(browser, employer)
    between = latest_entry(browser)
    world.clock.move(minutes=2)

    confirm(browser, decide(browser, page, "share"))

    listed = re.findall(r'id="entry-([0-9a-f]+)"', browser.get("/history").text)
    assert [one for one in listed if one in (first, between, late)] == [late, between, first]
    moment = "{:%H:%M}".format(world.clock().astimezone(ZoneInfo("Europe/Stockholm")))
    for path in (f"/history/{late}", f"/history/{late}/take-back"):
        when = re.search(r"<dt>When</dt>\s*<dd>(.*?)</dd>", browser.get(path).text, re.DOTALL)
        assert when is not None
        assert moment in when[1]
    asked = "{:%H:%M}".format((world.clock() - timedelta(minutes=4)).astimezone(ZoneInfo("Europe/Stockholm")))
    said = re.search(r"<dt>Asked</dt>\s*<dd>(.*?)</dd>", browser.get(f"/history/{late}/receipt").text, re.DOTALL)
    assert said is not None
    assert asked in said[1], "asked when it came, as the steps of the receipt say"
