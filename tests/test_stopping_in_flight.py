"""The real services are told to stop while a request is half sent: what is under way is finished, answered and kept."""

import asyncio
import http.client
import json
import re
import signal
import urllib.parse
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import httpx2
import pytest

from examples.demo import COURSE, STUDY_RECORD
from examples.services import Services
from proofs.keys import generate_signer
from proofs.proof_of_possession import make_proof
from proofs.trust import entry_from_anchor
from service.http import OutgoingHTTP
from tests.test_stopping import GAVE_UP
from tests.wallet.people import Sharer
from tests.world import WalletSide, World
from wallet.ledger import Outcome

pytestmark = pytest.mark.processes

FORM = "application/x-www-form-urlencoded"


class Answer:
    """One whole answer."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        answer = connection.getresponse()
        self.status, self.body = answer.status, answer.read()
        self.media_type = answer.getheader("Content-Type", "")
        self.cookies = "; ".join(line.split(";")[0] for line in answer.msg.get_all("Set-Cookie", []))
        connection.close()


class HalfSent:
    """A request of which the service has everything but the last byte."""

    def __init__(self, url: str, body: str, **headers: str) -> None:
        address = urllib.parse.urlsplit(url)
        assert address.hostname is not None
        self._last = body.encode()[-1:]
        self._connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        self._connection.putrequest("POST", address.path)
        for name, value in {"Content_Type": FORM, "Content-Length": str(len(body.encode())), **headers}.items():
            self._connection.putheader(name.replace("_", "-"), value)
        self._connection.endheaders(body.encode()[:-1])

    def finish(self) -> Answer:
        """Send the rest, and wait for the answer."""
        self._connection.send(self._last)
        return Answer(self._connection)


def ask(url: str, *, method: str = "GET", body: str = "", **headers: str) -> Answer:
    """One whole request."""
    address = urllib.parse.urlsplit(url)
    assert address.hostname is not None
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    target = address.path + (f"?{address.query}" if address.query else "")
    try:
        connection.request(
            method, target, body or None, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        return Answer(connection)
    finally:
        connection.close()


def stopped_meanwhile(services: Services, name: str, half: HalfSent) -> Answer:
    """Tell the service to stop, make sure that it has heard, send the rest: the answer."""
    process = services._processes[name]
    for _ in range(2):  # What came later is answered: the service has begun to read what is half sent.
        ask(f"{services.urls[name]}/health")
    process.send_signal(signal.SIGTERM)
    while _is_listening(services.urls[name]):
        assert process.poll() is None, "the service ended with a request under way"
    answer = half.finish()
    assert process.wait(60) in (0, -signal.SIGTERM)
    said = services.log_of(name).read_text()
    assert GAVE_UP not in said
    assert "Traceback" not in said
    return answer


def _is_listening(url: str) -> bool:
    try:
        ask(f"{url}/health")
    except (OSError, http.client.HTTPException):
        return False
    return True


def test_d26_an_issuance_under_way_is_finished(tmp_path: Path) -> None:
    """The wallet gets its certificate, and after the next start it is one that was collected."""
    with Services(tmp_path, settings={}) as services:
        services.start("issuer", 0)
        url = services.urls["issuer"]
        offered = ("issuer", "offer", "--type", "micro-credential", "--from", str(STUDY_RECORD), "--course", COURSE)
        ((offer,), now) = (services.command(*offered, "--by-value"), datetime.now(UTC))
        (value,) = urllib.parse.parse_qs(urllib.parse.urlsplit(offer["offer"]).query)["credential_offer"]
        ((grant, code),) = json.loads(value)["grants"].items()
        form = urllib.parse.urlencode({"grant_type": grant, "pre-authorized_code": code["pre-authorized_code"]})
        token = json.loads(ask(f"{url}/token", method="POST", body=form, Content_Type=FORM).body)["access_token"]
        nonce = json.loads(ask(f"{url}/nonce", method="POST").body)["c_nonce"]
        proof = make_proof(signer=generate_signer(), audience=url, nonce=nonce, issuer=None, now=now)
        asked = json.dumps({"credential_configuration_id": "micro-credential", "proofs": {"jwt": [proof]}})
        bearer = {"Authorization": f"Bearer {token}", "Content_Type": "application/json"}

        answer = stopped_meanwhile(services, "issuer", HalfSent(f"{url}/credential", asked, **bearer))

        assert answer.status == 200, answer.body
        assert len(json.loads(answer.body)["credentials"]) == 1
        (certificate,) = services.command("issuer", "list")["certificates"]
        assert certificate["copies"] == 1


class Loopback(World):
    """A world whose wallet may go to services on this machine."""

    def http(self) -> OutgoingHTTP:
        return OutgoingHTTP(transport=self.network, allow_loopback=True)

    @cached_property
    def wallet(self) -> WalletSide:
        side = self.wallet_at("wallet.example", allow_loopback=True)
        side.trust(self.university.trust_entry)
        return side


class ToTheVerifier(httpx2.AsyncBaseTransport):
    """The way of a wallet to a real verifier, which is told to stop while the wallet's answer is on it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url, body = str(request.url), (await request.aread()).decode()
        if "/response/" in url:
            half = HalfSent(url, body, Content_Type=request.headers["content-type"])
            answer = await asyncio.to_thread(stopped_meanwhile, self._services, "verifier", half)
            return httpx2.Response(answer.status, headers={"Content-Type": answer.media_type}, content=answer.body)
        async with httpx2.AsyncHTTPTransport() as real:
            found = await real.handle_async_request(request)
            return httpx2.Response(found.status_code, headers=found.headers, content=await found.aread())


