"""ECDSA as JOSE writes it (RFC 7518, section 3.4): the algorithms, and the two forms of a signature.

Which of the algorithms a check accepts is always an argument of that check, never what an incoming token says.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature as _InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A signature algorithm: its JOSE name, its curve, its hash and the size of one coordinate in bytes.

    Data is hashed here and the digest given to `ecdsa`, which is faster than letting the library hash it.
    """

    name: str
    crv: str
    curve: ec.EllipticCurve
    new_hash: Callable[[bytes], "hashlib._Hash"]
    ecdsa: ec.ECDSA
    size: int


ALGORITHMS: dict[str, Algorithm] = {
    row.name: row
    for row in (
        Algorithm("ES256", "P-256", ec.SECP256R1(), hashlib.sha256, ec.ECDSA(Prehashed(hashes.SHA256())), 32),
        Algorithm("ES384", "P-384", ec.SECP384R1(), hashlib.sha384, ec.ECDSA(Prehashed(hashes.SHA384())), 48),
        Algorithm("ES512", "P-521", ec.SECP521R1(), hashlib.sha512, ec.ECDSA(Prehashed(hashes.SHA512())), 66),
    )
}
"""Every signature algorithm that can be checked. There is no `none` and no HMAC to choose."""

DEFAULT_ALGORITHMS: frozenset[str] = frozenset({"ES256"})
"""What checks accept unless a deployment says otherwise."""


def signature_holds(key: ec.EllipticCurvePublicKey, *, alg: str, signature: bytes, data: bytes) -> bool:
    """Whether `signature` (`r || s`) over `data` was made by the private half of `key` with algorithm `alg`.

    False as well when the key's curve is not the algorithm's (RFC 7518, section 3.4).
    """
    algorithm = ALGORITHMS[alg]
    if key.curve.name != algorithm.curve.name or len(signature) != 2 * algorithm.size:
        return False
    try:
        key.verify(der_from_raw(signature), algorithm.new_hash(data).digest(), algorithm.ecdsa)
    except _InvalidSignature:
        return False
    return True


def raw_from_der(der: bytes, size: int) -> bytes:
    """Turn a DER ECDSA signature, as our own library makes it, into `r || s` of `size` bytes each."""
    offset = 2 if der[1] < 0x80 else 3  # Only P-521 signatures need the longer length.
    r_end = offset + 2 + der[offset + 1]
    r = der[offset + 2 : r_end].lstrip(b"\0")
    s = der[r_end + 2 :].lstrip(b"\0")
    return r.rjust(size, b"\0") + s.rjust(size, b"\0")


def der_from_raw(signature: bytes) -> bytes:
    """Turn `r || s` into the DER form that the library verifies: a sequence of two integers."""
    half = len(signature) // 2
    r, s = signature[:half].lstrip(b"\0"), signature[half:].lstrip(b"\0")
    if not r or r[0] > 0x7F:
        r = b"\0" + r
    if not s or s[0] > 0x7F:
        s = b"\0" + s
    length = len(r) + len(s) + 4
    if length > 0x7F:  # Only P-521 signatures need the longer length.
        return b"\x30\x81%c\x02%c%b\x02%c%b" % (length, len(r), r, len(s), s)
    return b"\x30%c\x02%c%b\x02%c%b" % (length, len(r), r, len(s), s)
