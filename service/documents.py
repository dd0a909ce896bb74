"""Documents to keep on paper or as files: PDF/UA-1, which screen readers can read, with title, language and tags.

    document = Document(t("Receipt"), "sv", made_on=today, page_words=t.text(PAGE_WORDS), sections=(
        Section("Vem", (Facts((("Namn", "Bolaget"),)),)),
    ))
    content = await pdf_of(document)

The same document always gives the same bytes. Texts are data: none of them is read as markup, no file is opened and no
address is asked. What outsiders wrote is made harmless first (`drawable`): one line, no reordering, none but letters
that the bundled typeface has, and an end to the length. Setting happens in a thread of its own, one document at a time,
so that the event loop goes on and memory stays bounded; further callers wait.

See docs/adr/0012-documents-are-set-by-typst.md.
"""

import asyncio
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import orjson
import typst

from schemas.errors import ProtocolError
from service.i18n import N_

MEDIA_TYPE: Final = "application/pdf"
PAGE_WORDS: Final = N_("Page {page} of {pages}")
"""What stands at the foot of each page; the numbers are put in while the pages are set."""
NOT_DRAWN: Final = "□"
LONGEST_TEXT: Final = 2_000
"""In characters: a longer text ends with an ellipsis. Whoever needs all of it has the file for machines."""

# Letters, digits and signs of the bundled typeface for Latin, Greek and Cyrillic: first and last of each run. Other
# scripts, marks that combine, and what joins or reorders are left out on purpose: some make the typesetter fail.
_RUNS: Final = (
    (0x20, 0x7E), (0xA1, 0xAC), (0xAE, 0x24F), (0x384, 0x38A), (0x38C, 0x38C), (0x38E, 0x3A1), (0x3A3, 0x482),
    (0x48A, 0x4FF), (0x1E00, 0x1EFF), (0x2010, 0x2026), (0x2030, 0x203A), (0x20A0, 0x20C0), (0x2116, 0x2116),
    (0x2122, 0x2122), (0x2190, 0x2193), (0x25A1, 0x25A1), (0x2713, 0x2713),
)  # fmt: skip
_FORM: Final = Path(__file__).parent / "templates" / "document.typ"
_STARTS: Final = [first for first, _ in _RUNS]


class CannotBeSet(ProtocolError):
    """The typesetter refused a document, or failed on it. Nothing of the document is in the message."""

    error = "document_failed"
    status = 500


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they are."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Items:
    """Several things; `in_order` when one came after the other."""

    items: tuple[str, ...]
    in_order: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """The words of somebody else, and whose they are."""

    text: str
    by: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Words of ours."""

    text: str


Block = Facts | Items | Quote | Paragraph


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it. `level` is 2, or 3 below a section of level 2."""

    title: str
    blocks: tuple[Block, ...]
    level: int = 2


@dataclass(frozen=True, slots=True)
class Document:
    """A document in one language. `made_on` is the day that stands in its properties."""

    title: str
    language: str
    made_on: date
    page_words: str
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()


def drawable(text: str) -> str:
    """A text as it can be set: on one line, in letters that can be drawn, of at most `LONGEST_TEXT` characters.

    What cannot be drawn becomes an empty square, so that a reader sees that something is missing; what reorders the
    text around it, or is not seen, goes.
    """
    cut = text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
    one_line = " ".join("".join(_without_hidden(cut)).split())
    return "".join(sign if _is_drawn(sign) else NOT_DRAWN for sign in unicodedata.normalize("NFC", one_line))


def _without_hidden(text: str) -> Sequence[str]:
    return ["" if unicodedata.category(sign) == "Cf" else " " if _is_blank(sign) else sign for sign in text]


def _is_blank(sign: str) -> bool:
    return sign.isspace() or unicodedata.category(sign) == "Cc"


def _is_drawn(sign: str) -> bool:
    place = bisect_right(_STARTS, ord(sign)) - 1
    return place >= 0 and ord(sign) <= _RUNS[place][1]


def is_whole(text: str) -> bool:
    """Whether a text is set as it is, apart from blanks: nothing of it cut off and no letter missing."""
    return NOT_DRAWN not in drawable(text) and len(text) <= LONGEST_TEXT


async def pdf_of(document: Document) -> bytes:
    """The document as PDF/UA-1. Waits for its turn. Raises `CannotBeSet`."""
    return await asyncio.get_running_loop().run_in_executor(_executor(), partial(pdf_now, document))


def pdf_now(document: Document) -> bytes:
    """The document as PDF/UA-1, set in this thread. Raises `CannotBeSet`."""
    said = orjson.dumps(_as_data(document)).decode()
    try:
        made = typst.compile(
            _FORM,
            root=_FORM.parent,  # Whatever a form may open lies beside it.
            ignore_system_fonts=True,  # The same bytes on every machine.
            sys_inputs={"document": said},
            pdf_standards="ua-1",
            timestamp=0,
        )
    except BaseException as exc:
        # What the typesetter's own code fails on arrives as `PanicException`, which is no `Exception`.
        if isinstance(exc, Exception) or type(exc).__name__ == "PanicException":
            raise CannotBeSet(type(exc).__name__) from None
        raise
    if not isinstance(made, bytes):
        raise CannotBeSet("several files")
    return made


def _as_data(document: Document) -> dict[str, Any]:
    day = document.made_on
    return {
        "title": drawable(document.title) or "–",
        "language": document.language,
        "made_on": [day.year, day.month, day.day],
        "page": document.page_words,
        "blocks": [_block(block) for block in document.blocks],
        "sections": [
            {
                "title": drawable(section.title) or "–",
                "level": section.level,
                "blocks": [_block(block) for block in section.blocks],
            }
            for section in document.sections
        ],
    }


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Facts(pairs):
            return {"kind": "facts", "pairs": [[drawable(name), drawable(said) or "–"] for name, said in pairs]}
        case Items(items, in_order):
            return {"kind": "steps" if in_order else "list", "items": [drawable(item) or "–" for item in items]}
        case Quote(text, by):
            return {"kind": "quote", "text": drawable(text) or "–", "by": drawable(by) or "–"}
        case Paragraph(text):
            return {"kind": "text", "text": drawable(text) or "–"}


@cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="documents")
