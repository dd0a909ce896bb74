"""Tables as spreadsheet programs and registries really write them."""

import base64
import gzip
import json
from datetime import date
from decimal import Decimal

import pytest

from issuer.profiles import plain_profile
from issuer.results import ImportRefused, Limits, Results, read_results
from schemas.learning.achievement import Achievement
from tests.schemas.learning.samples import TODAY, course, report

PLAIN = plain_profile({"sv": "Nordanviks universitet"}, "SE")
HEADER = "efternamn;förnamn;födelsedatum;kurskod;benämning_sv;datum;hp;betyg"
ROW = "Sjöberg;Elin;1998-04-23;DT4011;Datasäkerhet;2026-06-15;7,5;VG"


def read(text: str | bytes, *, limits: Limits | None = None) -> Results:
    data = text if isinstance(text, bytes) else text.encode()
    return read_results(data, "resultat.csv", profile=PLAIN, limits=limits or Limits(), today=TODAY)


def refusal(text: str | bytes, *, limits: Limits | None = None) -> ImportRefused:
    with pytest.raises(ImportRefused) as refused:
        read(text, limits=limits)
    return refused.value


def told(results: Results) -> list[tuple[str, int | None]]:
    return [(one.code, one.row) for one in results.warnings]


WHOLE = {
    "byte order mark and carriage returns": ("\ufeff" + f"{HEADER}\r\n{ROW}\r\n").encode(),
    "byte order mark before Latin-1": b"\xef\xbb\xbf" + f"{HEADER}\n{ROW}".encode("latin-1"),
    "carriage returns alone": f"{HEADER}\r{ROW}\r",
    "a line that names the delimiter": f"sep=;\r\n{HEADER}\r\n{ROW}",
    "the same in quotation marks": f'"sep=;"\r\n{HEADER}\r\n{ROW}',
    "empty lines on top": f"\r\n\n{HEADER}\n{ROW}",
    "lines of delimiters on top": f";;;;;;;\n{HEADER}\n{ROW}",
    "capital letters": f"{HEADER.upper()}\n{ROW}",
    "spaces and parentheses": f"{HEADER.replace('benämning_sv', ' Benämning (sv) ').replace(';', ' ;')}\n{ROW}",
    "names in quotation marks": "\n".join(";".join(f'"{c}"' for c in line.split(";")) for line in (HEADER, ROW)),
    "decomposed letters": f"{HEADER}\n{ROW}".replace("ö", "o\u0308").replace("ä", "a\u0308"),
    "empty cells behind every line": f"{HEADER};;\n{ROW};;",
    "empty cells behind some lines": f"{HEADER}\n{ROW};;;",
    "a title over two lines": f"{HEADER}\n{ROW.replace('Datasäkerhet', chr(34) + 'Data' + chr(34))}".replace(
        '"Data"', '"Datasäkerhet\n"'
    ),
    "spaces that do not break": f"{HEADER}\n{ROW}".replace("7,5", "\u00a07,5\u202f"),
}


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_every_way_of_saving_one_table_gives_the_same_result(data: str | bytes) -> None:
    """A registrar saves a file; how a program writes it is not their business."""
    (achievement,) = read(data).achievements
    assert achievement.learner.name == "Elin Sjöberg"
    assert achievement.learner.birth_date == date(1998, 4, 23)
    assert achievement.title == {"sv": "Datasäkerhet"}
    assert (achievement.code, achievement.swedish_credits, achievement.issued_on) == (
        "DT4011",
        Decimal("7.5"),
        date(2026, 6, 15),
    )


@pytest.mark.parametrize("name", ["Kursnamn", "Kursbenämning", "Titel", "Benämning", "Kurs", "Course", "title"])
def test_columns_are_known_by_the_names_that_registries_use(name: str) -> None:
    """A Swedish name heads Swedish texts; an English one alone does not tell their language."""
    (achievement,) = read(f"{HEADER.replace('benämning_sv', name)}\n{ROW}").achievements
    assert achievement.title == {"und" if name in ("Course", "title") else "sv": "Datasäkerhet"}


