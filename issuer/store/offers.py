"""Offers at rest: made, listed, opened, voided and offered again. Each method is one transaction."""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from issuer.derivation import IssuerSecret, digest, read_typeable_code
from issuer.offers import (
    CAN_BE_REDEEMED,
    CannotOfferAgain,
    NoSuchOffer,
    Offer,
    OfferDraft,
    OfferedMeanwhile,
    OfferState,
    codes_of,
    new_id,
    state_now,
)
from issuer.powers import marks_of_claims
from issuer.store.events import record, record_each
from issuer.store.powers import refuse_ended
from issuer.store.tables import OFFERS, REFRESH_TOKENS, SPENT
from proofs import strict_json
from service.database import Database
from service.single_use import spend

_ONCE = "issuer offer form"
_ONCE_LIFETIME = timedelta(hours=8)
_AS_WRITTEN = (
    "id",
    "type_name",
    "recipient",
    "created_at",
    "expires_at",
    "state_at",
    "generation",
    "tx_code_length",
    "tries_left",
    "typeable_series",
    "typeable_until",
)
_BY_ID = select(OFFERS).where(OFFERS.c.id == bindparam("offer_id"))
_BY_REFERENCE = select(OFFERS).where(OFFERS.c.reference_digest == bindparam("reference_digest"))
_BY_TYPED = select(OFFERS).where(OFFERS.c.typeable_digest == bindparam("typeable_digest"))


@dataclass(frozen=True, slots=True)
class OfferRules:
    """How long offers live and how transaction codes are."""

    lifetime: timedelta
    typeable_lifetime: timedelta
    tx_code_length: int
    tx_code_tries: int
    allowance_batches: int
    day_of: Callable[[datetime], date]


def read_offer(row: Row[*tuple[Any, ...]], *, now: datetime) -> Offer:
    """An offer from its row."""
    state = state_now(OfferState(row.state), expires_at=row.expires_at, token_until=row.token_until, now=now)
    return Offer(
        id=row.id,
        type_name=row.type_name,
        title=strict_json.loads_object(row.title),
        recipient=row.recipient,
        created_at=row.created_at,
        expires_at=row.expires_at,
        state=state,
        state_at=row.state_at,
        generation=row.generation,
        tx_code_length=row.tx_code_length,
        tries_left=row.tries_left,
        typeable_series=row.typeable_series,
        typeable_until=row.typeable_until,
        certificate_id=row.id if row.collected_at is not None else None,
        result_ids=tuple(strict_json.loads(row.result_ids)),
        with_sign_in=row.issuer_state_digest is not None,
    )


def _offer_made(draft: OfferDraft, row: Mapping[str, Any]) -> Offer:
    """An offer from the row that was just written, as `read_offer` would read it."""
    return Offer(
        title=dict(draft.title),
        result_ids=draft.result_ids,
        with_sign_in=draft.with_sign_in,
        state=OfferState.OFFERED,
        **{name: row[name] for name in _AS_WRITTEN},
    )


def _voided(now: datetime) -> dict[str, Any]:
    """What an offer that was made void holds: no codes, no token."""
    return {
        "state": OfferState.VOIDED,
        "state_at": now,
        "token_digest": None,
        "token_until": None,
        "typeable_digest": None,
        "typeable_until": None,
    }


