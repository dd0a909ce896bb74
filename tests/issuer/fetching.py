"""A wallet that fetches: pushed request, the person in a browser, code, token, copies."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import html
from starlette.testclient import TestClient

from issuer.app import create_app
from issuer.settings import IssuerSettings
from issuer.store.results import ImportDraft
from proofs import pkce, strict_json
from proofs.client_attestation import make_attestation, make_attestation_proof
from proofs.dpop import make_dpop_proof
from proofs.keys import SoftwareSigner, generate_signer
from schemas.learning.achievement import Achievement, Identifier, Learner, Record
from service.http import HostRouter, OutgoingHTTP
from tests.issuer.desk import PUBLIC_URL, Desk, StandingClock, achievement
from tests.issuer.provider import CLIENT_ID, ISSUER, Provider
from tests.proofs.authorities import Authority, x5c

WALLET = "https://wallet.example"
BACK = f"{WALLET}/fetched?kept=1"
PROVIDER_NAME = "https://wallet-provider.example"
ELIN = Learner(
    family_name="Sjöberg",
    given_name="Elin",
    identifiers=(Identifier(type="nationalIdentifier", value="19980203-TF12"),),
)


def records(*codes: str, learner: Learner = ELIN) -> tuple[Achievement, ...]:
    """Complete results of one person."""
    return tuple(achievement(code).model_copy(update={"learner": learner}) for code in codes)


@dataclass
class Fetcher:
    """The wallet under attestation, its keys, and the browser of the person who holds it."""

    desk: Desk
    provider: Provider
    attesting: SoftwareSigner
    instance: SoftwareSigner = field(default_factory=generate_signer)
    key: SoftwareSigner = field(default_factory=generate_signer)
    verifier: str = field(default_factory=pkce.new_verifier)
    dpop_nonce: str | None = None

    # --- requests ------------------------------------------------------------------------------------------------

    def attestation(self, **changes: Any) -> str:
        values: dict[str, Any] = {
            "signer": self.attesting,
            "client_id": WALLET,
            "issuer": PROVIDER_NAME,
            "instance_jwk": self.instance.public_jwk,
            "lifetime": timedelta(hours=1),
            "now": self.desk.clock(),
        }
        return make_attestation(**(values | changes))

    def challenge(self) -> str:
        return str(self.desk.client.post(self.desk.url("/challenge")).json()["attestation_challenge"])

    def attested(self, **changes: Any) -> dict[str, str]:
        """The headers of an attested client."""
        values: dict[str, Any] = {
            "signer": self.instance,
            "client_id": WALLET,
            "audience": self.desk.issuer,
            "challenge": self.challenge(),
            "now": self.desk.clock(),
        }
        return {
            "OAuth-Client-Attestation": self.attestation(),
            "OAuth-Client-Attestation-PoP": make_attestation_proof(**(values | changes)),
        }

    def dpop(self, path: str, *, key: SoftwareSigner | None = None, token: str | None = None, **changes: Any) -> str:
        values: dict[str, Any] = {
            "method": "POST",
            "url": self.desk.url(path),
            "nonce": self.dpop_nonce or self.fresh_nonce(),
            "access_token": token,
            "now": self.desk.clock(),
        }
        return make_dpop_proof(signer=key or self.key, **(values | changes))

    def fresh_nonce(self) -> str:
        return str(self.desk.client.post(self.desk.url("/nonce")).headers["DPoP-Nonce"])

    def push(self, *, headers: dict[str, str] | None = None, **form: Any) -> Any:
        """A pushed request; further members replace the usual ones, None leaves one out."""
        usual: dict[str, Any] = {
            "response_type": "code",
            "client_id": WALLET,
            "redirect_uri": BACK,
            "state": "s" * 1_000,
            "scope": "micro-credential",
            "code_challenge": pkce.challenge_of(self.verifier),
            "code_challenge_method": "S256",
            "resource": self.desk.issuer,
        }
        data = {name: value for name, value in (usual | form).items() if value is not None}
        return self.desk.client.post(
            self.desk.url("/par"), data=data, headers=self.attested() if headers is None else headers
        )

    def request_uri(self, **form: Any) -> str:
        answer = self.push(**form)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["request_uri"])

    def ask_token(self, code: str, *, headers: dict[str, str] | None = None, dpop: str | None = "", **form: Any) -> Any:
        usual: dict[str, Any] = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": self.verifier,
            "redirect_uri": BACK,
        }
        return self._token(usual | form, headers, dpop)

    def ask_refresh(
        self, token: str, *, headers: dict[str, str] | None = None, dpop: str | None = "", **form: Any
    ) -> Any:
        return self._token({"grant_type": "refresh_token", "refresh_token": token} | form, headers, dpop)

    def _token(self, form: dict[str, Any], headers: dict[str, str] | None, dpop: str | None) -> Any:
        sent = dict(self.attested() if headers is None else headers)
        if dpop is not None:
            sent["DPoP"] = dpop or self.dpop("/token")
        data = {name: value for name, value in form.items() if value is not None}
        return self.desk.client.post(self.desk.url("/token"), data=data, headers=sent)

    def ask_credential(self, token: str, *, dpop: str | None = "", **members: Any) -> Any:
        headers = {"Authorization": f"DPoP {token}"}
        if dpop is not None:
            headers["DPoP"] = dpop or self.dpop("/credential", token=token)
        request = self.desk.request(**members)
        return self.desk.client.post(self.desk.url("/credential"), json=request, headers=headers)

    # --- the person ----------------------------------------------------------------------------------------------

    def open(self, request_uri: str, *, client_id: str = WALLET, **query: str) -> Any:
        """The browser opens the request."""
        return self.desk.client.get(
            self.desk.url("/authorize"),
            params={"client_id": client_id, "request_uri": request_uri} | query,
            headers={"Accept": "text/html"},
            follow_redirects=False,
        )

    def sign_in(self, opened: Any) -> Any:
        """The person signs in at the provider and comes back, to whatever page that is."""
        assert opened.status_code == 303, opened.text
        brought = self.provider.sign_in(opened.headers["location"])
        return self.come_back(**brought)

    def come_back(self, **query: str) -> Any:
        return self.desk.client.get(self.desk.url("/authorize/callback"), params=query, headers={"Accept": "text/html"})

    def decide(
        self,
        page: Any,
        decision: str = "yes",
        certificates: list[str] | None = None,
        courses: list[str] | None = None,
    ) -> Any:
        """Send the form of a page; what is chosen in it stays chosen unless told."""
        tree: Any = html.fromstring(page.text)
        (form,) = tree.xpath("//form[.//button[@name='decision' and @value]][@id]")[:1]
        chosen = tree.xpath("//input[@name='certificate'][@type='hidden' or @checked]/@value")
        data = {
            "csrf": tree.xpath("//input[@name='csrf']/@value")[0],
            "decision": decision,
            "certificate": chosen if certificates is None else certificates,
            "course": tree.xpath("//input[@name='course'][@checked]/@value") if courses is None else courses,
        }
        origin = self.desk.settings.origin
        return self.desk.client.post(origin + form.get("action"), data=data, headers={"Accept": "text/html"})

    def sent_back(self, page: Any, *, to: str = BACK) -> dict[str, str]:
        """Where the page sends the browser: its query."""
        tree: Any = html.fromstring(page.text)
        (link,) = tree.xpath("//a[@id='back-to-wallet']/@href")
        (refresh,) = tree.xpath("//meta[@http-equiv='refresh']/@content")
        assert refresh == f"0; url={link}"
        assert link.startswith(to)
        return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}

    def allowed(self, **form: Any) -> str:
        """The whole way to a code."""
        page = self.sign_in(self.open(self.request_uri(**form), client_id=form.get("client_id", WALLET)))
        assert page.status_code == 200, page.text
        return self.sent_back(self.decide(page))["code"]

    def token(self, **form: Any) -> Any:
        """The whole way to a token answer."""
        answer = self.ask_token(self.allowed(**form))
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def running_fetcher(directory: Path, *kept: Record, **settings: Any) -> Iterator[Fetcher]:
    """An issuer with these records, where people sign in, and a wallet whose provider it trusts."""
    clock = StandingClock()
    provider = Provider(clock)
    root = Authority("Wallet provider", until=timedelta(days=30))
    key = generate_signer()
    (directory / "root.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    portal = generate_signer()
    (directory / "portal.json").write_bytes(strict_json.dumps({"keys": [portal.public_jwk]}))
    (directory / "clients.toml").write_text(
        f'[[attesters]]\nissuer = "{PROVIDER_NAME}"\nroots = ["root.pem"]\n'
        f'[[clients]]\nclient_id = "portal"\nredirect_uris = ["{BACK}"]\njwks_file = "portal.json"\n'
        f'[[clients]]\nclient_id = "public"\nredirect_uris = ["{BACK}"]\n'
    )
    (directory / "passphrase").write_text("a long enough test passphrase")
    chosen: dict[str, Any] = {
        "data": directory / "data",
        "public_url": PUBLIC_URL,
        "key_passphrase_file": directory / "passphrase",
        "name": "Exempeluniversitetet",
        "name_en": "Example University",
        "status_list_size": 10_000,
        "clients_file": directory / "clients.toml",
        "login_issuer": ISSUER,
        "login_client_id": CLIENT_ID,
        "login_match": "pnr=identifier:nationalIdentifier",
    } | settings
    ready = IssuerSettings.model_validate(chosen)
    http = OutgoingHTTP(transport=HostRouter({"id.example": provider.app()}))
    app = create_app(ready, clock=clock, http=http)
    desk = Desk(ready, TestClient(app, base_url=ready.origin), clock, app.state.issuer)
    draft = ImportDraft("results.json", "json", "0" * 64, (), kept or records("DT4011"))
    with desk.client:
        desk.context.store.results.save_import(draft, now=clock())
        leaf = root.certify(x509.DNSName("wallet-provider.example"), until=timedelta(days=20), signer=key)
        fetcher = Fetcher(desk, provider, key.with_chain(x5c(leaf)))
        desk.keys.append(portal)
        yield fetcher
