"""Whole certificates out of the store, with keys and all copies, and those of a file recognised among what is here."""

import secrets
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, insert, select, update
from sqlmodel import col

from wallet.archived import ArchivedCertificate, ArchivedCopy
from wallet.store.people import require_current
from wallet.store.tables import CertificateRow, CopyRow
from wallet.vault import UnlockedVault


def archived_certificates(connection: Connection, vault: UnlockedVault) -> Iterator[ArchivedCertificate]:
    """Every certificate of a vault, the latest received first, with its copies in their order."""
    rows = connection.execute(
        select(col(CertificateRow.id), col(CertificateRow.sealed_view), col(CertificateRow.version))
        .where(col(CertificateRow.person_id) == vault.person_id)
        .order_by(col(CertificateRow.number).desc())
    ).all()
    for row in rows:
        view = vault.unseal_json("certificate.view", row.id, row.sealed_view, version=row.version)
        yield ArchivedCertificate(row.id, view, tuple(copy for _, copy in _copies(connection, vault, row.id)))


def certificate_holding(connection: Connection, vault: UnlockedVault, tokens: Sequence[str]) -> str | None:
    """The certificate of this vault that has one of these copies, or None."""
    wanted = set(tokens)
    rows = connection.execute(
        select(col(CopyRow.id), col(CopyRow.certificate_id), col(CopyRow.sealed_token)).where(
            col(CopyRow.person_id) == vault.person_id
        )
    ).all()
    for row in rows:
        if vault.unseal("copy.token", row.id, row.sealed_token).decode() in wanted:
            return str(row.certificate_id)
    return None


def add_missing_copies(
    connection: Connection, vault: UnlockedVault, certificate_id: str, copies: Sequence[ArchivedCopy]
) -> None:
    """Store the copies that a certificate lacks. One that was shown anywhere counts as shown from now on."""
    require_current(connection, vault)
    there = {copy.token: copy_id for copy_id, copy in _copies(connection, vault, certificate_id)}
    for copy in copies:
        copy_id = there.get(copy.token)
        if copy_id is None:
            copy_id = secrets.token_hex(16)
            connection.execute(
                insert(CopyRow).values(
                    id=copy_id,
                    certificate_id=certificate_id,
                    person_id=vault.person_id,
                    position=len(there),
                    used=copy.used,
                    sealed_token=vault.seal("copy.token", copy_id, copy.token.encode()),
                    sealed_key=vault.seal_json("copy.key", copy_id, copy.key_private_jwk),
                )
            )
            there[copy.token] = copy_id
        elif copy.used:
            connection.execute(update(CopyRow).where(col(CopyRow.id) == copy_id).values(used=True))


def _copies(connection: Connection, vault: UnlockedVault, certificate_id: str) -> Iterator[tuple[str, ArchivedCopy]]:
    rows = connection.execute(
        select(col(CopyRow.id), col(CopyRow.used), col(CopyRow.sealed_token), col(CopyRow.sealed_key))
        .where(col(CopyRow.certificate_id) == certificate_id, col(CopyRow.person_id) == vault.person_id)
        .order_by(col(CopyRow.position))
    ).all()
    for row in rows:
        token = vault.unseal("copy.token", row.id, row.sealed_token).decode()
        yield row.id, ArchivedCopy(token, vault.unseal_json("copy.key", row.id, row.sealed_key), row.used)
