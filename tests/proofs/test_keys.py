"""Keys: thumbprints, public forms, signatures in both encodings, key files."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from hypothesis import given
from hypothesis import strategies as st
from jwcrypto import jwk as jwcrypto_jwk

from proofs import ecdsa, keys
from proofs.keys import SoftwareSigner, check_public_jwk, generate_signer, thumbprint
from schemas.errors import Malformed, Refused

CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}


def test_the_published_thumbprint(vectors: Path) -> None:
    """RFC 7638, section 3.1."""
    vector = json.loads((vectors / "rfc7638" / "rsa_example.json").read_text())

    assert thumbprint(vector["jwk"]) == vector["thumbprint"]


def test_the_thumbprint_agrees_with_another_library() -> None:
    """A second opinion on elliptic curve keys."""
    signer = generate_signer()

    other: Any = jwcrypto_jwk.JWK

    assert signer.kid == other(**signer.public_jwk).thumbprint()


@pytest.mark.parametrize(
    "jwk", [{}, {"kty": "EC"}, {"kty": "oct", "k": "AA"}, {"kty": []}, {"kty": "EC", "crv": 1, "x": "", "y": ""}]
)
def test_what_is_no_public_key_has_no_thumbprint(jwk: dict[str, Any]) -> None:
    """A missing member is an error, not an empty text."""
    with pytest.raises(Malformed):
        thumbprint(jwk)


@pytest.mark.parametrize("crv", CURVES)
def test_a_signature_holds_for_its_key_and_bytes_only(crv: str) -> None:
    """On every curve of the table."""
    signer, other = (SoftwareSigner(ec.generate_private_key(CURVES[crv])) for _ in range(2))
    for number in range(40):
        data = str(number).encode()
        signature = signer.sign(data)
        key = keys.public_key_from_jwk(signer.public_jwk)
        assert len(signature) == 2 * ecdsa.ALGORITHMS[signer.alg].size
        assert ecdsa.signature_holds(key, alg=signer.alg, signature=signature, data=data)
        assert not ecdsa.signature_holds(key, alg=signer.alg, signature=signature, data=data + b".")
        assert not ecdsa.signature_holds(key, alg=signer.alg, signature=signature[:-1], data=data)
        assert not ecdsa.signature_holds(
            keys.public_key_from_jwk(other.public_jwk), alg=signer.alg, signature=signature, data=data
        )
    foreign = next(name for name in ecdsa.ALGORITHMS if name != signer.alg)
    assert not ecdsa.signature_holds(key, alg=foreign, signature=signature, data=data)


@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1))
def test_the_two_encodings_of_a_signature_agree_with_the_library(r: int, s: int) -> None:
    """DER by hand is the library's DER."""
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")

    assert ecdsa.der_from_raw(raw) == utils.encode_dss_signature(r, s)
    assert ecdsa.raw_from_der(utils.encode_dss_signature(r, s), 32) == raw


@given(st.integers(0, 2**521 - 1), st.integers(0, 2**521 - 1))
def test_long_signatures_too(r: int, s: int) -> None:
    """P-521 needs the longer length in DER, sometimes."""
    raw = r.to_bytes(66, "big") + s.to_bytes(66, "big")

    assert ecdsa.der_from_raw(raw) == utils.encode_dss_signature(r, s)
    assert ecdsa.raw_from_der(utils.encode_dss_signature(r, s), 66) == raw


def test_the_library_accepts_our_signature() -> None:
    """And not only we ourselves."""
    signer = generate_signer()
    signature = signer.sign(b"x")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")

    signer.private_key.public_key().verify(utils.encode_dss_signature(r, s), b"x", ec.ECDSA(hashes.SHA256()))


def test_a_public_key_is_reduced_to_what_it_needs() -> None:
    """Foreign members do not travel on; private ones are refused."""
    signer = generate_signer()

    assert check_public_jwk({**signer.public_jwk, "use": "sig", "kid": "1", "x5u": "https://a"}) == signer.public_jwk
    for name in ("d", "k", "p", "oth"):
        with pytest.raises(Refused):
            check_public_jwk({**signer.public_jwk, name: "AAAA"})
    with pytest.raises(Malformed):
        check_public_jwk({**signer.public_jwk, "y": signer.public_jwk["x"]})


def test_a_private_key_survives_its_forms() -> None:
    """JWK and PEM bring the same key back."""
    signer = generate_signer()

    assert SoftwareSigner.from_private_jwk(signer.private_jwk()).kid == signer.kid
    assert SoftwareSigner.from_pem(signer.private_pem(passphrase=b"p"), passphrase=b"p").kid == signer.kid
    assert signer.private_jwk()["d"] not in repr(signer)
    other = generate_signer()
    for broken in ({**signer.private_jwk(), "d": other.private_jwk()["d"]}, signer.public_jwk):
        with pytest.raises(Malformed):
            SoftwareSigner.from_private_jwk(broken)
    for passphrase in (b"q", None):
        with pytest.raises(Malformed):
            SoftwareSigner.from_pem(signer.private_pem(passphrase=b"p"), passphrase=passphrase)


def test_another_kind_of_key_is_refused() -> None:
    """Only curves of the table sign here."""
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(Malformed):
        SoftwareSigner.from_pem(pem, passphrase=None)
    with pytest.raises(Malformed):
        SoftwareSigner(ec.generate_private_key(ec.SECP256K1()))


def test_a_key_file_is_secret_and_written_once(tmp_path: Path) -> None:
    """Readable by its owner only, encrypted, never overwritten."""
    signer, path = generate_signer(), tmp_path / "key.pem"

    keys.save_signer(signer, path, passphrase=b"p")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"ENCRYPTED" in path.read_bytes()
    assert keys.load_signer(path, None, passphrase=b"p").kid == signer.kid
    with pytest.raises(Refused):
        keys.save_signer(generate_signer(), path, passphrase=b"p")
