"""The desk of these tests, each with a fresh database."""

from pathlib import Path

import pytest

from tests.verifier.pages.desk import Desk, Time


@pytest.fixture
def time() -> Time:
    """A clock that stands still until it is moved."""
    return Time()


@pytest.fixture
def desk(tmp_path: Path, time: Time) -> Desk:
    """A desk whose staff has signed in."""
    made = Desk(tmp_path, time)
    made.sign_in()
    return made
