"""One deployment under the HAIP switch: issuer, wallet and verifier, from the push to the browser's return.

What HAIP 1.0 demands of issuer and verifier is shown twice: by the walk that succeeds, and by its refusal when one
member of one message is missing or of another kind while everything else is in order. Sections in the docstrings are
those of HAIP 1.0.
"""

import html as entities
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.testclient import TestClient

from proofs import strict_json
from proofs.certificate_form import read_pem_anchors
from proofs.certificates import unverified_leaf, verify_chain
from proofs.client_attestation import ATTESTATION_TYP
from proofs.formats.sd_jwt import parse_sd_jwt, split_sd_jwt
from proofs.jose import parse_jws, read_claims, sign_jws
from proofs.jwe import decrypt_jwe
from proofs.keys import SoftwareSigner, generate_signer
from proofs.trust import entry_from_anchor, entry_from_jwk
from tests.proofs.authorities import Authority, x5c
from tests.verifier.pages.desk import post
from tests.verifier.scene import encrypted
from tests.wallet.people import Sharer
from tests.wallet.test_fetching import VCT, Source, away
from tests.world import World
from verifier.app import create_app
from verifier.exchange import Verifier
from verifier.requests import Kind, OnlySameDevice
from verifier.settings import VerifierSettings
from verifier.store import RequestRecord, State
from wallet.collection import Stage
from wallet.store.certificates import take_copy
from wallet.store.provider import DeploymentProvider

pytestmark = pytest.mark.anyio
FIRM = "https://firm.example"
TEMPLATE = "employer-micro-credential"


@dataclass
class Passed:
    """A request that went over the network, and its answer."""

    request: httpx2.Request
    answer: httpx2.Response

    @property
    def path(self) -> str:
        return self.request.url.path

    @property
    def form(self) -> dict[str, str]:
        """The members of a form; none where something else was sent."""
        is_form = self.request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        return dict(parse_qsl(self.request.content.decode())) if is_form else {}


class Deployment:
    """An issuer and a verifier under HAIP, a wallet, a person, and what passed between them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.other_provider = Authority("Another wallet provider")
        (world.directory / "other.pem").write_bytes(self.other_provider.certificate.public_bytes(Encoding.PEM))
        provider: DeploymentProvider = world.wallet.deployment.provider
        roots = f'["{provider.root_file.resolve()}", "{(world.directory / "other.pem").resolve()}"]'
        self.source = Source(
            world,
            haip=True,
            encryption="required",
            known=f"[[attesters]]\nroots = {roots}\n[[key_attesters]]\nroots = {roots}\n",
        )
        passphrase = world.directory / "firm-passphrase"
        passphrase.write_text("a passphrase for key files in tests\n", encoding="ascii")
        settings = VerifierSettings(
            data=world.directory / "firm",
            public_url=FIRM,
            key_passphrase_file=passphrase,
            name="Exempelbolaget AB",
            contact="dataskydd@firm.example",
            haip=True,
        )
        self.app = create_app(settings, http=world.http(), clock=world.clock)
        world.network.connect("firm.example", self.app)
        self.verifier: Verifier = self.app.state.verifier
        self.verifier.trust.add_entry(self.source.entry, now=world.clock())
        root = next(Path(settings.data).rglob("*.root.pem"))
        self.firm_root = root.read_bytes()
        world.wallet.trust(entry_from_anchor(self.firm_root, name=None, role="verifier"))
        self.passed: list[Passed] = []

    def browser(self) -> TestClient:
        """Somebody's browser at the firm."""
        return TestClient(self.app, base_url=FIRM, headers={"Accept": "text/html", "Accept-Language": "en"})

    def applies(self, browser: TestClient) -> str:
        """Ask at the firm's page; the link to the wallet that it shows."""
        begun = post(browser, f"/share/{TEMPLATE}", {})
        page = browser.get(begun.headers["location"]).text
        (link,) = {entities.unescape(one) for one in re.findall(r'href="(openid4vp://[^"]+)"', page)}
        return link

    def awaited(self) -> RequestRecord:
        """The one request whose answer waits for the browser that asked."""
        (found,) = [
            one
            for one in self.verifier.requests.list_transactions(now=self.world.clock())
            if one.state is State.AWAITING_RETURN
        ]
        return found

    def requests(self) -> list[dict[str, Any]]:
        """What the request objects said that the wallet fetched."""
        fetched = [one for one in self.passed if one.answer.headers.get("content-type", "").endswith("req+jwt")]
        return [strict_json.loads_object(parse_jws(one.answer.text).payload) for one in fetched]

    def to(self, path: str) -> list[Passed]:
        """What was sent to a path of the issuer and answered."""
        return [one for one in self.passed if one.path == path and one.request.url.host == "source.example"]


