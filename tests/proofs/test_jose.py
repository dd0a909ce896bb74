"""JWS and JWE: round trips, the published JWE example, and a second opinion by another library."""

import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st
from jwcrypto import jwe as other_jwe
from jwcrypto import jwk as other_jwk

from proofs import base64url, jose
from proofs.jwe import ENCRYPTIONS, jwe_header
from proofs.keys import generate_signer
from schemas.errors import Malformed, ProtocolError, Refused

JSON_VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=8), JSON_VALUES, max_size=5))
def test_what_is_signed_is_read_back(claims: dict[str, Any]) -> None:
    """By us, and by another library."""
    signer = generate_signer()

    token = jose.sign_jws(claims, signer=signer, typ="example+jwt", header={"kid": signer.kid})

    checked = jose.check_jws(token, key=signer.public_jwk, typ={"other", "example+jwt"}, algorithms={"ES256"})
    assert checked.claims == claims
    assert checked.header == {"alg": "ES256", "typ": "example+jwt", "kid": signer.kid}
    assert (
        jwt.api_jws.decode(token, jwt.PyJWK(signer.public_jwk).key, algorithms=["ES256"])
        == json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode()
    )


def test_bytes_can_be_signed_and_headers_do_not_leak() -> None:
    """The caller's header is not changed, and one check's header not another's."""
    signer = generate_signer()
    token = jose.sign_jws(b'{"a": 1}', signer=signer, typ="t")

    first, second = jose.parse_jws(token), jose.parse_jws(token)
    first.header["alg"] = "none"

    assert second.header["alg"] == "ES256"
    assert jose.check_jws(token, key=signer.public_jwk, typ=None, algorithms={"ES256"}).claims == {"a": 1}
    with pytest.raises(ValueError, match="set by"):
        jose.sign_jws({}, signer=signer, typ="t", header={"alg": "none"})
    with pytest.raises(Malformed):
        jose.check_jws(
            jose.sign_jws(b"[]", signer=signer, typ="t"), key=signer.public_jwk, typ="t", algorithms={"ES256"}
        )


@given(st.binary(max_size=60) | st.text(max_size=60) | st.text(alphabet="eyJhbGciOiJFUzI1NiJ9.-_", max_size=80))
def test_any_input_is_read_or_refused(data: bytes | str) -> None:
    """Nothing but our own errors is ever raised."""
    text = data if isinstance(data, str) else data.decode("latin-1")
    for read in (jose.parse_jws, lambda token: jwe_header(token, max_bytes=1_000)):
        try:
            read(text)
        except ProtocolError:
            continue


def test_a_token_has_a_size() -> None:
    """The size is looked at first."""
    token = jose.sign_jws({"a": "x" * 1_000}, signer=generate_signer(), typ="t")

    with pytest.raises(Malformed):
        jose.parse_jws(token, max_bytes=1_000)


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from(sorted(ENCRYPTIONS)), st.booleans())
def test_what_is_encrypted_is_opened(plaintext: bytes, enc: str, compressed: bool) -> None:
    """By its receiver, with the receiver's choice of algorithms."""
    key = jose.generate_encryption_key("k1")
    header = {"kid": key["kid"], **({"zip": "DEF"} if compressed else {})}

    token = jose.encrypt_jwe(plaintext, recipient_jwk=jose.public_part(key), enc=enc, header=header)

    opened_header, opened = jose.decrypt_jwe(
        token, private_jwk=key, algorithms={"ECDH-ES"}, encryptions={enc}, max_bytes=10_000
    )
    assert opened == plaintext
    assert opened_header["kid"] == jwe_header(token, max_bytes=10_000)["kid"] == "k1"


@pytest.mark.parametrize("enc", sorted(ENCRYPTIONS))
@pytest.mark.parametrize("header", [{}, {"zip": "DEF"}, {"apu": "QWxpY2U", "apv": "Qm9i"}])
def test_another_library_opens_what_we_encrypt_and_the_other_way_round(enc: str, header: dict[str, str]) -> None:
    """A second opinion, with and without compression and party information."""
    key = jose.generate_encryption_key()
    library: Any = other_jwe.JWE
    members = {name: key[name] for name in ("kty", "crv", "x", "y", "d")}
    theirs: Any = other_jwk.JWK
    other_key = theirs(**members)

    ours = library(algs=["ECDH-ES", enc])
    ours.deserialize(jose.encrypt_jwe(b"secret", recipient_jwk=key, enc=enc, header=header), other_key)
    assert ours.payload == b"secret"

    made = library(b"secret", json.dumps({"alg": "ECDH-ES", "enc": enc, **header}), recipient=other_key)
    opened = jose.decrypt_jwe(
        made.serialize(compact=True), private_jwk=key, algorithms={"ECDH-ES"}, encryptions={enc}, max_bytes=10_000
    )
    assert opened[1] == b"secret"


def test_the_published_key_agreement(vectors: Path) -> None:
    """RFC 7518, appendix C: the derived key opens what it sealed."""
    example = json.loads((vectors / "rfc7518" / "ecdh_es.json").read_text())
    header = base64url.encode(json.dumps({**example["header"], "epk": example["epk"]}).encode())
    iv = bytes(12)
    sealed = AESGCM(base64url.decode(example["derived_key"])).encrypt(iv, b"hello", header.encode())
    parts = (header, "", base64url.encode(iv), base64url.encode(sealed[:-16]), base64url.encode(sealed[-16:]))

    opened = jose.decrypt_jwe(
        ".".join(parts), private_jwk=example["bob"], algorithms={"ECDH-ES"}, encryptions={"A128GCM"}, max_bytes=10_000
    )

    assert opened[1] == b"hello"


def test_the_published_encrypted_answer(vectors: Path) -> None:
    """OpenID4VP 1.0, section 8.3: the example opens with the private key that is printed below it."""
    example = json.loads((vectors / "openid4vp" / "encrypted_response.json").read_text())

    header, plaintext = jose.decrypt_jwe(
        example["response"],
        private_jwk=example["recipient"],
        algorithms={"ECDH-ES"},
        encryptions={"A128GCM"},
        max_bytes=10_000,
    )

    assert header == example["header"]
    assert header["kid"] == example["recipient"]["kid"]
    assert json.loads(plaintext) == example["payload"]


def test_a_key_for_receiving_says_what_it_is_for() -> None:
    """`use`, `alg` and `kid` are needed by the sender; the private part stays."""
    key = jose.generate_encryption_key()

    assert (key["use"], key["alg"], key["crv"]) == ("enc", "ECDH-ES", "P-256")
    assert set(jose.public_part(key)) == {"kty", "crv", "x", "y", "use", "alg", "kid"}
    for alg, enc in (("RSA-OAEP", "A128GCM"), ("ECDH-ES", "A128CBC-HS256")):
        with pytest.raises(Refused):
            jose.encrypt_jwe(b"", recipient_jwk=key, alg=alg, enc=enc)
