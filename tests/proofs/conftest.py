"""Fixtures of the proof tests. Keys and certificates are made once; trust and status are fresh for each test."""

from dataclasses import replace
from pathlib import Path

import pytest

from proofs.certificates import CertifiedKey
from proofs.status_list import new_status_list
from tests.proofs.cast import Cast, certified, make_cast


@pytest.fixture(scope="session")
def _cast(tmp_path_factory: pytest.TempPathFactory) -> Cast:
    return make_cast(tmp_path_factory.mktemp("university"))


@pytest.fixture
def cast(_cast: Cast) -> Cast:
    """A university, a holder and an employer."""
    return replace(_cast, statuses=new_status_list(64, bits=2))


@pytest.fixture(scope="session")
def stranger_key(tmp_path_factory: pytest.TempPathFactory) -> CertifiedKey:
    """A certified key under a root that nobody trusts."""
    return certified(tmp_path_factory.mktemp("stranger"), "stranger", "https://stranger.example")


@pytest.fixture
def vectors() -> Path:
    """Where the published test vectors are."""
    return Path(__file__).parents[1] / "vectors"
