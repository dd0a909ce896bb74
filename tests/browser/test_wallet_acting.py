"""Acting for another in a browser: accessible and narrow on every screen, without scripts, in both languages."""

import pytest

from tests.browser.axe import assert_accessible
from tests.browser.conftest import OpenPage, Serve, overflow
from tests.browser.wallet_pages import serve_wallet
from tests.wallet.acting import EITHER, LINA, OMAR, WITH_POWER, power_offer, registration_offer
from tests.wallet.fake_verifier import FakeVerifier, notice
from tests.world import PASSPHRASE, World

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("language", "width", "javascript"), [("sv", 360, False), ("en", 1280, True)])
def test_every_screen_of_a_share_for_another(
    world: World, served: Serve, open_page: OpenPage, language: str, width: int, javascript: bool
) -> None:
    """From "for whom" to the receipt: nothing axe objects to, and nothing to scroll sideways."""
    employer = FakeVerifier(world)

    address = serve_wallet(world, served, world.university.trust_entry, employer.trust_entry)
    page = open_page(width=width, javascript=javascript, language=language)

    def look(*, acts: bool) -> None:
        assert page.locator("#acting-for").count() == int(acts)
        assert overflow(page) <= 0
        assert_accessible(page)

    page.goto(f"{address}/welcome")
    page.fill("#name", "Omar")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#create")
    offers = [power_offer(world), registration_offer(world, LINA), registration_offer(world, OMAR)]
    others = [power_offer(world, ends_on="2026-06-30"), power_offer(world, covers_recipients=["elsewhere.example"])]
    for offer in [*offers, *others]:
        page.goto(f"{address}/offer?{offer.partition('?')[2]}")
        page.click("#look")
        page.click("#collect")
        page.wait_for_selector("#read-certificate")
    look(acts=False)  # The card of a power.

    page.goto(f"{address}/present?{employer.ask(EITHER, notice=notice()).link().partition('?')[2]}")
    page.click("#arrival-continue")
    look(acts=False)
    assert page.locator("#act-over-3").count() == 1, "a power that has ended is told last, and not offered"
    page.click("#act-for-1")
    look(acts=True)
    page.click("#decide-share")
    page.wait_for_selector("#error-summary")
    look(acts=True)
    page.check("#acting-yes")
    page.click("#decide-share")
    page.wait_for_selector("#passphrase")
    look(acts=True)
    page.fill("#passphrase", PASSPHRASE)
    page.click("#decide-share")
    page.wait_for_selector("#receipt")
    look(acts=True)
    page.click("#receipt")
    look(acts=True)

    # What was done is handed over as a file, and taken in by whom it is about; here by the same browser.
    entry = page.url.split("/")[-2]
    page.goto(f"{address}/history/{entry}")
    assert page.locator("#telling").count() == 1
    look(acts=True)
    file = page.request.get(f"{address}/history/{entry}/act.json").body()
    page.goto(f"{address}/acting")
    look(acts=False)
    page.set_input_files("#file", {"name": "act.json", "mimeType": "application/json", "buffer": file})
    page.click("#look-at-file")
    look(acts=False)
    page.click("#take")
    page.wait_for_selector("#error-summary")
    look(acts=False)
    page.check("#about-me")
    page.click("#take")
    page.wait_for_selector("#done-for-you")
    look(acts=False)
    page.click("#to-acting")
    page.click("#make-address")
    page.wait_for_selector("#close-address")
    look(acts=False)
    page.click("#end-1")
    page.wait_for_selector("#letter")
    look(acts=False)
    page.goto(f"{address}/acting")
    page.click("#stop-1")
    page.wait_for_selector("#stops")
    look(acts=False)

    page.goto(f"{address}/present?{employer.ask(WITH_POWER, notice=notice()).link().partition('?')[2]}")
    page.click("#arrival-continue")
    look(acts=False)
    page.click("#act-for-2")
    page.wait_for_selector("#power-faults")
    look(acts=True)
