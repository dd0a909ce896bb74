"""Acting for one another (CS-42): what was done for you, the powers that others hold for you and how to end them, your
address for reports, and whom you act for.

`POST /reports/{handle}` is where other wallets tell of acts; it looks at nothing, since the vault is locked then.
"""

import base64
import binascii
from datetime import date, datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import JSONResponse, Response

from proofs.act_report import ReportUnchecked
from schemas.act_report import MOST_REPORT_BYTES, REPORT_MEDIA_TYPE
from schemas.errors import Malformed, NotFound, ProtocolError
from service.i18n import N_, Translator
from service.pages import FormSwitch, LanguageSwitch
from service.rate_limits import client_address
from wallet.acts import Acts, ToldOtherwise
from wallet.deployment import Deployment
from wallet.hosts import host_of
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, WalletDep
from wallet.pages.acting_words import held_view, mine_views
from wallet.powers_desk import desk_of
from wallet.powers_over_me import PowersOverMe
from wallet.reporting import HeldByAnother
from wallet.telling_acts import Telling
from wallet.vault import UnlockedVault

router = APIRouter()

_NO_FILE = N_("Choose the file that you were given.")
_NOT_GENUINE = N_(
    "This does not hold. Either it was changed, or nobody you trust gave the power. Nothing was taken in."
)
_UNCHECKED = N_("It could not be checked just now. Nothing was taken in. Try again later.")
_OTHERWISE = N_("Of the same act you were told something else before. What stood there stays.")
_FAULTS: dict[type[ProtocolError], str] = {ReportUnchecked: "unchecked", ToldOtherwise: "otherwise"}
_SAID = {"no_file": _NO_FILE, "not_genuine": _NOT_GENUINE, "unchecked": _UNCHECKED, "otherwise": _OTHERWISE}
"""What is wrong with a file, by the name under which it is said again in the other language."""
_SAY_YES_SAID = "say_yes"
_SAY_YES = N_("Tick that it is about you. Else nothing is taken in.")


@router.post("/reports/{handle}")
async def take_report(request: Request, wallet: WalletDep, handle: str) -> Response:
    """A report of an act for whoever has this address, sealed; kept until they open their wallet."""
    await wallet.limit_reports(client_address(request))
    if request.headers.get("content-type", "").partition(";")[0].strip() != REPORT_MEDIA_TYPE:
        raise Malformed(f"a report is sent as {REPORT_MEDIA_TYPE}")
    Acts(wallet).arrive(handle, await request.body())
    return JSONResponse({"state": "received"}, status_code=202, headers={"cache-control": "no-store"})


@router.get("/acting")
async def overview(request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep) -> Response:
    """Everything about acting for one another. What waits is taken in first."""
    await Acts(wallet).tend(vault)
    return await _overview(request, vault, wallet, pages)


@router.post("/acting/seen", dependencies=[FromOurForm])
async def seen(
    vault: VaultDep, wallet: WalletDep, pages: PagesDep, until: Annotated[str, Form(max_length=40)] = ""
) -> Response:
    """The person has seen what was done for them, as far as the first page told it to them."""
    try:
        moment = datetime.fromisoformat(until)
    except ValueError:
        return pages.redirect("/")
    if moment.tzinfo is not None:
        PowersOverMe(wallet).put_aside(vault, until=moment)
    return pages.redirect("/")


@router.post("/acting/address", dependencies=[FromOurForm])
async def address(
    vault: VaultDep, wallet: WalletDep, pages: PagesDep, decision: Annotated[str, Form(max_length=20)] = ""
) -> Response:
    """Make the address, or close it; anything but a button shows the page again."""
    if decision == "make":
        Acts(wallet).open_address(vault)
        return pages.redirect("/acting", message=N_("The address is made. Give it to whoever gives the power."))
    if decision == "close":
        Acts(wallet).close_address(vault)
        return pages.redirect("/acting", message=N_("The address is closed. Nothing is taken in there any more."))
    return pages.redirect("/acting")


