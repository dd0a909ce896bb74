"""Ask, fetch, review, share, by hand: an employer asks for what the person lacks, and the wallet fetches it at the
source, where the person signs in at a real OpenID Connect provider; then the very same request is answered.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from examples.demo import EXAMPLE_SETTINGS, STUDY_RECORD
from examples.services import Services
from examples.sign_in import running_provider, start_source
from tests.browser.conftest import OpenPage
from tests.browser.test_whole_journey import PASSPHRASE, VERDICT, Reader, make_wallet

pytestmark = [pytest.mark.browser, pytest.mark.processes]

MOST_CLICKS = 6
SIGN_IN_WORD = "korvar på tork i solen"
PEOPLE = [
    {
        "sub": "elin",
        "password": SIGN_IN_WORD,
        "birthdate": "1998-04-23",
        "given_name": "Elin Maria",
        "family_name": "Sjöberg",
    },
    {
        "sub": "nobody",
        "password": SIGN_IN_WORD,
        "birthdate": "1970-01-01",
        "given_name": "Ingen",
        "family_name": "Alls",
    },
]
MATCH = "birthdate=birth_date,given_name=given_name,family_name=family_name"


class Counting(Reader):
    """A reader whose clicks are counted."""

    clicks = 0

    def presses(self, selector: str, name: str) -> None:
        """One more."""
        self.clicks += 1
        super().presses(selector, name)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Three services and a provider where people sign in."""
    directory: Path = tmp_path_factory.mktemp("fetching")
    with (
        running_provider(PEOPLE, log=directory / "provider.log") as provider,
        Services(directory, settings=EXAMPLE_SETTINGS) as started,
    ):
        start_source(started, provider, match=MATCH)
        started.command("issuer", "import", str(STUDY_RECORD))
        yield started


@pytest.mark.parametrize(("language", "javascript", "width"), [("sv", True, 360), ("en", False, 1280)])
def test_what_is_lacking_is_fetched_and_shared(
    services: Services, open_page: OpenPage, language: str, javascript: bool, width: int
) -> None:
    """At most six presses beside signing in, in Swedish on a phone and in English without JavaScript."""
    page = open_page(width=width, javascript=javascript, language=language)
    person = Counting(page, "person", language)
    make_wallet(person, services.urls["wallet"], f"Elin {language}")
    asked = services.command("verifier", "request", "--template", "employer-micro-credential")
    link = asked["request"].partition("?")[2]
    person.opens(f"{services.urls['wallet']}/present?{link}", "arrival")

    person.clicks = 0
    person.presses("#arrival-continue", "lacking")
    page.click("#fetch-1-1")  # The browser goes on by itself, to the page where people sign in.
    person.clicks += 1
    _sign_in(page, "elin")
    page.wait_for_selector("#allow")
    person.looks("at-the-source")
    expect(page.locator("body")).to_contain_text(re.compile("Statistik för beslut|Statistics for Decisions"))
    page.click("#allow")
    person.clicks += 1
    page.wait_for_selector("#decide-share")
    person.looks("review")
    person.presses("#decide-share", "confirm")
    page.fill("#passphrase", PASSPHRASE)
    person.presses("#decide-share", "outcome")

    assert person.clicks <= MOST_CLICKS
    result = services.command("verifier", "result", asked["id"])
    assert result["verdict"] == "accepted", result
    assert VERDICT[language]


def test_somebody_without_records_gets_nothing_and_can_go_back(services: Services, open_page: OpenPage) -> None:
    """The page at the source says so, and the wallet says what happened."""
    page = open_page(width=360, language="en")
    person = Reader(page, "stranger", "en")
    make_wallet(person, services.urls["wallet"], "Ingen")
    asked = services.command("verifier", "request", "--template", "employer-micro-credential")
    page.goto(f"{services.urls['wallet']}/present?{asked['request'].partition('?')[2]}")
    page.click("#arrival-continue")
    page.click("#fetch-1-1")
    _sign_in(page, "nobody")
    page.wait_for_selector("#sign-in-again")
    person.looks("no-record")
    page.click("#back-to-wallet")
    page.wait_for_selector("#sign-in-and-fetch")
    person.looks("nothing-fetched")
    expect(page.locator("main")).to_contain_text("You said no at the issuer, or it found no record of yours.")


def _sign_in(page: Page, who: str) -> None:
    """At the provider, whose page is not ours."""
    page.wait_for_selector("input[name=username]")
    page.fill("input[name=username]", who)
    page.fill("input[name=password]", SIGN_IN_WORD)
    page.click("#sign-in")
