"""The page of programs that are told: who they are, and what did not arrive."""

import asyncio

import pytest
from starlette.responses import PlainTextResponse

from service.http import HostRouter, OutgoingHTTP
from tests.verifier.pages.desk import Desk, post
from verifier.courier import Courier
from verifier.requests import Kind

ADDRESS = "https://application.example/told?key=a-secret-in-the-address"


def _undelivered(desk: Desk) -> str:
    """A program that says 410 to the message of a declined request; the id of that message."""
    gone = HostRouter({"application.example": PlainTextResponse("", 410)})
    verifier = desk.verifier
    courier = Courier(
        verifier.courier.store,
        verifier.requests,
        database=verifier.database,
        http=OutgoingHTTP(transport=gone),
        clock=desk.time,
    )
    key, _ = asyncio.run(desk.app.state.accounts.new_api_key("Jobbsprånget", now=desk.time()))
    asyncio.run(courier.set_address(key.id, ADDRESS))
    template = verifier.templates()["employer-micro-credential"]
    made = verifier.make_request(template, kind=Kind.CROSS_DEVICE, maker=key.id)
    desk.decline(made.transaction)
    asyncio.run(courier.deliver_due())
    (dead,) = courier.store.undelivered()
    return dead.id


@pytest.mark.parametrize(("language", "words"), [("sv", "svarade med koden 410"), ("en", "answered with the code 410")])
def test_staff_see_what_did_not_arrive_and_have_it_sent_again(desk: Desk, language: str, words: str) -> None:
    """The program's name and host, why it failed; never the whole address, which may hold a secret."""
    message_id = _undelivered(desk)

    page = desk.browser.get("/programs", headers={"Accept-Language": language})
    assert "Jobbsprånget" in page.text
    assert "application.example" in page.text
    assert words in page.text
    assert "a-secret-in-the-address" not in page.text

    assert post(desk.browser, f"/programs/{message_id}/again", {}).status_code == 303
    (told,) = desk.verifier.courier.store.all()
    assert (told.waiting, told.undelivered) == (1, 0)


def test_nobody_else_sees_or_sends(desk: Desk) -> None:
    """Without a login, and from another site's form, nothing happens."""
    message_id = _undelivered(desk)

    assert desk.new_browser().get("/programs", follow_redirects=False).status_code in (302, 303)
    assert desk.browser.post(f"/programs/{message_id}/again").status_code in (400, 403)
    assert len(desk.verifier.courier.store.undelivered()) == 1


def test_an_empty_page_says_what_it_is_for(desk: Desk) -> None:
    """Nothing is told to anybody until a program asks."""
    assert "No program is told" in desk.browser.get("/programs").text
