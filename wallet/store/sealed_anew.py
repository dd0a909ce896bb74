"""Everything of a vault sealed under another key: read with the former one and written over, in one transaction.

Versions go up, so that whoever read an item before writes nothing over it afterwards.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select, update
from sqlmodel import col

from proofs.sealing import SealBroken
from wallet.store.kept_requests import KEPT_REQUEST
from wallet.store.ledger import seal_history_anew
from wallet.store.tables import (
    CertificateRow,
    CollectionRow,
    CopyRow,
    KeptRequestRow,
    ReportAddressRow,
    ShareRow,
    TakeBackRow,
)
from wallet.vault import UnlockedVault


def seal_everything_anew(connection: Connection, vault: UnlockedVault, successor: UnlockedVault) -> None:
    """Seal what a vault holds under the key of its successor; records, ways in and sessions are for the caller.

    Raises `SealBroken` when something cannot be read; the caller's transaction then changes nothing. In the history,
    which tells such damage itself, it stays as it is.
    """
    _Versioned(connection, vault, successor).everything()
    _copies(connection, vault, successor)
    _kept_requests(connection, vault, successor)
    seal_history_anew(connection, vault, successor)


class _Versioned:
    """The tables whose items are written over in versions."""

    def __init__(self, connection: Connection, vault: UnlockedVault, successor: UnlockedVault) -> None:
        self._connection = connection
        self._vault = vault
        self._successor = successor

    def everything(self) -> None:
        """All of them."""
        for row in self._rows(CertificateRow):
            sealed = self._anew("certificate.view", row.id, row.sealed_view, row.version)
            self._write(CertificateRow, CertificateRow.id, row.id, {"sealed_view": sealed, "version": row.version + 1})
        for row in self._rows(CollectionRow):
            sealed = self._anew("collection.state", row.id, row.sealed_state, row.version)
            self._write(CollectionRow, CollectionRow.id, row.id, {"sealed_state": sealed, "version": row.version + 1})
        for row in self._rows(ShareRow):
            values = {"sealed_state": self._anew("share.state", row.id, row.sealed_state, row.version)}
            if row.sealed_answer is not None:
                answer = self._vault.unseal("share.answer", row.id, row.sealed_answer)
                values["sealed_answer"] = self._successor.seal("share.answer", row.id, answer)
            self._write(ShareRow, ShareRow.id, row.id, {**values, "version": row.version + 1})
        for row in self._rows(TakeBackRow):
            sealed = self._anew("take_back.means", row.share_id, row.sealed_means, row.version)
            values = {"sealed_means": sealed, "version": row.version + 1}
            self._write(TakeBackRow, TakeBackRow.share_id, row.share_id, values)
        for row in self._rows(ReportAddressRow):
            sealed = self._anew("report.address", row.person_id, row.sealed_key, row.version)
            values = {"sealed_key": sealed, "version": row.version + 1}
            self._write(ReportAddressRow, ReportAddressRow.person_id, row.person_id, values)

    def _anew(self, kind: str, item_id: str, sealed: bytes, version: int) -> bytes:
        value = self._vault.unseal(kind, item_id, sealed, version=version)
        return self._successor.seal(kind, item_id, value, version=version + 1)

    def _rows(self, table: Any) -> Sequence[Any]:
        mine = select(table.__table__).where(col(table.person_id) == self._vault.person_id)
        return self._connection.execute(mine).all()

    def _write(self, table: Any, key: Any, item_id: str, values: dict[str, Any]) -> None:
        mine = (col(key) == item_id, col(table.person_id) == self._vault.person_id)
        self._connection.execute(update(table).where(*mine).values(**values))


def _copies(connection: Connection, vault: UnlockedVault, successor: UnlockedVault) -> None:
    rows = connection.execute(
        select(col(CopyRow.id), col(CopyRow.sealed_token), col(CopyRow.sealed_key)).where(
            col(CopyRow.person_id) == vault.person_id
        )
    ).all()
    for row in rows:
        token = vault.unseal("copy.token", row.id, row.sealed_token)
        key = vault.unseal("copy.key", row.id, row.sealed_key)
        connection.execute(
            update(CopyRow)
            .where(col(CopyRow.id) == row.id)
            .values(
                sealed_token=successor.seal("copy.token", row.id, token),
                sealed_key=successor.seal("copy.key", row.id, key),
            )
        )


def _kept_requests(connection: Connection, vault: UnlockedVault, successor: UnlockedVault) -> None:
    """One that cannot be read stays as it is: judging it again tells so, and it holds nothing that the person needs."""
    rows = connection.execute(
        select(col(KeptRequestRow.entry_id), col(KeptRequestRow.sealed_request)).where(
            col(KeptRequestRow.person_id) == vault.person_id
        )
    ).all()
    for row in rows:
        try:
            content = vault.unseal(KEPT_REQUEST, row.entry_id, row.sealed_request)
        except SealBroken:
            continue
        connection.execute(
            update(KeptRequestRow)
            .where(col(KeptRequestRow.person_id) == vault.person_id, col(KeptRequestRow.entry_id) == row.entry_id)
            .values(sealed_request=successor.seal(KEPT_REQUEST, row.entry_id, content))
        )
