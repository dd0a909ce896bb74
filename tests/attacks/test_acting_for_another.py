"""Acting for another: what somebody with a power, or without one, may not get through (consent.md, CS-42).

The first part is about the rules themselves, which wallet and verifier share.
"""

import json
from datetime import date
from typing import Any

import pytest

from issuer.profiles import plain_profile
from issuer.results import ImportRefused, Limits, read_results
from schemas.errors import Refused
from schemas.learning.achievement import Learner
from schemas.power import POWER_CHECKS, POWER_VCT, person_of, power_checks
from schemas.types import CREDENTIAL_TYPES
from schemas.verification import Outcome
from tests.schemas.types.records import statement

TYPE = CREDENTIAL_TYPES["power-of-representation"]
GRADES = CREDENTIAL_TYPES["upper-secondary-grades"].vct
REGISTRATION = CREDENTIAL_TYPES["registration-certificate"].vct
TODAY = date(2026, 11, 20)
LINA = {"family_name": "Haddad", "given_name": "Lina", "birthdate": "2012-08-19"}
OMAR = {"family_name": "Haddad", "given_name": "Omar", "birthdate": "1983-03-04"}
POWER: dict[str, Any] = {
    "vct": POWER_VCT,
    **OMAR,
    **{f"principal_{name}": value for name, value in LINA.items()},
    "power_basis": "guardian_of_child",
    "covers_types": [GRADES],
    "covers_recipients": ["school.example"],
    "begins_on": "2026-02-01",
    "ends_on": "2030-08-18",
    "agents_needed": 1,
}


def judged(
    power: dict[str, Any] | None = None,
    subject: dict[str, Any] | None = None,
    *,
    vct: str = GRADES,
    names: set[str] | None = None,
    today: date = TODAY,
) -> dict[str, str]:
    """The checks that did not pass, by name, with their reasons, of a share about Lina under Omar's power, changed."""
    claims = {name: value for name, value in (POWER | (power or {})).items() if value is not None}
    other = {name: value for name, value in (LINA | (subject or {})).items() if value is not None}
    checks = power_checks(
        [claims], [(vct, other)], recipient_names={"school.example"} if names is None else names, today=today
    )
    assert tuple(check.name for check in checks) == POWER_CHECKS
    return {check.name: f"{check.outcome}:{check.reason}" for check in checks if check.outcome is not Outcome.PASSED}


def test_a_power_within_its_limits_passes() -> None:
    """Every other test changes one thing of this."""
    assert judged() == {}
    assert judged(today=date(2026, 2, 1)) == {}
    assert judged(today=date(2030, 8, 18)) == {}
    assert judged({"covers_types": ["all"], "covers_recipients": ["all"]}, names=set()) == {}


def test_a_power_that_has_ended_or_not_begun_is_refused() -> None:
    """From the day after the last one on, and before the first."""
    assert judged(today=date(2030, 8, 19)) == {"power_dates": "failed:power_ended"}
    assert judged({"ends_on": "2026-11-19"}) == {"power_dates": "failed:power_ended"}
    assert judged(today=date(2026, 1, 31)) == {"power_dates": "failed:power_not_begun"}


def test_a_child_that_turns_18_has_no_guardian_whatever_the_power_says() -> None:
    """Access ends by itself on the birthday; the power of another ground goes on as its decision says."""
    longer = {"ends_on": "2040-01-01"}
    assert judged(longer, today=date(2030, 8, 18)) == {}
    assert judged(longer, today=date(2030, 8, 19)) == {"power_dates": "failed:power_of_age"}
    assert judged(longer | {"power_basis": "decision"}, today=date(2030, 8, 19)) == {}


def test_a_guardian_of_somebody_of_unknown_age_is_not_passed() -> None:
    """What cannot be checked is not passed."""
    assert judged({"principal_birthdate": None})["power_dates"] == "could_not_check:power_age_unknown"


@pytest.mark.parametrize(
    ("power", "more", "reason"),
    [
        ({}, {"vct": REGISTRATION}, "failed:power_other_kind"),
        ({}, {"names": {"insurer.example"}}, "failed:power_other_recipient"),
        ({}, {"names": {"school.example.attacker.example"}}, "failed:power_other_recipient"),
        ({}, {"names": set()}, "could_not_check:power_recipient_unknown"),
    ],
)
def test_what_the_power_does_not_cover_is_refused(power: dict[str, Any], more: dict[str, Any], reason: str) -> None:
    """Another kind of certificate, another recipient, and a recipient that nobody vouches for."""
    assert judged(power, **more) == {"power_scope": reason}


