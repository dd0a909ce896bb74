"""Looking things up: kept, fetched once, refreshed ahead of time, never stale."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from proofs.resolve import Unresolvable
from service.http import HostRouter, OutgoingHTTP
from tests.verifier.scene import LIST_URL, MICRO, Scene
from verifier.app import client_identity, open_database
from verifier.exchange import Verifier
from verifier.remote import FAILURE_SECONDS, RemoteResolver


class Network:
    """An issuer's addresses, with a count of how often each was asked."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.asked: Counter[str] = Counter()
        self.down = False
        self.body: bytes | None = None
        app = Starlette(routes=[Route("/{rest:path}", self._serve)])
        self.http = OutgoingHTTP(transport=HostRouter({"university.example": app}))
        self.watched: list[str] = []
        self.resolver = RemoteResolver(
            self.http, clock=scene.clock, max_status_age_seconds=3600, on_new_list=self._watch
        )

    async def _watch(self, uri: str) -> None:
        self.watched.append(uri)

    async def _serve(self, request: Request) -> Response:
        self.asked[request.url.path] += 1
        if self.down:
            return Response(status_code=503)
        if self.body is not None:
            return Response(self.body)
        return Response(self.scene.lists.get(str(request.url), "{}"))

    def status_list(self) -> str:
        """Ask for the list now."""
        return asyncio.run(self.resolver.status_list(LIST_URL, fresh_at=self.scene.now))


@pytest.fixture
def network(scene: Scene) -> Network:
    """The network of a scene."""
    return Network(scene)


def test_a_status_list_is_kept_for_its_time_to_live(scene: Scene, network: Network) -> None:
    """300 seconds, as its token says; then it is asked again."""
    first = network.status_list()
    scene.pass_time(seconds=299)
    assert network.status_list() is first
    assert network.asked["/status/1"] == 1

    scene.pass_time(seconds=2)
    assert network.status_list() != first
    assert network.asked["/status/1"] == 2
    assert network.watched == [LIST_URL]


def test_many_who_ask_at_once_cause_one_fetch(scene: Scene, network: Network) -> None:
    """No stampede towards the issuer (T-06)."""

    async def ask() -> set[str]:
        every = [network.resolver.status_list(LIST_URL, fresh_at=scene.now) for _ in range(50)]
        return set(await asyncio.gather(*every))

    assert len(asyncio.run(ask())) == 1
    assert network.asked["/status/1"] == 1


def test_an_unreachable_list_is_not_asked_again_at_once(scene: Scene, network: Network) -> None:
    """A failure is remembered for seconds, and nothing stale is served."""
    network.status_list()
    network.down = True
    scene.pass_time(seconds=301)
    for _ in range(5):
        with pytest.raises(Unresolvable):
            network.status_list()
    assert network.asked["/status/1"] == 2

    network.down = False
    scene.pass_time(seconds=FAILURE_SECONDS + 1)
    assert network.status_list()


def test_lists_are_fetched_before_they_are_stale(scene: Scene, network: Network) -> None:
    """A refresh ahead of time; a failing one leaves what is there."""
    first = network.status_list()
    scene.pass_time(seconds=250)
    network.down = True
    later = scene.now.replace(minute=6)
    assert not asyncio.run(network.resolver.refresh_status_list(LIST_URL, before=later))
    assert network.status_list() is first

    network.down = False
    assert asyncio.run(network.resolver.refresh_status_list(LIST_URL, before=later))
    assert network.status_list() != first
    assert network.asked["/status/1"] == 3


def test_a_list_in_use_is_fetched_often(scene: Scene, network: Network) -> None:
    """Five seconds after it was fetched, on a schedule; no longer ten minutes after it was last needed."""
    first = network.status_list()
    asyncio.run(network.resolver.refresh_recent())
    assert network.asked["/status/1"] == 1
    scene.pass_time(seconds=5)
    asyncio.run(network.resolver.refresh_recent())
    assert network.asked["/status/1"] == 2
    assert network.status_list() != first

    scene.pass_time(seconds=601)
    asyncio.run(network.resolver.refresh_recent())
    scene.pass_time(seconds=60)
    asyncio.run(network.resolver.refresh_recent())
    assert network.asked["/status/1"] == 2


def test_random_addresses_do_not_fill_the_memory(scene: Scene, network: Network) -> None:
    """A bound on what is kept (V-16)."""

    async def ask() -> None:
        for number in range(2_100):
            await network.resolver.issuer_metadata(f"https://university.example/{number}")

    asyncio.run(ask())

    assert len(network.resolver._kept) <= 2_000


def test_v16_metadata_is_asked_once_in_ten_minutes(scene: Scene, network: Network) -> None:
    """An unknown key id cannot make us ask an issuer without end; a removed key stops verifying soon."""
    for _ in range(20):
        asyncio.run(network.resolver.issuer_metadata("https://university.example"))
    assert sum(network.asked.values()) == 1
    assert "/.well-known/jwt-vc-issuer" in network.asked

    scene.pass_time(seconds=601)
    asyncio.run(network.resolver.issuer_metadata("https://university.example"))
    assert sum(network.asked.values()) == 2


def test_our_own_types_are_never_fetched(network: Network) -> None:
    """Their metadata comes with the software; another type's name that is no address has none."""
    assert asyncio.run(network.resolver.type_metadata(MICRO.vct)) == MICRO.type_metadata_bytes()
    assert asyncio.run(network.resolver.type_metadata("urn:other")) is None
    assert not network.asked


@pytest.mark.parametrize("body", [b"", b"not a token", b"\xff\xfe", b"a.b.c"])
def test_a_list_that_is_none_is_not_kept_for_long(scene: Scene, network: Network, body: bytes) -> None:
    """Whatever comes is handed to the check, which says what is wrong with it."""
    network.body = body
    for _ in range(3):
        try:
            network.status_list()
        except Unresolvable:
            assert body == b"\xff\xfe"
    assert network.asked["/status/1"] == 1
    network.body = None
    scene.pass_time(seconds=FAILURE_SECONDS + 1)
    assert network.status_list() == scene.lists[LIST_URL]


def test_watched_lists_survive_a_restart(tmp_path: Path) -> None:
    """A new process fetches the lists of the last week before anybody shows a certificate."""
    scene = Scene(tmp_path)
    network = Network(scene)

    def process() -> Verifier:
        return Verifier(
            scene.settings,
            database=open_database(scene.settings),
            identity=client_identity(scene.settings, clock=scene.clock),
            clock=scene.clock,
            http=network.http,
        )

    scene.verifier = process()
    assert scene.answer(scene.ask()).status == 200
    asyncio.run(process().refresh_status_lists(ahead_seconds=90))

    assert network.asked["/status/1"] == 2
