"""The wallet as a real process, killed with -9 while its answer is on the way (CS-27, durability D04)."""

import json
import secrets
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest

from examples.services import Services
from tests.wallet.terminal import PROGRAM, Terminal
from tests.world import STUDY_RECORD

pytestmark = pytest.mark.processes


class Silent:
    """A recipient that takes an answer and never says anything. `arrived` is set when the answer is there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.arrived = threading.Event()
        self.leave = threading.Event()
        self.bodies: list[bytes] = []

    def link(self) -> str:
        """A request by value for a name."""
        query = {
            "credentials": [
                {
                    "id": "a",
                    "format": "dc+sd-jwt",
                    "meta": {"vct_values": ["urn:intyga:credential:micro-credential:1"]},
                    "claims": [{"path": ["family_name"]}],
                }
            ]
        }
        members = {
            "client_id": f"redirect_uri:{self.url}",
            "response_type": "vp_token",
            "response_mode": "direct_post",
            "nonce": secrets.token_urlsafe(24),
            "dcql_query": json.dumps(query),
        }
        return f"openid4vp://?{urlencode(members)}"


@contextmanager
def silent_recipient() -> Iterator[Silent]:
    """A recipient on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        """Reads the answer, and waits."""

        def do_POST(self) -> None:
            """Take an answer."""
            silent.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            silent.arrived.set()
            silent.leave.wait(60)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing here either."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    silent = Silent(f"http://localhost:{server.server_address[1]}/response")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield silent
    finally:
        silent.leave.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal with one certificate in its wallet."""
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("fyra ord utan samband\n", encoding="utf-8")
    settings = {"WALLET_PASSPHRASE_FILE": str(passphrase), "ISSUER_STATUS_LIST_SIZE": "1000"}
    with Services(tmp_path, settings=settings) as running:
        running.start("issuer", 0)
        terminal = Terminal(tmp_path / "wallet", dict(running._environment))
        made = running.command("issuer", "offer", "--from", str(STUDY_RECORD))
        terminal.json("receive", made[0]["offer"], "--accept-unknown")
        yield terminal


def test_killed_while_sending_the_outcome_is_unknown_and_the_copy_is_gone(terminal: Terminal) -> None:
    """Decision, history and copy were written before anything was sent: after the kill nothing pretends otherwise."""
    with silent_recipient() as recipient:
        link = recipient.link()
        process = subprocess.Popen(
            [PROGRAM, "present", link, "--approve", "--data", str(terminal.data)],
            env=terminal.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert recipient.arrived.wait(60)
        finally:
            process.kill()
            process.wait()

        (share, *_) = terminal.json("ledger")["entries"]
        assert (share["outcome"], share["shared"]) == ("unknown", ["Family name"])
        assert share["receipt"] is not None
        assert terminal.json("list")[0]["copies_left"] == 9
        # The same request is not answered a second time, with the same copy or another.
        assert terminal.error("present", link, "--approve") == "already_answered"
        assert terminal.json("list")[0]["copies_left"] == 9
        assert len(recipient.bodies) == 1
