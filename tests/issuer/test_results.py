"""Files of results: everything is read, or every fault is named and nothing is."""

import json
import re
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issuer.profiles import InstitutionProfile, load_profile, plain_profile
from issuer.results import ImportRefused, Limits, Results, read_results
from schemas.errors import NotFound
from schemas.learning.achievement import Source
from schemas.types import CREDENTIAL_TYPES, types_for
from tests.schemas.learning.samples import ALL_SAMPLES, TODAY, course, report, sample

ROOT = Path(__file__).parent.parent.parent
PROFILE = load_profile(ROOT / "examples" / "data" / "institution-profile.toml")
PLAIN = plain_profile({"sv": "Nordanviks universitet"}, "SE")

HEADER = "family_name;given_name;birth_date;course_code;title_sv;title_en;date;hp;eqf;grade"
ROW = "Nyman;Åsa;1999-10-02;DT4011;Datasäkerhet;Computer security;2026-06-05;7,5;7;VG"


def read(data: bytes | str, *, profile: InstitutionProfile = PLAIN, limits: Limits | None = None) -> Results:
    raw = data.encode() if isinstance(data, str) else data
    return read_results(raw, "results.csv", profile=profile, limits=limits or Limits(), today=TODAY)


def faults(data: bytes | str, *, limits: Limits | None = None) -> list[tuple[int | None, str]]:
    with pytest.raises(ImportRefused) as refusal:
        read(data, limits=limits)
    for problem in refusal.value.problems:
        assert problem.fault_text()
        assert problem.fix_text()
    return [(problem.row, problem.field) for problem in refusal.value.problems]


@pytest.mark.parametrize("path", ALL_SAMPLES, ids=lambda path: path.name)
def test_every_sample_becomes_achievements_with_their_completeness(path: Path) -> None:
    """Reports of other countries too; their gaps are shown, not hidden."""
    results = read(path.read_bytes(), profile=PROFILE)
    for achievement in results.achievements:
        for credential_type in types_for(achievement).values():
            completeness = credential_type.completeness(achievement)
            if not completeness.missing_demanded:
                assert credential_type.claims_from([achievement])


def test_the_demo_record_is_complete_with_the_profile_of_its_university() -> None:
    """All sixteen elements, each with its source."""
    results = read((ROOT / "examples" / "data" / "study-record.xml").read_bytes(), profile=PROFILE)
    first = next(a for a in results.achievements if a.code == "DT4011")
    report = CREDENTIAL_TYPES["micro-credential"].completeness(first)
    assert report.missing == ()
    sources = {state.element.code: state.sources for state in report.states}
    assert sources["M2"] == (Source.ELMO,)
    assert sources["M6"] == sources["M9"] == sources["M10"] == sources["M11"] == (Source.PROFILE,)
    assert sources["M7"] == (Source.ELMO, Source.DERIVED)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", "\t", ","])
def test_a_table_is_read_in_every_encoding_and_with_every_delimiter(encoding: str, delimiter: str) -> None:
    """Spreadsheets save all of these."""
    lines = [HEADER.split(";"), ROW.split(";")]
    text = "\r\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines) + "\r\n"
    (achievement,) = read(text.encode(encoding)).achievements
    assert achievement.learner.given_name == "Åsa"
    assert achievement.learner.birth_date == date(1999, 10, 2)
    assert achievement.title == {"en": "Computer security", "sv": "Datasäkerhet"}
    assert (achievement.swedish_credits, achievement.ects_credits) == (Decimal("7.5"), Decimal("7.5"))
    assert achievement.provenance["swedish_credits"] is Source.CSV
    assert achievement.provenance["ects_credits"] is Source.DERIVED


def test_reading_as_latin_1_is_told() -> None:
    """A guess about the encoding is never silent."""
    assert any("Latin-1" in w.fault for w in read(f"{HEADER}\n{ROW}".encode("latin-1")).warnings)
    assert not read(f"{HEADER}\n{ROW}").warnings


