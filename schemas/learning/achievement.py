"""The canonical learning record: what one person achieved, who says so, and where each statement comes from.

A `Record` is what certificates are made of: something that somebody says of one person. There are two kinds of it. An
`Achievement` carries every standard element of the European micro-credential (Council Recommendation 2022/C 243/02,
Annex I: M1-M11 and O1-O5); what is no achievement is a `Statement` (`statement.py`). Every element is optional, because
real records are incomplete: `completeness.py` says what is missing, and the credential types refuse what they cannot do
without. Readers (`elmo.py`, the issuer's CSV and
JSON) make achievements; `schemas/types` turns them into claims.

`provenance` names for each filled field its source, so that nobody mistakes what the institution's profile added, or
what we derived, for what the record said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from schemas.learning.texts import Texts

MAX_CREDITS = Decimal(1000)
MAX_HOURS = Decimal(100_000)


class Source(StrEnum):
    """Where the value of a field comes from."""

    ELMO = "elmo"
    CSV = "csv"
    JSON = "json"
    PROFILE = "profile"
    SETTINGS = "settings"
    ADDRESS = "address"  # of the service: it stands in where nobody set a name
    DERIVED = "derived"


def _at_most_three_decimals(value: Decimal) -> Decimal:
    if value != round(value, 3):
        raise ValueError("more than three decimals")
    return Decimal(format(value.normalize(), "f"))


_Amount = AfterValidator(_at_most_three_decimals)
Credits = Annotated[Decimal, Field(ge=0, le=MAX_CREDITS, allow_inf_nan=False), _Amount]
Hours = Annotated[Decimal, Field(ge=0, le=MAX_HOURS, allow_inf_nan=False), _Amount]
Level = Annotated[int, Field(ge=1, le=8)]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
ShortText = Annotated[str, Field(min_length=1, max_length=500)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Identifier(_Part):
    """An identifier as the source gives it: `type` is the source's word (`studentIdentifier`, `erasmus`)."""

    type: ShortText
    value: ShortText


class Learner(_Part):
    """The person. A birth date is a calendar date, never a moment.

    `identifiers` are for telling persons apart within an import and stay in the issuer's records. Only `student_number`
    can become a claim; it is filled when the institution's profile says so, and never with a personal identity number.
    """

    family_name: ShortText | None = None
    given_name: ShortText | None = None
    birth_date: date | None = None
    identifiers: tuple[Identifier, ...] = ()
    student_number: ShortText | None = None

    @property
    def name(self) -> str:
        """Given and family name, as far as known."""
        return " ".join(part for part in (self.given_name, self.family_name) if part)


class AwardingBody(_Part):
    """Who awarded the achievement, under each of its names, and the country it belongs to (ISO 3166-1 alpha-2)."""

    names: Texts
    country: Country | None = None
    identifiers: tuple[Identifier, ...] = ()


class Grade(_Part):
    """A result label as written ("VG", "45.1") and what the scale is, when the source explains it."""

    label: ShortText
    scheme: Texts | None = None


@dataclass(frozen=True, slots=True)
class Brief:
    """What a list shows of a record beside its title; empty where the record has no such thing.

    `amounts` holds credits by the name of their claim, `day` is the day that the record is about.
    """

    grade: str = ""
    amounts: Mapping[str, Decimal | None] = field(default_factory=dict)
    day: date | None = None


class Record(_Part):
    """Something that somebody says of one person: what both kinds of records have."""

    # What describes the record itself and so needs no source.
    _without_source: ClassVar[frozenset[str]] = frozenset({"id", "provenance", "original_sha256"})

    id: ShortText  # stable within one import; what `--course` and the pages choose by
    learner: Learner  # M1
    title: Texts | None = None  # M2
    code: ShortText | None = None
    awarding_body: AwardingBody | None = None  # M3 (its country), M4
    awarding_country: Country | None = None  # M3, as a record states it that does not name the body
    provenance: dict[str, Source] = Field(default_factory=dict)
    original_sha256: str | None = None  # hexadecimal, of the exact bytes that were read

    @model_validator(mode="after")
    def _every_value_has_a_source(self) -> Self:
        for name, value in self._sourced().items():
            if (value not in (None, ())) != (name in self.provenance):
                raise ValueError(f"{name}: a value and its source come together")
        return self

    def _sourced(self) -> dict[str, Any]:
        """What needs a source, by its name in `provenance`."""
        names = (name for name in type(self).model_fields if name not in self._without_source)
        return {name: getattr(self, name) for name in names}

    def with_values(self, source: Source, **values: Any) -> Self:
        """A copy in which these fields have these values, from that source. Empty values are ignored."""
        filled = {name: value for name, value in values.items() if value not in (None, (), {}, "")}
        merged = {name: getattr(self, name) for name in type(self).model_fields} | filled
        merged["provenance"] = self.provenance | dict.fromkeys(filled, source)
        return type(self).model_validate(merged)

    def filled_up(self, source: Source, **values: Any) -> Self:
        """A copy in which those of the fields that were empty have these values: what is there is never replaced."""
        return self.with_values(source, **{k: v for k, v in values.items() if getattr(self, k) in (None, ())})

    def may_become(self, type_name: str) -> bool:
        """Whether a certificate of this type may be made of it, as far as the record itself says."""
        return True

    def dated(self, on: date) -> Self:
        """The record as it stands on that day; most stand as they were written."""
        return self

    @property
    def brief(self) -> Brief:
        """What a list shows of it."""
        return Brief()


class Achievement(Record):
    """One result of one person. See the module for what the fields mean together; units are in the comments."""

    _without_source: ClassVar[frozenset[str]] = Record._without_source | {"counted_in"}

    kind: ShortText | None = None  # the source's word: Course, Module, Degree Programme, Class
    issued_on: date | None = None  # M5, the day the awarding body set the result or wrote the record
    completed_on: date | None = None
    outcomes: tuple[Texts, ...] = ()  # M6
    ects_credits: Credits | None = None  # M7, ECTS credits
    swedish_credits: Credits | None = None  # M7, högskolepoäng
    workload_hours: Hours | None = None  # M7, hours of study in all
    eqf_level: Level | None = None  # M8
    seqf_level: Level | None = None  # M8, the Swedish framework
    assessment_type: Texts | None = None  # M9
    participation_form: Texts | None = None  # M10
    quality_assurance: tuple[Texts, ...] = ()  # M11
    prerequisites: tuple[Texts, ...] = ()  # O1
    supervision: Texts | None = None  # O2, supervision and identity verification during assessment
    grade: Grade | None = None  # O3
    stackable: bool | None = None  # O4, can be built upon or combined
    part_of: Texts | None = None  # O4, the larger unit that holds this one
    counted_in: str | None = None  # id of the larger unit whose credits already contain this one's
    description: Texts | None = None  # O5
    further_information: ShortText | None = None  # O5, an https address
    languages: tuple[str, ...] = ()  # O5, languages of instruction

    @property
    def brief(self) -> Brief:
        """Credits of both kinds, the grade, and the day of issue."""
        amounts = {"credits": self.ects_credits, "swedish_credits": self.swedish_credits}
        return Brief(self.grade.label if self.grade else "", amounts, self.issued_on)
