"""The institution profile: fills gaps, overrides nothing, and lets no personal identity number in."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.offers import IncompleteRecords, draft_offers
from issuer.profiles import (
    InstitutionProfile,
    InvalidProfile,
    load_profile,
    looks_like_personal_number,
    parse_profile,
    plain_profile,
)
from issuer.results import Limits, Results, read_results
from schemas.learning.achievement import Achievement, AwardingBody, Identifier, Learner, Source
from schemas.learning.completeness import completeness
from schemas.types import CREDENTIAL_TYPES
from tests.schemas.learning.samples import TODAY, sample

ROOT = Path(__file__).parents[2]
HEAD = b'[institution]\nnames = { sv = "Nordanviks universitet" }\ncountry = "SE"\n'


def record(**values: object) -> Achievement:
    learner = Learner(family_name="Nyman", identifiers=(Identifier(type="studentIdentifier", value="a1b2"),))
    return Achievement(id="1", learner=learner, provenance={"learner": Source.ELMO}).with_values(Source.ELMO, **values)


def test_a_course_comes_before_the_defaults_and_the_record_before_both() -> None:
    """The nearest statement holds."""
    profile = parse_profile(
        HEAD
        + b'[defaults]\nassessment_type = { sv = "Tentamen" }\neqf_level = 6\nsupervision = { sv = "Sal" }\n'
        + b'[courses.DT1]\nassessment_type = { sv = "Projekt" }\neqf_level = 7\n'
    )
    completed = profile.complete(record(code="DT1", eqf_level=8))
    assert completed.assessment_type == {"sv": "Projekt"}
    assert completed.supervision == {"sv": "Sal"}
    assert (completed.eqf_level, completed.provenance["eqf_level"]) == (8, Source.ELMO)
    assert profile.complete(record(code="DT2")).eqf_level == 6


def test_the_institution_is_the_awarding_body_of_records_that_name_none() -> None:
    """M3 and M4, marked as coming from the profile."""
    completed = parse_profile(HEAD).complete(record())
    assert completed.awarding_body == AwardingBody(names={"sv": "Nordanviks universitet"}, country="SE")
    assert completed.provenance["awarding_body"] is Source.PROFILE


def test_its_own_country_is_added_to_its_own_name_and_to_no_others() -> None:
    """A report that names the institution but not the country."""
    profile = parse_profile(HEAD)
    own = profile.complete(record(awarding_body=AwardingBody(names={"sv": "NORDANVIKS universitet"})))
    sources = {state.element.code: state.sources for state in completeness(own, demanded=()).states}
    assert (sources["M3"], sources["M4"]) == ((Source.PROFILE,), (Source.ELMO,))
    other = profile.complete(record(awarding_body=AwardingBody(names={"fi": "Tampereen yliopisto"})))
    assert own.awarding_body is not None
    assert other.awarding_body is not None
    assert (own.awarding_body.country, other.awarding_body.country) == ("SE", None)


def test_what_can_be_derived_is_marked_as_derived() -> None:
    """Swedish credits from ECTS, SeQF from EQF, hours from credits."""
    profile = parse_profile(HEAD + b"hours_per_credit = 26.667\n")
    completed = profile.complete(record(ects_credits=Decimal("7.5"), eqf_level=7))
    assert (completed.swedish_credits, completed.seqf_level, completed.workload_hours) == (
        Decimal("7.5"),
        7,
        Decimal(200),
    )
    assert {completed.provenance[name] for name in ("swedish_credits", "seqf_level", "workload_hours")} == {
        Source.DERIVED
    }


def test_a_student_number_goes_in_only_when_the_profile_says_so() -> None:
    """And never when it looks like a personal identity number."""
    allowing = parse_profile(HEAD + b'student_number_from = "studentIdentifier"\n')
    assert allowing.complete(record()).learner.student_number == "a1b2"
    assert parse_profile(HEAD).complete(record()).learner.student_number is None
    learner = Learner(family_name="N", identifiers=(Identifier(type="studentIdentifier", value="811228-9874"),))
    hidden = record().model_copy(update={"learner": learner})
    assert allowing.complete(hidden).learner.student_number is None


@pytest.mark.parametrize("name", ["nationalIdentifier", "personnummer", "National Identifier", "SSN"])
def test_a_personal_identity_number_cannot_be_declared_a_student_number(name: str) -> None:
    """The profile is refused."""
    with pytest.raises(InvalidProfile):
        parse_profile(HEAD + f'student_number_from = "{name}"\n'.encode())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("811228-9874", True),
        ("198112289874", True),
        ("19811228-9874", True),
        ("8112289875", False),
        ("a811228-9874", False),
        ("123", False),
        ("", False),
    ],
)
def test_personal_identity_numbers_are_recognised(value: str, expected: bool) -> None:
    """Length and check digit, with or without century and hyphen."""
    assert looks_like_personal_number(value) is expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[institution]",
        b"not toml at all [",
        b"{",
        b"\xff\xfe",
        HEAD + b'[defaults]\ncolour = "red"\n',
        HEAD + b"[defaults]\neqf_level = 9\n",
        HEAD + b'[defaults]\nassessment_type = { "not a tag" = "x" }\n',
        HEAD.replace(b"SE", b"Sweden"),
        HEAD + b"hours_per_credit = 0\n",
    ],
)
def test_a_wrong_profile_is_refused_with_the_place(data: bytes) -> None:
    """An issuer does not start with a profile it half understands."""
    with pytest.raises(InvalidProfile):
        parse_profile(data)


def test_json_says_the_same_as_toml() -> None:
    """Either form."""
    as_json = json.dumps({"institution": {"names": {"sv": "Nordanviks universitet"}, "country": "SE"}}).encode()
    assert parse_profile(as_json) == parse_profile(HEAD)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The operator learns which."""
    with pytest.raises(InvalidProfile, match=r"missing\.toml"):
        load_profile(tmp_path / "missing.toml")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_profile_or_refused(data: bytes) -> None:
    """Nothing else comes out."""
    with pytest.raises(InvalidProfile):
        parse_profile(data)


