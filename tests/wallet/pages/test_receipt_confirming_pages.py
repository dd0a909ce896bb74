"""A receipt that is not confirmed yet can be handed in again by the person, and says so until it is (CS-29)."""

import pytest

from tests.wallet.pages.test_share_pages import text_of
from tests.wallet.pages.test_take_back_pages import shared
from tests.wallet.taking_back_world import says
from tests.wallet.test_pages import send
from tests.world import World


@pytest.mark.parametrize(
    ("language", "open_still", "not_yet", "is_now"),
    [
        (
            "en",
            "Exempelbolaget AB has not confirmed this receipt yet. It holds all the same.",
            "They have not confirmed it yet. The wallet tries again when you open it.",
            "Exempelbolaget AB has confirmed this receipt",
        ),
        (
            "sv",
            "Exempelbolaget AB har inte bekräftat det här kvittot än. Det gäller ändå.",
            "De har inte bekräftat det än. Plånboken försöker igen när du öppnar den.",
            "Exempelbolaget AB har bekräftat det här kvittot",
        ),
    ],
)
def test_cs29_the_person_asks_for_the_confirmation(
    world: World, language: str, open_still: str, not_yet: str, is_now: str
) -> None:
    """As after a share on the same device, which its recipient can confirm only when the browser has been there."""
    browser, entry, recipient = shared(world, language)
    page = browser.get(f"/history/{entry}/receipt")
    assert open_still in text_of(page)

    page = send(browser, page, page.url.path)
    assert not_yet in text_of(page)
    assert len(recipient.receipts) == 2
    recipient.confirm = recipient.countersigned
    assert not_yet in text_of(send(browser, page, page.url.path)), "not twice within half a minute"
    assert len(recipient.receipts) == 2
    world.clock.move(seconds=31)
    page = send(browser, page, page.url.path)

    assert is_now in text_of(page)
    assert 'id="confirm-receipt"' not in page.text
    assert len(recipient.receipts) == 3


def test_a_receipt_is_handed_in_by_our_own_form_alone(world: World) -> None:
    browser, entry, recipient = shared(world)
    assert browser.post(f"/history/{entry}/receipt").status_code == 403
    assert len(recipient.receipts) == 1


def test_where_nobody_confirms_receipts_nothing_is_offered(world: World) -> None:
    browser, entry, recipient = shared(world, receipt_endpoint=None)
    assert 'id="not-confirmed"' not in browser.get(f"/history/{entry}/receipt").text
    recipient.answer = says(503)
    assert recipient.receipts == []
