"""The history and its receipts: what they hold, what they never hold, and what happens when somebody tampers."""

import sqlite3
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofs import base64url, jose, strict_json
from proofs.jose import InvalidSignature
from proofs.keys import generate_signer
from schemas.errors import Malformed, NotFound
from schemas.receipt import RECEIPT_TYPE, EventType
from tests.wallet.fake_verifier import FakeVerifier, credential, known_verifier, notice, query, with_optional
from tests.wallet.people import Sharer
from tests.world import NOW, World
from wallet.commitments import SALT_BYTES, commitment, opens
from wallet.history_filter import Filter
from wallet.ledger import Event, EventKind, Outcome, entries_of
from wallet.naming import Names
from wallet.receipts import check_receipt, receipt_of, signed_receipt

pytestmark = pytest.mark.anyio

# The title of a certificate is the value of one of its items.
VALUES = ("Sjöberg", "1998-04-23", "23 april 1998", "Välja och använda", "Datasäkerhet", "Computer Security")


async def shared(world: World, **said: Any) -> tuple[Sharer, FakeVerifier, str]:
    """A person who has shared name and birth date, and left out the grade."""
    sharer, employer = await Sharer.with_certificate(world), FakeVerifier(world)
    world.wallet.trust(employer.trust_entry)
    asked = employer.ask(
        with_optional(credential(["family_name"], ["birthdate"]), credential(["assessment_grade"], query_id="grade")),
        notice=notice(**said),
    )
    share_id = await sharer.begin(asked.link())
    await sharer.approve(share_id)
    return sharer, employer, share_id


async def test_s5_everything_stands_in_the_history(world: World) -> None:
    """Receiving, sharing, refusing, missing and failing are all there, the latest first."""
    sharer, employer, share_id = await shared(world)
    refused = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    await sharer.refuse(refused)
    faulty = await sharer.begin(employer.ask(query(["family_name"]), transaction_data=["e30"]).link())

    entries, is_intact = sharer.sharing.history(sharer.vault)

    assert is_intact
    assert [(entry.id, entry.outcome) for entry in entries[:3]] == [
        (faulty, Outcome.FAULTY),
        (refused, Outcome.REFUSED),
        (share_id, Outcome.SHARED),
    ]
    assert entries[3].outcome is Outcome.RECEIVED


async def test_s6_an_entry_tells_what_was_asked_what_went_and_until_when(world: World) -> None:
    """Names, recipient, purpose, end date and days left; and by name what was left out."""
    sharer, _, share_id = await shared(world)

    entry = sharer.entry(share_id)

    assert entry.who.en == "Exempelbolaget AB"
    assert [name.en for name in entry.asked] == ["Family name", "Date of birth", "Grade"]
    assert [item["name"]["sv"] for item in entry.shared] == ["Efternamn", "Födelsedatum"]
    assert [name["en"] for name in (entry.decided or {})["declined"]] == ["Grade"]
    assert entry.facts["purpose"]["sv"] == "Vi kontrollerar din ansökan."
    assert entry.retention_until == date(2027, 2, 18)
    assert entry.days_left(today=date(2027, 2, 11)) == 7
    assert entry.days_left(today=date(2027, 2, 19)) is None
    assert entry.facts["contact"] == "dataskydd@employer.example"


async def test_cs29_there_is_a_receipt_in_both_languages(world: World) -> None:
    """Made by the wallet alone, with names in Swedish and English, signed by a key of its own."""
    sharer, _, share_id = await shared(world)
    entry = sharer.entry(share_id)

    receipt = receipt_of(entry)

    assert [(item.name.sv, item.name.en) for item in receipt.items] == [
        ("Efternamn", "Family name"),
        ("Födelsedatum", "Date of birth"),
    ]
    assert [[name.en for name in one.items] for one in receipt.came_along] == [["Country", "Title"]]
    assert [event.type for event in receipt.events] == [
        EventType.REQUESTED,
        EventType.APPROVED,
        EventType.DELIVERED,
    ]
    assert receipt.retention is not None
    assert receipt.controller.supervisory_authority.startswith("Integritetsskyddsmyndigheten")
    assert check_receipt(signed_receipt(entry)) == receipt


