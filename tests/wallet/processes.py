"""What a second real process does on the file of a wallet: take copies, approve shares, write to the history.

Each works for one person of the world in `directory`; the other services of that world are opened beside the wallet on
their own data, so that the status lists are there.
"""

import asyncio
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from schemas.errors import ProtocolError, TemporarilyUnavailable
from tests.two_processes import Barrier
from tests.world import PASSPHRASE, World
from wallet.certificates import NoCopiesLeft
from wallet.ledger import Event, EventKind
from wallet.sharing import Sharing
from wallet.store.certificates import take_copy
from wallet.store.ledger import append_event

THREADS = 8
TRIES = 500


def take_copies(directory: Path, name: str, certificate_id: str, barrier: Barrier, results: Any) -> None:
    """In a process of its own: eight threads that each take one copy. The copy's identifier, or "none"."""
    world = World(directory)
    deployment = world.wallet_at("wallet.example").deployment
    vault = asyncio.run(deployment.unlock(name, PASSPHRASE))
    barrier.wait(60)

    def take() -> str:
        for _ in range(TRIES):
            try:
                with deployment.database.transaction() as connection:
                    return take_copy(connection, vault, certificate_id).id
            except TemporarilyUnavailable:  # As a page that is told to come again does.
                continue
            except NoCopiesLeft:
                return "none"
        return "busy"

    with ThreadPoolExecutor(THREADS) as pool:
        for future in [pool.submit(take) for _ in range(THREADS)]:
            results.put(future.result())
    world.close()


def write_events(directory: Path, name: str, count: int, barrier: Barrier, results: Any) -> None:
    """In a process of its own: append events, each of an entry of its own. The entries' identifiers."""
    world = World(directory)
    deployment = world.wallet_at("wallet.example").deployment
    vault = asyncio.run(deployment.unlock(name, PASSPHRASE))
    barrier.wait(60)
    for _ in range(count):
        event = Event(secrets.token_hex(8), EventKind.FAULTY, datetime(2026, 11, 20, tzinfo=UTC), {})
        for _ in range(TRIES):
            try:
                with deployment.database.transaction() as connection:
                    append_event(connection, vault, event)
                break
            except TemporarilyUnavailable:
                continue
        results.put(event.entry_id)
    world.close()


def approve_shares(
    directory: Path, name: str, host: str, shares: Sequence[tuple[str, str]], barrier: Barrier, results: Any
) -> None:
    """In a process of its own: approve each share by its digest, all at once, with a recipient that takes everything.

    What came of the shares (the state, or the name of the error), and the forms that reached the recipient.
    """
    world = World(directory)
    sharing, forms = Sharing(world.wallet.deployment), _recipient(world, host)
    vault = asyncio.run(world.wallet.person(name))

    async def approve(share_id: str, digest: str) -> str:
        for _ in range(TRIES):
            try:
                delivery = await sharing.approve(
                    vault, share_id, language="en", approved_digest=digest, passphrase=PASSPHRASE
                )
            except TemporarilyUnavailable:
                continue
            except ProtocolError as error:
                return type(error).__name__
            return delivery.state.value
        return "busy"

    async def approve_all() -> list[str]:
        return await asyncio.gather(*(approve(*share) for share in shares))

    barrier.wait(60)
    results.put((asyncio.run(approve_all()), forms))
    world.close()


def _recipient(world: World, host: str) -> list[dict[str, str]]:
    """Put a recipient that takes every answer behind a host; the list into which the forms come."""
    forms: list[dict[str, str]] = []

    async def take(request: Request) -> JSONResponse:
        forms.append(dict(parse_qsl((await request.body()).decode(), keep_blank_values=True)))
        return JSONResponse({})

    world.network.connect(host, Starlette(routes=[Route("/response", take, methods=["POST"])]))
    return forms
