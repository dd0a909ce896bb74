"""Passkeys as ways into a vault, and the change of its key when a device is lost."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from proofs.passkeys import PasskeyRefused
from proofs.sealing import SealBroken
from schemas.errors import NotFound
from tests.wallet.authenticator import Authenticator
from tests.wallet.fake_verifier import notice, query
from tests.wallet.people import Sharer
from tests.wallet.test_ledger import shared
from tests.wallet.test_vault import _bytes_at_rest
from tests.world import PASSPHRASE, World
from wallet.delivery import DeliveryState
from wallet.histories import Histories
from wallet.key_ring import KeyRing, NoPRF, TooManyPasskeys
from wallet.leaving import Leaving
from wallet.ledger import Event, EventKind, HistoryFault, Outcome, new_entry_id
from wallet.passkeys import MOST_PASSKEYS, PasskeyOpensNothing, UnsuitablePasskeyName
from wallet.receipts import signed_receipt
from wallet.recovering import Recovery
from wallet.rekeying import Rekeyed, VaultDamaged
from wallet.sharing import Sharing
from wallet.sharing.confirming import purpose_of
from wallet.store.archived import add_missing_copies
from wallet.store.certificates import add_certificate, add_copies, update_view
from wallet.store.collections import add_collection
from wallet.store.ledger import append_event, delete_events, read_history
from wallet.store.people import VaultChanged
from wallet.store.shares import add_share
from wallet.store.tables import WalletTable
from wallet.store.take_back import add_means
from wallet.vault import UnlockedVault, WrongPassphrase
from wallet.ways_in import CodeOpensNothing

pytestmark = pytest.mark.anyio

OLD = Path(__file__).parents[1] / "vectors" / "wallet-schema-3"


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


def sealed_values(world: World) -> set[tuple[str, bytes]]:
    """Everything sealed to vaults that is in the database, with the table where it stands."""
    found: set[tuple[str, bytes]] = set()
    for table in WalletTable.metadata.sorted_tables:
        names = [one.name for one in table.columns if one.name.startswith("sealed_") or one.name == "wrapped_key"]
        if names and table.name not in ("trust", "recovery"):
            for row in read(world, f"SELECT {', '.join(names)} FROM {table.name}"):
                found |= {(table.name, value) for value in row if value is not None}
    return found


def copied_data(world: World) -> Path:
    """A copy of everything in the wallet's data directory, as a thief or a backup has it."""
    data = world.directory / "copied"
    shutil.copytree(world.wallet.settings.data, data)
    return data


async def lose(world: World, name: str) -> Rekeyed:
    """The person removes a passkey whose device is lost."""
    vault = await world.wallet.person("Maja")
    gone = next(one for one in the_ring(world).passkeys(vault) if one.name == name)
    return await the_ring(world).remove(vault, gone.id, PASSPHRASE, is_lost=True)


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


# --- another key ----------------------------------------------------------------------------------------------------


async def test_what_opened_a_copy_from_before_opens_nothing_of_after(world: World) -> None:
    """With the lost device, a copied database and device secret one reads what was then, nothing of later."""
    vault = await world.wallet.person("Maja")
    certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)
    lost, kept = await added(world, vault, "Borta"), await added(world, vault, "Kvar")
    copied = copied_data(world)
    rekeyed = await lose(world, "Borta")

    thief = world.wallet_at("wallet.example", copied).deployment
    ring = KeyRing(thief)
    answer, prf = lost.sign(ring.ask_to_unlock())
    former = ring.unlock(answer, prf, name="")
    assert [one.id for one in former.certificates()] == [certificate.id]  # What was then stays readable in the copy.
    now = world.wallet.deployment
    with pytest.raises(SealBroken):
        now.shelf.certificates(former)
    with pytest.raises(SealBroken):
        now.collections(former)
    with now.database.reading() as connection:
        history = read_history(connection, former)
    assert history.events == ()
    assert not history.is_intact
    # The former key knows the public half of the passkey that stays: it is no way in.
    (stays,) = the_ring(world).passkeys(rekeyed.vault)
    assert stays.holder in {one.holder for one in ring.passkeys(former)}
    assert opened_by(world, kept).certificates()


