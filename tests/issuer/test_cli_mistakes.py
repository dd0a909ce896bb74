"""What a newcomer does wrong at the terminal: one sentence that says what to do, and an exit status; nothing made."""

import json
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.issuer.terminal import Run


@pytest.mark.parametrize(
    ("arguments", "status", "error", "words"),
    [
        (["offer"], 2, "usage", "either --from FILE or --import ID"),
        (["offer", "--from", "results.csv", "--import", "x"], 2, "usage", "either --from FILE or --import ID"),
        (["offer", "--from", "missing.csv"], 2, "usage", "'missing.csv' does not exist"),
        (["offer", "--from", "results.csv", "--type", "diploma"], 2, "usage", "micro-credential, course-results"),
        (["offer", "--from", "results.csv", "--course", "ZZ"], 1, "not_found", "course code"),
        (["offer", "--import", "unknown"], 1, "not_found", "no such import"),
        (["import", "missing.csv"], 2, "usage", "'missing.csv' does not exist"),
        (["revoke"], 2, "usage", "Missing argument"),
        (["revoke", "unknown"], 1, "not_found", "no certificate"),
        (["void", "unknown"], 1, "not_found", "no offer"),
        (["serve", "--port", "70000"], 2, "usage", "--port"),
        (["keys", "import", "--key", "results.csv", "--chain", "results.csv"], 1, "invalid_request", "private key"),
    ],
)
def test_a_mistake_is_answered_with_what_to_do(
    run: Run, data: Path, record: Path, arguments: list[str], status: int, error: str, words: str
) -> None:
    """As text for people, and with --json as one document for programs, on stderr."""
    assert record.exists()
    said = run(*arguments, "--data", data)
    assert (said.status, said.stdout) == (status, "")
    assert words in said.stderr
    if arguments[0] != "serve":
        told = run(*arguments, "--data", data, "--json")
        assert (told.status, told.stdout) == (status, "")
        assert told.fault["error"] == error


def test_a_directory_written_wrongly_is_not_made_and_taken_for_empty(run: Run, tmp_path: Path) -> None:
    """`list` on a directory that is not there says so, instead of making it."""
    wrong = tmp_path / "wrong"
    assert run("list", "--data", wrong, "--json").fault["error"] == "no_data"
    assert not wrong.exists()


def test_a_directory_that_cannot_be_used_is_named(run: Run, tmp_path: Path, record: Path) -> None:
    """A file in the place of a directory, and what lies below it."""
    for arguments in (["list"], ["import", record], ["serve", "--port", "0"]):
        said = run(*arguments, "--data", record / "below")
        assert (said.status, said.stdout) == (1, "")
        assert str(record) in said.stderr
        assert "Traceback" not in said.stderr


def test_a_wrong_setting_is_named_by_its_variable(run: Run, data: Path) -> None:
    """The operator sees which variable to correct."""
    said = run("keys", "list", "--data", data, ISSUER_BATCH_SIZE="1")
    assert (said.status, said.stdout) == (2, "")
    assert said.stderr.startswith("ISSUER_BATCH_SIZE: ")


def test_a_second_key_is_refused_with_the_place_of_the_first(run: Run, data: Path) -> None:
    """Nothing is overwritten."""
    assert run("keys", "create", "--data", data).status == 0
    again = run("keys", "create", "--data", data, "--json")
    assert again.fault["error"] == "key_exists"
    assert "issuer.key.pem" in again.fault["error_description"]


def test_a_file_larger_than_is_accepted_is_not_read_to_its_end(run: Run, data: Path) -> None:
    """A device that never ends is refused like any file that is too large."""
    said = run("import", "/dev/zero", "--data", data, "--json")
    assert said.status == 1
    assert said.fault["error"] == "invalid_results"


def test_a_command_waits_for_a_service_that_is_writing(run: Run, data: Path, record: Path) -> None:
    """While another process holds the database for a second, the command waits, and then does its work."""
    assert run("import", record, "--data", data).status == 0
    writing = threading.Event()

    def write() -> None:
        with sqlite3.connect(data / "issuer.sqlite3") as other:
            other.execute("begin immediate")
            writing.set()
            time.sleep(1.0)

    thread = threading.Thread(target=write)
    thread.start()
    assert writing.wait(10)
    said = run("offer", "--from", record, "--data", data, "--json")
    thread.join()
    offers: list[dict[str, Any]] = json.loads(said.stdout)
    assert (said.status, len(offers)) == (0, 2)
