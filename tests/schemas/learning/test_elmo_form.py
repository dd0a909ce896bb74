"""Our own words for the form of ELMO agree with the official schemas about what is valid."""

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from schemas.learning.elmo_form import form_faults
from schemas.learning.safe_xml import Limits, parse_xml, unpack
from tests.schemas.learning.samples import ALL_SAMPLES, VECTORS, course, report

SCHEMAS = VECTORS / "elmo" / "schemas"
_LOCAL_NAMES = {"common-types.xsd": "ewp-common-types.xsd", "xml.xsd": "w3/xml.xsd"}


class _LocalFiles(etree.Resolver):
    """Finds what the schemas import among the vectors, so that no look-up leaves the folder."""

    def resolve(self, system_url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]  # stubs lag
        name = system_url.rsplit("/", 1)[-1]
        if "types-address" in system_url:
            name = "ewp-types-address.xsd"
        if name.endswith(".dtd"):
            return self.resolve_string("", context)  # type: ignore[call-arg]  # optional in lxml
        return self.resolve_filename(  # type: ignore[attr-defined]  # the stubs lack it
            str(SCHEMAS / _LOCAL_NAMES.get(name, name)), context
        )


def official(version: str) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True, load_dtd=False, resolve_entities=False)
    parser.resolvers.add(_LocalFiles())
    return etree.XMLSchema(etree.parse(str(SCHEMAS / f"elmo-{version}.xsd"), parser))


def is_officially_valid(root: etree._Element) -> bool:
    return any(official(version).validate(root) for version in ("1.5.0", "1.6.0", "1.7.0", "2.0.0"))


def verdicts(data: bytes) -> tuple[bool, bool]:
    root = parse_xml(unpack(data, Limits()), Limits())
    return not list(form_faults(root)), is_officially_valid(root)


@pytest.mark.parametrize("path", ALL_SAMPLES, ids=lambda path: path.name)
def test_our_verdict_is_that_of_the_official_schemas(path: Path) -> None:
    """Three samples are valid to both, the others to neither."""
    ours, theirs = verdicts(path.read_bytes())
    assert ours is theirs


VALID = report(course())


@pytest.mark.parametrize(
    "data",
    [
        VALID,
        VALID.replace(b"<generatedDate>2026-06-15T09:30:00+02:00</generatedDate>", b""),
        VALID.replace(b"<type>Course</type>", b"<type>Seminar</type>"),
        VALID.replace(b"<type>Course</type>", b""),
        VALID.replace(b"<url>https://nordanvik.example</url>", b""),
        VALID.replace(b"<status>passed</status>", b"<status>done</status>"),
        VALID.replace(b"<value>7.5</value>", b"<value>7,5</value>"),
        VALID.replace(b"<scheme>ects</scheme>", b""),
        VALID.replace(b"<familyName>Nyman</familyName>", b""),
        VALID.replace(b"<issueDate>", b"<attachment/><issueDate>"),
        report(),
        report(course("<credit><scheme>ects</scheme><level>Doctor</level><value>5</value></credit>")),
        report(course("<resultLabel>A</resultLabel><status>passed</status>")),
        report(course(parts=course(code="B"))),
    ],
)
def test_our_verdict_is_the_official_one_when_one_thing_is_changed(data: bytes) -> None:
    """Order, presence and values of the elements that we read."""
    ours, theirs = verdicts(data)
    assert ours is theirs


def test_each_kind_of_deviation_is_told_once() -> None:
    """A thousand courses with the same fault make one warning."""
    root = parse_xml(report(*[course("<status>done</status>", code=str(n)) for n in range(50)]), Limits())
    assert [fault.field for fault in form_faults(root)] == ["status"]
