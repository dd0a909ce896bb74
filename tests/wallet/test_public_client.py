"""The wallet fetches where its provider is not trusted: as a public client, by its name (RFC 6749, 2.1, 4.1.3, 6)."""

from urllib.parse import parse_qs

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.proofs.authorities import Authority
from tests.wallet.test_fetching import Source, away
from tests.world import World
from wallet.collection import Stage
from wallet.store.certificates import take_copy

pytestmark = pytest.mark.anyio
TOKEN = "/token"


def known(world: World, *, beside: str = "") -> str:
    """A file of clients in which the wallet stands by its name and nothing else."""
    provider = world.wallet.deployment.provider
    return f'''{beside}
[[clients]]
client_id = "{provider.client_id}"
redirect_uris = ["{provider.redirect_uri}"]
'''


def another_provider() -> bytes:
    """The root of somebody else, in PEM form."""
    return Authority("Another provider").certificate.public_bytes(Encoding.PEM)


class Forms:
    """The forms that reached the token endpoint of a host, and which of them came with an attestation."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.sent: list[dict[str, str]] = []
        self.attested: list[bool] = []

    def __call__(self, request: httpx2.Request) -> None:
        if (request.url.host, request.url.path) == (self.host, TOKEN):
            self.sent.append({name: values[0] for name, values in parse_qs(request.content.decode()).items()})
            self.attested.append("oauth-client-attestation" in request.headers)


@pytest.mark.parametrize("takes_others", [False, True])
async def test_a_public_client_fetches_and_renews(world: World, takes_others: bool) -> None:
    """To the stored certificate and its renewal; also where the attestations of other providers are taken."""
    beside = ""
    if takes_others:
        (world.directory / "other.pem").write_bytes(another_provider())
        beside = '[[attesters]]\nroots = ["other.pem"]\n'
    source = Source(world, known=known(world, beside=beside))
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    forms = Forms("source.example")
    with world.network.answering(forms):
        collection_id, collection = await away(world, vault, source)
        assert collection.stage is Stage.AUTHORIZING, (collection.problem, collection.peer_error)
        await wallet.come_back(vault, source.allow(collection.sign_in_url))
        done = wallet.collection(vault, collection_id)
        assert done.stage is Stage.DONE, (done.problem, done.peer_error)
        (certificate,) = vault.certificates()
        with wallet.database.transaction() as connection:
            for _ in range(9):
                take_copy(connection, vault, certificate.id)
        world.clock.move(days=2)
        await wallet.resume(vault)

    (renewed,) = vault.certificates()
    assert (renewed.copies_left, renewed.copies_total) == (11, 20)
    assert {form["grant_type"] for form in forms.sent} == {"authorization_code", "refresh_token"}
    assert {form.get("client_id") for form in forms.sent} == {wallet.provider.client_id}
    assert any(forms.attested) is takes_others


async def test_a_code_of_another_client_is_still_refused(world: World) -> None:
    """The name is not enough where the source knows us with an attestation: nobody gets a code by saying who we are."""
    source = Source(world, haip=True)
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    collection_id, collection = await away(world, vault, source)
    answer = source.allow(collection.sign_in_url)

    def stripped(request: httpx2.Request) -> None:
        if request.url.path == TOKEN:
            for name in ("oauth-client-attestation", "oauth-client-attestation-pop"):
                request.headers.pop(name, None)

    with world.network.answering(stripped):
        await wallet.come_back(vault, answer)
    refused = wallet.collection(vault, collection_id)
    assert (refused.stage, refused.peer_error) == (Stage.FAILED, "invalid_client")
    assert vault.certificates() == []


@pytest.mark.parametrize(("anonymous", "named"), [(True, False), (False, True)])
async def test_an_offer_is_collected_by_name_only_where_nobody_in_particular_is_served(
    world: World, anonymous: bool, named: bool
) -> None:
    """OpenID4VCI 12.3: unless the server says otherwise, a pre-authorized code goes with a `client_id`."""
    issuer = world.issuer("other.example", anonymous_access=anonymous)
    world.wallet.trust(issuer.trust_entry)
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    forms = Forms("other.example")
    with world.network.answering(forms):
        collection_id = await world.wallet.begin(vault, issuer.offer()[0].offer)
        with world.network.cut_before("/credential"):
            await wallet.collect(vault, collection_id, tx_code=None)
        world.clock.move(days=3)
        late = await wallet.collect(vault, collection_id, tx_code=None)
    assert late.stage is Stage.DONE, "the refresh token goes with the same name, or none"
    assert [form["grant_type"] for form in forms.sent][-1] == "refresh_token"
    assert {"client_id" in form for form in forms.sent} == {named}


async def test_a_provider_that_is_not_known_falls_back_to_nobody(world: World) -> None:
    """Attested with the name first; then the offer is collected as by anybody, without the name, and refreshed so."""
    (world.directory / "other.pem").write_bytes(another_provider())
    source = Source(world, known='[[attesters]]\nroots = ["other.pem"]\n')
    vault = await world.wallet.person()
    wallet = world.wallet.deployment
    forms = Forms("source.example")
    with world.network.answering(forms):
        collection_id = await world.wallet.begin(vault, source.side.offer()[0].offer)
        with world.network.cut_before("/credential"):
            await wallet.collect(vault, collection_id, tx_code=None)
        world.clock.move(days=3)
        late = await wallet.collect(vault, collection_id, tx_code=None)
    assert late.stage is Stage.DONE, (late.problem, late.peer_error)
    # With a nonce asked for on the way, each of them may be there twice.
    told = dict.fromkeys(zip(forms.attested, ("client_id" in form for form in forms.sent), strict=True))
    assert list(told) == [(True, True), (False, False), (True, False)]
