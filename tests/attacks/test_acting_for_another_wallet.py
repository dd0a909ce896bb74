"""Acting for another in the wallet: what it may not show, for whom, and to whom (consent.md, CS-42)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from proofs.formats.sd_jwt import parse_sd_jwt
from schemas.errors import NotFound
from schemas.learning.achievement import Learner
from schemas.power import MAJORITY, holds_on, read_power
from service.i18n import load_catalogues
from tests.wallet.acting import EITHER, LINA, NAMES, OMAR, POWER, REGISTRATION, SARA, WITH_POWER, Agent, power_for
from tests.wallet.fake_verifier import FakeVerifier, credential, known_verifier, query
from tests.world import World
from wallet.certificates import StoredCertificate
from wallet.consent import ActingNotConfirmed, CannotSatisfy, ShownSomethingElse
from wallet.decision import Chosen, Decision, Obstacle, build_decision
from wallet.decision.acting import side_of
from wallet.ledger import Outcome
from wallet.over_asking import Past
from wallet.pages.acting_words import FAULTS, acting_view
from wallet.receipts import check_receipt, receipt_of, signed_receipt

pytestmark = pytest.mark.anyio


async def refused(agent: Agent, verifier: FakeVerifier, share_id: str, *reasons: str) -> None:
    """The power is of no use here, for these reasons; an approval sends nothing all the same."""
    decision = agent.act(share_id)
    assert decision.acting is not None
    assert set(reasons) <= set(decision.acting.faults)
    assert not decision.is_satisfiable
    assert decision.items == ()
    with pytest.raises(CannotSatisfy):
        await agent.approve(share_id)
    assert verifier.forms == []


async def test_the_answer_names_both_and_holds_the_power_beside_the_certificate(world: World) -> None:
    """What the other tests change: both names, by the agent's own keys, in the history and the receipt as well."""
    agent, school = await Agent.with_power(world), known_verifier(world)
    share_id = await agent.asked(school)
    decision = agent.act(share_id)
    assert decision.acting is not None
    assert decision.acting.faults == ()
    await agent.approve(share_id)

    token = school.answers[0]["vp_token"]
    power, registration = parse_sd_jwt(token["power"][0]), parse_sd_jwt(token["registration"][0])
    assert (power.claims["given_name"], power.claims["principal_given_name"]) == ("Omar", "Lina")
    assert "power_basis" not in power.claims
    assert registration.claims["given_name"] == "Lina"
    entry = agent.entry(share_id)
    assert entry.outcome is Outcome.SHARED
    assert entry.acting_for == {
        "principal": "Lina Haddad",
        "agent": "Omar Haddad",
        "power_issuer": agent.powers[0].issuer_name,
        "power_ends_on": "2030-08-18",
    }
    acting = check_receipt(signed_receipt(entry)).acting_for
    assert acting is not None
    assert (acting.agent, acting.principal) == ("Omar Haddad", "Lina Haddad")
    assert "2012-08-19" not in receipt_of(entry).model_dump_json()


async def test_nobodys_certificate_passes_for_the_holders_own(world: World) -> None:
    """A request for a registration is not answered with the daughter's, nor is the power shown unasked."""
    agent, employer = await Agent.with_power(world), known_verifier(world)
    share_id = await agent.asked(employer, query(["registered_status"], vct=REGISTRATION.vct))
    decision = agent.decision(share_id)
    assert not decision.is_satisfiable
    assert [lack.obstacle for lack in decision.lacks] == [Obstacle.ABOUT_ANOTHER]
    assert decision.powers == ()
    await refused(agent, employer, share_id, "power_not_asked")


async def test_a_power_is_not_shown_before_the_person_says_for_whom_they_answer(world: World) -> None:
    """Asked for a power, or for one as an alternative, the wallet proposes none."""
    agent, employer = await Agent.with_power(world), known_verifier(world)
    for asked in (WITH_POWER, EITHER, query(["given_name"], vct=POWER.vct)):
        decision = agent.decision(await agent.asked(employer, asked))
        assert not decision.is_satisfiable
        assert decision.acting is None
        assert [one.held.certificate.id for one in decision.powers] == [agent.powers[0].id]


