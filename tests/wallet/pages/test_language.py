"""CS-39: every screen of receiving, fetching, sharing, the history, taking back and lasting permissions is switched to
the other language with what was written and ticked on it, and back. On the way each is searched for dark patterns."""

import re
from collections.abc import Iterator

import anyio
import httpx2
import pytest
from starlette.testclient import TestClient

from tests.attacks.test_acts_for_another import acted
from tests.wallet.acting import Agent
from tests.wallet.fake_verifier import TRANSCRIPT, credential, known_verifier, notice, query, with_optional
from tests.wallet.pages.filled_pages import FilledPage
from tests.wallet.pages.sharing_browser import browser_that_shared, latest_entry
from tests.wallet.pages.test_moving_pages import read_in, saved
from tests.wallet.pages.test_share_pages import confirm, decide, look, person
from tests.wallet.permitting_world import Permitted
from tests.wallet.test_fetching import Source
from tests.wallet.test_pages import collect, field, make_wallet, qr_picture, send
from tests.world import PASSPHRASE, World

GUESS = {"credentials": [{**credential(), "claims": [{"path": ["family_name"], "values": ["Somebody Else"]}]}]}


class Walk:
    """A person who looks at every screen in both languages; `faults` is what was lost on the way."""

    def __init__(self, world: World, *, has_wallet: bool = True) -> None:
        self.world = world
        self.browser = person(world, "micro-credential", "micro-credential") if has_wallet else world.wallet.browser()
        self.faults: list[str] = []
        self.seen: list[str] = []

    def see(self, name: str, answer: httpx2.Response, *ticks: str, names: bool = False, **fields: str) -> None:
        """Fill in and tick, switch, and switch back. `names`: the heading is a name, the same in both languages."""
        self.seen.append(name)
        page = FilledPage(self.browser, answer)
        self.faults += [f"{name}: {what}" for what in dark_patterns(page)]
        page.fill(**fields)
        page.tick(*ticks)
        other = page.switched()
        back = other.switched()
        for what, is_right in (
            ("the language", (page.language, other.language, back.language) == ("en", "sv", "en")),
            ("the screen", page.is_same_screen(other) and page.is_same_screen(back)),
            ("the heading", _uncounted(back) == _uncounted(page) and (names or other.heading != page.heading)),
            ("what was written", page.state == other.state == back.state),
        ):
            if not is_right:
                self.faults.append(f"{name}: {what}")

    def start(self, link: str, **fields: str) -> httpx2.Response:
        """Bring a link to the page that takes one."""
        return send(self.browser, self.browser.get("/receive"), "/receive", link=link, **fields)


def dark_patterns(page: FilledPage) -> Iterator[str]:
    """What no screen may do, whatever it is about (EDPB 03/2022: overloading, skipping, hindering)."""
    if page.decisions > 1:
        yield "asks for more than one decision"
    if page.ticked_before:
        yield f"is ticked before anybody ticked it: {page.ticked_before}"
    if page.focused and "error-summary" not in page.focused:
        yield f"puts the person at {page.focused}"
    if not {"/", "/history"} <= set(page.hrefs):
        yield "is a dead end"


def test_cs39_receiving_and_fetching_in_the_other_language(world: World) -> None:
    """The typed link, how it came, the typed code, what failed and the sign-in that has begun."""
    walk, source = Walk(world), Source(world, host="source.example", vct=TRANSCRIPT)
    browser, firm = walk.browser, Permitted(world)

    walk.see("receive", browser.get("/receive"), link="university.example/4K7M2-9QX3T")
    walk.see("receive, not a link", walk.start("no link"), link="no link either")
    with_code = world.university.offer(tx_code=True)[0]
    picture = {"picture": ("qr.png", qr_picture(with_code.offer), "image/png")}
    host = browser.post("/receive", data={"csrf": field(browser.get("/receive"), "csrf")}, files=picture)
    assert "The picture leads to" in host.text
    walk.see("host of a picture", host)
    with world.network.cut_before("/.well-known/openid-credential-issuer"):
        unreachable = send(browser, host, "/receive/look", link=field(host, "link"), came_by="picture")
    walk.see("host that is away", unreachable)
    offered = send(browser, host, "/receive/look", link=field(host, "link"), came_by="picture")
    walk.see("offer", offered, tx_code="1234")
    walk.see("offer, wrong code", send(browser, offered, f"{offered.url.path}/collect", tx_code="x"), tx_code="12")
    walk.see("received", collect(browser, world.university.offer()[0].offer))

    lacking = look(browser, firm.ask(query(["courses"], vct=TRANSCRIPT), notice=notice()).link())
    walk.see("lacking", lacking)
    wanted = {"issuer": source.side.url, "vct": TRANSCRIPT, "share": lacking.url.path.rpartition("/")[2]}
    with world.network.cut_before("/.well-known/openid-credential-issuer"):
        walk.see("fetching failed", send(browser, lacking, "/fetch", **wanted))
    walk.see("fetching", send(browser, lacking, "/fetch", **wanted))

    assert walk.faults == []
    assert len(walk.seen) == 10


