"""Files of statements that somebody else has made: read whole or refused, and nobody's number comes out of them."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from issuer.offers import draft_offers
from issuer.profiles import plain_profile
from issuer.results import ImportRefused, Limits, Results, read_results
from issuer.results.statement_columns import STATEMENT_COLUMNS, STATEMENT_LEARNER_FIELDS, STATEMENT_MEMBERS
from schemas.errors import Refused
from schemas.learning.personal_numbers import holds_personal_number
from schemas.types import CREDENTIAL_TYPES
from tests.attacks.test_issuer_any_input import JSON

PROFILE = plain_profile({"sv": "Myndigheten"}, "SE")
TODAY = date(2026, 11, 21)
TYPES = [name for name, one in CREDENTIAL_TYPES.items() if one.form is not None]
NUMBER = "19980423-2388"
SPELLINGS = [
    "19980423-2388",
    "199804232388",
    "980423-2388",
    "980423+2388",
    "19980423\u20132388",
    "19980423\u22122388",
    "\uff11\uff19\uff19\uff18\uff10\uff14\uff12\uff13\uff0d\uff12\uff13\uff18\uff18",
    "Elin (980423 2388)",
]
CELLS = st.one_of(
    st.sampled_from(["yes", "no", "2026-11-20", "75", "A", "Kock", NUMBER, "", "x" * 5_000, "=1+1", "\u202e", "'"]),
    st.text(max_size=20),
)


def read(data: bytes) -> Results | None:
    """The records, or None when the file was refused."""
    try:
        return read_results(data, "hostile", profile=PROFILE, limits=Limits(), today=TODAY)
    except ImportRefused as exc:
        refusal = exc
    assert all(problem.fault_text() and problem.fix_text() for problem in refusal.problems)
    assert not any(holds_personal_number(f"{problem} {problem.item}") for problem in refusal.problems)
    return None


def assert_harmless(results: Results | None) -> None:
    """Whatever was read becomes certificates without the number of anybody, or none."""
    for record in results.records if results else ():
        for name in TYPES:
            if CREDENTIAL_TYPES[name].suits(record):
                try:
                    drafts = draft_offers(CREDENTIAL_TYPES[name], [record.dated(TODAY)], with_tx_code=False)
                except Refused:
                    continue
                assert not holds_personal_number(json.dumps([draft.claims for draft in drafts], ensure_ascii=False))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    name=st.sampled_from(TYPES),
    columns=st.lists(st.sampled_from([one.name for one in STATEMENT_COLUMNS]), unique=True, max_size=12),
    data=st.data(),
)
def test_any_table_is_read_or_refused(name: str, columns: list[str], data: st.DataObject) -> None:
    """Any values under any of the columns."""
    columns = [one for one in columns if one != "certificate_type"]
    cells = [data.draw(CELLS).replace(";", "").replace('"', "").replace("\n", " ").replace("\r", " ") for _ in columns]
    table = f"certificate_type;{';'.join(columns)}\n{name};{';'.join(cells)}\n"
    assert_harmless(read(table.encode("utf-8", "replace")))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    name=st.one_of(st.sampled_from(TYPES), JSON),
    values=st.dictionaries(st.sampled_from(sorted(STATEMENT_MEMBERS)), st.one_of(CELLS, JSON), max_size=8),
    learner=st.one_of(
        JSON, st.dictionaries(st.sampled_from(STATEMENT_LEARNER_FIELDS), st.one_of(CELLS, JSON), max_size=4)
    ),
    above=st.booleans(),
)
def test_any_document_is_read_or_refused(name: Any, values: Any, learner: Any, above: bool) -> None:
    """Any members of any kind."""
    shared = {"certificate_type": name, "learner": learner}
    document = {"statements": [values if above else values | shared], **(shared if above else {})}
    assert_harmless(read(json.dumps(document).encode("utf-8", "replace")))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(
    ("type_name", "member"),
    [
        ("registration-certificate", "office"),
        ("registration-certificate", "unemployment_fund"),
        ("target-group-certificate", "programme"),
        ("upper-secondary-grades", "school"),
        ("upper-secondary-grades", "course_code"),
        ("employment", "employer"),
        ("employment", "tasks"),
    ],
)
def test_a_number_in_a_text_is_found_however_it_is_written(type_name: str, member: str, spelling: str) -> None:
    """The file is refused, and the refusal does not repeat the number."""
    statement = {
        "certificate_type": type_name,
        "learner": {"family_name": "Sjöberg"},
        "as_of": "2026-11-20",
        "registered_status": True,
        "programme": "Jobbsprånget",
        "in_target_group": True,
        "achievement_title": "Kemi",
        "assessment_grade": "A",
        "job_title": "Kock",
        "employer": "Köket",
        "start_date": "2026-01-01",
    }
    form = CREDENTIAL_TYPES[type_name].form
    assert form is not None
    known = {item.name for item in form.items} | {"certificate_type", "learner", "as_of"}
    sound = {name: value for name, value in statement.items() if name in known}
    assert read(json.dumps({"statements": [sound]}).encode()) is not None
    hidden = [spelling] if member == "tasks" else spelling
    with pytest.raises(ImportRefused) as refusal:
        read_results(
            json.dumps({"statements": [sound | {member: hidden}]}).encode(),
            None,
            profile=PROFILE,
            limits=Limits(),
            today=TODAY,
        )
    (problem,) = refusal.value.problems
    assert (problem.row, problem.field) == (1, member)
    assert "2388" not in f"{refusal.value} {problem.item}"
