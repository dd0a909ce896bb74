"""The pages of passkeys as a browser meets them: one refusal for everything, forms of our own, nothing by accident."""

import json
import re
from html import unescape

import pytest
from starlette.testclient import TestClient

from tests.wallet.authenticator import Authenticator
from tests.wallet.test_pages import field, make_wallet, send
from tests.world import PASSPHRASE, World


def with_passkey(world: World, browser: TestClient) -> Authenticator:
    """A person makes a wallet on the pages and adds a device."""
    make_wallet(browser)
    device = Authenticator(world.wallet.settings.origin)
    page = send(browser, browser.get("/settings/passkeys"), "/settings/passkeys", name="Phone", passphrase=PASSPHRASE)
    asked = re.search(r'data-asked="([^"]+)"', page.text)
    assert asked is not None
    answer, prf = device.register(json.loads(unescape(asked[1])))
    page = send(browser, page, "/settings/passkeys/add", name="Phone", answer=answer, prf=prf)
    assert "Phone" in page.text
    return device


def test_a_passkey_opens_the_wallet_and_leads_on_to_what_was_wanted(world: World) -> None:
    """The link that somebody came with survives; an address elsewhere does not."""
    browser = world.wallet.browser()
    device = with_passkey(world, browser)

    for wanted, path in (("/history", "/history"), ("https://evil.example/", "/"), ("//evil.example", "/")):
        send(browser, browser.get("/"), "/lock")
        answer, prf = device.sign(browser.get("/unlock/passkey").json())
        page = send(browser, browser.get("/unlock"), "/unlock/passkey", answer=answer, prf=prf, wanted=wanted)
        assert (page.status_code, page.url.host, page.url.path) == (200, "wallet.example", path)


def test_every_refusal_reads_the_same(world: World) -> None:
    """A device that is not known, another name, an answer used before, half an answer: nobody learns which it was."""
    browser = world.wallet.browser()
    device = with_passkey(world, browser)
    send(browser, browser.get("/"), "/lock")
    stranger = Authenticator(world.wallet.settings.origin, user_handle=bytes(32))
    asked = browser.get("/unlock/passkey").json()
    without = Authenticator(**{**vars(device), "has_prf": False})
    tries = [
        (*stranger.sign(asked), ""),
        (*device.sign(asked), "Nobody"),
        (*without.sign(asked), ""),
        ("", "", ""),
        ("{}", "AA", ""),
        (device.sign(asked)[0], "x", ""),
    ]

    pages = [
        send(browser, browser.get("/unlock"), "/unlock/passkey", answer=answer, prf=prf, name=name)
        for answer, prf, name in tries
    ]

    seen = {(page.status_code, re.sub(r'value="[^"]*"', "", page.text)) for page in pages}
    assert len(seen) == 1
    assert pages[0].status_code == 403
    assert "does not open a wallet here" in pages[0].text


def test_what_the_device_is_asked_names_nobody(world: World) -> None:
    """The same for everybody but for the challenge, whether there are passkeys or none."""
    browser = world.wallet.browser()
    before = browser.get("/unlock/passkey").json()
    with_passkey(world, browser)
    after = world.wallet.browser().get("/unlock/passkey").json()

    assert before.pop("challenge") != after.pop("challenge")
    assert before == after
    assert after["allowCredentials"] == []
    assert after["userVerification"] == "required"


@pytest.mark.parametrize(
    "path", ["/unlock/passkey", "/settings/passkeys", "/settings/passkeys/add", "/settings/new-key"]
)
def test_forms_of_other_pages_are_refused(world: World, path: str) -> None:
    """Nobody is signed in, given a passkey or locked out by a page that they happened to open."""
    browser = world.wallet.browser()
    make_wallet(browser)

    assert browser.post(path, data={"csrf": "x", "passphrase": PASSPHRASE}).status_code == 403


def test_attempts_from_one_address_are_limited(world: World) -> None:
    """Sixty in five minutes; after that the page says to wait."""
    browser = world.wallet.browser()
    token = field(browser.get("/unlock"), "csrf")

    codes = [browser.post("/unlock/passkey", data={"csrf": token}).status_code for _ in range(61)]

    assert codes == [403] * 60 + [429]


def test_on_a_numeric_address_passkeys_are_not_offered(world: World) -> None:
    """Browsers make none there: the page says so, and the door has no button for it."""
    side = world.wallet_at("127.0.0.1")
    browser = side.browser()
    assert "unlock-passkey" not in browser.get("/unlock").text
    make_wallet(browser)

    assert "not-possible" in browser.get("/settings/passkeys").text


def test_removing_asks_why_and_for_the_passphrase(world: World) -> None:
    """Without a reason nothing is removed, nor with another passphrase; afterwards this browser stays open."""
    browser = world.wallet.browser()
    with_passkey(world, browser)
    link = re.search(r'href="(/settings/passkeys/[0-9a-f]+)"', browser.get("/settings/passkeys").text)
    assert link is not None
    for fields in ({"passphrase": PASSPHRASE}, {"why": "lost", "passphrase": "something else"}, {"why": "lost"}):
        page = send(browser, browser.get(link[1]), f"{link[1]}/remove", **fields)
        assert page.status_code in (400, 403)
        assert "Phone" in browser.get("/settings/passkeys").text

    page = send(browser, browser.get(link[1]), f"{link[1]}/remove", why="lost", passphrase=PASSPHRASE)

    assert "locked with a new key" in page.text
    assert "no-passkeys" in page.text
    assert browser.get(link[1]).status_code == 404


def test_no_page_says_that_the_passphrase_is_the_only_way_in_when_a_passkey_is_one(world: World) -> None:
    """The reminder, the settings, the page of the recovery code and Help count the passkey, in both languages."""
    browser = world.wallet.browser()
    with_passkey(world, browser)
    paths = ("/", "/settings", "/settings/recovery", "/help", "/what-if")

    english = {path: browser.get(path, headers={"Accept-Language": "en"}).text for path in paths}
    swedish = {path: browser.get(path, headers={"Accept-Language": "sv"}).text for path in paths}

    for wrong in ("only one way into", "If you forget the passphrase, nobody", "only be read with your passphrase"):
        assert not [path for path, page in english.items() if wrong in page], wrong
    for wrong in ("bara en väg in", "Om du glömmer lösenfrasen kan ingen", "bara att läsa med din lösenfras"):
        assert not [path for path, page in swedish.items() if wrong in page], wrong
    assert all("passkey" in page for page in english.values())
    assert all("lösennyck" in page.lower() for page in swedish.values())
