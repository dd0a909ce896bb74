"""One person's records, complete in every respect, for each credential type."""

from datetime import date
from decimal import Decimal
from typing import Any

from schemas.learning.achievement import Achievement, AwardingBody, Grade, Identifier, Learner, Record, Source
from schemas.learning.statement import Statement
from schemas.types import CredentialType

LEARNER = Learner(
    family_name="Nyman",
    given_name="Åsa",
    birth_date=date(1999, 10, 2),
    identifiers=(
        Identifier(type="student_number", value="a1b2"),
        Identifier(type="nationalIdentifier", value="199910022384"),
    ),
)
AWARDING_BODY = AwardingBody(names={"sv": "Nordanviks universitet", "en": "Nordanvik University"}, country="SE")
_EXAMPLES: dict[str, Any] = {
    "text": "Byggnads",
    "texts_list": [{"sv": "Leda", "en": "Lead"}, {"sv": "Planera", "en": "Plan"}],
    "number": 100,
    "percent": 75.5,
    "date": "2026-06-05",
    "boolean": True,
    "types": ["all"],
    "hosts": ["all"],
}
_BY_NAME = {"reports_to": f"https://wallet.example/reports/abc#{'A' * 43}.{'B' * 43}"}


def full(number: int = 1, learner: Learner = LEARNER) -> Achievement:
    """A course with every standard element."""
    text = {"sv": f"Text {number}", "en": f"Text {number}"}
    return Achievement(id=str(number), learner=learner, provenance={"learner": Source.CSV}).with_values(
        Source.CSV,
        title={"sv": f"Kurs {number}", "en": f"Course {number}"},
        code=f"DT{number}",
        awarding_body=AWARDING_BODY,
        issued_on=date(2026, 6, 15),
        completed_on=date(2026, 6, 5),
        outcomes=(text, text),
        ects_credits=Decimal("7.5"),
        swedish_credits=Decimal("7.5"),
        workload_hours=Decimal(200),
        eqf_level=7,
        seqf_level=7,
        assessment_type=text,
        participation_form=text,
        quality_assurance=(text,),
        prerequisites=(text,),
        supervision=text,
        grade=Grade(label="VG", scheme=text),
        stackable=True,
        part_of=text,
        description=text,
        further_information="https://nordanvik.example/kurs",
        languages=("sv", "en"),
    )


def statement(
    credential_type: CredentialType, number: int = 1, learner: Learner = LEARNER, **changes: Any
) -> Statement:
    """A statement with every value that its form has."""
    assert credential_type.form is not None
    values = {}
    for item in credential_type.form.items:
        texts = {"sv": f"{item.name} {number}", "en": f"{item.name} {number}"}
        usual = _BY_NAME.get(item.name) or _EXAMPLES.get(item.claim.value_type, texts)
        values[item.name] = item.one_of[0] if item.one_of else usual
    titles = values.get(credential_type.form.titled_by, dict(credential_type.display))
    given: dict[str, Any] = {
        "id": str(number),
        "learner": learner,
        "type_name": credential_type.name,
        "values": values,
        "title": titles,
        "awarding_body": AWARDING_BODY,
        "as_of": date(2026, 6, 15),
    } | changes
    said = ("learner", "title", "awarding_body", "as_of", *given["values"])
    sources = {name: Source.CSV for name in said if given.get(name, True) is not None}
    return Statement(**given, provenance=sources)


def complete(credential_type: CredentialType, number: int = 1, learner: Learner = LEARNER) -> Record:
    """A record that a certificate of this type can be made of, with everything in it."""
    return full(number, learner) if credential_type.form is None else statement(credential_type, number, learner)


def several(credential_type: CredentialType) -> list[Record]:
    """As many of them as the type takes: one, or two."""
    return [complete(credential_type, number) for number in ((1, 2) if credential_type.takes == "many" else (1,))]
