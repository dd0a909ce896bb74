"""Attacks on JSON, JWS and JWE, numbered as the edge cases G-01 to G-03, and on request objects (W-02 to W-06)."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from proofs import base64url, jose, strict_json
from proofs.certificates import CertifiedKey
from proofs.jwe import DecryptionFailed
from proofs.keys import SoftwareSigner, generate_signer
from proofs.request_object import (
    InvalidClientIdentifier,
    InvalidRequestObject,
    InvalidRequestSignature,
    check_request_object,
    check_unsigned_request,
    sign_request_object,
    x509_hash_client_id,
    x509_san_dns_client_id,
)
from proofs.trust import TrustList
from schemas.errors import Malformed, ProtocolError, Refused
from tests.proofs.cast import NOW, Cast, certified, certified_by_itself, failed, raw_jws, trusting

ES256 = {"ES256"}


@pytest.mark.parametrize(
    "text",
    [
        b'{"alg":"ES256","alg":"none"}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":1, "\\u0061":2}',
        b'[{"a":1,"a":1}]',
        b'{"":1,"":2}',
        b'{"a:b":1,"a:b":2}',
        b'{"x":"\\"y\\":1","x":2}',
    ],
)
def test_g01_a_member_written_twice_is_refused(text: bytes) -> None:
    """Two readers could each believe another one of them."""
    with pytest.raises(Malformed):
        strict_json.loads(text)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_g01_deep_nesting_is_refused(opening: bytes) -> None:
    """A reader that descends without end falls."""
    closing = {b"[": b"]", b'{"a":': b"}", b'[{"a":': b"}]"}[opening]
    for depth in (33, 65, 200, 5_000, 100_000):
        text = opening * depth + b"1" + closing * depth
        if depth == 33 and len(opening) == 1:
            assert strict_json.loads(text)
        elif depth > 64 or len(opening) == 6:
            with pytest.raises(Malformed):
                strict_json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "[1e999]",
        "18446744073709551616",
        "-9223372036854775809",
        "9" * 400,
        '{"exp": 99999999999999999999}',
    ],
)
def test_g01_numbers_that_are_none_or_do_not_fit_are_refused(text: str) -> None:
    """A number that is silently rounded is another number."""
    with pytest.raises(Malformed):
        strict_json.loads(text)


@pytest.mark.parametrize(
    "text", [b'"\\ud800"', b'"\\udc00\\ud800"', b"\xff", b'"\xed\xa0\x80"', "\ud800", b"\xef\xbb\xbf{}"]
)
def test_g01_text_that_is_not_unicode_is_refused(text: bytes | str) -> None:
    """Lone surrogates and wrong UTF-8 mean different things to different readers."""
    with pytest.raises(Malformed):
        strict_json.loads(text)


def test_g01_hostile_json_inside_a_sound_signature_is_refused(cast: Cast) -> None:
    """Being signed does not make a document unambiguous."""
    payload = json.dumps({"vct": "x", "cnf": {"jwk": cast.holder.public_jwk}}).encode()
    doubled = payload.replace(b'"vct": "x"', b'"vct": "x", "vct": "urn:better"')
    header = json.dumps({"alg": "ES256", "typ": "dc+sd-jwt", "x5c": cast.issuer.x5c}).encode()

    assert failed(cast.refusal(cast.bind(raw_jws(header, doubled, cast.issuer) + "~"))) == (["form"], "malformed")
    twice = header.replace(b'"typ"', b'"alg": "ES256", "typ"')
    assert failed(cast.refusal(cast.bind(raw_jws(twice, payload, cast.issuer) + "~"))) == (["form"], "malformed")


def test_g01_a_large_document_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Size is looked at before anything else: no reader of JSON is given the document."""
    read: list[int] = []

    class Reader:
        JSONDecodeError = orjson.JSONDecodeError

        @staticmethod
        def loads(raw: bytes) -> object:
            read.append(len(raw))
            return orjson.loads(raw)

        dumps = staticmethod(orjson.dumps)

    monkeypatch.setattr(strict_json, "orjson", Reader)

    with pytest.raises(Malformed, match="too large"):
        strict_json.loads(b"[" + b"1," * 5_000_000 + b"1]")

    assert read == []
    assert strict_json.loads(b"[1]") == [1]
    assert read == [3]


