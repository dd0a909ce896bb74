"""What the recipient has registered to ask for, as far as its registration certificate shows."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from proofs.request_object import AuthenticatedRequest
from proofs.trust import TrustList
from schemas.dcql import ClaimsPath, Query
from schemas.presentation import AuthorizationRequest


class RegistrationOutcome(StrEnum):
    """What the check of a registration certificate came to. Could not check is never covered."""

    COVERED = "covered"
    EXCEEDED = "exceeded"
    UNKNOWN = "unknown"
    FAILED = "failed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Registration:
    """The outcome, and what is asked beyond it: the types that would do and the path."""

    outcome: RegistrationOutcome
    beyond: tuple[tuple[tuple[str, ...], ClaimsPath], ...] = ()
    identifier: str = ""
    chain: tuple[str, ...] = ()


def read_registration(
    request: AuthorizationRequest, query: Query, *, sender: AuthenticatedRequest, trust: TrustList, now: datetime
) -> Registration:
    """What the registration certificate of a request shows."""
    if not any(info.format == "registration_cert" for info in request.verifier_info):
        return Registration(RegistrationOutcome.MISSING)
    return Registration(RegistrationOutcome.UNKNOWN)
