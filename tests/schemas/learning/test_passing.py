"""What a status or a result label says about passing, in the words that registries around here write."""

import pytest

from schemas.learning.passing import Passing, passing
from tests.schemas.learning.samples import course, report
from tests.schemas.learning.test_elmo import read

FAILED = (
    *("Ikke godkendt", "U (underkänd)", "F (fail)", "Unsatisfactory", "ABS", "NP", "Underkänd (U)", "U", "IG", "Fx"),
    *("not passed", "Not Passed", "not-passed", "did not pass", "Ej godkänd.", "EJ GODKÄND", "hyl.", "Hylätty (0)"),
    *("Ikke bestått", "ikkje greidd", "Ikke bestået", "nicht bestanden", "ungenügend", "0", "00", "-3", "-3 (ringe)"),
    *("F – underkänd", "Withdrawn", "avbrott", "frånvarande", "ikke møtt", "Ej deltagit", "failed [retake]", "IB"),
)
IN_PROGRESS = (
    "Pågående",
    "-",
    "—",
    "–",
    "--",
    " - ",
    "in progress",
    "In-Progress",
    "pågår (vt 2026)",
    "kesken",
)
PASSED = (
    *("VG", "G", "G (godkänd)", "MVG", "A", "E", "C", "10", "12", "7 (godt)", "02", "1,0", "4.5", "45.1", "5", "3/5"),
    *("Godkänd", "Väl godkänd", "Pass", "Passed with distinction", "P", "Bestått", "bestået", "Godkjent", "godkendt"),
    *(
        "Hyväksytty",
        "hyvä (3)",
        "Bestanden",
        "sehr gut",
        "Satisfactory",
        "Excellent",
        "TG",
        "Tillgodoräknad",
        "Innpasset",
        "AB",
        "BA",
    ),
    *("F (godkänd)", "A+", "cum laude", "95 %"),
)
UNKNOWN = ("Genomförd delvis", "Komplettering krävs", "se bilaga", "Pass/Fail", "godkänd (underkänd)", "kompletteras")


@pytest.mark.parametrize("label", FAILED)
def test_what_was_not_passed_is_known_by_its_label(label: str) -> None:
    """In words, in letters, and with an explanation in parentheses; with a status that is not known, too."""
    assert passing(None, label) is Passing.FAILED
    assert passing("", label) is Passing.FAILED
    assert passing("hmm", label) is Passing.FAILED


@pytest.mark.parametrize("label", IN_PROGRESS)
def test_what_has_no_result_yet_is_in_progress(label: str) -> None:
    """A dash is where a result will stand."""
    assert passing(None, label) is Passing.IN_PROGRESS


@pytest.mark.parametrize("label", PASSED)
def test_other_labels_leave_it_to_the_record(label: str) -> None:
    """Scales differ: a grade that is not known to fail is a grade."""
    assert passing(None, label) is Passing.UNSTATED


@pytest.mark.parametrize("label", UNKNOWN)
def test_words_that_nobody_knows_are_pointed_out(label: str) -> None:
    """Neither left out nor issued unseen."""
    assert passing(None, label) is Passing.UNKNOWN_LABEL


@pytest.mark.parametrize("label", [*FAILED, *IN_PROGRESS, *UNKNOWN])
def test_a_status_counts_more_than_the_label(label: str) -> None:
    """An `F` beside `passed` is the institution's own business."""
    assert passing("passed", label) is Passing.PASSED
    assert passing("Failed", "VG") is Passing.FAILED


@pytest.mark.parametrize("word", ["Ikke godkendt", "underkänd", "pågående", "Godkjent", "bestanden", "hylätty", "pass"])
def test_words_are_known_as_a_status_too(word: str) -> None:
    """The same table serves both."""
    assert passing(word, None) not in (Passing.UNKNOWN_WORD, Passing.UNSTATED)


@pytest.mark.parametrize(("label", "code"), [("U (underkänd)", "not_passed"), ("—", "in_progress")])
def test_a_report_leaves_out_what_was_not_passed_with_a_note(label: str, code: str) -> None:
    """Beside a result that was passed."""
    instance = f"<resultLabel>{label}</resultLabel><credit><scheme>ects</scheme><value>5</value></credit>"
    reading = read(report(course(), course(instance, code="X2")))
    assert [one.code for one in reading.achievements] == ["DT4011"]
    assert (code, "X2") in {(noted.code, noted.item) for noted in reading.warnings}


def test_a_report_keeps_a_result_whose_label_is_not_known_with_a_note() -> None:
    """The registrar decides."""
    instance = "<resultLabel>Komplettering krävs</resultLabel><credit><scheme>ects</scheme><value>5</value></credit>"
    reading = read(report(course(instance)))
    assert len(reading.achievements) == 1
    assert "unknown_grade" in {noted.code for noted in reading.warnings}
