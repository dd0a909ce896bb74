"""People who come to an issuer's addresses without an account there, and without a wallet, are told how to go on."""

from pathlib import Path
from typing import Any

import pytest
from lxml import html

from tests.issuer.desk import Desk
from tests.issuer.fetching import running_fetcher

NAVIGATES = {"Accept": "text/html", "Sec-Fetch-Dest": "document"}


def for_others(desk: Desk, language: str) -> str:
    """What the first page tells somebody who has no account."""
    headers = {"Accept": "text/html", "Accept-Language": language}
    tree: Any = html.fromstring(desk.client.get(desk.settings.origin + "/uni/", headers=headers).text)
    (paragraph,) = tree.xpath("//p[@id='for-others']")
    return " ".join(paragraph.text_content().split())


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("sv", "välj att hämta intyget hos Exempeluniversitetet."),
        ("en", "choose to fetch it from Example University."),
    ],
)
def test_the_first_page_tells_people_to_begin_in_their_wallet(tmp_path: Path, language: str, said: str) -> None:
    """Whoever follows the name of the institution lands where staff sign in."""
    with running_fetcher(tmp_path) as fetcher:
        assert said in for_others(fetcher.desk, language)


def test_where_nobody_can_sign_in_it_tells_them_to_ask_for_a_link(desk: Desk) -> None:
    """Nothing is said that is not so here."""
    assert "Be Nordanviks universitet om en länk" in for_others(desk, "sv")


def test_the_address_of_an_offer_leads_a_browser_to_its_page_and_a_wallet_to_the_offer(desk: Desk) -> None:
    """A person who opens it opens nothing yet."""
    offer = desk.offer()
    links = desk.links(offer)
    page = desk.client.get(links.uri, headers=NAVIGATES)
    assert str(page.url) == links.offer_https
    assert "Har du ingen plånbok än?" in page.text
    assert desk.state_of(offer) == "offered"
    # Some programs accept pages like a browser, and are none.
    assert desk.client.get(links.uri, headers={"Accept": "text/html, *; q=.2"}).json()["credential_issuer"]
    assert desk.state_of(offer) == "opened"
    gone = desk.client.get(f"{desk.issuer}/offers/{'x' * 22}", headers=NAVIGATES)
    assert (gone.status_code, gone.headers["content-type"].split(";")[0]) == (404, "text/html")


def test_whoever_has_a_wallet_is_not_told_what_one_is(desk: Desk) -> None:
    """Its address is remembered in this browser."""
    page = desk.client.get(desk.links(desk.offer()).offer_https, headers=NAVIGATES)
    tree: Any = html.fromstring(page.text)
    assert tree.xpath("//p[@id='no-wallet']")
    typed = {
        name: tree.xpath(f"//form[@id='wallet-form']//input[@name='{name}']/@value")[0] for name in ("csrf", "back")
    }
    (action,) = tree.xpath("//form[@id='wallet-form']/@action")
    page = desk.client.post(
        desk.settings.origin + action, data=typed | {"wallet_address": "https://wallet.example"}, headers=NAVIGATES
    )
    tree = html.fromstring(page.text)
    assert tree.xpath("//a[@id='open-web-wallet']")
    assert not tree.xpath("//p[@id='no-wallet']")


def test_swedish_stands_first_where_an_offer_has_one_text_for_everybody(desk: Desk) -> None:
    """`tx_code.description` has no language (OpenID4VCI 4.1.1)."""
    offer = desk.client.get(desk.links(desk.offer(with_tx_code=True)).uri).json()
    (grant,) = offer["grants"].values()
    assert grant["tx_code"]["description"].startswith("Utfärdaren gav dig en kod")
