"""Authorizations at rest: pushed, opened in one browser, decided once, and redeemed by exactly one request.

Implements `issuer.authorization.codes.AuthorizationBook`. Each method is one transaction.
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from issuer.authorization.clients import Spend
from issuer.authorization.codes import CODE_SECONDS, StoredAuthorization
from issuer.authorization.deciding import (
    DECIDING,
    UNDECIDED,
    Authorization,
    AuthorizationOver,
    FromOffer,
    Stage,
    drafts_as_json,
    drafts_from_json,
)
from issuer.authorization.offered import check_offered
from issuer.authorization.pre_authorized import Verdict
from issuer.authorization.pushed import OPENING_SECONDS, REQUEST_URI_PREFIX, PushedRequest, Wanted
from issuer.authorization.tokens import GrantedCredential, NewToken, named_by
from issuer.derivation import IssuerSecret, digest
from issuer.offers import CAN_BE_REDEEMED, OfferDraft, OfferState, new_id
from issuer.powers import PowerWasEnded
from issuer.store.events import record_each
from issuer.store.grants import keep_refresh_token, withdraw_family
from issuer.store.offers import OfferRules, new_row, read_offer
from issuer.store.powers import refuse_ended
from issuer.store.tables import AUTHORIZATIONS, OFFERS, SPENT
from proofs import strict_json
from schemas.issuance import InvalidGrant, InvalidRequestURI
from service.database import Database
from service.prepared import Prepared, moment
from service.single_use import spend

_REPLAY_KEPT = timedelta(hours=1)
"""How long a redeemed authorization is remembered, so that its code is recognised when somebody else uses it."""

_PUSHED = (
    "id",
    "request_digest",
    "client_id",
    "attested_key",
    "dpop_key",
    "redirect_uri",
    "client_state",
    "code_challenge",
    "wanted",
    "created_at",
    "until",
    "stage",
    "offer_id",
    "offer_generation",
    "language",
)
_PUSH = Prepared(insert(AUTHORIZATIONS).values({name: bindparam(name) for name in _PUSHED}))
_BY_CODE = Prepared(select(AUTHORIZATIONS).where(AUTHORIZATIONS.c.code_digest == bindparam("code")))
_REDEEM = Prepared(
    update(AUTHORIZATIONS)
    .where(AUTHORIZATIONS.c.id == bindparam("authorization_id"))
    .values(stage=Stage.REDEEMED.value, drafts=None, until=bindparam("kept_until"))
)

_OF_THE_DRAFT = ("title", "recipient", "claims", "result_ids")
"""What an offer says as of the day on which its person signed in, and of which records: those that the person kept."""


class AuthorizationStore:
    """The authorizations of one issuer."""

    def __init__(
        self,
        database: Database,
        *,
        secret: IssuerSecret,
        rules: OfferRules,
        token_lifetime: timedelta,
        refresh_lifetime: timedelta,
    ) -> None:
        self._database = database
        self._secret = secret
        self._rules = rules
        self._token_lifetime = token_lifetime
        self._refresh_lifetime = refresh_lifetime

    def spend(self, spends: Sequence[Spend], *, now: datetime) -> None:
        """Spend what a request proved itself with, all or nothing. Raises the error of what was used before."""
        if not spends:
            return
        with self._database.transaction() as connection:
            for each in spends:
                if not spend(connection, SPENT, kind=each.kind, value=each.value, expires_at=each.until, now=now):
                    raise each.error("this proof was used before")

    def push(self, request: PushedRequest, *, now: datetime) -> str:
        """Keep a pushed request; returns its `request_uri`, good for `OPENING_SECONDS`. Raises `InvalidIssuerState`."""
        reference = secrets.token_urlsafe(32)
        wanted = [[wanted.type_name, wanted.by_identifier] for wanted in request.wanted]
        with self._database.transaction() as connection:
            from_offer = self._offer_of(connection, request, now=now)
            _PUSH.run(
                connection,
                id=new_id(),
                request_digest=digest(reference),
                client_id=request.client_id,
                attested_key=request.attested_key,
                dpop_key=request.dpop_key,
                redirect_uri=request.redirect_uri,
                client_state=request.state,
                code_challenge=request.code_challenge,
                wanted=strict_json.dumps(wanted),
                created_at=now,
                until=now + timedelta(seconds=OPENING_SECONDS),
                stage=Stage.PUSHED.value,
                offer_id=from_offer and from_offer.offer_id,
                offer_generation=from_offer and from_offer.generation,
                language=request.language,
            )
        return REQUEST_URI_PREFIX + reference

    def _offer_of(self, connection: Connection, request: PushedRequest, *, now: datetime) -> FromOffer | None:
        if request.issuer_state is None:
            return None
        named = OFFERS.c.issuer_state_digest == digest(request.issuer_state)
        row = connection.execute(select(OFFERS).where(named)).one_or_none()
        offer = check_offered(None if row is None else read_offer(row, now=now), request.wanted)
        return FromOffer(offer.id, offer.generation)

    def open(self, request_uri: str, *, client_id: str, browser_key: str, now: datetime) -> Authorization:
        """Open a pushed request in a browser, which alone can go on with it.

        Only within `OPENING_SECONDS` of the push, however often; the person then has `DECIDING` from the last opening.
        Raises `InvalidRequestURI`.
        """
        reference = request_uri.removeprefix(REQUEST_URI_PREFIX)
        columns = AUTHORIZATIONS.c
        opened = (
            update(AUTHORIZATIONS)
            .where(columns.request_digest == digest(reference), columns.client_id == client_id)
            .where(columns.stage.in_(UNDECIDED), columns.created_at > now - timedelta(seconds=OPENING_SECONDS))
            .values(stage=Stage.OPENED, browser_digest=digest(browser_key), drafts=None, until=now + DECIDING)
            .returning(*columns)
        )
        with self._database.transaction() as connection:
            row = connection.execute(opened).one_or_none()
        if row is None or not request_uri.startswith(REQUEST_URI_PREFIX):
            raise InvalidRequestURI("this request is unknown, was decided already, or has expired")
        return _read(row)

    def load(self, authorization_id: str, *, browser_key: str, now: datetime) -> Authorization:
        """The authorization that this browser opened. Raises `AuthorizationOver` for any other, and when it expired."""
        with self._database.reading() as connection:
            return _read(self._row(connection, authorization_id, browser_key, now=now))

    def sign_in(
        self, authorization_id: str, drafts: Sequence[OfferDraft], *, browser_key: str, now: datetime
    ) -> Authorization:
        """Keep what the person who signed in can fetch. Raises `AuthorizationOver`."""
        return self._step(
            authorization_id,
            browser_key,
            {"stage": Stage.SIGNED_IN, "drafts": drafts_as_json(drafts)},
            from_stages=(Stage.OPENED, Stage.SIGNED_IN),
            now=now,
        )

    def allow(
        self, authorization_id: str, drafts: Sequence[OfferDraft], *, browser_key: str, now: datetime
    ) -> tuple[Authorization, str]:
        """The person said yes to these: the code to send to the wallet, once. Raises `AuthorizationOver`."""
        code = self._secret.authorization_code(authorization_id)
        values = {
            "stage": Stage.ALLOWED,
            "drafts": drafts_as_json(drafts),
            "code_digest": digest(code),
            "until": now + timedelta(seconds=CODE_SECONDS),
        }
        allowed = self._step(authorization_id, browser_key, values, from_stages=(Stage.SIGNED_IN,), now=now)
        return allowed, code

    def refuse(self, authorization_id: str, *, browser_key: str, now: datetime) -> Authorization:
        """The person said no, or nothing can be fetched: it ends here. Raises `AuthorizationOver`."""
        values = {"stage": Stage.REFUSED, "drafts": None}
        return self._step(authorization_id, browser_key, values, from_stages=tuple(UNDECIDED), now=now)

    def knows_code(self, code: str) -> bool:
        """Whether there is such a code, in whatever stage."""
        known = select(AUTHORIZATIONS.c.id).where(AUTHORIZATIONS.c.code_digest == digest(code))
        with self._database.reading() as connection:
            return connection.execute(known).first() is not None

    def redeem_code(
        self,
        code: str,
        judge: Callable[[StoredAuthorization], Verdict],
        token: NewToken,
        *,
        narrowed_to: Sequence[str] | None,
        now: datetime,
    ) -> list[GrantedCredential]:
        """Judge a code and act on the verdict in one transaction. Raises `InvalidGrant` unless it was granted."""
        with self._database.transaction() as connection:
            row = _BY_CODE.one_or_none(connection, code=digest(code))
            if row is None:
                raise InvalidGrant("the code is not valid, or no longer")
            drafts = drafts_from_json(row.drafts)
            verdict = judge(_stored(row, drafts))
            if verdict is Verdict.GRANT:
                _REDEEM.run(connection, authorization_id=row.id, kept_until=now + _REPLAY_KEPT)
                return self._grant(connection, row, drafts, token, narrowed_to=narrowed_to, now=now)
            withdraw_family(connection, row.id)
        raise InvalidGrant("the code was used before: the tokens that it gave have ended")

    def _grant(
        self,
        connection: Connection,
        row: Any,
        drafts: Sequence[OfferDraft],
        token: NewToken,
        *,
        narrowed_to: Sequence[str] | None,
        now: datetime,
    ) -> list[GrantedCredential]:
        if narrowed_to is not None:
            drafts = [draft for draft in drafts if draft.type_name in narrowed_to]
        type_names = [draft.type_name for draft in drafts]
        by_details = {one.type_name for one in _wanted(row) if token.by_identifier or one.by_identifier}
        granted, rows = [], []
        for draft, (by_identifier, also_by_configuration) in zip(
            drafts, named_by(type_names, asked_by_details=by_details), strict=True
        ):
            redeemed = {
                "state": OfferState.REDEEMED,
                "expires_at": now + self._token_lifetime,
                "family": row.id,
                "token_digest": digest(token.token),
                "token_until": now + self._token_lifetime,
                "by_identifier": by_identifier,
                "also_by_configuration": also_by_configuration,
                "client_id": token.binding.client_id,
                "dpop_key": token.binding.dpop_key,
            }
            values = new_row(draft, secret=self._secret, rules=self._rules, now=now) | redeemed
            offer_id = values["id"] if row.offer_id is None else row.offer_id
            granted.append(GrantedCredential(offer_id, draft.type_name, by_identifier, also_by_configuration))
            if row.offer_id is None:
                rows.append(values)
            else:
                said = {name: values[name] for name in _OF_THE_DRAFT}
                self._spend_offer(connection, row, redeemed | said, now=now)
        try:
            refuse_ended(connection, rows, day_of=self._rules.day_of)
        except PowerWasEnded as exc:
            raise InvalidGrant("whom this power is over has ended it") from exc
        if rows:
            connection.execute(insert(OFFERS), rows)
        record_each(connection, "fetched", [one.offer_id for one in granted], now=now)
        keep_refresh_token(connection, row.id, token, until=now + self._refresh_lifetime)
        return granted

    def _spend_offer(self, connection: Connection, row: Any, values: dict[str, Any], *, now: datetime) -> None:
        """Make the offer that an authorization came from its grant: once, and only while it is open and the same.

        Raises `InvalidGrant` when another request was first, staff took the offer back or made it anew, or it expired.
        """
        columns = OFFERS.c
        spent = connection.execute(
            update(OFFERS)
            .where(columns.id == row.offer_id, columns.generation == row.offer_generation)
            .where(columns.state.in_(CAN_BE_REDEEMED), columns.expires_at > now)
            .values(state_at=now, **values)
        )
        if not spent.rowcount:
            raise InvalidGrant("the offer is no longer open")

    def _row(self, connection: Connection, authorization_id: str, browser_key: str, *, now: datetime) -> Row[Any]:
        columns = AUTHORIZATIONS.c
        row = connection.execute(
            select(AUTHORIZATIONS).where(
                columns.id == authorization_id, columns.browser_digest == digest(browser_key), columns.until > now
            )
        ).one_or_none()
        if row is None:
            raise AuthorizationOver
        return row

    def _step(
        self,
        authorization_id: str,
        browser_key: str,
        values: dict[str, Any],
        *,
        from_stages: Sequence[Stage],
        now: datetime,
    ) -> Authorization:
        """Take one step that only one request can take: the stage is compared and set in one statement."""
        columns = AUTHORIZATIONS.c
        with self._database.transaction() as connection:
            row = connection.execute(
                update(AUTHORIZATIONS)
                .where(columns.id == authorization_id, columns.browser_digest == digest(browser_key))
                .where(columns.stage.in_(from_stages), columns.until > now)
                .values(**values)
                .returning(*columns)
            ).one_or_none()
        if row is None:
            raise AuthorizationOver
        return _read(row)


def _wanted(row: Any) -> tuple[Wanted, ...]:
    return tuple(Wanted(name, by_identifier) for name, by_identifier in strict_json.loads(row.wanted))


def _read(row: Row[Any]) -> Authorization:
    return Authorization(
        id=row.id,
        client_id=row.client_id,
        redirect_uri=row.redirect_uri,
        client_state=row.client_state,
        wanted=_wanted(row),
        stage=Stage(row.stage),
        until=row.until,
        drafts=drafts_from_json(row.drafts),
        from_offer=None if row.offer_id is None else FromOffer(row.offer_id, row.offer_generation),
        language=row.language,
    )


def _stored(row: Any, drafts: Sequence[OfferDraft]) -> StoredAuthorization:
    return StoredAuthorization(
        id=row.id,
        client_id=row.client_id,
        attested_key=row.attested_key,
        dpop_key=row.dpop_key,
        redirect_uri=row.redirect_uri,
        code_challenge=row.code_challenge,
        code_until=moment(row.until),
        was_redeemed=row.stage == Stage.REDEEMED,
        type_names=tuple(draft.type_name for draft in drafts),
    )
