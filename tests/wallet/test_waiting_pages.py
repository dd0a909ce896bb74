"""A certificate that takes time: the person may leave, and is told when it has arrived (issue 3)."""

from collections.abc import Sequence
from typing import Any

import pytest
from starlette.testclient import TestClient

from issuer.deferral import Review
from tests.wallet.fake_verifier import FakeVerifier, known_verifier, notice, query
from tests.wallet.people import Sharer
from tests.wallet.test_fetching import Source, _enter, _form, _tree, away
from tests.world import World
from wallet.collection import Collection, Stage

pytestmark = pytest.mark.anyio


class Waiter:
    """A person who was asked for what they lack, has signed in at the source, and waits for it to be looked at."""

    def __init__(self, world: World, sharer: Sharer, employer: FakeVerifier) -> None:
        self.world, self.sharer, self.employer = world, sharer, employer
        self.source = Source(world, reviewed_types="micro-credential")
        self.browser: TestClient = world.wallet.browser()
        self.share_id = ""

    async def signs_in(self, link: str = "") -> Any:
        """From the request to the source and back; the page that says that it takes time."""
        asked = link or self.employer.ask(query(["course_code"]), notice=notice()).link()
        self.share_id = await self.sharer.begin(asked)
        form = _form(_enter(self.browser, f"/share/{self.share_id}"), "fetch-1-1")
        away = self.browser.post(form.action, data=dict(form.form_values()))
        (address,) = _tree(away).xpath("//a[@id='to-source']/@href")
        return self.browser.get("/fetched", params=self.source.allow(str(address)))

    def reviewed(self, review: Review = Review.APPROVED) -> None:
        """Somebody at the source has looked at it."""
        deferrals = self.source.side.context.store.deferrals
        (one,) = deferrals.list_waiting()
        deferrals.review(one.offer_id, review, now=self.world.clock())

    def home(self) -> Any:
        """The first page."""
        return self.browser.get("/")

    def asked(self) -> int:
        """How often the source has been asked for it."""
        return self.world.network.asked("/deferred_credential")


@pytest.fixture
async def waiter(world: World) -> Waiter:
    """Somebody who waits."""
    employer = known_verifier(world)
    made = Waiter(world, await Sharer.named(world), employer)
    page = await made.signs_in()
    assert 'id="ask-again"' in page.text
    return made


def _text(nodes: Sequence[Any]) -> str:
    (node,) = nodes
    return " ".join(node.text_content().split())


async def test_the_first_page_says_what_is_waited_for_and_from_whom(waiter: Waiter) -> None:
    """And for whose request; not that something stopped."""
    told = _text(_tree(waiter.home()).xpath("//*[@id='waiting-1']"))
    assert "has to look at it first: Short course certificate" in told
    assert "It is told here when it has come." in told
    assert "It is for the request from" in told
    assert "Exempelbolaget AB" in told
    assert "Stopped" not in told


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "Nothing was fetched. You can sign in again whenever you want."),
        ("sv", "Inget hämtades. Du kan logga in igen när du vill."),
    ],
)
async def test_what_was_refused_at_the_source_does_not_wait_for_a_first_answer(
    world: World, language: str, told: str
) -> None:
    source, vault = Source(world), await world.wallet.person()
    _, collection = await away(world, vault, source)
    await world.wallet.deployment.come_back(vault, source.allow(collection.sign_in_url, "no"))

    shown = _text(_tree(_enter(world.wallet.browser(language), "/")).xpath("//*[@id='waiting-1']/p[1]"))

    assert shown == told


async def test_it_is_told_when_it_has_come_until_it_is_seen(waiter: Waiter) -> None:
    """In the open session, at the next page; the notice leads to the request, and stays over the next unlocking."""
    waiter.world.clock.move(seconds=11)
    waiter.reviewed()
    told = _tree(waiter.home())
    assert "has arrived" in _text(told.xpath("//*[@id='arrived-1']"))
    assert not told.xpath("//*[@id='waiting-1']")
    (go_on,) = told.xpath("//button[@id='arrived-go-on-1']")
    assert "Exempelbolaget AB" in go_on.text_content()

    waiter.browser.cookies.clear()
    assert 'id="arrived-1"' in _enter(waiter.browser, "/").text, "not seen yet"
    form = _form(waiter.home(), "arrived-seen-1")
    after = waiter.browser.post(form.action, data=dict(form.form_values()))
    assert 'id="arrived-1"' not in after.text
    assert 'id="certificate-1"' in after.text
    assert waiter.world.wallet.deployment.collections(waiter.sharer.vault) == {}


