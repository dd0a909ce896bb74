"""A hostile recipient of a standing permission: offers that go too far, answers that claim more, lies, silence.

What it hides of its own checks nobody can see (docs/standing-permission.md); everything else is noticed.
"""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from starlette.responses import Response

from proofs.after_share import CheckedHolderMessage
from proofs.passkeys import PasskeyRefused
from schemas.standing_permission import PERMISSION_STATE_TYPE, PermissionAction
from schemas.withdrawal import STATEMENT_TYPE
from tests.wallet.fake_verifier import FakeVerifier, notice, query
from tests.wallet.people import Sharer
from tests.wallet.permitting_world import PURPOSE, Permitted, permissions
from tests.wallet.taking_back_world import JWT, NAME, says
from tests.wallet.test_passkeys import added, the_ring
from tests.world import PASSPHRASE, World
from wallet.consent import PermissionConfirmed, PermissionNotConfirmed, ShownSomethingElse, counts_for
from wallet.decision import Chosen, permission_digest, permission_meaning
from wallet.ledger import Event, EventKind, Outcome
from wallet.permissions import NoPermissionHere
from wallet.permitting import PermissionStanding
from wallet.receipts import receipt_of
from wallet.requests import AlreadyAnswered
from wallet.sharing.confirming import purpose_of, purpose_of_permission
from wallet.store.ledger import append_event
from wallet.vault import WrongPassphrase

pytestmark = pytest.mark.anyio


async def allowed(world: World) -> tuple[Sharer, Permitted, str]:
    """A share with later checks allowed, which the recipient has confirmed."""
    sharer, firm = await Sharer.with_certificate(world), Permitted(world)
    return sharer, firm, await firm.allowed_by(sharer)


def standing(world: World, sharer: Sharer, entry_id: str) -> PermissionStanding:
    """How it stands."""
    found = permissions(world).standing(sharer.vault, entry_id)
    assert found is not None
    return found


OFFERS: list[dict[str, Any]] = [
    {"until": "2036-01-01"},
    {"until": "2027-11-21"},  # one day more than twelve months
    {"until": "2026-01-01"},
    {"until": "for ever"},
    {"until": None},
    {"every_days": 0},
    {"every_days": -1},
    {"every_days": 1000},
    {"purpose": {"sv": "Bra", "en": "Good"}},
    {"purpose": None},
    {"purpose": {"sv": PURPOSE["sv"] + "\u202e", "en": PURPOSE["en"]}},
    {"endpoint": ""},
    {"endpoint": "nowhere"},
    {"endpoint": None},
]


@pytest.mark.parametrize("wrong", OFFERS)
async def test_an_offer_that_goes_too_far_is_not_offered(world: World, wrong: dict[str, Any]) -> None:
    """More than twelve months, no purpose, a form that is none: there is no box, and the share is as good without."""
    sharer, firm = await Sharer.with_certificate(world), Permitted(world)

    share_id = await sharer.begin(firm.ask_offering(**wrong))

    assert sharer.decision(share_id).recheck is None
    forced = sharer.choose(share_id, Chosen(recheck=True))
    assert forced.allowed_recheck is None
    await sharer.approve(share_id)
    assert sharer.entry(share_id).outcome is Outcome.SHARED
    assert permissions(world).standing(sharer.vault, share_id) is None
    assert firm.wishes == []


async def test_cs07_the_confirmation_of_a_share_allows_no_later_checks(world: World) -> None:
    """A tick and the passphrase of the share are not enough: a permission that outlasts it has an act of its own."""
    sharer, firm = await Sharer.with_certificate(world), Permitted(world)
    share_id = await sharer.begin(firm.ask_offering())
    decision = sharer.choose(share_id, Chosen(recheck=True))

    with pytest.raises(PermissionNotConfirmed):
        await sharer.approve(share_id)
    with pytest.raises(ShownSomethingElse):
        await confirm_checks(sharer, share_id, digest=decision.digest)  # The digest of the share.
    with pytest.raises(WrongPassphrase):
        await sharer.allow_checks(share_id, passphrase="inte den")
    with pytest.raises(PermissionNotConfirmed):
        await sharer.approve(share_id)
    assert (firm.wishes, firm.forms) == ([], [])

    await sharer.allow_checks(share_id)
    assert (firm.wishes, firm.forms) == ([], [])  # Nothing is sent by it.
    await sharer.approve(share_id)
    assert [one.claims["action"] for one in firm.wishes] == ["grant"]
    allowed = (sharer.entry(share_id).decided or {})["recheck"]
    assert (allowed["method"], allowed["confirmed_at"]) == ("passphrase", world.clock().timestamp())


