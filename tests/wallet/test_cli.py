"""The wallet's commands as they are installed, against a real issuer on loopback, while the wallet is being served."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from examples.services import Services
from proofs.keys import generate_signer
from tests.wallet.terminal import PROGRAM, Terminal
from tests.world import STUDY_RECORD

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """A real issuer and a real wallet on free loopback ports."""
    directory = tmp_path_factory.mktemp("services")
    passphrase = directory / "passphrase"
    passphrase.write_text("fyra ord utan samband\n", encoding="utf-8")
    settings = {"WALLET_PASSPHRASE_FILE": str(passphrase), "ISSUER_STATUS_LIST_SIZE": "1000"}
    settings["ISSUER_REVIEWED_TYPES"] = "course-results"
    with Services(directory, settings=settings) as running:
        running.start("issuer", 0)
        running.start("wallet", 0)
        yield running


@pytest.fixture
def terminal(services: Services) -> Terminal:
    """A terminal on the wallet's data, while the wallet is being served."""
    return Terminal(services.data / "wallet", dict(services._environment))


def test_what_the_issuer_has_to_look_at_first_is_not_told_as_a_no(services: Services, terminal: Terminal) -> None:
    """`receive` says that it takes time, and `resume` goes on with it; the status is not 0, since nothing is stored."""
    (offer,) = offers(services, "--type", "course-results")

    waits = terminal.run("receive", offer["offer"], "--person", "Ottilia")

    assert waits.returncode == 1
    assert "has to look at it first" in waits.stderr
    assert "said no" not in waits.stderr
    assert [one["stage"] for one in terminal.json("resume", "--person", "Ottilia")] == ["pending"]


def offers(services: Services, *more: str) -> list[dict[str, str]]:
    """Offers of the issuer."""
    made: list[dict[str, str]] = services.command("issuer", "offer", "--from", str(STUDY_RECORD), *more)
    return made


def test_receiving_from_an_issuer_that_is_trusted_by_its_root(services: Services, terminal: Terminal) -> None:
    """`trust add --anchor`, `receive`, `list`, `show`: exit status 0 when the certificate is stored."""
    (key,) = services.command("issuer", "keys", "list")
    root = next(value for value in _paths(key) if value.endswith(".root.pem"))
    added = terminal.json("trust", "add", "--anchor", root, "--name", "Nordanvik", "--role", "issuer")
    assert [entry["id"] for entry in terminal.json("trust", "list")] == [added["id"]]

    received = terminal.json("receive", offers(services)[0]["offer"], "--person", "Elin")

    assert received["certificates"][0]["issuer_trusted"] is True
    assert received["issuer"] == services.urls["issuer"]
    (listed,) = terminal.json("list", "--person", "Elin")
    assert (listed["id"], listed["copies_left"], listed["status"]) == (received["id"], 10, "valid")
    shown = terminal.json("show", received["id"], "--person", "Elin")
    assert shown["claims"]["family_name"] == "Sjöberg"
    assert {check["outcome"] for check in shown["checks"]} == {"passed"}
    text = terminal.run("show", received["id"], "--person", "Elin").stdout
    for words in ("Family name: Sjöberg", "Date of birth: 23 April 1998", "  Held: The issuer has not revoked it."):
        assert words in text
    assert "Efternamn" not in text
    installed = terminal.run_installed("list", "--person", "Elin", "--json")
    assert (installed.returncode, json.loads(installed.stdout)[0]["id"]) == (0, received["id"])
    for command, nothing in (("list", []), ("resume", []), ("ledger", {"intact": True, "entries": []})):
        nobody = terminal.run(command, "--person", "Otto", "--json", WALLET_PASSPHRASE_FILE="")
        assert json.loads(nobody.stdout) == nothing, "a mistyped name makes no vault, and asks for no passphrase"
        assert "There is no vault of Otto here" in nobody.stderr
    assert terminal.run("list", "--person", "Otto").stdout == "", "what stands on standard error is not contradicted"
    assert terminal.error("show", received["id"], "--person", "Otto") == "unknown_certificate"

    terminal.json("trust", "remove", added["id"])
    assert terminal.json("trust", "list") == []


