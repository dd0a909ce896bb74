"""What every story does: start the services, receive, share, look at what the receiver knows, and at the receipts."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from examples.demo import EXAMPLE_SETTINGS, PERSON
from examples.services import Services, start_trusting

DATA = Path(__file__).parents[1] / "data"
TEMPLATES = Path(__file__).parents[1] / "templates"


@dataclass(frozen=True, slots=True)
class Story:
    """A story and the settings of its services beside the usual ones."""

    walk: Callable[[Services], None]
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.walk.__name__


@dataclass(frozen=True, slots=True)
class Shared:
    """A request that the person answered: its identifier, what the wallet says, and the receiver's result."""

    request_id: str
    told: Any
    result: Any

    @property
    def shown(self) -> dict[str, list[Any]]:
        """What the receiver was shown, by the names on its path, without places in lists: `courses.course_code`.

        Without what a certificate always shows, such as who issued it: that says nothing about the person.
        """
        found: dict[str, list[Any]] = {}
        for value in self.result["values"]:
            if not value["asked"]:
                continue
            name = ".".join(part for part in value["path"] if isinstance(part, str))
            found.setdefault(name, []).append(value["value"])
        return found


def tell(story: Story) -> None:
    """Start the services in a directory of their own, tell one story, stop them."""
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory)
        passphrase_file = data / "passphrase"
        passphrase_file.write_text("a passphrase for a story\n")
        settings = {**EXAMPLE_SETTINGS, "WALLET_PASSPHRASE_FILE": str(passphrase_file), **story.settings}
        with Services(data, settings=settings) as services:
            start_trusting(services)
            story.walk(services)


def receive_all(services: Services, issuer: str, kind: str, file: Path, *options: str, person: str = PERSON) -> Any:
    """An issuer offers what a file holds; the person takes the offers made to them, which are given back.

    A transaction code, where the offer has one, reached the person by another way.
    """
    made = services.command(issuer, "offer", "--type", kind, "--from", str(file), *options)
    mine = [offer for offer in made if person in offer["recipient"]]
    for offer in mine:
        code = ("--tx-code", offer["tx_code"]) if "tx_code" in offer else ()
        services.command("wallet", "receive", offer["offer"], *code, "--person", person)
    return mine


def receive(services: Services, issuer: str, kind: str, file: Path, *options: str, person: str = PERSON) -> Any:
    """As `receive_all`, where exactly one offer is made to the person."""
    (offer,) = receive_all(services, issuer, kind, file, *options, person=person)
    return offer


def share(services: Services, template: str | Path, *options: str, person: str = PERSON) -> Shared:
    """The receiver asks by a template, the person shares what is required and what the options choose."""
    named = ("--template-file", str(template)) if isinstance(template, Path) else ("--template", template)
    asked = services.command("verifier", "request", *named)
    told = services.command(
        "wallet", "present", asked["request"], "--approve", *options, "--person", person, accept=(0, 1)
    )
    return Shared(asked["id"], told, verdict(services, asked["id"]))


def verdict(services: Services, request_id: str) -> Any:
    """What became of a request, waiting for it as long as half a minute. Only an accepted one ends with status 0."""
    return services.command("verifier", "result", request_id, "--wait", "30", accept=(0, 1))


def never_arrived(services: Services, shared: Shared, words: Sequence[str]) -> None:
    """None of these words is in what the receiver is told, logs, or keeps readable. Its result is the one place in
    which everything that was disclosed stands in the open."""
    seen = json.dumps(shared.result, ensure_ascii=False).encode() + services.log_of("verifier").read_bytes()
    seen += b"".join(file.read_bytes() for file in (services.data / "verifier").rglob("*") if file.is_file())
    arrived = [word for word in words if word.encode() in seen]
    assert not arrived, arrived


def receipts_agree(services: Services, shared: Shared, *, person: str = PERSON) -> str:
    """Both hold a record of the same share, without values, and the receiver confirmed the person's; the entry of it.

    The person's is the signed receipt, the receiver's its request with what became of it and until when.
    """
    history = services.command("wallet", "ledger", "--person", person)["entries"]
    entry = next(one for one in history if one["outcome"] == "shared")
    receipt = services.command("wallet", "receipt", entry["id"], "--person", person)
    assert receipt["confirmed"], "the receiver agrees to the terms"
    said = json.dumps(receipt["receipt"], ensure_ascii=False)
    assert shared.result["retention_until"] in said
    assert shared.result["state"] == "answered"
    shown = [each for name, found in shared.shown.items() if name != "as_of" for each in found]  # The day of today.
    values = [value for value in shown if isinstance(value, str)]
    assert not [value for value in values if value and f'"{value}"' in said], "a receipt holds no values"
    return str(entry["id"])
