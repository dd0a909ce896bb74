"""What the wallet says after a share, and what it makes of the answers. Nothing in an answer is believed unchecked.

A statement counts when it is signed under the certificate that the recipient's identifier names, speaks of this share
by its nonce (and `request_id`, where the notice had one), and its dates fit: made after the share, not in the future.
Everything else leaves the wish open, and the page says so.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Protocol

from pydantic import ValidationError

from proofs import base64url, strict_json
from proofs.after_share import check_recipient_message, sign_holder_message
from proofs.trust import TrustList
from schemas.errors import ProtocolError, Refused
from schemas.learning.personal_numbers import holds_personal_number
from schemas.withdrawal import (
    COUNTERSIGNATURE_TYPE,
    MEDIA_TYPE,
    RECEIPT_SUBMISSION_TYPE,
    STATEMENT_TYPE,
    WITHDRAWAL_TYPE,
    Action,
    Countersignature,
    DeletionStatement,
    ItemReference,
)
from wallet.ledger import EventKind
from wallet.taking_back.means import Means

MAX_ANSWER_BYTES: Final = 100_000
MOST_STATED: Final = 400
SKEW: Final = timedelta(minutes=5)


class NotDelivered(Exception):
    """Nothing was sent. `reason` is a code for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoAnswer(Exception):
    """It may have arrived, but no answer came."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back."""

    status: int
    media_type: str
    body: bytes = field(repr=False)


