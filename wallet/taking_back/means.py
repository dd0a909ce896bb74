"""What is kept of a share so that it can be taken back: one holder key, the names of the share, and where to write.

It is kept apart from certificate and request, so that it survives deleting the one and forgetting the other. Addresses
that the wallet posts to come from a notice that the recipient signed with the key of its request, and from no other:
there they are the recipient's own word, also when they name another host. What an unsigned notice says is shown to the
person and never posted to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from proofs.keys import SoftwareSigner
from proofs.request_object import X509_HASH, X509_SAN_DNS, client_id_prefix
from schemas.consent import RecheckOffer
from schemas.errors import ProtocolError
from wallet.requests import CheckedRequest

KEPT_AFTER_RETENTION: Final = timedelta(days=400)
"""Statements can be fetched, and complaints made, for about a year after the last day."""
KEPT_WITHOUT_RETENTION: Final = timedelta(days=3653)
_NO_YEAR: Final = 9990
# Only these recipients have a key by which a statement of theirs can be recognised.
_SIGNS_STATEMENTS: Final = frozenset({X509_HASH, X509_SAN_DNS})


@dataclass(frozen=True, slots=True)
class Means:
    """What it takes to speak about a share with whoever received it.

    `key` is the private JWK that bound one presentation of it, empty when none was bound. `asked_at` is when the
    recipient was last asked by itself; `receipt_tries` counts how often the receipt was handed in, `receipt_settled`
    tells that nothing more comes of it. `permission_endpoint` is where a standing permission is given and ended, empty
    when the person gave none; `permission_asked_at` is when it was last asked about by itself.
    """

    client_id: str
    nonce: str
    request_id: str
    key: Mapping[str, str] = field(repr=False)
    endpoint: str = ""
    receipt_endpoint: str = ""
    asked_at: int = 0
    receipt_tries: int = 0
    receipt_settled: bool = False
    permission_endpoint: str = ""
    permission_asked_at: int = 0

    @property
    def can_ask(self) -> bool:
        """Whether the wallet can take back by itself."""
        return bool(self.endpoint and self.key)

    @property
    def can_hand_in(self) -> bool:
        """Whether the receipt can still be counter-signed."""
        return bool(self.receipt_endpoint and self.key) and not self.receipt_settled

    @property
    def has_permission(self) -> bool:
        """Whether a standing permission was given with the share, and can be spoken about."""
        return bool(self.permission_endpoint and self.key)

    @property
    def signer(self) -> SoftwareSigner:
        """The signer of the kept key."""
        return SoftwareSigner.from_private_jwk(dict(self.key))

    def asked(self, now: datetime) -> "Means":
        """The same, asked now."""
        return replace(self, asked_at=int(now.timestamp()))

    def permission_asked(self, now: datetime) -> "Means":
        """The same, asked about its standing permission now."""
        return replace(self, permission_asked_at=int(now.timestamp()))

    def as_json(self) -> dict[str, Any]:
        """As it rests, sealed."""
        return {
            "client_id": self.client_id,
            "nonce": self.nonce,
            "request_id": self.request_id,
            "key": dict(self.key),
            "endpoint": self.endpoint,
            "receipt_endpoint": self.receipt_endpoint,
            "asked_at": self.asked_at,
            "receipt_tries": self.receipt_tries,
            "receipt_settled": self.receipt_settled,
            "permission_endpoint": self.permission_endpoint,
            "permission_asked_at": self.permission_asked_at,
        }

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> "Means":
        """As it was before `as_json`. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
        key = members["key"]
        if key:
            SoftwareSigner.from_private_jwk(key)
        return cls(
            client_id=str(members["client_id"]),
            nonce=str(members["nonce"]),
            request_id=str(members["request_id"]),
            key=dict(key),
            endpoint=str(members["endpoint"]),
            receipt_endpoint=str(members["receipt_endpoint"]),
            asked_at=int(members["asked_at"]),
            receipt_tries=int(members["receipt_tries"]),
            receipt_settled=bool(members["receipt_settled"]),
            # Shares of before standing permissions have none.
            permission_endpoint=str(members.get("permission_endpoint", "")),
            permission_asked_at=int(members.get("permission_asked_at", 0)),
        )


def means_of(checked: CheckedRequest, key: Mapping[str, str], *, recheck: RecheckOffer | None) -> Means:
    """What is kept of a share, at the moment of the decision.

    `key` bound one of its presentations, or is empty; `recheck` are the later checks that the person allowed.
    """
    request, stated = checked.request, checked.stated
    notice = stated.notice if stated is not None and stated.signed and signs_statements(request.client_id) else None
    withdraw = notice.withdraw if notice is not None else None
    return Means(
        client_id=request.client_id,
        nonce=request.nonce,
        request_id=notice.request_id if notice is not None else "",
        key=key,
        endpoint=withdraw.endpoint if withdraw is not None else "",
        receipt_endpoint=notice.receipt_endpoint if notice is not None else "",
        permission_endpoint=recheck.endpoint if notice is not None and recheck is not None else "",
    )


def signs_statements(client_id: str) -> bool:
    """Whether this recipient has a key by which a statement of it can be recognised."""
    try:
        return client_id_prefix(client_id) in _SIGNS_STATEMENTS
    except ProtocolError:
        return False


def forget_at(retention_until: date | None, *, now: datetime) -> datetime:
    """When it is forgotten at the latest; the first day of a month tells less than the day itself."""
    last = now + KEPT_WITHOUT_RETENTION
    # "Until the year 9999" is not a promise that anybody keeps, and the calendar ends before what would follow it.
    if retention_until is not None and retention_until.year < _NO_YEAR:
        last = datetime(retention_until.year, retention_until.month, retention_until.day, tzinfo=UTC)
        last = max(last, now) + KEPT_AFTER_RETENTION
    first_of_next = (last.replace(day=1) + timedelta(days=32)).replace(day=1)
    return first_of_next.replace(hour=0, minute=0, second=0, microsecond=0)
