"""Who asks too often: sent away with 429, while the others behind the same address are served."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from issuer.authorization.clients import AuthMethod, ClientIdentity
from issuer.context import RequestLimits
from issuer.settings import IssuerSettings
from proofs.keys import generate_signer
from schemas.errors import TooManyRequests
from service.rate_limits import FailureLimit
from tests.issuer.desk import NOON, Desk, StandingClock, running_desk
from tests.issuer.fetching import BACK, Fetcher, running_fetcher

FEW = {"pushed_per_minute": 60, "token_uses_per_minute": 120, "address_requests_per_minute": 600}


@pytest.fixture
def fetcher(tmp_path: Path) -> Iterator[Fetcher]:
    """An issuer with the tightest limits that it takes."""
    with running_fetcher(tmp_path, **FEW) as opened:
        yield opened


def told(answer: Any) -> tuple[int, str, int]:
    """Status, error and how long to wait."""
    return answer.status_code, answer.json()["error"], int(answer.headers["Retry-After"])


def test_one_attested_wallet_is_limited_and_another_at_its_address_is_served(fetcher: Fetcher) -> None:
    """Both have one `client_id` and one address: the key that was attested tells them apart."""
    other = Fetcher(fetcher.desk, fetcher.provider, fetcher.attesting)
    answers = [fetcher.push().status_code for _ in range(60)]
    assert answers == [201] * 60

    assert told(fetcher.push()) == (429, "too_many_requests", 60)
    assert other.push().status_code == 201
    fetcher.desk.clock.advance(seconds=61)
    assert fetcher.push().status_code == 201


def test_whoever_only_says_a_name_uses_up_nobody_elses_count(fetcher: Fetcher) -> None:
    """A public client's name in a loop: neither attested wallets nor a registered name is shut out by it, and other
    names do not help whoever sends them."""
    for _ in range(60):
        assert fetcher.push(headers={}, client_id="public").status_code == 201
    assert told(fetcher.push(headers={}, client_id="public"))[0] == 429
    assert fetcher.push().status_code == 201
    elsewhere = TestClient(fetcher.desk.client.app, base_url=fetcher.desk.settings.origin, client=("192.0.2.9", 5000))
    form = {"response_type": "code", "client_id": "public", "redirect_uri": BACK, "scope": "micro-credential"}
    assert elsewhere.post(fetcher.desk.url("/par"), data=form).status_code == 400  # No challenge, but it is looked at.

    for number in range(60):
        assert fetcher.push(headers={}, client_id=f"made up {number}").status_code == 400
    assert told(fetcher.push(headers={}, client_id="made up 60"))[0] == 429


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An issuer with the tightest limits, and offers."""
    with running_desk(tmp_path, **FEW) as opened:
        yield opened


@pytest.mark.parametrize("path", ["/credential", "/deferred_credential", "/notification"])
def test_one_access_token_is_limited_and_another_is_served(desk: Desk, path: str) -> None:
    """At each endpoint that takes one; what is asked with it does not matter."""
    looping, other = desk.token(desk.offer()), desk.token(desk.offer())

    def ask(token: str) -> Any:
        return desk.client.post(desk.url(path), json={}, headers={"Authorization": f"Bearer {token}"})

    assert {ask(looping).status_code for _ in range(120)} == {400}
    assert told(ask(looping)) == (429, "too_many_requests", 60)
    assert ask(other).status_code == 400
    for second in ("/credential", "/notification"):
        if second != path:
            answer = desk.client.post(desk.url(second), json={}, headers={"Authorization": f"Bearer {looping}"})
            assert answer.status_code == 400


