"""Staff accounts and API keys of issuer and verifier.

The first account is made with a code that is printed on the terminal. Login names are stored as HMACs under the device
secret, passwords as Argon2id hashes, setup codes and API keys as digests.
"""

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from schemas.errors import Refused
from service.database import Database, UTCDateTime
from service.passwords import hash_password, verify_password
from service.sessions import sessions_table

MINIMUM_PASSWORD_CHARACTERS = 12
SETUP_CODE_LIFETIME = timedelta(hours=24)
_CODE_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's, without letters that are mistaken for others.
_CODE_LENGTH = 16
# The hash of a random password that was thrown away: an unknown login name costs as much time as a known one.
_NOBODYS_HASH = "$argon2id$v=19$m=65536,t=3,p=4$xoGOctzNGryqs+ARNC33IA$/YljqRLJzJK6uPgY7/KDlT/Q5VzfFVFTwgg0bmg1fB4"


def account_tables(metadata: MetaData) -> None:
    """Add the tables of accounts, setup codes and API keys to a service's metadata (call it in store.py)."""
    if "accounts" in metadata.tables:
        return
    Table(
        "accounts",
        metadata,
        Column("id", String, primary_key=True),
        Column("login", LargeBinary, nullable=False, unique=True),
        Column("password", String, nullable=False),
        Column("made_at", UTCDateTime, nullable=False),
    )
    Table(
        "setup_codes",
        metadata,
        Column("digest", LargeBinary, primary_key=True),
        Column("expires_at", UTCDateTime, nullable=False),
    )
    Table(
        "api_keys",
        metadata,
        Column("id", String, primary_key=True),
        Column("digest", LargeBinary, nullable=False, unique=True),
        Column("label", String, nullable=False),
        Column("made_at", UTCDateTime, nullable=False),
        Column("revoked_at", UTCDateTime),
    )


class PasswordTooShort(Refused):
    """The password has fewer than 12 characters."""

    error = "password_too_short"


class WrongSetupCode(Refused):
    """The setup code is unknown, expired or already used, or there is an account already."""

    error = "wrong_setup_code"


class LoginTaken(Refused):
    """An account with this login name exists."""

    error = "login_taken"


@dataclass(frozen=True, slots=True)
class Account:
    """A member of staff, known by an opaque id. `password` is the hash that the password given was found to fit."""

    id: str
    made_at: datetime
    password: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class APIKey:
    """A key for programs: its id and label; the key itself is shown once and stored as a digest."""

    id: str
    label: str
    made_at: datetime
    revoked_at: datetime | None = None


