"""What a person takes along is complete: what was refused, failed, was taken back, stated and confirmed as well."""

import csv
import io
import json
import re
from datetime import date
from typing import Any

import pytest

from service.i18n import load_catalogues
from tests.wallet.eventful import OUTCOMES, Story
from tests.wallet.pages.test_receipt_page import translator
from tests.wallet.people import Sharer
from tests.wallet.test_ledger import VALUES
from tests.wallet.test_portability import export, import_into
from tests.world import World
from wallet.archive import read_archive
from wallet.histories import Book, Histories
from wallet.ledger import EventKind
from wallet.pages.history_export import history_csv, history_json
from wallet.pages.history_words import HAPPENED
from wallet.receipts import confirmation, receipt_of
from wallet.taking_back import State, standing_of

pytestmark = pytest.mark.anyio

TOLD = {
    EventKind.ASKED, EventKind.APPROVED, EventKind.REFUSED, EventKind.FAULTY, EventKind.DELIVERED,
    EventKind.NOT_ACCEPTED, EventKind.NOT_DELIVERED, EventKind.RECEIVED, EventKind.TAKEN_BACK, EventKind.DELETION_ASKED,
    EventKind.DELETION_ACKNOWLEDGED, EventKind.DELETION_STATED, EventKind.CONFIRMED, EventKind.COPY_ASKED,
    EventKind.COPY_CAME, EventKind.OBJECTED, EventKind.OBJECTION_ANSWERED, EventKind.REPORTED,
}  # fmt: skip


def book_of(world: World, sharer: Sharer) -> Book:
    """The history as it can be read now."""
    return Histories(world.wallet.deployment).read(sharer.vault)


async def test_the_story_has_everything_in_it(world: World) -> None:
    """The tests below would prove little of a history in which little happened."""
    story = await Story.told(world)
    book = book_of(world, story.sharer)

    assert {name: book.entry(entry).outcome for name, entry in story.entries.items()} == OUTCOMES
    assert {event.kind for entry in book.entries for event in entry.events} >= TOLD


async def test_the_history_for_machines_is_complete(world: World) -> None:
    """Each entry with its steps, its receipt, its statements and its confirmation; no values."""
    story = await Story.told(world)
    t, now = load_catalogues().translator("en"), world.clock()

    content = history_json(book_of(world, story.sharer), t, zone="Europe/Stockholm", now=now)
    entries: dict[str, Any] = {one["id"]: one for one in json.loads(content)["entries"]}

    of = {name: entries[entry] for name, entry in story.entries.items()}
    assert {name: one["outcome"] for name, one in of.items()} == {name: one.value for name, one in OUTCOMES.items()}
    assert {event["kind"] for one in entries.values() for event in one["events"]} >= {kind.value for kind in TOLD}
    assert of["taken back"]["after"]["state"] == State.DONE.value
    assert len(of["partly deleted"]["after"]["statements"]) == 1
    assert of["acknowledged"]["after"]["due_on"] == "2026-12-20"
    copy = {"asked_on": "2026-11-20", "due_on": "2026-12-20", "came_on": None, "is_overdue": False}
    assert of["acknowledged"]["copy"] == copy
    assert of["taken back"]["copy"] == copy | {"came_on": "2026-11-20"}
    assert of["confirmed"]["copy"] is None
    assert set(of["confirmed"]["confirmed"]) == {"receipt_jwt", "countersignature"}
    assert [one["type"] for one in of["refused"]["receipt"]["events"]] == ["requested", "refused", "delivered"]
    assert of["faulty"]["error"]
    assert not [value for value in VALUES if value.encode() in content]


async def test_the_history_as_a_table_tells_what_came_after(world: World) -> None:
    """Taking back and what they stated stand in a column, and every step in another."""
    story = await Story.told(world)
    t, now = load_catalogues().translator("en"), world.clock()

    content = history_csv(book_of(world, story.sharer), t, zone="Europe/Stockholm", now=now)
    rows = {row["Number"]: row for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig")))}

    for name, after, step in (
        ("taken back", r"Deleted, they say", "You took it back"),
        ("partly deleted", r"\w", "They stated what they deleted and what they keep"),
        ("acknowledged", r"\w", "They have received your wish"),
        ("acknowledged", r"; You have asked for a copy; You have objected$", "You asked them for a copy"),
        ("taken back", r"; The copy has come;", "You noted that the copy came"),
        ("taken back", r"; They have stopped, you noted$", "You noted what they answered to your objection"),
        ("faulty", r"^$", "You reported the request"),
        ("confirmed", r"^$", "They confirmed the receipt"),
        ("refused", r"^$", "You decided not to share"),
        ("faulty", r"^$", "The request had a fault"),
    ):
        row = rows[story.entries[name]]
        assert re.search(after, row["What came after"]), (name, row["What came after"])
        assert step in row["Step by step"], name


async def test_the_wallet_in_a_file_brings_all_of_it_back(world: World) -> None:
    """Refusals, failures, what was taken back, statements and counter-signatures, word by word."""
    story = await Story.told(world)
    otto = await Sharer.named(world, "Otto")

    await import_into(world, otto.vault, await export(world, story.sharer.vault))
    before, after = book_of(world, story.sharer), book_of(world, otto)

    assert after.is_intact
    assert [(one.id, one.outcome) for one in after.entries] == [(one.id, one.outcome) for one in before.entries]
    for ours, theirs in zip(before.entries, after.entries, strict=True):
        assert [(event.kind, event.at) for event in theirs.events] == [(event.kind, event.at) for event in ours.events]
    confirmed, taken, partly, waiting, refused = (
        after.entry(story.entries[name])
        for name in ("confirmed", "taken back", "partly deleted", "acknowledged", "refused")
    )
    assert confirmation(confirmed) == confirmation(before.entry(confirmed.id)) is not None
    assert standing_of(taken, now=world.clock(), time_zone="Europe/Stockholm").state is State.DONE
    ((_, statement),) = standing_of(partly, now=world.clock(), time_zone="Europe/Stockholm").statements
    assert statement.exceptions[0].words.text("en") == "We need the name in a dispute."
    waits = standing_of(waiting, now=world.clock(), time_zone="Europe/Stockholm")
    assert (waits.state, waits.due_on) == (State.ACKNOWLEDGED, date(2026, 12, 20))
    assert receipt_of(refused).events == receipt_of(before.entry(refused.id)).events


async def test_the_plain_file_holds_statements_and_confirmations_to_read(world: World) -> None:
    """Whoever has the file needs no wallet to show what was confirmed and stated."""
    story = await Story.told(world)

    files = read_archive(await export(world, story.sharer.vault, passphrase=None))

    receipt = json.loads(files[f"receipts/{story.entries['confirmed']}.json"])
    assert set(receipt) == {"receipt", "jwt", "confirmed"}
    assert f"receipts/{story.entries['refused']}.json" in files
    for name in ("taken back", "partly deleted"):
        assert files[f"statements/{story.entries[name]}-1.jwt"].count(b".") == 2
    assert "Deleted, they say" in files["index.html"].decode()


def test_every_kind_of_event_has_words() -> None:
    """A kind that is added later without words would keep the page, the table and the document from being made."""
    assert set(HAPPENED) == set(EventKind)
    swedish = translator("sv")
    assert [words for words in HAPPENED.values() if swedish.text(words) in ("", words)] == []