class Transport(Protocol):
    """The network, as far as taking back needs it."""

    async def post_jwt(self, url: str, token: str, *, max_bytes: int) -> Reply:
        """Post a JWT. No redirects. Raises `NotDelivered` or `NoAnswer`."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """What an answer comes to: the event that tells it, None when there is nothing to tell."""

    kind: EventKind | None
    facts: Mapping[str, Any] = field(default_factory=dict)


# --- said by the wallet -----------------------------------------------------------------------------------------------


def withdrawal(
    means: Means,
    action: Action,
    *,
    items: Sequence[ItemReference] | None,
    receipt_id: str,
    language: str,
    now: datetime,
) -> str:
    """The message that takes back, asks to delete (`items` None: everything) or asks how it stands."""
    claims = _about(means, now=now) | {"action": action.value, "language": language}
    if action is not Action.STATUS:
        claims["receipt_id"] = receipt_id
    if items is not None:
        claims["items"] = [one.model_dump(mode="json") for one in items]
    return sign_holder_message(claims, signer=means.signer, typ=WITHDRAWAL_TYPE)


def receipt_submission(means: Means, receipt: str, *, now: datetime) -> str:
    """The message that hands a receipt in for counter-signing."""
    return sign_holder_message(
        _about(means, now=now) | {"receipt": receipt}, signer=means.signer, typ=RECEIPT_SUBMISSION_TYPE
    )


def _about(means: Means, *, now: datetime) -> dict[str, Any]:
    named = {"nonce": means.nonce, "request_id": means.request_id}
    return {
        "aud": means.client_id,
        "iat": int(now.timestamp()),
        "jti": secrets.token_urlsafe(24),
        **{name: value for name, value in named.items() if value},
    }


# --- answered by the recipient ----------------------------------------------------------------------------------------


def read_reply(
    reply: Reply, means: Means, *, expected_receipt_id: str, decided_at: datetime, trust: TrustList, now: datetime
) -> Answered:
    """What the answer to a wish or to `status` comes to. Never raises for what is in it."""
    if reply.status == 200 and reply.media_type == MEDIA_TYPE:
        try:
            statement = read_statement(
                reply.body,
                means,
                expected_receipt_id=expected_receipt_id,
                decided_at=decided_at,
                trust=trust,
                now=now,
            )
        except ProtocolError:
            return Answered(EventKind.DELETION_UNKNOWN, {"reason": "statement_not_valid"})
        return Answered(EventKind.DELETION_STATED, statement)
    if reply.status == 202:
        return Answered(EventKind.DELETION_ACKNOWLEDGED, _due(reply))
    if reply.status == 200:
        is_kept = _members(reply).get("state") == "kept"
        return Answered(None) if is_kept else Answered(EventKind.DELETION_UNKNOWN, {"reason": "no_statement"})
    if reply.status == 429:
        # They were asked, and the month runs: nobody escapes it by wanting everybody to wait.
        return Answered(EventKind.DELETION_UNKNOWN, {"reason": "too_many_requests"})
    if 400 <= reply.status < 500:
        return Answered(EventKind.DELETION_NOT_ACCEPTED, {"reason": error_code(reply)})
    # A redirect is not followed: the address was the recipient's word, another one is not.
    return Answered(EventKind.DELETION_UNKNOWN, {"reason": f"http_{reply.status}"})


def read_statement(
    body: bytes, means: Means, *, expected_receipt_id: str, decided_at: datetime, trust: TrustList, now: datetime
) -> dict[str, Any]:
    """A deletion statement about this very share, as facts: its JWT and its members. Raises `ProtocolError`."""
    token = _ascii(body)
    claims, _ = check_recipient_message(
        token,
        typ=STATEMENT_TYPE,
        expected_client_id=means.client_id,
        trust=trust,
        now=now,
        max_bytes=MAX_ANSWER_BYTES,
    )
    try:
        statement = DeletionStatement.model_validate(claims)
        made_at = datetime.fromtimestamp(statement.iat, UTC)
        deleted_at = None if statement.deleted_at is None else datetime.fromtimestamp(statement.deleted_at, UTC)
    except (ValidationError, OverflowError, ValueError, OSError) as exc:
        raise Refused("this is not a statement of a known form") from exc
    if statement.nonce != means.nonce or (means.request_id and statement.request_id != means.request_id):
        raise Refused("the statement is about another share")
    if statement.receipt_id is not None and statement.receipt_id != expected_receipt_id:
        raise Refused("the statement is about another receipt")
    if not decided_at - SKEW <= made_at <= now + SKEW:
        raise Refused("the statement was made before the share, or will be made")
    if deleted_at is not None and not decided_at - SKEW <= deleted_at <= made_at + SKEW:
        raise Refused("the statement speaks of a deletion before the share or after itself")
    excepted = sum(len(one.items) for one in statement.exceptions)
    if len(statement.items) + excepted + len(statement.exceptions) > MOST_STATED:
        raise Refused("the statement names more than was shared")
    return {"token": token, "statement": statement.claims()}


def read_countersignature(
    reply: Reply, means: Means, *, receipt: str, decided_at: datetime, trust: TrustList, now: datetime
) -> str:
    """The counter-signature of the receipt that was handed in. Raises `ProtocolError`."""
    if reply.status != 200 or reply.media_type != MEDIA_TYPE:
        raise Refused("this is no counter-signature")
    token = _ascii(reply.body)
    claims, _ = check_recipient_message(
        token,
        typ=COUNTERSIGNATURE_TYPE,
        expected_client_id=means.client_id,
        trust=trust,
        now=now,
        max_bytes=MAX_ANSWER_BYTES,
    )
    try:
        signed = Countersignature.model_validate(claims)
        made_at = datetime.fromtimestamp(signed.iat, UTC)
    except (ValidationError, OverflowError, ValueError, OSError) as exc:
        raise Refused("this is not a counter-signature of a known form") from exc
    if means.request_id and signed.request_id != means.request_id:
        raise Refused("the counter-signature is about another share")
    if signed.receipt_sha256 != base64url.encode(hashlib.sha256(receipt.encode("ascii")).digest()):
        raise Refused("the counter-signature is about another receipt")
    if not decided_at - SKEW <= made_at <= now + SKEW:
        raise Refused("the counter-signature was made before the share, or will be made")
    return token


def _due(reply: Reply) -> dict[str, Any]:
    """The day that they name for their answer; nothing when they name none that can be read."""
    written = _members(reply).get("due_on")
    try:
        return {"due_on": date.fromisoformat(written).isoformat()} if isinstance(written, str) else {}
    except ValueError:
        return {}


def _members(reply: Reply) -> Mapping[str, Any]:
    try:
        return strict_json.loads_object(reply.body, max_bytes=MAX_ANSWER_BYTES)
    except ProtocolError:
        return {}


def error_code(reply: Reply) -> str:
    """The recipient's error code, if it has one of a usable form; a personal number is none."""
    error = _members(reply).get("error")
    usable = isinstance(error, str) and 0 < len(error) <= 60 and error.isascii() and error.replace("_", "").isalnum()
    return str(error) if usable and not holds_personal_number(str(error)) else f"http_{reply.status}"


def _ascii(body: bytes) -> str:
    try:
        return body.decode("ascii").strip()
    except UnicodeDecodeError as exc:
        raise Refused("this is no JWT") from exc
