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
from schemas.learning.achievement import Achievement
from schemas.learning.completeness import Completeness, completeness
from schemas.types.card import Card
from schemas.types.claims import PERSONAL, REGISTERED_CLAIMS, ClaimPath, Claims, ClaimSpec, ConcretePath
from schemas.types.published import integrity_of, type_metadata_document


class Incomplete(Refused):
    """The record lacks elements that the credential type cannot be issued without."""

    error = "invalid_record"

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__("Missing elements: " + ", ".join(missing))
        self.missing = tuple(missing)


@dataclass(frozen=True, slots=True)
class CredentialType:
    """What is constant about a type. `display` and `description` map `sv` and `en` to texts for people.

    `takes` says whether one achievement makes one credential, or a chosen set of one person's achievements does.
    `demands` holds the codes of the elements that each achievement must have (see `schemas/learning/completeness.py`).
    """

    name: str
    vct: str
    display: Mapping[str, str]
    description: Mapping[str, str]
    claims: tuple[ClaimSpec, ...]
    takes: Literal["one", "many"]
    demands: tuple[str, ...]
    make_claims: Callable[[Sequence[Achievement]], Claims]
    make_card: Callable[["CredentialType", Mapping[str, Any], str], Card]
    make_titles: Callable[["CredentialType", Mapping[str, Any]], dict[str, str]]

    def title(self, language: str) -> str:
        """The type's name for people."""
        return self.display.get(language.split("-")[0], self.display["en"])

    def completeness(self, achievement: Achievement) -> Completeness:
        """Which standard elements the achievement has, and which of them this type demands."""
        return completeness(achievement, demanded=self.demands)

    def claims_from(self, achievements: Sequence[Achievement]) -> Claims:
        """The plain claim tree: issuer, learner and achievements, without `iss`, `vct`, dates, `status` and `cnf`.

        Raises `Incomplete` when a demanded element is missing, `Refused` when the achievements do not belong together.
        """
        if not achievements or (self.takes == "one" and len(achievements) != 1):
            raise Refused(f"{self.name} takes {self.takes} achievement(s), not {len(achievements)}.")
        missing = {code: None for a in achievements for code in self.completeness(a).missing_demanded}
        if missing:
            raise Incomplete(tuple(missing))
        first = achievements[0]
        if any(a.learner != first.learner for a in achievements):
            raise Refused("The achievements are not of one person.")
        if any(a.awarding_body != first.awarding_body for a in achievements):
            raise Refused("The achievements were awarded by different bodies: make one certificate for each.")
        return self.make_claims(achievements)

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
