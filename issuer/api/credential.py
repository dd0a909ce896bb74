"""The nonce endpoint and the credential endpoint (OpenID4VCI 1.0, sections 7 and 8)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from issuer.api.answers import json_answer, media_type, read_body
from issuer.api.door import Door, Entrance
from issuer.context import IssuerContext
from issuer.issuance import collect
from proofs import strict_json
from schemas.errors import Malformed, ProtocolError
from schemas.issuance import InvalidCredentialRequest, InvalidEncryptionParameters

_MAX_BODY_BYTES = 1_000_000


class NonceEndpoint:
    """`POST /nonce`: a fresh nonce for anybody. Nothing is stored until one is spent."""

    def __init__(self, context: IssuerContext) -> None:
        self._nonces = context.issuing.nonces
        self._clock = context.clock
        self._door = Door(context)

    async def __call__(self, request: Request) -> Response:
        """Answer with a nonce; the request has no parameters, and a body would be ignored. A nonce for DPoP comes along
        (7.2)."""
        answer = json_answer({"c_nonce": self._nonces.new(now=self._clock())})
        self._door.add_nonce(answer)
        return answer


class CredentialEndpoint:
    """`POST /credential`: one copy for each key proof."""

    def __init__(self, context: IssuerContext) -> None:
        self._context = context
        self._door = Door(context)

    async def __call__(self, request: Request) -> Response:
        """Issue copies under an access token."""
        try:
            entrance = self._door.access(request, "/credential")
            body = await read_credential_request(request)
            copies = await self._context.store.database.run(self._collect, entrance, body)
        except ProtocolError as error:
            return self._door.refused(error, at_resource=True)
        answer = json_answer({"credentials": [{"credential": copy} for copy in copies]})
        if entrance.dpop is not None:
            self._door.add_nonce(answer)
        return answer

    def _collect(self, entrance: Entrance, body: bytes) -> list[str]:
        context, now = self._context, self._context.clock()
        access = entrance.enter()
        return collect(read_request(body), access, issuing=context.issuing, slots=context.store.slots, now=now)


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
