"""The credential endpoint: proofs of possession become signed copies (OpenID4VCI 1.0, section 8; DESIGN 4.3).

The procedure of `collect`, numbered as in the code:

1. The request is well formed and names a certificate that this token covers.
2. Every proof holds: made for us, by distinct keys, with one nonce that we made and that is fresh.
3. One transaction spends the nonce and takes one status slot per key. A key that already has a slot keeps it; new keys
   take new slots while the allowance lasts.
4. Only then is anything signed. Nothing of what is signed is kept, so that a lost answer is simply asked for again with
   a fresh nonce: the same keys get the same slots.
"""

import functools
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

from issuer.credential_request import HolderKey, KeyRules, proven_keys
from proofs.formats.sd_jwt import DisclosurePlan, plan_disclosures
from proofs.formats.sd_jwt_vc import issue_sd_jwt_vc
from proofs.keys import Signer
from schemas.errors import TemporarilyUnavailable
from schemas.issuance import (
    InsufficientScope,
    InvalidCredentialRequest,
    UnknownCredentialConfiguration,
    UnknownCredentialIdentifier,
)
from schemas.types import CREDENTIAL_TYPES, CredentialType

NONCE_KIND = "c_nonce"


@dataclass(frozen=True, slots=True)
class Grant:
    """One certificate that an access token stands for, until `until`."""

    offer_id: str
    generation: int
    type_name: str
    claims: Mapping[str, Any] = field(repr=False)
    until: datetime
    by_identifier: bool
    client_id: str | None
    also_by_configuration: bool = False
    """Whether a request that names its configuration gets it, although it has an identifier."""
    review: str = ""
    """Where the review of the certificate stands (`issuer.deferral.Review`)."""


@dataclass(frozen=True, slots=True)
class Access:
    """What an access token opens: one or more certificates. `dpop_key`: thumbprint of the only key it works with."""

    grants: tuple[Grant, ...]
    dpop_key: str | None


@dataclass(frozen=True, slots=True)
class Slot:
    """An entry of a status list."""

    list_id: int
    idx: int


@dataclass(frozen=True, slots=True)
class Reservation:
    """What one transaction set aside: a slot for each holder key, and the dates that all copies share."""

    slots: Mapping[str, Slot]
    """By RFC 7638 thumbprint of the holder key."""
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Period:
    """From when until when the copies are valid, on whole hours."""

    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Collected:
    """The copies of one certificate, compact SD-JWTs in the order of their keys."""

    offer_id: str
    copies: list[str] = field(repr=False)


class SlotBook(Protocol):
    """Where nonces are spent and slots are kept."""

    def reserve(
        self,
        grant: Grant,
        *,
        nonce: str | None = None,
        nonce_expires_at: datetime | None = None,
        transaction_id: str | None = None,
        thumbprints: Sequence[str],
        period: Period,
        now: datetime,
    ) -> Reservation:
        """Spend the nonce, or the deferred transaction, and take the slots in one transaction.

        Raises `InvalidNonce` or `InvalidTransactionID` when it was spent, `InvalidToken` when the grant ended
        meanwhile, `CredentialRequestDenied` when the allowance is used up or the certificate was revoked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Issuing:
    """What stays the same for all requests: who issues, with which key, to which keys, valid for how long.

    `chain_until` is the end of the signer's certificate: from then on nobody accepts what it signed.
    """

    issuer: str
    signer: Signer
    key_rules: KeyRules
    validity: timedelta
    chain_until: datetime


class NoValidChain(TemporarilyUnavailable):
    """The issuer's certificate has expired, so that nothing it signs would be accepted."""


def whole_hour(moment: datetime) -> datetime:
    """The hour that has begun.

    Rounded down, so that no copy is from the future, and copies cannot be told apart by time.
    """
    return moment.replace(minute=0, second=0, microsecond=0)


def ending_with(period: Period, *, type_name: str, claims: Mapping[str, Any]) -> Period:
    """The period, no longer than what the copies say: a power that ends on a day is not certified beyond it.

    The day ends in UTC, on a whole hour. Copies of what is over already last for the hour in which they are made: the
    person can read what it says, and that it has ended.
    """
    name = CREDENTIAL_TYPES[type_name].last_day
    if name is None:
        return period
    day = date.fromisoformat(str(claims[name]))
    end = datetime.combine(min(day, date.max - timedelta(days=1)) + timedelta(days=1), time(), UTC)
    end = max(end, period.valid_from + timedelta(hours=1))
    return Period(period.valid_from, min(period.valid_until, end))


def period_from(now: datetime, *, issuing: Issuing, type_name: str) -> Period:
    """The period of copies collected now: as long as the operator says, and no longer than their type allows.

    It ends with the certificate of the key that signs them, at the latest. Raises `NoValidChain` when that is over.
    """
    start = whole_hour(now)
    allowed = CREDENTIAL_TYPES[type_name].validity_days
    validity = issuing.validity if allowed is None else min(issuing.validity, timedelta(days=allowed))
    end = whole_hour(min(start + validity, issuing.chain_until))
    if end <= now:
        raise NoValidChain
    return Period(start, end)