async def test_who_may_answer_either_way_never_mixes_two_people(world: World) -> None:
    """Omar's own registration for himself, Lina's with the power; no other pairing can be chosen."""
    agent, employer = await Agent.with_power(world, LINA, OMAR), known_verifier(world)
    share_id = await agent.asked(employer, EITHER)
    own, for_lina = agent.decision(share_id), agent.act(share_id)

    def names(groups: Any) -> set[str]:
        return {group.certificate.claims["given_name"] for group in groups if group.certificate.vct != POWER.vct}

    assert own.acting is None
    assert (names(own.groups), names(for_lina.groups)) == ({"Omar"}, {"Lina"})
    assert own.alternatives == ()
    assert for_lina.alternatives == ()
    assert {group.certificate.vct for group in for_lina.groups} == {POWER.vct, REGISTRATION.vct}


async def test_an_answer_for_another_needs_its_own_yes(world: World) -> None:
    """Choosing for whom is no approval; and the yes belongs to what the screen said."""
    agent, employer = await Agent.with_power(world), known_verifier(world)
    share_id = await agent.asked(employer)
    decision = agent.act(share_id, confirmed=False)
    assert decision.misses_acting_yes
    with pytest.raises(ActingNotConfirmed):
        await agent.approve(share_id)
    agent.choose(share_id, replace(decision.chosen, acting_confirmed=True))
    with pytest.raises(ShownSomethingElse):
        await agent.sharing.approve(
            agent.vault, share_id, language="en", approved_digest=decision.digest, passphrase="x"
        )
    assert employer.forms == []


@pytest.mark.parametrize(
    ("power", "reason"),
    [
        ({"ends_on": "2026-06-30"}, "power_ended"),
        ({"begins_on": "2027-01-01"}, "power_not_begun"),
        ({"covers_types": [POWER.vct.replace("power-of-representation", "employment")]}, "power_other_kind"),
        ({"covers_recipients": ["school.example"]}, "power_other_recipient"),
        ({"agents_needed": 2}, "power_needs_others"),
    ],
)
async def test_a_power_beyond_its_limits_is_refused(world: World, power: dict[str, Any], reason: str) -> None:
    """Over, not begun, for something or somebody else, or held together with another agent."""
    agent, employer = await Agent.with_power(world, **power), known_verifier(world)
    await refused(agent, employer, await agent.asked(employer), reason)


async def test_access_ends_by_itself_on_the_last_day(world: World) -> None:
    """A request that is open at midnight can no longer be approved."""
    agent, employer = await Agent.with_power(world, ends_on=world.clock().date().isoformat()), known_verifier(world)
    decision = agent.act(await agent.asked(employer))
    assert decision.acting is not None
    assert decision.acting.faults == ()
    world.clock.move(days=1)
    await refused(agent, employer, await agent.asked(employer), "power_ended")


async def test_somebody_who_cannot_be_named_for_sure_is_outside_a_power_for_named_recipients(world: World) -> None:
    """A sender that nobody vouches for; the name that it gives itself counts for nothing."""
    agent, employer = await Agent.with_power(world), FakeVerifier(world)
    await refused(agent, employer, await agent.asked(employer), "power_recipient_unknown")


async def test_another_persons_certificate_is_not_covered(world: World) -> None:
    """Sara is the other child: the power for Lina does not reach her."""
    agent, employer = await Agent.with_power(world, SARA), known_verifier(world)
    decision = agent.act(await agent.asked(employer))
    assert not decision.is_satisfiable
    assert {lack.obstacle for lack in decision.lacks} == {Obstacle.NOT_ABOUT_THEM}


async def test_a_power_from_another_agent_is_refused(world: World) -> None:
    """Omar acts for Lina, and Sara for Omar: in Sara's hand both are no way to Lina."""
    agent, employer = await Agent.with_power(world), known_verifier(world)
    await agent.receive_power(OMAR, agent=SARA, power_basis="power_of_attorney", covers_types=["all"])
    lina = next(one for one in agent.powers if one.claims["principal_given_name"] == "Lina")
    share_id = await agent.asked(employer)
    decision = agent.act(share_id, lina)
    assert decision.acting is not None
    assert "power_chained" in decision.acting.faults
    assert not decision.is_satisfiable


