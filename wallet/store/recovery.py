"""Recovery codes at rest: at most one per vault, wrapped keys only."""

from sqlalchemy import Connection, delete, insert, select
from sqlmodel import col

from service.passwords import KDFParameters
from wallet.store.tables import RecoveryRow
from wallet.ways_in import RecoveryWay


def put_recovery(connection: Connection, way: RecoveryWay) -> None:
    """Keep what rests of a recovery code, in place of the one before."""
    remove_recovery(connection, way.person_id)
    connection.execute(
        insert(RecoveryRow).values(
            person_id=way.person_id,
            id=way.id,
            kdf=way.kdf.to_text(),
            salt=way.salt,
            wrapped_key=way.wrapped_key,
        )
    )


def find_recovery(connection: Connection, person_id: str) -> RecoveryWay | None:
    """What rests of a vault's recovery code, or None. Raises `WeakParameters` for a key that was made too cheap."""
    row = connection.execute(
        select(col(RecoveryRow.id), col(RecoveryRow.kdf), col(RecoveryRow.salt), col(RecoveryRow.wrapped_key)).where(
            col(RecoveryRow.person_id) == person_id
        )
    ).first()
    if row is None:
        return None
    return RecoveryWay(row.id, person_id, KDFParameters.from_text(row.kdf), row.salt, row.wrapped_key)


def remove_recovery(connection: Connection, person_id: str, *, way_id: str | None = None) -> bool:
    """Take a recovery code away; False when it was not there any more."""
    statement = delete(RecoveryRow).where(col(RecoveryRow.person_id) == person_id)
    if way_id is not None:
        statement = statement.where(col(RecoveryRow.id) == way_id)
    return connection.execute(statement).rowcount == 1
