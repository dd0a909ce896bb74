"""The world of the tests: issuers, wallet and verifier in one process, routed by host, under a clock that we move.

    async def test_something(world: World) -> None:
        vault = await world.wallet.person("Maja")
        offer = world.university.offer("micro-credential")[0]
        certificate = await world.wallet.receive(vault, offer.offer)

Everything is real but the network: requests between services go through the real guarded client into the real
applications.
`world.network` can lose, change or hold back any of them:

    world.network.lose_answer("POST", "/token")          # the server does its work, the answer never arrives
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI
from starlette.testclient import TestClient

from issuer.app import create_app as create_issuer
from issuer.context import IssuerContext
from issuer.offers import Offer, OfferLinks, draft_offers
from issuer.results import Limits, read_results
from issuer.settings import IssuerSettings
from proofs.trust import TrustEntry, entry_from_anchor
from schemas.types import CREDENTIAL_TYPES
from service.http import OutgoingHTTP
from wallet.certificates import StoredCertificate
from wallet.collection import Collection
from wallet.deployment import Deployment
from wallet.links import read_arrival
from wallet.settings import WalletSettings
from wallet.trusted import source_of_entry
from wallet.vault import UnlockedVault

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
PASSPHRASE = "fyra ord utan samband"
EXAMPLES = Path(__file__).parents[1] / "examples" / "data"
STUDY_RECORD = EXAMPLES / "study-record.xml"
PROFILE = EXAMPLES / "institution-profile.toml"


@dataclass
class FixedClock:
    """A clock that stands until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **units: float) -> None:
        """Move on, by `timedelta` units: `clock.move(minutes=6)`."""
        self.now += timedelta(**units)


Meddle = Callable[[httpx2.Request], httpx2.Response | None]
Answered = Callable[[httpx2.Request, httpx2.Response], httpx2.Response]


class Network(httpx2.AsyncBaseTransport):
    """Leads requests to applications by host, and can be told to misbehave. `seen` lists method and address of each."""

    def __init__(self) -> None:
        self.apps: dict[str, httpx2.ASGITransport] = {}
        self.seen: list[tuple[str, str]] = []
        self._before: list[Meddle] = []
        self._after: list[Answered] = []

    def connect(self, host: str, app: Any) -> None:
        """Put an application behind a host name."""
        self.apps[host] = httpx2.ASGITransport(app=app)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append((request.method, str(request.url)))
        for meddle in list(self._before):
            changed = meddle(request)
            if changed is not None:
                return _unread(changed)
        host, port = request.url.host, request.url.port
        transport = self.apps.get(f"{host}:{port}") or self.apps.get(host)
        if transport is None:
            raise httpx2.ConnectError("No such host in this world.", request=request)
        raw = await transport.handle_async_request(request)
        answer = httpx2.Response(raw.status_code, headers=raw.headers, content=await raw.aread(), request=request)
        for changing in list(self._after):
            answer = changing(request, answer)
        return _unread(answer)

    @contextmanager
    def answering(self, meddle: Meddle) -> Iterator[None]:
        """Answer requests instead of the real application, where `meddle` returns an answer."""
        self._before.append(meddle)
        try:
            yield
        finally:
            self._before.remove(meddle)

    @contextmanager
    def changing(self, change: Answered) -> Iterator[None]:
        """Change answers on their way."""
        self._after.append(change)
        try:
            yield
        finally:
            self._after.remove(change)

    @contextmanager
    def cut_before(self, path: str) -> Iterator[None]:
        """Requests to a path never arrive."""

        def cut(request: httpx2.Request) -> httpx2.Response | None:
            if request.url.path == path:
                raise httpx2.ConnectError("cut", request=request)
            return None

        with self.answering(cut):
            yield

    @contextmanager
    def lose_answer(self, path: str) -> Iterator[None]:
        """Requests to a path arrive and are acted on, but the answer is lost. Refusals do arrive."""

        def lose(request: httpx2.Request, answer: httpx2.Response) -> httpx2.Response:
            if request.url.path == path and answer.status_code < 300:
                raise httpx2.ReadError("lost", request=request)
            return answer

        with self.changing(lose):
            yield

    def asked(self, part: str) -> int:
        """How many requests went to addresses that hold this text."""
        return sum(part in url for _, url in self.seen)


def _unread(answer: httpx2.Response) -> httpx2.Response:
    """The same answer as it comes from a network: a body that has not been read yet."""
    return httpx2.Response(answer.status_code, headers=answer.headers, stream=httpx2.ByteStream(answer.content))


@dataclass
class IssuerSide:
    """An issuer: its application, its context, and what a registrar does with it."""

    url: str
    app: FastAPI
    context: IssuerContext

    def offer(self, type_name: str = "micro-credential", *, tx_code: bool = False) -> list[OfferLinks]:
        """Offers for every course of the study record in `examples/data` (one per course, or one transcript)."""
        return [self.context.links_of(one) for one in self.make_offers(type_name, tx_code=tx_code)]

    def make_offers(
        self, type_name: str = "micro-credential", *, tx_code: bool = False, said: Mapping[str, Any] | None = None
    ) -> list[Offer]:
        """The same as the registrar sees them. `said` are claims in place of those of the record."""
        results = read_results(
            STUDY_RECORD.read_bytes(),
            STUDY_RECORD.name,
            profile=self.context.profile,
            limits=Limits(),
            today=self.context.clock().date(),
        )
        drafts = draft_offers(CREDENTIAL_TYPES[type_name], results.achievements, with_tx_code=tx_code)
        drafts = [replace(draft, claims={**draft.claims, **(said or {})}) for draft in drafts]
        return self.context.store.offers.create(drafts, now=self.context.clock())

    @property
    def trust_entry(self) -> TrustEntry:
        """What a wallet or verifier adds to trust this issuer: its root certificate."""
        root = self.context.key.root_file
        assert root is not None
        return entry_from_anchor(root.read_bytes(), name=None, role="issuer")


