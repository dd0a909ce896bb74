"""The recovery code as a way into a vault: it works once, for its own vault, and rests nowhere."""

import asyncio
import sqlite3

import pytest
from sqlalchemy import update
from sqlmodel import col

from service.passwords import WeakParameters
from tests.wallet.test_fetching import _enter
from tests.wallet.test_vault import _bytes_at_rest
from tests.world import PASSPHRASE, World
from wallet.histories import Histories
from wallet.ledger import Outcome
from wallet.recovering import Recovery
from wallet.recovery_code import WrongCode, new_code, read_code
from wallet.store.recovery import find_recovery
from wallet.store.tables import RecoveryRow
from wallet.vault import UnsuitablePassphrase, WrongPassphrase
from wallet.ways_in import CodeOpensNothing

pytestmark = pytest.mark.anyio

NEW = "nya ord som passar"


def the_recovery(world: World) -> Recovery:
    """The recovery codes of this world's wallet."""
    return Recovery(world.wallet.deployment)


async def test_a_forgotten_passphrase_is_replaced_with_the_code(world: World) -> None:
    """With name and code the vault opens, has all it had, and a new passphrase; the old one opens nothing."""
    vault = await world.wallet.person("Maja")
    certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)
    code = await the_recovery(world).make(vault, PASSPHRASE)

    opened = await the_recovery(world).recover(" maja ", code.lower(), new=NEW)

    assert [one.id for one in opened.certificates()] == [certificate.id]
    assert (await world.wallet.deployment.unlock("Maja", NEW)).person_id == vault.person_id
    with pytest.raises(WrongPassphrase):
        await world.wallet.deployment.unlock("Maja", PASSPHRASE)


async def test_a_code_works_once(world: World) -> None:
    """After it was used it opens nothing, and of two who use it at the same time one gets in."""
    vault = await world.wallet.person("Maja")
    code = await the_recovery(world).make(vault, PASSPHRASE)

    answers = await asyncio.gather(
        *(the_recovery(world).recover("Maja", code, new=f"{NEW} {number}") for number in range(3)),
        return_exceptions=True,
    )

    assert [type(answer).__name__ for answer in answers].count("UnlockedVault") == 1
    assert {type(answer).__name__ for answer in answers} == {"UnlockedVault", "CodeOpensNothing"}
    with pytest.raises(CodeOpensNothing):
        await the_recovery(world).recover("Maja", code, new=NEW)


async def test_using_the_code_ends_every_session(world: World) -> None:
    """Whoever was signed in somewhere is out, in the same transaction."""
    vault = await world.wallet.person("Maja")
    wallet = world.wallet.deployment
    cookie = await wallet.sessions.open(vault.person_id, now=world.clock())
    code = await the_recovery(world).make(vault, PASSPHRASE)
    assert await wallet.sessions.load(cookie, now=world.clock()) is not None

    await the_recovery(world).recover("Maja", code, new=NEW)

    assert await wallet.sessions.load(cookie, now=world.clock()) is None


async def test_only_the_newest_code_of_its_own_vault_opens(world: World) -> None:
    """A replaced code, a removed one, another person's and one that nobody has open nothing."""
    maja, otto = await world.wallet.person("Maja"), await world.wallet.person("Otto")
    recovery = the_recovery(world)
    first = await recovery.make(maja, PASSPHRASE)
    second = await recovery.make(maja, PASSPHRASE)
    others = await recovery.make(otto, PASSPHRASE)

    for code in (first, others, new_code()):
        with pytest.raises(CodeOpensNothing):
            await recovery.recover("Maja", code, new=NEW)
    with pytest.raises(CodeOpensNothing):
        await recovery.recover("Nobody", second, new=NEW)
    await recovery.remove(maja, PASSPHRASE)
    with pytest.raises(CodeOpensNothing):
        await recovery.recover("Maja", second, new=NEW)


async def test_a_slip_or_a_bad_passphrase_spends_nothing(world: World) -> None:
    """What cannot be a code is not tried, and a new passphrase that is too short leaves the code as it was."""
    vault = await world.wallet.person("Maja")
    code = await the_recovery(world).make(vault, PASSPHRASE)

    with pytest.raises(WrongCode):
        await the_recovery(world).recover("Maja", code[:-1], new=NEW)
    with pytest.raises(UnsuitablePassphrase):
        await the_recovery(world).recover("Maja", code, new="kort")

    await the_recovery(world).recover("Maja", code, new=NEW)


async def test_a_code_is_made_and_removed_with_the_passphrase_alone(world: World) -> None:
    """An open wallet that somebody left is not enough."""
    vault = await world.wallet.person("Maja")

    with pytest.raises(WrongPassphrase):
        await the_recovery(world).make(vault, "another one")
    code = await the_recovery(world).make(vault, PASSPHRASE)
    with pytest.raises(WrongPassphrase):
        await the_recovery(world).remove(vault, "another one")

    await the_recovery(world).recover("Maja", code, new=NEW)