async def test_cs07_a_confirmation_of_later_checks_serves_for_nothing_else(world: World) -> None:
    """Not once something else is ticked, not in another share, not after five minutes, not a second time, and it is
    none of the share."""
    sharer, firm = await Sharer.with_certificate(world), Permitted(world)
    first, second = await sharer.begin(firm.ask_offering()), await sharer.begin(firm.ask_offering())
    for share_id in (first, second):
        sharer.choose(share_id, Chosen(recheck=True))
    digest = permission_digest(sharer.decision(first))

    await sharer.allow_checks(first)
    sharer.choose(first, Chosen())
    sharer.choose(first, Chosen(recheck=True))
    with pytest.raises(PermissionNotConfirmed):
        await sharer.approve(first)
    with pytest.raises(ShownSomethingElse):
        await confirm_checks(sharer, second, digest=digest)
    await sharer.allow_checks(first)
    with pytest.raises(PermissionNotConfirmed):
        await sharer.approve(second)
    with pytest.raises(ShownSomethingElse):
        await sharer.sharing.approve(sharer.vault, first, language="en", approved_digest=digest, passphrase=PASSPHRASE)
    world.clock.move(seconds=299)
    assert not sharer.sharing.lacks_permission_yes(sharer.vault, sharer.decision(first))
    world.clock.move(seconds=2)
    assert sharer.sharing.lacks_permission_yes(sharer.vault, sharer.decision(first))
    assert (firm.wishes, firm.forms) == ([], [])
    third = await sharer.begin(firm.ask_offering())
    sharer.choose(third, Chosen(recheck=True))
    await sharer.allow_checks(third)
    await sharer.approve(third)
    with pytest.raises(AlreadyAnswered):
        await sharer.allow_checks(third)


async def test_cs07_in_the_other_language_the_same_is_allowed_and_nothing_else(world: World) -> None:
    """The confirmation holds, with the language in which it was read. The digest of the other page is none of this one;
    other words in the language that was not read, or anything else that differs, are another permission."""
    sharer, firm = await Sharer.with_certificate(world), Permitted(world)
    share_id = await sharer.begin(firm.ask_offering())
    sharer.choose(share_id, Chosen(recheck=True))
    swedish, english = (sharer.decision(share_id, language=language) for language in ("sv", "en"))
    assert permission_digest(swedish) != permission_digest(english)
    assert permission_meaning(swedish) not in (permission_digest(swedish), permission_digest(english))
    with pytest.raises(ShownSomethingElse):
        await confirm_checks(sharer, share_id, digest=permission_digest(swedish))  # Posted for English.
    with pytest.raises(ShownSomethingElse):
        await confirm_checks(sharer, share_id, digest=permission_meaning(english))

    await sharer.sharing.confirm_permission(
        sharer.vault, share_id, language="sv", approved_digest=permission_digest(swedish), passphrase=PASSPHRASE
    )

    confirmed = PermissionConfirmed(permission_meaning(swedish), world.clock(), "passphrase", "sv")
    assert counts_for(confirmed, english, now=world.clock())
    offer = english.allowed_recheck
    assert offer is not None
    for changed in (
        {"purpose": offer.purpose.model_copy(update={"sv": "Vi säljer vidare vad vi får veta om dig."})},
        {"purpose": offer.purpose.model_copy(update={"en": "We sell on whatever we learn about you."})},
        {"every_days": 1},
        {"until": offer.until + timedelta(days=1)},
        {"endpoint": "https://elsewhere.example/permissions"},
    ):
        other = replace(english, recheck=offer.model_copy(update=changed))
        assert not counts_for(confirmed, other, now=world.clock()), changed
    fewer = replace(english, required=())
    assert not counts_for(confirmed, fewer, now=world.clock())
    await sharer.approve(share_id)  # In English.
    decided = sharer.entry(share_id).decided or {}
    assert (decided["language"], decided["recheck"]["language"]) == ("en", "sv")
    receipt = receipt_of(sharer.entry(share_id))
    assert receipt.standing_permission is not None
    assert (receipt.language, receipt.standing_permission.language) == ("en", "sv")


