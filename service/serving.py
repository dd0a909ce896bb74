"""Serving an application with uvicorn on uvloop and httptools, on both loopback addresses where there are two.

The web framework and the server are imported when something is served: every other command would only wait for them.
"""

import errno
import json
import logging
import socket
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from service.settings import ServiceSettings, record_public_url, refuse_unsafe

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

S = TypeVar("S", bound=ServiceSettings)

GRACEFUL_SECONDS = 10
_BACKLOG = 1024


class CannotListen(Exception):
    """The address or port is taken, or may not be used."""


def serve(
    app_factory: Callable[[S], "FastAPI"],
    *,
    settings: S,
    announce: Callable[[S], Iterable[str]] | None = None,
    as_json: bool = False,
) -> None:
    """Serve until SIGINT or SIGTERM, then end streams and finish what else is under way (10 s at most).

    Refuses unsafe settings with `UnsafeSettings`, binds (`CannotListen` when it cannot), records the public URL in the
    data directory, makes the application with the settings that hold the real port, and prints the address, the
    settings that lift a guard, and what `announce` adds (such as the code for the first account). `as_json` prints all
    of these as one line of JSON: `{"service", "address", "announcements"}`.
    """
    import uvicorn

    class Server(uvicorn.Server):
        """Says that it is about to stop before it waits for answers that are under way."""

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            app.state.stopping.begin()
            await super().shutdown(sockets)

    refuse_unsafe(settings)
    sockets = listen(settings)
    settings = settings.on_port(sockets[0].getsockname()[1])
    try:
        app = app_factory(settings)
        record_public_url(settings.data, settings.base_url)
        told = [*settings.announcements(), *(announce(settings) if announce else ())]
        _tell(app.title, settings, told, as_json=as_json)
        configure_logging()  # Only a process that serves: it holds on to this very stderr.
        Server(_config(app, settings)).run(sockets=sockets)
    finally:
        for one in sockets:
            one.close()


def _tell(title: str, settings: ServiceSettings, told: list[str], *, as_json: bool) -> None:
    address = f"{settings.base_url}/"
    if as_json:
        line = {"service": settings.service, "address": address, "announcements": told}
        print(json.dumps(line, ensure_ascii=False), flush=True)  # noqa: T201 - One document, for a program to read.
        return
    for sentence in told:
        print(sentence, file=sys.stderr, flush=True)  # noqa: T201 - The terminal is where the operator reads.
    print(f"{title}: {address}", flush=True)  # noqa: T201


def listen(settings: ServiceSettings) -> list[socket.socket]:
    """The listening sockets: 127.0.0.1 and, where this machine has it, ::1 with the same port; or `settings.host`."""
    if settings.host:
        return [_bound(settings.host, settings.port)]
    first = _bound("127.0.0.1", settings.port)
    try:
        return [first, _bound("::1", first.getsockname()[1])]
    except CannotListen:
        if settings.port and _has_ipv6_loopback():
            first.close()
            raise
        return [first]


def configure_logging() -> None:
    """Structured lines on stderr. Events are named by us and hold no queries, bodies or values."""
    import structlog

    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # It tells every address, which may hold a secret.


def _config(app: "FastAPI", settings: ServiceSettings) -> "uvicorn.Config":
    import uvicorn

    from service.bounded_heads import BoundedHeads

    return uvicorn.Config(
        app,
        loop="auto" if sys.platform == "win32" else "uvloop",
        http=BoundedHeads,
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=settings.proxies or None,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        timeout_keep_alive=15,
    )


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as exc:
        listening.close()
        reason = "is taken" if exc.errno == errno.EADDRINUSE else "cannot be used"
        raise CannotListen(f"Port {port} of {host} {reason}: choose another with --port.") from exc
    return listening


def _has_ipv6_loopback() -> bool:
    try:
        _bound("::1", 0).close()
    except CannotListen:
        return False
    return True
