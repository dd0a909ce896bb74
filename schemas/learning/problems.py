"""What is wrong with a file of results, said so that whoever made the file can mend it.

A problem names the row, the field, the fault and the fix, and never repeats a value: files hold names and birth dates.
Fault and fix are English sentences in which `%(names)s` are filled in last, so that pages can translate first. What
does not stop a file is a note, from the table in `notes.py`, and has a code there.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from schemas.errors import ProtocolError


def _untranslated(message: str) -> str:
    return message


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault, or one thing worth knowing (a warning).

    `row` counts from 1: the line of a CSV file, the entry of a JSON file, the n-th course of an ELMO report; None means
    the whole file. `field` is the column, member or element. `item` names the course, when known, to find it by.
    `code` is that of a note, and empty for a fault.
    """

    fault: str
    fix: str
    row: int | None = None
    field: str = ""
    item: str = ""
    values: Mapping[str, str | int] = dataclasses.field(default_factory=dict)
    code: str = ""

    def fault_text(self, translate: Callable[[str], str] = _untranslated) -> str:
        """The fault as a sentence, in the language of `translate`."""
        return translate(self.fault) % self.values

    def fix_text(self, translate: Callable[[str], str] = _untranslated) -> str:
        """What to do about it, in the language of `translate`."""
        return translate(self.fix) % self.values

    def __str__(self) -> str:
        place = ", ".join(part for part in (f"row {self.row}" if self.row else "", self.field) if part)
        return f"{place or 'file'}: {self.fault_text()} {self.fix_text()}"


class ImportRefused(ProtocolError):
    """The file cannot be imported, and nothing of it was. `problems` holds every fault found, never just the first.

    With `most`, only so many are kept; `count` still says how many there are.
    """

    error = "invalid_results"

    def __init__(self, problems: Sequence[Problem], *, most: int | None = None) -> None:
        if not problems:
            raise ValueError("a refusal needs a reason")
        shown = "; ".join(str(problem) for problem in problems[:5])
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        super().__init__(f"{len(problems)} problem(s): {shown}{more}")
        self.problems = tuple(problems[:most])
        self.count = len(problems)


def refuse(fault: str, fix: str, **values: str | int) -> ImportRefused:
    """A refusal of the whole file for one reason."""
    return ImportRefused([Problem(fault, fix, values=values)])
