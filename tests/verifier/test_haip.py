"""A verifier that keeps to HAIP 1.0: what it sends, what it takes, and the settings and keys that it refuses."""

import asyncio
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from proofs import strict_json
from proofs.certificate_form import read_pem_anchors
from proofs.certificates import unverified_leaf, verify_chain
from proofs.certified_keys import create_certified_key
from proofs.jose import parse_jws
from proofs.trust import entry_from_jwk
from service.settings import UnsafeSettings
from tests.proofs.cast import NOW
from tests.verifier.pages.desk import Desk, Time, post
from tests.verifier.scene import PASSPHRASE, Scene, response_code_of, settings_for
from tests.verifier.test_api import Web
from verifier.app import client_identity
from verifier.cli import app
from verifier.requests import Kind, OnlySameDevice
from verifier.store import NoSuchRequest, State


def asked(scene: Scene) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and parameters of a fresh request object."""
    made = scene.ask(kind=scene.verifier.default_kind())
    jws = parse_jws(asyncio.run(scene.verifier.serve_request(made.transaction.handle, wallet_nonce=None)))
    return jws.header, strict_json.loads_object(jws.payload)


def test_a_request_has_everything_that_haip_demands(tmp_path: Path) -> None:
    """HAIP 5 and 5.1, member by member."""
    scene = Scene(tmp_path, haip=True)

    header, request = asked(scene)

    assert header["alg"] == "ES256"
    assert header["typ"] == "oauth-authz-req+jwt"
    assert request["client_id"] == f"x509_hash:{unverified_leaf(header['x5c']).sha256}"
    assert request["response_type"] == "vp_token"
    assert request["response_mode"] == "direct_post.jwt"
    metadata = request["client_metadata"]
    assert set(metadata["encrypted_response_enc_values_supported"]) == {"A128GCM", "A256GCM"}
    (key,) = metadata["jwks"]["keys"]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ECDH-ES", "enc")
    assert {query["format"] for query in request["dcql_query"]["credentials"]} == {"dc+sd-jwt"}


def test_the_root_does_not_travel(tmp_path: Path) -> None:
    """A chain that holds its anchor, or a self-signed certificate, is refused by this very procedure (HAIP 5)."""
    scene = Scene(tmp_path, haip=True)
    header, _ = asked(scene)
    root = next((tmp_path / "keys").glob("*.root.pem")).read_bytes()
    assert verify_chain(header["x5c"], anchors=read_pem_anchors(root), now=scene.now).public_jwk


def test_every_request_has_a_key_of_its_own(tmp_path: Path) -> None:
    """Ephemeral keys: what one key opens is one answer (HAIP 5)."""
    scene = Scene(tmp_path, haip=True)

    keys = [asked(scene)[1]["client_metadata"]["jwks"]["keys"][0] for _ in range(3)]

    assert len({key["x"] for key in keys}) == 3
    assert len({key["kid"] for key in keys}) == 3


def test_an_answer_leads_back_and_counts_only_in_the_browser_that_asked(tmp_path: Path) -> None:
    """`redirect_uri` in the reply; another session's return rejects the presentation (HAIP 5.1)."""
    scene = Scene(tmp_path, haip=True)
    made = scene.ask(kind=scene.verifier.default_kind(), binding="the browser that asked")
    reply = scene.answer(made)

    assert list(reply.members) == ["redirect_uri"]
    assert scene.result(made).state is State.AWAITING_RETURN
    with pytest.raises(NoSuchRequest):
        scene.verifier.redeem(response_code_of(reply), binding="another browser")
    assert scene.result(made).state is State.NOT_RETURNED
    assert scene.verifier.contents(made.id, viewer="test") is None


@pytest.mark.parametrize(
    ("changed", "variable"),
    [
        ({"client_id_prefix": "redirect_uri"}, "VERIFIER_CLIENT_ID_PREFIX"),
        ({"client_id_prefix": "x509_san_dns"}, "VERIFIER_CLIENT_ID_PREFIX"),
        ({"response_mode": "direct_post"}, "VERIFIER_RESPONSE_MODE"),
    ],
)
def test_settings_that_contradict_haip_are_refused(tmp_path: Path, changed: dict[str, Any], variable: str) -> None:
    """The service does not start, and names the variable."""
    problems = settings_for(tmp_path, haip=True, **changed).problems()

    assert [variable in problem for problem in problems] == [True]
    assert settings_for(tmp_path, **changed).problems() == []


def test_a_key_without_a_sound_certificate_does_not_start(tmp_path: Path) -> None:
    """Its certificate has expired: no request is signed with it under HAIP, while without HAIP the operator decides."""
    keys = tmp_path / "keys"
    create_certified_key(
        keys,
        name="verifier",
        common_name="The Company",
        public_url="http://localhost:8003",
        passphrase=PASSPHRASE,
        now=NOW,
        leaf_valid_for=timedelta(days=1),
    )
    passphrase = tmp_path / "passphrase"
    passphrase.write_bytes(PASSPHRASE)
    strict = settings_for(tmp_path, haip=True, key_passphrase_file=passphrase)

    with pytest.raises(UnsafeSettings, match="VERIFIER_HAIP: the certificate of the signing key cannot be used"):
        client_identity(strict, clock=lambda: NOW + timedelta(days=2))
    assert client_identity(strict, clock=lambda: NOW).client_id.startswith("x509_hash:")


