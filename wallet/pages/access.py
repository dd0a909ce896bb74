"""Who is looking at a page: the open vault of the browser's session, or the page that opens one.

    @router.get("/certificates/{certificate_id}")
    async def certificate(request: Request, vault: VaultDep, wallet: WalletDep, pages: PagesDep, certificate_id: str):
        ...

    @router.post("/settings", dependencies=[FromOurForm])
    async def settings(request: Request, vault: VaultDep, ...): ...

A page that needs a vault while none is open shows the form that opens one, in place, with what was asked for kept in
the form: a link to `/offer` or `/present` survives signing in. A form of ours that is sent after the vault was locked
does nothing and leads there as well. The vault key is kept in the session's row, wrapped under a key that only the
browser's cookie gives.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from proofs.sealing import SealBroken
from schemas.errors import ProtocolError
from service.app import wants_page
from service.dependencies import inline
from service.i18n import LANGUAGES, N_
from service.pages import ForgedForm, FormSwitch, Pages
from service.rate_limits import client_address
from wallet.deployment import Deployment
from wallet.key_ring import KeyRing
from wallet.vault import UnlockedVault

LOCKED_MEANWHILE = N_("The wallet had locked. What you sent did nothing: nothing was shared or changed.")


_WITH_FORMS = frozenset(
    {
        *("acting", "permissions", "present", "receive", "receive/{collection_id}"),
        *(f"certificates/{{certificate_id}}{more}" for more in ("", "/delete")),
        *(f"share/{{share_id}}{more}" for more in ("", "/confirm", "/confirm/checks")),
        *(f"history/{{entry_id}}{more}" for more in ("", "/ask-delete", "/copy", "/delete", "/objection", "/receipt")),
        *(f"history/{{entry_id}}{more}" for more in ("/report", "/take-back")),
        *(f"settings{more}" for more in ("", "/export", "/habits", "/import", "/leave", "/passkeys", "/recovery")),
        *("history", "settings/passkeys/{passkey_id}"),
    }
)
"""The pages with forms, as their routes are written: to the nearest above a form's address it leads back."""


class VaultLocked(ProtocolError):
    """No vault is open in this browser."""

    error = "vault_locked"
    status = 401


def the_wallet(request: Request) -> Deployment:
    """The wallet service behind this request."""
    wallet = request.app.state.wallet
    assert isinstance(wallet, Deployment)
    return wallet


def the_pages(request: Request) -> Pages:
    """The pages of this service."""
    pages = request.app.state.pages
    assert isinstance(pages, Pages)
    return pages


WalletDep = Annotated[Deployment, Depends(inline(the_wallet))]
PagesDep = Annotated[Pages, Depends(inline(the_pages))]


@asynccontextmanager
async def counted_try(request: Request, wallet: Deployment, name: str) -> AsyncIterator[None]:
    """One try of a passphrase, a code or a passkey for the vault of this name, from where the request came: counted
    before it is judged, and forgotten with the earlier ones when it raised nothing. Raises `TooManyRequests`."""
    await wallet.limit_unlocking(client_address(request), name)
    yield
    await wallet.forget_tries(name)


async def open_vault(request: Request) -> UnlockedVault | None:
    """The vault that is open in this browser, or None."""
    session = await the_pages(request).session(request)
    if session is None or session.data is None:
        return None
    try:
        return the_wallet(request).from_session(session.subject, session.data, session.key_material)
    except SealBroken:
        return None


async def unlocked_vault(request: Request) -> UnlockedVault:
    """The vault that is open in this browser. Raises `VaultLocked`, which shows the form that opens one."""
    vault = await open_vault(request)
    if vault is None:
        raise VaultLocked
    return vault


async def check_form(request: Request) -> None:
    """Refuse a form that did not come from one of our pages.

    One of ours whose session is over can no longer prove it by its token. It is used for nothing, but whoever sent it
    is told so by the form that opens the vault (`VaultLocked`).
    """
    try:
        await the_pages(request).check_csrf(request)
    except ForgedForm:
        if wants_page(request) and _comes_from_here(request) and await open_vault(request) is None:
            raise VaultLocked from None
        raise