def test_cs39_a_share_and_what_comes_after_it_in_the_other_language(world: World) -> None:
    """Ticks, another certificate instead of the proposed one, later checks, the search, what shall be deleted."""
    walk = Walk(world)
    browser, firm = walk.browser, Permitted(world)
    optional = with_optional(credential(["family_name"], ["birthdate"]), credential(["credits"], query_id="extra"))
    kept = {"retention": {"days": 730}, "recheck": firm.offer(), "request_id": "request-1"}

    link = firm.ask(optional, notice=notice(**kept)).link()
    walk.see("S0", browser.get(f"/present?{link.partition('?')[2]}"))
    walk.see("S0, pasted", walk.start(link))
    with world.network.cut_before("/request/r1"):
        away = look(browser, link)
    assert 'id="problem"' in away.text
    walk.see("S0, not fetched", away)
    walk.see("a guess", look(browser, firm.ask(GUESS, notice=notice()).link()))
    page = look(browser, link)
    page = decide(browser, page, "", use=FilledPage(browser, page).control("use-1").value)
    assert "Above is what you chose." in page.text
    walk.see("S2", page, "optional-1", "recheck")
    assert "Above is what you chose." in browser.get(page.url.path).text
    checks = decide(browser, page, "share", recheck="yes", optional="1")
    assert checks.url.path.endswith("/confirm/checks")
    walk.see("later checks", browser.get(f"{checks.url.path}?lang=en"))
    walk.see("later checks, wrong passphrase", _allow(browser, checks, "not this one"))
    sure = _allow(browser, browser.get(checks.url.path))
    assert 'id="confirm-recheck"' in sure.text
    assert sure.url.path == f"{page.url.path}/confirm"
    # What was confirmed of them is the same in the other language; there the words that were read are quoted.
    swedish = browser.get(f"{sure.url.path}?lang=sv")
    assert (swedish.url.path, FilledPage(browser, swedish).language) == (sure.url.path, "sv")
    assert 'id="read-in"' in swedish.text
    page = decide(browser, browser.get(page.url.path), "share", optional="1")
    walk.see("S3", browser.get(f"{page.url.path}?lang=en"))
    walk.see("S3, wrong passphrase", confirm(browser, browser.get(page.url.path), "not this one"))
    confirm(browser, browser.get(f"{page.url.path}?lang=sv"))
    done = browser.get(f"{page.url.path.removesuffix('/confirm')}/outcome?lang=en")
    assert 'data-outcome="shared"' in done.text
    walk.see("S4", done)
    walk.see("answered already", look(browser, link))

    entry = latest_entry(browser)
    assert browser.get(f"/history/{entry}/receipt.json").json()["receipt"]["language"] == "sv"
    walk.see("S5", browser.get("/history?outcome=shared"), who="exempel", since="2026-11-01")
    walk.see("S6", browser.get(f"/history/{entry}"), names=True)
    for name in ("receipt", "copy", "report", "delete", "take-back"):
        walk.see(name, browser.get(f"/history/{entry}/{name}"))
    walk.see("ask to delete", browser.get(f"/history/{entry}/ask-delete"), "item-1")
    nothing_ticked = browser.get(f"/history/{entry}/ask-delete")
    walk.see("nothing ticked", send(browser, nothing_ticked, nothing_ticked.url.path, decision="send"))
    confirm(browser, _allow(browser, decide(browser, look(browser, firm.ask_offering()), "share", recheck="yes")))
    lasting = browser.get("/permissions")
    assert 'id="end-1"' in lasting.text
    walk.see("S7", lasting)

    assert walk.faults == []
    assert len(walk.seen) == 21


def test_cs39_on_the_way_in_what_one_came_with_is_kept(world: World) -> None:
    """The forms that make and open a wallet: the link that somebody came with, the name, and what was wrong; no
    passphrase comes back."""
    browser = world.wallet.browser()
    offer = f"/offer?{world.university.offer()[0].offer.partition('?')[2]}"
    locked = browser.get(offer)
    begun = send(browser, locked, "/welcome", wanted=field(locked, "wanted"), begin="yes")
    weak = send(browser, begun, "/welcome", wanted=field(begun, "wanted"), name="Maja", passphrase="short")
    wrong = send(browser, locked, "/unlock", wanted=field(locked, "wanted"), name="Maja", passphrase=PASSPHRASE)
    for answer in (locked, begun, weak, wrong):
        page = FilledPage(browser, answer)
        page.fill(name="Majken", passphrase=PASSPHRASE)
        other = page.switched()
        back = other.switched()
        assert (page.language, other.language, back.language) == ("en", "sv", "en")
        assert page.is_same_screen(other)
        assert page.is_same_screen(back)
        assert page.heading == back.heading != other.heading
        assert page.state == other.state == back.state
        assert field(other.answer, "wanted") == offer
        assert PASSPHRASE not in other.answer.text
    make_wallet(browser)
    refused = send(browser, browser.get("/settings?lang=en"), "/settings/passphrase", old="no", new="neither")
    settings = FilledPage(browser, refused)
    assert settings.switched().is_same_screen(settings), "what was wrong is said in the other language as well"


