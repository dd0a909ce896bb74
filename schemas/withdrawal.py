"""What is said about a share after it: taking back, asking for deletion, the deletion statement, the counter-signature.

    act = WithdrawalAct.model_validate(claims)             # read by the recipient: unknown members are ignored
    statement = DeletionStatement.model_validate(claims)   # read by the wallet
    statement.claims()                                     # written by the recipient

The messages are JWTs; docs/withdrawal.md says how they are signed and sent. A deletion statement is a statement by the
one who signed it, not a proof that no copy exists. It names items and never tells a value.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from schemas.consent import LocalizedText, Path, ShortText

WITHDRAWAL_TYPE = "intyga-withdrawal+jwt"
STATEMENT_TYPE = "intyga-deletion-statement+jwt"
RECEIPT_SUBMISSION_TYPE = "intyga-receipt-submission+jwt"
COUNTERSIGNATURE_TYPE = "intyga-receipt-countersignature+jwt"
MEDIA_TYPE = "application/jwt"

Credential = Annotated[ShortText, StringConstraints(min_length=1)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~-]{1,128}$")]


class Message(BaseModel):
    """What comes from outside: unknown members are ignored, values do not change once they exist."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Action(StrEnum):
    """What the person wants.

    `withdraw`: take the share back, so that its use stops and everything is deleted. `erase`: delete everything, or
    the items named. `status`: only say what became of it.
    """

    WITHDRAW = "withdraw"
    ERASE = "erase"
    STATUS = "status"


class ItemReference(Message):
    """One thing that was shared: the `id` of its credential query, and a claims path in it.

    An empty path speaks of the whole credential; a number or None in it of one or of every element of an array.
    """

    credential: Credential
    path: Annotated[Path, Field(max_length=32)] = ()


class AboutAShare(Message):
    """What names the share: the nonce of its request or its `request_id` (in the notice), or both."""

    nonce: Identifier | None = None
    request_id: Identifier | None = None

    @model_validator(mode="after")
    def _names_a_share(self) -> Self:
        if self.nonce is None and self.request_id is None:
            raise ValueError("the share is named by its nonce or its request_id")
        return self


class WithdrawalAct(AboutAShare):
    """The claims of a withdrawal, beside `aud`, `iat` and `jti`.

    `items` is None for everything; only `erase` may name some. `receipt_id` is the record of the person's own receipt.
    """

    action: Action
    items: Annotated[tuple[ItemReference, ...], Field(min_length=1, max_length=200)] | None = None
    receipt_id: Identifier | None = None
    language: Literal["sv", "en"] = "sv"

    @model_validator(mode="after")
    def _names_items_to_erase(self) -> Self:
        if self.items is not None and self.action is not Action.ERASE:
            raise ValueError("only `erase` speaks of chosen items")
        return self


class ReceiptSubmission(AboutAShare):
    """The claims of a receipt handed in for counter-signing, beside `aud`, `iat` and `jti`: the receipt as its JWT."""

    receipt: Annotated[str, StringConstraints(min_length=1, max_length=200_000)]


class Reason(StrEnum):
    """Why something was deleted: taken back, deletion was asked for, or its time was over."""

    WITHDRAWN = "withdrawn"
    ERASED = "erased"
    RETENTION = "retention"


class StatementOutcome(StrEnum):
    """What became of it: everything that the statement is about was deleted, a part of it, or nothing."""

    DELETED = "deleted"
    PARTLY = "partly"
    REFUSED = "refused"


class Ground(StrEnum):
    """The grounds on which deletion may be refused (GDPR, article 17(3), a to e)."""

    EXPRESSION = "freedom_of_expression"
    LEGAL_OBLIGATION = "legal_obligation_or_public_task"
    PUBLIC_HEALTH = "public_health"
    ARCHIVING = "archiving_or_research"
    LEGAL_CLAIMS = "legal_claims"


class StatedItem(ItemReference):
    """An item in a statement, with what it is called."""

    label: LocalizedText


class StatedException(Message):
    """What was not deleted, on which ground, and why in the recipient's own words (both languages)."""

    ground: Ground
    words: LocalizedText
    items: tuple[StatedItem, ...]


class DeletionStatement(Message):
    """The claims of a deletion statement. Moments are seconds since 1970.

    `deleted_at` is None when nothing was deleted. `backups_until` is the day by which copies in backups are gone as
    well. `systems` says what the statement covers, `informed` who else was told to delete. `destroyed_keys` are the
    identifiers of the keys under which the values rested, one per presentation.
    """

    iss: str
    iat: float
    request_id: str
    nonce: str
    receipt_id: Identifier | None = None
    reason: Reason
    outcome: StatementOutcome
    items: tuple[StatedItem, ...]
    deleted_at: float | None = None
    backups_until: date | None = None
    systems: tuple[LocalizedText, ...] = ()
    informed: tuple[LocalizedText, ...] = ()
    exceptions: tuple[StatedException, ...] = ()
    destroyed_keys: tuple[str, ...] = ()

    def claims(self) -> dict[str, Any]:
        """The statement as JSON members, without those that say nothing."""
        return self.model_dump(mode="json", exclude_none=True)


class Countersignature(Message):
    """The claims of a counter-signature: the recipient received what the receipt with this digest says.

    `receipt_sha256` is the base64url SHA-256 of the receipt's JWT as it was handed in.
    """

    iss: str
    iat: float
    request_id: str
    receipt_sha256: str
