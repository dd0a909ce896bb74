"""Deleting a certificate in a browser: accessible, narrow, dark, without scripts, and by keyboard alone."""

from typing import Literal

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.test_wallet_receiving import WAYS, address
from tests.browser.wallet_pages import looker, with_certificate
from tests.world import World

__all__ = ["address"]

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("language", "width", "javascript", "colours"), WAYS)
def test_every_screen_of_deleting(
    world: World,
    address: str,
    open_page: OpenPage,
    language: str,
    width: int,
    javascript: bool,
    colours: Literal["light", "dark"],
) -> None:
    """From the certificate to the history that is left; keeping it first."""
    page = open_page(width=width, javascript=javascript, colours=colours, language=language)
    look = looker(page, f"deleting-{language}-{width}")
    with_certificate(world, page, address)
    page.goto(address)
    page.click(".certificate a, main li a >> nth=0")
    page.wait_for_selector("#provenance")
    held = page.url
    page.click("#delete")
    page.wait_for_selector("#not-taken-back")
    look("asked")
    page.click("#keep")
    expect(page).to_have_url(held)
    page.click("#delete")
    page.wait_for_selector("#not-taken-back")
    page.click("#delete")
    page.wait_for_selector("[role=status], .notice")
    look("deleted")
    expect(page).to_have_url(f"{address}/")
    page.goto(f"{address}/history?outcome=deleted")
    expect(page.locator("#history a")).to_have_count(1)
    look("history")
    page.click("#history a")
    page.wait_for_load_state()
    look("entry")


def test_deleting_by_keyboard_alone(world: World, address: str, open_page: OpenPage) -> None:
    """Enter on the page deletes nothing; Tab reaches the button, and the space bar on it deletes."""
    page = open_page(language="en")
    with_certificate(world, page, address)
    page.goto(address)
    page.click(".certificate a, main li a >> nth=0")
    page.click("#delete")
    page.wait_for_selector("#not-taken-back")
    asked = page.url
    page.keyboard.press("Enter")
    for _ in range(60):
        if page.evaluate("document.activeElement.id") == "delete":
            break
        page.keyboard.press("Tab")
    expect(page).to_have_url(asked)
    page.keyboard.press("Space")

    expect(page).to_have_url(f"{address}/")
    assert page.goto(asked.removesuffix("/delete")).status == 404  # type: ignore[union-attr]
