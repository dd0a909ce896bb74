"""Counter-signing a receipt: only one that says what this verifier really received.

    receipt = read_receipt(token)
    check_fits(receipt, client_id=..., retention_until=..., received=[...])
    countersignature(token, transaction, signer=signer, now=now)

The receipt is the wallet's (docs/receipt.md), signed by a key that it alone has. The counter-signature covers its bytes
and adds one thing: the recipient agrees that this is what it was given, until when it said it keeps it, and for what.
It says nothing of values: the receipt has none.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from pydantic import ValidationError

from proofs import base64url
from proofs.after_share import sign_recipient_message
from proofs.jose import check_jws, parse_jws
from proofs.keys import DEFAULT_ALGORITHMS, Signer, check_public_jwk
from schemas.consent import LocalizedText
from schemas.errors import ProtocolError
from schemas.receipt import RECEIPT_TYPE, EventType, Receipt
from schemas.withdrawal import COUNTERSIGNATURE_TYPE, Countersignature, StatedItem
from verifier.deletion import agree
from verifier.requests import Transaction

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
    client_id: str,
    retention_until: date,
    received: Iterable[ReceivedType],
    confirmed: LocalizedText | None,
) -> None:
    """Raise `ReceiptMismatch` unless the receipt is of a share with us, of these items, kept until this day.

    `confirmed` is the sentence that was confirmed here, None when there was none: the receipt says the same.
    """
    if receipt.controller.identifier != client_id:
        raise ReceiptMismatch("the receipt names another recipient")
    if EventType.REFUSED in {event.type for event in receipt.events}:
        raise ReceiptMismatch("the receipt is of a refusal")
    if receipt.retention is None or receipt.retention.until != retention_until:
        raise ReceiptMismatch("the receipt names another day until which the items are kept")
    if [(one.sv, one.en) for one in receipt.declarations] != ([(confirmed.sv, confirmed.en)] if confirmed else []):
        raise ReceiptMismatch("the receipt names something else that was confirmed")
    shown = list(received)
    for item in receipt.items:
        of_type = [asked for one in shown if one.vct == item.certificate_type for asked in one.items]
        if not any(agree(asked.path, item.path) for asked in of_type):
            raise ReceiptMismatch("the receipt names an item that was not received")


def countersignature(token: str, transaction: Transaction, *, signer: Signer, now: datetime) -> str:
    """The counter-signature of a receipt that fits, over the SHA-256 of its bytes."""
    signed = Countersignature(
        iss=transaction.client_id,
        iat=int(now.timestamp()),
        request_id=transaction.handle,
        receipt_sha256=base64url.encode(hashlib.sha256(token.encode("ascii")).digest()),
    )
    return sign_recipient_message(signed.model_dump(), signer=signer, typ=COUNTERSIGNATURE_TYPE)