async def test_everything_is_sealed_anew_and_the_former_is_out_of_the_files(world: World) -> None:
    """No sealed value of before is left, in any table, nor in the log beside the database."""
    sharer, employer, share_id = await shared(world)
    await sharer.begin(employer.ask(query(), notice=notice()).link())
    await added(world, sharer.vault, "Borta")
    await added(world, sharer.vault, "Kvar")
    await world.wallet.begin(sharer.vault, world.university.offer("course-results")[0].offer)
    before = sealed_values(world)
    receipt, claims = signed_receipt(sharer.entry(share_id)), sharer.certificate.claims

    rekeyed = await lose(world, "Borta")

    assert {table for table, _ in before} == {
        "certificate", "copy", "collection", "share", "ledger", "ledger_head", "take_back", "passkey", "person",
    }  # fmt: skip
    assert not {value for _, value in before} & {value for _, value in sealed_values(world)}
    at_rest = _bytes_at_rest(world.wallet.settings.data)
    assert [table for table, value in before if value in at_rest] == []
    again = Sharer(world, rekeyed.vault, Sharing(world.wallet.deployment))
    book = Histories(world.wallet.deployment).read(rekeyed.vault)
    assert book.is_intact
    # What was signed, and perhaps confirmed, is the same to the last byte.
    assert signed_receipt(again.entry(share_id)).rpartition(".")[0] == receipt.rpartition(".")[0]
    assert again.certificate.claims == claims
    await added(world, rekeyed.vault, "Ny")
    assert Histories(world.wallet.deployment).read(rekeyed.vault).is_intact
    assert (await the_ring(world).change_key(await world.wallet.person("Maja"), PASSPHRASE)).vault.certificates()
    assert Histories(world.wallet.deployment).read(await world.wallet.person("Maja")).is_intact


async def test_the_recovery_code_stops_working_and_the_person_is_told(world: World) -> None:
    """It cannot be given the fresh key without the paper; another one can be made."""
    vault = await world.wallet.person("Maja")
    code = await Recovery(world.wallet.deployment).make(vault, PASSPHRASE)
    await added(world, await world.wallet.person("Maja"), "Borta")

    rekeyed = await lose(world, "Borta")

    assert rekeyed.lost_recovery_code
    assert rekeyed.vault.recovery_id == ""
    with pytest.raises(CodeOpensNothing):
        await Recovery(world.wallet.deployment).recover("Maja", code, new="nya ord som passar")
    assert not (await the_ring(world).change_key(rekeyed.vault, PASSPHRASE)).lost_recovery_code


async def test_deleted_entries_stay_deleted_and_damage_stays_damage(world: World) -> None:
    """Sealing anew neither brings back what was deleted nor mends what somebody changed."""
    sharer, _, share_id = await shared(world)
    wallet = world.wallet.deployment
    Histories(wallet).delete(sharer.vault, share_id)
    rekeyed = await the_ring(world).change_key(sharer.vault, PASSPHRASE)
    book = Histories(wallet).read(rekeyed.vault)
    assert (book.is_intact, len(book.deletions)) == (True, 1)
    assert share_id not in [entry.id for entry in book.entries]
    tamper(world, "UPDATE ledger SET content = zeroblob(32) WHERE sequence = 1")

    again = await the_ring(world).change_key(rekeyed.vault, PASSPHRASE)

    assert HistoryFault.CHANGED in Histories(wallet).read(again.vault).faults


async def test_an_event_sealed_anew_cannot_be_moved(world: World) -> None:
    """Neither to another place in the history nor beside another digest."""
    sharer, _, _ = await shared(world)
    rekeyed = await the_ring(world).change_key(sharer.vault, PASSPHRASE)
    tamper(
        world,
        "UPDATE ledger SET sealed_event = (SELECT sealed_event FROM ledger WHERE sequence = 1), "
        "content = (SELECT content FROM ledger WHERE sequence = 1) WHERE sequence = 2",
    )

    assert HistoryFault.CHANGED in Histories(world.wallet.deployment).read(rekeyed.vault).faults


@pytest.mark.parametrize("table", ["certificate", "copy", "take_back", "passkey"])
async def test_what_cannot_be_read_stops_all_of_it(world: World, table: str) -> None:
    """All or nothing: with one damaged row nothing is changed, and every way in is as it was."""
    sharer, _, _ = await shared(world)
    device = await added(world, sharer.vault, "Borta")
    await added(world, sharer.vault, "Kvar")
    column = {"certificate": "sealed_view", "copy": "sealed_key", "take_back": "sealed_means", "passkey": "sealed_view"}
    last = f"(SELECT max(rowid) FROM {table})"
    tamper(world, f"UPDATE {table} SET {column[table]} = zeroblob(90) WHERE rowid = {last}")
    before = sealed_values(world)

    vault = await world.wallet.person("Maja")
    passkey_id = vault.passkey_ids[0]
    with pytest.raises(VaultDamaged if table != "passkey" else SealBroken):
        await the_ring(world).remove(vault, passkey_id, PASSPHRASE, is_lost=True)
    with pytest.raises(VaultDamaged):
        await the_ring(world).change_key(vault, PASSPHRASE)

    assert sealed_values(world) == before
    assert opened_by(world, device).person_id == vault.person_id


