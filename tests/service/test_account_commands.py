"""Accounts of staff from the terminal: made, given another password, removed."""

import asyncio
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from service.account_commands import account_app
from service.accounts import Accounts, WrongSetupCode
from service.commands import command_app, run
from service.database import Database
from service.sessions import Sessions
from tests.service.conftest import NOW, SampleSettings

PASSWORD = "four words at least here"  # pragma: allowlist secret
OTHER = "another four words here"  # pragma: allowlist secret


class Terminal:
    """`sample account ...` on one data directory."""

    def __init__(self, directory: Path, accounts: Callable[[], Accounts], capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self.app = command_app("sample", help="A sample.")
        self.app.add_typer(account_app("sample", lambda data: accounts()), name="account")
        self._capsys = capsys

    def __call__(self, *arguments: str, password: str = PASSWORD) -> tuple[int, dict[str, str]]:
        """The exit status, and the result or the error."""
        file = self.directory / "password"
        file.write_text(f"{password}\n", encoding="utf-8")
        with_file = [] if arguments[0] == "remove" or "--password-file" in arguments else ["--password-file", str(file)]
        command = ["sample", "account", *arguments, *with_file, "--json", "--data", str(self.directory)]
        with patch.object(sys, "argv", command), pytest.raises(SystemExit) as end:
            run(self.app)
        said = self._capsys.readouterr()
        return int(end.value.code or 0), json.loads(said.out or said.err)


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database, service="sample", device_secret=bytes(32))


@pytest.fixture
def terminal(tmp_path: Path, accounts: Accounts, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, lambda: accounts, capsys)


def test_a_second_account_is_made_and_its_password_reset(terminal: Terminal, accounts: Accounts) -> None:
    """Colleagues sign in under names of their own; a lost password is replaced by the operator."""
    assert terminal("add", "Alva") == (0, {"added": "Alva"})
    assert terminal("add", "Björn") == (0, {"added": "Björn"})
    assert terminal("add", " alva")[1]["error"] == "login_taken"
    assert terminal("reset", "Björn", password=OTHER) == (0, {"reset": "Björn"})

    assert asyncio.run(accounts.sign_in("alva", PASSWORD, now=NOW)) is not None
    assert asyncio.run(accounts.sign_in("björn", PASSWORD, now=NOW)) is None
    assert asyncio.run(accounts.sign_in("björn", OTHER, now=NOW)) is not None


@pytest.mark.parametrize(("command", "password"), [("reset", OTHER), ("remove", "")])
def test_whoever_was_signed_in_is_signed_out(
    terminal: Terminal, accounts: Accounts, tmp_path: Path, command: str, password: str
) -> None:
    """With a new password or without the account, its sessions are over; those of others go on."""
    terminal("add", "Alva")
    terminal("add", "Björn")
    sessions = Sessions(accounts.database, settings=SampleSettings.model_validate({"data": tmp_path, "port": 8000}))

    async def cookie_of(login: str) -> str:
        account = await accounts.sign_in(login, PASSWORD, now=NOW)
        assert account is not None
        return await sessions.open(account.id, now=NOW)

    alva, other = asyncio.run(cookie_of("Alva")), asyncio.run(cookie_of("Björn"))

    assert terminal(command, "ALVA", password=password)[0] == 0

    assert asyncio.run(sessions.load(alva, now=NOW)) is None
    assert asyncio.run(sessions.load(other, now=NOW)) is not None


def test_a_sign_in_under_way_does_not_outlive_the_account(terminal: Terminal, accounts: Accounts) -> None:
    """Checking a password takes its time: what was removed or changed meanwhile lets nobody in."""
    terminal("add", "Alva")
    checked = asyncio.run(accounts.sign_in("Alva", PASSWORD, now=NOW))
    assert checked is not None
    assert asyncio.run(accounts.is_current(checked))

    terminal("reset", "Alva", password=OTHER)
    assert not asyncio.run(accounts.is_current(checked))
    assert asyncio.run(accounts.is_there(checked.id))
    terminal("remove", "Alva")
    assert not asyncio.run(accounts.is_there(checked.id))


def test_the_code_for_the_first_account_ends_with_any_account(terminal: Terminal, accounts: Accounts) -> None:
    """Also when the last account is removed again: an old printout opens nothing."""
    code = asyncio.run(accounts.setup_code(now=NOW))
    assert code is not None
    terminal("add", "Alva")
    terminal("remove", "Alva")
    with pytest.raises(WrongSetupCode):
        asyncio.run(accounts.create_first(code, "Eve", PASSWORD, now=NOW))


def test_a_password_file_that_is_no_text_is_named(terminal: Terminal, tmp_path: Path) -> None:
    """One sentence, and no trace."""
    file = tmp_path / "binary"
    file.write_bytes(b"\xff\xfe")
    status, told = terminal("add", "Alva", "--password-file", str(file))
    assert (status, "not text" in told["error_description"]) == (2, True)


def test_mistakes_are_told_and_change_nothing(terminal: Terminal, accounts: Accounts) -> None:
    """A short password, a name that is none, and a name that nobody has."""
    assert terminal("add", "Alva", password="short")[1]["error"] == "password_too_short"
    assert "too long" in terminal("add", "Alva", password="x" * 2_000)[1]["error_description"]
    assert terminal("add", "  ")[0] == 2
    assert terminal("reset", "Alva") == (
        1,
        {"error": "not_found", "error_description": "There is no account with this name."},
    )
    assert terminal("remove", "Alva")[1]["error"] == "not_found"
    assert asyncio.run(accounts.is_empty())


def test_without_a_terminal_and_a_file_nobody_is_asked(
    terminal: Terminal, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script gets a clear answer instead of a prompt."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(sys, "argv", ["sample", "account", "add", "Alva", "--json"])
    with pytest.raises(SystemExit) as end:
        run(terminal.app)
    assert end.value.code == 2
    assert json.loads(capsys.readouterr().err)["error"] == "no_password"
