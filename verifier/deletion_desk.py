"""Where wallets take back and staff decides: messages checked, the store asked, answers made.

    answer = await desk.take_act(body)               # what a wallet posts to the endpoint of the notice
    await desk.countersign(body)                     # a receipt, for our signature
    await desk.delete(deletion_id, actor=staff.subject)

See docs/withdrawal.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

from proofs.keys import Signer
from schemas.errors import NotFound
from schemas.withdrawal import (
    RECEIPT_SUBMISSION_TYPE,
    WITHDRAWAL_TYPE,
    ReceiptSubmission,
    StatedException,
    WithdrawalAct,
)
from service.clock import Clock
from service.rate_limits import RateLimit
from verifier.acting import acting_in, power_queries
from verifier.countersigning import ReceiptMismatch, ReceivedType, check_fits, countersignature, read_receipt
from verifier.deletion import shared_items
from verifier.holder_messages import claims_of, holder_message
from verifier.receipt_words import holds_no_value
from verifier.store import Confirmed, Contents, Deletion, DeletionStore, RequestRecord, Standing

MAX_ACT_BYTES: Final = 60_000
MAX_SUBMISSION_BYTES: Final = 300_000


@dataclass(frozen=True, slots=True)
class DeskAnswer:
    """What a wallet is answered: a signed statement, or JSON when there is none."""

    status: int
    token: str = ""
    members: Mapping[str, Any] = field(default_factory=dict)


class DeletionDesk:
    """Takes what wallets ask after a share, and what staff decides about it."""

    def __init__(
        self, store: DeletionStore, *, signer: Signer | None, by_key: RateLimit, at_once: bool, clock: Clock
    ) -> None:
        self.store = store
        self._signer = signer
        self._by_key = by_key
        self._at_once = at_once
        self._clock = clock

    # --- wallets -----------------------------------------------------------------------------------------------------

    async def take_act(self, body: bytes) -> DeskAnswer:
        """Take a share back, delete of it, or say how it stands.

        What was deleted has left the files as well before the statement is given, unless somebody was reading at that
        very moment: then it has within half a minute. Raises `InvalidHolderMessage`, `NoSuchShare`, `Replayed`,
        `UnknownItem`.
        """
        message = holder_message(
            body, typ=WITHDRAWAL_TYPE, max_bytes=MAX_ACT_BYTES, by_key=self._by_key, now=self._clock()
        )
        act = claims_of(WithdrawalAct, message)
        database = self.store.database
        standing = await database.run(self.store.act_upon, message, act, at_once=self._at_once, now=self._clock())
        if standing.deletion is not None and not standing.deletion.is_open:
            await database.run(database.forget_deleted)
        return _answer(standing)

    async def countersign(self, body: bytes) -> str:
        """Counter-sign a receipt of a share that was received here, and keep both where its words are known ones.

        Raises `InvalidHolderMessage`, `NoSuchShare`, `Replayed`, `ReceiptMismatch`; `NotFound` without a signing key.
        """
        signer = self._signer
        if signer is None:
            raise NotFound("nothing is signed here")
        message = holder_message(
            body, typ=RECEIPT_SUBMISSION_TYPE, max_bytes=MAX_SUBMISSION_BYTES, by_key=self._by_key, now=self._clock()
        )
        submission = claims_of(ReceiptSubmission, message)
        receipt = read_receipt(submission.receipt)
        now = self._clock()

        def confirm(record: RequestRecord, kept: Callable[[], Contents | None]) -> Confirmed:
            template = record.transaction.question.template
            if not record.state.is_answered:
                raise ReceiptMismatch("the answer does not count (yet)")
            check_fits(
                receipt,
                transaction=record.transaction,
                retention_until=record.retention_until,
                acted=_who_acted(record, kept),
                received=[ReceivedType(one.vct, shared_items(template, {one.query_id})) for one in record.proofs],
            )
            signature = countersignature(submission.receipt, record.transaction, signer=signer, now=now)
            return Confirmed(
                signature,
                names_people=receipt.acting_for is not None,
                may_be_kept=holds_no_value(receipt, template=template),
            )

        return await self.store.database.run(self.store.countersign, message, submission, confirm=confirm, now=now)

    # --- staff -------------------------------------------------------------------------------------------------------

    async def delete(self, deletion_id: str, *, actor: str) -> Deletion:
        """Delete what was asked for. Raises `NoSuchDeletion`, `AlreadyDecided`."""
        database = self.store.database
        done = await database.run(self.store.delete, deletion_id, actor=actor, now=self._clock())
        await database.run(database.forget_deleted)
        return done

    async def refuse(self, deletion_id: str, exceptions: Sequence[StatedException], *, actor: str) -> Deletion:
        """Keep what the exceptions name, delete the rest. Raises `NoSuchDeletion`, `AlreadyDecided`."""
        database = self.store.database
        done = await database.run(self.store.refuse, deletion_id, exceptions, actor=actor, now=self._clock())
        await database.run(database.forget_deleted)
        return done

    def newest(self, request_id: str) -> Deletion | None:
        """The newest deletion of a request; None when there is none."""
        some = self.store.of_request(request_id)
        return some[0] if some else None

    def days_left(self, due_on: date) -> int:
        """How many days are left until then, today not counted; negative when it is overdue."""
        return (due_on - self._clock().astimezone(ZoneInfo(self.store.time_zone)).date()).days


def _who_acted(record: RequestRecord, kept: Callable[[], Contents | None]) -> tuple[str, str] | None:
    """The names of who acted and for whom; None when no power was shown. Raises `ReceiptMismatch` when that cannot be
    told any more."""
    template = record.transaction.question.template
    if not {one.query_id for one in record.proofs} & power_queries(template):
        return None
    contents = kept()
    found = acting_in(contents.items, template) if contents is not None else None
    if found is None:
        raise ReceiptMismatch("who acted for whom is not known any more")
    return found.agent, found.principal


def _answer(standing: Standing) -> DeskAnswer:
    one = standing.deletion
    if one is None:
        return DeskAnswer(200, members={"state": "kept", "kept_until": standing.kept_until.isoformat()})
    if one.is_open:
        members = {
            "state": one.state.value,
            "received_at": one.received_at.isoformat(timespec="seconds"),
            "due_on": one.due_on.isoformat(),
        }
        return DeskAnswer(202, members=members)
    if one.statement:
        return DeskAnswer(200, token=one.statement)
    return DeskAnswer(200, members={"state": one.state.value})
