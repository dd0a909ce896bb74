"""What was asked to be deleted, and what became of it: the inbox of staff, the answers for wallets and programs.

Every method is one transaction. A share is found by the thumbprint of a key that bound it, so that a key that did not,
an unknown request and another audience are one and the same answer. A share has at most one open wish: what comes while
one is open is added to it, and its month runs from the first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select, update

from proofs.after_share import CheckedHolderMessage
from schemas.standing_permission import EndReason
from schemas.withdrawal import (
    Action,
    Reason,
    ReceiptSubmission,
    StatedException,
    StatedItem,
    WithdrawalAct,
)
from service.database import Database
from verifier.deletion import chosen_items, covers, due_date, merged, shared_items
from verifier.store.contents import PLACES_OF_ONE, Contents, Sealer
from verifier.store.deletion_records import (
    NAMED_A_DAY,
    AlreadyDecided,
    Deletion,
    DueDay,
    NoSuchDeletion,
    Standing,
    deletion_of,
)
from verifier.store.erasing import Cause, Eraser, insert_deletion, items_to
from verifier.store.log import write_log
from verifier.store.mapping import WHOLE, may_be_read, question_of, record_of
from verifier.store.permission_end import end_permission
from verifier.store.receipts import KeptReceipt, keep_receipt, receipt_kept
from verifier.store.records import DeletionState, Event, Report, RequestRecord
from verifier.store.shares import spent_share
from verifier.store.tables import CONTENTS, DELETIONS, LOG, REQUESTS

_REASONS = {Action.WITHDRAW.value: Reason.WITHDRAWN, Action.ERASE.value: Reason.ERASED}
_SAID_AGAIN: Final = timedelta(days=1)
"""How long after a refusal the same wish is the same, of a wallet that lost the answer; afterwards it is a new one."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A receipt that fits: our signature over its bytes, whether it names who acted for whom, and whether it may be
    kept: one with words that we do not know could hold anything."""

    countersignature: str
    names_people: bool
    may_be_kept: bool


class DeletionStore:
    """The deletions of one verifier."""

    def __init__(self, database: Database, *, sealer: Sealer, eraser: Eraser, time_zone: str) -> None:
        self.database = database
        self.time_zone = time_zone
        self._sealer = sealer
        self._eraser = eraser

    # --- what wallets ask --------------------------------------------------------------------------------------------

    def act_upon(self, message: CheckedHolderMessage, act: WithdrawalAct, *, at_once: bool, now: datetime) -> Standing:
        """Do what the person wants, or note it for staff; the same wish again changes nothing.

        `at_once` deletes in the same transaction. Of what is not kept (any more) there is nothing to decide: that is
        stated at once, also to whoever only asks. Raises `NoSuchShare`, `Replayed`, `UnknownItem`.
        """
        with self.database.transaction() as connection:
            row = self._share(connection, message, act, now)
            if act.action is not Action.STATUS:
                self._wish(connection, row, act, at_once or row.contents_number is None, now)
            newest = self._of_request(connection, row.id)
            if not newest and row.contents_number is None:
                gone = Cause(Reason.RETENTION, "retention", received_at=now, due_on=row.retention_until)
                self._eraser.erase(connection, row.id, gone, now=now)
                newest = self._of_request(connection, row.id)
        return Standing(newest[0] if newest else None, date.fromisoformat(row.retention_until))

    def countersign(
        self,
        message: CheckedHolderMessage,
        submission: ReceiptSubmission,
        *,
        confirm: Callable[[RequestRecord, Callable[[], Contents | None]], Confirmed],
        now: datetime,
    ) -> str:
        """Our signature of a receipt, which is kept with it if it may be; that it was given is logged.

        `confirm` is given the share that it is about, and a way to read what is kept of it (None when nothing is any
        more). Raises `NoSuchShare`, `Replayed` and what `confirm` raises.
        """
        with self.database.transaction() as connection:
            row = self._share(connection, message, submission, now)
            record = record_of(row, self._sealer, now)
            done = confirm(
                record, lambda: Contents(self._eraser.open(connection, row)) if may_be_read(row, now) else None
            )
            kept = KeptReceipt(now, submission.receipt, done.countersignature)
            if done.may_be_kept:
                keep_receipt(connection, self._sealer, row.id, kept, names_people=done.names_people)
            write_log(connection, Event.COUNTERSIGNED, row.id, row.template_name, now)
        return done.countersignature

    def _share(
        self,
        connection: Connection,
        message: CheckedHolderMessage,
        about: WithdrawalAct | ReceiptSubmission,
        now: datetime,
    ) -> Row[Any]:
        """The share that a key bound; its message is spent."""
        return spent_share(connection, message, about, now)

    def _wish(self, connection: Connection, row: Row[Any], act: WithdrawalAct, at_once: bool, now: datetime) -> None:
        answered = {proof.query_id for proof in Report.from_json(row.report or "").proofs}
        shared = shared_items(question_of(row.template).template, answered)
        chosen = chosen_items(act.items, shared) if act.items is not None else None
        if act.action is Action.WITHDRAW and row.withdrawn_at is None:
            number = write_log(connection, Event.WITHDRAWN, row.id, row.template_name, now)
            _change(connection, row.id, withdrawn_at=now, changed=number)
            end_permission(connection, row, EndReason.WITHDRAWN, now=now)
        elif chosen is None:  # Whoever wants all of it gone does not let it be checked either, whatever staff decides.
            end_permission(connection, row, EndReason.DELETED, now=now)
        earlier = self._of_request(connection, row.id)
        if any(_answers(one, act.action, chosen, now) for one in earlier):
            return
        cause = Cause(
            reason=_REASONS[act.action.value],
            action=act.action.value,
            received_at=now,
            due_on=due_date(now, time_zone=self.time_zone).isoformat(),
            receipt_id=act.receipt_id or "",
            chosen=chosen,
        )
        waiting = next((one for one in earlier if one.is_open), None)
        if waiting is not None:
            cause = _joined(cause, waiting)
        if at_once:
            self._eraser.erase(connection, row.id, cause, now=now)
        elif waiting is None or (cause.chosen, cause.action) != (waiting.chosen, waiting.action):
            self._note(connection, row, cause, waiting, now)

    def _note(
        self, connection: Connection, row: Row[Any], cause: Cause, waiting: Deletion | None, now: datetime
    ) -> None:
        """Put a wish before staff."""
        number = write_log(connection, Event.ERASURE_ASKED, row.id, row.template_name, now)
        values: dict[str, Any] = {
            "number": number,
            "state": DeletionState.RECEIVED.value,
            "chosen": "" if cause.chosen is None else items_to(cause.chosen),
            "acknowledged_at": None,
        }
        if waiting is None:
            insert_deletion(connection, row, cause, **values)
        else:
            values |= {"action": cause.action, "receipt_id": cause.receipt_id}
            connection.execute(update(DELETIONS).where(DELETIONS.c.id == waiting.id).values(**values))
        _change(connection, row.id, deletion=DeletionState.RECEIVED.value, changed=number)

    # --- what staff does ---------------------------------------------------------------------------------------------

    def delete(self, deletion_id: str, *, actor: str, now: datetime) -> Deletion:
        """Delete what was asked for: now, or after all when it had been refused.

        Raises `NoSuchDeletion`, `AlreadyDecided` when it is deleted.
        """
        return self._decide(deletion_id, (), actor=actor, now=now)

    def refuse(self, deletion_id: str, exceptions: Sequence[StatedException], *, actor: str, now: datetime) -> Deletion:
        """Keep what the exceptions name and delete the rest of what was asked for.

        Raises `NoSuchDeletion`, `AlreadyDecided` when it is not open.
        """
        if not exceptions or not all(exception.items for exception in exceptions):
            raise ValueError("a refusal says what is kept, and on which ground")
        return self._decide(deletion_id, exceptions, actor=actor, now=now)

    def _decide(
        self, deletion_id: str, exceptions: Sequence[StatedException], *, actor: str, now: datetime
    ) -> Deletion:
        with self.database.transaction() as connection:
            one = self._one(connection, deletion_id)
            is_refused = one.state in (DeletionState.REFUSED, DeletionState.PARTLY)
            is_newest = self._of_request(connection, one.request_id)[0].id == one.id
            if not one.is_open and (exceptions or not is_refused or not is_newest):
                raise AlreadyDecided
            cause = Cause(
                reason=_REASONS[one.action],
                action=one.action,
                received_at=one.received_at,
                due_on=one.due_on.isoformat(),
                actor=actor,
                receipt_id=one.receipt_id,
                chosen=one.chosen,
                exceptions=tuple(exceptions),
            )
            self._eraser.erase(connection, one.request_id, cause, now=now)
            return self._of_request(connection, one.request_id)[0]

    def askable(self, deletion_id: str) -> tuple[StatedItem, ...]:
        """The items that would be deleted: what was chosen, or everything; what was kept, where it was refused.

        Raises `NoSuchDeletion`.
        """
        with self.database.reading() as connection:
            one = self._one(connection, deletion_id)
            if one.exceptions:
                return tuple(item for exception in one.exceptions for item in exception.items)
            if one.chosen is not None:
                return one.chosen
            row = connection.execute(WHOLE.where(REQUESTS.c.id == one.request_id)).one()
            return self._eraser.shared(connection, row)

    # --- reading -----------------------------------------------------------------------------------------------------

    def get(self, deletion_id: str) -> Deletion:
        """One deletion. Raises `NoSuchDeletion`."""
        with self.database.reading() as connection:
            return self._one(connection, deletion_id)

    def of_request(self, request_id: str) -> list[Deletion]:
        """The deletions of one request, newest first."""
        with self.database.reading() as connection:
            return self._of_request(connection, request_id)

    def receipt(self, request_id: str) -> KeptReceipt | None:
        """The receipt of a request, with our signature; None when none was handed in, or it went with the values."""
        with self.database.reading() as connection:
            return receipt_kept(connection, self._sealer, request_id)

    def open(self, *, limit: int = 200) -> list[Deletion]:
        """What waits for a decision, the one that is due first at the top."""
        wanted = select(DELETIONS).where(DELETIONS.c.state == DeletionState.RECEIVED.value)
        with self.database.reading() as connection:
            order = wanted.order_by(DELETIONS.c.due_on, DELETIONS.c.number).limit(limit)
            return [deletion_of(row) for row in connection.execute(order).all()]

    def decided(self, *, limit: int = 50) -> list[Deletion]:
        """What was decided or done last, newest first."""
        wanted = select(DELETIONS).where(DELETIONS.c.state != DeletionState.RECEIVED.value)
        with self.database.reading() as connection:
            rows = connection.execute(wanted.order_by(DELETIONS.c.number.desc()).limit(limit)).all()
        return [deletion_of(row) for row in rows]

    def calendar(self) -> list[DueDay]:
        """What will be deleted when: every day and template with answers of which something is kept."""
        kept = select((CONTENTS.c.place // PLACES_OF_ONE).label("number")).distinct().subquery()
        columns = (REQUESTS.c.retention_until, REQUESTS.c.delete_at, REQUESTS.c.template_name)
        together = columns[1:]
        answers = (
            select(
                *columns,
                REQUESTS.c.id,
                func.count().over(partition_by=together).label("answers"),
                func.row_number().over(partition_by=together, order_by=REQUESTS.c.made_at).label("place"),
            )
            .select_from(
                kept.join(LOG, LOG.c.number == kept.c.number).join(REQUESTS, REQUESTS.c.id == LOG.c.request_id)
            )
            .subquery()
        )
        first = select(answers).where(answers.c.place <= NAMED_A_DAY)
        order = (answers.c.delete_at, answers.c.template_name, answers.c.place)
        days: dict[tuple[datetime, str], DueDay] = {}
        with self.database.reading() as connection:
            for row in connection.execute(first.order_by(*order)):
                key, day = (row.delete_at, row.template_name), date.fromisoformat(row.retention_until)
                named = (*days[key].request_ids, row.id) if key in days else (row.id,)
                days[key] = DueDay(day, row.delete_at, row.template_name, int(row.answers), named)
        return list(days.values())

    # --- what programs ask -------------------------------------------------------------------------------------------

    def since(self, number: int, *, maker: str, limit: int) -> list[Deletion]:
        """What changed after this number among the requests of one program, oldest first."""
        wanted = select(DELETIONS).where(DELETIONS.c.maker == maker, DELETIONS.c.number > number)
        with self.database.reading() as connection:
            rows = connection.execute(wanted.order_by(DELETIONS.c.number).limit(limit)).all()
        return [deletion_of(row) for row in rows]

    def acknowledge(self, deletion_id: str, *, number: int, maker: str, now: datetime) -> Deletion:
        """A program says that it did to its own copy what the deletion says; twice is harmless.

        Raises `NoSuchDeletion`, `AlreadyDecided` when the deletion has changed since this number.
        """
        with self.database.transaction() as connection:
            one = self._one(connection, deletion_id)
            if one.maker != maker:
                raise NoSuchDeletion
            if one.number != number:
                raise AlreadyDecided("the deletion has changed: read it again")
            if one.acknowledged_at is None:
                row = connection.execute(WHOLE.where(REQUESTS.c.id == one.request_id)).one()
                write_log(connection, Event.COPY_DELETED, row.id, row.template_name, now, maker)
                connection.execute(update(DELETIONS).where(DELETIONS.c.id == one.id).values(acknowledged_at=now))
                one = replace(one, acknowledged_at=now)
        return one

    # --- steps -------------------------------------------------------------------------------------------------------

    def _one(self, connection: Connection, deletion_id: str) -> Deletion:
        row = connection.execute(select(DELETIONS).where(DELETIONS.c.id == deletion_id)).one_or_none()
        if row is None:
            raise NoSuchDeletion
        return deletion_of(row)

    def _of_request(self, connection: Connection, request_id: str) -> list[Deletion]:
        wanted = select(DELETIONS).where(DELETIONS.c.request_id == request_id)
        return [deletion_of(row) for row in connection.execute(wanted.order_by(DELETIONS.c.number.desc())).all()]


def _answers(one: Deletion, action: Action, chosen: Sequence[StatedItem] | None, now: datetime) -> bool:
    """Whether a deletion that was decided answers this wish as well.

    What is gone is gone. What was kept on a ground answers the very same wish for a day only: grounds end, and taking
    back is another ground for deletion than the one that was refused (GDPR 17(1)(b)).
    """
    if one.is_open:
        return False
    if not one.exceptions and one.chosen is None:
        return True
    if chosen is not None and covers(one.items, chosen):
        return True
    if one.action != action.value or one.decided_at is None or now - one.decided_at > _SAID_AGAIN:
        return False
    told = [*one.items, *(item for exception in one.exceptions for item in exception.items)]
    return one.chosen is None or (chosen is not None and covers(told, chosen))


def _joined(cause: Cause, waiting: Deletion) -> Cause:
    """A new wish together with the one that is open: both, from the day of the first."""
    is_everything = cause.chosen is None or waiting.chosen is None
    is_withdrawal = Action.WITHDRAW.value in (cause.action, waiting.action)
    action = Action.WITHDRAW if is_withdrawal else Action.ERASE
    return replace(
        cause,
        reason=_REASONS[action.value],
        action=action.value,
        received_at=waiting.received_at,
        due_on=waiting.due_on.isoformat(),
        receipt_id=waiting.receipt_id or cause.receipt_id,
        chosen=None if is_everything else merged(waiting.chosen or (), cause.chosen or ()),
    )


def _change(connection: Connection, request_id: str, **values: Any) -> None:
    connection.execute(update(REQUESTS).where(REQUESTS.c.id == request_id).values(**values))