class OfferStore:
    """The offers of one issuer."""

    def __init__(self, database: Database, *, secret: IssuerSecret, rules: OfferRules) -> None:
        self._database = database
        self._secret = secret
        self._rules = rules

    def create(
        self,
        drafts: Sequence[OfferDraft],
        *,
        now: datetime,
        once: str = "",
        unless: Callable[[Sequence[Offer]], bool] | None = None,
    ) -> list[Offer]:
        """Keep these offers, all or none, each with new codes.

        While they are written nobody else can write: give no more than `OFFERS_AT_ONCE`, and see `issuer/bulk.py`.
        `once` names the form that asked for them: when it has been used before, nothing is made and the list is empty.
        `unless` is asked about every earlier offer to people of these names, in the same transaction; when it says
        yes, `OfferedMeanwhile` is raised and nothing is made. Raises `PowerWasEnded` for a power that was.
        """
        rows = [new_row(draft, secret=self._secret, rules=self._rules, now=now) for draft in drafts]
        recipients = {draft.recipient for draft in drafts}
        with self._database.transaction() as connection:
            if once and not spend(connection, SPENT, kind=_ONCE, value=once, expires_at=now + _ONCE_LIFETIME, now=now):
                return []
            if unless is not None and unless(self._to_recipients(connection, recipients, now=now)):
                raise OfferedMeanwhile
            refuse_ended(connection, rows, day_of=self._rules.day_of)
            if rows:
                connection.execute(insert(OFFERS), rows)
                record_each(connection, "offered", [row["id"] for row in rows], now=now)
        return [_offer_made(draft, row) for draft, row in zip(drafts, rows, strict=True)]

    def void_each(self, offer_ids: Sequence[str], *, now: datetime) -> int:
        """Make those of these offers worthless that nobody has begun to collect; returns how many that were."""
        with self._database.transaction() as connection:
            still_open = select(OFFERS.c.id).where(OFFERS.c.id.in_(offer_ids), OFFERS.c.state.in_(CAN_BE_REDEEMED))
            ids = [row.id for row in connection.execute(still_open)]
            connection.execute(update(OFFERS).where(OFFERS.c.id.in_(ids)).values(**_voided(now)))
            record_each(connection, "voided", ids, now=now)
        return len(ids)

    def get(self, offer_id: str, *, now: datetime) -> Offer:
        """One offer. Raises `NoSuchOffer`."""
        with self._database.reading() as connection:
            return self._load(connection, offer_id, now=now)

    def claims(self, offer_id: str) -> dict[str, Any] | None:
        """The claims of an offer, for a preview; None once they were erased. Raises `NoSuchOffer`."""
        with self._database.reading() as connection:
            row = connection.execute(_BY_ID, {"offer_id": offer_id}).one_or_none()
        if row is None:
            raise NoSuchOffer
        return None if row.claims is None else strict_json.loads_object(row.claims)

    def list_offers(self, *, now: datetime, limit: int = 200, offset: int = 0) -> list[Offer]:
        """The latest offers, newest first."""
        statement = select(OFFERS).order_by(OFFERS.c.number.desc()).limit(limit).offset(offset)
        with self._database.reading() as connection:
            return [read_offer(row, now=now) for row in connection.execute(statement)]

    def of_result(self, result_id: str, *, now: datetime) -> list[Offer]:
        """The offers made from an imported result, newest first."""
        mark = strict_json.dumps(result_id)
        statement = select(OFFERS).where(OFFERS.c.result_ids.contains(mark)).order_by(OFFERS.c.number.desc())
        with self._database.reading() as connection:
            return [read_offer(row, now=now) for row in connection.execute(statement)]

    def to_recipients(self, recipients: Collection[str], *, now: datetime) -> list[Offer]:
        """Every offer to somebody of these names, newest first, so that nothing is offered twice unawares."""
        with self._database.reading() as connection:
            return self._to_recipients(connection, recipients, now=now)

    def _to_recipients(self, connection: Connection, recipients: Collection[str], *, now: datetime) -> list[Offer]:
        statement = select(OFFERS).where(OFFERS.c.recipient.in_(list(recipients))).order_by(OFFERS.c.number.desc())
        return [read_offer(row, now=now) for row in connection.execute(statement)]

    def void(self, offer_id: str, *, now: datetime) -> Offer:
        """Make an offer that nobody collected worthless, with its codes and its access token. Raises `NoSuchOffer`,
        `CannotOfferAgain` when it was collected (then the certificate can be revoked)."""
        with self._database.transaction() as connection:
            offer = self._load(connection, offer_id, now=now)
            if not offer.can_be_offered_again:
                raise CannotOfferAgain("this certificate was collected: revoke it instead")
            connection.execute(update(OFFERS).where(OFFERS.c.id == offer_id).values(**_voided(now)))
            connection.execute(delete(REFRESH_TOKENS).where(REFRESH_TOKENS.c.family == offer_id))
            record(connection, "voided", offer_id, now=now)
            return self._load(connection, offer_id, now=now)

    def offer_again(self, offer_id: str, *, now: datetime) -> Offer:
        """Give an offer that nobody collected new codes and a new period; the old codes and the old token are void.

        Raises `NoSuchOffer`, `CannotOfferAgain` when it was collected or its claims were erased.
        """
        with self._database.transaction() as connection:
            row = connection.execute(_BY_ID, {"offer_id": offer_id}).one_or_none()
            if row is None:
                raise NoSuchOffer
            offer = read_offer(row, now=now)
            if not offer.can_be_offered_again:
                raise CannotOfferAgain
            if row.claims is None:
                raise CannotOfferAgain("what this offer held has been erased: make a new one")
            values = fresh_codes(
                offer_id,
                secret=self._secret,
                rules=self._rules,
                generation=offer.generation + 1,
                has_tx_code=offer.has_tx_code,
                with_sign_in=offer.with_sign_in,
                now=now,
            )
            # Whoever began to collect with the old code can come back with nothing that it gave.
            connection.execute(delete(REFRESH_TOKENS).where(REFRESH_TOKENS.c.family == offer_id))
            connection.execute(update(OFFERS).where(OFFERS.c.id == offer_id).values(**values))
            record(connection, "offered_again", offer_id, now=now)
            return self._load(connection, offer_id, now=now)

    def new_typeable_code(self, offer_id: str, *, now: datetime) -> Offer:
        """Give an open offer with a transaction code a new typeable code, good for another 15 minutes.

        Raises `NoSuchOffer` when it is no longer open, `CannotOfferAgain` when it has no transaction code: what is
        short enough to type must not be all that is needed.
        """
        with self._database.transaction() as connection:
            offer = self._load(connection, offer_id, now=now)
            if not offer.is_open:
                raise NoSuchOffer("this offer is no longer open")
            if not offer.has_tx_code:
                raise CannotOfferAgain("only an offer with a transaction code can be typed")
            values = self._typeable(offer_id, offer.generation, offer.typeable_series + 1, now=now)
            connection.execute(update(OFFERS).where(OFFERS.c.id == offer_id).values(**values))
            return self._load(connection, offer_id, now=now)

    def open_reference(self, reference: str, *, now: datetime) -> Offer:
        """The open offer with this reference, now opened. Raises `NoSuchOffer`."""
        return self._open(_BY_REFERENCE, {"reference_digest": digest(reference)}, now=now)

    def peek_reference(self, reference: str, *, now: datetime) -> Offer:
        """The offer with this reference, in whatever state, without opening it: for the page that a person sees."""
        with self._database.reading() as connection:
            row = connection.execute(_BY_REFERENCE, {"reference_digest": digest(reference)}).one_or_none()
        if row is None:
            raise NoSuchOffer
        return read_offer(row, now=now)

    def peek_open_reference(self, reference: str, *, now: datetime) -> Offer:
        """As `open_reference`, without marking it as opened. Raises `NoSuchOffer`."""
        offer = self.peek_reference(reference, now=now)
        if not offer.is_open:
            raise NoSuchOffer("this offer is no longer open")
        return offer

    def open_typed(self, text: str, *, now: datetime) -> Offer:
        """The open offer with this typed code, now opened. Raises `NoSuchOffer`, also when the code's time is over."""
        code = read_typeable_code(text)
        if code is None:
            raise NoSuchOffer
        return self._open(_BY_TYPED, {"typeable_digest": digest(code)}, now=now, typed=True)

    def _open(self, statement: Any, values: dict[str, bytes], *, now: datetime, typed: bool = False) -> Offer:
        with self._database.reading() as connection:
            row = connection.execute(statement, values).one_or_none()
        if row is None or (typed and (row.typeable_until is None or now >= row.typeable_until)):
            raise NoSuchOffer
        offer = read_offer(row, now=now)
        if not offer.is_open:
            raise NoSuchOffer("this offer is no longer open")
        if offer.state is OfferState.OFFERED:
            self._mark_opened(offer, now=now)
        return offer

    def _mark_opened(self, offer: Offer, *, now: datetime) -> None:
        with self._database.transaction() as connection:
            changed = connection.execute(
                update(OFFERS)
                .where(
                    OFFERS.c.id == offer.id,
                    OFFERS.c.generation == offer.generation,
                    OFFERS.c.state == OfferState.OFFERED,
                )
                .values(state=OfferState.OPENED, state_at=now)
            )
            if changed.rowcount:
                record(connection, "opened", offer.id, now=now)

    def _load(self, connection: Connection, offer_id: str, *, now: datetime) -> Offer:
        row = connection.execute(_BY_ID, {"offer_id": offer_id}).one_or_none()
        if row is None:
            raise NoSuchOffer
        return read_offer(row, now=now)

    def _typeable(self, offer_id: str, generation: int, series: int, *, now: datetime) -> dict[str, Any]:
        return _typeable(offer_id, generation, series, secret=self._secret, rules=self._rules, now=now)


