"""JSON: an object with `results`, each an object with the fields of an achievement; `learner` above or inside each.

{"learner": {"family_name": "Sjöberg", "given_name": "Elin Maria", "birth_date": "1998-04-23"},
 "results": [{"code": "DT4011", "title": {"sv": "Datasäkerhet", "en": "Computer security"},
              "issued_on": "2026-06-05", "ects_credits": 7.5, "eqf_level": 7, "grade": "VG"}]}
"""

import re
from datetime import date
from typing import Any

from issuer.results.columns import JSON_MEMBERS, LEARNER_FIELDS, Column
from issuer.results.rows import Row
from proofs import strict_json
from schemas.errors import Malformed
from schemas.learning.achievement import AwardingBody, Source
from schemas.learning.problems import Problem, refuse
from schemas.learning.safe_xml import Limits
from schemas.learning.texts import UNKNOWN_LANGUAGE, clean_text, language_tag

_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


def read_json(data: bytes, *, limits: Limits, today: date) -> tuple[list[Row], list[Problem]]:
    """Rows with their faults, and warnings. Raises `ImportRefused` when the file is not of the documented shape."""
    try:
        value = strict_json.loads(data.removeprefix(b"\xef\xbb\xbf"), max_bytes=limits.max_bytes)
    except Malformed as exc:
        raise refuse("The file is not JSON, or not of a kind that can be read safely.", "Export it again.") from exc
    document = {"results": value} if isinstance(value, list) else value
    results = document.get("results") if isinstance(document, dict) else None
    if not isinstance(results, list) or not results:
        raise refuse(
            "The file has no list of results.", "Put the results into a list named “results”, as the description shows."
        )
    if len(results) > limits.max_rows:
        raise refuse("The file has more than %(count)s results.", "Split it into several files.", count=limits.max_rows)
    rows = [
        _row(Row(number, Source.JSON, today), result, document.get("learner"), limits)
        for number, result in enumerate(results, start=1)
    ]
    unknown = {
        name
        for result in results
        if isinstance(result, dict)
        for name in result
        if name not in _KNOWN and len(name) < 40
    }
    warnings = [
        Problem("The member “%(member)s” was not read.", "Nothing needs to be done.", values={"member": name})
        for name in sorted(unknown)[:20]
    ]
    return rows, warnings


_KNOWN = {*JSON_MEMBERS, "learner", "awarding_body"} - set(LEARNER_FIELDS)


def _row(row: Row, result: Any, shared_learner: Any, limits: Limits) -> Row:
    if not isinstance(result, dict):
        row.fault("", "The result is not an object.", "Write each result as an object with named members.")
        return row
    learner = result.get("learner", shared_learner)
    if not isinstance(learner, dict):
        row.fault(
            "learner", "The result does not say whose it is.", "Give a learner, in the result or above all of them."
        )
    else:
        for name in LEARNER_FIELDS:
            _read(row, f"learner.{name}", JSON_MEMBERS[name], learner.get(name), limits)
        row.require("family_name", "learner.family_name")
    for name, column in JSON_MEMBERS.items():
        if name not in LEARNER_FIELDS:
            _read(row, name, column, result.get(name), limits)
    _read_awarding_body(row, result.get("awarding_body"))
    row.require("title", "title")
    return row


def _read(row: Row, name: str, column: Column, value: Any, limits: Limits) -> None:
    if value is None:
        return
    if column.kind == "texts":
        _read_texts(row, name, column.field, value, limits)
    elif column.kind == "list":
        _read_list(row, name, column.field, value, limits)
    elif column.kind == "languages" and isinstance(value, list) and all(isinstance(tag, str) for tag in value):
        row.read(name, column.field, column.kind, ",".join(value))
    elif column.kind == "flag" and isinstance(value, bool):
        row.values[column.field] = value
    elif isinstance(value, bool) or not isinstance(value, str | int | float):
        row.fault(name, "The value is not of the kind that belongs here.", "Write it as the description shows.")
    elif column.kind in ("line", "birth", "day", "url", "status", "flag", "languages") and not isinstance(value, str):
        row.fault(name, "The value is not a text.", "Put it in quotation marks.")
    else:
        row.read(name, column.field, column.kind, str(value))


def _texts_of(value: Any, limits: Limits) -> dict[str, str] | None:
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
        cleaned = clean_text(text, multiline=True)
        if cleaned:
            texts[language_tag(tag)] = cleaned
    return texts or None


def _read_texts(row: Row, name: str, field: str, value: Any, limits: Limits) -> None:
    texts = _texts_of(value, limits)
    if texts is None:
        row.fault(
            name,
            "This is not a text, nor texts by language, of at most 4000 characters.",
            'Write it as {"sv": "...", "en": "..."}.',
        )
    else:
        row.values[field] = texts


def _read_list(row: Row, name: str, field: str, value: Any, limits: Limits) -> None:
    found = [_texts_of(item, limits) for item in value] if isinstance(value, list) and len(value) <= 200 else [None]
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
