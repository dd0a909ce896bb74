"""Vaults: making one, another passphrase, an import, leaving (durability D19 to D22)."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from tests.crash.acting import Act, Given, Tell
from tests.crash.acts_of_sharing import shared
from tests.crash.judging import nothing_lies_about, wallet_holds
from tests.crash.stage import Stage
from tests.world import PASSPHRASE
from wallet.deleting import Deleting
from wallet.leaving import Leaving
from wallet.portability import Portability
from wallet.store.tables import CertificateRow, CopyRow
from wallet.terminal import write_private_file
from wallet.vault import WrongPassphrase

NEW = "helt andra ord nu"


async def nobody(stage: Stage) -> Given:
    """A wallet that nobody uses yet."""
    assert stage.world.wallet
    return {}


async def make_vault(stage: Stage, given: Given, tell: Tell) -> None:
    """Maja makes a vault."""
    await stage.maja()
    tell(made=True)


async def make_again(stage: Stage, given: Given) -> None:
    """She makes it where it is not there, and opens it where it is."""
    await stage.maja()


async def vault_works(stage: Stage, given: Given, told: Given) -> None:
    """It takes a certificate."""
    vault = await stage.maja()
    await stage.world.wallet.receive(vault, stage.world.university.offer()[0].offer)
    wallet_holds(stage.world.wallet.deployment, vault)


async def change_passphrase(stage: Stage, given: Given, tell: Tell) -> None:
    """Another passphrase."""
    await stage.world.wallet.deployment.change_passphrase(await stage.maja(), old=PASSPHRASE, new=NEW)
    tell(changed=True)


async def nothing_to_do(stage: Stage, given: Given) -> None:
    """Nobody does anything."""


async def one_opens(stage: Stage, given: Given, told: Given) -> None:
    """Exactly one of the two opens the vault; the new one when that was told; everything is there."""
    wallet = stage.world.wallet.deployment
    opened = []
    for passphrase in (PASSPHRASE, NEW):
        try:
            opened.append((passphrase, await wallet.unlock("Maja", passphrase)))
        except WrongPassphrase:
            continue
    ((passphrase, vault),) = opened
    assert passphrase == NEW or "changed" not in told
    assert len(vault.certificates()) == 1
    wallet_holds(stage.world.wallet.deployment, vault)


# --- taking a wallet along -------------------------------------------------------------------------------------------


async def with_file(stage: Stage) -> Given:
    """Maja's wallet in a file, and Otto's vault, which is empty."""
    given = await shared(stage)
    file = await Portability(stage.world.wallet.deployment).export(await stage.maja(), more={}, passphrase=None)
    (stage.directory / "wallet.zip").write_bytes(file)
    await stage.maja("Otto")
    return given


async def take_in(stage: Stage, given: Given, tell: Tell) -> None:
    """Otto takes the file in."""
    file = (stage.directory / "wallet.zip").read_bytes()
    vault = await stage.maja("Otto")
    await Portability(stage.world.wallet.deployment).import_file(
        vault, file, passphrase="", try_out=lambda *_: None, with_trust=False
    )
    tell(imported=True)


async def take_in_again(stage: Stage, given: Given) -> None:
    """All or nothing; then once more."""
    vault = await stage.maja("Otto")
    numbers = (len(vault.certificates()), len(stage_events(stage, vault)))
    assert numbers in ((0, 0), (1, 2)), numbers
    await take_in(stage, given, lambda **_: None)


def stage_events(stage: Stage, vault: Any) -> list[Any]:
    """The entries of a history."""
    from wallet.histories import Histories

    return list(Histories(stage.world.wallet.deployment).read(vault).entries)


async def taken_in_once(stage: Stage, given: Given, told: Given) -> None:
    """Everything is there once, as it was."""
    vault = await stage.maja("Otto")
    assert (len(vault.certificates()), len(stage_events(stage, vault))) == (1, 2)
    assert vault.certificates()[0].copies_left == 9
    wallet_holds(stage.world.wallet.deployment, vault)


async def save_file(stage: Stage, given: Given, tell: Tell) -> None:
    """The whole wallet, in plain, to a new file."""
    vault = await stage.maja()
    file = await Portability(stage.world.wallet.deployment).export(vault, more={}, passphrase=None)
    write_private_file(stage.directory / "saved" / "wallet.zip", file)
    tell(saved=True)


async def with_directory(stage: Stage) -> Given:
    """Maja has shared."""
    given = await shared(stage)
    (stage.directory / "saved").mkdir()
    return given


async def whole_or_not_there(stage: Stage, given: Given, told: Given) -> None:
    """The file is there whole or not at all, and nothing of her values lies beside it."""
    names = sorted(path.name for path in (stage.directory / "saved").iterdir())
    assert names in ([], ["wallet.zip"]), names
    if names:
        vault = await stage.maja("Otto")
        content = (stage.directory / "saved" / "wallet.zip").read_bytes()
        await Portability(stage.world.wallet.deployment).import_file(
            vault, content, passphrase="", try_out=lambda *_: None
        )
        assert len(vault.certificates()) == 1
    else:
        assert "saved" not in told


# --- deleting a certificate ------------------------------------------------------------------------------------------


async def delete_certificate(stage: Stage, given: Given, tell: Tell) -> None:
    """Maja deletes her certificate, which she has shared."""
    vault = await stage.maja()
    (certificate,) = vault.certificates()
    Deleting(stage.world.wallet.deployment).delete(vault, certificate.id)
    tell(deleted=True)


async def delete_again(stage: Stage, given: Given) -> None:
    """As at every start; where nothing was deleted, all of it is there, and she deletes again."""
    assert stage.world.wallet.deployment.forget_what_a_kill_left()
    vault = await stage.maja()
    if vault.certificates():
        assert vault.certificates()[0].copies_total == 10, "half of a certificate"
        await delete_certificate(stage, given, lambda **_: None)


async def deleted_once(stage: Stage, given: Given, told: Given) -> None:
    """No copy and no key is left; the history tells of it once, and of the share as before."""
    deployment, vault = stage.world.wallet.deployment, await stage.maja()
    with deployment.database.reading() as connection:
        for table in (CertificateRow, CopyRow):
            assert connection.execute(select(table)).first() is None, table
    kinds = sorted(entry.outcome.value for entry in stage_events(stage, vault))
    assert kinds == ["deleted", "received", "shared"], kinds
    wallet_holds(deployment, vault)


# --- leaving ---------------------------------------------------------------------------------------------------------


async def leave(stage: Stage, given: Given, tell: Tell) -> None:
    """Maja leaves."""
    tell(gone=await Leaving(stage.world.wallet.deployment).leave(await stage.maja(), PASSPHRASE))


async def finish_leaving(stage: Stage, given: Given) -> None:
    """As at every start; where nothing was begun she leaves again."""
    wallet = stage.world.wallet.deployment
    Leaving(wallet).finish()
    if wallet.has_person("Maja"):
        assert len((await stage.maja()).certificates()) == 1, "half of a vault"
        await Leaving(wallet).leave(await stage.maja(), PASSPHRASE)


async def nothing_left(stage: Stage, given: Given, told: Given) -> None:
    """No row of hers is left, and another person's vault works."""
    database = stage.world.wallet.deployment.database
    with database.reading() as connection:
        for table in database.metadata.sorted_tables:
            if "person_id" in table.c:
                assert connection.execute(table.select()).first() is None, table.name
    await asyncio.sleep(0)
    with pytest.raises(WrongPassphrase):
        await stage.world.wallet.deployment.unlock("Maja", PASSPHRASE)
    nothing_lies_about(stage.directory)


VAULT_ACTS = (
    Act("make a vault", nobody, make_vault, make_again, vault_works),
    Act("change the passphrase", shared, change_passphrase, nothing_to_do, one_opens),
    Act("save the whole wallet", with_directory, save_file, nothing_to_do, whole_or_not_there),
    Act("take a whole wallet in", with_file, take_in, take_in_again, taken_in_once),
    Act("delete a certificate", shared, delete_certificate, delete_again, deleted_once),
    Act("leave", shared, leave, finish_leaving, nothing_left),
)
