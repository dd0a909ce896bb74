"""Powers at rest, as their two people see them: found by keyed digests, and ended for good in one transaction."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, or_, select, update

from issuer.derivation import IssuerSecret
from issuer.offers import CAN_BE_REDEEMED, OfferState
from issuer.powers import (
    ENDED_BY_PRINCIPAL,
    LAID_DOWN,
    TYPE_NAME,
    NoSuchPower,
    PowerOfPerson,
    PowerWasEnded,
    marks_of_claims,
)
from issuer.status import Publishing, Status
from issuer.store.events import record_each
from issuer.store.results import NOWHERE
from issuer.store.status import StatusStore
from issuer.store.tables import AUTHORIZATIONS, IMPORTS, OFFERS, REFRESH_TOKENS, RESULTS
from proofs import strict_json
from schemas.learning.statement import Statement, read_record
from service.database import Database

_STILL_OPEN = (*(state.value for state in CAN_BE_REDEEMED), OfferState.REDEEMED.value)
_MARKED_AT_ONCE = 1_000
_OF_NOBODY = b""
"""In place of the mark of whom a power is over, when nothing tells any more who that is: it is nobody's mark."""


class PowerStore:
    """The powers that one issuer gave."""

    def __init__(self, database: Database, *, secret: IssuerSecret, status: StatusStore) -> None:
        self._database = database
        self._secret = secret
        self._status = status

    def of_person(self, marks: Collection[bytes], *, now: datetime) -> list[PowerOfPerson]:
        """The powers over and of whoever has these marks, the newest first; those that have ended are left out."""
        self._mark_earlier_ones()
        with self._database.reading() as connection:
            rows = connection.execute(self._mine(marks).order_by(OFFERS.c.number.desc())).all()
            held = [(row, _values_of(connection, row)) for row in rows if _holds(row, now=now)]
        return [
            PowerOfPerson(
                id=row.id,
                is_over_me=row.principal_mark in marks,
                agent=row.recipient,
                principal=_principal(values),
                since=row.collected_at or row.created_at,
                was_collected=row.collected_at is not None,
                begins_on=_day(values.get("begins_on")),
                ends_on=_day(values.get("ends_on")),
                basis=values.get("power_basis"),
                covers_types=tuple(values.get("covers_types", ())),
                covers_recipients=tuple(values.get("covers_recipients", ())),
            )
            for row, values in held
        ]

    def end(self, power_id: str, marks: Collection[bytes], *, publishing: Publishing, now: datetime) -> list[str]:
        """End a power, because one of its two people wants it; returns the certificates that were revoked.

        In one transaction its certificates are revoked and their lists signed anew, offers of it that nobody has
        collected are void, tokens for it are worth nothing, and what it was made of is gone, so that nobody fetches it
        again. Raises `NoSuchPower` for one that is nobody's of these marks, and for one that has ended.
        """
        with self._database.transaction() as connection:
            row = connection.execute(self._mine(marks).where(OFFERS.c.id == power_id)).one_or_none()
            if row is None or not _holds(row, now=now):
                raise NoSuchPower
            reason = ENDED_BY_PRINCIPAL if row.principal_mark in marks else LAID_DOWN
            same = self._same_power(connection, row)
            collected = [one.id for one in same if one.collected_at is not None and one.status != Status.REVOKED]
            waiting = [one.id for one in same if one.collected_at is None and one.state in _STILL_OPEN]
            self._status.change_in(connection, collected, Status.REVOKED, publishing=publishing, reason=reason, now=now)
            ended = [one.id for one in same]
            connection.execute(update(OFFERS).where(OFFERS.c.id.in_(ended)).values(token_digest=None, claims=None))
            gone = {"state": OfferState.VOIDED.value, "state_at": now, "status_reason": reason, "status_at": now}
            void = {**gone, "token_until": None, "typeable_digest": None, "typeable_until": None}
            connection.execute(update(OFFERS).where(OFFERS.c.id.in_(waiting)).values(**void))
            record_each(connection, "voided", waiting, now=now)
            self._forget_what_it_was_made_of(connection, same)
        return collected

    def _mine(self, marks: Collection[bytes]) -> Any:
        mine = or_(OFFERS.c.principal_mark.in_(list(marks)), OFFERS.c.agent_mark.in_(list(marks)))
        return select(OFFERS).where(OFFERS.c.type_name == TYPE_NAME, mine)

    @staticmethod
    def _same_power(connection: Connection, row: Row[Any]) -> list[Row[Any]]:
        """Every offer of the same power to the same agent: this one, and those made of the same record."""
        of_the_two = select(OFFERS).where(OFFERS.c.principal_mark == row.principal_mark)
        if row.agent_mark is not None:
            # An agent without a mark is known by the record alone.
            no_other = or_(OFFERS.c.agent_mark == row.agent_mark, OFFERS.c.agent_mark.is_(None))
            of_the_two = of_the_two.where(no_other)
        mine = set(strict_json.loads(row.result_ids))
        return [
            one
            for one in connection.execute(of_the_two).all()
            if one.id == row.id or mine & set(strict_json.loads(one.result_ids))
        ]

    @staticmethod
    def _forget_what_it_was_made_of(connection: Connection, same: Sequence[Row[Any]]) -> None:
        results = {result_id for one in same for result_id in strict_json.loads(one.result_ids)}
        connection.execute(update(RESULTS).where(RESULTS.c.id.in_(results)).values(import_id=NOWHERE))
        # A family is one certificate, or those that were fetched together: the others keep what they have, and are
        # fetched anew when it runs out.
        families = {one.family for one in same}
        connection.execute(delete(REFRESH_TOKENS).where(REFRESH_TOKENS.c.family.in_(families)))
        # Who has signed in to fetch it, and perhaps has a code already, signs in again.
        for row in connection.execute(select(AUTHORIZATIONS).where(AUTHORIZATIONS.c.drafts.is_not(None))).all():
            drafts: Sequence[Mapping[str, Any]] = strict_json.loads(row.drafts)
            if results & {result_id for draft in drafts for result_id in draft["results"]}:
                connection.execute(delete(AUTHORIZATIONS).where(AUTHORIZATIONS.c.id == row.id))

    def _mark_earlier_ones(self) -> None:
        """Powers of before their two people were marked: as far as their claims, or their records, are still here."""
        unmarked = select(OFFERS).where(OFFERS.c.type_name == TYPE_NAME, OFFERS.c.principal_mark.is_(None))
        some = unmarked.order_by(OFFERS.c.number).limit(_MARKED_AT_ONCE)
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(some).all()
                found = {row.id: self._marks_of_row(connection, row) for row in rows}
            if not found:
                return
            with self._database.transaction() as connection:
                for offer_id, marks in found.items():
                    # Each is looked at once, also one of which nothing is left.
                    known = {**marks, "principal_mark": marks.get("principal_mark") or _OF_NOBODY}
                    connection.execute(update(OFFERS).where(OFFERS.c.id == offer_id).values(**known))

    def _marks_of_row(self, connection: Connection, row: Row[Any]) -> dict[str, bytes | None]:
        values = _values_of(connection, row)
        return marks_of_claims(self._secret, row.type_name, values) if values else {}


