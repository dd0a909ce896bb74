"""The deletion pages in a real browser: both languages, wide and narrow, judged by axe; live; and without scripts."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.verifier.pages.desk import PASSWORD, Desk
from tests.verifier.pages.test_browser import Site, make
from tests.verifier.pages.test_browser import site as site

pytestmark = pytest.mark.browser


@pytest.fixture
def changes() -> dict[str, object]:
    """Staff decides."""
    return {"withdraw_at_once": False}


def sign_in(site: Site, page: Page) -> Desk:
    """Make the first account."""
    page.goto("/setup")
    page.fill("#setup_code", site.setup_code)
    page.fill("#login", "anna")
    page.fill("#password", PASSWORD)
    page.click("#setup")
    expect(page.locator("#ask-first")).to_be_visible()
    return site.desk


def look(site: Site, page: Page, state: str) -> None:
    """As `Site.look`, and on the narrowest phone."""
    site.look(page, state)
    page.set_viewport_size({"width": 320, "height": 800})
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        site.troubles.append(f"{state} (320 px): scrolls sideways")


def test_what_happens_before_the_page_listens_is_shown_too(site: Site) -> None:
    page = site.context("sv").new_page()
    desk = sign_in(site, page)
    made = make(site, page, "employer-micro-credential")
    desk.answer(made, optional=[1, 2, 3, 4])

    def meanwhile(route: Route) -> None:
        assert desk.withdraw(made).status_code == 202
        route.continue_()

    page.route("**/deletions/events", meanwhile, times=1)
    page.goto("/deletions")

    expect(page.locator("#waiting")).to_be_visible(timeout=10_000)


@pytest.mark.parametrize("language", ["sv", "en"])
def test_every_page_about_deletion_is_accessible_and_fits_a_phone(site: Site, language: str) -> None:
    """Empty, waiting, refused with and without faults, confirmed, deleted, and the calendar."""
    page = site.context(language).new_page()
    desk = sign_in(site, page)
    for path in ("/deletions", "/retention"):
        page.goto(path)
        look(site, page, f"empty {path}")
    made = [make(site, page, "employer-micro-credential") for _ in range(2)]
    desk.answer(made[0], optional=[1, 2, 3, 4])
    page.goto("/retention")
    look(site, page, "calendar")
    page.goto("/deletions")
    assert desk.withdraw(made[0]).status_code == 202
    expect(page.locator("#waiting")).to_be_visible(timeout=10_000)  # by itself
    look(site, page, "inbox with one")
    page.click("#waiting a")
    look(site, page, "one that waits")
    page.click("#to-refuse")
    look(site, page, "refusal")
    page.click("#decide-refuse-deletion")
    expect(page.locator("#error-summary")).to_be_focused()
    look(site, page, "refusal with a fault")
    page.check("#keep-1")
    page.check("#ground-1")
    page.fill("#words_sv", "Bokföringslagen kräver det till 2033.")
    page.fill("#words_en", "The accounting act demands it until 2033.")
    page.click("#decide-refuse-deletion")
    expect(page.locator("#stand")).to_have_attribute("data-state", "partly")
    look(site, page, "partly refused")
    page.goto(f"/requests/{made[0].id}?values=shown")
    look(site, page, "result of what was taken back")
    page.click("#to-deletion")
    page.click("#to-delete")
    look(site, page, "confirmation")
    page.click("#decide-delete")
    expect(page.locator("#stand")).to_have_attribute("data-state", "deleted")
    look(site, page, "deleted")
    page.goto("/deletions")
    look(site, page, "inbox with what is done")

    assert site.troubles == []


def test_deciding_works_without_scripts_and_enter_decides_nothing(site: Site) -> None:
    """Plain forms; Enter in a field shows the page again."""
    with_scripts = site.context("en").new_page()
    desk = sign_in(site, with_scripts)
    made = make(site, with_scripts, "employer-micro-credential")
    desk.answer(made)
    desk.withdraw(made)
    page = site.context("en", scripts=False).new_page()
    page.goto("/sign-in")
    page.fill("#login", "anna")
    page.fill("#password", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.goto("/deletions")
    page.click("#waiting a")
    page.click("#to-refuse")
    page.focus("#keep-1")
    page.keyboard.press("Space")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("#refuse-form")).to_be_visible()
    expect(page.locator("#keep-1")).to_be_checked()
    (waiting,) = desk.verifier.deletions.store.open()
    page.goto(f"/deletions/{waiting.id}")
    page.click("#to-delete")
    page.click("#decide-delete")
    expect(page.locator("#stand")).to_have_attribute("data-state", "deleted")
    assert desk.verifier.deletions.store.open() == []
