"""Statements of authorities, schools and employers: read from tables, kept, offered, fetched by sign-in, renewed."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from issuer.issuance import Period, ending_with
from issuer.offers import UnsuitableRecords, draft_offers
from issuer.profiles import load_profile
from issuer.results import ImportRefused, Limits, Results, read_results
from issuer.results.columns import COLUMNS
from issuer.results.layouts import RESULTS, STATEMENTS
from issuer.results.statement_columns import STATEMENT_COLUMNS
from issuer.store.results import Import, ImportDraft
from proofs import strict_json
from proofs.formats.sd_jwt import UnverifiedSDJWT, parse_sd_jwt
from schemas.learning.achievement import Record
from schemas.learning.statement import Statement
from schemas.power import PowerBasis
from schemas.types import CREDENTIAL_TYPES
from schemas.types.card import display_value
from tests.issuer.desk import Desk, achievement
from tests.issuer.fetching import Fetcher, running_fetcher
from tests.issuer.terminal import Run

EXAMPLES = Path(__file__).parent.parent.parent / "examples" / "data"
FILES = {
    "registration-certificate": "job-seekers.csv",
    "target-group-certificate": "target-group.csv",
    "upper-secondary-grades": "upper-secondary-grades.csv",
    "employment": "employment.json",
    "power-of-representation": "powers.csv",
}
PROFILE = load_profile(EXAMPLES / "employment-service-profile.toml")
TODAY = date(2026, 11, 21)
HEAD = "certificate_type;family_name;personal_number;registered_status;as_of"
ELIN = "19980423-2388"


def read(data: bytes | str, **limits: int) -> Results:
    """A file as the issuer reads it."""
    raw = data.encode() if isinstance(data, str) else data
    return read_results(raw, "statements", profile=PROFILE, limits=Limits(**limits), today=TODAY)


def example(type_name: str) -> Results:
    """The example file of a type."""
    return read((EXAMPLES / FILES[type_name]).read_bytes())


def faults(data: str) -> list[tuple[int | None, str, str]]:
    """Row, field and fault of everything that is wrong."""
    with pytest.raises(ImportRefused) as refusal:
        read(data)
    assert all(problem.fix_text() for problem in refusal.value.problems)
    return [(problem.row, problem.field, problem.fault_text()) for problem in refusal.value.problems]


def keep(desk: Desk, results: Results) -> Import:
    """Keep a file."""
    draft = ImportDraft("statements", results.source.value, results.sha256, (), results.records)
    return desk.context.store.results.save_import(draft, now=desk.clock())


# --- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_name", FILES)
def test_every_example_becomes_certificates(type_name: str) -> None:
    """Each with its type, its day and who says so; nobody's number is in any of them."""
    results = example(type_name)
    credential_type = CREDENTIAL_TYPES[type_name]
    assert not results.achievements
    for record in results.records:
        assert credential_type.completeness(record).missing_demanded == ()
    drafts = draft_offers(credential_type, [record.dated(TODAY) for record in results.records], with_tx_code=False)
    told = json.dumps([draft.claims for draft in drafts], ensure_ascii=False)
    assert drafts
    assert all(draft.claims["issuing_authority"]["sv"] == "Arbetsförmedlingen" for draft in drafts)
    assert not any(number in told for number in ("2388", "2391", "2389", "K-204417"))


def test_the_example_of_grades_is_one_certificate_with_its_courses() -> None:
    """Also the failed one, and the same course again with a better grade: the person chooses what to show."""
    results = example("upper-secondary-grades")
    (draft,) = draft_offers(CREDENTIAL_TYPES["upper-secondary-grades"], results.records, with_tx_code=False)
    courses = draft.claims["courses"]
    assert [course["assessment_grade"] for course in courses] == ["B", "A", "F", "C"]
    assert courses[3]["school"] == {"sv": "Sörbyns Komvux"}
    assert courses[0]["upper_secondary_points"] == 100
    assert draft.claims["date_of_issuance"] == "2026-11-02"


