"""S3 and S4 of a share: the sentence that is confirmed with the passphrase, and what became of it.

The first button of the form shows the page again: the Enter key never shares (CS-01). The outcome page sends the
browser on where the recipient wants it, once, without a script, and keeps the ordinary link.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, Response

from proofs.passkeys import MalformedPasskeyAnswer, PasskeyRefused
from schemas.dcql import InvalidSelection
from schemas.errors import TooManyRequests
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
from wallet.decision import permission_digest
from wallet.key_ring import KeyRing
from wallet.ledger import Outcome
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, WalletDep, go_to, the_wallet
from wallet.pages.history_view import entry_view, titles_of, why_not_accepted
from wallet.pages.share_access import CHANGED, SharingDep, show_answered
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
FAULTS = (WRONG_PASSPHRASE, WRONG_PASSKEY, TOO_MANY, ENTER_DOES_NOT_SHARE)


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
    decision: Annotated[str, Form(max_length=20)] = "",
    digest: Annotated[str, Form(max_length=128)] = "",
    passphrase: Annotated[str, Form(max_length=5000)] = "",
    answer: Annotated[str, Form(max_length=20_001)] = "",
    said: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """Allow exactly the later checks that this page named, or go on without them. Nothing is sent here."""
    language, fault, status = pages.language(request), ENTER_DOES_NOT_SHARE, 200
    if said in FAULTS:
        return await _show_confirm(request, pages, sharing, vault, share_id, fault=said)
    try:
        if decision == "without":
            chosen = replace(sharing.decision(vault, share_id, language=language).chosen, recheck=False)
            sharing.choose(vault, share_id, chosen, language=language)
            return go_to(request, f"/share/{share_id}/confirm")
        if decision == "allow":
            await wallet.limit_unlocking(request.client.host if request.client else "", vault.name)
            await sharing.confirm_permission(
                vault, share_id, language=language, approved_digest=digest, passphrase=passphrase, passkey=answer
            )
            await wallet.forget_tries(vault.name)
            return go_to(request, f"/share/{share_id}/confirm")
    except WrongPassphrase as exc:
        fault, status = WRONG_PASSPHRASE, exc.status
    except (PasskeyRefused, MalformedPasskeyAnswer) as exc:
        fault, status = WRONG_PASSKEY, exc.status
    except TooManyRequests as exc:
        fault, status = TOO_MANY, exc.status
    except AlreadyAnswered:
        return go_to(request, f"/share/{share_id}/outcome")
    except (RequestExpired, RequestFault, PermissionNotConfirmed):
        return go_to(request, f"/share/{share_id}")
    except (ShownSomethingElse, InvalidSelection):
        return pages.redirect(f"/share/{share_id}", message=CHANGED, kind="warning")
    entered = bool(passphrase or answer) or decision != ""
    return await _show_confirm(request, pages, sharing, vault, share_id, fault=fault if entered else "", status=status)


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
    decision: Annotated[str, Form(max_length=20)] = "",
    digest: Annotated[str, Form(max_length=128)] = "",
    passphrase: Annotated[str, Form(max_length=5000)] = "",
    answer: Annotated[str, Form(max_length=20_001)] = "",
    said: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """Share exactly what this page said, or do not. `said` is the fault that the page told, for the other language."""
    language, fault, status = pages.language(request), ENTER_DOES_NOT_SHARE, 200
    if said in FAULTS:
        return await _show_confirm(request, pages, sharing, vault, share_id, fault=said)
    try:
        if decision == "refuse":
            await sharing.refuse(vault, share_id, language=language)
            return go_to(request, f"/share/{share_id}/outcome")
        if decision == "share":
            await wallet.limit_unlocking(request.client.host if request.client else "", vault.name)
            await sharing.approve(
                vault, share_id, language=language, approved_digest=digest, passphrase=passphrase, passkey=answer
            )
            await wallet.forget_tries(vault.name)
            return go_to(request, f"/share/{share_id}/outcome")
    except WrongPassphrase as exc:
        fault, status = WRONG_PASSPHRASE, exc.status
    except (PasskeyRefused, MalformedPasskeyAnswer) as exc:
        fault, status = WRONG_PASSKEY, exc.status
    except TooManyRequests as exc:
        fault, status = TOO_MANY, exc.status
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
    entered = bool(passphrase or answer) or decision != ""
    return await _show_confirm(request, pages, sharing, vault, share_id, fault=fault if entered else "", status=status)


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
        status=status,
        switch=switch,
        decision=decision,
        view=decision_view(decision, pages.translator(request), history=[]),
        fault=fault,
        has_passkeys=bool(vault.passkey_ids) and KeyRing(the_wallet(request)).is_possible,
    )


@router.get("/share/{share_id}/outcome")
async def outcome(request: Request, vault: VaultDep, pages: PagesDep, sharing: SharingDep, share_id: str) -> Response:
    """What became of it. In the same-device flow the browser goes on at once; the ordinary link stays."""
    if not sharing.is_kept(vault, share_id):
        return go_to(request, f"/history/{share_id}")  # Long over: the history has what there is to know.
    if sharing.is_open(vault, share_id):
        return go_to(request, f"/share/{share_id}")
    entry = sharing.entry(vault, share_id)
    if entry.outcome is Outcome.ANSWERED:
        by_you, acting_for = bool(entry.events[-1].facts.get("by_you")), sharing.acting_for(vault, share_id)
        return await show_answered(request, pages, by_you=by_you, status=200, acting_for=acting_for)
    return_link, is_first = sharing.return_link(vault, share_id)
    t = pages.translator(request)
    not_accepted = entry.outcome is Outcome.NOT_ACCEPTED
    return await pages.render(
        request,
        "share/outcome.html",
        reasons=why_not_accepted(sharing.no_longer_vouched_for(vault, share_id), t) if not_accepted else [],
        view=entry_view(entry, t, now=the_wallet(request).clock(), titles=titles_of(vault)),
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