def test_g02_decimal_dates_are_accepted(cast: Cast) -> None:
    """A NumericDate may have decimals."""
    moment = NOW.timestamp()
    token = cast.forge({"iat": moment - 10.5, "nbf": moment - 0.25, "exp": moment + 0.5})

    verified = cast.verify(cast.bind(token, iat=moment + 0.75))

    assert verified.valid_until is not None
    assert verified.valid_until.timestamp() == moment + 0.5


@pytest.mark.parametrize("value", ["1900000000", True, None, [1], -1, 1e300, {"a": 1}])
def test_g02_dates_that_are_no_numbers_are_refused(cast: Cast, value: Any) -> None:
    """A date that cannot be read must not be taken for one that has not passed."""
    assert failed(cast.refusal(cast.bind(cast.forge({"exp": value})))) == (["dates"], "malformed")


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False},
        {"b64": True, "crit": ["b64"]},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
        {"alg": "es256"},
        {"alg": ["ES256"]},
        {"alg": None},
        {"typ": "other"},
        {"typ": 7},
        {"jwk": "PRIVATE"},
        {"jwk": []},
    ],
)
def test_g03_a_header_that_asks_for_something_else_is_refused(header: dict[str, Any]) -> None:
    """The check decides on algorithm, type and extensions; the token does not."""
    signer = generate_signer()
    if header.get("jwk") == "PRIVATE":
        header = {"jwk": signer.private_jwk()}
    token = raw_jws(json.dumps({"alg": "ES256", "typ": "t", **header}).encode(), b"{}", signer)

    with pytest.raises(ProtocolError):
        jose.check_jws(token, key=signer.public_jwk, typ="t", algorithms=ES256)


def test_g03_no_signature_at_all_is_refused() -> None:
    """`alg: none` and an empty signature are never enough."""
    signer = generate_signer()
    header, payload = base64url.encode(b'{"alg":"none","typ":"t"}'), base64url.encode(b"{}")
    for token in (f"{header}.{payload}.", f"{header}.{payload}", jose.sign_jws({}, signer=signer, typ="t")[:-86]):
        with pytest.raises(ProtocolError):
            jose.check_jws(token, key=signer.public_jwk, typ="t", algorithms={"ES256", "none"})


def test_g03_a_public_key_is_not_an_hmac_secret() -> None:
    """HMAC is not in the table, even when a caller should allow it."""
    signer = generate_signer()
    token = raw_jws(b'{"alg":"HS256","typ":"t"}', b"{}", signer)

    with pytest.raises(Refused):
        jose.check_jws(token, key=signer.public_jwk, typ="t", algorithms={"HS256"})


def test_g03_addresses_of_keys_are_never_followed() -> None:
    """`jku`, `x5u` and `jwk` in a header are the sender's wishes."""
    signer, stranger = generate_signer(), generate_signer()
    header = {"jku": "https://thief.example/keys", "x5u": "https://thief.example/chain", "jwk": stranger.public_jwk}
    token = jose.sign_jws({}, signer=stranger, typ="t", header=header)

    with pytest.raises(jose.InvalidSignature):
        jose.check_jws(token, key=signer.public_jwk, typ="t", algorithms=ES256)


@pytest.mark.parametrize("change", ["padding", "plus", "space", "bits", "short", "zero", "large"])
def test_g03_a_signature_has_one_spelling(change: str) -> None:
    """Neither another spelling of a signature nor a trivial one is accepted."""
    signer = generate_signer()
    token = jose.sign_jws({}, signer=signer, typ="t")
    body, _, signature = token.rpartition(".")
    last = {"A": "B", "Q": "R", "g": "h", "w": "x"}[signature[-1]]
    changed = {
        "padding": signature + "==",
        "plus": "+" + signature[1:],
        "space": signature[:10] + "\n" + signature[10:],
        "bits": signature[:-1] + last,
        "short": base64url.encode(base64url.decode(signature)[:-1]),
        "zero": base64url.encode(bytes(64)),
        "large": base64url.encode(b"\xff" * 64),
    }[change]

    with pytest.raises(ProtocolError):
        jose.check_jws(f"{body}.{changed}", key=signer.public_jwk, typ="t", algorithms=ES256)


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43},
        {"kty": "EC", "crv": "P-256", "x": "A" * 42, "y": "A" * 43},
        {"kty": "EC", "crv": "P-256", "x": 7, "y": None},
        {"kty": "EC", "crv": "secp256k1", "x": "A" * 43, "y": "A" * 43},
        {"kty": "oct", "k": "AAAA"},
        {},
    ],
)
def test_g03_a_key_that_is_no_point_is_refused(jwk: dict[str, Any]) -> None:
    """A key beside the curve would give itself away, or accept what it should not."""
    token = jose.sign_jws({}, signer=generate_signer(), typ="t")

    with pytest.raises(Malformed):
        jose.check_jws(token, key=jwk, typ="t", algorithms=ES256)


