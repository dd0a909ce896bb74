"""What every part of a wallet service stands on: settings, database, way out, clock, and whom it trusts."""

from proofs.trust import TrustList
from schemas.errors import ProtocolError, TemporarilyUnavailable
from service.clock import Clock
from service.database import Database
from service.http import OutgoingHTTP
from service.rate_limits import StoredRateLimit
from service.sessions import Sessions
from wallet.remote import WalletResolver, WalletWeb
from wallet.settings import WalletSettings
from wallet.store.certificates import DatabaseShelf
from wallet.store.opening import open_database
from wallet.store.provider import DeploymentProvider
from wallet.store.trust import TrustStore
from wallet.trusted import refreshed, trust_list

RESUME_SECONDS = 10.0
"""For how long what goes on at an unlock may hold up the person who unlocks."""
HURRY_SECONDS = 3.0
"""For how long anything may hold up somebody who waits for a page."""


class Ground:
    """The things of one wallet service, and its trust."""

    def __init__(
        self, settings: WalletSettings, *, http: OutgoingHTTP, clock: Clock, database: Database | None = None
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.http = http
        self.database = database or open_database(settings.data)
        self.device_secret = settings.device_secret()
        self.shelf = DatabaseShelf(self.database)
        self.web = WalletWeb(http)
        self.resolver = WalletResolver(http, clock=clock)
        self.trust_store = TrustStore(self.device_secret)
        self.provider = DeploymentProvider(settings, clock=clock)
        self.sessions = Sessions(self.database, settings=settings)
        self._tries_by_name = StoredRateLimit(
            self.database, purpose="unlock-name", count=10, seconds=300, device_secret=self.device_secret
        )
        self._tries_by_address = StoredRateLimit(
            self.database, purpose="unlock-address", count=60, seconds=300, device_secret=self.device_secret
        )
        self._reports_by_address = StoredRateLimit(
            self.database, purpose="report-address", count=60, seconds=300, device_secret=self.device_secret
        )

    async def limit_reports(self, address: str) -> None:
        """Count a report from one address: 60 in 5 min. Raises `TooManyRequests`."""
        await self._reports_by_address.check(address, now=self.clock())

    def forget_what_a_kill_left(self) -> bool:
        """At every start: take what was deleted out of the files, where a process was killed between the two.

        What opened a vault before its passphrase or its key was changed lies in the log of the database until then.
        False when somebody was reading or writing; then it has to be done again.
        """
        try:
            return self.database.forget_deleted()
        except TemporarilyUnavailable:
            return False

    def trust(self) -> TrustList:
        """Whom this wallet trusts now."""
        with self.database.reading() as connection:
            sources = self.trust_store.sources(connection)
        return trust_list(sources, now=self.clock())

    async def refresh_trust(self) -> None:
        """Fetch the trust lists anew. One that cannot be had stays as it is until its next update has passed."""
        with self.database.reading() as connection:
            lists = [source for source in self.trust_store.sources(connection) if source.url]
        for source in lists:
            try:
                answer = await self.http.get(source.url, max_bytes=5_000_000)
                newer = refreshed(source, answer.body.decode("ascii").strip(), now=self.clock())
            except (ProtocolError, UnicodeDecodeError):
                continue
            with self.database.transaction() as connection:
                self.trust_store.put(connection, newer)
