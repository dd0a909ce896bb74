"""What a whole application for an internship costs issuer and verifier: asked, fetched, shared, found eligible.

One journey: the receiver asks by the built-in template `internship` over the verifier's interface for programs; the
wallet opens the request and lacks two of three certificates; both are fetched by one authorization code under HAIP
(pushed request, PKCE, DPoP, client attestation, the person's sign-in and one yes on the issuer's own pages, a batch of
ten copies of each, notifications); the answer is shared and its receipt counter-signed; the receiver reads "eligible".

Issuer and verifier run as processes of their own through the installed commands: SQLite on disk with every commit
synced, everything on. Only their CPU time is counted. The wallet is the wallet's own code, here; the person's browser
is a plain client that loads pages without their pictures and style sheets; people sign in at a real OpenID Connect
provider in a further process. Each journey is that of another person, whose vault and record of a course are made
before. Journeys per second are those of one person after the other, with the time that wallet and provider take.

The references are an empty asynchronous endpoint in another process, asked in turn with the journeys, and the raw
signatures that issuer and verifier check and make in one journey, timed in turn as well. The reaches are our own: what
was measured first with some room, so that a change for the worse is seen.
"""

import asyncio
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
from lxml import html

from bench.flows import Beside, Flow, RawSignatures
from bench.issuance import achievement
from bench.measure import Figure
from bench.served import Served
from issuer.cli_settings import settings_for as issuer_settings
from issuer.context import IssuerContext, open_context
from issuer.offers import draft_offer
from issuer.profiles import load_profile
from issuer.results import Limits, read_results
from issuer.store.results import ImportDraft
from proofs.trust import entry_from_anchor
from schemas.presentation import parse_link
from schemas.types import CREDENTIAL_TYPES
from service.clock import utc_now
from service.http import OutgoingHTTP
from verifier.cli import open_accounts
from verifier.cli_settings import open_verifier
from verifier.client import VerifierClient
from wallet.collection import Stage
from wallet.delivery import DeliveryState
from wallet.deployment import Deployment
from wallet.links import read_arrival
from wallet.requests import CameBy
from wallet.settings import WalletSettings
from wallet.sharing import Sharing
from wallet.trusted import source_of_entry
from wallet.vault import UnlockedVault

JOURNEYS_PER_ROUND = 3
EMPTY_PER_JOURNEY = 100
CHECKED, SIGNED = 38, 23
"""ES256 signatures in one journey. The issuer checks 30 (two attestations, their two proofs, the DPoP proofs of the
token and at each certificate, ten key proofs for each) and makes 20 (ten copies each); the verifier checks 8 (three
certificates, their three key bindings, the receipt and what hands it in) and makes 3 (the request, once more when the
person is back from the source, and the counter-signature). The ID token of the provider is RSA and comes on top; chains
of certificates are checked once and remembered."""
REACH = 800.0
RAW_REACH = 40.0

_FETCHED = ("registration-certificate", "target-group-certificate")
_HELD = "micro-credential"
_WALLET = "https://wallet.example"
_PASSPHRASE = "four words without a bond"
_DATA = Path(__file__).parents[1] / "examples" / "data"
_STATEMENTS = (_DATA / "job-seekers.csv", _DATA / "target-group.csv")
_PROFILE = _DATA / "employment-service-profile.toml"
_PERSON = {
    "sub": "elin",
    "password": _PASSPHRASE,
    "birthdate": "1998-04-23",
    "given_name": "Elin Maria",
    "family_name": "Sjöberg",
}
_CLIENT, _SECRET = "employment-service", secrets.token_urlsafe(32)
_MATCH = "birthdate=birth_date,given_name=given_name,family_name=family_name"


def figures(rounds: int) -> list[Figure]:
    """Measure in so many interleaved rounds."""
    with tempfile.TemporaryDirectory() as directory, _stage(Path(directory)) as stage, Served.empty() as empty:
        for walk in stage.prepare(1):
            walk()
        beside = Beside([stage.issuer, stage.verifier], empty, RawSignatures(checked=CHECKED, signed=SIGNED))
        measured = beside.measure(
            stage.prepare, rounds=rounds, flows=JOURNEYS_PER_ROUND, empty_per_flow=EMPTY_PER_JOURNEY
        )
    name = "the target-group journey: asked, two certificates fetched under HAIP, shared, eligible"
    return measured.figures(name, reach=REACH, raw_reach=RAW_REACH)


