"""The network as collecting and telling need it: what can be asked of others, what an answer is, and why none came.

`wallet.remote` reaches the real one; nothing else here knows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from schemas.errors import ProtocolError


class Unreachable(ProtocolError):
    """The issuer did not answer, or its answer could not be read."""

    error = "issuer_unreachable"
    status = 502
    reason = "unreachable"


class Busy(Unreachable):
    """The issuer wants to be asked again later. Nothing that can be spent was sent."""

    reason = "busy"


class HostUnreachable(Unreachable):
    """Whoever a typed code leads to did not answer; whether they issue or ask for something is not known yet."""

    reason = "host_unreachable"


class AddressRefused(Unreachable):
    """This wallet does not ask that address: it is not https, or not a public one. Nothing was sent."""

    reason = "address_refused"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer from the web: status, media type without parameters, the body within the bound asked for, and the
    headers with names in lower case."""

    status: int
    media_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Web(Protocol):
    """The network as this room needs it. No redirects are followed. Raises `Unreachable`."""

    async def get(self, url: str, *, accept: str, languages: str, max_bytes: int) -> Reply:
        """Fetch a document."""
        ...

    async def post(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str],
        max_bytes: int,
    ) -> Reply:
        """Send a form, a JSON value or bytes (one of them)."""
        ...
