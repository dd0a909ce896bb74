"""The database: one winner, nothing half done, busy and full disks told as such."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlmodel import Field, SQLModel, col

from schemas.errors import TemporarilyUnavailable
from service.database import Busy, Database, StorageUnavailable, UnknownSchema, UTCDateTime, new_registry
from tests.service.conftest import NOW


class SampleRow(SQLModel, registry=new_registry()):
    """Base of the sample's tables."""


class NoteRow(SampleRow, table=True):
    """A note."""

    __tablename__ = "notes"
    id: int = Field(primary_key=True)
    text: str
    made_at: datetime = Field(sa_type=UTCDateTime)


@pytest.fixture
def notes(tmp_path: Path) -> Database:
    database = Database(tmp_path / "notes.sqlite3", SampleRow.metadata)
    database.create()
    return database


def add(database: Database, number: int, *, made_at: datetime = NOW) -> None:
    with database.transaction() as connection:
        connection.execute(insert(NoteRow).values(id=number, text="x", made_at=made_at))


def count(database: Database) -> int:
    with database.reading() as connection:
        return len(connection.execute(select(col(NoteRow.id))).all())


def test_tables_of_a_service_have_a_registry_of_their_own() -> None:
    assert set(SampleRow.metadata.tables) == {"notes"}
    assert "notes" not in SQLModel.metadata.tables


def test_moments_come_back_as_aware_utc(notes: Database) -> None:
    moment = datetime(2026, 3, 1, 10, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    add(notes, 1, made_at=moment)

    with notes.reading() as connection:
        found = connection.execute(select(col(NoteRow.made_at))).scalar_one()

    assert found == moment
    assert found.tzinfo is UTC
    notes.close()


def test_moments_without_zone_are_refused(notes: Database) -> None:
    with pytest.raises((StatementError, ValueError), match="time zone"):
        add(notes, 1, made_at=datetime(2026, 3, 1))  # noqa: DTZ001
    notes.close()


def test_every_commit_waits_for_the_disk(notes: Database) -> None:
    with notes.transaction() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 250
    notes.close()


def test_an_error_inside_undoes_everything(notes: Database) -> None:
    with pytest.raises(LookupError), notes.transaction() as connection:  # noqa: PT012
        connection.execute(insert(NoteRow).values(id=1, text="x", made_at=NOW))
        raise LookupError

    assert count(notes) == 0
    add(notes, 1)
    with pytest.raises(IntegrityError):
        add(notes, 1)
    add(notes, 2)
    assert count(notes) == 2
    notes.close()


def test_reading_cannot_write(notes: Database) -> None:
    with pytest.raises(DBAPIError, match="readonly"), notes.reading() as connection:
        connection.execute(insert(NoteRow).values(id=1, text="x", made_at=NOW))

    assert count(notes) == 0
    notes.close()


def test_a_transaction_inside_another_is_a_programming_error(notes: Database) -> None:
    with pytest.raises(RuntimeError, match="already open"), notes.transaction(), notes.transaction():
        pass
    with pytest.raises(RuntimeError, match="already open"), notes.transaction(), notes.reading():
        pass
    add(notes, 1)
    notes.close()


def test_a_writer_that_waits_too_long_is_told_so(notes: Database, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "notes.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(Busy) as caught:
            add(notes, 1)
        assert caught.value.status == 503
        assert caught.value.retry_after_seconds == 1
        assert count(notes) == 0, "reading goes on while another writes"
    finally:
        other.execute("ROLLBACK")
        other.close()
    add(notes, 1)
    notes.close()


def test_a_full_disk_is_told_and_heals_by_itself(notes: Database) -> None:
    with notes.transaction() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StorageUnavailable) as caught, notes.transaction() as connection:
        connection.execute(insert(NoteRow).values(id=1, text="x" * 100_000, made_at=NOW))
    assert isinstance(caught.value, TemporarilyUnavailable)
    assert count(notes) == 0

    with notes.transaction() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 100000")
    add(notes, 1)
    assert count(notes) == 1
    notes.close()


def test_the_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """Also where the directory was made by somebody else, for all to enter; the journal beside it too."""
    tmp_path.chmod(0o755)
    database = Database(tmp_path / "private.sqlite3", NoteRow.metadata)
    database.create()
    add(database, 1)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("private.sqlite3*")}
    assert set(modes) == {"private.sqlite3", "private.sqlite3-wal", "private.sqlite3-shm"}
    assert set(modes.values()) == {0o600}
    database.close()


