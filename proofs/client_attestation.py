"""OAuth client attestation: a wallet provider vouches for a key of one wallet, and the wallet proves that it holds it.

Attestation-based client authentication (draft-ietf-oauth-attestation-based-client-auth), in the shape of OpenID4VCI
1.0, appendix E, and HAIP 1.0, section 4.4.1. Both the older shape with `iss` and the later one without are on the wire.

    attestation = make_attestation(signer=provider, client_id="https://wallet.example", issuer="https://provider.example",
                                   instance_jwk=key.public_jwk, lifetime=timedelta(hours=1), now=now)
    pop = make_attestation_proof(signer=key, client_id=..., audience="https://issuer.example", challenge=c, now=now)
    client = check_attested_client(attestation, pop, attesters=attesters, expected_audience="https://issuer.example",
                                   challenges=is_fresh, demand_challenge=True, algorithms={"ES256"}, now=now)

Whether the proof's `jti` was seen before is the issuer's to judge (`AttestedClient.replay_value`).
"""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from proofs import jose
from proofs.certificates import verify_chain
from proofs.dates import is_number, numeric_date, read_optional_seconds
from proofs.keys import Signer, check_public_jwk, thumbprint
from schemas.errors import ProtocolError
from schemas.issuance.errors import (
    InvalidClientAttestation,
    UseAttestationChallenge,
    UseFreshAttestation,
)

ATTESTATION_TYP = "oauth-client-attestation+jwt"
ATTESTATION_PROOF_TYP = "oauth-client-attestation-pop+jwt"
PROOF_WINDOW_SECONDS = 300
_SKEW_SECONDS = 60
_MAX_BYTES = 60_000
_MAX_TEXT = 1_000


@dataclass(frozen=True, slots=True)
class Attester:
    """Who may vouch for wallets: its root certificates (DER), and its name when the attestation carries `iss`.

    `issuer` empty: any name is taken, the root alone decides.
    """

    issuer: str
    anchors: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AttestedClient:
    """A client whose attestation and proof hold. `thumbprint` is that of the attested key.

    `replay_value` is None in combined mode, where the DPoP proof has its own.
    """

    client_id: str
    jwk: dict[str, str]
    thumbprint: str
    replay_value: str | None = field(repr=False)


def make_attestation(
    *,
    signer: Signer,
    client_id: str,
    issuer: str,
    instance_jwk: Mapping[str, str],
    lifetime: timedelta,
    now: datetime,
    wallet_name: str | None = None,
    wallet_link: str | None = None,
) -> str:
    """Vouch for a wallet's key. `signer` is the provider's, with its certificates (without the root) in `x5c`."""
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": client_id,
        "iat": numeric_date(now),
        "exp": numeric_date(now + lifetime),
        "cnf": {"jwk": dict(instance_jwk)},
    }
    if wallet_name is not None:
        claims["wallet_name"] = wallet_name
    if wallet_link is not None:
        claims["wallet_link"] = wallet_link
    return jose.sign_jws(claims, signer=signer, typ=ATTESTATION_TYP, header=jose.certificate_header(signer))


def make_attestation_proof(
    *, signer: Signer, client_id: str, audience: str, challenge: str | None, now: datetime
) -> str:
    """Prove possession of the attested key to an authorization server, whose `issuer` is the audience.

    `iss` and `exp` are of the drafts before -08; servers that still demand them are in use, and any other ignores them.
    """
    claims: dict[str, Any] = {
        "iss": client_id,
        "aud": audience,
        "jti": secrets.token_urlsafe(16),
        "iat": numeric_date(now),
        "exp": numeric_date(now) + PROOF_WINDOW_SECONDS,
    }
    if challenge is not None:
        claims["challenge"] = challenge
    return jose.sign_jws(claims, signer=signer, typ=ATTESTATION_PROOF_TYP)


