"""What one issuance under HAIP costs the issuer by the authorization code flow: pushed request, token, nonce,
credential and notification, with client attestation at both endpoints of the authorization server and DPoP at every one
that takes it. The person's decision in between is written beside the running issuer, as its pages do.

The issuer runs as its own process through the installed command: SQLite on disk with every commit synced, everything
on. The references are an empty asynchronous endpoint in another process, asked in turn with it, and the raw signatures
that one such issuance makes and checks, timed in turn with it as well. The reaches are our own: what was measured
first, rounded up, so that a change for the worse is seen.
"""

import json
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

from bench.flows import Beside, RawSignatures
from bench.issuance import achievement
from bench.measure import Figure
from bench.served import Served
from issuer.cli_settings import settings_for
from issuer.offers import draft_offer
from issuer.store import open_store
from proofs import pkce
from proofs.certified_keys import create_certified_key
from proofs.client_attestation import make_attestation, make_attestation_proof
from proofs.dpop import make_dpop_proof
from proofs.keys import generate_signer
from proofs.proof_of_possession import make_proof
from schemas.types import CREDENTIAL_TYPES
from service.clock import utc_now
from service.sessions import new_cookie
from service.single_use import StampedNonces

FLOWS_PER_ROUND = 30
EMPTY_PER_FLOW = 10
CHECKED, SIGNED = 8, 1
"""Signatures in one flow: two attestations, their two proofs, three DPoP proofs and a key proof are checked, one copy
is signed. Certificate chains are checked once and remembered."""
REACH = 60.0
RAW_REACH = 18.0
"""Set anew when the signatures came to be those counted in the services, in CPU time on both sides."""

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_JSON = {"Content-Type": "application/json"}
_BACK = "https://wallet.example/fetched"


def figures(rounds: int) -> list[Figure]:
    """Measure in so many interleaved rounds."""
    with tempfile.TemporaryDirectory() as directory:
        data, wallet = Path(directory) / "issuer", _Wallet(Path(directory))
        with (
            Served.command(
                "intyga-issuer", "serve", "--port", "0", "--data", str(data), environment=wallet.environment
            ) as issuer,
            Served.empty() as empty,
        ):
            desk = _Desk(issuer, data, wallet)
            desk.fetch()
            beside = Beside([issuer], empty, RawSignatures(checked=CHECKED, signed=SIGNED))
            measured = beside.measure(
                lambda count: [desk.fetch] * count,
                rounds=rounds,
                flows=FLOWS_PER_ROUND,
                empty_per_flow=EMPTY_PER_FLOW,
            )
    name = "one whole issuance by authorization code under HAIP"
    return measured.figures(name, reach=REACH, raw_reach=RAW_REACH)


class _Wallet:
    """The wallet's provider and keys, and the file that makes the issuer trust them."""

    def __init__(self, directory: Path) -> None:
        self.provider = create_certified_key(
            directory / "provider",
            name="provider",
            common_name="Provider",
            public_url="https://wallet.example",
            passphrase=b"for a measurement",
            now=utc_now(),
        )
        self.instance, self.token_key, self.holder = (generate_signer() for _ in range(3))
        clients = directory / "clients.toml"
        clients.write_text(
            f'[[attesters]]\nissuer = "https://wallet.example"\nroots = ["{self.provider.root_file}"]\n', "utf-8"
        )
        self.environment = {"ISSUER_HAIP": "true", "ISSUER_CLIENTS_FILE": str(clients)}
        self.attestation = make_attestation(
            signer=self.provider.signer,
            client_id="https://wallet.example",
            issuer="https://wallet.example",
            instance_jwk=self.instance.public_jwk,
            lifetime=timedelta(hours=1),
            now=utc_now(),
        )


class _Desk:
    """The running issuer, its store beside it, and a wallet that fetches one certificate after the other."""

    def __init__(self, issuer: Served, data: Path, wallet: _Wallet) -> None:
        settings = settings_for(data)
        self._issuer, self._wallet = issuer, wallet
        self._identifier = settings.base_url
        self._store = open_store(settings)
        self._nonces = StampedNonces(
            self._store.secret.subkey("client nonce"), purpose="issuer client nonce", lifetime_seconds=300
        )
        self._draft = draft_offer(CREDENTIAL_TYPES["micro-credential"], [achievement()], with_tx_code=False)

    def fetch(self) -> float:
        """Fetch one certificate; the seconds that the five requests took. Proofs are made before the clock runs."""
        verifier = pkce.new_verifier()
        asked = {
            "response_type": "code",
            "redirect_uri": _BACK,
            "scope": "micro-credential",
            "code_challenge": pkce.challenge_of(verifier),
            "code_challenge_method": pkce.METHOD,
        }
        pushed, seconds = self._timed("/par", urlencode(asked).encode(), _FORM | self._attested())
        code = self._allow(pushed["request_uri"])
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, "redirect_uri": _BACK}
        token, more = self._timed("/token", urlencode(form).encode(), _FORM | self._attested() | self._bound("/token"))
        seconds += more
        nonce, more = self._timed("/nonce", b"", {})
        seconds += more
        proof = make_proof(
            signer=self._wallet.holder, audience=self._identifier, nonce=nonce["c_nonce"], issuer=None, now=utc_now()
        )
        request = {"credential_configuration_id": "micro-credential", "proofs": {"jwt": [proof]}}
        access = token["access_token"]
        answer, more = self._timed(
            "/credential", json.dumps(request).encode(), _JSON | self._bound("/credential", access)
        )
        seconds += more
        told = {"notification_id": answer["notification_id"], "event": "credential_accepted"}
        headers = _JSON | self._bound("/notification", access)
        start = time.perf_counter()
        self._issuer.request("POST", "/notification", json.dumps(told).encode(), headers)
        return seconds + time.perf_counter() - start

    def _timed(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[dict[str, str], float]:
        start = time.perf_counter()
        answer = self._issuer.request("POST", path, body, headers)
        return json.loads(answer), time.perf_counter() - start

    def _allow(self, request_uri: str) -> str:
        """What the person does at the pages, in between."""
        browser, now, store = new_cookie(), utc_now(), self._store.authorizations
        opened = store.open(request_uri, client_id="https://wallet.example", browser_key=browser, now=now)
        store.sign_in(opened.id, [self._draft], browser_key=browser, now=now)
        return store.allow(opened.id, [self._draft], browser_key=browser, now=now)[1]

    def _attested(self) -> dict[str, str]:
        proof = make_attestation_proof(
            signer=self._wallet.instance,
            client_id="https://wallet.example",
            audience=self._identifier,
            challenge=self._nonces.new(now=utc_now()),
            now=utc_now(),
        )
        return {"OAuth-Client-Attestation": self._wallet.attestation, "OAuth-Client-Attestation-PoP": proof}

    def _bound(self, path: str, access_token: str | None = None) -> dict[str, str]:
        proof = make_dpop_proof(
            signer=self._wallet.token_key,
            method="POST",
            url=self._identifier + path,
            nonce=self._nonces.new(now=utc_now()),
            access_token=access_token,
            now=utc_now(),
        )
        return {"DPoP": proof, **({"Authorization": f"DPoP {access_token}"} if access_token else {})}
