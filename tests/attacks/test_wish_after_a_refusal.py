"""Asked again after a no: the ground of the refusal may be over, and taking back is another wish than an erasure."""

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.consent import LocalizedText
from schemas.withdrawal import Action, Ground, StatedException
from tests.verifier.scene import Scene
from tests.verifier.withdrawing import act, take
from tests.wallet.firm import running_firm
from tests.wallet.people import Sharer
from tests.world import World
from verifier.exchange import Verifier
from verifier.requests import Kind
from wallet.taking_back import State
from wallet.withdrawals import Withdrawals

WORDS = LocalizedText(sv="Tvisten pågår till den 1 december.", en="The dispute goes on until 1 December.")


def refused(verifier: Verifier) -> None:
    """Staff refuse what waits, all of it."""
    desk = verifier.deletions
    (one,) = desk.store.open()
    items = tuple(desk.store.askable(one.id))
    asyncio.run(desk.refuse(one.id, [StatedException(ground=Ground.LEGAL_CLAIMS, words=WORDS, items=items)], actor="a"))


@pytest.mark.parametrize("second", ["erase", "withdraw"])
def test_a_wish_after_a_refusal_comes_before_staff(tmp_path: Path, second: str) -> None:
    """GDPR 12(3), 17(1)(b): weeks later the same is asked again, or consent is taken back, which is another ground for
    deletion than the one that was refused. Staff has to see it, with a month of its own."""
    scene = Scene(tmp_path, withdraw_at_once=False)
    made = scene.ask()
    assert scene.answer(made, optional=True).status == 200
    take(scene, act(scene, made, "erase"))
    refused(scene.verifier)
    scene.now = scene.now.replace(month=12, day=15)

    answer = take(scene, act(scene, made, second))

    assert (answer.status, len(scene.verifier.deletions.store.open())) == (202, 1)


@pytest.mark.anyio
async def test_a_wish_after_a_refusal_is_heard_and_not_only_overdue(world: World) -> None:
    """Both of ours together: the wallet, rightly, takes the old statement for no answer to the new wish; the verifier
    gives it all the same and notes nothing. After a month the person reads "overdue", and nobody was ever asked."""
    with running_firm(world, withdraw_at_once=False) as firm:
        sharer = await Sharer.with_certificate(world)
        made = firm.make_request(firm.templates()["employer-micro-credential"], kind=Kind.CROSS_DEVICE, maker="test")
        share_id = await sharer.begin(made.link)
        await sharer.approve(share_id)
        withdrawals: Any = Withdrawals(world.wallet.deployment)
        await withdrawals.wish(sharer.vault, share_id, Action.ERASE, chosen=None, language="en")
        await asyncio.to_thread(refused, firm)
        world.clock.move(minutes=1)
        first = await withdrawals.look(sharer.vault, share_id)
        assert first.state is State.REFUSED
        world.clock.move(days=25)

        second = await withdrawals.wish(sharer.vault, share_id, Action.WITHDRAW, chosen=None, language="en")

        assert second.state is State.ACKNOWLEDGED, (second.state, len(firm.deletions.store.open()))
        assert len(firm.deletions.store.open()) == 1


@pytest.mark.anyio
async def test_the_month_of_a_wish_after_midnight_ends_on_the_same_day_for_both(world: World) -> None:
    """Just after midnight in Sweden it is still yesterday in UTC. The recipient has until the 16th and says so; the
    wallet, whose time zone is Sweden's as well, calls it overdue on the 16th and has a complaint ready."""
    with running_firm(world, withdraw_at_once=False) as firm:
        sharer = await Sharer.with_certificate(world)
        world.clock.now = datetime(2027, 1, 15, 23, 30, tzinfo=UTC)
        made = firm.make_request(firm.templates()["employer-micro-credential"], kind=Kind.CROSS_DEVICE, maker="test")
        share_id = await sharer.begin(made.link)
        await sharer.approve(share_id)
        withdrawals = Withdrawals(world.wallet.deployment)
        await withdrawals.wish(sharer.vault, share_id, Action.ERASE, chosen=None, language="en")
        (waiting,) = firm.deletions.store.open()
        assert (world.wallet.deployment.settings.time_zone, waiting.due_on) == ("Europe/Stockholm", date(2027, 2, 16))

        world.clock.now = datetime(2027, 2, 16, 8, 0, tzinfo=UTC)

        assert not withdrawals.standing(sharer.entry(share_id)).is_overdue