@dataclass
class WalletSide:
    """The wallet: its deployment, and what people do with it."""

    settings: WalletSettings
    deployment: Deployment
    make_app: Callable[[], FastAPI]
    people: dict[str, str] = field(default_factory=dict)

    @cached_property
    def app(self) -> FastAPI:
        """The application with its pages, on the same data."""
        return self.make_app()

    def browser(self, language: str = "en", *, address: str = "testclient") -> TestClient:
        """A browser at an address, that keeps cookies. It does not run the application's schedule."""
        headers = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": language}
        origin = self.settings.origin
        return TestClient(self.app, base_url=origin, headers=headers, follow_redirects=True, client=(address, 50000))

    async def person(self, name: str = "Maja", passphrase: str = PASSPHRASE) -> UnlockedVault:
        """The open vault of a person, made at the first call."""
        if self.deployment.has_person(name):
            return await self.deployment.unlock(name, passphrase)
        return await self.deployment.create(name, passphrase, language="sv")

    def trust(self, entry: TrustEntry) -> None:
        """Trust an issuer or a verifier."""
        with self.deployment.database.transaction() as connection:
            self.deployment.trust_store.put(connection, source_of_entry(entry))

    async def begin(self, vault: UnlockedVault, link: str) -> str:
        """Read an offer; returns the collection."""
        return await self.deployment.look_at(vault, read_arrival(link, allow_loopback=False))

    async def collect(self, vault: UnlockedVault, link: str, *, tx_code: str | None = None) -> Collection:
        """Read an offer and collect it, as far as it goes."""
        return await self.deployment.collect(vault, await self.begin(vault, link), tx_code=tx_code)

    async def receive(self, vault: UnlockedVault, link: str, *, tx_code: str | None = None) -> StoredCertificate:
        """Read an offer, collect it, and return the certificate that was stored."""
        collection = await self.collect(vault, link, tx_code=tx_code)
        assert collection.stored_ids, (collection.stage, collection.problem, [p.problem for p in collection.parts])
        return self.deployment.certificate(vault, collection.stored_ids[0])


def _keep_device_secret(data: Path, host: str) -> None:
    """The secret beside the database of a wallet is the same in every test, so that keys need not be derived anew."""
    file = data / "device-secret"
    if not file.exists():
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.write_text(hashlib.sha256(host.encode()).hexdigest(), encoding="ascii")
        file.chmod(0o600)


class World:
    """Issuers, a wallet and a verifier over one network and one clock, each with its own data directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = FixedClock()
        self.network = Network()
        self._closing: list[Callable[[], None]] = []

    @cached_property
    def university(self) -> IssuerSide:
        """An issuer that the wallet trusts."""
        return self.issuer("university.example")

    @cached_property
    def stranger(self) -> IssuerSide:
        """An issuer that nobody trusts."""
        return self.issuer("stranger.example")

    def issuer(self, host: str, **settings: Any) -> IssuerSide:
        """Another issuer, at `https://host` (which may have a path); without encryption beyond TLS unless told, so that
        tests can read and change what passes."""
        url = f"https://{host}"
        settings = {"encryption": "none"} | settings
        made = IssuerSettings(
            data=self._data(host),
            public_url=url,
            key_passphrase_file=self._passphrase_file,
            profile_file=PROFILE,
            status_list_size=1000,
            **settings,
        )
        app = create_issuer(made, clock=self.clock, http=self.http())
        context: IssuerContext = app.state.issuer
        self._closing.append(context.store.close)
        self.network.connect(host.partition("/")[0], app)
        return IssuerSide(url, app, context)

    @cached_property
    def wallet(self) -> WalletSide:
        """The wallet, which trusts the university."""
        side = self.wallet_at("wallet.example")
        side.trust(self.university.trust_entry)
        return side

    def wallet_at(self, host: str, data: Path | None = None, **settings: Any) -> WalletSide:
        """A wallet at `https://host`; with `data` a second process on the data of another one."""
        made = WalletSettings(data=data or self._data(host), public_url=f"https://{host}", **settings)
        _keep_device_secret(made.data, host)
        deployment = Deployment(made, http=self.http(), clock=self.clock)
        self._closing.append(deployment.database.close)

        def make_app() -> FastAPI:
            from wallet.app import create_app

            app = create_app(made, http=self.http(), clock=self.clock)
            self._closing.append(app.state.wallet.database.close)
            self.network.connect(host.partition("/")[0], app)
            return app

        return WalletSide(made, deployment, make_app)

    def http(self) -> OutgoingHTTP:
        """A guarded client over this world's network."""
        return OutgoingHTTP(transport=self.network)

    def close(self) -> None:
        """Close every database."""
        for close in reversed(self._closing):
            close()

    @cached_property
    def _passphrase_file(self) -> Path:
        file = self.directory / "key-passphrase"
        if not file.exists():  # A second process of the same world may be reading it at this moment.
            file.write_text("a passphrase for key files in tests\n", encoding="ascii")
        return file

    def _data(self, host: str) -> Path:
        return self.directory / host.replace("/", "-")
