"""Requests in the database. Every method is one transaction; a request has one answer, whatever comes at once.

An answer is stored together with the spending of its nonce (D06): a crash leaves both or neither. An answer is
recognised by the digest of its bytes, so that the same one posted again within a minute gets the same reply.
"""

import hashlib
import hmac
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, insert, null, or_, select, union_all, update

from schemas.errors import NotFound
from schemas.withdrawal import Reason
from service.database import Database, UTCDateTime
from service.prepared import Prepared
from service.rate_limits import rate_limits_table
from service.single_use import prune, spend
from verifier.requests import MAX_SERVED, RETURN_SECONDS, Transaction
from verifier.retention import deletion_moment
from verifier.store.answers import Outcome, Pending, StoredAnswer
from verifier.store.contents import Contents, Sealer
from verifier.store.erasing import Cause, Eraser, delete_contents
from verifier.store.log import is_whole, last_number, read_log, write_log
from verifier.store.mapping import (
    PENDING_COLUMNS,
    WHOLE,
    may_be_read,
    record_of,
    state_now,
    transaction_of,
    with_moments,
)
from verifier.store.records import OPEN_STATES, Event, LogEntry, Report, RequestRecord, State
from verifier.store.tables import HOLDER_KEYS, LOG, REQUESTS, SPENT, TEMPLATES
from verifier.verification import Verdict

DUE_AT_ONCE: Final = 200
# An answer may be stored as long after the day of its request as a request may live, and is due at once then.
_LATE: Final = timedelta(days=8)
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NONCE_KIND: Final = "presentation nonce"


class NoSuchRequest(NotFound):
    """There is no request here, or no longer one."""


class _AlreadyAnswered(Exception):
    """Another answer was first; raised inside the transaction, so that nothing of ours stays."""


