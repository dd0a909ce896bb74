"""From asking to the result, as staff sees it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from schemas.verification import Outcome
from tests.verifier.pages.desk import COURSE, PASSWORD, TEMPLATE, Desk, Time, add_template, post
from verifier.pages.stands import STANDS
from verifier.pages.values import shown_certificates
from verifier.request_templates import parse_template
from verifier.requests import Kind


def test_an_accepted_answer_shows_every_check_and_the_values(desk: Desk) -> None:
    """One line per check, and what was shown with what it is called; nothing that was not ticked."""
    made = desk.ask("employer-micro-credential")
    assert desk.answer(made.transaction, optional=[1]).status_code == 200

    page = desk.browser.get(f"/requests/{made.id}?values=shown").text

    assert 'data-state="verified"' in page
    assert "Every check held" in page
    for check in desk.record(made.id).result.checks:
        assert f'id="check-{check.name}"' in page
    assert "Ångström" in page
    assert "Sustainable Urban Planning" in page
    assert "Level (EQF)" in page
    assert "Can judge a local plan" not in page
    assert "1998" not in page


@pytest.mark.parametrize("confirms", [True, False])
def test_what_the_person_confirmed_is_told_only_when_they_did(desk: Desk, confirms: bool) -> None:
    """The sentence itself, beside the check of it."""
    template = desk.verifier.templates()["employer-micro-credential"].model_dump(mode="json", exclude_defaults=True)
    sentence = {"sv": "Allt är sant.", "en": "All of it is true."}
    asked = parse_template(template | {"declaration": sentence})
    made = desk.verifier.make_request(asked, kind=Kind.CROSS_DEVICE, maker="test")
    assert desk.answer(made.transaction, confirms=confirms).status_code == (200 if confirms else 400)

    page = desk.browser.get(f"/requests/{made.id}").text

    assert ('<p id="declaration">All of it is true.</p>' in page) == confirms
    assert f'class="outcome outcome-{"passed" if confirms else "failed"}" id="check-declaration"' in page


@pytest.mark.parametrize("language", ["sv", "en"])
def test_an_answer_that_could_not_be_checked_is_never_green(desk: Desk, language: str) -> None:
    """The status list cannot be reached: the verdict is a warning, whatever the other lines say."""
    desk.lists.clear()
    made = desk.ask("employer-micro-credential")
    desk.answer(made.transaction)

    page = desk.browser.get(f"/requests/{made.id}?values=shown&lang={language}").text

    assert 'data-state="unknown"' in page
    assert "notice-good" not in page
    assert 'class="outcome outcome-could_not_check" id="check-status"' in page
    assert 'id="values-unsure"' in page


def test_an_issuer_whom_nobody_trusts_is_not_accepted(desk: Desk) -> None:
    """Without an entry in the trust list, the answer cannot be checked, and the board says whom to ask."""
    for entry in desk.verifier.trust.trust(now=desk.time()).entries:
        desk.verifier.trust.remove(entry.id)
    assert 'id="no-trust"' in desk.browser.get("/").text
    made = desk.ask("employer-micro-credential")
    desk.answer(made.transaction)

    page = desk.browser.get(f"/requests/{made.id}").text

    assert "notice-good" not in page
    assert 'data-state="verified"' not in page


def test_a_certificate_that_was_taken_back_is_shown_as_such(desk: Desk) -> None:
    """A failed check is a line of its own, and nothing of the answer is kept."""
    desk.publish_status(1)
    made = desk.ask("employer-micro-credential")
    assert desk.answer(made.transaction).status_code == 400

    page = desk.browser.get(f"/requests/{made.id}").text

    assert 'data-state="failed"' in page
    assert 'class="outcome outcome-failed" id="check-status"' in page
    assert "It has been revoked by its issuer." in page
    assert "Ångström" not in page
    assert "Nothing of an answer that does not hold is kept." in page
    assert desk.browser.get(f"/requests/{made.id}/evidence").status_code == 404


def test_an_answer_made_for_somebody_else_is_refused(desk: Desk) -> None:
    """The audience is another: the line says so, and what comes after it was not looked at."""
    made = desk.ask("employer-micro-credential")
    assert desk.answer(made.transaction, audience="x509_hash:somebody-else").status_code == 400

    page = desk.browser.get(f"/requests/{made.id}").text

    assert 'class="outcome outcome-failed" id="check-audience"' in page
    assert "notice-good" not in page


def test_refusing_looks_the_same_as_having_nothing(desk: Desk) -> None:
    """No code, no reason, no guess: "no, or nothing to show", on the board, the page and in the log."""
    made = desk.ask("employer-micro-credential")
    assert desk.decline(made.transaction).status_code == 200

    page = desk.browser.get(f"/requests/{made.id}").text

    assert 'data-state="no_answer"' in page
    assert "No, or nothing to show" in page
    assert "not answering look the same" not in desk.browser.get("/help").text, (
        "what nobody answers expires, and says so"
    )
    assert "access_denied" not in page + desk.browser.get("/log").text + desk.browser.get("/").text


def test_values_go_on_their_date_and_the_checks_stay(desk: Desk, time: Time) -> None:
    """The day after the retention date nothing of the answer is left but what the checks said."""
    made = desk.ask("employer-micro-credential")
    desk.answer(made.transaction)
    assert "Ångström" in desk.browser.get(f"/requests/{made.id}?values=shown").text
    time.pass_by(days=91)
    sign_in_again(desk)

    page = desk.browser.get(f"/requests/{made.id}?values=shown").text

    assert "Ångström" not in page
    assert "The values were deleted on" in page
    assert 'id="check-signature"' in page
    assert desk.browser.get(f"/requests/{made.id}/evidence").status_code == 404
    assert "The values were deleted" in desk.browser.get("/log").text


def test_evidence_is_downloaded_as_it_came_and_that_is_logged(desk: Desk) -> None:
    """The file holds the very presentation; taking it stands in the log."""
    made = desk.ask("employer-micro-credential")
    desk.answer(made.transaction)

    taken = desk.browser.get(f"/requests/{made.id}/evidence")

    assert taken.status_code == 200
    assert "attachment" in taken.headers["content-disposition"]
    assert taken.headers["cache-control"] == "no-store"
    document = taken.json()
    assert document["vp_token"]["certificate"][0].count("~") >= 3
    assert {check["outcome"] for check in document["checks"]} == {Outcome.PASSED.value}
    assert "The values were looked at" in desk.browser.get("/log").text


def test_values_are_covered_until_somebody_asks_for_them(desk: Desk) -> None:
    """Opening a result shows the checks and logs nothing; asking for the values is a line of the log."""
    made = desk.ask("employer-micro-credential")
    desk.answer(made.transaction)

    covered = desk.browser.get(f"/requests/{made.id}").text
    assert "Ångström" not in covered
    assert 'id="show-values"' in covered
    assert 'id="check-signature"' in covered
    assert "The values were looked at" not in desk.browser.get("/log").text

    shown = desk.browser.get(f"/requests/{made.id}?values=shown").text
    assert "Ångström" in shown
    assert 'id="show-values"' not in shown
    assert desk.browser.get("/log").text.count("The values were looked at") == 1


@pytest.mark.parametrize(
    ("ends", "said"),
    [("2027-11-27T23:00:00", "27 November 2027"), ("2027-11-27T23:00:01", "28 November 2027")],
)
def test_what_ends_at_midnight_is_valid_until_the_day_before(desk: Desk, ends: str, said: str) -> None:
    """A power whose last day is the 27th ends when that day does, in Sweden at 23 UTC: one last day on the page."""
    made = desk.ask("employer-micro-credential")
    desk.answer(made.transaction)
    record, contents = desk.record(made.id), desk.verifier.contents(made.id, viewer="test")
    assert contents is not None
    proofs = [replace(one, valid_until=datetime.fromisoformat(ends).replace(tzinfo=UTC)) for one in record.proofs]
    t = desk.app.state.catalogues.translator("en")

    (shown,) = shown_certificates(contents.items, proofs, record.transaction.question.template, t)

    assert shown.valid_until == said


def test_the_log_says_who_looked(desk: Desk) -> None:
    """Whoever reads it, a program by the name of its key, the command line, another account by its number: on the log
    and at the request, in both languages. Login names are kept as digests, so that there is no name to show."""
    accounts = desk.app.state.accounts
    _, text = asyncio.run(accounts.new_api_key("Rekryteringen", now=desk.time()))
    program = TestClient(desk.app, base_url=desk.settings.base_url, headers={"Authorization": f"Bearer {text}"})
    asked = program.post("/api/requests", json={"template": "employer-micro-credential"}).json()
    made = desk.record(asked["id"])
    desk.answer(made.transaction)
    assert program.get(f"/api/requests/{made.id}").json()["values"]
    desk.browser.get(f"/requests/{made.id}?values=shown")
    desk.verifier.contents(made.id, viewer="command line")
    other = asyncio.run(accounts.create("berit", PASSWORD, now=desk.time()))
    desk.verifier.contents(made.id, viewer=other.id)

    for language, said in (
        ("en", ("By you", "By the program “Rekryteringen”", "From the command line", f"number {other.id[:8]}")),
        ("sv", ("Av dig", "Av programmet ”Rekryteringen”", "Från kommandoraden", f"nummer {other.id[:8]}")),
    ):
        desk.browser.headers["Accept-Language"] = language
        for path in ("/log", f"/requests/{made.id}"):
            page = desk.browser.get(path).text
            assert [page.count(one) for one in said] == [1] * 4, (path, language)
    desk.browser.headers["Accept-Language"] = "en"


def test_the_log_calls_a_request_by_its_own_title(desk: Desk) -> None:
    """Also one whose template is no file here, in the language of the page."""
    template = desk.verifier.templates()["course-results"]
    title = template.title.model_copy(update={"sv": "Vägledning", "en": "Guidance"})
    desk.verifier.make_request(
        template.model_copy(update={"name": "guidance", "title": title}), kind=Kind.CROSS_DEVICE, maker=""
    )

    desk.browser.headers["Accept-Language"] = "sv"
    page = desk.browser.get("/log").text
    assert ">Vägledning</a>" in page
    assert ">guidance</a>" not in page


def test_what_was_deleted_is_told_by_no_page_as_a_yes_or_no(desk: Desk) -> None:
    """Accepted, then taken back or erased: no "every check held" on result, board or log, which told the value."""
    template = desk.verifier.templates()["employer-micro-credential"].model_dump(mode="json", exclude_defaults=True)
    (credential,) = template["credentials"]
    items = [one | {"required": True} for one in credential["items"]]
    grade = next(one for one in items if one["path"] == ["assessment_grade"])
    grade["values"] = ["VG"]
    whole = parse_template(template | {"credentials": [credential | {"items": items}]})
    for action, stand in (("erase", "gone"), ("withdraw", "withdrawn")):
        made = desk.verifier.make_request(whole, kind=Kind.CROSS_DEVICE, maker="")
        assert desk.answer(made.transaction).status_code == 200
        assert "Every check held" in desk.browser.get(f"/requests/{made.id}").text

        assert desk.withdraw(made.transaction, action).status_code == 200

        page = desk.browser.get(f"/requests/{made.id}").text
        assert f'data-state="{stand}"' in page
        assert "Every check held" not in page
        assert 'id="check-values"' not in page
        assert "what the checks said, stays here" not in page
        assert "Every check held" not in desk.browser.get("/log").text
        assert f'data-stand="{stand}"' in desk.browser.get("/").text


def test_the_issuer_of_an_unknown_certificate_is_only_what_it_says(desk: Desk) -> None:
    """ "Issued by" is said of issuers whom we know; of others, that the certificate says so."""
    known = desk.ask("employer-micro-credential")
    desk.answer(known.transaction)
    assert "<p>Issued by" in desk.browser.get(f"/requests/{known.id}?values=shown").text

    for entry in desk.verifier.trust.trust(now=desk.time()).entries:
        desk.verifier.trust.remove(entry.id)
    made = desk.ask("employer-micro-credential")
    desk.answer(made.transaction)

    page = desk.browser.get(f"/requests/{made.id}?values=shown").text
    assert "Says that it was issued by" in page
    assert "<p>Issued by" not in page


def test_the_log_holds_no_value(desk: Desk) -> None:
    """Whatever was shown, the log and the board know only that something happened."""
    made = desk.ask("employer-micro-credential")
    desk.answer(made.transaction, optional=[1, 2, 3, 4])
    desk.browser.get(f"/requests/{made.id}?values=shown")

    for page in ("/log", "/"):
        text = desk.browser.get(page).text
        assert str(COURSE["family_name"]) not in text
        assert "Sustainable" not in text


def test_the_values_of_one_course_stand_together(desk: Desk) -> None:
    """A transcript is read course by course, whichever part of the request brought a value."""
    made = desk.ask("course-results")
    desk.answer(made.transaction, optional=[1, 2])

    page = desk.browser.get(f"/requests/{made.id}?values=shown").text

    second = page.partition("Course 2</h4>")[2].partition("</dl>")[0]
    for value in ("Statistik", "7.5", "G"):
        assert f"<dd>{value}</dd>" in second


def test_the_board_counts_every_way_a_request_can_stand(desk: Desk, time: Time) -> None:
    """Link and QR code are one row; each word has its number, also when it is 0."""
    accepted = desk.ask("employer-micro-credential")
    desk.answer(accepted.transaction)
    declined = desk.ask("course-results")
    desk.decline(declined.transaction)
    desk.ask("course-results")

    page = desk.browser.get("/").text

    assert page.count('data-stand="') == 3
    for stand in STANDS:
        assert f'id="tally-{stand.kind}"' in page
    time.pass_by(minutes=31)
    sign_in_again(desk)
    assert 'data-stand="expired"' in desk.browser.get("/").text


def sign_in_again(desk: Desk) -> None:
    """The session has ended by itself."""
    fields = {"login": "anna", "password": "a long and quiet password"}
    assert post(desk.browser, "/sign-in", fields).status_code == 303


def test_several_certificates_where_one_was_asked_for_are_told_beside_the_verdict(desk: Desk) -> None:
    """Every check holds, and still nobody may read the parts as one: the warning stands above the checks."""
    for from_several in (False, True):
        made = desk.ask("employer-micro-credential")
        assert desk.answer(made.transaction, optional=[1, 2], from_several=from_several).status_code == 200

        page = desk.browser.get(f"/requests/{made.id}").text

        assert 'data-state="verified"' in page
        assert ('id="several-certificates"' in page.partition('id="checks"')[0]) is from_several


@pytest.mark.parametrize(("name", "is_there"), [("employer-micro-credential", True), ("of-a-program", False)])
def test_staff_are_led_to_ask_again_only_where_they_can(desk: Desk, name: str, is_there: bool) -> None:
    """A program may ask with a template of its own, which stands on no page of staff."""
    template = desk.verifier.templates()["employer-micro-credential"].model_copy(update={"name": name})
    made = desk.verifier.make_request(template, kind=Kind.CROSS_DEVICE, maker="a-program")
    desk.decline(made.transaction)

    page = desk.browser.get(f"/requests/{made.id}")

    assert page.status_code == 200
    assert ('id="ask-again"' in page.text) is is_there
    assert (f"/ask/{name}" in page.text) is is_there
    assert desk.browser.get(f"/ask/{name}").status_code == (200 if is_there else 404)


def test_asking_again_leads_to_the_template_of_the_request_or_nowhere(desk: Desk) -> None:
    """A program may ask by a template of its own with the name of one on the shelf: that one is another."""
    made = desk.ask("course-results")
    desk.answer(made.transaction)
    assert 'href="/ask/course-results"' in desk.browser.get(f"/requests/{made.id}").text
    add_template(desk, "own.toml", TEMPLATE.replace('"internship"', '"course-results"'))

    page = desk.browser.get(f"/requests/{made.id}").text
    assert "course-results" in desk.verifier.templates().templates
    assert 'id="ask-again"' not in page
