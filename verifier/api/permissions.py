"""What wallets say of standing permissions (docs/standing-permission.md).

    POST /permissions   application/jwt, typ intyga-standing-permission+jwt     200 application/jwt

Only a key that bound a presentation of the share is heard. Others learn nothing, not even whether there was one.
"""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from schemas.withdrawal import MEDIA_TYPE
from verifier.api.wallets import verifier_of
from verifier.api.withdrawals import message_of
from verifier.requests import PERMISSIONS_PATH

router = APIRouter()


async def post_permission(request: Request) -> Response:
    """A wish about a permission: the signed statement of how it stands."""
    async with message_of(request) as body:
        token = await verifier_of(request).rechecks.take_act(body)
    return Response(token, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


router.add_route(PERMISSIONS_PATH, post_permission, methods=["POST"])
