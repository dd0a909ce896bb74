"""Statements on the way that every collection takes: compiled once, then handed to the driver as text.

SQLAlchemy Core builds the statements, so they stay the same on every database; but its work per call costs more than
SQLite itself, and a collection is a dozen calls. What comes back is as the driver gives it: moments are whole
microseconds.

    PREPARED = Prepared(select(OFFERS.c.id).where(OFFERS.c.code_digest == bindparam("code")))
    PREPARED(connection, code=digest(code)).one_or_none()
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, CursorResult
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

    def __call__(self, connection: Connection, /, **values: Any) -> CursorResult[Any]:
        """Run it once."""
        compiled = self._for(connection)
        return connection.exec_driver_sql(compiled.text, self._parameters(compiled, values))

    def many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> CursorResult[Any]:
        """Run it once for each row; `rowcount` is the number of rows changed in all."""
        compiled = self._for(connection)
        return connection.exec_driver_sql(compiled.text, [self._parameters(compiled, row) for row in rows])

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