def test_json_holds_the_same_as_a_table() -> None:
    """What stands above the statements counts for each of them."""
    (record,) = example("employment").records
    assert isinstance(record, Statement)
    assert (record.as_of, record.title) == (
        date(2026, 11, 2),
        {"sv": "Anställningsintyg: Systemutvecklare", "en": "Certificate of employment: Systems developer"},
    )
    assert record.values["extent_percent"] == 75
    assert record.values["tasks"][0] == {"sv": "Utveckling av journalsystem", "en": "Developing medical record systems"}  # type: ignore[index]
    table = read(
        "intygstyp;efternamn;befattning;arbetsgivare;startdatum;omfattning;arbetsuppgifter_sv;gäller_den\n"
        "employment;Sjöberg;Systemutvecklare;Fjordtal AB;2021-09-01;75,5 %;Koda|Testa;2026-11-02"
    )
    (written,) = table.records
    assert isinstance(written, Statement)
    assert written.values == {
        "job_title": {"sv": "Systemutvecklare"},
        "employer": {"sv": "Fjordtal AB"},
        "start_date": "2021-09-01",
        "extent_percent": 75.5,
        "tasks": [{"sv": "Koda"}, {"sv": "Testa"}],
    }


@pytest.mark.parametrize(
    ("row", "field", "fault"),
    [
        ("degree;Ek;;yes;2026-11-20", "certificate_type", "There is no kind of certificate"),
        ("micro-credential;Ek;;yes;2026-11-20", "certificate_type", "There is no kind of certificate"),
        (";Ek;;yes;2026-11-20", "certificate_type", "There is no kind of certificate"),
        ("registration-certificate;;;yes;2026-11-20", "family_name", "does not say whom"),
        ("registration-certificate;Ek;;maybe;2026-11-20", "registered_status", "neither yes nor no"),
        ("registration-certificate;Ek;;;2026-11-20", "registered_status", "missing"),
        ("registration-certificate;Ek;;yes;", "as_of", "on which day"),
        ("registration-certificate;Ek;;yes;2027-01-01", "as_of", "future"),
        ("registration-certificate;Ek;19980423-2389;yes;2026-11-20", "personal_number", "no personal|not a personal"),
        ("registration-certificate;Ek;980423-2388;yes;2026-11-20", "personal_number", "not a personal"),
        ("registration-certificate;Ek 19980423-2388;;yes;2026-11-20", "family_name", "personal identity number"),
    ],
)
def test_a_fault_is_named_by_row_and_field(row: str, field: str, fault: str) -> None:
    """And nothing of the file is read, also when every other row is sound."""
    sound = "registration-certificate;Berg;;yes;2026-11-20"
    ((number, named, told),) = faults(f"{HEAD}\n{sound}\n{row}")
    assert (number, named) == (3, field)
    assert any(part in told for part in fault.split("|"))


@pytest.mark.parametrize(
    ("head", "row", "field", "fault"),
    [
        ("office_sv;as_of", "Kontoret 19980423-2388;2026-11-20", "office_sv", "personal identity number"),
        ("unemployment_fund;as_of", "Kassan 980423-2388;2026-11-20", "unemployment_fund", "personal identity number"),
        ("live;as_of", "yes;2026-11-20", "as_of", "kept current"),
        ("job_title;as_of", "Systemutvecklare;2026-11-20", "job_title", "holds no such value"),
    ],
)
def test_what_may_not_stand_in_a_certificate_is_a_fault(head: str, row: str, field: str, fault: str) -> None:
    """A number in a free text, a day of something that is kept current, a value of another type."""
    table = f"certificate_type;family_name;registered_status;{head}\nregistration-certificate;Ek;yes;{row}"
    ((_, named, told),) = faults(table)
    assert fault in told
    assert named in (field, field.removesuffix("_sv"))