def test_cs39_a_file_that_was_handed_over_in_the_other_language(world: World) -> None:
    """The file that is looked at stays with the page, the tick as well; and so does what is wrong with it."""

    async def acts() -> str:
        agent = await Agent.with_power(world)
        return (await acted(agent, known_verifier(world))).id

    entry_id = anyio.run(acts)
    walk = Walk(world, has_wallet=False)
    browser = walk.browser
    send(browser, browser.get("/unlock"), "/unlock", name="Maja", passphrase=PASSPHRASE)
    file = browser.get(f"/history/{entry_id}/act.json").content
    token = field(browser.get("/acting"), "csrf")

    def hand_over(content: bytes) -> httpx2.Response:
        return browser.post("/acting/file", data={"csrf": token}, files={"file": ("act.json", content)})

    looked = hand_over(file)
    walk.see("a file", looked, "about-me")
    package = field(looked, "package")
    for name, sent in (("no yes", {"package": package, "decision": "take"}), ("nonsense", {"package": "e30="})):
        walk.see(name, send(browser, looked, "/acting/file", **sent))
    walk.see("no file", send(browser, looked, "/acting/file"))
    other = FilledPage(browser, looked).switched()
    taken = send(browser, other.answer, "/acting/file", package=field(other.answer, "package"), decision="take",
                 about_me="yes")  # fmt: skip
    assert taken.url.path.startswith("/history/")
    walk.see("acting", browser.get("/acting?lang=en"))

    assert walk.faults == []
    assert len(walk.seen) == 5


def test_cs39_what_came_of_reading_in_a_wallet_in_the_other_language(world: World) -> None:
    """The numbers, and what is wrong with a file; the file is not read in once more."""
    first, _, _ = browser_that_shared(world)
    content = saved(first).content
    walk = Walk(world, has_wallet=False)
    make_wallet(walk.browser, "Otto")

    walk.see("no file", send(walk.browser, walk.browser.get("/settings/import"), "/settings/import"))
    walk.see("nonsense", read_in(walk.browser, b"nonsense"))
    done = read_in(walk.browser, content)
    walk.see("read in", done)
    swedish = FilledPage(walk.browser, done).switched()

    assert "1 intyg är nytt." in swedish.answer.text
    assert walk.faults == []
    assert len(walk.seen) == 3


def _allow(browser: TestClient, page: httpx2.Response, passphrase: str = PASSPHRASE) -> httpx2.Response:
    """Confirm the later checks on their own page."""
    return send(browser, page, page.url.path, decision="allow", digest=field(page, "digest"), passphrase=passphrase)


def _uncounted(page: FilledPage) -> str:
    """The heading without its count, which follows the ticks."""
    return re.sub("[0-9]+ things?", "things", page.heading)


@pytest.mark.parametrize("has_request", [True, False])
def test_the_language_of_a_link_to_a_request_stays_on_the_pages_after_it(world: World, has_request: bool) -> None:
    """Also when the link holds no request, and the person is sent to where one is given."""
    browser = person(world, "micro-credential")
    request = known_verifier(world).ask(query(["family_name"]), notice=notice()).link().partition("?")[2]
    page = browser.get(f"/present?{request + '&' if has_request else ''}lang=sv")
    assert '<html lang="sv">' in page.text
    if has_request:
        page = send(
            browser, page, "/present", link=field(page, "link"), came_by=field(page, "came_by"), decision="continue"
        )
        assert page.url.path.startswith("/share/")
    assert '<html lang="sv">' in page.text
    assert '<html lang="sv">' in browser.get("/").text


def test_the_tick_on_the_page_of_leaving_stays_in_the_other_language(world: World) -> None:
    """Nothing is deleted by that."""
    browser = person(world, "micro-credential")
    page = browser.get("/settings/leave")
    assert 'form="leave-form"' in page.text
    swedish = send(browser, page, "/settings/leave?lang=sv", understood="yes", to_language="sv")
    assert '<html lang="sv">' in swedish.text
    tick = swedish.text.partition('id="understood"')[2].partition(">")[0]
    assert "checked" in tick
    assert "checked" not in browser.get("/settings/leave").text.partition('id="understood"')[2].partition(">")[0]
    wrong = send(browser, swedish, "/settings/leave", understood="yes", passphrase="no", decision="delete")
    assert "checked" in wrong.text.partition('id="understood"')[2].partition(">")[0]
