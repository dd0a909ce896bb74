"""Time as an argument: everything that needs the time takes a `Clock` or a moment `now`."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""A function that returns the present moment as an aware UTC datetime."""


def utc_now() -> datetime:
    """The clock of a real service."""
    return datetime.now(UTC)
