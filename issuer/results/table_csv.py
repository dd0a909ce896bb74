"""CSV: UTF-8 or Latin-1, comma, semicolon or tab, decimal point or comma, one record a line (see `layouts.py`)."""

import csv
import io
import itertools
import re
from collections.abc import Iterator, Mapping
from datetime import date

from issuer.results.columns import Column
from issuer.results.layouts import LAYOUTS, RESULTS, STATEMENTS, Layout
from issuer.results.rows import EntryCount, Row
from schemas.learning.achievement import Source
from schemas.learning.notes import note
from schemas.learning.problems import Problem, refuse
from schemas.learning.safe_xml import Limits
from schemas.learning.texts import clean_text

_DELIMITERS = (",", ";", "\t")
_LIST_SEPARATOR = "|"
_MAX_COLUMNS = 200
_MOST_LEADING_LINES = 20
_COLUMN_OF = {"family_name": "family_name (efternamn)", "title": "title_sv (benämning_sv)"}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NOT_IN_NAMES = re.compile(r"[\s_\-()\[\]\"':./]+")
_DELIMITER_LINE = re.compile(r"[\"']?sep=([,;\t])[\"']?[ ]*(\r\n|\n|\r)", re.IGNORECASE)
"""What spreadsheet programs put on top of a file to say what stands between its cells."""


def read_csv(data: bytes, *, limits: Limits, today: date) -> tuple[list[Row], list[Problem]]:
    """Rows with their faults, and warnings about the file. Raises `ImportRefused` when there is no usable header."""
    warnings: list[Problem] = []
    text = _decoded(data, warnings)
    lines = _records(text)
    names: list[str] = []
    for _, names in itertools.islice(lines, _MOST_LEADING_LINES):
        if any(cell.strip() for cell in names):
            break
    if len(names) > _MAX_COLUMNS:
        raise refuse(
            "The file has more than %(count)s columns.", "Remove those that are not needed.", count=_MAX_COLUMNS
        )
    layout = STATEMENTS if any(_name(cell) in STATEMENTS.marks for cell in names) else RESULTS
    columns = _columns(names, layout, warnings)
    called = {column.name: cell.strip() for column, cell in zip(columns, names, strict=True) if column is not None}
    rows: list[Row] = []
    entries = EntryCount(limits.max_entries)
    for read, (number, cells) in enumerate(lines):
        if read > 10 * limits.max_rows:
            raise refuse("The file consists mostly of empty lines.", "Remove them.")
        if not any(cell.strip() for cell in cells):
            continue
        if len(rows) >= limits.max_rows:
            raise refuse(
                "The file has more than %(count)s results.", "Split it into several files.", count=limits.max_rows
            )
        rows.append(entries.add(_row(layout.row(number, Source.CSV, today), cells, columns, called, limits)))
    return rows, warnings


def _decoded(data: bytes, warnings: list[Problem]) -> str:
    if b"\0" in data or data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refuse("The file is not plain text in UTF-8 or Latin-1.", "Save it as CSV UTF-8.")
    data = data.removeprefix(_BYTE_ORDER_MARK)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        warnings.append(note("latin_1"))
    try:
        return data.decode("cp1252")  # Latin-1 with the typographic characters that Windows adds
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and cells. The delimiter is the one that finds most known columns in the header."""
    before = 0
    said = _DELIMITER_LINE.match(text)
    if said is not None:
        text, before = text[said.end() :], 1
    first_lines = text[:20_000].replace("\r", "\n").split("\n")
    header = next((line for line in first_lines if line.strip(",;\t\"' ")), "")
    known = {name for layout in LAYOUTS for name in layout.by_name}
    delimiter = max(_DELIMITERS, key=lambda d: sum(_name(cell) in known for cell in header.split(d)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    above = before
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as exc:
            raise refuse(
                "Line %(line)s is not CSV: a quotation mark does not end, or a cell is too long.",
                "Save the table again as CSV UTF-8.",
                line=above + reader.line_num,
            ) from exc
        yield before + 1, cells
        before = above + reader.line_num


def _name(cell: str) -> str:
    """The name of a column as the table writes it: `Benämning (sv)` is `benämning_sv`."""
    return "_".join(_NOT_IN_NAMES.sub(" ", clean_text(cell).lower()).split())


def _columns(names: list[str], layout: Layout, warnings: list[Problem]) -> list[Column | None]:
    columns = _meant([_name(cell) for cell in names], layout.by_name)
    fields = {column.field for column in columns if column is not None}
    missing = [_COLUMN_OF[name] for name in layout.required if name not in fields]
    if missing:
        raise refuse(
            "The first line does not name the column %(column)s.",
            "Begin with a line of column names, as the description of the format lists them.",
            column=", ".join(missing),
        )
    known = [column.name for column in columns if column is not None]
    twice = next((name for name in known if known.count(name) > 1), None)
    if twice is not None:
        raise refuse("The column %(column)s is there twice.", "Remove one of them.", column=twice)
    for column, cell in zip(columns, names, strict=True):
        shown = cell.strip()[:40]
        if column is None and shown:
            warnings.append(note("column", column=shown))
        elif column is not None and column.kind == "ignored":
            warnings.append(note("personal_numbers", field=shown))
    return columns


def _meant(names: list[str], by_name: Mapping[str, Column]) -> list[Column | None]:
    """The column that each name means.

    A Swedish name alone heads Swedish texts, but beside a column that says so (`benämning_sv`) it means a third one.
    """
    columns = [by_name.get(name) for name in names]
    said = {column.name for column, name in zip(columns, names, strict=True) if column and name.endswith("_sv")}
    return [
        by_name[column.name.removesuffix("_sv")]
        if column is not None and column.name in said and not name.endswith("_sv")
        else column
        for column, name in zip(columns, names, strict=True)
    ]


def _row(row: Row, cells: list[str], columns: list[Column | None], called: Mapping[str, str], limits: Limits) -> Row:
    """Read one line. `called` says how the file itself calls the columns, so that faults name what its maker sees."""
    while len(cells) > len(columns) and not cells[-1].strip():  # spreadsheets leave empty cells behind the last one
        cells = cells[:-1]
    if len(cells) != len(columns):
        row.fault(
            "",
            "The line has another number of cells than the first line.",
            "Check for a missing or an extra delimiter, and put texts that hold one in quotation marks.",
        )
        return row
    for column, cell in zip(columns, cells, strict=True):
        if column is None or column.kind == "ignored":
            continue
        name = called[column.name]
        if len(cell) > limits.max_cell_characters:
            row.fault(name, "The text is longer than 4000 characters.", "Shorten it.")
        elif column.kind in ("title", "texts"):
            row.read_text(name, column.field, column.language, cell, multiline=column.kind == "texts")
        elif column.kind == "list":
            row.read_list(name, column.field, column.language, cell.split(_LIST_SEPARATOR))
        else:
            row.read(name, column.field, column.kind, cell)
    row.finish({column.field: called[column.name] for column in reversed(columns) if column is not None})
    return row
