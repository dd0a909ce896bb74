"""The only way out: guarded outgoing HTTP.

    http = OutgoingHTTP(allow_loopback=settings.allow_loopback, allow_hosts=settings.allow_hosts)
    answer = await http.get("https://issuer.example/.well-known/...", max_bytes=200_000, timeout_seconds=10)
    answer.status, answer.headers["content-type"], answer.body

The rules: https only; the host is resolved once, every address of it is vetted, and a vetted one is connected to, so
that no second answer of a name server can lead elsewhere; TLS still proves the name. No cookies, proxies from the
environment, or compressed answers, and no redirects unless asked, each under the same rules. Body size and total time
are bounded. `allow_loopback` lifts the rules of scheme and address for localhost, 127.0.0.1 and ::1 alone,
`allow_hosts` the rule of address (and of scheme) for the hosts it names.
"""

import asyncio
import ipaddress
import json as json_module
import socket
import ssl
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpcore2
import httpx2

from schemas.errors import CouldNotCheck

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_MAXIMUM_URL_CHARACTERS = 8_000
_LAST_PORT = 65_535
_CHUNK_BYTES = 65_536
_ADDRESS_SECONDS = 3.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_USER_AGENT = "Mozilla/5.0"
"""Names nobody: ours in every request would tell each verifier which wallet asks (OpenID4VP 1.0, 15.8 and 15.9). None
at all is turned away by what stands before some servers."""

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class OutgoingRefused(CouldNotCheck):
    """The address may not be asked: not https, or not a public host."""

    error = "address_refused"


class OutgoingFailed(CouldNotCheck):
    """The other side could not be reached, took too long, or answered too much."""

    error = "unreachable"


class NothingSent(OutgoingFailed):
    """No connection came about, so that nothing of the request has left."""


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
    """Guarded client. `transport` replaces the network in tests (see `HostRouter`); the rules for addresses stay."""

    def __init__(
        self,
        *,
        allow_loopback: bool = False,
        allow_hosts: Collection[str] = (),
        ca_file: Path | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._allow_loopback = allow_loopback
        self._allow_hosts = frozenset(host.lower() for host in allow_hosts)
        self._client = httpx2.AsyncClient(
            transport=transport or _VettedTransport(self._is_exempt, ca_file),
            follow_redirects=False,
            trust_env=False,
            headers={"Accept-Encoding": "identity", "User-Agent": _USER_AGENT},
        )

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = 1_000_000,
        timeout_seconds: float = 10.0,
        redirects: int = 0,
    ) -> Answer:
        """GET an address. No cookies. Raises `OutgoingRefused`, `OutgoingFailed`.

        At most `redirects` redirects are followed, within the same time; one more is an answer. What they lead to is
        the other side's choice: to be asked for only where what comes back proves itself.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                for _ in range(redirects):
                    answer = await self._get(url, headers, max_bytes, timeout_seconds)
                    target = self._redirected(url, answer)
                    if target is None:
                        return answer
                    url = target
                return await self._get(url, headers, max_bytes, timeout_seconds)
        except TimeoutError as exc:
            raise OutgoingFailed("The other side took too long.") from exc

    async def _get(self, url: str, headers: Mapping[str, str] | None, max_bytes: int, timeout_seconds: float) -> Answer:
        return await self._ask("GET", url, headers=headers, max_bytes=max_bytes, timeout_seconds=timeout_seconds)

    @staticmethod
    def _redirected(url: str, answer: Answer) -> str | None:
        """Where an answer leads, unchecked; None when it leads nowhere. Raises `OutgoingRefused`."""
        location = answer.headers.get("location", "")
        if answer.status not in _REDIRECTS or not location:
            return None
        try:
            return str(httpx2.URL(url).join(location).copy_with(fragment=None))
        except (httpx2.InvalidURL, ValueError) as exc:
            raise OutgoingRefused("The redirect leads to a malformed address.") from exc

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
        if sum(part is not None for part in (form, json, content)) > 1:
            raise ValueError("Only one of form, json and content can be sent.")
        body: dict[str, Any] = {"content": content} if content is not None else {}
        if form is not None:
            body = {"data": dict(form)}
        elif json is not None:
            text = json_module.dumps(json, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            body = {"content": text.encode()}
            headers = {"Content-Type": "application/json", **(headers or {})}
        return await self._ask(
            "POST", url, headers=headers, max_bytes=max_bytes, timeout_seconds=timeout_seconds, **body
        )

    def check_url(self, url: str) -> httpx2.URL:
        """The parsed address. Raises `OutgoingRefused` when it would be refused before it is resolved."""
        if len(url) > _MAXIMUM_URL_CHARACTERS or any(ord(character) <= 0x20 for character in url):
            raise OutgoingRefused("The address is too long or holds blanks.")
        try:
            parsed = httpx2.URL(url)
        except (httpx2.InvalidURL, ValueError) as exc:
            raise OutgoingRefused("The address is malformed.") from exc
        if not parsed.host or parsed.userinfo or parsed.fragment:
            raise OutgoingRefused("The address has no host, or holds user information or a fragment.")
        if parsed.port is not None and parsed.port > _LAST_PORT:
            raise OutgoingRefused("The address names a port that there is not.")
        exempt = self._is_exempt(parsed.host, parsed.port)
        if parsed.scheme != "https" and not (parsed.scheme == "http" and exempt):
            raise OutgoingRefused("The address is not https.")
        if not exempt:
            _refuse_literal(parsed.host)
        return parsed

    async def close(self) -> None:
        """Close kept connections."""
        await self._client.aclose()

    def _is_exempt(self, host: str, port: int | None) -> bool:
        host = host.lower()
        if self._allow_loopback and host in _LOOPBACK_NAMES:
            return True
        named = f"[{host}]" if ":" in host else host
        return host in self._allow_hosts or (port is not None and f"{named}:{port}" in self._allow_hosts)

    async def _ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None,
        max_bytes: int,
        timeout_seconds: float,
        **body: Any,
    ) -> Answer:
        parsed = self.check_url(url)
        try:
            request = self._client.build_request(
                method, parsed, headers=dict(headers or {}), timeout=timeout_seconds, **body
            )
        except ValueError as exc:  # A header that cannot be written, such as one that repeats what a peer sent.
            raise OutgoingRefused("The request cannot be written.") from exc
        try:
            async with asyncio.timeout(timeout_seconds):
                response = await self._client.send(request, stream=True)
                try:
                    content = await _bounded_body(response, max_bytes)
                finally:
                    await response.aclose()
        except TimeoutError as exc:
            raise OutgoingFailed("The other side took too long.") from exc
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as exc:
            raise NothingSent("The other side could not be reached.") from exc
        except (httpx2.HTTPError, httpx2.StreamError, ssl.SSLError) as exc:
            raise OutgoingFailed("The other side could not be reached, or broke off.") from exc
        finally:
            self._client.cookies.clear()
        return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, content)


async def _bounded_body(response: httpx2.Response, max_bytes: int) -> bytes:
    """The body as it was sent. A compressed one is refused: we asked for none, and inflating has no bound."""
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise OutgoingFailed("The other side sent a compressed answer that was not asked for.")
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise OutgoingFailed("The other side answered too much.")
    parts, size = [], 0
    async for chunk in response.aiter_raw(_CHUNK_BYTES):
        size += len(chunk)
        if size > max_bytes:
            raise OutgoingFailed("The other side answered too much.")
        parts.append(chunk)
    return b"".join(parts)


# --- Addresses -----------------------------------------------------------------------------------------------------


def is_public(address: IPAddress) -> bool:
    """Whether an address is of the public internet, and so is an IPv4 one inside (mapped, 6to4, NAT64, Teredo)."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if not all(is_public(wrapped) for wrapped in _wrapped(address)):
            return False
        if address.is_site_local:  # Deprecated (RFC 3879), global in the registry, and still routed inside sites.
            return False
    return address.is_global and not (
        address.is_multicast
        or address.is_private
        or address.is_reserved
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
    )


