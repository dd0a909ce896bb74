"""Fixtures of the issuer's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.issuer.desk import Desk, running_desk
from tests.issuer.terminal import data, record, run

__all__ = ["data", "record", "run"]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An issuer under a path prefix, at a standing time."""
    with running_desk(tmp_path) as opened:
        yield opened
