"""The verifier's web application.

    app = create_app(settings, http=OutgoingHTTP(...), clock=utc_now)

What a process needs is made here once: database, signing key, accounts, sessions, the verifier itself. Beside requests,
tasks delete what is due, read trust lists again and fetch status lists before they grow stale.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from fastapi import FastAPI

import service
from proofs.certified_keys import certified_key
from proofs.did import did_jwk, did_web
from proofs.haip import certified_key_faults
from proofs.keys import SoftwareSigner
from proofs.resolve import Resolver
from schemas.errors import ProtocolError
from service.accounts import Accounts
from service.app import build_app
from service.clock import Clock
from service.database import Database
from service.http import OutgoingHTTP
from service.i18n import Catalogues, load_catalogues
from service.rate_limits import FailureLimit, RateLimit
from service.sessions import Sessions
from service.settings import UnsafeSettings
from verifier.api import embedding, permissions, rechecks, wallets, webhooks, withdrawals
from verifier.api.description import described
from verifier.deletion_desk import MAX_ACT_BYTES, MAX_SUBMISSION_BYTES
from verifier.exchange import Verifier
from verifier.live import Streams
from verifier.pages import make_pages, page_routers
from verifier.registration_file import UnusableRegistration
from verifier.requests import DIGITAL_PATH, PERMISSIONS_PATH, RECEIPTS_PATH, WITHDRAWALS_PATH, ClientIdentity
from verifier.settings import VerifierSettings
from verifier.store import VerifierRow
from verifier.store.upgrades import UPGRADES, VERSION
from verifier.trust_lists import refresh_lists

KEY_NAME = "verifier"
UPKEEP_SECONDS = 30
RECENT_LISTS_SECONDS = 1.0
RECHECK_SECONDS = 15 * 60
AHEAD_SECONDS = 90
WEBHOOK_SECONDS = 1.0
CODES_PER_MINUTE = 20
WRONG_KEYS_PER_MINUTE = 30

_log = structlog.get_logger("verifier")


def open_database(settings: VerifierSettings) -> Database:
    """The verifier's database, made or upgraded where it needs to be. Raises `UnknownSchema`."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.data / "verifier.sqlite3", VerifierRow.metadata, version=VERSION, upgrades=UPGRADES)
    database.create()
    return database


def load_signer(settings: VerifierSettings, *, clock: Clock) -> SoftwareSigner:
    """The key that requests are signed with, in `DATA/keys`; made with its own root when it is not there.

    Raises `UnsafeSettings` when HAIP is demanded and the key or its certificates do not allow it.
    """
    key = certified_key(
        settings.data / "keys",
        name=KEY_NAME,
        common_name=settings.organisation.text("sv"),
        public_url=settings.base_url,
        passphrase=settings.key_passphrase(),
        now=clock(),
    )
    if settings.haip and (faults := certified_key_faults(key, switch=settings.variable("haip"), now=clock())):
        raise UnsafeSettings(faults)
    return key.signer


def client_identity(settings: VerifierSettings, *, clock: Clock) -> ClientIdentity:
    """As whom this verifier asks, by its settings."""
    match settings.client_id_prefix:
        case "redirect_uri":
            return ClientIdentity.unsigned()
        case "x509_san_dns":
            return ClientIdentity.x509_san_dns(load_signer(settings, clock=clock), settings.host_name)
        case "x509_hash":
            return ClientIdentity.x509_hash(load_signer(settings, clock=clock))
        case "decentralized_identifier":
            signer = load_signer(settings, clock=clock)
            did = did_web(settings.base_url) if settings.did_method == "web" else did_jwk(signer.public_jwk)
            return ClientIdentity.decentralized_identifier(signer, did)


def catalogues_of(settings: VerifierSettings) -> Catalogues:
    """The Swedish and English texts of this room."""
    assert service.__file__ is not None
    return load_catalogues(Path(service.__file__).parent, Path(__file__).parent, time_zone=settings.time_zone)


def make_http(settings: VerifierSettings) -> OutgoingHTTP:
    """The guarded way out, by the settings."""
    return OutgoingHTTP(
        allow_loopback=settings.allow_loopback, allow_hosts=settings.allow_hosts, ca_file=settings.ca_file
    )


def make_verifier(
    settings: VerifierSettings, *, clock: Clock, http: OutgoingHTTP | None = None, resolver: Resolver | None = None
) -> Verifier:
    """The verifier over its database and key, for the application and for the commands that run beside it."""
    return Verifier(
        settings,
        database=open_database(settings),
        identity=client_identity(settings, clock=clock),
        clock=clock,
        http=http,
        resolver=resolver,
    )


