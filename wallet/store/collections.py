"""Collections at rest, each worked on by one process at a time.

    held = take_up(database, vault, collection_id, now=now)       # a lease; raises `MovedOn` when another one holds it
    collection = await collect(held.collection, keeper=held, ...)
    held.let_go()

A lease ends by itself after a minute, and at once when its process on this machine has died.
"""

import os
import secrets
import socket
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import col

from proofs.formats.sd_jwt import parse_sd_jwt
from schemas.errors import NotFound
from schemas.issuance import display_name
from schemas.types import type_of
from service.database import Database
from wallet.certificates import NewCertificate, StoredCertificate, UnknownCertificate
from wallet.collection import Collection, MovedOn, Part, PartState, Stage
from wallet.hosts import host_of
from wallet.ledger import Event, EventKind
from wallet.naming import Names, plain
from wallet.renewal import Renewed, compare, family_of, renewal_of, with_token
from wallet.store.certificates import (
    add_certificate,
    add_copies,
    drop_copies,
    get_certificate,
    list_certificates,
    update_view,
)
from wallet.store.ledger import append_event
from wallet.store.people import require_current
from wallet.store.tables import CollectionRow
from wallet.vault import UnlockedVault

LEASE_SECONDS = 60
_THIS_LIFE = secrets.token_hex(8)
"""Tells this process from an earlier one with the same number: in a container every life is number 1."""


class HeldCollection:
    """A collection that this process alone may move on; the keeper of `wallet.receiving`."""

    def __init__(
        self,
        database: Database,
        vault: UnlockedVault,
        collection_id: str,
        collection: Collection,
        *,
        version: int,
        lease: str,
        now: datetime,
    ) -> None:
        self.id = collection_id
        self.collection = collection
        self._database = database
        self._vault = vault
        self._version = version
        self._lease = lease
        self._now = now

    def save(self, collection: Collection) -> None:
        """Keep the state. Raises `MovedOn` when another process has written since."""
        with self._database.transaction() as connection:
            self._write(connection, collection)
            for part in _lost(self.collection, collection):
                append_event(connection, self._vault, _not_received(self.id, collection, part, self._now))
        self._written(collection)

    def save_alone(self, collection: Collection, *, at: int) -> None:
        """Keep the state, unless something else is using the refresh token that this one shares. Raises `MovedOn`."""
        with self._database.transaction() as connection:
            others = list_collections(connection, self._vault)
            others.pop(self.id, None)
            if collection.family and any(one.uses_token(collection.family, at=at) for one in others.values()):
                raise MovedOn
            self._write(connection, collection)
        self._written(collection)

    def store(self, collection: Collection, part: Part, certificate: NewCertificate) -> Collection:
        """Put a certificate into the vault and its part to stored, in one transaction."""
        with self._database.transaction() as connection:
            certificate_id = self._renew(connection, collection, part, certificate)
            if certificate_id is None:
                view = {**certificate.view, "renewal": renewal_of(collection, part)}
                certificate_id = add_certificate(connection, self._vault, view, certificate.copies)
                received = get_certificate(connection, self._vault, certificate_id)
                append_event(connection, self._vault, _received(received, self._now))
            stored = replace(part, state=PartState.STORED, certificate_id=certificate_id, received=(), keys=())
            collection = collection.with_part(stored)
            self._write(connection, collection)
        self._written(collection)
        return collection

    def _renew(
        self, connection: Connection, collection: Collection, part: Part, certificate: NewCertificate
    ) -> str | None:
        """Add fresh copies to the certificate that they renew; None when there is none, or they say something else."""
        if not collection.renews:
            return None
        try:
            held = get_certificate(connection, self._vault, collection.renews)
        except UnknownCertificate:  # It was deleted meanwhile: what arrived is a certificate of its own.
            return None
        held_type = type_of(held.vct)
        fresh = parse_sd_jwt(certificate.copies[0].token).claims
        renewed = compare(held.claims, fresh, dated_by=held_type.dated_by if held_type else None)
        if renewed is Renewed.SOMETHING_ELSE:  # Renewed from now on is what arrived.
            update_view(connection, self._vault, held.id, {"renewal": None}, version=held.version)
            return None
        if renewed is Renewed.OF_A_LATER_DAY:  # Nobody is to be shown the earlier day by chance.
            drop_copies(connection, self._vault, held.id)
        add_copies(connection, self._vault, held.id, certificate.copies)
        names = ("valid_from", "valid_until", "report", "checked_at", "status", "issuer_trusted", "issuer_name")
        changes = {name: certificate.view[name] for name in names if name in certificate.view}
        changes |= {"renewal": renewal_of(collection, part), "renewal_tried_at": None}
        if not update_view(connection, self._vault, held.id, changes, version=held.version):
            raise MovedOn
        return held.id

    def let_go(self) -> None:
        """End the lease."""
        with self._database.transaction() as connection:
            connection.execute(
                update(CollectionRow)
                .where(col(CollectionRow.id) == self.id, col(CollectionRow.lease) == self._lease)
                .values(lease="", leased_until=0)
            )

    def _write(self, connection: Connection, collection: Collection) -> None:
        require_current(connection, self._vault)
        self._hand_on(connection, collection)
        version = self._version + 1
        sealed = self._vault.seal_json("collection.state", self.id, collection.as_json(), version=version)
        written = connection.execute(
            update(CollectionRow)
            .where(
                col(CollectionRow.id) == self.id,
                col(CollectionRow.version) == self._version,
                col(CollectionRow.lease) == self._lease,
            )
            .values(sealed_state=sealed, version=version)
        )
        if written.rowcount != 1:
            raise MovedOn

    def _hand_on(self, connection: Connection, collection: Collection) -> None:
        """Keep a new refresh token with everything that shares it: the one that it replaced is worth nothing now, and
        to use it again would end them all."""
        token = collection.refresh_token
        if token is None or token == self.collection.refresh_token:
            return
        for member in list_certificates(connection, self._vault):
            shares = collection.family and family_of(member) == collection.family
            if member.renewal is None or not (shares or member.id == collection.renews):
                continue
            changes = {"renewal": with_token(member, token)}
            if not update_view(connection, self._vault, member.id, changes, version=member.version):
                raise MovedOn
        for collection_id, farewell in list_collections(connection, self._vault).items():
            if collection_id != self.id and collection.family and farewell.is_farewell_of(collection.family):
                _give_token(connection, self._vault, collection_id, replace(farewell, refresh_token=token))

    def _written(self, collection: Collection) -> None:
        self._version += 1
        self.collection = collection


