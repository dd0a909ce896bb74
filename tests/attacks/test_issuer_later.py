"""Deferred issuance, notifications, encryption and key attestations under attack (I-41, I-42, I-50 to I-55)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.deferral import Review
from issuer.notification import read_notification
from proofs import jose, strict_json
from proofs.formats.sd_jwt import parse_sd_jwt
from proofs.jwe import generate_encryption_key, public_part
from proofs.key_attestation import make_key_attestation
from proofs.keys import generate_signer
from schemas.errors import ProtocolError
from schemas.issuance import credential_issuer_metadata_url
from tests.attacks.test_issuer_any_input import JSON
from tests.issuer.desk import Desk, assert_refused, running_desk
from tests.issuer.fetching import Fetcher, running_fetcher
from tests.proofs.authorities import Authority, x5c


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An issuer, at a standing time."""
    with running_desk(tmp_path) as opened:
        yield opened


@pytest.fixture
def reviewed(tmp_path: Path) -> Iterator[Fetcher]:
    """An issuer where staff look at every micro-credential first."""
    with running_fetcher(tmp_path, reviewed_types="micro-credential") as opened:
        yield opened


def poll(fetcher: Fetcher, token: str, transaction: Any, **members: Any) -> Any:
    """A deferred credential request."""
    headers = {"Authorization": f"DPoP {token}", "DPoP": fetcher.dpop("/deferred_credential", token=token)}
    request = {"transaction_id": transaction} | members
    return fetcher.desk.client.post(fetcher.desk.url("/deferred_credential"), json=request, headers=headers)


def review(fetcher: Fetcher, decision: Review) -> None:
    """Staff decide about the one that waits."""
    store = fetcher.desk.context.store
    (waiting,) = store.deferrals.list_waiting()
    store.deferrals.review(waiting.offer_id, decision, now=fetcher.desk.clock())


# --- deferred --------------------------------------------------------------------------------------------------------


def test_i50_i51_a_certificate_that_waits_is_obtained_once(reviewed: Fetcher) -> None:
    """202 with transaction and interval; the same while it waits; the copies; then the transaction is worth nothing."""
    token = reviewed.token()["access_token"]
    keys = [generate_signer(), generate_signer()]
    answer = reviewed.ask_credential(token, proofs=reviewed.desk.proofs(keys))
    assert answer.status_code == 202
    assert set(answer.json()) == {"transaction_id", "interval"}
    assert answer.json()["interval"] > 0
    transaction = answer.json()["transaction_id"]
    waiting = poll(reviewed, token, transaction)
    assert (waiting.status_code, waiting.json()) == (202, answer.json())

    review(reviewed, Review.APPROVED)
    obtained = poll(reviewed, token, transaction)
    assert obtained.status_code == 200
    copies = [parse_sd_jwt(each["credential"]) for each in obtained.json()["credentials"]]
    assert [copy.claims["cnf"]["jwk"] for copy in copies] == [key.public_jwk for key in keys]
    assert obtained.json()["notification_id"]
    assert_refused(poll(reviewed, token, transaction), "invalid_transaction_id")
    # An answer that was lost is asked for again as always: the same keys get the same slots.
    again = reviewed.ask_credential(token, proofs=reviewed.desk.proofs(keys)).json()["credentials"]
    assert [parse_sd_jwt(each["credential"]).claims["status"] for each in again] == [
        copy.claims["status"] for copy in copies
    ]


def test_i51_a_denial_is_final(reviewed: Fetcher) -> None:
    """For the transaction, and for whoever asks anew with the same token."""
    token = reviewed.token()["access_token"]
    transaction = reviewed.ask_credential(token).json()["transaction_id"]
    review(reviewed, Review.DENIED)
    for _ in range(2):
        assert_refused(poll(reviewed, token, transaction), "credential_request_denied")
    assert_refused(reviewed.ask_credential(token), "credential_request_denied")
    offer, *_ = reviewed.desk.context.store.offers.list_offers(now=reviewed.desk.clock())
    with pytest.raises(ProtocolError):
        reviewed.desk.context.store.deferrals.review(offer.id, Review.APPROVED, now=reviewed.desk.clock())


