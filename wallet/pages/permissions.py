"""S7: every ongoing permission with its last use, its next use and its end; pausing and ending it with one press.

The first button of each form shows the page again, so that the Enter key decides nothing.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from schemas.standing_permission import PermissionAction
from service.i18n import N_
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, WalletDep
from wallet.pages.permission_words import permission_view
from wallet.permissions import Permissions

router = APIRouter()

_ACTIONS = {
    "pause": PermissionAction.PAUSE,
    "resume": PermissionAction.RESUME,
    "end": PermissionAction.END,
}
_SAID = {
    PermissionAction.PAUSE: N_("It is paused. They have confirmed it."),
    PermissionAction.RESUME: N_("It goes on. They have confirmed it."),
    PermissionAction.END: N_("It is ended. They have confirmed it."),
}
_NOT_CONFIRMED = N_("It is written down here. They have not confirmed it yet; the wallet tries again.")


@router.get("/permissions")
async def permissions_page(request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep) -> Response:
    """What lasts, and what is over."""
    t, now = pages.translator(request), wallet.clock()
    views = [permission_view(one, t, now=now) for one in Permissions(wallet).all(vault)]
    return await pages.render(
        request,
        "permissions/list.html",
        lasting=[one for one in views if one["state"] != "over"],
        over=[one for one in views if one["state"] == "over"],
    )


@router.post("/permissions/{entry_id}", dependencies=[FromOurForm])
async def decide(
    vault: VaultDep,
    wallet: WalletDep,
    pages: PagesDep,
    entry_id: str,
    decision: Annotated[str, Form(max_length=20)] = "",
    back: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Pause, let go on, end, ask, or put aside what was told; anything but a button shows the page again."""
    permissions, page = Permissions(wallet), "/" if back == "home" else "/permissions"
    if decision == "seen":
        permissions.put_aside(vault, entry_id)
    elif decision == "ask":
        found = await permissions.look(vault, entry_id)
        if found.reason:
            return pages.redirect(page, message=N_("They could not be asked just now."), kind="warning")
    elif decision in _ACTIONS:
        action = _ACTIONS[decision]
        found = await permissions.wish(vault, entry_id, action)
        if not found.is_confirmed:
            return pages.redirect(page, message=_NOT_CONFIRMED, kind="warning")
        return pages.redirect(page, message=_SAID[action])
    return pages.redirect(page)
