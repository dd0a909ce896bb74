"""Look-ups: kept as long as they say, fetched once for many, fetched anew before they run out."""

import asyncio
from datetime import timedelta

import httpx2
import pytest
from structlog.testing import capture_logs

from proofs.resolve import Unresolvable
from schemas.types import CREDENTIAL_TYPES
from service.http import OutgoingHTTP
from tests.world import World
from wallet.delivery import DeliveryState
from wallet.pages.share_words import fault_words
from wallet.pages.words import problem_words
from wallet.remote import MOST_KEPT, WalletResolver, WalletWeb
from wallet.remote_requests import RequestsOverHTTP
from wallet.requests import CouldNotFetch, MayNotFetch
from wallet.web import AddressRefused

pytestmark = pytest.mark.anyio

LIST = "https://university.example/status/1"


async def resolver_after_issuing(world: World) -> WalletResolver:
    """A resolver in a world where the university has published a status list."""
    await world.wallet.receive(await world.wallet.person(), world.university.offer()[0].offer)
    world.network.seen.clear()
    return WalletResolver(world.http(), clock=world.clock)


async def test_a_status_list_is_fetched_once_while_it_is_fresh(world: World) -> None:
    """Ten looks at once are one request, and so are further ones until the list's own time is over."""
    resolver = await resolver_after_issuing(world)

    tokens = await asyncio.gather(*(resolver.status_list(LIST, fresh_at=world.clock()) for _ in range(10)))
    world.clock.move(seconds=290)
    await resolver.status_list(LIST, fresh_at=world.clock())
    assert len(set(tokens)) == 1
    assert world.network.asked("/status/1") == 1
    world.clock.move(seconds=20)
    await resolver.status_list(LIST, fresh_at=world.clock())

    assert world.network.asked("/status/1") == 2


async def test_a_status_list_may_have_moved(world: World) -> None:
    """Where an issuer's list lies elsewhere, its redirect is followed (Token Status List, 8.1)."""
    resolver = await resolver_after_issuing(world)

    def moved(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path != "/old-status/1":
            return None
        return httpx2.Response(302, headers={"location": LIST}, request=request)

    with world.network.answering(moved):
        token = await resolver.status_list("https://university.example/old-status/1", fresh_at=world.clock())

    assert token == await resolver.status_list(LIST, fresh_at=world.clock())


async def test_lists_in_use_are_fetched_before_they_run_out(world: World) -> None:
    """On a schedule, so that the moment of a look-up tells the issuer nothing."""
    resolver = await resolver_after_issuing(world)
    await resolver.status_list(LIST, fresh_at=world.clock())

    await resolver.prefetch(ahead_seconds=60)
    assert world.network.asked("/status/1") == 1
    world.clock.move(seconds=250)
    await resolver.prefetch(ahead_seconds=60)

    assert world.network.asked("/status/1") == 2


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(404),
        httpx2.Response(200, text="no token"),
        httpx2.Response(200, content=b"\xff"),
        httpx2.Response(200, content=b"a" * 9_000_000),
        httpx2.Response(302, headers={"location": "https://elsewhere.example/"}),
    ],
)
async def test_what_is_no_list_could_not_be_had(world: World, answer: httpx2.Response) -> None:
    """Whatever comes instead of a list, the answer is "could not be checked", and nothing of it is kept."""
    resolver = await resolver_after_issuing(world)
    with world.network.answering(lambda _: answer), pytest.raises(Unresolvable):
        await resolver.status_list(LIST, fresh_at=world.clock())

    assert await resolver.status_list(LIST, fresh_at=world.clock())


async def test_one_who_stops_waiting_does_not_take_the_answer_from_others(world: World) -> None:
    """A page that is closed while a list is fetched does not disturb another one that waits for the same."""
    resolver = await resolver_after_issuing(world)
    first = asyncio.ensure_future(resolver.status_list(LIST, fresh_at=world.clock()))
    second = asyncio.ensure_future(resolver.status_list(LIST, fresh_at=world.clock()))
    await asyncio.sleep(0)
    first.cancel()

    assert (await second).count(".") == 2
    assert world.network.asked("/status/1") == 1


