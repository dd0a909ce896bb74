"""What wallets ask after a share (docs/withdrawal.md): take it back, delete of it, how it stands; a counter-signature.

    POST /withdrawals   application/jwt, typ intyga-withdrawal+jwt          200 application/jwt, 200 or 202 JSON
    POST /receipts      application/jwt, typ intyga-receipt-submission+jwt  200 application/jwt

Only a key that bound a presentation of the share is heard. Others learn nothing, not even whether there was one.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from schemas.errors import ProtocolError, TemporarilyUnavailable, TooManyRequests
from schemas.withdrawal import MEDIA_TYPE
from service.rate_limits import FailureLimit, RateLimit, client_address
from verifier.api.wallets import verifier_of
from verifier.requests import RECEIPTS_PATH, WITHDRAWALS_PATH

_NO_STORE = {"Cache-Control": "no-store"}

router = APIRouter()


class UnsupportedMediaType(ProtocolError):
    """The body is not application/jwt."""

    status = 415


async def post_withdrawal(request: Request) -> Response:
    """A withdrawal: the statement, or where it stands."""
    async with message_of(request) as body:
        answer = await verifier_of(request).deletions.take_act(body)
    if answer.token:
        return Response(answer.token, media_type=MEDIA_TYPE, headers=_NO_STORE)
    content = orjson.dumps(dict(answer.members))
    return Response(content, status_code=answer.status, media_type="application/json", headers=_NO_STORE)


async def post_receipt(request: Request) -> Response:
    """A receipt: its counter-signature."""
    async with message_of(request) as body:
        token = await verifier_of(request).deletions.countersign(body)
    return Response(token, media_type=MEDIA_TYPE, headers=_NO_STORE)


@asynccontextmanager
async def message_of(request: Request) -> AsyncIterator[bytes]:
    """The body of a message of a wallet, and its refusal counted against the address that it came from.

    Many people may be behind one address, all those of a wallet service: what is accepted is bounded widely, and what
    is refused narrowly. Raises `UnsupportedMediaType` and `TooManyRequests`.
    """
    address, now = client_address(request), verifier_of(request).clock()
    failures: FailureLimit = request.app.state.failed_messages
    messages: RateLimit = request.app.state.wallet_messages
    failures.check(address, now=now)
    messages.check(f"{request.url.path} {address}", now=now)
    try:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
            raise UnsupportedMediaType
        yield await request.body()
    except (TemporarilyUnavailable, TooManyRequests):  # No guess; and one busy key is not all who share its address.
        raise
    except ProtocolError:
        failures.failed(address, now=now)
        raise


router.add_route(WITHDRAWALS_PATH, post_withdrawal, methods=["POST"])
router.add_route(RECEIPTS_PATH, post_receipt, methods=["POST"])
