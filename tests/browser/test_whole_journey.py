"""The whole journey by hand, through the real pages of three real services: a study record becomes a certificate, the
person takes it, an employer asks, the person shares, the employer reads the verdict, the registrar takes it back.

Every page state on the way is free of accessibility faults and scrolls in one direction only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from examples.demo import EXAMPLE_SETTINGS, STUDY_RECORD, first_code
from examples.services import Services, start_trusting
from tests.browser.axe import assert_accessible
from tests.browser.conftest import OpenPage, overflow, screenshot

pytestmark = [pytest.mark.browser, pytest.mark.processes]

STAFF_PASSWORD = "a phrase for the journey"
PASSPHRASE = "nine small boats at dawn"
TITLE = {"sv": "Statistik för beslut", "en": "Statistics for Decisions"}
VERDICT = {"sv": "Allt stämde", "en": "Every check held"}
REVOKED = {"sv": "Återkallat av utfärdaren", "en": "Revoked by the issuer"}


@dataclass
class Reader:
    """Somebody at a browser, who looks at every page before using it."""

    page: Page
    who: str
    language: str
    pages: int = 0

    def looks(self, name: str) -> None:
        """Check the page as it is now, and keep a picture when pictures are wanted."""
        self.page.wait_for_load_state()
        assert_accessible(self.page)
        assert overflow(self.page) == 0, f"{self.page.url} is wider than the window"
        assert self.page.get_attribute("html", "lang") == self.language
        self.pages += 1
        width = self.page.viewport_size["width"] if self.page.viewport_size else 0
        screenshot(self.page, f"{self.who}-{self.pages:02}-{name}-{self.language}-{width}")

    def opens(self, url: str, name: str) -> None:
        """Go to an address and look at what is there."""
        self.page.goto(url)
        self.looks(name)

    def presses(self, selector: str, name: str) -> None:
        """Press a button or link and look at the page that comes."""
        self.page.click(selector)
        self.looks(name)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The three services, started by their installed commands, trusting each other as in the demo."""
    with Services(tmp_path_factory.mktemp("services"), settings=EXAMPLE_SETTINGS) as started:
        start_trusting(started)
        yield started


@pytest.mark.parametrize(("language", "javascript", "width"), [("sv", True, 360), ("en", False, 1280)])
def test_the_whole_journey_by_hand(
    services: Services, open_page: OpenPage, language: Literal["sv", "en"], javascript: bool, width: int
) -> None:
    """Four people do their part on the pages alone, in Swedish on a phone and in English without JavaScript."""

    def reader(who: str, reader_width: int) -> Reader:
        return Reader(open_page(width=reader_width, javascript=javascript, language=language), who, language)

    registrar = reader("registrar", 1280 if width == 360 else 360)
    person = reader("person", width)
    recruiter = reader("recruiter", 1280 if width == 360 else 360)

    sign_in(registrar, services, "issuer")
    link, code = offer_a_certificate(registrar, services.urls["issuer"])
    make_wallet(person, services.urls["wallet"], f"Elin {language}")
    take_certificate(person, services.urls["wallet"], link, code)
    sign_in(recruiter, services, "verifier")
    request = ask(recruiter, services.urls["verifier"])
    share(person, services.urls["wallet"], request)
    if not javascript:
        recruiter.page.goto(recruiter.page.url)  # Where scripts are off, the person asks again.
    recruiter.page.wait_for_selector("#verdict")
    recruiter.looks("verdict")
    expect(recruiter.page.locator("#verdict")).to_contain_text(VERDICT[language])
    assert "Sjöberg" not in recruiter.page.inner_text("main"), "Values are covered until somebody needs them."
    recruiter.presses("#show-values", "values")
    expect(recruiter.page.locator("main")).to_contain_text("Sjöberg", use_inner_text=True)
    assert "1998" not in recruiter.page.inner_text("main"), "The date of birth was never asked for."
    look_back(person)

    registrar_revokes(registrar, services.urls["issuer"])
    person.opens(services.urls["wallet"], "home-after-revocation")
    person.presses(f"main a:has-text('{TITLE[language]}')", "certificate")
    person.presses("#check-now", "certificate-revoked")
    expect(person.page.locator("main")).to_contain_text(REVOKED[language])


