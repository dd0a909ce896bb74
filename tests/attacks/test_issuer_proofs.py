"""Attacks on nonces, key proofs and credential requests (edge cases I-30 to I-46, I-55)."""

import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from issuer.status import Status
from proofs import base64url, strict_json
from proofs.formats.sd_jwt import parse_sd_jwt
from proofs.jose import parse_jws, sign_jws
from proofs.keys import SoftwareSigner, generate_signer
from service.single_use import StampedNonces
from tests.issuer.desk import Desk, assert_refused, running_desk, slot_of

TYPE = "openid4vci-proof+jwt"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An issuer under a path prefix, at a standing time."""
    with running_desk(tmp_path) as opened:
        yield opened


def forged(
    desk: Desk,
    *,
    header: dict[str, Any] | None = None,
    claims: dict[str, Any] | None = None,
    typ: str = TYPE,
    signer: SoftwareSigner | None = None,
) -> str:
    """A proof that is right but for what is given; None takes a member out."""
    signer = signer or generate_signer()
    whole = {"aud": desk.issuer, "iat": int(desk.clock().timestamp()), "nonce": desk.nonce()} | (claims or {})
    headers = {"jwk": signer.public_jwk} | (header or {})
    return sign_jws(
        {name: value for name, value in whole.items() if value is not None},
        signer=signer,
        typ=typ,
        header={name: value for name, value in headers.items() if value is not None},
    )


def rebuilt(header: dict[str, Any], payload: bytes, signature: bytes = bytes(64)) -> str:
    """A compact JWS from raw parts, whatever they are."""
    parts = (strict_json.dumps(header), payload, signature)
    return ".".join(base64url.encode(part) for part in parts)


def test_a_forged_proof_without_any_change_is_accepted(desk: Desk) -> None:
    """The maker of forged proofs makes good ones when nothing is changed, so that each test breaks one thing only."""
    request = desk.request(proofs={"jwt": [forged(desk)]})
    assert desk.ask_credential(desk.token(desk.offer()), request).status_code == 200


def test_i30_nonces_come_by_post_unprotected_uncached_and_unpredictable(desk: Desk) -> None:
    """Anybody gets a fresh nonce by POST, with or without body; GET is not answered; no two are alike."""
    answers = [desk.client.post(desk.url("/nonce")) for _ in range(50)]
    assert all(a.status_code == 200 and a.headers["cache-control"] == "no-store" for a in answers)
    assert len({a.json()["c_nonce"] for a in answers}) == 50
    assert all(set(a.json()) == {"c_nonce"} and len(a.json()["c_nonce"]) >= 43 for a in answers)
    assert desk.client.post(desk.url("/nonce"), json={"x": 1}).status_code == 200
    assert desk.client.get(desk.url("/nonce")).status_code == 405


def test_i31_foreign_expired_invented_and_used_nonces_are_refused(desk: Desk) -> None:
    """A nonce of another issuer, of another use, too old, invented, altered, or spent is an invalid nonce."""
    token = desk.token(desk.offer())
    other = StampedNonces(bytes(32), purpose="issuer c_nonce", lifetime_seconds=300)
    elsewhere = StampedNonces(desk.context.store.secret.subkey("c_nonce"), purpose="other", lifetime_seconds=300)
    good = desk.nonce()
    altered = ("A" if good[0] != "A" else "B") + good[1:]
    for nonce in (other.new(now=desk.clock()), elsewhere.new(now=desk.clock()), "invented", good + "A", altered):
        request = desk.request(proofs=desk.proofs([generate_signer()], nonce=nonce))
        assert_refused(desk.ask_credential(token, request), "invalid_nonce")
    keys = [generate_signer()]
    assert desk.ask_credential(token, desk.request(proofs=desk.proofs(keys, nonce=good))).status_code == 200
    again = desk.ask_credential(token, desk.request(proofs=desk.proofs(keys, nonce=good)))
    assert_refused(again, "invalid_nonce")


def test_i31_an_expired_nonce_is_refused(tmp_path: Path) -> None:
    """A nonce older than its lifetime is refused, one second earlier it is good."""
    with running_desk(tmp_path, nonce_seconds=60) as desk:
        for age, status in ((59, 200), (60, 400)):
            token, nonce = desk.token(desk.offer()), desk.nonce()
            desk.clock.advance(seconds=age)
            request = desk.request(proofs=desk.proofs([generate_signer()], nonce=nonce))
            assert desk.ask_credential(token, request).status_code == status


def test_i31_a_nonce_spent_under_one_token_is_spent_under_all(desk: Desk) -> None:
    """A nonce buys one answer, whoever asks."""
    nonce = desk.nonce()
    first = desk.request(proofs=desk.proofs([generate_signer()], nonce=nonce))
    second = desk.request(proofs=desk.proofs([generate_signer()], nonce=nonce))
    assert desk.ask_credential(desk.token(desk.offer()), first).status_code == 200
    assert_refused(desk.ask_credential(desk.token(desk.offer()), second), "invalid_nonce")


def test_i32_a_proof_must_be_signed_by_the_key_in_its_own_header(desk: Desk) -> None:
    """Naming somebody else's key does not bind a certificate to it."""
    token, victim = desk.token(desk.offer()), generate_signer()
    stolen = forged(desk, header={"jwk": victim.public_jwk})
    assert_refused(desk.ask_credential(token, desk.request(proofs={"jwt": [stolen]})), "invalid_proof")


