"""Answering a request, screen by screen (consent.md, S0 to S4). Nothing here needs a script.

S0  `GET /present` shows the link's host and asks; nothing has been fetched.
    `POST /present` fetches and checks, after the person's yes.
S1, S2  `GET /share/ID` shows who asks, why, until when, and what; `POST /share/ID` takes ticks and the decision.
S3  `GET /share/ID/confirm` repeats it in a sentence; `POST` takes the passphrase.
S4  `GET /share/ID/outcome` says what became of it, and sends the browser back where the recipient wants it.

The first button of every form with a decision shows the page again: the Enter key never shares (CS-01).
"""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from schemas.dcql import InvalidSelection
from schemas.errors import ProtocolError, TooManyRequests
from schemas.presentation import RequestLink, parse_link
from service.i18n import N_
from service.pages import LanguageSwitch
from wallet.certificates import NoCopiesLeft
from wallet.consent import CannotSatisfy, ShownSomethingElse, YesMissing
from wallet.decision import Chosen, Decision
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, WalletDep, go_to, the_wallet
from wallet.pages.share_view import decision_view, entry_view
from wallet.pages.share_words import CAME_BY, fault_words
from wallet.presentation import CopyDiffers
from wallet.requests import (
    AlreadyAnswered,
    CameBy,
    CouldNotFetch,
    RequestExpired,
    RequestFault,
    asked_host,
)
from wallet.requests.links import MAX_LINK_CHARACTERS
from wallet.sharing import Sharing
from wallet.vault import UnlockedVault, WrongPassphrase

router = APIRouter()

CHANGED = N_("Something has changed since you looked. Nothing was shared. Please look again.")
EXPIRED = N_("The request has ended. Nothing was shared.")
WRONG_PASSPHRASE = N_("This is not your passphrase. Nothing was shared. Try again.")
TOO_MANY = N_("Too many attempts. Nothing was shared. Wait a minute and try again.")
NO_COPIES = N_("The last one-time copy was used in the meantime. Nothing was shared.")
ENTER_DOES_NOT_SHARE = N_("Nothing was shared. Press the button when you are sure.")


def the_sharing(request: Request) -> Sharing:
    """Shares of this wallet service."""
    return Sharing(the_wallet(request))


SharingDep = Annotated[Sharing, Depends(the_sharing)]


# --- S0 ---------------------------------------------------------------------------------------------------------------


@router.get("/present")
async def arrive(request: Request, vault: VaultDep, pages: PagesDep) -> Response:
    """Where the links of requests lead: show the host, and ask. Nothing is fetched."""
    if not request.url.query or "client_id" not in request.query_params:
        return go_to(request, "/receive")
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name not in ("came_by", "lang")]
    how = _came_by(request.query_params.get("came_by", ""))
    return await _show_arrival(request, pages, urlencode(pairs), how)


