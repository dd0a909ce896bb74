"""The internship by scanning: the page of the verifier for people who come by themselves, at a computer; the wallet on
another device. The application of Jobbsprånget has no such code, and why stands in docs/verifier.md."""

import re
from html import unescape

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from issuer.offers import draft_offers
from issuer.profiles import load_profile
from issuer.results import Limits, read_results
from proofs.trust import entry_from_anchor
from schemas.types import CREDENTIAL_TYPES
from service import qr
from tests.verifier.pages.desk import post
from tests.wallet.people import Sharer
from tests.world import EXAMPLES, World
from verifier.app import create_app
from verifier.eligibility import Answer, eligibility_of
from verifier.exchange import Verifier
from verifier.requests import Kind
from verifier.settings import VerifierSettings
from wallet.delivery import DeliveryState
from wallet.requests import CameBy

pytestmark = pytest.mark.anyio

HOST = "jobbspranget.example"
STATEMENTS = {"registration-certificate": "job-seekers.csv", "target-group-certificate": "target-group.csv"}


def jobbspranget(world: World) -> FastAPI:
    """The verifier, whom the wallet knows and who trusts the university."""
    passphrase = world.directory / "passphrase-of-the-verifier"
    passphrase.write_text("a passphrase for key files in tests\n", encoding="ascii")
    settings = VerifierSettings(
        data=world.directory / HOST,
        public_url=f"https://{HOST}",
        key_passphrase_file=passphrase,
        name="Jobbsprånget",
        contact="dataskydd@jobbspranget.example",
    )
    app = create_app(settings, http=world.http(), clock=world.clock)
    world.network.connect(HOST, app)
    app.state.verifier.trust.add_entry(world.university.trust_entry, now=world.clock())
    root = next(settings.data.rglob("*.root.pem"))
    world.wallet.trust(entry_from_anchor(root.read_bytes(), name=None, role="verifier"))
    return app


async def elin(world: World) -> Sharer:
    """Somebody who has all that an internship asks for."""
    sharer = await Sharer.with_certificate(world, "course-results")
    context = world.university.context
    profile = load_profile(EXAMPLES / "employment-service-profile.toml")
    for name, file in STATEMENTS.items():
        today = world.clock().date()
        found = read_results((EXAMPLES / file).read_bytes(), file, profile=profile, limits=Limits(), today=today)
        mine = [record.dated(today) for record in found.records if record.learner.family_name == "Sjöberg"]
        drafts = draft_offers(CREDENTIAL_TYPES[name], mine, with_tx_code=False)
        (offer,) = context.store.offers.create(drafts, now=world.clock())
        await world.wallet.receive(sharer.vault, context.links_of(offer).offer)
    return sharer


async def test_an_internship_is_applied_for_by_scanning(world: World) -> None:
    """The code at the computer holds the request; the wallet asks whether its person began there, shares, and sends no
    browser anywhere; the page at the computer says that it came, and the answer is "eligible"."""
    app = jobbspranget(world)
    verifier: Verifier = app.state.verifier
    settings = verifier.settings
    sharer = await elin(world)

    computer = TestClient(app, base_url=settings.base_url)
    path = post(computer, "/share/internship", {}).headers["location"]
    page = unescape(computer.get(path).text)
    open_ones = [one.transaction for one in verifier.requests.list_transactions(now=world.clock())]
    (scanned,) = [one for one in open_ones if one.kind is Kind.CROSS_DEVICE]
    link = verifier.made(scanned).link
    drawn = re.search(r' d="([^"]+)"', qr.svg(link, title=""))
    assert drawn is not None
    assert drawn[1] in page, "the code on the page is the whole request"

    share_id = await sharer.begin(link, came_by=CameBy.CAMERA)
    delivery = await sharer.approve(share_id)

    assert (delivery.state, delivery.redirect_uri) == (DeliveryState.DELIVERED, None)
    assert 'data-phase="received"' in computer.get(path).text
    eligibility = eligibility_of(verifier.result(scanned.id), contents=None, time_zone=settings.time_zone)
    assert eligibility is not None
    assert eligibility.answer is Answer.ELIGIBLE
    verifier.database.close()
