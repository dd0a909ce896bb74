"""The issuer's protocol endpoints, as plain Starlette routes: they are what a wallet waits for."""

from fastapi import APIRouter
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.routing import Route

from issuer.api.answers import Handler, protocol_endpoint
from issuer.api.credential import (
    CredentialEndpoint,
    DeferredCredentialEndpoint,
    NonceEndpoint,
    NotificationEndpoint,
)
from issuer.api.oauth import ChallengeEndpoint, PushedRequestEndpoint, TokenEndpoint
from issuer.api.offers import OfferEndpoint, TypedCodeEndpoint
from issuer.api.status import StatusListEndpoint
from issuer.api.wellknown import type_documents, well_known_documents
from issuer.context import IssuerContext

_HOT_PATHS = frozenset({"/par", "/challenge", "/token", "/nonce", "/credential", "/notification"})


class _TypeableConvertor(StringConvertor):
    """What could be a typed code. `credential` could be one too, but is an endpoint."""

    regex = "(?!credential$)[0-9A-Za-z-]{10,12}"


def protocol_routes(context: IssuerContext) -> list[Route]:
    """Every protocol endpoint under the path of the public URL; the well-known documents are outside it."""
    return [
        _route("/par", PushedRequestEndpoint(context), "POST"),
        _route("/challenge", ChallengeEndpoint(context), "POST"),
        _route("/token", TokenEndpoint(context), "POST"),
        _route("/nonce", NonceEndpoint(context), "POST"),
        _route("/credential", CredentialEndpoint(context), "POST"),
        _route("/deferred_credential", DeferredCredentialEndpoint(context), "POST"),
        _route("/notification", NotificationEndpoint(context), "POST"),
        _route("/offers/{reference}", OfferEndpoint(context), "GET"),
        _route("/status/{list_id}", StatusListEndpoint(context), "GET"),
        *(_route(path, document, "GET") for path, document in type_documents().items()),
        *(_route(path, document, "GET") for path, document in well_known_documents(context).items()),
    ]


def direct_routes(routes: list[Route]) -> dict[tuple[str, str], Handler]:
    """Those of the routes that every collection asks, for `DirectRoutes`."""
    return {("POST", route.path): route.endpoint for route in routes if route.path in _HOT_PATHS}


def typed_code_route(context: IssuerContext) -> Route:
    """`/{code}` for ten Crockford characters, grouped or not; it comes after every other route."""
    register_url_convertor("typeable", _TypeableConvertor())
    return _route("/{code:typeable}", TypedCodeEndpoint(context), "GET")


def _route(path: str, handler: Handler, method: str) -> Route:
    # Every method comes here, so that a wallet in a browser can read the refusal of a wrong one.
    route = Route(path, protocol_endpoint(handler, method=method))
    route.methods = set()
    return route


def protocol_router(routes: list[Route]) -> APIRouter:
    """The routes as a router for `service.app.build_app`."""
    return APIRouter(routes=list(routes))
