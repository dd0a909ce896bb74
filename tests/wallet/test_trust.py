"""Whom the wallet trusts: entries and signed lists, followed by their address and pinned key."""

from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import update

from proofs.keys import generate_signer
from proofs.sealing import SealBroken
from proofs.trust import TrustEntry, sign_trust_list
from tests.world import World
from wallet.store.tables import TrustRow
from wallet.trusted import NotAList, entries_of, refreshed, source_of_entry, source_of_list

pytestmark = pytest.mark.anyio

LIST_KEY = generate_signer()
LIST_URL = "https://lists.example/trust"


def edition(world: World, entries: list[TrustEntry], *, sequence: int, days: float = 7) -> str:
    """One edition of the list."""
    now = world.clock()
    return sign_trust_list(
        entries, signer=LIST_KEY, sequence=sequence, issued_at=now, next_update=now + timedelta(days=days)
    )


async def test_a_list_is_followed(world: World) -> None:
    """A newer edition counts at once, an older one never, one by another key never."""
    wallet = world.wallet_at("w.example").deployment
    entry = world.university.trust_entry
    source = source_of_list(LIST_URL, edition(world, [], sequence=5), key_jwk=LIST_KEY.public_jwk, now=world.clock())
    with wallet.database.transaction() as connection:
        wallet.trust_store.put(connection, source)
    current = edition(world, [entry], sequence=6)

    def serve(request: httpx2.Request) -> httpx2.Response | None:
        return httpx2.Response(200, text=current) if str(request.url) == LIST_URL else None

    with world.network.answering(serve):
        assert wallet.trust().entries == ()
        await wallet.refresh_trust()
        assert [e.id for e in wallet.trust().entries] == [entry.id]
        current = edition(world, [], sequence=4)
        await wallet.refresh_trust()
        assert len(wallet.trust().entries) == 1
        other = generate_signer()
        now = world.clock()
        current = sign_trust_list([], signer=other, sequence=9, issued_at=now, next_update=now + timedelta(days=1))
        await wallet.refresh_trust()
        assert len(wallet.trust().entries) == 1


async def test_a_list_that_should_have_been_replaced_counts_no_more(world: World) -> None:
    """After its next update nobody is trusted by an old list, until a newer one comes."""
    wallet = world.wallet_at("w.example").deployment
    token = edition(world, [world.university.trust_entry], sequence=1, days=1)
    source = source_of_list(LIST_URL, token, key_jwk=LIST_KEY.public_jwk, now=world.clock())
    with wallet.database.transaction() as connection:
        wallet.trust_store.put(connection, source)
    assert len(wallet.trust().entries) == 1

    world.clock.move(days=2)

    assert wallet.trust().entries == ()
    assert (
        len(
            entries_of(
                refreshed(source, edition(world, [world.university.trust_entry], sequence=2), now=world.clock()),
                now=world.clock(),
            )
        )
        == 1
    )


async def test_what_is_no_list_is_refused(world: World) -> None:
    """A page, an empty answer or a list by another key is not added."""
    for token in ("", "<html>", edition(world, [], sequence=1)[:-4] + "AAAA"):
        with pytest.raises(NotAList):
            source_of_list(LIST_URL, token, key_jwk=LIST_KEY.public_jwk, now=world.clock())


async def test_the_database_file_alone_neither_tells_nor_changes_whom_we_trust(world: World) -> None:
    """Trust rests sealed under the device secret: it cannot be read in the file, nor moved or forged there."""
    wallet = world.wallet.deployment
    entry = world.university.trust_entry
    rests = b"".join(file.read_bytes() for file in world.wallet.settings.data.glob("wallet.sqlite3*"))
    assert b"university.example" not in rests
    assert entry.anchor_pem.encode()[30:90] not in rests

    with wallet.database.transaction() as connection:
        wallet.trust_store.put(connection, source_of_entry(world.stranger.trust_entry))
        rows = connection.execute(TrustRow.__table__.select()).all()  # type: ignore[attr-defined]
        connection.execute(update(TrustRow).values(sealed_entry=rows[0].sealed_entry))
    with pytest.raises(SealBroken):
        wallet.trust()


async def test_removing_an_issuer_shows_in_its_certificates(world: World) -> None:
    """A certificate whose issuer was removed from trust is shown as one of an unknown issuer."""
    vault = await world.wallet.person()
    certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)
    wallet = world.wallet.deployment
    with wallet.database.transaction() as connection:
        assert wallet.trust_store.remove(connection, world.university.trust_entry.id)
        assert not wallet.trust_store.remove(connection, "nothing")

    again = await wallet.check_again(vault, certificate)

    assert not again.issuer_trusted
    assert again.report.unknown == ["issuer_trusted"]
