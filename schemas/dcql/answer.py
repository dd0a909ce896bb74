"""What a holder's credentials can answer to a query: what is required, what is optional, and what reveals least.

    found = answer(query, candidates, sensitivity=sensitivity_of)
    if found.satisfiable:
        share = found.select(ticked={1: 0})        # the proposal, and the first option of the optional set 1
        share.copies                               # which proof answers which queries, each with its own paths

The required part is every credential set that the verifier requires, taken together; each way of satisfying it is one
`Option`. Every optional set stands by itself, so that a person can take it or leave it. Alternatives are ordered by
what they reveal: fewest claims, then least sensitive, then fewest credentials, then the verifier's order. The
specification recommends the verifier's first choice and allows to deviate from it (OpenID4VP 1.0, 6.4.1); the person
may still choose another alternative.

Nothing here decides. Work is bounded by `MAX_STEPS` and `MAX_COMBINATIONS`: beyond the second, an assignment of
credentials to queries is found step by step, each time with what adds least, instead of by comparing all of them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import prod
from types import MappingProxyType
from typing import Final

from schemas.dcql.matching import Budget, Candidate, Choice, Exposure, Reason, Sensitivity, choices_for
from schemas.dcql.paths import ConcretePath
from schemas.dcql.query import CredentialQuery, CredentialSetQuery, Query
from schemas.errors import Refused

MAX_STEPS: Final = 1_000_000
"""Steps through claims that one query may take over all credentials; beyond, `InvalidQuery`."""
MAX_COMBINATIONS: Final = 4_000
"""How many assignments of credentials to queries are compared with each other for one answer."""
MAX_LISTED: Final = 60
"""How many ways of satisfying the required part are listed."""

Cost = tuple[int, int, int, int]
"""Leaves that can be read, their sensitivity, credentials used, distance from the verifier's order: less is better."""


class InvalidSelection(Refused):
    """What was picked is not among the alternatives of this answer, or leaves out what is required."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way of satisfying the required part, or one optional set.

    `choices` maps each credential query id to what answers it, at least one choice each; several only where the query
    says `multiple` and the person picked several. `preference` is, per credential set, the position of the option that
    the verifier listed. `cost` is only good for comparing.
    """

    choices: Mapping[str, tuple[Choice, ...]]
    preference: tuple[int, ...]
    cost: Cost

    @property
    def paths(self) -> dict[str, list[tuple[str, tuple[ConcretePath, ...]]]]:
        """Per credential query, the credentials to show and the concrete paths to disclose in each."""
        return {query_id: [(one.candidate_id, one.paths) for one in some] for query_id, some in self.choices.items()}


@dataclass(frozen=True, slots=True)
class OptionalSet:
    """A credential set that is not required: `index` is its position in `credential_sets`.

    `options` are ordered by what they add to what is shared anyway; empty when nothing satisfies the set.
    """

    index: int
    query_ids: tuple[str, ...]
    options: tuple[Option, ...]

    @property
    def satisfiable(self) -> bool:
        """Whether the holder has what the set asks for."""
        return bool(self.options)


