"""Attacks on typeable codes (DESIGN 4.4)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.issuer.desk import Desk, assert_refused, running_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An issuer under a path prefix, at a standing time."""
    with running_desk(tmp_path) as opened:
        yield opened


def test_a_typed_code_leads_to_the_offer_in_every_spelling(desk: Desk) -> None:
    """Ten characters, typed with or without hyphen, in any case, with look-alikes, lead to the offer for 15 minutes."""
    offer = desk.offer(with_tx_code=True)
    typed = desk.links(offer).typed
    assert typed is not None
    host, _, code = typed.rpartition("/")
    assert host == "issuer.example/uni"
    bare = code.replace("-", "")
    for spelling in (code, bare, code.lower(), bare.replace("0", "O").replace("1", "l")):
        answer = desk.client.get(desk.url("/" + spelling))
        assert answer.status_code == 200, spelling
        assert answer.json()["credential_issuer"] == desk.issuer
    desk.clock.advance(minutes=15)
    assert_refused(desk.client.get(desk.url("/" + code)), "not_found", 404)
    renewed = desk.context.store.offers.new_typeable_code(offer.id, now=desk.clock())
    assert desk.links(renewed).typed not in (None, typed)


def test_a_browser_that_opens_a_typed_code_is_sent_to_the_page(desk: Desk) -> None:
    """The same code, opened by a person in a browser, leads to the page of the offer."""
    offer = desk.offer(with_tx_code=True)
    code = (desk.links(offer).typed or "").rpartition("/")[2]
    answer = desk.client.get(desk.url("/" + code), headers={"Accept": "text/html"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, desk.links(offer).offer_https)


def test_an_offer_without_transaction_code_cannot_be_typed(desk: Desk) -> None:
    """Fifty bits are not enough to be all that is needed."""
    from issuer.offers import CannotOfferAgain

    offer = desk.offer()
    assert desk.links(offer).typed is None
    with pytest.raises(CannotOfferAgain):
        desk.context.store.offers.new_typeable_code(offer.id, now=desk.clock())


def test_guessing_typed_codes_is_limited(tmp_path: Path) -> None:
    """After too many unknown codes an address has to wait; ordinary wrong addresses do not count."""
    with running_desk(tmp_path, failed_codes_per_minute=3) as desk:
        for _ in range(10):
            assert desk.client.get(desk.url("/certificates")).status_code == 404
        for number in range(3):
            assert_refused(desk.client.get(desk.url(f"/AAAAAAAAA{number}")), "not_found", 404)
        assert_refused(desk.client.get(desk.url("/AAAAAAAAA9")), "too_many_requests", 429)


def test_a_voided_offer_cannot_be_typed(desk: Desk) -> None:
    """Voiding takes the typed code as well."""
    offer = desk.offer(with_tx_code=True)
    code = (desk.links(offer).typed or "").rpartition("/")[2]
    desk.context.store.offers.void(offer.id, now=desk.clock())
    assert_refused(desk.client.get(desk.url("/" + code)), "not_found", 404)
