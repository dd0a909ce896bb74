"""Certificates on their way come along in the file of a wallet, and are fetched where it is read in."""

from typing import Any

import pytest

from issuer.deferral import Review
from proofs import strict_json
from schemas.types import CREDENTIAL_TYPES
from tests.wallet.test_fetching import Source, away
from tests.wallet.test_portability import FILE_PASSPHRASE, export, import_into
from tests.world import PASSPHRASE, World
from wallet.archive import ExportBroken, read_archive
from wallet.collection import Collection, Stage
from wallet.portability import Imported, Portability
from wallet.vault import UnlockedVault

pytestmark = pytest.mark.anyio

ON_THEIR_WAY = "on-their-way.json"


async def waiting(world: World, source: Source, vault: UnlockedVault) -> str:
    """A certificate that its issuer has to look at first; returns the collection."""
    wallet = world.wallet.deployment
    collection_id, collection = await away(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    assert wallet.collection(vault, collection_id).stage is Stage.PENDING
    return collection_id


def approve(world: World, source: Source) -> None:
    """The issuer has looked at it."""
    deferrals = source.side.context.store.deferrals
    (one,) = deferrals.list_waiting()
    deferrals.review(one.offer_id, Review.APPROVED, now=world.clock())


async def elsewhere(world: World, file: bytes) -> tuple[Any, UnlockedVault, Imported]:
    """The file, read in at another wallet service which trusts the same issuers."""
    other = world.wallet_at("elsewhere.example")
    other.trust(world.university.trust_entry)
    vault = await other.deployment.create("Otto", PASSPHRASE, language="en")
    done = await Portability(other.deployment).import_file(
        vault, file, passphrase=FILE_PASSPHRASE, try_out=lambda *_: None, with_trust=True
    )
    return other.deployment, vault, done


async def items_of(world: World, vault: UnlockedVault) -> list[dict[str, Any]]:
    """What the file says of what is on its way."""
    content = read_archive(await export(world, vault, passphrase=None))[ON_THEIR_WAY]
    items: list[dict[str, Any]] = strict_json.loads(content)
    return items


async def test_what_is_on_its_way_arrives_in_another_vault_after_days(world: World) -> None:
    """Within one wallet service what it takes to ask again comes along, sealed for that service."""
    source = Source(world, reviewed_types="micro-credential")
    maja, otto = await world.wallet.person("Maja"), await world.wallet.person("Otto")
    await waiting(world, source, maja)

    done = await import_into(world, otto, await export(world, maja))
    approve(world, source)
    world.clock.move(days=2)
    await world.wallet.deployment.resume(otto)

    assert (done.on_their_way, done.briefly) == (1, 0)
    (certificate,) = otto.certificates()
    assert certificate.status == "valid"
    assert certificate.renewal is None, "the token is the other wallet's as well"
    (collection,) = world.wallet.deployment.collections(otto).values()
    assert (collection.stage, collection.has_come) == (Stage.DONE, True)


async def test_another_wallet_service_fetches_it_while_the_token_lives(world: World) -> None:
    """The access token comes along with its key."""
    source = Source(world, reviewed_types="micro-credential")
    maja = await world.wallet.person("Maja")
    await waiting(world, source, maja)
    wallet, vault, done = await elsewhere(world, await export(world, maja))

    approve(world, source)
    world.clock.move(minutes=2)
    await wallet.resume(vault)

    assert (done.on_their_way, done.briefly) == (1, 1)
    (certificate,) = vault.certificates()
    assert certificate.status == "valid"


async def test_another_wallet_service_says_that_it_is_too_late(world: World) -> None:
    """The token to ask later with is bound to a key that stayed: the first wallet can fetch it, this one no more."""
    source = Source(world, reviewed_types="micro-credential")
    maja = await world.wallet.person("Maja")
    await waiting(world, source, maja)
    wallet, vault, _ = await elsewhere(world, await export(world, maja))

    approve(world, source)
    world.clock.move(days=2)
    await wallet.resume(vault)
    await world.wallet.deployment.resume(maja)

    (collection,) = wallet.collections(vault).values()
    assert (collection.stage, collection.problem) == (Stage.FAILED, "stayed_behind")
    assert len(maja.certificates()) == 1, "nothing was taken from the first one"


async def test_what_the_first_wallet_has_fetched_is_not_fetched_again(world: World) -> None:
    """The second one says so, and proves no key that came in a file: both would have the same one-time copies."""
    source = Source(world, reviewed_types="micro-credential")
    maja, otto = await world.wallet.person("Maja"), await world.wallet.person("Otto")
    await waiting(world, source, maja)
    await import_into(world, otto, await export(world, maja))
    approve(world, source)
    world.clock.move(days=2)

    await world.wallet.deployment.resume(maja)
    await world.wallet.deployment.resume(otto)

    assert (len(maja.certificates()), len(otto.certificates())) == (1, 0)
    (collection,) = world.wallet.deployment.collections(otto).values()
    assert (collection.stage, collection.problem) == (Stage.FAILED, "fetched_elsewhere")
    assert source.side.context.store.status.list_issued(limit=10)[0].copies == 10


async def test_the_same_file_again_fetches_nothing_twice(world: World) -> None:
    """In the wallet that it was saved from, before and after the certificate has come."""
    source = Source(world, reviewed_types="micro-credential")
    maja = await world.wallet.person("Maja")
    await waiting(world, source, maja)
    file = await export(world, maja)

    assert (await import_into(world, maja, file)).on_their_way == 0
    approve(world, source)
    world.clock.move(days=2)
    await world.wallet.deployment.resume(maja)
    assert (await import_into(world, maja, file)).on_their_way == 0
    assert len(world.wallet.deployment.collections(maja)) == len(maja.certificates()) == 1


async def test_no_key_that_is_vouched_for_leaves_the_service(world: World) -> None:
    """Whoever reads the plain file gets neither the attested key nor the token that is bound to it."""
    source = Source(world, reviewed_types="micro-credential")
    maja = await world.wallet.person("Maja")
    collection = world.wallet.deployment.collection(maja, await waiting(world, source, maja))
    assert collection.refresh_token

    (item,) = await items_of(world, maja)
    written = strict_json.dumps(item).decode()

    assert collection.client["instance"]["d"] not in written
    assert collection.refresh_token not in written
    assert item["metadata"]["credential_issuer"] == source.side.url
    assert "home" in item


async def test_an_issuer_that_knows_no_wallet_gives_a_token_that_comes_along(world: World) -> None:
    """It was given to nobody in particular, so that another wallet service can ask after days."""
    issuer = world.issuer("plain.example", reviewed_types="micro-credential", anonymous_access=True)
    world.wallet.trust(issuer.trust_entry)
    maja = await world.wallet.person("Maja")
    offer = issuer.offer("micro-credential")[0]
    collection = await world.wallet.collect(maja, offer.offer)
    assert (collection.stage, collection.is_named) == (Stage.PENDING, False)
    wallet, vault, done = await elsewhere(world, await export(world, maja))

    (one,) = issuer.context.store.deferrals.list_waiting()
    issuer.context.store.deferrals.review(one.offer_id, Review.APPROVED, now=world.clock())
    world.clock.move(days=2)
    await wallet.resume(vault)

    assert (done.on_their_way, done.briefly) == (1, 0)
    (certificate,) = vault.certificates()
    assert certificate.vct == CREDENTIAL_TYPES["micro-credential"].vct


async def test_an_import_that_breaks_off_leaves_nothing_on_its_way(world: World) -> None:
    """All or nothing: what is on its way is shown once before it is kept, as everything else."""
    source = Source(world, reviewed_types="micro-credential")
    maja, otto = await world.wallet.person("Maja"), await world.wallet.person("Otto")
    await waiting(world, source, maja)
    shown: list[Collection] = []

    def breaks(_certificates: object, _book: object, collections: list[Collection]) -> None:
        shown.extend(collections)
        raise ValueError

    with pytest.raises(ExportBroken):
        await Portability(world.wallet.deployment).import_file(
            otto, await export(world, maja), passphrase=FILE_PASSPHRASE, try_out=breaks
        )

    assert len(shown) == 1
    assert world.wallet.deployment.collections(otto) == {}