async def check_form_at_the_door(request: Request) -> None:
    """As `check_form`, of the forms that open a vault: for these it is no excuse that none is open."""
    await the_pages(request).check_csrf(request)


def _comes_from_here(request: Request) -> bool:
    """Whether the browser says that a page of this address sent this. Our pages send no referrer, and then some
    browsers write `null` for where a form comes from."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "null")
    ours = _origin(the_wallet(request).settings.base_url)
    return origin == ours if site is None else site == "same-origin" and origin in (ours, "null")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


MaybeVaultDep = Annotated[UnlockedVault | None, Depends(open_vault)]
VaultDep = Annotated[UnlockedVault, Depends(unlocked_vault)]
FromOurForm = Depends(check_form)
FromOurDoor = Depends(check_form_at_the_door)


async def start_session(request: Request, vault: UnlockedVault, response: Response) -> None:
    """Open a session for a vault in this browser. A session that was open before ends."""
    wallet, pages = the_wallet(request), the_pages(request)
    before = await pages.session(request)
    if before is not None:
        await wallet.sessions.close(before)
    cookie = await wallet.sessions.open(vault.person_id, now=wallet.clock())
    session = await wallet.sessions.load(cookie, now=wallet.clock())
    assert session is not None
    await wallet.sessions.set_data(session, vault.wrapped_for_session(session.key_material))
    wallet.sessions.set_cookie(response, cookie)


async def show_unlock(request: Request, exc: Exception) -> Response:
    """The form that opens a vault, keeping what was asked for. Installed for `VaultLocked`.

    A form that was sent is led to the page that it came from, with a sentence.
    """
    if request.method not in ("GET", "HEAD"):
        answer = the_pages(request).redirect(_page_of(request), message=LOCKED_MEANWHILE, kind="warning")
        if request.headers.get("sec-fetch-dest") == "empty":
            answer.status_code = 401  # A script would follow, and the sentence would be told to it alone.
        return answer
    prefix = the_wallet(request).settings.path_prefix
    path = request.url.path.removeprefix(prefix) or "/"
    return await unlock_page(request, wanted=path + (f"?{request.url.query}" if request.url.query else ""))


def _page_of(request: Request) -> str:
    """The page to which a form of ours belongs, by the address it was sent to and nothing that it says: the nearest one
    above that can be read."""
    written = str(getattr(request.scope.get("route"), "path", "")).strip("/").split("/")
    given = str(request.scope["path"]).strip("/").split("/")
    for length in range(len(written), 0, -1):
        if "/".join(written[:length]) in _WITH_FORMS:
            return own_path("/" + "/".join(given[:length]))
    return "/"


async def unlock_page(
    request: Request, *, wanted: str = "/", fault: str = "", name: str = "", status: int = 200
) -> Response:
    """The form that opens a vault, and the way by passkey where browsers make them for this address."""
    return await the_pages(request).render(
        request,
        "unlock.html",
        status=status,
        switch=FormSwitch("unlock-form", "/unlock"),
        wanted=wanted,
        arrived=arrived_with(wanted),
        fault=fault,
        name=name,
        has_passkeys=KeyRing(the_wallet(request)).is_possible,
    )


def arrived_with(wanted: str) -> str:
    """What a person came with: "offer", "present" or nothing, so that the form can say that it is kept."""
    path, _, query = own_path(wanted).partition("?")
    return path.strip("/") if path.strip("/") in ("offer", "present") and query else ""


def own_path(wanted: str) -> str:
    """A path on our own pages, whatever a form brought: an address elsewhere becomes the first page."""
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    is_ours = (
        wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.netloc and "\\" not in wanted
    )
    return wanted if is_ours and wanted.isprintable() else "/"


def go_to(request: Request, path: str) -> RedirectResponse:
    """303 to one of our own pages; in the language that was just chosen, which only a page that is shown remembers."""
    chosen = request.query_params.get("lang")
    if chosen in LANGUAGES and not {"?", "#"} & set(path):
        path += f"?lang={chosen}"
    return RedirectResponse(the_wallet(request).settings.path(path), status_code=303)
