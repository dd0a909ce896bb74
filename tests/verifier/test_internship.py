"""The internship template: two statements as of today and a course record come to one word, nothing else is known."""

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import verifier
from schemas.consent import LocalizedText
from schemas.types import CREDENTIAL_TYPES
from schemas.verification import Check, Outcome
from service.i18n import load_catalogues
from tests.verifier.scene import Issuer, Scene, assert_refused_by
from tests.verifier.withdrawing import act, take
from verifier import sentences
from verifier.app import catalogues_of
from verifier.eligibility import Answer, Eligibility, Ground, eligibility_of, words_for_person
from verifier.exchange import MadeRequest, Reply
from verifier.pages.board import told as log_told
from verifier.pages.stands import stand_of
from verifier.policies import AgeRule
from verifier.result_document import result_document
from verifier.sentences import check_sentence
from verifier.store import Contents, Event
from verifier.verification import Verdict

REGISTRATION = CREDENTIAL_TYPES["registration-certificate"]
TARGET_GROUP = CREDENTIAL_TYPES["target-group-certificate"]
TODAY = "2026-11-20"
CANARIES = ("19980203-TF12", "1999-10-02", "Kanarekassan", "Kanarek-Test")
ROOM = Path(verifier.__file__).parent
AUTHORITY = {"sv": "Arbetsförmedlingen", "en": "Swedish Public Employment Service"}

REGISTERED: dict[str, Any] = {
    "issuing_authority": AUTHORITY,
    "issuing_country": "SE",
    "registered_status": True,
    "registered_since": "2026-01-12",
    "unemployment_fund": "Kanarekassan",
    "as_of": TODAY,
    "family_name": "Kanarek-Test",
    "birthdate": "1999-10-02",
}
IN_TARGET_GROUP: dict[str, Any] = {
    "issuing_authority": AUTHORITY,
    "issuing_country": "SE",
    "programme": {"sv": "Jobbsprånget", "en": "Jobbsprånget"},
    "in_target_group": True,
    "as_of": TODAY,
}


class Applicant(Scene):
    """A scene whose holder has what an internship asks for; members given here replace those of the certificates."""

    def hold(self, registration: dict[str, Any] | None = None, target: dict[str, Any] | None = None) -> None:
        """Have the two statements, changed."""
        self.statements = {
            REGISTRATION.vct: self.issuer.issue(
                REGISTERED | (registration or {}),
                holder=self.holder,
                credential_type=REGISTRATION,
                now=self.now,
                index=20,
            ),
            TARGET_GROUP.vct: self.issuer.issue(
                IN_TARGET_GROUP | (target or {}),
                holder=self.holder,
                credential_type=TARGET_GROUP,
                now=self.now,
                index=21,
            ),
        }

    def held_for(self, query: Mapping[str, Any]) -> str:
        """The certificate for a query."""
        for vct, token in self.statements.items():
            if vct in query["meta"]["vct_values"]:
                return token
        return super().held_for(query)

    def apply(self, *more: str) -> tuple[MadeRequest, Reply]:
        """Answer the internship's request with the statements and the course."""
        made = self.ask("internship")
        request = self.fetch(made)
        token = {name: [self.presentation(request, name)] for name in ("registration", "target-group", *more)}
        return made, self.post(made, self.form(request, {"vp_token": token}))

    def told(self, made: MadeRequest) -> dict[str, Any]:
        """The result as programs read it."""
        record = self.result(made)
        contents = self.verifier.contents(made.id, viewer="test") if record.has_contents else None
        return result_document(
            record,
            contents=contents,
            deletion=None,
            catalogues=catalogues_of(self.settings),
            time_zone=self.settings.time_zone,
        )


@pytest.fixture
def applicant(tmp_path: Path) -> Applicant:
    """Somebody who meets every requirement today."""
    made = Applicant(tmp_path)
    made.hold()
    return made


