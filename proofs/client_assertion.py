"""Client authentication with a signed assertion, `private_key_jwt` (RFC 7523, section 3; OpenID Connect Core, 9).

    assertion = make_client_assertion(signer=key, client_id="portal", audience="https://issuer.example", now=now)
    checked = check_client_assertion(assertion, expected_client_id="portal", keys=client.keys,
                                     expected_audiences={"https://issuer.example"}, as_string=True,
                                     algorithms={"ES256"}, now=now)

Whether `jti` was seen before is the issuer's to judge (`CheckedAssertion.replay_value`).
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from proofs import jose
from proofs.dates import is_number, numeric_date, read_optional_seconds
from proofs.keys import Signer, check_public_jwk
from schemas.errors import Malformed, ProtocolError, Refused
from schemas.issuance.errors import InvalidClient

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TYPES = ("JWT", "client-authentication+jwt", None)
_SKEW_SECONDS = 60
_LONGEST = timedelta(minutes=10)
_MAX_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class CheckedAssertion:
    """An assertion that holds; it must be spent until `expires_at`."""

    client_id: str
    replay_value: str = field(repr=False)
    expires_at: datetime


def make_client_assertion(*, signer: Signer, client_id: str, audience: str, now: datetime) -> str:
    """An assertion for one request."""
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "jti": secrets.token_urlsafe(16),
        "iat": numeric_date(now),
        "exp": numeric_date(now + timedelta(minutes=1)),
    }
    return jose.sign_jws(claims, signer=signer, typ="client-authentication+jwt", header={"kid": signer.kid})


def unverified_subject(assertion: str) -> str:
    """Whom an assertion claims to speak for, to find the client's keys by. Raises `InvalidClient`."""
    try:
        subject = jose.read_claims(jose.parse_jws(assertion, max_bytes=_MAX_BYTES)).get("sub")
    except ProtocolError as exc:
        raise InvalidClient(f"the client assertion is malformed: {exc}") from exc
    if not isinstance(subject, str):
        raise InvalidClient("the client assertion names no client")
    return subject


def check_client_assertion(
    assertion: str,
    *,
    expected_client_id: str,
    keys: Sequence[Mapping[str, Any]],
    expected_audiences: Collection[str],
    as_string: bool,
    algorithms: Collection[str],
    now: datetime,
) -> CheckedAssertion:
    """Check an assertion under the registered keys of a client. Raises `InvalidClient`.

    `expected_audiences` are the names of this authorization server: its `issuer`, and the endpoints by which it may be
    named; an assertion may hold several of them, and no other. `as_string`: it has to hold one, and not in an array
    (FAPI 2.0 Security Profile, 5.3.2.1, 8).
    """
    try:
        claims = _claims(assertion, keys=keys, algorithms=algorithms)
        if claims.get("iss") != expected_client_id or claims.get("sub") != expected_client_id:
            raise Refused("it names another client")
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        # Nobody else beside us: an assertion that also names another server could be replayed by it.
        if as_string and not isinstance(audience, str):
            raise Refused("its audience is not a string")
        if not named or not all(isinstance(name, str) and name in expected_audiences for name in named):
            raise Refused("it is made for another server")
        jti, expires = claims.get("jti"), claims.get("exp")
        if not isinstance(jti, str) or not jti or len(jti) > 500:
            raise Malformed("it has no `jti`")
        if not is_number(expires):
            raise Malformed("it has no time of expiry")
        moment = now.timestamp()
        starts = max(read_optional_seconds(claims, "nbf") or 0, read_optional_seconds(claims, "iat") or 0)
        if expires <= moment - _SKEW_SECONDS or starts > moment + _SKEW_SECONDS:
            raise Refused("it has expired, or is from the future")
        if expires > moment + _LONGEST.total_seconds():
            raise Refused("it lives longer than ten minutes")
    except ProtocolError as exc:
        raise InvalidClient(f"the client assertion does not hold: {exc}") from exc
    until = datetime.fromtimestamp(expires + _SKEW_SECONDS + 1, UTC)
    return CheckedAssertion(expected_client_id, f"{expected_client_id} {jti}", until)


def _claims(assertion: str, *, keys: Sequence[Mapping[str, Any]], algorithms: Collection[str]) -> dict[str, Any]:
    jws = jose.parse_jws(assertion, max_bytes=_MAX_BYTES)
    if jws.header.get("typ") not in _TYPES:
        raise Refused("it has another `typ` than expected")
    kid = jws.header.get("kid")
    candidates = [key for key in keys if kid is None or key.get("kid") in (None, kid)]
    problem: ProtocolError = Refused("no registered key of the client fits")
    for key in candidates:
        try:
            return jose.check_jws(jws, key=check_public_jwk(key), typ=None, algorithms=algorithms).claims
        except ProtocolError as exc:
            problem = exc
    raise problem
