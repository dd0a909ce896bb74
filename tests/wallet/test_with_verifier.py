"""Wallet and verifier, both real, over HTTP in one process: asked, decided, verified."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from proofs.trust import entry_from_anchor
from tests.wallet.people import Sharer
from tests.world import World
from verifier.app import create_app
from verifier.exchange import MadeRequest, Verifier
from verifier.requests import Kind
from verifier.settings import VerifierSettings
from wallet.decision import Chosen
from wallet.delivery import DeliveryState
from wallet.ledger import Outcome
from wallet.over_asking import WarningKind

pytestmark = pytest.mark.anyio

HOST = "firm.example"


@pytest.fixture
def firm(world: World) -> Iterator[Verifier]:
    """A verifier that trusts the university, and that the wallet trusts."""
    passphrase = world.directory / "firm-passphrase"
    passphrase.write_text("a passphrase for key files in tests\n", encoding="ascii")
    settings = VerifierSettings(
        data=world.directory / HOST,
        public_url=f"https://{HOST}",
        key_passphrase_file=passphrase,
        name="Exempelbolaget AB",
        name_en="Example Company Ltd",
        contact="dataskydd@firm.example",
    )
    app = create_app(settings, http=world.http(), clock=world.clock)
    world.network.connect(HOST, app)
    verifier: Verifier = app.state.verifier
    verifier.trust.add_entry(world.university.trust_entry, now=world.clock())
    root = next(Path(settings.data).rglob("*.root.pem"))
    world.wallet.trust(entry_from_anchor(root.read_bytes(), name=None, role="verifier"))
    yield verifier
    verifier.database.close()


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
