"""Receiving from a real issuer: what is asked, what is kept, and how a stop in the middle is taken up again."""

import pytest

from tests.world import World
from wallet.collection import Stage

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


async def test_a_wrong_transaction_code_can_be_tried_again(world: World) -> None:
    """A mistyped code does not use the offer up."""
    vault = await world.wallet.person()
    offer = world.university.offer(tx_code=True)[0]

    collection = await world.wallet.collect(vault, offer.offer, tx_code="000000")
    assert (collection.stage, collection.problem) == (Stage.OFFERED, "wrong_code")
