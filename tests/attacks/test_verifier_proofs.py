"""Attacks on what is shown: content, binding, issuer, dates, status (edge cases V-04, V-05, V-13, V-15), one test each.

In every attack all but one thing is as an honest wallet would do it, so that only the check under test can object.
"""

from datetime import timedelta
from pathlib import Path

import pytest

from proofs import base64url, strict_json
from proofs.formats.sd_jwt import plan_disclosures
from proofs.formats.sd_jwt_vc import issue_sd_jwt_vc
from proofs.jose import parse_jws, sign_jws
from proofs.keys import generate_signer
from schemas.verification import Outcome
from tests.verifier.scene import (
    COURSES,
    COURSES_CLAIMS,
    LIST_URL,
    MICRO_CLAIMS,
    Issuer,
    Scene,
    assert_refused_by,
    failed,
)
from verifier.request_templates import parse_template
from verifier.verification import Verdict


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A verifier that asks for encrypted answers."""
    return Scene(tmp_path)


# --- V-04: the query once more ----------------------------------------------------------------------------------------


def test_v04_a_missing_claim_is_found(scene: Scene) -> None:
    """The wallet leaves out something required; the verifier notices by itself."""
    made = scene.ask()
    request = scene.fetch(made)

    reply = scene.answer_with(made, scene.presentation(request, "certificate", paths=[("family_name",)]))

    assert_refused_by(scene, made, reply, "query", "claim_missing")


def test_v04_another_value_than_asked_for_is_found(scene: Scene) -> None:
    """The verifier accepts grades A and B only; a C is genuine and not acceptable."""
    template = scene.template().model_dump(mode="json", exclude_defaults=True)
    template["credentials"][0]["items"] = [
        {"path": ["assessment_grade"], "reason": {"sv": "Kravet.", "en": "The demand."}, "values": ["B", "C"]}
    ]
    made = scene.ask(parse_template(template))
    request = scene.fetch(made)

    reply = scene.answer_with(made, scene.presentation(request, "certificate"))

    assert_refused_by(scene, made, reply, "values", "value_differs")


def test_v04_more_than_asked_is_told_and_not_kept(scene: Scene) -> None:
    """A wallet that shows the birth date unasked does not make the verifier own it."""
    made = scene.ask()
    request = scene.fetch(made)
    shown = [("family_name",), ("date_of_issuance",), ("birthdate",)]

    scene.answer_with(made, scene.presentation(request, "certificate", paths=shown))

    record = scene.result(made)
    contents = scene.verifier.contents(made.id, viewer="test")
    assert record.is_accepted
    assert next(check for check in record.result.checks if check.name == "query").reason == "more_than_asked"
    assert contents is not None
    assert "birthdate" not in {item.path[0] for item in contents.items}


# --- V-05: every presentation bound -----------------------------------------------------------------------------------


def test_v05_a_presentation_for_another_verifier_is_refused(scene: Scene) -> None:
    """The audience is the full client identifier, prefix included (VP 14.7)."""
    made = scene.ask()
    request = scene.fetch(made)
    without_prefix = request["client_id"].partition(":")[2]

    reply = scene.answer_with(made, scene.presentation(request, "certificate", audience=without_prefix))

    assert_refused_by(scene, made, reply, "audience", "other_audience")


def test_v05_a_presentation_for_another_request_is_refused(scene: Scene) -> None:
    """The same verifier asked twice: an answer to the first is no answer to the second."""
    other = scene.fetch(scene.ask())
    made = scene.ask()

    reply = scene.answer_with(made, scene.presentation(other, "certificate"))

    assert_refused_by(scene, made, reply, "nonce", "other_nonce")


def test_v05_a_stolen_certificate_cannot_be_shown(scene: Scene) -> None:
    """Somebody has the certificate, but not its key."""
    made = scene.ask()
    shown, _, binding = scene.presentation(scene.fetch(made), "certificate").rpartition("~")
    claims = strict_json.loads_object(parse_jws(binding).payload)

    reply = scene.answer_with(made, f"{shown}~{sign_jws(claims, signer=generate_signer(), typ='kb+jwt')}")

    assert_refused_by(scene, made, reply, "holder_binding", "bad_key_binding")


def test_v05_a_certificate_without_key_binding_is_refused(scene: Scene) -> None:
    """Cut off the key binding: what is left proves nothing about who shows it (S-09)."""
    made = scene.ask()
    request = scene.fetch(made)
    shown = scene.presentation(request, "certificate")

    reply = scene.answer_with(made, shown[: shown.rindex("~") + 1])

    assert_refused_by(scene, made, reply, "holder_binding", "missing_key_binding")


def test_v05_one_bad_presentation_rejects_the_whole_answer(scene: Scene) -> None:
    """A good required part and a bad optional one: rejected, and nothing is kept."""
    made = scene.ask()
    request = scene.fetch(made)
    token = scene.vp_token(request)
    token["certificate-optional-1"] = [scene.presentation(request, "certificate-optional-1", nonce="another")]

    reply = scene.post(made, scene.form(request, {"vp_token": token}))

    assert_refused_by(scene, made, reply, "nonce", "other_nonce")


def test_an_altered_claim_is_found(scene: Scene) -> None:
    """Change a disclosed value: the digest in the signed part does not know it."""
    made = scene.ask()
    request = scene.fetch(made)
    head, *disclosures, binding = scene.presentation(request, "certificate").split("~")
    altered = [_altered(one) for one in disclosures]

    reply = scene.answer_with(made, "~".join([head, *altered, binding]))

    assert reply.status == 400
    assert failed(scene, made)[0][0] in ("holder_binding", "disclosures")


def _altered(disclosure: str) -> str:
    salt, name, value = strict_json.loads(base64url.decode(disclosure))
    return base64url.encode(strict_json.dumps([salt, name, f"{value} (altered)"]))


# --- V-13: issuers ----------------------------------------------------------------------------------------------------


def test_v13_a_certificate_of_an_issuer_trusted_for_another_type_is_refused(scene: Scene) -> None:
    """Trust is per type: who may issue transcripts may not issue micro-credentials."""
    scene.verifier.trust.add_entry(scene.issuer.entry(types=[COURSES.vct]), now=scene.now)
    made = scene.ask()
    request = scene.fetch(made)

    reply = scene.answer_with(made, scene.presentation(request, "certificate"))

    assert_refused_by(scene, made, reply, "issuer_trusted", "type_not_trusted")


def test_v13_a_forger_with_the_same_name_is_not_the_issuer(scene: Scene) -> None:
    """Another root says it is the same university: nobody vouches for it, so it is never accepted."""
    forger = Issuer(url=scene.issuer.url, name="Example University ")
    made = scene.ask()
    request = scene.fetch(made)
    forged = forger.issue(MICRO_CLAIMS, holder=scene.holder)

    scene.answer_with(made, scene.presentation(request, "certificate", token=forged))

    record = scene.result(made)
    assert not record.is_accepted
    assert "issuer_trusted" in record.result.failed + record.result.unknown


def test_v13_a_trusted_issuer_that_was_not_asked_for_is_refused(scene: Scene) -> None:
    """A template names the issuers that it accepts."""
    template = scene.template().model_dump(mode="json", exclude_defaults=True)
    template["credentials"][0]["issuers"] = ["https://another.example"]
    made = scene.ask(parse_template(template))
    request = scene.fetch(made)

    reply = scene.answer_with(made, scene.presentation(request, "certificate"))

    assert_refused_by(scene, made, reply, "issuer_trusted", "issuer_not_accepted")


def test_v13_another_type_than_asked_for_is_refused(scene: Scene) -> None:
    """A transcript of the same issuer in place of the certificate."""
    made = scene.ask()
    request = scene.fetch(made)
    shown = scene.presentation(request, "certificate", token=scene.transcript)

    reply = scene.answer_with(made, shown)

    assert_refused_by(scene, made, reply, "type", "unexpected_type")


# --- V-15: clocks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "accepted"), [(-300, True), (-361, False), (59, True), (61, False)])
def test_v15_the_proof_of_the_key_is_neither_old_nor_from_the_future(
    scene: Scene, seconds: int, accepted: bool
) -> None:
    """Five minutes and a minute's difference of clocks, in both directions."""
    made = scene.ask()
    request = scene.fetch(made)

    scene.answer_with(made, scene.presentation(request, "certificate", now=scene.now + timedelta(seconds=seconds)))

    assert scene.result(made).is_accepted is accepted


