"""The verifier's own look at an answer: what passes, and what each fault is called."""

from typing import Any

import pytest

from schemas.dcql import PresentedCredential, check_answer, parse_query
from schemas.verification import Outcome

COURSE = "urn:course"


def shown(**claims: Any) -> PresentedCredential:
    """A verified presentation of a course."""
    return PresentedCredential("dc+sd-jwt", (COURSE,), {"vct": COURSE} | claims, positions={})


def asked(**changes: Any) -> dict[str, Any]:
    """A query for the title of a course, and optionally something more."""
    return {
        "credentials": [
            {
                "id": "course",
                "format": "dc+sd-jwt",
                "meta": {"vct_values": [COURSE]},
                "claims": [{"id": "t", "path": ["title"]}],
            }
            | changes,
            {"id": "extra", "format": "dc+sd-jwt", "meta": {}},
        ],
        "credential_sets": [{"options": [["course"]]}, {"options": [["extra"]], "required": False}],
    }


def judged(value: dict[str, Any], presented: dict[str, list[PresentedCredential]]) -> dict[str, tuple[Outcome, str]]:
    """Outcome and reason per check."""
    checks = check_answer(parse_query(value), presented)
    assert [check.name for check in checks] == ["query", "values"]
    return {check.name: (check.outcome, check.reason) for check in checks}


def test_a_complete_answer_passes() -> None:
    """With and without the optional part."""
    good = {"query": (Outcome.PASSED, ""), "values": (Outcome.PASSED, "")}

    assert judged(asked(), {"course": [shown(title="A")]}) == good
    assert judged(asked(), {"course": [shown(title="A")], "extra": [shown()]}) == good


@pytest.mark.parametrize(
    ("changes", "presented", "reason"),
    [
        ({}, {"course": [shown(title="A")], "other": [shown()]}, "unknown_query"),
        ({}, {"course": []}, "empty"),
        ({}, {"course": [shown(title="A"), shown(title="B")]}, "multiple"),
        ({}, {"extra": [shown()]}, "set_missing"),
        ({}, {}, "set_missing"),
        ({}, {"course": [shown(grade="A")]}, "claim_missing"),
        ({}, {"course": [PresentedCredential("mso_mdoc", (COURSE,), {"title": "A"})]}, "format"),
        ({}, {"course": [PresentedCredential("dc+sd-jwt", ("urn:x",), {"title": "A"})]}, "type"),
        (
            {},
            {"course": [PresentedCredential("dc+sd-jwt", (COURSE,), {"title": "A"}, holder_bound=False)]},
            "holder_binding",
        ),
        (
            {"trusted_authorities": [{"type": "aki", "values": ["k"]}]},
            {"course": [PresentedCredential("dc+sd-jwt", (COURSE,), {"title": "A"}, authorities=frozenset())]},
            "authority",
        ),
    ],
)
def test_each_fault_fails_the_query(
    changes: dict[str, Any], presented: dict[str, list[PresentedCredential]], reason: str
) -> None:
    """V-03, V-04, D-05: unknown and missing ids, number, type, binding, claims."""
    result = judged(asked(**changes), presented)

    assert result["query"] == (Outcome.FAILED, reason)
    assert result["values"] == (Outcome.COULD_NOT_CHECK, "earlier_check_failed")


def test_several_presentations_pass_where_several_were_asked_for() -> None:
    """D-05: each of them must be complete."""
    two = judged(asked(multiple=True), {"course": [shown(title="A"), shown(title="B")]})
    half = judged(asked(multiple=True), {"course": [shown(title="A"), shown()]})

    assert two["query"] == (Outcome.PASSED, "")
    assert half["query"] == (Outcome.FAILED, "claim_missing")


def test_another_value_than_asked_for_fails() -> None:
    """D-06, V-04: the wallet's word that the value matched is worth nothing."""
    claims = [{"path": ["title"], "values": ["A", 1]}]

    assert judged(asked(claims=claims), {"course": [shown(title="A")]})["values"] == (Outcome.PASSED, "")
    for value in ("B", True, 1.0, "1", None):
        result = judged(asked(claims=claims), {"course": [shown(title=value)]})
        assert result == {"query": (Outcome.PASSED, ""), "values": (Outcome.FAILED, "value_differs")}


def test_one_whole_combination_is_enough_and_half_of_two_is_not() -> None:
    """D-02: claim_sets are alternatives, each all or nothing."""
    changes = {
        "claims": [{"id": one, "path": [one]} for one in ("a", "b", "c")],
        "claim_sets": [["a", "b"], ["c"]],
    }

    assert judged(asked(**changes), {"course": [shown(c=1)]})["query"] == (Outcome.PASSED, "")
    assert judged(asked(**changes), {"course": [shown(a=1)]})["query"] == (Outcome.FAILED, "claim_missing")


def test_more_than_was_asked_for_is_noted() -> None:
    """The answer stands, and says that the wallet gave too much."""
    more = PresentedCredential(
        "dc+sd-jwt", (COURSE,), {"title": "A", "grade": "B"}, disclosed={("title",), ("grade",)}, positions={}
    )
    parents = PresentedCredential(
        "dc+sd-jwt", (COURSE,), {"title": {"sv": "A"}}, disclosed={("title",), ("title", "sv")}, positions={}
    )

    assert judged(asked(), {"course": [more]})["query"] == (Outcome.PASSED, "more_than_asked")
    nested = asked(claims=[{"path": ["title", "sv"]}])
    assert judged(nested, {"course": [parents]})["query"] == (Outcome.PASSED, "")


def test_an_index_means_the_place_in_the_credential_as_issued() -> None:
    """Undisclosed elements fall out of an array; the second one is still the second."""
    value = asked(claims=[{"path": ["courses", 1, "title"]}])
    claims = {"courses": [{"title": "B"}]}

    second = PresentedCredential("dc+sd-jwt", (COURSE,), claims, positions={("courses",): (1,)})
    first = PresentedCredential("dc+sd-jwt", (COURSE,), claims, positions={("courses",): (0,)})
    unknown = PresentedCredential("dc+sd-jwt", (COURSE,), claims)

    assert judged(value, {"course": [second]})["query"] == (Outcome.PASSED, "")
    assert judged(value, {"course": [first]})["query"] == (Outcome.FAILED, "claim_missing")
    assert judged(value, {"course": [unknown]})["query"] == (Outcome.COULD_NOT_CHECK, "position_unknown")


def test_a_type_that_extends_the_one_asked_for_passes() -> None:
    """D-09: as in the wallet."""
    special = PresentedCredential("dc+sd-jwt", ("urn:special", COURSE), {"title": "A"})

    assert judged(asked(), {"course": [special]})["query"] == (Outcome.PASSED, "")
