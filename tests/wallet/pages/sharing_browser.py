"""A browser of a person who has a certificate and has shared it, for tests of what comes after."""

import re

from starlette.testclient import TestClient

from tests.wallet.fake_verifier import FakeVerifier, notice, query
from tests.wallet.pages.test_share_pages import confirm, decide, look
from tests.wallet.test_pages import collect, make_wallet
from tests.world import World

THEIR_NUMBER = "AAtheirOwnNumber17"
"""By which the recipient finds the request."""


def browser_that_shared(
    world: World, *, language: str = "en", name: str = "Maja"
) -> tuple[TestClient, str, FakeVerifier]:
    """A person's browser after one share of a family name, the share's entry in the history, and who asked."""
    employer = FakeVerifier(world)
    world.wallet.trust(employer.trust_entry)
    browser = world.wallet.browser(language)
    make_wallet(browser, name)
    collect(browser, world.university.offer()[0].offer)
    share(browser, employer)
    return browser, latest_entry(browser), employer


def share(browser: TestClient, employer: FakeVerifier) -> None:
    """Share a family name."""
    page = look(browser, employer.ask(query(["family_name"]), notice=notice(request_id=THEIR_NUMBER)).link())
    confirm(browser, decide(browser, page, "share"))


def latest_entry(browser: TestClient) -> str:
    """The identifier of the newest entry of the history."""
    found = re.search(r'id="entry-([0-9a-f]+)"', browser.get("/history").text)
    assert found is not None
    return found[1]
