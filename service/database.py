"""One database per service: short synchronous transactions over SQLAlchemy Core.

    class IssuerRow(SQLModel, registry=new_registry()):
        "Base of the issuer's tables, with a registry of their own."

    class OfferRow(IssuerRow, table=True):
        __tablename__ = "offers"
        id: str = Field(primary_key=True)
        made_at: datetime = Field(sa_type=UTCDateTime)

    database = Database(settings.data / "issuer.sqlite3", IssuerRow.metadata)
    database.create()
    with database.transaction() as connection:
        connection.execute(insert(OfferRow).values(id="...", made_at=now))

The rules of the game: a store method opens, does and commits one transaction and never awaits inside it. Every thread
keeps one connection for writing and one for reading. Writing takes the lock at once (`BEGIN IMMEDIATE`), waits 250 ms
at most and then raises `Busy`, which becomes 503. Every commit is on disk when `transaction` returns (WAL,
`synchronous=FULL`). Several processes may share one file.
"""

import asyncio
import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import BigInteger, Column, Connection, Dialect, Engine, Integer, MetaData, String, Table, create_engine
from sqlalchemy import inspect as inspect_schema
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import registry
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeDecorator

from schemas.errors import TemporarilyUnavailable
from service.upgrades import UnknownSchema as UnknownSchema
from service.upgrades import Upgrade, upgraded

P = ParamSpec("P")
T = TypeVar("T")

BUSY_LIMIT_SECONDS = 0.25
START_LIMIT_SECONDS = 10.0
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "temp_store = MEMORY",
    "secure_delete = ON",  # What is deleted is overwritten, not only forgotten.
    "trusted_schema = OFF",
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BUSY_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DISK_CODES = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
    }
)


class Busy(TemporarilyUnavailable):
    """The database is busy; the same request can be sent again."""

    retry_after_seconds = 1


class StorageUnavailable(TemporarilyUnavailable):
    """The database cannot be read or written now (disk full, input/output error)."""

    retry_after_seconds = 30


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime kept as whole microseconds since 1970, so that SQL compares moments exactly.

    Naive datetimes are refused with `ValueError`.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a time zone cannot be stored.")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


def new_registry() -> registry:
    """A registry of its own for one service's tables: `class IssuerRow(SQLModel, registry=new_registry())`."""
    return registry()


