"""What the pages of a share have in common: the shares of this service, and what they say when something stops one."""

from typing import Annotated

from fastapi import Depends, Request

from service.i18n import N_
from wallet.pages.access import the_wallet
from wallet.sharing import Sharing

CHANGED = N_("Something has changed since you looked. Nothing was shared. Please look again.")


def the_sharing(request: Request) -> Sharing:
    """Shares of this wallet service."""
    return Sharing(the_wallet(request))


SharingDep = Annotated[Sharing, Depends(the_sharing)]
