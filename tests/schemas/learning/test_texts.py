"""Texts from outside: what can be seen stays, what misleads goes, and the language of a text is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.learning.texts import clean_text, foreign_language, in_language, nearest_language


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Sjo\u0308berg", "Sjöberg"),  # decomposed, as some systems write it
        ("A\u030asa", "Åsa"),
        ("محمد\u202e الخوارزمي", "محمد الخوارزمي"),  # direction override
        ("می\u200cخواهم", "می\u200cخواهم"),  # a joiner that Persian is written with
        ("👩\u200d🎓", "👩\u200d🎓"),
        ("O’Brien <b>& Söner", "O’Brien <b>& Söner"),
        ("Nguyễn Thị Ánh", "Nguyễn Thị Ánh"),
        ("李 明", "李 明"),
        ("data\u00adsäkerhet", "datasäkerhet"),
        ("a\u2028b\x85c", "a b c"),
        ("Z" + "\u0301" * 400 + "oe", "\u0179" + "\u0301" * 6 + "oe"),
        ("\u3164", ""),
        ("\u2800\u00ad\u200b", ""),
        ("\u0301\u0301", ""),
        (" \u00a0 ", ""),
        ("🎓", "🎓"),
    ],
)
def test_names_of_all_kinds_are_kept_as_people_see_them(written: str, kept: str) -> None:
    """One name is one name, however a system wrote it, and a name that nobody can see is none."""
    assert clean_text(written) == kept


@given(st.text(max_size=200))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    """In both forms."""
    for multiline in (False, True):
        cleaned = clean_text(text, multiline=multiline)
        assert clean_text(cleaned, multiline=multiline) == cleaned
        assert cleaned == cleaned.strip()


@pytest.mark.parametrize(
    ("tags", "reader", "chosen", "marked"),
    [
        (("sv", "en"), "sv", "sv", ""),
        (("fi", "en"), "sv", "en", "en"),
        (("fi",), "sv", "fi", "fi"),
        (("pl", "da"), "en", "pl", "pl"),
        (("en-gb", "sv"), "en", "en-gb", ""),
        (("sv", "und"), "en", "sv", "sv"),
        (("und",), "en", "und", ""),
    ],
)
def test_the_language_of_a_text_is_known_where_it_is_another(
    tags: tuple[str, ...], reader: str, chosen: str, marked: str
) -> None:
    """A screen reader then says a Finnish title in Finnish (WCAG 3.1.2)."""
    texts = {tag: f"text {tag}" for tag in tags}
    assert nearest_language(texts, reader) == chosen
    assert in_language(texts, reader) == f"text {chosen}"
    assert foreign_language(texts, reader) == marked


def test_no_text_has_no_language() -> None:
    """Nothing to say, nothing to mark."""
    assert (in_language(None, "sv"), foreign_language(None, "sv"), foreign_language({}, "sv")) == ("", "", "")
