"""The examples of a receiver, each a process beside the three services: an application, and a shell script."""

import html
import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from examples.demo import EXAMPLE_SETTINGS, PERSON, STUDY_RECORD
from examples.services import Services, free_port
from schemas.types import CREDENTIAL_TYPES

pytestmark = pytest.mark.processes

EXAMPLE = Path(__file__).parents[1] / "examples" / "jobbspranget"
DATA = Path(__file__).parents[1] / "examples" / "data"
# Of Elin, who applies, and of Per, whose row names an unemployment fund.
CANARIES = ("19980423", "980423-2388", "1998-04-23", "Hantverkarnas", "Sjöberg")
WAIT_SECONDS = 60.0


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The services, and Elin with what an internship needs."""
    directory = tmp_path_factory.mktemp("jobbspranget")
    passphrase = directory / "passphrase"
    passphrase.write_text("a passphrase for the example\n")
    settings = {
        **EXAMPLE_SETTINGS,
        "ISSUER_PROFILE_FILE": str(DATA / "employment-service-profile.toml"),
        "WALLET_PASSPHRASE_FILE": str(passphrase),
    }
    with Services(directory, settings=settings) as started:
        for name in ("issuer", "wallet", "verifier"):
            started.start(name, 0)
        root = started.command("issuer", "keys", "list")[0]["root_file"]
        named = [part for one in CREDENTIAL_TYPES.values() for part in ("--type", one.vct)]
        for service in ("wallet", "verifier"):
            started.command(
                service, "trust", "add", "--anchor", root, "--role", "issuer", "--name", "Arbetsförmedlingen",
                "--identifier", started.urls["issuer"], *named,
            )  # fmt: skip
        employer = started.command("verifier", "keys", "list")[0]["root_file"]
        started.command("wallet", "trust", "add", "--anchor", employer, "--role", "verifier")
        for kind, file in (
            ("registration-certificate", DATA / "job-seekers.csv"),
            ("target-group-certificate", DATA / "target-group.csv"),
            ("course-results", STUDY_RECORD),
        ):
            offered = started.command("issuer", "offer", "--type", kind, "--from", str(file))
            started.command("wallet", "receive", offered[0]["offer"], "--person", PERSON)
        yield started


def test_the_application_is_thirty_lines() -> None:
    """What a receiver has to write itself: statements, without blank lines, imports, comments and documentation."""
    source = (EXAMPLE / "application.py").read_text("utf-8")
    lines = [line.strip() for line in source.splitlines()]
    written = [one for one in lines if one and not one.startswith(("#", '"""', "import ", "from "))]

    assert len(written) <= 30


def test_the_application_tells_what_is_needed_and_is_told_the_answer(services: Services) -> None:
    """A person applies, shares, and reads the answer, which came by a webhook; nothing else about them came."""
    with _running_application(services) as (port, log):
        page = _get(port, "/")
        for kind in ("registration-certificate", "target-group-certificate", "course-results"):
            assert CREDENTIAL_TYPES[kind].title("sv") in page
        assert services.urls["issuer"] in page
        link = html.unescape(_found(r"id=wallet href='([^']+)'", page))
        mine = _found(r"id=mine href='([^']+)'", page)
        assert "väntar" in json.loads(_get(port, mine))["answer"]

        shared = services.command("wallet", "present", link, "--approve", "--person", PERSON)
        assert shared["outcome"] == "delivered", shared
        deadline = time.monotonic() + WAIT_SECONDS
        while "väntar" in (answer := json.loads(_get(port, mine))["answer"]):
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)

        assert re.fullmatch(r"Behörig den .+, enligt Arbetsförmedlingen\.", answer), answer
        seen = log.read_text() + services.log_of("verifier").read_text() + page + answer
        assert not [canary for canary in CANARIES if canary in seen]
    rests = b"".join(file.read_bytes() for file in (services.data / "verifier").rglob("*") if file.is_file())
    assert not [canary for canary in CANARIES if canary.encode() in rests]


def test_the_same_from_a_shell_script(services: Services, tmp_path: Path) -> None:
    """Plain HTTP: what is needed, the link, and the answer as a sentence and as an exit status."""
    key = tmp_path / "key"
    key.write_text(services.command("verifier", "api-key", "create", "script")["key"])
    environment = {**os.environ, "VERIFIER_URL": services.urls["verifier"], "VERIFIER_KEY_FILE": str(key)}
    script = subprocess.Popen(
        ["sh", str(EXAMPLE / "apply.sh")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert script.stdout is not None
    assert script.stderr is not None
    told: list[str] = []
    for line in script.stdout:
        told.append(line.strip())
        if line.startswith("Wallet: "):
            break
    assert told[-1].startswith("Wallet: "), script.stderr.read()
    link = told[-1].removeprefix("Wallet: ")
    services.command("wallet", "present", link, "--approve", "--person", PERSON)
    rest, said = script.communicate(timeout=WAIT_SECONDS)

    assert script.returncode == 0, said
    assert re.fullmatch(r"Eligible as of .+, says Arbetsförmedlingen\.", rest.strip()), rest
    assert f"Job seeker registration from {services.urls['issuer']}" in told
    assert not [canary for canary in CANARIES if canary in rest + said + "".join(told)]


@contextmanager
def _running_application(services: Services) -> Iterator[tuple[int, Path]]:
    """The application with a key and a webhook of its own; its port and its log."""
    port = free_port(0)
    key = services.command("verifier", "api-key", "create", "jobbspranget")
    hook = services.command("verifier", "webhooks", "set", key["id"], f"http://localhost:{port}/told")
    environment = {
        **os.environ,
        "VERIFIER_URL": services.urls["verifier"],
        "VERIFIER_KEY": key["key"],
        "WEBHOOK_SECRET": hook["secret"],
        "SEEN_FILE": str(services.data / "seen.sqlite3"),
    }
    log = services.data / "application.log"
    command = [sys.executable, "-m", "uvicorn", "examples.jobbspranget.application:app", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, cwd=EXAMPLE.parents[1])
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while "running on" not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield port, log
    finally:
        process.terminate()
        process.wait(10)


def _get(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", urlsplit(path).path)
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 200, text
        return text
    finally:
        connection.close()


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return match[1]
