"""`make demo`: start the three services, walk the whole journey once through the installed commands, keep serving.

python -m examples.demo [--once] [--data DIR]

An example university issues a certificate from a study record, a person receives it, an employer asks, the person
shares, the employer checks. Then the person applies for an internship, fetches what is missing with a sign-in, shares,
and takes it back (`examples/internship.py`). Everything lies in `demo-data/`, which a new run makes afresh. With
`--once` it ends after the walk, with status 0 only if every step held.
"""

import argparse
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from examples.acting import AGENT_LOGIN, OTHER_LOGINS, PRINCIPAL_LOGIN, Acting, NotTold
from examples.browsing import NotThere
from examples.internship import RECEIVER, SOURCE, Internship, StepFailed, running_receiver, running_source
from examples.services import CommandRefused, Services, trust_each_other
from schemas.verification import Outcome
from verifier.client import BlockingVerifierClient, PendingRequest

HERE = Path(__file__).parent
STUDY_RECORD = HERE / "data" / "study-record.xml"
PROFILE = HERE / "data" / "institution-profile.toml"
COURSE = "DT4011"
PERSON, NEWCOMER, PRINCIPAL = "Elin", "Elin2", "Maj"
"""Who walks; whose wallet is left for the reader, with a record of one course in it and nothing else; and for whom Elin
acts."""
MARKER = "made-by-intyga-demo"
EXAMPLE_SETTINGS = {
    "ISSUER_NAME": "Nordanviks universitet",
    "ISSUER_NAME_EN": "Nordanvik University",
    "ISSUER_PROFILE_FILE": str(PROFILE),
    "VERIFIER_NAME": "Fjällfors Vård AB",
    "VERIFIER_NAME_EN": "Fjällfors Care Ltd",
    "VERIFIER_CONTACT": "dataskydd@fjallfors.example",
}
PORTS = {"issuer": 8100, "wallet": 8200, "verifier": 8300}


