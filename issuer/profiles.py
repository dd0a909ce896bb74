"""The institution profile: what records of results never carry, and an institution knows once for all.

A TOML or JSON file (`docs/institution-profile.md`) names the institution and gives values for the elements that ELMO
and most exports lack: learning outcomes (M6), type of assessment (M9), form of participation (M10) and quality
assurance (M11), and where wanted levels, prerequisites, supervision and stackability. `[courses.CODE]` overrides the
defaults for one course. What a record says itself is never replaced, what was filled in is marked as from the profile,
and the defaults are about this institution: a course that another body awarded does not get them.

    profile = load_profile(Path("profile.toml"))
    completed = profile.complete(achievement)
"""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from proofs import strict_json
from schemas.errors import Malformed
from schemas.learning.achievement import (
    MAX_HOURS,
    Achievement,
    AwardingBody,
    Country,
    Credits,
    Hours,
    Identifier,
    Learner,
    Level,
    Record,
    ShortText,
    Source,
)
from schemas.learning.completeness import COUNTRY_FIELD
from schemas.learning.personal_numbers import is_national_type, looks_like_personal_number
from schemas.learning.texts import Texts

R = TypeVar("R", bound=Record)

MAX_PROFILE_BYTES = 1_000_000
_SAID_TWICE = (("ects_credits", "swedish_credits"), ("eqf_level", "seqf_level"))
_SWEDEN = "SE"  # 60 credits are one year both in ECTS and in högskolepoäng; SeQF and EQF levels have the same numbers


class InvalidProfile(Malformed):
    """The institution profile cannot be read; the message names the member and the fault."""

    error = "invalid_profile"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ElementValues(_Part):
    """Values for elements of an achievement, all optional; texts per language (`{ sv = "...", en = "..." }`)."""

    outcomes: tuple[Texts, ...] = ()  # M6
    eqf_level: Level | None = None  # M8
    seqf_level: Level | None = None  # M8
    assessment_type: Texts | None = None  # M9
    participation_form: Texts | None = None  # M10
    quality_assurance: tuple[Texts, ...] = ()  # M11
    prerequisites: tuple[Texts, ...] = ()  # O1
    supervision: Texts | None = None  # O2
    stackable: bool | None = None  # O4
    description: Texts | None = None  # O5
    further_information: ShortText | None = None  # O5
    languages: tuple[str, ...] = ()  # O5

    def filled(self) -> dict[str, Any]:
        """The values that are there, by field of `Achievement`."""
        return {name: value for name in type(self).model_fields if (value := getattr(self, name)) not in (None, ())}


class CourseValues(ElementValues):
    """What is known of one course: besides the elements, its titles and its extent where the record has none."""

    title: Texts | None = None  # M2
    ects_credits: Credits | None = None  # M7
    swedish_credits: Credits | None = None  # M7
    workload_hours: Hours | None = None  # M7


class Institution(_Part):
    """The institution itself.

    `hours_per_credit` derives the workload from ECTS credits (M7). `student_number_from` names the type of identifier
    that may go into certificates as student number; personal identity numbers are never accepted there.
    """

    names: Texts
    country: Country
    url: ShortText | None = None
    hours_per_credit: Decimal | None = Field(default=None, gt=0, le=100)
    student_number_from: ShortText | None = None


class OtherBody(_Part):
    """What is known of another awarding body whose records turn up here: the country that they leave out (M3)."""

    country: Country


class InstitutionProfile(_Part):
    """What an institution adds to the records it issues from. See the module."""

    institution: Institution
    awarding_bodies: dict[str, OtherBody] = Field(default_factory=dict)
    defaults: ElementValues = ElementValues()
    courses: dict[str, CourseValues] = Field(default_factory=dict)

    def complete(self, achievement: Achievement) -> Achievement:
        """The achievement with what this profile knows, then with what can be derived; nothing stated is replaced."""
        filled = self.with_body(achievement.model_copy(update={"learner": self._learner(achievement.learner)}))
        course = self._course(achievement)
        if course is not None:
            filled = _filled_up(filled, course)
        if self.is_own(filled):
            filled = _filled_up(filled, self.defaults)
        return self._derived(filled)

    def with_body(self, record: R) -> R:
        """The record with who awarded it, or says so, and the country; what it states itself is never replaced."""
        if record.awarding_body is None:
            return self._with_awarding_body(record)
        if record.awarding_body.country is None:
            return self._with_country(record, record.awarding_body)
        return record

    def _course(self, achievement: Achievement) -> CourseValues | None:
        """What is known of the course: by its code, or by one of its titles when the record gives it none."""
        if achievement.code is not None:
            return self.courses.get(achievement.code)
        titles = (achievement.title or {}).values()
        return next((self.courses[title] for title in titles if title in self.courses), None)

    def is_own(self, record: Record) -> bool:
        """Whether the record comes from this institution, as far as name and country can tell."""
        body = record.awarding_body
        if body is None:
            return self._may_be_in(record.awarding_country)
        ours = {name.casefold() for name in self.institution.names.values()}
        return self._may_be_in(body.country) and any(name.casefold() in ours for name in body.names.values())

    @property
    def note_on_others(self) -> str:
        """The code of the note on a record of another awarding body (`schemas.learning.notes`)."""
        return "other_body"

    @property
    def _names_from(self) -> Source:
        return Source.PROFILE

    @property
    def _country_from(self) -> Source:
        return Source.PROFILE

    def _may_be_in(self, country: str | None) -> bool:
        return country in (None, self.institution.country)

    def _with_awarding_body(self, record: R) -> R:
        """With this institution where the record names nobody, unless the record's country says that it was another."""
        if not self.is_own(record):
            return record
        stated = record.awarding_country
        body = AwardingBody(names=self.institution.names, country=stated or self.institution.country)
        source = record.provenance["awarding_country"] if stated else self._country_from
        return _with_country_from(source, record.with_values(self._names_from, awarding_body=body))

    def _with_country(self, record: R, named: AwardingBody) -> R:
        is_own = self.is_own(record)
        country = self.institution.country if is_own else self._country_of(named)
        if country is None:
            return record
        body = named.model_copy(update={"country": country})
        source = self._country_from if is_own else Source.PROFILE
        return _with_country_from(source, record.model_copy(update={"awarding_body": body}))

    def _country_of(self, body: AwardingBody) -> str | None:
        """The country of another awarding body, when the profile knows it."""
        names = {name.casefold() for name in body.names.values()}
        known = (values.country for name, values in self.awarding_bodies.items() if name.casefold() in names)
        return next(known, None)

    def _learner(self, learner: Learner) -> Learner:
        wanted = self.institution.student_number_from
        number = next((i.value for i in learner.identifiers if wanted and i.type.lower() == wanted.lower()), None)
        allowed = number is not None and not looks_like_personal_number(number)
        return learner.model_copy(update={"student_number": number if allowed else None})

    def _derived(self, achievement: Achievement) -> Achievement:
        derived: dict[str, Any] = {}
        body = achievement.awarding_body
        if body is not None and body.country == _SWEDEN:
            derived["swedish_credits"] = achievement.ects_credits
            derived["ects_credits"] = achievement.swedish_credits
            derived["seqf_level"] = achievement.eqf_level
            derived["eqf_level"] = achievement.seqf_level
        ects = achievement.ects_credits if achievement.ects_credits is not None else derived.get("ects_credits")
        if self.institution.hours_per_credit is not None and ects and self.is_own(achievement):
            derived["workload_hours"] = min(round(ects * self.institution.hours_per_credit), MAX_HOURS)
        return achievement.filled_up(Source.DERIVED, **derived)


