"""Finding a request: by the number in a letter or a receipt that somebody sent, or by one's own reference.

What is looked for may be a name, so it is sent in a form and stands in no address.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from verifier.pages.access import FromOurForm, PagesDep, SignedIn, VerifierDep
from verifier.pages.stands import rows_of

router = APIRouter(dependencies=[SignedIn])

LONGEST = 300


@router.get("/find")
async def form(request: Request, pages: PagesDep) -> Response:
    """The form alone."""
    return await pages.render(request, "find.html", wanted="", rows=None, longest=LONGEST)


@router.post("/find", dependencies=[FromOurForm])
async def find(
    request: Request,
    verifier: VerifierDep,
    pages: PagesDep,
    wanted: Annotated[str, Form(max_length=LONGEST)] = "",
) -> Response:
    """What fits, newest first."""
    await verifier.tidy()
    found = await verifier.database.run_beside(verifier.finder.find, wanted, now=verifier.clock())
    rows = rows_of(found, pages.language(request)) if wanted.strip() else None
    return await pages.render(request, "find.html", wanted=wanted, rows=rows, longest=LONGEST)
