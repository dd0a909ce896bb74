"""The claims about one achievement, shared by the types: their specifications, and how an achievement becomes values.

Names follow the EUDI learning credential (`urn:eu.europa.ec.eudi:learning:credential:1`) where it has them; the rest
(`credits`, `swedish_credits`, `seqf_level`, `type_of_assessment`, `form_of_participation`,
`supervision_and_identity_verification`, `part_of`, `further_information`, `grading_scheme`, `course_code`,
`date_of_completion`) is what it lacks. Texts that people read are language maps.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from schemas.learning.achievement import Achievement, Learner, Record
from schemas.types.claims import (
    IDENTIFYING,
    LEARNING,
    PERSONAL,
    PUBLIC,
    SENSITIVE,
    Category,
    Claims,
    ClaimSpec,
    ValueType,
)


def _claim(
    name: str,
    sv: str,
    en: str,
    value_type: ValueType,
    sensitivity: int = LEARNING,
    category: Category = "course",
    *,
    visible: bool = False,
    mandatory: bool = False,
) -> ClaimSpec:
    return ClaimSpec((name,), {"sv": sv, "en": en}, value_type, not visible, mandatory, sensitivity, category)


ISSUER_CLAIMS: tuple[ClaimSpec, ...] = (
    _claim("issuing_authority", "Utfärdat av", "Issued by", "texts", PUBLIC, "issuer", visible=True, mandatory=True),
    _claim("issuing_country", "Land", "Country", "country", PUBLIC, "issuer", visible=True, mandatory=True),
)

LEARNER_CLAIMS: tuple[ClaimSpec, ...] = (
    _claim("family_name", "Efternamn", "Family name", "text", PERSONAL, "identity", mandatory=True),
    _claim("given_name", "Förnamn", "Given name", "text", PERSONAL, "identity"),
    _claim("birthdate", "Födelsedatum", "Date of birth", "date", SENSITIVE, "birth"),
    _claim("learner_identification", "Studentnummer", "Student number", "text", IDENTIFYING, "identifier"),
)

ACHIEVEMENT_CLAIMS: tuple[ClaimSpec, ...] = (
    _claim("achievement_title", "Titel", "Title", "texts", mandatory=True),
    _claim("course_code", "Kurskod", "Course code", "text"),
    _claim("date_of_issuance", "Utfärdandedatum", "Date of issue", "date", mandatory=True),
    _claim("date_of_completion", "Avslutat den", "Date of completion", "date"),
    _claim("assessment_grade", "Betyg", "Grade", "text", PERSONAL, "result"),
    _claim("grading_scheme", "Betygsskala", "Grading scale", "texts", LEARNING, "result"),
    _claim("credits", "ECTS-poäng", "ECTS credits", "number"),
    _claim("swedish_credits", "Högskolepoäng", "Swedish higher education credits", "number"),
    _claim("expected_study_time", "Beräknad studietid", "Expected study time", "hours"),
    _claim("level_of_learning_experience", "Nivå (EQF)", "Level (EQF)", "level"),
    _claim("seqf_level", "Nivå (SeQF)", "Level (SeQF)", "level"),
    _claim("learning_outcomes", "Lärandemål", "Learning outcomes", "texts_list"),
    _claim("type_of_assessment", "Examinationsform", "Type of assessment", "texts"),
    _claim("form_of_participation", "Deltagandeform", "Form of participation", "texts"),
    _claim("types_of_quality_assurance", "Kvalitetssäkring", "Quality assurance", "texts_list"),
    _claim("prerequisites_to_enroll", "Förkunskapskrav", "Prerequisites to enrol", "texts_list"),
    _claim(
        "supervision_and_identity_verification",
        "Övervakning och legitimering",
        "Supervision and identity verification",
        "texts",
    ),
    _claim("integration_stackability_options", "Kan byggas vidare på", "Can be built upon", "boolean"),
    _claim("part_of", "Del av", "Part of", "texts", PERSONAL),
    _claim("language_of_classes", "Undervisningsspråk", "Language of instruction", "languages"),
    _claim("achievement_description", "Beskrivning", "Description", "texts"),
    _claim("further_information", "Mer information", "Further information", "url"),
)


def number(value: Decimal | None) -> int | float | None:
    """A decimal as the JSON number that people expect: 15 and 7.5, never 15.0."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _hours(value: Decimal | None) -> str | None:
    return f"PT{number(value)}H" if value is not None else None


_VALUES: dict[str, Callable[[Achievement], Any]] = {
    "achievement_title": lambda a: a.title,
    "course_code": lambda a: a.code,
    "date_of_issuance": lambda a: a.issued_on.isoformat() if a.issued_on else None,
    "date_of_completion": lambda a: a.completed_on.isoformat() if a.completed_on else None,
    "assessment_grade": lambda a: a.grade.label if a.grade else None,
    "grading_scheme": lambda a: a.grade.scheme if a.grade else None,
    "credits": lambda a: number(a.ects_credits),
    "swedish_credits": lambda a: number(a.swedish_credits),
    "expected_study_time": lambda a: _hours(a.workload_hours),
    "level_of_learning_experience": lambda a: a.eqf_level,
    "seqf_level": lambda a: a.seqf_level,
    "learning_outcomes": lambda a: list(a.outcomes),
    "type_of_assessment": lambda a: a.assessment_type,
    "form_of_participation": lambda a: a.participation_form,
    "types_of_quality_assurance": lambda a: list(a.quality_assurance),
    "prerequisites_to_enroll": lambda a: list(a.prerequisites),
    "supervision_and_identity_verification": lambda a: a.supervision,
    "integration_stackability_options": lambda a: a.stackable,
    "part_of": lambda a: a.part_of,
    "language_of_classes": lambda a: list(a.languages),
    "achievement_description": lambda a: a.description,
    "further_information": lambda a: a.further_information,
}


def _filled(values: Claims) -> Claims:
    return {name: value for name, value in values.items() if value not in (None, [], "")}


def achievement_claims(achievement: Achievement) -> Claims:
    """The claims about the achievement itself; elements that it lacks are absent."""
    return _filled({name: value(achievement) for name, value in _VALUES.items()})


def learner_claims(learner: Learner) -> Claims:
    """Names and birth date, and the student number when the institution's profile has put one there."""
    return _filled(
        {
            "family_name": learner.family_name,
            "given_name": learner.given_name,
            "birthdate": learner.birth_date.isoformat() if learner.birth_date else None,
            "learner_identification": learner.student_number,
        }
    )


def issuer_claims(record: Record) -> Claims:
    """Who awarded it, or says so, and in which country."""
    body = record.awarding_body
    return _filled({"issuing_authority": body.names, "issuing_country": body.country} if body else {})