def _opened(token: str, key: dict[str, str], max_bytes: int = 100_000) -> bytes:
    return jose.decrypt_jwe(
        token, private_jwk=key, algorithms={"ECDH-ES"}, encryptions={"A128GCM", "A256GCM"}, max_bytes=max_bytes
    )[1]


def test_a_compressed_bomb_in_an_encrypted_answer_is_refused() -> None:
    """V-11: encryption does not hide how much is inside."""
    key = jose.generate_encryption_key()
    bomb = jose.encrypt_jwe(bytes(50_000_000), recipient_jwk=key, enc="A128GCM", header={"zip": "DEF"})
    assert len(bomb) < 100_000

    with pytest.raises(Malformed):
        _opened(bomb, key)
    with pytest.raises(Malformed):
        _opened(jose.encrypt_jwe(bytes(100_000), recipient_jwk=key, enc="A128GCM"), key)


@pytest.mark.parametrize("part", [0, 2, 3, 4])
def test_an_altered_encrypted_answer_does_not_open(part: int) -> None:
    """Every part is authenticated."""
    key = jose.generate_encryption_key()
    parts = jose.encrypt_jwe(b"secret", recipient_jwk=key, enc="A256GCM", header={"kid": "1"}).split(".")
    raw = bytearray(base64url.decode(parts[part]))
    if part == 0:
        raw = bytearray(raw.replace(b'"kid":"1"', b'"kid":"2"'))
    else:
        raw[0] ^= 1
    parts[part] = base64url.encode(bytes(raw))

    with pytest.raises(DecryptionFailed):
        _opened(".".join(parts), key)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "dir"},
        {"alg": "ECDH-ES+A128KW"},
        {"enc": "A128CBC-HS256"},
        {"enc": "A192GCM"},
        {"crit": ["exp"]},
        {"zip": "GZ"},
        {"epk": None},
        {"epk": {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}},
        {"epk": {"kty": "OKP", "crv": "X25519", "x": "A" * 43}},
        {"apu": 7},
        {"apv": "not base64"},
    ],
)
def test_an_encrypted_answer_that_asks_for_something_else_is_refused(header: dict[str, Any]) -> None:
    """The receiver decides on algorithms; a key beside the curve is not used."""
    key = jose.generate_encryption_key()
    parts = jose.encrypt_jwe(b"secret", recipient_jwk=key, enc="A128GCM").split(".")
    parts[0] = base64url.encode(json.dumps({**json.loads(base64url.decode(parts[0])), **header}).encode())

    with pytest.raises(ProtocolError):
        _opened(".".join(parts), key)


@pytest.mark.parametrize("header", [{"alg": "dir"}, {"enc": "A256GCM"}, {"epk": {}}, {"zip": "GZ"}])
def test_algorithms_are_not_set_by_a_header_on_the_side(header: dict[str, Any]) -> None:
    """What is announced is what is done."""
    with pytest.raises(ValueError, match="header"):
        jose.encrypt_jwe(b"", recipient_jwk=jose.generate_encryption_key(), enc="A128GCM", header=header)


def test_an_answer_encrypted_to_another_key_does_not_open() -> None:
    """Each request has a key of its own."""
    token = jose.encrypt_jwe(b"secret", recipient_jwk=jose.generate_encryption_key(), enc="A128GCM")

    with pytest.raises(DecryptionFailed):
        _opened(token, jose.generate_encryption_key())


PARAMETERS: dict[str, Any] = {
    "response_type": "vp_token",
    "response_mode": "direct_post",
    "response_uri": "https://employer.example/answer",
    "nonce": "n",
}


def _request(signer: SoftwareSigner, client_id: str, **changes: Any) -> str:
    return sign_request_object({**PARAMETERS, "client_id": client_id, **changes}, signer=signer)


def _level(token: str, client_id: str, *trust: Any) -> str:
    return check_request_object(token, expected_client_id=client_id, trust=TrustList(trust), now=NOW).identity.level


