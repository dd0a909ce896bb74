"""`present` and `ledger` as they are installed, between a real issuer, wallet and verifier on loopback."""

import json
import re
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pypdf
import pytest

from examples.services import Services
from tests.wallet.terminal import Terminal
from tests.world import STUDY_RECORD

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Issuer, wallet and verifier on free loopback ports, trusting each other as a demo would."""
    directory = tmp_path_factory.mktemp("services")
    passphrase = directory / "passphrase"
    passphrase.write_text("fyra ord utan samband\n", encoding="utf-8")
    settings = {
        "WALLET_PASSPHRASE_FILE": str(passphrase),
        "ISSUER_STATUS_LIST_SIZE": "1000",
        "VERIFIER_NAME": "Exempelbolaget AB",
        "VERIFIER_NAME_EN": "Example Company Ltd",
        "VERIFIER_CONTACT": "dataskydd@employer.example",
    }
    with Services(directory, settings=settings) as running:
        for name in ("issuer", "wallet", "verifier"):
            running.start(name, 0)
        root = _root(running.command("issuer", "keys", "list"))
        for name in ("wallet", "verifier"):
            running.command(name, "trust", "add", "--anchor", root, "--name", "Nordanvik", "--role", "issuer")
        employer = next((directory / "verifier").rglob("*.root.pem"))
        running.command("wallet", "trust", "add", "--anchor", str(employer), "--name", "Firm", "--role", "verifier")
        made = running.command("issuer", "offer", "--from", str(STUDY_RECORD))
        running.command("wallet", "receive", made[0]["offer"])
        yield running


def _root(keys: Any) -> str:
    text = json.dumps(keys)
    return next(part for part in text.split('"') if part.endswith(".root.pem"))


@pytest.fixture
def terminal(services: Services) -> Terminal:
    """A terminal on the wallet's data, while the wallet is being served."""
    return Terminal(services.data / "wallet", dict(services._environment))


def ask(services: Services) -> dict[str, Any]:
    """A request of the verifier."""
    made: dict[str, Any] = services.command("verifier", "request", "--template", "employer-micro-credential")
    return made


def test_present_prints_what_would_be_shared_and_delivers_it(services: Services, terminal: Terminal) -> None:
    """`--approve` shares what is required; status 0 says that it was delivered, and the verifier accepts it."""
    made = ask(services)

    done = terminal.run("present", made["request"], "--approve", "--json")

    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["outcome"], result["answer"]) == ("delivered", "shared")
    assert result["shared"] == ["Family name", "Date of issue"]
    for words in ("Exempelbolaget AB asks", "Kept until:", "Family name: Sjöberg", "Stays with you", "not chosen"):
        assert words in done.stderr
    assert "Always with it: the kind of certificate, who issued it, how long it is valid, country and" in done.stderr
    assert re.search(r"Stays with you, from [^:]+: date of birth, [^,]+, [^,]+ and \d+ more\n", done.stderr)
    verdict = services.command("verifier", "result", made["id"])
    assert "Sjöberg" in json.dumps(verdict, ensure_ascii=False)


def test_optional_parts_are_shared_only_when_named(services: Services, terminal: Terminal) -> None:
    """`--optional all`, and by number; an unknown number shares nothing."""
    result = terminal.json("present", ask(services)["request"], "--approve", "--optional", "all")
    assert "Grade" in result["shared"]
    assert terminal.error("present", ask(services)["request"], "--approve", "--optional", "77") == "usage"


def test_a_no_is_told_as_a_sentence(services: Services, terminal: Terminal) -> None:
    """Who was told no, that it arrived, and that nothing went."""
    done = terminal.run("present", ask(services)["request"], "--refuse")

    assert done.stdout.strip() == "Delivered. You said no to Exempelbolaget AB. Nothing was shared."


@pytest.mark.parametrize(("answer", "outcome"), [("--approve", "shared"), ("--refuse", "refused")])
def test_a_first_try_without_an_answer_is_told_as_such(
    services: Services, terminal: Terminal, answer: str, outcome: str
) -> None:
    """Nobody was there to ask, then the same link is answered: one line tells the answer, the other that none came."""
    made = ask(services)
    assert terminal.error("present", made["request"]) == "no_decision"
    terminal.json("present", made["request"], answer)

    entries = terminal.json("ledger")["entries"]

    assert [one["outcome"] for one in entries[:2]] == [outcome, "no_answer"]
    lines = terminal.run("ledger").stdout.splitlines()
    assert "answered" not in lines[1]
    assert "no answer" in lines[1]


