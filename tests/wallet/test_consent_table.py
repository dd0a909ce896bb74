"""docs/consent-tests.md names tests that exist, and leaves out no requirement that is built."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "consent-tests.md").read_text(encoding="utf-8")


def test_every_requirement_has_its_row() -> None:
    """CS-01 to CS-30."""
    numbers = {int(number) for number in re.findall(r"^\| CS-(\d+) ", TABLE, re.MULTILINE)}

    assert set(range(1, 31)) <= numbers


def test_every_named_test_exists() -> None:
    """A row cannot speak of a test that was renamed or removed."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TABLE)

    assert len(named) > 40
    missing = [name for file, name in named if f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8")]
    assert missing == []