def test_swedish_column_names_are_known() -> None:
    """As registrars' exports have them."""
    text = "Efternamn;Förnamn;Kurskod;Benämning sv;Högskolepoäng;Betyg\nNyman;Åsa;A1;Kurs;15;G"
    (achievement,) = read(text).achievements
    assert (achievement.code, achievement.swedish_credits) == ("A1", Decimal(15))


def test_a_swedish_heading_tells_the_language_of_its_texts() -> None:
    """`Kursnamn` heads Swedish titles, `title` titles of an untold language."""
    row = "Nyman;Åsa;1999-10-02;Datasäkerhet;Computer security;2026-06-05;7,5"
    for heading, language in (("Kursnamn", "sv"), ("benämning", "sv"), ("title", "und"), ("Course", "und")):
        head = f"family_name;given_name;birth_date;{heading};title_en;date;hp"
        (achievement,) = read(f"{head}\n{row}").achievements
        assert achievement.title == {language: "Datasäkerhet", "en": "Computer security"}
    three = "family_name;benämning_sv;benämning_en;benämning\nNyman;Datasäkerhet;Computer security;Tietoturva"
    assert read(three).achievements[0].title == {"sv": "Datasäkerhet", "en": "Computer security", "und": "Tietoturva"}


def test_lists_are_paired_by_position() -> None:
    """One learning outcome in two languages is one learning outcome."""
    text = "family_name;title;outcomes_sv;outcomes_en\nNyman;Kurs;Läsa | Skriva;Read|Write"
    (achievement,) = read(text).achievements
    assert achievement.outcomes == ({"en": "Read", "sv": "Läsa"}, {"en": "Write", "sv": "Skriva"})
    assert faults("family_name;title;outcomes_sv;outcomes_en\nNyman;Kurs;Läsa|Skriva;Read") == [(2, "outcomes_en")]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("hp", "sju"),
        ("hp", "-1"),
        ("hp", "1000,5"),
        ("hp", "7,5 hp"),
        ("date", "5/6 2026"),
        ("date", "2026-06-31"),
        ("date", "2026-11-21"),
        ("birth_date", "2026-11-21"),
        ("birth_date", "19991002"),
        ("eqf", "9"),
        ("eqf", "7.0"),
        ("family_name", ""),
        ("family_name", "x" * 501),
    ],
)
def test_a_bad_value_is_named_with_its_row_and_its_column(column: str, value: str) -> None:
    """And nothing of the file is imported."""
    cells = dict(zip(HEADER.split(";"), ROW.split(";"), strict=True)) | {column: value, "course_code": "B"}
    assert faults(f"{HEADER}\n{ROW}\n{';'.join(cells.values())}") == [(3, column)]


def test_all_faults_of_all_rows_are_named_at_once_and_never_with_their_values() -> None:
    """Mending a file takes one round, and an error message tells nobody's birth date."""
    bad = "Hemlig;Åsa;1999-13-45;DT1;;;imorgon;sju;9;VG"
    with pytest.raises(ImportRefused) as refusal:
        read(f"{HEADER}\n{bad}\n{ROW}\n{bad}")
    problems = refusal.value.problems
    assert [(p.row, p.field) for p in problems] == [
        (row, field) for row in (2, 4) for field in ("birth_date", "date", "hp", "eqf", "title_sv")
    ]
    told = str(refusal.value) + " ".join(map(str, problems))
    assert not any(secret in told for secret in ("Hemlig", "1999-13-45", "imorgon", "sju"))


def test_a_row_of_another_length_is_a_fault() -> None:
    """A missing delimiter shifts values into the wrong columns."""
    assert faults(f"{HEADER}\n{ROW};extra") == [(2, "")]
    assert faults(f"{HEADER}\n{ROW.rsplit(';', 1)[0]}") == [(2, "")]


