"""Applying for a job with a form: "Fill in from my wallet" asks for chosen CV data, and marks what came as proven.

The address of a form is the digest of a secret that only the browser which began it holds. What a person takes back is
emptied at once, also in an application that was sent; then the verifier is told that our copy is deleted.
"""

import logging
import os
import tomllib
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles

from examples.application_form.form import Form
from examples.application_form.page import STATIC, language, page
from verifier.client import AlreadyReceived, VerifierClient, WebhookReceiver

app = FastAPI()
app.mount("/static", StaticFiles(directory=STATIC))
verifier = VerifierClient(os.environ["VERIFIER_URL"], api_key=os.environ["VERIFIER_KEY"], allow_loopback=True)
webhooks = WebhookReceiver(os.environ["WEBHOOK_SECRET"], seen=Path(os.environ["SEEN_FILE"]))
OWN_URL = os.environ["APPLICATION_URL"] + "/applications/"
TEMPLATE = tomllib.loads((Path(__file__).parents[1] / "templates" / "job-application.toml").read_text("utf-8"))
log = logging.getLogger("uvicorn.error")
forms: dict[str, Form] = {}  # An application that is more than an example keeps them in its database.


def mine(request: Request, number: str) -> Form | None:
    """The form at this address, for the browser that began it and no other."""
    if sha256(request.cookies.get("applicant", "").encode()).hexdigest() != number:
        return None
    return forms.get(number)


@app.get("/")
async def begin(request: Request) -> Response:
    """A new form, for the browser that asks."""
    secret = token_urlsafe(32)
    number = sha256(secret.encode()).hexdigest()
    forms[number] = Form()
    answer = RedirectResponse(f"/applications/{number}?lang={language(request)}", 303)
    answer.set_cookie("applicant", secret, path=f"/applications/{number}", secure=True, httponly=True, samesite="lax")
    return answer


@app.get("/applications/{number}")
async def show(request: Request, number: str, response_code: str = "") -> Response:
    """The form, or what was sent. A browser that comes back from the wallet brings a code, and what was shared is
    filled in; then the code leaves the address, so that no reload brings it again."""
    form = mine(request, number)
    if form is None:
        return page(request, "elsewhere", status=403)
    if not response_code:
        return page(request, "sent" if form.is_sent else "form", form=form)
    if not form.is_sent:
        form.fill_in(await verifier.get_result(await verifier.take_back(response_code)))
        log.info("filled in by request %s", form.request_id)  # Its number at the verifier, and no value.
    return RedirectResponse(f"/applications/{number}?lang={language(request)}", 303)


@app.post("/applications/{number}/fill")
async def fill(request: Request, number: str) -> Response:
    """Keep what was typed, and go on to the wallet."""
    form = mine(request, number)
    if form is None:
        return page(request, "elsewhere", status=403)
    form.type_in(await typed(request))
    return RedirectResponse(f"/applications/{number}/wallet?lang={language(request)}", 303)


@app.get("/applications/{number}/wallet")
async def to_wallet(request: Request, number: str) -> Response:
    """Lead to the wallet by a page of our own: a form may not be sent on elsewhere, and whoever goes back in their
    browser must not be asked whether to send it again."""
    if mine(request, number) is None:
        return page(request, "elsewhere", status=403)
    back = f"{OWN_URL}{number}?lang={language(request)}"
    made = await verifier.make_request(TEMPLATE, kind="same_device", return_url=back, reference=number)
    return page(request, "to_wallet", link=made.request_https)


@app.post("/applications/{number}/send")
async def send(request: Request, number: str) -> Response:
    """Send the application, unless something is missing."""
    form = mine(request, number)
    if form is None:
        return page(request, "elsewhere", status=403)
    form.type_in(await typed(request))
    if missing := form.missing():
        return page(request, "form", form=form, missing=missing, status=400)
    form.is_sent = True
    return RedirectResponse(f"/applications/{number}?lang={language(request)}", 303)


@app.post("/told")
async def told(request: Request) -> None:
    """A request has changed: empty what was taken back, and acknowledge that our copy is gone. What is refused or fails
    is answered with an error by itself."""
    with suppress(AlreadyReceived), webhooks.received(request.headers, await request.body()):
        deleted, _ = await verifier.deletions()
        for notice in deleted:
            for form in forms.values():
                if form.request_id == notice.request_id:
                    form.empty()
            if notice.state in ("deleted", "partly") and not notice.is_acknowledged:
                await verifier.acknowledge_deletion(notice)


async def typed(request: Request) -> dict[str, str]:
    """The text fields of a form that was sent."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
