"""`upper-secondary-grades`: chosen courses of upper secondary school or municipal adult education (Komvux).

Each course is disclosed by itself, and inside it each item, as in `course-results`. Names follow the EUDI learning
credential where it has them (`achievement_title`, `assessment_grade`); points of upper secondary school are not credits
of any system that it knows, so that they have a name of their own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.learning.statement import Statement
from schemas.types.card import Card, display_value, text_language
from schemas.types.claims import LEARNING, PERSONAL, PUBLIC, Claims, ClaimSpec
from schemas.types.credential_type import CredentialType
from schemas.types.learning_claims import ISSUER_CLAIMS, issuer_claims
from schemas.types.lines import card_lines
from schemas.types.statement_form import Item, StatementForm
from schemas.types.statement_type import PERSON_CLAIMS, claim, day_of, person_claims

_COURSES = "courses"
_ISSUED = "date_of_issuance"
GRADES = ("A", "B", "C", "D", "E", "F", "MVG", "VG", "G", "IG")
"""The scale since 2011, and the one before."""

_FORM = StatementForm(
    items=(
        Item(
            claim("achievement_title", "Kurs", "Course", "texts", LEARNING, "course", mandatory=True),
            columns=("kurs", "kursnamn", "benämning"),
            demanded=True,
        ),
        Item(claim("course_code", "Kurskod", "Course code", "text", LEARNING, "course"), columns=("kurskod", "code")),
        Item(claim("subject", "Ämne", "Subject", "texts", LEARNING, "course"), columns=("ämne",)),
        Item(
            claim("upper_secondary_points", "Gymnasiepoäng", "Upper secondary points", "number", LEARNING, "course"),
            columns=("gymnasiepoäng", "poäng", "points"),
        ),
        Item(
            claim("assessment_grade", "Betyg", "Grade", "text", PERSONAL, mandatory=True),
            columns=("betyg", "grade"),
            demanded=True,
            one_of=GRADES,
        ),
        Item(
            claim("date_of_completion", "Betygsdatum", "Date of the grade", "date", LEARNING),
            columns=("betygsdatum", "datum", "date"),
        ),
        Item(claim("school", "Skola", "School", "texts", PERSONAL, "course"), columns=("skola",), tells_where=True),
        Item(
            claim("form_of_schooling", "Skolform", "Form of schooling", "texts", LEARNING, "course"),
            columns=("skolform",),
        ),
    ),
    told_apart_by=("course_code", "achievement_title", "date_of_completion"),
    titled_by="achievement_title",
)
_POINTS = {"sv": "gymnasiepoäng", "en": "upper secondary points"}
_WORDS = {"sv": ("kurs", "kurser"), "en": ("course", "courses")}


def _claims(statements: Sequence[Statement]) -> Claims:
    first = statements[0]
    return (
        issuer_claims(first)
        | person_claims(first.learner)
        | {_ISSUED: max(map(day_of, statements)), _COURSES: [dict(one.values) for one in statements]}
    )


def _courses_in(claims: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    courses = claims.get(_COURSES)
    return [course for course in courses if isinstance(course, Mapping)] if isinstance(courses, list) else []


def _title(credential_type: CredentialType, claims: Mapping[str, Any], language: str) -> str:
    name, count = credential_type.title(language), len(_courses_in(claims))
    words = _WORDS.get(language.split("-")[0], _WORDS["en"])
    return f"{name}, {count} {words[count > 1]}" if count else name


def _points(claims: Mapping[str, Any], language: str) -> str:
    """The points of all courses together that state them."""
    stated = [course.get("upper_secondary_points") for course in _courses_in(claims)]
    numbers = [one for one in stated if isinstance(one, int | float) and not isinstance(one, bool)]
    word = _POINTS.get(language.split("-")[0], _POINTS["en"])
    return f"{display_value(round(sum(numbers), 3), 'number', language)} {word}" if numbers else ""


def _card(credential_type: CredentialType, claims: Mapping[str, Any], language: str) -> Card:
    return Card(
        type_name=credential_type.title(language),
        title=_title(credential_type, claims, language),
        issuer=display_value(claims.get("issuing_authority", ""), "texts", language),
        date=display_value(claims.get(_ISSUED, ""), "date", language),
        level="",
        credits=_points(claims, language),
        lines=card_lines(credential_type.claims, claims, language),
        issuer_language=text_language(claims.get("issuing_authority"), language),
    )


def _titles(credential_type: CredentialType, claims: Mapping[str, Any]) -> dict[str, str]:
    return {language: _title(credential_type, claims, language) for language in credential_type.display}


UPPER_SECONDARY_GRADES = CredentialType(
    name="upper-secondary-grades",
    vct="urn:intyga:credential:upper-secondary-grades:1",
    display={"sv": "Gymnasiebetyg", "en": "Upper secondary grades"},
    description={
        "sv": "Betyg från gymnasieskola eller Komvux, där varje kurs kan visas för sig.",
        "en": "Grades from upper secondary school or adult education, in which each course can be shown by itself.",
    },
    claims=(
        *ISSUER_CLAIMS,
        *PERSON_CLAIMS,
        ClaimSpec(
            (_ISSUED,),
            {"sv": "Utfärdandedatum", "en": "Date of issue"},
            "date",
            disclosable=True,
            mandatory=True,
            sensitivity=PUBLIC,
        ),
        ClaimSpec(
            (_COURSES,),
            {"sv": "Kurser", "en": "Courses"},
            "array",
            disclosable=True,
            mandatory=True,
            sensitivity=PERSONAL,
        ),
        ClaimSpec((_COURSES, None), {"sv": "Kurs", "en": "Course"}, "object", disclosable=True),
        *(item.claim.under((_COURSES, None)) for item in _FORM.items),
    ),
    takes="many",
    demands=_FORM.demands,
    make_claims=_claims,
    make_card=_card,
    make_titles=_titles,
    elements=_FORM.elements,
    form=_FORM,
)
