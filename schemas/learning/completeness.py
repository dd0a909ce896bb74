"""The standard elements of a European micro-credential, and which of them an achievement has, from where.

Source: Council Recommendation 2022/C 243/02, Annex I: M1-M11 mandatory, O1-O5 optional.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from schemas.learning.achievement import Achievement, Source


@dataclass(frozen=True, slots=True)
class Element:
    """One standard element: its code, its name in Swedish and English, and the fields that can carry it."""

    code: str
    name: dict[str, str]
    fields: tuple[str, ...]
    is_present: Callable[[Achievement], bool]

    @property
    def mandatory(self) -> bool:
        """Whether the Recommendation calls the element mandatory (for the whole standard, not for our types)."""
        return self.code.startswith("M")


def _any_of(*fields: str) -> Callable[[Achievement], bool]:
    return lambda achievement: any(getattr(achievement, field) not in (None, ()) for field in fields)


def _learner_named(achievement: Achievement) -> bool:
    return achievement.learner.family_name is not None


def _country_known(achievement: Achievement) -> bool:
    return achievement.awarding_body is not None and achievement.awarding_body.country is not None


def _by_fields(code: str, sv: str, en: str, *fields: str) -> Element:
    return Element(code, {"sv": sv, "en": en}, fields, _any_of(*fields))


ELEMENTS: tuple[Element, ...] = (
    Element("M1", {"sv": "Vem som lärt sig", "en": "Identification of the learner"}, ("learner",), _learner_named),
    _by_fields("M2", "Titel", "Title", "title"),
    Element("M3", {"sv": "Land", "en": "Country of the awarding body"}, ("awarding_body",), _country_known),
    _by_fields("M4", "Utfärdande lärosäte", "Awarding body", "awarding_body"),
    _by_fields("M5", "Datum för utfärdandet", "Date of issuing", "issued_on"),
    _by_fields("M6", "Lärandemål", "Learning outcomes", "outcomes"),
    _by_fields("M7", "Omfattning", "Notional workload", "ects_credits", "swedish_credits", "workload_hours"),
    _by_fields("M8", "Nivå (EQF, SeQF)", "Level (EQF, SeQF)", "eqf_level", "seqf_level"),
    _by_fields("M9", "Examinationsform", "Type of assessment", "assessment_type"),
    _by_fields("M10", "Deltagandeform", "Form of participation", "participation_form"),
    _by_fields("M11", "Kvalitetssäkring", "Type of quality assurance", "quality_assurance"),
    _by_fields("O1", "Förkunskapskrav", "Prerequisites to enrol", "prerequisites"),
    _by_fields("O2", "Övervakning och legitimering", "Supervision and identity verification", "supervision"),
    _by_fields("O3", "Betyg", "Grade", "grade"),
    _by_fields("O4", "Möjlighet att bygga vidare", "Integration and stackability", "stackable", "part_of"),
    _by_fields(
        "O5", "Ytterligare information", "Further information", "description", "further_information", "languages"
    ),
)


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
    """Which standard elements an achievement has, where they come from, and which are missing."""

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
        """How many of the sixteen elements are there."""
        return sum(s.present for s in self.states)


def completeness(achievement: Achievement, *, demanded: Collection[str]) -> Completeness:
    """The completeness report of one achievement for a type that demands the elements with these codes."""
    return Completeness(tuple(_state(element, achievement, demanded) for element in ELEMENTS))


def _state(element: Element, achievement: Achievement, demanded: Collection[str]) -> ElementState:
    present = element.is_present(achievement)
    found = [achievement.provenance.get(field) for field in element.fields] if present else []
    sources = tuple(dict.fromkeys(source for source in found if source is not None))
    return ElementState(element, present, element.code in demanded, sources)
