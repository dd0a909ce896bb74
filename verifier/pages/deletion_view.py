"""How a deletion reads on the pages of staff: what is wanted, of whom, until when, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from schemas.withdrawal import Ground, StatedItem
from service.i18n import N_, Translator
from verifier.deletion import item_name
from verifier.disclosed import type_label
from verifier.request_templates import RequestTemplate
from verifier.store import Deletion, DeletionState, RequestRecord

SOON_DAYS: Final = 7

GROUNDS: Final = {
    Ground.LEGAL_OBLIGATION: N_("The law obliges us to keep it, or it is needed for a task of public interest"),
    Ground.LEGAL_CLAIMS: N_("It is needed to establish, exercise or defend legal claims"),
    Ground.ARCHIVING: N_("Archiving in the public interest, research or statistics"),
    Ground.PUBLIC_HEALTH: N_("Public health"),
    Ground.EXPRESSION: N_("Freedom of expression and information"),
}
WISHES: Final = {
    "withdraw": N_("Taken back"),
    "erase": N_("Deletion asked for"),
    "retention": N_("The time was over"),
}


@dataclass(frozen=True, slots=True)
class Word:
    """A word of status with its tone and symbol."""

    tone: str
    icon: str
    word: str


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One item: the value of its tick box, what it is called, and of which certificate where there are several."""

    name: str
    label: str
    certificate: str


@dataclass(frozen=True, slots=True)
class ExceptionLine:
    """What was kept, on which ground, and the words that the person reads."""

    ground: str
    words_sv: str
    words_en: str
    items: tuple[ItemLine, ...]


@dataclass(frozen=True, slots=True)
class DeletionView:
    """One deletion as it is read. `days` is None when nothing is waited for."""

    id: str
    request_id: str
    title: str
    reference: str
    wish: str
    is_everything: bool
    received_at: datetime
    due_on: date
    days: int | None
    decided_at: datetime | None
    state: str
    word: Word
    items: tuple[ItemLine, ...]
    exceptions: tuple[ExceptionLine, ...]
    has_statement: bool
    may_delete: bool
    acknowledged_at: datetime | None


def view_of(
    one: Deletion, record: RequestRecord, t: Translator, *, days: int, about: Sequence[StatedItem] = ()
) -> DeletionView:
    """The view of a deletion. `days` is how many are left; `about` the items that an open one is about."""
    template = record.transaction.question.template
    return DeletionView(
        id=one.id,
        request_id=one.request_id,
        title=template.title.text(t.language),
        reference=record.reference,
        wish=t(WISHES[one.action]),
        is_everything=one.chosen is None,
        received_at=one.received_at,
        due_on=one.due_on,
        days=days if one.is_open else None,
        decided_at=one.decided_at,
        state=one.state.value,
        word=_word(one, t, days),
        items=item_lines(about or one.items, template, t),
        exceptions=tuple(
            ExceptionLine(
                t(GROUNDS[exception.ground]),
                exception.words.sv,
                exception.words.en,
                item_lines(exception.items, template, t),
            )
            for exception in one.exceptions
        ),
        has_statement=bool(one.statement),
        may_delete=one.is_open or (one.state in (DeletionState.REFUSED, DeletionState.PARTLY)),
        acknowledged_at=one.acknowledged_at,
    )


def item_lines(items: Sequence[StatedItem], template: RequestTemplate, t: Translator) -> tuple[ItemLine, ...]:
    """Items as they are read and ticked."""
    types = {query_id: credential.vct[0] for query_id, credential, _ in template.queries()}
    kinds = {type_label(types[item.credential], template, t.language) for item in items if item.credential in types}
    lines = []
    for item in items:
        label = item.label.text(t.language)
        numbers = [part + 1 for part in item.path if isinstance(part, int)]
        if numbers:
            label = t(N_("%(label)s (number %(number)s)"), label=label, number=", ".join(map(str, numbers)))
        kind = type_label(types[item.credential], template, t.language) if item.credential in types else ""
        lines.append(ItemLine(item_name(item), label, kind if len(kinds) > 1 else ""))
    return tuple(lines)


def _word(one: Deletion, t: Translator, days: int) -> Word:
    if one.is_open:
        return days_word(days, t)
    return {
        DeletionState.DELETED: Word("good", "check", t(N_("Deleted"))),
        DeletionState.PARTLY: Word("warning", "warning", t(N_("A part was kept"))),
        DeletionState.REFUSED: Word("warning", "warning", t(N_("Refused"))),
    }[one.state]


def days_word(days: int, t: Translator) -> Word:
    """How many days are left, in a word that grows louder."""
    if days < 0:
        return Word("bad", "clock", t.plural("Overdue by %(num)s day", "Overdue by %(num)s days", -days))
    told = t.plural("%(num)s day left", "%(num)s days left", days)
    return Word("warning" if days <= SOON_DAYS else "quiet", "clock", told)
