"""Issuers of other makes: what they say differently, within the specifications, and are collected from all the same."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx2
import pytest

from proofs.jose import parse_jws, read_claims
from proofs.jwe import generate_encryption_key, jwe_header, public_part
from schemas.issuance import AuthorizationServerMetadata
from tests.attacks.test_wallet_receiving import METADATA, by_value, changed_json, collected_with, offer_of
from tests.attacks.test_wallet_receiving import refused_reason as refused
from tests.wallet.test_fetching import Source, away
from tests.world import World
from wallet.collection import PartState, Stage
from wallet.issuer_client import IssuerClient, new_client_keys
from wallet.web import Reply

pytestmark = pytest.mark.anyio


# --- proofs of possession under a token -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"content": b""},
        {"content": b"<html>Unauthorized</html>", "headers": {"content-type": "text/html"}},
        {"json": {"error": "invalid_token"}},
        {"json": {"error": "use_dpop_nonce"}},
    ],
)
@pytest.mark.parametrize("before", ["", 'Bearer realm="x", error="invalid_token", '])
async def test_a_nonce_is_asked_for_in_the_header(world: World, body: dict[str, Any], before: str) -> None:
    """RFC 9449, section 9: a resource server asks by `WWW-Authenticate`; the body may say anything, or nothing."""
    asked: list[str | None] = []
    nonce = world.university.context.client_nonces.new(now=world.clock())

    def ask(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path != "/credential":
            return None
        asked.append(read_claims(parse_jws(request.headers["dpop"])).get("nonce"))
        if len(asked) > 1:
            return None
        told = {"www-authenticate": f'{before}DPoP error="use_dpop_nonce", algs="ES256"', "dpop-nonce": nonce}
        return httpx2.Response(401, **{**body, "headers": body.get("headers", {}) | told})

    vault = await world.wallet.person()
    with world.network.answering(ask):
        collection = await world.wallet.collect(vault, world.university.offer()[0].offer)

    assert collection.stage is Stage.DONE
    assert asked[1:] == [nonce]


async def test_a_token_that_ended_unsaid_is_refreshed_once(world: World) -> None:
    """Where nobody said how long it lives, a refusal is how it shows; what was deferred for days would be lost else."""
    source = Source(world, reviewed_types="micro-credential")
    vault = await world.wallet.person()
    wallet = world.wallet.deployment

    def unsaid(answer: dict[str, Any]) -> None:
        answer.pop("expires_in", None)

    with world.network.changing(changed_json("/token", unsaid)):
        collection_id, collection = await away(world, vault, source)
        await wallet.come_back(vault, source.allow(collection.sign_in_url))
        assert wallet.collection(vault, collection_id).stage is Stage.PENDING
        world.clock.move(days=2)
        before = world.network.asked("/token")
        await wallet.resume(vault)
        assert wallet.collection(vault, collection_id).parts[0].state is PartState.DEFERRED
        assert 1 <= world.network.asked("/token") - before <= 2, "a nonce may be asked for on the way"

        def never(request: httpx2.Request) -> httpx2.Response | None:
            is_asked = request.url.path in ("/credential", "/deferred_credential")
            return httpx2.Response(401, json={"error": "invalid_token"}) if is_asked else None

        world.clock.move(minutes=1)
        before = world.network.asked("/token")
        with world.network.answering(never):
            await wallet.resume(vault)
    ended = wallet.collection(vault, collection_id)
    assert (ended.stage, ended.problem) == (Stage.FAILED, "too_late")
    assert world.network.asked("/token") - before <= 2, "an issuer that always refuses is not asked for ever"


async def test_an_issuer_that_is_busy_with_refreshing_is_asked_again_later(world: World) -> None:
    """Nothing is lost while it cannot be told whether the token can be had anew."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id = await world.wallet.begin(vault, world.university.offer()[0].offer)
    with world.network.changing(changed_json("/token", lambda answer: answer.pop("expires_in") and None)):
        with world.network.cut_before("/credential"):
            await wallet.collect(vault, collection_id, tx_code=None)
        world.clock.move(days=3)

        def busy(request: httpx2.Request) -> httpx2.Response | None:
            return httpx2.Response(503) if request.url.path == "/token" else None

        with world.network.answering(busy):
            waiting = await wallet.collect(vault, collection_id, tx_code=None)
        assert (waiting.stage, waiting.problem) == (Stage.COLLECTING, "busy")
        assert (await wallet.collect(vault, collection_id, tx_code=None)).stage is Stage.DONE


