"""S4 of a share: what became of it.

The page sends the browser on where the recipient wants it, once, without a script, and keeps the ordinary link.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from wallet.ledger import Outcome
from wallet.pages.access import FromOurForm, PagesDep, VaultDep, go_to, the_wallet
from wallet.pages.history_view import entry_view, titles_of, why_not_accepted
from wallet.pages.share_access import SharingDep, show_answered

router = APIRouter()


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