async def test_a_power_that_nobody_vouches_for_is_refused(world: World) -> None:
    """Kept after a warning, as any certificate of an unknown issuer; shown, never."""
    agent, employer = await Agent.with_power(world), known_verifier(world)
    stored = agent.powers[0]
    untrusted = replace(stored, issuer_trusted=False)
    assert _faults(agent, await agent.asked(employer), untrusted) == ("power_issuer_unknown",)


@pytest.mark.parametrize("status", ["unknown", "none"])
async def test_a_power_whose_status_could_not_be_checked_is_refused(world: World, status: str) -> None:
    """Could not check is never passed; nor is a power that nobody could take back."""
    agent, employer = await Agent.with_power(world), known_verifier(world)
    changed = replace(agent.powers[0], status=status)
    assert _faults(agent, await agent.asked(employer), changed) == ("power_status_unknown",)


@pytest.mark.parametrize(
    ("status", "reason", "sentence"),
    [
        ("revoked", "power_revoked", "The power has ended."),
        ("suspended", "power_paused", "The power is paused for now."),
    ],
)
async def test_a_power_that_was_taken_back_or_paused_is_refused_and_says_so(
    world: World, status: str, reason: str, sentence: str
) -> None:
    """The power of one guardian ends without that of the other; the child's certificate stays where it is, unusable."""
    agent, employer = await Agent.with_power(world), known_verifier(world)
    changed = replace(agent.powers[0], status=status)
    decision = _with(agent, await agent.asked(employer), changed)
    assert not decision.is_satisfiable
    assert Obstacle(status) in {lack.obstacle for lack in decision.lacks}
    assert decision.acting is not None
    assert decision.acting.faults == (reason,)
    assert FAULTS[reason] == sentence
    assert [one.faults for one in decision.powers] == [(reason,)]
    before = replace(decision, acting=None)
    assert [one["over"] for one in acting_view(before, load_catalogues().translator("en"))["powers"]] == [sentence]


def _with(agent: Agent, share_id: str, power: StoredCertificate) -> Decision:
    """The decision with this in place of the power in the vault."""
    return build_decision(
        agent.decision(share_id).checked,
        [power, *(one for one in agent.vault.certificates() if one.id != power.id)],
        Chosen(acting_for=power.id, acting_confirmed=True),
        past=Past(),
        share_id=share_id,
        salt=b"salt",
        language="en",
        now=agent.world.clock(),
        time_zone="Europe/Stockholm",
    )


def _faults(agent: Agent, share_id: str, power: StoredCertificate) -> tuple[str, ...]:
    decision = _with(agent, share_id, power)
    assert not decision.is_satisfiable
    assert decision.acting is not None
    return decision.acting.faults


@pytest.mark.parametrize(("child", "faults"), [(LINA, ("power_decides_alone",)), (SARA, ())])
async def test_from_13_on_a_child_gives_its_own_consent(world: World, child: Learner, faults: tuple[str, ...]) -> None:
    """Consent is not given by a guardian any more from that birthday on; before, it is."""
    agent, employer = await Agent.named(world), known_verifier(world)
    assert isinstance(agent, Agent)
    await agent.receive_power(child)
    await agent.receive_registration(child)
    decision = agent.act(await agent.asked(employer, basis="consent"))
    assert decision.acting is not None
    assert decision.acting.faults == faults


async def test_a_request_that_does_not_ask_who_acts_for_whom_is_not_answered_for_another(world: World) -> None:
    """Without both names the recipient could take one for the other."""
    agent, employer = await Agent.with_power(world), known_verifier(world)
    unnamed = credential(*([name] for name in NAMES if name != "given_name"), query_id="power", vct=POWER.vct)
    asked = {"credentials": [unnamed, WITH_POWER["credentials"][1]]}
    await refused(agent, employer, await agent.asked(employer, asked), "power_names_not_asked")


