"""Offers that are fetched with a sign-in under attack: guessed, stolen, replayed and injected states (OpenID4VCI 4.1.1,
5.1: the state is not guaranteed to come from where it says)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from issuer.offers import Offer, draft_offer
from proofs.formats.sd_jwt import parse_sd_jwt
from schemas.learning.achievement import Identifier, Learner
from schemas.types import CREDENTIAL_TYPES
from tests.issuer.desk import assert_refused
from tests.issuer.fetching import Fetcher, records, running_fetcher

OMAR = Learner(
    family_name="Haddad", given_name="Omar", identifiers=(Identifier(type="nationalIdentifier", value="19930304TF22"),)
)


@pytest.fixture
def fetcher(tmp_path: Path) -> Iterator[Fetcher]:
    """An issuer with two results of Elin, who signs in, and one of Omar."""
    with running_fetcher(tmp_path, *records("DT4011", "DT4012"), *records("OM1000", learner=OMAR)) as opened:
        yield opened


def offered(fetcher: Fetcher, code: str = "DT4011") -> Offer:
    """One of the kept results, offered to whoever signs in as its person."""
    store = fetcher.desk.context.store
    (result,) = [one for one in store.results.list_results() if one.record.code == code]
    draft = draft_offer(
        CREDENTIAL_TYPES["micro-credential"],
        [result.record],
        with_tx_code=False,
        with_sign_in=True,
        result_ids=[result.id],
    )
    (made,) = store.offers.create([draft], now=fetcher.desk.clock())
    return made


def state_of(fetcher: Fetcher, offer: Offer) -> str:
    """The state as a wallet reads it from the offer."""
    read = fetcher.desk.client.get(fetcher.desk.links(offer).uri).json()
    assert list(read["grants"]) == ["authorization_code"]
    return str(read["grants"]["authorization_code"]["issuer_state"])


def nothing_issued(fetcher: Fetcher) -> bool:
    """Whether no certificate and no token came of it."""
    offers = fetcher.desk.context.store.offers.list_offers(now=fetcher.desk.clock())
    return all(offer.state.value in ("offered", "opened", "voided", "expired") for offer in offers)


def test_what_was_offered_is_fetched_and_nothing_else(fetcher: Fetcher) -> None:
    """Elin has two results; of the one that was offered she gets the certificate, in the row of its offer."""
    offer = offered(fetcher)
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri(issuer_state=state_of(fetcher, offer))))
    assert page.text.count('name="certificate"') == 1
    token = fetcher.ask_token(fetcher.sent_back(fetcher.decide(page))["code"]).json()
    (copy,) = fetcher.ask_credential(token["access_token"]).json()["credentials"]
    assert parse_sd_jwt(copy["credential"]).claims["course_code"] == "DT4011"
    (kept,) = fetcher.desk.context.store.offers.list_offers(now=fetcher.desk.clock())
    assert (kept.id, kept.state.value, kept.certificate_id) == (offer.id, "collected", offer.id)
    renewed = fetcher.ask_refresh(token["refresh_token"])
    assert renewed.status_code == 200, "as for anything else that was fetched"


@pytest.mark.parametrize("state", ["x", "0" * 43, "å", "x" * 5_000, "' OR 1=1 --"])
def test_a_guessed_state_is_refused_before_anybody_is_asked(fetcher: Fetcher, state: str) -> None:
    """Also beside an open offer, whose state it is not."""
    offered(fetcher)
    assert_refused(fetcher.push(issuer_state=state), "invalid_request")


def test_no_code_or_reference_of_an_offer_is_its_state_and_the_other_way_round(fetcher: Fetcher) -> None:
    """What is known from an address opens nothing here; and the state is no pre-authorized code."""
    offer = offered(fetcher)
    plain = fetcher.desk.offer()
    for wrong in (
        fetcher.desk.links(offer).uri.rpartition("/")[2],
        fetcher.desk.code_of(offer),
        fetcher.desk.code_of(plain),
        offer.id,
        fetcher.desk.context.store.secret.issuer_state(plain.id, plain.generation),
    ):
        assert_refused(fetcher.push(issuer_state=wrong), "invalid_request")
    for code in (state_of(fetcher, offer), fetcher.desk.code_of(offer)):
        assert_refused(fetcher.desk.ask_token(code), "invalid_grant")
    assert nothing_issued(fetcher)


@pytest.mark.parametrize(
    "form",
    [
        {"scope": "course-results"},
        {"scope": "micro-credential course-results"},
        {
            "scope": None,
            "authorization_details": '[{"type":"openid_credential","credential_configuration_id":"course-results"}]',
        },
    ],
)
def test_a_state_opens_no_other_type(fetcher: Fetcher, form: dict[str, Any]) -> None:
    """Neither instead of what was offered nor beside it."""
    state = state_of(fetcher, offered(fetcher))
    assert_refused(fetcher.push(issuer_state=state, **form), "invalid_request")


@pytest.mark.parametrize("ended", ["expired", "void", "again"])
def test_a_state_ends_with_its_offer(fetcher: Fetcher, ended: str) -> None:
    """Old, taken back, or replaced by a new one."""
    offer, store, clock = offered(fetcher), fetcher.desk.context.store, fetcher.desk.clock
    state = state_of(fetcher, offer)
    if ended == "expired":
        clock.now = offer.expires_at
    elif ended == "void":
        store.offers.void(offer.id, now=clock())
    else:
        again = store.offers.offer_again(offer.id, now=clock())
        assert state_of(fetcher, again) != state
        assert fetcher.push(issuer_state=state_of(fetcher, again)).status_code == 201
    assert_refused(fetcher.push(issuer_state=state), "invalid_request")


@pytest.mark.parametrize("moment", ["before the sign-in", "before the decision", "before the token"])
def test_taking_an_offer_back_stops_what_was_begun_with_it(fetcher: Fetcher, moment: str) -> None:
    """However far the person has come: nothing is issued any more."""
    offer = offered(fetcher)

    def take_back() -> None:
        fetcher.desk.context.store.offers.offer_again(offer.id, now=fetcher.desk.clock())

    opened = fetcher.open(fetcher.request_uri(issuer_state=state_of(fetcher, offer)))
    if moment == "before the sign-in":
        take_back()
        page = fetcher.sign_in(opened)
        assert 'id="why"' in page.text
        assert "Datas" not in page.text
        return
    page = fetcher.sign_in(opened)
    if moment == "before the decision":
        take_back()
    code = fetcher.sent_back(fetcher.decide(page))["code"]
    if moment == "before the token":
        take_back()
    assert_refused(fetcher.ask_token(code), "invalid_grant")
    assert nothing_issued(fetcher)


def test_a_stolen_link_gives_a_stranger_nothing(fetcher: Fetcher) -> None:
    """Omar's record, in a link that Elin opens and signs in for: neither his certificate nor one of her own."""
    offer = offered(fetcher, "OM1000")
    request_uri = fetcher.request_uri(issuer_state=state_of(fetcher, offer))
    page = fetcher.sign_in(fetcher.open(request_uri))
    assert 'id="why"' in page.text
    for told in ("Datas", "DT4011", "OM1000", "Omar", "Haddad"):
        assert told not in page.text
    assert fetcher.sent_back(fetcher.decide(page, "no"))["error"] == "access_denied"
    assert fetcher.desk.state_of(offer) == "opened", "and it stays his to fetch"
    fetcher.provider.person = {"sub": "omar", "pnr": "19930304TF22"}
    page = fetcher.sign_in(fetcher.open(fetcher.request_uri(issuer_state=state_of(fetcher, offer))))
    assert fetcher.sent_back(fetcher.decide(page))["code"]


