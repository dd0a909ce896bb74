"""Personal identity numbers are found however they are written, and nothing else is taken for one."""

import pytest

from schemas.learning.personal_numbers import (
    LEFT_OUT,
    holds_personal_number,
    looks_like_personal_number,
    without_personal_numbers,
)

WRITTEN = (
    "1212121212",
    "191212121212",
    "121212-1212",
    "121212+1212",
    "19121212-1212",
    "121212 - 1212",
    "121212 -1212",
    "121212.1212",
    "121212/1212",
    "121212_1212",
    "121212  1212",
    "121212\t1212",
    "121212\n1212",
    "121212\r\n \r\n1212",
    "121212, 1212",
    "121212:1212",
    "121212·1212",
    "121212\u00a01212",
    "1912-12-12-1212",
    "1912-12-12 1212",
    "12-12-12-1212",
    "12 12 12-1212",
    "12.12.12 1212",
    "19 121212 1212",
    "1 2 1 2 1 2 - 1 2 1 2",
    "1-9-1-2-1-2-1-2-1-2-1-2",
    "121212%2D1212",
    "121212%2d1212",
    "121212%252D1212",
    "121212%E2%80%901212",
    "%31%321212%2D1212",
    "121212%1212",
    "121212\u034f-1212",
    "1212\ufe0f12-1212",
    "1212\u180b12-1212",
    "1212\u200b12-12\u206012",
    "1212\u316412\u115f1212",
    "1\ufe0f\u20e321212-1212",
    "121212\u02d71212",
    "121212\u30fc1212",
    "121212\uff701212",
    "121212\u22121212",
    "121212\u20131212",
    "１２１２１２−１２１２",
    "\u0661\u0662\u0661\u0662\u0661\u0662-\u0661\u0662\u0661\u0662",
    "①②①②①②-①②①②",
    "121272-1219",
)


@pytest.mark.parametrize("number", WRITTEN)
@pytest.mark.parametrize(("before", "after"), [("", ""), ("Elev ", ", ﬁn Ångström"), ("12 x", "x12"), ("(", ")")])
def test_a_number_is_left_out_however_it_is_written(number: str, before: str, after: str) -> None:
    """And all else stays as it was, sign by sign."""
    told = f"{before}{number}{after}"

    assert holds_personal_number(told)
    assert without_personal_numbers(told) == f"{before}{LEFT_OUT}{after}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Kurs DD1212, 1212 timmar",
        "MATMAT01a 100 p",
        "KTH/2026-11-1212-0004",
        "121212-1213",
        "121312-1212",
        "121212 x 1212",
        "121212-12123",
        "1121212-1212",
        "2026-11-20",
        "2026-11-20 10:00",
        "2026-11-20T10:04:05Z",
        "2026-11-20T10:04:05.121212+02:00",
        "10:04:05+0200",
        "20.11.2026 - 20.11.2027",
        "2026-11-20–2027-01-15",
        "läsåret 2026/2027",
        "070-123 45 67",
        "0701-23 45 67",
        "+46 70 123 45 67",
        "08-12 12 12 12",
        "556703-7485",
        "212000-0142",
        "16556703-7485",
        "1 2 3 4 5 6 7 8 9 10",
        "100%20%C3%A5r",
        "７.５ hp",
    ],
)
def test_ordinary_numbers_stay(text: str) -> None:
    """Course codes, days, telephone numbers, and registration numbers of companies."""
    assert not holds_personal_number(text)
    assert without_personal_numbers(text) is text


@pytest.mark.parametrize("between", [" ", ", ", " - ", " / ", "/"])
def test_no_year_beside_a_day_makes_a_number(between: str) -> None:
    """Not even the one in ten whose check digit happens to hold."""
    for year in range(1950, 2050):
        text = f"2026-11-20{between}{year}"
        assert without_personal_numbers(text) == text
        between_days = f"2026-11-20{between}{year}-01-15"
        assert without_personal_numbers(between_days) == between_days
        assert without_personal_numbers(f"2026-11-20–{year}-01-15") == f"2026-11-20–{year}-01-15"


def test_what_stands_around_a_number_makes_none_either() -> None:
    """A number within a number: nothing is left to be read as one."""
    assert without_personal_numbers("Elin 121212 121212-1212 1212.") == f"Elin {LEFT_OUT}."
    assert without_personal_numbers("Elin " + "121212 " * 290 + "1212 " * 290) == LEFT_OUT


def test_several_numbers_are_left_out_each() -> None:
    """With what stands between them."""
    told = without_personal_numbers("Elin 121212-1212 och Åsa 19 12 12 12 – 1212!")
    assert told == f"Elin {LEFT_OUT} och Åsa {LEFT_OUT}!"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("121212-1212", True),
        ("191212121212", True),
        ("121212/1212", True),
        ("1212\u200b121212", True),
        ("\u0661\u0662\u0661\u0662\u0661\u0662\u0661\u0662\u0661\u0662", True),
        ("x121212-1212", False),
        ("121212-1212x", False),
        ("121212-1213", False),
        ("12121212", False),
        ("556703-7485", False),
        ("", False),
    ],
)
def test_a_whole_value_is_such_a_number_or_is_not(value: str, expected: bool) -> None:
    """Where the value is an identifier and nothing besides."""
    assert looks_like_personal_number(value) is expected
