"""Request templates: what must be there, and how they become questions."""

import gc
import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import service
import verifier
from schemas.dcql import parse_query
from schemas.types import CREDENTIAL_TYPES
from service.i18n import load_catalogues
from tests.verifier.scene import COURSES, Scene
from verifier.fetched import build_notice
from verifier.pages.preview import preview_of
from verifier.queries import Question, build_query
from verifier.request_templates import (
    BUILT_IN,
    InvalidTemplate,
    UnknownTemplate,
    built_in_template,
    parse_template,
    read_template,
)
from verifier.settings import VerifierSettings
from verifier.template_files import load_templates, template_from_file

REASON = {"sv": "Vi behöver det.", "en": "We need it."}

GOOD: dict[str, Any] = {
    "name": "internship",
    "title": {"sv": "Praktik", "en": "Internship"},
    "purpose": {"sv": "Vi väljer vem som får praktikplatsen.", "en": "We choose who gets the internship."},
    "retention_days": 30,
    "basis": "contract",
    "contact": "privacy@employer.example",
    "credentials": [
        {
            "id": "course",
            "vct": ["urn:example:course"],
            "items": [
                {"path": ["title"], "reason": REASON},
                {"path": ["grades", None, "grade"], "reason": REASON, "required": False},
                {"path": ["degrees", 0], "reason": REASON, "required": False},
            ],
        }
    ],
}


@pytest.mark.parametrize("days", [0, 8, -1, True, "7", 1.5])
def test_a_request_lives_a_week_at_most(days: Any) -> None:
    """Days are whole, at least one, at most seven; all else is refused by name."""
    with pytest.raises(InvalidTemplate, match="lifetime_days"):
        parse_template({**GOOD, "lifetime_days": days})


def changed(path: list[str | int], value: Any) -> dict[str, Any]:
    """The good template with one member replaced (or taken out by `...`)."""
    members: Any = deepcopy(GOOD)
    place = members
    for part in path[:-1]:
        place = place[part]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return dict(members)


def test_a_template_becomes_a_query() -> None:
    """Required items together; each optional item in a query and a set of its own."""
    query = build_query(parse_template(GOOD))

    assert [one["id"] for one in query["credentials"]] == ["course", "course-optional-1", "course-optional-2"]
    assert query["credentials"][1]["claims"] == [{"path": ["grades", None, "grade"]}]
    assert query["credential_sets"] == [
        {"options": [["course"]], "required": True},
        {"options": [["course-optional-1"]], "required": False},
        {"options": [["course-optional-2"]], "required": False},
    ]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["purpose"], ...),
        (["contact"], ...),
        (["contact"], ""),
        (["retention_days"], ...),
        (["retention_days"], 0),
        (["retention_until"], "2027-01-01"),  # both forms at once
        (["basis"], ...),
        (["basis"], "because"),
        (["basis"], "consent"),  # with required items (CS-15, OA-13)
        (["title", "en"], ...),
        (["purpose", "sv"], "Vi vill."),  # says nothing
        (["purpose", "en"], ""),
        (["credentials"], []),
        (["credentials", 0, "id"], "with space"),
        (["credentials", 0, "vct"], []),
        (["credentials", 0, "items", 0, "reason"], ...),
        (["credentials", 0, "items", 0, "reason", "sv"], ...),
        (["credentials", 0, "items", 0, "path"], []),
        (["credentials", 0, "items", 0, "path"], ["title", -1]),
        (["credentials", 0, "items", 0, "path"], ["vct"]),  # always visible
        (["credentials", 0, "items", 1, "path"], ["title"]),  # twice
        (["credentials", 0, "items", 0, "values"], []),
        (["credentials", 0, "misspelt"], True),
        (["purpose", "en"], "Ordinary words \u202e turned around here"),
        (["name"], "Not A Name"),
        (["purpose"], {"sv": "\u200b" * 40, "en": "\u200b" * 40}),  # nothing to read
        (["purpose"], {"sv": "." * 40, "en": "." * 40}),
        (["contact"], "\u200b" * 5),
        (["contact"], "....."),
        (["processors"], [{"sv": "En av för många"}] * 51),  # a notice holds 50
        (["recipients"], [{"sv": "En av för många"}] * 51),
        (["credentials", 0, "max_age_days"], 0),  # of what says no day
        (["credentials", 0, "max_age_days"], -1),
        (["answers"], "guilt"),
    ],
)
def test_a_template_that_lacks_something_cannot_be_made(path: list[str | int], value: Any) -> None:
    """Purpose, retention, contact, reasons and both languages are owed to the person."""
    with pytest.raises(InvalidTemplate) as refused:
        parse_template(changed(path, value))

    assert str(refused.value)


