"""How clients and keys are vouched for: attestation, assertion, key attestation (I-26, I-28, I-41, I-42)."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs import jose
from proofs.client_assertion import CheckedAssertion, check_client_assertion, make_client_assertion, unverified_subject
from proofs.client_attestation import (
    ATTESTATION_PROOF_TYP,
    ATTESTATION_TYP,
    PROOF_WINDOW_SECONDS,
    AttestedClient,
    Attester,
    check_attested_client,
    make_attestation,
    make_attestation_proof,
)
from proofs.key_attestation import KEY_ATTESTATION_TYP, AttestedKeys, check_key_attestation, make_key_attestation
from proofs.keys import SoftwareSigner, generate_signer
from schemas.errors import ProtocolError
from schemas.issuance import (
    InvalidClient,
    InvalidClientAttestation,
    InvalidProof,
    UseAttestationChallenge,
    UseFreshAttestation,
)
from tests.proofs.authorities import Authority, x5c
from tests.proofs.cast import NOW

SERVER = "https://university.example"
PROVIDER = "https://wallet-provider.example"
CLIENT = "https://wallet.example"
ROOT, OTHER_ROOT = Authority("Provider root"), Authority("Somebody else")
INSTANCE = generate_signer()
SECONDS = int(NOW.timestamp())


def provider_under(root: Authority, *, self_signed: bool = False) -> SoftwareSigner:
    """The provider's signing key with its chain."""
    key = generate_signer()
    chain = (root.certificate,) if self_signed else (root.certify(signer=key),)
    return (root.signer if self_signed else key).with_chain(x5c(*chain))


PROVIDING = provider_under(ROOT)


def attestation(
    *, signer: SoftwareSigner = PROVIDING, typ: str = ATTESTATION_TYP, drop: str = "", **changes: Any
) -> str:
    """A soundly signed attestation with some claims changed."""
    claims: dict[str, Any] = {
        "iss": PROVIDER,
        "sub": CLIENT,
        "iat": SECONDS,
        "exp": SECONDS + 3600,
        "cnf": {"jwk": INSTANCE.public_jwk},
        **changes,
    }
    claims.pop(drop, None)
    return jose.sign_jws(claims, signer=signer, typ=typ, header=jose.certificate_header(signer))


def proof(
    *, signer: SoftwareSigner = INSTANCE, typ: str = ATTESTATION_PROOF_TYP, drop: str = "", **changes: Any
) -> str:
    """A soundly signed proof of possession with some claims changed."""
    claims: dict[str, Any] = {
        "iss": CLIENT,
        "aud": SERVER,
        "jti": "once",
        "iat": SECONDS,
        "challenge": "ours",
        **changes,
    }
    claims.pop(drop, None)
    return jose.sign_jws(claims, signer=signer, typ=typ)


def check(one: str, other: str, **changes: Any) -> AttestedClient:
    """The issuer's check."""
    return check_attested_client(
        one,
        other,
        **{
            "attesters": [Attester(PROVIDER, (ROOT.der,))],
            "expected_audience": SERVER,
            "challenges": lambda challenge: challenge == "ours",
            "demand_challenge": True,
            "algorithms": {"ES256"},
            "now": NOW,
            **changes,
        },
    )


def test_what_the_wallet_sends_the_issuer_accepts() -> None:
    """The shape of OpenID4VCI appendix E, with the provider's name, and without a challenge where none is demanded."""
    made = make_attestation(
        signer=PROVIDING,
        client_id=CLIENT,
        issuer=PROVIDER,
        instance_jwk=INSTANCE.public_jwk,
        lifetime=timedelta(hours=1),
        now=NOW,
        wallet_name="Intyga",
        wallet_link="https://wallet.example/about",
    )
    shown = make_attestation_proof(signer=INSTANCE, client_id=CLIENT, audience=SERVER, challenge="ours", now=NOW)
    plain = make_attestation_proof(signer=INSTANCE, client_id=CLIENT, audience=SERVER, challenge=None, now=NOW)

    client = check(made, shown)
    assert (client.client_id, client.thumbprint) == (CLIENT, INSTANCE.kid)
    assert check(made, plain, demand_challenge=False).replay_value != client.replay_value


def test_the_proof_of_possession_says_when_it_expires() -> None:
    """Authorization servers of drafts before -08 refuse one without `exp`; it may be there (5.2)."""
    made = make_attestation_proof(signer=INSTANCE, client_id=CLIENT, audience=SERVER, challenge=None, now=NOW)

    assert jose.read_claims(jose.parse_jws(made, max_bytes=10_000))["exp"] == SECONDS + PROOF_WINDOW_SECONDS


