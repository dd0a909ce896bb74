"""A short way for the endpoints that every collection asks: found by method and path, before any router looks.

The same endpoints are ordinary routes as well, which answer what is not found here (another method, a preflight).
"""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from issuer.api.answers import Handler


class DirectRoutes:
    """ASGI middleware; `routes` maps method and path (without the path of the public URL) to handlers."""

    def __init__(self, app: ASGIApp, *, routes: Mapping[tuple[str, str], Handler]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer here, or hand on."""
        handler = self._routes.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if handler is None:
            await self._app(scope, receive, send)
            return
        answer = await handler(Request(scope, receive))
        await answer(scope, receive, send)
