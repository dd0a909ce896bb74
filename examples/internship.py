"""The second half of `make demo`: an internship at Jobbsprånget, applied for and taken back, step by step.

    with running_source(services) as password, running_receiver(services) as url:
        for name, step in Internship(services, "Elin", passphrase, password, url).steps():
            ...

The person applies at the example application and lacks what Arbetsförmedlingen states. The wallet fetches both
certificates there, with one sign-in at a real OpenID Connect provider; the person shares, reads the answer, and takes
it back in the terminal. What a person does in a browser is done here by one of sorts (`examples/browsing.py`).
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from examples.acting import AGENT_LOGIN, PEOPLE
from examples.browsing import Browser
from examples.jobbspranget.running import running_application
from examples.services import CommandRefused, Services, free_port
from examples.sign_in import running_provider, sign_in_settings, trust_source

DATA = Path(__file__).parent / "data"
SOURCE, RECEIVER = "employment-service", "jobbspranget"
SOURCE_NAME = "Arbetsförmedlingen"
TYPES = ("registration-certificate", "target-group-certificate")
STATED = (*TYPES, "power-of-representation")
"""What the source states: for the internship, and for whoever acts for another."""
PORTS = {SOURCE: 8110, RECEIVER: 8310, "application": 8400}
MATCH = "birthdate=birth_date,given_name=given_name,family_name=family_name"
ANSWER_SECONDS = 30.0

Step = Callable[[], tuple[Any, str]]


class StepFailed(Exception):
    """A step of the walk did not hold; the message says what was expected and what came."""


@dataclass
class Internship:
    """The running stage and how far the person has come."""

    services: Services
    person: str
    passphrase: str
    password: str
    application: str
    browser: Browser = field(default_factory=Browser)
    share_id: str = ""

    def steps(self) -> list[tuple[str, Step]]:
        """What is done, in its order."""
        return [
            ("Applied", self.apply),
            ("Missing", self.look_what_is_missing),
            ("Signed in", self.sign_in),
            ("Fetched", self.fetch),
            ("Reviewed", self.review),
            ("Shared", self.share),
            ("Answered", self.read_the_answer),
            ("Taken back", self.take_back),
            ("Stated", self.read_the_statement),
        ]

    def apply(self) -> tuple[None, str]:
        """The applicant presses the link on Jobbsprånget's page, and opens the wallet."""
        self.browser.opens(self.application)
        needed = self.browser.reads("//ol[@id='needs']/li")
        choices = self.browser.reads("//ol[@id='needs']/li[ul]")
        self.browser.presses("wallet")
        self.browser.presses("unlock", name=self.person, passphrase=self.passphrase)
        self.browser.presses("arrival-continue")
        if (len(needed), len(choices)) != (3, 1):
            raise StepFailed(f"Three things should be needed, one of them a choice: {', '.join(needed)}")
        return None, f"at the application; it needs {len(needed)} certificates, one of them of either of two kinds"

    def look_what_is_missing(self) -> tuple[None, str]:
        """The wallet says what is not there, and who can issue it."""
        kinds = self.browser.reads("//*[@id='lacking']//li/strong")
        if len(kinds) != len(TYPES):
            raise StepFailed(f"Two certificates should be missing, found {', '.join(kinds) or 'none'}.")
        self.share_id = self.browser.url.rpartition("/")[2]
        return None, f"{' and '.join(kinds)}; {SOURCE_NAME} can issue both"

    def sign_in(self) -> tuple[None, str]:
        """One press sends the browser to the source, and on to the provider."""
        self.browser.presses("fetch-all-1")
        self.browser.presses("sign-in", username=AGENT_LOGIN, password=self.password)
        shown = self.browser.reads("//fieldset/legend")
        if len(shown) != len(TYPES):
            raise StepFailed(f"The source should show both certificates, it shows {', '.join(shown)}.")
        return None, f"as {AGENT_LOGIN} at an OpenID Connect provider; the source shows all that would be fetched"

    def fetch(self) -> tuple[None, str]:
        """One yes at the source, and the browser is back at the very same request."""
        self.browser.presses("allow")
        if self.browser.url.rpartition("/")[2] != self.share_id:
            raise StepFailed("The very same request should be there again.")
        held = self.services.command("wallet", "list", "--person", self.person)
        fetched = [one for one in held if one["issuer_name"] == SOURCE_NAME]
        if len(fetched) != len(TYPES):
            raise StepFailed(f"{len(TYPES)} certificates should have come, {len(fetched)} are there.")
        return None, f"{len(fetched)} certificates with one yes; back at the same request"

    def review(self) -> tuple[None, str]:
        """The person sees the real values, and says that they want to share."""
        self.browser.presses("decide-share")
        if not self.browser.has("passphrase"):
            raise StepFailed("The wallet should ask for the passphrase.")
        return None, "the real values, then the passphrase"

    def share(self) -> tuple[None, str]:
        """The passphrase decides; the browser goes back to where it came from."""
        self.browser.presses("decide-share", passphrase=self.passphrase)
        if not self.browser.url.startswith(self.application):
            raise StepFailed(f"The browser should be back at the application, it is at {self.browser.url}.")
        return None, "and back at the application"

    def read_the_answer(self) -> tuple[None, str]:
        """What the application was told: one sentence, and no number, birth date or name of a fund."""
        (answer,) = self.browser.reads("//*[@id='answer']")
        if not answer.startswith("Eligible as of "):
            raise StepFailed(f"The application should say that the person is eligible, it says: {answer}")
        return None, f"“{answer}”"

    def take_back(self) -> tuple[None, str]:
        """In the terminal: the receiver is told, and deletes."""
        after = self.services.command("wallet", "take-back", self.share_id, "--yes", "--person", self.person)
        if after["state"] != "done":
            raise StepFailed(f"The receiver should have deleted it; the wallet says: {after['state']}.")
        return None, f"{after['recipient']} deleted everything, and said so"

    def read_the_statement(self) -> tuple[None, str]:
        """The signed deletion statement is in the person's history, and the application has no answer any more."""
        entries = self.services.command("wallet", "ledger", "--person", self.person)["entries"]
        (entry,) = [one for one in entries if one["id"] == self.share_id]
        stated = len(entry["after"]["statements"])
        if not stated or entry["after"]["misses_statement"]:
            raise StepFailed("The history should hold the receiver's statement.")
        deadline = time.monotonic() + ANSWER_SECONDS
        while not "".join(self.browser.reads("//*[@id='answer']")).startswith("You have taken back what you shared."):
            if time.monotonic() > deadline:
                raise StepFailed("The application should have no answer any more.")
            time.sleep(0.2)
            self.browser.opens(self.browser.url.partition("?")[0])
        return None, f"{stated} signed deletion statement in the history; the application has no answer any more"


