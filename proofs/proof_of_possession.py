"""The `jwt` key proof of OpenID4VCI 1.0, appendix F.1, made by the wallet and checked by the issuer.

The proof carries its own public key: it shows that whoever asks holds the private half, now, for this issuer.
Whether the nonce is genuine and unspent is the issuer's to judge, in the transaction that spends it.

    token = make_proof(signer=key, audience="https://issuer.example", nonce=nonce, issuer=None, now=now)
    proof = check_proof(token, expected_audience="https://issuer.example", expected_client_id=None,
                        algorithms={"ES256"}, now=now)
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from proofs import jose
from proofs.dates import is_number, read_optional_seconds
from proofs.keys import Signer, check_public_jwk, thumbprint
from schemas.errors import ProtocolError
from schemas.issuance.errors import InvalidProof

PROOF_TYP = "openid4vci-proof+jwt"


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
    max_age_seconds: int | None = 300,
    skew_seconds: int = 60,
) -> CheckedProof:
    """Check one key proof.

    `expected_client_id` is the client that authenticated at the token endpoint, None when none did.
    `max_age_seconds` is None for a caller who knows the age from the nonce, which carries the caller's own time: then a
    wallet whose clock is slow is served as well (OpenID4VCI 13.8).

    Checks form, `typ`, algorithm, signature under its own `jwk`, `aud`, `iss`, `iat` (and `exp` and `nbf` when there).
    Does not check the nonce. Keys by `kid` or `x5c` are not accepted: we advertise `jwk` binding only.

    Raises `InvalidProof`.
    """
    try:
        return _check(token, expected_audience, expected_client_id, algorithms, now, max_age_seconds, skew_seconds)
    except InvalidProof:
        raise
    except ProtocolError as exc:
        raise InvalidProof(f"the key proof does not hold: {exc}") from exc


def _check(
    token: str,
    expected_audience: str,
    expected_client_id: str | None,
    algorithms: Collection[str],
    now: datetime,
    max_age_seconds: int | None,
    skew_seconds: int,
) -> CheckedProof:
    unverified = jose.parse_jws(token)
    if [name for name in ("kid", "jwk", "x5c") if name in unverified.header] != ["jwk"]:
        raise InvalidProof("the key proof must carry its key as `jwk`, and in no other way")
    if "trust_chain" in unverified.header:
        raise InvalidProof("a trust chain needs a key identifier")
    jwk = check_public_jwk(unverified.header["jwk"])
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
