"""The wallet as a web application.

app = create_app(settings, http=http, clock=utc_now)
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from fastapi import FastAPI

import service
from service.app import build_app
from service.clock import Clock, utc_now
from service.error_texts import ErrorTexts
from service.http import OutgoingHTTP
from service.i18n import N_, load_catalogues
from service.pages import NavItem, Pages
from wallet.deployment import Deployment
from wallet.leaving import Leaving
from wallet.pages import (
    account,
    acts,
    certificates,
    collection,
    habits,
    history,
    leave,
    missing,
    moving,
    my_data,
    passkeys,
    permissions,
    receive,
    recovery,
    rights,
    share,
    take_back,
)
from wallet.pages.access import VaultLocked, show_unlock
from wallet.settings import WalletSettings
from wallet.sharing import Sharing
from wallet.withdrawals import Withdrawals

_ROOM = Path(__file__).parent
_PREFETCH_SECONDS = 600

ERROR_TEXTS = {
    "unknown_certificate": ErrorTexts(
        N_("There is no such certificate in your wallet"),
        N_("Nothing was changed and nothing was sent."),
        N_("Go to the first page, where all your certificates are."),
    ),
    "entry_still_open": ErrorTexts(
        N_("This request still waits for your answer"),
        N_("Nothing was deleted."),
        N_("Answer it first, or wait until its time is over."),
    ),
    "permission_still_lasts": ErrorTexts(
        N_("Somebody may still check again"),
        N_("Nothing was deleted."),
        N_("End that first, on the page of ongoing permissions. Then the entry can be deleted."),
    ),
    "no_permission_here": ErrorTexts(
        N_("There is nothing to pause or end here"),
        N_("Nothing was sent."),
        N_("Look at the page of ongoing permissions: it says how each stands."),
    ),
    "nothing_to_take_back": ErrorTexts(
        N_("There is nothing to take back here"),
        N_("Nothing was sent."),
        N_("Look at the entry in your sharing history: it says how it stands."),
    ),
    "only_by_the_person": ErrorTexts(
        N_("The wallet cannot send this for you"),
        N_("Nothing was sent."),
        N_("Open the entry in your sharing history: it says how you reach them."),
    ),
    "moved_on": ErrorTexts(
        N_("This is being worked on in another window"),
        N_("Nothing was lost."),
        N_("Wait a moment and look again."),
    ),
}


def outgoing_http(settings: WalletSettings) -> OutgoingHTTP:
    """The guarded way out that the settings describe."""
    return OutgoingHTTP(
        allow_loopback=settings.allow_loopback, allow_hosts=settings.allow_hosts, ca_file=settings.ca_file
    )


def create_app(settings: WalletSettings, *, http: OutgoingHTTP | None = None, clock: Clock = utc_now) -> FastAPI:
    """The application with these settings. `http` and `clock` are replaced in tests."""
    wallet = Deployment(settings, http=http or outgoing_http(settings), clock=clock)
    pages = Pages(
        settings=settings,
        templates=[_ROOM / "templates"],
        catalogues=load_catalogues(Path(service.__file__).parent, _ROOM, time_zone=settings.time_zone),
        name=N_("Wallet"),
        nav=[
            NavItem("/", N_("Certificates"), shown="in"),
            NavItem("/receive", N_("Receive or show"), shown="in"),
            NavItem("/history", N_("Sharing history"), shown="in"),
            NavItem("/my-data", N_("My data"), shown="in"),
            NavItem("/settings", N_("Settings"), shown="in"),
        ],
        clock=clock,
        sessions=wallet.sessions,
        static=[_ROOM / "static"],
        sign_in_path="/unlock",
        error_texts=ERROR_TEXTS,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        schedule = asyncio.create_task(_on_schedule(wallet))
        yield
        schedule.cancel()
        with suppress(asyncio.CancelledError):
            await schedule
        await wallet.http.close()
        wallet.database.close()

    app = build_app(
        settings=settings,
        title="Intyga wallet",
        routers=[
            account.router,
            certificates.router,
            receive.router,
            collection.router,
            share.router,
            acts.router,
            history.router,
            take_back.router,
            missing.router,
            rights.router,
            my_data.router,
            habits.router,
            permissions.router,
            recovery.router,
            passkeys.router,
            moving.router,
            leave.router,
        ],
        pages=pages,
        ready=wallet.database.check,
        lifespan=lifespan,
        body_limits={"/receive/frame": receive.MOST_FRAME_BYTES},
    )
    app.state.wallet = wallet
    app.add_exception_handler(VaultLocked, show_unlock)
    return app


async def _on_schedule(wallet: Deployment) -> None:
    """What is done whether anybody looks or not: ended sessions and requests go, lists are fetched in time."""
    is_forgotten = False
    while True:
        is_forgotten = is_forgotten or wallet.forget_what_a_kill_left()
        await wallet.sessions.prune(now=wallet.clock())
        Sharing(wallet).tidy()
        Withdrawals(wallet).tidy()
        Leaving(wallet).finish()
        await wallet.prefetch()
        await asyncio.sleep(_PREFETCH_SECONDS)