def results_of(name: str, profile: bytes) -> Results:
    return read_results(sample(name), name, profile=parse_profile(profile), limits=Limits(), today=TODAY)


TAMPERE = """
[institution]
names = { fi = "Tampereen yliopisto", en = "University of Tampere" }
country = "FI"

[awarding_bodies."Vaikea yliopisto"]
country = "FI"
"""
WARSAW = """
[institution]
names = { pl = "Uniwersytet Warszawski", en = "University of Warsaw" }
country = "PL"

[courses."The importance of <br> in HTML"]
workload_hours = 12
"""
COPENHAGEN = """
[institution]
names = { da = "Københavns Universitet", en = "University of Copenhagen" }
country = "DK"
"""


@pytest.mark.parametrize(
    ("name", "profile", "body", "country", "count"),
    [
        ("fi-minimal-unsigned.xml", TAMPERE, "Tampereen yliopisto", "FI", 1),
        ("fi-smp-answer.gz.b64.txt", TAMPERE, "Tampereen Yliopisto", "FI", 38),
        ("dk-tomcat-unsigned.xml", COPENHAGEN, "Københavns Universitet", "DK", 5),
        ("dk-tomcat-signed.xml", COPENHAGEN, "Københavns Universitet", "DK", 5),
        ("dk-tomcat-signed.gz.b64.txt", COPENHAGEN, "Københavns Universitet", "DK", 5),
        ("elmo-schemas-example.xml", WARSAW, "Uniwersytet Warszawski", "PL", 4),
        ("no-vitnemalsportalen-sample.b64.txt", COPENHAGEN, "Universitetet i Oslo", "NO", 2),
    ],
)
@pytest.mark.parametrize("type_name", ["micro-credential", "course-results"])
def test_every_sample_can_be_issued_with_a_profile_that_supplies_what_it_lacks(
    name: str, profile: str, body: str, country: str, count: int, type_name: str
) -> None:
    """The name and the country of the awarding body, and the workload of one course (docs/institution-profile.md)."""
    results = results_of(name, profile.encode())
    assert len(results.achievements) == count
    drafts = draft_offers(CREDENTIAL_TYPES[type_name], results.achievements, with_tx_code=False)
    for draft in drafts:
        assert {body, "Vaikea yliopisto"} & set(draft.claims["issuing_authority"].values())
        assert draft.claims["issuing_country"] == country
    assert "other_country" not in {one.code for one in results.warnings}


def test_a_report_without_a_country_is_refused_with_what_to_do() -> None:
    """M3, of which courses, and where to write it."""
    results = results_of("fi-smp-answer.gz.b64.txt", HEAD)
    with pytest.raises(IncompleteRecords) as refusal:
        draft_offers(CREDENTIAL_TYPES["micro-credential"], results.achievements, with_tx_code=False)
    told = str(refusal.value)
    assert "LTLY16 “Orjentoituvat opinnot” lacks Country of the awarding body (M3)" in told
    assert "and 28 more" in told
    assert "awarding_bodies.NAME.country" in told
    assert len(refusal.value.lacking) == 38


SWEDISH = HEAD + b'hours_per_credit = 27\n[defaults]\nassessment_type = { sv = "Tentamen" }\n'


@pytest.mark.parametrize("name", ["dk-tomcat-signed.xml", "dk-tomcat-unsigned.xml", "fi-minimal-unsigned.xml"])
@pytest.mark.parametrize("type_name", ["micro-credential", "course-results"])
def test_a_report_of_another_country_that_names_nobody_is_not_issued_as_ours(name: str, type_name: str) -> None:
    """Its country stays, and who awarded it stays open: nothing of the profile is said of it, nothing derived."""
    results = results_of(name, SWEDISH)
    for result in results.achievements:
        assert (result.awarding_body, result.awarding_country) == (None, name[:2].upper())
        assert (result.assessment_type, result.swedish_credits, result.workload_hours) == (None, None, None)
        states = {state.element.code: state for state in completeness(result, demanded=()).states}
        assert (states["M3"].sources, states["M4"].present) == ((Source.ELMO,), False)
    assert "other_country" in {one.code for one in results.warnings}
    with pytest.raises(IncompleteRecords) as refusal:
        draft_offers(CREDENTIAL_TYPES[type_name], results.achievements, with_tx_code=False)
    assert {codes for _, codes in refusal.value.lacking} == {("M4",)}
    assert "stands in only where the file states no other country" in str(refusal.value)


