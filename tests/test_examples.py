"""The demo and every story hold, through real processes and the installed commands."""

from pathlib import Path

import pytest

from examples.demo import main
from examples.stories import STORIES
from examples.stories.telling import Story, tell

pytestmark = pytest.mark.processes


def test_the_demo_walks_to_its_end(tmp_path: Path) -> None:
    """`make demo ONCE=1` ends with 0, which it does only if every step held."""
    assert main(["--once", "--data", str(tmp_path / "demo")]) == 0


def test_the_demo_leaves_a_directory_that_is_not_its_own_alone(tmp_path: Path) -> None:
    """Nobody loses files by naming the wrong directory."""
    (tmp_path / "thesis.txt").write_text("the only copy")
    assert main(["--once", "--data", str(tmp_path)]) == 1
    assert (tmp_path / "thesis.txt").read_text() == "the only copy"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_the_story_is_as_told(story: Story) -> None:
    """Each flow's example runs."""
    tell(story)
