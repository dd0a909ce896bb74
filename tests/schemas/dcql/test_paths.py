"""Claims path pointers, each rule and each error of OpenID4VP 1.0, section 7.1.1."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.dcql import PathError, select_claims, value_at
from schemas.dcql.paths import MAX_SELECTED, leaves

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "dcql" / "paths.json").read_text("utf-8"))


@pytest.mark.parametrize("example", VECTORS["paths"], ids=lambda example: json.dumps(example["path"]))
def test_the_specifications_examples_select_what_it_says(example: dict[str, Any]) -> None:
    """Section 7.3 gives a credential and five paths into it."""
    found = select_claims(VECTORS["credential"], tuple(example["path"]))

    assert [list(place) for place in found] == example["places"]
    assert [value_at(VECTORS["credential"], place) for place in found] == example["values"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (("degrees", "type"), "not_an_object"),  # a string on an array
        (("name", "first"), "not_an_object"),  # a string on a string
        (("nothing", "at"), "not_an_object"),  # a string on null
        (("address", None), "not_an_array"),  # null on an object
        (("name", None), "not_an_array"),
        (("address", 0), "not_an_array"),  # an integer on an object
        (("nationalities", 2), "nothing_selected"),  # out of range removes, and then nothing is left
        (("missing",), "nothing_selected"),
        (("degrees", None, "missing"), "nothing_selected"),
        (("empty", None), "nothing_selected"),
        (("nationalities", -1), "bad_component"),
        (("nationalities", True), "bad_component"),
        (("nationalities", 1.0), "bad_component"),
        (("nationalities", ("x",)), "bad_component"),
        ((), "empty_path"),
        (("mixed", None, "a"), "not_an_object"),  # one selected element of the wrong kind spoils the path
    ],
)
def test_a_path_that_does_not_fit_is_an_error(path: tuple[Any, ...], reason: str) -> None:
    """D-07: every way in which processing aborts."""
    claims = VECTORS["credential"] | {"nothing": None, "empty": [], "mixed": [{"a": 1}, 2]}

    with pytest.raises(PathError) as raised:
        select_claims(claims, path)

    assert raised.value.reason == reason


def test_elements_without_the_member_fall_out_of_the_selection() -> None:
    """A wildcard selects those elements that have what comes after it."""
    claims = {"courses": [{"title": "A"}, {}, {"title": "C"}], "rows": [[1, 2], [3]]}

    assert select_claims(claims, ("courses", None, "title")) == [("courses", 0, "title"), ("courses", 2, "title")]
    assert select_claims(claims, ("rows", None, 1)) == [("rows", 0, 1)]
    assert select_claims(claims, ("rows", None, None)) == [("rows", 0, 0), ("rows", 0, 1), ("rows", 1, 0)]


def test_a_member_named_like_a_number_is_not_an_index() -> None:
    """The string "0" is a member, the integer 0 an index: they are never confused."""
    assert select_claims({"a": {"0": "x"}}, ("a", "0")) == [("a", "0")]
    with pytest.raises(PathError):
        select_claims({"a": ["x"]}, ("a", "0"))


def test_a_null_value_can_be_selected() -> None:
    """A claim whose value is null exists."""
    assert select_claims({"a": None}, ("a",)) == [("a",)]


def test_a_path_cannot_select_without_end() -> None:
    """Wildcards that multiply are stopped."""
    claims = {"a": [[0] * 200] * (MAX_SELECTED // 200 + 1)}

    with pytest.raises(PathError) as raised:
        select_claims(claims, ("a", None, None))

    assert raised.value.reason == "too_many"


def test_leaves_count_an_empty_container_as_one() -> None:
    """That a list is empty says something too."""
    assert list(leaves({"a": [], "b": {"c": 1, "d": [2, {}]}})) == [("a",), ("b", "c"), ("b", "d", 0), ("b", "d", 1)]