class RequestStore:
    """The requests of one verifier."""

    def __init__(self, database: Database, *, sealer: Sealer, eraser: Eraser, time_zone: str) -> None:
        self.database = database
        self._sealer = sealer
        self._eraser = eraser
        self._time_zone = time_zone
        self._tidied_at: datetime | None = None
        self._tries = rate_limits_table(database.metadata)

    # --- making and serving --------------------------------------------------------------------------------------

    def create_transaction(self, transaction: Transaction, *, maker: str, reference: str = "") -> None:
        """Store a new request. `maker` is the account or API key that asked for it, or "" for the command line.

        `reference` is what they call it themselves.
        """
        key = transaction.encryption_key
        text = transaction.question.template.model_dump_json(exclude_defaults=True)
        digest = hashlib.sha256(text.encode()).digest()
        values: dict[str, Any] = {
            "id": transaction.id,
            "handle": transaction.handle,
            "kind": transaction.kind.value,
            "state": State.WAITING.value,
            "template_digest": digest,
            "template_name": transaction.question.template.name,
            "client_id": transaction.client_id,
            "request_uri": transaction.request_uri,
            "response_uri": transaction.response_uri,
            "response_mode": transaction.response_mode,
            "nonce": transaction.nonce,
            "response_state": transaction.state,
            "encryption_key": self._sealer.seal_key(transaction.id, dict(key)) if key is not None else None,
            "code": transaction.code,
            "code_expires_at": transaction.code_expires_at,
            "made_at": transaction.made_at,
            "expires_at": transaction.expires_at,
            "retention_until": transaction.retention_until.isoformat(),
            "delete_at": deletion_moment(transaction.retention_until, time_zone=self._time_zone),
            "binding": transaction.binding,
            "return_url": transaction.return_url,
            "pair": transaction.pair,
            "maker": maker,
            "reference": self._sealer.seal_reference(transaction.id, reference) if reference else None,
        }
        with self.database.transaction() as connection:
            values["changed"] = write_log(
                connection, Event.MADE, transaction.id, transaction.question.template.name, transaction.made_at, maker
            )
            if connection.execute(select(TEMPLATES.c.digest).where(TEMPLATES.c.digest == digest)).first() is None:
                connection.execute(insert(TEMPLATES).values(digest=digest, text=text))
            connection.execute(insert(REQUESTS), values)

    def serve(self, handle: str, *, now: datetime) -> Transaction:
        """The request for a wallet that fetches it: at most ten times, never after an answer or its end.

        Raises `NoSuchRequest`.
        """
        with self.database.transaction() as connection:
            if connection.execute(_SERVE, {"of_handle": handle, "at": now}).rowcount != 1:
                raise NoSuchRequest("this request is unknown, over, or was fetched too often")
            row = connection.execute(WHOLE.where(REQUESTS.c.handle == handle)).one()
            if row.state == State.WAITING.value:
                number = write_log(connection, Event.OPENED, row.id, row.template_name, now)
                _change(connection, row.id, state=State.OPENED.value, changed=number)
        return transaction_of(row, self._sealer)

    def find_by_code(self, code: str, *, now: datetime) -> Transaction:
        """The request behind a typed code. Raises `NoSuchRequest` for an unknown, expired or used one."""
        with self.database.reading() as connection:
            row = connection.execute(
                WHOLE.where(
                    REQUESTS.c.code == code,
                    REQUESTS.c.code_expires_at > now,
                    REQUESTS.c.expires_at > now,
                    REQUESTS.c.state.in_(OPEN_STATES),
                )
            ).one_or_none()
        if row is None or not code:
            raise NoSuchRequest("this code is unknown or has expired")
        return transaction_of(row, self._sealer)

    # --- answers -------------------------------------------------------------------------------------------------

    def pending(self, handle: str, *, now: datetime) -> Pending:
        """The request that an answer was posted to. Raises `NoSuchRequest` when there is none with this handle."""
        with self.database.reading() as connection:
            row = _BY_HANDLE.one_or_none(connection, of_handle=handle)
        if row is None:
            raise NoSuchRequest("there is no request that is answered here")
        row = with_moments(row)
        answer = None
        if row.answered_at is not None and row.answer_digest is not None:
            answer = StoredAnswer(row.answer_digest, row.answered_at, row.reply_status)
        return Pending(transaction_of(row, self._sealer), state_now(row, now), answer)

    def record(self, transaction: Transaction, outcome: Outcome, *, now: datetime) -> bool:
        """Spend the nonce and store what an answer came to, both or neither. False when there is an answer already."""
        state = State.DECLINED if outcome.verdict is None else State.ANSWERED
        is_held = outcome.response_code_digest is not None and state is State.ANSWERED
        if is_held:
            state = State.AWAITING_RETURN
        values: dict[str, Any] = {
            "state": state.value,
            "answered_at": now,
            "answer_digest": outcome.digest,
            "reply_status": outcome.reply_status,
            "verdict": outcome.verdict.value if outcome.verdict else "",
            "wallet_error": outcome.wallet_error,
        }
        statement = _ANSWER
        if outcome.response_code_digest is not None:  # Indexed columns are touched only when they change.
            statement = _ANSWER_THEN_RETURN
            values["response_code_digest"] = outcome.response_code_digest
            values["return_by"] = now + timedelta(seconds=RETURN_SECONDS)
        event = Event.DECLINED if outcome.verdict is None else Event.ANSWERED
        name = transaction.question.template.name
        told = outcome.verdict.value if outcome.verdict else outcome.wallet_error
        detail = _detail(outcome.report) if outcome.report else ""
        if is_held:
            told = detail = ""  # The line of its return says it: who asked may not be who comes back.
        report = outcome.report.to_json() if outcome.report else ""
        until = transaction.expires_at
        try:
            with self.database.transaction() as connection:
                if not spend(connection, SPENT, kind=_NONCE_KIND, value=transaction.nonce, expires_at=until, now=now):
                    raise _AlreadyAnswered
                number = write_log(
                    connection, event, transaction.id, name, now, outcome=told, detail=detail, report=report
                )
                values["answer_number"] = number
                values["contents_number"] = number if outcome.contents else None
                if outcome.contents:
                    self._eraser.seal(connection, transaction.id, number, outcome.contents.presentations)
                for thumbprint in outcome.holder_keys:
                    _INSERT_HOLDER_KEY.run(connection, thumbprint=thumbprint, request_id=transaction.id)
                if statement.run(connection, **values, changed=number, of_id=transaction.id) != 1:
                    raise _AlreadyAnswered
        except _AlreadyAnswered:
            return False
        return True

    def redeem(self, response_code: str, *, binding: str, now: datetime, maker: str | None = None) -> str:
        """Take back the browser that was sent away with this code; returns the id of its request.

        A code that comes back in another browser session than the one that asked ends the request: the answer is
        rejected and its values are deleted (HAIP 5.1). A request that was made for no browser in particular belongs to
        the one that brings its code. With `maker`, the requests of others are unknown. Raises `NoSuchRequest` then, and
        for an unknown, used or late code.
        """
        ended = False
        with self.database.transaction() as connection:
            row = connection.execute(
                select(REQUESTS).where(
                    REQUESTS.c.response_code_digest == hashlib.sha256(response_code.encode()).digest(),
                    REQUESTS.c.state.in_((State.AWAITING_RETURN.value, State.DECLINED.value)),
                    REQUESTS.c.return_by > now,
                )
            ).one_or_none()
            if row is not None and maker is not None and row.maker != maker:
                row = None
            if row is not None and row.binding and not hmac.compare_digest(row.binding, binding):
                _end_unreturned(connection, row, now)
                row, ended = None, True
            elif row is not None:
                state = State.ANSWERED if row.verdict else State.DECLINED
                written = select(LOG.c.report).where(LOG.c.number == row.answer_number)
                detail = _detail(Report.from_json(connection.execute(written).scalar() or ""))
                number = write_log(
                    connection, Event.RETURNED, row.id, row.template_name, now, outcome=row.verdict, detail=detail
                )
                change = {"state": state.value, "response_code_digest": None, "return_by": None, "changed": number}
                _change(connection, row.id, **change, binding=row.binding or binding)
        if ended:
            self.database.forget_deleted()
        if row is None:
            raise NoSuchRequest("the code is unknown, was used, is too late, or belongs to another browser")
        return str(row.id)

    # --- reading -------------------------------------------------------------------------------------------------

    def get(self, request_id: str, *, now: datetime) -> RequestRecord:
        """A request and what became of it. Raises `NoSuchRequest`."""
        with self.database.reading() as connection:
            row = connection.execute(WHOLE.where(REQUESTS.c.id == request_id)).one_or_none()
        if row is None:
            raise NoSuchRequest("there is no request of this id")
        return record_of(row, self._sealer, now)

    def list_transactions(self, *, now: datetime, limit: int = 100, offset: int = 0) -> list[RequestRecord]:
        """The requests, newest first."""
        order = WHOLE.order_by(REQUESTS.c.made_at.desc(), REQUESTS.c.id).limit(limit).offset(offset)
        with self.database.reading() as connection:
            rows = connection.execute(order).all()
        return [record_of(row, self._sealer, now) for row in rows]

    def pair(self, pair: str, *, now: datetime) -> list[RequestRecord]:
        """The requests that were made together (link and QR), oldest first; none for an empty name."""
        with self.database.reading() as connection:
            rows = connection.execute(
                WHOLE.where(REQUESTS.c.pair == pair, REQUESTS.c.pair != "").order_by(REQUESTS.c.made_at)
            ).all()
        return [record_of(row, self._sealer, now) for row in rows]

    def several(self, request_ids: Collection[str], *, now: datetime) -> dict[str, RequestRecord]:
        """Those of these requests that are there, by id."""
        with self.database.reading() as connection:
            rows = connection.execute(WHOLE.where(REQUESTS.c.id.in_(request_ids))).all()
        return {row.id: record_of(row, self._sealer, now) for row in rows}

    def contents(self, request_id: str, *, now: datetime, viewer: str) -> Contents | None:
        """What the person showed, and a line in the log that it was looked at; None when there is nothing (any more).

        Values that are due, those of an answer whose browser has not come back, and those whose deletion somebody waits
        for are not given. Raises `NoSuchRequest`, `SealBroken`.
        """
        with self.database.transaction() as connection:
            row = connection.execute(select(REQUESTS).where(REQUESTS.c.id == request_id)).one_or_none()
            if row is None:
                raise NoSuchRequest("there is no request of this id")
            if not may_be_read(row, now):
                return None
            contents = Contents(self._eraser.open(connection, row))
            write_log(connection, Event.VIEWED, row.id, row.template_name, now, viewer)
        return contents

    def change_counter(self) -> int:
        """A number that grows with every change: live views ask for it and look again when it has moved."""
        with self.database.reading() as connection:
            return last_number(connection)

    def log(self, *, limit: int = 200, request_id: str = "") -> list[LogEntry]:
        """The log, newest first, of everything or of one request."""
        with self.database.reading() as connection:
            return read_log(connection, limit=limit, request_id=request_id)

    def log_is_whole(self) -> bool:
        """Whether no line of the log is missing."""
        with self.database.reading() as connection:
            return is_whole(connection)

    # --- time passes ---------------------------------------------------------------------------------------------

    def tidy(self, *, now: datetime) -> int:
        """Do what is due: delete values, end answers that did not come back, drop keys of expired requests.

        At most `DUE_AT_ONCE` requests; returns how many changed. Called at start, on a schedule and before reading;
        twice is harmless. What was due long before the last time is done already, and not looked for again.
        """
        since = _LONG_AGO if self._tidied_at is None else min(self._tidied_at, now) - _LATE
        span = {"since": since, "at": now}
        with self.database.reading() as connection:
            is_due = connection.execute(_ANYTHING_DUE, span).first() is not None
        if not is_due:
            self._tidied_at = now
            return 0
        with self.database.transaction() as connection:
            rows = connection.execute(_DUE, span).all()
            for row in rows:
                self._settle(connection, row, now)
            prune(connection, SPENT, now=now)
        if any(row.contents_number is not None for row in rows):
            self.database.forget_deleted()
        return len(rows)

    def forget(self, *, now: datetime) -> None:
        """Take what was deleted out of the files, and forget references that are due and counts of tries that are over.

        On a schedule.
        """
        with self.database.transaction() as connection:
            due = (REQUESTS.c.reference.is_not(None), REQUESTS.c.delete_at <= now)
            connection.execute(update(REQUESTS).where(*due).values(reference=None))
            connection.execute(delete(self._tries).where(self._tries.c.ends_at <= now))
        self.database.forget_deleted()

    def _settle(self, connection: Connection, row: Row[Any], now: datetime) -> None:
        """Do what is due for one request."""
        if row.state == State.AWAITING_RETURN.value and row.return_by <= now:
            _end_unreturned(connection, row, now)
            return
        if row.state in OPEN_STATES:
            number = write_log(connection, Event.EXPIRED, row.id, row.template_name, now)
            _change(connection, row.id, encryption_key=None, code=None, changed=number)
        if row.contents_number is not None and row.delete_at <= now:
            due = Cause(Reason.RETENTION, "retention", received_at=now, due_on=row.retention_until)
            self._eraser.erase(connection, row.id, due, now=now)


