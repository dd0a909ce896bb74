"""Receipt and history as PDF, read back with another library: complete, accessible, in both languages, no values."""

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pypdf
import pytest
from starlette.testclient import TestClient

from service.documents import pdf_now
from service.i18n import load_catalogues
from tests.wallet.eventful import Story
from tests.wallet.fake_verifier import FakeVerifier, credential, notice, with_optional
from tests.wallet.pages.sharing_browser import browser_that_shared, latest_entry
from tests.wallet.pages.test_receipt_page import DECLARED, facts_of, missing, translator
from tests.wallet.pages.test_share_pages import confirm, decide, look, person
from tests.wallet.test_ledger import VALUES
from tests.wallet.test_pages import make_wallet
from tests.world import World
from wallet.histories import Book, Histories
from wallet.ledger import Entry, Event, EventKind, entries_of
from wallet.pages.history_pdf import ENTRIES_IN_A_PART, history_document, parts_of
from wallet.pages.receipt_pdf import receipt_document

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def opened(content: bytes) -> tuple[pypdf.PdfReader, str]:
    """A document and its text on one line, without the marks that let long words break."""
    reader = pypdf.PdfReader(io.BytesIO(content))
    pages = [page.extract_text().replace("\u200b", "") for page in reader.pages]
    return reader, " ".join(" ".join(pages).split())


def headings(reader: pypdf.PdfReader) -> list[str]:
    """The headings that lead through a document, the title first."""

    def walk(outline: Any) -> list[str]:
        return [title for one in outline for title in (walk(one) if isinstance(one, list) else [str(one["/Title"])])]

    return walk(reader.outline)


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("decision", ["share", "refuse"])
def test_cs29_a12_the_receipt_as_pdf_says_every_fact_of_the_file(world: World, language: str, decision: str) -> None:
    """Tagged, titled, in the reader's language, and as complete as the page and the file."""
    employer = FakeVerifier(world)
    world.wallet.trust(employer.trust_entry)
    browser = person(world, language=language)
    asked = with_optional(credential(["family_name"]), credential(["credits"], query_id="extra"))
    page = decide(browser, look(browser, employer.ask(asked, notice=notice(**DECLARED)).link()), decision)
    if decision == "share":
        confirm(browser, page)
    address = f"/history/{latest_entry(browser)}/receipt"
    assert f'href="{address}.pdf"' in browser.get(address).text

    answer = browser.get(f"{address}.pdf")
    reader, said = opened(answer.content)

    receipt = browser.get(f"{address}.json").json()["receipt"]
    lacking = [
        (path, words) for path, words in missing(receipt, said, translator(language)) if _bare(words) not in _bare(said)
    ]
    assert lacking == []
    assert len(list(facts_of(receipt))) > 30
    root: Any = reader.root_object
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"]) == (language, True)
    assert "<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data().decode()
    assert reader.metadata is not None
    assert str(reader.metadata.title).startswith({"sv": "Kvitto: ", "en": "Receipt: "}[language])
    assert headings(reader)[0] == reader.metadata.title
    assert len(headings(reader)) == 6
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"].startswith(
        {"sv": 'attachment; filename="intyga-kvitto-', "en": 'attachment; filename="intyga-receipt-'}[language]
    )
    assert not [value for value in VALUES if value in said]
    assert browser.get(f"{address}.pdf").content == answer.content, "the same receipt is the same file"


def _bare(words: str) -> str:
    """Words without what a document adds between them: colons behind names, blanks where a long word is broken."""
    return words.replace(" ", "").replace(":", "").casefold()


def test_a_receipt_that_is_not_there_has_no_pdf(world: World) -> None:
    """Neither of something undecided, nor of somebody else."""
    browser, entry, _ = browser_that_shared(world)
    received = next(one for one in _entries(browser) if one != entry)
    other = world.wallet.browser()
    make_wallet(other, "Ali")

    assert browser.get(f"/history/{received}/receipt.pdf").status_code == 404
    assert other.get(f"/history/{entry}/receipt.pdf").status_code == 404
    assert browser.get("/history/unknown/receipt.pdf").status_code == 404
    for part in ("0", "2", "-1", "x", "99999999"):
        assert browser.get(f"/history/files/history.pdf?part={part}").status_code in (400, 404), part


def _entries(browser: TestClient) -> list[str]:
    page = browser.get("/history").text
    return [part.partition('"')[0] for part in page.split('id="entry-')[1:]]


@pytest.mark.anyio
@pytest.mark.parametrize("language", ["sv", "en"])
async def test_cs31_the_history_as_pdf_is_complete_and_holds_no_values(world: World, language: str) -> None:
    """Refusals, failures, what was taken back, what they stated and kept; every entry under its own heading."""
    story = await Story.told(world)
    book = Histories(world.wallet.deployment).read(story.sharer.vault)
    t = translator(language)

    reader, said = opened(pdf_now(history_document(book, t, part=1, now=world.clock())))

    for entry in book.entries:
        assert entry.id in said
    for words in (
        "You decided not to share",
        "The request had a fault",
        "It could not be sent",
        "It arrived, and they answered with an error",
        "You took it back",
        "You asked them to delete",
        "They have received your wish",
        "They stated what they deleted",
        "They confirmed the receipt",
        "You asked them for a copy",
        "You noted that the copy came",
        "The copy has come",
        "You reported the request",
        "The certificate was received",
        "This is what they say, signed. It does not prove that no copy exists.",
    ):
        assert t(words) in said, words
    assert {"sv": "Vi behöver namnet i en tvist.", "en": "We need the name in a dispute."}[language] in said
    assert len(headings(reader)) == 1 + len(book.entries) + 2, "the title, the entries, and two statements"
    assert str(reader.root_object["/Lang"]) == language
    assert not [value for value in VALUES if value in said]