def test_i51_a_transaction_belongs_to_one_token(reviewed: Fetcher) -> None:
    """Another person's token, an invented identifier, and what is none."""
    token = reviewed.token()["access_token"]
    transaction = reviewed.ask_credential(token).json()["transaction_id"]
    other = reviewed.token()["access_token"]
    assert_refused(poll(reviewed, other, transaction), "invalid_transaction_id")
    assert_refused(poll(reviewed, token, "x" * 43), "invalid_transaction_id")
    for wrong in (None, 5, "", ["x"]):
        assert_refused(poll(reviewed, token, wrong), "invalid_credential_request")
    bearer = {"Authorization": f"Bearer {token}"}
    url = reviewed.desk.url("/deferred_credential")
    assert_refused(reviewed.desk.client.post(url, json={}, headers=bearer), "invalid_token", 401)


def test_i52_the_wallet_may_come_back_after_its_token_has_expired(reviewed: Fetcher) -> None:
    """It refreshes first; the transaction is still the same."""
    token = reviewed.token()
    transaction = reviewed.ask_credential(token["access_token"]).json()["transaction_id"]
    reviewed.desk.clock.advance(days=3)
    reviewed.desk.context.store.grants.sweep(now=reviewed.desk.clock())
    assert_refused(poll(reviewed, token["access_token"], transaction), "invalid_token", 401)
    fresh = reviewed.ask_refresh(token["refresh_token"]).json()["access_token"]
    assert poll(reviewed, fresh, transaction).status_code == 202
    review(reviewed, Review.APPROVED)
    assert poll(reviewed, fresh, transaction).status_code == 200


def test_a_review_is_decided_once(reviewed: Fetcher) -> None:
    """And asking again with other keys keeps the certificate waiting once."""
    token = reviewed.token()["access_token"]
    first, second = (reviewed.ask_credential(token).json()["transaction_id"] for _ in range(2))
    assert first != second
    review(reviewed, Review.APPROVED)
    assert reviewed.desk.context.store.deferrals.list_waiting() == []
    assert poll(reviewed, token, first).status_code == 200


# --- notifications ---------------------------------------------------------------------------------------------------


def tell(desk: Desk, token: str, body: Any) -> Any:
    """A notification under a bearer token."""
    headers = {"Authorization": f"Bearer {token}"}
    if isinstance(body, bytes):
        return desk.client.post(desk.url("/notification"), content=body, headers=headers)
    return desk.client.post(desk.url("/notification"), json=body, headers=headers)


def test_i53_i54_a_notification_is_kept_once_and_under_its_own_token(desk: Desk) -> None:
    """204 each time; with another token, or another identifier, it is refused."""
    offer = desk.offer()
    token = desk.token(offer)
    identifier = desk.ask_credential(token, desk.request()).json()["notification_id"]
    assert offer.id not in identifier
    for _ in range(2):
        answer = tell(desk, token, {"notification_id": identifier, "event": "credential_accepted", "future": 1})
        assert (answer.status_code, answer.content) == (204, b"")
    other = desk.token(desk.offer())
    accepted = {"notification_id": identifier, "event": "credential_accepted"}
    assert_refused(tell(desk, other, accepted), "invalid_notification_id")
    for wrong in (identifier + "x", "x", identifier.partition(".")[0], "å.ä"):
        assert_refused(tell(desk, token, accepted | {"notification_id": wrong}), "invalid_notification_id")
    assert_refused(tell(desk, "nobody", accepted), "invalid_token", 401)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"notification_id": "x"},
        {"event": "credential_accepted"},
        {"notification_id": 5, "event": "credential_accepted"},
        {"notification_id": "x", "event": "credential_ACCEPTED"},
        {"notification_id": "x", "event": ""},
        {"notification_id": "x", "event": "credential_failure", "event_description": "ö"},
        {"notification_id": "x", "event": "credential_failure", "event_description": 'a"b'},
        {"notification_id": "x", "event": "credential_failure", "event_description": 5},
        b"[]",
        b'{"event": "credential_accepted", "event": "credential_failure", "notification_id": "x"}',
    ],
)
def test_i53_a_malformed_notification_is_refused(desk: Desk, body: Any) -> None:
    """With the code of the standard."""
    assert_refused(tell(desk, desk.token(desk.offer()), body), "invalid_notification_request")


