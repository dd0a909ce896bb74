"""Acting for another on the terminal: what is printed, and the yes to it (CS-42)."""

import pytest

from service.commands import CommandFailed
from service.i18n import load_catalogues
from tests.wallet.acting import EITHER, LINA, OMAR, Agent
from tests.wallet.fake_verifier import known_verifier
from tests.world import World
from wallet.cli_acting import for_whom, with_acting_yes
from wallet.cli_decision import print_decision
from wallet.pages.share_view import decision_view

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
