"""Grades of school and Komvux out of a grade database: two courses for a university abroad, one for an employer, all of
them for admission as the baseline. The person chooses the courses at the database."""

import json

from examples.demo import PERSON
from examples.services import Services
from examples.stories.by_hand import Holder, account
from examples.stories.telling import DATA, TEMPLATES, Shared, ask, never_arrived, receipts_agree, take_back

SETTINGS = {"ISSUER_NAME": "Betygsdatabasen", "ISSUER_NAME_EN": "The grade database"}
PEOPLE = (account("elin", born="1998-04-23", given_name="Elin Maria", family_name="Sjöberg"),)
GRADES = DATA / "upper-secondary-grades.csv"
NUMBERS = ("19980423", "980423-2388", "1998-04-23")
EVERY_COURSE = ["ENGENG06", "KEMKEM01", "KEMKEM01", "MATMAT03c"]


def chosen_grades(services: Services) -> None:
    """Three receivers ask Elin, and each time she lacks what they ask for, signs in at the database, ticks the courses
    that are to be in the certificate, comes back, reviews, shares, and takes it back. University and employer can
    neither see nor count the rest, not even that one course was failed at first. What she has shown, she deletes from
    her wallet before the next: a certificate of chosen courses is for those who asked for them."""
    services.command("issuer", "import", str(GRADES))
    elin = Holder(services, PERSON, login="elin")

    abroad = _fetched_and_shared(elin, "university-abroad", courses=("MATMAT03c", "ENGENG06"))
    assert sorted(abroad.shown["courses.course_code"]) == ["ENGENG06", "MATMAT03c"]
    assert sorted(abroad.shown["courses.assessment_grade"]) == ["A", "B"]
    never_arrived(services, abroad, (*NUMBERS, "KEMKEM01", "Chemistry"))
    take_back(services, abroad)

    employer = _fetched_and_shared(elin, "employer-grade", courses=("ENGENG06",))
    assert employer.shown == {"courses.course_code": ["ENGENG06"], "courses.assessment_grade": ["A"]}
    assert not [word for word in ("KEMKEM01", "MATMAT03c", "Sjöberg") if word in json.dumps(employer.result)]
    take_back(services, employer)

    admission = _fetched_and_shared(elin, "admission")
    assert sorted(admission.shown["courses.course_code"]) == EVERY_COURSE
    never_arrived(services, admission, NUMBERS)
    take_back(services, admission)


def _fetched_and_shared(elin: Holder, template: str, *, courses: tuple[str, ...] = ()) -> Shared:
    """From a request that she cannot answer to the receipt. Without courses she leaves all of them ticked."""
    services = elin.services
    for held in services.command("wallet", "list", "--person", PERSON):
        services.command("wallet", "delete", held["id"], "--yes", "--person", PERSON)
    asked = ask(services, TEMPLATES / f"{template}.toml")
    assert elin.opens(asked["request"]) == ["Upper secondary grades"]
    there = elin.fetches(courses=courses)
    assert len(there) == (len(EVERY_COURSE) if courses else 0), there
    seen = elin.reviews()
    assert ("KEMKEM01" in seen) is not bool(courses), "what was not chosen is not in the wallet either"
    shared = elin.shares(asked["id"], yes_to="" if courses else "Grade")  # One of all was failed at first.
    assert shared.told["outcome"] == "shared", shared.told
    assert shared.result["accepted"], shared.result["checks"]
    receipts_agree(services, shared)
    return shared