@pytest.mark.parametrize("kind", ["private", "none", "two", "kid", "symmetric", "curve", "off curve", "jku"])
def test_i33_i34_headers_that_name_no_single_public_key_are_refused(desk: Desk, kind: str) -> None:
    """Exactly one public P-256 key names the holder; private members and other kinds of keys are refused."""
    signer = generate_signer()
    headers: dict[str, dict[str, Any]] = {
        "private": {"jwk": {**signer.public_jwk, "d": signer.private_jwk()["d"]}},
        "none": {"jwk": None},
        "two": {"kid": "did:example:1#1"},
        "kid": {"jwk": None, "kid": "did:example:1#1"},
        "symmetric": {"jwk": {"kty": "oct", "k": "AAAA"}},
        "curve": {"jwk": {**signer.public_jwk, "crv": "P-521"}},
        "off curve": {"jwk": {**signer.public_jwk, "x": base64url.encode(bytes(32))}},
        "jku": {"jwk": None, "jku": "https://attacker.example/keys"},
    }
    proof = forged(desk, signer=signer, header=headers[kind])
    answer = desk.ask_credential(desk.token(desk.offer()), desk.request(proofs={"jwt": [proof]}))
    assert_refused(answer, "invalid_proof")


@pytest.mark.parametrize(
    "jwk",
    [None, 7, "x", [1], {}, {"kty": ["EC"]}, {"kty": "EC", "crv": ["P-256"]}, {"kty": "OKP", "crv": "Ed25519"},
     {"kty": "EC", "crv": "P-256", "x": 1, "y": []}],
)  # fmt: skip
def test_i33_what_is_no_key_at_all_is_refused(desk: Desk, jwk: object) -> None:
    """Null, numbers, texts, arrays and half keys in the place of the key are an invalid proof, not our failure."""
    signer = generate_signer()
    header = {"alg": "ES256", "typ": TYPE, "jwk": jwk}
    payload = strict_json.dumps({"aud": desk.issuer, "iat": int(desk.clock().timestamp()), "nonce": desk.nonce()})
    signing_input = rebuilt(header, payload, b"").rstrip(".").encode()
    proof = rebuilt(header, payload, signer.sign(signing_input))
    answer = desk.ask_credential(desk.token(desk.offer()), desk.request(proofs={"jwt": [proof]}))
    assert_refused(answer, "invalid_proof")


