"""Back from a source to the very same request, however long it took (DESIGN 4.4): request objects live five minutes."""

from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.wallet.fake_verifier import Asked, credential, known_verifier, notice, query, with_optional
from tests.wallet.people import Sharer
from tests.wallet.test_fetching import Source, _enter, _form, _tree
from tests.wallet.test_waiting_pages import Waiter
from tests.wallet.test_with_verifier import firm
from tests.world import World
from verifier.exchange import Verifier
from verifier.requests import Kind
from verifier.verification import Verdict
from wallet.decision import Chosen
from wallet.sharing import Kept

pytestmark = pytest.mark.anyio
__all__ = ["firm"]
SAME = "The certificate is in your wallet. Here is the request again."
OTHER = "Something is different than before. Please choose again."


async def _to_the_source(world: World, link: str) -> tuple[Sharer, TestClient, str, str]:
    """Somebody lacks what is asked for, and is about to sign in: they, their browser, the share, and where to."""
    sharer = await Sharer.named(world)
    share_id = await sharer.begin(link)
    browser = world.wallet.browser()
    form = _form(_enter(browser, f"/share/{share_id}"), "fetch-1-1")
    away = browser.post(form.action, data=dict(form.form_values()))
    (address,) = _tree(away).xpath("//a[@id='to-source']/@href")
    return sharer, browser, share_id, str(address)


def _share_of(page: Any) -> str:
    assert page.url.path.startswith("/share/"), page.url
    return str(page.url.path.removeprefix("/share/"))


async def test_after_ten_minutes_the_request_is_there_again(world: World) -> None:
    """Its object has ended meanwhile: the wallet fetches it anew by itself, and the person answers it."""
    source, employer = Source(world), known_verifier(world)
    asked = employer.ask(query(["course_code"]), notice=notice())
    sharer, browser, share_id, address = await _to_the_source(world, asked.link())

    back = browser.get("/fetched", params=source.allow(address, after_minutes=10))

    assert SAME in back.text
    assert 'id="decide-share"' in back.text
    assert _share_of(back) != share_id
    await sharer.approve(_share_of(back))
    assert len(employer.answers) == 1


async def test_within_five_minutes_nothing_is_fetched_again(world: World) -> None:
    """Its sender does not learn from our fetching that somebody has signed in somewhere."""
    source, employer = Source(world), known_verifier(world)
    asked = employer.ask(query(["course_code"]), notice=notice())
    _, browser, share_id, address = await _to_the_source(world, asked.link())
    fetched = world.network.asked(asked.request_uri)
    back = browser.get("/fetched", params=source.allow(address, after_minutes=4))
    assert _share_of(back) == share_id
    assert world.network.asked(asked.request_uri) == fetched


async def test_another_question_at_the_same_address_is_shown_as_another(world: World) -> None:
    """A sender that changes its question while the person is away gets no tick, and is not called the same."""
    source, employer = Source(world), known_verifier(world)
    asked: Asked = employer.ask(query(["course_code"]), notice=notice())
    sharer, browser, _, address = await _to_the_source(world, asked.link())
    asked.parameters["dcql_query"] = query(["course_code"], ["family_name"])

    back = browser.get("/fetched", params=source.allow(address, after_minutes=10))

    assert SAME not in back.text
    assert OTHER in back.text
    assert sharer.decision(_share_of(back)).chosen.ticked == frozenset()


async def test_a_sender_who_is_gone_is_said_to_be_gone(world: World) -> None:
    """The certificate is kept all the same; nothing is sent."""
    source, employer = Source(world), known_verifier(world)
    asked = employer.ask(query(["course_code"]), notice=notice())
    sharer, browser, share_id, address = await _to_the_source(world, asked.link())
    answer = source.allow(address, after_minutes=10)
    gone = httpx2.Response(404)
    with world.network.answering(lambda request: gone if request.url.host == "employer.example" else None):
        back = browser.get("/fetched", params=answer)
    assert _share_of(back) == share_id
    assert "They have no new request there." in back.text
    assert len(sharer.vault.certificates()) == 1
    assert employer.forms == []


