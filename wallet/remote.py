"""The wallet's way out: issuers while collecting, and everything a check needs to look up, with a bounded cache.

    web = WalletWeb(http)                       # the port of wallet.offers and wallet.receiving
    resolver = WalletResolver(http, clock=clock)

Only addresses of documents are kept in memory, never on disk: they would tell which issuers somebody here knows.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import structlog

from proofs.resolve import Unresolvable, jwt_vc_issuer_url
from proofs.status_list import fresh_until
from schemas.errors import CouldNotCheck, ProtocolError
from schemas.types import type_of
from service.clock import Clock
from service.http import Answer, OutgoingHTTP, OutgoingRefused
from wallet.web import AddressRefused, Reply, Unreachable

T = TypeVar("T")
_log = structlog.get_logger("wallet")

LARGEST_DOCUMENT = 500_000
LARGEST_STATUS_LIST = 8_000_000
STATUS_REDIRECTS = 3
"""How often a status list may have moved: it is signed, so that it does not matter where it lies."""
TIMEOUT_SECONDS = 15.0
MOST_KEPT = 200
DOCUMENT_SECONDS = 300
ASKED_LATELY = timedelta(seconds=60)
LIKELY_KEPT = timedelta(seconds=300)


class WalletWeb:
    """Talks to issuers over the guarded client. What cannot be had is `Unreachable`."""

    def __init__(self, http: OutgoingHTTP) -> None:
        self._http = http

    async def get(self, url: str, *, accept: str, languages: str, max_bytes: int) -> Reply:
        """Fetch a document."""
        headers = {"accept": accept, "accept-language": languages}
        return await _answered(
            self._http.get(url, headers=headers, max_bytes=max_bytes, timeout_seconds=TIMEOUT_SECONDS)
        )

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
        return await _answered(
            self._http.post(
                url,
                form=form,
                json=json,
                content=content,
                headers=headers,
                max_bytes=max_bytes,
                timeout_seconds=TIMEOUT_SECONDS,
            )
        )


def note_refused_address() -> None:
    """Tell whoever runs this wallet what a person is only told to ask them about. The address itself is not written:
    it would say what somebody here was about to do."""
    _log.warning("address_refused", advice="only public https addresses are asked; WALLET_ALLOW_LOOPBACK lifts it here")


async def _answered(asking: Awaitable[Answer]) -> Reply:
    try:
        answer = await asking
    except OutgoingRefused as exc:
        note_refused_address()
        raise AddressRefused(str(exc)) from exc
    except CouldNotCheck as exc:
        raise Unreachable(str(exc)) from exc
    return Reply(status=answer.status, media_type=answer.media_type, body=answer.body, headers=answer.headers)


@dataclass(slots=True)
class _Kept(Generic[T]):
    value: T
    until: datetime
    since: datetime


class _Cache(Generic[T]):
    """At most `MOST_KEPT` values, each until its time; one fetch at a time for each key."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, _Kept[T]] = OrderedDict()
        self._fetching: dict[str, asyncio.Task[_Kept[T]]] = {}

    def addresses(self) -> list[str]:
        return list(self._kept)

    def forget(self, key: str) -> None:
        self._kept.pop(key, None)

    def since(self, key: str) -> datetime | None:
        """When the value that may still be used was fetched."""
        kept = self._kept.get(key)
        return kept.since if kept is not None and kept.until > self._clock() else None

    async def get(
        self, key: str, fetch: Callable[[], Awaitable[tuple[T, datetime]]], *, fresh_at: datetime | None = None
    ) -> T:
        kept = self._kept.get(key)
        if kept is not None and kept.until > (fresh_at or self._clock()):
            self._kept.move_to_end(key)
            return kept.value
        task = self._fetching.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._fetched(key, fetch))
            self._fetching[key] = task
            task.add_done_callback(lambda _: self._fetching.pop(key, None))
        # Shielded: one waiting page that goes away must not take the fetch from the others.
        return (await asyncio.shield(task)).value

    async def _fetched(self, key: str, fetch: Callable[[], Awaitable[tuple[T, datetime]]]) -> _Kept[T]:
        value, until = await fetch()
        kept = _Kept(value, until, self._clock())
        self._kept[key] = kept
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return kept