@dataclass
class Walk:
    """The steps walked so far: name and seconds."""

    console: Console
    steps: list[tuple[str, float]] = field(default_factory=list)

    def step(self, name: str, work: Callable[[], tuple[Any, str]]) -> Any:
        """Do one step; `work` returns its value and a sentence on what was seen."""
        start = time.perf_counter()
        with self.console.status(f"{name} ..."):
            value, seen = work()
        seconds = time.perf_counter() - start
        self.steps.append((name, seconds))
        self.console.print(f"[green]held[/]  {name:<10} {seconds:5.1f} s  {seen}", highlight=False)
        return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; returns the exit status."""
    parser = argparse.ArgumentParser(prog="make demo", description="The whole journey, once, on this machine.")
    parser.add_argument("--once", action="store_true", help="end after the walk")
    parser.add_argument("--data", type=Path, default=Path("demo-data"), help="where the services keep what they write")
    options = parser.parse_args(arguments)
    console = Console()
    data: Path = options.data.resolve()
    try:
        fresh_directory(data)
    except StepFailed as error:
        console.print(f"[red]{error}[/]")
        return 1
    passphrase_file = data / "passphrase-of-elin"
    # A random one: what the demo leaves on the disk must not be openable with a phrase that everybody can read here.
    passphrase_file.write_text(f"demo-{secrets.token_hex(8)}\n")
    passphrase_file.chmod(0o600)
    settings = {**EXAMPLE_SETTINGS, "WALLET_PASSPHRASE_FILE": str(passphrase_file)}
    with Services(data, settings=settings) as services, ExitStack() as staged:
        try:
            walked = walk(services, console)
            internship = apply_for_internship(services, walked, staged, passphrase_file.read_text().strip())
            act_for_another(walked, internship)
            if not options.once:
                walked.step("Left", lambda: leave_one_for_the_reader(services))
            by_hand = first_logins(services, internship, passphrase_file)
        except (StepFailed, NotThere, NotTold, CommandRefused) as error:
            console.print(f"[red]did not hold[/]  {error}", highlight=False)
            return 1
        journey(walked, console)
        if options.once:
            console.print("Every step held. Without ONCE=1 the services stay, for you to do it by hand.")
            return 0
        console.print(by_hand, highlight=False)
        in_a_terminal(services, passphrase_file, console)
        console.print("Serving until you press Ctrl+C.")
        signal.signal(signal.SIGTERM, _interrupted)
        try:
            while services.running():
                time.sleep(1)
        except KeyboardInterrupt:
            console.print("Stopping.")
            return 0
        console.print("[red]A service stopped by itself; its log lies in the data directory.[/]")
        return 1


def walk(services: Services, console: Console) -> Walk:
    """Every step of the journey; raises `StepFailed` or `CommandRefused` at the first that does not hold."""
    walked = Walk(console)
    walked.step("Started", lambda: start_all(services))
    walked.step("Trusted", lambda: trust(services))
    report = walked.step("Read", lambda: read_record(services))
    offer = walked.step("Offered", lambda: make_offer(services, report))
    walked.step("Received", lambda: receive(services, offer))
    with employer(services) as client:
        request = walked.step("Asked", lambda: ask(client))
        walked.step("Decided", lambda: decide(services, request.request))
        walked.step("Verified", lambda: verify(client, request.id))
    walked.step("Recorded", lambda: look_back(services))
    return walked


def apply_for_internship(services: Services, walked: Walk, staged: ExitStack, passphrase: str) -> Internship:
    """The second half: Jobbsprånget asks for what the person has to fetch. What it starts runs until `staged` ends."""

    def start_source() -> tuple[str, str]:
        password = staged.enter_context(running_source(services))
        return password, "an OpenID Connect provider, and a source whose people sign in there"

    def start_receiver() -> tuple[str, str]:
        return staged.enter_context(running_receiver(services)), "Jobbsprånget, and its application"

    password = walked.step("Source", start_source)
    application = walked.step("Receiver", start_receiver)
    internship = Internship(services, PERSON, passphrase, password, application)
    for name, step in internship.steps():
        walked.step(name, step)
    return internship


def act_for_another(walked: Walk, internship: Internship) -> None:
    """The third part: Elin holds a power over Maj, and both see what is done with it."""
    acting = Acting(
        internship.services,
        PERSON,
        PRINCIPAL,
        passphrase=internship.passphrase,
        password=internship.password,
        source=SOURCE,
        receiver=RECEIVER,
    )
    for name, step in acting.steps():
        walked.step(name, step)


def leave_one_for_the_reader(services: Services) -> tuple[None, str]:
    """Another wallet, in which nothing has been fetched yet, to walk with by hand."""
    (offer,) = services.command(
        "issuer", "offer", "--type", "micro-credential", "--from", str(STUDY_RECORD), "--course", COURSE
    )
    services.command("wallet", "receive", offer["offer"], "--person", NEWCOMER)
    return None, f"for you: the wallet of {NEWCOMER}, with one course in it"


def start_all(services: Services) -> tuple[None, str]:
    """Start the three services, each as a process of its own."""
    for name, port in PORTS.items():
        services.start(name, port)
    return None, "issuer, wallet and verifier answer on loopback"


def trust(services: Services) -> tuple[None, str]:
    """The wallet and the employer learn which university to trust, the wallet which employer is known."""
    trust_each_other(services)
    return None, "wallet and employer know the university's root, the wallet the employer's"


def read_record(services: Services) -> tuple[Any, str]:
    """Read the study record as a dry run and see that the chosen course is complete."""
    report = services.command("issuer", "import", str(STUDY_RECORD))
    results = report["results"]
    if not any(result.get("course") == COURSE for result in results):
        raise StepFailed(f"The course {COURSE} should be in the study record.")
    return report, f"{len(results)} results of one person in an ELMO report"


def make_offer(services: Services, report: Any) -> tuple[Any, str]:
    """Offer one course as a certificate, with a transaction code that travels apart."""
    offers = services.command(
        "issuer", "offer", "--type", "micro-credential", "--from", str(STUDY_RECORD), "--course", COURSE, "--tx-code"
    )
    if len(offers) != 1 or "tx_code" not in offers[0]:
        raise StepFailed("One offer with a transaction code was expected.")
    return offers[0], f"{offers[0]['title']}, with a transaction code of {len(offers[0]['tx_code'])} digits"


def receive(services: Services, offer: Any) -> tuple[None, str]:
    """The person's wallet collects the certificate and verifies it on arrival."""
    services.command("wallet", "receive", offer["offer"], "--tx-code", offer["tx_code"], "--person", PERSON)
    held = services.command("wallet", "list", "--person", PERSON)
    if len(held) != 1:
        raise StepFailed(f"One certificate was expected in the wallet, {len(held)} are there.")
    return None, f"{held[0]['title']}: {held[0]['copies_left']} one-time copies, each verified"


def employer(services: Services) -> BlockingVerifierClient:
    """The library that an employer's own system embeds, with a key for its programs."""
    key = services.command("verifier", "api-key", "create", "demo")["key"]
    return BlockingVerifierClient(services.urls["verifier"], api_key=key, allow_loopback=True)


def ask(client: BlockingVerifierClient) -> tuple[PendingRequest, str]:
    """The employer asks for the certificate, with purpose, reasons, retention and contact."""
    request = client.make_request("employer-micro-credential")
    return request, "the employer asks for two items, four more are optional"


def decide(services: Services, link: str) -> tuple[None, str]:
    """The person sees what is asked, and shares the required part."""
    answer = services.command("wallet", "present", link, "--approve", "--person", PERSON)
    if answer["outcome"] != "delivered":
        raise StepFailed(f"The answer should be delivered; the wallet says: {answer['outcome']}.")
    shown = ", ".join(answer["shared"])
    return None, f"shared: {shown}"


