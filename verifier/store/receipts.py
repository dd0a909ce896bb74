"""Receipts that wallets handed in, with our counter-signatures: kept, so that both sides hold the same.

    keep_receipt(connection, sealer, request_id, kept, names_people=False)
    receipt_kept(connection, sealer, request_id)

A receipt holds no value of a certificate, and shows afterwards what was received on which terms. It rests sealed, since
it has the person's pseudonym. One that names who acted for whom goes with the first value of the power that told of
them: names are values.
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from verifier.store.contents import Sealer
from verifier.store.tables import RECEIPTS


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """A receipt as its wallet signed it, and our signature over its bytes. `received_at` is when it was handed in."""

    received_at: datetime
    receipt_jwt: str = field(repr=False)
    countersignature: str = field(repr=False)


def keep_receipt(
    connection: Connection, sealer: Sealer, request_id: str, kept: KeptReceipt, *, names_people: bool
) -> None:
    """Keep it in place of one that came before: what was confirmed last is what the wallet has."""
    connection.execute(delete(RECEIPTS).where(RECEIPTS.c.request_id == request_id))
    row = {
        "request_id": request_id,
        "received_at": kept.received_at,
        "names_people": names_people,
        "sealed": sealer.seal_receipt(request_id, kept.receipt_jwt, kept.countersignature),
    }
    connection.execute(insert(RECEIPTS), row)


def receipt_kept(connection: Connection, sealer: Sealer, request_id: str) -> KeptReceipt | None:
    """The receipt of a request; None when none was handed in, or it went with the values. Raises `SealBroken`."""
    row = connection.execute(select(RECEIPTS).where(RECEIPTS.c.request_id == request_id)).one_or_none()
    return None if row is None else KeptReceipt(row.received_at, *sealer.open_receipt(request_id, row.sealed))


def forget_names(connection: Connection, request_id: str) -> None:
    """Delete the receipt of a request if it names people."""
    connection.execute(delete(RECEIPTS).where(RECEIPTS.c.request_id == request_id, RECEIPTS.c.names_people))
