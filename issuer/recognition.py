"""Who signed in: the claims of a sign-in are matched with the learners of imported results, exactly or not at all.

The operator says which claim of the sign-in means what (`ISSUER_LOGIN_MATCH`), one pair per line or separated by
commas: `CLAIM=FIELD`. Fields are `identifier:TYPE` (an identifier of the results, with its type as the results write
it), `student_number`, `birth_date`, `given_name` and `family_name`.

    rules = read_match_rules("https://id.example/pnr=identifier:nationalIdentifier")
    features = features_of_claims(claims, rules, on=today)     # raises `NotRecognised` when a claim is missing
    records = store.results.of_learner(features, on=today)
    same_person(records)                                       # raises `NotRecognised` unless they can be one person's

All rules must match. A name alone never does: two people can share one.

An identifier is compared as it is written, without the blanks around it: a sign between its parts, a leading zero or a
capital letter can be all that tells two people apart. Only Swedish national numbers have several spellings, and are
compared by their twelve digits (`national_number`).
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.errors import Malformed, Refused
from schemas.learning.achievement import Learner
from schemas.learning.personal_numbers import national_number, spellings_of_national_number

Feature = tuple[str, str]
"""What is matched: the name of a field, and its value in the one spelling in which it is compared."""

_NAMES = ("given_name", "family_name")
_FIELDS = ("student_number", "birth_date", *_NAMES)
_IDENTIFIER = "identifier:"
_DATE = re.compile(r"(\d{4})([-./]?)(\d{2})\2(\d{2})")
_MAX_VALUE = 500
_NATIONAL_DIGITS = 12


class NotRecognised(Refused):
    """The sign-in matches no record, or the records of more than one person: nothing is issued."""

    error = "not_recognised"


@dataclass(frozen=True, slots=True)
class MatchRule:
    """One claim of the sign-in that must equal one field of a record."""

    claim: str
    field: str


def read_match_rules(text: str) -> tuple[MatchRule, ...]:
    """Read the setting. Raises `Malformed` naming the pair that is wrong, and when the rules could not tell two
    people apart."""
    rules = []
    for pair in re.split(r"[,\n]", text):
        if not pair.strip():
            continue
        claim, separator, field = (part.strip() for part in pair.rpartition("="))
        is_identifier = field.startswith(_IDENTIFIER) and len(field) > len(_IDENTIFIER)
        if not separator or not claim or not (field in _FIELDS or is_identifier):
            raise Malformed(f"{pair.strip()!r} is not CLAIM=FIELD with a field that records have")
        rules.append(MatchRule(claim, field))
    fields = {rule.field for rule in rules}
    points_at_one = any(field.startswith(_IDENTIFIER) or field == "student_number" for field in fields)
    if rules and not points_at_one and not fields >= {"birth_date", *_NAMES}:
        raise Malformed(
            "these fields do not tell two people apart: match an identifier, a student number, or birth date, given "
            "name and family name together"
        )
    return tuple(rules)


def features_of_claims(claims: Mapping[str, Any], rules: Sequence[MatchRule], *, on: date) -> list[Feature]:
    """What the sign-in says about the person on this day, in the words of records.

    Raises `NotRecognised` for a missing claim.
    """
    found = []
    for rule in rules:
        value = claims.get(rule.claim)
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(text, str) or not text.strip() or len(text) > _MAX_VALUE:
            raise NotRecognised("the sign-in does not say what records are found by")
        found.append((rule.field, _normal(rule.field, text, on=on)))
    if not found:
        raise NotRecognised("nothing says how a sign-in is matched with records")
    return found


def features_of_learner(learner: Learner, *, on: date) -> list[Feature]:
    """Everything that a record's learner can be recognised by, as it was written on this day."""
    numbers = [(field, one_spelling(value, on=on)) for field, value in _numbers(learner)]
    return list(dict.fromkeys([*numbers, *features_of_names(learner)]))


def features_of_names(learner: Learner) -> list[Feature]:
    """The birth date and the names among them, which are no numbers."""
    named = {"birth_date": learner.birth_date, "given_name": learner.given_name, "family_name": learner.family_name}
    return [(field, _one_name(field, str(value))) for field, value in named.items() if value]


def unmistakable(learner: Learner, *, on: date) -> list[str]:
    """What only this person's records have in common: each number of the person with its type, or birth date and both
    names together; nothing when two people could have the same."""
    numbers = ["=".join(feature_of_identifier(one.type, one_spelling(one.value, on=on))) for one in learner.identifiers]
    known = dict(features_of_names(learner))
    whole = [f"{field}={known[field]}" for field in ("birth_date", *_NAMES) if field in known]
    return list(dict.fromkeys(numbers)) or (["\x1f".join(whole)] if len(whole) == 1 + len(_NAMES) else [])


def identifiers_among(features: Iterable[Feature]) -> list[Feature]:
    """The identifiers among features, each with its type as the name."""
    return [(field.removeprefix(_IDENTIFIER), value) for field, value in features if field.startswith(_IDENTIFIER)]


def feature_of_identifier(kind: str, value: str) -> Feature:
    """The feature of an identifier of this type, in the spelling in which it is compared."""
    return _IDENTIFIER + kind, value


def one_spelling(value: str, *, on: date) -> str:
    """The spelling in which a number is compared that was written on this day."""
    value = value.strip()
    return national_number(value, on=on) or value


def spellings(value: str, *, on: date) -> tuple[str, ...]:
    """Everything whose `one_spelling` is this value."""
    is_national = len(value) == _NATIONAL_DIGITS and national_number(value, on=on) is not None
    return spellings_of_national_number(value, on=on) if is_national else (value,)


def same_person(learners: Iterable[Learner]) -> None:
    """Raise `NotRecognised` unless these learners can be one person: birth dates, and identifiers of one type, agree.

    The learners are those of records as they are kept: with one mark for each national number, however it was written.
    Names may differ: people change them.
    """
    seen: dict[str, str] = {}
    count = 0
    for learner in learners:
        count += 1
        for field, value in (*_numbers(learner), *features_of_names(learner)):
            if field not in _NAMES and seen.setdefault(field, value) != value:
                raise NotRecognised("the sign-in matches the records of more than one person")
    if not count:
        raise NotRecognised("the sign-in matches no record")


def _numbers(learner: Learner) -> list[Feature]:
    """The numbers of a learner as they are written."""
    numbers = [feature_of_identifier(one.type, one.value.strip()) for one in learner.identifiers]
    return [("student_number", learner.student_number.strip()), *numbers] if learner.student_number else numbers


def _normal(field: str, text: str, *, on: date) -> str:
    """The one spelling in which a value is compared."""
    return _one_name(field, text) if field in ("birth_date", *_NAMES) else one_spelling(text, on=on)


def _one_name(field: str, text: str) -> str:
    """The spelling in which a name or a birth date is compared."""
    text = unicodedata.normalize("NFKC", text).strip().casefold()
    if field != "birth_date":
        return " ".join(text.split())
    day = _DATE.fullmatch(text)
    return "".join(day.group(1, 3, 4)) if day else text