async def test_ticks_are_kept_when_the_same_is_asked_again(world: World) -> None:
    """And go when something else is asked: what was ticked stood beside something else."""
    employer = known_verifier(world)
    sharer = await Sharer.with_certificate(world)
    optional = credential(["assessment_grade"], query_id="grade")
    asked = employer.ask(with_optional(credential(["course_code"]), optional), notice=notice())
    share_id = await sharer.begin(asked.link())
    index = sharer.decision(share_id).optional[0].index
    sharer.choose(share_id, Chosen(ticked=frozenset({index})))
    world.clock.move(minutes=10)

    again, kept = await sharer.sharing.go_back(sharer.vault, share_id)

    assert kept is Kept.ALL
    assert sharer.decision(again).chosen.ticked == {index}
    world.clock.move(minutes=10)
    asked.parameters["dcql_query"] = with_optional(credential(["course_code"], ["family_name"]), optional)
    other, kept = await sharer.sharing.go_back(sharer.vault, again)
    assert kept is Kept.NONE
    assert sharer.decision(other).chosen.ticked == frozenset()


async def test_after_two_days_the_very_same_request_is_answered(world: World, firm: Verifier) -> None:
    """A real verifier that waits a week, and a source that takes two days: told, gone back to, shared, accepted."""
    template = firm.templates()["employer-micro-credential"].model_copy(update={"lifetime_days": 7})
    made = firm.make_request(template, kind=Kind.CROSS_DEVICE, maker="test")
    waiter = Waiter(world, await Sharer.named(world), known_verifier(world))
    firm.trust.add_entry(waiter.source.side.trust_entry, now=world.clock())
    page = await waiter.signs_in(made.link)
    assert 'id="ask-again"' in page.text
    world.clock.move(days=2)
    waiter.sharer.sharing.tidy()
    waiter.reviewed()
    waiter.browser.cookies.clear()

    home = _enter(waiter.browser, "/")
    form = _form(home, "arrived-go-on-1")
    request = waiter.browser.post(form.action, data=dict(form.form_values()))

    assert 'id="decide-share"' in request.text
    await waiter.sharer.approve(_share_of(request))
    assert firm.requests.get(made.transaction.id, now=world.clock()).verdict is Verdict.ACCEPTED
    after = waiter.home()
    assert 'id="arrived-1"' in after.text, "not seen yet"
    assert "arrived-go-on-1" not in after.text, "it has been answered"


async def test_a_request_is_not_kept_for_ever(world: World) -> None:
    """After a week and some hours nothing is left of it but its line in the history."""
    waiter = Waiter(world, await Sharer.named(world), known_verifier(world))
    await waiter.signs_in()
    world.clock.move(days=6, hours=23)
    waiter.sharer.sharing.tidy()
    assert waiter.sharer.sharing.is_kept(waiter.sharer.vault, waiter.share_id)
    world.clock.move(hours=4)
    waiter.sharer.sharing.tidy()
    assert not waiter.sharer.sharing.is_kept(waiter.sharer.vault, waiter.share_id)
    waiter.browser.cookies.clear()
    assert "It is for the request from" not in _enter(waiter.browser, "/").text


async def test_nobody_goes_on_with_another_persons_request(world: World) -> None:
    """Its number is not enough: Elin's wallet fetches nothing for it."""
    employer = known_verifier(world)
    sharer = await Sharer.with_certificate(world)
    asked = employer.ask(query(["course_code"]), notice=notice())
    share_id = await sharer.begin(asked.link())
    world.clock.move(minutes=10)
    fetched = world.network.asked(asked.request_uri)
    await world.wallet.person("Elin")
    elin = world.wallet.browser()
    door = _form(elin.get("/receive"), "unlock")
    page = elin.post(
        door.action, data=dict(door.form_values()) | {"name": "Elin", "passphrase": "fyra ord utan samband"}
    )
    (csrf,) = _tree(page).xpath("(//input[@name='csrf']/@value)[1]")
    assert elin.post(f"/share/{share_id}/go-on", data={"csrf": csrf}).status_code == 404
    assert elin.post(f"/share/{share_id}/go-on", data={}).status_code in (400, 403)
    assert world.network.asked(asked.request_uri) == fetched


async def test_what_is_under_way_follows_a_request_that_was_fetched_anew(world: World) -> None:
    """The person presses "Fetch a new request" while the source still looks: the new one knows what it waits for."""
    waiter = Waiter(world, await Sharer.named(world), known_verifier(world))
    await waiter.signs_in()
    world.clock.move(minutes=10)
    form = _form(waiter.browser.get(f"/share/{waiter.share_id}"), "renew")
    again = waiter.browser.post(form.action, data=dict(form.form_values()))
    assert _share_of(again) != waiter.share_id
    assert 'id="on-its-way-1"' in again.text
    waiter.reviewed()
    world.clock.move(seconds=11)
    form = _form(waiter.home(), "arrived-go-on-1")
    assert form.action == f"/share/{_share_of(again)}/go-on"
