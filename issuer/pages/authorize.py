"""Where a person allows a wallet to fetch certificates: signing in, seeing what would be fetched, yes or no.

A wallet sends the browser to `/authorize` with a request that it pushed before. The person signs in at the provider
that the operator named and comes back to a page with the very contents. The decision is answered with a page of our own
that sends the browser on to the wallet: a form may not be redirected to another origin under our `form-action`.
"""

from collections.abc import Collection
from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from issuer.authorization.choosing import NoCourseChosen, RecordsChanged, courses_of, narrowed, unchanged
from issuer.authorization.deciding import (
    DECIDING,
    Authorization,
    AuthorizationOver,
    FromOffer,
    Stage,
    chosen_drafts,
    drafts_for,
    return_url,
)
from issuer.authorization.offered import records_offered
from issuer.context import IssuerContext
from issuer.offers import Offer, OfferDraft
from issuer.pages import powers, sign_in
from issuer.pages.access import FromOurForm, IssuerDep, PagesDep
from issuer.pages.reports import preview
from issuer.recognition import NotRecognised, features_of_claims, read_match_rules, same_person
from issuer.remote import CALLBACK, LoginUnavailable
from issuer.store.results import NoSuchResult
from proofs.id_token import InvalidIDToken
from schemas.errors import Refused
from schemas.types import CREDENTIAL_TYPES, CredentialType
from service.i18n import N_
from service.pages import FormSwitch, Pages
from service.rate_limits import client_address
from service.sessions import cookie_key, cookie_name, new_cookie

_TOLD_OF_A_COURSE = ("course_code", "assessment_grade", "date_of_completion")

router = APIRouter()
log = structlog.stdlib.get_logger()

_CHOOSE = N_("Choose at least one certificate.")
_CHOOSE_COURSE = N_("Choose at least one course of each certificate that you fetch.")
_CHANGED = N_("The record has changed since you signed in. Nothing was fetched. Sign in again to see it as it is now.")
_ENDED = N_("You stopped the sign-in, or it failed. Nothing was fetched.")
_UNAVAILABLE = N_("People cannot sign in here at the moment. Nothing was fetched. Try again later.")
_UNKNOWN = N_("We found no record that belongs to this sign-in. Nothing was fetched.")
_NOT_OFFERED = N_("This was offered to somebody else, or the record has changed. Nothing was fetched.")
_OFFER_OVER = N_("This offer is no longer open. Nothing was fetched. Ask for a new link.")
_NOTHING = N_("You have no record here that such a certificate can be made of. Nothing was fetched.")


@router.get("/authorize")
async def open_request(
    request: Request, issuer: IssuerDep, pages: PagesDep, request_uri: str = "", client_id: str = ""
) -> Response:
    """Open a pushed request in this browser, and send the person to sign in. Everything else in the query is ignored
    (RFC 9101, section 6.3). Raises `TooManyRequests` when one address opens too many."""
    issuer.limits.count_address(client_address(request), path="/authorize")
    browser_key = new_cookie()
    store = issuer.store
    opened = await store.database.run(
        lambda: store.authorizations.open(request_uri, client_id=client_id, browser_key=browser_key, now=issuer.clock())
    )
    pages.speak(request, opened.language)
    response = await _to_sign_in(request, issuer, pages, opened, browser_key)
    if opened.language is not None:
        pages.remember_language(request, response)
    sign_in.keep(response, issuer, _cookie(issuer, opened.id), browser_key, lasts=DECIDING)
    return response


