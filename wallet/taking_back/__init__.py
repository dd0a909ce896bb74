"""Taking back what was shared: what is kept for it, the messages, and how it stands (docs/withdrawal.md).

    means = means_of(checked, key)                   # kept from the moment of sharing, sealed
    token = withdrawal(means, Action.WITHDRAW, entry_id=..., now=now)
    answered = read_reply(reply, means, expected_receipt_id=..., decided_at=..., trust=trust, now=now)
    standing_of(entry, now=now, time_zone="Europe/Stockholm").state

A deletion statement is shown as what somebody says, never as a proof.
"""

from wallet.taking_back.means import Means, forget_at, means_of, signs_statements
from wallet.taking_back.messages import (
    Answered,
    NoAnswer,
    NotDelivered,
    Reply,
    Transport,
    error_code,
    read_countersignature,
    read_reply,
    receipt_submission,
    withdrawal,
)
from wallet.taking_back.standing import (
    PENDING,
    Standing,
    State,
    can_take_back,
    covers_reference,
    one_month_after,
    separable,
    standing_of,
)

__all__ = [
    "PENDING",
    "Answered",
    "Means",
    "NoAnswer",
    "NotDelivered",
    "Reply",
    "Standing",
    "State",
    "Transport",
    "can_take_back",
    "covers_reference",
    "error_code",
    "forget_at",
    "means_of",
    "one_month_after",
    "read_countersignature",
    "read_reply",
    "receipt_submission",
    "separable",
    "signs_statements",
    "standing_of",
    "withdrawal",
]