async def test_cs07_a_passkey_that_signed_for_the_share_has_not_signed_for_later_checks(world: World) -> None:
    """Nor the other way round; an answer for other checks, or one that was used, confirms nothing."""
    sharer, firm = await Sharer.with_certificate(world), Permitted(world)
    device, ring = await added(world, sharer.vault), the_ring(world)
    share_id = await sharer.begin(firm.ask_offering())
    decision = sharer.choose(share_id, Chosen(recheck=True))
    digest = permission_digest(decision)

    def signed(purpose: str) -> str:
        return device.sign(ring.ask_to_confirm(sharer.vault, purpose))[0]

    of_checks = signed(purpose_of_permission(share_id, digest))
    for answer in (
        signed(purpose_of(share_id, decision.digest)),
        signed(purpose_of(share_id, digest)),
        signed(purpose_of_permission(share_id, decision.digest)),
        signed(purpose_of_permission("0" * 32, digest)),
    ):
        with pytest.raises(PasskeyRefused):
            await confirm_checks(sharer, share_id, digest=digest, passkey=answer)
    await confirm_checks(sharer, share_id, digest=digest, passkey=of_checks)
    with pytest.raises(PasskeyRefused):
        await confirm_checks(sharer, share_id, digest=digest, passkey=of_checks)
    for answer in (of_checks, signed(purpose_of_permission(share_id, digest))):
        with pytest.raises(PasskeyRefused):
            await sharer.sharing.approve(
                sharer.vault, share_id, language="en", approved_digest=decision.digest, passkey=answer
            )

    await sharer.approve(share_id)

    assert (sharer.entry(share_id).decided or {})["recheck"]["method"] == "passkey"


async def confirm_checks(
    sharer: Sharer, share_id: str, *, digest: str, passphrase: str = PASSPHRASE, passkey: str = ""
) -> None:
    """Confirm later checks by a digest of somebody's choosing."""
    await sharer.sharing.confirm_permission(
        sharer.vault, share_id, language="en", approved_digest=digest, passphrase=passphrase, passkey=passkey
    )


async def test_an_offer_beyond_the_last_day_of_the_data_is_none(world: World) -> None:
    """And so is one of somebody who does not say how long it keeps them."""
    sharer, firm = await Sharer.with_certificate(world), Permitted(world)
    for retention in ({"days": 90}, None):
        asked = firm.ask_for_two(retention=retention, recheck=firm.offer())
        assert sharer.decision(await sharer.begin(asked.link())).recheck is None


async def test_later_checks_of_nothing_that_is_chosen_are_not_offered(world: World) -> None:
    """A certificate of which nothing in particular is asked could be checked, but a grant names its items (CS-07)."""
    sharer, firm = await Sharer.with_certificate(world), Permitted(world)
    for paths, is_offered in (([], False), ([["family_name"]], True)):
        said = notice(retention={"days": 730}, recheck=firm.offer())
        decision = sharer.decision(await sharer.begin(firm.ask(query(*paths), notice=said).link()))

        assert decision.is_satisfiable
        assert (decision.recheck is not None) is is_offered
        forced = sharer.choose(decision.share_id, Chosen(recheck=True))
        assert (forced.allowed_recheck is not None) is is_offered


