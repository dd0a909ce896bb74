"""What type metadata demand of a certificate: which claims its issuer includes, and which of them can be hidden.

    rules = combined_rules([base_document, document])       # from the most basic type to the certificate's own
    check_rules(rules, claims, disclosed=sd_jwt.disclosure_at, positions=sd_jwt.original_indexes)

Whoever uses type metadata uses all of it, and refuses a certificate that does not keep to it: for the holder, who has
every disclosure, that is known at once. A verifier, who sees a part, may not conclude from what is absent.

Source: SD-JWT VC, sections "Claim Metadata", "Extending Claim Metadata" and "Processing Type Metadata".
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas.dcql import ClaimsPath, ConcretePath, PathError, select_presented
from schemas.dcql.paths import is_index
from schemas.errors import Refused

MAX_RULES: Final = 500
MAX_STEPS: Final = 200_000
"""How many elements all rules together may visit: they are somebody else's program."""
_DISCLOSABLE: Final = ("allowed", "always", "never")


class BrokenTypeRules(Refused):
    """The certificate does not keep to the rules of its type, or these are not of their form."""


@dataclass(frozen=True, slots=True)
class ClaimRule:
    """What a type says of the claims at a path. `members` are the combined members of its metadata."""

    path: ClaimsPath
    members: Mapping[str, Any]

    @property
    def mandatory(self) -> bool:
        """Whether the issuer includes it."""
        return bool(self.members.get("mandatory", False))

    @property
    def sd(self) -> str:
        """Whether it is selectively disclosable: `always`, `never`, or as the issuer likes (`allowed`)."""
        return str(self.members.get("sd", "allowed"))


def combined_rules(documents: Sequence[Mapping[str, Any]]) -> tuple[ClaimRule, ...]:
    """The rules of a type and of those that it extends.

    `documents` are parsed type metadata, from the most basic type to the certificate's own. The members of a type add
    to those of the extended one and take precedence, but can loosen neither `sd` nor `mandatory`. Raises
    `BrokenTypeRules`.
    """
    combined: dict[ClaimsPath, Mapping[str, Any]] = {}
    for document in documents:
        entries = document.get("claims", [])
        if not isinstance(entries, list) or len(entries) > MAX_RULES:
            raise BrokenTypeRules("the rules of the type are not a list, or too many")
        for entry in entries:
            path = _path_of(entry)
            base = combined.get(path, {})
            if base.get("sd", "allowed") not in ("allowed", entry.get("sd", base.get("sd"))):
                raise BrokenTypeRules("a type changes what the type that it extends says of hiding a claim")
            if base.get("mandatory") and entry.get("mandatory") is False:
                raise BrokenTypeRules("a type leaves out what the type that it extends demands")
            combined[path] = {**base, **entry}
    return tuple(ClaimRule(path, members) for path, members in combined.items())


def _path_of(entry: Any) -> ClaimsPath:
    """The path of one rule whose members are of their form."""
    path = entry.get("path") if isinstance(entry, dict) else None
    if not isinstance(path, list) or not path or not all(_is_component(one) for one in path):
        raise BrokenTypeRules("a rule of the type has no path")
    if type(entry.get("mandatory", False)) is not bool or entry.get("sd", "allowed") not in _DISCLOSABLE:
        raise BrokenTypeRules("a rule of the type is not of its form")
    texts = entry.get("display", [])
    if not isinstance(texts, list) or not all(_is_label(one) for one in texts):
        raise BrokenTypeRules("the labels of a rule of the type are not of their form")
    return tuple(path)


def _is_component(one: Any) -> bool:
    return one is None or isinstance(one, str) or is_index(one)


def _is_label(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("locale"), str) and isinstance(one.get("label"), str)


def check_rules(
    rules: Sequence[ClaimRule],
    claims: Mapping[str, Any],
    *,
    disclosed: Collection[ConcretePath],
    positions: Mapping[ConcretePath, Sequence[int]],
) -> None:
    """Check a certificate, of which everything is disclosed, against the rules of its type.

    `disclosed` are the places at which a disclosure stands, `positions` where the elements of arrays stood as issued. A
    claim within something that is not there is not missed. Raises `BrokenTypeRules`, which names no value.
    """
    left = MAX_STEPS

    def spend(steps: int) -> None:
        nonlocal left
        left -= steps
        if left < 0:
            raise BrokenTypeRules("the rules of the type take more work than we give to them")

    def selected(path: ClaimsPath) -> list[ConcretePath]:
        try:
            return select_presented(claims, path, positions=positions, spend=spend)
        except PathError as exc:
            if exc.reason == "nothing_selected":
                return []
            raise BrokenTypeRules("a path of the type does not fit the certificate") from exc

    for rule in rules:
        places = selected(rule.path)
        if rule.mandatory and not places and (len(rule.path) == 1 or selected(rule.path[:-1])):
            raise BrokenTypeRules("a claim that the type demands is missing")
        hidden = sum(place in disclosed for place in places)
        if (rule.sd == "always" and hidden != len(places)) or (rule.sd == "never" and hidden):
            raise BrokenTypeRules("a claim can be hidden, or not, against the rules of the type")