def test_i26_both_shapes_are_on_the_wire() -> None:
    """With and without `iss`, in the attestation and in its proof; an audience in an array of one."""
    assert check(attestation(drop="iss"), proof(drop="iss")).client_id == CLIENT
    assert check(attestation(), proof(aud=[SERVER])).client_id == CLIENT
    assert check(attestation(), proof(), attesters=[Attester("", (ROOT.der,))]).client_id == CLIENT


@pytest.mark.parametrize(
    "changes",
    [
        {"drop": "sub"},
        {"sub": 5},
        {"sub": ""},
        {"drop": "exp"},
        {"exp": "soon"},
        {"drop": "cnf"},
        {"cnf": {"jwk": {"kty": "oct", "k": "AAAA"}}},
        {"cnf": {"jwk": INSTANCE.private_jwk()}},
        {"cnf": {"jkt": INSTANCE.kid}},
        {"cnf": []},
        {"iat": SECONDS + 600},
        {"nbf": SECONDS + 600},
        {"iss": "https://another-provider.example"},
        {"typ": "JWT"},
        {"signer": provider_under(OTHER_ROOT)},
        {"signer": provider_under(ROOT, self_signed=True)},
        {"signer": generate_signer()},
    ],
)
def test_i26_i28_an_attestation_that_does_not_hold_is_refused(changes: dict[str, Any]) -> None:
    """Another root, the root itself in the chain, no chain, another provider's name, a key that is none."""
    with pytest.raises(InvalidClientAttestation):
        check(attestation(**changes), proof())


def test_i28_the_root_behind_a_leaf_is_refused() -> None:
    """HAIP 4.4.1: the trust anchor must not be in the chain."""
    key = generate_signer()
    signer = key.with_chain(x5c(ROOT.certify(signer=key), ROOT.certificate))
    with pytest.raises(InvalidClientAttestation):
        check(attestation(signer=signer), proof())


def test_i26_an_expired_attestation_asks_for_a_fresh_one() -> None:
    """The client can mend that by itself."""
    with pytest.raises(UseFreshAttestation):
        check(attestation(exp=SECONDS - 61), proof())


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://other.example"},
        {"aud": [SERVER, "https://other.example"]},
        {"drop": "aud"},
        {"iss": "https://another-wallet.example"},
        {"drop": "jti"},
        {"jti": 5},
        {"drop": "iat"},
        {"iat": SECONDS + 600},
        {"nbf": SECONDS + 61},
        {"nbf": "soon"},
        {"exp": SECONDS - 61},
        {"exp": "never"},
        {"typ": "JWT"},
        {"signer": generate_signer()},
    ],
)
def test_i26_a_proof_of_possession_that_does_not_hold_is_refused(changes: dict[str, Any]) -> None:
    """Above all one for another server, or by another key than the attested one."""
    with pytest.raises(InvalidClientAttestation):
        check(attestation(), proof(**changes))


def test_i26_a_challenge_is_ours_and_fresh() -> None:
    """A wrong one and a missing one are told apart from a bad signature; without a challenge, age counts."""
    for made in (proof(challenge="theirs"), proof(challenge=5), proof(drop="challenge")):
        with pytest.raises(UseAttestationChallenge):
            check(attestation(), made)
    assert check(attestation(), proof(iat=SECONDS - 3600)).client_id == CLIENT
    with pytest.raises(InvalidClientAttestation):
        check(attestation(), proof(drop="challenge", iat=SECONDS - 3600), demand_challenge=False)


# --- private_key_jwt -------------------------------------------------------------------------------------------------

PORTAL = generate_signer()
PORTAL_KEYS = [{"kty": "RSA", "n": "AQ", "e": "AQAB", "kid": "other"}, {**PORTAL.public_jwk, "kid": PORTAL.kid}]


def assertion(*, signer: SoftwareSigner = PORTAL, typ: str = "JWT", drop: str = "", **changes: Any) -> str:
    """A soundly signed assertion with some claims changed."""
    claims: dict[str, Any] = {
        "iss": "portal",
        "sub": "portal",
        "aud": SERVER,
        "jti": "once",
        "iat": SECONDS,
        "exp": SECONDS + 60,
        **changes,
    }
    claims.pop(drop, None)
    return jose.sign_jws(claims, signer=signer, typ=typ)


def check_one(token: str, *, as_string: bool = False) -> CheckedAssertion:
    """The issuer's check."""
    return check_client_assertion(
        token,
        expected_client_id="portal",
        keys=PORTAL_KEYS,
        expected_audiences={SERVER, f"{SERVER}/token"},
        as_string=as_string,
        algorithms={"ES256"},
        now=NOW,
    )


