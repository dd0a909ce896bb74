"""Two powers with the same names and days: the end of one says nothing of the other (DESIGN.md, acting for another)."""

from datetime import UTC, datetime
from typing import Any

import anyio
import pytest
from starlette.testclient import TestClient

from issuer.status import Status
from proofs.formats.sd_jwt import split_sd_jwt
from tests.attacks.test_acts_for_another import Principal, acted, told_agent
from tests.wallet.acting import POWER, Agent
from tests.wallet.fake_verifier import FakeVerifier, known_verifier
from tests.wallet.pages.test_share_pages import text_of
from tests.wallet.test_pages import send
from tests.world import PASSPHRASE, World
from wallet.cli_acting import acts_of
from wallet.ledger import Entry, EventKind
from wallet.powers_over_me import PowersOverMe
from wallet.reporting import HeldByAnother, power_key, status_entry

ENDED = "Ended. You learned it on"


class Alike:
    """Omar acted for Lina under a first power, and then under a second one that reads the same."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.first: set[str] = set()
        self.second: set[str] = set()

    @classmethod
    def told(cls, world: World, **power: Any) -> "Alike":
        """Both acts stand in Lina's history. `power` changes what both powers say."""
        made = cls(world)
        anyio.run(made._tell, power)
        return made

    async def _tell(self, power: dict[str, Any]) -> None:
        self.lina = await Principal.at(self.world)
        self.omar: Agent = await told_agent(self.world, self.lina, **power)
        self.employer: FakeVerifier = known_verifier(self.world)
        await acted(self.omar, self.employer)
        self.first = self._issued()
        await self.omar.receive_power(reports_to=str(self.lina.acts.address(self.lina.vault)), **power)
        self.second = self._issued() - self.first
        await acted(self.omar, self.employer)
        assert len(await self.lina.unlocked()) == 2

    def _issued(self) -> set[str]:
        listed = self.world.university.context.store.status.list_issued(limit=100)
        return {one.id for one in listed if one.type_name == POWER.name}

    def end(self, which: set[str]) -> None:
        """The source ends these."""
        context = self.world.university.context
        self.world.clock.move(seconds=6)
        context.store.status.change(
            sorted(which), Status.REVOKED, publishing=context.publishing, now=self.world.clock()
        )

    def acts_under(self, position: int) -> Entry:
        """Omar acts once more: under the latest power (0), or the first (-1)."""

        async def act() -> Entry:
            share_id = await self.omar.asked(self.employer)
            self.omar.act(share_id, self.omar.powers[position])
            await self.omar.approve(share_id)
            await self.lina.unlocked()
            return self.omar.entry(share_id)

        return anyio.run(act)

    @property
    def held(self) -> list[HeldByAnother]:
        """What is known without a look."""
        return PowersOverMe(self.lina.side.deployment).all(self.lina.vault)

    def browser(self) -> TestClient:
        """Lina's open wallet."""
        browser = self.lina.side.browser("en")
        send(browser, browser.get("/unlock"), "/unlock", name="Lina", passphrase=PASSPHRASE)
        return browser


@pytest.mark.parametrize("ended", ["first", "second"])
def test_where_one_of_two_is_ended_the_other_still_holds(world: World, ended: str) -> None:
    """The button stays, the page says nothing of an end, the command neither; the count goes on."""
    alike = Alike.told(world)
    alike.end(getattr(alike, ended))
    browser = alike.browser()

    page = browser.get("/acting")

    assert ENDED not in text_of(page)
    ending = f"/acting/held/{alike.held[0].key}/end"
    assert ending in page.text
    assert browser.get(ending).url.path == ending
    assert [(one.has_ended, one.acts) for one in alike.held] == [(False, 2)]
    world.clock.move(seconds=40)
    alike.acts_under(-1 if ended == "second" else 0)
    assert "3 things were done for you" in text_of(browser.get("/"))
    assert ENDED not in text_of(browser.get("/acting"))
    told = anyio.run(lambda: acts_of(alike.lina.side.deployment, alike.lina.vault, seen=False))
    assert [(one["has_ended"], one["ended"], one["stands"], one["acts"]) for one in told["over_you"]] == [
        (False, "", "", 3)
    ]


def test_both_have_ended_once_both_are_known_to_be(world: World) -> None:
    """Learned one after the other: on the day of the latter. A later look, and one without a network, say the same."""
    alike = Alike.told(world)
    alike.end(alike.second)
    browser = alike.browser()
    browser.get("/acting")
    world.clock.move(days=1)
    alike.end(alike.first)
    send(browser, browser.get("/unlock"), "/unlock", name="Lina", passphrase=PASSPHRASE)

    page = browser.get("/acting")

    assert f"{ENDED} 21 November 2026." in text_of(page)
    assert 'id="end-1"' not in page.text
    with world.network.cut_before("/status/1"):
        assert ENDED in text_of(browser.get("/acting"))
    notes = [event for one in alike.lina.told for event in one.events if event.kind is EventKind.POWER_OVER]
    assert len({event.facts["power"] for event in notes}) == len(notes) == 2


def test_a_look_that_finds_only_one_ended_does_not_tell_the_other_as_holding(world: World) -> None:
    """What cannot be asked any more is not known, also where it shares its line with an ended one."""
    alike = Alike.told(world)
    alike.end(alike.second)
    browser = alike.browser()
    browser.get("/acting")

    with world.network.cut_before("/status/1"):
        world.clock.move(seconds=40)
        page = browser.get("/acting")

    assert "We could not find out just now whether it still holds." in text_of(page)
    assert 'id="end-1"' in page.text


def test_an_act_told_later_with_a_power_that_holds_does_not_stand_under_an_end(world: World) -> None:
    """A third power, alike again, after both were known to be ended."""
    alike = Alike.told(world)
    alike.end(alike.first | alike.second)
    browser = alike.browser()
    assert ENDED in text_of(browser.get("/acting"))

    async def third() -> None:
        await alike.omar.receive_power(reports_to=str(alike.lina.acts.address(alike.lina.vault)))

    anyio.run(third)
    world.clock.move(seconds=40)
    alike.acts_under(0)

    assert len({power_key(one.told) for one in alike.lina.told if one.told}) == 1
    assert len({status_entry(one.told) for one in alike.lina.told if one.told}) == 3
    page = browser.get("/acting")
    assert ENDED not in text_of(page)
    assert 'id="end-1"' in page.text


def test_a_copy_that_has_run_out_is_still_looked_up_and_never_told_as_holding(world: World) -> None:
    """Its power may go on with other copies; that it was revoked stays to be read in the list."""
    alike = Alike.told(world, ends_on="2060-12-31", power_basis="decision")
    alike.end(alike.first)
    run_out = max(split_sd_jwt(one.told["power_copy"]).payload["exp"] for one in alike.lina.told if one.told)
    powers = PowersOverMe(alike.lina.side.deployment)
    world.clock.now = datetime.fromtimestamp(run_out + 3600, UTC)
    assert not alike.held[0].has_ended

    async def look() -> dict[str, str]:
        return await powers.look(alike.lina.vault)

    stands = anyio.run(look)

    (held,) = alike.held
    assert stands == {held.key: "unknown"}
    assert len(held.open_copies) == 1
