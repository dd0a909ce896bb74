"""Notifications: what became of copies in the wallet (OpenID4VCI 1.0, section 11).

An identifier is made for each answer with copies and is not stored: it names no certificate and can be recognised only
under an access token for it.
"""

import hmac
import secrets
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from issuer.derivation import IssuerSecret
from issuer.issuance import Access
from schemas.issuance import InvalidNotificationID, InvalidNotificationRequest

_RANDOM_BYTES = 12
_MAX_DESCRIPTION = 1_000


class WalletEvent(StrEnum):
    """What a wallet tells. `UNKNOWN` until it has told anything."""

    UNKNOWN = ""
    ACCEPTED = "credential_accepted"
    FAILURE = "credential_failure"
    DELETED = "credential_deleted"


def new_notification_id(offer_id: str, *, secret: IssuerSecret) -> str:
    """A fresh identifier for one answer with copies of this certificate."""
    salt = secrets.token_urlsafe(_RANDOM_BYTES)
    return f"{salt}.{secret.notification_mark(offer_id, salt)}"


def read_notification(request: Mapping[str, Any], access: Access, *, secret: IssuerSecret) -> tuple[str, WalletEvent]:
    """Which certificate is told of, and what. Unknown members are ignored.

    Raises `InvalidNotificationRequest`, and `InvalidNotificationID` for an identifier of another access token.
    """
    identifier, event, description = (request.get(name) for name in ("notification_id", "event", "event_description"))
    if not isinstance(identifier, str) or not isinstance(event, str) or event == "":
        raise InvalidNotificationRequest("notification_id and event are needed")
    if event not in set(WalletEvent):
        raise InvalidNotificationRequest("the event is unknown")
    if description is not None and not _is_description(description):
        raise InvalidNotificationRequest("event_description holds characters that are not allowed")
    salt, _, mark = identifier.partition(".")
    for grant in access.grants:
        expected = secret.notification_mark(grant.offer_id, salt)
        if hmac.compare_digest(mark.encode("utf-8", "replace"), expected.encode()):
            return grant.offer_id, WalletEvent(event)
    raise InvalidNotificationID


def _is_description(text: object) -> bool:
    return (
        isinstance(text, str)
        and len(text) <= _MAX_DESCRIPTION
        and all(0x20 <= ord(character) <= 0x7E and character not in '"\\' for character in text)
    )
