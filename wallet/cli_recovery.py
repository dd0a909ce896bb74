"""`intyga-wallet recovery-code` and `intyga-wallet recover`: a second way into a vault, from the terminal.

intyga-wallet recovery-code make            # prints the code once; nothing keeps it
intyga-wallet recovery-code remove
intyga-wallet recover --code-file FILE      # the code is asked for without a file; sets a new passphrase
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from schemas.errors import Refused
from service.commands import CommandFailed, JSONOption, show
from wallet.deployment import Deployment
from wallet.recovering import Recovery
from wallet.recovery_code import WrongCode, read_code
from wallet.recovery_words import in_language
from wallet.terminal import (
    DEFAULT_DATA,
    DEFAULT_PERSON,
    PersonOption,
    WalletData,
    open_vault,
    read_passphrase,
    with_wallet,
)
from wallet.vault import UnlockedVault
from wallet.ways_in import CodeOpensNothing

recovery_app = typer.Typer(no_args_is_help=True, help="A code on paper that opens the vault without its passphrase.")


def register(app: typer.Typer) -> None:
    """Add the commands to `intyga-wallet`."""
    app.add_typer(recovery_app, name="recovery-code")
    app.command("recover")(recover)


@recovery_app.command("make")
def make(person: PersonOption = DEFAULT_PERSON, data: WalletData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """Make a code and print it, this once. The one before stops working."""

    async def work(wallet: Deployment) -> dict[str, Any]:
        vault = await _vault(wallet, person)
        code = await Recovery(wallet).make(vault, read_passphrase(wallet.settings, person, is_new=False))
        return {"code": code, "check_words": in_language(read_code(code), "en")}

    def text(result: dict[str, Any]) -> str:
        words = f"Check words: {result['check_words']}"
        return f"{result['code']}\n{words}\nWrite it on paper: it is kept nowhere and opens the vault of {person} once."

    show(with_wallet(data, work), as_json=as_json, human=text)


@recovery_app.command("remove")
def remove(person: PersonOption = DEFAULT_PERSON, data: WalletData = DEFAULT_DATA, as_json: JSONOption = False) -> None:
    """Take the code away; the passphrase is the only way in then."""

    async def work(wallet: Deployment) -> dict[str, Any]:
        vault = await _vault(wallet, person)
        had_code = bool(vault.recovery_id)
        await Recovery(wallet).remove(vault, read_passphrase(wallet.settings, person, is_new=False))
        return {"removed": had_code}

    def text(result: dict[str, Any]) -> str:
        return "The code opens nothing any more." if result["removed"] else "There was no code."

    show(with_wallet(data, work), as_json=as_json, human=text)


def recover(
    code_file: Annotated[
        Path | None, typer.Option("--code-file", help="File with the code; without it the code is asked for.")
    ] = None,
    person: PersonOption = DEFAULT_PERSON,
    data: WalletData = DEFAULT_DATA,
    as_json: JSONOption = False,
) -> None:
    """Open a vault with its recovery code and set a new passphrase (from WALLET_PASSPHRASE_FILE, else asked for)."""
    code = _read_code(code_file)

    async def work(wallet: Deployment) -> dict[str, Any]:
        await wallet.limit_unlocking("", person)
        new = read_passphrase(wallet.settings, person, is_new=True)
        vault = await Recovery(wallet).recover(person, code, new=new)
        await wallet.forget_tries(person)
        return {"person": vault.name}

    try:
        result = with_wallet(data, work)
    except WrongCode as exc:
        raise CommandFailed(_slip(exc), error=exc.error) from exc
    except CodeOpensNothing as exc:
        raise CommandFailed(
            "The name and the code do not belong together, or the code was used or replaced.", error=exc.error
        ) from exc
    except Refused as exc:
        raise CommandFailed(str(exc), error=exc.error) from exc
    show(result, as_json=as_json, human=lambda _: "The passphrase is changed, and the code is used up: make a new one.")


def _slip(exc: WrongCode) -> str:
    if exc.has_wrong_length:
        return f"The code has 35 signs, in 7 groups of 5; there are {exc.signs}. Nothing was tried."
    if exc.groups:
        return f"Cannot be right: group {', '.join(map(str, exc.groups))}. Nothing was tried."
    return "A sign is wrong, but it cannot be told which. Nothing was tried."


def _read_code(code_file: Path | None) -> str:
    if code_file is not None:
        try:
            with code_file.open(encoding="utf-8") as file:
                return file.read(1000)
        except (OSError, UnicodeDecodeError) as exc:
            raise CommandFailed("The file with the code cannot be read.", error="no_code", exit_status=2) from exc
    if not sys.stdin.isatty():
        raise CommandFailed("There is nobody to ask for the code: use --code-file.", error="no_code", exit_status=2)
    return str(typer.prompt("Recovery code", err=True))


async def _vault(wallet: Deployment, person: str) -> UnlockedVault:
    vault = await open_vault(wallet, person)
    if vault is None:
        raise CommandFailed("There is no such vault.", error="unknown_person")
    return vault
