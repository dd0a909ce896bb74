"""Passkeys in Chromium with a virtual authenticator: added, opened with, lost, and what there is without a script."""

from typing import Any, Literal

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.axe import assert_accessible
from tests.browser.conftest import OpenPage, overflow
from tests.browser.test_wallet_receiving import WAYS, address
from tests.browser.wallet_pages import looker
from tests.wallet.fake_verifier import FakeVerifier, notice, query
from tests.world import PASSPHRASE, World

__all__ = ["address"]

pytestmark = pytest.mark.browser


class Device:
    """A virtual authenticator in a page's browser."""

    def __init__(self, page: Page, *, has_prf: bool = True) -> None:
        self._cdp: CDPSession = page.context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "ctap2Version": "ctap2_1",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "hasPrf": has_prf,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        self.id = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def passkeys(self) -> list[dict[str, Any]]:
        """What the device holds."""
        held = self._cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})["credentials"]
        assert isinstance(held, list)
        return held

    def verifies(self, *, right: bool) -> None:
        """Whether the finger on the device is the right one."""
        self._cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": right})


def make_wallet(page: Page, address: str, name: str = "Elin") -> None:
    """A person makes a wallet."""
    page.goto(f"{address}/welcome")
    page.fill("#name", name)
    page.fill("#passphrase", PASSPHRASE)
    page.click("#create")
    page.wait_for_selector("#lock")


def add_passkey(page: Page, address: str, name: str) -> None:
    """The person adds the device at hand."""
    page.goto(f"{address}/settings/passkeys")
    page.fill("#name", name)
    page.fill("#passphrase", PASSPHRASE)
    page.click("#begin-passkey")
    page.click("#ask-device")


@pytest.mark.parametrize(("language", "width", "javascript", "colours"), [way for way in WAYS if way[2]])
def test_from_the_first_passkey_to_the_lost_device(
    address: str,
    open_page: OpenPage,
    language: str,
    width: int,
    javascript: bool,
    colours: Literal["light", "dark"],
) -> None:
    """Add, lock, open without a name and with it, lose, lock anew: each page looked at on the way."""
    page = open_page(width=width, javascript=javascript, colours=colours, language=language)
    look = looker(page, f"passkeys-{language}-{width}")
    device = Device(page)
    make_wallet(page, address)
    page.goto(f"{address}/settings/passkeys")
    look("none")
    page.fill("#name", "Telefonen")
    page.fill("#passphrase", "something else")
    page.click("#begin-passkey")
    page.wait_for_selector("#error-summary")
    look("wrong-passphrase")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#begin-passkey")
    page.wait_for_selector("#ask-device")
    look("make")
    page.click("#ask-device")
    page.wait_for_selector("#passkeys")
    look("added")
    assert len(device.passkeys()) == 1

    for name in ("", "Elin"):
        page.click("#lock")
        page.wait_for_selector("#unlock-passkey")
        look("locked")
        page.fill("#name", name)
        page.click("#unlock-passkey")
        page.wait_for_selector("#lock")
    page.click("#lock")
    page.fill("#name", "Somebody")
    page.click("#unlock-passkey")
    page.wait_for_selector("#error-summary")
    look("another-name")
    page.fill("#name", "")
    page.click("#unlock-passkey")
    page.wait_for_selector("#lock")

    page.goto(f"{address}/settings/passkeys")
    page.click("#passkey-1")
    page.fill("#name", "Gamla telefonen")
    page.click("#rename")
    page.wait_for_selector("#passkeys")
    page.click("#passkey-1")
    look("one")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#remove-passkey")
    page.wait_for_selector("#error-summary")
    look("why")
    page.check("#why-1")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#remove-passkey")
    page.wait_for_selector("#no-passkeys")
    look("removed")
    page.goto(f"{address}/history")
    page.click("#history a")
    look("history-entry")
    expect(page.locator("#outcome")).to_have_attribute("data-outcome", "passkey_removed")
    expect(page.locator("#events li")).to_have_count(2)
    page.click("#lock")
    page.click("#unlock-passkey")
    page.wait_for_selector("#error-summary")
    page.fill("#name", "Elin")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#unlock")
    page.wait_for_selector("#lock")


def test_the_wrong_finger_opens_nothing(address: str, open_page: OpenPage) -> None:
    """The device does not answer then; the page says so in a place that is read aloud, and the passphrase works."""
    page = open_page(language="en")
    device = Device(page)
    make_wallet(page, address)
    add_passkey(page, address, "Phone")
    page.wait_for_selector("#passkeys")
    page.click("#lock")
    device.verifies(right=False)
    page.focus("#unlock-passkey")
    page.keyboard.press("Enter")
    page.wait_for_selector("#passkey-said[role=status]:not(:empty)")
    assert_accessible(page)
    assert page.evaluate("document.activeElement.id") == "unlock-passkey"

    page.fill("#name", "Elin")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#unlock")
    page.wait_for_selector("#lock")


