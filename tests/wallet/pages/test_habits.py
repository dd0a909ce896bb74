"""How a person decides is counted when they want it, for themselves only (CS-43)."""

import html
import re
from datetime import date

import pytest
from starlette.testclient import TestClient

from tests.wallet.fake_verifier import FakeVerifier, known_verifier, notice, query
from tests.wallet.pages.test_share_pages import confirm, decide, look, person
from tests.wallet.test_pages import collect, make_wallet, send
from tests.world import PASSPHRASE, World
from wallet.counting import Counting
from wallet.habits import Ending, Habits
from wallet.key_ring import KeyRing


@pytest.fixture
def employer(world: World) -> FakeVerifier:
    """A verifier that the wallet trusts."""
    return known_verifier(world)


def change(browser: TestClient, what: str) -> None:
    """Press a button of the page."""
    send(browser, browser.get("/settings/habits"), "/settings/habits", change=what)


def numbers(browser: TestClient) -> list[int]:
    """The cells of the tables, in their order."""
    page = browser.get("/settings/habits").text
    return [int(html.unescape(cell)) for cell in re.findall(r'<td role="cell"[^>]*>(\d+)</td>', page)]


def test_cs43_nothing_is_counted_unless_the_person_wants_it(world: World, employer: FakeVerifier) -> None:
    """Off at first; what was decided before is not counted later either."""
    browser = person(world)
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())
    world.clock.move(seconds=20)
    confirm(browser, decide(browser, page, "share"))

    assert 'id="habits-start"' in browser.get("/settings/habits").text
    change(browser, "start")

    assert 'id="habits-none"' in browser.get("/settings/habits").text
    assert numbers(browser) == []


def test_cs43_decisions_looking_times_and_warnings_are_counted(world: World, employer: FakeVerifier) -> None:
    """One share after 20 seconds, one no to a warned question after 3 minutes, one that was left at once."""
    browser, stranger = person(world), FakeVerifier(world, "shop.example")
    change(browser, "start")
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())
    world.clock.move(seconds=20)
    confirm(browser, decide(browser, page, "share"))
    page = look(browser, stranger.ask(query(["family_name"]), notice=notice()).link())
    world.clock.move(minutes=3)
    decide(browser, page, "refuse")
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())
    decide(browser, page, "close")

    decided, shared, refused, left, warned, heeded, *times = numbers(browser)

    assert (decided, shared, refused, left) == (3, 1, 1, 1)
    assert (warned, heeded) == (2, 1), "a young certificate at the first contact, and an unproven name"
    assert times == [1, 1, 0, 1]


def test_cs43_what_one_lacks_is_counted_as_well(world: World, employer: FakeVerifier) -> None:
    """The page that says what is missing is a decision screen; that the same was asked again is a warning."""
    browser = person(world)
    change(browser, "start")
    for seconds in (20, 5):
        page = look(browser, employer.ask(query(["x"], vct="urn:other"), notice=notice()).link())
        world.clock.move(seconds=seconds)
        decide(browser, page, "refuse")

    decided, shared, refused, left, warned, heeded, *times = numbers(browser)

    assert (decided, shared, refused, left) == (2, 0, 2, 0)
    assert (warned, heeded) == (1, 1)
    assert times == [1, 1, 0, 0]


def test_cs43_the_time_of_fetching_is_not_counted(world: World, employer: FakeVerifier) -> None:
    """Once it is there, the time runs from the screen on which it can be shared."""
    browser = world.wallet.browser("en")
    make_wallet(browser)
    change(browser, "start")
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())
    world.clock.move(seconds=100)
    collect(browser, world.university.offer()[0].offer)
    page = browser.get(page.url.path)
    world.clock.move(seconds=2)
    confirm(browser, decide(browser, page, "share"))

    assert numbers(browser)[6:] == [1, 0, 0, 0]


def test_cs43_the_numbers_can_be_set_to_zero_and_deleted(world: World, employer: FakeVerifier) -> None:
    """Nothing of them is left in the vault; a form of another site changes nothing."""
    browser = person(world)
    change(browser, "start")
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())
    decide(browser, page, "refuse")
    assert numbers(browser)[0] == 1

    assert browser.post("/settings/habits", data={"change": "stop"}).status_code == 403
    assert numbers(browser)[0] == 1
    change(browser, "again")
    assert numbers(browser) == []
    change(browser, "stop")

    assert 'id="habits-start"' in browser.get("/settings/habits").text


@pytest.mark.anyio
async def test_cs43_two_windows_lose_no_number_and_a_stop_stays(world: World) -> None:
    """Each window counts onto what is kept now, and not onto what it was opened with."""
    vault = await world.wallet.person("Maja")
    counting = Counting(world.wallet.deployment)
    counting.start(vault)
    other = await world.wallet.deployment.unlock("Maja", PASSPHRASE)

    counting.count(vault, Ending.SHARED, seconds=1, was_warned=False)
    counting.count(other, Ending.REFUSED, seconds=1, was_warned=False)

    counted = counting.habits(other)
    assert counted is not None
    assert (counted.shared, counted.refused) == (1, 1)
    counting.stop(vault)
    counting.count(other, Ending.LEFT, seconds=1, was_warned=False)
    assert counting.habits(other) is None


@pytest.mark.anyio
async def test_cs43_a_number_that_meets_a_new_key_is_left_out(world: World) -> None:
    """The decision itself was kept before: counting it never makes it look as if it had failed."""
    wallet = world.wallet.deployment
    vault = await world.wallet.person("Maja")
    Counting(wallet).start(vault)
    before = await wallet.unlock("Maja", PASSPHRASE)
    rekeyed = await KeyRing(wallet).change_key(vault, PASSPHRASE)

    Counting(wallet).count(before, Ending.SHARED, seconds=1, was_warned=False)

    counted = Counting(wallet).habits(rekeyed.vault)
    assert counted is not None
    assert counted.decisions == 0


@pytest.mark.parametrize(
    ("seconds", "position"), [(-5, 0), (0, 0), (9.9, 0), (10, 1), (29.9, 1), (30, 2), (119, 2), (120, 3), (1e9, 3)]
)
def test_cs43_each_time_has_its_class(seconds: float, position: int) -> None:
    """Also where the clock was set back or the page stayed open for years."""
    habits = Habits.begun(on=date(2026, 11, 26)).after(Ending.SHARED, seconds=seconds, was_warned=True)

    assert habits.looked.index(1) == position
    assert (habits.warned, habits.heeded) == (1, 0)