def test_consent_is_possible_when_everything_is_optional() -> None:
    """Then nothing is required, and leaving it out costs nothing."""
    members = changed(["basis"], "consent")
    members["credentials"][0]["items"] = [{"path": ["title"], "reason": REASON, "required": False}]

    query = build_query(parse_template(members))

    assert [one["required"] for one in query["credential_sets"]] == [False]


def test_alternatives_are_one_required_set() -> None:
    """A degree or a transcript: one of the two is enough."""
    members = deepcopy(GOOD)
    members["credentials"].append({"id": "other", "vct": ["urn:example:other"]})
    members["alternatives"] = [["course"], ["other"]]

    query = build_query(parse_template(members))

    assert query["credential_sets"][0] == {"options": [["course"], ["other"]], "required": True}


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_built_in_templates_ask_for_claims_that_their_type_has(name: str) -> None:
    """Every path is a disclosable claim of the type, and none is an identity number or a birth date."""
    template = built_in_template(name, contact="privacy@employer.example")

    for credential in template.credentials:
        known = next(one for one in CREDENTIAL_TYPES.values() if one.vct == credential.vct[0])
        for item in credential.items:
            spec = known.spec_for(tuple(part for part in item.path if not isinstance(part, int)))
            assert spec is not None
            assert spec.disclosable, item.path
            assert spec.category not in ("birth", "identifier")
    parse_query(build_query(template))


def test_an_age_is_demanded_of_everything_that_a_certificate_shows() -> None:
    """An optional item is shown by itself, without the day: it could come from an older one."""
    day = {"path": ["as_of"], "reason": REASON}
    members = changed(["credentials", 0, "items"], [day, {"path": ["office"], "reason": REASON, "required": False}])
    members["credentials"][0]["max_age_days"] = 0
    with pytest.raises(InvalidTemplate, match="every item is required"):
        parse_template(members)

    members["credentials"][0]["items"] = [day]
    assert parse_template(members).credentials[0].max_age_days == 0


def test_course_results_uses_paths_into_every_course() -> None:
    """Recursive disclosures: each course's title, not the whole course."""
    template = built_in_template("course-results", contact="privacy@employer.example")

    assert template.types == {COURSES.vct}
    assert ("courses", None, "achievement_title") in {item.path for item in template.credentials[0].items}


def test_an_unknown_template_is_named_as_such(scene: Scene) -> None:
    """With the names of those that are there."""
    with pytest.raises(UnknownTemplate, match="course-results"):
        scene.verifier.templates()["nothing"]


def test_templates_are_read_from_files(tmp_path: Path) -> None:
    """TOML with `*`, JSON with null; a faulty file is named and does not stop the others."""
    (tmp_path / "good.toml").write_text(
        """
        name = "from-toml"
        title = { sv = "Titel", en = "Title" }
        purpose = { sv = "Vi behöver veta vem du är.", en = "We need to know who you are." }
        retention_until = 2030-01-01
        basis = "public_task"
        contact = "privacy@authority.example"
        [[credentials]]
        id = "pid"
        vct = ["urn:eudi:pid:1"]
        status = "if_present"
          [[credentials.items]]
          path = ["nationalities", "*"]
          reason = { sv = "Kravet.", en = "The demand." }
        """
    )
    (tmp_path / "faulty.json").write_text('{"name": "faulty"}')
    (tmp_path / "notes.txt").write_text("nothing")

    shelf = load_templates([tmp_path], contact="x@y.example")

    assert shelf["from-toml"].credentials[0].items[0].path == ("nationalities", None)
    assert set(shelf.templates) == {"from-toml", *BUILT_IN}
    with pytest.raises(InvalidTemplate, match="purpose"):
        shelf["faulty"]
    with pytest.raises(InvalidTemplate):
        template_from_file(tmp_path / "notes.txt")


