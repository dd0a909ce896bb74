"""Having a receipt counter-signed by whoever received the share (CS-29): best effort, the share stands without it.

confirmed = await ReceiptConfirmation(wallet).confirm(vault, entry_id)
"""

import asyncio
from dataclasses import replace
from typing import Final

from schemas.errors import ProtocolError, TemporarilyUnavailable
from wallet.deployment import Deployment
from wallet.histories import Histories
from wallet.kept_means import forget_used_up
from wallet.ledger import Event, EventKind, Outcome
from wallet.receipts import as_answered, signed_receipt
from wallet.remote_after_share import AfterShareOverHTTP
from wallet.store.ledger import append_event
from wallet.store.take_back import get_means, write_means
from wallet.taking_back import NoAnswer, NotDelivered, Transport, read_countersignature, receipt_submission
from wallet.taking_back.messages import MAX_ANSWER_BYTES
from wallet.vault import UnlockedVault

SECONDS: Final = 5.0
MOST_TRIES: Final = 20


class ReceiptConfirmation:
    """Receipts of the vaults of one wallet service, handed in where the signed notice said."""

    def __init__(self, wallet: Deployment, *, transport: Transport | None = None) -> None:
        self._wallet = wallet
        self._database = wallet.database
        self._transport: Transport = transport or AfterShareOverHTTP(wallet.http)

    async def confirm(self, vault: UnlockedVault, entry_id: str) -> bool:
        """Hand the receipt in for counter-signing; whether it is confirmed now. Best effort: never raises for that."""
        try:
            async with asyncio.timeout(SECONDS):
                return await self._hand_in(vault, entry_id)
        except (TimeoutError, TemporarilyUnavailable, ProtocolError, NotDelivered, NoAnswer):
            return False

    async def _hand_in(self, vault: UnlockedVault, entry_id: str) -> bool:
        entry, now = Histories(self._wallet).entry(vault, entry_id), self._wallet.clock()
        with self._database.transaction() as connection:
            stored = get_means(connection, vault, entry_id)
            if stored is None or not stored.means.can_hand_in or entry.outcome is not Outcome.SHARED:
                return False
            tries = stored.means.receipt_tries + 1
            means = replace(stored.means, receipt_tries=tries, receipt_settled=tries >= MOST_TRIES)
            if not write_means(connection, vault, stored, means):
                return False
        assert entry.decided_at is not None
        receipt = signed_receipt(as_answered(entry))
        token = receipt_submission(means, receipt, now=now)
        reply = await self._transport.post_jwt(means.receipt_endpoint, token, max_bytes=MAX_ANSWER_BYTES)
        signed = read_countersignature(
            reply,
            means,
            receipt=receipt,
            decided_at=entry.decided_at,
            trust=self._wallet.trust(),
            now=self._wallet.clock(),
        )
        with self._database.transaction() as connection:
            found = get_means(connection, vault, entry_id)
            if found is None or (found.means.receipt_settled and not means.receipt_settled):
                return True  # Confirmed in another window meanwhile.
            write_means(connection, vault, found, replace(found.means, receipt_settled=True))
            facts = {"receipt": receipt, "countersignature": signed}
            append_event(connection, vault, Event(entry_id, EventKind.CONFIRMED, self._wallet.clock(), facts))
            forget_used_up(connection, vault, entry, wallet=self._wallet)
        return True