def new_row(draft: OfferDraft, *, secret: IssuerSecret, rules: OfferRules, now: datetime) -> dict[str, Any]:
    """The row of a new offer."""
    offer_id = new_id()
    return {
        "id": offer_id,
        "type_name": draft.type_name,
        "title": strict_json.dumps(dict(draft.title)),
        "recipient": draft.recipient,
        "result_ids": strict_json.dumps(list(draft.result_ids)),
        "claims": strict_json.dumps(dict(draft.claims)),
        "created_at": now,
        **marks_of_claims(secret, draft.type_name, draft.claims),
        **fresh_codes(
            offer_id,
            secret=secret,
            rules=rules,
            generation=1,
            has_tx_code=draft.with_tx_code,
            with_sign_in=draft.with_sign_in,
            now=now,
        ),
    }


def fresh_codes(
    offer_id: str,
    *,
    secret: IssuerSecret,
    rules: OfferRules,
    generation: int,
    has_tx_code: bool,
    with_sign_in: bool,
    now: datetime,
) -> dict[str, Any]:
    """What a new generation of an offer holds: its codes, a new period, a full allowance, and no token.

    With a sign-in there is no pre-authorized code at all: what stands for its digest is the digest of nothing.
    """
    codes = codes_of(secret, offer_id=offer_id, generation=generation, typeable_series=None)
    values: dict[str, Any] = {
        "generation": generation,
        "expires_at": now + rules.lifetime,
        "state": OfferState.OFFERED,
        "state_at": now,
        "code_digest": secrets.token_bytes(32) if with_sign_in else digest(codes.code),
        "issuer_state_digest": digest(codes.issuer_state) if with_sign_in else None,
        "reference_digest": digest(codes.reference),
        "tx_code_length": rules.tx_code_length if has_tx_code else 0,
        "tries_left": rules.tx_code_tries if has_tx_code else 0,
        "family": offer_id,
        "token_digest": None,
        "token_until": None,
        "by_identifier": False,
        "also_by_configuration": False,
        "client_id": None,
        "dpop_key": None,
        "batches_left": rules.allowance_batches,
        "typeable_series": 0,
        "typeable_digest": None,
        "typeable_until": None,
    }
    if not has_tx_code:
        return values
    return values | _typeable(offer_id, generation, 0, secret=secret, rules=rules, now=now)


def _typeable(
    offer_id: str, generation: int, series: int, *, secret: IssuerSecret, rules: OfferRules, now: datetime
) -> dict[str, Any]:
    code = secret.typeable_code(offer_id, generation, series)
    return {
        "typeable_series": series,
        "typeable_digest": digest(code),
        "typeable_until": now + rules.typeable_lifetime,
    }
