"""S3 of a share: what is confirmed with the passphrase or a passkey, first the later checks and then the share.

The first button of each form shows the page again: the Enter key never shares (CS-01).
"""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from proofs.passkeys import MalformedPasskeyAnswer, PasskeyRefused
from schemas.dcql import InvalidSelection
from schemas.errors import ProtocolError, TooManyRequests
from service.i18n import N_
from service.pages import LanguageSwitch
from wallet.certificates import NoCopiesLeft
from wallet.consent import (
    ActingNotConfirmed,
    CannotSatisfy,
    OverrideMissing,
    PermissionNotConfirmed,
    ShownSomethingElse,
    StepMissing,
    YesMissing,
)
from wallet.decision import Decision, permission_digest
from wallet.key_ring import KeyRing
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, WalletDep, counted_try, go_to, the_wallet
from wallet.pages.share_access import CHANGED, SharingDep
from wallet.pages.share_view import decision_view
from wallet.presentation import CopyDiffers
from wallet.requests import AlreadyAnswered, RequestExpired, RequestFault
from wallet.sharing import Sharing
from wallet.sharing.confirming import purpose_of, purpose_of_permission
from wallet.vault import UnlockedVault, WrongPassphrase

router = APIRouter()

WRONG_PASSPHRASE = N_("This is not your passphrase. Nothing was shared. Try again.")
WRONG_PASSKEY = N_("The passkey did not confirm this. Nothing was shared. Try again, or use your passphrase.")
TOO_MANY = N_("Too many attempts. Nothing was shared. Wait a minute and try again.")
NO_COPIES = N_("The last one-time copy was used in the meantime. Nothing was shared.")
ENTER_DOES_NOT_SHARE = N_("Nothing was shared. Press the button when you are sure.")
NOT_CONFIRMED = (WrongPassphrase, PasskeyRefused, MalformedPasskeyAnswer, TooManyRequests)
FAULTS = (WRONG_PASSPHRASE, WRONG_PASSKEY, TOO_MANY, ENTER_DOES_NOT_SHARE)


class Sent(BaseModel):
    """What a form of this room brings. `said` is the fault that the page told, for the other language."""

    decision: str = Field(default="", max_length=20)
    digest: str = Field(default="", max_length=128)
    passphrase: str = Field(default="", max_length=5000)
    answer: str = Field(default="", max_length=20_001)
    said: str = Field(default="", max_length=1_000)

    @property
    def is_entered(self) -> bool:
        """Whether the person did more than press Enter in an empty form."""
        return bool(self.passphrase or self.answer or self.decision)


def fault_of(exc: ProtocolError) -> str:
    """Why one of `NOT_CONFIRMED` confirms nothing, in words."""
    if isinstance(exc, WrongPassphrase):
        return WRONG_PASSPHRASE
    return TOO_MANY if isinstance(exc, TooManyRequests) else WRONG_PASSKEY


@router.get("/share/{share_id}/confirm")
async def confirm_page(
    request: Request, vault: VaultDep, pages: PagesDep, sharing: SharingDep, share_id: str
) -> Response:
    """The sentence that is confirmed, and the passphrase."""
    return await _show_confirm(request, pages, sharing, vault, share_id)


@router.get("/share/{share_id}/confirm/checks")
async def checks_page(
    request: Request, vault: VaultDep, pages: PagesDep, sharing: SharingDep, share_id: str
) -> Response:
    """The later checks that are allowed, with a passphrase of their own, before the share is confirmed."""
    return await _show_confirm(request, pages, sharing, vault, share_id, is_for_checks=True)


@router.get("/share/{share_id}/confirm/checks/passkey")
async def ask_to_confirm_checks(vault: VaultDep, wallet: WalletDep, share_id: str, digest: str = "") -> Response:
    """What the script asks a device for: to sign for these later checks, and for no share."""
    asked = KeyRing(wallet).ask_to_confirm(vault, purpose_of_permission(share_id, digest))
    return JSONResponse(asked, headers={"Cache-Control": "no-store"})


@router.post("/share/{share_id}/confirm/checks", dependencies=[FromOurForm])
async def confirm_checks(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    sharing: SharingDep,
    share_id: str,
    sent: Annotated[Sent, Form()],
) -> Response:
    """Allow exactly the later checks that this page named, or go on without them. Nothing is sent here."""
    language, fault, status = pages.language(request), ENTER_DOES_NOT_SHARE, 200
    if sent.said in FAULTS:
        return await _show_confirm(request, pages, sharing, vault, share_id, fault=sent.said)
    try:
        if sent.decision == "without":
            chosen = replace(sharing.decision(vault, share_id, language=language).chosen, recheck=False)
            sharing.choose(vault, share_id, chosen, language=language)
            return go_to(request, f"/share/{share_id}/confirm")
        if sent.decision == "allow":
            async with counted_try(request, wallet, vault.name):
                await sharing.confirm_permission(
                    vault,
                    share_id,
                    language=language,
                    approved_digest=sent.digest,
                    passphrase=sent.passphrase,
                    passkey=sent.answer,
                )
            return go_to(request, f"/share/{share_id}/confirm")
    except NOT_CONFIRMED as exc:
        fault, status = fault_of(exc), exc.status
    except AlreadyAnswered:
        return go_to(request, f"/share/{share_id}/outcome")
    except (RequestExpired, RequestFault, PermissionNotConfirmed):
        return go_to(request, f"/share/{share_id}")
    except (ShownSomethingElse, InvalidSelection):
        return pages.redirect(f"/share/{share_id}", message=CHANGED, kind="warning")
    return await _show_confirm(
        request, pages, sharing, vault, share_id, fault=fault if sent.is_entered else "", status=status
    )