def test_whoever_got_hold_of_a_token_does_not_use_up_its_owners_count(fetcher: Fetcher) -> None:
    """A stolen token with another key is refused, and the owner collects all the same."""
    token = fetcher.token()["access_token"]
    thief = generate_signer()
    for _ in range(120):
        proof = fetcher.dpop("/credential", key=thief, token=token)
        assert fetcher.ask_credential(token, dpop=proof, proofs={"jwt": ["x"]}).status_code == 401
    proof = fetcher.dpop("/credential", key=thief, token=token)
    assert fetcher.ask_credential(token, dpop=proof, proofs={"jwt": ["x"]}).status_code == 429

    assert fetcher.ask_credential(token).status_code == 200


def test_sixty_requests_within_seconds_are_no_flood(tmp_path: Path) -> None:
    """As public suites do: one token, the same keys, at once, under the limits that nobody changed."""
    with running_desk(tmp_path) as desk:
        token, key = desk.token(desk.offer()), generate_signer()
        for _ in range(60):
            answer = desk.ask_credential(token, desk.request(proofs=desk.proofs([key])))
            assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", ["/nonce", "/challenge"])
def test_one_address_is_limited_and_another_is_served(desk: Desk, path: str) -> None:
    """Nothing more is known of who asks for these; each has its own count."""
    for _ in range(600):
        assert desk.client.post(desk.url(path)).status_code == 200
    assert told(desk.client.post(desk.url(path))) == (429, "too_many_requests", 60)

    elsewhere = TestClient(desk.client.app, base_url=desk.settings.origin, client=("192.0.2.9", 5000))
    assert elsewhere.post(desk.url(path)).status_code == 200
    other = "/challenge" if path == "/nonce" else "/nonce"
    assert desk.client.post(desk.url(other)).status_code == 200


def test_opening_requests_is_limited_by_address(desk: Desk) -> None:
    """Guessed addresses of requests as well: the page says that it was too often, and when to come back."""
    page = {"Accept": "text/html"}
    for _ in range(600):
        desk.context.limits.count_address("testclient", path="/authorize")
    answer = desk.client.get(desk.url("/authorize"), headers=page)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")

    elsewhere = TestClient(desk.client.app, base_url=desk.settings.origin, client=("192.0.2.9", 5000))
    assert elsewhere.get(desk.url("/authorize"), headers=page).status_code != 429


def test_the_limits_themselves_take_bounded_memory(tmp_path: Path) -> None:
    """Many addresses, names and tokens: whoever came longest ago is forgotten, and nothing long is kept."""
    limits = RequestLimits(IssuerSettings.model_validate({"data": tmp_path} | FEW), clock=StandingClock())
    for number in range(10_050):
        limits.count_address(f"2001:db8:{number:x}:0", path="/nonce")
        limits.count_token(f"{number}" * 100, dpop_key=None, path="/credential")
        stranger = ClientIdentity(f"{number}" * 1_000, AuthMethod.NONE)
        limits.count_client(stranger, registered=False, address=f"198.51.{number >> 8}.{number & 255}")
    for counted in (limits._by_address, limits._by_token, limits._by_client):
        assert len(counted._tries) == 10_000
        assert max(map(len, counted._tries)) < 120

    failures = FailureLimit(count=1)
    for number in range(10_050):
        failures.failed(str(number), now=NOON)
    assert len(failures._failures) == 10_000
    with pytest.raises(TooManyRequests):
        failures.check("10049", now=NOON)
    failures.check("0", now=NOON)


def test_while_another_process_writes_wallets_are_told_when_to_come_again(desk: Desk) -> None:
    """503 with `Retry-After` over HTTP, at token and credential endpoint alike; then the same request is served."""
    offer, late = desk.offer(), desk.offer()
    token, request = desk.token(late), desk.request()
    other = sqlite3.connect(desk.settings.data / "issuer.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        assert told(desk.ask_token(offer)) == (503, "temporarily_unavailable", 1)
        assert told(desk.ask_credential(token, request)) == (503, "temporarily_unavailable", 1)
    finally:
        other.rollback()
        other.close()

    assert desk.ask_token(offer).status_code == 200
    assert desk.ask_credential(token, request).status_code == 200
