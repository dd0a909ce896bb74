"""What a person sees who shares by themselves: what is asked, the way to their wallet, and coming back from it.

Nothing here shows a value or a verdict: it is the person's own browser, but the result belongs to who asked.
"""

from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from schemas.errors import NotFound
from schemas.presentation import InvalidRequest
from service.i18n import N_
from service.rate_limits import StoredRateLimit, client_address
from verifier.digital import protocol_of
from verifier.exchange import Verifier
from verifier.pages.access import (
    Browser,
    BrowserDep,
    FromOurForm,
    PagesDep,
    VerifierDep,
    is_signed_in,
    the_browser,
    the_verifier,
)
from verifier.pages.ask import preview_in
from verifier.pages.invitation import invitation_for, qr_code, wallet_fault
from verifier.pages.live import event_stream
from verifier.pages.stands import furthest
from verifier.requests import DIGITAL_PATH, Kind, request_link
from verifier.store import NoSuchRequest, RequestRecord, State

router = APIRouter()

PUBLIC_MAKER: Final = "public"
STARTS, STARTS_SECONDS = 20, 10 * 60
NO_STORE: Final = {"Cache-Control": "no-store"}

_PHASES: Final = {
    State.WAITING: "open",
    State.OPENED: "open",
    State.AWAITING_RETURN: "open",
    State.ANSWERED: "received",
    State.DELETED: "received",
    State.WITHDRAWN: "withdrawn",
    State.DECLINED: "nothing",
    State.NOT_RETURNED: "nothing",
    State.EXPIRED: "over",
}


@router.get("/share/{name}")
async def share(request: Request, verifier: VerifierDep, pages: PagesDep, name: str) -> Response:
    """What is asked for, before anything happens."""
    template = verifier.templates()[name]
    language = pages.language(request)
    return await pages.render(
        request,
        "share.html",
        name=name,
        title=template.title.text(language),
        organisation=(template.organisation or verifier.settings.organisation).text(language),
        preview=preview_in(template, language, request=request, settings=verifier.settings),
    )


@router.post("/share/{name}", dependencies=[FromOurForm])
async def start(request: Request, verifier: VerifierDep, pages: PagesDep, browser: BrowserDep, name: str) -> Response:
    """Make the request for this browser. Raises `TooManyRequests` when one address starts too many."""
    await _limit_starts(request, verifier)
    template = verifier.templates()[name]
    link, *_ = await verifier.database.run(
        lambda: verifier.make_on_page(template, maker=PUBLIC_MAKER, binding=browser.binding)
    )
    response = pages.redirect(f"/share/open/{link.transaction.handle}")
    browser.remember(response)
    return response


@router.get("/share/open/{handle}")
async def opened(
    request: Request, verifier: VerifierDep, pages: PagesDep, browser: BrowserDep, handle: str
) -> Response:
    """The way to the wallet while the request is open, and afterwards what became of it."""
    together = await _together(verifier, handle, binding=browser.binding)
    record = furthest(together)
    link = together[0]
    crossing = next((one for one in together if one.transaction.kind is Kind.CROSS_DEVICE), None)
    template = record.transaction.question.template
    t = pages.translator(request)
    title = template.title.text(t.language)
    return await pages.render(
        request,
        "share_ready.html",
        handle=handle,
        protocol=protocol_of(verifier.identity),
        name=template.name,
        title=title,
        organisation=(template.organisation or verifier.settings.organisation).text(t.language),
        contact=template.contact,
        phase=_PHASES[record.state],
        kept_until=record.retention_until,
        open_until=record.transaction.expires_at,
        invite=invitation_for(request, request_link(link.transaction), verifier.settings),
        qr=qr_code(verifier.made(crossing.transaction), title=t(N_("QR code with the request: %(title)s"), title=title))
        if crossing is not None
        else None,
        wallet_fault=wallet_fault(request),
    )


@router.get("/share/open/{handle}/events")
async def opened_events(request: Request, verifier: VerifierDep, browser: BrowserDep, handle: str) -> Response:
    """Says when the answer has come."""
    await _together(verifier, handle, binding=browser.binding)

    async def look() -> tuple[object, bool]:
        record = furthest(await _together(verifier, handle, binding=browser.binding))
        return record.state, record.state.is_final

    return event_stream(request, verifier, look)


@router.post("/share/open/{handle}/digital")
async def begin_digital(request: Request, verifier: VerifierDep, handle: str) -> Response:
    """The same request for the browser's own channel; only for the page of this browser that shows it.

    Raises `InvalidRequest` for a request of another page, `NoSuchRequest`, or `TooManyRequests`.
    """
    browser = _of_our_page(request)
    await _limit_starts(request, verifier)
    answered_at, asked = await verifier.database.run(lambda: verifier.begin_digital(handle, binding=browser.binding))
    path = verifier.settings.path(urlsplit(answered_at).path.removeprefix(verifier.settings.path_prefix))
    return JSONResponse({**asked, "answer": path}, headers=NO_STORE)


@router.post(DIGITAL_PATH + "/{handle}")
async def answer_digital(request: Request, verifier: VerifierDep, handle: str) -> Response:
    """What the browser's own channel gave. Raises as `Verifier.take_answer`, and `InvalidRequest` for another page."""
    browser = _of_our_page(request)
    reply = await verifier.take_digital_answer(handle, body=await request.body(), binding=browser.binding)
    return JSONResponse(dict(reply.members), status_code=reply.status, headers=NO_STORE)


def _of_our_page(request: Request) -> Browser:
    """The browser, when a script of one of our own pages sent this. Raises `InvalidRequest`.

    A form of another site sends no cookie of ours (SameSite), and a script of one names its own origin.
    """
    if request.headers.get("origin", "").lower() != the_verifier(request).settings.browser_origin:
        raise InvalidRequest("this did not come from one of our pages")
    return the_browser(request)


@router.get("/return")
async def come_back(request: Request, verifier: VerifierDep, pages: PagesDep, response_code: str = "") -> Response:
    """The browser is back from the wallet: its code makes the answer count, and is then out of the address."""
    browser = the_browser(request)
    try:
        request_id = await verifier.database.run(lambda: verifier.redeem(response_code, binding=browser.binding))
    except NoSuchRequest as exc:
        return await pages.render(request, "not_returned.html", status=400, code=exc.error)
    record = await verifier.database.run(verifier.result, request_id)
    if record.maker != PUBLIC_MAKER and await is_signed_in(request):
        return pages.redirect(f"/requests/{request_id}")
    return pages.redirect(f"/share/open/{record.transaction.handle}")


async def _limit_starts(request: Request, verifier: Verifier) -> None:
    limit = StoredRateLimit(
        verifier.database,
        purpose="share",
        count=STARTS,
        seconds=STARTS_SECONDS,
        device_secret=verifier.settings.device_secret(),
    )
    await limit.check(client_address(request), now=verifier.clock())


async def _together(verifier: Verifier, handle: str, *, binding: str) -> list[RequestRecord]:
    """The request of this browser with this public handle, and the one made with it. Raises `NotFound` for others."""
    pending = await verifier.database.run(lambda: verifier.requests.pending(handle, now=verifier.clock()))
    if not pending.transaction.binding or pending.transaction.binding != binding:
        raise NotFound("this request was not started in this browser")
    record = await verifier.database.run(verifier.result, pending.transaction.id)
    pair = record.transaction.pair
    some = await verifier.database.run(lambda: verifier.requests.pair(pair, now=verifier.clock()))
    return sorted(some or [record], key=lambda one: one.id != record.id)