def refuse_ended(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, day_of: Callable[[datetime], date]
) -> None:
    """Raise `PowerWasEnded` when any of these new offers is of a power that whom it is over has ended since it began.

    So a register that is read in again the next night brings back nothing: another power begins on a later day.
    """
    for row in rows:
        if row.get("principal_mark") is None:
            continue
        ended = select(OFFERS.c.status_at, OFFERS.c.agent_mark, OFFERS.c.result_ids).where(
            OFFERS.c.principal_mark == row["principal_mark"], OFFERS.c.status_reason == ENDED_BY_PRINCIPAL
        )
        begins = str(strict_json.loads_object(row["claims"])["begins_on"])
        for one in connection.execute(ended).all():
            if _is_same_agent(row, one) and begins <= day_of(one.status_at).isoformat():
                raise PowerWasEnded("whom this power is over has ended it")


def _is_same_agent(new: Mapping[str, Any], ended: Any) -> bool:
    """By their marks; where one has none, only by the record that both were made of."""
    if new["agent_mark"] is not None and ended.agent_mark is not None:
        return bool(new["agent_mark"] == ended.agent_mark)
    return bool(set(strict_json.loads(new["result_ids"])) & set(strict_json.loads(ended.result_ids)))


def _values_of(connection: Connection, row: Row[Any]) -> dict[str, Any]:
    """What a power says, from its claims or its record; nothing when neither is here any more."""
    if row.claims is not None:
        return dict(strict_json.loads_object(row.claims))
    there = select(RESULTS.c.achievement).join(IMPORTS, IMPORTS.c.id == RESULTS.c.import_id)
    ids = strict_json.loads(row.result_ids)
    kept = connection.execute(there.where(RESULTS.c.id.in_(ids))).scalars().first()
    read = None if kept is None else read_record(kept)
    if not isinstance(read, Statement):
        return {}
    learner = read.learner
    own = {"family_name": learner.family_name, "given_name": learner.given_name, "birthdate": learner.birth_date}
    return {**read.values, **own}


def _principal(values: Mapping[str, Any]) -> str:
    names = (values.get("principal_given_name"), values.get("principal_family_name"))
    return " ".join(str(name) for name in names if name)


def _day(told: Any) -> date | None:
    return None if told is None else date.fromisoformat(str(told))


def _holds(row: Row[Any], *, now: datetime) -> bool:
    if row.collected_at is not None:
        return row.status != Status.REVOKED and (row.valid_until is None or now < row.valid_until)
    return row.state in _STILL_OPEN and now < row.expires_at
