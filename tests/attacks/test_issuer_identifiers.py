"""Identifiers of certificates under attack: another's, another grant's, one not ticked, one taken back, and replays.

Source: OpenID4VCI 1.0, sections 6.2, 8.2 and 8.3.1.2. An identifier is worth something with its own token alone.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from issuer.status import Status
from proofs.keys import generate_signer
from schemas.learning.achievement import Identifier, Learner
from tests.issuer.desk import assert_refused
from tests.issuer.fetching import Fetcher, records, running_fetcher
from tests.issuer.test_fetching_several import COURSES, by_name, course, names_in, ticked

ERIK = Learner(
    family_name="Berg", given_name="Erik", identifiers=(Identifier(type="nationalIdentifier", value="19970101TF34"),)
)
UNKNOWN = "unknown_credential_identifier"


@pytest.fixture
def fetcher(tmp_path: Path) -> Iterator[Fetcher]:
    """A wallet, and an issuer with three courses of Elin's and two of Erik's."""
    with running_fetcher(tmp_path, *records(*COURSES), *records("ER1001", "ER1002", learner=ERIK)) as opened:
        yield opened


def issued(fetcher: Fetcher) -> list[str]:
    """The certificates of which copies were given."""
    return [one.id for one in fetcher.desk.context.store.status.list_issued(limit=20)]


def test_another_persons_name_opens_nothing(fetcher: Fetcher) -> None:
    """Elin's token with the identifiers of Erik's certificates: refused, nothing issued, and Erik loses nothing."""
    elin = ticked(fetcher, 0, 1)
    fetcher.provider.person = {"sub": "2", "pnr": "19970101TF34"}
    erik = ticked(fetcher, 0, 1)

    for name in names_in(erik):
        assert_refused(by_name(fetcher, elin["access_token"], name), UNKNOWN)

    assert issued(fetcher) == []
    assert [course(by_name(fetcher, erik["access_token"], name)) for name in names_in(erik)] == ["ER1001", "ER1002"]


def test_a_name_is_of_one_grant(fetcher: Fetcher) -> None:
    """The same person, the same wallet and the same course: the name of one token is no name with another."""
    one, other = ticked(fetcher, 0, 1), ticked(fetcher, 0, 1)

    for name in names_in(one):
        assert_refused(by_name(fetcher, other["access_token"], name), UNKNOWN)

    assert course(by_name(fetcher, one["access_token"], names_in(one)[1])) == "DT4012"


def test_what_was_not_ticked_has_no_name(fetcher: Fetcher) -> None:
    """Neither the record's own identifier, nor its place, nor what looks like a name."""
    token = ticked(fetcher, 0, 1)
    results = fetcher.desk.context.store.results.list_results()
    (left_out,) = [one.id for one in results if one.record.code == "DT4013"]
    known = names_in(token)[0]

    for guessed in (left_out, "2", "DT4013", "micro-credential", known[:-1], known.upper(), known + "\0", f" {known}"):
        assert_refused(by_name(fetcher, token["access_token"], guessed), UNKNOWN)
    for wrong in (2, [known], {"name": known}, True):
        assert_refused(
            fetcher.ask_credential(
                token["access_token"], credential_configuration_id=None, credential_identifier=wrong
            ),
            "invalid_credential_request",
        )
    both = fetcher.ask_credential(token["access_token"], credential_identifier=known)
    assert_refused(both, "invalid_credential_request")
    assert issued(fetcher) == []


def test_a_name_with_one_that_was_ticked_alone_is_none(fetcher: Fetcher) -> None:
    """Where no identifiers were given there are none: also the right one, were it guessed, is not used (8.2)."""
    token = ticked(fetcher, 1)
    (only,) = fetcher.desk.context.store.offers.list_offers(now=fetcher.desk.clock())

    assert_refused(by_name(fetcher, token["access_token"], only.id), UNKNOWN)


def test_a_certificate_that_was_revoked_gives_nothing_by_its_name_and_the_others_go_on(fetcher: Fetcher) -> None:
    """Under the token, and under a refreshed one."""
    token = ticked(fetcher, 0, 1)
    first, second = names_in(token)
    assert course(by_name(fetcher, token["access_token"], first)) == "DT4011"
    fetcher.desk.change(first, Status.REVOKED)

    assert_refused(by_name(fetcher, token["access_token"], first), "credential_request_denied")
    assert course(by_name(fetcher, token["access_token"], second)) == "DT4012"
    fresh = fetcher.ask_refresh(token["refresh_token"]).json()["access_token"]
    assert_refused(by_name(fetcher, fresh, first), "credential_request_denied")
    assert course(by_name(fetcher, fresh, second)) == "DT4012"


def test_what_staff_took_back_before_it_was_fetched_is_gone_and_the_others_keep_their_names(fetcher: Fetcher) -> None:
    """Whichever it was: what is left is still asked for by its own name, and not given for the one that is gone."""
    for gone, left, courses in ((1, 0, "DT4011"), (0, 1, "DT4012")):
        token = ticked(fetcher, 0, 1)
        names = names_in(token)
        fetcher.desk.context.store.offers.void(names[gone], now=fetcher.desk.clock())

        assert_refused(by_name(fetcher, token["access_token"], names[gone]), UNKNOWN)
        assert course(by_name(fetcher, token["access_token"], names[left])) == courses


