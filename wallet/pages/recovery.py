"""The recovery code: made in the settings, used where the passphrase is forgotten; and what to do if something is lost.

The code is shown on the page that answers the form which asked for it, and nowhere else: it is in no address, and a
page that is fetched again does not have it.
"""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from schemas.errors import Refused, TooManyRequests
from service.dependencies import inline
from service.i18n import N_, Translator
from service.pages import LanguageSwitch
from wallet.pages.access import (
    FromOurDoor,
    FromOurForm,
    MaybeVaultDep,
    PagesDep,
    VaultDep,
    WalletDep,
    counted_try,
    start_session,
    the_wallet,
)
from wallet.pages.account import FAULTS
from wallet.recovering import Recovery
from wallet.recovery_code import WrongCode, read_code, write_code
from wallet.recovery_words import check_words, in_language
from wallet.vault import SHORTEST_PASSPHRASE, UnsuitablePassphrase, WrongPassphrase
from wallet.ways_in import CodeOpensNothing
from wallet.withdrawals import Withdrawals

router = APIRouter()

PassphraseForm = Annotated[str, Form(max_length=5000)]


def the_recovery(request: Request) -> Recovery:
    """The recovery codes of the wallet behind this request."""
    return Recovery(the_wallet(request))


RecoveryDep = Annotated[Recovery, Depends(inline(the_recovery))]


def code_fault(exc: WrongCode, t: Translator) -> str:
    """What is wrong with a code that was written, in a sentence that helps to find it."""
    if exc.has_wrong_length:
        return t(N_("The code has 35 signs, in 7 groups of 5. You wrote %(num)s."), num=exc.signs)
    if exc.groups:
        groups = t.listed([str(number) for number in exc.groups])
        return t.plural(
            "Group %(groups)s cannot be right. Compare it with your paper.",
            "Groups %(groups)s cannot be right. Compare them with your paper.",
            len(exc.groups),
            groups=groups,
        )
    return t(N_("A sign is wrong, but we cannot tell which. Compare each group with your paper."))


@router.get("/settings/recovery")
async def recovery_settings(request: Request, vault: VaultDep, pages: PagesDep) -> Response:
    """Whether there is a code, and the forms that make or remove one."""
    return await pages.render(request, "recovery/settings.html", vault=vault, fault="", field="")


@router.post("/settings/recovery", dependencies=[FromOurForm])
async def make_code(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    recovery: RecoveryDep,
    passphrase: PassphraseForm = "",
) -> Response:
    """Make a code, and show it this once."""
    try:
        async with counted_try(request, wallet, vault.name):
            code = await recovery.make(vault, passphrase)
    except (Refused, TooManyRequests) as exc:
        return await _refused(request, vault, pages, exc, field="passphrase")
    return await _show(request, vault, pages, code)


@router.post("/settings/recovery/shown", dependencies=[FromOurForm])
async def show_code(
    request: Request, vault: VaultDep, pages: PagesDep, code: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """The same code in the other language. It comes from the page itself; nothing here knows it."""
    try:
        code = write_code(read_code(code))
    except WrongCode:
        return pages.redirect("/settings/recovery")
    return await _show(request, vault, pages, code)


@router.post("/settings/recovery/remove", dependencies=[FromOurForm])
async def remove_code(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    recovery: RecoveryDep,
    passphrase: PassphraseForm = "",
) -> Response:
    """Take the code away."""
    try:
        async with counted_try(request, wallet, vault.name):
            await recovery.remove(vault, passphrase)
    except (Refused, TooManyRequests) as exc:
        return await _refused(request, vault, pages, exc, field="remove-passphrase")
    return pages.redirect("/settings/recovery", message=N_("The recovery code no longer opens your wallet."))


@router.post("/settings/recovery/later", dependencies=[FromOurForm])
async def later(vault: VaultDep, pages: PagesDep, recovery: RecoveryDep) -> Response:
    """Do not remind of it on the first page."""
    recovery.ask_later(vault)
    return pages.redirect("/", message=N_("You find the recovery code under Settings."), kind="info")


@router.get("/recover")
async def recover_form(request: Request, pages: PagesDep) -> Response:
    """The form for somebody who has forgotten the passphrase."""
    return await _recover_page(request, pages)


@router.post("/recover", dependencies=[FromOurDoor])
async def recover(
    request: Request,
    wallet: WalletDep,
    pages: PagesDep,
    recovery: RecoveryDep,
    name: Annotated[str, Form(max_length=1000)] = "",
    code: Annotated[str, Form(max_length=1000)] = "",
    new: PassphraseForm = "",
    decision: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Open the wallet with its code and a new passphrase. The code is spent, and every other browser is locked.

    With the decision `compare` nothing is tried: the page shows the words of the code.
    """
    t = pages.translator(request)
    try:
        read_code(code)
        if decision == "compare":
            return await _recover_page(request, pages, 200, name, code)
        async with counted_try(request, wallet, name):
            vault = await recovery.recover(name, code, new=new)
    except WrongCode as exc:
        return await _recover_page(request, pages, exc.status, name, code, ("code", code_fault(exc, t)))
    except CodeOpensNothing as exc:
        sentence = t(N_("The name and the code do not belong together, or the code was used or replaced."))
        return await _recover_page(request, pages, exc.status, name, code, ("code", sentence))
    except (Refused, TooManyRequests) as exc:
        where = "new" if isinstance(exc, UnsuitablePassphrase) else "name"
        fault = (where, t(FAULTS.get(type(exc), FAULTS[UnsuitablePassphrase])))
        return await _recover_page(request, pages, exc.status, name, code, fault)
    await wallet.resume(vault)
    await Withdrawals(wallet).tend(vault)
    response = pages.redirect(
        "/settings/recovery",
        message=N_("Your wallet is open and has a new passphrase. The code is used up: make a new one."),
    )
    await start_session(request, vault, response)
    return response


@router.get("/what-if")
async def what_if(request: Request, pages: PagesDep, vault: MaybeVaultDep) -> Response:
    """What to do if something is lost, in plain words."""
    return await pages.render(request, "recovery/what_if.html", vault=vault)


async def _show(request: Request, vault: VaultDep, pages: PagesDep, code: str) -> Response:
    return await pages.render(
        request,
        "recovery/code.html",
        switch=LanguageSwitch("/settings/recovery/shown", {"code": code}),
        vault=vault,
        groups=code.split(" "),
        words=check_words(read_code(code)),
        address=pages.settings.base_url,
        made=pages.clock(),
    )


async def _refused(request: Request, vault: VaultDep, pages: PagesDep, exc: Exception, *, field: str) -> Response:
    wrong = N_("The passphrase is another one.")
    fault = wrong if isinstance(exc, WrongPassphrase) else FAULTS.get(type(exc), wrong)
    status = getattr(exc, "status", 400)
    return await pages.render(
        request,
        "recovery/settings.html",
        status=status,
        vault=vault,
        fault=pages.translator(request)(fault),
        field=field,
    )


async def _recover_page(
    request: Request,
    pages: PagesDep,
    status: int = 200,
    name: str = "",
    code: str = "",
    fault: tuple[str, str] | None = None,
) -> Response:
    words = ""
    with suppress(WrongCode):
        words = in_language(read_code(code), pages.language(request)) if code else ""
    return await pages.render(
        request,
        "recovery/recover.html",
        status=status,
        words=words,
        name=name,
        code=code,
        fault=fault,
        shortest=SHORTEST_PASSPHRASE,
    )
