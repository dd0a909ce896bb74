"""Staff find a request by what somebody who writes to them names."""

from datetime import timedelta

import pytest
from httpx2 import Response

from tests.verifier.pages.desk import Desk, Time, post
from tests.verifier.scene import Scene
from tests.verifier.withdrawing import act, take
from verifier.store.finding import MOST_FOUND


def find(desk: Desk, text: str, language: str = "en") -> Response:
    """What the page says of a text."""
    return post(desk.browser, f"/find?lang={language}", {"wanted": text}, page="/find")


def found(desk: Desk, text: str) -> list[str]:
    """The rows that were found, by the number in their page."""
    page = find(desk, text).text
    return [part.partition('"')[0] for part in page.split('<tr role="row" id="request-')[1:]]


def test_the_number_of_a_letter_leads_to_the_request(desk: Desk) -> None:
    """By the number alone, with the words around it, of either half of a pair; the page of the request shows it."""
    other, mine = desk.ask("course-results"), desk.ask("course-results")
    number = mine.transaction.handle
    pair = desk.verifier.requests.pair(mine.transaction.pair, now=desk.time())
    assert len(pair) == 2

    for text in (number, f"  Your number for it: {number}. ", *(one.transaction.handle for one in pair), mine.id):
        (row,) = found(desk, text)
        assert row in {one.id for one in pair}, text
    assert number in desk.browser.get(f"/requests/{mine.id}").text
    assert other.id not in {one.id for one in pair}


def test_the_own_reference_is_found_while_it_is_kept(desk: Desk, time: Time) -> None:
    """A part of it, in any case of letters; after the retention date nobody finds it any more."""
    made = post(desk.browser, "/ask/course-results", {"reference": "Ansökan 17 Åsa"})
    request_id = made.headers["location"].rpartition("/")[2]

    pair = desk.verifier.requests.pair(desk.record(request_id).transaction.pair, now=desk.time())
    (row,) = found(desk, "ansökan 17 å")
    assert row in {one.id for one in pair}
    assert found(desk, "Ansökan 18") == []
    time.pass_by(days=2_000)
    assert found(desk, "ansökan 17") == []


@pytest.mark.parametrize("text", ["", "   ", "%", "_", "' OR 1=1 --", "\x00", "*"])
def test_nothing_else_is_found(desk: Desk, text: str) -> None:
    """No text stands for any number, and none for all."""
    desk.ask("course-results")

    assert found(desk, text) == []


def test_what_is_looked_for_stands_in_no_address_and_needs_staff(desk: Desk) -> None:
    """It may be a name. A stranger finds nothing, and a form of another site does nothing."""
    made = desk.ask("course-results")
    stranger = desk.new_browser()

    assert "wanted" not in str(find(desk, "Åsa Nyman").url)
    assert stranger.get("/find", follow_redirects=False).status_code == 303
    assert stranger.post("/find", data={"wanted": made.transaction.handle}, follow_redirects=False).status_code == 303
    assert desk.browser.post("/find", data={"wanted": made.transaction.handle}).status_code == 403
    shown = find(desk, '"><script>').text
    assert "<script>" not in shown


def test_the_page_speaks_both_languages(desk: Desk) -> None:
    """What was found, and that nothing was."""
    number = desk.ask("course-results").transaction.handle

    assert "1 request" in find(desk, number).text
    assert "1 förfrågan" in find(desk, number, "sv").text
    assert "Ingen förfrågan har det numret eller den referensen." in find(desk, "nothing", "sv").text
    assert 'id="find-form"' in desk.browser.get("/").text


def test_the_number_of_a_receipt_that_came_with_a_wish_is_found(scene: Scene) -> None:
    """And that of the deletion statement."""
    made = scene.ask("course-results")
    scene.answer(made)
    take(scene, act(scene, made, receipt_id="receipt-1"))
    deletion = scene.verifier.deletions.newest(made.id)
    assert deletion is not None

    for text in ("receipt-1", deletion.id):
        assert [one.id for one in scene.verifier.finder.find(text, now=scene.now)] == [made.id]


def test_a_receipts_number_hides_nothing(scene: Scene) -> None:
    """Whoever takes back chooses it: a name that staff look for, or the number of somebody else's request."""
    template = scene.template()
    kind = scene.verifier.default_kind()
    theirs = scene.verifier.make_request(template, kind=kind, maker="", reference="Andersson 17")
    for number in ("Andersson", theirs.transaction.handle):
        made = scene.ask("course-results")
        scene.answer(made)
        take(scene, act(scene, made, receipt_id=number))

    for text in ("Andersson", "Their name is Andersson", theirs.transaction.handle):
        found = scene.verifier.finder.find(text, now=scene.now)
        assert (theirs.id in {one.id for one in found}) is (text != "Their name is Andersson"), text
    assert scene.verifier.finder.find("Their name is Andersson", now=scene.now) == []


def test_no_more_are_found_than_a_page_shows(scene: Scene) -> None:
    """A reference that hundreds share is no search."""
    template = scene.template()
    for number in range(MOST_FOUND + 3):
        scene.verifier.make_request(template, kind=scene.verifier.default_kind(), maker="", reference=f"Same {number}")

    assert len(scene.verifier.finder.find("same", now=scene.now + timedelta(seconds=1))) == MOST_FOUND
