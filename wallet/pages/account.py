"""People at the door: make a vault, open it, lock it, change its passphrase, choose the language."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from schemas.errors import Refused, TooManyRequests
from service.i18n import LANGUAGES, N_
from service.pages import FormSwitch, LanguageSwitch, Pages
from service.passwords import PasswordTooLong
from service.rate_limits import client_address
from wallet.deployment import Deployment
from wallet.histories import Histories
from wallet.pages.access import (
    FromOurDoor,
    FromOurForm,
    MaybeVaultDep,
    PagesDep,
    VaultDep,
    WalletDep,
    arrived_with,
    counted_try,
    go_to,
    own_path,
    start_session,
    unlock_page,
)
from wallet.pages.history_words import NOT_INTACT
from wallet.store.people import NameTaken, VaultChanged
from wallet.vault import SHORTEST_PASSPHRASE, UnlockedVault, UnsuitableName, UnsuitablePassphrase, WrongPassphrase
from wallet.withdrawals import Withdrawals

router = APIRouter()
_log = structlog.get_logger("wallet")

FAULTS = {
    WrongPassphrase: N_("The name and the passphrase do not belong together. Check both and try again."),
    NameTaken: N_("There already is a wallet with this name here. Choose another name, or open that wallet."),
    UnsuitableName: N_("Write a name of at most 100 characters."),
    UnsuitablePassphrase: N_("Choose a passphrase of at least 8 characters. Several words are good."),
    VaultChanged: N_("The wallet was changed in another window at the same time. Nothing was changed here. Try again."),
    PasswordTooLong: N_("The passphrase is too long. At most 1,000 characters."),
    TooManyRequests: N_("Too many attempts. Wait a minute and try again."),
}
OTHER_PASSPHRASE = N_("The present passphrase is another one.")


@router.get("/unlock")
async def unlock_form(request: Request, pages: PagesDep, vault: MaybeVaultDep) -> Response:
    """The form that opens a vault."""
    if vault is not None:
        return go_to(request, "/")
    return await unlock_page(request)


@router.post("/unlock", dependencies=[FromOurDoor])
async def unlock(
    request: Request,
    wallet: WalletDep,
    pages: PagesDep,
    name: Annotated[str, Form(max_length=1000)] = "",
    passphrase: Annotated[str, Form(max_length=5000)] = "",
    wanted: Annotated[str, Form(max_length=100_000)] = "/",
    to_language: Annotated[str, Form(max_length=5)] = "",
    said: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """Open a vault, take up what stopped in the middle, and go on to what was asked for. With `to_language` the form is
    only shown again, with the fault that it `said`."""
    if to_language:
        fault = said if said in FAULTS.values() else ""
        return await unlock_page(request, wanted=wanted, fault=fault, name=name)
    try:
        async with counted_try(request, wallet, name):
            vault = await wallet.unlock(name, passphrase)
    except (Refused, TooManyRequests) as exc:
        fault = FAULTS.get(type(exc), FAULTS[WrongPassphrase])
        return await unlock_page(request, wanted=wanted, fault=fault, name=name, status=exc.status)
    return await go_in(request, wallet, pages, vault, wanted)


async def go_in(request: Request, wallet: Deployment, pages: Pages, vault: UnlockedVault, wanted: str) -> Response:
    """Into a vault that was opened: take up what stopped in the middle, check the history, go on to what was wanted.

    What others have answered, or answer now, shuts nobody out of their own vault.
    """
    for take_up in (wallet.resume, Withdrawals(wallet).tend):
        try:
            await take_up(vault)
        except VaultChanged:
            raise
        except Exception as exc:  # noqa: BLE001 - See above; that it happened is for the operator.
            _log.error("taking_up_broke", what=take_up.__name__, error=type(exc).__name__)
    response = go_to(request, own_path(wanted))
    if not Histories(wallet).read(vault).is_intact:
        response = pages.redirect(own_path(wanted), message=NOT_INTACT, kind="bad")
    await start_session(request, vault, response)
    return response


@router.get("/welcome")
async def create_form(request: Request, pages: PagesDep, wanted: str = "/") -> Response:
    """The form that makes a vault."""
    return await _create_page(request, pages, wanted=own_path(wanted))


async def _create_page(
    request: Request, pages: Pages, *, wanted: str, fault: str = "", field: str = "", name: str = "", status: int = 200
) -> Response:
    return await pages.render(
        request,
        "create.html",
        status=status,
        switch=FormSwitch("create-form", "/welcome"),
        wanted=wanted,
        arrived=arrived_with(wanted),
        fault=fault,
        field=field,
        name=name,
    )


@router.post("/welcome", dependencies=[FromOurDoor])
async def create(
    request: Request,
    wallet: WalletDep,
    pages: PagesDep,
    name: Annotated[str, Form(max_length=1000)] = "",
    passphrase: Annotated[str, Form(max_length=5000)] = "",
    wanted: Annotated[str, Form(max_length=100_000)] = "/",
    begin: Annotated[str, Form()] = "",
    to_language: Annotated[str, Form(max_length=5)] = "",
    said: Annotated[str, Form(max_length=1_000)] = "",
    said_of: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Make a vault and open it. With `begin` alone it shows the form, keeping what was asked for; with `to_language` as
    well, and with the fault that it `said`."""
    if begin or to_language:
        fault, of = (said, said_of) if said in FAULTS.values() and said_of in ("name", "passphrase") else ("", "")
        return await _create_page(request, pages, wanted=wanted, fault=fault, field=of, name=name)
    try:
        async with counted_try(request, wallet, name):
            vault = await wallet.create(name, passphrase, language=pages.language(request))
    except (Refused, TooManyRequests) as exc:
        return await _create_page(
            request,
            pages,
            status=exc.status,
            wanted=wanted,
            fault=FAULTS.get(type(exc), FAULTS[UnsuitablePassphrase]),
            field="passphrase" if isinstance(exc, UnsuitablePassphrase | PasswordTooLong) else "name",
            name=name,
        )
    response = go_to(request, own_path(wanted))
    await start_session(request, vault, response)
    return response


