"""What page handlers are given: the verifier, its pages, who is signed in, and which browser this is.

    @router.post("/ask/{name}", dependencies=[FromOurForm])
    async def make(name: str, verifier: VerifierDep, staff: StaffDep, browser: BrowserDep) -> Response: ...

A browser is known by a cookie of its own, so that an answer can be bound to it (OpenID4VP 13.3) whether or not somebody
is signed in. Only a digest of it is kept.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import Response

from proofs import base64url
from service.accounts import Accounts
from service.pages import Pages
from service.sessions import Session, cookie_key, cookie_name, new_cookie
from verifier.exchange import Verifier, browser_binding


def the_verifier(request: Request) -> Verifier:
    """The verifier behind this request."""
    verifier = request.app.state.verifier
    assert isinstance(verifier, Verifier)
    return verifier


def the_pages(request: Request) -> Pages:
    """The pages of this service."""
    pages = request.app.state.pages
    assert isinstance(pages, Pages)
    return pages


def the_accounts(request: Request) -> Accounts:
    """The staff's accounts."""
    accounts = request.app.state.accounts
    assert isinstance(accounts, Accounts)
    return accounts


VerifierDep = Annotated[Verifier, Depends(the_verifier)]
PagesDep = Annotated[Pages, Depends(the_pages)]
AccountsDep = Annotated[Accounts, Depends(the_accounts)]


async def signed_in(request: Request) -> Session:
    """The session of somebody who has signed in. Raises `SignInRequired`, which leads to signing in and back."""
    return await the_pages(request).signed_in(request)


async def check_form(request: Request) -> None:
    """Refuse a form that did not come from one of our pages."""
    await the_pages(request).check_csrf(request)


StaffDep = Annotated[Session, Depends(signed_in)]
SignedIn = Depends(signed_in)
FromOurForm = Depends(check_form)


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser. `binding` is its name in requests; `cookie` is set when the browser does not have one yet."""

    binding: str
    cookie: str
    is_new: bool
    name: str
    is_https: bool

    def remember(self, response: Response) -> None:
        """Give the browser its cookie, when it has none."""
        if self.is_new:
            # Lax: the person comes back from the wallet by an ordinary link from another site.
            response.set_cookie(self.name, self.cookie, path="/", secure=self.is_https, httponly=True, samesite="lax")


def the_browser(request: Request) -> Browser:
    """The browser that asks, known by its cookie, or a new one."""
    settings = the_verifier(request).settings
    name = cookie_name(settings, "browser")
    cookie = request.cookies.get(name)
    key = cookie_key(cookie)
    is_new = key is None
    if cookie is None or key is None:
        cookie = new_cookie()
        key = base64url.decode(cookie)
    return Browser(browser_binding(key), cookie, is_new, name, settings.is_https)


BrowserDep = Annotated[Browser, Depends(the_browser)]


async def is_signed_in(request: Request) -> bool:
    """Whether somebody has signed in in this browser."""
    session = await the_pages(request).session(request)
    return session is not None and bool(session.subject)
