"""X.509 certificates read from DER or PEM: whole, at once, and with no errors but ours.

The library reads names and extensions when they are first asked for, and has several kinds of errors and warnings for
what is wrong with them. Everything is asked for here, so that a certificate that was read can be used.
"""

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from schemas.errors import Malformed

Loaded = TypeVar("Loaded", x509.Certificate, list[x509.Certificate])

_ERRORS = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


def read_der(der: bytes) -> x509.Certificate:
    """Read a certificate in DER form. Raises `Malformed`."""
    return _read(x509.load_der_x509_certificate, der)


def read_pem(pem: str) -> x509.Certificate:
    """Read the first certificate of a PEM text. Raises `Malformed`."""
    return _read(x509.load_pem_x509_certificate, pem.encode("utf-8", "replace"))


def read_pem_chain(pem: bytes) -> list[x509.Certificate]:
    """Read every certificate of a PEM text, at least one. Raises `Malformed`."""
    return _read(x509.load_pem_x509_certificates, pem)


def read_pem_anchors(pem: bytes) -> tuple[bytes, ...]:
    """The certificates of a PEM file in DER form, to trust as anchors. Raises `Malformed`."""
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in read_pem_chain(pem))


def _read(load: Callable[[bytes], Loaded], data: bytes) -> Loaded:
    try:
        with warnings.catch_warnings():
            # A stranger's oddities (a serial number of zero, a long country name) are not worth a line in our log.
            warnings.simplefilter("ignore")
            loaded = load(data)
            for each in loaded if isinstance(loaded, list) else [loaded]:
                _ = each.extensions, each.subject, each.issuer, each.signature_hash_algorithm
                _ = each.not_valid_before_utc, each.not_valid_after_utc
    except _ERRORS as exc:
        raise Malformed("not an X.509 certificate that can be read") from exc
    return loaded


def certifies(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether the key of `issuer` signed `certificate`, in its name. Not whether it may."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def public_key(certificate: x509.Certificate) -> object:
    """The key that a certificate certifies. Raises `Malformed` when it cannot be read."""
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise Malformed("the key of a certificate cannot be read") from exc


def extension(certificate: x509.Certificate, kind: type[Any]) -> Any:
    """The value of an extension, or None."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def subject_name(certificate: x509.Certificate) -> str:
    """The organization of a certificate's subject, else its common name, else an empty text."""
    for oid in (x509.NameOID.ORGANIZATION_NAME, x509.NameOID.COMMON_NAME):
        for attribute in certificate.subject.get_attributes_for_oid(oid):
            return attribute.value if isinstance(attribute.value, str) else ""
    return ""
