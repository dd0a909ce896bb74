"""Standing permissions in the wallet, with a real verifier on the other side (CS-07, CS-33, S7)."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from schemas.standing_permission import EndReason, PermissionAction, RecheckOutcome
from schemas.withdrawal import Action
from tests.verifier.permitting import PURPOSE
from tests.wallet.firm import running_firm
from tests.wallet.people import Sharer
from tests.wallet.permitting_world import Permitted, permissions
from tests.wallet.taking_back_world import withdrawals
from tests.world import PASSPHRASE, World
from verifier.exchange import MadeRequest, Verifier
from verifier.rechecks import RecheckNotPermitted
from verifier.request_templates import TemplateRecheck
from verifier.requests import Kind
from wallet.consent import ShownSomethingElse
from wallet.decision import Chosen
from wallet.histories import Histories, PermissionStillLasts
from wallet.leaving import Leaving
from wallet.ledger import EventKind
from wallet.permitting import PermissionStanding
from wallet.portability import Portability
from wallet.receipts import check_receipt, receipt_of, signed_receipt
from wallet.taking_back import Means, State

pytestmark = pytest.mark.anyio


@pytest.fixture
def firm(world: World) -> Iterator[Verifier]:
    """A verifier that trusts the university, and that the wallet trusts."""
    with running_firm(world) as made:
        yield made


def ask(firm: Verifier) -> MadeRequest:
    """A request that offers later checks."""
    recheck = TemplateRecheck.model_validate({"days": 90, "every_days": 30, "purpose": PURPOSE})
    template = firm.templates()["employer-micro-credential"].model_copy(update={"recheck": recheck})
    return firm.make_request(template, kind=Kind.CROSS_DEVICE, maker="test")


async def allowed(world: World, firm: Verifier) -> tuple[Sharer, MadeRequest, str]:
    """A share with the box for later checks ticked."""
    sharer, made = await Sharer.with_certificate(world), ask(firm)
    share_id = await sharer.begin(made.link)
    sharer.choose(share_id, Chosen(recheck=True))
    await sharer.allow_checks(share_id)
    await sharer.approve(share_id)
    return sharer, made, share_id


def standing(world: World, sharer: Sharer, share_id: str) -> PermissionStanding:
    """How it stands."""
    found = permissions(world).standing(sharer.vault, share_id)
    assert found is not None
    return found


async def test_cs07_nothing_is_allowed_unless_it_is_ticked(world: World, firm: Verifier) -> None:
    """The box is empty on a fresh screen; leaving it so shares the same, and no later check is let through."""
    sharer, made = await Sharer.with_certificate(world), ask(firm)
    share_id = await sharer.begin(made.link)
    decision = sharer.decision(share_id)
    assert decision.recheck is not None
    assert decision.allowed_recheck is None

    await sharer.approve(share_id)

    assert firm.result(made.id).is_accepted
    assert permissions(world).standing(sharer.vault, share_id) is None
    assert sharer.entry(share_id).decided is not None
    assert (sharer.entry(share_id).decided or {})["recheck_declined"] is True
    with pytest.raises(RecheckNotPermitted, match="none"):
        await firm.rechecks.check_again(made.id, actor="test")


async def test_cs07_one_recipient_named_items_one_purpose_until_a_day(world: World, firm: Verifier) -> None:
    """What the person allowed stands here and there alike, and the recipient has confirmed it."""
    sharer, made, share_id = await allowed(world, firm)

    found = standing(world, sharer, share_id)
    there = await firm.rechecks.permission(made.id)

    assert (found.wish, found.is_confirmed, found.is_over) == (PermissionAction.GRANT, True, False)
    assert found.granted.purpose.en == PURPOSE["en"]
    assert there is not None
    assert there.until == found.granted.until == made.transaction.recheck_until
    assert {item.credential for item in there.items} == {"certificate"}
    assert len(there.items) == len(sharer.entry(share_id).shared)


async def test_cs07_every_check_is_told_and_stays_until_it_is_seen(world: World, firm: Verifier) -> None:
    """A check, the next unlock: an entry in the history and a notice that stays until the person puts it aside."""
    sharer, made, share_id = await allowed(world, firm)
    world.clock.move(hours=2)
    assert await firm.rechecks.check_again(made.id, actor="test") is RecheckOutcome.VALID
    checked_at = world.clock()
    world.clock.move(hours=2)

    await withdrawals(world).tend(sharer.vault)

    (check,) = standing(world, sharer, share_id).unseen
    assert (check.at, check.outcome, check.told_at) == (checked_at, RecheckOutcome.VALID, world.clock())
    kinds = [event.kind for event in sharer.entry(share_id).events]
    assert kinds.count(EventKind.CHECKED_AGAIN) == 1
    permissions(world).put_aside(sharer.vault, share_id)
    world.clock.move(hours=2)
    await withdrawals(world).tend(sharer.vault)
    found = standing(world, sharer, share_id)
    assert (found.unseen, len(found.checks)) == ((), 1)


async def test_cs33_ended_here_the_next_check_there_fails(world: World, firm: Verifier) -> None:
    """One press; both sides have it in their logs."""
    sharer, made, share_id = await allowed(world, firm)

    found = await permissions(world).wish(sharer.vault, share_id, PermissionAction.END)

    assert (found.is_over, found.is_confirmed, found.ended_there) == (True, True, EndReason.BY_PERSON)
    with pytest.raises(RecheckNotPermitted, match="ended"):
        await firm.rechecks.check_again(made.id, actor="test")
    assert EventKind.PERMISSION_ENDED in [event.kind for event in sharer.entry(share_id).events]
    assert "permission_ended" in [entry.event.value for entry in firm.requests.log(request_id=made.id)]
    assert firm.contents(made.id, viewer="test") is not None  # What was shared stays shared.


async def test_a_pause_holds_until_the_person_lets_it_go_on(world: World, firm: Verifier) -> None:
    """Paused: refused there, no next moment here. Gone on: let through."""
    sharer, made, share_id = await allowed(world, firm)

    paused = await permissions(world).wish(sharer.vault, share_id, PermissionAction.PAUSE)
    with pytest.raises(RecheckNotPermitted, match="paused"):
        await firm.rechecks.check_again(made.id, actor="test")
    world.clock.move(minutes=1)
    going_on = await permissions(world).wish(sharer.vault, share_id, PermissionAction.RESUME)

    assert (paused.is_confirmed, paused.next_at) == (True, None)
    assert going_on.is_confirmed
    assert going_on.next_at is not None
    assert await firm.rechecks.check_again(made.id, actor="test") is RecheckOutcome.VALID


async def test_taking_the_share_back_ends_its_permission_and_the_last_checks_are_still_told(
    world: World, firm: Verifier
) -> None:
    """Both in one press: the end goes out first, with the record of what was checked."""
    sharer, made, share_id = await allowed(world, firm)
    await firm.rechecks.check_again(made.id, actor="test")

    done = await withdrawals(world).wish(sharer.vault, share_id, Action.WITHDRAW, chosen=None, language="sv")

    found = standing(world, sharer, share_id)
    assert done.state is State.DONE
    assert (found.is_over, found.is_settled, len(found.checks)) == (True, True, 1)
    assert withdrawals(world).means(sharer.vault, share_id) is None


async def test_the_last_day_ends_it_without_a_word(world: World, firm: Verifier) -> None:
    """On the day after, nothing can be paused or ended any more, and the recipient is refused."""
    sharer, made, share_id = await allowed(world, firm)
    world.clock.move(days=91)

    assert standing(world, sharer, share_id).is_over
    with pytest.raises(RecheckNotPermitted, match="ended"):
        await firm.rechecks.check_again(made.id, actor="test")
    await withdrawals(world).tend(sharer.vault)
    assert standing(world, sharer, share_id).ended_there is EndReason.TIME


async def test_leaving_the_wallet_ends_every_permission(world: World, firm: Verifier) -> None:
    """Nobody could end them afterwards: they end before the keys go."""
    sharer, made, _ = await allowed(world, firm)

    await Leaving(world.wallet.deployment).leave(sharer.vault, PASSPHRASE)

    with pytest.raises(RecheckNotPermitted, match="ended"):
        await firm.rechecks.check_again(made.id, actor="test")


async def test_cs25_the_tick_is_bound_to_the_approval(world: World, firm: Verifier) -> None:
    """A digest of the screen without the tick does not approve the one with it, and the other way round."""
    sharer, made = await Sharer.with_certificate(world), ask(firm)
    share_id = await sharer.begin(made.link)
    without = sharer.decision(share_id).digest
    ticked = sharer.choose(share_id, Chosen(recheck=True)).digest
    assert without != ticked

    for chosen, digest in ((Chosen(recheck=True), without), (Chosen(), ticked)):
        sharer.choose(share_id, chosen)
        with pytest.raises(ShownSomethingElse):
            await sharer.sharing.approve(
                sharer.vault, share_id, language="en", approved_digest=digest, passphrase=PASSPHRASE
            )
    assert firm.result(made.id).answered_at is None


async def test_the_receipt_says_what_was_allowed_and_every_check(world: World, firm: Verifier) -> None:
    """And the one without a permission says nothing of any."""
    sharer, made, share_id = await allowed(world, firm)
    await firm.rechecks.check_again(made.id, actor="test")
    world.clock.move(minutes=1)
    await permissions(world).look(sharer.vault, share_id)

    receipt = check_receipt(signed_receipt(sharer.entry(share_id)))

    assert receipt.standing_permission is not None
    assert receipt.standing_permission.until == made.transaction.recheck_until
    assert "checked_again" in [event.type for event in receipt.events]
    plain = ask(firm)
    other = await sharer.begin(plain.link)
    assert (await sharer.approve(other)).state.value == "delivered"
    assert "standing_permission" not in receipt_of(sharer.entry(other)).claims()


async def test_a_permission_travels_with_the_whole_wallet_and_can_be_ended_from_there(
    world: World, firm: Verifier
) -> None:
    """Another wallet reads the file in: the permission stands there, and its end reaches the recipient."""
    sharer, made, share_id = await allowed(world, firm)
    file = await Portability(world.wallet.deployment).export(sharer.vault, more={}, passphrase=None)
    there = world.wallet_at("other-wallet.example")
    vault = await there.person("Maja")
    await Portability(there.deployment).import_file(vault, file, passphrase="", try_out=lambda *_: None)
    for entry in world.wallet.deployment.trust().entries:
        there.trust(entry)
    moved = Sharer(replace_wallet(world, there), vault, sharer.sharing)

    found = await permissions(moved.world).wish(vault, share_id, PermissionAction.END)

    assert found.is_confirmed
    with pytest.raises(RecheckNotPermitted, match="ended"):
        await firm.rechecks.check_again(made.id, actor="test")


def replace_wallet(world: World, wallet: object) -> World:
    """The same world, seen from another wallet."""
    return SimpleNamespace(wallet=wallet)  # type: ignore[return-value]  # Only the wallet of it is looked at.


async def test_an_entry_with_a_permission_is_not_deleted_before_its_end(world: World, firm: Verifier) -> None:
    """Its key would go with it, and nobody could end it any more."""
    sharer, _, share_id = await allowed(world, firm)
    histories = Histories(world.wallet.deployment)
    with pytest.raises(PermissionStillLasts):
        histories.delete(sharer.vault, share_id)

    await permissions(world).wish(sharer.vault, share_id, PermissionAction.END)
    histories.delete(sharer.vault, share_id)

    assert permissions(world).all(sharer.vault) == []


async def test_a_grant_that_was_lost_is_given_at_the_next_unlock_and_a_pause_goes_after_it(world: World) -> None:
    """The line broke right after the share; meanwhile the person paused: first the one, then the other."""
    sharer, firm = await Sharer.with_certificate(world), Permitted(world)
    with world.network.cut_before("/permissions"):
        share_id = await firm.allowed_by(sharer)
        await permissions(world).wish(sharer.vault, share_id, PermissionAction.PAUSE)
    assert not standing(world, sharer, share_id).is_granted_there
    world.clock.move(hours=2)

    await withdrawals(world).tend(sharer.vault)

    assert [one.claims["action"] for one in firm.wishes] == ["grant", "pause"]
    assert firm.wishes[0].claims["wished_at"] < firm.wishes[1].claims["wished_at"] + 1
    assert standing(world, sharer, share_id).is_confirmed


async def test_a_permission_that_was_ended_before_it_arrived_is_never_given(world: World) -> None:
    """Only the end goes out."""
    sharer, firm = await Sharer.with_certificate(world), Permitted(world)
    with world.network.cut_before("/permissions"):
        share_id = await firm.allowed_by(sharer)
        await permissions(world).wish(sharer.vault, share_id, PermissionAction.END)
    world.clock.move(hours=2)

    await withdrawals(world).tend(sharer.vault)

    assert [one.claims["action"] for one in firm.wishes] == ["end"]


async def test_nothing_is_asked_more_often_than_once_an_hour(world: World) -> None:
    """Unlocking again and again tells the recipient nothing of the person's day."""
    sharer, firm = await Sharer.with_certificate(world), Permitted(world)
    await firm.allowed_by(sharer)
    for _ in range(3):
        await withdrawals(world).tend(sharer.vault)
    asked = len(firm.wishes)
    world.clock.move(hours=1)
    await withdrawals(world).tend(sharer.vault)

    assert (asked, len(firm.wishes)) == (2, 3)


async def test_a_share_of_before_has_no_permission_and_can_be_taken_back(world: World) -> None:
    """What was kept before standing permissions came lacks their members."""
    sharer, firm = await Sharer.with_certificate(world), Permitted(world)
    share_id = await firm.shared_by(sharer)
    means = withdrawals(world).means(sharer.vault, share_id)
    assert means is not None
    old = {name: value for name, value in means.as_json().items() if not name.startswith("permission_")}

    assert Means.from_json(old) == means
    assert permissions(world).all(sharer.vault) == []
