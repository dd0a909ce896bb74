"""Answers of the protocol endpoints: JSON, never cached unless said, readable by wallets that run in a browser.

The hot endpoints are plain Starlette routes. Errors are answered here, as the standards give them: a JSON object with
`error` and `error_description` alone, and a challenge with 401 and 403 (RFC 6750, section 3).
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from issuer.authorization.clients import CLIENT_ALGORITHMS
from proofs import strict_json
from schemas.errors import Malformed, ProtocolError, TooManyRequests
from schemas.issuance import ErrorResponse, InsufficientScope, InvalidDPoPProof, InvalidToken, UseDPoPNonce

Handler = Callable[[Request], Awaitable[Response]]

NEW_NONCE, NEW_CHALLENGE = "DPoP-Nonce", "OAuth-Client-Attestation-Challenge"
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": f"WWW-Authenticate, Retry-After, {NEW_NONCE}, {NEW_CHALLENGE}",
}
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Accept, Accept-Language, DPoP, "
        "OAuth-Client-Attestation, OAuth-Client-Attestation-PoP"
    ),
    "Access-Control-Max-Age": "86400",
}
_NEVER_CACHED = CORS | NO_STORE


class NoToken(InvalidToken):
    """The request came without an access token."""


def json_answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer that nobody may cache, unless `headers` say otherwise."""
    return Response(strict_json.dumps(value), status, headers=headers or _NEVER_CACHED, media_type="application/json")


def error_answer(error: ProtocolError) -> Response:
    """The standard's answer to what was raised."""
    headers = dict(_NEVER_CACHED)
    if isinstance(error, NoToken):
        headers["WWW-Authenticate"] = "Bearer"  # RFC 6750, section 3: no error for who did not try to authenticate.
    elif error.status in (401, 403):
        headers["WWW-Authenticate"] = f'Bearer error="{error.error}", error_description="{error.description}"'
    retry_after = getattr(error, "retry_after_seconds", None)
    if isinstance(error, TooManyRequests) or retry_after is not None:
        headers["Retry-After"] = str(retry_after or 1)
    return json_answer(ErrorResponse.of(error), status=error.status, headers=headers)


def resource_error_answer(error: ProtocolError) -> Response:
    """The answer of an endpoint that wants an access token: a proof's faults are 401 here (RFC 9449, 7.1)."""
    answer = error_answer(error)
    if isinstance(error, InvalidDPoPProof | UseDPoPNonce):
        answer.status_code = 401
        told = f'error="{error.error}", error_description="{error.description}", '
    elif isinstance(error, InvalidToken | InsufficientScope) and not isinstance(error, NoToken):
        told = f'error="{error.error}", '
    elif isinstance(error, NoToken):
        told = ""
    else:
        return answer
    algorithms = " ".join(CLIENT_ALGORITHMS)
    answer.headers.append("WWW-Authenticate", f'DPoP {told}algs="{algorithms}"')
    return answer


class MethodNotAllowed(ProtocolError):
    """This address is not used with that method."""

    error = "method_not_allowed"
    status = 405


def protocol_endpoint(handler: Handler, *, method: str) -> Handler:
    """Answer preflights and other methods, and turn raised protocol errors into the standard's JSON."""
    allowed = {"GET", "HEAD"} if method == "GET" else {method}

    async def endpoint(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=_PREFLIGHT)
        if request.method not in allowed:
            answer = error_answer(MethodNotAllowed("this address is not used with that method"))
            answer.headers["Allow"] = ", ".join(sorted(allowed | {"OPTIONS"}))
            return answer
        try:
            return await handler(request)
        except ProtocolError as error:
            return error_answer(error)

    return endpoint


async def read_body(request: Request, *, max_bytes: int) -> bytes:
    """The body, at most `max_bytes`. Raises `Malformed` as soon as it is longer."""
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > max_bytes:
            raise Malformed("the request body is too large")
    return bytes(chunks)


def media_type(request: Request) -> str:
    """The media type of the body, without parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