def test_a_mistake_in_a_statement_is_not_called_busy(notes: Database) -> None:
    with pytest.raises(DBAPIError), notes.transaction() as connection:
        connection.exec_driver_sql("SELECT * FROM nothing_of_the_kind")
    notes.close()


def test_a_known_schema_is_taken_and_another_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"

    def metadata(*columns: str) -> MetaData:
        made = MetaData()
        Table("t", made, Column("id", Integer, primary_key=True), *(Column(name, String) for name in columns))
        return made

    for _ in range(2):
        database = Database(path, metadata("a"))
        database.create()
        database.close()
    for other in (Database(path, metadata("a", "b")), Database(path, metadata("a"), version=2)):
        with pytest.raises(UnknownSchema):
            other.create()
        other.close()


def test_a_database_of_somebody_else_is_refused(tmp_path: Path) -> None:
    foreign = sqlite3.connect(tmp_path / "a.sqlite3")
    foreign.execute("CREATE TABLE t (id INTEGER)")
    foreign.close()
    database = Database(tmp_path / "a.sqlite3", SampleRow.metadata)

    with pytest.raises(UnknownSchema):
        database.create()
    database.close()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite3").write_bytes(b"not a database" * 100)
    database = Database(tmp_path / "a.sqlite3", SampleRow.metadata)

    with pytest.raises(StorageUnavailable):
        database.create()
    database.close()


def test_threads_write_beside_each_other(notes: Database) -> None:
    def patiently(number: int) -> None:
        """On a machine that is busy with other things a turn can come too late; then it is tried again."""
        for _ in range(50):
            try:
                return add(notes, number)
            except TemporarilyUnavailable:
                continue
        return add(notes, number)

    def work(start: int) -> None:
        for number in range(start, start + 10):
            patiently(number)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(0, 40, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert count(notes) == 40
    notes.close()


def test_store_methods_run_inline_on_sqlite(notes: Database) -> None:
    assert asyncio.run(notes.run(threading.get_ident)) == threading.get_ident()
    notes.close()


@pytest.mark.processes
def test_two_services_may_start_at_once_on_a_new_database(tmp_path: Path) -> None:
    path, start = str(tmp_path / "new.sqlite3"), str(time.time() + 2)
    program = [sys.executable, "-m", "tests.service.second_process", "create", path, start]

    running = [subprocess.Popen(program, cwd=Path(__file__).parents[2]) for _ in range(2)]

    assert [process.wait(60) for process in running] == [0, 0]


def test_the_database_is_not_closed_under_what_is_done_beside_the_loop(notes: Database) -> None:
    """Whoever waited for it has gone: it still comes to its end before the connections are closed."""
    begun, go_on, done = threading.Event(), threading.Event(), list[str]()

    def work() -> None:
        with notes.reading():
            begun.set()
            go_on.wait(20)
            done.append("worked")

    def close() -> None:
        notes.close()
        done.append("closed")

    async def begin_and_go() -> threading.Thread:
        waiting = asyncio.ensure_future(notes.run_beside(work))
        await asyncio.to_thread(begun.wait, 20)
        waiting.cancel()
        closing = threading.Thread(target=close)
        closing.start()
        go_on.set()
        return closing

    asyncio.run(begin_and_go()).join(20)
    assert done == ["worked", "closed"]
