"""What the issuer says now counts before a decision is shown, and after an answer that was not accepted."""

import asyncio

import httpx2
import pytest

from issuer.status import Status
from proofs.formats.sd_jwt import parse_sd_jwt
from service.i18n import load_catalogues
from tests.wallet.fake_verifier import FakeVerifier, notice, query
from tests.wallet.pages.test_share_pages import confirm, decide, look, person, text_of
from tests.wallet.people import Sharer
from tests.wallet.test_pages import send
from tests.world import PASSPHRASE, World
from wallet.consent import CannotSatisfy, ShownSomethingElse
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


async def test_what_was_revoked_minutes_ago_is_told_although_the_list_may_still_be_kept(
    world: World, employer: FakeVerifier
) -> None:
    """The list says that it may be kept for five minutes; whoever decides about showing is told what holds now."""
    sharer = await Sharer.with_certificate(world)
    world.clock.move(minutes=2)
    change(world, Status.REVOKED)

    decision = sharer.decision(await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link()))

    assert [lack.obstacle for lack in decision.lacks] == [Obstacle.REVOKED]


async def test_what_is_revoked_while_the_person_reads_is_not_shared(world: World, employer: FakeVerifier) -> None:
    """The look at the moment of the decision finds it: nothing is sent, and the person is told."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    seen = sharer.decision(share_id)
    world.clock.move(minutes=2)
    change(world, Status.REVOKED)

    with pytest.raises(CannotSatisfy):
        await sharer.sharing.approve(
            sharer.vault, share_id, language="en", approved_digest=seen.digest, passphrase=PASSPHRASE
        )

    assert employer.answers == []
    assert sharer.decision(share_id).lacks[0].obstacle is Obstacle.REVOKED


async def test_a_list_that_cannot_be_had_at_the_decision_is_said_and_never_passed(
    world: World, employer: FakeVerifier
) -> None:
    """What was read two minutes ago could be kept, and is not passed off as what holds now: it is shown once more."""
    sharer = await Sharer.with_certificate(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    seen = sharer.decision(share_id)
    world.clock.move(minutes=2)
    with world.network.cut_before("/status/1"):
        with pytest.raises(ShownSomethingElse):
            await sharer.sharing.approve(
                sharer.vault, share_id, language="en", approved_digest=seen.digest, passphrase=PASSPHRASE
            )
        assert employer.answers == []
        again = sharer.decision(share_id)
        assert WarningKind.STATUS_UNKNOWN in [warned.kind for warned in again.warned]
        # Warned of it, the person may share it all the same.
        assert (await sharer.approve(share_id)).state is DeliveryState.DELIVERED


async def test_the_decision_says_from_when_the_status_is_known(world: World, employer: FakeVerifier) -> None:
    """Looked into later, a list tells of the moment when it was read; one that could not be had tells that."""
    browser = person(world)
    read_at = world.clock()
    world.clock.move(seconds=30)
    page = text_of(look(browser, employer.ask(query(["family_name"]), notice=notice()).link()))
    english = load_catalogues().translator("en")
    assert f"The issuer had not revoked it on {english.moment(read_at)}." in page

    world.clock.move(minutes=2)
    with world.network.cut_before("/status/1"):
        page = text_of(look(browser, employer.ask(query(["family_name"]), notice=notice()).link()))
    assert f"We last tried to find out on {english.moment(world.clock())}." in page
    assert "had not revoked it" not in page


@pytest.mark.parametrize(("seconds", "asked"), [(9, 0), (10, 1)])
async def test_how_old_a_list_may_be_at_a_decision_is_a_setting(
    world: World, employer: FakeVerifier, seconds: int, asked: int
) -> None:
    """The bound is what the operator says, to the second."""
    sharer = await Sharer.with_certificate(world)
    deployment = world.wallet.deployment
    deployment.settings = deployment.settings.model_copy(update={"decision_status_seconds": 10})
    before = world.network.asked("/status/")
    world.clock.move(seconds=seconds)

    await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())

    assert world.network.asked("/status/") == before + asked


async def test_a_list_is_kept_for_its_time(world: World, employer: FakeVerifier) -> None:
    """Requests that come close together ask the issuer once, not once each."""
    sharer = await Sharer.with_certificate(world)
    before = world.network.asked("/status/")
    world.clock.move(seconds=59)
    for _ in range(3):
        await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    assert world.network.asked("/status/") == before
    world.clock.move(seconds=1)
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


@pytest.mark.parametrize("language", ["en", "sv"])
@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.REVOKED, {"en": "Later revoked by the issuer:", "sv": "Senare återkallat av utfärdaren:"}),
        (Status.SUSPENDED, {"en": "Later paused by the issuer:", "sv": "Senare pausat av utfärdaren:"}),
    ],
)
def test_a_share_says_what_became_of_its_certificate_later(
    world: World, employer: FakeVerifier, language: str, status: Status, words: dict[str, str]
) -> None:
    """One line at the entry, with the day on which the wallet looked; the receipt and what went stay as they were."""
    browser = person(world, language=language)
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())
    confirm(browser, decide(browser, page, "share"))
    entry = page.url.path.rpartition("/")[2]
    assert "no-longer-valid" not in browser.get(f"/history/{entry}").text
    change(world, status)
    world.clock.move(days=1)
    send(browser, browser.get("/"), "/unlock", name="Maja", passphrase=PASSPHRASE)
    browser.get("/")

    shown = browser.get(f"/history/{entry}")

    assert shown.text.count('class="no-longer-valid"') == 1
    assert words[language] in text_of(shown)
    assert {"en": "on 21 November 2026", "sv": "den 21 november 2026"}[language] in text_of(shown)
    assert 'data-outcome="shared"' in shown.text


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
        assert item.lines == (("", shown.claims["cnf"]["jwk"]["x"], ""),)
        keys.append(item.lines)

    assert keys[0] != keys[1]


async def test_before_a_decision_the_lists_of_the_whole_vault_are_asked(world: World, employer: FakeVerifier) -> None:
    """Not those of the certificate that is asked for alone: no issuer learns from it whose certificate is wanted."""
    sharer = await Sharer.with_certificate(world)
    other = world.issuer("college.example")
    world.wallet.trust(other.trust_entry)
    await world.wallet.receive(sharer.vault, other.offer("course-results")[0].offer)
    world.clock.move(minutes=2)
    hosts = ("university.example/status/", "college.example/status/")
    before = [world.network.asked(host) for host in hosts]

    await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())

    assert [world.network.asked(host) for host in hosts] == [count + 1 for count in before]