def test_a_request_that_was_put_down_at_the_prompt_got_no_answer(services: Services, terminal: Terminal) -> None:
    """Neither share nor no was written: that is no answer, and the request can still be answered."""
    made = ask(services)
    assert terminal.run("present", made["request"], said="perhaps\n").returncode == 1
    assert terminal.json("ledger")["entries"][0]["outcome"] == "no_answer"

    assert terminal.json("present", made["request"], "--refuse")["outcome"] == "delivered"


def test_ctrl_c_at_the_question_ends_it_at_once(services: Services, terminal: Terminal) -> None:
    """As everywhere in a terminal; nothing is sent, and the request can still be answered."""
    made = ask(services)

    assert terminal.pressed_at_the_question("share or no", "\x03", "present", made["request"]) not in (0, None)
    assert terminal.json("ledger")["entries"][0]["outcome"] == "no_answer"

    assert terminal.run("present", made["request"], said="n\n").returncode == 0


def test_refusing_delivers_a_no(services: Services, terminal: Terminal) -> None:
    """`--refuse` answers no, and ends with 0 since the answer was delivered."""
    result = terminal.json("present", ask(services)["request"], "--refuse")

    assert (result["answer"], result["outcome"], result["shared"]) == ("refused", "delivered", [])


def test_nothing_is_decided_without_somebody_to_decide(services: Services, terminal: Terminal) -> None:
    """Without a decision and nobody at the terminal nothing is sent, and the status is not 0."""
    done = terminal.run("present", ask(services)["request"])

    assert done.returncode == 2
    assert "say --approve or --refuse" in done.stderr
    assert "Family name: Sjöberg" in done.stderr
    assert 'Their reason: "' in done.stderr
    assert "Decisions by machine: " in done.stderr
    assert re.search("You (have not shared with them before|last shared with them on)", done.stderr)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["openid4vp://?client_id=x"], "invalid_request"),
        (["nonsense", "--approve"], "unreadable_link"),
        (["openid4vp://?client_id=a", "--approve", "--refuse"], "usage"),
    ],
)
def test_faulty_links_end_with_their_code(terminal: Terminal, arguments: list[str], error: str) -> None:
    """The code of the fault is on standard error as JSON."""
    assert terminal.error("present", *arguments) == error


def test_an_empty_vault_cannot_share(services: Services, terminal: Terminal) -> None:
    """Somebody without the certificate learns it, nothing is sent, and the status is not 0."""
    assert terminal.error("present", ask(services)["request"], "--approve", "--person", "Otto") == "cannot_satisfy"


def test_a_request_by_its_typed_code(services: Services, terminal: Terminal) -> None:
    """`host/XXXXXXXXXX` does what the link does."""
    made = ask(services)

    assert terminal.json("present", made["code"], "--refuse")["outcome"] == "delivered"


def test_the_ledger_tells_everything_without_values(services: Services, terminal: Terminal) -> None:
    """`ledger`, for people and as JSON with receipts: names and outcomes, no values."""
    terminal.json("present", ask(services)["request"], "--approve")

    history = terminal.json("ledger")
    text = terminal.run("ledger").stdout

    assert history["intact"] is True
    latest = history["entries"][0]
    assert (latest["outcome"], latest["shared"]) == ("shared", ["Family name", "Date of issue"])
    assert latest["receipt"]["items"][0]["commitment"]
    assert "Sjöberg" not in json.dumps(history, ensure_ascii=False) + text
    assert "Exempelbolaget AB" in text
    # The local time of the wallet's time zone, with its offset.
    written = datetime.fromisoformat(latest["at"])
    assert written.utcoffset() == written.astimezone(ZoneInfo("Europe/Stockholm")).utcoffset()
    assert text.startswith(f"{latest['id'][:8]}  {written:%Y-%m-%d %H:%M} +0")


