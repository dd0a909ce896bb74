"""Codes, access tokens and slots at rest: where exactly one of many parallel requests wins.

Implements `issuer.authorization.CodeBook` and `issuer.issuance.SlotBook`. Each method is one transaction.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from issuer.authorization import NewToken, StoredCode, Verdict
from issuer.derivation import IssuerSecret, digest
from issuer.issuance import NONCE_KIND, Grant, Period, Reservation, Slot, random_indexes
from issuer.offers import OfferState, new_id
from issuer.status import FULL_BELOW, Status
from issuer.store.events import record
from issuer.store.tables import CERTIFICATES, OFFERS, SLOTS, SPENT, STATUS_LISTS
from proofs import strict_json
from schemas.issuance import CredentialRequestDenied, InvalidGrant, InvalidNonce, InvalidToken
from service.database import Busy, Database
from service.single_use import prune, spend

_KEEP_UNCOLLECTED = timedelta(days=30)
"""How long after its end an offer that nobody collected can still be offered again; then its claims are erased."""

_BY_CODE = select(
    OFFERS.c.id,
    OFFERS.c.type_name,
    OFFERS.c.state,
    OFFERS.c.expires_at,
    OFFERS.c.generation,
    OFFERS.c.tx_code_length,
    OFFERS.c.tries_left,
).where(OFFERS.c.code_digest == bindparam("digest_"))
_BY_TOKEN = select(
    OFFERS.c.id,
    OFFERS.c.generation,
    OFFERS.c.type_name,
    OFFERS.c.claims,
    OFFERS.c.token_until,
    OFFERS.c.by_identifier,
    OFFERS.c.client_id,
).where(OFFERS.c.token_digest == bindparam("digest_"))
_GRANTED = (
    update(OFFERS)
    .where(OFFERS.c.id == bindparam("id_"))
    .values(
        state=bindparam("state_"),
        state_at=bindparam("now_"),
        token_digest=bindparam("digest_"),
        token_until=bindparam("until_"),
        by_identifier=bindparam("by_identifier_"),
        client_id=bindparam("client_id_"),
        typeable_digest=None,
    )
)
_FOR_COLLECTION = select(
    OFFERS.c.generation,
    OFFERS.c.type_name,
    OFFERS.c.title,
    OFFERS.c.recipient,
    OFFERS.c.token_digest,
    OFFERS.c.token_until,
    OFFERS.c.batches_left,
    OFFERS.c.certificate_id,
).where(OFFERS.c.id == bindparam("id_"))
_COLLECTED = (
    update(OFFERS)
    .where(OFFERS.c.id == bindparam("id_"))
    .values(
        state=bindparam("state_"),
        state_at=bindparam("now_"),
        batches_left=bindparam("left_"),
        certificate_id=bindparam("certificate_"),
    )
)
_CERTIFICATE = select(CERTIFICATES).where(CERTIFICATES.c.id == bindparam("id_"))
_MORE_COPIES = (
    update(CERTIFICATES)
    .where(CERTIFICATES.c.id == bindparam("id_"))
    .values(copies=CERTIFICATES.c.copies + bindparam("count_"))
)
_SLOTS_OF = select(SLOTS.c.list_id, SLOTS.c.idx, SLOTS.c.key_mark).where(SLOTS.c.certificate_id == bindparam("id_"))
_TAKEN = select(SLOTS.c.idx).where(
    SLOTS.c.list_id == bindparam("list_"), SLOTS.c.idx.in_(bindparam("indexes_", expanding=True))
)
_NEW_SLOT = insert(SLOTS)
_NEWEST_LIST = (
    select(STATUS_LISTS.c.id, STATUS_LISTS.c.size, STATUS_LISTS.c.allocated).order_by(STATUS_LISTS.c.id.desc()).limit(1)
)
_ALLOCATED = (
    update(STATUS_LISTS)
    .where(STATUS_LISTS.c.id == bindparam("id_"))
    .values(allocated=STATUS_LISTS.c.allocated + bindparam("count_"))
)


AnyRow = Row[*tuple[Any, ...]]
"""A row whose columns are those of the statement that found it."""


class GrantStore:
    """Codes, tokens and slots of one issuer."""

    def __init__(
        self, database: Database, *, secret: IssuerSecret, token_lifetime: timedelta, status_list_size: int
    ) -> None:
        self._database = database
        self._secret = secret
        self._token_lifetime = token_lifetime
        self._list_size = status_list_size

    # --- codes ---------------------------------------------------------------------------------------------------

    def redeem(
        self, code: str, judge: Callable[[StoredCode], Verdict], token: NewToken, *, now: datetime
    ) -> StoredCode:
        """Judge a code and act on the verdict in one transaction. Raises `InvalidGrant` unless it was granted."""
        with self._database.transaction() as connection:
            row = connection.execute(_BY_CODE, {"digest_": digest(code)}).one_or_none()
            if row is None:
                raise InvalidGrant("the code is not valid, or no longer")
            stored = self._stored_code(row)
            verdict = judge(stored)
            if verdict is Verdict.GRANT:
                self._grant(connection, row.id, token, now=now)
                return stored
            if verdict is Verdict.COUNT_WRONG_TRY:
                self._count_try(connection, row, now=now)
            else:
                self._withdraw_token(connection, row.id)
        # Raised only after the transaction was committed: the count and the withdrawal stay.
        if verdict is Verdict.COUNT_WRONG_TRY:
            raise InvalidGrant("the transaction code is wrong")
        raise InvalidGrant("the code was used before")

    def _stored_code(self, row: AnyRow) -> StoredCode:
        tx_code = None
        if row.tx_code_length:
            tx_code = self._secret.transaction_code(row.id, row.generation, length=row.tx_code_length)
        return StoredCode(row.id, row.type_name, OfferState(row.state), row.expires_at, tx_code, row.tries_left)

    def _grant(self, connection: Connection, offer_id: str, token: NewToken, *, now: datetime) -> None:
        values = {
            "id_": offer_id,
            "state_": OfferState.REDEEMED.value,
            "now_": now,
            "digest_": digest(token.token),
            "until_": now + self._token_lifetime,
            "by_identifier_": token.by_identifier,
            "client_id_": token.client_id,
        }
        connection.execute(_GRANTED, values)

    def _count_try(self, connection: Connection, row: AnyRow, *, now: datetime) -> None:
        values: dict[str, Any] = {"tries_left": row.tries_left - 1}
        if row.tries_left <= 1 and OfferState(row.state) not in (OfferState.REDEEMED, OfferState.COLLECTED):
            values |= {"state": OfferState.LOCKED.value, "state_at": now, "typeable_digest": None}
            record(connection, "locked", row.id, now=now)
        connection.execute(update(OFFERS).where(OFFERS.c.id == row.id).values(**values))

    def _withdraw_token(self, connection: Connection, offer_id: str) -> None:
        connection.execute(update(OFFERS).where(OFFERS.c.id == offer_id).values(token_digest=None))

    # --- access tokens -------------------------------------------------------------------------------------------

    def for_token(self, token: str, *, now: datetime) -> Grant:
        """What an access token stands for. Raises `InvalidToken`."""
        with self._database.reading() as connection:
            row = connection.execute(_BY_TOKEN, {"digest_": digest(token)}).one_or_none()
        if row is None or row.claims is None or row.token_until is None or now >= row.token_until:
            raise InvalidToken("the access token is unknown, expired or revoked")
        return Grant(
            offer_id=row.id,
            generation=row.generation,
            type_name=row.type_name,
            claims=strict_json.loads_object(row.claims),
            until=row.token_until,
            by_identifier=row.by_identifier,
            client_id=row.client_id,
        )

    # --- slots ---------------------------------------------------------------------------------------------------

    def reserve(
        self,
        grant: Grant,
        *,
        nonce: str,
        nonce_expires_at: datetime,
        thumbprints: Sequence[str],
        period: Period,
        now: datetime,
    ) -> Reservation:
        """Spend the nonce and take a slot for each key that has none, in one transaction (see `issuer.issuance`).

        Raises `InvalidNonce`, `InvalidToken`, or `CredentialRequestDenied`, which leaves the nonce spent.
        """
        try:
            with self._database.transaction() as connection:
                if not spend(connection, SPENT, kind=NONCE_KIND, value=nonce, expires_at=nonce_expires_at, now=now):
                    raise InvalidNonce("the nonce was used before, or has expired")
                reserved = self._reserve(connection, grant, thumbprints, period, now=now)
        except IntegrityError as exc:
            raise Busy from exc  # Another host took the same random index at the same moment.
        if isinstance(reserved, str):
            raise CredentialRequestDenied(reserved)
        return reserved

    def _reserve(
        self, connection: Connection, grant: Grant, thumbprints: Sequence[str], period: Period, *, now: datetime
    ) -> Reservation | str:
        offer = connection.execute(_FOR_COLLECTION, {"id_": grant.offer_id}).one_or_none()
        if (
            offer is None
            or offer.generation != grant.generation
            or offer.token_digest is None
            or offer.token_until is None
            or now >= offer.token_until
        ):
            raise InvalidToken("the access token is unknown, expired or revoked")
        is_first = offer.certificate_id is None
        certificate_id = new_id() if is_first else offer.certificate_id
        marks = {self._secret.key_mark(certificate_id, thumbprint): thumbprint for thumbprint in thumbprints}
        slots: dict[str, Slot] = {}
        if not is_first:
            certificate = connection.execute(_CERTIFICATE, {"id_": certificate_id}).one()
            if certificate.status != Status.VALID:
                return "the certificate was revoked or suspended"
            period = Period(certificate.valid_from, certificate.valid_until)
            for row in connection.execute(_SLOTS_OF, {"id_": certificate_id}):
                if row.key_mark in marks:
                    slots[marks[row.key_mark]] = Slot(row.list_id, row.idx)
        new = {mark: thumbprint for mark, thumbprint in marks.items() if thumbprint not in slots}
        if new:
            if offer.batches_left < 1:
                return "the copies that this offer allows have been issued"
            slots |= self._take_slots(connection, certificate_id, new)
            values = {
                "id_": grant.offer_id,
                "state_": OfferState.COLLECTED.value,
                "now_": now,
                "left_": offer.batches_left - 1,
                "certificate_": certificate_id,
            }
            connection.execute(_COLLECTED, values)
            if is_first:
                self._new_certificate(connection, certificate_id, grant, offer, len(new), period, now=now)
            else:
                connection.execute(_MORE_COPIES, {"id_": certificate_id, "count_": len(new)})
        return Reservation(slots, period.valid_from, period.valid_until)

    def _new_certificate(
        self,
        connection: Connection,
        certificate_id: str,
        grant: Grant,
        offer: AnyRow,
        copies: int,
        period: Period,
        *,
        now: datetime,
    ) -> None:
        values = {
            "id": certificate_id,
            "offer_id": grant.offer_id,
            "type_name": offer.type_name,
            "title": offer.title,
            "recipient": offer.recipient,
            "collected_at": now,
            "valid_from": period.valid_from,
            "valid_until": period.valid_until,
            "status": int(Status.VALID),
            "status_at": now,
            "status_reason": "",
            "copies": copies,
        }
        connection.execute(insert(CERTIFICATES), values)
        record(connection, "collected", grant.offer_id, now=now)

    def _take_slots(self, connection: Connection, certificate_id: str, marks: dict[bytes, str]) -> dict[str, Slot]:
        """Take one unpredictable free entry for each mark; the table's key guarantees that none is taken twice."""
        list_id, size = self._open_list(connection)
        indexes = random_indexes(size, len(marks))
        while taken := {i for (i,) in connection.execute(_TAKEN, {"list_": list_id, "indexes_": indexes})}:
            free = [index for index in indexes if index not in taken]
            fresh = random_indexes(size, len(marks))
            indexes = list(dict.fromkeys([*free, *fresh]))[: len(marks)]
        connection.execute(
            _NEW_SLOT,
            [
                {"list_id": list_id, "idx": index, "certificate_id": certificate_id, "key_mark": mark}
                for index, mark in zip(indexes, marks, strict=True)
            ],
        )
        connection.execute(_ALLOCATED, {"id_": list_id, "count_": len(marks)})
        return {thumbprint: Slot(list_id, index) for index, thumbprint in zip(indexes, marks.values(), strict=True)}

    def _open_list(self, connection: Connection) -> tuple[int, int]:
        """The list that takes new slots: the newest, or a fresh one when that is full enough."""
        newest = connection.execute(_NEWEST_LIST).one_or_none()
        if newest is not None and newest.allocated < newest.size * FULL_BELOW:
            return newest.id, newest.size
        list_id = 1 if newest is None else newest.id + 1
        connection.execute(
            insert(STATUS_LISTS).values(id=list_id, size=self._list_size, allocated=0, version=0, published_version=-1)
        )
        return list_id, self._list_size

    # --- erasure -------------------------------------------------------------------------------------------------

    def sweep(self, *, now: datetime) -> int:
        """Erase what closed collection windows leave behind; returns how many offers were cleaned.

        Of a collected offer: its claims, its token and the marks of holder keys. Of a redeemed one that was not
        collected: its token. Claims of offers that nobody collected go thirty days after their end. Spent nonces go
        when expired.
        """
        closed = select(OFFERS.c.id, OFFERS.c.state, OFFERS.c.certificate_id).where(OFFERS.c.token_until <= now)
        with self._database.reading() as connection:
            nothing_closed = connection.execute(closed.limit(1)).first() is None
        with self._database.transaction() as connection:
            prune(connection, SPENT, now=now)
            connection.execute(
                update(OFFERS)
                .where(OFFERS.c.expires_at <= now - _KEEP_UNCOLLECTED, OFFERS.c.claims.is_not(None))
                .where(OFFERS.c.token_until.is_(None))
                .values(claims=None)
            )
            rows = [] if nothing_closed else connection.execute(closed).all()
            for row in rows:
                values: dict[str, Any] = {"token_digest": None, "token_until": None}
                if OfferState(row.state) is OfferState.COLLECTED:
                    values["claims"] = None
                    connection.execute(
                        update(SLOTS).where(SLOTS.c.certificate_id == row.certificate_id).values(key_mark=None)
                    )
                connection.execute(update(OFFERS).where(OFFERS.c.id == row.id).values(**values))
        return len(rows)
