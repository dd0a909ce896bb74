"""kill -9 of the issuer, again and again, while people collect (durability D01, D02, D03).

Each wallet stores its keys first, and takes up where it was when an answer does not come. What it was told is compared
with what the database holds in the end.
"""

import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from issuer.offers import Offer, draft_offer
from issuer.settings import IssuerSettings
from issuer.store import IssuerStore, open_store
from proofs.formats.sd_jwt import parse_sd_jwt
from proofs.keys import SoftwareSigner, generate_signer
from proofs.proof_of_possession import make_proof
from schemas.issuance import PRE_AUTHORIZED_CODE_GRANT
from schemas.types import CREDENTIAL_TYPES
from service.clock import utc_now
from service.commands import patiently
from tests.issuer.desk import achievement

pytestmark = pytest.mark.processes
PROGRAM = str(Path(sys.executable).with_name("intyga-issuer"))
KILLS, PEOPLE, COPIES = 3, 4, 3
PATIENCE_SECONDS = 60
Slot = tuple[str, int]


@dataclass
class MortalIssuer:
    """`intyga-issuer serve` on one data directory and port, killed and started again."""

    settings: IssuerSettings
    process: subprocess.Popen[bytes] | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        port = str(self.settings.port)
        with (self.settings.data.parent / "log").open("ab") as log:
            command = [PROGRAM, "serve", "--port", port, "--data", str(self.settings.data)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.answer("GET", "/ready") is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def kill(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def answer(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> Any:
        """Status and JSON, or None when no answer came (which may have been on its way)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.port, timeout=10)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()


class Person:
    """Somebody whose wallet collects one certificate after another, until told to stop."""

    def __init__(self, issuer: MortalIssuer, store: IssuerStore) -> None:
        self.issuer = issuer
        self.store = store
        self.told: dict[str, dict[str, set[Slot]]] = {}
        """By offer, then by key: the slots of the copies that arrived."""
        self.refusals: list[Any] = []

    def live(self) -> None:
        while not self.issuer.ended.is_set() and not self.refusals:
            draft = draft_offer(CREDENTIAL_TYPES["micro-credential"], [achievement()], with_tx_code=False)
            (offer,) = patiently(lambda draft=draft: self.store.offers.create([draft], now=utc_now()))  # type: ignore[misc]
            self.collect(offer, [generate_signer() for _ in range(COPIES)])
        self.store.close()

    def collect(self, offer: Offer, keys: list[SoftwareSigner]) -> None:
        token = None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            token = token or self.token(offer)
            if token is None:
                offer = self.again(offer)
                continue
            answer = self.ask(token, keys)
            if answer is None or answer[0] == 503:
                time.sleep(0.05)
            elif answer[0] != 200:
                self.refusals.append(answer)
                return
            else:
                slots = [slot(item["credential"]) for item in answer[1]["credentials"]]
                arrived = self.told.setdefault(offer.id, {})
                for key, one in zip(keys, slots, strict=True):
                    arrived.setdefault(key.kid, set()).add(one)
                if random.random() < 0.5:  # Sometimes a wallet asks again, as if it had lost the answer.
                    return
        self.refusals.append("never collected")

    def token(self, offer: Offer) -> str | None:
        code = self.store.secret.pre_authorized_code(offer.id, offer.generation)
        form = urlencode({"grant_type": PRE_AUTHORIZED_CODE_GRANT, "pre-authorized_code": code})
        answer = self.issuer.answer("POST", "/token", form, {"Content-Type": "application/x-www-form-urlencoded"})
        return answer[1]["access_token"] if answer is not None and answer[0] == 200 else None

    def again(self, offer: Offer) -> Offer:
        """A token whose answer was lost cannot be asked for again: the offer is offered again (DESIGN 4.3)."""
        time.sleep(0.05)
        now = patiently(lambda: self.store.offers.get(offer.id, now=utc_now()))
        return now if now.is_open else patiently(lambda: self.store.offers.offer_again(offer.id, now=utc_now()))

    def ask(self, token: str, keys: list[SoftwareSigner]) -> Any:
        answer = self.issuer.answer("POST", "/nonce")
        if answer is None:
            return None
        audience, nonce = self.issuer.settings.base_url, answer[1]["c_nonce"]
        proofs = [make_proof(signer=key, audience=audience, nonce=nonce, issuer=None, now=utc_now()) for key in keys]
        request = {"credential_configuration_id": "micro-credential", "proofs": {"jwt": proofs}}
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return self.issuer.answer("POST", "/credential", json.dumps(request), headers)


def slot(credential: str) -> Slot:
    """Where the status of a copy stands."""
    entry = parse_sd_jwt(credential).claims["status"]["status_list"]
    return entry["uri"], entry["idx"]


def test_d01_d02_d03_every_grant_ends_as_one_certificate_however_often_the_issuer_dies(tmp_path: Path) -> None:
    """Wallets come to an end in spite of every kill; no copy ever has two slots, and no slot two copies."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    issuer = MortalIssuer(IssuerSettings(data=tmp_path / "data", port=port))
    issuer.start()
    people = [Person(issuer, open_store(issuer.settings)) for _ in range(PEOPLE)]
    threads = [threading.Thread(target=person.live) for person in people]
    for thread in threads:
        thread.start()
    try:
        for _ in range(KILLS):
            time.sleep(random.uniform(0.05, 0.5))
            issuer.kill()
            issuer.start()
    finally:
        issuer.ended.set()
        for thread in threads:
            thread.join()
        issuer.kill()

    assert [person.refusals for person in people] == [[]] * PEOPLE
    told = {offer: keys for person in people for offer, keys in person.told.items()}
    assert len(told) > KILLS
    with sqlite3.connect(issuer.settings.database) as database:
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
        offers = database.execute("select id, state, copies, batches_left from offers").fetchall()
        slots = database.execute("select offer_id, list_id, idx from slots").fetchall()
    assert len({taken[1:] for taken in slots}) == len(slots)
    for offer, state, copies, batches_left in offers:
        assert (state, copies, batches_left) == ("collected", COPIES, 2)
        assert all(len(of_key) == 1 for of_key in told[offer].values()), "one slot for each key, however often asked"
        arrived = {one for of_key in told[offer].values() for one in of_key}
        assert arrived == {(issuer.settings.url(f"/status/{lst}"), i) for o, lst, i in slots if o == offer}
