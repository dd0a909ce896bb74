"""Command lines: results on stdout, faults on stderr, an exit status to rely on."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from service import commands
from service.database import Busy
from tests.service.sample_service import app


@dataclass
class Said:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Said]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the sample's command line as its script would (real processes are in test_serving)."""

    def ran(*arguments: str, **environment: str) -> Said:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("sys.argv", ["sample", *arguments])
        with pytest.raises(SystemExit) as ended:
            commands.run(app)
        status = ended.value.code
        assert isinstance(status, int)
        return Said(status, *capsys.readouterr())

    return ran


def test_a_result_is_said_to_people_and_given_to_programs(run: Run) -> None:
    assert run("repeat", "hej").stdout == "Text: hej\n"
    assert json.loads(run("repeat", "åäö", "--json", "--data", "d").stdout) == {"text": "åäö", "data": "d"}


def test_the_data_directory_comes_from_the_environment_too(run: Run) -> None:
    assert json.loads(run("repeat", "a", "--json", SAMPLE_DATA="elsewhere").stdout)["data"] == "elsewhere"


@pytest.mark.parametrize(
    ("arguments", "status", "error", "sentence"),
    [
        (["repeat", "protocol"], 1, "invalid_request", "The form is not right."),
        (["repeat", "failed"], 1, "not_done", "It could not be done."),
        (["repeat"], 2, "usage", "Missing argument"),
        (["repeat", "a", "--unknown"], 2, "usage", "No such option: --unknown"),
        (["nothing"], 2, "usage", "No such command 'nothing'."),
    ],
)
def test_a_fault_is_one_sentence_and_an_exit_status(
    run: Run, arguments: list[str], status: int, error: str, sentence: str
) -> None:
    said = run(*arguments)
    assert (said.returncode, said.stdout) == (status, "")
    assert said.stderr.strip().startswith(sentence)

    told = run(*arguments, "--json")
    if arguments == ["nothing"]:
        return
    assert (told.returncode, told.stdout) == (status, "")
    fault = json.loads(told.stderr)
    assert fault["error"] == error
    assert fault["error_description"].startswith(sentence)


def test_a_setting_of_the_wrong_kind_is_named_without_its_value(run: Run, tmp_path: Path) -> None:
    said = run("serve", "--data", str(tmp_path), SAMPLE_SESSION_IDLE_SECONDS="secret-word")

    assert said.returncode == 2
    assert said.stderr.startswith("SAMPLE_SESSION_IDLE_SECONDS: ")
    assert "secret-word" not in said.stderr


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_file_that_cannot_be_used_is_named_in_one_sentence(run: Run, tmp_path: Path, options: list[str]) -> None:
    """No traceback for a directory that is a file, or one that may not be entered."""
    (tmp_path / "file").write_text("")
    said = run("read", str(tmp_path / "file" / "below"), *options)
    assert (said.returncode, said.stdout) == (1, "")
    told = json.loads(said.stderr) if options else {"error": "file_unavailable", "error_description": said.stderr}
    assert told["error"] == "file_unavailable"
    assert told["error_description"].strip() == f"{tmp_path}/file/below: Not a directory."


def test_wrong_usage_that_a_command_finds_itself_has_the_code_of_wrong_usage(run: Run) -> None:
    """Programs need one code for it, whoever found it."""
    assert json.loads(run("repeat", "usage", "--json").stderr)["error"] == "usage"


def test_help_is_given(run: Run) -> None:
    said = run("--help")

    assert said.returncode == 0
    assert "repeat" in said.stdout


def test_a_command_waits_while_the_database_is_busy_but_not_for_ever() -> None:
    """Another process writes for a moment; a command then does its work, instead of sending the person away."""
    tries: list[int] = []

    def busy_twice() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise Busy
        return "done"

    def always_busy() -> str:
        raise Busy

    assert commands.patiently(busy_twice) == "done"
    with pytest.raises(Busy):
        commands.patiently(always_busy, seconds=0.1)


def test_long_lines_are_broken_between_words_and_set_in() -> None:
    """What follows a line that is too long stands further in than the line itself; links stay whole, tables too."""
    link = "https://verifier.example/share/" + "x" * 60
    text = (
        f"  3f1c9a27  2026-11-20 12:00  shared   Exempelbolaget AB, which has a long name\n{link} {link}\nshort  line"
    )

    shown = commands.fitted(text, width=60).split("\n")

    assert shown[0] == "  3f1c9a27  2026-11-20 12:00  shared   Exempelbolaget AB,"
    assert shown[1] == "      which has a long name"
    assert shown[2:] == [link, f"    {link}", "short  line"]
    assert commands.fitted("as it is", width=60) == "as it is"
    assert commands.fitted("", width=1) == ""
