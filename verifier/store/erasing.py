"""Taking values out of the database, with the log line and the statement, in the caller's transaction.

One place for all causes (the retention date, the person's wish, a member of staff), so that none of them can delete
without a statement, or state without deleting.

    eraser = Eraser(sealer, writer)
    eraser.erase_all(connection, row, reason=Reason.RETENTION, now=now)
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from proofs import strict_json
from proofs.sealing import SealBroken
from schemas.standing_permission import EndReason
from schemas.withdrawal import Reason, StatedException, StatedItem, StatementOutcome
from service.prepared import Prepared
from verifier.acting import power_queries
from verifier.deletion import StatementWriter, merged, shared_items, without
from verifier.disclosed import KeptPresentation
from verifier.request_templates import RequestTemplate
from verifier.store.contents import SealedPresentation, Sealer, places_of
from verifier.store.log import write_log
from verifier.store.mapping import WHOLE, question_of, transaction_of
from verifier.store.permission_end import end_permission
from verifier.store.receipts import forget_names
from verifier.store.records import DeletionState, Event, Report, State
from verifier.store.tables import API_KEYS, CONTENTS, DELETIONS, REQUESTS

_COLUMNS = ("place", "query_id", "key_id", "wrapped_key", "sealed")
_INSERT_CONTENTS = Prepared(insert(CONTENTS).values({name: bindparam(name) for name in _COLUMNS}))
_STATES = {
    StatementOutcome.DELETED: DeletionState.DELETED,
    StatementOutcome.PARTLY: DeletionState.PARTLY,
    StatementOutcome.REFUSED: DeletionState.REFUSED,
}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something is deleted, and who asked: `reason` as the statement says it, `actor` as the log does.

    `action` is `withdraw`, `erase` or `retention`; `chosen` the items that are to go, None for everything.
    """

    reason: Reason
    action: str
    received_at: datetime
    due_on: str
    actor: str = ""
    receipt_id: str = ""
    chosen: tuple[StatedItem, ...] | None = None
    exceptions: tuple[StatedException, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is kept of a share, as it rests."""

    place: int
    query_id: str
    sealed: SealedPresentation


class Eraser:
    """Deletes what is kept of a share, records that, and states it."""

    def __init__(self, sealer: Sealer, writer: StatementWriter) -> None:
        self._sealer = sealer
        self._writer = writer

    def erase(self, connection: Connection, request_id: str, cause: Cause, *, now: datetime) -> None:
        """Delete everything but the exceptions, or the chosen items but the exceptions; record and state it.

        An open deletion of this request is closed by it. Nothing may be kept at all any more: then the statement says
        since when, which is the moment of the answer where nothing of it was ever kept.
        """
        row = connection.execute(WHOLE.where(REQUESTS.c.id == request_id)).one()
        kept = _kept(connection, row)
        template = question_of(row.template).template
        if cause.chosen is None and not cause.exceptions:
            erased = merged(self.shared(connection, row), self._earlier(connection, request_id))
            destroyed = [one.sealed.key_id for one in kept]
            _delete_places(connection, [one.place for one in kept])
            left = 0
        else:
            chosen = cause.chosen if cause.chosen is not None else self.shared(connection, row)
            excepted = [item for exception in cause.exceptions for item in exception.items]
            going = [item for item in chosen if item not in excepted]
            erased, destroyed, left = self._erase_some(connection, row, kept, template, going, excepted)
        self._record(connection, row, cause, erased, destroyed, is_all_gone=not left, now=now)

    def shared(self, connection: Connection, row: Row[Any]) -> tuple[StatedItem, ...]:
        """What the share consists of (did, when nothing is kept any more), as the template names it."""
        template = question_of(row.template).template
        query_ids = {one.query_id for one in _kept(connection, row)}
        query_ids = query_ids or {proof.query_id for proof in Report.from_json(row.report or "").proofs}
        return shared_items(template, query_ids)

    def seal(self, connection: Connection, request_id: str, number: int, kept: Sequence[KeptPresentation]) -> None:
        """Store what is kept of an answer, each presentation under a key of its own."""
        first, _ = places_of(number)
        for place, one in enumerate(kept, start=first):
            _store(connection, place, one.query_id, self._sealer.seal_presentation(request_id, one))

    def open(self, connection: Connection, row: Row[Any]) -> tuple[KeptPresentation, ...]:
        """What is kept of an answer. Raises `SealBroken`."""
        return tuple(self._sealer.open_presentation(row.id, one.sealed) for one in _kept(connection, row))

    # --- steps -------------------------------------------------------------------------------------------------------

    def _earlier(self, connection: Connection, request_id: str) -> list[StatedItem]:
        """What was deleted of this share before: the last statement is about all of it."""
        rows = connection.execute(select(DELETIONS.c.erased).where(DELETIONS.c.request_id == request_id)).all()
        return [item for row in rows for item in items_from(row.erased)]

    def _erase_some(
        self,
        connection: Connection,
        row: Row[Any],
        kept: Sequence[_Kept],
        template: RequestTemplate,
        going: Sequence[StatedItem],
        keeping: Sequence[StatedItem],
    ) -> tuple[tuple[StatedItem, ...], list[str], int]:
        """Delete some items: what went, the keys that were destroyed, and how many presentations are left."""
        if not going:
            return (), [], len(kept)
        try:
            opened = [self._sealer.open_presentation(row.id, one.sealed) for one in kept]
        except SealBroken:
            # What nobody can read cannot be taken apart either, and is of no use to keep.
            _delete_places(connection, [one.place for one in kept])
            return tuple(going), [one.sealed.key_id for one in kept], 0
        shared = shared_items(template, {one.query_id for one in kept})
        remainder = without(opened, going, shared, keeping=keeping)
        _delete_places(connection, [kept[index].place for index in remainder.changed])
        for index, left in remainder.changed.items():
            if left is not None:
                sealed = self._sealer.seal_presentation(row.id, left)
                _store(connection, kept[index].place, left.query_id, sealed)
        gone = sum(1 for left in remainder.changed.values() if left is None)
        destroyed = [kept[index].sealed.key_id for index in remainder.changed]
        return remainder.erased, destroyed, len(kept) - gone

    def _record(
        self,
        connection: Connection,
        row: Row[Any],
        cause: Cause,
        erased: Sequence[StatedItem],
        destroyed: Sequence[str],
        *,
        is_all_gone: bool,
        now: datetime,
    ) -> None:
        outcome = StatementOutcome.DELETED
        if cause.exceptions:
            outcome = StatementOutcome.PARTLY if erased else StatementOutcome.REFUSED
        deleted_at = None if outcome is StatementOutcome.REFUSED else now
        if is_all_gone and row.contents_number is None:
            deleted_at = row.contents_deleted_at or row.answered_at
        is_open = (DELETIONS.c.request_id == row.id, DELETIONS.c.state == DeletionState.RECEIVED.value)
        waiting = connection.execute(select(DELETIONS).where(*is_open)).one_or_none()
        event = Event.DELETION_REFUSED if outcome is StatementOutcome.REFUSED else Event.DELETED
        number = write_log(
            connection, event, row.id, row.template_name, now, cause.actor, outcome=cause.reason.value, detail=outcome
        )
        statement = self._writer.write(
            transaction_of(row, self._sealer),
            reason=cause.reason,
            outcome=outcome,
            items=erased,
            decided_at=now,
            deleted_at=deleted_at,
            destroyed_keys=destroyed,
            exceptions=cause.exceptions,
            receipt_id=cause.receipt_id or (waiting.receipt_id if waiting is not None else ""),
            by_program=row.state != State.NOT_RETURNED.value and _is_program(connection, row.maker),
        )
        values: dict[str, Any] = {
            "number": number,
            "state": _STATES[outcome].value,
            "chosen": items_to(cause.chosen) if cause.chosen is not None else "",
            "decided_at": now,
            "erased": items_to(erased),
            "exceptions": exceptions_to(cause.exceptions),
            "statement": statement,
            "acknowledged_at": None,
        }
        if waiting is not None:  # Whatever deletes closes what was asked for; who asked, and when, stays.
            connection.execute(update(DELETIONS).where(DELETIONS.c.id == waiting.id).values(**values))
        else:
            insert_deletion(connection, row, cause, **values)
        change: dict[str, Any] = {"deletion": _STATES[outcome].value, "changed": number}
        powers = power_queries(question_of(row.template).template)
        if is_all_gone or any(item.credential in powers for item in erased):
            forget_names(connection, row.id)
        if is_all_gone:
            reason = EndReason.WITHDRAWN if cause.reason is Reason.WITHDRAWN else EndReason.DELETED
            end_permission(connection, row, reason, now=now)
            if row.contents_number is not None or cause.reason is not Reason.RETENTION:
                # Nothing has changed for whoever asked when it is only stated that nothing was ever kept.
                change |= {"contents_number": None, "contents_deleted_at": deleted_at or now}
        if cause.reason is Reason.WITHDRAWN and row.withdrawn_at is None:
            change["withdrawn_at"] = now
        connection.execute(update(REQUESTS).where(REQUESTS.c.id == row.id).values(**change))


def _is_program(connection: Connection, maker: str) -> bool:
    """Whether a request was made over the interface, by a program that may have a copy of its own."""
    return connection.execute(select(API_KEYS.c.id).where(API_KEYS.c.id == maker)).first() is not None


def insert_deletion(connection: Connection, row: Row[Any], cause: Cause, **values: Any) -> None:
    """Record that something is or was to be deleted."""
    about = {
        "id": secrets.token_hex(8),
        "request_id": row.id,
        # Whoever asked is told nothing of an answer whose browser did not come back, also not of which items it was.
        "maker": "" if row.state == State.NOT_RETURNED.value else row.maker,
        "action": cause.action,
        "receipt_id": cause.receipt_id,
        "received_at": cause.received_at,
        "due_on": cause.due_on,
    }
    connection.execute(insert(DELETIONS), about | values)


def delete_contents(connection: Connection, number: int | None) -> None:
    """Delete what is kept of an answer that does not count, without a statement: nobody was told that it was kept."""
    if number is not None:
        connection.execute(delete(CONTENTS).where(CONTENTS.c.place.between(*places_of(number))))


def items_to(items: Sequence[StatedItem]) -> str:
    """Items as they rest."""
    return strict_json.dumps([item.model_dump(mode="json") for item in items]).decode()


def items_from(text: str) -> tuple[StatedItem, ...]:
    """What `items_to` made; none for an empty text."""
    return tuple(StatedItem.model_validate(item) for item in strict_json.loads(text)) if text else ()


def exceptions_to(exceptions: Sequence[StatedException]) -> str:
    """Exceptions as they rest."""
    return strict_json.dumps([one.model_dump(mode="json") for one in exceptions]).decode() if exceptions else ""


def exceptions_from(text: str) -> tuple[StatedException, ...]:
    """What `exceptions_to` made; none for an empty text."""
    return tuple(StatedException.model_validate(one) for one in strict_json.loads(text)) if text else ()


def _kept(connection: Connection, row: Row[Any]) -> list[_Kept]:
    if row.contents_number is None:
        return []
    places = CONTENTS.c.place.between(*places_of(row.contents_number))
    rows = connection.execute(select(CONTENTS).where(places).order_by(CONTENTS.c.place)).all()
    return [_Kept(one.place, one.query_id, SealedPresentation(one.key_id, one.wrapped_key, one.sealed)) for one in rows]


def _store(connection: Connection, place: int, query_id: str, sealed: SealedPresentation) -> None:
    _INSERT_CONTENTS.run(
        connection,
        place=place,
        query_id=query_id,
        key_id=sealed.key_id,
        wrapped_key=sealed.wrapped_key,
        sealed=sealed.content,
    )


def _delete_places(connection: Connection, places: Sequence[int]) -> None:
    if places:
        connection.execute(delete(CONTENTS).where(CONTENTS.c.place.in_(places)))
