"""Signed messages about a share that was made: the holder's to the recipient, and the recipient's answers.

A holder message carries the key that signed it. That this key bound a presentation of the share is what makes it the
word of the person who shared; the caller compares the thumbprint. A recipient message carries the certificate whose
hash or name is the recipient's client identifier.

    token = sign_holder_message({"aud": client_id, "iat": ..., "jti": ..., "action": "withdraw"}, signer=key, typ=...)
    message = check_holder_message(token, typ=..., now=now, max_age_seconds=300, max_bytes=20_000)
    message.thumbprint, message.audience, message.jti

See docs/withdrawal.md.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from proofs import jose
from proofs.certificates import unverified_leaf
from proofs.dates import read_date, read_seconds
from proofs.keys import DEFAULT_ALGORITHMS, Signer, check_public_jwk, thumbprint
from proofs.request_object import (
    X509_HASH,
    X509_SAN_DNS,
    VerifierIdentity,
    client_id_prefix,
    identify_by_certificate,
)
from proofs.trust import TrustList
from schemas.errors import Malformed, ProtocolError, Refused

_JTI: Final = re.compile(r"[A-Za-z0-9._~-]{16,128}")


class InvalidHolderMessage(ProtocolError):
    """The message is not signed by a key of its own, or not of the form that is expected."""


class StaleHolderMessage(InvalidHolderMessage):
    """The message is too old, or from the future."""

    error = "stale"


@dataclass(frozen=True, slots=True)
class CheckedHolderMessage:
    """A message whose signature holds under the key that it carries, and that was made just now.

    Whether that key has anything to do with a share, and whether `jti` was seen before, is the caller's to judge.
    """

    thumbprint: str
    audience: str
    jti: str
    issued_at: datetime
    claims: Mapping[str, Any] = field(repr=False)


def sign_holder_message(claims: Mapping[str, Any], *, signer: Signer, typ: str) -> str:
    """Sign a message with a holder key; `claims` holds `aud`, `iat` and `jti`."""
    return jose.sign_jws(claims, signer=signer, typ=typ, header={"jwk": signer.public_jwk})


def check_holder_message(
    token: str,
    *,
    typ: str,
    now: datetime,
    max_age_seconds: int,
    max_bytes: int,
    algorithms: Collection[str] = DEFAULT_ALGORITHMS,
) -> CheckedHolderMessage:
    """Check a message of a holder: size, form, `typ`, algorithm, signature under its own `jwk`, `iat`, form of `jti`.

    `max_age_seconds` is how far `iat` may lie from `now`, before or after. `jti` has 16 to 128 unreserved characters.
    Does not check the audience, which depends on the share.

    Raises `InvalidHolderMessage`, of which `StaleHolderMessage` is one kind.
    """
    try:
        return _check(token, typ, now, max_age_seconds, max_bytes, algorithms)
    except InvalidHolderMessage:
        raise
    except ProtocolError as exc:
        raise InvalidHolderMessage(f"the message does not hold: {exc}") from exc


def _check(
    token: str, typ: str, now: datetime, max_age_seconds: int, max_bytes: int, algorithms: Collection[str]
) -> CheckedHolderMessage:
    unverified = jose.parse_jws(token, max_bytes=max_bytes)
    if [name for name in ("kid", "jwk", "x5c", "trust_chain") if name in unverified.header] != ["jwk"]:
        raise InvalidHolderMessage("the message must carry its key as jwk, and in no other way")
    jwk = check_public_jwk(unverified.header["jwk"])
    claims = jose.check_jws(unverified, key=jwk, typ=typ, algorithms=algorithms).claims
    audience, jti = claims.get("aud"), claims.get("jti")
    if not isinstance(audience, str) or not isinstance(jti, str) or not _JTI.fullmatch(jti):
        raise InvalidHolderMessage("the message needs aud and jti, a string of 16 to 128 unreserved characters")
    if abs(now.timestamp() - read_seconds(claims.get("iat"), name="iat")) > max_age_seconds:
        raise StaleHolderMessage
    return CheckedHolderMessage(thumbprint(jwk), audience, jti, read_date(claims["iat"], name="iat"), claims)


def sign_recipient_message(claims: Mapping[str, Any], *, signer: Signer, typ: str) -> str:
    """Sign an answer with the key that signs requests, with its certificates; `claims` holds `iss`, the client id."""
    return jose.sign_jws(claims, signer=signer, typ=typ, header={"x5c": list(signer.x5c)})


def check_recipient_message(
    token: str,
    *,
    typ: str,
    expected_client_id: str,
    trust: TrustList,
    now: datetime,
    max_bytes: int = jose.MAX_JWS_BYTES,
    algorithms: Collection[str] = DEFAULT_ALGORITHMS,
) -> tuple[dict[str, Any], VerifierIdentity]:
    """Check an answer of the recipient whose client identifier is `expected_client_id`; its claims and who it is.

    The signing certificate must be the one that the identifier names by its hash (`x509_hash:`) or by a DNS name
    (`x509_san_dns:`). How sure we are of its owner is the identity's `level`, as with a request. A holder who checks
    an old answer gives the moment at which it came as `now`.

    Raises `Refused`, `Malformed`, `InvalidClientIdentifier`, or what checking a signature raises.
    """
    prefix, name = client_id_prefix(expected_client_id), expected_client_id.partition(":")[2]
    jws = jose.parse_jws(token, max_bytes=max_bytes)
    x5c = jws.header.get("x5c")
    if not isinstance(x5c, list) or not all(isinstance(one, str) for one in x5c):
        raise Malformed("the message carries no certificate")
    chain = tuple(x5c)
    leaf = unverified_leaf(chain)
    named = {X509_HASH: leaf.sha256 == name, X509_SAN_DNS: name.isascii() and name.lower() in leaf.dns_names}
    if not named.get(prefix, False):
        raise Refused("the certificate of the message is not that of the recipient")
    claims = jose.check_jws(jws, key=leaf.public_jwk, typ=typ, algorithms=algorithms).claims
    if claims.get("iss") != expected_client_id:
        raise Refused("the message is by another recipient")
    return claims, identify_by_certificate(chain, leaf, expected_client_id, trust, now)
