"""How sensitive a claim is: what needs a yes of its own, and which alternative reveals least.

    kind_of(("address", "street_address"), "Storgatan 1")   # Kind.ADDRESS
    weight(("birth_date",))                                 # 60

The kinds are those of consent.md, CS-18. They are found by the names of the claims, which the credential formats share
(EUDI PID, OpenID Connect, our own types), and for failed grades by the value. A name that nobody knows is ordinary:
the person still sees its value before deciding.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final


class Kind(StrEnum):
    """Kinds of claims that are never shared without the person's yes to that very item (CS-18)."""

    BIOMETRIC = "biometric"
    PORTRAIT = "portrait"
    IDENTITY_NUMBER = "identity_number"
    HEALTH = "health"
    ADDRESS = "address"
    FAILED_GRADE = "failed_grade"
    UNION = "union"


_NAMES: Final[dict[Kind, frozenset[str]]] = {
    Kind.BIOMETRIC: frozenset({"biometric", "biometrics", "fingerprint", "fingerprints", "iris", "face_template"}),
    Kind.PORTRAIT: frozenset({"portrait", "picture", "photo", "photograph", "face", "facial_image"}),
    Kind.IDENTITY_NUMBER: frozenset(
        {
            "personal_administrative_number",
            "personal_identity_number",
            "personal_identification_number",
            "personal_identifier",
            "personal_number",
            "personnummer",
            "samordningsnummer",
            "national_id",
            "national_identifier",
            "national_identification_number",
            "social_security_number",
            "ssn",
            "tax_id",
            "document_number",
            "passport_number",
        }
    ),
    Kind.HEALTH: frozenset(
        {"health", "diagnosis", "disability", "disabilities", "medical", "medication", "allergies", "special_needs"}
        | {"health_information", "sick_leave", "vaccination", "blood_type"}
    ),
    Kind.ADDRESS: frozenset(
        {"address", "street_address", "resident_address", "resident_street", "resident_city", "resident_postal_code"}
        | {"home_address", "postal_address", "place_of_residence", "street", "postal_code", "postcode", "house_number"}
        | {"resident_house_number", "current_address"}
    ),
    Kind.UNION: frozenset({"union", "trade_union", "union_membership", "trade_union_membership"}),
}
_KIND_BY_NAME: Final = {name: kind for kind, names in _NAMES.items() for name in names}

_GRADE_NAMES: Final = frozenset({"result", "score", "mark", "betyg", "result_label", "outcome"})
_FAILED: Final = frozenset(
    {"f", "fx", "u", "ug", "ig", "uk", "underkänd", "underkänt", "icke godkänd", "icke godkänt", "ej godkänd"}
    | {"fail", "failed", "not passed", "not approved", "hylätty", "ikke bestået", "ikke bestått", "00", "-3"}
)

# For ranking only: which of two alternatives reveals less, which of the things left behind are worth naming.
_WEIGHTS: Final[dict[str, int]] = {
    "birth_date": 60,
    "birthdate": 60,
    "date_of_birth": 60,
    "birth_place": 45,
    "place_of_birth": 45,
    "nationality": 45,
    "nationalities": 45,
    "sex": 45,
    "gender": 45,
    "email": 50,
    "email_address": 50,
    "phone_number": 50,
    "mobile_phone_number": 50,
    "student_identifier": 50,
    "learner_identification": 50,
    "student_number": 50,
    "learner_identifier": 50,
    "given_name": 30,
    "family_name": 30,
    "name": 20,
    "grade": 40,
    "grades": 40,
    "assessment_grade": 40,
    "result": 40,
    "score": 40,
}
_SENSITIVE_WEIGHT: Final = 100
_ORDINARY_WEIGHT: Final = 10


def kind_of(path: Sequence[str | int | None], value: Any = None) -> Kind | None:
    """The kind of sensitive claim at this path; None for an ordinary one.

    `value` is the claim's value with everything below it: an object that holds an address inside is an address, and a
    grade counts as sensitive when it is a failed one.
    """
    names = [folded(part) for part in path if isinstance(part, str)]
    for name in names:
        if name in _KIND_BY_NAME:
            return _KIND_BY_NAME[name]
    return _kind_inside(value, grade=any(_is_grade(name) for name in names))


def _kind_inside(value: Any, *, grade: bool) -> Kind | None:
    if isinstance(value, dict):
        for key, inner in value.items():
            name = folded(str(key))
            found = _KIND_BY_NAME.get(name) or _kind_inside(inner, grade=grade or _is_grade(name))
            if found:
                return found
        return None
    if isinstance(value, list | tuple):
        return next((kind for inner in value if (kind := _kind_inside(inner, grade=grade))), None)
    if grade and isinstance(value, str) and value.strip().casefold() in _FAILED:
        return Kind.FAILED_GRADE
    return None


def weight(path: Sequence[str | int | None]) -> int:
    """How much a claim reveals, by its name: 10 for an ordinary claim, 100 for those of CS-18."""
    names = [folded(part) for part in path if isinstance(part, str)]
    if any(name in _KIND_BY_NAME for name in names):
        return _SENSITIVE_WEIGHT
    return max((_WEIGHTS.get(name, _ORDINARY_WEIGHT) for name in names), default=_ORDINARY_WEIGHT)


def _is_grade(name: str) -> bool:
    return name in _GRADE_NAMES or name.endswith(("grade", "grades"))


def folded(name: str) -> str:
    """A claim's name as this wallet compares it, whichever way its author writes names."""
    # "birthDate", "birth-date" and "birth_date" are the same name.
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").casefold()
