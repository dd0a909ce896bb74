"""The screens of a share and of the history in a browser: accessible, narrow, dark, without scripts, by keyboard."""

import re
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.axe import assert_accessible
from tests.browser.conftest import OpenPage, Serve, overflow, small_targets, text_spacing, text_twice_as_large
from tests.browser.wallet_pages import arrive, looker, moved_in, serve_wallet
from tests.wallet.fake_verifier import TRANSCRIPT, FakeVerifier, credential, notice, query, with_optional
from tests.world import PASSPHRASE, World

pytestmark = pytest.mark.browser

WAYS: list[tuple[str, int, bool, Literal["light", "dark"]]] = [
    ("sv", 1280, False, "light"),
    ("sv", 360, True, "dark"),
    ("en", 1280, True, "dark"),
    ("en", 320, False, "light"),
]
ITEMS = [
    {
        "credential": "certificate",
        "path": ["family_name"],
        "reason": {"sv": "Vi behöver se att intyget är ditt.", "en": "We need to see that the certificate is yours."},
    }
]
GUESS = {"credentials": [{**credential(), "claims": [{"path": ["family_name"], "values": ["Somebody Else"]}]}]}
OPTIONAL = with_optional(
    credential(["family_name"], ["date_of_issuance"]),
    credential(["credits"], query_id="credits"),
    credential(["learning_outcomes"], query_id="outcomes"),
)


@pytest.fixture
def employer(world: World) -> FakeVerifier:
    """A verifier that the served wallet trusts."""
    return FakeVerifier(world)


@pytest.fixture
def address(world: World, employer: FakeVerifier, served: Serve) -> str:
    """The address of a served wallet that trusts the university and the employer of this world."""
    return serve_wallet(world, served, world.university.trust_entry, employer.trust_entry)


@pytest.mark.parametrize(("language", "width", "javascript", "colours"), WAYS)
def test_every_screen_of_a_share(
    world: World,
    address: str,
    employer: FakeVerifier,
    open_page: OpenPage,
    language: str,
    width: int,
    javascript: bool,
    colours: Literal["light", "dark"],
) -> None:
    """S0 to S6 in all their states: nothing axe objects to, nothing to scroll sideways."""
    page = open_page(width=width, javascript=javascript, colours=colours, language=language)
    look = looker(page, f"share-{language}-{width}")
    stranger = FakeVerifier(world, "shop.example", name="Någon Butik")
    moved_in(world, page, address, "micro-credential", "course-results")

    arrive(page, address, employer.ask(OPTIONAL, notice=notice(items=ITEMS)).link())
    look("s0")
    page.click("#arrival-continue")
    for part in ("#who-more", "#ground"):
        page.click(f"{part} summary")
    look("s2")
    page.check("#optional-1")
    if javascript:
        expect(page.locator("#share-form-said")).not_to_be_empty()
    else:
        page.click("#update")
    page.click("#decide-share")
    look("s3")
    page.fill("#passphrase", "something else")
    page.click("#decide-share")
    look("s3-wrong")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#decide-share")
    look("s4")
    page.click("#receipt")
    look("receipt")
    page.click("#back")
    look("s6")
    page.click("#ask-copy")
    page.wait_for_selector("#letter")
    look("copy")
    page.click("#sent-mail")
    page.wait_for_selector("#copy-state")
    look("copy-asked")

    arrive(page, address, stranger.ask(query(["courses", None, "credits"], vct=TRANSCRIPT)).link())
    page.click("#arrival-continue")
    look("s2-unproven")
    page.click("#decide-refuse")
    look("s4-refused")

    arrive(page, address, employer.ask(query(["family_name"], vct="urn:other"), notice=notice()).link())
    page.click("#arrival-continue")
    look("lacking")
    page.click("#leave")

    arrive(page, address, employer.ask(query(["family_name"]), notice=notice(basis="consent")).link())
    page.click("#arrival-continue")
    page.click("#decide-share")
    look("s2-needs-yes")
    page.click("#leave")

    arrive(page, address, employer.ask(query(["family_name"]), transaction_data=["e30"]).link())
    page.click("#arrival-continue")
    look("fault")
    page.click("#tell")
    look("fault-told")

    arrive(page, address, employer.ask(query(["family_name"]), notice=notice()).link())
    page.click("#arrival-continue")
    page.wait_for_selector("#decide-share")  # A reload amid the way there fails in Chromium.
    world.clock.move(minutes=7)
    page.reload()
    look("expired")

    page.goto(f"{address}/history?who=exempel")
    look("s5")


