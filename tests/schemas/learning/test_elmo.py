"""ELMO reports: the samples of the field, and one thing changed at a time."""

import base64
import gzip
import hashlib
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.learning.achievement import Achievement, Source
from schemas.learning.completeness import completeness
from schemas.learning.elmo import ElmoReading, read_elmo
from schemas.learning.problems import ImportRefused
from schemas.learning.safe_xml import Limits
from tests.schemas.learning.samples import ALL_SAMPLES, TODAY, course, report, sample


def read(data: bytes) -> ElmoReading:
    return read_elmo(data, limits=Limits(), today=TODAY)


def only(data: bytes) -> Achievement:
    (achievement,) = read(data).achievements
    return achievement


def faults(data: bytes) -> list[tuple[int | None, str]]:
    with pytest.raises(ImportRefused) as refusal:
        read(data)
    return [(problem.row, problem.field) for problem in refusal.value.problems]


def warned(reading: ElmoReading) -> list[tuple[int | None, str]]:
    return [(problem.row, problem.field) for problem in reading.warnings]


@pytest.mark.parametrize("path", ALL_SAMPLES, ids=lambda path: path.name)
def test_every_sample_is_read(path: Path) -> None:
    """Real reports, valid or not, raw or as EMREX sends them."""
    reading = read(path.read_bytes())
    assert reading.achievements
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert {achievement.original_sha256 for achievement in reading.achievements} == {digest}


@pytest.mark.parametrize("path", ALL_SAMPLES, ids=lambda path: path.name)
def test_no_national_identity_number_survives_the_reading(path: Path) -> None:
    """What is not read cannot leak."""
    text = " ".join(achievement.model_dump_json() for achievement in read(path.read_bytes()).achievements)
    for number in ("180766-2213", "091280-1128", "83041200000", "12345678910"):
        assert number not in text


def test_the_example_of_the_specification_is_read_with_all_it_says() -> None:
    """Titles per language, grade with its scale, credits, level, hours, dates."""
    reading = read(sample("elmo-schemas-example.xml"))
    compilers = next(a for a in reading.achievements if a.code == "1000-217bMRJ")

    assert compilers.title == {"en": "Compiler construction", "pl": "Budowa kompilatorów"}
    assert compilers.learner.family_name == "Rygielski"
    assert compilers.learner.birth_date == date(1983, 4, 12)
    assert (compilers.issued_on, compilers.completed_on) == (date(2015, 10, 31), date(2015, 3, 17))
    assert (compilers.ects_credits, compilers.eqf_level) == (Decimal(6), 5)
    assert compilers.grade is not None
    assert compilers.grade.label == "45.1"
    assert compilers.grade.scheme is not None
    assert compilers.grade.scheme["en"].startswith("A number of the scale")
    assert compilers.languages == ("pl",)
    assert compilers.awarding_body is not None
    assert compilers.awarding_body.country == "PL"
    assert "\n\n" in (compilers.description or {})["en"]
    html = next(a for a in reading.achievements if a.code is None)
    assert html.title == {"und": "The importance of <br> in HTML"}


def test_a_course_inside_a_degree_has_its_credits_counted_there() -> None:
    """The same credits are never counted twice on one transcript."""
    degree, inner, *_ = read(sample("elmo-schemas-example.xml")).achievements

    assert (degree.ects_credits, inner.ects_credits) == (Decimal(120), Decimal(15))
    assert inner.counted_in == degree.id
    assert inner.part_of == degree.title
    assert inner.provenance["part_of"] is Source.ELMO


def test_the_oldest_form_has_a_learner_in_each_report() -> None:
    """Two reports, two spellings of one name, two ways of writing the birth date."""
    reading = read(sample("fi-smp-answer.gz.b64.txt"))
    learners = {a.learner.family_name: a.learner.birth_date for a in reading.achievements}
    assert learners == {"Keränen": date(1966, 7, 18), "Keranen": date(1966, 7, 18)}
    assert "Hylätty" not in {a.grade.label for a in reading.achievements if a.grade}


def test_a_placeholder_is_not_taken_for_an_awarding_body() -> None:
    """An export that says TODO names nobody."""
    reading = read(sample("fi-minimal-unsigned.xml"))
    assert reading.achievements[0].awarding_body is None
    assert (None, "issuer") in warned(reading)


@pytest.mark.parametrize(
    ("written", "amount"), [("10.000", Decimal(10)), ("7,5", Decimal("7.5")), ("0", Decimal(0)), ("+3", Decimal(3))]
)
def test_credits_are_read_as_numbers(written: str, amount: Decimal) -> None:
    """Decimal points, commas and trailing zeros do not matter."""
    achievement = only(report(course(f"<credit><scheme>ECTS</scheme><value>{written}</value></credit>")))
    assert achievement.ects_credits == amount