async def test_cs29_a_refusal_has_a_receipt_without_items(world: World) -> None:
    """What was refused is told, and that nothing went."""
    sharer, employer, _ = await shared(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    await sharer.refuse(share_id)

    receipt = receipt_of(sharer.entry(share_id))

    assert receipt.items == ()
    assert [event.type for event in receipt.events][:2] == [EventType.REQUESTED, EventType.REFUSED]
    assert (receipt.retention, receipt.asked_retention is not None) == (None, True)


async def test_a_receipt_of_a_refusal_in_the_earlier_form_is_still_one(world: World) -> None:
    """Saved before what was asked for had a name of its own: it is read and checked as before."""
    sharer, employer, _ = await shared(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    await sharer.refuse(share_id)
    members = receipt_of(sharer.entry(share_id)).claims()
    members["retention"] = members.pop("asked_retention")
    signer = generate_signer()
    earlier = jose.sign_jws(members, signer=signer, typ=RECEIPT_TYPE, header={"jwk": signer.public_jwk})

    receipt = check_receipt(earlier)

    assert receipt.is_refusal
    assert receipt.claims() == members


async def test_the_receipt_of_a_share_without_any_item_tells_until_when_it_is_kept(world: World) -> None:
    """That no item went does not make it a refusal: kind and issuer were shown."""
    sharer, employer, _ = await shared(world)
    share_id = await sharer.begin(employer.ask(query(), notice=notice()).link())
    await sharer.approve(share_id)

    receipt = receipt_of(sharer.entry(share_id))

    assert (receipt.items, receipt.is_refusal, receipt.asked_retention) == ((), False, None)
    assert receipt.retention is not None


async def test_no_receipt_without_a_decision(world: World) -> None:
    """Nothing was decided: there is nothing to show."""
    sharer, employer = await Sharer.with_certificate(world), FakeVerifier(world)
    share_id = await sharer.begin(employer.ask(query(["family_name"])).link())

    with pytest.raises(NotFound):
        receipt_of(sharer.entry(share_id))


async def test_cs30_history_and_receipts_hold_no_values(world: World) -> None:
    """Names and commitments are there, no value in any form, neither in the events nor in the receipt."""
    sharer, _, share_id = await shared(world)

    texts = [
        strict_json.dumps(
            [event.as_json() for entry in sharer.sharing.history(sharer.vault)[0] for event in entry.events]
        ),
        strict_json.dumps(receipt_of(sharer.entry(share_id)).claims()),
        jose.parse_jws(signed_receipt(sharer.entry(share_id))).payload,
    ]

    for text in texts:
        assert not [value for value in VALUES if value.encode() in text]


async def test_cs30_a_commitment_opens_with_its_salt_only(world: World) -> None:
    """With the salt the person can prove what was shared; another value or another salt does not open it."""
    sharer, _, share_id = await shared(world)
    entry = sharer.entry(share_id)
    item, salt = entry.shared[0], base64url.decode((entry.decided or {})["salts"][0])

    assert opens(item["commitment"], salt=salt, path=item["path"], value="Sjöberg")
    assert not opens(item["commitment"], salt=salt, path=item["path"], value="Sjöström")
    assert not opens(item["commitment"], salt=bytes(SALT_BYTES), path=item["path"], value="Sjöberg")
    assert "salts" not in receipt_of(entry).claims()


async def test_pseudonyms_differ_between_recipients(world: World) -> None:
    """Two recipients who compare receipts see two names and two keys."""
    sharer, employer, first = await shared(world)
    other = known_verifier(world, "other.example")
    second = await sharer.begin(other.ask(query(["family_name"]), notice=notice()).link())
    await sharer.approve(second)
    third = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    await sharer.approve(third)

    names = [receipt_of(sharer.entry(one)).holder_pseudonym for one in (first, second, third)]
    keys = {jose.parse_jws(signed_receipt(sharer.entry(one))).header["jwk"]["x"] for one in (first, second, third)}

    assert names[0] == names[2] != names[1]
    assert len(keys) == 3


async def test_a_changed_receipt_is_noticed(world: World) -> None:
    """A receipt with another date does not check."""
    sharer, _, share_id = await shared(world)
    head, _, signature = signed_receipt(sharer.entry(share_id)).split(".")
    claims = receipt_of(sharer.entry(share_id)).claims()
    claims["retention"]["until"] = "2099-01-01"

    with pytest.raises(InvalidSignature):
        check_receipt(f"{head}.{base64url.encode(strict_json.dumps(claims))}.{signature}")
    with pytest.raises(Malformed):
        check_receipt(jose.sign_jws({}, signer=generate_signer(), typ="intyga-receipt+jwt"))


async def test_w23_the_database_tells_nothing_about_shares(world: World) -> None:
    """Neither recipient, purpose, item nor value can be read in the file."""
    await shared(world)
    database = world.wallet.settings.data / "wallet.sqlite3"
    raw = b"".join(path.read_bytes() for path in database.parent.glob("wallet.sqlite3*"))

    for text in (*VALUES, "employer.example", "Exempelbolaget", "ansökan", "family_name", "Efternamn", "Maja"):
        assert text.encode() not in raw


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ledger WHERE sequence = 2",
        "DELETE FROM ledger WHERE sequence = (SELECT max(sequence) FROM ledger)",
        "UPDATE ledger SET sealed_event = (SELECT sealed_event FROM ledger WHERE sequence = 1) WHERE sequence = 2",
        "UPDATE ledger SET digest = zeroblob(32) WHERE sequence = 1",
        "DELETE FROM ledger_head",
    ],
)
async def test_d28_tampering_is_noticed(world: World, statement: str) -> None:
    """A removed, swapped, changed or cut-off event shows; the rest can still be read."""
    sharer, _, _ = await shared(world)
    assert sharer.sharing.history(sharer.vault)[1]

    with sqlite3.connect(world.wallet.settings.data / "wallet.sqlite3") as connection:
        connection.execute(statement)
    connection.close()

    entries, is_intact = sharer.sharing.history(sharer.vault)
    assert not is_intact
    assert entries


