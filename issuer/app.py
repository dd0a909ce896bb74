"""The issuer as a web application.

app = create_app(IssuerSettings(data=Path("data")), http=None, clock=utc_now)
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta

import structlog
from fastapi import FastAPI
from starlette.middleware import Middleware

from issuer.api import direct_routes, protocol_router, protocol_routes, typed_code_route
from issuer.api.direct import DirectRoutes
from issuer.context import IssuerContext, open_context
from issuer.haip import haip_faults
from issuer.institution import record_institution
from issuer.pages import BODY_LIMITS, make_pages, page_routers
from issuer.settings import IssuerSettings
from issuer.store import open_store
from issuer.store.keys import existing_key, valid_until
from proofs.keys import DEFAULT_ALGORITHMS
from schemas.errors import TemporarilyUnavailable
from service.app import build_app
from service.clock import Clock, utc_now
from service.http import OutgoingHTTP
from service.settings import UnsafeSettings

SWEEP_SECONDS = 30
LOG_CHECK_SECONDS = 24 * 3600
_KEY_ENDS_SOON = timedelta(days=180)

log = structlog.stdlib.get_logger()


def create_app(settings: IssuerSettings, *, http: OutgoingHTTP | None = None, clock: Clock = utc_now) -> FastAPI:
    """The application. Makes database, secret and key at first need. `http` leads to the provider where people sign in.

    `app.state.issuer` is the `IssuerContext`. Raises `UnsafeSettings` when HAIP is demanded and cannot be kept to.
    """
    context = open_context(settings, clock=clock, http=http)
    if settings.haip and (faults := haip_faults(context.key, context.clients, now=clock())):
        context.store.close()
        raise UnsafeSettings(faults)
    routes = protocol_routes(context)
    app = build_app(
        settings=settings,
        title="Issuer",
        routers=[
            protocol_router(routes),
            *page_routers(),
            protocol_router([typed_code_route(context)]),  # last: it takes whatever looks like a typed code
        ],
        pages=make_pages(settings, clock=clock, sessions=context.store.sessions),
        body_limits=BODY_LIMITS,
        ready=context.store.database.check,
        lifespan=_sweeping(context),
    )
    # Innermost: inside the doorway, which strips prefixes, bounds bodies and adds headers, and before the routers.
    app.user_middleware.append(Middleware(DirectRoutes, routes=direct_routes(routes)))
    app.state.issuer = context
    app.state.accounts = context.store.accounts
    return app


def create_recorded_app(settings: IssuerSettings) -> FastAPI:
    """The application, with the institution recorded for the commands in other shells once it can be made."""
    app = create_app(settings)
    record_institution(settings)
    return app


def announcements(settings: IssuerSettings, *, clock: Clock = utc_now) -> list[str]:
    """What the operator is told at start: the code for the first account, while there is none; a name that is not set;
    a key that ends soon or signs unusually; HAIP without a sign-in."""
    store = open_store(settings)
    try:
        code = asyncio.run(store.accounts.setup_code(now=clock()))
    finally:
        store.close()
    told = [] if code is None else [f"Code for the first account at {settings.url('/')}: {code}"]
    if settings.profile_file is None and not settings.says_name:
        name = settings.names["sv"]
        told.append(f"{settings.variable('name')} is not set: {name} stands as awarding body where results name none.")
    key = existing_key(settings)
    if key is not None and (end := valid_until(key)) < clock() + _KEY_ENDS_SOON:
        told.append(f"The certificate in {key.chain_file} ends on {end.date()}; from then on nothing can be issued.")
    if key is not None and key.signer.alg not in DEFAULT_ALGORITHMS:
        told.append(f"The key in {key.key_file} signs {key.signer.alg}, which not every wallet and receiver can check.")
    if settings.haip and not settings.login_issuer:
        told.append(
            f"{settings.variable('haip')}: wallets can only collect offers, while HAIP 1.0 (section 4) wants "
            f"people to be able to sign in: set {settings.variable('login_issuer')}."
        )
    return told


def _sweeping(context: IssuerContext) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        chores = [asyncio.create_task(chore(context)) for chore in (_sweep_for_ever, _check_log_for_ever)]
        try:
            yield
        finally:
            for chore in chores:
                chore.cancel()
                with suppress(asyncio.CancelledError):
                    await chore
            await context.login.close()
            context.store.close()

    return lifespan


async def _check_log_for_ever(context: IssuerContext) -> None:
    """Say in the log, at the start and once a day, when events are missing (D28)."""
    while True:
        try:
            if not await context.store.database.run_beside(context.store.events.check):
                log.error("events_not_whole")
        except TemporarilyUnavailable as error:
            log.warning("log_check_postponed", error=error.error)
        except Exception as error:  # noqa: BLE001 - A check that broke once is made again the next day, and is told.
            log.error("log_check_failed", error=type(error).__name__)
        await asyncio.sleep(LOG_CHECK_SECONDS)


async def _sweep_for_ever(context: IssuerContext) -> None:
    """Erase what closed collection windows leave behind, now and then."""
    while True:
        try:
            await context.store.database.run(context.store.grants.sweep, now=context.clock())
            await context.store.database.run_beside(context.store.results.sweep, now=context.clock(), rest=time.sleep)
        except TemporarilyUnavailable as error:
            log.warning("sweep_postponed", error=error.error)
        await asyncio.sleep(SWEEP_SECONDS)
