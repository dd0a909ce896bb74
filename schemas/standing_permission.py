"""A standing permission: later checks of the status of what was shared, for as long as the person lets it last.

    act = PermissionAct.model_validate(claims)           # read by the recipient: unknown members are ignored
    stated = StatedPermission.model_validate(claims)     # read by the wallet
    stated.claims()                                      # written by the recipient

One recipient, named items, one purpose, twelve months at most (CS-07). It lets nothing be read but whether the
certificate still holds: a new or changed value is asked for anew. docs/standing-permission.md says how the messages
are signed and sent. What a recipient states of its own checks is its word; nobody can see a check that it hides.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from schemas.consent import LocalizedText
from schemas.withdrawal import AboutAShare, ItemReference, Message, StatedItem

PERMISSION_TYPE = "intyga-standing-permission+jwt"
PERMISSION_STATE_TYPE = "intyga-permission-state+jwt"

MOST_CHECKS = 400
"""More than there can be in twelve months: one a day at most."""


class PermissionAction(StrEnum):
    """What the person wants. `status` only asks how it stands and which checks were made."""

    GRANT = "grant"
    STATUS = "status"
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"


class PermissionAct(AboutAShare):
    """The claims of a wish about a permission, beside `aud`, `iat` and `jti`.

    `wished_at` is when the person decided, in milliseconds since 1970: of two wishes the later one counts, in whatever
    order they arrive. A grant names the items (by their references), the last day and the purpose, as offered.
    """

    action: PermissionAction
    wished_at: Annotated[int, Field(ge=0, lt=2**53)] | None = None
    items: Annotated[tuple[ItemReference, ...], Field(min_length=1, max_length=200)] | None = None
    until: date | None = None
    purpose: LocalizedText | None = None

    @model_validator(mode="after")
    def _says_all_of_it(self) -> Self:
        granted = (self.items, self.until, self.purpose)
        if self.action is PermissionAction.GRANT and None in granted:
            raise ValueError("a grant names its items, its last day and its purpose")
        if self.action is not PermissionAction.GRANT and granted != (None, None, None):
            raise ValueError("only a grant names items, a last day and a purpose")
        if self.action is not PermissionAction.STATUS and self.wished_at is None:
            raise ValueError("a wish says when it was made")
        return self


class PermissionState(StrEnum):
    """Where a permission stands: never given, in force, paused, or over for good."""

    NONE = "none"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class EndReason(StrEnum):
    """Why a permission is over."""

    BY_PERSON = "by_person"
    WITHDRAWN = "withdrawn"  # the share was taken back
    DELETED = "deleted"  # what was shared is deleted
    TIME = "time"  # its last day has passed


class RecheckOutcome(StrEnum):
    """What one check came to. Only `valid` says that the certificate still holds."""

    VALID = "valid"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_VALID = "not_valid"  # something else about it no longer holds, such as trust in its issuer
    COULD_NOT_CHECK = "could_not_check"
    DISCARDED = "discarded"  # the permission ended or was paused while it was under way: nothing was kept of it


class StatedCheck(Message):
    """One check that was made under the permission: its number from 1, when (seconds since 1970), what it came to.

    `outcome` is None while it is under way.
    """

    number: Annotated[int, Field(ge=1, le=MOST_CHECKS)]
    at: float
    outcome: RecheckOutcome | None = None


class StatedPermission(Message):
    """The claims of what a recipient states of a permission. Moments are seconds since 1970.

    `answers` is the `jti` of the message that it answers, so that an older statement cannot stand in for it.
    `next_at` is the earliest moment of the next check, None when none may be made.
    """

    iss: str
    iat: float
    answers: str
    request_id: str
    nonce: str
    state: PermissionState
    items: Annotated[tuple[StatedItem, ...], Field(max_length=200)] = ()
    until: date | None = None
    every_days: int | None = None
    granted_at: float | None = None
    ended_at: float | None = None
    end_reason: EndReason | None = None
    next_at: float | None = None
    checks: Annotated[tuple[StatedCheck, ...], Field(max_length=MOST_CHECKS)] = ()

    def claims(self) -> dict[str, Any]:
        """The statement as JSON members, without those that say nothing."""
        return self.model_dump(mode="json", exclude_none=True)
