"""Import and leaving as real processes, killed with -9 wherever they happen to be (durability D21, D22)."""

import random
import subprocess
import time
from pathlib import Path

import pytest

from tests.wallet.pages.sharing_browser import browser_that_shared
from tests.wallet.terminal import PROGRAM, Terminal
from tests.wallet.test_leaving import everything_sealed, still_there
from tests.wallet.test_pages import make_wallet
from tests.world import PASSPHRASE, World

pytestmark = pytest.mark.processes

KILLS = 6


@pytest.fixture
def terminal(world: World) -> Terminal:
    """A terminal of Maja's, who has a certificate and a share, with her wallet in a file."""
    browser_that_shared(world)
    (world.directory / "passphrase").write_text(PASSPHRASE + "\n", encoding="utf-8")
    environment = {"WALLET_PASSPHRASE_FILE": str(world.directory / "passphrase"), "WALLET_PERSON": "Maja"}
    terminal = Terminal(world.wallet.settings.data, environment)
    terminal.json("export", str(world.directory / "wallet.zip"), "--plain")
    return terminal


def killed_after(terminal: Terminal, seconds: float, *arguments: str) -> bool:
    """Run the installed program and kill it after some time; whether it was still running."""
    process = subprocess.Popen(
        [PROGRAM, *arguments, "--data", str(terminal.data)],
        env=terminal.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        return True
    finally:
        process.kill()
        process.wait()


def duration(terminal: Terminal, *arguments: str) -> float:
    """How long a command takes when nobody kills it."""
    begun = time.monotonic()
    done = terminal.run_installed(*arguments)
    assert done.returncode == 0, done.stderr
    return time.monotonic() - begun


def test_d21_a_killed_import_leaves_all_or_nothing(world: World, terminal: Terminal) -> None:
    """After each kill the vault is empty or complete, its chain holds, and in the end the file is read in once."""
    file = str(world.directory / "wallet.zip")
    make_wallet(world.wallet.browser(), "Elin")
    make_wallet(world.wallet.browser(), "Otto")
    whole = duration(terminal, "import", file, "--person", "Elin")
    chance = random.Random(7)

    for _ in range(KILLS):
        killed_after(terminal, whole * chance.uniform(0.3, 1.0), "import", file, "--person", "Otto")
        checked = terminal.json("ledger", "--check", "--person", "Otto")
        certificates = terminal.json("list", "--person", "Otto")
        assert (len(certificates), checked["entries"], checked["intact"]) in ((0, 0, True), (1, 2, True))
    terminal.json("import", file, "--person", "Otto")

    assert len(terminal.json("list", "--person", "Otto")) == 1
    assert terminal.json("ledger", "--check", "--person", "Otto")["entries"] == 2


def test_d21_a_killed_export_leaves_no_half_file(world: World, terminal: Terminal, tmp_path: Path) -> None:
    """The file is there whole, or not at all."""
    whole = duration(terminal, "export", str(tmp_path / "first.zip"), "--plain")
    make_wallet(world.wallet.browser(), "Otto")
    chance = random.Random(8)

    for number in range(3):
        file = tmp_path / f"{number}.zip"
        killed_after(terminal, whole * chance.uniform(0.5, 1.0), "export", str(file), "--plain")
        if file.exists():
            assert terminal.run("import", str(file), "--person", "Otto").returncode == 0


def test_d22_a_killed_leaving_is_completed(world: World, terminal: Terminal) -> None:
    """Each time somebody is killed while leaving: either nothing happened, or the next run deletes what is left."""
    file = str(world.directory / "wallet.zip")
    make_wallet(world.wallet.browser(), "Elin")
    whole = duration(terminal, "leave", "--yes", "--person", "Elin")
    chance = random.Random(9)

    for number in range(KILLS):
        name = f"Otto {number}"
        make_wallet(world.wallet.browser(), name)
        terminal.json("import", file, "--person", name)
        person_id = _person_of(world, name)
        before = everything_sealed(world, person_id)
        killed_after(terminal, whole * chance.uniform(0.5, 1.0), "leave", "--yes", "--person", name)
        if world.wallet.deployment.has_person(name):
            assert len(terminal.json("list", "--person", name)) == 1
        terminal.json("leave", "--yes", "--person", name)
        assert still_there(world, before) == []


def _person_of(world: World, name: str) -> str:
    record = world.wallet.deployment._find(name)
    assert record is not None
    return record.person_id