@pytest.mark.parametrize("written", ["-5", "1001", "7.5 hp", "7.1234", "NaN", "1e3", "٣"])
def test_credits_that_would_be_wrong_on_a_certificate_refuse_the_report(written: str) -> None:
    """Nothing is rounded, cut or guessed."""
    broken = course(f"<credit><scheme>ECTS</scheme><value>{written}</value></credit>")
    assert faults(report(course(), broken)) == [(2, "credit")]


def test_all_faults_are_reported_at_once() -> None:
    """Whoever mends the file sees everything that is wrong with it."""
    bad_credit = course("<credit><scheme>ects</scheme><value>-1</value></credit>")
    bad_date = course("<date>2026-02-30</date><status>passed</status>")
    learner = "<givenNames>Åsa</givenNames><familyName>Nyman</familyName><bday>1999-10-01T15:37:12Z</bday>"
    assert faults(report(bad_credit, bad_date, learner=learner)) == [(None, "bday"), (1, "credit"), (2, "date")]


def test_credits_of_two_cycles_add_up_and_contradictions_are_refused() -> None:
    """Five credits at each of two cycles are ten; six and seven of the same cycle are nonsense."""
    entry = "<credit><scheme>ects</scheme><level>{}</level><value>{}</value></credit>"
    both = course(entry.format("Bachelor", 5) + entry.format("Master", 5))
    assert only(report(both)).ects_credits == Decimal(10)
    contradiction = course(entry.format("Master", 6) + entry.format("Master", 7))
    assert faults(report(contradiction)) == [(1, "credit")]


def test_swedish_credits_are_read_from_their_own_scheme_and_others_are_told() -> None:
    """Högskolepoäng are not mistaken for ECTS, and unknown systems are not read."""
    entry = "<credit><scheme>{}</scheme><value>{}</value></credit>"
    achievement = only(report(course(entry.format("hp", "7,5"))))
    assert (achievement.swedish_credits, achievement.ects_credits) == (Decimal("7.5"), None)
    reading = read(report(course("<status>passed</status>" + entry.format("US credits", 3))))
    assert reading.achievements[0].ects_credits is None
    assert (1, "credit") in warned(reading)


def test_the_level_is_derived_from_the_cycle_only_when_none_is_stated() -> None:
    """A master's course is at level 7, and the record says that this was derived."""
    credit = "<credit><scheme>ects</scheme><level>Master</level><value>5</value></credit>"
    derived = only(report(course(credit)))
    assert (derived.eqf_level, derived.provenance["eqf_level"]) == (7, Source.DERIVED)
    stated = only(report(course(credit + "<level><type>EQF</type><value>6</value></level>")))
    assert (stated.eqf_level, stated.provenance["eqf_level"]) == (6, Source.ELMO)


@pytest.mark.parametrize("level", ["9", "0", "six", "7.5", "²"])
def test_a_level_that_is_none_is_left_out_with_a_warning(level: str) -> None:
    """Levels go from 1 to 8."""
    reading = read(report(course(f"<status>passed</status><level><type>EQF</type><value>{level}</value></level>")))
    assert reading.achievements[0].eqf_level is None
    assert (1, "level") in warned(reading)


@pytest.mark.parametrize(
    "instance",
    [
        "<status>failed</status><resultLabel>A</resultLabel>",
        "<status>in-progress</status>",
        "<resultLabel>U</resultLabel>",
        "<resultLabel>Ikke bestått</resultLabel>",
    ],
)
def test_what_was_not_passed_is_no_achievement_and_the_warning_says_so(instance: str) -> None:
    """Failed and unfinished courses stay out."""
    reading = read(report(course(), course(instance)))
    assert len(reading.achievements) == 1
    assert (2, "status") in warned(reading)


def test_a_stated_status_is_believed_before_a_label() -> None:
    """An F that the institution calls passed is the institution's business."""
    assert only(report(course("<status>passed</status><resultLabel>F</resultLabel>"))).grade is not None


def test_a_report_without_passed_results_is_refused() -> None:
    """There is nothing to issue; which were left out, and why, stands beside it."""
    assert faults(report(course("<status>failed</status>"))) == [(None, ""), (1, "status")]
    assert faults(report()) == [(None, "")]


def test_a_learner_with_missing_parts_is_kept_and_one_who_is_missing_is_refused() -> None:
    """One name is enough to read a record; nobody at all is not."""
    achievement = only(report(course(), learner="<familyName>Nyman</familyName>"))
    assert (achievement.learner.given_name, achievement.learner.birth_date) == (None, None)
    nobody = report(course()).replace(b"learner>", b"other>")
    assert (None, "learner") in faults(nobody)


