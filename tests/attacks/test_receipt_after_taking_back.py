"""Taken back before the receipt was confirmed: both sides still hold what was agreed to (CS-29, E-27)."""

import pytest

from schemas.receipt import EventType
from schemas.withdrawal import Action
from tests.wallet.firm import running_firm
from tests.wallet.people import Sharer
from tests.world import World
from verifier.requests import Kind
from wallet.receipts import check_receipt, confirmation
from wallet.withdrawals import Withdrawals

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("is_taken_back", [False, True])
async def test_a_share_that_was_taken_back_within_the_hour_has_a_confirmed_receipt(
    world: World, is_taken_back: bool, at_once: bool
) -> None:
    """On the same device the receipt is handed in before the browser is back, which is too early; the next try is an
    hour later. Who takes back in between gets it all the same, also while staff still owe the answer: what was agreed
    to, without what came later, and both keep the same bytes."""
    with running_firm(world, withdraw_at_once=at_once) as firm:
        sharer = await Sharer.with_certificate(world)
        made = firm.make_request(firm.templates()["employer-micro-credential"], kind=Kind.SAME_DEVICE, maker="test")
        share_id = await sharer.begin(made.link)
        delivery = await sharer.approve(share_id)
        assert delivery.redirect_uri is not None
        firm.redeem(delivery.redirect_uri.partition("response_code=")[2], binding="")
        withdrawals = Withdrawals(world.wallet.deployment)
        if is_taken_back:
            await withdrawals.wish(sharer.vault, share_id, Action.WITHDRAW, chosen=None, language="en")
        for _ in range(3):
            world.clock.move(hours=2)
            await withdrawals.tend(sharer.vault)

        theirs, mine = firm.deletions.store.receipt(made.id), confirmation(sharer.entry(share_id))
        assert theirs is not None
        assert mine == {"receipt_jwt": theirs.receipt_jwt, "countersignature": theirs.countersignature}
        happened = [event.type for event in check_receipt(theirs.receipt_jwt).events]
        assert happened == [EventType.REQUESTED, EventType.APPROVED, EventType.DELIVERED]
