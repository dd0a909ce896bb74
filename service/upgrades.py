"""From an earlier schema of a service's database to the present one, all in one transaction.

    UPGRADES = (Upgrade(version=1, identity="9a3c...", statements=("ALTER TABLE ledger ADD COLUMN content BLOB",)),)
    database = Database(path, metadata, version=2, upgrades=UPGRADES)

A step names the version that it starts from and the fingerprint that a database of that version has, so that it never
runs on another one. Tables that are new are made by themselves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, text


class UnknownSchema(Exception):
    """The database holds a schema that this version of the service does not know."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """The step from one version of a schema to the next one.

    `identity` is the fingerprint of the version that it starts from (`schema_identity`), `statements` are SQL.
    `work` is done after them, where SQL alone cannot say what becomes of the rows.
    """

    version: int
    identity: str
    statements: tuple[str, ...] = ()
    work: Callable[[Connection], None] | None = None


def upgraded(connection: Connection, there: Row[Any], upgrades: Sequence[Upgrade], *, version: int) -> bool:
    """Run the steps from the schema that is there to `version`; False, with nothing done, when there is no way."""
    steps = [step for step in upgrades if there.version <= step.version < version]
    if not steps or [step.version for step in steps] != list(range(there.version, version)):
        return False
    if steps[0].identity != there.identity:
        return False
    for step in steps:
        for statement in step.statements:
            connection.execute(text(statement))
        if step.work is not None:
            step.work(connection)
    return True