def test_rows_keep_their_line_below_a_line_that_names_the_delimiter() -> None:
    """A fault is found where it stands in the file."""
    (problem,) = refusal(f"sep=;\n\n{HEADER}\n{ROW.replace('7,5', 'sju')}").problems
    assert (problem.row, problem.field) == (4, "hp")


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("15.06.2026", "The date does not have the form YYYY-MM-DD."),
        ("20260615", "The date does not have the form YYYY-MM-DD."),
        ("15/6/2026", "The date does not have the form YYYY-MM-DD."),
        ("2026/06/15", "The date does not have the form YYYY-MM-DD."),
        ("15 juni 2026", "The date does not have the form YYYY-MM-DD."),
        ("46188", "The date does not have the form YYYY-MM-DD."),
        ("2026-02-30", "There is no such day in the calendar."),
        ("1899-12-31", "The date lies before 1900."),
        ("2999-01-01", "The date lies in the future."),
    ],
)
@pytest.mark.parametrize("column", ["datum", "födelsedatum"])
def test_a_date_is_never_guessed_and_the_fault_is_the_true_one(column: str, written: str, fault: str) -> None:
    """A day that exists, in another form, is not called a day that does not exist."""
    day = "2026-06-15" if column == "datum" else "1998-04-23"
    (problem,) = refusal(f"{HEADER}\n{ROW.replace(day, written)}").problems
    assert (problem.row, problem.field, problem.fault) == (2, column, fault)


def test_the_missing_columns_are_named_in_both_languages() -> None:
    """Whoever reads the fault knows which word to write."""
    (problem,) = refusal("namn;kurs_id\nSjöberg;1").problems
    assert "family_name (efternamn), title_sv (benämning_sv)" in problem.fault_text()


def test_a_failed_attempt_beside_the_passed_one_is_no_repetition() -> None:
    """Registries list every attempt, sometimes without dates."""
    header = "efternamn;kurskod;benämning;betyg"
    results = read(f"{header}\nSjöberg;DT1;Kurs;U\nSjöberg;DT1;Kurs;G")
    assert [a.id for a in results.achievements] == ["3"]
    assert ("not_passed", 2) in told(results)
    assert refusal(f"{header}\nSjöberg;DT1;Kurs;G\nSjöberg;DT1;Kurs;VG").problems[0].row == 3


def people(*rows: str) -> Results:
    lines = "\n".join(f"{row};K{number}" for number, row in enumerate(rows))
    return read(f"efternamn;förnamn;födelsedatum;studentnummer;benämning\n{lines}")


def test_two_people_with_one_name_are_told_apart_or_pointed_out() -> None:
    """Nobody gets somebody else's results onto their transcript unnoticed."""
    known = people("Andersson;Anna;1990-01-01;", "Andersson;Anna;1991-01-01;")
    assert len(known.learners) == 2
    assert told(known) == [("same_name", 3)]
    unknown = people("Andersson;Anna;;", "Andersson;Anna;;", "Berg;Bo;1990-01-01;")
    assert len(unknown.learners) == 2
    assert told(unknown) == [("no_birth_date", 2), ("name_only", 2)]
    numbered = people("Andersson;Anna;;s1", "Andersson;Anna;;s2")
    assert len(numbered.learners) == 2
    assert told(numbered) == [("no_birth_date", None), ("same_name", 3)]


def test_one_person_whose_birth_date_is_left_out_once_is_pointed_out() -> None:
    """Two transcripts would be made where one is meant."""
    results = people("Andersson;Anna;1990-01-01;", "Andersson;Anna;;")
    assert len(results.learners) == 2
    assert ("same_name", 3) in told(results)
    assert told(people("Andersson;Anna;1990-01-01;", "Andersson;Anna;1990-01-01;")) == []


def test_one_person_over_many_rows_is_one_person() -> None:
    """However the letters of the name were written."""
    results = people("Sjo\u0308berg;Åsa;1990-01-01;", "Sjöberg;A\u030asa;1990-01-01;", "Sjöberg ; Åsa;1990-01-01;")
    assert len(results.learners) == 1


