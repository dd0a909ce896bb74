"""The standard elements of a European micro-credential, and which of them an achievement has, from where.

A type that is not about achievements has elements of its own (`schemas/types/statement_form.py`), told in the same way.

Source: Council Recommendation 2022/C 243/02, Annex I: M1-M11 mandatory, O1-O5 optional.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.learning.achievement import Achievement, Record, Source

COUNTRY_FIELD = "awarding_body.country"
"""The provenance of an awarding body's country, when it has another source than its name."""


@dataclass(frozen=True, slots=True)
class Element:
    """One standard element: its code, its name in Swedish and English, and the fields that can carry it.

    `supply` says in both languages what to do when it is missing.
    """

    code: str
    name: dict[str, str]
    fields: tuple[str, ...]
    is_present: Callable[[Any], bool]  # takes a record of the kind that has the element
    supply: dict[str, str]

    @property
    def mandatory(self) -> bool:
        """Whether the Recommendation calls the element mandatory (for the whole standard, not for our types)."""
        return self.code.startswith("M")


def _any_of(*fields: str) -> Callable[[Achievement], bool]:
    return lambda achievement: any(getattr(achievement, field) not in (None, ()) for field in fields)


def _learner_named(achievement: Achievement) -> bool:
    # A name is what every record has and every type needs; birth date and student number add to it when they are
    # known, and the certificate is bound to the person's own key. Whoever has one name has it as family name.
    return achievement.learner.family_name is not None


def _country_known(record: Record) -> bool:
    body = record.awarding_body
    return record.awarding_country is not None or (body is not None and body.country is not None)


_IN_FILE = {"sv": "Ange det i filen.", "en": "State it in the file."}


def _in_profile(*members: str) -> dict[str, str]:
    """What to do about an element that file or profile can state; `members` are those of the profile."""
    *most, last = members
    sv, en = (", ".join(most) + word + last if most else last for word in (" eller ", " or "))
    return {
        "sv": f"Ange det i filen eller i lärosätets profil ({sv}).",
        "en": f"State it in the file, or in the institution's profile ({en}).",
    }


def _by_fields(code: str, sv: str, en: str, supply: dict[str, str], *fields: str) -> Element:
    return Element(code, {"sv": sv, "en": en}, fields, _any_of(*fields), supply)


ELEMENTS: tuple[Element, ...] = (
    Element(
        "M1",
        {"sv": "Vem som lärt sig", "en": "Identification of the learner"},
        ("learner",),
        _learner_named,
        {"sv": "Ange efternamnet i filen.", "en": "State the family name in the file."},
    ),
    _by_fields("M2", "Titel", "Title", _in_profile("courses.CODE.title"), "title"),
    Element(
        "M3",
        {"sv": "Utfärdarens land", "en": "Country of the awarding body"},
        (COUNTRY_FIELD, "awarding_country"),
        _country_known,
        {
            "sv": "Ange landet i filen eller i lärosätets profil (institution.country eller, för andra utfärdare,"
            " awarding_bodies.NAMN.country).",
            "en": "State the country in the file, or in the institution's profile (institution.country or, for other"
            " bodies, awarding_bodies.NAME.country).",
        },
    ),
    _by_fields(
        "M4",
        "Utfärdande lärosäte",
        "Awarding body",
        {
            "sv": "Ange det i filen. Lärosätet i profilen (institution.names) träder in bara där filen inte anger ett"
            " annat land.",
            "en": "State it in the file. The institution of the profile (institution.names) stands in only where the"
            " file states no other country.",
        },
        "awarding_body",
    ),
    _by_fields("M5", "Datum för utfärdandet", "Date of issuing", _IN_FILE, "issued_on"),
    _by_fields("M6", "Lärandemål", "Learning outcomes", _in_profile("outcomes"), "outcomes"),
    _by_fields(
        "M7",
        "Omfattning",
        "Notional workload",
        _in_profile("courses.CODE.ects_credits", "swedish_credits", "workload_hours"),
        "ects_credits",
        "swedish_credits",
        "workload_hours",
    ),
    _by_fields(
        "M8", "Nivå (EQF, SeQF)", "Level (EQF, SeQF)", _in_profile("eqf_level", "seqf_level"), "eqf_level", "seqf_level"
    ),
    _by_fields("M9", "Examinationsform", "Type of assessment", _in_profile("assessment_type"), "assessment_type"),
    _by_fields(
        "M10", "Deltagandeform", "Form of participation", _in_profile("participation_form"), "participation_form"
    ),
    _by_fields(
        "M11", "Kvalitetssäkring", "Type of quality assurance", _in_profile("quality_assurance"), "quality_assurance"
    ),
    _by_fields("O1", "Förkunskapskrav", "Prerequisites to enrol", _in_profile("prerequisites"), "prerequisites"),
    _by_fields(
        "O2",
        "Övervakning och legitimering",
        "Supervision and identity verification",
        _in_profile("supervision"),
        "supervision",
    ),
    _by_fields("O3", "Betyg", "Grade", _IN_FILE, "grade"),
    _by_fields(
        "O4",
        "Möjlighet att bygga vidare",
        "Integration and stackability",
        _in_profile("stackable"),
        "stackable",
        "part_of",
    ),
    _by_fields(
        "O5",
        "Ytterligare information",
        "Further information",
        _in_profile("description", "further_information", "languages"),
        "description",
        "further_information",
        "languages",
    ),
)


ELEMENTS_BY_CODE = {element.code: element for element in ELEMENTS}


@dataclass(frozen=True, slots=True)
class ElementState:
    """One line of a completeness report. `sources` is empty when the element is missing.

    `demanded` says whether the chosen credential type cannot be issued without the element.
    """

    element: Element
    present: bool
    demanded: bool
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Completeness:
    """Which elements a record has, where they come from, and which are missing."""

    states: tuple[ElementState, ...]

    @property
    def missing_demanded(self) -> tuple[str, ...]:
        """Codes of the elements without which the type cannot be issued."""
        return tuple(s.element.code for s in self.states if s.demanded and not s.present)

    @property
    def missing(self) -> tuple[str, ...]:
        """Codes of all missing elements, mandatory by the Recommendation or not."""
        return tuple(s.element.code for s in self.states if not s.present)

    @property
    def present_count(self) -> int:
        """How many of the elements are there."""
        return sum(s.present for s in self.states)


def completeness(record: Record, *, demanded: Collection[str], elements: Sequence[Element] = ELEMENTS) -> Completeness:
    """The completeness report of one record for a type that demands the elements with these codes."""
    return Completeness(tuple(_state(element, record, demanded) for element in elements))


def _state(element: Element, record: Record, demanded: Collection[str]) -> ElementState:
    present = element.is_present(record)
    known = record.provenance
    found = [known.get(field, known.get(field.partition(".")[0])) for field in element.fields] if present else []
    sources = tuple(dict.fromkeys(source for source in found if source is not None))
    return ElementState(element, present, element.code in demanded, sources)
