"""Personal identity numbers, recognised so that they are left out wherever they turn up.

However a number is written, it is read as people read it: in the digits of any script, with any dash, point, space or
line end between its parts, with signs that nobody sees within, and as it stands in an address ("%2D"). What is found
must begin with a day and have the right check digit, so that ordinary numbers stay.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

_LETTERS_AS_DASHES: Final = frozenset("\u30fc\u1173\u3161\u4e00")
"""Letters of other scripts that are drawn as a dash."""
_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters that are drawn as nothing (Default_Ignorable_Code_Point of Unicode, UAX #44); all others are found by their
category."""
_IGNORED: Final = frozenset({"Cf", "Mn", "Mc", "Me", "Cn", "Cs"})
_OTHER: Final = "x"
_IN_PARTS: Final = "[-+_]"
_BEFORE_THE_LAST: Final = "[-+_:]"
_DAY: Final = rf"[0-9]{{2}}{_IN_PARTS}?[0-9]{{2}}{_IN_PARTS}?[0-9]{{2}}"
_WRITTEN: Final = tuple(
    re.compile(rf"(?<![0-9])(?=({form})(?![0-9]))")
    for form in (
        rf"[0-9]{{8}}{_BEFORE_THE_LAST}?[0-9]{{4}}",
        rf"(?:18|19|20){_IN_PARTS}?{_DAY}{_BEFORE_THE_LAST}?[0-9]{{4}}",
        rf"{_DAY}{_BEFORE_THE_LAST}?[0-9]{{4}}",
        rf"[0-9](?:{_IN_PARTS}[0-9]){{9}}",
        rf"(?:1{_IN_PARTS}[89]|2{_IN_PARTS}0)(?:{_IN_PARTS}[0-9]){{10}}",
    )
)
"""In what `_read` makes of a text: "-" is a single dash, ":" any run with a colon, "_" every other run of signs."""
_DAY_IN_PARTS: Final = rf"(?:[0-9]{{2}})?[0-9]{{2}}{_IN_PARTS}[0-9]{{2}}{_IN_PARTS}[0-9]{{2}}"
_DAY_AND_YEAR: Final = re.compile(rf"{_DAY_IN_PARTS}[_:](?:19|20)[0-9]{{2}}")
_DAY_AND_YEAR_OF_ANOTHER: Final = re.compile(rf"{_DAY_IN_PARTS}-(?:19|20)[0-9]{{2}}")
_REST_OF_A_DAY: Final = re.compile(rf"[-_][0-9]{{2}}{_IN_PARTS}[0-9]{{2}}(?![0-9])")
_MOST_NESTED: Final = 5
_ONE_NUMBER: Final = re.compile(r"(?:(18|19|20)([0-9]{6})-?|([0-9]{6})([-+]))([0-9]{4})")
"""A number as it is given of somebody: with its century, or with the sign that tells it."""
_ENCODED: Final = re.compile(r"(?:%(?:25)*[0-9A-Fa-f]{2})+")
_ONE_ENCODED: Final = re.compile(r"%(?:25)*([0-9A-Fa-f]{2})")

LEFT_OUT: Final = "••••••••"
"""Stands where a number was left out of a text."""

NATIONAL_IDENTIFIERS = frozenset(
    {
        "nationalidentifier",
        "nationalidentificationnumber",
        "nationalid",
        "personalidentitynumber",
        "personalnumber",
        "socialsecuritynumber",
        "ssn",
        "personnummer",
        "pnr",
        "cpr",
        "cprnummer",
        "hetu",
        "henkilötunnus",
        "fodselsnummer",
        "fødselsnummer",
        "pesel",
    }
)
"""Types of identifiers that hold personal identity numbers, in lower case, letters only."""


def is_national_type(kind: str) -> bool:
    """Whether an identifier of this type is a personal identity number by its very name."""
    return "".join(character for character in kind.casefold() if character.isalpha()) in NATIONAL_IDENTIFIERS


