"""Whoever takes a share back while it is unknown whether it arrived has taken it back: nothing of it goes out later.

The reply of a recipient is slow or gets lost, the person takes everything back meanwhile, and only then the wallet
learns that the answer arrived. No later check is granted then, and the answer is not sent a second time.
"""

import asyncio

import pytest

from schemas.errors import NotFound
from schemas.standing_permission import PermissionAction
from schemas.withdrawal import Action
from tests.wallet.people import Sharer
from tests.wallet.permitting_world import Permitted, permissions
from tests.wallet.taking_back_world import Recipient, says, withdrawals
from tests.world import World
from wallet.decision import Chosen
from wallet.delivery import Delivery
from wallet.ledger import EventKind, Outcome
from wallet.permissions import NoPermissionHere, note_end_of_share
from wallet.taking_back import State

pytestmark = pytest.mark.anyio

WISHES = [Action.WITHDRAW, Action.ERASE]


class Slow:
    """A line on which the answer arrives, and the reply waits until `let_go`."""

    def __init__(self, sharer: Sharer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.arrived, self.gate = asyncio.Event(), asyncio.Event()
        transport = sharer.sharing._transport
        really = transport.post_answer

        async def post_answer(url: str, form: dict[str, str]) -> Delivery:
            delivery = await really(url, form)
            self.arrived.set()
            await self.gate.wait()
            return delivery

        monkeypatch.setattr(transport, "post_answer", post_answer)


async def back(world: World, sharer: Sharer, share_id: str, action: Action = Action.WITHDRAW) -> State:
    """Everything is taken back, or only asked to be deleted."""
    standing = await withdrawals(world).wish(sharer.vault, share_id, action, chosen=None, language="en")
    return standing.state


async def about_to_allow(world: World) -> tuple[Sharer, Permitted, str]:
    """Later checks are allowed with a share that waits for its confirmation; the recipient decides by hand."""
    sharer, firm = await Sharer.with_certificate(world), Permitted(world)
    share_id = await sharer.begin(firm.ask_offering())
    sharer.choose(share_id, Chosen(recheck=True))
    await sharer.allow_checks(share_id)
    firm.answer = firm.acknowledged
    return sharer, firm, share_id


def asked_for(firm: Permitted) -> list[str]:
    """What the recipient was told of later checks."""
    return [str(one.claims["action"]) for one in firm.wishes]


# --- later checks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", WISHES)
async def test_a_reply_that_comes_after_taking_back_grants_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, action: Action
) -> None:
    """The line is slow: the recipient has acknowledged the wish before the wallet knows that the answer arrived."""
    sharer, firm, share_id = await about_to_allow(world)
    line = Slow(sharer, monkeypatch)
    sending = asyncio.create_task(sharer.approve(share_id))
    await line.arrived.wait()
    assert sharer.entry(share_id).outcome is Outcome.UNKNOWN

    assert await back(world, sharer, share_id, action) is State.ACKNOWLEDGED
    assert sharer.entry(share_id).last(EventKind.PERMISSION_ENDED) is not None, "written with the wish itself"
    line.gate.set()
    await sending
    world.clock.move(hours=2)
    await permissions(world).tend(sharer.vault)

    assert sharer.entry(share_id).outcome is Outcome.SHARED
    assert "grant" not in asked_for(firm)
    assert "end" in asked_for(firm), "whatever they may think, it is over"
    standing = permissions(world).standing(sharer.vault, share_id)
    assert standing is not None
    assert (standing.wish, standing.is_over) == (PermissionAction.END, True)
    with pytest.raises(NoPermissionHere):
        await permissions(world).wish(sharer.vault, share_id, PermissionAction.RESUME)


