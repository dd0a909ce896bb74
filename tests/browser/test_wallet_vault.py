"""What a person does with the vault itself, in a browser: recovery code, accessible, narrow, dark, without scripts."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import assert_accessible
from tests.browser.conftest import OpenPage, overflow, screenshot
from tests.browser.test_wallet_receiving import WAYS, address
from tests.browser.wallet_pages import looker, with_certificate
from tests.world import PASSPHRASE, World

__all__ = ["address"]

pytestmark = pytest.mark.browser

NEW = "nya ord som passar"


@pytest.mark.parametrize(("language", "width", "javascript", "colours"), WAYS)
def test_a_forgotten_passphrase(
    address: str,
    open_page: OpenPage,
    language: str,
    width: int,
    javascript: bool,
    colours: Literal["light", "dark"],
) -> None:
    """From the reminder on the first page to a new passphrase, each page looked at on the way."""
    page = open_page(width=width, javascript=javascript, colours=colours, language=language)
    look = looker(page, f"vault-{language}-{width}")
    page.goto(f"{address}/welcome")
    page.fill("#name", "Elin")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#create")
    look("home-one-way-in")
    page.click("#to-recovery")
    page.fill("#passphrase", "something else")
    page.click("#make-code")
    look("recovery-wrong-passphrase")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#make-code")
    page.wait_for_selector("#code")
    look("recovery-code")
    code = " ".join(page.locator("#code code").all_inner_texts())
    page.click(f"#language-{'en' if language == 'sv' else 'sv'}")
    expect(page.locator("html")).to_have_attribute("lang", "en" if language == "sv" else "sv")
    expect(page.locator("#code code")).to_have_text(code.split(" "))
    page.click(f"#language-{language}")
    page.click("#code-kept")
    look("recovery-settings")
    page.click("#what-if")
    look("what-if")
    page.click("#lock")

    page.click("#forgotten")
    look("recover")
    page.fill("#name", "Elin")
    page.fill("#code", code[:-1] + ("A" if code[-1] != "A" else "B"))
    page.fill("#new", NEW)
    page.click("#recover")
    page.wait_for_selector("#error-summary")
    look("recover-slip")
    expect(page.locator("#code-error")).to_contain_text("7")
    page.fill("#code", code.lower())
    page.click("#compare")
    page.wait_for_selector("#check-words")
    look("recover-words")
    page.fill("#new", NEW)
    page.click("#recover")
    page.wait_for_selector("#has-no-code")
    look("recovered")


def test_what_is_chosen_to_be_remembered_can_be_looked_at(address: str, open_page: OpenPage) -> None:
    """A box shows the passphrase, by keyboard too; at first it is covered. Without scripts there is no box."""
    page = open_page(language="en", width=390)
    page.goto(f"{address}/welcome")
    page.fill("#name", "Elin")
    page.fill("#passphrase", PASSPHRASE)
    box = page.get_by_role("checkbox", name="Show what I type")
    expect(page.locator("#passphrase")).to_have_attribute("type", "password")
    box.press("Space")
    expect(page.locator("#passphrase")).to_have_attribute("type", "text")
    expect(page.locator("#passphrase")).to_have_value(PASSPHRASE)
    assert_accessible(page)
    assert overflow(page) == 0
    screenshot(page, "vault-create-shown-390")
    box.press("Space")
    expect(page.locator("#passphrase")).to_have_attribute("type", "password")

    plain = open_page(language="en", javascript=False)
    plain.goto(f"{address}/welcome")
    expect(plain.locator("#passphrase-shown")).to_be_hidden()


def test_the_code_prints_as_a_sheet_of_its_own(address: str, open_page: OpenPage) -> None:
    """On paper: the code, the name, the address and how it is used; no menus, no buttons."""
    page = open_page(language="sv")
    page.goto(f"{address}/welcome")
    page.fill("#name", "Elin")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#create")
    page.click("#to-recovery")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#make-code")
    page.wait_for_selector("#code")
    page.emulate_media(media="print")
    screenshot(page, "vault-recovery-print")

    expect(page.locator(".site-header")).to_be_hidden()
    expect(page.locator("#code-kept")).to_be_hidden()
    expect(page.locator("#code li")).to_have_count(7)
    expect(page.locator("#code-facts").get_by_text("Elin")).to_be_visible()
    expect(page.locator("#code-facts").get_by_text(address)).to_be_visible()
    page.emulate_media(media="screen")
    assert_accessible(page)
    assert overflow(page) == 0


@pytest.mark.parametrize(("language", "width", "javascript", "colours"), WAYS)
def test_the_history_and_its_pages(
    world: World,
    address: str,
    open_page: OpenPage,
    tmp_path: Path,
    language: str,
    width: int,
    javascript: bool,
    colours: Literal["light", "dark"],
) -> None:
    """My data, the history, saving and reading in, deleting an entry and then the wallet: each page looked at."""
    page = open_page(width=width, javascript=javascript, colours=colours, language=language)
    look = looker(page, f"vault-{language}-{width}")
    with_certificate(world, page, address)
    page.goto(f"{address}/my-data")
    look("my-data")
    page.fill("#find", "zzz")
    page.click("#find-button")
    page.wait_for_selector("#find-reset")
    look("my-data-nothing")
    page.goto(f"{address}/history")
    page.click("#save summary")
    look("history")
    _move(page, address, tmp_path, look)
    page.goto(f"{address}/history")
    page.click("#history a")
    page.click("#delete-entry")
    look("history-delete")
    page.click("#delete")
    page.wait_for_selector("#deletions")
    look("history-deleted")
    page.goto(f"{address}/settings/habits")
    look("habits")
    page.click("#habits-start")
    page.wait_for_selector("#habits-none")
    look("habits-none")
    page.goto(f"{address}/settings/leave")
    look("leave")
    page.click("#delete-wallet")
    page.wait_for_selector("#error-summary, :invalid")
    page.check("#understood")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#delete-wallet")
    page.wait_for_selector("#certificate-of-leaving")
    look("left")


def _move(page: Page, address: str, directory: Path, look: Callable[[str], None]) -> None:
    """Save the wallet locked, and read the file in again."""
    page.goto(f"{address}/settings/export")
    page.click("#plain summary")
    look("export")
    page.fill("#passphrase", PASSPHRASE)
    page.fill("#file_passphrase", "fem ord till en fil")
    with page.expect_download() as download:
        page.click("#export-locked")
    download.value.save_as(directory / "wallet.intyga")
    page.goto(f"{address}/settings/import")
    look("import")
    page.set_input_files("#file", directory / "wallet.intyga")
    page.fill("#file_passphrase", "something else")
    page.click("#import-file")
    page.wait_for_selector("#error-summary")
    look("import-refused")
    page.set_input_files("#file", directory / "wallet.intyga")
    page.fill("#file_passphrase", "fem ord till en fil")
    page.click("#import-file")
    page.wait_for_selector("#imported")
    look("imported")
