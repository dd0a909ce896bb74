"""What a verifier tells a program, as values: requests that were made, results, deletions, what a template needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.verification import Outcome

FINAL_STATES = frozenset({"answered", "declined", "not_returned", "expired", "withdrawn", "deleted"})


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A request that was made.

    `request` is the whole link for a wallet (and the text of a QR code), `request_https` the same for a web wallet,
    `code` what can be typed. `id` is for the result and must not leave your systems.
    """

    id: str
    request: str
    request_https: str
    code: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class CheckedItem:
    """One check: its name, its outcome, and a sentence in each language."""

    name: str
    outcome: Outcome
    reason: str
    sentence: str
    sentence_sv: str


@dataclass(frozen=True, slots=True)
class ReceivedValue:
    """One value that the person showed. `asked` is False for what travels with every certificate of its kind.

    `certificate` is the number of the certificate it comes from: values belong together only when it is the same.
    """

    query: str
    path: tuple[str | int, ...]
    label: Mapping[str, str]
    value: Any = field(repr=False)
    type: str
    asked: bool
    certificate: int


@dataclass(frozen=True, slots=True)
class VerifierResult:
    """Where a request stands, and its result once it is answered.

    `state` is `waiting`, `opened`, `awaiting_return`, `answered`, `declined`, `not_returned`, `expired`, `withdrawn`
    (the person took it back: do not use it any more) or `deleted` (the values are gone); `verdict` is `accepted`,
    `rejected`, `undetermined` or "". `values` is None when there are none, or when they were deleted. `document` is the
    whole JSON answer.
    """

    id: str
    reference: str
    state: str
    accepted: bool
    verdict: str
    checks: tuple[CheckedItem, ...]
    values: tuple[ReceivedValue, ...] | None = field(repr=False)
    retention_until: str
    document: Mapping[str, Any] = field(repr=False)

    @property
    def is_final(self) -> bool:
        """True when nothing more will happen."""
        return self.state in FINAL_STATES

    @property
    def failed(self) -> list[str]:
        """Names of the checks that failed."""
        return [check.name for check in self.checks if check.outcome is Outcome.FAILED]

    @property
    def unknown(self) -> list[str]:
        """Names of the checks that could not be made."""
        return [check.name for check in self.checks if check.outcome is Outcome.COULD_NOT_CHECK]

    @property
    def eligibility(self) -> str:
        """`eligible`, `not_eligible` or `undecided`; "" when there is no such answer (any more)."""
        found = self.document.get("eligibility")
        return str(found["answer"]) if found else ""

    @property
    def eligibility_texts(self) -> Mapping[str, str]:
        """The same for whom it is about, in plain words in each language, by `sv` and `en`; empty when there is none.

        When it is undecided they say what the person can do. `document` has the sentence for your staff beside them.
        """
        found = self.document.get("eligibility")
        return {"sv": str(found["for_person_sv"]), "en": str(found["for_person"])} if found else {}

    def values_at(self, *path: str | int | None, certificate: int | None = None) -> list[Any]:
        """The values at a path, `None` standing for any index; empty when nothing is there.

        Indexes are those of the certificate as issued. Where an answer may come from several certificates, ask for one
        of them by its number.
        """
        return [
            value.value
            for value in self.values or ()
            if len(value.path) == len(path)
            and certificate in (None, value.certificate)
            and all(part is None or part == at for part, at in zip(path, value.path, strict=True))
        ]


@dataclass(frozen=True, slots=True)
class DeletionNotice:
    """Something of your requests that was or is to be deleted.

    `state` `received`: do not use it any more, somebody decides. `deleted` and `partly`: `items` were deleted; delete
    your copy of them, and `acknowledge_deletion`. `refused`: it is kept, on the ground in `document`. `items` are pairs
    of credential query and claims path.
    """

    id: str
    number: int
    request_id: str
    action: str
    state: str
    items: tuple[tuple[str, tuple[str | int | None, ...]], ...]
    is_acknowledged: bool
    document: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Source:
    """Somebody whom the verifier trusts to issue a kind of certificate, and the address where people fetch it.

    `url` is "" when only the name is known. `is_for_every_kind`: trusted for every kind of certificate, so that nobody
    here knows whether this one is issued there.
    """

    name: str
    url: str
    is_for_every_kind: bool


@dataclass(frozen=True, slots=True)
class CertificateKind:
    """One kind of certificate that can be shown: what it is called, and who issues it.

    `titles` maps `sv` and `en` to what people call it. `max_age_days` is how old its statement may be: 0 is "as of
    today", None any age.
    """

    titles: Mapping[str, str]
    max_age_days: int | None
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a template needs, and the ways to meet it, of which one is enough.

    `texts` maps `sv` and `en` to all its ways in words: "Short course certificate or course results". Each way in
    `options` lists the kinds of certificates that have to be shown together; most list one.
    """

    texts: Mapping[str, str]
    is_required: bool
    options: tuple[tuple[CertificateKind, ...], ...]

    @property
    def kinds(self) -> tuple[CertificateKind, ...]:
        """Every kind that any way names, each once."""
        found: list[CertificateKind] = []
        for kind in (kind for option in self.options for kind in option):
            if kind not in found:
                found.append(kind)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The receipt of a share as both sides hold it, without values. `document` is what it says (docs/receipt.md)."""

    received_at: str
    document: Mapping[str, Any] = field(repr=False)
    receipt_jwt: str = field(repr=False)
    countersignature: str = field(repr=False)


def receipt_of(told: Mapping[str, Any]) -> Receipt:
    """A receipt as the interface writes it."""
    return Receipt(told["received_at"], dict(told["receipt"]), str(told["receipt_jwt"]), str(told["countersignature"]))


def deletion_of(told: Mapping[str, Any]) -> DeletionNotice:
    """A deletion as the interface writes it."""
    return DeletionNotice(
        id=told["id"],
        number=int(told["number"]),
        request_id=told["request_id"],
        action=told["action"],
        state=told["state"],
        items=tuple((one["credential"], tuple(one["path"])) for one in told["items"]),
        is_acknowledged=told["acknowledged_at"] is not None,
        document=told,
    )


def result_of(told: Mapping[str, Any]) -> VerifierResult:
    """A result as the interface writes it."""
    values = told["values"]
    return VerifierResult(
        id=told["id"],
        reference=told["reference"],
        state=told["state"],
        accepted=told["accepted"] is True,
        verdict=told["verdict"] or "",
        checks=tuple(
            CheckedItem(one["name"], Outcome(one["outcome"]), one["reason"], one["sentence"], one["sentence_sv"])
            for one in told["checks"]
        ),
        values=None
        if values is None
        else tuple(
            ReceivedValue(
                one["query"],
                tuple(one["path"]),
                one["label"],
                one["value"],
                one["type"],
                one["asked"] is True,
                int(one["certificate"]),
            )
            for one in values
        ),
        retention_until=told["retention_until"],
        document=told,
    )


def need_of(told: Mapping[str, Any]) -> Need:
    """What a template needs, as the interface writes it."""
    return Need(
        texts=_both(told["text"]),
        is_required=told["required"] is True,
        options=tuple(tuple(_kind_of(one) for one in option) for option in told["options"]),
    )


def _kind_of(told: Mapping[str, Any]) -> CertificateKind:
    return CertificateKind(
        titles=_both(told["title"]),
        max_age_days=told["max_age_days"],
        sources=tuple(Source(one["name"], one["url"] or "", one["every_kind"] is True) for one in told["sources"]),
    )


def _both(told: Mapping[str, Any]) -> dict[str, str]:
    return {"sv": told["sv"], "en": told["en"]}