async def test_a_letter_to_them_ends_the_later_checks_as_well(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person wrote to them while the reply was on its way."""
    sharer, firm, share_id = await about_to_allow(world)
    line = Slow(sharer, monkeypatch)
    sending = asyncio.create_task(sharer.approve(share_id))
    await line.arrived.wait()
    withdrawals(world).note_sent(sharer.vault, share_id, Action.WITHDRAW, chosen=None, way="mail")
    line.gate.set()
    await sending
    assert asked_for(firm) == ["end"]


async def test_an_earlier_history_without_a_written_end_grants_nothing_either(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wallet of before wrote no end: that everything was taken back is enough."""
    monkeypatch.setattr("wallet.withdrawals.note_end_of_share", lambda *_, **__: None)
    sharer, firm, share_id = await about_to_allow(world)
    line = Slow(sharer, monkeypatch)
    sending = asyncio.create_task(sharer.approve(share_id))
    await line.arrived.wait()
    await back(world, sharer, share_id)
    assert sharer.entry(share_id).last(EventKind.PERMISSION_ENDED) is None
    line.gate.set()
    await sending
    assert asked_for(firm) == ["end"]


async def test_deleting_one_item_leaves_the_later_checks_of_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only who takes everything back ends them."""
    sharer, firm, share_id = await about_to_allow(world)
    line = Slow(sharer, monkeypatch)
    sending = asyncio.create_task(sharer.approve(share_id))
    await line.arrived.wait()
    await withdrawals(world).wish(sharer.vault, share_id, Action.ERASE, chosen=[1], language="en")
    line.gate.set()
    await sending
    assert asked_for(firm) == ["grant"]


async def test_no_end_is_written_where_nothing_was_allowed(world: World) -> None:
    """A share without later checks gets no end of any."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    entry, wallet = sharer.entry(share_id), world.wallet.deployment
    with wallet.database.transaction() as connection:
        note_end_of_share(connection, sharer.vault, entry, wallet=wallet)
    assert sharer.entry(share_id).last(EventKind.PERMISSION_ENDED) is None


# --- the answer itself ----------------------------------------------------------------------------------------------


async def unknown(world: World) -> tuple[Sharer, Recipient, str]:
    """A share whose answer arrived and whose reply got lost."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await sharer.begin(firm.ask_for_two().link())
    with world.network.lose_answer("/response"):
        await sharer.approve(share_id)
    assert sharer.sharing.can_send_again(sharer.vault, share_id)
    return sharer, firm, share_id


@pytest.mark.parametrize("action", WISHES)
async def test_what_was_taken_back_is_not_sent_again(world: World, action: Action) -> None:
    """Also where they state that everything is deleted: it would be there anew, and could not be taken back."""
    sharer, firm, share_id = await unknown(world)
    sent = len(firm.forms)
    assert await back(world, sharer, share_id, action) is State.DONE
    assert not sharer.sharing.can_send_again(sharer.vault, share_id)
    assert sharer.sharing._share(sharer.vault, share_id).answer is None, "the sealed answer is gone with the wish"
    with pytest.raises(NotFound):
        await sharer.sharing.send_again(sharer.vault, share_id)
    assert len(firm.forms) == sent


async def test_what_was_taken_back_by_letter_is_not_sent_again(world: World) -> None:
    """The same where the person wrote to them."""
    sharer, _, share_id = await unknown(world)
    withdrawals(world).note_sent(sharer.vault, share_id, Action.ERASE, chosen=None, way="phone")
    assert not sharer.sharing.can_send_again(sharer.vault, share_id)
    assert sharer.sharing._share(sharer.vault, share_id).answer is None


async def test_an_answer_that_an_earlier_wallet_kept_is_not_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wallet of before left the answer where it was."""
    monkeypatch.setattr("wallet.withdrawals.drop_answer", lambda *_: None)
    sharer, _, share_id = await unknown(world)
    await back(world, sharer, share_id)
    assert sharer.sharing._share(sharer.vault, share_id).answer is not None
    assert not sharer.sharing.can_send_again(sharer.vault, share_id)


async def test_deleting_one_item_leaves_the_answer(world: World) -> None:
    """Whoever wants one item deleted may still send the whole, as they decided."""
    sharer, firm, share_id = await unknown(world)
    firm.answer = firm.acknowledged
    await withdrawals(world).wish(sharer.vault, share_id, Action.ERASE, chosen=[0], language="en")
    assert sharer.sharing.can_send_again(sharer.vault, share_id)


# --- the wish that came before the answer -----------------------------------------------------------------------------


@pytest.mark.parametrize("line_breaks", [False, True])
async def test_a_wish_that_overtook_the_answer_is_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch, line_breaks: bool
) -> None:
    """They knew of nothing yet. What arrives afterwards is taken back without anybody asking for it: at once, or when
    the vault is opened the next time."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await sharer.begin(firm.ask_for_two().link())
    line = Slow(sharer, monkeypatch)
    sending = asyncio.create_task(sharer.approve(share_id))
    await line.arrived.wait()
    firm.answer = says(404, {"error": "not_found"})
    assert await back(world, sharer, share_id) is State.NOT_ACCEPTED

    firm.answer = firm.statement
    line.gate.set()
    if line_breaks:
        with world.network.cut_before("/withdrawals"):
            await sending
        assert withdrawals(world).standing(sharer.entry(share_id)).state is not State.DONE
        world.clock.move(hours=2)
        await withdrawals(world).tend(sharer.vault)
    else:
        await sending
    assert withdrawals(world).standing(sharer.entry(share_id)).state is State.DONE
    assert {one.claims["action"] for one in firm.messages} == {"withdraw"}