def check_attested_client(
    attestation: str,
    proof: str,
    *,
    attesters: Sequence[Attester],
    expected_audience: str,
    challenges: Callable[[str], bool],
    demand_challenge: bool,
    algorithms: Collection[str],
    now: datetime,
) -> AttestedClient:
    """Check an attestation and its proof of possession (sections 7.1 and 7.2 of the draft).

    `expected_audience` is the authorization server's `issuer`; `challenges` tells whether a challenge is ours and
    fresh. Raises `UseFreshAttestation`, `UseAttestationChallenge`, `InvalidClientAttestation`.
    """
    client_id, jwk = check_attestation(attestation, attesters=attesters, algorithms=algorithms, now=now)
    try:
        claims = jose.check_jws(
            jose.parse_jws(proof, max_bytes=_MAX_BYTES), key=jwk, typ=ATTESTATION_PROOF_TYP, algorithms=algorithms
        ).claims
    except ProtocolError as exc:
        raise InvalidClientAttestation(f"the attestation's proof of possession does not hold: {exc}") from exc
    if claims.get("aud") not in (expected_audience, [expected_audience]):
        raise InvalidClientAttestation("the attestation's proof is made for another server")
    if "iss" in claims and claims["iss"] != client_id:
        raise InvalidClientAttestation("the attestation's proof names another client")
    jti = _text(claims, "jti")
    challenge = claims.get("challenge")
    _check_proof_age(claims, has_challenge=challenge is not None, now=now)
    if challenge is not None:
        if not isinstance(challenge, str) or not challenges(challenge):
            raise UseAttestationChallenge("the challenge of the attestation's proof is not from here, or has expired")
    elif demand_challenge:
        raise UseAttestationChallenge("the attestation's proof needs a challenge of this server")
    mark = thumbprint(jwk)
    return AttestedClient(client_id, jwk, mark, f"{mark} {jti}")


def check_attestation(
    attestation: str, *, attesters: Sequence[Attester], algorithms: Collection[str], now: datetime
) -> tuple[str, dict[str, str]]:
    """Check an attestation alone: the client identifier, and the key that it vouches for.

    The certificate chain must lead to the root of an attester, without holding the root itself or a self-signed leaf.
    Raises `UseFreshAttestation` when it has expired, `InvalidClientAttestation` otherwise.
    """
    try:
        jws = jose.parse_jws(attestation, max_bytes=_MAX_BYTES)
        unverified = jose.read_claims(jws)
        chain = jws.header.get("x5c")
        if not isinstance(chain, list) or not chain:
            raise InvalidClientAttestation("the attestation carries no certificates")
        named = unverified.get("iss")
        anchors = [
            anchor
            for attester in attesters
            if not attester.issuer or named is None or attester.issuer == named
            for anchor in attester.anchors
        ]
        leaf = verify_chain(chain, anchors=anchors, now=now)
        claims = jose.check_jws(jws, key=leaf.public_jwk, typ=ATTESTATION_TYP, algorithms=algorithms).claims
        client_id = _text(claims, "sub")
        confirmation = claims.get("cnf")
        jwk = check_public_jwk(confirmation.get("jwk") if isinstance(confirmation, dict) else None)
        expires, starts = claims.get("exp"), read_optional_seconds(claims, "nbf")
        issued = read_optional_seconds(claims, "iat")
    except InvalidClientAttestation:
        raise
    except ProtocolError as exc:
        raise InvalidClientAttestation(f"the attestation does not hold: {exc}") from exc
    if not is_number(expires):
        raise InvalidClientAttestation("the attestation has no time of expiry")
    moment = now.timestamp()
    if expires <= moment - _SKEW_SECONDS:
        raise UseFreshAttestation("the attestation has expired")
    if max(starts or 0, issued or 0) > moment + _SKEW_SECONDS:
        raise InvalidClientAttestation("the attestation is from the future")
    return client_id, jwk


def _check_proof_age(claims: dict[str, Any], *, has_challenge: bool, now: datetime) -> None:
    moment, issued_at = now.timestamp(), claims.get("iat")
    if not is_number(issued_at):
        raise InvalidClientAttestation("the attestation's proof has no time of issue")
    try:
        starts = read_optional_seconds(claims, "nbf") or 0
    except ProtocolError as exc:
        raise InvalidClientAttestation(f"the attestation's proof does not hold: {exc}") from exc
    if max(issued_at, starts) > moment + _SKEW_SECONDS:
        raise InvalidClientAttestation("the attestation's proof is from the future")
    if not has_challenge and issued_at < moment - PROOF_WINDOW_SECONDS:
        raise InvalidClientAttestation("the attestation's proof is too old")
    expires = claims.get("exp", moment)
    if not is_number(expires) or expires <= moment - _SKEW_SECONDS:
        raise InvalidClientAttestation("the attestation's proof has expired")


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value or len(value) > _MAX_TEXT:
        raise InvalidClientAttestation(f"`{name}` is missing, too long or not a string")
    return value
