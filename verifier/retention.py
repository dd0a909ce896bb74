"""Retention: until when values are kept, and that they then go by themselves.

"Kept until 31 March 2027" means through that day where the organisation is, and gone when it has passed. What is
deleted are the values and the evidence; the row of the log, which holds none, stays.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def deletion_moment(retention_until: date, *, time_zone: str) -> datetime:
    """The moment at which values kept until this day must go: the end of the day in that time zone, in UTC."""
    after = datetime.combine(retention_until + timedelta(days=1), time.min, tzinfo=ZoneInfo(time_zone))
    return after.astimezone(UTC)


def days_left(retention_until: date, *, time_zone: str, now: datetime) -> int:
    """How many days values are still kept, today not counted; negative when they are overdue."""
    return (retention_until - now.astimezone(ZoneInfo(time_zone)).date()).days
