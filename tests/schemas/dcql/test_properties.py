"""Properties of DCQL over generated queries and credentials."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.dcql import (
    Answer,
    Candidate,
    ConcretePath,
    PathError,
    PresentedCredential,
    Query,
    Selection,
    answer,
    check_answer,
    leaves,
    parse_query,
    select_claims,
)
from schemas.errors import ProtocolError
from schemas.verification import Outcome

NAMES = ("a", "b", "c")
VALUES = st.one_of(st.sampled_from(["x", "y"]), st.sampled_from([0, 1, True, False]), st.sampled_from([1.0, None]))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                [
                    "credentials",
                    "id",
                    "format",
                    "meta",
                    "claims",
                    "path",
                    "claim_sets",
                    "credential_sets",
                    "options",
                    "x",
                ]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=25,
)
CLAIM_VALUE = st.recursive(
    VALUES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)),
    max_leaves=6,
)
CLAIMS = st.dictionaries(st.sampled_from(NAMES), CLAIM_VALUE, min_size=1, max_size=3)
PATHS = st.lists(st.one_of(st.sampled_from(NAMES), st.sampled_from([0, 1, None])), min_size=1, max_size=3)


def weight(path: ConcretePath) -> int:
    """The further in the alphabet, the more sensitive."""
    return NAMES.index(str(path[0])) if path[0] in NAMES else 0


@st.composite
def candidates(draw: st.DrawFn) -> Candidate:
    """A credential of one of two types, any part of which may be a disclosure of its own."""
    claims = draw(CLAIMS)
    places = sorted(_places(claims), key=repr)
    hidden = draw(st.sets(st.sampled_from(places)))
    vct = draw(st.sampled_from(["urn:1", "urn:2"]))
    return Candidate("?", "dc+sd-jwt", (vct,), claims, disclosable=hidden, holder_bound=draw(st.booleans()))


@st.composite
def wallets(draw: st.DrawFn) -> list[Candidate]:
    """A few credentials with names of their own."""
    some = draw(st.lists(candidates(), max_size=3))
    return [
        Candidate(f"held-{number}", one.format, one.type_chain, one.claims, (), one.disclosable, (), one.holder_bound)
        for number, one in enumerate(some)
    ]


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """A valid query over the same names and types."""
    credentials = []
    for number in range(draw(st.integers(1, 3))):
        entry: dict[str, Any] = {"id": f"q{number}", "format": "dc+sd-jwt"}
        entry["meta"] = draw(st.sampled_from([{}, {"vct_values": ["urn:1"]}, {"vct_values": ["urn:1", "urn:2"]}]))
        entry["require_cryptographic_holder_binding"] = draw(st.booleans())
        claims = [{"id": f"c{place}", "path": path} for place, path in enumerate(draw(st.lists(PATHS, max_size=3)))]
        for claim in claims:
            if draw(st.integers(0, 3)) == 0:
                claim["values"] = draw(st.lists(st.sampled_from(["x", 1, True]), min_size=1, max_size=2))
        if claims:
            entry["claims"] = claims
            if draw(st.booleans()):
                ids = st.sampled_from([claim["id"] for claim in claims])
                entry["claim_sets"] = draw(st.lists(st.lists(ids, min_size=1, max_size=3), min_size=1, max_size=2))
        credentials.append(entry)
    value: dict[str, Any] = {"credentials": credentials}
    if draw(st.booleans()):
        ids = st.sampled_from([entry["id"] for entry in credentials])
        options = st.lists(st.lists(ids, min_size=1, max_size=2), min_size=1, max_size=2)
        sets = st.fixed_dictionaries({"options": options, "required": st.booleans()})
        value["credential_sets"] = draw(st.lists(sets, min_size=1, max_size=3))
    return parse_query(value)


def _places(value: Any, place: ConcretePath = ()) -> Iterator[ConcretePath]:
    """Every concrete path below the top, as an oracle of its own."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*place, key)
        yield from _places(inner, (*place, key))


def _opened(candidate: Candidate, paths: Collection[ConcretePath]) -> set[ConcretePath]:
    """The disclosures that a wallet must add for these paths: itself, parents, and everything below."""
    assert candidate.disclosable is not None
    return {
        place
        for place in candidate.disclosable
        if any(place == path[: len(place)] or path == place[: len(path)] for path in paths)
    }


def _redacted(
    candidate: Candidate, opened: set[ConcretePath]
) -> tuple[dict[str, Any], set[ConcretePath], dict[ConcretePath, list[int]], set[ConcretePath]]:
    """What a recipient sees: claims, leaves by their place in the credential, positions, places of disclosures."""
    assert candidate.disclosable is not None
    closed = set(candidate.disclosable) - opened
    readable: set[ConcretePath] = set()
    positions: dict[ConcretePath, list[int]] = {}
    disclosed: set[ConcretePath] = set()

    def copy(value: Any, original: ConcretePath, here: ConcretePath) -> Any:
        if here and original in opened:
            disclosed.add(here)
        if isinstance(value, Mapping) and value:
            return {
                key: copy(inner, (*original, key), (*here, key))
                for key, inner in value.items()
                if (*original, key) not in closed
            }
        if isinstance(value, list) and value:
            kept = [index for index in range(len(value)) if (*original, index) not in closed]
            positions[here] = kept
            return [copy(value[index], (*original, index), (*here, at)) for at, index in enumerate(kept)]
        readable.add(original)
        return value

    return copy(candidate.claims, (), ()), readable, positions, disclosed


