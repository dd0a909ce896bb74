"""Deleting a certificate: gone with its copies and keys, out of the files as well; what happened with it stays."""

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from typing import Any

import httpx2
import pytest

from tests.wallet.pages.sharing_browser import browser_that_shared
from tests.wallet.pages.test_share_pages import text_of
from tests.wallet.people import Sharer
from tests.wallet.taking_back_world import Recipient
from tests.wallet.terminal import Terminal
from tests.wallet.test_fetching import Source, away
from tests.wallet.test_ledger import VALUES
from tests.wallet.test_pages import send
from tests.wallet.test_taking_back import take_back
from tests.world import PASSPHRASE, World
from wallet.certificates import UnknownCertificate
from wallet.collection import MovedOn, Stage
from wallet.deleting import Deleting
from wallet.histories import Histories
from wallet.ledger import EventKind, Outcome
from wallet.receipts import receipt_of
from wallet.store.collections import take_up
from wallet.taking_back import State

pytestmark = pytest.mark.anyio


def at_rest(world: World) -> tuple[set[bytes], bytes]:
    """Every sealed value of certificates and copies, and all bytes of the database's files."""
    data = world.wallet.settings.data
    with closing(sqlite3.connect(data / "wallet.sqlite3")) as database:
        rows = database.execute("SELECT sealed_view FROM certificate").fetchall()
        rows += database.execute("SELECT sealed_token FROM copy").fetchall()
        rows += database.execute("SELECT sealed_key FROM copy").fetchall()
    return {bytes(row[0]) for row in rows}, b"".join(file.read_bytes() for file in data.glob("wallet.sqlite3*"))


async def test_cs31_the_history_survives_the_deletion_of_the_certificate(world: World) -> None:
    """The share, its receipt and that it was received stay as they were; an entry of its own tells of the deletion."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    histories = Histories(world.wallet.deployment)
    before = {entry.id: entry.events for entry in histories.read(sharer.vault).entries}
    receipt = receipt_of(sharer.entry(share_id))
    certificate = sharer.certificate

    Deleting(world.wallet.deployment).delete(sharer.vault, certificate.id)

    book = histories.read(sharer.vault)
    assert book.is_intact
    assert {entry.id: entry.events for entry in book.entries if entry.id in before} == before
    assert receipt_of(book.entry(share_id)) == receipt
    (deleted,) = [entry for entry in book.entries if entry.id not in before]
    assert (deleted.outcome, deleted.is_share) == (Outcome.DELETED, False)
    assert [event.kind for event in deleted.events] == [EventKind.DELETED]
    assert deleted.certificates == next(one for one in book.entries if one.id == certificate.id).certificates
    told = json.dumps(deleted.events[0].as_json(), ensure_ascii=False)
    assert not [value for value in ("Sjöberg", "Statistik", "1998") if value in told], "kinds and names, never values"


async def test_every_copy_and_key_leaves_the_files(world: World) -> None:
    """Also out of the database's log; another certificate and another person's stay."""
    sharer = await Sharer.with_certificate(world)
    gone, _ = at_rest(world)
    await world.wallet.receive(sharer.vault, world.university.offer()[0].offer)
    other = await Sharer.with_certificate(world, name="Elin")
    kept, first = sharer.vault.certificates()
    assert len(gone) == 1 + 2 * first.copies_total
    everything, before = at_rest(world)
    # A long value lies in several pages: it is looked for in pieces.
    pieces = {one[place : place + 32] for one in gone for place in range(0, len(one) - 32, 32)}
    assert sum(one in before for one in pieces) > 0.9 * len(pieces), "they can be found while they are there"

    Deleting(world.wallet.deployment).delete(sharer.vault, first.id)

    left, files = at_rest(world)
    assert not [one for one in pieces if one in files]
    assert len(left) == len(everything) - len(gone)
    assert [one.id for one in sharer.vault.certificates()] == [kept.id]
    assert len(other.vault.certificates()) == 1
    with pytest.raises(UnknownCertificate):
        Deleting(world.wallet.deployment).delete(sharer.vault, first.id)


async def test_nobody_deletes_what_is_somebody_elses(world: World) -> None:
    """Knowing the identifier is not enough."""
    sharer = await Sharer.with_certificate(world)
    stranger = await Sharer.named(world, "Elin")

    with pytest.raises(UnknownCertificate):
        Deleting(world.wallet.deployment).delete(stranger.vault, sharer.certificate.id)

    assert sharer.certificate.copies_left == sharer.certificate.copies_total


async def test_a_deletion_that_breaks_off_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificate, copies, keys and entry are one transaction."""
    sharer = await Sharer.with_certificate(world)
    before, entries = at_rest(world)[0], len(Histories(world.wallet.deployment).read(sharer.vault).entries)

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("wallet.deleting.append_event", die)
        with pytest.raises(KeyboardInterrupt):
            Deleting(world.wallet.deployment).delete(sharer.vault, sharer.certificate.id)

    assert at_rest(world)[0] == before
    assert len(Histories(world.wallet.deployment).read(sharer.vault).entries) == entries


