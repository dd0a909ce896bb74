"""The deletion inbox and the retention calendar, as staff sees them."""

import re
from pathlib import Path
from typing import Any

import pytest

from schemas.types import CREDENTIAL_TYPES
from schemas.withdrawal import Ground
from tests.verifier.pages.desk import PASSWORD, TEMPLATE, Desk, Time, add_template, post
from verifier.store import RequestRecord

COURSE_TYPE = CREDENTIAL_TYPES["micro-credential"].vct


@pytest.fixture
def waiting_desk(tmp_path: Path, time: Time) -> Desk:
    """A desk where staff decides about deletions."""
    made = Desk(tmp_path, time, {"withdraw_at_once": False})
    made.sign_in()
    return made


def shared(desk: Desk, template: str = "employer-micro-credential") -> RequestRecord:
    """A request that was answered, with two optional items where it has them."""
    made = desk.ask(template)
    optional = [1, 3] if template == "employer-micro-credential" else []
    assert desk.answer(made.transaction, optional=optional).status_code == 200
    return made


def taken_back(desk: Desk, **claims: Any) -> tuple[RequestRecord, str]:
    """A request whose answer was taken back, and the id of its deletion."""
    made = shared(desk)
    answer = desk.withdraw(made.transaction, **claims)
    assert answer.status_code in (200, 202), answer.text
    return made, desk.verifier.deletions.store.of_request(made.id)[0].id


def sign_in_again(desk: Desk) -> None:
    """After a long time the session is over."""
    assert post(desk.browser, "/sign-in", {"login": "anna", "password": PASSWORD}).status_code == 303


def test_an_empty_inbox_and_an_empty_calendar_say_what_will_be_there(desk: Desk) -> None:
    """And that nothing has to wait where deletion is done at once."""
    inbox, calendar = desk.browser.get("/deletions").text, desk.browser.get("/retention").text

    assert "Nothing waits" in inbox
    assert "deletes at once" in inbox
    assert 'id="to-retention"' in inbox
    assert "Nothing is kept" in calendar


def test_what_was_taken_back_is_shown_as_such(desk: Desk) -> None:
    """On the board, on the page of the request, in the inbox and in the log; no value anywhere."""
    made, deletion_id = taken_back(desk)

    page = desk.browser.get(f"/requests/{made.id}?values=shown").text
    assert 'data-state="withdrawn"' in page
    assert 'id="withdrawn"' in page
    assert "The values were deleted on" in page
    assert 'data-stand="withdrawn"' in desk.browser.get("/").text
    assert f'id="deletion-{deletion_id}" data-state="deleted"' in desk.browser.get("/deletions").text
    assert "The person took back what was shared" in desk.browser.get("/log").text
    for path in (f"/requests/{made.id}", "/", "/deletions", "/log", f"/deletions/{deletion_id}"):
        assert "Ångström" not in desk.browser.get(path).text


def test_the_statement_can_be_downloaded(desk: Desk) -> None:
    """The very one that the wallet gets."""
    made, deletion_id = taken_back(desk)

    taken = desk.browser.get(f"/deletions/{deletion_id}/statement")

    assert taken.headers["content-type"] == "application/jwt"
    assert "attachment" in taken.headers["content-disposition"]
    assert taken.text == desk.withdraw(made.transaction, "status").text


def test_a_wish_waits_with_its_days_and_grows_overdue(waiting_desk: Desk, time: Time) -> None:
    """A month, then overdue; the one that is due first stands first."""
    _, first = taken_back(waiting_desk)
    time.pass_by(minutes=10)
    made, second = taken_back(waiting_desk, action="erase")
    page = waiting_desk.browser.get("/deletions").text
    assert page.count("30 days left") == 2
    covered = waiting_desk.browser.get(f"/requests/{made.id}?values=shown").text
    assert "nobody can read the values" in covered
    assert "Ångström" not in covered

    time.pass_by(days=25)
    sign_in_again(waiting_desk)
    assert "5 days left" in waiting_desk.browser.get("/deletions").text
    time.pass_by(days=6)
    sign_in_again(waiting_desk)
    page = waiting_desk.browser.get("/deletions").text
    assert "Overdue by 1 day" in page
    assert "status-bad" in page
    assert page.index(f"deletion-{first}") < page.index(f"deletion-{second}")
    assert "Taken back" in page
    assert "Deletion asked for" in page


