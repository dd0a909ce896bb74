"""A fresh verifier with an issuer and a holder for every test."""

from pathlib import Path

import pytest

from tests.verifier.scene import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A verifier that asks for encrypted answers and signs with `x509_hash`."""
    return Scene(tmp_path)
