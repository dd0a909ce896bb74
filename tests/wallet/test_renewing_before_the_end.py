"""A certificate whose end comes near is renewed by itself: two weeks before it, or in the last quarter of a short life,
and not one second sooner (issue 3, OpenID4VCI 14.5)."""

from datetime import datetime, timedelta

import pytest

from schemas.types import CREDENTIAL_TYPES
from tests.issuer.fetching import ELIN
from tests.schemas.types.records import statement
from tests.wallet.test_fetching import Source, away
from tests.world import World
from wallet.certificates import StoredCertificate
from wallet.renewal import END_IS_NEAR, is_due
from wallet.vault import UnlockedVault

pytestmark = pytest.mark.anyio
TICK = timedelta(seconds=1)
REGISTRATION = CREDENTIAL_TYPES["registration-certificate"]


async def _fetched(world: World, source: Source) -> tuple[UnlockedVault, StoredCertificate]:
    vault = await world.wallet.person()
    _, collection = await away(world, vault, source)
    await world.wallet.deployment.come_back(vault, source.allow(collection.sign_in_url))
    (certificate,) = vault.certificates()
    return vault, certificate


def _set(world: World, moment: datetime) -> None:
    world.clock.move(seconds=(moment - world.clock()).total_seconds())


async def _renewed_at(world: World, vault: UnlockedVault, old: StoredCertificate, moment: datetime) -> None:
    """Nothing is asked one second before; at the moment itself there are fresh copies that last longer."""
    wallet = world.wallet.deployment
    asked = world.network.asked("source.example/credential")
    _set(world, moment - TICK)
    await wallet.resume(vault)
    assert world.network.asked("source.example/credential") == asked
    (same,) = vault.certificates()
    assert (same.valid_until, same.copies_left) == (old.valid_until, old.copies_left)

    _set(world, moment)
    await wallet.resume(vault)

    (renewed,) = vault.certificates()
    assert renewed.id == old.id, "the same certificate, with nothing for the person to do"
    assert old.valid_until is not None
    assert renewed.valid_until is not None
    assert renewed.valid_until > old.valid_until
    assert renewed.copies_left == 10 + old.copies_left if old.claims.get("as_of") is None else renewed.copies_left == 10
    assert not is_due(renewed, world.clock()), "and not again at once"
    asked = world.network.asked("source.example/credential")
    await wallet.resume(vault)
    assert wallet.collections(vault) == {}
    assert world.network.asked("source.example/credential") == asked


async def test_two_weeks_before_its_end_a_certificate_is_renewed(world: World) -> None:
    """Of one that lives for longer than eight weeks, with all of its copies left."""
    vault, certificate = await _fetched(world, Source(world, validity_days=100))
    assert certificate.valid_until is not None
    assert certificate.valid_from is not None
    assert certificate.valid_until - certificate.valid_from > 4 * END_IS_NEAR

    await _renewed_at(world, vault, certificate, certificate.valid_until - timedelta(days=14))


async def test_what_lives_for_thirty_days_is_renewed_in_its_last_quarter(world: World) -> None:
    """Two weeks before its end would be every fortnight: such a certificate is renewed a week before."""
    live = statement(REGISTRATION, learner=ELIN, as_of=None, is_live=True)
    vault, certificate = await _fetched(world, Source(world, vct=REGISTRATION.vct, kept=[live]))
    assert certificate.valid_until is not None
    assert certificate.valid_from is not None
    life = certificate.valid_until - certificate.valid_from
    assert life == timedelta(days=30)

    await _renewed_at(world, vault, certificate, certificate.valid_until - life / 4)