class _PlainProfile(InstitutionProfile):
    """What the settings say of the institution, for an issuer without a profile file. See `plain_profile`."""

    names_from: Source
    country_is_said: bool

    @property
    def note_on_others(self) -> str:
        """There are no defaults that could not be used; and without a name, nothing says what is another body."""
        return "own_body_not_set" if self.names_from is Source.ADDRESS else "other_body_than_set"

    @property
    def _names_from(self) -> Source:
        return self.names_from

    @property
    def _country_from(self) -> Source:
        return Source.SETTINGS

    def _may_be_in(self, country: str | None) -> bool:
        return not self.country_is_said or super()._may_be_in(country)


def _with_country_from(source: Source, record: R) -> R:
    """The record, with the source of its body's country, which may be another than that of the name."""
    return record.model_copy(update={"provenance": record.provenance | {COUNTRY_FIELD: source}})


def _filled_up(achievement: Achievement, known: ElementValues) -> Achievement:
    """The achievement with what is known; a pair of fields that say one thing twice is filled only when both are empty.

    Otherwise a record with EQF level 7 and a profile with SeQF level 6 would make a certificate that says both.
    """
    values = known.filled()
    for pair in _SAID_TWICE:
        if any(getattr(achievement, name) is not None for name in pair):
            values = {name: value for name, value in values.items() if name not in pair}
    return achievement.filled_up(Source.PROFILE, **values)


def parse_profile(data: bytes) -> InstitutionProfile:
    """Read a profile from TOML, or from JSON when it begins with a brace. Raises `InvalidProfile`."""
    if len(data) > MAX_PROFILE_BYTES:
        raise InvalidProfile("The profile is larger than 1 MB.")
    try:
        if data.lstrip().startswith(b"{"):
            value = strict_json.loads_object(data)
        else:
            value = tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, Malformed, RecursionError) as exc:
        raise InvalidProfile(f"The profile is neither TOML nor JSON: {exc}") from exc
    try:
        profile = InstitutionProfile.model_validate(value)
    except ValidationError as exc:
        faults = "; ".join(
            ".".join(str(part) for part in error["loc"]) + ": " + error["msg"] for error in exc.errors()[:10]
        )
        raise InvalidProfile(f"The profile has faults: {faults}") from exc
    if is_national_type(profile.institution.student_number_from or ""):
        raise InvalidProfile("institution.student_number_from: a personal identity number cannot be a student number.")
    return profile


def load_profile(path: Path) -> InstitutionProfile:
    """Read a profile file. Raises `InvalidProfile`, naming the file."""
    try:
        return parse_profile(path.read_bytes())
    except OSError as exc:
        raise InvalidProfile(f"The profile {path.name} cannot be read: {exc.strerror}") from exc


def plain_profile(
    names: dict[str, str], country: str, *, names_from: Source = Source.SETTINGS, country_is_said: bool = True
) -> InstitutionProfile:
    """A profile that only names the institution, for an issuer without a profile file.

    `names_from` is the settings, or the address of the service where nobody set a name. `country_is_said` is false for
    a country that is merely the default: then the institution stands in for unnamed bodies of every country.
    """
    institution = Institution(names=names, country=country)
    return _PlainProfile(institution=institution, names_from=names_from, country_is_said=country_is_said)


__all__ = [
    "CourseValues",
    "ElementValues",
    "Identifier",
    "Institution",
    "InstitutionProfile",
    "InvalidProfile",
    "load_profile",
    "looks_like_personal_number",
    "parse_profile",
    "plain_profile",
]
