"""What the documents say of tests is so: the tests exist, and no risk and no requirement goes without one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def _table(document: str, prefix: str) -> dict[int, str]:
    """The rows of a table whose first cell is an identifier like `CS-01`, by number."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    return {int(n): row for row, n in re.findall(rf"^(\| {prefix}-?(\d+) \|.*)$", text, re.MULTILINE)}


@pytest.mark.parametrize("document", sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")))
def test_every_test_that_a_document_names_exists(document: str) -> None:
    """A document cannot speak of a test that was renamed or removed."""
    text = (ROOT / document).read_text(encoding="utf-8")

    missing = [f"{file}::{name}" for file, name in NAMED.findall(text) if not _exists(file, name)]

    assert missing == []


def _exists(file: str, name: str) -> bool:
    path = ROOT / file
    return path.exists() and (not name or f"def {name}(" in path.read_text(encoding="utf-8"))


def test_every_requirement_of_a_share_has_its_row() -> None:
    """CS-01 to CS-43, but for those that the document itself names as not built."""
    rows = _table("consent-tests.md", "CS")
    introduction = (ROOT / "docs" / "consent-tests.md").read_text(encoding="utf-8").partition("| id |")[0]
    later = {int(number) for number in re.findall(r"CS-(\d+) \(", introduction)}

    assert set(rows) | later == set(range(1, 44))
    assert [number for number, row in rows.items() if not NAMED.search(row)] == []


@pytest.mark.parametrize("prefix", ["OA", "A"])
def test_every_rule_on_asking_and_every_point_of_accessibility_has_its_row(prefix: str) -> None:
    """OA-01 to OA-14 and A-01 to A-14, each with a test; what is not built is said in the row."""
    rows = _table("consent-tests.md", prefix)

    assert set(rows) == set(range(1, 15))
    assert [number for number, row in rows.items() if not NAMED.search(row)] == []


def test_every_invariant_of_durability_has_its_row() -> None:
    """Those that issue 3 names: a crash test is claimed for each of them."""
    rows = _table("durability.md", "D")

    assert set(rows) == {*range(1, 7), *range(19, 23), 26, 28}
    assert [number for number, row in rows.items() if not NAMED.search(row)] == []


def test_every_risk_is_guarded_by_a_test() -> None:
    """What no test guards stands in the text as that, not in the table."""
    rows = _table("ethics.md", "E")

    assert len(rows) >= 20
    assert list(rows) == list(range(1, len(rows) + 1))
    assert [number for number, row in rows.items() if not NAMED.search(row)] == []