@pytest.mark.parametrize("content", [b"", b"[", b"\xff", b"[]", b'{"a":1,"a":2}', b"{" * 100])
@pytest.mark.parametrize("is_toml", [True, False])
def test_a_file_that_is_no_template_is_refused(content: bytes, is_toml: bool) -> None:
    """Whatever is in it: one kind of error."""
    with pytest.raises(InvalidTemplate):
        read_template(content, is_toml=is_toml)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ([], "at least one name"),
        ("title", "at least one name"),
        (["title", -1], "counts from the beginning"),
        ([None], "begins with the name"),
        ([None, None], "begins with the name"),
        ([0, "title"], "begins with the name"),
        (["title", True], "names, whole numbers"),
        (["title", 1.5], "names, whole numbers"),
        (["title", ["inner"]], "names, whole numbers"),
        (["title", ""], "is empty"),
    ],
)
def test_a_path_that_selects_nothing_is_refused_in_one_clear_sentence(path: Any, told: str) -> None:
    """The member is named once, without faults that only follow from it."""
    with pytest.raises(InvalidTemplate) as refused:
        parse_template(changed(["credentials", 0, "items", 0, "path"], path))

    assert str(refused.value).startswith("credentials.0.items.0.path: ")
    assert told in str(refused.value)
    assert ";" not in str(refused.value)


@pytest.mark.parametrize("path", [["title"], ["title", 0], ["title", None, None, "sv"], ["title", None]])
def test_a_path_into_arrays_is_a_path(path: list[Any]) -> None:
    """Arrays in arrays: every element of every element (OpenID4VP 7.1)."""
    template = parse_template(changed(["credentials", 0, "items", 0, "path"], path))

    assert template.credentials[0].items[0].path == tuple(path)


def test_a_type_stands_once_in_a_credential_and_in_as_many_credentials_as_wanted() -> None:
    """Twice in one is a slip; two certificates of one type are two credentials."""
    with pytest.raises(InvalidTemplate, match="a type stands twice in vct"):
        parse_template(changed(["credentials", 0, "vct"], ["urn:a", "urn:a"]))
    members = changed(["credentials", 0, "vct"], ["urn:a"])
    members["credentials"] += [{**members["credentials"][0], "id": "another"}]

    assert [one.vct for one in parse_template(members).credentials] == [("urn:a",), ("urn:a",)]


def test_a_byte_order_mark_before_a_template_is_read_over(tmp_path: Path) -> None:
    """Some editors of Windows write one."""
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())
    toml = b'\xef\xbb\xbfname = "b"\n'
    (tmp_path / "b.toml").write_bytes(toml)

    assert template_from_file(tmp_path / "a.json") == parse_template(GOOD)
    with pytest.raises(InvalidTemplate, match=r"b\.toml: title is missing"):
        template_from_file(tmp_path / "b.toml")


@pytest.mark.parametrize("is_toml", [True, False])
def test_a_template_in_utf_16_is_said_to_be_no_utf_8(is_toml: bool) -> None:
    """What to do follows from the sentence."""
    with pytest.raises(InvalidTemplate, match="not text in UTF-8"):
        read_template(json.dumps(GOOD).encode("utf-16"), is_toml=is_toml)


def test_a_retention_date_in_the_past_makes_no_request(scene: Scene) -> None:
    """A promise that was broken before it was given."""
    members = changed(["retention_days"], ...) | {"retention_until": "2026-11-19"}

    with pytest.raises(InvalidTemplate, match="passed"):
        scene.ask(parse_template(members))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@given(member=st.sampled_from(sorted(GOOD)), value=json_values)