@pytest.mark.parametrize("record", ["course", "transcript"])
def test_the_answer_is_one_word_with_its_day_and_who_says_so(applicant: Applicant, record: str) -> None:
    """Eligible, as of a day, says the employment service; a degree or a course record makes no difference."""
    made, reply = applicant.apply(record)

    assert reply.status == 200
    told = applicant.told(made)["eligibility"]
    assert (told["answer"], told["as_of"], told["fault"]) == ("eligible", TODAY, None)
    assert told["sentence"] == "Eligible as of 20 November 2026, says Example University."
    assert told["sentence_sv"] == "Behörig den 20 november 2026, enligt Example University."
    assert (told["for_person"], told["for_person_sv"]) == (told["sentence"], told["sentence_sv"])
    assert [ground["as_of"] for ground in told["grounds"]] == [TODAY, TODAY, None]
    assert [one["title"] for one in told["grounds"][:2]] == [
        "Job seeker registration",
        "Target group certificate",
    ]


def test_the_receiver_learns_nothing_but_what_the_answer_needs(applicant: Applicant) -> None:
    """Neither number, birth date, name nor unemployment fund is in what was sent, kept or told."""
    made, _ = applicant.apply("course")

    told = str(applicant.told(made))
    kept = applicant.verifier.contents(made.id, viewer="test")
    assert isinstance(kept, Contents)
    seen = told + "".join(str(one.items) + str(one.token) for one in kept.presentations)
    for canary in CANARIES:
        assert canary not in seen
    asked = {item.path for credential in applicant.template("internship").credentials for item in credential.items}
    assert asked == {
        ("registered_status",), ("in_target_group",), ("as_of",), ("courses", None, "achievement_title"),
    }  # fmt: skip


def test_neither_course_nor_transcript_is_not_enough(applicant: Applicant) -> None:
    """The set of alternatives is required."""
    made, reply = applicant.apply()

    assert_refused_by(applicant, made, reply, "query", "set_missing")
    assert applicant.told(made)["eligibility"]["answer"] == "undecided"


@pytest.mark.parametrize(
    ("registration", "target"), [({"registered_status": False}, {}), ({}, {"in_target_group": False})]
)
def test_a_no_of_the_source_is_not_eligible(applicant: Applicant, registration: Any, target: Any) -> None:
    """Said by somebody who is trusted: that is an answer, of which nothing is kept."""
    applicant.hold(registration, target)
    made, reply = applicant.apply("course")

    assert_refused_by(applicant, made, reply, "values", "value_differs")
    told = applicant.told(made)["eligibility"]
    assert told["answer"] == "not_eligible"
    assert told["sentence"] == "Not eligible as of 20 November 2026, says Example University."


def test_an_old_statement_decides_nothing_and_says_what_to_do(applicant: Applicant) -> None:
    """Yesterday's is renewed, not believed and not held against the person."""
    applicant.hold({"as_of": "2026-11-19"})
    made, reply = applicant.apply("course")

    assert_refused_by(applicant, made, reply, "recency", "statement_too_old")
    told = applicant.told(made)["eligibility"]
    assert told["answer"] == "undecided"
    assert told["sentence"].endswith("Ask the person to renew it and come back.")
    assert told["for_person"] == (
        "We could not decide yet. “Job seeker registration” is true of an earlier day than we need. "
        "Fetch a new one in your wallet, and answer again."
    )
    assert told["for_person_sv"].startswith("Vi kunde inte avgöra det ännu. ”")
    faults = [ground["fault"]["reason"] for ground in told["grounds"] if ground["fault"]]
    assert faults[0] == "statement_too_old"


NO_TERMS = re.compile(r"certificate|issuer|revo[ck]|signature|rely|accept|the person|credential|claim|token", re.I)


FAULTS = [*((name, "") for name in sentences._NAMES), *(("any", reason) for reason in sentences._BY_REASON)]


