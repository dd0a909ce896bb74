"""Values that may be used once are used once, also by many at a time (edge cases I-07, I-31, G-05)."""

import base64
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.database import Database
from service.single_use import StampedNonces, prune, spend, spent_table
from tests.service.conftest import NOW, sample_metadata
from tests.service.second_process import spend_once

ROOT = Path(__file__).parents[2]

SECRET = bytes(range(32))
LATER = NOW + timedelta(minutes=5)


def test_the_first_one_wins_and_the_second_loses(database: Database) -> None:
    assert spend_once(database, "a")
    assert not spend_once(database, "a")
    assert spend_once(database, "b")
    assert spend_once(database, "a", kind="nonce")


def test_spending_that_is_not_committed_did_not_happen(database: Database) -> None:
    table = spent_table(database.metadata)
    with pytest.raises(LookupError), database.transaction() as connection:  # noqa: PT012
        assert spend(connection, table, kind="code", value="a", expires_at=LATER, now=NOW)
        raise LookupError

    assert spend_once(database, "a")


def test_an_expired_value_cannot_be_spent_so_that_pruning_forgets_safely(database: Database) -> None:
    table = spent_table(database.metadata)
    assert spend_once(database, "a")
    with database.transaction() as connection:
        assert prune(connection, table, now=LATER - timedelta(seconds=1)) == 0
        assert prune(connection, table, now=LATER) == 1
        assert not spend(connection, table, kind="code", value="a", expires_at=LATER, now=LATER)


def test_only_a_digest_is_kept(database: Database, tmp_path: Path) -> None:
    spend_once(database, "a-code-that-nobody-may-read")
    database.close()

    assert b"a-code-that-nobody-may-read" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.processes
def test_of_32_at_once_in_two_processes_exactly_one_wins(tmp_path: Path) -> None:
    """Two services on one database, sixteen requests each, all with the same code at the same moment."""
    path = tmp_path / "shared.sqlite3"
    database = Database(path, sample_metadata())
    database.create()
    database.close()
    program = [sys.executable, "-m", "tests.service.second_process", "race", str(path), str(time.time() + 3)]

    running = [subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outcomes = "".join(process.communicate(timeout=60)[0] for process in running).split()

    assert outcomes.count("won") == 1
    assert outcomes.count("lost") == 31


def nonces(purpose: str = "proof", secret: bytes = SECRET) -> StampedNonces:
    return StampedNonces(secret, purpose=purpose, lifetime_seconds=300)


def test_nonces_are_long_unpredictable_and_ours() -> None:
    made = {nonces().new(now=NOW) for _ in range(100)}

    assert len(made) == 100
    assert all(len(nonce) >= 43 for nonce in made)
    assert all(nonces().is_genuine(nonce, now=NOW) for nonce in made)


@pytest.mark.parametrize(("seconds", "genuine"), [(-1, False), (0, True), (299, True), (300, False), (301, False)])
def test_a_nonce_lives_five_minutes(seconds: int, genuine: bool) -> None:
    nonce = nonces().new(now=NOW)

    assert nonces().is_genuine(nonce, now=NOW + timedelta(seconds=seconds)) is genuine
    assert nonces().expiry(nonce) == NOW + timedelta(seconds=300)
    assert nonces().made_at(nonce) == NOW


def test_a_nonce_of_another_service_or_use_is_not_ours() -> None:
    nonce = nonces().new(now=NOW)

    assert not nonces(secret=bytes(32)).is_genuine(nonce, now=NOW)
    assert not nonces(purpose="dpop").is_genuine(nonce, now=NOW)
    with pytest.raises(ValueError, match="not made here"):
        nonces(purpose="dpop").expiry(nonce)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        nonces(secret=b"short")


def test_a_nonce_has_only_one_text() -> None:
    """A second text with the same bytes would be a second use of the same nonce."""
    while "-" not in (nonce := nonces().new(now=NOW)) and "_" not in nonce:
        pass

    for other in (
        nonce.replace("-", "+").replace("_", "/"),
        nonce + "=",
        nonce + "\n",
        " " + nonce[1:],
        nonce + "AAAA",
    ):
        assert not nonces().is_genuine(other, now=NOW)


@given(st.integers(0, 55), st.sampled_from("ABCxyz019-_"))
def test_a_changed_nonce_is_not_ours(position: int, letter: str) -> None:
    nonce = nonces().new(now=NOW)
    changed = nonce[:position] + letter + nonce[position + 1 :]

    assert nonces().is_genuine(changed, now=NOW) is (changed == nonce)


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_anything_invented_is_not_ours(text: str) -> None:
    assert not nonces().is_genuine(text, now=NOW)
