"""S0 of a share: the link's host and the question, and the fetch after a yes. Nothing here needs a script.

`GET /present` shows the host and asks; `POST /present` fetches and checks. A fault is shown with its code, and told to
a proven sender when the person says so.

How a request came is said by our own forms alone (OA-12): a link that is opened is a link, whatever it says of itself.
"""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from schemas.errors import ProtocolError
from schemas.presentation import RequestLink, parse_link
from service.i18n import N_
from service.pages import LanguageSwitch, Pages
from wallet.delivery import DeliveryState
from wallet.links import LONGEST_LINK
from wallet.over_asking import WarningKind, says
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, go_to
from wallet.pages.share_access import SharingDep, show_answered
from wallet.pages.share_words import ARRIVALS, CAME_BY, fault_words
from wallet.requests import AlreadyAnswered, CameBy, CouldNotFetch, RequestExpired, RequestMuted, asked_host
from wallet.sharing import Kept, Sharing
from wallet.vault import UnlockedVault

_WERE_TOLD = N_("They were told the code of the fault, and nothing else.")
_TOLD = {
    DeliveryState.NOT_DELIVERED: N_("They were not told: they could not be reached."),
    DeliveryState.UNKNOWN: N_("Whether they were told is not known: no answer came."),
}

router = APIRouter()

KEPT = {
    Kept.ALL: N_("The same is asked for as before. What you had chosen is kept."),
    Kept.NONE: N_("Something is different than before. Please choose again."),
}
BRING_A_REQUEST = N_("To answer a request, paste its link, choose a picture of its code, or type the code.")


@router.get("/present")
async def arrive(request: Request, vault: VaultDep, pages: PagesDep) -> Response:
    """Where the links of requests lead: show the host, and ask. Nothing is fetched."""
    if not request.url.query or "client_id" not in request.query_params:
        answer = pages.redirect("/receive", message=BRING_A_REQUEST, kind="info")
        pages.remember_language(request, answer)
        return answer
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return await show_arrival(request, pages, urlencode(pairs), CameBy.LINK)


@router.post("/present", dependencies=[FromOurForm])
async def look(
    request: Request,
    vault: VaultDep,
    pages: PagesDep,
    sharing: SharingDep,
    link: Annotated[str, Form(max_length=LONGEST_LINK)],
    came_by: Annotated[str, Form(max_length=20)] = "",
    decision: Annotated[str, Form(max_length=20)] = "",
    said: Annotated[str, Form(max_length=60, pattern="^[a-z0-9_]*$")] = "",
) -> Response:
    """After the question: fetch the request, stop, or stop and report it. `said` is the code of what had kept it from
    being fetched, for the other language."""
    how = _came_by(came_by)
    if decision == "muted":
        return await _show_muted(request, pages, link, how)
    if decision == "answered":
        return await show_answered(request, pages, by_you=True)
    if decision not in ("continue", "stop", "report", "show"):
        return await show_arrival(request, pages, link, how, problem=said)
    parsed = parse_link(f"?{link}", max_chars=LONGEST_LINK)
    if decision == "stop":
        sharing.stopped(vault, asked_host(parsed), came_by=how)
        return pages.redirect("/", message=N_("You stopped. Nothing was fetched and nothing was sent."))
    if decision == "report":
        entry_id = sharing.stopped(vault, asked_host(parsed), came_by=how)
        return go_to(request, f"/history/{entry_id}/report")
    return await fetch_request(request, pages, vault, sharing, link, how, show_muted=decision == "show")


async def fetch_request(
    request: Request,
    pages: Pages,
    vault: UnlockedVault,
    sharing: Sharing,
    link: str,
    how: CameBy,
    *,
    show_muted: bool = False,
) -> Response:
    """After a yes to whose link (its query) it is: fetch the request and go on to it, or say why that cannot be.

    Raises `ProtocolError` for what is no link of a request.
    """
    parsed = parse_link(f"?{link}", max_chars=LONGEST_LINK)
    try:
        share_id = await sharing.begin(vault, parsed, came_by=how, show_muted=show_muted)
    except CouldNotFetch as exc:
        return await show_arrival(request, pages, link, how, problem=exc.error, status=502)
    except RequestExpired:
        return await show_arrival(request, pages, link, how, problem="request_expired", status=410)
    except AlreadyAnswered:
        return await show_answered(request, pages, by_you=True)
    except RequestMuted:
        return await _show_muted(request, pages, link, how)
    return go_to(request, f"/share/{share_id}")


