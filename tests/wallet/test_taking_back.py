"""Taking back as the wallet does it: written first, then sent; every answer with its dates (CS-29, CS-33 to 38)."""

from datetime import date

import pytest
from starlette.responses import Response

from proofs.after_share import CheckedHolderMessage
from schemas.withdrawal import Action
from tests.wallet.fake_verifier import notice, query
from tests.wallet.people import Sharer
from tests.wallet.taking_back_world import BIRTH, NAME, Recipient, withdrawals
from tests.wallet.test_portability import export, import_into
from tests.world import PASSPHRASE, World
from wallet.histories import Histories
from wallet.leaving import Leaving
from wallet.ledger import Entry, EventKind
from wallet.over_asking import WarningKind
from wallet.receipts import confirmation
from wallet.store.take_back import get_means
from wallet.taking_back import Standing, State, one_month_after
from wallet.withdrawals import NothingChosen, NothingToTakeBack, OnlyByThePerson

pytestmark = pytest.mark.anyio


def standing(world: World, sharer: Sharer, entry_id: str) -> Standing:
    """How it stands now."""
    return withdrawals(world).standing(sharer.entry(entry_id))


def kinds(entry: Entry) -> list[EventKind]:
    """What happened after the answer was delivered."""
    return [event.kind for event in entry.events[3:]]


async def take_back(world: World, sharer: Sharer, entry_id: str, chosen: tuple[int, ...] | None = None) -> Standing:
    """Take everything back, or have some items erased."""
    action = Action.WITHDRAW if chosen is None else Action.ERASE
    return await withdrawals(world).wish(sharer.vault, entry_id, action, chosen=chosen, language="en")


async def test_it_is_written_before_it_is_sent(world: World) -> None:
    """When the message arrives the history has the wish already (as D04 for sharing)."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    seen: list[list[EventKind]] = []

    def answer(message: CheckedHolderMessage) -> Response:
        seen.append(kinds(sharer.entry(share_id)))
        return firm.statement(message)

    firm.answer = answer
    await take_back(world, sharer, share_id)

    assert seen == [[EventKind.TAKEN_BACK]]
    assert kinds(sharer.entry(share_id)) == [EventKind.TAKEN_BACK, EventKind.DELETION_STATED]
    (message,) = firm.messages
    assert message.claims["action"] == "withdraw"
    assert message.claims["receipt_id"] == share_id


async def test_it_works_without_certificate_and_without_the_share(world: World) -> None:
    """What it takes is kept apart: the certificate may be gone, the request long forgotten."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    with world.wallet.deployment.database.transaction() as connection:
        for table in ("copy", "certificate", "share"):
            connection.exec_driver_sql(f"DELETE FROM {table}")

    assert (await take_back(world, sharer, share_id)).state is State.DONE


async def test_chosen_items_are_named_as_they_were_asked(world: World) -> None:
    """The rest stays, and can be taken back later."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    firm.answer = lambda message: firm.statement(message, reason="erased", items=[BIRTH])

    found = await take_back(world, sharer, share_id, (1,))

    assert firm.messages[-1].claims["items"] == [{"credential": "certificate", "path": ["birthdate"]}]
    assert (found.state, found.is_gone, found.not_mentioned) == (State.DONE, False, ())
    firm.answer = lambda message: firm.statement(message, items=[NAME])
    assert (await take_back(world, sharer, share_id)).is_gone
    with pytest.raises(NothingToTakeBack):
        await take_back(world, sharer, share_id)


@pytest.mark.parametrize("chosen", [(), (2,), (-1,)])
async def test_only_items_that_were_shared_are_named(world: World, chosen: tuple[int, ...]) -> None:
    """Nothing is sent and nothing written for others."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)

    with pytest.raises(NothingChosen):
        await take_back(world, sharer, share_id, chosen)

    assert firm.messages == []
    assert kinds(sharer.entry(share_id)) == []


