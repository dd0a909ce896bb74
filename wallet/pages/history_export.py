"""The history as files: JSON for machines, CSV for a table. Complete, refusals and failures with it, and no values.

    history_json(book, t, zone=zone, now=now)
    history_csv(book, t, zone=zone, now=now)

Certificates are named by their type: the title of one is a value of it (CS-30).
"""

import csv
import io
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from proofs import strict_json
from service.i18n import N_, Translator
from wallet.histories import Book
from wallet.ledger import Entry
from wallet.pages.history_view import entry_view
from wallet.pages.history_words import all_happened, fault_sentences
from wallet.pages.receipt_view import LEVELS
from wallet.receipts import confirmation, has_receipt, receipt_of, signed_receipt
from wallet.rights import Right, asked_of
from wallet.taking_back import can_take_back, standing_of
from wallet.taking_back.standing import day_in

FORMAT = "urn:intyga:history:1"

_COLUMNS = (
    N_("When"),
    N_("Who"),
    N_("How sure the wallet was who they are"),
    N_("Address"),
    N_("Acting for"),
    N_("What came of it"),
    N_("What was asked"),
    N_("What went"),
    N_("Left out"),
    N_("Certificates"),
    N_("Why, in their words"),
    N_("Kept until"),
    N_("What came after"),
    N_("Step by step"),
    N_("Contact"),
    N_("Code"),
    N_("Number"),
)


def entry_record(entry: Entry, t: Translator, *, zone: str, now: datetime) -> dict[str, Any]:
    """One entry for machines, with its signed receipt where there is one."""
    view = entry_view(entry, t, now=now, titles={})
    return {
        "id": entry.id,
        "at": _moment(entry.filed_at, zone),
        "who": view["who"],
        "level": view["level"],
        "host": entry.host,
        "outcome": entry.outcome.value,
        "asked": view["asked"],
        "shared": [item["name"] for item in (*view["shared"], *view["bare"])],
        "declined": view["declined"],
        "acting_for": dict(entry.acting_for) if entry.acting_for is not None else None,
        "done_for_you": dict(entry.told) if entry.told is not None else None,
        "certificates": [one.text(t.language) for one in entry.certificates],
        "purpose": view["purpose"],
        "kept_until": _kept_until(entry),
        "error": view["error"],
        "events": [{"kind": event.kind.value, "at": _moment(event.at, zone)} for event in entry.events],
        "after": after_record(entry, now=now, zone=zone),
        "copy": right_record(entry, Right.COPY, now=now, zone=zone),
        "objection": right_record(entry, Right.OBJECTION, now=now, zone=zone),
        "receipt": receipt_of(entry).claims() if has_receipt(entry) else None,
        "receipt_jwt": signed_receipt(entry) if has_receipt(entry) else None,
        "confirmed": confirmation(entry),
    }


def after_record(entry: Entry, *, now: datetime, zone: str) -> dict[str, Any] | None:
    """How taking back and deletion stand, for machines; None for what was not shared."""
    if not can_take_back(entry):
        return None
    standing = standing_of(entry, now=now, time_zone=zone)
    return {
        "state": standing.state.value,
        "action": standing.action.value if standing.action else None,
        "asked_on": day_in(standing.wish.at, zone).isoformat() if standing.wish else None,
        "asked_again_on": [day_in(one.at, zone).isoformat() for one in standing.again],
        "due_on": standing.due_on.isoformat() if standing.due_on else None,
        "complained_on": day_in(standing.complained_at, zone).isoformat() if standing.complained_at else None,
        "statements": [event.facts["token"] for event, _ in standing.statements],
        "misses_statement": standing.misses_statement,
        "reason": standing.reason,
    }


def right_record(entry: Entry, right: Right, *, now: datetime, zone: str) -> dict[str, Any] | None:
    """How a copy that was asked for, or an objection, stands, for machines; None when there is none."""
    asked = asked_of(entry, right, now=now, time_zone=zone)
    if asked is None:
        return None
    answered = "came_on" if right is Right.COPY else "answered_on"
    return {
        "asked_on": day_in(asked.asked_at, zone).isoformat(),
        "due_on": asked.due_on.isoformat(),
        answered: day_in(asked.answered_at, zone).isoformat() if asked.answered_at is not None else None,
        **({} if right is Right.COPY else {"answer": asked.answer}),
        "is_overdue": asked.is_overdue,
    }


def history_json(book: Book, t: Translator, *, zone: str, now: datetime) -> bytes:
    """The whole history as JSON, the latest entry first."""
    return strict_json.dumps(
        {
            "format": FORMAT,
            "made_at": _moment(now, zone),
            "language": t.language,
            "intact": book.is_intact,
            "faults": fault_sentences(book.faults, t),
            "deletions": [_moment(at, zone) for at in book.deletions],
            "entries": [entry_record(entry, t, zone=zone, now=now) for entry in book.entries],
        }
    )


def history_csv(book: Book, t: Translator, *, zone: str, now: datetime) -> bytes:
    """The whole history as a table: comma-separated, UTF-8 with a mark at its beginning, so that Excel reads it."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow([t(column) for column in _COLUMNS])
    for entry in book.entries:
        writer.writerow([_harmless(cell) for cell in _cells(entry, t, zone=zone, now=now)])
    return table.getvalue().encode("utf-8-sig")


EXPORTS: Mapping[str, Callable[..., bytes]] = {".json": history_json, ".csv": history_csv}
"""The writers by the ending of the file; each takes the book, the translator, `zone` and `now`."""


def _kept_until(entry: Entry) -> str | None:
    """The day that they declared, of what went; whether it is deleted earlier stands beside it."""
    until = entry.retention_until
    return until.isoformat() if until and entry.went else None


def _cells(entry: Entry, t: Translator, *, zone: str, now: datetime) -> list[str]:
    view = entry_view(entry, t, now=now, titles={})
    level = LEVELS.get(view["level"])
    return [
        _moment(entry.filed_at, zone),
        view["who"],
        t(level) if level else "",
        entry.host,
        view["acting_for"],
        view["word"],
        "; ".join(view["asked"]),
        "; ".join(item["name"] for item in (*view["shared"], *view["bare"])),
        "; ".join(view["declined"]),
        "; ".join(one.text(t.language) for one in entry.certificates),
        view["purpose"],
        _kept_until(entry) or "",
        "; ".join(one["word"] for one in (view["after"], *view["rights"]) if one),
        "; ".join(f"{_moment(event.at, zone)} {words}" for event, words in all_happened(entry.events, t)),
        view["contact"] or "",
        view["error"],
        entry.id,
    ]


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: whoever asked chose its words."""
    return f"'{cell}" if cell.lstrip()[:1] in ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20") else cell


def _moment(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")
