"""Every operation of several steps is killed at its points, started again, and judged; `make crash`: at every point."""

import os
from pathlib import Path

import pytest

from tests.crash.acting import Act, chosen, kill_at, points_of, prepared
from tests.crash.acts import ACTS

pytestmark = pytest.mark.processes

EVERY_POINT = os.environ.get("CRASH_POINTS") == "all"
BY_DEFAULT = 3
"""Points of each operation that are killed at in the whole suite."""


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name.replace(" ", "-"))
def test_killed_at_a_point_and_started_again(act: Act, tmp_path: Path) -> None:
    """Nothing is lost, nothing counts twice, and what was interrupted goes on."""
    before = tmp_path / "before"
    before.mkdir()
    prepared(act, before)
    points = points_of(act, before, tmp_path / "whole")
    assert points
    numbers = list(range(1, len(points) + 1)) if EVERY_POINT else chosen(act, points, BY_DEFAULT)
    broken = []
    for point in numbers:
        try:
            kill_at(act, before, tmp_path / f"point-{point}", point)
        except AssertionError as exc:
            broken.append(f"killed at {point} of {len(points)}, {points[point - 1]}:\n{exc}")
    assert not broken, "\n\n".join(broken)
