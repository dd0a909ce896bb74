"""X.509 chains: the `x5c` header followed to an anchor. Certified keys and the reading of a leaf are offered here too.

A chain is what RFC 7515, section 4.1.6 says: the leaf first, every further certificate certifying the one before it,
and never the root (HAIP 1.0, sections 5 and 6.1.1). `verify_chain` follows exactly that line to an anchor the caller
names; it does not search for other paths, fetch missing certificates, or ask for revocation.

    leaf = verify_chain(header["x5c"], anchors=trust.anchors("issuer"), now=now)
    leaf.names("https://university.example")

The outcome for one chain and one set of anchors never changes except with time, so that it is kept in a bounded cache
and only the periods are compared again.
"""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from proofs.certificate_form import certifies, extension, public_key, read_der
from proofs.certified_keys import CertifiedKey as CertifiedKey
from proofs.certified_keys import create_certified_key as create_certified_key
from proofs.certified_keys import import_certified_key as import_certified_key
from proofs.certified_keys import load_certified_key as load_certified_key
from proofs.leaf import Leaf as Leaf
from proofs.leaf import UntrustedChain as UntrustedChain
from proofs.leaf import authority_key_id as authority_key_id
from proofs.leaf import read_chain, read_leaf
from proofs.leaf import unverified_leaf as unverified_leaf
from schemas.errors import Malformed

_WEAK_HASHES = frozenset({"md5", "sha1"})
_UNDERSTOOD_CRITICAL = frozenset(
    {
        x509.BasicConstraints.oid,
        x509.KeyUsage.oid,
        x509.ExtendedKeyUsage.oid,
        x509.SubjectAlternativeName.oid,
        x509.CertificatePolicies.oid,
    }
)


class NoAnchor(UntrustedChain):
    """The certificate chain is well formed but leads to no anchor that the caller knows."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One anchor of a chain, and when every certificate from the leaf to it is valid."""

    anchor: bytes
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class _CheckedChain:
    """A chain whose line holds to one or more anchors; `leaf` names them all."""

    leaf: Leaf
    lines: tuple[_Line, ...]


def verify_chain(x5c: Sequence[str], *, anchors: Sequence[bytes], now: datetime) -> Leaf:
    """Follow a chain from its leaf to one or more of the anchors.

    `x5c` holds standard base64 of DER certificates, leaf first; `anchors` DER certificates.

    Checks signatures, periods at `now`, that every certifying certificate may certify, path lengths, name constraints
    and unknown critical extensions (both refused), and weak algorithms. Does not check whom the leaf speaks for (see
    `Leaf.names`), nor revocation.

    Raises `Malformed` when the header is not a chain; `NoAnchor` when it leads to no anchor; `UntrustedChain` when
    the leaf is self-signed, an anchor or any other self-signed certificate is in the chain, or another rule is broken.
    """
    try:
        checked = _check_chain(tuple(x5c), tuple(anchors))
    except TypeError as exc:
        raise Malformed("x5c is not an array of strings") from exc
    valid = [line.anchor for line in checked.lines if line.not_before <= now <= line.not_after]
    if not valid:
        raise UntrustedChain("a certificate of the chain is not valid at this time")
    return checked.leaf if len(valid) == len(checked.lines) else replace(checked.leaf, anchors=tuple(valid))


@functools.lru_cache(maxsize=256)
def _check_chain(x5c: tuple[str, ...], anchors: tuple[bytes, ...]) -> _CheckedChain:
    """The part of `verify_chain` that does not depend on time. Only successes are kept."""
    chain = read_chain(x5c)
    for certificate in chain:
        if certificate.issuer == certificate.subject and certifies(certificate, certificate):
            # Whoever signs for itself is an anchor, known to us or not; none belongs into a chain.
            raise UntrustedChain("the chain contains a self-signed certificate")
        if certificate.public_bytes(Encoding.DER) in anchors:
            raise UntrustedChain("the chain contains the trust anchor")
        _refuse_weakness(certificate)
    for depth, (certified, certifier) in enumerate(itertools.pairwise(chain)):
        _check_certifier(certifier, intermediates_below=depth)
        if not certifies(certifier, certified):
            raise UntrustedChain("a certificate of the chain does not certify the one before it")
    lines = _lines_to_anchors(chain, anchors)
    leaf = read_leaf(chain, anchors=tuple(line.anchor for line in lines))
    return _CheckedChain(leaf, lines)


def _lines_to_anchors(chain: list[x509.Certificate], anchors: tuple[bytes, ...]) -> tuple[_Line, ...]:
    """Every anchor that certifies the end of the chain and may do so: more than one when an authority's was renewed."""
    lines, refusal = [], NoAnchor("the chain leads to no trusted anchor")
    for anchor in _by_subject(anchors).get(chain[-1].issuer, ()):
        if not certifies(anchor, chain[-1]):
            continue
        try:
            _check_certifier(anchor, intermediates_below=len(chain) - 1)
        except UntrustedChain as exc:
            refusal = exc  # type: ignore[assignment]  # The more telling one.
            continue
        lines.append(
            _Line(
                anchor=anchor.public_bytes(Encoding.DER),
                not_before=max(certificate.not_valid_before_utc for certificate in (*chain, anchor)),
                not_after=min(certificate.not_valid_after_utc for certificate in (*chain, anchor)),
            )
        )
    if not lines:
        raise refusal
    return tuple(lines)


@functools.lru_cache(maxsize=16)
def _by_subject(anchors: tuple[bytes, ...]) -> dict[x509.Name, list[x509.Certificate]]:
    """Anchors by their subject, read once: a stranger's chain must not make us read a long list again and again."""
    found: dict[x509.Name, list[x509.Certificate]] = {}
    for der in anchors:
        certificate = read_der(der)
        found.setdefault(certificate.subject, []).append(certificate)
    return found


def _refuse_weakness(certificate: x509.Certificate) -> None:
    algorithm = certificate.signature_hash_algorithm
    if algorithm is not None and algorithm.name in _WEAK_HASHES:
        raise UntrustedChain("a certificate of the chain is signed with a weak algorithm")
    for each in certificate.extensions:
        if each.critical and each.oid not in _UNDERSTOOD_CRITICAL:
            # RFC 5280, section 4.2: what is critical and not understood makes the certificate unusable.
            raise UntrustedChain("a certificate of the chain has a critical extension that is not understood")


def _check_certifier(certificate: x509.Certificate, *, intermediates_below: int) -> None:
    """Refuse a certificate that may not certify others, or not through so many intermediates, or not every name."""
    constraints = extension(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        raise UntrustedChain("a certifying certificate of the chain is not a certificate authority")
    if constraints.path_length is not None and intermediates_below > constraints.path_length:
        raise UntrustedChain("the chain is longer than its certificate authority allows")
    usage = extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        raise UntrustedChain("a certifying certificate of the chain may not sign certificates")
    if extension(certificate, x509.NameConstraints) is not None:
        # Critical or not, in an anchor as well: passing over it would let the authority speak for everybody.
        raise UntrustedChain("a certificate authority of the chain is limited to certain names, which is not supported")
    if not _is_strong(public_key(certificate)):
        raise UntrustedChain("a certifying key of the chain is too weak")


def _is_strong(key: object) -> bool:
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= 2048
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.key_size >= 256
    return isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey)