def test_an_assertion_of_a_registered_client_is_accepted() -> None:
    """For the server's name or the endpoint's address; an unusable key in the client's set does not matter."""
    made = make_client_assertion(signer=PORTAL, client_id="portal", audience=SERVER, now=NOW)
    assert unverified_subject(made) == "portal"
    assert check_one(made).expires_at > NOW
    assert check_one(assertion(aud=[f"{SERVER}/token"])).client_id == "portal"
    assert check_one(assertion(aud=SERVER), as_string=True).client_id == "portal"
    with pytest.raises(InvalidClient):
        check_one(assertion(aud=[SERVER]), as_string=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"},
        {"sub": "other"},
        {"aud": "https://other.example"},
        {"aud": [SERVER, "https://other.example"]},
        {"aud": []},
        {"aud": [{}]},
        {"aud": [[SERVER]]},
        {"drop": "aud"},
        {"drop": "jti"},
        {"jti": ""},
        {"drop": "exp"},
        {"exp": SECONDS - 61},
        {"exp": SECONDS + 3600},
        {"nbf": SECONDS + 600},
        {"iat": "now"},
        {"typ": "dpop+jwt"},
        {"signer": generate_signer()},
    ],
)
def test_an_assertion_that_does_not_hold_is_refused(changes: dict[str, Any]) -> None:
    """One thing is wrong each time."""
    with pytest.raises(InvalidClient):
        check_one(assertion(**changes))


# --- key attestations ------------------------------------------------------------------------------------------------

KEYS = [generate_signer().public_jwk for _ in range(3)]


def key_attestation(
    *, signer: SoftwareSigner = PROVIDING, typ: str = KEY_ATTESTATION_TYP, drop: str = "", **changes: Any
) -> str:
    """A soundly signed key attestation with some claims changed."""
    claims: dict[str, Any] = {"iat": SECONDS, "exp": SECONDS + 60, "attested_keys": KEYS, "nonce": "n", **changes}
    claims.pop(drop, None)
    return jose.sign_jws(claims, signer=signer, typ=typ, header=jose.certificate_header(signer))


def check_keys(token: str, **changes: Any) -> AttestedKeys:
    """The issuer's check."""
    return check_key_attestation(
        token, **{"anchors": [ROOT.der], "demand_expiry": True, "algorithms": {"ES256"}, "now": NOW, **changes}
    )


def test_i42_the_attested_keys_are_read_in_order() -> None:
    """With what was said of their storage."""
    made = make_key_attestation(
        signer=PROVIDING,
        issuer=PROVIDER,
        keys=KEYS,
        nonce="n",
        key_storage=["iso_18045_basic"],
        user_authentication=["iso_18045_basic"],
        lifetime=timedelta(minutes=5),
        now=NOW,
    )
    found = check_keys(made)
    assert list(found.keys) == KEYS
    assert (found.nonce, found.key_storage) == ("n", ("iso_18045_basic",))
    assert check_keys(key_attestation(drop="exp"), demand_expiry=False).nonce == "n"


@pytest.mark.parametrize(
    "changes",
    [
        {"attested_keys": []},
        {"attested_keys": "all"},
        {"attested_keys": [KEYS[0], KEYS[0]]},
        {"attested_keys": [INSTANCE.private_jwk()]},
        {"attested_keys": [KEYS[0]] * 201},
        {"drop": "attested_keys"},
        {"drop": "iat"},
        {"drop": "exp"},
        {"iat": SECONDS + 600},
        {"exp": SECONDS - 61},
        {"nonce": 5},
        {"key_storage": "iso_18045_high"},
        {"typ": "keyattestation+jwt"},
        {"signer": provider_under(OTHER_ROOT)},
        {"signer": provider_under(ROOT, self_signed=True)},
        {"signer": generate_signer()},
    ],
)
def test_i41_a_key_attestation_that_does_not_hold_is_refused(changes: dict[str, Any]) -> None:
    """One thing is wrong each time."""
    with pytest.raises(InvalidProof):
        check_keys(key_attestation(**changes))


@given(st.text(max_size=200))
def test_anything_else_is_refused(text: str) -> None:
    """No input upsets a check."""
    for attempt in (
        lambda: check(text, text),
        lambda: check(attestation(), text),
        lambda: check_one(text),
        lambda: unverified_subject(text),
        lambda: check_keys(text),
    ):
        with pytest.raises(ProtocolError):
            attempt()
