"""Vaults at rest: one row per person, found by the HMAC of the login name."""

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from proofs.sealing import SealBroken
from schemas.errors import Refused
from service.passwords import KDFParameters
from wallet.store.tables import PersonRow
from wallet.vault import UnlockedVault, VaultRecord


class NameTaken(Refused):
    """There already is a vault under this name."""

    error = "name_taken"
    status = 409


def add_person(connection: Connection, record: VaultRecord) -> None:
    """Keep a new vault. Raises `NameTaken`."""
    try:
        connection.execute(insert(PersonRow).values(person_id=record.person_id, **_values(record)))
    except IntegrityError as exc:
        raise NameTaken from exc


def find_person(connection: Connection, login: bytes) -> VaultRecord | None:
    """The vault with this login digest, or None."""
    row = connection.execute(_all_columns().where(col(PersonRow.login) == login)).first()
    return None if row is None else _record(row)


def load_person(connection: Connection, person_id: str) -> VaultRecord | None:
    """The vault of this person, or None."""
    row = connection.execute(_all_columns().where(col(PersonRow.person_id) == person_id)).first()
    return None if row is None else _record(row)


class VaultChanged(Refused):
    """The vault's record was changed by somebody else since it was read; nothing was written."""

    error = "vault_changed"
    status = 409


def update_person(connection: Connection, record: VaultRecord, *, before: VaultRecord) -> None:
    """Write a changed record (another passphrase, another language) in place of the one that was read.

    A record read before another change is never written back: it would bring the former passphrase back to life.
    Raises `VaultChanged`.
    """
    written = connection.execute(
        update(PersonRow)
        .where(
            col(PersonRow.person_id) == before.person_id,
            col(PersonRow.wrapped_key) == before.wrapped_key,
            col(PersonRow.profile_version) == before.profile_version,
        )
        .values(**_values(record))
    )
    if written.rowcount != 1:
        raise VaultChanged


def require_current(connection: Connection, vault: UnlockedVault) -> None:
    """Refuse to write with a vault that was opened before its key was changed: nobody could read what it seals.

    Every store method that writes something sealed calls this inside its transaction. Raises `VaultChanged`.
    """
    record = load_person(connection, vault.person_id)
    if record is None:  # Its owner is leaving: what is still written has no owner, and goes with the rest.
        return
    try:
        vault.unseal_json("profile", record.person_id, record.sealed_profile, version=record.profile_version)
    except SealBroken as exc:
        raise VaultChanged from exc


def _all_columns() -> Any:
    return select(
        col(PersonRow.person_id),
        col(PersonRow.login),
        col(PersonRow.kdf),
        col(PersonRow.salt),
        col(PersonRow.wrapped_key),
        col(PersonRow.sealed_profile),
        col(PersonRow.profile_version),
    )


def _values(record: VaultRecord) -> dict[str, Any]:
    return {
        "login": record.login,
        "kdf": record.kdf.to_text(),
        "salt": record.salt,
        "wrapped_key": record.wrapped_key,
        "sealed_profile": record.sealed_profile,
        "profile_version": record.profile_version,
    }


def _record(row: Row[Any]) -> VaultRecord:
    return VaultRecord(
        person_id=row.person_id,
        login=row.login,
        kdf=KDFParameters.from_text(row.kdf),
        salt=row.salt,
        wrapped_key=row.wrapped_key,
        sealed_profile=row.sealed_profile,
        profile_version=row.profile_version,
    )
