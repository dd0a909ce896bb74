"""For organisations that embed the verifier: make requests, follow them, get results. Needs an API key.

    POST /api/requests              {"template": "course-results"}        201 {"id", "request", "request_https", "code"}
    GET  /api/requests/{id}?wait=20                                        the result, as soon as it is final
    GET  /api/requests/{id}/events                                         server-sent events
    POST /api/returns               {"response_code": "..."}               the browser came back (same device)
    GET  /api/requests/{id}/receipt                                        the receipt that both sides hold
    GET  /api/deletions?after=0                                            what was taken back or deleted since
    POST /api/deletions/{id}/acknowledgement    {"number": 17}             your copy is deleted as well

The key comes as `Authorization: Bearer ...`. `verifier/client.py` is the library for it. A key sees the requests that
it made, and no others: what somebody showed is for the one who asked.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from schemas.consent import LocalizedText
from schemas.errors import NotFound, ProtocolError
from schemas.presentation import InvalidRequest
from service.accounts import Accounts, APIKey
from service.dependencies import inline
from service.i18n import Catalogues
from service.rate_limits import RateLimit, client_address
from service.stopping import Stopping
from verifier.api.messages import (
    NOT_FOUND,
    REFUSED,
    BroughtBack,
    NeedOut,
    RequestMade,
    TemplateLine,
    TemplateList,
    TemplateOut,
    Texts,
    changed_meanwhile,
)
from verifier.api.results import DeletionOut, DeletionPage, ReceiptOut, ResultOut, StateEvent
from verifier.api.wallets import verifier_of
from verifier.exchange import LONGEST_LIFETIME_SECONDS, Verifier
from verifier.live import HEARTBEAT, server_sent_event, streams_of, wait_until, watch
from verifier.needs import needs_of
from verifier.request_templates import parse_template
from verifier.requests import MAX_REFERENCE_CHARACTERS, Kind
from verifier.result_document import deletion_document, receipt_document, result_document
from verifier.store import NoSuchRequest

router = APIRouter(prefix="/api", responses=REFUSED)

LONGEST_WAIT_SECONDS = 30.0
MOST_DELETIONS = 100


class InvalidAPIKey(ProtocolError):
    """The API key is missing, unknown or was revoked."""

    error = "invalid_token"
    status = 401
    headers = {"WWW-Authenticate": "Bearer"}  # noqa: RUF012 - read only, and never changed


NOT_OF_THIS_KEY = "there is no request of this id that was made with this key; a key sees only its own requests"
"""The same for a request of another key and for one that never was: who asks learns nothing of others."""


async def api_key(request: Request) -> APIKey:
    """The API key of the caller. Raises `InvalidAPIKey`."""
    accounts: Accounts = request.app.state.accounts
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    key = await accounts.check_api_key(text.strip()) if scheme.lower() == "bearer" else None
    if key is None:
        limit: RateLimit = request.app.state.key_limit
        limit.check(client_address(request), now=verifier_of(request).clock())
        raise InvalidAPIKey
    return key


def _catalogues(request: Request) -> Catalogues:
    found = request.app.state.catalogues
    assert isinstance(found, Catalogues)
    return found


KeyDep = Annotated[APIKey, Depends(api_key)]
VerifierDep = Annotated[Verifier, Depends(inline(verifier_of))]
CataloguesDep = Annotated[Catalogues, Depends(inline(_catalogues))]


class Asked(BaseModel):
    """What a program sends: a misspelt member is refused."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class NewRequest(Asked):
    """What to ask, and where the person answers."""

    template: str | dict[str, Any]
    """The name of a template, or a whole one (docs/verifier.md)."""
    kind: Literal["cross_device", "same_device"] | None = None
    """Where the person answers; what the service is set to when null."""
    return_url: str = Field(default="", max_length=2_000)
    """With `same_device`: your own page, where the browser goes with `response_code` afterwards."""
    lifetime_seconds: int | None = Field(default=None, ge=60, le=LONGEST_LIFETIME_SECONDS)
    """How long it can be answered (7 days at most); what template or service is set to when null."""
    reference: str = Field(default="", max_length=MAX_REFERENCE_CHARACTERS)
    """What you call it yourself: comes back with the result, is never shown to the person, deleted with the values."""


