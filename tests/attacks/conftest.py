"""The cast of attacks on proofs: made once for all of them; status is fresh for each test."""

import pytest

from proofs.certificates import CertifiedKey
from tests.proofs.cast import certified
from tests.proofs.conftest import _cast, cast

__all__ = ["_cast", "cast", "employer"]


@pytest.fixture(scope="session")
def employer(tmp_path_factory: pytest.TempPathFactory) -> CertifiedKey:
    """An employer with a certificate."""
    return certified(tmp_path_factory.mktemp("employer"), "employer", "https://employer.example")
