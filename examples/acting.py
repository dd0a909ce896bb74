"""The third part of `make demo`: somebody acts for another, and both see it in wallets of their own.

    for name, step in Acting(services, agent="Elin", principal="Maj", passphrase=..., password=..., source=...).steps():
        ...

Maj makes an address at which she wants to be told. The source gives Elin a power over her; Elin fetches it with a
sign-in, answers a request of Jobbsprånget for Maj, and Maj reads of it in her own history. The power is left as it is,
so that the reader can end it: as Maj, at the source (docs/acting-for-another.md).
"""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from examples.browsing import Browser
from examples.services import Services

HERE = Path(__file__).parent
POWERS = HERE / "data" / "powers.csv"
ABOUT_PRINCIPAL = HERE / "data" / "job-seeker-acted-for.csv"
TEMPLATE = HERE / "templates" / "guidance.toml"
POWER_DAYS: Final = 365
PEOPLE: Final[Mapping[str, Mapping[str, str]]] = {
    "elin": {"given_name": "Elin Maria", "family_name": "Sjöberg", "birthdate": "1998-04-23"},
    "maj": {"given_name": "Maj Birgitta", "family_name": "Sjöberg", "birthdate": "1968-05-30"},
    "omar": {"given_name": "Omar", "family_name": "Haddad", "birthdate": "1993-03-04"},
    "per": {"given_name": "Per", "family_name": "Lindqvist", "birthdate": "1979-11-30"},
}
"""Who can sign in at the provider of the demo, by the name that they sign in with: people of `examples/data`."""
AGENT_LOGIN, PRINCIPAL_LOGIN = "elin", "maj"
OTHER_LOGINS: Final = {
    "omar": "lives here without a Swedish number; in the target group",
    "per": "registered, not in the target group",
}
"""Who else can sign in, and what the source knows of them."""

Step = Callable[[], tuple[Any, str]]


class NotTold(Exception):
    """What was expected of a wallet did not stand there; the message says what."""


@dataclass
class Acting:
    """The running services and how far the two have come. `source` issues, `receiver` asks; both are known to the
    wallet."""

    services: Services
    agent: str
    principal: str
    passphrase: str
    password: str
    source: str
    receiver: str
    address: str = ""
    power: str = ""
    browsers: dict[str, Browser] = field(default_factory=dict)

    def steps(self) -> list[tuple[str, Step]]:
        """What is done, in its order."""
        return [("Address", self.make_address), ("Power", self.fetch_power), ("Acted", self.act), ("Told", self.read)]

    def make_address(self) -> tuple[None, str]:
        """The principal makes a wallet and, in it, the address for being told."""
        browser = self._browser(self.principal)
        browser.opens(self.services.urls["wallet"])
        browser.presses("begin")
        browser.presses("create", name=self.principal, passphrase=self.passphrase)
        browser.opens(f"{self.services.urls['wallet']}/acting")
        browser.presses("make-address")
        (self.address,) = browser.reads("//*[@id='report-address']")
        return None, f"{self.principal} has a wallet, and an address at which to be told"

    def fetch_power(self) -> tuple[None, str]:
        """The source reads in the power with that address; the agent signs in there and fetches it."""
        file = self.services.data / "powers.csv"
        file.write_text(powers_with(self.address, today=date.today()), "utf-8")  # noqa: DTZ011  # The day here.
        kept = self.services.command(self.source, "import", str(file))
        (offer,) = self.services.command(
            self.source, "offer", "--type", "power-of-representation", "--import", kept["import"],
            "--grant", "authorization-code",
        )  # fmt: skip
        browser = self._browser(self.agent)
        browser.opens(f"{self.services.urls['wallet']}/receive")
        browser.presses("unlock", name=self.agent, passphrase=self.passphrase)
        browser.presses("take-link", link=offer["offer"])
        browser.presses("look")
        browser.presses("sign-in-and-fetch")
        browser.presses("sign-in", username=AGENT_LOGIN, password=self.password)
        browser.presses("allow")
        held = self.services.command("wallet", "acts", "--person", self.agent)["you_hold"]
        if len(held) != 1:
            raise NotTold(f"{self.agent} should hold one power, {len(held)} are there.")
        self.power = held[0]["id"]
        return None, f"fetched by {self.agent} with a sign-in as {AGENT_LOGIN}: over {held[0]['name']}"

    def act(self) -> tuple[None, str]:
        """The source gives the agent what it knows of the principal; the agent answers a request for them."""
        (about,) = self.services.command(
            self.source, "offer", "--type", "registration-certificate", "--from", str(ABOUT_PRINCIPAL)
        )
        self.services.command("wallet", "receive", about["offer"], "--person", self.agent)
        asked = self.services.command(self.receiver, "request", "--template-file", str(TEMPLATE))
        told = self.services.command(
            "wallet", "present", asked["request"], "--act-for", self.power, "--approve", "--person", self.agent
        )
        result = self.services.command(self.receiver, "result", asked["id"], "--wait", "30", accept=(0, 1))
        if told["outcome"] != "delivered" or not result["accepted"] or not result["acting_for"]:
            raise NotTold(f"The answer for another should hold; the receiver says: {result['sentence']}")
        return None, f"{result['acting_for']['agent']} answered for {result['acting_for']['principal']}"

    def read(self) -> tuple[None, str]:
        """The principal's own history tells of it."""
        told = self.services.command("wallet", "acts", "--person", self.principal)
        if (len(told["done_for_you"]), len(told["over_you"])) != (1, 1):
            raise NotTold(f"{self.principal} should read of one act and one power: {told}")
        return None, f"{self.principal} reads of it in her own history, and can end the power"

    def _browser(self, person: str) -> Browser:
        return self.browsers.setdefault(person, Browser())


def powers_with(address: str, *, today: date) -> str:
    """The row of the example file of powers that is over this principal, told at an address, and holding today."""
    rows = csv.DictReader(io.StringIO(POWERS.read_text("utf-8")), delimiter=";")
    (row,) = [row for row in rows if row["huvudman_förnamn"] == PEOPLE[PRINCIPAL_LOGIN]["given_name"]]
    row |= {
        "behörig_från": today.isoformat(),
        "behörig_till": (today + timedelta(days=POWER_DAYS)).isoformat(),
        "gäller_den": today.isoformat(),
        "berättas_för": address,
    }
    written = io.StringIO()
    table = csv.DictWriter(written, fieldnames=list(row), delimiter=";")
    table.writeheader()
    table.writerow(row)
    return written.getvalue()