class Heard:
    """A network whose servers answer what they are told to; it keeps the headers of what they were asked."""

    def __init__(self, answers: Mapping[str, Mapping[str, str]]) -> None:
        """`answers`: the headers of the answer by address; all are empty JSON objects with 200."""
        self.answers = answers
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    async def get(self, url: str, *, accept: str, languages: str, max_bytes: int) -> Reply:
        raise NotImplementedError

    async def post(self, url: str, *, headers: Mapping[str, str], **body: Any) -> Reply:
        """Note and answer."""
        self.asked.append((url, headers))
        content = b'{"attestation_challenge":"first"}' if url.endswith("/challenge") else b"{}"
        return Reply(200, "application/json", content, self.answers.get(url, {}))

    def claims(self, url: str, header: str) -> list[dict[str, Any]]:
        """What was proven to an address by a header, in order."""
        return [read_claims(parse_jws(headers[header])) for asked, headers in self.asked if asked == url]


TOKEN, CREDENTIAL, CHALLENGE = (
    "https://login.example/token",
    "https://school.example/credential",
    "https://login.example/challenge",
)


def client_of(world: World, web: Heard) -> IssuerClient:
    """A client of an authorization server that takes everything, and is not the issuer."""
    server = AuthorizationServerMetadata(
        issuer="https://login.example",
        token_endpoint=TOKEN,
        challenge_endpoint=CHALLENGE,
        dpop_signing_alg_values_supported=["ES256"],
        token_endpoint_auth_methods_supported=["attest_jwt_client_auth"],
    )
    provider = world.wallet.deployment.provider
    return IssuerClient(new_client_keys(), server=server, web=web, provider=provider, clock=world.clock)


async def test_the_nonce_of_one_server_is_not_shown_to_another(world: World) -> None:
    """RFC 9449, sections 8.2 and 9: a nonce is for proofs to the server that gave it."""
    web = Heard({TOKEN: {"dpop-nonce": "of the login"}, CREDENTIAL: {"dpop-nonce": "of the school"}})
    client = client_of(world, web)
    for _ in range(2):
        await client.ask_server(TOKEN, {}, attested=False, bound=True)
        await client.ask_resource(CREDENTIAL, "token", bound=True, json={}, max_bytes=1000)
    assert [claims.get("nonce") for claims in web.claims(TOKEN, "dpop")] == [None, "of the login"]
    assert [claims.get("nonce") for claims in web.claims(CREDENTIAL, "dpop")] == [None, "of the school"]


async def test_a_fresh_challenge_in_any_answer_is_used_next(world: World) -> None:
    """Attestation-based client authentication, section 6.2: it comes with any answer, and replaces the one before."""
    web = Heard({TOKEN: {"oauth-client-attestation-challenge": "second"}})
    client = client_of(world, web)
    for _ in range(2):
        await client.ask_server(TOKEN, {}, attested=True, bound=False)
    proven = web.claims(TOKEN, "oauth-client-attestation-pop")
    assert [claims["challenge"] for claims in proven] == ["first", "second"]


# --- offers and metadata ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grants", [{"urn:example:grant": {}}, {"urn:example:grant": {}, "another": {"a": 1}}])
async def test_an_offer_of_unknown_grants_alone_is_not_taken_for_one_with_a_sign_in(
    world: World, grants: dict[str, Any]
) -> None:
    """OpenID4VCI 4.1.1: only where `grants` is absent or empty does the wallet choose by the server's metadata."""
    Source(world)
    link = by_value(offer_of("https://source.example", grants=grants))
    assert await refused(world, link) == "grant_not_supported"


