"""A standing permission covers what was approved: a new or changed value asks again (CS-07, issue 3)."""

from datetime import date

import pytest

from schemas.standing_permission import RecheckOutcome
from tests.wallet.people import Sharer
from tests.wallet.permitting_world import permissions
from tests.wallet.test_fetching import Source, _correct, away
from tests.wallet.test_permissions import ask, firm, standing
from tests.world import World
from verifier.exchange import Verifier
from verifier.rechecks import RecheckNotPermitted
from wallet.certificates import StoredCertificate
from wallet.decision import Chosen
from wallet.ledger import Outcome
from wallet.store.certificates import take_copy

pytestmark = pytest.mark.anyio
__all__ = ["firm"]
NEW_DAY = date(2026, 6, 11)


async def test_cs07_a_changed_value_is_asked_for_anew(world: World, firm: Verifier) -> None:
    """The certificate is renewed and says something else. The same recipient asks again: that is an open decision like
    any other, nothing of it is approved or sent, and its later checks go on to be about the old items alone."""
    source, sharer = Source(world), await Sharer.named(world)
    firm.trust.add_entry(source.entry, now=world.clock())
    _, collection = await away(world, sharer.vault, source)
    await world.wallet.deployment.come_back(sharer.vault, source.allow(collection.sign_in_url))
    made = ask(firm)
    allowed_id = await sharer.begin(made.link)
    sharer.choose(allowed_id, Chosen(recheck=True))
    await sharer.allow_checks(allowed_id)
    await sharer.approve(allowed_id)
    allowed = standing(world, sharer, allowed_id)
    before = await firm.rechecks.permission(made.id)
    assert before is not None

    new = await _renewed_with_another_day(world, sharer, source)
    again = ask(firm)
    share_id = await sharer.begin(again.link)

    decision = sharer.decision(share_id)
    assert [group.certificate.id for group in decision.groups] == [new.id]
    shown = [value for item in decision.groups[0].items for _, value, _ in item.lines]
    assert "11 June 2026" in shown
    assert (decision.chosen, decision.allowed_recheck) == (Chosen(), None), "nothing is chosen or allowed beforehand"
    assert decision.recheck is not None, "later checks are offered anew, with a box of their own"
    assert sharer.entry(share_id).outcome is Outcome.OPEN
    assert sharer.entry(share_id).decided is None
    assert permissions(world).standing(sharer.vault, share_id) is None
    assert firm.contents(again.id, viewer="test") is None, "nothing was sent"
    with pytest.raises(RecheckNotPermitted, match="none"):
        await firm.rechecks.check_again(again.id, actor="test")

    world.clock.move(hours=2)
    asked = world.network.asked("wallet.example")
    assert await firm.rechecks.check_again(made.id, actor="test") is RecheckOutcome.VALID
    assert world.network.asked("wallet.example") == asked, "no value is asked of anybody"
    after = await firm.rechecks.permission(made.id)
    assert after is not None
    assert after.items == before.items
    assert standing(world, sharer, allowed_id).granted == allowed.granted
    kept = firm.contents(made.id, viewer="test")
    assert kept is not None
    assert NEW_DAY.isoformat() not in [item.value for item in kept.items], "what is kept there is what was approved"


async def _renewed_with_another_day(world: World, sharer: Sharer, source: Source) -> StoredCertificate:
    """The source corrects its record, and the copies that run out are renewed; returns the certificate that came."""
    (old,) = sharer.vault.certificates()
    with world.wallet.deployment.database.transaction() as connection:
        for _ in range(old.copies_left - 1):
            take_copy(connection, sharer.vault, old.id)
    (row,) = source.side.context.store.results.list_results()
    corrected = row.record.model_copy(update={"issued_on": NEW_DAY})
    _correct(source, row.id, corrected.model_dump_json().encode())
    world.clock.move(hours=1)
    await world.wallet.deployment.resume(sharer.vault)
    (new,) = [one for one in sharer.vault.certificates() if one.id != old.id]
    return new
