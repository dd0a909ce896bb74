"""From request to result, in one process: what an honest wallet and an honest verifier do."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from proofs.jose import check_jws
from proofs.request_object import check_request_object
from proofs.trust import TrustList, entry_from_anchor
from schemas.consent import NOTICE_TYPE, RequestNotice
from schemas.presentation import AuthorizationRequest, parse_link
from schemas.types import CREDENTIAL_TYPES
from tests.verifier.scene import START, Scene, response_code_of
from verifier.disclosed import shown_value
from verifier.exchange import browser_binding
from verifier.request_templates import RequestTemplate, built_in_template
from verifier.requests import Kind, OnlySameDevice
from verifier.store import NoSuchRequest, State
from verifier.verification import Verdict


def test_an_honest_answer_is_accepted(scene: Scene) -> None:
    """The person shows what was required, every check holds, and the employer reads it."""
    made = scene.ask()

    reply = scene.answer(made)

    record = scene.result(made)
    assert (reply.status, dict(reply.members)) == (200, {})
    assert record.is_accepted, record.result.checks
    assert record.state is State.ANSWERED
    names = [check.name for check in record.result.checks]
    assert names == [
        "form", "signature", "issuer_trusted", "type", "holder_binding", "audience", "nonce", "freshness",
        "disclosures", "dates", "status", "query", "values",
    ]  # fmt: skip


def test_values_are_those_asked_for_and_what_always_travels(scene: Scene) -> None:
    """Kept are the asked items and the visible ones; nothing else of the certificate."""
    made = scene.ask()
    scene.answer(made)

    contents = scene.verifier.contents(made.id, viewer="test")

    assert contents is not None
    asked = {item.path[0]: item.value for item in contents.items if item.asked}
    visible = {item.path[0] for item in contents.items if not item.asked}
    assert asked == {"family_name": "Kanarek-Test", "date_of_issuance": "2026-06-12"}
    assert visible == {"issuing_authority", "issuing_country", "achievement_title"}
    assert [query for query, _ in contents.evidence] == ["certificate"]


def test_optional_items_come_when_the_person_gives_them(scene: Scene) -> None:
    """Each optional item is a query of its own, so the person chooses item by item."""
    made = scene.ask()
    scene.answer(made, optional=True)

    contents = scene.verifier.contents(made.id, viewer="test")

    assert scene.result(made).is_accepted
    assert contents is not None
    assert {item.path[0] for item in contents.items if item.asked} >= {"assessment_grade", "credits"}


def test_courses_of_a_transcript_are_asked_for_one_by_one(scene: Scene) -> None:
    """Recursive disclosures: titles and dates of the courses arrive, grades only when they were given."""
    made = scene.ask("course-results")
    scene.answer(made)

    contents = scene.verifier.contents(made.id, viewer="test")

    assert scene.result(made).is_accepted, scene.result(made).result.checks
    assert contents is not None
    paths = {item.path for item in contents.items if item.asked}
    assert ("courses", 1, "achievement_title") in paths
    assert not any(path[-1] == "assessment_grade" for path in paths)


@pytest.mark.parametrize("prefix", ["x509_hash", "x509_san_dns", "redirect_uri"])
@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
def test_every_identity_and_response_mode_works(tmp_path: Path, prefix: str, mode: str) -> None:
    """Signed with either identifier or unsigned, encrypted or not: the same conversation."""
    scene = Scene(tmp_path, client_id_prefix=prefix, response_mode=mode)
    made = scene.ask()

    scene.answer(made)

    assert scene.result(made).is_accepted, scene.result(made).result.checks
    assert made.transaction.client_id.startswith(f"{prefix}:")


def test_the_request_object_is_as_a_wallet_wants_it(scene: Scene) -> None:
    """Signed, for the static audience, five minutes, only known metadata, the wallet's nonce echoed."""
    made = scene.ask()
    link = parse_link(made.link)
    handle = link.request_uri.rpartition("/")[2]
    token = asyncio.run(scene.verifier.serve_request(handle, wallet_nonce="wallet-nonce-1"))

    root = (scene.settings.data / "keys" / "verifier.root.pem").read_bytes()
    trust = TrustList((entry_from_anchor(root, name="The Company", role="verifier"),))
    checked = check_request_object(token, expected_client_id=link.client_id, trust=trust, now=START)
    request = AuthorizationRequest.from_parameters(checked.parameters)
    assert checked.signed
    assert checked.identity.level == "certificate"
    assert request.aud == "https://self-issued.me/v2"
    assert request.wallet_nonce == "wallet-nonce-1"
    assert len(request.nonce) == 43
    assert set(checked.parameters["client_metadata"]) == {
        "jwks",
        "vp_formats_supported",
        "encrypted_response_enc_values_supported",
    }
    assert request.client_metadata.content_encryptions == ("A128GCM", "A256GCM")
    assert checked.parameters["exp"] - checked.parameters["iat"] == 300


