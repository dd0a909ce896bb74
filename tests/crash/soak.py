"""The soak: many people go whole journeys at once while one of the three services is killed at random, again and again.

    python -m tests.crash --journeys 200 --kills 200 --minutes 20

Three real processes, only ever ended by their own process id. It ends when everybody has arrived and as often was
killed as was asked for: when the journeys are over earlier, more people set out, so that each kill meets somebody on
the way. In the end all three databases are compared with one another and with what the people were told.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from examples.services import _is_ready, free_port
from issuer.offers import draft_offers
from issuer.results import Limits, read_results
from issuer.settings import IssuerSettings
from issuer.store import open_store
from proofs.trust import entry_from_anchor
from schemas.errors import TemporarilyUnavailable
from schemas.types import CREDENTIAL_TYPES
from service.clock import utc_now
from service.http import OutgoingHTTP
from service.serving import serve
from tests.crash.soak_people import TOGETHER, Plan, read_told, run_wallet
from tests.crash.soak_verdict import verdict
from tests.crash.stage import cheap_keys, make_cheap
from tests.two_processes import warm_processes
from tests.world import PROFILE, STUDY_RECORD
from verifier.app import create_app as create_verifier
from verifier.app import make_http, make_verifier
from verifier.exchange import LONGEST_LIFETIME_SECONDS
from verifier.requests import Kind
from verifier.settings import VerifierSettings
from wallet.deployment import Deployment
from wallet.settings import WalletSettings
from wallet.trusted import source_of_entry

READY_SECONDS = 60


@dataclass
class Outcome:
    """What a soak came to. `faults` are broken invariants: there must be none. `journeys` are all that set out."""

    journeys: int
    kills: dict[str, int]
    ended: int
    told: dict[str, int]
    faults: list[str]
    growth: dict[str, dict[str, int]] = field(default_factory=dict)
    """By service: open files and resident kilobytes in its last life, when it was ready and in the end."""

    def shortfalls(self, *, kills: int) -> list[str]:
        """Why a soak that was to kill so often proves less than it should; empty when it does not."""
        missing = []
        if self.faults:
            missing.append(f"{len(self.faults)} invariants were broken")
        if astray := sum(count for fact, count in self.told.items() if fact.startswith(("stuck", "fault"))):
            missing.append(f"{astray} steps did not come to their end, however often they were tried")
        if self.ended < self.journeys:
            missing.append(
                f"{self.journeys - self.ended} of {self.journeys} journeys did not come to their end in time"
            )
        if (killed := sum(self.kills.values())) < kills:
            missing.append(f"{killed} kills in the time that was given, {kills} were asked for")
        return missing


class Service:
    """One of the three, as a process that can be killed and started again."""

    def __init__(self, name: str, run: Callable[..., None], arguments: tuple[Any, ...], port: int | None) -> None:
        self.name = name
        self.port = port
        self._run = run
        self._arguments = arguments
        self.process: Any = None
        self.at_ready: dict[str, int] = {}

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = warm_processes().Process(target=self._run, args=self._arguments)
        self.process.start()
        deadline = time.monotonic() + READY_SECONDS
        while self.port is not None and not _is_ready(self.port):
            if time.monotonic() > deadline or self.process.exitcode is not None:
                raise RuntimeError(f"{self.name} did not come up: {self.process.exitcode}")
            time.sleep(0.05)
        self.at_ready = self.measure()

    def kill(self) -> None:
        """As when the power goes."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()

    def measure(self) -> dict[str, int]:
        """Open files and resident memory in kB (proc(5))."""
        place = Path("/proc") / str(self.process.pid)
        if not place.exists():
            return {}
        status = (place / "status").read_text()
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        return {"files": len(list((place / "fd").iterdir())), "resident_kb": resident}


def run_issuer(settings: IssuerSettings) -> None:
    """The issuer, served."""
    from issuer.app import create_app

    make_cheap()
    _quiet()
    serve(lambda real: create_app(real, clock=utc_now), settings=settings)


def run_verifier(settings: VerifierSettings) -> None:
    """The verifier, served."""
    make_cheap()
    _quiet()
    serve(lambda real: create_verifier(real, http=make_http(real), clock=utc_now), settings=settings)


def run_people(data: Path, issuer_settings: IssuerSettings, plans: list[Plan], told: Path) -> None:
    """The wallet."""
    make_cheap()
    run_wallet(data, issuer_settings, plans, told)


def _quiet() -> None:
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - For the life of the process.


def soak(directory: Path, *, journeys: int, kills: int, minutes: float, seed: int) -> Outcome:
    """Run it in a directory that is empty."""
    chance = random.Random(seed)
    told = directory / "told.jsonl"
    issuer_settings, verifier_settings, wallet_data = _settings(directory)
    _introduce(issuer_settings, verifier_settings, wallet_data)
    plans = _plans(issuer_settings, verifier_settings, first=0, count=journeys)
    services = [
        Service("issuer", run_issuer, (issuer_settings,), issuer_settings.port),
        Service("verifier", run_verifier, (verifier_settings,), verifier_settings.port),
        Service("wallet", run_people, (wallet_data, issuer_settings, plans, told), None),
    ]
    killed: Counter[str] = Counter()
    deadline = time.monotonic() + minutes * 60
    try:
        for one in services:
            one.start()
        while time.monotonic() < deadline and (_count_ended(told) < len(plans) or killed.total() < kills):
            time.sleep(chance.uniform(0.02, 0.5))
            if killed.total() < kills and _count_ended(told) == len(plans):
                further = min(journeys, max(TOGETHER, kills - killed.total()))
                try:
                    plans += _plans(issuer_settings, verifier_settings, first=len(plans), count=further)
                except TemporarilyUnavailable:  # A service was writing: in a moment.
                    continue
                services[2].kill()  # Its next life knows the new people.
                killed["wallet"] += 1
                services[2].start()
                continue
            if killed.total() < kills:
                victim = chance.choice([*services, services[2]])  # The wallet's life is where most of it happens.
                victim.kill()
                killed[victim.name] += 1
                victim.start()
        growth = {
            one.name: {f"{name}_{when}": value for when, found in _lives(one) for name, value in found.items()}
            for one in services
        }
    finally:
        for one in services:
            if one.process is not None and one.process.exitcode is None:
                one.kill()
    with cheap_keys():
        faults = verdict(wallet_data, issuer_settings, verifier_settings, plans, read_told(told))
    facts = [f"{name} {value}" for one in read_told(told).values() for name, value in one.items() if name in _COUNTED]
    return Outcome(len(plans), dict(killed), _count_ended(told), dict(Counter(facts)), faults, growth)


