"""A recipient says how old a statement may be, and the wallet renews it before it is shown."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError

from schemas.consent import DemandedAge
from schemas.types import CREDENTIAL_TYPES
from tests.issuer.fetching import ELIN
from tests.schemas.types.records import statement
from tests.wallet.fake_verifier import FakeVerifier, credential, known_verifier, notice, query
from tests.wallet.people import Sharer
from tests.wallet.test_fetching import Source, away
from tests.world import World
from wallet.decision import Obstacle

pytestmark = pytest.mark.anyio
REGISTRATION = CREDENTIAL_TYPES["registration-certificate"]
TODAY = [{"credential": "certificate", "days": 0, "time_zone": "Europe/Stockholm"}]


@dataclass
class Registered:
    """Somebody with a live registration certificate from a source, and a verifier that asks for it."""

    world: World
    source: Source
    sharer: Sharer
    verifier: FakeVerifier

    @classmethod
    async def now(cls, world: World) -> "Registered":
        """Fetched today."""
        live = statement(REGISTRATION, learner=ELIN, as_of=None, is_live=True)
        source = Source(world, vct=REGISTRATION.vct, kept=[live])
        sharer = await Sharer.named(world)
        wallet = world.wallet.deployment
        _, collection = await away(world, sharer.vault, source)
        await wallet.come_back(sharer.vault, source.allow(collection.sign_in_url))
        return cls(world, source, sharer, known_verifier(world))

    def link(self, ages: Any = TODAY, **more: Any) -> str:
        """A request for the status, with the age that is demanded."""
        paths = [["registered_status"], ["as_of"]]
        asked = query(*paths, vct=REGISTRATION.vct)
        return self.verifier.ask(asked, notice=notice(ages=ages), **more).link()

    def shown_day(self) -> str:
        """The day that the vault's certificate states."""
        (certificate,) = self.sharer.vault.certificates()
        return str(certificate.claims["as_of"])


async def test_yesterdays_statement_is_renewed_before_it_is_shown(world: World) -> None:
    """The person notices nothing: what is put before them is of today."""
    person = await Registered.now(world)
    world.clock.move(days=1)

    share_id = await person.sharer.begin(person.link())

    assert person.shown_day() == "2026-11-21"
    decision = person.sharer.decision(share_id)
    assert decision.is_satisfiable
    await person.sharer.approve(share_id)
    assert person.verifier.answers


@pytest.mark.parametrize(
    "ages", [None, [{"credential": "other", "days": 0}], [{"credential": "certificate", "days": 1}]]
)
async def test_what_is_recent_enough_is_not_renewed(world: World, ages: Any) -> None:
    """No demand, one about something else, or one that holds: the source is not asked."""
    person = await Registered.now(world)
    world.clock.move(days=1)
    asked = world.network.asked("source.example/token")

    share_id = await person.sharer.begin(person.link(ages))

    assert world.network.asked("source.example/token") == asked
    assert person.shown_day() == "2026-11-20"
    assert person.sharer.decision(share_id).is_satisfiable


async def test_what_cannot_be_renewed_is_not_shown_and_can_be_fetched(world: World) -> None:
    """The source says no: showing the old one would only give it away. The page says why, and where to fetch."""
    person = await Registered.now(world)
    world.clock.move(days=1)
    gone = httpx2.Response(400, json={"error": "invalid_grant"})
    with world.network.answering(lambda request: gone if request.url.path == "/token" else None):
        share_id = await person.sharer.begin(person.link())

    decision = person.sharer.decision(share_id)
    assert not decision.is_satisfiable
    assert [lack.obstacle for lack in decision.lacks] == [Obstacle.OUTDATED]


async def test_many_requests_do_not_make_the_wallet_ask_as_often(world: World) -> None:
    """A sender that asks again and again makes the source be asked once a minute."""
    person = await Registered.now(world)
    world.clock.move(days=1)
    gone = httpx2.Response(400, json={"error": "invalid_grant"})
    with world.network.answering(lambda request: gone if request.url.path == "/token" else None):
        before = world.network.asked("source.example/token")
        for _ in range(3):
            await person.sharer.begin(person.link())
        assert world.network.asked("source.example/token") == before + 1
    world.clock.move(minutes=2)
    await person.sharer.begin(person.link())
    assert person.shown_day() == "2026-11-21"


async def test_an_unsigned_notice_makes_the_wallet_ask_nobody(world: World) -> None:
    """What anybody can say moves nothing; the old statement is still not offered as if it would do."""
    person = await Registered.now(world)
    world.clock.move(days=1)
    asked = world.network.asked("source.example/token")

    made = person.verifier.ask(
        query(["registered_status"], ["as_of"], vct=REGISTRATION.vct), notice=notice(ages=TODAY), prefix="redirect_uri"
    )
    share_id = await person.sharer.begin(made.link_unsigned())

    assert world.network.asked("source.example/token") == asked
    assert not person.sharer.decision(share_id).is_satisfiable


async def test_a_query_without_a_demand_still_takes_the_older_one(world: World) -> None:
    """Two queries that the same certificate answers: it is too old for one of them, and not kept from the other."""
    person = await Registered.now(world)
    world.clock.move(days=1)
    gone = httpx2.Response(400, json={"error": "invalid_grant"})
    both = {
        "credentials": [
            credential(["as_of"], query_id="certificate", vct=REGISTRATION.vct),
            credential(["office"], query_id="other", vct=REGISTRATION.vct),
        ]
    }
    with world.network.answering(lambda request: gone if request.url.path == "/token" else None):
        share_id = await person.sharer.begin(person.verifier.ask(both, notice=notice(ages=TODAY)).link())

    assert Obstacle.OUTDATED not in [lack.obstacle for lack in person.sharer.decision(share_id).lacks]


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../../etc/passwd", "/etc/localtime", "A" * 160, "Europe"])
def test_a_time_zone_that_is_none_is_the_readers_own(zone: str) -> None:
    """Whatever a notice says there, days are found; nothing is read that is no time zone."""
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    age = DemandedAge(credential="one", days=0, time_zone=zone)

    assert age.earliest_day(at=late, otherwise="Europe/Stockholm") == date(2026, 11, 21)


def test_the_recipients_time_zone_decides_what_today_is() -> None:
    """At half past eleven in the evening, UTC, it is tomorrow in Stockholm and today in Reykjavik."""
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)

    def day(zone: str) -> date:
        return DemandedAge(credential="one", days=1, time_zone=zone).earliest_day(at=late, otherwise="UTC")

    assert day("Europe/Stockholm") == date(2026, 11, 20)
    assert day("Atlantic/Reykjavik") == date(2026, 11, 19)


@pytest.mark.parametrize("days", [-1, 3_651, 1.5, "x"])
def test_a_notice_with_an_impossible_age_is_refused(days: Any) -> None:
    """Bounded, and a whole number."""
    with pytest.raises(ValidationError):
        DemandedAge(credential="one", days=days)