@pytest.mark.parametrize(
    ("language", "waits", "nothing"),
    [
        ("sv", "Dolda tills du har beslutat, som längst till 18 februari 2027", "Inget sparas"),
        ("en", "Covered until you decide; 18 February 2027 at the latest", "Nothing is kept"),
    ],
)
def test_the_board_says_that_values_are_kept_until_it_is_decided(
    waiting_desk: Desk, language: str, waits: str, nothing: str
) -> None:
    """A wish that waits has deleted nothing yet; what is deleted then is told as deleted, and nothing as kept."""
    _, deletion_id = taken_back(waiting_desk)

    page = waiting_desk.browser.get(f"/?lang={language}").text
    assert waits in page
    assert nothing not in page

    post(waiting_desk.browser, f"/deletions/{deletion_id}/delete", {"decision": "delete"})
    page = waiting_desk.browser.get(f"/?lang={language}").text
    assert waits not in page
    assert ("Deleted on" if language == "en" else "Raderades") in page


def test_deleting_is_confirmed_and_enter_does_not_do_it(waiting_desk: Desk) -> None:
    """Only the button deletes; the other one leads back; who did it stands in the log."""
    made, deletion_id = taken_back(waiting_desk)
    path = f"/deletions/{deletion_id}/delete"
    assert "cannot be undone" in waiting_desk.browser.get(path).text

    assert post(waiting_desk.browser, path, {"decision": ""}).status_code == 200
    assert post(waiting_desk.browser, path, {"decision": "keep"}).headers["location"] == f"/deletions/{deletion_id}"
    assert waiting_desk.verifier.deletions.store.get(deletion_id).is_open
    answered = post(waiting_desk.browser, path, {"decision": "delete"})

    assert answered.status_code == 303
    page = waiting_desk.browser.get(answered.headers["location"]).text
    assert 'data-state="deleted"' in page
    assert 'id="statement"' in page
    assert waiting_desk.withdraw(made.transaction, "status").status_code == 200
    again = post(waiting_desk.browser, path, {"decision": "delete"}, page="/account")
    assert again.status_code == 303
    assert "decided already" in waiting_desk.browser.get(f"/deletions/{deletion_id}").text
    entries = waiting_desk.verifier.requests.log(request_id=made.id)
    assert len({entry.actor for entry in entries if entry.actor}) == 1
    assert [entry.event.value for entry in entries].count("deleted") == 1


GOOD = {
    "decision": "refuse",
    "ground": Ground.LEGAL_OBLIGATION.value,
    "words_sv": "Bokföringslagen kräver att vi sparar det till 2033.",
    "words_en": "The accounting act makes us keep it until 2033.",
    "keep": ["certificate/family_name"],
}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"ground": ""}, "ground-1"),
        ({"ground": "because"}, "ground-1"),
        ({"words_sv": "nej"}, "words_sv"),
        ({"words_en": " "}, "words_en"),
        ({"words_sv": "x" * 601}, "words_sv"),
        ({"keep": []}, "keep-1"),
        ({"keep": ["certificate/birthdate"]}, "keep-1"),
        ({"keep": ["certificate/family_name", "x"]}, "keep-1"),
    ],
)
def test_a_refusal_without_its_ground_is_refused(waiting_desk: Desk, wrong: dict[str, Any], field: str) -> None:
    """The page says what is missing, what was typed is still there, and nothing is decided."""
    _, deletion_id = taken_back(waiting_desk)

    answered = post(waiting_desk.browser, f"/deletions/{deletion_id}/refuse", GOOD | wrong)

    assert answered.status_code == 400
    assert 'id="error-summary"' in answered.text
    assert f'href="#{field}"' in answered.text
    assert (GOOD | wrong)["words_en"] in answered.text
    assert waiting_desk.verifier.deletions.store.get(deletion_id).is_open