async def test_what_was_shared_can_be_taken_back_afterwards(world: World) -> None:
    """What that takes lies apart from the certificate."""
    sharer, firm = await Sharer.with_certificate(world), Recipient(world)
    share_id = await firm.shared_by(sharer)
    Deleting(world.wallet.deployment).delete(sharer.vault, sharer.certificate.id)

    found = await take_back(world, sharer, share_id)

    assert (found.state, found.is_gone) == (State.DONE, True)


@pytest.fixture
async def fetched(world: World) -> tuple[Source, Any, str]:
    """A source, a vault with a certificate that was fetched there with a sign-in, and that certificate."""
    source = Source(world)
    vault = await world.wallet.person()
    _, collection = await away(world, vault, source)
    await world.wallet.deployment.come_back(vault, source.allow(collection.sign_in_url))
    return source, vault, vault.certificates()[0].id


def told(source: Source) -> int:
    """How often the issuer was told of a deletion."""
    return [event.kind for event in source.side.context.store.events.since(0)].count("credential_deleted")


async def test_the_issuer_is_told_days_later(world: World, fetched: tuple[Source, Any, str]) -> None:
    """`credential_deleted` (OpenID4VCI 1.0, section 11), with the notification id of then and a token of now."""
    source, vault, certificate_id = fetched
    world.clock.move(days=3)

    farewell = Deleting(world.wallet.deployment).delete(vault, certificate_id)
    assert (farewell.can_tell, told(source), vault.certificates()) == (True, 0, []), "deleted before anybody is told"

    assert await farewell.tell()

    assert told(source) == 1


async def test_after_a_renewal_the_issuer_is_told_with_the_newest_token(
    world: World, fetched: tuple[Source, Any, str]
) -> None:
    """The refresh token is another by then; fresh copies bring a fresh notification id."""
    source, vault, certificate_id = fetched
    wallet = world.wallet.deployment
    world.clock.move(days=1)
    await wallet.renew_outdated(vault, lambda _: True)
    assert wallet.certificate(vault, certificate_id).copies_total > 10

    await Deleting(wallet).delete(vault, certificate_id).tell()

    assert told(source) == 1


async def test_a_renewal_under_way_ends_with_the_certificate(world: World, fetched: tuple[Source, Any, str]) -> None:
    """Its keys go too, and nothing arrives afterwards."""
    _, vault, certificate_id = fetched
    wallet = world.wallet.deployment
    world.clock.move(days=1)
    with world.network.cut_before("source.example/credential"):
        await wallet.renew_outdated(vault, lambda _: True)
    assert [one.renews for one in wallet.collections(vault).values() if one.renews] == [certificate_id]

    Deleting(wallet).delete(vault, certificate_id)
    await wallet.resume(vault)

    assert (wallet.collections(vault), vault.certificates()) == ({}, [])