def test_a_quotation_mark_that_does_not_end_is_a_fault_of_the_file() -> None:
    """The line is named."""
    assert faults(f'{HEADER}\n"{ROW}') == [(None, "")]


@pytest.mark.parametrize("header", ["given_name;title_sv", "family_name;hp", "", "a,b,c", "family_name;title_sv;hp;hp"])
def test_a_header_without_the_needed_columns_is_refused(header: str) -> None:
    """The fault names the column."""
    assert faults(header + "\nx;y;z") == [(None, "")]


def test_rows_are_numbered_as_the_lines_of_the_file() -> None:
    """A cell with line breaks does not shift the numbers."""
    text = f'{HEADER};description_sv\n{ROW};"two\nlines"\n\n{ROW.replace("7,5", "sju").replace("DT4011", "B")};x'
    assert faults(text) == [(5, "hp")]


def test_a_repeated_result_is_refused() -> None:
    """Nobody gets the same certificate twice by a copied line."""
    assert faults(f"{HEADER}\n{ROW}\n{ROW}") == [(3, "")]
    another_day = ROW.replace("2026-06-05", "2026-06-06")
    assert len(read(f"{HEADER}\n{ROW}\n{another_day}").achievements) == 2


def test_one_student_number_for_two_people_is_refused() -> None:
    """Somebody's result would end up with somebody else."""
    text = "family_name;student_number;title\nNyman;s1;Kurs A\nBerg;s1;Kurs B"
    assert faults(text) == [(3, "student_number")]


def test_personal_identity_numbers_are_not_read() -> None:
    """The column is left out, and the note says so."""
    results = read("family_name;personnummer;title\nNyman;19991002-2384;Kurs")
    assert "2384" not in "".join(a.model_dump_json() for a in results.achievements)
    assert ("personal_numbers", "personnummer") in [(w.code, w.field) for w in results.warnings]


def test_results_that_were_not_passed_are_left_out_with_a_note() -> None:
    """By status, or by a failing grade where no status is told."""
    text = "family_name;title;grade;status\nNyman;A;VG;\nNyman;B;U;\nNyman;C;;in-progress\nNyman;D;G;godkänd"
    results = read(text)
    assert [a.title for a in results.achievements] == [{"und": "A"}, {"und": "D"}]
    left_out = ("not_passed", "in_progress")
    assert [(w.code, w.row) for w in results.warnings if w.code in left_out] == [("not_passed", 3), ("in_progress", 4)]


def test_a_file_of_which_nothing_was_taken_says_why_for_each_row() -> None:
    """What would have been a note stands beside the fault: else nobody learns what the file holds instead."""
    text = "family_name;title;grade;status\nNyman;B;U;\nNyman;C;;in-progress"
    assert faults(text) == [(None, ""), (2, "status"), (3, "status")]
    elmo = (ROOT / "examples" / "data" / "study-record.xml").read_text(encoding="utf-8")
    none_passed = re.sub(r"<status>passed</status>", "<status>in-progress</status>", elmo)
    (first, *others) = faults(none_passed)
    assert first == (None, "")
    assert others


def test_people_are_told_apart() -> None:
    """Two with one name and different birth dates are two people."""
    other = ROW.replace("1999-10-02", "1988-01-01")
    results = read(f"{HEADER}\n{ROW}\n{other}\n{ROW.replace('DT4011', 'B')}")
    assert [len(group.records) for group in results.learners] == [2, 1]


def test_results_are_chosen_by_course_code_or_row() -> None:
    """`offer --course DT4011`."""
    results = read(f"{HEADER}\n{ROW}\n{ROW.replace('DT4011', 'B')}")
    assert [a.code for a in results.select("B")] == ["B"]
    assert [a.code for a in results.select("2")] == ["DT4011"]
    assert len(results.select(None)) == 2
    with pytest.raises(NotFound):
        results.select("C")


