"""The receipt of an entry: made from the history alone, with or without the recipient's help, and signed by the holder.

    receipt = receipt_of(entry)
    token = signed_receipt(entry)            # a JWT of type `intyga-receipt+jwt`, by a key that this receipt alone has
    check_receipt(token)                     # whoever is shown a receipt can check that it was not changed

See docs/receipt.md.
"""

from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from proofs import jose
from proofs.keys import SoftwareSigner
from schemas.errors import Malformed, NotFound
from schemas.receipt import (
    RECEIPT_TYPE,
    ActingFor,
    BothLanguages,
    CameAlong,
    Controller,
    EventType,
    Item,
    Notice,
    Purpose,
    Receipt,
    RecipientLevel,
    Retention,
    Rights,
    StandingPermission,
)
from schemas.receipt import Event as ReceiptEvent
from wallet.ledger import AFTER_SHARE, Entry, Event, EventKind

ALGORITHMS = ("ES256",)
SUPERVISORY_AUTHORITY = "Integritetsskyddsmyndigheten (IMY), https://www.imy.se, imy@imy.se"

_EVENTS: dict[EventKind, EventType] = {
    EventKind.ASKED: EventType.REQUESTED,
    EventKind.APPROVED: EventType.APPROVED,
    EventKind.REFUSED: EventType.REFUSED,
    EventKind.DELIVERED: EventType.DELIVERED,
    EventKind.NOT_ACCEPTED: EventType.NOT_ACCEPTED,
    EventKind.NOT_DELIVERED: EventType.NOT_DELIVERED,
    EventKind.UNKNOWN: EventType.OUTCOME_UNKNOWN,
    EventKind.TAKEN_BACK: EventType.WITHDRAWN,
    EventKind.DELETION_ASKED: EventType.DELETION_REQUESTED,
    EventKind.DELETION_ACKNOWLEDGED: EventType.DELETION_ACKNOWLEDGED,
    EventKind.DELETION_STATED: EventType.DELETION_STATED,
    EventKind.COMPLAINED: EventType.COMPLAINED,
    EventKind.CONFIRMED: EventType.CONFIRMED,
    EventKind.PERMISSION_PAUSED: EventType.PERMISSION_PAUSED,
    EventKind.PERMISSION_RESUMED: EventType.PERMISSION_RESUMED,
    EventKind.PERMISSION_ENDED: EventType.PERMISSION_ENDED,
    EventKind.CHECKED_AGAIN: EventType.CHECKED_AGAIN,
}
_BY_HOLDER = (
    EventKind.APPROVED,
    EventKind.REFUSED,
    EventKind.TAKEN_BACK,
    EventKind.DELETION_ASKED,
    EventKind.COMPLAINED,
    EventKind.PERMISSION_PAUSED,
    EventKind.PERMISSION_RESUMED,
    EventKind.PERMISSION_ENDED,
)
_BY_RECIPIENT = (
    EventKind.ASKED,
    EventKind.DELETION_ACKNOWLEDGED,
    EventKind.DELETION_STATED,
    EventKind.CONFIRMED,
    EventKind.CHECKED_AGAIN,
)
_ACTORS = dict.fromkeys(_BY_HOLDER, "holder") | dict.fromkeys(_BY_RECIPIENT, "recipient")


def has_receipt(entry: Entry) -> bool:
    """Whether the person decided something, so that there is a receipt."""
    return _decision(entry) is not None


def receipt_of(entry: Entry) -> Receipt:
    """The receipt of a share or a refusal. Raises `NotFound` for an entry without a decision."""
    decision = _decision(entry)
    if decision is None:
        raise NotFound("There is no receipt: nothing was decided")
    asked, decided = entry.facts, decision.facts
    said = Retention(until=entry.retention_until) if entry.retention_until else None
    events = tuple(_event(event, said) for event in entry.events if event.kind in _EVENTS)
    return Receipt(
        record_id=entry.id,
        receipt_id=f"{entry.id}.{len(events)}",
        jurisdiction="EU",
        language=decided["language"],
        holder_pseudonym=decided["pseudonym"],
        controller=_controller(asked),
        notice=Notice(
            digest=asked.get("notice_digest"),
            signed=bool(asked.get("notice_signed")),
            language=decided["language"],
        ),
        purposes=(
            Purpose(
                text=_both(asked.get("purpose")),
                basis=asked.get("basis"),
                basis_detail=_both(asked.get("basis_detail")),
            ),
        ),
        items=tuple(_item(facts) for facts in decided.get("items", ())),
        came_along=tuple(_came_along(facts) for facts in decided.get("came_along", ())),
        declarations=_texts(decided.get("declarations")) or (),
        recipients=_texts(asked.get("recipients")),
        processors=_texts(asked.get("processors")),
        countries=None if asked.get("countries") is None else tuple(asked["countries"]),
        automated_decisions=asked.get("automated_decisions"),
        retention=None if decision.kind is EventKind.REFUSED else said,
        asked_retention=said if decision.kind is EventKind.REFUSED else None,
        rights=Rights(
            withdraw_url=asked.get("withdraw_url") or None,
            withdraw_contact=asked.get("withdraw_contact") or None,
            withdraw_phone=asked.get("withdraw_phone") or None,
        ),
        standing_permission=_permission(decided.get("recheck")),
        acting_for=ActingFor(**entry.acting_for) if entry.acting_for is not None else None,
        events=events,
        previous_event_digest=decision.previous,
    )


