"""Receiving, step by step: the link, its host, who offers what, the collection, and the question about unknown issuers.

1. `GET /receive` takes a link, a picture of a QR code, a typed code or what the camera sees. That is read by the
   browser, or else by `POST /receive/frame`, which keeps nothing; what was found is then sent as the ordinary form.
   `GET /offer` is where links of issuers lead.
   A request is taken here as well, and goes on at `/present`: a person need not know which of the two a link is.
2. The host of the link is shown first. Nothing has been fetched.
3. `POST /receive/look` fetches the offer and the issuer's metadata. `GET /receive/ID` shows who offers what.
4. `POST /receive/ID/collect` collects; the same page shows how far it came.
5. `POST /receive/ID/answer` keeps or drops what came from an issuer that nobody here vouches for.
"""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import JSONResponse, Response

from schemas.errors import NotFound
from schemas.issuance import display_name
from service import qr
from service.doorway import CAMERA_PERMISSIONS
from service.i18n import N_
from service.pages import FormSwitch, LanguageSwitch, Pages
from wallet.authorizing import ForeignAnswer
from wallet.cards import read_card
from wallet.collection import Collection, MovedOn, PartState, Stage
from wallet.hosts import host_of
from wallet.links import Arrival, ArrivalKind, UnreadableLink, read_arrival
from wallet.naming import plain
from wallet.offers import IsARequest, OfferUnusable, Unreachable
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, WalletDep, go_to
from wallet.pages.share_access import SharingDep
from wallet.pages.share_arrival import back_to, show_arrival
from wallet.pages.waiting import asked_by
from wallet.pages.words import PROBLEMS, problem_words, tx_code_words
from wallet.requests import CameBy
from wallet.store.provider import BACK
from wallet.vault import UnlockedVault

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
UNFITTING_CODE = N_("The code should be %(form)s. Nothing was sent, and no try was used.")
ELSEWHERE = N_("This is being collected in another window. Look again in a moment.")
FETCHED = N_("The certificate is in your wallet. Here is the request again.")
ALL_FETCHED = N_("The certificates are in your wallet. Here is the request again.")
FRAME_TYPES = ("image/jpeg", "image/png")
MOST_FRAME_BYTES = 600_000
MOST_ANSWER_CHARACTERS = 4_000
MOST_AT_ONCE = 20
MISSING_CODE = N_("Write the code that the issuer gave you.")


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
        problem=problem_words(problem) if problem else None,
        code=problem,
    )


