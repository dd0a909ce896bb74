"""Requests as they were received, at rest: sealed, one for each entry of the history, bounded for the whole vault.

    keep_request(connection, vault, entry_id, content)       # in the transaction that writes the entry
    kept_request(connection, vault, entry_id)                # the bytes, None when there are none

When a new one finds no room, the largest go first, and of equally large ones the earliest: whoever sends huge requests
pushes out huge ones, and never the many usual ones. Their entries stay, and are judged again from their facts.
"""

from sqlalchemy import Connection, delete, func, insert, select
from sqlmodel import col

from proofs.sealing import SealBroken
from wallet.requests import MAX_KEPT_BYTES, MAX_KEPT_BYTES_TOGETHER
from wallet.store.people import require_current
from wallet.store.tables import KeptRequestRow
from wallet.vault import UnlockedVault

KEPT_REQUEST = "request.kept"


def keep_request(connection: Connection, vault: UnlockedVault, entry_id: str, content: bytes) -> None:
    """Keep the bytes of a request, in the transaction that writes its entry; one beyond all bounds is not kept."""
    require_current(connection, vault)
    if len(content) > MAX_KEPT_BYTES:
        return
    sealed = vault.seal(KEPT_REQUEST, entry_id, content)
    row = {"person_id": vault.person_id, "entry_id": entry_id, "sealed_request": sealed, "size_bytes": len(sealed)}
    connection.execute(insert(KeptRequestRow).values(**row))
    _make_room(connection, vault)


def keep_request_once(connection: Connection, vault: UnlockedVault, entry_id: str, content: bytes) -> None:
    """Keep the bytes of a request of a file, unless this entry has its own."""
    mine = (col(KeptRequestRow.person_id) == vault.person_id, col(KeptRequestRow.entry_id) == entry_id)
    if connection.execute(select(col(KeptRequestRow.entry_id)).where(*mine)).first() is None:
        keep_request(connection, vault, entry_id, content)


def kept_request(connection: Connection, vault: UnlockedVault, entry_id: str) -> bytes | None:
    """The bytes of one request; None when there are none. What was changed from outside comes as no bytes at all."""
    return list_kept_requests(connection, vault, entry_id).get(entry_id)


def list_kept_requests(connection: Connection, vault: UnlockedVault, entry_id: str | None = None) -> dict[str, bytes]:
    """The bytes of all kept requests of a vault, or of one, by their entries."""
    query = select(col(KeptRequestRow.entry_id), col(KeptRequestRow.sealed_request)).where(
        col(KeptRequestRow.person_id) == vault.person_id
    )
    if entry_id is not None:
        query = query.where(col(KeptRequestRow.entry_id) == entry_id)
    return {row.entry_id: _opened(vault, row.entry_id, row.sealed_request) for row in connection.execute(query).all()}


def delete_kept_request(connection: Connection, vault: UnlockedVault, entry_id: str) -> None:
    """Forget the bytes of one request of this vault, with its entry."""
    mine = (col(KeptRequestRow.person_id) == vault.person_id, col(KeptRequestRow.entry_id) == entry_id)
    connection.execute(delete(KeptRequestRow).where(*mine))


def _opened(vault: UnlockedVault, entry_id: str, sealed: bytes) -> bytes:
    """The bytes under the seal; none where it is broken, which no digest in a history names."""
    try:
        return vault.unseal(KEPT_REQUEST, entry_id, sealed)
    except SealBroken:
        return b""


def _make_room(connection: Connection, vault: UnlockedVault) -> None:
    """Let go of the largest until all fit together. What has just come goes like any other."""
    mine = col(KeptRequestRow.person_id) == vault.person_id
    sizes = select(func.coalesce(func.sum(col(KeptRequestRow.size_bytes)), 0)).where(mine)
    excess = int(connection.execute(sizes).scalar_one()) - MAX_KEPT_BYTES_TOGETHER
    if excess <= 0:
        return
    largest = select(col(KeptRequestRow.entry_id), col(KeptRequestRow.size_bytes)).where(mine)
    for row in connection.execute(largest.order_by(col(KeptRequestRow.size_bytes).desc())).all():
        if excess <= 0:
            return
        delete_kept_request(connection, vault, row.entry_id)
        excess -= row.size_bytes
