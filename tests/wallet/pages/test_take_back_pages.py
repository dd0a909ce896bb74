"""Taking back on the pages, without scripts: what they say, what they do, and what they never do."""

import base64
import io
import json
import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2
import pypdf
import pytest
from starlette.testclient import TestClient

from tests.wallet.fake_verifier import credential, notice, query
from tests.wallet.pages.sharing_browser import latest_entry
from tests.wallet.pages.test_share_pages import confirm, decide, look, text_of
from tests.wallet.taking_back_world import BIRTH, NAME, Recipient, says
from tests.wallet.test_ledger import VALUES
from tests.wallet.test_pages import UNKNOWN_WORDS, collect, make_wallet, send
from tests.world import PASSPHRASE, World
from wallet.taking_back.messages import Reply, error_code


def shared(world: World, language: str = "en", **said: object) -> tuple[TestClient, str, Recipient]:
    """A browser after one share of name and birth date, its entry, and who has it."""
    recipient = Recipient(world)
    browser = world.wallet.browser(language)
    make_wallet(browser)
    collect(browser, world.university.offer()[0].offer)
    page = look(browser, recipient.ask_for_two(**said).link())
    confirm(browser, decide(browser, page, "share"))
    return browser, latest_entry(browser), recipient


def test_cs34_the_page_says_what_it_can_and_cannot_do(world: World) -> None:
    """Before the one button, in plain words; Enter and leaving send nothing; a foreign form is refused."""
    browser, entry, recipient = shared(world)
    assert f'href="/history/{entry}/take-back"' in browser.get(f"/history/{entry}").text

    page = browser.get(f"/history/{entry}/take-back")

    for sentence in (
        "It tells them to stop using it, and to delete it.",
        "What they have already read cannot be unread.",
        "Nobody can prove that no copy is left.",
        "The law can let them keep some of it",
    ):
        assert sentence in text_of(page)
    send(browser, page, page.url.path, decision="")
    send(browser, page, page.url.path, decision="leave")
    assert browser.post(page.url.path, data={"decision": "send"}).status_code == 403
    assert recipient.messages == []


@pytest.mark.parametrize(("language", "statement"), [("en", "Statement by"), ("sv", "Besked från")])
def test_cs37_what_they_say_is_shown_as_what_they_say(world: World, language: str, statement: str) -> None:
    """With its dates, as a statement and not as a proof; the history list and My data say it too."""
    browser, entry, _ = shared(world, language)
    page = browser.get(f"/history/{entry}/take-back")
    kept = {"en": "Kept until", "sv": "Sparas till"}[language]
    assert kept in text_of(browser.get(f"/history/{entry}"))

    done = send(browser, page, page.url.path, decision="send")

    assert 'data-state="done"' in done.text
    assert f"{statement} Exempelbolaget AB" in text_of(done)
    word = {"en": "Deleted, they say", "sv": "Raderat, säger de"}[language]
    assert word in text_of(browser.get("/history"))
    assert word in text_of(browser.get("/my-data"))
    assert not [path for path in (f"/history/{entry}", "/history", "/my-data") if kept in text_of(browser.get(path))]
    assert 'id="take-back"' not in done.text
    assert browser.get(f"/history/{entry}/take-back").url.path == f"/history/{entry}"
    assert not UNKNOWN_WORDS.search(text_of(done))
    whole = browser.get("/history/files/history.json").text
    assert json.loads(whole)["entries"][0]["after"]["state"] == "done"
    assert not [value for value in VALUES if value in whole]


def test_cs35_chosen_items_or_all(world: World) -> None:
    """Nothing is ticked before; without a tick the page says so and sends nothing."""
    browser, entry, recipient = shared(world)
    recipient.answer = lambda message: recipient.statement(message, reason="erased", items=[BIRTH])
    page = browser.get(f"/history/{entry}/ask-delete")
    assert "checked" not in page.text

    fault = send(browser, page, page.url.path, decision="send")
    assert (fault.status_code, "Choose at least one item" in fault.text) == (400, True)
    assert recipient.messages == []
    done = send(browser, page, page.url.path, decision="send", item="1")

    assert recipient.messages[-1].claims["items"] == [{"credential": "certificate", "path": ["birthdate"]}]
    assert 'data-state="done"' in done.text
    assert 'id="take-back"' in done.text


