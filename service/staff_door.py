"""Staff at the door: signing in and out, the first account with the code from the terminal, one's own password.

    page_routers = [staff_door(N_("For staff who issue certificates.")), ...]
    app.state.accounts = accounts

Tries are counted by address and login name, in the one form in which names are compared, and by address alone, so that
neither many spellings of one name nor many names give more of them.
"""

from collections.abc import Callable
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from schemas.errors import Refused, TooManyRequests
from service.accounts import Account, LoginTaken, PasswordTooShort, WrongSetupCode, normal_login
from service.i18n import N_
from service.page_access import AccountsDep, FromOurForm, PagesDep, StaffDep, the_accounts, the_pages
from service.passwords import PasswordTooLong
from service.rate_limits import StoredRateLimit, client_address

TRIES, TRIES_OF_AN_ADDRESS, TRIES_SECONDS = 10, 50, 10 * 60

_WRONG: Final = N_("The login name and the password do not belong together. Check both and try again.")
_TOO_MANY: Final = N_("There were too many attempts. Wait ten minutes and try again.")
_CHANGED: Final = N_("The account was changed while you signed in. Sign in again.")
_NOT_OLD: Final = N_("This is not your present password. Nothing was changed. Try again.")
_NO_NAME: Final = N_("Write a login name.")
_FAULTS: Final[dict[type[Refused], tuple[str, str]]] = {
    WrongSetupCode: ("setup_code", N_("This code does not work. Look for the newest one in the terminal.")),
    PasswordTooShort: ("password", N_("The password is too short. Use at least 12 characters.")),
    PasswordTooLong: ("password", N_("The password is too long. Use at most 1,000 characters.")),
    LoginTaken: ("login", N_("There already is an account with this name.")),
}

Line = Annotated[str, Form(max_length=2_000)]

ForOthers = Callable[[Request], str]

_router = APIRouter()


def _nothing(request: Request) -> str:
    return ""


def staff_door(who: str, *, for_others: ForOthers = _nothing) -> APIRouter:
    """The pages of the door. `who` says in one sentence whom they are for (an English msgid of the service's own).

    `for_others` gives what to say to a person who came here without being one of them: a msgid with the name of the
    organisation as `%(name)s`, or nothing.
    """

    async def form(request: Request, pages: PagesDep, next: str = "/") -> Response:
        return await _sign_in_page(request, who, for_others(request), following=pages.safe_next(next))

    async def sign_in(
        request: Request, pages: PagesDep, login: Line = "", password: Line = "", next: Line = "/"
    ) -> Response:
        following = pages.safe_next(next)
        status, fault = 403, _WRONG
        try:
            account = await _signed_in(request, login, password)
        except TooManyRequests as exc:
            status, fault, account = exc.status, _TOO_MANY, None
        if account is None:
            return await _sign_in_page(
                request, who, for_others(request), following=following, login=login, fault=fault, status=status
            )
        return await _enter(request, account, following)

    router = APIRouter()
    router.add_api_route("/sign-in", form, methods=["GET"])
    router.add_api_route("/sign-in", sign_in, methods=["POST"], dependencies=[FromOurForm])
    router.include_router(_router)
    return router


@_router.get("/setup")
async def setup_form(request: Request, pages: PagesDep, accounts: AccountsDep) -> Response:
    """The form that makes the first account; there is none any more once there is an account."""
    if not await accounts.is_empty():
        return pages.redirect("/sign-in")
    return await pages.render(request, "setup.html", errors=[], login="", setup_code="")


@_router.post("/setup", dependencies=[FromOurForm])
async def setup(
    request: Request, accounts: AccountsDep, setup_code: Line = "", login: Line = "", password: Line = ""
) -> Response:
    """Make the first account and sign in with it."""
    now = the_pages(request).clock()
    if not login.strip():
        return await _setup_again(request, ("login", _NO_NAME), login, setup_code)
    try:
        await _limit(request, "setup", TRIES).check(client_address(request), now=now)
        account = await accounts.create_first(setup_code.strip(), login, password, now=now)
    except TooManyRequests:
        return await _setup_again(request, ("setup_code", _TOO_MANY), login, setup_code)
    except tuple(_FAULTS) as exc:
        return await _setup_again(request, _FAULTS[type(exc)], login, setup_code)
    return await _enter(request, account, "/")