def add_collection(connection: Connection, vault: UnlockedVault, collection: Collection) -> str:
    """Keep a new collection; returns its identifier."""
    require_current(connection, vault)
    collection_id = secrets.token_hex(16)
    sealed = vault.seal_json("collection.state", collection_id, collection.as_json(), version=1)
    connection.execute(
        insert(CollectionRow).values(
            id=collection_id, person_id=vault.person_id, sealed_state=sealed, version=1, lease="", leased_until=0
        )
    )
    return collection_id


def begin_renewal(
    connection: Connection, vault: UnlockedVault, certificate: StoredCertificate, collection: Collection
) -> str:
    """Keep the collection that renews a certificate, when nobody else has begun to renew it or one of its family.

    Each certificate of the family is written, so that of two who begin at once one finds it changed. Raises `MovedOn`:
    then nothing has been written.
    """
    family = family_of(certificate)
    others = [one for one in list_certificates(connection, vault) if family and family_of(one) == family]
    versions = {one.id: one.version for one in others} | {certificate.id: certificate.version}
    for certificate_id, version in sorted(versions.items()):
        changes = {"renewal_tried_at": collection.begun_at} if certificate_id == certificate.id else {}
        if not update_view(connection, vault, certificate_id, changes, version=version):
            raise MovedOn
    if busy_with(list_collections(connection, vault).values(), certificate, at=collection.begun_at):
        raise MovedOn
    return add_collection(connection, vault, collection)


def busy_with(collections: Iterable[Collection], certificate: StoredCertificate, *, at: int) -> bool:
    """Whether the refresh token of a certificate is in use: by its own renewal, or by what shares it."""
    family = family_of(certificate)
    return any(
        (not one.has_ended and one.renews == certificate.id) or (family and one.uses_token(family, at=at))
        for one in collections
    )


def _give_token(connection: Connection, vault: UnlockedVault, collection_id: str, collection: Collection) -> None:
    """Keep another refresh token with a collection that nobody is moving on: whoever holds it finds it changed."""
    version = connection.execute(
        select(col(CollectionRow.version)).where(col(CollectionRow.id) == collection_id)
    ).scalar_one()
    sealed = vault.seal_json("collection.state", collection_id, collection.as_json(), version=version + 1)
    connection.execute(
        update(CollectionRow)
        .where(col(CollectionRow.id) == collection_id, col(CollectionRow.person_id) == vault.person_id)
        .values(sealed_state=sealed, version=version + 1)
    )


