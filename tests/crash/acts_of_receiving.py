"""Receiving: an offer, fetching with a sign-in, what is deferred, and renewal (durability D01 to D03)."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from issuer.deferral import Review
from tests.crash.acting import Act, Given, Tell
from tests.crash.judging import issuer_holds, nothing_lies_about, status_lists_of, wallet_holds
from tests.crash.stage import Stage
from wallet.collection import Stage as CollectionStage
from wallet.deleting import Deleting
from wallet.offers import OfferUnusable
from wallet.vault import UnlockedVault


def issuer_database(stage: Stage, host: str = "university.example") -> Path:
    """The database of an issuer."""
    return stage.directory / host / "issuer.sqlite3"


async def finish(stage: Stage, vault: UnlockedVault) -> None:
    """What the wallet does whenever it is opened, as often as a person who waits opens it."""
    for _ in range(3):
        await stage.world.wallet.deployment.resume(vault)
        stage.move(seconds=61)


async def kept(stage: Stage, vault: UnlockedVault, host: str = "university.example") -> None:
    """One certificate with all its copies; the issuer has given exactly those slots for it.

    A list whose publishing was cut off is published when somebody reads it later, over what lies there of the first.
    """
    (certificate,) = vault.certificates()
    assert certificate.copies_total == 10
    issuer_holds(issuer_database(stage, host))
    wallet_holds(stage.world.wallet.deployment, vault)
    stage.move(days=1)
    for url in status_lists_of(stage.world.wallet.deployment, vault):
        await stage.read(url)
    nothing_lies_about(stage.directory)


# --- an offer --------------------------------------------------------------------------------------------------------


async def with_offer(stage: Stage) -> Given:
    """Maja has an offer."""
    await stage.maja()
    (offer,) = stage.world.university.make_offers()[:1]
    return {"offer": offer.id, "link": stage.world.university.context.links_of(offer).offer}


async def receive(stage: Stage, given: Given, tell: Tell) -> None:
    """She receives it."""
    vault = await stage.maja()
    await stage.world.wallet.collect(vault, given["link"])
    tell(received=True)


async def receive_again(stage: Stage, given: Given) -> None:
    """She opens her wallet, uses the link again when nothing came of it, and asks for a new one when that is spent."""
    vault = await stage.maja()
    await finish(stage, vault)
    if not vault.certificates():
        with suppress(OfferUnusable):  # It is spent.
            await stage.world.wallet.collect(vault, given["link"])
    if not vault.certificates():
        university = stage.world.university.context
        university.store.offers.offer_again(given["offer"], now=stage.world.clock())
        again = university.store.offers.get(given["offer"], now=stage.world.clock())
        await stage.world.wallet.collect(vault, university.links_of(again).offer)


async def received_once(stage: Stage, given: Given, told: Given) -> None:
    """One certificate, and one at the issuer."""
    vault = await stage.maja()
    await kept(stage, vault)
    issued = stage.world.university.context.store.status.list_issued(limit=10)
    assert [(one.id, one.copies) for one in issued] == [(given["offer"], 10)]


# --- fetching --------------------------------------------------------------------------------------------------------

_reviewed: dict[str, Any] = {"reviewed_types": "micro-credential"}


def open_source(stage: Stage, **settings: Any) -> Any:
    """Open everything that fetching needs, once in a process."""
    if stage.opened_source is None:
        stage.opened_source = stage.source(**settings)
    return stage.opened_source


async def before_signing_in(stage: Stage, **settings: Any) -> Given:
    """Maja's vault, and a source."""
    await stage.maja()
    open_source(stage, **settings)
    return {}


async def fetch(stage: Stage, given: Given, tell: Tell) -> None:
    """She chooses to fetch, signs in, agrees, and comes back."""
    vault, source, wallet = await stage.maja(), open_source(stage), stage.world.wallet.deployment
    collection_id = await wallet.look_for(vault, source.side.url, source.vct)
    collection = await wallet.begin_sign_in(vault, collection_id)
    if collection.sign_in_url:  # Else the source is away, and she reads that.
        await wallet.come_back(vault, source.allow(collection.sign_in_url))
    tell(fetched=True)


