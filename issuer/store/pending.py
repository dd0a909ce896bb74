"""Files of results between reading and keeping them: sealed for the browser that sent them, gone after an hour."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select
from sqlmodel import Field

from issuer.offers import new_id
from issuer.store.tables import IssuerRow, table_of
from schemas.errors import NotFound
from service.database import Database, UTCDateTime

LIFETIME = timedelta(hours=1)


class NoSuchPendingFile(NotFound):
    """The file is not here any more: it was kept, thrown away, or waited for more than an hour."""


class PendingFileRow(IssuerRow, table=True):
    """One file that somebody looks at before it is imported. `sealed` opens only with the key of their session."""

    __tablename__ = "pending_files"

    id: str = Field(primary_key=True)
    sealed: bytes
    made_at: datetime = Field(sa_type=UTCDateTime, index=True)


PENDING = table_of(PendingFileRow)


def take_pending(connection: Connection, pending_id: str) -> None:
    """Delete a waiting file inside the transaction that keeps its results. Raises `NoSuchPendingFile`."""
    if not connection.execute(delete(PENDING).where(PENDING.c.id == pending_id)).rowcount:
        raise NoSuchPendingFile


class PendingFiles:
    """The waiting files of one issuer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, sealed: bytes, *, now: datetime) -> str:
        """Keep a sealed file for an hour and return its identifier; older ones are deleted."""
        pending_id = new_id()
        with self._database.transaction() as connection:
            connection.execute(delete(PENDING).where(PENDING.c.made_at < now - LIFETIME))
            connection.execute(insert(PENDING).values(id=pending_id, sealed=sealed, made_at=now))
        return pending_id

    def get(self, pending_id: str, *, now: datetime) -> bytes:
        """The sealed file. Raises `NoSuchPendingFile`."""
        wanted = select(PENDING.c.sealed).where(PENDING.c.id == pending_id, PENDING.c.made_at >= now - LIFETIME)
        with self._database.reading() as connection:
            sealed = connection.execute(wanted).scalar_one_or_none()
        if sealed is None:
            raise NoSuchPendingFile
        return bytes(sealed)

    def discard(self, pending_id: str) -> None:
        """Delete a file, if it is there."""
        with self._database.transaction() as connection:
            connection.execute(delete(PENDING).where(PENDING.c.id == pending_id))
