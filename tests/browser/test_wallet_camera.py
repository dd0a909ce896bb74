"""Scanning with the camera in Chromium, whose camera plays a film of a QR code that the test has made."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect
from qrcode.constants import ERROR_CORRECT_L
from qrcode.main import QRCode

from tests.browser.conftest import OpenPage, launched
from tests.browser.test_wallet_passkeys import make_wallet
from tests.browser.test_wallet_receiving import WAYS, address
from tests.browser.wallet_pages import looker
from tests.world import World

__all__ = ["address"]

pytestmark = pytest.mark.browser

WIDTH, HEIGHT = 640, 480
REQUEST = (
    "openid4vp://?client_id=x509_san_dns%3Aemployer.example&request_uri=https%3A%2F%2Femployer.example%2Frequest%2F1"
)
FRAMES = "**/receive/frame"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera sees; a test writes it before the camera is turned on."""
    return tmp_path_factory.mktemp("camera") / "seen.y4m"


@pytest.fixture(scope="module")
def browser(film: Path) -> Iterator[Browser]:
    """A Chromium with a camera that plays the film, and with somebody who says yes when the browser asks."""
    camera = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )
    with launched(*camera) as chromium:
        yield chromium


def show(film: Path, text: str) -> None:
    """Put a QR code of a text before the camera; nothing but grey for an empty text."""
    grey = bytearray(b"\x90" * (WIDTH * HEIGHT))
    if text:
        code: Any = QRCode(error_correction=ERROR_CORRECT_L, border=4)
        code.add_data(text)
        code.make(fit=True)
        matrix = code.get_matrix()
        size = (HEIGHT - 20) // len(matrix)
        for y in range(len(matrix) * size):
            row = bytes(0x10 if dark else 0xEB for dark in matrix[y // size] for _ in range(size))
            start = (y + 10) * WIDTH + 60
            grey[start : start + len(row)] = row
    frame = b"FRAME\n" + bytes(grey) + b"\x80" * (WIDTH * HEIGHT // 2)
    film.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 10)


def is_on(page: Page) -> bool:
    """Whether a track of the camera is still running for the page."""
    running: bool = page.evaluate("Boolean(document.getElementById('camera').srcObject)")
    return running


@pytest.mark.parametrize(("language", "width", "javascript", "colours"), [way for way in WAYS if way[2]])
def test_an_offer_is_scanned(
    world: World,
    address: str,
    film: Path,
    open_page: OpenPage,
    language: str,
    width: int,
    javascript: bool,
    colours: Literal["light", "dark"],
) -> None:
    """From the camera to whose link it is, by keyboard, each state of the page looked at."""
    page = open_page(width=width, javascript=javascript, colours=colours, language=language)
    look = looker(page, f"camera-{language}-{width}")
    make_wallet(page, address)
    show(film, "")
    page.goto(f"{address}/receive")
    look("off")
    page.focus("#scan")
    page.keyboard.press("Enter")
    page.wait_for_selector("#scan-stop:focus")
    page.wait_for_selector("#scanner-said[role=status]:not(:empty)")
    look("looking")
    page.keyboard.press("Enter")
    page.wait_for_selector("#scan:focus")
    look("stopped")
    assert not is_on(page)

    show(film, world.university.offer()[0].offer)
    page.keyboard.press("Enter")
    page.wait_for_selector("#look")
    look("found")
    expect(page.locator("main")).to_contain_text("university.example")


def test_a_request_is_scanned_in_the_same_place(address: str, film: Path, open_page: OpenPage) -> None:
    """A person need not know which of the two a code is; nothing is fetched before they have seen whose it is."""
    page = open_page(language="en")
    make_wallet(page, address)
    show(film, REQUEST)
    page.goto(f"{address}/receive")
    page.click("#scan")

    page.wait_for_url("**/receive")
    page.wait_for_selector("#arrival-continue")
    expect(page.locator("#page-title")).to_contain_text("employer.example")
    expect(page.locator("#came-by")).to_contain_text("scanned")


def test_a_code_for_something_else_is_said_to_be_that(address: str, film: Path, open_page: OpenPage) -> None:
    """The code of a menu or a bus stop: a plain sentence, and the other ways are there."""
    page = open_page(language="en")
    make_wallet(page, address)
    show(film, "WIFI:T:WPA;S=cafe;P=secret;;")
    page.goto(f"{address}/receive")
    page.click("#scan")
    page.wait_for_selector("#error-summary")

    expect(page.locator("#error-summary")).to_contain_text("not one for a wallet")
    expect(page.locator("#scan")).to_be_visible()
    assert page.input_value("#link") == ""


def test_a_browser_that_reads_codes_sends_no_picture(
    world: World, address: str, film: Path, open_page: OpenPage
) -> None:
    """Where the browser has a reader of its own, what the camera sees does not leave it."""
    page = open_page(language="en")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    make_wallet(page, address)
    show(film, "")
    offer = world.university.offer()[0].offer
    page.add_init_script(
        "window.BarcodeDetector = class { static async getSupportedFormats() { return ['qr_code']; }"
        f" async detect() {{ return [{{ rawValue: {offer!r} }}]; }} }};"
    )
    page.goto(f"{address}/receive")
    page.click("#scan")
    page.wait_for_selector("#look")

    assert [url for url in sent if url.endswith("/receive/frame")] == []


def test_at_most_two_pictures_a_second_and_one_at_a_time(address: str, film: Path, open_page: OpenPage) -> None:
    """Each picture has half a second of its own, and none goes while the answer to another is awaited."""
    page = open_page(language="en")
    make_wallet(page, address)
    show(film, "")
    page.add_init_script(
        "window.seen = {pauses: 0, sent: 0, waiting: 0, most: 0};"
        "const pause = window.setTimeout, get = window.fetch;"
        "window.setTimeout = (f, ms, ...a) => { if (ms === 500) seen.pauses += 1; return pause(f, ms, ...a); };"
        "window.fetch = async (...a) => { seen.sent += 1; seen.waiting += 1;"
        " seen.most = Math.max(seen.most, seen.waiting);"
        " try { return await get(...a); } finally { seen.waiting -= 1; } };"
    )
    page.goto(f"{address}/receive")
    page.click("#scan")
    for _ in range(3):
        with page.expect_response(FRAMES) as answered:
            pass
        assert answered.value.json() == {}
    page.click("#scan-stop")
    seen: dict[str, int] = page.evaluate("window.seen")

    assert seen["sent"] >= 3
    assert seen["most"] == 1
    assert seen["sent"] <= seen["pauses"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [("NotAllowedError", "does not let"), ("NotFoundError", "No camera"), ("NotReadableError", "could not be used")],
)
def test_without_a_camera_the_other_ways_are_named(
    address: str, film: Path, open_page: OpenPage, error: str, sentence: str
) -> None:
    """Refused, none there, used by something else: a sentence that is read aloud, and the focus where it was."""
    page = open_page(language="en")
    make_wallet(page, address)
    page.add_init_script(
        f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{error}'); }};"
    )
    page.goto(f"{address}/receive")
    page.click("#scan")
    page.wait_for_selector("#scanner-said:not(:empty)")

    said = page.locator("#scanner-said").inner_text()
    assert sentence in said
    assert "Paste the link" in said
    expect(page.locator("#scan")).to_be_enabled()


def test_the_camera_is_off_when_the_page_is_left(address: str, film: Path, open_page: OpenPage) -> None:
    """Going back to the page finds it off: nobody is filmed without seeing it."""
    page = open_page(language="en")
    make_wallet(page, address)
    show(film, "")
    page.goto(f"{address}/receive")
    page.click("#scan")
    page.wait_for_selector("#scan-stop")
    assert is_on(page)
    page.evaluate("window.kept = document.getElementById('camera').srcObject.getTracks()[0]")
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide'))")

    assert page.evaluate("window.kept.readyState") == "ended"
    expect(page.locator("#scan")).to_be_visible()


def test_only_this_page_may_use_the_camera(address: str, film: Path, open_page: OpenPage) -> None:
    """On any other page the browser refuses, whatever asks."""
    page = open_page(language="en")
    make_wallet(page, address)
    answers = {}
    for path in ("receive", "settings", ""):
        page.goto(f"{address}/{path}")
        answers[path] = page.evaluate("document.featurePolicy.allowsFeature('camera')")

    assert answers == {"receive": True, "settings": False, "": False}


def test_without_scripts_there_is_no_such_button(address: str, film: Path, open_page: OpenPage) -> None:
    """Nothing that does nothing: paste, code and picture are there."""
    page = open_page(language="sv", width=360, javascript=False)
    make_wallet(page, address)
    page.goto(f"{address}/receive")

    expect(page.locator("#scan")).to_be_hidden()
    expect(page.locator("#link")).to_be_visible()
    expect(page.locator("#picture")).to_be_visible()