@given(st.dictionaries(st.sampled_from(["notification_id", "event", "event_description"]), JSON))
def test_any_notification(request: dict[str, Any]) -> None:
    """Whatever stands in it."""
    from issuer.derivation import IssuerSecret
    from issuer.issuance import Access
    from tests.attacks.test_issuer_any_input import GRANT

    with pytest.raises(ProtocolError):
        read_notification(request, Access((GRANT,), None), secret=IssuerSecret(b"x" * 32))


# --- encryption ------------------------------------------------------------------------------------------------------

MINE = generate_encryption_key()


def encrypted(desk: Desk, token: str, request: Any, *, enc: str = "A256GCM", **header: Any) -> Any:
    """A credential request, encrypted to the key in the metadata."""
    metadata = desk.client.get(credential_issuer_metadata_url(desk.issuer)).json()
    (key,) = metadata["credential_request_encryption"]["jwks"]["keys"]
    members = {"kid": key["kid"]} | header
    plaintext = request if isinstance(request, bytes) else strict_json.dumps(request)
    jwe = jose.encrypt_jwe(
        plaintext,
        recipient_jwk=key,
        enc=enc,
        header={name: value for name, value in members.items() if value is not None},
    )
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/jwt"}
    return desk.client.post(desk.url("/credential"), content=jwe, headers=headers)


def wanted(**changes: Any) -> dict[str, Any]:
    """How the answer is to be encrypted; None leaves a member out."""
    values = {"jwk": public_part(MINE), "enc": "A128GCM", **changes}
    return {name: value for name, value in values.items() if value is not None}


@pytest.mark.parametrize("compression", [None, "DEF"])
@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
def test_i55_request_and_response_are_encrypted(desk: Desk, enc: str, compression: str | None) -> None:
    """The kid of the wallet's key is copied, compression only where it was asked for."""
    request = desk.request(credential_response_encryption=wanted(enc=enc, zip=compression))
    answer = encrypted(desk, desk.token(desk.offer()), request, enc=enc, zip=compression)
    assert answer.headers["content-type"] == "application/jwt"
    header, plaintext = jose.decrypt_jwe(
        answer.text, private_jwk=MINE, algorithms={"ECDH-ES"}, encryptions={enc}, max_bytes=1_000_000
    )
    assert (header["kid"], header["enc"], header.get("zip")) == (MINE["kid"], enc, compression)
    assert strict_json.loads_object(plaintext)["credentials"]


def test_i55_only_the_request_may_be_encrypted(desk: Desk) -> None:
    """Then the answer is plain JSON."""
    answer = encrypted(desk, desk.token(desk.offer()), desk.request())
    assert answer.json()["credentials"]


def test_i55_an_encrypted_answer_needs_an_encrypted_request(desk: Desk) -> None:
    """Otherwise whoever is in between could put in a key of their own; the error is plain."""
    request = desk.request(credential_response_encryption=wanted())
    assert_refused(desk.ask_credential(desk.token(desk.offer()), request), "invalid_encryption_parameters")


