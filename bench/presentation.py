"""What one presentation costs the verifier: received, decrypted, verified with every check, stored, answered; and a
whole one under HAIP, from the program that asks to the result that it reads.

The verifier runs as its own process through the installed command: SQLite on disk with every commit synced, everything
on, answers encrypted (`direct_post.jwt`) as they are by default, the status list fetched once and then kept, as in use.
The references are an empty asynchronous endpoint in another process, asked in turn with it, and the raw signatures that
one presentation contains, timed in turn with it as well; the reach of the latter is our own. The wallet's and the
issuer's part happens here and is not counted.
"""

import asyncio
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from bench.flows import Beside, RawSignatures
from bench.measure import Figure
from bench.served import Served
from proofs import strict_json
from proofs.certified_keys import create_certified_key
from proofs.formats.sd_jwt import parse_sd_jwt, plan_disclosures, select_disclosures
from proofs.formats.sd_jwt_vc import build_presentation, issue_sd_jwt_vc
from proofs.jose import encrypt_jwe, public_part
from proofs.keys import generate_signer
from proofs.status_list import make_status_list_token, new_status_list
from proofs.trust import entry_from_anchor
from schemas.types import CREDENTIAL_TYPES
from service.clock import utc_now
from verifier.app import make_verifier
from verifier.cli import open_accounts
from verifier.cli_settings import settings_for
from verifier.requests import Kind, Transaction

REACH = 20.0
CHECKED, SIGNED = 2, 0
"""Signatures in one presentation: the issuer's and the holder's. That of the status list is checked once, the chain of
certificates as well; the verifier signs nothing in its answer."""
RAW_REACH = 18.0
WHOLE_REACH = 100.0
WHOLE_SIGNED = 1
"""The request object's, beside the two that are checked."""
WHOLE_RAW_REACH = 75.0
WHOLE_PER_ROUND = 30
PRESENTATIONS_PER_ROUND = 60
EMPTY_PER_PRESENTATION = 10  # in turn with the presentations, so that both servers find the machine in the same mood
STATUS_ENTRIES = 1_000_000

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_JSON = {"Content-Type": "application/json"}
_BACK = "http://localhost:9/back"
_PASSPHRASE = b"only for this measurement"
_TYPE = CREDENTIAL_TYPES["micro-credential"]
_CLAIMS: dict[str, Any] = {
    "issuing_authority": {"sv": "Exempeluniversitetet", "en": "Example University"},
    "issuing_country": "SE",
    "family_name": "Exempelsson",
    "given_name": "Majken",
    "birthdate": "1998-04-12",
    "achievement_title": {"sv": "Introduktion till maskininlärning", "en": "Introduction to machine learning"},
    "course_code": "ML1000",
    "date_of_issuance": "2026-06-03",
    "assessment_grade": "VG",
    "credits": 7.5,
    "level_of_learning_experience": 7,
    "learning_outcomes": [{"en": "Explains, applies and compares methods of supervised learning."}],
}


def figures(rounds: int) -> list[Figure]:
    """Measure in so many interleaved rounds."""
    with tempfile.TemporaryDirectory() as directory, _status_lists() as lists:
        data = Path(directory) / "verifier"
        environment = {"VERIFIER_ALLOW_LOOPBACK": "1"}
        arguments = ("serve", "--port", "0", "--data", str(data))
        with Served.command("intyga-verifier", *arguments, environment=environment) as server, Served.empty() as empty:
            desk = _Desk(data, Path(directory) / "issuer", lists)
            for path, body in desk.answers(20):
                server.request("POST", path, body, _FORM)
            beside = Beside([server], empty, RawSignatures(checked=CHECKED, signed=SIGNED))
            measured = beside.measure(
                lambda count: [partial(_post, server, path, body) for path, body in desk.answers(count)],
                rounds=rounds,
                flows=PRESENTATIONS_PER_ROUND,
                empty_per_flow=EMPTY_PER_PRESENTATION,
            )
            desk.check()
    name = "one presentation received and verified over HTTP"
    return measured.figures(name, reach=REACH, raw_reach=RAW_REACH)


def whole_figures(rounds: int) -> list[Figure]:
    """The whole way under HAIP: a program asks, the wallet fetches the signed request and answers, the browser comes
    back, the program reads the result. Five requests of which each is counted."""
    with tempfile.TemporaryDirectory() as directory, _status_lists() as lists:
        data = Path(directory) / "verifier"
        environment = {"VERIFIER_ALLOW_LOOPBACK": "1", "VERIFIER_HAIP": "1"}
        arguments = ("serve", "--port", "0", "--data", str(data))
        with Served.command("intyga-verifier", *arguments, environment=environment) as server, Served.empty() as empty:
            desk = _Desk(data, Path(directory) / "issuer", lists)
            for _ in range(5):
                desk.walk(server)
            beside = Beside([server], empty, RawSignatures(checked=CHECKED, signed=WHOLE_SIGNED))
            measured = beside.measure(
                lambda count: [partial(desk.walk, server)] * count,
                rounds=rounds,
                flows=WHOLE_PER_ROUND,
                empty_per_flow=EMPTY_PER_PRESENTATION,
            )
    name = "one whole presentation under HAIP over HTTP"
    return measured.figures(name, reach=WHOLE_REACH, raw_reach=WHOLE_RAW_REACH)


