"""Somebody who acts for another, for the wallet's tests: Omar holds a power for his daughter Lina, and her certificate.

agent = await Agent.with_power(world, ends_on="2026-12-31")
share_id = await agent.asked(employer)             # a request for a power and a registration certificate
decision = agent.act(share_id)                     # "I answer for Lina", and the yes to that
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from unittest.mock import patch

from issuer.offers import draft_offers
from schemas.learning.achievement import Learner, Record
from schemas.types import CREDENTIAL_TYPES
from tests.schemas.types.records import statement
from tests.wallet.fake_verifier import FakeVerifier, credential, notice
from tests.wallet.people import Sharer
from tests.world import World
from wallet.certificates import StoredCertificate
from wallet.decision import Chosen, Decision, is_power

POWER = CREDENTIAL_TYPES["power-of-representation"]
REGISTRATION = CREDENTIAL_TYPES["registration-certificate"]
OMAR = Learner(family_name="Haddad", given_name="Omar", birth_date=date(1983, 3, 4))
LINA = Learner(family_name="Haddad", given_name="Lina", birth_date=date(2012, 8, 19))
SARA = Learner(family_name="Haddad", given_name="Sara", birth_date=date(2015, 1, 9))
NAMES = ("family_name", "given_name", "principal_family_name", "principal_given_name", "principal_birthdate")
WITH_POWER: dict[str, Any] = {
    "credentials": [
        credential(*([name] for name in NAMES), query_id="power", vct=POWER.vct),
        credential(
            *([name] for name in ("registered_status", "family_name", "given_name", "birthdate")),
            query_id="registration",
            vct=REGISTRATION.vct,
        ),
    ]
}
EITHER = WITH_POWER | {"credential_sets": [{"options": [["registration"], ["power", "registration"]]}]}
"""The same of somebody who may answer for themself."""


def power_for(principal: Learner = LINA, **changes: Any) -> dict[str, Any]:
    """The values of a power, changed."""
    assert principal.birth_date is not None
    return {
        "principal_family_name": principal.family_name,
        "principal_given_name": principal.given_name,
        "principal_birthdate": principal.birth_date.isoformat(),
        "power_basis": "guardian_of_child",
        "covers_types": [REGISTRATION.vct],
        "covers_recipients": ["employer.example"],
        "begins_on": "2026-01-01",
        "ends_on": "2030-08-18",
        "agents_needed": 1,
    } | changes


def power_offer(world: World, principal: Learner = LINA, *, agent: Learner = OMAR, **changes: Any) -> str:
    """The link of an offer of a power, changed."""
    record = statement(POWER, learner=agent).model_copy(update={"values": power_for(principal, **changes)})
    return _offer(world, record, POWER.name)


def registration_offer(world: World, learner: Learner) -> str:
    """The link of an offer of a certificate about somebody."""
    made = statement(REGISTRATION, learner=learner)
    record = made.model_copy(update={"values": {"registered_status": True}})
    return _offer(world, record, REGISTRATION.name)


def _offer(world: World, record: Record, type_name: str) -> str:
    issuer = world.university
    drafts = draft_offers(CREDENTIAL_TYPES[type_name], [record], with_tx_code=False)
    (offer,) = issuer.context.store.offers.create(drafts, now=world.clock())
    return issuer.context.links_of(offer).offer


@dataclass
class Agent(Sharer):
    """A person with a power in the vault."""

    @classmethod
    async def with_power(cls, world: World, *about: Learner, agent: Learner = OMAR, **changes: Any) -> "Agent":
        """Omar with his power, changed, and the registration of Lina, or of these."""
        made = await cls.named(world)
        assert isinstance(made, cls)
        await made.receive_power(agent=agent, **changes)
        for learner in about or (LINA,):
            await made.receive_registration(learner)
        return made

    async def receive_power(self, principal: Learner = LINA, *, agent: Learner = OMAR, **changes: Any) -> None:
        """One more power, from a source whose copies outlive what they say: ours makes none such."""
        with patch("issuer.issuance.ending_with", lambda period, **_: period):
            await self.world.wallet.receive(self.vault, power_offer(self.world, principal, agent=agent, **changes))

    async def receive_registration(self, learner: Learner) -> None:
        """A certificate about somebody, in this vault."""
        await self.world.wallet.receive(self.vault, registration_offer(self.world, learner))

    @property
    def powers(self) -> list[StoredCertificate]:
        """The powers in the vault, the latest first."""
        return [one for one in self.vault.certificates() if is_power(one)]

    async def asked(self, verifier: FakeVerifier, query: dict[str, Any] | None = None, **changes: Any) -> str:
        """A request that has arrived."""
        return await self.begin(verifier.ask(query or WITH_POWER, notice=notice(**changes)).link())

    def act(self, share_id: str, power: StoredCertificate | None = None, *, confirmed: bool = True) -> Decision:
        """Say for whom it is, and say yes to that."""
        chosen = Chosen(acting_for=(power or self.powers[0]).id, acting_confirmed=confirmed)
        decision = self.choose(share_id, chosen)
        yes = frozenset(item.id for item in decision.missing_yes)
        return self.choose(share_id, replace(decision.chosen, approved=yes)) if yes else decision
