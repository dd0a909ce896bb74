"""Clients, pushed requests and bound tokens under attack (I-13, I-14, I-20 to I-28; RFC 9126, RFC 9449, HAIP 1.0)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from proofs import pkce
from proofs.client_assertion import ASSERTION_TYPE, make_client_assertion
from proofs.client_attestation import make_attestation_proof
from proofs.keys import generate_signer
from tests.issuer.desk import assert_refused
from tests.issuer.fetching import BACK, WALLET, Fetcher, running_fetcher


@pytest.fixture
def fetcher(tmp_path: Path) -> Iterator[Fetcher]:
    """An issuer that knows a wallet provider and two clients by name."""
    with running_fetcher(tmp_path) as opened:
        yield opened


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Fetcher]:
    """The same under HAIP."""
    with running_fetcher(tmp_path, haip=True) as opened:
        yield opened


# --- pushed requests -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request_uri": "urn:x"}, "invalid_request"),
        ({"request": "a.b.c"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "http://wallet.example/cb"}, "invalid_request"),
        ({"redirect_uri": "http://localhost/cb"}, "invalid_request"),
        ({"redirect_uri": "https://wallet.example/cb#x"}, "invalid_request"),
        ({"redirect_uri": "https://me@wallet.example/cb"}, "invalid_request"),
        ({"redirect_uri": "javascript:alert(1)"}, "invalid_request"),
        ({"redirect_uri": "data:text/html.x,y"}, "invalid_request"),
        ({"redirect_uri": "intent://back#Intent;end"}, "invalid_request"),
        ({"redirect_uri": "wallet://back"}, "invalid_request"),
        ({"redirect_uri": "com.example.wallet://me@back"}, "invalid_request"),
        ({"redirect_uri": "com.example.wallet:/back#x"}, "invalid_request"),
        ({"redirect_uri": "https://evil.example\\.wallet.example/cb"}, "invalid_request"),
        ({"redirect_uri": "https://wallet.example%2f.evil.example/"}, "invalid_request"),
        ({"redirect_uri": "https://evil.example;wallet.example/"}, "invalid_request"),
        ({"redirect_uri": "https://wallet.example:99999/"}, "invalid_request"),
        ({"redirect_uri": "https://wallet.example:abc/"}, "invalid_request"),
        ({"redirect_uri": "https:///cb"}, "invalid_request"),
        ({"redirect_uri": "https://wallet.example/c b"}, "invalid_request"),
        ({"redirect_uri": "https://[::1/cb"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"authorization_details": "["}, "invalid_authorization_details"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
        (
            {"authorization_details": '[{"type":"openid_credential","credential_configuration_id":"nothing"}]'},
            "invalid_authorization_details",
        ),
        (
            {
                "authorization_details": '[{"type":"openid_credential",'
                '"credential_configuration_id":"micro-credential","locations":["https://other.example"]}]'
            },
            "invalid_authorization_details",
        ),
        ({"client_id": "https://another-wallet.example"}, "invalid_client"),
        ({"client_assertion": "a.b.c", "client_assertion_type": ASSERTION_TYPE}, "invalid_client"),
    ],
)
def test_i13_a_pushed_request_that_does_not_hold_is_refused(fetcher: Fetcher, form: dict[str, Any], error: str) -> None:
    """With the code of the standard, before anybody is asked."""
    assert_refused(fetcher.push(**form), error)


def test_an_attested_wallet_need_not_name_itself(fetcher: Fetcher) -> None:
    """The client identifier is the subject of its attestation."""
    assert fetcher.push(client_id=None).status_code == 201


@pytest.mark.parametrize("name", ["portal", "public"])
def test_a_registered_client_comes_back_to_registered_addresses_only(fetcher: Fetcher, name: str) -> None:
    """Compared as strings; a public one is known by nothing else."""
    form: dict[str, Any] = {"client_id": name, "headers": {}}
    if name == "portal":
        form |= {"client_assertion": assertion(fetcher), "client_assertion_type": ASSERTION_TYPE}
    assert_refused(fetcher.push(**form | {"redirect_uri": f"{BACK}&more=1"}), "invalid_request")
    if name == "portal":
        form |= {"client_assertion": assertion(fetcher)}
    assert fetcher.push(**form).status_code == 201


def test_who_is_neither_registered_nor_attested_may_not_push(fetcher: Fetcher) -> None:
    """Nor may a registered client with a key leave it out."""
    assert_refused(fetcher.push(headers={}, client_id="https://stranger.example"), "unauthorized_client")
    assert_refused(fetcher.push(headers={}, client_id=None), "invalid_client")
    assert_refused(fetcher.push(headers={}, client_id="portal"), "invalid_client")


def assertion(fetcher: Fetcher, **changes: Any) -> str:
    """What the registered client authenticates with."""
    values: dict[str, Any] = {
        "signer": fetcher.desk.keys[0],
        "client_id": "portal",
        "audience": fetcher.desk.issuer,
        "now": fetcher.desk.clock(),
    }
    return make_client_assertion(**(values | changes))


def test_an_assertion_works_once_and_only_here(fetcher: Fetcher) -> None:
    """Replayed, for another server, by another key, for another client."""
    form: dict[str, Any] = {"client_id": "portal", "headers": {}, "client_assertion_type": ASSERTION_TYPE}
    good = assertion(fetcher)
    assert fetcher.push(**form, client_assertion=good).status_code == 201
    for wrong in (
        good,
        assertion(fetcher, audience="https://other.example"),
        assertion(fetcher, signer=generate_signer()),
        assertion(fetcher, client_id="public"),
        "x",
    ):
        assert_refused(fetcher.push(**form, client_assertion=wrong), "invalid_client")
    assert_refused(fetcher.push(**form | {"client_assertion_type": "x"}, client_assertion=good), "invalid_client")


@pytest.mark.parametrize("names", [["/token"], ["/par"], ["", "/token"], ["", "/token", "/par"]])
def test_an_assertion_names_this_server_in_any_of_its_ways(fetcher: Fetcher, names: list[str]) -> None:
    """RFC 9126, section 2: issuer, token endpoint and pushed request endpoint all mean this server, also together."""
    ours = [fetcher.desk.issuer + name for name in names]
    form: dict[str, Any] = {"client_id": "portal", "headers": {}, "client_assertion_type": ASSERTION_TYPE}
    audience = ours[0] if len(ours) == 1 else ours
    assert fetcher.push(**form, client_assertion=assertion(fetcher, audience=audience)).status_code == 201
    shared = assertion(fetcher, audience=[*ours, "https://other.example"])
    assert_refused(fetcher.push(**form, client_assertion=shared), "invalid_client")
    elsewhere = assertion(fetcher, audience=fetcher.desk.url("/credential"))
    assert_refused(fetcher.push(**form, client_assertion=elsewhere), "invalid_client")


def test_i13_a_request_is_opened_by_its_own_client_only(fetcher: Fetcher) -> None:
    """Parameters beside the request do not count."""
    request_uri = fetcher.request_uri()
    assert fetcher.open(request_uri, client_id="https://other.example").status_code == 400
    assert fetcher.open(request_uri[:-1] + "_").status_code == 400
    opened = fetcher.open(request_uri, redirect_uri="https://evil.example/", scope="course-results", state="other")
    back = fetcher.sent_back(fetcher.decide(fetcher.sign_in(opened)))
    assert back["state"] == "s" * 1_000


# --- client attestation ----------------------------------------------------------------------------------------------


def test_i26_a_proof_of_possession_works_once_and_a_challenge_in_it_is_fresh(fetcher: Fetcher) -> None:
    """One that is not from here, or an old one, is answered with a new one."""
    headers = fetcher.attested()
    assert fetcher.push(headers=headers).status_code == 201
    assert_refused(fetcher.push(headers=headers), "invalid_client")
    assert_refused_with_a_new_challenge(fetcher, challenge="made up")
    old = fetcher.challenge()
    fetcher.desk.clock.advance(seconds=301)
    assert_refused(fetcher.push(headers=fetcher.attested(challenge=old)), "use_attestation_challenge")


def test_i26_a_wallet_that_knows_no_challenges_proves_by_time_and_once(fetcher: Fetcher) -> None:
    """Challenges are optional (section 8 of the draft), and widely used wallets fetch none: their proof is of the last
    minutes, not of the future, and works once."""
    headers, now = fetcher.attested(challenge=None), fetcher.desk.clock()
    assert fetcher.push(headers=headers).status_code == 201
    assert_refused(fetcher.push(headers=headers), "invalid_client")
    for moment in (now - timedelta(seconds=301), now + timedelta(seconds=61)):
        assert_refused(fetcher.push(headers=fetcher.attested(challenge=None, now=moment)), "invalid_client")


def test_i26_under_haip_a_proof_needs_a_challenge(strict: Fetcher) -> None:
    """Whoever held the key for a moment could have made proofs for days to come."""
    assert_refused_with_a_new_challenge(strict, challenge=None)


def assert_refused_with_a_new_challenge(fetcher: Fetcher, *, challenge: str | None) -> None:
    """The answer carries a challenge, and the proof that holds it is taken."""
    refused = fetcher.push(headers=fetcher.attested(challenge=challenge))
    assert_refused(refused, "use_attestation_challenge")
    given = refused.headers["OAuth-Client-Attestation-Challenge"]
    assert fetcher.push(headers=fetcher.attested(challenge=given)).status_code == 201


def test_i26_one_challenge_serves_several_proofs(fetcher: Fetcher) -> None:
    """What stops a replay is the proof's own identifier."""
    challenge = fetcher.challenge()
    for _ in range(2):
        assert fetcher.push(headers=fetcher.attested(challenge=challenge)).status_code == 201


