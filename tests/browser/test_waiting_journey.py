"""A certificate that takes time, by hand: the person leaves, is told when it has come, and answers the very same
request.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from examples.demo import EXAMPLE_SETTINGS, STUDY_RECORD
from examples.services import Services
from examples.sign_in import running_provider, start_source
from tests.browser.conftest import OpenPage
from tests.browser.test_fetching_journey import MATCH, PEOPLE, _sign_in
from tests.browser.test_whole_journey import PASSPHRASE, Reader, make_wallet

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Three services and a provider; at the source somebody looks at each micro-credential first."""
    directory: Path = tmp_path_factory.mktemp("waiting")
    with (
        running_provider(PEOPLE, log=directory / "provider.log") as provider,
        Services(directory, settings=EXAMPLE_SETTINGS) as started,
    ):
        start_source(started, provider, match=MATCH, ISSUER_REVIEWED_TYPES="micro-credential")
        started.command("issuer", "import", str(STUDY_RECORD))
        yield started


@pytest.mark.parametrize(("language", "javascript", "width"), [("sv", True, 360), ("en", False, 1280)])
def test_one_is_told_when_it_has_arrived(
    services: Services, open_page: OpenPage, language: str, javascript: bool, width: int
) -> None:
    """In Swedish on a phone and in English without JavaScript; every page on the way can be used by everybody."""
    page = open_page(width=width, javascript=javascript, language=language)
    person = Reader(page, "waiting", language)
    wallet = services.urls["wallet"]
    make_wallet(person, wallet, f"Elin {language}")
    asked = services.command("verifier", "request", "--template", "employer-micro-credential")
    page.goto(f"{wallet}/present?{asked['request'].partition('?')[2]}")
    page.click("#arrival-continue")
    page.click("#fetch-1-1")
    _sign_in(page, "elin")
    page.wait_for_selector("#allow")
    page.click("#allow")
    page.wait_for_selector("#ask-again")
    person.looks("takes-time")
    person.opens(f"{wallet}/", "first-page-waiting")
    expect(page.locator("#waiting-1")).to_contain_text(
        {"sv": "måste titta på det först", "en": "has to look at it"}[language]
    )

    (review,) = services.command("issuer", "reviews", "list")
    services.command("issuer", "reviews", "approve", review["id"])
    page.wait_for_timeout(11_000)  # The source does not want to be asked again sooner.
    person.opens(f"{wallet}/", "arrived")
    expect(page.locator("#arrived-1")).to_contain_text({"sv": "har kommit", "en": "has arrived"}[language])
    person.presses("#arrived-go-on-1", "review")
    person.presses("#decide-share", "confirm")
    page.fill("#passphrase", PASSPHRASE)
    person.presses("#decide-share", "outcome")
    assert services.command("verifier", "result", asked["id"])["verdict"] == "accepted"

    page.goto(f"{wallet}/")
    person.presses("#arrived-seen-1", "seen")
    expect(page.locator("#arrived-1")).to_have_count(0)
