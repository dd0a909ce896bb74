"""The ID token of an OpenID Connect provider (OpenID Connect Core 1.0, section 3.1.3.7), checked with PyJWT.

Providers sign with RSA more often than not, which nothing else here does; hence a library for this one use.

    claims = check_id_token(token, keys=jwks["keys"], expected_issuer=..., expected_client_id=..., expected_nonce=...,
                            now=now)
"""

import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import jwt

from proofs import jose
from proofs.dates import is_number
from schemas.errors import ProtocolError, Refused

ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
_SKEW_SECONDS = 60
_MAX_BYTES = 100_000


class InvalidIDToken(Refused):
    """The ID token does not hold: nobody has signed in."""


def check_id_token(
    token: str,
    *,
    keys: Sequence[Mapping[str, Any]],
    expected_issuer: str,
    expected_client_id: str,
    expected_nonce: str,
    now: datetime,
) -> dict[str, Any]:
    """The claims of a token that was signed by one of the provider's keys, for us, for this sign-in, and is fresh.

    Unusable keys among `keys` are passed over. Raises `InvalidIDToken`.
    """
    try:
        unverified = jose.parse_jws(token, max_bytes=_MAX_BYTES)
        # Read strictly first: the library below takes duplicate members.
        claims = jose.read_claims(unverified)
    except ProtocolError as exc:
        raise InvalidIDToken(f"the ID token is malformed: {exc}") from exc
    alg, kid = unverified.header["alg"], unverified.header.get("kid")
    if alg not in ALGORITHMS:
        raise InvalidIDToken("the ID token is signed with an algorithm that is not accepted")
    if not any(_holds(token, key, alg) for key in keys if kid is None or key.get("kid") in (None, kid)):
        raise InvalidIDToken("the signature of the ID token does not hold")
    if claims.get("iss") != expected_issuer:
        raise InvalidIDToken("the ID token is of another provider")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or expected_client_id not in audiences:
        raise InvalidIDToken("the ID token is for somebody else")
    if (len(audiences) > 1 or "azp" in claims) and claims.get("azp") != expected_client_id:
        raise InvalidIDToken("the ID token was asked for by somebody else")
    if claims.get("nonce") != expected_nonce:
        raise InvalidIDToken("the ID token belongs to another sign-in")
    moment, expires, issued = now.timestamp(), claims.get("exp"), claims.get("iat")
    if not is_number(expires) or not is_number(issued):
        raise InvalidIDToken("the ID token has no dates")
    if expires <= moment - _SKEW_SECONDS or issued > moment + _SKEW_SECONDS:
        raise InvalidIDToken("the ID token has expired, or is from the future")
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise InvalidIDToken("the ID token names nobody")
    return claims


def _holds(token: str, key: Mapping[str, Any], alg: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # About short keys of providers: they are not ours to lengthen.
            jwt.decode(
                token,
                jwt.PyJWK.from_dict(dict(key), algorithm=alg),
                algorithms=[alg],
                options={
                    "verify_signature": True,
                    "verify_exp": False,
                    "verify_aud": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                    "verify_iss": False,
                    "verify_sub": False,
                    "verify_jti": False,
                },
            )
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        return False
    return True