@pytest.fixture
def deployment(world: World) -> Iterator[Deployment]:
    """The deployment, which writes down what passes."""
    made = Deployment(world)

    def write_down(request: httpx2.Request, answer: httpx2.Response) -> httpx2.Response:
        made.passed.append(Passed(request, answer))
        return answer

    with world.network.changing(write_down):
        yield made
    made.verifier.database.close()


async def fetched(deployment: Deployment) -> tuple[Sharer, Stage]:
    """A person fetches her certificate at the source."""
    sharer = await Sharer.named(deployment.world)
    wallet = deployment.world.wallet.deployment
    collection_id, collection = await away(deployment.world, sharer.vault, deployment.source)
    if collection.stage is Stage.AUTHORIZING:
        await wallet.come_back(sharer.vault, deployment.source.allow(collection.sign_in_url))
    return sharer, wallet.collection(sharer.vault, collection_id).stage


def signed_under(header: dict[str, Any], root: bytes, world: World) -> None:
    """The key comes in `x5c`, whose leaf is not self-signed, and whose root does not travel (4.1, 5, 6.1, 6.1.1)."""
    leaf = unverified_leaf(header["x5c"])
    assert not {"jwk", "jku", "x5u"} & header.keys() or header["typ"] == "statuslist+jwt"
    (anchor,) = read_pem_anchors(root)
    certificates = [x509.load_der_x509_certificate(b64decode(one)) for one in header["x5c"]]
    assert anchor not in [one.public_bytes(Encoding.DER) for one in certificates]
    assert certificates[0].subject != certificates[0].issuer
    assert verify_chain(header["x5c"], anchors=[anchor], now=world.clock()).public_jwk == leaf.public_jwk
    assert header["alg"] == "ES256"


def document(source: Source, path: str) -> Any:
    """What an issuer says of itself, in JSON."""
    return TestClient(source.side.app, base_url=source.side.url).get(path).json()


def held_copies(world: World, sharer: Sharer) -> list[str]:
    """Every copy in the vault, taken out of it and put back."""
    wallet = world.wallet.deployment
    (certificate,) = sharer.vault.certificates()
    copies = []
    with suppress(Rollback), wallet.database.transaction() as connection:
        copies = [take_copy(connection, sharer.vault, certificate.id).token for _ in range(certificate.copies_left)]
        raise Rollback
    return copies


class Rollback(Exception):
    """Nothing was meant to be changed."""