class WalletResolver:
    """What checks look up, over the guarded client. Implements `proofs.resolve.Resolver`."""

    def __init__(self, http: OutgoingHTTP, *, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._documents: _Cache[bytes] = _Cache(clock)
        self._lists: _Cache[str] = _Cache(clock)
        self._lists_asked: dict[str, datetime] = {}

    async def issuer_metadata(self, iss: str) -> bytes:
        """The JWT VC issuer metadata document of an issuer."""
        return await self._document(jwt_vc_issuer_url(iss))

    async def jwk_set(self, uri: str) -> bytes:
        """The JWK set that issuer metadata points to."""
        return await self._document(uri)

    async def type_metadata(self, vct: str) -> bytes | None:
        """The type metadata: bundled for the types known here, fetched when the type is a web address, else None."""
        known = type_of(vct)
        if known is not None:
            return known.type_metadata_bytes()
        return await self._document(vct) if vct.startswith("https://") else None

    async def status_list(self, uri: str, *, fresh_at: datetime) -> str:
        """A status list token that may still be used at `fresh_at`, within its own `ttl` and `exp`."""

        async def fetch() -> tuple[str, datetime]:
            self._note_asked(uri)
            answer = await self._get(
                uri, accept="application/statuslist+jwt", max_bytes=LARGEST_STATUS_LIST, redirects=STATUS_REDIRECTS
            )
            try:
                token = answer.body.decode("ascii").strip()
                return token, fresh_until(token, fetched_at=self._clock())
            except (UnicodeDecodeError, ProtocolError) as exc:
                raise Unresolvable("the status list cannot be read") from exc

        return await self._lists.get(uri, fetch, fresh_at=fresh_at)

    def _note_asked(self, uri: str) -> None:
        now = self._clock()
        self._lists_asked = {one: at for one, at in self._lists_asked.items() if now - at < ASKED_LATELY}
        self._lists_asked[uri] = now

    def has_news(self, uri: str, *, since: datetime, at_most: timedelta) -> bool:
        """Whether a look at this list can tell more than is known from one that was read at `since`.

        It can when the list was read anew meanwhile, and when what is known is older than `at_most`. It cannot when the
        list was asked for in vain just now. A list that this process has not read yet (a command, a service that just
        started) says of itself how long it may be kept, which nobody here remembers: `LIKELY_KEPT` at most.
        """
        kept_since = self._lists.since(uri)
        age = self._clock() - since
        if kept_since is not None:
            return int(kept_since.timestamp()) > since.timestamp() or age >= at_most
        asked = self._lists_asked.get(uri)
        if asked is not None:
            return self._clock() - asked >= ASKED_LATELY
        return age >= min(at_most, LIKELY_KEPT)

    def read_at(self, uri: str) -> datetime | None:
        """When the list that answers look-ups now was read from its issuer; None when there is none."""
        return self._lists.since(uri)

    def forget_older(self, uri: str, *, than: datetime) -> None:
        """Fetch this list anew at the next look when it was read before that moment, although it may still be used."""
        read_at = self._lists.since(uri)
        if read_at is not None and read_at <= than:
            self._lists.forget(uri)

    def forget_status_list(self, uri: str) -> None:
        """Fetch this list anew at the next look, although the kept one may still be used."""
        self._lists.forget(uri)

    async def prefetch(self, *, ahead_seconds: int) -> None:
        """Fetch the status lists that are in use and run out soon, so that nobody's look tells when they look."""
        soon = self._clock() + timedelta(seconds=ahead_seconds)
        for uri in self._lists.addresses():
            try:
                await self.status_list(uri, fresh_at=soon)
            except CouldNotCheck:
                continue

    async def _document(self, url: str) -> bytes:
        async def fetch() -> tuple[bytes, datetime]:
            answer = await self._get(url, accept="application/json", max_bytes=LARGEST_DOCUMENT)
            return answer.body, self._clock() + timedelta(seconds=DOCUMENT_SECONDS)

        return await self._documents.get(url, fetch)

    async def _get(self, url: str, *, accept: str, max_bytes: int, redirects: int = 0) -> Answer:
        try:
            answer = await self._http.get(
                url,
                headers={"accept": accept},
                max_bytes=max_bytes,
                timeout_seconds=TIMEOUT_SECONDS,
                redirects=redirects,
            )
        except CouldNotCheck as exc:
            raise Unresolvable(str(exc)) from exc
        if answer.status != 200:
            raise Unresolvable(f"the answer has status {answer.status}")
        return answer
