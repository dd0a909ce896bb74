"""What the wallet says about a standing permission, and what it makes of the answers. Nothing is believed unchecked.

An answer counts when it is signed under the certificate that the recipient's identifier names, answers this very
message about this very share, and claims no more than the person allowed: no later day, no other item.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from proofs.after_share import check_recipient_message, sign_holder_message
from proofs.trust import TrustList
from schemas.errors import ProtocolError, Refused
from schemas.standing_permission import (
    PERMISSION_STATE_TYPE,
    PERMISSION_TYPE,
    PermissionAction,
    PermissionState,
    StatedPermission,
)
from schemas.withdrawal import MEDIA_TYPE, ItemReference
from wallet.ledger import Entry
from wallet.permitting.standing import Granted
from wallet.taking_back import Means, Reply, covers_reference, error_code
from wallet.taking_back.messages import MAX_ANSWER_BYTES, SKEW


class NotUsable(Exception):
    """The answer tells nothing that could be relied on. `reason` is a code for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def permission_message(
    means: Means, action: PermissionAction, entry: Entry, *, jti: str, wished_at: datetime, now: datetime
) -> str:
    """The message that gives, pauses, resumes or ends the permission of a share, or asks how it stands.

    A grant says all of what the person allowed: the items, the last day, the purpose.
    """
    named = {"nonce": means.nonce, "request_id": means.request_id}
    claims: dict[str, Any] = {
        "aud": means.client_id,
        "iat": int(now.timestamp()),
        "jti": jti,
        "action": action.value,
        **{name: value for name, value in named.items() if value},
    }
    if action is not PermissionAction.STATUS:
        claims["wished_at"] = int(wished_at.timestamp() * 1000)
    if action is PermissionAction.GRANT:
        granted = granted_of(entry)
        claims |= {
            "until": granted.until.isoformat(),
            "purpose": granted.purpose.model_dump(),
            "items": [one.model_dump(mode="json") for one in references_of(entry, granted)],
        }
    return sign_holder_message(claims, signer=means.signer, typ=PERMISSION_TYPE)


def granted_of(entry: Entry) -> Granted:
    """What the person allowed with a share."""
    assert entry.decided is not None
    return Granted.of(entry.decided["recheck"])


def references_of(entry: Entry, granted: Granted) -> tuple[ItemReference, ...]:
    """The items that may be checked, as the recipient knows them."""
    written = [one for number in granted.items for one in entry.shared[number].get("references", ())]
    return tuple(dict.fromkeys(ItemReference.model_validate(one) for one in written))


def read_permission(
    reply: Reply, means: Means, entry: Entry, *, answers: str, trust: TrustList, now: datetime
) -> dict[str, Any]:
    """What the recipient states, as facts: its JWT and its members. Raises `NotUsable`.

    `answers` is the `jti` of the message that it has to answer.
    """
    if reply.status == 429:
        raise NotUsable("too_many_requests")
    if 400 <= reply.status < 500:
        raise NotUsable(error_code(reply))
    if reply.status != 200 or reply.media_type != MEDIA_TYPE:
        # A redirect is not followed: the address was the recipient's word, another one is not.
        raise NotUsable(f"http_{reply.status}")
    try:
        token = reply.body.decode("ascii").strip()
        stated = _stated(token, means, entry, answers=answers, trust=trust, now=now)
    except (ProtocolError, UnicodeDecodeError) as exc:
        raise NotUsable("answer_not_valid") from exc
    if _claims_more(stated, entry):
        raise NotUsable("more_than_allowed")
    return {"token": token, "permission": stated.claims()}


def _stated(
    token: str, means: Means, entry: Entry, *, answers: str, trust: TrustList, now: datetime
) -> StatedPermission:
    claims, _ = check_recipient_message(
        token,
        typ=PERMISSION_STATE_TYPE,
        expected_client_id=means.client_id,
        trust=trust,
        now=now,
        max_bytes=MAX_ANSWER_BYTES,
    )
    assert entry.decided_at is not None
    earliest, latest = (entry.decided_at - SKEW).timestamp(), (now + SKEW).timestamp()
    try:
        stated = StatedPermission.model_validate(claims)
        moments = [stated.iat, *(one.at for one in stated.checks)]
        moments += [one for one in (stated.granted_at, stated.ended_at) if one is not None]
    except ValidationError as exc:
        raise Refused("this is not a statement of a known form") from exc
    if stated.nonce != means.nonce or (means.request_id and stated.request_id != means.request_id):
        raise Refused("the statement is about another share")
    if stated.answers != answers:
        raise Refused("the statement answers another message")
    if not all(earliest <= moment <= latest for moment in moments):
        raise Refused("the statement speaks of what was before the share, or will be")
    granted = granted_of(entry)
    # Who counts from the last check names a next one after the last day, and does no wrong: it is not shown.
    latest_next = (granted.over_at + timedelta(days=granted.every_days)).timestamp()
    if stated.next_at is not None and not earliest <= stated.next_at <= latest_next:
        raise Refused("the statement speaks of a next check before the share, or long after the last day")
    if [one.number for one in stated.checks] != list(range(1, len(stated.checks) + 1)):
        raise Refused("the checks are not numbered one by one")
    return stated


def _claims_more(stated: StatedPermission, entry: Entry) -> bool:
    """Whether they state a permission for longer, or of other items, than the person gave."""
    if stated.state in (PermissionState.NONE, PermissionState.ENDED):
        return False
    granted = granted_of(entry)
    allowed: Sequence[ItemReference] = references_of(entry, granted)
    is_longer = stated.until is None or stated.until > granted.until
    return is_longer or not all(any(covers_reference(one, item) for one in allowed) for item in stated.items)
