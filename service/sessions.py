"""Browser sessions: the cookie is a random key, the row is stored under its digest, nothing readable rests.

value = await sessions.open("account-id", now=now)       # put into a response by sessions.set_cookie(response, value)
session = await sessions.load(request.cookies.get(sessions.cookie_name), now=now)      # Session or None
sessions.key_material(value)                             # 32 bytes to seal what the row keeps for this browser
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import MetaData, Table
from starlette.responses import Response

from service.database import Database
from service.settings import ServiceSettings


def sessions_table(metadata: MetaData) -> Table:
    """The table of sessions in a service's metadata (call it in store.py, before the tables are made)."""
    raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Session:
    """An open session. `subject` is whose it is (an opaque id; empty for a visitor), `data` what the caller sealed into it."""

    id: bytes
    subject: str
    opened_at: datetime
    seen_at: datetime
    csrf_token: str
    key_material: bytes
    data: bytes | None


class Sessions:
    """Opens, loads and closes sessions of one service."""

    def __init__(self, database: Database, *, settings: ServiceSettings) -> None: ...

    @property
    def cookie_name(self) -> str:
        """`__Host-intyga-SERVICE` (with https) or `intyga-SERVICE-PORT` (http on loopback; cookies ignore ports)."""
        raise NotImplementedError

    async def open(self, subject: str, *, now: datetime, data: bytes | None = None) -> str:
        """Open a session and return the cookie's value. A login always opens a new one (no session fixation)."""
        raise NotImplementedError

    async def load(self, cookie: str | None, *, now: datetime) -> Session | None:
        """The session of a cookie, or None when unknown, closed, idle for too long or too old. Notes that it was seen."""
        raise NotImplementedError

    async def set_data(self, session: Session, data: bytes | None) -> None:
        """Replace the bytes kept with a session (sealed by the caller under `session.key_material`)."""
        raise NotImplementedError

    async def close(self, session: Session) -> None:
        """End one session."""
        raise NotImplementedError

    async def close_all(self, subject: str) -> None:
        """End every session of a subject (password changed, account closed)."""
        raise NotImplementedError

    async def prune(self, *, now: datetime) -> int:
        """Forget sessions that have ended; returns how many."""
        raise NotImplementedError

    def key_material(self, cookie: str) -> bytes:
        """32 bytes that only the browser's cookie gives: the caller seals under them what the row keeps."""
        raise NotImplementedError

    def set_cookie(self, response: Response, value: str) -> None:
        """Give the browser its cookie."""
        raise NotImplementedError

    def clear_cookie(self, response: Response) -> None:
        """Take the cookie from the browser."""
        raise NotImplementedError
