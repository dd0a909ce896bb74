"""The people of the proof tests: a university that issues, a holder who shows, an employer who checks.

`Cast` makes sound tokens, and lets a test break exactly one thing: whatever a test forges is signed again by the
right key, so that only the check under test can object.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from proofs import base64url, jose
from proofs.certificates import CertifiedKey, create_certified_key
from proofs.formats.sd_jwt import parse_sd_jwt, plan_disclosures, select_disclosures
from proofs.formats.sd_jwt_vc import build_presentation, issue_sd_jwt_vc
from proofs.keys import Signer, SoftwareSigner, generate_signer
from proofs.resolve import DictResolver, Resolver
from proofs.status_list import make_status_list_token, new_status_list, set_status
from proofs.trust import TrustEntry, TrustList, entry_from_anchor
from proofs.verify import VerificationFailed, VerifiedCredential, VerifiedPresentation
from proofs.verify import verify_credential as verify_received
from proofs.verify import verify_presentation as verify_shown
from schemas.verification import VerificationResult

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
UNIVERSITY = "https://university.example"
EMPLOYER = "x509_hash:employer"
NONCE = "n" * 43
STATUS_URI = f"{UNIVERSITY}/status/1"
VCT = "urn:intyga:credential:micro-credential:1"

CLAIMS: dict[str, Any] = {
    "iss": UNIVERSITY,
    "vct": VCT,
    "iat": int(NOW.timestamp()) - 3600,
    "exp": int((NOW + timedelta(days=365)).timestamp()),
    "status": {"status_list": {"idx": 7, "uri": STATUS_URI}},
    "given_name": "Majken",
    "family_name": "Exempelsson",
    "courses": [{"title": "Kemi", "grade": "VG"}, {"title": "Fysik", "grade": "G"}],
}
PLAN = plan_disclosures([("given_name",), ("family_name",), ("courses", None), ("courses", None, "grade")])
EVERYTHING: tuple[tuple[str | int, ...], ...] = (
    ("given_name",),
    ("family_name",),
    ("courses", 0, "grade"),
    ("courses", 1, "grade"),
)


@dataclass
class Cast:
    """Keys, trust and status of one test."""

    university: CertifiedKey
    holder: SoftwareSigner
    trust: TrustList
    statuses: bytearray = field(default_factory=lambda: new_status_list(64, bits=2))

    @property
    def issuer(self) -> SoftwareSigner:
        """The university's key."""
        return self.university.signer

    def resolver(self, **changes: Any) -> DictResolver:
        """A resolver that has the university's status list."""
        return DictResolver(**{"status_lists": {STATUS_URI: self.status_token()}, **changes})

    def status_token(self, *, signer: Signer | None = None, uri: str = STATUS_URI, issued_at: datetime = NOW) -> str:
        """The university's status list as it stands."""
        return make_status_list_token(
            statuses=self.statuses,
            bits=2,
            uri=uri,
            signer=signer or self.issuer,
            issued_at=issued_at,
            expires_at=issued_at + timedelta(hours=24),
            ttl_seconds=300,
        )

    def set_status(self, value: int, *, index: int = 7) -> None:
        """Revoke or suspend."""
        set_status(self.statuses, index, value, bits=2)

    def issue(self, *, signer: Signer | None = None, leave_out: Collection[str] = (), **changes: Any) -> str:
        """A credential for the holder, with some claims changed or left out."""
        claims = {name: value for name, value in {**CLAIMS, **changes}.items() if name not in leave_out}
        return issue_sd_jwt_vc(
            claims, disclosable=PLAN, signer=signer or self.issuer, holder_jwk=self.holder.public_jwk
        )

    def forge(
        self,
        payload: Mapping[str, Any],
        disclosures: Sequence[str] = (),
        *,
        typ: str = "dc+sd-jwt",
        header: Mapping[str, Any] | None = None,
        signer: Signer | None = None,
    ) -> str:
        """An SD-JWT with any payload and disclosures, soundly signed by the university; `cnf` and dates are added."""
        key = signer or self.issuer
        whole = {**BASE, "cnf": {"jwk": self.holder.public_jwk}, **payload}
        head = jose.certificate_header(key) if header is None else header
        return "~".join((jose.sign_jws(whole, signer=key, typ=typ, header=head), *disclosures, ""))

    def show(self, token: str, paths: Iterable[tuple[str | int, ...]] = EVERYTHING, **changes: Any) -> str:
        """A presentation for the employer by the product's own code."""
        return build_presentation(
            token,
            disclosures=select_disclosures(parse_sd_jwt(token), paths),
            **{"signer": self.holder, "audience": EMPLOYER, "nonce": NONCE, "now": NOW, **changes},
        )

    def bind(
        self,
        token: str,
        *,
        typ: str = "kb+jwt",
        signer: Signer | None = None,
        header: Mapping[str, Any] | None = None,
        leave_out: str = "",
        **changes: Any,
    ) -> str:
        """Add a soundly signed key binding to any SD-JWT, with some of its claims changed."""
        claims = {
            "iat": int(NOW.timestamp()),
            "aud": EMPLOYER,
            "nonce": NONCE,
            "sd_hash": digest(token),
            **changes,
        }
        claims.pop(leave_out, None)
        return token + jose.sign_jws(claims, signer=signer or self.holder, typ=typ, header=header or {})

    def verify(self, presentation: str, **changes: Any) -> VerifiedPresentation:
        """What the employer's check makes of a presentation."""
        return asyncio.run(
            verify_shown(
                presentation,
                **{
                    "expected_audience": EMPLOYER,
                    "expected_nonce": NONCE,
                    "expected_types": None,
                    "trust": self.trust,
                    "resolver": self.resolver(),
                    "now": NOW,
                    "status": "if_present",
                    **changes,
                },
            )
        )

    def receive(self, token: str, **changes: Any) -> VerifiedCredential:
        """What the wallet's check on arrival makes of a credential."""
        return asyncio.run(
            verify_received(
                token,
                **{
                    "expected_type": VCT,
                    "expected_holder_thumbprint": self.holder.kid,
                    "trust": self.trust,
                    "resolver": self.resolver(),
                    "now": NOW,
                    "status": "if_present",
                    **changes,
                },
            )
        )

    def refusal(self, presentation: str, **changes: Any) -> VerificationFailed:
        """The employer's refusal of a presentation, which must be one."""
        return _refusal(lambda: self.verify(presentation, **changes))

    def refusal_on_arrival(self, token: str, **changes: Any) -> VerificationFailed:
        """The wallet's refusal of a credential, which must be one."""
        return _refusal(lambda: self.receive(token, **changes))


