"""Reading a DCQL query: the specification's examples, and every way in which one can be wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.dcql import InvalidQuery, parse_query
from schemas.dcql import query as bounds

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "dcql" / "queries.json").read_text("utf-8"))

Change = Callable[[dict[str, Any]], object]


def valid() -> dict[str, Any]:
    """A query that uses everything."""
    return {
        "credentials": [
            {
                "id": "course",
                "format": "dc+sd-jwt",
                "meta": {"vct_values": ["urn:a", "urn:b"]},
                "multiple": True,
                "trusted_authorities": [{"type": "aki", "values": ["s9tIpPmhxdiuNkHMEWNpYim8S8Y"]}],
                "require_cryptographic_holder_binding": False,
                "claims": [
                    {"id": "title", "path": ["title"]},
                    {"id": "grade", "path": ["results", None, "grade"], "values": ["A", 5, True]},
                ],
                "claim_sets": [["title", "grade"], ["title"]],
            },
            {"id": "extra", "format": "dc+sd-jwt", "meta": {}},
        ],
        "credential_sets": [{"options": [["course"]]}, {"options": [["extra"], ["course"]], "required": False}],
    }


@pytest.mark.parametrize("example", VECTORS["queries"], ids=lambda example: example["name"])
def test_the_specifications_examples_are_valid(example: dict[str, Any]) -> None:
    """Every query printed in OpenID4VP 1.0 is read, ids and claims intact."""
    query = parse_query(example["query"])

    written = example["query"]["credentials"]
    assert [credential.id for credential in query.credentials] == [one["id"] for one in written]
    assert [[list(claim.path) for claim in credential.claims] for credential in query.credentials] == [
        [claim["path"] for claim in one.get("claims", [])] for one in written
    ]
    assert len(query.credential_sets) == len(example["query"].get("credential_sets", []))


def test_everything_in_a_query_is_read() -> None:
    """Each member has its place in what is parsed."""
    query = parse_query(valid())

    course, extra = query.credentials
    assert course.types == (("urn:a",), ("urn:b",))
    assert course.multiple
    assert not course.require_cryptographic_holder_binding
    assert course.trusted_authorities[0].type == "aki"
    assert course.claims[1].path == ("results", None, "grade")
    assert course.claims[1].values == ("A", 5, True)
    assert course.claim_sets == ((0, 1), (0,))
    assert extra.types == ()
    assert extra.claims == ()
    assert extra.require_cryptographic_holder_binding
    assert [one.required for one in query.credential_sets] == [True, False]
    assert query.needs_state


def test_without_sets_all_credentials_are_required_together() -> None:
    """D-04: absent credential_sets means all credentials."""
    value = valid()
    del value["credential_sets"]

    assert [(one.options, one.required) for one in parse_query(value).sets] == [((("course", "extra"),), True)]


def _first(value: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = value["credentials"][0]
    return entry


FAULTS: dict[str, Change] = {
    "no credentials": lambda q: q.pop("credentials"),
    "credentials empty": lambda q: q.update(credentials=[]),
    "credentials no array": lambda q: q.update(credentials={"id": "a"}),
    "credential no object": lambda q: q.update(credentials=["a"]),
    "id missing": lambda q: _first(q).pop("id"),
    "id empty": lambda q: _first(q).update(id=""),
    "id with a space": lambda q: _first(q).update(id="my course"),
    "id with a foreign letter": lambda q: _first(q).update(id="kurså"),
    "id with a line end": lambda q: _first(q).update(id="course\n"),
    "id no string": lambda q: _first(q).update(id=1),
    "id twice": lambda q: _first(q).update(id="extra"),
    "format missing": lambda q: _first(q).pop("format"),
    "format empty": lambda q: _first(q).update(format=""),
    "multiple no boolean": lambda q: _first(q).update(multiple="false"),
    "multiple a number": lambda q: _first(q).update(multiple=0),
    "meta missing": lambda q: _first(q).pop("meta"),
    "meta null": lambda q: _first(q).update(meta=None),
    "vct_values empty": lambda q: _first(q).update(meta={"vct_values": []}),
    "vct_values a string": lambda q: _first(q).update(meta={"vct_values": "urn:a"}),
    "vct_values not strings": lambda q: _first(q).update(meta={"vct_values": [1]}),
    "authorities empty": lambda q: _first(q).update(trusted_authorities=[]),
    "authorities without type": lambda q: _first(q).update(trusted_authorities=[{"values": ["a"]}]),
    "authorities without values": lambda q: _first(q).update(trusted_authorities=[{"type": "aki", "values": []}]),
    "binding no boolean": lambda q: _first(q).update(require_cryptographic_holder_binding=None),
    "claims empty": lambda q: _first(q).update(claims=[]),
    "claims null": lambda q: _first(q).update(claims=None),
    "claim no object": lambda q: _first(q).update(claims=["title"]),
    "claim id twice": lambda q: _first(q)["claims"][0].update(id="grade"),
    "claim id illegal": lambda q: _first(q)["claims"][0].update(id="a.b"),
    "claim id missing beside claim_sets": lambda q: _first(q)["claims"][0].pop("id"),
    "path missing": lambda q: _first(q)["claims"][0].pop("path"),
    "path empty": lambda q: _first(q)["claims"][0].update(path=[]),
    "path a string": lambda q: _first(q)["claims"][0].update(path="title"),
    "path negative": lambda q: _first(q)["claims"][0].update(path=["a", -1]),
    "path true": lambda q: _first(q)["claims"][0].update(path=["a", True]),
    "path with a fraction": lambda q: _first(q)["claims"][0].update(path=["a", 1.0]),
    "path with an array": lambda q: _first(q)["claims"][0].update(path=["a", []]),
    "values empty": lambda q: _first(q)["claims"][0].update(values=[]),
    "values with null": lambda q: _first(q)["claims"][0].update(values=[None]),
    "values with a fraction": lambda q: _first(q)["claims"][0].update(values=[1.0]),
    "values with an object": lambda q: _first(q)["claims"][0].update(values=[{}]),
    "claim_sets empty": lambda q: _first(q).update(claim_sets=[]),
    "claim_sets with an empty one": lambda q: _first(q).update(claim_sets=[[]]),
    "claim_sets with an unknown id": lambda q: _first(q).update(claim_sets=[["nothing"]]),
    "claim_sets without claims": lambda q: _first(q).pop("claims"),
    "sets empty": lambda q: q.update(credential_sets=[]),
    "sets null": lambda q: q.update(credential_sets=None),
    "set without options": lambda q: q.update(credential_sets=[{}]),
    "options empty": lambda q: q.update(credential_sets=[{"options": []}]),
    "option empty": lambda q: q.update(credential_sets=[{"options": [[]]}]),
    "option with an unknown id": lambda q: q.update(credential_sets=[{"options": [["nothing"]]}]),
    "required no boolean": lambda q: q.update(credential_sets=[{"options": [["extra"]], "required": "no"}]),
    "mdoc path of three": lambda q: _first(q).update(
        format="mso_mdoc", meta={}, claims=[{"path": ["a", "b", "c"]}], claim_sets=None
    ),
    "too many credentials": lambda q: q.update(
        credentials=[{"id": f"c{n}", "format": "f", "meta": {}} for n in range(bounds.MAX_CREDENTIAL_QUERIES + 1)]
    ),
    "too many claims": lambda q: _first(q).update(
        claims=[{"path": [f"c{n}"]} for n in range(bounds.MAX_CLAIMS + 1)], claim_sets=None
    ),
    "too long a path": lambda q: _first(q)["claims"][0].update(path=["a"] * (bounds.MAX_PATH_LENGTH + 1)),
    "too large an index": lambda q: _first(q)["claims"][0].update(path=["a", 2**70]),
    "too long a name": lambda q: _first(q)["claims"][0].update(path=["a" * (bounds.MAX_STRING_LENGTH + 1)]),
    "too many alternatives": lambda q: q.update(credential_sets=[{"options": [["extra"]] * (bounds.MAX_OPTIONS + 1)}]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_query_is_refused(fault: str) -> None:
    """D-02, D-06, D-07, D-09, D-11, D-13: one fault each, everything else right."""
    value = valid()
    FAULTS[fault](value)
    if _is_first_an_object(value) and value["credentials"][0].get("claim_sets", ...) is None:
        del value["credentials"][0]["claim_sets"]

    with pytest.raises(InvalidQuery) as raised:
        parse_query(value)

    assert raised.value.error == "invalid_request"


def _is_first_an_object(value: dict[str, Any]) -> bool:
    credentials = value.get("credentials")
    return isinstance(credentials, list) and bool(credentials) and isinstance(credentials[0], dict)


@pytest.mark.parametrize("value", [None, [], "query", 1, True])
def test_a_query_is_an_object(value: object) -> None:
    """Anything else is refused, not guessed at."""
    with pytest.raises(InvalidQuery):
        parse_query(value)


def test_unknown_members_are_ignored_everywhere() -> None:
    """D-11: extensions must not break what is understood."""
    value = valid()
    value["x"] = {"deep": [[]]}
    value["credentials"][0]["x"] = 1
    value["credentials"][0]["meta"]["x"] = None
    value["credentials"][0]["claims"][0]["x"] = []
    value["credentials"][0]["trusted_authorities"][0]["x"] = 1
    value["credential_sets"][0]["x"] = 1

    ignored, plain = parse_query(value), parse_query(valid())

    assert [one.claims for one in ignored.credentials] == [one.claims for one in plain.credentials]
    assert ignored.credential_sets == plain.credential_sets


def test_a_claim_that_is_asked_for_twice_counts_once() -> None:
    """D-13: the second claims query for the same claim is ignored."""
    value = valid()
    del value["credentials"][0]["claim_sets"]
    value["credentials"][0]["claims"] = [{"path": ["a"]}, {"path": ["b"]}, {"path": ["a"], "values": ["x"]}]

    claims = parse_query(value).credentials[0].claims

    assert [(claim.path, claim.values) for claim in claims] == [(("a",), ()), (("b",), ())]


def test_an_unconstrained_type_is_one_without_our_member() -> None:
    """D-09: meta is required, and may be empty."""
    value = valid()
    value["credentials"][0]["meta"] = {"other": ["x"]}

    assert parse_query(value).credentials[0].types == ()