@pytest.mark.parametrize(
    ("values", "field", "fault"),
    [
        ("Kurs;H;2016-06-10", "betyg", "not one of those"),
        ("Kurs;;2016-06-10", "betyg", "missing"),
        (";A;2016-06-10", "kurs", "missing"),
        ("Kurs;A;2030-06-10", "betygsdatum", "future"),
    ],
)
def test_a_grade_is_one_of_the_scale(values: str, field: str, fault: str) -> None:
    """And a course has a name."""
    head = "intygstyp;efternamn;gäller_den;kurs;betyg;betygsdatum"
    ((_, named, told),) = faults(f"{head}\nupper-secondary-grades;Ek;2026-11-02;{values}")
    assert (named, fault in told) == (field, True)


@pytest.mark.parametrize("extent", ["0", "101", "-5", "half", "75 % av heltid"])
def test_an_extent_is_above_nothing_and_at_most_the_whole(extent: str) -> None:
    """Percent, with or without the sign."""
    head = "certificate_type;family_name;as_of;job_title;employer;start_date;extent_percent"
    table = f"{head}\nemployment;Ek;2026-11-02;Kock;Köket;2026-01-01;{extent}"
    assert [field for _, field, _ in faults(table)] == ["extent_percent"]


def test_an_employment_may_end_in_the_future_but_not_begin_there() -> None:
    """A fixed term is known beforehand."""
    head = "certificate_type;family_name;as_of;job_title;employer;start_date;end_date"
    assert read(f"{head}\nemployment;Ek;2026-11-02;Kock;Köket;2026-01-01;2027-01-01").records
    assert faults(f"{head}\nemployment;Ek;2026-11-02;Kock;Köket;2027-01-01;")


@pytest.mark.parametrize(
    ("born", "since", "is_fault"),
    [
        ("1998-04-23", "2020-01-01", False),
        ("2026-11-20", "", True),
        ("2020-01-01", "2020-01-01", True),
        ("2020-01-02", "2020-01-01", True),
    ],
)
def test_nothing_is_stated_of_a_day_before_the_person_was_born(born: str, since: str, is_fault: bool) -> None:
    """The day of the statement and every day in it lie after the birth."""
    head = "certificate_type;family_name;birth_date;registered_status;registered_since;as_of"
    table = f"{head}\nregistration-certificate;Sjöberg;{born};yes;{since};2026-11-20"
    if is_fault:
        told = [(2, "birth_date", "The birth date does not lie before the other days of the row.")]
        assert faults(table) == told
    else:
        assert len(read(table).records) == 1


def test_the_same_is_stated_of_a_person_once() -> None:
    """Two registrations of one person contradict each other; two programmes do not."""
    row = "registration-certificate;Ek;19990215-2389"
    ((number, _, fault),) = faults(f"{HEAD}\n{row};yes;2026-11-20\n{row};no;2026-11-20")
    assert (number, "row 2" in fault) == (3, True)
    head = "certificate_type;family_name;programme;in_target_group;as_of"
    group = "target-group-certificate;Ek"
    assert len(read(f"{head}\n{group};A;yes;2026-11-20\n{group};B;no;2026-11-20").records) == 2


@pytest.mark.parametrize(
    "document",
    [
        {"statements": []},
        {"statements": {}},
        {"statements": [5], "certificate_type": "employment"},
        {"statements": [{"learner": {"family_name": "Ek"}}]},
        {"statements": [{"learner": {"family_name": "Ek"}}], "certificate_type": ["employment"]},
        {"statements": [{"learner": 5}], "certificate_type": "employment"},
        {"statements": [{"registered_status": "nej " * 3}], "certificate_type": "registration-certificate"},
        {
            "certificate_type": "registration-certificate",
            "learner": {"family_name": "Ek", "personal_number": 199804232388},
            "statements": [{"registered_status": True, "live": True}],
        },
        {
            "certificate_type": "registration-certificate",
            "learner": {"family_name": "Ek"},
            "statements": [{"registered_status": {"sv": "ja"}, "live": True}],
        },
        {
            "certificate_type": "registration-certificate",
            "learner": {"family_name": "Ek"},
            "statements": [
                {"registered_status": True, "live": True, "awarding_body": {"names": {"sv": "Ek 19980423-2388"}}}
            ],
        },
    ],
)
def test_a_hostile_document_is_refused_with_its_faults(document: Any) -> None:
    """Never an error of ours."""
    assert faults(json.dumps(document))


