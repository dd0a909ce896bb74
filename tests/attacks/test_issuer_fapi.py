"""What FAPI 2.0 Security Profile asks of an authorization server; HAIP 1.0, section 4, makes it a part of itself.

Numbers are those of the final profile: 5.3.2.1 (general) and 5.3.2.2 (flows with the authorization endpoint).
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from proofs.client_assertion import ASSERTION_TYPE
from proofs.keys import generate_signer
from tests.attacks.test_issuer_clients import assertion
from tests.issuer.desk import assert_refused
from tests.issuer.fetching import Fetcher, running_fetcher


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Fetcher]:
    """An issuer under HAIP that knows a client by its key."""
    with running_fetcher(tmp_path, haip=True) as opened:
        yield opened


def named(fetcher: Fetcher, **changes: Any) -> dict[str, Any]:
    """The form members by which the registered client authenticates, and none of the attested one's headers."""
    made = assertion(fetcher, **changes)
    return {"client_id": "portal", "client_assertion_type": ASSERTION_TYPE, "client_assertion": made, "headers": {}}


@pytest.mark.parametrize("names", ["/token", "/par", [""], ["", "/token"]])
def test_only_the_issuer_as_a_string_is_an_audience(strict: Fetcher, names: str | list[str]) -> None:
    """5.3.2.1, 8: whoever could get an assertion for one of several names could bring it to whoever accepts another."""
    ours = strict.desk.issuer
    audience = ours + names if isinstance(names, str) else [ours + name for name in names]
    assert_refused(strict.push(**named(strict, audience=audience)), "invalid_client")
    assert strict.push(**named(strict)).status_code == 201
    at_token = strict.ask_token("x", **named(strict, audience=audience))
    assert_refused(at_token, "invalid_client")


def test_a_request_uri_lives_less_than_ten_minutes(strict: Fetcher) -> None:
    """5.3.2.2, 12: and it says how long."""
    pushed = strict.push().json()
    assert 60 <= pushed["expires_in"] < 600
    strict.desk.clock.advance(seconds=pushed["expires_in"] - 1)
    assert strict.open(pushed["request_uri"]).status_code == 303
    strict.desk.clock.now += timedelta(seconds=2)
    late = strict.push().json()
    strict.desk.clock.advance(seconds=late["expires_in"] + 1)
    assert strict.open(late["request_uri"]).status_code == 400


def test_the_refresh_token_of_a_client_with_a_key_stays_and_is_bound_to_that_key_alone(strict: Fetcher) -> None:
    """5.3.2.1, 9, and RFC 9449, section 5: its own key says who it is, so that its DPoP key may change."""
    uri = strict.push(**named(strict)).json()["request_uri"]
    code = strict.sent_back(strict.decide(strict.sign_in(strict.open(uri, client_id="portal"))))["code"]
    token = strict.ask_token(code, **named(strict)).json()
    for _ in range(3):
        strict.key = generate_signer()
        renewed = strict.ask_refresh(token["refresh_token"], **named(strict))
        assert renewed.status_code == 200, renewed.text
        assert "refresh_token" not in renewed.json()
        answer = strict.ask_credential(renewed.json()["access_token"])
        assert answer.status_code == 200, answer.text
        with_another = strict.dpop("/credential", key=generate_signer(), token=renewed.json()["access_token"])
        assert_refused(strict.ask_credential(renewed.json()["access_token"], dpop=with_another), "invalid_token", 401)
    assert_refused(strict.ask_refresh(token["refresh_token"]), "invalid_grant")
    stranger = named(strict, signer=generate_signer())
    assert_refused(strict.ask_refresh(token["refresh_token"], **stranger), "invalid_client")
    assert strict.ask_refresh(token["refresh_token"], **named(strict)).status_code == 200


def test_nobodys_word_stands_for_a_client_with_its_own_key(strict: Fetcher) -> None:
    """A provider that vouches for the name of a registered client opens neither a request nor its refresh token."""
    uri = strict.push(**named(strict)).json()["request_uri"]
    code = strict.sent_back(strict.decide(strict.sign_in(strict.open(uri, client_id="portal"))))["code"]
    token = strict.ask_token(code, **named(strict)).json()

    def vouched() -> dict[str, str]:
        return strict.attested(client_id="portal") | {
            "OAuth-Client-Attestation": strict.attestation(client_id="portal")
        }

    assert_refused(strict.push(client_id="portal", headers=vouched()), "invalid_client")
    assert_refused(strict.ask_refresh(token["refresh_token"], client_id="portal", headers=vouched()), "invalid_client")
    assert strict.ask_refresh(token["refresh_token"], **named(strict)).status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(10, 201), (61, 400), (200, 400)])
@pytest.mark.parametrize("with_nonce", [False, True])
def test_a_dpop_proof_from_the_future_is_refused(strict: Fetcher, seconds: int, status: int, with_nonce: bool) -> None:
    """5.3.2.1, 13: ten seconds ahead are taken, more than sixty never, whatever nonce is in it."""
    ahead = strict.desk.clock() + timedelta(seconds=seconds)
    nonce = strict.fresh_nonce() if with_nonce else None
    proof = strict.dpop("/par", now=ahead, nonce=nonce)
    answer = strict.push(headers=strict.attested() | {"DPoP": proof})
    assert answer.status_code == status
    if status == 400:
        assert_refused(answer, "invalid_dpop_proof")
