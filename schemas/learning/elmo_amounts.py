"""Credits and levels as ELMO writes them.

Credits come with a scheme (`ECTS`, `ects`; in Sweden also `hp`) and sometimes a cycle (`Bachelor`). Several entries of
one scheme add up when each names another cycle; a plain repetition counts once; anything else cannot be understood.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from schemas.learning.achievement import MAX_CREDITS

_NUMBER = re.compile(r"[+-]?\d{1,7}([.,]\d{1,9})?", re.ASCII)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}", re.ASCII)
_SCHEMES = {"ects": "ects", "ects credits": "ects", "hp": "hp", "högskolepoäng": "hp", "hogskolepoang": "hp"}
_CYCLES = {"bachelor": 6, "master": 7, "phd": 8}
_SWEDISH_FRAMEWORKS = ("seqf", "nqf")


class AmountFault(Exception):
    """An amount that would be wrong on a certificate. `fault` and `fix` as in `Problem`."""

    def __init__(self, fault: str, fix: str) -> None:
        super().__init__(fault)
        self.fault = fault
        self.fix = fix


def amount(text: str, *, most: Decimal = MAX_CREDITS, thousands: str = "") -> Decimal:
    """A number of credits or hours: digits with a decimal point or comma, from 0 to `most`, at most three decimals.

    `thousands` holds the signs that may as well separate thousands where the number comes from: `1,600` hours are 1600
    in one country and 1.6 in another, and it is refused. Credits need none: nobody gets a thousand of them for one
    result, while exports write `10.000` for ten.

    Raises `AmountFault`.
    """
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        raise AmountFault("This is not a number.", "Write digits, such as 7.5 or 7,5.")
    grouped = _GROUPED.fullmatch(stripped)
    if grouped is not None and grouped[1] in thousands:
        raise AmountFault(
            "The number can be read in two ways: with thousands or with decimals.",
            "Write it without a sign for thousands and without zeros at the end, such as 1600 or 1.6.",
        )
    value = Decimal(stripped.replace(",", "."))
    if value < 0:
        raise AmountFault("The number is below zero.", "Write the credits that were earned.")
    if value > most:
        raise AmountFault("The number is larger than a single result can have.", "Check the decimal sign.")
    if value != round(value, 3):
        raise AmountFault("The number has more than three decimals.", "Round it.")
    return value


def credits_of(entries: Sequence[tuple[str, str, str]]) -> tuple[Mapping[str, Decimal], bool]:
    """Credits by system (`ects`, `hp`) from (scheme, cycle, value), and whether another system was left unread.

    Raises `AmountFault`.
    """
    by_system: dict[str, dict[str, Decimal]] = {}
    unread = False
    for scheme, cycle, text in entries:
        system = _SCHEMES.get(scheme.lower())
        if system is None or not text:
            unread = unread or bool(text)
            continue
        value = amount(text)
        cycles = by_system.setdefault(system, {})
        if cycles.setdefault(cycle.lower(), value) != value:
            raise AmountFault("The credits are stated twice and differ.", "State them once.")
    totals = {system: sum(cycles.values(), Decimal(0)) for system, cycles in by_system.items()}
    if any(total > MAX_CREDITS for total in totals.values()):
        raise AmountFault("The number is larger than a single result can have.", "Check the decimal sign.")
    return totals, unread


@dataclass(frozen=True, slots=True)
class Levels:
    """Levels from 1 to 8, None when not stated. The EQF level is derived when only a cycle was given."""

    eqf: int | None
    seqf: int | None
    eqf_is_derived: bool
    unreadable: bool


def level_of(entries: Sequence[tuple[str, str]], cycles: Sequence[str], *, is_swedish: bool) -> Levels:
    """Levels from (type, value) and the cycles of the credits.

    `NQF` means the Swedish framework in a Swedish report only. The cycles are levels 6, 7 and 8 of the EQF, as the
    framework of the European Higher Education Area is referenced to it.
    """
    found: dict[str, int] = {}
    unreadable = False
    for kind, text in entries:
        name = kind.lower()
        if not text or (name == "nqf" and not is_swedish) or name not in ("eqf", *_SWEDISH_FRAMEWORKS):
            continue
        if text in "12345678" and len(text) == 1:
            found.setdefault("eqf" if name == "eqf" else "seqf", int(text))
        else:
            unreadable = True
    derived = next((level for cycle in cycles if (level := _CYCLES.get(cycle.lower()))), None)
    eqf = found.get("eqf")
    return Levels(
        eqf if eqf is not None else derived, found.get("seqf"), eqf is None and derived is not None, unreadable
    )
