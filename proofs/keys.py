"""Keys: who signs, which public keys are taken from outside, how a key rests in a file.

A `Signer` signs bytes and knows its public half; nothing else in the project sees a private key. Public keys travel
as JWK. What arrives is reduced to its minimal public form by `check_public_jwk`, so that a private member or a
foreign one never reaches a credential.

The algorithms are in `proofs.ecdsa`.
"""

import base64
import functools
import hashlib
import itertools
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol, Self, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from proofs import base64url, strict_json
from proofs.certificate_form import certifies, public_key, read_pem_chain
from proofs.ecdsa import ALGORITHMS as ALGORITHMS
from proofs.ecdsa import DEFAULT_ALGORITHMS as DEFAULT_ALGORITHMS
from proofs.ecdsa import Algorithm, raw_from_der
from schemas.errors import Malformed, Refused

PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""JWK members that belong to a private or symmetric key (RFC 7518, section 6)."""


_BY_CURVE = {row.crv: row for row in ALGORITHMS.values()}


class _Form(NamedTuple):
    """How a public key on one curve is written.

    A point in uncompressed form behind `prefix` is a SubjectPublicKeyInfo, which the library reads in one call. A
    coordinate has `size` bytes, and `length` characters in base64url.
    """

    prefix: bytes
    size: int
    length: int


def _form(algorithm: Algorithm) -> _Form:
    key = ec.generate_private_key(algorithm.curve).public_key()
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _Form(spki[: -2 * algorithm.size], algorithm.size, (algorithm.size * 8 + 5) // 6)


_FORMS = {algorithm.crv: _form(algorithm) for algorithm in ALGORITHMS.values()}


class Signer(Protocol):
    """Something that signs with one private key; the key itself may live elsewhere."""

    @property
    def alg(self) -> str:
        """The JOSE algorithm, for example `ES256`."""

    @property
    def kid(self) -> str:
        """The RFC 7638 thumbprint of the public key."""

    @property
    def public_jwk(self) -> dict[str, str]:
        """The minimal public JWK."""

    @property
    def x5c(self) -> tuple[str, ...]:
        """The certificate chain as in the JOSE header: leaf first, without the root, possibly empty."""

    def sign(self, data: bytes) -> bytes:
        """Sign bytes; the signature is `r || s` of fixed length (RFC 7518, section 3.4)."""


class SoftwareSigner:
    """A signer whose private key is in memory."""

    __slots__ = ("_ecdsa", "_key", "_new_hash", "_size", "alg", "kid", "public_jwk", "x5c")

    def __init__(self, key: ec.EllipticCurvePrivateKey, *, x5c: tuple[str, ...] = ()) -> None:
        """Take a private EC key on a curve of `ALGORITHMS`, and its certificate chain, leaf first."""
        self.public_jwk = jwk_from_public_key(key.public_key())
        algorithm = _BY_CURVE[self.public_jwk["crv"]]
        self.alg = algorithm.name
        self.kid = thumbprint(self.public_jwk)
        self.x5c = tuple(x5c)
        self._key = key
        self._ecdsa = algorithm.ecdsa
        self._new_hash = algorithm.new_hash
        self._size = algorithm.size

    @classmethod
    def from_private_jwk(cls, jwk: Mapping[str, Any], *, x5c: tuple[str, ...] = ()) -> Self:
        """Take an EC private key from a JWK. Raises `Malformed` when the members do not make one key pair."""
        public = check_public_jwk({name: value for name, value in jwk.items() if name != "d"})
        if not isinstance(jwk.get("d"), str):
            raise Malformed("the JWK has no private part")
        numbers = ec.EllipticCurvePrivateNumbers(
            private_value=int.from_bytes(base64url.decode(jwk["d"]), "big"),
            public_numbers=public_key_from_jwk(public).public_numbers(),
        )
        try:
            return cls(numbers.private_key(), x5c=x5c)
        except ValueError as exc:
            raise Malformed("the private part of the JWK does not belong to its public part") from exc

    @classmethod
    def from_pem(cls, pem: bytes, *, passphrase: bytes | None, x5c: tuple[str, ...] = ()) -> Self:
        """Take an EC private key from PEM text. Raises `Malformed` when it cannot be read with this passphrase."""
        try:
            key = serialization.load_pem_private_key(pem, password=passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
            raise Malformed("the private key cannot be read with this passphrase") from exc
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise Malformed("the private key is not an elliptic curve key")
        return cls(key, x5c=x5c)

    def sign(self, data: bytes) -> bytes:
        """Sign bytes; the signature is `r || s` of fixed length."""
        return raw_from_der(self._key.sign(self._new_hash(data).digest(), self._ecdsa), self._size)

    def private_jwk(self) -> dict[str, str]:
        """The private JWK, for sealing into a vault. It must never leave one in clear."""
        value = self._key.private_numbers().private_value
        return {**self.public_jwk, "d": base64url.encode(value.to_bytes(self._size, "big"))}

    def private_pem(self, *, passphrase: bytes) -> bytes:
        """The private key as PKCS#8 PEM, encrypted under the passphrase."""
        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase),
        )

    def with_chain(self, x5c: tuple[str, ...]) -> Self:
        """The same key with another certificate chain."""
        return type(self)(self._key, x5c=x5c)

    @property
    def private_key(self) -> ec.EllipticCurvePrivateKey:
        """The key object, for signing certificates within this room."""
        return self._key

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.alg} {self.kid}>"


