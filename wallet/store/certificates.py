"""Certificates and their one-time copies at rest.

with database.transaction() as connection:
    copy = take_copy(connection, vault, certificate_id)     # marked as used with everything else of the decision
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlmodel import col

from proofs.formats.sd_jwt import parse_sd_jwt
from schemas.verification import Check, Outcome, VerificationResult
from service.database import Database
from wallet.certificates import Copy, NewCopy, NoCopiesLeft, StoredCertificate, UnknownCertificate
from wallet.examination import status_uri
from wallet.store.people import require_current
from wallet.store.tables import CertificateRow, CopyRow
from wallet.vault import UnlockedVault


class DatabaseShelf:
    """The shelf of all vaults over the wallet's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def certificates(self, vault: UnlockedVault) -> list[StoredCertificate]:
        """All certificates of this vault, the latest received first."""
        with self._database.reading() as connection:
            return list_certificates(connection, vault)


def list_certificates(connection: Connection, vault: UnlockedVault) -> list[StoredCertificate]:
    """All certificates of a vault, the latest received first."""
    rows = connection.execute(
        select(CertificateRow.__table__)  # type: ignore[attr-defined]  # SQLModel does not type its table
        .where(col(CertificateRow.person_id) == vault.person_id)
        .order_by(col(CertificateRow.number).desc())
    ).all()
    return [_stored(connection, vault, row) for row in rows]


def get_certificate(connection: Connection, vault: UnlockedVault, certificate_id: str) -> StoredCertificate:
    """One certificate of a vault. Raises `UnknownCertificate`."""
    return _stored(connection, vault, _row(connection, vault, certificate_id))


def take_copy(connection: Connection, vault: UnlockedVault, certificate_id: str, *, allow_used: bool = False) -> Copy:
    """Take one unused copy to show it, marking it as used inside the caller's transaction.

    `allow_used` falls back to the copy of the lowest position that was shown before, when no unused one is left: two
    recipients of the same copy can tell that they met the same person, so the person must have been told.
    Raises `NoCopiesLeft`, or `UnknownCertificate`.
    """
    _row(connection, vault, certificate_id)
    taken = connection.execute(
        update(CopyRow)
        .where(
            col(CopyRow.id).in_(
                select(col(CopyRow.id))
                .where(
                    col(CopyRow.certificate_id) == certificate_id,
                    col(CopyRow.person_id) == vault.person_id,
                    col(CopyRow.used).is_(False),
                )
                .order_by(col(CopyRow.position))
                .limit(1)
            ),
            col(CopyRow.used).is_(False),
        )
        .values(used=True)
        .returning(col(CopyRow.id), col(CopyRow.sealed_token), col(CopyRow.sealed_key))
    ).first()
    used_before = taken is None
    if taken is None and allow_used:
        taken = connection.execute(
            select(col(CopyRow.id), col(CopyRow.sealed_token), col(CopyRow.sealed_key))
            .where(col(CopyRow.certificate_id) == certificate_id, col(CopyRow.person_id) == vault.person_id)
            .order_by(col(CopyRow.position))
            .limit(1)
        ).first()
    if taken is None:
        raise NoCopiesLeft
    return Copy(
        id=taken.id,
        certificate_id=certificate_id,
        token=vault.unseal("copy.token", taken.id, taken.sealed_token).decode(),
        key_private_jwk=vault.unseal_json("copy.key", taken.id, taken.sealed_key),
        used_before=used_before,
    )


def add_certificate(
    connection: Connection, vault: UnlockedVault, view: Mapping[str, Any], copies: Sequence[NewCopy]
) -> str:
    """Store a received certificate with its copies; returns its new identifier."""
    require_current(connection, vault)
    certificate_id = secrets.token_hex(16)
    connection.execute(
        insert(CertificateRow).values(
            id=certificate_id,
            person_id=vault.person_id,
            sealed_view=vault.seal_json("certificate.view", certificate_id, view, version=1),
            version=1,
        )
    )
    _add_copies(connection, vault, certificate_id, copies, first=0)
    return certificate_id


def copy_to_tell_with(connection: Connection, vault: UnlockedVault, certificate_id: str) -> Copy:
    """A copy with which the holder shows somebody who knows anyway that they hold this certificate; it stays as it is.

    One that was shown before, if there is such a copy. Raises `UnknownCertificate`.
    """
    mine = (col(CopyRow.certificate_id) == certificate_id, col(CopyRow.person_id) == vault.person_id)
    ordered = (col(CopyRow.used).desc(), col(CopyRow.position).desc())
    row = connection.execute(select(CopyRow.__table__).where(*mine).order_by(*ordered).limit(1)).first()  # type: ignore[attr-defined]  # SQLModel does not type its table
    if row is None:
        raise UnknownCertificate
    token = vault.unseal("copy.token", row.id, row.sealed_token).decode()
    key = vault.unseal_json("copy.key", row.id, row.sealed_key)
    return Copy(row.id, certificate_id, token, key, used_before=row.used)


def add_copies(connection: Connection, vault: UnlockedVault, certificate_id: str, copies: Sequence[NewCopy]) -> None:
    """Store fresh copies of a certificate behind those that it has. Raises `UnknownCertificate`."""
    require_current(connection, vault)
    _row(connection, vault, certificate_id)
    last = connection.execute(
        select(func.max(col(CopyRow.position))).where(col(CopyRow.certificate_id) == certificate_id)
    ).scalar_one()
    _add_copies(connection, vault, certificate_id, copies, first=0 if last is None else last + 1)