def test_a_live_statement_is_read_and_says_no_day_yet() -> None:
    """The day is that of the certificate."""
    record = example("registration-certificate").records[0]
    assert isinstance(record, Statement)
    assert (record.is_live, record.as_of) == (True, None)
    codes = {warning.code for warning in example("registration-certificate").warnings}
    assert "personal_numbers_to_recognise" in codes


def test_every_type_of_statements_has_its_columns_and_no_two_mean_different_things() -> None:
    """A new type can be imported at once; a name in a table is one column, whatever the type."""
    names = [name for column in STATEMENT_COLUMNS for name in (column.name, *column.also)]
    assert len(names) == len(set(names))
    for credential_type in CREDENTIAL_TYPES.values():
        for item in credential_type.form.items if credential_type.form else ():
            assert item.name in STATEMENTS.members
    assert not set(STATEMENTS.marks) & {name for column in COLUMNS for name in (column.name, *column.also)}
    assert RESULTS.by_name.keys() != STATEMENTS.by_name.keys()


def test_results_are_not_made_into_statements_nor_the_other_way_round() -> None:
    """The refusal says what such records can become."""
    with pytest.raises(UnsuitableRecords, match="registration-certificate"):
        draft_offers(
            CREDENTIAL_TYPES["micro-credential"], example("registration-certificate").records, with_tx_code=False
        )
    with pytest.raises(UnsuitableRecords, match="micro-credential, course-results"):
        draft_offers(CREDENTIAL_TYPES["employment"], [achievement()], with_tx_code=False)


# --- keeping ---------------------------------------------------------------------------------------------------------


def test_no_personal_identity_number_is_at_rest(desk: Desk) -> None:
    """Neither in the records nor anywhere else in the database; people are told apart all the same."""
    kept = keep(desk, example("registration-certificate"))
    results = desk.context.store.results.list_results(kept.id)
    assert len({result.record.learner for result in results}) == 4
    told = "".join(result.record.model_dump_json() for result in results)
    assert "K-204417" in told
    files = [path.read_bytes() for path in desk.settings.data.rglob("*") if path.is_file()]
    assert any(b"K-204417" in file for file in files), "the search finds what is there"
    for number in ("199804232388", "19980423-2388", "197911302391"):
        assert not any(number.encode() in file for file in files)


def test_a_later_statement_takes_the_place_of_an_earlier_one(desk: Desk) -> None:
    """Of the same kind about the same person: recognised by any number. Others stay, and so do achievements."""
    store = desk.context.store.results
    keep(desk, example("registration-certificate"))
    keep(desk, example("target-group-certificate"))
    keep(desk, read(f"{HEAD}\nregistration-certificate;Sjöberg;{ELIN};no;2026-11-20"))
    kept: list[Record] = [result.record for result in store.list_results()]
    registrations = [one for one in kept if isinstance(one, Statement) and one.type_name == "registration-certificate"]
    assert len(kept) == 4 + 3
    assert [one.values["registered_status"] for one in registrations if one.learner.family_name == "Sjöberg"] == [False]


