"""stub"""

from datetime import datetime
from typing import Protocol
from schemas.errors import CouldNotCheck


class Unresolvable(CouldNotCheck):
    """Something that a check needs could not be fetched."""


class Resolver(Protocol):
    async def issuer_metadata(self, iss: str) -> bytes:
        """The JWT VC issuer metadata document of an issuer, from `jwt_vc_issuer_url(iss)`."""

    async def jwk_set(self, uri: str) -> bytes:
        """The JWK set that issuer metadata points to with `jwks_uri`."""

    async def status_list(self, uri: str, *, fresh_at: datetime) -> str:
        """A status list token (compact JWT)."""

    async def type_metadata(self, vct: str) -> bytes | None:
        """The type metadata document, or None when the type publishes none."""


class DictResolver:
    def __init__(
        self,
        *,
        issuer_metadata: dict[str, bytes] | None = None,
        jwk_sets: dict[str, bytes] | None = None,
        status_lists: dict[str, str] | None = None,
        type_metadata: dict[str, bytes] | None = None,
    ) -> None:
        raise NotImplementedError

    async def issuer_metadata(self, iss: str) -> bytes:
        raise NotImplementedError

    async def jwk_set(self, uri: str) -> bytes:
        raise NotImplementedError

    async def status_list(self, uri: str, *, fresh_at: datetime) -> str:
        raise NotImplementedError

    async def type_metadata(self, vct: str) -> bytes | None:
        raise NotImplementedError


def jwt_vc_issuer_url(iss: str) -> str:
    raise NotImplementedError
