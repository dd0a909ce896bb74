"""What happened, in order: live pages follow the number of the last event."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select

from issuer.store.tables import EVENTS
from service.database import Database
from service.prepared import Prepared

_INSERT = Prepared(insert(EVENTS).values(at=bindparam("now"), kind=bindparam("what"), subject_id=bindparam("subject")))
_LAST = select(func.coalesce(func.max(EVENTS.c.id), 0))


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: `kind` is `offered`, `opened`, `collected`, `voided`, `revoked`, ..."""

    id: int
    at: datetime
    kind: str
    subject_id: str


def record(connection: Connection, kind: str, subject_id: str, *, now: datetime) -> None:
    """Record an event in the transaction that makes it true."""
    _INSERT.run(connection, now=now, what=kind, subject=subject_id)


def record_each(connection: Connection, kind: str, subject_ids: Sequence[str], *, now: datetime) -> None:
    """Record one event of this kind for each of these, in their order."""
    _INSERT.run_each(connection, [{"now": now, "what": kind, "subject": subject_id} for subject_id in subject_ids])


class EventStore:
    """Reading what happened."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def counter(self) -> int:
        """A number that grows with every event: when it did not change, neither did any offer or certificate."""
        with self._database.reading() as connection:
            return int(connection.execute(_LAST).scalar_one())

    def since(self, counter: int, *, limit: int = 200) -> list[Event]:
        """The events after `counter`, oldest first."""
        statement = select(EVENTS).where(EVENTS.c.id > counter).order_by(EVENTS.c.id).limit(limit)
        with self._database.reading() as connection:
            return [Event(row.id, row.at, row.kind, row.subject_id) for row in connection.execute(statement)]
