"""What every request passes through, as one plain ASGI wrapper: path prefix, body limit, security headers, the end of
streams when the service stops, last resort.

It is one wrapper because each costs time on every request. Nothing of a request is logged but its method, its route's
shape and, for an error nobody expected, the kind of error and where in the code it arose: messages can hold values.
"""

import asyncio
import secrets
import traceback
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schemas.errors import ProtocolError
from service.settings import ServiceSettings
from service.stopping import Stopping

log = structlog.stdlib.get_logger()

_TOO_LARGE = "intyga.too_large"
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
_PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"
CAMERA_PERMISSIONS = _PERMISSIONS.replace("camera=()", "camera=(self)")
"""The Permissions-Policy of a page that scans: its handler sets it, every other page has no camera."""

Failure = Callable[[dict[str, Any], int, str, str], Awaitable[Response]]


class BodyTooLarge(ProtocolError):
    """The request body is larger than is accepted here."""

    error = "too_large"
    status = 413


class Doorway:
    """Wraps the application of a service."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: ServiceSettings,
        body_limits: Mapping[str, int],
        stopping: Stopping,
        on_failure: Failure,
    ) -> None:
        self._app = app
        self._stopping = stopping
        self._prefix = settings.path_prefix
        self._limit = settings.body_limit_bytes
        self._limits = sorted(body_limits.items(), key=lambda item: -len(item[0]))
        self._on_failure = on_failure
        always = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
        ]
        if settings.is_https:
            always.append((b"strict-transport-security", b"max-age=31536000"))
        self._data_headers = [*always, (b"content-security-policy", _DATA_POLICY.encode())]
        self._page_headers = [
            *always,
            (b"content-security-policy", _PAGE_POLICY.encode()),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"permissions-policy", _PERMISSIONS.encode()),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._strip_prefix(scope)
        limit = self._limit_for(scope["path"])
        started = ended = False

        async def send_guarded(message: Message) -> None:
            nonlocal started, ended
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = self._with_guards(message.get("headers", []))
            else:
                ended = not message.get("more_body", False)
            await send(message)

        declared = _content_length(scope)
        if declared is not None and declared > limit:
            await self._fail(scope, receive, send_guarded, 413, BodyTooLarge.error, "")
            return
        try:
            await self._app(scope, self._bounded(scope, receive, limit), send_guarded)
            if started and not ended and self._stopping.has_begun:
                await send({"type": "http.response.body", "body": b""})  # A stream was broken off: it ends properly.
        except BodyTooLarge:
            if not started:
                await self._fail(scope, receive, send_guarded, 413, BodyTooLarge.error, "")
        except Exception as exc:  # The border of the service: nothing unexpected may reach the peer.
            error_id = secrets.token_hex(8)
            _log_unexpected(scope, exc, error_id)
            if started:
                raise
            await self._fail(scope, receive, send_guarded, 500, "server_error", error_id)

    async def _fail(self, scope: Scope, receive: Receive, send: Send, status: int, code: str, error_id: str) -> None:
        answer = await self._on_failure(dict(scope), status, code, error_id)
        await answer(scope, receive, send)

    def _strip_prefix(self, scope: MutableMapping[str, Any]) -> None:
        """Paths inside are without the public URL's path, whether or not the proxy has already taken it away."""
        path, prefix = scope["path"], self._prefix
        if prefix and path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/"):
            scope["path"] = path[len(prefix) :] or "/"
            scope["raw_path"] = scope["path"].encode()

    def _bounded(self, scope: MutableMapping[str, Any], receive: Receive, limit: int) -> Receive:
        """What the application receives: the body up to its limit, then the end of the connection or of the service.

        Only an answer that goes on and on waits for anything after the body (`service.stopping`).
        """
        received, is_whole = 0, False

        async def receive_bounded() -> Message:
            nonlocal received, is_whole
            if is_whole:
                return await self._end_of_connection(receive)
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    scope[_TOO_LARGE] = True
                    raise BodyTooLarge
                is_whole = not message.get("more_body", False)
            return message

        return receive_bounded

    async def _end_of_connection(self, receive: Receive) -> Message:
        message, stop = asyncio.ensure_future(receive()), asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((message, stop), return_when=asyncio.FIRST_COMPLETED)
            return message.result() if message.done() else {"type": "http.disconnect"}
        finally:
            message.cancel()
            stop.cancel()

    def _limit_for(self, path: str) -> int:
        for start, limit in self._limits:
            if path.startswith(start):
                return limit
        return self._limit

    def _with_guards(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        is_page = False
        has_cache_rule = False
        present = set()
        for name, value in headers:
            present.add(name.lower())
            if name == b"content-type" and value.startswith(b"text/html"):
                is_page = True
            elif name == b"cache-control":
                has_cache_rule = True
        guards = self._page_headers if is_page else self._data_headers
        added = [pair for pair in guards if pair[0] not in present]
        if is_page and not has_cache_rule:
            added.append((b"cache-control", b"no-store"))
        return [*headers, *added]


def was_too_large(scope: Mapping[str, Any]) -> bool:
    """Whether reading this request's body went over its limit (frameworks turn that into an error of their own)."""
    return bool(scope.get(_TOO_LARGE))


def _content_length(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else None
    return None


def _log_unexpected(scope: Scope, exc: Exception, error_id: str) -> None:
    route = scope.get("route")
    frames = traceback.extract_tb(exc.__traceback__)[-6:]
    log.error(
        "unexpected_error",
        error_id=error_id,
        kind=type(exc).__name__,
        method=scope["method"],
        route=getattr(route, "path", "unknown"),
        where=[
            f"{frame.filename.rsplit('/', 2)[-2]}/{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}"
            for frame in frames
        ],
    )
