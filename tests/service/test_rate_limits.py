"""Bounds on trying."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.requests import Request

from schemas.errors import TooManyRequests
from service.database import Database
from service.rate_limits import RateLimit, StoredRateLimit, client_address
from tests.service.conftest import NOW


def test_in_a_process_the_bound_is_exact(tmp_path: Path) -> None:
    limit = RateLimit(count=3, seconds=60)
    for _ in range(3):
        limit.check("a", now=NOW)

    with pytest.raises(TooManyRequests) as caught:
        limit.check("a", now=NOW + timedelta(seconds=59.5))

    assert caught.value.retry_after_seconds == 1
    limit.check("b", now=NOW)
    limit.check("a", now=NOW + timedelta(seconds=60))


def test_memory_is_bounded_by_forgetting_who_tried_longest_ago() -> None:
    limit = RateLimit(count=1, seconds=60)
    for number in range(10_001):
        limit.check(str(number), now=NOW)

    limit.check("0", now=NOW)
    with pytest.raises(TooManyRequests):
        limit.check("10000", now=NOW)


def stored(database: Database, purpose: str = "login") -> StoredRateLimit:
    return StoredRateLimit(database, purpose=purpose, count=3, seconds=60, device_secret=bytes(32))


def test_in_the_database_the_bound_holds_for_all_processes(database: Database) -> None:
    async def story() -> None:
        for _ in range(3):
            await stored(database).check("alva", now=NOW)
        with pytest.raises(TooManyRequests) as caught:
            await stored(database).check("alva", now=NOW + timedelta(seconds=10))
        assert caught.value.retry_after_seconds == 50
        await stored(database, "codes").check("alva", now=NOW)
        await stored(database).check("other", now=NOW)
        await stored(database).check("alva", now=NOW + timedelta(seconds=60))

    asyncio.run(story())


def test_a_success_starts_again(database: Database) -> None:
    async def story() -> None:
        for _ in range(3):
            await stored(database).check("alva", now=NOW)
        await stored(database).forget("alva")
        await stored(database).check("alva", now=NOW)
        assert await stored(database).prune(now=NOW + timedelta(seconds=59)) == 0
        assert await stored(database).prune(now=NOW + timedelta(seconds=60)) == 1

    asyncio.run(story())


def test_who_tried_is_not_readable_at_rest(database: Database, tmp_path: Path) -> None:
    asyncio.run(stored(database).check("alva.lindqvist", now=NOW))

    assert b"alva.lindqvist" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2"),
        ("2001:db8:1:2::9", "2001:db8:1:2"),
        ("::1", "0:0:0:0"),
    ],
)
def test_one_network_of_ipv6_is_one_key(host: str, key: str) -> None:
    assert client_address(Request({"type": "http", "client": (host, 1), "headers": []})) == key