@router.get(CALLBACK)
async def signed_in(
    request: Request, issuer: IssuerDep, pages: PagesDep, state: str = "", code: str = "", iss: str = ""
) -> Response:
    """Back from signing in: find the person's records, and show what would be fetched."""
    authorization_id, _, mark = state.partition(".")
    if authorization_id == powers.VISIT:
        return await powers.came_back(request, issuer, pages, mark=mark, code=code, iss=iss)
    authorization, browser_key = await _mine(request, issuer, authorization_id)
    if not sign_in.is_ours(issuer, authorization.id, browser_key, mark=mark):
        raise AuthorizationOver
    if not sign_in.has_signed_in(issuer, code=code, iss=iss):
        return await _nothing_page(request, pages, authorization, _ENDED)
    today = issuer.settings.day_of(issuer.clock())
    try:
        claims = await sign_in.claims_of(issuer, authorization.id, browser_key, code=code)
        features = features_of_claims(claims, read_match_rules(issuer.settings.login_match), on=today)
        results = await issuer.store.database.run(issuer.store.results.of_learner, features, on=today)
        same_person(result.record.learner for result in results)
    except NotRecognised as exc:
        log.info("sign_in_not_recognised", reason=str(exc))
        return await _nothing_page(request, pages, authorization, _UNKNOWN)
    except (InvalidIDToken, LoginUnavailable) as exc:
        log.warning("sign_in_failed", error=exc.error, reason=str(exc))
        told = _UNAVAILABLE if isinstance(exc, LoginUnavailable) else _ENDED
        return await _nothing_page(request, pages, authorization, told, status=exc.status)
    records = [(result.id, result.record.dated(today)) for result in results]
    if authorization.from_offer is not None:
        offer = await _offer(issuer, authorization.from_offer)
        if offer is None:
            return await _nothing_page(request, pages, authorization, _OFFER_OVER)
        try:
            records = records_offered(offer, records)
        except NotRecognised as exc:
            log.info("sign_in_not_recognised", reason=str(exc))
            return await _nothing_page(request, pages, authorization, _NOT_OFFERED)
    drafts, _ = drafts_for(authorization.wanted, records)
    if not drafts:
        return await _nothing_page(request, pages, authorization, _NOTHING)
    store = issuer.store
    await store.database.run(
        lambda: store.authorizations.sign_in(authorization.id, drafts, browser_key=browser_key, now=issuer.clock())
    )
    return pages.redirect(f"/authorize/{authorization.id}")


@router.get("/authorize/{authorization_id}")
async def review(request: Request, authorization_id: str, issuer: IssuerDep, pages: PagesDep) -> Response:
    """What would be fetched, by which wallet, and the two buttons."""
    authorization, _ = await _mine(request, issuer, authorization_id)
    if authorization.stage in (Stage.ALLOWED, Stage.REFUSED):
        return pages.redirect(f"/authorize/{authorization_id}/done")
    if authorization.stage is not Stage.SIGNED_IN:
        raise AuthorizationOver
    return await _review_page(request, issuer, pages, authorization)


@router.post("/authorize/{authorization_id}/sign-in", dependencies=[FromOurForm])
async def sign_in_again(request: Request, authorization_id: str, issuer: IssuerDep, pages: PagesDep) -> Response:
    """Another try at signing in, as somebody else perhaps: a page with the link, since a form may not lead away."""
    authorization, browser_key = await _mine(request, issuer, authorization_id)
    return await _to_sign_in(request, issuer, pages, authorization, browser_key, by_page=True)


