"""JSON: an object with `results`, each an object with the fields of an achievement; `learner` above or inside each.

With `statements` and a `certificate_type` instead, each is an object with the values of such a statement.

{"learner": {"family_name": "Sjöberg", "given_name": "Elin Maria", "birth_date": "1998-04-23"},
 "results": [{"code": "DT4011", "title": {"sv": "Datasäkerhet", "en": "Computer security"},
              "issued_on": "2026-06-05", "ects_credits": 7.5, "eqf_level": 7, "grade": "VG"}]}
"""

import json
import re
from datetime import date
from typing import Any

from issuer.results.columns import Column
from issuer.results.layouts import RESULTS, STATEMENTS, Layout
from issuer.results.rows import MOST_ENTRIES, EntryCount, Row
from proofs import strict_json
from schemas.errors import Malformed
from schemas.learning.achievement import AwardingBody, Source
from schemas.learning.notes import note
from schemas.learning.personal_numbers import is_national_type
from schemas.learning.problems import ImportRefused, Problem, refuse
from schemas.learning.safe_xml import Limits
from schemas.learning.texts import UNKNOWN_LANGUAGE, clean_text, language_tag

_WRITTEN = ("line", "birth", "day", "any_day", "url", "status", "flag", "languages", "codes", "personal_number")
"""Kinds of values that are texts in JSON as well."""
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


def read_json(data: bytes, *, limits: Limits, today: date) -> tuple[list[Row], list[Problem]]:
    """Rows with their faults, and warnings. Raises `ImportRefused` when the file is not of the documented shape."""
    # Counted before anything is built from them: six million empty lists fit into a file and not into a small memory.
    if sum(data.count(mark) for mark in (b",", b"[", b"{")) > limits.max_values:
        raise refuse(
            "The file has more than %(count)s values.", "Split it into several files.", count=limits.max_values
        )
    try:
        value = strict_json.loads(data.removeprefix(b"\xef\xbb\xbf"), max_bytes=limits.max_bytes)
    except Malformed as exc:
        raise _unreadable(data, exc) from exc
    document = {"results": value} if isinstance(value, list) else value
    document = document if isinstance(document, dict) else {}
    layout = STATEMENTS if STATEMENTS.list_name in document and RESULTS.list_name not in document else RESULTS
    results = document.get(layout.list_name)
    if not isinstance(results, list) or not results:
        raise refuse(
            "The file has no list of results.", "Put the results into a list named “results”, as the description shows."
        )
    if len(results) > limits.max_rows:
        raise refuse("The file has more than %(count)s results.", "Split it into several files.", count=limits.max_rows)
    entries = EntryCount(limits.max_entries)
    rows = [
        entries.add(_row(layout.row(number, Source.JSON, today), result, document, layout, limits))
        for number, result in enumerate(results, start=1)
    ]
    return rows, _unread(results, document.get("learner"), layout)


