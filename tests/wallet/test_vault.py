"""The vault: what rests is unreadable, each ciphertext belongs to one place, and only the passphrase opens it."""

import json
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col

from proofs.sealing import SealBroken
from tests.two_processes import in_two_processes
from tests.wallet.processes import take_copies
from tests.world import PASSPHRASE, World
from wallet.certificates import NoCopiesLeft, UnknownCertificate
from wallet.store.certificates import get_certificate, take_copy, update_view
from wallet.store.people import NameTaken, VaultChanged, load_person, update_person
from wallet.store.tables import CertificateRow, CopyRow
from wallet.vault import UnsuitableName, UnsuitablePassphrase, WrongPassphrase, unlock_from_session, with_profile

pytestmark = pytest.mark.anyio


def _bytes_at_rest(directory: Path) -> bytes:
    """The database file with its write-ahead log and index."""
    files = sorted(directory.glob("wallet.sqlite3*"))
    assert len(files) >= 2, "the write-ahead log is looked at too"
    return b"".join(file.read_bytes() for file in files)


def _texts(value: object) -> set[str]:
    """Every text in a JSON value that is long enough to tell something."""
    if isinstance(value, dict):
        return set().union(*(_texts(inner) for inner in value.values())) if value else set()
    if isinstance(value, list | tuple):
        return set().union(*(_texts(inner) for inner in value)) if value else set()
    return {str(value)} if isinstance(value, str) and len(value) >= 4 else set()


async def test_nothing_readable_rests(world: World) -> None:
    """Whoever gets the database file learns no name, value, key, token, issuer or type from it."""
    vault = await world.wallet.person("Maja Lindqvist")
    waiting = world.university.offer(tx_code=True)[0]
    certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)
    await world.wallet.begin(vault, waiting.offer)
    with world.wallet.deployment.database.transaction() as connection:
        copy = take_copy(connection, vault, certificate.id)

    rests = _bytes_at_rest(world.wallet.settings.data)

    secrets = _texts(dict(certificate.claims)) | _texts(certificate.display) | set(copy.key_private_jwk.values())
    secrets |= {"Maja", "Lindqvist", "university.example", "urn:intyga", copy.token[:60], waiting.uri, PASSPHRASE}
    secrets -= {"EC", "P-256", "ES256"}
    found = [text for text in secrets if text.encode() in rests or json.dumps(text)[1:-1].encode() in rests]
    assert found == []


async def test_only_the_passphrase_opens_a_vault(world: World) -> None:
    """Another passphrase, or another name, opens nothing, and both answers are the same."""
    await world.wallet.person("Maja")
    wallet = world.wallet.deployment

    opened = await wallet.unlock("  maja ", PASSPHRASE)

    assert opened.name == "Maja"
    with pytest.raises(WrongPassphrase):
        await wallet.unlock("Maja", PASSPHRASE + "!")
    with pytest.raises(WrongPassphrase):
        await wallet.unlock("Nobody", PASSPHRASE)


async def test_the_database_alone_is_not_enough(world: World) -> None:
    """Without the secret beside the database even the right passphrase opens nothing."""
    await world.wallet.person("Maja")
    elsewhere = world.directory / "stolen"
    elsewhere.mkdir()
    for file in world.wallet.settings.data.glob("wallet.sqlite3*"):
        (elsewhere / file.name).write_bytes(file.read_bytes())

    thief = world.wallet_at("thief.example", elsewhere).deployment

    assert not thief.has_person("Maja")
    with pytest.raises(WrongPassphrase):
        await thief.unlock("Maja", PASSPHRASE)


async def test_changing_the_passphrase_keeps_everything_and_closes_the_old_way(world: World) -> None:
    """After the change the new passphrase opens the same vault and the old one opens nothing."""
    wallet = world.wallet.deployment
    vault = await world.wallet.person("Maja")
    certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)

    with pytest.raises(WrongPassphrase):
        await wallet.change_passphrase(vault, old="another one", new="nya ord som passar")
    with pytest.raises(UnsuitablePassphrase):
        await wallet.change_passphrase(vault, old=PASSPHRASE, new="kort")
    await wallet.change_passphrase(vault, old=PASSPHRASE, new="nya ord som passar")

    opened = await wallet.unlock("Maja", "nya ord som passar")
    assert [c.id for c in opened.certificates()] == [certificate.id]
    with pytest.raises(WrongPassphrase):
        await wallet.unlock("Maja", PASSPHRASE)