def test_w01_a_signed_request_object_needs_its_type_and_audience(employer: CertifiedKey) -> None:
    """A token made for another purpose is not a request."""
    client_id = x509_hash_client_id(employer.signer)
    claims = {**PARAMETERS, "client_id": client_id, "aud": "https://self-issued.me/v2"}
    header = {"x5c": list(employer.signer.x5c)}

    assert _level(_request(employer.signer, client_id), client_id) == "unproven"
    with pytest.raises(InvalidRequestSignature):
        _level(jose.sign_jws(claims, signer=employer.signer, typ="jwt", header=header), client_id)
    for audience in (None, "https://wallet.example", ["https://self-issued.me/v2", "other"]):
        with pytest.raises(InvalidRequestObject):
            _level(_request(employer.signer, client_id, aud=audience), client_id)
    moment = NOW.timestamp()
    for dates in ({"exp": moment - 61}, {"iat": moment + 61}, {"nbf": moment + 61}, {"exp": "later"}):
        with pytest.raises(InvalidRequestObject):
            _level(_request(employer.signer, client_id, **dates), client_id)
    for further in ({"request": "x"}, {"request_uri": "https://employer.example/r"}):
        with pytest.raises(InvalidRequestObject):
            _level(_request(employer.signer, client_id, **further), client_id)


def test_w02_the_identifiers_inside_and_outside_are_the_same(employer: CertifiedKey) -> None:
    """A link for one sender cannot carry the request of another one."""
    hashed, named = x509_hash_client_id(employer.signer), x509_san_dns_client_id(employer.signer, "employer.example")

    for inside, outside in ((hashed, named), (named, hashed), (hashed.partition(":")[2], hashed)):
        with pytest.raises(InvalidClientIdentifier):
            _level(_request(employer.signer, inside), outside)


@pytest.mark.parametrize(
    "client_id",
    [
        "origin:https://employer.example",
        "did:web:employer.example",
        "x509_san_uri:a",
        "X509_HASH:a",
        "x509_hash:",
        ":",
        "",
        "employer.example",
    ],
)
def test_w03_unknown_and_reserved_prefixes_are_refused(employer: CertifiedKey, client_id: str) -> None:
    """A sender of an unknown kind is nobody, and so is a registered one that is not registered."""
    with pytest.raises(InvalidClientIdentifier):
        _level(_request(employer.signer, client_id), client_id)


def test_w04_an_unsigned_request_answers_to_its_own_address_only(employer: CertifiedKey) -> None:
    """Nobody can have an answer sent somewhere else in another's name."""
    address = "https://employer.example/answer"
    client_id = f"redirect_uri:{address}"
    parameters = {**PARAMETERS, "client_id": client_id}

    request = check_unsigned_request({**parameters, "response_uri": address}, expected_client_id=client_id)
    assert (request.signed, request.identity.level) == (False, "unproven")
    del parameters["response_uri"]
    filled = check_unsigned_request(parameters, expected_client_id=client_id)
    assert filled.parameters["response_uri"] == address
    with pytest.raises(InvalidClientIdentifier):
        check_unsigned_request({**parameters, "response_uri": f"{address}/"}, expected_client_id=client_id)
    with pytest.raises(InvalidRequestSignature):
        _level(_request(employer.signer, client_id), client_id)
    unsigned = base64url.encode(b'{"alg":"none"}') + "." + base64url.encode(json.dumps(parameters).encode()) + "."
    assert _level(unsigned, client_id) == "unproven"
    with pytest.raises(InvalidRequestSignature):
        _level(unsigned + "AAAA", client_id)
    for dates in ({"exp": NOW.timestamp() - 61}, {"iat": NOW.timestamp() + 61}, {"exp": "later"}):
        dated = base64url.encode(json.dumps({**parameters, **dates}).encode())
        with pytest.raises(InvalidRequestObject):
            _level(f"{unsigned.split('.')[0]}.{dated}.", client_id)
    hashed = x509_hash_client_id(employer.signer)
    stripped = base64url.encode(b'{"alg":"none"}') + "." + _request(employer.signer, hashed).split(".")[1] + "."
    with pytest.raises(InvalidRequestSignature):
        _level(stripped, hashed)
    with pytest.raises(InvalidClientIdentifier):
        check_unsigned_request({**PARAMETERS, "client_id": hashed}, expected_client_id=hashed)


