"""Key proofs: both sides of OpenID4VCI appendix F.1 (edge cases I-30 to I-40 as far as one proof goes)."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from proofs import jose
from proofs.keys import generate_signer
from proofs.proof_of_possession import PROOF_TYP, CheckedProof, check_proof, make_proof
from schemas.issuance import InvalidProof
from tests.proofs.cast import NOW

ISSUER = "https://university.example"
KEY = generate_signer()


def check(token: str, **changes: Any) -> CheckedProof:
    """The issuer's check, anonymous unless told."""
    return check_proof(
        token,
        **{
            "expected_audience": ISSUER,
            "expected_client_id": None,
            "algorithms": {"ES256"},
            "now": NOW,
            **changes,
        },
    )


def proof(*, leave_out: str = "", typ: str = PROOF_TYP, header: Any = None, **changes: Any) -> str:
    """A soundly signed proof with some of its claims changed."""
    claims = {"aud": ISSUER, "iat": int(NOW.timestamp()), "nonce": "n", **changes}
    claims.pop(leave_out, None)
    return jose.sign_jws(claims, signer=KEY, typ=typ, header={"jwk": KEY.public_jwk} if header is None else header)


def test_what_the_wallet_makes_the_issuer_accepts() -> None:
    """With and without nonce, anonymous and as a client."""
    made = make_proof(signer=KEY, audience=ISSUER, nonce="n", issuer=None, now=NOW)
    assert check(made) == CheckedProof(KEY.public_jwk, KEY.kid, "n")
    assert jose.parse_jws(made).header == {"alg": "ES256", "typ": PROOF_TYP, "jwk": KEY.public_jwk}

    without = make_proof(signer=KEY, audience=ISSUER, nonce=None, issuer="wallet", now=NOW)
    assert check(without, expected_client_id="wallet").nonce is None


def test_the_published_proof_is_accepted(vectors: Path) -> None:
    """OpenID4VCI 1.0, appendix F.1: the example, at the time it was made."""
    example = json.loads((vectors / "openid4vci" / "key_proof.json").read_text())
    claims = example["claims"]

    found = check(
        example["proof"], expected_audience=claims["aud"], now=datetime.fromtimestamp(claims["iat"] + 30, UTC)
    )

    assert (found.jwk, found.nonce) == (example["jwk"], claims["nonce"])


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"kid": "did:example:1#1"},
        {"jwk": KEY.public_jwk, "kid": "1"},
        {"jwk": KEY.public_jwk, "x5c": ["AAAA"]},
        {"jwk": KEY.public_jwk, "trust_chain": ["x"]},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jwk": {**KEY.public_jwk, "x": KEY.public_jwk["y"]}},
        {"jwk": "text"},
        {"jwk": None},
        {"jwk": []},
    ],
)
def test_i33_a_proof_has_exactly_one_public_key(header: dict[str, Any]) -> None:
    """As `jwk`, and in no other way."""
    with pytest.raises(InvalidProof):
        check(proof(header=header))


def test_i33_a_private_key_in_the_proof_is_refused() -> None:
    """Whoever sends it has lost it."""
    with pytest.raises(InvalidProof):
        check(proof(header={"jwk": KEY.private_jwk()}))


def test_i32_the_signature_is_checked_with_the_proofs_own_key() -> None:
    """Naming a key is not holding it."""
    with pytest.raises(InvalidProof):
        check(proof(header={"jwk": generate_signer().public_jwk}))


@pytest.mark.parametrize(
    "change",
    [
        {"typ": "jwt"},
        {"aud": f"{ISSUER}/"},
        {"aud": [ISSUER]},
        {"leave_out": "aud"},
        {"iss": "wallet"},
        {"iss": None},
        {"iat": NOW.timestamp() + 61},
        {"iat": NOW.timestamp() - 361},
        {"iat": "now"},
        {"iat": True},
        {"leave_out": "iat"},
        {"exp": NOW.timestamp() - 61},
        {"exp": "later"},
        {"exp": None},
        {"nbf": NOW.timestamp() + 61},
        {"nonce": 7},
    ],
)
def test_i34_to_i37_a_proof_for_something_else_is_refused(change: dict[str, Any]) -> None:
    """Another type, audience, client or time."""
    with pytest.raises(InvalidProof) as caught:
        check(proof(**change))
    assert caught.value.error == "invalid_proof"


def test_i34_the_algorithm_is_the_issuers_choice() -> None:
    """Not the token's."""
    with pytest.raises(InvalidProof):
        check(proof(), algorithms={"ES384"})


def test_i36_the_client_named_is_the_client_that_authenticated() -> None:
    """A proof made by one client does not serve another one."""
    assert check(proof(iss="wallet"), expected_client_id="wallet")
    assert check(proof(), expected_client_id="wallet")
    with pytest.raises(InvalidProof):
        check(proof(iss="wallet"), expected_client_id="other")


def test_i37_clocks_may_differ_a_little() -> None:
    """Within the tolerance, decimals included."""
    for iat in (NOW.timestamp() + 59.5, NOW.timestamp() - 359.5):
        assert check(proof(iat=iat))
    assert check(proof(), now=NOW + timedelta(seconds=3_000), max_age_seconds=3_600)


def test_i37_an_issuer_whose_nonces_carry_time_needs_no_clock_of_the_wallet() -> None:
    """However slow the wallet's clock is; a proof from the future or without time stays refused."""
    assert check(proof(iat=NOW.timestamp() - 90_000), max_age_seconds=None)
    for change in ({"iat": NOW.timestamp() + 61}, {"leave_out": "iat"}, {"iat": "now"}):
        with pytest.raises(InvalidProof):
            check(proof(**change), max_age_seconds=None)


@pytest.mark.parametrize("token", ["", "a.b.c", "text", "...", "e30.e30.e30"])
def test_what_is_no_token_is_an_invalid_proof(token: str) -> None:
    """With the code that the standard has for it."""
    with pytest.raises(InvalidProof):
        check(token)
