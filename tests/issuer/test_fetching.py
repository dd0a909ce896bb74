"""The authorization code flow from the pushed request to the copies, and back for fresh ones (OpenID4VCI 5, 6)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from issuer.status import Status
from proofs.formats.sd_jwt import parse_sd_jwt
from proofs.keys import generate_signer
from schemas.learning.achievement import Identifier, Learner
from tests.issuer.fetching import WALLET, Fetcher, records, running_fetcher


@pytest.fixture
def fetcher(tmp_path: Path) -> Iterator[Fetcher]:
    """A wallet, an issuer with two records of one person, and a provider where she signs in."""
    with running_fetcher(tmp_path, *records("DT4011", "DT4012")) as opened:
        yield opened


def test_a_certificate_is_fetched(fetcher: Fetcher) -> None:
    """Pushed, opened, signed in, seen, allowed, redeemed, collected."""
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri()))
    assert "wallet.example" in page.text
    assert "Datasäkerhet i vården" in page.text
    assert "TF12" not in page.text, "what a person is recognised by is not shown"
    back = fetcher.sent_back(fetcher.decide(page))
    assert (back["state"], back["iss"], back["kept"]) == ("s" * 1_000, fetcher.desk.issuer, "1")

    answer = fetcher.ask_token(back["code"])
    assert answer.headers["cache-control"] == "no-store"
    token = answer.json()
    assert (token["token_type"], token["expires_in"]) == ("DPoP", 300)
    assert "authorization_details" not in token, "nobody asked for identifiers"

    copies = fetcher.ask_credential(token["access_token"], type_name="micro-credential").json()["credentials"]
    (copy,) = (parse_sd_jwt(each["credential"]) for each in copies)
    assert copy.claims["vct"] == "urn:intyga:credential:micro-credential:1"
    assert fetcher.desk.read_status(copy) == 0


@pytest.mark.parametrize("back", ["com.example.wallet://back", "com.example.wallet:/back?kept=1"])
def test_a_wallet_that_is_an_app_is_come_back_to(fetcher: Fetcher, back: str) -> None:
    """An address with the app's own scheme (RFC 8252, 7.1), in the very form that the app gave; the scheme is shown."""
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri(redirect_uri=back)))
    assert "Appen com.example.wallet vill hämta detta" in page.text
    query = fetcher.sent_back(fetcher.decide(page), to=back + ("&" if "?" in back else "?"))
    assert query["iss"] == fetcher.desk.issuer
    assert fetcher.ask_token(query["code"], redirect_uri=back).status_code == 200


def test_by_authorization_details_each_certificate_has_an_identifier(fetcher: Fetcher) -> None:
    """Both records are fetched with one token, each under its own name, and neither by its configuration."""
    details = '[{"type": "openid_credential", "credential_configuration_id": "micro-credential"}]'
    token = fetcher.token(scope=None, authorization_details=details)
    (detail,) = token["authorization_details"]
    one, other = detail["credential_identifiers"]
    titles = set()
    for identifier in (one, other):
        answer = fetcher.ask_credential(
            token["access_token"], credential_configuration_id=None, credential_identifier=identifier
        )
        titles.add(parse_sd_jwt(answer.json()["credentials"][0]["credential"]).claims["course_code"])
    assert titles == {"DT4011", "DT4012"}
    by_name = fetcher.ask_credential(token["access_token"])
    assert by_name.json()["error"] == "invalid_credential_request"


def test_several_types_are_fetched_at_once(fetcher: Fetcher) -> None:
    """Two scopes, one consent, one token; unknown scopes do not matter."""
    token = fetcher.token(scope="openid micro-credential course-results")["access_token"]
    for name in ("micro-credential", "course-results"):
        assert fetcher.ask_credential(token, type_name=name).status_code == 200