@contextmanager
def running_source(services: Services) -> Iterator[str]:
    """Start Arbetsförmedlingen, an issuer that the running wallet knows, and the provider where people sign in; the
    password of all who can. The provider is stopped at the end."""
    password = f"demo-{secrets.token_hex(4)}"
    people = [{"sub": sub, "password": password, **claims} for sub, claims in PEOPLE.items()]
    with running_provider(people, log=services.data / "provider.log") as provider:
        port = free_port(PORTS[SOURCE])
        url = services.start(
            SOURCE,
            port,
            program="issuer",
            ISSUER_NAME=SOURCE_NAME,
            ISSUER_NAME_EN="Swedish Public Employment Service",
            ISSUER_PROFILE_FILE=str(DATA / "employment-service-profile.toml"),
            **sign_in_settings(services, provider, client_id=SOURCE, port=port, match=MATCH),
        )
        if url != f"http://localhost:{port}":
            raise CommandRefused(f"{SOURCE} serve", 1, "its port was taken meanwhile; start the demo again")
        for file in ("job-seekers.csv", "target-group.csv"):
            services.command(SOURCE, "import", str(DATA / file))
        trust_source(services, SOURCE, SOURCE_NAME, readers=("wallet",), types=STATED)
        yield password


@contextmanager
def running_receiver(services: Services) -> Iterator[str]:
    """Start Jobbsprånget, a verifier that the running wallet knows and that trusts source and university, and its
    application; the application's address. That is stopped at the end."""
    services.start(
        RECEIVER,
        PORTS[RECEIVER],
        program="verifier",
        VERIFIER_NAME="Jobbsprånget",
        VERIFIER_NAME_EN="Jobbsprånget",
        VERIFIER_CONTACT="dataskydd@jobbspranget.example",
        VERIFIER_WALLET_URL=services.urls["wallet"],
    )
    trust_source(services, SOURCE, SOURCE_NAME, readers=(RECEIVER,), types=STATED)
    university = services.command("issuer", "keys", "list")[0]["root_file"]
    services.command(
        RECEIVER, "trust", "add", "--anchor", university, "--role", "issuer", "--identifier", services.urls["issuer"]
    )
    root = services.command(RECEIVER, "keys", "list")[0]["root_file"]
    services.command("wallet", "trust", "add", "--anchor", root, "--role", "verifier")
    with running_application(services, verifier=RECEIVER, preferred_port=PORTS["application"]) as (url, _):
        yield url
