"""Personal identity numbers, recognised so that they are left out wherever they turn up."""

import re
import unicodedata

_DASHES = dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-")
_NUMBER_WITHIN = re.compile(r"(?<![0-9])(?:[0-9]{2})?[0-9]{6}[-+ ]?[0-9]{4}(?![0-9])")

LEFT_OUT = "••••••••"
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


def looks_like_personal_number(value: str) -> bool:
    """Whether the text could be a Swedish personal identity or coordination number.

    It is 10 or 12 digits with hyphen or plus, begins with a day of a year (a coordination number with the day plus 60),
    and its check digit holds.
    """
    digits = "".join(c for c in value if c.isdecimal() and c.isascii())
    if len(digits) not in (10, 12) or any(not (c.isdecimal() or c in "-+ ") for c in value):
        return False
    month, day = int(digits[-8:-6]), int(digits[-6:-4])
    if not (1 <= month <= 12 and (1 <= day <= 31 or 61 <= day <= 91)):
        return False
    doubled = (int(c) * (2 - i % 2) for i, c in enumerate(digits[-10:]))
    return sum(d // 10 + d % 10 for d in doubled) % 10 == 0


def holds_personal_number(text: str) -> bool:
    """Whether such a number stands somewhere in the text, in whatever digits and dashes it is written."""
    return any(looks_like_personal_number(found) for found in _NUMBER_WITHIN.findall(_plain(text)))


def without_personal_numbers(text: str) -> str:
    """The text with dots in the place of every such number; the very same text when there is none."""
    if not holds_personal_number(text):
        return text
    return _NUMBER_WITHIN.sub(
        lambda found: LEFT_OUT if looks_like_personal_number(found[0]) else found[0], _plain(text)
    )


def _plain(text: str) -> str:
    # Signs that nobody sees must not part what is read as one number.
    seen = "".join(one for one in unicodedata.normalize("NFKC", text) if unicodedata.category(one) != "Cf")
    return seen.translate(_DASHES)
