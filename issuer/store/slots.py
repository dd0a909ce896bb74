"""Status slots at rest: one transaction spends the nonce and takes an entry of a status list for each holder key.

Implements `issuer.issuance.SlotBook`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from issuer.derivation import IssuerSecret, digest
from issuer.issuance import NONCE_KIND, Grant, Period, Reservation, Slot, random_indexes
from issuer.offers import OfferState
from issuer.status import FULL_BELOW, Status
from issuer.store.events import record
from issuer.store.slot_mark import SlotMark
from issuer.store.tables import DEFERRALS, OFFERS, SLOTS, SPENT, STATUS_LISTS
from schemas.issuance import CredentialRequestDenied, InvalidNonce, InvalidToken, InvalidTransactionID
from service.database import Database
from service.prepared import Prepared, moment
from service.single_use import spend

_FOR_COLLECTION = Prepared(
    select(
        OFFERS.c.generation,
        OFFERS.c.state,
        OFFERS.c.token_digest,
        OFFERS.c.token_until,
        OFFERS.c.batches_left,
        OFFERS.c.copies,
        OFFERS.c.valid_from,
        OFFERS.c.valid_until,
        OFFERS.c.status,
    ).where(OFFERS.c.id == bindparam("offer_id"))
)
_FIRST_COPIES = Prepared(
    update(OFFERS)
    .where(OFFERS.c.id == bindparam("offer_id"))
    .values(
        state=OfferState.COLLECTED.value,
        state_at=bindparam("now"),
        collected_at=bindparam("now"),
        valid_from=bindparam("start"),
        valid_until=bindparam("end"),
        status_at=bindparam("now"),
        batches_left=bindparam("left"),
        copies=bindparam("count"),
    )
)
_MORE_COPIES = Prepared(
    update(OFFERS)
    .where(OFFERS.c.id == bindparam("offer_id"))
    .values(batches_left=bindparam("left"), copies=bindparam("count"))
)
_SLOTS_OF = Prepared(
    select(SLOTS.c.list_id, SLOTS.c.idx, SLOTS.c.key_mark).where(SLOTS.c.offer_id == bindparam("offer"))
)
_NEW_SLOT = {
    # The table's key refuses an index that is taken; such a row is left out, and tried again with another index.
    name: Prepared(
        dialect_insert(SLOTS)
        .values(
            list_id=bindparam("list_"), idx=bindparam("index_"), offer_id=bindparam("offer"), key_mark=bindparam("mark")
        )
        .on_conflict_do_nothing()
    )
    for name, dialect_insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_TAKE_ENTRIES = Prepared(
    update(STATUS_LISTS)
    .where(STATUS_LISTS.c.id == select(func.max(STATUS_LISTS.c.id)).scalar_subquery())
    .where(STATUS_LISTS.c.allocated < STATUS_LISTS.c.size * FULL_BELOW)
    .values(allocated=STATUS_LISTS.c.allocated + bindparam("count"))
    .returning(STATUS_LISTS.c.id, STATUS_LISTS.c.size, STATUS_LISTS.c.allocated)
)


class SlotStore:
    """The slots of one issuer."""

    def __init__(
        self,
        database: Database,
        *,
        secret: IssuerSecret,
        status_list_size: int,
        mark: SlotMark,
        allowance_batches: int,
    ) -> None:
        self._database = database
        self._allowance = allowance_batches
        self._mark = mark
        self._secret = secret
        self._list_size = status_list_size

    def reserve(
        self,
        grant: Grant,
        *,
        nonce: str | None = None,
        nonce_expires_at: datetime | None = None,
        transaction_id: str | None = None,
        thumbprints: Sequence[str],
        period: Period,
        now: datetime,
    ) -> Reservation:
        """Spend the nonce, or the deferred transaction, and take a slot for each key that has none, in one transaction.

        Raises `InvalidNonce`, `InvalidTransactionID`, `InvalidToken`, or `CredentialRequestDenied`, which leaves the
        nonce spent.
        """
        with self._database.transaction() as connection:
            if transaction_id is not None:
                _obtain(connection, transaction_id)
            elif (
                nonce is None
                or nonce_expires_at is None
                or not spend(connection, SPENT, kind=NONCE_KIND, value=nonce, expires_at=nonce_expires_at, now=now)
            ):
                raise InvalidNonce("the nonce was used before, or has expired")
            reserved = self._reserve(connection, grant, thumbprints, period, now=now)
        # Raised only after the transaction was committed: the nonce stays spent.
        if isinstance(reserved, str):
            raise CredentialRequestDenied(reserved)
        return reserved

    def _reserve(
        self, connection: Connection, grant: Grant, thumbprints: Sequence[str], period: Period, *, now: datetime
    ) -> Reservation | str:
        """The slots, or the reason why there are none."""
        offer = _FOR_COLLECTION.one_or_none(connection, offer_id=grant.offer_id)
        if (
            offer is None
            or offer.generation != grant.generation
            or offer.token_digest is None
            or offer.token_until is None
            or now >= moment(offer.token_until)
        ):
            raise InvalidToken("the access token is unknown, expired or revoked")
        marks = {self._secret.key_mark(grant.offer_id, thumbprint): thumbprint for thumbprint in thumbprints}
        slots: dict[str, Slot] = {}
        is_first = offer.state != OfferState.COLLECTED
        if not is_first:
            if offer.status != Status.VALID:
                return "the certificate was revoked or suspended"
            period = Period(moment(offer.valid_from), moment(offer.valid_until))
            slots = self._known_slots(connection, grant.offer_id, marks)
        new = {mark: thumbprint for mark, thumbprint in marks.items() if thumbprint not in slots}
        if not new:
            if offer.batches_left == self._allowance:
                # The first copies since the token was renewed, of keys from before it: they count as a batch, else
                # nothing would show that the renewed token arrived, and an old refresh token would still be answered.
                _MORE_COPIES.run(connection, offer_id=grant.offer_id, left=offer.batches_left - 1, count=offer.copies)
            return Reservation(slots, period.valid_from, period.valid_until)
        if offer.batches_left < 1:
            return "the copies that this offer allows have been issued"
        slots |= self._take_slots(connection, grant.offer_id, new)
        counts = {"offer_id": grant.offer_id, "left": offer.batches_left - 1, "count": offer.copies + len(new)}
        if is_first:
            _FIRST_COPIES.run(connection, now=now, start=period.valid_from, end=period.valid_until, **counts)
            record(connection, "collected", grant.offer_id, now=now)
        else:
            _MORE_COPIES.run(connection, **counts)
        return Reservation(slots, period.valid_from, period.valid_until)

    def _known_slots(self, connection: Connection, offer_id: str, marks: Mapping[bytes, str]) -> dict[str, Slot]:
        """The slots that these keys already have, by thumbprint."""
        rows = _SLOTS_OF.all(connection, offer=offer_id)
        return {marks[row.key_mark]: Slot(row.list_id, row.idx) for row in rows if row.key_mark in marks}

    def _take_slots(self, connection: Connection, offer_id: str, marks: Mapping[bytes, str]) -> dict[str, Slot]:
        """Take one unpredictable free entry for each mark; the table's key guarantees that none is taken twice."""
        list_id, size = self._open_list(connection, len(marks))
        taken: dict[str, Slot] = {}
        missing = dict(marks)
        while missing:
            indexes = random_indexes(size, len(missing))
            rows = [
                {"list_": list_id, "index_": index, "offer": offer_id, "mark": mark}
                for index, mark in zip(indexes, missing, strict=True)
            ]
            if _NEW_SLOT[connection.dialect.name].run_each(connection, rows) == len(rows):
                new = zip(missing.values(), indexes, strict=True)
                return taken | {thumbprint: Slot(list_id, index) for thumbprint, index in new}
            taken |= self._known_slots(connection, offer_id, missing)
            missing = {mark: thumbprint for mark, thumbprint in missing.items() if thumbprint not in taken}
        return taken

    def _open_list(self, connection: Connection, count: int) -> tuple[int, int]:
        """Count the entries to the newest list that is not full enough yet, or to a fresh one; its number and size.

        A fresh one too when more was taken of the newest list than the database knows: then it was restored from an
        older copy, and what was taken since must not be taken again.
        """
        found, marked = _TAKE_ENTRIES.one_or_none(connection, count=count), self._mark.read()
        if found is not None and (found.id, found.allocated - count) >= marked:
            self._mark.write((found.id, found.allocated))
            return found.id, found.size
        newest = connection.execute(select(func.max(STATUS_LISTS.c.id))).scalar_one()
        list_id = max(newest or 0, marked[0]) + 1
        connection.execute(insert(STATUS_LISTS).values(id=list_id, size=self._list_size, allocated=count, version=0))
        self._mark.write((list_id, count))
        return list_id, self._list_size


def _obtain(connection: Connection, transaction_id: str) -> None:
    """Spend a deferred transaction and forget its keys. Raises `InvalidTransactionID` when it was spent."""
    waiting = update(DEFERRALS).where(
        DEFERRALS.c.id_digest == digest(transaction_id), DEFERRALS.c.was_obtained.is_(False)
    )
    if not connection.execute(waiting.values(was_obtained=True, keys=b"[]")).rowcount:
        raise InvalidTransactionID