@pytest.mark.parametrize("alg", ["none", "None", "HS256", "ES384", "RS256", "EdDSA", None, 7])
def test_i34_only_advertised_algorithms_are_accepted(desk: Desk, alg: object) -> None:
    """The algorithm comes from our list, never from the proof.

    None, HMAC with the public key, and others are refused.
    """
    signer = generate_signer()
    good = parse_jws(forged(desk, signer=signer))
    header = {name: value for name, value in good.header.items() if name != "alg"}
    header |= {} if alg is None else {"alg": alg}
    signing_input = rebuilt(header, good.payload, b"").rstrip(".").encode()
    mac = hmac.digest(strict_json.dumps(signer.public_jwk), signing_input, "sha256")
    for signature in (b"", mac, signer.sign(signing_input)):
        answer = desk.ask_credential(
            desk.token(desk.offer()), desk.request(proofs={"jwt": [rebuilt(header, good.payload, signature)]})
        )
        assert_refused(answer, "invalid_proof")


@pytest.mark.parametrize("typ", ["JWT", "openid4vci-proof+JWT2", "kb+jwt", "dpop+jwt"])
def test_i34_a_jwt_of_another_kind_is_no_proof(desk: Desk, typ: str) -> None:
    """A token made for something else cannot be used as a proof."""
    answer = desk.ask_credential(desk.token(desk.offer()), desk.request(proofs={"jwt": [forged(desk, typ=typ)]}))
    assert_refused(answer, "invalid_proof")


@pytest.mark.parametrize(
    "audience", [None, "https://other.example", "{}/", ["{}"], ["{}", "https://x"], 7, "", "{}/credential"]
)
def test_i35_the_audience_is_exactly_this_issuer(desk: Desk, audience: Any) -> None:
    """A proof made for another issuer, for several, or for a look-alike address is refused."""
    if isinstance(audience, str):
        audience = audience.format(desk.issuer)
    elif isinstance(audience, list):
        audience = [entry.format(desk.issuer) for entry in audience]
    proof = forged(desk, claims={"aud": audience})
    answer = desk.ask_credential(desk.token(desk.offer()), desk.request(proofs={"jwt": [proof]}))
    assert_refused(answer, "invalid_proof")


def test_i36_iss_is_the_client_that_got_the_token(desk: Desk) -> None:
    """An anonymous wallet leaves iss out; a wallet that named itself may repeat its name, and no other."""
    for client_id, iss, status in (
        (None, "wallet", 400),
        (None, "", 400),
        ("wallet", "wallet", 200),
        ("wallet", None, 200),
        ("wallet", "other", 400),
        ("wallet", ["wallet"], 400),
    ):
        token = desk.token(desk.offer(), client_id=client_id)
        proof = forged(desk, claims={"iss": iss})
        answer = desk.ask_credential(token, desk.request(proofs={"jwt": [proof]}))
        assert answer.status_code == status, (client_id, iss)


@pytest.mark.parametrize(
    ("seconds", "good"), [(30, True), (-200, True), (-90_000, True), (3600, False), (None, False), ("x", False)]
)
def test_i37_a_proof_is_as_old_as_its_nonce_and_not_from_the_future(
    desk: Desk, seconds: int | str | None, good: bool
) -> None:
    """Our nonces carry our time, so a wallet with a slow clock is served (13.8).

    A proof from the future, beyond a little skew, is refused, and so is one without time.
    """
    iat: Any = seconds
    if isinstance(seconds, int):
        iat = int((desk.clock() + timedelta(seconds=seconds)).timestamp())
    proof = forged(desk, claims={"iat": iat})
    answer = desk.ask_credential(desk.token(desk.offer()), desk.request(proofs={"jwt": [proof]}))
    assert (answer.status_code == 200) is good
    if not good:
        assert_refused(answer, "invalid_proof")


