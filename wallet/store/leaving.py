"""The end of a vault at rest: its keys first, then everything that has no owner any more."""

from sqlalchemy import Connection, delete, insert, select
from sqlmodel import col

from wallet.store.passkeys import remove_passkeys
from wallet.store.recovery import remove_recovery
from wallet.store.tables import (
    CertificateRow,
    CollectionRow,
    CopyRow,
    KeptRequestRow,
    LeavingRow,
    LedgerHeadRow,
    LedgerRow,
    PasskeyRow,
    PersonRow,
    RecoveryRow,
    ReportAddressRow,
    ReportAsideRow,
    ReportRow,
    ShareRow,
    TakeBackRow,
)

_OWNED = (
    CertificateRow,
    CopyRow,
    CollectionRow,
    ShareRow,
    KeptRequestRow,
    LedgerRow,
    LedgerHeadRow,
    RecoveryRow,
    PasskeyRow,
    TakeBackRow,
    ReportAddressRow,
    ReportAsideRow,
    ReportRow,
)


def take_keys(connection: Connection, person_id: str) -> None:
    """Delete every wrapped key of a vault, and mark that the rest has to follow."""
    remove_recovery(connection, person_id)
    remove_passkeys(connection, person_id)
    connection.execute(delete(PersonRow).where(col(PersonRow.person_id) == person_id))
    connection.execute(delete(LeavingRow).where(col(LeavingRow.person_id) == person_id))
    connection.execute(insert(LeavingRow).values(person_id=person_id))


def delete_what_belongs_to_nobody(connection: Connection) -> int:
    """Delete the rows of vaults that are gone, also what was written while they went; returns how many."""
    owners = select(col(PersonRow.person_id))
    return sum(
        connection.execute(delete(table).where(col(table.person_id).not_in(owners))).rowcount for table in _OWNED
    )


def has_marks(connection: Connection) -> bool:
    """Whether the end of some vault has not been completed."""
    return connection.execute(select(col(LeavingRow.person_id)).limit(1)).first() is not None


def is_left_in_part(connection: Connection, person_id: str) -> bool:
    """Whether a vault is there, or something of it: its mark, its keys, or a row that was its own."""
    tables = (LeavingRow, PersonRow, *_OWNED)
    return any(
        connection.execute(select(col(table.person_id)).where(col(table.person_id) == person_id).limit(1)).first()
        for table in tables
    )


def forget_marks(connection: Connection) -> None:
    """All of it is done."""
    connection.execute(delete(LeavingRow))
