"""Looking things up: kept, fetched once, refreshed ahead of time, never stale."""

import asyncio
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from proofs import strict_json
from proofs.keys import SoftwareSigner, generate_signer
from proofs.resolve import DictResolver, HurriedResolver, Unresolvable
from proofs.trust import TrustEntry
from service.http import HostRouter, OutgoingHTTP
from tests.leaping_loop import LeapingLoop
from tests.verifier.scene import LIST_URL, MICRO, MICRO_CLAIMS, START, Issuer, Scene
from verifier import remote
from verifier.app import client_identity, open_database
from verifier.exchange import Verifier
from verifier.remote import FAILURE_SECONDS, RemoteResolver
from verifier.verification import Verdict


class Network:
    """An issuer's addresses, with a count of how often each was asked."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.asked: Counter[str] = Counter()
        self.down = False
        self.hanging: set[str] = set()
        self.hangs = self.always_unchanged = False
        self.tag, self.unchanged = "", 0
        self.body: bytes | None = None
        self.moved: dict[str, str] = {}
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
        if self.hangs or request.url.path in self.hanging:
            await asyncio.sleep(3600)
        if self.down:
            return Response(status_code=503)
        if request.url.path in self.moved:
            return RedirectResponse(self.moved[request.url.path])
        if self.always_unchanged or (self.tag and request.headers.get("if-none-match") == self.tag):
            self.unchanged += 1
            return Response(status_code=304)
        if self.body is not None:
            return Response(self.body)
        headers = {"ETag": self.tag} if self.tag else {}
        return Response(self.scene.lists.get(str(request.url), "{}"), headers=headers)

    def status_list(self, uri: str = LIST_URL) -> str:
        """Ask for the list now."""
        return asyncio.run(self.resolver.status_list(uri, fresh_at=self.scene.now))


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


def test_a_status_list_may_have_moved(scene: Scene, network: Network) -> None:
    """Lists are large and lie where many can fetch them: clients should follow (Token Status List, 8.1)."""
    network.moved = {"/status/1": "/lists/1"}
    scene.lists["https://university.example/lists/1"] = scene.lists[LIST_URL]

    assert network.status_list() == scene.lists[LIST_URL]


def test_an_issuers_keys_have_not_moved(network: Network) -> None:
    """Whose address names an issuer, that one speaks for it, and nobody to whom it points."""
    network.moved = {"/.well-known/jwt-vc-issuer": "/elsewhere"}

    with pytest.raises(Unresolvable):
        asyncio.run(network.resolver.issuer_metadata("https://university.example"))


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
    asyncio.run(network.resolver.note_use(LIST_URL))
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


def test_lists_in_use_are_renewed_when_a_request_is_opened(scene: Scene, network: Network) -> None:
    """What was revoked before somebody opened the request is known by the time of the answer, however quick it is."""

    async def story() -> None:
        resolver = network.resolver
        first = await resolver.status_list(LIST_URL, fresh_at=scene.now)
        await resolver.note_use(LIST_URL)
        resolver.renew_lists_in_use()
        assert await resolver.status_list(LIST_URL, fresh_at=scene.now) is first, "it was fetched this very second"

        scene.pass_time(seconds=2)
        resolver.renew_lists_in_use()
        resolver.renew_lists_in_use()  # Many who open requests at once cause one fetch.
        assert await resolver.status_list(LIST_URL, fresh_at=scene.now) == scene.lists[LIST_URL] != first
        assert network.asked["/status/1"] == 2

        scene.pass_time(seconds=2)
        network.down = True
        second = await resolver.status_list(LIST_URL, fresh_at=scene.now)
        resolver.renew_lists_in_use()
        assert await resolver.status_list(LIST_URL, fresh_at=scene.now) is second, "a failure leaves what may be used"
        assert network.asked["/status/1"] == 3

    asyncio.run(story())


def test_a_renewal_that_hangs_delays_answers_by_seconds_only(
    scene: Scene, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An issuer that never answers does not stop the verifier: the list that is there counts until it is stale."""
    monkeypatch.setattr(remote, "RENEWAL_WAIT_SECONDS", 0.05)

    async def story() -> None:
        resolver = network.resolver
        first = await resolver.status_list(LIST_URL, fresh_at=scene.now)
        await resolver.note_use(LIST_URL)
        scene.pass_time(seconds=2)
        network.hangs = True
        resolver.renew_lists_in_use()
        assert await resolver.status_list(LIST_URL, fresh_at=scene.now) is first
        await resolver.close()

    asyncio.run(story())