class Returned(Asked):
    """A browser that came back."""

    response_code: str = Field(max_length=200)
    """As the wallet gave it to the browser."""


class Acknowledged(Asked):
    """A program did with its own copy what a deletion says."""

    number: int = Field(ge=1)
    """The deletion's as it was read."""


@router.post("/requests", status_code=201, response_description="The request was made", responses=NOT_FOUND)
async def make_request(new: NewRequest, key: KeyDep, verifier: VerifierDep) -> RequestMade:
    """Make a request. Answers with the links to hand over and the id for the result."""
    template = verifier.templates()[new.template] if isinstance(new.template, str) else parse_template(new.template)
    kind = Kind(new.kind) if new.kind else verifier.default_kind()
    if kind is Kind.SAME_DEVICE and not new.return_url:
        # Only the caller's own page can tell whether the browser that comes back is the one that started.
        raise InvalidRequest("a same-device request needs the return_url of your own page")
    made = await verifier.database.run(
        verifier.make_request,
        template,
        kind=kind,
        maker=key.id,
        return_url=new.return_url,
        lifetime_seconds=new.lifetime_seconds,
        reference=new.reference,
    )
    return RequestMade(
        id=made.id,
        request=made.link,
        request_https=made.https_link,
        code=made.code,
        expires_at=made.transaction.expires_at.isoformat(timespec="seconds"),
    )


@router.get(
    "/requests/{request_id}",
    response_model=ResultOut,
    response_description="Where the request stands, and its result",
    responses=NOT_FOUND,
)
async def get_result(
    request: Request,
    request_id: str,
    key: KeyDep,
    verifier: VerifierDep,
    catalogues: CataloguesDep,
    wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT_SECONDS)] = 0,
) -> Response:
    """The request and its result; with `wait`, as soon as it is final, after so many seconds at the latest.

    A service that is about to stop answers at once with what stands now, and the program asks again.
    """
    await check_own(verifier, request_id, key)
    stopping: Stopping = request.app.state.stopping
    record = await wait_until(
        verifier, request_id, is_enough=lambda one: one.state.is_final, seconds=wait, stopping=stopping
    )
    contents = None
    if record.has_contents:
        contents = await verifier.database.run(verifier.contents, request_id, viewer=key.id)
    deletion = await verifier.database.run(verifier.deletions.newest, request_id)
    document = result_document(
        record,
        contents=contents,
        deletion=deletion,
        catalogues=catalogues,
        time_zone=verifier.settings.time_zone,
    )
    return Response(orjson.dumps(document), media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get("/requests/{request_id}/receipt", response_description="The receipt, signed by both", responses=NOT_FOUND)
async def get_receipt(request_id: str, key: KeyDep, verifier: VerifierDep) -> ReceiptOut:
    """The receipt that the person's wallet handed in, without values: what was shared, and on which terms.

    404 when there is none: not every wallet hands one in, and one that names who acted for whom goes with the values.
    """
    await check_own(verifier, request_id, key)
    kept = await verifier.database.run(verifier.deletions.store.receipt, request_id)
    if kept is None:
        raise NotFound("no receipt of this request is kept")
    return ReceiptOut.model_validate(receipt_document(kept))


class EventStream(StreamingResponse):
    """Server-sent events (HTML standard, 9.2)."""

    media_type = "text/event-stream"


_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"model": StateEvent, "description": "Server-sent events named `state`; the data of each, as JSON"}
}


