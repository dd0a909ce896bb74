"""One way in for every format: told from the content, read whole or refused whole, completed by the profile."""

import codecs
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from issuer.profiles import InstitutionProfile
from issuer.results.people import notes_on_people
from issuer.results.rows import Row
from issuer.results.table_csv import read_csv
from issuer.results.table_json import read_json
from schemas.errors import NotFound
from schemas.learning.achievement import Achievement, Learner, Record, Source
from schemas.learning.elmo import read_elmo
from schemas.learning.notes import note
from schemas.learning.passing import Passing
from schemas.learning.problems import ImportRefused, Problem, refuse
from schemas.learning.safe_xml import Limits, check_size

R = TypeVar("R", bound=Record)
_NOTES = {
    Passing.FAILED: "not_passed",
    Passing.IN_PROGRESS: "in_progress",
    Passing.UNKNOWN_LABEL: "unknown_grade",
}
_WEB_PAGE = re.compile(rb"\s*(\xef\xbb\xbf)?\s*<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_BASE64_ONLY = re.compile(rb"[A-Za-z0-9+/=\s]+")
_JSON_SCALAR = re.compile(rb"(\xef\xbb\xbf)?\s*(null|true|false|-?[0-9]{1,30}(\.[0-9]{1,30})?)\s*")
"""A file that is nothing but `null`, say: what a program writes that found no results. As base64 it would be noise."""
_SAVE_AS = {
    "<": "Save or export it as UTF-8, with that encoding in its first line.",
    "{": "Save it as UTF-8.",
    "[": "Save it as UTF-8.",
    "": "Save it as CSV UTF-8.",
}
"""What to do about a file in UTF-16 or UTF-32, by the first character that says what kind of file it is."""
_WIDE_MARKS = {
    codecs.BOM_UTF32_LE: ("UTF-32", "utf-32-le"),
    codecs.BOM_UTF32_BE: ("UTF-32", "utf-32-be"),
    codecs.BOM_UTF16_LE: ("UTF-16", "utf-16-le"),
    codecs.BOM_UTF16_BE: ("UTF-16", "utf-16-be"),
}
_FOREIGN = {b"PK\x03\x04": "XLSX", b"%PDF": "PDF", b"\xd0\xcf\x11\xe0": "XLS"}
_WRONGLY_DECODED = re.compile(r"[ÃÂ][\u0080-\u00bf‚„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")


@dataclass(frozen=True, slots=True)
class LearnerRecords:
    """One person and what the file says of them, in its order."""

    learner: Learner
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """A file of records that was read as a whole: achievements, or statements for one credential type.

    `sha256` is the digest of the exact bytes read, hexadecimal. `warnings` are worth knowing and stop nothing.
    """

    source: Source
    sha256: str
    records: tuple[Record, ...]
    warnings: tuple[Problem, ...]

    @property
    def achievements(self) -> tuple[Achievement, ...]:
        """The records that are achievements."""
        return tuple(record for record in self.records if isinstance(record, Achievement))

    @property
    def learners(self) -> tuple[LearnerRecords, ...]:
        """The records grouped by person: they are one person's when all that they say of the person agrees."""
        groups: dict[str, list[Record]] = {}
        for record in self.records:
            groups.setdefault(record.learner.model_dump_json(), []).append(record)
        return tuple(LearnerRecords(group[0].learner, tuple(group)) for group in groups.values())

    def select(self, course: str | None) -> tuple[Achievement, ...]:
        """The achievements with this course code or id, of everybody in the file; all when None. Raises `NotFound`."""
        return select_results(self.achievements, [] if course is None else [course])


def select_results(records: Sequence[R], courses: Sequence[str]) -> tuple[R, ...]:
    """The records that any of these names, in the order of the file; all when there are no names.

    A name is a course code; only when no course has that code, it is the id of one result, so that a course called 12
    is never taken for row 12. Raises `NotFound` when a name fits nothing.
    """
    chosen: set[str] = set()
    for course in courses:
        found = [one.id for one in records if one.code == course] or [one.id for one in records if one.id == course]
        if not found:
            raise NotFound("No result has this course code.")
        chosen.update(found)
    if not records:
        raise NotFound("There are no results.")
    return tuple(one for one in records if not courses or one.id in chosen)


def read_results(
    data: bytes, filename: str | None, *, profile: InstitutionProfile, limits: Limits, today: date
) -> Results:
    """Read a file of results or statements and complete every record from the institution's profile.

    `today` bounds dates: nothing in the future can have been achieved. Raises `ImportRefused` with all faults.
    """
    check_size(data, limits)
    sha256 = hashlib.sha256(data).hexdigest()
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:4]
    foreign = _FOREIGN.get(start)
    if foreign is not None:
        raise refuse("A file of the kind %(kind)s cannot be read.", "Save the table as CSV UTF-8.", kind=foreign)
    if _WEB_PAGE.match(data[:1000]):
        raise refuse("The file is a web page, not a file of results.", "Export the results instead of saving the page.")
    if (wide := _wide_encoding(data)) is not None:
        encoding, codec = wide
        raise refuse("The file is in %(encoding)s.", _SAVE_AS[_first_character(data, codec)], encoding=encoding)
    if start.startswith((b"<", b"\x1f\x8b")) or (_BASE64_ONLY.fullmatch(data) and not _JSON_SCALAR.fullmatch(data)):
        source = Source.ELMO
        reading = read_elmo(data, limits=limits, today=today)
        records: list[Record] = list(reading.achievements)
        warnings = list(reading.warnings)
    else:
        is_json = start.startswith((b"{", b"[")) or bool(_JSON_SCALAR.fullmatch(data))
        source = Source.JSON if is_json else Source.CSV
        rows, warnings = (read_json if is_json else read_csv)(data, limits=limits, today=today)
        records = _from_rows(rows, warnings, sha256, limits)
    completed = [
        profile.complete(record) if isinstance(record, Achievement) else profile.with_body(record) for record in records
    ]
    kept = _without_repetitions(completed, warnings)
    results = Results(source, sha256, kept, ())
    warnings += notes_on_people(results.achievements, source)
    warnings += _notes(kept, profile)
    return replace(results, warnings=tuple(warnings))


