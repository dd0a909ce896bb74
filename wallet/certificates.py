"""What a vault holds: certificates, and the one-time copies that each of them consists of.

An issuer gives a certificate as a batch of copies. They say the same, but differ in key, salts and status index, so
that two recipients who compare notes cannot tell that they met the same person. A copy is shown once and then kept only
to be read. `StoredCertificate` is the logical certificate, the one that a person sees.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from proofs.formats.sd_jwt import UnverifiedSDJWT
from schemas.errors import Refused
from schemas.verification import VerificationResult


class NoCopiesLeft(Refused):
    """Every one-time copy of this certificate has been shown."""

    error = "no_copies_left"


class UnknownCertificate(Refused):
    """This vault holds no such certificate."""

    error = "unknown_certificate"
    status = 404


@dataclass(frozen=True, slots=True)
class NewCopy:
    """A copy as received, before it is stored. A copy that is bound to no key has an empty one."""

    token: str = field(repr=False)
    key_private_jwk: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewCertificate:
    """A certificate that was examined and may be stored: its view and its copies."""

    view: Mapping[str, Any]
    copies: tuple[NewCopy, ...]


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy, taken out of the vault to be shown: its bytes as received, and the private key that it is bound to."""

    id: str
    certificate_id: str
    token: str
    key_private_jwk: Mapping[str, str] = field(repr=False)
    used_before: bool = False


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """One certificate in an unlocked vault.

    `claims` are all claims, processed: everything that the holder could disclose. `token` is one of its copies as
    received, the one that would be shown next, and `sd_jwt` its parsed form (verified on arrival). `report` is the
    outcome of the last verification and `checked_at` its time; `status` is one of "valid", "revoked", "suspended",
    "unknown" (it could not be found out) and "none" (the issuer publishes no status). `status_since` is when a look
    found this status first; None while it is that of the arrival.
    `issuer_name` is the name from the trust list when the issuer is trusted, else what the issuer says of itself.
    `judged_under` marks whom this wallet trusted when `issuer_trusted` was found (`wallet.trusted.judged_under`).
    `display` is the issuer's `credential_metadata` (OpenID4VCI 12.2.4), untrusted text.
    """

    id: str
    format: str
    vct: str
    type_chain: tuple[str, ...]
    issuer_identifier: str
    issuer_name: str
    issuer_trusted: bool
    received_at: datetime
    valid_from: datetime | None
    valid_until: datetime | None
    copies_left: int
    copies_total: int
    claims: Mapping[str, Any] = field(repr=False)
    token: str = field(repr=False)
    sd_jwt: UnverifiedSDJWT = field(repr=False)
    report: VerificationResult
    checked_at: datetime
    status: str
    status_uri: str | None
    display: Mapping[str, Any]
    issuer_display: tuple[Mapping[str, Any], ...]
    collected_from: str
    version: int
    renewal: Mapping[str, Any] | None = field(default=None, repr=False)
    """How fresh copies are asked for (`wallet.renewal`); None when they cannot be."""
    renewal_tried_at: datetime | None = None
    judged_under: str = ""
    status_since: datetime | None = None

    @property
    def holder_bound(self) -> bool:
        """Whether only the holder of its key can show it; whoever is given an unbound certificate can pass it on."""
        return "cnf" in self.claims

    def is_expired(self, *, at: datetime) -> bool:
        """True when the end of its validity has passed."""
        return self.valid_until is not None and at >= self.valid_until
