"""Standing permissions to check again: how one stands, and the messages about it (docs/standing-permission.md).

    found = permission_of(entry, now=now)            # None where the person gave none
    token = permission_message(means, action, entry, jti=jti, wished_at=..., now=now)
    told = read_permission(reply, means, entry, answers=jti, trust=trust, now=now)

What a recipient tells of its own checks is shown as that: a check that it hides is seen by nobody.
"""

from wallet.permitting.messages import NotUsable, permission_message, read_permission
from wallet.permitting.standing import Check, Granted, PermissionStanding, allowed_with, permission_of

__all__ = [
    "Check",
    "Granted",
    "NotUsable",
    "PermissionStanding",
    "allowed_with",
    "permission_message",
    "permission_of",
    "read_permission",
]
