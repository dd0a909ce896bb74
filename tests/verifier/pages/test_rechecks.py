"""Later checks on the page of a request: shown, made at the press of a button, and refused when they may not be."""

import asyncio
import secrets
from typing import Any

from proofs.after_share import sign_holder_message
from schemas.standing_permission import PERMISSION_TYPE
from tests.verifier.pages.desk import Desk, Time, post
from tests.verifier.permitting import ITEMS, PURPOSE
from verifier.requests import Kind
from verifier.store import RequestRecord


def permitted(desk: Desk) -> RequestRecord:
    """A request that was answered, with a permission in force."""
    template = desk.verifier.templates()["employer-micro-credential"]
    recheck = {"days": 90, "every_days": 30, "purpose": PURPOSE}
    template = type(template).model_validate(template.model_dump(mode="json", exclude_none=True) | {"recheck": recheck})
    made = desk.verifier.make_request(template, kind=Kind.CROSS_DEVICE, maker="")
    assert desk.answer(made.transaction).status_code == 200
    until = made.transaction.recheck_until
    assert until is not None
    wish(desk, desk.record(made.id), "grant", items=ITEMS, until=until.isoformat(), purpose=PURPOSE)
    return desk.record(made.id)


def wish(desk: Desk, made: RequestRecord, action: str, **claims: Any) -> None:
    """A wish as the wallet that answered posts it."""
    now = desk.time()
    whole = {
        "aud": made.transaction.client_id,
        "nonce": made.transaction.nonce,
        "iat": int(now.timestamp()),
        "jti": secrets.token_urlsafe(16),
        "wished_at": int(now.timestamp() * 1000),
        "action": action,
        **claims,
    }
    body = sign_holder_message(whole, signer=desk.holder, typ=PERMISSION_TYPE).encode()
    asyncio.run(desk.verifier.rechecks.take_act(body))


def test_staff_checks_again_as_long_as_the_person_allows_it(desk: Desk, time: Time) -> None:
    """The button is there when it is due; afterwards the outcome and the next moment stand there."""
    made = permitted(desk)
    page = desk.browser.get(f"/requests/{made.id}").text
    assert 'id="recheck"' in page
    assert "The person lets you check again." in page

    assert post(desk.browser, f"/requests/{made.id}/recheck", {}, page=f"/requests/{made.id}").status_code == 303

    page = desk.browser.get(f"/requests/{made.id}").text
    assert "It still held" in page
    assert 'id="recheck"' not in page
    assert "The next check can be made on" in page


def test_after_the_end_the_button_is_gone_and_pressing_an_old_one_checks_nothing(desk: Desk) -> None:
    """A page that was open since before the end."""
    made = permitted(desk)
    wish(desk, made, "end")

    page = desk.browser.get(f"/requests/{made.id}").text
    assert 'id="recheck"' not in page
    assert 'data-state="ended"' in page
    post(desk.browser, f"/requests/{made.id}/recheck", {}, page=f"/requests/{made.id}")

    page = desk.browser.get(f"/requests/{made.id}").text
    assert "Nothing was checked: the permission is over." in page
    assert "It still held" not in page