def test_the_birth_date_is_found_under_both_names() -> None:
    """1.x says bday, 2.x dateOfBirth."""
    learner = (
        "<givenNames>Åsa</givenNames><familyName>Nyman</familyName><dateOfBirth>1999-10-01T22:00:00Z</dateOfBirth>"
    )
    assert only(report(course(), learner=learner)).learner.birth_date == date(1999, 10, 2)


def test_a_day_in_the_future_is_refused() -> None:
    """Nobody has finished a course tomorrow."""
    assert faults(report(course("<date>2026-11-21</date><status>passed</status>"))) == [(1, "date")]
    assert only(report(course("<date>2026-11-20</date><status>passed</status>"))).completed_on == TODAY


def test_extensions_are_not_mistaken_for_results() -> None:
    """Only the report's own namespace is read."""
    foreign = course().replace("<learningOpp", "<x:learningOpp").replace("</learningOpp", "</x:learningOpp")
    data = report(course(), f'<extension xmlns:x="http://example.com/x">{foreign}</extension>')
    assert len(read(data).achievements) == 1


def test_texts_lose_what_can_deceive() -> None:
    """Direction overrides and control characters are removed, markup stays as plain text."""
    title = "<title>Safe\u202egnidaer &lt;script&gt;</title>"
    assert only(report(course(title=title))).title == {"und": "Safegnidaer <script>"}


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress,
        base64.b64encode,
        lambda data: base64.encodebytes(gzip.compress(data)),
        lambda data: b"\xef\xbb\xbf" + data,
    ],
    ids=["gzip", "base64", "gzip in base64", "byte order mark"],
)
def test_every_packing_of_emrex_is_read(packed) -> None:  # type: ignore[no-untyped-def]  # four small functions
    """The wire carries gzip in base64; uploads come in every form."""
    assert only(packed(report(course()))).code == "DT4011"


def test_latin_1_is_read_when_declared() -> None:
    """An XML declaration may name an old encoding."""
    text = report(course()).decode().replace("UTF-8", "ISO-8859-1")
    assert only(text.encode("latin-1")).title == {"sv": "Datasäkerhet"}
    with pytest.raises(ImportRefused):
        read(text.encode("latin-1").replace(b"ISO-8859-1", b"UTF-8"))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=2000)
@given(st.data())
def test_a_damaged_report_is_read_or_refused(data: st.DataObject) -> None:
    """Whatever happens to the bytes, nothing but a reading or a refusal comes out."""
    original = bytearray(sample("elmo-schemas-example.xml")[900:9000] if data.draw(st.booleans()) else report(course()))
    for _ in range(data.draw(st.integers(1, 6))):
        position = data.draw(st.integers(0, len(original) - 1))
        original[position : position + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=6))
    with suppress(ImportRefused):
        assert read(bytes(original)).achievements


@settings(max_examples=100, deadline=2000)
@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_any_text_in_any_value_is_read_or_refused(credit: str, day: str, label: str) -> None:
    """The values themselves are hostile input as well."""
    escape = str.maketrans({"<": "&lt;", "&": "&amp;", ">": "&gt;"})
    instance = (
        f"<date>{day.translate(escape)}</date><resultLabel>{label.translate(escape)}</resultLabel>"
        f"<credit><scheme>ects</scheme><value>{credit.translate(escape)}</value></credit>"
    )
    with suppress(ImportRefused):
        read(report(course(instance.encode("utf-8", "replace").decode())))


def test_credits_that_add_up_to_nonsense_refuse_the_report() -> None:
    """Each cycle within bounds, the sum beyond them."""
    entry = "<credit><scheme>ects</scheme><level>{}</level><value>600</value></credit>"
    assert faults(report(course(entry.format("Bachelor") + entry.format("Master")))) == [(1, "credit")]


def test_hours_are_bounded_as_hours_and_zero_means_nobody_recorded_them() -> None:
    """A degree is more than a thousand hours of study."""
    hours = "<status>passed</status><engagementHours>{}</engagementHours>"
    assert only(report(course(hours.format("3200")))).workload_hours == Decimal(3200)
    assert only(report(course(hours.format("0.0")))).workload_hours is None
    assert only(report(course(hours.format("160.000")))).workload_hours == Decimal(160)
    doubtful = read(report(course(hours.format("1,600"))))
    assert doubtful.achievements[0].workload_hours is None
    assert "unreadable_hours" in {noted.code for noted in doubtful.warnings}
    reading = read(report(course(hours.format("many"))))
    assert reading.achievements[0].workload_hours is None
    assert (1, "engagementHours") in warned(reading)


def test_credits_are_counted_in_the_nearest_unit_that_states_them() -> None:
    """Degree with credits, module without, course with: the course is counted in the degree."""
    inner = course(code="C")
    module = course("<status>passed</status>", code="B", kind="Module", parts=inner)
    degree = course(code="A", kind="Degree Programme", parts=module)
    a, b, c = read(report(degree)).achievements
    assert (a.counted_in, b.counted_in, c.counted_in) == (None, a.id, a.id)
    assert c.part_of == b.title


