"""Staff at the door: signing in and out, and making the first account with the code from the terminal."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from issuer.context import IssuerContext
from issuer.pages.access import FromOurForm, IssuerDep, PagesDep, the_issuer, the_pages
from schemas.errors import Refused, TooManyRequests
from service.accounts import Account, PasswordTooShort, WrongSetupCode
from service.i18n import N_
from service.passwords import PasswordTooLong
from service.rate_limits import StoredRateLimit, client_address

router = APIRouter()

TRIES, TRIES_SECONDS = 10, 10 * 60

_WRONG = N_("The login name and the password do not belong together. Check both and try again.")
_TOO_MANY = N_("There were too many attempts. Wait ten minutes and try again.")
_NO_NAME = N_("Write a login name.")
_FAULTS: dict[type[Refused], tuple[str, str]] = {
    WrongSetupCode: ("setup_code", N_("This code does not work. Look for the newest one in the terminal.")),
    PasswordTooShort: ("password", N_("The password is too short. Use at least 12 characters.")),
    PasswordTooLong: ("password", N_("The password is too long. Use at most 1,000 characters.")),
}

Line = Annotated[str, Form(max_length=2_000)]


@router.get("/sign-in")
async def sign_in_form(request: Request, issuer: IssuerDep, pages: PagesDep, next: str = "/") -> Response:
    """The form to sign in with."""
    return await _sign_in_page(request, issuer, errors=[], login="", following=pages.safe_next(next))


@router.post("/sign-in", dependencies=[FromOurForm])
async def sign_in(
    request: Request, issuer: IssuerDep, pages: PagesDep, login: Line = "", password: Line = "", next: Line = "/"
) -> Response:
    """Sign in, and go on to what was asked for."""
    now, key = issuer.clock(), f"{client_address(request)} {login}"
    limit = _limit(issuer, "login")
    account: Account | None = None
    status, fault = 403, _WRONG
    try:
        await limit.check(key, now=now)
        account = await issuer.store.accounts.sign_in(login, password, now=now)
    except TooManyRequests as exc:
        status, fault = exc.status, _TOO_MANY
    except PasswordTooLong:
        pass  # Nobody has such a password: the answer is that of a wrong one.
    following = pages.safe_next(next)
    if account is None:
        errors = [("login", pages.translator(request)(fault))]
        return await _sign_in_page(request, issuer, errors=errors, login=login, following=following, status=status)
    await limit.forget(key)
    return await _enter(request, account, following)


@router.get("/setup")
async def setup_form(request: Request, issuer: IssuerDep, pages: PagesDep) -> Response:
    """The form that makes the first account; there is none any more once there is an account."""
    if not await issuer.store.accounts.is_empty():
        return pages.redirect("/sign-in")
    return await pages.render(request, "setup.html", errors=[], login="", setup_code="")


@router.post("/setup", dependencies=[FromOurForm])
async def setup(
    request: Request, issuer: IssuerDep, setup_code: Line = "", login: Line = "", password: Line = ""
) -> Response:
    """Make the first account and sign in with it."""
    now = issuer.clock()
    if not login.strip():
        return await _setup_again(request, ("login", _NO_NAME), login, setup_code)
    try:
        await _limit(issuer, "setup").check(client_address(request), now=now)
        account = await issuer.store.accounts.create_first(setup_code.strip(), login, password, now=now)
    except TooManyRequests:
        return await _setup_again(request, ("setup_code", _TOO_MANY), login, setup_code)
    except tuple(_FAULTS) as exc:
        return await _setup_again(request, _FAULTS[type(exc)], login, setup_code)
    return await _enter(request, account, "/")


@router.post("/sign-out", dependencies=[FromOurForm])
async def sign_out(request: Request, pages: PagesDep) -> Response:
    """End the session in this browser."""
    session = await pages.session(request)
    response = pages.redirect("/sign-in", message=N_("You have signed out."))
    if session is not None and pages.sessions is not None:
        await pages.sessions.close(session)
        pages.sessions.clear_cookie(response)
    return response


async def _sign_in_page(
    request: Request,
    issuer: IssuerContext,
    *,
    errors: list[tuple[str, str]],
    login: str,
    following: str,
    status: int = 200,
) -> Response:
    needs_setup = await issuer.store.accounts.is_empty()
    return await the_pages(request).render(
        request, "sign_in.html", status=status, errors=errors, login=login, next=following, needs_setup=needs_setup
    )


async def _setup_again(request: Request, fault: tuple[str, str], login: str, setup_code: str) -> Response:
    pages = the_pages(request)
    errors = [(fault[0], pages.translator(request)(fault[1]))]
    return await pages.render(request, "setup.html", status=400, errors=errors, login=login, setup_code=setup_code)


async def _enter(request: Request, account: Account, path: str) -> Response:
    """A fresh session for an account; one that was open before ends (no session fixation)."""
    pages = the_pages(request)
    assert pages.sessions is not None
    before = await pages.session(request)
    if before is not None:
        await pages.sessions.close(before)
    cookie = await pages.sessions.open(account.id, now=the_issuer(request).clock())
    response = pages.redirect(path)
    pages.sessions.set_cookie(response, cookie)
    return response


def _limit(issuer: IssuerContext, purpose: str) -> StoredRateLimit:
    return StoredRateLimit(
        issuer.store.database,
        purpose=purpose,
        count=TRIES,
        seconds=TRIES_SECONDS,
        device_secret=issuer.settings.device_secret(),
    )
