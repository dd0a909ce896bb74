"""Deleting a certificate: the certificate, every copy and every holder key, in one transaction; the history stays.

    farewell = Deleting(wallet).delete(vault, certificate_id)
    await farewell.tell()                       # the issuer, when it wants to know; else when the vault is next opened

What a share of it needs to be taken back lies apart and stays, and so do history and receipts. Nothing brings the
copies back; the certificate can be fetched again as long as its issuer offers it. That the issuer is to be told is
written in the same transaction, and done at once, or whenever the vault is opened, until it has answered
(`wallet.farewell`).
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from schemas.errors import ProtocolError
from wallet.collection import Stage
from wallet.deployment import Deployment
from wallet.farewell import farewell_of
from wallet.hosts import host_of
from wallet.ledger import Event, EventKind, new_entry_id
from wallet.naming import Names
from wallet.store.certificates import delete_certificate, get_certificate
from wallet.store.collections import add_collection, delete_collection, list_collections
from wallet.store.ledger import append_event
from wallet.vault import UnlockedVault

TELL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Farewell:
    """What is left to tell the issuer of a deleted certificate; it rests, sealed, in the vault."""

    _wallet: Deployment = field(repr=False)
    _vault: UnlockedVault = field(repr=False)
    _collection_id: str | None = field(repr=False)

    @property
    def can_tell(self) -> bool:
        """Whether the issuer wants to know, and the wallet can still show that it is the one that collected it."""
        return self._collection_id is not None

    async def tell(self) -> bool:
        """Tell the issuer, within a few seconds; whether it has answered.

        What the network does is not raised: it is told later then.
        """
        if self._collection_id is not None:
            with suppress(TimeoutError, ProtocolError):
                async with asyncio.timeout(TELL_SECONDS):
                    return await self._wallet.bid_farewell(self._vault, self._collection_id)
        return False


class Deleting:
    """Deleting from the vaults of one wallet service."""

    def __init__(self, wallet: Deployment) -> None:
        self._wallet = wallet

    def delete(self, vault: UnlockedVault, certificate_id: str) -> Farewell:
        """Delete a certificate and what renews it; the history keeps that, and when. Raises `UnknownCertificate`.

        What was deleted is taken out of the files as well.
        """
        now = self._wallet.clock()
        with self._wallet.database.transaction() as connection:
            certificate = get_certificate(connection, vault, certificate_id)
            renewals = []
            for collection_id, one in list_collections(connection, vault).items():
                if one.renews == certificate_id:
                    renewals.append(one)
                if one.renews == certificate_id or (one.stage is Stage.DONE and certificate_id in one.stored_ids):
                    delete_collection(connection, vault, collection_id)
            delete_certificate(connection, vault, certificate_id)
            names = Names(certificate)
            facts = {
                "who": {"sv": names.issuer, "en": names.issuer},
                "host": host_of(certificate.collected_from),
                "certificate": names.type_name.model_dump(),
                "certificate_id": certificate_id,
            }
            append_event(connection, vault, Event(new_entry_id(), EventKind.DELETED, now, facts))
            farewell = farewell_of(certificate, renewals, at=int(now.timestamp()))
            told_by = None if farewell is None else add_collection(connection, vault, farewell)
        self._wallet.database.forget_deleted()
        return Farewell(self._wallet, vault, told_by)
