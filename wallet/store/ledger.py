"""The history at rest: events appended one after the other, sealed, each chained to the one before.

    with database.transaction() as connection:
        append_event(connection, vault, event)          # together with whatever else the event speaks of
    history = read_history(connection, vault)
    history.events, history.is_intact, history.faults

The chain is over digests of the sealed bytes, and its end is sealed in the vault from the day that the vault is made:
a changed, removed, swapped or cut-off event is noticed, and so is a history that is gone altogether. When a person
deletes an entry, its events are overwritten by sealed marks and their digests stay, so that the chain still checks;
nobody else can make such a mark. When the vault gets another key, each event is sealed anew beside the digest of what
it was first sealed as: chain, receipts and what others have confirmed stay as they are. Putting the whole file back to
an earlier state is not noticed.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from proofs.sealing import SealBroken
from schemas.errors import TemporarilyUnavailable
from wallet.ledger import Event, HistoryFault
from wallet.store.people import require_current
from wallet.store.tables import LedgerHeadRow, LedgerRow
from wallet.vault import UnlockedVault

BEGINNING = bytes(32)
_EVENT, _ANEW, _MARK, _HEAD = "ledger.event", "ledger.event.anew", "ledger.deleted", "ledger.head.2"


class HistoryMovedOn(TemporarilyUnavailable):
    """Something else was written to the history at the same time; the same request can be sent again."""

    retry_after_seconds = 1


@dataclass(frozen=True, slots=True)
class History:
    """All events of a vault in their order, what a check of the chain found, and when entries were deleted."""

    events: tuple[Event, ...]
    faults: frozenset[HistoryFault] = frozenset()
    deletions: tuple[datetime, ...] = ()

    @property
    def is_intact(self) -> bool:
        """Whether the chain holds from the first event to the last."""
        return not self.faults


@dataclass(frozen=True, slots=True)
class _Head:
    """The end of a history: number and digest of the last event, how many marks there are, whether it was damaged."""

    sequence: int = 0
    digest: bytes = BEGINNING
    deleted: int = 0
    is_damaged: bool = False


def begin_history(connection: Connection, vault: UnlockedVault) -> None:
    """Seal the end of an empty history, when a vault is made: from then on its absence is noticed."""
    connection.execute(insert(LedgerHeadRow).values(**_sealed_head(vault, _Head())))


def append_event(connection: Connection, vault: UnlockedVault, event: Event) -> None:
    """Write one event at the end of the history, inside the caller's transaction.

    A history whose end cannot be read goes on behind its last event, and says so for good. Raises `HistoryMovedOn`
    when something else was appended since it was read, which loses neither.
    """
    require_current(connection, vault)
    head = _head(connection, vault)
    before = head or _last_event(connection, vault)
    sequence = before.sequence + 1
    sealed = vault.seal_json(_EVENT, str(sequence), event.as_json())
    content = _content(sealed)
    digest = chained(before.digest, sequence, content)
    row = {"person_id": vault.person_id, "sequence": sequence, "digest": digest, "content": content}
    try:
        connection.execute(insert(LedgerRow).values(sealed_event=sealed, **row))
    except IntegrityError as exc:
        raise HistoryMovedOn from exc
    _write_head(connection, vault, replace(before, sequence=sequence, digest=digest), before=head)


def delete_events(connection: Connection, vault: UnlockedVault, entry_id: str, *, now: datetime) -> int:
    """Overwrite the events of one entry by sealed marks, as its owner wants; returns how many events those were."""
    require_current(connection, vault)
    head = _head(connection, vault)
    deletion, deleted = secrets.token_hex(8), 0
    for row in _rows(connection, vault):
        event = _event(vault, row)
        if event is None or event.entry_id != entry_id:
            continue
        mark = {"content": row.content.hex(), "at": int(now.timestamp()), "deletion": deletion}
        connection.execute(
            update(LedgerRow)
            .where(col(LedgerRow.person_id) == vault.person_id, col(LedgerRow.sequence) == row.sequence)
            .values(sealed_event=vault.seal_json(_MARK, str(row.sequence), mark))
        )
        deleted += 1
    if deleted:
        before = head or _last_event(connection, vault)
        _write_head(connection, vault, replace(before, deleted=before.deleted + deleted), before=head)
    return deleted


def read_history(connection: Connection, vault: UnlockedVault) -> History:
    """Everything that happened in this vault, and whether it still is what was written."""
    events: list[Event] = []
    deletions: dict[str, datetime] = {}
    faults: set[HistoryFault] = set()
    before, position, marks = BEGINNING, 0, 0
    for position, row in enumerate(_rows(connection, vault), start=1):
        content = row.content if row.content is not None else b""
        if row.sequence != position:
            faults.add(HistoryFault.MISSING)
        if chained(before, row.sequence, content) != row.digest:
            faults.add(HistoryFault.MISSING if row.sequence != position else HistoryFault.CHANGED)
        event = _event(vault, row)
        if event is not None:
            events.append(replace(event, previous=before.hex()))
        elif (mark := _mark(vault, row)) is not None:
            marks += 1
            deletions.setdefault(mark["deletion"], datetime.fromtimestamp(mark["at"], UTC))
        else:
            faults.add(HistoryFault.CHANGED)
        before = row.digest
    head = _head(connection, vault)
    faults |= _faults_at_the_end(head, before, last=position if not faults else None, marks=marks)
    return History(tuple(events), frozenset(faults), tuple(deletions.values()))


def _faults_at_the_end(head: _Head | None, digest: bytes, *, last: int | None, marks: int) -> set[HistoryFault]:
    if head is None:
        return {HistoryFault.NO_END}
    faults = {HistoryFault.EARLIER} if head.is_damaged else set()
    if last is not None and (head.sequence, head.digest) != (last, digest):
        faults.add(HistoryFault.CUT_OFF if last < head.sequence else HistoryFault.NO_END)
    if head.deleted != marks and not head.is_damaged:
        faults.add(HistoryFault.CHANGED if last is not None else HistoryFault.MISSING)
    return faults


def seal_history_anew(connection: Connection, vault: UnlockedVault, successor: UnlockedVault) -> None:
    """Seal the history under the key of the vault's successor. What cannot be read stays as it is, and still shows."""
    for row in _rows(connection, vault):
        event, mark = _event(vault, row), _mark(vault, row)
        if event is not None:
            members = {"content": row.content.hex(), "event": event.as_json()}
            sealed = successor.seal_json(_ANEW, str(row.sequence), members)
        elif mark is not None:
            sealed = successor.seal_json(_MARK, str(row.sequence), mark)
        else:
            continue
        connection.execute(
            update(LedgerRow)
            .where(col(LedgerRow.person_id) == vault.person_id, col(LedgerRow.sequence) == row.sequence)
            .values(sealed_event=sealed)
        )
    head = _head(connection, vault)
    if head is not None:
        _write_head(connection, successor, head, before=head)


