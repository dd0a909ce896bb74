"""What staff read about a result before it becomes a certificate: completeness, and how people and machines see it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from issuer.pages.words import SOURCES
from schemas.learning.achievement import Record
from schemas.learning.completeness import ELEMENTS_BY_CODE, Element
from schemas.learning.problems import Problem
from schemas.learning.texts import foreign_language, in_language
from schemas.types import Card, CardLine, CredentialType, types_for
from schemas.types.card import credits_line
from schemas.types.claims import ConcretePath
from schemas.types.learning_claims import number
from service.i18n import N_, Translator

PREVIEW_LANGUAGES = ("sv", "en")
MOST_ROWS_NAMED = 8


@dataclass(frozen=True, slots=True)
class ElementLine:
    """One standard element: whether it is there, from where, and for which types it is needed."""

    code: str
    name: str
    present: bool
    sources: str
    needed_for: str
    mandatory: bool
    supply: str


@dataclass(frozen=True, slots=True)
class Lack:
    """What a result lacks for these kinds of certificate, and what to do about it."""

    type_titles: tuple[str, ...]
    elements: tuple[str, ...]
    supply: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One result in a list. `title_language` is set when the title is in another language than the page."""

    id: str
    row: str
    person: str
    title: str
    title_language: str
    code: str
    credits: str
    grade: str
    date: str
    present_count: int
    element_count: int
    missing: tuple[str, ...]
    lacks: tuple[Lack, ...]
    elements: tuple[ElementLine, ...]
    is_standard: bool


def result_line(record: Record, t: Translator, *, result_id: str = "") -> ResultLine:
    """How a record reads in a list, with its completeness for every type that is made of such records."""
    types = types_for(record)
    reports = {name: one.completeness(record) for name, one in types.items()}
    name_of_first, report = next(iter(reports.items()))
    elements = {state.element.code: state.element for state in report.states}
    lacking: dict[tuple[str, ...], list[str]] = {}
    for name, one in reports.items():
        if one.missing_demanded:
            lacking.setdefault(one.missing_demanded, []).append(types[name].title(t.language))
    lacks = tuple(
        Lack(
            tuple(titles),
            tuple(_named(elements[code], t) for code in codes),
            tuple(elements[code].supply[t.language] for code in codes),
        )
        for codes, titles in lacking.items()
    )
    brief = record.brief
    amounts = {name: number(amount) for name, amount in brief.amounts.items()}
    return ResultLine(
        id=result_id or record.id,
        row=record.id,
        person=record.learner.name,
        title=in_language(record.title, t.language),
        title_language=foreign_language(record.title, t.language),
        code=record.code or "",
        credits=credits_line(amounts, t.language),
        grade=brief.grade,
        date=t.date(brief.day) if brief.day else "",
        present_count=report.present_count,
        element_count=len(report.states),
        missing=tuple(_named(elements[code], t) for code in report.missing),
        lacks=lacks,
        elements=tuple(_element_lines(record, t)),
        is_standard=types[name_of_first].form is None,
    )


@dataclass(frozen=True, slots=True)
class NoteLine:
    """One thing worth knowing about a file, and the rows it is about (none: the whole file)."""

    text: str
    where: str


def grouped_notes(notes: Iterable[Problem], t: Translator) -> list[NoteLine]:
    """Notes of one kind together, with their rows, so that a hundred rows of one kind are one line to read."""
    groups: dict[tuple[str, str], list[Problem]] = {}
    for one in notes:
        groups.setdefault((one.fault_text(t.text), one.fix_text(t.text)), []).append(one)
    return [NoteLine(f"{fault} {fix}", _rows(group, t)) for (fault, fix), group in groups.items()]


def _rows(notes: Sequence[Problem], t: Translator) -> str:
    """The rows of these notes as in a sentence, with the course where it is known."""
    placed = [f"{one.row} ({one.item})" if one.item else str(one.row) for one in notes if one.row]
    if not placed:
        return ""
    more = [t(N_("%(num)s more"), num=len(placed) - MOST_ROWS_NAMED)] if len(placed) > MOST_ROWS_NAMED else []
    listed = t.listed([*placed[:MOST_ROWS_NAMED], *more])
    return t.plural("Row %(rows)s", "Rows %(rows)s", len(placed), rows=listed)


def _named(element: Element, t: Translator) -> str:
    return f"{element.name[t.language]} ({element.code})"


def _element_lines(record: Record, t: Translator) -> list[ElementLine]:
    lines = []
    types = types_for(record)
    per_type = {name: one.completeness(record).states for name, one in types.items()}
    for position, state in enumerate(next(iter(per_type.values()))):
        needed = [types[name].title(t.language) for name, states in per_type.items() if states[position].demanded]
        lines.append(
            ElementLine(
                code=state.element.code,
                name=state.element.name[t.language],
                present=state.present,
                sources=", ".join(t(SOURCES[source]) for source in state.sources),
                needed_for=", ".join(needed),
                mandatory=state.element.mandatory,
                supply=state.element.supply[t.language],
            )
        )
    return lines


@dataclass(frozen=True, slots=True)
class Gap:
    """One element that some results lack although a kind of certificate needs it."""

    element: str
    count: int
    supply: str


def gaps(records: Iterable[Record], t: Translator) -> tuple[int, list[Gap]]:
    """How many records lack something that a kind of certificate needs, and what it is, element by element."""
    incomplete, counts, elements = 0, dict.fromkeys(ELEMENTS_BY_CODE, 0), dict(ELEMENTS_BY_CODE)
    for record in records:
        states = [state for one in types_for(record).values() for state in one.completeness(record).states]
        missing = {state.element.code: state.element for state in states if state.demanded and not state.present}
        incomplete += bool(missing)
        elements |= missing
        for code in missing:
            counts[code] = counts.get(code, 0) + 1
    found = [
        Gap(_named(elements[code], t), count, elements[code].supply[t.language])
        for code, count in counts.items()
        if count
    ]
    return incomplete, found


@dataclass(frozen=True, slots=True)
class LineGroup:
    """Lines of a card that belong together: those of the certificate itself (no heading), or those of one course."""

    heading: str
    lines: tuple[CardLine, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """One certificate as it would be: cards per language with their lines in groups, and what machines read."""

    recipient: str
    cards: Mapping[str, Card]
    groups: Mapping[str, tuple[LineGroup, ...]]
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
        groups={language: _grouped(credential_type, card, language) for language, card in cards.items()},
        document=json.dumps(document, ensure_ascii=False, indent=2),
        hidden_count=sum(line.hidden_unless_shared for line in cards["sv"].lines),
    )


def _grouped(credential_type: CredentialType, card: Card, language: str) -> tuple[LineGroup, ...]:
    groups: dict[ConcretePath, list[CardLine]] = {}
    for line in card.lines:
        is_listed = len(line.path) > 1 and isinstance(line.path[1], int)
        groups.setdefault(line.path[:2] if is_listed else (), []).append(line)
    return tuple(
        LineGroup(f"{credential_type.label(path, language)} {int(path[1]) + 1}" if path else "", tuple(lines))
        for path, lines in groups.items()
    )
