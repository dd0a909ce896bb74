"""At the source the person chooses the courses of a certificate: what is left out leaves no trace in it, nor later."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from issuer.authorization.choosing import NoCourseChosen, RecordsChanged, courses_of, narrowed, unchanged
from issuer.offers import draft_offers
from issuer.store.results import ImportDraft
from proofs.formats.sd_jwt import UnverifiedSDJWT, parse_sd_jwt
from schemas.errors import Refused
from schemas.types import CREDENTIAL_TYPES
from tests.attacks.test_issuer_states import state_of
from tests.issuer.desk import achievement
from tests.issuer.fetching import ELIN, Fetcher, records, running_fetcher

CODES = ("DT4011", "DT4012", "DT4013")
SCOPE = "course-results"


@pytest.fixture
def fetcher(tmp_path: Path) -> Iterator[Fetcher]:
    """An issuer with three courses of one person."""
    with running_fetcher(tmp_path, *records(*CODES)) as opened:
        yield opened


def review(fetcher: Fetcher, **form: Any) -> Any:
    """What the person sees after signing in."""
    return fetcher.sign_in(fetcher.open(fetcher.request_uri(scope=SCOPE, **form)))


def copy_of(fetcher: Fetcher, token: str) -> UnverifiedSDJWT:
    """One copy of the certificate."""
    answer = fetcher.ask_credential(token, type_name=SCOPE)
    return parse_sd_jwt(answer.json()["credentials"][0]["credential"])


def codes_in(copy: UnverifiedSDJWT) -> list[str]:
    """The courses of a copy with everything disclosed."""
    return [course["course_code"] for course in copy.claims["courses"]]


def test_only_the_chosen_courses_are_in_the_certificate_and_in_fresh_copies(fetcher: Fetcher) -> None:
    """All are ticked at first. What is unticked is neither in the copy, nor counted by a digest, nor in a copy that is
    fetched later with the refresh token."""
    page = review(fetcher)
    boxes: Any = html.fromstring(page.text).xpath("//input[@name='course']")
    assert [box.get("checked") is not None for box in boxes] == [True] * 3
    assert [box.get("value") for box in boxes] == ["0.0", "0.1", "0.2"]
    assert "Kurser i intyget" in page.text

    code = fetcher.sent_back(fetcher.decide(page, courses=["0.0", "0.2"]))["code"]
    token = fetcher.ask_token(code).json()
    copy = copy_of(fetcher, token["access_token"])
    assert codes_in(copy) == ["DT4011", "DT4013"]
    assert "DT4012" not in str(copy)

    renewed = fetcher.ask_refresh(token["refresh_token"]).json()
    assert codes_in(copy_of(fetcher, renewed["access_token"])) == ["DT4011", "DT4013"]


def test_an_offer_that_is_fetched_with_a_sign_in_is_narrowed_for_good(fetcher: Fetcher) -> None:
    """The offer that becomes the grant names the chosen records from then on, so that fresh copies hold no more."""
    store = fetcher.desk.context.store
    results = store.results.list_results()
    (draft,) = draft_offers(
        CREDENTIAL_TYPES[SCOPE],
        [result.record for result in results],
        with_tx_code=False,
        with_sign_in=True,
        result_ids=[result.id for result in results],
    )
    (offer,) = store.offers.create([draft], now=fetcher.desk.clock())
    page = review(fetcher, issuer_state=state_of(fetcher, offer))
    token = fetcher.ask_token(fetcher.sent_back(fetcher.decide(page, courses=["0.1"]))["code"]).json()
    chosen = codes_in(copy_of(fetcher, token["access_token"]))
    assert len(chosen) == 1
    renewed = fetcher.ask_refresh(token["refresh_token"]).json()
    assert codes_in(copy_of(fetcher, renewed["access_token"])) == chosen


@pytest.mark.parametrize("courses", [[], ["1.0"], ["0"], ["0.x"], ["x.0"]])
def test_without_a_course_nothing_is_fetched_and_the_page_says_so(fetcher: Fetcher, courses: list[str]) -> None:
    """The ticks stay as they were."""
    page = fetcher.decide(review(fetcher), courses=courses)
    assert page.status_code == 400
    assert "Välj minst en kurs" in page.text
    assert not html.fromstring(page.text).xpath("//input[@name='course'][@checked]")


def test_a_course_that_is_not_there_is_refused(fetcher: Fetcher) -> None:
    """Whoever makes up a place gets the page again."""
    assert fetcher.decide(review(fetcher), courses=["0.0", "0.7"]).status_code == 400


@pytest.mark.parametrize("courses", [["0.0"], None])
def test_records_that_changed_meanwhile_are_shown_anew(fetcher: Fetcher, courses: list[str] | None) -> None:
    """What is fetched is what was shown: results that were replaced or erased since are not cut down, but read again
    after another sign-in. A course is left out, or none."""
    page = review(fetcher)
    store = fetcher.desk.context.store.results
    (imported,) = store.list_imports()
    store.delete_import(imported.id)
    store.save_import(ImportDraft("new.json", "json", "1" * 64, (), records(*CODES)), now=fetcher.desk.clock())

    answer = fetcher.decide(page, courses=courses)
    assert answer.status_code == 409
    assert 'id="sign-in-again"' in answer.text


def test_one_course_is_no_choice_and_a_certificate_of_one_record_neither(tmp_path: Path) -> None:
    """Then the page is as it was."""
    with running_fetcher(tmp_path, *records("DT4011")) as fetcher:
        page = fetcher.sign_in(fetcher.open(fetcher.request_uri(scope="course-results micro-credential")))
        assert 'name="course"' not in page.text
        assert fetcher.sent_back(fetcher.decide(page, courses=[]))["code"]


@pytest.mark.parametrize("name", [name for name, one in CREDENTIAL_TYPES.items() if one.takes == "many"])
def test_every_type_of_many_records_lists_them_under_a_claim(name: str) -> None:
    """What this stands on."""
    assert CREDENTIAL_TYPES[name].listed_under == "courses"


def test_narrowing_by_itself() -> None:
    """None, one that is not there, and records that say something else."""
    kept = records(*CODES)
    (draft,) = draft_offers(CREDENTIAL_TYPES[SCOPE], kept, with_tx_code=False, result_ids=["a", "b", "c"])
    assert len(courses_of(draft)) == 3
    assert narrowed(draft, [2, 0, 0], kept).result_ids == ("a", "c")
    for positions, error in (([], NoCourseChosen), ([3], Refused), ([-1], Refused)):
        with pytest.raises(error):
            narrowed(draft, positions, kept)
    other = achievement("DT4012", title={"sv": "En annan", "en": "Another"}).model_copy(update={"learner": ELIN})
    changed = (kept[0], other, kept[2])
    assert unchanged(draft, [changed, kept]) is kept
    with pytest.raises(RecordsChanged):
        unchanged(draft, [changed])