@router.post("/lock", dependencies=[FromOurForm])
async def lock(request: Request, wallet: WalletDep, pages: PagesDep) -> Response:
    """Lock the vault in this browser."""
    session = await pages.session(request)
    response = pages.redirect("/unlock", message=N_("The wallet is locked."))
    if session is not None:
        await wallet.sessions.close(session)
    wallet.sessions.clear_cookie(response)
    return response


@router.get("/settings")
async def settings(request: Request, vault: VaultDep, pages: PagesDep) -> Response:
    """Language and passphrase."""
    return await _settings_page(request, pages, vault)


async def _settings_page(
    request: Request, pages: Pages, vault: UnlockedVault, *, fault: str = "", field: str = "", status: int = 200
) -> Response:
    again = LanguageSwitch("/settings/passphrase", {"said": fault, "said_of": field})
    return await pages.render(
        request,
        "settings.html",
        status=status,
        switch=again if request.method == "POST" else None,
        vault=vault,
        fault=fault,
        field=field,
        shortest=SHORTEST_PASSPHRASE,
    )


@router.post("/settings/language", dependencies=[FromOurForm])
async def choose_language(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    language: Annotated[str, Form(max_length=5)] = "sv",
) -> Response:
    """Remember the language that the person chose, on the page and in the vault."""
    chosen = language if language in LANGUAGES else "sv"
    wallet.choose_language(vault, chosen)
    return go_to(request, f"/settings?lang={chosen}")


@router.post("/settings/passphrase", dependencies=[FromOurForm])
async def change_passphrase(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    old: Annotated[str, Form(max_length=5000)] = "",
    new: Annotated[str, Form(max_length=5000)] = "",
    said: Annotated[str, Form(max_length=1_000)] = "",
    said_of: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Another passphrase. Other browsers in which the vault is open are locked. With the fault that the page `said` it
    is only shown again, in the other language."""
    if said in (OTHER_PASSPHRASE, *FAULTS.values()) and said_of in ("old", "new"):
        return await _settings_page(request, pages, vault, fault=said, field=said_of)
    try:
        await wallet.limit_unlocking(client_address(request), vault.name)
        await wallet.change_passphrase(vault, old=old, new=new)
    except (Refused, TooManyRequests) as exc:
        fault, of = (OTHER_PASSPHRASE, "old") if isinstance(exc, WrongPassphrase) else (FAULTS[type(exc)], "new")
        return await _settings_page(request, pages, vault, fault=fault, field=of, status=exc.status)
    response = pages.redirect("/settings", message=N_("The passphrase is changed. Other browsers are locked."))
    await start_session(request, vault, response)
    return response
