"""The outcome of a verification: a list of named checks, each passed, failed or could not be checked.

result = VerificationResult(checks=(Check("signature", Outcome.PASSED, "..."), ...))
result.accepted   # True only when there is a check and every one of them passed
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What a check found out."""

    PASSED = "passed"
    FAILED = "failed"
    COULD_NOT_CHECK = "could_not_check"


@dataclass(frozen=True, slots=True)
class Check:
    """One named check.

    `name` is stable and machine readable (`signature`, `issuer_trusted`, `holder_binding`, `audience`, `nonce`, ...).
    `reason` is a machine-readable cause when the check did not pass (`revoked`, `list_unreachable`,
    `earlier_check_failed`, ...); pages turn name, outcome and reason into a sentence in the reader's language.
    `detail` is a sentence in English for a developer, without personal values.
    """

    name: str
    outcome: Outcome
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """All checks of one verification, in the order in which they were made."""

    checks: tuple[Check, ...] = field(default=())

    @property
    def accepted(self) -> bool:
        """True only if something was checked and every check passed: unknown is never accepted."""
        return bool(self.checks) and all(check.outcome is Outcome.PASSED for check in self.checks)

    @property
    def failed(self) -> list[str]:
        """Names of the checks that failed."""
        return [check.name for check in self.checks if check.outcome is Outcome.FAILED]

    @property
    def unknown(self) -> list[str]:
        """Names of the checks that could not be made."""
        return [check.name for check in self.checks if check.outcome is Outcome.COULD_NOT_CHECK]

    def merged(self, others: Iterable["VerificationResult"]) -> "VerificationResult":
        """This result with the checks of others appended."""
        return VerificationResult(self.checks + tuple(check for other in others for check in other.checks))