def list_collections(connection: Connection, vault: UnlockedVault) -> dict[str, Collection]:
    """All collections of a vault, by identifier."""
    rows = connection.execute(
        select(col(CollectionRow.id), col(CollectionRow.sealed_state), col(CollectionRow.version)).where(
            col(CollectionRow.person_id) == vault.person_id
        )
    ).all()
    return {row.id: _opened(vault, row) for row in rows}


def get_collection(connection: Connection, vault: UnlockedVault, collection_id: str) -> Collection:
    """One collection, to be shown. Raises `NotFound`."""
    row = connection.execute(
        select(col(CollectionRow.id), col(CollectionRow.sealed_state), col(CollectionRow.version)).where(
            col(CollectionRow.id) == collection_id, col(CollectionRow.person_id) == vault.person_id
        )
    ).first()
    if row is None:
        raise NotFound("there is no such collection")
    return _opened(vault, row)


def take_up(database: Database, vault: UnlockedVault, collection_id: str, *, now: datetime) -> HeldCollection:
    """Hold a collection to move it on. Raises `MovedOn` when somebody else holds it, `NotFound`."""
    at = int(now.timestamp())
    lease = f"{socket.gethostname()}|{os.getpid()}|{_THIS_LIFE}.{secrets.token_hex(8)}"
    with database.transaction() as connection:
        row = connection.execute(
            select(
                col(CollectionRow.id),
                col(CollectionRow.sealed_state),
                col(CollectionRow.version),
                col(CollectionRow.lease),
                col(CollectionRow.leased_until),
            ).where(col(CollectionRow.id) == collection_id, col(CollectionRow.person_id) == vault.person_id)
        ).first()
        if row is None:
            raise NotFound("there is no such collection")
        if row.lease and row.leased_until > at and not _has_died(row.lease):
            raise MovedOn
        connection.execute(
            update(CollectionRow)
            .where(col(CollectionRow.id) == collection_id)
            .values(lease=lease, leased_until=at + LEASE_SECONDS)
        )
    return HeldCollection(
        database, vault, collection_id, _opened(vault, row), version=row.version, lease=lease, now=now
    )


def delete_collection(connection: Connection, vault: UnlockedVault, collection_id: str) -> None:
    """Forget a collection with its keys; what it stored stays."""
    connection.execute(
        delete(CollectionRow).where(
            col(CollectionRow.id) == collection_id, col(CollectionRow.person_id) == vault.person_id
        )
    )


def _received(certificate: StoredCertificate, now: datetime) -> Event:
    """The line of the history about a certificate that was received: its type, never a value such as its title."""
    names = Names(certificate)
    facts = {
        "who": {"sv": names.issuer, "en": names.issuer},
        "host": host_of(certificate.collected_from),
        "certificate": names.type_name.model_dump(),
        "certificate_id": certificate.id,
    }
    return Event(certificate.id, EventKind.RECEIVED, now, facts)


def _lost(before: Collection, after: Collection) -> list[Part]:
    """The certificates that will not come, as has turned out just now.

    A renewal that came to nothing takes nothing from the person: it is no event of theirs.
    """
    if after.renews:
        return []
    known = {part.name for part in before.parts if part.state is PartState.REFUSED}
    failed = after.stage is Stage.FAILED and before.stage is not Stage.FAILED
    return [
        part
        for part in after.parts
        if part.name not in known
        and (part.state is PartState.REFUSED or (failed and part.state is not PartState.STORED))
    ]


def _not_received(collection_id: str, collection: Collection, part: Part, now: datetime) -> Event:
    offered = collection.offered
    issuer = plain(offered.metadata.display_name("sv") or "") or host_of(offered.issuer)
    described = dict(offered.items)[part.configuration].credential_metadata
    titles = {
        language: plain(display_name(described.display if described else None, language) or part.configuration)
        for language in ("sv", "en")
    }
    facts = {
        "who": {"sv": issuer, "en": issuer},
        "host": host_of(offered.issuer),
        "certificate": titles,
        "reason": part.problem or collection.problem,
    }
    # One of several is an entry of its own.
    entry_id = collection_id if len(collection.parts) == 1 else secrets.token_hex(16)
    return Event(entry_id, EventKind.NOT_RECEIVED, now, facts)


def _has_died(lease: str) -> bool:
    """Whether the process that took a lease on this machine is gone."""
    host, pid, life = lease.split("|")
    if host != socket.gethostname():
        return False
    if int(pid) == os.getpid():
        return life.partition(".")[0] != _THIS_LIFE
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _opened(vault: UnlockedVault, row: Any) -> Collection:
    state: Mapping[str, Any] = vault.unseal_json("collection.state", row.id, row.sealed_state, version=row.version)
    return Collection.from_json(state)
