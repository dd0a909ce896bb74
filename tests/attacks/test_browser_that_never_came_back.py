"""A same-device answer whose browser never came back: its values are deleted, and the person is told what is true."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.withdrawal import Action, Reason
from tests.verifier.scene import Scene
from tests.verifier.test_internship import Applicant
from tests.verifier.withdrawing import act, statement_of, take
from tests.wallet.firm import running_firm
from tests.wallet.people import Sharer
from tests.world import World
from verifier.app import catalogues_of
from verifier.exchange import MadeRequest
from verifier.requests import Kind
from verifier.result_document import result_document
from verifier.store import State
from wallet.delivery import DeliveryState
from wallet.withdrawals import Withdrawals


def unreturned(scene: Scene) -> MadeRequest:
    """An answer that was taken with 200, whose browser stayed away for long enough."""
    made = scene.ask(kind=Kind.SAME_DEVICE)
    assert scene.answer(made, optional=True).status == 200
    scene.now += timedelta(hours=2)
    asyncio.run(scene.verifier.tidy())
    assert scene.result(made).state is State.NOT_RETURNED
    assert scene.verifier.contents(made.id, viewer="test") is None
    return made


def test_what_is_deleted_is_not_said_to_be_kept(tmp_path: Path) -> None:
    """`status` answers `kept` with a date three months ahead, of values that are gone (docs/withdrawal.md)."""
    scene = Scene(tmp_path)
    made = unreturned(scene)

    answer = take(scene, act(scene, made, "status"))

    assert answer.members.get("state") != "kept"


def test_there_is_a_statement_at_once_and_whoever_asked_is_told_nothing_of_it(tmp_path: Path) -> None:
    """It names what was shared, of somebody of whom the asking side knows nothing and had nothing."""
    scene = Scene(tmp_path)
    made = unreturned(scene)

    statement = statement_of(take(scene, act(scene, made, "status")), scene, made)

    assert ("certificate", "family_name") in {(one.credential, *one.path) for one in statement.items}
    assert statement.informed == ()
    store = scene.verifier.deletions.store
    assert store.since(0, maker="test", limit=10) == []
    document = result_document(
        scene.result(made),
        contents=None,
        deletion=store.of_request(made.id)[0],
        catalogues=catalogues_of(scene.settings),
        time_zone=scene.settings.time_zone,
    )
    assert document["deletion"] is None


def test_at_the_end_of_retention_there_is_a_statement(tmp_path: Path) -> None:
    """CS-38: also of what went earlier than was promised. Without it the wallet reminds the person for ever."""
    scene = Scene(tmp_path)
    made = unreturned(scene)
    scene.now += timedelta(days=200)
    asyncio.run(scene.verifier.tidy())

    answer = take(scene, act(scene, made, "status"))

    assert answer.token, answer
    assert statement_of(answer, scene, made).reason is Reason.RETENTION


@pytest.mark.anyio
async def test_the_person_is_not_told_that_a_statement_is_missing(world: World) -> None:
    """Both of ours together: the verifier deleted at once; the wallet's first page accuses it after the day."""
    with running_firm(world) as firm:
        sharer = await Sharer.with_certificate(world)
        made = firm.make_request(firm.templates()["employer-micro-credential"], kind=Kind.SAME_DEVICE, maker="test")
        share_id = await sharer.begin(made.link)
        await sharer.approve(share_id)
        world.clock.move(days=200)
        await firm.tidy()

        found = await Withdrawals(world.wallet.deployment).look(sharer.vault, share_id)

        assert not found.misses_statement


@pytest.mark.anyio
async def test_who_rejected_an_answer_and_kept_nothing_owes_no_deletion(world: World) -> None:
    """A check failed: 400, no value is kept, no key is remembered. The wallet offers to take it back all the same, is
    told that there is no such share, and after a month has a complaint to the authority ready."""
    with running_firm(world) as firm:
        entry = world.university.trust_entry
        firm.trust.remove(entry.id)
        firm.trust.add_entry(replace(entry, types=("urn:of:something:else",)), now=world.clock())
        sharer = await Sharer.with_certificate(world)
        made = firm.make_request(firm.templates()["employer-micro-credential"], kind=Kind.CROSS_DEVICE, maker="test")
        share_id = await sharer.begin(made.link)
        assert (await sharer.approve(share_id)).state is DeliveryState.NOT_ACCEPTED
        assert firm.contents(made.id, viewer="test") is None
        withdrawals = Withdrawals(world.wallet.deployment)

        await withdrawals.wish(sharer.vault, share_id, Action.WITHDRAW, chosen=None, language="en")
        world.clock.move(days=32)
        found = await withdrawals.look(sharer.vault, share_id)

        assert not found.is_overdue, found.state


def test_of_a_no_in_order_nothing_is_kept_and_nothing_is_said_to_be(tmp_path: Path) -> None:
    """Somebody who is not in the target group shared, was told *not eligible*, and came back. Nothing of it
    is kept (`verifier.judging`); `status` says `kept` until the retention date, and no statement ever comes."""
    applicant = Applicant(tmp_path)
    applicant.hold(target={"in_target_group": False})
    made = applicant.ask("internship", kind=Kind.SAME_DEVICE)
    request = applicant.fetch(made)
    token = {name: [applicant.presentation(request, name)] for name in ("registration", "target-group", "course")}
    reply = applicant.post(made, applicant.form(request, {"vp_token": token}))
    assert reply.status == 200
    code = reply.members["redirect_uri"].partition("response_code=")[2]
    assert applicant.verifier.redeem(code, binding="") == made.id
    assert applicant.verifier.contents(made.id, viewer="test") is None

    said = take(applicant, act(applicant, made, "status"))
    applicant.now += timedelta(days=400)
    asyncio.run(applicant.verifier.tidy())
    later = take(applicant, act(applicant, made, "status"))

    assert said.members.get("state") != "kept"
    assert later.token, later