@pytest.mark.parametrize(("name", "reason"), [*FAULTS, ("never heard of", "never heard of")])
def test_a_person_reads_what_they_can_do_and_nothing_of_what_staff_read(name: str, reason: str) -> None:
    """Whatever was found: plain words to the person, in both languages, and never the sentence for staff."""
    kind = LocalizedText(sv="Intyg om inskrivning", en="Job seeker registration")
    for outcome in (Outcome.FAILED, Outcome.COULD_NOT_CHECK):
        fault = Check(name, outcome, reason)
        of_one = Eligibility(Answer.UNDECIDED, None, (Ground("registration", kind, "", None, fault),))
        of_all = Eligibility(Answer.UNDECIDED, None, (), fault)
        strange = Eligibility(
            Answer.UNDECIDED, None, (Ground("a_query", LocalizedText(en="a_query"), "", None, fault),)
        )
        for found in (of_one, of_all, strange):
            for language in ("sv", "en"):
                t = load_catalogues(ROOM.parent / "service", ROOM, time_zone="Europe/Stockholm").translator(language)
                words = words_for_person(found, t)
                assert check_sentence(fault, t) not in words
                assert "a_query" not in words
                assert language == "sv" or not NO_TERMS.search(words), words
                assert max(len(one.split()) for one in re.split(r"[.!?]", words)) <= 20


def test_a_no_of_somebody_unknown_is_no_answer(applicant: Applicant) -> None:
    """Whoever is not trusted cannot make somebody ineligible either."""
    stranger = Issuer(url="https://stranger.example", name="Stranger")
    applicant.statements[REGISTRATION.vct] = stranger.issue(
        REGISTERED | {"registered_status": False}, holder=applicant.holder, credential_type=REGISTRATION, index=None
    )
    made, _ = applicant.apply("course")

    assert applicant.result(made).verdict is not Verdict.ACCEPTED
    assert applicant.told(made)["eligibility"]["answer"] == "undecided"


def test_other_templates_and_open_requests_have_no_such_answer(applicant: Applicant) -> None:
    """There is no word for what was not asked, nor before an answer."""
    asked, made = applicant.ask("internship"), applicant.ask()
    applicant.answer(made)

    for one in (asked, made):
        assert eligibility_of(applicant.result(one), contents=None, time_zone="Europe/Stockholm") is None


def test_the_answer_stays_when_nobody_looks_at_the_values(applicant: Applicant) -> None:
    """What was decided on the day of the answer is known without opening them."""
    made, _ = applicant.apply("course")
    applicant.pass_time(days=30)

    found = eligibility_of(applicant.result(made), contents=None, time_zone="Europe/Stockholm")
    assert found is not None
    assert (found.answer, str(found.as_of)) == (Answer.ELIGIBLE, TODAY)


ONE_COURSE = {"credential": "course", "path": []}
THE_YES = {"credential": "target-group", "path": ["in_target_group"]}


@pytest.mark.parametrize(
    "way", ["withdraw", "everything", "the yes", "a ground", "retention", "no, withdraw", "no, retention"]
)
def test_a_verdict_that_tells_a_value_goes_with_it(applicant: Applicant, way: str) -> None:
    """Taken back, erased or over: what was stated to be deleted is not told as a yes or a no either, nor by the check
    that compared it. What says nothing of values stays."""
    if way.startswith("no"):
        applicant.hold(target={"in_target_group": False})
    made, _ = applicant.apply("course")
    before = applicant.told(made)
    assert before["eligibility"]["answer"] == ("not_eligible" if way.startswith("no") else "eligible")
    if way.endswith("retention"):
        applicant.pass_time(days=92)
        asyncio.run(applicant.verifier.tidy())
    else:
        items = {"the yes": [THE_YES], "a ground": [ONE_COURSE]}.get(way)
        take(applicant, act(applicant, made, "withdraw" if "withdraw" in way else "erase", items=items))

    told = applicant.told(made)

    assert (told["accepted"], told["verdict"], told["eligibility"]) == (False, None, None)
    assert (told["sentence"], told["sentence_sv"]) == (None, None)
    checks = [*told["checks"], *(check for one in told["presentations"] for check in one["checks"])]
    assert {check["name"] for check in checks} >= {"signature", "status"}
    assert not {check["name"] for check in checks} & {"values", "recency"}
    record = applicant.result(made)
    assert record.is_untold


