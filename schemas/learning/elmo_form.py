"""Whether an ELMO report has the form that its schema asks for. Deviations are worth a warning, never a refusal.

The official schemas are under another licence than this project and are therefore not part of it (see
`docs/adr/0001-elmo-schemas.md`). What follows are their content models in our own words: for each element the order of
its children, for versions 1.5 to 1.7 and for 2.0. The tests compare the verdicts with the official schemas.
"""

import re
from collections.abc import Iterator, Mapping

from lxml import etree

from schemas.learning.notes import note
from schemas.learning.problems import Problem

NAMESPACE = "https://github.com/emrex-eu/elmo-schemas/tree/v1"

_MODELS_1 = {
    "elmo": "generatedDate learner report+ attachment* groups? extension? Signature?",
    "learner": "citizenship? identifier* givenNames familyName bday? placeOfBirth? birthName? currentAddress? gender?",
    "report": "issuer learningOpportunitySpecification* issueDate gradingScheme* attachment*",
    "issuer": "country? identifier+ title+ url",
    "learningOpportunitySpecification": "identifier* title+ type? subjectArea? iscedCode? url? description* "
    "descriptionHtml* specifies hasPart* extension?",
    "specifies": "learningOpportunityInstance extension?",
    "learningOpportunityInstance": "identifier* start? date? academicTerm? status? gradingSchemeLocalId? "
    "resultLabel? shortenedGrading? resultDistribution? credit* level* languageOfInstruction? engagementHours? "
    "attachments? grouping? extension? diplomaSupplement?",
    "academicTerm": "title+ start end",
    "credit": "scheme level? value?",
    "level": "type description? value?",
    "hasPart": "learningOpportunitySpecification",
}
_MODELS_2 = _MODELS_1 | {
    "learner": "citizenship? identifier* givenNames familyName alternativeName? (bday|dateOfBirth)? placeOfBirth? "
    "birthName? currentAddress? gender?",
    "report": "issuer learningOpportunitySpecification* resultOfRecognition* issueDate gradingScheme* attachment*",
    "learningOpportunitySpecification": _MODELS_1["learningOpportunitySpecification"].replace(
        "identifier*", "identifier+"
    ),
    "learningOpportunityInstance": _MODELS_1["learningOpportunityInstance"].replace(
        "gradingSchemeLocalId?", "gradingSchemeLocalId? gradingSchemeExternalId?"
    ),
    "credit": "scheme value?",
}
_VALUES = {
    "status": re.compile(r"passed|failed|in-progress"),
    "credit/level": re.compile(r"Bachelor|Master|PhD"),
    "credit/value": re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)"),
    "learningOpportunitySpecification/type": re.compile(r"Degree Programme|Module|Course|Class"),
}
_VALUE_NAMES = ("level",)  # a container inside an instance, a plain value inside credits
_MARKS_OF_2 = ("dateOfBirth", "alternativeName", "gradingSchemeExternalId", "resultOfRecognition")


_PART = re.compile(r"\(?([A-Za-z|]+)\)?([?*+]?)")


def _compiled(model: str) -> re.Pattern[str]:
    """A content model as an expression over the names of the children, each followed by a space."""
    parts = (_PART.fullmatch(part) for part in model.split())
    return re.compile("".join(f"(?:(?:{part[1]}) ){part[2]}" for part in parts if part is not None))


_COMPILED_1 = {name: _compiled(model) for name, model in _MODELS_1.items()}
_COMPILED_2 = {name: _compiled(model) for name, model in _MODELS_2.items()}


def form_faults(root: etree._Element) -> Iterator[Problem]:
    """Deviations from the form of ELMO, one warning for each kind, however often it occurs."""
    if etree.QName(root).namespace != NAMESPACE:
        yield note("older_form")
        return
    prefix = f"{{{NAMESPACE}}}"
    is_second = any(next(root.iter(prefix + name), None) is not None for name in _MARKS_OF_2)
    models = _COMPILED_2 if is_second else _COMPILED_1
    seen: set[str] = set()
    for element in root.iter(*(prefix + name for name in {*models, "status", "value", "type"})):
        for fault in _faults_of(element, models):
            if fault.field not in seen:
                seen.add(fault.field)
                yield fault


def _faults_of(element: etree._Element, models: Mapping[str, re.Pattern[str]]) -> Iterator[Problem]:
    name = etree.QName(element).localname
    model = models.get(name) if len(element) or name not in _VALUE_NAMES else None
    if model is not None:
        children = "".join(_child_name(child) + " " for child in element)
        if not model.fullmatch(children):
            yield note("parts", field=name, element=name)
    parent = element.getparent()
    for key in (name, f"{etree.QName(parent).localname}/{name}" if parent is not None else name):
        expected = _VALUES.get(key)
        if expected is not None and not expected.fullmatch((element.text or "").strip()):
            yield note("value", field=key, element=key)


def _child_name(child: etree._Element) -> str:
    name = etree.QName(child)
    return name.localname if name.namespace == NAMESPACE or name.localname == "Signature" else "foreign"