def create_app(
    settings: VerifierSettings,
    *,
    http: OutgoingHTTP,
    clock: Clock,
    resolver: Resolver | None = None,
) -> FastAPI:
    """The application. `resolver` replaces looking things up over `http`.

    Raises `UnsafeSettings` when the key, or the registration certificate, cannot be used.
    """
    verifier = make_verifier(settings, clock=clock, http=http, resolver=resolver)
    try:
        verifier.registration.check(now=clock())
    except UnusableRegistration as exc:
        raise UnsafeSettings([str(exc)]) from exc
    sessions = Sessions(verifier.database, settings=settings)
    accounts = Accounts(verifier.database, service=settings.service, device_secret=settings.device_secret())

    def ready() -> None:
        """Raise `TemporarilyUnavailable` when the database is away, or the registration does not hold any more."""
        verifier.database.check()
        verifier.registration.check(now=clock())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await verifier.tidy()
        upkeep = [asyncio.create_task(one) for one in _upkeep(verifier, sessions, settings)]
        for task in upkeep:
            task.add_done_callback(_tell_if_broken)
        yield
        for task in upkeep:
            task.cancel()
        await asyncio.gather(*upkeep, return_exceptions=True)
        await verifier.judge.close()
        await http.close()
        verifier.database.close()

    app = build_app(
        settings=settings,
        title="Verifier",
        routers=[
            wallets.router,
            withdrawals.router,
            permissions.router,
            embedding.router,
            rechecks.router,
            webhooks.router,
            *page_routers(),
            wallets.code_router,
        ],
        pages=make_pages(settings, clock=clock, sessions=sessions),
        ready=ready,
        lifespan=lifespan,
        problems_under="/api/",
        body_limits={
            "/response": settings.response_limit_bytes,
            DIGITAL_PATH: settings.response_limit_bytes,
            "/request": 50_000,
            "/api": 200_000,
            WITHDRAWALS_PATH: MAX_ACT_BYTES,
            PERMISSIONS_PATH: MAX_ACT_BYTES,
            RECEIPTS_PATH: MAX_SUBMISSION_BYTES,
        },
    )
    # A method of an instance is replaced, as FastAPI's documentation has it ("Extending OpenAPI").
    app.openapi = described(app)  # type: ignore[method-assign]
    app.state.verifier = verifier
    app.state.sessions = sessions
    app.state.accounts = accounts
    app.state.catalogues = catalogues_of(settings)
    app.state.code_limit = RateLimit(count=CODES_PER_MINUTE, seconds=60)
    app.state.wallet_messages = RateLimit(count=settings.wallet_messages_per_minute, seconds=60)
    app.state.failed_messages = FailureLimit(count=settings.failed_messages_per_minute)
    app.state.streams = Streams()
    app.state.key_limit = RateLimit(count=WRONG_KEYS_PER_MINUTE, seconds=60)
    return app


async def _repeat(name: str, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do a chore for ever. One that fails is named in the log and tried again next time."""
    while True:
        try:
            await work()
        except ProtocolError as exc:
            _log.warning("chore_failed", chore=name, error=exc.error)
        except Exception as exc:  # noqa: BLE001 - A fault of one round must not end the chore for everybody.
            _log.error("chore_failed", chore=name, error=type(exc).__name__)
        await asyncio.sleep(seconds)


def _tell_if_broken(task: "asyncio.Task[None]") -> None:
    """A chore ends only when the service does; anything else is a fault that somebody must know of."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("chore_ended", error=type(error).__name__)


def _upkeep(verifier: Verifier, sessions: Sessions, settings: VerifierSettings) -> list[Coroutine[None, None, None]]:
    http, clock = verifier.http, verifier.clock
    chores = [
        _repeat("tidy", UPKEEP_SECONDS, verifier.tidy),
        _repeat("forget", UPKEEP_SECONDS, verifier.forget),
        _repeat("webhooks", WEBHOOK_SECONDS, verifier.courier.deliver_due),
        _repeat("old_webhooks", UPKEEP_SECONDS, verifier.courier.prune),
        _repeat("check_log", 24 * 3600, verifier.check_log),
        _repeat("recent_lists", RECENT_LISTS_SECONDS, verifier.judge.refresh_recent_lists),
        _repeat(
            "status_lists", UPKEEP_SECONDS, lambda: verifier.judge.refresh_status_lists(ahead_seconds=AHEAD_SECONDS)
        ),
        _repeat("sessions", 10 * UPKEEP_SECONDS, lambda: sessions.prune(now=clock())),
    ]
    if http is not None:
        chores.append(_repeat("rechecks", RECHECK_SECONDS, verifier.rechecks.check_what_is_due))
        chores.append(
            _repeat(
                "trust_lists", settings.trust_refresh_seconds, lambda: refresh_lists(verifier.trust, http, clock=clock)
            )
        )
    return chores
