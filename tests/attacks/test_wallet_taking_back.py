"""A hostile recipient of a share: forged, foreign, replayed and giant answers to taking back.

Nothing of these counts as a statement, nothing is followed elsewhere, and the wish stays open.
"""

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from starlette.responses import Response

from proofs import base64url
from proofs.after_share import CheckedHolderMessage
from schemas.withdrawal import COUNTERSIGNATURE_TYPE, Action
from tests.wallet.people import Sharer
from tests.wallet.taking_back_world import BIRTH, JWT, NAME, Recipient, says, withdrawals
from tests.world import World
from wallet.ledger import EventKind
from wallet.receipts import confirmation
from wallet.taking_back import Standing, State

pytestmark = pytest.mark.anyio

Answer = Callable[[CheckedHolderMessage], Response]


async def shared(world: World, **said: Any) -> tuple[Sharer, Recipient, str]:
    """A share with a recipient that will answer as the test wants."""
    sharer, recipient = await Sharer.with_certificate(world), Recipient(world)
    return sharer, recipient, await recipient.shared_by(sharer, **said)


async def answered(world: World, sharer: Sharer, recipient: Recipient, entry_id: str, answer: Answer) -> Standing:
    """Take back, and get this answer."""
    recipient.answer = answer
    return await withdrawals(world).wish(sharer.vault, entry_id, Action.WITHDRAW, chosen=None, language="sv")


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "x509_hash:somebody-else"},
        {"nonce": "the-nonce-of-another-share-0123456789"},
        {"request_id": "request-99"},
        {"receipt_id": "another-receipt"},
        {"iat": 1_700_000_000},
        {"iat": 1_900_000_000},
        {"iat": 10**17},
        {"iat": 1e300},
        {"deleted_at": 1_700_000_000},
        {"deleted_at": 1_900_000_000},
        {"deleted_at": "yesterday"},
        {"reason": "because"},
        {"outcome": "proved"},
        {"items": [{**NAME, "label": {"sv": "Namn\u202e", "en": "x"}}]},
        {"items": [NAME] * 401},
        {"exceptions": [{"ground": "we_like_it", "words": {"sv": "x", "en": "x"}, "items": []}]},
    ],
)
async def test_a_statement_that_is_wrong_in_one_thing_counts_for_nothing(world: World, changed: dict[str, Any]) -> None:
    """Another share, another recipient, dates that cannot be, words that reorder the page: the wish stays open."""
    sharer, recipient, entry = await shared(world)

    found = await answered(world, sharer, recipient, entry, lambda message: recipient.statement(message, **changed))

    assert (found.state, found.reason) == (State.SENT, "statement_not_valid")
    assert found.statements == ()
    assert withdrawals(world).can_ask(sharer.vault, entry)


async def test_only_the_recipients_own_signature_counts(world: World) -> None:
    """Another recipient's key, another kind of message, a broken or missing signature."""
    sharer, recipient, entry = await shared(world)
    other = Recipient(world, "other.example")

    def cut(message: CheckedHolderMessage) -> Response:
        return Response(bytes(recipient.statement(message).body).rpartition(b".")[0] + b".AAAA", media_type=JWT)

    attempts: list[Answer] = [
        lambda message: other.signed(recipient.statement_claims(message)),
        lambda message: recipient.signed(recipient.statement_claims(message), typ=COUNTERSIGNATURE_TYPE),
        lambda message: recipient.signed(recipient.statement_claims(message), typ="JWT"),
        cut,
        says(200, b"", JWT),
        says(200, b"\xff\xfe", JWT),
        says(200, b"a.b.c", JWT),
        says(200, b"." * 50_000, JWT),
    ]
    for attempt in attempts:
        found = await answered(world, sharer, recipient, entry, attempt)
        assert (found.state, found.statements) == (State.SENT, ())


async def test_the_statement_of_another_share_is_not_taken_for_this_one(world: World) -> None:
    """Signed by the very recipient, about the very items, but of another request."""
    sharer, recipient, first = await shared(world)
    second = await recipient.shared_by(sharer)
    kept: list[Response] = []

    def keep(message: CheckedHolderMessage) -> Response:
        kept.append(recipient.statement(message))
        return kept[0]

    assert (await answered(world, sharer, recipient, first, keep)).state is State.DONE

    found = await answered(world, sharer, recipient, second, lambda _: Response(kept[0].body, media_type=JWT))

    assert (found.state, found.is_gone) == (State.SENT, False)


async def test_a_replayed_statement_does_not_close_a_later_wish(world: World) -> None:
    """What was said of one item is no answer to taking back the rest, and stands in the history once."""
    sharer, recipient, entry = await shared(world)
    kept: list[Response] = []

    def keep(message: CheckedHolderMessage) -> Response:
        kept.append(recipient.statement(message, reason="erased", items=[BIRTH]))
        return kept[0]

    recipient.answer = keep
    desk = withdrawals(world)
    await desk.wish(sharer.vault, entry, Action.ERASE, chosen=(1,), language="sv")
    world.clock.move(hours=1)

    found = await answered(world, sharer, recipient, entry, lambda _: Response(kept[0].body, media_type=JWT))

    assert (found.state, found.is_gone) == (State.SENT, False)
    assert [event.kind for event in sharer.entry(entry).events].count(EventKind.DELETION_STATED) == 1