def refusing(path: str, status: int | None) -> Any:
    """The source answers requests to paths that end so with a status, or not at all."""

    def refuse(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.host != "source.example" or not request.url.path.endswith(path):
            return None
        if status is None:
            raise httpx2.ConnectError("gone")
        return httpx2.Response(status, json={"error": "invalid_grant"})

    return refuse


@pytest.mark.parametrize("path", ["/token", "/notification"])
@pytest.mark.parametrize("status", [429, 500, 503, None])
async def test_an_issuer_that_is_away_is_told_when_it_is_back(
    world: World, fetched: tuple[Source, Any, str], status: int | None, path: str
) -> None:
    """The certificate is gone at once; the word waits, is tried at most once an hour, and shown to nobody."""
    source, vault, certificate_id = fetched
    wallet = world.wallet.deployment
    with world.network.answering(refusing(path, status)):
        assert not await Deleting(wallet).delete(vault, certificate_id).tell()
        assert (told(source), vault.certificates()) == (0, [])
        assert [one.stage for one in wallet.collections(vault).values()] == [Stage.FAREWELL]
        asked = world.network.asked(f"source.example{path}")
        assert asked > 0
        await wallet.resume(vault)
        assert world.network.asked(f"source.example{path}") == asked, "it is left in peace"
        world.clock.move(minutes=61)
        await wallet.resume(vault)
        assert world.network.asked(f"source.example{path}") > asked

    world.clock.move(minutes=61)
    await wallet.resume(vault)

    assert (told(source), wallet.collections(vault)) == (1, {})


@pytest.mark.parametrize(("path", "status"), [("/token", 400), ("/token", 401), ("/notification", 400)])
async def test_an_issuer_that_refuses_is_not_told_again(
    world: World, fetched: tuple[Source, Any, str], path: str, status: int
) -> None:
    """Then it makes no sense any more; nobody is bothered, and the history knows only of the deletion."""
    source, vault, certificate_id = fetched
    wallet = world.wallet.deployment

    with world.network.answering(refusing(path, status)):
        await Deleting(wallet).delete(vault, certificate_id).tell()

    assert (told(source), wallet.collections(vault), vault.certificates()) == (0, {}, [])
    kinds = [event.kind for entry in Histories(wallet).read(vault).entries for event in entry.events]
    assert EventKind.NOT_RECEIVED not in kinds


@pytest.mark.parametrize(("days", "times"), [(29, 1), (30, 0)])
async def test_after_a_month_the_word_and_its_keys_go(
    world: World, fetched: tuple[Source, Any, str], days: int, times: int
) -> None:
    """The vault was not opened in between: by then nobody is served by it."""
    source, vault, certificate_id = fetched
    wallet = world.wallet.deployment
    Deleting(wallet).delete(vault, certificate_id)
    world.clock.move(days=days)

    await wallet.resume(vault)

    assert (told(source), wallet.collections(vault)) == (times, {})


async def test_what_waits_to_be_told_holds_no_value_and_no_holder_key(
    world: World, fetched: tuple[Source, Any, str]
) -> None:
    """Only what tells the issuer; and one process tells it at a time."""
    source, vault, certificate_id = fetched
    wallet = world.wallet.deployment
    certificate = vault.certificates()[0]
    Deleting(wallet).delete(vault, certificate_id)
    ((collection_id, kept),) = wallet.collections(vault).items()

    written = json.dumps(kept.as_json(), ensure_ascii=False)
    values = set(re.findall(r'"([^":]{6,})"[,}\]]', json.dumps(certificate.claims, ensure_ascii=False)))
    assert "Sjöberg" in values
    assert not [value for value in values if value in written]
    assert [(part.keys, part.received) for part in kept.parts] == [((), ())]
    held = take_up(wallet.database, vault, collection_id, now=world.clock())
    with pytest.raises(MovedOn):
        await wallet.bid_farewell(vault, collection_id)
    held.let_go()
    await asyncio.gather(*(wallet.resume(vault) for _ in range(3)))
    assert told(source) == 1


async def test_it_can_be_fetched_again(world: World, fetched: tuple[Source, Any, str]) -> None:
    """Undoing is fetching: the same certificate, with new copies and new keys."""
    source, vault, certificate_id = fetched
    wallet = world.wallet.deployment
    Deleting(wallet).delete(vault, certificate_id)

    _, collection = await away(world, vault, source)
    await wallet.come_back(vault, source.allow(collection.sign_in_url))

    (again,) = vault.certificates()
    assert again.id != certificate_id
    assert again.copies_left == again.copies_total == 10


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            "en",
            (
                "deleted with all its copies and their keys. Nothing brings them back",
                "You can fetch it again as long as the issuer offers it",
                "Your sharing history and your receipts stay",
                "whoever received it still has it",
            ),
        ),
        ("sv", ("Ingenting för tillbaka dem", "hämta det igen", "kvitton finns kvar", "den som fick det har det kvar")),
    ],
)
async def test_the_page_says_what_is_lost_and_asks(world: World, language: str, sentences: tuple[str, ...]) -> None:
    """From the certificate; Enter deletes nothing, keeping leads back, and a foreign form is refused."""
    browser, shared, _ = browser_that_shared(world, language=language)
    assert "Sjöberg" in browser.get(f"/history/{shared}").text.partition('id="values"')[2], "CS-30: while it is held"
    with closing(sqlite3.connect(world.wallet.settings.data / "wallet.sqlite3")) as database:
        ((certificate_id,),) = database.execute("SELECT id FROM certificate").fetchall()
    address = f"/certificates/{certificate_id}"
    assert f'href="{address}/delete"' in browser.get(address).text
    page = browser.get(f"{address}/delete")
    assert not [one for one in sentences if one not in text_of(page)]
    assert 'href="/history?outcome=shared"' in page.text
    assert 'href="/receive"' in page.text

    assert send(browser, page, page.url.path, decision="").url.path == page.url.path
    assert send(browser, page, page.url.path, decision="keep").url.path == address
    assert browser.post(page.url.path, data={"decision": "delete"}).status_code == 403
    assert browser.get(address).status_code == 200, "it is still there"
    home = send(browser, page, page.url.path, decision="delete")

    assert home.url.path == "/"
    assert ("Your sharing history and your receipts stay" if language == "en" else "Intyget är raderat") in text_of(
        home
    )
    assert browser.get(address).status_code == 404
    assert send(browser, page, page.url.path, decision="delete").status_code == 404, "pressed twice"
    history = text_of(browser.get("/history?outcome=deleted"))
    assert ("Deleted from the wallet" if language == "en" else "Raderat ur plånboken") in history
    entries = re.findall(r'id="entry-([0-9a-f]+)"', browser.get("/history").text)
    assert len(entries) == 3
    pages = [browser.get(f"/history/{entry}") for entry in entries]
    assert [page.status_code for page in pages] == [200, 200, 200]
    assert [value for page in pages for value in (*VALUES, 'id="values"') if value in page.text] == []


def test_the_command_deletes_after_a_yes(world: World) -> None:
    """It says what is lost; without a yes nothing happens; afterwards the history is complete."""
    browser_that_shared(world)
    passphrase = world.directory / "passphrase"
    passphrase.write_text(PASSPHRASE + "\n", encoding="utf-8")
    terminal = Terminal(
        world.wallet.settings.data, {"WALLET_PASSPHRASE_FILE": str(passphrase), "WALLET_PERSON": "Maja"}
    )
    (certificate,) = terminal.json("list")

    assert terminal.error("delete", certificate["id"]) == "no_decision"
    assert terminal.error("delete", "00", "--yes") == "unknown_certificate"
    assert terminal.error("delete", certificate["id"], "--yes", "--person", "Nobody") == "unknown_certificate"
    assert terminal.run("delete", certificate["id"], said="n\n").returncode != 0
    assert len(terminal.json("list")) == 1
    done = terminal.run("delete", certificate["id"], said="y\n")

    assert done.returncode == 0, done.stderr
    assert "What you shared is not taken back by this" in done.stderr
    assert terminal.json("list") == []
    assert [one["outcome"] for one in terminal.json("ledger")["entries"]] == ["deleted", "shared", "received"]