def generate_signer() -> SoftwareSigner:
    """Make a fresh P-256 key."""
    return SoftwareSigner(ec.generate_private_key(ec.SECP256R1()))


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The SHA-256 thumbprint of a public key, base64url (RFC 7638).

    `jwk` is an EC, RSA or OKP key; members beyond the required ones do not matter. Raises `Malformed` when a
    required member is missing.
    """
    required = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}
    kty = jwk.get("kty") if isinstance(jwk, Mapping) else None
    names = required.get(kty) if isinstance(kty, str) else None
    if names is None or not all(isinstance(jwk.get(name), str) for name in names):
        raise Malformed("the JWK has no thumbprint: a required member is missing")
    return base64url.encode(hashlib.sha256(strict_json.dumps({name: jwk[name] for name in names})).digest())


def minimal_public_jwk(jwk: Mapping[str, Any]) -> dict[str, str]:
    """The required members of a public EC key, checked for form, not for being a point on the curve.

    For keys that were already used for a verification. Raises `Malformed` for another form, `Refused` when the JWK
    holds private members.
    """
    if type(jwk) is not dict and not isinstance(jwk, Mapping):
        raise Malformed("a key is not a JSON object")
    if not PRIVATE_MEMBERS.isdisjoint(jwk):
        raise Refused("a public key must not come with its private part")
    crv, x, y = jwk.get("crv"), jwk.get("x"), jwk.get("y")
    form = _FORMS.get(crv) if isinstance(crv, str) else None
    if jwk.get("kty") != "EC" or form is None or not isinstance(crv, str):
        raise Malformed("unsupported key type or curve")
    if not isinstance(x, str) or not isinstance(y, str) or len(x) != form.length or len(y) != form.length:
        raise Malformed("the coordinates of the key do not have the length of its curve")
    return {"kty": "EC", "crv": crv, "x": x, "y": y}


def check_public_jwk(jwk: object) -> dict[str, str]:
    """Check a public key from outside, a parsed JSON value, and return its minimal form (`kty`, `crv`, `x`, `y`).

    Raises `Refused` when it holds private members and `Malformed` when it is not a point on a supported curve.
    """
    if not isinstance(jwk, Mapping):
        raise Malformed("a key is a JSON object")
    public = minimal_public_jwk(jwk)
    public_key_from_jwk(public)
    return public


def public_key_from_jwk(jwk: Mapping[str, Any]) -> ec.EllipticCurvePublicKey:
    """The key object for a public EC JWK. Raises `Malformed` when it is not a point on its curve."""
    if type(jwk) is not dict and not isinstance(jwk, Mapping):
        raise Malformed("a key is not a JSON object")
    crv, x_text, y_text = jwk.get("crv"), jwk.get("x"), jwk.get("y")
    form = _FORMS.get(crv) if isinstance(crv, str) and jwk.get("kty") == "EC" else None
    if form is None or not isinstance(x_text, str) or not isinstance(y_text, str):
        raise Malformed("unsupported key type or curve")
    x, y = base64url.decode(x_text), base64url.decode(y_text)
    if len(x) != form.size or len(y) != form.size:
        raise Malformed("the coordinates of the key do not have the length of its curve")
    try:
        key = serialization.load_der_public_key(form.prefix + x + y)
    except ValueError as exc:
        raise Malformed("the key is not a point on its curve") from exc
    return cast("ec.EllipticCurvePublicKey", key)


@functools.lru_cache(maxsize=256)
def known_public_key(crv: str, x: str, y: str) -> ec.EllipticCurvePublicKey:
    """As `public_key_from_jwk`, kept in a bounded cache: for issuers' keys, which come again and again."""
    return public_key_from_jwk({"kty": "EC", "crv": crv, "x": x, "y": y})