def test_w05_a_dns_name_is_compared_exactly(employer: CertifiedKey, tmp_path: Path) -> None:
    """The name is in the certificate, and the answer goes to that name."""
    name = "x509_san_dns:employer.example"
    assert _level(_request(employer.signer, name), name) == "unproven"
    upper = "x509_san_dns:Employer.Example"
    assert _level(_request(employer.signer, upper), upper) == "unproven"
    # Spelled with a Kelvin sign, which becomes a k in lower case.
    banker = certified(tmp_path, "banker", "https://banker.example")
    spelled = "x509_san_dns:ban\u212aer.example"
    with pytest.raises(InvalidRequestSignature):
        _level(_request(banker.signer, spelled, response_uri="https://banker.example/"), spelled)
    for other in ("x509_san_dns:*.example", "x509_san_dns:evil.example", "x509_san_dns:sub.employer.example"):
        with pytest.raises(InvalidRequestSignature):
            _level(_request(employer.signer, other), other)
    for address in (
        "https://evil.example/answer",
        "https://employer.example.evil.example/",
        "https://evil.example\\@employer.example/",
        "https://evil.example@employer.example/",
        "https://emp\tloyer.example/",
        "https://[",
        7,
    ):
        with pytest.raises(InvalidClientIdentifier):
            _level(_request(employer.signer, name, response_uri=address), name)


def test_w06_the_hash_is_that_of_the_signing_certificate(employer: CertifiedKey, tmp_path: Path) -> None:
    """A copied certificate does not help without its key, nor a copied key without its certificate."""
    client_id = x509_hash_client_id(employer.signer)
    other = certified(tmp_path, "other", "https://other.example")

    with pytest.raises(InvalidRequestSignature):
        _level(_request(other.signer, client_id), client_id)
    with pytest.raises(InvalidRequestSignature):
        _level(_request(other.signer.with_chain(employer.signer.x5c), client_id), client_id)
    headers: tuple[dict[str, Any], ...] = ({}, {"x5c": "text"}, {"x5c": []}, {"x5c": [7]}, {"x5c": ["AAAA"]})
    for header in headers:
        claims = {**PARAMETERS, "client_id": client_id, "aud": "https://self-issued.me/v2"}
        token = jose.sign_jws(claims, signer=employer.signer, typ="oauth-authz-req+jwt", header=header)
        with pytest.raises(InvalidRequestSignature):
            _level(token, client_id)


def test_w06_a_self_signed_certificate_and_an_anchor_in_the_chain_are_refused(employer: CertifiedKey) -> None:
    """HAIP 5: neither proves anything."""
    assert employer.root_file is not None
    pem = employer.root_file.read_text()
    root = "".join(line for line in pem.splitlines() if "-----" not in line)
    with_root = employer.signer.with_chain((*employer.signer.x5c, root))
    client_id = x509_hash_client_id(with_root)

    with pytest.raises(InvalidRequestSignature):
        _level(_request(with_root, client_id), client_id, trusting(employer, role="verifier"))
    alone = certified_by_itself()
    client_id = x509_hash_client_id(alone)
    with pytest.raises(InvalidRequestSignature):
        _level(_request(alone, client_id), client_id)


def test_w21_how_sure_we_are_of_the_sender(employer: CertifiedKey, tmp_path: Path) -> None:
    """Registered by name, certified by somebody we trust, or unproven: three different things to show."""
    client_id = x509_hash_client_id(employer.signer)
    token = _request(employer.signer, client_id)
    stranger = certified(tmp_path, "stranger", "https://stranger.example")

    assert _level(token, client_id, trusting(stranger, role="any")) == "unproven"
    assert _level(token, client_id, trusting(employer, role="issuer")) == "unproven"
    assert _level(token, client_id, trusting(employer, role="any")) == "certificate"
    assert _level(token, client_id, trusting(employer, role="verifier", identifier=client_id)) == "registered"
    by_url = trusting(employer, role="verifier", identifier="https://employer.example", name="The Employer")
    found = check_request_object(token, expected_client_id=client_id, trust=TrustList((by_url,)), now=NOW)
    assert (found.identity.level, found.identity.legal_name) == ("registered", "The Employer")
    ended = replace(by_url, not_after=NOW.replace(year=2025))
    assert _level(token, client_id, ended) == "unproven"
