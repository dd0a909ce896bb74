"""What the holder's credentials can answer, and what is proposed."""

from typing import Any

import pytest

from schemas.dcql import Answer, Candidate, ConcretePath, InvalidQuery, InvalidSelection, answer, parse_query

COURSE = "urn:course"
PID = "urn:pid"
SENSITIVE = {"personal_number": 5, "grade": 2}


def sensitivity(path: ConcretePath) -> int:
    """A small list of sensitive names."""
    return max((SENSITIVE.get(str(part), 0) for part in path), default=0)


def course(identifier: str = "course-1", **claims: Any) -> Candidate:
    """A course certificate of which every claim can be hidden."""
    content = {"title": "Algebra", "ects": 7.5, "grade": "B", "level": 6} | claims
    return Candidate(identifier, "dc+sd-jwt", (COURSE,), {"vct": COURSE, "iss": "https://u.example"} | content)


def pid(identifier: str = "pid-1") -> Candidate:
    """An identity certificate."""
    claims = {
        "vct": PID,
        "name": "Alva",
        "personal_number": "199001012382",
        "address": {"city": "Umeå", "zip": "90325"},
    }
    return Candidate(identifier, "dc+sd-jwt", (PID,), claims)


def one(query_id: str, vct: str, *paths: list[Any], **more: Any) -> dict[str, Any]:
    """A credential query."""
    entry: dict[str, Any] = {"id": query_id, "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}, **more}
    if paths:
        entry["claims"] = [{"id": f"c{n}", "path": path} for n, path in enumerate(paths)]
    return entry


def asked(*credentials: dict[str, Any], sets: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A query."""
    return {"credentials": list(credentials)} | ({"credential_sets": sets} if sets else {})


def found(value: dict[str, Any], *candidates: Candidate) -> Answer:
    """The answer of these candidates."""
    return answer(parse_query(value), candidates, sensitivity=sensitivity)


def test_what_is_asked_for_is_proposed() -> None:
    """One query, one credential: exactly the paths asked for."""
    result = found(asked(one("course", COURSE, ["title"], ["grade"])), course(), pid())

    assert result.satisfiable
    assert result.proposed == 0
    assert result.options[0].paths == {"course": [("course-1", (("grade",), ("title",)))]}
    assert result.select().reveals == {"course-1": {("grade",), ("title",)}}


def test_without_claims_nothing_that_can_be_hidden_is_given() -> None:
    """D-01, CS-05: absent claims is a request for no selectively disclosable claim, not for all of them."""
    result = found(asked(one("course", COURSE)), course())

    assert result.options[0].paths == {"course": [("course-1", ())]}
    assert result.select().reveals == {"course-1": frozenset()}


def test_a_credential_that_lacks_one_claim_is_not_offered() -> None:
    """D-03: all or nothing per credential."""
    result = found(asked(one("course", COURSE, ["title"], ["missing"])), course())

    assert not result.satisfiable
    assert result.options == ()
    assert result.proposed is None
    assert [(why.code, why.candidate_id, why.path) for why in result.reasons["course"]] == [
        ("claim_missing", "course-1", ("missing",))
    ]


def test_when_one_required_credential_is_missing_nothing_is_offered() -> None:
    """D-03: all or nothing for the required part."""
    result = found(asked(one("course", COURSE, ["title"]), one("pid", PID, ["name"])), course())

    assert not result.satisfiable
    assert result.choices["course"]
    with pytest.raises(InvalidSelection):
        result.select()


@pytest.mark.parametrize(
    ("candidate", "changes", "code"),
    [
        (Candidate("a", "mso_mdoc", (COURSE,), {"title": "x"}), {}, "format"),
        (Candidate("a", "dc+sd-jwt", ("urn:other",), {"title": "x"}), {}, "type"),
        (Candidate("a", "dc+sd-jwt", (COURSE,), {"title": "x"}, holder_bound=False), {}, "holder_binding"),
        (course(), {"trusted_authorities": [{"type": "aki", "values": ["abc"]}]}, "authority"),
        (course(), {"trusted_authorities": [{"type": "etsi_tl", "values": ["https://x"]}]}, "authority_unknown"),
    ],
)
def test_the_reason_is_named_when_a_credential_does_not_fit(
    candidate: Candidate, changes: dict[str, Any], code: str
) -> None:
    """Each condition outside the claims has its own reason, for the person's eyes."""
    result = found(asked(one("course", COURSE, ["title"], **changes)), candidate)

    assert [why.code for why in result.reasons["course"]] == [code]


def test_an_empty_wallet_has_a_reason_too() -> None:
    """Nothing held at all."""
    assert [why.code for why in found(asked(one("course", COURSE))).reasons["course"]] == ["no_candidates"]


def test_one_matching_authority_is_enough() -> None:
    """D-10: any certificate of the chain may match; an unknown type beside it does no harm."""
    candidate = Candidate(
        "a", "dc+sd-jwt", (COURSE,), {"title": "x"}, authorities={("aki", "leaf"), ("aki", "intermediate")}
    )
    authorities = [{"type": "new", "values": ["?"]}, {"type": "aki", "values": ["other", "intermediate"]}]

    assert found(asked(one("course", COURSE, trusted_authorities=authorities)), candidate).satisfiable


def test_an_unbound_credential_answers_where_no_binding_is_required() -> None:
    """require_cryptographic_holder_binding false accepts both."""
    loose = Candidate("a", "dc+sd-jwt", (COURSE,), {"title": "x"}, holder_bound=False)

    assert found(asked(one("c", COURSE, require_cryptographic_holder_binding=False)), loose).satisfiable
    assert found(asked(one("c", COURSE, require_cryptographic_holder_binding=False)), course()).satisfiable


def test_a_type_that_extends_the_one_asked_for_matches() -> None:
    """D-09: inheritance, and the more general names of aka_vcts."""
    special = Candidate("a", "dc+sd-jwt", ("urn:special", COURSE), {"title": "x"})

    assert found(asked(one("course", COURSE)), special).satisfiable
    assert not found(asked(one("course", "urn:special")), course()).satisfiable


@pytest.mark.parametrize(
    ("value", "expected", "matches"),
    [
        (1, [1], True),
        (True, [True], True),
        ("B", ["A", "B"], True),
        (1, [True], False),
        (True, [1], False),
        (0, [False], False),
        ("1", [1], False),
        (1, ["1"], False),
        (1.0, [1], False),
        (None, ["null"], False),
        (["B"], ["B"], False),
        ({"a": 1}, [1], False),
        ("b", ["B"], False),
    ],
)
def test_values_match_exactly(value: Any, expected: list[Any], matches: bool) -> None:
    """D-06: type and value, and nothing near it."""
    query = one("course", COURSE, ["grade"])
    query["claims"][0]["values"] = expected

    result = found(asked(query), course(grade=value))

    assert result.satisfiable is matches
    if not matches:
        assert [why.code for why in result.reasons["course"]] == ["value_differs"]


def test_only_the_elements_with_an_expected_value_are_given() -> None:
    """Elements of a list that have another value are treated as if they did not exist (6.4.1)."""
    query = one("course", COURSE, ["skills", None])
    query["claims"][0]["values"] = ["b"]

    result = found(asked(query), course(skills=["a", "b", "c"]))

    assert result.options[0].paths == {"course": [("course-1", (("skills", 1),))]}


def test_the_least_revealing_combination_is_proposed_and_the_others_stay() -> None:
    """CS-04: fewest claims first, although the verifier ranked another alternative first."""
    query = one("pid", PID, ["name"], ["address", "zip"], ["address", "city"], claim_sets=[["c0", "c1", "c2"], ["c2"]])

    result = found(asked(query), pid())

    assert [choice.claim_set for choice in result.choices["pid"]] == [1, 0]
    assert result.select().choices["pid"][0].paths == (("address", "city"),)
    other = result.select(picked={"pid": ["pid-1.0"]})
    assert other.choices["pid"][0].paths == (("address", "city"), ("address", "zip"), ("name",))


def test_among_equally_many_claims_the_less_sensitive_are_proposed() -> None:
    """CS-04: then the least sensitive."""
    query = one("pid", PID, ["personal_number"], ["name"], claim_sets=[["c0"], ["c1"]])

    assert found(asked(query), pid()).select().choices["pid"][0].paths == (("name",),)


def test_the_verifiers_order_decides_between_equals() -> None:
    """D-02: the order of claim_sets is a preference."""
    query = one("course", COURSE, ["title"], ["level"], claim_sets=[["c1"], ["c0"]])

    assert found(asked(query), course()).select().choices["course"][0].paths == (("level",),)


def test_a_credential_that_hides_nothing_is_not_proposed_before_one_that_can() -> None:
    """Least revealing is judged by what can be read, not by what was asked."""
    open_book = Candidate(
        "open", "dc+sd-jwt", (COURSE,), {"title": "x", "grade": "B", "level": 6}, disclosable=frozenset()
    )

    result = found(asked(one("course", COURSE, ["title"])), open_book, course())

    assert [choice.candidate_id for choice in result.choices["course"]] == ["course-1", "open"]
    assert result.choices["course"][1].reveals == {("title",), ("grade",), ("level",)}


def test_what_comes_with_a_nested_disclosure_is_counted() -> None:
    """Opening a course to show its title also opens what stands beside the title in clear."""
    candidate = Candidate(
        "t",
        "dc+sd-jwt",
        (COURSE,),
        {"courses": [{"title": "A", "code": "1", "grade": "B"}, {"title": "C", "code": "2", "grade": "D"}]},
        disclosable={("courses", 0), ("courses", 0, "grade"), ("courses", 1), ("courses", 1, "grade")},
    )

    result = found(asked(one("course", COURSE, ["courses", 0, "title"])), candidate)

    assert result.select().reveals == {"t": {("courses", 0, "title"), ("courses", 0, "code")}}


def test_a_path_to_an_object_takes_what_is_below() -> None:
    """7.3: the claim address with its sub-claims is selected; a path below it adds nothing."""
    result = found(asked(one("pid", PID, ["address", "city"], ["address"])), pid())

    assert result.options[0].paths == {"pid": [("pid-1", (("address",),))]}
    assert result.select().reveals == {"pid-1": {("address", "city"), ("address", "zip")}}


def test_of_the_options_of_a_set_the_least_revealing_is_proposed() -> None:
    """credential_sets: each option is a way, and the person may take another."""
    value = asked(
        one("whole", PID, ["name"], ["address"]),
        one("short", PID, ["name"]),
        sets=[{"options": [["whole"], ["short"]]}],
    )

    result = found(value, pid())

    assert [list(option.choices) for option in result.options] == [["short"], ["whole"]]
    assert [option.preference for option in result.options] == [(1,), (0,)]
    assert list(result.select(option=1).choices) == ["whole"]


def test_sets_that_share_a_query_are_looked_at_together() -> None:
    """The option that serves two sets at once reveals less than two small ones."""
    value = asked(
        one("a", COURSE, ["title"]),
        one("b", PID, ["name"]),
        one("c", COURSE, ["level"]),
        sets=[{"options": [["a"], ["b"]]}, {"options": [["b"], ["c"]]}],
    )

    result = found(value, pid(), course())

    assert list(result.select().choices) == ["b"]


def test_optional_sets_stand_by_themselves() -> None:
    """D-04, CS-02: the required part never contains them; each is taken or left."""
    value = asked(
        one("course", COURSE, ["title"]),
        one("course-grade", COURSE, ["grade"]),
        one("who", PID, ["name"]),
        sets=[
            {"options": [["course"]]},
            {"options": [["course-grade"]], "required": False},
            {"options": [["who"]], "required": False},
        ],
    )

    result = found(value, course())

    assert list(result.select().choices) == ["course"]
    assert [(one.index, one.query_ids, one.satisfiable) for one in result.optional] == [
        (1, ("course-grade",), True),
        (2, ("who",), False),
    ]
    with_grade = result.select(ticked={1: 0})
    assert with_grade.copies.keys() == {"course-1"}
    assert [choice.paths for choice in with_grade.copies["course-1"]] == [(("title",),), (("grade",),)]
    with pytest.raises(InvalidSelection):
        result.select(ticked={2: 0})


def test_an_optional_item_follows_the_certificate_that_the_person_picked() -> None:
    """One copy for several queries: the optional grade comes from the same certificate as the title."""
    value = asked(
        one("course", COURSE, ["title"]),
        one("course-grade", COURSE, ["grade"]),
        sets=[{"options": [["course"]]}, {"options": [["course-grade"]], "required": False}],
    )

    result = found(value, course("first"), course("second"))

    assert result.select(ticked={1: 0}).copies.keys() == {"first"}
    assert result.select(ticked={1: 0}, picked={"course": ["second"]}).copies.keys() == {"second"}
    apart = result.select(ticked={1: 0}, picked={"course": ["second"], "course-grade": ["first"]})
    assert apart.copies.keys() == {"first", "second"}


def test_when_nothing_is_required_nothing_is_proposed() -> None:
    """A request of optional sets alone can be answered with nothing at all."""
    value = asked(one("course", COURSE, ["title"]), sets=[{"options": [["course"]], "required": False}])

    result = found(value, course())

    assert result.satisfiable
    assert result.select().choices == {}
    assert list(result.select(ticked={0: 0}).choices) == ["course"]


def test_several_credentials_only_where_the_query_takes_several() -> None:
    """D-05: one is proposed; the person may add where multiple is true."""
    many = found(asked(one("course", COURSE, ["title"], multiple=True)), course("first"), course("second"))
    single = found(asked(one("course", COURSE, ["title"])), course("first"), course("second"))

    assert len(many.select().choices["course"]) == 1
    assert len(many.select(picked={"course": ["first", "second"]}).choices["course"]) == 2
    with pytest.raises(InvalidSelection):
        single.select(picked={"course": ["first", "second"]})


def test_one_credential_does_not_answer_a_query_twice() -> None:
    """Two combinations of one certificate are not two certificates."""
    query = one("course", COURSE, ["title"], ["level"], claim_sets=[["c0"], ["c1"]], multiple=True)

    with pytest.raises(InvalidSelection):
        found(asked(query), course()).select(picked={"course": ["course-1.0", "course-1.1"]})


@pytest.mark.parametrize(
    "arguments",
    [
        {"option": 1},
        {"option": -1},
        {"picked": {"course": ["other"]}},
        {"picked": {"course": []}},
        {"ticked": {0: 0}},
        {"ticked": {5: 0}},
        {"ticked": {1: 1}},
        {"ticked": {-1: 0}},
    ],
)
def test_what_is_not_among_the_alternatives_cannot_be_selected(arguments: dict[str, Any]) -> None:
    """A form can name anything; only what was offered counts."""
    value = asked(
        one("course", COURSE, ["title"]),
        one("grade", COURSE, ["grade"]),
        sets=[{"options": [["course"]]}, {"options": [["grade"]], "required": False}],
    )

    with pytest.raises(InvalidSelection):
        found(value, course()).select(**arguments)


def test_queries_outside_every_set_are_not_answered() -> None:
    """With credential_sets, only what a set names is asked for."""
    value = asked(one("course", COURSE, ["title"]), one("loose", COURSE, ["grade"]), sets=[{"options": [["course"]]}])

    assert list(found(value, course()).select().choices) == ["course"]


def test_a_query_that_takes_too_much_work_is_refused() -> None:
    """The bound is on the work, whatever the shape of the query."""
    many = [[["rows", None, f"m{n}"] for n in range(10)] for _ in range(50)]
    value = asked(*(one(f"q{n}", COURSE, *paths) for n, paths in enumerate(many)))
    rows = [{f"m{n}": n for n in range(10)} for _ in range(3_000)]

    with pytest.raises(InvalidQuery):
        found(value, course(rows=rows))