@pytest.mark.parametrize("missing", ["OAuth-Client-Attestation", "OAuth-Client-Attestation-PoP"])
def test_i26_half_an_attestation_is_none(fetcher: Fetcher, missing: str) -> None:
    """The attestation alone could have been copied by anybody."""
    headers = fetcher.attested()
    del headers[missing]
    assert_refused(fetcher.push(headers=headers), "invalid_client")


def test_i26_an_attestation_of_an_unknown_provider_or_for_another_key(fetcher: Fetcher) -> None:
    """Self-made, or stolen without its key."""
    stranger = generate_signer()
    proof = make_attestation_proof(
        signer=stranger,
        client_id=WALLET,
        audience=fetcher.desk.issuer,
        challenge=fetcher.challenge(),
        now=fetcher.desk.clock(),
    )
    stolen = {"OAuth-Client-Attestation": fetcher.attestation(), "OAuth-Client-Attestation-PoP": proof}
    assert_refused(fetcher.push(headers=stolen), "invalid_client")
    made = fetcher.attestation(signer=stranger, instance_jwk=stranger.public_jwk)
    assert_refused(fetcher.push(headers=stolen | {"OAuth-Client-Attestation": made}), "invalid_client")


def test_i26_an_expired_attestation_asks_for_a_fresh_one(fetcher: Fetcher) -> None:
    """The wallet gets itself a new one."""
    old = fetcher.attestation(lifetime=timedelta(minutes=-5))
    headers = fetcher.attested() | {"OAuth-Client-Attestation": old}
    assert_refused(fetcher.push(headers=headers), "use_fresh_attestation")


