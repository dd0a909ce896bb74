"""Applying for an internship: tells what is needed and where to fetch it, asks for it, and learns of the answer.

An application's address is the digest of a secret that only the browser which began it holds, so that a link that was
passed on leads to an answer in nobody's page (docs/verifier.md, "Same device").
"""

import os
from contextlib import suppress
from hashlib import sha256
from html import escape
from pathlib import Path
from secrets import token_urlsafe
from typing import Annotated

from fastapi import Cookie, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse

from verifier.client import AlreadyReceived, VerifierClient, WebhookReceiver

app = FastAPI()
verifier = VerifierClient(os.environ["VERIFIER_URL"], api_key=os.environ["VERIFIER_KEY"], allow_loopback=True)
webhooks = WebhookReceiver(os.environ["WEBHOOK_SECRET"], seen=Path(os.environ["SEEN_FILE"]))
OWN_URL = os.environ["APPLICATION_URL"] + "/applications/"
PAGE = "<!doctype html><html lang=sv><title>Praktik</title><main><h1>Sök praktik</h1>{}</main></html>"
answers: dict[str, str] = {}  # An application that is more than an example keeps them in its database.


async def learn(request_id: str) -> None:
    """Keep what became of a request. The verifier tells a yes or a no once the browser is back that began it; of an
    answer that never came back, which may be somebody else's, it tells nothing."""
    result = await verifier.get_result(request_id)
    if result.is_final:
        found = result.document["eligibility"]
        answers[result.reference] = found["sentence_sv"] if found else "Inget svar som räcker."


@app.get("/", response_class=HTMLResponse)
async def apply(response: Response) -> str:
    """What is needed, where to fetch it, and the link to the wallet, for the browser that asks."""
    needs, secret = await verifier.needs("internship"), token_urlsafe(32)
    number = sha256(secret.encode()).hexdigest()
    made = await verifier.make_request("internship", kind="same_device", return_url=OWN_URL + number, reference=number)
    kinds = [escape(f"{one.titles['sv']}: {', '.join(f'{by.name} {by.url}' for by in one.sources)}") for one in needs]
    response.set_cookie("applicant", secret, path=f"/applications/{number}", secure=True, httponly=True, samesite="lax")
    return PAGE.format(f"<ul><li>{'<li>'.join(kinds)}</ul><a id=wallet href='{escape(made.request_https)}'>Dela</a>")


@app.get("/applications/{number}", response_class=HTMLResponse)
async def answer(number: str, applicant: Annotated[str, Cookie()] = "", response_code: str = "") -> str:
    """What became of an application. The code that the wallet sent along counts only from the browser that began it."""
    if sha256(applicant.encode()).hexdigest() != number:
        raise HTTPException(403, "Den här ansökan började inte i den här webbläsaren.")
    if response_code and number not in answers:
        await learn(await verifier.take_back(response_code))
    return PAGE.format(f"<p id=answer>{escape(answers.get(number, 'Vi väntar på ditt svar.'))}</p>")


@app.post("/told")
async def told(request: Request) -> None:
    """A request has changed: fetch where it stands. What is refused or fails is answered with an error by itself."""
    with suppress(AlreadyReceived), webhooks.received(request.headers, await request.body()) as event:
        await learn(event.request_id)
