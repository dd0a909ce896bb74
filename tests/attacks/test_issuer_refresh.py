"""Refresh tokens of clients that nobody vouches for: an answer that was lost is repeated, a stolen token is not (I-17).

Source: RFC 9700, section 4.14.2; RFC 9449, section 5.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from issuer.app import create_app
from issuer.derivation import IssuerSecret
from proofs.keys import generate_signer
from tests.issuer.fetching import Fetcher, records, running_fetcher

PUBLIC: dict[str, Any] = {"headers": {}, "client_id": "public"}


@pytest.fixture
def fetcher(tmp_path: Path) -> Iterator[Fetcher]:
    """Somebody who fetches."""
    with running_fetcher(tmp_path, *records("DT4011")) as opened:
        yield opened


@pytest.fixture
def first(fetcher: Fetcher) -> str:
    """The refresh token of a public wallet that has collected."""
    token = fetcher.ask_token(fetcher.allowed(**PUBLIC), **PUBLIC).json()
    assert fetcher.ask_credential(token["access_token"]).status_code == 200
    return str(token["refresh_token"])


def refresh(fetcher: Fetcher, token: str, **more: Any) -> dict[str, Any]:
    """The answer to a refresh by the public wallet."""
    answer: dict[str, Any] = fetcher.ask_refresh(token, **PUBLIC, **more).json()
    return answer


def assert_ended(fetcher: Fetcher, *answers: dict[str, Any]) -> None:
    """None of these tokens is worth anything."""
    for answer in answers:
        assert refresh(fetcher, answer["refresh_token"])["error"] == "invalid_grant"
        assert fetcher.ask_credential(answer["access_token"]).json()["error"] == "invalid_token"


def test_a_lost_answer_is_repeated_with_the_same_refresh_token(fetcher: Fetcher, first: str) -> None:
    """Any number of times; the access token is another one, and that of the lost answer is worth nothing."""
    lost = [refresh(fetcher, first) for _ in range(3)]
    assert len({answer["refresh_token"] for answer in lost}) == 1
    assert len({answer["access_token"] for answer in lost}) == 3
    assert fetcher.ask_credential(lost[0]["access_token"]).json()["error"] == "invalid_token"
    assert fetcher.ask_credential(lost[2]["access_token"]).status_code == 200
    assert "access_token" in refresh(fetcher, lost[2]["refresh_token"])


def test_another_key_repeats_nothing_and_ends_nothing(fetcher: Fetcher, first: str) -> None:
    """Whoever has the token without the key, or brings no proof, gets nothing at all."""
    refresh(fetcher, first)
    for dpop in (fetcher.dpop("/token", key=generate_signer()), None):
        assert refresh(fetcher, first, dpop=dpop)["error"] in ("invalid_grant", "invalid_dpop_proof")
    assert fetcher.ask_credential(refresh(fetcher, first)["access_token"]).status_code == 200


def test_once_the_new_refresh_token_was_used_the_old_one_ends_the_family(fetcher: Fetcher, first: str) -> None:
    """It arrived, so whoever comes with the old one has stolen it, or has been robbed."""
    second = refresh(fetcher, first)
    third = refresh(fetcher, second["refresh_token"])
    assert refresh(fetcher, first)["error"] == "invalid_grant"
    assert_ended(fetcher, second, third)


def test_once_copies_were_collected_the_old_one_ends_the_family(fetcher: Fetcher, first: str) -> None:
    """The access token of the same answer shows that it arrived."""
    second = refresh(fetcher, first)
    assert fetcher.ask_credential(second["access_token"]).status_code == 200
    assert refresh(fetcher, first)["error"] == "invalid_grant"
    assert_ended(fetcher, second)


def test_copies_of_the_keys_of_before_show_as_well_that_the_answer_arrived(fetcher: Fetcher) -> None:
    """Collected again for the same keys, into the same slots: that is no lost answer, and the old token has ended."""
    keys = [generate_signer()]
    token = fetcher.ask_token(fetcher.allowed(**PUBLIC), **PUBLIC).json()
    assert fetcher.ask_credential(token["access_token"], proofs=fetcher.desk.proofs(keys)).status_code == 200
    second = refresh(fetcher, token["refresh_token"])
    for _ in range(4):  # As often as they like: it is the same batch each time.
        assert fetcher.ask_credential(second["access_token"], proofs=fetcher.desk.proofs(keys)).status_code == 200

    assert refresh(fetcher, token["refresh_token"])["error"] == "invalid_grant"
    assert_ended(fetcher, second)


@pytest.mark.parametrize("is_swept", [True, False])
def test_when_the_access_token_has_expired_the_old_one_ends_the_family(
    fetcher: Fetcher, first: str, is_swept: bool
) -> None:
    """A copy of a vault from last week repeats nothing."""
    second = refresh(fetcher, first)
    fetcher.desk.clock.advance(seconds=301)
    if is_swept:
        fetcher.desk.context.store.grants.sweep(now=fetcher.desk.clock())
    assert refresh(fetcher, first)["error"] == "invalid_grant"
    assert_ended(fetcher, second)


def test_an_old_token_that_is_used_again_and_again_is_of_no_more_use_than_once(fetcher: Fetcher, first: str) -> None:
    """Five minutes after it was replaced it ends the family, however often it was repeated by then."""
    second = refresh(fetcher, first)
    for left in (200, 100):
        fetcher.desk.clock.advance(seconds=100)
        assert refresh(fetcher, first)["expires_in"] == left
    fetcher.desk.clock.advance(seconds=101)
    assert refresh(fetcher, first)["error"] == "invalid_grant"
    assert_ended(fetcher, second)


def test_repeating_does_not_lengthen_the_time_of_the_refresh_token(fetcher: Fetcher, first: str) -> None:
    """The family ends when it was to end."""
    fetcher.desk.clock.advance(seconds=fetcher.desk.context.settings.refresh_token_days * 86_400 - 70)
    second = refresh(fetcher, first)
    assert "access_token" in second
    fetcher.desk.clock.advance(seconds=90)
    assert refresh(fetcher, first)["error"] == "invalid_grant"
    assert refresh(fetcher, second["refresh_token"])["error"] == "invalid_grant"


def test_the_next_refresh_token_cannot_be_told_without_the_secret(fetcher: Fetcher, first: str) -> None:
    """It is no function of the old one that anybody else can compute, and another issuer computes another one."""
    second = refresh(fetcher, first)["refresh_token"]
    assert second != IssuerSecret(bytes(32)).next_refresh_token(first)
    assert second == fetcher.desk.context.store.secret.next_refresh_token(first)


def test_two_servers_that_get_the_same_refresh_token_at_once_make_one_successor(fetcher: Fetcher, first: str) -> None:
    """Two applications on one database, eight uses each: one refresh token follows, and one access token works."""
    desk = fetcher.desk
    sent = {"grant_type": "refresh_token", "refresh_token": first, "client_id": "public"}
    proofs = [[fetcher.dpop("/token") for _ in range(20)] for _ in range(16)]
    with TestClient(create_app(desk.settings, clock=desk.clock), base_url=desk.settings.origin) as other:
        clients = [desk.client, other]

        def use(number: int) -> dict[str, Any]:
            for proof in proofs[number]:
                answer = clients[number % 2].post(desk.url("/token"), data=sent, headers={"DPoP": proof})
                if answer.status_code != 503:  # On a busy machine one waits for the lock in vain, and asks again.
                    break
            return dict(answer.json())

        with ThreadPoolExecutor(16) as threads:
            answers = list(threads.map(use, range(16)))

    assert all("access_token" in answer for answer in answers), answers
    (successor,) = {answer["refresh_token"] for answer in answers}
    works = [fetcher.ask_credential(answer["access_token"]).status_code for answer in answers]
    assert (works.count(200), works.count(401)) == (1, 15)
    assert "access_token" in refresh(fetcher, successor)
    assert refresh(fetcher, first)["error"] == "invalid_grant"
