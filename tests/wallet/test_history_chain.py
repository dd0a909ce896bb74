"""The chain of the history: nothing is lost, nothing disappears unnoticed, and only its owner deletes."""

import secrets
import shutil
import sqlite3
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.errors import NotFound
from service.upgrades import UnknownSchema
from tests.two_processes import in_two_processes
from tests.wallet.fake_verifier import FakeVerifier, notice, query
from tests.wallet.people import Sharer
from tests.wallet.processes import write_events
from tests.wallet.test_ledger import shared
from tests.world import PASSPHRASE, World
from wallet.histories import EntryStillOpen, Histories
from wallet.ledger import Event, EventKind, HistoryFault, Outcome
from wallet.receipts import check_receipt, signed_receipt
from wallet.store.ledger import read_history
from wallet.store.opening import open_database
from wallet.vault import UnlockedVault

pytestmark = pytest.mark.anyio

OLD = Path(__file__).parents[1] / "vectors" / "wallet-schema-1"


def tamper(world: World, *statements: str) -> None:
    """Change the database from outside."""
    with sqlite3.connect(world.wallet.settings.data / "wallet.sqlite3") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def faults(world: World, vault: UnlockedVault) -> frozenset[HistoryFault]:
    """What a check of the history finds."""
    return Histories(world.wallet.deployment).read(vault).faults


def event() -> Event:
    """An event of an entry of its own."""
    return Event(secrets.token_hex(8), EventKind.FAULTY, datetime(2026, 11, 20, tzinfo=UTC), {})


# --- tampering (D28) ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (["DELETE FROM ledger WHERE sequence = (SELECT max(sequence) FROM ledger)"], HistoryFault.CUT_OFF),
        (["DELETE FROM ledger"], HistoryFault.CUT_OFF),
        (["DELETE FROM ledger", "DELETE FROM ledger_head"], HistoryFault.NO_END),
        (["DELETE FROM ledger_head"], HistoryFault.NO_END),
        (["UPDATE ledger_head SET sequence = 1", "DELETE FROM ledger WHERE sequence > 1"], HistoryFault.NO_END),
        (["DELETE FROM ledger WHERE sequence = 2"], HistoryFault.MISSING),
        (
            [
                "UPDATE ledger SET sealed_event = (SELECT sealed_event FROM ledger WHERE sequence = 1), "
                "content = (SELECT content FROM ledger WHERE sequence = 1) WHERE sequence = 2"
            ],
            HistoryFault.CHANGED,
        ),
        (["UPDATE ledger SET content = zeroblob(32) WHERE sequence = 2"], HistoryFault.CHANGED),
        (["UPDATE ledger SET content = NULL WHERE sequence = 2"], HistoryFault.CHANGED),
        (["UPDATE ledger SET sealed_event = zeroblob(80) WHERE sequence = 2"], HistoryFault.CHANGED),
    ],
)
async def test_d28_what_was_done_from_outside_is_told_apart(
    world: World, statements: list[str], found: HistoryFault
) -> None:
    """Cut off, missing, changed, without its end: each is noticed, also when everything is gone."""
    sharer, _, _ = await shared(world)
    assert faults(world, sharer.vault) == frozenset()

    tamper(world, *statements)

    assert found in faults(world, sharer.vault)


async def test_d28_a_damaged_history_goes_on_and_says_so_for_good(world: World) -> None:
    """What is shared after the damage is written down all the same; the damage is not forgotten."""
    sharer, employer, share_id = await shared(world)
    tamper(world, "DELETE FROM ledger_head")

    again = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    await sharer.approve(again)

    book = Histories(world.wallet.deployment).read(sharer.vault)
    assert [entry.id for entry in book.entries][:2] == [again, share_id]
    assert book.faults == {HistoryFault.EARLIER}


async def test_an_empty_history_has_a_seal_too(world: World) -> None:
    """From the day that a vault is made, so that a history that is gone cannot pass for one that never was."""
    vault = await world.wallet.person("Maja")
    assert faults(world, vault) == frozenset()

    tamper(world, "DELETE FROM ledger_head")

    assert faults(world, vault) == {HistoryFault.NO_END}


