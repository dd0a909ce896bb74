"""Wallet and verifier, both real, over HTTP in one process: asked, decided, verified."""

from collections.abc import Iterator

import pytest

from schemas.withdrawal import Action
from tests.wallet.firm import HOST, running_firm
from tests.wallet.people import Sharer
from tests.world import World
from verifier.app import catalogues_of
from verifier.exchange import MadeRequest, Verifier
from verifier.request_templates import parse_template
from verifier.requests import Kind
from verifier.result_document import result_document
from wallet.decision import Chosen
from wallet.delivery import DeliveryState
from wallet.ledger import Outcome
from wallet.over_asking import WarningKind
from wallet.receipts import check_receipt, confirmation
from wallet.taking_back import State
from wallet.withdrawals import Withdrawals

pytestmark = pytest.mark.anyio


@pytest.fixture
def firm(world: World) -> Iterator[Verifier]:
    """A verifier that trusts the university, and that the wallet trusts."""
    with running_firm(world) as made:
        yield made


def ask(firm: Verifier, template: str = "employer-micro-credential", kind: Kind = Kind.CROSS_DEVICE) -> MadeRequest:
    """Make a request from a built-in template."""
    return firm.make_request(firm.templates()[template], kind=kind, maker="test")


async def test_an_employer_sees_what_the_person_agreed_to(world: World, firm: Verifier) -> None:
    """The whole way: the request is read with its notice, one optional part is ticked, and every check holds."""
    sharer = await Sharer.with_certificate(world)
    made = ask(firm)

    share_id = await sharer.begin(made.link)
    decision = sharer.decision(share_id)
    sharer.choose(share_id, Chosen(ticked=frozenset({decision.optional[0].index})))
    delivery = await sharer.approve(share_id)

    assert (decision.checked.identity.level, decision.checked.identity.legal_name) == (
        "certificate",
        "Exempelbolaget AB",
    )
    assert decision.checked.stated is not None
    assert decision.checked.stated.signed
    # Its key was made today, and nobody here has met it: of what it asks there is nothing to say.
    assert [warned.kind for warned in decision.warnings] == [WarningKind.YOUNG_CERTIFICATE]
    assert delivery.state is DeliveryState.DELIVERED
    assert delivery.redirect_uri is None
    record = firm.result(made.id)
    assert record.is_accepted, record
    assert sharer.entry(share_id).outcome is Outcome.SHARED


async def test_a_transcript_is_shared_course_by_course(world: World, firm: Verifier) -> None:
    """`course-results`: nested items are disclosed with what they need and verified."""
    sharer = await Sharer.with_certificate(world, "course-results")
    made = ask(firm, "course-results")

    delivery = await sharer.approve(await sharer.begin(made.link))

    assert delivery.state is DeliveryState.DELIVERED
    assert firm.result(made.id).is_accepted


async def test_a_no_reaches_the_verifier(world: World, firm: Verifier) -> None:
    """The verifier's request ends with a no, without a reason."""
    sharer = await Sharer.with_certificate(world)
    made = ask(firm)

    delivery = await sharer.refuse(await sharer.begin(made.link))

    assert delivery.state is DeliveryState.DELIVERED
    record = firm.result(made.id)
    assert not record.is_accepted
    assert record.wallet_error == "access_denied"


async def test_in_the_same_device_flow_the_person_is_sent_back(world: World, firm: Verifier) -> None:
    """The answer names where to go on, with a code that only this browser gets."""
    sharer = await Sharer.with_certificate(world)
    made = ask(firm, kind=Kind.SAME_DEVICE)

    delivery = await sharer.approve(await sharer.begin(made.link))

    assert delivery.redirect_uri is not None
    assert delivery.redirect_uri.startswith(f"https://{HOST}/")