@dataclass
class _Stage:
    """The running services, the wallet, and who walks."""

    issuer: Served
    verifier: Served
    runner: asyncio.Runner
    wallet: Deployment
    desk: IssuerContext
    receiver: VerifierClient
    people: int = 0

    def prepare(self, count: int) -> Sequence[Flow]:
        """The journeys of so many new people, each with a vault that holds the record of a course."""
        return [partial(self._walk, self.runner.run(self._applicant())) for _ in range(count)]

    async def _applicant(self) -> UnlockedVault:
        self.people += 1
        vault = await self.wallet.create(f"Elin {self.people}", _PASSPHRASE, language="en")
        draft = draft_offer(CREDENTIAL_TYPES[_HELD], [achievement()], with_tx_code=False)
        (offer,) = self.desk.store.offers.create([draft], now=utc_now())
        arrival = read_arrival(self.desk.links_of(offer).offer, allow_loopback=True)
        collection = await self.wallet.collect(vault, await self.wallet.look_at(vault, arrival), tx_code=None)
        _require(collection.stage is Stage.DONE, "the record of the course was not collected")
        return vault

    def _walk(self, vault: UnlockedVault) -> float:
        start = time.perf_counter()
        self.runner.run(self._journey(vault))
        return time.perf_counter() - start

    async def _journey(self, vault: UnlockedVault) -> None:
        # 1. The receiver asks, the wallet opens the request, and two certificates are missing.
        sharing = Sharing(self.wallet)
        asked = await self.receiver.make_request("internship")
        share_id = await sharing.begin(vault, parse_link(asked.request), came_by=CameBy.LINK)
        _require(
            len(sharing.decision(vault, share_id, language="en").lacks) == len(_FETCHED), "nothing had to be fetched"
        )

        # 2. Both are fetched where the person signs in, with one yes.
        with httpx2.Client(follow_redirects=True, headers={"Accept": "text/html"}) as browser:
            await self._fetch(vault, browser, share_id)

        # 3. The person comes back to the very same request, and shares.
        decision = sharing.decision(vault, share_id, language="en")
        delivery = await sharing.approve(
            vault, share_id, language="en", approved_digest=decision.digest, passphrase=_PASSPHRASE
        )
        _require(delivery.state is DeliveryState.DELIVERED, f"the answer was {delivery.state.value}")

        # 4. The receiver learns one word.
        result = await self.receiver.wait_for_result(asked.id, seconds=30)
        answer = (result.document["eligibility"] or {}).get("answer")
        _require(result.accepted and answer == "eligible", f"found {answer}: {result.failed} {result.unknown}")

    async def _fetch(self, vault: UnlockedVault, browser: httpx2.Client, share_id: str) -> None:
        vcts = [CREDENTIAL_TYPES[name].vct for name in _FETCHED]
        collection_id = await self.wallet.look_for(vault, self.desk.issuer, *vcts, for_share=share_id)
        begun = await self.wallet.begin_sign_in(vault, collection_id)
        _require(begun.stage is Stage.AUTHORIZING, f"the sign-in did not begin: {begun.problem}")
        brought = await asyncio.to_thread(_sign_in_and_allow, browser, begun.sign_in_url)
        await self.wallet.come_back(vault, brought)
        fetched = self.wallet.collection(vault, collection_id)
        _require(
            fetched.stage is Stage.DONE and len(fetched.stored_ids) == len(_FETCHED),
            f"not all was fetched: {fetched.problem}",
        )
        self.wallet.put_away(vault, collection_id)


def _sign_in_and_allow(browser: httpx2.Client, address: str) -> dict[str, str]:
    """What the person does at provider and issuer; the query that the browser brings back to the wallet."""
    page = browser.get(address)
    tree: Any = html.fromstring(page.text)
    if tree.xpath("//input[@name='username']"):
        signed = dict(tree.forms[0].form_values()) | {"username": _PERSON["sub"], "password": _PERSON["password"]}
        page = browser.post(str(page.url), data=signed)
        tree = html.fromstring(page.text)
    _require(bool(tree.xpath("//form[@id='decide-form']")), "the source had nothing to allow")
    allowed = {
        "csrf": tree.xpath("//input[@name='csrf']/@value")[0],
        "decision": "yes",
        "certificate": tree.xpath("//input[@name='certificate']/@value"),
    }
    form = urljoin(str(page.url), tree.xpath("//form[@id='decide-form']/@action")[0])
    done: Any = html.fromstring(browser.post(form, data=allowed).text)
    (link,) = done.xpath("//a[@id='back-to-wallet']/@href")
    return {name: values[0] for name, values in parse_qs(urlsplit(str(link)).query).items()}


