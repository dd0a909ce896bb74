"""Passkeys as ways into a vault: opened with, named, removed, and in place of the passphrase of a share."""

import sqlite3
from typing import Any

import pytest

from proofs.passkeys import PasskeyRefused
from schemas.errors import NotFound
from tests.wallet.authenticator import Authenticator
from tests.wallet.fake_verifier import notice, query
from tests.wallet.test_ledger import shared
from tests.wallet.test_vault import _bytes_at_rest
from tests.world import PASSPHRASE, World
from wallet.delivery import DeliveryState
from wallet.histories import Histories
from wallet.key_ring import KeyRing, NoPRF, TooManyPasskeys
from wallet.leaving import Leaving
from wallet.ledger import EventKind, Outcome
from wallet.passkeys import MOST_PASSKEYS, PasskeyOpensNothing, UnsuitablePasskeyName
from wallet.sharing.confirming import purpose_of
from wallet.vault import UnlockedVault, WrongPassphrase

pytestmark = pytest.mark.anyio


def the_ring(world: World) -> KeyRing:
    """The passkeys of this world's wallet."""
    return KeyRing(world.wallet.deployment)


def a_device(world: World) -> Authenticator:
    """A device in the hands of somebody at this world's wallet."""
    return Authenticator(world.wallet.settings.origin)


async def added(world: World, vault: UnlockedVault, name: str = "Telefonen") -> Authenticator:
    """A device that opens the vault."""
    ring, device = the_ring(world), a_device(world)
    answer, prf = device.register(await ring.begin(vault, PASSPHRASE))
    ring.add(vault, answer, prf, name=name)
    return device


def opened_by(world: World, device: Authenticator, *, name: str = "") -> UnlockedVault:
    """The vault that a device opens now."""
    ring = the_ring(world)
    answer, prf = device.sign(ring.ask_to_unlock())
    return ring.unlock(answer, prf, name=name)


def tamper(world: World, statement: str) -> None:
    """Change the database from outside."""
    with sqlite3.connect(world.wallet.settings.data / "wallet.sqlite3") as connection:
        connection.execute(statement)
    connection.close()


def read(world: World, statement: str) -> list[tuple[Any, ...]]:
    """Read the database from outside."""
    connection = sqlite3.connect(world.wallet.settings.data / "wallet.sqlite3")
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


# --- opening --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "Maja", "  maja "])
async def test_a_passkey_opens_its_vault_with_the_name_or_without(world: World, name: str) -> None:
    """Everything that is in the vault is there, and the day of use is noted."""
    vault = await world.wallet.person("Maja")
    certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)
    device = await added(world, vault)
    world.clock.move(hours=1)

    opened = opened_by(world, device, name=name)

    assert [one.id for one in opened.certificates()] == [certificate.id]
    (passkey,) = the_ring(world).passkeys(opened)
    assert (passkey.name, passkey.used_at) == ("Telefonen", world.clock())


async def test_a_passkey_does_not_open_under_another_name(world: World) -> None:
    """The name of somebody else, or of nobody, gives the same refusal as a passkey that is not known."""
    device = await added(world, await world.wallet.person("Maja"))
    await world.wallet.person("Otto")

    for name in ("Otto", "Nobody"):
        with pytest.raises(PasskeyOpensNothing):
            opened_by(world, device, name=name)
    with pytest.raises(PasskeyOpensNothing):
        opened_by(world, a_device(world))


async def test_another_function_opens_nothing(world: World) -> None:
    """A device that signs with the right key but computes something else, or nothing, does not open the vault."""
    device = await added(world, await world.wallet.person("Maja"))

    device.secret = bytes(32)
    with pytest.raises(PasskeyOpensNothing):
        opened_by(world, device)
    device.has_prf = False
    with pytest.raises(PasskeyOpensNothing):
        opened_by(world, device)


async def test_a_device_without_the_function_is_not_kept(world: World) -> None:
    """It could sign in and open nothing: it is refused, and no row rests of it."""
    vault = await world.wallet.person("Maja")
    ring, device = the_ring(world), a_device(world)
    device.has_prf = False
    answer, prf = device.register(await ring.begin(vault, PASSPHRASE))

    with pytest.raises(NoPRF):
        ring.add(vault, answer, prf, name="Telefonen")

    assert ring.passkeys(vault) == []
    assert read(world, "SELECT id FROM passkey") == []


async def test_nothing_of_a_passkey_is_readable_at_rest(world: World) -> None:
    """Neither its name nor the device's identifier, key or function stand in the files."""
    device = await added(world, await world.wallet.person("Maja"), name="Telefonen i hallen")
    opened_by(world, device)

    at_rest = _bytes_at_rest(world.wallet.settings.data)

    for secret in (b"Telefonen i hallen", device.credential_id, device.secret, device.user_handle):
        assert secret not in at_rest


async def test_a_passkey_is_made_only_by_who_has_the_passphrase(world: World) -> None:
    """An open browser that somebody left is not enough to add a way in for later."""
    vault = await world.wallet.person("Maja")

    with pytest.raises(WrongPassphrase):
        await the_ring(world).begin(vault, "something else")


async def test_passkeys_are_named_and_counted(world: World) -> None:
    """A name of one to 60 printable characters; at most twenty passkeys; another person's is not there."""
    vault = await world.wallet.person("Maja")
    ring = the_ring(world)
    await added(world, vault)
    (passkey,) = ring.passkeys(vault)

    vault = await world.wallet.person("Maja")
    ring.rename(vault, passkey.id, "  Datorn   hemma ")
    assert ring.passkey(vault, passkey.id).name == "Datorn hemma"
    for name in ("", "x" * 61, "a\x00b"):
        with pytest.raises(UnsuitablePasskeyName):
            ring.rename(vault, passkey.id, name)
    otto = await world.wallet.person("Otto")
    with pytest.raises(NotFound):
        ring.rename(otto, passkey.id, "Mitt")
    with pytest.raises(NotFound):
        await ring.remove(otto, passkey.id, PASSPHRASE, is_lost=True)


