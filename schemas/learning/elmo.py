"""ELMO, the XML in which EMREX carries study results: read by content, since 1.x and 2.x share one namespace.

    reading = read_elmo(data, limits=Limits(), today=date(2026, 11, 20))
    reading.achievements, reading.warnings

What is unknown is ignored, as the standard asks of clients. A deviation from the schema is a warning (`elmo_form.py`);
a value that would be wrong on a certificate (credits below zero, an impossible date) refuses the file, with all such
faults at once. Only passed results become achievements: what failed or is in progress is kept out, and the warnings
say so.
ELMO never carries M6 and M9-M11 (learning outcomes, assessment, participation, quality assurance).

The signature is not checked here: a staff member who imports a file vouches for it. National identity numbers are left
in the file: nothing after this module has seen them.

Source: emrex-eu/standard and elmo-schemas; shapes met in the field in `tests/vectors/learning`.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from lxml import etree

from schemas.learning.achievement import Achievement, AwardingBody, Grade, Learner, Source
from schemas.learning.dates import NotADate, birth_date, event_date
from schemas.learning.elmo_amounts import AmountFault, credits_of, level_of
from schemas.learning.elmo_elements import Elements
from schemas.learning.elmo_form import PLACEHOLDER, form_faults
from schemas.learning.passing import Passing, passing
from schemas.learning.problems import ImportRefused, Problem, refuse
from schemas.learning.safe_xml import Limits, parse_xml, unpack
from schemas.learning.texts import MAX_TEXT_CHARACTERS, language_tag

NATIONAL_IDENTIFIERS = frozenset({"nationalidentifier", "ssn", "personnummer", "cpr", "hetu", "fodselsnummer", "pesel"})

_CODE_TYPES = ("coursecode", "local", "fs", "elmo", "")
_NOTES = {
    Passing.FAILED: ("The result is not passed, so it was left out.", "Nothing needs to be done."),
    Passing.IN_PROGRESS: ("The course is in progress, so it was left out.", "Import it when it is passed."),
    Passing.UNKNOWN_WORD: ("The status is not one that ELMO knows.", "Check the result before you issue it."),
}


@dataclass(frozen=True, slots=True)
class ElmoReading:
    """What an ELMO report says: achievements in document order, and what is worth knowing about them."""

    achievements: tuple[Achievement, ...]
    warnings: tuple[Problem, ...]


def read_elmo(data: bytes, *, limits: Limits, today: date) -> ElmoReading:
    """Read an ELMO report: XML, gzip, base64, or gzip in base64 as EMREX answers with.

    Raises `ImportRefused` with every fault found; then nothing was read.
    """
    root = parse_xml(unpack(data, limits), limits)
    if etree.QName(root).localname != "elmo":
        raise refuse("The XML is not an ELMO report.", "Export the results as ELMO (EMREX).")
    return _Reader(root, hashlib.sha256(data).hexdigest(), limits, today).read()


class _Reader:
    """Walks one report. `row` is the running number of a learning opportunity in document order."""

    def __init__(self, root: etree._Element, sha256: str, limits: Limits, today: date) -> None:
        self._root = root
        self._in = Elements(root)
        self._sha256 = sha256
        self._limits = limits
        self._today = today
        self._row = 0
        self._achievements: list[Achievement] = []
        self._problems: list[Problem] = []
        self._warnings: list[Problem] = list(form_faults(root))

    def read(self) -> ElmoReading:
        shared_learner = self._in.child(self._root, "learner")
        for report in self._in.children(self._root, "report"):
            own = self._in.child(report, "learner")
            self._read_report(report, self._learner(own if own is not None else shared_learner))
        if not self._achievements and not self._problems:
            self._fault(
                "The report holds no passed results.", "Choose a report with at least one passed result.", row=None
            )
        if self._problems:
            raise ImportRefused(self._problems[: self._limits.max_problems])
        return ElmoReading(tuple(self._achievements), tuple(self._warnings))

    # Reports

    def _read_report(self, report: etree._Element, learner: Learner) -> None:
        body = self._awarding_body(self._in.child(report, "issuer"))
        issued_on = self._event(self._in.child(report, "issueDate"), "issueDate", row=None)
        schemes = {
            scheme.get("localId", ""): self._texts(scheme, "description", multiline=True)
            for scheme in self._in.children(report, "gradingScheme")
        }
        context = _Context(learner, body, issued_on, schemes)
        if self._in.child(report, "resultOfRecognition") is not None:
            self._warn(
                "Recognition decisions are not read.",
                "Issue them from the recognition itself.",
                field="resultOfRecognition",
            )
        for opportunity in self._in.children(report, "learningOpportunitySpecification"):
            self._read_opportunity(opportunity, context, within=None)

    def _learner(self, element: etree._Element | None) -> Learner:
        if element is None:
            self._fault(
                "The report does not say whose results these are.",
                "Export it with the learner.",
                field="learner",
                row=None,
            )
            return Learner()
        day = next((d for name in ("bday", "dateOfBirth") if (d := self._in.child(element, name)) is not None), None)
        return Learner(
            family_name=self._in.line(self._in.child(element, "familyName")),
            given_name=self._in.line(self._in.child(element, "givenNames")),
            birth_date=self._birth_date(day) if day is not None else None,
            identifiers=tuple(
                identifier
                for identifier in self._in.identifiers(element)
                if identifier.type.lower().replace(" ", "") not in NATIONAL_IDENTIFIERS
            ),
        )

    def _birth_date(self, element: etree._Element) -> date | None:
        text = self._in.text(element)
        if not text:
            return None
        try:
            day = birth_date(text, pattern=element.get("dtf", ""))
        except NotADate:
            day = None
        if day is None or day > self._today:
            self._fault("The birth date is not a day that has been.", "Write it as YYYY-MM-DD.", field="bday", row=None)
        return day

    def _awarding_body(self, issuer: etree._Element | None) -> AwardingBody | None:
        names = self._texts(issuer, "title") if issuer is not None else None
        if issuer is None or not names or any(PLACEHOLDER.match(name) for name in names.values()):
            self._warn(
                "The report does not really name the awarding body.",
                "The institution's profile fills it in, if it has one.",
                field="issuer",
            )
            return None
        country = (self._in.line(self._in.child(issuer, "country")) or "").upper()
        is_code = len(country) == 2 and country.isascii() and country.isalpha()
        return AwardingBody(names=names, country=country if is_code else None, identifiers=self._in.identifiers(issuer))

    # One learning opportunity and its parts

    def _read_opportunity(self, opportunity: etree._Element, context: "_Context", within: Achievement | None) -> None:
        self._row += 1
        if self._row > self._limits.max_rows:
            raise refuse(
                "The file has more than %(count)s results.", "Split it into several files.", count=self._limits.max_rows
            )
        achievement = self._achievement(opportunity, context, within)
        if achievement is not None:
            self._achievements.append(achievement)
        holder = achievement if achievement is not None else within
        for part in self._in.children(opportunity, "hasPart"):
            for inner in self._in.children(part, "learningOpportunitySpecification"):
                self._read_opportunity(inner, context, holder)

    def _achievement(
        self, opportunity: etree._Element, context: "_Context", within: Achievement | None
    ) -> Achievement | None:
        row, kind = self._row, self._in.line(self._in.child(opportunity, "type"))
        code = self._code(opportunity)
        title = self._texts(opportunity, "title", row=row)
        instance = self._in.child(self._in.child(opportunity, "specifies"), "learningOpportunityInstance")
        label = self._result_label(instance)
        item = code or next(iter((title or {}).values()), "")
        if not self._counts(instance, opportunity, label, kind, within, item):
            return None
        found = self._problem_count()
        ects, swedish = self._amounts(opportunity, instance, item)
        eqf, seqf, eqf_source = self._levels(opportunity, instance, context.body, item)
        completed = self._event(self._in.child(instance, "date"), "date", row=row, item=item)
        if self._problem_count() > found:
            return None
        return (
            Achievement(
                id=str(row),
                learner=context.learner,
                provenance={"learner": Source.ELMO},
                original_sha256=self._sha256,
                counted_in=within.id if within is not None and within.ects_credits is not None else None,
            )
            .with_values(
                Source.ELMO,
                title=title,
                code=code,
                kind=kind,
                awarding_body=context.body,
                issued_on=context.issued_on or completed,
                completed_on=completed,
                ects_credits=ects,
                swedish_credits=swedish,
                workload_hours=self._hours(instance, item),
                seqf_level=seqf,
                grade=self._grade(instance, label, context),
                part_of=within.title if within is not None else None,
                description=self._texts(opportunity, "description", multiline=True, row=row),
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
            fault, fix = _NOTES[state]
            self._warn(fault, fix, "status", self._row, item)
        if state in (Passing.FAILED, Passing.IN_PROGRESS):
            return False
        if kind is not None and kind.lower() == "class" and within is not None:
            self._warn(
                "Part of a course, not a result of its own.", "Nothing needs to be done.", "type", self._row, item
            )
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
            self._fault(exc.fault, exc.fix, "credit", self._row, item)
            return None, None
        if unread:
            self._warn(
                "Credits in another system than ECTS were not read.", "State ECTS credits.", "credit", self._row, item
            )
        return credits.get("ects"), credits.get("hp")

    def _levels(
        self, opportunity: etree._Element, instance: etree._Element | None, body: AwardingBody | None, item: str
    ) -> tuple[int | None, int | None, Source]:
        entries = [
            (self._in.line(self._in.child(level, "type")) or "", self._in.line(self._in.child(level, "value")) or "")
            for level in self._in.children(instance, "level")
        ]
        cycles = [
            self._in.line(self._in.child(credit, "level")) or "" for credit in self._in.children(instance, "credit")
        ]
        found = level_of(entries, cycles, is_swedish=body is not None and body.country == "SE")
        if found.unreadable:
            self._warn(
                "A level is not a number from 1 to 8, so it was left out.",
                "State the EQF level.",
                "level",
                self._row,
                item,
            )
        return found.eqf, found.seqf, Source.DERIVED if found.eqf_is_derived else Source.ELMO

    def _hours(self, instance: etree._Element | None, item: str) -> Decimal | None:
        text = self._in.line(self._in.child(instance, "engagementHours"))
        if not text:
            return None
        try:
            hours, _ = credits_of([("ects", "", text)])
        except AmountFault:
            self._warn(
                "The hours are not a number, so they were left out.",
                "Write hours as a number.",
                "engagementHours",
                self._row,
                item,
            )
            return None
        return hours.get("ects") or None  # exports write 0.0 for hours that nobody recorded

    def _grade(self, instance: etree._Element | None, label: str | None, context: "_Context") -> Grade | None:
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

    # Values

    def _event(self, element: etree._Element | None, name: str, *, row: int | None, item: str = "") -> date | None:
        text = self._in.text(element)
        if element is None or not text:
            return None
        try:
            day = event_date(text, pattern=element.get("dtf", ""))
        except NotADate:
            self._fault("This is not a date.", "Write it as YYYY-MM-DD.", name, row, item)
            return None
        if day > self._today:
            self._fault(
                "The date lies in the future.", "Correct the date, or import the result later.", name, row, item
            )
            return None
        return day

    def _texts(
        self,
        parent: etree._Element | None,
        name: str,
        *,
        multiline: bool = False,
        row: int | None = None,
        item: str = "",
    ) -> dict[str, str] | None:
        texts = self._in.texts(parent, name, multiline=multiline)
        kept = {tag: text for tag, text in texts.items() if len(text) <= MAX_TEXT_CHARACTERS}
        if len(kept) < len(texts):
            self._warn("The text is too long, so it was left out.", "Shorten it to 4000 characters.", name, row, item)
        return kept or None

    def _problem_count(self) -> int:
        return len(self._problems)

    def _fault(self, fault: str, fix: str, field: str = "", row: int | None = None, item: str = "") -> None:
        self._problems.append(Problem(fault, fix, row, field, item))

    def _warn(self, fault: str, fix: str, field: str = "", row: int | None = None, item: str = "") -> None:
        if len(self._warnings) < self._limits.max_problems:
            self._warnings.append(Problem(fault, fix, row, field, item))


@dataclass(frozen=True, slots=True)
class _Context:
    """What holds for a whole report."""

    learner: Learner
    body: AwardingBody | None
    issued_on: date | None
    schemes: dict[str, dict[str, str] | None]