async def test_histories_of_two_people_are_apart(world: World) -> None:
    """Nobody sees what another person in the same wallet service did."""
    sharer, _, share_id = await shared(world)
    ali = await Sharer.named(world, "Ali")

    assert ali.sharing.history(ali.vault)[0] == []
    with pytest.raises(NotFound):
        ali.entry(share_id)
    with pytest.raises(NotFound):
        ali.decision(share_id)
    assert sharer.entry(share_id)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), True),
        (Filter(who="exempel"), True),
        (Filter(who="EMPLOYER.example"), True),
        (Filter(who="somebody"), False),
        (Filter(since=date(2026, 11, 20), until=date(2026, 11, 20)), True),
        (Filter(since=date(2026, 11, 21)), False),
        (Filter(until=date(2026, 11, 19)), False),
        (Filter(outcome=Outcome.SHARED), True),
        (Filter(outcome=Outcome.REFUSED), False),
        (Filter(certificate="DATASÄK"), True),
        (Filter(certificate="mikromerit"), True),
        (Filter(certificate="kemi"), False),
    ],
)
async def test_filters_speak_a_persons_words(world: World, wanted: Filter, found: bool) -> None:
    """Who, when, what came of it, which certificate."""
    sharer, _, share_id = await shared(world)

    titles = {sharer.certificate.id: Names(sharer.certificate).title}
    assert wanted.matches(sharer.entry(share_id), titles) is found


@given(st.lists(st.sampled_from(list(EventKind)), min_size=1, max_size=6))
def test_no_sequence_of_events_breaks_the_history(kinds: list[EventKind]) -> None:
    """Whatever happened in whatever order, an entry has one outcome; approved without an end is never "not shared"."""
    events = [Event("e", kind, NOW, {"who": {"sv": "", "en": ""}}) for kind in kinds]

    (entry,) = entries_of(events, now=NOW)

    if EventKind.APPROVED in kinds and EventKind.REFUSED not in kinds:
        assert entry.outcome in (Outcome.SHARED, Outcome.UNKNOWN, Outcome.NOT_DELIVERED, Outcome.NOT_ACCEPTED)


@given(
    st.binary(min_size=16, max_size=16),
    st.lists(st.text(max_size=5), max_size=4),
    st.integers(-(2**53), 2**53) | st.text(),
)
def test_commitments_bind(salt: bytes, path: list[str], value: Any) -> None:
    """A commitment opens to its own value and to no other."""
    written = commitment(salt, path, value)

    assert opens(written, salt=salt, path=path, value=value)
    assert not opens(written, salt=salt, path=path, value=[value])
