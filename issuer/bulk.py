"""Many offers at once, made in batches: no batch holds the database so long that a wallet is turned away meanwhile.

Writing is for one at a time, and a wallet waits for it 250 ms at most. A batch of `OFFERS_AT_ONCE` is written in well
below 50 ms, whole or not at all, and between two batches whoever waits gets a turn. The codes are shown when all of
them are made; until then nobody has one. When a batch cannot be made, the offers of those before it are made void, so
that what a person sees is that the run failed, and nothing of it can be collected.

Only a process that is killed in between leaves offers behind that are open: they are listed, nobody has their codes,
and they expire or can be voided or offered again like any others.

What somebody else offers to the same people at the same moment is seen: `known` is how many earlier offers of the same
the person was told of, and every batch is written only when there are no more by then, those of this run aside.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol, TypeVar

from issuer.earlier import EarlierOffers, earlier_offers
from issuer.offers import Offer, OfferBook, OfferDraft
from schemas.errors import TemporarilyUnavailable

T = TypeVar("T")

OFFERS_AT_ONCE = 200
REST_SECONDS = 0.05


class Patiently(Protocol):
    """Does work of a store again and again while the database is busy (`service.commands.patiently`)."""

    def __call__(self, work: Callable[[], T], /) -> T:
        """Do the work."""
        ...


class OffersNotMade(TemporarilyUnavailable):
    """The database failed while offers were being made. The message says what became of those made before."""

    error = "offers_not_made"


def make_offers(
    book: OfferBook,
    drafts: Sequence[OfferDraft],
    *,
    now: datetime,
    patiently: Patiently,
    rest: Callable[[float], None],
    once: str = "",
    known: int | None = None,
) -> list[Offer]:
    """Make all of these offers, or leave none that can be collected. `rest` lets seconds pass (`time.sleep`).

    `once` names the form that asked for them: when it was used before, nothing is made and the list is empty. With
    `known`, nothing is made when there are more earlier offers of the same by now: `OfferedMeanwhile`.

    Raises `OffersNotMade` when the database fails; whatever else ends the run, the offers made before become void too.
    """
    made: list[Offer] = []
    before = None
    if known is not None:
        before = earlier_offers(book, {one.recipient for one in drafts}, now=now)
    try:
        for start in range(0, len(drafts), OFFERS_AT_ONCE):
            if start:
                rest(REST_SECONDS)
            batch = drafts[start : start + OFFERS_AT_ONCE]
            unless = None
            if before is not None:
                # Asked with the first batch, after the form: who sends one twice is told that and nothing else.
                is_news = not start and before.count_of(drafts) > (known or 0)
                unless = _has_grown(before, batch, ours=frozenset(one.id for one in made), is_news=is_news)
            form = "" if start else once
            written = patiently(lambda b=batch, f=form, u=unless: book.create(b, now=now, once=f, unless=u))  # type: ignore[misc]
            if batch and not written:
                break  # Only a form that was used before, and that stands at the first batch.
            made += written
    except BaseException as exc:
        voided = _void(book, made, now=now, patiently=patiently)
        if not isinstance(exc, TemporarilyUnavailable):
            raise
        told = f"None of the {len(drafts)} offers was made: the database could not be written. Try again."
        if voided < len(made):
            told = (
                f"The database could not be written after {len(made)} of {len(drafts)} offers, and {len(made) - voided}"
                " of them could not be made void: nobody has their codes; the list of offers names them."
            )
        raise OffersNotMade(told) from exc
    return made


def _has_grown(
    before: EarlierOffers, batch: Sequence[OfferDraft], *, ours: frozenset[str], is_news: bool
) -> Callable[[Sequence[Offer]], bool]:
    """Whether somebody else has offered the same as this batch since; always when there `is_news`."""

    def has_grown(offers: Sequence[Offer]) -> bool:
        now_there = EarlierOffers(one for one in offers if one.id not in ours)
        return is_news or now_there.count_of(batch) > before.count_of(batch)

    return has_grown


def _void(book: OfferBook, made: Sequence[Offer], *, now: datetime, patiently: Patiently) -> int:
    """Make these offers void, as far as the database lets us; returns how many are."""
    voided = 0
    with suppress(TemporarilyUnavailable):
        for start in range(0, len(made), OFFERS_AT_ONCE):
            ids = [offer.id for offer in made[start : start + OFFERS_AT_ONCE]]
            voided += patiently(lambda ids=ids: book.void_each(ids, now=now))  # type: ignore[misc]
    return voided