def test_i27_a_dpop_proof_of_the_attested_key_can_stand_for_its_own(fetcher: Fetcher) -> None:
    """The same key, with a nonce of ours; another key, or no nonce, does not do."""

    def combined(**changes: Any) -> Any:
        headers = {"OAuth-Client-Attestation": fetcher.attestation()}
        return fetcher.push(headers=headers | {"DPoP": fetcher.dpop("/par", **changes)})

    assert combined(key=fetcher.instance, nonce=fetcher.challenge()).status_code == 201
    assert_refused(combined(key=generate_signer()), "invalid_client")
    assert_refused(combined(key=fetcher.instance, nonce=None), "invalid_client")


# --- codes -----------------------------------------------------------------------------------------------------------


def test_i14_a_code_needs_its_verifier_its_address_and_its_client(fetcher: Fetcher) -> None:
    """A stolen code is worthless, and a wrong try does not spend it."""
    code = fetcher.allowed()
    tries: tuple[dict[str, Any], ...] = (
        {"code_verifier": pkce.new_verifier()},
        {"code_verifier": "x" * 43},
        {"redirect_uri": f"{BACK}&x=1"},
        {"code": "x" * 43},
    )
    for wrong in tries:
        assert_refused(fetcher.ask_token(**{"code": code} | wrong), "invalid_grant")
    assert_refused(fetcher.ask_token(code, code_verifier=None), "invalid_request")
    mine, fetcher.instance = fetcher.instance, generate_signer()
    assert_refused(fetcher.ask_token(code), "invalid_grant")
    fetcher.instance = mine
    public: dict[str, Any] = {"headers": {}, "client_id": "public"}
    assert_refused(fetcher.ask_token(code, **public), "invalid_grant")
    assert fetcher.ask_token(code).status_code == 200


def test_a_code_that_is_used_twice_ends_what_it_gave(fetcher: Fetcher) -> None:
    """RFC 6749, section 4.1.2: access token and refresh token."""
    code = fetcher.allowed()
    token = fetcher.ask_token(code).json()
    assert fetcher.ask_credential(token["access_token"]).status_code == 200
    assert_refused(fetcher.ask_token(code), "invalid_grant")
    assert_refused(fetcher.ask_credential(token["access_token"]), "invalid_token", 401)
    assert_refused(fetcher.ask_refresh(token["refresh_token"]), "invalid_grant")


