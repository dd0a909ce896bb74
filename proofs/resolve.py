"""The look-ups that a check may need, as one interface.

Each service's `remote.py` gives a `Resolver` over its guarded HTTP client with a cache; tests and offline use give
a `DictResolver`. What comes back is untrusted text: whoever asked checks it.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from proofs import strict_json
from proofs.identifiers import host_of
from proofs.keys import check_public_jwk
from schemas.errors import CouldNotCheck, Malformed, ProtocolError

MAX_KEYS = 100
T = TypeVar("T")


class Unresolvable(CouldNotCheck):
    """Something that a check needs could not be fetched."""


class Resolver(Protocol):
    """Fetches what a check asks for, or raises `Unresolvable`."""

    async def issuer_metadata(self, iss: str) -> bytes:
        """The JWT VC issuer metadata document of an issuer, from `jwt_vc_issuer_url(iss)`."""

    async def jwk_set(self, uri: str) -> bytes:
        """The JWK set that issuer metadata points to by `jwks_uri`."""

    async def status_list(self, uri: str, *, fresh_at: datetime) -> str:
        """The status list token at `uri` (compact JWT), one that may still be used at `fresh_at`.

        An implementation with a cache asks `proofs.status_list.fresh_until`.
        """

    async def type_metadata(self, vct: str) -> bytes | None:
        """The type metadata document of a credential type, or None when its publisher has none."""


class DictResolver:
    """A resolver that knows just what it was given."""

    def __init__(
        self,
        *,
        issuer_metadata: Mapping[str, bytes] | None = None,
        jwk_sets: Mapping[str, bytes] | None = None,
        status_lists: Mapping[str, str] | None = None,
        type_metadata: Mapping[str, bytes] | None = None,
    ) -> None:
        """Take documents by issuer, JWK set address, status list address and credential type."""
        self._issuer_metadata = issuer_metadata or {}
        self._jwk_sets = jwk_sets or {}
        self._status_lists = status_lists or {}
        self._type_metadata = type_metadata or {}

    async def issuer_metadata(self, iss: str) -> bytes:
        """The document given for this issuer."""
        return _found(self._issuer_metadata, iss)

    async def jwk_set(self, uri: str) -> bytes:
        """The JWK set given for this address."""
        return _found(self._jwk_sets, uri)

    async def status_list(self, uri: str, *, fresh_at: datetime) -> str:
        """The status list token given for this address, however old."""
        return _found(self._status_lists, uri)

    async def type_metadata(self, vct: str) -> bytes | None:
        """The type metadata given for this type."""
        return self._type_metadata.get(vct)


class HurriedResolver:
    """Another resolver's look-ups, which all together get some seconds: what was not found by then is not known.

    For whoever waits for an answer: a page, or a peer whose presentations name addresses of its sender's choice. What
    was begun goes on where the other resolver lets it, for the next look. To be made within a running loop.
    """

    def __init__(self, resolver: Resolver, *, seconds: float) -> None:
        self._resolver = resolver
        self._ends_at = asyncio.get_running_loop().time() + seconds

    async def issuer_metadata(self, iss: str) -> bytes:
        """As the other resolver's, in time."""
        return await self._in_time(self._resolver.issuer_metadata(iss))

    async def jwk_set(self, uri: str) -> bytes:
        """As the other resolver's, in time."""
        return await self._in_time(self._resolver.jwk_set(uri))

    async def status_list(self, uri: str, *, fresh_at: datetime) -> str:
        """As the other resolver's, in time."""
        return await self._in_time(self._resolver.status_list(uri, fresh_at=fresh_at))

    async def type_metadata(self, vct: str) -> bytes | None:
        """As the other resolver's, in time."""
        return await self._in_time(self._resolver.type_metadata(vct))

    async def _in_time(self, look_up: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout_at(self._ends_at):
                return await look_up
        except TimeoutError as exc:
            raise Unresolvable("looking things up took too long") from exc


def _found(documents: Mapping[str, T], address: str) -> T:
    try:
        return documents[address]
    except KeyError as exc:
        raise Unresolvable("there is nothing at this address") from exc


def jwt_vc_issuer_url(iss: str) -> str:
    """Where an issuer publishes its JWT VC issuer metadata: the well-known string between host and path.

    Raises `Malformed` when `iss` is not an http(s) URL without query and fragment. That it must be https, except
    on loopback, is for the client that fetches.

    Source: SD-JWT VC, section 4.
    """
    return well_known_url(iss, "jwt-vc-issuer")


def well_known_url(identifier: str, suffix: str) -> str:
    """Insert `/.well-known/{suffix}` between the host and the path of a URL, a terminating slash dropped.

    Raises `Malformed` when the identifier is not an http(s) URL without user, query and fragment.
    """
    if host_of(identifier) is None or "?" in identifier or "#" in identifier:
        raise Malformed("the identifier is not a URL of host and path")
    parts = urlsplit(identifier)
    return f"{parts.scheme}://{parts.netloc}/.well-known/{suffix}{parts.path.rstrip('/')}"


async def published_issuer_keys(iss: str, *, resolver: Resolver) -> tuple[dict[str, str], ...]:
    """The keys that an issuer publishes as JWT VC issuer metadata, minimal form with `kid` where given.

    Keys that we cannot use are skipped, never an error.

    Raises `Unresolvable` when nothing could be fetched, `Malformed` when the document is not metadata of exactly this
    issuer, or names its keys in both ways or in none.
    """
    document = strict_json.loads_object(await resolver.issuer_metadata(iss))
    if document.get("issuer") != iss:
        raise Malformed("the issuer metadata is that of another issuer")
    if ("jwks" in document) == ("jwks_uri" in document):
        raise Malformed("the issuer metadata must name its keys either by value or by address")
    if "jwks" in document:
        jwks = document["jwks"]
    else:
        uri = document["jwks_uri"]
        if not isinstance(uri, str):
            raise Malformed("`jwks_uri` is not a string")
        jwks = strict_json.loads_object(await resolver.jwk_set(uri))
    return usable_keys(jwks)


def usable_keys(jwks: Any) -> tuple[dict[str, str], ...]:
    """The signature keys of a JWK set that we can use, with their `kid`; others are skipped.

    Raises `Malformed` when it is not a JWK set at all.
    """
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise Malformed("not a JWK set")
    usable = []
    for jwk in keys:
        if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
            continue
        try:
            public = check_public_jwk(jwk)
        except ProtocolError:
            continue
        usable.append({**public, "kid": jwk["kid"]} if isinstance(jwk.get("kid"), str) else public)
    return tuple(usable)