def drop_copies(connection: Connection, vault: UnlockedVault, certificate_id: str) -> None:
    """Delete every copy of a certificate, shown or not, before fresh ones of it are stored in the same transaction."""
    connection.execute(
        delete(CopyRow).where(col(CopyRow.certificate_id) == certificate_id, col(CopyRow.person_id) == vault.person_id)
    )


def delete_certificate(connection: Connection, vault: UnlockedVault, certificate_id: str) -> None:
    """Delete a certificate with all its copies and their keys. Raises `UnknownCertificate`.

    What a share needs to be taken back is kept apart (`wallet.store.take_back`) and stays.
    """
    require_current(connection, vault)
    deleted = connection.execute(
        delete(CertificateRow).where(
            col(CertificateRow.id) == certificate_id, col(CertificateRow.person_id) == vault.person_id
        )
    )
    if deleted.rowcount != 1:
        raise UnknownCertificate
    drop_copies(connection, vault, certificate_id)


def _add_copies(
    connection: Connection, vault: UnlockedVault, certificate_id: str, copies: Sequence[NewCopy], *, first: int
) -> None:
    for position, copy in enumerate(copies, start=first):
        copy_id = secrets.token_hex(16)
        connection.execute(
            insert(CopyRow).values(
                id=copy_id,
                certificate_id=certificate_id,
                person_id=vault.person_id,
                position=position,
                used=False,
                sealed_token=vault.seal("copy.token", copy_id, copy.token.encode()),
                sealed_key=vault.seal_json("copy.key", copy_id, copy.key_private_jwk),
            )
        )


def update_view(
    connection: Connection, vault: UnlockedVault, certificate_id: str, changes: Mapping[str, Any], *, version: int
) -> bool:
    """Write changed members of a certificate's view, if it still is the version that was read; False when it is not."""
    require_current(connection, vault)
    row = _row(connection, vault, certificate_id)
    if row.version != version:
        return False
    view = vault.unseal_json("certificate.view", certificate_id, row.sealed_view, version=version)
    sealed = vault.seal_json("certificate.view", certificate_id, {**view, **changes}, version=version + 1)
    written = connection.execute(
        update(CertificateRow)
        .where(col(CertificateRow.id) == certificate_id, col(CertificateRow.version) == version)
        .values(sealed_view=sealed, version=version + 1)
    )
    return written.rowcount == 1


def _report(checks: Sequence[Mapping[str, str]]) -> VerificationResult:
    return VerificationResult(
        tuple(Check(c["name"], Outcome(c["outcome"]), c.get("reason", ""), c.get("detail", "")) for c in checks)
    )


def _row(connection: Connection, vault: UnlockedVault, certificate_id: str) -> Row[Any]:
    row = connection.execute(
        select(CertificateRow.__table__).where(  # type: ignore[attr-defined]  # SQLModel does not type its table
            col(CertificateRow.id) == certificate_id, col(CertificateRow.person_id) == vault.person_id
        )
    ).first()
    if row is None:
        raise UnknownCertificate
    return row


def _stored(connection: Connection, vault: UnlockedVault, row: Row[Any]) -> StoredCertificate:
    view = vault.unseal_json("certificate.view", row.id, row.sealed_view, version=row.version)
    total, left = connection.execute(
        select(func.count(), func.count().filter(col(CopyRow.used).is_(False))).where(
            col(CopyRow.certificate_id) == row.id, col(CopyRow.person_id) == vault.person_id
        )
    ).one()
    first = connection.execute(
        select(col(CopyRow.id), col(CopyRow.sealed_token))
        .where(col(CopyRow.certificate_id) == row.id, col(CopyRow.person_id) == vault.person_id)
        # The copy that would be shown next: what differs per copy is then what the recipient gets.
        .order_by(col(CopyRow.used), col(CopyRow.position))
        .limit(1)
    ).one()
    token = vault.unseal("copy.token", first.id, first.sealed_token).decode()
    sd_jwt = parse_sd_jwt(token)
    return StoredCertificate(
        id=row.id,
        format=view["format"],
        vct=view["vct"],
        type_chain=tuple(view["type_chain"]),
        issuer_identifier=view["issuer_identifier"],
        issuer_name=view["issuer_name"],
        issuer_trusted=view["issuer_trusted"],
        received_at=datetime.fromtimestamp(view["received_at"], UTC),
        valid_from=_time(view.get("valid_from")),
        valid_until=_time(view.get("valid_until")),
        copies_left=left,
        copies_total=total,
        claims=sd_jwt.claims,
        token=token,
        sd_jwt=sd_jwt,
        report=_report(view["report"]),
        checked_at=datetime.fromtimestamp(view["checked_at"], UTC),
        status=view["status"],
        status_uri=status_uri(sd_jwt.claims),
        display=view["display"],
        issuer_display=tuple(view["issuer_display"]),
        collected_from=view["collected_from"],
        version=row.version,
        renewal=view.get("renewal"),
        renewal_tried_at=_time(view.get("renewal_tried_at")),
        judged_under=view.get("judged_under", ""),
        status_since=_time(view.get("status_since")),
    )


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
