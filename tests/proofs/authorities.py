"""Certificate authorities of the tests, whose rules can be broken one by one."""

import base64
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from proofs.certificates import Leaf, verify_chain
from proofs.keys import SoftwareSigner, generate_signer
from tests.proofs.cast import NOW


class Authority:
    """A certificate authority whose rules can be broken."""

    def __init__(
        self,
        name: str = "Root",
        issuer: "Authority | None" = None,
        *,
        ca: bool = True,
        path_length: int | None = None,
        cert_sign: bool = True,
        until: timedelta = timedelta(days=10),
        signer: SoftwareSigner | None = None,
        limited_to: str = "",
    ) -> None:
        self.signer = signer or generate_signer()
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        signing = issuer or self
        builder = (
            self._builder(self.signer, self.name, signing.name, until)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length if ca else None), critical=True)
            .add_extension(_usage(cert_sign=cert_sign), critical=True)
        )
        if limited_to:
            builder = builder.add_extension(x509.NameConstraints([x509.DNSName(limited_to)], None), critical=False)
        self.certificate = builder.sign(signing.signer.private_key, hashes.SHA256())

    @property
    def der(self) -> bytes:
        """The certificate in DER form."""
        return self.certificate.public_bytes(Encoding.DER)

    def certify(
        self,
        *names: x509.GeneralName,
        until: timedelta = timedelta(days=5),
        critical: bool = False,
        sign: bool = True,
        signer: SoftwareSigner | None = None,
    ) -> x509.Certificate:
        """A leaf under this authority."""
        leaf = signer or generate_signer()
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Leaf")])
        builder = self._builder(leaf, name, self.name, until).add_extension(
            x509.SubjectAlternativeName(names or [x509.DNSName("Leaf.Example")]), critical=False
        )
        if critical:
            builder = builder.add_extension(x509.NameConstraints([x509.DNSName("other.example")], None), critical=True)
        if not sign:
            builder = builder.add_extension(_usage(cert_sign=True), critical=True)
        return builder.sign(self.signer.private_key, hashes.SHA256())

    @staticmethod
    def _builder(
        signer: SoftwareSigner, subject: x509.Name, issuer: x509.Name, until: timedelta
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(signer.private_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=1))
            .not_valid_after(NOW + until)
        )


def _usage(*, cert_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not cert_sign, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=cert_sign, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def x5c(*certificates: x509.Certificate) -> tuple[str, ...]:
    """Certificates as in a JOSE header."""
    return tuple(base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in certificates)


def follow(chain: tuple[str, ...], *roots: Authority, now: datetime = NOW) -> Leaf:
    """Check a chain against authorities."""
    return verify_chain(chain, anchors=[root.der for root in roots], now=now)
