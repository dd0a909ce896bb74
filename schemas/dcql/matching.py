"""One credential query against one credential: which combinations of claims it could give, or why none.

A `Choice` is one way of answering one credential query with one credential. It names the concrete paths to disclose,
and knows everything that somebody who receives it can then read, because the order in which choices are offered (least
revealing first) rests on that and not on the length of the query.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.dcql.paths import ConcretePath, PathError, leaves, select_claims, starts_with, value_at
from schemas.dcql.query import ClaimQuery, CredentialQuery, InvalidQuery, TrustedAuthorities

ENVELOPE_CLAIMS: Final = frozenset(
    {"iss", "sub", "aud", "iat", "nbf", "exp", "jti", "vct", "vct#integrity", "aka_vcts", "cnf", "status", "_sd_alg"}
)
"""Top-level members that every proof carries; they do not count when alternatives are compared by what they reveal."""

UNDERSTOOD_AUTHORITIES: Final = frozenset({"aki"})
"""Types of trusted authorities that a credential can be matched against without asking anybody (6.1.1.1)."""

Sensitivity = Callable[[ConcretePath], int]
"""How sensitive the claim at a concrete path is: 0 is ordinary, larger is worse."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A credential that the holder could show.

    `type_chain` is its type and every type it extends or names in `aka_vcts`. `claims` are the processed claims with
    everything disclosed. What can be hidden is told in one of two ways: `disclosable`, the concrete paths at which a
    disclosure stands (exact, nested disclosures included); or, when that is `None`, `always`, the concrete paths of the
    leaves that are visible without any disclosure, every other leaf counting as hidden by itself.
    `authorities` are pairs such as `("aki", "s9tIpPmh...")`. `holder_bound` says that it has a key of the holder.
    """

    id: str
    format: str
    type_chain: tuple[str, ...]
    claims: Mapping[str, Any]
    always: Collection[ConcretePath] = ()
    disclosable: Collection[ConcretePath] | None = None
    authorities: Collection[tuple[str, str]] = frozenset()
    holder_bound: bool = True


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a credential does not answer a credential query, for the holder's eyes only: it never leaves the wallet.

    `code` is `no_candidates`, `format`, `type`, `holder_binding`, `authority`, `authority_unknown`, `claim_missing` or
    `value_differs`. `candidate_id` is empty when it holds for all; `path` is the claim that is meant.
    """

    code: str
    candidate_id: str = ""
    path: tuple[str | int | None, ...] = ()


