"""`intyga-issuer` run in this process, on a data directory as a service that was started once leaves it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from issuer import cli
from service import commands
from tests.issuer.test_cli import RECORD


@dataclass
class Said:
    """What a command left behind."""

    status: int
    stdout: str
    stderr: str

    @property
    def fault(self) -> dict[str, Any]:
        """The one JSON document on stderr."""
        told: dict[str, Any] = json.loads(self.stderr)
        assert set(told) - {"problems"} == {"error", "error_description"}
        return told


Run = Callable[..., Said]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory whose public URL is recorded, as a service that was started once leaves it."""
    directory = tmp_path / "data"
    directory.mkdir()
    (directory / "public-url").write_text("http://localhost:8123\n")
    monkeypatch.chdir(tmp_path)
    return directory


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `intyga-issuer` in this process."""

    def ran(*arguments: object, **environment: str) -> Said:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["intyga-issuer", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            commands.run(cli.app)
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, *capsys.readouterr())

    return ran


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Two results of one person, with notes."""
    path = tmp_path / "results.csv"
    path.write_text(RECORD, encoding="utf-8")
    return path