async def test_the_whole_walk_keeps_to_haip(world: World, deployment: Deployment) -> None:
    """Every must of issuer and verifier at once, read from the messages that passed."""
    sharer, stage = await fetched(deployment)
    assert stage is Stage.DONE
    source, root = deployment.source.side, deployment.source.side.context.key.root_file
    assert root is not None

    # 4, 4.3: pushed, with PKCE S256, by scope, authenticated as at the token endpoint; 4.2: `iss` is promised.
    (pushed,) = deployment.to("/par")
    assert (pushed.answer.status_code, pushed.form["scope"]) == (201, "micro-credential")
    assert (pushed.form["code_challenge_method"], "authorization_details" in pushed.form) == ("S256", False)
    (token,) = [one for one in deployment.to("/token") if one.answer.status_code == 200 and "scope" in one.answer.text]
    for one in (pushed, token):  # 4.4.1
        attestation = parse_jws(one.request.headers["oauth-client-attestation"])
        claims = read_claims(attestation)
        assert claims["sub"] == one.form.get("client_id", claims["sub"]) == "https://wallet.example"
        signed_under(attestation.header, deployment.source.attesting.root_file.read_bytes(), world)
    server = document(deployment.source, "/.well-known/oauth-authorization-server")
    assert server["authorization_response_iss_parameter_supported"] is True
    assert server["require_pushed_authorization_requests"] is True
    assert "none" not in server["token_endpoint_auth_methods_supported"]
    assert server["pre-authorized_grant_anonymous_access_supported"] is False
    # 4: sender-constrained tokens, with a nonce of the server.
    assert token.answer.json()["token_type"] == "DPoP"
    assert read_claims(parse_jws(token.request.headers["dpop"]))["nonce"]
    (asked,) = [one for one in deployment.to("/credential") if one.answer.status_code == 200]
    assert asked.request.headers["authorization"].startswith("DPoP ")

    # 4.1: a scope for every configuration, a nonce endpoint, batches said; signed metadata under a certificate.
    metadata = document(deployment.source, "/.well-known/openid-credential-issuer")
    kinds = metadata["credential_configurations_supported"]
    assert len({one["scope"] for one in kinds.values()}) == len(kinds)
    assert metadata["nonce_endpoint"]
    assert metadata["batch_credential_issuance"]
    signed = TestClient(source.app, base_url=source.url).get(
        "/.well-known/openid-credential-issuer", headers={"Accept": "application/jwt"}
    )
    signed_under(parse_jws(signed.text).header, root.read_bytes(), world)

    # 6.1: each copy under a certificate, with `cnf.jwk`, an end, and a status index of its own that nobody can guess.
    copies = held_copies(world, sharer)
    slots = []
    for copy in copies:
        parts = split_sd_jwt(copy)
        signed_under(parts.jws.header, root.read_bytes(), world)
        claims = parse_sd_jwt(copy).claims
        assert claims["cnf"].keys() == {"jwk"}
        assert claims["exp"]
        slots.append((claims["status"]["status_list"]["uri"], claims["status"]["status_list"]["idx"]))
    assert len(set(slots)) == len(copies) == 10
    distances = {later - earlier for (_, earlier), (_, later) in pairwise(slots)}
    assert len(distances) > 1, "they do not follow one another at any fixed distance"
    listed = await world.http().get(slots[0][0], max_bytes=100_000)
    signed_under(parse_jws(listed.body.decode()).header, root.read_bytes(), world)

    # 5, 5.1: signed under a certificate, by hash, encrypted to a key of this request alone, and back to this browser.
    browser = deployment.browser()
    shares = [await sharer.begin(deployment.applies(one)) for one in (deployment.browser(), browser)]
    objects = [one for one in deployment.passed if one.answer.headers.get("content-type", "").endswith("req+jwt")]
    keys = []
    for one in objects:
        jws = parse_jws(one.answer.text)
        request = strict_json.loads_object(jws.payload)
        signed_under(jws.header, deployment.firm_root, world)
        assert request["client_id"] == f"x509_hash:{unverified_leaf(jws.header['x5c']).sha256}"
        assert (request["response_type"], request["response_mode"]) == ("vp_token", "direct_post.jwt")
        described = request["client_metadata"]
        assert set(described["encrypted_response_enc_values_supported"]) == {"A128GCM", "A256GCM"}
        (key,) = described["jwks"]["keys"]
        assert (key["crv"], key["alg"]) == ("P-256", "ECDH-ES")
        keys.append(key["x"])
    assert len(set(keys)) == len(objects) == 2
    delivery = await sharer.approve(shares[1])
    (answered,) = [one for one in deployment.passed if "response" in one.form]
    assert set(answered.form) == {"response"}, "nothing of it in clear"
    assert delivery.redirect_uri is not None
    record = deployment.awaited()
    assert not record.state.is_answered, "it does not count before the browser is back"
    assert 'data-phase="received"' in browser.get(delivery.redirect_uri).text
    assert deployment.verifier.result(record.id).is_accepted


# --- what the issuer refuses ------------------------------------------------------------------------------------------


Change = Callable[[httpx2.Request, Authority], None]


def dropping(*names: str) -> Change:
    """A wallet that leaves out headers."""

    def change(request: httpx2.Request, authority: Authority) -> None:
        for name in names:
            request.headers.pop(name, None)

    return change