def test_an_offer_with_a_sign_in_says_what_to_do_next(services: Services, terminal: Terminal) -> None:
    """A terminal shows no page to sign in at: one sentence says where, in whose vault, and at whom; asked again, it is
    the same page, which is there."""
    login = {"ISSUER_LOGIN_ISSUER": "https://id.example", "ISSUER_LOGIN_CLIENT_ID": "university"}
    match = {"ISSUER_LOGIN_MATCH": "birthdate=birth_date,given_name=given_name,family_name=family_name"}
    source = services.start("source", 0, program="issuer", **login, **match)
    kept = services.command("source", "import", str(STUDY_RECORD))["import"]
    link = services.command("source", "offer", "--grant", "authorization-code", "--import", kept)[0]["offer"]

    first, again = (terminal.run("receive", link, "--person", "Elin", "--json") for _ in range(2))

    assert (first.returncode, first.stdout) == (1, "")
    told = json.loads(first.stderr.strip().splitlines()[-1])
    assert told["error"] == "sign_in_required"
    words = re.fullmatch(
        r"Open (\S+) in a browser, unlock the vault of Elin there, and sign in at (\S+) to fetch this\.",
        told["error_description"],
    )
    assert words is not None, told["error_description"]
    page, host = words.groups()
    assert page.startswith(services.urls["wallet"] + "/receive/")
    assert source.endswith(host)
    assert json.loads(again.stderr.strip().splitlines()[-1]) == told
    (waiting,) = terminal.json("resume", "--person", "Elin")
    assert page.endswith("/" + waiting["id"])