def collect(
    request: Mapping[str, Any], access: Access, *, issuing: Issuing, slots: SlotBook, now: datetime
) -> Collected:
    """Issue one copy per key, in the order of the proofs, as compact SD-JWTs. Raises the errors of OpenID4VCI 8.3.1."""
    # 1. What is asked for.
    grant = requested_grant(request, access)
    # 2. The proofs. One bad proof fails the whole request, before anything is spent.
    proven = proven_keys(
        request, type_name=grant.type_name, client_id=grant.client_id, rules=issuing.key_rules, now=now
    )
    # 3. Nonce and slots, in one transaction.
    reservation = slots.reserve(
        grant,
        nonce=proven.nonce,
        nonce_expires_at=issuing.key_rules.nonces.expiry(proven.nonce),
        thumbprints=[key.thumbprint for key in proven.keys],
        period=ending_with(
            period_from(now, issuing=issuing, type_name=grant.type_name),
            type_name=grant.type_name,
            claims=grant.claims,
        ),
        now=now,
    )
    # 4. The signatures.
    return Collected(grant.offer_id, sign_copies(grant, proven.keys, reservation, issuing=issuing))


def sign_copies(grant: Grant, keys: Sequence[HolderKey], reservation: Reservation, *, issuing: Issuing) -> list[str]:
    """One copy for each key."""
    credential_type = CREDENTIAL_TYPES[grant.type_name]
    return [sign_copy(credential_type, grant.claims, key, reservation, issuing=issuing) for key in keys]


def requested_grant(request: Mapping[str, Any], access: Access) -> Grant:
    """The certificate that a request asks for, if this token covers it (8.2). `format` and unknown members are ignored.

    Raises `InvalidCredentialRequest`, `UnknownCredentialConfiguration`,
    `UnknownCredentialIdentifier`, `InsufficientScope`.
    """
    identifier, configuration = request.get("credential_identifier"), request.get("credential_configuration_id")
    if (identifier is None) == (configuration is None):
        raise InvalidCredentialRequest("exactly one of credential_configuration_id and credential_identifier is needed")
    if not isinstance(identifier if configuration is None else configuration, str):
        raise InvalidCredentialRequest("the name of the credential is not a string")
    if identifier is not None:
        for grant in access.grants:
            if grant.by_identifier and identifier == grant.offer_id:
                return grant
        raise UnknownCredentialIdentifier("this access token was given no such credential identifier")
    if configuration not in CREDENTIAL_TYPES:
        raise UnknownCredentialConfiguration("there is no such credential configuration")
    covered = [grant for grant in access.grants if grant.type_name == configuration]
    if not covered:
        raise InsufficientScope("this access token does not cover that credential configuration")
    for grant in covered:
        if grant.also_by_configuration or not grant.by_identifier:
            return grant
    raise InvalidCredentialRequest("credential identifiers were issued: name the credential by its identifier")


def sign_copy(
    credential_type: CredentialType,
    claims: Mapping[str, Any],
    key: HolderKey,
    reservation: Reservation,
    *,
    issuing: Issuing,
) -> str:
    """Sign one copy for one holder key.

    Copies share no identifier: no `jti`, own salts, a slot of their own (HAIP 6.1).
    """
    slot = reservation.slots[key.thumbprint]
    plan, integrity = _constants(credential_type.name)
    start = int(reservation.valid_from.timestamp())
    payload = {
        "iss": issuing.issuer,
        "vct": credential_type.vct,
        "vct#integrity": integrity,
        **claims,
        "iat": start,
        "nbf": start,
        "exp": int(reservation.valid_until.timestamp()),
        "status": {"status_list": {"idx": slot.idx, "uri": status_list_uri(issuing.issuer, slot.list_id)}},
    }
    return issue_sd_jwt_vc(payload, disclosable=plan, signer=issuing.signer, holder_jwk=key.jwk)


def status_list_uri(issuer: str, list_id: int) -> str:
    """The address of a status list."""
    return f"{issuer}/status/{list_id}"


def random_indexes(size: int, count: int) -> list[int]:
    """`count` distinct unpredictable indexes below `size`."""
    chosen: dict[int, None] = {}
    while len(chosen) < count:
        chosen[secrets.randbelow(size)] = None
    return list(chosen)


@functools.cache
def _constants(type_name: str) -> tuple[DisclosurePlan, str]:
    """The disclosure plan and the integrity of a type: constant, so made once."""
    credential_type = CREDENTIAL_TYPES[type_name]
    return plan_disclosures(credential_type.disclosable_paths()), credential_type.integrity()
