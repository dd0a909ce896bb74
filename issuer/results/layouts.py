"""The two kinds of tables: study results, and statements. Which one a file is, its header or its members tell.

One table of each serves CSV and JSON: which columns or members there are, and what a row becomes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from issuer.results.columns import BY_NAME, JSON_MEMBERS, LEARNER_FIELDS, REQUIRED_FIELDS, Column
from issuer.results.rows import Row
from issuer.results.statement_columns import (
    STATEMENT_BY_NAME,
    STATEMENT_LEARNER_FIELDS,
    STATEMENT_MEMBERS,
    TYPE_COLUMN,
)
from issuer.results.statement_rows import StatementRow


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of table.

    `by_name` finds a column by each of its names, `members` those of JSON; `learner_fields` are the ones that stand in
    `learner` there, and `shared` those that can stand above all entries. A CSV file without the columns of `required`
    cannot be read; one that has a column of `marks` is of this kind.
    """

    list_name: str
    by_name: Mapping[str, Column]
    members: Mapping[str, Column]
    learner_fields: tuple[str, ...]
    required: tuple[str, ...]
    row: type[Row]
    shared: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()


RESULTS = Layout("results", BY_NAME, JSON_MEMBERS, LEARNER_FIELDS, REQUIRED_FIELDS, Row)
STATEMENTS = Layout(
    "statements",
    STATEMENT_BY_NAME,
    STATEMENT_MEMBERS,
    STATEMENT_LEARNER_FIELDS,
    (),
    StatementRow,
    shared=(TYPE_COLUMN.field, "as_of", "live", "protected"),
    marks=(TYPE_COLUMN.name, *TYPE_COLUMN.also),
)
LAYOUTS = (RESULTS, STATEMENTS)