def _wrapped(address: ipaddress.IPv6Address) -> Iterable[ipaddress.IPv4Address]:
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in ipaddress.IPv6Network("64:ff9b::/96") or int(address) >> 32 == 0:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _refuse_literal(host: str) -> None:
    """Refuse literals that are not public, and forms of numbers that only some resolvers read as an address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2].lower()
        if last.isdigit() or last.startswith("0x") or last == "localhost" or "." not in host.rstrip("."):
            raise OutgoingRefused("The address does not name a public host.") from None
        return
    if not is_public(address):
        raise OutgoingRefused("The address is not public.")


class _VettingBackend(httpcore2.AsyncNetworkBackend):
    """Resolves a host, vets what came out and connects to just that."""

    def __init__(self, is_exempt: Any) -> None:
        self._network = httpcore2.AnyIOBackend()
        self._is_exempt = is_exempt

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - The signature is the library's.
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = await _resolve(host, port)
        if not self._is_exempt(host, port):
            if not all(is_public(address) for address in addresses):
                raise OutgoingRefused("The host has an address that is not public.")
        elif host.lower() in _LOOPBACK_NAMES:
            addresses = [address for address in addresses if address.is_loopback]
        failure: Exception = NothingSent("The host has no address.")
        if len(addresses) > 1:  # An address that never answers leaves time for the next one.
            timeout = min(timeout or _ADDRESS_SECONDS, _ADDRESS_SECONDS)
        for address in addresses:
            try:
                return await self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as exc:
                failure = exc
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - The signature is the library's.
        socket_options: Any = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise OutgoingRefused("Sockets of this machine are not asked.")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _resolve(host: str, port: int) -> list[IPAddress]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise NothingSent("The host has no address.") from exc
    return list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


class _VettedTransport(httpx2.AsyncBaseTransport):
    """httpx2 over a connection pool whose way to the network vets addresses."""

    def __init__(self, is_exempt: Any, ca_file: Path | None) -> None:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if ca_file is not None:
            context.load_verify_locations(cafile=ca_file)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=50,
            max_keepalive_connections=10,
            keepalive_expiry=15.0,
            network_backend=_VettingBackend(is_exempt),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        inner = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            response = await self._pool.handle_async_request(inner)
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as exc:
            raise NothingSent("The other side could not be reached.") from exc
        except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError) as exc:
            raise OutgoingFailed("The other side could not be reached, or broke off.") from exc
        return httpx2.Response(
            status_code=response.status, headers=response.headers, stream=_Stream(response.stream), extensions={}
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for part in self._stream:
                yield part
        except (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError) as exc:
            raise OutgoingFailed("The other side broke off.") from exc

    async def aclose(self) -> None:
        await self._stream.aclose()


class HostRouter(httpx2.AsyncBaseTransport):
    """A transport for tests: hosts (with or without port) lead to ASGI applications in this process, others nowhere.

    HostRouter({"issuer.example": issuer_app, "localhost:8001": wallet_app})
    """

    def __init__(self, apps: Mapping[str, Any]) -> None:
        self._transports = {host.lower(): httpx2.ASGITransport(app=app) for host, app in apps.items()}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host, port = request.url.host, request.url.port
        transport = self._transports.get(f"{host}:{port}") or self._transports.get(host)
        if transport is None:
            raise NothingSent("The host has no address.")
        return await transport.handle_async_request(request)