def test_v15_an_expired_certificate_is_refused(scene: Scene) -> None:
    """A year and a minute later."""
    scene.pass_time(days=366)
    scene.verifier.trust.add_entry(scene.issuer.entry(), now=scene.now)
    made = scene.ask()
    request = scene.fetch(made)

    reply = scene.answer_with(made, scene.presentation(request, "certificate"))

    assert_refused_by(scene, made, reply, "dates", "expired")


# --- status -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "reason"), [(1, "revoked"), (2, "suspended")])
def test_a_certificate_taken_back_is_refused(scene: Scene, value: int, reason: str) -> None:
    """Revoked and suspended are told apart (T-10)."""
    scene.issuer.set_status(7, value)
    scene.refresh_list()
    made = scene.ask()
    request = scene.fetch(made)

    reply = scene.answer_with(made, scene.presentation(request, "certificate"))

    assert_refused_by(scene, made, reply, "status", reason)


def test_a_certificate_that_nobody_could_take_back_counts_only_where_the_template_says_so(scene: Scene) -> None:
    """`status` missing: refused by default, accepted with `if_present`."""
    bare = scene.issuer.issue(MICRO_CLAIMS, holder=scene.holder, index=None)
    made = scene.ask()
    reply = scene.answer_with(made, scene.presentation(scene.fetch(made), "certificate", token=bare))
    assert_refused_by(scene, made, reply, "status", "missing_status")

    template = scene.template().model_dump(mode="json", exclude_defaults=True)
    template["credentials"][0]["status"] = "if_present"
    lenient = scene.ask(parse_template(template))
    scene.answer_with(lenient, scene.presentation(scene.fetch(lenient), "certificate", token=bare))
    assert scene.result(lenient).is_accepted, scene.result(lenient).result.checks