def _post(server: Served, path: str, body: bytes) -> float:
    """Send one answer; the seconds until the verifier has answered."""
    start = time.perf_counter()
    server.request("POST", path, body, _FORM)
    return time.perf_counter() - start


class _Desk:
    """Requests made beside the running verifier, and a wallet with one certificate that answers them."""

    def __init__(self, data: Path, issuer_files: Path, lists: "_Lists") -> None:
        now = utc_now()
        self._verifier = make_verifier(settings_for(data), clock=utc_now)
        self._template = self._verifier.templates()["employer-micro-credential"]
        issuer = create_certified_key(
            issuer_files,
            name="issuer",
            common_name="Example University",
            public_url=lists.url,
            passphrase=_PASSPHRASE,
            now=now,
        )
        assert issuer.root_file is not None
        self._verifier.trust.add_entry(entry_from_anchor(issuer.root_file.read_bytes(), name=None), now=now)
        lists.token = make_status_list_token(
            statuses=new_status_list(STATUS_ENTRIES, bits=2),
            bits=2,
            uri=f"{lists.url}/status/1",
            signer=issuer.signer,
            issued_at=now,
            expires_at=now + timedelta(hours=12),
            ttl_seconds=3600,
        )
        self._holder = generate_signer()
        times = {"iat": int(now.timestamp()), "exp": int((now + timedelta(days=365)).timestamp())}
        status = {"status_list": {"idx": 4711, "uri": f"{lists.url}/status/1"}}
        self._token = issue_sd_jwt_vc(
            {"iss": lists.url, "vct": _TYPE.vct, **times, "status": status, **_CLAIMS},
            disclosable=plan_disclosures(_TYPE.disclosable_paths()),
            signer=issuer.signer,
            holder_jwk=self._holder.public_jwk,
        )
        paths = [("family_name",), ("date_of_issuance",)]
        self._disclosures = select_disclosures(parse_sd_jwt(self._token), paths, nested=True)
        self._asked: list[str] = []
        _, key = asyncio.run(open_accounts(data).new_api_key("measurement", now=now))
        self._program = {"Authorization": f"Bearer {key}"}

    def answers(self, count: int) -> list[tuple[str, bytes]]:
        """The path and the form of honest answers to fresh requests."""
        made = [self._verifier.make_request(self._template, kind=Kind.CROSS_DEVICE, maker="") for _ in range(count)]
        self._asked += [one.id for one in made]
        return [self._answer(one.transaction) for one in made]

    def _answer(self, transaction: Transaction) -> tuple[str, bytes]:
        shown = build_presentation(
            self._token,
            disclosures=self._disclosures,
            signer=self._holder,
            audience=transaction.client_id,
            nonce=transaction.nonce,
            now=utc_now(),
        )
        key = transaction.encryption_key
        if key is None:
            raise RuntimeError("the verifier asks for answers in clear")
        members = {"vp_token": {"certificate": [shown]}, "state": transaction.state}
        answer = encrypt_jwe(
            strict_json.dumps(members),
            recipient_jwk=public_part(key),
            alg="ECDH-ES",
            enc="A256GCM",
            header={"kid": key["kid"]},
        )
        return urlsplit(transaction.response_uri).path, urlencode({"response": answer}).encode()

    def walk(self, server: Served) -> float:
        """One whole presentation; the seconds that the five requests took. The answer is made before its clock runs."""
        wanted = json.dumps({"template": self._template.name, "return_url": _BACK}).encode()
        made, seconds = self._timed(server, "POST", "/api/requests", wanted, self._program | _JSON)
        transaction = self._verifier.result(made["id"]).transaction
        start = time.perf_counter()
        server.request("POST", urlsplit(transaction.request_uri).path, b"", _FORM)
        seconds += time.perf_counter() - start
        told, more = self._timed(server, "POST", *self._answer(transaction), _FORM)
        seconds += more
        (code,) = parse_qs(urlsplit(told["redirect_uri"]).query)["response_code"]
        back = json.dumps({"response_code": code}).encode()
        _, more = self._timed(server, "POST", "/api/returns", back, self._program | _JSON)
        seconds += more
        result, more = self._timed(server, "GET", f"/api/requests/{made['id']}", None, self._program)
        if result["accepted"] is not True:
            raise RuntimeError("an answer was not accepted")
        return seconds + more

    def _timed(
        self, server: Served, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[dict[str, Any], float]:
        start = time.perf_counter()
        answer = server.request(method, path, body, headers)
        return json.loads(answer), time.perf_counter() - start

    def check(self) -> None:
        """Every answer was accepted, with every check made; otherwise the figure would mean nothing."""
        if not all(self._verifier.result(request_id).is_accepted for request_id in self._asked):
            raise RuntimeError("an answer was not accepted")


class _Lists:
    """The address of a status list, and its token."""

    url = ""
    token = ""


@contextmanager
def _status_lists() -> Iterator[_Lists]:
    """Serve one status list on loopback, as the issuer would."""
    lists = _Lists()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = lists.token.encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/statuslist+jwt")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    lists.url = f"http://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield lists
    finally:
        server.shutdown()
        server.server_close()
