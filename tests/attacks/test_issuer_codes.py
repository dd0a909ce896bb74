"""Attacks on offers, codes and transaction codes (edge cases I-01 to I-12, I-16)."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from issuer.settings import IssuerSettings
from schemas.issuance import PRE_AUTHORIZED_CODE_GRANT, CredentialOffer, TokenResponse
from tests.issuer.desk import Desk, assert_refused, running_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An issuer under a path prefix, at a standing time."""
    with running_desk(tmp_path) as opened:
        yield opened


def test_i01_an_offer_address_serves_one_offer_and_nothing_else(desk: Desk) -> None:
    """Each offer has an address of its own, answers application/json whatever is accepted, and is never signed."""
    first, second = desk.offer(), desk.offer()
    assert desk.links(first).uri != desk.links(second).uri

    answer = desk.client.get(desk.links(first).uri, headers={"Accept": "application/jwt"})

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["credential_issuer"] == desk.issuer
    assert_refused(desk.client.get(desk.links(first).uri + "x"), "not_found", 404)
    assert_refused(desk.client.get(desk.url("/offers/" + "A" * 22)), "not_found", 404)


def test_i01_a_used_void_or_expired_offer_is_gone_from_its_address(desk: Desk) -> None:
    """Once its code is used, voided or expired, the address of an offer tells nothing any more."""
    used, void, old = desk.offer(), desk.offer(), desk.offer()
    uris = [desk.links(offer).uri for offer in (used, void, old)]
    desk.token(used)
    desk.context.store.offers.void(void.id, now=desk.clock())
    assert_refused(desk.client.get(uris[0]), "not_found", 404)
    assert_refused(desk.client.get(uris[1]), "not_found", 404)
    assert desk.client.get(uris[2]).status_code == 200
    desk.clock.advance(hours=168)
    assert_refused(desk.client.get(uris[2]), "not_found", 404)


def test_i02_an_offer_names_each_configuration_once(desk: Desk) -> None:
    """What is offered is a list without repetition, and unknown members of an offer are ignored on reading."""
    offer = desk.client.get(desk.links(desk.offer()).uri).json()
    assert offer["credential_configuration_ids"] == ["micro-credential"]
    assert CredentialOffer.read(offer | {"future": {"x": 1}}).credential_configuration_ids == ["micro-credential"]


def test_i03_i04_a_missing_transaction_code_is_an_invalid_request_and_costs_no_try(desk: Desk) -> None:
    """Where a transaction code is wanted, a request without one is refused without counting as a guess."""
    offer = desk.offer(with_tx_code=True)
    for empty in (None, "") * 3:  # One without a value is none (RFC 6749, section 3.2).
        assert_refused(desk.ask_token(offer, tx_code=empty), "invalid_request")
    assert desk.ask_token(offer, tx_code=desk.tx_code_of(offer)).status_code == 200


def test_i03_the_transaction_code_object_in_the_offer_demands_one(desk: Desk) -> None:
    """The offer announces the transaction code by an object, also when a reader sees it empty."""
    offer = desk.offer(with_tx_code=True)
    read = desk.client.get(desk.links(offer).uri).json()
    read["grants"][PRE_AUTHORIZED_CODE_GRANT]["tx_code"] = {}

    grant = CredentialOffer.read(read).pre_authorized

    assert grant is not None
    assert grant.wants_tx_code


def test_i04_a_transaction_code_that_nobody_expects_is_an_invalid_request(desk: Desk) -> None:
    """A transaction code sent where none is wanted is refused, and the code stays good."""
    offer = desk.offer()
    assert_refused(desk.ask_token(offer, tx_code="123456"), "invalid_request")
    assert desk.ask_token(offer, tx_code="").status_code == 200, "an empty field is no transaction code"