@dataclass(frozen=True, slots=True)
class Selection:
    """What would be shared: per credential query id, the choices. Each presentation holds only its own claims."""

    choices: Mapping[str, tuple[Choice, ...]]
    sets: tuple[int, ...] = ()

    @property
    def copies(self) -> dict[str, tuple[Choice, ...]]:
        """Per credential, the choices it answers: they use one copy of it, whatever the number of queries."""
        grouped: dict[str, list[Choice]] = {}
        for choice in _flat(self.choices):
            grouped.setdefault(choice.candidate_id, []).append(choice)
        return {candidate_id: tuple(some) for candidate_id, some in grouped.items()}

    @property
    def reveals(self) -> dict[str, frozenset[ConcretePath]]:
        """Per credential, all leaves that the recipient can read."""
        return {
            candidate_id: frozenset().union(*(choice.reveals for choice in some))
            for candidate_id, some in self.copies.items()
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What the holder's credentials can answer.

    `satisfiable` speaks of the required part. `options` are the ways of satisfying it, least revealing first, and
    `proposed` is the position of the one to propose (`None` when there is none). When nothing is required, there is
    one option without choices. `optional` are the optional sets, relative to the proposed option. `choices` lists, for
    every credential query, what could answer it, least revealing first; `reasons` tells for a query without choices
    why. `truncated` says that there are more ways than are listed.
    """

    query: Query
    options: tuple[Option, ...]
    optional: tuple[OptionalSet, ...]
    choices: Mapping[str, tuple[Choice, ...]]
    reasons: Mapping[str, tuple[Reason, ...]]
    truncated: bool = False

    @property
    def satisfiable(self) -> bool:
        """Whether everything that is required can be shared."""
        return bool(self.options)

    @property
    def proposed(self) -> int | None:
        """The position in `options` of the alternative that reveals least."""
        return 0 if self.options else None

    def select(
        self,
        *,
        option: int | None = None,
        picked: Mapping[str, Sequence[str]] = MappingProxyType({}),
        ticked: Mapping[int, int] = MappingProxyType({}),
    ) -> Selection:
        """The share that follows from what a person chose.

        `option` is a position in `options` (the proposal when `None`). `picked` names, per credential query id, the
        keys of the choices to use instead of the proposed one; several only where the query says `multiple`; a query
        that is not part of the share is ignored. `ticked` maps the index of an optional set to the position of one of
        its options in the verifier's list (`option.preference[0]`).

        The same arguments always give the same selection. Raises `InvalidSelection` for whatever is not among the
        alternatives, and when the required part cannot be satisfied: nothing less than it can be selected.
        """
        if not self.options:
            raise InvalidSelection("the required part cannot be satisfied")
        position = 0 if option is None else option
        if not 0 <= position < len(self.options):
            raise InvalidSelection("there is no such option")
        wanted = {query_id: self._picked(query_id, keys) for query_id, keys in picked.items()}
        chosen = self._assigned(tuple(self.options[position].choices), wanted, {})
        for index, place in sorted(ticked.items()):
            chosen = self._assigned(self._ticked(index, place), wanted, chosen)
        return Selection(chosen, tuple(sorted(ticked)))

    def optional_after(self, selection: Selection) -> tuple[OptionalSet, ...]:
        """The optional sets, each with its options ordered by what they add to this selection."""
        budget = [MAX_COMBINATIONS]
        return tuple(
            _optional_set(index, one, self.choices, selection.choices, budget)
            for index, one in enumerate(self.query.credential_sets)
            if not one.required
        )

    def _ticked(self, index: int, place: int) -> tuple[str, ...]:
        sets = self.query.credential_sets
        if not 0 <= index < len(sets) or sets[index].required or not 0 <= place < len(sets[index].options):
            raise InvalidSelection("there is no such optional set or option")
        ids = sets[index].options[place]
        if not all(self.choices[query_id] for query_id in ids):
            raise InvalidSelection("the optional set cannot be satisfied in this way")
        return ids

    def _picked(self, query_id: str, keys: Sequence[str]) -> tuple[Choice, ...]:
        by_key = {choice.key: choice for choice in self.choices.get(query_id, ())}
        if not keys or any(key not in by_key for key in keys):
            raise InvalidSelection("there is no such choice")
        some = tuple(by_key[key] for key in dict.fromkeys(keys))
        if len(some) > 1 and not self.query.credential(query_id).multiple:
            raise InvalidSelection("this query is answered by one credential only")
        if len({choice.candidate_id for choice in some}) != len(some):
            raise InvalidSelection("one credential answers a query once")
        return some

    def _assigned(
        self,
        query_ids: Sequence[str],
        wanted: Mapping[str, tuple[Choice, ...]],
        base: Mapping[str, tuple[Choice, ...]],
    ) -> dict[str, tuple[Choice, ...]]:
        fixed = {**base, **{one: wanted[one] for one in query_ids if one in wanted and one not in base}}
        return {**fixed, **_cheapest(query_ids, self.choices, fixed, [MAX_COMBINATIONS])}


def answer(query: Query, candidates: Iterable[Candidate], *, sensitivity: Sensitivity) -> Answer:
    """Everything that `candidates` can answer to `query`, the least revealing first.

    `sensitivity` tells for a concrete path how sensitive the claim is (0 is ordinary). Raises `InvalidQuery` when the
    query takes more work than `MAX_STEPS`.

    Every candidate has an id of its own. Not checked: whether a credential is still valid. Give only candidates that
    may be shown.

    Source: OpenID4VP 1.0, sections 6.4.1 and 6.4.2.
    """
    budget, combinations = Budget(MAX_STEPS), [MAX_COMBINATIONS]
    known, exposures = list(candidates), dict[str, Exposure]()

    def exposure_of(candidate: Candidate) -> Exposure:
        if candidate.id not in exposures:
            exposures[candidate.id] = Exposure(candidate, sensitivity)
        return exposures[candidate.id]

    choices: dict[str, tuple[Choice, ...]] = {}
    reasons: dict[str, tuple[Reason, ...]] = {}
    for credential in query.credentials:
        found, why = _all_choices(credential, known, exposure_of, budget)
        choices[credential.id] = found
        if not found:
            reasons[credential.id] = why
    options, truncated = _required_options(query.sets, choices, combinations)
    proposal = options[0].choices if options else {}
    optional = tuple(
        _optional_set(index, one, choices, proposal, combinations)
        for index, one in enumerate(query.credential_sets)
        if not one.required
    )
    return Answer(query, options, optional, choices, reasons, truncated)


def _all_choices(
    credential: CredentialQuery,
    known: Sequence[Candidate],
    exposure_of: Callable[[Candidate], Exposure],
    budget: Budget,
) -> tuple[tuple[Choice, ...], tuple[Reason, ...]]:
    choices: list[Choice] = []
    reasons: list[Reason] = []
    for candidate in known:
        found, why = choices_for(credential, candidate, exposure_of, budget)
        choices += found
        reasons += why
    ordered = sorted(choices, key=lambda choice: _cost([choice])[:2])  # stable: then the verifier's order
    return tuple(ordered), tuple(reasons) or (Reason("no_candidates"),)


def _required_options(
    sets: Sequence[CredentialSetQuery], choices: Mapping[str, tuple[Choice, ...]], budget: list[int]
) -> tuple[tuple[Option, ...], bool]:
    """Every way of satisfying all required sets together, up to `MAX_LISTED`, least revealing first."""
    per_set = [_satisfiable(one, choices) for one in sets if one.required]
    if not all(per_set):
        return (), False
    listed: dict[frozenset[str], Option] = {}
    ways = islice(product(*per_set), MAX_LISTED)
    for way in [*ways, _step_by_step(per_set, choices, budget)]:
        query_ids = tuple(dict.fromkeys(query_id for _, ids in way for query_id in ids))
        if frozenset(query_ids) not in listed:
            preference = tuple(position for position, _ in way)
            listed[frozenset(query_ids)] = _option(query_ids, preference, choices, {}, budget)
    options = tuple(sorted(listed.values(), key=lambda option: option.cost))
    return options, prod(len(some) for some in per_set) > MAX_LISTED


_Way = tuple[tuple[int, tuple[str, ...]], ...]


def _satisfiable(
    one: CredentialSetQuery, choices: Mapping[str, tuple[Choice, ...]]
) -> list[tuple[int, tuple[str, ...]]]:
    return [(place, ids) for place, ids in enumerate(one.options) if all(choices[query_id] for query_id in ids)]


def _step_by_step(
    per_set: Sequence[Sequence[tuple[int, tuple[str, ...]]]],
    choices: Mapping[str, tuple[Choice, ...]],
    budget: list[int],
) -> _Way:
    """For each set in turn the option that adds least: the way that is listed even when there are too many to list."""
    chosen: dict[str, tuple[Choice, ...]] = {}
    way: list[tuple[int, tuple[str, ...]]] = []
    for some in per_set:
        best: tuple[Cost, tuple[int, tuple[str, ...]], dict[str, tuple[Choice, ...]]] | None = None
        for place, ids in some:
            extended = {**chosen, **_cheapest(ids, choices, chosen, budget)}
            cost = _cost(_flat(extended), place)
            if best is None or cost < best[0]:
                best = cost, (place, ids), extended
        assert best is not None, "a set without satisfiable options has been sorted out before"
        way.append(best[1])
        chosen = best[2]
    return tuple(way)


def _optional_set(
    index: int,
    one: CredentialSetQuery,
    choices: Mapping[str, tuple[Choice, ...]],
    base: Mapping[str, tuple[Choice, ...]],
    budget: list[int],
) -> OptionalSet:
    options = [_option(ids, (place,), choices, base, budget) for place, ids in _satisfiable(one, choices)]
    ids = tuple(dict.fromkeys(query_id for option in one.options for query_id in option))
    return OptionalSet(index, ids, tuple(sorted(options, key=lambda option: option.cost)))


def _option(
    query_ids: Sequence[str],
    preference: tuple[int, ...],
    choices: Mapping[str, tuple[Choice, ...]],
    base: Mapping[str, tuple[Choice, ...]],
    budget: list[int],
) -> Option:
    found = _cheapest(query_ids, choices, base, budget)
    return Option(found, preference, _cost(_flat({**base, **found}), sum(preference)))


def _cheapest(
    query_ids: Sequence[str],
    choices: Mapping[str, tuple[Choice, ...]],
    base: Mapping[str, tuple[Choice, ...]],
    budget: list[int],
) -> dict[str, tuple[Choice, ...]]:
    """For each of the queries one choice, so that together with `base` least is revealed; those in `base` stay.

    All combinations are compared while the budget lasts. Otherwise each query in turn takes what adds least.
    """
    found = {query_id: base[query_id] for query_id in query_ids if query_id in base}
    open_ids = [query_id for query_id in query_ids if query_id not in base]
    given = _flat(base)
    combinations = prod(len(choices[query_id]) for query_id in open_ids)
    if combinations <= budget[0]:
        budget[0] -= combinations
        ways = product(*(choices[query_id] for query_id in open_ids))
        best = min(ways, key=lambda way: _cost([*given, *way]))
        return {**found, **{query_id: (choice,) for query_id, choice in zip(open_ids, best, strict=True)}}
    for query_id in open_ids:
        choice = min(choices[query_id], key=lambda one: _cost([*given, one]))
        given.append(choice)
        found[query_id] = (choice,)
    return found


def _flat(choices: Mapping[str, tuple[Choice, ...]]) -> list[Choice]:
    return [choice for some in choices.values() for choice in some]


def _cost(choices: Iterable[Choice], position: int = 0) -> Cost:
    """What these choices reveal together: the recipient sees the union of what one credential's presentations show."""
    seen: dict[str, tuple[Exposure, int]] = {}
    order = position
    for choice in choices:
        bits = seen[choice.candidate_id][1] if choice.candidate_id in seen else 0
        seen[choice.candidate_id] = choice.exposure, bits | choice.bits
        order += choice.claim_set or 0
    claims = sum(bits.bit_count() for _, bits in seen.values())
    sensitive = sum(exposure.sensitivity(bits) for exposure, bits in seen.values())
    return claims, sensitive, len(seen), order
