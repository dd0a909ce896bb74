"""What is said about a share: the verifier's notice before it, and what is kept of it afterwards.

The **request notice** is what a verifier declares about its request: who it is, what for, why each item, until when,
on which ground, to whom it passes data on, and how to take back. It travels in `verifier_info` of an OpenID4VP request
(section 5.11), either signed (`intyga-notice+jwt`, bound to `client_id` and `nonce` of that request) or, in an unsigned
request, as a plain object (`intyga-notice`), which says much and proves nothing.

    notice = RequestNotice.model_validate(claims)      # unknown members are ignored, faulty ones refused
    notice.purpose.text("sv")
    notice.retention_date(asked_at)                    # a date, whatever form the promise has

Every text in a notice is the verifier's own and hostile until shown as a quotation: lengths are bounded, and characters
that could restyle or reorder the page around it are refused.
"""

import unicodedata
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

# ---------------------------------------------------------------------------------------------------------------------
# Words that both sides of a share use

NOTICE_TYPE = "intyga-notice+jwt"  # `format` in verifier_info and `typ` of the signed notice
PLAIN_NOTICE_FORMAT = "intyga-notice"  # `format` of the notice of an unsigned request

LANGUAGES = ("sv", "en")

_REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _plain(text: str) -> str:
    """Refuse what could restyle or reorder the text around a quotation: control, format and surrogate characters."""
    for character in text:
        if character in _REORDERING or unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}:
            raise ValueError("text holds a control, reordering or unassigned character")
    return text


ShortText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=160), AfterValidator(_plain)]
LongText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=600), AfterValidator(_plain)]
Address = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000), AfterValidator(_plain)]
Path = tuple[str | Annotated[int, Field(ge=0)] | None, ...]


class _Message(BaseModel):
    """What comes from outside: unknown members are ignored, values do not change once they exist."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class LocalizedText(_Message):
    """One text in Swedish, in English, or both; never in neither."""

    sv: LongText = ""
    en: LongText = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.sv or self.en):
            raise ValueError("a text needs at least one language, sv or en")
        return self

    def text(self, language: str) -> str:
        """The text in `language`, or in the other one when it is missing."""
        return (self.sv or self.en) if language == "sv" else (self.en or self.sv)

    @property
    def is_complete(self) -> bool:
        """True when both languages are there."""
        return bool(self.sv and self.en)


class Basis(StrEnum):
    """The ground in law that the verifier declares (GDPR, article 6(1)). The wallet shows it as said, not as true."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal_obligation"
    VITAL_INTERESTS = "vital_interests"
    PUBLIC_TASK = "public_task"
    LEGITIMATE_INTEREST = "legitimate_interest"


# ---------------------------------------------------------------------------------------------------------------------
# The request notice (verifier to wallet)


class Controller(_Message):
    """Who asks, in the verifier's own words."""

    name: LocalizedText
    contact: ShortText
    organisation_number: ShortText = ""
    country: ShortText = ""
    website: ShortText = ""
    data_protection_contact: ShortText = ""


class NoticeItem(_Message):
    """One thing asked for: the path in a credential query, and why.

    `credential` is the `id` of a credential query in the DCQL query, `path` a claims path of it as it stands there; an
    empty path speaks of the whole credential.
    """

    credential: ShortText
    path: Path = ()
    reason: LocalizedText
    label: LocalizedText | None = None


class Retention(_Message):
    """How long the data are kept: until a date, or for a number of days from the answer."""

    until: date | None = None
    days: Annotated[int, Field(ge=1, le=36_525)] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.until is None) == (self.days is None):
            raise ValueError("retention is either `until` a date or a number of `days`")
        return self


class Withdrawal(_Message):
    """Where to take back or ask for deletion: an endpoint for wallets (docs/withdrawal.md), a page, a contact, a phone.

    `endpoint` and `url` are addresses as the verifier wrote them: who uses one, checks it first.
    """

    endpoint: Address = ""
    url: ShortText = ""
    contact: ShortText = ""
    phone: ShortText = ""

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not (self.endpoint or self.url or self.contact or self.phone):
            raise ValueError("withdraw needs an endpoint, a url, a contact or a phone")
        return self


MOST_DAYS_BETWEEN_CHECKS: Final = 366


