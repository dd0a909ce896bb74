"""Deferred transactions and reviews at rest. Implements `issuer.deferral.DeferralBook`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from issuer.credential_request import HolderKey
from issuer.deferral import Review, Waiting
from issuer.derivation import IssuerSecret, digest
from issuer.issuance import NONCE_KIND, Access, Grant
from issuer.offers import NoSuchOffer
from issuer.store.events import record
from issuer.store.tables import DEFERRALS, OFFERS, SPENT
from proofs import strict_json
from schemas.errors import Refused
from schemas.issuance import InvalidNonce, InvalidTransactionID
from service.database import Database
from service.single_use import spend


class AlreadyReviewed(Refused):
    """Somebody has approved or denied this certificate already; a denial is final."""

    error = "already_reviewed"


class DeferralStore:
    """The deferred transactions of one issuer."""

    def __init__(self, database: Database, *, secret: IssuerSecret) -> None:
        self._database = database
        self._secret = secret

    def defer(
        self, grant: Grant, keys: Sequence[HolderKey], *, nonce: str, nonce_expires_at: datetime, now: datetime
    ) -> str:
        """Spend the nonce and keep the keys in one transaction. Raises `InvalidNonce`."""
        marks = sorted(key.thumbprint for key in keys)
        transaction_id = self._secret.transaction_id(grant.offer_id, *marks)
        values = {
            "id_digest": digest(transaction_id),
            "offer_id": grant.offer_id,
            "keys": strict_json.dumps([dict(key.jwk) | {"kid": key.thumbprint} for key in keys]),
            "created_at": now,
            "was_obtained": False,
        }
        with self._database.transaction() as connection:
            if not spend(connection, SPENT, kind=NONCE_KIND, value=nonce, expires_at=nonce_expires_at, now=now):
                raise InvalidNonce("the nonce was used before, or has expired")
            known = select(DEFERRALS.c.was_obtained).where(DEFERRALS.c.id_digest == values["id_digest"])
            if connection.execute(known).first() is None:
                connection.execute(insert(DEFERRALS).values(**values))
            waiting = update(OFFERS).where(OFFERS.c.id == grant.offer_id, OFFERS.c.review == Review.NONE)
            if connection.execute(waiting.values(review=Review.WAITING, review_at=now)).rowcount:
                record(connection, "waiting", grant.offer_id, now=now)
        return transaction_id

    def find(self, transaction_id: str, access: Access) -> tuple[Grant, Review, tuple[HolderKey, ...]]:
        """What a transaction is about. Raises `InvalidTransactionID`."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(*(DEFERRALS.c[name] for name in ("offer_id", "keys", "was_obtained")), OFFERS.c.review)
                .join(OFFERS, OFFERS.c.id == DEFERRALS.c.offer_id)
                .where(DEFERRALS.c.id_digest == digest(transaction_id))
            ).one_or_none()
        grant = next((grant for grant in access.grants if row is not None and grant.offer_id == row.offer_id), None)
        if row is None or grant is None or row.was_obtained:
            raise InvalidTransactionID
        keys = tuple(
            HolderKey({name: value for name, value in jwk.items() if name != "kid"}, jwk["kid"])
            for jwk in strict_json.loads(row.keys)
        )
        return grant, Review(row.review), keys

    def list_waiting(self) -> list[Waiting]:
        """What waits for a review, the longest waiting first."""
        waiting = select(OFFERS).where(OFFERS.c.review == Review.WAITING).order_by(OFFERS.c.review_at)
        with self._database.reading() as connection:
            return [_read_waiting(row) for row in connection.execute(waiting)]

    def get_waiting(self, offer_id: str) -> Waiting:
        """One that waits. Raises `NoSuchOffer`, `AlreadyReviewed` for one that does not wait, or no longer."""
        with self._database.reading() as connection:
            row = connection.execute(select(OFFERS).where(OFFERS.c.id == offer_id)).one_or_none()
        if row is None:
            raise NoSuchOffer
        if row.review != Review.WAITING:
            raise AlreadyReviewed("this certificate does not wait for a review, or no longer")
        return _read_waiting(row)

    def count_waiting(self) -> int:
        """How many wait for a review."""
        waiting = select(func.count()).select_from(OFFERS).where(OFFERS.c.review == Review.WAITING)
        with self._database.reading() as connection:
            return int(connection.execute(waiting).scalar_one())

    def review(self, offer_id: str, decision: Review, *, now: datetime) -> None:
        """Approve or deny, once. Raises `NoSuchOffer`, `AlreadyReviewed`."""
        with self._database.transaction() as connection:
            decided = update(OFFERS).where(OFFERS.c.id == offer_id, OFFERS.c.review == Review.WAITING)
            if not connection.execute(decided.values(review=decision, review_at=now)).rowcount:
                if connection.execute(select(OFFERS.c.id).where(OFFERS.c.id == offer_id)).first() is None:
                    raise NoSuchOffer
                raise AlreadyReviewed
            record(connection, decision.value, offer_id, now=now)


def _read_waiting(row: Row[*tuple[Any, ...]]) -> Waiting:
    return Waiting(row.id, row.type_name, strict_json.loads_object(row.title), row.recipient, row.review_at)
