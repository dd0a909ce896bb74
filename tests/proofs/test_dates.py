"""Dates as seconds since 1970."""

from datetime import UTC, datetime

import pytest

from proofs.dates import numeric_date, read_date, read_optional_date
from schemas.errors import Malformed


def test_whole_and_decimal_seconds_are_read() -> None:
    """Both are NumericDates."""
    assert read_date(0, name="iat") == datetime(1970, 1, 1, tzinfo=UTC)
    assert read_date(1.5, name="iat").microsecond == 500_000
    assert read_optional_date({"exp": 60}, "exp") == datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
    assert read_optional_date({}, "exp") is None


@pytest.mark.parametrize("value", [None, "1", True, -1, 1e12, [1]])
def test_what_is_no_date_is_refused_by_name(value: object) -> None:
    """The claim is named, its value is not."""
    with pytest.raises(Malformed, match="`exp`"):
        read_date(value, name="exp")
    with pytest.raises(Malformed):
        read_optional_date({"exp": value}, "exp")


def test_a_time_without_zone_is_not_written() -> None:
    """It could mean any of twenty-four hours."""
    assert numeric_date(datetime(1970, 1, 1, 0, 0, 1, 999_999, tzinfo=UTC)) == 1
    with pytest.raises(ValueError, match="zone"):
        numeric_date(datetime(1970, 1, 1))  # noqa: DTZ001