def _unreadable(data: bytes, exc: Malformed) -> ImportRefused:
    """What is wrong with a file that is not JSON, with the line where that can be told."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return refuse("The file is not in UTF-8.", "Save it as UTF-8.")
    cause = exc.__cause__
    if isinstance(cause, json.JSONDecodeError):
        fix = "Correct it there, or export it again."
        return refuse("The file is not JSON. The fault is near line %(line)s.", fix, line=cause.lineno)
    return refuse("The file is not JSON, or not of a kind that can be read safely.", "Export it again.")


def _unread(results: list[Any], shared_learner: Any, layout: Layout) -> list[Problem]:
    """Notes about members that were not read: of results, and of learners, where personal identity numbers turn up."""
    objects = [result for result in results if isinstance(result, dict)]
    learners = [
        learner for learner in (shared_learner, *(o.get("learner") for o in objects)) if isinstance(learner, dict)
    ]
    read = {*layout.members, "learner", "awarding_body"} - set(layout.learner_fields)
    unknown = {name: f"learner.{name}" for learner in learners for name in learner if name not in layout.learner_fields}
    unknown |= {name: name for one in objects for name in one if name not in read}
    personal = [name for name in unknown if is_national_type(name)]
    notes = [note("personal_numbers", field=unknown[name][:40]) for name in personal[:1]]
    others = sorted(shown for name, shown in unknown.items() if name not in personal and len(shown) < 40)
    return notes + [note("member", member=shown) for shown in others[:20]]


def _row(row: Row, result: Any, document: dict[str, Any], layout: Layout, limits: Limits) -> Row:
    if not isinstance(result, dict):
        row.fault("", "The result is not an object.", "Write each result as an object with named members.")
        return row
    learner = result.get("learner", document.get("learner"))
    if not isinstance(learner, dict):
        row.fault(
            "learner", "The result does not say whose it is.", "Give a learner, in the result or above all of them."
        )
    else:
        for name in layout.learner_fields:
            _read(row, f"learner.{name}", layout.members[name], learner.get(name), limits)
    shared = {name: document[name] for name in layout.shared if name in document}
    for name, column in layout.members.items():
        if name not in layout.learner_fields:
            _read(row, name, column, (shared | result).get(name), limits)
    _read_awarding_body(row, result.get("awarding_body"))
    row.finish({name: f"learner.{name}" if name in layout.learner_fields else name for name in layout.members})
    return row


def _read(row: Row, name: str, column: Column, value: Any, limits: Limits) -> None:
    if value is None:
        return
    if column.kind in ("title", "texts"):
        _read_texts(row, name, column.field, value, limits, multiline=column.kind == "texts")
    elif column.kind == "list":
        _read_list(row, name, column.field, value, limits)
    elif (
        column.kind in ("languages", "codes") and isinstance(value, list) and all(isinstance(tag, str) for tag in value)
    ):
        row.read(name, column.field, column.kind, ",".join(value))
    elif column.kind == "flag" and isinstance(value, bool):
        row.values[column.field] = value
    elif column.kind == "level" and isinstance(value, float) and value.is_integer():
        row.read(name, column.field, column.kind, str(int(value)))
    elif isinstance(value, bool) or not isinstance(value, str | int | float):
        row.fault(name, "The value is not of the kind that belongs here.", "Write it as the description shows.")
    elif column.kind in _WRITTEN and not isinstance(value, str):
        row.fault(name, "The value is not a text.", "Put it in quotation marks.")
    else:
        # A number of JSON is never written with thousands: one more digit lets no reader take its point for that.
        row.read(name, column.field, column.kind, f"{value}0" if isinstance(value, float) else str(value))


def _texts_of(value: Any, limits: Limits, *, multiline: bool = False) -> dict[str, str] | None:
    """A language map from a map or a plain string; None when it is neither."""
    if isinstance(value, str):
        value = {UNKNOWN_LANGUAGE: value}
    if not isinstance(value, dict) or not value or len(value) > 50:
        return None
    texts: dict[str, str] = {}
    for tag, text in value.items():
        if not isinstance(text, str) or len(text) > limits.max_cell_characters:
            return None
        if tag != UNKNOWN_LANGUAGE and language_tag(tag) == UNKNOWN_LANGUAGE:
            return None
        cleaned = clean_text(text, multiline=multiline)
        if cleaned:
            texts[language_tag(tag)] = cleaned
    return texts or None


def _read_texts(row: Row, name: str, field: str, value: Any, limits: Limits, *, multiline: bool) -> None:
    texts = _texts_of(value, limits, multiline=multiline)
    if texts is None:
        row.fault(
            name,
            "This is not a text, nor texts by language, of at most 4000 characters.",
            'Write it as {"sv": "...", "en": "..."}.',
        )
    else:
        row.values[field] = texts


def _read_list(row: Row, name: str, field: str, value: Any, limits: Limits) -> None:
    found = (
        [_texts_of(item, limits) for item in value]
        if isinstance(value, list) and len(value) <= MOST_ENTRIES
        else [None]
    )
    texts = [item for item in found if item is not None]
    if len(texts) < len(found):
        row.fault(name, "This is not a list of texts.", 'Write it as [{"sv": "...", "en": "..."}].')
    elif texts:
        row.values[field] = texts


def _read_awarding_body(row: Row, value: Any) -> None:
    if value is None:
        return
    names = _texts_of(value.get("names"), Limits()) if isinstance(value, dict) else None
    country = value.get("country") if isinstance(value, dict) else None
    if names is None or (country is not None and not (isinstance(country, str) and _COUNTRY.fullmatch(country))):
        row.fault(
            "awarding_body",
            "The awarding body needs its names and a country code of two letters.",
            'Write it as {"names": {"sv": "..."}, "country": "SE"}.',
        )
    else:
        row.values["awarding_body"] = AwardingBody(names=names, country=country)