async def test_an_answer_sent_again_changes_nothing(world: World, firm: Verifier) -> None:
    """After a lost reply the same bytes get the same reply (D06)."""
    sharer = await Sharer.with_certificate(world)
    made = ask(firm)
    share_id = await sharer.begin(made.link)

    with world.network.lose_answer(f"/response/{made.transaction.handle}"):
        first = await sharer.approve(share_id)
    again = await sharer.sharing.send_again(sharer.vault, share_id)

    assert (first.state, again.state) == (DeliveryState.UNKNOWN, DeliveryState.DELIVERED)
    assert firm.result(made.id).is_accepted


async def test_an_answer_sent_again_too_late_is_never_told_as_not_accepted(world: World, firm: Verifier) -> None:
    """They have had it since the first time and refuse it now: who shared must not read that nothing came of it."""
    sharer = await Sharer.with_certificate(world)
    made = ask(firm)
    share_id = await sharer.begin(made.link)
    with world.network.lose_answer(f"/response/{made.transaction.handle}"):
        await sharer.approve(share_id)
    world.clock.move(minutes=2)

    with world.network.cut_before(f"/response/{made.transaction.handle}"):
        never_left = await sharer.sharing.send_again(sharer.vault, share_id)
    assert never_left.state is DeliveryState.UNKNOWN
    again = await sharer.sharing.send_again(sharer.vault, share_id)

    assert firm.result(made.id).is_accepted
    assert (again.state, sharer.entry(share_id).outcome) == (DeliveryState.UNKNOWN, Outcome.UNKNOWN)
    assert not sharer.sharing.can_send_again(sharer.vault, share_id), "they have said all they will say"
    done = await Withdrawals(world.wallet.deployment).wish(
        sharer.vault, share_id, Action.WITHDRAW, chosen=None, language="sv"
    )
    assert done.state is State.DONE, "it can be taken back like any other"


async def test_cs36_taken_back_and_stated_by_a_real_verifier(world: World, firm: Verifier) -> None:
    """The whole way over HTTP: the values are gone there, and the signed statement stands here with its dates."""
    sharer = await Sharer.with_certificate(world)
    made = ask(firm)
    share_id = await sharer.begin(made.link)
    await sharer.approve(share_id)

    found = await Withdrawals(world.wallet.deployment).wish(
        sharer.vault, share_id, Action.WITHDRAW, chosen=None, language="en"
    )

    assert found.state is State.DONE
    assert found.is_gone
    ((_, statement),) = found.statements
    assert statement.deleted_at == world.clock().timestamp()
    assert firm.result(made.id).withdrawn_at == world.clock()
    assert firm.contents(made.id, viewer="test") is None


async def test_cs29_a_real_verifier_confirms_the_receipt(world: World, firm: Verifier) -> None:
    """Handed in by itself after the answer; what is confirmed are the very bytes that both sides keep."""
    sharer = await Sharer.with_certificate(world)
    made = ask(firm)
    share_id = await sharer.begin(made.link)
    await sharer.approve(share_id)

    kept = confirmation(sharer.entry(share_id))

    assert kept is not None
    assert check_receipt(kept["receipt_jwt"]).record_id == share_id
    assert kept["countersignature"].count(".") == 2
    theirs = firm.deletions.store.receipt(made.id)
    assert theirs is not None
    assert (theirs.receipt_jwt, theirs.countersignature) == (kept["receipt_jwt"], kept["countersignature"])


async def test_a_receipt_is_confirmed_where_a_certificate_was_asked_for_without_any_item(
    world: World, firm: Verifier
) -> None:
    """As in `internship`: of the study record only what always shows is wanted, and no receipt names an item of it."""
    sharer = await Sharer.with_certificate(world)
    template = firm.templates()["employer-micro-credential"].model_dump(mode="json", exclude_defaults=True)
    for credential in template["credentials"]:
        credential.pop("items", None)
        credential.pop("optional", None)
    made = firm.make_request(parse_template(template), kind=Kind.CROSS_DEVICE, maker="test")
    share_id = await sharer.begin(made.link)
    await sharer.approve(share_id)
    assert firm.result(made.id).is_accepted

    kept = confirmation(sharer.entry(share_id))

    assert kept is not None
    assert check_receipt(kept["receipt_jwt"]).items == ()