def sign_in(staff: Reader, services: Services, service: str) -> None:
    """The first account is made with the code from the terminal, on the first run; later ones sign in."""
    staff.opens(services.urls[service], "sign-in")
    if staff.page.locator("#no-account").count():
        staff.opens(f"{services.urls[service]}/setup", "setup")
        staff.page.fill("#setup_code", first_code(services, service))
        button = "#setup"
    else:
        button = "#sign-in"
    staff.page.fill("#login", "staff")
    staff.page.fill("#password", STAFF_PASSWORD)
    staff.presses(button, "home")


def offer_a_certificate(registrar: Reader, issuer: str) -> tuple[str, str]:
    """From a file to an offer; gives its link and its transaction code."""
    registrar.opens(f"{issuer}/import", "import")
    registrar.page.set_input_files("#file", STUDY_RECORD)
    registrar.presses("#read", "dry-run")
    registrar.presses("#keep", "choose")
    registrar.page.check("#choose-2")
    registrar.page.check("#type-1")
    registrar.page.check("#tx-code-1")
    registrar.presses("#show-preview", "preview")
    expect(registrar.page.locator("main")).to_contain_text(TITLE[registrar.language])
    registrar.presses("#make-offers", "offer")
    return registrar.page.inner_text("#offer-link"), registrar.page.inner_text("#tx-code-value")


def make_wallet(person: Reader, wallet: str, name: str) -> None:
    """A person makes a wallet of their own."""
    person.opens(wallet, "unlock")
    person.presses("#begin", "create")
    person.page.fill("#name", name)
    for field in person.page.locator("main input[type=password]").all():
        field.fill(PASSPHRASE)
    person.presses("#create", "empty-home")


def take_certificate(person: Reader, wallet: str, link: str, code: str) -> None:
    """Host first, then who offers what, then the collection."""
    person.opens(f"{wallet}/receive", "receive")
    person.page.fill("#link", link)
    person.presses("#take-link", "whose-link")
    person.presses("#look", "who-offers-what")
    person.page.fill("#tx_code", code)
    person.presses("#collect", "received")
    person.presses("main a", "certificate")
    expect(person.page.locator("main")).to_contain_text("Sjöberg")


def ask(recruiter: Reader, verifier: str) -> str:
    """Make a request from a template; gives its link."""
    recruiter.opens(f"{verifier}/ask", "templates")
    recruiter.opens(f"{verifier}/ask/employer-micro-credential", "preview")
    recruiter.presses("#make", "request")
    return recruiter.page.inner_text("#request-link")


def share(person: Reader, wallet: str, request: str) -> None:
    """Who asks, for what, the decision, the passphrase, the outcome. Nothing is ticked and nothing focused before."""
    person.opens(f"{wallet}/receive", "where-a-request-is-entered")
    person.page.fill("#link", request)
    person.presses("#take-link", "arrival")
    person.presses("#arrival-continue", "decision")
    page = person.page
    expect(page.locator("#optional-2")).to_be_visible()
    expect(page.locator("input:checked")).to_have_count(0)
    assert page.evaluate("document.activeElement.closest('form') === null")
    page.check("#optional-2")
    if page.locator("#update").is_visible():  # Only without scripts; with them the count follows the ticks.
        person.presses("#update", "decision-with-one-optional")
    expect(page.locator("#decide-share")).to_contain_text("3")
    person.presses("#decide-share", "confirm")
    page.fill("#passphrase", PASSPHRASE)
    page.press("#passphrase", "Enter")
    person.looks("enter-does-not-share")
    expect(page).to_have_url(re.compile(r"/confirm\?told=enter$"))
    page.fill("#passphrase", PASSPHRASE)
    person.presses("#decide-share", "outcome")
    expect(page).to_have_url(re.compile("/outcome$"))


def look_back(person: Reader) -> None:
    """The receipt and the history name what went, without values."""
    person.presses("main a >> nth=0", "receipt")
    expect(person.page.locator("main")).to_contain_text("Fjällfors")
    person.opens(person.page.url.split("/history")[0] + "/history", "history")
    expect(person.page.locator("main")).to_contain_text("Fjällfors")
    assert "Sjöberg" not in person.page.inner_text("main")


def registrar_revokes(registrar: Reader, issuer: str) -> None:
    """Taking a certificate back asks once more, says that it is final, and is seen."""
    registrar.opens(f"{issuer}/issued", "issued")
    registrar.presses("main table a >> nth=0", "issued-certificate")
    registrar.presses("#to-revoke", "confirm-revocation")
    registrar.page.check("#reason-1")
    registrar.presses("#decide-revoke", "revoked")
