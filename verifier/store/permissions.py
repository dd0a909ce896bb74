"""Standing permissions and their uses. Every method is one transaction.

A check is claimed before anything is looked up: one update of the row of the permission, which only one that is in
force and due lets happen. So a check and the end of its permission have an order, whatever comes at once in however
many processes: a check that was claimed first stands in the record that the person gets, one that comes after the end
is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from proofs.after_share import CheckedHolderMessage, InvalidHolderMessage
from schemas.standing_permission import EndReason, PermissionAct, PermissionAction, PermissionState, RecheckOutcome
from service.database import Database
from verifier.deletion import chosen_items
from verifier.disclosed import KeptPresentation
from verifier.rechecks import (
    NoPermission,
    NotOffered,
    Permission,
    Recheck,
    RecheckNotPermitted,
    check_is_offered,
)
from verifier.requests import Transaction
from verifier.retention import deletion_moment
from verifier.store.contents import Sealer
from verifier.store.erasing import Eraser, items_from, items_to
from verifier.store.log import write_log
from verifier.store.mapping import WHOLE, may_be_read, question_of, transaction_of
from verifier.store.permission_end import end_permission
from verifier.store.records import Event
from verifier.store.requests import NoSuchRequest
from verifier.store.shares import spent_share
from verifier.store.tables import PERMISSIONS, RECHECKS, REQUESTS

RETRY_AFTER: Final = timedelta(days=1)
"""A check that came to nothing may be tried again after this."""
UNDER_WAY: Final = timedelta(minutes=5)
"""A check that has no outcome after this has none: the process ended."""
_SKEW: Final = timedelta(minutes=5)
_MADE_BY = {
    PermissionAction.PAUSE: (PermissionState.PAUSED, Event.PERMISSION_PAUSED),
    PermissionAction.RESUME: (PermissionState.ACTIVE, Event.PERMISSION_RESUMED),
}


@dataclass(frozen=True, slots=True)
class ClaimedCheck:
    """A check that may be made now: which one it is, and the presentations that it is about."""

    request_id: str
    number: int
    transaction: Transaction
    answered_at: datetime
    kept: tuple[KeptPresentation, ...]


class PermissionStore:
    """The standing permissions of one verifier."""

    def __init__(self, database: Database, *, sealer: Sealer, eraser: Eraser, time_zone: str) -> None:
        self.database = database
        self._sealer = sealer
        self._eraser = eraser
        self._time_zone = time_zone

    # --- what wallets ask --------------------------------------------------------------------------------------------

    def act_upon(
        self, message: CheckedHolderMessage, act: PermissionAct, *, now: datetime
    ) -> tuple[Permission | None, Transaction]:
        """Do what the person wants; how the permission stands then (None: there is none), and its request.

        The same wish again changes nothing, and neither does one that is older than the last. Raises `NoSuchShare`,
        `Replayed`, `InvalidHolderMessage`, `NotOffered`, `NoPermission`, `UnknownItem`.
        """
        if act.wished_at is not None and act.wished_at > (now + _SKEW).timestamp() * 1000:
            raise InvalidHolderMessage("the wish was made in the future")
        with self.database.transaction() as connection:
            row = spent_share(connection, message, act, now)
            transaction = transaction_of(row, self._sealer)
            match act.action:
                case PermissionAction.GRANT:
                    self._grant(connection, row, act, transaction, now)
                case PermissionAction.PAUSE | PermissionAction.RESUME:
                    self._change(connection, row, act, now)
                case PermissionAction.END:
                    self._end(connection, row, act, now)
                case PermissionAction.STATUS:
                    pass
            return self._found(connection, row, now), transaction

    def _grant(
        self, connection: Connection, row: Row[Any], act: PermissionAct, transaction: Transaction, now: datetime
    ) -> None:
        """Begin a permission. One that is there stays as it is: it can be ended, never prolonged or begun anew."""
        assert act.until is not None
        if _row(connection, row.id) is not None:
            return
        check_is_offered(act, transaction)
        ends_at = deletion_moment(act.until, time_zone=self._time_zone)
        if not may_be_read(row, now) or row.withdrawn_at is not None or ends_at <= now:
            raise NotOffered("there is nothing (any more) that could be checked")
        items = chosen_items(act.items or (), self._eraser.shared(connection, row))
        self._insert(connection, row, act, PermissionState.ACTIVE, ends_at=ends_at, now=now, items=items_to(items))
        _log(connection, row, Event.PERMITTED, now)

    def _change(self, connection: Connection, row: Row[Any], act: PermissionAct, now: datetime) -> None:
        if _row(connection, row.id) is None:
            raise NoPermission
        state, event = _MADE_BY[act.action]
        changed = connection.execute(
            update(PERMISSIONS)
            .where(
                PERMISSIONS.c.request_id == row.id,
                PERMISSIONS.c.state.not_in((PermissionState.ENDED.value, state.value)),
                PERMISSIONS.c.wished_at <= act.wished_at,
            )
            .values(state=state.value, wished_at=act.wished_at)
        )
        if changed.rowcount == 1:
            _log(connection, row, event, now)

    def _end(self, connection: Connection, row: Row[Any], act: PermissionAct, now: datetime) -> None:
        """End it. Where the grant has not arrived yet, the end is noted, so that it never begins."""
        if _row(connection, row.id) is None:
            self._insert(connection, row, act, PermissionState.ENDED, ends_at=now, now=now)
            _log(connection, row, Event.PERMISSION_ENDED, now, outcome=EndReason.BY_PERSON.value)
        else:
            end_permission(connection, row, EndReason.BY_PERSON, now=now)

    @staticmethod
    def _insert(
        connection: Connection,
        row: Row[Any],
        act: PermissionAct,
        state: PermissionState,
        *,
        ends_at: datetime,
        now: datetime,
        items: str = "",
    ) -> None:
        is_ended = state is PermissionState.ENDED
        connection.execute(
            insert(PERMISSIONS).values(
                request_id=row.id,
                state=state.value,
                wished_at=act.wished_at,
                named=items,
                until=act.until.isoformat() if act.until else "",
                ends_at=ends_at,
                granted_at=None if is_ended else now,
                ended_at=now if is_ended else None,
                end_reason=EndReason.BY_PERSON.value if is_ended else "",
                next_at=now,
                checks=0,
            )
        )

    # --- checking again ----------------------------------------------------------------------------------------------

    def claim(self, request_id: str, *, actor: str, now: datetime) -> ClaimedCheck:
        """Use the permission once: written before anything is looked up.

        Raises `NoSuchRequest`, `RecheckNotPermitted`, `SealBroken`.
        """
        with self.database.transaction() as connection:
            row = connection.execute(WHOLE.where(REQUESTS.c.id == request_id)).one_or_none()
            if row is None:
                raise NoSuchRequest("there is no request of this id")
            every_days = self._every_days(row)
            claimed = connection.execute(
                update(PERMISSIONS)
                .where(
                    PERMISSIONS.c.request_id == request_id,
                    PERMISSIONS.c.state == PermissionState.ACTIVE.value,
                    PERMISSIONS.c.ends_at > now,
                    PERMISSIONS.c.next_at <= now,
                )
                .values(checks=PERMISSIONS.c.checks + 1, next_at=now + timedelta(days=every_days))
                .returning(PERMISSIONS.c.checks, PERMISSIONS.c.named)
            ).one_or_none()
            if claimed is None:
                raise RecheckNotPermitted(self._reason(connection, row, now))
            named = {item.credential for item in items_from(claimed.named)}
            kept: Sequence[KeptPresentation] = ()
            if may_be_read(row, now) and row.withdrawn_at is None:
                kept = [one for one in self._eraser.open(connection, row) if one.query_id in named and one.token]
            if not kept:  # Raising takes the claim back with the transaction.
                raise RecheckNotPermitted("deleted")
            connection.execute(
                insert(RECHECKS).values(request_id=row.id, number=claimed.checks, at=now, actor=actor, outcome="")
            )
            _log(connection, row, Event.RECHECK_BEGUN, now, actor=actor)
            return ClaimedCheck(row.id, claimed.checks, transaction_of(row, self._sealer), row.answered_at, tuple(kept))

    def finish(self, check: ClaimedCheck, outcome: RecheckOutcome, *, now: datetime) -> RecheckOutcome:
        """Keep what a check came to; nothing but that it was made, when its permission is no longer in force."""
        with self.database.transaction() as connection:
            row = connection.execute(WHOLE.where(REQUESTS.c.id == check.request_id)).one()
            permission = _row(connection, check.request_id)
            if permission is None or _state(permission, now) is not PermissionState.ACTIVE or not may_be_read(row, now):
                outcome = RecheckOutcome.DISCARDED
            of_check = (RECHECKS.c.request_id == check.request_id, RECHECKS.c.number == check.number)
            noted = update(RECHECKS).where(*of_check).values(outcome=outcome.value).returning(RECHECKS.c.at)
            at: datetime = connection.execute(noted).one().at
            if outcome is RecheckOutcome.COULD_NOT_CHECK:
                retry_at = at + RETRY_AFTER
                connection.execute(
                    update(PERMISSIONS)
                    .where(PERMISSIONS.c.request_id == check.request_id, PERMISSIONS.c.next_at > retry_at)
                    .values(next_at=retry_at)
                )
            _log(connection, row, Event.RECHECKED, now, outcome=outcome.value)
        return outcome

    # --- reading -----------------------------------------------------------------------------------------------------

    def get(self, request_id: str, *, now: datetime) -> Permission | None:
        """The permission of a request; None when there is none."""
        with self.database.reading() as connection:
            row = connection.execute(WHOLE.where(REQUESTS.c.id == request_id)).one_or_none()
            return None if row is None else self._found(connection, row, now)

    def due(self, *, now: datetime, limit: int = 50) -> list[str]:
        """The requests whose template lets the service check by itself, and whose next check is due."""
        wanted = (
            WHOLE.join(PERMISSIONS, PERMISSIONS.c.request_id == REQUESTS.c.id)
            .where(
                PERMISSIONS.c.state == PermissionState.ACTIVE.value,
                PERMISSIONS.c.ends_at > now,
                PERMISSIONS.c.next_at <= now,
                REQUESTS.c.contents_number.is_not(None),
            )
            .order_by(PERMISSIONS.c.next_at)
        )
        with self.database.reading() as connection:
            rows = connection.execute(wanted).all()
        automatic = [row.id for row in rows if may_be_read(row, now) and _is_automatic(row)]
        return automatic[:limit]

    # --- steps -------------------------------------------------------------------------------------------------------

    def _found(self, connection: Connection, row: Row[Any], now: datetime) -> Permission | None:
        found = _row(connection, row.id)
        if found is None:
            return None
        state, reason = _state(found, now), EndReason(found.end_reason) if found.end_reason else None
        ended_at = found.ended_at
        if state is PermissionState.ENDED and reason is None:
            reason, ended_at = EndReason.TIME, found.ends_at
        uses = select(RECHECKS).where(RECHECKS.c.request_id == row.id).order_by(RECHECKS.c.number)
        return Permission(
            request_id=row.id,
            state=state,
            items=items_from(found.named),
            until=date.fromisoformat(found.until) if found.until else None,
            every_days=self._every_days(row),
            granted_at=found.granted_at,
            ended_at=ended_at,
            end_reason=reason,
            next_at=found.next_at,
            checks=tuple(
                Recheck(one.number, one.at, _outcome_of(one, now), one.actor) for one in connection.execute(uses).all()
            ),
        )

    @staticmethod
    def _every_days(row: Row[Any]) -> int:
        recheck = question_of(row.template).template.recheck
        return recheck.every_days if recheck is not None else 0

    @staticmethod
    def _reason(connection: Connection, row: Row[Any], now: datetime) -> str:
        found = _row(connection, row.id)
        if found is None:
            return "none"
        state = _state(found, now)
        return "too_soon" if state is PermissionState.ACTIVE else state.value


def _row(connection: Connection, request_id: str) -> Row[Any] | None:
    return connection.execute(select(PERMISSIONS).where(PERMISSIONS.c.request_id == request_id)).one_or_none()


def _state(found: Row[Any], now: datetime) -> PermissionState:
    """The state now: a permission whose last day has passed is over, whether anybody noted it or not."""
    return PermissionState.ENDED if found.ends_at <= now else PermissionState(found.state)


def _outcome_of(one: Row[Any], now: datetime) -> RecheckOutcome | None:
    if one.outcome:
        return RecheckOutcome(one.outcome)
    return None if now - one.at < UNDER_WAY else RecheckOutcome.COULD_NOT_CHECK


def _is_automatic(row: Row[Any]) -> bool:
    recheck = question_of(row.template).template.recheck
    return recheck is not None and recheck.automatic


def _log(
    connection: Connection, row: Row[Any], event: Event, now: datetime, *, actor: str = "", outcome: str = ""
) -> None:
    number = write_log(connection, event, row.id, row.template_name, now, actor, outcome=outcome)
    connection.execute(update(REQUESTS).where(REQUESTS.c.id == row.id).values(changed=number))