async def test_there_are_at_most_twenty(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound holds when the browser is asked, and when two are added at the same time."""
    monkeypatch.setattr("wallet.key_ring.MOST_PASSKEYS", 2)
    assert MOST_PASSKEYS == 20
    vault = await world.wallet.person("Maja")
    ring, late = the_ring(world), a_device(world)
    asked = await ring.begin(vault, PASSPHRASE)
    await added(world, vault)
    await added(world, vault)

    with pytest.raises(TooManyPasskeys):
        await ring.begin(vault, PASSPHRASE)
    answer, prf = late.register(asked)
    with pytest.raises(TooManyPasskeys):
        ring.add(vault, answer, prf, name="Sen")


# --- removing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_lost", [True, False])
async def test_a_removed_passkey_opens_nothing_and_sessions_end(world: World, is_lost: bool) -> None:
    """Nor when its row is put back; the others and the passphrase still open; the history tells it."""
    vault = await world.wallet.person("Maja")
    lost, kept = await added(world, vault, "Borta"), await added(world, vault, "Kvar")
    wallet, ring = world.wallet.deployment, the_ring(world)
    vault = await world.wallet.person("Maja")
    cookie = await wallet.sessions.open(vault.person_id, now=world.clock())
    passkey = next(one for one in ring.passkeys(vault) if one.name == "Borta")
    tamper(world, f"CREATE TABLE kept AS SELECT * FROM passkey WHERE id = '{passkey.id}'")

    await ring.remove(vault, passkey.id, PASSPHRASE, is_lost=is_lost)

    assert await wallet.sessions.load(cookie, now=world.clock()) is None
    with pytest.raises(PasskeyOpensNothing):
        opened_by(world, lost)
    tamper(world, "INSERT INTO passkey SELECT * FROM kept")
    with pytest.raises(PasskeyOpensNothing):
        opened_by(world, lost)
    assert opened_by(world, kept).person_id == vault.person_id
    book = Histories(wallet).read(await world.wallet.person("Maja"))
    assert book.is_intact
    assert book.entries[0].outcome is Outcome.PASSKEY_REMOVED
    assert book.entries[0].who.sv == "Borta"
    assert any(event.kind is EventKind.KEY_CHANGED for event in book.entries[0].events) is is_lost


async def test_a_passkey_is_removed_only_with_the_passphrase(world: World) -> None:
    """Otherwise an open browser would be enough to lock its owner out."""
    vault = await world.wallet.person("Maja")
    device = await added(world, vault)
    vault = await world.wallet.person("Maja")
    (passkey,) = the_ring(world).passkeys(vault)

    for is_lost in (True, False):
        with pytest.raises(WrongPassphrase):
            await the_ring(world).remove(vault, passkey.id, "something else", is_lost=is_lost)

    assert opened_by(world, device).person_id == vault.person_id


async def test_leaving_takes_passkeys_along(world: World) -> None:
    """No wrapped key of a vault outlives it."""
    vault = await world.wallet.person("Maja")
    device = await added(world, vault)

    Leaving(world.wallet.deployment).take_keys(vault)

    assert read(world, "SELECT id FROM passkey") == []
    with pytest.raises(PasskeyOpensNothing):
        opened_by(world, device)


# --- confirming a share ---------------------------------------------------------------------------------------------


async def test_a_passkey_confirms_a_share_and_the_history_says_so(world: World) -> None:
    """In place of the passphrase, for this very decision, once."""
    sharer, employer, _ = await shared(world)
    device = await added(world, sharer.vault)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    digest = sharer.decision(share_id).digest
    answer, _ = device.sign(the_ring(world).ask_to_confirm(sharer.vault, purpose_of(share_id, digest)))

    delivery = await sharer.sharing.approve(
        sharer.vault, share_id, language="en", approved_digest=digest, passkey=answer
    )

    assert delivery.state is DeliveryState.DELIVERED
    assert (sharer.entry(share_id).decided or {})["method"] == "passkey"


async def test_a_passkey_confirms_nothing_but_what_it_signed_for(world: World) -> None:
    """Not another share, not another digest, not with an answer for opening, of another person, or used before."""
    sharer, employer, former = await shared(world)
    device = await added(world, sharer.vault)
    others = await added(world, await world.wallet.person("Otto"))
    ring = the_ring(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    digest = sharer.decision(share_id).digest
    used, _ = device.sign(ring.ask_to_confirm(sharer.vault, purpose_of(share_id, digest)))
    ring.confirm(sharer.vault, used, purpose=purpose_of(share_id, digest))
    otto = await world.wallet.person("Otto")
    refused = [
        used,
        device.sign(ring.ask_to_confirm(sharer.vault, purpose_of(former, digest)))[0],
        device.sign(ring.ask_to_confirm(sharer.vault, purpose_of(share_id, "another")))[0],
        device.sign(ring.ask_to_unlock())[0],
        others.sign(ring.ask_to_confirm(sharer.vault, purpose_of(share_id, digest)))[0],
        others.sign(ring.ask_to_confirm(otto, purpose_of(share_id, digest)))[0],
    ]

    for answer in refused:
        with pytest.raises(PasskeyRefused):
            await sharer.sharing.approve(sharer.vault, share_id, language="en", approved_digest=digest, passkey=answer)

    assert sharer.entry(share_id).outcome is Outcome.OPEN
