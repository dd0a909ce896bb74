"""What one verification demands and what it has found out so far, with the report that grows with it.

The steps of `proofs.verify` share a `Findings`: each notes its check as passed, failed or unknown, and leaves behind
what later steps need.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final, Literal, NamedTuple, NoReturn

from proofs.certificates import Leaf
from proofs.formats.sd_jwt import SplitSDJWT, UnverifiedSDJWT, process_disclosures
from proofs.resolve import Resolver
from proofs.trust import TrustEntry, TrustList
from schemas.errors import ProtocolError
from schemas.verification import Check, Outcome, VerificationResult

StatusPolicy = Literal["required", "if_present"]
"""`required`: a credential without status is refused. `if_present`: it is accepted as one that cannot be revoked."""

StatusSigners = Literal["same_anchor", "any_trusted"]
"""Who may sign a status list: whoever is certified under the anchor of the credential's issuer, or under the anchor
of any trusted issuer. The key that signed the credential always may (Token Status List, section 11.3)."""

CHECKS: Final = (
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
"""The checks of a presentation, in order."""

CREDENTIAL_CHECKS: Final = tuple(name for name in CHECKS if name not in ("audience", "nonce", "freshness"))
"""The checks of a credential that its holder receives."""

EARLIER: Final = "earlier_check_failed"

_PASSED: Final = {name: Check(name, Outcome.PASSED) for name in CHECKS}


class VerificationFailed(ProtocolError):
    """A check failed, or could not be made; `report` tells which.

    `unverified` is what could be read of the token, `leaf` what its certificate says; neither is verified.
    """

    error = "invalid_credential"

    def __init__(
        self, report: VerificationResult, *, unverified: UnverifiedSDJWT | None = None, leaf: Leaf | None = None
    ) -> None:
        reasons = (f"{check.name}: {check.reason}" for check in report.checks if check.reason not in ("", EARLIER))
        super().__init__(f"not verified ({', '.join(reasons)})")
        self.report = report
        self.unverified = unverified
        self.leaf = leaf

    @property
    def only_issuer_unknown(self) -> bool:
        """Whether everything was checked and passed, but that the issuer is nobody in the trust list."""
        return self.report.unknown == ["issuer_trusted"] and not self.report.failed


class TrustedIssuer(NamedTuple):
    """The issuer of a verified credential: its name as people know it, its identifier, and who vouches for it."""

    name: str
    identifier: str
    trust_entry_id: str = ""


class Expected(NamedTuple):
    """What a caller demands of a token.

    `now_seconds` is `now` as seconds since 1970; `audience` and `nonce` are None for a credential.
    """

    checks: tuple[str, ...]
    types: Collection[str] | None
    trust: TrustList
    resolver: Resolver
    now: datetime
    now_seconds: float
    skew_seconds: int
    status: StatusPolicy
    status_signers: StatusSigners
    require_expiry: bool
    algorithms: Collection[str]
    may_have_run_out: bool = False
    holder_thumbprint: str | None = None
    audience: str | None = None
    nonce: str | None = None
    max_age_seconds: int = 0


class Findings:
    """What one run has found out so far."""

    __slots__ = (
        "checks",
        "disclosure_fault",
        "expected",
        "is_open",
        "issuer",
        "leaf",
        "parts",
        "sd_jwt",
        "signing_key",
        "status",
        "trusted_by",
    )

    def __init__(self, expected: Expected) -> None:
        self.expected = expected
        self.checks: list[Check] = []
        self.is_open = False
        """Whether something could not be checked."""
        self.parts: SplitSDJWT | None = None
        self.leaf: Leaf | None = None
        self.signing_key: dict[str, str] | None = None
        self.trusted_by: TrustEntry | None = None
        self.issuer: TrustedIssuer | None = None
        self.sd_jwt: UnverifiedSDJWT | None = None
        self.disclosure_fault: ProtocolError | None = None
        self.status: int | None = None

    @property
    def report(self) -> VerificationResult:
        """The checks so far."""
        return VerificationResult(tuple(self.checks))

    def read_disclosures(self) -> None:
        """Process the disclosures, once. What is wrong with them is kept for the step that judges them."""
        if self.sd_jwt is None and self.disclosure_fault is None and self.parts is not None:
            try:
                self.sd_jwt = process_disclosures(self.parts)
            except ProtocolError as exc:
                self.disclosure_fault = exc

    def passed(self, name: str) -> None:
        """Note a check that passed."""
        self.checks.append(_PASSED[name])

    def unknown(self, name: str, reason: str, detail: object) -> None:
        """Note a check that could not be made, and go on."""
        self.is_open = True
        self.checks.append(Check(name, Outcome.COULD_NOT_CHECK, reason, str(detail)))

    def fail(self, name: str, reason: str, detail: object) -> NoReturn:
        """End the run with a failed check."""
        self.checks.append(Check(name, Outcome.FAILED, reason, str(detail)))
        self._end()

    def stop(self, name: str, reason: str, detail: object) -> NoReturn:
        """End the run with a check that could not be made and without which the others mean nothing."""
        self.unknown(name, reason, detail)
        self._end()

    def _end(self) -> NoReturn:
        for later in self.expected.checks[len(self.checks) :]:
            self.unknown(later, EARLIER, "an earlier check failed")
        self.read_disclosures()
        raise VerificationFailed(self.report, unverified=self.sd_jwt, leaf=self.leaf)
