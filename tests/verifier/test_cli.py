"""The commands, beside a service that runs in a process of its own."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from typer.testing import CliRunner

from proofs.keys import generate_signer
from tests.verifier.scene import FORM, Issuer, Scene, request_parameters_of
from verifier.cli import announcements, app, main
from verifier.settings import VerifierSettings

COMMAND = [sys.executable, "-c", "from verifier.cli import main; main()"]


def invoke(data: Path, *arguments: str) -> Any:
    """Run a command in this process; its JSON."""
    outcome = CliRunner().invoke(app, [*arguments, "--data", str(data), "--json"])
    assert outcome.exit_code == 0, outcome.output
    return json.loads(outcome.stdout)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A scene whose data directory the commands use, under the real clock."""
    monkeypatch.setenv("VERIFIER_PUBLIC_URL", "http://localhost:8003")
    return Scene(tmp_path)


def test_request_prints_every_way_to_hand_it_over(scene: Scene) -> None:
    """`request`, `request_https`, `id`, and the code to type."""
    told = invoke(scene.settings.data, "request", "--template", "employer-micro-credential")

    assert told["request"].startswith("openid4vp://?client_id=x509_hash%3A")
    assert told["request_https"].startswith("http://localhost:8003/present?")
    assert re.fullmatch(r"localhost:8003/[0-9A-Z]{5}-[0-9A-Z]{5}", told["code"])
    assert told["kind"] == "cross_device"
    assert invoke(scene.settings.data, "result", told["id"])["state"] == "waiting"


@pytest.mark.parametrize(("name", "warned"), [("", True), ("  ", True), ("Exempelbolaget AB", False)])
def test_an_organisation_without_a_name_is_told_so(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, name: str, warned: bool
) -> None:
    """At start, and at each request, beside its JSON: what people would read instead of a name."""
    monkeypatch.setenv("VERIFIER_NAME", name)
    arguments = ["request", "--template", "course-results", "--data", str(scene.settings.data), "--json"]
    outcome = CliRunner().invoke(app, arguments)
    at_start = announcements(VerifierSettings(data=scene.settings.data, public_url="http://localhost:8003", name=name))

    sentence = "VERIFIER_NAME is not set here: unless the service has it, people are told that localhost asks."
    assert (sentence in outcome.stderr, sentence in at_start) == (warned, warned)
    assert json.loads(outcome.stdout)["id"]


@pytest.mark.parametrize(("contact", "warned"), [("", True), ("privacy@employer.example", False)])
def test_a_contact_that_is_not_known_here_is_told(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, contact: str, warned: bool
) -> None:
    """A command without the environment of the service would give people an address that nobody chose."""
    monkeypatch.setenv("VERIFIER_CONTACT", contact)
    arguments = ["request", "--template", "course-results", "--data", str(scene.settings.data), "--json"]
    outcome = CliRunner().invoke(app, arguments)

    assert ("VERIFIER_CONTACT is not set here" in outcome.stderr) is warned
    assert json.loads(outcome.stdout)["id"]