def jwk_from_public_key(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """The minimal public JWK of a key object. Raises `Malformed` for a curve outside `ALGORITHMS`."""
    for algorithm in ALGORITHMS.values():
        if algorithm.curve.name == key.curve.name:
            numbers = key.public_numbers()
            x, y = (base64url.encode(n.to_bytes(algorithm.size, "big")) for n in (numbers.x, numbers.y))
            return {"kty": "EC", "crv": algorithm.crv, "x": x, "y": y}
    raise Malformed("unsupported curve")


def save_signer(signer: SoftwareSigner, path: Path, *, passphrase: bytes) -> None:
    """Write the private key to a new file, encrypted under the passphrase, readable by its owner only.

    Raises `Refused` when the file exists: a key is never overwritten.
    """
    write_new_file(path, signer.private_pem(passphrase=passphrase), secret=True)


def write_new_file(path: Path, content: bytes, *, secret: bool) -> None:
    """Write a file that must not exist yet, whole or not at all; `secret` makes it readable by its owner only.

    It gets its name when all of it is on disk: whoever is killed before leaves neither half a file nor one beside it.
    Raises `Refused` when it exists.
    """
    mode = stat.S_IRUSR | stat.S_IWUSR if secret else stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        with _nameless_file(path, mode) as (file, source):
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            # With a directory named, `link` follows the link in /proc to the file that has no name (linkat(2)).
            os.link(source, path, src_dir_fd=directory, follow_symlinks=True)
        os.fsync(directory)
    except FileExistsError as exc:
        raise Refused(f"the file {path.name} exists already") from exc
    finally:
        os.close(directory)


@contextmanager
def _nameless_file(path: Path, mode: int) -> Iterator[tuple[BinaryIO, str]]:
    """A new file without a name in the directory of `path`, and how it is reached; beside it where there is no such
    thing."""
    try:
        handle = os.open(path.parent, os.O_WRONLY | os.O_TMPFILE, mode)
    except (AttributeError, OSError):  # No such thing on this system, or this file system.
        beside = path.resolve().with_name(f".{path.name}.{secrets.token_hex(4)}")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file, str(beside)
        finally:
            beside.unlink()
        return
    with os.fdopen(handle, "wb") as file:
        yield file, f"/proc/self/fd/{file.fileno()}"


def load_signer(key_path: Path, chain_path: Path | None, *, passphrase: bytes) -> SoftwareSigner:
    """Read a signer from its encrypted key file and, when given, the PEM file of its chain (leaf first, no root).

    Raises `Malformed` when a file cannot be read that way, `Refused` when the leaf does not certify the key.
    """
    signer = SoftwareSigner.from_pem(key_path.read_bytes(), passphrase=passphrase)
    return signer.with_chain(read_chain(chain_path.read_bytes(), signer=signer)) if chain_path else signer


def read_chain(pem: bytes, *, signer: SoftwareSigner) -> tuple[str, ...]:
    """Turn PEM certificates, leaf first, into an `x5c` value for this signer.

    A self-signed certificate at the end is left out: the root never travels. Raises `Malformed` when there is no
    certificate, `Refused` when the leaf does not certify the signer's key, when it or any other that would travel is
    self-signed, or when a certificate does not certify the one before it.
    """
    certificates = read_pem_chain(pem)
    key = public_key(certificates[0])
    if not isinstance(key, ec.EllipticCurvePublicKey) or jwk_from_public_key(key) != signer.public_jwk:
        raise Refused("the first certificate does not certify this key")
    if not all(certifies(issuer, certified) for certified, issuer in itertools.pairwise(certificates)):
        raise Refused("a certificate of the chain does not certify the one before it")
    if certificates[-1].subject == certificates[-1].issuer:
        certificates.pop()
    if not certificates or any(one.subject == one.issuer and certifies(one, one) for one in certificates):
        raise Refused("a self-signed certificate cannot stand for a key")
    return tuple(
        base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode() for certificate in certificates
    )