async def fetch_again(stage: Stage, given: Given) -> None:
    """The wallet goes on by itself where it can; else she begins the same collection again, or a new one."""
    vault, source, wallet = await stage.maja(), open_source(stage), stage.world.wallet.deployment
    await finish(stage, vault)
    if vault.certificates():
        return
    open_ones = {i: one for i, one in wallet.collections(vault).items() if one.stage is not CollectionStage.FAILED}
    if not open_ones:
        open_ones = {await wallet.look_for(vault, source.side.url, source.vct): None}  # type: ignore[dict-item]
    for collection_id in open_ones:
        collection = await wallet.begin_sign_in(vault, collection_id)
        await wallet.come_back(vault, source.allow(collection.sign_in_url))


async def fetched_once(stage: Stage, given: Given, told: Given) -> None:
    """One certificate in the wallet; what the source gave in vain has no copies that anybody could show."""
    await kept(stage, await stage.maja(), "source.example")


# --- fetching two with one sign-in -----------------------------------------------------------------------------------

COURSES = ("DT4011", "DT4012")


def open_source_of_two(stage: Stage) -> Any:
    """A source with two courses: asked by scope, as the wallet does, it names each of those that are ticked."""
    if stage.opened_source is None:
        stage.opened_source = stage.source(*COURSES)
    return stage.opened_source


async def before_signing_in_for_two(stage: Stage) -> Given:
    """Maja's vault, and that source."""
    await stage.maja()
    open_source_of_two(stage)
    return {}


async def fetch_two_again(stage: Stage, given: Given) -> None:
    """The wallet goes on by itself where it can; else she begins again."""
    vault, source, wallet = await stage.maja(), open_source_of_two(stage), stage.world.wallet.deployment
    await finish(stage, vault)
    if not vault.certificates():
        await fetch_again(stage, given)
    assert source.side.context.store.events.is_whole()
    assert not [one for one in wallet.collections(vault).values() if one.stage is CollectionStage.FAILED]


async def fetched_both_once(stage: Stage, given: Given, told: Given) -> None:
    """Each course once, each with its ten copies, none of which is the other's."""
    vault = await stage.maja()
    assert sorted(str(one.claims["course_code"]) for one in vault.certificates()) == list(COURSES)
    assert [one.copies_total for one in vault.certificates()] == [10, 10]
    issuer_holds(issuer_database(stage, "source.example"))
    wallet_holds(stage.world.wallet.deployment, vault)


# --- deferred --------------------------------------------------------------------------------------------------------


async def approved_meanwhile(stage: Stage) -> Given:
    """She fetched something that had to be looked at, and it was approved two days later."""
    vault = await stage.maja()
    source, wallet = open_source(stage, **_reviewed), stage.world.wallet.deployment
    collection_id = await wallet.look_for(vault, source.side.url, source.vct)
    collection = await wallet.begin_sign_in(vault, collection_id)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    deferrals = source.side.context.store.deferrals
    (waiting,) = deferrals.list_waiting()
    deferrals.review(waiting.offer_id, Review.APPROVED, now=stage.world.clock())
    stage.move(days=2)
    return {}


async def collect_deferred(stage: Stage, given: Given, tell: Tell) -> None:
    """She opens her wallet."""
    await stage.world.wallet.deployment.resume(await stage.maja())
    tell(resumed=True)


async def open_the_wallet(stage: Stage, given: Given) -> None:
    """She opens it again, and has to do nothing else."""
    await finish(stage, await stage.maja())


# --- renewal ---------------------------------------------------------------------------------------------------------


