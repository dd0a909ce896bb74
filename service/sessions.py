"""Browser sessions: the cookie is a random key, the row is stored under its digest, nothing readable rests.

    value = await sessions.open("account-id", now=now)       # then sessions.set_cookie(response, value)
    session = await sessions.load(request.cookies.get(sessions.cookie_name), now=now)      # Session or None
    session.key_material                                     # 32 bytes to seal what the row keeps for this browser

A session ends after a rest (15 minutes) or a whole day's work (8 hours), whichever is first. That it was seen is
written down at most twice a minute, so that reading pages does not write on each request.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Connection, LargeBinary, MetaData, String, Table, delete, insert, or_, select, update

from schemas.errors import TemporarilyUnavailable
from service.database import Database, UTCDateTime
from service.settings import ServiceSettings

if TYPE_CHECKING:
    from starlette.responses import Response

_KEY_BYTES = 32
_SEEN_AGAIN_AFTER = timedelta(seconds=30)


def sessions_table(metadata: MetaData) -> Table:
    """The table of sessions in a service's metadata (call it in store.py, before the tables are made)."""
    if (there := metadata.tables.get("sessions")) is not None:
        return there
    return Table(
        "sessions",
        metadata,
        Column("id", LargeBinary, primary_key=True),
        Column("subject", String, nullable=False, index=True),
        Column("opened_at", UTCDateTime, nullable=False),
        Column("seen_at", UTCDateTime, nullable=False, index=True),
        Column("data", LargeBinary),
    )


@dataclass(frozen=True, slots=True)
class Session:
    """An open session. `subject` is whose it is (an opaque id; empty for a visitor), `data` what the caller sealed."""

    id: bytes
    subject: str
    opened_at: datetime
    seen_at: datetime
    csrf_token: str
    key_material: bytes
    data: bytes | None


class Sessions:
    """Opens, loads and closes sessions of one service."""

    def __init__(self, database: Database, *, settings: ServiceSettings) -> None:
        self._database = database
        self._table = sessions_table(database.metadata)
        self.cookie_name = cookie_name(settings)
        self.is_https = settings.is_https
        self.idle = timedelta(seconds=settings.session_idle_seconds)
        self.absolute = timedelta(seconds=settings.session_absolute_seconds)

    async def open(self, subject: str, *, now: datetime, data: bytes | None = None) -> str:
        """Open a session and return the cookie's value. A login always opens a new one (no session fixation)."""
        key = secrets.token_bytes(_KEY_BYTES)
        row = {"id": _id(key), "subject": subject, "opened_at": now, "seen_at": now, "data": data}
        await self._database.run(self._insert, row)
        return _text(key)

    async def load(self, cookie: str | None, *, now: datetime) -> Session | None:
        """The session of a cookie, or None when unknown, closed, idle too long or too old. Notes that it was seen."""
        key = _key(cookie)
        if key is None:
            return None
        row = await self._database.run(self._row, _id(key))
        if row is None or now - row.seen_at >= self.idle or now - row.opened_at >= self.absolute:
            return None
        if now - row.seen_at >= _SEEN_AGAIN_AFTER:
            with suppress(TemporarilyUnavailable):  # Reading a page does not fail because it could not be noted.
                await self._database.run(self._seen, row.id, now)
        return Session(
            row.id, row.subject, row.opened_at, row.seen_at, csrf_token(key), _derived(key, "sealing"), row.data
        )

    async def set_data(self, session: Session, data: bytes | None) -> None:
        """Replace the bytes kept with a session (sealed by the caller under `session.key_material`)."""
        await self._database.run(
            self._execute, update(self._table).where(self._table.c.id == session.id).values(data=data)
        )

    async def close(self, session: Session) -> None:
        """End one session."""
        await self._database.run(self._execute, delete(self._table).where(self._table.c.id == session.id))

    async def close_all(self, subject: str) -> None:
        """End every session of a subject (password changed, account closed)."""
        await self._database.run(self._execute, delete(self._table).where(self._table.c.subject == subject))

    def end_all(self, connection: Connection, subject: str) -> None:
        """As `close_all`, inside the caller's transaction: together with what makes them end."""
        connection.execute(delete(self._table).where(self._table.c.subject == subject))

    async def prune(self, *, now: datetime) -> int:
        """Forget sessions that have ended; returns how many."""
        columns = self._table.c
        ended = or_(columns.seen_at <= now - self.idle, columns.opened_at <= now - self.absolute)
        return await self._database.run(self._execute, delete(self._table).where(ended))

    def key_material(self, cookie: str) -> bytes:
        """32 bytes that only the browser's cookie gives: the caller seals under them what the row keeps.

        For sealing at login, before there is a `Session`. Raises `ValueError` for what is not a cookie of ours.
        """
        key = _key(cookie)
        if key is None:
            raise ValueError("This is not the value of a session cookie.")
        return _derived(key, "sealing")

    def set_cookie(self, response: "Response", value: str) -> None:
        """Give the browser its cookie. It ends with the browser; the row ends by itself."""
        response.set_cookie(self.cookie_name, value, path="/", secure=self.is_https, httponly=True, samesite="lax")

    def clear_cookie(self, response: "Response") -> None:
        """Take the cookie from the browser."""
        response.delete_cookie(self.cookie_name, path="/", secure=self.is_https, httponly=True, samesite="lax")

    def _insert(self, row: dict[str, Any]) -> None:
        with self._database.transaction() as connection:
            connection.execute(insert(self._table), row)

    def _row(self, session_id: bytes) -> Any:
        with self._database.reading() as connection:
            return connection.execute(select(self._table).where(self._table.c.id == session_id)).one_or_none()

    def _seen(self, session_id: bytes, now: datetime) -> None:
        self._execute(update(self._table).where(self._table.c.id == session_id).values(seen_at=now))

    def _execute(self, statement: Any) -> int:
        with self._database.transaction() as connection:
            return int(connection.execute(statement).rowcount)


def cookie_name(settings: ServiceSettings, purpose: str = "") -> str:
    """`__Host-intyga-SERVICE` with https, `intyga-SERVICE-PORT` on loopback (cookies ignore ports).

    A service under a path prefix shares its host with others, so the prefix is part of the name; `__Host-` demands
    Path=/.
    """
    prefix = settings.path_prefix.replace("/", "-")
    port = settings.base_url.rpartition(":")[2].partition("/")[0]
    service = f"intyga-{settings.service}{prefix}" + (f"-{purpose}" if purpose else "")
    if settings.is_https:
        return f"__Host-{service}"
    return f"{service}-{port}" if port.isdecimal() else service


def csrf_token(key: bytes) -> str:
    """The token that forms of a page carry, derived from the key in the cookie."""
    return _text(_derived(key, "csrf"))


def cookie_key(cookie: str | None) -> bytes | None:
    """The random key in a cookie's value, or None when it is not of our form."""
    return _key(cookie)


def new_cookie() -> str:
    """A fresh random cookie value, for a visitor without a session."""
    return _text(secrets.token_bytes(_KEY_BYTES))


def _key(cookie: str | None) -> bytes | None:
    if cookie is None or len(cookie) != 43 or not cookie.isascii():
        return None
    try:
        key = base64.urlsafe_b64decode(cookie + "=")
    except binascii.Error:
        return None
    return key if len(key) == _KEY_BYTES else None


def _text(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()


def _id(key: bytes) -> bytes:
    return hashlib.sha256(b"intyga session" + key).digest()


def _derived(key: bytes, purpose: str) -> bytes:
    return hmac.digest(key, f"intyga session {purpose}".encode(), hashlib.sha256)
