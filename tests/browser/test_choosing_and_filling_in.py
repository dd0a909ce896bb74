"""By hand in Chromium: courses are chosen at the source, and a form is filled in; every page is free of faults."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from examples.demo import EXAMPLE_SETTINGS
from examples.internship import MATCH
from examples.jobbspranget.running import running_application
from examples.services import Services
from examples.sign_in import running_provider, start_source
from examples.stories.telling import DATA, TEMPLATES
from tests.browser.conftest import OpenPage
from tests.browser.test_fetching_journey import PEOPLE, _sign_in
from tests.browser.test_whole_journey import PASSPHRASE, Reader, make_wallet

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Three services and a provider; the issuer has four grades of Elin."""
    directory: Path = tmp_path_factory.mktemp("choosing")
    with (
        running_provider(PEOPLE, log=directory / "provider.log") as provider,
        Services(directory, settings=EXAMPLE_SETTINGS) as started,
    ):
        start_source(started, provider, match=MATCH)
        started.command("issuer", "import", str(DATA / "upper-secondary-grades.csv"))
        yield started


@pytest.mark.parametrize(("language", "javascript", "width"), [("sv", True, 360), ("en", False, 1280)])
def test_courses_are_chosen_at_the_source(
    services: Services, open_page: OpenPage, language: str, javascript: bool, width: int
) -> None:
    """All are ticked; without any the page says what to do, and the one that is left is all that the employer sees."""
    page = open_page(width=width, javascript=javascript, language=language)
    person = Reader(page, "chooser", language)
    make_wallet(person, services.urls["wallet"], f"Chooser {language}")
    asked = services.command("verifier", "request", "--template-file", str(TEMPLATES / "employer-grade.toml"))
    page.goto(f"{services.urls['wallet']}/present?{asked['request'].partition('?')[2]}")
    page.click("#arrival-continue")
    page.click("#step-read")
    page.click("#fetch-1-1")
    _sign_in(page, "elin")
    page.wait_for_selector("#allow")
    person.looks("courses")
    boxes = page.locator("input[name=course]")
    assert (boxes.count(), page.locator("input[name=course]:checked").count()) == (4, 4)
    for box in boxes.all():
        box.uncheck()
    page.click("#allow")
    page.wait_for_selector("#error-summary")
    person.looks("no-course")
    page.get_by_label("ENGENG06").check()
    page.click("#allow")
    page.wait_for_selector("#step-read, #decide-share")
    if page.locator("#step-read").count():
        page.click("#step-read")
    person.looks("review")
    page.click("#decide-share")
    page.fill("#passphrase", PASSPHRASE)
    page.click("#decide-share")
    page.wait_for_selector("#outcome[data-outcome=shared]")
    result = services.command("verifier", "result", asked["id"])
    assert [one["value"] for one in result["values"] if one["asked"]] == ["ENGENG06", "A"]


@pytest.mark.parametrize(("language", "width"), [("sv", 360), ("en", 1280)])
def test_the_form_is_free_of_faults(services: Services, open_page: OpenPage, language: str, width: int) -> None:
    """Empty, with something missing, and sent; and the button leads a browser to the wallet."""
    page = open_page(width=width, language=language)
    person = Reader(page, "applicant", language)
    with running_application(services, example="application_form") as (url, _):
        person.opens(url, "form")
        mine = page.url
        person.presses("#send", "missing")
        page.fill("#given_name", "Elin")
        page.click("#fill")
        page.wait_for_url(f"{services.urls['wallet']}/**")
        page.goto(mine)
        person.looks("form-again")
        assert page.input_value("#given_name") == "Elin", "what was typed is kept"
        for name in ("family_name", "job_title", "employer"):
            page.fill(f"#{name}", "Elin")
        person.presses("#send", "sent")
        expect(page.locator("#given_name")).to_contain_text("Elin")