def as_bearer(request: httpx2.Request, authority: Authority) -> None:
    """A token that is shown without its key."""
    request.headers["authorization"] = request.headers["authorization"].replace("DPoP ", "Bearer ")
    request.headers.pop("dpop")


def attested_with(chain: Callable[[Authority], SoftwareSigner]) -> Change:
    """The same wallet, vouched for by another trusted provider with this signer."""

    def change(request: httpx2.Request, authority: Authority) -> None:
        claims = read_claims(parse_jws(request.headers["oauth-client-attestation"]))
        signer = chain(authority)
        header = {"x5c": list(signer.x5c)} if signer.x5c else {}
        attestation = sign_jws(claims, signer=signer, typ=ATTESTATION_TYP, header=header)
        request.headers["oauth-client-attestation"] = attestation

    return change


def sound(authority: Authority) -> SoftwareSigner:
    """A leaf under the provider's root, which does not travel."""
    key = generate_signer()
    return key.with_chain(x5c(authority.certify(signer=key)))


def with_root(authority: Authority) -> SoftwareSigner:
    """The same, with the root."""
    key = generate_signer()
    return key.with_chain(x5c(authority.certify(signer=key), authority.certificate))


def self_signed(authority: Authority) -> SoftwareSigner:
    """The root itself."""
    return authority.signer.with_chain(x5c(authority.certificate))


def without_certificate(authority: Authority) -> SoftwareSigner:
    """The root's key alone."""
    return authority.signer


ATTESTATION = ("oauth-client-attestation", "oauth-client-attestation-pop")


REFUSALS = (
    ("/par", dropping(*ATTESTATION), 400, "invalid_client"),
    ("/token", dropping(*ATTESTATION), 400, "invalid_client"),
    ("/token", dropping("dpop"), 400, "invalid_dpop_proof"),
    ("/credential", dropping("dpop"), 401, ""),
    ("/credential", as_bearer, 401, ""),
    ("/par", attested_with(self_signed), 400, "invalid_client"),
    ("/par", attested_with(with_root), 400, "invalid_client"),
    ("/par", attested_with(without_certificate), 400, "invalid_client"),
)


async def test_the_issuer_issues_nothing_where_one_must_is_missing(world: World, deployment: Deployment) -> None:
    """Attested at both endpoints, by a certificate that is not self-signed, bound by DPoP (4, 4.4.1). The other
    provider is taken with a sound certificate, so that it was the certificate that was refused and nothing else."""
    vault, issued = await world.wallet.person(), deployment.source.side.context.store.status
    for path, change, status, error in REFUSALS:

        def meddle(request: httpx2.Request, path: str = path, change: Change = change) -> None:
            if request.url.path == path and request.url.host == "source.example":
                change(request, deployment.other_provider)

        with world.network.answering(meddle):
            _, stage = await fetched(deployment)

        assert stage is not Stage.DONE, (path, change)
        refusal = deployment.to(path)[-1].answer
        assert refusal.status_code == status, (path, change)
        assert not error or refusal.json()["error"] == error, (path, change)
    assert vault.certificates() == []
    assert issued.list_issued(limit=10) == []

    signer = sound(deployment.other_provider)
    soundly = attested_with(lambda _: signer)

    def by_the_other(request: httpx2.Request) -> None:
        if "oauth-client-attestation" in request.headers:
            soundly(request, deployment.other_provider)

    with world.network.answering(by_the_other):
        assert (await fetched(deployment))[1] is Stage.DONE


async def test_what_was_not_pushed_is_not_opened(world: World, deployment: Deployment) -> None:
    """All of a request in the browser's address: nobody is sent to sign in (4: PAR wherever people authorize)."""
    sharer = await Sharer.named(world)
    _, collection = await away(world, sharer.vault, deployment.source)
    (pushed,) = deployment.to("/par")

    opened = deployment.source.browser.get("/authorize", params=pushed.form, follow_redirects=False)

    assert opened.status_code == 400
    assert deployment.source.allow(collection.sign_in_url)["iss"] == deployment.source.side.url, "the pushed one is"


# --- what the verifier refuses ----------------------------------------------------------------------------------------