@router.get("/requests/{request_id}/events", response_class=EventStream, responses=_EVENTS | NOT_FOUND)
async def follow(request: Request, request_id: str, key: KeyDep, verifier: VerifierDep) -> StreamingResponse:
    """Every change of the request's state, as server-sent events named `state`."""
    streams = streams_of(request)
    streams.check(key.id)
    await check_own(verifier, request_id, key)

    async def events() -> AsyncIterator[bytes]:
        async for record in watch(verifier, request_id):
            if record is None:
                yield HEARTBEAT
                continue
            verdict = record.verdict.value if record.verdict else None
            yield server_sent_event("state", {"id": record.id, "state": record.state.value, "verdict": verdict})

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventStream(streams.counted(key.id, events()), headers=headers)


@router.post("/returns", response_description="The answer counts from now on", responses=NOT_FOUND)
async def bring_back(returned: Returned, key: KeyDep, verifier: VerifierDep) -> BroughtBack:
    """The browser came back with its response code: answers with the id of the request, whose result now counts.

    That the browser is the one that started is for the caller to check against its own session.
    """
    return BroughtBack(
        id=await verifier.database.run(verifier.redeem, returned.response_code, binding="", maker=key.id)
    )


@router.get("/deletions", response_description="Deletions in the order of their last change")
async def list_deletions(
    key: KeyDep,
    verifier: VerifierDep,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_DELETIONS)] = MOST_DELETIONS,
) -> DeletionPage:
    """What people took back, asked to be deleted, or whose time was over, among the requests of this key.

    Keep `next_after` and ask with it next time. A deletion that changes comes again, with a higher number.
    """
    await verifier.tidy()
    found = await verifier.database.run(verifier.deletions.store.since, after, maker=key.id, limit=limit + 1)
    some = [DeletionOut.model_validate(deletion_document(one)) for one in found[:limit]]
    return DeletionPage(deletions=some, next_after=some[-1].number if some else after, has_more=len(found) > limit)


@router.post(
    "/deletions/{deletion_id}/acknowledgement",
    response_description="The deletion, acknowledged",
    responses=NOT_FOUND | changed_meanwhile("It has changed meanwhile: read it again, and do what it says now"),
)
async def acknowledge(deletion_id: str, done: Acknowledged, key: KeyDep, verifier: VerifierDep) -> DeletionOut:
    """You did with your own copy what the deletion says. Twice is harmless; 409 when it has changed meanwhile."""
    one = await verifier.database.run(
        verifier.deletions.store.acknowledge, deletion_id, number=done.number, maker=key.id, now=verifier.clock()
    )
    return DeletionOut.model_validate(deletion_document(one))


async def check_own(verifier: Verifier, request_id: str, key: APIKey) -> None:
    """Raise `NoSuchRequest` unless the request was made with this key."""
    try:
        is_own = (await verifier.database.run(verifier.result, request_id)).maker == key.id
    except NoSuchRequest:
        is_own = False
    if not is_own:
        raise NoSuchRequest(NOT_OF_THIS_KEY)


@router.get("/templates", response_description="The templates at hand")
async def list_templates(key: KeyDep, verifier: VerifierDep) -> TemplateList:
    """What can be asked by name, and the files with which nothing can be asked yet."""
    shelf = verifier.templates()
    lines = [
        TemplateLine(name=name, title=_texts(template.title), types=sorted(template.types))
        for name, template in sorted(shelf.templates.items())
    ]
    return TemplateList(templates=lines, faulty=shelf.faulty)


@router.get("/templates/{name}", response_description="What the template needs", responses=NOT_FOUND)
async def get_template(name: str, key: KeyDep, verifier: VerifierDep, catalogues: CataloguesDep) -> TemplateOut:
    """What a template needs from people, of which kinds one is enough, and who issues each.

    Whether a person has it, nobody is told.
    """
    template, now = verifier.templates()[name], verifier.clock()
    trust = await verifier.database.run(verifier.trust.trust, now=now)
    needs = needs_of(template, trust=trust, now=now, catalogues=catalogues)
    return TemplateOut(
        name=template.name, title=_texts(template.title), needs=[NeedOut.model_validate(one) for one in needs]
    )


def _texts(text: LocalizedText) -> Texts:
    return Texts(sv=text.text("sv"), en=text.text("en"))