def test_the_notice_is_bound_to_the_request(scene: Scene) -> None:
    """Purpose, reasons, retention date, basis, contact and withdrawal are signed with the request's own key."""
    made = scene.ask()
    request = scene.fetch(made)
    info = request["verifier_info"][0]
    signer = scene.verifier.identity.signer
    assert signer is not None

    checked = check_jws(info["data"], key=signer.public_jwk, typ=NOTICE_TYPE, algorithms={"ES256"})
    notice = RequestNotice.model_validate(checked.claims)

    assert info["format"] == NOTICE_TYPE
    assert (notice.client_id, notice.nonce) == (request["client_id"], request["nonce"])
    assert notice.purpose.is_complete
    assert notice.retention is not None
    assert notice.retention.until == made.transaction.retention_until
    assert notice.recipients == ()
    assert notice.controller.name.sv == "Bolaget"
    assert notice.controller.contact == "privacy@company.example"
    assert notice.reason_for("certificate", ("family_name",)) is not None
    assert notice.withdraw is not None


def test_links_hold_only_the_three_parameters(scene: Scene) -> None:
    """Peers warn about anything else in the outer link."""
    made = scene.ask()

    assert made.link.startswith("openid4vp://?client_id=")
    assert made.link.count("=") == 3
    assert "request_uri_method=post" in made.link
    assert made.https_link.startswith("http://localhost:8003/present?client_id=")


def test_a_typed_code_finds_its_request_for_a_quarter_of_an_hour(scene: Scene) -> None:
    """Case, hyphen and look-alikes are forgiven; after 15 minutes the code is nothing."""
    made = scene.ask()
    typed = made.code.rpartition("/")[2].lower().replace("0", "o").replace("1", "l")

    assert asyncio.run(scene.verifier.find_by_code(typed)).link == made.link
    scene.pass_time(minutes=15)
    with pytest.raises(NoSuchRequest):
        asyncio.run(scene.verifier.find_by_code(typed))


def test_the_wallets_refusal_ends_the_request(scene: Scene) -> None:
    """`access_denied` is stored and final (W-20, V-14)."""
    made = scene.ask()
    request = scene.fetch(made)

    reply = scene.post(made, scene.form(request, {"error": "access_denied"}))

    record = scene.result(made)
    assert (reply.status, record.state, record.wallet_error) == (200, State.DECLINED, "access_denied")
    assert record.verdict is None


def test_a_same_device_answer_counts_when_the_browser_is_back(scene: Scene) -> None:
    """The response code comes back in the session that asked (OpenID4VP 13.3, HAIP 5.1)."""
    binding = browser_binding(b"session of the browser")
    made = scene.ask(kind=Kind.SAME_DEVICE, binding=binding)

    reply = scene.answer(made)
    before = scene.result(made)
    returned = scene.verifier.redeem(response_code_of(reply), binding=binding)

    assert before.state is State.AWAITING_RETURN
    assert (before.verdict, before.result.checks, before.has_contents) == (None, (), False)
    assert returned == made.id
    assert scene.result(made).is_accepted


