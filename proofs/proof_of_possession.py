"""The `jwt` key proof of OpenID4VCI 1.0, appendix F.1, made by the wallet and checked by the issuer.

The proof carries its own public key: it shows that whoever asks holds the private half, now, for this issuer.
Whether the nonce is genuine and unspent is the issuer's to judge, in the transaction that spends it.

    token = make_proof(signer=key, audience="https://issuer.example", nonce=nonce, issuer=None, now=now)
    proof = check_proof(token, expected_audience="https://issuer.example", expected_client_id=None,
                        algorithms={"ES256"}, now=now)
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from proofs import jose
from proofs.dates import is_number, read_optional_seconds
from proofs.keys import Signer, check_public_jwk, thumbprint
from schemas.errors import ProtocolError
from schemas.issuance.errors import InvalidProof

PROOF_TYP = "openid4vci-proof+jwt"
AttestedKey = Callable[[str, str], dict[str, str]]
"""The public key that an attestation (first) gives this `kid` (second). Raises `InvalidProof`, or what it means."""


@dataclass(frozen=True, slots=True)
class CheckedProof:
    """A proof that holds: the minimal public key, its RFC 7638 thumbprint, and the nonce it was made with.

    `key_attestation` is what its header carries of that kind, unchecked (see `proofs.key_attestation`).
    """

    jwk: dict[str, str]
    thumbprint: str
    nonce: str | None
    key_attestation: str | None = None


def make_proof(
    *,
    signer: Signer,
    audience: str,
    nonce: str | None,
    issuer: str | None,
    now: datetime,
    key_attestation: str | None = None,
) -> str:
    """Prove possession of the signer's key to a credential issuer.

    `audience` is the credential issuer identifier, `nonce` from its nonce endpoint, `issuer` the client identifier
    (None when the token was obtained anonymously), `key_attestation` vouches for this and other keys (appendix D).
    """
    claims: dict[str, Any] = {"aud": audience, "iat": int(now.timestamp())}
    if nonce is not None:
        claims["nonce"] = nonce
    if issuer is not None:
        claims["iss"] = issuer
    header: dict[str, Any] = {"jwk": signer.public_jwk}
    if key_attestation is not None:
        header["key_attestation"] = key_attestation
    return jose.sign_jws(claims, signer=signer, typ=PROOF_TYP, header=header)


def check_proof(
    token: str,
    *,
    expected_audience: str,
    expected_client_id: str | None,
    algorithms: Collection[str],
    now: datetime,
    attested_key: AttestedKey | None = None,
    max_age_seconds: int | None = 300,
    skew_seconds: int = 60,
) -> CheckedProof:
    """Check one key proof.

    `expected_client_id` is the client that authenticated at the token endpoint, None when none did.
    `max_age_seconds` is None for a caller who knows the age from the nonce, which carries the caller's own time: then a
    wallet whose clock is slow is served as well (OpenID4VCI 13.8).

    `attested_key` looks a key up in the key attestation that the proof carries; None where nobody may vouch for keys.

    Checks form, `typ`, algorithm, signature under its own key, `aud`, `iss`, `iat` (and `exp` and `nbf` when there).
    Does not check the nonce. The key is there as `jwk`, or as the `kid` of an attested key (F.1): we advertise `jwk`
    binding only, so that neither certificates nor DIDs are accepted.

    Raises `InvalidProof`.
    """
    try:
        unverified = jose.parse_jws(token)
        key = _key_of(unverified.header, attested_key)
        return _check(
            unverified, key, expected_audience, expected_client_id, algorithms, now, max_age_seconds, skew_seconds
        )
    except InvalidProof:
        raise
    except ProtocolError as exc:
        raise InvalidProof(f"the key proof does not hold: {exc}") from exc


def _key_of(header: dict[str, Any], attested_key: AttestedKey | None) -> dict[str, str]:
    """The one key that a proof names (F.1, F.4)."""
    named = [name for name in ("kid", "jwk", "x5c") if name in header]
    if "trust_chain" in header:
        raise InvalidProof("trust chains are not followed")
    if named == ["jwk"]:
        return check_public_jwk(header["jwk"])
    kid, attestation = header.get("kid"), header.get("key_attestation")
    if named == ["kid"] and attested_key is not None and isinstance(kid, str) and isinstance(attestation, str):
        return attested_key(attestation, kid)
    raise InvalidProof("the key proof must carry its key as `jwk`, or name one that is attested, and in one way only")


def _check(
    unverified: jose.UnverifiedJWS,
    jwk: dict[str, str],
    expected_audience: str,
    expected_client_id: str | None,
    algorithms: Collection[str],
    now: datetime,
    max_age_seconds: int | None,
    skew_seconds: int,
) -> CheckedProof:
    claims = jose.check_jws(unverified, key=jwk, typ=PROOF_TYP, algorithms=algorithms).claims
    # Appendix F.1: a string, exactly the credential issuer identifier; an array is refused.
    if claims.get("aud") != expected_audience:
        raise InvalidProof("the key proof is made for another audience")
    if "iss" in claims and (expected_client_id is None or claims["iss"] != expected_client_id):
        raise InvalidProof("the key proof names another client than the one that authenticated")
    _check_age(claims, now=now, max_age_seconds=max_age_seconds, skew_seconds=skew_seconds)
    nonce = claims.get("nonce")
    if nonce is not None and not isinstance(nonce, str):
        raise InvalidProof("the nonce of the key proof is not a string")
    attestation = unverified.header.get("key_attestation")
    if attestation is not None and not isinstance(attestation, str):
        raise InvalidProof("the key attestation of the key proof is not a string")
    return CheckedProof(jwk=jwk, thumbprint=thumbprint(jwk), nonce=nonce, key_attestation=attestation)


def _check_age(claims: dict[str, Any], *, now: datetime, max_age_seconds: int | None, skew_seconds: int) -> None:
    moment, issued_at = now.timestamp(), claims.get("iat")
    if not is_number(issued_at):
        raise InvalidProof("the key proof has no time of issue")
    not_before, expires_at = (read_optional_seconds(claims, name) for name in ("nbf", "exp"))
    if max(issued_at, not_before or 0) > moment + skew_seconds:
        raise InvalidProof("the key proof is from the future")
    if max_age_seconds is not None and issued_at < moment - max_age_seconds - skew_seconds:
        raise InvalidProof("the key proof is too old")
    if expires_at is not None and expires_at <= moment - skew_seconds:
        raise InvalidProof("the key proof has expired")
