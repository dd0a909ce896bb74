"""What pages, files and letters say after a share: whose words, of which certificate, how much, and until when."""

import csv
import io
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.withdrawal import StatementOutcome
from tests.wallet.acting import LINA, WITH_POWER, Agent
from tests.wallet.fake_verifier import credential, known_verifier, notice
from tests.wallet.pages.sharing_browser import latest_entry
from tests.wallet.pages.test_acting_pages import browser_of_agent
from tests.wallet.pages.test_permission_pages import allow
from tests.wallet.pages.test_receipt_page import translator
from tests.wallet.pages.test_share_pages import confirm, decide, look, person, text_of
from tests.wallet.pages.test_take_back_pages import shared
from tests.wallet.permitting_world import Permitted
from tests.wallet.taking_back_world import BIRTH, NAME, Recipient
from tests.wallet.test_pages import collect, make_wallet, send
from tests.world import World
from wallet.histories import Histories
from wallet.ledger import Entry, Event, EventKind, Outcome
from wallet.pages.history_export import history_csv
from wallet.pages.history_pdf import history_document
from wallet.pages.letters import report
from wallet.pages.phrases import called
from wallet.requests import CameBy

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TRANSCRIPT = "urn:intyga:credential:course-results:1"


# --- letters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("came_by", CameBy)
def test_a_letter_speaks_in_the_persons_own_name_of_how_a_request_came(came_by: CameBy, language: str) -> None:
    """Whoever signs it says "I": no way for a request to come is told to "you", or of "this" browser."""
    facts = {"who": {"sv": "Butik", "en": "Shop"}, "host": "shop.example", "came_by": came_by.value}
    asked = Event("e" * 32, EventKind.ASKED, NOW, facts)
    entry = Entry("e" * 32, (asked,), Outcome.NO_ANSWER, facts, None)

    _, body = report(entry, translator(language), now=NOW)

    (how,) = [line for line in body.splitlines() if line.startswith({"sv": "Den kom ", "en": "It came by "}[language])]
    assert re.search({"sv": r"\b(jag|min)\b", "en": r"\b(I|my)\b"}[language], how), how
    assert not re.search(r"\b(you|du|this|den här)\b", how), how


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(("language", "column"), [("en", "Acting for"), ("sv", "Företrädde")])
async def test_cs42_the_history_as_table_and_as_pdf_says_for_whom_one_acted(
    world: World, language: str, column: str
) -> None:
    """As the page and the file for machines do; a share of one's own leaves the cell empty and has no such line."""
    omar, employer = await Agent.with_power(world, LINA), known_verifier(world)
    share_id = await omar.asked(employer, WITH_POWER)
    omar.act(share_id)
    await omar.approve(share_id)
    own = await omar.begin(employer.ask({"credentials": [credential(["family_name"])]}, notice=notice()).link())
    await omar.refuse(own)
    book = Histories(world.wallet.deployment).read(omar.vault)
    t = translator(language)

    table = history_csv(book, t, zone="Europe/Stockholm", now=NOW).decode("utf-8-sig")
    rows = {list(row.values())[-1]: row for row in csv.DictReader(io.StringIO(table))}
    document = repr(history_document(book, t, part=1, now=NOW).sections)

    assert (rows[share_id][column], rows[own][column]) == ("Lina Haddad", "")
    assert document.count(f"('{column}', 'Lina Haddad')") == 1


# --- statements -----------------------------------------------------------------------------------------------------


