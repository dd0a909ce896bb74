"""The change of a vault's key: what opened it before opens nothing of what comes after, and nothing is lost."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from proofs.sealing import SealBroken
from service.database import Database
from tests.wallet.authenticator import Authenticator
from tests.wallet.fake_verifier import notice, query
from tests.wallet.people import Sharer
from tests.wallet.test_history_chain import old_data
from tests.wallet.test_ledger import shared
from tests.wallet.test_passkeys import added, opened_by, read, tamper, the_ring
from tests.wallet.test_vault import _bytes_at_rest
from tests.world import PASSPHRASE, World
from wallet.acts import Acts
from wallet.app import create_app
from wallet.histories import Histories
from wallet.key_ring import KeyRing
from wallet.ledger import Event, EventKind, HistoryFault, new_entry_id
from wallet.receipts import signed_receipt
from wallet.recovering import Recovery
from wallet.rekeying import Rekeyed, VaultDamaged
from wallet.sharing import Sharing
from wallet.store.archived import add_missing_copies
from wallet.store.certificates import add_certificate, add_copies, update_view
from wallet.store.collections import add_collection
from wallet.store.kept_requests import keep_request
from wallet.store.ledger import append_event, delete_events, read_history
from wallet.store.people import VaultChanged
from wallet.store.shares import add_share
from wallet.store.tables import WalletTable
from wallet.store.take_back import add_means
from wallet.ways_in import CodeOpensNothing

pytestmark = pytest.mark.anyio

OLD = Path(__file__).parents[1] / "vectors" / "wallet-schema-3"


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
        "certificate", "copy", "collection", "share", "ledger", "ledger_head", "take_back", "kept_request",
        "passkey", "person",
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


async def test_a_kill_before_the_log_was_emptied_is_made_good_at_the_next_start(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The former key is gone from the database by then, but not from the log beside it: the next start empties that."""
    vault = await world.wallet.person("Maja")
    await added(world, vault, "Borta")
    before = {value for table, value in sealed_values(world) if table in ("person", "passkey")}
    with monkeypatch.context() as dying:
        dying.setattr(Database, "forget_deleted", _die)
        with pytest.raises(KeyboardInterrupt):
            await lose(world, "Borta")
    at_rest = _bytes_at_rest(world.wallet.settings.data)
    assert any(value in at_rest for value in before), "the log was emptied: this test shows nothing"

    app = create_app(world.wallet.settings, http=world.http(), clock=world.clock)
    async with app.router.lifespan_context(app):
        for _ in range(200):  # What is done on schedule is begun beside the first requests.
            if not any(value in (at_rest := _bytes_at_rest(world.wallet.settings.data)) for value in before):
                break
            await asyncio.sleep(0.05)

        assert not any(value in at_rest for value in before)


def _die(database: Database) -> bool:
    raise KeyboardInterrupt


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
        lambda connection: keep_request(connection, stale, "s", b"{}"),
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

    by_vaults = {
        "certificate", "copy", "collection", "share", "take_back", "kept_request", "ledger", "ledger_head",
        "report_address",
    }  # fmt: skip
    assert sealing - {"trust", "person", "passkey"} == by_vaults


async def test_a_vault_of_schema_3_gets_passkeys_and_another_key(world: World) -> None:
    """A database from before passkeys is upgraded when it is opened; all that was in it is there afterwards."""
    wallet = world.wallet_at("old.example", old_data(world, vector=OLD)).deployment
    ring, device = KeyRing(wallet), Authenticator("https://old.example")
    vault = await wallet.unlock("Maja", PASSPHRASE)
    before = Histories(wallet).read(vault)
    answer, prf = device.register(await ring.begin(vault, PASSPHRASE))
    ring.add(vault, answer, prf, name="Telefonen")
    address = Acts(wallet).open_address(vault)

    rekeyed = await ring.change_key(await wallet.unlock("Maja", PASSPHRASE), PASSPHRASE)

    answer, prf = device.sign(ring.ask_to_unlock())
    opened = ring.unlock(answer, prf, name="Maja")
    after = Histories(wallet).read(opened)
    assert rekeyed.lost_recovery_code
    assert Acts(wallet).address(opened) == address
    assert (before.is_intact, after.is_intact) == (True, True)
    assert after.entries[2:] == before.entries
    assert [one.vct for one in opened.certificates()] == ["urn:intyga:credential:micro-credential:1"]
