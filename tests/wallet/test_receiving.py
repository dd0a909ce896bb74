"""Receiving from a real issuer: what is asked, what is kept, and how a stop in the middle is taken up again."""

import asyncio
import os
import socket
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from issuer.status import Status
from tests.world import World
from wallet import receiving
from wallet.collection import MovedOn, PartState, Stage
from wallet.ledger import EventKind
from wallet.links import read_arrival
from wallet.offers import OfferUnusable
from wallet.store.certificates import take_copy
from wallet.store.collections import HeldCollection, take_up
from wallet.store.ledger import read_history
from wallet.store.tables import CollectionRow
from wallet.vault import UnlockedVault
from wallet.web import Unreachable

pytestmark = pytest.mark.anyio


async def test_an_offer_becomes_a_certificate_with_one_time_copies(world: World) -> None:
    """A person collects what the university offers and holds it as ten copies of one certificate."""
    vault = await world.wallet.person()
    offer = world.university.offer()[0]

    certificate = await world.wallet.receive(vault, offer.offer)

    assert (certificate.issuer_trusted, certificate.status) == (True, "valid")
    assert (certificate.copies_left, certificate.copies_total) == (10, 10)
    assert certificate.claims["family_name"] == "Sjöberg"
    assert certificate.report.accepted


async def test_every_copy_is_kept_as_the_very_bytes_that_came(world: World) -> None:
    """What the issuer signed is never written anew: no member is sorted, and no character is another one."""
    vault = await world.wallet.person()
    came: list[str] = []

    def listen(request: httpx2.Request, answer: httpx2.Response) -> httpx2.Response:
        if request.url.path.endswith("/credential"):
            came.extend(one["credential"] for one in answer.json()["credentials"])
        return answer

    with world.network.changing(listen):
        certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)

    with world.wallet.deployment.database.transaction() as connection:
        kept = [take_copy(connection, vault, certificate.id).token for _ in came]
    assert len(came) == 10
    assert kept == came
    assert certificate.token == came[0]


@pytest.mark.parametrize("way", ["offer", "offer_https", "by_value", "uri"])
async def test_every_way_of_handing_over_an_offer_leads_to_the_same(world: World, way: str) -> None:
    """Link, page address and link by value all work; the bare address of the offer does not pretend to be a link."""
    vault = await world.wallet.person()
    link = getattr(world.university.offer()[0], way)
    if way == "uri":
        with pytest.raises(Exception, match="neither"):
            await world.wallet.receive(vault, link)
        return

    assert (await world.wallet.receive(vault, link)).issuer_trusted


async def test_a_typed_code_leads_to_the_offer(world: World) -> None:
    """The code of an offer with a transaction code can be typed, in small letters and with O for 0."""
    vault = await world.wallet.person()
    offer = world.university.offer(tx_code=True)[0]
    assert offer.typed is not None
    host, code = offer.typed.split("/")

    certificate = await world.wallet.receive(vault, f" {host}/{code.lower().replace('0', 'o')}", tx_code=offer.tx_code)

    assert certificate.copies_total == 10
    with pytest.raises(OfferUnusable) as unknown:
        await world.wallet.begin(vault, f"{host}/00000-00000")
    assert unknown.value.reason == "code_unknown"


async def test_nothing_is_asked_before_the_person_says_so(world: World) -> None:
    """Reading an offer asks for the offer and the metadata, and for no token."""
    vault = await world.wallet.person()
    link = world.university.offer()[0].offer
    read_arrival(link, allow_loopback=False)
    assert world.network.seen == []

    await world.wallet.begin(vault, link)

    assert [method for method, _ in world.network.seen] == ["GET"] * 4  # The metadata twice: as JSON, and signed.
    assert world.network.asked("/token") == 0