def test_i04_i06_a_wrong_transaction_code_does_not_consume_the_code(desk: Desk) -> None:
    """Four wrong guesses are invalid grants, and the right one still works afterwards."""
    offer = desk.offer(with_tx_code=True)
    for guess in ("000000", "1", "x" * 500, "åäö"):
        assert_refused(desk.ask_token(offer, tx_code=guess), "invalid_grant")
    assert desk.ask_token(offer, tx_code=desk.tx_code_of(offer)).status_code == 200


def test_i05_the_fifth_wrong_guess_burns_the_code(desk: Desk) -> None:
    """After five wrong guesses even the right transaction code is refused; staff can offer again."""
    offer = desk.offer(with_tx_code=True)
    right = desk.tx_code_of(offer)
    for number in range(5):
        assert_refused(desk.ask_token(offer, tx_code=f"wrong{number}"), "invalid_grant")

    assert_refused(desk.ask_token(offer, tx_code=right), "invalid_grant")
    assert desk.state_of(offer) == "locked"

    again = desk.context.store.offers.offer_again(offer.id, now=desk.clock())
    assert_refused(desk.ask_token(offer, tx_code=desk.tx_code_of(again)), "invalid_grant")
    assert desk.ask_token(again, tx_code=desk.tx_code_of(again)).status_code == 200


def test_i05_the_transaction_code_is_in_no_link_and_no_offer(desk: Desk) -> None:
    """Whoever photographs the QR code, or reads the link or the offer, does not learn the transaction code."""
    for _ in range(20):
        offer = desk.offer(with_tx_code=True)
        links = desk.links(offer)
        assert links.tx_code is not None
        shown = [links.offer, links.offer_https, links.uri, unquote(links.by_value), links.typed or ""]
        object_ = desk.client.get(links.uri).json()
        hint = object_["grants"][PRE_AUTHORIZED_CODE_GRANT]["tx_code"]
        assert set(hint) == {"input_mode", "length", "description"}
        assert not any(links.tx_code in text for text in [*shown, json.dumps(hint)])


def test_i07_a_code_is_good_once_and_its_second_use_revokes_the_token(desk: Desk) -> None:
    """The second use of a code is refused and withdraws the access token that the first one gave."""
    offer = desk.offer()
    token = desk.token(offer)

    assert_refused(desk.ask_token(offer), "invalid_grant")

    answer = desk.ask_credential(token, desk.request())
    assert_refused(answer, "invalid_token", 401)


def test_i07_who_does_not_know_the_transaction_code_cannot_revoke_the_token(desk: Desk) -> None:
    """A photographed QR code is not enough to destroy somebody's collection in progress."""
    offer = desk.offer(with_tx_code=True)
    token = desk.token(offer)

    assert_refused(desk.ask_token(offer, tx_code="000000"), "invalid_grant")

    assert desk.ask_credential(token, desk.request()).status_code == 200


def test_i07_a_voided_or_expired_code_is_an_invalid_grant(desk: Desk) -> None:
    """A voided code, an expired code and an invented code are refused alike."""
    void, old = desk.offer(), desk.offer()
    desk.context.store.offers.void(void.id, now=desk.clock())
    refusals = [desk.ask_token(void), desk.ask_token("A" * 43), desk.ask_token("x")]
    desk.clock.advance(hours=168)
    refusals.append(desk.ask_token(old))

    for refusal in refusals:
        assert_refused(refusal, "invalid_grant")
    assert len({refusal.text for refusal in refusals}) == 1


def test_offering_again_voids_the_old_code_and_the_old_token(desk: Desk) -> None:
    """A lost token answer costs nothing: the offer is made again, and everything of the old one is worthless."""
    offer = desk.offer()
    old_uri, old_token = desk.links(offer).uri, desk.token(offer)

    again = desk.context.store.offers.offer_again(offer.id, now=desk.clock())

    assert_refused(desk.ask_token(offer), "invalid_grant")
    assert_refused(desk.client.get(old_uri), "not_found", 404)
    assert_refused(desk.ask_credential(old_token, desk.request()), "invalid_token", 401)
    assert len(desk.collect(again)) == 1


