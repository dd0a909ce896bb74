"""What programs read from `/api`: each answer as a model, so that the description of the interface says all of it.

The texts below the members are what `docs/verifier-openapi.json` tells of them. Moments are RFC 3339 with their offset,
days are YYYY-MM-DD.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict

from schemas.standing_permission import PermissionState, RecheckOutcome


class Message(BaseModel):
    """An answer has exactly the members of its model, all of them always."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Problem(BaseModel):
    """Why something was refused (problem details, RFC 9457). Decide by `error`."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str = "about:blank"
    """Always `about:blank`: the status says the kind."""
    title: str
    """The status in words."""
    status: int
    """The HTTP status."""
    detail: str
    """What was wrong, in an English sentence; it may change."""
    error: str
    """The stable code: `invalid_token`, `unknown_template`, `not_found`, ..."""
    error_id: str = ""
    """With a fault of the service: the number under which its log names it."""


REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "No API key, an unknown one, or one that was revoked"},
    429: {"model": Problem, "description": "Too much at once; `Retry-After` says in how many seconds to come back"},
    "4XX": {"model": Problem, "description": "Refused; nothing was changed"},
    "5XX": {"model": Problem, "description": "Busy, stopping, or a fault of the service; ask again later"},
}
"""What every operation can be refused with."""

NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is none of this name or id that this key sees"}
}


def changed_meanwhile(description: str) -> dict[int | str, dict[str, Any]]:
    """What an operation is refused with when things stand otherwise than it needs."""
    return {409: {"model": Problem, "description": description}}


class Texts(Message):
    """One text in both languages."""

    sv: str
    """In Swedish."""
    en: str
    """In English."""


# ---------------------------------------------------------------------------------------------------------------------
# Asking


class RequestMade(Message):
    """A request that was made, and the ways to hand it over."""

    id: str
    """For the result; it must not leave your systems."""
    request: str
    """The whole link for a wallet app, and the text of a QR code."""
    request_https: str
    """The same for a web wallet; it leads to a page of the verifier's where the person chooses one."""
    code: str
    """What a person can type into a wallet, `host/CODE`, for 15 minutes."""
    expires_at: str
    """The moment until which it can be answered."""


class BroughtBack(Message):
    """The browser came back."""

    id: str
    """The id of the request whose result counts from now on."""


class TemplateLine(Message):
    """One template at hand."""

    name: str
    """What it is asked by."""
    title: Texts
    """What people call it."""
    types: list[str]
    """Every type (`vct`) that it asks for."""


class TemplateList(Message):
    """The templates at hand."""

    templates: list[TemplateLine]
    """In the order of their names."""
    faulty: dict[str, str]
    """Files that are no template, by name, and what each lacks."""


class SourceOut(Message):
    """Somebody whom the verifier trusts to issue a kind of certificate."""

    name: str
    """What people call it."""
    url: str | None
    """The address where people fetch it; null when only the name is known (a root certificate without an address)."""
    every_kind: bool
    """True when it is trusted for every kind of certificate: whether it issues this one is not known here."""


class CertificateKind(Message):
    """One kind of certificate that can be shown."""

    query: str
    """The id of its query in the request."""
    title: Texts
    """What people call it."""
    types: list[str]
    """The types (`vct`) of which any is good enough."""
    max_age_days: int | None
    """How many days old its statement may be: 0 is "as of today", null any age."""
    sources: list[SourceOut]
    """Who issues it; those trusted for this kind by name, or else those trusted for every kind."""


class NeedOut(Message):
    """One thing that is needed, and the ways to meet it."""

    required: bool
    """False when it can be left out."""
    text: Texts
    """All its ways in words: "Short course certificate or course results"."""
    options: list[list[CertificateKind]]
    """The ways, of which one is enough; each lists the certificates that have to be shown together."""


class TemplateOut(Message):
    """What a template needs from people."""

    name: str
    """What it is asked by."""
    title: Texts
    """What people call it."""
    needs: list[NeedOut]
    """Everything that is needed, in the order in which it is asked for."""


# ---------------------------------------------------------------------------------------------------------------------
# Being told, and checking again


class WebhookMade(Message):
    """Where messages go from now on."""

    url: str
    """The address."""
    secret: str
    """What messages to it are signed with; keep it, it is not told again."""


class WebhookState(Message):
    """Where messages go, and how many are under way."""

    url: str
    """The address."""
    waiting: int
    """How many messages wait."""
    undelivered: int
    """How many nobody tries to deliver any more."""


class RecheckMade(Message):
    """One later check."""

    number: int
    """Counts the checks of this request."""
    at: str
    """When it was made."""
    outcome: RecheckOutcome | None
    """Only `valid` says that what was shown still holds; null while it is under way."""


class PermissionOut(Message):
    """How the person's standing permission stands."""

    request_id: str
    """Which request it is about."""
    state: PermissionState
    """Only `active` lets you check."""
    until: str | None
    """Its last day."""
    next_at: str | None
    """The earliest moment of the next check."""
    ended_at: str | None
    """When it ended."""
    end_reason: str | None
    """Why it ended."""
    checks: list[RecheckMade]
    """Every check that was made under it."""


class RecheckOut(Message):
    """What a check came to."""

    outcome: RecheckOutcome
    """Only `valid` says that what was shown still holds."""
    permission: PermissionOut
    """How the permission stands after it."""