async def test_deleted_is_not_believed_of_what_is_not_named(world: World) -> None:
    """A statement that calls itself complete and leaves an item out is shown as leaving it out."""
    sharer, recipient, entry = await shared(world)

    found = await answered(world, sharer, recipient, entry, lambda message: recipient.statement(message, items=[NAME]))

    assert (found.state, found.not_mentioned, found.is_gone) == (State.PARTLY, (1,), False)


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (says(200, b"x" * 200_000, JWT), State.SENT, "no_answer"),
        (says(200, {"state": "deleted"}), State.SENT, "no_statement"),
        (says(200, b"{}", "text/html"), State.SENT, "no_statement"),
        (says(302, location="https://elsewhere.example/withdrawals"), State.SENT, "http_302"),
        (says(307, location="https://elsewhere.example/withdrawals"), State.SENT, "http_307"),
        (says(500), State.SENT, "http_500"),
        (says(429), State.SENT, "too_many_requests"),
        (says(404, {"error": "not_found"}), State.NOT_ACCEPTED, "not_found"),
        (says(400, {"error": "<script>" * 20}), State.NOT_ACCEPTED, "http_400"),
        (says(400, b'{"error":"a","error":"b"}'), State.NOT_ACCEPTED, "http_400"),
        (says(202, {"due_on": "soon"}), State.ACKNOWLEDGED, ""),
        (says(202, {"due_on": ["2026-12-01"]}), State.ACKNOWLEDGED, ""),
        (says(202, b"[" * 90_000), State.ACKNOWLEDGED, ""),
    ],
)
async def test_any_other_answer_is_told_as_what_it_is(world: World, answer: Answer, state: State, reason: str) -> None:
    """Too much, another form, an error, a redirect: none is followed, none is success, all within bounds."""
    sharer, recipient, entry = await shared(world)

    found = await answered(world, sharer, recipient, entry, answer)

    assert (found.state, found.reason) == (state, reason)
    assert world.network.asked("elsewhere.example") == 0


async def test_a_day_for_the_answer_can_be_named_sooner_and_never_later(world: World) -> None:
    """Neither a far day nor one before the wish moves the end of the month against the person."""
    sharer, recipient, entry = await shared(world)
    for due, expected in (("2099-01-01", "2026-12-20"), ("1999-01-01", "2026-11-20")):
        found = await answered(world, sharer, recipient, entry, partial(recipient.acknowledged, due_on=due))
        assert found.due_on is not None
        assert found.due_on.isoformat() == expected


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://employer.example/withdrawals",
        "https://127.0.0.1/withdrawals",
        "https://localhost/withdrawals",
        "https://169.254.169.254/latest",
        "https://user@employer.example/withdrawals",
        "ftp://employer.example/x",
        "javascript:alert(1)",
        "not an address",
    ],
)
async def test_an_endpoint_that_is_no_public_web_address_is_not_asked(world: World, endpoint: str) -> None:
    """Also when the recipient signed it: nothing is sent, and the wish is kept."""
    sharer, recipient = await Sharer.with_certificate(world), Recipient(world, endpoint=endpoint)
    entry = await recipient.shared_by(sharer, receipt_endpoint="")

    found = await answered(world, sharer, recipient, entry, recipient.statement)

    assert (found.state, found.reason) == (State.NOT_SENT, "address_refused")
    assert recipient.messages == []


async def test_an_endpoint_at_another_host_is_the_recipients_word_and_its_key_still_decides(world: World) -> None:
    """A signed notice may name a processor's host; a statement that host signs for itself counts for nothing."""
    sharer, processor = await Sharer.with_certificate(world), Recipient(world, "processor.example")
    recipient = Recipient(world, endpoint=processor.endpoint)
    entry = await recipient.shared_by(sharer)

    found = await answered(world, sharer, processor, entry, processor.statement)
    assert (found.state, found.reason) == (State.SENT, "statement_not_valid")

    processor.answer = lambda message: recipient.signed(processor.statement_claims(message))
    world.clock.move(minutes=1)
    assert (await withdrawals(world).look(sharer.vault, entry)).state is State.DONE


@pytest.mark.parametrize(
    "changed",
    [
        {"receipt_sha256": "AAAA"},
        {"request_id": "request-99"},
        {"iss": "x509_hash:somebody-else"},
        {"iat": 1_900_000_000},
        {"iat": 1_700_000_000},
        {"typ": "intyga-deletion-statement+jwt"},
    ],
)
async def test_a_counter_signature_of_something_else_confirms_nothing(world: World, changed: dict[str, Any]) -> None:
    """Another receipt, another share, another recipient, another date, another kind: the receipt is not confirmed."""
    sharer, recipient = await Sharer.with_certificate(world), Recipient(world)

    def confirm(message: CheckedHolderMessage) -> Response:
        digest = base64url.encode(hashlib.sha256(message.claims["receipt"].encode()).digest())
        claims = {
            "iss": message.audience,
            "iat": int(world.clock().timestamp()),
            "request_id": message.claims["request_id"],
            "receipt_sha256": digest,
            **{name: value for name, value in changed.items() if name != "typ"},
        }
        return recipient.signed(claims, typ=changed.get("typ", COUNTERSIGNATURE_TYPE))

    recipient.confirm = confirm
    entry = await recipient.shared_by(sharer)

    assert len(recipient.receipts) == 1
    assert confirmation(sharer.entry(entry)) is None