def presented(
    selection: Selection, wallet: list[Candidate]
) -> tuple[dict[str, list[PresentedCredential]], dict[str, set[ConcretePath]]]:
    """What the verifier receives for a selection, and which leaves it can read per credential."""
    by_id = {one.id: one for one in wallet}
    answers: dict[str, list[PresentedCredential]] = {}
    seen: dict[str, set[ConcretePath]] = {}
    for query_id, choices in selection.choices.items():
        for choice in choices:
            held = by_id[choice.candidate_id]
            claims, readable, positions, disclosed = _redacted(held, _opened(held, choice.paths))
            seen.setdefault(held.id, set()).update(readable)
            answers.setdefault(query_id, []).append(
                PresentedCredential(
                    held.format,
                    held.type_chain,
                    claims,
                    held.holder_bound,
                    disclosed=disclosed,
                    positions=positions,
                )
            )
    return answers, seen


@given(JSON)
@settings(max_examples=300)
def test_the_parser_is_total(value: Any) -> None:
    """Whatever JSON arrives, the parser gives a query or a protocol error, never anything else."""
    with suppress(ProtocolError):
        parse_query(value)


@given(CLAIMS, st.lists(st.one_of(st.text(max_size=2), st.integers(-2, 3), st.none(), st.booleans()), max_size=4))
def test_a_path_selects_places_that_exist_or_is_an_error(claims: dict[str, Any], path: list[Any]) -> None:
    """What is selected is there, fits the path, and no place is selected twice."""
    try:
        found = select_claims(claims, tuple(path))
    except PathError:
        return
    assert found
    assert len(set(found)) == len(found)
    every = set(_places(claims))
    for place in found:
        assert place in every
        assert len(place) == len(path)
        assert all(wanted is None or wanted == got for wanted, got in zip(path, place, strict=True))


@given(queries(), wallets(), st.data())
@settings(max_examples=300)
def test_what_is_offered_always_passes_the_verifiers_check(
    query: Query, wallet: list[Candidate], data: st.DataObject
) -> None:
    """Whatever a person may select, the verifier's independent check accepts, and finds nothing too much."""
    result = answer(query, wallet, sensitivity=weight)
    if not result.satisfiable:
        return
    satisfiable = [one for one in result.optional if one.satisfiable]
    ticked = {
        one.index: data.draw(st.sampled_from(one.options)).preference[0]
        for one in satisfiable
        if data.draw(st.booleans())
    }
    picked = {
        query_id: [data.draw(st.sampled_from([choice.key for choice in some]))]
        for query_id, some in result.choices.items()
        if len(some) > 0 and data.draw(st.booleans())
    }
    option = data.draw(st.integers(0, len(result.options) - 1))
    selection = result.select(option=option, ticked=ticked, picked=picked)
    for query_id, keys in picked.items():
        if query_id in selection.choices:
            assert [choice.key for choice in selection.choices[query_id]] == keys

    received, _ = presented(selection, wallet)

    for check in check_answer(query, received):
        assert (check.outcome, check.reason) == (Outcome.PASSED, ""), check


@given(queries(), wallets())
@settings(max_examples=300)
def test_nothing_beyond_what_was_asked_for_can_be_read(query: Query, wallet: list[Candidate]) -> None:
    """Every readable leaf was asked for, or cannot be hidden, or stands in clear beside something on the way to it."""
    result = answer(query, wallet, sensitivity=weight)
    if not result.satisfiable:
        return
    selection = result.select()
    _, seen = presented(selection, wallet)

    assert {candidate_id: set(some) for candidate_id, some in selection.reveals.items()} == seen
    for held in wallet:
        for choice in selection.copies.get(held.id, ()):
            wanted = [claim.path for claim in query.credential(choice.query_id).claims]
            for path in choice.paths:
                assert any(
                    len(path) == len(asked)
                    and all(want is None or want == got for want, got in zip(asked, path, strict=True))
                    for asked in wanted
                )


@given(queries(), wallets())
@settings(max_examples=300)
def test_no_other_way_reveals_less_than_the_proposal(query: Query, wallet: list[Candidate]) -> None:
    """Brute force over every way of answering the required part finds nothing smaller."""
    result = answer(query, wallet, sensitivity=weight)
    smallest = min(_every_cost(query, wallet), default=None)
    if smallest is None:
        assert not result.satisfiable
        assert result.proposed is None
        return
    _, seen = presented(result.select(), wallet)

    assert result.proposed == 0
    assert _cost(seen) == smallest


def _cost(seen: Mapping[str, Collection[ConcretePath]]) -> tuple[int, int]:
    places = [place for some in seen.values() for place in some]
    return len(places), sum(weight(place) for place in places)


def _every_cost(query: Query, wallet: list[Candidate]) -> Iterator[tuple[int, int]]:
    """What each way of answering would reveal, found the long way: ask for one credential at a time."""
    per_query = {}
    for credential in query.credentials:
        ways = []
        for held in wallet:
            alone = Query((credential,))
            single: Answer = answer(alone, [held], sensitivity=weight)
            for choice in single.choices[credential.id]:
                _, readable, _, _ = _redacted(held, _opened(held, choice.paths))
                ways.append((held.id, readable))
        per_query[credential.id] = ways
    required = [one.options for one in query.sets if one.required]
    for way in product(*required):
        ids = sorted({query_id for option in way for query_id in option})
        for assignment in product(*(per_query[query_id] for query_id in ids)):
            seen: dict[str, set[ConcretePath]] = {}
            for candidate_id, readable in assignment:
                seen.setdefault(candidate_id, set()).update(readable)
            yield _cost(seen)


def test_the_oracle_and_the_code_agree_on_leaves() -> None:
    """The tests' own reading of a credential finds the same leaves."""
    claims = {"a": {"b": [1, {"c": None}], "c": []}}
    candidate = Candidate("?", "dc+sd-jwt", (), claims, disclosable=frozenset())

    assert _redacted(candidate, set())[1] == set(leaves(claims))