def test_only_so_many_lists_are_in_use(scene: Scene, network: Network) -> None:
    """Opening a request fetches a hundred lists at most: those that were needed last."""

    async def story() -> None:
        for number in range(remote.MAX_RECENT + 20):
            uri = f"https://university.example/lists/{number}"
            network.body = b"e30.e30.e30"
            await network.resolver.status_list(uri, fresh_at=scene.now)
            await network.resolver.note_use(uri)
            scene.pass_time(seconds=0.02)
        network.asked.clear()
        scene.pass_time(seconds=2)
        network.resolver.renew_lists_in_use()
        await asyncio.sleep(0.2)

    asyncio.run(story())
    assert set(network.asked) == {f"/lists/{number}" for number in range(20, remote.MAX_RECENT + 20)}


def test_while_a_request_is_open_lists_are_read_every_other_second(scene: Scene, network: Network) -> None:
    """Somebody may share a moment after a revocation: the list that is looked at then is seconds old."""

    async def story() -> None:
        resolver = network.resolver
        await resolver.status_list(LIST_URL, fresh_at=scene.now)
        await resolver.note_use(LIST_URL)
        resolver.renew_lists_in_use()
        for seconds, fetches in ((1, 1), (1, 2), (1, 2), (1, 3)):
            scene.pass_time(seconds=seconds)
            await resolver.refresh_recent()
            assert network.asked["/status/1"] == fetches
        assert resolver.read_at(LIST_URL) == scene.now

    asyncio.run(story())


def test_a_list_that_has_not_changed_is_not_sent_again(scene: Scene, network: Network) -> None:
    """The publisher's tag is sent along; only the time at which it was read is new."""
    network.tag = '"7"'

    async def story() -> None:
        first = await network.resolver.status_list(LIST_URL, fresh_at=scene.now)
        await network.resolver.note_use(LIST_URL)
        scene.now += timedelta(seconds=200)
        await network.resolver.refresh_recent()
        scene.now += timedelta(seconds=200)
        assert await network.resolver.status_list(LIST_URL, fresh_at=scene.now) is first
        assert (network.asked["/status/1"], network.unchanged) == (2, 1)

    asyncio.run(story())


@pytest.mark.parametrize("tag", ["å", '"å"', "no quotes", '"' + "x" * 300 + '"', '"a"\r\nX: y'])
def test_a_tag_that_cannot_be_sent_is_not_kept(scene: Scene, network: Network, tag: str) -> None:
    """An issuer, or a cache in front of it, cannot stop the renewal of lists with an odd header."""
    network.tag = '"7"'

    async def story() -> None:
        await network.resolver.status_list(LIST_URL, fresh_at=scene.now)
        kept = network.resolver._kept[LIST_URL]
        assert kept.tag == '"7"'
        assert not remote._TAG.fullmatch(tag)
        network.resolver._kept[LIST_URL] = replace(kept, tag=tag)
        with pytest.raises(Unresolvable) if not tag.isascii() else nullcontext():
            await network.resolver._fetch_list(LIST_URL)

    asyncio.run(story())


