"""Every credential type passes the same tests: they run over the table."""

import base64
import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import schemas
from schemas.errors import Refused
from schemas.learning.achievement import AwardingBody, Learner
from schemas.learning.personal_numbers import is_national_type
from schemas.learning.statement import read_record
from schemas.types import CREDENTIAL_TYPES, REGISTERED_CLAIMS, CredentialType, Incomplete, Part, type_of, types_for
from schemas.types.published import rendered
from tests.schemas.types.records import LEARNER, complete, full, several, statement

JSON_FOLDER = Path(schemas.__file__).parent / "json"
TYPES = pytest.mark.parametrize("credential_type", CREDENTIAL_TYPES.values(), ids=CREDENTIAL_TYPES)
NEVER_DISCLOSABLE = {"iss", "vct", "vct#integrity", "aka_vcts", "cnf", "status", "exp", "nbf"}
ACHIEVEMENTS = pytest.mark.parametrize(
    "credential_type", [one for one in CREDENTIAL_TYPES.values() if one.form is None], ids=lambda one: one.name
)
STATEMENTS = pytest.mark.parametrize(
    "credential_type", [one for one in CREDENTIAL_TYPES.values() if one.form is not None], ids=lambda one: one.name
)


def registered(credential_type: CredentialType) -> dict[str, Any]:
    """What the issuer adds to the claims."""
    return {
        "iss": "https://issuer.example",
        "vct": credential_type.vct,
        "cnf": {"jwk": {}},
        "iat": 1,
        "exp": 2,
        "status": {},
    }


@TYPES
def test_the_published_documents_are_what_the_type_says(credential_type: CredentialType) -> None:
    """Making them anew changes not one byte: what is pinned stays pinned."""
    for name, content in rendered(credential_type).items():
        assert (JSON_FOLDER / name).read_bytes() == content


@TYPES
def test_the_integrity_value_pins_the_published_bytes(credential_type: CredentialType) -> None:
    """SHA-256 in base64 with padding, of the document as served (SD-JWT VC, section 6)."""
    digest = hashlib.sha256((JSON_FOLDER / f"{credential_type.name}.type-metadata.json").read_bytes()).digest()
    assert credential_type.integrity() == "sha256-" + base64.b64encode(digest).decode()


@TYPES
def test_type_metadata_has_the_form_of_the_specification(credential_type: CredentialType) -> None:
    """Paths, labels in every locale, `sd` always or never (SD-JWT VC, sections 5.2 to 5.7)."""
    metadata = credential_type.type_metadata()
    assert metadata["vct"] == credential_type.vct == f"urn:intyga:credential:{credential_type.name}:1"
    assert {entry["locale"] for entry in metadata["display"]} == {"sv", "en"}
    paths = [tuple(claim["path"]) for claim in metadata["claims"]]
    assert len(paths) == len(set(paths))
    for claim in metadata["claims"]:
        assert claim["path"]
        assert claim["sd"] in ("always", "never")
        assert {entry["locale"] for entry in claim["display"]} == {"sv", "en"}
        assert all(entry["label"] for entry in claim["display"])


@TYPES
def test_claims_of_the_protocol_can_never_be_hidden(credential_type: CredentialType) -> None:
    """Section 2.2.2.3 of SD-JWT VC; nor anything below them."""
    assert not {path[0] for path in credential_type.disclosable_paths()} & NEVER_DISCLOSABLE
    assert not any(spec.disclosable for spec in REGISTERED_CLAIMS)


