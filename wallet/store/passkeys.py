"""Passkeys at rest: found by an HMAC of the authenticator's identifier; all else is sealed in their vaults."""

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from schemas.errors import Refused
from wallet.passkeys import StoredPasskey
from wallet.store.tables import PasskeyRow


class PasskeyKnown(Refused):
    """This very passkey is here already."""

    error = "passkey_known"
    status = 409


def add_passkey(connection: Connection, stored: StoredPasskey, *, found_by: bytes) -> None:
    """Keep a new passkey. Raises `PasskeyKnown`."""
    try:
        connection.execute(
            insert(PasskeyRow).values(
                id=stored.id,
                found_by=found_by,
                person_id=stored.person_id,
                wrapped_key=stored.wrapped_key,
                sealed_view=stored.sealed_view,
                version=stored.version,
            )
        )
    except IntegrityError as exc:
        raise PasskeyKnown from exc


def find_passkey(connection: Connection, found_by: bytes) -> StoredPasskey | None:
    """The passkey that is found by this, whoever it belongs to; None when there is none."""
    row = connection.execute(_columns().where(col(PasskeyRow.found_by) == found_by)).first()
    return None if row is None else _stored(row)


def list_passkeys(connection: Connection, person_id: str) -> list[StoredPasskey]:
    """All passkeys of a vault."""
    rows = connection.execute(_columns().where(col(PasskeyRow.person_id) == person_id)).all()
    return [_stored(row) for row in rows]


def write_passkey(connection: Connection, stored: StoredPasskey, *, before: StoredPasskey) -> bool:
    """Write over the version that was read; False when it is another one by now, or gone."""
    written = connection.execute(
        update(PasskeyRow)
        .where(
            col(PasskeyRow.id) == before.id,
            col(PasskeyRow.person_id) == before.person_id,
            col(PasskeyRow.version) == before.version,
            col(PasskeyRow.wrapped_key) == before.wrapped_key,
        )
        .values(wrapped_key=stored.wrapped_key, sealed_view=stored.sealed_view, version=stored.version)
    )
    return written.rowcount == 1


def remove_passkey(connection: Connection, person_id: str, passkey_id: str) -> bool:
    """Take a passkey of a vault away; False when it was not there any more."""
    removed = connection.execute(
        delete(PasskeyRow).where(col(PasskeyRow.id) == passkey_id, col(PasskeyRow.person_id) == person_id)
    )
    return removed.rowcount == 1


def remove_passkeys(connection: Connection, person_id: str) -> None:
    """Take all passkeys of a vault away."""
    connection.execute(delete(PasskeyRow).where(col(PasskeyRow.person_id) == person_id))


def _columns() -> Any:
    return select(
        col(PasskeyRow.id),
        col(PasskeyRow.person_id),
        col(PasskeyRow.wrapped_key),
        col(PasskeyRow.sealed_view),
        col(PasskeyRow.version),
    )


def _stored(row: Row[Any]) -> StoredPasskey:
    return StoredPasskey(row.id, row.person_id, row.wrapped_key, row.sealed_view, row.version)
