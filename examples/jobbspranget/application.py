"""Applying for an internship: tells what is needed and where to fetch it, asks for it, and learns of the answer."""

import os
import secrets
from html import escape
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from verifier.client import AlreadyReceived, VerifierClient, WebhookReceiver

app = FastAPI()
verifier = VerifierClient(os.environ["VERIFIER_URL"], api_key=os.environ["VERIFIER_KEY"], allow_loopback=True)
webhooks = WebhookReceiver(os.environ["WEBHOOK_SECRET"], seen=Path(os.environ["SEEN_FILE"]))
answers: dict[str, str] = {}  # An application that is more than an example keeps them in its database.


@app.get("/")
async def apply() -> HTMLResponse:
    """What is needed, where to fetch it, and the link that opens the wallet."""
    needs, number = await verifier.needs("internship"), secrets.token_urlsafe(9)
    kinds = [f"{one.titles['sv']}: {', '.join(f'{by.name} ({by.url})' for by in one.sources)}" for one in needs]
    made = await verifier.make_request("internship", reference=number)
    lines = "".join(f"<li>{escape(kind)}</li>" for kind in kinds)
    wallet, mine = escape(made.request), f"/applications/{number}"
    return HTMLResponse(f"<ul>{lines}</ul><a id=wallet href='{wallet}'>Dela</a> <a id=mine href='{mine}'>Svar</a>")


@app.get("/applications/{number}")
async def answer(number: str) -> dict[str, str]:
    """What became of an application."""
    return {"answer": answers.get(number, "Vi väntar på ditt svar.")}


@app.post("/told")
async def told(request: Request) -> None:
    """A request has changed: fetch where it stands. What is refused or fails is answered with an error by itself."""
    try:
        with webhooks.received(request.headers, await request.body()) as event:
            result = await verifier.get_result(event.request_id)
            found = result.document["eligibility"]
            answers[result.reference] = found["sentence_sv"] if found else f"Inget svar ({result.state})."
    except AlreadyReceived:
        return
