"""Where people end the powers that others hold for them, and lay down those that they hold (consent.md, delegation).

    /powers                what it is, and the sign-in; once signed in, the powers
    /powers/ID/end         what it means, and the two buttons

The person signs in at the provider that the operator named, as for fetching. Who they are stays in their browser for 15
minutes, as keyed digests under our seal, good only together with the key of that browser; nothing of it rests here.
"""

import hmac
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from issuer.context import IssuerContext
from issuer.pages import sign_in as signing_in
from issuer.pages.access import FromOurForm, IssuerDep, PagesDep
from issuer.powers import NoSuchPower, PowerOfPerson, features_of_person, marks_of, people_of
from issuer.recognition import NotRecognised, features_of_claims, read_match_rules, same_person
from issuer.remote import LoginUnavailable
from proofs import base64url, strict_json
from proofs.id_token import InvalidIDToken
from schemas.errors import Malformed, ProtocolError
from schemas.power import ALL
from schemas.types import display_value
from service.i18n import N_, Translator
from service.pages import Pages
from service.rate_limits import client_address
from service.sessions import cookie_key, cookie_name, new_cookie

router = APIRouter()
log = structlog.stdlib.get_logger()

VISIT: Final = "powers"
"""Stands in `state` where an authorization has its identifier: those are longer."""
_LASTS: Final = timedelta(minutes=15)
_MOST_MARKS: Final = 20

_ENDED = N_("You stopped the sign-in, or it failed. Nothing was changed.")
_UNAVAILABLE = N_("People cannot sign in here at the moment. Nothing was changed. Try again later.")
_UNKNOWN = N_("We could not tell for sure who you are. Nothing was changed. Write or call instead.")
_OVER = N_("You are signed out here. Sign in again.")
_IS_ENDED = N_("The power has ended. It holds nowhere any more.")
_KEPT = N_("Nothing was changed.")
_GONE = N_("This power had ended already.")
_ALL_KINDS = N_("It covers every kind of certificate, but no other power.")
_THESE_KINDS = N_("It covers these kinds of certificates: %(kinds)s.")
_ALL_RECIPIENTS = N_("They may be shown to every recipient.")
_THESE_RECIPIENTS = N_("They may be shown to: %(hosts)s.")


@router.get("/powers")
async def powers(request: Request, issuer: IssuerDep, pages: PagesDep) -> Response:
    """The powers of whoever has signed in; else the way to sign in."""
    marks = _who(request, issuer)
    if marks is None:
        return await pages.render(request, "powers_sign_in.html", told="", is_set=issuer.login.is_set)
    now = issuer.clock()
    found = await issuer.store.database.run(lambda: issuer.store.powers.of_person(marks, now=now))
    return await pages.render(
        request,
        "powers.html",
        over_me=[one for one in found if one.is_over_me],
        mine=[one for one in found if not one.is_over_me],
        covers=covers_in(pages.translator(request)),
    )


@router.post("/powers/sign-in", dependencies=[FromOurForm])
async def sign_in(
    request: Request, issuer: IssuerDep, pages: PagesDep, again: Annotated[str, Form(max_length=5)] = ""
) -> Response:
    """To the provider, by a page with the link, since a form may not lead away; `again`: as somebody else perhaps.

    Raises `TooManyRequests`.
    """
    issuer.limits.count_address(client_address(request), path="/powers/sign-in")
    browser_key = new_cookie()
    try:
        url = await signing_in.address(
            issuer, VISIT, browser_key, language=pages.language(request), as_somebody=bool(again)
        )
    except LoginUnavailable as exc:
        log.warning("sign_in_unavailable", reason=str(exc))
        return await _told(request, issuer, pages, _UNAVAILABLE, status=503)
    response = await pages.render(request, "authorize_sign_in.html", url=url)
    _set(response, issuer, "browser", browser_key)
    return response


async def came_back(
    request: Request, issuer: IssuerContext, pages: Pages, *, mark: str, code: str, iss: str
) -> Response:
    """Back from signing in, with what `state` held behind `VISIT`: who is it? Exactly one person, or nobody."""
    browser_key = _browser(request, issuer)
    if browser_key is None or not signing_in.is_ours(issuer, VISIT, browser_key, mark=mark):
        return await _told(request, issuer, pages, _OVER, status=400)
    if not signing_in.has_signed_in(issuer, code=code, iss=iss):
        return await _told(request, issuer, pages, _ENDED)
    try:
        claims = await signing_in.claims_of(issuer, VISIT, browser_key, code=code)
        marks = await issuer.store.database.run(_marks, issuer, claims)
    except NotRecognised as exc:
        log.info("sign_in_not_recognised", reason=str(exc))
        return await _told(request, issuer, pages, _UNKNOWN)
    except (InvalidIDToken, LoginUnavailable) as exc:
        log.warning("sign_in_failed", error=exc.error, reason=str(exc))
        told = _UNAVAILABLE if isinstance(exc, LoginUnavailable) else _ENDED
        return await _told(request, issuer, pages, told, status=exc.status)
    response = pages.redirect("/powers")
    _set(response, issuer, "who", _sealed(issuer, marks, browser_key))
    return response


@router.get("/powers/{power_id}/end")
async def end_form(request: Request, power_id: str, issuer: IssuerDep, pages: PagesDep) -> Response:
    """What ending it means, before it is ended."""
    marks = _who(request, issuer)
    if marks is None:
        return pages.redirect("/powers", message=_OVER, kind="warning")
    return await _before_the_end(request, issuer, pages, marks, power_id)