@contextmanager
def _stage(directory: Path) -> Iterator[_Stage]:
    """Start everything, and make all trust whom they have to."""
    data = {name: directory / name for name in ("issuer", "wallet", "verifier")}
    with ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner())
        wallet = Deployment(
            WalletSettings(data=data["wallet"], public_url=_WALLET, allow_loopback=True),
            http=OutgoingHTTP(allow_loopback=True),
            clock=utc_now,
        )
        stack.callback(wallet.database.close)
        stack.callback(lambda: runner.run(wallet.http.close()))
        provider = stack.enter_context(Served.sign_in(_PERSON, directory))
        environment = _issuer_environment(directory, wallet, provider)
        issuer = stack.enter_context(
            Served.command(
                "intyga-issuer", "serve", "--port", "0", "--data", str(data["issuer"]), environment=environment
            )
        )
        verifier = stack.enter_context(
            Served.command(
                "intyga-verifier", "serve", "--port", "0", "--data", str(data["verifier"]),
                environment={"VERIFIER_ALLOW_LOOPBACK": "true"},
            )
        )  # fmt: skip
        desk = open_context(issuer_settings(data["issuer"]), clock=utc_now)
        redirect_uri = f"{desk.issuer}/authorize/callback"
        provider.register_client({"client_id": _CLIENT, "client_secret": _SECRET, "redirect_uri": redirect_uri})
        stack.callback(desk.store.close)
        _keep_statements(desk)
        _trust(wallet, desk, data["verifier"])
        _, key = runner.run(open_accounts(data["verifier"]).new_api_key("measurement", now=utc_now()))
        receiver = VerifierClient(f"http://localhost:{verifier.port}", api_key=key, allow_loopback=True)
        stack.callback(lambda: runner.run(receiver.close()))
        yield _Stage(issuer, verifier, runner, wallet, desk, receiver)


def _issuer_environment(directory: Path, wallet: Deployment, provider: Served) -> Mapping[str, str]:
    """HAIP, the wallet's provider as one that may vouch for wallets, and where people sign in."""
    clients, secret = directory / "clients.toml", directory / "login-secret"
    clients.write_text(
        f'[[attesters]]\nissuer = "{wallet.provider.client_id}"\nroots = ["{wallet.provider.root_file.resolve()}"]\n'
    )
    secret.write_text(f"{_SECRET}\n")
    return {
        "ISSUER_ALLOW_LOOPBACK": "true",
        "ISSUER_HAIP": "true",
        "ISSUER_PROFILE_FILE": str(_PROFILE),
        "ISSUER_CLIENTS_FILE": str(clients),
        "ISSUER_LOGIN_ISSUER": f"http://127.0.0.1:{provider.port}",
        "ISSUER_LOGIN_CLIENT_ID": _CLIENT,
        "ISSUER_LOGIN_CLIENT_SECRET_FILE": str(secret),
        "ISSUER_LOGIN_MATCH": _MATCH,
    }


def _keep_statements(desk: IssuerContext) -> None:
    """Have the issuer keep what the employment service states."""
    now = utc_now()
    for file in _STATEMENTS:
        results = read_results(
            file.read_bytes(),
            file.name,
            profile=load_profile(_PROFILE),
            limits=Limits(),
            today=desk.settings.day_of(now),
        )
        draft = ImportDraft(file.name, results.source.value, results.sha256, (), tuple(results.records))
        desk.store.results.save_import(draft, now=now)


def _trust(wallet: Deployment, desk: IssuerContext, verifier_data: Path) -> None:
    """The wallet knows the issuer, its address and the receiver; the receiver knows the issuer."""
    assert desk.key.root_file is not None
    issuer = entry_from_anchor(desk.key.root_file.read_bytes(), name=None, role="issuer")
    types = tuple(CREDENTIAL_TYPES[name].vct for name in (*_FETCHED, _HELD))
    (root,) = verifier_data.rglob("*.root.pem")
    receiver = entry_from_anchor(root.read_bytes(), name=None, role="verifier")
    with wallet.database.transaction() as connection:
        for entry in (replace(issuer, identifier=desk.issuer, types=types), receiver):
            wallet.trust_store.put(connection, source_of_entry(entry))
    open_verifier(verifier_data).trust.add_entry(issuer, now=utc_now())


def _require(holds: bool, otherwise: str) -> None:
    """A journey that went another way must not become a figure."""
    if not holds:
        raise RuntimeError(otherwise)