async def test_an_answer_that_is_not_encrypted_to_this_request_is_refused(world: World, deployment: Deployment) -> None:
    """The very answer of the wallet, in clear or to the key of another request; as it came it is taken (5, 5.1)."""
    sharer, _ = await fetched(deployment)
    browser = deployment.browser()
    await sharer.begin(deployment.applies(browser))
    share_id = await sharer.begin(deployment.applies(browser))
    other, mine = deployment.requests()
    held: list[bytes] = []

    def hold(request: httpx2.Request) -> httpx2.Response | None:
        if str(request.url) != mine["response_uri"]:
            return None
        held.append(request.content)
        return httpx2.Response(503)

    with world.network.answering(hold):
        await sharer.approve(share_id)
    (whole,) = {dict(parse_qsl(one.decode()))["response"] for one in held}
    pending = deployment.verifier.requests.pending(mine["response_uri"].rpartition("/")[2], now=world.clock())
    assert pending.transaction.encryption_key is not None
    _, opened = decrypt_jwe(
        whole,
        private_jwk=pending.transaction.encryption_key,
        algorithms=("ECDH-ES",),
        encryptions=("A128GCM", "A256GCM"),
        max_bytes=1_000_000,
    )
    members = strict_json.loads_object(opened)
    (other_key,) = other["client_metadata"]["jwks"]["keys"]
    (own_key,) = mine["client_metadata"]["jwks"]["keys"]
    wallet, path = TestClient(deployment.app, base_url=FIRM), urlsplit(mine["response_uri"]).path

    in_clear = {name: one if isinstance(one, str) else strict_json.dumps(one).decode() for name, one in members.items()}
    for wrong in (
        in_clear,
        {"response": encrypted(opened, other_key)},
        {"response": encrypted(opened, other_key, kid=own_key["kid"])},
    ):
        assert wallet.post(path, data=wrong).status_code == 400

    assert wallet.post(path, data={"response": whole}).json().keys() == {"redirect_uri"}


async def test_an_answer_counts_in_no_other_browser_and_not_without_one(world: World, deployment: Deployment) -> None:
    """Another session's return rejects it; without one it never counts; there is no code for another device (5.1)."""
    sharer, _ = await fetched(deployment)
    victim, stranger = deployment.browser(), deployment.browser()
    delivery = await sharer.approve(await sharer.begin(deployment.applies(victim)))
    assert delivery.redirect_uri is not None
    record = deployment.awaited()

    assert stranger.get(delivery.redirect_uri).status_code == 400
    assert deployment.verifier.result(record.id).state is State.NOT_RETURNED
    assert victim.get(delivery.redirect_uri).status_code == 400, "rejected is rejected"

    await sharer.approve(await sharer.begin(deployment.applies(deployment.browser())))
    forgotten = deployment.awaited()
    world.clock.move(hours=1)
    assert not deployment.verifier.result(forgotten.id).is_accepted
    with pytest.raises(OnlySameDevice):
        deployment.verifier.make_request(
            deployment.verifier.templates()[TEMPLATE], kind=Kind.CROSS_DEVICE, maker="test"
        )


async def test_a_certificate_whose_issuer_is_known_by_its_key_alone_is_refused(
    world: World, deployment: Deployment
) -> None:
    """Trusted in every other way, but HAIP 6.1.1 wants `x5c` and its chain; with the root trusted it is accepted."""
    sharer, _ = await fetched(deployment)
    verifier, entry = deployment.verifier, deployment.source.entry
    signer = deployment.source.side.context.key.signer
    by_key = entry_from_jwk(signer.public_jwk, identifier=entry.identifier, name="Källan", role="issuer", types=(VCT,))
    assert verifier.trust.remove(entry.id)
    verifier.trust.add_entry(by_key, now=world.clock())

    refused = await sharer.approve(await sharer.begin(deployment.applies(deployment.browser())))
    (answered,) = [one for one in deployment.passed if "response" in one.form]
    assert (answered.answer.status_code, refused.redirect_uri) == (400, None)

    assert verifier.trust.remove(by_key.id)
    verifier.trust.add_entry(entry, now=world.clock())
    assert (await sharer.approve(await sharer.begin(deployment.applies(deployment.browser())))).redirect_uri is not None