@pytest.mark.parametrize("grants", [None, {}, {"authorization_code": {}, "urn:example:grant": {"a": 1}}])
async def test_unknown_grants_beside_ours_are_passed_over(world: World, grants: dict[str, Any] | None) -> None:
    """And an offer without any leads to the sign-in that the server's metadata names."""
    Source(world)
    offer = offer_of("https://source.example", grants=grants)
    if grants is None:
        del offer["grants"]
    vault = await world.wallet.person()
    collection_id = await world.wallet.begin(vault, by_value(offer))
    assert world.wallet.deployment.collection(vault, collection_id).offered.wants_sign_in


def _batch(size: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document.update(batch_credential_issuance={"batch_size": size})


def _proof_type(name: str, support: Any) -> Callable[[dict[str, Any]], None]:
    def add(document: dict[str, Any]) -> None:
        types = document["credential_configurations_supported"]["micro-credential"]["proof_types_supported"]
        types[name] = support

    return add


@pytest.mark.parametrize(
    "quirk",
    [
        _batch(1),
        _batch(0),
        _proof_type("cwt", {"proof_signing_alg_values_supported": [-7, -9]}),
        _proof_type("of_their_own", {}),
        _proof_type("of_their_own", True),
    ],
)
async def test_what_the_wallet_does_not_use_is_no_obstacle(
    world: World, quirk: Callable[[dict[str, Any]], None]
) -> None:
    """A batch that is none, and proof types of other kinds, whose algorithms are theirs to write (12.2.4)."""
    assert (await collected_with(world, METADATA, quirk)).stage is Stage.DONE


def _answers(**changes: Any) -> Callable[[dict[str, Any]], None]:
    """An issuer that takes requests encrypted as the wallet can, and answers encrypted only."""

    def demand(document: dict[str, Any]) -> None:
        enc = {"enc_values_supported": ["A256GCM"]}
        key = public_part(generate_encryption_key())
        document["credential_request_encryption"] = enc | {"jwks": {"keys": [key]}, "encryption_required": False}
        document["credential_response_encryption"] = {
            **enc,
            "alg_values_supported": ["ECDH-ES"],
            "encryption_required": True,
            **changes,
        }

    return demand


def _only_dids(document: dict[str, Any]) -> None:
    configuration = document["credential_configurations_supported"]["micro-credential"]
    configuration["cryptographic_binding_methods_supported"] = ["did:key"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_answers(enc_values_supported=["A128CBC-HS256"]), "encryption_not_supported"),
        (_answers(alg_values_supported=["RSA-OAEP-256"]), "encryption_not_supported"),
        (_only_dids, "proof_not_supported"),
    ],
)
async def test_what_would_be_refused_does_not_spend_the_code(
    world: World, change: Callable[[dict[str, Any]], None], problem: str
) -> None:
    """The metadata say beforehand that this wallet's request would be refused: another wallet can still collect it."""
    collection = await collected_with(world, METADATA, change)
    assert (collection.stage, collection.problem) == (Stage.FAILED, problem)
    assert world.network.asked("/token") == 0


@pytest.mark.parametrize("other", ["vc+sd-jwt", "jwt_vc_json", 7, None])
async def test_of_one_type_in_several_formats_ours_is_fetched(world: World, other: Any) -> None:
    """An issuer lists a type once for each format, the older ones perhaps first."""
    source = Source(world)
    vault = await world.wallet.person()

    def several(document: dict[str, Any]) -> None:
        ours = document["credential_configurations_supported"]
        older = {**ours["micro-credential"], "format": other}
        if other is None:
            del older["format"]
        document["credential_configurations_supported"] = {"older": older, **ours, "oldest": older}

    with world.network.changing(changed_json(METADATA, several)):
        _, collection = await away(world, vault, source)
    assert [part.configuration for part in collection.parts] == ["micro-credential"]
    assert collection.stage is Stage.AUTHORIZING


# --- answers ----------------------------------------------------------------------------------------------------------


