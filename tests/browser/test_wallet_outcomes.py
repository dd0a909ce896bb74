"""The rarer screens of a share in a browser: other ways to answer, answers that went astray, copies that run out."""

from dataclasses import replace
from typing import Literal

import pytest

from tests.browser.conftest import OpenPage, Serve
from tests.browser.wallet_pages import arrive, looker, moved_in, serve_wallet
from tests.wallet.fake_verifier import TRANSCRIPT, VCT, FakeVerifier, credential, notice, query
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


WAYS: list[tuple[str, int, bool, Literal["light", "dark"]]] = [("sv", 320, False, "light"), ("en", 1280, True, "dark")]


@pytest.mark.parametrize(("language", "width", "javascript", "colours"), WAYS)
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


@pytest.mark.parametrize(("language", "width", "javascript", "colours"), WAYS)
def test_the_pages_where_a_request_goes_no_further(
    world: World,
    served: Serve,
    employer: FakeVerifier,
    open_page: OpenPage,
    language: str,
    width: int,
    javascript: bool,
    colours: Literal["light", "dark"],
) -> None:
    """Out of reach, ended, muted, a guess that is read first, and a source that cannot be reached."""
    source = replace(world.university.trust_entry, identifier=world.university.url, types=(VCT, TRANSCRIPT))
    address = serve_wallet(world, served, source, employer.trust_entry)
    page = open_page(width=width, javascript=javascript, colours=colours, language=language)
    look = looker(page, f"no-further-{language}-{width}")
    moved_in(world, page, address, "micro-credential")

    def go_on(link: str, then: str) -> None:
        arrive(page, address, link)
        page.click("#arrival-continue")
        page.wait_for_selector(then)

    asked = employer.ask(query(["family_name"]), notice=notice())
    with world.network.cut_before(f"/request/{asked.id}"):
        go_on(asked.link(), "#problem")
        look("unreachable")
    ended = employer.ask(query(["family_name"]), exp=int(world.clock().timestamp()) - 600)
    go_on(ended.link(), "#problem")
    look("ended")

    guess = {"credentials": [{**credential(), "claims": [{"path": ["family_name"], "values": ["Andersson"]}]}]}
    go_on(employer.ask(guess, notice=notice()).link(), "#step-read")
    look("guess")
    page.click("#leave")

    go_on(employer.ask(query(["family_name"]), notice=notice()).link(), "#decide-refuse")
    page.click("#decide-refuse")
    page.wait_for_selector("#outcome")
    go_on(employer.ask(query(["family_name"]), notice=notice()).link(), "#mute")
    look("can-be-muted")
    page.click("#mute")
    page.wait_for_selector("[role=status], .notice")
    go_on(employer.ask(query(["family_name"]), notice=notice()).link(), "#show-muted")
    look("muted")

    arrive(page, address, employer.ask(query(["family_name"]), notice=notice()).link())
    page.click("#arrival-report")
    page.wait_for_selector("#report-text")
    look("report")
    page.click("#reported")
    page.wait_for_selector("#reported-on")
    look("reported")

    go_on(employer.ask(query(["family_name"], vct=TRANSCRIPT), notice=notice()).link(), "#fetch-1-1")
    with world.network.cut_before("/.well-known/openid-credential-issuer"):
        page.click("#fetch-1-1")
        page.wait_for_selector("#problem")
        look("source-out-of-reach")
