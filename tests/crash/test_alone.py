"""One service is killed while the other two live on; `make crash`: at every one of its points."""

from pathlib import Path

import pytest

from tests.crash.acting import Act, prepared, sample
from tests.crash.acts import ACTS
from tests.crash.alone import ISSUER, VERIFIER, WALLET, kill_alone, points_alone
from tests.crash.test_every_point import EVERY_POINT

pytestmark = pytest.mark.processes

BY_DEFAULT = 2
"""Points of each that are killed at in the whole suite."""
CHOSEN = {
    ("receive an offer", ISSUER),
    ("renew", ISSUER),
    ("share, and send again", VERIFIER),
    ("share, and send again", WALLET),
    ("take back", VERIFIER),
    ("tell of a deletion", ISSUER),
}
"""Of which the whole suite takes no others: where most hangs on an answer that gets lost."""
CASES = [(act, victim) for act in ACTS for victim in act.alone]


@pytest.mark.parametrize(
    ("act", "victim"),
    [case for case in CASES if EVERY_POINT or (case[0].name, case[1]) in CHOSEN],
    ids=lambda one: one if isinstance(one, str) else one.name.replace(" ", "-"),
)
def test_one_is_killed_and_the_others_live_on(act: Act, victim: str, tmp_path: Path) -> None:
    """The living lose an answer, or find nobody; nothing else: what was interrupted goes on, once."""
    before = tmp_path / "before"
    before.mkdir()
    prepared(act, before)
    points = points_alone(act, victim, before, tmp_path / "whole")
    assert points, "nothing of it happens in this service"
    broken = []
    for point in range(1, len(points) + 1) if EVERY_POINT else sample(points, BY_DEFAULT):
        try:
            kill_alone(act, victim, before, tmp_path / f"point-{point}", point)
        except AssertionError as exc:
            broken.append(f"{victim} killed at {point} of {len(points)}, {points[point - 1]}:\n{exc}")
    assert not broken, "\n\n".join(broken)


def test_what_the_whole_suite_takes_is_there() -> None:
    """Each of the three, and nothing that has been renamed."""
    assert {(act.name, victim) for act, victim in CASES} >= CHOSEN
    assert {victim for _, victim in CHOSEN} == {ISSUER, VERIFIER, WALLET}