def test_the_person_says_no(fetcher: Fetcher) -> None:
    """The wallet learns that nothing comes, and the request is spent."""
    request_uri = fetcher.request_uri()
    page = fetcher.sign_in(fetcher.open(request_uri))
    back = fetcher.sent_back(fetcher.decide(page, "no"))
    assert (back["error"], back["iss"]) == ("access_denied", fetcher.desk.issuer)
    assert "code" not in back
    assert fetcher.open(request_uri).status_code == 400


@pytest.mark.parametrize("decision", ["", "perhaps"])
def test_anything_but_a_clear_yes_fetches_nothing(fetcher: Fetcher, decision: str) -> None:
    """The Enter key shows the page again."""
    page = fetcher.decide(fetcher.sign_in(fetcher.open(fetcher.request_uri())), decision)
    assert page.status_code == 400
    assert "back-to-wallet" not in page.text


def test_of_several_records_one_is_chosen_by_a_wallet_that_asks_by_scope(fetcher: Fetcher) -> None:
    """Nothing is different from a single record: no identifiers, and the kind is the name."""
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri()))
    for wrong in ([], ["7"], ["0", "0"]):
        assert fetcher.decide(page, certificates=wrong).status_code == 400
    code = fetcher.sent_back(fetcher.decide(page, certificates=["1"]))["code"]
    token = fetcher.ask_token(code).json()
    assert (token["scope"], "authorization_details" in token) == ("micro-credential", False)
    answer = fetcher.ask_credential(token["access_token"]).json()["credentials"][0]["credential"]
    assert parse_sd_jwt(answer).claims["course_code"] == "DT4012"


def test_looking_does_not_spend_the_request_and_the_last_browser_has_it(fetcher: Fetcher) -> None:
    """RFC 9126, section 4: opened twice, decided once."""
    request_uri = fetcher.request_uri()
    first = fetcher.sign_in(fetcher.open(request_uri))
    second = fetcher.sign_in(fetcher.open(request_uri))
    assert fetcher.sent_back(fetcher.decide(second))["code"]
    assert fetcher.open(request_uri).status_code == 400
    assert first.status_code == 200


def test_a_request_that_waits_too_long_is_over(fetcher: Fetcher) -> None:
    """Ten minutes to open it, half an hour to decide, sixty seconds to redeem."""
    late = fetcher.request_uri()
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri()))
    code = fetcher.allowed()
    fetcher.desk.clock.advance(seconds=61)
    assert fetcher.ask_token(code).json()["error"] == "invalid_grant"
    fetcher.desk.clock.advance(minutes=10)
    assert fetcher.open(late).status_code == 400
    fetcher.desk.clock.advance(minutes=20)
    assert fetcher.decide(page).status_code == 404


# --- who signed in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "person",
    [
        {"sub": "1", "pnr": "19980203-TF13"},
        {"sub": "1"},
        {"sub": "1", "pnr": ""},
        {"sub": "1", "pnr": ["19980203-TF12"]},
        {"sub": "19980203-TF12"},
    ],
)
def test_a_sign_in_that_matches_no_record_issues_nothing(fetcher: Fetcher, person: dict[str, object]) -> None:
    """The page says so; another sign-in is possible; the wallet is told on the way back."""
    fetcher.provider.person = person
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri()))
    assert "DT4011" not in page.text
    assert "Datas" not in page.text
    assert 'id="sign-in-again"' in page.text
    assert fetcher.sent_back(fetcher.decide(page, "no"))["error"] == "access_denied"


