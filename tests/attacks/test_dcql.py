"""Hostile queries, and wallets that answer something else than was asked (edge cases D-01 to D-13, V-03, V-04)."""

from contextlib import suppress
from typing import Any

import pytest

from schemas.dcql import (
    Candidate,
    ConcretePath,
    InvalidQuery,
    PresentedCredential,
    answer,
    check_answer,
    parse_query,
)
from schemas.dcql import query as bounds
from schemas.verification import Outcome
from tests.attacks.test_large_tokens import calls

VCT = "urn:course"


def _plain(path: ConcretePath) -> int:
    return 0


def _held(number: int, **claims: Any) -> Candidate:
    return Candidate(f"held-{number}", "dc+sd-jwt", (VCT,), {"vct": VCT} | claims)


def _credential(query_id: str, *paths: list[Any], **more: Any) -> dict[str, Any]:
    claims = [{"id": f"c{place}", "path": path} for place, path in enumerate(paths)]
    return {"id": query_id, "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]}, "claims": claims} | more


def _effort(value: dict[str, Any], wallet: list[Candidate]) -> int:
    """How many functions the wallet calls to think about it, whether it answers or refuses."""

    def think() -> None:
        with suppress(InvalidQuery):
            result = answer(parse_query(value), wallet, sensitivity=_plain)
            if result.satisfiable:
                ticked = {one.index: one.options[0].preference[0] for one in result.optional if one.options}
                result.select(ticked=ticked)

    return calls(think)


def test_d13_sets_that_multiply_do_not_keep_the_wallet_busy() -> None:
    """Fifty sets of two options each are 2 to the power of 50 ways; only a few are looked at."""
    names = [f"q{number}" for number in range(bounds.MAX_CREDENTIAL_QUERIES)]
    value = {
        "credentials": [_credential(name, [f"m{place}"]) for place, name in enumerate(names)],
        "credential_sets": [
            {"options": [[names[place]], [names[place - 1]]], "required": place % 3 != 0}
            for place in range(bounds.MAX_CREDENTIAL_SETS)
        ],
    }
    wallet = [_held(number, **{f"m{place}": place for place in range(50)}) for number in range(20)]

    assert _effort(value, wallet) < 30_000_000


def test_d13_combinations_of_claims_that_multiply_do_not_keep_the_wallet_busy() -> None:
    """Every query with as many claim sets as a query may have, over a full wallet."""
    paths = [[f"m{place}"] for place in range(10)]
    sets = [[f"c{(first + step) % 10}" for step in range(2)] for first in range(bounds.MAX_OPTIONS)]
    value = {
        "credentials": [
            _credential(f"q{number}", *paths, claim_sets=sets) for number in range(bounds.MAX_CREDENTIAL_QUERIES)
        ]
    }
    wallet = [_held(number, **{f"m{place}": place for place in range(10)}) for number in range(40)]

    assert _effort(value, wallet) < 30_000_000


def test_d07_wildcards_that_multiply_do_not_keep_the_wallet_busy() -> None:
    """Paths of nulls over nested lists."""
    value = {
        "credentials": [
            _credential(f"q{number}", *([["rows", *[None] * depth] for depth in range(1, 8)])) for number in range(50)
        ]
    }
    nested: Any = 1
    for _ in range(7):
        nested = [nested] * 4

    assert _effort(value, [_held(number, rows=nested) for number in range(5)]) < 30_000_000


def test_d11_two_queries_with_one_id_are_refused() -> None:
    """Otherwise a wallet could show one of them and answer the other."""
    value = {"credentials": [_credential("a", ["title"]), _credential("a", ["personal_number"])]}

    with pytest.raises(InvalidQuery):
        parse_query(value)


def test_d01_a_query_without_claims_is_no_request_for_everything() -> None:
    """The classic mistake: absent claims read as "all of it"."""
    value = {"credentials": [{"id": "a", "format": "dc+sd-jwt", "meta": {}}]}

    share = answer(parse_query(value), [_held(1, personal_number="1", grade="B")], sensitivity=_plain).select()

    assert share.reveals == {"held-1": frozenset()}


def test_d03_half_an_answer_is_never_offered() -> None:
    """A wallet that sends what it has, where all was required, tells more than it should."""
    value = {"credentials": [_credential("a", ["title"]), _credential("b", ["degree"])]}

    result = answer(parse_query(value), [_held(1, title="A")], sensitivity=_plain)

    assert not result.satisfiable
    assert result.options == ()


@pytest.mark.parametrize(
    ("told", "asked"), [(True, 1), (1, True), ("1", 1), (1, "1"), (1.0, 1), (0, False), ("", False)]
)
def test_d06_a_value_of_another_type_fools_neither_side(told: Any, asked: Any) -> None:
    """Equal in the programming language is not equal in the protocol."""
    credential = _credential("a", ["level"])
    credential["claims"][0]["values"] = [asked]
    query = parse_query({"credentials": [credential]})

    wallet_says = answer(query, [_held(1, level=told)], sensitivity=_plain).satisfiable
    checks = check_answer(query, {"a": [PresentedCredential("dc+sd-jwt", (VCT,), {"level": told})]})

    assert not wallet_says
    assert [check.outcome for check in checks] == [Outcome.PASSED, Outcome.FAILED]


def test_v03_an_answer_under_an_id_that_was_not_asked_for_is_refused() -> None:
    """Even when everything that was asked for is there as well."""
    query = parse_query({"credentials": [_credential("a", ["title"])]})
    good = PresentedCredential("dc+sd-jwt", (VCT,), {"title": "A"})

    checks = check_answer(query, {"a": [good], "b": [good]})

    assert (checks[0].outcome, checks[0].reason) == (Outcome.FAILED, "unknown_query")


def test_v04_an_answer_without_the_claim_is_refused() -> None:
    """A wallet that leaves out what was required is found out, whatever it says."""
    query = parse_query({"credentials": [_credential("a", ["title"], ["grade"])]})

    checks = check_answer(query, {"a": [PresentedCredential("dc+sd-jwt", (VCT,), {"title": "A"})]})

    assert (checks[0].outcome, checks[0].reason) == (Outcome.FAILED, "claim_missing")


def test_v04_only_the_optional_part_is_no_answer() -> None:
    """A required set stays required when something else was answered."""
    value = {
        "credentials": [_credential("a", ["title"]), _credential("b", ["grade"])],
        "credential_sets": [{"options": [["a"]]}, {"options": [["b"]], "required": False}],
    }

    checks = check_answer(parse_query(value), {"b": [PresentedCredential("dc+sd-jwt", (VCT,), {"grade": "A"})]})

    assert (checks[0].outcome, checks[0].reason) == (Outcome.FAILED, "set_missing")


def test_another_element_of_a_list_does_not_pass_for_the_one_asked_for() -> None:
    """When elements are left out the rest moves up: the first course must not pass as the third."""
    query = parse_query({"credentials": [_credential("a", ["courses", 2, "grade"])]})
    claims = {"courses": [{"grade": "A"}, {"grade": "A"}, {"grade": "A"}]}

    moved = PresentedCredential("dc+sd-jwt", (VCT,), claims, positions={("courses",): (0, 1, 3)})
    unknown = PresentedCredential("dc+sd-jwt", (VCT,), claims)

    assert check_answer(query, {"a": [moved]})[0].outcome is Outcome.FAILED
    assert check_answer(query, {"a": [unknown]})[0].outcome is Outcome.COULD_NOT_CHECK