async def test_an_answer_that_is_owed_becomes_overdue_and_can_be_escalated(world: World) -> None:
    """After one month, whatever later day they promise; and the rule on asking knows it (OA-14)."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    firm.answer = lambda message: firm.acknowledged(message, due_on="2099-01-01")

    found = await take_back(world, sharer, share_id)

    assert (found.state, found.due_on) == (State.ACKNOWLEDGED, date(2026, 12, 20))
    world.clock.move(days=30)
    assert standing(world, sharer, share_id).state is State.ACKNOWLEDGED
    world.clock.move(days=1)
    assert standing(world, sharer, share_id).state is State.OVERDUE
    asked = await sharer.begin(firm.ask(query(["family_name"]), notice=notice()).link())
    assert WarningKind.OVERDUE_DELETION in [one.kind for one in sharer.decision(asked).warned]
    withdrawals(world).note_complaint(sharer.vault, share_id)
    assert standing(world, sharer, share_id).state is State.ESCALATED
    firm.answer = firm.statement
    assert (await withdrawals(world).look(sharer.vault, share_id)).state is State.DONE


async def test_a_refusal_keeps_its_stated_exception(world: World) -> None:
    """What is kept and on which ground stands in the history; it can be asked again."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    kept = {"ground": "legal_claims", "words": {"sv": "Tvist.", "en": "Dispute."}, "items": [NAME, BIRTH]}
    firm.answer = lambda message: firm.statement(
        message, outcome="refused", items=[], exceptions=[kept], deleted_at=None, backups_until=None
    )

    found = await take_back(world, sharer, share_id)

    assert (found.state, found.is_gone, found.not_mentioned) == (State.REFUSED, False, ())
    assert withdrawals(world).can_ask(sharer.vault, share_id)


@pytest.mark.parametrize(
    ("chosen", "gone", "state"),
    [((1,), [], State.REFUSED), ((0, 1), [NAME], State.PARTLY)],
)
async def test_chosen_items_that_they_keep_are_not_told_as_deleted(
    world: World, chosen: tuple[int, ...], gone: list[dict[str, object]], state: State
) -> None:
    """Every chosen item stands in the statement, one of them as kept: that is no deletion of it."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    kept = {"ground": "legal_claims", "words": {"sv": "Tvist.", "en": "Dispute."}, "items": [BIRTH]}
    changed = {"outcome": "partly"} if gone else {"outcome": "refused", "deleted_at": None}
    firm.answer = lambda message: firm.statement(message, reason="erased", items=gone, exceptions=[kept], **changed)

    found = await take_back(world, sharer, share_id, chosen)

    assert (found.state, found.is_gone, found.not_mentioned) == (state, False, ())


async def test_what_was_not_delivered_is_sent_again_at_the_next_unlock(world: World) -> None:
    """Once an hour at most; the wish stands once in the history."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    with world.network.cut_before("/withdrawals"):
        assert (await take_back(world, sharer, share_id)).state is State.NOT_SENT
    await withdrawals(world).tend(sharer.vault)
    assert firm.messages == []
    world.clock.move(hours=1)

    await withdrawals(world).tend(sharer.vault)

    assert standing(world, sharer, share_id).state is State.DONE
    assert kinds(sharer.entry(share_id)).count(EventKind.TAKEN_BACK) == 1
    assert [message.claims["action"] for message in firm.messages] == ["withdraw"]


async def test_a_lost_answer_is_unknown_and_asked_for_with_the_same_wish(world: World) -> None:
    """It may have arrived: the same wish gives the same statement."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    with world.network.lose_answer("/withdrawals"):
        found = await take_back(world, sharer, share_id)
    assert (found.state, found.reason) == (State.SENT, "no_answer")
    world.clock.move(minutes=1)

    assert (await withdrawals(world).look(sharer.vault, share_id)).state is State.DONE
    assert [message.claims["action"] for message in firm.messages] == ["withdraw", "withdraw"]
    assert firm.messages[0].jti != firm.messages[1].jti


async def test_what_waits_is_asked_about_now_and_then(world: World) -> None:
    """With `status`, once an hour at most, and an answer that is no news is no event."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    firm.answer = firm.acknowledged
    await take_back(world, sharer, share_id)
    for _ in range(4):
        world.clock.move(minutes=31)
        await withdrawals(world).tend(sharer.vault)

    assert [message.claims["action"] for message in firm.messages] == ["withdraw", "status", "status"]
    assert kinds(sharer.entry(share_id)) == [EventKind.TAKEN_BACK, EventKind.DELETION_ACKNOWLEDGED]


async def test_only_a_few_recipients_are_asked_at_one_unlock(world: World) -> None:
    """Those that were not asked come first at the next one."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    firm.answer = firm.acknowledged
    shares = [await firm.shared_by(sharer) for _ in range(7)]
    for share_id in shares:
        await take_back(world, sharer, share_id)
    world.clock.move(hours=2)
    firm.messages.clear()

    await withdrawals(world).tend(sharer.vault)
    assert len(firm.messages) == 5
    await withdrawals(world).tend(sharer.vault)

    assert len({message.claims["nonce"] for message in firm.messages}) == len(firm.messages) == 7


async def test_the_key_is_forgotten_when_nothing_can_be_taken_back_any_more(world: World) -> None:
    """By the statement once the receipt is settled; by time at the latest; with the entry; with the vault."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    settled = await firm.shared_by(sharer, receipt_endpoint="")
    open_one, waiting = await firm.shared_by(sharer), await firm.shared_by(sharer)

    await take_back(world, sharer, settled)
    await take_back(world, sharer, waiting)

    desk = withdrawals(world)
    assert desk.means(sharer.vault, settled) is None
    assert desk.means(sharer.vault, waiting) is not None  # Its receipt can still be confirmed.
    with world.wallet.deployment.database.reading() as connection:
        stored = get_means(connection, sharer.vault, open_one)
    assert stored is not None
    assert stored.forget_at.day == 1
    world.clock.now = stored.forget_at
    desk.tidy()
    assert desk.means(sharer.vault, open_one) is None
    with pytest.raises(OnlyByThePerson):
        await take_back(world, sharer, open_one)


