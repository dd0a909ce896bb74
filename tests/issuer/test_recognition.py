"""Who is whom: numbers are compared as they are written, and national numbers by what they mean."""

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from issuer.offers import draft_offers
from issuer.powers import PowerWasEnded
from issuer.recognition import features_of_claims, one_spelling, read_match_rules, same_person
from issuer.store.results import ImportDraft, Result
from issuer.store.upgrades import VERSION
from schemas.learning.achievement import Identifier, Learner
from schemas.learning.personal_numbers import national_number, spellings_of_national_number
from schemas.learning.statement import Statement
from tests.attacks.test_issuer_powers import power_record
from tests.issuer.desk import Desk, open_desk
from tests.issuer.fetching import ELIN, records, running_fetcher
from tests.schemas.types.records import statement
from tests.wallet.acting import POWER, REGISTRATION

OLD = Path(__file__).parents[1] / "vectors" / "issuer-schema-6"
TODAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("19980203-2384", "199802032384"),
        ("199802032384", "199802032384"),
        ("980203-2384", "199802032384"),
        ("120423-2381", "201204232381"),
        ("120423+2381", "191204232381"),  # From the year in which they turn a hundred.
        ("19120423-2381", "191204232381"),
        ("980263-2381", "199802632381"),  # A coordination number.
        ("980203+2384", "189802032384"),
        ("1204232381", None),  # Whoever writes no sign says no century: 1912 or 2012.
        ("980203-2385", None),  # Its check digit does not hold.
        ("19980230-2381", None),  # No day of the calendar, though the digit holds.
        ("19980203+2384", None),
        ("1998-02-03-2384", None),
        ("980203 2384", None),
        ("980203-2384 ", None),
        ("19980203-TF12", None),
        ("", None),
    ],
)
def test_a_national_number_is_read_as_it_is_meant(written: str, read: str | None) -> None:
    """Folkbokföringslagen (1991:481), 18 §."""
    assert national_number(written, on=TODAY) == read
    if read is not None:
        assert written in spellings_of_national_number(read, on=TODAY)


def test_the_hyphen_becomes_a_plus_in_the_year_of_the_hundredth_birthday() -> None:
    """The same signs are another person's a year later."""
    number = spellings_of_national_number("192603042389", on=TODAY)[-1]
    assert (number, national_number(number, on=TODAY)) == ("260304+2389", "192603042389")
    assert national_number("260304-2389", on=date(2025, 12, 31)) == "192603042389"
    assert national_number("260304-2389", on=date(2026, 1, 1)) == "202603042389"


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("980203-2384", "199802032384", True),
        (" 980203-2384 ", "980203-2384", True),
        ("120423+2381", "120423-2381", False),
        ("1204232381", "120423-2381", False),
        ("1204232381", "1204232381", True),
        ("980203-2385", "199802032385", False),
        ("AM-201-10457", "AM-2011-0457", False),
        ("12/3", "1/23", False),
        ("aBc", "abc", False),
        ("007", "7", False),
        ("a b", "ab", False),
    ],
)
def test_numbers_are_the_same_only_when_they_are_written_so(one: str, other: str, are_same: bool) -> None:
    """With whatever claim they come; `sub` has capitals that count (OpenID Connect Core, section 2)."""
    assert (one_spelling(one, on=TODAY) == one_spelling(other, on=TODAY)) is are_same
    rules = read_match_rules("sub=identifier:localId")
    found = [features_of_claims({"sub": each}, rules, on=TODAY) for each in (one, other)]
    assert (found[0] == found[1]) is are_same


def who(given_name: str, kind: str, value: str) -> Learner:
    """Somebody by one number."""
    return Learner(family_name="Prov", given_name=given_name, identifiers=(Identifier(type=kind, value=value),))


def kept(desk: Desk, *found: Any) -> None:
    """A file is read in."""
    draft = ImportDraft("r.json", "json", "1" * 64, (), found)
    desk.context.store.results.save_import(draft, now=desk.clock())


def found_with(desk: Desk, value: str, kind: str = "nationalIdentifier") -> list[Result]:
    """What somebody finds who signs in with this number."""
    features = features_of_claims({"n": value}, read_match_rules(f"n=identifier:{kind}"), on=TODAY)
    return desk.context.store.results.of_learner(features, on=TODAY)


def names(results: list[Result]) -> set[str | None]:
    """Whose records they are."""
    return {one.record.learner.given_name for one in results}


