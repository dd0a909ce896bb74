"""`intyga-wallet permissions`: who may check again, and pausing or ending it, at the terminal.

    intyga-wallet permissions list
    intyga-wallet permissions end ENTRY            # or: pause, resume, ask

The entry is named as `permissions --json` names it; its first 8 signs do. Exit status 1: they have not confirmed it.
"""

from typing import Annotated, Any

import typer

from schemas.standing_permission import PermissionAction
from service.commands import CommandFailed, JSONOption, command_app, show
from service.i18n import load_catalogues
from wallet.deployment import Deployment
from wallet.pages.permission_words import permission_view
from wallet.permissions import Lasting, Permissions
from wallet.terminal import DEFAULT_DATA, DEFAULT_PERSON, PersonOption, WalletData, open_vault, with_wallet

LANGUAGE = "en"

permissions_app = command_app("permissions", help="Who may check again whether something you shared still holds.")
EntryArgument = Annotated[
    str, typer.Argument(metavar="ENTRY", help="The share, as `permissions list --json` names it.")
]


@permissions_app.command("list")
def list_permissions(
    person: PersonOption = DEFAULT_PERSON, data: WalletData = DEFAULT_DATA, as_json: JSONOption = False
) -> None:
    """List every permission: to whom, for what, until when, and what they say they have checked."""

    async def run(wallet: Deployment) -> list[dict[str, Any]]:
        vault = await open_vault(wallet, person)
        return [] if vault is None else [_told(wallet, one) for one in Permissions(wallet).all(vault)]

    show(with_wallet(data, run), as_json=as_json, human=_list)


@permissions_app.command()
def pause(
    entry: EntryArgument,
    person: PersonOption = DEFAULT_PERSON,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Let nothing be checked until you say `resume`."""
    _wish(data, person, entry, PermissionAction.PAUSE, as_json=as_json)


@permissions_app.command()
def resume(
    entry: EntryArgument,
    person: PersonOption = DEFAULT_PERSON,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Let it go on after a pause."""
    _wish(data, person, entry, PermissionAction.RESUME, as_json=as_json)


@permissions_app.command()
def end(
    entry: EntryArgument,
    person: PersonOption = DEFAULT_PERSON,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """End it for good."""
    _wish(data, person, entry, PermissionAction.END, as_json=as_json)


@permissions_app.command()
def ask(
    entry: EntryArgument,
    person: PersonOption = DEFAULT_PERSON,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Ask what they have checked."""
    _wish(data, person, entry, PermissionAction.STATUS, as_json=as_json)


def _wish(data: WalletData, person: str, name: str, action: PermissionAction, *, as_json: bool) -> None:
    async def run(wallet: Deployment) -> dict[str, Any]:
        vault = await open_vault(wallet, person)
        if vault is None:
            raise CommandFailed("There is no such vault.", error="unknown_person")
        permissions = Permissions(wallet)
        wanted = name.strip().lower()
        found = [one for one in permissions.all(vault) if len(wanted) >= 8 and one.entry.id.startswith(wanted)]
        if len(found) != 1:
            raise CommandFailed("There is no such permission.", error="not_found")
        entry = found[0].entry
        if action is PermissionAction.STATUS:
            standing = await permissions.look(vault, entry.id)
        else:
            standing = await permissions.wish(vault, entry.id, action)
        return _told(wallet, Lasting(entry, standing))

    told = with_wallet(data, run)
    show(told, as_json=as_json, human=_one)
    if not told["is_confirmed"]:
        raise typer.Exit(1)


def _told(wallet: Deployment, one: Lasting) -> dict[str, Any]:
    view = permission_view(one, load_catalogues().translator(LANGUAGE), now=wallet.clock())
    left_out = (
        "look",
        "icon",
        "begins",
        "called",
        "unproven",
        "may_pause",
        "may_resume",
        "may_end",
        "may_ask",
        "unseen",
    )
    return {name: value for name, value in view.items() if name not in left_out}


def _list(told: list[dict[str, Any]]) -> str:
    return "\n\n".join(_one(one) for one in told) or "Nobody may check again."


def _one(told: dict[str, Any]) -> str:
    lines = [
        f"{told['id'][:8]}  {told['who']}: {told['word']}. {told['reason']}".rstrip(),
        f"  May check: {told['what']}",
        f"  At most once in {told['every_days']} days, until {told['last_day']}.",
        f"  Next at the earliest: {told['next'] or 'none'}",
    ]
    lines += [f"  Checked {check['moment']}: {check['outcome']}" for check in told["checks"]]
    return "\n".join(lines)