def test_somebody_with_one_name_is_told_where_to_write_it() -> None:
    """The fix is for them, not for a forgotten cell."""
    (problem,) = refusal("efternamn;förnamn;benämning\n;Suharto;Kurs").problems
    assert (problem.field, problem.fix) == ("efternamn", "Fill it in. Somebody with one name only has it here.")
    (achievement,) = read("efternamn;förnamn;benämning\nSuharto;;Kurs").achievements
    assert achievement.learner.name == "Suharto"


@pytest.mark.parametrize(
    "name",
    ["الخوارزمي", "O'Brien <script>alert(1)</script>", "👩\u200d🎓", "Nguyễn", "李", "=1+1", "Ng\u0303", "X" * 500],
)
def test_names_of_all_kinds_are_read_as_they_are(name: str) -> None:
    """A name is whatever its bearer says it is."""
    (achievement,) = read(f"efternamn;benämning\n{name};{name}").achievements
    assert achievement.learner.family_name == name


@pytest.mark.parametrize("name", ["\u3164", "\u2800", "\u200b", "\u00ad", "\u0301"])
def test_a_name_that_nobody_can_see_is_none(name: str) -> None:
    """A certificate for nobody."""
    assert refusal(f"efternamn;benämning\n{name};Kurs").problems[0].field == "efternamn"


def test_personal_identity_numbers_are_caught_where_they_do_not_belong() -> None:
    """As student number they are left out, inside a name they are a fault."""
    results = read("efternamn;studentnummer;benämning\nSjöberg;19811228-9874;Kurs")
    assert "9874" not in results.achievements[0].model_dump_json()
    assert ("personal_number_as_student_number", 2) in told(results)
    (problem,) = refusal("efternamn;benämning\nSjöberg 811228-9874;Kurs").problems
    assert (problem.field, problem.row) == ("efternamn", 2)
    assert "9874" not in str(problem)


def test_a_result_of_no_credits_is_kept_and_pointed_out() -> None:
    """It states its extent; whether that is right, somebody should look."""
    assert ("no_credits", 2) in told(read("efternamn;benämning;hp\nSjöberg;Kurs;0"))
    assert "no_credits" not in dict(told(read("efternamn;benämning;hp;timmar\nSjöberg;Kurs;0;8")))


@pytest.mark.parametrize("start", ["<!DOCTYPE html>", "<html lang='sv'>", "\ufeff  <HTML>", "<head>"])
def test_a_saved_web_page_is_called_one(start: str) -> None:
    """What comes out when a registry's session has ended."""
    (problem,) = refusal(f"{start}<body>Sign in</body></html>").problems
    assert problem.fault == "The file is a web page, not a file of results."


def test_a_json_file_that_is_broken_says_where() -> None:
    """Somebody edited it by hand."""
    (problem,) = refusal(b'{"results": [\n {"title": "x"},\n ]}').problems
    assert problem.fault_text() == "The file is not JSON. The fault is near line 2."
    (problem,) = refusal('{"learner": {"family_name": "Åsa"}}'.encode("latin-1")).problems
    assert problem.fix == "Save it as UTF-8."


@pytest.mark.parametrize(
    ("data", "encoding", "fix"),
    [
        (report(course()).decode(), "utf-16", "Save or export it as UTF-8, with that encoding in its first line."),
        (report(course()).decode(), "utf-16-be", "Save or export it as UTF-8, with that encoding in its first line."),
        (report(course()).decode(), "utf-16-le", "Save or export it as UTF-8, with that encoding in its first line."),
        ('{"results": []}', "utf-16", "Save it as UTF-8."),
        ('{"results": []}', "utf-16-le", "Save it as UTF-8."),
        (f"{HEADER}\n{ROW}\n", "utf-16", "Save it as CSV UTF-8."),
        (report(course()).decode(), "utf-32", "Save or export it as UTF-8, with that encoding in its first line."),
        (report(course()).decode(), "utf-32-be", "Save or export it as UTF-8, with that encoding in its first line."),
        ('{"results": []}', "utf-32-le", "Save it as UTF-8."),
        (f"\ufeff{HEADER}\n{ROW}\n", "utf-32-be", "Save it as CSV UTF-8."),
    ],
)
def test_a_file_in_utf_16_or_utf_32_is_told_by_what_it_holds(data: str, encoding: str, fix: str) -> None:
    """Whoever saved a report is not told to make a table of it."""
    (problem,) = refusal(data.encode(encoding)).problems
    assert (problem.fault_text(), problem.fix) == (f"The file is in {encoding[:6].upper()}.", fix)