def _wide_encoding(data: bytes) -> tuple[str, str] | None:
    """The name of UTF-16 or UTF-32 and its codec, if a file is text in one: by its byte order mark, or by a first
    character of XML or JSON among zeros. The mark of UTF-32 begins like that of UTF-16.
    """
    for mark, found in _WIDE_MARKS.items():
        if data.startswith(mark):
            return found
    for codec in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        if data.startswith(tuple(character.encode(codec) for character in "<{[")):
            return codec[:6].upper(), codec
    return None


def _first_character(data: bytes, codec: str) -> str:
    """The first character of a file in UTF-16 or UTF-32 if it tells XML or JSON, else nothing."""
    first = data[:1000].decode(codec, errors="ignore").lstrip("\ufeff \t\r\n")[:1]
    return first if first in _SAVE_AS else ""


def _from_rows(rows: Sequence[Row], warnings: list[Problem], sha256: str, limits: Limits) -> list[Record]:
    problems = [problem for row in rows for problem in row.problems]
    sound = [row for row in rows if not row.problems]
    passed = [row for row in sound if row.passing not in (Passing.FAILED, Passing.IN_PROGRESS)]
    if not rows:
        problems.append(Problem("The file holds nothing below its first line.", "Choose a file with at least one row."))
    problems += _repeated(passed)  # several attempts of which one was passed are normal
    problems += _disagreeing(sound)
    if not problems and not passed:
        problems.append(Problem("The file holds no passed results.", "Choose a file with at least one passed result."))
        problems += _notes_of(sound)  # Else nobody would learn why each of them was left out.
    if problems:
        raise ImportRefused(sorted(problems, key=lambda p: p.row or 0), most=limits.max_problems)
    warnings += _notes_of(sound)
    return [row.record(sha256) for row in passed]


def _notes_of(rows: Iterable[Row]) -> list[Problem]:
    """What is worth knowing about these rows, and which of them were left out."""
    notes = []
    for row in rows:
        notes += row.notes
        code = _NOTES.get(row.passing)
        if code is not None:
            notes.append(note(code, row=row.number, field="status", item=row.item))
    return notes


def _repeated(rows: Iterable[Row]) -> list[Problem]:
    """Rows that say the same of the same person as an earlier one."""
    seen: dict[tuple[str, ...], int] = {}
    problems = []
    for row in rows:
        first = seen.setdefault(row.key(), row.number)
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


def _without_repetitions(records: Sequence[Record], warnings: list[Problem]) -> tuple[Record, ...]:
    """Without results that repeat an earlier one in everything; only reports hold such, tables refuse them."""
    seen: set[str] = set()
    kept = []
    for record in records:
        content = record.model_dump_json(exclude={"id"})
        if content in seen:
            warnings.append(note("repeated", row=int(record.id), item=record.code or ""))
        else:
            seen.add(content)
            kept.append(record)
    return tuple(kept)


def notes_on_names(records: Iterable[Record]) -> Iterator[Problem]:
    """A note when the address of the service stands as awarding body of any of these."""
    if any(record.provenance.get("awarding_body") is Source.ADDRESS for record in records):
        yield note("address_as_name", field="awarding_body")


def _notes(records: Sequence[Record], profile: InstitutionProfile) -> Iterator[Problem]:
    """What a registrar should look at before issuing."""
    yield from notes_on_names(records)
    for record in records:
        row, item = int(record.id), record.code or ""
        body = record.awarding_body
        if not profile.is_own(record):
            code = "other_country" if body is None else profile.note_on_others
            yield note(code, row=row, field="awarding_body", item=item)
        if any(_WRONGLY_DECODED.search(text) for text in (record.title or {}).values()):
            yield note("wrong_encoding", row=row, field="title", item=item)
        if isinstance(record, Achievement) and record.workload_hours is None and 0 in record.brief.amounts.values():
            yield note("no_credits", row=row, field="credits", item=item)