def test_i38_proofs_share_one_nonce_and_no_key_comes_twice(desk: Desk) -> None:
    """Two nonces in one request, or two proofs by one key, are refused; no nonce is spent by that."""
    token, key, nonce = desk.token(desk.offer()), generate_signer(), desk.nonce()
    mixed = {"jwt": [desk.proof(), desk.proof()]}
    twice = desk.proofs([key, key], nonce=nonce)
    assert_refused(desk.ask_credential(token, desk.request(proofs=mixed)), "invalid_proof")
    assert_refused(desk.ask_credential(token, desk.request(proofs=twice)), "invalid_proof")
    assert desk.ask_credential(token, desk.request(proofs=desk.proofs([key], nonce=nonce))).status_code == 200


def test_i38_a_proof_without_nonce_is_an_invalid_proof(desk: Desk) -> None:
    """A wallet that knows no nonce endpoint is told that its proof, not its nonce, is at fault."""
    for nonce in (None, "", 7):
        proof = forged(desk, claims={"nonce": nonce})
        answer = desk.ask_credential(desk.token(desk.offer()), desk.request(proofs={"jwt": [proof]}))
        assert_refused(answer, "invalid_proof")


def test_i39_more_proofs_than_the_batch_size_are_refused(tmp_path: Path) -> None:
    """Ten keys get ten copies, eleven get none: nothing is silently left out."""
    with running_desk(tmp_path, batch_size=3) as desk:
        for count, status in ((3, 200), (4, 400)):
            request = desk.request(proofs=desk.proofs([generate_signer() for _ in range(count)]))
            answer = desk.ask_credential(desk.token(desk.offer()), request)
            assert answer.status_code == status
        assert answer.json()["error"] == "invalid_proof"


def test_i40_one_bad_proof_fails_all_and_takes_no_slot(desk: Desk) -> None:
    """Nine good proofs and a bad one yield nothing, and nothing is taken from the status list or the allowance."""
    token, nonce = desk.token(desk.offer()), desk.nonce()
    good = desk.proofs([generate_signer() for _ in range(2)], nonce=nonce)["jwt"]
    for bad in (forged(desk, claims={"nonce": nonce, "aud": "https://x"}), "not.a.jwt", ""):
        assert_refused(desk.ask_credential(token, desk.request(proofs={"jwt": [*good, bad]})), "invalid_proof")
    assert desk.context.store.status.list_issued() == []
    assert desk.ask_credential(token, desk.request(proofs={"jwt": good})).status_code == 200


@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"credential_configuration_id": None}, "invalid_credential_request"),
        ({"credential_identifier": "x"}, "invalid_credential_request"),
        ({"credential_configuration_id": 7}, "invalid_credential_request"),
        ({"credential_configuration_id": "diploma"}, "unknown_credential_configuration"),
        ({"credential_configuration_id": None, "credential_identifier": "x"}, "unknown_credential_identifier"),
    ],
)
def test_i44_the_credential_is_named_in_exactly_one_known_way(desk: Desk, members: dict[str, Any], error: str) -> None:
    """Neither, both, unknown names: each has its own code."""
    assert_refused(desk.ask_credential(desk.token(desk.offer()), desk.request(**members)), error)


def test_i44_identifiers_are_used_where_they_were_issued_and_only_there(desk: Desk) -> None:
    """With identifiers in the token answer they are the way to ask; without them they are unknown."""
    details = json.dumps([{"type": "openid_credential", "credential_configuration_id": "micro-credential"}])
    offer, plain = desk.offer(), desk.offer()
    answer = desk.ask_token(offer, authorization_details=details).json()
    identifier = answer["authorization_details"][0]["credential_identifiers"][0]
    token = answer["access_token"]

    by_name = desk.ask_credential(token, desk.request())
    unknown = desk.ask_credential(token, desk.request("diploma"))
    of_plain = desk.request(credential_configuration_id=None, credential_identifier=plain.id)
    right = desk.request(credential_configuration_id=None, credential_identifier=identifier)

    assert_refused(by_name, "invalid_credential_request")
    assert_refused(unknown, "unknown_credential_configuration")
    assert_refused(desk.ask_credential(token, of_plain), "unknown_credential_identifier")
    assert_refused(desk.ask_credential(desk.token(plain), of_plain), "unknown_credential_identifier")
    assert desk.ask_credential(token, right).status_code == 200


