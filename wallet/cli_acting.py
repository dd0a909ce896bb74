"""Acting for another on the terminal: for whom, and the yes to that (CS-42)."""

from dataclasses import replace

import typer

from schemas.dcql import InvalidSelection
from service.commands import CommandFailed
from wallet.decision import Chosen, Decision
from wallet.naming import plain
from wallet.sharing import Sharing
from wallet.terminal import tell
from wallet.vault import UnlockedVault


def for_whom(sharing: Sharing, vault: UnlockedVault, share_id: str, act_for: str, *, language: str) -> Decision:
    """The decision for whoever is acted for. Ends the command when there is no such power."""
    try:
        return sharing.choose(vault, share_id, Chosen(acting_for=act_for), language=language)
    except InvalidSelection as exc:
        raise CommandFailed("There is no such power in this wallet.", error="unknown_power", exit_status=2) from exc


def with_acting_yes(
    sharing: Sharing, vault: UnlockedVault, decision: Decision, *, ask: bool, language: str
) -> Decision:
    """The decision with the yes to acting for another; `--act-for` with `--approve` is that yes."""
    assert decision.acting is not None
    sentence = f"You are acting for {plain(decision.acting.held.principal_name)}."
    if not ask:
        tell(f"  {sentence}")
    elif not typer.confirm(f"{sentence} Is that so?", default=False, err=True):
        raise CommandFailed("Nothing was sent.", error="acting_not_confirmed")
    chosen = replace(decision.chosen, acting_confirmed=True)
    return sharing.choose(vault, decision.share_id, chosen, language=language)