def verify(client: BlockingVerifierClient, request_id: str) -> tuple[None, str]:
    """The employer's verdict, computed from its checks."""
    result = client.wait_for_result(request_id, seconds=30)
    open_checks = [check.name for check in result.checks if check.outcome is not Outcome.PASSED]
    if not result.accepted or open_checks:
        raise StepFailed(f"Every check should pass; these did not: {', '.join(open_checks) or 'none was made'}.")
    return None, f"{len(result.checks)} checks, all held"


def look_back(services: Services) -> tuple[None, str]:
    """The person's history names what went to whom until when."""
    entries = services.command("wallet", "ledger", "--person", PERSON)["entries"]
    if not any(entry["outcome"] == "shared" for entry in entries):
        raise StepFailed("The history should hold the share.")
    return None, f"{len(entries)} entries in the person's history, without values"


def _interrupted(number: int, frame: FrameType | None) -> None:
    """A demo that is told to end stops what it started, as on Ctrl+C."""
    raise KeyboardInterrupt


def journey(walked: Walk, console: Console) -> None:
    """What was done and how long it took."""
    table = Table(title="The journey", title_justify="left")
    table.add_column("step")
    table.add_column("seconds", justify="right")
    for name, seconds in walked.steps:
        table.add_row(name, f"{seconds:.1f}")
    table.add_row("together", f"{sum(seconds for _, seconds in walked.steps):.1f}")
    console.print(table)


def first_logins(services: Services, internship: Internship, passphrase_file: Path) -> Panel:
    """Where to go on by hand in a browser, and the first logins."""
    passphrase = passphrase_file.read_text().strip()
    rows = [
        ("Internship", internship.application, f"press the link, as {NEWCOMER}; then fetch"),
        ("  sign-in", internship.password, f"name: {AGENT_LOGIN}; the same password for all"),
        *(("", "", f"or {name}: {who}") for name, who in OTHER_LOGINS.items()),
        ("Wallet", services.urls["wallet"], f"name: {NEWCOMER}, {PERSON} or {PRINCIPAL}"),
        ("  passphrase", passphrase, "the same for all"),
        (PRINCIPAL, f"{services.urls[SOURCE]}/powers", f"in a private window, sign in as {PRINCIPAL_LOGIN}:"),
        ("", "", f"end the power by which {PERSON} acts for her"),
        *(
            (name, services.urls[service], f"code for an account: {first_code(services, service)}")
            for name, service in (
                ("University", "issuer"),
                ("Employer", "verifier"),
                ("Source", SOURCE),
                ("Jobbsprånget", RECEIVER),
            )
        ),
    ]
    lines = [f"{name:<13} {url:<22} {what}" for name, url, what in rows]
    return Panel("\n".join(lines), title="Do it again by hand", title_align="left")


def in_a_terminal(services: Services, passphrase_file: Path, console: Console) -> None:
    """The same with the installed commands: what to type first, and one for each service."""
    programs = Path(sys.executable).parent
    allowed = " ".join(f"{name.upper()}_ALLOW_LOOPBACK=true" for name in PORTS)
    lines = [
        f"export PATH={programs}:$PATH {allowed}",
        f"export WALLET_PASSPHRASE_FILE={passphrase_file}",
        f"intyga-wallet list --person {PERSON} --data {services.data / 'wallet'}",
        f"intyga-wallet ledger --person {PERSON} --data {services.data / 'wallet'}",
        f"intyga-issuer list --data {services.data / 'issuer'}",
        f"intyga-verifier request --template employer-micro-credential --data {services.data / 'verifier'}",
        f"intyga-wallet present LINK --person {PERSON} --data {services.data / 'wallet'}    # the link that it printed",
        f"intyga-verifier deletions list --all --data {services.data / RECEIVER}",
        "each says with --help what else it can do",
    ]
    # Lines that are to be copied are not broken.
    console.print("In a terminal", style="bold")
    for line in lines:
        console.print(f"  {line}", highlight=False, soft_wrap=True)


def first_code(services: Services, name: str) -> str:
    """The code for the first account, as the service printed it when it started."""
    for line in services.log_of(name).read_text().splitlines():
        if line.startswith("Code for the first account"):
            return line.rsplit(" ", 1)[-1]
    raise StepFailed(f"{services.log_of(name)} should hold the code for the first account.")


def fresh_directory(data: Path) -> None:
    """An empty directory for this run. An earlier run's is removed; anything else is left alone and refused."""
    marker = data / MARKER
    if data.exists() and any(data.iterdir()):
        if not marker.exists():
            raise StepFailed(f"{data} is not empty and not from an earlier demo. Choose another with --data.")
        shutil.rmtree(data)
    data.mkdir(parents=True, exist_ok=True)
    os.chmod(data, 0o700)
    marker.touch()


if __name__ == "__main__":
    sys.exit(main())
