"""Where a request stands, in a word, a symbol and a sentence; and the rows and counts of the board.

A request that was made as a link and a QR code is two transactions and one row: the one that got furthest counts. That
somebody refused and that somebody had nothing to show is one and the same word, on purpose (CS-23).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from service.i18n import N_
from verifier.requests import Kind
from verifier.store import RequestRecord, State
from verifier.verification import Verdict


@dataclass(frozen=True, slots=True)
class Stand:
    """One way a request can stand. `kind` is stable; `tone` and `icon` are those of the shared pieces."""

    kind: str
    tone: str
    icon: str
    word: str
    sentence: str


WAITING: Final = Stand("waiting", "quiet", "clock", N_("Waiting"), N_("Nobody has opened the request yet."))
OPENED: Final = Stand("opened", "quiet", "person", N_("Opened"), N_("A wallet has opened the request. No answer yet."))
VERIFIED: Final = Stand("verified", "good", "check", N_("Verified"), N_("An answer came, and every check held."))
FAILED: Final = Stand("failed", "bad", "cross", N_("Did not hold"), N_("An answer came, but something did not hold."))
UNKNOWN: Final = Stand(
    "unknown",
    "warning",
    "question",
    N_("Could not be checked"),
    N_("An answer came, but something could not be checked."),
)
NOT_WANTED: Final = Stand(
    "not_wanted",
    "warning",
    "cross",
    N_("Genuine, but not what you accept"),
    N_("An answer came. Everything about it is genuine, but it is not what you accept."),
)
GONE: Final = Stand(
    "gone",
    "quiet",
    "check",
    N_("Deleted"),
    N_("What the answer rested on was deleted, so nothing is said of it any more."),
)
NO_ANSWER: Final = Stand(
    "no_answer",
    "quiet",
    "info",
    N_("No, or nothing to show"),
    N_("The other person did not share anything. You cannot tell why, and they need not say."),
)
EXPIRED: Final = Stand("expired", "quiet", "clock", N_("Expired"), N_("The time for answering is over."))
WITHDRAWN: Final = Stand(
    "withdrawn",
    "quiet",
    "undo",
    N_("Taken back"),
    N_("The person took back what was shared. Do not use it any more."),
)

STANDS: Final = (WAITING, OPENED, VERIFIED, NOT_WANTED, FAILED, UNKNOWN, NO_ANSWER, WITHDRAWN, GONE, EXPIRED)

_BY_STATE: Final = {
    State.WAITING: WAITING,
    State.OPENED: OPENED,
    # Until the person's browser is back, an answer does not count, and nothing is said about it.
    State.AWAITING_RETURN: OPENED,
    State.DECLINED: NO_ANSWER,
    State.NOT_RETURNED: FAILED,
    State.EXPIRED: EXPIRED,
    State.WITHDRAWN: WITHDRAWN,
}
_BY_VERDICT: Final = {Verdict.ACCEPTED: VERIFIED, Verdict.REJECTED: FAILED, Verdict.UNDETERMINED: UNKNOWN}
_FURTHEST: Final = (VERIFIED, UNKNOWN, NOT_WANTED, FAILED, WITHDRAWN, GONE, NO_ANSWER, OPENED, WAITING, EXPIRED)


def stand_of(record: RequestRecord) -> Stand:
    """Where one transaction stands. An answer without a verdict counts as one that could not be checked."""
    if record.state in (State.ANSWERED, State.DELETED):
        if record.is_untold:
            return GONE
        if record.verdict is Verdict.REJECTED and record.is_genuine:
            return NOT_WANTED
        return _BY_VERDICT[record.verdict] if record.verdict else UNKNOWN
    return _BY_STATE[record.state]


def furthest(records: Sequence[RequestRecord]) -> RequestRecord:
    """Of transactions that were made together, the one that got furthest."""
    return min(records, key=lambda record: _FURTHEST.index(stand_of(record)))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the board."""

    id: str
    href: str
    title: str
    reference: str
    way: str
    stand: Stand
    made_at: datetime
    kept_until: date
    has_values: bool
    is_covered: bool
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows stand in one way."""

    kind: str
    tone: str
    icon: str
    word: str
    count: int


def rows_of(records: Iterable[RequestRecord], language: str) -> list[Row]:
    """The rows of the board, newest first, link and QR code of one request in one row."""
    together: dict[str, list[RequestRecord]] = {}
    for record in records:
        together.setdefault(record.transaction.pair or record.id, []).append(record)
    return [_row(some, language) for some in together.values()]


def _row(some: Sequence[RequestRecord], language: str) -> Row:
    record = furthest(some)
    kinds = {one.transaction.kind for one in some}
    way = N_("Link and QR code")
    if Kind.CROSS_DEVICE not in kinds:
        way = N_("Link for one browser")
    elif len(kinds) == 1:
        way = N_("QR code or sent link")
    return Row(
        id=record.id,
        href=f"/requests/{record.id}",
        title=record.transaction.question.template.title.text(language),
        reference=record.reference,
        way=way,
        stand=stand_of(record),
        made_at=record.transaction.made_at,
        kept_until=record.retention_until,
        has_values=record.has_contents,
        is_covered=record.is_covered,
        deleted_at=record.contents_deleted_at,
    )


def tallies_of(rows: Iterable[Row]) -> list[Tally]:
    """How many rows stand in each way, every way named even when there is none."""
    counts = {stand.kind: 0 for stand in STANDS}
    for row in rows:
        counts[row.stand.kind] += 1
    return [Tally(stand.kind, stand.tone, stand.icon, stand.word, counts[stand.kind]) for stand in STANDS]