def test_of_two_files_at_once_the_later_takes_the_place_of_the_earlier(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is to be replaced was looked up already when another file with the same came: it is looked up again."""
    store, looked = desk.context.store.results, list[int]()
    real = store._replaced

    def replaced(statement_keys: Sequence[bytes]) -> tuple[set[str], list[str]]:
        found = real(statement_keys)
        looked.append(len(found[1]))
        if len(looked) == 1:
            keep(desk, read(f"{HEAD}\nregistration-certificate;Sjöberg;{ELIN};yes;2026-11-19"))
        return found

    monkeypatch.setattr(store, "_replaced", replaced)
    keep(desk, read(f"{HEAD}\nregistration-certificate;Sjöberg;{ELIN};no;2026-11-20"))

    assert looked == [0, 0, 1]
    (only,) = store.list_results()
    assert isinstance(only.record, Statement)
    assert only.record.values["registered_status"] is False


def test_people_of_one_name_do_not_take_each_others_place(desk: Desk) -> None:
    """A name alone, or with another birth date, is not the same person."""
    head = "certificate_type;family_name;given_name;birth_date;registered_status;as_of"
    row = "registration-certificate;Ek;Maja"
    for born in ("1999-02-15", "2001-09-08", ""):
        for _ in range(2):
            keep(desk, read(f"{head}\n{row};{born};yes;2026-11-20"))
    assert len(desk.context.store.results.list_results()) == 1 + 1 + 2


# --- fetching --------------------------------------------------------------------------------------------------------


@pytest.fixture
def fetcher(tmp_path: Path) -> Iterator[Fetcher]:
    """A public employment service where Elin signs in."""
    records = [*example("registration-certificate").records, *example("target-group-certificate").records]
    with running_fetcher(tmp_path, *records) as opened:
        opened.provider.person = {"sub": "1", "pnr": ELIN}
        yield opened


def fetched(fetcher: Fetcher, *type_names: str) -> dict[str, UnverifiedSDJWT]:
    """One copy of each, by the authorization code flow."""
    token = fetcher.token(scope=" ".join(type_names))["access_token"]
    answers = {name: fetcher.ask_credential(token, type_name=name) for name in type_names}
    assert {answer.status_code for answer in answers.values()} == {200}
    return {name: parse_sd_jwt(answer.json()["credentials"][0]["credential"]) for name, answer in answers.items()}


def test_registration_and_target_group_are_fetched_with_one_sign_in(fetcher: Fetcher) -> None:
    """One's own, as of today, valid for 30 days, without any number of the person."""
    copies = fetched(fetcher, "registration-certificate", "target-group-certificate")
    registration, group = copies["registration-certificate"].claims, copies["target-group-certificate"].claims
    assert (registration["registered_status"], registration["registered_since"]) == (True, "2026-08-17")
    assert (registration["as_of"], group["as_of"]) == ("2026-11-20", "2026-11-20")
    assert (group["in_target_group"], group["programme"]["sv"]) == (True, "Jobbsprånget")
    assert registration["family_name"] == "Sjöberg"
    for claims in (registration, group):
        assert timedelta(seconds=claims["exp"] - claims["nbf"]) == timedelta(days=30)
        assert "2388" not in strict_json.dumps(claims["given_name"]).decode()
        assert not {name for name in claims if "number" in name or "identif" in name or "fund" in name}


def test_the_answer_can_be_no(fetcher: Fetcher) -> None:
    """A no is a certificate as well."""
    fetcher.provider.person = {"sub": "2", "pnr": "197911302391"}
    copies = fetched(fetcher, "registration-certificate", "target-group-certificate")
    assert copies["target-group-certificate"].claims["in_target_group"] is False
    assert copies["registration-certificate"].claims["unemployment_fund"] == "Hantverkarnas arbetslöshetskassa"
    fund = ("unemployment_fund",)
    assert fund in copies["registration-certificate"].disclosure_at, "it is a disclosure of its own"


def test_fresh_copies_are_as_of_the_day_on_which_they_are_made(fetcher: Fetcher) -> None:
    """A refresh looks at the record as it is then; one that was replaced meanwhile is not renewed."""
    token = fetcher.token(scope="registration-certificate")
    first = fetcher.ask_credential(token["access_token"], type_name="registration-certificate")
    assert first.status_code == 200
    fetcher.desk.clock.advance(days=3)
    fetcher.dpop_nonce = None
    again = fetcher.ask_refresh(token["refresh_token"]).json()
    answer = fetcher.ask_credential(again["access_token"], type_name="registration-certificate").json()
    claims = parse_sd_jwt(answer["credentials"][0]["credential"]).claims
    assert claims["as_of"] == "2026-11-23"
    assert claims["exp"] == int((datetime.fromisoformat("2026-11-23T12:00:00+00:00") + timedelta(days=30)).timestamp())

    keep(fetcher.desk, read(f"{HEAD}\nregistration-certificate;Sjöberg;{ELIN};no;2026-11-20"))
    fetcher.desk.clock.advance(days=1)
    fetcher.desk.context.store.grants.sweep(now=fetcher.desk.clock())
    refused = fetcher.ask_refresh(again.get("refresh_token", token["refresh_token"]))
    assert refused.json()["error"] == "invalid_grant"
    assert fetched(fetcher, "registration-certificate")["registration-certificate"].claims["registered_status"] is False


def test_the_operators_validity_still_bounds_what_a_type_allows(tmp_path: Path) -> None:
    """The shorter of the two counts."""
    with running_fetcher(tmp_path, *example("registration-certificate").records, validity_days=7) as fetcher:
        fetcher.provider.person = {"sub": "1", "pnr": ELIN}
        claims = fetched(fetcher, "registration-certificate")["registration-certificate"].claims
        assert timedelta(seconds=claims["exp"] - claims["nbf"]) == timedelta(days=7)


def test_who_has_no_record_of_the_kind_fetches_nothing(fetcher: Fetcher) -> None:
    """Nor does somebody of whom only another kind is kept."""
    fetcher.provider.person = {"sub": "3", "pnr": "199902152389"}
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri(scope="target-group-certificate")))
    assert "Du har inga uppgifter här" in page.text
    assert "Målgruppsintyg" not in page.text


