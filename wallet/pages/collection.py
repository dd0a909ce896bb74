"""A collection, from who offers what to what has come of it; and fetching, where a person signs in at a source.

1. `GET /receive/ID` shows who offers what. `POST /fetch` begins with what a request asks for and a source can issue.
2. `POST /receive/ID/collect` collects, or leads to the source's sign-in; the same page shows how far it came.
3. `POST /receive/ID/answer` keeps or drops what came from an issuer that nobody here vouches for.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from schemas.errors import NotFound
from schemas.issuance import display_name
from service.i18n import N_
from service.pages import FormSwitch, LanguageSwitch, Pages
from wallet.authorizing import ForeignAnswer
from wallet.cards import read_card
from wallet.collection import Collection, MovedOn, PartState, Stage
from wallet.hosts import host_of
from wallet.naming import plain
from wallet.offers import OfferUnusable
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, WalletDep, go_to
from wallet.pages.share_access import SharingDep
from wallet.pages.share_arrival import back_to
from wallet.pages.share_fetch import stopped_for
from wallet.pages.waiting import asked_by, part_titles
from wallet.pages.words import PROBLEMS, problem_words, standing_line, tx_code_words
from wallet.store.provider import BACK
from wallet.vault import UnlockedVault
from wallet.vouching import REFUSALS
from wallet.web import Unreachable

router = APIRouter()

UNFITTING_CODE = N_("The code should be %(form)s. Nothing was sent, and no try was used.")
ELSEWHERE = N_("This is being collected in another window. Look again in a moment.")
FETCHED = N_("The certificate is in your wallet. Here is the request again.")
ALL_FETCHED = N_("The certificates are in your wallet. Here is the request again.")
MOST_ANSWER_CHARACTERS = 4_000
MOST_AT_ONCE = 20
MISSING_CODE = N_("Write the code that the issuer gave you.")


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
    for tried in stopped_for(share, issuer, vct, wallet, vault):
        wallet.put_away(vault, tried)
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
    t = pages.translator(request)
    configurations = dict(offered.items)
    for part, title in zip(collection.parts, part_titles(collection, t), strict=True):
        metadata = configurations[part.configuration].credential_metadata
        items.append(
            {
                "name": title,
                "claims": [
                    plain(shown)
                    for claim in (metadata.claims if metadata and metadata.claims else [])
                    if (shown := display_name(claim.display, language))
                ],
                "part": part,
                "problem": problem_words(part.problem) if part.problem else None,
            }
        )
    code_form = tx_code_words(offered.tx_code, t)
    code_fault = ""
    if unfitting_code is not None:
        code_fault = t(UNFITTING_CODE, form=code_form) if unfitting_code.strip() else t(MISSING_CODE)
    has_field = collection.stage is Stage.OFFERED and offered.wants_tx_code and not offered.wants_sign_in
    is_offered = collection.stage is Stage.OFFERED
    standing = wallet.issuer_standing(collection) if is_offered else None
    problem = collection.problem
    if standing is not None and (not problem or problem in REFUSALS):
        problem = standing.refusal  # What was found before may be otherwise by now.
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
        problem=problem_words(problem) if problem else None,
        problem_code=problem,
        standing=standing_line(standing, t) if standing is not None else "",
        unknown=[i for i, part in zip(items, collection.parts, strict=True) if part.state is PartState.UNKNOWN_ISSUER],
        stored=collection.stored_ids,
        asked_by=asked_by(vault, wallet, collection.for_share, t),
        titles={certificate.id: read_card(certificate, language).title for certificate in stored},
    )
