"""Deferred issuance: a certificate that somebody has to look at first (OpenID4VCI 1.0, section 9).

The operator names types that wait for a review (`ISSUER_REVIEWED_TYPES`). A credential request for one of them is
checked like any other, its nonce is spent and its keys are kept; the answer is a transaction. Staff approve or deny the
certificate; a denial is final. The wallet asks again, with the same transaction, until it has the copies, after which
the transaction is worth nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from issuer.credential_request import HolderKey, proven_keys
from issuer.issuance import (
    Access,
    Collected,
    Grant,
    Issuing,
    SlotBook,
    collect,
    ending_with,
    period_from,
    requested_grant,
    sign_copies,
)
from schemas.issuance import CredentialRequestDenied

_DENIED = "the certificate was reviewed and will not be issued"
INTERVAL_SECONDS = 10
"""How long a wallet should wait before it asks again."""


class Review(StrEnum):
    """Where a certificate stands that has to be looked at; empty for one that has not."""

    NONE = ""
    WAITING = "waiting"
    APPROVED = "approved"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Deferred:
    """The answer to a wallet that has to wait."""

    transaction_id: str
    interval_seconds: int = INTERVAL_SECONDS


@dataclass(frozen=True, slots=True)
class Waiting:
    """A certificate that waits for a review, as staff see it."""

    offer_id: str
    type_name: str
    title: dict[str, str]
    recipient: str
    since: datetime


class DeferralBook(Protocol):
    """Where deferred transactions are kept."""

    def defer(
        self, grant: Grant, keys: Sequence[HolderKey], *, nonce: str, nonce_expires_at: datetime, now: datetime
    ) -> str:
        """Spend the nonce and keep the keys in one transaction; returns the transaction identifier.

        The same keys for the same certificate have the same identifier. Raises `InvalidNonce`.
        """
        ...

    def find(self, transaction_id: str, access: Access) -> tuple[Grant, Review, tuple[HolderKey, ...]]:
        """What a transaction is about. Raises `InvalidTransactionID` for one of another token, and a used one."""
        ...


def collect_or_defer(
    request: Mapping[str, Any],
    access: Access,
    *,
    issuing: Issuing,
    reviewed_types: Collection[str],
    slots: SlotBook,
    book: DeferralBook,
    now: datetime,
) -> Collected | Deferred:
    """Issue now, or keep the keys until somebody has looked at the certificate.

    Raises the errors of `issuer.issuance.collect`, and `CredentialRequestDenied` when it was denied.
    """
    grant = requested_grant(request, access)
    review = Review(grant.review)
    if review is Review.DENIED:
        raise CredentialRequestDenied(_DENIED)
    if review is Review.APPROVED or (review is Review.NONE and grant.type_name not in reviewed_types):
        return collect(request, access, issuing=issuing, slots=slots, now=now)
    rules = issuing.key_rules
    proven = proven_keys(request, type_name=grant.type_name, client_id=grant.client_id, rules=rules, now=now)
    expires_at = rules.nonces.expiry(proven.nonce)
    return Deferred(book.defer(grant, proven.keys, nonce=proven.nonce, nonce_expires_at=expires_at, now=now))


def collect_deferred(
    transaction_id: str, access: Access, *, issuing: Issuing, slots: SlotBook, book: DeferralBook, now: datetime
) -> Collected | Deferred:
    """Issue what was deferred, or say that it takes longer.

    Raises `InvalidTransactionID`, `CredentialRequestDenied` when it was denied: for good.
    """
    grant, review, keys = book.find(transaction_id, access)
    if review is Review.DENIED:
        raise CredentialRequestDenied(_DENIED)
    if review is not Review.APPROVED:
        return Deferred(transaction_id)
    reservation = slots.reserve(
        grant,
        transaction_id=transaction_id,
        thumbprints=[key.thumbprint for key in keys],
        period=ending_with(
            period_from(now, issuing=issuing, type_name=grant.type_name),
            type_name=grant.type_name,
            claims=grant.claims,
        ),
        now=now,
    )
    return Collected(grant.offer_id, sign_copies(grant, keys, reservation, issuing=issuing))
