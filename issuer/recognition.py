"""Who signed in: the claims of a sign-in are matched with the learners of imported results, exactly or not at all.

The operator says which claim of the sign-in means what (`ISSUER_LOGIN_MATCH`), one pair per line or separated by
commas: `CLAIM=FIELD`. Fields are `identifier:TYPE` (an identifier of the results, with its type as the results write
it), `student_number`, `birth_date`, `given_name` and `family_name`.

    rules = read_match_rules("https://id.example/pnr=identifier:nationalIdentifier")
    features = features_of_claims(claims, rules)       # raises `NotRecognised` when a claim is missing
    records = store.results.of_learner(features)
    same_person(records)                               # raises `NotRecognised` when they cannot be one person's

All rules must match. A name alone never does: two people can share one.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.errors import Malformed, Refused
from schemas.learning.achievement import Learner

Feature = tuple[str, str]
"""What is matched: the name of a field, and its value in the one spelling in which it is compared."""

_NAMES = ("given_name", "family_name")
_FIELDS = ("student_number", "birth_date", *_NAMES)
_IDENTIFIER = "identifier:"
_SEPARATORS = re.compile(r"[\s.\-+/]")
_MAX_VALUE = 500


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


def features_of_claims(claims: Mapping[str, Any], rules: Sequence[MatchRule]) -> list[Feature]:
    """What the sign-in says about the person, in the words of records. Raises `NotRecognised` for a missing claim."""
    found = []
    for rule in rules:
        value = claims.get(rule.claim)
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(text, str) or not text.strip() or len(text) > _MAX_VALUE:
            raise NotRecognised("the sign-in does not say what records are found by")
        found.append((rule.field, _normal(rule.field, text)))
    if not found:
        raise NotRecognised("nothing says how a sign-in is matched with records")
    return found


def features_of_learner(learner: Learner) -> list[Feature]:
    """Everything that a record's learner can be recognised by."""
    named: list[tuple[str, str | date | None]] = [
        ("student_number", learner.student_number),
        ("birth_date", learner.birth_date),
        ("given_name", learner.given_name),
        ("family_name", learner.family_name),
        *((_IDENTIFIER + identifier.type, identifier.value) for identifier in learner.identifiers),
    ]
    return list({(field, _normal(field, str(value))): None for field, value in named if value})


def unmistakable(learner: Learner) -> list[str]:
    """What only this person's records have in common: each number of the person with its type, or birth date and both
    names together; nothing when two people could have the same."""
    known = dict(features_of_learner(learner))
    numbers = [f"{field}={value}" for field, value in known.items() if field.startswith(_IDENTIFIER)]
    whole = [f"{field}={known[field]}" for field in ("birth_date", *_NAMES) if field in known]
    return numbers or (["\x1f".join(whole)] if len(whole) == 1 + len(_NAMES) else [])


def same_person(learners: Iterable[Learner]) -> None:
    """Raise `NotRecognised` unless these learners can be one person: birth dates, and identifiers of one type, agree.

    Names may differ: people change them.
    """
    seen: dict[str, str] = {}
    count = 0
    for learner in learners:
        count += 1
        for field, value in features_of_learner(learner):
            if field not in _NAMES and seen.setdefault(field, value) != value:
                raise NotRecognised("the sign-in matches the records of more than one person")
    if not count:
        raise NotRecognised("the sign-in matches no record")


def _normal(field: str, text: str) -> str:
    """The one spelling in which a value is compared."""
    text = unicodedata.normalize("NFKC", text).strip().casefold()
    if field == "birth_date":
        digits = _SEPARATORS.sub("", text)
        return digits if re.fullmatch(r"\d{8}", digits) else text
    if field in _NAMES:
        return " ".join(text.split())
    return _SEPARATORS.sub("", text)