def test_the_country_that_the_record_states_keeps_its_source() -> None:
    """A report of our own country that names nobody is ours: its country is its own statement, the name is not."""
    (first, *_) = results_of("dk-tomcat-signed.xml", COPENHAGEN.encode()).achievements
    states = {state.element.code: state.sources for state in completeness(first, demanded=()).states}
    assert (states["M3"], states["M4"]) == ((Source.ELMO,), (Source.PROFILE,))


def test_a_namesake_in_another_country_is_another_body() -> None:
    """The name alone does not make it ours: the record says where it belongs."""
    body = AwardingBody(names={"sv": "Nordanviks universitet"}, country="NO")
    completed = parse_profile(SWEDISH).complete(record(awarding_body=body, ects_credits=Decimal(5)))
    assert completed.awarding_body == body
    assert (completed.assessment_type, completed.swedish_credits, completed.workload_hours) == (None, None, None)


@pytest.mark.parametrize(
    ("profile", "code"),
    [
        (parse_profile(HEAD.replace(b"Nordanviks", b"Annat")), "other_body"),
        (plain_profile({"sv": "Annat universitet"}, "SE"), "other_body_than_set"),
        (plain_profile({"sv": "issuer.example"}, "SE", names_from=Source.ADDRESS), "own_body_not_set"),
        (plain_profile({"sv": "Nordanviks universitet"}, "SE"), None),
    ],
)
def test_what_is_said_of_another_awarding_body_is_true_and_of_every_row(
    profile: InstitutionProfile, code: str | None
) -> None:
    """Without a profile nothing is said of its defaults; without a name nobody can know whose the report is."""
    data = (ROOT / "examples" / "data" / "study-record.xml").read_bytes()
    results = read_results(data, "study-record.xml", profile=profile, limits=Limits(), today=TODAY)
    told = [one for one in results.warnings if one.field == "awarding_body"]
    assert {one.code for one in told} == ({code} if code else set())
    assert [one.row for one in told] == ([int(one.id) for one in results.records] if code else [])
    assert len(results.records) > 1


def test_our_measure_of_work_is_not_applied_to_courses_of_others() -> None:
    """How many hours are behind a credit is said by the institution of itself."""
    body = AwardingBody(names={"sv": "Annat universitet"}, country="SE")
    completed = parse_profile(SWEDISH).complete(record(awarding_body=body, ects_credits=Decimal(5)))
    assert (completed.workload_hours, completed.swedish_credits) == (None, Decimal(5))


def test_the_workload_of_a_course_is_supplied_by_the_profile_where_the_record_has_none() -> None:
    """M7, by code, or by the title of a course without one."""
    profile = parse_profile(HEAD + b'[courses.DT1]\nects_credits = 7.5\n[courses."Kurs"]\nworkload_hours = 40\n')
    by_code = profile.complete(record(code="DT1"))
    assert (by_code.ects_credits, by_code.provenance["ects_credits"]) == (Decimal("7.5"), Source.PROFILE)
    assert (by_code.swedish_credits, by_code.provenance["swedish_credits"]) == (Decimal("7.5"), Source.DERIVED)
    assert profile.complete(record(title={"sv": "Kurs"})).workload_hours == Decimal(40)
    assert profile.complete(record(title={"sv": "Kurs"}, code="X")).workload_hours is None


def test_a_profile_never_contradicts_what_the_record_says_in_another_system() -> None:
    """A record with EQF 7 does not get SeQF 6, nor one with 15 Swedish credits 7.5 ECTS credits."""
    profile = parse_profile(
        HEAD + b"[defaults]\nseqf_level = 6\n[courses.DT1]\nects_credits = 7.5\n[courses.DT2]\neqf_level = 7\n"
    )
    stated = profile.complete(record(code="DT1", eqf_level=7, swedish_credits=Decimal(15)))
    assert (stated.eqf_level, stated.seqf_level) == (7, 7)
    assert (stated.swedish_credits, stated.ects_credits) == (Decimal(15), Decimal(15))
    assert profile.complete(record(code="DT2")).seqf_level == 7
    assert (profile.complete(record()).eqf_level, profile.complete(record()).seqf_level) == (6, 6)


def test_only_numbers_that_begin_with_a_day_are_taken_for_personal_identity_numbers() -> None:
    """One student number in ten would else be lost to its check digit."""
    assert looks_like_personal_number("8112889871") is True  # a coordination number: the day plus 60
    assert looks_like_personal_number("8143289877") is False
    assert looks_like_personal_number("8100289870") is False
