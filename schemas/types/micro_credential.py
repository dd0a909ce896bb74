"""`micro-credential`: one achievement with the standard elements of the European micro-credential.

What it is and who awarded it is always visible, so that the certificate can be told from others; everything about the
person, the day, the level, the extent and the result is disclosed item by item.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from schemas.learning.achievement import Achievement
from schemas.types.card import Card, credits_line, display_value, level_line, text_language
from schemas.types.claims import PUBLIC, Claims
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

_TITLE, *_REST = ACHIEVEMENT_CLAIMS


def _claims(achievements: Sequence[Achievement]) -> Claims:
    achievement = achievements[0]
    return issuer_claims(achievement) | learner_claims(achievement.learner) | achievement_claims(achievement)


def _card(credential_type: CredentialType, claims: Mapping[str, Any], language: str) -> Card:
    return Card(
        type_name=credential_type.title(language),
        title=display_value(claims.get("achievement_title", ""), "texts", language) or credential_type.title(language),
        issuer=display_value(claims.get("issuing_authority", ""), "texts", language),
        date=display_value(claims.get("date_of_issuance", ""), "date", language),
        level=level_line(claims),
        credits=credits_line(claims, language),
        lines=card_lines(credential_type.claims, claims, language),
        title_language=text_language(claims.get("achievement_title"), language),
        issuer_language=text_language(claims.get("issuing_authority"), language),
    )


def _titles(credential_type: CredentialType, claims: Mapping[str, Any]) -> dict[str, str]:
    titles = claims.get("achievement_title")
    return dict(titles) if isinstance(titles, Mapping) and titles else dict(credential_type.display)


MICRO_CREDENTIAL = CredentialType(
    name="micro-credential",
    vct="urn:intyga:credential:micro-credential:1",
    display={"sv": "Mikromeritintyg", "en": "Short course certificate"},
    description={
        "sv": "Intyg över en kurs eller annan avgränsad utbildning, med den europeiska standardens uppgifter.",
        "en": "A certificate of a course or another small unit of learning, with the items of the European standard.",
    },
    claims=(
        *ISSUER_CLAIMS,
        replace(_TITLE, disclosable=False, sensitivity=PUBLIC),
        *LEARNER_CLAIMS,
        *_REST,
    ),
    takes="one",
    demands=("M1", "M2", "M3", "M4", "M5", "M7"),
    make_claims=_claims,
    make_card=_card,
    make_titles=_titles,
)
