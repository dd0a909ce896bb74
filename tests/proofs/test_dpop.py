"""DPoP proofs, both sides (RFC 9449; edge cases I-20 to I-24), and the code verifier of PKCE (I-14)."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs import base64url, jose, pkce
from proofs.dpop import CheckedDPoP, access_token_hash, check_dpop_proof, make_dpop_proof, normalised_url
from proofs.keys import generate_signer
from schemas.errors import ProtocolError
from schemas.issuance import InvalidDPoPProof, UseDPoPNonce
from tests.proofs.cast import NOW

KEY = generate_signer()
TOKEN_URL = "https://university.example/tenant/token"


def check(token: str, **changes: Any) -> CheckedDPoP:
    """The issuer's check of a proof for its token endpoint."""
    return check_dpop_proof(
        token,
        **{
            "expected_method": "POST",
            "expected_url": TOKEN_URL,
            "expected_access_token": None,
            "nonces": lambda nonce: nonce == "ours",
            "demand_nonce": False,
            "algorithms": {"ES256"},
            "now": NOW,
            **changes,
        },
    )


def forged(*, leave_out: str = "", typ: str = "dpop+jwt", header: Any = None, **changes: Any) -> str:
    """A soundly signed proof with some of its claims changed."""
    claims = {"jti": "once", "htm": "POST", "htu": TOKEN_URL, "iat": int(NOW.timestamp()), **changes}
    claims.pop(leave_out, None)
    return jose.sign_jws(claims, signer=KEY, typ=typ, header={"jwk": KEY.public_jwk} if header is None else header)


def test_what_the_wallet_makes_the_issuer_accepts() -> None:
    """With and without nonce and access token."""
    plain = make_dpop_proof(signer=KEY, method="POST", url=TOKEN_URL, nonce=None, access_token=None, now=NOW)
    bound = make_dpop_proof(
        signer=KEY, method="POST", url=TOKEN_URL + "?a=b#c", nonce="ours", access_token="secret", now=NOW
    )

    assert check(plain).thumbprint == KEY.kid
    assert check(bound, expected_access_token="secret", demand_nonce=True).nonce == "ours"
    assert check(plain).replay_value != check(bound).replay_value
    assert jose.parse_jws(plain).header == {"alg": "ES256", "typ": "dpop+jwt", "jwk": KEY.public_jwk}


def test_the_published_hash_of_an_access_token() -> None:
    """RFC 9449, section 7.1: the `ath` of the example's access token."""
    token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
    assert access_token_hash(token) == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"


@pytest.mark.parametrize(
    "address",
    [
        "HTTPS://University.Example/tenant/token",
        "https://university.example:443/tenant/token",
        "https://university.example/tenant/token?x=1#y",
        "https://university.example/tenant/%74oken",
        "https://university.example/tenant/./token",
        "https://university.example/tenant/other/../token",
    ],
)
def test_i20_addresses_that_mean_the_same_are_the_same(address: str) -> None:
    """Query and fragment do not count; host, port and escapes are normalised."""
    assert check(forged(htu=address)).jti == "once"


@pytest.mark.parametrize(
    "address",
    [
        "https://university.example/token",
        "http://university.example/tenant/token",
        "https://university.example:8443/tenant/token",
        "https://other.example/tenant/token",
        "https://university.example/tenant%2Ftoken",
        "https://university.example@other.example/tenant/token",
        "https://me@university.example/tenant/token",
        "https://university.example/Tenant/token",
        "https://[::1/tenant/token",
        "token",
    ],
)
def test_i20_another_address_is_refused(address: str) -> None:
    """A proof for one endpoint is worthless at another."""
    with pytest.raises(InvalidDPoPProof):
        check(forged(htu=address))


@given(st.text(max_size=60))
def test_no_address_upsets_the_comparison(text: str) -> None:
    """Whatever a proof names as address, it is compared or refused."""
    with contextlib.suppress(InvalidDPoPProof):
        assert len(normalised_url("https://" + text)) == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"leave_out": "jti"},
        {"leave_out": "htm"},
        {"leave_out": "htu"},
        {"leave_out": "iat"},
        {"jti": ""},
        {"jti": 5},
        {"jti": "x" * 501},
        {"htm": "GET"},
        {"htm": "post"},
        {"iat": "now"},
        {"iat": True},
        {"iat": int(NOW.timestamp()) - 300},
        {"iat": int(NOW.timestamp()) + 61},
        {"nbf": int(NOW.timestamp()) + 61},
        {"nbf": "now"},
        {"exp": int(NOW.timestamp()) - 61},
        {"typ": "JWT"},
        {"header": {}},
        {"header": {"jwk": generate_signer().public_jwk}},
        {"header": {"jwk": {"kty": "oct", "k": "AAAA"}}},
        {"header": {"jwk": None}},
    ],
)
def test_i24_a_proof_that_does_not_hold_is_refused(changes: dict[str, Any]) -> None:
    """One thing is wrong each time."""
    with pytest.raises(InvalidDPoPProof):
        check(forged(**changes))


def test_i24_a_private_key_no_algorithm_or_a_shared_secret_is_refused() -> None:
    """What gives a key away, or proves nothing."""
    with pytest.raises(InvalidDPoPProof):
        check(forged(header={"jwk": KEY.private_jwk()}))
    _, payload, signature = forged().split(".")
    for alg in ("none", "HS256", "ES384"):
        header = base64url.encode(b'{"alg":"%s","typ":"dpop+jwt"}' % alg.encode())
        with pytest.raises(InvalidDPoPProof):
            check(f"{header}.{payload}.{signature}")


def test_i21_a_proof_names_the_access_token_that_came_with_it() -> None:
    """A stolen token with the thief's own proof, or a proof without the token's hash."""
    made = make_dpop_proof(signer=KEY, method="POST", url=TOKEN_URL, nonce=None, access_token="other", now=NOW)
    for token in (made, forged(), forged(ath=5), forged(ath="")):
        with pytest.raises(InvalidDPoPProof):
            check(token, expected_access_token="secret")


def test_i22_a_nonce_is_ours_and_fresh_or_another_is_asked_for() -> None:
    """With our nonce the client's clock does not count."""
    assert check(forged(nonce="ours", iat=5), demand_nonce=True).nonce == "ours"
    for token in (forged(nonce="theirs"), forged(nonce=5)):
        with pytest.raises(UseDPoPNonce):
            check(token)
    with pytest.raises(UseDPoPNonce):
        check(forged(), demand_nonce=True)


@given(st.text(max_size=200))
def test_anything_else_is_refused(text: str) -> None:
    """No input upsets the check."""
    with pytest.raises(ProtocolError):
        check(text)


def test_i14_a_code_verifier_belongs_to_one_challenge() -> None:
    """RFC 7636, appendix B, and what is no verifier."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert pkce.challenge_of(verifier) == challenge
    assert pkce.verifier_holds(verifier, challenge=challenge)
    assert pkce.is_challenge(challenge)
    fresh = pkce.new_verifier()
    assert pkce.verifier_holds(fresh, challenge=pkce.challenge_of(fresh))
    for wrong in (verifier[:-1] + "j", verifier[:42], verifier * 3, "", "ö" * 43, challenge):
        assert not pkce.verifier_holds(wrong, challenge=challenge)
    assert not pkce.is_challenge(verifier + "=")
