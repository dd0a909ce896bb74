"""When an answer is owed: by whom, from which day on, and what the person can do about it (CS-35, CS-36, OA-14)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from schemas.withdrawal import Action
from tests.wallet.fake_verifier import notice, query
from tests.wallet.firm import running_firm
from tests.wallet.people import Sharer
from tests.wallet.taking_back_world import BIRTH, NAME, Recipient, says, withdrawals
from tests.world import World
from verifier.requests import Kind
from wallet.leaving import Leaving
from wallet.ledger import EventKind
from wallet.over_asking import WarningKind
from wallet.rights import Right, Rights, asked_of
from wallet.taking_back import Standing, State
from wallet.withdrawals import NothingToTakeBack

pytestmark = pytest.mark.anyio

NOT_FOUND = says(404, {"error": "not_found"})


def standing(world: World, sharer: Sharer, entry_id: str) -> Standing:
    """How it stands now."""
    return withdrawals(world).standing(sharer.entry(entry_id))


async def take_back(world: World, sharer: Sharer, entry_id: str) -> Standing:
    """Take everything back, by the wallet."""
    return await withdrawals(world).wish(sharer.vault, entry_id, Action.WITHDRAW, chosen=None, language="en")


def write_to_them(world: World, sharer: Sharer, entry_id: str) -> Standing:
    """The person wrote an e-mail themself."""
    return withdrawals(world).note_sent(sharer.vault, entry_id, Action.WITHDRAW, chosen=None, way="mail")


def refused(firm: Recipient) -> None:
    """From now on they keep everything, and state why."""
    kept = {"ground": "legal_claims", "words": {"sv": "Tvist.", "en": "Dispute."}, "items": [NAME, BIRTH]}
    firm.answer = lambda message: firm.statement(
        message, outcome="refused", items=[], exceptions=[kept], deleted_at=None, backups_until=None
    )


async def test_an_error_is_no_answer_and_becomes_overdue_like_silence(world: World) -> None:
    """Whoever answers 404 for a month owes the answer: it is overdue, OA-14 knows it, and it can be complained of."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    firm.answer = NOT_FOUND

    found = await take_back(world, sharer, share_id)

    assert (found.state, found.due_on) == (State.NOT_ACCEPTED, date(2026, 12, 20))
    world.clock.move(days=30)
    assert standing(world, sharer, share_id).state is State.NOT_ACCEPTED
    world.clock.move(days=1)
    overdue = standing(world, sharer, share_id)
    assert (overdue.state, overdue.due_on, overdue.can_complain) == (State.OVERDUE, date(2026, 12, 20), True)
    asked = await sharer.begin(firm.ask(query(["family_name"]), notice=notice()).link())
    assert WarningKind.OVERDUE_DELETION in [one.kind for one in sharer.decision(asked).warned]
    withdrawals(world).note_complaint(sharer.vault, share_id)
    assert standing(world, sharer, share_id).state is State.ESCALATED


async def test_who_always_wants_the_wallet_to_wait_owes_the_answer_all_the_same(world: World) -> None:
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    firm.answer = says(429, {"error": "too_many_requests"})

    found = await take_back(world, sharer, share_id)

    assert (found.state, found.reason, found.due_on) == (State.SENT, "too_many_requests", date(2026, 12, 20))
    world.clock.move(days=31)
    assert standing(world, sharer, share_id).state is State.OVERDUE