def test_t10_a_status_list_of_somebody_else_is_not_believed(scene: Scene) -> None:
    """A list signed under another root cannot declare a certificate valid."""
    forger = Issuer(url="https://forger.example", name="Forger")
    forger.list_url = LIST_URL
    scene.lists[LIST_URL] = forger.status_token(now=scene.now)
    made = scene.ask()

    scene.answer(made)

    record = scene.result(made)
    assert not record.is_accepted
    assert "status" in record.result.unknown + record.result.failed


# --- what could not be found out --------------------------------------------------------------------------------------


def test_an_issuer_whose_key_cannot_be_fetched_is_not_called_a_fraud(scene: Scene) -> None:
    """Its metadata is away for a moment: nothing has failed, nothing is believed, and the wallet is answered 200."""
    elsewhere = Issuer(url="https://elsewhere.example", name="Elsewhere")
    elsewhere.signer = generate_signer()  # Without a certificate: the key has to be looked up.
    made = scene.ask()
    request = scene.fetch(made)
    held = elsewhere.issue(MICRO_CLAIMS, holder=scene.holder)

    reply = scene.answer_with(made, scene.presentation(request, "certificate", token=held))

    record = scene.result(made)
    first = next(check for check in record.result.checks if check.name == "signature")
    assert (first.outcome, first.reason) == (Outcome.COULD_NOT_CHECK, "issuer_key_unreachable")
    assert record.result.failed == []
    assert (reply.status, record.verdict) == (200, Verdict.UNDETERMINED)
    assert not record.is_accepted


# --- what belongs together --------------------------------------------------------------------------------------------


def test_a_grade_of_another_certificate_is_not_mixed_in(scene: Scene) -> None:
    """Two genuine certificates of one person: the required part from one, the better grade from the other.

    Nothing is forged, so every check holds; the values stay apart, and the result says that there are two.
    """
    better = MICRO_CLAIMS | {"achievement_title": {"en": "Knitting"}, "assessment_grade": "A"}
    worse = MICRO_CLAIMS | {"assessment_grade": "E"}
    first, second = (scene.issuer.issue(one, holder=scene.holder) for one in (worse, better))
    made = scene.ask()
    request = scene.fetch(made)
    grade = next(
        one["id"] for one in request["dcql_query"]["credentials"] if one["claims"][0]["path"] == ["assessment_grade"]
    )
    mixed = {
        "certificate": [scene.presentation(request, "certificate", token=first)],
        grade: [scene.presentation(request, grade, token=second)],
    }

    assert scene.post(made, scene.form(request, {"vp_token": mixed})).status == 200

    record, contents = scene.result(made), scene.verifier.contents(made.id, viewer="test")
    assert contents is not None
    said = {(item.certificate, item.path[0]): item.value for item in contents.items}
    assert said[0, "achievement_title"] == MICRO_CLAIMS["achievement_title"]
    assert said[1, "achievement_title"] == {"en": "Knitting"}
    assert (0, "assessment_grade") not in said
    assert said[1, "assessment_grade"] == "A"
    assert next(check for check in record.result.checks if check.name == "query").reason == "several_certificates"


