"""How a program says where it is told of changes in its requests (docs/webhooks.md).

POST   /api/webhook {"url"}      200 {"url", "secret"}      the secret is told this once
GET    /api/webhook              200 {"url", "waiting", "undelivered"}
DELETE /api/webhook              204
"""

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from verifier.api.embedding import KeyDep, VerifierDep
from verifier.courier import MAX_URL_CHARACTERS
from verifier.store.webhooks import NoSuchWebhook

router = APIRouter(prefix="/api")


class WebhookAddress(BaseModel):
    """Where messages go: an https address of yours."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(max_length=MAX_URL_CHARACTERS)


class WebhookMade(BaseModel):
    """The address, and the secret that messages to it are signed with; keep it, it is not told again."""

    url: str
    secret: str


class WebhookState(BaseModel):
    """The address, how many messages wait, and how many nobody tries to deliver any more."""

    url: str
    waiting: int
    undelivered: int


@router.post("/webhook")
async def set_webhook(address: WebhookAddress, key: KeyDep, verifier: VerifierDep, response: Response) -> WebhookMade:
    """Be told of changes at this address. Setting it again makes a new secret; the old one signs, too, for a day."""
    response.headers["Cache-Control"] = "no-store"
    secret = await verifier.courier.set_address(key.id, address.url)
    return WebhookMade(url=address.url, secret=secret)


@router.get("/webhook")
async def get_webhook(key: KeyDep, verifier: VerifierDep) -> WebhookState:
    """Where messages go, and how many are under way."""
    found = await verifier.database.run(verifier.courier.store.of, key.id)
    return WebhookState(url=found.url, waiting=found.waiting, undelivered=found.undelivered)


@router.delete("/webhook", status_code=204)
async def remove_webhook(key: KeyDep, verifier: VerifierDep) -> None:
    """Be told nothing any more. What waits is forgotten."""
    if not await verifier.database.run(verifier.courier.store.remove, key.id):
        raise NoSuchWebhook
