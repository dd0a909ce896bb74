"""What became of an answer that was sent."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from wallet.ledger import EventKind


class DeliveryState(StrEnum):
    """Delivered, refused by the recipient, certainly not sent, or unknown (S4)."""

    DELIVERED = "delivered"
    NOT_ACCEPTED = "not_accepted"
    NOT_DELIVERED = "not_delivered"
    UNKNOWN = "unknown"

    @property
    def event(self) -> EventKind:
        """The event of the history that tells it."""
        return EventKind(self.value)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The outcome of sending. `redirect_uri` is where the recipient wants the person sent; `reason` a code for it."""

    state: DeliveryState
    redirect_uri: str | None = None
    reason: str = ""


class AnswerTransport(Protocol):
    """The network, as far as answers need it."""

    async def post_answer(self, url: str, form: dict[str, str]) -> Delivery:
        """Post a form to a response URI. Never raises for what the network does: that is the outcome."""
        ...
