"""The only JSON reader for signed or hostile input.

orjson already refuses NaN, infinities (also `1e999`), a byte order mark, lone surrogates, wrong UTF-8 and anything
after the document. This module also refuses what two readers could understand differently or what could exhaust one:
a member written twice, nesting deeper than `MAX_DEPTH`, numbers that do not fit (an integer beyond 64 bits would
silently become a rounded float), and documents above a size.

    loads_object(b'{"alg":"ES256"}')        # {"alg": "ES256"}
    loads_object(b'{"alg":"a","alg":"b"}')  # raises Malformed
"""

import re
from collections.abc import Iterable
from typing import Any

import orjson

from schemas.errors import Malformed

JSON = Any
"""A JSON value: dict, list, str, int, float, bool or None. Its shape is checked by whoever reads it."""

MAX_BYTES = 1_000_000
MAX_DEPTH = 64
_LONG_INTEGERS = re.compile(rb"(?<![\d.eE+-])-?\d{19,}(?![\d.eE])")
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')


def loads(data: bytes | str, *, max_bytes: int = MAX_BYTES) -> JSON:
    """Read one JSON value.

    `max_bytes` bounds the size of the UTF-8 text. Raises `Malformed` when the text is not JSON, names a member
    twice, is nested deeper than 64 levels, is too large, or holds a number beyond 64 bits.
    """
    try:
        raw = data.encode("utf-8") if isinstance(data, str) else data
        size = len(raw)
        if size > max_bytes:
            raise Malformed("the JSON document is too large")
        value = orjson.loads(raw)
    except (orjson.JSONDecodeError, UnicodeEncodeError) as exc:
        raise Malformed("not a JSON document") from exc
    # A document that is written again byte for byte lost nothing in reading: no member, no digit. Most are.
    is_shallow = size <= 2 * MAX_DEPTH or raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH
    if is_shallow and orjson.dumps(value) == raw:
        return value
    _refuse_what_reading_lost(raw, value)
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


def _refuse_what_reading_lost(raw: bytes, value: JSON) -> None:
    """Refuse members written twice, nesting beyond the limit and integers that became rounded floats."""
    # Outside strings, a JSON document has exactly one colon per member that was written; the parsed value has one
    # entry per distinct member.
    without_strings = _STRINGS.sub(b"", raw)
    if _count_members(value, MAX_DEPTH) != without_strings.count(b":"):
        raise Malformed("a JSON object names a member twice")
    for digits in _LONG_INTEGERS.findall(without_strings):
        if len(digits) > 20 or not -(2**63) <= int(digits) < 2**64:
            raise Malformed("the JSON document holds an integer beyond 64 bits")


def _count_members(value: JSON, depth_left: int) -> int:
    """Count the members of all objects in a value. Raises `Malformed` when it is nested too deeply."""
    inner: Iterable[JSON]
    if isinstance(value, dict):
        inner, count = value.values(), len(value)
    elif isinstance(value, list):
        inner, count = value, 0
    else:
        return 0
    if not depth_left:
        raise Malformed("the JSON document is nested too deeply")
    return count + sum(_count_members(each, depth_left - 1) for each in inner)
