"""Counter-signing a receipt: only one that says what this verifier really received.

    receipt = read_receipt(token)
    check_fits(receipt, transaction=transaction, retention_until=..., received=[...])
    countersignature(token, transaction, signer=signer, now=now)

The receipt is the wallet's (docs/receipt.md), signed by a key that it alone has. The counter-signature covers its bytes
and adds one thing: the recipient agrees that it was given these items, and that it declared this purpose, ground,
retention, recipients, processors, countries, decisions, rights and later checks. It says nothing of values, which the
receipt has none of, and nothing of what only the wallet knows: how sure it was of who asked, and what came after.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from pydantic import ValidationError

from proofs import base64url
from proofs.after_share import sign_recipient_message
from proofs.jose import check_jws, parse_jws
from proofs.keys import DEFAULT_ALGORITHMS, Signer, check_public_jwk
from schemas.consent import LocalizedText, Path
from schemas.errors import ProtocolError
from schemas.receipt import RECEIPT_TYPE, BothLanguages, EventType, Receipt
from schemas.types import type_of
from schemas.withdrawal import COUNTERSIGNATURE_TYPE, Countersignature, StatedItem
from verifier.deletion import agree
from verifier.requests import Transaction

MOST_CHARACTERS: Final = 200
MAX_RECEIPT_BYTES: Final = 200_000


class ReceiptMismatch(ProtocolError):
    """The receipt does not say what was received here."""

    error = "receipt_mismatch"


@dataclass(frozen=True, slots=True)
class ReceivedType:
    """What one presentation showed: the type of its certificate, and the items asked of it."""

    vct: str
    items: tuple[StatedItem, ...]


def read_receipt(token: str) -> Receipt:
    """Read a receipt and check that it is as its own key signed it. Raises `ReceiptMismatch`."""
    try:
        unverified = parse_jws(token, max_bytes=MAX_RECEIPT_BYTES)
        key = check_public_jwk(unverified.header.get("jwk"))
        claims = check_jws(unverified, key=key, typ=RECEIPT_TYPE, algorithms=DEFAULT_ALGORITHMS).claims
        return Receipt.model_validate(claims)
    except ProtocolError as exc:
        raise ReceiptMismatch(f"this is not a receipt: {exc}") from exc
    except ValidationError as exc:
        raise ReceiptMismatch("this is not a receipt of a known form") from exc


def check_fits(
    receipt: Receipt,
    *,
    transaction: Transaction,
    retention_until: date,
    received: Iterable[ReceivedType],
    acted: tuple[str, str] | None,
) -> None:
    """Raise `ReceiptMismatch` unless the receipt is of a share with us, of these items, on the terms of our notice.

    `acted` are the names of who acted and for whom, as the answer told them; None when nobody acted for another.
    """
    if receipt.controller.identifier != transaction.client_id:
        raise ReceiptMismatch("the receipt names another recipient")
    happened = {event.type for event in receipt.events}
    if EventType.REFUSED in happened or EventType.APPROVED not in happened:
        raise ReceiptMismatch("the receipt is not of a share")
    if any(event.actor == "recipient" and event.type is not EventType.REQUESTED for event in receipt.events):
        raise ReceiptMismatch("the receipt says what the recipient did later")
    if max(len(receipt.record_id), len(receipt.holder_pseudonym)) > MOST_CHARACTERS:
        raise ReceiptMismatch("the receipt's number or pseudonym is too long")
    if receipt.asked_retention is not None:
        raise ReceiptMismatch("the receipt of a share says what a refusal's would")
    said = receipt.acting_for
    if (None if said is None else (said.agent, said.principal)) != acted:
        raise ReceiptMismatch("the receipt says something else of who acted for whom")
    if receipt.retention is None or receipt.retention.until != retention_until:
        raise ReceiptMismatch("the receipt names another day until which the items are kept")
    _check_terms(receipt, transaction)
    shown = list(received)
    for item in receipt.items:
        of_type = [asked for one in shown if one.vct == item.certificate_type for asked in one.items]
        if not any(_speak_of_the_same(asked.path, item.path) for asked in of_type):
            raise ReceiptMismatch("the receipt names an item that was not received")
    for one in shown:
        named = [item.path for item in receipt.items if item.certificate_type == one.vct]
        if not all(
            any(_speak_of_the_same(asked.path, path) for path in named)
            for asked in one.items
            if _is_hidden(one.vct, asked.path)
        ):
            raise ReceiptMismatch("the receipt leaves out an item that was received")


def _speak_of_the_same(asked: Path, named: Path) -> bool:
    """Whether a receipt's item is one that was asked for. Where no item was asked for, the path is empty and nothing
    that could be held back has come (CS-05): that covers no item, and none has to be named. Beyond what was asked there
    are numbers alone: a name could be anything, also a value, and the receipt outlives the values."""
    further = named[len(asked) :]
    return bool(asked) == bool(named) and agree(asked, named) and all(isinstance(part, int) for part in further)


def _is_hidden(vct: str, path: Path) -> bool:
    """Whether it is an item that a wallet lists: of a known type, and not one that its certificates always show."""
    known = type_of(vct)
    return (
        known is not None
        and path != ()
        and any(spec.disclosable and agree(spec.path, path) for spec in known.all_claims())
    )


def _check_terms(receipt: Receipt, transaction: Transaction) -> None:
    template = transaction.question.template
    (purpose, *more) = receipt.purposes
    if more or not _says(purpose.text, template.purpose):
        raise ReceiptMismatch("the receipt names another purpose")
    if purpose.basis != template.basis.value or not _says(purpose.basis_detail, template.basis_detail):
        raise ReceiptMismatch("the receipt names another ground")
    confirmed = () if template.declaration is None else (template.declaration,)
    if not _all_say(receipt.declarations, confirmed):
        raise ReceiptMismatch("the receipt names something else that was confirmed")
    declared = (
        (receipt.recipients, template.recipients, "recipients"),
        (receipt.processors, template.processors, "processors"),
    )
    for said, ours, what in declared:
        if (said is None) != (ours is None) or not _all_say(said or (), ours or ()):
            raise ReceiptMismatch(f"the receipt names other {what}")
    if receipt.countries != template.countries or receipt.automated_decisions != template.automated_decisions:
        raise ReceiptMismatch("the receipt names other countries, or another way of deciding")
    ways = (receipt.rights.withdraw_url, receipt.rights.withdraw_contact, receipt.rights.withdraw_phone)
    if ways != (template.withdraw_url or None, template.contact or None, template.withdraw_phone or None):
        raise ReceiptMismatch("the receipt names other ways to take back")
    allowed, offered = receipt.standing_permission, template.recheck
    if allowed is None:
        return
    if offered is None or (allowed.until, allowed.every_days) != (transaction.recheck_until, offered.every_days):
        raise ReceiptMismatch("the receipt names later checks that were not asked for")
    if not _says(allowed.purpose, offered.purpose):
        raise ReceiptMismatch("the receipt names another purpose of the later checks")


def _all_say(said: Sequence[BothLanguages], ours: Sequence[LocalizedText]) -> bool:
    return len(said) == len(ours) and all(map(_says, said, ours))


def _says(said: BothLanguages | None, ours: LocalizedText | None) -> bool:
    """Whether both say the same in both languages, but for what wallets take out of a text before they show it."""
    left = ("", "") if said is None else (said.sv, said.en)
    right = ("", "") if ours is None else (ours.sv, ours.en)
    return tuple(map(_as_shown, left)) == tuple(map(_as_shown, right))


def _as_shown(text: str) -> str:
    kept = (one for one in unicodedata.normalize("NFC", text) if unicodedata.category(one) not in ("Cc", "Cf", "Mn"))
    return " ".join("".join(kept).split())


def countersignature(token: str, transaction: Transaction, *, signer: Signer, now: datetime) -> str:
    """The counter-signature of a receipt that fits, over the SHA-256 of its bytes."""
    signed = Countersignature(
        iss=transaction.client_id,
        iat=int(now.timestamp()),
        request_id=transaction.handle,
        receipt_sha256=base64url.encode(hashlib.sha256(token.encode("ascii")).digest()),
    )
    return sign_recipient_message(signed.model_dump(), signer=signer, typ=COUNTERSIGNATURE_TYPE)