def test_cs35_without_an_endpoint_there_is_a_letter_a_page_and_a_number(world: World) -> None:
    """The draft names article 17 and the items, never a value; links only where they are what they seem."""
    said = {"url": "javascript:alert(1)", "contact": "dataskydd@employer.example", "phone": "+46 8 123 45 67"}
    browser, entry, recipient = shared(world, withdraw=said, receipt_endpoint="")

    page = browser.get(f"/history/{entry}/take-back")

    mail = unescape(re.findall(r'href="(mailto:[^"]+)"', page.text)[0])
    members = parse_qs(urlsplit(mail).query)
    assert unquote(urlsplit(mail).path) == "dataskydd@employer.example"
    assert members["subject"] == ["Request for deletion, GDPR Art. 17"]
    assert "- Family name\r\n- Date of birth" in members["body"][0]
    assert not [value for value in VALUES if value in unquote(mail)]
    assert 'href="tel:+46812345 67"'.replace(" ", "") in page.text.replace(" ", "")
    assert 'href="javascript' not in page.text
    noted = send(browser, page, page.url.path, decision="mail")
    assert 'data-state="marked"' in noted.text
    assert send(browser, noted, f"/history/{entry}/note", decision="deleted").text.count('data-state="done"') == 1
    assert recipient.messages == []


def test_cs36_overdue_with_a_complaint_ready(world: World) -> None:
    """After a month at the next unlock, with a text to the authority: the facts, and no value."""
    browser, entry, recipient = shared(world)
    recipient.answer = recipient.acknowledged
    page = browser.get(f"/history/{entry}/take-back")
    assert 'data-state="acknowledged"' in send(browser, page, page.url.path, decision="send").text
    assert browser.get(f"/history/{entry}/complaint").url.path == f"/history/{entry}"
    world.clock.move(days=31)
    unlocked = send(browser, browser.get("/"), "/unlock", name="Maja", passphrase=PASSPHRASE, wanted="/history")

    assert "The answer is overdue" in text_of(unlocked)
    complaint = browser.get(f"/history/{entry}/complaint")
    body = text_of(complaint)
    for part in (
        "article 77",
        "Exempelbolaget AB (556000-0001)",
        "20 November 2026",
        "20 December 2026",
        "Family name",
    ):
        assert part in body
    assert not [value for value in VALUES if value in body]
    done = send(browser, complaint, f"/history/{entry}/note", decision="complained")
    assert 'data-state="escalated"' in done.text


@pytest.mark.parametrize(
    ("answer", "state", "offers"),
    [
        ("acknowledged", "acknowledged", set()),
        ("refusing", "not_accepted", {"ask-again"}),
    ],
)
@pytest.mark.parametrize("wish", ["take-back", "ask-delete"])
def test_after_a_wish_the_entry_shows_how_it_stands_and_offers_it_no_more(
    world: World, answer: str, state: str, offers: set[str], wish: str
) -> None:
    """As long as an answer about everything is owed; where it came to nothing it can be made again."""
    browser, entry, recipient = shared(world)
    buttons = {"take-back", "ask-delete", "ask-again"}

    def offered(page: httpx2.Response) -> set[str]:
        return {one for one in buttons if f'id="{one}"' in page.text}

    assert offered(browser.get(f"/history/{entry}")) == {"take-back", "ask-delete"}
    recipient.answer = recipient.acknowledged if answer == "acknowledged" else says(400)
    page = browser.get(f"/history/{entry}/{wish}")

    done = send(browser, page, page.url.path, decision="everything")

    assert f'data-state="{state}"' in done.text
    assert offered(done) == offers