BASE: dict[str, Any] = {"iss": UNIVERSITY, "vct": VCT, "exp": CLAIMS["exp"]}


def _refusal(attempt: Any) -> VerificationFailed:
    try:
        attempt()
    except VerificationFailed as exc:
        return exc
    raise AssertionError("this was accepted")


def failed(refusal: VerificationFailed) -> tuple[list[str], str]:
    """The names of the failed checks, and the reason of the first."""
    return refusal.report.failed, reason_of(refusal.report, refusal.report.failed[0])


def reason_of(report: VerificationResult, name: str) -> str:
    """The reason of one check."""
    return next(check.reason for check in report.checks if check.name == name)


def make_cast(directory: Path) -> Cast:
    """A university with a certified key, a holder, and an employer who trusts the university's root."""
    university = certified(directory, "university", UNIVERSITY)
    return Cast(university, generate_signer(), TrustList((trusting(university),)))


def certified(directory: Path, name: str, url: str, *, now: datetime = NOW) -> CertifiedKey:
    """A certified key for an address, made an hour before `now`."""
    return create_certified_key(
        directory, name=name, common_name=name.title(), public_url=url, passphrase=b"test", now=now
    )


def certified_by_itself(url: str = "https://alone.example") -> SoftwareSigner:
    """A signer whose only certificate is signed by itself."""
    signer = generate_signer()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Alone")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(signer.private_key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(url)]), critical=False)
        .sign(signer.private_key, hashes.SHA256())
    )
    return signer.with_chain((base64.b64encode(certificate.public_bytes(Encoding.DER)).decode(),))


def trusting(key: CertifiedKey, **changes: Any) -> TrustEntry:
    """Trust in the root of a certified key."""
    assert key.root_file is not None
    return entry_from_anchor(key.root_file.read_bytes(), **{"name": None, "role": "issuer", **changes})


def disclosure(*content: Any) -> str:
    """A disclosure in the whitespace of the RFC's examples, so that re-encoding it would change it."""
    return base64url.encode(json.dumps(list(content)).encode())


def digest(text: str, name: str = "sha256") -> str:
    """The digest of a text as RFC 9901 takes it."""
    return base64url.encode(hashlib.new(name, text.encode()).digest())


def change_jws(token: str, *, header: Mapping[str, Any] | None = None, payload: bytes | None = None) -> str:
    """Change parts of a compact JWS without signing it again."""
    parts = token.split(".")
    if header is not None:
        old = json.loads(base64url.decode(parts[0]))
        parts[0] = base64url.encode(json.dumps({**old, **header}).encode())
    if payload is not None:
        parts[1] = base64url.encode(payload)
    return ".".join(parts)


def raw_jws(header: bytes, payload: bytes, signer: Signer) -> str:
    """A JWS over exactly these header bytes, soundly signed."""
    signing_input = f"{base64url.encode(header)}.{base64url.encode(payload)}"
    return f"{signing_input}.{base64url.encode(signer.sign(signing_input.encode()))}"


def resolver_with(cast: Cast, token: str) -> Resolver:
    """A resolver whose status list is another token."""
    return cast.resolver(status_lists={STATUS_URI: token})