async def test_the_source_is_asked_when_it_is_due_and_not_before(waiter: Waiter) -> None:
    """However often the person looks; and one that is down keeps no page waiting again within a minute."""
    before = waiter.asked()
    waiter.home()
    waiter.home()
    assert waiter.asked() == before
    waiter.world.clock.move(seconds=11)
    waiter.home()
    asked = waiter.asked()
    assert asked > before
    waiter.home()
    assert waiter.asked() == asked, "the source has said when to ask again"

    waiter.world.clock.move(seconds=11)
    with waiter.world.network.cut_before("/deferred_credential"):
        waiter.home()
        waiter.home()
    assert waiter.asked() == asked + 1, "once, and the second page did not wait for it"
    waiter.world.clock.move(seconds=61)
    waiter.reviewed()
    assert 'id="arrived-1"' in waiter.home().text


async def test_a_source_that_lets_pages_wait_does_so_once_in_a_minute(
    waiter: Waiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that answers too slowly, on purpose or not: the look ends, and the next pages do not look again."""
    looks: list[str] = []

    async def too_slow(_: Any, collection_id: str, **__: Any) -> Any:
        looks.append(collection_id)
        raise TimeoutError

    monkeypatch.setattr(waiter.world.wallet.app.state.wallet, "collect", too_slow)
    waiter.world.clock.move(seconds=11)
    for _ in range(3):
        assert 'id="waiting-1"' in waiter.home().text
    assert len(looks) == 1
    waiter.world.clock.move(seconds=60)
    waiter.home()
    assert len(looks) == 2


async def test_the_page_of_the_request_asks_too(waiter: Waiter) -> None:
    """Whoever looks at the request again finds it answerable as soon as the certificate has come."""
    waiter.world.clock.move(seconds=11)
    waiter.reviewed()
    assert 'id="decide-share"' in waiter.browser.get(f"/share/{waiter.share_id}").text


async def test_what_an_earlier_release_waited_for_is_told_too(waiter: Waiter) -> None:
    """It was sealed without a word of waiting: being at the source says enough."""
    (one,) = waiter.world.wallet.deployment.collections(waiter.sharer.vault).values()
    earlier = {k: v for k, v in one.as_json().items() if k not in ("waited", "looked_at", "is_named")}
    read = Collection.from_json(earlier)
    assert (read.waited, read.looked_at, read.is_named) == (True, 0, False)
    offered = Collection.from_json({**earlier, "stage": "offered"})
    assert not offered.waited


async def test_a_denial_is_told_on_the_first_page(waiter: Waiter) -> None:
    """Nothing has arrived, and the page does not say so."""
    waiter.world.clock.move(seconds=11)
    waiter.reviewed(Review.DENIED)
    page = waiter.home()
    assert 'id="arrived-1"' not in page.text
    assert 'id="waiting-1"' in page.text
    (one,) = waiter.world.wallet.deployment.collections(waiter.sharer.vault).values()
    assert (one.stage, one.problem) == (Stage.FAILED, "denied")


async def test_an_answered_request_is_not_gone_back_to(waiter: Waiter) -> None:
    """The notice stands without the way back when the person has said no meanwhile."""
    await waiter.sharer.sharing.refuse(waiter.sharer.vault, waiter.share_id, language="en")
    waiter.world.clock.move(seconds=11)
    waiter.reviewed()
    page = waiter.home()
    assert 'id="arrived-1"' in page.text
    assert "arrived-go-on-1" not in page.text


async def test_what_another_person_waits_for_is_told_to_them_alone(waiter: Waiter) -> None:
    """Elin, in the same wallet service, sees nothing of it, and her pages ask for nothing."""
    await waiter.world.wallet.person("Elin")
    waiter.world.clock.move(seconds=11)
    waiter.reviewed()
    before = waiter.asked()
    elin = waiter.world.wallet.browser()
    door = _form(elin.get("/"), "unlock")
    fields = dict(door.form_values()) | {"name": "Elin", "passphrase": "fyra ord utan samband"}
    page = elin.post(door.action, data=fields)
    assert "arrived-1" not in page.text
    assert waiter.asked() == before
