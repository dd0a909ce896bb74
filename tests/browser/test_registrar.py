"""The registrar's pages in a browser, every state of them: accessible in both languages, wide and narrow, with odd
records, by keyboard, and without scripts."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect
from starlette.testclient import TestClient

from issuer.app import create_app
from issuer.offers import draft_offers
from issuer.pages.powers import _sealed
from issuer.powers import marks_of
from issuer.settings import IssuerSettings
from service.sessions import cookie_name, new_cookie
from service.settings import ServiceSettings
from tests.browser.axe import assert_accessible
from tests.browser.conftest import OpenPage, Serve, overflow, screenshot
from tests.issuer.desk import Desk, StandingClock
from tests.schemas.learning.samples import VECTORS
from tests.schemas.types.records import statement
from tests.wallet.acting import OMAR, POWER, power_for

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "examples" / "data"
RECORD = EXAMPLES / "study-record.xml"
XML, WIRE = VECTORS / "elmo" / "xml", VECTORS / "elmo" / "wire"
PASSWORD = "a long and quiet password"
WAYS: list[tuple[Literal["sv", "en"], int, bool, Literal["light", "dark"]]] = [
    ("sv", 1280, True, "light"),
    ("sv", 360, False, "light"),
    ("en", 360, True, "dark"),
    ("en", 1280, False, "light"),
]

ODD = (
    "efternamn;förnamn;födelsedatum;kurskod;benämning_sv;benämning_en;benämning;datum;hp;eqf;betyg;lärandemål_sv\n"
    "الخوارزمي;محمد;1990-01-01;AR1;Algebra;;;2026-06-05;7,5;6;VG;Räkna|Lösa ekvationer\n"
    "O'Brien <script>alert(1)</script>;Zoë 👩\u200d🎓;;EM1;Kurs med ett namn som är så långt att det inte får plats på"
    " en enda rad i någon lista och som dessutom innehåller Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbau;;;"
    "2026-06-05;15;;G;\n"
    "Suharto;;1970-02-03;;;;The importance of <br> in HTML;2026-06-05;0;;;\n"
    "Andersson;Anna;;AA1;Statistik;Statistics;;2026-06-05;5;;U;\n"
    "Andersson;Anna;;AA2;Svenska;Swedish;;2026-06-05;5;;G;\n"
    "Andersson;Anna;;AA3;Fysik;Physics;;2026-06-05;;;G;\n"
)
WRONG = (
    "efternamn;kurskod;benämning_sv;hp;datum;födelsedatum\n"
    "Nyman;DT1;Kurs;sju;2026-02-30;15.06.1998\n"
    ";DT2;Kurs;5;2999-01-01;\n"
    "Berg;DT3;;5;2026-01-01;1899-01-01\n"
)


class Bureau:
    """A served issuer, and the desk behind it."""

    def __init__(self, directory: Path, served: Serve, **settings: Any) -> None:
        self.clock = StandingClock()
        apps: list[FastAPI] = []

        def make(chosen: ServiceSettings) -> FastAPI:
            assert isinstance(chosen, IssuerSettings)
            apps.append(create_app(chosen, clock=self.clock))
            return apps[0]

        values = {
            "data": directory / "issuer",
            "port": 0,
            "name": "Nordanviks universitet",
            "name_en": "Nordanvik University",
            "status_list_size": 10_000,
        }
        self.address = served(make, IssuerSettings.model_validate(values | settings))
        context = apps[0].state.issuer
        client = TestClient(apps[0], base_url=self.address)
        self.desk = Desk(context.settings, client, self.clock, context)

    def setup_code(self) -> str:
        """A code for the first account, made in a thread: the browser's library has a loop of its own in this one."""
        with ThreadPoolExecutor() as threads:
            made = threads.submit(asyncio.run, self.desk.context.store.accounts.setup_code(now=self.clock()))
            code = made.result()
        assert code is not None
        return code


@pytest.fixture
def bureau(tmp_path: Path, served: Serve) -> Bureau:
    """An issuer with the profile of the example university."""
    return Bureau(tmp_path, served, profile_file=ROOT / "examples" / "data" / "institution-profile.toml")