def normal_login(login: str) -> str:
    """The one form of a login name in which names are compared: spaces around it, case and width do not matter."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


class Accounts:
    """The accounts and API keys of one service."""

    def __init__(self, database: Database, *, service: str, device_secret: bytes) -> None:
        account_tables(database.metadata)
        tables: Mapping[str, Table] = database.metadata.tables
        self._accounts, self._codes, self._keys = tables["accounts"], tables["setup_codes"], tables["api_keys"]
        self._sessions = sessions_table(database.metadata)
        self._database = database
        self._service = service
        self._login_key = hmac.digest(device_secret, b"intyga login names", hashlib.sha256)

    @property
    def database(self) -> Database:
        """Where they are kept."""
        return self._database

    # --- accounts ----------------------------------------------------------------------------------------------

    async def setup_code(self, *, now: datetime) -> str | None:
        """A fresh code (24 hours) with which the first account is made, to be printed at start; None when one exists.

        Earlier codes stop working.
        """
        code = "".join(secrets.choice(_CODE_LETTERS) for _ in range(_CODE_LENGTH))

        def store() -> bool:
            with self._database.transaction() as connection:
                if self._count(connection):
                    return False
                connection.execute(delete(self._codes))
                row = {"digest": _code_digest(code), "expires_at": now + SETUP_CODE_LIFETIME}
                connection.execute(insert(self._codes), row)
                return True

        made = await self._database.run(store)
        return "-".join(code[start : start + 4] for start in range(0, _CODE_LENGTH, 4)) if made else None

    async def is_empty(self) -> bool:
        """Whether the first account is still to be made."""

        def count() -> int:
            with self._database.reading() as connection:
                return self._count(connection)

        return await self._database.run(count) == 0

    async def create_first(self, setup_code: str, login: str, password: str, *, now: datetime) -> Account:
        """Make the first account. Raises `WrongSetupCode`, `PasswordTooShort`. Exactly one of several callers wins."""
        digest = _code_digest(setup_code)
        row = await self._row(login, password, now=now)

        def store() -> None:
            with self._database.transaction() as connection:
                columns = self._codes.c
                spent = connection.execute(
                    delete(self._codes).where(columns.digest == digest, columns.expires_at > now)
                )
                if spent.rowcount != 1 or self._count(connection):
                    raise WrongSetupCode
                connection.execute(insert(self._accounts), row)

        await self._database.run(store)
        return Account(row["id"], now, row["password"])

    async def create(self, login: str, password: str, *, now: datetime) -> Account:
        """Make a further account. Raises `LoginTaken`, `PasswordTooShort`."""
        row = await self._row(login, password, now=now)

        def store() -> None:
            with self._database.transaction() as connection:
                try:
                    connection.execute(insert(self._accounts), row)
                except IntegrityError as exc:
                    raise LoginTaken from exc
                connection.execute(delete(self._codes))  # The code for the first account is of no use any more.

        await self._database.run(store)
        return Account(row["id"], now, row["password"])

    async def sign_in(self, login: str, password: str, *, now: datetime) -> Account | None:
        """The account when name and password belong together, else None, after equal work for an unknown name.

        Does not count attempts: the caller asks a `StoredRateLimit` first.
        """
        row = await self._database.run(self._find, self._accounts, self._accounts.c.login == self._login_digest(login))
        hashed = row.password if row is not None else _NOBODYS_HASH
        matches = await verify_password(hashed, password)
        return Account(row.id, row.made_at, row.password) if row is not None and matches else None

    async def is_current(self, account: Account) -> bool:
        """Whether the account is there and has the password with which somebody signed in.

        Asked after a session was opened: checking a password takes its time, and the account may have been removed or
        given another one meanwhile, which ends only the sessions that were there.
        """
        same = (self._accounts.c.id == account.id, self._accounts.c.password == account.password)
        return await self._database.run(self._find, self._accounts, *same) is not None

    async def is_there(self, account_id: str) -> bool:
        """Whether there is an account of this id."""
        return await self._database.run(self._find, self._accounts, self._accounts.c.id == account_id) is not None

    async def change_password(self, account_id: str, old: str, new: str) -> bool:
        """Change a password, and end the account's sessions; False when the old one is wrong.

        Raises `PasswordTooShort`, `PasswordTooLong`.
        """
        _refuse_short(new)
        row = await self._database.run(self._find, self._accounts, self._accounts.c.id == account_id)
        if row is None or not await verify_password(row.password, old):
            return False
        hashed = await hash_password(new)

        def store() -> bool:
            with self._database.transaction() as connection:
                same = (self._accounts.c.id == account_id, self._accounts.c.password == row.password)
                if connection.execute(update(self._accounts).where(*same).values(password=hashed)).rowcount != 1:
                    return False
                self._end_sessions(connection, account_id)
                return True

        return await self._database.run(store)

    async def exists(self, login: str) -> bool:
        """Whether there is an account with this login name."""
        digest = self._login_digest(login)
        return await self._database.run(self._find, self._accounts, self._accounts.c.login == digest) is not None

    async def reset_password(self, login: str, new: str) -> bool:
        """Give an account another password without the old one, and end its sessions; False when there is none.

        For the terminal of the operator alone. Raises `PasswordTooShort`, `PasswordTooLong`.
        """
        _refuse_short(new)
        hashed, digest = await hash_password(new), self._login_digest(login)

        def store() -> bool:
            with self._database.transaction() as connection:
                found = connection.execute(select(self._accounts.c.id).where(self._accounts.c.login == digest)).first()
                if found is None:
                    return False
                connection.execute(
                    update(self._accounts).where(self._accounts.c.id == found.id).values(password=hashed)
                )
                self._end_sessions(connection, found.id)
                return True

        return await self._database.run(store)

    async def remove(self, login: str) -> bool:
        """Remove an account and end its sessions; False when there is none."""
        digest = self._login_digest(login)

        def store() -> bool:
            with self._database.transaction() as connection:
                found = connection.execute(select(self._accounts.c.id).where(self._accounts.c.login == digest)).first()
                if found is None:
                    return False
                connection.execute(delete(self._accounts).where(self._accounts.c.id == found.id))
                self._end_sessions(connection, found.id)
                return True

        return await self._database.run(store)

    # --- API keys ----------------------------------------------------------------------------------------------

    async def new_api_key(self, label: str, *, now: datetime) -> tuple[APIKey, str]:
        """Make an API key; the text (`intyga-SERVICE-...`) is returned once and not kept."""
        text = f"intyga-{self._service}-{secrets.token_urlsafe(32)}"
        key = APIKey(secrets.token_hex(8), label, now)

        def store() -> None:
            with self._database.transaction() as connection:
                row = {"id": key.id, "digest": _digest(text), "label": label, "made_at": now}
                connection.execute(insert(self._keys), row)

        await self._database.run(store)
        return key, text

    async def check_api_key(self, text: str) -> APIKey | None:
        """The key that a program sent (`Authorization: Bearer ...`), or None when unknown or revoked."""
        columns = self._keys.c
        row = await self._database.run(
            self._find, self._keys, columns.digest == _digest(text), columns.revoked_at.is_(None)
        )
        return None if row is None else APIKey(row.id, row.label, row.made_at)

    async def revoke_api_key(self, key_id: str, *, now: datetime) -> bool:
        """End an API key; False when there is none of that id that still works."""

        def store() -> int:
            with self._database.transaction() as connection:
                working = (self._keys.c.id == key_id, self._keys.c.revoked_at.is_(None))
                return int(connection.execute(update(self._keys).where(*working).values(revoked_at=now)).rowcount)

        return await self._database.run(store) == 1

    async def api_keys(self) -> list[APIKey]:
        """All API keys, newest first."""

        def rows() -> list[Any]:
            with self._database.reading() as connection:
                return list(connection.execute(select(self._keys).order_by(self._keys.c.made_at.desc())))

        return [APIKey(row.id, row.label, row.made_at, row.revoked_at) for row in await self._database.run(rows)]

    # --- inside ------------------------------------------------------------------------------------------------

    async def _row(self, login: str, password: str, *, now: datetime) -> dict[str, Any]:
        _refuse_short(password)
        return {
            "id": secrets.token_hex(12),
            "login": self._login_digest(login),
            "password": await hash_password(password),
            "made_at": now,
        }

    def _login_digest(self, login: str) -> bytes:
        name = normal_login(login)
        return hmac.digest(self._login_key, name.encode("utf-8", "surrogatepass"), hashlib.sha256)

    def _end_sessions(self, connection: Connection, account_id: str) -> None:
        connection.execute(delete(self._sessions).where(self._sessions.c.subject == account_id))

    def _count(self, connection: Connection) -> int:
        return int(connection.execute(select(func.count()).select_from(self._accounts)).scalar_one())

    def _find(self, table: Table, *conditions: ColumnElement[bool]) -> Any:
        with self._database.reading() as connection:
            return connection.execute(select(table).where(*conditions)).first()


def _refuse_short(password: str) -> None:
    if len(password) < MINIMUM_PASSWORD_CHARACTERS:
        raise PasswordTooShort


def _code_digest(code: str) -> bytes:
    """As people type it: in any case, with or without dashes and spaces, with O for 0 and I or L for 1."""
    typed = code.upper().replace("-", "").replace(" ", "").translate(str.maketrans("OIL", "011"))
    return _digest(typed)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