STEPS = {
    "deleted": ("They stated what they deleted", "De lämnade besked om vad de raderat"),
    "partly": ("They stated what they deleted and what they keep", "besked om vad de har raderat och vad de behåller"),
    "refused": ("They stated that they keep it", "De lämnade besked om att de behåller det"),
}


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("outcome", list(StatementOutcome))
def test_cs37_a_statement_is_told_by_what_it_says(world: World, language: str, outcome: StatementOutcome) -> None:
    """Where nothing was deleted there is no word of copies that are left, of backups, or of what was deleted."""
    browser, entry, recipient = shared(world, language)
    words = {"sv": "Tvist.", "en": "Dispute."}
    kept = {"ground": "legal_claims", "words": words, "items": [NAME, BIRTH] if outcome == "refused" else [NAME]}
    recipient.answer = lambda message: recipient.statement(
        message,
        outcome=outcome.value,
        items={"deleted": [NAME, BIRTH], "partly": [BIRTH], "refused": []}[outcome.value],
        exceptions=[] if outcome == "deleted" else [kept],
        **({"deleted_at": None, "backups_until": None} if outcome == "refused" else {}),
    )
    page = browser.get(f"/history/{entry}/take-back")
    send(browser, page, page.url.path, decision="send")

    shown = browser.get(f"/history/{entry}").text
    steps = shown.partition('<ol id="events">')[2].partition("</ol>")[0]
    section = shown.partition('id="statement-1"')[2].partition("</section>")[0]

    assert f"{STEPS[outcome.value][language == 'sv']}, " in steps
    assert (("kopia finns" if language == "sv" else "no copy") in section) == (outcome != "refused")
    for fact in ("What is deleted", "Gone from backups by"):
        assert (translator(language)(fact) in section) == (outcome != "refused")
    receipt = text_of(browser.get(f"/history/{entry}/receipt"))
    assert {"sv": "Deras besked om radering kom", "en": "Their statement on deletion came"}[language] in receipt


def test_a_statement_can_be_saved_as_it_was_signed(world: World) -> None:
    """Byte for byte, from the entry; another number is no statement, and another person has no such entry."""
    browser, entry, recipient = shared(world)
    page = browser.get(f"/history/{entry}/take-back")
    done = send(browser, page, page.url.path, decision="send")
    address = f"/history/{entry}/statements/1.jwt"
    assert f'href="{address}"' in done.text

    saved = browser.get(address)

    (statement,) = json.loads(browser.get("/history/files/history.json").text)["entries"][0]["after"]["statements"]
    assert saved.text == statement
    assert saved.headers["content-type"] == "application/jwt"
    assert saved.headers["content-disposition"] == f'attachment; filename="intyga-deletion-{entry[:8]}-1.jwt"'
    for wrong in ("0", "2", "-1", "x"):
        assert browser.get(f"/history/{entry}/statements/{wrong}.jwt").status_code in (400, 404), wrong
    assert recipient.messages


# --- permissions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "running", "ended", "fact"),
    [
        ("en", "You let them check until", "It ended on 20 November 2026.", "Later checks ended on 20 November 2026"),
        ("sv", "Du låter dem kontrollera", "Det upphörde 20 november 2026.", "Senare kontroller upphörde 20 november"),
    ],
)
def test_a_permission_that_ended_with_its_share_does_not_read_as_running(
    world: World, language: str, running: str, ended: str, fact: str
) -> None:
    """Taken back: the entry says until when it would have run and when it ended, and so does the receipt."""
    firm = Permitted(world)
    browser = person(world, language=language)
    confirm(browser, allow(browser, decide(browser, look(browser, firm.ask_offering()), "share", recheck="yes")))
    entry = latest_entry(browser)
    before = text_of(browser.get(f"/history/{entry}/receipt"))
    page = browser.get(f"/history/{entry}/take-back")
    send(browser, page, page.url.path, decision="send")

    told = text_of(browser.get(f"/history/{entry}"))

    assert (running in told, ended in told) == (False, True)
    receipt = text_of(browser.get(f"/history/{entry}/receipt"))
    assert (fact in before, fact in receipt) == (False, True)
    assert {"en": "Later checks allowed until", "sv": "Senare kontroller"}[language] in receipt


# --- the same name of two certificates ------------------------------------------------------------------------------


def two_names(world: World, language: str) -> tuple[Any, str, Recipient]:
    """A share of the family name of two certificates, and of a third item."""
    recipient, browser = Recipient(world), world.wallet.browser(language)
    make_wallet(browser)
    for kind in ("micro-credential", "course-results"):
        collect(browser, world.university.offer(kind)[0].offer)
    asked = [
        credential(["family_name"], ["given_name"]),
        credential(["family_name"], query_id="transcript", vct=TRANSCRIPT),
    ]
    said = notice(withdraw={"endpoint": recipient.endpoint}, request_id="r-1")
    page = look(browser, recipient.ask({"credentials": asked}, notice=said).link())
    confirm(browser, decide(browser, page, "share"))
    return browser, latest_entry(browser), recipient


