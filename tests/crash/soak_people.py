"""The people of the soak: each has an own vault and goes a whole journey, from what is durable and nothing else.

A process that is started again reads how far everybody has come from their vaults, as a person does who opens the
wallet again. What somebody was told is written down, to be compared with what is stored in the end.
"""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from issuer.offers import links_of
from issuer.settings import IssuerSettings
from issuer.store import IssuerStore, open_store
from schemas.errors import CouldNotCheck, ProtocolError, TemporarilyUnavailable
from schemas.presentation import parse_link
from schemas.withdrawal import Action
from service.clock import utc_now
from service.http import OutgoingHTTP
from tests.world import PASSPHRASE
from wallet.collection import MovedOn, Stage
from wallet.deployment import Deployment
from wallet.histories import Histories
from wallet.ledger import Entry, Outcome
from wallet.links import read_arrival
from wallet.requests import CameBy
from wallet.settings import WalletSettings
from wallet.sharing import Sharing
from wallet.store.certificates import take_copy
from wallet.taking_back import State
from wallet.vault import UnlockedVault
from wallet.web import Unreachable
from wallet.withdrawals import Withdrawals

TOGETHER = 6
"""How many people are on their way at once."""
REST_SECONDS = 0.1
MOST_TRIES = 200

Plan = dict[str, Any]


def read_told(file: Path) -> dict[str, dict[str, Any]]:
    """What everybody was told, by name. A last line that was being written when its process died counts for nothing."""
    told: dict[str, dict[str, Any]] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        with suppress(ValueError):
            name, facts = json.loads(line)
            told.setdefault(name, {}).update(facts)
    return told


def shares_of(wallet: Deployment, vault: UnlockedVault) -> list[Entry]:
    """The requests that could be read; one whose verifier was away stands in the history too, and is read again."""
    entries = Histories(wallet).read(vault).entries
    return [entry for entry in entries if entry.is_share and entry.outcome is not Outcome.FAULTY]


class Journey:
    """One person's way: offer, certificate, share, taking back, fresh copies."""

    def __init__(self, wallet: Deployment, registrar: IssuerStore, issuer: str, plan: Plan, told: Path) -> None:
        self.wallet = wallet
        self.registrar = registrar
        self.issuer = issuer
        self.plan = plan
        self._told = told
        self.vault: UnlockedVault

    def tell(self, **facts: Any) -> None:
        """What the person reads on the screen."""
        with self._told.open("a", encoding="utf-8") as file:
            file.write(f"\n{json.dumps([self.plan['name'], facts])}")

    async def go(self) -> None:
        """All of it, in steps that are tried again when something is away."""
        self.vault = await self._patiently(self._open)
        for step in (self._receive, self._share, self._take_back, self._renew):
            await self._patiently(step)
        self.tell(done=True)

    async def _patiently(self, step: Any) -> Any:
        for _ in range(MOST_TRIES):
            with suppress(TemporarilyUnavailable, CouldNotCheck, Unreachable, MovedOn):
                outcome = await step()
                if outcome is not None:
                    return outcome
            await asyncio.sleep(REST_SECONDS)
        self.tell(stuck=step.__name__)
        return None

    async def _open(self) -> UnlockedVault:
        name = self.plan["name"]
        if self.wallet.has_person(name):
            return await self.wallet.unlock(name, PASSPHRASE)
        return await self.wallet.create(name, PASSPHRASE, language="sv")

    async def _receive(self) -> bool | None:
        await self.wallet.resume(self.vault)
        if self.vault.certificates():
            self.tell(received=True)
            return True
        going = {i: one for i, one in self.wallet.collections(self.vault).items() if one.stage is not Stage.FAILED}
        for collection_id in going:
            await self.wallet.collect(self.vault, collection_id, tx_code=None)
            return None
        offer = self.registrar.offers.get(self.plan["offer"], now=utc_now())
        if not offer.is_open:
            offer = self.registrar.offers.offer_again(offer.id, now=utc_now())
        link = links_of(offer, issuer=self.issuer, secret=self.registrar.secret, now=utc_now()).offer
        await self.wallet.look_at(self.vault, read_arrival(link, allow_loopback=True))
        return None

    def _entry(self) -> Entry | None:
        shares = shares_of(self.wallet, self.vault)
        return shares[0] if shares else None

    async def _share(self) -> bool | None:
        sharing, entry = Sharing(self.wallet), self._entry()
        if entry is None:
            link = parse_link(self.plan["link"], max_chars=60_000)
            await sharing.begin(self.vault, link, came_by=CameBy.LINK)
        elif entry.outcome is Outcome.OPEN:
            await sharing.look_anew(self.vault)  # As the page does before it shows what is approved.
            digest = sharing.decision(self.vault, entry.id, language="sv").digest
            await sharing.approve(self.vault, entry.id, language="sv", approved_digest=digest, passphrase=PASSPHRASE)
        elif entry.outcome in (Outcome.UNKNOWN, Outcome.NOT_DELIVERED) and sharing.can_send_again(self.vault, entry.id):
            await sharing.send_again(self.vault, entry.id)
        else:
            self.tell(shared=entry.outcome.value)
            return True
        return None

    async def _take_back(self) -> bool | None:
        entry, withdrawals = self._entry(), Withdrawals(self.wallet)
        assert entry is not None
        standing = withdrawals.standing(entry)
        if standing.state is State.DONE or (entry.outcome is Outcome.UNKNOWN and standing.state is State.NOT_ACCEPTED):
            self.tell(taken_back=standing.state.value)
            return True
        await withdrawals.wish(self.vault, entry.id, Action.WITHDRAW, chosen=None, language="sv")
        return None

    async def _renew(self) -> bool | None:
        (certificate,) = self.vault.certificates()
        if certificate.copies_total > 10:
            self.tell(renewed=True)
            return True
        if certificate.copies_left > 2:
            with self.wallet.database.transaction() as connection:
                take_copy(connection, self.vault, certificate.id)
            return await self._renew()
        await self.wallet.resume(self.vault)
        return None


async def live(plans: list[Plan], wallet: Deployment, registrar: IssuerStore, issuer: str, told: Path) -> None:
    """Everybody who has not come to the end yet, a few at a time; then wait to be stopped."""
    ended = {name for name, facts in read_told(told).items() if "done" in facts}
    turn = asyncio.Semaphore(TOGETHER)

    async def one(plan: Plan) -> None:
        async with turn:
            journey = Journey(wallet, registrar, issuer, plan, told)
            try:
                await journey.go()
            except (ProtocolError, AssertionError, ValueError) as exc:
                journey.tell(fault=repr(exc))

    await asyncio.gather(*(one(plan) for plan in plans if plan["name"] not in ended))
    await asyncio.Event().wait()


def run_wallet(data: Path, issuer_settings: IssuerSettings, plans: list[Plan], told: Path) -> None:
    """The wallet service of all these people, in a process of its own."""
    settings = WalletSettings(data=data, public_url="https://wallet.example", allow_loopback=True)
    wallet = Deployment(settings, http=OutgoingHTTP(allow_loopback=True), clock=utc_now)
    registrar = open_store(issuer_settings)
    asyncio.run(live(plans, wallet, registrar, issuer_settings.base_url, told))
