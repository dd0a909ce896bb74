"""Passkeys: opened with, added, named and removed; and the vault locked anew under another key.

A passkey needs a script (`static/passkeys.js`): it asks the device, puts what it answered into an ordinary form and
sends that. Everything else here works without one.
"""

import json
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import JSONResponse, Response

from schemas.errors import ProtocolError, Refused, TooManyRequests
from service.dependencies import inline
from service.i18n import N_, Translator
from service.pages import LanguageSwitch
from service.rate_limits import client_address
from wallet.key_ring import KeyRing, NoPRF, TooManyPasskeys
from wallet.pages.access import (
    FromOurDoor,
    FromOurForm,
    PagesDep,
    VaultDep,
    WalletDep,
    counted_try,
    go_to,
    start_session,
    the_wallet,
    unlock_page,
)
from wallet.pages.account import FAULTS, go_in
from wallet.passkeys import UnsuitablePasskeyName
from wallet.rekeying import Rekeyed, VaultDamaged
from wallet.store.passkeys import PasskeyKnown
from wallet.store.people import VaultChanged
from wallet.vault import WrongPassphrase

router = APIRouter()

AnswerForm = Annotated[str, Form(max_length=20_001)]
PRFForm = Annotated[str, Form(max_length=100)]
NameForm = Annotated[str, Form(max_length=1000)]
PassphraseForm = Annotated[str, Form(max_length=5000)]

OPENS_NOTHING = N_("This passkey does not open a wallet here. Use your passphrase, or try again.")
NOT_ADDED = N_("The passkey could not be checked. Nothing was kept. Try again.")
WRONG_PASSPHRASE = N_("The passphrase is another one.")
REMOVED = N_("The passkey is removed. Other browsers are locked.")
LOCKED_ANEW = N_("Everything in the wallet is locked with a new key. Other browsers are locked.")
REMOVED_AND_LOCKED_ANEW = N_(
    "The passkey is removed, and everything in the wallet is locked with a new key. Other browsers are locked."
)
CODE_IS_GONE = N_("Done. Your recovery code no longer works: make a new one here. Other browsers are locked.")
_FAULTS: dict[type[Exception], str] = {
    WrongPassphrase: WRONG_PASSPHRASE,
    UnsuitablePasskeyName: N_("Give the passkey a name of at most 60 characters."),
    NoPRF: N_(
        "This device can sign you in, but it cannot open a locked wallet. It was not added. "
        "Try another device or a newer browser."
    ),
    PasskeyKnown: N_("This passkey is here already."),
    TooManyPasskeys: N_("There are 20 passkeys already. Remove one that you no longer use first."),
    VaultChanged: FAULTS[VaultChanged],
    VaultDamaged: N_("Something in the wallet cannot be read, so nothing was changed. Tell whoever runs this service."),
    TooManyRequests: FAULTS[TooManyRequests],
}


def the_key_ring(request: Request) -> KeyRing:
    """The passkeys of the wallet behind this request."""
    return KeyRing(the_wallet(request))


KeyRingDep = Annotated[KeyRing, Depends(inline(the_key_ring))]


# --- opening with one -------------------------------------------------------------------------------------------------


@router.get("/unlock/passkey")
async def ask_to_unlock(ring: KeyRingDep) -> Response:
    """What the script asks the device for; the same for everybody but for the challenge."""
    return JSONResponse(ring.ask_to_unlock(), headers={"Cache-Control": "no-store"})


@router.post("/unlock/passkey", dependencies=[FromOurDoor])
async def unlock(
    request: Request,
    wallet: WalletDep,
    pages: PagesDep,
    ring: KeyRingDep,
    answer: AnswerForm = "",
    prf: PRFForm = "",
    name: NameForm = "",
    wanted: Annotated[str, Form(max_length=100_000)] = "/",
) -> Response:
    """Open the vault of a passkey. Whatever does not hold is told in the same words."""
    try:
        await wallet.limit_address(client_address(request))
        vault = ring.unlock(answer, prf, name=name)
    except TooManyRequests as exc:
        return await unlock_page(request, wanted=wanted, fault=FAULTS[TooManyRequests], name=name, status=exc.status)
    except (Refused, ProtocolError):
        return await unlock_page(request, wanted=wanted, fault=OPENS_NOTHING, name=name, status=403)
    return await go_in(request, wallet, pages, vault, wanted)


# --- adding -----------------------------------------------------------------------------------------------------------


@router.get("/settings/passkeys")
async def passkeys(request: Request, vault: VaultDep, pages: PagesDep, ring: KeyRingDep) -> Response:
    """The passkeys that open this wallet, and the form that begins to add one."""
    return await _list(request, vault, pages, ring)


@router.post("/settings/passkeys", dependencies=[FromOurForm])
async def begin(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    ring: KeyRingDep,
    name: NameForm = "",
    passphrase: PassphraseForm = "",
) -> Response:
    """Who has the passphrase may add a device: show the page whose script asks it."""
    if not passphrase:  # The language of the page that answered was changed.
        return go_to(request, f"/settings/passkeys?lang={pages.language(request)}")
    try:
        async with counted_try(request, wallet, vault.name):
            asked = await ring.begin(vault, passphrase)
    except (Refused, TooManyRequests) as exc:
        return await _list(request, vault, pages, ring, exc=exc, field="passphrase", name=name)
    switch = LanguageSwitch("/settings/passkeys", {})
    return await pages.render(
        request, "passkeys/make.html", switch=switch, vault=vault, name=name, asked=json.dumps(asked)
    )


