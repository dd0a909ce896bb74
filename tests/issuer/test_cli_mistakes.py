"""What a newcomer does wrong at the terminal: one sentence that says what to do, and an exit status; nothing made."""

import json
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.issuer.terminal import Run
from tests.schemas.learning.samples import VECTORS

XML = VECTORS / "elmo" / "xml"


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


def test_every_fault_of_a_file_is_told_on_a_line_of_its_own(run: Run, data: Path, tmp_path: Path) -> None:
    """Not only the first five; for programs with row, field, fault and fix apart."""
    file = tmp_path / "results.csv"
    lines = [f"Sjöberg,Elin,199{number},AA{number},Statistik,sju" for number in range(8)]
    file.write_text(
        "\n".join(["family_name,given_name,birth_date,course_code,title_sv,ects", *lines]), encoding="utf-8"
    )
    for command in (["import", file], ["offer", "--from", file]):
        said = run(*command, "--data", data)
        assert (said.status, said.stdout) == (1, "")
        first, *faults = said.stderr.splitlines()
        assert first == "16 problem(s) in results.csv; nothing of it was taken:"
        assert len(faults) == 16
        assert faults[-1] == "row 9, ects: This is not a number. Write digits, such as 7.5 or 7,5."
        told = run(*command, "--data", data, "--json").fault
        assert told["error"] == "invalid_results"
        assert len(told["problems"]) == 16
        assert told["problems"][-1] == {
            "row": 9,
            "field": "ects",
            "fault": "This is not a number.",
            "fix": "Write digits, such as 7.5 or 7,5.",
        }


def test_more_faults_than_are_kept_are_counted(run: Run, data: Path, tmp_path: Path) -> None:
    """The last line says how many there are besides."""
    file = tmp_path / "results.csv"
    file.write_text("family_name,title\n" + "Sjöberg,\n" * 600, encoding="utf-8")
    lines = run("import", file, "--data", data).stderr.splitlines()
    assert len(lines) == 502
    assert lines[-1] == "... and 100 more."
    told = run("import", file, "--data", data, "--json").fault
    assert len(told["problems"]) == 500


def test_a_fault_of_the_whole_file_has_neither_row_nor_field(run: Run, data: Path, tmp_path: Path) -> None:
    """One problem, in the same shape."""
    file = tmp_path / "results.pdf"
    file.write_bytes(b"%PDF-1.7 ...")
    (problem,) = run("import", file, "--data", data, "--json").fault["problems"]
    assert (problem["row"], problem["field"]) == (None, None)


def test_what_is_complete_is_offered_and_the_rest_named(run: Run, data: Path) -> None:
    """The specification's example has a course without workload: it is left out, unless it was asked for by name."""
    example = XML / "elmo-schemas-example.xml"
    said = run("offer", "--from", example, "--data", data, "--json")
    offers = json.loads(said.stdout)
    assert said.status == 0
    assert [offer["title"] for offer in offers]
    assert said.stderr.count("was left out: it lacks Notional workload (M7)") >= 1

    everything = len(json.loads(run("import", example, "--data", data, "--dry-run", "--json").stdout)["results"])
    assert len(offers) + said.stderr.count("was left out") == everything

    table = data / "results.csv"
    table.write_text("family_name,course_code,title_sv,date,hp\nÅs,A1,Algebra,2026-06-05,5\nÅs,A2,Analys,2026-06-05,\n")
    made = run("offer", "--from", table, "--data", data, "--json")
    assert (made.status, len(json.loads(made.stdout))) == (0, 1)
    assert "A2 “Analys” was left out" in made.stderr
    named = run("offer", "--from", table, "--course", "A1", "--course", "A2", "--data", data, "--json")
    assert (named.stdout, named.fault["error"]) == ("", "incomplete_records")


def test_every_record_that_lacks_something_is_told(run: Run, data: Path, tmp_path: Path) -> None:
    """Which element, of which row, and how to supply it; also beyond the tenth."""
    file = tmp_path / "results.csv"
    rows = [f"Sjöberg,AA{number},Statistik {number},2026-06-05" for number in range(12)]
    file.write_text("\n".join(["family_name,course_code,title_sv,date", *rows]), encoding="utf-8")
    said = run("offer", "--from", file, "--data", data)
    assert said.stderr.count("lacks Notional workload (M7)") == 12
    told = run("offer", "--from", file, "--data", data, "--json").fault
    assert told["error"] == "incomplete_records"
    assert [problem["row"] for problem in told["problems"]] == list(range(2, 14))
    assert told["problems"][0]["field"] == "M7"
    assert "AA0" in told["problems"][0]["fault"]
    assert "courses.CODE.ects_credits" in told["problems"][0]["fix"]