def test_a_template_of_any_shape_is_a_template_or_refused(member: str, value: Any) -> None:
    """No input leads to anything but a valid question or `InvalidTemplate`."""
    try:
        template = parse_template(GOOD | {member: value})
    except InvalidTemplate:
        return
    Question.of(template)


def test_what_a_template_declares_stands_in_the_notice_and_in_the_preview(tmp_path: Path) -> None:
    """CS-14: receivers, processors, countries and machine decisions; with number and data protection officer."""
    scene = Scene(tmp_path, organisation_number="556000-0001", data_protection_contact="dpo@company.example")
    declared = GOOD | {
        "recipients": [{"sv": "Lönebolaget", "en": "Payroll Ltd"}],
        "processors": [{"sv": "Driftbolaget", "en": "Hosting Ltd"}],
        "countries": ["US"],
        "automated_decisions": True,
    }
    made, silent = scene.ask(parse_template(declared)), scene.ask(parse_template(GOOD))

    notice, said_nothing = (
        build_notice(one.transaction, terms=scene.settings.terms, identity=scene.verifier.identity)
        for one in (made, silent)
    )

    assert [one.text("en") for one in notice.recipients or ()] == ["Payroll Ltd"]
    assert [one.text("en") for one in notice.processors or ()] == ["Hosting Ltd"]
    assert (notice.countries, notice.automated_decisions) == (("US",), True)
    assert notice.controller.organisation_number == "556000-0001"
    assert notice.controller.data_protection_contact == "dpo@company.example"
    assert (said_nothing.processors, said_nothing.countries) == (None, None)
    t = load_catalogues(Path(service.__file__ or "").parent, Path(verifier.__file__ or "").parent).translator("sv")
    shown = preview_of(parse_template(declared), organisation=notice.controller.name, today=date(2026, 11, 20), t=t)
    assert ("Sköts åt dem av", "Driftbolaget") in shown.facts


def test_every_setting_is_documented() -> None:
    """A new setting needs its line in docs/settings-verifier.md."""
    page = (Path(__file__).parents[2] / "docs" / "settings-verifier.md").read_text(encoding="utf-8")

    missing = [name for name in VerifierSettings.model_fields if f"`VERIFIER_{name.upper()}`" not in page]

    assert missing == []


def test_the_documented_template_is_a_template() -> None:
    """The example in docs/verifier.md can be used as it stands."""
    page = (Path(__file__).parents[2] / "docs" / "verifier.md").read_text(encoding="utf-8")

    template = read_template(page.partition("```toml\n")[2].partition("```")[0].encode(), is_toml=True)

    assert template.name == "trainee"


def test_untold_values_are_compared_and_not_asked_for() -> None:
    """The request matches nothing; what comes back must still be what the template accepts."""
    members = changed(["credentials", 0, "items", 0], {"path": ["title"], "reason": REASON, "values": [True]})
    for told in (True, False):
        members["credentials"][0]["items"][0]["values_told"] = told
        question = Question.of(parse_template(members))

        assert ("values" in question.dcql["credentials"][0]["claims"][0]) is told
        (claim,) = question.query.credential("course").claims
        assert claim.values == (True,)


@pytest.fixture
def nothing_is_collected() -> Iterator[None]:
    """What other tests left to the garbage collector is closed before: in the depth of a recursion it cannot be."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("nothing_is_collected")
def test_a_file_that_is_nested_without_end_is_named_and_stops_nothing_else(tmp_path: Path) -> None:
    """One bad file among the templates: the others are still there."""
    (tmp_path / "deep.toml").write_text("a = " + "[" * 50_000, encoding="utf-8")

    with pytest.raises(InvalidTemplate, match="nested too deeply"):
        read_template(b"a = " + b"[" * 50_000, is_toml=True)
    shelf = load_templates([tmp_path], contact="dpo@employer.example")

    assert "deep" in shelf.faulty
    assert "employer-micro-credential" in shelf.templates
