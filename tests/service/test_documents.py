"""Documents as PDF/UA-1: read back with another library, and with hostile words in every place."""

import asyncio
import io
import threading
from datetime import date
from typing import Any

import pypdf
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service import documents
from service.documents import (
    LONGEST_TEXT,
    NOT_DRAWN,
    CannotBeSet,
    Document,
    Facts,
    Items,
    Paragraph,
    Quote,
    Section,
    drawable,
    is_whole,
    pdf_now,
    pdf_of,
)

DAY = date(2026, 11, 20)


def document_with(words: str) -> Document:
    """A document with the same words in every place that words can stand in."""
    return Document(
        title=words,
        language="sv",
        made_on=DAY,
        page_words="Sida {page} av {pages}",
        blocks=(Paragraph(words),),
        sections=(
            Section(words, (Facts(((words, words),)), Items((words,)), Quote(words, words))),
            Section(words, (Items((words, words), in_order=True),), level=3),
        ),
    )


def read(content: bytes) -> pypdf.PdfReader:
    """The document as another library reads it."""
    return pypdf.PdfReader(io.BytesIO(content))


def text_of(content: bytes) -> str:
    """All its text."""
    return "\n".join(page.extract_text() for page in read(content).pages)


def test_a_document_is_tagged_titled_and_of_a_language() -> None:
    """A-12: what PDF/UA-1 asks for, as the file says it."""
    reader = read(pdf_now(document_with("Kvitto för Åsa Öberg")))
    root: Any = reader.root_object

    assert root["/Lang"] == "sv"
    assert root["/MarkInfo"].get_object()["/Marked"]
    assert root["/ViewerPreferences"].get_object()["/DisplayDocTitle"]
    assert "/StructTreeRoot" in root
    assert reader.metadata is not None
    assert reader.metadata.title == "Kvitto för Åsa Öberg"
    assert "<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_object().get_data().decode()
    outline: Any = reader.outline
    title, sections = outline
    assert [title["/Title"], *(one["/Title"] for one in sections if not isinstance(one, list))] == [
        "Kvitto för Åsa Öberg"
    ] * 2
    assert "Sida 1 av 1" in text_of(pdf_now(document_with("x")))


def test_the_same_document_is_the_same_file() -> None:
    """No moment, no chance and nothing of the machine goes in."""
    assert pdf_now(document_with("Kvitto")) == pdf_now(document_with("Kvitto"))
    assert pdf_now(document_with("Kvitto")) != pdf_now(document_with("Kvittot"))


@pytest.mark.parametrize(
    "words",
    [
        '#read("document.typ")',
        '#import "@preview/cetz:0.3.0"',
        "= Heading",
        "$ x^2 $",
        "*bold* _it_ `raw` <label> @reference",
        "\\u{41} \\ // comment",
        "]}); #panic()",
        "<script>alert(1)</script>",
        '","kind":"text"}',
    ],
)
def test_nothing_is_read_as_markup(words: str) -> None:
    """Whatever a recipient calls itself stands there as it is written."""
    said = text_of(pdf_now(document_with(words)))

    assert said.count(words) >= 8


@pytest.mark.parametrize(
    ("words", "drawn"),
    [
        ("a\0b\a\x1bc", "a b c"),
        ("Bank\u202eevil\u2066\u200f", "Bankevil"),
        ("soft\u00adhyphen \ufeffzero\u200bwidth", "softhyphen zerowidth"),
        ("two\nlines\r\n\u2028and\u00a0\tmore ", "two lines and more"),
        ("中文 😀 \ue000", f"{NOT_DRAWN * 2} {NOT_DRAWN} {NOT_DRAWN}"),
        ("e\u0301 \u0335", f"é {NOT_DRAWN}"),
        ("\ud800", NOT_DRAWN),
        ("Żółć Ελλάς Книга 3 000 €", "Żółć Ελλάς Книга 3 000 €"),
        ("", ""),
    ],
)
def test_what_cannot_be_drawn_is_seen_to_be_missing(words: str, drawn: str) -> None:
    """Nothing reorders, nothing hides, and the rest stays readable."""
    assert drawable(words) == drawn
    assert text_of(pdf_now(document_with(words))).count(drawn or "–") >= 8


def test_a_word_of_any_length_stays_on_the_page() -> None:
    """It breaks at the end of the line, and ends after 2,000 signs; a digest is not broken and can be copied."""
    long, digest = "W" * 5_000, "ab0123456789cdef" * 4

    content = pdf_now(document_with(long))
    pages = read(content).pages
    right = max(float(matrix[4]) for page in pages for _, _, matrix in _pieces(page))

    assert right < float(pages[0].mediabox.width)
    assert len(pages) < 40
    assert len(drawable(long)) == LONGEST_TEXT
    assert not is_whole(long)
    assert is_whole(digest)
    assert digest in text_of(pdf_now(document_with(digest)))


def _pieces(page: pypdf.PageObject) -> list[tuple[str, list[float], list[float]]]:
    found: list[tuple[str, list[float], list[float]]] = []
    page.extract_text(visitor_text=lambda text, outer, inner, *_: found.append((text, outer, inner)))
    return found


@settings(deadline=None, max_examples=60)
@example("\u0600\u0601")
@example("ﷺ")
@example("🏳️‍🌈")
@example("క్ష్మి")
@given(st.text(max_size=200))
def test_any_words_make_a_document(words: str) -> None:
    """No text of an outsider keeps the person from their receipt."""
    assert pdf_now(document_with(words)).startswith(b"%PDF-")


def test_every_letter_that_is_let_through_can_be_drawn() -> None:
    """The runs of letters are those of the bundled typeface: the typesetter refuses a letter that it lacks."""
    letters = [chr(sign) for first, last in documents._RUNS for sign in range(first, last + 1)]
    said = " ".join(letters)
    rows = tuple(said[start : start + 1_000] for start in range(0, len(said), 1_000))

    assert [letter for letter in letters if drawable(letter) == NOT_DRAWN] == [NOT_DRAWN]
    assert pdf_now(Document("x", "sv", DAY, "{page}", (Items(rows),))).startswith(b"%PDF-")


def test_what_the_typesetter_fails_on_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when its own code panics, which Python does not see as an `Exception`; a real interruption goes through."""

    class PanicException(BaseException):
        pass

    for raised in (RuntimeError("secret words"), PanicException("secret words")):
        monkeypatch.setattr("typst.compile", _raising(raised))
        with pytest.raises(CannotBeSet) as failed:
            pdf_now(document_with("x"))
        assert "secret" not in str(failed.value)
    monkeypatch.setattr("typst.compile", _raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        pdf_now(document_with("x"))


def _raising(error: BaseException) -> "object":
    def compile_nothing(*_: object, **__: object) -> bytes:
        raise error

    return compile_nothing


async def _at_once(count: int) -> list[bytes]:
    return list(await asyncio.gather(*(pdf_of(document_with("x")) for _ in range(count))))


def test_documents_are_set_one_after_the_other_and_off_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many at once need no more memory than one, and the loop goes on."""
    running, most, threads = 0, 0, set()
    lock = threading.Lock()

    def count(document: Document) -> bytes:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threads.add(threading.get_ident())
        content = pdf_now(document)
        with lock:
            running -= 1
        return content

    monkeypatch.setattr(documents, "pdf_now", count)
    made = asyncio.run(_at_once(4))

    assert len(set(made)) == 1
    assert most == 1
    assert threading.get_ident() not in threads