@router.post("/present", dependencies=[FromOurForm])
async def look(
    request: Request,
    vault: VaultDep,
    pages: PagesDep,
    sharing: SharingDep,
    link: Annotated[str, Form(max_length=MAX_LINK_CHARACTERS)],
    came_by: Annotated[str, Form(max_length=20)] = "",
    decision: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """After the question: fetch the request, or stop."""
    how = _came_by(came_by)
    if decision not in ("continue", "stop"):
        return await _show_arrival(request, pages, link, how)
    parsed = parse_link(f"?{link}", max_chars=MAX_LINK_CHARACTERS)
    if decision == "stop":
        sharing.stopped(vault, asked_host(parsed), came_by=how)
        return pages.redirect("/", message=N_("You stopped. Nothing was fetched and nothing was sent."))
    try:
        share_id = await sharing.begin(vault, parsed, came_by=how)
    except CouldNotFetch as exc:
        return await _show_arrival(request, pages, link, how, problem=exc.error, status=502)
    except RequestExpired:
        return await _show_arrival(request, pages, link, how, problem="request_expired", status=410)
    except AlreadyAnswered:
        return await pages.render(request, "share/answered.html", status=409)
    return go_to(request, f"/share/{share_id}")


def _came_by(written: str) -> CameBy:
    return CameBy(written) if written in set(CameBy) else CameBy.LINK


async def _show_arrival(
    request: Request, pages: PagesDep, link: str, came_by: CameBy, *, problem: str = "", status: int = 200
) -> Response:
    switch = LanguageSwitch("/present", {"link": link, "came_by": came_by.value}) if request.method == "POST" else None
    try:
        parsed: RequestLink = parse_link(f"?{link}", max_chars=MAX_LINK_CHARACTERS)
    except ProtocolError as exc:
        return await pages.render(
            request, "share/fault.html", status=400, switch=switch, fault=None, host="", error=exc.error,
            description=exc.description, words=fault_words(exc.error),
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
        problem=problem,
        words=fault_words(problem),
    )


# --- S1, S2 -----------------------------------------------------------------------------------------------------------


@router.get("/share/{share_id}")
async def decide_page(
    request: Request, vault: VaultDep, pages: PagesDep, sharing: SharingDep, share_id: str
) -> Response:
    """The decision screen, as the person left it; on a fresh one nothing is chosen."""
    if not sharing.is_kept(vault, share_id):
        return go_to(request, f"/history/{share_id}")
    fault = sharing.fault(vault, share_id)
    if fault is not None:
        return await pages.render(
            request, "share/fault.html", status=200, fault=fault, host=fault.host, error=fault.error,
            description=fault.description, words=fault_words(fault.error),
        )  # fmt: skip
    if not sharing.is_open(vault, share_id):
        return go_to(request, f"/share/{share_id}/outcome")
    try:
        decision = sharing.decision(vault, share_id, language=pages.language(request))
    except RequestExpired:
        return await _show_expired(request, pages, sharing, vault, share_id)
    except RequestFault as exc:
        return await _show_late_fault(request, pages, exc)
    except InvalidSelection:
        decision = sharing.choose(vault, share_id, Chosen(), language=pages.language(request))
    return await _show_decision(request, pages, sharing, vault, decision)


@router.post("/share/{share_id}", dependencies=[FromOurForm])
async def choose(
    request: Request,
    vault: VaultDep,
    pages: PagesDep,
    sharing: SharingDep,
    share_id: str,
    decision: Annotated[str, Form(max_length=20)] = "",
    optional: Annotated[list[int], Form()] = [],  # noqa: B006
    yes: Annotated[list[str], Form()] = [],  # noqa: B006
    use: Annotated[str, Form(max_length=5000)] = "",
    to_language: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Take the ticks, and the decision if one was made. A form without a decision only shows the page again."""
    language = pages.language(request)
    try:
        if decision == "refuse":
            await sharing.refuse(vault, share_id, language=language)
            return go_to(request, f"/share/{share_id}/outcome")
        if decision == "close":
            sharing.close(vault, share_id)
            return pages.redirect("/", message=N_("You left without answering. Nothing was sent."))
        before = sharing.decision(vault, share_id, language=language)
        chosen = _chosen(before.chosen, optional=optional, yes=yes, use=use)
        shown = sharing.choose(vault, share_id, chosen, language=language)
    except AlreadyAnswered:
        return go_to(request, f"/share/{share_id}/outcome")
    except (RequestExpired, RequestFault):
        return go_to(request, f"/share/{share_id}")  # That page says so.
    except InvalidSelection:
        return pages.redirect(f"/share/{share_id}", message=CHANGED, kind="warning")
    if decision != "share":
        lang = f"?lang={to_language}" if to_language in ("sv", "en") else ""
        anchor = "" if to_language else "#what"
        return go_to(request, f"/share/{share_id}{lang}{anchor}")
    if not shown.is_satisfiable:
        return go_to(request, f"/share/{share_id}")
    if shown.missing_yes:
        return go_to(request, f"/share/{share_id}?missing=1")
    return go_to(request, f"/share/{share_id}/confirm")


def _chosen(before: Chosen, *, optional: list[int], yes: list[str], use: str) -> Chosen:
    """What the form says. `use` names another alternative: `option:1`, `pick:QUERY:KEY` or `add:QUERY:KEY`."""
    option, picked = before.option, dict(before.picked)
    kind, _, rest = use.partition(":")
    query_id, _, key = rest.partition(":")
    if kind == "option" and rest.isdigit():
        option, picked = int(rest), {}
    elif kind == "pick":
        picked[query_id] = (key,)
    elif kind == "add":
        picked[query_id] = (*picked.get(query_id, ()), key)
    return Chosen(option=option, picked=picked, ticked=frozenset(optional), approved=frozenset(yes))


async def _show_decision(
    request: Request, pages: PagesDep, sharing: Sharing, vault: UnlockedVault, decision: Decision
) -> Response:
    language = pages.language(request)
    missing = decision.missing_yes if "missing" in request.query_params else ()
    return await pages.render(
        request,
        "share/decide.html" if decision.is_satisfiable else "share/lacking.html",
        faults=[(f"yes-{item.id}", item.name.text(language)) for item in missing],
        view=decision_view(decision, pages.translator(request), history=sharing.history(vault)[0]),
        decision=decision,
        other_language="en" if language == "sv" else "sv",
    )


async def _show_expired(
    request: Request, pages: PagesDep, sharing: Sharing, vault: UnlockedVault, share_id: str
) -> Response:
    who = sharing.entry(vault, share_id).who.text(pages.language(request))
    return await pages.render(request, "share/expired.html", share_id=share_id, who=who)


async def _show_late_fault(request: Request, pages: PagesDep, exc: RequestFault) -> Response:
    """Trust was withdrawn, or something else no longer holds, while the person was looking."""
    return await pages.render(
        request, "share/fault.html", status=400, fault=None, host="", error=exc.error, description=exc.description,
        words=fault_words(exc.error),
    )  # fmt: skip


# --- S3 ---------------------------------------------------------------------------------------------------------------


@router.get("/share/{share_id}/confirm")
async def confirm_page(
    request: Request, vault: VaultDep, pages: PagesDep, sharing: SharingDep, share_id: str
) -> Response:
    """The sentence that is confirmed, and the passphrase."""
    return await _show_confirm(request, pages, sharing, vault, share_id)


@router.post("/share/{share_id}/confirm", dependencies=[FromOurForm])
async def confirm(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    sharing: SharingDep,
    share_id: str,
    decision: Annotated[str, Form(max_length=20)] = "",
    digest: Annotated[str, Form(max_length=128)] = "",
    passphrase: Annotated[str, Form(max_length=5000)] = "",
) -> Response:
    """Share exactly what this page said, or do not."""
    language, fault, status = pages.language(request), ENTER_DOES_NOT_SHARE, 200
    try:
        if decision == "refuse":
            await sharing.refuse(vault, share_id, language=language)
            return go_to(request, f"/share/{share_id}/outcome")
        if decision == "share":
            await wallet.limit_unlocking(request.client.host if request.client else "", vault.name)
            await sharing.approve(vault, share_id, language=language, approved_digest=digest, passphrase=passphrase)
            await wallet.forget_tries(vault.name)
            return go_to(request, f"/share/{share_id}/outcome")
    except WrongPassphrase as exc:
        fault, status = WRONG_PASSPHRASE, exc.status
    except TooManyRequests as exc:
        fault, status = TOO_MANY, exc.status
    except AlreadyAnswered:
        return go_to(request, f"/share/{share_id}/outcome")
    except (RequestExpired, RequestFault):
        return go_to(request, f"/share/{share_id}")  # That page says so, and offers to fetch a new one.
    except NoCopiesLeft:
        return pages.redirect(f"/share/{share_id}", message=NO_COPIES, kind="warning")
    except (ShownSomethingElse, YesMissing, CannotSatisfy, CopyDiffers, InvalidSelection):
        return pages.redirect(f"/share/{share_id}", message=CHANGED, kind="warning")
    entered = bool(passphrase) or decision != ""
    return await _show_confirm(request, pages, sharing, vault, share_id, fault=fault if entered else "", status=status)


async def _show_confirm(
    request: Request,
    pages: PagesDep,
    sharing: Sharing,
    vault: UnlockedVault,
    share_id: str,
    *,
    fault: str = "",
    status: int = 200,
) -> Response:
    try:
        decision = sharing.decision(vault, share_id, language=pages.language(request))
    except AlreadyAnswered:
        return go_to(request, f"/share/{share_id}/outcome")
    except (RequestExpired, RequestFault, InvalidSelection):
        return go_to(request, f"/share/{share_id}")
    if not decision.is_satisfiable or decision.missing_yes:
        return go_to(request, f"/share/{share_id}")
    switch = LanguageSwitch(f"/share/{share_id}/confirm", {}) if request.method == "POST" else None
    return await pages.render(
        request,
        "share/confirm.html",
        status=status,
        switch=switch,
        decision=decision,
        view=decision_view(decision, pages.translator(request), history=[]),
        fault=fault,
    )


# --- S4 ---------------------------------------------------------------------------------------------------------------


@router.get("/share/{share_id}/outcome")
async def outcome(request: Request, vault: VaultDep, pages: PagesDep, sharing: SharingDep, share_id: str) -> Response:
    """What became of it. In the same-device flow the browser goes on at once; the ordinary link stays."""
    if not sharing.is_kept(vault, share_id):
        return go_to(request, f"/history/{share_id}")  # Long over: the history has what there is to know.
    if sharing.is_open(vault, share_id):
        return go_to(request, f"/share/{share_id}")
    return_link, is_first = sharing.return_link(vault, share_id)
    return await pages.render(
        request,
        "share/outcome.html",
        view=entry_view(sharing.entry(vault, share_id), pages.translator(request), now=the_wallet(request).clock()),
        share_id=share_id,
        can_send_again=sharing.can_send_again(vault, share_id),
        return_link=return_link,
        go_now=is_first,
    )


@router.post("/share/{share_id}/again", dependencies=[FromOurForm])
async def send_again(request: Request, vault: VaultDep, sharing: SharingDep, share_id: str) -> Response:
    """Send the very same answer once more, since it is unknown whether it arrived."""
    if sharing.can_send_again(vault, share_id):
        await sharing.send_again(vault, share_id)
    return go_to(request, f"/share/{share_id}/outcome")


@router.post("/share/{share_id}/tell", dependencies=[FromOurForm])
async def tell(request: Request, vault: VaultDep, pages: PagesDep, sharing: SharingDep, share_id: str) -> Response:
    """Tell the sender of a faulty request what is wrong with it."""
    await sharing.tell(vault, share_id)
    return pages.redirect(f"/share/{share_id}", message=N_("They were told the code of the fault, and nothing else."))


@router.post("/share/{share_id}/renew", dependencies=[FromOurForm])
async def renew(request: Request, vault: VaultDep, pages: PagesDep, sharing: SharingDep, share_id: str) -> Response:
    """Fetch a new request in place of one that has ended."""
    try:
        new_id = await sharing.begin_again(vault, share_id)
    except (CouldNotFetch, RequestExpired):
        message = N_("They have no new request there. Ask them for a new link.")
        return pages.redirect(f"/share/{share_id}", message=message, kind="warning")
    except AlreadyAnswered:
        return await pages.render(request, "share/answered.html", status=409)
    return go_to(request, f"/share/{new_id}")
