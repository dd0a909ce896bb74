"""The web application of a service: error answers, security headers, limits, health, path prefix.

app = build_app(settings=settings, title="Issuer", routers=[api.router, pages.router], pages=pages, ready=database.check)
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI

from service.pages import Pages
from service.settings import ServiceSettings


def build_app(
    *,
    settings: ServiceSettings,
    title: str,
    routers: Sequence[APIRouter],
    pages: Pages | None = None,
    ready: Callable[[], None],
    lifespan: Any = None,
    body_limits: Mapping[str, int] | None = None,
) -> FastAPI:
    """The application. `ready` raises when the service cannot work (for `/ready`); `body_limits` gives path prefixes
    (with our own path, `/import`) another bound on the request body, in bytes, than `settings.body_limit_bytes`.

    `ProtocolError` becomes `{"error", "error_description"}` with its status, or an error page when the reader is a browser
    (Accept holds text/html). Put what handlers need into `app.state`.
    """
    raise NotImplementedError
