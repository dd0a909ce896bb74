"""What the pages of a share have in common: the shares of this service, and what they say when something stops one."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import Response

from service.dependencies import inline
from service.i18n import N_
from service.pages import LanguageSwitch, Pages
from wallet.pages.access import the_wallet
from wallet.sharing import Sharing

CHANGED = N_("Something has changed since you looked. Nothing was shared. Please look again.")


def the_sharing(request: Request) -> Sharing:
    """Shares of this wallet service."""
    return Sharing(the_wallet(request))


async def show_answered(
    request: Request, pages: Pages, *, by_you: bool, status: int = 409, acting_for: str = ""
) -> Response:
    """A request that is not answered twice: it was answered by this person, or by somebody else here."""
    switch = LanguageSwitch("/present", {"link": "-", "decision": "answered"}) if request.method == "POST" else None
    return await pages.render(
        request, "share/answered.html", status=status, switch=switch, by_you=by_you, acting_for=acting_for
    )


SharingDep = Annotated[Sharing, Depends(inline(the_sharing))]