def test_the_ledger_tells_which_rules_fired(services: Services, terminal: Terminal) -> None:
    """`--rules` reads each kept request and judges it again, and says the same in plain words."""
    terminal.json("present", ask(services)["request"], "--refuse")

    judged = terminal.json("ledger", "--rules", "--entry", terminal.json("ledger")["entries"][0]["id"][:8])
    entries = judged["entries"]

    assert judged["same"]
    assert {one["read_from"] for one in entries} == {"request"}
    assert all("They have not shown that they are registered to ask for this." in one["said"] for one in entries)

    assert {one["event"] for one in entries} >= {"asked", "refused"}
    assert all(one["same"] and one["fired"] == one["fired_again"] for one in entries)
    assert all("REG-1" in one["fired"] for one in entries)
    told = terminal.run("ledger", "--rules").stdout
    assert "what they have registered to ask for" in told
    assert "They have not shown that they are registered to ask for this." in " ".join(told.split())
    assert not re.search(r"\b[A-Z]{2,3}-[0-9]+\b", told), "a number says nothing to a person"


def test_receipt_and_history_are_saved_as_pdf(services: Services, terminal: Terminal, tmp_path: Path) -> None:
    """In the language that is asked for; the text in the terminal says the same; no file is written over."""
    terminal.json("present", ask(services)["request"], "--approve")
    entry = terminal.json("ledger")["entries"][0]

    told = terminal.run("receipt", entry["id"][:12])
    saved = terminal.json("receipt", entry["id"], "--save", str(tmp_path / "kvitto.pdf"), "--language", "sv")
    history = terminal.json("ledger", "--save", str(tmp_path / "history.pdf"), "--language", "sv")

    assert told.stdout.startswith("Receipt: Exempelbolaget AB, ")
    for words in (
        "Family name – Short course certificate",
        "Kept until: ",
        "You decided to share, ",
        "Figures for checking",
    ):
        assert words in told.stdout
    assert "Integritetsskyddsmyndigheten" in told.stdout
    assert "Sjöberg" not in told.stdout
    assert terminal.json("receipt", entry["id"])["receipt"]["record_id"] == entry["id"]
    for place, title in ((saved["file"], "Kvitto: Exempelbolaget AB, "), (history["file"], "Delningar")):
        reader = pypdf.PdfReader(place)
        assert reader.metadata is not None
        assert str(reader.metadata.title).startswith(title)
        assert str(reader.root_object["/Lang"]) == "sv"
        assert Path(place).stat().st_mode & 0o077 == 0
    assert terminal.error("receipt", entry["id"], "--save", saved["file"]) == "file_exists"
    assert terminal.error("receipt", entry["id"], "--save", str(tmp_path / "x.docx")) == "usage"
    assert terminal.error("receipt", entry["id"], "--language", "de") == "usage"
    assert terminal.error("receipt", "0123456789") == "not_found"
    assert terminal.error("ledger", "--save", str(tmp_path / "x.txt")) == "usage"


def test_the_data_directory_tells_nothing(services: Services) -> None:
    """After all this no name of a recipient and no value can be read in the wallet's files."""
    files = [path.read_bytes() for path in Path(services.data / "wallet").glob("wallet.sqlite3*")]

    for text in ("Sjöberg", "Exempelbolaget", "family_name"):
        assert not any(text.encode() in content for content in files)


CONSENT_TEMPLATE = """
name = "by-consent"
title = { sv = "Frivilligt", en = "By choice" }
purpose = { sv = "Vi ringer dig om du vill.", en = "We call you if you like." }
retention_days = 30
basis = "consent"
contact = "privacy@employer.example"

[[credentials]]
id = "course"
vct = ["urn:intyga:credential:micro-credential:1"]

  [[credentials.items]]
  path = ["family_name"]
  required = false
  reason = { sv = "Ditt namn.", en = "Your name." }

  [[credentials.items]]
  path = ["given_name"]
  required = false
  reason = { sv = "Ditt namn.", en = "Your name." }
"""


def test_what_is_optional_needs_optional(services: Services, terminal: Terminal) -> None:
    """On the ground of consent everything is optional: `--approve` alone shares no item, `--optional` names one."""
    file = terminal.data / "consent.toml"
    file.write_text(CONSENT_TEMPLATE, encoding="utf-8")
    made = services.command("verifier", "request", "--template", str(file))

    done = terminal.run("present", made["request"], "--approve", "--optional", "1", "--json")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["shared"] == ["Given name"] or json.loads(done.stdout)["shared"] == ["Family name"]


