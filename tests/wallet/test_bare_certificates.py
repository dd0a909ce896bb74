"""A certificate of which nothing was chosen, after the share: said again, asked for, stated (CS-30, CS-35, CS-36)."""

from dataclasses import replace

import pytest

from schemas.withdrawal import Action
from tests.wallet.fake_verifier import VCT, credential, notice
from tests.wallet.people import Sharer
from tests.wallet.taking_back_world import NAME, Recipient, withdrawals
from tests.world import World
from wallet.leaving import Leaving
from wallet.ledger import Entry, EventKind, entries_of
from wallet.naming import Line
from wallet.reshown import reshown
from wallet.taking_back import State, separable, standing_of
from wallet.withdrawals import NothingChosen

pytestmark = pytest.mark.anyio

TRANSCRIPT = "urn:intyga:credential:course-results:1"
WHOLE = {"credential": "course", "path": [], "label": {"sv": "Mikromeritintyg", "en": "Short course certificate"}}


async def shared(world: World, *, only: bool = False) -> tuple[Sharer, Recipient, str]:
    """A family name of a transcript, and a micro-credential of which nothing was chosen; or `only` the latter."""
    sharer = await Sharer.with_certificate(world, "course-results", "micro-credential")
    firm = Recipient(world)
    asked = [credential(query_id="course", vct=VCT)]
    if not only:
        asked = [credential(["family_name"], vct=TRANSCRIPT), *asked]
    said = notice(withdraw={"endpoint": firm.endpoint}, request_id="request-1")
    share_id = await sharer.begin(firm.ask({"credentials": asked}, notice=said).link())
    await sharer.approve(share_id)
    return sharer, firm, share_id


def as_written_before(entry: Entry) -> Entry:
    """The same entry from a version that knew neither a commitment to what comes along nor a reference to it."""
    decided = {name: value for name, value in (entry.decided or {}).items() if name != "salts_along"}
    decided["came_along"] = [
        {name: one[name] for name in ("certificate", "certificate_id", "items")} for one in decided["came_along"]
    ]
    events = [replace(one, facts=decided) if one.kind is EventKind.APPROVED else one for one in entry.events]
    (before,) = entries_of(events, now=entry.events[-1].at)
    return before


async def test_what_came_along_is_said_only_while_the_certificate_says_the_same(world: World) -> None:
    """A renewed one that says something else is told; an entry older than the commitments says nothing."""
    sharer, _, share_id = await shared(world, only=True)
    entry, held = sharer.entry(share_id), sharer.vault.certificates()
    renewed = [replace(one, claims={**one.claims, "issuing_country": "NO"}) for one in held]

    (said,) = reshown(entry, held, language="en")
    (changed,) = reshown(entry, renewed, language="en")

    assert (said.always, said.is_as_it_was, Line("Country", "Sweden") in said.lines) == (True, True, True), said.lines
    assert (changed.always, changed.is_as_it_was, changed.lines) == (True, False, ())
    assert not list(reshown(as_written_before(entry), held, language="en"))
    assert not list(reshown(entry, [], language="en"))


async def test_the_certificate_alone_is_asked_for_and_stated(world: World) -> None:
    """The message names the query that it answered, and only that; what is left stays to be taken back."""
    sharer, firm, share_id = await shared(world)
    assert separable(sharer.entry(share_id)) == (0, 1)
    firm.answer = lambda message: firm.statement(message, reason="erased", items=[WHOLE])

    found = await withdrawals(world).wish(sharer.vault, share_id, Action.ERASE, chosen=(1,), language="en")

    assert firm.messages[-1].claims["items"] == [{"credential": "course", "path": []}]
    assert (found.state, found.not_mentioned, found.is_gone) == (State.DONE, (), False)
    firm.answer = lambda message: firm.statement(message, reason="erased", items=[NAME])
    rest = await withdrawals(world).wish(sharer.vault, share_id, Action.ERASE, chosen=(0,), language="en")
    assert (rest.state, rest.is_gone) == (State.DONE, True)


async def test_a_statement_that_leaves_the_certificate_out_closes_nothing(world: World) -> None:
    """ "Deleted", says the recipient, and names the items only: the certificate stands as what they say nothing of."""
    sharer, firm, share_id = await shared(world)
    firm.answer = lambda message: firm.statement(message, items=[NAME])

    found = await withdrawals(world).wish(sharer.vault, share_id, Action.WITHDRAW, chosen=None, language="en")

    assert (found.state, found.not_mentioned, found.is_gone) == (State.PARTLY, (1,), False)


async def test_of_an_older_entry_only_everything_can_be_asked_for(world: World) -> None:
    """Nobody could tell the recipient which certificate is meant: no number of it, and no empty list of items."""
    sharer, _, share_id = await shared(world, only=True)
    before = as_written_before(sharer.entry(share_id))
    assert (separable(before), before.went[0]["certificate_id"]) == ((), sharer.certificate.id)
    for chosen in ((0,), ()):
        with pytest.raises(NothingChosen):
            withdrawals(world).check(before, chosen)
    withdrawals(world).check(before, None)
    assert not standing_of(before, now=world.clock(), time_zone="Europe/Stockholm").is_gone


async def test_who_leaves_is_shown_who_has_such_a_certificate(world: World) -> None:
    """Leaving offers to have it deleted, as it does for items."""
    sharer, _, share_id = await shared(world, only=True)
    assert [one.id for one in Leaving(world.wallet.deployment).still_kept(sharer.vault)] == [share_id]
