"""A headless Chromium that reaches this machine alone, and services to point it at.

    def test_something(open_page: OpenPage, served: Serve) -> None:
        page = open_page(width=360, javascript=False, colours="dark", language="sv")
        page.goto(address)
        assert_accessible(page)

At the end of a test every page must have been free of console errors: a blocked script or style is one.
Screenshots go to the directory named by SCREENSHOTS, and nowhere when it is not set.
"""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal, Protocol, TypeVar

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from service.serving import listen
from service.settings import ServiceSettings

S = TypeVar("S", bound=ServiceSettings)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE ::1",
)
WIDTHS = (1280, 360)
_HEIGHTS = {1280: 900, 360: 740}
_PATIENCE = 15_000  # Milliseconds: a busy machine is slow, and a page that never comes fails all the same.
expect.set_options(timeout=_PATIENCE)


class OpenPage(Protocol):
    """Opens a page in a browser context of its own (own cookies)."""

    def __call__(
        self,
        *,
        width: int = 1280,
        javascript: bool = True,
        colours: Literal["light", "dark"] = "light",
        language: str = "sv",
    ) -> Page: ...


class Serve(Protocol):
    """Serves an application on a free port of loopback until the test ends; returns its address."""

    def __call__(self, make: Callable[[ServiceSettings], FastAPI], settings: ServiceSettings) -> str: ...


@contextmanager
def launched(*more: str) -> Iterator[Browser]:
    """A Chromium with further arguments; the test is skipped with a reason where there is none."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: `apt-get install chromium` (make test does it where it may).")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *more])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module's tests; skipped with a reason where there is none.

    Not for the whole run: while Playwright is open its event loop runs in this thread, and no other test could run one.
    """
    with launched() as chromium:
        yield chromium


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """A function that opens pages; each is closed, and must have been free of console errors, when the test ends."""
    contexts = []
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "status of 4" not in message.text and "status of 5" not in message.text:
            errors.append(f"{message.text} ({message.location.get('url', '')})")

    def opened(
        *,
        width: int = 1280,
        javascript: bool = True,
        colours: Literal["light", "dark"] = "light",
        language: str = "sv",
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": _HEIGHTS.get(width, 800)},
            java_script_enabled=javascript,
            color_scheme=colours,
            locale={"sv": "sv-SE", "en": "en-GB"}[language],
            device_scale_factor=1,
            reduced_motion="reduce",
        )
        context.set_default_timeout(_PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors, "\n".join(errors)


@pytest.fixture
def served() -> Iterator[Serve]:
    """A function that serves applications, as the real server does, in threads of this process."""
    with ExitStack() as stack:
        yield lambda make, settings: stack.enter_context(running(make, settings))


@contextmanager
def running(make: Callable[[S], FastAPI], settings: S) -> Iterator[str]:
    """Serve an application on a free port; gives its public address."""
    sockets = listen(settings.on_port(0))
    settings = settings.on_port(sockets[0].getsockname()[1])
    config = uvicorn.Config(
        make(settings),
        http="httptools",
        ws="none",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,  # Event streams stay open until they are cut off.
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
    thread.start()
    try:
        deadline = time.monotonic() + 60
        while not server.started:
            assert time.monotonic() < deadline, "The server did not start."
            time.sleep(0.01)
        yield settings.base_url
    finally:
        server.should_exit = True
        thread.join(20)
        for one in sockets:
            one.close()


def screenshot(page: Page, name: str) -> None:
    """Keep a picture of the whole page, when somebody wants to look (SCREENSHOTS names the directory)."""
    page.wait_for_load_state()  # The last click may still be bringing the page.
    if directory := os.environ.get("SCREENSHOTS"):
        Path(directory).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(directory) / f"{name}.png", full_page=True)


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window: 0 when nothing must be scrolled sideways."""
    page.wait_for_load_state()  # The last click may still be bringing the page.
    page.wait_for_selector("main")
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return int(wider)


@contextmanager
def text_twice_as_large(page: Page) -> Iterator[None]:
    """The reader's text at 200 % (WCAG 1.4.4), until the end of the block."""
    page.evaluate("document.documentElement.style.fontSize = '212.5%'")  # Ours is 106.25 % of the browser's own.
    yield
    page.evaluate("document.documentElement.style.fontSize = ''")


@contextmanager
def text_spacing(page: Page) -> Iterator[None]:
    """The reader's spacing of lines, letters, words and paragraphs (WCAG 1.4.12), until the end of the block."""
    page.evaluate(
        "document.querySelectorAll('*').forEach(e => { e.style.lineHeight = '1.5'; e.style.letterSpacing = '0.12em';"
        " e.style.wordSpacing = '0.16em'; if (e.tagName === 'P') e.style.marginBottom = '2em'; })"
    )
    yield
    page.evaluate(
        "document.querySelectorAll('*').forEach(e => ['line-height', 'letter-spacing', 'word-spacing', 'margin-bottom']"
        ".forEach(name => e.style.removeProperty(name)))"
    )


def small_targets(page: Page) -> list[tuple[str, float]]:
    """What can be pressed and is less than 44 pixels high, with its height; links in running text are exempt."""
    found: list[tuple[str, float]] = page.evaluate(
        """() => [...document.querySelectorAll("button, .button, input:not([type=hidden]), select, summary, header a")]
            .filter(e => e.offsetParent !== null && !e.classList.contains("visually-hidden"))
            .map(e => [e.id || e.textContent.trim(), (e.closest(".choice") || e).getBoundingClientRect().height])
            .filter(([, height]) => height < 44)"""
    )
    return found
