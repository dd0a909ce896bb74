"""Two sources by hand: of what the internship needs the employment service has two certificates and the university the
third. The person holds nothing at first; after the one source the very same request says what is still missing, and
after the other one it can be answered. Staff then look at what came.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from examples.demo import EXAMPLE_SETTINGS, STUDY_RECORD
from examples.services import Services, free_port
from examples.sign_in import Provider, running_provider, sign_in_settings, start_source, trust_source
from tests.browser.conftest import OpenPage
from tests.browser.test_fetching_journey import MATCH, PEOPLE, _sign_in
from tests.browser.test_whole_journey import PASSPHRASE, Reader, make_wallet

pytestmark = [pytest.mark.browser, pytest.mark.processes]

DATA = Path(__file__).parents[2] / "examples" / "data"
OF_THE_SERVICE = ("registration-certificate", "target-group-certificate")
OF_THE_UNIVERSITY = ("micro-credential", "course-results")


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """A university, an employment service that signs people in at the same provider, a wallet and an employer."""
    directory: Path = tmp_path_factory.mktemp("two-sources")
    with (
        running_provider(PEOPLE, log=directory / "provider.log") as provider,
        Services(directory, settings=EXAMPLE_SETTINGS) as started,
    ):
        start_source(started, provider, match=MATCH, types=OF_THE_UNIVERSITY)
        started.command("issuer", "import", str(STUDY_RECORD))
        _start_employment_service(started, provider)
        yield started


def _start_employment_service(services: Services, provider: Provider) -> None:
    port = free_port(0)
    settings = sign_in_settings(services, provider, client_id="employment-service", port=port, match=MATCH)
    profile = str(DATA / "employment-service-profile.toml")
    services.start("employment-service", port, program="issuer", **settings, ISSUER_PROFILE_FILE=profile)
    for file in ("job-seekers.csv", "target-group.csv"):
        services.command("employment-service", "import", str(DATA / file))
    trust_source(
        services, "employment-service", "Arbetsförmedlingen", readers=("wallet", "verifier"), types=OF_THE_SERVICE
    )


@pytest.mark.parametrize(("language", "javascript", "width"), [("sv", True, 360), ("en", False, 1280)])
def test_what_two_sources_have_is_fetched_for_one_request(
    services: Services, open_page: OpenPage, language: str, javascript: bool, width: int
) -> None:
    page = open_page(width=width, javascript=javascript, language=language)
    person = Reader(page, "two", language)
    make_wallet(person, services.urls["wallet"], f"Elin {language}")
    asked = services.command("verifier", "request", "--template", "internship")
    person.opens(f"{services.urls['wallet']}/present?{asked['request'].partition('?')[2]}", "arrival")
    person.presses("#arrival-continue", "lacking-three")
    request = page.url.partition("?")[0]
    assert page.locator("#lacking li").count() == 3
    expect(page.locator("#fetch")).to_contain_text("Arbetsförmedlingen")
    expect(page.locator("#afterwards")).to_contain_text("Nordanviks universitet")

    page.click("#fetch-all-1")
    _sign_in(page, "elin")
    page.click("#allow")
    page.wait_for_selector("#lacking")
    person.looks("lacking-one")
    assert page.url.partition("?")[0] == request, "the very same request"
    assert page.locator("#lacking li").count() == 1
    expect(page.locator("#fetch")).not_to_contain_text("Arbetsförmedlingen")

    page.click("#fetch button >> nth=0")
    page.wait_for_selector("#allow, input[name=username]")
    if page.locator("input[name=username]").count():
        _sign_in(page, "elin")
    page.click("#allow")
    page.wait_for_selector("#decide-share")
    person.looks("review-of-three")
    assert page.url.partition("?")[0] == request
    person.presses("#decide-share", "confirm")
    page.fill("#passphrase", PASSPHRASE)
    person.presses("#decide-share", "outcome")

    result = services.command("verifier", "result", asked["id"])
    assert result["verdict"] == "accepted", result
    said_by = {one["query"]: one["issuer"] for one in result["eligibility"]["grounds"]}
    assert said_by == {
        "course": "Nordanviks universitet",
        "registration": "Arbetsförmedlingen",
        "target-group": "Arbetsförmedlingen",
    }
