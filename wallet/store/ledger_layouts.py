"""From the first layout of the history to the present one, once per vault, when it is opened.

In layout 1 the chain was over the sealed bytes themselves, so that nothing could be deleted without breaking it, and
its end was sealed only from the first event on. Whether a vault has been brought over stands in its own sealed profile:
a history of the first layout is never read in place of one of the second.
"""

import hashlib
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import col

from proofs.sealing import SealBroken
from wallet.store.ledger import BEGINNING, chained
from wallet.store.tables import LedgerHeadRow, LedgerRow
from wallet.vault import UnlockedVault


def chain_anew(connection: Connection, vault: UnlockedVault) -> None:
    """Bring a history of layout 1 to layout 2. One whose chain does not hold stays marked as damaged for good."""
    rows = connection.execute(
        select(col(LedgerRow.sequence), col(LedgerRow.sealed_event), col(LedgerRow.digest))
        .where(col(LedgerRow.person_id) == vault.person_id)
        .order_by(col(LedgerRow.sequence))
    ).all()
    first, second, is_intact, last = BEGINNING, BEGINNING, True, 0
    for position, row in enumerate(rows, start=1):
        first = hashlib.sha256(first + row.sequence.to_bytes(8, "big") + row.sealed_event).digest()
        is_intact = is_intact and row.sequence == position and row.digest == first
        content = hashlib.sha256(row.sealed_event).digest()
        second, last = chained(second, row.sequence, content), row.sequence
        connection.execute(
            update(LedgerRow)
            .where(col(LedgerRow.person_id) == vault.person_id, col(LedgerRow.sequence) == row.sequence)
            .values(digest=second, content=content)
        )
    is_intact = is_intact and _first_end(connection, vault) == (len(rows), first)
    members: dict[str, Any] = {"digest": second.hex(), "deleted": 0, "damaged": not is_intact}
    sealed = vault.seal_json("ledger.head.2", vault.person_id, members, version=last)
    connection.execute(delete(LedgerHeadRow).where(col(LedgerHeadRow.person_id) == vault.person_id))
    connection.execute(insert(LedgerHeadRow).values(person_id=vault.person_id, sequence=last, sealed_head=sealed))


def _first_end(connection: Connection, vault: UnlockedVault) -> tuple[int, bytes] | None:
    row = connection.execute(
        select(col(LedgerHeadRow.sequence), col(LedgerHeadRow.sealed_head)).where(
            col(LedgerHeadRow.person_id) == vault.person_id
        )
    ).first()
    if row is None:
        return 0, BEGINNING
    try:
        head = vault.unseal_json("ledger.head", vault.person_id, row.sealed_head, version=row.sequence)
    except SealBroken:
        return None
    return row.sequence, bytes.fromhex(head["digest"])