def test_of_many_requests_with_one_code_one_gets_a_token(fetcher: Fetcher) -> None:
    """However parallel they are."""
    code = fetcher.allowed()
    ready = [(fetcher.attested(), fetcher.dpop("/token")) for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda each: fetcher.ask_token(code, headers=each[0], dpop=each[1]), ready))
    granted = [answer for answer in answers if answer.status_code == 200]
    assert len(granted) <= 1
    assert {answer.json()["error"] for answer in answers if answer.status_code != 200} <= {
        "invalid_grant",
        "temporarily_unavailable",
    }
    assert len(fetcher.desk.context.store.offers.list_offers(now=fetcher.desk.clock())) == 1


def test_details_of_a_token_request_narrow_and_never_widen(fetcher: Fetcher) -> None:
    """OpenID4VCI 6.1.1."""
    code = fetcher.allowed(scope="micro-credential course-results")
    detail = '[{"type": "openid_credential", "credential_configuration_id": "%s"}]'
    wide = fetcher.ask_token(code, authorization_details=detail % "nothing")
    assert_refused(wide, "invalid_authorization_details")
    narrow = fetcher.ask_token(code, authorization_details=detail % "course-results").json()
    (granted,) = narrow["authorization_details"]
    assert granted["credential_configuration_id"] == "course-results"
    refused = fetcher.ask_credential(narrow["access_token"])
    assert_refused(refused, "insufficient_scope", 403)
    assert 'DPoP error="insufficient_scope"' in refused.headers["www-authenticate"], "the token's own scheme (RFC 9449)"


def test_i25_a_code_that_was_bound_to_a_key_works_with_that_key(fetcher: Fetcher) -> None:
    """Announced as dpop_jkt, or by a proof with the pushed request; both must agree."""
    code = fetcher.allowed(dpop_jkt=fetcher.key.kid)
    assert_refused(fetcher.ask_token(code, dpop=fetcher.dpop("/token", key=generate_signer())), "invalid_grant")
    assert fetcher.ask_token(code).status_code == 200
    headers = fetcher.attested() | {"DPoP": fetcher.dpop("/par", nonce=None)}
    assert_refused(fetcher.push(headers=headers, dpop_jkt=generate_signer().kid), "invalid_dpop_proof")


# --- DPoP ------------------------------------------------------------------------------------------------------------


def test_i22_a_nonce_is_asked_for_with_400_and_401(fetcher: Fetcher) -> None:
    """At the authorization server and at the credential endpoint; the answer carries it, and so does a success."""
    code = fetcher.allowed()
    refused = fetcher.ask_token(code, dpop=fetcher.dpop("/token", nonce=None))
    assert_refused(refused, "use_dpop_nonce")
    given = refused.headers["DPoP-Nonce"]
    answer = fetcher.ask_token(code, dpop=fetcher.dpop("/token", nonce=given))
    assert answer.status_code == 200
    token = answer.json()["access_token"]
    assert answer.headers["DPoP-Nonce"]
    late = fetcher.ask_credential(token, dpop=fetcher.dpop("/credential", token=token, nonce=None))
    assert_refused(late, "use_dpop_nonce", 401)
    assert 'DPoP error="use_dpop_nonce"' in late.headers["www-authenticate"]
    assert late.headers["DPoP-Nonce"]


def test_i23_a_bound_token_is_no_bearer_token(fetcher: Fetcher) -> None:
    """Nor does it work with another key, without a proof, with a proof for another token or for another address."""
    token = fetcher.token()["access_token"]
    bearer = fetcher.desk.ask_credential(token, fetcher.desk.request())
    assert_refused(bearer, "invalid_token", 401)
    assert_refused(fetcher.ask_credential(token, dpop=None), "invalid_dpop_proof", 401)
    other = fetcher.dpop("/credential", token=token, key=generate_signer())
    assert_refused(fetcher.ask_credential(token, dpop=other), "invalid_token", 401)
    for wrong in (
        fetcher.dpop("/credential", token="another"),
        fetcher.dpop("/credential"),
        fetcher.dpop("/token", token=token),
        fetcher.dpop("/credential", token=token, method="GET"),
    ):
        assert_refused(fetcher.ask_credential(token, dpop=wrong), "invalid_dpop_proof", 401)
    plain = fetcher.desk.token(fetcher.desk.offer())
    assert_refused(fetcher.ask_credential(plain), "invalid_token", 401)
    assert fetcher.ask_credential(token).status_code == 200


