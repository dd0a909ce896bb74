"""The internship by hand: the person lacks what the employment service states, fetches it there, comes back to the very
same request, shares, and takes it back. Presses are counted, and nothing that was not asked for comes to the receiver.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from examples.demo import EXAMPLE_SETTINGS, STUDY_RECORD
from examples.services import Services
from examples.sign_in import running_provider, start_source
from tests.browser.conftest import OpenPage
from tests.browser.test_fetching_journey import MATCH, MOST_CLICKS, Counting, _sign_in, _without_the_web
from tests.browser.test_whole_journey import PASSPHRASE, make_wallet

pytestmark = [pytest.mark.browser, pytest.mark.processes]

DATA = Path(__file__).parents[2] / "examples" / "data"
PEOPLE = [
    {"sub": "elin", "birthdate": "1998-04-23", "given_name": "Elin Maria", "family_name": "Sjöberg"},
]
FUND = "Kanariefåglarnas arbetslöshetskassa"
CANARIES = ("19980423", "980423-2388", "1998-04-23", FUND, "Sjöberg")


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Three services and a provider; Elin's registration names an unemployment fund, which nobody asks for."""
    directory: Path = tmp_path_factory.mktemp("internship")
    seekers = directory / "job-seekers.csv"
    rows = (DATA / "job-seekers.csv").read_text("utf-8").splitlines()
    seekers.write_text("\n".join([rows[0], rows[1].replace(";;ja", f";{FUND};ja")]) + "\n", "utf-8")
    settings = {**EXAMPLE_SETTINGS, "ISSUER_PROFILE_FILE": str(DATA / "employment-service-profile.toml")}
    with (
        running_provider(PEOPLE, log=directory / "provider.log") as provider,
        Services(directory, settings=settings) as started,
    ):
        start_source(started, provider, match=MATCH)
        for file in (seekers, DATA / "target-group.csv"):
            started.command("issuer", "import", str(file))
        yield started


@pytest.mark.parametrize(("language", "javascript", "width"), [("sv", True, 360), ("en", False, 1280)])
def test_an_internship_is_applied_for_and_taken_back(
    services: Services, open_page: OpenPage, language: str, javascript: bool, width: int
) -> None:
    """At most six presses beside signing in, two certificates fetched among them; taking back takes no more."""
    page = _without_the_web(open_page(width=width, javascript=javascript, language=language))
    person = Counting(page, "intern", language)
    name = f"Elin {language}"
    make_wallet(person, services.urls["wallet"], name)
    _give_transcript(services, page)
    asked = services.command("verifier", "request", "--template", "internship")
    link = asked["request"].partition("?")[2]
    person.opens(f"{services.urls['wallet']}/present?{link}", "arrival")

    person.clicks = 0
    person.presses("#arrival-continue", "lacking")
    request = page.url
    page.click("#fetch-all-1")
    person.clicks += 1
    for number in (1, 2):
        _sign_in_when_asked(page)
        page.wait_for_selector("#allow")
        person.looks(f"at-the-source-{number}")
        page.click("#allow")
        person.clicks += 1
    page.wait_for_selector("#decide-share")
    assert page.url.partition("?")[0] == request.partition("?")[0], "the very same request"
    person.looks("review")
    person.presses("#decide-share", "confirm")
    page.fill("#passphrase", PASSPHRASE)
    person.presses("#decide-share", "outcome")
    sharing = person.clicks
    assert sharing <= MOST_CLICKS

    result = services.command("verifier", "result", asked["id"])
    assert result["eligibility"]["answer"] == "eligible", result
    assert result["accepted"]
    seen = str(result) + services.log_of("verifier").read_text()
    rests = b"".join(file.read_bytes() for file in (services.data / "verifier").rglob("*") if file.is_file())
    assert not [one for one in CANARIES if one in seen or one.encode() in rests]

    person.clicks = 0
    person.presses("#take-back", "take-back")
    person.presses("#do-take-back", "taken-back")
    page.wait_for_selector("#standing[data-state=done]")
    assert person.clicks <= sharing
    after = services.command("verifier", "result", asked["id"], accept=(0, 1))
    assert (after["state"], after["accepted"], after["eligibility"], after["values"]) == (
        "withdrawn",
        False,
        None,
        None,
    )


def _give_transcript(services: Services, page: Page) -> None:
    """The person has a course record from before: taken here by hand, and not counted."""
    (offer,) = services.command("issuer", "offer", "--type", "course-results", "--from", str(STUDY_RECORD))
    page.goto(f"{services.urls['wallet']}/receive")
    page.fill("#link", offer["offer"])
    page.click("#take-link")
    page.click("#look")
    page.click("#collect")
    page.wait_for_selector("main a")


def _sign_in_when_asked(page: Page) -> None:
    """The source may remember who signed in a moment ago."""
    page.wait_for_selector("input[name=sub], #allow")
    if page.locator("input[name=sub]").count():
        _sign_in(page, "elin")
