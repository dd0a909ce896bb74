"""The receipt of a share: what the person keeps, and may show, without any of the values.

Its shape follows the record of ISO/IEC TS 27560, with every field that is mandatory there: who (controller), with which
notice, for which purposes on which ground, which items, for how long, passed on to whom, which rights, and what
happened when. Items are named and committed to, never told: `commitment` is a digest over a secret salt and the value,
and the salt stays sealed in the person's vault. With the salt, and only with it, the person can later prove what was
shared.

    receipt = Receipt.model_validate(claims)

See docs/receipt.md.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

RECEIPT_TYPE = "intyga-receipt+jwt"


class _Written(BaseModel):
    """What we write: nothing that is not named here."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BothLanguages(_Written):
    """A text in Swedish and English; one of them may be empty when its author gave only the other."""

    sv: str = ""
    en: str = ""

    def text(self, language: str) -> str:
        """The text in `language`, or in the other one when it is missing."""
        return (self.sv or self.en) if language == "sv" else (self.en or self.sv)


class RecipientLevel(StrEnum):
    """How sure the wallet was of who asked."""

    REGISTERED = "registered"
    CERTIFICATE = "certificate"
    UNPROVEN = "unproven"


class Controller(_Written):
    """Who asked. `name` is the proven one, or what the recipient says of itself when `level` is `unproven`."""

    name: BothLanguages
    identifier: str
    level: RecipientLevel
    host: str
    contact: str | None = None
    organisation_number: str | None = None
    country: str | None = None
    data_protection_contact: str | None = None
    party_type: Literal["recipient"] | None = None
    supervisory_authority: str


class Notice(_Written):
    """The recipient's notice: its digest as received, whether it was signed and bound to this request."""

    digest: str | None = None
    signed: bool
    language: Literal["sv", "en"]


class Purpose(_Written):
    """What for, in the recipient's words, and the ground in law that it declared."""

    text: BothLanguages | None = None
    basis: str | None = None
    basis_detail: BothLanguages | None = None


class Item(_Written):
    """One thing shared: its name and its commitment, never its value.

    `certificate` is what certificates of its type are called: the title of this very one is a value of it.
    `path` is the claims path in the certificate of type `certificate_type`. `approved_separately` tells that the person
    said yes to this very item (sensitive, optional, or on the ground of consent).
    """

    name: BothLanguages
    certificate: BothLanguages
    certificate_type: str
    issuer: str
    path: tuple[str | int, ...]
    required: bool
    approved_separately: bool
    commitment: str


class CameAlong(_Written):
    """What a certificate shows in every share: the names of these items, never their values.

    `certificate` is what certificates of its type are called. Its kind, its issuer and how long it holds come along
    as well; `items` are what it shows beside them.
    """

    certificate: BothLanguages
    items: tuple[BothLanguages, ...]


class Retention(_Written):
    """Until when the recipient said it keeps the items."""

    until: date


class Rights(_Written):
    """How to take back or ask for deletion, as the recipient declared it, and whom to complain to."""

    withdraw_url: str | None = None
    withdraw_contact: str | None = None
    withdraw_phone: str | None = None


class StandingPermission(_Written):
    """The later checks of the status that the person allowed with the share: until when, at most once in how many days,
    what for in the recipient's words, of which items (their places in `items`), and in which language they read it."""

    until: date
    every_days: int
    purpose: BothLanguages
    items: tuple[int, ...]
    language: Literal["sv", "en"] | None = None


class ActingFor(_Written):
    """Who decided for whom, under a power that `power_issuer` gave and that holds until its last day. The two names are
    parties of the receipt, not items of the share."""

    principal: str
    agent: str
    power_issuer: str
    power_ends_on: date


class EventType(StrEnum):
    """What happened. Those from `withdrawn` on come after a share: what the person wished, what the recipient said."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    DELIVERED = "delivered"
    NOT_ACCEPTED = "not_accepted"
    NOT_DELIVERED = "not_delivered"
    OUTCOME_UNKNOWN = "outcome_unknown"
    WITHDRAWN = "withdrawn"
    DELETION_REQUESTED = "deletion_requested"
    DELETION_ACKNOWLEDGED = "deletion_acknowledged"
    DELETION_STATED = "deletion_stated"
    COMPLAINED = "complained"
    CONFIRMED = "confirmed"
    PERMISSION_PAUSED = "permission_paused"
    PERMISSION_RESUMED = "permission_resumed"
    PERMISSION_ENDED = "permission_ended"
    CHECKED_AGAIN = "checked_again"


class Event(_Written):
    """One event, with who acted. Of the yes alone: that it was an explicit one, and the last day on which it holds, if
    the recipient said until when it keeps the items."""

    type: EventType
    at: datetime
    actor: Literal["holder", "recipient", "wallet"]
    consent_type: Literal["explicit"] | None = None
    valid_until: date | None = None


class Receipt(_Written):
    """The receipt of one share, or of a refusal.

    What the recipient said of purpose, ground and recipients stands in both as it said it. Of a refusal
    nothing is kept: `retention` is None, and `asked_retention` says until when the recipient would have kept the items.

    `record_id` is the share; `receipt_id` tells this state of its record from earlier and later ones. `jurisdiction` is
    whose law of data protection applies. Receipts of before these were kept are read without them.

    `holder_pseudonym` is the same towards one recipient and different towards any two. `recipients`, `processors`,
    `countries` and `automated_decisions` are None when the recipient declared nothing. `declarations`
    are the sentences that the person confirmed with the share, word for word.
    """

    schema_version: Literal["urn:intyga:receipt:1"] = Field(default="urn:intyga:receipt:1", alias="schema")
    record_id: str
    receipt_id: str = ""
    jurisdiction: Literal["EU"] | None = None
    language: Literal["sv", "en"]
    holder_pseudonym: str
    controller: Controller
    notice: Notice
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1)]
    items: tuple[Item, ...]
    came_along: tuple[CameAlong, ...] = ()
    declarations: tuple[BothLanguages, ...] = ()
    recipients: tuple[BothLanguages, ...] | None = None
    processors: tuple[BothLanguages, ...] | None = None
    countries: tuple[str, ...] | None = None
    automated_decisions: bool | None = None
    retention: Retention | None = None
    asked_retention: Retention | None = None
    rights: Rights
    standing_permission: StandingPermission | None = None
    acting_for: ActingFor | None = None
    events: tuple[Event, ...]
    previous_event_digest: str

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    def claims(self) -> dict[str, Any]:
        """The receipt as JSON members; what only some receipts say stands in those alone."""
        members = self.model_dump(mode="json", by_alias=True)
        for name in (
            "receipt_id",
            "jurisdiction",
            "declarations",
            "standing_permission",
            "asked_retention",
            "acting_for",
        ):
            if not members[name]:
                del members[name]
        for event in members["events"]:
            for name in ("consent_type", "valid_until"):
                if event[name] is None:
                    del event[name]
        if members["controller"]["party_type"] is None:
            del members["controller"]["party_type"]
        return members

    @property
    def is_refusal(self) -> bool:
        """Whether the person decided not to share."""
        return any(event.type is EventType.REFUSED for event in self.events)
