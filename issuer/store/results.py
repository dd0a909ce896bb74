"""Imported records at rest: a file is kept as a whole or not at all.

A large file is written in batches, so that no wallet waits for it, and nobody sees any of it before the last and small
transaction that says that the file is there: a record belongs to those that can be read when its import does. What a
run that was killed, or failed, leaves behind is erased by `sweep`.

A person is found again by keyed digests of what the record says of them. Personal identity numbers are kept as such
digests only, also inside the record. A statement takes the place of an earlier one that states the same of the same
person, so that nothing is made of what is no longer true.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Row, delete, func, insert, select, update

from issuer.bulk import Patiently
from issuer.derivation import IssuerSecret
from issuer.offers import new_id
from issuer.recognition import Feature, features_of_learner, identifiers_among, one_spelling, unmistakable
from issuer.store.earlier_marks import bring_up, statement_key
from issuer.store.events import record
from issuer.store.pending import take_pending
from issuer.store.tables import EVENTS, IMPORTS, LEARNER_KEYS, RESULTS
from proofs import strict_json
from schemas.errors import NotFound, TemporarilyUnavailable
from schemas.learning.achievement import Identifier, Learner, Record
from schemas.learning.personal_numbers import is_national_type, looks_like_personal_number
from schemas.learning.statement import read_record
from service.database import Database

T = TypeVar("T")

_KEYS_AT_ONCE = 500
RESULTS_AT_ONCE = 200
REST_SECONDS = 0.02
ABANDONED = timedelta(hours=1)
"""Records of a file that is not there after so long belong to a run that did not come to its end."""
_BEGUN = "import_begun"
NOWHERE = ""
"""Where records are put that others have replaced, until they are erased."""

_THERE = select(RESULTS).join(IMPORTS, IMPORTS.c.id == RESULTS.c.import_id)
"""Records of files that are there: nothing else is ever read."""


class NoSuchResult(NotFound):
    """There is no such import or result."""


class ImportAbandoned(TemporarilyUnavailable):
    """Keeping a file took so long that it was given up. Nothing was kept."""


def at_once(work: Callable[[], T]) -> T:
    """Without patience: what is busy is told as such."""
    return work()


def no_rest(seconds: float) -> None:
    """Nobody else is at work."""


@dataclass(frozen=True, slots=True)
class ImportDraft:
    """A file that was read without error; `file_sha256` is hexadecimal.

    `warnings` are notes as `schemas.learning.notes.stored_note` writes them: codes with values, never sentences.
    """

    file_name: str
    file_format: str
    file_sha256: str
    warnings: tuple[Mapping[str, Any], ...]
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Import:
    """One imported file."""

    id: str
    file_name: str
    file_format: str
    file_sha256: str
    imported_at: datetime
    warnings: tuple[Mapping[str, Any], ...]
    result_count: int


@dataclass(frozen=True, slots=True)
class Result:
    """One imported record, under our own identifier."""

    id: str
    import_id: str
    record: Record


class ResultStore:
    """The imported results of one issuer."""

    def __init__(self, database: Database, *, secret: IssuerSecret, day_of: Callable[[datetime], date]) -> None:
        self._database = database
        self._secret = secret
        self._day_of = day_of

    def save_import(
        self,
        draft: ImportDraft,
        *,
        now: datetime,
        pending_id: str | None = None,
        patiently: Patiently = at_once,
        rest: Callable[[float], None] = no_rest,
    ) -> Import:
        """Keep all records of a file, or none. `pending_id` names the waiting file that ends with it: once.

        Each batch is done `patiently`, and between two of them seconds pass by `rest` (`time.sleep`).

        Raises `NoSuchPendingFile` when that file is not there any more, and `ImportAbandoned` when it took so long that
        it was taken for one that nobody writes; then nothing is kept.
        """
        import_id, today = new_id(), self._day_of(now)
        rows: list[dict[str, Any]] = [
            {
                "id": new_id(),
                "import_id": import_id,
                "position": position,
                "achievement": self._at_rest(one, on=today).model_dump_json().encode(),
            }
            for position, one in enumerate(draft.records)
        ]
        stated = [self._statement_keys(one, on=today) for one in draft.records]
        keys: dict[str, list[dict[str, Any]]] = {
            row["id"]: [
                {"digest": key, "result_id": row["id"]}
                for key in (*self._learner_keys(one.learner, on=today), *statement_keys)
            ]
            for row, one, statement_keys in zip(rows, draft.records, stated, strict=True)
        }
        numbers = [
            (one.type, one_spelling(one.value, on=today))
            for record in draft.records
            for one in record.learner.identifiers
            if is_kept_as_mark(one)
        ]
        if numbers:
            patiently(partial(bring_up, self._database, self._secret, numbers, on=today))
        try:
            for start in range(0, len(rows), RESULTS_AT_ONCE):
                batch = rows[start : start + RESULTS_AT_ONCE]
                patiently(partial(self._write, import_id, batch, _keys_of(batch, keys), is_first=not start, now=now))
                rest(REST_SECONDS)
            statement_keys = [key for of_one in stated for key in of_one]
            while not patiently(
                partial(self._show, import_id, draft, len(rows), statement_keys, pending_id=pending_id, now=now)
            ):
                rest(REST_SECONDS)
        except BaseException:
            with suppress(TemporarilyUnavailable):
                self._erase(import_id, rest=rest)
            raise
        with suppress(TemporarilyUnavailable):  # What cannot be erased now is by the next sweep.
            self._erase(NOWHERE, rest=rest)
        return self.get_import(import_id)

    def _write(
        self,
        import_id: str,
        rows: Sequence[Mapping[str, Any]],
        keys: Sequence[Mapping[str, Any]],
        *,
        is_first: bool,
        now: datetime,
    ) -> None:
        """One batch of records of a file that is not there yet."""
        with self._database.transaction() as connection:
            if is_first:
                record(connection, _BEGUN, import_id, now=now)
            connection.execute(insert(RESULTS), list(rows))
            if keys:
                connection.execute(insert(LEARNER_KEYS), list(keys))

    def _show(
        self,
        import_id: str,
        draft: ImportDraft,
        count: int,
        statement_keys: Sequence[bytes],
        *,
        pending_id: str | None,
        now: datetime,
    ) -> bool:
        """The file is there from now on, in the place of the statements that it replaces.

        Which those are is looked up before anybody has to wait. False when another file came meanwhile: look again.
        """
        known, replaced = self._replaced(statement_keys)
        with self._database.transaction() as connection:
            if set(connection.execute(select(IMPORTS.c.id)).scalars()) != known:
                return False
            if pending_id is not None:
                take_pending(connection, pending_id)
            written = select(func.count()).select_from(RESULTS).where(RESULTS.c.import_id == import_id)
            if connection.execute(written).scalar_one() != count:
                raise ImportAbandoned
            connection.execute(
                insert(IMPORTS).values(
                    id=import_id,
                    file_name=draft.file_name,
                    file_format=draft.file_format,
                    file_sha256=draft.file_sha256,
                    imported_at=now,
                    warnings=strict_json.dumps(list(draft.warnings)),
                )
            )
            for ids in _in_parts(replaced):
                connection.execute(update(RESULTS).where(RESULTS.c.id.in_(ids)).values(import_id=NOWHERE))
            record(connection, "imported", import_id, now=now)
        return True

    def _replaced(self, statement_keys: Sequence[bytes]) -> tuple[set[str], list[str]]:
        """Which files are there, and which of their records have any of these keys."""
        found: list[str] = []
        with self._database.reading() as connection:
            known = set(connection.execute(select(IMPORTS.c.id)).scalars())
            for keys in _in_parts(statement_keys):
                ids = (
                    select(LEARNER_KEYS.c.result_id)
                    .join(RESULTS, RESULTS.c.id == LEARNER_KEYS.c.result_id)
                    .join(IMPORTS, IMPORTS.c.id == RESULTS.c.import_id)
                    .where(LEARNER_KEYS.c.digest.in_(keys))
                )
                found += connection.execute(ids).scalars()
        return known, list(dict.fromkeys(found))

    def _erase(self, import_id: str, *, rest: Callable[[float], None]) -> int:
        """Erase the records of something that is no file, a batch at a time; returns how many there were."""
        erased = 0
        some = select(RESULTS.c.id).where(RESULTS.c.import_id == import_id).limit(RESULTS_AT_ONCE)
        of_file = select(IMPORTS.c.id).where(IMPORTS.c.id == import_id)
        while True:
            with self._database.reading() as connection:
                if connection.execute(some).first() is None:
                    return erased
            with self._database.transaction() as connection:
                if connection.execute(of_file).first() is not None:
                    return erased  # It has become a file meanwhile.
                ids = connection.execute(some).scalars().all()
                connection.execute(delete(LEARNER_KEYS).where(LEARNER_KEYS.c.result_id.in_(ids)))
                connection.execute(delete(RESULTS).where(RESULTS.c.id.in_(ids)))
            erased += len(ids)
            rest(REST_SECONDS)

    def sweep(self, *, now: datetime, rest: Callable[[float], None]) -> int:
        """Erase the records of files that never came to be there, and those that were replaced; returns how many."""
        no_file = select(RESULTS.c.import_id).where(RESULTS.c.import_id.not_in(select(IMPORTS.c.id))).distinct()
        under_way = select(EVENTS.c.subject_id).where(EVENTS.c.kind == _BEGUN, EVENTS.c.at > now - ABANDONED)
        with self._database.reading() as connection:
            left = set(connection.execute(no_file).scalars()) - set(connection.execute(under_way).scalars())
        return sum(self._erase(import_id, rest=rest) for import_id in left)

    def _learner_keys(self, learner: Learner, *, on: date) -> list[bytes]:
        return [self._secret.learner_key(*feature) for feature in features_of_learner(learner, on=on)]

    def _statement_keys(self, record: Record, *, on: date) -> list[bytes]:
        """What a later statement of the same about the same person is recognised by: one key for each number of the
        person, or for birth date and name together. None where two people could have the same."""
        keys = (statement_key(self._secret, record, person) for person in unmistakable(record.learner, on=on))
        return [key for key in keys if key is not None]

    def _at_rest(self, record: Record, *, on: date) -> Record:
        """The record without personal identity numbers: a keyed digest stands for each, and tells people apart."""
        identifiers = tuple(
            one.model_copy(update={"value": self._secret.number_mark(one.type, one_spelling(one.value, on=on))})
            if is_kept_as_mark(one)
            else one
            for one in record.learner.identifiers
        )
        return record.model_copy(update={"learner": record.learner.model_copy(update={"identifiers": identifiers})})

    def get_import(self, import_id: str) -> Import:
        """One import. Raises `NoSuchResult`."""
        found = self._imports(select(IMPORTS).where(IMPORTS.c.id == import_id))
        if not found:
            raise NoSuchResult
        return found[0]

    def list_imports(self, *, limit: int = 100) -> list[Import]:
        """The latest imports, newest first."""
        return self._imports(select(IMPORTS).order_by(IMPORTS.c.imported_at.desc(), IMPORTS.c.id).limit(limit))

    def find_file(self, file_sha256: str) -> Import | None:
        """The latest import of exactly this file, if any."""
        statement = select(IMPORTS).where(IMPORTS.c.file_sha256 == file_sha256).order_by(IMPORTS.c.imported_at.desc())
        found = self._imports(statement.limit(1))
        return found[0] if found else None

    def _imports(self, statement: Any) -> list[Import]:
        counts = select(RESULTS.c.import_id, func.count()).group_by(RESULTS.c.import_id)
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
            wanted = [row.id for row in rows]
            counted = {row[0]: row[1] for row in connection.execute(counts.where(RESULTS.c.import_id.in_(wanted)))}
        return [
            Import(
                id=row.id,
                file_name=row.file_name,
                file_format=row.file_format,
                file_sha256=row.file_sha256,
                imported_at=row.imported_at,
                warnings=tuple(strict_json.loads(row.warnings)),
                result_count=counted.get(row.id, 0),
            )
            for row in rows
        ]

    def list_results(self, import_id: str | None = None, *, limit: int = 1000, offset: int = 0) -> list[Result]:
        """The results of one import in the order of the file, or the latest of all."""
        statement = _THERE
        if import_id is not None:
            statement = statement.where(RESULTS.c.import_id == import_id).order_by(RESULTS.c.position)
        else:
            statement = statement.order_by(IMPORTS.c.imported_at.desc(), RESULTS.c.position)
        with self._database.reading() as connection:
            return [_read_result(row) for row in connection.execute(statement.limit(limit).offset(offset))]

    def get_results(self, result_ids: Sequence[str]) -> list[Result]:
        """These results, in this order. Raises `NoSuchResult` when one is missing."""
        with self._database.reading() as connection:
            rows = connection.execute(_THERE.where(RESULTS.c.id.in_(list(result_ids)))).all()
        found = {row.id: _read_result(row) for row in rows}
        if any(result_id not in found for result_id in result_ids):
            raise NoSuchResult
        return [found[result_id] for result_id in result_ids]

    def of_learner(self, features: Sequence[Feature], *, on: date) -> list[Result]:
        """The results whose learner has all of these features on this day, newest import first; none for no feature."""
        bring_up(self._database, self._secret, identifiers_among(features), on=on)
        marks = list({self._secret.learner_key(*feature) for feature in features})
        if not marks:
            return []
        having_all = (
            select(LEARNER_KEYS.c.result_id)
            .where(LEARNER_KEYS.c.digest.in_(marks))
            .group_by(LEARNER_KEYS.c.result_id)
            .having(func.count() == len(marks))
        )
        statement = _THERE.where(RESULTS.c.id.in_(having_all)).order_by(
            IMPORTS.c.imported_at.desc(), RESULTS.c.position
        )
        with self._database.reading() as connection:
            return [_read_result(row) for row in connection.execute(statement)]

    def delete_import(self, import_id: str, *, rest: Callable[[float], None] = no_rest) -> None:
        """Erase an import and its results; offers made from them stay.

        It is gone at once, and its records batch by batch.
        """
        with self._database.transaction() as connection:
            if not connection.execute(delete(IMPORTS).where(IMPORTS.c.id == import_id)).rowcount:
                raise NoSuchResult
        self._erase(import_id, rest=rest)


def is_kept_as_mark(one: Identifier) -> bool:
    """Whether a record keeps a mark in place of this identifier: it is, or looks like, a personal identity number."""
    return is_national_type(one.type) or looks_like_personal_number(one.value)


def _keys_of(
    rows: Sequence[Mapping[str, Any]], keys: Mapping[str, Sequence[Mapping[str, Any]]]
) -> list[Mapping[str, Any]]:
    """The keys of these records."""
    return [key for row in rows for key in keys[row["id"]]]


def _in_parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """A statement takes only so many values."""
    for start in range(0, len(values), _KEYS_AT_ONCE):
        yield values[start : start + _KEYS_AT_ONCE]


def _read_result(row: Row[*tuple[Any, ...]]) -> Result:
    return Result(row.id, row.import_id, read_record(row.achievement))