def test_i44_a_token_covers_only_what_was_offered(desk: Desk) -> None:
    """A known configuration that was not offered is an authorization error (8.3.1.1, RFC 6750)."""
    answer = desk.ask_credential(desk.token(desk.offer()), desk.request("course-results"))
    assert_refused(answer, "insufficient_scope", 403)
    assert answer.headers["www-authenticate"].startswith("Bearer ")


def test_i45_format_and_unknown_members_are_ignored(desk: Desk) -> None:
    """Members of older drafts and of the future do not disturb."""
    request = desk.request(format="vc+sd-jwt", vct="x", future={"a": []}, credential_response_encryption=None)
    assert desk.ask_credential(desk.token(desk.offer()), request).status_code == 200


@pytest.mark.parametrize(
    "proofs",
    [None, {}, [], "x", {"jwt": []}, {"jwt": "x"}, {"jwt": [7]}, {"jwt": [None]}, {"ldp_vp": [{}]}, {"attestation":
    ["x"]},
     {"jwt": ["x"], "attestation": ["x"]}],
)  # fmt: skip
def test_i46_proofs_are_demanded_and_of_the_advertised_kind(desk: Desk, proofs: Any) -> None:
    """Missing, empty, foreign or mixed proofs are an invalid proof."""
    request = {"credential_configuration_id": "micro-credential"} | ({} if proofs is None else {"proofs": proofs})
    assert_refused(desk.ask_credential(desk.token(desk.offer()), request), "invalid_proof")


def test_i46_the_singular_proof_of_old_drafts_is_refused(desk: Desk) -> None:
    """A pre-1.0 wallet is told what is wrong, and gets nothing."""
    old = {"credential_configuration_id": "micro-credential", "proof": {"proof_type": "jwt", "jwt": desk.proof()}}
    answer = desk.ask_credential(desk.token(desk.offer()), old)
    assert_refused(answer, "invalid_proof")
    assert "singular" in answer.json()["error_description"]


def test_i55_an_encrypted_answer_is_refused_where_it_is_not_offered(desk: Desk) -> None:
    """Encryption asked for in clear, or an encrypted request, gets the specified error and spends nothing."""
    token = desk.token(desk.offer())
    wanted = {"jwk": {**generate_signer().public_jwk, "use": "enc", "alg": "ECDH-ES"}, "enc": "A128GCM"}
    request = desk.request(credential_response_encryption=wanted)
    assert_refused(desk.ask_credential(token, request), "invalid_encryption_parameters")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/jwt"}
    encrypted = desk.client.post(desk.url("/credential"), content=b"a.b.c.d.e", headers=headers)
    assert_refused(encrypted, "invalid_encryption_parameters")
    del request["credential_response_encryption"]
    assert desk.ask_credential(token, request).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b'{"a":1,"a":2}', b'{"proofs":{"jwt":["x"]},"proofs":{}}', b'{"a":NaN}',
     b"[" * 100_000, b'{"a":"' + b"x" * 2_000_000 + b'"}', b'{"a":"\\ud800"}', b"\xff\xfe"],
)  # fmt: skip
def test_g01_hostile_json_is_an_invalid_credential_request(desk: Desk, body: bytes) -> None:
    """Repeated members, endless nesting, sizes and characters that JSON cannot hold are refused cheaply."""
    answer = desk.ask_credential(desk.token(desk.offer()), body)
    assert answer.status_code in (400, 413)
    assert answer.json()["error"] in ("invalid_credential_request", "too_large")


