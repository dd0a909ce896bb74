"""Many offers at once: all of them or none that can be collected, and wallets get their turn meanwhile."""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import pytest

from issuer import bulk
from issuer.bulk import OffersNotMade, make_offers
from issuer.earlier import earlier_offers
from issuer.offers import Offer, OfferDraft, OfferedMeanwhile, OfferState, draft_offer
from schemas.types import CREDENTIAL_TYPES
from service.commands import patiently
from service.database import Busy, StorageUnavailable
from tests.issuer.desk import NOON, Desk, achievement

T = TypeVar("T")


def drafts(count: int) -> list[OfferDraft]:
    one = draft_offer(CREDENTIAL_TYPES["micro-credential"], [achievement()], with_tx_code=True)
    return [replace(one, recipient=f"Person {number}", result_ids=(f"r{number}",)) for number in range(count)]


def at_once(work: Callable[[], T]) -> T:
    """Without patience."""
    return work()


class FailingBook:
    """A real store whose disk fails from a batch on, for writing offers and, when asked, for voiding them."""

    def __init__(self, desk: Desk, *, good_batches: int, error: BaseException, voids: bool = True) -> None:
        self._offers = desk.context.store.offers
        self._good = good_batches
        self._error = error
        self._voids = voids

    def create(
        self,
        drafts: Sequence[OfferDraft],
        *,
        now: datetime,
        once: str = "",
        unless: Callable[[Sequence[Offer]], bool] | None = None,
    ) -> list[Offer]:
        self._good -= 1
        if self._good < 0:
            raise self._error
        return self._offers.create(drafts, now=now, once=once, unless=unless)

    def to_recipients(self, recipients: Collection[str], *, now: datetime) -> list[Offer]:
        return self._offers.to_recipients(recipients, now=now)

    def void_each(self, offer_ids: Sequence[str], *, now: datetime) -> int:
        if not self._voids:
            raise self._error
        return self._offers.void_each(offer_ids, now=now)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of two."""
    monkeypatch.setattr(bulk, "OFFERS_AT_ONCE", 2)


def states(desk: Desk) -> list[OfferState]:
    return [offer.state for offer in desk.context.store.offers.list_offers(now=NOON)]


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.usefixtures("small_batches")
def test_offers_made_in_batches_are_those_that_are_kept(desk: Desk, count: int) -> None:
    """In the order of the drafts, each as it is read afterwards, with one event each and a rest between batches."""
    store, rests = desk.context.store, list[float]()
    before = store.events.counter()
    made = make_offers(store.offers, drafts(count), now=NOON, patiently=at_once, rest=rests.append)
    assert [offer.recipient for offer in made] == [f"Person {number}" for number in range(count)]
    assert made == [store.offers.get(offer.id, now=NOON) for offer in made]
    assert made == list(reversed(store.offers.list_offers(now=NOON)))
    assert [event.subject_id for event in store.events.since(before)] == [offer.id for offer in made]
    assert len(rests) == max(0, (count - 1) // 2)


@pytest.mark.parametrize("error", [Busy(), StorageUnavailable()])
@pytest.mark.usefixtures("small_batches")
def test_a_run_that_fails_leaves_nothing_to_collect(desk: Desk, error: Exception) -> None:
    """The offers of earlier batches are void, and the person reads that none was made."""
    book = FailingBook(desk, good_batches=2, error=error)
    with pytest.raises(OffersNotMade, match="None of the 5 offers was made"):
        make_offers(book, drafts(5), now=NOON, patiently=at_once, rest=lambda _: None)
    assert states(desk) == [OfferState.VOIDED] * 4
    (voided, *_) = desk.context.store.offers.list_offers(now=NOON)
    assert desk.ask_token(voided, tx_code=desk.tx_code_of(voided)).json()["error"] == "invalid_grant"


@pytest.mark.usefixtures("small_batches")
def test_a_run_that_somebody_stops_leaves_nothing_to_collect(desk: Desk) -> None:
    """Control-C at a terminal."""
    book = FailingBook(desk, good_batches=1, error=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        make_offers(book, drafts(5), now=NOON, patiently=at_once, rest=lambda _: None)
    assert states(desk) == [OfferState.VOIDED] * 2


@pytest.mark.usefixtures("small_batches")
def test_offers_that_cannot_be_made_void_either_are_told(desk: Desk) -> None:
    """A full disk: how many were left, and that nobody has their codes."""
    book = FailingBook(desk, good_batches=1, error=StorageUnavailable(), voids=False)
    with pytest.raises(OffersNotMade, match="after 2 of 5 offers, and 2 of them could not be made void"):
        make_offers(book, drafts(5), now=NOON, patiently=at_once, rest=lambda _: None)


def test_what_was_collected_or_made_void_before_stays_as_it_is(desk: Desk) -> None:
    """Only open offers become void."""
    collected, opened = desk.offer(), desk.offer()
    desk.collect(collected)
    assert desk.context.store.offers.void_each([collected.id, opened.id, "unknown"], now=NOON) == 1
    assert (desk.state_of(collected), desk.state_of(opened)) == ("collected", "voided")


def test_a_form_makes_its_offers_once_however_many_they_are(desk: Desk, small_batches: None) -> None:
    """The second time nothing is made, and it is not taken for somebody else's."""
    store = desk.context.store
    for expected in (5, 0):
        made = make_offers(
            store.offers, drafts(5), now=NOON, patiently=at_once, rest=lambda _: None, once="form", known=0
        )
        assert len(made) == expected
    assert states(desk) == [OfferState.OFFERED] * 5


