"""The only way out: guarded outgoing HTTP.

http = OutgoingHTTP(allow_loopback=settings.allow_loopback, allow_hosts=settings.allow_hosts, ca_file=settings.ca_file)
answer = await http.get("https://issuer.example/.well-known/...", max_bytes=200_000, timeout_seconds=10)
answer.status, answer.headers["content-type"], answer.body
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.errors import CouldNotCheck


class OutgoingRefused(CouldNotCheck):
    """The address may not be asked: not https, or not a public host."""

    error = "address_refused"


class OutgoingFailed(CouldNotCheck):
    """The other side could not be reached, took too long, or answered too much."""

    error = "unreachable"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side answered, whatever its status. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The media type without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class OutgoingHTTP:
    """Guarded client. `transport` replaces the network in tests (see `service.http.HostRouter`)."""

    def __init__(
        self,
        *,
        allow_loopback: bool = False,
        allow_hosts: Collection[str] = (),
        ca_file: Path | None = None,
        transport: Any = None,
    ) -> None: ...

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = 1_000_000,
        timeout_seconds: float = 10.0,
    ) -> Answer:
        """GET an address. No redirects, no cookies. Raises `OutgoingRefused`, `OutgoingFailed`."""
        raise NotImplementedError

    async def post(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = 1_000_000,
        timeout_seconds: float = 10.0,
    ) -> Answer:
        """POST a form, a JSON value or bytes (at most one of them) to an address; otherwise as `get`."""
        raise NotImplementedError

    def check_url(self, url: str) -> None:
        """Raise `OutgoingRefused` when the address would be refused before it is resolved."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close kept connections."""
        raise NotImplementedError


class HostRouter:
    """A transport for tests: `HostRouter({"issuer.example": issuer_app, "localhost:8001": wallet_app})`."""

    def __init__(self, apps: Mapping[str, Any]) -> None: ...
