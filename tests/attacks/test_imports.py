"""Files made to hurt: each is refused with bounded work and memory, and nothing outside the file is touched.

Work is counted, not timed, so that no machine is too slow for it: how many functions were called on the way to the
refusal. Memory is that of a whole process, because the reader of XML keeps its tree outside of Python.
"""

import base64
import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from issuer.profiles import plain_profile
from issuer.results import ImportRefused, Limits, read_results
from tests.attacks.counted_work import counted_calls
from tests.attacks.reader_process import megabytes_to_read
from tests.schemas.learning.samples import TODAY, course, report

PLAIN = plain_profile({"sv": "Nordanviks universitet"}, "SE")
FIXED_CALLS, CALLS_PER_BYTE = 10_000, 3  # work grows no faster than the file: an attack that works outgrows it
MEGABYTES = 300


def refused(data: bytes) -> str:
    """The refusal of a hostile file, having counted the work."""
    with pytest.raises(ImportRefused) as refusal, counted_calls() as calls:
        read_results(data, "hostile.xml", profile=PLAIN, limits=Limits(), today=TODAY)
    assert calls.total() < FIXED_CALLS + CALLS_PER_BYTE * len(data)
    return str(refusal.value)


def with_doctype(doctype: str, title: str = "Kurs") -> bytes:
    xml = report(course(title=f"<title>{title}</title>")).decode()
    return xml.replace("?>\n", f"?>\n{doctype}\n", 1).encode()


DOCTYPES = {
    "empty": "<!DOCTYPE elmo>",
    "external subset": '<!DOCTYPE elmo SYSTEM "http://127.0.0.1:9/evil.dtd">',
    "billion laughs": "<!DOCTYPE elmo [<!ENTITY a 'ha'>"
    + "".join(f"<!ENTITY {chr(98 + n)} '{('&' + chr(97 + n) + ';') * 10}'>" for n in range(12))
    + "]>",
    "quadratic blow-up": "<!DOCTYPE elmo [<!ENTITY a '" + "x" * 100_000 + "'>]>",
    "external entity": '<!DOCTYPE elmo [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    "parameter entity": '<!DOCTYPE elmo [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]>',
    "after a comment": "<!-- a report --><?pi?>\n<!DOCTYPE elmo>",
    "lower case": "<!doctype elmo>",
}


@pytest.mark.parametrize("doctype", DOCTYPES.values(), ids=DOCTYPES)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, base64.b64encode], ids=["plain", "gzip", "base64"])
def test_a_document_type_is_refused_before_parsing(doctype: str, pack: Callable[[bytes], bytes]) -> None:
    """No entity is ever expanded, no other file or address ever opened."""
    assert "document type" in refused(pack(with_doctype(doctype, title="&a;")))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-7", "utf-32"])
def test_a_document_type_cannot_hide_in_another_encoding(encoding: str) -> None:
    """Encodings that we do not expect are refused as such."""
    xml = with_doctype("<!DOCTYPE elmo>").decode().replace("UTF-8", encoding.upper())
    refused(xml.encode(encoding))
    refused(xml.encode())


def test_an_entity_without_a_declaration_is_refused() -> None:
    """Nothing is looked up anywhere."""
    assert "well-formed" in refused(report(course(title="<title>&undeclared;</title>")))


def test_html_inside_a_text_is_not_taken_for_a_document_type() -> None:
    """A diploma supplement may hold a page of HTML."""
    title = "<title><![CDATA[<!DOCTYPE html><p>x</p>]]></title>"
    results = read_results(report(course(title=title)), None, profile=PLAIN, limits=Limits(), today=TODAY)
    assert results.achievements[0].title == {"und": "<!DOCTYPE html><p>x</p>"}


def test_an_xinclude_or_a_style_sheet_is_never_followed(tmp_path: Path) -> None:
    """The file is all there is."""
    secret = tmp_path / "secret.txt"
    secret.write_text("top secret")
    namespace = 'xmlns:xi="http://www.w3.org/2001/XInclude"'
    include = f'<title><xi:include {namespace} href="{secret.as_uri()}" parse="text"/>A</title>'
    style = f'?>\n<?xml-stylesheet href="{secret.as_uri()}"?>'
    data = report(course(title=include)).replace(b"?>", style.encode(), 1)
    results = read_results(data, None, profile=PLAIN, limits=Limits(), today=TODAY)
    assert results.achievements[0].title == {"und": "A"}


