"""What wallets ask: the request object, the response address, and what a typed code stands for.

These handlers are plain Starlette: they read the body themselves, so that nothing is parsed before the size and the
handle are known.

Source: OpenID4VP 1.0, sections 5.10, 8.2 and 8.3.1.
"""

import re

import orjson
from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from proofs.did import did_document
from proofs.request_object import did_key_id
from schemas.errors import NotFound
from schemas.presentation import REQUEST_OBJECT_MEDIA_TYPE, InvalidRequest
from service.app import wants_page
from service.rate_limits import RateLimit, client_address
from verifier.exchange import Verifier
from verifier.fetched import sealed_for_wallet
from verifier.requests import normal_code
from verifier.responses import read_form

MAX_WALLET_NONCE = 1_000
_WALLET_NONCE = re.compile(rf"[\x20-\x7e]{{1,{MAX_WALLET_NONCE}}}")
_NO_STORE = {"Cache-Control": "no-store"}

router = APIRouter()
"""Addresses with a fixed path."""

code_router = APIRouter()
"""The typed codes, which stand directly under the host: included last, after the pages."""


def verifier_of(request: Request) -> Verifier:
    """The verifier of this application."""
    found = request.app.state.verifier
    assert isinstance(found, Verifier)
    return found


async def get_request_object(request: Request) -> Response:
    """GET of the request URI (RFC 9101). HEAD is refused: whoever only looks at a link must not use up a fetch."""
    if request.method == "HEAD":
        raise HTTPException(405, headers={"Allow": "GET, POST"})
    return await _request_object(request, wallet_nonce=None, wallet_metadata=None)


async def post_request_object(request: Request) -> Response:
    """POST of the request URI (5.10): `wallet_nonce` is echoed, and the request encrypted where `wallet_metadata` ask
    for that; everything else is ignored."""
    body = await request.body()
    form = read_form(body, content_type=request.headers.get("content-type", "")) if body else {}
    wallet_nonce = form.get("wallet_nonce")
    if wallet_nonce is not None and not _WALLET_NONCE.fullmatch(wallet_nonce):
        raise InvalidRequest(f"wallet_nonce is not 1 to {MAX_WALLET_NONCE} printable ASCII characters")
    return await _request_object(request, wallet_nonce=wallet_nonce, wallet_metadata=form.get("wallet_metadata"))


async def _request_object(request: Request, *, wallet_nonce: str | None, wallet_metadata: str | None) -> Response:
    verifier = verifier_of(request)
    token = await verifier.serve_request(request.path_params["handle"], wallet_nonce=wallet_nonce)
    sealed = sealed_for_wallet(token, wallet_metadata=wallet_metadata)
    return Response(sealed, media_type=REQUEST_OBJECT_MEDIA_TYPE, headers=_NO_STORE)


async def post_response(request: Request) -> Response:
    """The response URI: an answer or an error of a wallet."""
    verifier = verifier_of(request)
    reply = await verifier.take_answer(
        request.path_params["handle"],
        body=await request.body(),
        content_type=request.headers.get("content-type", ""),
    )
    return Response(
        orjson.dumps(reply.members), status_code=reply.status, media_type="application/json", headers=_NO_STORE
    )


async def get_typed_code(request: Request) -> Response:
    """What a typed code stands for: the link for a wallet, our page with the link for a browser."""
    typed = request.path_params["code"]
    if not normal_code(typed):
        raise NotFound
    verifier = verifier_of(request)
    limit: RateLimit = request.app.state.code_limit
    limit.check(client_address(request), now=verifier.clock())
    made = await verifier.find_by_code(typed)
    if wants_page(request):
        query = made.link.partition("?")[2]
        return RedirectResponse(verifier.settings.path(f"/present?{query}"), status_code=303, headers=_NO_STORE)
    return Response(orjson.dumps({"request": made.link}), media_type="application/json", headers=_NO_STORE)


async def get_did_document(request: Request) -> Response:
    """The document of the DID as which this verifier asks, at the one address where its `did:web` lies."""
    verifier = verifier_of(request)
    identity = verifier.identity
    path = "/did.json" if verifier.settings.path_prefix else "/.well-known/did.json"
    if identity.signer is None or not identity.did.startswith("did:web:") or request.scope["path"] != path:
        raise NotFound
    kid = did_key_id(identity.did, identity.signer)
    document = did_document(identity.did, kid=kid, public_jwk=identity.signer.public_jwk)
    return Response(orjson.dumps(document), media_type="application/did+json")


router.add_route("/.well-known/did.json", get_did_document, methods=["GET"])
router.add_route("/did.json", get_did_document, methods=["GET"])
router.add_route("/request/{handle}", get_request_object, methods=["GET"])
router.add_route("/request/{handle}", post_request_object, methods=["POST"])
router.add_route("/response/{handle}", post_response, methods=["POST"])
code_router.add_route("/{code}", get_typed_code, methods=["GET"])
