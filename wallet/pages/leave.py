"""Leaving: who still has something is asked to delete it, the wallet is destroyed, and that is certified.

1. `GET /settings/leave` offers to save the wallet, and lists who still has something.
2. `POST /settings/leave/ask` asks those that were ticked, where the wallet can; how it stands is then told there.
3. `POST /settings/leave` destroys the vault and leads to `GET /left`, which needs no wallet: it tells when nothing is
   left, and gives the certificate.
"""

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, Response

from schemas.errors import Refused, TooManyRequests
from service.i18n import N_, Translator
from service.pages import FormSwitch
from service.rate_limits import client_address
from wallet.histories import Histories
from wallet.leaving import MOST_NOTICE_CHARACTERS, Certified, Leaving, NotOurs
from wallet.ledger import Entry
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, WalletDep
from wallet.pages.account import FAULTS
from wallet.pages.history_view import row_view, titles_of
from wallet.pages.moving import WRONG_PASSPHRASE
from wallet.pages.take_back_words import names_of, number_line, standing_view
from wallet.pages.ways_out import in_lines, mail_link
from wallet.permissions import Permissions
from wallet.taking_back import standing_of
from wallet.vault import WrongPassphrase

router = APIRouter()

MOST_ASKED = 200
ANSWERS_SHOWN_FOR = timedelta(days=1)
_FAULTS = {**FAULTS, WrongPassphrase: WRONG_PASSPHRASE}
_ASKED = N_("They were asked. How it stands is told here.")
_TICK_SOMEBODY = N_("Tick at least one that should be asked, or go on without asking.")


@router.get("/settings/leave")
async def leave_form(request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep) -> Response:
    """What goes, what stays with others, and whom to ask to delete it."""
    return await _leave_page(request, vault, wallet, pages)