def signed_receipt(entry: Entry) -> str:
    """The receipt as a JWT, signed with a key of its own that stands in the header."""
    receipt, decision = receipt_of(entry), _decision(entry)
    assert decision is not None
    signer = SoftwareSigner.from_private_jwk(decision.facts["receipt_key"])
    return jose.sign_jws(receipt.claims(), signer=signer, typ=RECEIPT_TYPE, header={"jwk": signer.public_jwk})


def as_answered(entry: Entry) -> Entry:
    """The entry without what came after the answer: what its recipient knows as well, and can confirm at any time."""
    return replace(entry, events=tuple(event for event in entry.events if event.kind not in AFTER_SHARE))


def confirmation(entry: Entry) -> dict[str, Any] | None:
    """The recipient's counter-signature and the receipt that it is about, as its JWT; None when there is none.

    Events that came later stand in `signed_receipt` and not in the confirmed one.
    """
    event = next((event for event in entry.events if event.kind is EventKind.CONFIRMED), None)
    if event is None:
        return None
    return {"receipt_jwt": event.facts["receipt"], "countersignature": event.facts["countersignature"]}


def receipt_file(entry: Entry) -> dict[str, Any]:
    """The receipt as a file for machines: its members, the same signed, and the recipient's confirmation if any.

    Raises `NotFound` for an entry without a decision.
    """
    members = {"receipt": receipt_of(entry).claims(), "jwt": signed_receipt(entry), "confirmed": confirmation(entry)}
    return {name: value for name, value in members.items() if value is not None}


def check_receipt(token: str) -> Receipt:
    """Read a receipt that somebody shows, and check that it is as its holder signed it.

    Raises `Malformed`, or what checking a signature raises. It proves that the holder of the key in it wrote it, not
    that the recipient agrees.
    """
    key: Any = jose.parse_jws(token).header.get("jwk")
    if not isinstance(key, dict):
        raise Malformed("The receipt names no key")
    checked = jose.check_jws(token, key=key, typ=RECEIPT_TYPE, algorithms=ALGORITHMS)
    try:
        return Receipt.model_validate(checked.claims)
    except ValidationError as exc:
        raise Malformed("This is not a receipt of a known form") from exc


def _decision(entry: Entry) -> Event | None:
    return next((event for event in entry.events if event.kind in (EventKind.APPROVED, EventKind.REFUSED)), None)


def _controller(asked: Any) -> Controller:
    return Controller(
        name=BothLanguages(**asked["who"]),
        identifier=asked["client_id"],
        level=RecipientLevel(asked["level"]),
        host=asked["host"],
        contact=asked.get("contact") or None,
        organisation_number=asked.get("organisation_number") or None,
        country=asked.get("country") or None,
        data_protection_contact=asked.get("data_protection_contact") or None,
        party_type="recipient",
        supervisory_authority=SUPERVISORY_AUTHORITY,
    )


def _item(facts: Any) -> Item:
    return Item(
        name=BothLanguages(**facts["name"]),
        certificate=BothLanguages(**facts["certificate"]),
        certificate_type=facts["certificate_type"],
        issuer=facts["issuer"],
        path=tuple(facts["path"]),
        required=facts["required"],
        approved_separately=facts["approved_separately"],
        commitment=facts["commitment"],
    )


def _came_along(facts: Any) -> CameAlong:
    return CameAlong(
        certificate=BothLanguages(**facts["certificate"]), items=tuple(BothLanguages(**one) for one in facts["items"])
    )


def _event(event: Event, kept: Retention | None) -> ReceiptEvent:
    actor: Any = _ACTORS.get(event.kind, "wallet")
    what = ReceiptEvent(type=_EVENTS[event.kind], at=event.at, actor=actor)
    if event.kind is not EventKind.APPROVED:
        return what
    return what.model_copy(update={"consent_type": "explicit", "valid_until": kept.until if kept else None})


def _permission(facts: Any) -> StandingPermission | None:
    if facts is None:
        return None
    return StandingPermission(
        until=facts["until"],
        every_days=facts["every_days"],
        purpose=BothLanguages(**facts["purpose"]),
        items=tuple(facts["items"]),
        language=facts.get("language"),
    )


def _both(value: Any) -> BothLanguages | None:
    return BothLanguages(**value) if value else None


def _texts(value: Any) -> tuple[BothLanguages, ...] | None:
    return None if value is None else tuple(BothLanguages(**one) for one in value)