async def test_a_wrong_transaction_code_can_be_tried_again(world: World) -> None:
    """A mistyped code does not use the offer up."""
    vault = await world.wallet.person()
    offer = world.university.offer(tx_code=True)[0]
    collection_id = await world.wallet.begin(vault, offer.offer)
    assert offer.tx_code is not None

    first = await world.wallet.deployment.collect(vault, collection_id, tx_code="000000")
    assert (first.stage, first.problem, first.peer_error) == (Stage.OFFERED, "wrong_code", "invalid_grant")
    second = await world.wallet.deployment.collect(vault, collection_id, tx_code=offer.tx_code)

    assert second.stage is Stage.DONE


async def test_an_offer_is_used_once(world: World) -> None:
    """A second person with the same link gets nothing, in plain words."""
    maja, otto = await world.wallet.person("Maja"), await world.wallet.person("Otto")
    link = world.university.offer()[0].by_value
    late = await world.wallet.begin(otto, link)
    await world.wallet.receive(maja, link)

    collection = await world.wallet.deployment.collect(otto, late, tx_code=None)

    assert (collection.stage, collection.problem) == (Stage.FAILED, "offer_used")
    assert otto.certificates() == []


async def test_a_transcript_is_one_certificate_with_courses_one_by_one(world: World) -> None:
    """Three courses in one certificate, each of which could be left out."""
    vault = await world.wallet.person()

    certificate = await world.wallet.receive(vault, world.university.offer("course-results")[0].offer)

    assert len(certificate.claims["courses"]) == 3
    assert {("courses", 0), ("courses", 1), ("courses", 2)} <= set(certificate.sd_jwt.disclosure_at)


async def test_an_unknown_issuer_is_kept_only_when_the_person_wants_it(world: World) -> None:
    """What nobody vouches for waits for the person, and is shown as what it is."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    kept_id = await world.wallet.begin(vault, world.stranger.offer()[0].offer)
    dropped_id = await world.wallet.begin(vault, world.stranger.offer()[1].offer)
    for collection_id in (kept_id, dropped_id):
        asked = await wallet.collect(vault, collection_id, tx_code=None)
        assert asked.stage is Stage.QUESTION
    assert vault.certificates() == []

    kept = await wallet.answer(vault, kept_id, keep=True)
    dropped = await wallet.answer(vault, dropped_id, keep=False)

    assert (kept.stage, dropped.stage) == (Stage.DONE, Stage.FAILED)
    (certificate,) = vault.certificates()
    assert not certificate.issuer_trusted
    assert certificate.status == "valid"
    assert certificate.report.unknown == ["issuer_trusted"]


async def test_an_issuer_that_was_added_later_is_recognised(world: World) -> None:
    """A certificate of an unknown issuer becomes a trusted one when its issuer is listed."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id = await world.wallet.begin(vault, world.stranger.offer()[0].offer)
    await wallet.collect(vault, collection_id, tx_code=None)
    await wallet.answer(vault, collection_id, keep=True)

    world.wallet.trust(world.stranger.trust_entry)
    (certificate,) = vault.certificates()
    recognised = await wallet.check_again(vault, certificate)

    assert recognised.issuer_trusted
    assert recognised.report.accepted


async def asked_about_stranger(world: World, vault: UnlockedVault, *types: str) -> str:
    """A collection that waits for the person, since nobody vouches for its issuer."""
    collection_id = await world.wallet.begin(vault, world.stranger.offer(*types)[0].offer)
    asked = await world.wallet.deployment.collect(vault, collection_id, tx_code=None)
    assert asked.stage is Stage.QUESTION
    return collection_id


async def test_a_waiting_question_is_settled_when_its_issuer_is_trusted(world: World) -> None:
    """Collected again, taken up at sign-in or opened: what is recognised by now is stored without a question."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    again, at_sign_in, opened = [await asked_about_stranger(world, vault) for _ in range(3)]
    await wallet.resume(vault)
    assert (await wallet.opened(vault, opened)).stage is Stage.QUESTION

    world.wallet.trust(world.stranger.trust_entry)

    assert (await wallet.collect(vault, again, tx_code=None)).stage is Stage.DONE
    assert (await wallet.opened(vault, opened)).stage is Stage.DONE
    await wallet.resume(vault)
    assert wallet.collection(vault, at_sign_in).stage is Stage.DONE
    assert [one.issuer_trusted for one in vault.certificates()] == [True, True, True]


async def test_a_question_is_dropped_by_nobody_but_the_person(world: World) -> None:
    """Revoked meanwhile, it waits on: looking again takes nothing away, and stores nothing."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id = await asked_about_stranger(world, vault)
    context = world.stranger.context
    issued = [one.id for one in context.store.status.list_issued(limit=10)]
    context.store.status.change(issued, Status.REVOKED, publishing=context.publishing, reason="", now=world.clock())
    world.clock.move(hours=13)
    world.wallet.trust(world.stranger.trust_entry)

    assert (await wallet.opened(vault, collection_id)).stage is Stage.QUESTION
    assert vault.certificates() == []


