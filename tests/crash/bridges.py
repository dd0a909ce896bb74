"""Services of one act in two processes: requests to what is not here go over a socket to the process where it lives.

    async with answering(world.network, path):               # there
    lead(world.network, ["issuer.example"], path)             # here

A process that has died refuses connections; one that dies while it answers loses the answer. That is all that the
other side sees of it, as on a real network.
"""

import asyncio
import pickle
import traceback
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from tests.world import Network


class Bridge(httpx2.AsyncBaseTransport):
    """The way to the services of another process."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        asked = (request.method, str(request.url), request.headers.multi_items(), await request.aread())
        try:
            reader, writer = await asyncio.open_unix_connection(self._path)
        except OSError as exc:
            raise httpx2.ConnectError("nobody is there", request=request) from exc
        try:
            writer.write(pickle.dumps(asked))
            writer.write_eof()
            answer = await reader.read()
        except OSError as exc:
            raise httpx2.ReadError("lost", request=request) from exc
        finally:
            writer.close()
        if not answer:
            raise httpx2.ReadError("lost", request=request)
        status, headers, body = pickle.loads(answer)
        assert status, body  # What the service over there raised.
        return httpx2.Response(status, headers=headers, content=body, request=request)


def lead(network: Network, hosts: Iterable[str], path: Path) -> None:
    """From now on requests to these hosts go to another process, where the host is known at all."""
    for host in hosts:
        if host in network.apps:
            network.apps[host] = Bridge(path)  # type: ignore[assignment]  # Whatever leads there.


@asynccontextmanager
async def answering(network: Network, path: Path) -> AsyncIterator[None]:
    """Answer for the services that are here while the block runs."""
    here = dict(network.apps)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, url, headers, body = pickle.loads(await reader.read())
        request = httpx2.Request(method, url, headers=headers, content=body)
        try:
            raw = await here[request.url.host].handle_async_request(request)
            found = (raw.status_code, raw.headers.multi_items(), await raw.aread())
        except Exception:  # noqa: BLE001 - The one who asked is told, and fails of it.
            found = (0, [], traceback.format_exc().encode())
        writer.write(pickle.dumps(found))
        writer.close()

    server = await asyncio.start_unix_server(answer, path)
    try:
        yield
    finally:
        server.close()