async def test_an_unsigned_notice_is_never_posted_to(world: World) -> None:
    """What it names is shown to the person, who writes: the month runs from then."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    said = notice(withdraw={"endpoint": firm.endpoint, "contact": "x@employer.example"})
    asked = firm.ask(query(["family_name"]), prefix="redirect_uri", notice=said)
    share_id = await sharer.begin(asked.link_unsigned())
    sharer.go_on(share_id, WarningKind.UNPROVEN)
    await sharer.approve(share_id)

    with pytest.raises(OnlyByThePerson):
        await take_back(world, sharer, share_id)
    found = withdrawals(world).note_sent(sharer.vault, share_id, Action.WITHDRAW, chosen=None, way="mail")

    assert (found.state, found.due_on) == (State.MARKED, date(2026, 12, 20))
    world.clock.move(days=31)
    await withdrawals(world).tend(sharer.vault)
    assert standing(world, sharer, share_id).state is State.OVERDUE
    withdrawals(world).note_answer(sharer.vault, share_id, "deleted")
    assert standing(world, sharer, share_id).state is State.DONE
    assert firm.messages == []


async def test_nothing_is_taken_back_that_did_not_go(world: World) -> None:
    """A refusal went to nobody."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await sharer.begin(firm.ask_for_two().link())
    await sharer.refuse(share_id)

    with pytest.raises(NothingToTakeBack):
        await take_back(world, sharer, share_id)


async def test_cs29_a_receipt_is_handed_in_again_until_it_is_confirmed(world: World) -> None:
    """Best effort: a share is none the worse for it; at a later unlock it is tried again."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    assert len(firm.receipts) == 1
    assert confirmation(sharer.entry(share_id)) is None

    firm.confirm = firm.countersigned
    world.clock.move(hours=1)
    await withdrawals(world).tend(sharer.vault)
    world.clock.move(hours=1)
    await withdrawals(world).tend(sharer.vault)

    assert confirmation(sharer.entry(share_id)) is not None
    assert len(firm.receipts) == 2


@pytest.mark.parametrize(
    ("day", "due"),
    [
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2026, 12, 15), date(2027, 1, 15)),
        (date(2028, 1, 30), date(2028, 2, 29)),
    ],
)
def test_a_month_ends_on_the_same_day_or_the_last(day: date, due: date) -> None:
    """Regulation 1182/71, article 3."""
    assert one_month_after(day) == due


async def test_no_value_comes_into_history_or_messages(world: World) -> None:
    """Names only, also after taking back."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    await take_back(world, sharer, share_id)

    told = repr([event.as_json() for event in sharer.entry(share_id).events]) + repr(firm.messages[0].claims)
    assert "Sjöberg" not in told
    assert "1998-04-23" not in told


async def test_a_moved_wallet_can_take_back(world: World) -> None:
    """What it takes travels in the file of the whole wallet, also to another vault in the same service."""
    sharer, recipient = await Sharer.with_certificate(world), Recipient(world)
    share_id = await recipient.shared_by(sharer)
    otto = await Sharer.named(world, "Otto")
    await import_into(world, otto.vault, await export(world, sharer.vault))

    assert (await take_back(world, otto, share_id)).state is State.DONE
    assert standing(world, sharer, share_id).state is State.NONE


async def test_deleting_the_entry_or_the_vault_deletes_the_key(world: World) -> None:
    """Nothing of it stays behind."""
    sharer, recipient = await Sharer.with_certificate(world), Recipient(world)
    first, second = await recipient.shared_by(sharer), await recipient.shared_by(sharer)
    wallet = world.wallet.deployment
    Histories(wallet).delete(sharer.vault, first)
    assert withdrawals(world).means(sharer.vault, first) is None
    assert withdrawals(world).means(sharer.vault, second) is not None

    await Leaving(wallet).leave(sharer.vault, PASSPHRASE)

    with wallet.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM take_back").scalar_one() == 0
