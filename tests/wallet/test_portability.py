"""A whole wallet into a file and out of it again: complete, byte by byte, all or nothing, as often as one likes."""

import secrets
from pathlib import Path

import pytest

from proofs import strict_json
from proofs.formats.sd_jwt import parse_sd_jwt
from service.i18n import load_catalogues
from tests.wallet.fake_verifier import FakeVerifier, known_verifier, notice, query
from tests.wallet.people import Sharer
from tests.wallet.test_history_chain import old_data
from tests.world import PASSPHRASE, World
from wallet.archive import UnsuitableFilePassphrase, is_sealed, read_archive, write_archive
from wallet.histories import Histories
from wallet.ledger import Outcome
from wallet.over_asking import WarningKind
from wallet.pages.export_files import readable_files, try_out
from wallet.portability import Imported, Portability
from wallet.receipts import check_receipt
from wallet.vault import UnlockedVault

pytestmark = pytest.mark.anyio

FILE_PASSPHRASE = "fem ord till en fil"  # pragma: allowlist secret
VECTORS = Path(__file__).parents[1] / "vectors"
VERSION_1 = VECTORS / "wallet-export-1" / "wallet.intyga"
EARLIER_SCHEMAS = sorted(VECTORS.glob("wallet-schema-*"))


async def export(world: World, vault: UnlockedVault, *, passphrase: str | None = FILE_PASSPHRASE) -> bytes:
    """The file of a vault."""
    wallet = world.wallet.deployment
    book = Histories(wallet).read(vault)
    more = readable_files(vault.certificates(), book, load_catalogues().translator("en"), now=wallet.clock())
    return await Portability(wallet).export(vault, more=more, passphrase=passphrase)


async def import_into(world: World, vault: UnlockedVault, file: bytes, *, with_trust: bool = False) -> Imported:
    """Read a file into a vault."""
    wallet = world.wallet.deployment
    return await Portability(wallet).import_file(
        vault,
        file,
        passphrase=FILE_PASSPHRASE,
        try_out=lambda certificates, book, collections: try_out(
            certificates, book, collections, catalogues=load_catalogues(), now=wallet.clock()
        ),
        with_trust=with_trust,
    )


async def sharer_with_history(world: World) -> Sharer:
    """A person with two certificates, a share and a refusal."""
    sharer = await Sharer.with_certificate(world, "micro-credential", "course-results")
    employer = known_verifier(world)
    world.wallet.trust(employer.trust_entry)
    await sharer.approve(await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link()))
    await sharer.refuse(await sharer.begin(employer.ask(query(["birthdate"]), notice=notice()).link()))
    return sharer


async def test_everything_arrives_in_another_wallet(world: World) -> None:
    """Certificates byte by byte, which copies were shown, the history; and they can be shown there."""
    sharer = await sharer_with_history(world)
    otto = await Sharer.named(world, "Otto")

    done = await import_into(world, otto.vault, await export(world, sharer.vault))

    assert (done.certificates, done.known_certificates, done.known_events, done.not_checked) == (2, 0, 0, 0)
    assert done.entries == len(Histories(world.wallet.deployment).read(otto.vault).entries) < done.events
    ours, theirs = sharer.vault.certificates(), otto.vault.certificates()
    assert [one.token for one in theirs] == [one.token for one in ours]
    assert [(one.copies_left, one.copies_total, one.status) for one in theirs] == [
        (one.copies_left, one.copies_total, one.status) for one in ours
    ]
    books = [Histories(world.wallet.deployment).read(vault) for vault in (sharer.vault, otto.vault)]
    assert books[1].is_intact
    assert [(entry.id, entry.outcome) for entry in books[1].entries] == [
        (entry.id, entry.outcome) for entry in books[0].entries
    ]
    assert {one for entry in books[1].entries for one in entry.certificate_ids} == {one.id for one in theirs}
    employer = FakeVerifier(world, "other.example")
    share_id = await otto.begin(employer.ask(query(["given_name"]), notice=notice()).link())
    otto.go_on(share_id, WarningKind.UNPROVEN)
    await otto.approve(share_id)
    assert otto.entry(share_id).outcome is Outcome.SHARED


