"""stub"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from proofs.certificates import Leaf
from proofs.formats.sd_jwt import UnverifiedSDJWT
from proofs.resolve import Resolver
from proofs.trust import TrustList
from schemas.errors import ProtocolError
from schemas.verification import VerificationResult

StatusPolicy = Literal["required", "if_present"]
CHECKS = (
    "form",
    "signature",
    "issuer_trusted",
    "type",
    "holder_binding",
    "audience",
    "nonce",
    "freshness",
    "disclosures",
    "dates",
    "status",
)


class VerificationFailed(ProtocolError):
    """A check failed, or could not be made; `report` tells which."""

    def __init__(
        self, report: VerificationResult, *, unverified: UnverifiedSDJWT | None = None, leaf: Leaf | None = None
    ) -> None:
        super().__init__("a check failed or could not be made")
        self.report = report
        self.unverified = unverified
        self.leaf = leaf


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    name: str
    identifier: str


@dataclass(frozen=True, slots=True)
class VerifiedCredential:
    token: str
    claims: Mapping[str, Any]
    vct: str
    issuer: TrustedIssuer
    holder_thumbprint: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    status: int | None
    report: VerificationResult
    sd_jwt: UnverifiedSDJWT


@dataclass(frozen=True, slots=True)
class VerifiedPresentation(VerifiedCredential):
    pass


async def verify_credential(
    token: str,
    *,
    expected_type: str | None,
    expected_holder_thumbprint: str | None,
    trust: TrustList,
    resolver: Resolver,
    now: datetime,
    status: StatusPolicy,
    skew_seconds: int = 60,
) -> VerifiedCredential:
    raise NotImplementedError


async def verify_presentation(
    token: str,
    *,
    expected_audience: str,
    expected_nonce: str,
    expected_types: Collection[str] | None,
    trust: TrustList,
    resolver: Resolver,
    now: datetime,
    status: StatusPolicy,
    max_age_seconds: int = 300,
    skew_seconds: int = 60,
) -> VerifiedPresentation:
    raise NotImplementedError