async def test_a_question_that_is_worked_on_elsewhere_can_be_opened(world: World) -> None:
    """Another window holds it: it is shown as it stands."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id = await asked_about_stranger(world, vault)
    world.wallet.trust(world.stranger.trust_entry)
    held = take_up(wallet.database, vault, collection_id, now=world.clock())

    assert (await wallet.opened(vault, collection_id)).stage is Stage.QUESTION

    held.let_go()
    assert (await wallet.opened(vault, collection_id)).stage is Stage.DONE


async def test_status_is_told_honestly(world: World) -> None:
    """Revoked reads revoked, an unreachable list reads unknown, and never valid."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)
    assert certificate.status == "valid"
    context = world.university.context
    (issued,) = context.store.status.list_issued(limit=10)

    world.clock.move(hours=13)
    path = httpx2.URL(certificate.status_uri or "").path
    with world.network.cut_before(path):
        certificate = await wallet.check_again(vault, certificate)
    assert (certificate.status, certificate.report.unknown) == ("unknown", ["status"])
    assert certificate.issuer_trusted

    context.store.status.change(
        [issued.id], Status.REVOKED, publishing=context.publishing, reason="", now=world.clock()
    )
    certificate = await wallet.check_again(vault, certificate)
    assert (certificate.status, certificate.report.failed) == ("revoked", ["status"])
    assert certificate.issuer_trusted


async def test_a_list_that_cannot_be_reached_does_not_keep_a_certificate_out(world: World) -> None:
    """A certificate whose status cannot be asked on arrival is stored with an unknown status."""
    vault = await world.wallet.person()
    with world.network.cut_before("/status/1"):
        certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)

    assert certificate.status == "unknown"
    assert certificate.issuer_trusted
    assert certificate.issuer_name


async def test_what_is_received_stands_in_the_history(world: World) -> None:
    """The history says what was received and what could not be, by name and without values."""
    vault = await world.wallet.person()
    link = world.university.offer()[0].by_value
    certificate = await world.wallet.receive(vault, link)
    again = await world.wallet.collect(vault, link)
    assert again.stage is Stage.FAILED

    with world.wallet.deployment.database.reading() as connection:
        history = read_history(connection, vault)

    assert [event.kind for event in history.events] == [EventKind.RECEIVED, EventKind.NOT_RECEIVED]
    assert "Sjöberg" not in str([event.facts for event in history.events])
    assert history.events[0].entry_id == certificate.id


# --- stops in the middle ----------------------------------------------------------------------------------------------


class _Crash(BaseException):
    """The process dies here. Not an Exception, so that nothing can catch it as one."""


class _Dying:
    """A keeper that dies right before or after the given write."""

    def __init__(self, held: HeldCollection, *, at: int, after: bool) -> None:
        self._held, self._at, self._after, self.writes = held, at, after, 0

    def _count(self, *, after: bool) -> None:
        if not after:
            self.writes += 1
        if self.writes == self._at and after is self._after:
            raise _Crash

    def save(self, collection: Any) -> None:
        self._count(after=False)
        self._held.save(collection)
        self._count(after=True)

    def store(self, collection: Any, part: Any, certificate: Any) -> Any:
        self._count(after=False)
        stored = self._held.store(collection, part, certificate)
        self._count(after=True)
        return stored


