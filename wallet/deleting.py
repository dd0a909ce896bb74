"""Deleting a certificate: the certificate, every copy and every holder key, in one transaction; the history stays.

    farewell = Deleting(wallet).delete(vault, certificate_id)
    await farewell.tell()                       # the issuer, when it wants to know; nothing hangs on it

What a share of it needs to be taken back lies apart and stays, and so do history and receipts. Nothing brings the
copies back; the certificate can be fetched again as long as its issuer offers it. The issuer is told
`credential_deleted` (OpenID4VCI 1.0, section 11) where the wallet still can: with the refresh token that the
certificate kept for its renewal.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from schemas.errors import ProtocolError
from wallet.certificates import NewCertificate, StoredCertificate
from wallet.collection import Collection, Part, Stage
from wallet.deployment import Deployment
from wallet.hosts import host_of
from wallet.ledger import Event, EventKind, new_entry_id
from wallet.naming import Names
from wallet.receiving import tell_issuer
from wallet.redemption import client_for, refresh
from wallet.store.certificates import delete_certificate, get_certificate
from wallet.store.collections import delete_collection, list_collections
from wallet.store.ledger import append_event
from wallet.vault import UnlockedVault

TELL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Farewell:
    """What is needed to tell the issuer of a deleted certificate; nothing of it rests anywhere."""

    _wallet: Deployment = field(repr=False)
    _collection: Collection | None = field(repr=False)

    @property
    def can_tell(self) -> bool:
        """Whether the issuer wants to know, and the wallet can still show that it is the one that collected it."""
        return self._collection is not None

    async def tell(self) -> None:
        """Tell the issuer, once, within a few seconds. What the network does changes nothing, and is not raised."""
        if self._collection is None:
            return
        with suppress(TimeoutError, ProtocolError):
            async with asyncio.timeout(TELL_SECONDS):
                await _tell(self._wallet, self._collection)


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
        self._wallet.database.forget_deleted()
        return Farewell(self._wallet, _means(certificate, renewals))


def _means(certificate: StoredCertificate, renewals: Sequence[Collection]) -> Collection | None:
    """How the issuer can be told; a renewal under way may hold a newer refresh token than the certificate."""
    if certificate.renewal is None:
        return None
    kept = Collection.from_json(certificate.renewal)
    (part,) = kept.parts
    if kept.offered.metadata.notification_endpoint is None or not part.notification_id:
        return None
    newer = next((one for one in renewals if one.refresh_token is not None and one.client), kept)
    return replace(newer, parts=(part,))


async def _tell(wallet: Deployment, collection: Collection) -> None:
    client = client_for(collection, web=wallet.web, provider=wallet.provider, clock=wallet.clock)
    collection = await refresh(
        collection, client=client, provider=wallet.provider, keeper=_Nowhere(), clock=wallet.clock
    )
    if not collection.problem:
        await tell_issuer(collection, collection.parts[0], "credential_deleted", client=client)


class _Nowhere:
    """A keeper that keeps nothing: with the certificate goes what its tokens were for."""

    def save(self, collection: Collection) -> None:
        """Nothing is kept."""

    def store(self, collection: Collection, part: Part, certificate: NewCertificate) -> Collection:
        """Nothing is received."""
        raise AssertionError("a farewell collects nothing")