async def test_a_wrong_transaction_code_under_its_later_name(world: World) -> None:
    """OpenID4VCI 1.1 calls `invalid_tx_code` what 1.0 calls `invalid_grant`: the person can try again."""
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    offer = world.university.offer(tx_code=True)[0]

    def wrong(request: httpx2.Request) -> httpx2.Response | None:
        return httpx2.Response(400, json={"error": "invalid_tx_code"}) if request.url.path == "/token" else None

    collection_id = await world.wallet.begin(vault, offer.offer)
    with world.network.answering(wrong):
        first = await wallet.collect(vault, collection_id, tx_code="000000")
    assert (first.stage, first.problem) == (Stage.OFFERED, "wrong_code")
    assert (await wallet.collect(vault, collection_id, tx_code=offer.tx_code)).stage is Stage.DONE


@pytest.mark.parametrize(("interval", "seconds"), [(0.2, 1), (2.5, 3), (4.0, 4)])
async def test_an_interval_is_any_positive_number(world: World, interval: float, seconds: int) -> None:
    """OpenID4VCI 8.3: the minimum in seconds; a fraction is waited out."""

    def deferred(request: httpx2.Request) -> httpx2.Response | None:
        value = {"transaction_id": "t", "interval": interval}
        return httpx2.Response(202, json=value) if request.url.path == "/credential" else None

    vault = await world.wallet.person()
    with world.network.answering(deferred):
        collection = await world.wallet.collect(vault, world.university.offer()[0].offer)
    assert collection.stage is Stage.PENDING
    assert collection.parts[0].ask_again_at - int(world.clock().timestamp()) == seconds


async def test_what_is_deferred_and_can_never_be_asked_for_is_not_waited_for(world: World) -> None:
    """An issuer that names no place where to ask has not deferred it, but kept it."""

    def nowhere(document: dict[str, Any]) -> None:
        document.pop("deferred_credential_endpoint")

    def deferred(request: httpx2.Request) -> httpx2.Response | None:
        value = {"transaction_id": "t", "interval": 5}
        return httpx2.Response(202, json=value) if request.url.path == "/credential" else None

    with world.network.answering(deferred):
        collection = await collected_with(world, METADATA, nowhere)
    assert (collection.stage, collection.problem) == (Stage.FAILED, "answer_unreadable")


@pytest.mark.parametrize("way", ["another key", "another address", "nothing new", "of another issuer"])
async def test_what_the_issuer_says_of_itself_is_read_again_when_it_no_longer_holds(world: World, way: str) -> None:
    """Days later it may have another key to encrypt to, and other addresses. It is asked again once, and believed only
    about itself."""
    source = Source(world, reviewed_types="micro-credential", encryption="offered")
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    assert wallet.collection(vault, collection_id).stage is Stage.PENDING
    world.clock.move(minutes=1)
    key, asked = generate_encryption_key(), world.network.asked(METADATA)

    def changed(document: dict[str, Any]) -> None:
        if way == "another key":
            document["credential_request_encryption"]["jwks"] = {"keys": [public_part(key)]}
        elif way != "nothing new":
            document["deferred_credential_endpoint"] = "https://source.example/later"
        if way == "of another issuer":
            document["credential_issuer"] = "https://university.example"

    def answer(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path == "/later":
            return httpx2.Response(400, json={"error": "credential_request_denied"})
        if request.url.path != "/deferred_credential":
            return None
        if way != "another key":
            return httpx2.Response(404, content=b"<html>Not found</html>", headers={"content-type": "text/html"})
        is_right = jwe_header(request.content.decode(), max_bytes=100_000)["kid"] == key["kid"]
        error = "credential_request_denied" if is_right else "invalid_encryption_parameters"
        return httpx2.Response(400, json={"error": error})

    with world.network.answering(answer), world.network.changing(changed_json(METADATA, changed)):
        await wallet.resume(vault)

    ended = wallet.collection(vault, collection_id)
    got_through = way.startswith("another")
    assert (ended.stage, ended.problem) == (Stage.FAILED, "denied" if got_through else "refused_by_issuer")
    assert world.network.asked(METADATA) - asked == 1
