"""Every piece that pages are made of, in every light and width, passes the accessibility rules and fits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response, StreamingResponse
from playwright.sync_api import Page, expect
from pydantic_settings import SettingsConfigDict
from sqlalchemy import MetaData

import service
from service import qr
from service.app import build_app
from service.clock import utc_now
from service.database import Database
from service.i18n import N_, load_catalogues
from service.pages import NavItem, Pages
from service.sessions import Sessions, sessions_table
from service.settings import ServiceSettings
from tests.browser.axe import assert_accessible, violations
from tests.browser.conftest import (
    WIDTHS,
    OpenPage,
    Serve,
    overflow,
    screenshot,
    small_targets,
    text_spacing,
    text_twice_as_large,
)

pytestmark = pytest.mark.browser
OFFER = "openid-credential-offer://?credential_offer_uri=http%3A%2F%2Flocalhost%3A8000%2Foffers%2F7KQ2M9XW4T"


class GallerySettings(ServiceSettings):
    """Settings of the gallery."""

    model_config = SettingsConfigDict(env_prefix="GALLERY_")
    service: ClassVar[str] = "gallery"


def gallery(settings: ServiceSettings) -> FastAPI:
    """An application with one page that shows everything, one that follows what happens, and a way to sign in."""
    metadata = MetaData()
    sessions_table(metadata)
    database = Database(settings.data / "gallery.sqlite3", metadata)
    database.create()
    sessions = Sessions(database, settings=settings)
    state = {"steps": 0}
    pages = Pages(
        settings=settings,
        templates=[Path(__file__).parent / "templates"],
        catalogues=load_catalogues(Path(service.__file__).parent),
        name="Galleri",
        nav=[NavItem("/", "Intyg"), NavItem("/other", "Delningar")],
        clock=utc_now,
        sessions=sessions,
    )
    router = APIRouter()

    @router.get("/")
    @router.post("/")
    async def show(request: Request) -> Response:
        return await pages.render(request, "gallery.html", qr=qr.svg(OFFER, title=N_("Code")))

    @router.get("/enter")
    async def enter() -> Response:
        response = pages.redirect("/")
        sessions.set_cookie(response, await sessions.open("person-1", now=utc_now()))
        return response

    @router.get("/live")
    async def live(request: Request) -> Response:
        return await pages.render(request, "live.html", steps=state["steps"], is_done=state["steps"] > 1)

    @router.get("/events")
    async def events() -> Response:
        async def happening() -> AsyncIterator[str]:
            for kind in ("change", "done"):
                await asyncio.sleep(0.2)
                state["steps"] += 1
                yield f"event: {kind}\ndata: {{}}\n\n"

        return StreamingResponse(happening(), media_type="text/event-stream")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        database.close()

    return build_app(
        settings=settings, title="Gallery", routers=[router], pages=pages, ready=database.check, lifespan=lifespan
    )


@pytest.fixture
def address(served: Serve, tmp_path: Path) -> str:
    return served(gallery, GallerySettings(data=tmp_path))


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_piece_is_accessible_and_fits(
    open_page: OpenPage, address: str, width: int, colours: Literal["light", "dark"]
) -> None:
    page = open_page(width=width, colours=colours)
    page.goto(address)
    page.locator("#more summary").click()

    screenshot(page, f"gallery-{width}-{colours}")
    assert_accessible(page)
    assert overflow(page) == 0


@pytest.mark.parametrize("path", ["/help", "/nowhere"])
@pytest.mark.parametrize("javascript", [True, False])
def test_help_and_error_pages_are_accessible_also_without_scripts(
    open_page: OpenPage, address: str, path: str, javascript: bool
) -> None:
    page = open_page(javascript=javascript, language="en")
    page.goto(address + path)

    screenshot(page, f"page{path.replace('/', '-')}")
    assert_accessible(page)


def test_the_page_reflows_at_320_pixels_and_with_text_twice_as_large(open_page: OpenPage, address: str) -> None:
    page = open_page(width=320)
    page.goto(address)
    assert overflow(page) == 0

    wide = open_page(width=1280)
    wide.goto(address)
    with text_twice_as_large(wide):
        assert overflow(wide) == 0


def test_text_spacing_of_the_reader_fits(open_page: OpenPage, address: str) -> None:
    page = open_page(width=360)
    page.goto(address)
    with text_spacing(page):
        assert overflow(page) == 0


def test_targets_are_at_least_44_pixels_high(open_page: OpenPage, address: str) -> None:
    page = open_page(width=360)
    page.goto(address)

    assert small_targets(page) == []


def test_the_two_buttons_of_a_decision_are_equal(open_page: OpenPage, address: str) -> None:
    for width in WIDTHS:
        page = open_page(width=width)
        page.goto(address)
        share, refuse = page.locator("#decide-share").bounding_box(), page.locator("#decide-refuse").bounding_box()
        assert share is not None
        assert refuse is not None
        assert (share["width"], share["height"], share["y"]) == (refuse["width"], refuse["height"], refuse["y"])
        style = (
            "e => { const s = getComputedStyle(e); return [s.color, s.backgroundColor, s.fontWeight, s.borderColor]; }"
        )
        assert page.locator("#decide-share").evaluate(style) == page.locator("#decide-refuse").evaluate(style)


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def test_the_error_summary_takes_the_focus_and_leads_to_the_field(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.goto(address)
    assert focused(page) == "error-summary"

    page.locator("#error-summary a").first.click()

    assert focused(page) == "login"


def test_the_keyboard_reaches_the_content_first(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.goto(address + "/help")

    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    expect(page.locator(".skip-link")).to_be_in_viewport()
    page.keyboard.press("Enter")

    assert focused(page) == "main"


def test_enter_in_a_decision_shows_the_page_again_and_decides_nothing(open_page: OpenPage, address: str) -> None:
    page = open_page(javascript=False)
    page.goto(address)
    page.locator("#grade").focus()

    with page.expect_request(lambda request: request.method == "POST") as posted:
        page.keyboard.press("Enter")

    assert "decision=&" in f"{posted.value.post_data}&"
    assert "share" not in f"{posted.value.post_data}"


def test_changing_language_keeps_the_page(open_page: OpenPage, address: str) -> None:
    page = open_page(language="sv")
    page.goto(f"{address}/help?from=here")

    page.locator("#language-en").click()

    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page).to_have_url(f"{address}/help?from=here&lang=en")
    page.goto(f"{address}/help")
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_copying_is_offered_where_it_works_and_said(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(address)

    page.locator("#offer-qr-code-copy").click()

    expect(page.locator("#offer-qr-code-said")).to_have_text("Kopierat")
    assert page.evaluate("navigator.clipboard.readText()") == "localhost:8000/7KQ2M9XW4T"
    silent = open_page(javascript=False)
    silent.goto(address)
    expect(silent.locator("#offer-qr-code-copy")).to_be_hidden()


def test_paper_shows_the_content_without_controls(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.goto(address)
    page.emulate_media(media="print")

    screenshot(page, "gallery-print")
    expect(page.locator(".site-header")).to_be_hidden()
    expect(page.locator("#decide-share")).to_be_hidden()
    expect(page.locator("#facts")).to_be_visible()


def test_colours_that_the_system_forces_leave_everything_visible(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.goto(address)
    page.emulate_media(forced_colors="active")

    screenshot(page, "gallery-forced")
    expect(page.locator("#decide-share")).to_be_visible()


def test_a_part_that_follows_what_happens_is_fetched_again_and_then_rests(open_page: OpenPage, address: str) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/live")

    expect(page.locator("#steps")).to_have_text("2")
    page.wait_for_timeout(600)

    assert asked.count(f"{address}/events") == 1
    expect(page.locator("#following")).to_have_attribute("aria-live", "polite")
    assert_accessible(page)


def test_what_is_said_to_have_changed_and_has_not_is_left_in_place(open_page: OpenPage, address: str) -> None:
    """Each stream begins with a look: nobody's hold on a button or place in the text is lost by it."""
    page = open_page()
    told = "event: change\ndata: {}\n\n"
    page.route("**/events", lambda route: route.fulfill(content_type="text/event-stream", body=told))
    with page.expect_response(lambda answer: answer.request.resource_type == "fetch") as looked:
        page.goto(f"{address}/live")
        page.evaluate("document.querySelector('#steps').isTheFirst = true")
    looked.value.finished()
    page.wait_for_timeout(200)

    assert page.evaluate("document.querySelector('#steps').isTheFirst") is True


def test_what_happens_can_be_seen_without_scripts(open_page: OpenPage, address: str) -> None:
    page = open_page(javascript=False)
    page.goto(f"{address}/live")

    page.locator("#following a").click()

    expect(page).to_have_url(f"{address}/live")
    assert_accessible(page)


def test_the_end_of_a_session_is_told_in_time_and_can_be_put_off(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.clock.install()
    page.goto(f"{address}/enter")
    warning = page.locator("#session-warning")

    page.clock.run_for(13 * 60 * 1000)
    expect(warning).to_be_hidden()
    page.clock.run_for(60 * 1000)
    expect(warning).to_be_visible()
    screenshot(page, "session-warning")
    assert_accessible(page)

    with page.expect_response(f"{address}/session") as answer:
        page.locator("#stay-signed-in").click()

    assert answer.value.ok
    expect(warning).to_be_hidden()


def test_the_check_itself_finds_a_fault(open_page: OpenPage, address: str) -> None:
    page = open_page()
    page.goto(address)
    page.evaluate("document.getElementById('login').labels[0].remove()")

    assert [rule["id"] for rule in violations(page)] == ["label"]