def test_records_of_two_people_are_nobodys(tmp_path: Path) -> None:
    """One identifier, two birth dates: a fault in the records must not hand one person the other's."""
    pnr = (Identifier(type="nationalIdentifier", value="19980203-TF12"),)
    one = Learner(family_name="Sjöberg", given_name="Elin", birth_date="1998-02-03", identifiers=pnr)
    other = Learner(family_name="Sjöberg", given_name="Erik", birth_date="1999-02-03", identifiers=pnr)
    with running_fetcher(tmp_path, *records("A1", learner=one), *records("B1", learner=other)) as fetcher:
        page = fetcher.sign_in(fetcher.open(fetcher.request_uri()))
        assert "back-to-wallet" in page.text
        assert "Elin" not in page.text


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.example"},
        {"aud": "somebody-else"},
        {"aud": ["university", "other"]},
        {"azp": "other"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 0},
        {"exp": None},
        {"iat": 9_999_999_999},
        {"sub": None},
    ],
)
def test_an_id_token_that_does_not_hold_signs_nobody_in(fetcher: Fetcher, changes: dict[str, object]) -> None:
    """One thing is wrong each time."""
    fetcher.provider.changes = changes
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri()))
    assert "Datas" not in page.text
    assert 'id="sign-in-again"' in page.text


def test_an_id_token_under_another_key_signs_nobody_in(fetcher: Fetcher) -> None:
    """Even one that names the right key."""
    fetcher.provider.published = generate_signer()
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri()))
    assert 'id="sign-in-again"' in page.text


def test_user_info_adds_what_the_id_token_lacks_unless_it_is_about_somebody_else(fetcher: Fetcher) -> None:
    """OpenID Connect Core, section 5.3.2."""
    fetcher.provider.person = {"sub": "1"}
    fetcher.provider.userinfo = {"sub": "1", "pnr": " 19980203-TF12 "}
    assert "Datas" in fetcher.sign_in(fetcher.open(fetcher.request_uri())).text
    fetcher.provider.userinfo = {"sub": "2", "pnr": " 19980203-TF12 "}
    assert "Datas" not in fetcher.sign_in(fetcher.open(fetcher.request_uri())).text


def test_an_answer_of_the_provider_belongs_to_one_browser_and_one_request(fetcher: Fetcher) -> None:
    """Mixed-up, forged and foreign states sign nobody in."""
    opened = fetcher.open(fetcher.request_uri())
    brought = fetcher.provider.sign_in(opened.headers["location"])
    other = fetcher.provider.sign_in(fetcher.open(fetcher.request_uri()).headers["location"])
    mixed = brought["state"].partition(".")[0] + "." + other["state"].partition(".")[2]
    for state in (mixed, "x", "", brought["state"][:-1] + "_", "å.ä"):
        assert fetcher.come_back(code=brought["code"], state=state).status_code == 404
    foreign = fetcher.come_back(code=brought["code"], state=brought["state"], iss="https://other.example")
    assert 'id="sign-in-again"' in foreign.text
    fetcher.desk.client.cookies.clear()
    assert fetcher.come_back(**brought).status_code == 404


def test_when_nobody_can_sign_in_the_page_says_so(fetcher: Fetcher) -> None:
    """The provider is down, or is not who it was set to be."""
    fetcher.provider.is_down = True
    assert fetcher.open(fetcher.request_uri()).status_code == 503
    fetcher.provider.is_down, fetcher.provider.names_itself = False, "https://other.example"
    assert fetcher.open(fetcher.request_uri()).status_code == 503


# --- fresh copies ----------------------------------------------------------------------------------------------------


def test_i17_an_attested_wallet_fetches_fresh_copies_with_the_same_refresh_token(fetcher: Fetcher) -> None:
    """Bound to the attested key, not to the DPoP key; the copies belong to the same certificate."""
    token = fetcher.token()
    (old,) = fetcher.ask_credential(token["access_token"]).json()["credentials"]
    fetcher.desk.clock.advance(days=10)
    fetcher.desk.context.store.grants.sweep(now=fetcher.desk.clock())
    fetcher.key = generate_signer()
    for _ in range(2):
        renewed = fetcher.ask_refresh(token["refresh_token"])
        assert renewed.status_code == 200, renewed.text
        assert "refresh_token" not in renewed.json()
        (new,) = fetcher.ask_credential(renewed.json()["access_token"]).json()["credentials"]
        fresh, stale = parse_sd_jwt(new["credential"]), parse_sd_jwt(old["credential"])
        assert fresh.claims["exp"] > stale.claims["exp"]
        assert fresh.claims["status"] != stale.claims["status"]
        assert fetcher.desk.read_status(stale) == 0, "renewal does not revoke (I-61)"
    (certificate,) = fetcher.desk.context.store.offers.list_offers(now=fetcher.desk.clock())
    fetcher.desk.change(certificate.id, Status.REVOKED)
    assert fetcher.desk.read_status(fresh) == 1, "revoking reaches every copy, fresh ones too"
    refused = fetcher.ask_credential(fetcher.ask_refresh(token["refresh_token"]).json()["access_token"])
    assert refused.json()["error"] == "credential_request_denied"


