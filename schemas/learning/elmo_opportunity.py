"""One learning opportunity of an ELMO report, read into an achievement when it is a passed result of its own."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from lxml import etree

from schemas.learning.achievement import MAX_HOURS, Achievement, AwardingBody, Grade, Learner, Source
from schemas.learning.dates import BORN_TOO_LATE, NotADate, event_date
from schemas.learning.elmo_amounts import AmountFault, amount, credits_of, level_of
from schemas.learning.elmo_elements import Elements
from schemas.learning.notes import note
from schemas.learning.passing import Passing, passing
from schemas.learning.problems import Problem
from schemas.learning.texts import MAX_TEXT_CHARACTERS, language_tag

_CODE_TYPES = ("coursecode", "local", "fs", "elmo", "")
_NOTES = {
    Passing.FAILED: "not_passed",
    Passing.IN_PROGRESS: "in_progress",
    Passing.UNKNOWN_WORD: "unknown_status",
    Passing.UNKNOWN_LABEL: "unknown_grade",
}


@dataclass(frozen=True, slots=True)
class ReportContext:
    """What holds for a whole report. `country` is that of the awarding body, also where the body itself is not named.

    `schemes` maps the local id of a grading scheme to its description.
    """

    learner: Learner
    body: AwardingBody | None
    country: str | None
    issued_on: date | None
    schemes: dict[str, dict[str, str] | None]
    sha256: str


class Notes:
    """Faults, which refuse the file, and warnings, which do not; collected while a report is read."""

    def __init__(self, warnings: list[Problem], *, most: int) -> None:
        self.faults: list[Problem] = []
        self.warnings = warnings
        self._most = most

    def fault(self, fault: str, fix: str, field: str = "", row: int | None = None, item: str = "") -> None:
        """Note something that would be wrong on a certificate."""
        self.faults.append(Problem(fault, fix, row, field, item))

    def add(self, noted: Problem) -> None:
        """Keep a note (see `notes.py`), unless there are very many already."""
        if len(self.warnings) < self._most:
            self.warnings.append(noted)


class ElmoValues:
    """Dates and texts of a report, with what is wrong with them noted."""

    def __init__(self, elements: Elements, notes: Notes, today: date) -> None:
        self._in = elements
        self._notes = notes
        self._today = today

    def event(self, element: etree._Element | None, name: str, *, row: int | None, item: str = "") -> date | None:
        """The day on which something happened, None when it is not stated or was noted as a fault."""
        text = self._in.text(element).strip()
        if element is None or not text:
            return None
        try:
            day = event_date(text, pattern=element.get("dtf", ""))
        except NotADate as exc:
            self._notes.fault(exc.fault, exc.fix, name, row, item)
            return None
        if day > self._today:
            self._notes.fault(
                "The date lies in the future.", "Correct the date, or import the result later.", name, row, item
            )
            return None
        return day

    def texts(
        self,
        parent: etree._Element | None,
        name: str,
        *,
        multiline: bool = False,
        row: int | None = None,
        item: str = "",
    ) -> dict[str, str] | None:
        """Texts by language, None when there are none; those too long for a certificate are left out and noted."""
        texts = self._in.texts(parent, name, multiline=multiline)
        kept = {tag: text for tag, text in texts.items() if len(text) <= MAX_TEXT_CHARACTERS}
        if len(kept) < len(texts):
            self._notes.add(note("long_text", row=row, field=name, item=item))
        return kept or None


class OpportunityReader(ElmoValues):
    """Reads one learning opportunity at a time; `row` is its running number in document order."""

    def achievement(
        self, opportunity: etree._Element, context: ReportContext, *, within: Achievement | None, row: int
    ) -> Achievement | None:
        """The achievement, None when there is none or a fault was noted. `within` is the larger unit that holds it."""
        self._row = row
        kind = self._in.line(self._in.child(opportunity, "type"))
        code = self._code(opportunity)
        title = self.texts(opportunity, "title", row=row)
        instance = self._in.child(self._in.child(opportunity, "specifies"), "learningOpportunityInstance")
        label = self._result_label(instance)
        item = code or next(iter((title or {}).values()), "")
        if not self._counts(instance, opportunity, label, kind, within, item):
            return None
        found = len(self._notes.faults)
        ects, swedish = self._amounts(opportunity, instance, item)
        eqf, seqf, eqf_source = self._levels(opportunity, instance, context.country, item)
        completed = self.event(self._in.child(instance, "date"), "date", row=row, item=item)
        born, issued_on = context.learner.birth_date, context.issued_on or completed
        if born is not None and any(day is not None and born >= day for day in (completed, issued_on)):
            self._notes.fault(*BORN_TOO_LATE, "bday", row, item)
        if len(self._notes.faults) > found:
            return None
        return (
            Achievement(
                id=str(row),
                learner=context.learner,
                provenance={"learner": Source.ELMO},
                original_sha256=context.sha256,
                counted_in=_holder_of_credits(within),
            )
            .with_values(
                Source.ELMO,
                title=title,
                code=code,
                kind=kind,
                awarding_body=context.body,
                awarding_country=context.country if context.body is None else None,
                issued_on=issued_on,
                completed_on=completed,
                ects_credits=ects,
                swedish_credits=swedish,
                workload_hours=self._hours(instance, item),
                seqf_level=seqf,
                grade=self._grade(instance, label, context),
                part_of=within.title if within is not None else None,
                description=self.texts(opportunity, "description", multiline=True, row=row),
                further_information=self._url(opportunity),
                languages=self._languages(instance),
            )
            .with_values(eqf_source, eqf_level=eqf)
        )

    def _counts(
        self,
        instance: etree._Element | None,
        opportunity: etree._Element,
        label: str | None,
        kind: str | None,
        within: Achievement | None,
        item: str,
    ) -> bool:
        """Whether this opportunity is a passed result of its own. What is kept out although it has a result is told."""
        state = passing(self._in.line(self._in.child(instance, "status")), label)
        if state in _NOTES:
            self._notes.add(note(_NOTES[state], row=self._row, field="status", item=item))
        if state in (Passing.FAILED, Passing.IN_PROGRESS):
            return False
        if kind is not None and kind.lower() == "class" and within is not None:
            self._notes.add(note("part_of_course", row=self._row, field="type", item=item))
            return False
        credited = self._in.child(instance, "credit") is not None or self._in.child(opportunity, "credit") is not None
        return state is Passing.PASSED or label is not None or credited

    def _amounts(
        self, opportunity: etree._Element, instance: etree._Element | None, item: str
    ) -> tuple[Decimal | None, Decimal | None]:
        elements = self._in.children(instance, "credit") or self._in.children(opportunity, "credit")
        entries = [
            (
                self._in.line(self._in.child(credit, "scheme")) or "",
                self._in.line(self._in.child(credit, "level")) or "",
                self._in.line(self._in.child(credit, "value")) or "",
            )
            for credit in elements
        ]
        try:
            credits, unread = credits_of(entries)
        except AmountFault as exc:
            self._notes.fault(exc.fault, exc.fix, "credit", self._row, item)
            return None, None
        if unread:
            self._notes.add(note("other_credits", row=self._row, field="credit", item=item))
        return credits.get("ects"), credits.get("hp")

    def _levels(
        self, opportunity: etree._Element, instance: etree._Element | None, country: str | None, item: str
    ) -> tuple[int | None, int | None, Source]:
        entries = [
            (self._in.line(self._in.child(level, "type")) or "", self._in.line(self._in.child(level, "value")) or "")
            for level in self._in.children(instance, "level")
        ]
        cycles = [
            self._in.line(self._in.child(credit, "level")) or "" for credit in self._in.children(instance, "credit")
        ]
        cycles.append(self._in.line(self._in.child(opportunity, "level")) or "")  # where the older form has it
        found = level_of(entries, cycles, is_swedish=country == "SE")
        if found.unreadable:
            self._notes.add(note("unreadable_level", row=self._row, field="level", item=item))
        return found.eqf, found.seqf, Source.DERIVED if found.eqf_is_derived else Source.ELMO

    def _hours(self, instance: etree._Element | None, item: str) -> Decimal | None:
        text = self._in.line(self._in.child(instance, "engagementHours"))
        if not text:
            return None
        try:
            hours = amount(text, most=MAX_HOURS, thousands=",")  # The point is XML's decimal sign.
        except AmountFault:
            self._notes.add(note("unreadable_hours", row=self._row, field="engagementHours", item=item))
            return None
        return hours or None  # exports write 0.0 for hours that nobody recorded

    def _grade(self, instance: etree._Element | None, label: str | None, context: ReportContext) -> Grade | None:
        scheme = context.schemes.get(self._in.line(self._in.child(instance, "gradingSchemeLocalId")) or "")
        return Grade(label=label, scheme=scheme) if label else None

    def _result_label(self, instance: etree._Element | None) -> str | None:
        return self._in.line(self._in.child(instance, "resultLabel")) or self._in.line(
            self._in.child(instance, "result")
        )

    def _languages(self, instance: etree._Element | None) -> tuple[str, ...]:
        tags = (language_tag(self._in.line(e)) for e in self._in.children(instance, "languageOfInstruction"))
        return tuple(dict.fromkeys(tag for tag in tags if tag != "und"))

    def _code(self, opportunity: etree._Element) -> str | None:
        identifiers = self._in.identifiers(opportunity)
        for wanted in _CODE_TYPES:
            for identifier in identifiers:
                if identifier.type.lower() == wanted or not wanted:
                    return identifier.value
        return None

    def _url(self, opportunity: etree._Element) -> str | None:
        text = self._in.line(self._in.child(opportunity, "url")) or ""
        return text if text.startswith(("https://", "http://")) and " " not in text else None


def _holder_of_credits(within: Achievement | None) -> str | None:
    """The nearest larger unit that states credits: what is inside it is counted there."""
    if within is None:
        return None
    return within.id if within.ects_credits is not None else within.counted_in
