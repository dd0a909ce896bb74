"""Certificates come into a vault: offered, fetched with a sign-in, waited for, and renewed."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from proofs.trust import TrustEntry
from schemas.errors import NotFound
from wallet import receiving
from wallet.authorizing import ForeignAnswer, ask_to_sign_in, belongs, came_back
from wallet.certificates import StoredCertificate
from wallet.collection import Collection, MovedOn, Part, Stage, new_collection
from wallet.deployment.ground import HURRY_SECONDS, RESUME_SECONDS
from wallet.deployment.standing import Standing
from wallet.examination import examine
from wallet.farewell import asked, say_farewell
from wallet.links import Arrival
from wallet.offers import learn_offer, learn_types
from wallet.receiving import Examined
from wallet.redemption import client_for
from wallet.renewal import is_due, may_be_renewed, renewing
from wallet.store.collections import (
    add_collection,
    begin_renewal,
    busy_with,
    delete_collection,
    get_collection,
    list_collections,
    take_up,
)
from wallet.store.shares import keep_share
from wallet.vault import UnlockedVault
from wallet.vouching import IssuerStanding, Vouched, issuer_standing, learn_signed_metadata

_log = structlog.get_logger("wallet")
WAITING_REQUEST = timedelta(days=7)
"""How long a request is kept that something is fetched for: a request object says for how many minutes it is good, and
not how long its sender waits, which is 7 days at most among ours (DESIGN 4.4)."""
LANGUAGES = {"sv": "sv, en;q=0.7", "en": "en, sv;q=0.7"}


class Collecting(Standing):
    """The collections of the vaults of one wallet service."""

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
        collection = await self._signed_now(collection)
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
                if refusal := await self._refusal(collection):
                    # The offer is left as it is, so that it serves once somebody has added the trust.
                    collection = collection.paused(refusal)
                    held.save(collection)
                    return collection
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

    def issuer_standing(self, collection: Collection) -> IssuerStanding:
        """Whether this wallet trusts who offers this, as far as that is known before it is collected."""
        return issuer_standing(collection.offered, collection.signed_metadata, trust=self.trust(), now=self.clock())

    async def _refusal(self, collection: Collection) -> str:
        """Why nothing of an offer could be stored, as far as that is known now; "" when something may be."""
        standing = self.issuer_standing(collection)
        if standing.vouched is Vouched.UNKNOWN:
            standing = self.issuer_standing(await self._signed_now(collection))
        return standing.refusal

    async def _signed_now(self, collection: Collection) -> Collection:
        """The collection with what its issuer signs of itself; as it was, where that cannot be had within seconds."""
        token = ""
        with suppress(TimeoutError):
            async with asyncio.timeout(HURRY_SECONDS):
                token = await learn_signed_metadata(
                    collection.offered.issuer, trust=self.trust(), web=self.web, languages="*"
                )
        return replace(collection, signed_metadata=token) if token else collection

    async def bid_farewell(self, vault: UnlockedVault, collection_id: str) -> bool:
        """Tell an issuer of a deletion; forgotten when that has come to its end. Whether it has answered.

        Raises `MovedOn`, `NotFound`.
        """
        held = take_up(self.database, vault, collection_id, now=self.clock())
        try:
            at = int(self.clock().timestamp())
            held.save_alone(asked(held.collection, at=at), at=at)
            collection = await say_farewell(
                held.collection, web=self.web, provider=self.provider, keeper=held, clock=self.clock
            )
        finally:
            held.let_go()
        if collection.stage is not Stage.FAREWELL:
            self.put_away(vault, collection_id)
        return collection.stage is Stage.DONE

    async def collect_due(self, vault: UnlockedVault) -> None:
        """While the person is here: ask for what an issuer had to look at first, as soon as it may be asked again.

        It takes a few seconds at most; what is not there by then is asked for the next time.
        """
        at = int(self.clock().timestamp())
        due = [name for name, one in self.collections(vault).items() if one.is_due(at=at)]
        with suppress(TimeoutError):
            async with asyncio.timeout(HURRY_SECONDS):
                for collection_id in due:
                    with suppress(MovedOn, NotFound):
                        self._look(vault, collection_id, at=at)
                        await self.collect(vault, collection_id, tx_code=None)

    def _look(self, vault: UnlockedVault, collection_id: str, *, at: int) -> None:
        held = take_up(self.database, vault, collection_id, now=self.clock())
        try:
            held.save(replace(held.collection, looked_at=at))
        finally:
            held.let_go()

    async def begin_sign_in(self, vault: UnlockedVault, collection_id: str, *, language: str = "") -> Collection:
        """The person wants to fetch: keys are kept, the request is pushed, and the address to sign in at is known.

        `language` is that of the page they look at, when it is another than they chose. Raises `MovedOn`.
        """
        held = take_up(self.database, vault, collection_id, now=self.clock())
        try:
            collection = held.collection
            if collection.stage not in (Stage.OFFERED, Stage.AUTHORIZING):
                return collection
            if refusal := await self._refusal(collection):
                collection = replace(collection, stage=Stage.OFFERED).paused(refusal)
                held.save(collection)
                return collection
            collection = receiving.agreed(collection, tx_code=None, batch_limit=self.settings.batch_limit)
            collection = replace(collection, stage=Stage.OFFERED)
            held.save(collection)
            client = client_for(collection, web=self.web, provider=self.provider, clock=self.clock)
            collection = await ask_to_sign_in(
                collection, client=client, provider=self.provider, language=language or vault.language
            )
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

    def issuers_of(self, vct: str) -> tuple[TrustEntry, ...]:
        """Who can issue this type, says whoever this wallet trusts; also those whose address nobody says."""
        return self.trust().issuers_for(vct, at=self.clock())

    def sources_of(self, vct: str) -> list[TrustEntry]:
        """Those of `issuers_of` where a person can be sent to fetch it."""
        return [entry for entry in self.issuers_of(vct) if "://" in entry.identifier]

    async def look_for(
        self, vault: UnlockedVault, issuer: str, *vcts: str, for_share: str = "", and_then: Sequence[str] = ()
    ) -> str:
        """Begin to fetch a certificate of each of these types from an issuer; returns the one new collection.

        `and_then` are types that the person wants to fetch there afterwards. The request `for_share` is kept as long as
        one can be open, so that it can be gone back to. Raises `OfferUnusable`, `Unreachable`.
        """
        languages = LANGUAGES.get(vault.language, LANGUAGES["sv"])
        offered = await learn_types(issuer, vcts, web=self.web, languages=languages)
        at = int(self.clock().timestamp())
        new = new_collection(f"fetch:{issuer}", offered, at=at)
        collection = replace(new, for_share=for_share, and_then=tuple(and_then))
        with self.database.transaction() as connection:
            if for_share:
                keep_share(connection, vault, for_share, until=self.clock() + WAITING_REQUEST)
            return add_collection(connection, vault, collection)

    def follow(self, vault: UnlockedVault, share_id: str, new_id: str) -> None:
        """A request was fetched anew: what is on its way for the earlier one is for the new one from now on."""
        for collection_id, one in self.collections(vault).items():
            if one.for_share != share_id:
                continue
            with suppress(MovedOn, NotFound):
                held = take_up(self.database, vault, collection_id, now=self.clock())
                try:
                    held.save(replace(held.collection, for_share=new_id))
                finally:
                    held.let_go()
                with self.database.transaction() as connection:
                    keep_share(connection, vault, new_id, until=self.clock() + WAITING_REQUEST)

    async def opened(self, vault: UnlockedVault, collection_id: str) -> Collection:
        """A collection that the person opens. First, for a few seconds, what waits at an issuer is asked for, and what
        waits as a question is examined anew.

        Raises `NotFound`.
        """
        await self.collect_due(vault)
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

        Collections that came to their good end are forgotten here, unless the person waited and is to be told.
        """
        collections = self.collections(vault)
        ended = [i for i, one in collections.items() if one.stage is Stage.DONE and not one.has_come]
        for collection_id in ended:
            self.put_away(vault, collection_id)
        with suppress(TimeoutError):
            async with asyncio.timeout(RESUME_SECONDS):
                tried: set[str] = set()
                begun = self._begin_renewals(vault, is_due, tried=tried)
                now, collections = int(self.clock().timestamp()), self.collections(vault)
                waiting = [
                    i
                    for i, collection in collections.items()
                    if collection.can_go_on(at=now) or collection.stage is Stage.QUESTION
                ]
                farewells = [i for i, collection in collections.items() if collection.is_farewell(at=now)]
                await self._collect_each(vault, waiting)
                while begun:  # Those that share a refresh token come one after the other.
                    begun = self._begin_renewals(vault, is_due, tried=tried)
                    await self._collect_each(vault, begun)
                for collection_id in farewells:  # Last: nobody waits for them.
                    try:
                        await self.bid_farewell(vault, collection_id)
                    except (MovedOn, NotFound):
                        continue
                    except Exception as exc:  # noqa: BLE001 - Nobody waits for it.
                        _log.error("farewell_broke", error=type(exc).__name__)

    async def _collect_each(self, vault: UnlockedVault, collection_ids: Sequence[str]) -> None:
        for collection_id in collection_ids:
            try:
                await self.collect(vault, collection_id, tx_code=None)
            except MovedOn:
                continue
            except Exception as exc:  # noqa: BLE001 - What one issuer answers holds up neither the others nor the vault.
                _log.error("collection_broke", error=type(exc).__name__)

    def _begin_renewals(
        self, vault: UnlockedVault, is_wanted: Callable[[StoredCertificate, datetime], bool], *, tried: set[str]
    ) -> list[str]:
        """Begin to renew what is wanted, and nobody renews already; the new collections. Each certificate is `tried`
        once.

        A renewal that came to nothing is forgotten, and tried again later.
        """
        for collection_id, one in self.collections(vault).items():
            if one.renews and one.stage is Stage.FAILED:
                self.put_away(vault, collection_id)
        now, begun = self.clock(), []
        for certificate in vault.certificates():
            wanted = certificate.id not in tried and is_wanted(certificate, now)
            at = int(now.timestamp())
            if wanted and not busy_with(self.collections(vault).values(), certificate, at=at):
                tried.add(certificate.id)
                begun += self._begin_renewal(vault, certificate)
        return begun

    def _begin_renewal(self, vault: UnlockedVault, certificate: StoredCertificate) -> list[str]:
        """Begin to renew a certificate: the new collection, none when another process was first or has changed it."""
        at = int(self.clock().timestamp())
        collection = renewing(certificate, copies=self.settings.batch_limit, at=at)
        with suppress(MovedOn), self.database.transaction() as connection:
            return [begin_renewal(connection, vault, certificate, collection)]
        return []

    async def renew_outdated(self, vault: UnlockedVault, is_outdated: Callable[[StoredCertificate], bool]) -> None:
        """Renew what a request finds too old, before the person decides, within a few seconds.

        What cannot be had by then stays as it was, and can be fetched by the person.
        """

        def is_wanted(certificate: StoredCertificate, now: datetime) -> bool:
            return is_outdated(certificate) and may_be_renewed(certificate, now)

        tried: set[str] = set()
        with suppress(TimeoutError):
            async with asyncio.timeout(RESUME_SECONDS):
                while begun := self._begin_renewals(vault, is_wanted, tried=tried):
                    await self._collect_each(vault, begun)

    async def _examine(self, collection: Collection, part: Part) -> Examined:
        return await examine(collection, part, trust=self.trust(), resolver=self.resolver, now=self.clock())

    async def prefetch(self) -> None:
        """Fetch status lists that run out soon and trust lists; called on a schedule."""
        await self.resolver.prefetch(ahead_seconds=self.settings.status_seconds // 4)
        await self.refresh_trust()