@pytest.mark.parametrize(
    "changes",
    [
        {"jwk": None},
        {"jwk": {}},
        {"jwk": "key"},
        {"enc": None},
        {"enc": "A256CBC-HS512"},
        {"enc": ["A256GCM"]},
        {"enc": {}},
        {"zip": ["DEF"]},
        {"zip": "GZIP"},
        {"jwk": {**public_part(MINE), "alg": "RSA-OAEP"}},
        {"jwk": {name: value for name, value in public_part(MINE).items() if name != "alg"}},
        {"jwk": {**public_part(MINE), "x": "AAAA"}},
        {"jwk": MINE},
    ],
)
def test_i55_wrong_parameters_are_refused_in_the_clear(desk: Desk, changes: dict[str, Any]) -> None:
    """And nothing is spent."""
    token = desk.token(desk.offer())
    request = desk.request(credential_response_encryption=wanted(**changes))
    assert_refused(encrypted(desk, token, request), "invalid_encryption_parameters")
    assert encrypted(desk, token, request | {"credential_response_encryption": wanted()}).status_code == 200


def test_i55_what_cannot_be_opened_is_refused(desk: Desk) -> None:
    """Another key, no key named, a foreign text; and a bomb is not inflated."""
    token = desk.token(desk.offer())
    assert_refused(encrypted(desk, token, desk.request(), kid="other"), "invalid_encryption_parameters")
    assert_refused(encrypted(desk, token, desk.request(), kid=None), "invalid_encryption_parameters")
    assert_refused(encrypted(desk, token, b"{}" + b" " * 3_000_000, zip="DEF"), "invalid_encryption_parameters")
    assert_refused(encrypted(desk, token, b"[]"), "invalid_credential_request")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/jwt"}
    for body in (b"", b"a.b.c.d.e", "å".encode()):
        answer = desk.client.post(desk.url("/credential"), content=body, headers=headers)
        assert answer.status_code == 400


def test_i55_where_encryption_is_demanded_plain_requests_are_refused(tmp_path: Path) -> None:
    """In both directions, as the metadata says."""
    with running_desk(tmp_path, encryption="required") as desk:
        token = desk.token(desk.offer())
        assert_refused(desk.ask_credential(token, desk.request()), "invalid_encryption_parameters")
        assert_refused(encrypted(desk, token, desk.request()), "invalid_encryption_parameters")
        whole = desk.request(credential_response_encryption=wanted())
        assert encrypted(desk, token, whole).status_code == 200
        metadata = desk.client.get(credential_issuer_metadata_url(desk.issuer)).json()
        assert metadata["credential_request_encryption"]["encryption_required"] is True
        assert metadata["credential_response_encryption"]["encryption_required"] is True


# --- key attestations ------------------------------------------------------------------------------------------------

KEEPERS = Authority("Key keepers", until=timedelta(days=30))
STRANGERS = Authority("Somebody else", until=timedelta(days=30))


@pytest.fixture
def attesting(tmp_path: Path) -> Iterator[Desk]:
    """An issuer that demands attested keys for micro-credentials."""
    from cryptography.hazmat.primitives.serialization import Encoding

    (tmp_path / "keepers.pem").write_bytes(KEEPERS.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "clients.toml").write_text('[[key_attesters]]\nroots = ["keepers.pem"]\n')
    with running_desk(
        tmp_path, clients_file=tmp_path / "clients.toml", key_attested_types="micro-credential"
    ) as opened:
        yield opened


def attestation(
    desk: Desk, keys: list[Any], nonce: str, *, root: Authority = KEEPERS, kid: str = "", **changes: Any
) -> str:
    """Somebody vouches for these keys; `kid`: what they are called, with `{}` for their place."""
    signer = generate_signer()
    jwks = [{**key.public_jwk, **({"kid": kid.format(place)} if kid else {})} for place, key in enumerate(keys)]
    values: dict[str, Any] = {
        "signer": signer.with_chain(x5c(root.certify(signer=signer))),
        "issuer": "https://keepers.example",
        "keys": jwks,
        "nonce": nonce,
        "key_storage": ["iso_18045_moderate"],
        "user_authentication": ["iso_18045_moderate"],
        "lifetime": timedelta(minutes=5),
        "now": desk.clock(),
    }
    return make_key_attestation(**(values | changes))