@router.post("/authorize/{authorization_id}/decide", dependencies=[FromOurForm])
async def decide(
    request: Request,
    authorization_id: str,
    issuer: IssuerDep,
    pages: PagesDep,
    decision: Annotated[str, Form(max_length=20)] = "",
    certificate: Annotated[list[str] | None, Form()] = None,
    course: Annotated[list[str] | None, Form()] = None,
    to_language: Annotated[str, Form(max_length=5)] = "",
) -> Response:
    """Yes to what is chosen, or no. Anything but a clear yes fetches nothing. With `to_language` the page is only shown
    again, as it was ticked.

    `certificate` holds places of drafts, `course` places of courses in them: `0.2` is the third of the first.
    """
    authorization, browser_key = await _mine(request, issuer, authorization_id)
    places = [int(each) for each in certificate or [] if each.isdecimal() and len(each) < 6]
    if to_language and authorization.stage is not Stage.SIGNED_IN:
        return pages.redirect(f"/authorize/{authorization.id}")
    if to_language:
        return await _review_page(request, issuer, pages, authorization, ticked=places, course=course or [])
    store, now = issuer.store, issuer.clock()
    if decision == "no":
        await store.database.run(
            lambda: store.authorizations.refuse(authorization.id, browser_key=browser_key, now=now)
        )
        return pages.redirect(f"/authorize/{authorization.id}/done")
    try:
        if decision != "yes":
            raise Refused("there was no decision")
        chosen_drafts(authorization, places)
        chosen = [
            await _as_chosen(issuer, authorization.drafts[place], kept=_courses_at(place, course or []))
            for place in sorted(places)
        ]
    except NoCourseChosen:
        return await _review_page(
            request, issuer, pages, authorization, ticked=places, course=course or [], fault=_CHOOSE_COURSE, status=400
        )
    except (RecordsChanged, NoSuchResult):
        return await _nothing_page(request, pages, authorization, _CHANGED, status=409)
    except Refused:
        return await _review_page(
            request, issuer, pages, authorization, ticked=places, course=course or [], fault=_CHOOSE, status=400
        )
    await store.database.run(
        lambda: store.authorizations.allow(authorization.id, chosen, browser_key=browser_key, now=now)
    )
    return pages.redirect(f"/authorize/{authorization.id}/done")


@router.get("/authorize/{authorization_id}/done")
async def done(request: Request, authorization_id: str, issuer: IssuerDep, pages: PagesDep) -> Response:
    """Send the browser back to the wallet, with the code or with the no."""
    authorization, _ = await _mine(request, issuer, authorization_id)
    if authorization.stage is Stage.ALLOWED:
        answer = {"code": issuer.store.secret.authorization_code(authorization.id)}
    elif authorization.stage is Stage.REFUSED:
        answer = {"error": "access_denied"}
    else:
        raise AuthorizationOver
    return await pages.render(
        request,
        "authorize_done.html",
        authorization=authorization,
        is_allowed=authorization.stage is Stage.ALLOWED,
        count=len(authorization.drafts),
        back=return_url(authorization, issuer=issuer.issuer, answer=answer),
    )


def _courses_at(place: int, courses: list[str]) -> list[int]:
    """Which courses of the draft at a place were ticked."""
    parts = [one.partition(".") for one in courses if len(one) < 12]
    return [int(course) for draft, _, course in parts if draft == str(place) and course.isdecimal()]


async def _as_chosen(issuer: IssuerContext, draft: OfferDraft, *, kept: list[int]) -> OfferDraft:
    """The draft, if its records still say what was shown, with the courses that were ticked, where there was a choice.

    Raises as `narrowed` does, and `NoSuchResult`.
    """
    results = await issuer.store.database.run(issuer.store.results.get_results, draft.result_ids)
    now, day_of = issuer.clock(), issuer.settings.day_of
    # Whoever signed in before midnight may decide after it.
    days = dict.fromkeys((day_of(now), day_of(now - DECIDING)))
    records = unchanged(draft, ([result.record.dated(day) for result in results] for day in days))
    courses = courses_of(draft)
    if not courses or set(kept) == set(range(len(courses))):
        return draft
    return narrowed(draft, kept, records)


async def _offer(issuer: IssuerContext, named: FromOffer) -> Offer | None:
    """The offer that an authorization came from, while it is open."""
    offer = await issuer.store.database.run(lambda: issuer.store.offers.get(named.offer_id, now=issuer.clock()))
    return offer if named.is_still(offer) else None


async def _mine(request: Request, issuer: IssuerContext, authorization_id: str) -> tuple[Authorization, str]:
    """The authorization that this browser opened, and the key that shows it. Raises `AuthorizationOver`."""
    cookie = request.cookies.get(_cookie(issuer, authorization_id)) if authorization_id.isascii() else None
    if cookie is None or cookie_key(cookie) is None:
        raise AuthorizationOver
    store = issuer.store
    found = await store.database.run(
        lambda: store.authorizations.load(authorization_id, browser_key=cookie, now=issuer.clock())
    )
    return found, cookie