async def _collect_until_death(world: World, vault: UnlockedVault, collection_id: str, *, at: int, after: bool) -> bool:
    """Collect until the given write; True when the process died there."""
    wallet = world.wallet.deployment
    held = take_up(wallet.database, vault, collection_id, now=world.clock())
    collection = receiving.agreed(held.collection, tx_code=None, batch_limit=3)
    keeper = _Dying(held, at=at, after=after)
    try:
        await receiving.collect(
            collection,
            web=wallet.web,
            provider=wallet.provider,
            keeper=keeper,
            examine=wallet._examine,
            clock=wallet.clock,
        )
    except _Crash:
        # A dead process lets go of nothing; its lease ends by itself.
        world.clock.move(seconds=61)
        return True
    held.let_go()
    return False


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
async def test_a_crash_at_any_write_is_taken_up_again(world: World, at: int, after: bool) -> None:
    """Whenever the wallet dies, the person ends with exactly one certificate, or is told to ask for a new offer.

    The issuer never gives two status slots for one copy: the same keys prove again.
    """
    vault = await world.wallet.person()
    offer = world.university.make_offers()[0]
    link = world.university.context.links_of(offer).offer
    collection_id = await world.wallet.begin(vault, link)
    died = await _collect_until_death(world, vault, collection_id, at=at, after=after)
    assert died

    elsewhere = world.wallet_at("wallet.example", world.wallet.settings.data).deployment
    reopened = await elsewhere.unlock("Maja", "fyra ord utan samband")
    if collection_id in elsewhere.collections(reopened):
        collection = await elsewhere.collect(reopened, collection_id, tx_code=None)
    await elsewhere.resume(reopened)

    lost_with_the_answer = at == 2 and not after
    if lost_with_the_answer:
        assert (collection.stage, collection.problem) == (Stage.FAILED, "answer_lost")
        assert reopened.certificates() == []
        again = world.university.context.store.offers.offer_again(offer.id, now=world.clock())
        await world.wallet.receive(reopened, world.university.context.links_of(again).offer)
    certificates = reopened.certificates()
    assert len(certificates) == 1
    issued = world.university.context.store.status.list_issued(limit=10)
    assert sum(one.copies for one in issued) == certificates[0].copies_total


async def test_an_answer_lost_on_the_way_costs_nothing(world: World) -> None:
    """The certificates' answer is lost: the same keys are proven again and meet the same slots."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id = await world.wallet.begin(vault, world.university.offer()[0].offer)
    with world.network.lose_answer("/credential"):
        stopped = await wallet.collect(vault, collection_id, tx_code=None)
    assert (stopped.stage, stopped.problem) == (Stage.COLLECTING, "unreachable")

    done = await wallet.collect(vault, collection_id, tx_code=None)

    assert done.stage is Stage.DONE
    (issued,) = world.university.context.store.status.list_issued(limit=10)
    assert issued.copies == 10


async def test_a_lost_token_says_to_ask_for_a_new_offer(world: World) -> None:
    """The token's answer is lost and the code is spent: the person is told what happened and what to do."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id = await world.wallet.begin(vault, world.university.offer()[0].offer)
    with world.network.lose_answer("/token"):
        stopped = await wallet.collect(vault, collection_id, tx_code=None)
    assert (stopped.stage, stopped.problem) == (Stage.ASKING, "unreachable")

    await wallet.resume(vault)

    told = wallet.collection(vault, collection_id)
    assert (told.stage, told.problem) == (Stage.FAILED, "answer_lost")


async def test_a_request_that_never_arrived_is_simply_repeated(world: World) -> None:
    """Without a connection nothing is lost."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id = await world.wallet.begin(vault, world.university.offer()[0].offer)
    for path in ("/token", "/nonce", "/credential"):
        with world.network.cut_before(path):
            stopped = await wallet.collect(vault, collection_id, tx_code=None)
        assert stopped.problem == "unreachable"

    assert (await wallet.collect(vault, collection_id, tx_code=None)).stage is Stage.DONE


async def test_too_late_is_said(world: World) -> None:
    """When the collection window has closed and nothing can open it again, the person has to ask for a new offer."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    never = world.issuer("once.example", refresh_token_days=0)
    collection_id = await world.wallet.begin(vault, never.offer()[0].offer)
    with world.network.cut_before("/credential"):
        await wallet.collect(vault, collection_id, tx_code=None)
    world.clock.move(minutes=6)

    late = await wallet.collect(vault, collection_id, tx_code=None)

    assert (late.stage, late.problem) == (Stage.FAILED, "too_late")


