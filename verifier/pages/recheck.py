"""Checking again at the press of a button, as long as the person lets it happen."""

from fastapi import APIRouter
from fastapi.responses import Response

from verifier.pages.access import FromOurForm, PagesDep, SignedIn, StaffDep, VerifierDep
from verifier.pages.recheck_words import CHECKED_AGAIN, REFUSALS
from verifier.rechecks import RecheckNotPermitted

router = APIRouter(dependencies=[SignedIn])


@router.post("/requests/{request_id}/recheck", dependencies=[FromOurForm])
async def recheck(verifier: VerifierDep, pages: PagesDep, staff: StaffDep, request_id: str) -> Response:
    """One check more; the person is told of it."""
    address = f"/requests/{request_id}"
    try:
        outcome = await verifier.rechecks.check_again(request_id, actor=staff.subject)
    except RecheckNotPermitted as exc:
        return pages.redirect(address, message=REFUSALS[exc.reason], kind="warning")
    words = CHECKED_AGAIN[outcome]
    return pages.redirect(address, message=words.word, kind=words.tone)
