"""Grades of school and Komvux out of a grade database: all of them for admission, two courses for a university abroad,
one for an employer."""

import json

from examples.services import Services
from examples.stories.telling import DATA, TEMPLATES, never_arrived, receipts_agree, receive, share

SETTINGS = {"ISSUER_NAME": "Betygsdatabasen", "ISSUER_NAME_EN": "The grade database"}
GRADES = DATA / "upper-secondary-grades.csv"
NUMBERS = ("19980423", "980423-2388", "1998-04-23")


def chosen_grades(services: Services) -> None:
    """Admission needs every course. For the others Elin takes certificates of the courses that they name out of the
    database: they can neither see nor count the rest, not even that one was failed at first."""
    receive(services, "issuer", "upper-secondary-grades", GRADES)
    admission = share(services, TEMPLATES / "admission.toml")
    assert admission.result["accepted"], admission.result["checks"]
    assert sorted(admission.shown["courses.course_code"]) == ["ENGENG06", "KEMKEM01", "KEMKEM01", "MATMAT03c"]
    receipts_agree(services, admission)

    chosen = ("--course", "MATMAT03c", "--course", "ENGENG06")
    receive(services, "issuer", "upper-secondary-grades", GRADES, *chosen)
    abroad = share(services, TEMPLATES / "university-abroad.toml")
    assert abroad.result["accepted"], abroad.result["checks"]
    assert sorted(abroad.shown["courses.course_code"]) == ["ENGENG06", "MATMAT03c"]
    assert sorted(abroad.shown["courses.assessment_grade"]) == ["A", "B"]
    never_arrived(services, abroad, NUMBERS)
    receipts_agree(services, abroad)

    receive(services, "issuer", "upper-secondary-grades", GRADES, "--course", "ENGENG06")
    employer = share(services, TEMPLATES / "employer-grade.toml")
    assert employer.result["accepted"], employer.result["checks"]
    assert employer.shown == {"courses.course_code": ["ENGENG06"], "courses.assessment_grade": ["A"]}
    assert not [word for word in ("KEMKEM01", "MATMAT03c", "Sjöberg") if word in json.dumps(employer.result)]
    receipts_agree(services, employer)
