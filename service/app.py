"""The web application of a service: error answers, security headers, limits, health, path prefix.

    app = build_app(settings=settings, title="Issuer", routers=[...], pages=pages, ready=database.check)

Everything that raises `ProtocolError` is answered with the standard's `{"error", "error_description"}` and its status,
under `problems_under` with a problem document (RFC 9457), or with a page in the reader's language when the reader is a
browser (its Accept names text/html).
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from schemas.errors import ProtocolError
from service.doorway import Doorway, was_too_large
from service.error_texts import texts_for
from service.page_access import the_pages
from service.pages import Pages, SignInRequired
from service.settings import ServiceSettings
from service.stopping import Stopping

PROBLEM_TYPE = "application/problem+json"
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 422: "invalid_request"}
_DESCRIPTIONS = {
    400: "The request is not of the form that is expected here.",
    404: "There is nothing at this address.",
    405: "This address is not used with that method.",
    413: "The request body is larger than is accepted here.",
    500: "Something went wrong here.",
}


def build_app(
    *,
    settings: ServiceSettings,
    title: str,
    routers: Sequence[APIRouter],
    pages: Pages | None = None,
    ready: Callable[[], Awaitable[None] | None],
    lifespan: Any = None,
    body_limits: Mapping[str, int] | None = None,
    problems_under: str = "",
) -> FastAPI:
    """The application of a service.

    `ready` raises `ProtocolError` when the service cannot work now (for `/ready`). `body_limits` gives path prefixes
    (our own paths, such as `/import`) another bound on the request body, in bytes, than `settings.body_limit_bytes`.
    `problems_under` is the path prefix of an interface that no standard gives an error form to, such as `/api/`.
    Put what handlers need into `app.state`; `app.state.pages`, `app.state.settings` and `app.state.stopping` are there.
    """
    app = FastAPI(
        title=title,
        lifespan=lifespan,
        openapi_url="/openapi.json" if settings.api_docs else None,
        docs_url="/api-docs" if settings.api_docs else None,
        redoc_url=None,
        redirect_slashes=False,  # Such a redirect would be made from the Host header, and without our path prefix.
    )
    app.state.settings = settings
    app.state.pages = pages
    app.state.stopping = Stopping()
    app.state.problems_under = problems_under
    app.add_exception_handler(ProtocolError, _on_protocol_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_middleware(
        Doorway,
        settings=settings,
        body_limits=dict(body_limits or {}),
        stopping=app.state.stopping,
        on_failure=_on_failure,
    )
    app.state.ready = ready
    for path, handler in (_OF_EVERY_SERVICE | (_OF_PAGES if pages is not None else {})).items():
        app.add_api_route(path, handler, include_in_schema=False)
    for router in routers:
        app.include_router(router)
    return app


def wants_page(request: Request) -> bool:
    """Whether the reader is a browser that shows pages: its Accept names text/html."""
    return request.app.state.pages is not None and "text/html" in request.headers.get("accept", "")


async def error_answer(request: Request, *, code: str, status: int, description: str, error_id: str = "") -> Response:
    """An error as JSON for programs, or as a page for people."""
    if not wants_page(request):
        return _error_for_programs(request, code=code, status=status, description=description, error_id=error_id)
    pages: Pages = request.app.state.pages
    texts = texts_for(code, status, pages.error_texts)
    _ = pages.translator(request)
    return await pages.render(
        request,
        "error.html",
        status=status,
        what_happened=_(texts.what_happened),
        what_was_not_lost=_(texts.what_was_not_lost),
        what_to_do=_(texts.what_to_do),
        code=code,
        error_id=error_id,
    )


def _error_for_programs(request: Request, *, code: str, status: int, description: str, error_id: str) -> Response:
    headers = {"Cache-Control": "no-store"}
    more = {"error_id": error_id} if error_id else {}
    start = request.app.state.problems_under
    if not start or not request.scope["path"].startswith(start):
        return JSONResponse({"error": code, "error_description": description} | more, status, headers)
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": description,
        "error": code,
    }
    return JSONResponse(problem | more, status, headers, PROBLEM_TYPE)


async def _on_protocol_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, ProtocolError)
    if isinstance(exc, SignInRequired) and wants_page(request):
        pages: Pages = request.app.state.pages
        return pages.sign_in_redirect(request)
    answer = await error_answer(request, code=exc.error, status=exc.status, description=exc.description)
    if (seconds := getattr(exc, "retry_after_seconds", None)) is not None:
        answer.headers["Retry-After"] = str(seconds)
    answer.headers.update(getattr(exc, "headers", {}))  # Such as WWW-Authenticate.
    return answer


async def _on_validation_error(request: Request, exc: Exception) -> Response:
    """FastAPI's own answer would repeat the values that were sent."""
    assert isinstance(exc, RequestValidationError)
    places = {".".join(str(part) for part in error["loc"][1:2]) for error in exc.errors()}
    named = ", ".join(sorted(place for place in places if place.isidentifier())[:10])
    description = f"Missing or malformed: {named}." if named else _DESCRIPTIONS[400]
    return await error_answer(request, code="invalid_request", status=400, description=description)


async def _on_http_exception(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    status = 413 if was_too_large(request.scope) else exc.status_code
    answer = await error_answer(
        request,
        code=_CODES.get(status, "invalid_request" if status < 500 else "server_error"),
        status=status,
        description=_DESCRIPTIONS.get(status, _DESCRIPTIONS[400 if status < 500 else 500]),
    )
    answer.headers.update(exc.headers or {})
    return answer


async def _on_failure(scope: dict[str, Any], status: int, code: str, error_id: str) -> Response:
    """The last resort of the doorway: a body that is too large, or an error that nobody expected."""
    request = Request(scope)
    description = _DESCRIPTIONS.get(status, _DESCRIPTIONS[500])
    try:
        return await error_answer(request, code=code, status=status, description=description, error_id=error_id)
    except ProtocolError:  # The page itself needs the database, which is away.
        return _error_for_programs(request, code=code, status=status, description=description, error_id=error_id)


# Handlers that every service has. They find what they need in `app.state`: FastAPI keeps each handler it has ever seen,
# so one that held a service would keep it, with its database and templates, for as long as the process lives.


async def _health() -> Response:
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


async def _is_ready(request: Request) -> Response:
    waiting = request.app.state.ready()
    if inspect.isawaitable(waiting):
        await waiting
    return JSONResponse({"status": "ready"}, headers={"Cache-Control": "no-store"})


async def _static_file(request: Request) -> Response:
    return await the_pages(request).static_files.serve(request)


async def _help_page(request: Request) -> Response:
    return await the_pages(request).render(request, "help.html")


async def _keep_session(request: Request) -> Response:
    """Asking for it is enough to be seen; the page's script calls it when the person wants to stay."""
    await the_pages(request).signed_in(request)
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


async def _favicon(request: Request) -> Response:
    pages = the_pages(request)
    return RedirectResponse(pages.settings.path(pages.static_files.path("icon.svg")), status_code=302)


_OF_EVERY_SERVICE: dict[str, Callable[..., Awaitable[Response]]] = {"/health": _health, "/ready": _is_ready}
_OF_PAGES: dict[str, Callable[..., Awaitable[Response]]] = {
    "/static/{rest:path}": _static_file,
    "/help": _help_page,
    "/session": _keep_session,
    "/favicon.ico": _favicon,
}
