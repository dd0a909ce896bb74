"""`account add | reset | remove`: accounts of staff from the terminal, the same for every service that has staff.

    app.add_typer(account_app("issuer", open_accounts), name="account")

The password is asked for, or read from a file; it is never an argument, since others can see those. A lost password is
reset here, and whoever was signed in with it is signed out.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from service.accounts import Accounts, LoginTaken, PasswordTooShort
from service.clock import utc_now
from service.commands import CommandFailed, JSONOption, command_app, data_option, run_async, show
from service.passwords import PasswordTooLong

Login = Annotated[str, typer.Argument(metavar="NAME", help="The login name.")]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="File with the password; else it is asked for.", dir_okay=False)
]


def account_app(service: str, open_accounts: Callable[[Path], Accounts]) -> typer.Typer:
    """The commands for the accounts of one service. `open_accounts` opens them in a data directory."""
    app = command_app("account", help="Accounts of staff for the pages.")
    Data = Annotated[Path, data_option(service)]
    default = Path(f"{service}-data")

    @app.command()
    def add(
        login: Login, password_file: PasswordFile = None, data: Data = default, as_json: JSONOption = False
    ) -> None:
        """Make an account for another member of staff."""
        accounts, name = open_accounts(data), _name(login)
        try:
            run_async(accounts.create(name, _password(name, password_file), now=utc_now()))
        except LoginTaken as exc:
            raise CommandFailed("There already is an account with this name.", error=exc.error) from exc
        except (PasswordTooShort, PasswordTooLong) as exc:
            raise _unsuitable(exc) from exc
        show({"added": name}, as_json=as_json, human=lambda told: f"{told['added']} can sign in now.")

    @app.command()
    def reset(
        login: Login, password_file: PasswordFile = None, data: Data = default, as_json: JSONOption = False
    ) -> None:
        """Give an account another password, and end its sessions."""
        accounts, name = open_accounts(data), _name(login)
        if not run_async(accounts.exists(name)):
            raise _unknown()
        try:
            done = run_async(accounts.reset_password(name, _password(name, password_file)))
        except (PasswordTooShort, PasswordTooLong) as exc:
            raise _unsuitable(exc) from exc
        if not done:
            raise _unknown()
        show({"reset": name}, as_json=as_json, human=lambda told: f"{told['reset']} has another password now.")

    @app.command()
    def remove(login: Login, data: Data = default, as_json: JSONOption = False) -> None:
        """Remove an account, and end its sessions. What it did stays in the logs."""
        accounts, name = open_accounts(data), _name(login)
        if not run_async(accounts.remove(name)):
            raise _unknown()
        show({"removed": name}, as_json=as_json, human=lambda told: f"{told['removed']} can no longer sign in.")

    return app


def _name(login: str) -> str:
    if not login.strip():
        raise CommandFailed("Write a login name.", error="usage", exit_status=2)
    return login.strip()


def _password(name: str, file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").rstrip("\r\n")
        except UnicodeDecodeError as exc:
            raise CommandFailed(f"{file} is not text in UTF-8.", error="usage", exit_status=2) from exc
    if not sys.stdin.isatty():
        raise CommandFailed(
            "There is nobody to ask for the password: name a file with --password-file.",
            error="no_password",
            exit_status=2,
        )
    return str(typer.prompt(f"New password for {name}", hide_input=True, confirmation_prompt=True, err=True))


def _unsuitable(exc: PasswordTooShort | PasswordTooLong) -> CommandFailed:
    fault = "short: at least 12 characters" if isinstance(exc, PasswordTooShort) else "long: at most 1,000 characters"
    return CommandFailed(f"The password is too {fault}. Nothing was changed.", error=exc.error)


def _unknown() -> CommandFailed:
    return CommandFailed("There is no account with this name.", error="not_found")
