"""How claims read to a person: labels and values in Swedish and English, and the card of a certificate.

Values come from outside and are data: what is of an unexpected form is shown as text and never trusted as markup.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_decimal

from schemas.learning.texts import foreign_language, in_language
from schemas.power import PowerBasis
from schemas.types.claims import ConcretePath, ValueType

_LOCALES = {"sv": "sv_SE", "en": "en_GB"}
_HOURS = re.compile(r"PT([0-9]{1,6}(?:\.[0-9]{1,3})?)H")
_WORDS = {
    "sv": {"all": "Alla", "yes": "Ja", "no": "Nej", "hour": "timmar", "hp": "hp", "ects": "ECTS"},
    "en": {"all": "All", "yes": "Yes", "no": "No", "hour": "hours", "hp": "Swedish credits", "ects": "ECTS"},
}

_POWER_BASES: Mapping[str, Mapping[str, str]] = {
    "sv": {
        PowerBasis.GUARDIAN_OF_CHILD: "Vårdnadshavare för ett barn",
        PowerBasis.DECISION: "Beslut om god man eller förvaltare",
        PowerBasis.POWER_OF_ATTORNEY: "Fullmakt",
    },
    "en": {
        PowerBasis.GUARDIAN_OF_CHILD: "Guardian of a child",
        PowerBasis.DECISION: "Decision that appoints a guardian or trustee",
        PowerBasis.POWER_OF_ATTORNEY: "Power of attorney",
    },
}


@dataclass(frozen=True, slots=True)
class Part:
    """One text of a value. `language` is a tag when the text is known to be in another language than the card's."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class CardLine:
    """One thing a certificate says: its label, its value for people, and the path of the claim.

    `parts` hold the same as `value`, text by text, each with its language where it is another than the card's, so that
    it can be marked on the page (WCAG 3.1.2).
    """

    label: str
    value: str
    path: ConcretePath
    hidden_unless_shared: bool
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """A certificate as a person reads it. Texts are in the wanted language where the certificate has it.

    `title`, `issuer`, `date`, `level` and `credits` are short and can be empty; `lines` hold all it says, in order.
    `title_language` and `issuer_language` are as in `Part`.
    """

    type_name: str
    title: str
    issuer: str
    date: str
    level: str
    credits: str
    lines: tuple[CardLine, ...]
    title_language: str = ""
    issuer_language: str = ""


def display_value(value: Any, value_type: ValueType | None, language: str) -> str:
    """The value as a person reads it: dates and numbers in the language's way, language maps in the best language.

    A value that does not have the form of its type is shown as it is.
    """
    language = _supported(language)
    for wanted, shown in (
        (("texts",), _texts),
        (("texts_list",), _texts_list),
        (("number", "level"), _number),
        (("percent",), _percent),
        (("date",), _date),
        (("time",), _time),
        (("hours",), _duration),
        (("country",), _country),
        (("languages",), _languages),
        (("boolean",), _boolean),
        (("types",), _types),
        (("hosts",), _hosts),
        (("power_basis",), _power_basis),
    ):
        if value_type in wanted:
            text = shown(value, language)
            if text is not None:
                return text
    return plain_value(value, language)


def display_parts(value: Any, value_type: ValueType | None, language: str) -> tuple[Part, ...]:
    """What `display_value` says, text by text, with the language of texts that the record has in no other."""
    maps = value if value_type == "texts_list" else [value] if value_type == "texts" else None
    if isinstance(maps, list) and maps and all(_texts(one, language) for one in maps):
        return tuple(Part(_texts(one, language) or "", foreign_language(one, language)) for one in maps)
    return (Part(display_value(value, value_type, language)),)


def text_language(value: Any, language: str) -> str:
    """The language of a language map's text as in `Part`; '' for what is no language map."""
    return foreign_language(value, language) if _texts(value, language) is not None else ""


def _supported(language: str) -> str:
    return "sv" if language.split("-")[0] == "sv" else "en"


def plain_value(value: Any, language: str) -> str:
    """A value of unknown type in the most readable way that loses nothing."""
    language = _supported(language)
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return _boolean(value, language) or ""
    if isinstance(value, int | float):
        return _number(value, language) or ""
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return ", ".join(plain_value(item, language) for item in value)
    return json.dumps(value, ensure_ascii=False)


def _power_basis(value: Any, language: str) -> str | None:
    return _POWER_BASES[language].get(value) if isinstance(value, str) else None


def _texts(value: Any, language: str) -> str | None:
    if isinstance(value, Mapping) and value and all(isinstance(text, str) for text in value.values()):
        return in_language(value, language)
    return None


def _texts_list(value: Any, language: str) -> str | None:
    if not isinstance(value, list):
        return None
    texts = [_texts(item, language) for item in value]
    return "\n".join(text for text in texts if text) if all(texts) else None


def _number(value: Any, language: str) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) > 1e15:
        return None
    return str(format_decimal(value, format="#,##0.###", locale=_LOCALES[language]))


def _percent(value: Any, language: str) -> str | None:
    number = _number(value, language)
    return f"{number}\u00a0%" if language == "sv" and number else f"{number}%" if number else None


def _date(value: Any, language: str) -> str | None:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and len(value) == 10 else None
    except ValueError:
        return None
    return str(format_date(day, format="long", locale=_LOCALES[language])) if day else None


def _time(value: Any, language: str) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 253_402_300_800:
        return None
    return str(format_date(datetime.fromtimestamp(value, UTC).date(), format="long", locale=_LOCALES[language]))


def _duration(value: Any, language: str) -> str | None:
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    return f"{_number(float(found[1]), language)} {_WORDS[language]['hour']}" if found else None


def _country(value: Any, language: str) -> str | None:
    return Locale(language).territories.get(value) if isinstance(value, str) else None


def _languages(value: Any, language: str) -> str | None:
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        return None
    return ", ".join(_language_name(tag, language) for tag in value)


def _language_name(tag: str, language: str) -> str:
    try:
        return Locale.parse(tag, sep="-").get_display_name(language) or tag
    except (ValueError, UnknownLocaleError):
        return tag


def _boolean(value: Any, language: str) -> str | None:
    return _WORDS[language]["yes" if value else "no"] if isinstance(value, bool) else None


def _types(value: Any, language: str) -> str | None:
    from schemas.types import type_of  # The table of types is made of modules that need this one.

    def called(vct: str) -> str:
        known = type_of(vct)
        return known.title(language) if known is not None else vct

    return _listed(value, language, called)


def _hosts(value: Any, language: str) -> str | None:
    return _listed(value, language, str)


def _listed(value: Any, language: str, called: Callable[[str], str]) -> str | None:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return None
    return _WORDS[language]["all"] if value == ["all"] else ", ".join(map(called, value))


def credits_line(claims: Mapping[str, Any], language: str) -> str:
    """Credits in one line: Swedish ones first for a Swedish reader, and only once when both systems say the same."""
    language = _supported(language)
    swedish, ects = (_number(claims.get(name), language) for name in ("swedish_credits", "credits"))
    words = _WORDS[language]
    if swedish and (language == "sv" or not ects):
        return f"{swedish} {words['hp']}"
    return f"{ects} {words['ects']}" if ects else ""


def level_line(claims: Mapping[str, Any]) -> str:
    """Levels in one line: `EQF 6, SeQF 6`."""
    levels = (("EQF", claims.get("level_of_learning_experience")), ("SeQF", claims.get("seqf_level")))
    return ", ".join(
        f"{name} {level}" for name, level in levels if isinstance(level, int) and not isinstance(level, bool)
    )
