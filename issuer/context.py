"""What the issuer's handlers, pages and commands work with: one object, made once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from issuer.authorization.clients import ClientIdentity, ClientPolicy, load_clients
from issuer.credential_request import KeyRules
from issuer.issuance import Issuing
from issuer.offers import Offer, OfferLinks, links_of
from issuer.profiles import InstitutionProfile, load_profile, plain_profile
from issuer.remote import Login
from issuer.settings import IssuerSettings
from issuer.status import Publishing
from issuer.store import IssuerStore, open_store
from issuer.store.keys import encryption_key, signing_key, valid_until
from proofs.certified_keys import CertifiedKey
from schemas.learning.achievement import Source
from service.clock import Clock
from service.http import OutgoingHTTP
from service.rate_limits import RateLimit
from service.single_use import StampedNonces


class RequestLimits:
    """How often one client, one access token or one address may ask, in this process (docs/adr/0003).

    Who proved who it is has a count of its own, wherever it asks from: a client that asks too often is sent away, and
    the others behind its address are served. Each method counts one and raises `TooManyRequests` beyond the bound.
    """

    def __init__(self, settings: IssuerSettings, *, clock: Clock) -> None:
        self._clock = clock
        self._by_client = RateLimit(count=settings.pushed_per_minute, seconds=60)
        self._by_token = RateLimit(count=settings.token_uses_per_minute, seconds=60)
        self._by_address = RateLimit(count=settings.address_requests_per_minute, seconds=60)

    def count_client(self, client: ClientIdentity, *, registered: bool, address: str) -> None:
        """A pushed request: by the instance that was attested, else by the key that was registered.

        Whoever only says who it is could say anything, and is counted by its address; `registered` says whether the
        name is at least one that the operator gave, so that no names of strangers are kept.
        """
        if client.attested_key is not None:
            key = f"instance {client.attested_key}"
        elif client.is_authenticated:
            key = f"client {client.client_id}"
        else:
            key = f"address {address} {client.client_id if registered else ''}"
        self._by_client.check(key, now=self._clock())

    def count_token(self, token: str, *, dpop_key: str | None, path: str) -> None:
        """A request with an access token at `path`. Another key beside it is another count: whoever only got hold of
        the token cannot use up its owner's."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        self._by_token.check(f"{path} {digest} {dpop_key or ''}", now=self._clock())

    def count_address(self, address: str, *, path: str) -> None:
        """A request at `path` of which nothing is known but where it came from."""
        self._by_address.check(f"{path} {address}", now=self._clock())


@dataclass(frozen=True, slots=True)
class IssuerContext:
    """Settings, store, keys and clock of one issuer."""

    settings: IssuerSettings
    store: IssuerStore
    key: CertifiedKey
    issuing: Issuing
    publishing: Publishing
    profile: InstitutionProfile
    clients: ClientPolicy
    client_nonces: StampedNonces
    """Nonces of DPoP proofs and challenges of client attestations: one kind, since one proof can be both."""
    encryption_key: Mapping[str, str]
    """Private JWK to which credential requests can be encrypted."""
    login: Login
    limits: RequestLimits
    clock: Clock

    @property
    def issuer(self) -> str:
        """The credential issuer identifier: the public URL."""
        return self.settings.base_url

    def links_of(self, offer: Offer) -> OfferLinks:
        """The links and codes of an open offer. Raises `NoSuchOffer`."""
        return links_of(offer, issuer=self.issuer, secret=self.store.secret, now=self.clock())


def open_context(settings: IssuerSettings, *, clock: Clock, http: OutgoingHTTP | None = None) -> IssuerContext:
    """Open the data directory: database, secret and key are made when they are not there yet."""
    store = open_store(settings)
    key = signing_key(settings, now=clock())
    clients = load_clients(settings.clients_file, demands_authentication=settings.haip)
    nonces = StampedNonces(
        store.secret.subkey("c_nonce"), purpose="issuer c_nonce", lifetime_seconds=settings.nonce_seconds
    )
    issuing = Issuing(
        issuer=settings.base_url,
        signer=key.signer,
        key_rules=KeyRules(
            issuer=settings.base_url,
            nonces=nonces,
            batch_size=settings.batch_size,
            attesters=clients.key_attesters,
            demanded_for=settings.key_attested,
        ),
        validity=timedelta(days=settings.validity_days),
        chain_until=valid_until(key),
    )
    publishing = Publishing(
        issuer=settings.base_url,
        signer=key.signer,
        ttl=timedelta(seconds=settings.status_list_ttl_seconds),
        lifetime=timedelta(seconds=settings.status_list_lifetime_seconds),
    )
    client_nonces = StampedNonces(
        store.secret.subkey("client nonce"), purpose="issuer client nonce", lifetime_seconds=settings.nonce_seconds
    )
    login = Login(http or outgoing_http(settings), settings=settings, clock=clock)
    return IssuerContext(
        settings=settings,
        store=store,
        key=key,
        issuing=issuing,
        publishing=publishing,
        profile=profile_of(settings),
        clients=clients,
        client_nonces=client_nonces,
        encryption_key=encryption_key(settings),
        login=login,
        limits=RequestLimits(settings, clock=clock),
        clock=clock,
    )


def profile_of(settings: IssuerSettings) -> InstitutionProfile:
    """The institution profile, or one that only names the institution. Raises `InvalidProfile`."""
    if settings.profile_file is not None:
        return load_profile(settings.profile_file)
    names_from = Source.SETTINGS if settings.says_name else Source.ADDRESS
    return plain_profile(settings.names, settings.country, names_from=names_from, country_is_said=settings.says_country)


def outgoing_http(settings: IssuerSettings) -> OutgoingHTTP:
    """The guarded way out, as the operator opened it."""
    return OutgoingHTTP(
        allow_loopback=settings.allow_loopback, allow_hosts=settings.allow_hosts, ca_file=settings.ca_file
    )