def test_what_somebody_else_offers_between_two_batches_leaves_nothing(desk: Desk, small_batches: None) -> None:
    """Two members of staff choose some of the same results at once: the second of them makes nothing."""
    store, rests = desk.context.store, list[float]()

    def other_window(seconds: float) -> None:
        rests.append(seconds)
        if len(rests) == 2:
            store.offers.create(drafts(5)[4:], now=NOON)

    with pytest.raises(OfferedMeanwhile):
        make_offers(store.offers, drafts(5), now=NOON, patiently=at_once, rest=other_window, once="form", known=0)

    assert sorted(states(desk)) == sorted([OfferState.VOIDED] * 4 + [OfferState.OFFERED])


def test_more_than_the_page_told_of_makes_nothing_and_as_many_do(desk: Desk, small_batches: None) -> None:
    """The person saw one earlier offer: that one is no news, and neither are the run's own of the same certificate."""
    store = desk.context.store
    store.offers.create(drafts(1), now=NOON)
    same_twice = [*drafts(4), *drafts(1)]
    with pytest.raises(OfferedMeanwhile):
        make_offers(store.offers, drafts(4), now=NOON, patiently=at_once, rest=lambda _: None, known=0)
    known = earlier_offers(store.offers, {one.recipient for one in same_twice}, now=NOON).count_of(same_twice)

    made = make_offers(store.offers, same_twice, now=NOON, patiently=at_once, rest=lambda _: None, known=known)

    assert len(made) == 5


def test_wallets_get_their_turn_while_thousands_of_offers_are_made(desk: Desk) -> None:
    """Another writer never waits for longer than a wallet does before it is turned away (250 ms)."""
    store, ended, turns = desk.context.store, threading.Event(), list[int]()
    turned_away: list[Busy] = []

    def write() -> None:
        try:
            while not ended.is_set():
                store.grants.sweep(now=NOON)
                turns.append(1)
                time.sleep(0.001)
        except Busy as exc:
            turned_away.append(exc)

    other = threading.Thread(target=write)
    other.start()
    try:
        made = make_offers(store.offers, drafts(2_000), now=NOON, patiently=patiently, rest=time.sleep)
    finally:
        ended.set()
        other.join()
    assert (len(made), turned_away) == (2_000, [])
    assert turns
