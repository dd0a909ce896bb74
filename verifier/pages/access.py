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
from service.dependencies import inline
from service.page_access import FromOurForm as FromOurForm
from service.page_access import PagesDep as PagesDep
from service.page_access import SignedIn as SignedIn
from service.page_access import StaffDep as StaffDep
from service.page_access import the_pages as the_pages
from service.sessions import cookie_key, cookie_name, new_cookie
from verifier.exchange import Verifier, browser_binding


def the_verifier(request: Request) -> Verifier:
    """The verifier behind this request."""
    verifier = request.app.state.verifier
    assert isinstance(verifier, Verifier)
    return verifier


VerifierDep = Annotated[Verifier, Depends(inline(the_verifier))]


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


BrowserDep = Annotated[Browser, Depends(inline(the_browser))]


async def is_signed_in(request: Request) -> bool:
    """Whether somebody has signed in in this browser."""
    session = await the_pages(request).session(request)
    return session is not None and bool(session.subject)