def test_i21_a_proof_works_once(fetcher: Fetcher) -> None:
    """Whoever overheard it comes too late."""
    token = fetcher.token()["access_token"]
    proof = fetcher.dpop("/credential", token=token)
    assert fetcher.ask_credential(token, dpop=proof).status_code == 200
    assert_refused(fetcher.ask_credential(token, dpop=proof), "invalid_dpop_proof", 401)


def test_two_proofs_are_none(fetcher: Fetcher) -> None:
    """Nobody has to guess which one counts."""
    headers = [*fetcher.attested().items(), ("DPoP", fetcher.dpop("/par")), ("DPoP", fetcher.dpop("/par"))]
    data = {"response_type": "code"}
    assert_refused(fetcher.desk.client.post(fetcher.desk.url("/par"), data=data, headers=headers), "invalid_dpop_proof")


# --- HAIP ------------------------------------------------------------------------------------------------------------


def test_under_haip_nobody_is_served_without_attestation_and_key(strict: Fetcher) -> None:
    """At offers as well: neither anonymous, nor with a bearer token, nor as a public client."""
    offer = strict.desk.offer()
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:pre-authorized_code",
        "pre-authorized_code": strict.desk.code_of(offer),
    }
    assert_refused(strict._token(form, {}, None), "invalid_dpop_proof")
    assert_refused(strict._token(form, {}, ""), "invalid_client")
    assert_refused(strict._token(form, None, None), "invalid_dpop_proof")
    assert_refused(strict.push(headers={}, client_id="public"), "invalid_client")
    assert strict._token(form, None, "").json()["token_type"] == "DPoP"
    assert strict.token()["token_type"] == "DPoP"
    document = strict.desk.client.get("https://issuer.example/.well-known/oauth-authorization-server/uni").json()
    assert document["token_endpoint_auth_methods_supported"] == [
        "attest_jwt_client_auth",
        "attest_jwt_client_auth_dpop",
        "private_key_jwt",
    ]
    assert document["pre-authorized_grant_anonymous_access_supported"] is False


@pytest.mark.parametrize(
    ("path", "status"),
    [("/token", 400), ("/credential", 401), ("/deferred_credential", 401), ("/notification", 401)],
)
def test_under_haip_every_place_demands_a_dpop_proof(strict: Fetcher, path: str, status: int) -> None:
    """HAIP 4; RFC 9449, sections 5 and 7.1. With a proof, each is refused for nothing of the kind."""
    if path == "/token":
        code = strict.allowed()
        without, given = strict.ask_token(code, dpop=None), strict.ask_token(code)
    else:
        token = strict.token()["access_token"]
        bodies = {
            "/credential": strict.desk.request(),
            "/deferred_credential": {"transaction_id": "unknown"},
            "/notification": {"notification_id": "unknown", "event": "credential_accepted"},
        }
        url, bound = strict.desk.url(path), {"Authorization": f"DPoP {token}"}
        without = strict.desk.client.post(url, json=bodies[path], headers=bound)
        bearer = strict.desk.client.post(url, json=bodies[path], headers={"Authorization": f"Bearer {token}"})
        assert (bearer.status_code, bearer.json()["error"]) == (401, "invalid_token")
        given = strict.desk.client.post(
            url, json=bodies[path], headers=bound | {"DPoP": strict.dpop(path, token=token)}
        )
    assert (without.status_code, without.json()["error"]) == (status, "invalid_dpop_proof")
    expected = {"/deferred_credential": "invalid_transaction_id", "/notification": "invalid_notification_id"}
    assert given.json().get("error") == expected.get(path)


def test_under_haip_a_pushed_request_needs_no_dpop_proof_but_none_is_ignored(strict: Fetcher) -> None:
    """RFC 9449, section 10.1: the proof is the wallet's choice there; a wrong one is refused."""
    assert strict.push().status_code == 201
    assert strict.push(headers=strict.attested() | {"DPoP": strict.dpop("/par")}).status_code == 201
    assert_refused(strict.push(headers=strict.attested() | {"DPoP": strict.dpop("/token")}), "invalid_dpop_proof")


def test_the_key_proof_may_name_the_attested_client(fetcher: Fetcher) -> None:
    """I-36: `iss` is the client that authenticated, and no other."""
    token = fetcher.token()["access_token"]
    proofs = {"jwt": [fetcher.desk.proof(issuer=WALLET)]}
    assert fetcher.ask_credential(token, proofs=proofs).status_code == 200
    wrong = {"jwt": [fetcher.desk.proof(issuer="https://other.example")]}
    assert_refused(fetcher.ask_credential(token, proofs=wrong), "invalid_proof")