def test_a_record_that_is_no_longer_there_is_not_issued(fetcher: Fetcher) -> None:
    """What was offered was erased meanwhile: no other record takes its place."""
    offer, results = offered(fetcher), fetcher.desk.context.store.results
    request_uri = fetcher.request_uri(issuer_state=state_of(fetcher, offer))
    results.delete_import(results.list_imports()[0].id)
    page = fetcher.sign_in(fetcher.open(request_uri))
    assert 'id="why"' in page.text
    assert nothing_issued(fetcher)


def test_a_state_is_spent_with_its_first_token(fetcher: Fetcher) -> None:
    """Replayed, also by the same person, it is refused; what was allowed with it before comes too late."""
    state = state_of(fetcher, offered(fetcher))
    first, second = fetcher.allowed(issuer_state=state), fetcher.allowed(issuer_state=state)
    assert fetcher.ask_token(first).status_code == 200
    assert_refused(fetcher.ask_token(second), "invalid_grant")
    assert_refused(fetcher.push(issuer_state=state), "invalid_request")
    assert len(fetcher.desk.context.store.offers.list_offers(now=fetcher.desk.clock())) == 1


def test_of_many_who_were_allowed_with_one_state_one_gets_a_token(fetcher: Fetcher) -> None:
    """However parallel they are."""
    state = state_of(fetcher, offered(fetcher))
    ready = [(fetcher.allowed(issuer_state=state), fetcher.attested(), fetcher.dpop("/token")) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda each: fetcher.ask_token(each[0], headers=each[1], dpop=each[2]), ready))
    assert sum(answer.status_code == 200 for answer in answers) <= 1
    late = [fetcher.ask_token(fetcher_code) for fetcher_code, *_ in ready]
    granted = sum(answer.status_code == 200 for answer in (*answers, *late))
    assert granted == 1
    assert len(fetcher.desk.context.store.offers.list_offers(now=fetcher.desk.clock())) == 1


def test_a_code_that_is_used_twice_ends_what_its_offer_gave(fetcher: Fetcher) -> None:
    """RFC 6749, 4.1.2, holds for offers as well."""
    code = fetcher.allowed(issuer_state=state_of(fetcher, offered(fetcher)))
    token = fetcher.ask_token(code).json()
    assert_refused(fetcher.ask_token(code), "invalid_grant")
    assert_refused(fetcher.ask_credential(token["access_token"]), "invalid_token", 401)
    assert_refused(fetcher.ask_refresh(token["refresh_token"]), "invalid_grant")


def test_the_state_is_not_kept_and_not_in_any_address(fetcher: Fetcher) -> None:
    """The database has its digest, the browser a reference."""
    state = state_of(fetcher, offered(fetcher))
    opened = fetcher.open(fetcher.request_uri(issuer_state=state))
    assert state not in opened.headers["location"]
    kept = b"".join(path.read_bytes() for path in fetcher.desk.settings.data.glob("issuer.sqlite3*"))
    assert state.encode() not in kept
