"""Taking back in a browser: no more clicks than sharing, accessible, narrow, dark, without scripts, by keyboard."""

from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import assert_accessible
from tests.browser.conftest import OpenPage, Serve, overflow, screenshot
from tests.browser.test_wallet_sharing import WAYS
from tests.browser.wallet_pages import arrive, moved_in, serve_wallet
from tests.wallet.taking_back_world import BIRTH, NAME, Recipient
from tests.world import PASSPHRASE, World

pytestmark = pytest.mark.browser


@pytest.fixture
def recipient(world: World) -> Recipient:
    """Who gets the share."""
    return Recipient(world)


@pytest.fixture
def address(world: World, recipient: Recipient, served: Serve) -> str:
    """The address of a served wallet that trusts the university and the recipient."""
    return serve_wallet(world, served, world.university.trust_entry, recipient.trust_entry)


class Clicks:
    """Clicks, counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0

    def __call__(self, selector: str) -> None:
        self.count += 1
        self.page.click(selector)


def share(page: Page, address: str, recipient: Recipient, clicks: Clicks, **said: object) -> None:
    """Share a name and a birth date."""
    arrive(page, address, recipient.ask_for_two(**said).link())
    clicks("#arrival-continue")
    clicks("#decide-share")
    page.fill("#passphrase", PASSPHRASE)
    clicks("#decide-share")
    page.wait_for_selector("#outcome[data-outcome=shared]")


@pytest.mark.parametrize("javascript", [True, False])
def test_cs33_taking_back_takes_no_more_clicks_than_sharing(
    world: World, address: str, recipient: Recipient, open_page: OpenPage, javascript: bool
) -> None:
    """Counted from the same place, the entry beside its receipt, and from the page that says that it was shared."""
    page = open_page(language="en", javascript=javascript)
    moved_in(world, page, address, "micro-credential")
    sharing = Clicks(page)
    share(page, address, recipient, sharing)
    from_outcome = Clicks(page)
    from_outcome("#take-back")
    from_outcome("#do-take-back")
    page.wait_for_selector("#standing[data-state=done]")

    share(page, address, recipient, Clicks(page))
    page.goto(f"{address}/history")
    from_history = Clicks(page)
    from_history("#history li:first-child a")
    expect(page.locator("#receipt")).to_have_count(1)
    from_history("#take-back")
    from_history("#do-take-back")
    page.wait_for_selector("#standing[data-state=done]")

    assert from_outcome.count < sharing.count
    assert from_history.count <= sharing.count
    assert len(recipient.messages) == 2


@pytest.mark.parametrize(("language", "width", "javascript", "colours"), WAYS)
def test_every_screen_of_taking_back(
    world: World,
    address: str,
    recipient: Recipient,
    open_page: OpenPage,
    language: str,
    width: int,
    javascript: bool,
    colours: Literal["light", "dark"],
) -> None:
    """Asking, waiting, overdue, complaining, refused, done, and by hand: nothing axe objects to, nothing too wide."""
    page = open_page(width=width, javascript=javascript, colours=colours, language=language)

    def look(name: str) -> None:
        page.wait_for_selector("h1")
        screenshot(page, f"take-back-{language}-{width}-{name}")
        assert_accessible(page)
        assert overflow(page) == 0, name

    moved_in(world, page, address, "micro-credential")
    kept = {"ground": "legal_claims", "words": {"sv": "Tvist pågår.", "en": "There is a dispute."}, "items": [NAME]}
    recipient.answer = lambda message: recipient.statement(
        message, reason="erased", outcome="partly", items=[BIRTH], exceptions=[kept]
    )
    share(page, address, recipient, Clicks(page))
    look("s4")
    page.click("#entry")
    look("entry")
    page.click("#ask-delete")
    look("ask-delete")
    page.click("#do-chosen")
    page.wait_for_selector("#error-summary")
    look("ask-delete-fault")
    page.click("#do-everything")
    page.wait_for_selector("#standing[data-state=partly]")
    look("partly")
    page.click("#complain")
    look("complaint")

    recipient.answer = recipient.acknowledged
    share(page, address, recipient, Clicks(page))
    page.click("#take-back")
    look("take-back")
    page.click("#do-take-back")
    page.wait_for_selector("#standing[data-state=acknowledged]")
    look("acknowledged")
    url = page.url

    by_hand = {"url": "https://employer.example/radera", "contact": "a@employer.example", "phone": "+46 8 123 45 67"}
    share(page, address, recipient, Clicks(page), withdraw=by_hand)
    page.click("#take-back")
    look("by-hand")
    page.click("#sent-phone")
    page.wait_for_selector("#standing[data-state=marked]")
    look("marked")

    world.clock.move(days=31)
    page.goto(url)
    page.fill("#name", "Elin")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#unlock")
    page.wait_for_selector("#standing[data-state=overdue]")
    look("overdue")
    page.goto(f"{url}/take-back")
    page.wait_for_selector("#how-else")
    look("other-ways")
    page.goto(f"{url}/objection")
    look("objection")
    page.goto(address)
    page.wait_for_selector("#missing")
    look("missing")
    page.goto(f"{address}/history")
    look("list")
    page.goto(f"{address}/my-data")
    look("my-data")


def test_taking_back_by_keyboard_alone(world: World, address: str, recipient: Recipient, open_page: OpenPage) -> None:
    """Tab reaches the button; Enter on the page does nothing, the space bar on the button does it."""
    page = open_page(language="en")
    moved_in(world, page, address, "micro-credential")
    share(page, address, recipient, Clicks(page))
    page.click("#take-back")
    page.wait_for_selector("#do-take-back")
    page.keyboard.press("Enter")
    for _ in range(60):
        if page.evaluate("document.activeElement.id") == "do-take-back":
            break
        page.keyboard.press("Tab")
    assert recipient.messages == []
    page.keyboard.press("Space")

    page.wait_for_selector("#standing[data-state=done]")
    assert len(recipient.messages) == 1