async def test_a_wish_that_was_answered_with_an_error_is_sent_again_once_a_day(world: World) -> None:
    """The same wish, written once; also by the person's own second press, which begins no new month."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    firm.answer = NOT_FOUND
    await take_back(world, sharer, share_id)
    for hours in (2, 23):
        world.clock.move(hours=hours)
        await withdrawals(world).tend(sharer.vault)
    assert [one.claims["action"] for one in firm.messages] == ["withdraw", "withdraw"]
    world.clock.move(days=9)
    with world.network.cut_before("/withdrawals"):
        found = await take_back(world, sharer, share_id)
    assert (found.state, found.due_on) == (State.NOT_ACCEPTED, date(2026, 12, 20)), "they had it, the line is no matter"

    firm.answer = firm.statement
    assert (await take_back(world, sharer, share_id)).state is State.DONE
    kinds = [event.kind for event in sharer.entry(share_id).events]
    assert kinds.count(EventKind.TAKEN_BACK) == 1
    assert kinds.count(EventKind.DELETION_NOT_ACCEPTED) == 1


async def test_who_reminds_them_gives_them_no_new_month(world: World) -> None:
    """After an overdue answer a letter is written as well: it stays overdue, and a complaint stays made."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    firm.answer = NOT_FOUND
    await take_back(world, sharer, share_id)
    world.clock.move(days=31)
    withdrawals(world).note_complaint(sharer.vault, share_id)

    found = write_to_them(world, sharer, share_id)

    assert (found.state, found.due_on) == (State.ESCALATED, date(2026, 12, 20))
    assert [one.facts["way"] for one in found.again] == ["mail"]
    assert found.is_by_wallet
    withdrawals(world).note_answer(sharer.vault, share_id, "deleted")
    assert standing(world, sharer, share_id).state is State.DONE


async def test_what_never_left_begins_its_month_with_the_letter(world: World) -> None:
    """An address that the wallet may not use: nobody was asked until the person wrote."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    with world.network.cut_before("/withdrawals"):
        assert (await take_back(world, sharer, share_id)).due_on is None
    world.clock.move(days=40)
    assert standing(world, sharer, share_id).state is State.NOT_SENT

    found = write_to_them(world, sharer, share_id)

    assert (found.state, found.due_on, found.again) == (State.MARKED, date(2027, 1, 30), ())


async def test_errors_of_the_line_do_not_undo_a_letter(world: World) -> None:
    """They have what the person wrote, whatever the endpoint says afterwards; the month runs from the first wish."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    firm.answer = NOT_FOUND
    await take_back(world, sharer, share_id)
    world.clock.move(days=10)
    assert write_to_them(world, sharer, share_id).state is State.MARKED

    found = await withdrawals(world).look(sharer.vault, share_id)

    assert (found.state, found.due_on) == (State.MARKED, date(2026, 12, 20))


async def test_a_refusal_can_be_complained_of_and_stays_a_refusal(world: World) -> None:
    """The complaint stands beside it, once; a refusal of a later wish is another one."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    refused(firm)
    await take_back(world, sharer, share_id)
    world.clock.move(hours=1)

    withdrawals(world).note_complaint(sharer.vault, share_id)

    found = standing(world, sharer, share_id)
    assert (found.state, found.complained_at, found.can_complain) == (State.REFUSED, world.clock(), False)
    with pytest.raises(NothingToTakeBack):
        withdrawals(world).note_complaint(sharer.vault, share_id)
    world.clock.move(hours=1)
    again = await take_back(world, sharer, share_id)
    assert (again.state, again.complained_at, again.can_complain) == (State.REFUSED, None, True)


async def test_a_complaint_about_silence_is_none_about_the_answer_that_came_then(world: World) -> None:
    """They answer late and keep a part: of that the person can complain as well."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    firm.answer = firm.acknowledged
    await take_back(world, sharer, share_id)
    world.clock.move(days=31)
    withdrawals(world).note_complaint(sharer.vault, share_id)
    kept = {"ground": "legal_claims", "words": {"sv": "Tvist.", "en": "Dispute."}, "items": [BIRTH]}
    firm.answer = lambda message: firm.statement(message, outcome="partly", items=[NAME], exceptions=[kept])

    found = await withdrawals(world).look(sharer.vault, share_id)

    assert (found.state, found.can_complain) == (State.PARTLY, True)


