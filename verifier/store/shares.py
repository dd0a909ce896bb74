"""The share that a message of its holder is about, found by a key that bound it; the message is spent with it.

A key that bound nothing here, an unknown request and another audience are one and the same answer.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from proofs.after_share import CheckedHolderMessage
from schemas.errors import NotFound, ProtocolError
from schemas.withdrawal import AboutAShare
from service.single_use import spend
from verifier.store.mapping import WHOLE
from verifier.store.tables import HOLDER_KEYS, REQUESTS, SPENT

_JTI_KIND: Final = "holder message"
_KEPT_JTI: Final = timedelta(minutes=15)  # Longer than a message can be fresh, before and after its time.


class NoSuchShare(NotFound):
    """There is no such share, or this key has nothing to do with it: which of the two is not told."""


class Replayed(ProtocolError):
    """The message was used before; a new one with another jti gets the same answer."""

    error = "replayed"


def spent_share(connection: Connection, message: CheckedHolderMessage, about: AboutAShare, now: datetime) -> Row[Any]:
    """The share that a key bound; its message is spent, in the caller's transaction.

    Raises `NoSuchShare`, `Replayed`.
    """
    bound = select(HOLDER_KEYS.c.request_id).where(HOLDER_KEYS.c.thumbprint == message.thumbprint)
    wanted = WHOLE.where(REQUESTS.c.id.in_(bound), REQUESTS.c.client_id == message.audience)
    if about.nonce is not None:
        wanted = wanted.where(REQUESTS.c.nonce == about.nonce)
    if about.request_id is not None:
        wanted = wanted.where(REQUESTS.c.handle == about.request_id)
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise NoSuchShare
    spent = f"{message.thumbprint}\x00{message.jti}"
    if not spend(connection, SPENT, kind=_JTI_KIND, value=spent, expires_at=now + _KEPT_JTI, now=now):
        raise Replayed
    return row
