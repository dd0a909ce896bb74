"""Signed trust lists: read from their address, checked against the key pinned for them, taken when newer.

pinned = await add_list(store, http, url, key_jwk, now=now)
await refresh_lists(store, http, clock=clock)
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from proofs.trust import SignedTrustList, check_trust_list
from schemas.errors import ProtocolError
from service.clock import Clock
from service.http import OutgoingHTTP
from verifier.remote import fetch_trust_list
from verifier.store import PinnedList, TrustStore


async def add_list(
    store: TrustStore, http: OutgoingHTTP, url: str, key_jwk: Mapping[str, Any], *, now: datetime
) -> PinnedList:
    """Pin a key for the list at an address and take what it says. An edition older than one known here is refused.

    Raises `Unresolvable` when it cannot be read, `Refused`, `Malformed` or `StaleTrustList` when it does not hold.
    """
    known = {one.url: one.sequence for one in store.lists()}
    signed = await _read(http, url, key_jwk, minimum_sequence=known.get(url, 0), now=now)
    return store.add_list(url, key_jwk, signed, now=now)


async def refresh_lists(store: TrustStore, http: OutgoingHTTP, *, clock: Clock) -> None:
    """Read every pinned list again. One that does not hold stays as it is, and the problem is noted."""
    for pinned in await store.database.run(store.lists):
        now = clock()
        try:
            signed = await _read(http, pinned.url, pinned.key_jwk, minimum_sequence=pinned.sequence, now=now)
        except ProtocolError as exc:
            await store.database.run(store.note_problem, pinned.url, str(exc))
            continue
        await store.database.run(store.update_list, pinned.url, signed, now=now)


async def _read(
    http: OutgoingHTTP, url: str, key_jwk: Mapping[str, Any], *, minimum_sequence: int, now: datetime
) -> SignedTrustList:
    token = await fetch_trust_list(http, url)
    return check_trust_list(token, key_jwk=key_jwk, minimum_sequence=minimum_sequence, now=now)
