"""The page that says whom the wallet trusts: kinds by their titles, never by what they are called inside."""

from dataclasses import replace

import pytest

from schemas.types.power_of_representation import POWER_OF_REPRESENTATION
from schemas.types.registration_certificate import REGISTRATION_CERTIFICATE
from tests.wallet.pages.test_share_pages import text_of
from tests.wallet.test_pages import make_wallet
from tests.world import World

KNOWN = (REGISTRATION_CERTIFICATE.vct, POWER_OF_REPRESENTATION.vct)


@pytest.mark.parametrize(
    ("language", "types", "said"),
    [
        ("en", KNOWN, "For: Job seeker registration and power to act for another"),
        ("en", (KNOWN[0], "urn:other:1"), "For: Job seeker registration and 1 other kind"),
        ("en", ("urn:other:1", "urn:other:2"), "For: 2 kinds without a name here"),
        ("sv", (KNOWN[0], "urn:other:1", "urn:other:2"), "För: Inskrivningsintyg och 2 andra slag"),
        ("sv", ("urn:other:1",), "För: 1 slag som saknar namn här"),
    ],
)
def test_kinds_stand_there_by_their_titles(world: World, language: str, types: tuple[str, ...], said: str) -> None:
    """In the person's language; those that nothing here describes are counted."""
    world.wallet.trust(replace(world.university.trust_entry, types=types))
    browser = world.wallet.browser(language)
    make_wallet(browser)
    page = browser.get("/trust")
    assert said in text_of(page)
    assert "urn:" not in page.text
