"""What the issuer says now counts before a decision is shown, and after an answer that was not accepted."""

import asyncio

import httpx2
import pytest

from issuer.status import Status
from proofs.formats.sd_jwt import parse_sd_jwt
from tests.wallet.fake_verifier import FakeVerifier, notice, query
from tests.wallet.pages.test_share_pages import confirm, decide, look, person, text_of
from tests.wallet.people import Sharer
from tests.world import World
from wallet.decision import Obstacle
from wallet.delivery import DeliveryState
from wallet.over_asking import WarningKind

pytestmark = pytest.mark.anyio


@pytest.fixture
def employer(world: World) -> FakeVerifier:
    """A verifier that the wallet trusts."""
    made = FakeVerifier(world)
    world.wallet.trust(made.trust_entry)
    return made


def change(world: World, status: Status) -> None:
    """The registrar revokes or pauses everything that was issued."""
    context = world.university.context
    issued = [one.id for one in context.store.status.list_issued(limit=10)]
    context.store.status.change(issued, status, publishing=context.publishing, reason="", now=world.clock())


@pytest.mark.parametrize(
    ("status", "obstacle"), [(Status.REVOKED, Obstacle.REVOKED), (Status.SUSPENDED, Obstacle.SUSPENDED)]
)
async def test_a_revoked_certificate_is_not_proposed(
    world: World, employer: FakeVerifier, status: Status, obstacle: Obstacle
) -> None:
    """A list that is older than it says it may be is fetched anew before anything is shown."""
    sharer = await Sharer.with_certificate(world)
    world.clock.move(minutes=6)
    change(world, status)

    decision = sharer.decision(await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link()))

    assert not decision.is_satisfiable
    assert [lack.obstacle for lack in decision.lacks] == [obstacle]


async def test_a_list_is_kept_for_its_time(world: World, employer: FakeVerifier) -> None:
    """Requests that come close together ask the issuer once, not once each: it would see who shows something when."""
    sharer = await Sharer.with_certificate(world)
    before = world.network.asked("/status/")
    for _ in range(3):
        await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    assert world.network.asked("/status/") == before
    world.clock.move(minutes=6)
    for _ in range(3):
        await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())

    assert world.network.asked("/status/") == before + 1


async def test_what_cannot_be_checked_is_a_warning_and_no_obstacle(world: World, employer: FakeVerifier) -> None:
    """The person may share it; the issuer is not asked again at every look, and what was revoked stays revoked."""
    sharer = await Sharer.with_certificate(world)
    world.clock.move(minutes=6)
    before = world.network.asked("/status/")
    with world.network.cut_before("/status/1"):
        share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
        decision = sharer.decision(share_id)
        await sharer.sharing.look_anew(sharer.vault)

    assert decision.is_satisfiable
    assert WarningKind.STATUS_UNKNOWN in [warned.kind for warned in decision.warnings]
    assert world.network.asked("/status/") == before + 1

    world.clock.move(minutes=6)
    change(world, Status.REVOKED)
    await sharer.sharing.look_anew(sharer.vault)
    assert sharer.certificate.status == "revoked"
    world.clock.move(minutes=6)
    with world.network.cut_before("/status/1"):
        await world.wallet.deployment.check_now(sharer.vault, sharer.certificate)
    assert sharer.certificate.status == "revoked"


async def test_an_issuer_that_does_not_answer_holds_nobody_up(
    world: World, employer: FakeVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a few seconds the decision is shown with a warning, whatever the issuer does."""
    monkeypatch.setattr("wallet.deployment.standing.HURRY_SECONDS", 0.2)
    sharer = await Sharer.with_certificate(world)
    world.clock.move(minutes=6)
    handle = world.network.handle_async_request

    async def slow(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/status/1":
            await asyncio.sleep(5)
        return await handle(request)

    monkeypatch.setattr(world.network, "handle_async_request", slow)
    # Whoever waits for this answer learns that the status is known, and would not be warned.
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())

    assert sharer.decision(share_id).is_satisfiable
    assert WarningKind.STATUS_UNKNOWN in [warned.kind for warned in sharer.decision(share_id).warnings]


@pytest.mark.parametrize(("status", "word"), [(Status.REVOKED, "revoked"), (Status.SUSPENDED, "paused")])
def test_after_an_answer_that_was_not_accepted_the_page_says_why_it_may_be(
    world: World, employer: FakeVerifier, status: Status, word: str
) -> None:
    """The issuer revoked it after it was shown as valid: the newest list is asked, and the page tells what it says."""
    browser = person(world)
    employer.reply_status = 400
    page = decide(browser, look(browser, employer.ask(query(["family_name"]), notice=notice()).link()), "share")
    change(world, status)

    outcome = text_of(confirm(browser, page))

    assert "did not accept the answer" in outcome
    assert f"The issuer has {word} Computer Security for Health Care Systems. That may be why." in outcome


def test_an_answer_that_was_not_accepted_for_another_reason_accuses_nobody(
    world: World, employer: FakeVerifier
) -> None:
    """The certificate holds: nothing is said about it."""
    browser = person(world)
    employer.reply_status = 400
    page = decide(browser, look(browser, employer.ask(query(["family_name"]), notice=notice()).link()), "share")

    assert "That may be why" not in text_of(confirm(browser, page))


async def test_what_differs_per_copy_is_shown_from_the_copy_that_goes(world: World, employer: FakeVerifier) -> None:
    """The key of a one-time copy can be asked for, every time: what is shown is of the copy that will be sent."""
    sharer = await Sharer.with_certificate(world)
    keys = []
    for _ in range(2):
        share_id = await sharer.begin(employer.ask(query(["cnf", "jwk", "x"]), notice=notice()).link())
        (item,) = sharer.decision(share_id).items
        assert (await sharer.approve(share_id)).state is DeliveryState.DELIVERED
        shown = parse_sd_jwt(employer.answers[-1]["vp_token"]["certificate"][0])
        assert item.lines == (("", shown.claims["cnf"]["jwk"]["x"]),)
        keys.append(item.lines)

    assert keys[0] != keys[1]