def _cookie(issuer: IssuerContext, authorization_id: str) -> str:
    return cookie_name(issuer.settings, f"authorize-{authorization_id}")


async def _to_sign_in(
    request: Request,
    issuer: IssuerContext,
    pages: Pages,
    authorization: Authorization,
    browser_key: str,
    *,
    by_page: bool = False,
) -> Response:
    """To the provider; when it cannot be asked, a page that says so. `by_page`: the person asked to sign in anew."""
    try:
        url = await sign_in.address(
            issuer, authorization.id, browser_key, language=pages.language(request), as_somebody=by_page
        )
    except LoginUnavailable as exc:
        log.warning("sign_in_unavailable", reason=str(exc))
        return await _nothing_page(request, pages, authorization, _UNAVAILABLE, status=503)
    if by_page:
        return await pages.render(request, "authorize_sign_in.html", authorization=authorization, url=url)
    return RedirectResponse(url, status_code=303)


async def _nothing_page(
    request: Request, pages: Pages, authorization: Authorization, told: str, *, status: int = 200
) -> Response:
    """Nothing can be fetched: why, and the ways on."""
    return await pages.render(request, "authorize_nothing.html", status=status, authorization=authorization, told=told)


async def _review_page(
    request: Request,
    issuer: IssuerContext,
    pages: Pages,
    authorization: Authorization,
    *,
    ticked: Collection[int] | None = None,
    fault: str = "",
    course: list[str] | None = None,
    status: int = 200,
) -> Response:
    """What could be fetched. `ticked` are the places that the person ticked, `course` the courses; None on a fresh
    page, where all courses are."""
    t = pages.translator(request)
    seen = [(position, draft, _seen(issuer, draft)) for position, draft in enumerate(authorization.drafts)]
    by_type: dict[str, list[tuple[int, OfferDraft, object]]] = {}
    for each in seen:
        by_type.setdefault(each[1].type_name, []).append(each)
    # Several are for wallets that read identifiers: whoever does not tick more has what every wallet takes.
    one_at_first = {name for name, drafts in by_type.items() if len(drafts) > 1 and authorization.is_by_scope(name)}
    if ticked is None:
        ticked = {
            position
            for name, drafts in by_type.items()
            for place, (position, *_) in enumerate(drafts)
            if place == 0 or name not in one_at_first
        }
    missing = [
        CREDENTIAL_TYPES[wanted.type_name].title(t.language)
        for wanted in authorization.wanted
        if wanted.type_name not in by_type
    ]
    return await pages.render(
        request,
        "authorize_review.html",
        status=status,
        switch=FormSwitch("decide-form", f"/authorize/{authorization.id}/decide"),
        authorization=authorization,
        ticked=ticked,
        institution=t.pick(issuer.settings.names),
        groups=[
            (
                CREDENTIAL_TYPES[name].title(t.language),
                drafts,
                len(drafts) == 1 and _says_kind(CREDENTIAL_TYPES[name]),
                name in one_at_first,
            )
            for name, drafts in by_type.items()
        ],
        missing=missing,
        count=len(seen),
        courses=[_course_choices(position, draft) for position, draft in enumerate(authorization.drafts)],
        kept=course,
        fault=fault,
    )


def _course_choices(position: int, draft: OfferDraft) -> list[tuple[str, object, str]]:
    """What stands at each tick: its value, the title, and what else tells courses apart."""
    return [
        (
            f"{position}.{place}",
            course["achievement_title"],
            ", ".join(str(course[name]) for name in _TOLD_OF_A_COURSE if course.get(name)),
        )
        for place, course in enumerate(courses_of(draft))
    ]


def _says_kind(credential_type: CredentialType) -> bool:
    """Whether the title of a certificate says its kind, so that no heading has to."""
    return credential_type.form is not None and credential_type.form.title_says_kind


def _seen(issuer: IssuerContext, draft: OfferDraft) -> object:
    return preview(CREDENTIAL_TYPES[draft.type_name], draft.claims, issuer=issuer.issuer, recipient=draft.recipient)