def test_beside_a_wish_for_some_of_it_the_rest_can_be_asked_for(world: World) -> None:
    """It is offered as what it is: more."""
    browser, entry, recipient = shared(world)
    recipient.answer = recipient.acknowledged
    page = browser.get(f"/history/{entry}/ask-delete")
    done = send(browser, page, page.url.path, decision="send", item="1")
    assert 'data-state="acknowledged"' in done.text
    assert "Ask them to delete more" in text_of(done)
    assert "Take back everything" in text_of(done)


def letter_of(browser: TestClient, entry: str) -> list[str]:
    """The lines of the complaint, as they would be sent."""
    page = browser.get(f"/history/{entry}/complaint")
    return unescape(re.findall(r'<pre id="complaint">(.*?)</pre>', page.text, re.DOTALL)[0]).splitlines()


COMPLAINT = {
    "sv": """Jag klagar på Exempelbolaget AB enligt artikel 77 i dataskyddsförordningen (GDPR).

Vem: Exempelbolaget AB (556000-0001)
Adress: employer.example
Kontakt: dataskydd@employer.example

Den 20 november 2026 delade jag: Efternamn och Födelsedatum.
Deras nummer för det: request-1
Den 20 november 2026 tog jag tillbaka det och bad dem att radera det (artikel 17).
Min plånbok skickade det till den adress som de hade angett för det.
Den 20 november 2026 bekräftade de att de hade fått det.
De skulle ha svarat senast den 20 december 2026 (artikel 12.3). Jag har inte fått något svar.
Jag har ett kvitto på vad jag delade, som jag kan visa. Dess nummer: ENTRY

Jag ber er att utreda det och att förelägga dem att radera det som de måste radera (artikel 58.2).

[Ditt namn och hur man når dig]""",
    "en": """I complain about Exempelbolaget AB under article 77 of the GDPR.

Who: Exempelbolaget AB (556000-0001)
Address: employer.example
Contact: dataskydd@employer.example

On 20 November 2026 I shared: Family name and Date of birth.
Their number for it: request-1
On 20 November 2026 I took it back and asked them to delete it (article 17).
My wallet sent it to the address that they had named for it.
They confirmed on 20 November 2026 that they had received it.
They should have answered by 20 December 2026 (article 12.3). I have had no answer.
I have a receipt of what I shared, which I can show. Its number: ENTRY

I ask you to look into it, and to order them to delete what they must delete (article 58.2).

[Your name and how to reach you]""",
}


@pytest.mark.parametrize("language", ["sv", "en"])
def test_cs36_the_complaint_reads_as_a_letter(world: World, language: str) -> None:
    """Word by word, as it is sent to the authority."""
    browser, entry, recipient = shared(world, language)
    recipient.answer = recipient.acknowledged
    page = browser.get(f"/history/{entry}/take-back")
    send(browser, page, page.url.path, decision="send")
    world.clock.move(days=31)
    send(browser, browser.get("/"), "/unlock", name="Maja", passphrase=PASSPHRASE, wanted="/history")

    assert letter_of(browser, entry) == COMPLAINT[language].replace("ENTRY", entry).splitlines()


