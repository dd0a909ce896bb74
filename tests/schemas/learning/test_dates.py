"""Birth dates are calendar days, however records write them."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.learning.dates import NotADate, birth_date, event_date


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("1990-01-01", date(1990, 1, 1)),
        ("1966-07-18T00:00:00", date(1966, 7, 18)),
        ("1966-07-18T00:00:00Z", date(1966, 7, 18)),
        ("1966-07-18T00:00:00+03:00", date(1966, 7, 18)),
        ("1966-07-18T00:00:00.000-05:00", date(1966, 7, 18)),
        ("1999-10-01T22:00:00Z", date(1999, 10, 2)),  # summer time in Sweden
        ("1999-12-31T23:00:00Z", date(2000, 1, 1)),  # winter time, over the end of the year
        ("2000-02-28T22:00:00.000+00:00", date(2000, 2, 29)),
        ("1980-05-05T18:30:00Z", date(1980, 5, 6)),  # midnight in India
        ("1980-05-05T05:00:00Z", date(1980, 5, 5)),  # midnight in New York
        ("1980-05-05T12:00:00Z", date(1980, 5, 5)),  # noon, written to keep the day
        ("1983-04-12+02:00", date(1983, 4, 12)),
        ("1983-04-12Z", date(1983, 4, 12)),
    ],
)
def test_birth_dates_are_read_as_the_day_that_was_meant(written: str, day: date) -> None:
    """Midnight shifted into another zone is undone; a day is a day."""
    assert birth_date(written) == day


@pytest.mark.parametrize(
    "written",
    [
        "",
        "1999",
        "1999-13-01",
        "1999-02-29",
        "01-02-1999",
        "1999-10-01T15:37:12Z",
        "1999-10-01T22:00:00",
        "1999-10-01T22:00:00+02:00",
        "1899-12-31",
        "0001-01-01",
        "9999-12-31T23:00:00Z",
        "1999-10-01T24:00:00Z",
        "１９９９-10-01",
    ],
)
def test_what_is_not_a_calendar_day_is_refused_rather_than_guessed(written: str) -> None:
    """A wrong birth date on a certificate is worse than none."""
    with pytest.raises(NotADate):
        birth_date(written)


@pytest.mark.parametrize(
    ("written", "pattern", "day"),
    [("18-07-1966", "dd-MM-yyyy", date(1966, 7, 18)), ("18.07.1966", "dd.MM.yyyy", date(1966, 7, 18))],
)
def test_a_declared_pattern_is_followed(written: str, pattern: str, day: date) -> None:
    """Old reports write the day first and say so."""
    assert birth_date(written, pattern=pattern) == day
    with pytest.raises(NotADate):
        birth_date(written)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2015-10-31T07:00:00+02:00", date(2015, 10, 31)),
        ("2017-01-09T10:04:48.173+01:00", date(2017, 1, 9)),
        ("2014-11-28T00:00:00.000+02:00", date(2014, 11, 28)),
        ("2014-11-27T23:00:00Z", date(2014, 11, 28)),
        ("2014-11-27T23:12:09Z", date(2014, 11, 27)),
    ],
)
def test_the_day_of_an_event_is_the_written_one_unless_it_is_a_shifted_midnight(written: str, day: date) -> None:
    """A report can be issued at any time of day."""
    assert event_date(written) == day


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_refused(text: str) -> None:
    """Nothing else comes out."""
    for read in (birth_date, event_date):
        with suppress(NotADate):
            assert isinstance(read(text), date)


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1)))
def test_a_plain_date_stays_as_it_is(day: date) -> None:
    """Every day of the calendar is read back as itself."""
    assert birth_date(day.isoformat()) == event_date(day.isoformat()) == day