def test_approving_without_a_choice_says_what_to_do(services: Services, terminal: Terminal) -> None:
    """All is optional and nothing was named: a sentence for the person, no rule's number, and nothing is sent."""
    file = terminal.data / "consent-only.toml"
    file.write_text(CONSENT_TEMPLATE.replace("by-consent", "consent-only"), encoding="utf-8")
    made = services.command("verifier", "request", "--template", str(file))

    done = terminal.run("present", made["request"], "--approve")

    assert done.returncode == 1
    assert "Nothing was chosen: all they ask for is optional. Name what to share with --optional." in done.stderr
    assert "CS-06" not in done.stderr
    assert terminal.json("present", made["request"], "--refuse")["outcome"] == "delivered"


WHOLE_TEMPLATE = """
name = "whole"
title = { sv = "Intyget", en = "The certificate" }
purpose = { sv = "Vi ser att du har ett intyg.", en = "We see that you have a certificate." }
retention_days = 30
basis = "contract"
contact = "privacy@employer.example"

[[credentials]]
id = "course"
vct = ["urn:intyga:credential:micro-credential:1"]
"""


def test_a_share_without_items_names_the_certificate(services: Services, terminal: Terminal) -> None:
    """What always goes along went: the terminal says of which certificate, not nothing."""
    file = terminal.data / "whole.toml"
    file.write_text(WHOLE_TEMPLATE, encoding="utf-8")
    made = services.command("verifier", "request", "--template", str(file))

    done = terminal.run("present", made["request"], "--approve")

    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == "Delivered. Shared with Exempelbolaget AB:"
    assert said[1] == "  Computer Security for Health Care Systems, only with what always comes with it"
    assert said[2].endswith("goes with it.")


def needing_a_yes() -> str:
    """A request by value, to an address where nobody listens, for an item that needs a yes of its own."""
    answer = "http://localhost:9/response"
    query = {
        "credentials": [
            {
                "id": "a",
                "format": "dc+sd-jwt",
                "meta": {"vct_values": ["urn:intyga:credential:micro-credential:1"]},
                "claims": [{"path": ["family_name"]}, {"path": ["given_name"]}],
            }
        ]
    }
    said = {
        "controller": {"name": {"en": "Firm"}, "contact": "a@b.example"},
        "purpose": {"en": "We call you."},
        "basis": "consent",
    }
    members = {
        "client_id": f"redirect_uri:{answer}",
        "response_type": "vp_token",
        "response_mode": "direct_post",
        "nonce": secrets.token_urlsafe(24),
        "dcql_query": json.dumps(query),
        "verifier_info": json.dumps([{"format": "intyga-notice", "data": said}]),
    }
    return f"openid4vp://?{urlencode(members)}"


def test_approve_says_yes_to_items_that_need_one_of_their_own(terminal: Terminal) -> None:
    """`--approve` covers all that is required, and prints each item that needs a yes; here nobody listens."""
    done = terminal.run("present", needing_a_yes(), "--approve", "--json")

    assert json.loads(done.stdout)["outcome"] == "not_delivered"
    assert "Somebody who says it is Firm asks (we cannot confirm who is asking)." in done.stderr
    assert done.stderr.count("You say yes to:") == 2
    assert "You go on in spite of this (unproven): " in done.stderr
    assert done.returncode == 1


def test_an_unproven_name_is_only_said_afterwards_too(terminal: Terminal) -> None:
    """The last line and the history do not make a fact of what the sender says of itself (CS-09)."""
    done = terminal.run("present", needing_a_yes(), "--approve")
    history = terminal.run("ledger").stdout.splitlines()[0]

    assert done.stdout.startswith("It could not be sent. It was meant for somebody who says it is Firm:\n")
    assert "says it is Firm" in history


def test_without_a_flag_each_such_item_is_asked_about(terminal: Terminal) -> None:
    """The person answers per item; one no, and nothing is shared."""
    no = terminal.run("present", needing_a_yes(), "--json", said="share\ny\ny\nn\n")
    yes = terminal.run("present", needing_a_yes(), "--json", said="share\ny\ny\ny\n")

    assert (no.returncode, '"error": "yes_missing"' in no.stderr) == (1, True)
    assert json.loads(yes.stdout)["outcome"] == "not_delivered"
