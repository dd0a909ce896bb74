"""Whom this wallet trusts now counts for the certificates that it holds already, in both directions."""

import httpx2
import pytest

from issuer.status import Status
from proofs.formats.concealment import plan_disclosures
from proofs.formats.sd_jwt import parse_sd_jwt
from proofs.formats.sd_jwt_vc import issue_sd_jwt_vc
from proofs.trust import TrustEntry
from tests.attacks.test_wallet_receiving import tampered
from tests.wallet.fake_verifier import FakeVerifier, notice, query
from tests.wallet.pages.test_share_pages import person, text_of
from tests.wallet.people import Sharer
from tests.wallet.test_fresh_status import change
from tests.world import World
from wallet.certificates import StoredCertificate
from wallet.over_asking import WarningKind

pytestmark = pytest.mark.anyio


@pytest.fixture
def employer(world: World) -> FakeVerifier:
    """A verifier that the wallet trusts."""
    made = FakeVerifier(world)
    world.wallet.trust(made.trust_entry)
    return made


def distrust(world: World, entry: TrustEntry) -> None:
    """The owner of the wallet stops trusting somebody."""
    with world.wallet.deployment.database.transaction() as connection:
        assert world.wallet.deployment.trust_store.remove(connection, entry.id)


async def kept_from_stranger(world: World, sharer: Sharer) -> StoredCertificate:
    """A certificate of an issuer that nobody vouches for, kept after the warning."""
    wallet = world.wallet.deployment
    collection_id = await world.wallet.begin(sharer.vault, world.stranger.offer()[0].offer)
    await wallet.collect(sharer.vault, collection_id, tx_code=None)
    await wallet.answer(sharer.vault, collection_id, keep=True)
    return sharer.certificate


async def warned(sharer: Sharer, employer: FakeVerifier) -> list[WarningKind]:
    """The warnings of a request that comes now."""
    share_id = await sharer.begin(employer.ask(query(["family_name"]), notice=notice()).link())
    return [one.kind for one in sharer.decision(share_id).warnings]


async def test_before_a_decision_an_issuer_that_was_removed_is_unknown(world: World, employer: FakeVerifier) -> None:
    """Its certificate is shared with a warning from the next request on, not only when its status is due."""
    sharer = await Sharer.with_certificate(world)
    assert WarningKind.ISSUER_UNKNOWN not in await warned(sharer, employer)

    distrust(world, world.university.trust_entry)

    assert WarningKind.ISSUER_UNKNOWN in await warned(sharer, employer)
    assert not sharer.certificate.issuer_trusted


async def test_before_a_decision_an_issuer_that_was_added_is_known(world: World, employer: FakeVerifier) -> None:
    """What was kept from a stranger is shared without that warning as soon as the stranger is trusted."""
    sharer = await Sharer.named(world)
    await kept_from_stranger(world, sharer)
    assert WarningKind.ISSUER_UNKNOWN in await warned(sharer, employer)

    world.wallet.trust(world.stranger.trust_entry)

    assert WarningKind.ISSUER_UNKNOWN not in await warned(sharer, employer)
    assert sharer.certificate.issuer_trusted


async def test_the_first_page_and_the_certificate_follow_whom_we_trust(world: World) -> None:
    """Removed and added again: the first page, the page of the certificate and the list say it each time."""
    browser = person(world)
    sharer = await Sharer.named(world)
    wallet, entry = world.wallet.deployment, world.university.trust_entry
    page = f"/certificates/{sharer.certificate.id}"
    assert "Unknown issuer" not in text_of(browser.get("/"))

    distrust(world, entry)
    assert "Unknown issuer" in text_of(browser.get("/"))
    assert [one.issuer_trusted for one in await wallet.certificates(sharer.vault)] == [False]
    world.wallet.trust(entry)
    assert "Unknown issuer" not in text_of(browser.get(page))
    distrust(world, entry)
    assert "Unknown issuer" in text_of(browser.get(page))
    world.wallet.trust(entry)
    assert [one.issuer_trusted for one in await wallet.certificates(sharer.vault)] == [True]


async def test_a_name_of_the_trust_list_goes_with_its_trust(world: World) -> None:
    """The name that the list gave is not kept for an issuer whom nobody vouches for; it is called by its own words."""
    sharer = await Sharer.named(world)
    entry = world.university.trust_entry
    world.wallet.trust(TrustEntry.from_json(entry.to_json() | {"identifier": world.university.url, "name": "Listed"}))
    await world.wallet.receive(sharer.vault, world.university.offer()[0].offer)
    assert sharer.certificate.issuer_name == "Listed"

    distrust(world, entry)
    await world.wallet.deployment.certificates(sharer.vault)

    assert sharer.certificate.issuer_name == "university.example"


@pytest.mark.parametrize("status", [Status.REVOKED, Status.SUSPENDED])
async def test_what_was_revoked_stays_so_when_only_trust_can_be_judged(world: World, status: Status) -> None:
    """The issuer goes unknown, while its list cannot be had: revoked stays revoked, and was not looked at now."""
    sharer = await Sharer.with_certificate(world)
    wallet = world.wallet.deployment
    change(world, status)
    before = await wallet.check_now(sharer.vault, sharer.certificate)
    world.clock.move(hours=13)
    distrust(world, world.university.trust_entry)

    with world.network.cut_before(httpx2.URL(before.status_uri or "").path):
        (after,) = await wallet.certificates(sharer.vault)
        (again,) = await wallet.certificates(sharer.vault)

    assert (after.status, after.report.failed) == (before.status, ["status"])
    assert not after.issuer_trusted
    assert after.report.unknown == ["issuer_trusted"]
    assert after.checked_at == before.checked_at
    assert again.version == after.version, "judged once for one change of trust"


async def test_who_is_judged_under_the_same_trust_is_not_asked_about_again(world: World) -> None:
    """Nothing changed: reading the list, however often, asks no issuer and writes nothing."""
    sharer = await Sharer.with_certificate(world)
    wallet = world.wallet.deployment
    before, seen = sharer.certificate.version, len(world.network.seen)

    for _ in range(3):
        await wallet.certificates(sharer.vault)

    assert (sharer.certificate.version, len(world.network.seen)) == (before, seen)


async def test_a_certificate_without_a_status_list_follows_as_well(world: World, employer: FakeVerifier) -> None:
    """Without a list there is never a status due; a change of trust is seen all the same."""

    def without_status(tokens: list[str]) -> list[str]:
        original = parse_sd_jwt(tokens[0])
        return [
            issue_sd_jwt_vc(
                {k: v for k, v in original.claims.items() if k not in ("cnf", "_sd_alg", "status")},
                disclosable=plan_disclosures([("family_name",)]),
                signer=world.university.context.key.signer,
                holder_jwk=original.claims["cnf"]["jwk"],
            )
        ]

    sharer = await Sharer.named(world)
    await tampered(world, without_status)
    assert (sharer.certificate.status, sharer.certificate.issuer_trusted) == ("none", True)
    distrust(world, world.university.trust_entry)

    assert WarningKind.ISSUER_UNKNOWN in await warned(sharer, employer)
    world.wallet.trust(world.university.trust_entry)
    assert (await world.wallet.deployment.check_due(sharer.vault))[0].issuer_trusted