@router.post("/settings/passkeys/add", dependencies=[FromOurForm])
async def add(
    request: Request,
    vault: VaultDep,
    pages: PagesDep,
    ring: KeyRingDep,
    answer: AnswerForm = "",
    prf: PRFForm = "",
    name: NameForm = "",
) -> Response:
    """Keep what the device has made."""
    try:
        ring.add(vault, answer, prf, name=name)
    except ProtocolError as exc:
        return await _list(request, vault, pages, ring, exc=exc, field="name", name=name)
    return pages.redirect("/settings/passkeys", message=N_("The passkey is added. It opens your wallet from now on."))


# --- keeping in order -------------------------------------------------------------------------------------------------


@router.get("/settings/passkeys/{passkey_id}")
async def passkey(request: Request, vault: VaultDep, pages: PagesDep, ring: KeyRingDep, passkey_id: str) -> Response:
    """One passkey: its name, and the ways to remove it."""
    return await _one(request, vault, pages, ring, passkey_id)


@router.post("/settings/passkeys/{passkey_id}/name", dependencies=[FromOurForm])
async def rename(
    request: Request, vault: VaultDep, pages: PagesDep, ring: KeyRingDep, passkey_id: str, name: NameForm = ""
) -> Response:
    """Call it something else."""
    try:
        ring.rename(vault, passkey_id, name)
    except (UnsuitablePasskeyName, VaultChanged) as exc:
        return await _one(request, vault, pages, ring, passkey_id, exc=exc, field="name")
    return pages.redirect("/settings/passkeys", message=N_("The passkey has its new name."))


@router.post("/settings/passkeys/{passkey_id}/remove", dependencies=[FromOurForm])
async def remove(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    ring: KeyRingDep,
    passkey_id: str,
    passphrase: PassphraseForm = "",
    why: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Take it away; when its device is lost, with another key for everything."""
    if not why and not passphrase:  # The language of the page that answered was changed, or nothing was filled in.
        return go_to(request, f"/settings/passkeys/{passkey_id}?lang={pages.language(request)}")
    if why not in ("lost", "unused"):
        return await _one(request, vault, pages, ring, passkey_id, fault=N_("Choose why you remove it."), field="why")
    try:
        async with counted_try(request, wallet, vault.name):
            rekeyed = await ring.remove(vault, passkey_id, passphrase, is_lost=why == "lost")
    except (Refused, TooManyRequests) as exc:
        return await _one(request, vault, pages, ring, passkey_id, exc=exc, field="passphrase", why=why)
    return await _done(request, pages, rekeyed, REMOVED_AND_LOCKED_ANEW if why == "lost" else REMOVED)


@router.post("/settings/new-key", dependencies=[FromOurForm])
async def change_key(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    ring: KeyRingDep,
    passphrase: PassphraseForm = "",
) -> Response:
    """Lock everything anew under another key; every passkey stays."""
    try:
        async with counted_try(request, wallet, vault.name):
            rekeyed = await ring.change_key(vault, passphrase)
    except (Refused, TooManyRequests) as exc:
        return await _list(request, vault, pages, ring, exc=exc, field="key-passphrase")
    return await _done(request, pages, rekeyed, LOCKED_ANEW)


async def _done(request: Request, pages: PagesDep, rekeyed: Rekeyed, message: str) -> Response:
    """All sessions have ended: this browser gets another one."""
    if rekeyed.lost_recovery_code:
        response = pages.redirect("/settings/recovery", message=CODE_IS_GONE, kind="warning")
    else:
        response = pages.redirect("/settings/passkeys", message=message)
    await start_session(request, rekeyed.vault, response)
    return response


def used_words(used_at: datetime | None, t: Translator) -> str:
    """When a passkey was used last."""
    return t(N_("not used yet")) if used_at is None else t.moment(used_at)


async def _list(
    request: Request,
    vault: VaultDep,
    pages: PagesDep,
    ring: KeyRingDep,
    *,
    exc: ProtocolError | None = None,
    field: str = "",
    name: str = "",
) -> Response:
    t = pages.translator(request)
    return await pages.render(
        request,
        "passkeys/list.html",
        status=200 if exc is None else exc.status,
        switch=LanguageSwitch("/settings/passkeys", {}) if request.method == "POST" else None,
        vault=vault,
        passkeys=[
            {"id": one.id, "name": one.name, "added": t.date(one.added_at), "used": used_words(one.used_at, t)}
            for one in ring.passkeys(vault)
        ],
        is_possible=ring.is_possible,
        fault="" if exc is None else t(_FAULTS.get(type(exc), NOT_ADDED)),
        field=field,
        name=name,
    )


async def _one(
    request: Request,
    vault: VaultDep,
    pages: PagesDep,
    ring: KeyRingDep,
    passkey_id: str,
    *,
    exc: ProtocolError | None = None,
    fault: str = "",
    field: str = "",
    why: str = "",
) -> Response:
    t = pages.translator(request)
    one = ring.passkey(vault, passkey_id)
    fault = fault if exc is None else _FAULTS.get(type(exc), FAULTS[VaultChanged])
    return await pages.render(
        request,
        "passkeys/one.html",
        status=200 if not fault else 400 if exc is None else exc.status,
        switch=LanguageSwitch(f"/settings/passkeys/{passkey_id}/remove", {}) if request.method == "POST" else None,
        vault=vault,
        passkey=one,
        added=t.date(one.added_at),
        used=used_words(one.used_at, t),
        fault=t(fault) if fault else "",
        field=field,
        why=why,
    )
