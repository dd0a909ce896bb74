"""What was fetched together shares one refresh token: each is renewed by itself, and the token is never lost or used
twice (RFC 9700, 4.14.2)."""

import asyncio
import threading
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest

from issuer.deferral import Review
from tests.wallet.test_fetching_several import (
    REGISTRATION,
    TARGET,
    away_for_both,
    employment_service,
    listening,
)
from tests.wallet.test_pages import send
from tests.wallet.test_public_client import known
from tests.world import PASSPHRASE, World
from wallet import receiving
from wallet.certificates import StoredCertificate
from wallet.collection import Collection, Stage
from wallet.deleting import Deleting
from wallet.store.certificates import delete_certificate, take_copy
from wallet.vault import UnlockedVault

pytestmark = pytest.mark.anyio
HOURS = 25
"""Long after the access token has ended: an old refresh token that is used now ends everything that came of it."""


async def running_out(world: World, **settings: Any) -> UnlockedVault:
    """Both were fetched with one sign-in, by a public client where `known` says so, and have two copies left."""
    source, vault = employment_service(world, **settings), await world.wallet.person()
    _, collection = await away_for_both(world, vault, source)
    await world.wallet.deployment.come_back(vault, source.allow(collection.sign_in_url))
    _use_up(world, vault, *vault.certificates())
    world.clock.move(hours=HOURS)
    return vault


def _use_up(world: World, vault: UnlockedVault, *certificates: StoredCertificate) -> None:
    with world.wallet.deployment.database.transaction() as connection:
        for certificate in certificates:
            for _ in range(certificate.copies_left - 2):
                take_copy(connection, vault, certificate.id)


def _left(vault: UnlockedVault) -> dict[str, int]:
    return {one.vct: one.copies_left for one in vault.certificates()}


def _refresh_tokens(sent: list[httpx2.Request]) -> list[str]:
    """The refresh tokens that were used, each as often as an answer to it counted: a try without a DPoP nonce does
    not."""
    used = [parse_qs(one.content.decode())["refresh_token"][0] for one in sent]
    return [token for at, token in enumerate(used) if used[at + 1 : at + 2] != [token]]


@pytest.mark.parametrize("public", [True, False])
async def test_both_are_renewed_one_by_one_with_a_token_that_changes(world: World, public: bool) -> None:
    """A public client's token is replaced at every use: the second renewal uses what the first one got, again and
    again; an attested one stays the same."""
    vault = await running_out(world, **({"known": known(world)} if public else {}))
    wallet = world.wallet.deployment
    with listening(world, "/token") as sent:
        for _ in range(2):
            await wallet.resume(vault)
            assert _left(vault) == {REGISTRATION.vct: 10, TARGET.vct: 10}
            assert len(vault.certificates()) == 2
            _use_up(world, vault, *vault.certificates())
            world.clock.move(hours=HOURS)

    used = _refresh_tokens(sent)
    assert len(set(used)) == (4 if public else 1)
    kept = {(one.renewal or {})["refresh_token"] for one in vault.certificates()}
    assert len(kept) == 1, "all that share it have the same one"
    assert (kept & set(used) == set()) is public


async def test_a_token_that_came_with_a_renewal_that_failed_is_not_lost(world: World) -> None:
    """The issuer replaces the token and then refuses the copies: the next renewals use the new one."""
    vault, wallet = await running_out(world, known=known(world)), world.wallet.deployment

    def refuse(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path == "/credential":
            return httpx2.Response(400, json={"error": "credential_request_denied"})
        return None

    with listening(world, "/token") as sent:
        with world.network.answering(refuse):
            await wallet.resume(vault)
        assert _left(vault) == {REGISTRATION.vct: 2, TARGET.vct: 2}
        world.clock.move(hours=HOURS)
        await wallet.resume(vault)

    assert _left(vault) == {REGISTRATION.vct: 10, TARGET.vct: 10}
    assert len(set(_refresh_tokens(sent))) == 4


async def test_of_two_that_renew_at_once_one_wins(world: World) -> None:
    """Two wallet processes on one database, each about to renew another certificate of the family: one begins, and the
    other finds that out; then the other way round. The token is never used twice."""
    vault, first = await running_out(world, known=known(world)), world.wallet.deployment
    second = world.wallet_at("wallet.example", world.wallet.settings.data)
    with listening(world, "/token") as sent:
        await asyncio.gather(first.resume(vault), second.deployment.resume(await second.person()))
        await first.resume(vault)

    assert _left(vault) == {REGISTRATION.vct: 10, TARGET.vct: 10}
    used = _refresh_tokens(sent)
    assert len(used) == len(set(used)) == 2


async def test_what_was_read_before_another_began_begins_nothing(world: World) -> None:
    """Two threads have seen that nobody renews, and begin at once with what they read, each with another of the family:
    one has begun. Nor does it help to read again while that is under way."""
    vault, wallet = await running_out(world, known=known(world)), world.wallet.deployment
    pair = vault.certificates()
    ready = threading.Barrier(2)

    def begin(certificate: StoredCertificate) -> list[str]:
        ready.wait(10)
        return wallet._begin_renewal(vault, certificate)

    begun = await asyncio.gather(*(asyncio.to_thread(begin, one) for one in pair))

    assert sorted(len(one) for one in begun) == [0, 1]
    assert [wallet._begin_renewal(vault, one) for one in (*pair, *vault.certificates())] == [[]] * 4
    assert [one.renews in {each.id for each in pair} for one in wallet.collections(vault).values()].count(True) == 1


async def test_what_still_waits_at_the_issuer_keeps_the_token_to_itself(world: World) -> None:
    """One has arrived and runs out while the other has to be looked at: it is renewed when that has ended, with the
    token that there is then."""
    source = employment_service(world, reviewed_types=REGISTRATION.name, known=known(world))
    vault, wallet = await world.wallet.person(), world.wallet.deployment
    collection_id, collection = await away_for_both(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))
    (arrived,) = vault.certificates()
    _use_up(world, vault, arrived)
    world.clock.move(hours=HOURS)
    await wallet.resume(vault)  # Still pending: asked for with a refreshed token.
    assert _left(vault) == {TARGET.vct: 2}
    deferrals = source.side.context.store.deferrals
    (one,) = deferrals.list_waiting()
    deferrals.review(one.offer_id, Review.APPROVED, now=world.clock())
    world.clock.move(hours=HOURS)

    await wallet.resume(vault)
    assert wallet.collection(vault, collection_id).stage is Stage.DONE
    await wallet.resume(vault)

    assert _left(vault) == {REGISTRATION.vct: 10, TARGET.vct: 10}