async def test_cs35_a_real_verifier_deletes_a_certificate_that_went_without_any_item(
    world: World, firm: Verifier
) -> None:
    """The tick of its own: the signed statement names the certificate and nothing else; the items stay until asked."""
    sharer = await Sharer.with_certificate(world, "course-results", "micro-credential")
    template = firm.templates()["employer-micro-credential"].model_dump(mode="json", exclude_defaults=True)
    vct = "urn:intyga:credential:course-results:1"
    items = [{"path": ["family_name"], "reason": {"sv": "Vem det gäller.", "en": "Whom it is about."}}]
    bare = {"id": "course", "vct": template["credentials"][0]["vct"]}
    template["credentials"] = [{"id": "transcript", "vct": [vct], "items": items}, bare]
    made = firm.make_request(parse_template(template), kind=Kind.CROSS_DEVICE, maker="test")
    share_id = await sharer.begin(made.link)
    await sharer.approve(share_id)
    after = Withdrawals(world.wallet.deployment)

    found = await after.wish(sharer.vault, share_id, Action.ERASE, chosen=(1,), language="en")

    (statement,) = [one for _, one in found.statements]
    assert [(one.credential, one.path, one.label.en) for one in statement.items] == [
        ("course", (), "Short course certificate")
    ]
    assert (found.state, found.is_gone) == (State.DONE, False)
    left = firm.contents(made.id, viewer="test")
    assert left is not None
    assert [one.query_id for one in left.presentations] == ["transcript"]
    rest = await after.wish(sharer.vault, share_id, Action.ERASE, chosen=(0,), language="en")
    assert rest.is_gone
    assert firm.contents(made.id, viewer="test") is None


async def test_cs38_the_real_verifier_states_the_end_of_retention(world: World, firm: Verifier) -> None:
    """The person asked for nothing: after the last day the wallet fetches the statement at the next unlock."""
    sharer = await Sharer.with_certificate(world)
    made = ask(firm, kind=Kind.CROSS_DEVICE)
    share_id = await sharer.begin(made.link)
    await sharer.approve(share_id)
    last = sharer.entry(share_id).retention_until
    assert last is not None
    world.clock.move(days=(last - world.clock().date()).days + 1)
    assert Withdrawals(world.wallet.deployment).standing(sharer.entry(share_id)).misses_statement
    await firm.tidy()

    await Withdrawals(world.wallet.deployment).tend(sharer.vault)

    found = Withdrawals(world.wallet.deployment).standing(sharer.entry(share_id))
    assert (found.state, found.misses_statement) == (State.DONE, False)
    assert found.statements[0][1].reason.value == "retention"


async def test_a_declaration_is_confirmed_and_stands_in_both_receipts(world: World, firm: Verifier) -> None:
    """Shown, signed, verified, told to programs, and counter-signed with the receipt."""
    sharer = await Sharer.with_certificate(world)
    text = {"sv": "Min ansökan är fullständig och sann.", "en": "My application is complete and true."}
    template = firm.templates()["employer-micro-credential"].model_dump(mode="json", exclude_defaults=True)
    made = firm.make_request(parse_template(template | {"declaration": text}), kind=Kind.CROSS_DEVICE, maker="test")

    share_id = await sharer.begin(made.link)
    await sharer.approve(share_id)

    record = firm.result(made.id)
    assert record.is_accepted
    told = result_document(
        record, contents=None, deletion=None, catalogues=catalogues_of(firm.settings), time_zone="Europe/Stockholm"
    )
    assert told["declaration"] == text
    kept = confirmation(sharer.entry(share_id))
    assert kept is not None
    assert [one.model_dump() for one in check_receipt(kept["receipt_jwt"]).declarations] == [text]
