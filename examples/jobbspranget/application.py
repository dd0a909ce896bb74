"""Applying for an internship: tells what is needed and where to fetch it, asks for it, and learns of the answer.

An application's address is the digest of a secret that only the browser which began it holds, so that a link that was
passed on leads to an answer in nobody's page (docs/verifier.md, "Same device").
"""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe

from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles

from examples.jobbspranget.page import STATIC, Answer, answer_of, language, page
from verifier.client import AlreadyReceived, VerifierClient, VerifierRefused, WebhookReceiver

app = FastAPI()
app.mount("/static", StaticFiles(directory=STATIC))
verifier = VerifierClient(os.environ["VERIFIER_URL"], api_key=os.environ["VERIFIER_KEY"], allow_loopback=True)
webhooks = WebhookReceiver(os.environ["WEBHOOK_SECRET"], seen=Path(os.environ["SEEN_FILE"]))
answers: dict[str, Answer] = {}  # An application that is more than an example keeps them in its database.


async def learn(request_id: str) -> None:
    """Keep what became of a request. The verifier tells a yes or a no once the browser is back that began it; of an
    answer that never came back, which may be somebody else's, it tells nothing. After the person took the share back,
    that alone is said: the earlier answer goes."""
    result = await verifier.get_result(request_id)
    if result.is_final:
        answers[result.reference] = answer_of(result)


@app.get("/")
async def apply(request: Request) -> Response:
    """What is needed, where to fetch it, and the link to the wallet, for the browser that asks."""
    needs, secret = await verifier.needs("internship"), token_urlsafe(32)
    number = sha256(secret.encode()).hexdigest()
    back = f"{os.environ['APPLICATION_URL']}/applications/{number}?lang={language(request)}"
    made = await verifier.make_request("internship", kind="same_device", return_url=back, reference=number)
    shown = page(request, "needs", needs=needs, link=made.request_https)
    shown.set_cookie("applicant", secret, path=f"/applications/{number}", secure=True, httponly=True, samesite="lax")
    return shown


@app.get("/applications/{number}")
async def answer(request: Request, number: str, response_code: str = "") -> Response:
    """What became of an application. The code that the wallet sent along counts only from the browser that began it."""
    if sha256(request.cookies.get("applicant", "").encode()).hexdigest() != number:
        return page(request, "elsewhere", status=403)
    if response_code and number not in answers:
        with suppress(VerifierRefused):  # Too late, used before, or made up: the page says what to do.
            await learn(await verifier.take_back(response_code))
    return page(request, "answer", answer=answers.get(number), came_back=bool(response_code))


@app.post("/told")
async def told(request: Request) -> None:
    """A request has changed: fetch where it stands. What is refused or fails is answered with an error by itself."""
    with suppress(AlreadyReceived), webhooks.received(request.headers, await request.body()) as event:
        await learn(event.request_id)
