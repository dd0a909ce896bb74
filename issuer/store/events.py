"""What happened, in order: live pages follow the number of the last event."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, bindparam, func, insert, select

from issuer.status import Status
from issuer.store.tables import EVENTS, OFFERS
from service.database import Database
from service.prepared import Prepared

_INSERT = Prepared(insert(EVENTS).values(at=bindparam("now"), kind=bindparam("what"), subject_id=bindparam("subject")))
_LAST = select(func.coalesce(func.max(EVENTS.c.id), 0))

# What stands in an offer's row was recorded as one of these, in the transaction that wrote it.
_FACTS: tuple[tuple[ColumnElement[bool], tuple[str, ...]], ...] = (
    (OFFERS.c.number > 0, ("offered", "fetched")),
    (OFFERS.c.collected_at.is_not(None), ("collected",)),
    (OFFERS.c.status == Status.REVOKED, ("revoked",)),
    (OFFERS.c.status == Status.SUSPENDED, ("suspended",)),
)


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
    """Reading what happened. `was_whole` is what the last `check` found, for the page of staff."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.was_whole = True

    def check(self) -> bool:
        """See whether events are missing, and remember it; for the start and for once a day."""
        self.was_whole = self.is_whole()
        return self.was_whole

    def counter(self) -> int:
        """A number that grows with every event: when it did not change, neither did any offer or certificate."""
        with self._database.reading() as connection:
            return int(connection.execute(_LAST).scalar_one())

    def is_whole(self) -> bool:
        """Whether no event is missing: numbers run from 1 without a gap, and what offers and certificates say of
        themselves was recorded (D28).

        A database put together from two backups, or a log that somebody cut, shows here; at its end as far as anything
        refers to it. Events that were changed in place do not show. It reads everything, so it is for the start and
        for once a day. Each question is one statement, so that what is written meanwhile is no gap.
        """
        numbers = select(func.count(), func.coalesce(func.min(EVENTS.c.id), 1), func.coalesce(func.max(EVENTS.c.id), 0))
        with self._database.reading() as connection:
            count, first, last = connection.execute(numbers).one()
            if count != last or first != 1:
                return False
            for fact, kinds in _FACTS:
                recorded = select(EVENTS.c.subject_id).where(EVENTS.c.kind.in_(kinds))
                unrecorded = select(OFFERS.c.id).where(fact, OFFERS.c.id.not_in(recorded)).limit(1)
                if connection.execute(unrecorded).first() is not None:
                    return False
        return True

    def since(self, counter: int, *, limit: int = 200) -> list[Event]:
        """The events after `counter`, oldest first."""
        statement = select(EVENTS).where(EVENTS.c.id > counter).order_by(EVENTS.c.id).limit(limit)
        with self._database.reading() as connection:
            return [Event(row.id, row.at, row.kind, row.subject_id) for row in connection.execute(statement)]
