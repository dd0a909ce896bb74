"""Receiving: how a link comes in, and its host before anything is fetched.

1. `GET /receive` takes a link, a picture of a QR code, a typed code or what the camera sees. That is read by the
   browser, or else by `POST /receive/frame`, which keeps nothing; what was found is then sent as the ordinary form.
   `GET /offer` is where links of issuers lead.
   A request is taken here as well, and goes on at `/present`: a person need not know which of the two a link is.
2. The host of the link is shown first. Nothing has been fetched.
3. `POST /receive/look` fetches the offer and the issuer's metadata; from there it goes on in `collection.py`. A typed
   code that stands for a request of the same host goes on to the request, one of another host to the question first.
"""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import JSONResponse, Response

from service import qr
from service.doorway import CAMERA_PERMISSIONS
from service.i18n import N_
from service.pages import FormSwitch, LanguageSwitch, Pages
from wallet.links import Arrival, ArrivalKind, UnreadableLink, read_arrival
from wallet.offers import IsARequest, OfferUnusable
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, WalletDep, go_to
from wallet.pages.share_access import SharingDep
from wallet.pages.share_arrival import fetch_request, host_of_request, not_started_here, show_arrival
from wallet.pages.words import PROBLEMS, problem_words
from wallet.requests import CameBy
from wallet.vault import UnlockedVault
from wallet.web import Unreachable

router = APIRouter()

NO_CODE_IN_PICTURE = N_("No QR code was found in the picture. Take a new picture, or paste the link.")
UNREADABLE_PICTURE = N_("The file is not a picture that can be read. Choose a PNG or JPEG file.")
NOTHING_GIVEN = N_("Paste a link, type a code or choose a picture.")
NOT_A_LINK = N_(
    "The text is neither a link nor a code that a wallet can read. "
    "Copy the whole link, or type the whole code, for example university.example/4K7M2-9QX3T."
)
NOT_FOR_A_WALLET = N_("The QR code is not one for a wallet. Scan the one that your school or the recipient shows.")
FAULTS = (NO_CODE_IN_PICTURE, UNREADABLE_PICTURE, NOTHING_GIVEN, NOT_A_LINK, NOT_FOR_A_WALLET)
FRAME_TYPES = ("image/jpeg", "image/png")
MOST_FRAME_BYTES = 600_000


@router.get("/receive")
async def receive(request: Request, vault: VaultDep, pages: PagesDep) -> Response:
    """Where a link, a picture or a code is given."""
    return await _receive_page(request, pages, vault)


async def _receive_page(
    request: Request, pages: Pages, vault: UnlockedVault, *, fault: str = "", field: str = "", link: str = ""
) -> Response:
    status = 400 if fault else 200
    page = await pages.render(
        request,
        "receive.html",
        status=status,
        switch=FormSwitch("receive-form", "/receive"),
        vault=vault,
        fault=fault,
        field=field,
        link=link,
    )
    page.headers["permissions-policy"] = CAMERA_PERMISSIONS
    return page


@router.post("/receive/frame", dependencies=[FromOurForm])
async def read_frame(request: Request, vault: VaultDep) -> Response:
    """What stands in the QR code that the camera sees, for browsers that cannot read one; nothing is kept.

    The body is the picture itself. `{}` when there is no code in it. Raises `UnreadableImage`.
    """
    if request.headers.get("content-type") not in FRAME_TYPES:
        raise qr.UnreadableImage("A frame is a JPEG or PNG picture.")
    texts = await asyncio.to_thread(qr.read, await request.body())
    return JSONResponse({"text": texts[0]} if texts else {}, headers={"Cache-Control": "no-store"})