# --- two at the same time (D19) -------------------------------------------------------------------------------------


@pytest.mark.processes
async def test_d19_two_processes_lose_no_entry(world: World) -> None:
    """Two processes append to one file as fast as they can: every event is there once, and the chain holds."""
    vault = await world.wallet.person("Maja")

    written = in_two_processes(write_events, [(world.directory, "Maja", 40)] * 2, 80)

    with world.wallet.deployment.database.reading() as connection:
        history = read_history(connection, vault)
    assert Counter(one.entry_id for one in history.events) == Counter(written)
    assert (len(written), history.is_intact) == (80, True)


# --- deleting (CS-31) -----------------------------------------------------------------------------------------------


async def test_cs31_a_deleted_entry_leaves_a_mark_and_the_chain_holds(world: World) -> None:
    """Nothing of the entry can be read, in the vault or in the file; the others and their receipts still check."""
    sharer, employer, share_id = await shared(world)
    refused = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    await sharer.refuse(refused)
    before = sealed_events(world)
    world.clock.move(days=1)

    Histories(world.wallet.deployment).delete(sharer.vault, share_id)

    book = Histories(world.wallet.deployment).read(sharer.vault)
    assert share_id not in [entry.id for entry in book.entries]
    assert refused in [entry.id for entry in book.entries]
    assert book.is_intact
    assert book.deletions == (world.clock().replace(microsecond=0),)
    assert check_receipt(signed_receipt(sharer.entry(refused)))
    rests = b"".join(path.read_bytes() for path in world.wallet.settings.data.glob("wallet.sqlite3*"))
    gone = [sealed for sealed in before if sealed not in sealed_events(world)]
    assert len(gone) == 3
    assert not [sealed for sealed in gone if sealed in rests]
    with pytest.raises(NotFound):
        Histories(world.wallet.deployment).delete(sharer.vault, share_id)
    with pytest.raises(NotFound):
        sharer.decision(share_id)


def sealed_events(world: World) -> list[bytes]:
    """The sealed bytes of all events, as they rest."""
    connection = sqlite3.connect(world.wallet.settings.data / "wallet.sqlite3")
    rows = [row[0] for row in connection.execute("SELECT sealed_event FROM ledger ORDER BY sequence")]
    connection.close()
    return rows


async def test_cs31_after_deleting_the_history_goes_on(world: World) -> None:
    """The last entry deleted, a new one written: the chain holds."""
    sharer, employer, share_id = await shared(world)
    Histories(world.wallet.deployment).delete(sharer.vault, share_id)

    again = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    await sharer.approve(again)

    assert faults(world, sharer.vault) == frozenset()
    assert sharer.entry(again).outcome is Outcome.SHARED


async def test_cs31_nobody_else_can_delete_or_bring_back(world: World) -> None:
    """An event put back over its mark, and a mark put in the place of another event, are noticed."""
    sharer, _, share_id = await shared(world)
    before = sealed_events(world)
    Histories(world.wallet.deployment).delete(sharer.vault, share_id)
    after = sealed_events(world)
    place = next(number for number, sealed in enumerate(before) if sealed not in after)

    tamper(world, f"UPDATE ledger SET sealed_event = X'{before[place].hex()}' WHERE sequence = {place + 1}")
    assert faults(world, sharer.vault) == {HistoryFault.CHANGED}
    tamper(world, f"UPDATE ledger SET sealed_event = X'{after[place].hex()}' WHERE sequence = {place + 1}")
    assert faults(world, sharer.vault) == frozenset()
    tamper(world, f"UPDATE ledger SET sealed_event = X'{after[place].hex()}' WHERE sequence = 1")
    assert HistoryFault.CHANGED in faults(world, sharer.vault)


async def test_cs31_what_waits_for_an_answer_is_not_deleted(world: World) -> None:
    """First answer, then delete; when its time is over it can go."""
    sharer, employer = await Sharer.with_certificate(world), FakeVerifier(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())

    with pytest.raises(EntryStillOpen):
        Histories(world.wallet.deployment).delete(sharer.vault, share_id)

    world.clock.move(hours=1)
    Histories(world.wallet.deployment).delete(sharer.vault, share_id)
    assert faults(world, sharer.vault) == frozenset()