def latest_recheck(asked_on: date) -> date:
    """The last day that a standing permission asked for on a day can have: the same day twelve months later (CS-07)."""
    try:
        return asked_on.replace(year=asked_on.year + 1)
    except ValueError:  # The 29th of February.
        return asked_on.replace(year=asked_on.year + 1, day=28)


class RecheckOffer(_Message):
    """What a verifier would like to do later, if the person allows it: check again how the certificate stands.

    Only its status, until a day, at most once in so many days, for one purpose (docs/standing-permission.md). Nothing
    of it is agreed to by answering the request. `endpoint` is an address as the verifier wrote it.
    """

    until: date
    every_days: Annotated[int, Field(ge=1, le=MOST_DAYS_BETWEEN_CHECKS)]
    purpose: LocalizedText
    endpoint: Annotated[Address, StringConstraints(min_length=1)]


def _or_nothing(value: Any, read: ValidatorFunctionWrapHandler) -> RecheckOffer | None:
    """An offer that cannot be understood is none: the request itself stays good without it."""
    try:
        offer = read(value)
    except ValidationError:
        return None
    return offer if isinstance(offer, RecheckOffer) else None


class DemandedAge(_Message):
    """How old at most a statement may be that answers one credential query: so many calendar days, 0 for "as of today".

    Days begin in `time_zone` (an IANA name), the recipient's; where it is missing or unknown, in the reader's own. A
    wallet that knows it renews a statement before it shows it.
    """

    credential: ShortText
    days: Annotated[int, Field(ge=0, le=3_650)]
    time_zone: ShortText = ""

    def earliest_day(self, *, at: datetime, otherwise: str) -> date:
        """The earliest day of which the statement may be true at this moment; `otherwise` is the reader's zone."""
        try:
            zone = ZoneInfo(self.time_zone or otherwise)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # Any text may stand there, also a path.
            zone = ZoneInfo(otherwise)
        return at.astimezone(zone).date() - timedelta(days=self.days)


class RequestNotice(_Message):
    """What a verifier declares about one request.

    `client_id`, `nonce` and `iat` bind the signed notice to its request and are empty in a plain one.
    `receipt_endpoint` is where receipts are counter-signed (docs/withdrawal.md), `ages` how old statements may be.
    `recheck` is None when later checks are not asked for, or not in a way that can be understood. `retention`, `basis`,
    `recipients`, `processors`, `countries` and `automated_decisions` are None when nothing was declared, which a wallet
    shows as "not stated": an empty list says "none". Recipients get the data for purposes of their own, processors
    handle them on behalf of the controller (GDPR, article 4(8) and (9)).
    """

    client_id: str = ""
    nonce: str = ""
    iat: float | None = None
    request_id: ShortText = ""
    controller: Controller
    purpose: LocalizedText
    items: Annotated[tuple[NoticeItem, ...], Field(max_length=200)] = ()
    retention: Retention | None = None
    basis: Basis | None = None
    basis_detail: LocalizedText | None = None
    recipients: Annotated[tuple[LocalizedText, ...], Field(max_length=50)] | None = None
    processors: Annotated[tuple[LocalizedText, ...], Field(max_length=50)] | None = None
    countries: Annotated[tuple[ShortText, ...], Field(max_length=50)] | None = None
    automated_decisions: bool | None = None
    withdraw: Withdrawal | None = None
    receipt_endpoint: Address = ""
    recheck: Annotated[RecheckOffer | None, WrapValidator(_or_nothing)] = None
    ages: Annotated[tuple[DemandedAge, ...], Field(max_length=50)] = ()

    def claims(self) -> dict[str, Any]:
        """The notice as JSON members, without those that declare nothing."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def retention_date(self, asked_at: datetime) -> date | None:
        """The last day on which the data are kept; None when no retention was declared."""
        if self.retention is None:
            return None
        if self.retention.until is not None:
            return self.retention.until
        return asked_at.date() + timedelta(days=self.retention.days or 0)

    def reason_for(self, credential: str, path: Path) -> LocalizedText | None:
        """The reason given for one path of one credential query; None when none was."""
        for item in self.items:
            if item.credential == credential and item.path == path:
                return item.reason
        return None


# ---------------------------------------------------------------------------------------------------------------------
# The receipt (wallet to person)