def chained(before: bytes, sequence: int, content: bytes) -> bytes:
    """The digest that chains one event, by the digest of its sealed bytes, to the digest before it."""
    return hashlib.sha256(b"intyga history 2" + before + sequence.to_bytes(8, "big") + content).digest()


def _content(sealed: bytes) -> bytes:
    return hashlib.sha256(sealed).digest()


def _rows(connection: Connection, vault: UnlockedVault) -> Sequence[Any]:
    columns = (col(LedgerRow.sequence), col(LedgerRow.sealed_event), col(LedgerRow.digest), col(LedgerRow.content))
    mine = select(*columns).where(col(LedgerRow.person_id) == vault.person_id)
    return connection.execute(mine.order_by(col(LedgerRow.sequence))).all()


def _event(vault: UnlockedVault, row: Row[Any]) -> Event | None:
    """The event in a row, if it is the one that was written there, or sealed anew by its owner."""
    try:
        if row.content == _content(row.sealed_event):
            return Event.from_json(vault.unseal_json(_EVENT, str(row.sequence), row.sealed_event))
        anew = vault.unseal_json(_ANEW, str(row.sequence), row.sealed_event)
    except SealBroken:
        return None
    is_of_this_row = row.content is not None and anew["content"] == row.content.hex()
    return Event.from_json(anew["event"]) if is_of_this_row else None


def _mark(vault: UnlockedVault, row: Row[Any]) -> Mapping[str, Any] | None:
    """The mark of a deleted event in a row, if its owner made it for this very event."""
    try:
        mark = vault.unseal_json(_MARK, str(row.sequence), row.sealed_event)
    except SealBroken:
        return None
    return mark if row.content is not None and mark["content"] == row.content.hex() else None


def _head(connection: Connection, vault: UnlockedVault) -> _Head | None:
    """The end of the history as it was sealed; None when it is not there, or not as it was sealed."""
    row = connection.execute(
        select(col(LedgerHeadRow.sequence), col(LedgerHeadRow.sealed_head)).where(
            col(LedgerHeadRow.person_id) == vault.person_id
        )
    ).first()
    if row is None:
        return None
    try:
        head = vault.unseal_json(_HEAD, vault.person_id, row.sealed_head, version=row.sequence)
    except SealBroken:
        return None
    return _Head(row.sequence, bytes.fromhex(head["digest"]), head["deleted"], head["damaged"])


def _last_event(connection: Connection, vault: UnlockedVault) -> _Head:
    """Where to go on when the end is not known: behind the last event that there is, damaged for good."""
    last, marks = _Head(is_damaged=True), 0
    for row in _rows(connection, vault):
        marks += _mark(vault, row) is not None
        last = replace(last, sequence=row.sequence, digest=row.digest)
    return replace(last, deleted=marks)


def _write_head(connection: Connection, vault: UnlockedVault, head: _Head, *, before: _Head | None) -> None:
    values = _sealed_head(vault, head)
    mine = col(LedgerHeadRow.person_id) == vault.person_id
    if before is None:
        connection.execute(LedgerHeadRow.__table__.delete().where(mine))  # type: ignore[attr-defined]  # SQLModel does not type its table
        connection.execute(insert(LedgerHeadRow).values(**values))
        return
    still = update(LedgerHeadRow).where(mine, col(LedgerHeadRow.sequence) == before.sequence)
    if connection.execute(still.values(**values)).rowcount != 1:
        raise HistoryMovedOn


def _sealed_head(vault: UnlockedVault, head: _Head) -> dict[str, Any]:
    members = {"digest": head.digest.hex(), "deleted": head.deleted, "damaged": head.is_damaged}
    sealed = vault.seal_json(_HEAD, vault.person_id, members, version=head.sequence)
    return {"person_id": vault.person_id, "sequence": head.sequence, "sealed_head": sealed}