@_router.get("/account")
async def account_form(request: Request, staff: StaffDep) -> Response:
    """Where somebody who has signed in changes their password."""
    return await _account_page(request)


@_router.post("/account", dependencies=[FromOurForm])
async def change_password(
    request: Request, staff: StaffDep, accounts: AccountsDep, old_password: Line = "", new_password: Line = ""
) -> Response:
    """Change one's own password; the account's sessions in other browsers end."""
    pages, now = the_pages(request), the_pages(request).clock()
    try:
        await _limit(request, "password", TRIES).check(staff.subject, now=now)
        if not await accounts.change_password(staff.subject, old_password, new_password):
            return await _account_page(request, ("old_password", _NOT_OLD), status=403)
    except TooManyRequests as exc:
        return await _account_page(request, ("old_password", _TOO_MANY), status=exc.status)
    except (PasswordTooShort, PasswordTooLong) as exc:
        return await _account_page(request, ("new_password", _FAULTS[type(exc)][1]), status=400)
    assert pages.sessions is not None
    cookie = await pages.sessions.open(staff.subject, now=now)
    response = pages.redirect("/account", message=N_("Your password was changed. Other browsers have been signed out."))
    pages.sessions.set_cookie(response, cookie)
    return response


@_router.post("/sign-out", dependencies=[FromOurForm])
async def sign_out(request: Request, pages: PagesDep) -> Response:
    """End the session in this browser."""
    session = await pages.session(request)
    response = pages.redirect("/sign-in", message=N_("You have signed out."))
    if session is not None and pages.sessions is not None:
        await pages.sessions.close(session)
        pages.sessions.clear_cookie(response)
    return response


async def _signed_in(request: Request, login: str, password: str) -> Account | None:
    """The account, or None when the two do not belong together. Raises `TooManyRequests`."""
    now, address = the_pages(request).clock(), client_address(request)
    limit, key = _limit(request, "login", TRIES), f"{address} {normal_login(login)}"
    await _limit(request, "login address", TRIES_OF_AN_ADDRESS).check(address, now=now)
    await limit.check(key, now=now)
    try:
        account = await the_accounts(request).sign_in(login, password, now=now)
    except PasswordTooLong:
        return None  # Nobody has such a password: the answer is that of a wrong one.
    if account is not None:
        await limit.forget(key)
    return account


async def _sign_in_page(
    request: Request,
    who: str,
    others: str,
    *,
    following: str,
    login: str = "",
    fault: str = "",
    status: int = 200,
) -> Response:
    pages = the_pages(request)
    t = pages.translator(request)
    return await pages.render(
        request,
        "sign_in.html",
        status=status,
        who=t(who),
        others=others,
        errors=[("login", t(fault))] if fault else [],
        login=login,
        next=following,
        needs_setup=await the_accounts(request).is_empty(),
    )


async def _account_page(request: Request, fault: tuple[str, str] | None = None, *, status: int = 200) -> Response:
    pages = the_pages(request)
    errors = [(fault[0], pages.translator(request)(fault[1]))] if fault else []
    return await pages.render(request, "account.html", status=status, errors=errors)


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
    cookie = await pages.sessions.open(account.id, now=pages.clock())
    if not await the_accounts(request).is_current(account):
        opened = await pages.sessions.load(cookie, now=pages.clock())
        if opened is not None:
            await pages.sessions.close(opened)
        return pages.redirect("/sign-in", message=_CHANGED, kind="warning")
    response = pages.redirect(path)
    pages.sessions.set_cookie(response, cookie)
    return response


def _limit(request: Request, purpose: str, count: int) -> StoredRateLimit:
    return StoredRateLimit(
        the_accounts(request).database,
        purpose=purpose,
        count=count,
        seconds=TRIES_SECONDS,
        device_secret=the_pages(request).settings.device_secret(),
    )