def test_a_person_with_one_name_has_it_as_family_name() -> None:
    """Some people have one name, and it makes a certificate as good as two."""
    for learner in ("<givenNames>Suharto</givenNames><familyName/>", "<familyName>Suharto</familyName>"):
        achievement = only(report(course(), learner=learner))
        assert (achievement.learner.family_name, achievement.learner.given_name) == ("Suharto", None)
    reading = read(report(course(), learner="<givenNames>Suharto</givenNames><familyName> </familyName>"))
    assert "single_name" in [noted.code for noted in reading.warnings]


def test_the_country_of_a_body_without_a_name_is_known() -> None:
    """So that nobody issues a foreign report as their own."""
    issuer = '<country>dk</country><identifier type="local">x</identifier><title xml:lang="en">TODO : unknown</title>'
    unnamed = only(report(course(), issuer=issuer))
    assert (unnamed.awarding_body, unnamed.awarding_country) == (None, "DK")
    sources = {state.element.code: state.sources for state in completeness(unnamed, demanded=()).states}
    assert (sources["M3"], sources["M4"]) == ((Source.ELMO,), ())
    named = only(report(course()))
    assert named.awarding_body is not None
    assert (named.awarding_body.country, named.awarding_country) == ("SE", None)


@pytest.mark.parametrize(
    ("issuer", "names"),
    [
        ('<title xml:lang="en">TODO</title><title xml:lang="fi">Aalto</title>', {"fi": "Aalto"}),
        ('<identifier type="schac">TUT.fi</identifier><title xml:lang="en">TODO</title>', {"und": "tut.fi"}),
        ('<identifier type="url">www.uta.fi</identifier><title/>', {"und": "uta.fi"}),
        ("<title/><url>https://www.tut.fi/en/</url>", {"und": "tut.fi"}),
        ('<identifier type="Erasmus">SF TAMPERE01</identifier><title/>', {"und": "SF TAMPERE01"}),
        ('<identifier type="pic">999572294</identifier><title>XXX</title>', {"und": "PIC 999572294"}),
        ('<identifier type="local">185</identifier><title>TODO</title>', None),
        ("<title>TODO</title><url>https://lu.se:x@evil.example/</url>", None),  # pragma: allowlist secret
        ('<identifier type="schac">TODO.fi</identifier><title/><url>TODO: url</url>', None),
    ],
)
def test_a_body_without_a_title_is_named_by_what_identifies_it(issuer: str, names: dict[str, str] | None) -> None:
    """Another title, its domain, or its number in a register that everybody shares; never a local number."""
    reading = read(report(course(), issuer=f"<country>FI</country>{issuer}"))
    body = reading.achievements[0].awarding_body
    assert (body.names if body else None) == names
    codes = {noted.code for noted in reading.warnings}
    assert ("named_by_identifier" in codes) is (names is not None and "und" in names)
    assert ("no_awarding_body" in codes) is (names is None)


@pytest.mark.parametrize("kind", ["nationalIdentifier", "National identification number", "CPR-nummer", "Personnummer"])
def test_identifiers_of_national_types_are_left_out(kind: str) -> None:
    """However a system writes the type."""
    learner = f'<identifier type="{kind}">x1</identifier><givenNames>Åsa</givenNames><familyName>Nyman</familyName>'
    assert only(report(course(), learner=learner)).learner.identifiers == ()


def test_a_personal_identity_number_under_another_type_is_left_out() -> None:
    """A number is known by its form as well."""
    learner = (
        '<identifier type="studentIdentifier">19811228-9874</identifier><identifier type="other">a1</identifier>'
        "<givenNames>Åsa</givenNames><familyName>Nyman</familyName>"
    )
    assert [one.value for one in only(report(course(), learner=learner)).learner.identifiers] == ["a1"]


@pytest.mark.parametrize("empty", ["<date/>", "<date> </date>", "<date>\n</date>"])
def test_an_empty_date_is_no_date(empty: str) -> None:
    """Not a fault: the report simply does not say it."""
    instance = f"<status>passed</status>{empty}<credit><scheme>ects</scheme><value>5</value></credit>"
    assert only(report(course(instance))).completed_on is None
    blank = "<givenNames>Åsa</givenNames><familyName>Nyman</familyName><bday> </bday>"
    assert only(report(course(), learner=blank)).learner.birth_date is None


def test_the_level_of_the_oldest_form_is_read() -> None:
    """Where it is a word beside the credits."""
    reading = read(sample("fi-smp-answer.gz.b64.txt"))
    degree = next(a for a in reading.achievements if a.title and "Viestinnän ja Median tutkimus" in a.title.values())
    assert (degree.eqf_level, degree.provenance["eqf_level"]) == (6, Source.DERIVED)
