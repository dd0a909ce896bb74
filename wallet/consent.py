"""The gate of every share: a `Consent` exists only because a person decided, and only `decide` makes one.

    consent = await decide(decision, approved_digest=digest, confirmation=confirmation, now=now)
    answer = present(consent, copies, now=now)          # cannot be called without it

`decide` refuses when what the person approved is not what would be sent now, when the request has ended, when something
required or an item's own yes is missing, and when neither passphrase nor passkey shows that it is the person. That is
asked anew for every request (CS-26): nothing of an earlier confirmation counts. Later checks (CS-07) have one of their
own, of a digest of their own; that of the share never stands in for it, nor the other way round.
"""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any, Final, Protocol

from schemas.consent import RecheckOffer
from schemas.dcql import ConcretePath, value_at
from schemas.errors import Refused
from schemas.presentation import AuthorizationRequest
from wallet.decision import SCREEN_VERSION, Decision, permission_meaning
from wallet.requests import AnswerKey, AskedDeclaration, RequestExpired

_MADE_BY_DECIDE: Final = object()
PERMISSION_CONFIRMED_FOR: Final = timedelta(minutes=5)
"""How long a confirmation of later checks waits for the confirmation of the share that it belongs to."""


class ShownSomethingElse(Refused):
    """What the person approved is not what would be sent now; it must be shown again."""

    error = "shown_something_else"


class CannotSatisfy(Refused):
    """The share would not satisfy the request, so it is never sent (CS-06)."""

    error = "cannot_satisfy"


class YesMissing(Refused):
    """A sensitive item, or one on the ground of consent, has not got its own yes (CS-15, CS-18)."""

    error = "yes_missing"


class OverrideMissing(Refused):
    """A check of who asks failed, and the person has not said that they want to share in spite of it (CS-20)."""

    error = "override_missing"


class ActingNotConfirmed(Refused):
    """The answer is for somebody else, and the person has not said that they act for them (CS-42)."""

    error = "acting_not_confirmed"


class StepMissing(Refused):
    """Something must be read before any answer, yes or no (OA-09)."""

    error = "step_missing"


class PermissionNotConfirmed(Refused):
    """Later checks are allowed, and the person has not confirmed just that, by itself and just now (CS-07)."""

    error = "permission_not_confirmed"


@dataclass(frozen=True, slots=True)
class PermissionConfirmed:
    """What a person confirmed of later checks, by an act of its own: what it means (`permission_meaning`), when, how,
    and in which language they read it."""

    meaning: str
    at: datetime
    method: str
    language: str


class Confirmation(Protocol):
    """What shows that it is the person who decides: the passphrase, or a passkey that signed for this decision."""

    @property
    def method(self) -> str:
        """How they show it, as it is written down: "passphrase" or "passkey"."""
        ...

    async def __call__(self) -> None:
        """Raise `WrongPassphrase` or `PasskeyRefused` unless it holds."""
        ...


@dataclass(frozen=True, slots=True)
class Presented:
    """One presentation that the person agreed to: which certificate answers which query with which paths.

    `values` are the values at `paths` as the person saw them: a copy that says something else is not sent.
    `declarations` are what the person confirmed and this presentation's key signs; each stands in one presentation.
    """

    query_id: str
    certificate_id: str
    paths: tuple[ConcretePath, ...]
    values: tuple[Any, ...] = field(repr=False)
    is_bound: bool
    declarations: tuple[AskedDeclaration, ...] = ()


@dataclass(frozen=True, slots=True)
class Consent:
    """A person's decision to show exactly this, to this recipient, for this request. Made only by `decide`.

    `recheck` are the later checks that the same decision allows, `permission` the confirmation that they have of their
    own; None for none.
    """

    share_id: str
    request: AuthorizationRequest
    answer_key: AnswerKey | None
    presented: tuple[Presented, ...]
    shown_digest: str
    language: str
    screen_version: str
    method: str
    decided_at: datetime
    expires_at: datetime
    recheck: RecheckOffer | None
    permission: PermissionConfirmed | None
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MADE_BY_DECIDE:
            raise TypeError("A Consent is made only by decide().")

    @property
    def certificate_ids(self) -> tuple[str, ...]:
        """The certificates that are shown; each of them uses one copy."""
        return tuple(dict.fromkeys(one.certificate_id for one in self.presented))


async def decide(
    decision: Decision,
    *,
    approved_digest: str,
    confirmation: Confirmation,
    permission: PermissionConfirmed | None,
    now: datetime,
) -> Consent:
    """Turn what the person approved into a `Consent`.

    `approved_digest` is the digest that the confirming page carried. `permission` is what they confirmed of later
    checks before that: it counts for the very permission that stands in this decision, and for a few minutes. Raises
    `RequestExpired`, `CannotSatisfy`, `StepMissing`, `OverrideMissing`, `ActingNotConfirmed`, `YesMissing`,
    `ShownSomethingElse`, `PermissionNotConfirmed`, or what `confirmation` raises.
    """
    if now >= decision.checked.expires_at:
        raise RequestExpired
    if not decision.is_satisfiable or not decision.choices:
        raise CannotSatisfy
    if decision.missing_step is not None:
        raise StepMissing
    if decision.missing_overrides:
        raise OverrideMissing
    if decision.misses_acting_yes:
        raise ActingNotConfirmed
    if decision.missing_yes:
        raise YesMissing
    if not compare_digest(approved_digest.encode(), decision.digest.encode()):
        raise ShownSomethingElse
    if decision.allowed_recheck is None:
        permission = None
    elif not counts_for(permission, decision, now=now):
        raise PermissionNotConfirmed
    await confirmation()
    return Consent(
        share_id=decision.share_id,
        request=decision.checked.request,
        answer_key=decision.checked.answer_key,
        presented=_presented(decision),
        shown_digest=decision.digest,
        language=decision.language,
        screen_version=SCREEN_VERSION,
        method=confirmation.method,
        decided_at=now,
        expires_at=decision.checked.expires_at,
        recheck=decision.allowed_recheck,
        permission=permission,
        made_by=_MADE_BY_DECIDE,
    )


def counts_for(permission: PermissionConfirmed | None, decision: Decision, *, now: datetime) -> bool:
    """Whether a confirmation is one of the later checks that this decision allows, in whatever language, and fresh."""
    if permission is None or decision.allowed_recheck is None:
        return False
    is_fresh = timedelta() <= now - permission.at <= PERMISSION_CONFIRMED_FOR
    return is_fresh and compare_digest(permission.meaning, permission_meaning(decision))


def _presented(decision: Decision) -> tuple[Presented, ...]:
    claims: Mapping[str, Mapping[str, Any]] = {
        group.certificate.id: group.certificate.claims for group in decision.groups
    }
    # Of the queries that may carry a declaration, the wallet uses one (OpenID4VP 5.1).
    signed_by: dict[int, list[AskedDeclaration]] = {}
    for declaration in decision.checked.declarations:
        able = (n for n, choice in enumerate(decision.choices) if choice.query_id in declaration.credential_ids)
        place = next(able, None)
        if place is None:
            raise CannotSatisfy
        signed_by.setdefault(place, []).append(declaration)
    return tuple(
        Presented(
            query_id=choice.query_id,
            certificate_id=choice.candidate_id,
            paths=choice.paths,
            values=tuple(value_at(claims[choice.candidate_id], path) for path in choice.paths),
            is_bound="cnf" in claims[choice.candidate_id],
            declarations=tuple(signed_by.get(place, ())),
        )
        for place, choice in enumerate(decision.choices)
    )
