"""What the three command lines have in common, as they are installed (issue 2, "Command line")."""

import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution, entry_points
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import issuer.cli
import verifier.cli
import wallet.cli
from proofs.keys import generate_signer
from proofs.trust import read_entry, sign_trust_list

PROGRAMS = {"issuer": issuer.cli.app, "wallet": wallet.cli.app, "verifier": verifier.cli.app}
SCRIPTS = frozenset(f"intyga-{service}" for service in PROGRAMS)
ENTRY = {"name": "Norr", "role": "issuer", "identifier": "https://norr.example", "mechanism": "metadata"}


@dataclass(frozen=True)
class Ended:
    """What a program left: its status, and what it wrote."""

    status: int
    out: str
    err: str


class Installed:
    """The programs, entered where the installed scripts enter; no settings of services but those that are given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        (package,) = {
            one.dist.name for one in entry_points(group="console_scripts") if one.name in SCRIPTS and one.dist
        }
        self._mains = {one.name: one.load() for one in distribution(package).entry_points if one.name in SCRIPTS}
        for name in list(os.environ):
            if name.partition("_")[0].lower() in PROGRAMS:
                monkeypatch.delenv(name)

    def run(self, service: str, *arguments: str, **settings: str) -> Ended:
        """Run one to its end."""
        script = f"intyga-{service}"
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "argv", [script, *arguments])
            for name, value in settings.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                self._mains[script]()
        written = self._capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, written.out, written.err)


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Installed:
    """The three programs."""
    return Installed(monkeypatch, capsys)


def leaves(command: Any, *path: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its words."""
    if not hasattr(command, "commands"):
        yield " ".join(path), command
        return
    for name, below in command.commands.items():
        yield from leaves(below, *path, name)


@pytest.mark.parametrize("service", PROGRAMS)
def test_every_command_speaks_json_and_takes_its_data_directory(service: str) -> None:
    """`--json`, and `--data` or the variable, on every leaf of the tree."""
    found = dict(leaves(get_command(PROGRAMS[service])))
    options = {
        words: {option: parameter for parameter in command.params for option in parameter.opts}
        for words, command in found.items()
    }

    assert {words for words, known in options.items() if "--json" not in known} == set()
    variables = {words: getattr(known.get("--data"), "envvar", None) for words, known in options.items()}
    assert variables == dict.fromkeys(found, f"{service.upper()}_DATA")
    assert {"serve"} < set(found), "the tree was walked"
    assert all(known["--json"].is_flag for known in options.values())


@pytest.mark.parametrize(
    ("service", "command"),
    [("issuer", ["keys", "create"]), ("wallet", ["trust", "list"]), ("verifier", ["trust", "list"])],
)
def test_the_data_directory_comes_from_the_environment_and_the_option_goes_before(
    service: str, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is written anywhere else."""
    monkeypatch.chdir(tmp_path)
    named, given = tmp_path / "named", tmp_path / "given"
    environment = {f"{service.upper()}_DATA": str(named), f"{service.upper()}_PUBLIC_URL": "http://localhost:8100"}
    for directory in (named, given):
        directory.mkdir()
        more = ["--data", str(given)] if directory == given else []
        written_before = set(named.rglob("*"))

        outcome = CliRunner().invoke(PROGRAMS[service], [*command, *more, "--json"], env=environment)

        assert outcome.exit_code == 0, outcome.output
        json.loads(outcome.stdout)
        assert any(directory.iterdir())
        if directory == given:
            assert set(named.rglob("*")) == written_before
    assert {one.name for one in tmp_path.iterdir()} == {"named", "given"}


@pytest.mark.parametrize(
    ("service", "unsafe"),
    [
        (
            "issuer",
            {
                "ISSUER_PUBLIC_URL": "http://issuer.example",
                "ISSUER_PROXIES": '["*"]',
                "ISSUER_PROFILE_FILE": "nowhere.toml",
                "ISSUER_STATUS_LIST_LIFETIME_SECONDS": "300",
                "ISSUER_KEY_PASSPHRASE_FILE": "gone",
            },
        ),
        ("wallet", {"WALLET_PUBLIC_URL": "http://wallet.example", "WALLET_PROXIES": '["*"]', "WALLET_CA_FILE": "gone"}),
        (
            "verifier",
            {
                "VERIFIER_PUBLIC_URL": "http://verifier.example",
                "VERIFIER_TEMPLATES": "gone",
                "VERIFIER_WALLET_URL": "http://wallet.example",
                "VERIFIER_KEY_PASSPHRASE_FILE": "gone",
            },
        ),
    ],
)
def test_serve_refuses_unsafe_settings_by_status_2_and_names_each(
    service: str, unsafe: dict[str, str], programs: Installed, tmp_path: Path
) -> None:
    """All of them at once; nothing is recorded and no key is made."""
    data = tmp_path / "data"

    done = programs.run(service, "serve", "--port", "0", "--data", str(data), **unsafe)

    assert (done.status, done.out) == (2, "")
    assert {variable for variable in unsafe if variable not in done.err} == set()
    assert not (data / "public-url").exists()
    assert not (data / "keys").exists()


@contextmanager
def published(token: str) -> Iterator[str]:
    """A list at an address on loopback."""

    class Handler(BaseHTTPRequestHandler):
        """Gives the list."""

        def do_GET(self) -> None:
            """Whatever the path is."""
            self.send_response(200)
            self.send_header("Content-Type", "application/jwt")
            self.end_headers()
            self.wfile.write(token.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}/universities.jwt"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("service", ["wallet", "verifier"])
def test_a_list_is_added_by_address_and_key_listed_and_removed(
    service: str, programs: Installed, tmp_path: Path
) -> None:
    """`trust add URL --key FILE` fetches the list and holds it to the key; another key adds nothing."""
    signer, stranger = generate_signer(), generate_signer()
    for name, key in (("key", signer), ("other", stranger)):
        (tmp_path / f"{name}.json").write_text(json.dumps(key.public_jwk), encoding="ascii")
    now = datetime.now(UTC)
    token = sign_trust_list(
        [read_entry(ENTRY)], signer=signer, sequence=7, issued_at=now, next_update=now + timedelta(days=1)
    )
    common = ["--data", str(tmp_path / "data"), "--json"]
    (tmp_path / "data").mkdir()
    loopback = {f"{service.upper()}_ALLOW_LOOPBACK": "1"}

    def trust(*arguments: str) -> Any:
        done = programs.run(service, "trust", *arguments, *common, **loopback)
        assert done.status == 0, done.err
        return json.loads(done.out)

    with published(token) as url:
        other = str(tmp_path / "other.json")
        refused = programs.run(service, "trust", "add", url, "--key", other, *common, **loopback)
        assert (refused.status, refused.out) == (1, "")
        assert set(json.loads(refused.err)) == {"error", "error_description"}
        assert trust("list") == []
        added = trust("add", url, "--key", str(tmp_path / "key.json"))

    listed = trust("list")
    assert listed == [added]
    assert (added["url"], added["sequence"]) == (url, 7)
    assert trust("remove", added["id"]) == {"removed": added["id"]}
    assert trust("list") == []
