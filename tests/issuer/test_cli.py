"""The installed command beside a running service, each in a process of its own."""

import json
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from issuer.cli_output import change_told, report_told
from proofs.certificates import verify_chain
from proofs.jose import parse_jws
from proofs.keys import generate_signer
from proofs.proof_of_possession import make_proof
from schemas.issuance import PRE_AUTHORIZED_CODE_GRANT
from schemas.learning.completeness import ELEMENTS_BY_CODE
from service.clock import utc_now

pytestmark = pytest.mark.processes
PROGRAM = str(Path(sys.executable).with_name("intyga-issuer"))
RECORD = """family_name,given_name,birth_date,course_code,title_sv,title_en,awarding_body_sv,country,issued_on,ects
Sjöberg,Elin,1998-02-03,AA1000,Statistik,Statistics,Exempeluniversitetet,SE,2026-06-04,7.5
Sjöberg,Elin,1998-02-03,BB2000,Svenska,Swedish,Exempeluniversitetet,SE,2026-06-05,5
"""


@dataclass
class Running:
    """A service, its data directory, and the command on it."""

    data: Path
    url: str

    def command(self, *arguments: str, status: int = 0) -> Any:
        """Run a command with --json; returns what it printed (or its error) as an object."""
        done = subprocess.run(
            [PROGRAM, *arguments, "--data", str(self.data), "--json"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout if status == 0 else done.stderr)

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> Any:
        with urllib.request.urlopen(urllib.request.Request(self.url + path, body, headers)) as answer:
            return json.loads(answer.read())

    def collect(self, offer: dict[str, Any]) -> str:
        """What a wallet does, over HTTP; returns the certificate."""
        uri = parse_qs(urlsplit(offer["offer"]).query)["credential_offer_uri"][0]
        with urllib.request.urlopen(uri) as answer:
            read = json.loads(answer.read())
        grant = read["grants"][PRE_AUTHORIZED_CODE_GRANT]
        form = {"grant_type": PRE_AUTHORIZED_CODE_GRANT, "pre-authorized_code": grant["pre-authorized_code"]}
        if "tx_code" in grant:
            form["tx_code"] = offer["tx_code"]
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        token = self.post("/token", urlencode(form).encode(), kind)["access_token"]
        nonce = self.post("/nonce", b"", {})["c_nonce"]
        proof = make_proof(signer=generate_signer(), audience=self.url, nonce=nonce, issuer=None, now=utc_now())
        asked = {
            "credential_configuration_id": read["credential_configuration_ids"][0],
            "proofs": {"jwt": [proof]},
        }
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return str(self.post("/credential", json.dumps(asked).encode(), headers)["credentials"][0]["credential"])

    def status_version(self) -> str:
        with urllib.request.urlopen(self.url + "/status/1") as answer:
            return str(answer.headers["ETag"])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`intyga-issuer serve --port 0`, until the tests of this module are done."""
    data = tmp_path_factory.mktemp("cli") / "issuer"
    log = data.parent / "log"
    with log.open("wb") as out:
        process = subprocess.Popen([PROGRAM, "serve", "--port", "0", "--data", str(data)], stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + 120
        while not (data / "public-url").exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        url = (data / "public-url").read_text().strip()
        _wait_until_ready(url)
        yield Running(data, url)
    finally:
        process.terminate()
        process.wait(15)


def _wait_until_ready(url: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(url + "/ready"):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the service did not come up")


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A table with two results of one person."""
    path = tmp_path_factory.mktemp("record") / "results.csv"
    path.write_text(RECORD, encoding="utf-8")
    return str(path)


def test_an_offer_made_by_the_command_is_collected_from_the_service_and_revoked(running: Running, record: str) -> None:
    """One offer per course, with a transaction code; what is revoked by the command is revoked in the served list."""
    offers = running.command("offer", "--type", "micro-credential", "--from", record, "--tx-code")
    assert [offer["title"] for offer in offers] == ["Statistics", "Swedish"]
    for offer in offers:
        assert {"offer", "offer_https", "tx_code", "title", "id"} <= set(offer)
        assert offer["offer"].startswith("openid-credential-offer://?credential_offer_uri=")
        assert offer["offer_https"].startswith(running.url)
    credential = running.collect(offers[0])
    assert parse_jws(credential.partition("~")[0]).header["typ"] == "dc+sd-jwt"
    before = running.status_version()

    revoked = running.command("revoke", offers[0]["id"], "--reason", "test")

    assert (revoked["status"], revoked["copies"]) == ("revoked", 1)
    assert running.status_version() != before
    version = running.status_version()
    again = running.command("revoke", offers[0]["id"], "--reason", "another")
    assert (revoked["changed"], again["changed"]) == (True, False)
    assert change_told(again).endswith(": revoked already, so nothing was changed.")
    for command in ("reinstate", "suspend"):
        refused = running.command(command, offers[0]["id"], status=1)
        assert refused["error"] == "revocation_is_final"
        assert "revoked, which is final; nothing was changed" in refused["error_description"]
    assert running.status_version() == version
    listed = running.command("list")
    assert {o["state"] for o in listed["offers"] if o["id"] == offers[1]["id"]} == {"offered"}
    assert [c["status"] for c in listed["certificates"] if c["id"] == offers[0]["id"]] == ["revoked"]


def test_one_course_can_be_chosen_and_a_transcript_takes_all(running: Running, record: str) -> None:
    """--course chooses; course-results makes one offer per person; the offer can travel by value."""
    (one,) = running.command("offer", "--from", record, "--course", "BB2000", "--by-value")
    (transcript,) = running.command("offer", "--type", "course-results", "--from", record)
    assert one["title"] == "Swedish"
    assert "tx_code" not in one
    assert one["offer"].startswith("openid-credential-offer://?credential_offer=%7B")
    assert running.collect(transcript).count("~") > 10
    assert running.command("suspend", transcript["id"])["status"] == "suspended"
    assert running.command("reinstate", transcript["id"])["status"] == "valid"


def test_an_offer_can_be_voided_and_offered_again(running: Running, record: str) -> None:
    """Offering again gives a new link; a collected offer cannot be offered again."""
    (offer,) = running.command("offer", "--from", record, "--course", "AA1000")
    assert running.command("void", offer["id"])["state"] == "voided"
    (again,) = running.command("offer-again", offer["id"])
    assert again["offer"] != offer["offer"]
    running.collect(again)
    assert running.command("offer-again", offer["id"], status=1)["error_description"]


def test_an_import_is_reported_and_kept_and_offered_from(running: Running, record: str) -> None:
    """The report names what is missing, and the import can be offered from later."""
    report = running.command("import", record)
    assert [result["course"] for result in report["results"]] == ["AA1000", "BB2000"]
    assert "M6" in report["results"][0]["missing"]
    text = report_told(report)
    for code in report["results"][0]["missing"]:
        assert f"{ELEMENTS_BY_CODE[code].name['en']} ({code})" in text, "a code never stands without its name"
    assert report["results"][0]["cannot_be_issued_as"] == {}
    assert len(running.command("offer", "--import", report["import"])) == 2
    assert running.command("import", record, "--dry-run")["import"] is None


def test_incomplete_records_are_refused_naming_elements_and_nothing_is_offered(
    running: Running, tmp_path: Path
) -> None:
    """A record without credits cannot become a micro-credential, and the message says why."""
    poor = tmp_path / "poor.csv"
    poor.write_text(RECORD.replace(",7.5\n", ",\n"), encoding="utf-8")
    before = len(running.command("list")["offers"])
    refused = running.command("offer", "--from", str(poor), "--course", "AA1000", status=1)
    assert refused["error"] == "incomplete_records"
    assert "AA1000 “Statistics” lacks Notional workload (M7)" in refused["error_description"]
    assert "courses.CODE.ects_credits" in refused["error_description"]
    assert len(running.command("list")["offers"]) == before


def test_the_key_is_listed_with_its_root(running: Running) -> None:
    """The root file is what others add to their trust: the served chain leads to it."""
    (key,) = running.command("keys", "list")
    root = ssl.PEM_cert_to_DER_cert(Path(key["root_file"]).read_text())
    with urllib.request.urlopen(running.url + "/.well-known/jwt-vc-issuer") as answer:
        assert json.loads(answer.read())["jwks"]["keys"][0]["kid"] == key["kid"]
    chain = Path(key["chain_file"]).read_text()
    leaf = "".join(chain.split("-----")[2].split())
    assert verify_chain([leaf], anchors=[root], now=utc_now()).names(running.url)
    assert running.command("keys", "create", status=1)["error"]


def test_without_any_address_the_command_says_what_to_do(tmp_path: Path, record: str) -> None:
    """Before the first serve, a command that needs the address names both ways to give it."""
    lost = Running(tmp_path / "empty", "")
    refused = lost.command("offer", "--from", record, status=1)
    assert refused["error"] == "public_url_unknown"
    assert "ISSUER_PUBLIC_URL" in refused["error_description"]
    assert "serve" in refused["error_description"]


def test_wrong_use_is_told_apart_from_failure(running: Running, record: str) -> None:
    """Unknown types and missing arguments end with status 2, unknown identifiers with 1."""
    assert running.command("offer", "--type", "diploma", "--from", record, status=2)
    assert running.command("offer", status=2)
    assert running.command("revoke", "nobody", status=1)["error"] == "not_found"
    assert running.command("offer", "--from", record, "--course", "ZZ", status=1)["error"] == "not_found"
