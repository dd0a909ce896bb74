"""JWS in compact form, built and checked on `cryptography` with strict JSON (RFC 7515, RFC 7519, RFC 8725).

Which algorithms and which `typ` a check accepts are arguments without default. Keys come from the caller: `jku`,
`x5u` and `jwk` in a header are never followed. A critical extension is never understood, so `crit` and `b64` are
refused. JWE lives in `proofs.jwe` and is offered here as well.

    token = sign_jws({"iss": "..."}, signer=signer, typ="example+jwt")
    checked = check_jws(token, key=signer.public_jwk, typ="example+jwt", algorithms={"ES256"})
"""

import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from proofs import base64url, strict_json
from proofs.ecdsa import ALGORITHMS, signature_holds
from proofs.jwe import decrypt_jwe as decrypt_jwe
from proofs.jwe import encrypt_jwe as encrypt_jwe
from proofs.jwe import generate_encryption_key as generate_encryption_key
from proofs.jwe import public_part as public_part
from proofs.keys import PRIVATE_MEMBERS, Signer, public_key_from_jwk
from schemas.errors import Malformed, Refused

MAX_JWS_BYTES = 1_000_000
MAX_HEADER_BYTES = 64_000
NO_HEADER: Mapping[str, Any] = {}


class InvalidSignature(Refused):
    """The signature does not belong to the content and the key."""


class UnverifiedJWS(NamedTuple):
    """A JWS taken apart; nothing in it has been checked but its form."""

    header: dict[str, Any]
    payload: bytes
    signing_input: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class CheckedJWS:
    """A JWS whose signature, algorithm and `typ` were checked. Its dates and names were not."""

    header: dict[str, Any]
    claims: dict[str, Any]


def parse_jws(token: str, *, max_bytes: int = MAX_JWS_BYTES) -> UnverifiedJWS:
    """Take a compact JWS apart.

    Raises `Malformed` when it is not one, or is larger than `max_bytes`; `Refused` when its header holds `crit`,
    `b64`, or a key with a private part.
    """
    if not isinstance(token, str) or len(token) > max_bytes or not token.isascii():
        raise Malformed("not a compact JWS")
    raw = token.encode("ascii")
    parts = raw.split(b".", 3)
    if len(parts) != 3:
        raise Malformed("not a compact JWS")
    header, payload, signature = parts
    return UnverifiedJWS(
        dict(_read_header(header)),
        base64url.decode(payload),
        raw[: len(header) + 1 + len(payload)],
        base64url.decode(signature),
    )


@functools.lru_cache(maxsize=128)
def _read_header(part: bytes) -> dict[str, Any]:
    # Tokens of one signer share their header, certificates included; callers get a copy.
    if not part:
        raise Malformed("not a compact JWS")
    header = strict_json.loads_object(base64url.decode(part), max_bytes=MAX_HEADER_BYTES)
    if not isinstance(header.get("alg"), str) or not isinstance(header.get("typ", ""), str):
        raise Malformed("the JWS header lacks `alg`, or a member is not a string")
    if "crit" in header or "b64" in header:
        # RFC 7515, section 4.1.11: we understand no extension; RFC 7797 is one.
        raise Refused("the JWS header demands an extension that is not understood")
    jwk = header.get("jwk", {})
    if not isinstance(jwk, dict) or not PRIVATE_MEMBERS.isdisjoint(jwk):
        raise Refused("the key in the JWS header is not a public key")
    return header


def check_jws(
    token: str | UnverifiedJWS,
    *,
    key: Mapping[str, Any],
    typ: str | Collection[str] | None,
    algorithms: Collection[str],
) -> CheckedJWS:
    """Check the signature of a JWS whose payload is a JSON object.

    `key` is the public JWK that the caller trusts for this purpose; `typ` the accepted header value or values, None
    when the profile knows none; `algorithms` the accepted ones.

    Returns header and claims. Checks no claim: dates, audience and names are the caller's.

    Raises `Malformed` for another form, `Refused` for a foreign algorithm or `typ`, `InvalidSignature`.
    """
    jws = check_signature(token, key=key, typ=typ, algorithms=algorithms)
    return CheckedJWS(header=jws.header, claims=read_claims(jws))


def read_claims(jws: UnverifiedJWS) -> dict[str, Any]:
    """Read the payload of a JWS as a JSON object. Raises `Malformed`."""
    return strict_json.loads_object(jws.payload)


def check_signature(
    token: str | UnverifiedJWS,
    *,
    key: Mapping[str, Any],
    typ: str | Collection[str] | None,
    algorithms: Collection[str],
) -> UnverifiedJWS:
    """As `check_jws`, but leaves the payload unread."""
    jws = parse_jws(token) if isinstance(token, str) else token
    check_signature_under(public_key_from_jwk(key), jws, typ=typ, algorithms=algorithms)
    return jws


def check_signature_under(
    key: ec.EllipticCurvePublicKey,
    jws: UnverifiedJWS,
    *,
    typ: str | Collection[str] | None,
    algorithms: Collection[str],
) -> None:
    """Check the signature of a JWS under a key object; for callers in this room that keep those of issuers."""
    alg = jws.header["alg"]
    if alg not in algorithms or alg not in ALGORITHMS:
        raise Refused("the JWS is signed with an algorithm that is not accepted")
    if typ is not None and jws.header.get("typ") not in ((typ,) if isinstance(typ, str) else typ):
        raise Refused("the JWS has another `typ` than expected")
    if not signature_holds(key, alg=alg, signature=jws.signature, data=jws.signing_input):
        raise InvalidSignature("the signature of the JWS does not hold")


def sign_jws(
    claims: Mapping[str, Any] | bytes, *, signer: Signer, typ: str, header: Mapping[str, Any] = NO_HEADER
) -> str:
    """Sign claims, or the bytes of a payload, as a compact JWS.

    The protected header holds `alg`, `typ` and what `header` adds; see `certificate_header`.
    """
    payload = claims if isinstance(claims, bytes) else strict_json.dumps(dict(claims))
    signing_input = header_segment(signer, typ=typ, header=header) + b"." + base64url.encode_bytes(payload)
    return (signing_input + b"." + base64url.encode_bytes(signer.sign(signing_input))).decode("ascii")


def certificate_header(signer: Signer) -> dict[str, Any]:
    """The header members by which others find the signer's key: `kid`, and `x5c` when it has certificates."""
    return {"kid": signer.kid, **({"x5c": list(signer.x5c)} if signer.x5c else {})}


def header_segment(signer: Signer, *, typ: str, header: Mapping[str, Any]) -> bytes:
    """The encoded protected header, encoded once per signer, `typ` and further members."""
    if not header:
        return _encode_header(signer.alg, typ, b"")
    return _encode_header(signer.alg, typ, strict_json.dumps(dict(header)))


@functools.lru_cache(maxsize=256)
def _encode_header(alg: str, typ: str, further: bytes) -> bytes:
    members = {"alg": alg, "typ": typ}
    for name, value in strict_json.loads_object(further or b"{}").items():
        if name in members:
            raise ValueError("`alg` and `typ` of a JWS are set by its signer and its profile")
        members[name] = value
    return base64url.encode_bytes(strict_json.dumps(members))
