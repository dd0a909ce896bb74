"""Many offers at once, made in batches: no batch holds the database so long that a wallet is turned away meanwhile.

Writing is for one at a time, and a wallet waits for it 250 ms at most. A batch of `OFFERS_AT_ONCE` is written in well
below 50 ms, whole or not at all, and between two batches whoever waits gets a turn. The codes are shown when all of
them are made; until then nobody has one. When a batch cannot be made, the offers of those before it are made void, so
that what a person sees is that the run failed, and nothing of it can be collected.

Only a process that is killed in between leaves offers behind that are open: they are listed, nobody has their codes,
and they expire or can be voided or offered again like any others.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol, TypeVar

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
) -> list[Offer]:
    """Make all of these offers, or leave none that can be collected. `rest` lets seconds pass (`time.sleep`).

    Raises `OffersNotMade` when the database fails; whatever else ends the run, the offers made before become void too.
    """
    made: list[Offer] = []
    try:
        for start in range(0, len(drafts), OFFERS_AT_ONCE):
            if start:
                rest(REST_SECONDS)
            batch = drafts[start : start + OFFERS_AT_ONCE]
            made += patiently(lambda batch=batch: book.create(batch, now=now))  # type: ignore[misc]
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


def _void(book: OfferBook, made: Sequence[Offer], *, now: datetime, patiently: Patiently) -> int:
    """Make these offers void, as far as the database lets us; returns how many are."""
    voided = 0
    with suppress(TemporarilyUnavailable):
        for start in range(0, len(made), OFFERS_AT_ONCE):
            ids = [offer.id for offer in made[start : start + OFFERS_AT_ONCE]]
            voided += patiently(lambda ids=ids: book.void_each(ids, now=now))  # type: ignore[misc]
    return voided