def _detail(report: Report) -> str:
    """The names of the checks that did not hold, then of those that could not be made."""
    return ",".join(report.result.failed + report.result.unknown)


def _end_unreturned(connection: Connection, row: Row[Any], now: datetime) -> None:
    """The browser did not come back, or another one did: the answer does not count, and its values go."""
    number = write_log(connection, Event.NOT_RETURNED, row.id, row.template_name, now)
    delete_contents(connection, row.contents_number)
    _change(
        connection,
        row.id,
        state=State.NOT_RETURNED.value if row.verdict else State.DECLINED.value,
        response_code_digest=None,
        return_by=None,
        verdict=Verdict.REJECTED.value if row.verdict else "",
        contents_number=None,
        contents_deleted_at=now if row.contents_number is not None else row.contents_deleted_at,
        changed=number,
    )


def _change(connection: Connection, request_id: str, **values: Any) -> None:
    connection.execute(update(REQUESTS).where(REQUESTS.c.id == request_id).values(**values))


# Statements of the hot paths, made once: building them costs more than running them.

_BY_HANDLE = Prepared(
    select(*(column for column in REQUESTS.c if column.name in PENDING_COLUMNS), TEMPLATES.c.text.label("template"))
    .join_from(REQUESTS, TEMPLATES, TEMPLATES.c.digest == REQUESTS.c.template_digest)
    .where(REQUESTS.c.handle == bindparam("of_handle"))
)
_SERVE = (
    update(REQUESTS)
    .where(
        REQUESTS.c.handle == bindparam("of_handle"),
        REQUESTS.c.served < MAX_SERVED,
        REQUESTS.c.state.in_(OPEN_STATES),
        REQUESTS.c.expires_at > bindparam("at"),
    )
    .values(served=REQUESTS.c.served + 1)
)
_ANSWER_COLUMNS = (
    "state",
    "answer_digest",
    "reply_status",
    "verdict",
    "wallet_error",
    "answer_number",
    "contents_number",
    "changed",
)
_ANSWER_VALUES = {
    "answered_at": bindparam("answered_at", type_=UTCDateTime()),
    "encryption_key": null(),  # Used, and gone (HAIP 5).
    **{name: bindparam(name) for name in _ANSWER_COLUMNS},
}
_INSERT_HOLDER_KEY = Prepared(
    insert(HOLDER_KEYS).values(thumbprint=bindparam("thumbprint"), request_id=bindparam("request_id"))
)
_UNANSWERED = (REQUESTS.c.id == bindparam("of_id")) & or_(*(REQUESTS.c.state == state for state in OPEN_STATES))
_ANSWER = Prepared(update(REQUESTS).where(_UNANSWERED).values(_ANSWER_VALUES))
_ANSWER_THEN_RETURN = Prepared(
    update(REQUESTS)
    .where(_UNANSWERED)
    .values(
        _ANSWER_VALUES
        | {
            "response_code_digest": bindparam("response_code_digest"),
            "return_by": bindparam("return_by", type_=UTCDateTime()),
        }
    )
)
_SINCE, _AT = bindparam("since", type_=UTCDateTime()), bindparam("at", type_=UTCDateTime())
_DUE_IDS = union_all(  # Each by its own index: nothing is read of the many requests that are done with.
    select(REQUESTS.c.id).where(REQUESTS.c.delete_at.between(_SINCE, _AT), REQUESTS.c.contents_number.is_not(None)),
    select(REQUESTS.c.id).where(
        REQUESTS.c.return_by.between(_SINCE, _AT), REQUESTS.c.state == State.AWAITING_RETURN.value
    ),
    select(REQUESTS.c.id).where(
        REQUESTS.c.expires_at.between(_SINCE, _AT), REQUESTS.c.state.in_(OPEN_STATES), REQUESTS.c.code.is_not(None)
    ),
)
_ANYTHING_DUE = _DUE_IDS.limit(1)
_DUE = select(REQUESTS).where(REQUESTS.c.id.in_(_DUE_IDS)).limit(DUE_AT_ONCE)
