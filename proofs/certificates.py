"""X.509 chains: the `x5c` header read and checked, and certified keys made, imported and kept.

A chain is what RFC 7515, section 4.1.6 says: the leaf first, every further certificate certifying the one before it,
and never the root (HAIP 1.0, sections 5 and 6.1.1). `verify_chain` follows exactly that line to an anchor the caller
names; it does not search for other paths, fetch missing certificates, or ask for revocation.

    leaf = verify_chain(header["x5c"], anchors=trust.anchors("issuer"), now=now)
    leaf.names("https://university.example")

The outcome for one chain and one set of anchors never changes except with time, so that it is kept in a bounded cache
and only the periods are compared again.
"""

import base64
import binascii
import functools
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from proofs import base64url
from proofs.certified_keys import CertifiedKey as CertifiedKey
from proofs.certified_keys import create_certified_key as create_certified_key
from proofs.certified_keys import import_certified_key as import_certified_key
from proofs.certified_keys import load_certified_key as load_certified_key
from proofs.keys import jwk_from_public_key
from schemas.errors import Malformed, Refused

MAX_CERTIFICATES = 6
MAX_CERTIFICATE_CHARACTERS = 16_000
_DER = Encoding.DER
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


class UntrustedChain(Refused):
    """The certificate chain leads to no trusted anchor, or breaks a rule on the way."""


class NoAnchor(UntrustedChain):
    """The certificate chain is well formed but leads to no anchor that the caller knows."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What the first certificate of a chain says.

    `uris`, `dns_names` (lower case) and `ip_addresses` are its subject alternative names, `subject` its subject in
    RFC 4514 form, `legal_name` the organization in it (else the common name), `sha256` the base64url SHA-256 of its
    DER form, `authority_key_ids` the base64url authority key identifiers of all certificates of the chain
    (OpenID4VP 1.0, section 6.1.1), `anchor` the DER form of the anchor the chain leads to, or None when the
    chain was not checked.
    """

    public_jwk: dict[str, str]
    uris: tuple[str, ...]
    dns_names: tuple[str, ...]
    ip_addresses: tuple[str, ...]
    subject: str
    legal_name: str
    sha256: str
    authority_key_ids: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    anchor: bytes | None

    def names(self, identifier: str) -> bool:
        """Whether the certificate speaks for an issuer identifier.

        True when the identifier equals a URI among the subject alternative names, or is an https URL whose host is
        among the DNS names (SD-JWT VC, section 2.5, as wallets in the field apply it).
        """
        if identifier in self.uris:
            return True
        try:
            parts = urlsplit(identifier)
            host = parts.hostname
        except ValueError:
            return False
        return parts.scheme == "https" and host is not None and host.lower() in self.dns_names


@dataclass(frozen=True, slots=True)
class _CheckedChain:
    leaf: Leaf
    not_before: datetime
    not_after: datetime


def verify_chain(x5c: Sequence[str], *, anchors: Sequence[bytes], now: datetime) -> Leaf:
    """Follow a chain from its leaf to one of the anchors.

    `x5c` holds standard base64 of DER certificates, leaf first; `anchors` DER certificates.

    Checks signatures, periods at `now`, that every certifying certificate may certify, path lengths, unknown critical
    extensions and weak algorithms. Does not check whom the leaf speaks for (see `Leaf.names`), nor revocation.

    Raises `Malformed` when the header is not a chain; `NoAnchor` when it leads to no anchor; `UntrustedChain` when
    the leaf is self-signed, an anchor is in the chain, or another rule is broken.
    """
    try:
        checked = _check_chain(tuple(x5c), tuple(anchors))
    except TypeError as exc:
        raise Malformed("x5c is not an array of strings") from exc
    if not checked.not_before <= now <= checked.not_after:
        raise UntrustedChain("a certificate of the chain is not valid at this time")
    return checked.leaf


def unverified_leaf(x5c: Sequence[str]) -> Leaf:
    """Read the leaf of a chain without checking anything but its form. Raises `Malformed`."""
    try:
        return _read_unverified_leaf(tuple(x5c))
    except TypeError as exc:
        raise Malformed("x5c is not an array of strings") from exc


leaf_names = unverified_leaf


@functools.lru_cache(maxsize=256)
def _read_unverified_leaf(x5c: tuple[str, ...]) -> Leaf:
    return _read_leaf(_read_chain(x5c), anchor=None)


