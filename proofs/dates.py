"""NumericDate (RFC 7519, section 2): seconds since 1970 in UTC, whole or decimal."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeGuard

from schemas.errors import Malformed

_EARLIEST, _LATEST = 0, 253_402_300_799  # 1970-01-01 and the last second of the year 9999.


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether a JSON value is a number; `true` and `false` are none."""
    return type(value) is int or type(value) is float


def read_seconds(value: Any, *, name: str) -> int | float:
    """Read a NumericDate claim, decimal ones included, as seconds since 1970. Raises `Malformed`, naming the claim."""
    if not is_number(value) or not _EARLIEST <= value <= _LATEST:
        raise Malformed(f"the claim `{name}` is not a date")
    return value


def read_optional_seconds(claims: Mapping[str, Any], name: str) -> int | float | None:
    """As `read_seconds`, None when the claim is absent."""
    return read_seconds(claims[name], name=name) if name in claims else None


def read_date(value: Any, *, name: str) -> datetime:
    """Read a NumericDate claim, decimal ones included. Raises `Malformed`, naming the claim."""
    return datetime.fromtimestamp(read_seconds(value, name=name), UTC)


def read_optional_date(claims: Mapping[str, Any], name: str) -> datetime | None:
    """As `read_date`, None when the claim is absent."""
    return read_date(claims[name], name=name) if name in claims else None


def numeric_date(moment: datetime) -> int:
    """Write an aware time as whole seconds since 1970. Raises `ValueError` for a time without zone."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone says nothing")
    return int(moment.timestamp())
