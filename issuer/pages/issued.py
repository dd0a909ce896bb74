"""Issued certificates: finding one, and revoking, suspending or reinstating it."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from issuer.context import IssuerContext
from issuer.pages.access import FromOurForm, IssuerDep, PagesDep, SignedIn
from issuer.pages.words import CERTIFICATES, TOLD
from issuer.powers import ENDED_BY_PRINCIPAL, LAID_DOWN
from issuer.status import RevocationIsFinal, Status
from issuer.store.status import Certificate
from schemas.learning.texts import clean_text, in_language
from schemas.types import CREDENTIAL_TYPES
from service.i18n import N_, Translator
from service.pages import LanguageSwitch, Pages

router = APIRouter(dependencies=[SignedIn])

PAGE_ROWS = 50
SEARCHED = 10_000
MOST_NOTE_CHARACTERS = 200

REASONS = {
    "issued_in_error": N_("It was issued by mistake"),
    "corrected": N_("It is replaced by a corrected one"),
    "result_changed": N_("The result was changed"),
    "misconduct": N_("The result was annulled because of misconduct"),
    "asked_for": N_("The person asked for it"),
    "under_review": N_("The result is being reviewed"),
    "other": N_("Another reason"),
}
BY_THE_PEOPLE = {
    ENDED_BY_PRINCIPAL: N_("The person whom the power is over ended it"),
    LAID_DOWN: N_("The one who held the power laid it down"),
}
"""What staff cannot choose: the two people of a power end it themselves (`issuer/pages/powers.py`)."""
_NO_REASON = N_("Choose a reason.")
_FINAL = N_("A revoked certificate stays revoked. Nothing was changed.")

Line = Annotated[str, Form(max_length=2_000)]


@router.get("/issued")
async def list_issued(
    request: Request, issuer: IssuerDep, pages: PagesDep, q: str = "", status: str = "", page: int = 0
) -> Response:
    """Every certificate that was collected, newest first."""
    everything = await issuer.store.database.run(lambda: issuer.store.status.list_issued(limit=SEARCHED))
    found = [one for one in everything if _matches(one, q) and status in ("", CERTIFICATES[one.status].kind)]
    page = max(0, min(page, (len(found) - 1) // PAGE_ROWS))
    t = pages.translator(request)
    return await pages.render(
        request,
        "issued.html",
        certificates=found[page * PAGE_ROWS : (page + 1) * PAGE_ROWS],
        words=CERTIFICATES,
        statuses=[("", t(N_("Any status"))), *((word.kind, t(word.word)) for word in CERTIFICATES.values())],
        q=q,
        chosen_status=status,
        page=page,
        has_more=(page + 1) * PAGE_ROWS < len(found),
        found_count=len(found),
        any_count=len(everything),
    )


@router.get("/issued/{certificate_id}")
async def show_certificate(request: Request, certificate_id: str, issuer: IssuerDep, pages: PagesDep) -> Response:
    """One certificate: for whom, since when, its status, and what can be done."""
    certificate = await issuer.store.database.run(issuer.store.status.get, certificate_id)
    return await _page(request, pages, certificate, "certificate.html")


@router.get("/issued/{certificate_id}/revoke")
async def revoke_form(request: Request, certificate_id: str, issuer: IssuerDep, pages: PagesDep) -> Response:
    """Before revoking: what it means, and why."""
    certificate = await issuer.store.database.run(issuer.store.status.get, certificate_id)
    if certificate.status is Status.REVOKED:
        return pages.redirect(f"/issued/{certificate.id}")
    return await _page(request, pages, certificate, "revoke.html")


@router.post("/issued/{certificate_id}/revoke", dependencies=[FromOurForm])
async def revoke(
    request: Request,
    certificate_id: str,
    issuer: IssuerDep,
    pages: PagesDep,
    decision: Line = "",
    reason: Line = "",
    note: Line = "",
) -> Response:
    """Revoke for good, leave as it is, or (without a decision) show the page again."""
    certificate = await issuer.store.database.run(issuer.store.status.get, certificate_id)
    if decision == "keep":
        return pages.redirect(f"/issued/{certificate.id}", message=N_("Nothing was changed."), kind="info")
    note = note[:MOST_NOTE_CHARACTERS]
    if decision != "revoke":
        return await _page(request, pages, certificate, "revoke.html", reason=reason, note=note)
    if reason not in REASONS:
        errors = [("reason-1", pages.translator(request)(_NO_REASON))]
        return await _page(request, pages, certificate, "revoke.html", status=400, errors=errors, note=note)
    return await _change(issuer, pages, certificate, Status.REVOKED, reason=reason, note=note)


@router.post("/issued/{certificate_id}/suspend", dependencies=[FromOurForm])
async def suspend(
    request: Request,
    certificate_id: str,
    issuer: IssuerDep,
    pages: PagesDep,
    reason: Line = "",
    note: Line = "",
) -> Response:
    """Suspend until it is reinstated."""
    certificate = await issuer.store.database.run(issuer.store.status.get, certificate_id)
    if reason not in REASONS:
        errors = [("suspend-reason", pages.translator(request)(_NO_REASON))]
        again = LanguageSwitch(f"/issued/{certificate.id}/suspend", {})
        return await _page(request, pages, certificate, "certificate.html", status=400, errors=errors, switch=again)
    return await _change(issuer, pages, certificate, Status.SUSPENDED, reason=reason, note=note)


@router.post("/issued/{certificate_id}/reinstate", dependencies=[FromOurForm])
async def reinstate(certificate_id: str, issuer: IssuerDep, pages: PagesDep) -> Response:
    """Make a suspended certificate valid again."""
    certificate = await issuer.store.database.run(issuer.store.status.get, certificate_id)
    return await _change(issuer, pages, certificate, Status.VALID, reason="", note="")


_DONE = {
    Status.REVOKED: N_("The certificate is revoked."),
    Status.SUSPENDED: N_("The certificate is suspended."),
    Status.VALID: N_("The certificate is valid again."),
}


async def _change(
    issuer: IssuerContext, pages: Pages, certificate: Certificate, after: Status, *, reason: str, note: str
) -> Response:
    told = ": ".join(part for part in (reason, " ".join(note.split())[:MOST_NOTE_CHARACTERS]) if part)
    path = f"/issued/{certificate.id}"
    try:
        await issuer.store.database.run(
            lambda: issuer.store.status.change(
                [certificate.id], after, publishing=issuer.publishing, reason=told, now=issuer.clock()
            )
        )
    except RevocationIsFinal:
        return pages.redirect(path, message=_FINAL, kind="warning")
    return pages.redirect(path, message=_DONE[after])


async def _page(
    request: Request,
    pages: Pages,
    certificate: Certificate,
    template: str,
    *,
    status: int = 200,
    switch: LanguageSwitch | None = None,
    errors: list[tuple[str, str]] | None = None,
    reason: str = "",
    note: str = "",
) -> Response:
    t = pages.translator(request)
    return await pages.render(
        request,
        template,
        status=status,
        switch=switch,
        certificate=certificate,
        title=in_language(certificate.title, t.language),
        type_title=CREDENTIAL_TYPES[certificate.type_name].title(t.language),
        word=CERTIFICATES[certificate.status],
        told_reason=told_reason(certificate.status_reason, t),
        wallet_told=t(TOLD[certificate.wallet_event]),
        reasons=[(name, t(text)) for name, text in REASONS.items()],
        errors=errors or [],
        wrong=dict(errors or []),
        reason=reason,
        note=note,
    )


def told_reason(stored: str, t: Translator) -> str:
    """The reason that was given, in the reader's language as far as it is one of ours."""
    name, _, note = stored.partition(": ")
    known = REASONS | BY_THE_PEOPLE
    if name not in known:
        return stored
    return f"{t(known[name])}. {note}" if note else t(known[name])


def _matches(certificate: Certificate, q: str) -> bool:
    told = " ".join((certificate.recipient, certificate.id, *certificate.title.values())).casefold()
    return all(word in told for word in clean_text(q).casefold().split())