def _paths(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [path for inner in value.values() for path in _paths(inner)]
    if isinstance(value, list):
        return [path for inner in value for path in _paths(inner)]
    return [value] if isinstance(value, str) else []


def test_an_unknown_issuer_needs_a_yes(services: Services, terminal: Terminal) -> None:
    """Without `--accept-unknown` the certificate waits, and the same link with it finds it again."""
    link = offers(services)[1]["offer_https"]

    assert terminal.error("receive", link, "--person", "Unsure") == "unknown_issuer"
    assert terminal.json("list", "--person", "Unsure") == []
    assert "no certificates in the vault of Unsure." in terminal.run("list", "--person", "Unsure").stdout
    received = terminal.json("receive", link, "--accept-unknown", "--person", "Unsure")

    assert received["certificates"][0]["issuer_trusted"] is False
    assert len(terminal.json("list", "--person", "Unsure")) == 1


def test_the_same_link_again_after_its_issuer_was_added(services: Services, terminal: Terminal) -> None:
    """Somebody vouches for the issuer by now: no question is left, and no sentence says otherwise."""
    link = offers(services)[1]["offer"]
    assert terminal.error("receive", link, "--person", "Later") == "unknown_issuer"
    (key,) = services.command("issuer", "keys", "list")
    root = next(value for value in _paths(key) if value.endswith(".root.pem"))
    added = terminal.json("trust", "add", "--anchor", root, "--role", "issuer")

    done = terminal.run("receive", link, "--person", "Later", "--json")

    assert done.returncode == 0, done.stderr
    assert "Nobody here vouches" not in done.stderr
    assert json.loads(done.stdout)["certificates"][0]["issuer_trusted"] is True
    terminal.json("trust", "remove", added["id"])
    assert [one["issuer_trusted"] for one in terminal.json("list", "--person", "Later")] == [False]


def test_a_transaction_code(services: Services, terminal: Terminal) -> None:
    """A missing, an impossible and a wrong code end with an error that names it; the right one still works."""
    offer = offers(services, "--tx-code")[0]

    assert terminal.error("receive", offer["offer"], "--person", "Coded") == "tx_code_required"
    assert terminal.error("receive", offer["offer"], "--tx-code", "1", "--person", "Coded") == "tx_code_malformed"
    impossible = terminal.run("receive", offer["offer"], "--tx-code", "abcdef", "--person", "Coded")
    assert "The code should be 6 digits. Nothing was sent." in impossible.stderr
    other = f"{(int(offer['tx_code']) + 1) % 1_000_000:06}"
    assert terminal.error("receive", offer["offer"], "--tx-code", other, "--person", "Coded") == "wrong_code"
    received = terminal.json(
        "receive", offer["offer"], "--tx-code", offer["tx_code"], "--accept-unknown", "--person", "Coded"
    )
    assert len(received["certificates"]) == 1


def test_faults_end_with_a_sentence_and_a_status(services: Services, terminal: Terminal) -> None:
    """Nonsense, a used offer, and a wrong passphrase are told apart and never end with 0."""
    link = offers(services)[2]["offer"]
    terminal.json("receive", link, "--accept-unknown", "--person", "Faulty")

    assert terminal.error("receive", "nonsense", "--person", "Faulty") == "unreadable_link"
    assert terminal.error("receive", link, "--person", "Faulty") == "offer_gone"
    assert terminal.error("show", "00", "--person", "Faulty") == "unknown_certificate"
    other = terminal.data / "other-passphrase"
    other.write_text("another passphrase", encoding="utf-8")
    refused = terminal.run("list", "--person", "Faulty", "--json", WALLET_PASSPHRASE_FILE=str(other))
    assert (refused.returncode, json.loads(refused.stderr)["error"]) == (1, "wrong_passphrase")
    nobody = terminal.run("list", "--person", "Faulty", "--json", WALLET_PASSPHRASE_FILE="")
    assert (nobody.returncode, json.loads(nobody.stderr)["error"]) == (2, "no_passphrase")


def test_a_list_is_signed_by_one_and_followed_by_another(terminal: Terminal, services: Services) -> None:
    """`trust sign` makes a list that holds with its key and with no other."""
    (key,) = services.command("issuer", "keys", "list")
    root = next(value for value in _paths(key) if value.endswith(".root.pem"))
    added = terminal.json("trust", "add", "--anchor", root, "--role", "issuer")
    made = terminal.json("trust", "sign", "--days", "7", "--sequence", "3")

    assert made["list"].count(".") == 2
    assert json.loads(Path(made["key_file"]).read_text()) == made["key"]
    assert terminal.error("trust", "add", "https://nowhere.invalid/list") == "usage"
    terminal.json("trust", "remove", added["id"])


def test_an_entry_whose_name_begins_with_a_hyphen_can_be_removed(terminal: Terminal) -> None:
    """Names of entries are digests, and one in 64 begins with a hyphen."""
    entry = terminal.data / "entry.json"
    described = {"id": "-x5fQ", "name": "Norr", "role": "issuer", "identifier": "https://norr.example"}
    keys = {"mechanism": "jwks", "jwks": [generate_signer().public_jwk]}
    entry.write_text(json.dumps(described | keys), encoding="utf-8")
    terminal.json("trust", "add", "--entry", str(entry))

    assert terminal.json("trust", "remove", "-x5fQ") == {"removed": "-x5fQ"}
    assert terminal.json("trust", "list") == []
    assert terminal.error("trust", "remove", "--nonsense") == "not_found"


def test_an_entry_without_an_id_is_there_once(terminal: Terminal) -> None:
    """Added again, it replaces what was said before (docs/trust.md); many of them can be signed as a list."""
    entry, many = terminal.data / "no-id.json", terminal.data / "no-ids.json"
    described = {"name": "Norr", "role": "issuer", "identifier": "https://norr.example", "mechanism": "metadata"}
    entry.write_text(json.dumps(described), encoding="utf-8")
    many.write_text(json.dumps([described]), encoding="utf-8")

    first, second = [terminal.json("trust", "add", "--entry", str(entry)) for _ in range(2)]

    assert first["id"] == second["id"]
    assert [one["id"] for one in terminal.json("trust", "list")] == [first["id"]]
    assert terminal.json("trust", "sign", "--entries", str(many))["list"].count(".") == 2
    terminal.json("trust", "remove", first["id"])


def test_what_a_replaced_entry_said_before_is_told(terminal: Terminal) -> None:
    """Another list of types takes the place of the first; nobody has to find that out from what is refused later."""
    entry = terminal.data / "of-types.json"
    described = {"name": "Norr", "role": "issuer", "identifier": "https://norr.example", "mechanism": "metadata"}
    told = []
    for types in (["urn:a", "urn:b"], ["urn:c"], ["urn:c"]):
        entry.write_text(json.dumps(described | {"types": types}), encoding="utf-8")
        told.append(terminal.run("trust", "add", "--entry", str(entry)).stderr)

    first, second, third = told
    assert "replaces" not in first
    before, now = second.split("Before: ")[1].split("Now: ")
    assert "Norr (issuer; urn:a, urn:b)" in before
    assert "Norr (issuer; urn:c)" in now
    assert "replaces" not in third
    listed = terminal.run("trust", "list").stdout
    assert "urn:c" in listed
    assert "urn:a" not in listed
    terminal.json("trust", "remove", terminal.json("trust", "list")[0]["id"])


def test_killed_while_receiving_it_goes_on(services: Services, terminal: Terminal) -> None:
    """Killed at any moment, the same command ends with exactly one certificate, or says to ask for a new offer."""
    for delay in (1.0, 1.3, 1.7):
        link = offers(services)[0]["offer"]
        person = f"Killed {delay}"
        command = [str(PROGRAM), "receive", link, "--accept-unknown", "--person", person, "--data", str(terminal.data)]
        process = subprocess.Popen(
            command, env=terminal.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(delay)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()

        done = terminal.run("receive", link, "--accept-unknown", "--person", person, "--json")
        stored = terminal.json("list", "--person", person)

        if done.returncode == 0 or stored:
            assert len(stored) == 1
        else:
            assert json.loads(done.stderr.strip().splitlines()[-1])["error"] in ("answer_lost", "offer_gone")
