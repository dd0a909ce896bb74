"""The README says what is so: its settings, its links, its commands."""

import re
import shlex
from pathlib import Path

import pytest

from examples.settings_tables import with_tables
from tests.test_installed_commands import Installed

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tables_of_settings_are_those_of_the_code() -> None:
    """Nobody reads a default in the README that the service does not have."""
    assert with_tables(README) == README, "Run: python -m examples.settings_tables"


def test_every_variable_that_is_read_stands_in_the_tables() -> None:
    """Also those that only commands read."""
    sources = [p.read_text("utf-8") for room in ("issuer", "wallet", "verifier") for p in (ROOT / room).rglob("*.py")]
    read = {name for text in sources for name in re.findall(r'envvar="([A-Z_]+)"', text)}
    assert "WALLET_PERSON" in read
    assert [name for name in sorted(read) if f"| `{name}` |" not in README] == []


@pytest.mark.parametrize("document", ["README.md", *(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))])
def test_every_link_to_a_file_leads_to_one(document: str) -> None:
    """Links and pictures within the repository are there."""
    text = (ROOT / document).read_text(encoding="utf-8")
    targets = [t.split("#")[0] for t in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in t]
    missing = [t for t in targets if t and not (ROOT / document).parent.joinpath(t).exists()]
    assert not missing


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Installed:
    """The three programs, entered where the installed scripts enter."""
    return Installed(monkeypatch, capsys)


def test_every_command_shown_exists_with_its_options(programs: Installed) -> None:
    """Each `intyga-...` line of the README names a command and options that the installed program knows."""
    lines = [line.split("#")[0] for line in README.splitlines() if line.startswith("intyga-")]
    assert len(lines) > 10
    help_texts: dict[str, str] = {}
    for line in lines:
        program, *words = shlex.split(line)
        command = " ".join(word for word in words[:2] if re.fullmatch(r"[a-z-]+", word) and not word.startswith("-"))
        name = f"{program} {command}"
        if name not in help_texts:
            shown = programs.run(program.removeprefix("intyga-"), *command.split(), "--help")
            assert shown.status == 0, f"{name}: {shown.err}"
            help_texts[name] = shown.out
        unknown = [word for word in words if word.startswith("--") and word not in help_texts[name]]
        assert not unknown, f"{line}: {unknown}"
