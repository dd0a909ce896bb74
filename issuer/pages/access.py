"""What page handlers are given: the issuer, its pages, and who is signed in.

@router.post("/offers/{offer_id}/void", dependencies=[FromOurForm])
async def void(offer_id: str, issuer: IssuerDep, pages: PagesDep) -> Response: ...
"""

from typing import Annotated

from fastapi import Depends, Request

from issuer.context import IssuerContext
from service.pages import Pages
from service.sessions import Session


def the_issuer(request: Request) -> IssuerContext:
    """The issuer behind this request."""
    context = request.app.state.issuer
    assert isinstance(context, IssuerContext)
    return context


def the_pages(request: Request) -> Pages:
    """The pages of this service."""
    pages = request.app.state.pages
    assert isinstance(pages, Pages)
    return pages


async def signed_in(request: Request) -> Session:
    """The session of somebody who has signed in. Raises `SignInRequired`, which leads to signing in and back."""
    return await the_pages(request).signed_in(request)


async def check_form(request: Request) -> None:
    """Refuse a form that did not come from one of our pages."""
    await the_pages(request).check_csrf(request)


IssuerDep = Annotated[IssuerContext, Depends(the_issuer)]
PagesDep = Annotated[Pages, Depends(the_pages)]
StaffDep = Annotated[Session, Depends(signed_in)]
SignedIn = Depends(signed_in)
FromOurForm = Depends(check_form)