_COUNTED = frozenset({"shared", "taken_back", "renewed", "stuck", "fault"})


def _lives(one: Service) -> list[tuple[str, dict[str, int]]]:
    return [("at_ready", one.at_ready), ("in_the_end", one.measure())]


def _count_ended(told: Path) -> int:
    return sum("done" in facts or "fault" in facts for facts in read_told(told).values())


def _settings(directory: Path) -> tuple[IssuerSettings, VerifierSettings, Path]:
    passphrase = directory / "passphrase"
    passphrase.write_text("a passphrase for key files in tests\n", encoding="ascii")
    common: dict[str, Any] = {"allow_loopback": True, "key_passphrase_file": passphrase}
    wallet_data = directory / "wallet"
    wallet = _wallet(wallet_data)
    root = wallet.provider.root_file.resolve()
    clients = directory / "clients.toml"
    clients.write_text(f'[[attesters]]\nissuer = "{wallet.provider.client_id}"\nroots = ["{root}"]\n')
    wallet.database.close()
    issuer = IssuerSettings(
        data=directory / "issuer",
        port=free_port(0),
        profile_file=PROFILE,
        clients_file=clients,
        status_list_size=10_000,
        **common,
    )
    verifier = VerifierSettings(
        data=directory / "verifier",
        port=free_port(0),
        name="Exempelbolaget AB",
        name_en="Example Company Ltd",
        contact="dataskydd@firm.example",
        **common,
    )
    return issuer, verifier, wallet_data


def _wallet(data: Path) -> Deployment:
    settings = WalletSettings(data=data, public_url="https://wallet.example", allow_loopback=True)
    return Deployment(settings, http=OutgoingHTTP(allow_loopback=True), clock=utc_now)


def _introduce(issuer: IssuerSettings, verifier: VerifierSettings, wallet_data: Path) -> None:
    """All three know whom they need to know."""
    from issuer.context import open_context

    context = open_context(issuer, clock=utc_now)
    asking = make_verifier(verifier, clock=utc_now)
    assert context.key.root_file is not None
    university = entry_from_anchor(context.key.root_file.read_bytes(), name=None, role="issuer")
    asking.trust.add_entry(university, now=utc_now())
    firm_root = next((verifier.data / "keys").glob("*.root.pem"))
    firm = entry_from_anchor(firm_root.read_bytes(), name=None, role="verifier")
    wallet = _wallet(wallet_data)
    with wallet.database.transaction() as connection:
        for entry in (university, firm):
            wallet.trust_store.put(connection, source_of_entry(entry))
    for database in (context.store.database, asking.database, wallet.database):
        database.close()


def _plans(issuer: IssuerSettings, verifier: VerifierSettings, *, first: int, count: int) -> list[Plan]:
    """An offer and a request for each of so many people, who are numbered from `first` on."""
    from issuer.context import open_context

    context = open_context(issuer, clock=utc_now)
    store = open_store(issuer)
    results = read_results(
        STUDY_RECORD.read_bytes(), STUDY_RECORD.name, profile=context.profile, limits=Limits(), today=utc_now().date()
    )
    (draft, *_) = draft_offers(CREDENTIAL_TYPES["micro-credential"], results.achievements, with_tx_code=False)
    offers = store.offers.create([draft] * count, now=utc_now())
    asking = make_verifier(verifier, clock=utc_now)
    template = asking.templates()["employer-micro-credential"]
    plans = []
    for number, offer in enumerate(offers, start=first):
        made = asking.make_request(
            template, kind=Kind.CROSS_DEVICE, maker="soak", lifetime_seconds=LONGEST_LIFETIME_SECONDS
        )
        plans.append({"name": f"Person {number}", "offer": offer.id, "link": made.link, "request": made.id})
    for database in (context.store.database, store.database, asking.database):
        database.close()
    return plans


def main() -> int:
    """Run it and print what it came to; 1 when an invariant was broken, somebody did not come to the end, or fewer were
    killed than was asked for, each of which is said."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--journeys", type=int, default=200)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=None)
    chosen = parser.parse_args()
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(1_000_000)
    with tempfile.TemporaryDirectory() as directory:
        outcome = soak(Path(directory), journeys=chosen.journeys, kills=chosen.kills, minutes=chosen.minutes, seed=seed)
    print(json.dumps({"seed": seed, **asdict(outcome)}, indent=2, ensure_ascii=False))
    missing = outcome.shortfalls(kills=chosen.kills)
    for one in missing:
        print(f"Not enough: {one}.", file=sys.stderr)
    return 1 if missing else 0