JSON_RESULT: dict[str, Any] = {
    "code": "DT4011",
    "title": {"sv": "Datasäkerhet", "en": "Computer security"},
    "issued_on": "2026-06-15",
    "completed_on": "2026-06-05",
    "ects_credits": 7.5,
    "eqf_level": 7,
    "grade": "VG",
    "grade_scale": "U, G, VG",
    "outcomes": [{"sv": "Läsa"}, "Write"],
    "stackable": False,
    "languages": ["sv", "en"],
    "awarding_body": {"names": {"sv": "Annat universitet"}, "country": "NO"},
}
JSON_LEARNER = {"family_name": "Nyman", "given_name": "Åsa", "birth_date": "1999-10-02"}


def as_json(**changes: Any) -> bytes:
    return json.dumps({"learner": JSON_LEARNER, "results": [JSON_RESULT | changes]}).encode()


def test_json_of_the_documented_shape_is_read() -> None:
    """With the learner above the results."""
    (achievement,) = read(as_json()).achievements
    assert achievement.ects_credits == Decimal("7.5")
    assert achievement.outcomes == ({"sv": "Läsa"}, {"und": "Write"})
    assert achievement.stackable is False
    assert achievement.awarding_body is not None
    assert achievement.awarding_body.country == "NO"
    assert achievement.swedish_credits is None  # derived for Swedish bodies only
    assert achievement.provenance["title"] is Source.JSON


def test_json_can_be_a_list_with_learners_inside() -> None:
    """Several people in one file."""
    data = [JSON_RESULT | {"learner": JSON_LEARNER | {"given_name": name}} for name in ("Åsa", "Bo")]
    assert len(read(json.dumps(data)).learners) == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": None}, "title"),
        ({"title": 7}, "title"),
        ({"title": {"not a language": "x"}}, "title"),
        ({"title": {"sv": 1}}, "title"),
        ({"ects_credits": "many"}, "ects_credits"),
        ({"ects_credits": True}, "ects_credits"),
        ({"ects_credits": 1e22}, "ects_credits"),
        ({"eqf_level": 7.5}, "eqf_level"),
        ({"issued_on": 20260615}, "issued_on"),
        ({"outcomes": "one"}, "outcomes"),
        ({"outcomes": [1]}, "outcomes"),
        ({"languages": ["not a code"]}, "languages"),
        ({"languages": [1]}, "languages"),
        ({"stackable": "perhaps"}, "stackable"),
        ({"grade": ["A"]}, "grade"),
        ({"awarding_body": "X"}, "awarding_body"),
        ({"awarding_body": {"names": {"sv": "X"}, "country": "Sweden"}}, "awarding_body"),
        ({"learner": {"given_name": "Åsa"}}, "learner.family_name"),
        ({"learner": "Åsa"}, "learner"),
        ({"further_information": "javascript:alert(1)"}, "further_information"),
        ({"status": "maybe"}, "status"),
    ],
)
def test_a_bad_member_is_named(changes: dict[str, Any], field: str) -> None:
    """Row and member, as in a table."""
    assert faults(as_json(**changes)) == [(1, field)]


@pytest.mark.parametrize(
    "data",
    [
        '{"results": []}',
        "{}",
        '"text"',
        "[1]",
        '{"results": {}}',
        '{"results": [], "results": []}',
        "[NaN]",
        '{"a"',
        "[[[]]]",
    ],
)
def test_json_of_another_shape_is_refused(data: str) -> None:
    """Also members written twice and numbers that are none."""
    assert faults(data)


@pytest.mark.parametrize(
    "start", [b"PK\x03\x04rest", b"%PDF-1.7", b"\xd0\xcf\x11\xe0", b"\xff\xfea\0", b"", b"   \n", b"a\0b"]
)
def test_other_kinds_of_files_are_refused_with_what_to_do(start: bytes) -> None:
    """A workbook, a document, nothing at all."""
    assert faults(start) == [(None, "")]