def test_i42_an_attestation_alone_gives_a_copy_for_each_key(attesting: Desk) -> None:
    """Exactly one in the array; the metadata says that it is taken."""
    keys, nonce = [generate_signer() for _ in range(3)], attesting.nonce()
    token = attesting.token(attesting.offer())
    made = attestation(attesting, keys, nonce)
    assert_refused(
        attesting.ask_credential(token, attesting.request(proofs={"attestation": [made, made]})), "invalid_proof"
    )
    answer = attesting.ask_credential(token, attesting.request(proofs={"attestation": [made]}))
    copies = [parse_sd_jwt(each["credential"]) for each in answer.json()["credentials"]]
    assert [copy.claims["cnf"]["jwk"] for copy in copies] == [key.public_jwk for key in keys]
    metadata = attesting.client.get(credential_issuer_metadata_url(attesting.issuer)).json()
    types = metadata["credential_configurations_supported"]["micro-credential"]["proof_types_supported"]
    assert types["jwt"]["key_attestations_required"] == {}
    assert set(types) == {"jwt", "attestation"}


def test_what_is_demanded_of_one_type_is_demanded_of_no_other(attesting: Desk) -> None:
    """Attested keys are demanded for micro-credentials: the metadata say so there alone, a plain proof is enough for
    another type, and does not do for the first. (The proof type `attestation` is one, for whoever wants to use it.)"""
    metadata = attesting.client.get(credential_issuer_metadata_url(attesting.issuer)).json()
    demanding = {
        name
        for name, one in metadata["credential_configurations_supported"].items()
        if "key_attestations_required" in one["proof_types_supported"]["jwt"]
    }
    assert demanding == {"micro-credential"}

    token = attesting.token(attesting.offer("course-results"))
    answer = attesting.ask_credential(token, attesting.request("course-results"))
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["credentials"]) == 1
    refused = attesting.ask_credential(attesting.token(attesting.offer()), attesting.request())
    assert_refused(refused, "invalid_proof")


def test_i41_a_proof_carries_its_attestation(attesting: Desk) -> None:
    """The proof's key is among the attested ones, the nonces agree; each attested key gets a copy."""
    keys, nonce = [generate_signer() for _ in range(2)], attesting.nonce()
    token = attesting.token(attesting.offer())

    def ask(made: str | None, key: Any = keys[0]) -> Any:
        proofs = {"jwt": [attesting.proof(key, nonce=nonce, key_attestation=made)]}
        return attesting.ask_credential(token, attesting.request(proofs=proofs))

    assert_refused(ask(None), "invalid_proof")
    assert_refused(ask(attestation(attesting, keys, nonce), generate_signer()), "invalid_proof")
    assert_refused(ask(attestation(attesting, keys, attesting.nonce())), "invalid_proof")
    stranger = Authority("Somebody else", until=timedelta(days=30))
    assert_refused(ask(attestation(attesting, keys, nonce, root=stranger)), "invalid_proof")
    assert_refused(ask(attestation(attesting, keys, nonce, lifetime=timedelta(minutes=-5))), "invalid_proof")
    assert_refused(ask("x.y.z"), "invalid_proof")
    many = [generate_signer() for _ in range(11)]
    assert_refused(ask(attestation(attesting, many, nonce), many[0]), "invalid_proof")
    assert len(ask(attestation(attesting, keys, nonce)).json()["credentials"]) == 2


