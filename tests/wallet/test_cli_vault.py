"""The commands for the vault itself, on the data of a wallet that is being used by a browser."""

import re
import sqlite3
from pathlib import Path

import pytest

from tests.wallet.pages.sharing_browser import browser_that_shared
from tests.wallet.terminal import Terminal
from tests.wallet.test_pages import make_wallet
from tests.world import PASSPHRASE, World


@pytest.fixture
def terminal(world: World) -> Terminal:
    """A terminal of Maja's on the data of this world's wallet."""
    passphrase = world.directory / "passphrase"
    passphrase.write_text(PASSPHRASE + "\n", encoding="utf-8")
    return Terminal(world.wallet.settings.data, {"WALLET_PASSPHRASE_FILE": str(passphrase), "WALLET_PERSON": "Maja"})


def file(directory: Path, name: str, text: str) -> str:
    """A small file; its path."""
    (directory / name).write_text(text, encoding="utf-8")
    return str(directory / name)


def test_a_recovery_code_is_made_used_and_spent(world: World, terminal: Terminal) -> None:
    """`recovery-code make` prints it once; `recover` sets the new passphrase; a second use is refused."""
    make_wallet(world.wallet.browser())
    code = terminal.json("recovery-code", "make")["code"]
    with_code = file(world.directory, "code", code.lower() + "\n")
    new = {"WALLET_PASSPHRASE_FILE": file(world.directory, "new", "nya ord som passar\n")}
    slip = file(world.directory, "slip", ("A" if code[0] != "A" else "B") + code[1:])

    assert "Cannot be right: group 1. Nothing was tried." in terminal.run("recover", "--code-file", slip, **new).stderr
    done = terminal.run("recover", "--code-file", with_code, **new)

    assert done.returncode == 0, done.stderr
    assert terminal.error("list") == "wrong_passphrase"
    assert terminal.run("list", **new).returncode == 0
    assert terminal.error("recover", "--code-file", with_code) == "code_opens_nothing"
    assert terminal.error("recover") == "no_code"
    assert terminal.error("recover", "--code-file", str(world.directory / "none")) == "no_code"


def test_a_recovery_code_is_removed(world: World, terminal: Terminal) -> None:
    """Afterwards it opens nothing, and removing it again says so."""
    make_wallet(world.wallet.browser())
    code = file(world.directory, "code", terminal.json("recovery-code", "make")["code"])

    assert terminal.json("recovery-code", "remove") == {"removed": True}
    assert terminal.json("recovery-code", "remove") == {"removed": False}
    told = terminal.json("ledger")["entries"]
    assert [(one["who"], one["outcome"]) for one in told] == [
        ("The wallet", "recovery_removed"), ("The wallet", "recovery_made")
    ]  # fmt: skip
    assert re.search(r"recovery made +The wallet$", terminal.run("ledger").stdout.strip(), re.MULTILINE)
    assert terminal.error("recover", "--code-file", code) == "code_opens_nothing"
    assert terminal.error("recovery-code", "make", "--person", "Nobody") == "unknown_person"


def test_d28_the_history_is_checked_by_a_command(world: World, terminal: Terminal) -> None:
    """`ledger --check` ends with 0 while all is as it was written, and with 1 and the reason when it is not."""
    browser_that_shared(world)
    assert terminal.run("ledger", "--check").stdout.startswith("The history is as it was written: 2 entries.")

    with sqlite3.connect(world.wallet.settings.data / "wallet.sqlite3") as connection:
        connection.execute("DELETE FROM ledger WHERE sequence = (SELECT max(sequence) FROM ledger)")
    connection.close()

    done = terminal.run("ledger", "--check")
    assert (done.returncode, "The end of the sharing history is missing" in done.stdout) == (1, True)


def test_the_history_is_saved_to_a_new_file(world: World, terminal: Terminal) -> None:
    """`ledger --save` writes a file that only its owner reads, and never over another one."""
    browser_that_shared(world)
    saved = world.directory / "history.csv"

    assert terminal.json("ledger", "--save", str(saved))["entries"] == 2

    assert saved.stat().st_mode & 0o777 == 0o600
    assert "Family name" in saved.read_text(encoding="utf-8-sig")
    assert terminal.error("ledger", "--save", str(saved)) == "file_exists"
    assert terminal.error("ledger", "--save", str(world.directory / "no" / "history.json")) == "cannot_write"
    assert terminal.error("ledger", "--save", str(world.directory / "history.exe")) == "usage"
    assert not list(world.directory.glob(".history*"))