@pytest.mark.parametrize(
    ("language", "said"),
    [("sv", "sparas inget här efter 18 februari 2027"), ("en", "nothing is kept here after 18 February 2027")],
)
def test_whoever_refuses_is_told_on_which_day_it_goes_all_the_same(
    waiting_desk: Desk, time: Time, language: str, said: str
) -> None:
    """So that no later day is promised to the person; and on that day it goes, though it was refused."""
    made, deletion_id = taken_back(waiting_desk)
    path = f"/deletions/{deletion_id}/refuse"

    assert said in waiting_desk.browser.get(f"{path}?lang={language}").text
    assert said in post(waiting_desk.browser, f"{path}?lang={language}", GOOD | {"keep": []}).text

    assert post(waiting_desk.browser, path, GOOD).status_code == 303
    assert waiting_desk.record(made.id).has_contents
    time.pass_by(days=91)
    assert not waiting_desk.record(made.id).has_contents


@pytest.mark.parametrize("pressed", ["", "refuse"])
def test_the_other_language_keeps_what_was_written_and_ticked(waiting_desk: Desk, pressed: str) -> None:
    """The switch sends the form itself, also from the first page; nothing is decided by it."""
    _, deletion_id = taken_back(waiting_desk)
    path = f"/deletions/{deletion_id}/refuse"
    button = re.search(r'<button[^>]*name="to_language"[^>]*>', waiting_desk.browser.get(f"{path}?lang=en").text)
    assert button is not None
    assert 'form="refuse-form"' in button[0]
    assert f'formaction="{path}?lang=sv"' in button[0]

    shown = post(waiting_desk.browser, f"{path}?lang=sv", GOOD | {"decision": pressed, "to_language": "sv"})

    assert shown.status_code == 200
    assert '<html lang="sv"' in shown.text
    assert shown.text.count(" checked") == 2, "the item and the ground"
    assert re.search(r'value="certificate/family_name"[^>]* checked', shown.text)
    assert str(GOOD["words_sv"]) in shown.text
    assert str(GOOD["words_en"]) in shown.text
    assert waiting_desk.verifier.deletions.store.get(deletion_id).is_open


def test_a_part_is_kept_with_its_ground_and_deleted_after_all(waiting_desk: Desk) -> None:
    """The person's wallet is told both times."""
    made, deletion_id = taken_back(waiting_desk)
    assert " checked" not in waiting_desk.browser.get(f"/deletions/{deletion_id}/refuse").text

    answered = post(waiting_desk.browser, f"/deletions/{deletion_id}/refuse", GOOD)

    page = waiting_desk.browser.get(answered.headers["location"]).text
    assert 'data-state="partly"' in page
    assert str(GOOD["words_sv"]) in page
    assert "Level (EQF)" in page
    shown = waiting_desk.browser.get(f"/requests/{made.id}?values=shown").text
    assert "Ångström" in shown
    assert "Can judge a local plan" not in shown
    first = waiting_desk.withdraw(made.transaction, "status").text

    post(waiting_desk.browser, f"/deletions/{deletion_id}/delete", {"decision": "delete"})
    assert "Ångström" not in waiting_desk.browser.get(f"/requests/{made.id}?values=shown").text
    assert waiting_desk.withdraw(made.transaction, "status").text not in ("", first)


