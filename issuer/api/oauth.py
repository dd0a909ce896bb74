"""The endpoints of the authorization server that wallets call: pushed requests, tokens, challenges.

Where people are asked, `/authorize`, is a page (`issuer/pages/authorize.py`).
"""

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from issuer.api.answers import json_answer, media_type, read_body
from issuer.api.door import Door
from issuer.authorization.clients import ClientIdentity, Spend
from issuer.authorization.codes import exchange_authorization_code
from issuer.authorization.pre_authorized import exchange_code
from issuer.authorization.pushed import OPENING_SECONDS, check_pushed_request, read_pushed_members
from issuer.authorization.token_request import (
    AuthorizationCodeRequest,
    CodeRequest,
    TokenRequested,
    check_resources,
    read_token_request,
)
from issuer.authorization.tokens import binding_of, exchange_refresh_token
from issuer.context import IssuerContext
from issuer.issuance import period_from
from schemas.errors import Malformed, ProtocolError
from schemas.issuance import InvalidClient, InvalidGrant, TokenResponse
from schemas.types import CREDENTIAL_TYPES
from service.rate_limits import FailureLimit, client_address

_MAX_BODY_BYTES = 64_000
_MAX_FIELDS = 50


class TokenEndpoint:
    """`POST /token` (OpenID4VCI 1.0, section 6)."""

    def __init__(self, context: IssuerContext) -> None:
        self._context = context
        self._door = Door(context)
        self._failures = FailureLimit(count=context.settings.failed_tokens_per_minute)

    async def __call__(self, request: Request) -> Response:
        """Exchange a code or a refresh token. Guesses are limited per address; whoever has a code is served all the
        same.

        Codes have 256 bits and transaction codes a count of their own, so that this gives nothing away, and behind a
        proxy that we were not told of nobody can lock out everybody else.
        """
        try:
            return await self._answer(request)
        except ProtocolError as error:
            return self._door.refused(error)

    async def _answer(self, request: Request) -> Response:
        context, now, address = self._context, self._context.clock(), client_address(request)
        form = await read_form(request)
        asked, members = read_token_request(form)
        check_resources(form, issuer=context.issuer)
        dpop = self._door.dpop(request, "/token", access_token=None, demanded=context.settings.haip, demand_nonce=True)
        client = self._door.client(request, members, "/token", dpop=dpop)
        if isinstance(asked, CodeRequest) and client.client_id is None and not context.settings.anonymous_access:
            raise InvalidClient("this issuer wants a client_id")
        if self._failures.is_over(address, now=now) and not await context.store.database.run(self._knows, asked):
            self._failures.check(address, now=now)
        spends = (*client.spends, *self._door.spends_of(dpop))
        key = dpop.thumbprint if dpop else None
        try:
            answer = await context.store.database.run(self._exchange, asked, client, key, spends)
        except InvalidGrant:
            self._failures.failed(address, now=now)
            raise
        response = json_answer(answer.as_json())
        if dpop is not None:
            self._door.add_nonce(response)
        return response

    def _knows(self, asked: TokenRequested) -> bool:
        """Whether what was brought exists at all, so that it is no guess."""
        store = self._context.store
        if isinstance(asked, CodeRequest):
            return store.grants.knows_code(asked.code)
        if isinstance(asked, AuthorizationCodeRequest):
            return store.authorizations.knows_code(asked.code)
        return store.grants.knows_refresh_token(asked.refresh_token)

    def _exchange(
        self, asked: TokenRequested, client: ClientIdentity, dpop_key: str | None, spends: tuple[Spend, ...]
    ) -> TokenResponse:
        context, now, settings = self._context, self._context.clock(), self._context.settings
        context.store.authorizations.spend(spends, now=now)
        lifetime, with_refresh = settings.access_token_seconds, settings.refresh_token_days > 0
        if isinstance(asked, CodeRequest):
            return exchange_code(
                asked,
                binding_of(client, dpop_key),
                codes=context.store.grants,
                issuer=context.issuer,
                lifetime_seconds=lifetime,
                with_refresh=with_refresh,
                now=now,
            )
        if isinstance(asked, AuthorizationCodeRequest):
            return exchange_authorization_code(
                asked,
                client,
                dpop_key=dpop_key,
                book=context.store.authorizations,
                issuer=context.issuer,
                lifetime_seconds=lifetime,
                with_refresh=with_refresh,
                now=now,
            )
        return exchange_refresh_token(
            asked,
            client,
            dpop_key=dpop_key,
            book=context.store.grants,
            periods={name: period_from(now, issuing=context.issuing, type_name=name) for name in CREDENTIAL_TYPES},
            now=now,
        )


class PushedRequestEndpoint:
    """`POST /par` (RFC 9126)."""

    def __init__(self, context: IssuerContext) -> None:
        self._context = context
        self._door = Door(context)

    async def __call__(self, request: Request) -> Response:
        """Keep what a wallet wants to fetch; the person is asked when it is opened at `/authorize`."""
        try:
            return await self._answer(request)
        except ProtocolError as error:
            return self._door.refused(error)

    async def _answer(self, request: Request) -> Response:
        context, now = self._context, self._context.clock()
        form = await read_form(request)
        members = read_pushed_members(form)
        check_resources(form, issuer=context.issuer)
        # A proof is checked when it is there, and never demanded here; a nonce of ours is not expected of it yet.
        dpop = self._door.dpop(request, "/par", access_token=None, demanded=False, demand_nonce=False)
        client = self._door.client(request, members, "/par", dpop=dpop)
        context.limits.count_client(
            client, registered=client.client_id in context.clients.clients, address=client_address(request)
        )
        pushed = check_pushed_request(
            members,
            client,
            dpop=dpop,
            policy=context.clients,
            issuer=context.issuer,
            allow_loopback=context.settings.allow_loopback,
        )
        spends = (*client.spends, *self._door.spends_of(dpop))

        def keep() -> str:
            context.store.authorizations.spend(spends, now=now)
            return context.store.authorizations.push(pushed, now=now)

        request_uri = await context.store.database.run(keep)
        response = json_answer({"request_uri": request_uri, "expires_in": OPENING_SECONDS}, status=201)
        if dpop is not None:
            self._door.add_nonce(response)
        return response


class ChallengeEndpoint:
    """`POST /challenge`: a fresh challenge for the proof of possession of a client attestation."""

    def __init__(self, context: IssuerContext) -> None:
        self._context = context

    async def __call__(self, request: Request) -> Response:
        """Answer with a challenge; nothing is stored. It may be used again while it is fresh (`jti` stops replay)."""
        self._context.limits.count_address(client_address(request), path="/challenge")
        challenge = self._context.client_nonces.new(now=self._context.clock())
        return json_answer({"attestation_challenge": challenge})


async def read_form(request: Request) -> list[tuple[str, str]]:
    """The fields of a form, in order and with repetitions. Raises `Malformed`."""
    if media_type(request) != "application/x-www-form-urlencoded":
        raise Malformed("the request must be application/x-www-form-urlencoded")
    body = await read_body(request, max_bytes=_MAX_BODY_BYTES)
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as exc:  # Not UTF-8, or too many fields.
        raise Malformed("the request body is not a form") from exc
