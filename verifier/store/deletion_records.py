"""What the store tells about a deletion, and why it refuses to."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row

from schemas.errors import NotFound, ProtocolError
from schemas.withdrawal import StatedException, StatedItem
from verifier.store.erasing import exceptions_from, items_from
from verifier.store.records import DeletionState


class NoSuchDeletion(NotFound):
    """There is nothing of this id to be deleted."""


class AlreadyDecided(ProtocolError):
    """It was decided already, or it changed meanwhile: look again."""

    error = "conflict"
    status = 409


@dataclass(frozen=True, slots=True)
class Deletion:
    """Something that was or is to be deleted.

    `number` grows with every change of any deletion. `action` is `withdraw`, `erase` or `retention`. `chosen` are the
    items that are to go, None for everything; `items` those that went. `statement` is the signed one, "" while it is
    open and where requests are not signed.
    """

    id: str
    number: int
    request_id: str
    maker: str
    action: str
    state: DeletionState
    chosen: tuple[StatedItem, ...] | None
    receipt_id: str
    received_at: datetime
    due_on: date
    decided_at: datetime | None
    items: tuple[StatedItem, ...]
    exceptions: tuple[StatedException, ...]
    statement: str
    acknowledged_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to decide."""
        return self.state is DeletionState.RECEIVED


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a share stands for the person who made it: the newest deletion, None when nothing was asked or done."""

    deletion: Deletion | None
    kept_until: date


NAMED_A_DAY: Final = 5


@dataclass(frozen=True, slots=True)
class DueDay:
    """How many answers from one template go on one day; `request_ids` are the first of them, `NAMED_A_DAY` at most."""

    day: date
    delete_at: datetime
    template_name: str
    count: int
    request_ids: tuple[str, ...]


def deletion_of(row: Row[Any]) -> Deletion:
    """The deletion of a row."""
    return Deletion(
        id=row.id,
        number=row.number,
        request_id=row.request_id,
        maker=row.maker,
        action=row.action,
        state=DeletionState(row.state),
        chosen=items_from(row.chosen) if row.chosen else None,
        receipt_id=row.receipt_id,
        received_at=row.received_at,
        due_on=date.fromisoformat(row.due_on),
        decided_at=row.decided_at,
        items=items_from(row.erased),
        exceptions=exceptions_from(row.exceptions),
        statement=row.statement,
        acknowledged_at=row.acknowledged_at,
    )