@router.post("/acting/file", dependencies=[FromOurForm])
async def file(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    file: UploadFile | None = None,
    package: Annotated[str, Form(max_length=2 * MOST_REPORT_BYTES)] = "",
    about_me: Annotated[str, Form(max_length=10)] = "",
    decision: Annotated[str, Form(max_length=20)] = "",
    said: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """What somebody handed over: shown first, and taken in with the person's own yes that it is about them.

    `said` is what the page said before it was shown in the other language.
    """
    t = pages.translator(request)
    if said in _SAID:
        return await _overview(request, vault, wallet, pages, fault=said)
    if decision == "leave":
        return pages.redirect("/acting", message=N_("Nothing was taken in."), kind="info")
    content = await file.read(MOST_REPORT_BYTES + 1) if file is not None else _unpacked(package)
    if not content:
        return await _overview(request, vault, wallet, pages, fault="no_file")
    acts = Acts(wallet)
    try:
        if decision == "take" and about_me:
            entry_id = await acts.take_in_file(vault, content, is_about_me=True)
            return pages.redirect(f"/history/{entry_id}", message=N_("It stands in your sharing history now."))
        read = await acts.read_file(vault, content)
    except ProtocolError as exc:
        return await _overview(request, vault, wallet, pages, fault=_FAULTS.get(type(exc), "not_genuine"))
    lacks_yes = bool(decision) or said == _SAY_YES_SAID
    return await pages.render(
        request,
        "acts/file.html",
        status=400 if lacks_yes else 200,
        switch=FormSwitch("file-form", "/acting/file"),
        fault=t(_SAY_YES) if lacks_yes else "",
        said=_SAY_YES_SAID if lacks_yes else "",
        about_me=bool(about_me),
        facts=read.facts,
        who=read.facts["who"].get(t.language) or read.facts["host"],
        principal=read.principal,
        birthdate=t.date(date.fromisoformat(read.birthdate)) if read.birthdate else "",
        package=base64.urlsafe_b64encode(content).decode(),
    )


@router.get("/acting/held/{key}/end")
async def end(request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, key: str) -> Response:
    """How a power that somebody holds for you is ended: on the page of its source, or with a letter."""
    powers = PowersOverMe(wallet)
    await powers.look(vault)
    held = next((one for one in powers.all(vault) if one.key == key), None)
    if held is None:
        raise NotFound("There is no such power")
    if held.has_ended:
        return pages.redirect("/acting", message=N_("This power has ended already."), kind="info")
    t = pages.translator(request)
    subject, body = _letter(held, t)
    return await pages.render(
        request,
        "acts/end.html",
        held=held_view(held, t),
        page=await desk_of(held.issuer_identifier, web=wallet.web),
        host=host_of(held.issuer_identifier),
        subject=subject,
        body=body,
        mail=f"mailto:?subject={quote(subject)}&body={quote(body)}",
    )


@router.get("/history/{entry_id}/act.json")
async def act_file(vault: VaultDep, wallet: WalletDep, entry_id: str) -> Response:
    """The report of what the person did for somebody else, to hand over to them."""
    content = Telling(wallet).file_of(vault, entry_id)
    headers = {
        "content-disposition": f'attachment; filename="intyga-act-{entry_id[:8]}.json"',
        "cache-control": "no-store",
    }
    return Response(content, media_type="application/json", headers=headers)


def _letter(held: HeldByAnother, t: Translator) -> tuple[str, str]:
    subject = t(N_("I end a power of representation"))
    lines = (
        t(N_("To %(name)s"), name=held.issuer),
        t(
            N_("I am %(me)s. %(agent)s holds a power to act for me, from you, from %(begins)s to %(ends)s."),
            me=held.principal,
            agent=held.agent,
            begins=t.date(held.begins_on),
            ends=t.date(held.ends_on),
        ),
        t(N_("I end this power. Please revoke it at once, and confirm it to me.")),
        held.principal,
    )
    return subject, "\n\n".join(lines)


def _unpacked(package: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(package.encode("ascii"))
    except (ValueError, binascii.Error):
        return b""


async def _overview(
    request: Request, vault: UnlockedVault, wallet: Deployment, pages: PagesDep, *, fault: str = ""
) -> Response:
    t, acts, powers = pages.translator(request), Acts(wallet), PowersOverMe(wallet)
    stands = await powers.look(vault)
    await wallet.check_powers(vault)
    address = acts.address(vault)
    return await pages.render(
        request,
        "acts/overview.html",
        status=400 if fault else 200,
        switch=LanguageSwitch("/acting/file", {"said": fault}) if fault else None,
        fault=t(_SAID[fault]) if fault else "",
        held=[held_view(one, t, stands=stands.get(one.key, "")) for one in powers.all(vault)],
        address=str(address) if address is not None else "",
        mine=mine_views(vault.certificates(), t, now=wallet.clock(), time_zone=wallet.settings.time_zone),
    )