def test_cs36_the_complaint_about_a_refusal_says_what_they_keep_and_why(world: World) -> None:
    """Of chosen items: what was shared, what of it was to go, their ground and their words, which end no quotation."""
    browser, entry, recipient = shared(world)
    words = {"sv": "Vi sparar det.", "en": "We keep it.” I take my complaint back. “"}
    kept = {"ground": "legal_claims", "words": words, "items": [BIRTH]}
    recipient.answer = lambda message: recipient.statement(
        message, reason="erased", outcome="refused", items=[], deleted_at=None, exceptions=[kept]
    )
    world.clock.move(days=2)
    send(browser, browser.get("/"), "/unlock", name="Maja", passphrase=PASSPHRASE, wanted="/history")
    page = browser.get(f"/history/{entry}/ask-delete")
    send(browser, page, page.url.path, decision="send", item="1")

    lines = letter_of(browser, entry)

    for line in (
        "On 20 November 2026 I shared: Family name and Date of birth.",
        "On 22 November 2026 I asked them to delete this of it (article 17): Date of birth.",
        "On 22 November 2026 they said no.",
        "They keep Date of birth. The ground that they state: a legal dispute (article 17.3 e).",
        "In their words: “We keep it.' I take my complaint back. '”",
    ):
        assert line in lines
    assert not any("no answer" in line for line in lines)


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("page", "I asked them on the page that they had named for it."),
        ("mail", "I asked them by e-mail."),
        ("phone", "I asked them by telephone."),
    ],
)
def test_cs36_what_the_person_asked_themself_becomes_overdue_as_well(world: World, way: str, said: str) -> None:
    """By page, e-mail or telephone: the month counts, and the complaint says how they were asked."""
    ways = {"url": "https://employer.example/delete", "contact": "a@employer.example", "phone": "+46 8 123 45 67"}
    browser, entry, _ = shared(world, withdraw=ways, receipt_endpoint="")
    page = browser.get(f"/history/{entry}/take-back")
    send(browser, page, page.url.path, decision=way)
    assert browser.get(f"/history/{entry}/complaint").url.path == f"/history/{entry}"
    world.clock.move(days=31)
    send(browser, browser.get("/"), "/unlock", name="Maja", passphrase=PASSPHRASE, wanted="/history")

    assert said in letter_of(browser, entry)


def test_cs38_the_last_day_has_passed_without_a_statement(world: World) -> None:
    """The entry reminds, and a button asks; what comes is shown."""
    browser, entry, recipient = shared(world, retention={"days": 1})
    recipient.answer = lambda message: recipient.statement(message, reason="retention", receipt_id=None)
    world.clock.move(days=2)
    with world.network.cut_before("/withdrawals"):
        send(browser, browser.get("/"), "/unlock", name="Maja", passphrase=PASSPHRASE, wanted="/history")
    page = browser.get(f"/history/{entry}")
    assert "have not stated that it is deleted" in text_of(page)
    world.clock.now += timedelta(minutes=2)

    done = send(browser, page, f"/history/{entry}/look")

    assert 'data-state="done"' in done.text
    assert 'id="reminder"' not in done.text


def test_hostile_words_in_a_statement_stay_words(world: World) -> None:
    """Their text is escaped and quoted."""
    browser, entry, recipient = shared(world)
    words = {"sv": "<script>alert(1)</script>", "en": "<script>alert(1)</script>"}
    kept = {"ground": "legal_claims", "words": words, "items": [{**NAME, "label": words}]}
    recipient.answer = lambda message: recipient.statement(
        message, outcome="partly", items=[BIRTH], exceptions=[kept], systems=[words], informed=[words]
    )
    page = browser.get(f"/history/{entry}/take-back")

    done = send(browser, page, page.url.path, decision="send")

    assert 'data-state="partly"' in done.text
    assert "<script>alert" not in done.text
    assert "&lt;script&gt;" in done.text


def test_a_personal_number_in_a_statement_is_shown_nowhere_but_in_the_signed_document(world: World) -> None:
    """The words are the recipient's, who may write a value into them: the page, the files and the complaint leave it
    out, and the rest of the words stands. What they signed is kept as they signed it."""
    browser, entry, recipient = shared(world)
    words = {"sv": "Vi sparar 19980423 - 2388, i tvist.", "en": "We keep 19980423 - 2388, in a dispute."}
    kept = {"ground": "legal_claims", "words": words, "items": [{**NAME, "label": words}]}
    recipient.answer = lambda message: recipient.statement(
        message,
        outcome="partly",
        items=[{**BIRTH, "label": words}],
        exceptions=[kept],
        systems=[words],
        informed=[words],
    )
    page = browser.get(f"/history/{entry}/take-back")

    done = send(browser, page, page.url.path, decision="send")

    assert "We keep ••••••••, in a dispute." in done.text
    said = [text_of(done), "\n".join(letter_of(browser, entry))]
    for name in ("history.csv", "history.json", "history.pdf"):
        answer = browser.get(f"/history/files/{name}")
        assert answer.status_code == 200
        pages = pypdf.PdfReader(io.BytesIO(answer.content)).pages if name.endswith("pdf") else ()
        said.append(" ".join(one.extract_text() for one in pages) or answer.text)
    assert "••••••••" in said[1]
    assert "in a dispute" in said[-1]
    assert not [text for text in said if re.search(r"19980423\W*2388", text)]
    document = json.loads(said[3])["entries"][0]["after"]["statements"][0]
    payload = json.loads(base64.urlsafe_b64decode(document.split(".")[1] + "=="))
    assert payload["exceptions"][0]["words"] == words


