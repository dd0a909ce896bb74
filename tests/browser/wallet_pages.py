"""A served wallet and the first steps in it, for every test that looks at its pages.

address = serve_wallet(world, served, world.university.trust_entry)
with_certificate(world, page, address)
look = looker(page, "wallet-sv-360")
look("home")
"""

from collections.abc import Callable

from fastapi import FastAPI
from playwright.sync_api import Page

from proofs.trust import TrustEntry
from service.settings import ServiceSettings
from tests.browser.axe import assert_accessible
from tests.browser.conftest import Serve, overflow, screenshot
from tests.world import PASSPHRASE, World
from wallet.app import create_app
from wallet.deployment import Deployment
from wallet.settings import WalletSettings
from wallet.trusted import source_of_entry


def serve_wallet(world: World, served: Serve, *trusted: TrustEntry, batch_limit: int | None = None) -> str:
    """Serve a wallet that trusts these; its address. `batch_limit` is how many copies it asks for, its own if None."""

    def make(settings: ServiceSettings) -> FastAPI:
        assert isinstance(settings, WalletSettings)
        app = create_app(settings, http=world.http(), clock=world.clock)
        wallet: Deployment = app.state.wallet
        with wallet.database.transaction() as connection:
            for entry in trusted:
                wallet.trust_store.put(connection, source_of_entry(entry))
        return app

    settings = WalletSettings(data=world.directory / "served", port=0)
    if batch_limit is not None:
        settings = settings.model_copy(update={"batch_limit": batch_limit})
    return served(make, settings)


def looker(page: Page, prefix: str) -> Callable[[str], None]:
    """What is done at each page: a picture, axe, and nothing to scroll sideways."""

    def look(name: str) -> None:
        page.wait_for_selector("h1")  # A press leads to another page, which may not be there yet.
        screenshot(page, f"{prefix}-{name}")
        assert_accessible(page)
        assert overflow(page) == 0, name

    return look


def with_certificate(world: World, page: Page, address: str) -> None:
    """From the link of an offer: a person makes a wallet, and collects a certificate."""
    page.goto(f"{address}/offer?{world.university.offer()[0].offer.partition('?')[2]}")
    page.click("#begin")
    page.fill("#name", "Elin")
    page.fill("#passphrase", PASSPHRASE)
    for button in ("#create", "#look", "#collect"):
        page.click(button)
    page.wait_for_selector("#read-certificate")


def moved_in(world: World, page: Page, address: str, *types: str) -> None:
    """Make a wallet and receive certificates of these types."""
    page.goto(f"{address}/welcome")
    page.fill("#name", "Elin")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#create")
    for type_name in types:
        page.goto(f"{address}/offer?{world.university.offer(type_name)[0].offer.partition('?')[2]}")
        page.click("#look")
        page.click("#collect")
        page.wait_for_selector("#read-certificate")


def arrive(page: Page, address: str, link: str) -> None:
    """Open a link of a request."""
    page.goto(f"{address}/present?{link.partition('?')[2]}")
