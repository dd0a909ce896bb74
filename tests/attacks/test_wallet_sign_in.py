"""What an issuer can try on a wallet that sends the person to it: the issuer writes the address of the sign-in."""

import pytest

from schemas.issuance import AuthorizationServerMetadata, CredentialOffer
from tests.attacks.test_wallet_receiving import SERVER, changed_json
from tests.wallet.test_fetching import Source, away
from tests.world import World
from wallet.collection import Stage
from wallet.offers import OfferUnusable, check_grant

pytestmark = pytest.mark.anyio
OFFER = CredentialOffer(credential_issuer="https://source.example", credential_configuration_ids=["a"])


def server(endpoint: str, issuer: str = "https://source.example") -> AuthorizationServerMetadata:
    """An authorization server that signs people in at this address."""
    return AuthorizationServerMetadata(issuer=issuer, token_endpoint=f"{issuer}/token", authorization_endpoint=endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "javascript:alert(1)//",
        "data:text/html,x",
        "http://source.example/authorize",
        "http://127.0.0.1:8000/authorize",
        "//source.example/authorize",
        "/authorize",
        "",
        "https://",
        "https://[::1",
        "https://source.example@evil.example/authorize",
        "https://source.example/authorize#/",
        "https://source.example/\nauthorize",
        "https://source.example\\@evil.example/",
        " https://source.example/authorize",
    ],
)
def test_the_browser_is_sent_to_https_addresses_alone(endpoint: str) -> None:
    """Nothing that a browser would run, that somebody on the way could read, or that names another host than it seems;
    a fragment would swallow the request (RFC 6749, section 3.1)."""
    with pytest.raises(OfferUnusable) as refused:
        check_grant(OFFER, server(endpoint))
    assert refused.value.reason == "grant_not_supported"


@pytest.mark.parametrize(
    ("endpoint", "issuer"),
    [
        ("https://source.example/authorize", "https://source.example"),
        ("https://login.example:8443/a?tenant=1", "https://source.example"),
        ("http://127.0.0.1:8000/authorize", "http://127.0.0.1:8000"),
    ],
)
def test_sign_ins_of_every_lawful_form_are_taken(endpoint: str, issuer: str) -> None:
    """On another host, with a query of its own, and on this machine where the server itself was found there."""
    check_grant(OFFER, server(endpoint, issuer))


async def test_nobody_is_sent_and_nothing_is_pushed(world: World) -> None:
    """It is refused when the issuer is looked at, before anything is sent to it."""
    source = Source(world)
    vault = await world.wallet.person()

    def hostile(document: dict[str, object]) -> None:
        document["authorization_endpoint"] = "javascript:alert(document.domain)//"

    with world.network.changing(changed_json(SERVER, hostile)), pytest.raises(OfferUnusable):
        await away(world, vault, source)
    assert world.network.asked("/par") == 0
    collections = world.wallet.deployment.collections(vault).values()
    assert all(one.stage is not Stage.AUTHORIZING for one in collections)