def test_a_form_of_somebody_else_decides_nothing(waiting_desk: Desk) -> None:
    """Without the token of our own page, and without signing in."""
    _, deletion_id = taken_back(waiting_desk)
    forms: dict[str, Any] = {"delete": {"decision": "delete"}, "refuse": GOOD}
    for name, fields in forms.items():
        path = f"/deletions/{deletion_id}/{name}"
        assert waiting_desk.browser.post(path, data=fields).status_code == 403
        assert waiting_desk.new_browser().post(path, data=fields, follow_redirects=False).status_code in (303, 401, 403)
    for path in ("/deletions", "/retention", f"/deletions/{deletion_id}", f"/deletions/{deletion_id}/statement"):
        assert waiting_desk.new_browser().get(path, follow_redirects=False).status_code == 303
    assert waiting_desk.verifier.deletions.store.get(deletion_id).is_open
    assert waiting_desk.browser.get("/deletions/nothing").status_code == 404


def test_the_calendar_counts_by_day_and_template_and_names_what_is_overdue(desk: Desk, time: Time) -> None:
    """Three answers, two templates, two days; what should have gone stands first, in the colour of loss."""
    shared(desk)
    shared(desk)
    desk.answer(desk.ask("course-results").transaction)
    time.pass_by(days=1)
    sign_in_again(desk)
    shared(desk)

    page = desk.browser.get("/retention").text
    assert re.findall(r'data-day="([\d-]+)"', page) == ["2027-02-18", "2027-02-19", "2027-05-19"]
    assert '<span class="tally-number" id="kept-answers">4</span>' in page
    assert "89 days left" in page
    assert "data-overdue" not in page

    time.pass_by(days=90)
    sign_in_again(desk)
    page = desk.browser.get("/retention").text
    assert page.count("data-overdue") == 1
    assert 'id="overdue"' in page
    desk.browser.get("/")  # Looking at the board does what is due.
    assert "data-overdue" not in desk.browser.get("/retention").text


def test_the_calendar_leads_to_the_requests_and_says_their_titles(desk: Desk) -> None:
    """Each answer of a day has its link, the first five; a template that is not on the shelf is not told by its file's
    name."""
    text = TEMPLATE.replace('"internship"', '"of-a-program"').replace('"Internship"', '"Course for the programme"')
    text = text.replace("https://other.example/course", COURSE_TYPE).partition("  [[credentials.items]]")[0]
    add_template(desk, "of-a-program.toml", text)
    made = [shared(desk, template="of-a-program") for _ in range(7)]
    (desk.settings.data / "templates" / "of-a-program.toml").unlink()

    page = desk.browser.get("/retention?lang=en").text
    assert "Course for the programme" in page
    assert "of-a-program" not in page
    links = re.findall(r'href="/requests/([0-9a-f]{32})"', page)
    assert links == [one.id for one in made[:5]]
    assert "7: " in page
    assert "and 2 more" in page


@pytest.mark.parametrize("path", ["/deletions/events", "/retention/events"])
def test_inbox_and_calendar_follow_along(desk: Desk, path: str) -> None:
    """Only for whoever has signed in."""
    assert desk.new_browser().get(path, follow_redirects=False).status_code == 303
    page = desk.browser.get(path.removesuffix("/events")).text
    assert f'data-live="{path}"' in page


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_pages_speak_plainly(waiting_desk: Desk, language: str) -> None:
    """None of the words of the trade."""
    _, deletion_id = taken_back(waiting_desk)
    for path in ("/deletions", "/retention", f"/deletions/{deletion_id}", f"/deletions/{deletion_id}/refuse"):
        text = re.sub(r"<[^>]*>|legal claims", " ", waiting_desk.browser.get(f"{path}?lang={language}").text)
        assert not re.search(r"\b(credential|verifier|claim|attribute|presentation|holder)s?\b", text)


def test_a_log_that_lacks_lines_says_so(desk: Desk) -> None:
    """Whoever reads it must not take it for all that happened."""
    shared(desk)
    assert 'id="log-not-whole"' not in desk.browser.get("/log").text
    desk.verifier.log_is_whole = False

    assert 'id="log-not-whole"' in desk.browser.get("/log").text
