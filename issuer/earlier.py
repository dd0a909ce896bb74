"""What has been offered before: so that nobody gets the same certificate offered twice unawares.

Two offers are of the same certificate when they are of one kind, to somebody of one name, under one title; that holds
also when the results were read a second time from another file. An offer that was made void does not count.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from issuer.offers import Offer, OfferDraft, OfferState
from schemas.learning.achievement import Record

Key = tuple[str, str, tuple[tuple[str, str], ...]]


class OfferList(Protocol):
    """Where offers are looked up."""

    def to_recipients(self, recipients: Collection[str], *, now: datetime) -> list[Offer]:
        """Every offer to somebody of these names, newest first."""
        ...


def earlier_offers(offers: OfferList, recipients: Collection[str], *, now: datetime) -> "EarlierOffers":
    """What has been offered to people of these names."""
    return EarlierOffers(offers.to_recipients(recipients, now=now))


class EarlierOffers:
    """Earlier offers, newest first, by what they were made from and by what they say."""

    def __init__(self, offers: Iterable[Offer]) -> None:
        self._by_result: dict[str, Offer] = {}
        self._by_title: dict[tuple[str, tuple[tuple[str, str], ...]], Offer] = {}
        self._by_key: dict[Key, list[Offer]] = {}
        for offer in offers:
            for result_id in offer.result_ids:
                self._by_result.setdefault(result_id, offer)
            if offer.state is not OfferState.VOIDED:
                self._by_title.setdefault((offer.recipient, _titles(offer.title)), offer)
                self._by_key.setdefault(_key(offer), []).append(offer)

    def of_result(self, result_id: str, record: Record) -> Offer | None:
        """The latest offer made from this kept result, or of the same to somebody of the same name."""
        again = (record.learner.name, _titles(record.title or {}))
        return self._by_result.get(result_id) or self._by_title.get(again)

    def of_draft(self, draft: OfferDraft) -> list[Offer]:
        """Earlier offers of the same certificate, newest first."""
        return self._by_key.get(_key(draft), [])

    def count_of(self, drafts: Sequence[OfferDraft]) -> int:
        """How many earlier offers there are of all these certificates."""
        return sum(len(self.of_draft(draft)) for draft in drafts)


def _key(offer: Offer | OfferDraft) -> Key:
    return offer.type_name, offer.recipient, _titles(offer.title)


def _titles(title: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(title.items()))