@pytest.mark.parametrize("data", [b"null", b"\xef\xbb\xbfnull\n", b"true", b"12", b"-1.5", b" null "])
def test_a_file_with_one_bare_value_has_no_results(data: bytes) -> None:
    """What a program writes that found nothing: it is JSON, and neither a table nor a report in base64."""
    (problem,) = refusal(data).problems
    assert problem.fault == "The file has no list of results."


def test_what_is_compressed_twice_is_said_to_be() -> None:
    """Saving it again would not help; unpacking it once does."""
    (problem,) = refusal(gzip.compress(gzip.compress(report(course())))).problems
    assert (problem.fault, problem.fix) == (
        "The file is compressed twice.",
        "Unpack it once, and choose what comes out.",
    )


@pytest.mark.parametrize(
    "packed", [b'{"results": []}', b"null", b"", b"kurskod;hp\nDT1;7,5\n", base64.b64encode(b"<elmo/>")]
)
@pytest.mark.parametrize("is_base64", [False, True])
def test_what_is_packed_and_no_report_is_not_told_as_broken_xml(packed: bytes, is_base64: bool) -> None:
    """Only reports come packed: whoever packed a table, or packed twice, unpacks it."""
    data = gzip.compress(packed)
    (problem,) = refusal(base64.b64encode(data) if is_base64 else data).problems
    assert problem.fault == "What is packed into the file is no ELMO report."
    assert problem.fix == "Unpack it, and choose what comes out."


@pytest.mark.parametrize("data", [b"Algebra", b"abcd", base64.b64encode(base64.b64encode(b"<elmo/>"))])
def test_letters_and_digits_are_no_report(data: bytes) -> None:
    """What is taken for base64 and holds no report is neither of the kinds that are read."""
    (problem,) = refusal(data).problems
    assert problem.fault == "The file is neither XML, CSV nor JSON."


@pytest.mark.parametrize("born", ["2026-06-05", "2026-06-06"])
def test_nobody_has_a_result_before_they_are_born(born: str) -> None:
    """In a table, in JSON and in a report: row, field, fault and fix, and nothing is imported."""
    fault = "The birth date does not lie before the day of the result."
    elmo = report(course(), learner=f"<familyName>Nyman</familyName><bday>{born}</bday>", issue_date="2026-06-05")
    table = f"efternamn;födelsedatum;benämning;datum;hp\nSjöberg;{born};Kurs;2026-06-05;7,5"
    document = {
        "learner": {"family_name": "Sjöberg", "birth_date": born},
        "results": [{"title": "Kurs", "issued_on": "2026-06-05", "ects_credits": 7.5}],
    }
    for data, row, name in (
        (table, 2, "födelsedatum"),
        (elmo, 1, "bday"),
        (json.dumps(document), 1, "learner.birth_date"),
    ):
        (problem,) = refusal(data).problems
        assert (problem.row, problem.field, problem.fault) == (row, name, fault)
        assert problem.fix == "Correct the birth date, or the day of the result."


def test_somebody_born_the_day_before_is_read() -> None:
    """The bound is the day itself: what is merely unlikely is for the registrar to judge."""
    table = "efternamn;födelsedatum;benämning;datum;hp\nSjöberg;2026-06-04;Kurs;2026-06-05;7,5"
    assert len(read(table).achievements) == 1