def test_i08_anonymous_access_is_refused_where_it_is_not_offered(tmp_path: Path) -> None:
    """An issuer that wants to know the client refuses a token request without client identifier."""
    with running_desk(tmp_path, anonymous_access=False) as desk:
        offer = desk.offer()
        metadata = desk.client.get(desk.settings.well_known_url("oauth-authorization-server")).json()
        assert metadata["pre-authorized_grant_anonymous_access_supported"] is False
        assert_refused(desk.ask_token(offer), "invalid_client")
        assert desk.ask_token(offer, client_id="wallet").status_code == 200


def test_i09_the_offer_hints_at_no_authorization_server_where_there_is_one_only(desk: Desk) -> None:
    """With a single authorization server the offer carries no hint, and the metadata no list."""
    offer = desk.client.get(desk.links(desk.offer()).uri).json()
    metadata = desk.client.get(desk.settings.well_known_url("openid-credential-issuer")).json()
    assert "authorization_server" not in offer["grants"][PRE_AUTHORIZED_CODE_GRANT]
    assert "authorization_servers" not in metadata


@pytest.mark.parametrize(
    "details",
    [
        [{"type": "openid_credential", "credential_configuration_id": "course-results"}],
        [
            {"type": "openid_credential", "credential_configuration_id": "micro-credential"},
            {"type": "openid_credential", "credential_configuration_id": "course-results"},
        ],
        [{"type": "payment", "credential_configuration_id": "micro-credential"}],
        [{"type": "openid_credential"}],
        [{"type": "openid_credential", "credential_configuration_id": "micro-credential", "locations": ["https://x"]}],
        [],
        {},
        "text",
        7,
    ],
)
def test_i10_authorization_details_never_widen(desk: Desk, details: object) -> None:
    """Details that ask for more than was offered, or for something else, are refused and consume nothing."""
    offer = desk.offer()
    answer = desk.ask_token(offer, authorization_details=json.dumps(details))
    assert_refused(answer, "invalid_authorization_details")
    assert desk.ask_token(offer).status_code == 200


def test_i10_authorization_details_with_repeated_members_are_refused(desk: Desk) -> None:
    """What two readers could understand differently is refused."""
    details = '[{"type":"openid_credential","type":"x","credential_configuration_id":"micro-credential"}]'
    assert_refused(desk.ask_token(desk.offer(), authorization_details=details), "invalid_authorization_details")


def test_i11_i12_details_are_answered_with_identifiers_and_only_when_asked_for(desk: Desk) -> None:
    """A request with details is answered with identifiers, one without them is not."""
    details = [
        {"type": "openid_credential", "credential_configuration_id": "micro-credential", "locations": [desk.issuer]}
    ]
    asked = TokenResponse.read(desk.ask_token(desk.offer(), authorization_details=json.dumps(details)).json())
    plain = TokenResponse.read(desk.ask_token(desk.offer()).json())

    assert asked.credential_identifiers("micro-credential")
    assert plain.authorization_details is None


def test_i16_an_access_token_lives_five_minutes_at_most(desk: Desk) -> None:
    """A bearer token says how long it lives, lives no longer, and no setting lets it live beyond 5 minutes."""
    offer = desk.offer()
    answer = desk.ask_token(offer)
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 300)
    assert answer.headers["cache-control"] == "no-store"
    desk.clock.advance(seconds=300)
    assert_refused(desk.ask_credential(body["access_token"], desk.request()), "invalid_token", 401)
    with pytest.raises(ValidationError):
        IssuerSettings(data=Path("x"), access_token_seconds=301)


def test_an_offer_lives_seven_days_at_most() -> None:
    """The bounds on offers, tries and typeable codes cannot be lifted by a setting."""
    for setting in ({"offer_lifetime_hours": 169}, {"tx_code_tries": 6}, {"typeable_code_seconds": 901}):
        with pytest.raises(ValidationError):
            IssuerSettings.model_validate({"data": Path("x")} | setting)


