"""What the store tells about a request: its state, its verdict, its checks. No value of any certificate is in here."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from proofs import strict_json
from schemas.verification import Check, Outcome, VerificationResult
from verifier.requests import Transaction
from verifier.verification import Verdict, Verification, is_genuine


class State(StrEnum):
    """Where a request stands.

    Three are never stored: `EXPIRED` is a waiting or opened request whose time is over, `WITHDRAWN` an answered one
    that the person took back, `DELETED` an answered one whose values are gone (retention date, or by wish).
    """

    WAITING = "waiting"
    OPENED = "opened"
    AWAITING_RETURN = "awaiting_return"
    ANSWERED = "answered"
    DECLINED = "declined"
    NOT_RETURNED = "not_returned"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    DELETED = "deleted"

    @property
    def is_final(self) -> bool:
        """True when no answer will come any more. An answered request may still be taken back, and its values go."""
        return self not in (State.WAITING, State.OPENED, State.AWAITING_RETURN)

    @property
    def is_answered(self) -> bool:
        """True when an answer came and counts, or did until it was taken back or deleted."""
        return self in (State.ANSWERED, State.WITHDRAWN, State.DELETED)


OPEN_STATES = (State.WAITING.value, State.OPENED.value)


class Event(StrEnum):
    """What the log knows."""

    MADE = "made"
    OPENED = "opened"
    ANSWERED = "answered"
    DECLINED = "declined"
    RETURNED = "returned"
    NOT_RETURNED = "not_returned"
    EXPIRED = "expired"
    VIEWED = "viewed"
    DELETED = "deleted"
    WITHDRAWN = "withdrawn"
    ERASURE_ASKED = "erasure_asked"
    DELETION_REFUSED = "deletion_refused"
    COPY_DELETED = "copy_deleted"
    COUNTERSIGNED = "countersigned"
    PERMITTED = "permitted"
    PERMISSION_PAUSED = "permission_paused"
    PERMISSION_RESUMED = "permission_resumed"
    PERMISSION_ENDED = "permission_ended"
    RECHECK_BEGUN = "recheck_begun"
    RECHECKED = "rechecked"


class DeletionState(StrEnum):
    """Where a deletion stands: somebody must decide, all of it is done, a part of it, or it was refused."""

    RECEIVED = "received"
    DELETED = "deleted"
    PARTLY = "partly"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ProofSummary:
    """One presentation of an answer, without what it said. `certificate` is the certificate's number in the answer.

    `status_read_at` is when the status list was read from its issuer; None when there was none, or a check failed.
    """

    query_id: str
    certificate: int
    vct: str
    issuer_name: str
    issuer: str
    valid_until: datetime | None
    status_read_at: datetime | None
    result: VerificationResult


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the log."""

    number: int
    at: datetime
    event: Event
    request_id: str
    template_name: str
    outcome: str
    detail: str
    actor: str


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A request and what became of it.

    `result`, `proofs` and `verdict` stay empty until there is an answer, and while a same-device answer waits for the
    person's browser to come back. `wallet_error` is the error code that the wallet answered with. `reference` is what
    its maker calls it, until the retention date. `is_covered`: values are kept, but nobody can read them until a wish
    to have them deleted is decided. `is_untold`: the verdict told what a value was (a yes, one of the accepted ones),
    and that value was taken back or deleted; then there is no verdict any more, nor the check that would tell it.
    """

    transaction: Transaction
    state: State
    maker: str
    reference: str
    answered_at: datetime | None
    verdict: Verdict | None
    result: VerificationResult
    proofs: tuple[ProofSummary, ...]
    wallet_error: str
    has_contents: bool
    is_covered: bool
    contents_deleted_at: datetime | None
    withdrawn_at: datetime | None
    delete_at: datetime
    changed: int
    is_untold: bool = False

    @property
    def id(self) -> str:
        """The verifier's own handle of the request."""
        return self.transaction.id

    @property
    def retention_until(self) -> date:
        """The last day on which values are kept."""
        return self.transaction.retention_until

    @property
    def is_genuine(self) -> bool:
        """Whether nothing speaks against the answer but what it says (`verifier.verification.is_genuine`)."""
        return self.verdict is not None and bool(self.result.checks) and is_genuine(self.result)

    @property
    def is_accepted(self) -> bool:
        """True only for an answer that is complete and of which everything was checked and held.

        It stays true when the values were deleted, unless it told one of them, and ends when the person takes the share
        back.
        """
        return self.state in (State.ANSWERED, State.DELETED) and self.verdict is Verdict.ACCEPTED


@dataclass(frozen=True, slots=True)
class Report:
    """Checks and proofs as they rest in the database."""

    result: VerificationResult
    proofs: tuple[ProofSummary, ...] = field(default=())

    @classmethod
    def of(cls, verification: Verification) -> "Report":
        """The report of a verification."""
        proofs = tuple(
            ProofSummary(
                query_id=one.query_id,
                certificate=one.certificate,
                vct=one.vct,
                issuer_name=one.issuer_name,
                issuer=one.issuer,
                valid_until=one.valid_until,
                status_read_at=one.status_read_at,
                result=one.result,
            )
            for one in verification.proofs
        )
        return cls(verification.result, proofs)

    def to_json(self) -> str:
        """The report as JSON text."""
        members = {
            "checks": _checks_as_json(self.result),
            "proofs": [
                {
                    "query": one.query_id,
                    "certificate": one.certificate,
                    "vct": one.vct,
                    "issuer_name": one.issuer_name,
                    "issuer": one.issuer,
                    "valid_until": _written(one.valid_until),
                    "status_read_at": _written(one.status_read_at),
                    "checks": _checks_as_json(one.result),
                }
                for one in self.proofs
            ],
        }
        return strict_json.dumps(members).decode()

    @classmethod
    def from_json(cls, text: str) -> "Report":
        """The report that `to_json` made; an empty one for an empty text."""
        if not text:
            return cls(VerificationResult())
        members = strict_json.loads_object(text)
        proofs = tuple(
            ProofSummary(
                query_id=one["query"],
                certificate=one["certificate"],
                vct=one["vct"],
                issuer_name=one["issuer_name"],
                issuer=one["issuer"],
                valid_until=_read(one["valid_until"]),
                status_read_at=_read(one["status_read_at"]),
                result=_checks_from_json(one["checks"]),
            )
            for one in members["proofs"]
        )
        return cls(_checks_from_json(members["checks"]), proofs)


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _read(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _checks_as_json(result: VerificationResult) -> list[list[str]]:
    """Each check as name, outcome, reason and detail, without the empty ones at the end."""
    return [
        [check.name, check.outcome.value, *([check.reason, check.detail] if check.reason or check.detail else [])]
        for check in result.checks
    ]


def _checks_from_json(checks: list[list[str]]) -> VerificationResult:
    return VerificationResult(tuple(Check(name, Outcome(outcome), *told) for name, outcome, *told in checks))
