"""Whom the verifier tells of changes, and what is still to be told. Every method is one transaction.

Messages come into the outbox with the line of the log that they tell of (`verifier.store.log`), so that a crash leaves
both or neither. Whoever delivers takes some messages for a minute: one that dies then leaves them to the next.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, exists, func, insert, select, update

from schemas.errors import NotFound
from service.database import Database
from verifier.store.contents import Sealer
from verifier.store.records import Event
from verifier.store.tables import API_KEYS, OUTBOX, WEBHOOKS

HELD_SECONDS: Final = 60
EARLIER_SECRET_SECONDS: Final = 24 * 3600
DEAD_DAYS: Final = 30
AT_ONCE: Final = 20


class NoSuchWebhook(NotFound):
    """This program is told nothing, or there is no such message."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a program is told: `maker` is the id of its API key, `label` what the key is called."""

    maker: str
    label: str
    url: str
    made_at: datetime
    waiting: int
    undelivered: int


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message to deliver now, the `attempt`-th time."""

    id: str
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    event: Event
    request_id: str
    at: datetime
    attempt: int


@dataclass(frozen=True, slots=True)
class UndeliveredMessage:
    """A message that nobody tries to deliver any more, and why the last attempt failed."""

    id: str
    label: str
    request_id: str
    event: Event
    at: datetime
    attempts: int
    problem: str


_WORKING = exists().where(and_(API_KEYS.c.id == OUTBOX.c.maker, API_KEYS.c.revoked_at.is_(None)))


class WebhookStore:
    """The webhooks of one verifier, and its outbox."""

    def __init__(self, database: Database, *, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    # --- whom to tell --------------------------------------------------------------------------------------------

    def set(self, maker: str, *, url: str, secret: str, now: datetime) -> None:
        """Tell a program at this address from now on. The secret of before signs beside the new one for a day."""
        values: dict[str, Any] = {"url": url, "secret": self._sealer.seal_secret(maker, secret), "made_at": now}
        with self._database.transaction() as connection:
            before = connection.execute(select(WEBHOOKS).where(WEBHOOKS.c.maker == maker)).one_or_none()
            if before is None:
                connection.execute(insert(WEBHOOKS).values(maker=maker, **values))
                return
            values |= {
                "earlier_secret": before.secret,
                "earlier_until": now + timedelta(seconds=EARLIER_SECRET_SECONDS),
            }
            connection.execute(update(WEBHOOKS).where(WEBHOOKS.c.maker == maker).values(**values))

    def remove(self, maker: str) -> bool:
        """Tell a program nothing any more, what waits included; False when it was told nothing."""
        with self._database.transaction() as connection:
            connection.execute(delete(OUTBOX).where(OUTBOX.c.maker == maker))
            return int(connection.execute(delete(WEBHOOKS).where(WEBHOOKS.c.maker == maker)).rowcount) == 1

    def all(self) -> list[Webhook]:
        """Every program that is told, by the name of its key; those whose key has ended are not."""
        waiting = func.count(OUTBOX.c.id).filter(OUTBOX.c.is_dead.is_(False))
        dead = func.count(OUTBOX.c.id).filter(OUTBOX.c.is_dead.is_(True))
        columns = (WEBHOOKS.c.maker, API_KEYS.c.label, WEBHOOKS.c.url, WEBHOOKS.c.made_at)
        found = (
            select(*columns, waiting, dead)
            .join_from(WEBHOOKS, API_KEYS, API_KEYS.c.id == WEBHOOKS.c.maker)
            .outerjoin(OUTBOX, OUTBOX.c.maker == WEBHOOKS.c.maker)
            .where(API_KEYS.c.revoked_at.is_(None))
            .group_by(*columns)
            .order_by(API_KEYS.c.label, WEBHOOKS.c.maker)
        )
        with self._database.reading() as connection:
            return [Webhook(*row) for row in connection.execute(found).all()]

    def of(self, maker: str) -> Webhook:
        """The webhook of one program. Raises `NoSuchWebhook`."""
        for one in self.all():
            if one.maker == maker:
                return one
        raise NoSuchWebhook

    # --- what to tell --------------------------------------------------------------------------------------------

    def take_due(self, *, now: datetime) -> list[DueMessage]:
        """Some messages to deliver now. Nobody else gets them within a minute."""
        is_due = (OUTBOX.c.due_at <= now, OUTBOX.c.is_dead.is_(False), _WORKING)
        with self._database.reading() as connection:
            if connection.execute(select(OUTBOX.c.id).where(*is_due).limit(1)).first() is None:
                return []
        due = select(OUTBOX.c.id).where(*is_due).order_by(OUTBOX.c.due_at).limit(AT_ONCE)
        taking = (
            update(OUTBOX)
            .where(OUTBOX.c.id.in_(due.scalar_subquery()))
            .values(due_at=now + timedelta(seconds=HELD_SECONDS), attempts=OUTBOX.c.attempts + 1)
            .returning(*OUTBOX.c)
        )
        with self._database.transaction() as connection:
            rows = connection.execute(taking).all()
            return [self._message(connection, row, now) for row in rows]

    def _message(self, connection: Connection, row: Any, now: datetime) -> DueMessage:
        hook = connection.execute(select(WEBHOOKS).where(WEBHOOKS.c.maker == row.maker)).one()
        sealed = [hook.secret]
        if hook.earlier_secret is not None and hook.earlier_until > now:
            sealed.append(hook.earlier_secret)
        secrets = tuple(self._sealer.open_secret(row.maker, one) for one in sealed)
        return DueMessage(row.id, hook.url, secrets, Event(row.event), row.request_id, row.at, row.attempts)

    def delivered(self, message: DueMessage) -> None:
        """The program has it."""
        with self._database.transaction() as connection:
            connection.execute(delete(OUTBOX).where(OUTBOX.c.id == message.id))

    def failed(self, message: DueMessage, *, problem: str, again_at: datetime | None) -> None:
        """The program does not have it; tried again then, or never when None. A later attempt of others wins."""
        values: dict[str, Any] = {"problem": problem}
        values |= {"is_dead": True} if again_at is None else {"due_at": again_at}
        mine = (OUTBOX.c.id == message.id, OUTBOX.c.attempts == message.attempt)
        with self._database.transaction() as connection:
            connection.execute(update(OUTBOX).where(*mine).values(**values))

    def undelivered(self) -> list[UndeliveredMessage]:
        """What nobody tries to deliver any more, newest first."""
        found = (
            select(OUTBOX, API_KEYS.c.label)
            .join_from(OUTBOX, API_KEYS, API_KEYS.c.id == OUTBOX.c.maker)
            .where(OUTBOX.c.is_dead.is_(True))
            .order_by(OUTBOX.c.at.desc(), OUTBOX.c.id)
        )
        with self._database.reading() as connection:
            rows = connection.execute(found).all()
        return [
            UndeliveredMessage(r.id, r.label, r.request_id, Event(r.event), r.at, r.attempts, r.problem) for r in rows
        ]

    def send_again(self, message_id: str, *, now: datetime) -> None:
        """Try an undelivered message anew, as often as the first time. Raises `NoSuchWebhook`."""
        revived = (
            update(OUTBOX)
            .where(OUTBOX.c.id == message_id, OUTBOX.c.is_dead.is_(True), _WORKING)
            .values(is_dead=False, due_at=now, attempts=0)
        )
        with self._database.transaction() as connection:
            if connection.execute(revived).rowcount != 1:
                raise NoSuchWebhook("there is no such undelivered message")

    def prune(self, *, now: datetime) -> None:
        """Forget what could not be delivered for a month, and what belongs to keys that have ended."""
        long_dead = and_(OUTBOX.c.is_dead.is_(True), OUTBOX.c.at < now - timedelta(days=DEAD_DAYS))
        with self._database.reading() as connection:
            if connection.execute(select(OUTBOX.c.id).where(long_dead | ~_WORKING).limit(1)).first() is None:
                return
        with self._database.transaction() as connection:
            connection.execute(delete(OUTBOX).where(long_dead | ~_WORKING))