@pytest.mark.parametrize("language", ["sv", "en"])
def test_cs40_every_screen_of_a_share_fits_every_reader(
    world: World, address: str, employer: FakeVerifier, open_page: OpenPage, language: str
) -> None:
    """S0 to S6 with text at 200 %, with the reader's own spacing, and with nothing to press that is under 44 pixels."""
    page = open_page(language=language)
    moved_in(world, page, address, "micro-credential")
    faults: list[str] = []

    def look(name: str) -> None:
        page.wait_for_selector("h1")
        page.wait_for_load_state()
        with text_twice_as_large(page):
            faults.extend([f"{name}: text at 200 %"] if overflow(page) else [])
        page.set_viewport_size({"width": 360, "height": 740})
        with text_spacing(page):
            faults.extend([f"{name}: text spacing"] if overflow(page) else [])
        faults.extend(f"{name}: {target} is {height} high" for target, height in small_targets(page))
        page.set_viewport_size({"width": 1280, "height": 900})

    arrive(page, address, employer.ask(OPTIONAL, notice=notice(items=ITEMS, countries=["NO"])).link())
    look("S0")
    page.click("#arrival-continue")
    page.wait_for_selector("#decide-share")
    page.click("#who-more summary")
    look("S1, S2")
    page.click("#decide-share")
    page.wait_for_selector("#passphrase")
    look("S3")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#decide-share")
    page.wait_for_selector("#receipt")
    look("S4")
    page.goto(f"{address}/history")
    look("S5")
    page.locator("main li.outcome a").first.click()
    page.wait_for_selector("#shared")
    look("S6")
    arrive(page, address, employer.ask(query(["family_name"], vct="urn:other"), notice=notice()).link())
    page.click("#arrival-continue")
    page.wait_for_selector("#lacking")
    look("lacking")

    assert faults == []


def test_cs01_cs22_the_two_buttons_are_equal_and_nothing_is_focused(
    world: World, address: str, employer: FakeVerifier, open_page: OpenPage
) -> None:
    """Size, weight, colours, edges and height are computed and the same; the focus is on neither."""
    page = open_page()
    moved_in(world, page, address, "micro-credential")
    arrive(page, address, employer.ask(OPTIONAL, notice=notice()).link())
    first, *others = (_looks(page, f"#arrival-{name}") for name in ("continue", "stop", "report"))
    assert others == [first, first]
    page.click("#arrival-continue")

    page.wait_for_load_state()
    share, refuse = (_looks(page, name) for name in ("#decide-share", "#decide-refuse"))

    assert share == refuse
    assert page.evaluate("document.activeElement.tagName") == "BODY"
    expect(page.locator("input:checked")).to_have_count(0)


def _looks(page: Page, selector: str) -> Any:
    return page.locator(selector).evaluate(
        """element => {
            const style = getComputedStyle(element), box = element.getBoundingClientRect();
            const names = ["color", "backgroundColor", "borderColor", "borderWidth", "fontSize", "fontWeight"];
            return [Math.round(box.width), Math.round(box.height), Math.round(box.top), ...names.map(n => style[n])];
        }"""
    )


