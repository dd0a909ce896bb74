"""The wallet's own pages in a browser: receiving, reading, locking; accessible, narrow, dark, and without scripts."""

from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, Serve, screenshot
from tests.browser.wallet_pages import looker, serve_wallet
from tests.world import PASSPHRASE, World

pytestmark = pytest.mark.browser

WAYS: list[tuple[str, int, bool, Literal["light", "dark"]]] = [
    ("sv", 1280, True, "light"),
    ("sv", 360, False, "light"),
    ("en", 1280, False, "light"),
    ("en", 320, True, "dark"),
]


@pytest.fixture
def address(world: World, served: Serve) -> str:
    """The address of a served wallet that trusts the university of this world."""
    return serve_wallet(world, served, world.university.trust_entry)


@pytest.mark.parametrize(("language", "width", "javascript", "colours"), WAYS)
def test_every_page_on_the_way_to_a_certificate(
    world: World,
    address: str,
    open_page: OpenPage,
    language: str,
    width: int,
    javascript: bool,
    colours: Literal["light", "dark"],
) -> None:
    """From a link to a certificate that is read in full: nothing axe objects to, and nothing to scroll sideways."""
    page = open_page(width=width, javascript=javascript, colours=colours, language=language)
    look = looker(page, f"wallet-{language}-{width}")
    first, second = world.university.offer(tx_code=True)[:2]
    assert second.tx_code is not None

    page.goto(f"{address}/offer?{first.offer.partition('?')[2]}")
    look("unlock")
    page.click("#begin")
    look("create")
    page.fill("#name", "Elin")
    page.fill("#passphrase", "        ")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#create")
    look("host")
    page.click("#look")
    page.click("#claims-1 summary")
    look("offer")
    page.fill("#tx_code", "1")
    page.click("#collect")
    look("wrong-code")
    page.fill("#tx_code", first.tx_code or "")
    page.click("#collect")
    look("stored")
    page.click("#read-certificate")
    for part in ("#checks", "#technical"):
        page.click(f"{part} summary")
    look("certificate")

    page.goto(f"{address}/receive")
    page.fill("#link", "nonsense")
    page.click("#take-link")
    look("receive-fault")
    page.fill("#link", world.stranger.offer("course-results")[0].offer)
    page.click("#take-link")
    page.click("#look")
    page.click("#collect")
    look("unknown-issuer")
    page.goto(f"{address}/")
    look("home-waiting")
    page.click("#waiting-open-1") if page.locator("#waiting-open-2").count() == 0 else page.click("#waiting-open-2")
    if page.locator("#keep").count() == 0:
        page.goto(f"{address}/")
        page.click("#waiting-open-1")
    page.click("#keep")
    page.click("#read-certificate")
    look("transcript")
    for path in ("", "settings", "trust", "help"):
        page.goto(f"{address}/{path}")
        look(path or "home")
    page.click("#lock")
    look("locked")


def test_the_way_by_keyboard_alone(world: World, address: str, open_page: OpenPage) -> None:
    """A person who uses only the keyboard makes a wallet and collects; the focus is never lost."""
    page = open_page(language="en")
    page.goto(f"{address}/offer?{world.university.offer()[0].offer.partition('?')[2]}")
    page.focus("#begin")
    page.keyboard.press("Enter")
    page.wait_for_selector("#create")
    page.focus("#name")
    page.keyboard.type("Elin")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSPHRASE)
    page.keyboard.press("Enter")
    page.wait_for_selector("#look")
    page.focus("#look")
    page.keyboard.press("Enter")
    page.wait_for_selector("#collect")
    page.focus("#collect")
    page.keyboard.press("Enter")

    page.wait_for_selector("#read-certificate")


def test_the_certificate_prints_as_a_certificate(world: World, address: str, open_page: OpenPage) -> None:
    """On paper there are no menus and buttons, and everything that it says."""
    page = open_page(language="sv")
    page.goto(f"{address}/offer?{world.university.offer()[0].offer.partition('?')[2]}")
    page.click("#begin")
    page.fill("#name", "Elin")
    page.fill("#passphrase", PASSPHRASE)
    for button in ("#create", "#look", "#collect", "#read-certificate"):
        page.click(button)
    page.emulate_media(media="print")
    screenshot(page, "wallet-print")

    expect(page.get_by_text("Sjöberg").first).to_be_visible()
    expect(page.locator(".site-header")).to_be_hidden()
    expect(page.locator("#check-now")).to_be_hidden()
