"""Reading XML from outside within bounded time and memory, and without leaving the file.

    root = parse_xml(unpack(data, limits), limits)

Refused before any parser sees it: a DOCTYPE (and with it every entity), a file or an unpacked file beyond its size, an
encoding that is not expected. The parser itself has no network, no DTD and no entities, and is stopped while reading
when there are too many elements or they are nested too deeply.
"""

import base64
import binascii
import re
import zlib
from dataclasses import dataclass

from lxml import etree

from schemas.learning.problems import ImportRefused, refuse


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read.

    Sizes in bytes; `max_rows` counts results, `max_entries` the entries of all lists together (such as learning
    outcomes), `max_values` the values of a JSON file, `max_problems` faults reported at once.
    """

    max_bytes: int = 20_000_000
    max_unpacked_bytes: int = 40_000_000
    max_elements: int = 200_000
    max_depth: int = 64
    max_rows: int = 10_000
    max_entries: int = 200_000
    max_values: int = 1_000_000
    max_cell_characters: int = 4_000
    max_problems: int = 500


_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}\s*")
_GZIP_MAGIC = b"\x1f\x8b"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_MAX_PROLOGUE_PARTS = 1000
_CHUNK_BYTES = 65_536
_DECLARATION = re.compile(r"<\?xml\s[^>]{0,200}?\?>")
_DECLARED_ENCODING = re.compile(r"encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_ENCODINGS = {
    "utf-8": "utf-8-sig",
    "utf8": "utf-8-sig",
    "us-ascii": "ascii",
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "windows-1252": "cp1252",
}


def unpack(data: bytes, limits: Limits) -> bytes:
    """The XML bytes of a file that may be base64, gzip, or gzip in base64 as EMREX answers with.

    Never inflates past the limit. Raises `ImportRefused`.
    """
    check_size(data, limits)
    content = data
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", _GZIP_MAGIC)) and _BASE64.fullmatch(content):
        try:
            content = base64.b64decode(b"".join(content.split()), validate=True)
        except (binascii.Error, ValueError) as exc:
            raise _unreadable() from exc
    if content.startswith(_GZIP_MAGIC):
        content = _inflate(content, limits.max_unpacked_bytes)
        if content.startswith(_GZIP_MAGIC):
            raise refuse("The file is compressed twice.", "Unpack it once, and choose what comes out.")
        if not _begins_as_xml(content):
            raise refuse("What is packed into the file is no ELMO report.", "Unpack it, and choose what comes out.")
    elif content is not data and not _begins_as_xml(content):
        raise _unreadable()  # It was no base64 at all, but letters and digits.
    return content


def _begins_as_xml(content: bytes) -> bool:
    return content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", *UTF_16_MARKS))


def check_size(data: bytes, limits: Limits) -> None:
    """Refuse what is empty or larger than a file of results can be."""
    if not data.strip():
        raise refuse("The file is empty.", "Choose the file that holds the results.")
    if len(data) > limits.max_bytes:
        raise refuse(
            "The file is larger than %(megabytes)s MB.",
            "Split it into several files.",
            megabytes=limits.max_bytes // 1_000_000,
        )


def _unreadable() -> ImportRefused:
    return refuse("The file is neither XML, CSV nor JSON.", "Choose an ELMO report, a CSV file or a JSON file.")


def _inflate(data: bytes, max_bytes: int) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        content = inflater.decompress(data, max_bytes + 1)
    except zlib.error as exc:
        raise refuse("The compressed file is damaged.", "Save or download it again.") from exc
    if len(content) > max_bytes:
        raise refuse(
            "The file becomes larger than %(megabytes)s MB when unpacked.",
            "Split it into several files.",
            megabytes=max_bytes // 1_000_000,
        )
    if not inflater.eof or inflater.unused_data.strip(b"\0"):
        raise refuse("The compressed file is cut off or holds more than one file.", "Save or download it again.")
    return content


def decode_xml(content: bytes) -> str:
    """The text of an XML file without its declaration. UTF-8 unless a declaration names another expected encoding."""
    head = content[:256].decode("latin-1")
    declared = _DECLARED_ENCODING.search(head) if "<?xml" in head else None
    name = declared[1].lower() if declared else "utf-8"
    if name not in _ENCODINGS or content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refuse("The encoding of the file is not one we read.", "Save it as UTF-8.")
    try:
        text = content.decode(_ENCODINGS[name]).lstrip()
    except UnicodeDecodeError as exc:
        raise refuse("The file is not in the encoding it declares.", "Save it as UTF-8.") from exc
    declaration = _DECLARATION.match(text)
    return text[declaration.end() :] if declaration else text


def refuse_doctype(text: str) -> None:
    """Refuse a document type declaration. It can only stand before the root element, after comments and instructions.

    Looking there only keeps a page of HTML inside a CDATA section of the record from being mistaken for one.
    """
    position = 0
    for _ in range(_MAX_PROLOGUE_PARTS):
        while position < len(text) and text[position].isspace():
            position += 1
        if text.startswith("<!--", position):
            position = _after(text, "-->", position + 4)
        elif text.startswith("<?", position):
            position = _after(text, "?>", position + 2)
        elif text[position : position + 9].upper().startswith(("<!DOCTYPE", "<!ENTITY", "<![")):
            raise refuse(
                "The file declares a document type, which can hide other files or endless text.",
                "Export the report without a DOCTYPE.",
            )
        else:
            return
    raise refuse("The file is not well-formed XML.", "Export the report again.")


def _after(text: str, end: str, start: int) -> int:
    position = text.find(end, start)
    if position < 0:
        raise refuse("The file is not well-formed XML.", "Export the report again.")
    return position + len(end)


def parse_xml(content: bytes, limits: Limits) -> etree._Element:
    """The root element of an XML document. Raises `ImportRefused` when it is not well-formed or beyond a limit."""
    text = decode_xml(content)
    refuse_doctype(text)
    parser = etree.XMLPullParser(
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=True,
    )
    encoded = text.encode()
    counted = _Counter(limits)
    try:
        for start in range(0, len(encoded), _CHUNK_BYTES):
            parser.feed(encoded[start : start + _CHUNK_BYTES])
            counted.read(parser)
        root: etree._Element = parser.close()
        counted.read(parser)
    except etree.XMLSyntaxError as exc:
        raise refuse(
            "The file is not well-formed XML (line %(line)s).", "Export the report again.", line=exc.lineno or 0
        ) from exc
    return root


class _Counter:
    """Counts elements and their depth as they arrive, so that reading stops at the limit and not after it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._elements = 0
        self._depth = 0

    def read(self, parser: "etree.XMLPullParser") -> None:
        for event, _ in parser.read_events():
            self._depth += 1 if event == "start" else -1
            self._elements += event == "start"
            if self._depth > self._limits.max_depth:
                raise refuse(
                    "The elements of the file are nested more than %(depth)s deep.",
                    "Export the report again, or ask its maker.",
                    depth=self._limits.max_depth,
                )
            if self._elements > self._limits.max_elements:
                raise refuse(
                    "The file has more than %(count)s elements.",
                    "Split it into several files.",
                    count=self._limits.max_elements,
                )
