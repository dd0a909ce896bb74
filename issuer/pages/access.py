"""What page handlers are given: the issuer, its pages, and who is signed in.

@router.post("/offers/{offer_id}/void", dependencies=[FromOurForm])
async def void(offer_id: str, issuer: IssuerDep, pages: PagesDep) -> Response: ...
"""

from typing import Annotated

from fastapi import Depends, Request

from issuer.context import IssuerContext
from service.dependencies import inline
from service.page_access import FromOurForm as FromOurForm
from service.page_access import PagesDep as PagesDep
from service.page_access import SignedIn as SignedIn
from service.page_access import StaffDep as StaffDep
from service.page_access import the_pages as the_pages


def the_issuer(request: Request) -> IssuerContext:
    """The issuer behind this request."""
    context = request.app.state.issuer
    assert isinstance(context, IssuerContext)
    return context


IssuerDep = Annotated[IssuerContext, Depends(inline(the_issuer))]
