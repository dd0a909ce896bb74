"""What the verifier looks up elsewhere: status lists, issuers' keys, type metadata, signed trust lists.

Everything is kept for as long as its publisher and our bounds allow, fetched once even when many ask at the same time,
and status lists are fetched again before they grow stale, so that checking a certificate seldom waits for anybody and
its issuer does not learn when it is shown. A failure is remembered for a few seconds only; nothing stale is served.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from proofs.resolve import Unresolvable, jwt_vc_issuer_url
from proofs.status_list import fresh_until
from schemas.errors import CouldNotCheck, ProtocolError
from schemas.types import type_of
from service.clock import Clock
from service.http import OutgoingHTTP

MAX_KEPT = 2_000
DOCUMENT_SECONDS = 600
FAILURE_SECONDS = 10
RECENT_SECONDS = 600
MAX_RECENT = 100
STATUS_LIST_BYTES = 5_000_000
DOCUMENT_BYTES = 500_000


@dataclass(frozen=True, slots=True)
class _Kept:
    """Something fetched: its bytes (None after a failure), when, and until when it may be used."""

    body: bytes | None
    fetched_at: datetime
    until: datetime


class RemoteResolver:
    """Looks things up over guarded HTTP, and keeps them."""

    def __init__(
        self,
        http: OutgoingHTTP,
        *,
        clock: Clock,
        max_status_age_seconds: int,
        on_new_list: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._http = http
        self._clock = clock
        self._max_status_age_seconds = max_status_age_seconds
        self._on_new_list = on_new_list
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._under_way: dict[str, asyncio.Lock] = {}
        self._texts: dict[str, tuple[datetime, str]] = {}
        self._used: dict[str, datetime] = {}

    async def issuer_metadata(self, iss: str) -> bytes:
        """The JWT VC issuer metadata of an issuer. Raises `Unresolvable`."""
        try:
            url = jwt_vc_issuer_url(iss)
        except ProtocolError as exc:
            raise Unresolvable("the issuer has no address to look up") from exc
        return await self._document(url)

    async def jwk_set(self, uri: str) -> bytes:
        """A JWK set that issuer metadata points to. Raises `Unresolvable`."""
        return await self._document(uri)

    async def type_metadata(self, vct: str) -> bytes | None:
        """The type metadata: from our own table, else from the type's https address, else None."""
        known = type_of(vct)
        if known is not None:
            return known.type_metadata_bytes()
        return await self._document(vct) if vct.startswith("https://") else None

    async def status_list(self, uri: str, *, fresh_at: datetime) -> str:
        """A status list token that may be used at `fresh_at`. Raises `Unresolvable`."""
        if uri in self._used or len(self._used) < MAX_RECENT:
            self._used[uri] = fresh_at
        kept = self._kept.get(uri)
        if kept is None or kept.body is None or kept.until <= fresh_at:
            is_new = kept is None
            kept = await self._fetched(uri, self._list_until, "application/statuslist+jwt", STATUS_LIST_BYTES, fresh_at)
            if is_new and self._on_new_list is not None:
                await self._on_new_list(uri)
        return self._text(uri, kept)

    async def refresh_recent(self) -> None:
        """Fetch again the lists that were needed in the last minutes, several times within their time to live.

        So that a certificate taken back a moment ago is not accepted for as long as a list may be kept, without the
        issuer learning from the moment of fetching when somebody shows a certificate.
        """
        now = self._clock()
        for uri, used_at in list(self._used.items()):
            if now - used_at > timedelta(seconds=RECENT_SECONDS):
                del self._used[uri]
                continue
            kept = self._kept.get(uri)
            if kept is not None and kept.body is not None and now - kept.fetched_at >= _interval(kept):
                await self._refetch(uri)

    async def refresh_status_list(self, uri: str, *, before: datetime) -> bool:
        """Fetch a status list again when it would be stale at `before`; False when that did not succeed.

        A failure leaves the list that is there: it can be used until it is stale.
        """
        kept = self._kept.get(uri)
        if kept is not None and kept.body is not None and kept.until > before:
            return True
        return await self._refetch(uri)

    async def _refetch(self, uri: str) -> bool:
        try:
            kept = await self._fetch(uri, self._list_until, "application/statuslist+jwt", STATUS_LIST_BYTES)
        except CouldNotCheck:
            return False
        self._keep(uri, kept)
        return True

    def _text(self, uri: str, kept: _Kept) -> str:
        """The token as text, decoded once per fetch: the same object lets the checks recognise it."""
        known = self._texts.get(uri)
        if known is not None and known[0] == kept.fetched_at:
            return known[1]
        try:
            text = (kept.body or b"").decode("ascii").strip()
        except UnicodeDecodeError as exc:
            raise Unresolvable("the status list is not text") from exc
        if len(self._texts) > MAX_KEPT:
            self._texts.clear()
        self._texts[uri] = (kept.fetched_at, text)
        return text

    def _list_until(self, body: bytes, fetched_at: datetime) -> datetime:
        try:
            return fresh_until(
                body.decode("ascii").strip(),
                fetched_at=fetched_at,
                at_least_seconds=min(60, self._max_status_age_seconds),
                at_most_seconds=self._max_status_age_seconds,
            )
        except (ProtocolError, UnicodeDecodeError):
            # What cannot be read is handed on all the same: the check says what is wrong with it.
            return fetched_at + timedelta(seconds=FAILURE_SECONDS)

    async def _document(self, url: str) -> bytes:
        now = self._clock()
        kept = self._kept.get(url)
        if kept is None or kept.body is None or kept.until <= now:
            kept = await self._fetched(url, _document_until, "application/json", DOCUMENT_BYTES, now)
        assert kept.body is not None
        return kept.body

    async def _fetched(
        self, url: str, until: Callable[[bytes, datetime], datetime], accept: str, max_bytes: int, at: datetime
    ) -> _Kept:
        """Fetch once for all who ask at the same time."""
        lock = self._under_way.setdefault(url, asyncio.Lock())
        try:
            async with lock:
                kept = self._kept.get(url)
                if kept is not None and kept.body is not None and at < kept.until:
                    return kept
                if kept is not None and kept.body is None and at < kept.until:
                    raise Unresolvable("the address could not be read a moment ago")
                try:
                    kept = await self._fetch(url, until, accept, max_bytes)
                except CouldNotCheck:
                    now = self._clock()
                    self._keep(url, _Kept(None, now, now + timedelta(seconds=FAILURE_SECONDS)))
                    raise
                self._keep(url, kept)
                return kept
        finally:
            if not lock.locked():
                self._under_way.pop(url, None)

    async def _fetch(
        self, url: str, until: Callable[[bytes, datetime], datetime], accept: str, max_bytes: int
    ) -> _Kept:
        fetched_at = self._clock()
        try:
            answer = await self._http.get(url, headers={"Accept": accept}, max_bytes=max_bytes, timeout_seconds=10)
        except CouldNotCheck as exc:
            raise Unresolvable("the address could not be read") from exc
        if answer.status != 200:
            raise Unresolvable(f"the address answered with status {answer.status}")
        return _Kept(answer.body, fetched_at, until(answer.body, fetched_at))

    def _keep(self, url: str, kept: _Kept) -> None:
        self._kept[url] = kept
        self._kept.move_to_end(url)
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)


def _interval(kept: _Kept) -> timedelta:
    """How often a list in use is fetched: sixty times in its life, from five seconds to a quarter of an hour."""
    return min(max((kept.until - kept.fetched_at) / 60, timedelta(seconds=5)), timedelta(minutes=15))


def _document_until(body: bytes, fetched_at: datetime) -> datetime:
    return fetched_at + timedelta(seconds=DOCUMENT_SECONDS)


async def fetch_trust_list(http: OutgoingHTTP, url: str) -> str:
    """The signed trust list at an address, unchecked. Raises `Unresolvable`."""
    try:
        answer = await http.get(url, headers={"Accept": "application/jwt"}, max_bytes=5_000_000, timeout_seconds=15)
        if answer.status != 200:
            raise Unresolvable(f"the trust list was answered with status {answer.status}")
        return answer.body.decode("ascii").strip()
    except (CouldNotCheck, UnicodeDecodeError) as exc:
        raise exc if isinstance(exc, Unresolvable) else Unresolvable("the trust list could not be read") from exc
