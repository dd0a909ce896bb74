"""Imported records at rest: a file is kept as a whole or not at all.

A person is found again by keyed digests of what the record says of them. Personal identity numbers are kept as such
digests only, also inside the record. A statement takes the place of an earlier one that states the same of the same
person, so that nothing is made of what is no longer true.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from issuer.derivation import IssuerSecret
from issuer.offers import new_id
from issuer.recognition import Feature, features_of_learner, unmistakable
from issuer.store.events import record
from issuer.store.pending import take_pending
from issuer.store.tables import IMPORTS, LEARNER_KEYS, RESULTS
from proofs import strict_json
from schemas.errors import NotFound
from schemas.learning.achievement import Learner, Record
from schemas.learning.personal_numbers import is_national_type, looks_like_personal_number
from schemas.learning.statement import Statement, read_record
from schemas.types import CREDENTIAL_TYPES
from service.database import Database

_KEYS_AT_ONCE = 500


class NoSuchResult(NotFound):
    """There is no such import or result."""


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

    def __init__(self, database: Database, *, secret: IssuerSecret) -> None:
        self._database = database
        self._secret = secret

    def save_import(self, draft: ImportDraft, *, now: datetime, pending_id: str | None = None) -> Import:
        """Keep all records of a file, or none. `pending_id` names the waiting file that ends with it: once.

        Raises `NoSuchPendingFile` when that file is not there any more; then nothing is kept.
        """
        import_id = new_id()
        rows = [
            {
                "id": new_id(),
                "import_id": import_id,
                "position": position,
                "achievement": self._at_rest(one).model_dump_json().encode(),
            }
            for position, one in enumerate(draft.records)
        ]
        stated = [self._statement_keys(one) for one in draft.records]
        keys = [
            {"digest": key, "result_id": row["id"]}
            for row, one, statement_keys in zip(rows, draft.records, stated, strict=True)
            for key in (*self._learner_keys(one.learner), *statement_keys)
        ]
        with self._database.transaction() as connection:
            if pending_id is not None:
                take_pending(connection, pending_id)
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
            self._replace(connection, [key for statement_keys in stated for key in statement_keys])
            if rows:
                connection.execute(insert(RESULTS), rows)
            if keys:
                connection.execute(insert(LEARNER_KEYS), keys)
            record(connection, "imported", import_id, now=now)
        return self.get_import(import_id)

    def _learner_keys(self, learner: Learner) -> list[bytes]:
        return [self._secret.learner_key(*feature) for feature in features_of_learner(learner)]

    def _statement_keys(self, record: Record) -> list[bytes]:
        """What a later statement of the same about the same person is recognised by: one key for each number of the
        person, or for birth date and name together. None where two people could have the same."""
        form = CREDENTIAL_TYPES[record.type_name].form if isinstance(record, Statement) else None
        if form is None or not isinstance(record, Statement):
            return []
        said = strict_json.dumps([record.type_name, *(record.values.get(name) for name in form.told_apart_by)]).decode()
        return [self._secret.learner_key(f"statement {said}", person) for person in unmistakable(record.learner)]

    def _at_rest(self, record: Record) -> Record:
        """The record without personal identity numbers: a keyed digest stands for each, and tells people apart."""
        identifiers = tuple(
            one.model_copy(update={"value": self._secret.learner_key(one.type, one.value).hex()})
            if is_national_type(one.type) or looks_like_personal_number(one.value)
            else one
            for one in record.learner.identifiers
        )
        return record.model_copy(update={"learner": record.learner.model_copy(update={"identifiers": identifiers})})

    def _replace(self, connection: Connection, statement_keys: Sequence[bytes]) -> None:
        """Erase earlier statements with any of these keys."""
        for start in range(0, len(statement_keys), _KEYS_AT_ONCE):
            wanted = LEARNER_KEYS.c.digest.in_(statement_keys[start : start + _KEYS_AT_ONCE])
            ids = connection.execute(select(LEARNER_KEYS.c.result_id).where(wanted)).scalars().all()
            connection.execute(delete(LEARNER_KEYS).where(LEARNER_KEYS.c.result_id.in_(ids)))
            connection.execute(delete(RESULTS).where(RESULTS.c.id.in_(ids)))

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
        statement = select(RESULTS)
        if import_id is not None:
            statement = statement.where(RESULTS.c.import_id == import_id).order_by(RESULTS.c.position)
        else:
            joined = statement.join(IMPORTS, IMPORTS.c.id == RESULTS.c.import_id)
            statement = joined.order_by(IMPORTS.c.imported_at.desc(), RESULTS.c.position)
        with self._database.reading() as connection:
            return [_read_result(row) for row in connection.execute(statement.limit(limit).offset(offset))]

    def get_results(self, result_ids: Sequence[str]) -> list[Result]:
        """These results, in this order. Raises `NoSuchResult` when one is missing."""
        with self._database.reading() as connection:
            rows = connection.execute(select(RESULTS).where(RESULTS.c.id.in_(list(result_ids)))).all()
        found = {row.id: _read_result(row) for row in rows}
        if any(result_id not in found for result_id in result_ids):
            raise NoSuchResult
        return [found[result_id] for result_id in result_ids]

    def of_learner(self, features: Sequence[Feature]) -> list[Result]:
        """The results whose learner has all of these features, newest import first; none for no feature."""
        marks = list({self._secret.learner_key(*feature) for feature in features})
        if not marks:
            return []
        having_all = (
            select(LEARNER_KEYS.c.result_id)
            .where(LEARNER_KEYS.c.digest.in_(marks))
            .group_by(LEARNER_KEYS.c.result_id)
            .having(func.count() == len(marks))
        )
        statement = (
            select(RESULTS)
            .join(IMPORTS, IMPORTS.c.id == RESULTS.c.import_id)
            .where(RESULTS.c.id.in_(having_all))
            .order_by(IMPORTS.c.imported_at.desc(), RESULTS.c.position)
        )
        with self._database.reading() as connection:
            return [_read_result(row) for row in connection.execute(statement)]

    def delete_import(self, import_id: str) -> None:
        """Erase an import and its results; offers made from them stay."""
        with self._database.transaction() as connection:
            of_import = select(RESULTS.c.id).where(RESULTS.c.import_id == import_id)
            connection.execute(delete(LEARNER_KEYS).where(LEARNER_KEYS.c.result_id.in_(of_import)))
            connection.execute(delete(RESULTS).where(RESULTS.c.import_id == import_id))
            if not connection.execute(delete(IMPORTS).where(IMPORTS.c.id == import_id)).rowcount:
                raise NoSuchResult


def _read_result(row: Row[*tuple[Any, ...]]) -> Result:
    return Result(row.id, row.import_id, read_record(row.achievement))