@router.get("/share/{share_id}/confirm/passkey")
async def ask_to_confirm(vault: VaultDep, wallet: WalletDep, share_id: str, digest: str = "") -> Response:
    """What the script asks a device for: to sign for this share as its page said it, and for nothing else."""
    asked = KeyRing(wallet).ask_to_confirm(vault, purpose_of(share_id, digest))
    return JSONResponse(asked, headers={"Cache-Control": "no-store"})


@router.post("/share/{share_id}/confirm", dependencies=[FromOurForm])
async def confirm(
    request: Request,
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    sharing: SharingDep,
    share_id: str,
    sent: Annotated[Sent, Form()],
) -> Response:
    """Share exactly what this page said, or do not."""
    language, fault, status = pages.language(request), ENTER_DOES_NOT_SHARE, 200
    if sent.said in FAULTS:
        return await _show_confirm(request, pages, sharing, vault, share_id, fault=sent.said)
    try:
        if sent.decision == "refuse":
            await sharing.refuse(vault, share_id, language=language)
            return go_to(request, f"/share/{share_id}/outcome")
        if sent.decision == "share":
            async with counted_try(request, wallet, vault.name):
                await sharing.approve(
                    vault,
                    share_id,
                    language=language,
                    approved_digest=sent.digest,
                    passphrase=sent.passphrase,
                    passkey=sent.answer,
                )
            return go_to(request, f"/share/{share_id}/outcome")
    except NOT_CONFIRMED as exc:
        fault, status = fault_of(exc), exc.status
    except AlreadyAnswered:
        return go_to(request, f"/share/{share_id}/outcome")
    except (RequestExpired, RequestFault):
        return go_to(request, f"/share/{share_id}")  # That page says so, and offers to fetch a new one.
    except NoCopiesLeft:
        return pages.redirect(f"/share/{share_id}", message=NO_COPIES, kind="warning")
    except PermissionNotConfirmed:
        return go_to(request, f"/share/{share_id}/confirm/checks")
    except (ActingNotConfirmed, OverrideMissing, StepMissing):
        return go_to(request, f"/share/{share_id}?missing=1")
    except (ShownSomethingElse, YesMissing, CannotSatisfy, CopyDiffers, InvalidSelection):
        return pages.redirect(f"/share/{share_id}", message=CHANGED, kind="warning")
    return await _show_confirm(
        request, pages, sharing, vault, share_id, fault=fault if sent.is_entered else "", status=status
    )


async def _show_confirm(
    request: Request,
    pages: PagesDep,
    sharing: Sharing,
    vault: UnlockedVault,
    share_id: str,
    *,
    is_for_checks: bool = False,
    fault: str = "",
    status: int = 200,
) -> Response:
    """The confirmation that is due: of the later checks that are allowed, and then of the share."""
    try:
        decision = sharing.decision(vault, share_id, language=pages.language(request))
    except AlreadyAnswered:
        return go_to(request, f"/share/{share_id}/outcome")
    except (RequestExpired, RequestFault, InvalidSelection):
        return go_to(request, f"/share/{share_id}")
    is_unready = (
        decision.missing_yes or decision.missing_overrides or decision.missing_step or decision.misses_acting_yes
    )
    if not decision.is_satisfiable or is_unready:
        return go_to(request, f"/share/{share_id}")
    lacks_yes = sharing.lacks_permission_yes(vault, decision)
    place = f"/share/{share_id}/confirm/checks" if lacks_yes else f"/share/{share_id}/confirm"
    if request.method == "GET" and is_for_checks is not lacks_yes:
        return go_to(request, place)
    told = {"said": fault} if fault else {}
    switch = LanguageSwitch(place, told) if request.method == "POST" else None
    return await pages.render(
        request,
        "share/confirm_checks.html" if lacks_yes else "share/confirm.html",
        permission_digest=permission_digest(decision),
        read_in=_read_in(sharing, vault, decision),
        status=status,
        switch=switch,
        decision=decision,
        view=decision_view(decision, pages.translator(request), history=[]),
        fault=fault,
        has_passkeys=bool(vault.passkey_ids) and KeyRing(the_wallet(request)).is_possible,
    )


def _read_in(sharing: Sharing, vault: UnlockedVault, decision: Decision) -> str:
    """The language in which the person read the words that they confirmed, where this page would show others."""
    language = sharing.permission_read_in(vault, decision.share_id)
    offer = decision.allowed_recheck
    is_other = offer is not None and language and offer.purpose.text(language) != offer.purpose.text(decision.language)
    # Where they wrote in one language only, the words that were read are the same.
    return language if is_other else ""
