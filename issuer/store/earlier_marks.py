"""Marks of records of before schema 7, when numbers were compared without the signs between their parts.

    mark_anew(connection, secret=secret, on=today)        # the step of the upgrade
    bring_up(database, secret, identifiers, on=today)     # whenever somebody's numbers are known

What a record still says is marked anew by the upgrade. Of a personal identity number only a keyed digest was kept, of
the number as it was written: by that the record is found from then on, and when somebody brings the number, in a file
or by signing in, the record is marked as it would be today. So nothing is found by what could be another's number.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from issuer.derivation import IssuerSecret
from issuer.recognition import Feature, feature_of_identifier, features_of_learner, spellings, unmistakable
from issuer.store.tables import LEARNER_KEYS, RESULTS
from proofs import strict_json
from schemas.learning.achievement import Identifier, Record
from schemas.learning.statement import Statement, read_record
from schemas.types import CREDENTIAL_TYPES
from service.database import Database

_AT_ONCE = 500
_MARK = re.compile(r"[0-9a-f]{64}")


def statement_key(secret: IssuerSecret, record: Record, person: str) -> bytes | None:
    """What a later statement of the same about this person (one of `unmistakable`) is recognised by; None when the
    record is no statement, or of a type of which a person can have several."""
    form = CREDENTIAL_TYPES[record.type_name].form if isinstance(record, Statement) else None
    if form is None or not isinstance(record, Statement):
        return None
    said = strict_json.dumps([record.type_name, *(record.values.get(name) for name in form.told_apart_by)]).decode()
    return secret.learner_key(f"statement {said}", person)


def mark_anew(connection: Connection, *, secret: IssuerSecret, on: date) -> None:
    """Mark every record anew by what it says."""
    last = ""
    some = select(RESULTS.c.id, RESULTS.c.achievement).order_by(RESULTS.c.id).limit(_AT_ONCE)
    while rows := connection.execute(some.where(RESULTS.c.id > last)).all():
        for row in rows:
            connection.execute(delete(LEARNER_KEYS).where(LEARNER_KEYS.c.result_id == row.id))
            _insert(connection, row.id, _marks(secret, read_record(row.achievement), on=on))
        last = rows[-1].id


def _marks(secret: IssuerSecret, record: Record, *, on: date) -> Iterator[bytes]:
    for feature in features_of_learner(record.learner, on=on):
        yield secret.learner_key(*feature)
    for person in unmistakable(record.learner, on=on):
        key = statement_key(secret, record, person)
        if key is not None:
            yield key
    for one in record.learner.identifiers:
        if _MARK.fullmatch(one.value):
            yield bytes.fromhex(one.value)


def bring_up(database: Database, secret: IssuerSecret, identifiers: Iterable[Feature], *, on: date) -> None:
    """Mark the records of before that have one of these numbers as they would be marked today.

    Numbers are pairs of type and value, in the spelling in which it is compared.
    """
    of_mark = {
        secret.learner_key(kind, written): (kind, value)
        for kind, value in dict.fromkeys(identifiers)
        for written in spellings(value, on=on)
    }
    for start in range(0, len(of_mark), _AT_ONCE):
        marks = list(of_mark)[start : start + _AT_ONCE]
        of_before = (
            select(RESULTS.c.id, RESULTS.c.achievement, LEARNER_KEYS.c.digest)
            .join(LEARNER_KEYS, LEARNER_KEYS.c.result_id == RESULTS.c.id)
            .where(LEARNER_KEYS.c.digest.in_(marks))
        )
        with database.reading() as connection:
            is_there = connection.execute(of_before).first() is not None
        if is_there:
            with database.transaction() as connection:
                for row in connection.execute(of_before).all():
                    _bring_up_one(connection, secret, row, *of_mark[row.digest])


def _bring_up_one(
    connection: Connection, secret: IssuerSecret, row: Row[*tuple[Any, ...]], kind: str, value: str
) -> None:
    kept = connection.execute(select(RESULTS.c.achievement).where(RESULTS.c.id == row.id)).scalar_one()
    record = read_record(kept)
    now = Identifier(type=kind, value=secret.number_mark(kind, value))
    numbers = tuple(now if one.value == row.digest.hex() else one for one in record.learner.identifiers)
    marked = record.model_copy(update={"learner": record.learner.model_copy(update={"identifiers": numbers})})
    connection.execute(
        update(RESULTS).where(RESULTS.c.id == row.id).values(achievement=marked.model_dump_json().encode())
    )
    of_before = (LEARNER_KEYS.c.result_id == row.id, LEARNER_KEYS.c.digest == row.digest)
    connection.execute(delete(LEARNER_KEYS).where(*of_before))
    feature = feature_of_identifier(kind, value)
    stated = statement_key(secret, marked, "=".join(feature))
    _insert(connection, row.id, [secret.learner_key(*feature), *([stated] if stated else [])])


def _insert(connection: Connection, result_id: str, marks: Iterable[bytes]) -> None:
    rows: Sequence[dict[str, Any]] = [{"digest": mark, "result_id": result_id} for mark in dict.fromkeys(marks)]
    if rows:
        connection.execute(insert(LEARNER_KEYS).on_conflict_do_nothing(), rows)
