"""What programs read of answers: where a request stands, its result, and what became of it afterwards."""

from typing import Any

from schemas.verification import Outcome
from verifier.api.messages import Message, Texts
from verifier.eligibility import Answer
from verifier.requests import Kind
from verifier.store import State
from verifier.verification import Verdict


class CheckResult(Message):
    """One check, with a sentence for people in each language."""

    name: str
    """Which check: `signature`, `issuer_trusted`, `status`, ... (docs/verifier.md)."""
    outcome: Outcome
    """What could not be checked is never passed."""
    reason: str
    """The stable code of what was found; "" when it passed."""
    title: str
    """What the check is called, in English."""
    title_sv: str
    """What the check is called, in Swedish."""
    sentence: str
    """What was found, in English."""
    sentence_sv: str
    """What was found, in Swedish."""


class GroundOut(Message):
    """One certificate that an eligibility rests on."""

    query: str
    """The id of the query that it answers."""
    title: str
    """What its kind is called, in English."""
    title_sv: str
    """What its kind is called, in Swedish."""
    issuer: str | None
    """Who says so; null for somebody whom the verifier does not know."""
    as_of: str | None
    """The day of which it is true; null when its kind has none, and once the values are deleted."""
    fault: CheckResult | None
    """What is wrong with it; null when every check held."""


class EligibilityOut(Message):
    """The result in one word, for templates with `answers = "eligibility"`."""

    answer: Answer
    """`undecided` whenever something other than a value stands in the way: the person may renew it and come back."""
    as_of: str | None
    """The day that all of it is true of at least."""
    said_by: list[str]
    """Who says so."""
    sentence: str
    """All of it in English, for your staff: "Eligible as of 20 November 2026, says Arbetsförmedlingen."; what was found
    wrong when it is undecided."""
    sentence_sv: str
    """The same in Swedish."""
    for_person: str
    """All of it in English, for whom it is about: what they can do when it is undecided."""
    for_person_sv: str
    """The same in Swedish."""
    grounds: list[GroundOut]
    """The certificates that it rests on."""
    fault: CheckResult | None
    """What is wrong with the answer as a whole: a value that differs, something that is missing."""


class PresentationOut(Message):
    """One certificate that was shown."""

    query: str
    """The id of the query that it answers."""
    certificate: int
    """Its number within the answer: values with the same number belong together."""
    type: str
    """Its type (`vct`); "" when that could not be read."""
    issuer: str
    """The issuer's identifier; "" when that could not be read."""
    issuer_name: str
    """The issuer as your trust list names it; "" for somebody whom it does not know."""
    valid_until: str | None
    """The moment until which it is valid; null when it does not say."""
    status_read_at: str | None
    """When the issuer's list of revoked certificates was read; null when there was none, or a check failed."""
    checks: list[CheckResult]
    """The checks of this certificate."""


class ValueOut(Message):
    """One value that the person showed."""

    query: str
    """The id of the query that asked for it."""
    path: list[str | int]
    """Where it stood in the certificate; elements of arrays are counted as issued."""
    label: dict[str, str]
    """What it is called, in each language."""
    value: Any
    """The value, as issued."""
    type: str
    """The type (`vct`) that it comes from."""
    asked: bool
    """False for what travels with every certificate of its kind."""
    certificate: int
    """The number of the certificate that it comes from."""
    display: str
    """The value as a person reads it, in English."""
    display_sv: str
    """The value as a person reads it, in Swedish."""


class ActingFor(Message):
    """Somebody acted for another."""

    agent: str
    """Who acted."""
    principal: str
    """For whom."""


class DeletionItem(Message):
    """One item of a deletion."""

    credential: str
    """The id of its query."""
    path: list[str | int | None]
    """Its claims path (null: every element)."""
    label: dict[str, str]
    """What it is called, in each language."""


class DeletionException(Message):
    """What was kept."""

    ground: str
    """The ground in law."""
    words: dict[str, str]
    """Why, in each language."""
    items: list[DeletionItem]
    """What it is about."""