def only(**result: object) -> Achievement:
    document = {"learner": {"family_name": "Sjöberg"}, "results": [{"title": "Kurs", **result}]}
    (achievement,) = read(json.dumps(document)).achievements
    return achievement


def test_json_numbers_are_read_as_they_are_meant() -> None:
    """6.0 is the level 6; a comma may stand in a text."""
    assert only(eqf_level=6.0).eqf_level == 6
    assert only(ects_credits="7,5").ects_credits == Decimal("7.5")
    assert only(title={"fi": "Kurssi\n toinen"}).title == {"fi": "Kurssi toinen"}


def test_members_of_a_learner_that_are_not_read_are_told() -> None:
    """Above all that a personal identity number was not."""
    learner = {"family_name": "Sjöberg", "personnummer": "19811228-9874", "email": "elin@example.org"}
    results = read(json.dumps({"learner": learner, "results": [{"title": "Kurs"}]}))
    assert "9874" not in results.achievements[0].model_dump_json()
    notes = [(one.code, one.field, dict(one.values)) for one in results.warnings]
    assert ("personal_numbers", "learner.personnummer", {}) in notes
    assert ("member", "", {"member": "learner.email"}) in notes


def test_the_number_of_faults_is_the_true_one_when_not_all_are_shown() -> None:
    """Five hundred faults shown are not five hundred faults found."""
    rows = "\n".join(f"Sjöberg;K{number};sju" for number in range(30))
    refused = refusal(f"efternamn;benämning;hp\n{rows}", limits=Limits(max_problems=10))
    assert (len(refused.problems), refused.count) == (10, 30)


def test_a_course_called_like_a_row_is_not_taken_for_it() -> None:
    """Course codes can be plain numbers."""
    results = read("efternamn;kurskod;benämning\nSjöberg;3;Kurs A\nBerg;77;Kurs B")
    assert [a.learner.family_name for a in results.select("3")] == ["Sjöberg"]
    assert [a.learner.family_name for a in results.select("2")] == ["Sjöberg"]


@pytest.mark.parametrize("written", ["1,600", "1.600", "+7.500", "160,000"])
def test_hours_that_can_be_read_in_two_ways_are_refused(written: str) -> None:
    """A year of study must not become an hour and a half."""
    (problem,) = refusal(f"{HEADER};timmar\n{ROW};{written}").problems
    assert (problem.row, problem.field) == (2, "timmar")
    assert "two ways" in problem.fault


@pytest.mark.parametrize(
    ("written", "hours"),
    [("1600", "1600"), ("1600,000", "1600"), ("0,500", "0.5"), ("62.5", "62.5"), ("1,60", "1.6"), ("12,25", "12.25")],
)
def test_hours_that_can_be_read_in_one_way_are_read(written: str, hours: str) -> None:
    """A sign with other than three digits behind it is the decimal sign."""
    (achievement,) = read(f"{HEADER};timmar\n{ROW};{written}").achievements
    assert achievement.workload_hours == Decimal(hours)


@pytest.mark.parametrize(("written", "credits"), [("7,500", "7.5"), ("10.000", "10"), ("1.000", "1")])
def test_credits_with_three_decimals_are_credits(written: str, credits: str) -> None:
    """Exports write them so, and no single result is worth thousands."""
    (achievement,) = read(f"{HEADER}\n{ROW.replace('7,5', written)}").achievements
    assert achievement.swedish_credits == Decimal(credits)


def test_a_number_of_json_has_one_reading() -> None:
    """As a number; as a text it is as doubtful as in a table."""
    result = {"learner": {"family_name": "N"}, "title": "Kurs", "workload_hours": 1.625, "ects_credits": 1.125}
    (achievement,) = read(json.dumps([result])).achievements
    assert (achievement.workload_hours, achievement.ects_credits) == (Decimal("1.625"), Decimal("1.125"))
    (problem,) = refusal(json.dumps([result | {"workload_hours": "1.625"}])).problems
    assert problem.field == "workload_hours"