@functools.lru_cache(maxsize=256)
def _check_chain(x5c: tuple[str, ...], anchors: tuple[bytes, ...]) -> _CheckedChain:
    """The part of `verify_chain` that does not depend on time. Only successes are kept."""
    chain = _read_chain(x5c)
    leaf = chain[0]
    if leaf.issuer == leaf.subject and _certifies(leaf, leaf):
        raise UntrustedChain("the leaf certificate is self-signed")
    anchor_certificates = [_read_certificate(der) for der in anchors]
    if any(certificate in anchor_certificates for certificate in chain):
        raise UntrustedChain("the chain contains the trust anchor")
    for certificate in chain:
        _refuse_weakness(certificate)
    for depth, (certified, certifier) in enumerate(itertools.pairwise(chain)):
        _check_certifier(certifier, intermediates_below=depth)
        if not _certifies(certifier, certified):
            raise UntrustedChain("a certificate of the chain does not certify the one before it")
    for anchor in anchor_certificates:
        if anchor.subject == chain[-1].issuer and _certifies(anchor, chain[-1]):
            _check_certifier(anchor, intermediates_below=len(chain) - 1)
            line = [*chain, anchor]
            return _CheckedChain(
                leaf=_read_leaf(chain, anchor=anchor.public_bytes(_DER)),
                not_before=max(certificate.not_valid_before_utc for certificate in line),
                not_after=min(certificate.not_valid_after_utc for certificate in line),
            )
    raise NoAnchor("the chain leads to no trusted anchor")


def _read_chain(x5c: tuple[str, ...]) -> list[x509.Certificate]:
    if not 0 < len(x5c) <= MAX_CERTIFICATES:
        raise Malformed("x5c is empty or too long")
    certificates = []
    for text in x5c:
        if not isinstance(text, str) or len(text) > MAX_CERTIFICATE_CHARACTERS:
            raise Malformed("x5c holds something that is not a certificate")
        try:
            der = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as exc:
            raise Malformed("x5c holds something that is not base64") from exc
        certificates.append(_read_certificate(der))
    return certificates


def _read_certificate(der: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        # Extensions and names are parsed on first use; ask now, so that errors come from here.
        _ = certificate.extensions, certificate.subject, certificate.issuer, certificate.signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as exc:
        raise Malformed("not an X.509 certificate that can be read") from exc
    return certificate


def _certifies(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _refuse_weakness(certificate: x509.Certificate) -> None:
    algorithm = certificate.signature_hash_algorithm
    if algorithm is not None and algorithm.name in _WEAK_HASHES:
        raise UntrustedChain("a certificate of the chain is signed with a weak algorithm")
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD_CRITICAL:
            # RFC 5280, section 4.2: what is critical and not understood makes the certificate unusable.
            raise UntrustedChain("a certificate of the chain has a critical extension that is not understood")


def _check_certifier(certificate: x509.Certificate, *, intermediates_below: int) -> None:
    """Refuse a certificate that may not certify others, or not through so many intermediates."""
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        raise UntrustedChain("a certifying certificate of the chain is not a certificate authority")
    if constraints.path_length is not None and intermediates_below > constraints.path_length:
        raise UntrustedChain("the chain is longer than its certificate authority allows")
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        raise UntrustedChain("a certifying certificate of the chain may not sign certificates")
    key = _public_key(certificate)
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < 2048:
        raise UntrustedChain("a certifying key of the chain is too short")


def _read_leaf(chain: list[x509.Certificate], *, anchor: bytes | None) -> Leaf:
    certificate = chain[0]
    key = _public_key(certificate)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Malformed("the key of the leaf certificate is not an elliptic curve key")
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        raise UntrustedChain("the key of the leaf certificate may not sign")
    names = _extension(certificate, x509.SubjectAlternativeName)
    return Leaf(
        public_jwk=jwk_from_public_key(key),
        uris=tuple(names.get_values_for_type(x509.UniformResourceIdentifier)) if names else (),
        dns_names=tuple(name.lower() for name in names.get_values_for_type(x509.DNSName)) if names else (),
        ip_addresses=tuple(str(address) for address in names.get_values_for_type(x509.IPAddress)) if names else (),
        subject=certificate.subject.rfc4514_string(),
        legal_name=subject_name(certificate),
        sha256=base64url.encode(hashlib.sha256(certificate.public_bytes(_DER)).digest()),
        authority_key_ids=tuple(
            base64url.encode(identifier.key_identifier)
            for identifier in (_extension(each, x509.AuthorityKeyIdentifier) for each in chain)
            if identifier is not None and identifier.key_identifier is not None
        ),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        anchor=anchor,
    )


def subject_name(certificate: x509.Certificate) -> str:
    """The organization of a certificate's subject, else its common name, else an empty text."""
    for oid in (x509.NameOID.ORGANIZATION_NAME, x509.NameOID.COMMON_NAME):
        for attribute in certificate.subject.get_attributes_for_oid(oid):
            return attribute.value if isinstance(attribute.value, str) else ""
    return ""


def _public_key(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise Malformed("the key of a certificate cannot be read") from exc


def _extension(certificate: x509.Certificate, kind: type[Any]) -> Any:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
