"""JWE in compact form with ECDH-ES key agreement (RFC 7516, RFC 7518, section 4.6) and AES-GCM.

Direct key agreement only: what OpenID4VP 1.0 and HAIP 1.0 use. It is built here on `cryptography`, since the size
of what `zip` inflates to must be bounded before memory is spent, and the header must be read strictly; jwcrypto is
the second opinion in the tests.

    token = encrypt_jwe(b"...", recipient_jwk=public_part(key), enc="A256GCM", header={"kid": key["kid"]})
    header, plaintext = decrypt_jwe(
        token, private_jwk=key, algorithms={"ECDH-ES"}, encryptions={"A128GCM", "A256GCM"}, max_bytes=1_000_000)
"""

import os
import zlib
from collections.abc import Collection, Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

from proofs import base64url, strict_json
from proofs.inflate import inflate
from proofs.keys import PRIVATE_MEMBERS, SoftwareSigner, generate_signer, jwk_from_public_key, public_key_from_jwk
from schemas.errors import Malformed, Refused

ENCRYPTIONS: dict[str, int] = {"A128GCM": 16, "A256GCM": 32}
"""Content encryption algorithms, with their key size in bytes."""

KEY_AGREEMENT = "ECDH-ES"
MAX_HEADER_BYTES = 16_000
_IV_BYTES = 12
_TAG_BYTES = 16


class DecryptionFailed(Refused):
    """The JWE cannot be opened with this key."""


def encrypt_jwe(
    plaintext: bytes,
    *,
    recipient_jwk: Mapping[str, Any],
    alg: str = KEY_AGREEMENT,
    enc: str,
    header: Mapping[str, Any] | None = None,
) -> str:
    """Encrypt to a public EC key.

    `enc` is `A128GCM` or `A256GCM`; `header` adds protected members such as `kid`, `typ`, `cty`, `apu`, `apv`
    (the last two base64url), or `zip` with the value `DEF`, which compresses the plaintext first.

    Raises `Malformed` for an unusable key, `Refused` for another `alg` or `enc`, `ValueError` for a header that would
    announce something else than what is done.
    """
    if alg != KEY_AGREEMENT or enc not in ENCRYPTIONS:
        raise Refused("unsupported JWE algorithm")
    header = header or {}
    if not {"alg", "enc", "epk"}.isdisjoint(header) or header.get("zip", "DEF") != "DEF":
        raise ValueError("algorithms and ephemeral key are not set by the header; the only compression is DEF")
    recipient = public_key_from_jwk(recipient_jwk)
    ephemeral = ec.generate_private_key(recipient.curve)
    protected = {
        "alg": alg,
        "enc": enc,
        **header,
        "epk": jwk_from_public_key(ephemeral.public_key()),
    }
    key = _agree(ephemeral, recipient, protected)
    if "zip" in header:
        compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        plaintext = compressor.compress(plaintext) + compressor.flush()
    segment = base64url.encode_bytes(strict_json.dumps(protected))
    iv = os.urandom(_IV_BYTES)
    sealed = AESGCM(key).encrypt(iv, plaintext, segment)
    parts = (b"", iv, sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:])
    return b".".join((segment, *(base64url.encode_bytes(part) for part in parts))).decode("ascii")