async def test_the_same_file_again_changes_nothing(world: World) -> None:
    """Certificates and events that are there are recognised, in the wallet they come from too."""
    sharer = await sharer_with_history(world)
    file = await export(world, sharer.vault)
    otto = await world.wallet.person("Otto")
    await import_into(world, otto, file)

    for vault in (otto, sharer.vault):
        before = Histories(world.wallet.deployment).read(vault)
        done = await import_into(world, vault, file)
        assert (done.certificates, done.events, done.entries, done.known_certificates) == (0, 0, 0, 2)
        assert Histories(world.wallet.deployment).read(vault) == before
        assert len(vault.certificates()) == 2


async def test_a_copy_that_was_shown_elsewhere_counts_as_shown(world: World) -> None:
    """A wallet on two places: a copy used in one is not used again in the other after reading in the file."""
    sharer = await Sharer.with_certificate(world)
    otto = await world.wallet.person("Otto")
    await import_into(world, otto, await export(world, sharer.vault))
    employer = known_verifier(world)
    await sharer.approve(await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link()))

    await import_into(world, otto, await export(world, sharer.vault))

    assert otto.certificates()[0].copies_left == 9
    # And never the other way round: an older file does not make a copy unused.
    await import_into(world, sharer.vault, await export(world, otto))
    assert sharer.certificate.copies_left == 9


async def test_what_is_here_stays_beside_what_comes(world: World) -> None:
    """Reading in takes nothing away; the history is in the order in which things happened."""
    sharer = await sharer_with_history(world)
    file = await export(world, sharer.vault)
    world.clock.move(days=2)
    otto = await Sharer.with_certificate(world, name="Otto")
    own = otto.certificate.id

    await import_into(world, otto.vault, file)

    assert own in [one.id for one in otto.vault.certificates()]
    assert len(otto.vault.certificates()) == 3
    entries = Histories(world.wallet.deployment).read(otto.vault).entries
    assert entries[0].certificate_ids == (own,)
    assert [entry.at for entry in entries] == sorted((entry.at for entry in entries), reverse=True)


async def test_the_file_tells_nothing_without_its_passphrase(world: World) -> None:
    """No name, value, key or issuer can be read in it."""
    sharer = await sharer_with_history(world)

    file = await export(world, sharer.vault)

    assert is_sealed(file)
    texts = (b"PK\x03\x04", b"manifest", b"Maja", "Sjöberg".encode(), b"university", b"certificates/1")
    assert not [text for text in texts if text in file]
    with pytest.raises(UnsuitableFilePassphrase):
        await export(world, sharer.vault, passphrase="kort")


async def test_the_plain_file_can_be_read_without_a_wallet(world: World) -> None:
    """Original bytes, an index for people with links that lead somewhere, receipts that check."""
    sharer = await sharer_with_history(world)

    files = read_archive(await export(world, sharer.vault, passphrase=None))

    tokens = [content.decode() for name, content in files.items() if name.endswith(".txt")]
    assert sharer.certificate.token in tokens
    assert all(parse_sd_jwt(token) for token in tokens)
    index = files["index.html"].decode()
    assert "Sjöberg" in index
    assert "<script" not in index
    receipts = [name for name in files if name.startswith("receipts/")]
    assert len(receipts) == 2
    for name in receipts:
        assert f'href="{name}"' in index
        receipt = strict_json.loads(files[name])
        assert check_receipt(receipt["jwt"]).claims() == receipt["receipt"]


async def test_what_cannot_be_checked_is_said_to_be_not_checked(world: World) -> None:
    """While the issuer is out of reach the file is read in all the same, and nothing passes for checked."""
    sharer = await Sharer.with_certificate(world)
    file = await export(world, sharer.vault)
    otto = await world.wallet.person("Otto")
    (certificate,) = sharer.vault.certificates()
    world.wallet.deployment.resolver.forget_status_list(certificate.status_uri or "")

    with world.network.cut_before(certificate.status_uri.partition("example")[2] if certificate.status_uri else ""):
        done = await import_into(world, otto, file)

    assert done.not_checked == 1
    assert otto.certificates()[0].status == "unknown"