def test_cs01_escape_leaves_the_decision_without_an_answer(
    world: World, address: str, employer: FakeVerifier, open_page: OpenPage
) -> None:
    """Nothing is sent to anybody and no request of ours decides; the ticks are there when the person comes back."""
    page = open_page(language="en")
    moved_in(world, page, address, "micro-credential")
    arrive(page, address, employer.ask(OPTIONAL, notice=notice()).link())
    page.click("#arrival-continue")
    page.check("#optional-1")
    expect(page.locator("#share-form-said")).to_have_text("Share 3 items")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))

    with page.expect_navigation():
        page.keyboard.press("Escape")

    expect(page).to_have_url(re.compile("/history/[0-9a-f]+$"))
    expect(page.locator("#outcome")).to_have_attribute("data-outcome", "open")
    assert set(sent) == {"GET"}
    assert employer.forms == []
    page.click("#open-request")
    expect(page.locator("#optional-1")).to_be_checked()
    with page.expect_navigation():
        page.focus("#optional-1")
        page.keyboard.press("Escape")
    expect(page.locator("#outcome")).to_have_attribute("data-outcome", "open")


@pytest.mark.parametrize("kind", ["guess", "lacking"])
def test_cs01_escape_leaves_the_pages_in_its_place_as_well(
    world: World, address: str, employer: FakeVerifier, open_page: OpenPage, kind: str
) -> None:
    """A guess that is read first, and a request for what is not here; Enter leaves neither."""
    page = open_page()
    moved_in(world, page, address, "micro-credential")
    asked = {"guess": GUESS, "lacking": query(["family_name"], vct="urn:other")}[kind]
    arrive(page, address, employer.ask(asked, notice=notice()).link())
    page.click("#arrival-continue")
    page.wait_for_selector("#leave")
    page.keyboard.press("Enter")
    expect(page.locator("#leave")).to_be_visible()

    with page.expect_navigation():
        page.keyboard.press("Escape")

    expect(page.locator("#outcome")).to_have_attribute("data-outcome", "open")
    assert employer.forms == []


@pytest.mark.parametrize("key", ["Enter", "Shift+Escape"])
def test_cs01_enter_shares_nothing(
    world: World, address: str, employer: FakeVerifier, open_page: OpenPage, key: str
) -> None:
    """On the decision screen, in a tick, and in the field of the passphrase; nor does a key that the browser takes."""
    page = open_page()
    moved_in(world, page, address, "micro-credential")
    arrive(page, address, employer.ask(OPTIONAL, notice=notice()).link())
    page.click("#arrival-continue")

    page.keyboard.press(key)
    page.focus("#optional-1")
    page.keyboard.press("Space")
    page.keyboard.press(key)
    page.wait_for_selector("#decide-share")
    page.click("#decide-share")
    page.fill("#passphrase", PASSPHRASE)
    page.focus("#passphrase")
    page.keyboard.press(key)
    page.wait_for_selector("#decide-share")

    assert employer.forms == []
    expect(page).to_have_url(re.compile("/confirm"))


def test_a_share_by_keyboard_alone(world: World, address: str, employer: FakeVerifier, open_page: OpenPage) -> None:
    """Tab reaches everything in reading order; the boxes and buttons work with the space bar."""
    page = open_page(language="en")
    moved_in(world, page, address, "micro-credential")
    arrive(page, address, employer.ask(OPTIONAL, notice=notice()).link())
    _tab_to(page, "arrival-continue")
    with page.expect_navigation():
        page.keyboard.press("Space")
    _tab_to(page, "optional-1")
    page.keyboard.press("Space")
    expect(page.locator("#decide-share")).to_have_text("Share 3 items")
    _tab_to(page, "decide-share")
    with page.expect_navigation():
        page.keyboard.press("Space")
    _tab_to(page, "passphrase")
    page.keyboard.type(PASSPHRASE)
    _tab_to(page, "decide-share")
    page.keyboard.press("Space")

    page.wait_for_selector("#outcome[data-outcome=shared]")
    assert {"certificate", "credits"} == set(employer.answers[0]["vp_token"])


def _tab_to(page: Page, element_id: str) -> None:
    for _ in range(60):
        if page.evaluate("document.activeElement.id") == element_id:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {element_id}")


