"""From the raw values of one row to an achievement, with every fault of the row named.

A `Row` collects values and faults while a reader fills it in; `record()` makes the achievement when there are none.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from issuer.results.columns import REQUIRED_FIELDS, Kind
from schemas.learning.achievement import MAX_CREDITS, MAX_HOURS, Achievement, Grade, Identifier, Learner, Record, Source
from schemas.learning.dates import BORN_TOO_LATE, NotADate, birth_date, event_date
from schemas.learning.elmo_amounts import AmountFault, amount
from schemas.learning.notes import note
from schemas.learning.passing import Passing, passing
from schemas.learning.personal_numbers import holds_personal_number, looks_like_personal_number
from schemas.learning.problems import Problem, refuse
from schemas.learning.texts import UNKNOWN_LANGUAGE, clean_text, language_tag

MOST_ENTRIES = 200
"""Entries of one list, such as learning outcomes."""
MOST_CODES = 50
"""Kinds of certificates or host names in one list."""
STUDENT_NUMBER = "student_number"
_NAMES = ("family_name", "given_name")
_YES, _NO = ("yes", "ja", "true", "1"), ("no", "nej", "false", "0")
_LEARNER = ("family_name", "given_name", "birth_date", "student_number")
_SINGLE = (
    "code",
    "kind",
    "issued_on",
    "completed_on",
    "ects_credits",
    "swedish_credits",
    "workload_hours",
    "eqf_level",
    "seqf_level",
    "stackable",
    "further_information",
    "languages",
    "title",
    "assessment_type",
    "participation_form",
    "supervision",
    "part_of",
    "description",
    "awarding_body",
)
_LISTS = ("outcomes", "quality_assurance", "prerequisites")


class Fault(Exception):
    """A value that cannot be used. `fault` and `fix` as in `Problem`."""

    def __init__(self, fault: str, fix: str) -> None:
        super().__init__(fault)
        self.fault = fault
        self.fix = fix


def one_line(text: str) -> str:
    """One line of at most 500 characters."""
    line = clean_text(text)
    if len(line) > 500:
        raise Fault("The text is longer than 500 characters.", "Shorten it.")
    return line


def _past(day: date, today: date) -> date:
    if day > today:
        raise Fault("The date lies in the future.", "Correct the date, or import the result later.")
    return day


def _level(text: str) -> int:
    if len(text) != 1 or text not in "12345678":
        raise Fault("The level is not a whole number from 1 to 8.", "Write one digit, such as 6.")
    return int(text)


def _flag(text: str) -> bool:
    word = text.lower()
    if word not in _YES + _NO:
        raise Fault("This is neither yes nor no.", "Write yes or no.")
    return word in _YES


def _languages(text: str) -> tuple[str, ...]:
    tags = [language_tag(part) for part in text.replace(";", ",").replace("|", ",").split(",") if part.strip()]
    if UNKNOWN_LANGUAGE in tags:
        raise Fault("This is not a language code.", "Write codes such as sv or en, with commas between them.")
    return tuple(dict.fromkeys(tags))


def _codes(text: str) -> list[str]:
    codes = [one_line(part) for part in text.replace(";", ",").replace("|", ",").split(",") if part.strip()]
    if len(codes) > MOST_CODES:
        raise Fault("The list is too long.", "Name fewer, or write all.")
    return list(dict.fromkeys(code for code in codes if code))


def _url(text: str) -> str:
    line = one_line(text)
    if not line.startswith(("https://", "http://")) or " " in line:
        raise Fault("This is not a web address.", "Write an address that begins with https://.")
    return line


def _status(text: str) -> str:
    if passing(text, None) is Passing.UNKNOWN_WORD:
        raise Fault("This status is not known.", "Write passed, failed or in-progress.")
    return text


def _number(most: Decimal, thousands: str = "") -> Callable[[str], Decimal]:
    def read(text: str) -> Decimal:
        try:
            return amount(text, most=most, thousands=thousands)
        except AmountFault as exc:
            raise Fault(exc.fault, exc.fix) from exc

    return read


def _day(read: Callable[[str], date]) -> Callable[[str], date]:
    def checked(text: str) -> date:
        try:
            return read(text)
        except NotADate as exc:
            raise Fault(exc.fault, exc.fix) from exc

    return checked


def _percent(text: str) -> Decimal:
    value = _number(Decimal(100))(text.removesuffix("%").strip())
    if value == 0:
        raise Fault("0 percent is no extent.", "Write a number above 0, or leave the field empty.")
    return value


def _personal_number(text: str) -> str:
    number = "".join(character for character in text if character not in " -")
    if len(number) != 12 or not (number.isascii() and number.isdecimal() and looks_like_personal_number(number)):
        raise Fault("This is not a personal identity number.", "Write it with 12 digits, or leave the field empty.")
    return number


PARSERS: Mapping[Kind, Callable[[str], Any]] = {
    "line": one_line,
    "birth": _day(birth_date),
    "day": _day(event_date),
    "amount": _number(MAX_CREDITS),
    "hours": _number(MAX_HOURS, thousands=".,"),
    "level": _level,
    "flag": _flag,
    "languages": _languages,
    "url": _url,
    "status": _status,
    "any_day": _day(event_date),
    "percent": _percent,
    "codes": _codes,
    "personal_number": _personal_number,
}
"""How a single value of each kind is read from text. Texts and lists gather several columns and are read by the row."""


@dataclass(slots=True)
class Row:
    """One row while it is being read. `number` is what people find it by, `source` where it comes from."""

    number: int
    source: Source
    today: date
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    def fault(self, column: str, fault: str, fix: str) -> None:
        """Note a fault of this row."""
        self.problems.append(Problem(fault, fix, self.number, column, self.item))

    @property
    def item(self) -> str:
        """What the row is about, as far as it has been read: course code, else title."""
        title = self.values.get("title") or {}
        return str(self.values.get("code") or next(iter(title.values()), ""))[:100]

    def read(self, column: str, field_name: str, kind: Kind, text: str) -> None:
        """Read one value from its text; an empty one is no value."""
        text = text.strip()
        if not text:
            return
        try:
            value = PARSERS[kind](text)
            if kind in ("birth", "day"):
                _past(value, self.today)
            if field_name in _NAMES and holds_personal_number(value):
                raise Fault("The name holds a personal identity number.", "Write the name only.")
        except Fault as exc:
            self.fault(column, exc.fault, exc.fix)
            return
        if field_name == STUDENT_NUMBER and looks_like_personal_number(value):
            self.notes.append(note("personal_number_as_student_number", row=self.number, field=column))
        elif value != "":  # nothing but invisible characters
            self.values[field_name] = value

    def read_text(self, column: str, field_name: str, language: str, text: str, *, multiline: bool) -> None:
        """Read one text in one language; `''` means that the language is not told."""
        cleaned = clean_text(text, multiline=multiline)
        if not cleaned:
            return
        if len(cleaned) > 4000:
            self.fault(column, "The text is longer than 4000 characters.", "Shorten it.")
            return
        self.values.setdefault(field_name, {})[language or UNKNOWN_LANGUAGE] = cleaned

    def read_list(self, column: str, field_name: str, language: str, texts: list[str]) -> None:
        """Read a list of texts in one language; lists in several languages are paired by position."""
        if len(texts) > MOST_ENTRIES:
            self.fault(column, "The list has more than 200 entries.", "Shorten it.")
            return
        cleaned = [text for text in (clean_text(part) for part in texts) if text]
        if not cleaned:
            return
        pairs = self.values.setdefault(field_name, [{} for _ in cleaned])
        if len(pairs) != len(cleaned):
            self.fault(
                column,
                "The lists in different languages are not equally long.",
                "Write as many entries in each language, in the same order.",
            )
            return
        for pair, text in zip(pairs, cleaned, strict=True):
            pair[language or UNKNOWN_LANGUAGE] = text[:4000].strip()

    def finish(self, called: Mapping[str, str]) -> None:
        """Note what is missing when everything was read. `called` says how the file calls a field."""
        for name in REQUIRED_FIELDS:
            self.require(name, called[name])
        self.check_birth(called, ("issued_on", "completed_on"))

    def check_birth(
        self, called: Mapping[str, str], days: Iterable[str], *, told: tuple[str, str] = BORN_TOO_LATE
    ) -> None:
        """Note a fault when the person was not born before all of these days of the row; `told` are fault and fix."""
        born = self.values.get("birth_date")
        first = min((self.values[name] for name in days if isinstance(self.values.get(name), date)), default=None)
        if born is not None and first is not None and born >= first:
            self.fault(called.get("birth_date", "birth_date"), *told)

    def require(self, name: str, column: str) -> None:
        """Note a fault when a value that every result needs is missing."""
        # A learner that is missing altogether is one fault, not one for each of its members.
        faulty = any(problem.field in (column, column.partition(".")[0]) for problem in self.problems)
        if not self.values.get(name) and not faulty:
            fix = "Fill it in, or remove the row."
            if name == "family_name" and self.values.get("given_name"):
                fix = "Fill it in. Somebody with one name only has it here."
            self.fault(column, "The value is missing.", fix)

    @property
    def entry_count(self) -> int:
        """How many entries its lists hold together; files are bounded by their sum."""
        return sum(len(value) for value in self.values.values() if isinstance(value, list))

    @property
    def passing(self) -> Passing:
        """Whether the result was passed."""
        return passing(self.values.get("status"), self.values.get("grade"))

    def learner(self) -> Learner:
        """The person of this row. The student number stays an identifier; the profile decides whether to use it."""
        number = self.values.get(STUDENT_NUMBER)
        return Learner(
            family_name=self.values.get("family_name"),
            given_name=self.values.get("given_name"),
            birth_date=self.values.get("birth_date"),
            identifiers=(Identifier(type=STUDENT_NUMBER, value=number),) if number else (),
        )

    def key(self) -> tuple[str, ...]:
        """Rows with the same key say the same of the same person."""
        day = self.values.get("completed_on") or self.values.get("issued_on")
        return self.learner().model_dump_json(), self.item.casefold(), str(day)

    def record(self, sha256: str) -> Record:
        """The achievement. Only for a row without faults."""
        label, scale = self.values.get("grade"), self.values.get("grade_scale")
        values = {name: self.values[name] for name in _SINGLE if name in self.values}
        values |= {name: tuple(self.values[name]) for name in _LISTS if name in self.values}
        issued_on = self.values.get("issued_on") or self.values.get("completed_on")
        return Achievement(
            id=str(self.number), learner=self.learner(), provenance={"learner": self.source}, original_sha256=sha256
        ).with_values(
            self.source,
            **(values | {"issued_on": issued_on, "grade": Grade(label=label, scheme=scale) if label else None}),
        )


class EntryCount:
    """Counts the entries of all lists while a file is read, and refuses the file when there are too many.

    A list of many short entries takes little room in a file and very much in memory.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0

    def add(self, row: Row) -> Row:
        """Count the lists of a row, and give it back. Raises `ImportRefused`."""
        self._count += row.entry_count
        if self._count > self._most:
            fault = "The lists of the file have more than %(count)s entries."
            raise refuse(fault, "Split it into several files.", count=self._most)
        return row