class ReceiptOut(Message):
    """The receipt of a share: what both sides hold."""

    received_at: str
    """When the wallet handed it in."""
    receipt: dict[str, Any]
    """What it says (`docs/receipt.md`), without values."""
    receipt_jwt: str
    """The same as the wallet signed it, with a key of this receipt alone."""
    countersignature: str
    """The verifier's signature over the SHA-256 of these bytes, a JWT."""


class DeletionOut(Message):
    """Something that was or is to be deleted."""

    id: str
    """For the acknowledgement."""
    number: int
    """Grows with every change."""
    request_id: str
    """Which request it is about."""
    action: str
    """`withdraw`, `erase` or `retention`."""
    state: str
    """`received` (do not use it any more; somebody decides until `due_on`), `deleted`, `partly` or `refused`."""
    chosen: list[DeletionItem] | None
    """What the person wants deleted; null for everything."""
    items: list[DeletionItem]
    """What was deleted: delete it, too, and acknowledge."""
    exceptions: list[DeletionException]
    """What was kept, and on which ground."""
    received_at: str
    """When the wish came."""
    due_on: str
    """The day until which it must be answered."""
    decided_at: str | None
    """When it was decided; null while it is not."""
    acknowledged_at: str | None
    """When your program said that its own copy is deleted; null while it has not."""
    statement: str | None
    """The signed deletion statement, a JWT; null while there is none."""


class DeletionPage(Message):
    """Deletions in the order of their last change."""

    deletions: list[DeletionOut]
    """At most as many as were asked for."""
    next_after: int
    """Ask again after this number."""
    has_more: bool
    """Whether to do so at once."""


class ResultOut(Message):
    """Where a request stands, and its result once it is answered. Decide by `accepted` alone."""

    id: str
    """The id of the request."""
    reference: str
    """What you called it yourself; "" when you did not, and once it was deleted with the values."""
    template: str
    """The name of its template."""
    kind: Kind
    """Where the person answers."""
    state: State
    """Where it stands (docs/verifier.md)."""
    accepted: bool
    """True only when everything was checked and held; ends when the person takes the share back, and, where it tells a
    value (an eligibility, accepted values), when that value is deleted."""
    verdict: Verdict | None
    """What all checks together say; null without an answer, and once it would tell a value that was taken back or
    deleted."""
    sentence: str | None
    """The verdict in English; it says so when everything is genuine and only not what you accept."""
    sentence_sv: str | None
    """The verdict in Swedish."""
    eligibility: EligibilityOut | None
    """The answer in one word; null for templates that have none, before there is one, and once it was taken back or
    anything that it rests on was deleted, on the retention date at the latest."""
    acting_for: ActingFor | None
    """Who acted for whom, while values are kept; null when nobody acted for another."""
    checks: list[CheckResult]
    """The checks of the answer as a whole; without those of values when there is no verdict any more."""
    presentations: list[PresentationOut]
    """Every certificate that was shown."""
    values: list[ValueOut] | None
    """What was shown; null when there is none (any more)."""
    declaration: Texts | None
    """What the person confirmed; null when nothing was asked or the check did not hold."""
    wallet_error: str | None
    """The code with which the wallet answered instead."""
    made_at: str
    """When the request was made."""
    expires_at: str
    """Until when it can be answered."""
    answered_at: str | None
    """When it was answered."""
    retention_until: str
    """The last day on which the values are kept."""
    values_deleted_at: str | None
    """When the values were deleted; null while they are kept, and when none came."""
    withdrawn_at: str | None
    """When the person took it back."""
    deletion: DeletionOut | None
    """The newest deletion; null when there is none."""


class StateEvent(Message):
    """The data of one server-sent event `state`."""

    id: str
    """The id of the request."""
    state: State
    """Where it stands now."""
    verdict: Verdict | None
    """What all checks together say; null as in the result."""