async def test_who_has_not_proven_who_it_is_gets_no_permission(world: World) -> None:
    """A signed notice of a certificate that nobody vouches for, and an unsigned one."""
    sharer, stranger = await Sharer.with_certificate(world), FakeVerifier(world, "stranger.example")
    firm = Permitted(world)
    said = notice(retention={"days": 730}, recheck=firm.offer())
    for prefix in ("x509_hash", "redirect_uri"):
        asked = stranger.ask(query(["family_name"]), prefix=prefix, notice=said)
        link = asked.link() if prefix == "x509_hash" else asked.link_unsigned()
        assert sharer.decision(await sharer.begin(link)).recheck is None


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "x509_hash:somebody-else"},
        {"nonce": "the-nonce-of-another-share-0123456789"},
        {"request_id": "request-99"},
        {"answers": "an-older-message-of-mine"},
        {"answers": None},
        {"iat": 1_700_000_000},
        {"iat": 1e300},
        {"state": "approved"},
        {"checks": [{"number": 2, "at": 1_795_176_000}]},
        {"checks": [{"number": 1, "at": 1_700_000_000}]},
        {"checks": [{"number": 1, "at": 1_900_000_000}]},
        {"checks": [{"number": 1, "at": 1_795_176_000, "outcome": "fine"}]},
        {"next_at": 1e300},
        {"next_at": 253_402_300_799},  # the last second of the year 9999
        {"next_at": 1_900_000_000},  # long after the last day
        {"next_at": 0},
        {"next_at": -62_135_596_800},
    ],
)
async def test_an_answer_that_is_wrong_in_one_thing_tells_nothing(world: World, changed: dict[str, Any]) -> None:
    """Another share, another message, moments that cannot be: the pause stays unconfirmed, and says so."""
    sharer, firm, entry = await allowed(world)
    firm.say = lambda message: firm.state(message, **changed)

    found = await permissions(world).wish(sharer.vault, entry, PermissionAction.PAUSE)

    assert (found.wish, found.is_confirmed, found.reason) == (PermissionAction.PAUSE, False, "answer_not_valid")
    assert found.checks == ()


@pytest.mark.parametrize("next_at", [253_402_300_799, -62_135_596_800, 1e300, 1_900_000_000])
async def test_a_next_check_that_cannot_be_is_not_told_also_where_it_was_kept_before(
    world: World, next_at: float
) -> None:
    """Wallets took any moment in once: what lies there keeps nobody from seeing, and ending, the permission."""
    sharer, _, entry = await allowed(world)
    kept = standing(world, sharer, entry)
    assert kept.next_at is not None
    assert kept.told is not None
    facts = {"token": "kept", "permission": {**kept.told.claims(), "next_at": next_at}}
    with world.wallet.deployment.database.transaction() as connection:
        append_event(connection, sharer.vault, Event(entry, EventKind.PERMISSION_TOLD, world.clock(), facts))

    found = standing(world, sharer, entry)

    assert found.is_granted_there
    assert found.next_at is None
    ended = await permissions(world).wish(sharer.vault, entry, PermissionAction.END)
    assert ended.is_confirmed


async def test_the_last_check_may_name_a_next_one_beyond_the_last_day(world: World) -> None:
    """A recipient that counts its days from the last check has done no wrong; there is no such check to tell of."""
    sharer, firm, entry = await allowed(world)
    beyond = datetime.combine(standing(world, sharer, entry).granted.until, time(), UTC) + timedelta(days=20)
    firm.say = lambda message: firm.state(message, next_at=beyond.timestamp())
    world.clock.move(minutes=1)

    await permissions(world).look(sharer.vault, entry)

    found = standing(world, sharer, entry)
    assert (found.reason, found.is_confirmed, found.next_at) == ("", True, None)
    assert found.told is not None
    assert found.told.next_at == beyond.timestamp()


@pytest.mark.parametrize(
    "changed",
    [
        {"until": "2030-01-01"},
        {"until": None},
        {"items": [{**NAME, "path": ["assessment_grade"]}]},
        {"items": [{**NAME, "path": []}]},
    ],
)
async def test_an_answer_that_claims_more_than_was_allowed_is_noticed(world: World, changed: dict[str, Any]) -> None:
    """A later day, another item, the whole certificate: it is not believed, and the reason stands there."""
    sharer, firm, entry = await allowed(world)
    firm.say = lambda message: firm.state(message, **changed)
    world.clock.move(minutes=1)

    await permissions(world).look(sharer.vault, entry)

    assert standing(world, sharer, entry).reason == "more_than_allowed"