async def test_a_closed_window_is_opened_again_with_the_refresh_token(world: World) -> None:
    """The person comes back after days; the same keys meet the same certificate."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id = await world.wallet.begin(vault, world.university.offer()[0].offer)
    with world.network.cut_before("/credential"):
        await wallet.collect(vault, collection_id, tx_code=None)
    world.clock.move(days=3)

    late = await wallet.collect(vault, collection_id, tx_code=None)

    assert late.stage is Stage.DONE
    (issued,) = world.university.context.store.status.list_issued(limit=10)
    assert issued.copies == 10


async def test_two_windows_do_not_collect_the_same_at_once(world: World) -> None:
    """While one process works on a collection another one is told to wait; together they store one certificate."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    other = world.wallet_at("wallet.example", world.wallet.settings.data).deployment
    collection_id = await world.wallet.begin(vault, world.university.offer()[0].offer)

    outcomes = await asyncio.gather(
        wallet.collect(vault, collection_id, tx_code=None),
        other.collect(vault, collection_id, tx_code=None),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, MovedOn) for outcome in outcomes) == 1
    assert len(vault.certificates()) == 1


async def test_a_writer_whose_lease_was_taken_over_writes_nothing(world: World) -> None:
    """A process that slept past its lease cannot overwrite what another one did."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id = await world.wallet.begin(vault, world.university.offer()[0].offer)
    asleep = take_up(wallet.database, vault, collection_id, now=world.clock())
    world.clock.move(seconds=61)
    await wallet.collect(vault, collection_id, tx_code=None)

    with pytest.raises(MovedOn):
        asleep.save(receiving.agreed(asleep.collection, tx_code=None, batch_limit=1))
    assert len(vault.certificates()) == 1


async def test_finished_collections_keep_no_secret_and_are_put_away(world: World) -> None:
    """After the end neither token nor keys are kept with the collection, and the next opening forgets it."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    done = await world.wallet.collect(vault, world.university.offer()[0].offer)
    assert done.access_token is None
    assert all(part.keys == () and part.received == () for part in done.parts)
    assert all(part.state is PartState.STORED for part in done.parts)

    await wallet.resume(vault)

    assert wallet.collections(vault) == {}


async def test_an_unreachable_issuer_is_said_before_anything_is_kept(world: World) -> None:
    """A link to nowhere leaves nothing behind."""
    vault = await world.wallet.person()
    with pytest.raises(Unreachable):
        await world.wallet.begin(
            vault, "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fnowhere.example%2Fo"
        )

    assert world.wallet.deployment.collections(vault) == {}


@pytest.mark.parametrize(("pid", "life", "is_free"), [("own", "earlier", True), ("parent", "earlier", False)])
async def test_a_lease_of_an_earlier_life_with_the_same_number_is_over(
    world: World, pid: str, life: str, is_free: bool
) -> None:
    """In a container every life of the wallet is process 1: nobody waits a minute for what died. Others do."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id = await world.wallet.begin(vault, world.university.offer()[0].offer)
    number = os.getpid() if pid == "own" else os.getppid()
    lease = f"{socket.gethostname()}|{number}|{life}.1"
    with wallet.database.transaction() as connection:
        until = int(world.clock().timestamp()) + 60
        connection.execute(update(CollectionRow).values(lease=lease, leased_until=until))

    if is_free:
        await wallet.collect(vault, collection_id, tx_code=None)
        assert len(vault.certificates()) == 1
    else:
        with pytest.raises(MovedOn):
            await wallet.collect(vault, collection_id, tx_code=None)
