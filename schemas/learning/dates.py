"""Calendar dates from the many ways in which records write them.

Birth dates are the trap. Real files hold `1990-01-01`, `1966-07-18T00:00:00`, `18-07-1966` with a declared pattern, and
`1999-10-01T22:00:00Z`: local midnight of 2 October, shifted to UTC, so that the written day is wrong. The rule:

1. A plain date, with or without a zone, is that date.
2. A date with a time of 00:00 is that date, whatever the zone.
3. A time in UTC after noon can only be midnight somewhere east of Greenwich: the date is the following day. A time in
   UTC up to noon is midnight west of it, or a noon written on purpose: the date as written.
4. Any other time does not belong to a calendar date: refused rather than guessed.

We never write a shifted date: claims hold `YYYY-MM-DD`. For days on which something happened (an examination, an issued
report) a time is normal, so rule 4 takes the written day there, and rule 3 holds for full hours from 21:00 on only.
"""

import re
from datetime import date, timedelta

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(Z|[+-]\d{2}:\d{2})?", re.ASCII)
_DATE_AND_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)
_DAY_FIRST = re.compile(r"(\d{2})[-./](\d{2})[-./](\d{4})", re.ASCII)
_DAY_FIRST_PATTERNS = ("dd-MM-yyyy", "dd.MM.yyyy", "dd/MM/yyyy")
_UTC = ("Z", "+00:00", "-00:00", "+0000")
_SHIFT_MINUTES = (0, 30, 45)  # zones are whole, half or three-quarter hours from UTC


_ANOTHER_FORM = ("The date does not have the form YYYY-MM-DD.", "Write it as in 2026-06-05.")
_NO_SUCH_DAY = ("There is no such day in the calendar.", "Correct the date.")
_A_MOMENT = (
    "The birth date has a time of day, so it is not certain which day is meant.",
    "Write it as in 2026-06-05.",
)
BORN_TOO_LATE = (
    "The birth date does not lie before the day of the result.",
    "Correct the birth date, or the day of the result.",
)
"""Fault and fix of a birth date that nobody with this result can have; typically the two days changed places."""
_TOO_EARLY = ("The date lies before 1900.", "Correct the date, or leave it out.")


class NotADate(ValueError):
    """The text is not a calendar date, or does not say which one. `fault` and `fix` as in `Problem`."""

    def __init__(self, fault: str, fix: str) -> None:
        super().__init__(fault)
        self.fault = fault
        self.fix = fix


def birth_date(text: str, *, pattern: str = "") -> date:
    """The calendar date of a birth. `pattern` is a declared order such as `dd-MM-yyyy`.

    Raises `NotADate`, also for days before 1900, which in practice are placeholders.
    """
    day = _calendar_date(text.strip(), pattern, is_birth=True)
    if day.year < 1900:
        raise NotADate(*_TOO_EARLY)
    return day


def event_date(text: str, *, pattern: str = "") -> date:
    """The day on which something happened. Raises `NotADate`, also for days before 1900."""
    day = _calendar_date(text.strip(), pattern, is_birth=False)
    if day.year < 1900:
        raise NotADate(*_TOO_EARLY)
    return day


def _calendar_date(text: str, pattern: str, *, is_birth: bool) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text[:10])
        if pattern in _DAY_FIRST_PATTERNS and (parts := _DAY_FIRST.fullmatch(text)):
            return date(int(parts[3]), int(parts[2]), int(parts[1]))
        if moment := _DATE_AND_TIME.fullmatch(text):
            return _day_of_moment(moment, is_birth=is_birth)
    except NotADate:
        raise
    except (ValueError, OverflowError) as exc:
        raise NotADate(*_NO_SUCH_DAY) from exc
    raise NotADate(*_ANOTHER_FORM)


def _day_of_moment(moment: re.Match[str], *, is_birth: bool) -> date:
    day = date.fromisoformat(moment[1])
    hour, minute, second = int(moment[2]), int(moment[3]), int(moment[4] or 0)
    fraction = int(moment[5] or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise NotADate(*_ANOTHER_FORM)
    if hour == minute == second == fraction == 0:
        return day
    is_utc = moment[6] in _UTC
    on_the_dot = second == fraction == 0
    if not is_birth:
        shifted = is_utc and on_the_dot and minute == 0 and hour >= 21
        return day + timedelta(days=1) if shifted else day
    if not (is_utc and on_the_dot and minute in _SHIFT_MINUTES):
        raise NotADate(*_A_MOMENT)
    return day + timedelta(days=1) if (hour, minute) > (12, 0) else day
