"""In which language the source speaks to the person: that of their wallet, until they choose another.

Source: OpenID Connect Core 1.0, section 3.1.2.1 (`ui_locales`); RFC 9126, section 4.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import html

from tests.issuer.fetching import Fetcher, records, running_fetcher


@pytest.fixture
def fetcher(tmp_path: Path) -> Iterator[Fetcher]:
    """A wallet, an issuer with a record, and a provider where its person signs in."""
    with running_fetcher(tmp_path, *records("DT4011")) as opened:
        yield opened


def asked_upstream(opened: Any) -> str:
    """The language that the provider is asked for."""
    (language,) = parse_qs(urlsplit(opened.headers["location"]).query)["ui_locales"]
    return str(language)


def spoken(page: Any) -> str:
    """The language of a page."""
    tree: Any = html.fromstring(page.content)
    return str(tree.get("lang"))


@pytest.mark.parametrize(
    ("ui_locales", "language"),
    [
        ("en", "en"),
        ("sv-SE en", "sv"),
        ("de nb en-GB sv", "en"),
        ("EN", "en"),
        ("de fr", "sv"),
        ("", "sv"),
        ("../../en \x00 <script> " + "x" * 5_000, "sv"),
        ("x " * 2_000 + "en", "sv"),
    ],
)
def test_every_page_and_the_provider_speak_the_language_of_the_wallet(
    fetcher: Fetcher, ui_locales: str, language: str
) -> None:
    """Its first language that the pages have; a wish that cannot be met is no error, and Swedish is spoken."""
    opened = fetcher.open(fetcher.request_uri(ui_locales=ui_locales))
    assert asked_upstream(opened) == language
    review = fetcher.sign_in(opened)
    done = fetcher.decide(review)
    assert [spoken(page) for page in (review, done)] == [language, language]
    assert fetcher.sent_back(done)["code"]


def test_what_the_person_chooses_on_a_page_comes_first(fetcher: Fetcher) -> None:
    """Changed on the page, it stays so, at the provider too when they sign in again; the next visit is a new wish."""
    request_uri = fetcher.request_uri(ui_locales="en")
    review = fetcher.sign_in(fetcher.open(request_uri))
    address = review.request.url.copy_set_param("lang", "sv")
    changed = fetcher.desk.client.get(str(address), headers={"Accept": "text/html"})
    assert spoken(changed) == "sv"
    tree: Any = html.fromstring(changed.content)
    csrf = tree.xpath("//input[@name='csrf']/@value")[0]
    again = str(review.request.url.copy_with(path=f"{review.request.url.path}/sign-in"))
    page = fetcher.desk.client.post(again, data={"csrf": csrf})
    assert spoken(page) == "sv"
    assert "ui_locales=sv" in page.text

    assert asked_upstream(fetcher.open(fetcher.request_uri(ui_locales="en"))) == "en"


def test_a_wallet_that_wishes_nothing_leaves_it_to_the_browser(fetcher: Fetcher) -> None:
    """What the browser prefers, and what it remembers."""
    fetcher.desk.client.headers["accept-language"] = "en-GB"
    assert asked_upstream(fetcher.open(fetcher.request_uri())) == "en"


def test_a_wish_counts_only_where_it_was_pushed(fetcher: Fetcher) -> None:
    """What somebody adds to the address of a pushed request is ignored; said twice in a pushed one, it is refused."""
    opened = fetcher.open(fetcher.request_uri(ui_locales="en"), ui_locales="sv")
    assert asked_upstream(opened) == "en"
    twice = fetcher.push(ui_locales=["sv", "en"])
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")


def test_also_the_page_that_says_that_nobody_can_sign_in_now(fetcher: Fetcher) -> None:
    """The provider does not answer: that is told in the language of the wallet."""
    fetcher.provider.is_down = True
    page = fetcher.open(fetcher.request_uri(ui_locales="en"))
    assert (page.status_code, spoken(page)) == (503, "en")
