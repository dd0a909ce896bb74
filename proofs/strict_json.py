"""The only JSON reader for signed or hostile input.

orjson already refuses NaN, infinities, a byte order mark, lone surrogates, wrong UTF-8 and anything after the
document. This module also refuses what two readers could understand differently or what could exhaust one:
a member written twice, nesting deeper than `MAX_DEPTH`, numbers that do not fit (an integer beyond 64 bits would
silently become a rounded float), and documents above a size.

    loads_object(b'{"alg":"ES256"}')        # {"alg": "ES256"}
    loads_object(b'{"alg":"a","alg":"b"}')  # raises Malformed
"""

import re
from typing import Any

import orjson

from schemas.errors import Malformed

JSON = Any
"""A JSON value: dict, list, str, int, float, bool or None. Its shape is checked by whoever reads it."""

MAX_BYTES = 1_000_000
MAX_DEPTH = 64
_TOO_LARGE = 2.0**63  # orjson reads an integer beyond 64 bits as a float of at least this size.
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')


def loads(data: bytes | str, *, max_bytes: int = MAX_BYTES) -> JSON:
    """Read one JSON value.

    `max_bytes` bounds the size of the UTF-8 text. Raises `Malformed` when the text is not JSON, names a member
    twice, is nested deeper than 64 levels, is too large, or holds a number beyond 64 bits.
    """
    try:
        raw = data.encode("utf-8") if isinstance(data, str) else data
        if len(raw) > max_bytes:
            raise Malformed("the JSON document is too large")
        value = orjson.loads(raw)
    except (orjson.JSONDecodeError, UnicodeEncodeError) as exc:
        raise Malformed("not a JSON document") from exc
    members = _count_members(value, MAX_DEPTH)
    # Outside strings, a JSON document has exactly one colon per member that was written; the parsed value has one
    # entry per distinct member. A text with no more colons than entries needs no closer look.
    if members != raw.count(b":") and members != _STRINGS.sub(b"", raw).count(b":"):
        raise Malformed("a JSON object names a member twice")
    return value


def loads_object(data: bytes | str, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Read one JSON object. Raises `Malformed` as `loads` does, and when the value is not an object."""
    value = loads(data, max_bytes=max_bytes)
    if type(value) is not dict:
        raise Malformed("the JSON document is not an object")
    return value


def dumps(value: JSON) -> bytes:
    """Write a JSON value compactly as UTF-8. Raises `TypeError` for what JSON cannot carry."""
    return orjson.dumps(value)


def _count_members(value: JSON, depth_left: int) -> int:
    """Count the members of all objects in a value, checking depth and numbers on the way."""
    kind = type(value)
    if kind is dict:
        if not depth_left:
            raise Malformed("the JSON document is nested too deeply")
        count = len(value)
        for member in value.values():
            kind = type(member)
            if kind is dict or kind is list or kind is float:
                count += _count_members(member, depth_left - 1)
        return count
    if kind is list:
        if not depth_left:
            raise Malformed("the JSON document is nested too deeply")
        count = 0
        for element in value:
            kind = type(element)
            if kind is dict or kind is list or kind is float:
                count += _count_members(element, depth_left - 1)
        return count
    if kind is float and not -_TOO_LARGE < value < _TOO_LARGE:
        raise Malformed("the JSON document holds a number that is too large")
    return 0
