"""Whether a result was passed, from the status that a record states or, without one, from the result label.

Only what was passed is an achievement. Labels are compared whole and only when no status is stated: scales differ, and
an `F` beside the status `passed` is the institution's own business.
"""

from enum import StrEnum


class Passing(StrEnum):
    """What the record says. UNSTATED is normal: many exports hold passed results only."""

    PASSED = "passed"
    FAILED = "failed"
    IN_PROGRESS = "in-progress"
    UNSTATED = "unstated"
    UNKNOWN_WORD = "unknown word"


_STATUS_WORDS = {
    "": Passing.UNSTATED,
    "passed": Passing.PASSED,
    "godkänd": Passing.PASSED,
    "godkänt": Passing.PASSED,
    "avklarad": Passing.PASSED,
    "failed": Passing.FAILED,
    "underkänd": Passing.FAILED,
    "underkänt": Passing.FAILED,
    "in-progress": Passing.IN_PROGRESS,
    "in progress": Passing.IN_PROGRESS,
    "pågående": Passing.IN_PROGRESS,
}
_FAILED_LABELS = frozenset(
    {
        "failed",
        "fail",
        "not passed",
        "underkänd",
        "underkänt",
        "icke godkänd",
        "icke godkänt",
        "ej godkänd",
        "ej godkänt",
        "ig",
        "u",
        "fx",
        "f",
        "hylätty",
        "hyl",
        "ikke bestått",
        "ikkje bestått",
        "ikke bestået",
        "nicht bestanden",
        "-3",
        "00",
        "0",
    }
)


def passing(status: str | None, label: str | None) -> Passing:
    """What status and result label together say."""
    stated = _STATUS_WORDS.get((status or "").strip().lower(), Passing.UNKNOWN_WORD)
    if stated is Passing.UNSTATED and (label or "").strip().lower() in _FAILED_LABELS:
        return Passing.FAILED
    return stated
