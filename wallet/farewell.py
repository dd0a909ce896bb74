"""Telling the issuer that a certificate was deleted, until it has heard it (OpenID4VCI 1.0, section 11).

    farewell = farewell_of(certificate, renewals, at=at)    # None: the issuer does not want to know, or cannot be told
    held.save_alone(asked(collection, at=at), at=at)           # nothing else uses its refresh token now
    collection = await say_farewell(held.collection, web=web, provider=provider, keeper=held, clock=clock)

What is still to be told is a collection like any other (`Stage.FAREWELL`): written, sealed, in the transaction that
deletes the certificate, and taken up when the vault is opened. It holds the refresh token with which the certificate
was renewed and the notification id of then, and nothing that the certificate said. It is `DONE` when the issuer has
answered, whatever it said, and `FAILED` when the token serves no more or a month has passed: nothing hangs on it.

Certificates that came together share the refresh token. A farewell uses it as a renewal does: alone, and what replaces
it is kept with all of them. It holds up a renewal only while it is being said, not for the month that it may wait.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from wallet.certificates import StoredCertificate
from wallet.collection import Collection, Keeper, Part, Stage
from wallet.issuer_client import WalletProvider
from wallet.receiving import tell_issuer
from wallet.redemption import client_for, refresh
from wallet.web import Web

AGAIN_AFTER_SECONDS: Final = 3600
"""An issuer that did not answer is left in peace for so long."""
LONGEST_SECONDS: Final = 30 * 24 * 3600
"""After a month nobody is served by the word any more, and the keys for it go."""
_NOTICE: Final = "credential_deleted"


def farewell_of(certificate: StoredCertificate, renewals: Sequence[Collection], *, at: int) -> Collection | None:
    """What tells the issuer of a certificate that it is deleted; None where it does not want to know or nothing can.

    A renewal under way may hold a newer refresh token than the certificate. `at` in seconds since 1970.
    """
    if certificate.renewal is None:
        return None
    kept = Collection.from_json(certificate.renewal)
    (part,) = kept.parts
    if kept.offered.metadata.notification_endpoint is None or not part.notification_id:
        return None
    newer = next((one for one in renewals if one.refresh_token is not None and one.client), kept)
    told = Part(part.configuration, part.identifier, notification_id=part.notification_id)
    return replace(
        newer,
        link=f"farewell:{certificate.id}",
        stage=Stage.FAREWELL,
        parts=(told,),
        renews=certificate.id,
        begun_at=at,
        problem="",
        peer_error="",
    )


def asked(collection: Collection, *, at: int) -> Collection:
    """What is kept before the issuer is asked: whatever becomes of it, it is not asked again within the hour.

    After a month it is not asked any more.
    """
    if at >= collection.begun_at + LONGEST_SECONDS:
        return collection.failed("too_late")
    (part,) = collection.parts
    return replace(collection.with_part(replace(part, ask_again_at=at + AGAIN_AFTER_SECONDS)).paused(""), looked_at=at)


async def say_farewell(
    collection: Collection,
    *,
    web: Web,
    provider: WalletProvider,
    keeper: Keeper,
    clock: Callable[[], datetime],
) -> Collection:
    """Tell it, unless it has ended, and return the collection as it was kept last. Raises `MovedOn`."""
    if collection.has_ended:
        return collection
    (part,) = collection.parts
    client = client_for(collection, web=web, provider=provider, clock=clock)
    collection = await refresh(collection, client=client, provider=provider, keeper=keeper, clock=clock)
    if collection.stage is Stage.FAILED:
        return _ended(collection, keeper)
    if not collection.problem and await tell_issuer(collection, part, _NOTICE, client=client):
        return _ended(replace(collection, stage=Stage.DONE, access_token=None, refresh_token=None, client={}), keeper)
    return collection


def _ended(collection: Collection, keeper: Keeper) -> Collection:
    keeper.save(collection)
    return collection