@router.post("/receive", dependencies=[FromOurForm])
async def take_link(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    link: Annotated[str, Form(max_length=100_000)] = "",
    picture: UploadFile | None = None,
    scanned: Annotated[str, Form(max_length=100_000)] = "",
    to_language: Annotated[str, Form(max_length=5)] = "",
    said: Annotated[str, Form(max_length=1_000)] = "",
    said_of: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Take a link apart and show its host; nothing is fetched. With `to_language` the page is only shown again, with
    the fault that it `said`."""
    if to_language:
        fault, of = (said, said_of) if said in FAULTS and said_of in ("link", "picture", "scanned") else ("", "")
        return await _receive_page(request, pages, vault, fault=fault, field=of, link=link)
    field, text = ("scanned", scanned.strip()) if scanned else ("link", link.strip())
    try:
        if not text and picture is not None and picture.size:
            field = "picture"
            # Reading a picture takes a while; others must not wait for it.
            text = await asyncio.to_thread(_text_of, await picture.read(qr.MAXIMUM_IMAGE_BYTES + 1))
        if not text:
            raise _NotGiven(NOTHING_GIVEN)
        arrival = read_arrival(text, allow_loopback=wallet.settings.allow_loopback)
    except (UnreadableLink, _NotGiven) as exc:
        fault = str(exc) if isinstance(exc, _NotGiven) else NOT_A_LINK if field != "scanned" else NOT_FOR_A_WALLET
        return await _receive_page(request, pages, vault, fault=fault, field=field, link=link)
    return await _host_first(request, pages, vault, arrival, came_by=_came_by(field, arrival))


def _came_by(field: str, arrival: Arrival) -> CameBy:
    if field == "scanned":
        return CameBy.CAMERA
    if field == "picture":
        return CameBy.PICTURE
    return CameBy.CODE if arrival.kind is ArrivalKind.CODE else CameBy.PASTED


class _NotGiven(Exception):
    """Nothing that could be a link was given; the message is the sentence for the page."""


def _text_of(image: bytes) -> str:
    try:
        texts = qr.read(image)
    except qr.UnreadableImage as exc:
        raise _NotGiven(UNREADABLE_PICTURE) from exc
    if not texts:
        raise _NotGiven(NO_CODE_IN_PICTURE)
    return texts[0]


@router.get("/offer")
async def offer(request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep) -> Response:
    """Where the links of issuers lead (the wallet's credential offer endpoint, OpenID4VCI 4.1)."""
    try:
        # Only what stands in the query counts: it reads the same whatever address the link was written with.
        text = f"openid-credential-offer://?{request.url.query}"
        arrival = read_arrival(text, allow_loopback=wallet.settings.allow_loopback)
    except UnreadableLink:
        return await _receive_page(request, pages, vault, fault=NOT_A_LINK, field="link")
    return await _host_first(request, pages, vault, arrival)


async def _host_first(
    request: Request, pages: PagesDep, vault: VaultDep, arrival: Arrival, *, came_by: CameBy = CameBy.LINK
) -> Response:
    if arrival.kind is ArrivalKind.REQUEST:
        return await show_arrival(request, pages, arrival.query, came_by)
    return await _host_page(request, pages, vault, arrival, came_by=came_by)


async def _host_page(
    request: Request,
    pages: Pages,
    vault: UnlockedVault,
    arrival: Arrival,
    *,
    came_by: CameBy,
    problem: str = "",
    status: int = 200,
) -> Response:
    """Whose link it is, or what kept them from being asked."""
    fields = {"link": arrival.text, "came_by": came_by.value, "again": problem or "host"}
    return await pages.render(
        request,
        "receive_host.html",
        status=status,
        switch=LanguageSwitch("/receive/look", fields) if request.method == "POST" else None,
        vault=vault,
        host=arrival.host,
        link=arrival.text,
        came_by=came_by.value,
        elsewhere=not_started_here(came_by) if arrival.kind is ArrivalKind.CODE else "",
        problem=problem_words(problem) if problem else None,
        code=problem,
    )


@router.post("/receive/look", dependencies=[FromOurForm])
async def look(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    sharing: SharingDep,
    link: Annotated[str, Form(max_length=100_000)],
    came_by: Annotated[CameBy, Form()] = CameBy.LINK,
    again: Annotated[str, Form(max_length=40)] = "",
    decision: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Ask the link's host for the offer, and the issuer for its metadata; or stop, and report a code that somebody
    gave. With `again` the page is only shown again."""
    arrival = read_arrival(link, allow_loopback=wallet.settings.allow_loopback)
    if decision == "report":
        return go_to(request, f"/history/{sharing.stopped(vault, arrival.host, came_by=came_by)}/report")
    if again:
        problem = again if again in PROBLEMS else ""
        return await _host_page(request, pages, vault, arrival, came_by=came_by, problem=problem)
    known = wallet.known_collection(vault, arrival.text)
    if known is not None:
        return go_to(request, f"/receive/{known}")
    try:
        collection_id = await wallet.look_at(vault, arrival)
    except IsARequest as exc:
        if arrival.kind is ArrivalKind.CODE and arrival.host == host_of_request(exc.query):
            # The person has just said yes to this host: the same is not asked twice.
            return await fetch_request(request, pages, vault, sharing, exc.query, came_by)
        return await show_arrival(request, pages, exc.query, came_by)
    except (OfferUnusable, Unreachable) as exc:
        return await _host_page(request, pages, vault, arrival, came_by=came_by, problem=exc.reason, status=exc.status)
    return go_to(request, f"/receive/{collection_id}")