async def _show_muted(request: Request, pages: Pages, link: str, how: CameBy) -> Response:
    switch = LanguageSwitch("/present", {"link": link, "came_by": how.value, "decision": "muted"})
    return await pages.render(request, "share/muted.html", switch=switch, link=link, came_by=how.value)


def _came_by(written: str) -> CameBy:
    return CameBy(written) if written in set(CameBy) else CameBy.LINK


def not_started_here(came_by: CameBy) -> str:
    """The warning of what may have been started by somebody else; "" for a link opened in this browser (OA-12)."""
    return says(WarningKind.NOT_STARTED_HERE).sentence if came_by.perhaps_from_elsewhere else ""


def host_of_request(link: str) -> str:
    """The host that the link (its query) of a request names; "" when there is none."""
    try:
        return asked_host(parse_link(f"?{link}", max_chars=LONGEST_LINK))
    except ProtocolError:
        return ""


async def show_arrival(
    request: Request, pages: PagesDep, link: str, came_by: CameBy, *, problem: str = "", status: int = 200
) -> Response:
    """S0: the host of a request's link (its query), how it came, and the question."""
    fields = {"link": link, "came_by": came_by.value, "said": problem}
    switch = LanguageSwitch("/present", fields) if request.method == "POST" else None
    try:
        parsed: RequestLink = parse_link(f"?{link}", max_chars=LONGEST_LINK)
    except ProtocolError as exc:
        return await pages.render(
            request, "share/fault.html", status=400, switch=switch, fault=None, host="", acting_for="", error=exc.error,
            words=fault_words(exc.error), return_link=None,
        )  # fmt: skip
    return await pages.render(
        request,
        "share/arrival.html",
        status=status,
        switch=switch,
        host=asked_host(parsed),
        fetches=bool(parsed.request_uri),
        link=link,
        came_by=came_by.value,
        how=CAME_BY[came_by],
        asks=ARRIVALS[came_by].asks if asked_host(parsed) else ARRIVALS[came_by].asks_of_nobody,
        otherwise=ARRIVALS[came_by].otherwise,
        elsewhere=not_started_here(came_by),
        problem=problem,
        words=fault_words(problem),
    )


@router.post("/share/{share_id}/tell", dependencies=[FromOurForm])
async def tell(request: Request, vault: VaultDep, pages: PagesDep, sharing: SharingDep, share_id: str) -> Response:
    """Tell the sender of a faulty request what is wrong with it."""
    delivery = await sharing.tell(vault, share_id)
    return pages.redirect(f"/share/{share_id}", message=_TOLD.get(delivery.state, _WERE_TOLD))


@router.post("/share/{share_id}/renew", dependencies=[FromOurForm])
async def renew(request: Request, vault: VaultDep, pages: PagesDep, sharing: SharingDep, share_id: str) -> Response:
    """Fetch a new request in place of one that has ended."""
    return await back_to(request, vault, pages, sharing, share_id, anew=True)


@router.post("/share/{share_id}/go-on", dependencies=[FromOurForm])
async def go_on(request: Request, vault: VaultDep, pages: PagesDep, sharing: SharingDep, share_id: str) -> Response:
    """Go on with a request that waited for a certificate; one that has ended is fetched anew on the way."""
    return await back_to(request, vault, pages, sharing, share_id)


async def back_to(
    request: Request,
    vault: UnlockedVault,
    pages: Pages,
    sharing: Sharing,
    share_id: str,
    *,
    anew: bool = False,
    message: str = "",
) -> Response:
    """Lead back to a request, fetched anew when it has ended, or when `anew` says so. `message` is told when it is the
    same as before."""
    if not sharing.is_kept(vault, share_id):
        return go_to(request, f"/history/{share_id}")
    try:
        back = sharing.begin_again if anew else sharing.go_back
        new_id, kept = await back(vault, share_id)
    except (CouldNotFetch, RequestExpired):
        message = N_("They have no new request there. Ask them for a new link.")
        return pages.redirect(f"/share/{share_id}", message=message, kind="warning")
    except RequestMuted:
        return pages.redirect("/", message=N_("You have muted this question. Nothing was sent."), kind="info")
    except AlreadyAnswered:
        return await show_answered(request, pages, by_you=True)
    if message and kept is not Kept.NONE:
        return pages.redirect(f"/share/{new_id}", message=message)
    if kept in KEPT:
        return pages.redirect(f"/share/{new_id}", message=KEPT[kept], kind="info")
    return go_to(request, f"/share/{new_id}")