async def test_the_cache_is_bounded(world: World) -> None:
    """Somebody with many addresses cannot fill the memory."""
    resolver = WalletResolver(world.http(), clock=world.clock)
    with world.network.answering(lambda _: httpx2.Response(200, content=b"{}")):
        for number in range(MOST_KEPT + 20):
            await resolver.issuer_metadata(f"https://host{number}.example")

    assert len(resolver._documents._kept) == MOST_KEPT


async def test_bundled_types_are_never_asked_for(world: World) -> None:
    """The types that are known here come with the software; other names that are no addresses have no document."""
    resolver = WalletResolver(world.http(), clock=world.clock)
    for known in CREDENTIAL_TYPES.values():
        assert await resolver.type_metadata(known.vct) == known.type_metadata_bytes()
    assert await resolver.type_metadata("urn:somebody:else") is None
    assert world.network.seen == []


@pytest.mark.parametrize("url", ["http://university.example/", "https://10.0.0.3/", "http://localhost:1/"])
async def test_an_address_that_this_wallet_does_not_ask_is_told_as_such(url: str) -> None:
    """Nobody waits and tries again for an address that will never be asked."""
    with capture_logs() as logs, pytest.raises(AddressRefused) as refused:
        await WalletWeb(OutgoingHTTP()).get(url, accept="application/json", languages="sv", max_bytes=1_000)

    assert refused.value.reason == "address_refused"
    assert "WALLET_ALLOW_LOOPBACK" in str(logs), "whoever runs the wallet reads how it is lifted"
    assert url not in str(logs)
    assert "WALLET" not in problem_words(refused.value.reason).advice, "and the person does not"
    assert "may not ask" in problem_words(refused.value.reason).title


@pytest.mark.parametrize("url", ["http://employer.example/", "https://10.0.0.3/", "http://localhost:1/"])
async def test_a_request_at_such_an_address_is_told_as_such(url: str) -> None:
    """The same for requests, by both methods, and for the answer: it certainly did not leave."""
    web = RequestsOverHTTP(OutgoingHTTP(), allow_loopback=False)
    for asking in (web.get_request(url), web.post_request(url, {})):
        with capture_logs() as logs, pytest.raises(MayNotFetch) as refused:
            await asking
        assert "WALLET_ALLOW_LOOPBACK" in str(logs)
        assert fault_words(refused.value.error).title == "This wallet may not ask that address"

    delivery = await web.post_answer(url, {})

    assert (delivery.state, delivery.reason) == (DeliveryState.NOT_DELIVERED, "address_refused")


async def test_a_new_process_asks_no_list_that_was_read_minutes_ago(world: World) -> None:
    """Each command at the terminal is a process of its own: it asks when the bound is over, and no later than a list
    can be expected to be kept."""
    resolver = WalletResolver(world.http(), clock=world.clock)
    read_at = world.clock()
    uri = "https://university.example/status/1"

    def has_news(at_most: timedelta) -> bool:
        return resolver.has_news(uri, since=read_at, at_most=at_most)

    assert not has_news(timedelta(seconds=60))
    world.clock.move(minutes=4)
    assert has_news(timedelta(seconds=60))
    assert not has_news(timedelta(days=1))
    world.clock.move(minutes=2)
    assert has_news(timedelta(days=1))


@pytest.mark.parametrize("spoken", ["https", "http"])
async def test_the_did_web_of_this_machine_is_had_by_whichever_is_spoken_there(world: World, spoken: str) -> None:
    """With a certificate of a test authority as without: the identifier does not say which."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.scheme != spoken:
            raise httpx2.ConnectError("another protocol", request=request)
        return httpx2.Response(200, content=b"{}", request=request)

    web = RequestsOverHTTP(OutgoingHTTP(allow_loopback=True, transport=world.network), allow_loopback=True)
    with world.network.answering(answer):
        assert await web.get_did_document("did:web:localhost%3A8443") == "{}"


async def test_a_did_web_elsewhere_is_never_asked_for_without_https(world: World) -> None:
    """Not even where this machine may be."""
    web = RequestsOverHTTP(OutgoingHTTP(allow_loopback=True, transport=world.network), allow_loopback=True)
    with pytest.raises(CouldNotFetch):
        await web.get_did_document("did:web:firm.example")
    assert [address for _, address in world.network.seen] == ["https://firm.example/.well-known/did.json"]
