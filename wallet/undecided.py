"""Which reports of acts are kept that could not be decided when the vault was opened, since anybody can send such.

Who knows an address can make reports under powers that a source never gave, in the name of one that gives no keys just
now; until it does, they look like a true one. So they take no place of reports that come later, only a few of them are
kept, and not for long. What comes under a power that was checked before has places of its own. A true report that found
none comes again: its sender tells it anew (`TOLD_AGAIN_AFTER` in `wallet/acts.py`), after those here are gone.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

MOST_OF_A_POWER: Final = 20
"""So many are kept under one power that was checked before."""
MOST_OF_A_SOURCE: Final = 20
"""So many are kept in the name of one source under powers that nobody has checked yet."""
MOST_UNCHECKED: Final = 60
"""So many of those are kept in all."""
KNOWN_FOR: Final = timedelta(days=30)
UNKNOWN_FOR: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Undecided:
    """A report that is left open. `power_copy` is the power as its source signed it, or would have."""

    id: str
    arrived_at: datetime
    source: str
    power_copy: str


def to_forget(undecided: Iterable[Undecided], *, known: Collection[str], now: datetime) -> set[str]:
    """Which of these to forget. `known` are the powers (`power_copy`) under which a report was found true before."""
    of_power: dict[str, int] = {}
    of_source: dict[str, int] = {}
    unchecked = 0
    gone: set[str] = set()
    for one in sorted(undecided, key=lambda one: (one.arrived_at, one.id)):
        is_known = one.power_copy in known
        taken = of_power.get(one.power_copy, 0) if is_known else of_source.get(one.source, 0)
        is_full = taken >= (MOST_OF_A_POWER if is_known else MOST_OF_A_SOURCE)
        is_full = is_full or (not is_known and unchecked >= MOST_UNCHECKED)
        if is_full or now - one.arrived_at >= (KNOWN_FOR if is_known else UNKNOWN_FOR):
            gone.add(one.id)
        elif is_known:
            of_power[one.power_copy] = taken + 1
        else:
            of_source[one.source] = taken + 1
            unchecked += 1
    return gone
