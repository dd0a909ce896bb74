"""The token endpoint (OpenID4VCI 1.0, section 6)."""

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from issuer.api.answers import json_answer, media_type, read_body
from issuer.api.limits import FailureLimit
from issuer.authorization import CodeRequest, exchange_code, read_token_request
from issuer.context import IssuerContext
from schemas.errors import Malformed
from schemas.issuance import InvalidGrant, TokenResponse
from service.rate_limits import client_address

_MAX_BODY_BYTES = 64_000
_MAX_FIELDS = 50


class TokenEndpoint:
    """`POST /token`."""

    def __init__(self, context: IssuerContext) -> None:
        self._context = context
        self._failures = FailureLimit(count=context.settings.failed_tokens_per_minute)

    async def __call__(self, request: Request) -> Response:
        """Redeem a pre-authorized code. Guesses are limited per address; whoever has a code is served all the same.

        Codes have 256 bits and transaction codes a count of their own, so that this gives nothing away, and behind a
        proxy that we were not told of nobody can lock out everybody else.
        """
        context, now, address = self._context, self._context.clock(), client_address(request)
        form = await read_form(request)
        asked = read_token_request(form, anonymous_access=context.settings.anonymous_access)
        if self._failures.is_over(address, now=now) and not await context.store.database.run(
            context.store.grants.knows_code, asked.code
        ):
            self._failures.check(address, now=now)
        try:
            answer = await context.store.database.run(self._exchange, asked)
        except InvalidGrant:
            self._failures.failed(address, now=now)
            raise
        return json_answer(answer.as_json())

    def _exchange(self, asked: CodeRequest) -> TokenResponse:
        context = self._context
        return exchange_code(
            asked,
            codes=context.store.grants,
            issuer=context.issuer,
            lifetime_seconds=context.settings.access_token_seconds,
            now=context.clock(),
        )


async def read_form(request: Request) -> list[tuple[str, str]]:
    """The fields of a form, in order and with repetitions. Raises `Malformed`."""
    if media_type(request) != "application/x-www-form-urlencoded":
        raise Malformed("the request must be application/x-www-form-urlencoded")
    body = await read_body(request, max_bytes=_MAX_BODY_BYTES)
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as exc:  # Not UTF-8, or too many fields.
        raise Malformed("the request body is not a form") from exc
