"""The institution profile: fills gaps, overrides nothing, and lets no personal identity number in."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.profiles import InvalidProfile, load_profile, looks_like_personal_number, parse_profile
from schemas.learning.achievement import Achievement, AwardingBody, Identifier, Learner, Source

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
