"""The sample reports, and a small report that tests break in one place."""

from datetime import date
from pathlib import Path

VECTORS = Path(__file__).parent.parent.parent / "vectors" / "learning"
TODAY = date(2026, 11, 20)

XML_SAMPLES = sorted((VECTORS / "elmo" / "xml").glob("*.xml"))
WIRE_SAMPLES = sorted((VECTORS / "elmo" / "wire").glob("*.txt"))
ALL_SAMPLES = XML_SAMPLES + WIRE_SAMPLES


def sample(name: str) -> bytes:
    """The bytes of one sample."""
    return next(path for path in ALL_SAMPLES if path.name == name).read_bytes()


def report(*courses: str, learner: str = "", issuer: str = "", issue_date: str = "2026-06-15T09:30:00+02:00") -> bytes:
    """A valid ELMO 1.x report with these courses (see `course`)."""
    learner = learner or "<givenNames>Åsa</givenNames><familyName>Nyman</familyName><bday>1999-10-02</bday>"
    issuer = issuer or (
        '<country>SE</country><identifier type="schac">nordanvik.example</identifier>'
        '<title xml:lang="sv">Nordanviks universitet</title><url>https://nordanvik.example</url>'
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<elmo xmlns="https://github.com/emrex-eu/elmo-schemas/tree/v1">'
        f"<generatedDate>2026-06-15T09:30:00+02:00</generatedDate><learner>{learner}</learner>"
        f"<report><issuer>{issuer}</issuer>{''.join(courses)}<issueDate>{issue_date}</issueDate></report></elmo>"
    ).encode()


def course(
    instance: str = "<status>passed</status><credit><scheme>ects</scheme><value>7.5</value></credit>",
    *,
    code: str = "DT4011",
    title: str = '<title xml:lang="sv">Datasäkerhet</title>',
    kind: str = "Course",
    parts: str = "",
) -> str:
    """One learning opportunity with this instance."""
    return (
        f'<learningOpportunitySpecification><identifier type="local">{code}</identifier>{title}<type>{kind}</type>'
        f"<specifies><learningOpportunityInstance>{instance}</learningOpportunityInstance></specifies>"
        + "".join(f"<hasPart>{part}</hasPart>" for part in ([parts] if parts else []))
        + "</learningOpportunitySpecification>"
    )
