"""The history at rest: events appended one after the other, sealed, each chained to the one before.

    with database.transaction() as connection:
        append_event(connection, vault, event)          # together with whatever else the event speaks of
    history = read_history(connection, vault)
    history.events, history.is_intact

The chain is over the sealed bytes, so that it can be checked without reading them, and its end is sealed in the vault:
a changed, removed, swapped or cut-off event is noticed. Putting the whole file back to an earlier state is not.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlmodel import col

from proofs.sealing import SealBroken
from wallet.ledger import Event
from wallet.store.tables import LedgerHeadRow, LedgerRow
from wallet.vault import UnlockedVault

_BEGINNING = bytes(32)


@dataclass(frozen=True, slots=True)
class History:
    """All events of a vault in their order, and whether the chain holds from the first to the last."""

    events: tuple[Event, ...]
    is_intact: bool


def append_event(connection: Connection, vault: UnlockedVault, event: Event) -> None:
    """Write one event at the end of the history, inside the caller's transaction."""
    sequence, digest = _head(connection, vault)
    sequence += 1
    sealed = vault.seal_json("ledger.event", str(sequence), event.as_json())
    digest = _chained(digest, sequence, sealed)
    connection.execute(
        insert(LedgerRow).values(person_id=vault.person_id, sequence=sequence, sealed_event=sealed, digest=digest)
    )
    head = vault.seal_json("ledger.head", vault.person_id, {"digest": digest.hex()}, version=sequence)
    values: dict[str, Any] = {"sequence": sequence, "sealed_head": head}
    if sequence == 1:
        connection.execute(insert(LedgerHeadRow).values(person_id=vault.person_id, **values))
    else:
        connection.execute(
            update(LedgerHeadRow).where(col(LedgerHeadRow.person_id) == vault.person_id).values(**values)
        )


def read_history(connection: Connection, vault: UnlockedVault) -> History:
    """Everything that happened in this vault. Events that cannot be opened are left out: it is then not intact."""
    rows = connection.execute(
        select(col(LedgerRow.sequence), col(LedgerRow.sealed_event), col(LedgerRow.digest))
        .where(col(LedgerRow.person_id) == vault.person_id)
        .order_by(col(LedgerRow.sequence))
    ).all()
    events: list[Event] = []
    before, intact = _BEGINNING, True
    for position, row in enumerate(rows, start=1):
        digest = _chained(before, row.sequence, row.sealed_event)
        intact = intact and row.sequence == position and digest == row.digest
        try:
            members = vault.unseal_json("ledger.event", str(row.sequence), row.sealed_event)
            events.append(replace(Event.from_json(members), previous=before.hex()))
        except SealBroken:
            intact = False
        before = digest
    try:
        end = _head(connection, vault)
    except SealBroken:
        return History(tuple(events), False)
    return History(tuple(events), intact and end == (len(rows), before if rows else _BEGINNING))


def _head(connection: Connection, vault: UnlockedVault) -> tuple[int, bytes]:
    row = connection.execute(
        select(col(LedgerHeadRow.sequence), col(LedgerHeadRow.sealed_head)).where(
            col(LedgerHeadRow.person_id) == vault.person_id
        )
    ).first()
    if row is None:
        return 0, _BEGINNING
    head = vault.unseal_json("ledger.head", vault.person_id, row.sealed_head, version=row.sequence)
    return row.sequence, bytes.fromhex(head["digest"])


def _chained(before: bytes, sequence: int, sealed: bytes) -> bytes:
    return hashlib.sha256(before + sequence.to_bytes(8, "big") + sealed).digest()
