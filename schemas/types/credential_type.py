"""A credential type: one object from which issuer, wallet and verifier derive everything they say about it.

    micro = CREDENTIAL_TYPES["micro-credential"]
    claims = micro.claims_from([achievement])        # the plain claim tree, before iss, vct, iat, exp, status, cnf
    paths = micro.disclosable_paths()                # what becomes a disclosure of its own
    card = micro.card(claims, language="sv")         # what a person reads

A type's `vct` is one constant at every issuer, and its metadata never changes: a change needs a new version.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from schemas.errors import Refused
from schemas.learning.achievement import Achievement, Record
from schemas.learning.completeness import ELEMENTS, Completeness, Element, completeness
from schemas.types.card import Card
from schemas.types.claims import PERSONAL, REGISTERED_CLAIMS, ClaimPath, Claims, ClaimSpec, ConcretePath
from schemas.types.published import integrity_of, type_metadata_document
from schemas.types.statement_form import AS_OF, StatementForm


class Incomplete(Refused):
    """The record lacks elements that the credential type cannot be issued without."""

    error = "invalid_record"

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__("Missing elements: " + ", ".join(missing))
        self.missing = tuple(missing)


@dataclass(frozen=True, slots=True)
class CredentialType:
    """What is constant about a type. `display` and `description` map `sv` and `en` to texts for people.

    `takes` says whether one record makes one credential, or a chosen set of one person's records does.
    `demands` holds the codes of the elements that each record must have, out of `elements` (for achievements the
    standard ones, see `schemas/learning/completeness.py`). A type with a `form` is made of statements of that form, any
    other of achievements. `validity_days` is how long a certificate holds at most, when that lies in its nature, and
    `last_day` the claim that names the last day of what it says: no copy outlasts it.
    """

    name: str
    vct: str
    display: Mapping[str, str]
    description: Mapping[str, str]
    claims: tuple[ClaimSpec, ...]
    takes: Literal["one", "many"]
    demands: tuple[str, ...]
    make_claims: Callable[[Sequence[Any]], Claims]
    make_card: Callable[["CredentialType", Mapping[str, Any], str], Card]
    make_titles: Callable[["CredentialType", Mapping[str, Any]], dict[str, str]]
    elements: tuple[Element, ...] = ELEMENTS
    form: StatementForm | None = None
    validity_days: int | None = None
    last_day: str | None = None

    @property
    def dated_by(self) -> str | None:
        """The claim that says of which day the rest is true; None for types that state something once and for all."""
        return AS_OF if self.form else None

    @property
    def listed_under(self) -> str:
        """The claim whose entries are the records, in their order; empty for a type that takes one record."""
        if self.takes == "one":
            return ""
        return next(str(spec.path[0]) for spec in self.claims if spec.path[1:] == (None,))

    def title(self, language: str) -> str:
        """The type's name for people."""
        return self.display.get(language.split("-")[0], self.display["en"])

    def suits(self, record: Record) -> bool:
        """Whether certificates of this type are made of such records at all, complete or not."""
        return isinstance(record, Achievement) == (self.form is None) and record.may_become(self.name)

    def element(self, code: str) -> Element:
        """The element with this code. Raises `KeyError`."""
        found = {element.code: element for element in self.elements}
        return found[code]

    def completeness(self, record: Record) -> Completeness:
        """Which elements a record that suits the type has, and which of them this type demands."""
        return completeness(record, demanded=self.demands, elements=self.elements)

    def claims_from(self, records: Sequence[Record]) -> Claims:
        """The plain claim tree: issuer, learner and what the records say, without `iss`, `vct`, dates, `status`, `cnf`.

        A live statement has to be `dated` before. Raises `Incomplete` when a demanded element is missing, `Refused`
        when the records do not belong together or are of another kind.
        """
        if not records or (self.takes == "one" and len(records) != 1):
            raise Refused(f"{self.name} takes {self.takes} record(s), not {len(records)}.")
        if not all(self.suits(record) for record in records):
            raise Refused(f"A {self.name} is not made of such records.")
        missing = {code: None for record in records for code in self.completeness(record).missing_demanded}
        if missing:
            raise Incomplete(tuple(missing))
        first = records[0]
        if any(record.learner != first.learner for record in records):
            raise Refused("The records are not of one person.")
        if any(record.awarding_body != first.awarding_body for record in records):
            raise Refused("The records come from different bodies: make one certificate for each.")
        return self.make_claims(records)

    def disclosable_paths(self) -> tuple[ClaimPath, ...]:
        """Paths of the claims that become disclosures of their own, parents before children."""
        return tuple(spec.path for spec in self.claims if spec.disclosable)

    def all_claims(self) -> tuple[ClaimSpec, ...]:
        """The type's own claims after the registered ones that every credential carries."""
        return REGISTERED_CLAIMS + self.claims

    def spec_for(self, path: ConcretePath | ClaimPath) -> ClaimSpec | None:
        """The specification of the claim at this path; inside a text or list, of the claim that holds it."""
        specs = self.all_claims()
        for length in range(len(path), 0, -1):
            found = next((spec for spec in specs if spec.matches(path[:length])), None)
            if found is not None:
                return found
        return None

    def label(self, path: ConcretePath | ClaimPath, language: str) -> str:
        """The label of the claim at this path, or the last name in the path when the type does not know it."""
        spec = self.spec_for(path)
        if spec is not None:
            return spec.label(language)
        return next((part for part in reversed(path) if isinstance(part, str)), "")

    def sensitivity(self, path: ConcretePath | ClaimPath) -> int:
        """How much the claim at this path reveals, from 0 (public) to 4 (points at one person)."""
        spec = self.spec_for(path)
        return spec.sensitivity if spec is not None else PERSONAL

    def card(self, claims: Mapping[str, Any], language: str) -> Card:
        """What a person reads. `claims` can be the whole tree or only what was disclosed."""
        return self.make_card(self, claims, language)

    def titles(self, claims: Mapping[str, Any]) -> dict[str, str]:
        """The title of one certificate by language, in the languages in which it has one."""
        return self.make_titles(self, claims)

    def type_metadata(self) -> dict[str, Any]:
        """The type metadata document (SD-JWT VC, section 5)."""
        return type_metadata_document(self)

    def type_metadata_bytes(self) -> bytes:
        """The published bytes of the type metadata: what issuers serve and `vct#integrity` pins."""
        return (files("schemas") / "json" / f"{self.name}.type-metadata.json").read_bytes()

    def integrity(self) -> str:
        """The value of `vct#integrity`: SHA-256 of the published bytes, as Subresource Integrity writes it."""
        return integrity_of(self.type_metadata_bytes())