def test_records_of_one_person_agree_however_their_number_is_written(desk: Desk) -> None:
    """What is kept in place of the number is the same."""
    kept(desk, *records("A", learner=who("Cia", "nationalIdentifier", "980203-2384")))
    kept(desk, *records("B", learner=who("Cia", "nationalIdentifier", "199802032384")))
    found = found_with(desk, "19980203-2384")
    assert len(found) == 2
    same_person(one.record.learner for one in found)


@pytest.fixture
def upgraded(tmp_path: Path) -> Iterator[Desk]:
    """A database of version 6, opened."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(OLD / "device-secret", data / "device-secret")
    with sqlite3.connect(data / "issuer.sqlite3") as connection:
        connection.executescript((OLD / "issuer.sql").read_text(encoding="utf-8"))
    connection.close()
    opened = open_desk(tmp_path)
    with opened.client:
        yield opened
    with sqlite3.connect(data / "issuer.sqlite3") as connection:
        assert connection.execute("SELECT version FROM intyga_schema").fetchall() == [(VERSION,)]
    connection.close()


@pytest.mark.parametrize(
    ("kind", "value", "whose"),
    [
        ("nationalIdentifier", "191204232381", {"Alma"}),
        ("nationalIdentifier", "120423+2381", {"Alma"}),
        ("nationalIdentifier", "120423-2381", {"Bo"}),
        ("nationalIdentifier", "201204232381", {"Bo"}),
        ("nationalIdentifier", "1204232381", set()),
        ("nationalIdentifier", "19980203-2384", {"Cia"}),
        ("localId", "AM-201-10457", {"Dag"}),
        ("localId", "AM-2011-0457", set()),
        ("localId", "am-201-10457", set()),
    ],
)
def test_records_of_before_are_found_by_their_own_number_and_no_other(
    upgraded: Desk, kind: str, value: str, whose: set[str]
) -> None:
    """Version 6 compared numbers without signs and capitals. Looking twice finds the same."""
    for _ in range(2):
        assert names(found_with(upgraded, value, kind)) == whose


@pytest.mark.parametrize(
    ("kind", "value", "given_name"), [("nationalIdentifier", "199802032384", "Cia"), ("localId", "AM-201-10457", "Dag")]
)
def test_a_file_of_today_replaces_statements_of_before(upgraded: Desk, kind: str, value: str, given_name: str) -> None:
    """Also when the number is written otherwise by now; and what is kept of both is one person's."""

    def stated() -> list[tuple[str, Statement]]:
        return [(one.id, one.record) for one in found_with(upgraded, value, kind) if isinstance(one.record, Statement)]

    ((before, old),) = stated()
    new = statement(REGISTRATION, 9, learner=who(given_name, kind, value)).model_copy(update={"values": old.values})
    kept(upgraded, new)
    same_person(one.record.learner for one in found_with(upgraded, value, kind))
    ((after, _),) = stated()
    assert after != before


def test_new_and_old_records_of_one_person_agree_before_anybody_has_signed_in(upgraded: Desk) -> None:
    """The file that brings the number marks what was there; else nobody who is found by another thing could fetch."""
    kept(upgraded, *records("NEW", learner=who("Cia", "nationalIdentifier", "199802032384")))
    mine = [one for one in upgraded.context.store.results.list_results() if one.record.learner.given_name == "Cia"]
    assert len(mine) == 3
    same_person(one.record.learner for one in mine)


def test_whoever_signs_in_before_midnight_may_decide_after_it(tmp_path: Path) -> None:
    """What holds today is as of the day on which it was shown; nothing has changed."""
    live = statement(REGISTRATION, 4, learner=ELIN, as_of=None, is_live=True)
    with running_fetcher(tmp_path, live) as fetcher:
        fetcher.desk.clock.advance(hours=10, minutes=20)  # 23:54 in Stockholm.
        page = fetcher.sign_in(fetcher.open(fetcher.request_uri(scope=REGISTRATION.name)))
        assert "2026-11-20" in page.text or "20 november 2026" in page.text
        fetcher.desk.clock.advance(minutes=20)
        assert fetcher.sent_back(fetcher.decide(page))["code"]


def test_a_power_that_was_ended_before_stays_ended(upgraded: Desk) -> None:
    """Its two people are known by names and birth date, which are compared as before."""
    with pytest.raises(PowerWasEnded):
        upgraded.context.store.offers.create(
            draft_offers(POWER, [power_record(3)], with_tx_code=False), now=upgraded.clock()
        )
