"""Leaving: nothing of the person is found afterwards, whatever interrupts it (durability D22)."""

import sqlite3
import subprocess
from datetime import date

import pytest

from tests.wallet.fake_verifier import FakeVerifier, notice, query
from tests.wallet.people import Sharer
from tests.wallet.test_history_chain import event
from tests.wallet.test_portability import sharer_with_history
from tests.world import PASSPHRASE, World
from wallet.leaving import Leaving
from wallet.over_asking import WarningKind
from wallet.recovering import Recovery
from wallet.store.leaving import has_marks
from wallet.store.ledger import append_event
from wallet.vault import WrongPassphrase
from wallet.ways_in import CodeOpensNothing

pytestmark = pytest.mark.anyio

TABLES = ("person", "recovery", "certificate", "copy", "collection", "share", "ledger", "ledger_head", "leaving")


def everything_sealed(world: World, person_id: str) -> list[bytes]:
    """Every sealed value of a person, and their identifier, as they rest now."""
    connection = sqlite3.connect(world.wallet.settings.data / "wallet.sqlite3")
    found = [person_id.encode()]
    for table in TABLES:
        for row in connection.execute(f"SELECT * FROM {table} WHERE person_id = ?", (person_id,)):
            found += [value for value in row if isinstance(value, bytes) and len(value) > 12]
    connection.close()
    return found


def still_there(world: World, values: list[bytes]) -> list[bytes]:
    """The pieces of values that are in the files; a long value lies on several pages."""
    rests = at_rest(world)
    pieces = [value[start : start + 32] for value in values for start in range(0, max(1, len(value) - 32), 150)]
    return [piece for piece in pieces if piece in rests]


def at_rest(world: World) -> bytes:
    """The database with its log.

    Read by another process: closing a file here would take away the locks that SQLite holds on it in this one.
    """
    files = sorted(world.wallet.settings.data.glob("wallet.sqlite3*"))
    return subprocess.run(["cat", *files], capture_output=True, check=True).stdout


async def a_full_vault(world: World) -> Sharer:
    """A vault with something in every table."""
    sharer = await sharer_with_history(world)
    await Recovery(world.wallet.deployment).make(sharer.vault, PASSPHRASE)
    await sharer.begin(FakeVerifier(world, "other.example").ask(query(["family_name"]), notice=notice()).link())
    await world.wallet.begin(sharer.vault, world.university.offer()[1].offer)
    await world.wallet.deployment.sessions.open(sharer.vault.person_id, now=world.clock())
    return sharer


async def test_nothing_of_the_person_is_left_in_the_file(world: World) -> None:
    """Not one sealed value, wrapped key or identifier; and others' vaults are as they were."""
    otto = await Sharer.with_certificate(world, name="Otto")
    sharer = await a_full_vault(world)
    before = everything_sealed(world, sharer.vault.person_id)
    assert len(before) > 60
    assert len(still_there(world, before)) > 500

    assert await Leaving(world.wallet.deployment).leave(sharer.vault, PASSPHRASE)

    assert still_there(world, before) == []
    assert not world.wallet.deployment.has_person("Maja")
    with pytest.raises(WrongPassphrase):
        await world.wallet.deployment.unlock("Maja", PASSPHRASE)
    assert len((await world.wallet.deployment.unlock("Otto", PASSPHRASE)).certificates()) == 1
    assert otto.sharing.history(otto.vault)[1]


async def test_every_way_in_and_every_session_is_gone(world: World) -> None:
    """The recovery code and a browser that was signed in open nothing; the name is free again."""
    vault = await world.wallet.person("Maja")
    wallet = world.wallet.deployment
    code = await Recovery(wallet).make(vault, PASSPHRASE)
    cookie = await wallet.sessions.open(vault.person_id, now=world.clock())

    await Leaving(wallet).leave(vault, PASSPHRASE)

    assert await wallet.sessions.load(cookie, now=world.clock()) is None
    with pytest.raises(CodeOpensNothing):
        await Recovery(wallet).recover("Maja", code, new="nya ord som passar")
    assert (await world.wallet.person("Maja")).certificates() == []


async def test_leaving_needs_the_passphrase(world: World) -> None:
    """An open wallet that somebody left is not enough."""
    sharer = await Sharer.with_certificate(world)

    with pytest.raises(WrongPassphrase):
        await Leaving(world.wallet.deployment).leave(sharer.vault, "something else")

    assert len(sharer.vault.certificates()) == 1


async def test_d22_what_was_interrupted_is_completed_at_the_next_start(world: World) -> None:
    """Killed after the keys went: nobody can open anything, and the next start deletes the rest."""
    sharer = await a_full_vault(world)
    before = everything_sealed(world, sharer.vault.person_id)
    wallet = world.wallet.deployment
    Leaving(wallet).take_keys(sharer.vault)  # And here the process dies.
    assert not wallet.has_person("Maja")

    restarted = world.wallet_at("again.example", world.wallet.settings.data).deployment
    assert Leaving(restarted).finish()

    assert still_there(world, before) == []


async def test_d22_while_somebody_reads_the_mark_stays(world: World) -> None:
    """The log cannot be emptied while another process reads: it is not called complete before it was."""
    sharer = await a_full_vault(world)
    before = everything_sealed(world, sharer.vault.person_id)
    reader = sqlite3.connect(world.wallet.settings.data / "wallet.sqlite3")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM certificate").fetchone()

    assert not await Leaving(world.wallet.deployment).leave(sharer.vault, PASSPHRASE)

    with world.wallet.deployment.database.reading() as connection:
        assert has_marks(connection)
    reader.close()
    assert Leaving(world.wallet.deployment).finish()
    assert still_there(world, before) == []


async def test_what_is_written_while_a_vault_goes_goes_too(world: World) -> None:
    """Another window that still had the vault open writes an event after its end: it is deleted as well."""
    sharer = await Sharer.with_certificate(world)
    await Leaving(world.wallet.deployment).leave(sharer.vault, PASSPHRASE)
    with world.wallet.deployment.database.transaction() as connection:
        append_event(connection, sharer.vault, event())

    assert Leaving(world.wallet.deployment).finish()

    assert everything_sealed(world, sharer.vault.person_id) == [sharer.vault.person_id.encode()]
    assert sharer.vault.person_id.encode() not in at_rest(world)


async def test_who_still_has_something_is_told(world: World) -> None:
    """Shares whose last day has not passed or was never told; not refusals, and not what is over."""
    sharer = await sharer_with_history(world)
    stranger = FakeVerifier(world, "other.example")
    never = await sharer.begin(stranger.ask(query(["given_name"]), notice=notice(retention=None)).link())
    sharer.go_on(never, WarningKind.UNPROVEN)
    await sharer.approve(never)
    leaving = Leaving(world.wallet.deployment)

    assert [entry.host for entry in leaving.still_kept(sharer.vault)] == ["other.example", "employer.example"]
    assert leaving.still_kept(sharer.vault)[1].retention_until == date(2027, 2, 18)
    world.clock.move(days=91)
    assert [entry.host for entry in leaving.still_kept(sharer.vault)] == ["other.example"]