@router.post("/receive/look", dependencies=[FromOurForm])
async def look(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    link: Annotated[str, Form(max_length=100_000)],
    came_by: Annotated[CameBy, Form()] = CameBy.LINK,
    again: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Ask the link's host for the offer, and the issuer for its metadata. With `again` the page is only shown again."""
    arrival = read_arrival(link, allow_loopback=wallet.settings.allow_loopback)
    if again:
        problem = again if again in PROBLEMS else ""
        return await _host_page(request, pages, vault, arrival, came_by=came_by, problem=problem)
    known = wallet.known_collection(vault, arrival.text)
    if known is not None:
        return go_to(request, f"/receive/{known}")
    try:
        collection_id = await wallet.look_at(vault, arrival)
    except IsARequest as exc:
        return await show_arrival(request, pages, exc.query, came_by)
    except (OfferUnusable, Unreachable) as exc:
        return await _host_page(request, pages, vault, arrival, came_by=came_by, problem=exc.reason, status=exc.status)
    return go_to(request, f"/receive/{collection_id}")


@router.get("/receive/{collection_id}")
async def collection(
    request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, collection_id: str
) -> Response:
    """Who offers what, or how far the collection has come."""
    return await _show(request, pages, wallet, vault, await wallet.opened(vault, collection_id), collection_id)


@router.post("/receive/{collection_id}/collect", dependencies=[FromOurForm])
async def collect(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    collection_id: str,
    tx_code: Annotated[str, Form(max_length=200)] = "",
    to_language: Annotated[str, Form(max_length=5)] = "",
    said: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Collect what was offered, or go on where it stopped. With `to_language` the page is only shown again, with the
    fault of the code if it was `said` and still is one."""
    before = wallet.collection(vault, collection_id)
    if to_language:
        wrong = tx_code if said and before.offered.read_tx_code(tx_code) is None else None
        return await _show(
            request, pages, wallet, vault, before, collection_id, code_written=tx_code, unfitting_code=wrong
        )
    code: str | None = None
    if before.stage in (Stage.OFFERED, Stage.AUTHORIZING) and before.offered.wants_sign_in:
        return await _sign_in(request, wallet, vault, pages, collection_id)
    if before.stage is Stage.OFFERED and before.offered.wants_tx_code:
        code = before.offered.read_tx_code(tx_code)
        if code is None:
            return await _show(request, pages, wallet, vault, before, collection_id, unfitting_code=tx_code)
    try:
        await wallet.collect(vault, collection_id, tx_code=code)
    except MovedOn:
        return pages.redirect(f"/receive/{collection_id}", message=ELSEWHERE, kind="info")
    return go_to(request, f"/receive/{collection_id}")


async def _sign_in(
    request: Request, wallet: WalletDep, vault: VaultDep, pages: PagesDep, collection_id: str
) -> Response:
    """Push what is wanted; the page that follows sends the browser to the source, since a form may not."""
    try:
        await wallet.begin_sign_in(vault, collection_id, language=pages.language(request))
    except MovedOn:
        return pages.redirect(f"/receive/{collection_id}", message=ELSEWHERE, kind="info")
    return go_to(request, f"/receive/{collection_id}?go=yes")


@router.get(BACK)
async def fetched(
    request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, sharing: SharingDep
) -> Response:
    """Back from signing in at the source (the redirection endpoint, RFC 6749, section 3.1.2).

    The request for which it was fetched is there again; one that has ended meanwhile is fetched anew.
    """
    answer = {name: value for name, value in request.query_params.items() if len(value) <= MOST_ANSWER_CHARACTERS}
    if len(request.query_params.multi_items()) != len(request.query_params):
        raise ForeignAnswer("the answer repeats a member")
    try:
        collection_id = await wallet.come_back(vault, answer)
    except MovedOn:
        return pages.redirect("/", message=ELSEWHERE, kind="info")
    collection = wallet.collection(vault, collection_id)
    is_whole = len(collection.stored_ids) == len(collection.parts)  # Else the page says what did not come, and why.
    if collection.stage is Stage.DONE and collection.for_share and is_whole:
        wallet.put_away(vault, collection_id)
        if (following := await _next(wallet, vault, collection)) is not None:
            return await _sign_in(request, wallet, vault, pages, following)
        message = FETCHED if len(collection.parts) == 1 else ALL_FETCHED
        return await back_to(request, vault, pages, sharing, collection.for_share, message=message)
    return go_to(request, f"/receive/{collection_id}")


async def _next(wallet: WalletDep, vault: VaultDep, done: Collection) -> str | None:
    """The collection of what the person wants to fetch next at an issuer that gives one kind at a time; None when there
    is nothing, or when it cannot be begun: then the request says again what is missing."""
    if not done.and_then:
        return None
    vct, *rest = done.and_then
    issuer = done.offered.issuer
    if issuer not in {entry.identifier for entry in wallet.sources_of(vct)}:
        return None
    try:
        return await wallet.look_for(vault, issuer, vct, for_share=done.for_share, and_then=rest)
    except (OfferUnusable, Unreachable):
        return None


@router.post("/fetch", dependencies=[FromOurForm])
async def fetch(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    issuer: Annotated[str, Form(max_length=2_000)],
    vct: Annotated[list[str], Form(min_length=1, max_length=MOST_AT_ONCE)],
    share: Annotated[str, Form(max_length=64)] = "",
    again: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Fetch what a request asks for, from an issuer that this wallet trusts for each kind of it: off to sign in, once.

    The page before has said who and where; what would be fetched is shown at the source, before the person allows it.
    With `again`, the code of a problem, it is only said again why it did not go on.
    """
    if again:
        return await _fetch_failed(request, pages, vault, again if again in PROBLEMS else "", share)
    for one in vct:
        if issuer not in {entry.identifier for entry in wallet.sources_of(one)}:
            raise NotFound("nobody here vouches for this issuer for this kind of certificate")
    try:
        collection_id = await wallet.look_for(vault, issuer, *vct, for_share=share)
    except (OfferUnusable, Unreachable) as exc:
        return await _fetch_failed(request, pages, vault, exc.reason, share, status=exc.status)
    return await _sign_in(request, wallet, vault, pages, collection_id)


async def _fetch_failed(
    request: Request, pages: Pages, vault: UnlockedVault, reason: str, share: str, *, status: int = 200
) -> Response:
    fields = {"issuer": "-", "vct": "-", "share": share, "again": reason or "-"}
    return await pages.render(
        request,
        "fetch_failed.html",
        status=status,
        switch=LanguageSwitch("/fetch", fields),
        vault=vault,
        problem=problem_words(reason),
        code=reason,
        share=share,
    )


@router.post("/receive/{collection_id}/answer", dependencies=[FromOurForm])
async def answer(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    collection_id: str,
    decision: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Keep or drop what came from an issuer that nobody here vouches for."""
    if decision in ("keep", "drop"):
        await wallet.answer(vault, collection_id, keep=decision == "keep")
    return go_to(request, f"/receive/{collection_id}")


@router.post("/receive/{collection_id}/away", dependencies=[FromOurForm])
async def put_away(
    request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, collection_id: str
) -> Response:
    """Do not collect, or put away what is finished."""
    wallet.put_away(vault, collection_id)
    return go_to(request, "/")


async def _show(
    request: Request,
    pages: PagesDep,
    wallet: WalletDep,
    vault: VaultDep,
    collection: Collection,
    collection_id: str,
    *,
    unfitting_code: str | None = None,
    code_written: str = "",
) -> Response:
    offered = collection.offered
    language = pages.language(request)
    stored = [wallet.certificate(vault, certificate_id) for certificate_id in collection.stored_ids]
    items = []
    for part, (name, configuration) in zip(collection.parts, offered.items, strict=True):
        metadata = configuration.credential_metadata
        items.append(
            {
                "name": plain(display_name(metadata.display if metadata else None, language) or name),
                "claims": [
                    plain(shown)
                    for claim in (metadata.claims if metadata and metadata.claims else [])
                    if (shown := display_name(claim.display, language))
                ],
                "part": part,
                "problem": problem_words(part.problem) if part.problem else None,
            }
        )
    t = pages.translator(request)
    code_form = tx_code_words(offered.tx_code, t)
    code_fault = ""
    if unfitting_code is not None:
        code_fault = t(UNFITTING_CODE, form=code_form) if unfitting_code.strip() else t(MISSING_CODE)
    has_field = collection.stage is Stage.OFFERED and offered.wants_tx_code and not offered.wants_sign_in
    return await pages.render(
        request,
        "receive_offer.html",
        status=400 if code_fault else 200,
        switch=FormSwitch("collect-form", f"/receive/{collection_id}/collect") if has_field else None,
        vault=vault,
        id=collection_id,
        collection=collection,
        stage=collection.stage.value,
        items=items,
        issuer_name=plain(offered.metadata.display_name(language) or ""),
        issuer_host=host_of(offered.issuer),
        issuer=offered.issuer,
        wants_code=offered.wants_tx_code,
        wants_sign_in=offered.wants_sign_in,
        source_host=host_of(offered.authorization_server.issuer),
        go_now=request.query_params.get("go") == "yes",
        tx_code=offered.tx_code,
        code_form=code_form[:1].upper() + code_form[1:],
        code_fault=code_fault,
        code_written=unfitting_code or code_written,
        problem=problem_words(collection.problem) if collection.problem else None,
        unknown=[i for i, part in zip(items, collection.parts, strict=True) if part.state is PartState.UNKNOWN_ISSUER],
        stored=collection.stored_ids,
        asked_by=asked_by(vault, wallet, collection.for_share, t),
        titles={certificate.id: read_card(certificate, language).title for certificate in stored},
    )
