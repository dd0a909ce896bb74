"""Where the wallet's way led to nothing: the other ways, complaints, and words instead of codes (CS-35, CS-36)."""

import re
from html import unescape

import httpx2
import pytest

from tests.wallet.pages.test_share_pages import look, text_of
from tests.wallet.pages.test_take_back_pages import shared
from tests.wallet.taking_back_world import BIRTH, NAME, Recipient, says
from tests.wallet.test_pages import send
from tests.world import PASSPHRASE, World

NOT_FOUND = says(404, {"error": "not_found"})


def plain_text(page: httpx2.Response) -> str:
    """What stands on a page in plain sight: without what is folded away."""
    open_part = re.sub(r"<details.*?</details>", " ", page.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", open_part)).split())


@pytest.mark.parametrize("wish", ["take-back", "ask-delete"])
def test_cs35_an_error_shows_the_other_ways_and_leaves_no_dead_end(world: World, wish: str) -> None:
    """Letter and telephone stand below the button; an answer that came otherwise can be noted."""
    browser, entry, recipient = shared(world)
    recipient.answer = NOT_FOUND
    page = browser.get(f"/history/{entry}/{wish}")
    assert 'id="way-mail"' not in page.text, "the wallet can do it by itself so far"
    said = send(browser, page, page.url.path, decision="send" if wish == "take-back" else "everything")
    assert 'data-state="not_accepted"' in said.text
    assert "Answer due by 20 December 2026" in text_of(said)

    page = browser.get(f"/history/{entry}/{wish}")

    button = 'id="do-take-back"' if wish == "take-back" else 'id="do-everything"'
    assert page.text.index(button) < page.text.index('id="how-else"') < page.text.index('id="way-mail"')
    assert 'id="way-phone"' in page.text
    noted = send(browser, page, page.url.path, decision="mail")
    assert 'data-state="marked"' in noted.text
    assert "Answer due by 20 December 2026" in text_of(noted)
    assert 'data-state="done"' in send(browser, noted, f"/history/{entry}/note", decision="deleted").text


def test_cs35_what_cannot_be_sent_shows_the_other_ways(world: World) -> None:
    """The line is cut for ever: the person writes."""
    browser, entry, _ = shared(world)
    page = browser.get(f"/history/{entry}/take-back")
    with world.network.cut_before("/withdrawals"):
        said = send(browser, page, page.url.path, decision="send")
    assert 'data-state="not_sent"' in said.text
    assert 'id="way-mail"' in browser.get(f"/history/{entry}/take-back").text


def test_cs36_an_overdue_answer_after_an_error_has_complaint_and_other_ways(world: World) -> None:
    """404, 31 days: overdue with a complaint; noted, the ways stay; a reminder does not begin a new month."""
    browser, entry, recipient = shared(world)
    recipient.answer = NOT_FOUND
    page = browser.get(f"/history/{entry}/take-back")
    send(browser, page, page.url.path, decision="send")
    world.clock.move(days=31)
    send(browser, browser.get("/"), "/unlock", name="Maja", passphrase=PASSPHRASE)
    assert 'data-state="overdue"' in browser.get(f"/history/{entry}").text
    page = browser.get(f"/history/{entry}/take-back")
    assert 'id="way-mail"' in page.text

    reminded = send(browser, page, page.url.path, decision="mail")

    assert 'data-state="overdue"' in reminded.text
    assert "It is noted. The answer is still missing." in text_of(reminded)
    assert "You asked again on 21 December 2026" in text_of(reminded)
    complaint = browser.get(f"/history/{entry}/complaint")
    assert "On 21 December 2026 I asked them again by e-mail." in unescape(complaint.text)
    done = send(browser, complaint, f"/history/{entry}/note", decision="complained")
    assert 'data-state="escalated"' in done.text
    assert "You noted that you complained." in text_of(done)
    assert "The authority has" not in text_of(done)
    assert 'id="way-mail"' in browser.get(f"/history/{entry}/take-back").text


@pytest.mark.parametrize(
    ("language", "no", "complained"),
    [("en", "They said no", "You have complained"), ("sv", "De sa nej", "Du har klagat")],
)
def test_cs36_a_complaint_about_a_refusal_stands_beside_it(
    world: World, language: str, no: str, complained: str
) -> None:
    """It stays a refusal in the entry and in the list; the complaint cannot be noted twice."""
    browser, entry, recipient = shared(world, language)
    kept = {"ground": "legal_claims", "words": {"sv": "Tvist.", "en": "Dispute."}, "items": [NAME, BIRTH]}
    recipient.answer = lambda message: recipient.statement(
        message, outcome="refused", items=[], exceptions=[kept], deleted_at=None, backups_until=None
    )
    page = browser.get(f"/history/{entry}/take-back")
    send(browser, page, page.url.path, decision="send")
    complaint = browser.get(f"/history/{entry}/complaint")

    done = send(browser, complaint, f"/history/{entry}/note", decision="complained")

    assert 'data-state="refused"' in done.text
    assert complained in text_of(done)
    for path in ("/history", "/history/files/history.csv"):
        assert no in text_of(browser.get(path))
        assert complained[1:] in text_of(browser.get(path)), "beside it, inside the sentence"
    again = browser.get(f"/history/{entry}/complaint")
    assert 'id="complaint"' in again.text
    assert 'id="complained"' not in again.text
    assert send(browser, again, f"/history/{entry}/note", decision="complained").status_code == 409


@pytest.mark.parametrize("language", ["en", "sv"])
@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (404, "not_found", {"en": "They say that they do not know", "sv": "De säger att de inte vet"}),
        (500, "http_500", {"en": "Something is wrong at their end.", "sv": "Något är fel hos dem."}),
        (418, "http_418", {"en": "They answered with an error", "sv": "De svarade med ett fel"}),
    ],
)
def test_reasons_are_words_and_codes_are_folded_away(
    world: World, language: str, status: int, code: str, words: dict[str, str]
) -> None:
    """What went wrong reads as a sentence; the code is there for whoever mends it, and only there."""
    browser, entry, recipient = shared(world, language)
    recipient.answer = says(status, {"error": "not_found"} if status == 404 else {})
    page = browser.get(f"/history/{entry}/take-back")

    said = send(browser, page, page.url.path, decision="send")

    folded = said.text.partition('<details id="codes">')[2].partition("</details>")[0]
    assert f"<code>{code}</code>" in folded
    assert code not in plain_text(said)
    assert words[language] in plain_text(said)


def test_oa14_the_warning_leads_to_what_they_owe(world: World) -> None:
    """The next request of the same recipient says it, with a link to the entry; another recipient's says nothing."""
    browser, entry, recipient = shared(world)
    recipient.answer = NOT_FOUND
    page = browser.get(f"/history/{entry}/take-back")
    send(browser, page, page.url.path, decision="send")
    world.clock.move(days=31)
    send(browser, browser.get("/"), "/unlock", name="Maja", passphrase=PASSPHRASE)

    asked = look(browser, recipient.ask_for_two().link())

    warning = asked.text.partition('id="warning-overdue_deletion"')[2].partition("</div>")[0]
    assert f'href="/history/{entry}"' in warning
    other = look(browser, Recipient(world, "other.example").ask_for_two().link())
    assert 'id="warning-overdue_deletion"' not in other.text