@pytest.mark.parametrize("said", ["199804232388", "980423_2388"])
def test_a_personal_number_is_no_code_of_an_error(said: str) -> None:
    """What stands as the reason in the history is the recipient's word as well."""
    assert error_code(Reply(400, "application/json", json.dumps({"error": said}).encode())) == "http_400"
    assert (
        error_code(Reply(400, "application/json", json.dumps({"error": "unknown_share"}).encode())) == "unknown_share"
    )


def test_a_refusal_offers_nothing_to_take_back(world: World) -> None:
    """And its page leads back to the entry."""
    browser, _, recipient = shared(world)
    page = look(browser, recipient.ask(query(["family_name"]), notice=notice()).link())
    decide(browser, page, "refuse")
    entry = page.url.path.rpartition("/")[2]

    assert 'id="take-back"' not in browser.get(f"/history/{entry}").text
    assert browser.get(f"/history/{entry}/take-back").url.path == f"/history/{entry}"


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("en", "Short course certificate “Computer Security for Health Care Systems”, the certificate itself"),
        ("sv", "Mikromeritintyg ”Datasäkerhet för vårdens system”, själva intyget"),
    ],
)
def test_cs35_a_certificate_without_chosen_items_has_a_tick_of_its_own(world: World, language: str, name: str) -> None:
    """Unticked; ticked alone it is everything that went, so that all is asked for; and the letter names it."""
    recipient, browser = Recipient(world), world.wallet.browser(language)
    make_wallet(browser)
    collect(browser, world.university.offer()[0].offer)
    asked = recipient.ask(query(), notice=notice(withdraw={"endpoint": recipient.endpoint}, request_id="r-1"))
    confirm(browser, decide(browser, look(browser, asked.link()), "share"))
    entry = latest_entry(browser)

    page = browser.get(f"/history/{entry}/ask-delete")

    tick = re.search(r'<input[^>]*name="item"[^>]*>', page.text)
    assert tick is not None
    assert ('value="0"' in tick[0], "checked" in tick[0], name in text_of(page)) == (True, False, True)
    assert send(browser, page, page.url.path, decision="send", item="1").status_code == 400
    assert recipient.messages == []
    send(browser, page, page.url.path, decision="send", item="0")
    assert "items" not in recipient.messages[-1].claims


def test_cs35_the_letter_names_a_ticked_certificate_without_items(world: World) -> None:
    """Where the person writes: the draft for what is ticked, beside an item that stays out of it."""
    recipient, browser = Recipient(world), world.wallet.browser()
    make_wallet(browser)
    for kind in ("micro-credential", "course-results"):
        collect(browser, world.university.offer(kind)[0].offer)
    transcript = credential(["family_name"], query_id="transcript", vct="urn:intyga:credential:course-results:1")
    said = notice(withdraw={"contact": "dataskydd@employer.example"})
    page = look(browser, recipient.ask({"credentials": [transcript, credential()]}, notice=said).link())
    confirm(browser, decide(browser, page, "share"))
    page = browser.get(f"/history/{latest_entry(browser)}/ask-delete")

    assert 'id="none-is-all"' in page.text
    both = re.findall(r'<pre id="letter">(.*?)</pre>', page.text, re.DOTALL)[0]
    assert ("- Family name" in both, "- Short course certificate, the certificate itself" in both) == (True, True)
    draft = send(browser, page, page.url.path, decision="draft", item="1")

    body = re.findall(r'<pre id="letter">(.*?)</pre>', draft.text, re.DOTALL)[0]
    assert "- Short course certificate, the certificate itself" in body
    assert "Family name" not in body
