"""The wallet as a real process, killed with -9 between history and sending, and between answer and keeping it (D04)."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from examples.services import Services
from tests.wallet.terminal import Terminal
from tests.wallet.test_cli_share import ask, services, terminal

__all__ = ["services", "terminal"]  # Fixtures.

pytestmark = pytest.mark.processes

PROGRAM = """
import asyncio, os, signal, sys
from pathlib import Path
from schemas.withdrawal import Action
from wallet.remote_after_share import AfterShareOverHTTP
from wallet.terminal import open_vault, open_wallet
from wallet.withdrawals import Withdrawals

class Dying(AfterShareOverHTTP):
    async def post_jwt(self, url, token, *, max_bytes):
        if sys.argv[3] == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        await super().post_jwt(url, token, max_bytes=max_bytes)
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    wallet = open_wallet(Path(sys.argv[1]))
    vault = await open_vault(wallet, "me")
    dying = Withdrawals(wallet, transport=Dying(wallet.http))
    await dying.wish(vault, sys.argv[2], Action.WITHDRAW, chosen=None, language="sv")

asyncio.run(main())
"""


def shared(services: Services, terminal: Terminal) -> tuple[str, str]:
    """A share with the real verifier; its entry here, and its number there."""
    made = ask(services)
    done = terminal.json("present", made["request"], "--approve")
    return done["id"], made["id"]


def killed(terminal: Terminal, entry: str, point: str) -> None:
    """Take back in a process that dies at a point."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(terminal.data), entry, point],
        env=terminal.environment,
        cwd=Path(__file__).parents[2],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -9, done.stderr


def entry_of(terminal: Terminal, entry: str) -> dict[str, Any]:
    """The entry as `ledger --json` has it."""
    return next(one for one in terminal.json("ledger")["entries"] if one["id"] == entry)


@pytest.mark.parametrize("point", ["before", "after"])
def test_a_killed_taking_back_is_in_the_history_and_goes_on(services: Services, terminal: Terminal, point: str) -> None:
    """The wish stands there, nothing pretends to be done; the same wish again gives the one statement there is."""
    entry, _ = shared(services, terminal)

    killed(terminal, entry, point)

    there = entry_of(terminal, entry)
    assert there["after"]["state"] == "sent"
    assert there["after"]["action"] == "withdraw"
    assert [event["kind"] for event in there["events"]].count("taken_back") == 1
    assert terminal.json("ledger", "--check")["intact"]
    done = terminal.json("take-back", entry, "--yes")
    assert done["state"] == "done"
    events = [event["kind"] for event in entry_of(terminal, entry)["events"]]
    assert (events.count("taken_back"), events.count("deletion_stated")) == (1, 1)


def test_take_back_and_ask_delete_at_the_terminal(services: Services, terminal: Terminal) -> None:
    """Asked before anything is sent; an item by its number; the ledger shows the state, in words and for machines."""
    entry, _ = shared(services, terminal)
    assert terminal.error("take-back", entry) == "no_decision"
    assert terminal.error("take-back", "00000000") == "not_found"
    assert terminal.error("ask-delete", entry, "--item", "99", "--yes") == "nothing_chosen"
    assert entry_of(terminal, entry)["after"]["state"] == "none"

    some = terminal.json("ask-delete", entry[:8], "--item", "1", "--yes")
    assert (some["state"], some["action"], len(some["items"])) == ("done", "erase", 1)
    every = terminal.json("take-back", entry, "--yes")

    assert (every["state"], len(every["statements"])) == ("done", 2)
    assert terminal.error("take-back", entry, "--yes") == "nothing_to_take_back"
    assert "[done]" in terminal.run("ledger").stdout
    assert "confirmed" in json.dumps(entry_of(terminal, entry)["events"])