def test_unknown_and_foreign_parameters_of_a_token_request_are_ignored(desk: Desk) -> None:
    """resource, scope and whatever comes later are accepted and ignored."""
    answer = desk.ask_token(desk.offer(), resource=desk.issuer, scope="anything", future="1", code_verifier="x")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"pre__authorized_code": None}, "invalid_request"),
        ({"pre__authorized_code": ""}, "invalid_request"),
        ({"pre__authorized_code": "x" * 20_000}, "invalid_request"),
    ],
)
def test_malformed_token_requests_get_the_codes_of_the_standard(
    desk: Desk, form: dict[str, str | None], error: str
) -> None:
    """Missing and unsupported parameters are told apart."""
    assert_refused(desk.ask_token(desk.offer(), **form), error)


def test_a_repeated_parameter_is_refused(desk: Desk) -> None:
    """Two codes in one request are ambiguous, so neither is used."""
    offer = desk.offer()
    body = f"grant_type={PRE_AUTHORIZED_CODE_GRANT}&pre-authorized_code=x&pre-authorized_code={desk.code_of(offer)}"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert_refused(desk.client.post(desk.url("/token"), content=body, headers=headers), "invalid_request")
    assert_refused(desk.client.post(desk.url("/token"), json={"grant_type": "x"}), "invalid_request")
    assert_refused(desk.client.post(desk.url("/token"), content=b"\xff=\xfe", headers=headers), "invalid_request")
    too_long = b"a=" + b"b" * 100_000
    assert_refused(desk.client.post(desk.url("/token"), content=too_long, headers=headers), "invalid_request")
    wrong = desk.client.get(desk.url("/token"))
    assert_refused(wrong, "method_not_allowed", 405)
    assert (wrong.headers["allow"], wrong.headers["access-control-allow-origin"]) == ("OPTIONS, POST", "*")


def test_who_keeps_guessing_codes_waits_while_others_are_served(tmp_path: Path) -> None:
    """After too many failures guesses get 429, until the minute is over; whoever has a code is never slowed down."""
    with running_desk(tmp_path, failed_tokens_per_minute=5) as desk:
        for _ in range(10):
            assert desk.ask_token(desk.offer()).status_code == 200
        for number in range(5):
            assert_refused(desk.ask_token(f"guess{number}"), "invalid_grant")
        refused = desk.ask_token("one guess more")
        assert_refused(refused, "too_many_requests", 429)
        assert desk.ask_token(desk.offer()).status_code == 200
        assert int(refused.headers["retry-after"]) <= 61
        desk.clock.advance(seconds=60)
        assert_refused(desk.ask_token("one guess more"), "invalid_grant")


def test_a_preview_of_the_link_does_not_open_the_offer(desk: Desk) -> None:
    """Programs that look at links with HEAD are no wallets; reading the offer with GET is what is told as opened."""
    offer = desk.offer()
    address = desk.url(f"/offers/{desk.context.store.secret.offer_reference(offer.id, offer.generation)}")
    assert desk.client.head(address).status_code == 200
    assert desk.state_of(offer) == "offered"
    assert desk.client.get(address).status_code == 200
    assert desk.state_of(offer) == "opened"


def test_a_whole_network_of_addresses_is_one_guesser(tmp_path: Path) -> None:
    """Whoever has an IPv6 network (2**64 addresses) does not get a limit for each of them."""
    with running_desk(tmp_path, failed_tokens_per_minute=3, failed_codes_per_minute=3) as desk:

        def guess(address: str) -> list[int]:
            client = TestClient(desk.client.app, base_url=desk.settings.origin, client=(address, 50000))
            form = {"grant_type": PRE_AUTHORIZED_CODE_GRANT, "pre-authorized_code": "guess"}
            token = client.post(desk.url("/token"), data=form)
            return [token.status_code, client.get(desk.url("/AAAAAAAAAA")).status_code]

        for number in range(3):
            assert guess(f"2001:db8:1:2::{number}") == [400, 404]
        assert guess("2001:db8:1:2:ffff::1") == [429, 429]
        assert guess("2001:db8:1:3::1") == [400, 404]
