"""From the raw values of one row to a statement, checked against the form of its credential type."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from issuer.results.rows import Row
from issuer.results.statement_columns import PROTECTED
from schemas.learning.achievement import AwardingBody, Identifier, Learner, Record, Source
from schemas.learning.notes import note
from schemas.learning.passing import Passing
from schemas.learning.personal_numbers import holds_personal_number
from schemas.learning.problems import Problem
from schemas.learning.statement import Statement, texts_in
from schemas.types import CREDENTIAL_TYPES, CredentialType
from schemas.types.learning_claims import number
from schemas.types.statement_form import StatementForm

PERSONAL_NUMBER = "nationalIdentifier"
LOCAL_ID = "localId"
_IDENTIFIERS = {"personal_number": PERSONAL_NUMBER, "local_id": LOCAL_ID}
"""Types of identifiers, as `ISSUER_LOGIN_MATCH` names them."""
_STATEMENT_TYPES = {name: one for name, one in CREDENTIAL_TYPES.items() if one.form is not None}
_BORN_TOO_LATE = (
    "The birth date does not lie before the other days of the row.",
    "Correct the birth date, or the other day.",
)
_COMMON = {
    "certificate_type",
    "family_name",
    "given_name",
    "birth_date",
    "as_of",
    "live",
    PROTECTED,
    "awarding_body",
    *_IDENTIFIERS,
}


@dataclass(slots=True)
class StatementRow(Row):
    """One row of statements while it is being read."""

    @property
    def item(self) -> str:
        """What the row is about: the value that titles it, as far as it has been read."""
        titles = self.values.get(self._form.titled_by) if self._form else None
        item = str(next(iter(titles.values()), "") if isinstance(titles, dict) else "")
        return "" if holds_personal_number(item) else item[:100]

    @property
    def passing(self) -> Passing:
        """A statement is nothing that is passed: a grade F is a grade."""
        return Passing.UNSTATED

    @property
    def _type(self) -> CredentialType | None:
        return _STATEMENT_TYPES.get(str(self.values.get("certificate_type", "")))

    @property
    def _form(self) -> StatementForm | None:
        return self._type.form if self._type is not None else None

    def finish(self, called: Mapping[str, str]) -> None:
        """Note what is missing, does not belong to the type, or may not stand in a certificate."""
        form = self._form
        if form is None:
            self._fault_of_type(called)
            return
        faulty = {problem.field for problem in self.problems}
        if not any(self.values.get(name) for name in ("family_name", *_IDENTIFIERS)) and not faulty:
            fault = "The row does not say whom it is about."
            self.fault(called.get("family_name", "family_name"), fault, "State the family name or a number.")
        if self.values.get(PROTECTED):
            self._leave_out_where(form, called)
        self._check_day(called, faulty)
        days = ("as_of", *(item.name for item in form.items if not item.name.endswith(("birth_date", "birthdate"))))
        self.check_birth(called, days, told=_BORN_TOO_LATE)
        known = {item.name: item for item in form.items}
        for name, value in self.values.items():
            column = called.get(name, name)
            if name not in known and name not in _COMMON:
                fault = "A certificate of this kind holds no such value."
                self.fault(column, fault, "Leave the field empty, or correct the kind of certificate.")
            elif name not in _IDENTIFIERS and _holds_personal_number(value):
                self.fault(column, "The text holds a personal identity number.", "Leave the number out.")
        column_of = {item.name: called.get(item.name, item.name) for item in form.items}
        for item in form.items:
            if item.demanded and not self._has(item.name) and column_of[item.name] not in faulty:
                self.fault(column_of[item.name], "The value is missing.", "Fill it in, or remove the row.")
            elif item.one_of and self._has(item.name) and self.values[item.name] not in item.one_of:
                self._tell_choice(
                    "The value is not one of those that can stand here.", column_of[item.name], item.one_of
                )
        if not self.problems:
            said = {name: _as_json(value) for name, value in self.values.items()}
            said["birthdate"] = said.get("birth_date")
            if (rule := form.broken(said)) is not None:
                self.fault(column_of[rule.item], rule.fault, rule.fix)
        if "personal_number" in self.values:
            field = called.get("personal_number", "")
            self.notes.append(note("personal_numbers_to_recognise", row=self.number, field=field))

    def _leave_out_where(self, form: StatementForm, called: Mapping[str, str]) -> None:
        """Of a person with protected identity nothing is read in that tells where they live, learn or work: neither who
        holds the certificate for them, nor anybody who is shown it, nor our own database can give it away."""
        for item in form.items:
            if not item.tells_where:
                continue
            if item.demanded and self._has(item.name):
                fault = "This tells where somebody with protected identity is, and no certificate can be without it."
                self.fault(called.get(item.name, item.name), fault, "Remove the row.")
            self.values.pop(item.name, None)
        # The name of the school or the office itself; the institution of the settings stands in its place.
        self.values.pop("awarding_body", None)

    def _has(self, name: str) -> bool:
        return self.values.get(name) not in (None, "", [], {})

    def _fault_of_type(self, called: Mapping[str, str]) -> None:
        fault = "There is no kind of certificate of this name that is made of statements."
        self._tell_choice(fault, called.get("certificate_type", "certificate_type"), tuple(_STATEMENT_TYPES))

    def _tell_choice(self, fault: str, column: str, choices: tuple[str, ...]) -> None:
        fix, values = "Write one of: %(choices)s.", {"choices": ", ".join(choices)}
        self.problems.append(Problem(fault, fix, self.number, column, self.item, values))

    def _check_day(self, called: Mapping[str, str], faulty: set[str]) -> None:
        column, live = called.get("as_of", "as_of"), called.get("live", "live")
        has_day, is_live = "as_of" in self.values, bool(self.values.get("live"))
        if has_day and is_live:
            self.fault(column, "A statement that is kept current has no day of its own.", "Leave one of them out.")
        elif not has_day and not is_live and not faulty & {column, live}:
            fault = "The row does not say on which day it was true."
            self.fault(column, fault, "State the day, or write yes under live if you keep it current.")

    def learner(self) -> Learner:
        """The person of this row. Numbers stay identifiers, for recognising who signs in."""
        return Learner(
            family_name=self.values.get("family_name"),
            given_name=self.values.get("given_name"),
            birth_date=self.values.get("birth_date"),
            identifiers=tuple(
                Identifier(type=kind, value=self.values[name])
                for name, kind in _IDENTIFIERS.items()
                if name in self.values
            ),
        )

    def key(self) -> tuple[str, ...]:
        """Rows with the same key state the same of the same person."""
        form = self._form
        values = [str(self.values.get(name)) for name in form.told_apart_by] if form else []
        return self.learner().model_dump_json(), *values

    def record(self, sha256: str) -> Record:
        """The statement. Only for a row without faults."""
        credential_type = self._type
        assert credential_type is not None
        assert credential_type.form is not None
        form = credential_type.form
        values = {item.name: _as_json(self.values[item.name]) for item in form.items if self._has(item.name)}
        titles = values[form.titled_by] if credential_type.takes == "many" else credential_type.titles(values)
        provenance = dict.fromkeys(("learner", *values), self.source)
        optional = {"code": values.get("course_code"), "as_of": self.values.get("as_of")}
        optional["awarding_body"] = self.values.get("awarding_body")
        stated = {name: value for name, value in optional.items() if value is not None}
        return Statement(
            id=str(self.number),
            learner=self.learner(),
            type_name=credential_type.name,
            values=values,
            title=titles,
            is_live=bool(self.values.get("live")),
            provenance=provenance | {"title": Source.DERIVED} | dict.fromkeys(stated, self.source),
            original_sha256=sha256,
            **stated,
        )


def _holds_personal_number(value: Any) -> bool:
    said = value.names if isinstance(value, AwardingBody) else value
    return any(holds_personal_number(text) for text in texts_in(said))


def _as_json(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return number(value) if isinstance(value, Decimal) else value