async def test_who_had_the_vault_open_before_writes_nothing_over_it(world: World) -> None:
    """Something that was under way with the former key is refused: nobody could read what it would write."""
    sharer, employer, share_id = await shared(world)
    stale, wallet, now = sharer.vault, world.wallet.deployment, world.clock()
    certificate = sharer.certificate
    waiting = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    rekeyed = await the_ring(world).change_key(await world.wallet.person("Maja"), PASSPHRASE)
    before = sealed_values(world)

    def in_transaction(write: Callable[[Connection], object]) -> None:
        with wallet.database.transaction() as connection:
            write(connection)

    writes: list[Callable[[Connection], object]] = [
        lambda connection: append_event(connection, stale, Event(new_entry_id(), EventKind.CLOSED, now)),
        lambda connection: delete_events(connection, stale, share_id, now=now),
        lambda connection: add_certificate(connection, stale, {}, []),
        lambda connection: add_copies(connection, stale, certificate.id, []),
        lambda connection: add_missing_copies(connection, stale, certificate.id, []),
        lambda connection: update_view(connection, stale, certificate.id, {}, version=certificate.version),
        lambda connection: update_view(connection, stale, certificate.id, {}, version=certificate.version + 1),
        lambda connection: add_collection(connection, stale, None),  # type: ignore[arg-type]  # It is not looked at.
        lambda connection: add_share(connection, stale, "s", state="open", members={}, ends_at=now, now=now),
        lambda connection: add_means(connection, stale, "s", None, forget_at=now),  # type: ignore[arg-type]
    ]
    for write in writes:
        with pytest.raises(VaultChanged):
            in_transaction(write)
    for attempt in (
        wallet.change_passphrase(stale, old=PASSPHRASE, new="nya ord som passar"),
        Recovery(wallet).make(stale, PASSPHRASE),
        the_ring(world).change_key(stale, PASSPHRASE),
        sharer.refuse(waiting),
    ):
        with pytest.raises((VaultChanged, SealBroken)):
            await attempt

    assert sealed_values(world) == before
    assert Histories(wallet).read(rekeyed.vault).is_intact
    assert (await world.wallet.person("Maja")).certificates()


async def test_of_two_changes_at_once_one_holds(world: World) -> None:
    """Two browsers that change the key at the same moment: one does, the other is told, and the vault opens."""
    vault = await world.wallet.person("Maja")
    await world.wallet.receive(vault, world.university.offer()[0].offer)
    device = await added(world, vault)
    first, second = await world.wallet.person("Maja"), await world.wallet.person("Maja")

    answers = await asyncio.gather(
        the_ring(world).change_key(first, PASSPHRASE),
        the_ring(world).change_key(second, PASSPHRASE),
        return_exceptions=True,
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["Rekeyed", "VaultChanged"]
    assert opened_by(world, device).certificates()
    assert (await world.wallet.person("Maja")).certificates()


async def test_other_peoples_vaults_are_untouched(world: World) -> None:
    """One person's change of key writes nothing of anybody else's."""
    otto = await world.wallet.person("Otto")
    await world.wallet.receive(otto, world.university.offer()[0].offer)
    device = await added(world, otto)
    mine = sealed_values(world)
    maja = await world.wallet.person("Maja")

    await the_ring(world).change_key(maja, PASSPHRASE)

    assert mine <= sealed_values(world)
    assert opened_by(world, device).certificates()


def test_every_table_that_seals_something_is_sealed_anew() -> None:
    """A table that is added later has to be added to `seal_everything_anew` as well, and then here.

    What is sealed under the device secret, and what the ways in are made of, is not the vault's.
    """
    tables = WalletTable.metadata.sorted_tables
    sealing = {table.name for table in tables if any(one.name.startswith("sealed_") for one in table.columns)}

    by_vaults = {"certificate", "copy", "collection", "share", "take_back", "ledger", "ledger_head"}
    assert sealing - {"trust", "person", "passkey"} == by_vaults


async def test_a_vault_of_schema_3_gets_passkeys_and_another_key(world: World) -> None:
    """A database from before passkeys is upgraded when it is opened; all that was in it is there afterwards."""
    data = world.directory / "old"
    data.mkdir()
    shutil.copy(OLD / "device-secret", data)
    connection = sqlite3.connect(data / "wallet.sqlite3")
    connection.executescript((OLD / "wallet.sql").read_text(encoding="utf-8"))
    connection.close()
    wallet = world.wallet_at("old.example", data).deployment
    ring, device = KeyRing(wallet), Authenticator("https://old.example")
    vault = await wallet.unlock("Maja", PASSPHRASE)
    before = Histories(wallet).read(vault)
    answer, prf = device.register(await ring.begin(vault, PASSPHRASE))
    ring.add(vault, answer, prf, name="Telefonen")

    rekeyed = await ring.change_key(await wallet.unlock("Maja", PASSPHRASE), PASSPHRASE)

    answer, prf = device.sign(ring.ask_to_unlock())
    opened = ring.unlock(answer, prf, name="Maja")
    after = Histories(wallet).read(opened)
    assert rekeyed.lost_recovery_code
    assert (before.is_intact, after.is_intact) == (True, True)
    assert after.entries[2:] == before.entries
    assert [one.vct for one in opened.certificates()] == ["urn:intyga:credential:micro-credential:1"]


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
