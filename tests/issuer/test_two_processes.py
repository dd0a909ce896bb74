"""Two real processes on one SQLite file: of many parallel requests exactly one wins (I-05, I-07, I-21, I-31, I-51,
I-62, T-08, G-05)."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from issuer.deferral import Review
from issuer.status import Status
from proofs import strict_json
from proofs.jose import parse_jws
from proofs.status_list import decode_status_list, status_at
from schemas.errors import TemporarilyUnavailable
from tests.issuer.desk import Desk, StandingClock, assert_refused, open_desk
from tests.issuer.fetching import Fetcher, running_fetcher

pytestmark = pytest.mark.processes
_ROOT = Path(__file__).parents[2]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An issuer at the real time, whose data directory other processes use as well."""
    return open_desk(tmp_path, clock=StandingClock(datetime.now(UTC).replace(microsecond=0)))


def in_two_processes(
    desk: Desk, kind: str, tasks: list[list[Any]], *, meanwhile: Callable[[], object] = lambda: None
) -> list[str]:
    """Run the tasks at the same moment, half of them in each of two processes, and `meanwhile` here; all outcomes."""
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
    time.sleep(max(0.0, float(start) - time.time()))
    meanwhile()
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
    outcomes = in_two_processes(desk, "guess", [[desk.code_of(offer), guess] for guess in wrong])
    assert Counter(outcomes) == {"the transaction code is wrong": 5, "the code is not valid, or no longer": 45}
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


@pytest.fixture
def reviewed(tmp_path: Path) -> Iterator[Fetcher]:
    """An issuer where staff look at every micro-credential first, and whose tokens are bound to a key."""
    with running_fetcher(tmp_path, reviewed_types="micro-credential") as opened:
        yield opened


def test_i21_g05_one_of_16_uses_of_a_dpop_proof_in_two_processes_counts(tmp_path: Path) -> None:
    """The same proof, sixteen times at once: one request is listened to, the others are told that it was used."""
    with running_fetcher(tmp_path) as fetcher:
        token, url = fetcher.token()["access_token"], fetcher.desk.url("/credential")
        headers = {"Authorization": f"DPoP {token}", "DPoP": fetcher.dpop("/credential", token=token)}
        requests = [fetcher.desk.request() for _ in range(16)]

        outcomes = in_two_processes(fetcher.desk, "post", [[url, request, headers] for request in requests])

    assert Counter(outcomes) == {"200": 1, "401 invalid_dpop_proof": 15}


def test_i51_g05_one_of_16_uses_of_a_transaction_in_two_processes_gets_the_copies(reviewed: Fetcher) -> None:
    """Sixteen polls of an approved certificate, each with a proof of its own: one set of copies."""
    token = reviewed.token()["access_token"]
    transaction = reviewed.ask_credential(token).json()["transaction_id"]
    deferrals, url = reviewed.desk.context.store.deferrals, reviewed.desk.url("/deferred_credential")
    (waiting,) = deferrals.list_waiting()
    deferrals.review(waiting.offer_id, Review.APPROVED, now=reviewed.desk.clock())
    proofs = [reviewed.dpop("/deferred_credential", token=token) for _ in range(16)]
    headers = [{"Authorization": f"DPoP {token}", "DPoP": proof} for proof in proofs]

    outcomes = in_two_processes(
        reviewed.desk, "post", [[url, {"transaction_id": transaction}, each] for each in headers]
    )

    assert Counter(outcomes) == {"200": 1, "400 invalid_transaction_id": 15}


def test_i62_a_renewal_at_the_same_time_as_a_revocation_ends_revoked(desk: Desk) -> None:
    """Two processes ask for more copies of twelve certificates while a third revokes them: nothing stays valid."""
    offers = [desk.offer() for _ in range(12)]
    tokens = [desk.token(offer) for offer in offers]
    for offer, token in zip(offers, tokens, strict=True):
        desk.collect(offer, token=token)
    tasks = [[token, desk.nonce(), f"fresh {number}"] for token in tokens for number in (1, 2)]

    def revoke() -> None:
        for offer in offers:
            while True:
                try:
                    desk.change(offer, Status.REVOKED)
                    break
                except TemporarilyUnavailable:  # As the registrar who is told to try again does.
                    continue

    outcomes = in_two_processes(desk, "reserve", tasks, meanwhile=revoke)

    renewed = [outcome.split() for outcome in outcomes if outcome.startswith("slot ")]
    assert {outcome for outcome in outcomes if not outcome.startswith("slot ")} <= {"credential_request_denied"}
    issued = desk.context.store.status.list_issued()
    assert {one.status for one in issued} == {Status.REVOKED}
    assert sum(one.copies for one in issued) == 12 + len(renewed)
    served = strict_json.loads_object(parse_jws(desk.status_token().text).payload)
    states = decode_status_list(served["status_list"]["lst"], bits=2, max_bytes=10_000_000)
    assert [status_at(states, int(index), bits=2) for _, _, index in renewed] == [Status.REVOKED] * len(renewed)
    revoked = sum(status_at(states, index, bits=2) == Status.REVOKED for index in range(desk.settings.status_list_size))
    assert revoked == 12 + len(renewed)
    assert_refused(desk.ask_credential(tokens[0], desk.request()), "credential_request_denied")


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