def test_a_chain_under_another_root_does_not_start(tmp_path: Path) -> None:
    """The root beside the key, which wallets are given, is not the one that certifies it."""
    for name in ("one", "other"):
        create_certified_key(
            tmp_path / name / "keys",
            name="verifier",
            common_name=name,
            public_url="http://localhost:8003",
            passphrase=PASSPHRASE,
            now=NOW,
        )
    shutil.copy(tmp_path / "other/keys/verifier.root.pem", tmp_path / "one/keys/verifier.root.pem")
    passphrase = tmp_path / "passphrase"
    passphrase.write_bytes(PASSPHRASE)

    with pytest.raises(UnsafeSettings, match="does not stand under its root"):
        client_identity(settings_for(tmp_path / "one", haip=True, key_passphrase_file=passphrase), clock=lambda: NOW)


def test_a_person_who_comes_by_themselves_gets_no_code_to_scan(tmp_path: Path) -> None:
    """A QR code can be shown to somebody else; the browser that must come back cannot (HAIP 5.1)."""
    desk = Desk(tmp_path, Time(), changes={"haip": True})
    person = desk.new_browser()

    answered = post(person, "/share/employer-micro-credential", {})
    page = person.get(answered.headers["location"]).text

    (made,) = desk.verifier.requests.list_transactions(now=desk.time())
    assert made.transaction.kind is Kind.SAME_DEVICE
    assert "openid4vp://" in page
    assert not re.search("Scan this|On another device", page)
    back = person.get(desk.answer(made.transaction).json()["redirect_uri"])
    assert 'data-phase="received"' in back.text


@pytest.mark.parametrize("language", ["sv", "en"])
def test_staff_get_a_link_and_an_address_but_no_code_to_scan(tmp_path: Path, language: str) -> None:
    """What staff ask is answered at this browser; whoever is elsewhere starts in their own, by the address shown."""
    desk = Desk(tmp_path, Time(), changes={"haip": True})
    desk.sign_in()
    spoken = {"Accept-Language": language}

    made = desk.ask("employer-micro-credential")
    before = desk.browser.get("/ask/employer-micro-credential", headers=spoken).text
    page = desk.browser.get(f"/requests/{made.id}", headers=spoken).text

    assert [one.transaction.kind for one in desk.verifier.requests.list_transactions(now=desk.time())] == [
        Kind.SAME_DEVICE
    ]
    assert "QR" not in before
    assert 'shape-rendering="crispEdges"' not in page  # what a QR code is drawn with
    assert "openid4vp://" in page
    assert f"{desk.settings.base_url}/share/employer-micro-credential" in page
    back = desk.browser.get(desk.answer(made.transaction).json()["redirect_uri"])
    assert 'data-state="verified"' in back.text


def test_what_staff_asked_does_not_count_in_another_browser(tmp_path: Path) -> None:
    """Session fixation by a link that was passed on: rejected where it comes back, and its values are gone."""
    desk = Desk(tmp_path, Time(), changes={"haip": True})
    desk.sign_in()
    made = desk.ask("employer-micro-credential")

    back = desk.new_browser().get(desk.answer(made.transaction).json()["redirect_uri"])

    assert back.status_code == 400
    record = desk.record(made.id)
    assert (record.state, record.is_accepted, record.has_contents) == (State.NOT_RETURNED, False, False)


def test_cross_device_requests_are_refused_wherever_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the interface for programs and in the terminal, with a sentence that says why; nothing is made."""
    web = Web(Scene(tmp_path, haip=True))
    answer = web.client.post(
        "/api/requests", json={"template": "course-results", "kind": "cross_device"}, headers=web.authorized
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "VERIFIER_HAIP" in answer.json()["detail"]

    monkeypatch.setenv("VERIFIER_PUBLIC_URL", "http://localhost:8003")
    monkeypatch.setenv("VERIFIER_HAIP", "true")
    arguments = ["request", "--template", "course-results", "--data", str(tmp_path), "--json"]
    refused = CliRunner().invoke(app, [*arguments, "--cross-device"])
    assert isinstance(refused.exception, OnlySameDevice)
    assert web.scene.verifier.requests.list_transactions(now=web.scene.now) == []
    made = CliRunner().invoke(app, arguments)
    assert strict_json.loads_object(made.stdout)["kind"] == "same_device"


def test_a_request_from_before_the_switch_is_neither_fetched_nor_answered(tmp_path: Path) -> None:
    """A code that was printed before would otherwise be a way around it for a week."""
    before = Scene(tmp_path)
    made = before.ask(kind=Kind.CROSS_DEVICE)
    form = before.form(before.fetch(made), {"vp_token": {}})
    scene = Scene(tmp_path, haip=True)

    with pytest.raises(OnlySameDevice):
        scene.fetch(made)
    with pytest.raises(OnlySameDevice):
        scene.post(made, form)
    assert not scene.result(made).state.is_answered


@pytest.mark.parametrize("haip", [True, False])
def test_a_key_that_is_trusted_without_a_certificate_is_enough_only_without_the_switch(
    tmp_path: Path, haip: bool
) -> None:
    """HAIP 6.1.1: `x5c` with its chain. Elsewhere a listed key does, and the very same answer is accepted."""
    scene = Scene(tmp_path, haip=haip)
    for entry, _ in scene.verifier.trust.entries():
        assert scene.verifier.trust.remove(entry.id)
    key = scene.issuer.signer.public_jwk
    by_key = entry_from_jwk(key, identifier=scene.issuer.url, name="Example University", role="issuer")
    scene.verifier.trust.add_entry(by_key, now=scene.now)
    made = scene.ask(kind=Kind.SAME_DEVICE, binding="this browser")

    reply = scene.answer(made)

    assert (reply.status, "redirect_uri" in reply.members) == ((400, False) if haip else (200, True))
    assert scene.verifier.contents(made.id, viewer="test") is None, "before anybody is back"
    if not haip:
        scene.verifier.redeem(response_code_of(reply), binding="this browser")
    assert scene.result(made).is_accepted is not haip