@pytest.mark.parametrize("way", ["place", "kid", "thumbprint"])
def test_a_proof_may_name_its_key_in_its_attestation(attesting: Desk, way: str) -> None:
    """The second example of F.1: `kid` instead of `jwk`, by the place among the attested keys or by the key's name."""
    keys, nonce = [generate_signer() for _ in range(3)], attesting.nonce()
    made = attestation(attesting, keys, nonce, kid="key-{}" if way == "kid" else "")
    kid = {"place": "1", "kid": "key-1", "thumbprint": keys[1].kid}[way]
    token = attesting.token(attesting.offer())

    def ask(signer: Any, header: dict[str, Any]) -> Any:
        claims = {"aud": attesting.issuer, "iat": int(attesting.clock().timestamp()), "nonce": nonce}
        proof = jose.sign_jws(claims, signer=signer, typ="openid4vci-proof+jwt", header=header)
        return attesting.ask_credential(token, attesting.request(proofs={"jwt": [proof]}))

    for signer, header in (
        (keys[0], {"kid": kid, "key_attestation": made}),  # Signed by another key than the one that is named.
        (generate_signer(), {"kid": kid, "key_attestation": made}),
        (keys[1], {"kid": kid}),
        (keys[1], {"kid": kid, "key_attestation": "x.y.z"}),
        (keys[1], {"kid": "3", "key_attestation": made}),
        (keys[1], {"kid": "-2", "key_attestation": made}),
        (keys[1], {"kid": 1, "key_attestation": made}),
        (keys[1], {"kid": "9" * 5000, "key_attestation": made}),
        (keys[1], {"kid": "\u0661", "key_attestation": made}),  # A digit of another script.
        (keys[1], {"kid": "did:example:1#1", "key_attestation": made}),
        (keys[1], {"kid": kid, "jwk": keys[1].public_jwk, "key_attestation": made}),
        (keys[1], {"kid": kid, "key_attestation": made, "trust_chain": []}),
        (keys[1], {"kid": kid, "key_attestation": attestation(attesting, keys, attesting.nonce())}),
        (keys[1], {"kid": kid, "key_attestation": attestation(attesting, keys, nonce, root=STRANGERS)}),
    ):
        assert_refused(ask(signer, header), "invalid_proof")
    answer = ask(keys[1], {"kid": kid, "key_attestation": made})
    copies = [parse_sd_jwt(each["credential"]) for each in answer.json()["credentials"]]
    assert [copy.claims["cnf"]["jwk"] for copy in copies] == [key.public_jwk for key in keys]


def test_a_name_of_two_attested_keys_names_none(attesting: Desk) -> None:
    """Else the wallet and we could mean different keys."""
    keys, nonce = [generate_signer() for _ in range(2)], attesting.nonce()
    made = attestation(attesting, keys, nonce, kid="same")
    claims = {"aud": attesting.issuer, "iat": int(attesting.clock().timestamp()), "nonce": nonce}
    header = {"kid": "same", "key_attestation": made}
    proof = jose.sign_jws(claims, signer=keys[0], typ="openid4vci-proof+jwt", header=header)
    token = attesting.token(attesting.offer())
    assert_refused(attesting.ask_credential(token, attesting.request(proofs={"jwt": [proof]})), "invalid_proof")


def test_where_nobody_may_vouch_no_key_is_named_in_an_attestation(desk: Desk) -> None:
    """An attestation that nobody checked says nothing about keys."""
    key, nonce = generate_signer(), desk.nonce()
    claims = {"aud": desk.issuer, "iat": int(desk.clock().timestamp()), "nonce": nonce}
    header = {"kid": "0", "key_attestation": attestation(desk, [key], nonce)}
    proof = jose.sign_jws(claims, signer=key, typ="openid4vci-proof+jwt", header=header)
    token = desk.token(desk.offer())
    assert_refused(desk.ask_credential(token, desk.request(proofs={"jwt": [proof]})), "invalid_proof")


def test_where_nobody_may_vouch_attestations_are_passed_over(desk: Desk) -> None:
    """An ordinary proof with one is an ordinary proof; the other kind does not exist."""
    key, nonce = generate_signer(), desk.nonce()
    made = attestation(desk, [key], nonce)
    token = desk.token(desk.offer())
    assert_refused(desk.ask_credential(token, desk.request(proofs={"attestation": [made]})), "invalid_proof")
    proofs = {"jwt": [desk.proof(key, nonce=nonce, key_attestation=made)]}
    assert desk.ask_credential(token, desk.request(proofs=proofs)).status_code == 200