@pytest.mark.parametrize(
    ("language", "name", "kinds"),
    [
        ("en", "Family name", ("Short course certificate", "Course results")),
        ("sv", "Efternamn", ("Mikromeritintyg", "Studieresultat")),
    ],
)
def test_two_items_of_one_name_are_two_items_everywhere(
    world: World, language: str, name: str, kinds: tuple[str, str]
) -> None:
    """What was asked, what went, the tick boxes, and the statement: each with the certificate that it is of."""
    browser, entry, recipient = two_names(world, language)
    label = {"sv": "Efternamn", "en": "Family name"}
    recipient.answer = lambda message: recipient.statement(
        message,
        items=[
            {"credential": "certificate", "path": ["family_name"], "label": label},
            {"credential": "certificate", "path": ["given_name"], "label": {"sv": "Förnamn", "en": "Given name"}},
            {"credential": "transcript", "path": ["family_name"], "label": label},
        ],
    )
    asked = browser.get(f"/history/{entry}").text.partition('<ul id="asked">')[2].partition("</ul>")[0]
    ticks = text_of(browser.get(f"/history/{entry}/ask-delete"))
    page = browser.get(f"/history/{entry}/take-back")
    send(browser, page, page.url.path, decision="send")
    stated = browser.get(f"/history/{entry}").text.partition('id="statement-1"')[2].partition("</section>")[0]

    assert asked.count("<li>") == 3
    for text in (asked, stated):
        assert text.count(name) == 2
        assert len(re.findall(rf"{name} \((.*?)\)", text)) == 2
    assert len(re.findall(rf"{name} \(", ticks)) >= 2
    found = set(re.findall(rf"{name} \((.*?)\)", stated))
    assert found == set(kinds)


# --- whose certificate, and how fresh -------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "about"), [("en", "About Lina"), ("sv", "Om Lina")])
def test_my_data_says_whom_a_certificate_is_about(world: World, language: str, about: str) -> None:
    """In the heading, so that two of one kind are told apart; one's own is one's own."""
    page = browser_of_agent(world, language).get("/my-data").text

    headings = re.findall(r"<h2 id=\"holding-\d+\">(.*?)</h2>", page)
    assert len([one for one in headings if about in one]) == 1
    assert "Omar" not in "".join(headings)


@pytest.mark.parametrize(("language", "looked"), [("en", "Status checked"), ("sv", "Status kontrollerad")])
def test_a_card_says_when_it_was_looked_at_if_that_was_not_today(world: World, language: str, looked: str) -> None:
    """Of today nothing is said; after midnight the day of the last look stands there, as long as it is good enough."""
    world.clock.now = datetime(2026, 11, 20, 22, 55, tzinfo=UTC)
    browser = world.wallet.browser(language)
    make_wallet(browser)
    collect(browser, world.university.offer()[0].offer)
    assert looked not in text_of(browser.get("/"))

    world.clock.move(minutes=10)

    told = text_of(browser.get("/"))
    assert f"{looked} 20 november 2026" in told.replace("N", "n"), told


# --- who and how sure -----------------------------------------------------------------------------------------------


def test_an_address_keeps_its_letters_where_a_sentence_begins() -> None:
    """Names begin with a capital there; "localhost:8310" and "employer.example" are addresses."""
    t = translator("en")
    for name, begins in (
        ("localhost:8310", "localhost:8310"),
        ("employer.example", "employer.example"),
        ("exempelbolaget AB", "Exempelbolaget AB"),
        ("bolaget", "Bolaget"),
    ):
        assert called(name, t, proven=True) == (name, begins)
    assert called("localhost:8310", t, proven=False)[1] == "Somebody who says it is localhost:8310"


@pytest.mark.parametrize(
    ("language", "got", "received", "sure"),
    [
        ("en", "They got your no", "They received it", "How sure the wallet was who they are"),
        ("sv", "De fick ditt nej", "De tog emot det", "Hur säker plånboken var på vilka de är"),
    ],
)
def test_after_a_no_they_got_the_no(world: World, language: str, got: str, received: str, sure: str) -> None:
    """On the entry and on the receipt, which says whose judgement it was who they are."""
    recipient = Recipient(world)
    browser = person(world, language=language)
    decide(browser, look(browser, recipient.ask_for_two().link()), "refuse")
    entry = latest_entry(browser)

    for page in (f"/history/{entry}", f"/history/{entry}/receipt"):
        told = text_of(browser.get(page))
        assert (got in told, received in told) == (True, False), page
    assert sure in text_of(browser.get(f"/history/{entry}/receipt"))
