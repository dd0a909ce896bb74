"""What a credential type says about its claims: where they are, how people call them, and what may stay hidden.

    ClaimSpec(("assessment_grade",), {"sv": "Betyg", "en": "Grade"}, "text", disclosable=True, category="result")

A path is as in SD-JWT VC type metadata (section 5.1): names of members, and `None` for every element of an array.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

ClaimPath = tuple[str | None, ...]
ConcretePath = tuple[str | int, ...]

ValueType = Literal[
    "text",  # a string, the same in every language
    "texts",  # a language map: {"sv": "...", "en": "..."}
    "texts_list",  # an array of language maps
    "number",  # a JSON number, at most three decimals
    "percent",  # a JSON number above 0, at most 100
    "level",  # an integer from 1 to 8
    "date",  # a calendar date, YYYY-MM-DD
    "time",  # seconds since 1970 (NumericDate)
    "hours",  # ISO 8601 duration in hours: "PT200H"
    "country",  # ISO 3166-1 alpha-2
    "languages",  # an array of language tags
    "boolean",
    "types",  # an array of `vct` values, or of the one word "all"
    "hosts",  # an array of host names, or of the one word "all"
    "power_basis",  # one of the words of `schemas.power.PowerBasis`
    "url",
    "array",  # an array of objects, whose members are specified on their own
    "object",  # an object whose members are the protocol's business
]

Category = Literal["issuer", "course", "result", "identity", "birth", "identifier", "technical"]

PUBLIC, LEARNING, PERSONAL, SENSITIVE, IDENTIFYING = 0, 1, 2, 3, 4
"""How much a claim reveals: something anybody can look up, something about studies, a name or a grade, a birth date, a
number that points at exactly one person. A share proposes the least sum; an unknown claim counts as PERSONAL."""


@dataclass(frozen=True, slots=True)
class ClaimSpec:
    """One claim, or all claims that one path with `None` selects.

    `display` maps `sv` and `en` to the label. `disclosable` says that the claim is a disclosure of its own (`sd`
    "always"), or that it never is. `mandatory` says that the issuer must include it, hidden or not.
    """

    path: ClaimPath
    display: Mapping[str, str]
    value_type: ValueType
    disclosable: bool
    mandatory: bool = False
    sensitivity: int = LEARNING
    category: Category = "course"

    def label(self, language: str) -> str:
        """The label in that language, English when there is none."""
        return self.display.get(language.split("-")[0], self.display["en"])

    def matches(self, path: ConcretePath | ClaimPath) -> bool:
        """Whether a path to one value, with array indexes or `None`, is a path of this claim."""
        return len(path) == len(self.path) and all(
            (mine is None and (theirs is None or isinstance(theirs, int))) or mine == theirs
            for mine, theirs in zip(self.path, path, strict=True)
        )

    def under(self, prefix: ClaimPath, *, mandatory: bool | None = None) -> "ClaimSpec":
        """The same claim inside something else, disclosable there on its own."""
        return ClaimSpec(
            prefix + self.path,
            self.display,
            self.value_type,
            disclosable=True,
            mandatory=self.mandatory if mandatory is None else mandatory,
            sensitivity=self.sensitivity,
            category=self.category,
        )


def _technical(name: str, sv: str, en: str, value_type: ValueType, *, mandatory: bool) -> ClaimSpec:
    return ClaimSpec((name,), {"sv": sv, "en": en}, value_type, False, mandatory, PUBLIC, "technical")


REGISTERED_CLAIMS: tuple[ClaimSpec, ...] = (
    _technical("vct", "Typ av intyg", "Type of certificate", "text", mandatory=True),
    _technical(
        "vct#integrity", "Typbeskrivningens kontrollsumma", "Checksum of the type description", "text", mandatory=False
    ),
    _technical("iss", "Utfärdarens adress", "Address of the issuer", "text", mandatory=True),
    _technical("iat", "Utställt", "Issued", "time", mandatory=False),
    _technical("nbf", "Giltigt från", "Valid from", "time", mandatory=False),
    _technical("exp", "Giltigt till", "Valid until", "time", mandatory=False),
    _technical("cnf", "Nyckel i plånboken", "Key in the wallet", "object", mandatory=True),
    _technical(
        "status", "Var giltigheten kan kontrolleras", "Where validity can be checked", "object", mandatory=False
    ),
)
"""Never disclosed selectively (SD-JWT VC, section 2.2.2.3), so they travel with every share."""

Claims = dict[str, Any]
