"""Messages of wallets about a share, from the bytes that were posted to checked claims.

    message = holder_message(body, typ=WITHDRAWAL_TYPE, max_bytes=60_000, by_key=limit, now=now)
    act = claims_of(WithdrawalAct, message)

Whether the key has anything to do with a share is the store's to say.
"""

from datetime import datetime
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from proofs.after_share import CheckedHolderMessage, InvalidHolderMessage, check_holder_message
from service.rate_limits import RateLimit

FRESH_SECONDS: Final = 300
PER_KEY_AND_MINUTE: Final = 60
"""More than any wallet has to say of one share; every one of them may be a line in the log."""

Claims = TypeVar("Claims", bound=BaseModel)


def holder_message(body: bytes, *, typ: str, max_bytes: int, by_key: RateLimit, now: datetime) -> CheckedHolderMessage:
    """A message whose signature holds and that is of now; each that one key sends is counted by `by_key`.

    Raises `InvalidHolderMessage` and `TooManyRequests`.
    """
    if len(body) > max_bytes or not body.isascii():
        raise InvalidHolderMessage("the message is too large, or no JWT")
    message = check_holder_message(
        body.decode("ascii").strip(), typ=typ, now=now, max_age_seconds=FRESH_SECONDS, max_bytes=max_bytes
    )
    by_key.check(message.thumbprint, now=now)
    return message


def claims_of(kind: type[Claims], message: CheckedHolderMessage) -> Claims:
    """The claims of a message as such. Raises `InvalidHolderMessage`, naming what is wrong and no value."""
    try:
        return kind.model_validate(message.claims)
    except ValidationError as exc:
        places = {str(fault["loc"][0]) if fault["loc"] else "nonce" for fault in exc.errors(include_input=False)}
        named = ", ".join(sorted(place for place in places if place in kind.model_fields))
        raise InvalidHolderMessage(f"the claims are not as they must be: {named}") from exc