async def test_what_the_file_says_of_a_certificate_is_not_believed(world: World) -> None:
    """A revoked certificate stays revoked, whatever a changed file says of it."""
    sharer = await Sharer.with_certificate(world)
    files = read_archive(await export(world, sharer.vault, passphrase=None))
    token = files["certificates/1/copy-1.txt"].decode()
    head, payload, rest = token.split(".", 2)
    forged = ".".join([head, payload, ("A" if rest[0] != "A" else "B") + rest[1:]])
    files["certificates/1/copy-1.txt"] = forged.encode()
    about = strict_json.loads(files["certificates/1/about.json"])
    about["view"]["status"] = "valid"
    files["certificates/1/about.json"] = strict_json.dumps(about)
    otto = await world.wallet.person("Otto")

    await import_into(world, otto, write_archive(files, made_at=world.clock()))

    (taken,) = otto.certificates()
    assert "signature" in taken.report.failed
    assert taken.status != "valid"


async def test_trust_comes_along_only_when_the_operator_wants_it(world: World) -> None:
    """A person's file does not change whom everybody here trusts."""
    sharer = await sharer_with_history(world)
    file = await export(world, sharer.vault)
    (world.directory / "elsewhere").mkdir()
    other = world.wallet_at("elsewhere.example", world.directory / "elsewhere").deployment
    vault = await other.create("Maja", PASSPHRASE, language="sv")

    def look(*_: object) -> None:
        """Nothing to look at."""

    await Portability(other).import_file(vault, file, passphrase=FILE_PASSPHRASE, try_out=look)
    assert other.trust().entries == ()
    assert [one.issuer_trusted for one in vault.certificates()] == [False, False]

    await Portability(other).import_file(vault, file, passphrase=FILE_PASSPHRASE, try_out=look, with_trust=True)
    assert {entry.name for entry in other.trust().entries} == {
        entry.name for entry in world.wallet.deployment.trust().entries
    }


async def test_d21_an_import_that_breaks_off_leaves_nothing(world: World) -> None:
    """Whatever goes wrong at the very end of it, the vault is as before, and the same file can be read in again."""
    sharer = await sharer_with_history(world)
    file = await export(world, sharer.vault)
    otto = await world.wallet.person("Otto")

    def breaks(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await Portability(world.wallet.deployment).import_file(otto, file, passphrase=FILE_PASSPHRASE, try_out=breaks)

    assert otto.certificates() == []
    assert Histories(world.wallet.deployment).read(otto).entries == ()
    assert (await import_into(world, otto, file)).certificates == 2


async def test_a_file_of_version_1_is_read(world: World) -> None:
    """A file that was saved by the first version: one certificate, a share and a refusal. It is never made anew."""
    vault = await world.wallet.person("Maja")

    done = await import_into(world, vault, VERSION_1.read_bytes())

    assert (done.certificates, done.events) == (1, 7)
    outcomes = [entry.outcome for entry in Histories(world.wallet.deployment).read(vault).entries]
    assert outcomes == [Outcome.REFUSED, Outcome.SHARED, Outcome.RECEIVED]


@pytest.mark.parametrize("vector", EARLIER_SCHEMAS, ids=lambda one: one.name)
async def test_a_vault_of_an_earlier_schema_can_be_taken_along(world: World, vector: Path) -> None:
    """From a database of each kept version to a file, into a new wallet, and what it would save is the same."""
    old = world.wallet_at("old.example", old_data(world, vector=vector)).deployment
    maja, otto = await old.unlock("Maja", PASSPHRASE), await world.wallet.person(secrets.token_hex(4))

    done = await import_into(world, otto, await Portability(old).export(maja, more={}, passphrase=FILE_PASSPHRASE))

    before, after = Portability(old).contents(maja), Portability(world.wallet.deployment).contents(otto)
    assert (done.certificates, done.known_events) == (1, 0)
    assert done.events == len(before.events) > 3
    assert [one.copies for one in after.certificates] == [one.copies for one in before.certificates]
    assert {share: one.as_json() for share, one in after.means.items()} == {
        share: one.as_json() for share, one in before.means.items()
    }
    assert (len(before.means) > 0) is (vector.name != "wallet-schema-1"), "it is kept since version 2"
    books = Histories(old).read(maja), Histories(world.wallet.deployment).read(otto)
    assert [(one.id, one.outcome) for one in books[0].entries] == [(one.id, one.outcome) for one in books[1].entries]
    assert Outcome.SHARED in {one.outcome for one in books[1].entries}
    assert books[1].is_intact


def test_databases_of_earlier_schemas_are_kept() -> None:
    """The test above would prove little if none was found."""
    assert {one.name for one in EARLIER_SCHEMAS} >= {"wallet-schema-1", "wallet-schema-3"}