async def test_cs31_only_the_owner_deletes(world: World) -> None:
    """Another person's entry does not exist for anybody else."""
    _, _, share_id = await shared(world)
    otto = await world.wallet.person("Otto")

    with pytest.raises(NotFound):
        Histories(world.wallet.deployment).delete(otto, share_id)


# --- from an earlier layout -----------------------------------------------------------------------------------------


def old_data(world: World, *changes: str, vector: Path = OLD) -> Path:
    """A data directory of an earlier schema, version 1 unless told, changed by SQL where a test needs it."""
    data = world.directory / "old"
    data.mkdir()
    shutil.copy(vector / "device-secret", data)
    connection = sqlite3.connect(data / "wallet.sqlite3")
    connection.executescript((vector / "wallet.sql").read_text(encoding="utf-8"))
    for change in changes:
        connection.execute(change)
    connection.commit()
    connection.close()
    return data


async def test_a_vault_of_schema_1_is_chained_anew_when_it_is_first_opened(world: World) -> None:
    """Everything is there, the chain holds, and the next opening changes nothing more."""
    wallet = world.wallet_at("old.example", old_data(world)).deployment

    vault = await wallet.unlock("Maja", PASSPHRASE)

    book = Histories(wallet).read(vault)
    assert book.is_intact
    assert [entry.outcome for entry in book.entries] == [Outcome.REFUSED, Outcome.SHARED, Outcome.RECEIVED]
    assert [one.vct for one in vault.certificates()] == ["urn:intyga:credential:micro-credential:1"]
    assert check_receipt(signed_receipt(book.entries[1])).controller.host == "employer.example"
    version = vault.history_layout
    again = await wallet.unlock("Maja", PASSPHRASE)
    assert (version, again.history_layout, Histories(wallet).read(again)) == (2, 2, book)


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM ledger WHERE sequence = 2",
        "DELETE FROM ledger WHERE sequence = (SELECT max(sequence) FROM ledger)",
        "UPDATE ledger SET digest = zeroblob(32) WHERE sequence = 1",
        "UPDATE ledger_head SET sealed_head = zeroblob(80)",
    ],
)
async def test_damage_in_a_vault_of_schema_1_is_not_chained_away(world: World, change: str) -> None:
    """What was wrong before the change of layout still shows after it."""
    wallet = world.wallet_at("old.example", old_data(world, change)).deployment

    vault = await wallet.unlock("Maja", PASSPHRASE)

    assert HistoryFault.EARLIER in Histories(wallet).read(vault).faults


async def test_an_old_history_is_not_read_in_place_of_a_new_one(world: World) -> None:
    """The rows of the first layout, put back into a vault of the second, are not believed."""
    data = old_data(world)
    kept = sqlite3.connect(data / "wallet.sqlite3")
    head = kept.execute("SELECT person_id, sequence, sealed_head FROM ledger_head").fetchone()
    kept.close()
    wallet = world.wallet_at("old.example", data).deployment
    vault = await wallet.unlock("Maja", PASSPHRASE)
    with sqlite3.connect(data / "wallet.sqlite3") as connection:
        connection.execute("UPDATE ledger_head SET sequence = ?, sealed_head = ?", head[1:])
    connection.close()

    assert HistoryFault.NO_END in Histories(wallet).read(await wallet.unlock("Maja", PASSPHRASE)).faults
    assert vault.history_layout == 2


@pytest.mark.parametrize(
    "change", ["UPDATE intyga_schema SET identity = 'other'", "UPDATE intyga_schema SET version = 5"]
)
async def test_a_database_of_another_schema_is_refused(world: World, change: str) -> None:
    """An upgrade runs on the schema that it was made for and on no other; nothing is changed then."""
    data = old_data(world, change)

    with pytest.raises(UnknownSchema):
        open_database(data)

    connection = sqlite3.connect(data / "wallet.sqlite3")
    assert "recovery" not in [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]
    connection.close()