@TYPES
def test_claims_fit_the_published_schema(credential_type: CredentialType) -> None:
    """What we issue is what we publish."""
    claims = credential_type.claims_from([complete(credential_type)]) | registered(credential_type)
    schema = json.loads((JSON_FOLDER / f"{credential_type.name}.schema.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(claims)
    mandatory = {spec.path[0] for spec in credential_type.claims if spec.mandatory and len(spec.path) == 1}
    assert "issuing_authority" in mandatory
    for broken in mandatory:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(schema).validate({k: v for k, v in claims.items() if k != broken})


@TYPES
def test_every_claim_issued_is_described_and_every_item_can_be_hidden(credential_type: CredentialType) -> None:
    """No claim without a label; what is always visible is a decision, not an oversight."""
    claims = credential_type.claims_from([complete(credential_type)])
    visible = {spec.path[0] for spec in credential_type.claims if not spec.disclosable}
    limits = {"covers_types", "covers_recipients", "begins_on", "ends_on", "agents_needed"}
    assert visible <= {"issuing_authority", "issuing_country", "achievement_title", "programme"} | limits

    def walk(value: dict[str, Any], path: tuple[str | int, ...]) -> None:
        for name, inner in value.items():
            spec = credential_type.spec_for((*path, name))
            assert spec is not None
            assert spec.matches((*path, name))
            if spec.value_type == "array":
                for index, element in enumerate(inner):
                    walk(element, (*path, name, index))

    walk(claims, ())


@ACHIEVEMENTS
@pytest.mark.parametrize("missing", ["M1", "M2", "M3", "M4", "M5"])
def test_an_incomplete_record_cannot_become_a_certificate(credential_type: CredentialType, missing: str) -> None:
    """The first five elements are demanded by every type of achievements."""
    record = full()
    changes: dict[str, dict[str, Any]] = {
        "M1": {"learner": Learner(given_name="Åsa")},
        "M2": {"title": None},
        "M3": {"awarding_body": AwardingBody(names={"sv": "X"})},
        "M4": {"awarding_body": None},
        "M5": {"issued_on": None},
    }
    with pytest.raises(Incomplete) as refusal:
        credential_type.claims_from([record.model_copy(update=changes[missing])])
    assert missing in refusal.value.missing


def test_a_micro_credential_demands_a_workload() -> None:
    """M7: credits of either kind, or hours."""
    bare = full().model_copy(update={"ects_credits": None, "swedish_credits": None, "workload_hours": None})
    with pytest.raises(Incomplete):
        CREDENTIAL_TYPES["micro-credential"].claims_from([bare])
    assert CREDENTIAL_TYPES["course-results"].claims_from([bare])


@TYPES
def test_records_that_do_not_belong_together_are_refused(credential_type: CredentialType) -> None:
    """One person, one awarding body, and as many records as the type takes."""
    one = complete(credential_type)
    other_person = complete(credential_type, 2, Learner(family_name="Berg"))
    other_body = one.model_copy(update={"awarding_body": AwardingBody(names={"sv": "Annat"}, country="SE")})
    for wrong in ([], [one, other_person], [one, other_body]):
        with pytest.raises(Refused):
            credential_type.claims_from(wrong)


@TYPES
def test_identifiers_stay_out_unless_a_student_number_was_put_in(credential_type: CredentialType) -> None:
    """Identifiers in a record are for telling people apart, not for showing."""
    said = json.dumps(credential_type.claims_from([complete(credential_type)]))
    assert "a1b2" not in said
    assert "2384" not in said
    allowed = complete(credential_type, 1, LEARNER.model_copy(update={"student_number": "a1b2"}))
    shown = credential_type.claims_from([allowed]).get("learner_identification")
    assert shown == ("a1b2" if credential_type.form is None else None)


def test_one_course_of_a_transcript_can_be_shown_without_the_others() -> None:
    """The list, each course and each item of a course are disclosures of their own."""
    paths = CREDENTIAL_TYPES["course-results"].disclosable_paths()
    assert (
        paths.index(("courses",)) < paths.index(("courses", None)) < paths.index(("courses", None, "achievement_title"))
    )
    assert ("courses", None, "assessment_grade") in paths


def test_credits_are_counted_once_on_a_transcript() -> None:
    """A course inside a degree on the same transcript leaves its credits to the degree; alone it keeps them."""
    degree, inner = full(1), full(2).model_copy(update={"counted_in": "1"})
    together = CREDENTIAL_TYPES["course-results"].claims_from([degree, inner])
    assert [course.get("credits") for course in together["courses"]] == [7.5, None]
    alone = CREDENTIAL_TYPES["course-results"].claims_from([inner])
    assert [course.get("credits") for course in alone["courses"]] == [7.5]


@TYPES
@pytest.mark.parametrize("language", ["sv", "en", "sv-SE", "fi"])
def test_a_card_is_readable_from_all_or_from_nothing(credential_type: CredentialType, language: str) -> None:
    """A verifier sees only what was disclosed; the card never breaks."""
    claims = credential_type.claims_from(several(credential_type))
    card = credential_type.card(claims, language)
    assert card.title
    assert card.issuer
    assert card.date
    assert bool(card.credits) == ("credits" in str(claims) or "upper_secondary_points" in str(claims))
    assert all(line.label and line.value for line in card.lines)
    nothing = credential_type.card({}, language)
    assert nothing.title == credential_type.title(language)
    assert not nothing.lines
    hostile = {name: [{"x": None}] for name in claims}
    assert credential_type.card(hostile, language).title


def test_cards_speak_the_readers_language() -> None:
    """Dates, numbers, countries and texts."""
    micro = CREDENTIAL_TYPES["micro-credential"]
    swedish, english = (micro.card(micro.claims_from([full()]), language) for language in ("sv", "en"))
    assert (swedish.title, swedish.date, swedish.credits) == ("Kurs 1", "15 juni 2026", "7,5 hp")
    assert (english.title, english.date, english.credits) == ("Course 1", "15 June 2026", "7.5 ECTS")
    values = {line.label: line.value for line in swedish.lines}
    assert values["Land"] == "Sverige"
    assert values["Undervisningsspråk"] == "svenska, engelska"
    assert values["Beräknad studietid"] == "200 timmar"
    assert values["Kan byggas vidare på"] == "Ja"
    assert values["Lärandemål"] == "Text 1\nText 1"


@TYPES
def test_sensitivity_grows_from_public_to_identifying(credential_type: CredentialType) -> None:
    """The least revealing alternative can be found by adding up."""
    known = {spec.path[0] for spec in credential_type.claims}
    order = ["issuing_authority", "family_name", "birthdate", "learner_identification"]
    levels = [credential_type.sensitivity((name,)) for name in order if name in known]
    assert len(levels) >= 3
    assert levels == sorted(levels)
    assert levels[0] == 0
    assert credential_type.sensitivity(("something", "new")) == 2
    assert credential_type.sensitivity(("learning_outcomes", 0, "sv")) >= 1


def test_types_are_found_by_their_vct() -> None:
    """An unknown type is normal, not an error."""
    for credential_type in CREDENTIAL_TYPES.values():
        assert type_of(credential_type.vct) is credential_type
    assert type_of("urn:eu.europa.ec.eudi:learning:credential:1") is None


def test_claim_names_follow_the_european_type_where_it_has_them() -> None:
    """All its claims about learner and learning are ours as well, under the same names."""
    vector = (
        Path(__file__).parent.parent.parent / "vectors" / "learning" / "sdjwt" / "vct-eudi-learning-credential.json"
    )
    european = {claim["path"][0] for claim in json.loads(vector.read_bytes())["claims"]}
    ours = {spec.path[0] for spec in CREDENTIAL_TYPES["micro-credential"].all_claims()}
    assert european - ours == {
        "jti",
        "date_of_expiry",
    }  # a shared identifier would link the copies; `exp` says the other


@ACHIEVEMENTS
def test_texts_in_a_third_language_are_marked_with_it(credential_type: CredentialType) -> None:
    """A title that exists in Finnish alone is shown, and known to be Finnish (WCAG 3.1.2)."""
    record = full().model_copy(
        update={
            "title": {"fi": "Paloturvallisuus"},
            "outcomes": ({"fi": "Lukea"}, {"sv": "Skriva", "en": "Write"}),
            "awarding_body": AwardingBody(names={"fi": "Tampereen yliopisto"}, country="FI"),
            "part_of": {"und": "Media"},
        }
    )
    card = credential_type.card(credential_type.claims_from([record]), "sv")
    assert (card.issuer, card.issuer_language) == ("Tampereen yliopisto", "fi")
    parts = {line.path[-1]: line.parts for line in card.lines}
    assert parts["achievement_title"] == (Part("Paloturvallisuus", "fi"),)
    assert parts["learning_outcomes"] == (Part("Lukea", "fi"), Part("Skriva"))
    assert parts["part_of"] == (Part("Media"),)
    assert all("\n".join(part.text for part in line.parts) == line.value for line in card.lines)


def test_the_title_of_a_certificate_keeps_the_languages_it_has() -> None:
    """An offer list can then mark them as well."""
    micro, transcript = CREDENTIAL_TYPES["micro-credential"], CREDENTIAL_TYPES["course-results"]
    finnish = full().model_copy(update={"title": {"fi": "Paloturvallisuus", "pl": "Pożar"}})
    assert micro.titles(micro.claims_from([finnish])) == {"fi": "Paloturvallisuus", "pl": "Pożar"}
    assert micro.card(micro.claims_from([finnish]), "en").title_language in ("fi", "pl")
    assert transcript.titles(transcript.claims_from([full(1), full(2)])) == {
        "sv": "Studieresultat, 2 kurser",
        "en": "Course results, 2 courses",
    }
    assert micro.titles({}) == {"sv": "Mikromeritintyg", "en": "Short course certificate"}


# --- statements ------------------------------------------------------------------------------------------------------


@STATEMENTS
def test_a_statement_that_lacks_what_the_type_demands_is_refused(credential_type: CredentialType) -> None:
    """Each demanded value, the person, who says so, the country and the day."""
    whole = statement(credential_type)
    for code in credential_type.demands:
        changes: dict[str, dict[str, Any]] = {
            "learner": {"learner": Learner(given_name="Åsa")},
            "issuing_authority": {"awarding_body": None},
            "issuing_country": {"awarding_body": AwardingBody(names={"sv": "X"})},
            "as_of": {"as_of": None},
        }
        change = changes.get(code, {"values": {name: value for name, value in whole.values.items() if name != code}})
        with pytest.raises(Incomplete) as refusal:
            credential_type.claims_from([whole.model_copy(update=change)])
        assert code in refusal.value.missing
        assert all(credential_type.element(code).supply[language] for language in ("sv", "en"))


@STATEMENTS
def test_a_certificate_of_a_statement_names_nobody_unless_the_record_does(credential_type: CredentialType) -> None:
    """Name and birth date are optional: a number that recognises the person is enough to issue, and is not in it."""
    nameless = statement(credential_type, 1, Learner(identifiers=LEARNER.identifiers))
    claims = credential_type.claims_from([nameless])
    assert not claims.keys() & {"family_name", "given_name", "birthdate"}
    assert "199910022384" not in json.dumps(claims)
    own = [spec for spec in credential_type.claims if not str(spec.path[0]).startswith("principal_")]
    assert not any(spec.mandatory for spec in own if spec.category in ("identity", "birth"))


@STATEMENTS
def test_a_personal_identity_number_cannot_stand_in_any_value(credential_type: CredentialType) -> None:
    """Whoever writes one into a free text, or as the name of who says so, gets no statement."""
    whole = statement(credential_type)
    for number in ("19991002-2384", "9910022384", "Åsa 199910022384."):
        for name, value in whole.values.items():
            if isinstance(value, str | dict | list):
                hidden = (
                    [{"sv": number}]
                    if isinstance(value, list)
                    else {"sv": number}
                    if isinstance(value, dict)
                    else number
                )
                with pytest.raises(ValueError, match="personal identity number"):
                    statement(credential_type, values=whole.values | {name: hidden})
        with pytest.raises(ValueError, match="personal identity number"):
            statement(credential_type, awarding_body=AwardingBody(names={"sv": number}, country="SE"))


@TYPES
def test_no_claim_is_there_for_a_number_of_the_person(credential_type: CredentialType) -> None:
    """Not by any of the names that such numbers have; the student number is the one that a profile can allow."""
    names = {str(part) for spec in credential_type.claims for part in spec.path}
    assert not any(is_national_type(name) for name in names)
    assert not {name for name in names if "number" in name or "identif" in name} - {
        "learner_identification",
        "supervision_and_identity_verification",
    }


@STATEMENTS
def test_a_live_statement_says_the_day_on_which_it_is_made(credential_type: CredentialType) -> None:
    """Not before it is dated; and one that has a day keeps it."""
    live = statement(credential_type, as_of=None, is_live=True)
    assert not credential_type.completeness(live).missing_demanded
    with pytest.raises(Refused):
        credential_type.claims_from([live])
    day = date(2026, 11, 20)
    claims = credential_type.claims_from([live.dated(day)])
    assert {claims.get("as_of"), claims.get("date_of_issuance")} == {"2026-11-20", None}
    assert statement(credential_type).dated(day).as_of == date(2026, 6, 15)


@TYPES
def test_a_type_is_made_of_its_own_records_only(credential_type: CredentialType) -> None:
    """A statement becomes the one certificate that it was made for; an achievement any of its kind."""
    for other in CREDENTIAL_TYPES.values():
        record = complete(other)
        suits = other is credential_type or (other.form is None and credential_type.form is None)
        assert credential_type.suits(record) is suits
        if not suits:
            with pytest.raises(Refused):
                credential_type.claims_from([record])
        assert other.name in types_for(record)


@TYPES
def test_a_record_is_read_back_as_it_was_kept(credential_type: CredentialType) -> None:
    """The same kind, the same values, whichever kind it is."""
    record = complete(credential_type)
    assert read_record(record.model_dump_json().encode()) == record


def test_registration_and_target_group_hold_for_days_not_for_years() -> None:
    """What can change every day is not valid for longer than a month."""
    days = {name: one.validity_days for name, one in CREDENTIAL_TYPES.items() if one.validity_days is not None}
    assert days == {"registration-certificate": 30, "target-group-certificate": 30}


def test_cards_of_statements_speak_the_readers_language() -> None:
    """The answer, the day, the extent in percent, the title of the programme and the position."""
    registered_type = CREDENTIAL_TYPES["registration-certificate"]
    claims = registered_type.claims_from([complete(registered_type)])
    for language, answer, day in (("sv", "Ja", "15 juni 2026"), ("en", "Yes", "15 June 2026")):
        card = registered_type.card(claims, language)
        lines = {line.path[-1]: line.value for line in card.lines}
        assert (lines["registered_status"], lines["as_of"], card.date) == (answer, day, day)
    employed = CREDENTIAL_TYPES["employment"]
    card = employed.card(employed.claims_from([complete(employed)]), "sv")
    assert card.title == "job_title 1"
    assert "75,5\u00a0%" in {line.value for line in card.lines}
    group = CREDENTIAL_TYPES["target-group-certificate"]
    assert group.titles(group.claims_from([complete(group)]))["sv"] == "Målgrupp för programme 1"


def test_one_course_of_upper_secondary_school_can_be_shown_without_the_others() -> None:
    """The list, each course, and each item of a course; the points of all are added up."""
    grades = CREDENTIAL_TYPES["upper-secondary-grades"]
    paths = grades.disclosable_paths()
    assert {("courses",), ("courses", None), ("courses", None, "assessment_grade")} <= set(paths)
    card = grades.card(grades.claims_from(several(grades)), "sv")
    assert (card.title, card.credits) == ("Gymnasiebetyg, 2 kurser", "200 gymnasiepoäng")
