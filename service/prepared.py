"""Statements on a hot path: compiled once, then handed to the driver as text.

SQLAlchemy Core builds the statements, so they stay the same on every database; but its work per call costs more than
SQLite itself. What comes back is as the driver gives it: moments are whole
microseconds, truth is 0 or 1.

    PREPARED = Prepared(select(OFFERS.c.id).where(OFFERS.c.code_digest == bindparam("code")))
    row = PREPARED.one_or_none(connection, code=digest(code))
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.sql import ClauseElement

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    order: Sequence[str] | None  # None: the driver takes names
    constants: Mapping[str, Any]
    processors: Mapping[str, Callable[[Any], Any]]


class Prepared:
    """One statement, whose parameters are given by name."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}
        self._row: Callable[[Sequence[Any]], Any] | None = None

    def run(self, connection: Connection, /, **values: Any) -> int:
        """Run it once; returns how many rows changed."""
        cursor = self._cursor(connection, values)
        changed = int(cursor.rowcount)
        cursor.close()
        return changed

    def run_each(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run it once for each row of values; returns how many rows changed in all."""
        compiled = self._for(connection)
        cursor = connection.connection.cursor()
        cursor.executemany(compiled.text, [self._parameters(compiled, row) for row in rows])
        changed = int(cursor.rowcount)
        cursor.close()
        return changed

    def one_or_none(self, connection: Connection, /, **values: Any) -> Any:
        """The row that it finds, its columns by name, or None. There is never more than one: a key is asked for."""
        cursor = self._cursor(connection, values)
        found = cursor.fetchone()
        row = None if found is None else self._named(cursor)(found)
        cursor.close()
        return row

    def all(self, connection: Connection, /, **values: Any) -> list[Any]:
        """All rows that it finds, their columns by name."""
        cursor = self._cursor(connection, values)
        named = self._named(cursor)
        rows = [named(row) for row in cursor.fetchall()]
        cursor.close()
        return rows

    def _cursor(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        compiled = self._for(connection)
        cursor = connection.connection.cursor()
        cursor.execute(compiled.text, self._parameters(compiled, values))
        return cursor

    def _named(self, cursor: Any) -> Callable[[Sequence[Any]], Any]:
        if self._row is None:
            row = namedtuple("row", [column[0] for column in cursor.description])  # type: ignore[misc]
            self._row = row._make
        return self._row

    def _for(self, connection: Connection) -> _Compiled:
        dialect = connection.dialect
        found = self._compiled.get(dialect.name)
        if found is None:
            compiled: Any = self._statement.compile(dialect=dialect)
            binds = {name: bind for bind, name in compiled.bind_names.items()}
            processors = {
                name: processor
                for name, bind in binds.items()
                if (processor := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None
            }
            constants = {name: bind.value for name, bind in binds.items() if not bind.required}
            found = _Compiled(compiled.string, compiled.positiontup, constants, processors)
            self._compiled[dialect.name] = found
        return found

    @staticmethod
    def _parameters(compiled: _Compiled, values: Mapping[str, Any]) -> Any:
        whole = {**compiled.constants, **values}
        for name, processor in compiled.processors.items():
            whole[name] = processor(whole[name])
        return whole if compiled.order is None else tuple([whole[name] for name in compiled.order])


def moment(microseconds: int) -> datetime:
    """A moment as a prepared statement gives it."""
    return _EPOCH + timedelta(microseconds=microseconds)