async def running_out(stage: Stage) -> Given:
    """A certificate was fetched, and all its copies but one were shown."""
    vault, wallet = await stage.maja(), stage.world.wallet.deployment
    source = open_source(stage)
    collection_id = await wallet.look_for(vault, source.side.url, source.vct)
    collection = await wallet.begin_sign_in(vault, collection_id)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    (certificate,) = vault.certificates()
    from wallet.store.certificates import take_copy

    for _ in range(9):
        with wallet.database.transaction() as connection:
            take_copy(connection, vault, certificate.id)
    stage.move(hours=25)
    return {"certificate": certificate.id}


async def renewed_once(stage: Stage, given: Given, told: Given) -> None:
    """The same certificate, with one set of fresh copies beside what was left."""
    vault = await stage.maja()
    (certificate,) = vault.certificates()
    assert certificate.id == given["certificate"]
    assert (certificate.copies_left, certificate.copies_total) == (11, 20)
    issuer_holds(issuer_database(stage, "source.example"))
    wallet_holds(stage.world.wallet.deployment, vault)


# --- telling of a deletion -------------------------------------------------------------------------------------------


async def fetched(stage: Stage) -> Given:
    """Maja has a certificate that she fetched."""
    await before_signing_in(stage)
    await fetch(stage, {}, lambda **_: None)
    stage.move(days=1)
    return {}


async def delete_and_tell(stage: Stage, given: Given, tell: Tell) -> None:
    """She deletes it, and her wallet tells the source."""
    vault = await stage.maja()
    (certificate,) = vault.certificates()
    farewell = Deleting(stage.world.wallet.deployment).delete(vault, certificate.id)
    tell(deleted=True)
    await farewell.tell()


async def open_later(stage: Stage, given: Given) -> None:
    """She opens her wallet more than an hour later; where nothing was deleted she does it again."""
    stage.move(hours=2)
    vault = await stage.maja()
    await stage.world.wallet.deployment.resume(vault)
    if vault.certificates():
        await delete_and_tell(stage, given, lambda **_: None)


async def told_of_it(stage: Stage, given: Given, told: Given) -> None:
    """It is gone, the source knows it, and nothing waits to be told."""
    vault = await stage.maja()
    assert vault.certificates() == []
    assert stage.world.wallet.deployment.collections(vault) == {}
    kinds = [event.kind for event in open_source(stage).side.context.store.events.since(0)]
    assert kinds.count("credential_deleted") == 1, kinds
    issuer_holds(issuer_database(stage, "source.example"))
    wallet_holds(stage.world.wallet.deployment, vault)


def open_reviewed(stage: Stage) -> Any:
    """A source where somebody looks at every certificate first."""
    return open_source(stage, **_reviewed)


RECEIVING_ACTS = (
    Act("receive an offer", with_offer, receive, receive_again, received_once, alone=("wallet", "issuer")),
    Act(
        "fetch with a sign-in",
        before_signing_in,
        fetch,
        fetch_again,
        fetched_once,
        opens=open_source,
        alone=("wallet", "issuer"),
    ),
    Act(
        "fetch two with one sign-in",
        before_signing_in_for_two,
        fetch,
        fetch_two_again,
        fetched_both_once,
        opens=open_source_of_two,
        # The first has come, and then the first is stored; nothing has been asked for the second.
        by_default=("after request POST source.example/credential", "after commit by HeldCollection.store"),
    ),
    Act(
        "collect what was deferred",
        approved_meanwhile,
        collect_deferred,
        open_the_wallet,
        fetched_once,
        opens=open_reviewed,
        alone=("wallet", "issuer"),
    ),
    Act(
        "renew",
        running_out,
        collect_deferred,
        open_the_wallet,
        renewed_once,
        opens=open_source,
        alone=("wallet", "issuer"),
    ),
    Act(
        "tell of a deletion",
        fetched,
        delete_and_tell,
        open_later,
        told_of_it,
        opens=open_source,
        alone=("wallet", "issuer"),
    ),
)
