"""The columns of a CSV file and the members of a JSON file, and how their values are read.

One table serves both: each entry names the field of the achievement, what kind of value it holds, and for CSV the
language and the Swedish names that registrars' exports use. Statements have one of their own (`statement_columns.py`).
`docs/import-formats.md` is written from these tables.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "line",
    "birth",
    "day",
    "amount",
    "hours",
    "level",
    "title",  # texts of one line
    "texts",
    "list",
    "flag",
    "languages",
    "url",
    "status",
    "ignored",
    "any_day",  # also in the future
    "percent",
    "codes",  # several, told as they are
    "personal_number",  # for recognising who signs in
]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `language` is '' for values without a language, and for texts whose language is not told."""

    name: str
    field: str
    kind: Kind
    language: str = ""
    also: tuple[str, ...] = ()


def in_languages(name: str, field: str, kind: Kind, *swedish: str, english: tuple[str, ...] = ()) -> tuple[Column, ...]:
    """A text column for Swedish, one for English, and one without a language.

    A Swedish word alone heads Swedish texts. An English word alone tells no language: systems everywhere use them.
    """
    words = (*swedish, *english)
    return (
        Column(f"{name}_sv", field, kind, "sv", (*(f"{word}_sv" for word in words), *swedish)),
        Column(f"{name}_en", field, kind, "en", tuple(f"{word}_en" for word in words)),
        Column(name, field, kind, "", english),
    )


COLUMNS: tuple[Column, ...] = (
    Column("family_name", "family_name", "line", also=("efternamn", "last_name", "surname")),
    Column("given_name", "given_name", "line", also=("förnamn", "fornamn", "first_name", "given_names")),
    Column("birth_date", "birth_date", "birth", also=("födelsedatum", "fodelsedatum", "date_of_birth", "birthdate")),
    Column("student_number", "student_number", "line", also=("studentnummer", "student_id")),
    Column("course_code", "code", "line", also=("kurskod", "code", "kod")),
    *in_languages(
        "title",
        "title",
        "title",
        *("benämning", "benamning", "kurs", "kursnamn", "kursbenämning", "titel"),
        english=("course",),
    ),
    Column("date", "issued_on", "day", also=("datum", "utfärdat", "issued_on", "examinationsdatum")),
    Column("completed", "completed_on", "day", also=("avslutad", "completed_on")),
    Column("ects", "ects_credits", "amount", also=("ects_credits", "credits")),
    Column(
        "hp",
        "swedish_credits",
        "amount",
        also=("högskolepoäng", "hogskolepoang", "swedish_credits", "poäng", "omfattning"),
    ),
    Column("hours", "workload_hours", "hours", also=("timmar", "workload_hours", "studietid")),
    Column("eqf", "eqf_level", "level", also=("eqf_level", "eqf_nivå")),
    Column("seqf", "seqf_level", "level", also=("seqf_level", "seqf_nivå")),
    Column("grade", "grade", "line", also=("betyg",)),
    *in_languages("grade_scale", "grade_scale", "texts", "betygsskala"),
    Column("status", "status", "status"),
    *in_languages("outcomes", "outcomes", "list", "lärandemål", "larandemal"),
    *in_languages("assessment", "assessment_type", "texts", "examinationsform"),
    *in_languages("participation", "participation_form", "texts", "deltagandeform"),
    *in_languages("quality", "quality_assurance", "list", "kvalitetssäkring", "kvalitetssakring"),
    *in_languages("prerequisites", "prerequisites", "list", "förkunskapskrav", "forkunskapskrav"),
    *in_languages("supervision", "supervision", "texts", "övervakning", "overvakning"),
    Column("stackable", "stackable", "flag", also=("byggbar",)),
    *in_languages("part_of", "part_of", "title", "del_av"),
    *in_languages("description", "description", "texts", "beskrivning"),
    Column("url", "further_information", "url", also=("webbadress", "further_information")),
    Column("languages", "languages", "languages", also=("språk", "sprak", "language")),
    Column("kind", "kind", "line", also=("typ",)),
    Column("personal_number", "", "ignored", also=("personnummer", "personal_identity_number", "pnr")),
)

REQUIRED_FIELDS = ("family_name", "title")

BY_NAME: dict[str, Column] = {name: column for column in COLUMNS for name in (column.name, *column.also)}

JSON_MEMBERS: dict[str, Column] = {
    column.field: column for column in COLUMNS if column.field and column.language in ("", "sv")
}
"""Members of a JSON result by name: the fields of the achievement. Texts are language maps there, or plain strings."""

LEARNER_FIELDS = ("family_name", "given_name", "birth_date", "student_number")
