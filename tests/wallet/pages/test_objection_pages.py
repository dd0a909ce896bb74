"""Objecting (GDPR article 21): a letter, a month, and what the person notes of the answer."""

import json

import pytest
from starlette.testclient import TestClient

from tests.wallet.fake_verifier import known_verifier, notice, query
from tests.wallet.pages.sharing_browser import latest_entry
from tests.wallet.pages.test_rights_pages import draft
from tests.wallet.pages.test_share_pages import confirm, decide, look, person, text_of
from tests.wallet.test_ledger import VALUES
from tests.wallet.test_pages import send
from tests.world import PASSPHRASE, World


def shared_on(world: World, basis: str | None, *, language: str = "en") -> tuple[TestClient, str]:
    """A browser after one share on a ground, and its entry."""
    browser, firm = person(world, language=language), known_verifier(world)
    page = look(browser, firm.ask(query(["family_name"]), notice=notice(basis=basis)).link())
    confirm(browser, decide(browser, page, "share"))
    return browser, latest_entry(browser)


@pytest.mark.parametrize(
    ("basis", "may"),
    [
        ("legitimate_interest", True),
        ("public_task", True),
        ("contract", False),
        ("legal_obligation", False),
        (None, False),
    ],
)
def test_one_objects_to_an_interest_or_a_public_task_only(world: World, basis: str | None, may: bool) -> None:
    """Elsewhere the law gives no right to object: no button, the page leads back, and a posted note is refused."""
    browser, entry = shared_on(world, basis)

    shown = browser.get(f"/history/{entry}")

    assert ('id="object"' in shown.text) is may
    page = browser.get(f"/history/{entry}/objection")
    assert page.url.path == (f"/history/{entry}/objection" if may else f"/history/{entry}")
    noted = send(browser, browser.get(f"/history/{entry}/copy"), f"/history/{entry}/objection", decision="mail")
    assert noted.status_code == (200 if may else 409)


@pytest.mark.parametrize(
    ("language", "basis", "subject", "said"),
    [
        (
            "en",
            "legitimate_interest",
            "Objection, GDPR Art. 21",
            ("article 21.1", "an interest of your own (article 6.1 f)", "- Family name", "[Your reasons]", "18.1 d"),
        ),
        (
            "sv",
            "public_task",
            "Invändning, GDPR artikel 21",
            ("artikel 21.1", "allmänt intresse (artikel 6.1 e)", "- Efternamn", "[Dina skäl]", "18.1 d"),
        ),
    ],
)
def test_the_letter_objects_on_the_stated_ground(
    world: World, language: str, basis: str, subject: str, said: tuple[str, ...]
) -> None:
    """To their contact, with the names of what went and no value; the person adds their reasons."""
    browser, entry = shared_on(world, basis, language=language)

    to, written, body = draft(browser.get(f"/history/{entry}/objection"))

    assert (to, written) == ("dataskydd@employer.example", subject)
    assert [part for part in said if part not in body] == []
    assert [value for value in VALUES if value in body] == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("You have objected", "The answer to your objection is overdue", "They have stopped, you noted")),
        ("sv", ("Du har invänt", "Svaret på din invändning är försenat", "De har slutat, har du noterat")),
    ],
)
def test_an_objection_is_overdue_after_a_month_until_it_is_answered(
    world: World, language: str, words: tuple[str, str, str]
) -> None:
    """Like a copy: in the entry, the list, the filter and the files; the authority's text says what is owed."""
    objected, overdue, stopped = words
    browser, entry = shared_on(world, "legitimate_interest", language=language)
    page = browser.get(f"/history/{entry}/objection")
    assert send(browser, page, page.url.path, decision="").url.path == page.url.path
    assert send(browser, page, page.url.path, decision="stopped").status_code == 409, "nobody had objected"
    for _ in range(2):
        send(browser, page, page.url.path, decision="mail")
    for days, state, word in ((30, "asked", objected), (1, "overdue", overdue)):
        world.clock.move(days=days)
        unlocked = send(browser, browser.get("/"), "/unlock", name="Maja", passphrase=PASSPHRASE, wanted="/history")
        assert word in text_of(unlocked)
        assert f'id="objection-state" data-state="{state}"' in browser.get(f"/history/{entry}").text

    owed = {"en": "They should have answered by 20 December", "sv": "De skulle ha svarat senast den 20 december"}
    assert owed[language] in draft(browser.get(f"/history/{entry}/report"))[2]
    assert f'id="entry-{entry}"' in browser.get("/history?outcome=objected").text
    assert overdue in browser.get("/history/files/history.csv").text
    kept = json.loads(browser.get("/history/files/history.json").text)["entries"][0]
    assert (kept["objection"]["is_overdue"], kept["copy"]) == (True, None)
    shown = browser.get(f"/history/{entry}")
    assert 'id="objection-overdue"' in shown.text
    done = send(browser, shown, page.url.path, decision="stopped")
    assert 'id="objection-state" data-state="stopped"' in done.text
    assert stopped in text_of(done)
    assert 'id="objection-stopped"' not in done.text


def test_who_goes_on_in_spite_of_it_can_be_complained_of(world: World) -> None:
    """The refusal stands in the entry, and the text for the authority says it."""
    browser, entry = shared_on(world, "public_task")
    page = browser.get(f"/history/{entry}/objection")
    send(browser, page, page.url.path, decision="page")

    done = send(browser, page, page.url.path, decision="refused")

    assert 'id="objection-state" data-state="refused"' in done.text
    assert "You can complain to the authority." in text_of(done)
    assert f'href="/history/{entry}/report"' in done.text
    assert "They go on using it, as they answered." in draft(browser.get(f"/history/{entry}/report"))[2]
