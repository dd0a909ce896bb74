"""The rarer screens of a share in a browser: other ways to answer, answers that went astray, copies that run out."""

from typing import Literal

import pytest

from tests.browser.conftest import OpenPage, Serve
from tests.browser.wallet_pages import arrive, looker, moved_in, serve_wallet
from tests.wallet.fake_verifier import TRANSCRIPT, FakeVerifier, notice, query
from tests.world import PASSPHRASE, World

pytestmark = pytest.mark.browser

COPIES = 4


@pytest.fixture
def employer(world: World) -> FakeVerifier:
    """A verifier that the served wallet trusts."""
    return FakeVerifier(world)


@pytest.fixture
def address(world: World, employer: FakeVerifier, served: Serve) -> str:
    """The address of a served wallet whose certificates have few copies."""
    return serve_wallet(world, served, world.university.trust_entry, employer.trust_entry, batch_limit=COPIES)


@pytest.mark.parametrize(
    ("language", "width", "javascript", "colours"), [("sv", 320, False, "light"), ("en", 1280, True, "dark")]
)
def test_the_rarer_screens_of_a_share(
    world: World,
    address: str,
    employer: FakeVerifier,
    open_page: OpenPage,
    language: str,
    width: int,
    javascript: bool,
    colours: Literal["light", "dark"],
) -> None:
    """Nothing axe objects to, and nothing to scroll sideways, where things do not go as they should."""
    page = open_page(width=width, javascript=javascript, colours=colours, language=language)
    look = looker(page, f"outcomes-{language}-{width}")
    moved_in(world, page, address, "micro-credential", "micro-credential", "course-results")

    def ask(vct: str = TRANSCRIPT) -> str:
        return employer.ask(query(["family_name"], vct=vct), notice=notice()).link()

    def share(link: str, outcome: str) -> None:
        arrive(page, address, link)
        page.click("#arrival-continue")
        page.click("#decide-share")
        page.fill("#passphrase", PASSPHRASE)
        page.click("#decide-share")
        page.wait_for_selector(f"#outcome[data-outcome={outcome}]")

    arrive(page, address, employer.ask(query(["family_name"]), notice=notice()).link())
    page.click("#arrival-continue")
    page.wait_for_selector("#alternatives")
    look("s2-alternatives")
    page.click("#use-1")
    page.wait_for_selector("#alternatives")
    look("s2-other-chosen")
    page.click("#leave")

    employer.reply_status = 400
    link = ask()
    share(link, "not_accepted")
    look("s4-not-accepted")
    employer.reply_status = 200
    arrive(page, address, link)
    page.click("#arrival-continue")
    look("answered-already")

    with world.network.lose_answer("/response"):
        share(ask(), "unknown")
    page.wait_for_selector("#again")
    look("s4-unknown")
    page.click("#again")
    page.wait_for_selector("#outcome[data-outcome=shared]")
    with world.network.cut_before("/response"):
        share(ask(), "not_delivered")
    page.wait_for_selector("#again")
    look("s4-not-delivered")

    arrive(page, address, ask())
    page.click("#arrival-continue")
    page.wait_for_selector("#warning-last_copy")
    look("s2-last-copy")
    page.click("#decide-share")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#decide-share")
    page.wait_for_selector("#outcome[data-outcome=shared]")
    arrive(page, address, ask())
    page.click("#arrival-continue")
    page.wait_for_selector("#lacking")
    look("no-copies-left")
