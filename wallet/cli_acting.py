"""Acting for another on the terminal: for whom, and the yes to that; and what was done under powers (CS-42).

    intyga-wallet acts                              # done for me, powers over me, powers that I hold
    intyga-wallet acts --seen                       # and the first page of the wallet does not tell it any more

What the others hold is looked up at its source first; what could not be looked up is said to be so.
"""

from dataclasses import replace
from typing import Annotated, Any

import typer

from schemas.dcql import InvalidSelection
from service.commands import CommandFailed, JSONOption, show
from service.i18n import Translator
from wallet.acts import Acts
from wallet.decision import Chosen, Decision
from wallet.deployment import Deployment
from wallet.histories import Histories
from wallet.ledger import Entry
from wallet.naming import plain
from wallet.pages.acting_words import held_view, mine_views, told_view
from wallet.powers_over_me import PowersOverMe, last_told
from wallet.reporting import unseen_acts
from wallet.sharing import Sharing
from wallet.terminal import (
    DEFAULT_DATA,
    DEFAULT_PERSON,
    PersonOption,
    WalletData,
    open_vault,
    tell,
    translator_for,
    with_wallet,
)
from wallet.vault import UnlockedVault

LANGUAGE = "en"


def register(app: typer.Typer) -> None:
    """Add the command to `intyga-wallet`."""
    app.command("acts")(acts)


def acts(
    seen: Annotated[
        bool, typer.Option("--seen", help="You have seen all of it: the first page does not tell it any more.")
    ] = False,
    person: PersonOption = DEFAULT_PERSON,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """List what others did for you, the powers that they hold, and the powers that you hold."""

    async def run(wallet: Deployment) -> dict[str, Any] | None:
        vault = await open_vault(wallet, person)
        return None if vault is None else await acts_of(wallet, vault, seen=seen)

    found = with_wallet(data, run)
    show(found or {"done_for_you": [], "over_you": [], "you_hold": []}, as_json=as_json, human=acts_in_lines)


async def acts_of(wallet: Deployment, vault: UnlockedVault, *, seen: bool) -> dict[str, Any]:
    """What the command prints: what waits is taken in first, and sources are asked whether the powers still hold."""
    await Acts(wallet).tend(vault)
    powers, t = PowersOverMe(wallet), translator_for(wallet, LANGUAGE)
    stands = await powers.look(vault)
    await wallet.check_powers(vault)
    entries = [one for one in Histories(wallet).read(vault).entries if one.told is not None]
    unseen = {one.id for one in unseen_acts(entries)}
    if seen and entries:
        powers.put_aside(vault, until=max(map(last_told, entries)))
    return {
        "done_for_you": [_act(one, t, is_unseen=one.id in unseen) for one in entries],
        "over_you": [held_view(one, t, stands=stands.get(one.key, "")) for one in powers.all(vault)],
        "you_hold": mine_views(vault.certificates(), t, now=wallet.clock(), time_zone=wallet.settings.time_zone),
    }


def acts_in_lines(found: dict[str, Any]) -> str:
    """The same for people. What others wrote stays in its line, without signs that steer a terminal."""
    lines = ["Done for you:" if found["done_for_you"] else "Nothing was done for you."]
    for act in found["done_for_you"]:
        lines += [
            f"  {act['entry'][:8]}  {act['last_event_at']}  {plain(act['agent'])} to {plain(act['who'])}"
            f"{' (new)' if act['is_unseen'] else ''}",
            f"    What went: {', '.join(map(plain, act['items'])) or 'nothing'}",
            f"    What they did: {', '.join(act['events'])}",
        ]
    lines.append("Powers that others hold for you:" if found["over_you"] else "This wallet knows of no power over you.")
    for held in found["over_you"]:
        lines.append(f"  {plain(held['agent'])}, from {plain(held['issuer'])}, until {held['ends_on']}")
        lines += [f"    {words}" for words in (held["ended"], held["stands"]) if words]
    lines.append("Powers that you hold:" if found["you_hold"] else "You hold no power.")
    for mine in found["you_hold"]:
        lines.append(f"  {mine['id']}  for {mine['name']}, from {plain(mine['issuer'])}, until {mine['until']}")
        lines += [f"    {words}" for words in mine["over"]]
    return "\n".join(lines)


def _act(entry: Entry, t: Translator, *, is_unseen: bool) -> dict[str, Any]:
    told = told_view(entry, t)
    assert told is not None
    return {
        "entry": entry.id,
        "agent": told["agent"],
        "who": entry.who.text(LANGUAGE) or (entry.told or {}).get("host", ""),
        "items": [one["name"] for one in told["items"]],
        "events": [one["words"] for one in told["events"]],
        "last_event_at": told["events"][-1]["moment"],
        "is_unseen": is_unseen,
    }


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
