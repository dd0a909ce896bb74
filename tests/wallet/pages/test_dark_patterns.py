"""What the machine can see of dark patterns in a share (EDPB 03/2022): steps, labels, order, and what must be told.

How the buttons look is computed in the browser (`tests/browser/test_wallet_sharing.py`), words are in
`test_plain_texts.py`, and every screen is searched in `test_language.py`.
"""

import re

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.wallet.fake_verifier import known_verifier, notice, query
from tests.wallet.pages.sharing_browser import latest_entry
from tests.wallet.pages.test_share_pages import arrive, confirm, decide, look, person, text_of
from tests.wallet.taking_back_world import Recipient
from tests.wallet.test_pages import field, send
from tests.world import World


class Counted:
    """A browser whose pages and presses are counted: what a person must go through."""

    def __init__(self, browser: TestClient) -> None:
        self.browser, self.steps = browser, 0

    def press(self, page: httpx2.Response, path: str, **fields: str) -> httpx2.Response:
        """Press a button."""
        self.steps += 1
        return send(self.browser, page, path, **fields)

    def follow(self, page: httpx2.Response, path: str) -> httpx2.Response:
        """Follow a link that is on the page."""
        assert f'href="{path}"' in page.text
        self.steps += 1
        return self.browser.get(path)


def test_hindering_no_other_act_takes_more_steps_than_sharing(world: World) -> None:
    """From the first screen to a share and to a no; from the entry to taking back, deletion and a copy. A no goes out
    with one message, as a share does."""
    recipient, browser = Recipient(world), person(world)

    def from_s0(*, say: str) -> int:
        counted = Counted(browser)
        page = arrive(browser, recipient.ask_for_two().link())
        page = counted.press(page, "/present", link=field(page, "link"), came_by="link", decision="continue")
        page = counted.press(page, page.url.path, decision=say)
        if say == "share":
            counted.steps += 1
            page = confirm(browser, page)
        assert 'id="outcome"' in page.text
        return counted.steps

    def from_entry(entry: str, what: str, decision: str) -> int:
        counted = Counted(browser)
        page = counted.follow(browser.get(f"/history/{entry}"), f"/history/{entry}/{what}")
        done = counted.press(page, page.url.path, decision=decision)
        assert done.url.path == f"/history/{entry}"
        return counted.steps

    recipient.answer = recipient.acknowledged
    sharing = from_s0(say="share")
    share_messages = len(recipient.forms)
    entry = latest_entry(browser)
    steps = {"refuse": from_s0(say="refuse")}
    refusal_messages = len(recipient.forms) - share_messages
    steps |= {"copy": from_entry(entry, "copy", "mail"), "delete": from_entry(entry, "ask-delete", "everything")}
    from_s0(say="share")  # Of what is to be deleted as a whole nothing is left to take back.
    steps["take back"] = from_entry(latest_entry(browser), "take-back", "send")

    assert sharing == 3
    assert {name: count for name, count in steps.items() if count > sharing} == {}
    assert steps["refuse"] < sharing
    assert share_messages == refusal_messages == 1


@pytest.mark.parametrize("what", ["take-back", "ask-delete"])
def test_cs33_no_way_out_takes_more_steps_than_sharing(world: World, what: str) -> None:
    """Counted from the entry: through the endpoint, on their page, by e-mail, by telephone; the link that leaves the
    wallet, or the call, is a step as well."""
    recipient, browser = Recipient(world), person(world)
    recipient.answer = recipient.acknowledged
    by_hand = {"url": "https://employer.example/delete", "contact": "a@employer.example", "phone": "+46 8 123 45 67"}
    leaving = {"page": 'href="https://employer.example/delete"', "mail": 'href="mailto:', "phone": 'href="tel:'}
    steps = {}
    for way in ("endpoint", *leaving):
        said: dict[str, object] = {} if way == "endpoint" else {"withdraw": by_hand, "receipt_endpoint": ""}
        sharing = Counted(browser)
        page = arrive(browser, recipient.ask_for_two(**said).link())
        page = sharing.press(page, "/present", link=field(page, "link"), came_by="link", decision="continue")
        page = sharing.press(page, page.url.path, decision="share")
        sharing.steps += 1
        confirm(browser, page)
        entry, back = latest_entry(browser), Counted(browser)
        page = back.follow(browser.get(f"/history/{entry}"), f"/history/{entry}/{what}")
        if way in leaving:
            assert leaving[way] in page.text
            back.steps += 1
        everything = {"take-back": "send", "ask-delete": "everything"}[what]
        done = back.press(page, page.url.path, decision=everything if way == "endpoint" else way)
        assert f'data-state="{"acknowledged" if way == "endpoint" else "marked"}"' in done.text
        steps[way] = (back.steps, sharing.steps)

    assert {way: counts for way, counts in steps.items() if counts[0] > counts[1]} == {}
    assert set(steps) == {"endpoint", "page", "mail", "phone"}


@pytest.mark.parametrize("language", ["sv", "en"])
def test_fickle_the_same_act_has_the_same_name_and_place_on_every_screen(world: World, language: str) -> None:
    """Sharing first and not sharing second, with the same words, where one decides and where one confirms."""
    browser, employer = person(world, language=language), known_verifier(world)
    page = look(browser, employer.ask(query(["family_name"]), notice=notice()).link())
    sure = decide(browser, page, "share")

    lacking = look(browser, employer.ask(query(["x"], vct="urn:o"), notice=notice()).link())
    labels = [re.findall(r'id="decide-(share|refuse)"[^>]*>([^<]+)<', one.text) for one in (page, sure, lacking)]

    assert labels[0] == labels[1]
    assert labels[2] == labels[0][1:], "the same no where nothing can be shared"
    assert [name for name, _ in labels[0]] == ["share", "refuse"]


@pytest.mark.parametrize("said", [notice(), None])
def test_left_in_the_dark_what_must_be_told_is_told_or_said_to_be_missing(
    world: World, said: dict[str, object] | None
) -> None:
    """Who, why, until when, the ground, who else gets it, what comes along, what stays, and what it all says."""
    browser = person(world)
    page = look(browser, known_verifier(world).ask(query(["family_name"]), notice=said).link())

    for part in ("who", "why", "retention", "ground", "what", "always", "behind", "reassurance"):
        assert re.search(rf'id="{part}"', page.text), part
    told = text_of(page)
    for name in ("Ground that they state", "Passed on to", "Handled for them by", "Other countries", "To take back"):
        assert name in told
    assert "Sjöberg" in told
    if said is None:
        assert told.count("Not stated") >= 5
        assert "has not said how long it keeps this" in told
    else:
        assert "We check your application." in told
