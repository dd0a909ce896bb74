"""A real verifier that asks by a DID, and the wallet that it asks: over HTTP in one process, and on the pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from proofs.trust import entry_from_did
from tests.wallet.firm import HOST, running_firm
from tests.wallet.pages.test_share_pages import look, person, text_of
from tests.wallet.people import Sharer
from tests.world import World
from verifier.exchange import MadeRequest, Verifier
from verifier.requests import Kind
from verifier.settings import VerifierSettings
from wallet.delivery import DeliveryState

DID = f"did:web:{HOST}"


@contextmanager
def firm(world: World, *, url: str = f"https://{HOST}", **settings: Any) -> Iterator[Verifier]:
    """A verifier that asks by a DID and trusts the university; the wallet knows nothing of it."""
    asks_by = "decentralized_identifier"
    with running_firm(world, is_trusted=False, public_url=url, client_id_prefix=asks_by, **settings) as made:
        yield made


def ask(verifier: Verifier) -> MadeRequest:
    """Make a request."""
    return verifier.make_request(
        verifier.templates()["employer-micro-credential"], kind=Kind.CROSS_DEVICE, maker="test"
    )


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "url"), [("web", f"https://{HOST}"), ("web", f"https://{HOST}/hr/jobs"), ("jwk", f"https://{HOST}")]
)
async def test_a_share_with_who_asks_by_a_did(world: World, method: Any, url: str) -> None:
    """Asked, shown as unproven with its notice, shared, verified; `aud` is the whole client identifier."""
    sharer = await Sharer.with_certificate(world)
    with firm(world, url=url, did_method=method) as verifier:
        made = ask(verifier)
        share_id = await sharer.begin(made.link)
        decision = sharer.decision(share_id)
        sharer.go_on(share_id, *(warned.kind for warned in decision.overrides))
        delivery = await sharer.approve(share_id)

        expected = url.removeprefix("https://").replace("/", ":")
        assert made.transaction.client_id.startswith(f"decentralized_identifier:did:{method}:")
        assert method == "jwk" or made.transaction.client_id.endswith(expected)
        assert decision.checked.identity.level == "unproven"
        assert decision.checked.stated is not None
        assert decision.checked.stated.signed
        assert delivery.state is DeliveryState.DELIVERED
        assert verifier.result(made.id).is_accepted


@pytest.mark.anyio
async def test_a_did_on_the_trust_list_is_somebody(world: World) -> None:
    """Its name is the list's, and no warning about who asks is left."""
    sharer = await Sharer.with_certificate(world)
    world.wallet.trust(entry_from_did(DID, name="Exempelbolaget AB"))
    with firm(world) as verifier:
        share_id = await sharer.begin(ask(verifier).link)

        decision = sharer.decision(share_id)
        delivery = await sharer.approve(share_id)

    assert (decision.checked.identity.level, decision.checked.identity.legal_name) == (
        "registered",
        "Exempelbolaget AB",
    )
    assert delivery.state is DeliveryState.DELIVERED


@pytest.mark.anyio
async def test_no_statement_is_promised_that_nobody_could_recognise(world: World) -> None:
    """The notice names no endpoint for taking back, but the contact."""
    sharer = await Sharer.with_certificate(world)
    with firm(world) as verifier:
        decision = sharer.decision(await sharer.begin(ask(verifier).link))

    assert decision.checked.stated is not None
    withdraw = decision.checked.stated.notice.withdraw
    assert withdraw is not None
    assert (withdraw.endpoint, withdraw.contact) == ("", "dataskydd@firm.example")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("url", "method", "paths"),
    [
        (f"https://{HOST}", "web", {"/.well-known/did.json": 200, "/did.json": 404}),
        (f"https://{HOST}/hr", "web", {"/hr/did.json": 200, "/.well-known/did.json": 404}),
        (f"https://{HOST}", "jwk", {"/.well-known/did.json": 404}),
    ],
)
async def test_the_document_lies_at_its_one_address(world: World, url: str, method: Any, paths: dict[str, int]) -> None:
    """Another DID's document is nowhere to be found on this host."""
    with firm(world, url=url, did_method=method) as verifier:
        client = httpx2.AsyncClient(transport=world.network, base_url=f"https://{HOST}")
        answers = {path: await client.get(path) for path in paths}

        assert {path: answer.status_code for path, answer in answers.items()} == paths
        for answer in answers.values():
            if answer.status_code == 200:
                document = answer.json()
                assert f"decentralized_identifier:{document['id']}" == verifier.identity.client_id
                assert document["authentication"] == [document["verificationMethod"][0]["id"]]
                assert "d" not in document["verificationMethod"][0]["publicKeyJwk"]


def test_the_page_says_what_a_did_proves_and_what_not(world: World) -> None:
    """The domain, and that nobody knows whose it is; in the words of everybody."""
    browser = person(world)
    with firm(world) as verifier:
        text = text_of(look(browser, ask(verifier).link))

    assert "We cannot confirm who is asking" in text
    assert "It controls the web address firm.example. We do not know who owns that address." in text


def test_the_page_of_a_known_did_names_it(world: World) -> None:
    """Whom the trust list names needs no such sentence."""
    browser = person(world)
    world.wallet.trust(entry_from_did(DID, name="Exempelbolaget AB"))
    with firm(world) as verifier:
        text = text_of(look(browser, ask(verifier).link))

    assert "Exempelbolaget AB" in text
    assert "We cannot confirm who is asking" not in text
    assert "We do not know who owns" not in text


def test_settings_without_a_did_are_refused(world: World) -> None:
    """An IP address has no did:web; a did:jwk needs no address; HAIP takes certificates alone."""
    where: dict[str, Any] = {"data": world.directory / "x", "client_id_prefix": "decentralized_identifier"}

    assert any(
        "VERIFIER_DID_METHOD" in one for one in VerifierSettings(**where, public_url="http://127.0.0.1").problems()
    )
    assert VerifierSettings(**where, public_url="http://127.0.0.1", did_method="jwk").problems() == []
    assert VerifierSettings(**where, public_url="http://localhost:8300").problems() == []
    assert any("VERIFIER_CLIENT_ID_PREFIX" in one for one in VerifierSettings(**where, haip=True).problems())
