"""Two real processes on one SQLite file: of many parallel requests exactly one wins (I-05, I-07, I-31, T-08, G-05)."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.issuer.desk import Desk, StandingClock, open_desk

pytestmark = pytest.mark.processes
_ROOT = Path(__file__).parents[2]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An issuer at the real time, whose data directory other processes use as well."""
    return open_desk(tmp_path, clock=StandingClock(datetime.now(UTC).replace(microsecond=0)))


def in_two_processes(desk: Desk, kind: str, tasks: list[list[Any]]) -> list[str]:
    """Run the tasks at the same moment, half of them in each of two processes; returns all outcomes."""
    start = str(time.time() + 3)
    passphrase = str(desk.settings.key_passphrase_file)
    common = [str(desk.settings.data), desk.issuer, passphrase, start, kind]
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.issuer.processes", *common, *map(json.dumps, tasks[half::2])],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for half in (0, 1)
    ]
    outcomes: list[str] = []
    for process in processes:
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        outcomes += json.loads(said)
    return outcomes


def test_i07_one_of_32_parallel_exchanges_wins(desk: Desk) -> None:
    """A code that 32 requests in two processes redeem at once gives exactly one access token."""
    offer = desk.offer()
    outcomes = in_two_processes(desk, "redeem", [[desk.code_of(offer), None]] * 32)
    assert len(outcomes) == 32
    assert sum(outcome.startswith("token ") for outcome in outcomes) == 1
    assert {outcome for outcome in outcomes if not outcome.startswith("token ")} == {"invalid_grant"}


def test_i05_fifty_parallel_guesses_get_five_tries(desk: Desk) -> None:
    """Fifty guesses at once burn the code after five; the right transaction code is too late then."""
    offer = desk.offer(with_tx_code=True)
    right = desk.tx_code_of(offer)
    wrong = [f"{number:06}" for number in range(60) if f"{number:06}" != right][:50]
    outcomes = in_two_processes(desk, "redeem", [[desk.code_of(offer), guess] for guess in wrong])
    assert outcomes == ["invalid_grant"] * 50
    after = desk.context.store.offers.get(offer.id, now=desk.clock())
    assert (after.state.value, after.tries_left) == ("locked", 0)
    assert in_two_processes(desk, "redeem", [[desk.code_of(offer), right]]) == ["invalid_grant"]


def test_g05_one_of_32_parallel_spenders_of_a_nonce_wins(desk: Desk) -> None:
    """A nonce that 32 requests in two processes spend at once is spent once."""
    offer = desk.offer()
    token = desk.token(offer)
    nonce = desk.nonce()
    outcomes = in_two_processes(desk, "reserve", [[token, nonce, "the-same-key"]] * 32)
    assert sum(outcome.startswith("slot ") for outcome in outcomes) == 1
    assert outcomes.count("invalid_nonce") == 31


def test_t08_parallel_collections_never_share_a_slot(desk: Desk) -> None:
    """Collections of 24 people at once, in two processes, take 24 different slots, and one key keeps one slot."""
    offers = [desk.offer() for _ in range(24)]
    tokens = [desk.token(offer) for offer in offers]
    tasks = [[token, desk.nonce(), "key"] for token in tokens] + [[tokens[0], desk.nonce(), "key"] for _ in range(8)]
    outcomes = in_two_processes(desk, "reserve", tasks)
    assert all(outcome.startswith("slot ") for outcome in outcomes)
    assert len(set(outcomes)) == 24


def test_d01_a_kill_between_reserving_and_answering_costs_no_second_slot(desk: Desk) -> None:
    """A process that dies after reserving leaves the slot behind; the wallet asks again and gets the same one."""
    offer = desk.offer()
    token = desk.token(offer)
    program = (
        "import os, sys; from tests.issuer import processes as p; from issuer import issuance\n"
        "real = p.reserve\n"
        "def die(*arguments):\n"
        "    print(real(*arguments), flush=True); os.kill(os.getpid(), 9)\n"
        "p.reserve = die\n"
        "p.main(*sys.argv[1:])"
    )
    arguments = [str(desk.settings.data), desk.issuer, str(desk.settings.key_passphrase_file), "0", "reserve"]
    killed = subprocess.run(
        [sys.executable, "-c", program, *arguments, json.dumps([token, desk.nonce(), "key"])],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert killed.returncode == -9, killed.stderr
    first = killed.stdout.strip()
    assert in_two_processes(desk, "reserve", [[token, desk.nonce(), "key"]]) == [first]
    assert desk.context.store.status.list_issued()[0].copies == 1
