"""What staff read about a result before it becomes a certificate: completeness, and how people and machines see it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from issuer.pages.words import SOURCES
from schemas.learning.achievement import Achievement
from schemas.learning.completeness import ELEMENTS
from schemas.learning.texts import in_language
from schemas.types import CREDENTIAL_TYPES, Card, CredentialType
from schemas.types.card import credits_line
from schemas.types.learning_claims import number
from service.i18n import Translator

PREVIEW_LANGUAGES = ("sv", "en")
_NAMES = {element.code: element.name for element in ELEMENTS}


@dataclass(frozen=True, slots=True)
class ElementLine:
    """One standard element: whether it is there, from where, and for which types it is needed."""

    code: str
    name: str
    present: bool
    sources: str
    needed_for: str
    mandatory: bool


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One result in a list. `lacks` maps the name of a type to the elements without which it cannot be issued."""

    id: str
    row: str
    person: str
    title: str
    code: str
    credits: str
    grade: str
    date: str
    present_count: int
    element_count: int
    missing: tuple[str, ...]
    lacks: Mapping[str, tuple[str, ...]]
    elements: tuple[ElementLine, ...]


def result_line(achievement: Achievement, t: Translator, *, result_id: str = "") -> ResultLine:
    """How a result reads in a list, with its completeness for every type."""
    reports = {name: one.completeness(achievement) for name, one in CREDENTIAL_TYPES.items()}
    report = next(iter(reports.values()))
    lacks = {
        CREDENTIAL_TYPES[name].title(t.language): tuple(_named(one.missing_demanded, t))
        for name, one in reports.items()
        if one.missing_demanded
    }
    amounts = {"credits": number(achievement.ects_credits), "swedish_credits": number(achievement.swedish_credits)}
    return ResultLine(
        id=result_id or achievement.id,
        row=achievement.id,
        person=achievement.learner.name,
        title=in_language(achievement.title, t.language),
        code=achievement.code or "",
        credits=credits_line(amounts, t.language),
        grade=achievement.grade.label if achievement.grade else "",
        date=achievement.issued_on.isoformat() if achievement.issued_on else "",
        present_count=report.present_count,
        element_count=len(report.states),
        missing=tuple(_named(report.missing, t)),
        lacks=lacks,
        elements=tuple(_element_lines(achievement, t)),
    )


def _named(codes: Sequence[str], t: Translator) -> list[str]:
    return [f"{_NAMES[code][t.language]} ({code})" for code in codes]


def _element_lines(achievement: Achievement, t: Translator) -> list[ElementLine]:
    lines = []
    per_type = {name: one.completeness(achievement).states for name, one in CREDENTIAL_TYPES.items()}
    for position, state in enumerate(next(iter(per_type.values()))):
        needed = [
            CREDENTIAL_TYPES[name].title(t.language) for name, states in per_type.items() if states[position].demanded
        ]
        lines.append(
            ElementLine(
                code=state.element.code,
                name=state.element.name[t.language],
                present=state.present,
                sources=", ".join(t(SOURCES[source]) for source in state.sources),
                needed_for=", ".join(needed),
                mandatory=state.element.mandatory,
            )
        )
    return lines


@dataclass(frozen=True, slots=True)
class Preview:
    """One certificate as it would be: cards per language, and the document that machines read."""

    recipient: str
    cards: Mapping[str, Card]
    document: str
    hidden_count: int


def preview(credential_type: CredentialType, claims: Mapping[str, Any], *, issuer: str, recipient: str) -> Preview:
    """What the person and what a machine will see of these claims."""
    cards = {language: credential_type.card(claims, language) for language in PREVIEW_LANGUAGES}
    document = {
        "iss": issuer,
        "vct": credential_type.vct,
        "vct#integrity": credential_type.integrity(),
        **claims,
    }
    return Preview(
        recipient=recipient,
        cards=cards,
        document=json.dumps(document, ensure_ascii=False, indent=2),
        hidden_count=sum(line.hidden_unless_shared for line in cards["sv"].lines),
    )
