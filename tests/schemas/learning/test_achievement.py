"""The learning record and its completeness."""

import csv
from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from schemas.learning.achievement import Achievement, AwardingBody, Grade, Learner, Source
from schemas.learning.completeness import ELEMENTS, completeness
from schemas.learning.passing import Passing, passing
from schemas.learning.texts import clean_text, in_language, language_tag
from tests.schemas.learning.samples import VECTORS

EMPTY = Achievement(id="1", learner=Learner(), provenance={"learner": Source.CSV})


def test_a_value_and_its_source_come_together() -> None:
    """Nothing in a record is without an origin."""
    with pytest.raises(ValidationError):
        Achievement(id="1", learner=Learner(), title={"sv": "Kurs"}, provenance={"learner": Source.CSV})
    with pytest.raises(ValidationError):
        Achievement(id="1", learner=Learner(), provenance={"learner": Source.CSV, "title": Source.CSV})


def test_filling_up_never_replaces_what_is_there() -> None:
    """A profile adds to a record and does not correct it."""
    stated = EMPTY.with_values(Source.ELMO, eqf_level=7)
    filled = stated.filled_up(Source.PROFILE, eqf_level=6, seqf_level=6)
    assert (filled.eqf_level, filled.seqf_level) == (7, 6)
    assert filled.provenance == {"learner": Source.CSV, "eqf_level": Source.ELMO, "seqf_level": Source.PROFILE}


@pytest.mark.parametrize(
    "credits", [Decimal(-1), Decimal("1000.5"), Decimal("1.2345"), Decimal("NaN"), Decimal("Infinity")]
)
def test_impossible_credits_cannot_be_expressed(credits: Decimal) -> None:
    """A record that exists is sound."""
    with pytest.raises(ValidationError):
        EMPTY.with_values(Source.CSV, ects_credits=credits)


def test_a_record_survives_being_stored() -> None:
    """What is written as JSON is read back as the same record."""
    full = EMPTY.with_values(
        Source.CSV,
        title={"sv": "Kurs"},
        awarding_body=AwardingBody(names={"sv": "Nordanviks universitet"}, country="SE"),
        issued_on=date(2026, 6, 5),
        ects_credits=Decimal("7.50"),
        grade=Grade(label="VG"),
    )
    assert Achievement.model_validate_json(full.model_dump_json()) == full


def test_the_elements_are_those_of_the_recommendation() -> None:
    """Codes and obligation as in the table of the standard elements."""
    with (VECTORS / "vocab" / "microcredential-elements.csv").open(encoding="utf-8") as file:
        standard = {row["code"]: row["obligation"] == "mandatory" for row in csv.DictReader(file)}
    assert {element.code: element.mandatory for element in ELEMENTS} == standard


def test_completeness_tells_what_is_there_from_where_and_what_is_missing() -> None:
    """The report that a registrar reads before issuing."""
    record = EMPTY.with_values(Source.ELMO, title={"sv": "Kurs"}, ects_credits=Decimal(0)).with_values(
        Source.PROFILE, assessment_type={"sv": "Tentamen"}
    )
    report = completeness(record, demanded=("M1", "M2"))
    by_code = {state.element.code: state for state in report.states}

    assert by_code["M2"].sources == (Source.ELMO,)
    assert by_code["M7"].present  # zero credits are stated credits
    assert by_code["M9"].sources == (Source.PROFILE,)
    assert (by_code["M1"].present, by_code["M1"].demanded, by_code["M1"].sources) == (False, True, ())
    assert report.missing_demanded == ("M1",)
    assert report.present_count == 3


def test_a_country_counts_only_with_an_awarding_body_that_has_one() -> None:
    """M3 and M4 are two elements."""
    record = EMPTY.with_values(Source.CSV, awarding_body=AwardingBody(names={"sv": "X"}))
    assert set(completeness(record, demanded=()).missing) >= {"M3"}
    assert "M4" not in completeness(record, demanded=()).missing


@pytest.mark.parametrize(
    ("status", "label", "expected"),
    [
        ("passed", "U", Passing.PASSED),
        ("Godkänd", None, Passing.PASSED),
        (None, "Hylätty", Passing.FAILED),
        ("", "VG", Passing.UNSTATED),
        ("failed", "A", Passing.FAILED),
        ("in-progress", None, Passing.IN_PROGRESS),
        ("whatever", "VG", Passing.UNKNOWN_WORD),
        ("whatever", "F", Passing.FAILED),
    ],
)
def test_whether_a_result_was_passed(status: str | None, label: str | None, expected: Passing) -> None:
    """A stated status comes before a label."""
    assert passing(status, label) is expected


def test_texts_come_in_the_readers_language_or_the_nearest() -> None:
    """Swedish, else English, else whatever there is."""
    assert in_language({"sv": "a", "en": "b"}, "sv-SE") == "a"
    assert in_language({"en": "b", "pl": "c"}, "sv") == "b"
    assert in_language({"pl": "c"}, "sv") == "c"
    assert in_language({"pt-br": "d"}, "pt") == "d"
    assert in_language(None, "sv") == ""
    assert (language_tag("FI"), language_tag("en_GB"), language_tag("klingon words"), language_tag(None)) == (
        "fi",
        "en-gb",
        "und",
        "und",
    )


def test_cleaning_keeps_lines_only_where_they_are_wanted() -> None:
    """Titles are one line, descriptions keep their paragraphs."""
    text = "  One\t two\r\n\r\n\r\n\r\nthree\u202e \x00"
    assert clean_text(text) == "One two three"
    assert clean_text(text, multiline=True) == "One two\n\nthree"


def test_every_element_says_how_it_can_be_supplied() -> None:
    """In both languages; what a profile can hold is named by its member."""
    for element in ELEMENTS:
        assert element.supply["sv"].startswith("Ange")
        assert element.supply["en"].startswith("State")
        members = [name for name in element.fields if name in element.supply["en"]]
        assert members or element.code in ("M1", "M3", "M4", "M5", "O3")


def test_a_name_identifies_the_learner_and_a_birth_date_adds_to_it() -> None:
    """M1 is there for whoever has a family name, or the one name that they have."""
    for learner, present in (
        (Learner(family_name="Suharto"), True),
        (Learner(family_name="Nyman", given_name="Åsa", birth_date=date(1999, 10, 2)), True),
        (Learner(given_name="Åsa", birth_date=date(1999, 10, 2)), False),
        (Learner(), False),
    ):
        record = EMPTY.model_copy(update={"learner": learner})
        assert completeness(record, demanded=("M1",)).missing_demanded == (() if present else ("M1",))


@pytest.mark.parametrize("label", ["U", "Fx", "IG", "Ej godkänd", "Hylätty", "ikke bestått", "0", "-3"])
def test_failing_labels_of_the_countries_around_are_known(label: str) -> None:
    """They count only where no status is told."""
    assert passing(None, label) is Passing.FAILED
    assert passing("passed", label) is Passing.PASSED
