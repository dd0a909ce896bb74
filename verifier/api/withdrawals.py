"""What wallets ask after a share (docs/withdrawal.md): take it back, delete of it, how it stands; a counter-signature.

    POST /withdrawals   application/jwt, typ intyga-withdrawal+jwt          200 application/jwt, 200 or 202 JSON
    POST /receipts      application/jwt, typ intyga-receipt-submission+jwt  200 application/jwt

Only a key that bound a presentation of the share is heard. Others learn nothing, not even whether there was one.
"""

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from schemas.errors import ProtocolError
from schemas.withdrawal import MEDIA_TYPE
from service.rate_limits import RateLimit, client_address
from verifier.api.wallets import verifier_of
from verifier.requests import RECEIPTS_PATH, WITHDRAWALS_PATH

_NO_STORE = {"Cache-Control": "no-store"}

router = APIRouter()


class UnsupportedMediaType(ProtocolError):
    """The body is not application/jwt."""

    status = 415


async def post_withdrawal(request: Request) -> Response:
    """A withdrawal: the statement, or where it stands."""
    body = await jwt_body(request)
    answer = await verifier_of(request).deletions.take_act(body)
    if answer.token:
        return Response(answer.token, media_type=MEDIA_TYPE, headers=_NO_STORE)
    content = orjson.dumps(dict(answer.members))
    return Response(content, status_code=answer.status, media_type="application/json", headers=_NO_STORE)


async def post_receipt(request: Request) -> Response:
    """A receipt: its counter-signature."""
    body = await jwt_body(request)
    return Response(await verifier_of(request).deletions.countersign(body), media_type=MEDIA_TYPE, headers=_NO_STORE)


async def jwt_body(request: Request) -> bytes:
    """The body of a message of a wallet, within the limits for one address. Raises `UnsupportedMediaType`."""
    limit: RateLimit = request.app.state.withdrawal_limit
    limit.check(client_address(request), now=verifier_of(request).clock())
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise UnsupportedMediaType
    return await request.body()


router.add_route(WITHDRAWALS_PATH, post_withdrawal, methods=["POST"])
router.add_route(RECEIPTS_PATH, post_receipt, methods=["POST"])
