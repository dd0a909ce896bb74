"""`make test` on a machine without Chromium: installed where the user may, else one line, and the suite runs (issue 2).

The programs around the script are fakes that write down how they were called; nothing is installed.
"""

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "examples" / "install_chromium.sh"
INSTALL = "apt-get install -y -q --no-install-recommends chromium fonts-dejavu-core"


@dataclass
class Machine:
    """A directory of fakes that is the whole PATH."""

    directory: Path
    called: list[str] = field(default_factory=list)

    def add(self, name: str, *, does: str = "exit 0") -> None:
        """A program that writes its name and arguments down, and then does something."""
        file = self.directory / name
        file.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self.directory}/calls"\n{does}\n', encoding="ascii")
        file.chmod(0o755)

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command that finds nothing but the fakes; `called` holds the calls of fakes afterwards."""
        calls = self.directory / "calls"
        calls.unlink(missing_ok=True)
        done = subprocess.run(
            command, cwd=ROOT, env={"PATH": str(self.directory)}, capture_output=True, text=True, check=False
        )
        self.called = calls.read_text().splitlines() if calls.exists() else []
        return done

    def install(self) -> "subprocess.CompletedProcess[str]":
        """Run the script."""
        return self.run("/bin/sh", str(SCRIPT))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with apt and an ordinary user, without sudo."""
    made = Machine(tmp_path)
    made.add("id", does="echo 1000")
    made.add("apt-get")
    return made


def assert_one_clear_line(done: "subprocess.CompletedProcess[str]") -> None:
    """What is missing, and what to do, in one line."""
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Missing: chromium,")
    assert "apt install chromium" in line


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_where_it_is_there_nothing_is_installed_or_said(machine: Machine, name: str) -> None:
    """Neither who the user is nor apt matters."""
    machine.add(name)
    done = machine.install()
    assert (done.returncode, done.stdout, done.stderr, machine.called) == (0, "", "", [])


def test_root_takes_it_from_apt(machine: Machine) -> None:
    """As in a container."""
    machine.add("id", does="echo 0")
    done = machine.install()
    assert (done.returncode, done.stderr) == (0, "")
    assert machine.called == ["id -u", "apt-get update -q", INSTALL]


def test_whoever_may_use_sudo_without_a_password_takes_it_from_apt(machine: Machine) -> None:
    """Every call says that nobody is to be asked."""
    machine.add("sudo", does='shift; [ "$1" = true ] && exit 0; exec "$@"')
    done = machine.install()
    assert (done.returncode, done.stderr) == (0, "")
    assert machine.called == [
        "id -u", "sudo -n true", "sudo -n apt-get update -q", "apt-get update -q", f"sudo -n {INSTALL}", INSTALL,
    ]  # fmt: skip


def test_whoever_would_have_to_type_a_password_is_told_and_not_asked(machine: Machine) -> None:
    """`sudo -n` refuses; apt is left alone."""
    machine.add("sudo", does="echo 'sudo: a password is required' >&2; exit 1")
    assert_one_clear_line(machine.install())
    assert machine.called == ["id -u", "sudo -n true"]


def test_whoever_may_not_is_told(machine: Machine) -> None:
    """There is no sudo at all."""
    assert_one_clear_line(machine.install())
    assert machine.called == ["id -u"]


def test_an_apt_that_fails_is_told_in_one_line(machine: Machine) -> None:
    """No network, or no such package: what apt says at length is not shown."""
    machine.add("id", does="echo 0")
    machine.add("apt-get", does="echo 'E: Unable to locate package' >&2; exit 100")
    assert_one_clear_line(machine.install())
    assert machine.called[-1] == INSTALL


def test_a_machine_without_apt_is_told(machine: Machine) -> None:
    """Root on something that is not Debian."""
    machine.add("id", does="echo 0")
    (machine.directory / "apt-get").unlink()
    assert_one_clear_line(machine.install())


@pytest.mark.parametrize("suite", [0, 1])
def test_the_whole_suite_runs_without_it_and_its_exit_status_counts(machine: Machine, suite: int) -> None:
    """`make test` goes on after the line, over all tests, and tells why some are skipped."""
    make, sh = shutil.which("make"), shutil.which("sh")
    assert make is not None
    assert sh is not None
    (machine.directory / "sh").symlink_to(sh)
    machine.add("python", does=f"exit {suite}")

    done = machine.run(
        make, "-o", ".venv/.development", f"BIN={machine.directory}", "PYTHON=python", "WORKERS=2", "test"
    )

    assert "Missing: chromium," in done.stderr
    assert machine.called == ["id -u", "python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -r s"]
    assert (done.returncode == 0) is (suite == 0)


def test_no_pictures_are_taken_without_it(machine: Machine) -> None:
    """`make screenshots` has nothing to go on with."""
    make, sh = shutil.which("make"), shutil.which("sh")
    assert make is not None
    assert sh is not None
    (machine.directory / "sh").symlink_to(sh)
    machine.add("python")

    done = machine.run(make, "-o", ".venv/.development", f"BIN={machine.directory}", "PYTHON=python", "screenshots")

    assert (done.returncode == 0, machine.called) == (False, ["id -u"])