async def test_there_is_nothing_to_complain_of_while_they_have_time(world: World) -> None:
    """Nor after they deleted everything."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    firm.answer = firm.acknowledged
    await take_back(world, sharer, share_id)
    with pytest.raises(NothingToTakeBack):
        withdrawals(world).note_complaint(sharer.vault, share_id)
    firm.answer = firm.statement
    world.clock.move(minutes=1)
    assert (await withdrawals(world).look(sharer.vault, share_id)).state is State.DONE
    with pytest.raises(NothingToTakeBack):
        withdrawals(world).note_complaint(sharer.vault, share_id)


# --- days are those of the wallet's time zone -----------------------------------------------------------------------


async def test_the_month_of_a_wish_after_midnight_ends_on_the_same_day_for_both(world: World) -> None:
    """Just after midnight in Sweden it is still yesterday in UTC. The recipient has until the 16th and says so; the
    wallet, whose time zone is Sweden's as well, calls nothing overdue on the 16th."""
    with running_firm(world, withdraw_at_once=False) as firm:
        sharer = await Sharer.with_certificate(world)
        world.clock.now = datetime(2027, 1, 15, 23, 30, tzinfo=UTC)
        made = firm.make_request(firm.templates()["employer-micro-credential"], kind=Kind.CROSS_DEVICE, maker="test")
        share_id = await sharer.begin(made.link)
        await sharer.approve(share_id)
        await withdrawals(world).wish(sharer.vault, share_id, Action.ERASE, chosen=None, language="en")
        (waiting,) = firm.deletions.store.open()
        assert (world.wallet.deployment.settings.time_zone, waiting.due_on) == ("Europe/Stockholm", date(2027, 2, 16))

        world.clock.now = datetime(2027, 2, 16, 22, 59, tzinfo=UTC)
        assert not standing(world, sharer, share_id).is_overdue

        world.clock.now = datetime(2027, 2, 16, 23, 0, tzinfo=UTC)
        assert standing(world, sharer, share_id).is_overdue


async def test_the_month_of_a_copy_ends_at_midnight_in_the_wallets_time_zone(world: World) -> None:
    """Asked just after midnight: until the end of the 16th there, and again on that day is once."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    rights, zone = Rights(world.wallet.deployment), world.wallet.deployment.settings.time_zone
    for moment in (datetime(2027, 1, 15, 23, 30, tzinfo=UTC), datetime(2027, 1, 16, 0, 30, tzinfo=UTC)):
        world.clock.now = moment
        rights.note_asked(sharer.vault, share_id, Right.COPY, way="mail")
    assert [event.kind for event in sharer.entry(share_id).events].count(EventKind.COPY_ASKED) == 1

    for moment, is_overdue in (
        (datetime(2027, 2, 16, 22, 59, tzinfo=UTC), False),
        (datetime(2027, 2, 16, 23, 0, tzinfo=UTC), True),
    ):
        asked = asked_of(sharer.entry(share_id), Right.COPY, now=moment, time_zone=zone)
        assert asked is not None
        assert (asked.due_on, asked.is_overdue) == (date(2027, 2, 16), is_overdue)


async def test_a_statement_is_missed_from_midnight_in_the_wallets_time_zone(world: World) -> None:
    """The last day is over when it is over for the person."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    last_day = sharer.entry(share_id).retention_until
    assert last_day is not None
    midnight = datetime.combine(last_day + timedelta(days=1), time(), tzinfo=ZoneInfo("Europe/Stockholm"))

    world.clock.now = (midnight - timedelta(minutes=1)).astimezone(UTC)
    assert not standing(world, sharer, share_id).misses_statement
    assert [one.id for one in Leaving(world.wallet.deployment).still_kept(sharer.vault)] == [share_id]
    world.clock.now = midnight.astimezone(UTC)
    assert standing(world, sharer, share_id).misses_statement
    assert not Leaving(world.wallet.deployment).still_kept(sharer.vault)
