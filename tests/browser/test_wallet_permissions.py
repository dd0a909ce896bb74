"""The box for later checks and the page of ongoing permissions in a browser: accessible, narrow, few clicks."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import assert_accessible
from tests.browser.conftest import OpenPage, Serve, overflow
from tests.browser.test_wallet_taking_back import Clicks
from tests.browser.wallet_pages import arrive, moved_in, serve_wallet
from tests.wallet.permitting_world import Permitted
from tests.world import PASSPHRASE, World

pytestmark = pytest.mark.browser


@pytest.fixture
def firm(world: World) -> Permitted:
    """Who asks to check again."""
    return Permitted(world)


@pytest.fixture
def address(world: World, firm: Permitted, served: Serve) -> str:
    """The address of a served wallet that trusts the university and the recipient."""
    return serve_wallet(world, served, world.university.trust_entry, firm.trust_entry)


def allow(page: Page, address: str, firm: Permitted, clicks: Clicks) -> None:
    """Share with the box for later checks ticked."""
    arrive(page, address, firm.ask_offering())
    clicks("#arrival-continue")
    expect(page.locator("#recheck")).not_to_be_checked()
    clicks("#recheck")
    assert_accessible(page)
    assert overflow(page) <= 0
    clicks("#decide-share")
    assert page.is_visible("#confirm-recheck")
    assert_accessible(page)
    assert overflow(page) <= 0
    page.fill("#passphrase", PASSPHRASE)
    clicks("#decide-allow")
    assert page.is_visible("#confirm-recheck")
    assert_accessible(page)
    page.fill("#passphrase", PASSPHRASE)
    clicks("#decide-share")
    page.wait_for_selector("#outcome[data-outcome=shared]")


@pytest.mark.parametrize("language", ["sv", "en"])
def test_s7_ending_takes_fewer_clicks_than_giving(
    world: World, address: str, firm: Permitted, open_page: OpenPage, language: str
) -> None:
    """From the first page: My data, ongoing permissions, end now; every state of the page is accessible at 360 px."""
    page = open_page(language=language, width=360, javascript=False)
    moved_in(world, page, address, "micro-credential")
    page.goto(f"{address}/permissions")
    assert_accessible(page)
    giving, ending = Clicks(page), Clicks(page)

    allow(page, address, firm, giving)
    page.goto(f"{address}/my-data")
    ending("#to-permissions")
    assert_accessible(page)
    assert overflow(page) <= 0
    ending("#end-1")

    assert_accessible(page)
    assert [one.claims["action"] for one in firm.wishes] == ["grant", "end"]
    assert ending.count + 1 < giving.count
