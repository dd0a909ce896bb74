"""Certificates and status lists at rest: changed and published in one transaction, served from what was committed."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from issuer.notification import WalletEvent
from issuer.status import (
    NoSuchCertificate,
    PublishedList,
    Publishing,
    Status,
    StatusRolledBack,
    check_change,
    sign_list,
)
from issuer.store.events import record
from issuer.store.high_water import HighWaterMark
from issuer.store.tables import OFFERS, PUBLISHED_LISTS, SLOTS, STATUS_LISTS
from proofs import strict_json
from schemas.errors import NotFound, TemporarilyUnavailable
from service.database import Database

_EVENTS = {Status.REVOKED: "revoked", Status.SUSPENDED: "suspended", Status.VALID: "reinstated"}
_OFFER = select(OFFERS).where(OFFERS.c.id == bindparam("id_"))
_LISTS_OF = select(SLOTS.c.list_id).where(SLOTS.c.offer_id == bindparam("id_")).distinct()
_ENTRIES = (
    select(SLOTS.c.idx, OFFERS.c.status)
    .join_from(OFFERS, SLOTS, SLOTS.c.offer_id == OFFERS.c.id)
    .where(OFFERS.c.status != 0, SLOTS.c.list_id == bindparam("id_"))
)
_STATE = (
    select(
        STATUS_LISTS.c.size,
        STATUS_LISTS.c.version,
        PUBLISHED_LISTS.c.version.label("published_version"),
        PUBLISHED_LISTS.c.published_at,
        PUBLISHED_LISTS.c.expires_at,
        PUBLISHED_LISTS.c.token_digest,
    )
    .outerjoin_from(STATUS_LISTS, PUBLISHED_LISTS, PUBLISHED_LISTS.c.list_id == STATUS_LISTS.c.id)
    .where(STATUS_LISTS.c.id == bindparam("id_"))
)
_TOKEN = select(PUBLISHED_LISTS.c.token).where(PUBLISHED_LISTS.c.list_id == bindparam("id_"))


@dataclass(frozen=True, slots=True)
class Certificate:
    """A logical certificate as staff see it: what, for whom, since when, and its status. Its claims are not kept.

    It has the identifier of the offer that it was collected with.
    """

    id: str
    type_name: str
    title: Mapping[str, str]
    recipient: str
    collected_at: datetime
    valid_from: datetime
    valid_until: datetime
    status: Status
    status_at: datetime
    status_reason: str
    copies: int
    wallet_event: WalletEvent = WalletEvent.UNKNOWN
    """What the wallet told last of its copies."""

    @property
    def offer_id(self) -> str:
        """The offer that it was collected with."""
        return self.id


class StatusStore:
    """The certificates and status lists of one issuer."""

    def __init__(self, database: Database, *, mark: HighWaterMark) -> None:
        self._database = database
        self._mark = mark
        self._cache: dict[int, tuple[tuple[Any, ...], PublishedList]] = {}

    # --- certificates --------------------------------------------------------------------------------------------

    def list_issued(self, *, limit: int = 200, offset: int = 0) -> list[Certificate]:
        """The latest certificates, newest first."""
        statement = (
            select(OFFERS)
            .where(OFFERS.c.collected_at.is_not(None))
            .order_by(OFFERS.c.collected_at.desc(), OFFERS.c.number.desc())
            .limit(limit)
            .offset(offset)
        )
        with self._database.reading() as connection:
            return [_read_certificate(row) for row in connection.execute(statement)]

    def get(self, certificate_id: str) -> Certificate:
        """One certificate. Raises `NoSuchCertificate`."""
        with self._database.reading() as connection:
            return self._load(connection, certificate_id)

    def change(
        self, certificate_ids: Sequence[str], after: Status, *, publishing: Publishing, reason: str = "", now: datetime
    ) -> list[Certificate]:
        """Give certificates a status, all or none.

        All their copies change and the lists are signed anew in the same transaction. A certificate that has the status
        already stays as it is. Raises `NoSuchCertificate` or `RevocationIsFinal`, and then nothing changed.
        """
        with self._database.transaction() as connection:
            return self.change_in(connection, certificate_ids, after, publishing=publishing, reason=reason, now=now)

    def change_in(
        self,
        connection: Connection,
        certificate_ids: Sequence[str],
        after: Status,
        *,
        publishing: Publishing,
        reason: str,
        now: datetime,
    ) -> list[Certificate]:
        """`change` as a part of the caller's transaction, which must not be committed when this raises."""
        changed: set[int] = set()
        ids = []
        for certificate_id in certificate_ids:
            certificate = self._load(connection, certificate_id)
            ids.append(certificate.id)
            if not check_change(certificate.status, after):
                continue
            values = {"status": int(after), "status_at": now, "status_reason": reason}
            connection.execute(update(OFFERS).where(OFFERS.c.id == certificate.id).values(**values))
            record(connection, _EVENTS[after], certificate.id, now=now)
            changed |= {list_id for (list_id,) in connection.execute(_LISTS_OF, {"id_": certificate.id})}
        for list_id in sorted(changed):
            connection.execute(
                update(STATUS_LISTS).where(STATUS_LISTS.c.id == list_id).values(version=STATUS_LISTS.c.version + 1)
            )
            self._publish(connection, list_id, publishing, now=now)
        return [self._load(connection, certificate_id) for certificate_id in ids]

    def _load(self, connection: Connection, certificate_id: str) -> Certificate:
        row = connection.execute(_OFFER, {"id_": certificate_id}).one_or_none()
        if row is None:
            raise NoSuchCertificate
        if row.collected_at is None:
            raise NoSuchCertificate("nobody has collected this offer, so there is no certificate: void the offer")
        return _read_certificate(row)

    # --- lists ---------------------------------------------------------------------------------------------------

    def published(self, list_id: int, *, publishing: Publishing, now: datetime) -> PublishedList:
        """The newest committed status list, signed anew when half of its lifetime is over.

        What is stored is served only when its digest is right; otherwise it is made again from the certificates.
        Raises `NotFound`, or `StatusRolledBack` when a newer one was served before.
        """
        found = self._newest(list_id, publishing, now=now)
        while True:
            try:
                self._mark.raise_to(list_id, found.version)
                return found
            except StatusRolledBack:
                # Either another process served a newer list since this one was read, or the database went back.
                overtaken, found = found, self._newest(list_id, publishing, now=now)
                if found.version <= overtaken.version:
                    raise

    def _newest(self, list_id: int, publishing: Publishing, *, now: datetime) -> PublishedList:
        with self._database.reading() as connection:
            state = connection.execute(_STATE, {"id_": list_id}).one_or_none()
            if state is None:
                raise NotFound("there is no such status list")
            found = self._stored(connection, list_id, state)
        is_current = found is not None and found.version == state.version
        if found is not None and is_current and not publishing.is_due(found.published_at, now=now):
            return found
        try:
            return self._publish_if_due(list_id, publishing, now=now)
        except TemporarilyUnavailable:
            # Nothing can be written now; but what was signed last says the same, and is good until it expires.
            if found is not None and is_current and now < found.expires_at:
                return found
            raise

    def _stored(self, connection: Connection, list_id: int, state: Row[*tuple[Any, ...]]) -> PublishedList | None:
        """The stored list, from this process's memory when it is the same.

        None when there is none or it was damaged.
        """
        identity = tuple(state)
        cached = self._cache.get(list_id)
        if cached is not None and cached[0] == identity:
            return cached[1]
        token = connection.execute(_TOKEN, {"id_": list_id}).scalar_one_or_none()
        if token is None or hashlib.sha256(token).digest() != state.token_digest:
            return None
        found = PublishedList(token, state.published_version, state.published_at, state.expires_at)
        self._cache[list_id] = (identity, found)
        return found

    def _publish_if_due(self, list_id: int, publishing: Publishing, *, now: datetime) -> PublishedList:
        with self._database.transaction() as connection:
            state = connection.execute(_STATE, {"id_": list_id}).one()
            found = self._stored(connection, list_id, state)
            # Another process may have been first.
            if found and found.version == state.version and not publishing.is_due(found.published_at, now=now):
                return found
            return self._publish(connection, list_id, publishing, now=now)

    def _publish(self, connection: Connection, list_id: int, publishing: Publishing, *, now: datetime) -> PublishedList:
        """Sign the list as this transaction sees it. The transaction is what makes it whole and the newest."""
        state = connection.execute(_STATE, {"id_": list_id}).one()
        entries = [(row.idx, row.status) for row in connection.execute(_ENTRIES, {"id_": list_id})]
        token = sign_list(state.size, entries, list_id=list_id, publishing=publishing, now=now).encode()
        published = PublishedList(token, state.version, now, publishing.expiry(now=now))
        connection.execute(delete(PUBLISHED_LISTS).where(PUBLISHED_LISTS.c.list_id == list_id))
        connection.execute(
            insert(PUBLISHED_LISTS).values(
                list_id=list_id,
                version=published.version,
                token=token,
                token_digest=hashlib.sha256(token).digest(),
                published_at=published.published_at,
                expires_at=published.expires_at,
            )
        )
        return published


def _read_certificate(row: Row[*tuple[Any, ...]]) -> Certificate:
    return Certificate(
        id=row.id,
        type_name=row.type_name,
        title=strict_json.loads_object(row.title),
        recipient=row.recipient,
        collected_at=row.collected_at,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        status=Status(row.status),
        status_at=row.status_at,
        status_reason=row.status_reason,
        copies=row.copies,
        wallet_event=WalletEvent(row.wallet_event),
    )
