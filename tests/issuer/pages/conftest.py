"""A registrar who has signed in, each with a fresh issuer."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.issuer.desk import Desk, running_desk
from tests.issuer.pages.registrar import ROOT, Registrar
from tests.thrift import thrifty


def university(directory: Path) -> AbstractContextManager[Desk]:
    """The issuer of the university of the demo, with its profile."""
    names = {"name": "Nordanviks universitet", "name_en": "Nordanvik University"}
    profile = ROOT / "examples" / "data" / "institution-profile.toml"
    return running_desk(directory, profile_file=profile, **names)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """The university, for one test."""
    with university(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registrar]:
    """Signed in at a university that all tests of a file share: for those that show that nothing happens."""
    with thrifty(), university(tmp_path_factory.mktemp("still")) as opened:
        yield Registrar(opened).sign_in()


@pytest.fixture
def registrar(desk: Desk) -> Registrar:
    """Signed in, on the overview."""
    return Registrar(desk).sign_in()
