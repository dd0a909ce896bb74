"""Acting for another on the terminal: what is printed, and the yes to it (CS-42)."""

import json

import pytest
from typer.testing import CliRunner

from issuer.status import Status
from service.commands import CommandFailed
from service.i18n import load_catalogues
from tests.attacks.test_acts_for_another import Principal, acted, told_agent
from tests.wallet.acting import EITHER, LINA, OMAR, Agent
from tests.wallet.fake_verifier import known_verifier
from tests.wallet.pages.test_acting_pages import change_powers
from tests.world import World
from wallet.cli import _line, _list, app
from wallet.cli_acting import acts_in_lines, acts_of, for_whom, with_acting_yes
from wallet.cli_decision import print_decision
from wallet.pages.share_view import decision_view
from wallet.vault import UnlockedVault

pytestmark = pytest.mark.anyio


async def test_the_terminal_says_for_whom_one_acts(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Before, for whom one could; then for whom, as whom and by whose power; and no power of a made-up id."""
    agent, employer = await Agent.with_power(world, LINA, OMAR), known_verifier(world)
    share_id = await agent.asked(employer, EITHER)
    translator = load_catalogues().translator("en")

    def printed(power: str) -> str:
        decision = for_whom(agent.sharing, agent.vault, share_id, power, language="en")
        capsys.readouterr()
        print_decision(decision, decision_view(decision, translator, history=[]))
        return capsys.readouterr().err

    power = agent.powers[0].id
    assert f"You can answer for Lina Haddad instead: --act-for {power}" in printed("")
    assert "You are acting for Lina Haddad, as Omar Haddad." in printed(power)
    with pytest.raises(CommandFailed, match="no such power"):
        printed("0123456789abcdef")
    decision = for_whom(agent.sharing, agent.vault, share_id, power, language="en")
    assert decision.misses_acting_yes
    assert not with_acting_yes(agent.sharing, agent.vault, decision, ask=False, language="en").misses_acting_yes
    assert "You are acting for Lina Haddad." in capsys.readouterr().err


async def test_the_terminal_lists_what_was_done_and_both_kinds_of_powers(world: World) -> None:
    """For whom it was done, and for who did it; new until seen, and an ended power says so."""
    lina = await Principal.at(world)
    wallet = lina.side.deployment
    nothing = acts_in_lines(await acts_of(wallet, lina.vault, seen=False))
    assert nothing.splitlines() == [
        "Nothing was done for you.",
        "This wallet knows of no power over you.",
        "You hold no power.",
    ]
    omar = await told_agent(world, lina)
    entry = await acted(omar, known_verifier(world))

    told = await acts_of(wallet, lina.vault, seen=True)

    assert json.loads(json.dumps(told)) == told
    text = acts_in_lines(told)
    for words in ("Omar Haddad to Exempelbolaget AB (new)", "What went: ", "They decided to share", "It arrived"):
        assert words in text
    assert "Omar Haddad, from " in text
    assert "2012-08-19" not in text
    assert "(new)" not in acts_in_lines(await acts_of(wallet, lina.vault, seen=False))
    of_agent = acts_in_lines(await acts_of(world.wallet.deployment, omar.vault, seen=False))
    assert f"  {omar.powers[0].id}  for Lina Haddad, from " in of_agent
    assert "Nothing was done for you." in of_agent
    assert entry.id[:8] not in of_agent

    world.clock.move(seconds=6)
    change_powers(world, Status.REVOKED)
    assert "Ended. You learned it on" in acts_in_lines(await acts_of(wallet, lina.vault, seen=False))


async def test_what_an_agent_wrote_steers_no_terminal(world: World) -> None:
    """Its words stay in their line."""
    act = {
        "entry": "0" * 32, "agent": "A", "who": "B\x1b[2J\nPowers that you hold:", "items": ["C\r\nD"], "events": ["E"],
        "last_event_at": "F", "is_unseen": False,
    }  # fmt: skip
    lines = acts_in_lines({"done_for_you": [act], "over_you": [], "you_hold": []}).split("\n")
    assert len(lines) == 6
    assert "\x1b" not in "".join(lines)


def test_the_command_says_what_it_is_for() -> None:
    """In the help of `intyga-wallet`."""
    shown = CliRunner().invoke(app, ["acts", "--help"])
    assert shown.exit_code == 0
    assert "what others did for you" in " ".join(shown.output.split())


async def test_the_list_says_whom_a_certificate_is_about(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of one kind from one issuer are told apart; one's own says nothing."""
    omar = await Agent.with_power(world, LINA, OMAR)

    async def opened(*_: object) -> UnlockedVault:
        return omar.vault

    monkeypatch.setattr("wallet.cli.open_vault", opened)

    listed = await _list(world.wallet.deployment, "Omar")

    assert listed is not None
    about = sorted(one["about"] for one in listed)
    assert (about[0], about[1].startswith("About Lina"), about[2]) == ("", True, "For Lina Haddad")
    assert len([one for one in listed if f" ({about[1]}), " in _line(one)]) == 1
