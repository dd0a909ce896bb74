"""Fresh copies before the old ones run out: the issuer is asked again with the refresh token (OpenID4VCI 1.0, 14.5).

A certificate that was collected with a refresh token remembers how to ask. When few copies are left, or its end is
near, a collection of its own renews it: new keys, new copies of the same certificate, nothing for the person to do.
Certificates that came together share one refresh token, which may be replaced at every use. They are a family: each is
renewed by itself, one at a time, and a new token is kept with all of them before anything is done with it.
What says something else than before is stored as a certificate of its own, and the old one stays as it is. A
statement that its issuer keeps current says the same of a later day: that replaces what it said of the earlier one.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any

from proofs.keys import generate_signer
from wallet.certificates import StoredCertificate
from wallet.collection import Collection, Part, PartState, Stage

FEW_COPIES = 2
END_IS_NEAR = timedelta(days=14)
AGAIN_AFTER = timedelta(hours=6)
"""How long after a renewal that came to nothing for now the next one is tried."""
ASKED_AGAIN_AFTER = timedelta(minutes=1)
"""The same when a request waits for it: many requests must not make the wallet ask its sources as often."""

# Two copies of one certificate may differ in these (OpenID4VCI 15.4.1).
_OWN_TO_A_COPY = frozenset({"cnf", "status", "iat", "nbf", "exp", "jti"})


def renewal_of(collection: Collection, part: Part) -> dict[str, Any] | None:
    """What a certificate of this collection remembers for its renewal; None when it cannot be renewed."""
    if collection.refresh_token is None or not part.keys or collection.is_carried:
        return None  # What came in a file may share its token with the wallet that it was taken from.
    kept = replace(
        collection.narrowed(part.configuration),
        stage=Stage.COLLECTING,
        parts=(Part(part.configuration, part.identifier, notification_id=part.notification_id),),
        access_token=None,
        token_until=0,
        for_share="",
        waited=False,
        looked_at=0,
        and_then=(),
        renews="",
        problem="",
        peer_error="",
    )
    return kept.as_json()


def family_of(certificate: StoredCertificate) -> str:
    """The family of a certificate; "" when it cannot be renewed, or was collected before there were families."""
    return str((certificate.renewal or {}).get("family", ""))


def with_token(certificate: StoredCertificate, refresh_token: str) -> dict[str, Any]:
    """What a certificate remembers for its renewal, with the refresh token that replaced the one it had."""
    assert certificate.renewal is not None
    return {**certificate.renewal, "refresh_token": refresh_token}


def is_due(certificate: StoredCertificate, at: datetime) -> bool:
    """Whether it is time to ask for fresh copies."""
    if certificate.renewal is None or certificate.status in ("revoked", "suspended"):
        return False
    tried_at = certificate.renewal_tried_at
    if tried_at is not None and at < tried_at + AGAIN_AFTER:
        return False
    ends_soon = certificate.valid_until is not None and at >= certificate.valid_until - END_IS_NEAR
    # A certificate that lives for days only is renewed in the last quarter of its life.
    if certificate.valid_until is not None and certificate.valid_from is not None:
        life = certificate.valid_until - certificate.valid_from
        ends_soon = ends_soon and at >= certificate.valid_until - life / 4
    return ends_soon or certificate.copies_left <= min(FEW_COPIES, certificate.copies_total - 1)


def may_be_renewed(certificate: StoredCertificate, at: datetime) -> bool:
    """Whether a certificate that a request finds too old can be renewed now, without the person."""
    if certificate.renewal is None or certificate.status in ("revoked", "suspended"):
        return False
    tried_at = certificate.renewal_tried_at
    return tried_at is None or at >= tried_at + ASKED_AGAIN_AFTER


def renewing(certificate: StoredCertificate, *, copies: int, at: int) -> Collection:
    """The collection that renews a certificate, with fresh keys, ready to be kept."""
    assert certificate.renewal is not None
    kept = Collection.from_json(certificate.renewal)
    (part,) = kept.parts
    batch = kept.offered.metadata.batch_credential_issuance
    wanted = min(batch.batch_size, copies) if batch else 1
    keys = tuple(generate_signer().private_jwk() for _ in range(wanted))
    return replace(
        kept,
        link=f"renew:{certificate.id}",
        parts=(replace(part, keys=keys, state=PartState.WAITING),),
        renews=certificate.id,
        begun_at=at,
    )


class Renewed(Enum):
    """What fresh copies say beside those that the person has."""

    THE_SAME = "the same"
    OF_A_LATER_DAY = "the same, of a later day"
    SOMETHING_ELSE = "something else"


def compare(old: Mapping[str, Any], new: Mapping[str, Any], *, dated_by: str | None) -> Renewed:
    """What two copies say about the person, whatever their keys, slots and times.

    `dated_by` is the claim of their type that says of which day the rest is true (`CredentialType.dated_by`).
    """

    def content(claims: Mapping[str, Any], *without: str | None) -> dict[str, Any]:
        return {name: value for name, value in claims.items() if name not in _OWN_TO_A_COPY and name not in without}

    if content(old) == content(new):
        return Renewed.THE_SAME
    if dated_by is None or content(old, dated_by) != content(new, dated_by):
        return Renewed.SOMETHING_ELSE
    before, after = _day(old.get(dated_by)), _day(new.get(dated_by))
    later = before is not None and after is not None and before < after
    return Renewed.OF_A_LATER_DAY if later else Renewed.SOMETHING_ELSE


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
