"""`intyga-verifier deletions` and `retention`, beside what wallets and staff do."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.clock import utc_now
from tests.verifier.scene import Scene
from tests.verifier.withdrawing import act, take
from verifier.cli import app
from verifier.cli_deletions import _human_refusal
from verifier.exchange import MadeRequest

WORDS = ("--sv", "Bokföringslagen kräver det.", "--en", "The accounting act demands it.")
GROUND = ("--ground", "legal_obligation_or_public_task")


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A scene under the real clock whose data directory the commands use; staff decides."""
    monkeypatch.setenv("VERIFIER_PUBLIC_URL", "http://localhost:8003")
    made = Scene(tmp_path, withdraw_at_once=False)
    made.now = utc_now()
    made.refresh_list()
    made.certificate = made.issuer.issue(
        {"family_name": "Kanarek-Test", "date_of_issuance": "2026-06-12", "credits": 7.5}, holder=made.holder
    )
    return made


@pytest.fixture
def taken_back(scene: Scene) -> MadeRequest:
    """A share that was taken back and waits for a decision."""
    made = scene.ask()
    scene.answer(made)
    assert scene.result(made).has_contents
    assert take(scene, act(scene, made)).status == 202
    return made


def invoke(scene: Scene, *arguments: str) -> Any:
    """Run a command in this process; its JSON."""
    outcome = CliRunner().invoke(app, [*arguments, "--data", str(scene.settings.data), "--json"])
    assert outcome.exit_code == 0, outcome.output
    return json.loads(outcome.stdout)


def text(scene: Scene, *arguments: str) -> str:
    """Run a command for a person."""
    outcome = CliRunner().invoke(app, [*arguments, "--data", str(scene.settings.data)])
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def refused(scene: Scene, *arguments: str) -> Any:
    """The error of a command that could not do it."""
    outcome = CliRunner().invoke(app, [*arguments, "--data", str(scene.settings.data)])
    assert outcome.exit_code != 0
    return outcome.exception


def test_what_waits_is_listed_and_deleted(scene: Scene, taken_back: MadeRequest) -> None:
    """With its day, what it is about, and no value; then there is a statement."""
    (one,) = invoke(scene, "deletions", "list")
    assert (one["request_id"], one["action"], one["state"]) == (taken_back.id, "withdraw", "received")
    assert set(one["about"]) == {"certificate/family_name", "certificate/date_of_issuance"}
    assert one["days_left"] >= 27
    assert "days left" in text(scene, "deletions", "list")
    assert "Kanarek" not in text(scene, "deletions", "list")

    done = invoke(scene, "deletions", "delete", one["id"])

    assert (done["state"], bool(done["statement"])) == ("deleted", True)
    assert take(scene, act(scene, taken_back, "status")).token == done["statement"]
    assert invoke(scene, "deletions", "list") == []
    assert [other["id"] for other in invoke(scene, "deletions", "list", "--all")] == [one["id"]]
    result = invoke(scene, "result", taken_back.id)
    assert (result["state"], result["values"], result["deletion"]["state"]) == ("withdrawn", None, "deleted")
    lines = text(scene, "result", taken_back.id).splitlines()
    assert lines[0].startswith("Taken back by the person at ")
    assert "do not use it" in lines[0]
    verdict = next(number for number, line in enumerate(lines) if line.startswith("Verdict: "))
    assert lines[verdict - 1] == "What was found before it was taken back:"
    assert type(refused(scene, "deletions", "delete", one["id"])).__name__ == "AlreadyDecided"


def test_a_part_or_everything_is_kept_on_a_ground(scene: Scene, taken_back: MadeRequest) -> None:
    """`--keep` names items; without it everything is kept; a ground and both languages are needed."""
    (one,) = invoke(scene, "deletions", "list")
    assert "ground" in str(refused(scene, "deletions", "refuse", one["id"], "--ground", "because", *WORDS))
    short = refused(scene, "deletions", "refuse", one["id"], *GROUND, "--sv", "nej", "--en", WORDS[3])
    assert short.error == "invalid_refusal"
    unknown = refused(scene, "deletions", "refuse", one["id"], *GROUND, *WORDS, "--keep", "certificate/birthdate")
    assert unknown.error == "invalid_refusal"

    keep = ("--keep", "certificate/family_name")
    done = invoke(scene, "deletions", "refuse", one["id"], *GROUND, *WORDS, *keep)

    assert done["state"] == "partly"
    assert done["about"] == ["certificate/date_of_issuance"]
    assert done["exceptions"][0]["words"] == {"sv": WORDS[1], "en": WORDS[3]}
    assert "Kept: legal_obligation" in text(scene, "deletions", "list", "--all")
    contents = scene.verifier.contents(taken_back.id, viewer="test")
    assert contents is not None
    asked = [item.path for item in contents.items if item.asked]
    assert asked == [("family_name",)]


def test_everything_is_kept_without_keep(scene: Scene, taken_back: MadeRequest) -> None:
    """A refusal of all of it."""
    (one,) = invoke(scene, "deletions", "list")
    assert invoke(scene, "deletions", "refuse", one["id"], *GROUND, *WORDS)["state"] == "refused"
    assert type(refused(scene, "deletions", "refuse", one["id"], *GROUND, *WORDS)).__name__ == "AlreadyDecided"
    assert invoke(scene, "deletions", "delete", one["id"])["state"] == "deleted"


def test_a_refusal_says_when_it_was_due_and_what_the_person_reads(scene: Scene, taken_back: MadeRequest) -> None:
    """The day, whether it was kept, the words in both languages, how they come to the person, and until when."""
    (one,) = invoke(scene, "deletions", "list")
    told = text(scene, "deletions", "refuse", one["id"], *GROUND, *WORDS)

    assert f"the answer was due by {one['due_on']}.\n" in told
    assert "LATE" not in told
    assert [line for line in (f"    sv: {WORDS[1]}", f"    en: {WORDS[3]}") if line not in told] == []
    assert "signed statement when it asks" in told
    assert f"deleted by itself after {taken_back.transaction.retention_until.isoformat()}." in told
    late = {**invoke(scene, "deletions", "list", "--all")[0], "due_on": "2020-01-01"}
    assert "That is LATE." in _human_refusal(late)
    assert "Tell them yourself" in _human_refusal(late | {"statement": None})


def test_the_calendar_is_listed(scene: Scene) -> None:
    """By day and template."""
    assert invoke(scene, "retention", "list") == []
    assert text(scene, "retention", "list") == "Nothing is kept.\n"
    made = [scene.ask() for _ in range(2)]
    for one in made:
        scene.answer(one)

    (day,) = invoke(scene, "retention", "list")

    assert day == {
        "kept_until": made[0].transaction.retention_until.isoformat(),
        "template": "employer-micro-credential",
        "answers": 2,
        "overdue": False,
    }
    assert "employer-micro-credential" in text(scene, "retention", "list")


def test_an_unknown_deletion_is_said_so(scene: Scene) -> None:
    """In one line."""
    assert type(refused(scene, "deletions", "delete", "nothing")).__name__ == "NoSuchDeletion"
