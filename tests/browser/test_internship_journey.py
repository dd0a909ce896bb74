"""The internship by hand: the person applies at the example application, lacks what the employment service states,
fetches it there, comes back to the very same request, shares, reads the answer at the application, takes it back.

What is counted: every press from the application's own page until the answer stands there, with two certificates that
are fetched on the way. Not counted: signing in at the source, and what lies before: the person has a wallet that is
open in this browser, and holds a course record in it. Taking back is counted from the wallet's first page.

Elin has a Swedish personal identity number. Omar, an academic from Jordan, has neither such a number nor a Swedish
e-ID: he signs in with an account that he has, and is known at the source by birth date and names.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from examples.demo import EXAMPLE_SETTINGS, STUDY_RECORD
from examples.services import Services
from examples.sign_in import running_provider, start_source
from tests.applying import WAIT_SECONDS, running_application
from tests.browser.conftest import OpenPage
from tests.browser.test_fetching_journey import MATCH, MOST_CLICKS, PEOPLE, SIGN_IN_WORD, Counting, _sign_in
from tests.browser.test_whole_journey import PASSPHRASE, make_wallet

pytestmark = [pytest.mark.browser, pytest.mark.processes]

DATA = Path(__file__).parents[2] / "examples" / "data"
FUND = "Kanariefåglarnas arbetslöshetskassa"


@dataclass(frozen=True)
class Applicant:
    """Who applies: their account at the provider, the file of their courses, and what of them nobody is to learn."""

    sub: str
    courses: Path
    canaries: tuple[str, ...]


ELIN = Applicant("elin", STUDY_RECORD, ("19980423", "980423-2388", "1998-04-23", FUND, "Sjöberg"))
OMAR = Applicant(
    "omar", DATA / "results-from-abroad.csv", ("K-204417", "AM-2011-0457", "1993-03-04", "19930304", "Haddad")
)
ACCOUNT_OF_OMAR = {
    "sub": "omar",
    "password": SIGN_IN_WORD,
    "birthdate": "1993-03-04",
    "given_name": "Omar",
    "family_name": "Haddad",
}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Three services and a provider; Elin's registration names an unemployment fund, which nobody asks for. Omar's row
    has a customer number of the source's own in the place of a personal identity number."""
    directory: Path = tmp_path_factory.mktemp("internship")
    seekers = directory / "job-seekers.csv"
    rows = (DATA / "job-seekers.csv").read_text("utf-8").splitlines()
    (of_omar,) = [row for row in rows if "Haddad" in row]
    assert "K-204417" in of_omar
    seekers.write_text("\n".join([rows[0], rows[1].replace(";;ja", f";{FUND};ja"), of_omar]) + "\n", "utf-8")
    settings = {**EXAMPLE_SETTINGS, "ISSUER_PROFILE_FILE": str(DATA / "employment-service-profile.toml")}
    with (
        running_provider([*PEOPLE, ACCOUNT_OF_OMAR], log=directory / "provider.log") as provider,
        Services(directory, settings=settings) as started,
    ):
        start_source(started, provider, match=MATCH)
        for file in (seekers, DATA / "target-group.csv"):
            started.command("issuer", "import", str(file))
        yield started


@pytest.mark.parametrize(
    ("language", "javascript", "width", "who"),
    [("sv", True, 360, ELIN), ("en", False, 1280, OMAR)],
    ids=["elin", "omar"],
)
def test_an_internship_is_applied_for_and_taken_back(
    services: Services, open_page: OpenPage, language: str, javascript: bool, width: int, who: Applicant
) -> None:
    """At most six presses beside signing in, from the application and back to it, with two certificates fetched by one
    sign-in and one yes; taking back takes no more."""
    eligible, taken_back = {
        "sv": ("Behörig den", "Du har tagit tillbaka det du delade."),
        "en": ("Eligible as of", "You have taken back what you shared."),
    }[language]
    page = open_page(width=width, javascript=javascript, language=language)
    person = Counting(page, "intern", language)
    make_wallet(person, services.urls["wallet"], f"{who.sub} {language}")
    _give_transcript(services, page, who)
    with running_application(services) as (url, log):
        person.opens(url, "application-other")
        page.click("#language")
        page.click("#language")
        person.looks("application")
        assert page.locator("html").get_attribute("lang") == language
        sources = {one.get_attribute("href") for one in page.locator("#needs a").all()}
        assert sources == {services.urls["issuer"]}, "where to fetch what is needed"
        person.clicks = 0
        person.presses("#wallet", "arrival")
        person.presses("#arrival-continue", "lacking")
        request = page.url
        page.click("#fetch-all-1")
        person.clicks += 1
        _sign_in(page, who.sub)
        page.wait_for_selector("#allow")
        person.looks("at-the-source")
        assert page.locator("fieldset.choices").count() == 2, "all that would be fetched, on one page"
        page.click("#allow")
        person.clicks += 1
        page.wait_for_selector("#decide-share")
        assert page.url.partition("?")[0] == request.partition("?")[0], "the very same request"
        person.looks("review")
        person.presses("#decide-share", "confirm")
        page.fill("#passphrase", PASSPHRASE)
        page.click("#decide-share")  # The browser goes on by itself, to where it came from.
        person.clicks += 1
        expect(page.locator("#answer")).to_contain_text(re.compile(f"^{eligible} .+ Nordanviks universitet"))
        person.looks("answer")
        assert urlsplit(page.url).netloc == urlsplit(url).netloc
        sharing = person.clicks
        assert sharing <= MOST_CLICKS
        seen = log.read_text() + services.log_of("verifier").read_text() + page.content()
        rests = b"".join(file.read_bytes() for file in (services.data / "verifier").rglob("*") if file.is_file())
        assert not [one for one in who.canaries if one in seen or one.encode() in rests]

        mine = page.url.partition("?")[0]
        person.opens(services.urls["wallet"], "wallet-again")
        person.clicks = 0
        person.presses("nav a[href$='/history']", "history")
        person.presses(f"main a[href$='/history/{request.rpartition('/')[2]}']", "entry")
        person.presses("#take-back", "take-back")
        person.presses("#do-take-back", "taken-back")
        page.wait_for_selector("#standing[data-state=done]")
        assert person.clicks <= sharing
        deadline = time.monotonic() + WAIT_SECONDS
        while eligible in _answer(page, mine):
            assert time.monotonic() < deadline, log.read_text()
        assert _answer(page, mine).startswith(taken_back)


def _answer(page: Page, mine: str) -> str:
    """What the application says now; a moment after it was told."""
    page.goto(mine)
    return page.inner_text("#answer")


def _give_transcript(services: Services, page: Page, who: Applicant) -> None:
    """The person has a course record from before: taken here by hand, and not counted."""
    (offer,) = services.command("issuer", "offer", "--type", "course-results", "--from", str(who.courses))
    page.goto(f"{services.urls['wallet']}/receive")
    page.fill("#link", offer["offer"])
    page.click("#take-link")
    page.click("#look")
    page.click("#collect")
    page.wait_for_selector("main a")