class Exposure:
    """What of one credential can be read once certain paths are disclosed, as a set of bits, one per leaf."""

    def __init__(self, candidate: Candidate, sensitivity: Sensitivity) -> None:
        always = frozenset(candidate.always)
        hidden = None if candidate.disclosable is None else frozenset(candidate.disclosable)
        self._leaves: list[ConcretePath] = []
        self._guarded: dict[tuple[ConcretePath, ...], list[int]] = {}
        levels: dict[int, list[int]] = {}
        for leaf in leaves(candidate.claims):
            if not leaf or leaf[0] in ENVELOPE_CLAIMS:
                continue
            if hidden is None:
                guards: tuple[ConcretePath, ...] = () if leaf in always else (leaf,)
            else:
                prefixes = (leaf[:length] for length in range(1, len(leaf) + 1))
                guards = tuple(prefix for prefix in prefixes if prefix in hidden)
            self._guarded.setdefault(guards, []).append(len(self._leaves))
            levels.setdefault(sensitivity(leaf), []).append(len(self._leaves))
            self._leaves.append(leaf)
        self._levels = {level: self._bits(places) for level, places in levels.items()}

    @property
    def effort(self) -> int:
        """How much work one call of `readable` is, in steps."""
        return 1 + len(self._guarded) + len(self._leaves) // 8

    def readable(self, paths: Collection[ConcretePath]) -> int:
        """The leaves that can be read when `paths` are disclosed with their parents and with all that lies below."""
        asked = frozenset(paths)
        opened = frozenset(path[:length] for path in asked for length in range(1, len(path) + 1))
        return self._bits(
            place
            for guards, places in self._guarded.items()
            if all(guard in opened or _at_or_below(guard, asked) for guard in guards)
            for place in places
        )

    def _bits(self, places: Iterable[int]) -> int:
        packed = bytearray(len(self._leaves) // 8 + 1)
        for place in places:
            packed[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(packed, "little")

    def leaves(self, bits: int) -> Iterator[ConcretePath]:
        """The concrete paths that the bits stand for."""
        return (leaf for index, leaf in enumerate(self._leaves) if bits >> index & 1)

    def sensitivity(self, bits: int) -> int:
        """How sensitive these leaves are together."""
        return sum(level * (bits & of_level).bit_count() for level, of_level in self._levels.items())


def _at_or_below(place: ConcretePath, asked: frozenset[ConcretePath]) -> bool:
    return any(place[:length] in asked for length in range(1, len(place) + 1))


@dataclass(frozen=True, slots=True)
class Choice:
    """One way of answering the credential query `query_id` with the credential `candidate_id`.

    `paths` are the concrete paths asked for: the presentation discloses these elements with all that lies below them,
    and nothing else that can be hidden. `claim_set` is the alternative's position in the query's `claim_sets`.
    """

    query_id: str
    candidate_id: str
    paths: tuple[ConcretePath, ...]
    claim_set: int | None
    exposure: Exposure = field(repr=False, compare=False)
    bits: int = field(repr=False)

    @property
    def key(self) -> str:
        """A stable name of this choice within its credential query, for forms."""
        return self.candidate_id if self.claim_set is None else f"{self.candidate_id}.{self.claim_set}"

    @property
    def reveals(self) -> frozenset[ConcretePath]:
        """The leaves that can be read in the presentation, the unavoidable ones included, the envelope not."""
        return frozenset(self.exposure.leaves(self.bits))


class Budget:
    """How much work one query may cause: steps through claims and comparisons, however it is written."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Take steps. Raises `InvalidQuery` when none are left."""
        self.left -= steps
        if self.left < 0:
            raise InvalidQuery("evaluating the query takes more work than we give to one")


def matches_type(query: CredentialQuery, type_chain: Iterable[str]) -> bool:
    """Whether a credential with these types is of a type asked for; a query without types takes any (6.1, B.3.5)."""
    chain = frozenset(type_chain)
    return not query.types or any(chain.issuperset(alternative) for alternative in query.types)


def matches_authority(wanted: Iterable[TrustedAuthorities], authorities: Collection[tuple[str, str]]) -> bool:
    """Whether one of the conditions holds (6.1.1). One of a type that we do not understand does not hold."""
    return any((one.type, value) in authorities for one in wanted for value in one.values)


def is_expected(value: Any, expected: Collection[str | int | bool]) -> bool:
    """Whether a claim's value is one of these, exact in type and value: 1 is not true, nor "1", nor 1.0 (6.3)."""
    return any(type(value) is type(one) and value == one for one in expected)


def choices_for(
    query: CredentialQuery, candidate: Candidate, exposure_of: Callable[[Candidate], Exposure], budget: Budget
) -> tuple[list[Choice], list[Reason]]:
    """Every combination of claims with which `candidate` answers `query`, in the verifier's order, or why none.

    All or nothing: a combination of which one claim is missing, or has none of the expected values, is not offered
    (6.4.1). A claim with expected values gives only those of the selected elements that have one of them.
    """
    objection = _objection(query, candidate)
    if objection:
        return [], [Reason(objection, candidate.id)]
    exposure = exposure_of(candidate)
    places: dict[ClaimQuery, tuple[ConcretePath, ...] | Reason] = {}
    choices: list[Choice] = []
    reasons: dict[Reason, None] = {}
    for index, claims in query.alternatives():
        selected: set[ConcretePath] = set()
        missing = False
        for claim in claims:
            if claim not in places:
                places[claim] = _places(claim, candidate, budget)
            found = places[claim]
            if isinstance(found, Reason):
                reasons[found] = None
                missing = True
            else:
                selected.update(found)
        if not missing:
            paths = tuple(_outermost(selected))
            budget.spend(exposure.effort + len(paths))
            choices.append(Choice(query.id, candidate.id, paths, index, exposure, exposure.readable(paths)))
    return choices, [] if choices else list(reasons)


def _objection(query: CredentialQuery, candidate: Candidate) -> str:
    if candidate.format != query.format:
        return "format"
    if not matches_type(query, candidate.type_chain):
        return "type"
    if query.require_cryptographic_holder_binding and not candidate.holder_bound:
        return "holder_binding"
    wanted = query.trusted_authorities
    if wanted and not matches_authority(wanted, candidate.authorities):
        return "authority" if any(one.type in UNDERSTOOD_AUTHORITIES for one in wanted) else "authority_unknown"
    return ""


def _places(claim: ClaimQuery, candidate: Candidate, budget: Budget) -> tuple[ConcretePath, ...] | Reason:
    try:
        selected = select_claims(candidate.claims, claim.path, spend=budget.spend)
    except PathError:
        return Reason("claim_missing", candidate.id, claim.path)
    if claim.values:
        selected = [place for place in selected if is_expected(value_at(candidate.claims, place), claim.values)]
    return tuple(selected) if selected else Reason("value_differs", candidate.id, claim.path)


def _outermost(selected: Iterable[ConcretePath]) -> Iterator[ConcretePath]:
    """The paths in a fixed order, without those that lie below another one: disclosing the outer gives the inner."""
    last: ConcretePath | None = None
    for path in sorted(selected, key=_order):
        if last is None or not starts_with(path, last):
            yield path
            last = path


def _order(path: ConcretePath) -> tuple[tuple[bool, int, str], ...]:
    return tuple((isinstance(part, str), 0, part) if isinstance(part, str) else (False, part, "") for part in path)