async def test_only_the_recipients_own_signature_counts(world: World) -> None:
    """Another recipient's key, another kind of message, a cut signature, no body."""
    sharer, firm, entry = await allowed(world)
    other = Permitted(world, "other.example")
    honest = firm.state_claims

    def cut(message: CheckedHolderMessage) -> Response:
        return Response(bytes(firm.state(message).body).rpartition(b".")[0] + b".AAAA", media_type=JWT)

    for attempt in (
        lambda message: other.signed(honest(message), typ=PERMISSION_STATE_TYPE),
        lambda message: firm.signed(honest(message), typ=STATEMENT_TYPE),
        cut,
        says(200, b"", JWT),
        says(200, b"\xff", JWT),
        says(200, {"state": "ended"}),
        says(302, b"", JWT, location="https://other.example/permissions"),
    ):
        firm.say = attempt
        found = await permissions(world).wish(sharer.vault, entry, PermissionAction.END)
        assert (found.is_confirmed, found.is_over) == (False, True)
    assert other.wishes == []


async def test_a_replayed_answer_does_not_confirm_a_later_wish(world: World) -> None:
    """An older "paused" cannot stand in for the end: each answer names the message that it answers."""
    sharer, firm, entry = await allowed(world)
    kept: list[Response] = []

    def keep(message: CheckedHolderMessage) -> Response:
        kept.append(firm.state(message))
        return kept[0]

    firm.say = keep
    assert (await permissions(world).wish(sharer.vault, entry, PermissionAction.PAUSE)).is_confirmed
    firm.say = lambda _: Response(kept[0].body, media_type=JWT)

    found = await permissions(world).wish(sharer.vault, entry, PermissionAction.END)

    assert (found.is_confirmed, found.reason) == (False, "answer_not_valid")


async def test_a_recipient_that_does_not_stop_is_shown_as_not_having_confirmed(world: World) -> None:
    """It answers "active" to an end: here it is over, and that they do not say so stands there."""
    sharer, firm, entry = await allowed(world)
    firm.say = lambda message: firm.state(message, state="active")

    found = await permissions(world).wish(sharer.vault, entry, PermissionAction.END)

    assert (found.is_over, found.is_confirmed, found.next_at) == (True, False, None)


async def test_a_check_that_is_left_out_later_is_noticed(world: World) -> None:
    """What they once told of stays, and that they contradict themselves is said."""
    sharer, firm, entry = await allowed(world)
    checks = [firm.check()]
    firm.say = lambda message: firm.state(message, checks=checks)
    world.clock.move(minutes=1)
    await permissions(world).look(sharer.vault, entry)

    checks = []
    world.clock.move(minutes=1)
    await permissions(world).look(sharer.vault, entry)

    found = standing(world, sharer, entry)
    assert found.contradicts
    assert [one.number for one in found.checks] == [1]


async def test_silence_is_no_confirmation_and_the_end_is_sent_again(world: World) -> None:
    """Nobody answers: the wish stands in the history, and goes out again at a later unlock."""
    sharer, firm, entry = await allowed(world)
    with world.network.cut_before("/permissions"):
        found = await permissions(world).wish(sharer.vault, entry, PermissionAction.END)
    assert (found.is_over, found.is_confirmed) == (True, False)
    kinds = [event.kind for event in sharer.entry(entry).events]
    assert kinds[-2] is EventKind.PERMISSION_ENDED
    assert kinds[-1] in (EventKind.PERMISSION_NOT_SENT, EventKind.PERMISSION_UNKNOWN)

    world.clock.move(hours=2)
    await permissions(world).tend(sharer.vault)

    assert standing(world, sharer, entry).is_confirmed
    assert firm.wishes[-1].claims["action"] == "end"


async def test_what_is_over_cannot_be_given_again_from_here(world: World) -> None:
    """After the end there is no way on but a new request."""
    sharer, _, entry = await allowed(world)
    await permissions(world).wish(sharer.vault, entry, PermissionAction.END)

    for action in (PermissionAction.RESUME, PermissionAction.PAUSE):
        with pytest.raises(NoPermissionHere):
            await permissions(world).wish(sharer.vault, entry, action)