@pytest.mark.parametrize(("name", "most"), [("max_rows", 2), ("max_bytes", 0), ("max_cell_characters", 20)])
def test_limits_hold_exactly(name: str, most: int) -> None:
    """At the limit a file is read, one beyond it is refused."""
    if name == "max_rows":
        fits, beyond = (
            f"{HEADER}\n" + "\n".join(ROW.replace("DT4011", str(n)) for n in range(rows)) for rows in (2, 3)
        )
    elif name == "max_bytes":
        fits, beyond = f"{HEADER}\n{ROW}", f"{HEADER}\n{ROW}\n"
        most = len(fits.encode())
    else:
        fits, beyond = (f"family_name;title\nNyman;{'x' * length}" for length in (20, 21))
    limits = replace(Limits(), **{name: most})
    assert read(fits, limits=limits).achievements
    assert faults(beyond, limits=limits)


def test_limits_of_reports_and_json_hold_exactly() -> None:
    """The same number of results whatever the format."""
    limits = Limits(max_rows=2)
    assert read(report(course(), course(code="B")), limits=limits)
    assert faults(report(course(), course(code="B"), course(code="C")), limits=limits)
    two, three = (
        json.dumps([JSON_RESULT | {"learner": JSON_LEARNER, "code": str(n)} for n in range(k)]) for k in (2, 3)
    )
    assert read(two, limits=limits)
    assert faults(three, limits=limits)


def test_no_more_faults_are_listed_than_can_be_read() -> None:
    """Ten thousand bad rows do not make a page of ten thousand lines."""
    rows = "\n".join(";title" for _ in range(50))
    assert len(faults(f"family_name;title\n{rows}", limits=Limits(max_problems=10))) == 10


def test_the_profile_speaks_only_of_its_own_institution() -> None:
    """Warsaw's courses do not get Nordanvik's quality assurance, and the import says so of each row."""
    results = read(sample("elmo-schemas-example.xml"), profile=PROFILE)
    assert all(not achievement.quality_assurance for achievement in results.achievements)
    told = [warning.row for warning in results.warnings if warning.field == "awarding_body"]
    assert told == [int(achievement.id) for achievement in results.achievements]


def test_a_wrongly_decoded_title_is_pointed_out() -> None:
    """KÃ¸benhavn is not a place."""
    results = read(sample("elmo-schemas-example.xml"))
    assert [(w.row, w.field) for w in results.warnings if "encoding" in w.fault] == [(2, "title")]


@settings(max_examples=150, deadline=2000)
@given(st.text(max_size=400) | st.binary(max_size=400).map(lambda data: data.decode("latin-1")))
def test_any_file_is_read_or_refused(text: str) -> None:
    """Nothing but results or a refusal comes out."""
    with suppress(ImportRefused):
        read(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=150, deadline=2000)
@given(st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=30), min_size=10, max_size=10))
def test_any_cells_are_read_or_refused(cells: list[str]) -> None:
    """Hostile values in a well-formed table."""
    line = ";".join('"' + cell.replace('"', '""') + '"' for cell in cells)
    with suppress(ImportRefused):
        read(f"{HEADER}\n{line}")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=2000)
@given(st.dictionaries(st.sampled_from([*JSON_RESULT, "learner", "status", "kind"]), JSON_VALUES, max_size=6))
def test_any_members_are_read_or_refused(changes: dict[str, Any]) -> None:
    """Hostile values in well-formed JSON."""
    with suppress(ImportRefused):
        read(as_json(**changes))


def test_a_cell_of_invisible_characters_is_an_empty_one() -> None:
    """A name that nobody can see is no name."""
    (achievement,) = read("family_name;given_name;title;grade\nNyman;\u202e\u200e\u202c;Kurs;\u202e").achievements
    assert achievement.grade is None
    assert achievement.learner.given_name is None
    assert faults("family_name;title\n\u202e;Kurs") == [(2, "family_name")]
