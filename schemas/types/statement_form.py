"""What statements of one type hold: the values, how files call them, and what a certificate cannot do without.

    form = StatementForm(items=(Item(spec, columns=("inskriven",), demanded=True),))
    form.elements, form.demands

Readers of files derive their columns and members from it, completeness reports their lines.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from schemas.learning.completeness import ELEMENTS_BY_CODE, Element
from schemas.learning.statement import Statement
from schemas.types.claims import ClaimSpec

AS_OF = "as_of"


@dataclass(frozen=True, slots=True)
class Item:
    """One value of a statement. A file calls it as the claim is called, or by one of `columns` (Swedish words; they
    head Swedish texts).

    `demanded` says that there is no certificate without it. `one_of` are the only texts that it can hold, if there are
    such. `may_be_ahead` allows a day in the future. `tells_where` marks what shows where somebody lives, learns or
    works: of a person with protected identity it is never read in.
    """

    claim: ClaimSpec
    columns: tuple[str, ...] = ()
    demanded: bool = False
    one_of: tuple[str, ...] = ()
    may_be_ahead: bool = False
    tells_where: bool = False

    @property
    def name(self) -> str:
        """The name of the claim."""
        return str(self.claim.path[-1])

    @property
    def element(self) -> Element:
        """Its line in a completeness report."""
        supply = {"sv": f"Ange det i filen ({self.name}).", "en": f"State it in the file ({self.name})."}
        return Element(self.name, dict(self.claim.display), (self.name,), _holds(self.name), supply)


def _holds(name: str) -> Callable[[Any], bool]:
    def is_present(statement: Statement) -> bool:
        return name in statement.values

    return is_present


def _recognisable(statement: Statement) -> bool:
    return statement.learner.family_name is not None or bool(statement.learner.identifiers)


def _has_day(statement: Statement) -> bool:
    return statement.is_live or statement.as_of is not None


COMMON_ELEMENTS: tuple[Element, ...] = (
    Element(
        "learner",
        {"sv": "Vem det gäller", "en": "Whom it is about"},
        ("learner",),
        _recognisable,
        {"sv": "Ange efternamn eller ett nummer i filen.", "en": "State the family name or a number in the file."},
    ),
    replace(ELEMENTS_BY_CODE["M4"], code="issuing_authority", name={"sv": "Vem som intygar", "en": "Who says so"}),
    replace(ELEMENTS_BY_CODE["M3"], code="issuing_country", name={"sv": "Land", "en": "Country"}),
    Element(
        AS_OF,
        {"sv": "Dag som uppgiften gäller", "en": "Day on which it was true"},
        (AS_OF,),
        _has_day,
        {
            "sv": "Ange dagen i filen (as_of), eller att uppgiften hålls aktuell (live).",
            "en": "State the day in the file (as_of), or that the statement is kept current (live).",
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What has to hold between the values of a statement, and what a file is told when it does not.

    `holds` gets the values as JSON with `family_name`, `given_name` and `birthdate` of the learner beside them; it is
    asked only when every single value is of its form. `item` names the value that is told as the faulty one.
    """

    item: str
    holds: Callable[[Mapping[str, Any]], bool]
    fault: str
    fix: str


@dataclass(frozen=True)
class StatementForm:
    """The values of a statement, in the order in which people read them.

    `told_apart_by` names the values in which two statements about one person differ: a statement with the same ones
    takes the place of an earlier one. `titled_by` names the value that is the statement's title; else it is called as
    the type is. `title_words` say in each language what a value that would not say it is the title of, with `{}` where
    it stands. `rules` are asked when a file is read and again when claims are made.
    """

    items: tuple[Item, ...]
    told_apart_by: tuple[str, ...] = ()
    titled_by: str = ""
    title_words: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    @property
    def title_says_kind(self) -> bool:
        """Whether a statement's title alone says what kind of certificate it is."""
        return not self.titled_by or bool(self.title_words)

    def broken(self, said: Mapping[str, Any]) -> Rule | None:
        """The first rule that does not hold for these values; a later one may rely on it. None when all hold."""
        return next((rule for rule in self.rules if not rule.holds(said)), None)

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """What a completeness report has lines for."""
        return (*COMMON_ELEMENTS, *(item.element for item in self.items))

    @cached_property
    def demands(self) -> tuple[str, ...]:
        """The codes of the elements without which there is no certificate."""
        return (*(one.code for one in COMMON_ELEMENTS), *(item.name for item in self.items if item.demanded))
