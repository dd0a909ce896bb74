"""A short soak: `make soak` runs the long one, with 200 journeys and 200 kills."""

import random
from pathlib import Path

import pytest

from tests.crash.soak import soak

pytestmark = pytest.mark.processes


def test_whole_journeys_come_to_their_end_whatever_is_killed(tmp_path: Path) -> None:
    """Twenty people, up to twenty kills: everybody arrives, and no invariant of the three databases is broken."""
    seed = random.SystemRandom().randrange(1_000_000)

    outcome = soak(tmp_path, journeys=20, kills=20, minutes=4, seed=seed)

    assert outcome.faults == [], f"seed {seed}"
    assert outcome.ended == 20, f"seed {seed}: {outcome}"
    assert sum(outcome.kills.values()) > 0
    assert outcome.told.get("taken_back done", 0) > 0
    assert not [fact for fact in outcome.told if fact.startswith(("stuck", "fault"))], f"seed {seed}: {outcome.told}"