async def test_what_is_deleted_takes_nothing_from_the_other(world: World) -> None:
    """The person deletes the one that was renewed last: the other has the token too."""
    vault, wallet = await running_out(world, known=known(world)), world.wallet.deployment
    await wallet.resume(vault)
    gone, stays = vault.certificates()
    with wallet.database.transaction() as connection:
        delete_certificate(connection, vault, gone.id)
    _use_up(world, vault, stays)
    world.clock.move(hours=HOURS)

    await wallet.resume(vault)

    assert _left(vault) == {stays.vct: 10}


async def test_the_word_of_a_deletion_waits_without_holding_up_the_other(world: World) -> None:
    """One is deleted while its issuer takes no notifications; meanwhile the other is renewed, which replaces the token.
    The issuer is told with the token that there is then, and no token is used twice."""
    vault, wallet = await running_out(world, known=known(world)), world.wallet.deployment
    gone, stays = vault.certificates()

    def refuse(request: httpx2.Request) -> httpx2.Response | None:
        return httpx2.Response(503) if request.url.path == "/notification" else None

    with listening(world, "/token") as tokens:
        with world.network.answering(refuse):
            await Deleting(wallet).delete(vault, gone.id).tell()
        await wallet.resume(vault)
        assert _left(vault) == {stays.vct: 2}, "the farewell may still be being said"
        world.clock.move(hours=HOURS)
        with listening(world, "/notification") as told:
            await wallet.resume(vault)  # The renewal comes first, with the farewell's token; then the farewell.

    assert _left(vault) == {stays.vct: 10}
    assert [b"credential_deleted" in one.content for one in told].count(True) == 1
    assert all(one.stage is not Stage.FAREWELL for one in wallet.collections(vault).values())
    used = _refresh_tokens(tokens)
    assert len(used) == len(set(used)) == 3


async def test_a_farewell_waits_for_a_renewal_that_is_under_way(world: World) -> None:
    """Another window renews what shares the token: the word of the deletion is said later."""
    vault, wallet = await running_out(world, known=known(world)), world.wallet.deployment
    gone, stays = vault.certificates()
    assert wallet._begin_renewal(vault, stays)
    with listening(world, "/token") as tokens, listening(world, "/notification") as told:
        await Deleting(wallet).delete(vault, gone.id).tell()
        assert (tokens, told) == ([], [])
        await wallet.resume(vault)
        await wallet.resume(vault)

    assert [b"credential_deleted" in one.content for one in told].count(True) == 1
    used = _refresh_tokens(tokens)
    assert len(used) == len(set(used)) == 2


@pytest.mark.parametrize("seconds", [2**64 - 1, 2**63, 10**12])
async def test_no_number_in_a_token_answer_keeps_the_vault_shut(world: World, seconds: int) -> None:
    """An issuer says that its token lives for ever: the copies come, and the next opening is as any other."""
    vault = await running_out(world)

    def change(request: httpx2.Request, answer: httpx2.Response) -> httpx2.Response:
        if request.url.path != "/token" or answer.status_code != 200:
            return answer
        return httpx2.Response(200, json=answer.json() | {"expires_in": seconds}, request=request)

    with world.network.changing(change):
        await world.wallet.deployment.resume(vault)
    await world.wallet.deployment.resume(vault)

    assert _left(vault) == {REGISTRATION.vct: 10, TARGET.vct: 10}


async def test_a_collection_that_breaks_keeps_no_vault_shut(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fault of ours an answer finds: the right passphrase opens."""
    vault = await running_out(world)
    collect, broken = receiving.collect, vault.certificates()[0].id

    async def breaking(collection: Collection, **work: Any) -> Collection:
        if collection.renews == broken:
            raise OverflowError("an answer that nobody thought of")
        return await collect(collection, **work)

    monkeypatch.setattr(receiving, "collect", breaking)
    browser = world.wallet.browser()

    opened = send(browser, browser.get("/unlock"), "/unlock", name="Maja", passphrase=PASSPHRASE)

    assert opened.status_code == 200
    assert 'action="/lock"' in opened.text, "the vault is open"