def national_number(text: str, *, on: date) -> str | None:
    """The twelve digits of a Swedish personal identity or coordination number, and None for every other text.

    It is written `YYYYMMDD-NNNN` with or without the hyphen, or `YYMMDD-NNNN`, where a plus sign in place of the hyphen
    stands from the year in which the person turns a hundred (folkbokföringslagen 1991:481, 18 §), the last of which is
    that of `on`. Ten digits without a sign do not tell the century, and are no number here.
    """
    found = _ONE_NUMBER.fullmatch(text)
    if found is None:
        return None
    century, whole, short, sign, last = found.groups()
    if century is None:
        year = on.year - (on.year - int(short[:2])) % 100 - (100 if sign == "+" else 0)
        century, whole = str(year // 100), short
    digits = f"{century}{whole}{last}"
    day = int(digits[6:8])
    try:
        # Of a coordination number it is the day plus 60.
        date(int(digits[:4]), int(digits[4:6]), day - 60 if day > 60 else day)
    except ValueError:
        return None
    return digits if _is_number(digits) else None


def spellings_of_national_number(digits: str, *, on: date) -> tuple[str, ...]:
    """Everything that `national_number` reads as these twelve digits."""
    short = (f"{digits[2:8]}{sign}{digits[8:]}" for sign in "-+")
    whole = (digits, f"{digits[:8]}-{digits[8:]}")
    return tuple(one for one in (*whole, *short) if national_number(one, on=on) == digits)


def looks_like_personal_number(value: str) -> bool:
    """Whether the text could be a Swedish personal identity or coordination number and nothing besides.

    It is 10 or 12 digits, whatever stands between them but letters, begins with a day of a year (a coordination number
    with the day plus 60), and its check digit holds.
    """
    signs = _read(value).signs
    return _OTHER not in signs and _is_number("".join(filter(str.isdigit, signs)))


def holds_personal_number(text: str) -> bool:
    """Whether such a number stands somewhere in the text, in whatever digits and dashes it is written."""
    return next(_found(text), None) is not None


def without_personal_numbers(text: str) -> str:
    """The text with dots in the place of every such number, all else as it was; the very same text when there is
    none."""
    for _ in range(_MOST_NESTED):
        spans = sorted(_found(text))
        if not spans:
            return text
        kept, end = [], 0
        for begins, ends in spans:
            if begins >= end:
                kept += [text[end:begins], LEFT_OUT]
            end = max(end, ends)
        # What stood around one may be read as one now.
        text = "".join((*kept, text[end:]))
    # Written to be taken apart without end: nothing of it is worth the time.
    return text if not holds_personal_number(text) else LEFT_OUT


@dataclass(frozen=True, slots=True)
class _Read:
    """A text as it is read for numbers: a digit, "-", "+", ":", "_" or "x" for each sign or run of signs, and where in
    the text each begins and ends."""

    signs: str
    spans: tuple[tuple[int, int], ...]


def _found(text: str) -> Iterator[tuple[int, int]]:
    """Where such numbers begin and end in the text. They may overlap."""
    readings = [_pieces(text)]
    if "%" in text:
        readings.append(_decoded(text))
    for pieces in readings:
        read = _read_pieces(pieces)
        for form in _WRITTEN:
            for match in form.finditer(read.signs):
                begins, ends = match.span(1)
                if _is_number("".join(filter(str.isdigit, match[1]))) and not _is_day_and_year(read.signs, match):
                    yield read.spans[begins][0], read.spans[ends - 1][1]


def _is_number(digits: str) -> bool:
    if len(digits) not in (10, 12):
        return False
    month, day = int(digits[-8:-6]), int(digits[-6:-4])
    if not (1 <= month <= 12 and (1 <= day <= 31 or 61 <= day <= 91)):
        return False
    doubled = (int(c) * (2 - i % 2) for i, c in enumerate(digits[-10:]))
    return sum(d // 10 + d % 10 for d in doubled) % 10 == 0


def _is_day_and_year(signs: str, match: re.Match[str]) -> bool:
    """A day in parts with a year beside it ("2026-11-20 2027"), or with another day: no number, whatever its check
    digit would be. Between a day and the last four digits of a number stands a dash alone, or their year is none."""
    if _DAY_AND_YEAR.fullmatch(match[1]):
        return True
    return bool(_DAY_AND_YEAR_OF_ANOTHER.fullmatch(match[1]) and _REST_OF_A_DAY.match(signs, match.end(1)))


def _read(text: str) -> _Read:
    return _read_pieces(_pieces(text))


def _pieces(text: str) -> Iterator[tuple[str, int, int]]:
    return ((one, at, at + 1) for at, one in enumerate(text))


def _decoded(text: str) -> Iterator[tuple[str, int, int]]:
    """The same with what is written as in an address, once or several times over, as what it stands for."""
    end = 0
    for run in _ENCODED.finditer(text):
        yield from ((text[at], at, at + 1) for at in range(end, run.start()))
        units = list(_ONE_ENCODED.finditer(text, run.start(), run.end()))
        first = 0
        for one in bytes(int(unit[1], 16) for unit in units).decode("utf-8", "surrogateescape"):
            last = first + len(one.encode("utf-8", "surrogateescape"))
            yield one, units[first].start(), units[last - 1].end()
            first = last
        end = run.end()
    yield from ((text[at], at, at + 1) for at in range(end, len(text)))


def _read_pieces(pieces: Iterator[tuple[str, int, int]]) -> _Read:
    signs: list[str] = []
    spans: list[tuple[int, int]] = []
    for one, begins, ends in pieces:
        for sign in _signs_of(one):
            if sign in "-+:_" and signs and signs[-1] in "-+:_":
                signs[-1] = ":" if ":" in (sign, signs[-1]) else "_"
                spans[-1] = spans[-1][0], ends
            else:
                signs.append(sign)
                spans.append((begins, ends))
    return _Read("".join(signs), tuple(spans))


@lru_cache(maxsize=4096)
def _signs_of(character: str) -> str:
    return "".join(map(_sign_of, unicodedata.normalize("NFKC", character)))


def _sign_of(one: str) -> str:
    category = unicodedata.category(one)
    digit = unicodedata.digit(one, None)
    if digit is not None:
        return str(digit)
    if category in _IGNORED or one in _FILLERS:
        return ""
    if one in "+:":
        return one
    if category == "Pd" or one in _LETTERS_AS_DASHES or one in "\u2212\u02d7":
        return "-"
    return "_" if category[0] in "PSZ" or category == "Cc" else _OTHER
