"""What every story does: start the services, receive, share, look at what the receiver knows and at the receipts, and
take back."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from examples.demo import EXAMPLE_SETTINGS, PERSON
from examples.internship import MATCH
from examples.services import Services, trust_each_other
from examples.sign_in import running_provider, start_source
from proofs import jose
from proofs.certificate_form import read_pem_anchors
from proofs.certificates import verify_chain
from proofs.keys import DEFAULT_ALGORITHMS
from schemas.withdrawal import STATEMENT_TYPE, DeletionStatement, StatementOutcome

DATA = Path(__file__).parents[1] / "data"
TEMPLATES = Path(__file__).parents[1] / "templates"


@dataclass(frozen=True, slots=True)
class Story:
    """A story and the settings of its services beside the usual ones.

    With `people`, these have accounts at an OpenID Connect provider, where the issuer lets people sign in.
    """

    walk: Callable[[Services], None]
    settings: Mapping[str, str] = field(default_factory=dict)
    people: Sequence[Mapping[str, str]] = ()

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
        with Services(data, settings=settings) as services, ExitStack() as staged:
            if story.people:
                provider = staged.enter_context(running_provider(story.people, log=data / "provider.log"))
                start_source(services, provider, match=MATCH, name=settings["ISSUER_NAME"])
            else:
                services.start("issuer", 0)
                services.start("wallet", 0)
                services.configure(VERIFIER_WALLET_URL=services.urls["wallet"])
                services.start("verifier", 0)
                trust_each_other(services)
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


def ask(services: Services, template: str | Path) -> Any:
    """The receiver asks by a template of its own, or by one in a file."""
    named = ("--template-file", str(template)) if isinstance(template, Path) else ("--template", template)
    return services.command("verifier", "request", *named)


def share(services: Services, template: str | Path, *options: str, person: str = PERSON) -> Shared:
    """The receiver asks by a template, the person shares what is required and what the options choose."""
    asked = ask(services, template)
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


def receipts_agree(services: Services, shared: Shared, *, person: str = PERSON, is_confirmed: bool = True) -> str:
    """Both hold a record of the same share, without values, and the receiver confirmed the person's; the entry of it.

    The person's is the signed receipt, the receiver's its request with what became of it and until when. Where the
    browser goes back to the receiver, the answer counts only then, and the wallet has the receipt confirmed later.
    """
    history = services.command("wallet", "ledger", "--person", person)["entries"]
    entry = next(one for one in history if one["outcome"] == "shared")
    receipt = services.command("wallet", "receipt", entry["id"], "--person", person)
    assert receipt.get("confirmed") or not is_confirmed, "the receiver agrees to the terms"
    said = json.dumps(receipt["receipt"], ensure_ascii=False)
    assert shared.result["retention_until"] in said
    assert shared.result["state"] == "answered"
    shown = [each for name, found in shared.shown.items() if name != "as_of" for each in found]  # The day of today.
    values = [value for value in shown if isinstance(value, str)]
    assert not [value for value in values if value and f'"{value}"' in said], "a receipt holds no values"
    return str(entry["id"])


def take_back(services: Services, shared: Shared, *, person: str = PERSON) -> None:
    """The person takes the share back: the receiver uses it no more, and has deleted it. Its signed statement says so,
    and is with both."""
    history = services.command("wallet", "ledger", "--person", person)["entries"]
    entry = next(one for one in history if one["outcome"] == "shared")
    taken = services.command("wallet", "take-back", entry["id"], "--yes", "--person", person)
    assert taken["state"] == "done", taken["state"]
    (statement,) = taken["statements"]
    after = verdict(services, shared.request_id)
    assert (after["state"], after["accepted"], after["values"]) == ("withdrawn", False, None)
    assert after["deletion"]["statement"] == statement, "the signed statement is with both"
    _is_by_the_receiver(services, shared, statement)


def _is_by_the_receiver(services: Services, shared: Shared, statement: str) -> None:
    """The statement is signed with the receiver's own certificate, and says that all that was shared is deleted."""
    jws = jose.parse_jws(statement)
    root = Path(services.command("verifier", "keys", "list")[0]["root_file"])
    leaf = verify_chain(jws.header["x5c"], anchors=read_pem_anchors(root.read_bytes()), now=datetime.now(UTC))
    claims = jose.check_jws(jws, key=leaf.public_jwk, typ=STATEMENT_TYPE, algorithms=DEFAULT_ALGORITHMS).claims
    said = DeletionStatement.model_validate(claims)
    assert said.outcome is StatementOutcome.DELETED
    assert said.deleted_at is not None
    assert len(said.items) >= len(shared.shown), "every item that was shown"
    assert not said.exceptions