async def test_the_code_rests_nowhere(world: World) -> None:
    """Neither the code nor its bytes are in the database or its log."""
    vault = await world.wallet.person("Maja")
    code = await the_recovery(world).make(vault, PASSPHRASE)
    world.wallet.deployment.choose_language(vault, "en")  # So that there is a log to look at.

    rests = _bytes_at_rest(world.wallet.settings.data)

    for form in (code.encode(), code.replace(" ", "").encode(), read_code(code), read_code(code).hex().encode()):
        assert form not in rests


async def test_a_row_put_back_opens_nothing(world: World) -> None:
    """Somebody who may write the database puts the row of a removed code back: the vault itself knows better."""
    vault = await world.wallet.person("Maja")
    code = await the_recovery(world).make(vault, PASSPHRASE)
    path = world.wallet.settings.data / "wallet.sqlite3"
    with sqlite3.connect(path) as connection:
        (kept,) = connection.execute("SELECT * FROM recovery").fetchall()
    await the_recovery(world).remove(vault, PASSPHRASE)
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO recovery VALUES (?, ?, ?, ?, ?)", kept)
    connection.close()

    with pytest.raises(CodeOpensNothing):
        await the_recovery(world).recover("Maja", code, new=NEW)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kdf", "argon2id,8,1,1"),
        ("kdf", "argon2id,65536,2,4"),
        ("kdf", "pbkdf2,1,1,1"),
        ("kdf", "argon2id,9999999,3,4"),
    ],
)
async def test_the_cost_cannot_be_lowered(world: World, column: str, value: str) -> None:
    """Parameters below the pinned minimum, or absurd ones, are refused wherever they come from."""
    vault = await world.wallet.person("Maja")
    code = await the_recovery(world).make(vault, PASSPHRASE)
    with world.wallet.deployment.database.transaction() as connection:
        connection.execute(update(RecoveryRow).values({column: value}))

    with pytest.raises(WeakParameters):
        await the_recovery(world).recover("Maja", code, new=NEW)


async def test_a_way_in_of_another_vault_or_another_code_does_not_fit(world: World) -> None:
    """A row moved to another person, or given another identifier, opens nothing."""
    maja, otto = await world.wallet.person("Maja"), await world.wallet.person("Otto")
    code = await the_recovery(world).make(maja, PASSPHRASE)
    await the_recovery(world).make(otto, PASSPHRASE)
    database = world.wallet.deployment.database
    with database.reading() as connection:
        way = find_recovery(connection, maja.person_id)
    assert way is not None
    values = {"salt": way.salt, "wrapped_key": way.wrapped_key, "id": way.id}

    with database.transaction() as connection:
        connection.execute(update(RecoveryRow).where(col(RecoveryRow.person_id) == otto.person_id).values(**values))
        connection.execute(update(RecoveryRow).where(col(RecoveryRow.person_id) == maja.person_id).values(id="0" * 32))

    for name in ("Maja", "Otto"):
        with pytest.raises(CodeOpensNothing):
            await the_recovery(world).recover(name, code, new=NEW)


async def test_the_language_chosen_meanwhile_stays(world: World) -> None:
    """Two windows change the vault's profile one after the other: neither loses what the other did."""
    one, other = await world.wallet.person("Maja"), await world.wallet.person("Maja")
    code = await the_recovery(world).make(one, PASSPHRASE)
    world.wallet.deployment.choose_language(other, "en")

    opened = await the_recovery(world).recover("Maja", code, new=NEW)

    assert opened.language == "en"


async def test_making_using_and_removing_a_code_stand_in_the_history(world: World) -> None:
    """Somebody who found the paper cannot open the wallet unseen; the history stays whole."""
    recovery, wallet = the_recovery(world), world.wallet.deployment
    maja = await world.wallet.person("Maja")
    await recovery.remove(maja, PASSPHRASE)  # There is none yet, so nothing happened.
    first = await recovery.make(maja, PASSPHRASE)
    again = await recovery.recover("Maja", first, new=NEW)
    await recovery.make(again, NEW)
    await recovery.remove(again, NEW)

    book = Histories(wallet).read(again)

    assert book.is_intact
    assert [one.outcome for one in book.entries] == [
        Outcome.RECOVERY_REMOVED, Outcome.RECOVERY_MADE, Outcome.RECOVERED, Outcome.RECOVERY_MADE
    ]  # fmt: skip
    assert all(one.is_about_wallet and not one.is_share for one in book.entries)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("sv", ["Reservkod borttagen", "Öppnad med reservkoden", "Reservkod gjord"]),
        ("en", ["Recovery code removed", "Opened with the recovery code", "Recovery code made"]),
    ],
)
async def test_the_page_of_the_history_tells_what_became_of_the_code(
    world: World, language: str, words: list[str]
) -> None:
    """In the language of whoever reads it, each with a page of its own."""
    recovery = the_recovery(world)
    maja = await world.wallet.person()
    code = await recovery.make(maja, PASSPHRASE)
    again = await recovery.recover("Maja", code, new=PASSPHRASE)
    await recovery.make(again, PASSPHRASE)
    await recovery.remove(again, PASSPHRASE)
    browser = world.wallet.browser(language)

    page = _enter(browser, "/history").text

    assert [word for word in words if word not in page] == []
    for entry in Histories(world.wallet.deployment).read(again).entries:
        assert browser.get(f"/history/{entry.id}").status_code == 200
