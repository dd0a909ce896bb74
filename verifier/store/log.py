"""The log: what happened to each request, for good, without any value of a certificate.

What a program is told about (`verifier.store.webhooks`) is put into the outbox with the line, in the same transaction.
"""

import secrets
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, false, func, insert, literal, select

from service.database import UTCDateTime
from service.prepared import Prepared
from verifier.store.records import Event, LogEntry
from verifier.store.tables import DELETIONS, LOG, OUTBOX, REQUESTS, WEBHOOKS

COMMAND_LINE: Final = "command line"
"""Who acts where a command does; it runs as whoever runs the service."""

_COLUMNS = ("event", "request_id", "template_name", "outcome", "detail", "actor", "report")
_INSERT = Prepared(
    insert(LOG)
    .values(at=bindparam("at", type_=UTCDateTime()), **{name: bindparam(name) for name in _COLUMNS})
    .returning(LOG.c.number)
)
_TOLD = frozenset(
    {
        Event.ANSWERED,
        Event.DECLINED,
        Event.RETURNED,
        Event.NOT_RETURNED,
        Event.EXPIRED,
        Event.WITHDRAWN,
        Event.ERASURE_ASKED,
        Event.DELETED,
        Event.DELETION_REFUSED,
    }
)
_AT = bindparam("at", type_=UTCDateTime())
_TELL = Prepared(
    insert(OUTBOX).from_select(
        ["id", "maker", "event", "request_id", "at", "due_at", "attempts", "is_dead", "problem"],
        select(
            bindparam("id"),
            WEBHOOKS.c.maker,
            bindparam("event"),
            REQUESTS.c.id,
            _AT,
            _AT,
            literal(0),
            false(),
            literal(""),
        )
        .join_from(REQUESTS, WEBHOOKS, WEBHOOKS.c.maker == REQUESTS.c.maker)
        .where(REQUESTS.c.id == bindparam("request_id")),
    )
)
_COUNTER = select(func.coalesce(func.max(LOG.c.number), 0))


def write_log(
    connection: Connection,
    event: Event,
    request_id: str,
    template_name: str,
    at: datetime,
    actor: str = "",
    *,
    outcome: str = "",
    detail: str = "",
    report: str = "",
) -> int:
    """Write one line; returns its number, which is the counter that live views watch.

    A program that made the request and wants to be told gets a message.
    """
    if event in _TOLD:
        message_id = f"msg_{secrets.token_hex(16)}"
        _TELL.run(connection, id=message_id, event=event.value, request_id=request_id, at=at)
    values = {
        "at": at,
        "event": event.value,
        "request_id": request_id,
        "template_name": template_name,
        "outcome": outcome,
        "detail": detail,
        "actor": actor,
        "report": report,
    }
    return int(_INSERT.one_or_none(connection, **values).number)


def last_number(connection: Connection) -> int:
    """The number of the newest line, 0 when there is none."""
    return int(connection.execute(_COUNTER).scalar_one())


def is_whole(connection: Connection) -> bool:
    """Whether no line is missing: numbers run from 1 without a gap, as far as anything refers to them (D28).

    A database put together from two backups, or a log that somebody cut, shows here. It reads the whole index, so it is
    for the start and for once a day. Lines that were changed in place do not show.
    """
    counted = connection.execute(select(func.count(), func.min(LOG.c.number), func.max(LOG.c.number))).one()
    count, first, last = int(counted[0]), counted[1], counted[2] or 0
    referred = (select(func.max(column)).scalar_subquery() for column in (REQUESTS.c.changed, DELETIONS.c.number))
    newest = max(int(number or 0) for number in connection.execute(select(*referred)).one())
    return newest <= last and count == last and (count == 0 or first == 1)


def read_log(connection: Connection, *, limit: int, request_id: str) -> list[LogEntry]:
    """The newest lines, of everything or (when named) of one request."""
    wanted = select(LOG).order_by(LOG.c.number.desc()).limit(limit)
    if request_id:
        wanted = wanted.where(LOG.c.request_id == request_id)
    return [
        LogEntry(r.number, r.at, Event(r.event), r.request_id, r.template_name, r.outcome, r.detail, r.actor)
        for r in connection.execute(wanted).all()
    ]
