"""The nonce endpoint and the credential endpoint (OpenID4VCI 1.0, sections 7 and 8)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from issuer.api.answers import NoToken, json_answer, media_type, read_body
from issuer.context import IssuerContext
from issuer.issuance import collect
from proofs import strict_json
from schemas.errors import Malformed
from schemas.issuance import InvalidCredentialRequest, InvalidEncryptionParameters, InvalidToken

_MAX_BODY_BYTES = 1_000_000
_MAX_TOKEN_CHARACTERS = 1_000


class NonceEndpoint:
    """`POST /nonce`: a fresh nonce for anybody. Nothing is stored until one is spent."""

    def __init__(self, context: IssuerContext) -> None:
        self._nonces = context.issuing.nonces
        self._clock = context.clock

    async def __call__(self, request: Request) -> Response:
        """Answer with a nonce; the request has no parameters, and a body would be ignored."""
        return json_answer({"c_nonce": self._nonces.new(now=self._clock())})


class CredentialEndpoint:
    """`POST /credential`: one copy for each key proof."""

    def __init__(self, context: IssuerContext) -> None:
        self._context = context

    async def __call__(self, request: Request) -> Response:
        """Issue copies under a bearer token."""
        token = bearer_token(request)
        body = await read_credential_request(request)
        copies = await self._context.store.database.run(self._collect, token, body)
        return json_answer({"credentials": [{"credential": copy} for copy in copies]})

    def _collect(self, token: str, body: bytes) -> list[str]:
        context, now = self._context, self._context.clock()
        grant = context.store.grants.for_token(token, now=now)
        return collect(read_request(body), grant, issuing=context.issuing, slots=context.store.grants, now=now)


def bearer_token(request: Request) -> str:
    """The access token of the Authorization header (RFC 6750, 2.1); the scheme is case-insensitive.

    Raises `InvalidToken` when there is none, more than one, or another scheme.
    """
    headers = request.headers.getlist("authorization")
    if not headers:
        raise NoToken
    if len(headers) > 1:  # A proxy and we could take different ones for the right one.
        raise InvalidToken("there is more than one Authorization header")
    scheme, _, token = headers[0].partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > _MAX_TOKEN_CHARACTERS:
        raise InvalidToken("an access token of the scheme Bearer is needed")
    return token


async def read_credential_request(request: Request) -> bytes:
    """The body of a credential request.

    Raises `InvalidEncryptionParameters` for an encrypted one: it is not offered.
    """
    if media_type(request) in ("application/jwt", "application/jose"):
        raise InvalidEncryptionParameters("this issuer does not offer encrypted credential requests")
    try:
        return await read_body(request, max_bytes=_MAX_BODY_BYTES)
    except Malformed as exc:
        raise InvalidCredentialRequest(str(exc)) from exc


def read_request(body: bytes) -> dict[str, Any]:
    """The JSON object of a credential request. Raises `InvalidCredentialRequest`."""
    try:
        return strict_json.loads_object(body, max_bytes=_MAX_BODY_BYTES)
    except Malformed as exc:
        raise InvalidCredentialRequest(str(exc)) from exc
