"""Counting work in place of measuring time: the same on every machine, however slow or busy it is."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_CALLS = ("call", "c_call")


@contextmanager
def counted_calls() -> Iterator["Counter[str]"]:
    """Count the functions that are called in this thread meanwhile, those of Python and those written in C, by kind.

    What a single C function does inside is not seen: bound it by the size of what it is given, and by memory.
    """
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, argument: Any) -> None:
        if event in _CALLS:
            calls[event] += 1

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(before)