class Walk:
    """Somebody who looks at each page before going on."""

    def __init__(self, page: Page, bureau: Bureau, *, language: str, name: str) -> None:
        self.page, self.bureau, self.language = page, bureau, language
        self._name, self._count = name, 0

    def look(self, name: str) -> None:
        """Check the page as it is, and keep a picture when pictures are wanted."""
        self.page.wait_for_load_state()
        assert_accessible(self.page)
        assert overflow(self.page) == 0, f"{name} is wider than the window"
        assert self.page.get_attribute("html", "lang") == self.language
        self._count += 1
        screenshot(self.page, f"{self._name}-{self._count:02}-{name}")

    def go(self, path: str, name: str) -> None:
        """Open a page."""
        self.page.goto(self.bureau.address + path)
        self.look(name)

    def press(self, selector: str, name: str) -> None:
        """Press a button or link, and look at what comes."""
        self.page.click(selector)
        self.look(name)

    def read(self, name: str, data: bytes | Path) -> None:
        """Choose a file and look at what reading it gives."""
        self.page.goto(f"{self.bureau.address}/import")
        if isinstance(data, Path):
            self.page.set_input_files("#file", data)
        else:
            self.page.set_input_files("#file", {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": data})
        self.press("#read", f"report-{name}")

    def choose(self, *numbers: int, kind: int = 1, code: int = 2) -> None:
        """Tick results, a kind of certificate, and whether a code is needed (1) or not (2)."""
        for number in numbers:
            self.page.check(f"#choose-{number}")
        self.page.check(f"#type-{kind}")
        self.page.check(f"#tx-code-{code}")


@pytest.mark.parametrize(("language", "width", "javascript", "colours"), WAYS)
def test_every_state_of_every_page(
    bureau: Bureau,
    open_page: OpenPage,
    language: Literal["sv", "en"],
    width: int,
    javascript: bool,
    colours: Literal["light", "dark"],
) -> None:
    """From the first account to a revoked certificate, with everything that can go wrong on the way."""
    page = open_page(width=width, javascript=javascript, colours=colours, language=language)
    walk = Walk(page, bureau, language=language, name=f"issuer-{language}-{width}")
    desk = bureau.desk

    # The door.
    walk.go("/", "sign-in-first")
    page.fill("#login", "registrator")
    page.fill("#password", "wrong")
    walk.press("#sign-in", "sign-in-wrong")
    walk.go("/setup", "setup")
    page.fill("#setup_code", "WRONG")
    page.fill("#login", "registrator")
    page.fill("#password", PASSWORD)
    walk.press("#setup", "setup-wrong")
    page.fill("#setup_code", bureau.setup_code())
    page.fill("#password", PASSWORD)
    walk.press("#setup", "home-empty")
    for path in ("offered", "issued", "help", "account"):
        walk.go(f"/{path}", f"{path}-empty")
    page.fill("#old_password", "wrong")
    page.fill("#new_password", "x" * 20)
    walk.press("#change-password", "account-wrong")

    # Reading files.
    walk.go("/import", "import")
    page.click("#csv-help summary")
    walk.look("import-help")
    page.set_input_files("#file", {"name": "x.csv", "mimeType": "text/csv", "buffer": b""})
    walk.press("#read", "refused-empty")
    walk.read("wrong", WRONG.encode())
    walk.read("html", b"<!doctype html><html>")
    walk.read("spec", XML / "elmo-schemas-example.xml")
    page.click("#rows summary >> nth=0")
    walk.look("report-elements")
    walk.read("finnish", WIRE / "fi-smp-answer.gz.b64.txt")
    walk.press("#older", "report-page-2")
    walk.read("odd", ODD.encode())
    gone = page.url.removeprefix(bureau.address)
    walk.press("#keep", "choose-odd")
    walk.go(gone, "gone")

    # Choosing and offering.
    page.goto(f"{bureau.address}/")
    page.click("#imports a")
    walk.press("#show-preview", "choose-nothing")
    walk.choose(1, 2, 3, 4, 5)
    walk.press("#show-preview", "choose-incomplete")
    page.uncheck("#choose-5")
    walk.press("#show-preview", "preview-odd")
    page.click("#preview-1-machine summary")
    walk.look("preview-machine")
    walk.press("#make-offers", "offered-odd")
    walk.press("#offers tbody a >> nth=0", "offer-odd")
    walk.read("record", RECORD)
    walk.press("#keep", "choose")
    walk.press(".result-side a >> nth=0", "result")
    page.go_back()
    walk.choose(1, code=1)
    walk.press("#show-preview", "preview")
    walk.press("#make-offers", "offer-with-code")
    offer, *_ = desk.context.store.offers.list_offers(now=bureau.clock())
    walk.read("again", RECORD)
    walk.press("#keep", "choose-again")
    walk.choose(1, 2, 3, kind=2)
    walk.press("#show-preview", "preview-many")
    page.go_back()
    walk.choose(1, 2, kind=1)
    walk.press("#show-preview", "preview-offered-before")

    # What becomes of offers.
    links = desk.links(offer)
    desk.client.get(links.uri)
    walk.go(f"/offered/{offer.id}", "offer-opened")
    page.click("#new-code")
    walk.look("offer-new-code")
    page.click("#offer-again")
    walk.look("offer-again")
    page.click("#void")
    walk.look("offer-void")
    page.click("#offer-again")
    desk.collect(desk.context.store.offers.get(offer.id, now=bureau.clock()))
    walk.go(f"/offered/{offer.id}", "offer-collected")
    other = desk.context.store.offers.list_offers(now=bureau.clock())[1]
    invitation = desk.links(other).offer_https.removeprefix(bureau.address)
    walk.go(invitation, "invitation")
    page.fill("#wallet_address", "javascript:alert(1)")
    walk.press("#use-wallet", "invitation-wrong")
    page.fill("#wallet_address", "wallet.example")
    walk.press("#use-wallet", "invitation-wallet")
    desk.context.store.offers.void(other.id, now=bureau.clock())
    walk.go(invitation, "invitation-closed")
    walk.go("/offered?q=sjöberg", "offered")
    walk.go("/offered?q=nobody", "offered-none")
    walk.go("/", "home")

    # What becomes of certificates.
    walk.go("/issued", "issued")
    walk.press("#certificates tbody a", "certificate")
    if not javascript:
        page.click("#suspend-part summary")
        page.click("#suspend")
    else:
        page.click("#suspend-part summary")
        page.eval_on_selector("#suspend-form", "form => { form.noValidate = true; }")
        page.click("#suspend")
    walk.look("certificate-no-reason")
    page.select_option("#suspend-reason", "under_review")
    walk.press("#suspend", "certificate-suspended")
    walk.press("#reinstate", "certificate-valid-again")
    walk.press("#to-revoke", "revoke")
    walk.press("#decide-revoke", "revoke-no-reason")
    page.check("#reason-2")
    page.fill("#note", "Fel betyg")
    walk.press("#decide-revoke", "certificate-revoked")

    # What is not there, and the end.
    walk.go("/offered/nothing", "not-found")
    walk.go("/help", "help")
    bureau.clock.now += timedelta(days=30)
    walk.go("/offered", "signed-out-by-time")


@pytest.mark.parametrize(("language", "width", "javascript", "colours"), WAYS)
def test_statements_and_reviews(
    bureau: Bureau,
    open_page: OpenPage,
    language: Literal["sv", "en"],
    width: int,
    javascript: bool,
    colours: Literal["light", "dark"],
) -> None:
    """A file of registrations from its report to an offer, and a certificate that waits until it is denied."""
    page = open_page(width=width, javascript=javascript, colours=colours, language=language)
    walk = Walk(page, bureau, language=language, name=f"issuer-reviews-{language}-{width}")
    store = bureau.desk.context.store
    signed_in(bureau, page)
    walk.go("/waiting", "waiting-none")
    walk.go("/import", "import")
    page.click("#statements-help summary")
    walk.look("import-statements-help")
    walk.read("wrong-statements", b"certificate_type;family_name;registered_status\ndegree;Ek;yes\nemployment;Ek;yes")
    walk.read("statements", EXAMPLES / "job-seekers.csv")
    page.click("#rows summary >> nth=0")
    walk.look("report-statement")
    walk.press("#keep", "choose-statements")
    walk.choose(1, 4)
    walk.press("#show-preview", "preview-statements")
    walk.press("#make-offers", "offered-statements")
    page.goto(f"{bureau.address}/")
    page.click("#imports a")
    walk.press(".result-side a >> nth=0", "statement")

    offer, *_ = store.offers.list_offers(now=bureau.clock())
    with store.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE offers SET review = 'waiting', review_at = created_at")
    walk.go("/", "home-waiting")
    walk.press("#to-waiting", "waiting")
    walk.go(f"/waiting/{offer.id}", "waiting-one")
    walk.press("#to-approve", "waiting-approve")
    walk.press("#decide-later", "waiting-later")
    walk.press("#to-deny", "waiting-deny")
    walk.press("#decide-deny", "waiting-denied")
    assert len(store.deferrals.list_waiting()) == 1

    # What people see who come to end a power; the sign-in itself is elsewhere.
    made = statement(POWER, learner=OMAR).model_copy(update={"values": power_for()})
    store.offers.create(draft_offers(POWER, [made], with_tx_code=False), now=bureau.clock())
    walk.go("/powers", "powers-sign-in")
    came_as(bureau, page, ("haddad", "lina", "20120819"))
    walk.go("/powers", "powers")
    walk.press("#over-end-1", "power-end")
    walk.press("#end", "power-ended")
    assert page.locator("#over-none").count() == 1


def came_as(bureau: Bureau, page: Page, person: tuple[str, str, str]) -> None:
    """This browser is somebody's who has signed in to end a power."""
    context, browser_key = bureau.desk.context, new_cookie()
    who = _sealed(context, marks_of(context.store.secret, [person]), browser_key)
    for what, value in (("browser", browser_key), ("who", who)):
        name = cookie_name(context.settings, f"powers-{what}")
        page.context.add_cookies([{"name": name, "value": value, "url": bureau.address}])


def signed_in(bureau: Bureau, page: Page) -> None:
    """Make the first account."""
    page.goto(f"{bureau.address}/setup")
    page.fill("#setup_code", bureau.setup_code())
    page.fill("#login", "registrator")
    page.fill("#password", PASSWORD)
    page.click("#setup")
    page.wait_for_selector("#sign-out")
    page.wait_for_load_state()


def test_from_a_file_to_an_offer_by_keyboard_alone(bureau: Bureau, open_page: OpenPage) -> None:
    """Tab, space and Enter; the focus goes in the order of reading and is never lost (WCAG 2.1.1, 2.4.3)."""
    page = open_page(language="sv")
    signed_in(bureau, page)

    def focused() -> str:
        found = page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")
        return str(found)

    def tab_to(wanted: str, *, most: int = 60) -> None:
        for _ in range(most):
            page.keyboard.press("Tab")
            if focused() == wanted:
                return
        raise AssertionError(f"The focus never reached {wanted}.")

    tab_to("Hoppa till innehållet", most=1)
    tab_to("read-first")
    page.keyboard.press("Enter")
    page.wait_for_url("**/import")
    tab_to("file")
    page.set_input_files("#file", RECORD)  # the window that chooses a file belongs to the system
    tab_to("read")
    page.keyboard.press("Enter")
    page.wait_for_url("**/import/*")
    tab_to("keep")
    page.keyboard.press("Enter")
    page.wait_for_url("**/results/*")
    tab_to("show-preview")
    page.keyboard.press("Enter")
    page.wait_for_url("**/preview")
    assert focused() == "error-summary"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    tab_to("choose-2")
    page.keyboard.press("Space")
    tab_to("type-1")
    page.keyboard.press("Space")
    tab_to("tx-code-1")
    page.keyboard.press("Space")
    tab_to("show-preview")
    page.keyboard.press("Enter")
    page.wait_for_selector("#make-offers")
    tab_to("make-offers")
    page.keyboard.press("Enter")
    page.wait_for_url("**/offered/*")
    assert len(bureau.desk.context.store.offers.list_offers(now=bureau.clock())) == 1


def test_a_board_that_changes_keeps_the_focus_and_reads_the_counts_aloud(bureau: Bureau, open_page: OpenPage) -> None:
    """Whoever stands on a link stays there, and is not read a whole table (WCAG 2.4.3, 4.1.3)."""
    page = open_page(language="en")
    signed_in(bureau, page)
    offer = bureau.desk.offer()
    page.goto(f"{bureau.address}/offered")
    page.focus("#offers tbody a")
    expect(page.locator("#board-said")).to_have_text("")
    bureau.desk.client.get(bureau.desk.links(offer).uri)
    page.wait_for_selector("tr[data-state=opened]")
    assert page.evaluate("document.activeElement.getAttribute('href')").endswith(offer.id)
    expect(page.locator("#board-said")).to_contain_text(re.compile("^0 Offered 1 Opened"))
    assert page.get_attribute("#board", "aria-live") is None

    page.goto(f"{bureau.address}/offered/{offer.id}")
    bureau.desk.collect(offer)
    page.wait_for_selector("[data-state=collected]")
    expect(page.locator("#offer-state-said")).to_have_text("Collected")