def decrypt_jwe(
    token: str,
    *,
    private_jwk: Mapping[str, Any],
    algorithms: Collection[str],
    encryptions: Collection[str],
    max_bytes: int,
) -> tuple[dict[str, Any], bytes]:
    """Decrypt a compact JWE with a private EC key.

    `max_bytes` bounds both the token and the plaintext, also after inflating `zip` `DEF`.

    Returns the protected header and the plaintext. Does not compare `kid`: the caller chose the key. The sender is
    nobody in particular: anyone can encrypt to a public key.

    Raises `Malformed` for another form, `Refused` for a foreign algorithm, `DecryptionFailed`.
    """
    header, segment, iv, ciphertext, tag = _take_apart(token, max_bytes=max_bytes)
    if header["alg"] not in algorithms or header["alg"] != KEY_AGREEMENT:
        raise Refused("the JWE uses a key agreement that is not accepted")
    if header["enc"] not in encryptions or header["enc"] not in ENCRYPTIONS:
        raise Refused("the JWE uses an encryption that is not accepted")
    private = SoftwareSigner.from_private_jwk(private_jwk).private_key
    epk = header.get("epk")
    if not isinstance(epk, dict) or not isinstance(epk.get("x"), str) or not isinstance(epk.get("y"), str):
        raise Malformed("the JWE has no ephemeral key")
    ephemeral = public_key_from_jwk(epk)
    if ephemeral.curve.name != private.curve.name:
        raise Malformed("the ephemeral key of the JWE is on another curve")
    try:
        plaintext = AESGCM(_agree(private, ephemeral, header)).decrypt(iv, ciphertext + tag, segment)
    except InvalidTag as exc:
        raise DecryptionFailed("the JWE cannot be opened with this key") from exc
    if "zip" in header:
        plaintext = inflate(plaintext, wbits=-zlib.MAX_WBITS, max_bytes=max_bytes)
    return header, plaintext


def jwe_header(token: str, *, max_bytes: int) -> dict[str, Any]:
    """The protected header of a compact JWE, unverified, for choosing the key by `kid`. Raises `Malformed`."""
    return _take_apart(token, max_bytes=max_bytes)[0]


def _take_apart(token: str, *, max_bytes: int) -> tuple[dict[str, Any], bytes, bytes, bytes, bytes]:
    parts = token.split(".") if isinstance(token, str) and len(token) <= max_bytes else ()
    if len(parts) != 5:
        raise Malformed("not a compact JWE, or too large")
    header = strict_json.loads_object(base64url.decode(parts[0]), max_bytes=MAX_HEADER_BYTES)
    if not isinstance(header.get("alg"), str) or not isinstance(header.get("enc"), str):
        raise Malformed("the JWE header lacks `alg` or `enc`")
    if "crit" in header:
        raise Refused("the JWE header demands an extension that is not understood")
    if header.get("zip", "DEF") != "DEF":
        raise Refused("the JWE uses a compression that is not accepted")
    if parts[1]:
        raise Malformed("direct key agreement carries no encrypted key")
    iv, ciphertext, tag = (base64url.decode(part) for part in parts[2:])
    if len(iv) != _IV_BYTES or len(tag) != _TAG_BYTES:
        raise Malformed("the JWE has an initialization vector or a tag of another length")
    return header, parts[0].encode("ascii"), iv, ciphertext, tag


def _agree(private: ec.EllipticCurvePrivateKey, public: ec.EllipticCurvePublicKey, header: Mapping[str, Any]) -> bytes:
    """Derive the content key from an agreement (RFC 7518, section 4.6.2)."""
    size = ENCRYPTIONS[header["enc"]]
    parties = []
    for name in ("apu", "apv"):
        value = header.get(name, "")
        if not isinstance(value, str):
            raise Malformed(f"`{name}` of the JWE header is not a string")
        parties.append(base64url.decode(value))
    other_info = b"".join(len(part).to_bytes(4, "big") + part for part in (header["enc"].encode("ascii"), *parties)) + (
        size * 8
    ).to_bytes(4, "big")
    shared = private.exchange(ec.ECDH(), public)
    return ConcatKDFHash(hashes.SHA256(), size, other_info).derive(shared)


def generate_encryption_key(kid: str | None = None) -> dict[str, str]:
    """Make a private P-256 JWK for receiving (`use` `enc`, `alg` `ECDH-ES`); `kid` is its thumbprint unless given."""
    signer = generate_signer()
    return {**signer.private_jwk(), "use": "enc", "alg": KEY_AGREEMENT, "kid": kid or signer.kid}


def public_part(jwk: Mapping[str, Any]) -> dict[str, Any]:
    """A JWK without its private members."""
    return {name: value for name, value in jwk.items() if name not in PRIVATE_MEMBERS}
