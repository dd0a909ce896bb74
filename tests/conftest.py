"""Fixtures of all tests."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.thrift import thrifty
from tests.world import World

# How long an example takes depends on what else the machine does, and says nothing of what it shows.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


_AT_FULL_COST = frozenset({"test_passwords", "test_database", "test_accounts"})
"""Tests of the very things that the others need not pay for."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that start browsers or processes come first, then those with most tests: so that no worker is left alone
    at the end with what takes minutes (`make test` hands whole files to workers, in this order)."""
    many = Counter(item.path for item in items)
    waiting = {
        item.path for item in items if item.get_closest_marker("browser") or item.get_closest_marker("processes")
    }
    items.sort(key=lambda item: (item.path not in waiting, -many[item.path], item.path))


@pytest.fixture(autouse=True)
def thrift(request: pytest.FixtureRequest) -> Iterator[None]:
    """See `tests.thrift`."""
    if request.path.stem in _AT_FULL_COST:
        yield
        return
    with thrifty():
        yield


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Issuers, wallet and verifier in one process, each made when a test first asks for it."""
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio."""
    return "asyncio"
