"""What page handlers of every service are given: its pages, who is signed in, and that a form is our own.

@router.post("/offers/{offer_id}/void", dependencies=[FromOurForm])
async def void(offer_id: str, staff: StaffDep, pages: PagesDep) -> Response: ...
"""

from typing import Annotated

from fastapi import Depends, Request

from service.accounts import Accounts
from service.dependencies import inline
from service.pages import Pages, SignInRequired
from service.sessions import Session


def the_pages(request: Request) -> Pages:
    """The pages of this service."""
    pages = request.app.state.pages
    assert isinstance(pages, Pages)
    return pages


def the_accounts(request: Request) -> Accounts:
    """The staff's accounts (`app.state.accounts`)."""
    accounts = request.app.state.accounts
    assert isinstance(accounts, Accounts)
    return accounts


async def signed_in(request: Request) -> Session:
    """The session of staff who have signed in. Raises `SignInRequired`, which leads to signing in and back."""
    session = await the_pages(request).signed_in(request)
    if not await the_accounts(request).is_there(session.subject):
        raise SignInRequired  # The account was removed while somebody was signing in.
    return session


async def check_form(request: Request) -> None:
    """Refuse a form that did not come from one of our pages."""
    await the_pages(request).check_csrf(request)


PagesDep = Annotated[Pages, Depends(inline(the_pages))]
AccountsDep = Annotated[Accounts, Depends(inline(the_accounts))]
StaffDep = Annotated[Session, Depends(signed_in)]
SignedIn = Depends(signed_in)
FromOurForm = Depends(check_form)