def test_g01_a_proof_with_a_repeated_member_is_refused(desk: Desk) -> None:
    """Two readers must not see two different nonces in one proof."""
    signer, nonce = generate_signer(), desk.nonce()
    payload = b'{"aud":"%s","iat":%d,"nonce":"%s","nonce":"other"}' % (
        desk.issuer.encode(), int(desk.clock().timestamp()), nonce.encode(),
    )  # fmt: skip
    header = {"alg": "ES256", "typ": TYPE, "jwk": signer.public_jwk}
    signing_input = rebuilt(header, payload, b"").rstrip(".").encode()
    proof = rebuilt(header, payload, signer.sign(signing_input))
    answer = desk.ask_credential(desk.token(desk.offer()), desk.request(proofs={"jwt": [proof]}))
    assert_refused(answer, "invalid_proof")


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"crit": []}, {"b64": False, "crit": ["b64"]}])
def test_g03_critical_header_parameters_are_refused(desk: Desk, header: dict[str, Any]) -> None:
    """What must be understood and is not makes the proof unusable."""
    proof = forged(desk, header=header)
    answer = desk.ask_credential(desk.token(desk.offer()), desk.request(proofs={"jwt": [proof]}))
    assert_refused(answer, "invalid_proof")


def test_i60_copies_have_nothing_in_common_that_tells_them_apart_from_others(desk: Desk) -> None:
    """Copies share no identifier: distinct keys, salts, digests and random slots, whole hours, no jti."""
    copies = desk.collect(desk.offer(), [generate_signer() for _ in range(10)])

    assert len({slot_of(copy)[1] for copy in copies}) == 10
    assert len({copy.claims["cnf"]["jwk"]["x"] for copy in copies}) == 10
    salts = [disclosure.salt for copy in copies for disclosure in copy.disclosures]
    assert len(set(salts)) == len(salts)
    digests = [digest for copy in copies for digest in copy.payload["_sd"]]
    assert len(set(digests)) == len(digests)
    for copy in copies:
        assert not {"jti", "sub", "id", "nonce"} & set(copy.claims)
        assert all(copy.claims[name] % 3600 == 0 for name in ("iat", "nbf", "exp"))
        assert set(copy.header) == {"alg", "typ", "kid", "x5c"}
    indexes = sorted(slot_of(copy)[1] for copy in copies)
    assert max(b - a for a, b in pairwise(indexes)) > 1, "indexes are not consecutive"


def test_i63_a_copy_is_answered_as_it_is(desk: Desk) -> None:
    """An SD-JWT VC is a string in the answer, not encoded again."""
    answer = desk.ask_credential(desk.token(desk.offer()), desk.request()).json()
    assert set(answer) == {"credentials", "notification_id"}
    assert set(answer["credentials"][0]) == {"credential"}
    assert parse_sd_jwt(answer["credentials"][0]["credential"]).claims["iss"] == desk.issuer


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.REVOKED])
def test_a_suspended_or_revoked_certificate_yields_no_more_copies(desk: Desk, status: Status) -> None:
    """The collection that is still open yields nothing any more, for the same keys and for others; nor a slot."""
    offer = desk.offer()
    token, keys = desk.token(offer), [generate_signer()]
    (copy,) = desk.collect(offer, keys, token=token)
    desk.change(offer, status)
    for asked in (keys, [generate_signer()]):
        answer = desk.ask_credential(token, desk.request(proofs=desk.proofs(asked)))
        assert_refused(answer, "credential_request_denied")
    (issued,) = desk.context.store.status.list_issued()
    assert (issued.copies, desk.read_status(copy)) == (1, status)


def test_a_reinstated_certificate_yields_copies_again(desk: Desk) -> None:
    """While its token lives; they are valid."""
    offer = desk.offer()
    token = desk.token(offer)
    desk.collect(offer, token=token)
    desk.change(offer, Status.SUSPENDED)
    desk.change(offer, Status.VALID)
    (fresh,) = desk.collect(offer, token=token)
    assert desk.read_status(fresh) == Status.VALID
