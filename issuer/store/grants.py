"""Codes and tokens at rest: where exactly one of many parallel requests wins.

Implements `issuer.authorization.pre_authorized.CodeBook` and `issuer.authorization.tokens.RefreshBook`. Each method is
one transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from issuer.authorization.pre_authorized import StoredCode, Verdict
from issuer.authorization.tokens import (
    GrantedCredential,
    NewToken,
    RefreshVerdict,
    StoredRefreshToken,
    TokenBinding,
)
from issuer.derivation import IssuerSecret, digest
from issuer.issuance import Access, Grant, Period, ending_with
from issuer.notification import WalletEvent
from issuer.offers import OfferState
from issuer.store.events import record
from issuer.store.tables import AUTHORIZATIONS, IMPORTS, OFFERS, REFRESH_TOKENS, RESULTS, SLOTS, SPENT
from proofs import strict_json
from schemas.errors import Refused
from schemas.issuance import InvalidGrant, InvalidToken
from schemas.learning.statement import read_record
from schemas.types import CREDENTIAL_TYPES
from service.database import Database
from service.prepared import Prepared, moment
from service.single_use import prune

_KEEP_UNCOLLECTED = timedelta(days=30)
"""How long after its end an offer that nobody collected can still be offered again; then its claims are erased."""

_BY_CODE = Prepared(
    select(
        OFFERS.c.id,
        OFFERS.c.type_name,
        OFFERS.c.state,
        OFFERS.c.expires_at,
        OFFERS.c.generation,
        OFFERS.c.tx_code_length,
        OFFERS.c.tries_left,
    ).where(OFFERS.c.code_digest == bindparam("code"))
)
_BY_TOKEN = Prepared(
    select(
        OFFERS.c.id,
        OFFERS.c.generation,
        OFFERS.c.type_name,
        OFFERS.c.claims,
        OFFERS.c.token_until,
        OFFERS.c.by_identifier,
        OFFERS.c.also_by_configuration,
        OFFERS.c.client_id,
        OFFERS.c.dpop_key,
        OFFERS.c.review,
    ).where(OFFERS.c.token_digest == bindparam("token"))
)
_GRANT = Prepared(
    update(OFFERS)
    .where(OFFERS.c.id == bindparam("offer_id"))
    .values(
        state=OfferState.REDEEMED.value,
        state_at=bindparam("now"),
        token_digest=bindparam("token"),
        token_until=bindparam("until"),
        by_identifier=bindparam("identified"),
        client_id=bindparam("client"),
        dpop_key=bindparam("key"),
        typeable_digest=None,
    )
)
_TELL = Prepared(
    update(OFFERS)
    .where(OFFERS.c.id == bindparam("offer_id"), OFFERS.c.wallet_event != bindparam("event"))
    .values(wallet_event=bindparam("event"))
)
_KEEP_REFRESH_TOKEN = Prepared(insert(REFRESH_TOKENS))


class GrantStore:
    """Codes and tokens of one issuer."""

    def __init__(
        self,
        database: Database,
        *,
        secret: IssuerSecret,
        token_lifetime: timedelta,
        refresh_lifetime: timedelta,
        allowance_batches: int,
        day_of: Callable[[datetime], date],
    ) -> None:
        self._database = database
        self._secret = secret
        self._token_lifetime = token_lifetime
        self._refresh_lifetime = refresh_lifetime
        self._allowance = allowance_batches
        self._day_of = day_of

    # --- codes ---------------------------------------------------------------------------------------------------

    def knows_code(self, code: str) -> bool:
        """Whether there is a grant with this code, in whatever state."""
        with self._database.reading() as connection:
            return _BY_CODE.one_or_none(connection, code=digest(code)) is not None

    def knows_refresh_token(self, refresh_token: str) -> bool:
        """Whether there is such a refresh token, used or not."""
        known = select(REFRESH_TOKENS.c.family).where(REFRESH_TOKENS.c.token_digest == digest(refresh_token))
        with self._database.reading() as connection:
            return connection.execute(known).first() is not None

    def redeem(
        self, code: str, judge: Callable[[StoredCode], Verdict], token: NewToken, *, now: datetime
    ) -> StoredCode:
        """Judge a code and act on the verdict in one transaction. Raises `InvalidGrant` unless it was granted."""
        with self._database.transaction() as connection:
            row = _BY_CODE.one_or_none(connection, code=digest(code))
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
                withdraw_family(connection, row.id)
        # Raised only after the transaction was committed: the count and the withdrawal stay.
        if verdict is Verdict.COUNT_WRONG_TRY:
            raise InvalidGrant("the transaction code is wrong")
        raise InvalidGrant("the code was used before")

    def _stored_code(self, row: Any) -> StoredCode:
        tx_code = None
        if row.tx_code_length:
            tx_code = self._secret.transaction_code(row.id, row.generation, length=row.tx_code_length)
        return StoredCode(row.id, row.type_name, OfferState(row.state), moment(row.expires_at), tx_code, row.tries_left)

    def _grant(self, connection: Connection, offer_id: str, token: NewToken, *, now: datetime) -> None:
        _GRANT.run(
            connection,
            offer_id=offer_id,
            now=now,
            token=digest(token.token),
            until=now + self._token_lifetime,
            identified=token.by_identifier,
            client=token.binding.client_id,
            key=token.binding.dpop_key,
        )
        keep_refresh_token(connection, offer_id, token, until=now + self._refresh_lifetime)

    def _count_try(self, connection: Connection, row: Any, *, now: datetime) -> None:
        values: dict[str, Any] = {"tries_left": row.tries_left - 1}
        if row.tries_left <= 1 and OfferState(row.state) not in (OfferState.REDEEMED, OfferState.COLLECTED):
            values |= {"state": OfferState.LOCKED.value, "state_at": now, "typeable_digest": None}
            record(connection, "locked", row.id, now=now)
        connection.execute(update(OFFERS).where(OFFERS.c.id == row.id).values(**values))

    # --- access tokens -------------------------------------------------------------------------------------------

    def for_token(self, token: str, *, now: datetime) -> Access:
        """What an access token opens. Raises `InvalidToken`."""
        with self._database.reading() as connection:
            rows = _BY_TOKEN.all(connection, token=digest(token))
        grants = tuple(
            Grant(
                offer_id=row.id,
                generation=row.generation,
                type_name=row.type_name,
                claims=strict_json.loads_object(row.claims),
                until=moment(row.token_until),
                by_identifier=bool(row.by_identifier),
                also_by_configuration=bool(row.also_by_configuration),
                client_id=row.client_id,
                review=row.review,
            )
            for row in rows
            if row.claims is not None and row.token_until is not None and now < moment(row.token_until)
        )
        if not grants:
            raise InvalidToken("the access token is unknown, expired or revoked")
        return Access(grants, rows[0].dpop_key)

    def tell(self, offer_id: str, event: WalletEvent, *, now: datetime) -> None:
        """Keep what the wallet told of a certificate; telling the same again changes nothing."""
        with self._database.transaction() as connection:
            if _TELL.run(connection, offer_id=offer_id, event=event.value):
                record(connection, event.value, offer_id, now=now)

    # --- refresh tokens ------------------------------------------------------------------------------------------

    def refresh(
        self,
        refresh_token: str,
        judge: Callable[[StoredRefreshToken], RefreshVerdict],
        token: NewToken,
        *,
        periods: Mapping[str, Period],
        now: datetime,
    ) -> tuple[RefreshVerdict, list[GrantedCredential], datetime]:
        """Judge a refresh token and act in one transaction. Raises `InvalidGrant` unless something was granted."""
        with self._database.transaction() as connection:
            mark = digest(refresh_token)
            row = connection.execute(select(REFRESH_TOKENS).where(REFRESH_TOKENS.c.token_digest == mark)).one_or_none()
            if row is None:
                raise InvalidGrant("the refresh token is unknown or revoked")
            binding = TokenBinding(row.client_id, row.dpop_key, row.attested_key, row.is_authenticated)
            may_be_lost = row.was_replaced and self._may_be_lost(connection, refresh_token, row.family, now=now)
            verdict = judge(StoredRefreshToken(row.family, binding, row.until, row.was_replaced, may_be_lost))
            if verdict is RefreshVerdict.REVOKE_FAMILY:
                withdraw_family(connection, row.family)
            else:
                until = now + self._token_lifetime
                if verdict is RefreshVerdict.REPEAT:  # However often: nothing of it lasts longer than what was lost.
                    until = self._token_end(connection, row.family)
                granted = self._renew(connection, row.family, token, periods=periods, until=until, now=now)
                if verdict is RefreshVerdict.REPLACE:
                    used = update(REFRESH_TOKENS).where(REFRESH_TOKENS.c.token_digest == mark)
                    connection.execute(used.values(was_replaced=True))
                    # The family ends when it was to end: replacing a token does not lengthen it.
                    keep_refresh_token(connection, row.family, token, until=row.until)
        if verdict is RefreshVerdict.REVOKE_FAMILY:
            raise InvalidGrant("the refresh token was used before: everything that came of it has ended")
        return verdict, granted, until

    def _token_end(self, connection: Connection, family: str) -> datetime:
        """When the access token of a family ends that is open now."""
        ends = select(OFFERS.c.token_until).where(OFFERS.c.family == family, OFFERS.c.token_until.is_not(None))
        open_until: datetime = min(connection.execute(ends).scalars())
        return open_until

    def next_refresh_token(self, refresh_token: str) -> str:
        """What a refresh token is replaced by."""
        return self._secret.next_refresh_token(refresh_token)

    def _may_be_lost(self, connection: Connection, refresh_token: str, family: str, *, now: datetime) -> bool:
        """Whether nothing shows that the answer arrived in which this refresh token was replaced."""
        successor = REFRESH_TOKENS.c.token_digest == digest(self.next_refresh_token(refresh_token))
        unused = select(REFRESH_TOKENS.c.family).where(successor, REFRESH_TOKENS.c.was_replaced.is_(False))
        if connection.execute(unused).first() is None:
            return False
        batches = select(OFFERS.c.batches_left).where(OFFERS.c.family == family, OFFERS.c.token_until > now)
        left = connection.execute(batches).scalars().all()
        return bool(left) and all(count == self._allowance for count in left)

    def _renew(
        self,
        connection: Connection,
        family: str,
        token: NewToken,
        *,
        periods: Mapping[str, Period],
        until: datetime,
        now: datetime,
    ) -> list[GrantedCredential]:
        """Open a collection window for the certificates of a family, made from the records as they are now."""
        granted = []
        collected = OFFERS.c.state.in_((OfferState.COLLECTED.value, OfferState.REDEEMED.value))
        of_family = select(OFFERS).where(OFFERS.c.family == family, collected).order_by(OFFERS.c.number)
        for offer in connection.execute(of_family).all():
            claims = _claims_now(connection, offer, on=self._day_of(now))
            if claims is None:
                continue
            values: dict[str, Any] = {
                "claims": claims,
                "token_digest": digest(token.token),
                "token_until": until,
                "client_id": token.binding.client_id,
                "dpop_key": token.binding.dpop_key,
                "batches_left": self._allowance,
            }
            if offer.valid_from is not None:
                said = strict_json.loads_object(claims)
                period = ending_with(periods[offer.type_name], type_name=offer.type_name, claims=said)
                values |= {"valid_from": period.valid_from, "valid_until": period.valid_until}
            connection.execute(update(OFFERS).where(OFFERS.c.id == offer.id).values(**values))
            granted.append(GrantedCredential(offer.id, offer.type_name, bool(offer.by_identifier)))
        if not granted:
            raise InvalidGrant("the records of these certificates are no longer here")
        return granted

    # --- erasure -------------------------------------------------------------------------------------------------

    def sweep(self, *, now: datetime) -> int:
        """Erase what closed collection windows leave behind; returns how many offers were cleaned.

        Of a collected offer: its claims, its token and the marks of holder keys. Of a redeemed one that was not
        collected: its token. Claims of offers that nobody collected go thirty days after their end. Spent nonces go
        when expired.
        """
        closed = select(OFFERS.c.id, OFFERS.c.state).where(OFFERS.c.token_until <= now)
        with self._database.reading() as connection:
            nothing_closed = connection.execute(closed.limit(1)).first() is None
        with self._database.transaction() as connection:
            prune(connection, SPENT, now=now)
            connection.execute(delete(AUTHORIZATIONS).where(AUTHORIZATIONS.c.until <= now))
            connection.execute(delete(REFRESH_TOKENS).where(REFRESH_TOKENS.c.until <= now))
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
                    connection.execute(update(SLOTS).where(SLOTS.c.offer_id == row.id).values(key_mark=None))
                connection.execute(update(OFFERS).where(OFFERS.c.id == row.id).values(**values))
        return len(rows)


def keep_refresh_token(connection: Connection, family: str, token: NewToken, *, until: datetime) -> None:
    """Keep the refresh token beside a new access token, if there is one."""
    if token.refresh_token is None:
        return
    _KEEP_REFRESH_TOKEN.run(
        connection,
        token_digest=digest(token.refresh_token),
        family=family,
        client_id=token.binding.client_id,
        dpop_key=token.binding.dpop_key,
        attested_key=token.binding.attested_key,
        is_authenticated=token.binding.is_authenticated,
        until=until,
        was_replaced=False,
    )


def withdraw_family(connection: Connection, family: str) -> None:
    """End every access token and refresh token that came of one code."""
    connection.execute(update(OFFERS).where(OFFERS.c.family == family).values(token_digest=None))
    connection.execute(delete(REFRESH_TOKENS).where(REFRESH_TOKENS.c.family == family))


def _claims_now(connection: Connection, offer: Any, *, on: date) -> bytes | None:
    """The claims of a certificate as the records say on this day; as they were, when those are gone; else None."""
    result_ids: Sequence[str] = strict_json.loads(offer.result_ids)
    found = {
        row.id: read_record(row.achievement).dated(on)
        for row in connection.execute(
            select(RESULTS)
            .join(IMPORTS, IMPORTS.c.id == RESULTS.c.import_id)  # Replaced ones wait only to be erased.
            .where(RESULTS.c.id.in_(list(result_ids)))
        )
    }
    if not result_ids or any(result_id not in found for result_id in result_ids):
        return offer.claims  # type: ignore[no-any-return]
    try:
        claims = CREDENTIAL_TYPES[offer.type_name].claims_from([found[result_id] for result_id in result_ids])
    except Refused:
        return None
    return strict_json.dumps(claims)