def test_i17_another_attested_key_cannot_refresh(fetcher: Fetcher) -> None:
    """Nor the same wallet without its attestation."""
    token = fetcher.token()
    fetcher.instance = generate_signer()
    assert fetcher.ask_refresh(token["refresh_token"]).json()["error"] == "invalid_grant"
    bare = fetcher.ask_refresh(token["refresh_token"], headers={}, client_id=WALLET)
    assert bare.json()["error"] == "invalid_client"


def test_i17_a_public_wallet_gets_a_new_refresh_token_each_time_and_reuse_ends_the_family(fetcher: Fetcher) -> None:
    """RFC 9700, section 4.14: whoever uses the old one, thief or owner, ends it for both."""
    public: dict[str, Any] = {"headers": {}, "client_id": "public"}
    code = fetcher.allowed(**public)
    token = fetcher.ask_token(code, **public).json()
    fetcher.ask_credential(token["access_token"])
    first = fetcher.ask_refresh(token["refresh_token"], **public).json()
    assert first["refresh_token"] != token["refresh_token"]
    stolen = fetcher.ask_refresh(token["refresh_token"], **public, dpop=fetcher.dpop("/token", key=generate_signer()))
    assert stolen.json()["error"] == "invalid_grant", "another key does not even end the family"
    second = fetcher.ask_refresh(first["refresh_token"], **public).json()
    assert fetcher.ask_credential(second["access_token"]).status_code == 200
    assert fetcher.ask_refresh(first["refresh_token"], **public).json()["error"] == "invalid_grant"
    assert fetcher.ask_refresh(second["refresh_token"], **public).json()["error"] == "invalid_grant"
    assert fetcher.ask_credential(second["access_token"]).json()["error"] == "invalid_token"


def test_fresh_copies_say_what_the_records_say_now(fetcher: Fetcher) -> None:
    """And end when the records are gone and their claims erased."""
    token = fetcher.token()
    assert fetcher.ask_credential(token["access_token"]).status_code == 200
    store = fetcher.desk.context.store
    fetcher.desk.clock.advance(minutes=6)
    store.grants.sweep(now=fetcher.desk.clock())
    (only,) = store.results.list_imports()
    store.results.delete_import(only.id)
    assert fetcher.ask_refresh(token["refresh_token"]).json()["error"] == "invalid_grant"


def test_an_offer_collected_with_a_key_can_be_refreshed_too(fetcher: Fetcher) -> None:
    """Pre-authorized or fetched makes no difference; without any binding there is no refresh token."""
    offer = fetcher.desk.offer()
    plain = fetcher.desk.ask_token(fetcher.desk.offer()).json()
    assert "refresh_token" not in plain
    assert plain["token_type"] == "Bearer"
    bound = fetcher._token(
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:pre-authorized_code",
            "pre-authorized_code": fetcher.desk.code_of(offer),
        },
        None,
        "",
    ).json()
    assert bound["token_type"] == "DPoP"
    assert fetcher.ask_credential(bound["access_token"]).status_code == 200
    again = fetcher.ask_refresh(bound["refresh_token"]).json()
    assert fetcher.ask_credential(again["access_token"]).status_code == 200