def test_the_history_page_offers_the_pdf(world: World) -> None:
    """A link beside those for tables and machines; the file is named in the reader's language."""
    browser, entry, _ = browser_that_shared(world, language="sv")
    page = browser.get("/history")
    assert 'href="/history/files/history.pdf"' in page.text

    answer = browser.get("/history/files/history.pdf")
    reader, said = opened(answer.content)

    assert entry in said
    assert reader.metadata is not None
    assert reader.metadata.title == "Delningar"
    assert 'filename="intyga-' in answer.headers["content-disposition"]
    assert answer.headers["content-disposition"].endswith('-2026-11-20.pdf"')
    assert answer.headers["content-type"] == "application/pdf"


def _long_book(count: int) -> Book:
    """A history of many requests, of the kind that a stranger can make by asking."""
    asked = {
        "who": {"sv": "Bolaget", "en": "Company"},
        "level": "unproven",
        "host": "shop.example",
        "asked": [{"sv": "Efternamn", "en": "Family name"}] * 3,
        "purpose": {"sv": "Vi vill veta vem du är.", "en": "We want to know who you are."},
        "expires_at": 0,
    }
    events = [Event(f"{n:032x}", EventKind.ASKED, NOW - timedelta(minutes=n), asked) for n in range(count)]
    return Book(tuple(entries_of(events, now=NOW)), frozenset(), ())


def test_a_history_of_10_000_entries_comes_in_parts() -> None:
    """Every entry stands in one part, and no part holds more than a bounded number: neither time nor memory grows."""
    book, t = _long_book(10_000), load_catalogues().translator("en")
    parts = parts_of(book)

    documents = [history_document(book, t, part=part, now=NOW) for part in range(1, parts + 1)]

    assert parts == 10_000 // ENTRIES_IN_A_PART
    assert max(len(one.sections) for one in documents) == ENTRIES_IN_A_PART
    told = [str(section.blocks) for one in documents for section in one.sections]
    assert len(told) == 10_000
    assert all(entry.id in words for entry, words in zip(book.entries, told, strict=True))
    assert (documents[0].title, documents[-1].title) == (
        f"Sharing history, part 1 of {parts}",
        f"Sharing history, part {parts} of {parts}",
    )
    reader, said = opened(pdf_now(documents[-1]))
    assert book.entries[-1].id in said
    assert len(pdf_now(documents[-1])) < 10_000_000
    assert len(headings(reader)) == 1 + ENTRIES_IN_A_PART


@pytest.mark.parametrize(
    "evil",
    [
        "\u202eknaB\u2066 \u0000\u0007",
        "A" * 3_000,
        '#read("/etc/passwd") $x$ *bold* <script>alert(1)</script>',
        "中文 سلام 😀 క్ష్మి \u0335\u0301",
        "\ufeff\u200b",
        "] } #panic() \\",
    ],
    ids=["reordering", "long", "markup", "scripts", "nothing", "brackets"],
)
def test_hostile_words_in_every_fact_make_a_document_all_the_same(evil: str) -> None:
    """Older histories, imported ones and certificates hold words that no notice could: none breaks a document."""
    entry = _hostile_entry(evil)
    t = load_catalogues().translator("en")

    receipt, said = opened(pdf_now(receipt_document(entry, t, now=NOW)))
    history, told = opened(pdf_now(history_document(Book((entry,), frozenset(), ()), t, part=1, now=NOW)))

    for text in (said, told):
        assert not {"\u202e", "\u2066", "\u0000", "\u0007"} & set(text)
        assert "root:" not in text
    assert headings(receipt)[1:] == [
        "Why, and until when",
        "What went",
        "To take it back or have it deleted",
        "Step by step",
        "Figures for checking",
    ]
    assert len(headings(history)) == 2
    assert "/AA" not in receipt.root_object
    assert "/OpenAction" not in receipt.root_object
    assert not any("/Annots" in page for page in receipt.pages), "no word becomes a link"
    assert max(len(receipt.pages), len(history.pages)) < 60


def _hostile_entry(evil: str) -> Entry:
    both = {"sv": evil, "en": evil}
    item = {
        "name": both, "certificate": both, "certificate_id": "x", "certificate_type": evil, "issuer": evil,
        "path": [evil], "required": True, "approved_separately": False, "commitment": evil,
    }  # fmt: skip
    asked = {
        "who": both, "level": "unproven", "host": evil, "client_id": evil, "asked": [both], "purpose": both,
        "basis": "contract", "basis_detail": both, "recipients": [both], "processors": [both], "countries": [evil],
        "contact": evil, "organisation_number": evil, "country": evil, "data_protection_contact": evil,
        "withdraw_url": evil, "withdraw_contact": evil, "withdraw_phone": evil, "came_by": "link",
        "retention_until": "2027-01-01", "notice_digest": evil, "notice_signed": True,
    }  # fmt: skip
    decided = {
        "language": "en", "pseudonym": evil, "items": [item],
        "came_along": [{"certificate": both, "certificate_id": "x", "items": [both]}], "declined": [both],
        "warnings": ["unproven"],
    }  # fmt: skip
    events = [
        Event("0" * 32, EventKind.ASKED, NOW, asked),
        Event("0" * 32, EventKind.APPROVED, NOW, decided, previous=evil),
        Event("0" * 32, EventKind.NOT_DELIVERED, NOW, {"reason": evil}),
    ]
    (entry,) = entries_of(events, now=NOW)
    assert entry.decided_at is not None
    assert entry.decided_at.date() == date(2026, 11, 20)
    return entry
