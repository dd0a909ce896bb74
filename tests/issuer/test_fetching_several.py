"""Several certificates of one kind that were asked for by scope: the token names each (OpenID4VCI 1.0, 6.2 and 8.2)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from issuer.authorization.tokens import named_by
from issuer.deferral import Review
from proofs.formats.sd_jwt import parse_sd_jwt
from proofs.keys import generate_signer
from tests.attacks.test_issuer_later import poll
from tests.issuer.fetching import Fetcher, records, running_fetcher

COURSES = ("DT4011", "DT4012", "DT4013")


@pytest.fixture
def fetcher(tmp_path: Path) -> Iterator[Fetcher]:
    """A wallet, and an issuer with three courses of one person."""
    with running_fetcher(tmp_path, *records(*COURSES)) as opened:
        yield opened


def ticked(fetcher: Fetcher, *places: int, **form: Any) -> Any:
    """The token answer, after the person ticked these places."""
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri(**form)))
    decided = fetcher.decide(page, certificates=[str(place) for place in places])
    answer = fetcher.ask_token(fetcher.sent_back(decided)["code"])
    assert answer.status_code == 200, answer.text
    return answer.json()


def names_in(token: Any, kind: str = "micro-credential") -> list[str]:
    """The identifiers of a kind in a token answer."""
    details = token.get("authorization_details", [])
    return [
        name for one in details if one["credential_configuration_id"] == kind for name in one["credential_identifiers"]
    ]


def by_name(fetcher: Fetcher, token: str, name: str, **members: Any) -> Any:
    """Ask for a certificate by its identifier."""
    return fetcher.ask_credential(token, credential_configuration_id=None, credential_identifier=name, **members)


def course(answer: Any) -> str:
    """The course that an answer is about."""
    assert answer.status_code == 200, answer.text
    return str(parse_sd_jwt(answer.json()["credentials"][0]["credential"]).claims["course_code"])


def test_several_that_were_ticked_have_a_name_each(fetcher: Fetcher) -> None:
    """One yes and one token for two of three, in the order of the page; the scope says what was granted as well."""
    token = ticked(fetcher, 2, 0)

    names = names_in(token)
    assert len(set(names)) == len(names) == 2
    assert [detail["type"] for detail in token["authorization_details"]] == ["openid_credential"]
    assert token["scope"] == "micro-credential"
    assert [course(by_name(fetcher, token["access_token"], name)) for name in names] == ["DT4011", "DT4013"]
    issued = fetcher.desk.context.store.status.list_issued(limit=10)
    assert len(issued) == 2


def test_a_wallet_that_passes_over_the_names_gets_the_first(fetcher: Fetcher) -> None:
    """By the kind, which is how it asks: however often, the same one, and never another course under its slots."""
    token = ticked(fetcher, 1, 2)["access_token"]
    key = [generate_signer()]

    answers = [fetcher.ask_credential(token, proofs=fetcher.desk.proofs(key)) for _ in range(2)]

    assert [course(answer) for answer in answers] == ["DT4012", "DT4012"]
    (issued,) = fetcher.desk.context.store.status.list_issued(limit=10)
    assert issued.copies == 1


def test_beside_several_of_a_kind_the_only_one_of_another_has_a_name_too(fetcher: Fetcher) -> None:
    """Once there are identifiers a wallet names nothing by its configuration (8.2); it may, here, all the same."""
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri(scope="micro-credential course-results")))
    decided = fetcher.decide(page, certificates=["0", "1", "3"])
    token = fetcher.ask_token(fetcher.sent_back(decided)["code"]).json()

    assert len(names_in(token)) == 2
    (only,) = names_in(token, "course-results")
    assert token["scope"].split() == ["micro-credential", "course-results"]
    assert by_name(fetcher, token["access_token"], only).status_code == 200
    assert fetcher.ask_credential(token["access_token"], type_name="course-results").status_code == 200


@pytest.mark.parametrize(
    ("types", "by_details", "expected"),
    [
        (["a"], set(), [(False, False)]),
        (["a", "b"], set(), [(False, False), (False, False)]),
        (["a", "a"], set(), [(True, True), (True, False)]),
        (["a", "a", "b"], set(), [(True, True), (True, False), (True, True)]),
        (["a"], {"a"}, [(True, False)]),
        (["a", "b"], {"a"}, [(True, False), (True, True)]),
        (["a", "a"], {"a"}, [(True, False), (True, False)]),
        ([], set(), []),
    ],
)
def test_names_are_given_where_they_are_asked_for_or_needed(
    types: list[str], by_details: set[str], expected: list[tuple[bool, bool]]
) -> None:
    """A wallet that breaks at identifiers that it did not ask for meets them only where one name is not enough."""
    assert named_by(types, asked_by_details=by_details) == expected


def test_fresh_copies_keep_the_names(fetcher: Fetcher) -> None:
    """The refreshed token names the same, and each name gives its own course; the kind still gives the first."""
    token = ticked(fetcher, 0, 1, 2)
    for name in names_in(token):
        by_name(fetcher, token["access_token"], name)
    fetcher.desk.clock.advance(days=10)
    fetcher.desk.context.store.grants.sweep(now=fetcher.desk.clock())

    renewed = fetcher.ask_refresh(token["refresh_token"]).json()

    assert names_in(renewed) == names_in(token)
    fresh = [course(by_name(fetcher, renewed["access_token"], name)) for name in names_in(renewed)]
    assert fresh == list(COURSES)
    assert course(fetcher.ask_credential(renewed["access_token"])) == "DT4011"


def test_what_is_looked_at_first_keeps_its_name_too(tmp_path: Path) -> None:
    """Each waits by itself, for days, and comes after its own approval, under a refreshed token too."""
    with running_fetcher(tmp_path, *records(*COURSES), reviewed_types="micro-credential") as fetcher:
        token = ticked(fetcher, 0, 1)
        transactions = {
            name: by_name(fetcher, token["access_token"], name).json()["transaction_id"] for name in names_in(token)
        }
        deferrals = fetcher.desk.context.store.deferrals
        first, second = names_in(token)
        assert {one.offer_id for one in deferrals.list_waiting()} == {first, second}
        deferrals.review(second, Review.APPROVED, now=fetcher.desk.clock())
        deferrals.review(first, Review.DENIED, now=fetcher.desk.clock())
        fetcher.desk.clock.advance(days=3)

        fresh = fetcher.ask_refresh(token["refresh_token"]).json()
        assert names_in(fresh) == [first, second]
        assert course(poll(fetcher, fresh["access_token"], transactions[second])) == "DT4012"
        denied = poll(fetcher, fresh["access_token"], transactions[first]).json()["error"]
        assert denied == "credential_request_denied"


@pytest.mark.parametrize(
    ("language", "words", "coming"),
    [
        ("sv", "Du har 3 av det här slaget. Kryssa för dem som du vill ha.", "Din plånbok hämtar 2 intyg nu."),
        ("en", "You have 3 of this kind. Tick each that you want.", "Your wallet is fetching 2 certificates now."),
    ],
)
def test_the_person_ticks_and_is_told_how_many_come(fetcher: Fetcher, language: str, words: str, coming: str) -> None:
    """The first is ticked, which every wallet can take; what a wallet may fail at is said before."""
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri(ui_locales=language)))
    tree: Any = html.fromstring(page.text)
    assert tree.xpath("//input[@name='certificate']/@type") == ["checkbox"] * 3
    assert tree.xpath("//input[@name='certificate'][@checked]/@value") == ["0"]
    (described,) = tree.xpath("//fieldset/@aria-describedby")
    assert words in tree.xpath(f"string(//p[@id='{described}'])")

    done = fetcher.decide(page, certificates=["0", "2"])

    assert coming in done.text


def test_a_wallet_that_asks_by_details_finds_all_ticked(fetcher: Fetcher) -> None:
    """It reads identifiers, so nothing is said of wallets that do not."""
    details = '[{"type": "openid_credential", "credential_configuration_id": "micro-credential"}]'
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri(scope=None, authorization_details=details)))
    tree: Any = html.fromstring(page.text)
    assert tree.xpath("//input[@name='certificate'][@checked]/@value") == ["0", "1", "2"]
    assert not tree.xpath("//fieldset/@aria-describedby")


@pytest.mark.parametrize("places", [[], ["1"], ["0", "2"]])
def test_what_was_ticked_stays_in_the_other_language_and_after_a_fault(fetcher: Fetcher, places: list[str]) -> None:
    """The switch sends the form to be shown again: nothing is decided by it, whatever else it holds."""
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri(ui_locales="sv")))
    tree: Any = html.fromstring(page.text)
    (switch,) = tree.xpath("//button[@name='to_language' and @form='decide-form']")
    url = fetcher.desk.settings.origin + switch.get("formaction")
    csrf = tree.xpath("//input[@name='csrf']/@value")[0]
    data = {"csrf": csrf, "certificate": places, "to_language": switch.get("value"), "decision": "yes"}

    shown = fetcher.desk.client.post(url, data=data, headers={"Accept": "text/html"})
    refused = fetcher.decide(page, "perhaps", certificates=places)

    assert "Tick each that you want" in shown.text
    assert (shown.status_code, refused.status_code) == (200, 400)
    for again in (shown, refused):
        found: Any = html.fromstring(again.text)
        assert found.xpath("//input[@name='certificate'][@checked]/@value") == places
    assert fetcher.decide(shown, "no").status_code == 200
    late = fetcher.desk.client.post(url, data=data, headers={"Accept": "text/html"})
    assert fetcher.sent_back(late)["error"] == "access_denied"
