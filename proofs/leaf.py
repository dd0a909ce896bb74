"""The first certificate of a chain, read: whose key it certifies, and for which names.

    leaf = unverified_leaf(header["x5c"])
    leaf.names("https://university.example")

What is read here is a stranger's word until `proofs.certificates.verify_chain` has followed the chain.
"""

import base64
import binascii
import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from proofs import base64url
from proofs.certificate_form import extension, public_key, read_der, subject_name
from proofs.identifiers import host_of
from proofs.keys import jwk_from_public_key
from schemas.errors import Malformed, Refused

MAX_CERTIFICATES = 6
MAX_CERTIFICATE_CHARACTERS = 16_000


class UntrustedChain(Refused):
    """The certificate chain leads to no trusted anchor, or breaks a rule on the way."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What the first certificate of a chain says.

    `uris`, `dns_names` (lower case) and `ip_addresses` are its subject alternative names, `subject` its subject in
    RFC 4514 form, `legal_name` the organization in it (else the common name), `organization_identifier` the identifier
    in it (ETSI EN 319 412-1), `sha256` the base64url SHA-256 of its DER form, `authority_key_ids` the base64url
    authority key identifiers of all certificates of the chain (OpenID4VP 1.0, section 6.1.1), `anchors` the DER forms
    of the anchors the chain leads to: none when the chain was not checked, several when an authority renewed its
    certificate.
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
    anchors: tuple[bytes, ...]
    organization_identifier: str = ""

    @property
    def anchor(self) -> bytes | None:
        """An anchor the chain leads to, in DER form, or None."""
        return self.anchors[0] if self.anchors else None

    def names(self, identifier: str) -> bool:
        """Whether the certificate speaks for an issuer identifier.

        True when the identifier equals a URI among the subject alternative names, or is an https URL whose host is
        among the DNS names (SD-JWT VC, section 2.5, as wallets in the field apply it). A wildcard names no host here.
        """
        return identifier in self.uris or host_of(identifier, schemes=("https",)) in self.dns_names


def unverified_leaf(x5c: Sequence[str]) -> Leaf:
    """Read the leaf of a chain without checking anything but its form.

    Raises `Malformed`, and `UntrustedChain` when the leaf's key may not sign.
    """
    try:
        return _read_unverified_leaf(tuple(x5c))
    except TypeError as exc:
        raise Malformed("x5c is not an array of strings") from exc


@functools.lru_cache(maxsize=256)
def _read_unverified_leaf(x5c: tuple[str, ...]) -> Leaf:
    return read_leaf(read_chain(x5c), anchors=())


def read_chain(x5c: tuple[str, ...]) -> list[x509.Certificate]:
    """Read the certificates of an `x5c` header. Raises `Malformed`."""
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
        certificates.append(read_der(der))
    return certificates


def read_leaf(chain: Sequence[x509.Certificate], *, anchors: tuple[bytes, ...]) -> Leaf:
    """What the first certificate of a chain says. Raises `Malformed`, or `UntrustedChain` when its key may not sign."""
    certificate = chain[0]
    key = public_key(certificate)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Malformed("the key of the leaf certificate is not an elliptic curve key")
    usage = extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        raise UntrustedChain("the key of the leaf certificate may not sign")
    names = extension(certificate, x509.SubjectAlternativeName)
    return Leaf(
        public_jwk=jwk_from_public_key(key),
        uris=tuple(names.get_values_for_type(x509.UniformResourceIdentifier)) if names else (),
        dns_names=tuple(name.lower() for name in names.get_values_for_type(x509.DNSName)) if names else (),
        ip_addresses=tuple(str(address) for address in names.get_values_for_type(x509.IPAddress)) if names else (),
        subject=certificate.subject.rfc4514_string(),
        legal_name=subject_name(certificate),
        sha256=base64url.encode(hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()),
        authority_key_ids=tuple(
            base64url.encode(identifier.key_identifier)
            for identifier in (extension(each, x509.AuthorityKeyIdentifier) for each in chain)
            if identifier is not None and identifier.key_identifier is not None
        ),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        anchors=anchors,
        organization_identifier=next(
            (
                str(attribute.value)
                for attribute in certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_IDENTIFIER)
            ),
            "",
        ),
    )


def authority_key_id(anchor: bytes) -> str:
    """How what an authority certifies names it: its key identifier, base64url (OpenID4VP 1.0, section 6.1.1.1).

    `anchor` is its certificate in DER form. One that names no key identifier for itself is taken to use the SHA-1 of
    its key, the usual one (RFC 5280, section 4.2.1.2). Raises `Malformed`.
    """
    certificate = read_der(anchor)
    named = extension(certificate, x509.SubjectKeyIdentifier)
    return base64url.encode((named or x509.SubjectKeyIdentifier.from_public_key(certificate.public_key())).digest)


def certificate_digests(x5c: Sequence[str]) -> tuple[str, ...]:
    """The base64url SHA-256 of every certificate of a chain, its leaf first. Raises `Malformed`."""
    chain = read_chain(tuple(x5c))
    return tuple(base64url.encode(hashlib.sha256(each.public_bytes(Encoding.DER)).digest()) for each in chain)
