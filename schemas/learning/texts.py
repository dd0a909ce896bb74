"""Texts in several languages, as language maps: `{"sv": "Brandskydd", "en": "Fire safety"}`.

A key is a language tag in lower case (`sv`, `en`, `pt-br`), or `und` when the source did not say. A map that exists
holds at least one text, none of them empty. Texts from outside are data: pages escape them.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

UNKNOWN_LANGUAGE = "und"
MAX_TEXT_CHARACTERS = 4000

_LANGUAGE_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}")
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e"
    r"\u2060-\u206f\u2800\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
"""Controls, direction overrides, and characters that show nothing and say nothing. Joiners (U+200C, U+200D) stay:
Persian names and many emoji are written with them."""
_MARKS = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_STACKED_MARKS = re.compile(rf"({_MARKS}{{6}}){_MARKS}+")
_INLINE_SPACE = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")


def language_tag(value: str | None) -> str:
    """The language tag in lower case, or `und` when it is missing or not one (RFC 5646 in the short forms met here)."""
    tag = (value or "").strip().lower().replace("_", "-")
    return tag if _LANGUAGE_TAG.fullmatch(tag) else UNKNOWN_LANGUAGE


def clean_text(value: str, *, multiline: bool = False) -> str:
    """The text without control and direction-override characters, with single spaces, and line breaks only on request.

    Direction overrides are removed because a title that reads differently from how it is stored can mislead a person.
    Letters are composed (Unicode NFC), so that one name is one name whichever system wrote it. A text in which nothing
    can be seen is empty.
    """
    text = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n"))
    text = _STACKED_MARKS.sub(r"\1", _CONTROL.sub("", text))
    if not any(unicodedata.category(character)[0] in "LNPS" for character in text):
        return ""
    if not multiline:
        return " ".join(text.split())
    lines = (_INLINE_SPACE.sub(" ", line).strip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def _checked(value: dict[str, str]) -> dict[str, str]:
    if not value:
        raise ValueError("a text needs at least one language")
    for tag, text in value.items():
        if tag != UNKNOWN_LANGUAGE and not _LANGUAGE_TAG.fullmatch(tag):
            raise ValueError(f"{tag[:20]!r} is not a language tag")
        if not text or len(text) > MAX_TEXT_CHARACTERS or text != text.strip() or _CONTROL.search(text):
            raise ValueError(f"the text for {tag} is empty, too long, or holds characters that a text cannot hold")
    return dict(sorted(value.items()))


Texts = Annotated[dict[str, str], AfterValidator(_checked)]
"""A language map: tag to text, in the order of the tags so that equal maps look equal."""


def nearest_language(texts: Mapping[str, str], language: str) -> str:
    """The key of the text to show: that language or a variant of it, else English, Swedish, or whatever is there.

    `texts` is not empty.
    """
    base = language.split("-")[0]
    for wanted in (language, base):
        if wanted in texts:
            return wanted
    related = next((tag for tag in texts if tag.split("-")[0] == base), None)
    return related or next((tag for tag in ("en", "sv", UNKNOWN_LANGUAGE) if tag in texts), next(iter(texts)))


def in_language(texts: Mapping[str, str] | None, language: str) -> str:
    """The text in that language; else in a variant of it, in English, Swedish, or whatever is there; else ''."""
    return texts[nearest_language(texts, language)] if texts else ""


def foreign_language(texts: Mapping[str, str] | None, language: str) -> str:
    """The language in which `in_language` answers, when it is another than that of the page, and known; else ''.

    It belongs into the `lang` of the part of the page (WCAG 3.1.2).
    """
    tag = nearest_language(texts, language) if texts else UNKNOWN_LANGUAGE
    return "" if tag == UNKNOWN_LANGUAGE or tag.split("-")[0] == language.split("-")[0] else tag
