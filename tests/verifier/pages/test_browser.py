"""The pages in a real browser: every state in both languages, wide and narrow, judged by axe; and without scripts."""

import asyncio
import socket
import threading
import time as wall_clock
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import launched
from tests.verifier.pages.desk import PASSWORD, TEMPLATE, Desk, Time, add_template
from verifier.requests import Transaction

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclass
class Site:
    """The desk on a port of loopback, and a browser."""

    desk: Desk
    browser: Browser
    setup_code: str
    troubles: list[str] = field(default_factory=list)

    def context(self, language: str, *, scripts: bool = True) -> BrowserContext:
        """A browser of its own."""
        return self.browser.new_context(
            locale="sv-SE" if language == "sv" else "en-GB",
            java_script_enabled=scripts,
            base_url=self.desk.settings.base_url,
        )

    def look(self, page: Page, state: str) -> None:
        """Judge the page as it stands: axe, and no sideways scrolling on a phone."""
        language = page.locator("html").get_attribute("lang")
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                self.troubles.append(f"{state} ({language}, {width} px): scrolls sideways")
        found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
        self.troubles += [f"{state} ({language}): {one['id']}" for one in found]


@pytest.fixture
def changes() -> dict[str, object]:
    """What is set otherwise than usual."""
    return {}


@pytest.fixture
def site(tmp_path: Path, changes: dict[str, object]) -> Iterator[Site]:
    """The pages as they are served."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    desk = Desk(tmp_path, Time(), changes=changes | {"port": listening.getsockname()[1]})
    code = asyncio.run(desk.app.state.accounts.setup_code(now=desk.time()))
    server = uvicorn.Server(uvicorn.Config(desk.app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        wall_clock.sleep(0.05)
    try:
        with launched() as browser:
            yield Site(desk, browser, code)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def make(site: Site, page: Page, template: str) -> Transaction:
    """Make a request by hand; the transaction behind its QR code."""
    page.goto(f"/ask/{template}")
    page.click("#make")
    page.wait_for_url("**/requests/*")
    return site.desk.record(page.url.rpartition("/")[2]).transaction


@pytest.mark.parametrize("language", ["sv", "en"])
def test_every_page_of_staff_is_accessible_and_fits_a_phone(site: Site, language: str) -> None:
    """From the empty desk to every kind of result."""
    desk, page = site.desk, site.context(language).new_page()
    page.goto("/sign-in")
    site.look(page, "sign in")
    page.goto("/setup")
    page.fill("#setup_code", "wrong")
    page.fill("#login", "anna")
    page.fill("#password", PASSWORD)
    page.click("#setup")
    expect(page.locator("#error-summary")).to_be_focused()
    site.look(page, "setup with an error")
    page.fill("#setup_code", site.setup_code)
    page.fill("#password", PASSWORD)
    page.click("#setup")
    expect(page.locator("#ask-first")).to_be_visible()
    for path in ("/", "/log", "/help", "/account", "/programs"):
        page.goto(path)
        site.look(page, f"empty {path}")
    faulty = "\n".join(line for line in TEMPLATE.splitlines() if not line.startswith("contact"))
    add_template(desk, "faulty.toml", faulty)
    for path in ("/ask", "/ask/employer-micro-credential"):
        page.goto(path)
        site.look(page, path)

    accepted = make(site, page, "employer-micro-credential")
    site.look(page, "request")
    page.fill("#wallet_address", "javascript:alert(1)")
    page.click("#use-wallet")
    expect(page.locator("#error-summary")).to_be_focused()
    site.look(page, "request with a wrong address")
    page.fill("#wallet_address", "https://wallet.example")
    page.click("#use-wallet")
    expect(page.locator("#open-web-wallet")).to_be_visible()
    site.look(page, "request with a wallet")
    desk.answer(accepted, optional=[1, 2, 3, 4])
    expect(page.locator("#verdict")).to_be_visible(timeout=10_000)  # by itself
    site.look(page, "accepted, values covered")
    page.click("#show-values")
    expect(page.locator("#shown-1")).to_be_visible()
    site.look(page, "accepted")

    courses = make(site, page, "course-results")
    desk.answer(courses, optional=[1, 2])
    page.goto(f"/requests/{courses.id}?values=shown")
    site.look(page, "accepted transcript")
    desk.publish_status(1)
    rejected = make(site, page, "employer-micro-credential")
    desk.answer(rejected)
    page.goto(f"/requests/{rejected.id}")
    site.look(page, "rejected")
    desk.lists.clear()
    unknown = make(site, page, "employer-micro-credential")
    desk.answer(unknown)
    page.goto(f"/requests/{unknown.id}?values=shown")
    site.look(page, "could not be checked")
    declined = make(site, page, "employer-micro-credential")
    desk.decline(declined)
    for path in (f"/requests/{declined.id}", "/", "/log"):
        page.goto(path)
        site.look(page, f"filled {path.partition(declined.id)[0]}")

    assert site.troubles == []


@pytest.mark.parametrize("language", ["sv", "en"])
def test_every_page_of_the_person_is_accessible_and_fits_a_phone(site: Site, language: str) -> None:
    """Sharing by oneself, the way back, and the choice of a wallet."""
    desk, page = site.desk, site.context(language).new_page()
    page.goto("/share/employer-micro-credential")
    site.look(page, "share")
    page.click("#share-start")
    expect(page.locator("#share-phase")).to_have_attribute("data-phase", "open")
    site.look(page, "share, open")
    handle = page.url.rpartition("/")[2]
    link = desk.verifier.requests.pending(handle, now=desk.time()).transaction
    page.goto(f"/present?{desk.verifier.made(link).link.partition('?')[2]}")
    site.look(page, "choose a wallet")
    back = desk.answer(link).json()["redirect_uri"]
    page.goto(back)
    expect(page.locator("#share-phase")).to_have_attribute("data-phase", "received")
    site.look(page, "share, received")
    page.goto(back)
    site.look(page, "code used twice")

    assert site.troubles == []


def test_asking_and_sharing_work_without_scripts(site: Site) -> None:
    """Forms and links alone lead from the setup to the result; the newest state is an ordinary link."""
    desk, page = site.desk, site.context("en", scripts=False).new_page()
    page.goto("/setup")
    page.fill("#setup_code", site.setup_code)
    page.fill("#login", "anna")
    page.fill("#password", PASSWORD)
    page.click("#setup")
    made = make(site, page, "employer-micro-credential")
    desk.answer(made, optional=[1])
    page.click("#request-state a")
    expect(page.locator("#verdict")).to_contain_text("Every check held")
    page.click("#show-values")
    expect(page.locator("#shown-1")).to_contain_text("Ångström")
    page.click("#sign-out")
    person = site.context("en", scripts=False).new_page()
    person.goto("/share/course-results")
    person.click("#share-start")
    link = desk.verifier.requests.pending(person.url.rpartition("/")[2], now=desk.time()).transaction
    person.goto(desk.answer(link).json()["redirect_uri"])

    expect(person.locator("#share-phase")).to_have_attribute("data-phase", "received")