def test_a_verdict_that_tells_nothing_stays(applicant: Applicant) -> None:
    """Where no value is compared, "everything held" is true of the checks alone."""
    made = applicant.ask()
    applicant.answer(made)
    take(applicant, act(applicant, made, "erase"))

    told = applicant.told(made)
    assert (told["state"], told["accepted"], told["verdict"]) == ("deleted", True, "accepted")
    assert not applicant.result(made).is_untold


@pytest.mark.parametrize("wrong", ["value", "age", "age and issuer", "signature"])
def test_an_honest_no_is_not_called_unreliable(applicant: Applicant, wrong: str) -> None:
    """Everything was checked and held but a value, or its age: that is said. Whatever else is wrong is to be
    distrusted, also beside it."""
    if wrong == "value":
        applicant.hold({"registered_status": False})
    if wrong.startswith("age"):
        applicant.hold({"as_of": "2026-11-19"})
    if wrong == "age and issuer":
        stranger = Issuer(url="https://stranger.example", name="Stranger")
        applicant.statements[TARGET_GROUP.vct] = stranger.issue(
            IN_TARGET_GROUP, holder=applicant.holder, credential_type=TARGET_GROUP, index=None
        )
    if wrong == "signature":
        applicant.issuer.set_status(20, 1)
        applicant.refresh_list()
    made, _ = applicant.apply("course")

    told = applicant.told(made)

    is_genuine = wrong in ("value", "age")
    assert told["verdict"] == "rejected"
    assert (told["sentence"] == "Everything is genuine, but it is not what you accept.") == is_genuine
    assert ("Do not rely" in told["sentence"]) != is_genuine
    assert ("Allt är äkta" in told["sentence_sv"]) == is_genuine
    record = applicant.result(made)
    assert stand_of(record).kind == ("not_wanted" if is_genuine else "failed")
    (line,) = [one for one in applicant.verifier.requests.log(request_id=made.id) if one.event is Event.ANSWERED]
    said = log_told(line, catalogues_of(applicant.settings).translator("en"))
    assert said == ("Genuine, but not what you accept" if is_genuine else "Something did not hold")


STOCKHOLM_MIDNIGHT = datetime(2026, 11, 19, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("as_of", "seconds_after_midnight", "days", "reason"),
    [
        ("2026-11-20", 0, 0, ""),
        ("2026-11-19", -1, 0, ""),  # It is still yesterday there.
        ("2026-11-19", 59, 0, ""),  # Clocks may differ by a minute.
        ("2026-11-19", 60, 0, "statement_too_old"),
        ("2026-11-13", 3600, 7, ""),
        ("2026-11-12", 3600, 7, "statement_too_old"),
        ("2026-11-20", -3600, 0, ""),  # It is tomorrow already further east.
        ("2026-11-21", 0, 0, "statement_of_a_later_day"),
        ("20261120", 0, 0, "undated"),
        ("2026-11-20T00:00:00Z", 0, 0, "undated"),
        (20261120, 0, 0, "undated"),
        (None, 0, 0, "undated"),
    ],
)
def test_today_is_the_calendar_day_of_the_receiver(
    as_of: Any, seconds_after_midnight: int, days: int, reason: str
) -> None:
    """In its time zone, with the tolerance of clocks; a day that has not come anywhere is none."""
    rule = AgeRule(days, time_zone="Europe/Stockholm", skew_seconds=60)

    check = rule.check({"as_of": as_of}, now=STOCKHOLM_MIDNIGHT + timedelta(seconds=seconds_after_midnight))

    assert check.reason == reason


@pytest.mark.parametrize(
    ("language", "machine", "person"),
    [
        ("sv", "En dator räknar ut om du är behörig", "en människa väljer bland de behöriga"),
        ("en", "A computer works out whether you are eligible", "a person chooses among those who are"),
    ],
)
def test_the_person_is_told_that_a_machine_works_the_answer_out(
    applicant: Applicant, language: str, machine: str, person: str
) -> None:
    """An answer that is there in seconds, with nobody involved, is declared as what it is (GDPR, article 13(2)(f))."""
    template = applicant.template("internship")

    assert template.answers is not None
    assert template.automated_decisions is True
    purpose = template.purpose.text(language)
    assert machine in purpose
    assert person in purpose