@pytest.mark.anyio
async def test_d26_a_share_under_way_arrives(tmp_path: Path) -> None:
    """The wallet is told that its answer arrived and writes the receipt; after the stop the result stands."""
    world = Loopback(tmp_path)
    world.clock.now = datetime.now(UTC)
    with Services(tmp_path, settings={}) as services:
        services.start("verifier", 0)
        world.network.apps[urllib.parse.urlsplit(services.urls["verifier"]).netloc] = ToTheVerifier(services)  # type: ignore[assignment]
        (root,) = (services.data / "verifier" / "keys").glob("*.root.pem")
        world.wallet.trust(entry_from_anchor(root.read_bytes(), name=None, role="verifier"))
        made = services.command("verifier", "request", "--template", "employer-micro-credential")
        sharer = await Sharer.with_certificate(world)
        share = await sharer.begin(made["request"])

        delivery = await sharer.approve(share)

        assert delivery.state.value == "delivered"
        assert sharer.entry(share).outcome is Outcome.SHARED
        assert services.command("verifier", "result", made["id"])["state"] == "answered"
    world.close()


def test_d26_a_vault_under_way_is_made(tmp_path: Path) -> None:
    """The person is let in, and after the next start the vault is there and opens."""
    with Services(tmp_path, settings={}) as services:
        services.start("wallet", 0)
        url = services.urls["wallet"]
        fields = {"name": "alva", "passphrase": "a long and quiet passphrase"}

        def form_of(path: str) -> tuple[str, dict[str, str]]:
            page = ask(f"{url}{path}", Accept="text/html")
            (csrf, *_) = re.findall(r'name="csrf" value="([^"]+)"', page.body.decode())
            return urllib.parse.urlencode({"csrf": csrf, **fields}), {"Cookie": page.cookies, "Accept": "text/html"}

        body, headers = form_of("/welcome")
        answer = stopped_meanwhile(services, "wallet", HalfSent(f"{url}/welcome", body, **headers))

        assert answer.status == 303, answer.body
        assert answer.cookies
        services.start("wallet", urllib.parse.urlsplit(url).port or 0)
        body, headers = form_of("/unlock")
        opened = ask(f"{url}/unlock", method="POST", body=body, Content_Type=FORM, **headers)
        assert opened.status == 303, opened.body
