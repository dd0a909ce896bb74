"""What is worth knowing about a file that was read all the same: notes, each with a code that never changes.

    note("not_passed", row=4, field="status", item="DT4011")

A note is a `Problem` of the table below. Its code and its values are what is stored; the sentences are looked up when
somebody reads them, so that a note kept last year is told in today's words and in the reader's language.
"""

from collections.abc import Mapping
from typing import Any

from schemas.learning.problems import Problem

NOTES: Mapping[str, tuple[str, str]] = {
    # Results that were left out.
    "not_passed": ("The result is not passed, so it was left out.", "Nothing needs to be done."),
    "in_progress": ("The course is in progress, so it was left out.", "Import it when it is passed."),
    "part_of_course": ("Part of a course, not a result of its own.", "Nothing needs to be done."),
    "repeated": ("The result is there twice, so one of them was left out.", "Nothing needs to be done."),
    "recognition": ("Recognition decisions are not read.", "Issue them from the recognition itself."),
    # Values that were left out or doubtful.
    "unknown_status": ("The status is not one that ELMO knows.", "Check the result before you issue it."),
    "unknown_grade": (
        "The grade is a word that is not known here, so nobody can tell whether the result was passed.",
        "Check the result before you issue it, or state the status in the file.",
    ),
    "other_credits": ("Credits in another system than ECTS were not read.", "State ECTS credits."),
    "no_credits": (
        "The result gives 0 credits.",
        "If the course took time all the same, state its hours in the file or in the profile.",
    ),
    "unreadable_level": ("A level is not a number from 1 to 8, so it was left out.", "State the EQF level."),
    "unreadable_hours": (
        "The hours cannot be read as a number for certain, so they were left out.",
        "Write hours as a number with a decimal point.",
    ),
    "long_text": ("The text is too long, so it was left out.", "Shorten it to 4000 characters."),
    "wrong_encoding": (
        "The title seems to have been saved in a wrong encoding.",
        "Correct it at the source, and export again.",
    ),
    "personal_numbers": ("Personal identity numbers were not read.", "Leave them out of the file next time."),
    "personal_number_as_student_number": (
        "The student number looks like a personal identity number, so it was left out.",
        "Write the student number, or leave the field empty.",
    ),
    "personal_numbers_to_recognise": (
        "The personal identity number was read for one purpose: to recognise who signs in. No certificate says it.",
        "Nothing needs to be done.",
    ),
    # People.
    "single_name": (
        "The person has one name only. It was read as the family name.",
        "Check that no name is missing.",
    ),
    "no_birth_date": (
        "There is no birth date, so the certificate names the person by name only.",
        "State the birth date if you know it.",
    ),
    "name_only": (
        "Several results have the same name and neither birth date nor student number. They count as one person's.",
        "If they belong to several people, state birth dates or student numbers.",
    ),
    "same_name": (
        "Somebody in the file has the same name, but another birth date or student number. They count as two people.",
        "If they are one person, write the same birth date and student number in every row.",
    ),
    # The awarding body.
    "no_awarding_body": (
        "The report does not really name the awarding body.",
        "The institution stands in for it where the report states no other country.",
    ),
    "other_country": (
        "The report comes from another country than the institution and does not name the awarding body.",
        "Get a report that names it. If it is the institution's own, correct the country in the report or the profile.",
    ),
    "other_body": (
        "The awarding body is not the institution of the profile, so the profile's defaults were not used.",
        "Issue only what your institution can vouch for.",
    ),
    "other_body_than_set": (
        "The awarding body is not the institution that is set for this service.",
        "Issue only what your institution can vouch for.",
    ),
    "own_body_not_set": (
        "The report names an awarding body, and nothing says whether it is your institution.",
        "Set ISSUER_NAME and ISSUER_COUNTRY, or write a profile (ISSUER_PROFILE_FILE), and read the file again.",
    ),
    "named_by_identifier": (
        "The report names the awarding body only by a domain or a code, which stands as its name.",
        "Get a report with the name if you can.",
    ),
    "address_as_name": (
        "No name is set for the institution, so the address of the service stands as awarding body.",
        "Set ISSUER_NAME and ISSUER_COUNTRY, or write a profile (ISSUER_PROFILE_FILE), and read the file again.",
    ),
    # The form of the file.
    "older_form": ("The report has an older or unknown form.", "Check the results before you issue them."),
    "parts": (
        "The parts of “%(element)s” are not as the ELMO schema has them.",
        "The results were read all the same; check them before you issue them.",
    ),
    "value": (
        "The value of “%(element)s” is not one that the ELMO schema allows.",
        "The results were read all the same; check them before you issue them.",
    ),
    "latin_1": (
        "The file is not UTF-8, so it was read as Latin-1.",
        "Check that letters such as å, ä and ö are right.",
    ),
    "column": ("The column “%(column)s” was not read.", "Nothing needs to be done."),
    "member": ("The member “%(member)s” was not read.", "Nothing needs to be done."),
}


def note(code: str, *, row: int | None = None, field: str = "", item: str = "", **values: str | int) -> Problem:
    """The note with this code. Raises `KeyError` for a code that is not in the table."""
    fault, fix = NOTES[code]
    return Problem(fault, fix, row, field, item, values, code)


def stored_note(problem: Problem) -> dict[str, Any]:
    """A note as JSON members: its code and what belongs to this one case, without any sentence."""
    members = {"code": problem.code, "row": problem.row, "field": problem.field, "item": problem.item}
    return {name: value for name, value in members.items() if value} | (
        {"values": dict(problem.values)} if problem.values else {}
    )


def told_note(members: Mapping[str, Any]) -> Problem | None:
    """The note that `stored_note` wrote; None when no such note is told any more."""
    code = members.get("code")
    if not isinstance(code, str) or code not in NOTES:
        return None
    return note(
        code,
        row=members.get("row"),
        field=members.get("field", ""),
        item=members.get("item", ""),
        **members.get("values", {}),
    )