def test_link_and_qr_are_two_transactions(scene: Scene) -> None:
    """One for this browser, one for another device, with nothing in common but what is asked."""
    link, qr = scene.verifier.make_on_page(scene.template(), maker="staff", binding="b")

    assert {one.transaction.kind for one in (link, qr)} == {Kind.SAME_DEVICE, Kind.CROSS_DEVICE}
    assert link.transaction.nonce != qr.transaction.nonce
    assert [one.id for one in scene.verifier.requests.pair(link.transaction.pair, now=scene.now)] == [link.id, qr.id]


def test_a_status_that_cannot_be_asked_is_not_green(scene: Scene) -> None:
    """List unreachable: 200 to the wallet, values kept, but not accepted."""
    scene.lists.clear()
    made = scene.ask()

    reply = scene.answer(made)

    record = scene.result(made)
    assert reply.status == 200
    assert record.verdict is Verdict.UNDETERMINED
    assert record.result.unknown == ["status"]
    assert not record.is_accepted
    assert scene.verifier.contents(made.id, viewer="test") is not None


def test_an_unknown_issuer_could_not_be_checked(scene: Scene) -> None:
    """Nobody vouches for the issuer: not accepted, not called false either."""
    entry = scene.issuer.entry()
    scene.verifier.trust.remove(entry.id)
    made = scene.ask()

    reply = scene.answer(made)

    assert reply.status == 200
    assert (
        scene.result(made).result.unknown == ["issuer_trusted", "status"]
        or "issuer_trusted" in scene.result(made).result.unknown
    )
    assert scene.result(made).verdict is Verdict.UNDETERMINED


def test_a_refusal_sends_the_browser_back_too(scene: Scene) -> None:
    """Same device: the person returns to the page that asked, which then knows that nothing came."""
    binding = browser_binding(b"session of the browser")
    made = scene.ask(kind=Kind.SAME_DEVICE, binding=binding)
    request = scene.fetch(made)

    reply = scene.post(made, scene.form(request, {"error": "access_denied"}))

    assert scene.result(made).state is State.DECLINED
    assert scene.verifier.redeem(response_code_of(reply), binding=binding) == made.id
    assert scene.result(made).state is State.DECLINED


def test_a_request_can_live_for_days(scene: Scene) -> None:
    """When its sources take their time; its request objects still live five minutes, its code a quarter of an hour."""
    made = scene.ask(lifetime_seconds=7 * 24 * 3600)
    scene.pass_time(days=6, hours=23)

    request = scene.fetch(made)

    assert request["exp"] - request["iat"] == 300
    assert scene.post(made, scene.form(request, {"vp_token": scene.vp_token(request)})).status == 200


def test_a_template_says_how_long_its_requests_live(scene: Scene) -> None:
    """The internship waits 7 days for what people fetch first; others live as the service says; who asks has the last
    word."""
    internship, plain = (built_in_template(name, contact="a@b.example") for name in ("internship", "course-results"))

    def lives(template: RequestTemplate, **more: Any) -> timedelta:
        made = scene.verifier.make_request(template, kind=Kind.CROSS_DEVICE, maker="", **more).transaction
        return made.expires_at - made.made_at

    assert lives(internship) == timedelta(days=7)
    assert lives(plain) == timedelta(minutes=30)
    assert lives(internship, lifetime_seconds=60) == timedelta(minutes=1)


def test_under_haip_requests_are_same_device(tmp_path: Path) -> None:
    """Whatever is asked for: an answer that leads back to no browser cannot be told from a relayed one (HAIP 5.1)."""
    scene = Scene(tmp_path, haip=True)
    assert scene.verifier.default_kind() is Kind.SAME_DEVICE
    with pytest.raises(OnlySameDevice):
        scene.ask(kind=Kind.CROSS_DEVICE)
    assert scene.verifier.requests.list_transactions(now=scene.now) == []


def test_one_entry_of_a_list_of_texts_is_read_as_a_text() -> None:
    """The whole list is read by its type; each entry of it, asked for by its place, is as well."""
    task = {"sv": "Utveckling", "en": "Development"}
    vct = CREDENTIAL_TYPES["employment"].vct
    assert shown_value(task, vct=vct, path=("tasks", 0), language="en") == "Development"
    assert shown_value([task, task], vct=vct, path=("tasks",), language="sv") == "Utveckling\nUtveckling"
