"""What the issuer's handlers, pages and commands work with: one object, made once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from issuer.authorization.clients import ClientPolicy, load_clients
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
from service.single_use import StampedNonces


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
