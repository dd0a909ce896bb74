"""One way in for every format: told from the content, read whole or refused whole, completed by the profile."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from issuer.profiles import InstitutionProfile
from issuer.results.rows import Row
from issuer.results.table_csv import read_csv
from issuer.results.table_json import read_json
from schemas.errors import NotFound
from schemas.learning.achievement import Achievement, Learner, Source
from schemas.learning.elmo import read_elmo
from schemas.learning.passing import Passing
from schemas.learning.problems import ImportRefused, Problem, refuse
from schemas.learning.safe_xml import Limits, check_size

_BASE64_ONLY = re.compile(rb"[A-Za-z0-9+/=\s]+")
_FOREIGN = {b"PK\x03\x04": "XLSX", b"%PDF": "PDF", b"\xd0\xcf\x11\xe0": "XLS"}
_WRONGLY_DECODED = re.compile(r"[ÃÂ][\u0080-\u00bf‚„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")


@dataclass(frozen=True, slots=True)
class LearnerResults:
    """One person and their achievements, in the order of the file."""

    learner: Learner
    achievements: tuple[Achievement, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """A file of results that was read as a whole.

    `sha256` is the digest of the exact bytes read, hexadecimal. `warnings` are worth knowing and stop nothing.
    """

    source: Source
    sha256: str
    achievements: tuple[Achievement, ...]
    warnings: tuple[Problem, ...]

    @property
    def learners(self) -> tuple[LearnerResults, ...]:
        """The achievements grouped by person: records are one person's when all they say of the person agrees."""
        groups: dict[str, list[Achievement]] = {}
        for achievement in self.achievements:
            groups.setdefault(achievement.learner.model_dump_json(), []).append(achievement)
        return tuple(LearnerResults(group[0].learner, tuple(group)) for group in groups.values())

    def select(self, course: str | None) -> tuple[Achievement, ...]:
        """The achievements with this id or course code, of everybody in the file; all when None. Raises `NotFound`."""
        chosen = tuple(a for a in self.achievements if course is None or course in (a.id, a.code))
        if not chosen:
            raise NotFound("No result has this course code.")
        return chosen


def read_results(
    data: bytes, filename: str | None, *, profile: InstitutionProfile, limits: Limits, today: date
) -> Results:
    """Read a file of results and complete every achievement from the institution's profile.

    `today` bounds dates: nothing in the future can have been achieved. Raises `ImportRefused` with all faults.
    """
    check_size(data, limits)
    sha256 = hashlib.sha256(data).hexdigest()
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:4]
    foreign = _FOREIGN.get(start)
    if foreign is not None:
        raise refuse("A file of the kind %(kind)s cannot be read.", "Save the table as CSV UTF-8.", kind=foreign)
    if start.startswith((b"<", b"\x1f\x8b")) or _BASE64_ONLY.fullmatch(data):
        source = Source.ELMO
        reading = read_elmo(data, limits=limits, today=today)
        achievements, warnings = list(reading.achievements), list(reading.warnings)
    else:
        is_json = start.startswith((b"{", b"["))
        source = Source.JSON if is_json else Source.CSV
        rows, warnings = (read_json if is_json else read_csv)(data, limits=limits, today=today)
        achievements = _from_rows(rows, warnings, sha256, limits)
    completed = tuple(profile.complete(achievement) for achievement in achievements)
    kept = _without_repetitions(completed, warnings)
    warnings += _notes(kept, profile)
    return Results(source, sha256, kept, tuple(warnings[: limits.max_problems]))


def _from_rows(rows: Sequence[Row], warnings: list[Problem], sha256: str, limits: Limits) -> list[Achievement]:
    problems = [problem for row in rows for problem in row.problems]
    sound = [row for row in rows if not row.problems]
    problems += _repeated(sound)
    problems += _disagreeing(sound)
    passed = [row for row in sound if row.passing not in (Passing.FAILED, Passing.IN_PROGRESS)]
    if not problems and not passed:
        problems.append(Problem("The file holds no passed results.", "Choose a file with at least one passed result."))
    if problems:
        raise ImportRefused(sorted(problems, key=lambda p: p.row or 0)[: limits.max_problems])
    for row in sound:
        if row.passing is Passing.FAILED:
            fault, fix = "The result is not passed, so it was left out.", "Nothing needs to be done."
        elif row.passing is Passing.IN_PROGRESS:
            fault, fix = "The course is in progress, so it was left out.", "Import it when it is passed."
        else:
            continue
        warnings.append(Problem(fault, fix, row.number, "status", row.item))
    return [row.achievement(sha256) for row in passed]


def _repeated(rows: Iterable[Row]) -> list[Problem]:
    """Rows that say the same of the same person as an earlier one."""
    seen: dict[tuple[str, str, str], int] = {}
    problems = []
    for row in rows:
        day = row.values.get("completed_on") or row.values.get("issued_on")
        key = (row.learner().model_dump_json(), row.item.casefold(), str(day))
        first = seen.setdefault(key, row.number)
        if first != row.number:
            fault = "The same result of the same person is already in row %(first)s."
            problems.append(Problem(fault, "Remove one of them.", row.number, "", row.item, {"first": first}))
    return problems


def _disagreeing(rows: Iterable[Row]) -> list[Problem]:
    """Rows in which one student number belongs to people with different names or birth dates."""
    seen: dict[str, tuple[Learner, int]] = {}
    problems = []
    for row in rows:
        number = row.values.get("student_number")
        if number is None:
            continue
        learner = row.learner()
        first, first_row = seen.setdefault(number, (learner, row.number))
        if first != learner:
            fault = "The student number belongs to somebody else in row %(first)s."
            fix = "Correct the number, the name or the birth date."
            problems.append(Problem(fault, fix, row.number, "student_number", row.item, {"first": first_row}))
    return problems


def _without_repetitions(achievements: Sequence[Achievement], warnings: list[Problem]) -> tuple[Achievement, ...]:
    """Without results that repeat an earlier one in everything; only reports hold such, tables refuse them."""
    seen: set[str] = set()
    kept = []
    for achievement in achievements:
        content = achievement.model_dump_json(exclude={"id"})
        if content in seen:
            fault = "The result is there twice, so one of them was left out."
            row = int(achievement.id)
            warnings.append(Problem(fault, "Nothing needs to be done.", row, "", achievement.code or ""))
        else:
            seen.add(content)
            kept.append(achievement)
    return tuple(kept)


def _notes(achievements: Iterable[Achievement], profile: InstitutionProfile) -> Iterable[Problem]:
    """What a registrar should look at before issuing."""
    foreign: set[str] = set()
    for achievement in achievements:
        row, item = int(achievement.id), achievement.code or ""
        body = achievement.awarding_body
        if body is not None and not profile.is_own(achievement) and (name := str(body.names)) not in foreign:
            foreign.add(name)
            fault = "The awarding body is not the institution of the profile, so the profile's defaults were not used."
            yield Problem(fault, "Issue only what your institution can vouch for.", row, "awarding_body", item)
        if any(_WRONGLY_DECODED.search(text) for text in (achievement.title or {}).values()):
            fault = "The title seems to have been saved in a wrong encoding."
            yield Problem(fault, "Correct it at the source, and export again.", row, "title", item)
