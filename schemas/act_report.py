"""What an agent's wallet tells the wallet of the person who was acted for: one act, named and never with a value.

    address = read_report_address("https://wallet.example/reports/HANDLE#KEY")    # from the power, put in by its source
    report = ActReport.model_validate(members)

How a report is signed and sealed stands in `proofs/act_report.py`, the whole of it in docs/acting-for-another.md.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import Malformed
from schemas.receipt import BothLanguages, EventType, RecipientLevel

REPORTS_TO: Final = "reports_to"
"""The claim of a power that names where acts are told: put in by its source when the principal wishes it."""
HANDED_OVER: Final = "urn:intyga:act-report:1"
"""For whom a report is made that a person hands over as a file: nobody knows an address then."""
REPORT_MEDIA_TYPE: Final = "application/jose"
MOST_REPORT_BYTES: Final = 60_000
MOST_EVENTS: Final = 50

_ADDRESS = re.compile(r"(https?://[!-\"$-~]{1,400})#([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class ReportAddress:
    """Where a principal's wallet takes reports, and the public key (P-256) that they are sealed to."""

    url: str
    x: str
    y: str

    @property
    def jwk(self) -> dict[str, str]:
        """The public key."""
        return {"kty": "EC", "crv": "P-256", "x": self.x, "y": self.y}

    def __str__(self) -> str:
        return f"{self.url}#{self.x}.{self.y}"


def read_report_address(text: object) -> ReportAddress:
    """The address in a power: `URL#X.Y`, the coordinates of the key in base64url.

    Does not check that the key lies on its curve, nor that the address may be asked. Raises `Malformed`.
    """
    found = _ADDRESS.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise Malformed("This is no address for reports")
    url, x, y = found.groups()
    try:
        parts = urlsplit(url)
        is_plain = bool(parts.hostname) and parts.username is None and parts.password is None and not parts.query
    except ValueError as exc:
        raise Malformed("This is no address for reports") from exc
    if not is_plain:
        raise Malformed("An address for reports holds no name, no password and no query")
    return ReportAddress(url, x, y)


class _Told(BaseModel):
    """Written by us and read from others: nothing that is not named here."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ToldText(BothLanguages):
    """A text of somebody else, of bounded length."""

    sv: Annotated[str, Field(max_length=2000)] = ""
    en: Annotated[str, Field(max_length=2000)] = ""


class ToldRecipient(_Told):
    """Who asked the agent, and how sure the agent's wallet was of that."""

    name: ToldText
    identifier: Annotated[str, Field(max_length=2000)]
    host: Annotated[str, Field(max_length=300)]
    level: RecipientLevel


class ToldItem(_Told):
    """One thing that went, by name: what it is called, in what kind of certificate, from whom. Never its value.

    Without a name it is the certificate itself, which went with nothing but what every share of it shows.
    """

    name: ToldText
    certificate: ToldText
    issuer: Annotated[str, Field(max_length=500)]


class ToldEvent(_Told):
    """What happened, and when by the clock of the agent's wallet.

    Whether it can have been then is asked before it is kept (`wallet/reporting.py`), not here.
    """

    type: EventType
    at: datetime


class ActReport(_Told):
    """One act of an agent. Of the same act a later report says the same, with more events behind those of the earlier.

    `act_id` is random and means nothing elsewhere. No value, no commitment and no pseudonym of the agent is in it.
    """

    schema_version: Literal["urn:intyga:act-report:1"] = Field(default="urn:intyga:act-report:1", alias="schema")
    act_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{16,128}$")]
    recipient: ToldRecipient
    purpose: ToldText | None = None
    items: Annotated[tuple[ToldItem, ...], Field(max_length=400)] = ()
    kept_until: date | None = None
    withdraw_url: Annotated[str, Field(max_length=2000)] | None = None
    withdraw_contact: Annotated[str, Field(max_length=500)] | None = None
    events: Annotated[tuple[ToldEvent, ...], Field(min_length=1, max_length=MOST_EVENTS)]

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    def continues(self, earlier: "ActReport") -> bool:
        """Whether this says the same of the same act, with the earlier events first."""
        same = self.model_dump(exclude={"events"}) == earlier.model_dump(exclude={"events"})
        return same and self.events[: len(earlier.events)] == earlier.events