async def test_people_do_not_see_each_other(world: World) -> None:
    """One person's certificate does not exist for another."""
    maja, otto = await world.wallet.person("Maja"), await world.wallet.person("Otto")
    certificate = await world.wallet.receive(maja, world.university.offer()[0].offer)
    collection = await world.wallet.begin(maja, world.university.offer()[0].offer)

    assert otto.certificates() == []
    assert world.wallet.deployment.collections(otto) == {}
    with pytest.raises(UnknownCertificate):
        world.wallet.deployment.certificate(otto, certificate.id)
    with pytest.raises(Exception, match="no such collection"):
        world.wallet.deployment.collection(otto, collection)
    with world.wallet.deployment.database.transaction() as connection, pytest.raises(UnknownCertificate):
        take_copy(connection, otto, certificate.id)


async def test_names_are_unique_and_bounded(world: World) -> None:
    """A second vault under the same name, however it is written, is refused, and so is a name without letters."""
    await world.wallet.person("Maja")
    with pytest.raises(NameTaken):
        await world.wallet.deployment.create("MAJA", PASSPHRASE, language="sv")
    for name in ("", "   ", "x" * 101):
        with pytest.raises(UnsuitableName):
            await world.wallet.deployment.create(name, PASSPHRASE, language="sv")
    with pytest.raises(UnsuitablePassphrase):
        await world.wallet.deployment.create("Otto", "sju ord", language="sv")


async def test_a_ciphertext_opens_only_in_its_own_place(world: World) -> None:
    """A sealed value put in another place, kind, version or vault does not open."""
    maja, otto = await world.wallet.person("Maja"), await world.wallet.person("Otto")
    sealed = maja.seal("certificate.view", "c1", b"value", version=3)

    assert maja.unseal("certificate.view", "c1", sealed, version=3) == b"value"
    for vault, kind, item, version in (
        (otto, "certificate.view", "c1", 3),
        (maja, "copy.token", "c1", 3),
        (maja, "certificate.view", "c2", 3),
        (maja, "certificate.view", "c1", 2),
        (maja, "certificate.viewc", "1", 3),
    ):
        with pytest.raises(SealBroken):
            vault.unseal(kind, item, sealed, version=version)


async def test_swapped_rows_are_noticed(world: World) -> None:
    """Somebody who may write the database cannot put one certificate's contents in the place of another's."""
    vault = await world.wallet.person("Maja")
    one, two = [await world.wallet.receive(vault, offer.offer) for offer in world.university.offer()[:2]]
    with world.wallet.deployment.database.transaction() as connection:
        views = {
            row.id: row.sealed_view
            for row in connection.execute(CertificateRow.__table__.select())  # type: ignore[attr-defined]
        }
        connection.execute(
            update(CertificateRow).where(col(CertificateRow.id) == one.id).values(sealed_view=views[two.id])
        )

    with pytest.raises(SealBroken):
        world.wallet.deployment.certificate(vault, one.id)


async def test_an_older_view_put_back_is_noticed(world: World) -> None:
    """A view says how a certificate stands; an earlier one cannot be put back under the present version."""
    vault = await world.wallet.person("Maja")
    certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)
    database = world.wallet.deployment.database
    with database.transaction() as connection:
        old = connection.execute(CertificateRow.__table__.select()).one().sealed_view  # type: ignore[attr-defined]
        assert update_view(connection, vault, certificate.id, {"status": "revoked"}, version=certificate.version)
        assert not update_view(connection, vault, certificate.id, {"status": "valid"}, version=certificate.version)
        assert get_certificate(connection, vault, certificate.id).status == "revoked"
        connection.execute(update(CertificateRow).values(sealed_view=old))

    with pytest.raises(SealBroken):
        world.wallet.deployment.certificate(vault, certificate.id)


async def test_each_copy_is_taken_once(world: World) -> None:
    """Ten copies serve ten shares; then the person is told, and a used one is taken only if they want that."""
    vault = await world.wallet.person("Maja")
    certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)
    database = world.wallet.deployment.database
    taken = []
    for _ in range(10):
        with database.transaction() as connection:
            taken.append(take_copy(connection, vault, certificate.id))

    assert len({copy.token for copy in taken}) == 10
    assert len({json.dumps(dict(copy.key_private_jwk)) for copy in taken}) == 10
    assert vault.certificates()[0].copies_left == 0
    with database.transaction() as connection, pytest.raises(NoCopiesLeft):
        take_copy(connection, vault, certificate.id)
    with database.transaction() as connection:
        again = take_copy(connection, vault, certificate.id, allow_used=True)
    assert again.used_before
    assert again.id == taken[0].id


