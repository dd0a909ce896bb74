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

from lxml import etree

from schemas.learning.achievement import Achievement, AwardingBody, Learner
from schemas.learning.dates import NotADate, birth_date
from schemas.learning.elmo_bodies import country_of, is_placeholder, name_by_identifier, real_identifiers
from schemas.learning.elmo_elements import Elements
from schemas.learning.elmo_form import form_faults
from schemas.learning.elmo_opportunity import Notes, OpportunityReader, ReportContext
from schemas.learning.notes import note
from schemas.learning.personal_numbers import is_national_type, looks_like_personal_number
from schemas.learning.problems import ImportRefused, Problem, refuse
from schemas.learning.safe_xml import Limits, parse_xml, unpack


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
        self._notes = Notes(list(form_faults(root)), most=limits.max_problems)
        self._opportunities = OpportunityReader(self._in, self._notes, today)

    def read(self) -> ElmoReading:
        shared_learner = self._in.child(self._root, "learner")
        for report in self._in.children(self._root, "report"):
            own = self._in.child(report, "learner")
            self._read_report(report, self._learner(own if own is not None else shared_learner))
        if not self._achievements and not self._notes.faults:
            self._notes.fault("The report holds no passed results.", "Choose a report with at least one passed result.")
            self._notes.faults += [one for one in self._notes.warnings if one.code]  # Why each was left out.
        if self._notes.faults:
            raise ImportRefused(self._notes.faults, most=self._limits.max_problems)
        return ElmoReading(tuple(self._achievements), tuple(self._notes.warnings))

    # Reports

    def _read_report(self, report: etree._Element, learner: Learner) -> None:
        issuer = self._in.child(report, "issuer")
        country = country_of(self._in, issuer)
        body = self._awarding_body(issuer, country)
        issued_on = self._opportunities.event(self._in.child(report, "issueDate"), "issueDate", row=None)
        schemes = {
            scheme.get("localId", ""): self._opportunities.texts(scheme, "description", multiline=True)
            for scheme in self._in.children(report, "gradingScheme")
        }
        context = ReportContext(learner, body, country, issued_on, schemes, self._sha256)
        if self._in.child(report, "resultOfRecognition") is not None:
            self._notes.add(note("recognition", field="resultOfRecognition"))
        for opportunity in self._in.children(report, "learningOpportunitySpecification"):
            self._read_opportunity(opportunity, context, within=None)

    def _learner(self, element: etree._Element | None) -> Learner:
        if element is None:
            self._notes.fault(
                "The report does not say whose results these are.",
                "Export it with the learner.",
                field="learner",
            )
            return Learner()
        day = next((d for name in ("bday", "dateOfBirth") if (d := self._in.child(element, name)) is not None), None)
        family_name = self._in.line(self._in.child(element, "familyName"))
        given_name = self._in.line(self._in.child(element, "givenNames"))
        if family_name is None and given_name is not None:
            # A person with one name has it as family name, as in a passport (ICAO 9303-3, 4.6).
            self._notes.add(note("single_name", field="familyName"))
            family_name, given_name = given_name, None
        return Learner(
            family_name=family_name,
            given_name=given_name,
            birth_date=self._birth_date(day) if day is not None else None,
            identifiers=tuple(
                identifier
                for identifier in self._in.identifiers(element)
                if not (is_national_type(identifier.type) or looks_like_personal_number(identifier.value))
            ),
        )

    def _birth_date(self, element: etree._Element) -> date | None:
        text = self._in.text(element).strip()
        if not text:
            return None
        name = etree.QName(element).localname
        try:
            day = birth_date(text, pattern=element.get("dtf", ""))
        except NotADate as exc:
            self._notes.fault(exc.fault, exc.fix, field=name)
            return None
        if day > self._today:
            self._notes.fault("The birth date lies in the future.", "Correct the date.", field=name)
            return None
        return day

    def _awarding_body(self, issuer: etree._Element | None, country: str | None) -> AwardingBody | None:
        titles = (self._opportunities.texts(issuer, "title") if issuer is not None else None) or {}
        names = {tag: title for tag, title in titles.items() if not is_placeholder(title)} or None
        if names is None and issuer is not None:
            names = name_by_identifier(self._in, issuer)
            if names is not None:
                self._notes.add(note("named_by_identifier", field="issuer"))
        if issuer is None or names is None:
            self._notes.add(note("no_awarding_body", field="issuer"))
            return None
        return AwardingBody(names=names, country=country, identifiers=real_identifiers(self._in, issuer))

    # One learning opportunity and its parts

    def _read_opportunity(
        self, opportunity: etree._Element, context: ReportContext, within: Achievement | None
    ) -> None:
        self._row += 1
        if self._row > self._limits.max_rows:
            raise refuse(
                "The file has more than %(count)s results.", "Split it into several files.", count=self._limits.max_rows
            )
        achievement = self._opportunities.achievement(opportunity, context, within=within, row=self._row)
        if achievement is not None:
            self._achievements.append(achievement)
        holder = achievement if achievement is not None else within
        for part in self._in.children(opportunity, "hasPart"):
            for inner in self._in.children(part, "learningOpportunitySpecification"):
                self._read_opportunity(inner, context, holder)