@pytest.mark.parametrize(
    ("subject", "outcome"),
    [
        ({"given_name": "Sara"}, "failed:power_other_person"),
        ({"birthdate": "2012-08-20"}, "failed:power_other_person"),
        ({"given_name": "Sara", "birthdate": None}, "failed:power_other_person"),
        (OMAR, "failed:power_other_person"),
        ({"birthdate": None}, "could_not_check:power_person_unknown"),
        ({"family_name": None, "given_name": None, "birthdate": None}, "could_not_check:power_person_unknown"),
    ],
)
def test_the_certificate_of_somebody_else_is_not_covered(subject: dict[str, Any], outcome: str) -> None:
    """Not the other child's, not the agent's own; and one that does not say whose it is could be anybody's."""
    assert judged(subject=subject) == {"power_person": outcome}


def test_a_power_that_several_hold_together_is_not_enough_alone() -> None:
    """Two guardians who must both approve: one of them alone is refused."""
    assert judged({"agents_needed": 2}) == {"power_agents": "failed:power_needs_others"}


def test_a_power_cannot_be_passed_on() -> None:
    """A second power beside the first, a power that covers powers, and a power over oneself."""
    second = POWER | {f"principal_{name}": value for name, value in OMAR.items()}
    checks = power_checks([POWER, second], [(GRADES, LINA)], recipient_names={"school.example"}, today=TODAY)
    assert {check.reason for check in checks if check.outcome is Outcome.FAILED} == {"power_chained"}
    assert not any(check.outcome is Outcome.PASSED for check in checks)
    assert judged({"covers_types": [POWER_VCT, GRADES]}) == {"power_chain": "failed:power_chained"}
    assert judged(LINA)["power_chain"] == "failed:power_chained"
    assert "power_scope" in judged(vct=POWER_VCT)
    assert "power_scope" in judged({"covers_types": ["all"]}, vct=POWER_VCT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"agents_needed": None},
        {"agents_needed": 0},
        {"agents_needed": True},
        {"agents_needed": 1.5},
        {"agents_needed": "1"},
        {"begins_on": None},
        {"ends_on": None},
        {"ends_on": "9999-99-99"},
        {"ends_on": "20300818xx"},
        {"covers_types": None},
        {"covers_types": []},
        {"covers_types": "all"},
        {"covers_types": ["all", GRADES]},
        {"covers_types": [None]},
        {"covers_recipients": None},
        {"covers_recipients": {}},
        {"power_basis": "because"},
        {"power_basis": ["decision"]},
    ],
)
def test_a_power_without_readable_limits_passes_nothing(wrong: dict[str, Any]) -> None:
    """A missing limit is no missing restriction: every check fails."""
    assert set(judged(wrong).values()) == {"failed:power_malformed"}


@pytest.mark.parametrize(
    ("written", "is_theirs"),
    [
        ({"given_name": "LINA", "family_name": "HADDAD"}, True),
        ({"given_name": "Lina Sara"}, True),
        ({"given_name": "Lina\u200b"}, True),
        ({"family_name": "Háddad"}, True),
        ({"birthdate": None}, True),
        ({"given_name": "Sara"}, False),
        ({"birthdate": "2012-08-20"}, False),
        ({"given_name": None}, False),
    ],
)
def test_a_name_written_in_another_way_may_be_the_same_person(written: dict[str, Any], is_theirs: bool) -> None:
    """The wallet is careful: what may be about somebody one acts for is not shown as the holder's own."""
    assert person_of(LINA).may_be(person_of(LINA | written)) is is_theirs


def test_a_name_written_in_another_composition_is_the_same_name() -> None:
    """An umlaut as one character or as two; letters of other scripts that look alike are other letters."""
    assert judged({"principal_family_name": "Ha\u0308dda"}, {"family_name": "H\u00e4dda"}) == {}
    assert judged({"principal_family_name": "H\u0430ddad"}) == {"power_person": "failed:power_other_person"}


# --- issuing ---------------------------------------------------------------------------------------------------------


def issued(**values: Any) -> dict[str, Any]:
    """The claims of a power with these values; what the issuer signs."""
    made = statement(TYPE, learner=Learner(family_name="Haddad", given_name="Omar", birth_date=date(1983, 3, 4)))
    own = {name: value for name, value in POWER.items() if name not in (*OMAR, "vct")}
    return TYPE.claims_from([made.model_copy(update={"values": own | values})])