class Database:
    """The database of one service.

    `address` is the path of a SQLite file, or an SQLAlchemy URL. `metadata` holds the service's tables. `version` is
    the number of the schema: it and a fingerprint of the tables are stored. A database of an earlier version goes
    through `upgrades`; any other one is refused.
    """

    def __init__(
        self, address: Path | str, metadata: MetaData, *, version: int = 1, upgrades: Sequence[Upgrade] = ()
    ) -> None:
        self.metadata = metadata
        self.version = version
        self._upgrades = tuple(upgrades)
        self._schema_table = _schema_table()
        self._is_sqlite = isinstance(address, Path) or "://" not in address or address.startswith("sqlite")
        self._engine = _sqlite_engine(address) if self._is_sqlite else create_engine(str(address))
        self._local = threading.local()
        self._opened: list[Connection] = []
        self._opened_lock = threading.Lock()
        self._beside = threading.Condition()
        self._beside_count = 0

    @property
    def engine(self) -> Engine:
        """The engine below, for migrations and inspection."""
        return self._engine

    def create(self) -> None:
        """Make the tables in an empty database, or bring those that are there to the schema that we know.

        Raises `UnknownSchema` when it is another one. Safe when several processes start at once.
        """
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while True:
            try:
                self._create_or_check()
                return
            except Busy:  # Another process is making the same tables, or turning the file to WAL.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def _create_or_check(self) -> None:
        identity = schema_identity(self.metadata)
        with self.transaction() as connection:
            there = set(inspect_schema(connection).get_table_names())
            if not there:
                self._schema_table.create(connection)
                self.metadata.create_all(connection)
                connection.execute(self._schema_table.insert().values(version=self.version, identity=identity))
                return
            known = self._schema_table.name in there
            row = connection.execute(self._schema_table.select()).one_or_none() if known else None
            if row is not None and upgraded(connection, row, self._upgrades, version=self.version):
                self.metadata.create_all(connection)
                connection.execute(self._schema_table.update().values(version=self.version, identity=identity))
                return
        if row is None or row.version != self.version or row.identity != identity:
            found = "no version" if row is None else f"version {row.version}"
            raise UnknownSchema(f"The database has a schema ({found}) other than the one known here ({self.version}).")

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One writing transaction: committed and on disk at the end, rolled back when the body raises.

        Raises `Busy` when another writer holds the lock for longer than 250 ms, `StorageUnavailable` when the disk
        fails.
        """
        begin = "BEGIN IMMEDIATE"
        with self._translated_errors(), self._alone("writing") as connection, self._begun(connection, begin):
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view of the database that takes no lock and cannot write."""
        with self._translated_errors(), self._alone("reading") as connection, self._begun(connection, "BEGIN"):
            yield connection

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a store method from a handler: inline on SQLite (faster than a thread), else in a thread."""
        if self._is_sqlite:
            return work(*args, **kwargs)
        return await asyncio.to_thread(work, *args, **kwargs)

    async def run_beside(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something of many transactions that rests between them, in a thread, while the loop goes on serving.

        The database is not closed before it has ended, also when whoever waited for it has gone.
        """

        def counted() -> T:
            self._count_beside(1)
            try:
                return work(*args, **kwargs)
            finally:
                self._count_beside(-1)

        return await asyncio.to_thread(counted)

    def _count_beside(self, change: int) -> None:
        with self._beside:
            self._beside_count += change
            self._beside.notify_all()

    def check(self) -> None:
        """Raise `TemporarilyUnavailable` unless the database answers; for `/ready`."""
        with self.reading() as connection:
            connection.execute(self._schema_table.select()).first()

    def forget_deleted(self) -> bool:
        """Take what was deleted out of the files as well: empty the log that SQLite keeps beside the database.

        Deleted rows are overwritten in the database itself, but the log holds older pages until it is written over.
        False when somebody was reading or writing meanwhile; then it has to be done again. Not inside a transaction.
        """
        if not self._is_sqlite:
            return True
        with self._translated_errors(), self._alone("writing") as connection:
            busy, _, _ = _driver(connection).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def close(self) -> None:
        """Close every connection of every thread, when what is done beside the loop has ended."""
        with self._beside:
            self._beside.wait_for(lambda: self._beside_count == 0)
        with self._opened_lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
        self._local = threading.local()
        self._engine.dispose()

    @contextmanager
    def _alone(self, kind: str) -> Iterator[Connection]:
        """This thread's connection for one kind of use; a second transaction inside a first is a programming error."""
        if getattr(self._local, "in_use", False):
            raise RuntimeError("A transaction is already open in this thread: store methods must not nest or await.")
        connection: Connection | None = getattr(self._local, kind, None)
        if connection is None:
            connection = self._open(kind)
            setattr(self._local, kind, connection)
        self._local.in_use = True
        try:
            yield connection
        finally:
            self._local.in_use = False

    def _open(self, kind: str) -> Connection:
        connection = self._engine.connect()
        if self._is_sqlite and kind == "reading":
            _driver(connection).execute("PRAGMA query_only = ON")
        with self._opened_lock:
            self._opened.append(connection)
        return connection

    @contextmanager
    def _begun(self, connection: Connection, statement: str) -> Iterator[None]:
        if self._is_sqlite:
            _driver(connection).execute(statement)
        transaction = connection.begin()
        try:
            yield
            transaction.commit()
        except BaseException:
            with suppress(DBAPIError, sqlite3.Error):
                transaction.rollback()
            if self._is_sqlite and _driver(connection).in_transaction:
                _driver(connection).rollback()
            raise

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as exc:
            if unavailable := _unavailable(exc.orig):
                raise unavailable from exc
            raise
        except sqlite3.DatabaseError as exc:
            if unavailable := _unavailable(exc):
                raise unavailable from exc
            raise


def schema_identity(metadata: MetaData) -> str:
    """A fingerprint of tables, columns, types, keys and indexes, equal in every process and library version."""
    lines = []
    for table in sorted(metadata.tables.values(), key=lambda table: table.name):
        for column in table.columns:
            traits = (str(column.type.compile()), column.nullable, column.primary_key, bool(column.unique))
            lines.append(f"{table.name}.{column.name} {traits}")
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            lines.append(f"{table.name} index {[column.name for column in index.columns]} {index.unique}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _schema_table() -> Table:
    return Table(
        "intyga_schema",
        MetaData(),
        Column("version", Integer, primary_key=True),
        Column("identity", String, nullable=False),
    )


def _sqlite_engine(address: Path | str) -> Engine:
    url = str(address) if "://" in str(address) else f"sqlite+pysqlite:///{address}"
    return create_engine(
        url,
        poolclass=NullPool,  # Each thread keeps its connection itself.
        creator=None if "://" in str(address) else lambda: _connect(Path(address)),
    )


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # The file is its owner's alone, also in a directory that others may enter; SQLite's files beside it are like it.
    with suppress(OSError):  # It is there already, or SQLite will say what is wrong.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(
        path,
        timeout=BUSY_LIMIT_SECONDS,
        isolation_level=None,  # Transactions begin where we say so.
        check_same_thread=False,  # Used by one thread; closed by whichever shuts down.
        cached_statements=256,
    )
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _driver(connection: Connection) -> sqlite3.Connection:
    driver: Any = connection.connection.dbapi_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _unavailable(error: BaseException | None) -> TemporarilyUnavailable | None:
    """Ours for an error of the driver that says "later" rather than "wrong"."""
    if not isinstance(error, sqlite3.DatabaseError):
        return None
    primary_code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if primary_code in _BUSY_CODES:
        return Busy()
    return StorageUnavailable() if primary_code in _DISK_CODES else None
