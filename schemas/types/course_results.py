"""`course-results`: a transcript whose single courses are disclosed one by one, and inside each course each item.

Only the awarding body and its country are always visible. The list of courses is itself a disclosure, so that showing
one's name from a transcript does not even tell how many courses there are. Disclosures are recursive (RFC 9901, section
4.2.6): one course, or one item of one course, verifies without the others.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.learning.achievement import Achievement
from schemas.types.card import Card, credits_line, display_value, text_language
from schemas.types.claims import PERSONAL, Claims, ClaimSpec
from schemas.types.credential_type import CredentialType
from schemas.types.learning_claims import (
    ACHIEVEMENT_CLAIMS,
    ISSUER_CLAIMS,
    LEARNER_CLAIMS,
    achievement_claims,
    issuer_claims,
    learner_claims,
)
from schemas.types.lines import card_lines

_COURSES = "courses"


def _claims(achievements: Sequence[Achievement]) -> Claims:
    first = achievements[0]
    issued_on = max(a.issued_on for a in achievements if a.issued_on)
    chosen = {a.id for a in achievements}
    courses = [_course(a, is_counted_elsewhere=a.counted_in in chosen) for a in achievements]
    return (
        issuer_claims(first)
        | learner_claims(first.learner)
        | {"date_of_issuance": issued_on.isoformat(), _COURSES: courses}
    )


def _course(achievement: Achievement, *, is_counted_elsewhere: bool) -> Claims:
    """The claims of one course, without its credits when a degree on the same transcript already holds them."""
    claims = achievement_claims(achievement)
    if is_counted_elsewhere:
        return {name: value for name, value in claims.items() if name not in ("credits", "swedish_credits")}
    return claims


def _card(credential_type: CredentialType, claims: Mapping[str, Any], language: str) -> Card:
    courses = [course for course in claims.get(_COURSES, []) if isinstance(course, Mapping)]
    return Card(
        type_name=credential_type.title(language),
        title=_title(credential_type, courses, language),
        issuer=display_value(claims.get("issuing_authority", ""), "texts", language),
        date=display_value(claims.get("date_of_issuance", ""), "date", language),
        level="",
        credits=credits_line(_sum(courses), language),
        lines=card_lines(credential_type.claims, claims, language),
        issuer_language=text_language(claims.get("issuing_authority"), language),
    )


def _titles(credential_type: CredentialType, claims: Mapping[str, Any]) -> dict[str, str]:
    courses = [course for course in claims.get(_COURSES, []) if isinstance(course, Mapping)]
    return {language: _title(credential_type, courses, language) for language in credential_type.display}


def _title(credential_type: CredentialType, courses: Sequence[Mapping[str, Any]], language: str) -> str:
    name = credential_type.title(language)
    if not courses:
        return name
    word = {"sv": ("kurs", "kurser"), "en": ("course", "courses")}.get(language.split("-")[0], ("course", "courses"))
    return f"{name}, {len(courses)} {word[len(courses) > 1]}"


def _sum(courses: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Credits of all courses together that state them."""
    totals: dict[str, Any] = {}
    for name in ("credits", "swedish_credits"):
        amounts = [course.get(name) for course in courses]
        numbers = [amount for amount in amounts if isinstance(amount, int | float) and not isinstance(amount, bool)]
        if numbers:
            totals[name] = round(sum(numbers), 3)
    return totals


_TITLE_TEXT = {"sv": "Kurser", "en": "Courses"}

COURSE_RESULTS = CredentialType(
    name="course-results",
    vct="urn:intyga:credential:course-results:1",
    display={"sv": "Studieresultat", "en": "Course results"},
    description={
        "sv": "Resultat från ett lärosäte, där varje kurs kan visas för sig.",
        "en": "Results from one awarding body, in which each course can be shown by itself.",
    },
    claims=(
        *ISSUER_CLAIMS,
        *LEARNER_CLAIMS,
        next(spec for spec in ACHIEVEMENT_CLAIMS if spec.path == ("date_of_issuance",)),
        ClaimSpec((_COURSES,), _TITLE_TEXT, "array", disclosable=True, mandatory=True, sensitivity=PERSONAL),
        ClaimSpec((_COURSES, None), {"sv": "Kurs", "en": "Course"}, "object", disclosable=True),
        *(spec.under((_COURSES, None)) for spec in ACHIEVEMENT_CLAIMS),
    ),
    takes="many",
    demands=("M1", "M2", "M3", "M4", "M5"),
    make_claims=_claims,
    make_card=_card,
    make_titles=_titles,
)
