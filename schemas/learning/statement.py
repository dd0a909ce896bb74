"""The other kind of record: what an authority or an employer says of a person, that is no achievement.

A `Statement` is made for one credential type and holds the values of its claims: that somebody is registered as a job
seeker, belongs to a target group, was employed, has a grade in a course. Which values there are and what they look like
is the type's business (`schemas/types/statement_form.py`); readers check them before they make a statement.

`as_of` is the day on which it was true. A statement that `is_live` has none: whoever keeps it promises to replace it as
soon as it changes, and what is made of it says the day on which it is made (`dated`).

No personal identity number can stand in a value, whatever a file holds: such a statement does not exist. The learner's
`identifiers` may hold one, for recognising who signs in; no credential type has a claim for those.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, ClassVar, Self

from pydantic import Discriminator, Field, Tag, TypeAdapter, model_validator

from schemas.learning.achievement import Achievement, Brief, Record, ShortText, Source
from schemas.learning.personal_numbers import holds_personal_number

Value = bool | int | float | str | dict[str, str] | list[dict[str, str]] | list[str]
"""A claim's value as JSON has it: texts are language maps, days are written `2026-11-20`."""


class Statement(Record):
    """What somebody says of one person, for one credential type. `values` are by the name of the claim."""

    _without_source: ClassVar[frozenset[str]] = Record._without_source | {"type_name", "values", "is_live"}

    type_name: ShortText
    values: dict[str, Value] = Field(default_factory=dict)
    as_of: date | None = None
    is_live: bool = False

    @model_validator(mode="after")
    def _holds_no_personal_number(self) -> Self:
        said = (self.title, self.awarding_body.names if self.awarding_body else None, *self.values.values())
        texts = [text for value in said for text in texts_in(value)]
        if any(holds_personal_number(text) for text in texts):
            raise ValueError("a value holds a personal identity number")
        return self

    def _sourced(self) -> dict[str, Any]:
        return super()._sourced() | self.values

    def may_become(self, type_name: str) -> bool:
        """Only what it was made for."""
        return type_name == self.type_name

    def dated(self, on: date) -> Self:
        """A live statement, as of that day."""
        return self.with_values(Source.DERIVED, as_of=on) if self.is_live and self.as_of is None else self

    @property
    def brief(self) -> Brief:
        """The grade, where it is one, and the day on which it was true."""
        grade = self.values.get("assessment_grade")
        return Brief(grade if isinstance(grade, str) else "", {}, self.as_of)


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts_in(one)


def _kind(value: Any) -> str:
    is_statement = "type_name" in value if isinstance(value, dict) else isinstance(value, Statement)
    return "statement" if is_statement else "achievement"


_RECORDS: TypeAdapter[Achievement | Statement] = TypeAdapter(
    Annotated[
        Annotated[Achievement, Tag("achievement")] | Annotated[Statement, Tag("statement")],
        Discriminator(_kind),
    ]
)


def read_record(data: bytes) -> Record:
    """The record that `model_dump_json` wrote. Raises `pydantic.ValidationError`."""
    return _RECORDS.validate_json(data)
