"""The history as documents to keep: complete, refusals and failures with it, and no values.

    for part in range(1, parts_of(book) + 1):
        content = await pdf_of(history_document(book, t, part=part, now=now))

A long history comes in parts of `ENTRIES_IN_A_PART` entries, the latest first, so that neither memory nor time grows
with it: each part is a document of its own that says which part it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from service.documents import PAGE_WORDS, Block, Document, Facts, Items, Paragraph, Quote, Section
from service.i18n import N_, Translator
from wallet.histories import Book
from wallet.ledger import Entry
from wallet.pages.history_view import entry_view
from wallet.pages.history_words import fault_sentences
from wallet.pages.receipt_view import LEVELS
from wallet.pages.take_back_words import standing_view
from wallet.taking_back import can_take_back, standing_of

ENTRIES_IN_A_PART: Final = 500


def parts_of(book: Book) -> int:
    """How many documents a history makes; an empty one makes one."""
    return max(1, -(-len(book.entries) // ENTRIES_IN_A_PART))


def history_document(book: Book, t: Translator, *, part: int, now: datetime) -> Document:
    """One part of the history, counted from 1. The day of the document is today: a history goes on."""
    parts = parts_of(book)
    entries = book.entries[(part - 1) * ENTRIES_IN_A_PART : part * ENTRIES_IN_A_PART]
    title = t(N_("Sharing history"))
    return Document(
        title=title if parts == 1 else f"{title}, {t(PART, num=part, all=parts)}",
        language=t.language,
        made_on=now.date(),
        page_words=t.text(PAGE_WORDS),
        blocks=tuple(_beginning(book, t, now=now)),
        sections=tuple(section for entry in entries for section in _sections(entry, t, now=now)),
    )


PART: Final = N_("part %(num)s of %(all)s")


def _beginning(book: Book, t: Translator, *, now: datetime) -> Iterator[Block]:
    yield Paragraph(t(N_("Everything that was asked, shared, refused and received. It holds no values.")))
    count = len(book.entries)
    yield Facts(
        (
            (t(N_("Saved")), t.moment(now)),
            (t(N_("In all")), t.plural("%(num)s entry", "%(num)s entries", count)),
        )
    )
    if not book.is_intact:
        yield Paragraph(t(N_("The sharing history was changed from outside this wallet")) + ".")
        yield Items(tuple(fault_sentences(book.faults, t)))
    if book.deletions:
        yield Paragraph(
            t.plural(
                "You have deleted %(num)s entry from here, on %(day)s.",
                "You have deleted %(num)s entries from here, the last on %(day)s.",
                len(book.deletions),
                day=t.date(max(book.deletions)),
            )
        )


def _sections(entry: Entry, t: Translator, *, now: datetime) -> Iterator[Section]:
    view = entry_view(entry, t, now=now, titles={})
    standing = (
        standing_view(entry, standing_of(entry, now=now, time_zone=t.time_zone), t) if can_take_back(entry) else None
    )
    name = t(N_("Says it is %(name)s"), name=view["who"]) if view["unproven"] else view["who"]
    quotes = [Quote(view["purpose"], view["begins"])] if view["purpose"] else []
    steps = [f"{one['words']}, {one['moment']}{_because(one['reason'])}" for one in view["events"]]
    after = _after(standing, t) if standing else ()
    yield Section(
        f"{name}, {view['day']}",
        (Facts(tuple(_facts(entry, view, t))), *quotes, Items(tuple(steps), in_order=True), *after, *_rights(view)),
    )
    if standing:
        yield from (_statement(one, view, t) for one in standing["statements"])


def _because(reason: str) -> str:
    return f". {reason}" if reason else ""


def _facts(entry: Entry, view: Mapping[str, Any], t: Translator) -> Iterator[tuple[str, str]]:
    level = LEVELS.get(view["level"])
    shared = [item["name"] for item in (*view["shared"], *view["bare"])]
    until = view["until"] or (t(N_("Not stated")) if shared and not view["is_gone"] else "")
    for name, said in (
        (N_("When"), view["moment"]),
        (N_("Acting for"), view["acting_for"]),
        (N_("What came of it"), view["word"]),
        (N_("Address"), entry.host),
        (N_("How sure the wallet was who they are"), t(level) if level else ""),
        (N_("How it came"), view["came_by"]),
        (N_("What was asked"), _listed(view["asked"], t)),
        (N_("What went"), _listed(shared, t) or (t(N_("Nothing.")) if entry.is_share else "")),
        (N_("Left out"), _listed(view["declined"], t)),
        (N_("Certificates"), _listed([one.text(t.language) for one in entry.certificates], t)),
        (N_("Kept until"), until),
        (N_("Contact"), view["contact"]),
        (N_("What you were warned of"), " ".join(view["warnings"])),
        (N_("Code"), view["error"]),
        (N_("Number"), entry.id),
    ):
        if said:
            yield t(name), said


def _after(standing: Mapping[str, Any], t: Translator) -> Iterator[Block]:
    """How taking back and deletion stand."""
    if standing["word"]:
        yield Paragraph(f"{standing['word']}. {standing['sentence']} {standing['reason']}".rstrip())
    if standing["asked"]:
        asked = t(N_("You took it back on") if standing["took_back"] else N_("You asked on"))
        later = (
            (N_("You asked again on"), "again"),
            (N_("Answer due by"), "due"),
            (N_("You complained on"), "complained"),
        )
        due = [(t(name), standing[one]) for name, one in later if standing[one]]
        what = standing["what"] or t(N_("Everything"))
        yield Facts(((asked, standing["asked"]), (t(N_("What they shall delete")), what), *due))
    if standing["not_mentioned"]:
        yield Paragraph(t(N_("They say nothing of: %(items)s."), items=standing["not_mentioned"]))
    if standing["misses_statement"]:
        yield Paragraph(t(N_("The last day has passed, and they have not stated that it is deleted.")))


def _rights(view: Mapping[str, Any]) -> Iterator[Block]:
    """How a copy that was asked for, and an objection, stand."""
    for one in view["rights"]:
        yield Paragraph(f"{one['word']}. {one['sentence']}")


def _statement(one: Mapping[str, Any], view: Mapping[str, Any], t: Translator) -> Section:
    """One statement about deletion, as theirs: it proves nothing about copies (CS-37)."""
    deleted = f"{one['deleted']}, {one['why']}" if one["deleted"] else t(N_("No"))
    facts = (
        (N_("Made"), one["made"]),
        (N_("Came to you"), one["came"]),
        (N_("They deleted it"), deleted),
        (N_("What is deleted"), "" if one["is_refusal"] else one["items"] or t(N_("Not stated"))),
        (N_("Gone from backups by"), "" if one["is_refusal"] else one["backups"] or t(N_("Not stated"))),
        (N_("Where"), _listed(one["systems"], t)),
        (N_("Who else was told"), _listed(one["informed"], t)),
    )
    return Section(
        t(N_("Statement by %(name)s"), name=view["called"]),
        (
            Paragraph(one["what_it_is"]),
            Facts(tuple((t(name), said) for name, said in facts if said)),
            *(block for kept in one["exceptions"] for block in _kept(kept, view, t)),
        ),
        level=3,
    )


def _kept(kept: Mapping[str, Any], view: Mapping[str, Any], t: Translator) -> Iterator[Block]:
    keeps = t(N_("They keep: %(items)s."), items=kept["items"] or t(N_("something")))
    yield Paragraph(f"{keeps} {t(N_('Ground that they state'))}: {kept['ground']}.")
    yield Quote(kept["words"], view["begins"])


def _listed(names: Sequence[str], t: Translator) -> str:
    return t.listed(names) if names else ""