# --- the command line ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_name", FILES)
def test_offers_are_made_of_statements_from_the_command_line(type_name: str, data: Path, run: Run) -> None:
    """`intyga-issuer offer --type ... --from FILE`, and `import`, which says what each row holds."""
    file = EXAMPLES / FILES[type_name]
    told = run("offer", "--type", type_name, "--from", file, "--data", data, "--json", ISSUER_NAME="Exempel")
    assert told.status == 0, told.stderr
    expected = {"registration-certificate": 4, "target-group-certificate": 3, "power-of-representation": 2}.get(
        type_name, 1
    )
    assert len(json.loads(told.stdout)) == expected
    kept = json.loads(run("import", file, "--data", data, "--json").stdout)
    assert all(one["cannot_be_issued_as"] == {} for one in kept["results"])
    again = run("offer", "--type", type_name, "--import", kept["import"], "--data", data, "--json")
    assert len(json.loads(again.stdout)) == expected
    wrong = run("offer", "--type", "micro-credential", "--from", file, "--data", data, "--json")
    assert (wrong.status, wrong.fault["error"]) == (1, "unsuitable_records")


# --- powers -----------------------------------------------------------------------------------------------------------


def test_a_power_is_not_certified_beyond_its_last_day() -> None:
    """The copies end with the day itself, on a whole hour; of one that is over they last for an hour, to be read."""
    begins = datetime(2026, 11, 21, 9, tzinfo=UTC)
    year = Period(begins, begins + timedelta(days=365))

    def until(day: str, type_name: str = "power-of-representation") -> datetime:
        return ending_with(year, type_name=type_name, claims={"ends_on": day}).valid_until

    assert until("2026-11-30") == datetime(2026, 12, 1, tzinfo=UTC)
    assert until("2026-11-21") == datetime(2026, 11, 22, tzinfo=UTC)
    assert until("2030-08-18") == until("9999-12-31") == year.valid_until
    assert until("2026-11-30", "employment") == year.valid_until
    assert until("2026-11-20") == until("2020-01-01") == begins + timedelta(hours=1)


@pytest.mark.parametrize("language", ["sv", "en"])
def test_what_a_power_rests_on_is_told_in_words(language: str) -> None:
    """On the card of the wallet, at the recipient and on the issuer's pages, in both languages; another text stays."""
    (spec,) = [one for one in CREDENTIAL_TYPES["power-of-representation"].claims if one.path == ("power_basis",)]
    words = {display_value(basis.value, spec.value_type, language) for basis in PowerBasis}

    assert len(words) == len(PowerBasis)
    assert not any("_" in text or text in set(PowerBasis) for text in words)
    assert display_value("something_else", spec.value_type, language) == "something_else"