def test_s4_in_the_same_device_flow_the_browser_goes_on(
    world: World, address: str, employer: FakeVerifier, open_page: OpenPage
) -> None:
    """Without a script the outcome page leads back to the recipient, fragment and all."""
    page = open_page(javascript=False)
    moved_in(world, page, address, "micro-credential")
    employer.reply = {"redirect_uri": "https://employer.example/done#response_code=abc"}
    arrive(page, address, employer.ask(query(["family_name"]), notice=notice()).link())
    page.click("#arrival-continue")
    page.click("#decide-share")
    page.fill("#passphrase", PASSPHRASE)
    with page.expect_request(lambda request: request.url.startswith("https://employer.example/done")) as going:
        page.click("#decide-share", no_wait_after=True)

    assert going.value.is_navigation_request()


def test_the_count_follows_the_ticks(world: World, address: str, employer: FakeVerifier, open_page: OpenPage) -> None:
    """A tick changes what the page says of itself, is read aloud, and costs neither focus nor place."""
    page = open_page(language="en")
    moved_in(world, page, address, "micro-credential")
    arrive(page, address, employer.ask(OPTIONAL, notice=notice()).link())
    page.click("#arrival-continue")
    expect(page.locator("#decide-share")).to_have_text("Share 2 items")
    expect(page.locator("#update")).to_be_hidden()

    page.focus("#optional-1")
    page.keyboard.press("Space")

    expect(page.locator("#decide-share")).to_have_text("Share 3 items")
    expect(page.locator("#share-form-said")).to_have_text("Share 3 items")
    assert "Share 3 items with" in (page.get_attribute("#decide-share", "aria-label") or "")
    expect(page.locator("h1")).to_contain_text("wants to see 2 things about you, and 2 more if you like")
    assert page.evaluate("document.activeElement.id") == "optional-1"
    page.check("#optional-2")
    page.uncheck("#optional-1")
    page.uncheck("#optional-2")
    expect(page.locator("#decide-share")).to_have_text("Share 2 items")
    assert_accessible(page)
    assert employer.forms == []


def test_ticks_faster_than_the_server_are_never_sent_in_two_orders(
    world: World, address: str, employer: FakeVerifier, open_page: OpenPage
) -> None:
    """One sending at a time, and the last one holds what is ticked at the end."""
    page = open_page(language="en")
    moved_in(world, page, address, "micro-credential")
    arrive(page, address, employer.ask(OPTIONAL, notice=notice()).link())
    page.click("#arrival-continue")
    expect(page.locator("#decide-share")).to_have_text("Share 2 items")
    held: list[Route] = []
    page.route("**/share/**", lambda route: held.append(route) if route.request.method == "POST" else route.continue_())

    page.check("#optional-1")
    page.check("#optional-2")
    page.uncheck("#optional-1")
    page.uncheck("#optional-2")
    page.wait_for_timeout(300)  # Long enough for anything that was sent beside the first to come here.
    assert len(held) == 1
    held[0].continue_()
    page.wait_for_event("request", lambda request: request.method == "POST")
    expect(page.locator("#decide-share")).to_have_text("Share 2 items")
    assert len(held) == 2
    assert "optional" not in (held[1].request.post_data or "")
    held[1].continue_()
    page.unroute_all()
    expect(page.locator("#decide-share")).to_have_text("Share 2 items")


def test_cs39_the_other_language_keeps_the_ticks(
    world: World, address: str, employer: FakeVerifier, open_page: OpenPage
) -> None:
    """Switching on the decision screen loses nothing."""
    page = open_page(language="en")
    moved_in(world, page, address, "micro-credential")
    arrive(page, address, employer.ask(OPTIONAL, notice=notice()).link())
    page.click("#arrival-continue")
    page.check("#optional-1")

    page.click("#language-sv")

    expect(page.locator("html")).to_have_attribute("lang", "sv")
    expect(page.locator("#optional-1")).to_be_checked()
    expect(page.locator("h1")).to_contain_text("vill se 2 uppgifter om dig, och 2 till om du vill")
