"""`intyga-wallet permissions`."""

import json

import pytest

from tests.wallet.people import Sharer
from tests.wallet.permitting_world import Permitted
from tests.world import World
from wallet.cli_permissions import _list, _told
from wallet.permissions import Permissions

pytestmark = pytest.mark.anyio


async def test_the_list_says_who_what_and_until_when(world: World) -> None:
    """For people in lines, for machines without what only pages need."""
    sharer, firm = await Sharer.with_certificate(world), Permitted(world)
    assert _list([]) == "Nobody may check again."
    share_id = await firm.allowed_by(sharer)

    told = [_told(world.wallet.deployment, one) for one in Permissions(world.wallet.deployment).all(sharer.vault)]

    assert told[0]["id"] == share_id
    assert json.loads(json.dumps(told)) == told
    text = _list(told)
    for words in (
        "Exempelbolaget AB: In force.",
        "May check: Family name",
        "At most once in 30 days, until",
        share_id[:8],
    ):
        assert words in text
    assert not {"look", "icon", "may_end"} & told[0].keys()