def test_what_is_said_of_a_course_stays_with_it(scene: Scene) -> None:
    """Each presentation leaves out other courses, so that places shift: a grade must not slip to the course before."""
    courses = [
        {"achievement_title": {"en": "Algebra"}, "date_of_issuance": "2025-01-10"},  # without a grade
        {"achievement_title": {"en": "Biology"}, "date_of_issuance": "2025-06-10", "assessment_grade": "A"},
    ]
    scene.transcript = scene.issuer.issue(
        COURSES_CLAIMS | {"courses": courses}, holder=scene.holder, credential_type=COURSES, index=8
    )
    made = scene.ask("course-results")
    request = scene.fetch(made)
    queries = {one["id"]: one for one in request["dcql_query"]["credentials"]}
    grades = next(name for name, one in queries.items() if one["claims"][0]["path"][-1] == "assessment_grade")
    token = {name: [scene.presentation(request, name)] for name in ("transcript", grades)}

    assert scene.post(made, scene.form(request, {"vp_token": token})).status == 200

    contents = scene.verifier.contents(made.id, viewer="test")
    assert contents is not None
    said = {item.path: item.value for item in contents.items}
    assert said["courses", 1, "achievement_title"] == {"en": "Biology"}
    assert said["courses", 1, "assessment_grade"] == "A"
    assert ("courses", 0, "assessment_grade") not in said


def test_two_certificates_where_several_were_asked_for_stay_apart(scene: Scene) -> None:
    """`multiple`: each has its number, so that nobody reads one as part of the other."""
    template = scene.template().model_dump(mode="json", exclude_defaults=True)
    template["credentials"][0]["multiple"] = True
    template["credentials"][0]["items"] = template["credentials"][0]["items"][:1]
    other = scene.issuer.issue(MICRO_CLAIMS | {"family_name": "Second"}, holder=scene.holder)
    made = scene.ask(parse_template(template))
    request = scene.fetch(made)
    both = [scene.presentation(request, "certificate", token=one) for one in (scene.certificate, other)]

    assert scene.post(made, scene.form(request, {"vp_token": {"certificate": both}})).status == 200

    record, contents = scene.result(made), scene.verifier.contents(made.id, viewer="test")
    assert contents is not None
    assert [one.certificate for one in record.proofs] == [0, 1]
    assert [(item.certificate, item.value) for item in contents.items if item.asked] == [
        (0, "Kanarek-Test"),
        (1, "Second"),
    ]
    assert next(check for check in record.result.checks if check.name == "query").reason == ""


def test_a_single_element_is_read_where_it_stood(scene: Scene) -> None:
    """Asked for the second course alone: it comes alone, and is found and kept as the second."""
    template = scene.template("course-results").model_dump(mode="json", exclude_defaults=True)
    template["credentials"][0]["items"] = [
        {"path": ["courses", 1, "achievement_title"], "reason": {"sv": "Kravet.", "en": "The demand."}}
    ]
    made = scene.ask(parse_template(template))
    request = scene.fetch(made)

    scene.answer_with(made, scene.presentation(request, "transcript"), query_id="transcript")

    contents = scene.verifier.contents(made.id, viewer="test")
    assert scene.result(made).is_accepted, scene.result(made).result.checks
    assert contents is not None
    assert [(item.path, item.value) for item in contents.items if item.asked] == [
        (("courses", 1, "achievement_title"), {"en": "Biology"})
    ]


def test_more_than_asked_below_something_visible_is_not_kept(scene: Scene) -> None:
    """A visible object with hidden parts: showing one of them unasked does not make the verifier own it."""
    payload = {
        "iss": scene.issuer.url,
        "vct": "urn:other",
        "exp": int(scene.now.timestamp()) + 9_000,
        "status": {"status_list": {"idx": 7, "uri": LIST_URL}},
        "address": {"country": "SE", "street": "Kanarekgatan 1"},
        "name": "Test",
    }
    token = issue_sd_jwt_vc(
        payload,
        disclosable=plan_disclosures([("address", "street"), ("name",)]),
        signer=scene.issuer.signer,
        holder_jwk=scene.holder.public_jwk,
    )
    template = scene.template().model_dump(mode="json", exclude_defaults=True)
    template["credentials"][0] |= {
        "vct": ["urn:other"],
        "items": [{"path": ["name"], "reason": {"sv": "Namnet.", "en": "The name."}}],
    }
    made = scene.ask(parse_template(template))
    request = scene.fetch(made)

    scene.answer_with(
        made, scene.presentation(request, "certificate", token=token, paths=[("name",), ("address", "street")])
    )

    contents = scene.verifier.contents(made.id, viewer="test")
    assert contents is not None
    assert {item.path: item.value for item in contents.items} == {("address", "country"): "SE", ("name",): "Test"}