async def test_a_copy_taken_in_an_undone_decision_is_not_used(world: World) -> None:
    """If the decision is not written, the copy is still there."""
    vault = await world.wallet.person("Maja")
    certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)

    def undone() -> None:
        with world.wallet.deployment.database.transaction() as connection:
            take_copy(connection, vault, certificate.id)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    assert vault.certificates()[0].copies_left == 10


@pytest.mark.processes
async def test_no_copy_is_taken_twice_by_processes_on_one_file(world: World) -> None:
    """Two processes on one file, eight threads each: every copy goes to exactly one of them."""
    vault = await world.wallet.person("Maja")
    certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)

    found = in_two_processes(take_copies, [(world.directory, "Maja", certificate.id)] * 2, 16)

    taken = [one for one in found if one != "none"]
    assert len(taken) == len(set(taken)) == 10
    assert vault.certificates()[0].copies_left == 0


async def test_a_copys_key_signs_for_the_copy(world: World) -> None:
    """The key that is kept with a copy is the one that the issuer bound it to."""
    vault = await world.wallet.person("Maja")
    certificate = await world.wallet.receive(vault, world.university.offer()[0].offer)
    with world.wallet.deployment.database.transaction() as connection:
        copy = take_copy(connection, vault, certificate.id)
        rows = connection.execute(CopyRow.__table__.select()).all()  # type: ignore[attr-defined]

    assert vault.signer_for(copy).public_jwk.items() <= certificate_key(copy.token).items()
    assert sum(row.used for row in rows) == 1


def certificate_key(token: str) -> dict[str, str]:
    """The key in `cnf` of a copy."""
    from proofs.formats.sd_jwt import parse_sd_jwt

    key: dict[str, str] = parse_sd_jwt(token).claims["cnf"]["jwk"]
    return key


async def test_the_key_kept_in_a_session_opens_only_with_the_browsers_key(world: World) -> None:
    """What the session row holds is worth nothing without the browser's cookie."""
    vault = await world.wallet.person("Maja")
    wallet = world.wallet.deployment
    with wallet.database.reading() as connection:
        record = load_person(connection, vault.person_id)
    assert record is not None
    wrapped = vault.wrapped_for_session(b"k" * 32)

    assert unlock_from_session(record, wrapped, b"k" * 32, shelf=wallet.shelf).name == "Maja"
    with pytest.raises(SealBroken):
        unlock_from_session(record, wrapped, b"x" * 32, shelf=wallet.shelf)


async def test_weaker_key_derivation_is_refused(world: World) -> None:
    """Somebody who may write the database cannot make the passphrase cheaper to guess."""
    vault = await world.wallet.person("Maja")
    wallet = world.wallet.deployment
    with wallet.database.transaction() as connection:
        record = load_person(connection, vault.person_id)
        assert record is not None
        update_person(connection, record, before=record)
        connection.exec_driver_sql("UPDATE person SET kdf = 'argon2id,8,1,1'")

    with pytest.raises(Exception, match="parameters"):
        await wallet.unlock("Maja", PASSPHRASE)


async def test_the_chosen_language_is_kept_in_the_vault(world: World) -> None:
    """The language that a person chose is there the next time."""
    vault = await world.wallet.person("Maja")
    world.wallet.deployment.choose_language(vault, "en")

    assert (await world.wallet.person("Maja")).language == "en"


async def test_a_former_passphrase_never_comes_back(world: World) -> None:
    """What was read before a change of the passphrase is not written over it; the former key leaves the files."""
    vault = await world.wallet.person("Maja")
    wallet = world.wallet.deployment
    with wallet.database.reading() as connection:
        before = load_person(connection, vault.person_id)
    assert before is not None
    stale = with_profile(vault, before, language="en")

    await wallet.change_passphrase(vault, old=PASSPHRASE, new="nya ord som passar")

    with wallet.database.transaction() as connection, pytest.raises(VaultChanged):
        update_person(connection, stale, before=before)
    with pytest.raises(WrongPassphrase):
        await wallet.unlock("Maja", PASSPHRASE)
    files = b"".join(file.read_bytes() for file in wallet.settings.data.glob("wallet.sqlite3*"))
    assert before.wrapped_key not in files
