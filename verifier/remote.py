"""What the verifier looks up elsewhere: status lists, issuers' keys, type metadata, signed trust lists.

Everything is kept for as long as its publisher and our bounds allow, fetched once even when many ask at the same time,
and status lists are fetched again before they grow stale, so that checking a certificate seldom waits for anybody and
its issuer does not learn when it is shown. When somebody opens a request, all lists in use are fetched again: what was
revoked before that is known by the time of the answer. A failure is remembered for a few seconds only; nothing stale is
served.

Anybody can send us a certificate that names addresses of their choice. So only lists of accepted answers are fetched
again by themselves (`note_use`), what is kept is bounded in bytes, and one answer may look things up for 20 seconds.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from proofs import strict_json
from proofs.resolve import HurriedResolver, Resolver, Unresolvable, jwt_vc_issuer_url
from proofs.status_list import fresh_until
from schemas.errors import CouldNotCheck, ProtocolError
from schemas.types import type_of
from service.clock import Clock
from service.http import Answer, OutgoingHTTP

MAX_KEPT = 2_000
MAX_KEPT_BYTES = 100_000_000
LOOK_UP_SECONDS = 20.0
NOTED_AGAIN = timedelta(days=1)
DOCUMENT_SECONDS = 600
RENEW_SECONDS = 30
FAILURE_SECONDS = 10
RECENT_SECONDS = 600
MAX_RECENT = 100
NEW_ENOUGH = timedelta(seconds=1)
WHILE_OPEN = timedelta(seconds=2)
RENEWAL_WAIT_SECONDS = 3.0
STATUS_LIST_BYTES = 5_000_000
STATUS_REDIRECTS = 3
"""How often a status list may have moved: it is signed, so that it does not matter where it lies."""
DOCUMENT_BYTES = 500_000
_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,200}"')  # What may stand in a header that we send.
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Kept:
    """Something fetched: its bytes, or its text (a status list), when, and until when it may be used.

    After a failure there is neither. The text is decoded once: the same object lets the checks recognise it. `tag` is
    the publisher's entity tag, with which it is asked again (RFC 9110, section 13.1.2).
    """

    body: bytes | None = field(repr=False)
    fetched_at: datetime
    until: datetime
    text: str | None = field(default=None, repr=False)
    tag: str = ""

    @property
    def failed(self) -> bool:
        """True when it could not be fetched."""
        return self.body is None and self.text is None

    @property
    def size_bytes(self) -> int:
        """How much memory it takes, about."""
        return len(self.body or b"") + len(self.text or "")


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
        self._kept_bytes = 0
        self._under_way: dict[str, asyncio.Lock] = {}
        self._used: dict[str, datetime] = {}
        self._opened_at: datetime | None = None
        self._renewals: dict[str, asyncio.Task[None]] = {}
        self._noted: dict[str, datetime] = {}

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

    async def renew_issuer(self, iss: str) -> bool:
        """Fetch an issuer's metadata again, since its keys may have changed; True when something else came.

        Only when what is kept is older than half a minute, so that nobody can make us ask an issuer without end.
        """
        try:
            url = jwt_vc_issuer_url(iss)
            kept = self._kept.get(url)
            if kept is None or kept.body is None or self._clock() - kept.fetched_at < timedelta(seconds=RENEW_SECONDS):
                return False
            body = await self._renewed(url)
            uri = strict_json.loads_object(body).get("jwks_uri")
            keys_before = self._kept[uri].body if isinstance(uri, str) and uri in self._kept else None
            keys = await self._renewed(uri) if isinstance(uri, str) else None
        except ProtocolError:
            return False
        return (body, keys) != (kept.body, keys_before)

    async def status_list(self, uri: str, *, fresh_at: datetime) -> str:
        """A status list token that may be used at `fresh_at`. Raises `Unresolvable`.

        One that is being renewed is waited for, a few seconds at most.
        """
        if uri in self._renewals:
            await asyncio.wait({self._renewals[uri]}, timeout=RENEWAL_WAIT_SECONDS)
        kept = self._kept.get(uri)
        if kept is None or kept.text is None or kept.until <= fresh_at:
            kept = await self._fetched(uri, self._fetch_list, fresh_at)
        assert kept.text is not None
        return kept.text

    def read_at(self, uri: str) -> datetime | None:
        """When the status list that is kept was fetched; None when none is."""
        kept = self._kept.get(uri)
        return None if kept is None or kept.failed else kept.fetched_at

    async def note_use(self, uri: str) -> None:
        """A list was needed for an answer that was accepted: it is kept fresh from now on."""
        now = self._clock()
        self._mark_used(uri, now)
        noted_at = self._noted.get(uri)
        if self._on_new_list is not None and (noted_at is None or now - noted_at >= NOTED_AGAIN):
            if len(self._noted) >= MAX_KEPT:
                self._noted.clear()
            self._noted[uri] = now
            await self._on_new_list(uri)

    async def refresh_recent(self) -> None:
        """Fetch again the lists that were needed in the last minutes, several times within their time to live.

        So that a certificate taken back a moment ago is not accepted for as long as a list may be kept, without the
        issuer learning from the moment of fetching when somebody shows a certificate. While somebody has a request
        open, it is every other second.
        """
        now = self._clock()
        is_open = self._opened_at is not None and now - self._opened_at < timedelta(seconds=RECENT_SECONDS)
        for uri, used_at in list(self._used.items()):
            kept = self._kept.get(uri)
            if kept is None or kept.failed or now - used_at > timedelta(seconds=RECENT_SECONDS):
                continue
            if uri not in self._renewals and now - kept.fetched_at >= (WHILE_OPEN if is_open else _interval(kept)):
                # Each by itself: an issuer that hangs holds up nobody else's list.
                self._renewals[uri] = asyncio.create_task(self._renewed_list(uri))
        begun = list(self._renewals.values())
        if begun:
            await asyncio.wait(begun, timeout=RENEWAL_WAIT_SECONDS)

    def renew_lists_in_use(self) -> None:
        """Begin to fetch again every list in use that is older than a second: somebody opened a request.

        It says nothing of the person: which list an answer will need, if any, is not known yet.
        """
        now = self._opened_at = self._clock()
        for uri in self._used:
            kept = self._kept.get(uri)
            if kept is None or kept.failed or uri in self._renewals or now - kept.fetched_at < NEW_ENOUGH:
                continue
            self._renewals[uri] = asyncio.create_task(self._renewed_list(uri))

    async def close(self) -> None:
        """Stop what is still being fetched."""
        renewals = list(self._renewals.values())
        for task in renewals:
            task.cancel()
        await asyncio.gather(*renewals, return_exceptions=True)

    async def refresh_status_list(self, uri: str, *, before: datetime) -> bool:
        """Fetch a status list again when it would be stale at `before`; False when that did not succeed.

        A failure leaves the list that is there: it can be used until it is stale.
        """
        if uri not in self._used:
            self._mark_used(uri, _LONG_AGO)  # Known from an earlier run: it is in use, but nobody needed it just now.
        kept = self._kept.get(uri)
        if kept is not None and not kept.failed and kept.until > before:
            return True
        return await self._refetch(uri)

    async def _renewed_list(self, uri: str) -> None:
        try:
            await self._refetch(uri)
        finally:
            del self._renewals[uri]

    def _mark_used(self, uri: str, at: datetime) -> None:
        self._used.pop(uri, None)
        while len(self._used) >= MAX_RECENT:
            del self._used[min(self._used, key=self._used.__getitem__)]
        self._used[uri] = at

    async def _refetch(self, uri: str) -> bool:
        try:
            kept = await self._fetch_list(uri)
        except CouldNotCheck:
            return False
        self._keep(uri, kept)
        return True

    async def _document(self, url: str) -> bytes:
        now = self._clock()
        kept = self._kept.get(url)
        if kept is None or kept.body is None or kept.until <= now:
            kept = await self._fetched(url, self._fetch_document, now)
        assert kept.body is not None
        return kept.body

    async def _renewed(self, url: str) -> bytes:
        kept = await self._fetch_document(url)
        self._keep(url, kept)
        return kept.body or b""

    async def _fetched(self, url: str, fetch: Callable[[str], Awaitable[_Kept]], at: datetime) -> _Kept:
        """Fetch once for all who ask at the same time."""
        lock = self._under_way.setdefault(url, asyncio.Lock())
        try:
            async with lock:
                kept = self._kept.get(url)
                if kept is not None and at < kept.until:
                    if kept.failed:
                        raise Unresolvable("the address could not be read a moment ago")
                    return kept
                try:
                    kept = await fetch(url)
                except CouldNotCheck:
                    now = self._clock()
                    self._keep(url, _Kept(None, now, now + timedelta(seconds=FAILURE_SECONDS)))
                    raise
                self._keep(url, kept)
                return kept
        finally:
            if not lock.locked():
                self._under_way.pop(url, None)

    async def _fetch_document(self, url: str) -> _Kept:
        fetched_at = self._clock()
        answer = await self._answer(url, "application/json", DOCUMENT_BYTES)
        return _Kept(answer.body, fetched_at, fetched_at + timedelta(seconds=DOCUMENT_SECONDS))

    async def _fetch_list(self, uri: str) -> _Kept:
        """The list at an address; only its time is new when the publisher says that it has not changed."""
        fetched_at, before = self._clock(), self._kept.get(uri)
        tag = before.tag if before is not None and before.text is not None else ""
        answer = await self._answer(
            uri, "application/statuslist+jwt", STATUS_LIST_BYTES, tag=tag, redirects=STATUS_REDIRECTS
        )
        if answer.status == HTTPStatus.NOT_MODIFIED and before is not None and before.text is not None:
            return _Kept(None, fetched_at, self._list_until(before.text, fetched_at), before.text, before.tag)
        try:
            text = answer.body.decode("ascii").strip()
        except UnicodeDecodeError as exc:
            raise Unresolvable("the status list is not text") from exc
        tag = answer.headers.get("etag", "")
        return _Kept(None, fetched_at, self._list_until(text, fetched_at), text, tag if _TAG.fullmatch(tag) else "")

    def _list_until(self, text: str, fetched_at: datetime) -> datetime:
        try:
            return fresh_until(
                text,
                fetched_at=fetched_at,
                at_least_seconds=min(60, self._max_status_age_seconds),
                at_most_seconds=self._max_status_age_seconds,
            )
        except ProtocolError:
            # What cannot be read is handed on all the same: the check says what is wrong with it.
            return fetched_at + timedelta(seconds=FAILURE_SECONDS)

    async def _answer(self, url: str, accept: str, max_bytes: int, *, tag: str = "", redirects: int = 0) -> Answer:
        """What an address answers: 200, or 304 when `tag` was sent."""
        headers = {"Accept": accept} | ({"If-None-Match": tag} if tag else {})
        try:
            answer = await self._http.get(
                url, headers=headers, max_bytes=max_bytes, timeout_seconds=10, redirects=redirects
            )
        except CouldNotCheck as exc:
            raise Unresolvable("the address could not be read") from exc
        if answer.status != HTTPStatus.OK and not (tag and answer.status == HTTPStatus.NOT_MODIFIED):
            raise Unresolvable(f"the address answered with status {answer.status}")
        return answer

    def _keep(self, url: str, kept: _Kept) -> None:
        before = self._kept.pop(url, None)
        self._kept[url] = kept
        self._kept_bytes += kept.size_bytes - (before.size_bytes if before else 0)
        while len(self._kept) > MAX_KEPT or (self._kept_bytes > MAX_KEPT_BYTES and len(self._kept) > 1):
            self._kept_bytes -= self._kept.popitem(last=False)[1].size_bytes


class LookUpsOfOneAnswer(HurriedResolver):
    """The look-ups of one answer, with their deadline; `status_read_at` tells when each list was read."""

    def __init__(
        self, resolver: Resolver, *, read_at: Callable[[str], datetime | None], seconds: float = LOOK_UP_SECONDS
    ) -> None:
        super().__init__(resolver, seconds=seconds)
        self.status_read_at: dict[str, datetime] = {}
        self._read_at = read_at

    async def status_list(self, uri: str, *, fresh_at: datetime) -> str:
        """As the resolver's, in time, and noted."""
        token = await super().status_list(uri, fresh_at=fresh_at)
        if (read_at := self._read_at(uri)) is not None:
            self.status_read_at[uri] = read_at
        return token


def _interval(kept: _Kept) -> timedelta:
    """How often a list in use is fetched: sixty times in its life, from five seconds to a quarter of an hour."""
    return min(max((kept.until - kept.fetched_at) / 60, timedelta(seconds=5)), timedelta(minutes=15))


async def fetch_trust_list(http: OutgoingHTTP, url: str) -> str:
    """The signed trust list at an address, unchecked. Raises `Unresolvable`."""
    try:
        answer = await http.get(url, headers={"Accept": "application/jwt"}, max_bytes=5_000_000, timeout_seconds=15)
        if answer.status != 200:
            raise Unresolvable(f"the trust list was answered with status {answer.status}")
        return answer.body.decode("ascii").strip()
    except Unresolvable:
        raise
    except CouldNotCheck as exc:
        raise Unresolvable(f"the trust list could not be read: {exc}") from exc
    except UnicodeDecodeError as exc:
        raise Unresolvable("the trust list is not text") from exc
