"""A short soak: `make soak` runs the long one, with 200 journeys and 200 kills."""

import random
from pathlib import Path

import pytest

from tests.crash import soak as module
from tests.crash.soak import Outcome, main, soak

pytestmark = pytest.mark.processes


@pytest.mark.parametrize(
    ("outcome", "status", "said"),
    [
        (Outcome(200, {"wallet": 120, "issuer": 80}, 200, {}, []), 0, ""),
        (Outcome(200, {"wallet": 199}, 200, {}, []), 1, "199 kills in the time that was given, 200 were asked for"),
        (Outcome(210, {"wallet": 200}, 209, {}, []), 1, "1 of 210 journeys did not come to their end in time"),
        (Outcome(200, {"wallet": 200}, 200, {}, ["a copy was used twice"]), 1, "1 invariants were broken"),
        (Outcome(200, {"wallet": 200}, 200, {"stuck _share": 2}, []), 1, "2 steps did not come"),
    ],
)
def test_a_soak_that_proves_less_than_asked_for_says_so(
    outcome: Outcome,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Fewer kills are no success, whatever else went well."""
    monkeypatch.setattr(module, "soak", lambda *_, **__: outcome)
    monkeypatch.setattr("sys.argv", ["soak", "--kills", "200"])

    assert main() == status
    assert said in capsys.readouterr().err


def test_whole_journeys_come_to_their_end_whatever_is_killed(tmp_path: Path) -> None:
    """Twenty people or more, twenty kills: everybody arrives, and no invariant of the three databases is broken."""
    seed = random.SystemRandom().randrange(1_000_000)

    outcome = soak(tmp_path, journeys=20, kills=20, minutes=4, seed=seed)

    assert outcome.faults == [], f"seed {seed}"
    assert outcome.shortfalls(kills=20) == [], f"seed {seed}: {outcome}"
    assert sum(outcome.kills.values()) == 20
    assert outcome.ended == outcome.journeys >= 20
    assert outcome.told.get("taken_back done", 0) > 0
    assert not [fact for fact in outcome.told if fact.startswith(("stuck", "fault"))], f"seed {seed}: {outcome.told}"