def test_a_template_of_the_service_that_is_not_here_names_its_setting(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever asks by a template from the directory of the service reads what to set."""
    arguments = ["request", "--template", "own", "--data", str(scene.settings.data)]
    said = str(CliRunner().invoke(app, arguments).exception)
    assert "course-results" in said
    assert "VERIFIER_TEMPLATES is not set here" in said
    (tmp_path / "shelf").mkdir()
    monkeypatch.setenv("VERIFIER_TEMPLATES", str(tmp_path / "shelf"))
    assert "is not set here" not in str(CliRunner().invoke(app, arguments).exception)


def test_the_command_that_a_request_prints_works_as_it_is(scene: Scene) -> None:
    """With the folder of the data that the request was made in."""
    outcome = CliRunner().invoke(app, ["request", "--template", "course-results", "--data", str(scene.settings.data)])
    (line,) = [one for one in outcome.stdout.splitlines() if one.startswith("Result:")]
    name, *arguments = shlex.split(line.removeprefix("Result:"))

    told = CliRunner().invoke(app, arguments)

    assert name == "intyga-verifier"
    assert told.exit_code == 0, told.exception
    assert "State: waiting" in told.stdout


def test_a_request_says_until_when_it_is_open_and_how_long_an_answer_may_take(scene: Scene) -> None:
    """The wallet shows the shorter of the two times."""
    outcome = CliRunner().invoke(app, ["request", "--template", "course-results", "--data", str(scene.settings.data)])

    lines = outcome.stdout.splitlines()
    opened = next(number for number, line in enumerate(lines) if line.startswith("Open until: "))
    assert lines[opened + 1] == "Each time that a wallet fetches it, its person has 5 minutes to answer."


def test_a_template_comes_from_a_file_too(scene: Scene, tmp_path: Path) -> None:
    """By its own option, or as the value of `--template`."""
    file = tmp_path / "own.json"
    template = scene.template().model_dump(mode="json", exclude_defaults=True) | {"name": "own"}
    file.write_text(json.dumps(template))

    for option in ("--template-file", "--template"):
        told = invoke(scene.settings.data, "request", option, str(file), "--same-device", "--reference", "17")
        assert told["kind"] == "same_device"
        assert invoke(scene.settings.data, "result", told["id"])["reference"] == "17"


def test_a_web_wallet_can_be_named(scene: Scene) -> None:
    """The https link then leads there."""
    told = invoke(scene.settings.data, "request", "--template", "course-results", "--wallet", "https://wallet.example/")

    assert told["request_https"].startswith("https://wallet.example/present?client_id=")


FILES = {
    "text.json": b"no JSON",
    "empty.json": b"{}",
    "text.toml": b"x =",
    "bytes.toml": b"\xff\xfe",
    "note.txt": b"a note",
}


@pytest.mark.parametrize(
    ("arguments", "status", "error", "named"),
    [
        ("request", 2, "usage", "--template"),
        ("request --template nothing", 1, "unknown_template", "course-results"),
        ("request --template nothing.toml", 1, "invalid_template", "nothing.toml"),
        ("request --template text.toml", 1, "invalid_template", "text.toml: the file is not TOML"),
        ("request --template bytes.toml", 1, "invalid_template", "bytes.toml: the file is not text"),
        ("request --template text.json", 1, "invalid_template", "text.json: the file is not JSON"),
        ("request --template empty.json", 1, "invalid_template", "empty.json: name is missing"),
        ("request --template-file note.txt", 1, "invalid_template", "note.txt"),
        ("request --template course-results --lifetime 5", 2, "usage", "--lifetime"),
        ("request --template course-results --wallet javascript:alert(1)", 2, "usage", "--wallet"),
        ("request --template course-results --return-url https://me.example/", 1, "invalid_request", "same-device"),
        ("request --template course-results --same-device --return-url ftp://me", 1, "invalid_request", "https"),
        ("result nothing", 1, "not_found", "request"),
        ("result", 2, "usage", "ID"),
        ("trust add", 2, "usage", "--anchor"),
        ("trust add https://lists.example/1", 2, "usage", "--key"),
        ("trust add https://lists.example/1 --key text.json", 1, "invalid_file", "text.json"),
        ("trust add https://lists.example/1 --key empty.json", 1, "invalid_file", "empty.json"),
        ("trust add http://lists.example/1 --key key.json", 1, "list_unavailable", "could not be read"),
        ("trust add --anchor nothing.pem", 2, "no_such_file", "nothing.pem"),
        ("trust add --anchor note.txt", 1, "invalid_file", "note.txt"),
        ("trust add --anchor note.txt --role boss", 2, "usage", "--role"),
        ("trust add --entry text.json", 1, "invalid_file", "text.json"),
        ("trust add --entry empty.json", 1, "invalid_file", "empty.json"),
        ("trust add --entry empty.json --type urn:x", 2, "usage", "--type"),
        ("trust remove nothing", 1, "not_found", "no such entry"),
        ("trust remove -nothing", 1, "not_found", "no such entry"),
        ("trust sign text.json", 1, "invalid_file", "text.json"),
        ("trust sign empty.json", 1, "invalid_file", "empty.json"),
        ("trust sign --key nothing.pem", 2, "no_such_file", "key file"),
        ("trust sign --key note.txt", 1, "invalid_file", "note.txt"),
        ("trust sign --days 0", 2, "usage", "--days"),
        ("api-key create _", 2, "usage", "name"),
        ("api-key revoke nothing", 1, "not_found", "no such key"),
        ("nothing", 2, "usage", "nothing"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    scene: Scene,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: str,
    status: int,
    error: str,
    named: str,
) -> None:
    """One sentence on stderr that names what is wrong, the right exit status, and the same in JSON."""
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "key.json").write_text(json.dumps(generate_signer().public_jwk))
    command = [
        "intyga-verifier",
        *(" " if one == "_" else one for one in arguments.split()),
        "--data",
        str(scene.settings.data),
    ]
    said = []
    for form in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", command + form)
        with pytest.raises(SystemExit) as stopped:
            main()
        written = capsys.readouterr()
        assert (stopped.value.code, written.out) == (status, "")
        said.append(written.err)

    plain, as_json = said[0], json.loads(said[1])
    assert len(plain.splitlines()) == 1
    assert named in plain
    assert as_json == {"error": error, "error_description": plain.strip()}


@pytest.mark.parametrize(
    ("variable", "value"),
    [("VERIFIER_TIME_ZONE", "Mars"), ("VERIFIER_CLIENT_ID_PREFIX", "did"), ("VERIFIER_SKEW_SECONDS", "long")],
)
def test_a_setting_that_is_none_is_named(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str
) -> None:
    """By its variable, without a traceback."""
    monkeypatch.setenv(variable, value)
    monkeypatch.setattr(sys, "argv", ["intyga-verifier", "templates", "--data", str(scene.settings.data)])

    with pytest.raises(SystemExit) as stopped:
        main()

    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith(f"{variable}: ")


def test_two_universities_under_one_root_are_trusted_one_by_one(scene: Scene, tmp_path: Path) -> None:
    """Naming the second does not replace the first; naming one again does. No id begins with a hyphen."""
    root = tmp_path / "root.pem"
    root.write_bytes(Issuer(url="https://other.example", name="Other").root_pem)
    data, before = scene.settings.data, len(invoke(scene.settings.data, "trust", "list"))

    added = [
        invoke(data, "trust", "add", "--anchor", str(root), "--identifier", f"https://{one}.example")
        for one in ("a", "b", "a")
    ]

    assert len(invoke(data, "trust", "list")) == before + 2
    assert added[0]["id"] == added[2]["id"] != added[1]["id"]
    assert all(re.fullmatch(r"[0-9a-f]{16}", one["id"]) for one in added)


def test_trust_is_added_listed_removed_and_signed(scene: Scene, tmp_path: Path) -> None:
    """By root certificate and by entry; the signed list holds both, and its key lies beside it."""
    data = scene.settings.data
    root, entry, signed = tmp_path / "root.pem", tmp_path / "entry.json", tmp_path / "list.jwt"
    root.write_bytes(Issuer(url="https://other.example", name="Other").root_pem)
    key = generate_signer().public_jwk
    entry.write_text(
        json.dumps({"id": "e1", "name": "By key", "role": "issuer", "identifier": "https://k.example",
                    "mechanism": "jwks", "jwks": [key], "types": ["urn:x"]})
    )  # fmt: skip

    by_root = invoke(
        data, "trust", "add", "--anchor", str(root), "--name", "Other", "--role", "issuer", "--type", "urn:y"
    )
    invoke(data, "trust", "add", "--entry", str(entry))
    listed = {one["id"]: one for one in invoke(data, "trust", "list")}
    made = invoke(data, "trust", "sign", "--out", str(signed), "--sequence", "7")
    invoke(data, "trust", "remove", "e1")

    assert listed[by_root["id"]]["types"] == ["urn:y"]
    assert listed["e1"]["name"] == "By key"
    assert signed.read_text().strip() == made["list"]
    assert json.loads(Path(made["key_file"]).read_text()) == made["key"]
    assert "e1" not in {one["id"] for one in invoke(data, "trust", "list")}


def test_an_entry_needs_no_id(scene: Scene, tmp_path: Path) -> None:
    """As the wallet takes it (docs/trust.md): the id is made of the key, so that the same entry is there once."""
    entry, many = tmp_path / "entry.json", tmp_path / "entries.json"
    members = {name: value for name, value in scene.issuer.entry().to_json().items() if name != "id"}
    entry.write_text(json.dumps(members))
    many.write_text(json.dumps([members]))
    before = {one["id"] for one in invoke(scene.settings.data, "trust", "list")}

    added = [invoke(scene.settings.data, "trust", "add", "--entry", str(entry)) for _ in range(2)]

    assert added[0]["id"] == added[1]["id"]
    assert {one["id"] for one in invoke(scene.settings.data, "trust", "list")} == before | {added[0]["id"]}
    assert invoke(scene.settings.data, "trust", "sign", str(many))["list"].count(".") == 2


def test_an_entry_whose_id_begins_with_a_hyphen_can_be_removed(scene: Scene, tmp_path: Path) -> None:
    """Ids are made of a digest in base64url."""
    entry = tmp_path / "entry.json"
    entry.write_text(json.dumps(scene.issuer.entry().to_json() | {"id": "-DQSwjHNpZWis5un"}))
    invoke(scene.settings.data, "trust", "add", "--entry", str(entry))

    assert invoke(scene.settings.data, "trust", "remove", "-DQSwjHNpZWis5un") == {"removed": "-DQSwjHNpZWis5un"}


def test_keys_list_names_the_root_for_wallets(scene: Scene) -> None:
    """The file that a wallet's `trust add --anchor` takes."""
    (key,) = invoke(scene.settings.data, "keys", "list")

    assert Path(key["root_file"]).read_bytes().startswith(b"-----BEGIN CERTIFICATE-----")
    assert "localhost" in key["names"]


def test_api_keys_are_made_listed_and_ended(scene: Scene) -> None:
    """The key itself is shown once."""
    made = invoke(scene.settings.data, "api-key", "create", "careers site")
    listed = invoke(scene.settings.data, "api-key", "list")
    invoke(scene.settings.data, "api-key", "revoke", made["id"])

    assert made["key"] not in json.dumps(listed)
    assert listed[0]["name"] == "careers site"
    assert invoke(scene.settings.data, "api-key", "list")[0]["revoked_at"]


def test_human_output_names_the_verdict_and_every_check(scene: Scene) -> None:
    """Without `--json` a person reads it."""
    made = scene.ask()
    scene.answer(made)

    outcome = CliRunner().invoke(app, ["result", made.id, "--data", str(scene.settings.data)])

    assert "Verdict: accepted. Everything held." in outcome.stdout
    assert "+ Content unaltered: The content is unaltered since it was issued." in outcome.stdout
    assert outcome.exit_code == 0


# --- a real service -----------------------------------------------------------------------------------------------


class Served:
    """`serve` in a process of its own."""

    def __init__(self, data: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("VERIFIER_")}
        self.environment = environment | {"VERIFIER_ALLOW_LOOPBACK": "1"}
        self.data = data
        self.process = subprocess.Popen(
            [*COMMAND, "serve", "--data", str(data), "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().partition(": ")[2].strip().rstrip("/")

    def command(self, *arguments: str) -> Any:
        """A command in yet another process; its JSON."""
        outcome = subprocess.run(
            [*COMMAND, *arguments, "--data", str(self.data), "--json"],
            capture_output=True,
            text=True,
            env=self.environment,
            check=False,
            timeout=60,
        )
        assert outcome.returncode == 0, outcome.stderr
        return json.loads(outcome.stdout)

    def stop(self) -> int:
        """End the process and wait for it."""
        self.process.terminate()
        self.process.communicate(timeout=20)
        return self.process.returncode


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A running verifier."""
    one = Served(tmp_path / "served")
    yield one
    assert one.stop() in (0, -signal.SIGTERM)  # uvicorn ends by the signal, after finishing what was under way.


@pytest.mark.processes
def test_serve_records_its_address_and_takes_answers(served: Served) -> None:
    """Ask on the command line, answer over HTTP, wait for the result on the command line."""
    from http.client import HTTPConnection
    from urllib.parse import urlsplit

    told = served.command("request", "--template", "course-results")
    uri = dict(parse_qsl(told["request"].partition("?")[2]))["request_uri"]
    assert uri.startswith(served.url)
    connection = HTTPConnection(urlsplit(served.url).netloc, timeout=10)
    connection.request("GET", urlsplit(uri).path)
    request = request_parameters_of(connection.getresponse().read().decode())
    form = urlencode({"error": "access_denied", "state": request["state"]})
    connection.request("POST", urlsplit(request["response_uri"]).path, body=form, headers={"Content-Type": FORM})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"{}")
    connection.close()

    result = served.command("result", told["id"], "--wait", "5")

    assert (result["state"], result["accepted"], result["wallet_error"]) == ("declined", False, "access_denied")


@pytest.mark.processes
def test_serve_refuses_unsafe_settings_and_names_them(tmp_path: Path) -> None:
    """A public address without https, HAIP without encryption."""
    environment = os.environ | {
        "VERIFIER_PUBLIC_URL": "http://verifier.example",
        "VERIFIER_HAIP": "1",
        "VERIFIER_RESPONSE_MODE": "direct_post",
    }
    outcome = subprocess.run(
        [*COMMAND, "serve", "--data", str(tmp_path), "--port", "0"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=60,
    )

    assert outcome.returncode == 2
    for variable in ("VERIFIER_PUBLIC_URL", "VERIFIER_RESPONSE_MODE", "VERIFIER_KEY_PASSPHRASE_FILE"):
        assert variable in outcome.stderr


def test_without_a_contact_nobody_is_asked_but_on_loopback(tmp_path: Path) -> None:
    """People are told whom to turn to; on loopback, where newcomers try things, the operator is told so."""
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("a passphrase for key files in tests\n", encoding="ascii")
    public: dict[str, Any] = {"public_url": "https://verifier.example", "key_passphrase_file": passphrase}

    for contact in ("", "  "):
        elsewhere = VerifierSettings(data=tmp_path, contact=contact, **public)
        here = VerifierSettings(data=tmp_path, contact=contact)
        assert [problem.split()[0] for problem in elsewhere.problems()] == ["VERIFIER_CONTACT"]
        assert here.problems() == []
        assert any(line.startswith("VERIFIER_CONTACT is not set:") for line in announcements(here))
    reachable = VerifierSettings(data=tmp_path, contact="privacy@company.example", **public)
    assert reachable.problems() == []
    assert not any("VERIFIER_CONTACT" in line for line in announcements(reachable))
