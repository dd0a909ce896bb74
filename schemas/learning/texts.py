"""Texts in several languages, as language maps: `{"sv": "Brandskydd", "en": "Fire safety"}`.

A key is a language tag in lower case (`sv`, `en`, `pt-br`), or `und` when the source did not say. A map that exists
holds at least one text, none of them empty. Texts from outside are data: pages escape them.
"""

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

UNKNOWN_LANGUAGE = "und"
MAX_TEXT_CHARACTERS = 4000

_LANGUAGE_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}")
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)
_INLINE_SPACE = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")


def language_tag(value: str | None) -> str:
    """The language tag in lower case, or `und` when it is missing or not one (RFC 5646 in the short forms met here)."""
    tag = (value or "").strip().lower().replace("_", "-")
    return tag if _LANGUAGE_TAG.fullmatch(tag) else UNKNOWN_LANGUAGE


def clean_text(value: str, *, multiline: bool = False) -> str:
    """The text without control and direction-override characters, with single spaces, and line breaks only on request.

    Direction overrides are removed because a title that reads differently from how it is stored can mislead a person.
    """
    text = _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
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


def in_language(texts: Mapping[str, str] | None, language: str) -> str:
    """The text in that language; else in the same base language, English, Swedish, or whatever is there; else ''."""
    if not texts:
        return ""
    base = language.split("-")[0]
    for wanted in (language, base, "en", "sv", UNKNOWN_LANGUAGE):
        if wanted in texts:
            return texts[wanted]
    related = (text for tag, text in texts.items() if tag.split("-")[0] == base)
    return next(related, next(iter(texts.values())))