def test_a_second_device_stays_when_the_first_is_lost(address: str, open_page: OpenPage) -> None:
    """Losing one locks everything anew; the other opens it, though it was not there when that happened."""
    page = open_page(language="en")
    make_wallet(page, address)
    lost = Device(page)
    add_passkey(page, address, "Phone")
    page.wait_for_selector("#passkeys")
    lost_passkey = lost.passkeys()[0]
    lost._cdp.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": lost.id})
    Device(page)
    add_passkey(page, address, "Computer")
    page.wait_for_selector("#passkey-2")
    page.goto(f"{address}/settings/recovery")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#make-code")
    page.wait_for_selector("#code")

    page.goto(f"{address}/settings/passkeys")
    page.click("text=Rename or remove Phone")
    page.check("#why-1")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#remove-passkey")
    page.wait_for_selector("#make-code")
    expect(page.locator("#has-no-code")).to_be_visible()

    page.click("#lock")
    page.click("#unlock-passkey")
    page.wait_for_selector("#lock")
    page.goto(f"{address}/settings/passkeys")
    expect(page.locator("#passkeys li")).to_have_count(1)
    expect(page.locator("#passkeys").get_by_text("Computer", exact=True)).to_be_visible()
    assert lost_passkey["isResidentCredential"]


def test_a_device_that_cannot_open_a_locked_wallet_is_refused(address: str, open_page: OpenPage) -> None:
    """Without the function nothing is kept, and a plain sentence says so."""
    page = open_page(language="en")
    Device(page, has_prf=False)
    make_wallet(page, address)
    add_passkey(page, address, "Old key")
    page.wait_for_selector("#error-summary")

    expect(page.locator("#error-summary")).to_contain_text("cannot open a locked wallet")
    expect(page.locator("#no-passkeys")).to_be_visible()
    assert_accessible(page)
    assert overflow(page) == 0


def test_the_same_device_is_not_added_twice(address: str, open_page: OpenPage) -> None:
    """The device says that it knows the wallet already; the page repeats it in plain words."""
    page = open_page(language="en")
    Device(page)
    make_wallet(page, address)
    add_passkey(page, address, "Phone")
    page.wait_for_selector("#passkeys")
    add_passkey(page, address, "Phone again")
    page.wait_for_selector("#passkey-said:not(:empty)")

    expect(page.locator("#passkey-said")).to_contain_text("already")


def test_without_scripts_a_plain_sentence_stands_there(address: str, open_page: OpenPage) -> None:
    """No button that does nothing; the passphrase works as always, and a passkey can be removed."""
    page = open_page(language="sv", width=360, javascript=False)
    page.goto(f"{address}/unlock")
    expect(page.locator("#needs-script")).to_be_visible()
    expect(page.locator("#unlock-passkey")).to_be_hidden()
    make_wallet(page, address)
    page.goto(f"{address}/settings/passkeys")
    expect(page.locator("#needs-script")).to_be_visible()
    page.fill("#name", "Telefonen")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#begin-passkey")
    expect(page.locator("#needs-script")).to_be_visible()
    expect(page.locator("#ask-device")).to_be_hidden()
    assert overflow(page) == 0


@pytest.mark.parametrize(("language", "width", "javascript", "colours"), [way for way in WAYS if way[2]])
def test_a_passkey_in_place_of_the_passphrase_of_a_share(
    world: World,
    address: str,
    open_page: OpenPage,
    language: str,
    width: int,
    javascript: bool,
    colours: Literal["light", "dark"],
) -> None:
    """The device confirms, and nothing is shared by that: the two buttons decide, side by side as always."""
    page = open_page(width=width, javascript=javascript, colours=colours, language=language)
    look = looker(page, f"passkeys-share-{language}-{width}")
    Device(page)
    page.goto(f"{address}/offer?{world.university.offer()[0].offer.partition('?')[2]}")
    page.click("#begin")
    page.fill("#name", "Elin")
    page.fill("#passphrase", PASSPHRASE)
    for button in ("#create", "#look", "#collect"):
        page.click(button)
    page.wait_for_selector("#read-certificate")
    add_passkey(page, address, "Phone")
    page.wait_for_selector("#passkeys")
    employer = FakeVerifier(world)
    page.goto(f"{address}/present?{employer.ask(query(['family_name']), notice=notice()).link().partition('?')[2]}")
    page.click("#arrival-continue")
    page.wait_for_selector("#decide-share")
    for override in page.locator("input[name=override]").all():
        override.check()
    page.click("#decide-share")
    page.click("#use-passkey")
    page.wait_for_selector("#passkey-said:not(:empty)")
    look("confirmed")
    assert employer.answers == []
    page.click("#decide-share")
    page.wait_for_selector("#outcome")
    assert len(employer.answers) == 1