@router.post("/powers/{power_id}/end", dependencies=[FromOurForm])
async def end(
    request: Request,
    power_id: str,
    issuer: IssuerDep,
    pages: PagesDep,
    decision: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """End it, leave it, or (without a decision) show the page again."""
    marks = _who(request, issuer)
    if marks is None:
        return pages.redirect("/powers", message=_OVER, kind="warning")
    if decision == "keep":
        return pages.redirect("/powers", message=_KEPT, kind="info")
    if decision != "end":
        return await _before_the_end(request, issuer, pages, marks, power_id)
    store, now = issuer.store, issuer.clock()
    try:
        revoked = await store.database.run(
            lambda: store.powers.end(power_id, marks, publishing=issuer.publishing, now=now)
        )
    except NoSuchPower:
        return pages.redirect("/powers", message=_GONE, kind="info")
    log.info("power_ended", power=power_id, revoked=len(revoked))
    return pages.redirect("/powers", message=_IS_ENDED)


@router.post("/powers/leave", dependencies=[FromOurForm])
async def leave(issuer: IssuerDep, pages: PagesDep) -> Response:
    """Sign out here."""
    response = pages.redirect("/powers", message=N_("You are signed out here."), kind="info")
    for what in ("browser", "who"):
        response.delete_cookie(
            cookie_name(issuer.settings, f"powers-{what}"),
            path="/",
            secure=issuer.settings.is_https,
            httponly=True,
            samesite="lax",
        )
    return response


def covers_in(t: Translator) -> Callable[[PowerOfPerson], Mapping[str, str]]:
    """What a power covers, in sentences: kinds of certificates by their titles, recipients by their host names. Empty
    where that is not known any more."""

    def words(power: PowerOfPerson) -> Mapping[str, str]:
        kinds = display_value(list(power.covers_types), "types", t.language)
        hosts = display_value(list(power.covers_recipients), "hosts", t.language)
        return {
            "types": _covered(power.covers_types, t(_ALL_KINDS), t(_THESE_KINDS, kinds=kinds)),
            "recipients": _covered(power.covers_recipients, t(_ALL_RECIPIENTS), t(_THESE_RECIPIENTS, hosts=hosts)),
        }

    return words


def _covered(said: Collection[str], everything: str, these: str) -> str:
    return "" if not said else everything if tuple(said) == (ALL,) else these


async def _before_the_end(
    request: Request, issuer: IssuerContext, pages: Pages, marks: Collection[bytes], power_id: str
) -> Response:
    covers = covers_in(pages.translator(request))
    return await pages.render(request, "powers_end.html", power=await _mine(issuer, marks, power_id), covers=covers)


async def _mine(issuer: IssuerContext, marks: Collection[bytes], power_id: str) -> PowerOfPerson:
    now = issuer.clock()
    found = await issuer.store.database.run(lambda: issuer.store.powers.of_person(marks, now=now))
    power = next((one for one in found if one.id == power_id), None)
    if power is None:
        raise NoSuchPower
    return power


def _marks(issuer: IssuerContext, claims: dict[str, object]) -> frozenset[bytes]:
    """Whom the sign-in is about. Raises `NotRecognised` when that is nobody, or when it could be two people."""
    today = issuer.settings.day_of(issuer.clock())
    features = features_of_claims(claims, read_match_rules(issuer.settings.login_match), on=today)
    learners = [one.record.learner for one in issuer.store.results.of_learner(features, on=today)]
    if learners:
        same_person(learners)
    people = people_of(features, learners)
    for person in people:
        # Somebody else of these very names and this birth date, told apart by a number: we cannot know whom a power
        # means, which has no number.
        found = issuer.store.results.of_learner(features_of_person(person), on=today)
        namesakes = [one.record.learner for one in found]
        if namesakes:
            same_person([*namesakes, *learners])
    return marks_of(issuer.store.secret, people)


async def _told(request: Request, issuer: IssuerContext, pages: Pages, told: str, *, status: int = 200) -> Response:
    return await pages.render(request, "powers_sign_in.html", status=status, told=told, is_set=issuer.login.is_set)


# --- who is here ------------------------------------------------------------------------------------------------------


def _set(response: Response, issuer: IssuerContext, what: str, value: str) -> None:
    signing_in.keep(response, issuer, cookie_name(issuer.settings, f"powers-{what}"), value, lasts=_LASTS)


def _browser(request: Request, issuer: IssuerContext) -> str | None:
    cookie = request.cookies.get(cookie_name(issuer.settings, "powers-browser"))
    return cookie if cookie is not None and cookie_key(cookie) is not None else None


def _sealed(issuer: IssuerContext, marks: Collection[bytes], browser_key: str) -> str:
    until = int((issuer.clock() + _LASTS).timestamp())
    said = base64url.encode(strict_json.dumps({"until": until, "marks": sorted(mark.hex() for mark in marks)}))
    return f"{said}.{issuer.store.secret.login_value('powers-who', said, browser_key)}"


def _who(request: Request, issuer: IssuerContext) -> frozenset[bytes] | None:
    """The marks of whoever signed in from this browser in the last minutes; None for everybody else."""
    browser_key = _browser(request, issuer)
    said, _, seal = request.cookies.get(cookie_name(issuer.settings, "powers-who"), "").partition(".")
    if browser_key is None or not said:
        return None
    expected = issuer.store.secret.login_value("powers-who", said, browser_key)
    if not hmac.compare_digest(seal.encode("utf-8", "replace"), expected.encode()):
        return None
    try:
        members = strict_json.loads_object(base64url.decode(said))
        if members["until"] <= issuer.clock().timestamp():
            return None
        return frozenset(bytes.fromhex(mark) for mark in members["marks"][:_MOST_MARKS])
    except (Malformed, ProtocolError, KeyError, ValueError):
        return None