async def test_no_later_checks_are_allowed_for_another(world: World) -> None:
    """What outlasts the share would outlast the power."""
    agent, employer = await Agent.with_power(world), known_verifier(world)
    decision = agent.act(await agent.asked(employer))
    assert decision.recheck is None


async def test_a_power_over_oneself_locks_nothing(world: World) -> None:
    """A forged "power" that names its own holder as the one acted for does not take their certificates out of use."""
    agent = await Agent.with_power(world, OMAR)
    power = agent.powers[0]
    own = next(one for one in agent.vault.certificates() if one.id != power.id)
    over_oneself = {f"principal_{name}": power.claims[name] for name in ("family_name", "given_name", "birthdate")}
    forged = replace(power, claims={**power.claims, **over_oneself})
    assert side_of([forged, own], "").obstacle(own) is None
    assert side_of([forged, own], "").obstacle(forged) is Obstacle.POWER_NOT_CHOSEN


NEARLY_MIDNIGHT = datetime(2026, 11, 20, 22, 58, tzinfo=UTC)
"""Two minutes before midnight in Stockholm, where this wallet's days begin."""


@pytest.mark.parametrize(
    ("child", "power", "basis"),
    [
        (LINA, {"ends_on": "2026-11-20"}, "public_task"),
        (Learner(family_name="Haddad", given_name="Nour", birth_date=date(2013, 11, 21)), {}, "consent"),
        (Learner(family_name="Haddad", given_name="Adam", birth_date=date(2008, 11, 21)), {}, "public_task"),
    ],
)
async def test_a_power_that_ends_between_decision_and_sending_sends_nothing(
    world: World, child: Learner, power: dict[str, Any], basis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Midnight passes while the person confirms: over, or the child turns 13 (consent) or 18. Nothing is written."""
    world.clock.now = NEARLY_MIDNIGHT
    assert child.birth_date is not None
    last = child.birth_date.replace(year=child.birth_date.year + MAJORITY) - timedelta(days=1)
    agent, employer = await Agent.named(world), known_verifier(world)
    assert isinstance(agent, Agent)
    await agent.receive_power(child, **({"ends_on": last.isoformat()} | power))
    await agent.receive_registration(child)
    share_id = await agent.asked(employer, basis=basis)
    decision = agent.act(share_id)
    assert decision.acting is not None
    assert decision.acting.faults == ()
    confirm = world.wallet.deployment.confirm

    async def slowly(*args: Any) -> None:
        await confirm(*args)
        world.clock.move(minutes=3)

    monkeypatch.setattr(world.wallet.deployment, "confirm", slowly)
    with pytest.raises(CannotSatisfy):
        await agent.approve(share_id)
    assert employer.forms == []
    assert agent.entry(share_id).outcome is Outcome.OPEN
    refused_then = agent.decision(share_id)
    assert not refused_then.is_satisfiable


async def test_an_answer_that_was_lost_is_not_sent_again_after_the_power_has_ended(world: World) -> None:
    """Decided in time, lost on the way: on the next day it stays unsent."""
    world.clock.now = NEARLY_MIDNIGHT
    agent, employer = await Agent.with_power(world, ends_on="2026-11-20"), known_verifier(world)
    share_id = await agent.asked(employer)
    agent.act(share_id)
    with world.network.lose_answer("/response"):
        await agent.approve(share_id)
    assert agent.sharing.can_send_again(agent.vault, share_id)
    world.clock.move(minutes=3)
    assert not agent.sharing.can_send_again(agent.vault, share_id)
    with pytest.raises(NotFound):
        await agent.sharing.send_again(agent.vault, share_id)
    assert len(employer.forms) == 1


def test_a_child_that_turns_13_or_18_whatever_the_decision_says() -> None:
    """The rule alone, on the day before and on the day: a power of an issuer that wrote too late a last day."""
    claims = {**power_for(LINA, ends_on="2040-01-01"), "family_name": "Haddad", "given_name": "Omar"}
    power = read_power(claims)
    assert holds_on(power, date(2030, 8, 18))
    assert not holds_on(power, date(2030, 8, 19))