def test_when_the_record_was_erased_its_name_gives_no_fresh_copies(fetcher: Fetcher) -> None:
    """What was collected and erased is no longer named. What was not collected so far can be for thirty days."""
    token = ticked(fetcher, 0, 1)
    first, second = names_in(token)
    by_name(fetcher, token["access_token"], first)
    store = fetcher.desk.context.store
    (only,) = store.results.list_imports()
    store.results.delete_import(only.id)
    fetcher.desk.clock.advance(days=10)
    store.grants.sweep(now=fetcher.desk.clock())

    for name in (first, second):
        assert_refused(by_name(fetcher, token["access_token"], name), "invalid_token", 401)
    renewed = fetcher.ask_refresh(token["refresh_token"]).json()
    assert names_in(renewed) == [second]
    assert_refused(by_name(fetcher, renewed["access_token"], first), UNKNOWN)
    assert_refused(fetcher.ask_credential(renewed["access_token"]), "invalid_credential_request")
    assert course(by_name(fetcher, renewed["access_token"], second)) == "DT4012"


def test_a_code_that_is_used_twice_ends_every_name(fetcher: Fetcher) -> None:
    """RFC 6749, 4.1.2: both certificates of the first token, and the refresh token."""
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri()))
    code = fetcher.sent_back(fetcher.decide(page, certificates=["0", "1"]))["code"]
    token = fetcher.ask_token(code).json()

    assert_refused(fetcher.ask_token(code), "invalid_grant")

    for name in names_in(token):
        assert_refused(by_name(fetcher, token["access_token"], name), "invalid_token", 401)
    assert_refused(fetcher.ask_refresh(token["refresh_token"]), "invalid_grant")


def test_what_proved_one_name_proves_no_other(fetcher: Fetcher) -> None:
    """The proofs of one request, and its DPoP proof, again under the other name of the same token."""
    token = ticked(fetcher, 0, 1)
    first, second = names_in(token)
    proofs = fetcher.desk.proofs([generate_signer()])
    dpop = fetcher.dpop("/credential", token=token["access_token"])
    assert course(by_name(fetcher, token["access_token"], first, proofs=proofs, dpop=dpop)) == "DT4011"

    assert_refused(by_name(fetcher, token["access_token"], second, proofs=proofs), "invalid_nonce")
    replayed = by_name(fetcher, token["access_token"], second, dpop=dpop)
    assert_refused(replayed, "invalid_dpop_proof", replayed.status_code)

    assert issued(fetcher) == [first]


@pytest.mark.parametrize("kind", ["micro-credential", "course-results", "other"])
def test_a_token_request_with_details_of_its_own_widens_nothing(fetcher: Fetcher, kind: str) -> None:
    """With a name that it makes up, of a kind that was not asked for, or of none: only what was ticked comes."""
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri()))
    code = fetcher.sent_back(fetcher.decide(page, certificates=["0", "1"]))["code"]
    detail = {"type": "openid_credential", "credential_configuration_id": kind, "credential_identifiers": ["mine"]}
    answer = fetcher.ask_token(code, authorization_details=json.dumps([detail]))

    if kind != "micro-credential":
        assert_refused(answer, "invalid_authorization_details")
        return
    token = answer.json()
    assert "mine" not in names_in(token)
    assert [course(by_name(fetcher, token["access_token"], name)) for name in names_in(token)] == ["DT4011", "DT4012"]
    assert_refused(by_name(fetcher, token["access_token"], "mine"), UNKNOWN)
    assert_refused(fetcher.ask_credential(token["access_token"]), "invalid_credential_request")


def test_a_form_cannot_tick_what_is_not_there(fetcher: Fetcher) -> None:
    """Places beyond the person's own records, twice the same, and none at all."""
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri()))
    for wrong in (["0", "3"], ["0", "1", "2", "3", "4"], ["0", "0"], ["-1"], ["0", "99999"], []):
        assert fetcher.decide(page, certificates=wrong).status_code == 400, wrong
    assert fetcher.desk.context.store.offers.list_offers(now=fetcher.desk.clock()) == []


def test_of_many_who_redeem_at_once_one_gets_the_names(fetcher: Fetcher) -> None:
    """Three were ticked: there are three certificates afterwards and not six, and a second use ended them."""
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri()))
    code = fetcher.sent_back(fetcher.decide(page, certificates=["0", "1", "2"]))["code"]
    requests: list[dict[str, Any]] = [{"headers": fetcher.attested(), "dpop": fetcher.dpop("/token")} for _ in range(6)]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda request: fetcher.ask_token(code, **request), requests))

    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400, 400]
    assert len(fetcher.desk.context.store.offers.list_offers(now=fetcher.desk.clock())) == 3
    (token,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert_refused(by_name(fetcher, token["access_token"], names_in(token)[0]), "invalid_token", 401)


def test_of_many_requests_with_one_nonce_one_is_answered(fetcher: Fetcher) -> None:
    """Under one name or under two: a nonce is spent once, and every name keeps its own slots."""
    token = ticked(fetcher, 0, 1)
    names = names_in(token)
    proofs = fetcher.desk.proofs([generate_signer()])
    requests: list[tuple[str, dict[str, Any]]] = [
        (names[at % 2], {"proofs": proofs, "dpop": fetcher.dpop("/credential", token=token["access_token"])})
        for at in range(6)
    ]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda one: by_name(fetcher, token["access_token"], one[0], **one[1]), requests))

    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400, 400]
    assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_nonce"}
    (one,) = fetcher.desk.context.store.status.list_issued(limit=10)
    assert one.copies == 1
