"""Everything the issuer keeps: one database file beside its keys.

    store = open_store(settings)
    offer, = store.offers.create([draft], now=now)
    store.status.change([certificate_id], Status.REVOKED, publishing=publishing, now=now)

Methods are synchronous and are one transaction each; handlers call them through `store.database.run(...)`.
"""

from dataclasses import dataclass
from datetime import timedelta

from issuer.derivation import IssuerSecret
from issuer.settings import IssuerSettings
from issuer.store.authorizations import AuthorizationStore
from issuer.store.deferrals import DeferralStore
from issuer.store.events import EventStore
from issuer.store.grants import GrantStore
from issuer.store.high_water import HighWaterMark
from issuer.store.offers import OfferRules, OfferStore
from issuer.store.pending import PendingFileRow
from issuer.store.powers import PowerStore
from issuer.store.results import ResultStore
from issuer.store.slot_mark import SlotMark
from issuer.store.slots import SlotStore
from issuer.store.status import StatusStore
from issuer.store.tables import IssuerRow
from issuer.store.upgrades import VERSION, upgrades
from service.accounts import Accounts
from service.database import Database
from service.sessions import Sessions

TABLES_ELSEWHERE = (PendingFileRow,)
"""Tables defined beside their methods; named here so that they are part of the schema whoever opens the database."""


@dataclass(frozen=True, slots=True)
class IssuerStore:
    """The issuer's data, by subject."""

    database: Database
    secret: IssuerSecret
    offers: OfferStore
    authorizations: AuthorizationStore
    deferrals: DeferralStore
    grants: GrantStore
    slots: SlotStore
    status: StatusStore
    powers: PowerStore
    results: ResultStore
    events: EventStore
    accounts: Accounts
    sessions: Sessions

    def close(self) -> None:
        """Close the database."""
        self.database.close()


def open_store(settings: IssuerSettings) -> IssuerStore:
    """Open the issuer's database, made now if it is not there. Raises `UnknownSchema` for one that has no upgrade."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret = IssuerSecret(settings.device_secret())
    database = Database(settings.database, IssuerRow.metadata, version=VERSION, upgrades=upgrades(secret))
    database.create()
    rules = OfferRules(
        lifetime=timedelta(hours=settings.offer_lifetime_hours),
        typeable_lifetime=timedelta(seconds=settings.typeable_code_seconds),
        tx_code_length=settings.tx_code_length,
        tx_code_tries=settings.tx_code_tries,
        allowance_batches=settings.allowance_batches,
        day_of=settings.day_of,
    )
    status = StatusStore(database, mark=HighWaterMark(settings.data / "status-high-water.json"))
    return IssuerStore(
        database=database,
        secret=secret,
        offers=OfferStore(database, secret=secret, rules=rules),
        authorizations=AuthorizationStore(
            database,
            secret=secret,
            rules=rules,
            token_lifetime=timedelta(seconds=settings.access_token_seconds),
            refresh_lifetime=timedelta(days=settings.refresh_token_days),
        ),
        deferrals=DeferralStore(database, secret=secret),
        grants=GrantStore(
            database,
            secret=secret,
            token_lifetime=timedelta(seconds=settings.access_token_seconds),
            refresh_lifetime=timedelta(days=settings.refresh_token_days),
            allowance_batches=settings.allowance_batches,
            day_of=settings.day_of,
        ),
        slots=SlotStore(
            database,
            secret=secret,
            status_list_size=settings.status_list_size,
            mark=SlotMark(settings.data / "status-slots.mark"),
            allowance_batches=settings.allowance_batches,
        ),
        status=status,
        powers=PowerStore(database, secret=secret, status=status),
        results=ResultStore(database, secret=secret, day_of=settings.day_of),
        events=EventStore(database),
        accounts=Accounts(database, service=settings.service, device_secret=settings.device_secret()),
        sessions=Sessions(database, settings=settings),
    )
