"""How a program says where it is told of changes in its requests (docs/webhooks.md).

POST   /api/webhook {"url"}      200 {"url", "secret"}      the secret is told this once
GET    /api/webhook              200 {"url", "waiting", "undelivered"}
DELETE /api/webhook              204
"""

from fastapi import APIRouter, Response
from pydantic import Field

from verifier.api.embedding import Asked, KeyDep, VerifierDep
from verifier.api.messages import NOT_FOUND, REFUSED, WebhookMade, WebhookState
from verifier.courier import MAX_URL_CHARACTERS
from verifier.store.webhooks import NoSuchWebhook

router = APIRouter(prefix="/api", responses=REFUSED)


class WebhookAddress(Asked):
    """Where messages go."""

    url: str = Field(max_length=MAX_URL_CHARACTERS)
    """An https address of yours."""


@router.post("/webhook", response_description="The address is set")
async def set_webhook(address: WebhookAddress, key: KeyDep, verifier: VerifierDep, response: Response) -> WebhookMade:
    """Be told of changes at this address. Setting it again makes a new secret; the old one signs, too, for a day."""
    response.headers["Cache-Control"] = "no-store"
    secret = await verifier.courier.set_address(key.id, address.url)
    return WebhookMade(url=address.url, secret=secret)


@router.get("/webhook", response_description="Where messages go", responses=NOT_FOUND)
async def get_webhook(key: KeyDep, verifier: VerifierDep) -> WebhookState:
    """Where messages go, and how many are under way."""
    found = await verifier.database.run(verifier.courier.store.of, key.id)
    return WebhookState(url=found.url, waiting=found.waiting, undelivered=found.undelivered)


@router.delete("/webhook", status_code=204, response_description="Nothing is told any more", responses=NOT_FOUND)
async def remove_webhook(key: KeyDep, verifier: VerifierDep) -> None:
    """Be told nothing any more. What waits is forgotten."""
    if not await verifier.database.run(verifier.courier.store.remove, key.id):
        raise NoSuchWebhook
