"""Revoking, suspending and reinstating, and the published status list (Token Status List).

A status belongs to the logical certificate: all its copies change together, in one transaction, in which the list is
also signed anew, so that a change is visible at once and no reader ever sees an older list after a newer one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from issuer.issuance import status_list_uri
from proofs.keys import Signer
from proofs.status_list import make_status_list_token, new_status_list, set_status
from schemas.errors import NotFound, Refused, TemporarilyUnavailable

BITS = 2
FULL_BELOW = 0.5
"""A list takes no more slots once this part of it is taken: random indexes stay quick to find, and hard to guess."""


class Status(IntEnum):
    """The status of a certificate, as in the list."""

    VALID = 0
    REVOKED = 1
    SUSPENDED = 2


class NoSuchCertificate(NotFound):
    """There is no certificate with this identifier."""


class RevocationIsFinal(Refused):
    """This certificate is revoked, which is final; nothing was changed. Offer a new one instead."""

    error = "revocation_is_final"
    status = 409


class StatusRolledBack(TemporarilyUnavailable):
    """The database is older than a status list that was already published: it was restored from an old copy."""


@dataclass(frozen=True, slots=True)
class Publishing:
    """How status lists are signed: by whom, for how long they may be kept, and until when they are good."""

    issuer: str
    signer: Signer
    ttl: timedelta
    lifetime: timedelta

    def expiry(self, *, now: datetime) -> datetime:
        """Until when a list signed now is good."""
        return now + self.lifetime

    def is_due(self, published_at: datetime | None, *, now: datetime) -> bool:
        """Whether a list must be signed anew although nothing changed: half of its lifetime is over."""
        return published_at is None or not published_at <= now < published_at + self.lifetime / 2


@dataclass(frozen=True, slots=True)
class PublishedList:
    """A signed status list as it is served."""

    token: bytes
    version: int
    published_at: datetime
    expires_at: datetime


def check_change(before: Status, after: Status) -> bool:
    """Whether there is anything to change.

    Raises `RevocationIsFinal` for a revoked certificate that shall be another.
    """
    if before is Status.REVOKED and after is not Status.REVOKED:
        raise RevocationIsFinal
    return before is not after


def sign_list(
    size: int, entries: Iterable[tuple[int, int]], *, list_id: int, publishing: Publishing, now: datetime
) -> str:
    """The status list token: all entries valid except the given ones (index, status)."""
    statuses = new_status_list(size, bits=BITS)
    for index, status in entries:
        set_status(statuses, index, status, bits=BITS)
    return make_status_list_token(
        statuses=statuses,
        bits=BITS,
        uri=status_list_uri(publishing.issuer, list_id),
        signer=publishing.signer,
        issued_at=now,
        expires_at=publishing.expiry(now=now),
        ttl_seconds=int(publishing.ttl.total_seconds()),
    )