def bomb(megabytes: int) -> bytes:
    """A gzip file of a few hundred kilobytes that unpacks to this size."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as file:
        block = b"<a/>" * 250_000
        for _ in range(megabytes):
            file.write(block)
    return out.getvalue()


@pytest.mark.parametrize("pack", [bytes, base64.b64encode], ids=["gzip", "gzip in base64"])
def test_a_gzip_bomb_is_not_unpacked(pack: Callable[[bytes], bytes]) -> None:
    """Unpacking stops at the limit."""
    assert "unpacked" in refused(pack(bomb(200)))


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(report(course()))[:-4],
        gzip.compress(report(course())) + gzip.compress(b"more"),
        gzip.compress(gzip.compress(report(course()))),
        gzip.compress(report(course())) + b"trailing",
        b"\x1f\x8b" + b"\xff" * 100,
        zlib.compress(report(course())),
    ],
    ids=["cut off", "two members", "twice", "trailing bytes", "damaged", "zlib"],
)
def test_strange_compression_is_refused(data: bytes) -> None:
    """One whole gzip member, once."""
    refused(data)


def test_a_file_of_100_megabytes_is_refused_by_its_size() -> None:
    """Before anything looks into it."""
    assert "20 MB" in refused(b"<" + b" " * 100_000_000)
    assert "20 MB" in refused(b"family_name,title\n" + b"x,y\n" * 25_000_000)


HOSTILE_FORMS = {
    "nested elements": b"<elmo>" * 100_000,
    "nested results": b"<elmo><report>"
    + b"<learningOpportunitySpecification><hasPart>" * 400
    + b"</hasPart></learningOpportunitySpecification>" * 400
    + b"</report></elmo>",
    "too many elements": b"<elmo>" + b"<a/>" * 300_000 + b"</elmo>",
    "attributes": b"<elmo " + b" ".join(b'a%d="x"' % n for n in range(200_000)) + b"/>",
    "one attribute twice": b'<elmo a="1" a="2"/>',
    "namespaces": b"<elmo " + b" ".join(b'xmlns:a%d="u%d"' % (n, n) for n in range(50_000)) + b"/>",
    "a huge attribute": b'<elmo a="' + b"x" * 15_000_000 + b'"/>',
    "a huge name": b"<" + b"x" * 15_000_000 + b"/>",
    "a huge text": b"<elmo><learner>" + b"x" * 15_000_000 + b"</learner></elmo>",
    "an endless comment": b"<elmo><!--" + b"x" * 10_000_000,
    "endless comments before the root": b"<!--x-->" * 1_000_000,
    "many open tags": b"<elmo>" + b"<" * 10_000_000,
    "an endless instruction": b"<?" + b"x" * 10_000_000,
    "spaces": b"<elmo" + b" " * 10_000_000 + b"/>",
    "references": b"<elmo>" + b"&#65;" * 2_000_000 + b"</elmo>",
    "another root": b"<html><body/></html>",
    "no root": b"<!-- nothing -->",
    "control characters": b"<elmo>\x01</elmo>",
    "null bytes": b"<elmo>\x00</elmo>",
    "opening declarations": b"<?xml " * 1_000_000,
}


@pytest.mark.parametrize("data", HOSTILE_FORMS.values(), ids=HOSTILE_FORMS)
def test_hostile_forms_of_xml_are_refused_with_bounded_work(data: bytes) -> None:
    """Depth, numbers and sizes all have an end."""
    refused(data)


def test_depth_and_number_of_elements_hold_exactly() -> None:
    """At the limit a report is read, one beyond it is refused."""
    data = report(course())
    depth, count = 7, data.count(b"</") - data.count(b"</xml")
    assert read_results(data, None, profile=PLAIN, limits=Limits(max_depth=depth, max_elements=count), today=TODAY)
    for limits in (Limits(max_depth=depth - 1), Limits(max_elements=count - 1)):
        with pytest.raises(ImportRefused):
            read_results(data, None, profile=PLAIN, limits=limits, today=TODAY)


HOSTILE_TABLES = {
    "one endless cell": b'family_name,title\n"' + b"x" * 15_000_000,
    "quotation marks": b"family_name,title\n" + b'"' * 15_000_000,
    "columns": b"family_name,title" + b",x" * 500_000,
    "delimiters": b"," * 3_000_000,
    "lines": b"family_name,title\n" + b"\n" * 15_000_000,
    "rows": b"family_name,title\n" + b"x,y\n" * 100_000,
    "carriage returns": b"family_name,title\n" + b"\r" * 15_000_000,
    "deep json": b"[" * 5_000_000,
    "deep json objects": b'{"a":' * 1_000_000,
    "duplicate members": b'{"results":[],"results":[]}',
    "json numbers": b'{"results":[' + b"1e400," * 100_000 + b"1]}",
    "surrogates": b'{"results":["\\ud800"]}',
    "many results": b'{"results":[' + b"{}," * 200_000 + b"{}]}",
}


@pytest.mark.parametrize("data", HOSTILE_TABLES.values(), ids=HOSTILE_TABLES)
def test_hostile_tables_are_refused_with_bounded_work(data: bytes) -> None:
    """The same for CSV and JSON."""
    refused(data)


EVERYBODY = b'{"learner":{"family_name":"Nyman"},"results":['
CROWDED = {
    "fifty thousand rows": b"family_name,title\n" + b"".join(b"N%d,T\n" % n for n in range(50_000)),
    "a cell of 19 megabytes": b"family_name,title\nNyman," + b"x" * 19_000_000,
    "a quoted cell of 19 megabytes": b'family_name,title\nNyman,"' + b"x" * 19_000_000 + b'"',
    "a header of 19 megabytes": b"x" * 19_000_000 + b"\nfamily_name,title\n",
    "a json text of 19 megabytes": EVERYBODY + b'{"title":"' + b"x" * 19_000_000 + b'"}]}',
    "long lists": b"family_name,title,outcomes\n" + b"".join(b"N%d,T,%s\n" % (n, b"a|" * 900) for n in range(10_000)),
    "many lists": b"family_name,title,outcomes\n" + b"".join(b"N%d,T,%s\n" % (n, b"a|" * 199) for n in range(10_000)),
    "many json lists": EVERYBODY
    + b",".join(b'{"title":"T%d","outcomes":[%s"a"]}' % (n, b'"a",' * 190) for n in range(9_000))
    + b"]}",
    "empty json lists": EVERYBODY + b'{"title":"T","x":[' + b"[]," * 6_000_000 + b"[]]}]}",
    "empty json objects": EVERYBODY + b'{"title":"T","x":[' + b"{}," * 6_000_000 + b"{}]}]}",
    "a web page of 19 megabytes": b"<html>" + b"<p>" * 6_000_000,
}


@pytest.mark.parametrize("data", CROWDED.values(), ids=CROWDED)
def test_what_is_small_in_a_file_and_large_in_memory_is_refused(data: bytes) -> None:
    """Counted before it is built."""
    refused(data)


BULKY = {
    "attributes": HOSTILE_FORMS["attributes"],
    "a huge attribute": HOSTILE_FORMS["a huge attribute"],
    "delimiters": b"," * 15_000_000,
    "long lists": CROWDED["long lists"],
    "many lists": CROWDED["many lists"],
    "many json lists": CROWDED["many json lists"],
    "empty json lists": CROWDED["empty json lists"],
    "a bomb": gzip.compress(b"<elmo>" + b" " * 300_000_000),
    "just unpacked": gzip.compress(b"<elmo>" + b" " * 39_000_000 + b"</elmo>"),
    "a large honest report": report(
        *[course(code=f"D{n}", title=f"<title>{'x' * 1500}</title>") for n in range(9_500)]
    ),
    "a large honest table": b"family_name,title,description\n"
    + b"".join(b"N%d,T,%s\n" % (n, b"x" * 1900) for n in range(9_900)),
    "a large honest json": EVERYBODY
    + b",".join(b'{"title":"T%d","description":"%s"}' % (n, b"x" * 1850) for n in range(9_900))
    + b"]}",
}


@pytest.mark.parametrize("data", BULKY.values(), ids=BULKY)
def test_reading_stays_within_its_memory(data: bytes) -> None:
    """Of the whole process, refused or read."""
    assert megabytes_to_read(data) < MEGABYTES


def test_a_large_honest_file_is_read_row_by_row() -> None:
    """Limits are far above what a registrar needs, and ten times as many rows are ten times the work."""
    header = "family_name;birth_date;course_code;title_sv;hp;date\n"
    work = []
    for count in (500, 5_000):
        rows = "".join(f"Nyman{n};1999-10-02;DT{n % 50};Datasäkerhet;7,5;2026-06-05\n" for n in range(count))
        with counted_calls() as calls:
            results = read_results((header + rows).encode(), None, profile=PLAIN, limits=Limits(), today=TODAY)
        assert len(results.achievements) == count
        work.append(calls.total())
    assert work[1] < 11 * work[0]
