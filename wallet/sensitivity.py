"""How sensitive a claim is: what needs a yes of its own, and which alternative reveals least.

    kind_of(("address", "street_address"), "Storgatan 1")   # Kind.ADDRESS
    weight(("birth_date",))                                 # 60

The kinds are those of consent.md, CS-18. They are found by the names of the claims, which the credential formats share
(EUDI PID, OpenID Connect, our own types) or which Swedish issuers write; a personal identity number also by its value,
wherever it stands, and a failed grade by its value alone. A name that nobody knows with an ordinary value is ordinary:
the person still sees that value before deciding.
"""

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

from schemas.learning.personal_numbers import holds_personal_number


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
    Kind.BIOMETRIC: frozenset(
        {"biometric", "biometrics", "biometric_data", "fingerprint", "fingerprints", "iris", "face_template"}
        | {"biometri", "biometriska_uppgifter", "fingeravtryck", "signature_usual_mark", "voice_print"}
    ),
    Kind.PORTRAIT: frozenset(
        {"portrait", "picture", "photo", "photograph", "face", "face_image", "facial_image", "profile_picture"}
        | {"portratt", "bild", "foto", "fotografi", "ansiktsbild", "profilbild"}
    ),
    Kind.IDENTITY_NUMBER: frozenset(
        {
            "personal_administrative_number",
            "personal_identity_number",
            "personal_identification_number",
            "personal_identifier",
            "personal_number",
            "personnummer",
            "personnr",
            "person_nr",
            "pnr",
            "samordningsnummer",
            "samordningsnr",
            "reservnummer",
            "personidentitetsnummer",
            "id_nummer",
            "passnummer",
            "korkortsnummer",
            "driving_licence_number",
            "driving_license_number",
            "national_identity_number",
            "personal_id",
            "cpr",
            "hetu",
            "fodselsnummer",
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
        | {"health_information", "health_data", "sick_leave", "vaccination", "blood_type", "medical_history", "illness"}
        | {"halsa", "halsouppgifter", "diagnoser", "funktionsnedsattning", "funktionshinder", "medicin", "mediciner"}
        | {"lakemedel", "allergi", "allergier", "sarskilt_stod", "sarskilda_behov", "sjukskrivning", "sjukfranvaro"}
        | {"sjukdom", "blodgrupp"}
    ),
    Kind.ADDRESS: frozenset(
        {"address", "street_address", "resident_address", "resident_street", "resident_city", "resident_postal_code"}
        | {"home_address", "postal_address", "place_of_residence", "street", "postal_code", "postcode", "house_number"}
        | {"resident_house_number", "current_address", "zip_code", "residence", "resident_state", "mailing_address"}
        | {"adress", "bostadsadress", "hemadress", "postadress", "gatuadress", "gata", "folkbokforingsadress"}
        | {"utdelningsadress", "postnummer", "postnr", "postort", "bostadsort", "hemort", "hemkommun"}
        | {"folkbokforingskommun", "folkbokforingsort", "kommun_folkbokford"}
    ),
    Kind.UNION: frozenset(
        {"union", "trade_union", "union_membership", "trade_union_membership", "fack", "fackforbund"}
        | {"fackforening", "fackligt_medlemskap", "medlem_i_facket"}
    ),
}
"""Names as `folded` gives them."""
_KIND_BY_NAME: Final = {name: kind for kind, names in _NAMES.items() for name in names}

_WHERE_ONE_LIVES: Final = frozenset(
    {"locality", "municipality", "city", "town", "region", "county", "kommun", "ort", "lan"}
)
"""An address only where they stand by themselves: inside something else they may be where somebody was born, or where a
school is."""

_GRADE_NAMES: Final = frozenset(
    {"result", "score", "mark", "marks", "result_label", "outcome", "resultat", "vitsord", "omdome", "poang"}
)
_PASS_NAMES: Final = frozenset(
    {"pass", "passed", "is_passed", "has_passed", "approved", "is_approved", "completed", "success", "godkand"}
    | {"godkant", "bestatt", "klarad", "avklarad"}
)
"""Names that ask whether a course was passed: a no is a failed grade."""
_FAILED: Final = frozenset(
    {"f", "fx", "u", "ug", "ig", "uk", "underkand", "underkant", "icke godkand", "icke godkant", "ej godkand"}
    | {"ej godkant", "otillracklig", "otillrackligt", "fail", "failed", "not passed", "not approved", "not_passed"}
    | {"hylatty", "ikke bestaet", "ikke bestatt", "ikke bestået", "insufficient", "unsatisfactory", "00", "-3"}
)
"""Without accents, in small letters."""
_NO: Final = frozenset({"no", "false", "nej", "0"})
_AROUND_A_GRADE: Final = re.compile(r"[()\[\]/,:;]|\s[-\u2013\u2014]\s")

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

    `value` is the claim's value with everything below it: an object that holds an address inside is an address, any
    text that holds a personal identity number is one, whatever it is called, and a grade counts as sensitive when it is
    a failed one.
    """
    names = [folded(part) for part in path if isinstance(part, str)]
    for name in names:
        if name in _KIND_BY_NAME:
            return _KIND_BY_NAME[name]
    if len(path) == 1 and names and names[0] in _WHERE_ONE_LIVES:
        return Kind.ADDRESS
    return _kind_inside(value, names)


def _kind_inside(value: Any, names: Sequence[str]) -> Kind | None:
    """The kind of what stands below these names, none of which tells it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            name = folded(str(key))
            found = _KIND_BY_NAME.get(name) or _kind_inside(inner, [*names, name])
            if found:
                return found
        return None
    if isinstance(value, list | tuple):
        return next((kind for inner in value if (kind := _kind_inside(inner, names))), None)
    if isinstance(value, str | int) and not isinstance(value, bool) and holds_personal_number(str(value)):
        return Kind.IDENTITY_NUMBER
    return Kind.FAILED_GRADE if _is_failed(value, names) else None


def _is_failed(value: Any, names: Sequence[str]) -> bool:
    asks_whether_passed = any(name in _PASS_NAMES for name in names)
    if not asks_whether_passed and not any(_is_grade(name) for name in names):
        return False
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value <= 0  # No points at all, and the two failing grades of the Danish scale.
    if not isinstance(value, str):
        return False
    parts = {" ".join(part.split()) for part in (value, *_AROUND_A_GRADE.split(value))}
    told = {_without_accents(part.casefold()) for part in parts}
    return bool(told & _FAILED) or (asks_whether_passed and bool(told & _NO))


def weight(path: Sequence[str | int | None]) -> int:
    """How much a claim reveals, by its name: 10 for an ordinary claim, 100 for those of CS-18."""
    if kind_of(path) is not None:
        return _SENSITIVE_WEIGHT
    names = [folded(part) for part in path if isinstance(part, str)]
    return max((_WEIGHTS.get(name, _ORDINARY_WEIGHT) for name in names), default=_ORDINARY_WEIGHT)


def _is_grade(name: str) -> bool:
    return name in _GRADE_NAMES or name.endswith(("grade", "grades", "betyg", "betyget"))


def folded(name: str) -> str:
    """A claim's name as this wallet compares it, whichever way its author writes names."""
    # "birthDate", "birth-date", "birth date" and "birth_date" are the same name, and so are "hälsa" and "halsa".
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", _without_accents(name.strip()))
    return re.sub(r"[-\s]+", "_", parted).casefold()


def _without_accents(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("ø", "o").replace("Ø", "O"))
    return "".join(character for character in plain if not unicodedata.combining(character))
