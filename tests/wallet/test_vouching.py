"""Whether an issuer is trusted is found out before its offer is used up, or it is said that this cannot be."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from proofs import base64url, jose
from proofs.certificates import UntrustedChain
from proofs.dates import numeric_date
from proofs.issuer_metadata import TYP, signer_of_metadata
from proofs.trust import TrustEntry
from schemas.errors import ProtocolError
from schemas.issuance import credential_issuer_metadata_url
from tests.wallet.test_pages import make_wallet, send
from tests.world import IssuerSide, World
from wallet.collection import Stage

pytestmark = pytest.mark.anyio
TRUSTED = "This wallet trusts this issuer, as"
NOT_KNOWN = "is not known before the certificate arrives"


def offer_page(world: World, link: str, *, name: str = "Maja") -> httpx2.Response:
    """The page that says who offers what, for somebody who just made a wallet."""
    browser = world.wallet.browser()
    make_wallet(browser, name)
    page = send(browser, browser.get("/receive"), "/receive", link=link)
    return send(browser, page, "/receive/look", link=link)


def entry(world: World, **changes: Any) -> TrustEntry:
    """Trust in everybody under the root of the university, and in nobody by address."""
    assert not world.university.trust_entry.identifier
    return replace(world.university.trust_entry, **changes)


def other_kind(world: World) -> dict[str, Any]:
    return {"types": ("urn:another:type",)}


def ended(world: World) -> dict[str, Any]:
    return {"not_after": world.clock() - timedelta(days=1)}


@pytest.mark.parametrize(("change", "problem"), [(other_kind, "not_yet_entitled"), (ended, "not_trusted_now")])
@pytest.mark.parametrize("by_address", [True, False])
async def test_an_offer_that_would_be_refused_is_not_spent_whatever_the_issuer_is_known_by(
    world: World, change: Callable[[World], dict[str, Any]], problem: str, by_address: bool
) -> None:
    """By its root alone as well as by its address: no code is sent; the link serves once the trust is there."""
    vault = await world.wallet.person()
    name = {"identifier": world.university.url} if by_address else {}
    world.wallet.trust(entry(world, **change(world), **name))
    link = world.university.offer()[0].offer

    first = await world.wallet.collect(vault, link)

    assert (first.stage, first.problem) == (Stage.OFFERED, problem)
    assert world.network.asked("/token") == 0
    world.wallet.trust(entry(world, **name))
    second = await world.wallet.collect(vault, link)
    assert (second.stage, second.problem, len(vault.certificates())) == (Stage.DONE, "", 1)


async def test_nobody_is_sent_to_sign_in_for_what_would_be_refused(world: World) -> None:
    """The same for an offer that wants a sign-in: nothing is pushed."""
    vault = await world.wallet.person()
    world.wallet.trust(entry(world, **other_kind(world)))
    offer = {"credential_issuer": world.university.url, "credential_configuration_ids": ["micro-credential"]}
    link = f"openid-credential-offer://?credential_offer={json.dumps(offer)}"
    collection_id = await world.wallet.begin(vault, link)

    collection = await world.wallet.deployment.begin_sign_in(vault, collection_id)

    assert (collection.stage, collection.problem) == (Stage.OFFERED, "not_yet_entitled")
    assert world.network.asked("/par") == 0


async def test_the_page_says_before_what_is_trusted(world: World) -> None:
    """By the signed metadata, with the name in the certificate; as a problem, when it would be refused."""
    link = world.university.offer()[0].offer
    world.wallet.trust(entry(world))
    assert f"{TRUSTED} university.example." in offer_page(world, link).text

    world.wallet.trust(entry(world, **other_kind(world)))
    page = offer_page(world, link, name="Ali")
    assert "This wallet does not trust the issuer for this certificate" in page.text
    assert "not_yet_entitled" in page.text
    assert TRUSTED not in page.text
    assert NOT_KNOWN not in page.text


async def test_the_page_says_before_that_it_cannot_be_known(world: World) -> None:
    """An issuer that signs nothing, and one under a root that nobody trusts."""

    def unsigned(request: httpx2.Request) -> httpx2.Response | None:
        is_asked = request.headers["accept"] == "application/jwt"
        return httpx2.Response(406) if is_asked and request.url.path.startswith("/.well-known") else None

    world.wallet.trust(entry(world))
    with world.network.answering(unsigned):
        assert NOT_KNOWN in offer_page(world, world.university.offer()[0].offer).text
    assert NOT_KNOWN in offer_page(world, world.stranger.offer()[0].offer, name="Ali").text


async def test_a_problem_with_the_trust_goes_when_the_trust_is_there(world: World) -> None:
    """What was found before is not said any more."""
    vault = await world.wallet.person()
    world.wallet.trust(entry(world, **other_kind(world)))
    collection_id = await world.wallet.begin(vault, world.university.offer()[0].offer)
    await world.wallet.deployment.collect(vault, collection_id, tx_code=None)
    world.wallet.trust(entry(world))

    standing = world.wallet.deployment.issuer_standing(world.wallet.deployment.collection(vault, collection_id))

    assert standing.refusal == ""


def signed(side: IssuerSide, **changes: Any) -> str:
    """Metadata under the key of an issuer."""
    now = side.context.clock()
    claims = {"sub": side.url, "iat": numeric_date(now), "exp": numeric_date(now + timedelta(days=1))} | changes
    signer = side.context.key.signer
    return jose.sign_jws(claims, signer=signer, typ=changes.get("typ", TYP), header=jose.certificate_header(signer))


def anchors(world: World) -> list[bytes]:
    anchor = entry(world).anchor
    assert anchor is not None
    return [anchor]


def forged(side: IssuerSide) -> str:
    token = signed(side)
    return token[: token.rindex(".") + 1] + base64url.encode(bytes(64))


@pytest.mark.parametrize(
    "make",
    [
        lambda side: signed(side, sub="https://other.example"),
        lambda side: signed(side, exp=numeric_date(side.context.clock() - timedelta(days=1))),
        lambda side: signed(side, iat=numeric_date(side.context.clock() + timedelta(days=1))),
        lambda side: signed(side, typ="JWT"),
        forged,
        lambda _: "no token",
    ],
    ids=["of another", "expired", "from the future", "another kind", "forged", "none"],
)
def test_metadata_that_do_not_hold_tell_nothing(world: World, make: Callable[[IssuerSide], str]) -> None:
    """Each has one fault alone; as it should be, it tells the certificate."""
    side = world.university
    assert signer_of_metadata(signed(side), issuer=side.url, anchors=anchors(world), now=world.clock()).names(side.url)
    with pytest.raises(ProtocolError):
        signer_of_metadata(make(side), issuer=side.url, anchors=anchors(world), now=world.clock())


def test_nobody_under_the_same_root_vouches_for_another_address(world: World) -> None:
    """A certificate of the root that names another address signs metadata about this one: they tell nothing."""
    side = world.university
    token = signed(side, sub="https://other.example")
    with pytest.raises(UntrustedChain, match="does not name the issuer"):
        signer_of_metadata(token, issuer="https://other.example", anchors=anchors(world), now=world.clock())


async def test_signed_metadata_are_fetched_only_where_they_can_tell_something(world: World) -> None:
    """Not for an issuer that the list names, nor where no root is trusted alone."""
    vault = await world.wallet.person()
    world.wallet.trust(entry(world, identifier=world.university.url))
    await world.wallet.begin(vault, world.university.offer()[0].offer)
    url = credential_issuer_metadata_url(world.university.url)
    assert world.network.seen.count(("GET", url)) == 1
