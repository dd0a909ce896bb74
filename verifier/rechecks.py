"""Later checks under a standing permission, as far as no database is needed: what one comes to, and what is stated.

    outcome = await check_again(kept, transaction=transaction, answered_at=..., policy=..., resolver=..., now=now)
    permission_statement(permission, transaction, answers=jti, signer=signer, now=now)

A check reads one thing: whether the issuer still vouches for what was shown. The presentation that is kept goes through
the numbered procedure once more, so that an issuer whom nobody trusts any more, or a certificate whose time is over,
does not pass either. No value is asked of anybody, and none comes.

Source: docs/standing-permission.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from proofs.after_share import sign_recipient_message
from proofs.keys import Signer
from proofs.resolve import Resolver
from schemas.errors import ProtocolError
from schemas.standing_permission import (
    PERMISSION_STATE_TYPE,
    EndReason,
    PermissionAct,
    PermissionState,
    RecheckOutcome,
    StatedCheck,
    StatedPermission,
)
from schemas.verification import Outcome, VerificationResult
from schemas.withdrawal import StatedItem
from verifier.disclosed import KeptPresentation
from verifier.policies import Policy
from verifier.requests import Transaction
from verifier.verification import verify_one

_GRAVEST_FIRST = (
    RecheckOutcome.REVOKED,
    RecheckOutcome.SUSPENDED,
    RecheckOutcome.NOT_VALID,
    RecheckOutcome.EXPIRED,
    RecheckOutcome.COULD_NOT_CHECK,
    RecheckOutcome.VALID,
)


class NotOffered(ProtocolError):
    """What is granted is not what was offered: another purpose, a later day, or nothing was offered at all."""

    error = "not_offered"


class NoPermission(ProtocolError):
    """There is no permission that could be paused or resumed."""

    error = "no_permission"
    status = 409


_WHY_NOT: Final = {
    "none": "the person has not allowed later checks",
    "paused": "the person has paused the later checks",
    "ended": "the permission is over",
    "deleted": "what was shared is deleted, or shall be",
    "too_soon": "it is too soon after the last check",
}


class RecheckNotPermitted(ProtocolError):
    """No check may be made now; `reason` says why.

    It is `none`, `paused`, `ended`, `deleted` (what was shared is gone, or its deletion waits) or `too_soon`.
    """

    error = "recheck_not_permitted"
    status = 409

    def __init__(self, reason: str) -> None:
        super().__init__(f"{_WHY_NOT[reason]} ({reason})")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Recheck:
    """One use of a permission. `outcome` is None while it is under way; `actor` is who began it."""

    number: int
    at: datetime
    outcome: RecheckOutcome | None
    actor: str


@dataclass(frozen=True, slots=True)
class Permission:
    """A standing permission as it stands now. `next_at` is the earliest moment of the next check."""

    request_id: str
    state: PermissionState
    items: tuple[StatedItem, ...]
    until: date | None
    every_days: int
    granted_at: datetime | None
    ended_at: datetime | None
    end_reason: EndReason | None
    next_at: datetime
    checks: tuple[Recheck, ...]

    @property
    def last(self) -> Recheck | None:
        """The latest check."""
        return self.checks[-1] if self.checks else None


def check_is_offered(act: PermissionAct, transaction: Transaction) -> None:
    """Raise `NotOffered` unless a grant is within what the request offered: the purpose, and no later day."""
    recheck, until = transaction.question.template.recheck, transaction.recheck_until
    if recheck is None or until is None or transaction.client_id.startswith("redirect_uri:"):
        raise NotOffered("no later checks were offered")
    if act.until is None or act.until > until:
        raise NotOffered("the permission would last longer than was offered")
    if act.purpose != recheck.purpose:
        raise NotOffered("the permission is for another purpose than was offered")


async def check_again(
    kept: Sequence[KeptPresentation],
    *,
    transaction: Transaction,
    answered_at: datetime,
    policy: Policy,
    resolver: Resolver,
    now: datetime,
) -> RecheckOutcome:
    """The worst that holds of any of the presentations now. `valid` only when everything was checked and held."""
    rules = {
        query_id: replace(policy.rule_for(credential), status="required")
        for query_id, credential, _ in transaction.question.template.queries()
    }
    # How fresh the answer was is settled: it was stored, once, when it came.
    age = max(0, int((now - answered_at).total_seconds())) + 1
    policy = replace(policy, max_age_seconds=policy.max_age_seconds + age)
    found = [RecheckOutcome.COULD_NOT_CHECK]
    if kept:
        found = [
            _outcome(
                (
                    await verify_one(one.query_id, one.token, rules[one.query_id], transaction, policy, resolver, now)
                ).result
            )
            for one in kept
        ]
    return next(outcome for outcome in _GRAVEST_FIRST if outcome in found)


def _outcome(result: VerificationResult) -> RecheckOutcome:
    if result.accepted:
        return RecheckOutcome.VALID
    failed = [check for check in result.checks if check.outcome is Outcome.FAILED]
    if not failed:
        return RecheckOutcome.COULD_NOT_CHECK
    known = {
        "revoked": RecheckOutcome.REVOKED,
        "suspended": RecheckOutcome.SUSPENDED,
        "expired": RecheckOutcome.EXPIRED,
    }
    return known.get(failed[0].reason, RecheckOutcome.NOT_VALID)


def permission_statement(
    permission: Permission | None, transaction: Transaction, *, answers: str, signer: Signer, now: datetime
) -> str:
    """What is stated of a permission, as a signed JWT; that there is none is stated as well.

    `answers` is the `jti` of the message that is answered.
    """
    about = {
        "iss": transaction.client_id,
        "iat": now.timestamp(),
        "answers": answers,
        "request_id": transaction.handle,
        "nonce": transaction.nonce,
    }
    if permission is None:
        stated = StatedPermission(**about, state=PermissionState.NONE)
    else:
        is_over = permission.state is PermissionState.ENDED
        stated = StatedPermission(
            **about,
            state=permission.state,
            items=permission.items,
            until=permission.until,
            every_days=permission.every_days or None,
            granted_at=_seconds(permission.granted_at),
            ended_at=_seconds(permission.ended_at),
            end_reason=permission.end_reason,
            next_at=None if is_over else _seconds(permission.next_at),
            checks=tuple(
                StatedCheck(number=one.number, at=one.at.timestamp(), outcome=one.outcome) for one in permission.checks
            ),
        )
    return sign_recipient_message(stated.claims(), signer=signer, typ=PERMISSION_STATE_TYPE)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