@router.post("/settings/leave/ask", dependencies=[FromOurForm])
async def ask(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    entry: Annotated[list[str], Form(max_length=MOST_ASKED)] = [],  # noqa: B006 - FastAPI copies it.
    decision: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Ask those that are ticked to delete what they have, if that is what was pressed."""
    if decision != "ask":
        return pages.redirect("/settings/leave")
    if not entry:
        return pages.redirect("/settings/leave", message=_TICK_SOMEBODY, kind="warning")
    await Leaving(wallet).ask(vault, entry, language=pages.language(request))
    return pages.redirect("/settings/leave", message=_ASKED, kind="info")


@router.post("/settings/leave", dependencies=[FromOurForm])
async def leave(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    passphrase: Annotated[str, Form(max_length=5000)] = "",
    understood: Annotated[str, Form(max_length=10)] = "",
    decision: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Destroy the vault, if that is what was pressed. Else the page is shown again, with the tick as it was."""
    t, leaving, ticked = pages.translator(request), Leaving(wallet), bool(understood)
    if decision != "delete":
        return await _leave_page(request, vault, wallet, pages, ticked=ticked)
    if not understood:
        fault = ("understood", t(N_("Tick that you know that it cannot be undone.")))
        return await _leave_page(request, vault, wallet, pages, 400, fault)
    held = leaving.held(vault)
    try:
        await wallet.limit_unlocking(client_address(request), vault.name)
        await leaving.leave(vault, passphrase)
    except (Refused, TooManyRequests) as exc:
        fault = ("passphrase", t(_FAULTS.get(type(exc), WRONG_PASSPHRASE)))
        return await _leave_page(request, vault, wallet, pages, exc.status, fault, ticked=ticked)
    response = pages.redirect("/left?" + urlencode({"notice": leaving.notice(vault.person_id, held)}))
    wallet.sessions.clear_cookie(response)
    return response


@router.get("/left")
async def left(request: Request, wallet: WalletDep, pages: PagesDep, notice: str = "") -> Response:
    """Whether all of a wallet is gone, and the certificate of that."""
    try:
        certified = Leaving(wallet).certified(notice)
    except NotOurs:
        return pages.redirect("/unlock")
    t = pages.translator(request)
    return await pages.render(
        request,
        "moving/left.html",
        certified=certified,
        keys_at=t.moment(certified.keys_destroyed_at) if certified else "",
        nothing_at=t.moment(certified.nothing_left_at) if certified else "",
        again="/left?" + urlencode({"notice": notice}),
        file="/left/file?" + urlencode({"notice": notice}),
    )


@router.get("/left/file")
async def left_file(wallet: WalletDep, pages: PagesDep, notice: str = "") -> Response:
    """The certificate as a file: what it says, and the same signed."""
    try:
        certified = Leaving(wallet).certified(notice)
    except NotOurs:
        certified = None
    if certified is None:
        return pages.redirect("/left?" + urlencode({"notice": notice[:MOST_NOTICE_CHARACTERS]}))
    name = f"intyga-deleted-{certified.nothing_left_at.date().isoformat()}.json"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return JSONResponse(certificate_file(certified, wallet.settings.base_url), headers=headers)


def certificate_file(certified: Certified, service: str) -> dict[str, object]:
    """The certificate for machines; `signed` holds the same as a JWS of the wallet service."""
    held = certified.held
    return {
        "wallet_service": service,
        "keys_destroyed_at": certified.keys_destroyed_at.isoformat(),
        "nothing_left_at": certified.nothing_left_at.isoformat(),
        "held": {
            "certificates": held.certificates,
            "history_entries": held.history_entries,
            "recovery_codes": held.recovery_codes,
            "passkeys": held.passkeys,
        },
        "not_covered": "Copies that the operator made of the database before, and what recipients have.",
        "signed": certified.token,
    }


async def _leave_page(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    status: int = 200,
    fault: tuple[str, str] | None = None,
    *,
    ticked: bool = False,
) -> Response:
    t, titles, leaving, now = pages.translator(request), titles_of(vault), Leaving(wallet), wallet.clock()
    entries = leaving.still_kept(vault)
    askable = leaving.askable(vault, entries)
    kept = [
        {
            **row_view(entry, t, now=now, titles=titles),
            "withdraw_url": entry.facts.get("withdraw_url") or "",
            "contact": entry.facts.get("withdraw_contact") or entry.facts.get("contact") or "",
            "mail": _mail(entry, t),
            "can_ask": entry.id in askable,
            "standing": standing_view(entry, standing_of(entry, now=now, time_zone=t.time_zone), t),
        }
        for entry in entries
    ]
    gone = [
        {**row_view(entry, t, now=now, titles=titles), "standing": standing_view(entry, standing, t)}
        for entry in Histories(wallet).read(vault).entries
        if (standing := standing_of(entry, now=now, time_zone=t.time_zone)).is_gone
        and standing.wish is not None
        and now - standing.wish.at < ANSWERS_SHOWN_FOR
    ]
    lasting = sum(not one.standing.is_over for one in Permissions(wallet).all(vault))
    return await pages.render(
        request,
        "moving/leave.html",
        status=status,
        switch=FormSwitch("leave-form", "/settings/leave"),
        vault=vault,
        kept=kept,
        gone=gone,
        can_ask=bool(askable),
        lasting=lasting,
        fault=fault,
        ticked=ticked,
    )


def _mail(entry: Entry, t: Translator) -> str:
    """A draft that asks for deletion, where the contact is an address of mail; it goes nowhere by itself."""
    contact = str(entry.facts.get("withdraw_contact") or entry.facts.get("contact") or "")
    subject = t(N_("Please delete my data (GDPR, article 17)"))
    said = t(
        N_("On %(day)s I shared this with you: %(items)s. Please delete it and confirm that."),
        day=t.date(entry.decided_at or entry.at),
        items=t.listed(names_of(entry, None, t)),
    )
    # Their own number, by which they can find it; that of our entry is known to nobody but this wallet.
    return mail_link(contact, subject, in_lines([said, number_line(entry.facts, t)]))
