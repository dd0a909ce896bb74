"""S3 of a share: what is confirmed with the passphrase or a passkey, first the later checks and then the share.

The first button of each form shows the page again: the Enter key never shares (CS-01). What goes wrong leads to the
page that says so, so that going back never asks whether to send a passphrase again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from proofs.passkeys import MalformedPasskeyAnswer, PasskeyRefused
from schemas.dcql import InvalidSelection
from schemas.errors import ProtocolError, TooManyRequests
from service.i18n import N_
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
FAULTS = {
    "passphrase": WRONG_PASSPHRASE,
    "passkey": WRONG_PASSKEY,
    "many": TOO_MANY,
    "enter": ENTER_DOES_NOT_SHARE,
}
"""What the page says after one of these went wrong, by the name that stands in its address."""


class Sent(BaseModel):
    """What a form of this room brings."""

    decision: str = Field(default="", max_length=20)
    digest: str = Field(default="", max_length=128)
    passphrase: str = Field(default="", max_length=5000)
    answer: str = Field(default="", max_length=20_001)

    @property
    def is_entered(self) -> bool:
        """Whether the person did more than press Enter in an empty form."""
        return bool(self.passphrase or self.answer or self.decision)


class _ConfirmForm:
    """A form of this room, with whose it is and for which share."""

    def __init__(
        self,
        request: Request,
        vault: VaultDep,
        wallet: WalletDep,
        pages: PagesDep,
        sharing: SharingDep,
        share_id: str,
        sent: Annotated[Sent, Form()],
    ) -> None:
        self.request, self.vault, self.wallet, self.pages, self.sharing = request, vault, wallet, pages, sharing
        self.share_id, self.sent = share_id, sent

    @property
    def language(self) -> str:
        """The language of the page."""
        return self.pages.language(self.request)


FormDep = Annotated[_ConfirmForm, Depends()]


def _fault_of(exc: ProtocolError) -> str:
    """Why one of `NOT_CONFIRMED` confirms nothing, by its name."""
    if isinstance(exc, WrongPassphrase):
        return "passphrase"
    return "many" if isinstance(exc, TooManyRequests) else "passkey"


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
async def confirm_checks(form: FormDep) -> Response:
    """Allow exactly the later checks that this page named, or go on without them. Nothing is sent here."""
    return await _decided(form, _CHECKS)


@router.get("/share/{share_id}/confirm/passkey")
async def ask_to_confirm(vault: VaultDep, wallet: WalletDep, share_id: str, digest: str = "") -> Response:
    """What the script asks a device for: to sign for this share as its page said it, and for nothing else."""
    asked = KeyRing(wallet).ask_to_confirm(vault, purpose_of(share_id, digest))
    return JSONResponse(asked, headers={"Cache-Control": "no-store"})


@router.post("/share/{share_id}/confirm", dependencies=[FromOurForm])
async def confirm(form: FormDep) -> Response:
    """Share exactly what this page said, or do not."""
    return await _decided(form, _SHARE)


async def _refuse(form: _ConfirmForm) -> None:
    await form.sharing.refuse(form.vault, form.share_id, language=form.language)


async def _go_without(form: _ConfirmForm) -> None:
    chosen = form.sharing.decision(form.vault, form.share_id, language=form.language).chosen
    form.sharing.choose(form.vault, form.share_id, replace(chosen, recheck=False), language=form.language)


@dataclass(frozen=True, slots=True)
class _Step:
    """One of the two confirmations: what its buttons bring, what saying no and yes does, and which pages follow.

    `at` is its page, `unconfirmed` where a person is sent whose later checks are not confirmed, or no longer allowed.
    """

    no: str
    yes: str
    say_no: Callable[[_ConfirmForm], Awaitable[None]]
    say_yes: Callable[[Sharing], Callable[..., Awaitable[object]]]
    at: str
    done: str
    unconfirmed: str


_CHECKS = _Step(
    "without", "allow", _go_without, lambda sharing: sharing.confirm_permission, "/confirm/checks", "/confirm", ""
)
_SHARE = _Step("refuse", "share", _refuse, lambda sharing: sharing.approve, "/confirm", "/outcome", "/confirm/checks")


async def _decided(form: _ConfirmForm, step: _Step) -> Response:
    """What a form of this room asks for, or why that cannot be; a fault of the confirmation stays on its page."""
    request, pages, sent, place = form.request, form.pages, form.sent, f"/share/{form.share_id}"
    fault = "enter" if sent.is_entered else ""
    try:
        if sent.decision == step.no:
            await step.say_no(form)
            return go_to(request, f"{place}{step.done}")
        if sent.decision == step.yes:
            async with counted_try(request, form.wallet, form.vault.name):
                await step.say_yes(form.sharing)(
                    form.vault,
                    form.share_id,
                    language=form.language,
                    approved_digest=sent.digest,
                    passphrase=sent.passphrase,
                    passkey=sent.answer,
                )
            return go_to(request, f"{place}{step.done}")
    except NOT_CONFIRMED as exc:
        fault = _fault_of(exc)
    except AlreadyAnswered:
        return go_to(request, f"{place}/outcome")
    except (RequestExpired, RequestFault):
        return go_to(request, place)  # That page says so, and offers to fetch a new one.
    except NoCopiesLeft:
        return pages.redirect(place, message=NO_COPIES, kind="warning")
    except PermissionNotConfirmed:
        return go_to(request, f"{place}{step.unconfirmed}")
    except (ActingNotConfirmed, OverrideMissing, StepMissing):
        return go_to(request, f"{place}?missing=1")
    except (ShownSomethingElse, YesMissing, CannotSatisfy, CopyDiffers, InvalidSelection):
        return pages.redirect(place, message=CHANGED, kind="warning")
    return go_to(request, f"{place}{step.at}?told={fault}" if fault else f"{place}{step.at}")


async def _show_confirm(
    request: Request,
    pages: PagesDep,
    sharing: Sharing,
    vault: UnlockedVault,
    share_id: str,
    *,
    is_for_checks: bool = False,
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
    if is_for_checks is not lacks_yes:
        return go_to(request, f"/share/{share_id}/confirm/checks" if lacks_yes else f"/share/{share_id}/confirm")
    return await pages.render(
        request,
        "share/confirm_checks.html" if lacks_yes else "share/confirm.html",
        permission_digest=permission_digest(decision),
        read_in=_read_in(sharing, vault, decision),
        decision=decision,
        view=decision_view(decision, pages.translator(request), history=[]),
        fault=FAULTS.get(request.query_params.get("told", ""), ""),
        has_passkeys=bool(vault.passkey_ids) and KeyRing(the_wallet(request)).is_possible,
    )


def _read_in(sharing: Sharing, vault: UnlockedVault, decision: Decision) -> str:
    """The language in which the person read the words that they confirmed, where this page would show others."""
    language = sharing.permission_read_in(vault, decision.share_id)
    offer = decision.allowed_recheck
    is_other = offer is not None and language and offer.purpose.text(language) != offer.purpose.text(decision.language)
    # Where they wrote in one language only, the words that were read are the same.
    return language if is_other else ""
