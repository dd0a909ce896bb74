"""Key attestations (OpenID4VCI 1.0, appendix D): somebody trusted vouches for how holder keys are kept.

Used inside a `jwt` key proof (header `key_attestation`) or alone (`attestation` proof type).

    attested = check_key_attestation(token, anchors=anchors, expected_nonce=None, demand_expiry=True,
                                     algorithms={"ES256"}, now=now)
    attested.thumbprints
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from proofs import jose
from proofs.certificates import verify_chain
from proofs.dates import numeric_date, read_optional_seconds
from proofs.keys import Signer, check_public_jwk, thumbprint
from schemas.errors import ProtocolError
from schemas.issuance.errors import InvalidProof

KEY_ATTESTATION_TYP = "key-attestation+jwt"
_SKEW_SECONDS = 60
_MAX_BYTES = 200_000
_MAX_KEYS = 200


@dataclass(frozen=True, slots=True)
class AttestedKeys:
    """Keys that were vouched for, in order, with what was said of their storage and of who may use them.

    `names`: the `kid` of each key, None where it has none.
    """

    keys: tuple[dict[str, str], ...]
    thumbprints: tuple[str, ...]
    nonce: str | None
    key_storage: tuple[str, ...]
    user_authentication: tuple[str, ...]
    names: tuple[str | None, ...]

    def key_named(self, kid: str) -> dict[str, str]:
        """The key that the `kid` of a proof means. Raises `InvalidProof`.

        A key's own `kid`, its RFC 7638 thumbprint, or, where that is nobody's name, its place counted from 0 (F.1 has
        `"kid": "0"` in its example).
        """
        found = [
            key for key, name, mark in zip(self.keys, self.names, self.thumbprints, strict=True) if kid in (name, mark)
        ]
        if not found and kid.isascii() and kid.isdigit() and len(kid) <= len(str(_MAX_KEYS)):
            found = list(self.keys[int(kid) : int(kid) + 1])
        if len(found) != 1:
            raise InvalidProof("the kid of the proof names no single attested key")
        return found[0]


def make_key_attestation(
    *,
    signer: Signer,
    issuer: str,
    keys: Sequence[Mapping[str, str]],
    nonce: str | None,
    key_storage: Sequence[str],
    user_authentication: Sequence[str],
    lifetime: timedelta,
    now: datetime,
) -> str:
    """Vouch for keys. `signer` has its certificates, without the root, in `x5c`."""
    claims: dict[str, Any] = {
        "iss": issuer,
        "iat": numeric_date(now),
        "exp": numeric_date(now + lifetime),
        "attested_keys": [dict(key) for key in keys],
    }
    if key_storage:
        claims["key_storage"] = list(key_storage)
    if user_authentication:
        claims["user_authentication"] = list(user_authentication)
    if nonce is not None:
        claims["nonce"] = nonce
    return jose.sign_jws(claims, signer=signer, typ=KEY_ATTESTATION_TYP, header=jose.certificate_header(signer))


def check_key_attestation(
    token: str,
    *,
    anchors: Sequence[bytes],
    demand_expiry: bool,
    algorithms: Collection[str],
    now: datetime,
) -> AttestedKeys:
    """Check an attestation: chain to a trusted root, signature, dates, at least one key, none twice.

    `demand_expiry`: an attestation inside a `jwt` proof must have `exp` (D.1). Whether the nonce is ours, and whether
    the storage is good enough, is the caller's to judge. Raises `InvalidProof`.
    """
    try:
        jws = jose.parse_jws(token, max_bytes=_MAX_BYTES)
        chain = jws.header.get("x5c")
        if not isinstance(chain, list) or not chain:
            raise InvalidProof("the key attestation carries no certificates")
        leaf = verify_chain(chain, anchors=anchors, now=now)
        claims = jose.check_jws(jws, key=leaf.public_jwk, typ=KEY_ATTESTATION_TYP, algorithms=algorithms).claims
        keys = claims.get("attested_keys")
        if not isinstance(keys, list) or not 1 <= len(keys) <= _MAX_KEYS:
            raise InvalidProof("the key attestation names no key, or too many")
        jwks = tuple(check_public_jwk(key) for key in keys)
        issued, expires = (read_optional_seconds(claims, name) for name in ("iat", "exp"))
    except InvalidProof:
        raise
    except ProtocolError as exc:
        raise InvalidProof(f"the key attestation does not hold: {exc}") from exc
    _check_dates(issued, expires, demand_expiry=demand_expiry, now=now)
    thumbprints = tuple(thumbprint(jwk) for jwk in jwks)
    if len(set(thumbprints)) != len(thumbprints):
        raise InvalidProof("the key attestation names a key twice")
    nonce = claims.get("nonce")
    if nonce is not None and not isinstance(nonce, str):
        raise InvalidProof("the nonce of the key attestation is not a string")
    names = tuple(key["kid"] if isinstance(key.get("kid"), str) else None for key in keys)
    return AttestedKeys(
        jwks, thumbprints, nonce, _names(claims, "key_storage"), _names(claims, "user_authentication"), names
    )


def _check_dates(issued: float | None, expires: float | None, *, demand_expiry: bool, now: datetime) -> None:
    moment = now.timestamp()
    if issued is None or issued > moment + _SKEW_SECONDS:
        raise InvalidProof("the key attestation has no time of issue, or is from the future")
    if expires is None and demand_expiry:
        raise InvalidProof("the key attestation has no time of expiry")
    if expires is not None and expires <= moment - _SKEW_SECONDS:
        raise InvalidProof("the key attestation has expired")


def _names(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = claims.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidProof(f"`{name}` of the key attestation is not an array of strings")
    return tuple(value)
