"""One wallet service put together: database, way out, clock and trust, and what pages and commands do with them.

    wallet = Deployment(settings, http=http, clock=utc_now)
    vault = await wallet.unlock("Maja", "långa ord är bra")
    collection_id = await wallet.look_at(vault, arrival)
    collection = await wallet.collect(vault, collection_id, tx_code=None)

Pages and commands call these; what they decide is decided in the domain modules.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from proofs.resolve import HurriedResolver, Resolver
from proofs.trust import TrustEntry, TrustList
from schemas.errors import ProtocolError, TemporarilyUnavailable
from service.clock import Clock
from service.database import Database
from service.http import OutgoingHTTP
from service.rate_limits import StoredRateLimit
from service.sessions import Sessions
from wallet import receiving
from wallet.authorizing import ForeignAnswer, ask_to_sign_in, belongs, came_back
from wallet.certificates import StoredCertificate
from wallet.collection import Collection, MovedOn, Part, Stage, new_collection
from wallet.examination import examine, judge, name_now, report_as_json, with_known_status
from wallet.issuer_client import ClientKeys, IssuerClient
from wallet.links import Arrival
from wallet.offers import learn_offer, learn_type
from wallet.receiving import Examined
from wallet.remote import WalletResolver, WalletWeb
from wallet.renewal import is_due, may_be_renewed, renewing
from wallet.settings import WalletSettings
from wallet.store.certificates import DatabaseShelf, get_certificate, update_view
from wallet.store.collections import (
    add_collection,
    delete_collection,
    get_collection,
    list_collections,
    take_up,
)
from wallet.store.ledger import begin_history
from wallet.store.ledger_layouts import chain_anew
from wallet.store.opening import open_database
from wallet.store.people import NameTaken, add_person, find_person, load_person, require_current, update_person
from wallet.store.provider import DeploymentProvider
from wallet.store.trust import TrustStore
from wallet.trusted import judged_under, refreshed, trust_list
from wallet.vault import (
    HISTORY_LAYOUT,
    UnlockedVault,
    VaultRecord,
    WrongPassphrase,
    create_vault,
    login_digest,
    rewrapped,
    unlock_from_session,
    unlock_vault,
    with_profile,
)

RESUME_SECONDS = 10.0
HURRY_SECONDS = 3.0
LANGUAGES = {"sv": "sv, en;q=0.7", "en": "en, sv;q=0.7"}


class Deployment:
    """One wallet service: everything that its pages and commands share."""

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

    # --- people --------------------------------------------------------------------------------------------------

    async def create(self, name: str, passphrase: str, *, language: str) -> UnlockedVault:
        """Make a vault for a new person. Raises `NameTaken`, `UnsuitableName`, `UnsuitablePassphrase`."""
        if self._find(name) is not None:
            raise NameTaken
        vault, record = await create_vault(
            name, passphrase, device_secret=self.device_secret, language=language, shelf=self.shelf
        )
        with self.database.transaction() as connection:
            add_person(connection, record)
            begin_history(connection, vault)
        return vault

    async def unlock(self, name: str, passphrase: str) -> UnlockedVault:
        """Open a person's vault. Raises `WrongPassphrase`, after the same time whether the name is known or not."""
        record = self._find(name)
        if record is None:
            await _spend_the_same_time(passphrase, self.device_secret, self.shelf)
            raise WrongPassphrase
        vault = await unlock_vault(record, passphrase, device_secret=self.device_secret, shelf=self.shelf)
        return self.brought_over(vault)

    def brought_over(self, vault: UnlockedVault) -> UnlockedVault:
        """A vault whose history is of the present layout; one of an earlier layout is chained anew, once."""
        if vault.history_layout < HISTORY_LAYOUT:
            with self.database.transaction() as connection:
                record = load_person(connection, vault.person_id)
                if record is None:
                    raise WrongPassphrase
                with_profile(vault, record)  # Reads what the record says now: another process may have done it.
                if vault.history_layout < HISTORY_LAYOUT:
                    chain_anew(connection, vault)
                    update_person(connection, with_profile(vault, record, history=HISTORY_LAYOUT), before=record)
        return vault

    async def limit_unlocking(self, address: str, name: str) -> None:
        """Count an attempt to open a vault: 10 for a name, 60 from one address in 5 min. Raises `TooManyRequests`."""
        await self.limit_address(address)
        await self._tries_by_name.check(login_digest(name, device_secret=self.device_secret).hex(), now=self.clock())

    async def limit_address(self, address: str) -> None:
        """Count an attempt to open a vault by nobody in particular. Raises `TooManyRequests`."""
        await self._tries_by_address.check(address, now=self.clock())

    async def forget_tries(self, name: str) -> None:
        """Start counting again for a name that was opened."""
        await self._tries_by_name.forget(login_digest(name, device_secret=self.device_secret).hex())

    def has_person(self, name: str) -> bool:
        """Whether there is a vault under this name."""
        return self._find(name) is not None

    def from_session(self, person_id: str, wrapped: bytes, session_key: bytes) -> UnlockedVault | None:
        """The vault that a browser session opens; None when the vault is gone. Raises `SealBroken`."""
        record = self._load(person_id)
        if record is None:
            return None
        return self.brought_over(unlock_from_session(record, wrapped, session_key, shelf=self.shelf))

    async def confirm(self, vault: UnlockedVault, passphrase: str) -> None:
        """Check that the person who holds the vault's passphrase is here. Raises `WrongPassphrase`."""
        record = self._load(vault.person_id)
        if record is None:
            raise WrongPassphrase
        await unlock_vault(record, passphrase, device_secret=self.device_secret, shelf=self.shelf)

    async def change_passphrase(self, vault: UnlockedVault, *, old: str, new: str) -> None:
        """Wrap the vault key under another passphrase; the one wrapped before is taken out of the files as well.

        All sessions of the vault end with it.

        Raises `WrongPassphrase`, `UnsuitablePassphrase`, `VaultChanged`.
        """
        record = self._load(vault.person_id)
        if record is None:
            raise WrongPassphrase
        await unlock_vault(record, old, device_secret=self.device_secret, shelf=self.shelf)
        changed = await rewrapped(vault, record, new, device_secret=self.device_secret)
        with self.database.transaction() as connection:
            require_current(connection, vault)  # Another key than the present one must never be wrapped.
            update_person(connection, changed, before=record)
            self.sessions.end_all(connection, vault.person_id)
        self.database.forget_deleted()

    def choose_language(self, vault: UnlockedVault, language: str) -> None:
        """Remember the language that the person chose."""
        record = self._load(vault.person_id)
        assert record is not None
        changed = with_profile(vault, record, language=language)
        with self.database.transaction() as connection:
            update_person(connection, changed, before=record)

    def _find(self, name: str) -> VaultRecord | None:
        with self.database.reading() as connection:
            return find_person(connection, login_digest(name, device_secret=self.device_secret))

    def _load(self, person_id: str) -> VaultRecord | None:
        with self.database.reading() as connection:
            return load_person(connection, person_id)

    # --- trust ---------------------------------------------------------------------------------------------------

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

    # --- certificates --------------------------------------------------------------------------------------------

    def certificate(self, vault: UnlockedVault, certificate_id: str) -> StoredCertificate:
        """One certificate. Raises `UnknownCertificate`."""
        with self.database.reading() as connection:
            return get_certificate(connection, vault, certificate_id)

    async def check_now(self, vault: UnlockedVault, certificate: StoredCertificate) -> StoredCertificate:
        """As `check_again`, with the issuer's newest status list: a person asked for a look now."""
        if certificate.status_uri:
            self.resolver.forget_status_list(certificate.status_uri)
        return await self.check_again(vault, certificate)

    async def check_again(
        self, vault: UnlockedVault, certificate: StoredCertificate, *, resolver: Resolver | None = None
    ) -> StoredCertificate:
        """Verify a stored certificate once more, its status included, and keep what came of it.

        That a revoked or paused one could not be checked now does not make it any better: then nothing changes but
        whether its issuer is trusted.
        """
        trust = self.trust()
        judgement = await judge(
            certificate.token,
            certificate.sd_jwt,
            expected_type=certificate.vct,
            trust=trust,
            resolver=resolver or self.resolver,
            now=self.clock(),
        )
        changes: dict[str, Any] = {
            "issuer_trusted": judgement.issuer_trusted,
            "issuer_name": name_now(certificate, judgement),
            "judged_under": judged_under(trust, at=self.clock()),
        }
        if judgement.status == "unknown" and certificate.status in ("revoked", "suspended"):
            if changes["judged_under"] == certificate.judged_under:
                return certificate
            changes["report"] = report_as_json(with_known_status(judgement.report, certificate.report))
        else:
            changes["report"] = report_as_json(judgement.report)
            changes |= {"status": judgement.status, "checked_at": int(self.clock().timestamp())}
        with self.database.transaction() as connection:
            update_view(connection, vault, certificate.id, changes, version=certificate.version)
            return get_certificate(connection, vault, certificate.id)

    async def check_due(self, vault: UnlockedVault) -> list[StoredCertificate]:
        """All certificates, those checked again within a few seconds whose status was looked at too long ago, or that
        were judged when others were trusted than now."""
        certificates = vault.certificates()
        limit = self.clock() - timedelta(seconds=self.settings.status_seconds)
        now_trusted = self._judged_under()
        due = [c for c in certificates if (c.status_uri and c.checked_at < limit) or c.judged_under != now_trusted]
        if not due:
            return certificates
        # What is not reached in time keeps its older date, which the page shows.
        with suppress(TimeoutError):
            async with asyncio.timeout(RESUME_SECONDS):
                for certificate in due:
                    await self.check_again(vault, certificate)
        return vault.certificates()

    async def certificates(self, vault: UnlockedVault) -> list[StoredCertificate]:
        """All certificates, those checked again within a few seconds that were judged when others were trusted."""
        now_trusted = self._judged_under()
        await self._check_in_a_hurry(vault, [c for c in vault.certificates() if c.judged_under != now_trusted])
        return vault.certificates()

    def is_due(self, certificate: StoredCertificate) -> bool:
        """Whether a certificate should be checked before it is read in full."""
        age = (self.clock() - certificate.checked_at).total_seconds()
        return age > self.settings.status_seconds or certificate.judged_under != self._judged_under()

    def _judged_under(self) -> str:
        return judged_under(self.trust(), at=self.clock())

    async def check_before_showing(self, vault: UnlockedVault) -> None:
        """Look whether the issuers still vouch for what is in this vault, before a person decides about showing any,
        and whether this wallet still trusts them.

        Lists count as long as they may be kept; older ones are fetched, of all certificates and not only of those that
        would answer, so that an issuer learns that somebody was asked and not what is shown (docs/adr/0005). What
        cannot be had within a few seconds could not be checked.
        """
        now_trusted = self._judged_under()
        due = [
            one
            for one in vault.certificates()
            if one.judged_under != now_trusted
            or (
                one.status_uri
                and one.status != "revoked"
                and self.resolver.has_news(one.status_uri, since=one.checked_at)
            )
        ]
        await self._check_in_a_hurry(vault, due)

    async def check_shown(self, vault: UnlockedVault, certificate_ids: Sequence[str]) -> None:
        """Look at the newest lists of certificates that were shown and not accepted."""
        shown = [one for one in vault.certificates() if one.id in certificate_ids and one.status_uri]
        for one in shown:
            self.resolver.forget_status_list(one.status_uri or "")
        await self._check_in_a_hurry(vault, shown)

    async def _check_in_a_hurry(self, vault: UnlockedVault, certificates: Sequence[StoredCertificate]) -> None:
        hurried = HurriedResolver(self.resolver, seconds=HURRY_SECONDS)

        async def check(one: StoredCertificate) -> None:
            # Another process is writing: what is known of this one stays as it is.
            with suppress(TemporarilyUnavailable):
                await self.check_again(vault, one, resolver=hurried)

        await asyncio.gather(*(check(one) for one in certificates))

    # --- collecting ----------------------------------------------------------------------------------------------

    async def look_at(self, vault: UnlockedVault, arrival: Arrival) -> str:
        """Read the offer and its issuer's metadata; returns the new collection.

        Raises `OfferUnusable`, `Unreachable`, or `IsARequest`.
        """
        offered = await learn_offer(
            arrival,
            web=self.web,
            languages=LANGUAGES.get(vault.language, LANGUAGES["sv"]),
            allow_loopback=self.settings.allow_loopback,
        )
        collection = new_collection(arrival.text, offered, at=int(self.clock().timestamp()))
        with self.database.transaction() as connection:
            return add_collection(connection, vault, collection)

    def collection(self, vault: UnlockedVault, collection_id: str) -> Collection:
        """One collection. Raises `NotFound`."""
        with self.database.reading() as connection:
            return get_collection(connection, vault, collection_id)

    def collections(self, vault: UnlockedVault) -> Mapping[str, Collection]:
        """Everything that waits to be collected or answered, and what came to nothing and was not put away yet."""
        with self.database.reading() as connection:
            return list_collections(connection, vault)

    def known_collection(self, vault: UnlockedVault, link: str) -> str | None:
        """The collection that was begun with this very link, if it can still go on."""
        for collection_id, collection in self.collections(vault).items():
            if collection.link == link and collection.stage not in (Stage.DONE, Stage.FAILED):
                return collection_id
        return None

    def put_away(self, vault: UnlockedVault, collection_id: str) -> None:
        """Forget a collection; what it stored stays."""
        with self.database.transaction() as connection:
            delete_collection(connection, vault, collection_id)

    async def collect(self, vault: UnlockedVault, collection_id: str, *, tx_code: str | None) -> Collection:
        """Collect what was offered, or go on where it stopped. Raises `MovedOn`."""
        held = take_up(self.database, vault, collection_id, now=self.clock())
        try:
            collection = held.collection
            if collection.stage is Stage.OFFERED:
                collection = receiving.agreed(collection, tx_code=tx_code, batch_limit=self.settings.batch_limit)
            return await receiving.collect(
                collection,
                web=self.web,
                provider=self.provider,
                keeper=held,
                examine=self._examine,
                clock=self.clock,
            )
        finally:
            held.let_go()

    async def begin_sign_in(self, vault: UnlockedVault, collection_id: str) -> Collection:
        """The person wants to fetch: keys are kept, the request is pushed, and the address to sign in at is known.

        Raises `MovedOn`.
        """
        held = take_up(self.database, vault, collection_id, now=self.clock())
        try:
            collection = held.collection
            if collection.stage not in (Stage.OFFERED, Stage.AUTHORIZING):
                return collection
            collection = receiving.agreed(collection, tx_code=None, batch_limit=self.settings.batch_limit)
            collection = replace(collection, stage=Stage.OFFERED)
            held.save(collection)
            client = IssuerClient(
                ClientKeys.from_json(collection.client),
                server=collection.offered.authorization_server,
                web=self.web,
                provider=self.provider,
                clock=self.clock,
            )
            collection = await ask_to_sign_in(collection, client=client, provider=self.provider)
            held.save(collection)
            return collection
        finally:
            held.let_go()

    async def come_back(self, vault: UnlockedVault, answer: Mapping[str, str]) -> str:
        """The browser is back from signing in: take the answer to its collection, and go on; returns its identifier.

        Raises `ForeignAnswer` when it belongs to nothing that was begun in this vault, or is of another server;
        `MovedOn`.
        """
        state = answer.get("state", "")
        found = [name for name, one in self.collections(vault).items() if state and belongs(one, state)]
        if len(found) != 1:
            raise ForeignAnswer("nothing here waits for this answer")
        held = take_up(self.database, vault, found[0], now=self.clock())
        try:
            if not belongs(held.collection, state):
                raise MovedOn
            held.save(came_back(held.collection, answer))
        finally:
            held.let_go()
        if held.collection.stage is Stage.ASKING:
            await self.collect(vault, found[0], tx_code=None)
        return found[0]

    # --- fetching what a request asks for ------------------------------------------------------------------------

    def sources_of(self, vct: str) -> list[TrustEntry]:
        """Who can issue this type, says whoever this wallet trusts."""
        return [entry for entry in self.trust().issuers_for(vct, at=self.clock()) if "://" in entry.identifier]

    async def look_for(
        self, vault: UnlockedVault, issuer: str, vct: str, *, for_share: str = "", and_then: Sequence[str] = ()
    ) -> str:
        """Begin to fetch a certificate of this type from an issuer; returns the new collection.

        `and_then` are types that the person wants to fetch there afterwards. Raises `OfferUnusable`, `Unreachable`.
        """
        offered = await learn_type(issuer, vct, web=self.web, languages=LANGUAGES.get(vault.language, LANGUAGES["sv"]))
        at = int(self.clock().timestamp())
        new = new_collection(f"fetch:{issuer}", offered, at=at)
        collection = replace(new, for_share=for_share, and_then=tuple(and_then))
        with self.database.transaction() as connection:
            return add_collection(connection, vault, collection)

    async def opened(self, vault: UnlockedVault, collection_id: str) -> Collection:
        """A collection that the person opens. What waits as a question is examined anew first, for a few seconds.

        Raises `NotFound`.
        """
        if self.collection(vault, collection_id).stage is Stage.QUESTION:
            # Held in another window, or not done in time: the question stands as it stood.
            with suppress(MovedOn, TimeoutError):
                async with asyncio.timeout(HURRY_SECONDS):
                    await self.collect(vault, collection_id, tx_code=None)
        return self.collection(vault, collection_id)

    async def answer(self, vault: UnlockedVault, collection_id: str, *, keep: bool) -> Collection:
        """The person's answer about certificates of an issuer that nobody here vouches for. Raises `MovedOn`."""
        held = take_up(self.database, vault, collection_id, now=self.clock())
        try:
            if keep:
                return await receiving.keep_unknown(held.collection, keeper=held, examine=self._examine)
            collection = receiving.answered(held.collection, keep=False)
            held.save(collection)
            return collection
        finally:
            held.let_go()

    async def resume(self, vault: UnlockedVault) -> None:
        """Take up what stopped in the middle or may be recognised by now, within a few seconds; what is not done then
        can be gone on with later.

        Collections that came to their good end are forgotten here.
        """
        collections = self.collections(vault)
        for collection_id in [i for i, collection in collections.items() if collection.stage is Stage.DONE]:
            self.put_away(vault, collection_id)
        self._begin_renewals(vault)
        now, collections = int(self.clock().timestamp()), self.collections(vault)
        waiting = [
            i
            for i, collection in collections.items()
            if collection.can_go_on(at=now) or collection.stage is Stage.QUESTION
        ]
        if not waiting:
            return
        try:
            async with asyncio.timeout(RESUME_SECONDS):
                for collection_id in waiting:
                    try:
                        await self.collect(vault, collection_id, tx_code=None)
                    except MovedOn:
                        continue
        except TimeoutError:
            return

    def _begin_renewals(self, vault: UnlockedVault) -> None:
        """Begin to renew what runs out soon. A renewal that came to nothing is forgotten, and tried again later."""
        now = self.clock()
        for certificate in self._renewable(vault):
            if is_due(certificate, at=now):
                self._begin_renewal(vault, certificate)

    def _renewable(self, vault: UnlockedVault) -> list[StoredCertificate]:
        """The certificates that no renewal is under way for, after those that came to nothing were forgotten."""
        collections = self.collections(vault)
        for collection_id, one in collections.items():
            if one.renews and one.stage is Stage.FAILED:
                self.put_away(vault, collection_id)
        renewed = {one.renews for one in collections.values()}
        return [one for one in vault.certificates() if one.id not in renewed]

    def _begin_renewal(self, vault: UnlockedVault, certificate: StoredCertificate) -> str:
        """Begin to renew a certificate; the new collection, "" when another process has changed it meanwhile."""
        at = int(self.clock().timestamp())
        collection = renewing(certificate, copies=self.settings.batch_limit, at=at)
        with self.database.transaction() as connection:
            if update_view(connection, vault, certificate.id, {"renewal_tried_at": at}, version=certificate.version):
                return add_collection(connection, vault, collection)
        return ""

    async def renew_outdated(self, vault: UnlockedVault, is_outdated: Callable[[StoredCertificate], bool]) -> None:
        """Renew what a request finds too old, before the person decides, within a few seconds.

        What cannot be had by then stays as it was, and can be fetched by the person.
        """
        now = self.clock()
        outdated = [one for one in self._renewable(vault) if is_outdated(one) and may_be_renewed(one, at=now)]
        begun = [found for one in outdated if (found := self._begin_renewal(vault, one))]
        with suppress(TimeoutError):
            async with asyncio.timeout(RESUME_SECONDS):
                for collection_id in begun:
                    with suppress(MovedOn):
                        await self.collect(vault, collection_id, tx_code=None)

    async def _examine(self, collection: Collection, part: Part) -> Examined:
        return await examine(collection, part, trust=self.trust(), resolver=self.resolver, now=self.clock())

    async def prefetch(self) -> None:
        """Fetch status lists that run out soon and trust lists; called on a schedule."""
        await self.resolver.prefetch(ahead_seconds=self.settings.status_seconds // 4)
        await self.refresh_trust()


async def _spend_the_same_time(passphrase: str, device_secret: bytes, shelf: DatabaseShelf) -> None:
    """Derive a key for nobody, so that the time of the answer does not tell which names exist here."""
    padded = passphrase.ljust(12)[:1000]
    await create_vault("nobody", padded, device_secret=device_secret, language="sv", shelf=shelf)
