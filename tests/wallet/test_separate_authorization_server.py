"""People sign in at another host than the issuer's: the metadata name it, and the wallet goes there for all that is the
authorization server's (OpenID4VCI 1.0, 12.2.4; RFC 9207)."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from starlette.testclient import TestClient

from issuer.app import create_app
from proofs.jose import parse_jws, read_claims
from tests.attacks.test_wallet_receiving import METADATA, changed_json
from tests.wallet.test_fetching import Source, away
from tests.world import World
from wallet.authorizing import ForeignAnswer
from wallet.collection import Stage

pytestmark = pytest.mark.anyio
LOGIN, ISSUER = "https://login.example", "https://source.example"
AT_THE_SERVER = ("/par", "/authorize", "/token", "/challenge", "/.well-known/oauth-authorization-server")


@pytest.fixture
def source(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    """An issuer whose people sign in at `login.example`: that host answers for itself, with the same records behind it,
    and the issuer's own host has no authorization server at all."""
    source = Source(world)
    settings = source.side.context.settings.model_copy(update={"public_url": LOGIN})
    with monkeypatch.context() as patched:
        # Our issuer is its own authorization server, and refuses a key of another address; the login signs nothing.
        patched.setattr("issuer.store.keys._check_names", lambda *_, **__: None)
        login = create_app(settings, clock=world.clock, http=world.http())
    # A server of logins gives tokens for the issuer that it stands before; ours would give them for itself alone.
    monkeypatch.setattr("issuer.api.oauth.check_resources", lambda *_, **__: None)
    world.network.connect("login.example", login)
    source.browser = TestClient(login, base_url=LOGIN)

    def elsewhere(document: dict[str, Any]) -> None:
        if document["credential_issuer"] == ISSUER:
            document["authorization_servers"] = [LOGIN]

    def not_here(request: httpx2.Request) -> httpx2.Response | None:
        is_here = request.url.host == "source.example" and request.url.path in AT_THE_SERVER
        return httpx2.Response(404) if is_here else None

    with ExitStack() as stack:
        stack.callback(login.state.issuer.store.close)
        stack.enter_context(world.network.changing(changed_json(METADATA, elsewhere)))
        stack.enter_context(world.network.answering(not_here))
        yield source


async def test_one_signs_in_elsewhere_and_the_issuer_issues(world: World, source: Source) -> None:
    """Pushed there, for this issuer; back with the name of that server; the token from there is taken by the issuer."""
    vault, wallet = await world.wallet.person(), world.wallet.deployment
    sent: list[httpx2.Request] = []
    with world.network.answering(sent.append):
        collection_id, collection = await away(world, vault, source)
        assert collection.offered.issuer == ISSUER
        assert collection.offered.authorization_server.issuer == LOGIN
        assert collection.sign_in_url.startswith(f"{LOGIN}/authorize?")
        answer = source.allow(collection.sign_in_url)
        assert answer["iss"] == LOGIN
        await wallet.come_back(vault, answer)

    assert wallet.collection(vault, collection_id).stage is Stage.DONE
    (certificate,) = vault.certificates()
    assert certificate.issuer_trusted
    (pushed,) = [parse_qs(one.content.decode()) for one in sent if str(one.url) == f"{LOGIN}/par"]
    assert pushed["resource"] == [ISSUER], "the token is for this issuer"
    tokens = [one for one in sent if str(one.url) == f"{LOGIN}/token"]
    assert read_claims(parse_jws(tokens[-1].headers["dpop"]))["htu"] == f"{LOGIN}/token"
    assert read_claims(parse_jws(tokens[-1].headers["oauth-client-attestation-pop"]))["aud"] == LOGIN
    asked_here = {one.url.path for one in sent if one.url.host == "source.example"}
    assert "/credential" in asked_here
    assert asked_here.isdisjoint(AT_THE_SERVER)
    there = {urlsplit(str(one.url)).path for one in sent if one.url.host == "login.example"}
    assert there <= set(AT_THE_SERVER), "and no certificate is asked for there"


@pytest.mark.parametrize("named", [ISSUER, "https://university.example", f"{LOGIN}/", None])
async def test_an_answer_of_another_server_goes_nowhere(world: World, source: Source, named: str | None) -> None:
    """Also not one by the issuer, whose authorization server it is not, nor one that names nobody. The right one still
    counts afterwards."""
    vault, wallet = await world.wallet.person(), world.wallet.deployment
    collection_id, collection = await away(world, vault, source)
    answer = source.allow(collection.sign_in_url)
    wrong = {name: value for name, value in (answer | {"iss": named}).items() if value is not None}
    asked = world.network.asked("/token")

    with pytest.raises(ForeignAnswer):
        await wallet.come_back(vault, wrong)

    assert world.network.asked("/token") == asked, "the code is sent to nobody"
    assert wallet.collection(vault, collection_id).stage is Stage.AUTHORIZING
    await wallet.come_back(vault, answer)
    assert wallet.collection(vault, collection_id).stage is Stage.DONE
