"""A registrar who has signed in, each with a fresh issuer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.issuer.desk import Desk, running_desk
from tests.issuer.pages.registrar import ROOT, Registrar


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """The issuer of the university of the demo, with its profile."""
    names = {"name": "Nordanviks universitet", "name_en": "Nordanvik University"}
    profile = ROOT / "examples" / "data" / "institution-profile.toml"
    with running_desk(tmp_path, profile_file=profile, **names) as opened:
        yield opened


@pytest.fixture
def registrar(desk: Desk) -> Registrar:
    """Signed in, on the overview."""
    return Registrar(desk).sign_in()