def test_an_issuer_that_hangs_holds_up_nobody_elses_list(
    scene: Scene, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one list does not come, the others are read at their pace."""
    monkeypatch.setattr(remote, "RENEWAL_WAIT_SECONDS", 0.05)

    async def story() -> None:
        resolver = network.resolver
        for uri in ("https://university.example/status/0", LIST_URL):
            network.body = b"e30.e30.e30"
            await resolver.status_list(uri, fresh_at=scene.now)
            await resolver.note_use(uri)
        network.hanging = {"/status/0"}
        for _ in range(3):
            scene.pass_time(seconds=100)
            await resolver.refresh_recent()
        assert network.asked["/status/1"] == 4
        assert network.asked["/status/0"] == 2
        await resolver.close()

    asyncio.run(story())


def test_an_answer_without_a_tag_that_claims_no_change_is_none(scene: Scene, network: Network) -> None:
    """304 to a question that named no tag says nothing about any list."""
    network.always_unchanged = True
    with pytest.raises(Unresolvable):
        network.status_list()


def test_random_addresses_do_not_fill_the_memory(scene: Scene, network: Network) -> None:
    """A bound on what is kept (V-16)."""

    async def ask() -> None:
        for number in range(2_100):
            await network.resolver.issuer_metadata(f"https://university.example/{number}")

    asyncio.run(ask())

    assert len(network.resolver._kept) <= 2_000


def test_large_lists_do_not_fill_the_memory(scene: Scene, network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is bounded in bytes as well; the newest stays."""
    monkeypatch.setattr(remote, "MAX_KEPT_BYTES", 10_000)
    network.body = b"a" * 3_000
    for number in range(20):
        network.status_list(f"https://university.example/{number}")

    assert len(network.resolver._kept) == 3
    network.status_list("https://university.example/19")
    assert network.asked["/19"] == 1
    assert network.resolver._kept_bytes == sum(kept.size_bytes for kept in network.resolver._kept.values())


def test_only_lists_of_accepted_answers_are_kept_fresh(scene: Scene, network: Network) -> None:
    """Whoever sends rubbish cannot make us fetch addresses of their choice again and again."""
    for _ in range(3):
        network.status_list()
    assert network.watched == []
    scene.pass_time(seconds=30)
    asyncio.run(network.resolver.refresh_recent())
    assert network.asked["/status/1"] == 1

    for _ in range(3):
        asyncio.run(network.resolver.note_use(LIST_URL))
    assert network.watched == [LIST_URL]
    scene.pass_time(days=1)
    asyncio.run(network.resolver.note_use(LIST_URL))
    assert network.watched == [LIST_URL, LIST_URL]


def test_look_ups_of_one_answer_take_some_seconds_in_all() -> None:
    """Addresses that never answer hold nothing up for long: it could not be found out."""

    class Slow(DictResolver):
        async def issuer_metadata(self, iss: str) -> bytes:
            await asyncio.Event().wait()  # for ever
            return b""

    async def look() -> float:
        look_ups = HurriedResolver(Slow(status_lists={LIST_URL: "kept"}), seconds=3.0)
        for _ in range(3):
            with pytest.raises(Unresolvable):
                await look_ups.issuer_metadata("https://slow.example")
        assert await look_ups.status_list(LIST_URL, fresh_at=START) == "kept"  # What is here needs no time.
        return asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        assert runner.run(look()) == pytest.approx(3.0), "three seconds for all of them, not for each"


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
    asyncio.run(process().judge.refresh_status_lists(ahead_seconds=90))

    assert network.asked["/status/1"] == 2


@pytest.mark.parametrize("by_address", [False, True])
def test_v16_an_issuer_that_changes_its_key_is_asked_again_once(tmp_path: Path, by_address: bool) -> None:
    """Keys kept for minutes must not make an honest certificate a forgery; a removed key stops at once then."""
    scene = Scene(tmp_path)
    network = Network(scene)
    scene.verifier = Verifier(
        scene.settings,
        database=open_database(scene.settings),
        identity=client_identity(scene.settings, clock=scene.clock),
        clock=scene.clock,
        http=network.http,
    )
    issuer = Issuer()
    entry = {
        "id": "by-metadata",
        "name": "Example University",
        "role": "issuer",
        "identifier": issuer.url,
        "mechanism": "metadata",
    }
    for known, _ in scene.verifier.trust.entries():
        scene.verifier.trust.remove(known.id)
    scene.verifier.trust.add_entry(TrustEntry.from_json(entry), now=scene.now)

    def publish(key: SoftwareSigner) -> None:
        issuer.signer = key
        keys = {"keys": [key.public_jwk]}
        found = {"jwks_uri": f"{issuer.url}/keys"} if by_address else {"jwks": keys}
        metadata = f"{issuer.url}/.well-known/jwt-vc-issuer"
        scene.lists[metadata] = strict_json.dumps({"issuer": issuer.url} | found).decode()
        scene.lists[f"{issuer.url}/keys"] = strict_json.dumps(keys).decode()
        scene.lists[LIST_URL] = issuer.status_token(now=scene.now)
        scene.certificate = issuer.issue(MICRO_CLAIMS, holder=scene.holder)

    def answered() -> Verdict | None:
        made = scene.ask()
        scene.answer(made)
        return scene.result(made).verdict

    publish(generate_signer())
    old = scene.certificate
    assert answered() is Verdict.ACCEPTED
    scene.now += timedelta(seconds=301)  # The list of before is stale, the keys are kept for longer.
    publish(generate_signer())
    new = scene.certificate
    assert answered() is Verdict.ACCEPTED
    asked = network.asked["/.well-known/jwt-vc-issuer"]
    assert asked == 2

    scene.certificate = old
    assert [answered() for _ in range(3)] == [Verdict.REJECTED] * 3
    assert network.asked["/.well-known/jwt-vc-issuer"] == asked
    scene.certificate = new
    assert answered() is Verdict.ACCEPTED