@pytest.mark.parametrize(
    "wrong",
    [
        {"ends_on": "2030-08-19"},
        {"ends_on": "2026-01-31"},
        {"agents_needed": 0},
        {"covers_types": [POWER_VCT]},
        {"covers_types": ["all", GRADES]},
        {"covers_types": ["ALL"]},
        {"covers_recipients": ["ALL"]},
        {"covers_recipients": ["https://school.example/x"]},
        {"covers_recipients": ["*.example"]},
        {"covers_recipients": ["localhost:99"]},
        {"covers_recipients": ["exämple.se"]},
        {"covers_recipients": ["school.example", "School.example"]},
        {f"principal_{name}": value for name, value in OMAR.items()},
    ],
)
def test_no_issuer_of_ours_makes_a_power_that_breaks_a_rule(wrong: dict[str, Any]) -> None:
    """Beyond the 18th birthday, backwards, for nobody, to be passed on, or over oneself; a file is told, too."""
    assert issued()
    with pytest.raises(Refused):
        issued(**wrong)
    own = {name: value for name, value in (POWER | wrong).items() if name not in (*OMAR, "vct")}
    learner = {"family_name": "Haddad", "given_name": "Omar", "birth_date": "1983-03-04"}
    document = {"certificate_type": TYPE.name, "as_of": "2026-11-20", "learner": learner, "statements": [own]}
    with pytest.raises(ImportRefused) as refusal:
        read_results(
            json.dumps(document).encode(),
            "powers",
            profile=plain_profile({"sv": "Nämnden"}, "SE"),
            limits=Limits(),
            today=TODAY,
        )
    assert len(refusal.value.problems) == 1


def test_a_power_has_no_place_for_where_somebody_lives() -> None:
    """A child with protected identity: the power of one guardian tells neither address nor school, nor that of another
    guardian; and what limits a power cannot be hidden."""
    names = {str(spec.path[0]) for spec in TYPE.claims}
    assert names == {
        *("issuing_authority", "issuing_country", "as_of"),
        *("family_name", "given_name", "birthdate"),
        *("principal_family_name", "principal_given_name", "principal_birthdate", "power_basis"),
        *("covers_types", "covers_recipients", "begins_on", "ends_on", "agents_needed"),
        "reports_to",  # The address of a wallet, hidden, and only when the principal gave it to the source.
    }
    hidden = {path[0] for path in TYPE.disclosable_paths()}
    assert not hidden & {"covers_types", "covers_recipients", "begins_on", "ends_on", "agents_needed"}
    assert {"power_basis", "reports_to"} <= hidden


# --- protected identity ----------------------------------------------------------------------------------------------

WHERE = "Gömställeskolan i Hemligby"


def read_in(type_name: str, *statements: dict[str, Any], **shared: Any) -> list[Any]:
    """The records that a file of statements comes to."""
    learner = {"family_name": "Haddad", "given_name": "Lina", "birth_date": "2012-08-19"}
    document = {"certificate_type": type_name, "as_of": "2026-11-20", "learner": learner, **shared}
    return list(
        read_results(
            json.dumps({**document, "statements": list(statements)}).encode(),
            "statements",
            profile=plain_profile({"sv": "Nämnden"}, "SE"),
            limits=Limits(),
            today=TODAY,
        ).records
    )


@pytest.mark.parametrize("protected", [True, False])
def test_where_a_child_with_protected_identity_is_stays_away_from_every_guardian(protected: bool) -> None:
    """School, office, authority of the place and wallet address are not even read in, so that no certificate that a
    guardian gets, no list, no renewal and no database can tell them."""
    grade = {"achievement_title": {"sv": "Matematik"}, "assessment_grade": "B", "school": {"sv": WHERE}}
    named = {"awarding_body": {"names": {"sv": WHERE}, "country": "SE"}}
    registered = {"registered_status": True, "office": {"sv": WHERE}}
    address = f"https://hemligby.example/reports/x#{'A' * 43}.{'B' * 43}"
    own = {name: value for name, value in POWER.items() if name not in (*OMAR, "vct")} | {"reports_to": address}
    agent = {"family_name": "Haddad", "given_name": "Omar", "birth_date": "1983-03-04"}
    records = [
        *read_in("upper-secondary-grades", grade | {"protected": protected}, **named),
        *read_in("registration-certificate", registered, protected=protected, **named),
        *read_in("power-of-representation", own, protected=protected, learner=agent),
    ]
    assert len(records) == 3
    kept = "".join(one.model_dump_json() for one in records).casefold()
    claims = json.dumps([CREDENTIAL_TYPES[one.type_name].claims_from([one]) for one in records], ensure_ascii=False)
    for told in (kept, claims.casefold()):
        assert ("hemligby" in told) is not protected
    assert "Matematik" in claims


def test_what_cannot_be_told_without_the_place_is_refused() -> None:
    """An employment names the employer: of somebody with protected identity there is no such certificate."""
    job = {"job_title": {"sv": "Vikarie"}, "employer": {"sv": WHERE}, "start_date": "2026-01-01"}
    assert read_in("employment", job)
    with pytest.raises(ImportRefused) as refusal:
        read_in("employment", job, protected=True)
    assert WHERE not in str(refusal.value.problems)
    with pytest.raises(ImportRefused):
        read_in("upper-secondary-grades", {"protected": "perhaps"})
